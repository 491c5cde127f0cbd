// See handover.h. Both kinds of process have their half here, so that they are read side by side.
#include "common/handover.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

// What carries one descriptor, aligned as the kernel wants it.
union control_data {
    char bytes[CMSG_SPACE(sizeof(int))];
    struct cmsghdr header;
};

bool handover_ask(int control, int socket)
{
    char byte = 0; // a message must have one
    struct iovec data = {.iov_base = &byte, .iov_len = sizeof byte};
    union control_data ancillary = {.bytes = {0}};
    struct msghdr message = {.msg_iov = &data,
                             .msg_iovlen = 1,
                             .msg_control = ancillary.bytes,
                             .msg_controllen = sizeof ancillary.bytes};
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof socket);
    memcpy(CMSG_DATA(header), &socket, sizeof socket);
    return sendmsg(control, &message, MSG_DONTWAIT | MSG_NOSIGNAL) == (ssize_t)sizeof byte;
}

static ssize_t handover_receive(int control, struct msghdr *message)
{
    for (;;) {
        ssize_t length = recvmsg(control, message, MSG_CMSG_CLOEXEC);
        if (length >= 0 || errno != EINTR)
            return length;
    }
}

enum handover handover_take(int control, int *socket)
{
    char byte;
    struct iovec data = {.iov_base = &byte, .iov_len = sizeof byte};
    union control_data ancillary;
    struct msghdr message = {.msg_iov = &data,
                             .msg_iovlen = 1,
                             .msg_control = ancillary.bytes,
                             .msg_controllen = sizeof ancillary.bytes};
    ssize_t length = handover_receive(control, &message);
    if (length == 0 || (length < 0 && errno == ECONNRESET)) // with an answer unread
        return HANDOVER_OVER;
    if (length < 0)
        return HANDOVER_BROKEN;
    const struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    if (header == NULL || header->cmsg_type != SCM_RIGHTS ||
        header->cmsg_len != CMSG_LEN(sizeof *socket))
        return HANDOVER_BROKEN;
    memcpy(socket, CMSG_DATA(header), sizeof *socket);
    return HANDOVER_TAKEN;
}

bool handover_answer(int control, struct handover_answer answer)
{
    return send(control, &answer, sizeof answer, MSG_NOSIGNAL) == (ssize_t)sizeof answer;
}

enum handover_reading handover_read(int control, struct handover_answer *answer)
{
    ssize_t length;
    do
        length = recv(control, answer, sizeof *answer, MSG_DONTWAIT | MSG_TRUNC);
    while (length < 0 && errno == EINTR);
    if (length < 0 && errno == EAGAIN)
        return READING_NONE;
    if (length <= 0)
        return READING_OVER;
    bool whole = length == (ssize_t)sizeof *answer;
    return whole && (answer->pid > 0 || answer->error > 0) ? READING_ANSWER : READING_BROKEN;
}
