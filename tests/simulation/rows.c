// Rules that end in `for`: how long one has held is told from the runs that the model knows of, in
// a row. What else a check may have been told meanwhile (of a login that failed, of a process that
// died) ends the row, too; where there may have been such a thing, a row is no longer than that.
#include "simulation.h"

#include <stdlib.h>
#include <string.h>

#define AFTERMATH (75 * SECOND) // of a trouble of ours

void promise_note_disturbance(struct simulation *simulation)
{
    simulation->disturbed = simulation->now;
}

static bool promise_row_is_sure(const struct simulation *simulation,
                                const struct check_record *known)
{
    return known->row_is_sure && simulation->disturbed < known->row_latest &&
           simulation->refusals == 0 &&
           !simulation_had_own_trouble(simulation, known->row_since - AFTERMATH, simulation->now);
}

void promise_note_row(struct simulation *simulation, struct check_record *known, struct fact *fact)
{
    bool is_bad = fact->outcome == OUTCOME_OK && fact->rows && fact->value > 100;
    int64_t born = adapter_born(simulation, fact->sql); // and before it another, whose row is lost
    bool of_before = fact->sent < born;
    bool perhaps_again = fact->perhaps_on_kept && promise_ends_session(fact->outcome);
    if (of_before || perhaps_again) {
        known->row_is_sure = false;
        return;
    }
    known->row_is_sure =
        fact->sent > born && (known->row_since == 0 || promise_row_is_sure(simulation, known));
    if (!is_bad)
        known->row_since = 0;
    else if (known->row_since == 0)
        known->row_since = simulation->now;
    known->row_latest = simulation->now;
    fact->row_since = known->row_since;
    fact->row_is_sure = known->row_is_sure;
}

void promise_on_new_check(struct simulation *simulation, const struct check *check,
                          const struct check *before)
{
    uint64_t target = simulation->adapter.target;
    struct check_record *known =
        promise_check_record(simulation, check->sql, target, prober_names[promise_index_of(check)]);
    known->row_since = 0;
    if (before != NULL && before->rules[0].hold.ms == check->rules[0].hold.ms) {
        const struct check_record *other = promise_check_record(
            simulation, before->sql, target, prober_names[promise_index_of(before)]);
        known->row_since = other->row_since;
        known->row_is_sure = promise_row_is_sure(simulation, other);
    }
    known->row_latest = simulation->now;
}

static int64_t promise_hold_of(const struct simulation *simulation, const struct fact *fact)
{
    return adapter_hold_of(simulation, fact->sql) * MS;
}

enum outcome promise_outcome_of_row(const struct simulation *simulation, const struct fact *fact,
                                    enum outcome claimed)
{
    int64_t hold = promise_hold_of(simulation, fact);
    int64_t held = fact->delivered - fact->row_since;
    if (hold == 0)
        return OUTCOME_FAILED;
    if (fact->row_since > 0 && held < hold)
        return OUTCOME_OK;
    bool is_known = fact->row_since > 0 && fact->row_is_sure;
    return is_known || claimed != OUTCOME_OK ? OUTCOME_FAILED : OUTCOME_OK;
}

bool promise_row_is_told(const struct simulation *simulation, const struct fact *fact,
                         const char *reason)
{
    const char *words = strstr(reason, " for ");
    int64_t hold = promise_hold_of(simulation, fact);
    int64_t held = (fact->delivered - fact->row_since) / SECOND;
    if (hold == 0 || fact->row_since == 0)
        return hold > 0 || words == NULL;
    int64_t told = words != NULL ? strtoll(words + strlen(" for "), NULL, 10) : -1;
    return told == held || (!fact->row_is_sure && told >= 0 && told < held);
}
