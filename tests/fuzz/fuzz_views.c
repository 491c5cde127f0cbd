// See fuzz_views.h.
#include "fuzz_views.h"

#include "server/check_file.h"
#include "server/numbers.h"

#include <string.h>

static const struct check_defaults defaults = {
    .timeout = {800}, .cache = {2000}, .deadline = {900}};

static struct check *take_check(struct input *input)
{
    const char *end = input->left > 0 ? memchr(input->bytes, '\0', input->left) : NULL;
    size_t length = end != NULL ? (size_t)(end - input->bytes) : input->left;
    const char *text = input->left > 0 ? input->bytes : "";
    struct check *check = check_file_parse("lag", "lag.sql", text, length, &defaults);
    length += end != NULL;
    input->bytes += length;
    input->left -= length;
    return check;
}

// As the scheduler makes one of what a prober has sent.
static struct check_view view_of(const struct check *check, const struct reply *reply)
{
    enum outcome outcome = check->broken != NULL ? OUTCOME_CONFIG : reply->outcome;
    if (outcome == OUTCOME_OK && reply->result == NULL)
        outcome = OUTCOME_CRASHED;
    struct check_view view = {.check = check,
                              .judgement = judge(check, outcome, reply->result, NULL),
                              .dated = outcome == OUTCOME_OK,
                              .message = reply->message,
                              .superuser = reply->superuser};
    if (view.superuser)
        judgement_warn_of_superuser(&view.judgement);
    return view;
}

void view_begin(struct fuzz_view *made, struct input *input)
{
    made->check = take_check(input);
    const unsigned char *message = (const unsigned char *)(input->left > 0 ? input->bytes : "");
    if (!reply_decode(message, input->left, &made->reply))
        made->reply = (struct reply){.verb = VERB_RUN, .outcome = OUTCOME_CRASHED};
    made->view = view_of(made->check, &made->reply);
    made->numbers = numbers_of(made->check, made->reply.result);
    made->view.numbers = made->numbers;
}

void view_end(struct fuzz_view *made)
{
    result_free(made->numbers);
    reply_free(&made->reply);
    check_free(made->check);
}
