// Where peers are: a place that is taken is written for the prober and read there as the same one;
// what is refused is told. And the prober's text itself, which may be anything.
//
// Input: the place, or the text.
#include "fuzz.h"

#include "common/inquiry.h"

#include <stdlib.h>
#include <string.h>

static void must_go_through(const struct place *place)
{
    char text[INQUIRY_TEXT_MAX];
    struct inquiry inquiry = {.places = {*place}, .count = 1}, again;
    memset(inquiry.instance, '0', INSTANCE_LENGTH);
    MUST(inquiry_write(&inquiry, text));
    MUST(inquiry_read(text, &again));
    MUST(again.count == 1 && again.places[0].tls == place->tls);
    MUST(strcmp(again.places[0].host, place->host) == 0);
    MUST(again.places[0].port == place->port && place->port > 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    struct input input = input_of(bytes, length);
    char *text = take_rest(&input);
    struct place place;
    struct inquiry inquiry;
    struct error error;
    if (place_parse(text, &place, &error))
        must_go_through(&place);
    else
        must_be_told(&error);
    if (inquiry_read(text, &inquiry))
        MUST(inquiry.count > 0 && inquiry.count <= INQUIRY_PLACES_MAX);
    free(text);
    return 0;
}
