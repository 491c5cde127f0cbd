// The database's URL and the images' variables: what is understood is one server with a user, comes
// back the same when it is written as a URL, and is shown without its password; what is not is told
// by the variable's name, and nothing of a URL is quoted.
//
// Input: lines "$NAME=VALUE", the environment. The value of a variable NAME_FILE is what stands in
// the file.
#include "fuzz.h"

#include "common/memory.h"
#include "common/target.h"
#include "common/target_load.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

// Seeds and dictionary have this in URLs and passwords; no message may.
static const char secret[] = "s3cr3t";

enum { FILES_MAX = 8 };

static struct {
    int items[FILES_MAX];
    size_t count;
} files;

static int make_file(const char *text)
{
    int file = memfd_create("secret", MFD_CLOEXEC);
    MUST(file >= 0);
    MUST(write(file, text, strlen(text)) == (ssize_t)strlen(text));
    MUST(lseek(file, 0, SEEK_SET) == 0);
    return file;
}

// Puts the value of a variable that names a file into one. Nothing else is ever opened.
static void make_files(void)
{
    for (size_t i = 0; environ[i] != NULL; i++) {
        char *equals = strchr(environ[i], '=');
        if (equals == NULL || equals[1] == '\0' || equals - environ[i] < 5 ||
            strncmp(equals - 5, "_FILE", 5) != 0)
            continue;
        struct written variable = {0};
        write_bytes(&variable, environ[i], (size_t)(equals - environ[i]));
        if (files.count < FILES_MAX) {
            files.items[files.count] = make_file(equals + 1);
            write_format(&variable, "=/proc/self/fd/%d", files.items[files.count++]);
        } else {
            write_format(&variable, "=/nonexistent");
        }
        free(environ[i]);
        environ[i] = variable.bytes;
    }
}

static void close_files(void)
{
    while (files.count > 0)
        close(files.items[--files.count]);
}

static void must_keep_the_secret(const char *text)
{
    MUST(strstr(text, secret) == NULL);
}

static bool begins_with_variable(const char *text)
{
    static const char *const names[] = {"DATABASE_", "POSTGRES_", "MYSQL_", "MARIADB_"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (strncmp(text, names[i], strlen(names[i])) == 0)
            return true;
    }
    return false;
}

static bool is_filled(const char *text)
{
    return text == NULL || text[0] != '\0';
}

static void must_be_one_server(const struct target *target)
{
    MUST(target->engine == ENGINE_POSTGRES || target->engine == ENGINE_MYSQL);
    MUST((target->host == NULL) != (target->socket == NULL));
    MUST(is_filled(target->host) && is_filled(target->socket));
    MUST(target->host == NULL || strchr(target->host, ',') == NULL);
    MUST(target->socket == NULL || target->engine == ENGINE_MYSQL ||
         strchr(target->socket, ',') == NULL);
    MUST(target->port > 0);
    MUST(target->user != NULL && target->user[0] != '\0');
    MUST(is_filled(target->database));
    MUST(target->database != NULL || target->engine == ENGINE_MYSQL);
    MUST((target->password_file != NULL) == (target->password_variable != NULL));
    MUST(target->parameter_count <= TARGET_PARAMETERS_MAX);
    for (size_t i = 0; i < target->parameter_count; i++)
        MUST_EQUAL(target_parameter(target, target->parameters[i].name),
                   target->parameters[i].value);
}

// What is shown is the same with another password.
static void must_be_shown_without_password(const struct target *target)
{
    static char other[] = "another";
    struct target changed = *target;
    char shown[300], shown_changed[300];
    target_describe(target, shown, sizeof shown);
    MUST(is_fit_line(shown));
    if (target->password == NULL)
        return;
    changed.password = other;
    target_describe(&changed, shown_changed, sizeof shown_changed);
    MUST_EQUAL(shown, shown_changed);
    MUST(target_digest(target) == target_digest(&changed));
}

// --- writing a target as a URL

static void write_parameter(struct written *url, const char *name, const char *value)
{
    if (value == NULL)
        return;
    write_format(url, "%c%s=", strchr(url->bytes, '?') == NULL ? '?' : '&', name);
    write_escaped(url, value);
}

static void write_url(struct written *url, const struct target *target)
{
    bool postgres = target->engine == ENGINE_POSTGRES;
    write_format(url, postgres ? "postgres://" : "mysql://");
    write_escaped(url, target->user);
    if (target->password != NULL) {
        write_format(url, ":");
        write_escaped(url, target->password);
    }
    write_format(url, "@");
    if (target->host != NULL)
        write_escaped(url, target->host);
    write_format(url, ":%u/", target->port);
    if (target->database != NULL)
        write_escaped(url, target->database);
    write_parameter(url, postgres ? "host" : "socket", target->socket);
    for (size_t i = 0; i < target->parameter_count; i++)
        write_parameter(url, target->parameters[i].name, target->parameters[i].value);
}

static void must_be_the_same(const struct target *a, const struct target *b)
{
    MUST(a->engine == b->engine && a->port == b->port);
    MUST_EQUAL(a->host, b->host);
    MUST_EQUAL(a->socket, b->socket);
    MUST_EQUAL(a->user, b->user);
    MUST_EQUAL(a->password, b->password);
    MUST_EQUAL(a->database, b->database);
    MUST(a->parameter_count == b->parameter_count && target_digest(a) == target_digest(b));
    for (size_t i = 0; i < a->parameter_count; i++)
        MUST_EQUAL(target_parameter(a, a->parameters[i].name),
                   target_parameter(b, a->parameters[i].name));
}

static void must_come_back(const struct target *target)
{
    struct written url = {0};
    struct target other;
    struct error error;
    write_url(&url, target);
    if (!target_parse(&other, url.bytes, &error))
        fuzz_found(url.bytes, 0, error.text);
    must_be_the_same(target, &other);
    target_wipe(&other);
    free(url.bytes);
}

// As whoever gets the masked URL takes it.
static void must_come_back_masked(const struct target *target)
{
    char shown[300], masked_shown[300];
    char *url = target_masked_url(target);
    struct target other;
    struct error error;
    struct target asked = *target; // a file with the password is no part of the URL
    if (!target_parse(&other, url, &error))
        fuzz_found(url, 0, error.text);
    asked.password_file = NULL;
    target_describe(&asked, shown, sizeof shown);
    target_describe(&other, masked_shown, sizeof masked_shown);
    MUST_EQUAL(shown, masked_shown);
    MUST(target_digest(target) == target_digest(&other));
    MUST(target->parameter_count == other.parameter_count);
    target_wipe(&other);
    free(url);
}

// Whatever the password is.
static void must_be_masked_without_password(const struct target *target)
{
    static char another[] = "another";
    struct target changed = *target;
    if (target->password == NULL)
        return;
    changed.password = another;
    char *url = target_masked_url(target), *other = target_masked_url(&changed);
    MUST_EQUAL(url, other);
    free(url);
    free(other);
}

static void try_password(struct target *target)
{
    struct error error;
    bool from_file = target->password_file != NULL;
    if (target_load_password(target, &error)) {
        MUST(!from_file || target->password != NULL);
        return;
    }
    must_be_told(&error);
    must_keep_the_secret(error.text);
    MUST(begins_with_variable(error.text));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    struct input input = input_of(bytes, length);
    struct target target;
    struct error error;
    const char *paths[TARGET_FILES_MAX];
    environment_begin(&input);
    make_files();
    MUST(target_load_files(paths) <= TARGET_FILES_MAX);
    if (target_load(&target, &error)) {
        must_be_one_server(&target);
        must_be_shown_without_password(&target);
        must_come_back(&target);
        must_come_back_masked(&target);
        must_be_masked_without_password(&target);
        try_password(&target);
    } else {
        must_be_told(&error);
        must_keep_the_secret(error.text);
        MUST(begins_with_variable(error.text));
    }
    target_wipe(&target);
    close_files();
    environment_end();
    return 0;
}
