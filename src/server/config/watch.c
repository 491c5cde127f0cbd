// See watch.h. inotify(7) watches folders, not paths; so each folder on the way to a file is
// watched for the next name on that way. What replaces a file, a link or a folder anywhere there is
// seen, and so is what appears where nothing was. A file is watched itself too, for one that is
// mounted alone (a bind mount) changes in a folder that we do not see.
#include "server/config/watch.h"

#include "common/memory.h"
#include "server/base/log.h"

#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

enum {
    NAMES_CHANGE = IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | IN_ONLYDIR | IN_MASK_ADD,
    EVENTS_ROOM = 4096 // bytes read at a time
};

// What of a folder is watched, or that a file itself is.
struct spot {
    char *path;
    char *name;   // that is watched in this folder; NULL: see files
    bool files;   // all its .sql files; else, without a name, the path is a file
    bool is_last; // the folder that the files are in: failing to watch it is told
    bool told;    // has been
    int number;   // of the kernel's; -1: not watched
};

struct watch {
    uv_poll_t poll;
    int inotify;
    watch_changed *changed;
    void *context;
    struct spot *spots;
    size_t count;
};

// --- events

static bool watch_is_check_file(const char *name)
{
    size_t length = strlen(name);
    return name[0] != '.' && length > 4 && strcmp(name + length - 4, ".sql") == 0;
}

static bool watch_concerns(const struct spot *spot, const struct inotify_event *event)
{
    if (spot->number != event->wd)
        return false;
    if (event->len == 0) // the watched thing itself
        return spot->name == NULL && !spot->files && (event->mask & IN_CLOSE_WRITE) != 0;
    return strcmp(event->name, "..data") == 0 ||
           (spot->files && watch_is_check_file(event->name)) ||
           (spot->name != NULL && strcmp(event->name, spot->name) == 0);
}

static bool watch_is_change(const struct watch *watch, const struct inotify_event *event)
{
    bool change = (event->mask & IN_Q_OVERFLOW) != 0;
    for (size_t i = 0; i < watch->count && !change; i++)
        change = watch_concerns(&watch->spots[i], event);
    return change;
}

bool watch_take_changes(struct watch *watch)
{
    _Alignas(struct inotify_event) char bytes[EVENTS_ROOM];
    bool change = false;
    ssize_t length;
    while (watch->inotify >= 0 && (length = read(watch->inotify, bytes, sizeof bytes)) > 0) {
        for (const char *at = bytes; at < bytes + length;) {
            const struct inotify_event *event = (const void *)at;
            change |= watch_is_change(watch, event);
            at += sizeof *event + event->len;
        }
    }
    return change;
}

static void watch_on_readable(uv_poll_t *poll, int status, int events)
{
    struct watch *watch = poll->data;
    (void)status, (void)events;
    if (watch_take_changes(watch))
        watch->changed(watch->context);
}

// --- what is watched

static struct spot *watch_add_spot(struct watch *watch, const char *path, size_t length)
{
    watch->spots = memory_grow(watch->spots, (watch->count + 1) * sizeof *watch->spots);
    struct spot *spot = &watch->spots[watch->count++];
    *spot = (struct spot){.path = length > 0 ? memory_copy(path, length) : memory_string("."),
                          .number = -1};
    return spot;
}

// The names on the way to a path, each in its folder; true of `last` for the last of these.
static void watch_way(struct watch *watch, const char *path, bool last)
{
    const char *name = path + strspn(path, "/");
    while (*name != '\0') {
        size_t length = strcspn(name, "/");
        const char *next = name + length + strspn(name + length, "/");
        struct spot *spot = watch_add_spot(watch, path, (size_t)(name - path));
        spot->name = memory_copy(name, length);
        spot->is_last = last && *next == '\0';
        name = next;
    }
}

void watch_folder(struct watch *watch, const char *folder)
{
    watch_way(watch, folder, false);
    struct spot *spot = watch_add_spot(watch, folder, strlen(folder));
    spot->files = spot->is_last = true;
}

void watch_file(struct watch *watch, const char *file)
{
    watch_way(watch, file, true);
    (void)watch_add_spot(watch, file, strlen(file));
}

// What is not there yet is seen by the folders before it, and one that we may not look into can be
// passed through all the same.
static void watch_tell_failure(struct spot *spot)
{
    if (errno == ENOENT || errno == ENOTDIR || !spot->is_last || spot->told)
        return;
    spot->told = true;
    LOG_EVENT(LOG_WARN, "cannot watch", LOG_TEXT("folder", spot->path),
              LOG_TEXT("reason", strerror(errno)),
              LOG_TEXT("advice", "after a change send SIGHUP"));
}

void watch_renew(struct watch *watch)
{
    if (watch->inotify < 0)
        return;
    for (size_t i = 0; i < watch->count; i++) {
        if (watch->spots[i].number >= 0) // two spots may share one: the second try fails
            (void)inotify_rm_watch(watch->inotify, watch->spots[i].number);
    }
    for (size_t i = 0; i < watch->count; i++) {
        struct spot *spot = &watch->spots[i];
        unsigned mask = IN_CLOSE_WRITE | IN_MASK_ADD;
        if (spot->name != NULL || spot->files)
            mask = spot->is_last ? NAMES_CHANGE | IN_CLOSE_WRITE : NAMES_CHANGE;
        spot->number = inotify_add_watch(watch->inotify, spot->path, mask);
        if (spot->number < 0)
            watch_tell_failure(spot);
    }
    (void)watch_take_changes(watch);
}

// --- life

struct watch *watch_new(uv_loop_t *loop, watch_changed *changed, void *context)
{
    struct watch *watch = memory_new(sizeof *watch);
    *watch = (struct watch){
        .changed = changed, .context = context, .inotify = inotify_init1(IN_NONBLOCK | IN_CLOEXEC)};
    if (watch->inotify < 0) {
        LOG_EVENT(LOG_WARN, "cannot watch", LOG_TEXT("reason", strerror(errno)),
                  LOG_TEXT("advice", "after a change send SIGHUP"));
        return watch;
    }
    int failed = uv_poll_init(loop, &watch->poll, watch->inotify);
    assert(failed == 0);
    watch->poll.data = watch;
    failed = uv_poll_start(&watch->poll, UV_READABLE, watch_on_readable);
    assert(failed == 0);
    return watch;
}

static void watch_free_watch(struct watch *watch)
{
    for (size_t i = 0; i < watch->count; i++) {
        free(watch->spots[i].path);
        free(watch->spots[i].name);
    }
    free(watch->spots);
    free(watch);
}

static void watch_on_closed(uv_handle_t *handle)
{
    watch_free_watch(handle->data);
}

void watch_end(struct watch *watch)
{
    if (watch == NULL)
        return;
    if (watch->inotify < 0) {
        watch_free_watch(watch);
        return;
    }
    uv_close((uv_handle_t *)&watch->poll, watch_on_closed);
    close(watch->inotify);
}
