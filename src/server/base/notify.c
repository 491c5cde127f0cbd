// See notify.h. Not libsystemd, which brings compression and cryptography along for a datagram.
#include "server/base/notify.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { US_OF_MS = 1000 };

// A path, or an abstract name that is written with a @.
static socklen_t notify_address(const char *name, struct sockaddr_un *address)
{
    size_t length = strlen(name);
    *address = (struct sockaddr_un){.sun_family = AF_UNIX};
    if ((name[0] != '/' && name[0] != '@') || length >= sizeof address->sun_path)
        return 0;
    memcpy(address->sun_path, name, length);
    if (name[0] == '@')
        address->sun_path[0] = '\0';
    return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length);
}

int notify_open(void)
{
    struct sockaddr_un address;
    const char *name = getenv("NOTIFY_SOCKET");
    socklen_t length = name != NULL ? notify_address(name, &address) : 0;
    if (length == 0)
        return -1;
    int opened = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (opened >= 0 && connect(opened, (const struct sockaddr *)&address, length) != 0) {
        close(opened);
        return -1;
    }
    return opened;
}

void notify_tell(int socket, const char *state)
{
    if (socket >= 0)
        (void)send(socket, state, strlen(state), MSG_NOSIGNAL);
}

struct duration notify_watchdog(void)
{
    const char *value = getenv("WATCHDOG_USEC");
    char *end = NULL;
    errno = 0;
    long long us = value != NULL ? strtoll(value, &end, 10) : 0;
    if (us <= 0 || errno != 0 || *end != '\0')
        return (struct duration){0};
    int64_t half = us / 2 / US_OF_MS;
    return (struct duration){.ms = half > 0 ? half : 1};
}
