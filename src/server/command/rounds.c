// See rounds.h. A round is shown when it has come to its end and at no other time, so nothing of it
// is kept but what each check was. One that a signal cuts short does not count: what is not known
// by then would look as if the server had failed.
#include "server/command/rounds.h"

#include "common/memory.h"
#include "common/text.h"
#include "server/base/wall_time.h"
#include "server/command/command.h"
#include "server/command/table.h"
#include "server/command/terminal.h"
#include "server/report/document.h"

#include <stdlib.h>
#include <string.h>

enum { LEAST_PAUSE_MS = 10, HEAD_LINES = 2, HEAD_MAX = 512 };

// What a check was in the last round.
struct past {
    enum verdict verdict;
    enum outcome outcome;
};

struct rounds {
    struct runner *runner;
    struct rounds_options options;
    const size_t *checks;
    size_t count;
    bool in_place;           // the table, on a terminal
    bool in_lines;           // what has changed
    bool known;              // a round has ended
    struct past *past;       // if known
    struct instant *changed; // when each became something else
    struct instant began;    // the round under way
    size_t lines;            // of the table in place
    int status;
};

static bool rounds_are_one(const struct rounds *rounds)
{
    return rounds->options.interval.ms == 0;
}

static int rounds_status(const struct rounds *rounds, const struct check_view *views)
{
    const struct circumstances settled = {.no_endpoint = true};
    const struct endpoint_rule *rule = endpoint_rule("readyz");
    if (rounds->runner->config->problems.count > 0 ||
        runner_views_have_config(views, rounds->count))
        return STATUS_USAGE;
    return endpoint_passes(rule, views, NULL, rounds->count, &settled) ? STATUS_WELL
                                                                       : STATUS_UNWELL;
}

static void rounds_print_json(const struct rounds *rounds, const struct check_view *views)
{
    const struct runner *runner = rounds->runner;
    struct server_seen seen = scheduler_server(runner->scheduler);
    const struct server_view server = {.engine = runner->config->engine,
                                       .flavor = flavor_name(seen.flavor),
                                       .version = seen.version};
    struct writer writer = {.out = stdout, .compact = !rounds_are_one(rounds)};
    document_write_checks(&writer, views, rounds->count, &server);
}

// One check that has become something else, in one line.
static void rounds_print_change(const struct check_view *view)
{
    char time[WALL_TIME_MAX], detail[DETAIL_MAX];
    wall_time_format(instant_now(), time, sizeof time);
    report_detail(&view->judgement, detail, sizeof detail);
    printf("%s %s %s%s%s", time, view->check->name, verdict_name(view->judgement.verdict),
           detail[0] != '\0' ? ": " : "", detail);
    printf(view->message[0] != '\0' ? " [%s]\n" : "%s\n", view->message);
}

// As of when, how it is, and which server; cut where the window ends.
static void rounds_print_head(const struct rounds *rounds, FILE *out, size_t columns)
{
    static const char *const words[] = {[STATUS_WELL] = "well",
                                        [STATUS_UNWELL] = "not well",
                                        [STATUS_USAGE] = "wrongly configured"};
    char bytes[HEAD_MAX], time[WALL_TIME_MAX];
    struct text head = text_in(bytes, columns < sizeof bytes ? columns + 1 : sizeof bytes);
    wall_time_format(instant_now(), time, sizeof time);
    text_addf(&head, "%.8sZ  %s  ", strchr(time, 'T') + 1,
              rounds->known ? words[rounds->status] : "asking");
    text_add(&head, rounds->runner->config->target);
    fprintf(out, "%s\n\n", bytes);
}

// Over what stands there of the last round.
static void rounds_draw(struct rounds *rounds, const struct check_view *views)
{
    char *text = NULL;
    size_t length, columns, lines;
    FILE *out = open_memstream(&text, &length);
    if (out == NULL)
        abort();
    terminal_size(&columns, &lines);
    rounds_print_head(rounds, out, columns);
    const struct table table = {.views = views,
                                .count = rounds->count,
                                .changed = rounds->changed,
                                .coloured = terminal_is_coloured(),
                                .width = columns,
                                .height = lines - HEAD_LINES - 1};
    if (rounds->known && lines > HEAD_LINES + 2)
        table_print(out, &table, instant_now());
    (void)fclose(out);
    rounds->lines = terminal_print_over(rounds->lines, text);
    free(text);
}

static void rounds_show(struct rounds *rounds, const struct check_view *views)
{
    const struct table table = {
        .views = views, .count = rounds->count, .coloured = terminal_is_coloured()};
    if (rounds->options.json)
        rounds_print_json(rounds, views);
    else if (rounds->in_place)
        rounds_draw(rounds, views);
    else if (!rounds->in_lines)
        table_print(stdout, &table, instant_now());
}

static void rounds_compare(struct rounds *rounds, size_t index, const struct check_view *view)
{
    struct past *past = &rounds->past[index];
    bool same = rounds->known && past->verdict == view->judgement.verdict &&
                past->outcome == view->judgement.outcome;
    *past = (struct past){view->judgement.verdict, view->judgement.outcome};
    if (rounds->known && !same)
        rounds->changed[index] = instant_now();
    if (rounds->in_lines && !same)
        rounds_print_change(view);
}

static void rounds_ask(void *context);

static void rounds_on_views(void *context, struct check_view *views, size_t count)
{
    struct rounds *rounds = context;
    bool one = rounds_are_one(rounds);
    if (rounds->runner->ending)
        return;
    for (size_t i = 0; i < count; i++)
        rounds_compare(rounds, i, &views[i]);
    rounds->known = true;
    rounds->status = rounds_status(rounds, views);
    rounds_show(rounds, views);
    bool hopeless = rounds->runner->config->target_problem != NULL; // no round will mend that
    if (one || hopeless || fflush(stdout) != 0 || ferror(stdout)) {
        runner_end(rounds->runner);
        return;
    }
    int64_t pause = rounds->options.interval.ms - instant_since(rounds->began, instant_now()).ms;
    runner_pause(rounds->runner, (struct duration){pause > LEAST_PAUSE_MS ? pause : LEAST_PAUSE_MS},
                 rounds_ask, rounds);
}

static void rounds_ask(void *context)
{
    struct rounds *rounds = context;
    rounds->began = instant_now();
    scheduler_ask(rounds->runner->scheduler, rounds->checks, rounds->count, rounds_on_views,
                  rounds);
}

int rounds_run(struct runner *runner, const size_t *checks, size_t count,
               struct rounds_options options)
{
    struct rounds rounds = {.runner = runner,
                            .options = options,
                            .checks = checks,
                            .count = count,
                            .status = STATUS_UNWELL};
    bool one = rounds_are_one(&rounds);
    rounds.in_place = !one && !options.json && terminal_is_there();
    rounds.in_lines = !one && !options.json && !rounds.in_place;
    rounds.past = memory_new((count + 1) * sizeof *rounds.past);
    rounds.changed = memory_new((count + 1) * sizeof *rounds.changed);
    if (rounds.in_place)
        rounds_draw(&rounds, NULL);
    rounds_ask(&rounds);
    runner_run(runner);
    if (rounds.in_place)
        (void)putchar('\n'); // behind the ^C that the terminal has put there
    free(rounds.past);
    free(rounds.changed);
    return one ? runner_status(runner, rounds.status) : rounds.status;
}
