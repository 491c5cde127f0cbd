// What a database engine's driver is: a small const struct of plain, blocking functions. Each
// prober program links main.c, one driver and that driver's client library.
#pragma once

#include "common/target.h"
#include "common/wire.h"

// Bytes of a row. A driver that is sent a longer one says OUTCOME_TOO_LARGE, and the session is
// lost: libpq and Connector/C hold a whole row in memory, which a prober has little of.
enum { DRIVER_ROW_MAX = 1024 * 1024 };

// The network may drop what asks for a connection, and the kernel asks again ever more seldom. A
// connect() without an answer after this is given up for a new one, which leaves nothing behind on
// the server; so a login goes on within a second or so after the way is free.
enum { DRIVER_CONNECT_MS = 1000 };

// Whether the session goes on after this call, and its statement may have left something there that
// a rollback does not undo: a named lock, a setting, a temporary table.
bool call_leaves_traces(const struct call *call);

// A connection, as the driver understands it.
struct session;

struct driver {
    enum engine engine;
    size_t stacks; // bytes of its threads' stacks, which count as data where a process's does not

    // Once, before anything else.
    void (*setup)(void);

    // Connects and logs in, and finds out about superusers if the call says so. May block for as
    // long as the network likes: dbhealthd decides how long it waits. On success the reply is
    // OUTCOME_OK with version and flavor, and the session is returned; else the reply says why
    // (outcome, code, message, and TRIAL_REFUSED if the server refused the secret) and NULL is
    // returned, with nothing left open.
    struct session *(*open)(const struct target *target, const struct call *call,
                            struct reply *reply);

    // Goes as far as it can with a target without a password: OUTCOME_DENIED without a code means
    // that the server would go on from there with one. A server that wants none may give a session.
    // NULL: there is nobody to log in to, and open gets no target.
    struct session *(*knock)(const struct target *target, const struct call *call,
                             struct reply *reply);

    // Runs one statement with its limits and fills the reply, with a result on OUTCOME_OK. The
    // session stays usable for the next call whatever came of this one, unless it is lost: then
    // each further run says so.
    void (*run)(struct session *session, const struct call *call, struct reply *reply);

    // Says goodbye as the protocol wants it, and frees the session.
    void (*close)(struct session *session);

    // True if this process can do no more, between two batches, but another could. NULL: never.
    bool (*is_spent)(void);
};

// The one driver of this program.
extern const struct driver driver;

struct addrinfo;

// The outcome for what connect() failed with.
enum outcome outcome_of_connect(int error);

// The addresses of a host, for freeaddrinfo(). NULL, and the reply says why, if it has none. Waits
// for as long as the name service says nothing.
struct addrinfo *resolve_host(const char *host, struct reply *reply);

// Fills outcome, code and message of a reply; the message is cleaned of line ends and bad UTF-8.
// code may be NULL.
void reply_set(struct reply *reply, enum outcome outcome, const char *code, const char *message);

// Fills the column write_seconds of the first row of a run that may write, if it is there and NULL:
// how long it took since it began, commit and all, which no statement can know of itself.
void reply_set_write_seconds(struct reply *reply, const struct call *call, struct instant began);

// Fills flavor and version of a reply; the version is cleaned like a message.
void reply_set_server(struct reply *reply, enum flavor flavor, const char *version, size_t length);
