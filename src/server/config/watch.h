// Tells when files have changed, also such as Kubernetes exchanges: a ConfigMap's or Secret's files
// are links into a folder `..data`, which is itself a link that is renamed into place.
#pragma once

#include <stdbool.h>
#include <uv.h>

struct watch;

// Something that is watched has changed. Whether its content has is for others to find out.
typedef void watch_changed(void *context);

// Watches nothing yet. Where the kernel allows no watching at all, that is logged, and all else
// here does nothing.
struct watch *watch_new(uv_loop_t *loop, watch_changed *changed, void *context);

// A folder's .sql files.
void watch_folder(struct watch *watch, const char *folder);

// A file, which need not be there yet.
void watch_file(struct watch *watch, const char *file);

// Begins to watch what is there now under the paths, and forgets what has happened so far. To be
// called before the files are read.
void watch_renew(struct watch *watch);

// True if something has changed since; it will not be told any more.
bool watch_take_changes(struct watch *watch);

// Freed by the loop later. NULL is fine.
void watch_end(struct watch *watch);
