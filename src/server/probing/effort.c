// See effort.h. The kernel counts a wait for the CPU (/proc/PID/schedstat) only when it has ended;
// one that goes on shows in a process that is ready at two looks and has not run in between.
#include "server/probing/effort.h"

enum { PERIOD_NS = EFFORT_PERIOD_MS * 1000000 };

static struct cpu_time effort_cpu_of(const struct platform *platform,
                                     const struct prober_process *process)
{
    return process != NULL ? platform->functions->cpu(process) : (struct cpu_time){0};
}

// How long the loop may not have turned, if the last look is longer ago than it should be. All of
// that time: under a quota (a slice at the start of each 100 ms) only every second look comes
// about.
static int64_t effort_stall_since(const struct effort *effort, struct instant now)
{
    int64_t gap_ns = now.ns - effort->last_look.ns;
    return !effort->resting && gap_ns > PERIOD_NS + PERIOD_NS / 2 ? gap_ns : 0;
}

// As its program is loaded from a cold disk.
static bool effort_is_absent(const struct platform *platform, const struct prober_process *process)
{
    return process != NULL && !platform->functions->has_asked(process);
}

// Who looks seldom cannot know when it came: for all that is known, just now.
static int64_t effort_absence_since(const struct effort *effort, const struct platform *platform,
                                    const struct prober_process *process, struct instant now)
{
    bool absent = effort->resting ? effort->was_absent : effort_is_absent(platform, process);
    return absent ? now.ns - effort->last_look.ns : 0;
}

void effort_begin(struct effort *effort, struct platform *platform,
                  const struct prober_process *process, struct instant since)
{
    *effort = (struct effort){.since = since,
                              .last_look = since,
                              .at_start = effort_cpu_of(platform, process),
                              .was_absent = effort_is_absent(platform, process)};
}

void effort_look(struct effort *effort, struct platform *platform,
                 const struct prober_process *process)
{
    struct instant now = platform_now(platform);
    if (effort->resting && now.ns - effort->last_look.ns < PERIOD_NS)
        return;
    bool ready = process != NULL && platform->functions->is_ready(process);
    bool unable = process != NULL && !platform->functions->asks(process);
    int64_t used_ns = effort_cpu_of(platform, process).used_ns;
    bool waits = ready && used_ns == effort->was_used_ns;
    bool frozen = waits && effort->was_ready;
    if (frozen)
        effort->frozen_ns += now.ns - effort->last_look.ns;
    if (effort->was_unable) // for all that is known, until now
        effort->unable_ns += now.ns - effort->last_look.ns;
    effort->stalled_ns += effort_stall_since(effort, now);
    effort->absent_ns += effort_absence_since(effort, platform, process, now);
    effort->was_absent = effort_is_absent(platform, process);
    effort->deaf = unable || frozen || (waits && effort->resting); // since when, nobody has seen
    effort->was_unable = unable;
    effort->was_ready = ready;
    effort->was_used_ns = used_ns;
    effort->last_look = now;
}

void effort_rest(struct effort *effort)
{
    effort->resting = true;
}

bool effort_is_deaf(const struct effort *effort)
{
    return effort->deaf;
}

static int64_t effort_starved_ns(const struct effort *effort, struct platform *platform,
                                 const struct prober_process *process)
{
    int64_t waited_ns = effort_cpu_of(platform, process).waited_ns - effort->at_start.waited_ns;
    return waited_ns > effort->frozen_ns ? waited_ns : effort->frozen_ns;
}

static bool effort_lost_more(const struct effort *effort, struct platform *platform, int64_t own_ns,
                             struct duration span)
{
    own_ns += effort->stalled_ns + effort_stall_since(effort, platform_now(platform));
    return own_ns > span.ms * 1000000 / 2;
}

bool effort_lacks_cpu(const struct effort *effort, struct platform *platform,
                      const struct prober_process *process, struct duration span)
{
    return effort_lost_more(effort, platform, effort_starved_ns(effort, platform, process), span);
}

bool effort_is_wanting(const struct effort *effort, struct platform *platform,
                       const struct prober_process *process, struct duration span)
{
    int64_t starved_ns = effort_starved_ns(effort, platform, process);
    int64_t own_ns = starved_ns > effort->unable_ns ? starved_ns : effort->unable_ns;
    return effort_lost_more(effort, platform, own_ns, span);
}

bool effort_is_starved(const struct effort *effort, struct platform *platform,
                       const struct prober_process *process, struct duration span)
{
    int64_t absent_ns =
        effort->absent_ns + effort_absence_since(effort, platform, process, platform_now(platform));
    return absent_ns > span.ms * 1000000 / 2 || effort_lacks_cpu(effort, platform, process, span);
}
