// See proxy_header.h. Nothing in it is of use here: it is taken only so that the request after it
// gets an answer that names it.
#include "server/http/proxy_header.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>

enum {
    LINE_MAX = 107,      // of version 1, with its end
    HEADER_MAX = 536,    // of version 2: it has to come whole in the smallest segment
    SIGNATURE = 12,      // bytes of version 2, ...
    LENGTH_AT = 14,      // ... then version and command, the family, and the length
    AFTER_LENGTH_AT = 16 // of what follows
};

// version 1 = "PROXY " text CR LF
static size_t proxy_header_line_length(const char *bytes, size_t count)
{
    size_t most = count < LINE_MAX ? count : LINE_MAX;
    const char *end = memmem(bytes, most, "\r\n", 2);
    return end != NULL ? (size_t)(end - bytes) + 2 : 0;
}

// version 2 = signature %x20-21 octet length *octet
static size_t proxy_header_binary_length(const unsigned char *bytes, size_t count)
{
    if (count < AFTER_LENGTH_AT)
        return 0;
    size_t length = AFTER_LENGTH_AT + 256U * bytes[LENGTH_AT] + bytes[LENGTH_AT + 1];
    return length <= count ? length : 0;
}

size_t proxy_header_length(const void *bytes, size_t count)
{
    static const char line[] = "PROXY ";
    static const char binary[] = "\r\n\r\n\0\r\nQUIT\n";
    if (count >= sizeof line - 1 && memcmp(bytes, line, sizeof line - 1) == 0)
        return proxy_header_line_length(bytes, count);
    if (count >= SIGNATURE && memcmp(bytes, binary, SIGNATURE) == 0)
        return proxy_header_binary_length(bytes, count);
    return 0;
}

void proxy_header_await(int listening)
{
    static const int seconds = 1;
    (void)setsockopt(listening, IPPROTO_TCP, TCP_DEFER_ACCEPT, &seconds, sizeof seconds);
}

bool proxy_header_take(int socket)
{
    char bytes[HEADER_MAX];
    ssize_t count = recv(socket, bytes, sizeof bytes, MSG_PEEK | MSG_DONTWAIT);
    size_t length = count > 0 ? proxy_header_length(bytes, (size_t)count) : 0;
    return length > 0 && recv(socket, bytes, length, MSG_DONTWAIT) == (ssize_t)length;
}
