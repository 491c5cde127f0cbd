// The status page: all that there is to see, as one HTML document for people.
#pragma once

#include "server/config/config.h"
#include "server/report/chart.h"
#include "server/report/metrics.h"

// Lives for one answer; points to what others own.
struct status_page {
    const struct config *config;
    const struct check_view *views; // of the configuration's checks, in its order
    const bool *passes;             // of its endpoints, in its order
    struct circumstances circumstances;
    const struct prober_view *probers;
    size_t prober_count;
    const struct statistics *statistics;
    const char *flavor;                // of the server; NULL: not known yet
    const char *version;               // of the server
    const char *configuration_warning; // as of reply.h; NULL: none
    struct moment moment;
};

// Writes the document. Like all bodies it has codes, rules and numbers, not the server's own words.
// Equal input gives equal text.
void report_html(FILE *page, const struct status_page *status);

// A check's row, an item of a list: part of the document.
void report_html_check(FILE *page, const struct check_view *view, const struct moment *moment);
