// Tells when files have changed: however they are changed, and wherever they are.
#pragma once

#include <stdbool.h>
#include <uv.h>

struct watch;

// Something that is watched has changed. Whether its content has is for others to find out.
typedef void watch_changed(void *context);

// Looks every two seconds from now on. What is watched is added at once, before the loop runs.
struct watch *watch_new(uv_loop_t *loop, watch_changed *changed, void *context);

// A folder's check files, and which there are. It need not be there yet.
void watch_folder(struct watch *watch, const char *folder);

// A file, which need not be there yet.
void watch_file(struct watch *watch, const char *file);

// Looks now, and takes what is there for seen: to be called before the files are read. True if
// something has changed since the last call; that will not be told any more.
bool watch_take_changes(struct watch *watch);

// Freed by the loop later. NULL is fine.
void watch_end(struct watch *watch);
