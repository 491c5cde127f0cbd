// See file.h.
#include "common/file.h"

#include "common/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

// O_NONBLOCK: a FIFO must not hold dbhealthd up.
bool file_read(const char *path, size_t limit, char **bytes, size_t *length, struct error *error)
{
    struct stat status;
    int file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (file < 0)
        return error_set(error, "cannot open: %s", strerror(errno));
    bool regular = fstat(file, &status) == 0 && S_ISREG(status.st_mode);
    if (!regular || status.st_size > (off_t)limit) {
        close(file);
        return error_set(error, "expected a regular file of at most %zu bytes", limit);
    }
    *bytes = memory_new((size_t)status.st_size + 1);
    ssize_t got = read(file, *bytes, (size_t)status.st_size);
    close(file);
    *length = got > 0 ? (size_t)got : 0;
    return true;
}
