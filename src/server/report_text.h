// Plain-text bodies, in the form of Kubernetes' own components. Pure.
#pragma once

#include "server/endpoint.h"

#include <stdio.h>

// One line a check: "[+]alive ok", "[-]lag failed: lag_seconds 45 > 30".
void report_check_line(FILE *body, const struct check_view *view, bool fails);

// A line for something that is no check, like the drain.
void report_line(FILE *body, bool well, const char *name, const char *words);

// The last line: "readyz check passed", "readyz check failed".
void report_conclusion(FILE *body, const char *endpoint, bool passes);
