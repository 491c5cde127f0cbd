// See probers.h. What is to be told is a state and not a message: a server that is stopped for
// hours costs nothing, and gets to know all in the end. Nothing is allocated, so that nothing can
// fail.
#include "supervisor/probers.h"

#include "common/control.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <unistd.h>

void probers_start(struct probers *probers, uint32_t id, const struct program *program)
{
    size_t i = 0;
    while (i < PROBERS_MOST && probers->places[i].there)
        i++;
    struct prober *prober = &probers->places[i]; // the last one: of what cannot be started
    assert(!prober->there);
    *prober = (struct prober){.there = true, .id = id, .error = EMFILE};
    if (i < PROBERS_MOST && program->socket >= 0)
        prober->error = spawn(program, &prober->pid);
    if (prober->error != 0)
        prober->pid = 0;
}

static void probers_kill_process(const struct prober *prober)
{
    if (prober->there && prober->pid > 0)
        (void)kill(prober->pid, SIGKILL);
}

void probers_kill(const struct probers *probers, uint32_t id)
{
    for (size_t i = 0; i < PROBERS_PLACES; i++) {
        if (probers->places[i].id == id)
            probers_kill_process(&probers->places[i]);
    }
}

static void probers_forget_orphan(struct prober *prober)
{
    if (prober->id == 0 && prober->pid == 0)
        *prober = (struct prober){0};
}

void probers_end(struct probers *probers, pid_t pid, int status)
{
    for (size_t i = 0; i < PROBERS_PLACES; i++) {
        struct prober *prober = &probers->places[i];
        if (!prober->there || prober->pid != pid)
            continue;
        prober->pid = 0;
        prober->status = status;
        probers_forget_orphan(prober);
    }
}

// --- telling

static int probers_open_time(const struct prober *prober, const char *name)
{
    char path[64];
    (void)snprintf(path, sizeof path, "/proc/%d/%s", prober->pid, name);
    return prober->pid > 0 ? open(path, O_RDONLY | O_CLOEXEC) : -1;
}

static bool probers_tell_start(const struct prober *prober, int control)
{
    struct control message = control_of(CONTROL_STARTED, prober->id, prober->error);
    message.files[CONTROL_FILE_SCHEDSTAT] = probers_open_time(prober, "schedstat");
    message.files[CONTROL_FILE_STAT] = probers_open_time(prober, "stat");
    enum control_sending sending = control_send(control, &message);
    control_close_files(&message);
    return sending != CONTROL_FULL;
}

static bool probers_tell_end(const struct prober *prober, int control)
{
    struct control message = control_of(CONTROL_ENDED, prober->id, prober->status);
    return control_send(control, &message) != CONTROL_FULL;
}

static bool probers_tell_of(struct prober *prober, int control)
{
    if (!prober->told && !probers_tell_start(prober, control))
        return false;
    prober->told = true;
    if (prober->pid > 0)
        return true;
    if (prober->error == 0 && !probers_tell_end(prober, control))
        return false;
    *prober = (struct prober){0};
    return true;
}

bool probers_tell(struct probers *probers, int control)
{
    bool all = true;
    for (size_t i = 0; i < PROBERS_PLACES && all; i++) {
        struct prober *prober = &probers->places[i];
        all = !prober->there || prober->id == 0 || probers_tell_of(prober, control);
    }
    return all;
}

// --- orphans

void probers_orphan(struct probers *probers)
{
    for (size_t i = 0; i < PROBERS_PLACES; i++) {
        probers->places[i].id = 0;
        probers_forget_orphan(&probers->places[i]);
    }
}

void probers_kill_orphans(const struct probers *probers)
{
    for (size_t i = 0; i < PROBERS_PLACES; i++) {
        if (probers->places[i].id == 0)
            probers_kill_process(&probers->places[i]);
    }
}

bool probers_have_any(const struct probers *probers)
{
    bool any = false;
    for (size_t i = 0; i < PROBERS_PLACES; i++)
        any |= probers->places[i].there;
    return any;
}
