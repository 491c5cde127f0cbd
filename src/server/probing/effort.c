// See effort.h. Each gap between two looks counts once, whichever of us had no CPU in it.
#include "server/probing/effort.h"

// A look that comes soon after another cannot tell whether a process runs or waits for the CPU: the
// kernel counts what one that runs has had at its ticks only, which may be 10 ms apart.
enum {
    PERIOD_NS = EFFORT_PERIOD_MS * 1000000,
    SOON_NS = PERIOD_NS / 2,
    LATE_NS = PERIOD_NS + PERIOD_NS / 2 // what was seen at the last look may be long past
};

static int64_t effort_more(int64_t one, int64_t other)
{
    return one > other ? one : other;
}

static struct instant effort_time(const struct effort *effort)
{
    return platform_now(effort->platform);
}

static struct cpu_time effort_cpu(const struct effort *effort)
{
    bool is_there = effort->process != NULL;
    return is_there ? effort->platform->functions->cpu(effort->process) : (struct cpu_time){0};
}

static bool effort_process_is_ready(const struct effort *effort)
{
    return effort->process != NULL && effort->platform->functions->is_ready(effort->process);
}

// It has asked the server, and would hear the answer.
static bool effort_process_asks(const struct effort *effort)
{
    return effort->process == NULL || effort->platform->functions->asks(effort->process);
}

// As its program is loaded from a cold disk.
static bool effort_process_is_absent(const struct effort *effort)
{
    return effort->process != NULL && !effort->platform->functions->has_asked(effort->process);
}

void effort_begin(struct effort *effort, struct platform *platform,
                  const struct prober_process *process, struct instant since)
{
    *effort = (struct effort){
        .platform = platform, .process = process, .since = since, .last_look = since};
    effort->at_start = effort->by_then = effort_cpu(effort);
    effort->was_absent = effort_process_is_absent(effort);
}

void effort_lose_process(struct effort *effort)
{
    effort->process = NULL;
}

// A look that comes too late: the loop did not turn for all of that time. Under a quota (a slice at
// the start of each 100 ms) only every second look comes about.
static bool effort_is_stall(const struct effort *effort, int64_t gap_ns)
{
    return !effort->resting && gap_ns > LATE_NS;
}

// What looks and the kernel say of a gap, or of a part of it.
struct effort_gap {
    int64_t length_ns;
    int64_t waited_ns; // waits that have ended in it
    int64_t frozen_ns; // the process was ready at both looks, and did not run
};

static void effort_add(struct effort_sum *sum, const struct effort_gap *gap, bool whole)
{
    int64_t waited_ns = effort_more(gap->waited_ns, gap->frozen_ns);
    if (whole) {
        sum->lost_ns += gap->length_ns;
        sum->overlap_ns += waited_ns < gap->length_ns ? effort_more(waited_ns, 0) : gap->length_ns;
    } else {
        sum->frozen_ns += gap->frozen_ns;
    }
}

static int64_t effort_gap_by(const struct effort *effort, struct instant now)
{
    return now.ns - effort->last_look.ns;
}

static void effort_take_look(struct effort *effort, struct instant now)
{
    int64_t gap_ns = effort_gap_by(effort, now);
    struct cpu_time cpu = effort_cpu(effort);
    int64_t idle_ns = effort_more(gap_ns - (cpu.used_ns - effort->by_then.used_ns), 0);
    bool ready = effort_process_is_ready(effort);
    bool unable = !effort_process_asks(effort);
    bool absent = effort_process_is_absent(effort);
    bool stall = effort_is_stall(effort, gap_ns);
    struct effort_gap gap = {.length_ns = gap_ns,
                             .waited_ns = cpu.waited_ns - effort->by_then.waited_ns,
                             .frozen_ns = ready && effort->was_ready ? idle_ns : 0};
    effort_add(&effort->stalls, &gap, stall);
    effort_add(&effort->lapses, &gap, stall || effort->was_unable); // for all that is known
    // Who looks seldom cannot know when it came: for all that is known, just now.
    if (effort->resting ? effort->was_absent : absent)
        effort->absent_ns += gap_ns;
    bool late = gap_ns > LATE_NS;
    bool seen = !effort->was_ready && !late; // it has become ready just now
    bool waits = ready && !seen && 2 * idle_ns > gap_ns;
    effort->deaf = unable || waits;
    effort->was_absent = absent;
    effort->was_unable = unable;
    effort->was_ready = ready;
    effort->by_then = cpu;
    effort->last_look = now;
}

// Soon after a look: one that waits for the server is seen at once.
static void effort_glance(struct effort *effort)
{
    if (!effort_process_is_ready(effort) && effort_process_asks(effort))
        effort->deaf = effort->was_ready = false;
}

void effort_look(struct effort *effort)
{
    struct instant now = effort_time(effort);
    if (effort_gap_by(effort, now) >= (effort->resting ? PERIOD_NS : SOON_NS))
        effort_take_look(effort, now);
    else if (!effort->resting)
        effort_glance(effort);
}

void effort_hear(struct effort *effort)
{
    effort->deaf = effort->was_ready = false;
}

void effort_rest(struct effort *effort)
{
    effort->resting = true;
}

bool effort_is_deaf(const struct effort *effort)
{
    return effort->deaf;
}

// What it is by now.
static struct effort effort_now(const struct effort *effort)
{
    struct effort by_now = *effort;
    struct instant now = effort_time(effort);
    if (!effort->resting || effort_gap_by(effort, now) >= PERIOD_NS)
        effort_take_look(&by_now, now);
    return by_now;
}

static int64_t effort_total_ns(const struct effort *effort, const struct effort_sum *sum)
{
    int64_t waited_ns = effort->by_then.waited_ns - effort->at_start.waited_ns;
    return sum->lost_ns + effort_more(waited_ns - sum->overlap_ns, sum->frozen_ns);
}

static bool effort_is_most(int64_t lost_ns, struct duration span)
{
    return lost_ns > span.ms * 1000000 / 2;
}

static bool effort_lost_most(const struct effort *effort, const struct effort_sum *sum,
                             struct duration span)
{
    return effort_is_most(effort_total_ns(effort, sum), span);
}

static bool effort_starved(const struct effort *effort, struct duration span)
{
    return effort_is_most(effort->absent_ns, span) ||
           effort_lost_most(effort, &effort->stalls, span);
}

bool effort_lacks_cpu(const struct effort *effort, struct duration span)
{
    struct effort now = effort_now(effort);
    return effort_lost_most(&now, &now.stalls, span);
}

bool effort_is_wanting(const struct effort *effort, struct duration span)
{
    struct effort now = effort_now(effort);
    return effort_lost_most(&now, &now.lapses, span);
}

bool effort_is_starved(const struct effort *effort, struct duration span)
{
    struct effort now = effort_now(effort);
    return effort_starved(&now, span);
}

enum outcome effort_judge(const struct effort *effort, struct duration span)
{
    struct effort now = effort_now(effort);
    bool soon = effort_gap_by(effort, now.last_look) < SOON_NS;
    bool deaf = soon ? effort->deaf : now.deaf;
    bool asked = effort_process_asks(effort);
    bool waits = deaf && asked && effort_process_is_ready(effort);
    if (waits || effort_starved(&now, span))
        return OUTCOME_STARVED;
    asked &= !effort_lost_most(&now, &now.lapses, span);
    return asked ? OUTCOME_TIMEOUT : OUTCOME_CRASHED;
}

enum outcome effort_judge_now(struct effort *effort, enum outcome known)
{
    effort_look(effort);
    bool asks = effort_process_asks(effort);
    if (asks && !effort->deaf)
        return known;
    bool stopped = !asks && !effort_process_is_absent(effort);
    return stopped ? OUTCOME_CRASHED : OUTCOME_STARVED;
}
