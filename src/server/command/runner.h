// Configuration, scheduler and loop without HTTP: what the commands that probe for themselves
// share.
#pragma once

#include "server/probing/platform_uv.h"
#include "server/probing/scheduler.h"

typedef void runner_over(void *context);

// Lives on the stack of a command.
struct runner {
    uv_loop_t loop;
    struct platform_uv platform;
    uv_timer_t pause;  // or the moment before the end
    runner_over *over; // called at the pause's end, with the context
    void *context;
    struct config *config;
    struct scheduler *scheduler;
    struct statistics *statistics;
    struct supervisor *supervisor;
    bool ending;
    int ended_by; // the signal that ended it before it had come to its end; 0: none
};

// Loads the configuration (taking the settings over) and gets ready; nothing is probed yet. What is
// wrong or doubtful in it is printed to stderr. A request is answered within the deadline. A signal
// that the supervisor tells of does what runner_end does. Without a supervisor it ends the process.
void runner_start(struct runner *runner, struct settings *settings, struct duration deadline);

// Runs the loop until runner_end has been called and all is closed.
void runner_run(struct runner *runner);

// Calls back after this time, unless the end comes first. One at a time.
void runner_pause(struct runner *runner, struct duration length, runner_over *over, void *context);

// Has the loop end the probers politely when it comes round; requests that wait are answered then.
// From anywhere.
void runner_end(struct runner *runner);

// True if a check ended in `config`: no repetition will mend that.
bool runner_views_have_config(const struct check_view *views, size_t count);

// The command's exit status; or, if a signal has cut it short, ends this process as that would
// have: a shell sees that it was no answer, and ends a loop around it. After runner_run.
int runner_status(const struct runner *runner, int status);

// Frees the configuration. After runner_run.
void runner_free(struct runner *runner);
