// What a peer says of a role: whatever it is, it is either refused, with a reason and without any
// effect, or its parts are what they may be.
//
// Input: the body.
#include "fuzz.h"

#include "prober/peer_answer.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    struct peer_answer answer;
    struct error error;
    bool read = peer_answer_read(200, (const char *)bytes, length, &answer, &error);
    size_t known = strlen(answer.instance);
    MUST(known == 0 || known == INSTANCE_LENGTH);
    MUST(answer.since_seconds >= 0 || answer.since_seconds == -1);
    if (read)
        return 0;
    must_be_told(&error);
    MUST(known == 0 && !answer.holds && !answer.draining);
    return 0;
}
