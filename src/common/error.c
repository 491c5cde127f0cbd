// See error.h. Used by every process. What is quoted comes from people, files and the network, so
// every text is made fit for a log line here, once for all callers.
#include "common/error.h"

#include "common/text.h"

#include <stdio.h>
#include <string.h>

bool error_set(struct error *error, const char *format, ...)
{
    char raw[sizeof error->text];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(raw, sizeof raw, format, arguments);
    va_end(arguments);
    struct text text = text_in(error->text, sizeof error->text);
    text_add_foreign(&text, raw, strlen(raw));
    return false;
}

bool error_prefix(struct error *error, const char *format, ...)
{
    struct error inner = *error;
    char prefix[sizeof inner.text / 2];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(prefix, sizeof prefix, format, arguments);
    va_end(arguments);
    struct text text = text_in(error->text, sizeof error->text);
    text_add_foreign(&text, prefix, strlen(prefix));
    text_add(&text, ": ");
    text_add(&text, inner.text);
    return false;
}
