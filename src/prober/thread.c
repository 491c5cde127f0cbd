// See thread.h.
#include "prober/thread.h"

#include <stddef.h>

bool thread_start(pthread_t *thread, void *(*run)(void *), void *argument)
{
    pthread_attr_t attributes;
    (void)pthread_attr_init(&attributes);
    (void)pthread_attr_setstacksize(&attributes, THREAD_STACK);
    int failed = pthread_create(thread, &attributes, run, argument);
    (void)pthread_attr_destroy(&attributes);
    return failed == 0;
}
