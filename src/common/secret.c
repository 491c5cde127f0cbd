// See secret.h.
#include "common/secret.h"

#include "common/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

void secret_wipe(char **string)
{
    if (*string != NULL)
        explicit_bzero(*string, strlen(*string));
    free(*string);
    *string = NULL;
}

// A path as an error may show it. Only one in a folder that is there is certain not to be the
// secret itself, put where the name of its file belongs.
static const char *secret_shown_path(const char *path)
{
    const char *slash = strrchr(path, '/');
    if (path[0] != '/' || slash == path)
        return "the file that it names";
    char *folder = memory_copy(path, (size_t)(slash - path));
    bool exists = access(folder, F_OK) == 0;
    secret_wipe(&folder);
    return exists ? path : "the file that it names";
}

// The file's text without one trailing newline. O_NONBLOCK: a FIFO must not hold dbhealthd up.
bool secret_read(const char *path, char **text, struct error *error)
{
    struct stat status;
    int file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (file < 0)
        return error_set(error, "cannot open %s: %s", secret_shown_path(path), strerror(errno));
    char bytes[SECRET_MAX + 1];
    ssize_t length = -1;
    if (fstat(file, &status) == 0 && S_ISREG(status.st_mode))
        length = read(file, bytes, sizeof bytes);
    close(file);
    if (length < 0)
        return error_set(error, "cannot read %s: expected a regular file", secret_shown_path(path));
    bool fits = length <= SECRET_MAX && memchr(bytes, '\0', (size_t)length) == NULL;
    if (length > 0 && bytes[length - 1] == '\n')
        length--;
    if (fits)
        *text = memory_copy(bytes, (size_t)length);
    explicit_bzero(bytes, sizeof bytes);
    if (!fits)
        return error_set(error, "%s: expected at most %d bytes of text", secret_shown_path(path),
                         SECRET_MAX);
    return true;
}
