// A platform whose time stands still until it is told to go on, and whose processes do what they
// are told and no more. All that is asked of it is written down, in order, as words.
#pragma once

#include "server/probing/platform.h"

#include <stdio.h>

enum { FAKE_WORDS_MAX = 1024 };

struct prober_process {
    struct fake *fake;
    const struct prober_process_events *events;
    void *owner; // NULL: it has been killed or told to end
    struct call call;
    bool has_reply; // sent, and not yet received
    struct reply reply;
};

struct fake {
    struct platform platform;
    struct instant now;
    char words[FAKE_WORDS_MAX];    // "start open:a-1000 kill ..."
    struct prober_process process; // the latest
    bool cannot_start, is_ready;
    unsigned calls_not_taken; // from now on
    bool is_absent;           // it has not come so far as to take a call
    bool is_stopped;          // by a signal
    struct cpu_time cpu;
    unsigned wakes; // how often it was woken since this was set to 0
};

void fake_open(struct fake *fake);
void fake_close(struct fake *fake);

// Adds a word to what was written down.
void fake_write(struct fake *fake, const char *word);

// What was written down since the last call; lasts until something is written again.
const char *fake_read(struct fake *fake);

// Lets so much time go by, ringing what is due at its time.
void fake_pass(struct fake *fake, int64_t ms);

// Goes on to the next alarm; false if there is none.
bool fake_next(struct fake *fake);

// The latest process answers the call that it has, well unless another outcome is given. Rows of a
// run are one with the number 1.
void fake_reply(struct fake *fake, enum outcome outcome);

// As fake_reply, but it is not heard of before it is received.
void fake_send_reply(struct fake *fake, enum outcome outcome);

// The latest process says this.
void fake_say(struct fake *fake, struct reply reply);

// The latest process dies.
void fake_die(struct fake *fake);

// It ends by itself, and well.
void fake_leave(struct fake *fake);
