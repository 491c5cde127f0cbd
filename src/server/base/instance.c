// See instance.h.
#include "server/base/instance.h"

#include "common/inquiry.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

static char digits[INSTANCE_LENGTH + 1];

void instance_take(const char *id)
{
    if (strspn(id, "0123456789abcdef") >= INSTANCE_LENGTH)
        memcpy(digits, id, INSTANCE_LENGTH);
}

const char *instance_id(void)
{
    unsigned char bytes[INSTANCE_LENGTH / 2];
    if (digits[0] != '\0')
        return digits;
    if (getrandom(bytes, sizeof bytes, 0) != (ssize_t)sizeof bytes)
        abort(); // so few come whole, or the kernel has none at all
    for (size_t i = 0; i < sizeof bytes; i++)
        (void)snprintf(digits + 2 * i, 3, "%02x", bytes[i]);
    return digits;
}
