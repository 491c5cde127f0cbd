// dbhealthd get [--timeout 2s] PATH: asks a running adapter and prints the body, for a container's
// HEALTHCHECK or a load balancer's script with no curl in the image.
#include "server/command/adapter.h"
#include "server/command/command.h"

#include <stdio.h>

static int command_get_print(const struct adapter_answer *answer)
{
    bool ended = answer->length > 0 && answer->body[answer->length - 1] == '\n';
    (void)fwrite(answer->body, 1, answer->length, stdout);
    (void)fputs(ended ? "" : "\n", stdout);
    return answer->status == 200 ? STATUS_WELL : STATUS_UNWELL;
}

static int command_get_run(const struct settings *settings, const char *path,
                           struct duration timeout)
{
    struct error error;
    struct adapter_answer answer;
    enum adapter_end end = adapter_ask(settings, path, timeout, &answer, &error);
    int status = STATUS_UNWELL;
    if (end == ADAPTER_ANSWERED)
        status = command_get_print(&answer);
    else
        (void)command_refuse("%s", error.text);
    adapter_answer_clear(&answer);
    return end == ADAPTER_WRONG ? STATUS_USAGE : status;
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
