// See lookup.h. getaddrinfo() may wait for as long as the name service says nothing, so each name
// has a thread; one that is given up goes on by itself until the library gives up too. Whoever asks
// for that name meanwhile waits for the same, so there are no more threads than names.
#include "prober/lookup.h"

#include "common/memory.h"
#include "prober/thread.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

LIST_HEAD(lookup_list, lookup);

struct lookup {
    LIST_ENTRY(lookup) place; // among the unended, if it is one
    unsigned holders;         // who waits for it, and its thread until that ends
    bool ended;
    char *host;
    char port[8];
    int failed; // as getaddrinfo() says it
    struct addrinfo *found;
};

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t one_ended;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static struct lookup_list unended = LIST_HEAD_INITIALIZER(unended);

// The clock that instants are of can't be waited on; the difference matters only to a machine that
// sleeps meanwhile.
static void lookup_set_up(void)
{
    pthread_condattr_t attributes;
    (void)pthread_condattr_init(&attributes);
    (void)pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&one_ended, &attributes);
    (void)pthread_condattr_destroy(&attributes);
}

// With the mutex held.
static void lookup_let_go(struct lookup *lookup)
{
    if (--lookup->holders > 0)
        return;
    if (lookup->found != NULL)
        freeaddrinfo(lookup->found);
    free(lookup->host);
    free(lookup);
}

static void *lookup_run(void *argument)
{
    static const struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV};
    struct lookup *lookup = argument;
    struct addrinfo *found = NULL;
    int failed = getaddrinfo(lookup->host, lookup->port, &hints, &found);
    (void)pthread_mutex_lock(&mutex);
    lookup->failed = failed;
    lookup->found = failed == 0 ? found : NULL;
    lookup->ended = true;
    LIST_REMOVE(lookup, place);
    (void)pthread_cond_broadcast(&one_ended);
    lookup_let_go(lookup);
    (void)pthread_mutex_unlock(&mutex);
    return NULL;
}

// An address needs no name service, nor a thread.
static bool lookup_is_address(struct lookup *lookup)
{
    static const struct addrinfo hints = {.ai_socktype = SOCK_STREAM,
                                          .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV};
    lookup->ended = getaddrinfo(lookup->host, lookup->port, &hints, &lookup->found) == 0;
    return lookup->ended;
}

// With the mutex held, as of the two below.
static struct lookup *lookup_find_unended(const char *host, const char *port)
{
    struct lookup *lookup;
    LIST_FOREACH(lookup, &unended, place)
    {
        if (strcmp(lookup->host, host) == 0 && strcmp(lookup->port, port) == 0)
            return lookup;
    }
    return NULL;
}

static bool lookup_start(struct lookup *lookup)
{
    pthread_t thread;
    if (!thread_start(&thread, lookup_run, lookup))
        return false;
    lookup->holders++;
    LIST_INSERT_HEAD(&unended, lookup, place);
    (void)pthread_detach(thread);
    return true;
}

// The same lookup if it is under way, or NULL.
static struct lookup *lookup_begin_or_join(struct lookup *lookup)
{
    struct lookup *same = lookup_find_unended(lookup->host, lookup->port);
    if (same == NULL && lookup_start(lookup))
        return lookup;
    if (same != NULL)
        same->holders++;
    lookup_let_go(lookup);
    return same;
}

struct lookup *lookup_begin(const char *host, unsigned port)
{
    struct lookup *lookup = memory_new(sizeof *lookup);
    *lookup = (struct lookup){.holders = 1, .host = memory_string(host)};
    (void)snprintf(lookup->port, sizeof lookup->port, "%u", port);
    (void)pthread_once(&once, lookup_set_up);
    if (lookup_is_address(lookup))
        return lookup;
    (void)pthread_mutex_lock(&mutex);
    lookup = lookup_begin_or_join(lookup);
    (void)pthread_mutex_unlock(&mutex);
    return lookup;
}

static bool lookup_have_ended(struct lookup *const *lookups, size_t count)
{
    bool ended = true;
    for (size_t i = 0; i < count; i++)
        ended &= lookups[i] == NULL || lookups[i]->ended;
    return ended;
}

void lookup_wait(struct lookup *const *lookups, size_t count, struct instant deadline)
{
    struct timespec until;
    int failed = 0;
    int64_t left = instant_left(deadline, instant_now()).ms;
    (void)clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += (time_t)(left / 1000);
    until.tv_nsec += (long)(left % 1000 * 1000000);
    until.tv_sec += until.tv_nsec / 1000000000;
    until.tv_nsec %= 1000000000;
    (void)pthread_once(&once, lookup_set_up);
    (void)pthread_mutex_lock(&mutex);
    while (failed == 0 && !lookup_have_ended(lookups, count))
        failed = pthread_cond_timedwait(&one_ended, &mutex, &until);
    (void)pthread_mutex_unlock(&mutex);
}

const struct addrinfo *lookup_found(struct lookup *lookup, const char **why)
{
    static const char silent[] = "the name service does not answer";
    if (lookup == NULL) {
        *why = "no thread to look it up";
        return NULL;
    }
    (void)pthread_mutex_lock(&mutex);
    *why = lookup->ended && lookup->found == NULL ? gai_strerror(lookup->failed) : silent;
    const struct addrinfo *found = lookup->ended ? lookup->found : NULL;
    (void)pthread_mutex_unlock(&mutex);
    return found;
}

void lookup_release(struct lookup *lookup)
{
    if (lookup == NULL)
        return;
    (void)pthread_mutex_lock(&mutex);
    lookup_let_go(lookup);
    (void)pthread_mutex_unlock(&mutex);
}
