// See memory.h.
#include "common/memory.h"

#include <stdlib.h>
#include <string.h>
#ifdef __GLIBC__
#include <malloc.h>
#endif

void *memory_new(size_t size)
{
    void *block = calloc(1, size);
    if (block == NULL)
        abort();
    return block;
}

void *memory_grow(void *block, size_t size)
{
    void *grown = realloc(block, size);
    if (grown == NULL)
        abort();
    return grown;
}

char *memory_copy(const char *bytes, size_t length)
{
    char *copy = memory_new(length + 1);
    memcpy(copy, bytes, length);
    return copy;
}

char *memory_string(const char *string)
{
    return memory_copy(string, strlen(string));
}

void memory_trim(void)
{
#ifdef __GLIBC__
    (void)malloc_trim(0);
#endif
}
