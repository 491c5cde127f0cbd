// The terminal while something is redrawn on it in place: the alternate screen, without a cursor
// and without the echo of keys. Whoever enters it must leave it, however the program ends.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <termios.h>

// Begins as {0}.
struct screen {
    bool entered;
    bool quiet; // the echo is off
    struct termios before;
};

// True if stdout is a terminal that can move its cursor.
bool screen_is_there(void);

// Goes over to the alternate screen.
void screen_enter(struct screen *screen);

// Shows what was there before, with the terminal as it was; once is enough.
void screen_leave(struct screen *screen);

// The window's columns and lines, 80 and 24 if it does not tell.
void screen_size(size_t *columns, size_t *lines);

// Writes the lines of a text over what stands there; the window's last one stays empty. Each is cut
// at the window's edge. False if the terminal is gone.
bool screen_draw(const char *text) __attribute__((warn_unused_result));
