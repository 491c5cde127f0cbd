// See deadline.h. Equal lengths make arming and disarming O(1) for thousands of connections. The
// timer may fire early (libuv's clock is in whole milliseconds) or for an entry that was disarmed:
// both only look and set it anew.
#include "server/base/deadline.h"

#include <assert.h>

void deadline_start_timer(uv_timer_t *timer, struct instant deadline, uv_timer_cb callback)
{
    uv_update_time(timer->loop);
    uint64_t left = (uint64_t)instant_left(deadline, instant_now()).ms;
    int failed = uv_timer_start(timer, callback, left, 0);
    assert(failed == 0);
}

static void deadline_on_timer(uv_timer_t *timer)
{
    struct deadline_queue *queue = timer->data;
    struct instant now = instant_now();
    struct deadline_entry *first;
    while ((first = TAILQ_FIRST(&queue->list)) != NULL && !instant_before(now, first->at)) {
        deadline_disarm(queue, first);
        queue->expired(queue, first);
    }
    if (first != NULL)
        deadline_start_timer(timer, first->at, deadline_on_timer);
}

void deadline_queue_open(struct deadline_queue *queue, uv_loop_t *loop, struct duration length,
                         void (*expired)(struct deadline_queue *, struct deadline_entry *))
{
    int failed = uv_timer_init(loop, &queue->timer);
    assert(failed == 0);
    queue->timer.data = queue;
    queue->length = length;
    queue->expired = expired;
    TAILQ_INIT(&queue->list);
}

void deadline_queue_close(struct deadline_queue *queue, struct handles *handles)
{
    handles_close(handles, &queue->timer);
}

void deadline_arm(struct deadline_queue *queue, struct deadline_entry *entry)
{
    deadline_disarm(queue, entry);
    entry->at = instant_add(instant_now(), queue->length);
    entry->armed = true;
    TAILQ_INSERT_TAIL(&queue->list, entry, link);
    if (!uv_is_active((uv_handle_t *)&queue->timer))
        deadline_start_timer(&queue->timer, entry->at, deadline_on_timer);
}

void deadline_disarm(struct deadline_queue *queue, struct deadline_entry *entry)
{
    if (!entry->armed)
        return;
    TAILQ_REMOVE(&queue->list, entry, link);
    entry->armed = false;
}

struct deadline_entry *deadline_first(const struct deadline_queue *queue)
{
    return TAILQ_FIRST(&queue->list);
}
