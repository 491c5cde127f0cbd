// A prober's connection to the server, as far as its replies have shown it. Pure.
#pragma once

#include "common/wire.h"
#include "server/check/server_range.h"

// Part of the prober; zero-initialised.
struct connection {
    bool is_open;
    bool is_old;              // it was open before this batch, and may have died unnoticed
    bool refused;             // the secret was, at the latest login
    bool inspects;            // the login under way asks whether the user is a superuser
    bool superuser;           // the latest answer
    struct instant inspected; // when that came; 0: never
    struct instant opened;    // the latest login that went well; 0: none has
    enum flavor flavor;       // of the server then
    char version[REPLY_VERSION_MAX];
};

// A login begins. Returns whether it is to ask whether the user is a superuser, once a minute.
bool connection_begin(struct connection *connection, struct instant now);

// It is over, with this reply.
void connection_note_open(struct connection *connection, const struct reply *reply,
                          struct instant now);

// So is a run: the connection has just proved to be alive, or is gone.
void connection_note_run(struct connection *connection, enum outcome outcome);

// True if a run that ended so tells only that the connection had died, perhaps long ago.
bool connection_was_dead(const struct connection *connection, enum outcome outcome);

// Whether it may outlive its batch. While the secret is refused it may not, for the next login
// shall try that anew.
bool connection_may_stay(const struct connection *connection);

// Whether the server is one of these.
bool connection_suits(const struct connection *connection, const struct server_range *range);
