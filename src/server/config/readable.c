// See readable.h. A right to read goes with the folder or file that is there now and not with its
// name. What takes a file's place tomorrow is in the same folder: so the folder is named, and of a
// folder of check files the one that it is in, for it may be replaced, too, or be a link or a
// mount. A link's end is as good as its beginning.
//
// The decision to question: a folder is not named for a file's sake if something is in it that the
// server must not read, the password above all. Then it may read the file as it is now, and a later
// one is out of reach until the server is started anew. A folder of checks is named all the same,
// for no check that is new or mended would be read otherwise; the operator is warned.
#include "server/config/readable.h"

#include "common/environment.h"
#include "common/memory.h"
#include "common/target_load.h"
#include "server/base/library_path.h"
#include "server/check/check_file.h"

#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct readable {
    struct words paths;
    struct words secrets; // what must stay out of reach, with all links resolved
};

static void readable_add(struct words *words, const char *path)
{
    if (path != NULL && !words_have(words, path))
        words_add(words, path, strlen(path));
}

static void readable_add_secret(struct readable *readable, const char *path)
{
    char *resolved = path != NULL ? realpath(path, NULL) : NULL;
    readable_add(&readable->secrets, path);
    readable_add(&readable->secrets, resolved);
    free(resolved);
}

// What the probe user shows for itself.
static void readable_list_secrets(struct words *files)
{
    static const char *const keys[] = {"sslkey", "ssl-key"};
    struct target target;
    struct error error;
    bool loaded = target_load(&target, &error);
    (void)loaded; // what of it is there counts
    readable_add(files, target.password_file);
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        readable_add(files, target_parameter(&target, keys[i]));
    target_wipe(&target);
}

static void readable_find_secrets(struct readable *readable)
{
    struct words files = {0};
    readable_list_secrets(&files);
    readable_add_secret(readable, "/etc/passwd");
    readable_add_secret(readable, environment_value("HOME"));
    for (size_t i = 0; i < files.count; i++)
        readable_add_secret(readable, files.items[i]);
    words_free(&files);
}

static bool readable_is_within(const char *path, const char *folder)
{
    size_t length = strlen(folder);
    if (strcmp(folder, "/") == 0)
        return true;
    return strncmp(path, folder, length) == 0 && (path[length] == '/' || path[length] == '\0');
}

static bool readable_holds_secret(const struct readable *readable, const char *folder)
{
    bool holds = false;
    for (size_t i = 0; i < readable->secrets.count; i++)
        holds |= readable_is_within(readable->secrets.items[i], folder);
    return holds;
}

// The folder that the path is in, or will be in: the nearest that is there. For free().
static char *readable_folder_of(const char *path)
{
    char *name = memory_string(path);
    char *folder = NULL;
    char *slash;
    while (folder == NULL && (slash = strrchr(name, '/')) != NULL) {
        slash[slash == name] = '\0'; // "/" stays
        folder = realpath(name, NULL);
        if (slash == name)
            break;
    }
    free(name);
    return folder != NULL || path[0] == '/' ? folder : realpath(".", NULL);
}

// Adds the folder, if there are no secrets in it; true then.
static bool readable_add_folder_of(struct readable *readable, const char *path)
{
    char *folder = readable_folder_of(path);
    bool is_free = folder != NULL && !readable_holds_secret(readable, folder);
    if (is_free)
        readable_add(&readable->paths, folder);
    free(folder);
    return is_free;
}

// The path, and where it leads to by links.
static void readable_add_path(struct readable *readable, const char *path)
{
    char *resolved = realpath(path, NULL);
    (void)readable_add_folder_of(readable, path);
    if (resolved != NULL && !readable_add_folder_of(readable, resolved))
        readable_add(&readable->paths, resolved);
    free(resolved);
}

// Whatever else is in it (see readable_find_doubts). And the check files in it that are links out
// of it.
static void readable_add_check_folder(struct readable *readable, const char *folder)
{
    char path[PATH_MAX];
    const struct dirent *entry;
    char *resolved = realpath(folder, NULL);
    (void)readable_add_folder_of(readable, folder);
    readable_add(&readable->paths, resolved);
    free(resolved);
    DIR *entries = opendir(folder);
    while (entries != NULL && (entry = readdir(entries)) != NULL) {
        (void)snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        bool may_be_link = entry->d_type == DT_LNK || entry->d_type == DT_UNKNOWN;
        if (may_be_link && check_file_stem_length(entry->d_name) > 0)
            readable_add_path(readable, path);
    }
    if (entries != NULL)
        closedir(entries);
}

static void readable_add_library(struct readable *readable)
{
    char library[PATH_MAX];
    library_path(library, sizeof library);
    readable_add(&readable->paths, library);
}

struct words readable_paths(const struct settings *settings)
{
    struct readable readable = {0};
    const char *files[TARGET_FILES_MAX + 3] = {settings->tls_cert, settings->tls_key,
                                               settings->tls_client_ca};
    size_t count = 3 + target_load_files(files + 3);
    readable_find_secrets(&readable);
    for (size_t i = 0; i < settings->checks.count; i++) {
        if (strcmp(settings->checks.items[i], "library") == 0)
            readable_add_library(&readable);
        else
            readable_add_check_folder(&readable, settings->checks.items[i]);
    }
    for (size_t i = 0; i < count; i++) {
        if (files[i][0] != '\0')
            readable_add_path(&readable, files[i]);
    }
    words_free(&readable.secrets);
    return readable.paths;
}

// A link to it from there, or to it there, is not it.
static bool readable_is_in_folder(const char *file, const char *folder)
{
    char *resolved = realpath(file, NULL);
    char *resolved_folder = realpath(folder, NULL);
    bool is_in = resolved_folder != NULL &&
                 readable_is_within(resolved != NULL ? resolved : file, resolved_folder);
    free(resolved_folder);
    free(resolved);
    return is_in;
}

void readable_find_doubts(const struct settings *settings, struct words *warnings)
{
    struct words files = {0};
    struct error error;
    readable_list_secrets(&files);
    for (size_t i = 0; i < settings->checks.count * files.count; i++) {
        const char *folder = settings->checks.items[i / files.count];
        const char *file = files.items[i % files.count];
        if (strcmp(folder, "library") == 0 || !readable_is_in_folder(file, folder))
            continue;
        (void)error_set(&error,
                        "DBHEALTH_CHECKS: %.200s is in the folder %.200s, so the process that "
                        "answers HTTP can read it; expected it elsewhere",
                        file, folder);
        words_add(warnings, error.text, strlen(error.text));
    }
    words_free(&files);
}
