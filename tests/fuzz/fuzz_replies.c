// See fuzz_replies.h.
#include "fuzz_replies.h"

#include "common/text.h"

#include <stdlib.h>
#include <string.h>

static enum outcome take_outcome(struct input *input)
{
    enum outcome outcome;
    char *code = take_line(input);
    if (!outcome_from_code(code, &outcome) || !outcome_is_reportable(outcome))
        outcome = OUTCOME_OK;
    free(code);
    return outcome;
}

// Not cleaned: so it may come from a prober that somebody has taken over.
static void take_words(struct input *input, char *words, size_t capacity)
{
    char *line = take_line(input);
    struct text text = text_in(words, capacity);
    text_add(&text, line);
    free(line);
}

void take_reply(struct input *input, struct reply *reply)
{
    static const enum verb verbs[] = {VERB_RUN, VERB_OPEN, VERB_CLOSE};
    enum verb verb = verbs[take_byte(input) % 3];
    unsigned rest = take_byte(input);
    *reply = (struct reply){.sequence = rest, .verb = verb, .secret = rest};
    reply->flavor = (enum flavor)(rest % FLAVOR_COUNT);
    reply->superuser = (rest & 4) != 0;
    reply->trial = (enum trial)(rest / 8 % TRIAL_COUNT);
    reply->outcome = take_outcome(input);
    take_words(input, reply->code, sizeof reply->code);
    take_words(input, reply->message, sizeof reply->message);
    take_words(input, reply->version, sizeof reply->version);
    if (reply->verb == VERB_OPEN)
        take_words(input, reply->sandbox, sizeof reply->sandbox);
    if (reply->verb == VERB_RUN && reply->outcome == OUTCOME_OK)
        reply->result = take_result(input);
}
