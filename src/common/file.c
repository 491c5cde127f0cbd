// See file.h. A file is read until there is no more of it, whatever size it is said to have: it may
// grow or shrink meanwhile, a file system may hand it out in pieces, and half an SQL statement may
// be another statement.
#include "common/file.h"

#include "common/digest.h"
#include "common/memory.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

// With less, fstat() refuses a file whose inode number has more than 32 bits, however small it is.
static_assert(sizeof(off_t) == 8, "wants _FILE_OFFSET_BITS=64");

// Until the room is full or the file is at its end. False with errno.
static bool file_fill(int file, char *bytes, size_t room, size_t *length)
{
    *length = 0;
    while (*length < room) {
        ssize_t got = read(file, bytes + *length, room - *length);
        if (got == 0)
            return true;
        if (got < 0 && errno != EINTR)
            return false;
        *length += got > 0 ? (size_t)got : 0;
    }
    return true;
}

// With room for a byte above the limit, which tells a longer file, and for the NUL. Never moved to
// grow: the bytes may be a secret.
static enum file_reading file_take_open(int file, size_t limit, char **bytes, size_t *length)
{
    struct stat status;
    if (fstat(file, &status) != 0 || !S_ISREG(status.st_mode))
        return FILE_IRREGULAR;
    char *taken = memory_grow(NULL, limit + 2);
    size_t got;
    bool filled = file_fill(file, taken, limit + 1, &got);
    if (filled && got <= limit) {
        taken[got] = '\0';
        *bytes = taken;
        *length = got;
        return FILE_READ;
    }
    int cause = errno;
    explicit_bzero(taken, got);
    free(taken);
    errno = cause;
    return filled ? FILE_TOO_LONG : FILE_NOT_READ;
}

// O_NONBLOCK: a FIFO must not hold dbhealthd up.
enum file_reading file_take(const char *path, size_t limit, char **bytes, size_t *length)
{
    int file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (file < 0)
        return FILE_NOT_OPENED;
    enum file_reading reading = file_take_open(file, limit, bytes, length);
    int cause = errno;
    close(file);
    errno = cause;
    return reading;
}

bool file_read(const char *path, size_t limit, char **bytes, size_t *length, struct error *error)
{
    switch (file_take(path, limit, bytes, length)) {
    case FILE_READ:
        return true;
    case FILE_NOT_OPENED:
        return error_set(error, "cannot open: %s", strerror(errno));
    case FILE_NOT_READ:
        return error_set(error, "cannot read: %s", strerror(errno));
    case FILE_IRREGULAR:
    case FILE_TOO_LONG:
        break;
    }
    return error_set(error, "expected a regular file of at most %zu bytes", limit);
}

uint64_t file_add_state(uint64_t digest, const char *path)
{
    struct stat status;
    if (stat(path, &status) != 0)
        return digest;
    const int64_t state[] = {(int64_t)status.st_dev, (int64_t)status.st_ino, status.st_size,
                             status.st_mtim.tv_sec,  status.st_mtim.tv_nsec, status.st_ctim.tv_sec,
                             status.st_ctim.tv_nsec};
    return digest_add(digest, state, sizeof state);
}
