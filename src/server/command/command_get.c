// dbhealthd get [--timeout 2s] PATH: asks a running adapter and prints the body, for a container's
// HEALTHCHECK or a load balancer's script with no curl in the image.
#include "server/command/command.h"
#include "server/command/inquiry.h"

#include <stdio.h>

static int command_get_print(const struct inquiry *inquiry)
{
    bool ended = inquiry->length > 0 && inquiry->body[inquiry->length - 1] == '\n';
    (void)fwrite(inquiry->body, 1, inquiry->length, stdout);
    (void)fputs(ended ? "" : "\n", stdout);
    return inquiry->status == 200 ? STATUS_WELL : STATUS_UNWELL;
}

static int command_get_run(const struct settings *settings, const char *path,
                           struct duration timeout)
{
    struct error error;
    struct inquiry inquiry;
    enum inquiry_end end = inquiry_ask(settings, path, timeout, &inquiry, &error);
    int status = STATUS_UNWELL;
    if (end == INQUIRY_ANSWERED)
        status = command_get_print(&inquiry);
    else
        (void)command_refuse("%s", error.text);
    inquiry_clear(&inquiry);
    return end == INQUIRY_WRONG ? STATUS_USAGE : status;
}

int command_get(int argc, char **argv)
{
    struct error error;
    struct duration timeout;
    // Twice what an answer takes at most by default, and less than Docker's and HAProxy's scripts
    // may take.
    const char *text = "2s";
    const struct extra_flag extra[] = {{"timeout", &text, NULL}};
    struct command_line line;
    if (!command_line_load(&line, argc, argv, extra, 1, 1, 1))
        return STATUS_USAGE;
    int status = command_parse_duration("timeout", text, 1, &timeout, &error)
                     ? command_get_run(&line.settings, line.words.items[0], timeout)
                     : command_refuse("%s", error.text);
    command_line_clear(&line);
    return status;
}
