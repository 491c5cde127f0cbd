// The lines of a request's header, and what we refuse of them although libmicrohttpd may not: what
// a proxy in front of us may read otherwise (RFC 9112, sections 3.2, 5.1, 5.2 and 6.3).
#pragma once

#include <stdbool.h>

// Zeroed at first.
struct header {
    const char *fault;  // what is wrong, in a line for the client; NULL: nothing is
    const char *length; // of Content-Length; not owned; NULL: there is none
    bool host, coded;   // there is a Host, a Transfer-Encoding
    bool choosy;        // there is an Accept that does not take just anything
};

// Adds a line. Name and value must be where libmicrohttpd has them, and stay there.
void header_add(struct header *header, const char *name, const char *value);

// To be called after the last line; the version is "HTTP/1.1" or its like.
void header_end(struct header *header, const char *version);
