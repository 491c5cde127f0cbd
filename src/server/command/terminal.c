// See terminal.h. No part of the window is emptied long before it is written, so nothing flickers.
// A line is emptied before it is written and not after, for the cursor behind a full line still
// stands on its last character.
#include "server/command/terminal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

// As ECMA-48 has them; whether lines wrap is DEC's.
#define UP         "\033[%zuA"
#define EMPTY_LINE "\033[K"
#define EMPTY_REST "\033[J"
#define NO_WRAP    "\033[?7l"
#define WRAP       "\033[?7h"

bool terminal_is_there(void)
{
    const char *kind = getenv("TERM");
    return isatty(STDOUT_FILENO) && kind != NULL && kind[0] != '\0' && strcmp(kind, "dumb") != 0;
}

bool terminal_is_coloured(void)
{
    const char *no_colour = getenv("NO_COLOR"); // https://no-color.org
    return isatty(STDOUT_FILENO) && (no_colour == NULL || no_colour[0] == '\0');
}

void terminal_size(size_t *columns, size_t *lines)
{
    struct winsize size = {0};
    (void)ioctl(STDOUT_FILENO, TIOCGWINSZ, &size);
    *columns = size.ws_col > 0 ? size.ws_col : 80;
    *lines = size.ws_row > 0 ? size.ws_row : 24;
}

size_t terminal_print_over(size_t lines, const char *text)
{
    size_t printed = 0;
    if (lines > 0)
        printf("\r" UP, lines);
    fputs(NO_WRAP, stdout);
    for (; *text != '\0'; printed++) {
        size_t length = strcspn(text, "\n");
        printf(EMPTY_LINE "%.*s\n", (int)length, text);
        text += length + (text[length] == '\n');
    }
    fputs(EMPTY_REST WRAP, stdout);
    (void)fflush(stdout);
    return printed;
}
