// Which files may change the configuration, and how they are now: however they come to be changed,
// and wherever they are.
#pragma once

#include "server/base/words.h"

#include <stdint.h>

// What is watched, none of which need be there. All zeros: nothing.
struct watch {
    struct words folders; // of each: its check files, and which there are
    struct words files;
};

// A number that is another one when something has changed since. Whether its content has is for
// others to find out. It may take for ever, and is for any thread.
uint64_t watch_look(const struct watch *watch);

void watch_clear(struct watch *watch);
