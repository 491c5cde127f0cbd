// When a peer was last heard.
#include "prober/peer_memory.h"

#include "unit.h"

#include <stdio.h>

static struct instant second(int64_t n)
{
    return (struct instant){.ns = n * 1000000000};
}

static void expect(const struct peer_memory *memory, const char *name, int64_t now, double age)
{
    assert_int_equal((int)(peer_memory_age(memory, name, second(now)) * 10), (int)(age * 10));
}

static void who_was_never_heard_has_no_age(void **state)
{
    (void)state;
    static struct peer_memory memory;
    expect(&memory, "a:8080", 5, -1);
    peer_memory_note(&memory, "a:8080", second(5));
    expect(&memory, "a:8080", 5, 0);
    expect(&memory, "a:808", 5, -1);
}

static void the_last_time_counts(void **state)
{
    (void)state;
    static struct peer_memory memory;
    peer_memory_note(&memory, "a:8080", second(5));
    peer_memory_note(&memory, "b:8080", second(6));
    peer_memory_note(&memory, "a:8080", second(7));
    expect(&memory, "a:8080", 9, 2);
    expect(&memory, "b:8080", 9, 3);
}

// As of pods that come and go, each with another address.
static void of_too_many_the_oldest_is_forgotten(void **state)
{
    (void)state;
    static struct peer_memory memory;
    char name[16];
    for (int i = 0; i < 3 * PEERS_MAX; i++) {
        (void)snprintf(name, sizeof name, "10.0.0.%d:8080", i);
        peer_memory_note(&memory, name, second(100 + i));
        peer_memory_note(&memory, "stays:8080", second(100 + i));
    }
    for (int i = 0; i < 3 * PEERS_MAX; i++) {
        (void)snprintf(name, sizeof name, "10.0.0.%d:8080", i);
        bool lately = i >= 2 * PEERS_MAX + 1;
        expect(&memory, name, 200, lately ? 100 - i : -1);
    }
    expect(&memory, "stays:8080", 200, 101 - 3 * PEERS_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_was_never_heard_has_no_age),
        cmocka_unit_test(the_last_time_counts),
        cmocka_unit_test(of_too_many_the_oldest_is_forgotten),
    };
    return RUN(tests);
}
