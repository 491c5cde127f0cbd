// See refusal.h. The waits double up to a minute.
#include "server/probing/refusal.h"

#include "common/memory.h"
#include "server/probing/backoff.h"

#include <stdio.h>
#include <stdlib.h>

struct refusal *refusal_new(void)
{
    struct refusal *refusal = memory_new(sizeof *refusal);
    refusal->holders = 1;
    return refusal;
}

struct refusal *refusal_hold(struct refusal *refusal)
{
    refusal->holders++;
    return refusal;
}

void refusal_release(struct refusal *refusal)
{
    if (--refusal->holders == 0)
        free(refusal);
}

static struct instant refusal_next_try(const struct refusal *refusal, struct instant now)
{
    return instant_add(now, backoff_wait(&backoff_refused_secret, refusal->tries));
}

uint64_t refusal_withhold(struct refusal *refusal, struct instant now)
{
    if (refusal->secret == 0 || instant_before(now, refusal->next))
        return refusal->secret;
    refusal->next = refusal_next_try(refusal, now); // unless the answer says otherwise
    return 0;
}

// Opens of several probers that were under way together are one try.
static void refusal_note(struct refusal *refusal, const struct reply *reply, struct instant opened,
                         struct instant now)
{
    bool same = refusal->secret == reply->secret;
    if (same && instant_before(opened, refusal->noted))
        return;
    if (refusal->secret == 0)
        refusal->since = now;
    refusal->tries = same ? refusal->tries + 1 : 1;
    refusal->secret = reply->secret;
    refusal->noted = now;
    refusal->outcome =
        reply->outcome == OUTCOME_SERVER_ERROR ? OUTCOME_SERVER_ERROR : OUTCOME_DENIED;
    refusal->next = refusal_next_try(refusal, now);
    (void)snprintf(refusal->code, sizeof refusal->code, "%s", reply->code);
    (void)snprintf(refusal->message, sizeof refusal->message, "%s", reply->message);
}

// An open that began before the latest refusal may have succeeded with the secret before it.
void refusal_take(struct refusal *refusal, const struct reply *reply, struct instant opened,
                  struct instant now)
{
    bool accepted = reply->outcome == OUTCOME_OK && reply->trial == TRIAL_NONE;
    if (reply->trial == TRIAL_REFUSED)
        refusal_note(refusal, reply, opened, now);
    else if (accepted && !instant_before(opened, refusal->noted))
        *refusal = (struct refusal){.holders = refusal->holders};
}

enum outcome refusal_outcome(const struct refusal *refusal)
{
    bool over = refusal->secret == 0; // another prober's open was accepted meanwhile
    return over ? OUTCOME_DENIED : refusal->outcome;
}

void refusal_describe(const struct refusal *refusal, struct instant now, struct text *text)
{
    long long age = instant_since(refusal->since, now).ms;
    long long left = instant_left(refusal->next, now).ms;
    text_addf(text, "for %lld.%lld s; next try in %lld.%lld s", age / 1000, age / 100 % 10,
              left / 1000, left / 100 % 10);
}
