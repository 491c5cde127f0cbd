// What a process of ours gives up for good before it hears from anybody who may mean harm: the
// server before it serves, a prober before it connects. Best effort: what the kernel lacks or
// refuses is missing, and everything works as without.
#pragma once

#include <stdbool.h>
#include <stddef.h>

enum sandbox_role {
    SANDBOX_SERVER, // and commands that probe: no connection out, no file but those that are named
    SANDBOX_PROBER  // connects and reads files, and writes none
};

enum { SANDBOX_WORDS_MAX = 128, SANDBOX_TEXT_MAX = 2 * SANDBOX_WORDS_MAX + 32 };

// What is in force.
struct sandbox {
    bool whole;                       // all of it
    char seccomp[SANDBOX_WORDS_MAX];  // "on", or "off: " and why
    char landlock[SANDBOX_WORDS_MAX]; // "on: " and for what, or "off: " and why
};

// Before a library makes an io_uring for later, as newer versions of libuv do for each loop,
// whatever UV_USE_IO_URING says: without any it does the same by other calls, but a ring that the
// sandbox stops ends the process.
void sandbox_forbid_rings(void);

// Once, in a process with one thread. What is open stays open. The server may read these files and
// what is in these folders from now on; a path that does not exist is passed over.
struct sandbox sandbox_enter(enum sandbox_role role, const char *const *readable, size_t count);

// Writes it for people: "seccomp on; landlock on: files".
void sandbox_describe(const struct sandbox *sandbox, char text[SANDBOX_TEXT_MAX]);

// In a prober that has entered it: from now on this process, which has one thread, may open these
// files and what is in these folders, and no others. Best effort, too.
void sandbox_narrow(const char *const *readable, size_t count);
