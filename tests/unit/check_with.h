// A check for tests of what is judged by it.
#pragma once

#include "server/check/check_file.h"

#include "unit.h"

#include <stdio.h>

// Of a header, which must be sound; the caller's.
static inline struct check *check_with(const char *header)
{
    static const struct check_defaults defaults = {
        .timeout = {800}, .cache = {2000}, .deadline = {900}};
    char text[1024];
    int length = snprintf(text, sizeof text, "%sSELECT 1\n", header);
    struct check *check = check_file_parse("lag", "lag.sql", text, (size_t)length, &defaults);
    if (check->broken != NULL)
        fail_msg("%s", check->broken);
    return check;
}
