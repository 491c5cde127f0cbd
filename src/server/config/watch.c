// See watch.h. A look is a stat() of each file, by its path: so a file that is renamed into place,
// a link that leads elsewhere (a ConfigMap's or Secret's `..data`), a mount and what another host
// writes are all seen alike, where inotify(7) sees only what this kernel does to a folder.
#include "server/config/watch.h"

#include "common/digest.h"
#include "common/file.h"
#include "server/check/check_file.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>

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

uint64_t watch_look(const struct watch *watch)
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

void watch_clear(struct watch *watch)
{
    words_free(&watch->folders);
    words_free(&watch->files);
}
