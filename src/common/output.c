// See output.h. O_NONBLOCK belongs to the open file, which a shell or a container's runtime shares
// with us; so a pipe or a terminal is opened once more, for ourselves. Without that, poll() says
// whether there is room, but of a terminal it says so for less than a line, and another writer may
// be faster: then the write blocks. What is another user's may not be opened again; there a timer
// breaks off the write, which no flag can do for one write to a terminal.
//
// A file stays as it is: another description would have a place of its own in it, and nobody has to
// read a file for a write to go on.
#include "common/output.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

enum {
    MOMENT_US = 1000, // a write that finds room takes far less
    PAUSE_MS = 100    // so that waiting takes 1 % of the time, however many lines there are
};

struct output output_shared(int standard)
{
    return (struct output){.descriptor = standard, .kind = OUTPUT_SHARED};
}

static int output_open_again(int standard)
{
    char path[32];
    (void)snprintf(path, sizeof path, "/proc/self/fd/%d", standard);
    return open(path, O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
}

struct output output_open(int standard)
{
    struct stat status;
    struct output output = output_shared(standard);
    if (fstat(standard, &status) != 0)
        return output;
    if (!S_ISFIFO(status.st_mode) && !S_ISCHR(status.st_mode)) {
        output.kind = S_ISSOCK(status.st_mode) ? OUTPUT_SOCKET : OUTPUT_FILE;
        return output;
    }
    int own = output_open_again(standard);
    return own < 0 ? output : (struct output){.descriptor = own, .kind = OUTPUT_OWN};
}

void output_close(struct output *output)
{
    if (output->kind == OUTPUT_OWN)
        close(output->descriptor);
}

static bool output_has_room(const struct output *output)
{
    struct pollfd ready = {.fd = output->descriptor, .events = POLLOUT};
    return poll(&ready, 1, 0) == 1 && (ready.revents & POLLOUT) != 0;
}

static void output_on_tick(int number)
{
    (void)number;
}

// Each tick breaks off a call that waits; the first may come before the call does. The kernel has
// the main thread take them, if it can.
static void output_start_ticks(void)
{
    const struct itimerval ticks = {.it_interval.tv_usec = MOMENT_US,
                                    .it_value.tv_usec = MOMENT_US};
    const struct sigaction action = {.sa_handler = output_on_tick}; // no SA_RESTART
    sigset_t tick;
    (void)sigemptyset(&tick);
    (void)sigaddset(&tick, SIGALRM);
    (void)sigaction(SIGALRM, &action, NULL);
    (void)pthread_sigmask(SIG_UNBLOCK, &tick, NULL);
    (void)setitimer(ITIMER_REAL, &ticks, NULL);
}

static void output_stop_ticks(void)
{
    const struct itimerval none = {.it_value.tv_usec = 0};
    (void)setitimer(ITIMER_REAL, &none, NULL);
}

static ssize_t output_write_shared(struct output *output, const char *bytes, size_t length)
{
    if (instant_before(instant_now(), output->again) || !output_has_room(output))
        return 0;
    output_start_ticks();
    ssize_t written = write(output->descriptor, bytes, length);
    bool broken_off = written < 0 ? errno == EINTR : (size_t)written < length;
    output_stop_ticks();
    if (broken_off)
        output->again = instant_add(instant_now(), (struct duration){.ms = PAUSE_MS});
    return written > 0 ? written : 0;
}

static ssize_t output_write(struct output *output, const char *bytes, size_t length)
{
    ssize_t written;
    if (output->kind == OUTPUT_SHARED)
        return output_write_shared(output, bytes, length);
    do {
        written = output->kind == OUTPUT_SOCKET
                      ? send(output->descriptor, bytes, length, MSG_DONTWAIT | MSG_NOSIGNAL)
                      : write(output->descriptor, bytes, length);
    } while (written < 0 && errno == EINTR);
    return written > 0 ? written : 0;
}

bool output_line(struct output *output, const char *line, size_t length)
{
    if (output->cut && output_write(output, "\n", 1) != 1)
        return false;
    output->cut = false;
    size_t written = (size_t)output_write(output, line, length);
    output->cut = written > 0 && written < length;
    return written == length;
}
