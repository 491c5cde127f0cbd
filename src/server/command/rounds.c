// See rounds.h. What a round found is copied, for the window may have to be drawn anew at any time:
// at another size, after a Ctrl-Z, or because seconds have passed. A round that the end cuts short
// does not count: what is not known by then would look as if the server had failed.
#include "server/command/rounds.h"

#include "common/memory.h"
#include "server/base/wall_time.h"
#include "server/command/command.h"
#include "server/command/screen.h"
#include "server/command/table.h"
#include "server/report/document.h"

#include <assert.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

enum {
    TICK_MS = 1000, // the window is drawn anew at least so often
    LEAST_PAUSE_MS = 10,
    HEAD_LINES = 2, // above the table
    SIGNALS = 6
};

struct rounds {
    struct runner *runner;
    struct rounds_options options;
    const size_t *checks;
    size_t count;
    struct check_view *views; // of the last round, with messages of their own
    struct instant *changed;  // when each became something else
    struct instant began;     // the round under way
    struct instant ended;     // the last round
    bool asking;              // a round is under way
    bool known;               // a round has ended
    bool ending;
    bool live; // on a terminal
    int status;
    struct screen screen;
    uv_timer_t pause, tick;
    uv_signal_t signals[SIGNALS];
};

int rounds_status(const struct runner *runner, const struct check_view *views, size_t count)
{
    const struct circumstances settled = {0};
    if (runner->config->problems.count > 0 || runner_views_have_config(views, count))
        return STATUS_USAGE;
    bool passes = endpoint_passes(endpoint_rule("readyz"), views, count, &settled);
    return passes ? STATUS_WELL : STATUS_UNWELL;
}

void rounds_print_json(const struct runner *runner, const struct check_view *views, size_t count,
                       bool compact)
{
    struct server_seen seen = scheduler_server(runner->scheduler);
    const struct server_view server = {.engine = runner->config->engine,
                                       .flavor = flavor_name(seen.flavor),
                                       .version = seen.version};
    struct writer writer = {.out = stdout, .compact = compact};
    document_write_checks(&writer, views, count, &server);
}

// What is shown

static void print_table(const struct rounds *rounds, FILE *out, size_t width, size_t height)
{
    const struct table table = {.views = rounds->views,
                                .count = rounds->count,
                                .changed = rounds->changed,
                                .coloured = table_is_coloured(),
                                .width = width,
                                .height = height};
    table_print(out, &table, instant_now());
}

// Which server, how it is, and as of when: the clock's seconds stand still while an answer is
// awaited.
static void print_head(const struct rounds *rounds, FILE *out)
{
    static const char *const words[] = {[STATUS_WELL] = "well",
                                        [STATUS_UNWELL] = "not well",
                                        [STATUS_USAGE] = "wrongly configured"};
    char time[WALL_TIME_MAX];
    int64_t asking = instant_since(rounds->began, instant_now()).ms;
    if (rounds->known) {
        wall_time_format(rounds->ended, time, sizeof time);
        fprintf(out, "%.8sZ  %s", strchr(time, 'T') + 1, words[rounds->status]);
    }
    if (rounds->asking && (!rounds->known || asking >= TICK_MS))
        fprintf(out, "%sasking for %" PRId64 " s", rounds->known ? ", " : "", asking / 1000);
    fprintf(out, "  %s\n\n", rounds->runner->config->target);
}

static void end(struct rounds *rounds);

static void draw(struct rounds *rounds)
{
    char *text = NULL;
    size_t length, columns, lines;
    FILE *out = open_memstream(&text, &length);
    if (out == NULL)
        abort();
    screen_size(&columns, &lines);
    print_head(rounds, out);
    if (rounds->known && lines > HEAD_LINES + 2)
        print_table(rounds, out, columns, lines - HEAD_LINES - 1);
    fclose(out);
    bool drawn = screen_draw(text);
    free(text);
    if (!drawn)
        end(rounds);
}

// One check that has become something else, in one line.
static void print_change(const struct check_view *view)
{
    char time[WALL_TIME_MAX], detail[DETAIL_MAX];
    wall_time_format(instant_now(), time, sizeof time);
    report_detail(&view->judgement, detail, sizeof detail);
    printf("%s %s %s%s%s", time, view->check->name, verdict_name(view->judgement.verdict),
           detail[0] != '\0' ? ": " : "", detail);
    printf(view->message[0] != '\0' ? " [%s]\n" : "%s\n", view->message);
}

// A round

static bool differs(const struct judgement *one, const struct judgement *other)
{
    return one->verdict != other->verdict || one->outcome != other->outcome;
}

static void keep(struct rounds *rounds, size_t index, const struct check_view *view)
{
    struct check_view *kept = &rounds->views[index];
    bool changed = rounds->known && differs(&kept->judgement, &view->judgement);
    if (changed)
        rounds->changed[index] = instant_now();
    if (!rounds->live && !rounds->options.json && (changed || !rounds->known))
        print_change(view);
    free((char *)(uintptr_t)kept->message);
    *kept = *view;
    kept->message = memory_string(view->message);
    kept->result = kept->numbers = NULL; // they last for the call
    kept->statistics = NULL;
}

static void show(struct rounds *rounds)
{
    if (rounds->live)
        draw(rounds);
    else if (fflush(stdout) != 0)
        end(rounds);
}

static void on_pause_over(uv_timer_t *pause);

static void on_views(void *context, struct check_view *views, size_t count)
{
    struct rounds *rounds = context;
    if (rounds->ending || rounds->runner->ending)
        return;
    for (size_t i = 0; i < count; i++)
        keep(rounds, i, &views[i]);
    if (rounds->options.json)
        rounds_print_json(rounds->runner, views, count, true);
    rounds->asking = false;
    rounds->known = true;
    rounds->ended = instant_now();
    rounds->status = rounds_status(rounds->runner, views, count);
    show(rounds);
    if (rounds->runner->config->target_problem != NULL) // no round will mend that
        end(rounds);
    if (rounds->ending)
        return;
    int64_t pause = rounds->options.interval.ms - instant_since(rounds->began, rounds->ended).ms;
    (void)uv_timer_start(&rounds->pause, on_pause_over,
                         pause > LEAST_PAUSE_MS ? (uint64_t)pause : LEAST_PAUSE_MS, 0);
}

static void on_pause_over(uv_timer_t *pause)
{
    struct rounds *rounds = pause->data;
    rounds->began = instant_now();
    rounds->asking = true;
    scheduler_ask(rounds->runner->scheduler, rounds->checks, rounds->count, on_views, rounds);
}

// Signals

static void on_tick(uv_timer_t *tick)
{
    draw(tick->data);
}

static void on_end(uv_signal_t *handle, int number)
{
    (void)number;
    end(handle->data);
}

static void on_resize(uv_signal_t *handle, int number)
{
    (void)number;
    draw(handle->data);
}

// Ctrl-Z: the shell gets its terminal as it was.
static void on_stop(uv_signal_t *handle, int number)
{
    struct rounds *rounds = handle->data;
    (void)number;
    screen_leave(&rounds->screen);
    (void)raise(SIGSTOP);
    screen_enter(&rounds->screen);
    draw(rounds);
}

static const struct {
    int number;
    uv_signal_cb act;
    bool live; // on a terminal only
} acts[SIGNALS] = {
    {SIGINT, on_end, false}, {SIGTERM, on_end, false},    {SIGHUP, on_end, false},
    {SIGQUIT, on_end, true}, {SIGWINCH, on_resize, true}, {SIGTSTP, on_stop, true},
};

// As by nohup: whoever started us wants it so.
static bool is_ignored(int number)
{
    struct sigaction action;
    return sigaction(number, NULL, &action) == 0 && action.sa_handler == SIG_IGN;
}

static void start(struct rounds *rounds)
{
    uv_loop_t *loop = &rounds->runner->loop;
    int failed = uv_timer_init(loop, &rounds->pause) | uv_timer_init(loop, &rounds->tick);
    rounds->pause.data = rounds->tick.data = rounds;
    for (size_t i = 0; i < SIGNALS; i++) {
        failed |= uv_signal_init(loop, &rounds->signals[i]);
        rounds->signals[i].data = rounds;
        if ((rounds->live || !acts[i].live) && !is_ignored(acts[i].number))
            failed |= uv_signal_start(&rounds->signals[i], acts[i].act, acts[i].number);
    }
    if (rounds->live) {
        screen_enter(&rounds->screen);
        failed |= uv_timer_start(&rounds->tick, on_tick, TICK_MS, TICK_MS);
    }
    assert(failed == 0);
    on_pause_over(&rounds->pause);
    if (rounds->live && !rounds->ending)
        draw(rounds);
}

// The last table stays where the shell goes on.
static void end(struct rounds *rounds)
{
    if (rounds->ending)
        return;
    rounds->ending = true;
    uv_close((uv_handle_t *)&rounds->pause, NULL);
    uv_close((uv_handle_t *)&rounds->tick, NULL);
    for (size_t i = 0; i < SIGNALS; i++)
        uv_close((uv_handle_t *)&rounds->signals[i], NULL);
    screen_leave(&rounds->screen);
    if (rounds->live && rounds->known)
        print_table(rounds, stdout, 0, 0);
    (void)fflush(stdout);
    runner_end(rounds->runner);
}

int rounds_run(struct runner *runner, const size_t *checks, size_t count,
               struct rounds_options options)
{
    struct rounds rounds = {.runner = runner,
                            .options = options,
                            .checks = checks,
                            .count = count,
                            .live = !options.json && screen_is_there(),
                            .status = STATUS_UNWELL};
    rounds.views = memory_new((count + 1) * sizeof *rounds.views);
    rounds.changed = memory_new((count + 1) * sizeof *rounds.changed);
    start(&rounds);
    runner_run(runner);
    for (size_t i = 0; i < count; i++)
        free((char *)(uintptr_t)rounds.views[i].message);
    free(rounds.views);
    free(rounds.changed);
    return rounds.status;
}
