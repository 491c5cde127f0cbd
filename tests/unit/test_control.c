#include "unit.h"

#include "common/control.h"
#include "common/target.h"

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static struct control with_file(enum control_verb verb, uint32_t id, int32_t number,
                                enum control_file file)
{
    struct control control = control_of(verb, id, number);
    control.files[file] = STDIN_FILENO;
    return control;
}

// One of each.
static size_t all(struct control *controls)
{
    size_t count = 0;
    controls[count++] = with_file(CONTROL_START, 1, ENGINE_POSTGRES, CONTROL_FILE_SOCKET);
    controls[count++] = with_file(CONTROL_START, UINT32_MAX, ENGINE_MYSQL, CONTROL_FILE_SOCKET);
    controls[count++] = with_file(CONTROL_START, 2, ENGINE_PEERS, CONTROL_FILE_SOCKET);
    controls[count++] = control_of(CONTROL_KILL, 7, 0);
    controls[count++] = with_file(CONTROL_LISTENING, 0, 0, CONTROL_FILE_SOCKET);
    controls[count++] = with_file(CONTROL_LISTENING, 0, 0, CONTROL_FILE_SOCKET);
    controls[count - 1].files[LISTENER_DETAILS] = STDIN_FILENO;
    controls[count - 1].files[LISTENER_AGENT] = STDIN_FILENO;
    controls[count++] = control_of(CONTROL_BEGIN, 0, 0);
    controls[count++] = with_file(CONTROL_BEGIN, 12, 0x8b, CONTROL_FILE_SOCKET);
    controls[count++] = with_file(CONTROL_BEGIN, 12, 0x8b, (enum control_file)LISTENER_AGENT);
    controls[count++] = with_file(CONTROL_STARTED, 7, 0, CONTROL_FILE_SCHEDSTAT);
    controls[count++] = with_file(CONTROL_STARTED, 7, 0, CONTROL_FILE_STAT);
    controls[count++] = control_of(CONTROL_STARTED, 7, 2);
    controls[count++] = control_of(CONTROL_ENDED, 7, 0xff00);
    controls[count++] = control_of(CONTROL_SIGNAL, 0, SIGHUP);
    return count;
}

static void test_comes_back(void **state)
{
    struct control controls[16], decoded;
    unsigned char bytes[CONTROL_SIZE];
    (void)state;
    for (size_t i = 0; i < all(controls); i++) {
        control_encode(&controls[i], bytes);
        assert_true(control_decode(bytes, sizeof bytes, &decoded));
        assert_int_equal(decoded.verb, controls[i].verb);
        assert_int_equal(decoded.id, controls[i].id);
        assert_int_equal(decoded.number, controls[i].number);
        assert_memory_equal(decoded.files, controls[i].files, sizeof decoded.files);
    }
}

static void test_is_no_message(void **state)
{
    const struct control wrong[] = {
        control_of(CONTROL_START, 1, ENGINE_MYSQL), // without a socket
        with_file(CONTROL_START, 0, ENGINE_MYSQL, CONTROL_FILE_SOCKET),
        with_file(CONTROL_START, 1, ENGINE_NONE, CONTROL_FILE_SOCKET),
        with_file(CONTROL_START, 1, ENGINE_PEERS + 1, CONTROL_FILE_SOCKET),
        control_of(CONTROL_KILL, 0, 0),
        control_of(CONTROL_KILL, 1, 1),
        with_file(CONTROL_KILL, 1, 0, CONTROL_FILE_SOCKET),
        control_of(CONTROL_LISTENING, 0, 0),
        with_file(CONTROL_LISTENING, 1, 0, CONTROL_FILE_SOCKET),
        with_file(CONTROL_LISTENING, 0, 0, (enum control_file)LISTENER_AGENT), // and no main one
        with_file(CONTROL_LISTENING, 0, 0, CONTROL_FILE_STAT),
        with_file(CONTROL_LISTENING, 0, 0, (enum control_file)LISTENER_DETAILS), // and no main one
        with_file(CONTROL_START, 1, ENGINE_MYSQL, (enum control_file)LISTENER_DETAILS),
        control_of(CONTROL_BEGIN, 0, -1),
        control_of(CONTROL_BEGIN, 0, 0x10000),
        control_of(CONTROL_STARTED, 1, -1),
        control_of(CONTROL_STARTED, 1, 4096),
        with_file(CONTROL_STARTED, 1, 0, CONTROL_FILE_SOCKET),
        control_of(CONTROL_ENDED, 0, 0),
        with_file(CONTROL_ENDED, 1, 0, CONTROL_FILE_STAT),
        control_of(CONTROL_SIGNAL, 0, 0),
        control_of(CONTROL_SIGNAL, 0, 65),
        control_of(CONTROL_SIGNAL, 1, SIGHUP),
        control_of((enum control_verb)0, 0, 0),
        control_of((enum control_verb)8, 0, 0),
    };
    struct control decoded;
    unsigned char bytes[CONTROL_SIZE + 1] = {0};
    (void)state;
    for (size_t i = 0; i < COUNT(wrong); i++) {
        control_encode(&wrong[i], bytes);
        assert_false(control_decode(bytes, CONTROL_SIZE, &decoded));
    }
    const struct control kill = control_of(CONTROL_KILL, 1, 0);
    control_encode(&kill, bytes);
    assert_true(control_decode(bytes, CONTROL_SIZE, &decoded));
    assert_false(control_decode(bytes, CONTROL_SIZE - 1, &decoded));
    assert_false(control_decode(bytes, CONTROL_SIZE + 1, &decoded));
    assert_false(control_decode(bytes, 0, &decoded));
    bytes[1] = 0x80; // a file that there is not
    assert_false(control_decode(bytes, CONTROL_SIZE, &decoded));
}

// --- over a socket

static int set_up(void **state)
{
    static int sockets[2];
    *state = sockets;
    return socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sockets);
}

static int tear_down(void **state)
{
    const int *sockets = *state;
    close(sockets[0]);
    close(sockets[1]);
    return 0;
}

// The lowest descriptor that is free.
static int next_descriptor(void)
{
    int next = dup(STDIN_FILENO);
    close(next);
    return next;
}

static void test_files_are_passed(void **state)
{
    const int *sockets = *state;
    struct control sent = control_of(CONTROL_BEGIN, 3, 9), taken;
    sent.files[CONTROL_FILE_SOCKET] = sockets[0];
    sent.files[CONTROL_FILE_STAT] = open("/dev/null", O_RDWR | O_CLOEXEC);
    assert_int_equal(control_send(sockets[0], &sent), CONTROL_SENT);
    close(sent.files[CONTROL_FILE_STAT]);
    int before = next_descriptor();
    assert_int_equal(control_receive(sockets[1], CONTROL_OF_SUPERVISOR, &taken), CONTROL_TAKEN);
    assert_int_equal(taken.id, 3);
    assert_int_equal(taken.number, 9);
    assert_true(taken.files[CONTROL_FILE_SOCKET] >= 0);
    assert_int_equal(taken.files[CONTROL_FILE_SCHEDSTAT], -1);
    assert_int_equal(write(taken.files[CONTROL_FILE_STAT], "x", 1), 1);
    assert_int_equal(fcntl(taken.files[CONTROL_FILE_STAT], F_GETFD), FD_CLOEXEC);
    control_close_files(&taken);
    assert_int_equal(taken.files[CONTROL_FILE_SOCKET], -1);
    assert_int_equal(next_descriptor(), before);
    assert_int_equal(control_receive(sockets[1], CONTROL_OF_SUPERVISOR, &taken), CONTROL_NONE);
}

// Whoever closes it is not to wait.
static void test_no_socket_lingers(void **state)
{
    const int *sockets = *state;
    struct linger linger = {.l_onoff = 1, .l_linger = 3600};
    socklen_t size = sizeof linger;
    struct control sent = control_of(CONTROL_START, 1, ENGINE_MYSQL), taken;
    int client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(setsockopt(client, SOL_SOCKET, SO_LINGER, &linger, sizeof linger), 0);
    sent.files[CONTROL_FILE_SOCKET] = client;
    assert_int_equal(control_send(sockets[0], &sent), CONTROL_SENT);
    assert_int_equal(control_receive(sockets[1], CONTROL_OF_SERVER, &taken), CONTROL_TAKEN);
    assert_int_equal(getsockopt(client, SOL_SOCKET, SO_LINGER, &linger, &size), 0);
    assert_int_equal(linger.l_onoff, 0);
    control_close_files(&taken);
    close(client);
}

static void test_nobody_is_there(void **state)
{
    const int *sockets = *state;
    struct control control = control_of(CONTROL_KILL, 1, 0);
    assert_int_equal(shutdown(sockets[1], SHUT_RDWR), 0);
    assert_int_equal(control_receive(sockets[0], CONTROL_OF_SERVER, &control), CONTROL_OVER);
    assert_int_equal(control_send(sockets[0], &control), CONTROL_GONE);
}

static void test_a_full_socket(void **state)
{
    const int *sockets = *state;
    struct control control = control_of(CONTROL_KILL, 1, 0);
    unsigned count = 0;
    while (control_send(sockets[0], &control) == CONTROL_SENT)
        count++;
    assert_true(count > 100);
    assert_int_equal(control_send(sockets[0], &control), CONTROL_FULL);
    assert_int_equal(control_receive(sockets[1], CONTROL_OF_SERVER, &control), CONTROL_TAKEN);
    while (control_receive(sockets[1], CONTROL_OF_SERVER, &control) == CONTROL_TAKEN)
        count--;
    assert_int_equal(count, 1);
    assert_int_equal(control_send(sockets[0], &control), CONTROL_SENT);
}

// What came with it is closed.
static void assert_broken(const int *sockets, const void *bytes, size_t length)
{
    struct control control;
    int before = next_descriptor();
    assert_int_equal(send(sockets[0], bytes, length, 0), length);
    assert_int_equal(control_receive(sockets[1], CONTROL_OF_SERVER, &control), CONTROL_BROKEN);
    assert_int_equal(next_descriptor(), before);
}

static void test_broken_messages(void **state)
{
    const int *sockets = *state;
    unsigned char bytes[64] = {0};
    struct control control = control_of(CONTROL_SIGNAL, 0, SIGTERM);
    assert_broken(sockets, "x", 1);
    assert_broken(sockets, bytes, sizeof bytes);
    assert_int_equal(control_send(sockets[0], &control), CONTROL_SENT); // the other end's
    assert_int_equal(control_receive(sockets[1], CONTROL_OF_SERVER, &control), CONTROL_BROKEN);
    assert_int_equal(control_receive(STDERR_FILENO + 100, CONTROL_OF_SERVER, &control),
                     CONTROL_BROKEN);
}

enum { FILES_MANY = 200 };

// As many descriptors as nobody of ours sends, and some bytes.
static void send_with_files(int socket, const void *bytes, size_t length, size_t count)
{
    union {
        char bytes[CMSG_SPACE(FILES_MANY * sizeof(int))];
        struct cmsghdr header;
    } ancillary = {.bytes = {0}};
    int files[FILES_MANY] = {STDIN_FILENO}; // all of them
    struct iovec data = {.iov_base = (void *)(uintptr_t)bytes, .iov_len = length};
    struct msghdr message = {.msg_iov = &data,
                             .msg_iovlen = 1,
                             .msg_control = ancillary.bytes,
                             .msg_controllen = CMSG_SPACE(count * sizeof(int))};
    ancillary.header = (struct cmsghdr){.cmsg_level = SOL_SOCKET,
                                        .cmsg_type = SCM_RIGHTS,
                                        .cmsg_len = CMSG_LEN(count * sizeof(int))};
    memcpy(CMSG_DATA(&ancillary.header), files, count * sizeof(int));
    assert_int_equal(sendmsg(socket, &message, 0), length);
}

// A message that says that it has one, and has none, or more; even more than there is room for.
static void test_another_number_of_files(void **state)
{
    const int *sockets = *state;
    struct control control = with_file(CONTROL_LISTENING, 0, 0, CONTROL_FILE_SOCKET);
    unsigned char bytes[CONTROL_SIZE];
    control_encode(&control, bytes);
    assert_int_equal(send(sockets[0], bytes, sizeof bytes, 0), sizeof bytes);
    assert_int_equal(control_receive(sockets[1], CONTROL_OF_SERVER, &control), CONTROL_TAKEN);
    assert_int_equal(control.files[CONTROL_FILE_SOCKET], -1);
    for (size_t count = 2; count <= FILES_MANY; count++) {
        int before = next_descriptor();
        send_with_files(sockets[0], bytes, sizeof bytes, count);
        assert_int_equal(control_receive(sockets[1], CONTROL_OF_SERVER, &control), CONTROL_TAKEN);
        for (size_t i = 0; i < CONTROL_FILES; i++)
            assert_int_equal(control.files[i], -1);
        assert_int_equal(next_descriptor(), before);
    }
}

static void test_files_without_a_message(void **state)
{
    const int *sockets = *state;
    struct control control;
    int before = next_descriptor();
    send_with_files(sockets[0], "", 0, 3);
    assert_int_equal(control_receive(sockets[1], CONTROL_OF_SERVER, &control), CONTROL_OVER);
    assert_int_equal(next_descriptor(), before);
    send_with_files(sockets[0], "x", 1, 3);
    assert_int_equal(control_receive(sockets[1], CONTROL_OF_SERVER, &control), CONTROL_BROKEN);
    assert_int_equal(next_descriptor(), before);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_comes_back),
        cmocka_unit_test(test_is_no_message),
        cmocka_unit_test_setup_teardown(test_files_are_passed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_no_socket_lingers, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_nobody_is_there, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_full_socket, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_broken_messages, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_another_number_of_files, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_files_without_a_message, set_up, tear_down),
    };
    return RUN(tests);
}
