// splitmix64: small, and the same everywhere.
#include "simulation.h"

uint64_t chance_draw(struct chance *chance)
{
    uint64_t x = chance->state += 0x9e3779b97f4a7c15U;
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9U;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebU;
    return x ^ (x >> 31);
}

int64_t chance_between(struct chance *chance, int64_t low, int64_t high)
{
    return low + (int64_t)(chance_draw(chance) % (uint64_t)(high - low + 1));
}

bool chance_once_in(struct chance *chance, int64_t times)
{
    return chance_between(chance, 1, times) == 1;
}
