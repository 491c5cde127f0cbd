// See handles.h.
#include "server/base/handles.h"

#include <uv.h>

static void handles_on_closed(uv_handle_t *handle)
{
    struct handles *handles = handle->data;
    if (--handles->open == 0)
        handles->all_closed(handles);
}

void handles_close(struct handles *handles, void *handle)
{
    uv_handle_t *closing = handle;
    if (uv_is_closing(closing))
        return;
    closing->data = handles;
    uv_close(closing, handles_on_closed);
}
