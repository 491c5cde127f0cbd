// What has been counted and seen since the process began, for /metrics and the document: by
// check, prober and endpoint, under their names. It belongs to the daemon and not to a
// configuration: a scheduler or prober made for a name that was there before goes on where its
// predecessor stopped.
#pragma once

#include "server/check/history.h"

enum { DURATION_BOUNDS = 11, ANSWER_CODES = 7 };

// Of a check.
struct check_statistics {
    char *name;
    uint64_t outcomes[OUTCOME_COUNT];        // results by what they ended in
    uint64_t durations[DURATION_BOUNDS + 1]; // runs by the lowest bound they keep to; last: none
    int64_t duration_sum_ns;
    int64_t last_success_ms; // Unix time of the latest result that did not fail; 0: none yet
    struct history history;
};

// Of a prober.
struct prober_statistics {
    char *name;
    uint64_t starts;      // of the process
    uint64_t kills;       // of a process that gave no answer in time
    uint64_t crashes;     // it died, could not be started, or said what is no answer
    uint64_t connections; // opened to the server
};

// What HAProxy's agent checks are answered: the word that says what becomes of the server.
enum agent_word {
    AGENT_FAIL, // what was asked for is not there
    AGENT_UP,
    AGENT_DRAIN, // whether it is up or down
    AGENT_MAINT, // it has not the role
    AGENT_DOWN,
    AGENT_WORDS // how many there are
};

// Of an endpoint.
struct endpoint_statistics {
    char *name;
    uint64_t answers[ANSWER_CODES];      // by their status, in the order of answer_code
    uint64_t agent_answers[AGENT_WORDS]; // to agent checks
};

#define OTHER_ENDPOINT "" // stands for all that is not there

// Where a check's result for a request came from.
enum cache_use { CACHE_HIT, CACHE_JOIN, CACHE_MISS, CACHE_USES };

// What a reload came to. A refused one leaves the configuration as it was.
enum reload_result { RELOAD_SUCCESS, RELOAD_UNCHANGED, RELOAD_FAILURE, RELOAD_RESULTS };

struct reload_statistics {
    uint64_t counts[RELOAD_RESULTS];
    bool refused;            // the latest was
    int64_t last_success_ms; // Unix time of the latest that was not, or of the start
};

// Things by name, found or added; each stays where it is until all are freed.
struct named_list {
    void **items; // sorted by name
    size_t count;
};

// Made by statistics_new, freed by statistics_free.
struct statistics {
    int64_t began_ms; // Unix time
    uint64_t crashes; // of servers before this one
    uint64_t cache_uses[CACHE_USES];
    struct reload_statistics reloads;
    struct named_list checks, probers, endpoints;
};

struct statistics *statistics_new(int64_t began_ms);

void statistics_free(struct statistics *statistics);

// The one of this name, all zeros if it is new. Names come from configuration, never from requests,
// for what has been added stays.
struct check_statistics *statistics_check(struct statistics *statistics, const char *name);
struct prober_statistics *statistics_prober(struct statistics *statistics, const char *name);
struct endpoint_statistics *statistics_endpoint(struct statistics *statistics, const char *name);

// Counts a run that took so long.
void check_statistics_add_run(struct check_statistics *check, int64_t duration_ns);

// Counts an answer with this status of HTTP.
void endpoint_statistics_add(struct endpoint_statistics *endpoint, unsigned status);

// A bound of the histogram of durations, index below DURATION_BOUNDS.
struct duration_bound {
    int64_t ns;
    const char *seconds; // the same, for people
};
const struct duration_bound *duration_bound(size_t index);

// The status that is counted at this index, below ANSWER_CODES.
unsigned answer_code(size_t index);

const char *agent_word_name(enum agent_word word);

const char *cache_use_name(enum cache_use use);

const char *reload_result_name(enum reload_result result);
