// What a service manager is told, on sockets of the test's own.
#include "server/base/notify.h"

#include "unit.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static int listen_at(const char *path, size_t length)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    memcpy(address.sun_path, path, length);
    int socket_ = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    socklen_t size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length);
    assert_int_equal(bind(socket_, (const struct sockaddr *)&address, size), 0);
    return socket_;
}

static void expect_told(int manager, const char *state)
{
    char read_[64] = "";
    int socket_ = notify_open();
    assert_true(socket_ >= 0);
    notify_tell(socket_, state);
    assert_int_equal(recv(manager, read_, sizeof read_ - 1, 0), strlen(state));
    assert_string_equal(read_, state);
    close(socket_);
    close(manager);
}

static void a_socket_has_a_path(void **state)
{
    (void)state;
    char folder[] = "/tmp/test_notify.XXXXXX", path[64];
    assert_non_null(mkdtemp(folder));
    (void)snprintf(path, sizeof path, "%s/notify", folder);
    int manager = listen_at(path, strlen(path));
    setenv("NOTIFY_SOCKET", path, 1);
    expect_told(manager, "READY=1");
    assert_int_equal(notify_open(), -1); // nobody has it open any more
    assert_int_equal(unlink(path), 0);
    assert_int_equal(rmdir(folder), 0);
}

static void a_socket_has_an_abstract_name(void **state)
{
    (void)state;
    char name[64];
    (void)snprintf(name, sizeof name, "@test_notify/%d", (int)getpid());
    setenv("NOTIFY_SOCKET", name, 1);
    name[0] = '\0';
    expect_told(listen_at(name, 1 + strlen(name + 1)), "STOPPING=1");
}

static void nothing_is_told_where_nobody_asks(void **state)
{
    (void)state;
    char name[200];
    memset(name, 'x', sizeof name - 1);
    name[0] = '/';
    name[sizeof name - 1] = '\0';
    const char *const names[] = {"", "relative", "/nowhere/to/be/found", name};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        setenv("NOTIFY_SOCKET", names[i], 1);
        assert_int_equal(notify_open(), -1);
    }
    unsetenv("NOTIFY_SOCKET");
    assert_int_equal(notify_open(), -1);
    notify_tell(-1, "READY=1");
}

static void the_watchdog_is_fed_twice_in_its_time(void **state)
{
    (void)state;
    static const struct {
        const char *value;
        int64_t ms;
    } rows[] = {{"60000000", 30000}, {"1000", 1}, {"5000", 2}, {"0", 0},
                {"-2000000", 0},     {"", 0},     {"20s", 0},  {"99999999999999999999", 0}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        setenv("WATCHDOG_USEC", rows[i].value, 1);
        assert_int_equal(notify_watchdog().ms, rows[i].ms);
    }
    unsetenv("WATCHDOG_USEC");
    assert_int_equal(notify_watchdog().ms, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_socket_has_a_path),
        cmocka_unit_test(a_socket_has_an_abstract_name),
        cmocka_unit_test(nothing_is_told_where_nobody_asks),
        cmocka_unit_test(the_watchdog_is_fed_twice_in_its_time),
    };
    return RUN(tests);
}
