// See config.h. Check files are read in the order of the folders; a later one replaces an earlier
// check of the same name, so that a user's file can take the place of a shipped one.
#include "server/config/config.h"

#include "common/inquiry.h"
#include "common/memory.h"
#include "common/target_load.h"
#include "server/base/instance.h"
#include "server/base/library_path.h"
#include "server/check/alias.h"
#include "server/check/check_file.h"
#include "server/config/certificate.h"
#include "server/config/readable.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

static const char own_check[] = "configuration"; // stands for problems that belong to no file

static void config_add_problem(struct config *config, const char *text)
{
    words_add(&config->problems, text, strlen(text));
}

// Adds the check where its name belongs, or in the place of the one with that name. They come
// sorted but for those of a second folder.
static void config_add_check(struct config *config, struct check *check)
{
    size_t place = config->check_count;
    while (place > 0 && strcmp(check->name, config->checks[place - 1]->name) < 0)
        place--;
    if (place > 0 && strcmp(check->name, config->checks[place - 1]->name) == 0) {
        check_free(config->checks[place - 1]);
        config->checks[place - 1] = check;
        return;
    }
    config->checks =
        memory_grow(config->checks, (config->check_count + 1) * sizeof *config->checks);
    struct check **at = config->checks + place;
    memmove(at + 1, at, (config->check_count++ - place) * sizeof(struct check *));
    *at = check;
}

static void config_load_file(struct config *config, const char *place)
{
    const char *slash = strrchr(place, '/');
    const char *file = slash != NULL ? slash + 1 : place;
    char *stem = memory_copy(file, check_file_stem_length(file));
    const struct settings *settings = &config->settings;
    struct check_defaults defaults = {.timeout = settings->timeout,
                                      .cache = settings->cache,
                                      .deadline = settings->deadline,
                                      .engine = config->engine};
    struct error error;
    if (!is_name(stem)) {
        (void)error_set(&error, "%.400s:1:1: expected a name of a-z, 0-9 and '-' before .sql",
                        place);
        config_add_problem(config, error.text);
    } else if (strcmp(stem, own_check) == 0) {
        (void)error_set(&error, "%.400s:1:1: this name is the adapter's own, expected another",
                        place);
        config_add_problem(config, error.text);
    } else if (words_have(&settings->disable, stem)) {
        words_add(&config->left_out, stem, strlen(stem));
    } else {
        config_add_check(config, check_file_load(stem, place, &defaults));
    }
    free(stem);
}

static int config_is_check_file(const struct dirent *entry)
{
    return check_file_stem_length(entry->d_name) > 0;
}

static void config_load_folder(struct config *config, const char *folder)
{
    struct dirent **entries;
    struct error error;
    int count = scandir(folder, &entries, config_is_check_file, alphasort);
    if (count < 0) {
        (void)error_set(&error, "DBHEALTH_CHECKS: cannot read folder %s: %s", folder,
                        strerror(errno));
        config_add_problem(config, error.text);
        return;
    }
    if (count == 0) {
        (void)error_set(&error, "DBHEALTH_CHECKS: no .sql file in folder %s", folder);
        config_add_problem(config, error.text);
    }
    for (int i = 0; i < count; i++) {
        char place[PATH_MAX];
        (void)snprintf(place, sizeof place, "%s/%s", folder, entries[i]->d_name);
        config_load_file(config, place);
        free(entries[i]);
    }
    free(entries);
}

// A folder or, for lint, a single file.
static void config_load_path(struct config *config, const char *path)
{
    struct stat status;
    bool file = config->settings.lint && stat(path, &status) == 0 && !S_ISDIR(status.st_mode);
    if (file)
        config_load_file(config, path);
    else
        config_load_folder(config, path);
}

static const char *config_library_part(const struct config *config)
{
    if (config->engine != ENGINE_POSTGRES)
        return "mysql";
    return config->console ? "pgbouncer" : "postgres";
}

static void config_load_library_part(struct config *config, const char *part)
{
    char library[PATH_MAX];
    char folder[PATH_MAX + 16];
    library_path(library, sizeof library);
    (void)snprintf(folder, sizeof folder, "%s/%s", library, part);
    config_load_folder(config, folder);
}

// The part of the installed library that is for this engine, none for no engine; and that for
// peers, where there are any.
static void config_load_library(struct config *config)
{
    if (config->engine == ENGINE_NONE)
        return;
    config_load_library_part(config, config_library_part(config));
    if (config->settings.peers.count > 0)
        config_load_library_part(config, check_prober_of_peers);
}

static void config_load_checks(struct config *config)
{
    const struct words *folders = &config->settings.checks;
    if (folders->count == 0)
        config_add_problem(config, "DBHEALTH_CHECKS: names no folder");
    for (size_t i = 0; i < folders->count; i++) {
        if (strcmp(folders->items[i], "library") == 0)
            config_load_library(config);
        else
            config_load_path(config, folders->items[i]);
    }
}

static bool config_write_inquiry(const struct settings *settings, const struct check *check,
                                 char text[INQUIRY_TEXT_MAX])
{
    struct error error;
    struct inquiry inquiry = {.each = check->each_row, .count = settings->peers.count};
    struct text authorities = text_in(inquiry.authorities, sizeof inquiry.authorities);
    struct text instance = text_in(inquiry.instance, sizeof inquiry.instance);
    text_add(&authorities, settings->peers_ca);
    text_add(&instance, instance_id());
    bool fits = !authorities.cut;
    for (size_t i = 0; i < inquiry.count; i++)
        fits &= place_parse(settings->peers.items[i], &inquiry.places[i], &error);
    return inquiry_write(&inquiry, text) && fits;
}

// Says whom to ask, in the place of a statement.
static void config_fill_in_peers(struct config *config, struct check *check)
{
    char text[INQUIRY_TEXT_MAX];
    const char *problem = NULL;
    if (!check->peers || check->broken != NULL || config->settings.lint)
        return; // whom to ask is no matter of the file's
    if (config->settings.peers.count == 0)
        problem = "`source: peers`, but DBHEALTH_PEERS names none";
    else if (!config_write_inquiry(&config->settings, check, text))
        problem = "DBHEALTH_PEERS_CA: expected a file's name";
    if (problem != NULL) {
        struct error error;
        (void)error_set(&error, "%.300s:1:1: %s", check->place, problem);
        check->broken = memory_string(error.text);
        return;
    }
    free(check->sql);
    check->sql = memory_string(text);
}

static bool config_is_check(const struct config *config, const char *name)
{
    return config_find_check(config, name) < config->check_count ||
           words_have(&config->left_out, name);
}

// Or one that a check has by default: who names those means whichever there are.
static bool config_is_prober(const struct config *config, const char *name)
{
    static const char *const usual[] = {"liveness", "main", "background"};
    bool is_one = false;
    for (size_t i = 0; i < sizeof usual / sizeof *usual; i++)
        is_one |= strcmp(usual[i], name) == 0;
    for (size_t i = 0; i < config->check_count; i++)
        is_one |= strcmp(config->checks[i]->prober, name) == 0;
    return is_one;
}

static void config_look_for_names(struct config *config, const char *variable,
                                  const struct words *names,
                                  bool (*is_one)(const struct config *, const char *),
                                  const char *expected)
{
    for (size_t i = 0; i < names->count; i++) {
        struct error error;
        if (is_one(config, names->items[i]))
            continue;
        (void)error_set(&error, "%s: there is no '%s'; expected %s", variable, names->items[i],
                        expected);
        words_add(&config->warnings, error.text, strlen(error.text));
    }
}

// Which checks there are is known only with an engine.
static void config_look_for_all_names(struct config *config)
{
    static const char check[] = "the name of a check, which is its file's without .sql";
    static const char prober[] =
        "liveness, main, background or what a check file names as its prober";
    const struct settings *settings = &config->settings;
    if (config->engine == ENGINE_NONE)
        return;
    config_look_for_names(config, "DBHEALTH_ENABLE", &settings->enable, config_is_check, check);
    config_look_for_names(config, "DBHEALTH_DISABLE", &settings->disable, config_is_check, check);
    config_look_for_names(config, "DBHEALTH_KEEP", &settings->keep, config_is_prober, prober);
}

// Leaves out what is optional and not asked for; only now, so that a user's file with `enabled: no`
// puts out the shipped one of its name.
static void config_drop_optional_checks(struct config *config)
{
    const struct settings *settings = &config->settings;
    size_t kept = 0;
    for (size_t i = 0; i < config->check_count; i++) {
        struct check *check = config->checks[i];
        if (check->enabled || settings->lint || words_have(&settings->enable, check->name))
            config->checks[kept++] = check;
        else
            check_free(check);
    }
    config->check_count = kept;
}

// By its own words, or because the endpoint has another's checks, too.
static bool config_is_of_endpoint(const struct check *check, const char *endpoint)
{
    const char *included = endpoint_includes(endpoint);
    return words_have(&check->endpoints, endpoint) ||
           (included != NULL && words_have(&check->endpoints, included));
}

// The first endpoint that both are of and one names; NULL if there is none.
static const char *config_common_endpoint(const struct check *one, const struct check *other)
{
    for (size_t i = 0; i < one->endpoints.count; i++) {
        if (config_is_of_endpoint(other, one->endpoints.items[i]))
            return one->endpoints.items[i];
    }
    for (size_t i = 0; i < other->endpoints.count; i++) {
        if (config_is_of_endpoint(one, other->endpoints.items[i]))
            return other->endpoints.items[i];
    }
    return NULL;
}

// A request gives a param one value for all checks that it asks for.
static void config_refuse_param_of_two_types(struct check *check, const struct check *other)
{
    struct error error;
    const struct param *param = params_find_other_type(&check->params, &other->params);
    const char *endpoint = config_common_endpoint(check, other);
    if (param == NULL || endpoint == NULL || check->broken != NULL || other->broken != NULL)
        return;
    (void)error_set(&error,
                    "%.200s:1:1: param %.40s is %s here and %s in %.200s, which is in %.40s too: "
                    "expected one type",
                    check->place, param->name, param_type(param),
                    param_type(params_find(&other->params, param->name)), other->place, endpoint);
    check->broken = memory_string(error.text);
}

static void config_refuse_params_of_two_types(struct config *config)
{
    for (size_t i = 0; i < config->check_count; i++) {
        for (size_t j = 0; j < i; j++)
            config_refuse_param_of_two_types(config->checks[i], config->checks[j]);
    }
}

// The engine, and what people may see of the URL. A URL that is wrong though its engine is known
// is not a problem for good: the probers read it anew at every open, and say `config` until then.
static void config_load_target(struct config *config)
{
    struct target target;
    struct error error;
    if (target_load(&target, &error)) {
        target_describe(&target, config->target, sizeof config->target);
        config->target_digest = target_digest(&target);
        config->console = target_is_console(&target);
    } else {
        config->target_problem = memory_string(error.text);
        config->target_digest = target.engine;
    }
    config->engine = target.engine;
    target_wipe(&target);
}

// A listener without its certificate would shut the kubelet out, and that ends the database. The
// kubelet verifies nothing, so it goes on with any; a client that does verify is warned by that.
static void config_load_certificate(struct config *config)
{
    const struct settings *settings = &config->settings;
    struct error error;
    config->certificate = certificate_load(settings->tls_cert, settings->tls_key, &error);
    if (config->certificate != NULL)
        return;
    config_add_problem(config, error.text);
    config->certificate = certificate_make();
}

// Where nobody can be known, nobody is told details; health stays open.
static void config_load_tls(struct config *config)
{
    static const char no_tls[] = "DBHEALTH_TLS_CLIENT_CA: set without HTTPS, expected "
                                 "DBHEALTH_TLS_CERT and DBHEALTH_TLS_KEY too";
    const struct settings *settings = &config->settings;
    bool clients = settings->tls_client_ca[0] != '\0';
    struct error error;
    if (settings_want_tls(settings))
        config_load_certificate(config);
    else if (clients)
        config_add_problem(config, no_tls);
    if (clients && config->certificate != NULL &&
        !certificate_know_clients(config->certificate, settings->tls_client_ca, &error))
        config_add_problem(config, error.text);
}

// Who names authorities means somebody to be verified by them.
static void config_check_peers(struct config *config)
{
    const struct settings *settings = &config->settings;
    bool verified = settings->peers_ca[0] == '\0';
    for (size_t i = 0; i < settings->peers.count; i++)
        verified |= strncasecmp(settings->peers.items[i], "https://", strlen("https://")) == 0;
    if (!verified)
        config_add_problem(config, "DBHEALTH_PEERS_CA: verifies nobody, expected https:// before a "
                                   "place in DBHEALTH_PEERS");
}

// Stands for the problems that belong to no check file, so that readiness says them.
static void config_add_configuration_check(struct config *config)
{
    struct check_defaults defaults = {.deadline = {.ms = LONG_MAX}};
    static const char text[] = "-- endpoints: healthz startupz readyz\n-- timeout: 1s\nSELECT 1";
    struct check *check = check_file_parse(own_check, own_check, text, sizeof text - 1, &defaults);
    check->broken = memory_string(config->problems.items[0]);
    config_add_check(config, check);
}

static void config_list_broken_checks(struct config *config)
{
    for (size_t i = 0; i < config->check_count; i++) {
        const char *broken = config->checks[i]->broken;
        if (broken != NULL && !words_have(&config->problems, broken))
            config_add_problem(config, broken);
    }
}

// The one that has this very name.
static struct endpoint *config_find_endpoint(const struct config *config, const char *name)
{
    for (size_t i = 0; i < config->endpoint_count; i++) {
        if (strcmp(config->endpoints[i].name, name) == 0)
            return &config->endpoints[i];
    }
    return NULL;
}

static struct endpoint *config_endpoint_of(struct config *config, const char *name)
{
    struct endpoint *found = config_find_endpoint(config, name);
    if (found != NULL)
        return found;
    config->endpoints =
        memory_grow(config->endpoints, (config->endpoint_count + 1) * sizeof *config->endpoints);
    struct endpoint *endpoint = &config->endpoints[config->endpoint_count++];
    *endpoint = (struct endpoint){.name = memory_string(name), .rule = endpoint_rule(name)};
    return endpoint;
}

static void config_join_endpoint(struct config *config, const char *name, size_t check)
{
    struct endpoint *endpoint = config_endpoint_of(config, name);
    for (size_t i = 0; i < endpoint->count; i++) {
        if (endpoint->checks[i] == check)
            return; // the file names it twice, or both endpoints
    }
    endpoint->checks =
        memory_grow(endpoint->checks, (endpoint->count + 1) * sizeof *endpoint->checks);
    endpoint->checks[endpoint->count++] = check;
}

// One that has checks of its own has those of another endpoint, too.
static void config_extend_endpoint(struct config *config, size_t index)
{
    const char *included = endpoint_includes(config->endpoints[index].name);
    const struct endpoint *other = included != NULL ? config_find_endpoint(config, included) : NULL;
    for (size_t i = 0; other != NULL && i < other->count; i++)
        config_join_endpoint(config, config->endpoints[index].name, other->checks[i]);
}

static void config_make_endpoints(struct config *config)
{
    for (size_t i = 0; endpoint_builtin(i) != NULL; i++)
        (void)config_endpoint_of(config, endpoint_builtin(i));
    for (size_t i = 0; i < config->check_count; i++) {
        const struct check *check = config->checks[i];
        for (size_t j = 0; j < check->endpoints.count; j++)
            config_join_endpoint(config, check->endpoints.items[j], i);
        if (!words_have(&config->probers, check->prober))
            words_add(&config->probers, check->prober, strlen(check->prober));
    }
    for (size_t i = 0; i < config->endpoint_count; i++)
        config_extend_endpoint(config, i);
}

struct config *config_load(struct settings *settings)
{
    struct config *config = memory_new(sizeof *config);
    *config = (struct config){.references = 1, .settings = *settings};
    *settings = (struct settings){0};
    for (size_t i = 0; i < config->settings.problems.count; i++)
        config_add_problem(config, config->settings.problems.items[i]);
    config_load_target(config);
    if (config->engine == ENGINE_NONE)
        config_add_problem(config, config->target_problem);
    config_load_tls(config);
    config_check_peers(config);
    config_load_checks(config);
    config_look_for_all_names(config);
    if (!config->settings.lint) // whose folders are not those of who serves
        readable_find_doubts(&config->settings, &config->warnings);
    config_drop_optional_checks(config);
    for (size_t i = 0; i < config->check_count; i++)
        config_fill_in_peers(config, config->checks[i]);
    config_refuse_params_of_two_types(config);
    if (config->problems.count > 0)
        config_add_configuration_check(config);
    if (config->engine != ENGINE_NONE && config->target_problem != NULL)
        config_add_problem(config, config->target_problem);
    config->common_problems = config->problems.count;
    config_list_broken_checks(config);
    config_make_endpoints(config);
    return config;
}

// --- from one to the next

static void config_add_name(struct words *words, const struct check *check)
{
    words_add(words, check->name, strlen(check->name));
}

static void config_compare_check(struct config *later, size_t index, const struct config *earlier,
                                 struct config_changes *changes)
{
    struct check *check = later->checks[index];
    size_t found = config_find_check(earlier, check->name);
    struct check *before = found < earlier->check_count ? earlier->checks[found] : NULL;
    bool was_broken = before != NULL && before->broken != NULL;
    if (check->broken != NULL && !was_broken && strcmp(check->name, own_check) != 0)
        words_add(&changes->problems, check->broken, strlen(check->broken));
    if (before == NULL) {
        config_add_name(&changes->added, check);
    } else if (!check_equal(check, before)) {
        config_add_name(&changes->changed, check);
    } else {
        later->checks[index] = check_hold(before);
        check_free(check);
    }
}

struct config_changes config_succeed(struct config *later, const struct config *earlier)
{
    struct config_changes changes = {
        .certificate = !certificate_equal(later->certificate, earlier->certificate),
        .target = later->target_digest != earlier->target_digest ||
                  strcmp(later->target, earlier->target) != 0};
    for (size_t i = 0; i < later->common_problems; i++) {
        const char *problem = later->problems.items[i];
        if (!words_have(&earlier->problems, problem))
            words_add(&changes.problems, problem, strlen(problem));
    }
    for (size_t i = 0; i < later->check_count; i++)
        config_compare_check(later, i, earlier, &changes);
    for (size_t i = 0; i < earlier->check_count; i++) {
        if (config_find_check(later, earlier->checks[i]->name) == later->check_count)
            config_add_name(&changes.removed, earlier->checks[i]);
    }
    return changes;
}

bool config_changes_any(const struct config_changes *changes)
{
    return changes->added.count + changes->changed.count + changes->removed.count > 0 ||
           changes->certificate || changes->target;
}

void config_changes_clear(struct config_changes *changes)
{
    words_free(&changes->added);
    words_free(&changes->changed);
    words_free(&changes->removed);
    words_free(&changes->problems);
}

struct config *config_hold(struct config *config)
{
    config->references++;
    return config;
}

void config_release(struct config *config)
{
    if (--config->references > 0)
        return;
    for (size_t i = 0; i < config->check_count; i++)
        check_free(config->checks[i]);
    for (size_t i = 0; i < config->endpoint_count; i++) {
        free(config->endpoints[i].name);
        free(config->endpoints[i].checks);
    }
    free(config->checks);
    free(config->endpoints);
    free(config->target_problem);
    certificate_release(config->certificate);
    words_free(&config->probers);
    words_free(&config->problems);
    words_free(&config->left_out);
    words_free(&config->warnings);
    settings_clear(&config->settings);
    free(config);
}

size_t config_find_check(const struct config *config, const char *name)
{
    size_t i = 0;
    while (i < config->check_count && strcmp(config->checks[i]->name, name) != 0)
        i++;
    return i;
}

const struct endpoint *config_endpoint(const struct config *config, const char *name)
{
    const struct endpoint *found = config_find_endpoint(config, name);
    const char *meant = alias_of_endpoint(name);
    return found != NULL || meant == NULL ? found : config_find_endpoint(config, meant);
}
