// See peer_answer.h. Members that are not there are nothing that is wrong, for the other adapter
// may be of another version; a member of another type is.
#include "prober/peer_answer.h"

#include <jansson.h>
#include <string.h>
#include <time.h>

enum { STATUS_OK = 200, STATUS_FORBIDDEN = 403, STATUS_NOT_FOUND = 404, STATUS_UNAVAILABLE = 503 };

// What is known of the endpoint's checks so far.
struct checks {
    bool any_holds, any_fails;
    double latest; // Unix time of the latest change; below 0: none is told
};

// RFC 3339 in UTC, with a fraction or without, as Unix time; below 0 for anything else.
static double peer_answer_time(const char *text)
{
    struct tm tm = {0};
    double fraction = 0, digit = 1;
    const char *rest = text != NULL ? strptime(text, "%Y-%m-%dT%H:%M:%S", &tm) : NULL;
    if (rest == NULL)
        return -1;
    for (rest += *rest == '.'; *rest >= '0' && *rest <= '9'; rest++) {
        digit /= 10;
        fraction += digit * (*rest - '0');
    }
    return strcmp(rest, "Z") == 0 ? (double)timegm(&tm) + fraction : -1;
}

static const char *peer_answer_string(const json_t *object, const char *key)
{
    return json_string_value(json_object_get(object, key));
}

static void peer_answer_take_check(const json_t *check, struct checks *checks)
{
    const char *verdict = peer_answer_string(check, "verdict");
    double since = peer_answer_time(peer_answer_string(check, "since"));
    if (verdict == NULL || strcmp(verdict, "skipped") == 0)
        return;
    bool holds = strcmp(verdict, "pass") == 0 || strcmp(verdict, "warn") == 0;
    checks->any_holds |= holds;
    checks->any_fails |= !holds;
    checks->latest = since > checks->latest ? since : checks->latest;
}

static bool peer_answer_take_checks(const json_t *root, struct peer_answer *answer)
{
    struct checks checks = {.latest = -1};
    const char *name;
    json_t *components;
    json_t *all = json_object_get(root, "checks");
    if (!json_is_object(all))
        return false;
    json_object_foreach(all, name, components)
    {
        for (size_t i = 0; i < json_array_size(components); i++)
            peer_answer_take_check(json_array_get(components, i), &checks);
    }
    double now = peer_answer_time(peer_answer_string(root, "time"));
    answer->holds = checks.any_holds && !checks.any_fails;
    answer->since_seconds = checks.latest >= 0 && now >= checks.latest ? now - checks.latest : -1;
    return true;
}

static bool peer_answer_is_instance(const char *text)
{
    return strlen(text) == INSTANCE_LENGTH && strspn(text, "0123456789abcdef") == INSTANCE_LENGTH;
}

static bool peer_answer_take_instance(const json_t *root, struct peer_answer *answer)
{
    const char *instance = peer_answer_string(root, "instance");
    if (instance == NULL)
        return json_object_get(root, "instance") == NULL;
    if (!peer_answer_is_instance(instance))
        return false;
    memcpy(answer->instance, instance, sizeof answer->instance);
    return true;
}

static bool peer_answer_take_document(const char *body, size_t length, struct peer_answer *answer)
{
    json_t *root = json_loadb(body, length, JSON_REJECT_DUPLICATES, NULL);
    bool taken = json_is_object(root) && peer_answer_take_instance(root, answer) &&
                 peer_answer_take_checks(root, answer);
    answer->draining = taken && json_is_true(json_object_get(root, "draining"));
    json_decref(root);
    return taken;
}

bool peer_answer_read(unsigned status, const char *body, size_t length, struct peer_answer *answer,
                      struct error *error)
{
    *answer = (struct peer_answer){.since_seconds = -1};
    if (status == STATUS_NOT_FOUND)
        return true;
    if (status == STATUS_FORBIDDEN)
        return error_set(error, "it says 403: ask where it listens for details");
    if (status != STATUS_OK && status != STATUS_UNAVAILABLE)
        return error_set(error, "it says %u, expected 200 or 503", status);
    if (peer_answer_take_document(body, length, answer))
        return true;
    *answer = (struct peer_answer){.since_seconds = -1};
    return error_set(error, "what it says is no document of an adapter");
}
