// See control.h. Each end takes the other for one that may have been taken over: what a message may
// be stands in one table, and anything else is none.
#include "common/control.h"

#include "common/target.h"

#include <assert.h>
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    SOCKET = 1 << CONTROL_FILE_SOCKET,
    SOCKETS = (1 << LISTENERS) - 1,
    TIMES = 1 << CONTROL_FILE_SCHEDSTAT | 1 << CONTROL_FILE_STAT,
    ERRNO_MOST = 4095, // as the kernel has it
    SIGNAL_MOST = 64
};

// What a message may be.
static const struct form {
    enum control_end from;
    uint32_t least_id, most_id;
    int32_t least, most;       // number
    unsigned needed, possible; // files, a bit each
} forms[] = {
    [CONTROL_START] = {.from = CONTROL_OF_SERVER,
                       .least_id = 1,
                       .most_id = UINT32_MAX,
                       .least = ENGINE_POSTGRES,
                       .most = ENGINE_PEERS,
                       .needed = SOCKET,
                       .possible = SOCKET},
    [CONTROL_KILL] = {.from = CONTROL_OF_SERVER, .least_id = 1, .most_id = UINT32_MAX},
    [CONTROL_LISTENING] = {.from = CONTROL_OF_SERVER, .needed = SOCKET, .possible = SOCKETS},
    [CONTROL_BEGIN] = {.from = CONTROL_OF_SUPERVISOR,
                       .most_id = UINT32_MAX,
                       .most = UINT16_MAX,
                       .possible = SOCKETS | TIMES},
    [CONTROL_STARTED] = {.from = CONTROL_OF_SUPERVISOR,
                         .least_id = 1,
                         .most_id = UINT32_MAX,
                         .most = ERRNO_MOST,
                         .possible = TIMES},
    [CONTROL_ENDED] = {.from = CONTROL_OF_SUPERVISOR,
                       .least_id = 1,
                       .most_id = UINT32_MAX,
                       .most = UINT16_MAX},
    [CONTROL_SIGNAL] = {.from = CONTROL_OF_SUPERVISOR, .least = 1, .most = SIGNAL_MOST},
};

// Where the fields stand.
enum { AT_VERB, AT_FILES, AT_ID, AT_NUMBER = AT_ID + sizeof(uint32_t) };

static_assert(AT_NUMBER + sizeof(int32_t) == CONTROL_SIZE, "all of it");

// What carries descriptors, aligned as the kernel wants it.
union ancillary {
    char bytes[CMSG_SPACE(CONTROL_FILES * sizeof(int))];
    struct cmsghdr header;
};

struct control control_of(enum control_verb verb, uint32_t id, int32_t number)
{
    struct control control = {.verb = verb, .id = id, .number = number};
    for (size_t i = 0; i < CONTROL_FILES; i++)
        control.files[i] = -1;
    return control;
}

static unsigned control_files_of(const struct control *control)
{
    unsigned files = 0;
    for (unsigned i = 0; i < CONTROL_FILES; i++)
        files |= control->files[i] >= 0 ? 1U << i : 0;
    return files;
}

void control_encode(const struct control *control, unsigned char bytes[CONTROL_SIZE])
{
    bytes[AT_VERB] = (unsigned char)control->verb;
    bytes[AT_FILES] = (unsigned char)control_files_of(control);
    memcpy(bytes + AT_ID, &control->id, sizeof control->id);
    memcpy(bytes + AT_NUMBER, &control->number, sizeof control->number);
}

static bool control_fits(const struct control *control, unsigned files)
{
    const struct form *form = &forms[control->verb];
    return control->id >= form->least_id && control->id <= form->most_id &&
           control->number >= form->least && control->number <= form->most &&
           (files & form->needed) == form->needed && (files & ~form->possible) == 0;
}

bool control_decode(const unsigned char *bytes, size_t length, struct control *control)
{
    if (length != CONTROL_SIZE || bytes[AT_VERB] < CONTROL_START || bytes[AT_VERB] > CONTROL_SIGNAL)
        return false;
    *control = control_of((enum control_verb)bytes[AT_VERB], 0, 0);
    memcpy(&control->id, bytes + AT_ID, sizeof control->id);
    memcpy(&control->number, bytes + AT_NUMBER, sizeof control->number);
    for (unsigned i = 0; i < CONTROL_FILES; i++)
        control->files[i] = bytes[AT_FILES] & 1U << i ? 0 : -1;
    return control_fits(control, bytes[AT_FILES]);
}

// --- sending

// Without a file there is no header.
static void control_attach(struct msghdr *message, union ancillary *ancillary,
                           const struct control *control)
{
    int files[CONTROL_FILES];
    size_t count = 0;
    for (unsigned i = 0; i < CONTROL_FILES; i++) {
        if (control->files[i] >= 0)
            files[count++] = control->files[i];
    }
    if (count == 0)
        return;
    message->msg_control = ancillary->bytes;
    message->msg_controllen = CMSG_SPACE(count * sizeof(int));
    struct cmsghdr *header = &ancillary->header;
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(count * sizeof(int));
    memcpy(CMSG_DATA(header), files, count * sizeof(int));
}

enum control_sending control_send(int socket, const struct control *control)
{
    unsigned char bytes[CONTROL_SIZE];
    union ancillary ancillary = {.bytes = {0}};
    struct iovec data = {.iov_base = bytes, .iov_len = sizeof bytes};
    struct msghdr message = {.msg_iov = &data, .msg_iovlen = 1};
    control_encode(control, bytes);
    control_attach(&message, &ancillary, control);
    ssize_t sent;
    do
        sent = sendmsg(socket, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
    while (sent < 0 && errno == EINTR);
    if (sent == (ssize_t)sizeof bytes)
        return CONTROL_SENT;
    bool full = errno == EAGAIN || errno == ENOBUFS || errno == ENOMEM || errno == ETOOMANYREFS;
    return full ? CONTROL_FULL : CONTROL_GONE;
}

// --- receiving

// What the kernel is told that there is room for. The buffer has more, to be aligned.
enum { FILES_ROOM = CMSG_LEN(CONTROL_FILES * sizeof(int)) };

// The descriptors that came, at most CONTROL_FILES of them, for there is no room for more.
static size_t control_detach(struct msghdr *message, int files[CONTROL_FILES])
{
    const struct cmsghdr *header = CMSG_FIRSTHDR(message);
    if (header == NULL || header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS)
        return 0;
    size_t count = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    assert(count <= CONTROL_FILES);
    memcpy(files, CMSG_DATA(header), count * sizeof(int));
    return count;
}

// A socket that lingers has its close() wait for its peer, for as long as the sender has set. What
// is no socket has no such option. The kernel closes what there is no room for, and that may
// linger; so the sandbox keeps a server from setting it at all.
static void control_forbid_lingering(const int files[CONTROL_FILES], size_t count)
{
    static const struct linger none = {0};
    for (size_t i = 0; i < count; i++)
        (void)setsockopt(files[i], SOL_SOCKET, SO_LINGER, &none, sizeof none);
}

// Puts them where the message says that they belong; all or none.
static void control_place(struct control *control, const int files[CONTROL_FILES], size_t count)
{
    size_t wanted = 0;
    for (unsigned i = 0; i < CONTROL_FILES; i++)
        wanted += control->files[i] >= 0;
    size_t next = 0;
    for (unsigned i = 0; i < CONTROL_FILES; i++) {
        bool has = wanted == count && control->files[i] >= 0;
        control->files[i] = has ? files[next++] : -1;
    }
    for (; next < count; next++)
        close(files[next]);
}

static ssize_t control_read(int socket, struct msghdr *message)
{
    for (;;) {
        ssize_t length = recvmsg(socket, message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
        if (length >= 0 || errno != EINTR)
            return length;
    }
}

enum control_receiving control_receive(int socket, enum control_end from, struct control *control)
{
    unsigned char bytes[CONTROL_SIZE + 1]; // a longer one tells itself
    int files[CONTROL_FILES];
    union ancillary ancillary;
    struct iovec data = {.iov_base = bytes, .iov_len = sizeof bytes};
    struct msghdr message = {.msg_iov = &data,
                             .msg_iovlen = 1,
                             .msg_control = ancillary.bytes,
                             .msg_controllen = FILES_ROOM};
    ssize_t length = control_read(socket, &message);
    if (length < 0 && errno == EAGAIN)
        return CONTROL_NONE;
    if (length < 0)
        return errno == ECONNRESET ? CONTROL_OVER : CONTROL_BROKEN;
    size_t count = control_detach(&message, files);
    control_forbid_lingering(files, count);
    bool sound =
        control_decode(bytes, (size_t)length, control) && forms[control->verb].from == from;
    if (!sound)
        *control = control_of(CONTROL_KILL, 0, 0);
    control_place(control, files, count);
    if (length == 0)
        return CONTROL_OVER;
    return sound ? CONTROL_TAKEN : CONTROL_BROKEN;
}

void control_close_files(struct control *control)
{
    for (unsigned i = 0; i < CONTROL_FILES; i++) {
        if (control->files[i] >= 0)
            close(control->files[i]);
        control->files[i] = -1;
    }
}
