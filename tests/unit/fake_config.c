#include "fake_config.h"

#include "common/memory.h"

#include <stdlib.h>
#include <string.h>

struct check *fake_check_of(const char *name, const char *prober, const char *endpoint,
                            int64_t timeout, int64_t cache)
{
    struct check *check = memory_new(sizeof *check);
    *check = (struct check){.references = 1,
                            .name = memory_string(name),
                            .prober = memory_string(prober),
                            .timeout = {.ms = timeout},
                            .cache = {.ms = cache},
                            .sql = memory_string(name)};
    words_add(&check->endpoints, endpoint, strlen(endpoint));
    return check;
}

struct check *fake_check(const char *name, int64_t timeout, int64_t cache)
{
    return fake_check_of(name, "main", "readyz", timeout, cache);
}

static struct endpoint *fake_endpoint_of(struct config *config, const char *name)
{
    for (size_t i = 0; i < config->endpoint_count; i++) {
        if (strcmp(config->endpoints[i].name, name) == 0)
            return &config->endpoints[i];
    }
    size_t size = (config->endpoint_count + 1) * sizeof *config->endpoints;
    config->endpoints = memory_grow(config->endpoints, size);
    struct endpoint *endpoint = &config->endpoints[config->endpoint_count++];
    *endpoint = (struct endpoint){.name = memory_string(name), .rule = endpoint_rule(name)};
    return endpoint;
}

static void fake_join(struct config *config, const char *name, size_t check)
{
    struct endpoint *endpoint = fake_endpoint_of(config, name);
    size_t size = (endpoint->count + 1) * sizeof *endpoint->checks;
    endpoint->checks = memory_grow(endpoint->checks, size);
    endpoint->checks[endpoint->count++] = check;
}

struct config *fake_config(struct check *const *checks, size_t count)
{
    struct config *config = memory_new(sizeof *config);
    *config = (struct config){
        .references = 1,
        .engine = ENGINE_POSTGRES,
        .target_digest = 1,
        .settings = {.timeout = {.ms = 800}, .cache = {.ms = 2000}, .deadline = {.ms = 900}},
        .check_count = count};
    config->checks = memory_new((count + 1) * sizeof(struct check *));
    for (size_t i = 0; endpoint_builtin(i) != NULL; i++)
        (void)fake_endpoint_of(config, endpoint_builtin(i));
    for (size_t i = 0; i < count; i++) {
        config->checks[i] = checks[i];
        for (size_t j = 0; j < checks[i]->endpoints.count; j++)
            fake_join(config, checks[i]->endpoints.items[j], i);
        if (!words_have(&config->probers, checks[i]->prober))
            words_add(&config->probers, checks[i]->prober, strlen(checks[i]->prober));
    }
    return config;
}
