// Accept headers: what is chosen is on offer, is the best of each smaller offer that has it, and
// does not depend on the case of letters.
//
// Input: the header's value.
#include "fuzz.h"

#include "server/answer/accept.h"

#include <ctype.h>
#include <stdlib.h>

enum { OFFERS = 1 << MEDIA_COUNT };

static void must_be_sound(const char *accept, unsigned offered)
{
    enum media chosen = accept_choose(accept, offered);
    MUST(chosen < MEDIA_COUNT && (offered >> chosen & 1U) != 0);
    for (unsigned fewer = 1; fewer < OFFERS; fewer++) {
        if ((fewer & ~offered) == 0 && (fewer >> chosen & 1U) != 0)
            MUST(accept_choose(accept, fewer) == chosen);
    }
}

static void must_be_the_same_in_capitals(char *accept)
{
    enum media chosen = accept_choose(accept, OFFERS - 1);
    for (char *at = accept; *at != '\0'; at++)
        *at = (char)toupper((unsigned char)*at);
    MUST(accept_choose(accept, OFFERS - 1) == chosen);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    struct input input = input_of(bytes, length);
    char *accept = take_rest(&input);
    for (unsigned offered = 1; offered < OFFERS; offered++)
        must_be_sound(accept, offered);
    must_be_the_same_in_capitals(accept);
    free(accept);
    return 0;
}
