// dbhealthd drain on|off|status: makes and removes the drain file, where there is no shell to do
// it, and says what the adapter saw, which may have another file or none. It asks for /readyz,
// whose answer names a drain on every port; a check of that name is left out.
#include "server/base/wall_time.h"
#include "server/command/adapter.h"
#include "server/command/command.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { PAUSE_MS = 100 }; // between an answer that says something else and the next question

static const char question[] = "/readyz?exclude=drain";
static const char sign[] = "[-]drain";

// The adapter, asked until it says what is wanted.
struct drain {
    const struct settings *settings;
    struct duration timeout;
    struct instant deadline;
    struct adapter_answer answer; // its latest answer
    bool draining;                // which says this
};

// A line of its own, whatever follows the name.
static bool command_drain_is_told(const struct adapter_answer *answer)
{
    const char *line = answer->body, *end = answer->body + answer->length;
    size_t length = sizeof sign - 1;
    while (line != NULL && (size_t)(end - line) > length) {
        if (strncmp(line, sign, length) == 0 && (line[length] == ' ' || line[length] == '\n'))
            return true;
        line = memchr(line, '\n', (size_t)(end - line));
        line += line != NULL;
    }
    return false;
}

// --- the file

// One that is there stays as it is: its time says since when it has been.
static bool command_drain_make(const char *path, struct error *error)
{
    int file = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
    if (file < 0 && errno != EEXIST)
        return error_set(error, "DBHEALTH_DRAIN_FILE: cannot make %.200s: %s", path,
                         strerror(errno));
    printf("%s %s\n", path, file >= 0 ? "is made" : "was there already");
    if (file >= 0)
        close(file);
    return true;
}

static bool command_drain_remove(const char *path, struct error *error)
{
    bool removed = unlink(path) == 0;
    if (!removed && errno != ENOENT)
        return error_set(error, "DBHEALTH_DRAIN_FILE: cannot remove %.200s: %s", path,
                         strerror(errno));
    printf("%s %s\n", path, removed ? "is removed" : "was not there");
    return true;
}

static bool command_drain_show(const char *path, struct error *error)
{
    struct stat status;
    char since[WALL_TIME_MAX];
    (void)error;
    if (path[0] == '\0')
        return true;
    bool there = stat(path, &status) == 0;
    wall_time_format_ms(there ? (int64_t)status.st_mtime * 1000 : 0, since, sizeof since);
    printf("%s is %s%s\n", path, there ? "there since " : "not there", there ? since : "");
    return true;
}

// --- the adapter

static enum adapter_end command_drain_ask(struct drain *drain, struct error *error)
{
    struct duration left = instant_left(drain->deadline, instant_now());
    adapter_answer_clear(&drain->answer);
    enum adapter_end end = adapter_ask(drain->settings, question, left, &drain->answer, error);
    drain->draining = end == ADAPTER_ANSWERED && command_drain_is_told(&drain->answer);
    return end;
}

// Asks until it says what is wanted, or cannot be asked, or the time is over.
static enum adapter_end command_drain_await(struct drain *drain, bool wanted, struct error *error)
{
    static const struct timespec pause = {.tv_nsec = PAUSE_MS * 1000000L};
    enum adapter_end end = command_drain_ask(drain, error);
    while (end == ADAPTER_ANSWERED && drain->draining != wanted &&
           instant_left(drain->deadline, instant_now()).ms > PAUSE_MS) {
        (void)nanosleep(&pause, NULL);
        end = command_drain_ask(drain, error);
    }
    return end;
}

// --- the command

struct verb {
    const char *name;
    bool (*act)(const char *path, struct error *error);
    bool changes; // the file
    bool drains;  // what is well
    const char *otherwise;
};

static const struct verb verbs[] = {
    {"on", command_drain_make, true, true, "its DBHEALTH_DRAIN_FILE is another one"},
    {"off", command_drain_remove, true, false, "SIGTERM has come, or it has another drain file"},
    {"status", command_drain_show, false, true, NULL},
};

static int command_drain_conclude(const struct verb *verb, const struct drain *drain)
{
    printf("the adapter %s: /readyz answers %lu\n", drain->draining ? "drains" : "does not drain",
           drain->answer.status);
    if (drain->draining == verb->drains)
        return STATUS_WELL;
    if (verb->otherwise != NULL)
        (void)command_refuse("the adapter %s: %s",
                             drain->draining ? "still drains" : "does not drain", verb->otherwise);
    return STATUS_UNWELL;
}

static int command_drain_run(const struct verb *verb, struct drain *drain)
{
    const char *path = drain->settings->drain_file;
    struct error error;
    if (verb->changes && path[0] == '\0')
        return command_refuse("drain %s: DBHEALTH_DRAIN_FILE is not set, expected the adapter's",
                              verb->name);
    if (!verb->act(path, &error))
        return command_refuse("%s", error.text);
    enum adapter_end end = verb->changes ? command_drain_await(drain, verb->drains, &error)
                                         : command_drain_ask(drain, &error);
    if (end == ADAPTER_ANSWERED)
        return command_drain_conclude(verb, drain);
    int wrong = command_refuse("%s", error.text);
    return end == ADAPTER_WRONG ? wrong : STATUS_UNWELL;
}

static const struct verb *command_drain_find(const char *name)
{
    for (size_t i = 0; i < sizeof verbs / sizeof *verbs; i++) {
        if (strcmp(verbs[i].name, name) == 0)
            return &verbs[i];
    }
    return NULL;
}

int command_drain(int argc, char **argv)
{
    struct error error;
    struct drain drain = {.draining = false};
    const char *timeout = "5s";
    const struct extra_flag extra[] = {{"timeout", &timeout, NULL}};
    struct command_line line;
    if (!command_line_load(&line, argc, argv, extra, 1, 1, 1))
        return STATUS_USAGE;
    const struct verb *verb = command_drain_find(line.words.items[0]);
    int status = STATUS_USAGE;
    drain.settings = &line.settings;
    if (verb == NULL)
        (void)command_refuse("drain %.40s: expected on, off or status", line.words.items[0]);
    else if (!command_parse_duration("timeout", timeout, 1, &drain.timeout, &error))
        (void)command_refuse("%s", error.text);
    else {
        drain.deadline = instant_add(instant_now(), drain.timeout);
        status = command_drain_run(verb, &drain);
    }
    adapter_answer_clear(&drain.answer);
    command_line_clear(&line);
    return status;
}
