// Which database server is probed, and as whom: a URL turned into a struct. Where the URL comes
// from: see target_load.h.
#pragma once

#include "common/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum engine {
    ENGINE_NONE,
    ENGINE_POSTGRES,
    ENGINE_MYSQL, // MariaDB too
    ENGINE_PEERS  // no database's, and of no URL: the adapters of other servers
};

// "postgres" or "mysql"; NULL for no engine.
const char *engine_name(enum engine engine);

enum { TARGET_PARAMETERS_MAX = 32, TARGET_FILES_MAX = 10 };

// A parameter of the URL's query that is the client library's to understand.
struct target_parameter {
    const char *name; // static: the spelling of the table in target.c
    char *value;
};

// Filled by target_parse or target_load, which may have filled a part even when they failed;
// emptied by target_wipe. Strings are owned, percent-decoded, without NUL inside.
struct target {
    enum engine engine; // set even when the rest is wrong, if the scheme could be read
    char *host;         // name or address; NULL if socket is set
    char *socket;       // Postgres: the folder of the Unix socket; MySQL: the socket; else NULL
    uint16_t port;
    char *user;
    char *password; // NULL: none given (yet: see password_file)
    char *database; // NULL: none (MySQL only)
    char *password_file;
    const char *password_variable; // the one that named the file: static
    struct target_parameter parameters[TARGET_PARAMETERS_MAX];
    size_t parameter_count;
};

// Parses a URL (RFC 3986, with the parameters of libpq's and MySQL's own URLs). On false the error
// says what was expected and quotes nothing, for any part of a mistyped URL may be the password.
bool target_parse(struct target *target, const char *url, struct error *error)
    __attribute__((warn_unused_result));

// Sets the error to the problem and what a URL looks like; returns false.
bool target_expect_url(struct error *error, const char *problem);

// Makes the target the server of its engine on this machine, at the usual port.
void target_set_loopback(struct target *target);

// Overwrites and frees all strings.
void target_wipe(struct target *target);

// Whether it is the console of a PgBouncer, which has this database's name to itself.
bool target_is_console(const struct target *target);

// Writes the target as a URL without parameters, the password as ***, cut to capacity.
void target_describe(const struct target *target, char *text, size_t capacity);

// A URL that is parsed to this target again, but with *** for each secret. Of one that was parsed
// well. The caller's to free.
char *target_masked_url(const struct target *target);

// Of all but what the user shows for itself: equal ones mean the same server and database.
uint64_t target_digest(const struct target *target);

// The value of a library parameter; NULL if the URL has none.
const char *target_parameter(const struct target *target, const char *name);
