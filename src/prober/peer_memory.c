// See peer_memory.h.
#include "prober/peer_memory.h"

#include <stdio.h>
#include <string.h>

// PEERS_MAX if it is not there.
static size_t peer_memory_find(const struct peer_memory *memory, const char *name)
{
    size_t place = 0;
    while (place < PEERS_MAX && strcmp(memory->peers[place].name, name) != 0)
        place++;
    return place;
}

static size_t peer_memory_oldest(const struct peer_memory *memory)
{
    size_t oldest = 0;
    for (size_t i = 1; i < PEERS_MAX; i++) {
        if (instant_before(memory->peers[i].heard, memory->peers[oldest].heard))
            oldest = i;
    }
    return oldest;
}

void peer_memory_note(struct peer_memory *memory, const char *name, struct instant heard)
{
    size_t place = peer_memory_find(memory, name);
    if (place == PEERS_MAX)
        place = peer_memory_oldest(memory);
    memory->peers[place].heard = heard;
    (void)snprintf(memory->peers[place].name, PEER_NAME_ROOM, "%s", name);
}

double peer_memory_age(const struct peer_memory *memory, const char *name, struct instant now)
{
    size_t place = peer_memory_find(memory, name);
    return place < PEERS_MAX ? (double)(now.ns - memory->peers[place].heard.ns) / 1e9 : -1;
}
