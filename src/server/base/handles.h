// The handles of libuv that are part of one object: the loop still needs them for a while after
// they have been closed, and so the object goes with the last of them.
#pragma once

// Part of the object.
struct handles {
    unsigned open;                            // initialized and not yet closed by the loop
    void (*all_closed)(struct handles *self); // frees the object; called once, by the loop
};

// Closes a handle (a uv_handle_t of any kind) that is counted in `open`, and takes its `data`.
// Nothing happens if it is closing already.
void handles_close(struct handles *handles, void *handle);
