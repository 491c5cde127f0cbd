// Files read as a whole, and secrets: all of a file or an error, however the kernel hands it out.
// read() is wrapped (CMakeLists.txt) to answer as a script says, and free() to look for what is
// left in memory of a secret that was not taken.
#include "common/file.h"
#include "common/secret.h"

#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char path[] = "/tmp/dbhealthd-file.XXXXXX";

// --- what read() does

// One call of it: an errno, or at most so many bytes. Before it the file is made this long.
struct step {
    int error;
    size_t most;
    off_t resized; // 0: no
};

static const struct step *script; // after its end read() is the kernel's
static size_t steps_left;

ssize_t __real_read(int file, void *bytes, size_t count);
ssize_t __wrap_read(int file, void *bytes, size_t count);

ssize_t __wrap_read(int file, void *bytes, size_t count)
{
    if (steps_left == 0)
        return __real_read(file, bytes, count);
    const struct step *step = script++;
    steps_left--;
    if (step->resized > 0)
        assert_int_equal(truncate(path, step->resized), 0);
    errno = step->error;
    return step->error != 0 ? -1
                            : __real_read(file, bytes, step->most < count ? step->most : count);
}

static void follow(const struct step *steps, size_t count)
{
    script = steps;
    steps_left = count;
}

// --- what free() gets

static const char *watched; // no freed block may hold these bytes; NULL: not watching

void __real_free(void *block);
void __wrap_free(void *block);

void __wrap_free(void *block)
{
    if (block != NULL && watched != NULL)
        assert_null(memmem(block, malloc_usable_size(block), watched, strlen(watched)));
    __real_free(block);
}

// --- tests

static void write_file(const char *bytes)
{
    int file = open(path, O_WRONLY | O_TRUNC);
    assert_int_equal(write(file, bytes, strlen(bytes)), strlen(bytes));
    assert_int_equal(close(file), 0);
}

static void reads(const char *wanted, size_t length)
{
    char *bytes = NULL;
    size_t got = 0;
    struct error error = {"none"};
    assert_true(file_read(path, 16, &bytes, &got, &error));
    assert_int_equal(steps_left, 0);
    assert_int_equal(got, length);
    assert_memory_equal(bytes, wanted, length + 1); // the NUL, too
    free(bytes);
}

static void read_fails(const char *wanted)
{
    char *bytes = NULL;
    size_t length = 0;
    struct error error = {"none"};
    assert_false(file_read(path, 16, &bytes, &length, &error));
    assert_string_equal(error.text, wanted);
    assert_null(bytes);
}

static void a_file_that_comes_in_pieces_is_read_whole(void **state)
{
    (void)state;
    static const struct step pieces[] = {{.most = 1}, {.error = EINTR}, {.most = 3}, {.most = 1}};
    write_file("DELETE 1 WHERE 2");
    follow(pieces, COUNT(pieces));
    reads("DELETE 1 WHERE 2", 16);
}

static void a_read_error_is_an_error_whenever_it_comes(void **state)
{
    (void)state;
    static const struct step at_once[] = {{.error = EIO}};
    static const struct step later[] = {{.most = 4}, {.error = ESTALE}};
    write_file("SELECT 1");
    follow(at_once, COUNT(at_once));
    read_fails("cannot read: Input/output error");
    follow(later, COUNT(later));
    read_fails("cannot read: Stale file handle");
}

static void a_file_that_grows_meanwhile_is_read_to_its_end(void **state)
{
    (void)state;
    static const struct step grows[] = {{.most = 99, .resized = 6}, {.most = 99, .resized = 7}};
    static const struct step too_far[] = {{.most = 99}, {.most = 99, .resized = 17}};
    write_file("1234");
    follow(grows, COUNT(grows));
    reads("1234\0\0\0", 7);
    write_file("1234");
    follow(too_far, COUNT(too_far));
    read_fails("expected a regular file of at most 16 bytes");
}

static void a_file_that_shrinks_meanwhile_is_what_is_left(void **state)
{
    (void)state;
    static const struct step shrinks[] = {{.most = 99, .resized = 2}};
    write_file("123456");
    follow(shrinks, COUNT(shrinks));
    reads("12", 2);
}

// As the files of /proc are.
static void a_size_that_the_kernel_does_not_tell_does_not_matter(void **state)
{
    (void)state;
    char *bytes = NULL;
    size_t length = 0;
    struct error error = {"none"};
    assert_true(file_read("/proc/self/comm", 64, &bytes, &length, &error));
    assert_string_equal(bytes, "test_file\n");
    assert_int_equal(length, strlen(bytes));
    free(bytes);
}

static void a_secret_is_all_of_its_file(void **state)
{
    (void)state;
    static const struct step pieces[] = {{.most = 2}, {.error = EINTR}, {.most = 2}};
    char *text = NULL;
    struct error error = {"none"};
    write_file("ZqXwPa\n");
    follow(pieces, COUNT(pieces));
    assert_true(secret_read(path, &text, &error));
    assert_string_equal(text, "ZqXwPa");
    watched = "qXw";
    secret_wipe(&text);
    watched = NULL;
}

static void a_secret_that_cannot_be_read_leaves_nothing(void **state)
{
    (void)state;
    static const struct step fails[] = {{.most = 6}, {.error = EIO}};
    char *text = NULL;
    char wanted[128];
    struct error error = {"none"};
    write_file("ZqXwPaKp");
    follow(fails, COUNT(fails));
    watched = "ZqXw";
    assert_false(secret_read(path, &text, &error));
    watched = NULL;
    (void)snprintf(wanted, sizeof wanted, "cannot read %s: Input/output error", path);
    assert_string_equal(error.text, wanted);
    assert_null(text);
}

static int make_file(void **state)
{
    (void)state;
    int file = mkstemp(path);
    return file < 0 || close(file) != 0;
}

static int remove_file(void **state)
{
    (void)state;
    return unlink(path);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_file_that_comes_in_pieces_is_read_whole),
        cmocka_unit_test(a_read_error_is_an_error_whenever_it_comes),
        cmocka_unit_test(a_file_that_grows_meanwhile_is_read_to_its_end),
        cmocka_unit_test(a_file_that_shrinks_meanwhile_is_what_is_left),
        cmocka_unit_test(a_size_that_the_kernel_does_not_tell_does_not_matter),
        cmocka_unit_test(a_secret_is_all_of_its_file),
        cmocka_unit_test(a_secret_that_cannot_be_read_leaves_nothing),
    };
    return cmocka_run_group_tests(tests, make_file, remove_file);
}
