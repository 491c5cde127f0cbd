// See peer_memory.h.
#include "prober/peer_memory.h"

#include <stdio.h>
#include <string.h>

void peer_memory_note(struct peer_memory *memory, const char *name, struct instant heard)
{
    size_t place = 0;
    for (size_t i = 0; i < PEERS_MAX; i++) {
        if (strcmp(memory->peers[i].name, name) == 0) {
            place = i;
            break;
        }
        if (instant_before(memory->peers[i].heard, memory->peers[place].heard))
            place = i;
    }
    memory->peers[place].heard = heard;
    (void)snprintf(memory->peers[place].name, PEER_NAME_ROOM, "%s", name);
}

double peer_memory_age(const struct peer_memory *memory, const char *name, struct instant now)
{
    for (size_t i = 0; i < PEERS_MAX; i++) {
        if (strcmp(memory->peers[i].name, name) == 0)
            return (double)(now.ns - memory->peers[i].heard.ns) / 1e9;
    }
    return -1;
}
