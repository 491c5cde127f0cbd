// See error.h. Used by every process.
#include "common/error.h"

#include <stdio.h>

bool error_set(struct error *error, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(error->text, sizeof error->text, format, arguments);
    va_end(arguments);
    return false;
}

bool error_prefix(struct error *error, const char *format, ...)
{
    struct error inner = *error;
    char prefix[sizeof inner.text];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(prefix, sizeof prefix, format, arguments);
    va_end(arguments);
    (void)snprintf(error->text, sizeof error->text, "%.255s: %.254s", prefix, inner.text);
    return false;
}
