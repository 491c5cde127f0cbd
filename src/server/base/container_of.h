// The object that a member is part of, for callbacks that get the member.
#pragma once

#include <stddef.h>

#define CONTAINER_OF(pointer, type, member) ((type *)((char *)(pointer)-offsetof(type, member)))
