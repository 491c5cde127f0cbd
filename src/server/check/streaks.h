// How long the rules of a check have held, result by result, for those that end in `for`. Pure.
#pragma once

#include "server/check/check.h"

// Made by streaks_new, freed with free().
struct streaks {
    struct instant latest;  // when the run of the latest result ended
    struct instant since[]; // of each rule, in the check's order: when the first run ended of those
                            // in a row at which it held; ns 0: it did not at the latest
};

// No rule has held yet.
struct streaks *streaks_new(const struct check *check);

// Takes over what was known of the same rules, by their text, in an earlier check.
void streaks_take_over(struct streaks *streaks, const struct check *check,
                       const struct streaks *earlier, const struct check *before);

// A rule has held at the latest result, or has not.
void streaks_add(struct streaks *streaks, size_t rule, bool it_holds);

// How long it has held as of the latest result; 0 at the first of a row, and if it does not.
struct duration streaks_held(const struct streaks *streaks, size_t rule);
