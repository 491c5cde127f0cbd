// See screen.h. A frame is one write, and no part of the window is emptied before it: so nothing
// flickers. A line is emptied before it is written and not after, for the cursor behind a full line
// still stands on its last character.
#include "server/command/screen.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

static const char enter[] = "\033[?1049h" // the alternate screen
                            "\033[?25l"   // no cursor
                            "\033[?7l";   // lines end at the edge
static const char leave[] = "\033[?7h\033[?25h\033[?1049l";

bool screen_is_there(void)
{
    const char *kind = getenv("TERM");
    return isatty(STDOUT_FILENO) && kind != NULL && kind[0] != '\0' && strcmp(kind, "dumb") != 0;
}

static bool write_all(const char *bytes, size_t length)
{
    while (length > 0) {
        ssize_t written = write(STDOUT_FILENO, bytes, length);
        if (written < 0 && errno != EINTR)
            return false;
        bytes += written > 0 ? written : 0;
        length -= written > 0 ? (size_t)written : 0;
    }
    return true;
}

// Signals still come from the keyboard.
static void silence_keys(struct screen *screen)
{
    if (tcgetattr(STDOUT_FILENO, &screen->before) != 0)
        return;
    struct termios quiet = screen->before;
    quiet.c_lflag &= ~(tcflag_t)(ECHO | ICANON);
    screen->quiet = tcsetattr(STDOUT_FILENO, TCSANOW, &quiet) == 0;
}

void screen_enter(struct screen *screen)
{
    silence_keys(screen);
    screen->entered = write_all(enter, sizeof enter - 1);
}

// What was typed meanwhile was for us, not for the shell that comes next.
void screen_leave(struct screen *screen)
{
    if (screen->entered)
        (void)write_all(leave, sizeof leave - 1);
    if (screen->quiet)
        (void)tcsetattr(STDOUT_FILENO, TCSAFLUSH, &screen->before);
    screen->entered = screen->quiet = false;
}

void screen_size(size_t *columns, size_t *lines)
{
    struct winsize size = {0};
    (void)ioctl(STDOUT_FILENO, TIOCGWINSZ, &size);
    *columns = size.ws_col > 0 ? size.ws_col : 80;
    *lines = size.ws_row > 0 ? size.ws_row : 24;
}

// What is beyond the edge would be written over the last column, again and again. A colour goes to
// its end, for the next line begins without.
static void print_cut(FILE *out, const char *line, size_t length, size_t columns)
{
    bool in_sequence = false;
    size_t taken = 0;
    for (size_t i = 0; i < length; i++) {
        unsigned char byte = (unsigned char)line[i];
        in_sequence |= byte == '\033';
        taken += !in_sequence && (byte & 0xC0) != 0x80; // a character of UTF-8 begins
        if (in_sequence || taken <= columns)
            putc(byte, out);
        in_sequence &= isalpha(byte) == 0;
    }
}

bool screen_draw(const char *text)
{
    char *frame = NULL;
    size_t length, columns, lines;
    FILE *out = open_memstream(&frame, &length);
    if (out == NULL)
        abort();
    screen_size(&columns, &lines);
    fputs("\033[H", out);
    for (size_t i = 1; i < lines && text[0] != '\0'; i++) {
        size_t line = strcspn(text, "\n");
        fputs("\033[K", out);
        print_cut(out, text, line, columns);
        fputs("\r\n", out);
        text += line;
        text += text[0] == '\n';
    }
    fputs("\033[J", out);
    fclose(out);
    bool written = write_all(frame, length);
    free(frame);
    return written;
}
