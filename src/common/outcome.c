// The table of outcomes. Order and codes are those of the README's table, which a test compares
// with this one. The group is what matters for a life: only GROUP_SILENT can fail /healthz when the
// check tolerates answers, and GROUP_OWN never does.
#include "common/outcome.h"

#include <assert.h>
#include <stddef.h>
#include <string.h>

static const struct outcome_info infos[OUTCOME_COUNT] = {
    [OUTCOME_OK] = {"ok", GROUP_ANSWERED, false, "the server answered", ""},
    [OUTCOME_FAILED] = {"failed", GROUP_ANSWERED, true, "a rule of the check holds",
                        "look at the check's file and the values it saw"},
    [OUTCOME_NO_ROW] = {"no_row", GROUP_ANSWERED, true, "the query gave no row to judge",
                        "make the query give a row, or say `no-rows: pass` in its file"},
    [OUTCOME_NOT_ACCEPTING] = {"not_accepting", GROUP_ANSWERED, false,
                               "the server is starting, recovering or shutting down",
                               "wait: its own log tells how far it is"},
    [OUTCOME_TERMINATED] = {"terminated", GROUP_ANSWERED, false, "the server ended our session",
                            "look in its log for who ended it; if it ends each new one, its "
                            "init_connect fails"},
    [OUTCOME_DENIED] = {"denied", GROUP_ANSWERED, false, "the server refused the probe user",
                        "check user, password, database and grants of the probe user, and whether "
                        "the server demands TLS"},
    [OUTCOME_SATURATED] =
        {"saturated", GROUP_ANSWERED, false, "the server has no connection left to give",
         "find who holds the connections, or raise the limit: max_connections, or "
         "the CONNECTION LIMIT of the probe's role or database"},
    [OUTCOME_QUOTA] = {"quota", GROUP_ANSWERED, false,
                       "the probe user's own limit is reached: the server is well",
                       "raise the probe user's resource limit"},
    [OUTCOME_QUERY_TIMEOUT] = {"query_timeout", GROUP_ANSWERED, false,
                               "the server ended the statement at its time limit",
                               "look for locks and load, or raise the check's timeout"},
    [OUTCOME_MISSING] =
        {"missing", GROUP_ANSWERED, false, "the statement names something that is not there",
         "the adapter's log has its name; a check that is not for every server says "
         "`skip: missing`"},
    [OUTCOME_SERVER_ERROR] = {"server_error", GROUP_ANSWERED, false,
                              "the server answered with an error",
                              "the adapter's log has the server's message"},
    [OUTCOME_TLS] =
        {"tls", GROUP_ANSWERED, false, "no TLS connection as the URL or the server demands it",
         "check the certificates and the URL's TLS parameters; for a server that demands "
         "TLS add ssl-mode=REQUIRED"},
    [OUTCOME_REFUSED] = {"refused", GROUP_SILENT, false, "nothing listens at the server's address",
                         "start the server, or correct host and port in the URL"},
    [OUTCOME_UNREACHABLE] = {"unreachable", GROUP_SILENT, false,
                             "no way to the server's address, or its name does not resolve",
                             "check host, network and name service"},
    [OUTCOME_TIMEOUT] = {"timeout", GROUP_SILENT, false, "the server gave no answer in time",
                         "see whether it is stopped, overloaded or out of I/O"},
    [OUTCOME_LOST] = {"lost", GROUP_SILENT, false,
                      "the connection broke and the server said nothing",
                      "look in the server's log for a crash or a restart"},
    [OUTCOME_CRASHED] = {"crashed", GROUP_OWN, false,
                         "the adapter's prober process died or could not be started",
                         "not the server's fault: look in the adapter's log and report it"},
    [OUTCOME_CONFIG] = {"config", GROUP_OWN, false,
                        "the adapter's configuration is wrong, so nothing was asked",
                        "not the server's fault: the adapter's log names the place"},
    [OUTCOME_TOO_LARGE] = {"too_large", GROUP_OWN, false,
                           "the server sent more than the adapter takes",
                           "not the server's fault: have the query give smaller rows"},
    [OUTCOME_STARVED] = {"starved", GROUP_OWN, false, "the adapter got too little CPU to tell",
                         "not the server's fault: give the adapter more CPU"},
    [OUTCOME_UNKNOWN] = {"unknown", GROUP_OWN, false, "not known yet", ""},
    [OUTCOME_SKIPPED] = {"skipped", GROUP_NONE, false, "not meant for this server", ""},
};

const struct outcome_info *outcome_info(enum outcome outcome)
{
    assert(outcome < OUTCOME_COUNT);
    return &infos[outcome];
}

bool outcome_from_code(const char *code, enum outcome *outcome)
{
    for (unsigned i = 0; i < OUTCOME_COUNT; i++) {
        if (strcmp(infos[i].code, code) == 0) {
            *outcome = (enum outcome)i;
            return true;
        }
    }
    return false;
}

bool outcome_is_reportable(enum outcome outcome)
{
    return outcome < OUTCOME_COUNT && !infos[outcome].judged &&
           infos[outcome].group != GROUP_NONE && outcome != OUTCOME_UNKNOWN;
}

bool outcome_set_has(struct outcome_set set, enum outcome outcome)
{
    return (set.bits >> outcome & 1U) != 0;
}

static void outcome_add(struct outcome_set *set, enum outcome outcome)
{
    set->bits |= 1U << outcome;
}

static void outcome_add_group(struct outcome_set *set, enum outcome_group group)
{
    for (unsigned i = OUTCOME_OK + 1; i < OUTCOME_COUNT; i++) {
        if (infos[i].group == group && !infos[i].judged)
            outcome_add(set, (enum outcome)i);
    }
}

bool outcome_set_add(struct outcome_set *set, const char *word)
{
    enum outcome outcome;
    if (strcmp(word, "answered") == 0) {
        outcome_add_group(set, GROUP_ANSWERED);
        return true;
    }
    if (strcmp(word, "silent") == 0) {
        outcome_add_group(set, GROUP_SILENT);
        return true;
    }
    if (!outcome_from_code(word, &outcome) || outcome == OUTCOME_OK ||
        infos[outcome].group == GROUP_OWN || infos[outcome].group == GROUP_NONE)
        return false;
    outcome_add(set, outcome);
    return true;
}
