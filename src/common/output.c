// See output.h. O_NONBLOCK belongs to the open file, which a shell or a container's runtime shares
// with us; so a pipe or a terminal is opened once more, for ourselves. Without that, poll() says
// whether there is room, but of a terminal it says so for less than a line, and another writer may
// be faster: then the write blocks. So it does with a terminal of another user's that may not be
// opened again, and with nothing else.
//
// A file stays as it is: another description would have a place of its own in it, and nobody has to
// read a file for a write to go on.
#include "common/output.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

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
    if (S_ISSOCK(status.st_mode))
        output.kind = OUTPUT_SOCKET;
    if (!S_ISFIFO(status.st_mode) && !S_ISCHR(status.st_mode))
        return output;
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
    return output->kind != OUTPUT_SHARED ||
           (poll(&ready, 1, 0) == 1 && (ready.revents & POLLOUT) != 0);
}

static ssize_t output_write(const struct output *output, const char *bytes, size_t length)
{
    ssize_t written;
    if (!output_has_room(output))
        return 0;
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
