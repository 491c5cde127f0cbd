// Threads of the prober of peers: each asks one peer, or looks up one name.
#pragma once

#include <pthread.h>
#include <stdbool.h>

enum {
    THREAD_STACK = 192 * 1024
}; // bytes; twice what a handshake or name service was seen to take

// With a small stack, for a prober has little memory. False if there can be none.
bool thread_start(pthread_t *thread, void *(*run)(void *), void *argument)
    __attribute__((warn_unused_result));
