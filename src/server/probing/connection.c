// See connection.h.
#include "server/probing/connection.h"

#include <stdio.h>

enum { INSPECT_MS = 60000 };

static bool connection_must_inspect(const struct connection *connection, struct instant now)
{
    return connection->inspected.ns == 0 ||
           instant_since(connection->inspected, now).ms >= INSPECT_MS;
}

bool connection_begin(struct connection *connection, struct instant now)
{
    connection->is_open = connection->is_old = connection->refused = false;
    connection->inspects = connection_must_inspect(connection, now);
    return connection->inspects;
}

static void connection_note_server(struct connection *connection, const struct reply *reply,
                                   struct instant now)
{
    if (connection->inspects) {
        connection->superuser = reply->superuser;
        connection->inspected = now;
    }
    connection->opened = now;
    connection->flavor = reply->flavor;
    (void)snprintf(connection->version, sizeof connection->version, "%s", reply->version);
}

void connection_note_open(struct connection *connection, const struct reply *reply,
                          struct instant now)
{
    connection->refused = reply->trial != TRIAL_NONE;
    connection->is_open = reply->outcome == OUTCOME_OK;
    if (connection->is_open)
        connection_note_server(connection, reply, now);
}

// The rest of the batch needs another then.
static bool connection_is_ended_by(enum outcome outcome)
{
    return outcome == OUTCOME_LOST || outcome == OUTCOME_TERMINATED ||
           outcome == OUTCOME_NOT_ACCEPTING || outcome == OUTCOME_TLS ||
           outcome == OUTCOME_TOO_LARGE;
}

void connection_note_run(struct connection *connection, enum outcome outcome)
{
    connection->is_open = !connection_is_ended_by(outcome);
    connection->is_old = false;
}

// A row that was too large came over it.
bool connection_was_dead(const struct connection *connection, enum outcome outcome)
{
    return connection->is_old && connection_is_ended_by(outcome) && outcome != OUTCOME_TOO_LARGE;
}

bool connection_may_stay(const struct connection *connection)
{
    return connection->is_open && !connection->refused;
}

bool connection_suits(const struct connection *connection, const struct server_range *range)
{
    return range_has(range, connection->flavor, connection->version);
}
