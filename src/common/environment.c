// See environment.h. Manifests and compose files set variables to nothing to unset them.
#include "common/environment.h"

#include <stdlib.h>

const char *environment_value(const char *name)
{
    const char *value = name != NULL ? getenv(name) : NULL;
    return value != NULL && value[0] != '\0' ? value : NULL;
}
