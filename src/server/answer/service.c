// See service.h.
#include "server/answer/service.h"

#include <unistd.h>

enum { YOUNG_MS = 5000 };

bool service_is_draining(const struct service *service)
{
    const char *drain_file = service->config->settings.drain_file;
    bool file = drain_file[0] != '\0' && access(drain_file, F_OK) == 0;
    return service->draining || file;
}

struct circumstances service_circumstances(const struct service *service)
{
    bool young = instant_since(service->started, instant_now()).ms < YOUNG_MS;
    return (struct circumstances){.draining = service_is_draining(service), .young = young};
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
