// Stdout, if it is a terminal.
#pragma once

#include <stdbool.h>
#include <stddef.h>

// True if it is a terminal that can move its cursor.
bool terminal_is_there(void);

// True if colours are wanted on stdout: a terminal, and not NO_COLOR.
bool terminal_is_coloured(void);

// The window's columns and lines, 80 and 24 if it does not tell.
void terminal_size(size_t *columns, size_t *lines);

// Prints the lines of a text, cut where the window ends, over so many lines above the cursor.
// Returns how many lines the text has.
size_t terminal_print_over(size_t lines, const char *text);
