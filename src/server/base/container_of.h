// The object that a member is part of, for callbacks that get the member.
#pragma once

#include <stddef.h>

#define CONTAINER_OF(pointer, type, member) ((type *)container_of(pointer, offsetof(type, member)))

// What lies so many bytes before the member.
static inline void *container_of(void *member, size_t offset)
{
    return (char *)member - offset;
}
