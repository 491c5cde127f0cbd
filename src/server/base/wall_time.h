// The wall clock, only ever to print.
#pragma once

#include "common/instant.h"

#include <stddef.h>

enum { WALL_TIME_MAX = 64 };

// One moment by both clocks: what is told of many instants at once has one date for each.
struct moment {
    struct instant now;
    int64_t unix_ms;
};

struct moment moment_now(void);

// An instant as Unix time in milliseconds, seen from that moment.
int64_t moment_unix_ms(const struct moment *moment, struct instant instant);

// Likewise, by the wall clock as it stands.
int64_t wall_time_ms(struct instant instant);

// Writes Unix time as RFC 3339 has it, in UTC with milliseconds: 2026-01-01T03:00:00.000Z.
void wall_time_format_ms(int64_t unix_ms, char *text, size_t capacity);

// Likewise an instant.
void wall_time_format(struct instant instant, char *text, size_t capacity);
