// What comes first on a connection: a PROXY header lies within what came, is none until all of it
// has come, and ends where it ends whatever follows.
//
// Input: the bytes.
#include "fuzz.h"

#include "server/http/proxy_header.h"

#include <stdlib.h>
#include <string.h>

static size_t length_of_first(const uint8_t *bytes, size_t count)
{
    char *copy = malloc(count > 0 ? count : 1); // for the sanitizer to see where they end
    memcpy(copy, bytes, count);
    size_t length = proxy_header_length(copy, count);
    free(copy);
    return length;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    size_t header = length_of_first(bytes, length);
    MUST(header <= length);
    for (size_t count = 0; count < length; count++)
        MUST(length_of_first(bytes, count) == (header > 0 && count >= header ? header : 0));
    return 0;
}
