// See peer_files.h. A right to read goes with the folder or file that is there now and not with its
// name. What takes a file's place, as that of a renewed certificate, is in the same folder: so the
// folder is named, unless it is /etc or has a password in it, or a key to log in with. There a file
// that has been replaced is out of reach, until this process ends for another.
#include "prober/peer_files.h"

#include "common/sandbox.h"
#include "common/target_load.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { FOLLOWED = 3 };

// A file whose folder may be out of reach.
struct followed {
    char path[PATH_MAX];
    char folder[PATH_MAX], target[PATH_MAX]; // of the path, and of where it leads to; "": none
    bool readable;                           // at the first call
};

static struct followed followed[FOLLOWED] = {{.path = "/etc/resolv.conf"}, {.path = "/etc/hosts"}};

static bool peer_files_can_read(const char *path)
{
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file >= 0)
        close(file);
    return file >= 0;
}

static bool peer_files_holds(const char *folder, const char *file)
{
    char path[PATH_MAX];
    size_t length = strlen(folder);
    return file != NULL && realpath(file, path) != NULL && strncmp(path, folder, length) == 0 &&
           path[length] == '/';
}

static bool peer_files_is_secret(const char *folder)
{
    const char *files[TARGET_FILES_MAX];
    struct target target;
    struct error error;
    bool secret = strcmp(folder, "/") == 0 || strcmp(folder, "/etc") == 0;
    bool loaded = target_load(&target, &error);
    (void)loaded; // what of it is there counts
    secret |= peer_files_holds(folder, target.password_file) ||
              peer_files_holds(folder, target_parameter(&target, "sslkey")) ||
              peer_files_holds(folder, target_parameter(&target, "ssl-key"));
    for (size_t i = 0, count = target_load_files(files); i < count; i++)
        secret |= peer_files_holds(folder, files[i]);
    target_wipe(&target);
    return secret;
}

// The folder of a file, with its links followed. "" if it is to stay out of reach.
static void peer_files_find_folder(const char *file, char folder[PATH_MAX])
{
    char name[PATH_MAX];
    const char *slash = strrchr(file, '/');
    size_t length = slash != NULL ? (size_t)(slash - file) : 0;
    folder[0] = '\0';
    if (length == 0 || length >= sizeof name)
        return;
    memcpy(name, file, length);
    name[length] = '\0';
    if (realpath(name, folder) == NULL || peer_files_is_secret(folder))
        folder[0] = '\0';
}

static void peer_files_follow(struct followed *file)
{
    char target[PATH_MAX];
    peer_files_find_folder(file->path, file->folder);
    if (realpath(file->path, target) != NULL)
        peer_files_find_folder(target, file->target);
    file->readable = peer_files_can_read(file->path);
}

void peer_files_narrow(const char *authorities)
{
    static bool narrowed;
    const char *readable[] = {"/usr",
                              "/lib",
                              "/lib64",
                              "/etc/host.conf",
                              "/etc/gai.conf",
                              "/etc/nsswitch.conf",
                              "/etc/services",
                              "/etc/ssl",
                              "/etc/ca-certificates",
                              "/etc/gnutls",
                              "/etc/ld.so.cache",
                              "/run/systemd/resolve",
                              followed[0].path,
                              followed[0].folder,
                              followed[0].target,
                              followed[1].path,
                              followed[1].folder,
                              followed[1].target,
                              authorities,
                              followed[2].folder,
                              followed[2].target};
    if (narrowed)
        return;
    (void)snprintf(followed[FOLLOWED - 1].path, PATH_MAX, "%s", authorities);
    for (size_t i = 0; i < FOLLOWED; i++)
        peer_files_follow(&followed[i]);
    sandbox_narrow(readable, sizeof readable / sizeof *readable);
    narrowed = true;
}

bool peer_files_are_lost(void)
{
    bool lost = false;
    for (size_t i = 0; i < FOLLOWED; i++)
        lost |= followed[i].readable && !peer_files_can_read(followed[i].path) && errno == EACCES;
    return lost;
}
