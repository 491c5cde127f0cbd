// See login.h. It owns the only password that outlives an open, in this process alone.
//
// The decision to question: a refused secret is not shown again before dbhealthd says so, for some
// servers lock an account that fails too often. Till then an open goes as far as it can without,
// so that a server which hangs, is down or starts is still told from one which refuses. If the last
// login that worked still does, the change of the secret is half done, and the open succeeds.
#include "prober/login.h"

#include "common/digest.h"
#include "common/file.h"
#include "common/target_load.h"

#include <string.h>

static void login_mix_file(uint64_t *digest, const char *path)
{
    if (path != NULL)
        *digest = file_add_state(*digest, path);
}

static void login_mix_certificate(uint64_t *digest, const struct target *target)
{
    static const char *const names[] = {"sslcert", "sslkey", "ssl-cert", "ssl-key"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        login_mix_file(digest, target_parameter(target, names[i]));
}

// Each file's state is taken before it is read: one that changes in between is read anew next time.
static bool login_load(struct target *target, uint64_t *secret, struct error *error)
{
    *secret = DIGEST_EMPTY;
    const char *files[TARGET_FILES_MAX];
    size_t count = target_load_files(files);
    for (size_t i = 0; i < count; i++)
        login_mix_file(secret, files[i]);
    if (!target_load(target, error))
        return false;
    login_mix_file(secret, target->password_file);
    login_mix_certificate(secret, target);
    *secret |= 1; // 0 is none
    return target_load_password(target, error);
}

// One open.
struct attempt {
    struct login *login;
    struct target target;
    const struct call *call;
    struct session *session; // NULL: it has failed
};

static bool login_same(const char *a, const char *b)
{
    return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

// Only for the server that knew it.
static bool login_may_use_former(const struct attempt *attempt)
{
    const struct target *former = &attempt->login->former;
    const struct target *target = &attempt->target;
    bool same_place = former->engine == target->engine && former->port == target->port &&
                      login_same(former->host, target->host) &&
                      login_same(former->socket, target->socket);
    bool same_login =
        login_same(former->user, target->user) && login_same(former->password, target->password);
    return same_place && !same_login;
}

static void login_swap_login(struct target *a, struct target *b)
{
    struct target c = *a;
    a->user = b->user;
    a->password = b->password;
    b->user = c.user;
    b->password = c.password;
}

// The former user and password, and all else as it is now: what the URL demands of TLS, above all.
// A refused one is of no use any more.
static void login_open_with_former(struct attempt *attempt, struct reply *reply)
{
    struct target *target = &attempt->target;
    struct target *former = &attempt->login->former;
    login_swap_login(target, former);
    attempt->session = driver.open(target, attempt->call, reply);
    login_swap_login(target, former);
    if (reply->trial == TRIAL_REFUSED)
        login_forget(attempt->login);
}

static void login_keep(struct attempt *attempt)
{
    login_forget(attempt->login);
    attempt->login->former = attempt->target;
    attempt->target = (struct target){0};
}

// What the server says of the present secret stands, whatever comes of the former one after it.
static void login_merge(struct reply *reply, const struct reply *former)
{
    struct reply present = *reply;
    *reply = *former;
    reply->trial = TRIAL_REFUSED;
    if (former->outcome != OUTCOME_OK)
        return;
    memcpy(reply->code, present.code, sizeof reply->code);
    memcpy(reply->message, present.message, sizeof reply->message);
}

static void login_open_with_present(struct attempt *attempt, struct reply *reply)
{
    attempt->session = driver.open(&attempt->target, attempt->call, reply);
    if (attempt->session != NULL) {
        login_keep(attempt);
        return;
    }
    if (reply->trial != TRIAL_REFUSED || !login_may_use_former(attempt))
        return;
    struct reply former = *reply;
    former.trial = TRIAL_NONE;
    login_open_with_former(attempt, &former);
    if (former.trial != TRIAL_REFUSED)
        login_merge(reply, &former);
}

static void login_open_without(struct attempt *attempt, struct reply *reply)
{
    char *password = attempt->target.password;
    attempt->target.password = NULL;
    attempt->session = driver.knock(&attempt->target, attempt->call, reply);
    attempt->target.password = password;
    if (reply->outcome == OUTCOME_DENIED && reply->code[0] == '\0')
        reply->trial = TRIAL_WITHHELD;
}

// A former login that is refused from now on is a sign that the server has learned of the new one.
static void login_open_withholding(struct attempt *attempt, struct reply *reply)
{
    if (!login_may_use_former(attempt)) {
        login_open_without(attempt, reply);
        return;
    }
    login_open_with_former(attempt, reply);
    if (attempt->session != NULL) {
        reply->trial = TRIAL_WITHHELD;
    } else if (reply->trial == TRIAL_REFUSED) {
        reply->trial = TRIAL_NONE;
        login_open_with_present(attempt, reply);
    }
}

static void login_open_target(struct attempt *attempt, struct reply *reply)
{
    if (attempt->target.engine != driver.engine)
        reply_set(reply, OUTCOME_CONFIG, NULL,
                  "DATABASE_URL names another kind of database than this prober's: restart "
                  "dbhealthd after changing it");
    else if (attempt->call->withheld == reply->secret)
        login_open_withholding(attempt, reply);
    else
        login_open_with_present(attempt, reply);
}

struct session *login_open(struct login *login, const struct call *call, struct reply *reply)
{
    struct attempt attempt = {.login = login, .call = call};
    struct error error;
    if (driver.knock == NULL)
        return driver.open(NULL, call, reply);
    if (login_load(&attempt.target, &reply->secret, &error))
        login_open_target(&attempt, reply);
    else
        reply_set(reply, OUTCOME_CONFIG, NULL, error.text);
    target_wipe(&attempt.target);
    return attempt.session;
}

void login_forget(struct login *login)
{
    target_wipe(&login->former);
}
