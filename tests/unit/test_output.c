#include "unit.h"

#include "common/output.h"

#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { PATIENCE_S = 20 }; // a write that blocks ends the test

static char line[PIPE_BUF];

// The ends of something, and an output of ours for the one that is written to.
struct scene {
    int reading, writing;
    struct output output;
};

static int prepare(void **state, struct scene *scene)
{
    memset(line, 'x', sizeof line);
    line[sizeof line - 1] = '\n';
    scene->output = output_open(scene->writing);
    (void)signal(SIGALRM, SIG_DFL);
    (void)alarm(PATIENCE_S);
    *state = scene;
    return 0;
}

static int set_up_pipe(void **state)
{
    static struct scene scene;
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0)
        return -1;
    scene = (struct scene){.reading = ends[0], .writing = ends[1]};
    return prepare(state, &scene);
}

static int set_up_socket(void **state)
{
    static struct scene scene;
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
        return -1;
    scene = (struct scene){.reading = ends[0], .writing = ends[1]};
    return prepare(state, &scene);
}

static int set_up_terminal(void **state)
{
    static struct scene scene;
    int outside = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (outside < 0 || grantpt(outside) != 0 || unlockpt(outside) != 0)
        return -1;
    int inside = open(ptsname(outside), O_RDWR | O_NOCTTY | O_CLOEXEC);
    scene = (struct scene){.reading = outside, .writing = inside};
    return prepare(state, &scene);
}

// As if it were another user's. SIGALRM is blocked, as whoever starts us may have it; if a write
// blocks, ctest ends the test.
static int share(struct scene *scene)
{
    sigset_t tick;
    (void)sigemptyset(&tick);
    (void)sigaddset(&tick, SIGALRM);
    (void)sigprocmask(SIG_BLOCK, &tick, NULL);
    output_close(&scene->output);
    scene->output = output_shared(scene->writing);
    return 0;
}

static int set_up_shared_pipe(void **state)
{
    return set_up_pipe(state) != 0 ? -1 : share(*state);
}

static int set_up_shared_terminal(void **state)
{
    return set_up_terminal(state) != 0 ? -1 : share(*state);
}

static int tear_down(void **state)
{
    struct scene *scene = *state;
    (void)alarm(0);
    output_close(&scene->output);
    close(scene->writing);
    close(scene->reading);
    return 0;
}

static void assert_shared_flags_untouched(const struct scene *scene)
{
    assert_int_equal(fcntl(scene->writing, F_GETFL) & O_NONBLOCK, 0);
}

static void read_all(const struct scene *scene)
{
    static char bytes[65536];
    int flags = fcntl(scene->reading, F_GETFL);
    assert_int_equal(fcntl(scene->reading, F_SETFL, flags | O_NONBLOCK), 0);
    while (read(scene->reading, bytes, sizeof bytes) > 0)
        continue;
}

// What is shared is let alone for a while after a line that it had no room for.
static void assert_goes_on(struct scene *scene)
{
    bool shared = scene->output.kind == OUTPUT_SHARED;
    while (!output_line(&scene->output, "well\n", 5))
        assert_true(shared);
    assert_shared_flags_untouched(scene);
}

static void test_nobody_reads(void **state)
{
    struct scene *scene = *state;
    unsigned lines = 0;
    while (output_line(&scene->output, line, sizeof line))
        lines++;
    assert_int_in_range(lines, 0, 1000);
    for (unsigned i = 0; i < 10; i++)
        assert_false(output_line(&scene->output, line, sizeof line));
    read_all(scene);
    assert_goes_on(scene);
}

// What another writer has left: less than a line, a byte, nothing.
static void test_another_writer_fills_it(void **state)
{
    struct scene *scene = *state;
    char path[32];
    (void)snprintf(path, sizeof path, "/proc/self/fd/%d", scene->writing);
    int other = open(path, O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    assert_true(other >= 0);
    for (size_t piece = sizeof line; piece > 0; piece /= 16) {
        while (write(other, line, piece) > 0)
            continue;
        assert_false(output_line(&scene->output, line, sizeof line));
    }
    close(other);
    read_all(scene);
    assert_goes_on(scene);
}

// A terminal takes a part of a line. Its room is in pieces of some 1000 bytes.
static void test_a_cut_line_is_kept_apart(void **state)
{
    struct scene *scene = *state;
    char bytes[64];
    while (output_line(&scene->output, line + sizeof line - 100, 100))
        continue;
    while (!scene->output.cut) {
        assert_true(read(scene->reading, bytes, sizeof bytes) > 0);
        (void)output_line(&scene->output, line, sizeof line);
    }
    read_all(scene);
    assert_true(output_line(&scene->output, "one\n", 4));
    assert_true(output_line(&scene->output, "two\n", 4));
    ssize_t length = read(scene->reading, bytes, sizeof bytes);
    assert_true(length > 0);
    assert_true(bytes[0] == '\n' || bytes[0] == '\r');
    assert_false(scene->output.cut);
}

static void test_a_file_has_one_place_for_all(void **state)
{
    char path[] = "/tmp/dbhealth-test-XXXXXX", text[64] = "";
    (void)state;
    int file = mkstemp(path);
    assert_true(file >= 0);
    assert_int_equal(unlink(path), 0);
    struct output output = output_open(file);
    assert_true(output_line(&output, "one\n", 4));
    assert_int_equal(write(file, "two\n", 4), 4);
    assert_true(output_line(&output, "three\n", 6));
    output_close(&output);
    assert_int_equal(pread(file, text, sizeof text - 1, 0), 14);
    assert_string_equal(text, "one\ntwo\nthree\n");
    close(file);
}

static void test_a_closed_descriptor(void **state)
{
    (void)state;
    struct output output = output_open(1000);
    assert_false(output_line(&output, "line\n", 5));
    output_close(&output);
}

#define ON(what, test, set_up)                                                                     \
    {                                                                                              \
        "on a " what ": " #test, test, set_up, tear_down, NULL                                     \
    }

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON("pipe", test_nobody_reads, set_up_pipe),
        ON("terminal", test_nobody_reads, set_up_terminal),
        ON("socket", test_nobody_reads, set_up_socket),
        ON("shared pipe", test_nobody_reads, set_up_shared_pipe),
        ON("shared terminal", test_nobody_reads, set_up_shared_terminal),
        ON("pipe", test_another_writer_fills_it, set_up_pipe),
        ON("terminal", test_another_writer_fills_it, set_up_terminal),
        ON("shared pipe", test_another_writer_fills_it, set_up_shared_pipe),
        ON("shared terminal", test_another_writer_fills_it, set_up_shared_terminal),
        cmocka_unit_test_setup_teardown(test_a_cut_line_is_kept_apart, set_up_terminal, tear_down),
        cmocka_unit_test(test_a_file_has_one_place_for_all),
        cmocka_unit_test(test_a_closed_descriptor),
    };
    return RUN(tests);
}
