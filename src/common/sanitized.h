// SANITIZED: whether AddressSanitizer is built in. It traces its own process at the end, starts a
// program to name functions, says on standard error what it has found, and has a shadow of the
// memory.
#pragma once

#include <stdbool.h>

#if defined(__SANITIZE_ADDRESS__)
#define SANITIZED true
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SANITIZED true
#endif
#endif
#ifndef SANITIZED
#define SANITIZED false
#endif
