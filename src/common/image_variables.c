// See image_variables.h. Each NAME has a form NAME_FILE that names a file with the value, as in the
// images' own entry points; a password's file is left to the prober, which reads it at every login.
// The user that the image makes for applications goes before root: a superuser gets into a full
// server, and so cannot tell that it is full.
#include "common/image_variables.h"

#include "common/environment.h"
#include "common/memory.h"
#include "common/secret.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { VARIABLE_MAX = 64 };

// Where to look, in this order.
static const struct identity {
    enum engine engine;
    const char *user_variable; // NULL: the image has none, the user is the default
    const char *default_user;  // NULL: without the variable there is no such identity
    const char *password_variable;
    const char *password_file_variable;
    const char *database_variable;
} identities[] = {
    {ENGINE_POSTGRES, "POSTGRES_USER", "postgres", "POSTGRES_PASSWORD", "POSTGRES_PASSWORD_FILE",
     "POSTGRES_DB"},
    {ENGINE_MYSQL, "MARIADB_USER", NULL, "MARIADB_PASSWORD", "MARIADB_PASSWORD_FILE",
     "MARIADB_DATABASE"},
    {ENGINE_MYSQL, "MYSQL_USER", NULL, "MYSQL_PASSWORD", "MYSQL_PASSWORD_FILE", "MYSQL_DATABASE"},
    {ENGINE_MYSQL, NULL, "root", "MARIADB_ROOT_PASSWORD", "MARIADB_ROOT_PASSWORD_FILE",
     "MARIADB_DATABASE"},
    {ENGINE_MYSQL, NULL, "root", "MYSQL_ROOT_PASSWORD", "MYSQL_ROOT_PASSWORD_FILE",
     "MYSQL_DATABASE"},
};

enum { IDENTITY_COUNT = sizeof identities / sizeof *identities };

static_assert(2 * IDENTITY_COUNT <= TARGET_FILES_MAX, "a user and a database each");

static const char *image_variables_file_variable(const char *name)
{
    char file_name[VARIABLE_MAX];
    if (name == NULL)
        return NULL;
    (void)snprintf(file_name, sizeof file_name, "%s_FILE", name);
    return environment_value(file_name);
}

static bool image_variables_is_set(const char *name)
{
    return environment_value(name) != NULL || image_variables_file_variable(name) != NULL;
}

// A user's name decides; where there is a default for it, a password is enough.
static bool image_variables_is_given(const struct identity *identity)
{
    return image_variables_is_set(identity->user_variable) ||
           (identity->default_user != NULL && image_variables_is_set(identity->password_variable));
}

static bool image_variables_refuse_both(const char *name, struct error *error)
{
    return error_set(error, "%s and %s_FILE are both set, expected one", name, name);
}

// The value of a variable or of its file; NULL if neither is set.
static bool image_variables_read_variable(const char *name, char **value, struct error *error)
{
    const char *plain = environment_value(name);
    const char *file = image_variables_file_variable(name);
    if (plain != NULL && file != NULL)
        return image_variables_refuse_both(name, error);
    if (plain != NULL)
        *value = memory_string(plain);
    if (file == NULL)
        return true;
    if (!secret_read(file, value, error))
        return error_prefix(error, "%s_FILE", name);
    if ((*value)[0] == '\0') // as if it were not set: so does the image
        secret_wipe(value);
    return true;
}

static bool image_variables_take_password(const struct identity *identity, struct target *target,
                                          struct error *error)
{
    const char *plain = environment_value(identity->password_variable);
    const char *file = environment_value(identity->password_file_variable);
    if (plain != NULL && file != NULL)
        return image_variables_refuse_both(identity->password_variable, error);
    if (plain != NULL)
        target->password = memory_string(plain);
    if (file != NULL) {
        target->password_file = memory_string(file);
        target->password_variable = identity->password_file_variable;
    }
    return true;
}

static bool image_variables_take_identity(const struct identity *identity, struct target *target,
                                          struct error *error)
{
    target->engine = identity->engine;
    if (!image_variables_read_variable(identity->user_variable, &target->user, error) ||
        !image_variables_read_variable(identity->database_variable, &target->database, error))
        return false;
    if (target->user == NULL && identity->default_user == NULL)
        return error_set(error, "%s_FILE: expected a user's name in the file",
                         identity->user_variable);
    if (target->user == NULL)
        target->user = memory_string(identity->default_user);
    if (target->database == NULL && identity->engine == ENGINE_POSTGRES)
        target->database = memory_string(target->user); // as the image does
    return image_variables_take_password(identity, target, error);
}

bool image_variables_load(struct target *target, bool *found, struct error *error)
{
    const struct identity *first = NULL;
    for (size_t i = 0; i < IDENTITY_COUNT; i++) {
        const struct identity *identity = &identities[i];
        if (!image_variables_is_given(identity))
            continue;
        if (first == NULL)
            first = identity;
        if (first->engine != identity->engine)
            return error_set(error, "%s and %s name two kinds of database, expected DATABASE_URL",
                             first->password_variable, identity->password_variable);
    }
    *found = first != NULL;
    return first == NULL || image_variables_take_identity(first, target, error);
}

size_t image_variables_files(const char *paths[TARGET_FILES_MAX])
{
    size_t count = 0;
    for (size_t i = 0; i < IDENTITY_COUNT; i++) {
        const char *const variables[] = {identities[i].user_variable,
                                         identities[i].database_variable};
        for (size_t j = 0; j < 2; j++) {
            const char *file = image_variables_file_variable(variables[j]);
            if (file != NULL)
                paths[count++] = file;
        }
    }
    return count;
}
