// Many deadlines of equal length: a queue in the order of their coming, and one timer.
#pragma once

#include "common/instant.h"
#include "server/base/handles.h"

#include <sys/queue.h>
#include <uv.h>

// Part of the object that has the deadline; zeroed before its first use.
struct deadline_entry {
    TAILQ_ENTRY(deadline_entry) link;
    struct instant at;
    bool armed;
};

TAILQ_HEAD(deadline_list, deadline_entry);

// Part of its owner's object, which stays until the loop has closed the timer.
struct deadline_queue {
    uv_timer_t timer;
    struct deadline_list list;
    struct duration length;
    // Called for each entry once its deadline has come; the entry is no longer armed.
    void (*expired)(struct deadline_queue *queue, struct deadline_entry *entry);
};

void deadline_queue_open(struct deadline_queue *queue, uv_loop_t *loop, struct duration length,
                         void (*expired)(struct deadline_queue *, struct deadline_entry *));

// Closes the timer, which is one of its owner's handles; entries still armed will never expire.
void deadline_queue_close(struct deadline_queue *queue, struct handles *handles);

// Sets the entry's deadline to the queue's length from now, anew if it was armed.
void deadline_arm(struct deadline_queue *queue, struct deadline_entry *entry);

// Takes the deadline back; nothing happens if it was not armed.
void deadline_disarm(struct deadline_queue *queue, struct deadline_entry *entry);

// The entry whose deadline comes first; NULL if none is armed.
struct deadline_entry *deadline_first(const struct deadline_queue *queue);

// Starts a timer for the deadline, on the loop's clock made fresh.
void deadline_start_timer(uv_timer_t *timer, struct instant deadline, uv_timer_cb callback);
