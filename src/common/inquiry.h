// What the prober of peers is to ask, and of whom. It is the text that its `run` has in the place
// of a statement, so that the prober needs no configuration of its own.
#pragma once

#include "common/error.h"

#include <limits.h>
#include <stddef.h>
#include <stdint.h>

enum {
    INQUIRY_PLACES_MAX = 16,
    PLACE_HOST_MAX = 253,        // RFC 1035's, without the last dot
    INSTANCE_LENGTH = 32,        // digits of the number that each adapter has for itself
    INQUIRY_TEXT_MAX = 16 * 1024 // longer than any
};

// Where another adapter is asked.
struct place {
    bool tls;
    char host[PLACE_HOST_MAX + 1]; // a name, or an address without brackets
    uint16_t port;
};

// Parses [ "http://" / "https://" ] HOST ":" PORT, as DBHEALTH_PEERS has it (RFC 3986, 3.2).
bool place_parse(const char *text, struct place *place, struct error *error)
    __attribute__((warn_unused_result));

struct inquiry {
    char instance[INSTANCE_LENGTH + 1]; // who asks, so that it knows itself among the answers
    bool each;                          // a row for each peer, else one for all of them
    char authorities[PATH_MAX];         // file with whom to believe over TLS; "": the system's
    struct place places[INQUIRY_PLACES_MAX];
    size_t count;
};

// Writes it into text[INQUIRY_TEXT_MAX]. False if the file's name has a line's end in it.
bool inquiry_write(const struct inquiry *inquiry, char *text) __attribute__((warn_unused_result));

// Reads what inquiry_write has written. False for anything else.
bool inquiry_read(const char *text, struct inquiry *inquiry) __attribute__((warn_unused_result));
