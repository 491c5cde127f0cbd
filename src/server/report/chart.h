// What a history looks like, as SVG within HTML, with the same in words for those who don't see it.
#pragma once

#include "server/base/wall_time.h"
#include "server/check/history.h"

#include <stdio.h>

// How long the last runs took, as a line, with the latest in words beside it.
void chart_latency(FILE *page, const struct history *history);

// The last hour, a bar a minute. Each verdict has a form of its own, not only a colour.
void chart_hour(FILE *page, const struct history *history, const struct moment *moment);

// One bar of that, for the legend.
void chart_sample(FILE *page, enum verdict verdict);
