// See secret.h.
#include "common/secret.h"

#include "common/file.h"
#include "common/memory.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
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

static bool secret_refuse(const char *path, enum file_reading reading, struct error *error)
{
    const char *cause = strerror(errno);
    const char *shown = secret_shown_path(path);
    switch (reading) {
    case FILE_NOT_OPENED:
        return error_set(error, "cannot open %s: %s", shown, cause);
    case FILE_NOT_READ:
        return error_set(error, "cannot read %s: %s", shown, cause);
    case FILE_IRREGULAR:
        return error_set(error, "cannot read %s: expected a regular file", shown);
    case FILE_TOO_LONG:
    case FILE_READ: // but it has a NUL
        break;
    }
    return error_set(error, "%s: expected at most %d bytes of text", shown, SECRET_MAX);
}

bool secret_read(const char *path, char **text, struct error *error)
{
    char *bytes;
    size_t length;
    enum file_reading reading = file_take(path, SECRET_MAX, &bytes, &length);
    if (reading != FILE_READ)
        return secret_refuse(path, reading, error);
    if (strlen(bytes) != length) {
        explicit_bzero(bytes, length);
        free(bytes);
        return secret_refuse(path, reading, error);
    }
    if (length > 0 && bytes[length - 1] == '\n')
        bytes[length - 1] = '\0';
    *text = bytes;
    return true;
}
