// See thread.h.
#include "prober/thread.h"

#include <stddef.h>

enum { STACK_BYTES = 192 * 1024 }; // twice what a handshake or a name service was seen to take

bool thread_start(pthread_t *thread, void *(*run)(void *), void *argument)
{
    pthread_attr_t attributes;
    (void)pthread_attr_init(&attributes);
    (void)pthread_attr_setstacksize(&attributes, STACK_BYTES);
    int failed = pthread_create(thread, &attributes, run, argument);
    (void)pthread_attr_destroy(&attributes);
    return failed == 0;
}
