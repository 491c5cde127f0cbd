// See target_load.h. Used by the server and by the probers, whose environments differ in secrets.
#include "common/target_load.h"

#include "common/environment.h"
#include "common/image_variables.h"
#include "common/memory.h"
#include "common/secret.h"

const char target_url_variable[] = "DATABASE_URL";
const char target_problem_variable[] = "DATABASE_URL_PROBLEM";
static const char url_file_variable[] = "DATABASE_URL_FILE";
static const char password_variable[] = "DATABASE_PASSWORD_FILE";

static bool target_load_load_image_variables(struct target *target, struct error *error)
{
    bool found;
    if (!image_variables_load(target, &found, error))
        return false;
    if (!found)
        return target_expect_url(error, "DATABASE_URL: not set");
    target_set_loopback(target);
    return true;
}

// The server does not get a URL that is wrong, for its password could not be found in it. It gets
// what was wrong.
static bool target_load_parse_url(struct target *target, const char *url, struct error *error)
{
    const char *problem = environment_value(target_problem_variable);
    if (target_parse(target, url, error))
        return true;
    if (problem != NULL)
        (void)error_set(error, "%s", problem);
    return error_prefix(error, "%s", target_url_variable);
}

static bool target_load_load_url(struct target *target, struct error *error)
{
    const char *url = environment_value(target_url_variable);
    const char *file = environment_value(url_file_variable);
    if (url == NULL && file == NULL)
        return target_load_load_image_variables(target, error);
    if (url != NULL && file != NULL)
        return error_set(error, "%s and %s are both set, expected one", target_url_variable,
                         url_file_variable);
    if (url != NULL)
        return target_load_parse_url(target, url, error);
    char *text = NULL;
    bool loaded = secret_read(file, &text, error) && target_parse(target, text, error);
    secret_wipe(&text);
    return loaded || error_prefix(error, "%s", url_file_variable);
}

bool target_load(struct target *target, struct error *error)
{
    *target = (struct target){0};
    if (!target_load_load_url(target, error))
        return false;
    const char *file = environment_value(password_variable);
    if (file != NULL) {
        secret_wipe(&target->password_file);
        target->password_file = memory_string(file);
        target->password_variable = password_variable;
    }
    return true;
}

bool target_load_password(struct target *target, struct error *error)
{
    if (target->password_file == NULL)
        return true;
    char *password = NULL;
    if (!secret_read(target->password_file, &password, error))
        return error_prefix(error, "%s", target->password_variable);
    secret_wipe(&target->password);
    target->password = password;
    return true;
}

size_t target_load_files(const char *paths[TARGET_FILES_MAX])
{
    const char *file = environment_value(url_file_variable);
    if (environment_value(target_url_variable) == NULL && file == NULL)
        return image_variables_files(paths);
    paths[0] = file;
    return file != NULL;
}
