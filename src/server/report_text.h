// Plain-text bodies, in the form of Kubernetes' own components. Pure.
#pragma once

#include "server/endpoint.h"

#include <stdio.h>

enum { DETAIL_MAX = 512 };

// What there is to say beside the verdict: the rule that holds and the value seen, or the outcome
// in words and what to do about it; "" if nothing is to be said. The same words in bodies, tables
// and JSON.
void report_detail(const struct judgement *judgement, char *bytes, size_t capacity);

// One line a check: "[+]alive ok", "[-]lag failed: lag_seconds 45 > 30".
void report_check_line(FILE *body, const struct check_view *view, bool fails);

// A line for something that is no check, like the drain.
void report_line(FILE *body, bool well, const char *name, const char *words);

// The last line: "readyz check passed", "readyz check failed".
void report_conclusion(FILE *body, const char *endpoint, bool passes);
