// Handles of one object: it goes with the last of them, whichever is closed first, and however
// often.
#include "server/base/container_of.h"
#include "server/base/handles.h"

#include "unit.h"

#include <uv.h>

struct object {
    uv_timer_t one, other;
    struct handles handles;
    unsigned ends;
};

static void count_end(struct handles *handles)
{
    CONTAINER_OF(handles, struct object, handles)->ends++;
}

static void the_last_one_ends_the_object(void **state)
{
    (void)state;
    uv_loop_t loop;
    struct object object = {.handles = {.open = 2, .all_closed = count_end}};
    assert_int_equal(uv_loop_init(&loop), 0);
    assert_int_equal(uv_timer_init(&loop, &object.one), 0);
    assert_int_equal(uv_timer_init(&loop, &object.other), 0);
    handles_close(&object.handles, &object.one);
    handles_close(&object.handles, &object.one);
    (void)uv_run(&loop, UV_RUN_NOWAIT);
    assert_int_equal(object.ends, 0);
    handles_close(&object.handles, &object.other);
    assert_int_equal(object.ends, 0);
    (void)uv_run(&loop, UV_RUN_NOWAIT);
    assert_int_equal(object.ends, 1);
    assert_int_equal(uv_loop_close(&loop), 0);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_last_one_ends_the_object),
    };
    return RUN(tests);
}
