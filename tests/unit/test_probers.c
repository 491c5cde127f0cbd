#include "unit.h"

#include "common/control.h"
#include "supervisor/probers.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

struct scene {
    struct probers probers;
    int ours, theirs;
    sigset_t mask;
    char *arguments[4];
    struct program program;
};

// Starts `sh -c script` as a prober.
static int set_up(void **state)
{
    static struct scene scene;
    static char shell[] = "sh", flag[] = "-c";
    int sockets[2];
    scene = (struct scene){.arguments = {shell, flag, NULL, NULL}};
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sockets) != 0)
        return -1;
    scene.ours = sockets[0];
    scene.theirs = sockets[1];
    (void)sigemptyset(&scene.mask);
    scene.program = (struct program){.path = "/bin/sh",
                                     .arguments = scene.arguments,
                                     .environment = environ,
                                     .mask = &scene.mask,
                                     .socket = STDIN_FILENO,
                                     .quiet = true};
    *state = &scene;
    return 0;
}

static int tear_down(void **state)
{
    struct scene *scene = *state;
    close(scene->ours);
    close(scene->theirs);
    return 0;
}

static void start(struct scene *scene, uint32_t id, const char *script)
{
    scene->arguments[2] = (char *)(uintptr_t)script;
    probers_start(&scene->probers, id, &scene->program);
}

// Waits for any child.
static void reap(struct scene *scene)
{
    int status;
    pid_t pid = waitpid(-1, &status, 0);
    assert_true(pid > 0);
    probers_end(&scene->probers, pid, status);
}

static struct control told(struct scene *scene, enum control_verb verb)
{
    struct control control;
    assert_int_equal(control_receive(scene->theirs, CONTROL_OF_SUPERVISOR, &control),
                     CONTROL_TAKEN);
    assert_int_equal(control.verb, verb);
    control_close_files(&control);
    return control;
}

static void assert_nothing_told(struct scene *scene)
{
    struct control control;
    assert_int_equal(control_receive(scene->theirs, CONTROL_OF_SUPERVISOR, &control), CONTROL_NONE);
}

static void test_a_life(void **state)
{
    struct scene *scene = *state;
    start(scene, 7, "read line <&3; exit 3");
    assert_true(probers_tell(&scene->probers, scene->ours));
    struct control begun = told(scene, CONTROL_STARTED);
    assert_int_equal(begun.id, 7);
    assert_int_equal(begun.number, 0);
    assert_true(probers_tell(&scene->probers, scene->ours));
    assert_nothing_told(scene);
    reap(scene);
    assert_true(probers_tell(&scene->probers, scene->ours));
    struct control ended = told(scene, CONTROL_ENDED);
    assert_int_equal(ended.id, 7);
    assert_int_equal(WEXITSTATUS(ended.number), 3);
    assert_false(probers_have_any(&scene->probers));
}

static void test_killed_before_anything_is_told(void **state)
{
    struct scene *scene = *state;
    start(scene, 1, "exec sleep 60");
    start(scene, 2, "exec sleep 60");
    probers_kill(&scene->probers, 3);
    probers_kill(&scene->probers, 2);
    reap(scene);
    assert_true(probers_tell(&scene->probers, scene->ours));
    assert_int_equal(told(scene, CONTROL_STARTED).id, 1);
    assert_int_equal(told(scene, CONTROL_STARTED).id, 2);
    assert_int_equal(WTERMSIG(told(scene, CONTROL_ENDED).number), SIGKILL);
    probers_kill(&scene->probers, 1);
    reap(scene);
}

static void test_cannot_be_started(void **state)
{
    struct scene *scene = *state;
    scene->program.path = "/nonexistent/program";
    start(scene, 1, "");
    assert_true(probers_tell(&scene->probers, scene->ours));
    assert_int_equal(told(scene, CONTROL_STARTED).number, ENOENT);
    assert_nothing_told(scene);
    assert_false(probers_have_any(&scene->probers));
}

// A server that is stopped for long.
static void test_a_socket_that_is_full(void **state)
{
    struct scene *scene = *state;
    struct control filler = control_of(CONTROL_SIGNAL, 0, SIGHUP);
    while (control_send(scene->ours, &filler) == CONTROL_SENT)
        continue;
    start(scene, 1, "exit 0");
    reap(scene);
    assert_false(probers_tell(&scene->probers, scene->ours));
    assert_true(probers_have_any(&scene->probers));
    struct control control;
    while (control_receive(scene->theirs, CONTROL_OF_SUPERVISOR, &control) == CONTROL_TAKEN)
        assert_int_equal(control.verb, CONTROL_SIGNAL);
    assert_true(probers_tell(&scene->probers, scene->ours));
    (void)told(scene, CONTROL_STARTED);
    (void)told(scene, CONTROL_ENDED);
}

static void test_orphans(void **state)
{
    struct scene *scene = *state;
    start(scene, 1, "exec sleep 60");
    start(scene, 2, "exit 0");
    start(scene, 3, "exec sleep 60");
    assert_true(probers_tell(&scene->probers, scene->ours));
    while (told(scene, CONTROL_STARTED).id != 3)
        continue;
    probers_orphan(&scene->probers);
    start(scene, 1, "exec sleep 60"); // the next server's
    probers_kill_orphans(&scene->probers);
    for (int i = 0; i < 3; i++)
        reap(scene);
    assert_true(probers_tell(&scene->probers, scene->ours));
    (void)told(scene, CONTROL_STARTED);
    assert_nothing_told(scene);
    probers_kill(&scene->probers, 1);
    reap(scene);
    assert_true(probers_tell(&scene->probers, scene->ours));
    (void)told(scene, CONTROL_ENDED);
    assert_false(probers_have_any(&scene->probers));
}

// What ends without being anybody's, as process 1 gets to see, is none of these.
static void test_strangers(void **state)
{
    struct scene *scene = *state;
    probers_end(&scene->probers, 12345, 0);
    assert_false(probers_have_any(&scene->probers));
}

static void test_without_a_socket(void **state)
{
    struct scene *scene = *state;
    scene->program.socket = -1;
    start(scene, 1, "exit 0");
    assert_true(probers_tell(&scene->probers, scene->ours));
    assert_int_equal(told(scene, CONTROL_STARTED).number, EMFILE);
    assert_nothing_told(scene);
    assert_false(probers_have_any(&scene->probers));
}

// One more than there are places, all at once: it is told of after all others.
static void test_no_more_places(void **state)
{
    struct scene *scene = *state;
    bool all = false;
    scene->program.path = "/nonexistent/program";
    for (uint32_t id = 1; id <= PROBERS_MOST + 1; id++)
        start(scene, id, "");
    for (uint32_t id = 1; id <= PROBERS_MOST + 1; id++) {
        all = probers_tell(&scene->probers, scene->ours); // or as many as the socket takes
        struct control begun = told(scene, CONTROL_STARTED);
        assert_int_equal(begun.id, id);
        assert_int_equal(begun.number, id <= PROBERS_MOST ? ENOENT : EMFILE);
    }
    assert_true(all);
    assert_nothing_told(scene);
    assert_false(probers_have_any(&scene->probers));
}

// Standard input and output are nobody's, and the socket stands at its place.
static void test_what_a_prober_finds(void **state)
{
    struct scene *scene = *state;
    int files[2];
    assert_int_equal(pipe2(files, O_CLOEXEC), 0);
    scene->program.socket = files[1];
    start(scene, 1, "(cd /proc/$$/fd; readlink 0 1) >&3");
    close(files[1]);
    reap(scene);
    char text[128] = "";
    assert_true(read(files[0], text, sizeof text - 1) > 0);
    assert_string_equal(text, "/dev/null\n/dev/null\n");
    close(files[0]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_a_life, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_killed_before_anything_is_told, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_cannot_be_started, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_socket_that_is_full, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_orphans, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_strangers, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_without_a_socket, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_no_more_places, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_what_a_prober_finds, set_up, tear_down),
    };
    return RUN(tests);
}
