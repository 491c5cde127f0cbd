// The messages of supervisor and server: one message has one meaning and one meaning one message.
//
// Input: a message.
#include "fuzz.h"

#include "common/control.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    unsigned char encoded[CONTROL_SIZE];
    struct control control;
    if (!control_decode(bytes, length, &control))
        return 0;
    MUST(length == CONTROL_SIZE);
    MUST(control.verb >= CONTROL_START && control.verb <= CONTROL_SIGNAL);
    MUST(control.number >= 0);
    control_encode(&control, encoded);
    MUST(memcmp(encoded, bytes, length) == 0);
    return 0;
}
