// The status page for browsers. page/ has its files; its script shows the JSON document. Here that
// document is put into it, so that there is something to see at once, and for those who run no
// script one plain table of what matters most of it.
#pragma once

#include "server/report/report.h"

// Writes the page of a report on the whole adapter. Like all bodies it has codes, rules and
// what they look at, not the server's messages.
void page_write(FILE *out, const struct report *report);

// A file that the page loads, from beside it.
struct page_file {
    const char *name, *type, *text; // type: of media
};

// NULL if it loads none of this name.
const struct page_file *page_file(const char *name);

// The Content-Security-Policy of the page: it loads these and asks its own adapter, and that is
// all.
extern const char page_policy[];
