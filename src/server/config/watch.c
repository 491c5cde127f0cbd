// See watch.h. A look is a stat() of each file, by its path: so a file that is renamed into place,
// a link that leads elsewhere (a ConfigMap's or Secret's `..data`), a mount and what another host
// writes are all seen alike, where inotify(7) sees only what this kernel does to a folder.
//
// The decision to question is the second thread: looks are the thread pool's of libuv, for on a
// network file system whose server is gone a stat() does not return, and no request may wait for
// it. That thread reads the names, which stay, and writes `found`, which only it does while it
// looks.
#include "server/config/watch.h"

#include "common/digest.h"
#include "common/file.h"
#include "common/memory.h"
#include "server/base/words.h"
#include "server/check/check_file.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PERIOD_MS = 2000 };

struct watch {
    uv_timer_t timer; // to the next look
    uv_work_t look;
    watch_changed *changed;
    void *context;
    struct words folders, files;
    uint64_t seen;  // as last taken
    uint64_t found; // by the look
    bool looking;
    bool outdated; // the look began before the last taking
    bool ended;
};

// --- what there is

// In any order: a folder has none.
static uint64_t watch_state_of_folder(const char *folder)
{
    char path[PATH_MAX];
    uint64_t state = 0;
    const struct dirent *entry;
    DIR *entries = opendir(folder);
    if (entries == NULL)
        return (uint64_t)errno;
    while ((entry = readdir(entries)) != NULL) {
        if (check_file_stem_length(entry->d_name) == 0)
            continue;
        (void)snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        state += file_add_state(digest_add_string(DIGEST_EMPTY, path), path);
    }
    closedir(entries);
    return state;
}

static uint64_t watch_state(const struct watch *watch)
{
    uint64_t state = DIGEST_EMPTY;
    for (size_t i = 0; i < watch->folders.count; i++) {
        uint64_t of_folder = watch_state_of_folder(watch->folders.items[i]);
        state = digest_add(state, &of_folder, sizeof of_folder);
    }
    for (size_t i = 0; i < watch->files.count; i++)
        state = file_add_state(digest_add(state, &i, sizeof i), watch->files.items[i]);
    return state;
}

bool watch_take_changes(struct watch *watch)
{
    uint64_t before = watch->seen;
    watch->seen = watch_state(watch);
    watch->outdated = true;
    return watch->seen != before;
}

// --- looks

static void watch_wait(struct watch *watch);

static void watch_on_closed(uv_handle_t *handle)
{
    struct watch *watch = handle->data;
    words_free(&watch->folders);
    words_free(&watch->files);
    free(watch);
}

static void watch_look(uv_work_t *look)
{
    struct watch *watch = look->data;
    watch->found = watch_state(watch);
}

static void watch_on_looked(uv_work_t *look, int cancelled)
{
    struct watch *watch = look->data;
    (void)cancelled; // at the end only
    watch->looking = false;
    if (watch->ended) {
        uv_close((uv_handle_t *)&watch->timer, watch_on_closed);
        return;
    }
    bool changed = !watch->outdated && watch->found != watch->seen;
    if (changed)
        watch->seen = watch->found;
    watch_wait(watch);
    if (changed)
        watch->changed(watch->context);
}

static void watch_on_time(uv_timer_t *timer)
{
    struct watch *watch = timer->data;
    watch->looking = true;
    watch->outdated = false;
    int failed = uv_queue_work(timer->loop, &watch->look, watch_look, watch_on_looked);
    assert(failed == 0);
}

static void watch_wait(struct watch *watch)
{
    int failed = uv_timer_start(&watch->timer, watch_on_time, PERIOD_MS, 0);
    assert(failed == 0);
}

// --- life

struct watch *watch_new(uv_loop_t *loop, watch_changed *changed, void *context)
{
    struct watch *watch = memory_new(sizeof *watch);
    watch->changed = changed;
    watch->context = context;
    watch->timer.data = watch->look.data = watch;
    (void)setenv("UV_THREADPOOL_SIZE", "1", 0); // nobody else needs threads
    int failed = uv_timer_init(loop, &watch->timer);
    assert(failed == 0);
    watch_wait(watch);
    return watch;
}

void watch_folder(struct watch *watch, const char *folder)
{
    words_add(&watch->folders, folder, strlen(folder));
}

void watch_file(struct watch *watch, const char *file)
{
    words_add(&watch->files, file, strlen(file));
}

void watch_end(struct watch *watch)
{
    if (watch == NULL)
        return;
    watch->ended = true;
    if (watch->looking)
        (void)uv_cancel((uv_req_t *)&watch->look); // if it waits for the thread
    else
        uv_close((uv_handle_t *)&watch->timer, watch_on_closed);
}
