// See fuzz_views.h.
#include "fuzz_views.h"

#include "fuzz_replies.h"

#include "server/check/check_file.h"
#include "server/check/numbers.h"

#include <stdlib.h>
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
static struct check_view view_of(const struct check *check, const struct reply *reply,
                                 struct streaks *streaks)
{
    enum outcome outcome = check->broken != NULL ? OUTCOME_CONFIG : reply->outcome;
    if (outcome == OUTCOME_OK && reply->result == NULL)
        outcome = OUTCOME_CRASHED;
    static const struct check_statistics no_past;
    struct check_view view = {.check = check,
                              .statistics = &no_past,
                              .streaks = streaks,
                              .dated = outcome == OUTCOME_OK,
                              .message = reply->message,
                              .superuser = reply->superuser};
    for (int64_t ms = 0; ms <= 60000; ms += 30000) // what holds has held for a minute
        view.judgement = judge_next(check, outcome, reply->result,
                                    (struct instant){.ns = 1 + ms * 1000000}, streaks);
    if (view.superuser)
        judgement_warn_of_superuser(&view.judgement);
    return view;
}

// What dbhealthd gets of what a prober reports. On false there is nothing to free.
static bool receive(struct input *input, struct reply *received)
{
    static unsigned char message[WIRE_MAX];
    struct reply reply;
    take_reply(input, &reply);
    bool decoded = reply_decode(message, reply_encode(&reply, message), received);
    reply_free(&reply);
    return decoded;
}

void view_begin(struct fuzz_view *made, struct input *input)
{
    made->check = take_check(input);
    made->numbers = NULL;
    if (!receive(input, &made->reply))
        fuzz_found(__FILE__, __LINE__, "a prober's reply does not get through");
    made->streaks = streaks_new(made->check);
    made->view = view_of(made->check, &made->reply, made->streaks);
    if (!made->check->each_row)
        made->numbers = numbers_of(made->check, made->reply.result);
    made->rows = rows_of(made->check, made->reply.result, made->streaks);
    made->view.rows = made->rows;
    made->view.numbers = made->numbers;
    made->seen = seen_of(made->check, made->reply.result);
    made->view.seen = made->seen;
}

void view_end(struct fuzz_view *made)
{
    result_free(made->numbers);
    result_free(made->seen);
    rows_free(made->rows);
    free(made->streaks);
    reply_free(&made->reply);
    check_free(made->check);
}
