// See digest.h.
#include "common/digest.h"

#include <string.h>

uint64_t digest_add(uint64_t digest, const void *bytes, size_t length)
{
    const unsigned char *at = bytes;
    for (size_t i = 0; i < length; i++)
        digest = (digest ^ at[i]) * UINT64_C(0x100000001b3);
    return digest;
}

uint64_t digest_add_string(uint64_t digest, const char *string)
{
    size_t length = string != NULL ? strlen(string) : SIZE_MAX;
    digest = digest_add(digest, &length, sizeof length);
    return string != NULL ? digest_add(digest, string, length) : digest;
}
