// Responses that may be given again: the latest few, by the target of their request. Who asks the
// same over and over (a kubelet, a load balancer) costs no more than finding the response here.
#pragma once

#include "server/answer/answer.h"

#include <microhttpd.h>

enum { PREBUILT_MAX = 8, PREBUILT_TARGET_MAX = 64 };

struct prebuilt {
    char target[PREBUILT_TARGET_MAX]; // as it came, undecoded; "": none
    bool details;                     // it was for one who may have them
    unsigned status;
    struct validity validity;
    struct MHD_Response *response; // owned
};

// Part of its owner's object, zeroed at first.
struct prebuilt_table {
    struct prebuilt slots[PREBUILT_MAX];
    size_t next; // to be replaced when a new target comes
};

// Takes the response to an answered request over, in place of the one for the same target or of the
// one that came first. It is destroyed at once if it may not be given again; connections that send
// it have references of their own.
void prebuilt_keep(struct prebuilt_table *table, const struct request *request,
                   struct MHD_Response *response);

// The response to this request that may be given once more now; it is counted. NULL: there is none.
// Not for the caller, and there until the next prebuilt_keep.
const struct prebuilt *prebuilt_take(const struct prebuilt_table *table,
                                     const struct request *request);

void prebuilt_clear(struct prebuilt_table *table);
