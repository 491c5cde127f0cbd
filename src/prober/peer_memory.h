// When each peer was last heard, for as long as this process lives. Pure, and for one thread.
#pragma once

#include "common/inquiry.h"
#include "common/instant.h"

enum {
    PEERS_MAX = INQUIRY_PLACES_MAX + 1, // and oneself
    PEER_NAME_ROOM = PLACE_HOST_MAX + 10
};

// Starts as {0}.
struct peer_memory {
    struct {
        char name[PEER_NAME_ROOM]; // "": nothing is here
        struct instant heard;
    } peers[PEERS_MAX];
};

// A peer of this name, below PEER_NAME_ROOM, is heard at this instant. Of too many the one that was
// heard longest ago is forgotten.
void peer_memory_note(struct peer_memory *memory, const char *name, struct instant heard);

// How many seconds ago it was last heard; below 0 if it never was.
double peer_memory_age(const struct peer_memory *memory, const char *name, struct instant now);
