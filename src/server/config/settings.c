// See settings.h. A setting is added in the struct, in the table below and in the manual page; a
// test holds the two together. A bad value does not end the program: an adapter that does not serve
// keeps the database from starting or gets it killed. It serves with the default and says so.
#include "server/config/settings.h"

#include "common/inquiry.h"
#include "common/memory.h"

#include <assert.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum setting_type { TYPE_TEXT, TYPE_FOLDERS, TYPE_NAMES, TYPE_PLACES, TYPE_DURATION, TYPE_CHOICE };

struct setting {
    const char *flag;
    const char *variable;
    enum setting_type type;
    size_t offset; // in struct settings
    const char *default_text;
    int64_t least_ms, most_ms;  // TYPE_DURATION
    const char *const *choices; // TYPE_CHOICE: the names of the enum's values, then NULL
    const char *meaning;
};

static const char *const log_formats[] = {"logfmt", "json", NULL};
static const char *const log_levels[] = {"debug", "info", "warn", "error", NULL};

#define AT(field) offsetof(struct settings, field)

static const struct setting table[] = {
    {"listen", "DBHEALTH_LISTEN", TYPE_TEXT, AT(listen), ":8080", 0, 0, NULL,
     "address and port to serve on; none: all"},
    {"details-listen", "DBHEALTH_DETAILS_LISTEN", TYPE_TEXT, AT(details_listen), "", 0, 0, NULL,
     "where alone to tell more than ok and names"},
    {"agent-listen", "DBHEALTH_AGENT_LISTEN", TYPE_TEXT, AT(agent_listen), "", 0, 0, NULL,
     "where to answer agent checks of HAProxy"},
    {"checks", "DBHEALTH_CHECKS", TYPE_FOLDERS, AT(checks), "library", 0, 0, NULL,
     "folders of check files, or library"},
    {"enable", "DBHEALTH_ENABLE", TYPE_NAMES, AT(enable), "", 0, 0, NULL,
     "checks to run that are optional"},
    {"disable", "DBHEALTH_DISABLE", TYPE_NAMES, AT(disable), "", 0, 0, NULL, "checks to leave out"},
    {"timeout", "DBHEALTH_TIMEOUT", TYPE_DURATION, AT(timeout), "800ms", 1, 3600000, NULL,
     "how long one run of a check may take"},
    {"cache", "DBHEALTH_CACHE", TYPE_DURATION, AT(cache), "2s", 0, 86400000, NULL,
     "how old a result may be"},
    {"deadline", "DBHEALTH_DEADLINE", TYPE_DURATION, AT(deadline), "900ms", 1, 3600000, NULL,
     "a request is answered within this time"},
    {"keep", "DBHEALTH_KEEP", TYPE_NAMES, AT(keep), "", 0, 0, NULL,
     "probers that keep their connection"},
    {"drain", "DBHEALTH_DRAIN", TYPE_DURATION, AT(drain), "10s", 0, 3600000, NULL,
     "how long readiness fails before the exit"},
    {"drain-file", "DBHEALTH_DRAIN_FILE", TYPE_TEXT, AT(drain_file), "", 0, 0, NULL,
     "readiness fails while this file exists"},
    {"tls-cert", "DBHEALTH_TLS_CERT", TYPE_TEXT, AT(tls_cert), "", 0, 0, NULL,
     "serve HTTPS with this certificate"},
    {"tls-key", "DBHEALTH_TLS_KEY", TYPE_TEXT, AT(tls_key), "", 0, 0, NULL, "and its key"},
    {"tls-client-ca", "DBHEALTH_TLS_CLIENT_CA", TYPE_TEXT, AT(tls_client_ca), "", 0, 0, NULL,
     "tell details to its clients only"},
    {"peers", "DBHEALTH_PEERS", TYPE_PLACES, AT(peers), "", 0, 0, NULL,
     "adapters of the other servers of a cluster"},
    {"peers-ca", "DBHEALTH_PEERS_CA", TYPE_TEXT, AT(peers_ca), "", 0, 0, NULL,
     "authorities of their certificates"},
    {"log-format", "DBHEALTH_LOG_FORMAT", TYPE_CHOICE, AT(log_format), "logfmt", 0, 0, log_formats,
     "logfmt or json"},
    {"log-level", "DBHEALTH_LOG_LEVEL", TYPE_CHOICE, AT(log_level), "info", 0, 0, log_levels,
     "debug, info, warn or error"},
};

enum { SETTING_COUNT = sizeof table / sizeof *table };

// What getopt_long() calls the first flag, above every character. With one value for all of them it
// would take an abbreviation that fits several for the first.
enum { PLAIN_WORD = 1, FIRST_FLAG = 256 };

static void settings_set_words(struct words *words, const char *text, const char *separators)
{
    words_free(words);
    words_split(words, text, separators);
}

static bool settings_set_names(struct words *words, const char *text, struct error *error)
{
    settings_set_words(words, text, ", \t");
    for (size_t i = 0; i < words->count; i++) {
        if (!is_name(words->items[i]))
            return error_set(error, "'%.40s' is no name, expected a-z, 0-9 and '-'",
                             words->items[i]);
    }
    return true;
}

static bool settings_set_places(struct words *words, const char *text, struct error *error)
{
    settings_set_words(words, text, ", \t");
    for (size_t i = 0; i < words->count; i++) {
        struct place place;
        if (!place_parse(words->items[i], &place, error))
            return false;
    }
    return words->count <= INQUIRY_PLACES_MAX ||
           error_set(error, "%zu adapters, expected at most %d", words->count, INQUIRY_PLACES_MAX);
}

static bool settings_set_duration(const struct setting *setting, struct duration *duration,
                                  const char *text, struct error *error)
{
    struct duration parsed;
    if (!parse_duration(text, &parsed, error))
        return false;
    if (parsed.ms < setting->least_ms || parsed.ms > setting->most_ms) {
        char least[32], most[32];
        format_duration((struct duration){setting->least_ms}, least, sizeof least);
        format_duration((struct duration){setting->most_ms}, most, sizeof most);
        return error_set(error, "'%.40s' is out of range, expected %s to %s", text, least, most);
    }
    *duration = parsed;
    return true;
}

static bool settings_set_choice(const struct setting *setting, unsigned *choice, const char *text,
                                struct error *error)
{
    for (unsigned i = 0; setting->choices[i] != NULL; i++) {
        if (strcmp(setting->choices[i], text) == 0) {
            *choice = i;
            return true;
        }
    }
    return error_set(error, "'%.40s' is unknown, expected %s", text, setting->meaning);
}

static bool settings_set(const struct setting *setting, struct settings *settings, const char *text,
                         struct error *error)
{
    void *field = (char *)settings + setting->offset;
    char **string = field;
    switch (setting->type) {
    case TYPE_TEXT:
        free(*string);
        *string = memory_string(text);
        return true;
    case TYPE_FOLDERS:
        settings_set_words(field, text, ":");
        return true;
    case TYPE_NAMES:
        return settings_set_names(field, text, error);
    case TYPE_PLACES:
        return settings_set_places(field, text, error);
    case TYPE_DURATION:
        return settings_set_duration(setting, field, text, error);
    case TYPE_CHOICE:
        return settings_set_choice(setting, field, text, error);
    }
    abort();
}

static void settings_set_default(const struct setting *setting, struct settings *settings)
{
    struct error error;
    if (!settings_set(setting, settings, setting->default_text, &error))
        abort(); // the table contradicts itself
}

// Sets a value that a person gave; name is what they know it by.
static void settings_set_given(const struct setting *setting, struct settings *settings,
                               const char *name, const char *text)
{
    struct error error;
    bool is_set = settings_set(setting, settings, text, &error);
    settings->timeout_given |= is_set && setting->offset == AT(timeout);
    if (is_set)
        return;
    (void)error_prefix(&error, "%s", name);
    words_add(&settings->problems, error.text, strlen(error.text));
    settings_set_default(setting, settings);
}

static void settings_load_environment(struct settings *settings)
{
    for (size_t i = 0; i < SETTING_COUNT; i++) {
        const char *text = getenv(table[i].variable);
        settings_set_default(&table[i], settings);
        if (text != NULL && text[0] != '\0')
            settings_set_given(&table[i], settings, table[i].variable, text);
    }
}

enum { EXTRA_MAX = 4 };

// Extra flags stand first, for getopt takes the first of a name.
static void settings_list_options(struct option *options, const struct extra_flag *extra,
                                  size_t extra_count)
{
    assert(extra_count <= EXTRA_MAX);
    for (size_t i = 0; i < extra_count; i++)
        options[i] = (struct option){.name = extra[i].name,
                                     .has_arg = extra[i].bare != NULL ? optional_argument
                                                                      : required_argument};
    for (size_t i = 0; i < SETTING_COUNT; i++)
        options[extra_count + i] =
            (struct option){.name = table[i].flag, .has_arg = required_argument};
    for (size_t i = 0; i < extra_count + SETTING_COUNT; i++)
        options[i].val = FIRST_FLAG + (int)i;
}

static void settings_take_flag(struct settings *settings, const struct extra_flag *extra,
                               size_t extra_count, size_t index, const char *value)
{
    char name[NAME_MAX_LENGTH];
    if (index < extra_count) {
        *extra[index].value = value != NULL ? value : extra[index].bare;
        return;
    }
    const struct setting *setting = &table[index - extra_count];
    (void)snprintf(name, sizeof name, "--%s", setting->flag);
    settings_set_given(setting, settings, name, value);
}

static bool settings_load_flags(struct settings *settings, int argc, char **argv,
                                const struct extra_flag *extra, size_t extra_count,
                                struct words *words, struct error *error)
{
    struct option options[SETTING_COUNT + EXTRA_MAX + 1] = {0};
    settings_list_options(options, extra, extra_count);
    opterr = 0;
    optind = 0; // begin anew, whatever was left of an earlier call
    for (;;) {
        int at = optind > 0 ? optind : 1; // after an error, optind is there or one further
        int got = getopt_long(argc, argv, "-:", options, NULL);
        if (got == -1)
            break;
        if (got == ':')
            return error_set(error, "%.100s: expected a value", argv[at]);
        if (got == PLAIN_WORD)
            words_add(words, optarg, strlen(optarg));
        else if (got < FIRST_FLAG)
            return error_set(error, "%.100s: unknown flag; see dbhealthd --help", argv[at]);
        else
            settings_take_flag(settings, extra, extra_count, (size_t)(got - FIRST_FLAG), optarg);
    }
    for (int i = optind; i < argc; i++) // after a "--"
        words_add(words, argv[i], strlen(argv[i]));
    return true;
}

// What each value allows but not both together. A deadline below the default timeout just lowers
// it: who sets one need not know the other.
static void settings_check_sense(struct settings *settings)
{
    static const char problem[] =
        "DBHEALTH_TIMEOUT: above DBHEALTH_DEADLINE, expected at most that";
    if (settings->timeout.ms <= settings->deadline.ms)
        return;
    if (settings->timeout_given)
        words_add(&settings->problems, problem, strlen(problem));
    settings->timeout = settings->deadline;
}

bool settings_load(struct settings *settings, int argc, char **argv, const struct extra_flag *extra,
                   size_t extra_count, struct words *words, struct error *error)
{
    *settings = (struct settings){0};
    settings_load_environment(settings);
    if (!settings_load_flags(settings, argc, argv, extra, extra_count, words, error))
        return false;
    settings_check_sense(settings);
    return true;
}

void settings_clear(struct settings *settings)
{
    free(settings->listen);
    free(settings->details_listen);
    free(settings->agent_listen);
    free(settings->drain_file);
    free(settings->tls_cert);
    free(settings->tls_key);
    free(settings->tls_client_ca);
    words_free(&settings->checks);
    words_free(&settings->enable);
    words_free(&settings->disable);
    words_free(&settings->keep);
    words_free(&settings->peers);
    free(settings->peers_ca);
    words_free(&settings->problems);
    *settings = (struct settings){0};
}

static void settings_copy_words(struct words *words)
{
    const struct words shared = *words;
    *words = (struct words){0};
    for (size_t i = 0; i < shared.count; i++)
        words_add(words, shared.items[i], strlen(shared.items[i]));
}

struct settings settings_copy(const struct settings *settings)
{
    struct settings copy = *settings;
    for (size_t i = 0; i < SETTING_COUNT; i++) {
        void *field = (char *)&copy + table[i].offset;
        char **string = field;
        if (table[i].type == TYPE_TEXT)
            *string = memory_string(*string);
        else if (table[i].type == TYPE_FOLDERS || table[i].type == TYPE_NAMES ||
                 table[i].type == TYPE_PLACES)
            settings_copy_words(field);
    }
    settings_copy_words(&copy.problems);
    return copy;
}

// One of the two is enough to tell: whoever forgot the other does not want plain text.
bool settings_want_tls(const struct settings *settings)
{
    return settings->tls_cert[0] != '\0' || settings->tls_key[0] != '\0';
}

bool settings_row(size_t index, struct setting_row *row)
{
    if (index >= SETTING_COUNT)
        return false;
    *row = (struct setting_row){.flag = table[index].flag,
                                .variable = table[index].variable,
                                .default_text = table[index].default_text,
                                .meaning = table[index].meaning};
    return true;
}
