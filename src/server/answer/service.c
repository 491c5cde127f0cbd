// See service.h.
#include "server/answer/service.h"

#include <sys/stat.h>

enum { YOUNG_MS = 5000, MS_PER_S = 1000, NS_PER_MS = 1000000 };

int64_t service_drain_file_since_ms(const struct service *service)
{
    const char *drain_file = service->config->settings.drain_file;
    struct stat status;
    if (drain_file[0] == '\0' || stat(drain_file, &status) != 0)
        return 0;
    int64_t made_ms =
        (int64_t)status.st_mtim.tv_sec * MS_PER_S + status.st_mtim.tv_nsec / NS_PER_MS;
    return made_ms > 0 ? made_ms : 1; // however old it says that it is
}

// The earlier of the two; 0: neither.
static int64_t service_draining_since_ms(const struct service *service)
{
    int64_t file = service_drain_file_since_ms(service), signal = service->draining_since_ms;
    return file == 0 || (signal != 0 && signal < file) ? signal : file;
}

bool service_is_draining(const struct service *service)
{
    return service_draining_since_ms(service) != 0;
}

struct circumstances service_circumstances(const struct service *service)
{
    bool young = instant_since(service->started, instant_now()).ms < YOUNG_MS;
    int64_t since_ms = service_draining_since_ms(service);
    return (struct circumstances){
        .draining = since_ms != 0, .draining_since_ms = since_ms, .young = young};
}

bool service_tells_details(const struct service *service, enum listener listener, bool known)
{
    const struct settings *settings = &service->config->settings;
    bool here = listener == LISTENER_DETAILS || settings->details_listen[0] == '\0';
    return here && (known || settings->tls_client_ca[0] == '\0');
}

const char *service_configuration_warning(const struct service *service)
{
    if (service->statistics->reloads.refused)
        return "the latest reload was refused; the log names the places";
    if (service->config->problems.count > 0)
        return "it is wrong; the log names the places";
    return NULL;
}
