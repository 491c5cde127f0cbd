// The driver of dbhealthd-postgres: libpq's blocking calls behind the three verbs. It owns the
// connection.
//
// Two decisions. Names are resolved and addresses tried here, one libpq connection each, because
// libpq tells a closed port from a name that doesn't resolve only in its texts. And a run is one
// transaction sent as one pipeline, with its limits set for that transaction alone: one round trip,
// and behind a pooler nothing stays on a connection that belongs to an application.
#include "common/memory.h"
#include "prober/driver.h"
#include "prober/postgres_settings.h"
#include "prober/postgres_types.h"
#include "prober/sqlstate.h"

#include <assert.h>
#include <errno.h>
#include <libpq-fe.h>
#include <netdb.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

// What the server said before it broke the connection, as a warning rather than an error: after
// the crash of another session, or at an immediate shutdown.
struct farewell {
    char code[SQLSTATE_LENGTH + 1];
    char message[REPLY_MESSAGE_MAX];
};

struct session {
    PGconn *connection;
    struct farewell farewell;
    uint64_t refused; // a bit for each setting that the server does not know
    bool console;     // PgBouncer's own
};

// How far a login came, for when it fails without a word from the server.
struct progress {
    ConnStatusType phase; // before libpq's last step
    bool started;         // there was a socket
    bool silent;          // connect() had no answer within DRIVER_CONNECT_MS
    int system_error;     // errno of connect(), or 0
    SSL *tls;             // ours too, for libpq drops it when the login fails; NULL: no TLS
    unsigned long alert;  // what ended the connection within TLS: OpenSSL's error, or 0
    bool asked;           // for the password
    bool sasl;            // ... by SASL
    bool accepted;        // the server said that it is right
};

enum {
    OPTIONS_MAX = TARGET_PARAMETERS_MAX + 16,
    LIBPQ_WITH_SYSTEM_ROOTS = 160000,
    QUEUE_PAUSE_MS = 100 // before a Unix socket with a full queue is asked again
};

static const char nowhere[] = "/nonexistent"; // instead of files in a home folder
static const char begin_read_only[] = "BEGIN ISOLATION LEVEL READ COMMITTED READ ONLY";
// Not READ WRITE: a standby refuses that, and a server that is read-only by default is so for a
// reason.
static const char begin_as_usual[] = "BEGIN ISOLATION LEVEL READ COMMITTED";

// --- the environment -----------------------------------------------------------------------------

// A PG* variable of the container must not change what is probed, nor must files in a home folder:
// libpq fills in what a URL leaves out from both.
static void pg_setup(void)
{
    for (size_t i = 0; environ[i] != NULL;) {
        char name[64];
        size_t length = strcspn(environ[i], "=");
        if (strncmp(environ[i], "PG", 2) != 0 || length >= sizeof name) {
            i++;
            continue;
        }
        memcpy(name, environ[i], length);
        name[length] = '\0';
        (void)unsetenv(name); // closes the gap: the next one is at i now
    }
    if (setenv("HOME", nowhere, 1) != 0)
        abort();
}

// --- open ----------------------------------------------------------------------------------------

struct options {
    const char *names[OPTIONS_MAX];
    const char *values[OPTIONS_MAX];
    size_t count;
};

static void pg_add_option(struct options *options, const char *name, const char *value)
{
    assert(options->count < OPTIONS_MAX - 1);
    options->names[options->count] = name;
    options->values[options->count++] = value;
    options->names[options->count] = NULL;
    options->values[options->count] = NULL;
}

// The URL's own parameters come last, for the last of a name counts.
static void pg_fill_options(struct options *options, const struct target *target,
                            const char *address, const char *port)
{
    options->count = 0;
    pg_add_option(options, "host", target->socket != NULL ? target->socket : target->host);
    pg_add_option(options, "hostaddr", address);
    pg_add_option(options, "port", port);
    pg_add_option(options, "user", target->user);
    pg_add_option(options, "password", target->password != NULL ? target->password : "");
    pg_add_option(options, "dbname", target->database);
    pg_add_option(options, "passfile", nowhere);
    pg_add_option(options, "gssencmode", "disable"); // else Kerberos' files are read at each login
    pg_add_option(options, "client_encoding", "UTF8");
    pg_add_option(options, "fallback_application_name", "dbhealthd");
    for (size_t i = 0; i < target->parameter_count; i++)
        pg_add_option(options, target->parameters[i].name, target->parameters[i].value);
}

static void pg_ignore_notice(void *context, const PGresult *notice)
{
    (void)context;
    (void)notice;
}

// libpq's form of an error in verbose mode is "SEVERITY:  SQLSTATE: text". NULL if a line has none.
static const char *pg_find_in_line(const char *line)
{
    const char *end = line + strcspn(line, "\n");
    for (const char *at = line; (at = strstr(at, ":  ")) != NULL && at < end; at++) {
        char code[SQLSTATE_LENGTH + 1];
        (void)snprintf(code, sizeof code, "%s", at + 3);
        if (sqlstate_is_valid(code) && strncmp(at + 3 + SQLSTATE_LENGTH, ": ", 2) == 0)
            return at + 3;
    }
    return NULL;
}

// With sslmode=prefer there may be an error for each of two attempts: the last counts. Each begins
// with "connection to server", from libpq 14 on; other lines are the server's, who may say
// anything.
static const char *pg_find_sqlstate(const char *text)
{
    static const char attempt[] = "connection to server";
    const char *found = pg_find_in_line(text);
    for (const char *at = text; (at = strchr(at, '\n')) != NULL;) {
        at++;
        const char *here = strncmp(at, attempt, strlen(attempt)) == 0 ? pg_find_in_line(at) : NULL;
        found = here != NULL ? here : found;
    }
    return found;
}

// libpq's own words, which are in English, for it is told no language: "cannot allocate memory for
// input buffer", "out of memory for query result". Only for errors without a SQLSTATE.
static bool pg_lacks_memory(const PGconn *connection)
{
    return strstr(PQerrorMessage(connection), " memory") != NULL;
}

// The server said something that is not its protocol.
static bool pg_is_garbled(const PGconn *connection)
{
    return strstr(PQerrorMessage(connection), "lost synchronization") != NULL;
}

static void pg_reply_with_sqlstate(struct reply *reply, const char *found)
{
    char code[SQLSTATE_LENGTH + 1];
    char message[REPLY_MESSAGE_MAX];
    (void)snprintf(code, sizeof code, "%s", found);
    (void)snprintf(message, sizeof message, "%s", found + SQLSTATE_LENGTH + 2);
    message[strcspn(message, "\n")] = '\0'; // more lines say where in the server's source it was
    reply_set(reply, sqlstate_outcome(code, true), code, message);
}

// The server asks for a ticket, and libpq got none: it calls Kerberos by the name of its interface.
static bool pg_wants_kerberos(const PGconn *connection, const struct progress *progress)
{
    return progress->phase == CONNECTION_AWAITING_RESPONSE &&
           strstr(PQerrorMessage(connection), "GSSAPI") != NULL;
}

// Whether the URL takes nothing less than TLS.
static bool pg_demands_tls(const struct target *target)
{
    const char *mode = target_parameter(target, "sslmode");
    return mode != NULL && (strcmp(mode, "require") == 0 || strncmp(mode, "verify-", 7) == 0);
}

// No word from the server: the phase tells. Where TLS is not demanded libpq goes on without after a
// failed handshake, so that what ends the login in that phase is a peer who speaks another
// protocol. A server that rejects our certificate ends the connection after what is, for the
// client, the end of the handshake.
static enum outcome pg_silent_outcome(PGconn *connection, const struct target *target,
                                      const struct progress *progress)
{
    if (progress->system_error != 0)
        return outcome_of_connect(progress->system_error);
    if (!progress->started)
        return OUTCOME_CONFIG; // an option's value that libpq knows not
    if (pg_lacks_memory(connection))
        return OUTCOME_TOO_LARGE;
    if (PQconnectionNeedsPassword(connection) || pg_wants_kerberos(connection, progress))
        return OUTCOME_DENIED;
    if (PQsocket(connection) >= 0) // libpq closed nothing: it read something that it did not like
        return progress->phase == CONNECTION_SSL_STARTUP && pg_demands_tls(target)
                   ? OUTCOME_TLS
                   : OUTCOME_SERVER_ERROR;
    bool with_certificate = progress->tls != NULL && target_parameter(target, "sslcert") != NULL;
    return with_certificate && progress->phase != CONNECTION_AUTH_OK ? OUTCOME_TLS : OUTCOME_LOST;
}

// libpq says "certificate verify failed", and not why.
static bool pg_reply_with_distrust(struct reply *reply, const struct progress *progress)
{
    long result = progress->tls != NULL ? SSL_get_verify_result(progress->tls) : X509_V_OK;
    if (result == X509_V_OK || progress->phase != CONNECTION_SSL_STARTUP ||
        SSL_get_verify_mode(progress->tls) == SSL_VERIFY_NONE)
        return false;
    char message[REPLY_MESSAGE_MAX];
    (void)snprintf(message, sizeof message, "the server's certificate cannot be trusted: %s",
                   X509_verify_cert_error_string(result));
    reply_set(reply, OUTCOME_TLS, NULL, message);
    return true;
}

static const char wrong_password[] = "28P01";

// PAM, LDAP and RADIUS refuse a password with the code of all other refusals. Poolers have one code
// for whatever ends a login, PgBouncer's and pgpool's: it is about the password if that was shown,
// unless it was accepted before. Then a wrong password is their own, for the server behind.
static bool pg_is_about_secret(PGconn *connection, const char *code,
                               const struct progress *progress)
{
    if (strcmp(code, "08P01") == 0 || strcmp(code, "XX000") == 0)
        return progress->asked && !progress->accepted;
    if (strcmp(code, wrong_password) == 0)
        return !progress->accepted;
    return strcmp(code, "28000") == 0 && PQconnectionUsedPassword(connection);
}

// Where SASL says how far a login came, what ends it there is a refusal, whatever the code. With
// other methods a pooler's code may also mean that it gets no connection to its server.
static void pg_take_refusal(struct reply *reply, PGconn *connection,
                            const struct progress *progress)
{
    if (!pg_is_about_secret(connection, reply->code, progress))
        return;
    reply->trial = TRIAL_REFUSED;
    if (progress->sasl)
        reply->outcome = OUTCOME_DENIED;
}

static void pg_reply_with_failure(struct reply *reply, PGconn *connection,
                                  const struct target *target, const struct progress *progress)
{
    const char *text = PQerrorMessage(connection);
    const char *found = pg_find_sqlstate(text);
    if (found != NULL) {
        pg_reply_with_sqlstate(reply, found);
        pg_take_refusal(reply, connection, progress);
        return;
    }
    if (pg_reply_with_distrust(reply, progress))
        return;
    if (progress->system_error != 0)
        text = strerror(progress->system_error);
    else if (progress->alert != 0)
        text = ERR_reason_error_string(progress->alert);
    reply_set(reply, pg_silent_outcome(connection, target, progress), NULL, text);
}

// Waits until the socket is ready for libpq's next step. False if it still has not connected.
static bool pg_wait_for_socket(PGconn *connection, PostgresPollingStatusType step)
{
    struct pollfd socket = {.fd = PQsocket(connection),
                            .events = step == PGRES_POLLING_READING ? POLLIN : POLLOUT};
    int limit_ms = PQstatus(connection) == CONNECTION_STARTED ? DRIVER_CONNECT_MS : -1;
    int ready;
    while ((ready = poll(&socket, 1, limit_ms)) < 0 && errno == EINTR)
        ;
    return ready > 0;
}

// The error of a connect() that went on in the background. Reading it takes it from libpq, which
// would not say what it was.
static int pg_pending_connect_error(PGconn *connection)
{
    int error = 0;
    socklen_t size = sizeof error;
    if (PQstatus(connection) != CONNECTION_STARTED)
        return 0;
    return getsockopt(PQsocket(connection), SOL_SOCKET, SO_ERROR, &error, &size) == 0 ? error : 0;
}

// With sslmode=prefer libpq goes back to the start after a refusal, to try without TLS.
static bool pg_starts_again(const PGconn *connection, const struct progress *progress)
{
    return PQstatus(connection) == CONNECTION_STARTED && progress->phase != CONNECTION_STARTED;
}

// A password that is wrong with TLS is wrong without, and each refusal may count.
static bool pg_would_be_refused_twice(PGconn *connection, const struct progress *progress)
{
    char code[SQLSTATE_LENGTH + 1];
    const char *found = pg_find_sqlstate(PQerrorMessage(connection));
    if (found == NULL)
        return false;
    (void)snprintf(code, sizeof code, "%s", found);
    return pg_is_about_secret(connection, code, progress);
}

static void pg_hold_tls(PGconn *connection, struct progress *progress)
{
    SSL *tls = PQsslStruct(connection, "OpenSSL");
    if (tls == NULL || tls == progress->tls || SSL_up_ref(tls) != 1)
        return;
    SSL_free(progress->tls);
    progress->tls = tls;
}

// A server that rejects our certificate says so here, by an alert that libpq then gets no more.
static int pg_peek_tls(struct progress *progress, unsigned char *bytes, int length)
{
    ERR_clear_error();
    int got = SSL_peek(progress->tls, bytes, length);
    unsigned long error = got > 0 ? 0 : ERR_peek_error();
    if (ERR_GET_REASON(error) >= SSL_AD_REASON_OFFSET)
        progress->alert = error;
    return got;
}

// What libpq will read next and not tell of. A pooler that judges passwords says by the end of SASL
// that this one is right, and then why it lets nobody in; a server says it by "ok". "R", a length,
// and what it is about: https://www.postgresql.org/docs/current/protocol-message-formats.html
static void pg_look_ahead(PGconn *connection, struct progress *progress)
{
    enum { ALL_IS_WELL = 0, CLEAR = 3, MD5 = 5, SASL_BEGINS = 10, SASL_ENDS = 12 };
    unsigned char head[9];
    if (progress->phase != CONNECTION_AWAITING_RESPONSE)
        return;
    ssize_t length = progress->tls != NULL
                         ? pg_peek_tls(progress, head, sizeof head)
                         : recv(PQsocket(connection), head, sizeof head, MSG_PEEK | MSG_DONTWAIT);
    if (length < (ssize_t)sizeof head || head[0] != 'R')
        return;
    unsigned char about = head[sizeof head - 1];
    progress->asked |= about == CLEAR || about == MD5 || about == SASL_BEGINS;
    progress->sasl |= about == SASL_BEGINS;
    progress->accepted |= about == SASL_ENDS || about == ALL_IS_WELL;
}

// libpq's loop, as its manual has it. False when the login has failed.
static bool pg_log_in(PGconn *connection, struct progress *progress)
{
    PostgresPollingStatusType step = PGRES_POLLING_WRITING;
    progress->started = true;
    for (;;) {
        progress->silent = !pg_wait_for_socket(connection, step);
        if (progress->silent)
            return false;
        progress->phase = PQstatus(connection);
        progress->system_error = pg_pending_connect_error(connection);
        if (progress->system_error != 0)
            return false;
        pg_look_ahead(connection, progress);
        step = PQconnectPoll(connection);
        pg_hold_tls(connection, progress);
        if (step == PGRES_POLLING_OK || step == PGRES_POLLING_FAILED)
            return step == PGRES_POLLING_OK;
        if (!pg_starts_again(connection, progress))
            continue;
        if (pg_would_be_refused_twice(connection, progress))
            return false;
        progress->alert = 0;
        progress->asked = progress->sasl = progress->accepted = false;
    }
}

// Starts the connection. libpq reports a connect() that failed at once like an option that it
// doesn't know, but for errno. ENOENT is no socket's error: pg_open_socket has looked for the file.
// EAGAIN is that of a Unix socket at which too many wait already.
static bool pg_start(const struct options *options, PGconn **connection, struct progress *progress)
{
    errno = 0;
    *connection = PQconnectStartParams(options->names, options->values, 0);
    int system_error = errno;
    if (*connection == NULL)
        abort(); // out of memory
    (void)PQsetErrorVerbosity(*connection, PQERRORS_VERBOSE);
    (void)PQsetNoticeReceiver(*connection, pg_ignore_notice, NULL);
    if (PQstatus(*connection) != CONNECTION_BAD)
        return true;
    progress->system_error = system_error == ENOENT ? 0 : system_error;
    progress->silent = system_error == EAGAIN;
    return false;
}

// Says that a connect() may have an answer the next time.
static void pg_reply_with_silence(struct reply *reply)
{
    reply_set(reply, OUTCOME_TIMEOUT, NULL, "connect() has no answer yet");
}

static bool pg_attempt(const struct options *options, PGconn **connection,
                       struct progress *progress)
{
    *progress = (struct progress){.phase = CONNECTION_BAD};
    return pg_start(options, connection, progress) && pg_log_in(*connection, progress);
}

// The server's side of the handshake was there before libpq's first step of it ended, so that
// pg_hold_tls came too late to see why the certificate was not trusted. Nothing of ours has been
// shown.
static bool pg_is_unexplained(const PGconn *connection, const struct progress *progress)
{
    return progress->tls == NULL &&
           strstr(PQerrorMessage(connection), "certificate verify failed") != NULL;
}

// address is NULL for a Unix socket. NULL when it fails, and the reply says why, OUTCOME_TIMEOUT if
// it may be tried again.
static PGconn *pg_connect_to(const struct target *target, const char *address, struct reply *reply)
{
    struct options options;
    enum { LOOKS_MAX = 5 };
    struct progress progress;
    PGconn *connection;
    char port[8];
    (void)snprintf(port, sizeof port, "%u", target->port);
    pg_fill_options(&options, target, address, port);
    bool connected = pg_attempt(&options, &connection, &progress);
    for (unsigned looks = 1; looks < LOOKS_MAX && pg_is_unexplained(connection, &progress);
         looks++) {
        PQfinish(connection);
        connected = pg_attempt(&options, &connection, &progress);
    }
    if (!connected && progress.silent)
        pg_reply_with_silence(reply);
    else if (!connected)
        pg_reply_with_failure(reply, connection, target, &progress);
    SSL_free(progress.tls);
    if (connected)
        return connection;
    PQfinish(connection);
    return NULL;
}

// One address after another, until one is connected to, whatever the server says then. A refusal
// is worth more than what other addresses come to, for it shows that the machine is there; but as
// long as one of them is silent nothing is known.
static PGconn *pg_connect_to_any(const struct target *target, const struct addrinfo *addresses,
                                 struct reply *reply)
{
    bool pending = false;
    for (const struct addrinfo *at = addresses; at != NULL; at = at->ai_next) {
        char address[NI_MAXHOST];
        struct reply latest = {0};
        if (getnameinfo(at->ai_addr, at->ai_addrlen, address, sizeof address, NULL, 0,
                        NI_NUMERICHOST) != 0)
            continue;
        PGconn *connection = pg_connect_to(target, address, &latest);
        if (connection != NULL)
            return connection;
        pending |= latest.outcome == OUTCOME_TIMEOUT;
        bool silent = latest.outcome == OUTCOME_REFUSED || latest.outcome == OUTCOME_UNREACHABLE ||
                      latest.outcome == OUTCOME_TIMEOUT;
        if (!silent || at == addresses || reply->outcome != OUTCOME_REFUSED)
            reply_set(reply, latest.outcome, latest.code, latest.message);
        reply->trial = latest.trial;
        if (!silent)
            return NULL;
    }
    if (pending)
        pg_reply_with_silence(reply);
    return NULL;
}

static PGconn *pg_open_host(const struct target *target, struct reply *reply)
{
    struct addrinfo *addresses = resolve_host(target->host, reply);
    if (addresses == NULL)
        return NULL;
    reply_set(reply, OUTCOME_UNREACHABLE, NULL, "the host has no address");
    PGconn *connection = pg_connect_to_any(target, addresses, reply);
    freeaddrinfo(addresses);
    return connection;
}

static PGconn *pg_open_socket(const struct target *target, struct reply *reply)
{
    char path[4096];
    (void)snprintf(path, sizeof path, "%s/.s.PGSQL.%u", target->socket, target->port);
    if (access(path, F_OK) != 0 && errno == ENOENT) {
        reply_set(reply, OUTCOME_REFUSED, NULL, "the Unix socket is not there");
        return NULL;
    }
    PGconn *connection = pg_connect_to(target, NULL, reply);
    if (connection == NULL && reply->outcome == OUTCOME_TIMEOUT)
        (void)poll(NULL, 0, QUEUE_PAUSE_MS); // for connect() does not wait for a place in the queue
    return connection;
}

// libpq passes over a root certificate that is missing, unless told to verify, and reports other
// files late, as if it were the server's fault.
static bool pg_check_file(const struct target *target, const char *name, struct reply *reply)
{
    const char *path = target_parameter(target, name);
    if (path == NULL || access(path, R_OK) == 0)
        return true;
    if (strcmp(path, "system") == 0 && PQlibVersion() >= LIBPQ_WITH_SYSTEM_ROOTS)
        return true;
    char message[REPLY_MESSAGE_MAX];
    (void)snprintf(message, sizeof message, "DATABASE_URL: cannot read the file of %s: %s", name,
                   strerror(errno));
    reply_set(reply, OUTCOME_CONFIG, NULL, message);
    return false;
}

static bool pg_check_tls(const struct target *target, struct reply *reply)
{
    static const char *const files[] = {"sslrootcert", "sslcert", "sslkey", "sslcrl"};
    const char *mode = target_parameter(target, "sslmode");
    if (mode != NULL && strcmp(mode, "disable") == 0)
        return true;
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        if (!pg_check_file(target, files[i], reply))
            return false;
    }
    bool verify = mode != NULL && strncmp(mode, "verify-", 7) == 0;
    if (!verify || target_parameter(target, "sslrootcert") != NULL)
        return true;
    reply_set(reply, OUTCOME_CONFIG, NULL, "DATABASE_URL: sslmode=verify-* needs sslrootcert");
    return false;
}

static const char *pg_version(const PGconn *connection)
{
    const char *version = PQparameterStatus(connection, "server_version");
    return version != NULL ? version : "";
}

// The database pgbouncer, in which PgBouncer answers for itself: "1.18.0/bouncer".
static bool pg_is_console(const PGconn *connection)
{
    return strstr(pg_version(connection), "/bouncer") != NULL;
}

// The server's "15.8 (Debian 15.8-1)" without what follows the number. Whether the user is a
// superuser, who passes where others are turned away, the server has said at login.
static void pg_describe_server(PGconn *connection, struct reply *reply)
{
    bool console = pg_is_console(connection);
    const char *version = pg_version(connection);
    const char *superuser = PQparameterStatus(connection, "is_superuser");
    reply_set(reply, OUTCOME_OK, NULL, "");
    reply->superuser = !console && superuser != NULL && strcmp(superuser, "on") == 0;
    reply_set_server(reply, console ? FLAVOR_PGBOUNCER : FLAVOR_POSTGRES, version,
                     strcspn(version, " /"));
}

// Notices are not for us, but for the one that says why the session ends.
static void pg_take_notice(void *context, const PGresult *notice)
{
    struct farewell *farewell = context;
    const char *code = PQresultErrorField(notice, PG_DIAG_SQLSTATE);
    const char *message = PQresultErrorField(notice, PG_DIAG_MESSAGE_PRIMARY);
    if (code == NULL || message == NULL || sqlstate_outcome(code, false) != OUTCOME_TERMINATED)
        return;
    (void)snprintf(farewell->code, sizeof farewell->code, "%s", code);
    (void)snprintf(farewell->message, sizeof farewell->message, "%s", message);
}

static struct session *pg_open_session(const struct target *target, const struct call *call,
                                       struct reply *reply)
{
    (void)call;
    if (!pg_check_tls(target, reply))
        return NULL;
    PGconn *connection;
    do
        connection =
            target->socket != NULL ? pg_open_socket(target, reply) : pg_open_host(target, reply);
    while (connection == NULL && reply->outcome == OUTCOME_TIMEOUT);
    if (connection == NULL)
        return NULL;
    struct session *session = memory_new(sizeof *session);
    session->connection = connection;
    session->console = pg_is_console(connection);
    if (!session->console)
        (void)PQenterPipelineMode(connection); // fails on a connection that is in use only
    (void)PQsetNoticeReceiver(connection, pg_take_notice, &session->farewell);
    pg_describe_server(connection, reply);
    return session;
}

// --- run -----------------------------------------------------------------------------------------

static bool pg_send_text(PGconn *connection, const char *sql)
{
    return PQsendQueryParams(connection, sql, 0, NULL, NULL, NULL, NULL, 0) == 1;
}

// The limit for locks is the lower one, so that the code tells a lock from a slow statement.
static bool pg_send_limits(PGconn *connection, long long limit_ms)
{
    char statement_limit[64], lock_limit[64];
    (void)snprintf(statement_limit, sizeof statement_limit, "SET LOCAL statement_timeout = %lld",
                   limit_ms);
    (void)snprintf(lock_limit, sizeof lock_limit, "SET LOCAL lock_timeout = %lld",
                   limit_ms - limit_ms / 8);
    return pg_send_text(connection, statement_limit) && pg_send_text(connection, lock_limit);
}

static const char *pg_next_setting(const struct session *session, size_t *at)
{
    const char *setting;
    do
        setting = postgres_setting_next(at, PQserverVersion(session->connection));
    while (setting != NULL && (session->refused >> *at & 1) != 0);
    return setting;
}

// Not by set_config(): a function is looked up in the catalogue, whose tables may be locked, and a
// plan for it is made by settings that are not ours yet.
static bool pg_send_settings(const struct session *session)
{
    const char *setting;
    bool sent = true;
    for (size_t at = 0; sent && (setting = pg_next_setting(session, &at)) != NULL;)
        sent = pg_send_text(session->connection, setting);
    return sent;
}

static bool pg_send_run(const struct session *session, const struct call *call)
{
    PGconn *connection = session->connection;
    return pg_send_text(connection, call->read_only ? begin_read_only : begin_as_usual) &&
           pg_send_limits(connection, call->statement_limit.ms) && pg_send_settings(session) &&
           pg_send_text(connection, call->sql) && pg_send_text(connection, "COMMIT") &&
           PQpipelineSync(connection) == 1;
}

// The connection is lost, or libpq cannot make sense of what it read or has no room for it.
static void pg_take_silence(struct session *session, struct reply *reply)
{
    const struct farewell *farewell = &session->farewell;
    if (pg_lacks_memory(session->connection))
        reply_set(reply, OUTCOME_TOO_LARGE, NULL, PQerrorMessage(session->connection));
    else if (PQstatus(session->connection) != CONNECTION_BAD || pg_is_garbled(session->connection))
        reply_set(reply, OUTCOME_SERVER_ERROR, NULL, PQerrorMessage(session->connection));
    else if (farewell->code[0] != '\0')
        reply_set(reply, OUTCOME_TERMINATED, farewell->code, farewell->message);
    else
        reply_set(reply, OUTCOME_LOST, NULL, PQerrorMessage(session->connection));
}

// The first error counts; what comes after it is its consequence.
static void pg_take_error(struct session *session, const PGresult *part, struct reply *reply)
{
    if (reply->outcome != OUTCOME_OK)
        return;
    const char *code = PQresultErrorField(part, PG_DIAG_SQLSTATE);
    const char *message = PQresultErrorField(part, PG_DIAG_MESSAGE_PRIMARY);
    if (code != NULL)
        reply_set(reply, sqlstate_outcome(code, false), code, message != NULL ? message : "");
    else
        pg_take_silence(session, reply);
}

static bool pg_add_value(struct result *result, const PGresult *part, int row, int column)
{
    if (PQgetisnull(part, row, column))
        return result_add_value(result, VALUE_NULL, "", 0);
    enum value_type type = oid_value_type(PQftype(part, column));
    const char *text = PQgetvalue(part, row, column);
    if (type != VALUE_BOOLEAN)
        return result_add_value(result, type, text, (size_t)PQgetlength(part, row, column));
    text = text[0] == 't' ? "true" : "false";
    return result_add_value(result, type, text, strlen(text));
}

static void pg_add_columns(struct result *result, const PGresult *part)
{
    for (int column = 0; column < PQnfields(part) && !result->cut; column++) {
        result_add_column(result, PQfname(part, column));
        if (!result->cut)
            result_set_type(result, oid_column_type(PQftype(part, column)));
    }
}

// Counts the rows of this part and keeps those within the limit, while they fit.
static void pg_add_rows(struct result *result, const PGresult *part, uint32_t max_rows)
{
    for (int row = 0; row < PQntuples(part); row++) {
        bool keep = result->row_count < max_rows && result->row_count == result->kept_rows;
        result->row_count++;
        for (int column = 0; keep && column < (int)result->column_count; column++)
            keep = pg_add_value(result, part, row, column);
    }
}

static size_t pg_row_length(const PGresult *part)
{
    size_t length = 0;
    for (int column = 0; PQntuples(part) > 0 && column < PQnfields(part); column++)
        length += (size_t)PQgetlength(part, 0, column);
    return length;
}

// Mostly one row: see PQsetSingleRowMode.
static void pg_take_rows(struct reply *reply, const PGresult *part, uint32_t max_rows)
{
    if (reply->outcome == OUTCOME_OK && pg_row_length(part) > DRIVER_ROW_MAX)
        reply_set(reply, OUTCOME_TOO_LARGE, NULL, "a row has more than 1 MiB");
    if (reply->result->row_count == 0)
        pg_add_columns(reply->result, part);
    pg_add_rows(reply->result, part, max_rows);
}

// A part of what one step of the run gave. False for COPY: it can be neither read nor refused
// within a pipeline.
static bool pg_take_part(struct session *session, const PGresult *part, const struct call *call,
                         struct reply *reply)
{
    switch (PQresultStatus(part)) {
    case PGRES_SINGLE_TUPLE:
#ifdef LIBPQ_HAS_CHUNK_MODE // libpq 17 and newer
    case PGRES_TUPLES_CHUNK:
#endif
    case PGRES_TUPLES_OK:
        if (call != NULL)
            pg_take_rows(reply, part, call->max_rows);
        return true;
    case PGRES_FATAL_ERROR:
    case PGRES_BAD_RESPONSE:
        pg_take_error(session, part, reply);
        return true;
    case PGRES_COPY_IN:
    case PGRES_COPY_OUT:
    case PGRES_COPY_BOTH:
        return false;
    case PGRES_EMPTY_QUERY:
    case PGRES_COMMAND_OK:
    case PGRES_NONFATAL_ERROR:
    case PGRES_PIPELINE_SYNC:
    case PGRES_PIPELINE_ABORTED:
        return true;
    }
    abort();
}

// Reads all that one step gave, up to the NULL that ends it; call is NULL for steps whose rows are
// of no interest. False for COPY.
static bool pg_read_step(struct session *session, const struct call *call, struct reply *reply)
{
    PGconn *connection = session->connection;
    bool readable = true;
    PGresult *part;
    if (call != NULL)
        (void)PQsetSingleRowMode(connection); // a million rows must not cost a million rows' memory
    while (readable && (part = PQgetResult(connection)) != NULL) {
        readable = pg_take_part(session, part, call, reply);
        PQclear(part);
        if (PQstatus(connection) == CONNECTION_BAD)
            break; // libpq goes on making up results for what will never come
    }
    return readable;
}

static bool pg_read_steps(struct session *session, unsigned count, struct reply *reply)
{
    bool readable = true;
    for (unsigned i = 0; i < count && readable; i++)
        readable = pg_read_step(session, NULL, reply);
    return readable;
}

// A setting that the server does not know, for it is newer than we or another product, is left out
// from now on.
static bool pg_read_settings(struct session *session, struct reply *reply)
{
    static const char undefined_object[] = "42704";
    bool readable = true;
    for (size_t at = 0; readable && pg_next_setting(session, &at) != NULL;) {
        bool well = reply->outcome == OUTCOME_OK;
        readable = pg_read_step(session, NULL, reply);
        if (well && strcmp(reply->code, undefined_object) == 0)
            session->refused |= UINT64_C(1) << at;
    }
    return readable;
}

// BEGIN and two limits, the settings, the statement, COMMIT.
static bool pg_read_run(struct session *session, const struct call *call, struct reply *reply)
{
    bool readable = pg_read_steps(session, 3, reply) && pg_read_settings(session, reply) &&
                    pg_read_step(session, call, reply) && pg_read_step(session, NULL, reply);
    if (readable)
        PQclear(PQgetResult(session->connection)); // the synchronisation point
    return readable;
}

// For what is of no interest, its failure included.
static void pg_do(struct session *session, const char *sql)
{
    PGconn *connection = session->connection;
    struct reply ignored = {.outcome = OUTCOME_OK};
    if (!pg_send_text(connection, sql) || PQpipelineSync(connection) != 1)
        return; // the connection is lost, as the next run will find
    (void)pg_read_step(session, NULL, &ignored);
    PQclear(PQgetResult(connection));
}

// Ends a transaction that an error left open, for the next run and for a pooler; and makes the
// session as new if more than that may be left.
static void pg_tidy_up(struct session *session, const struct call *call)
{
    PGTransactionStatusType status = PQtransactionStatus(session->connection);
    if (status == PQTRANS_INERROR || status == PQTRANS_INTRANS)
        pg_do(session, "ROLLBACK");
    if (call_leaves_traces(call))
        pg_do(session, "DISCARD ALL");
}

// A statement may have LISTENed; what is never fetched is never freed.
static void pg_drop_notifications(PGconn *connection)
{
    PGnotify *notification;
    while ((notification = PQnotifies(connection)) != NULL)
        PQfreemem(notification);
}

// The connection is in the middle of a COPY. A new one is the only way out, and those who run after
// this check must not pay for its mistake.
static void pg_abandon_copy(PGconn *connection, struct reply *reply)
{
    reply_set(reply, OUTCOME_CONFIG, NULL, "COPY to or from the client cannot be a check");
    PQreset(connection);
    if (PQstatus(connection) == CONNECTION_OK)
        (void)PQenterPipelineMode(connection);
}

// One command by the simple protocol is all that the console takes, in no transaction. Nothing is
// read-only there, and there are commands that end PgBouncer.
static void pg_ask_console(struct session *session, const struct call *call, struct reply *reply)
{
    if (call->read_only && strncasecmp(call->sql, "SHOW", strlen("SHOW")) != 0)
        reply_set(reply, OUTCOME_CONFIG, NULL,
                  "PgBouncer's console is asked by SHOW alone, unless the check says writes: yes");
    else if (PQsendQuery(session->connection, call->sql) != 1)
        pg_take_error(session, NULL, reply);
    else
        (void)pg_read_step(session, call, reply);
}

static void pg_ask_server(struct session *session, const struct call *call, struct reply *reply)
{
    if (!pg_send_run(session, call))
        pg_take_error(session, NULL, reply);
    else if (!pg_read_run(session, call, reply))
        pg_abandon_copy(session->connection, reply);
}

static void pg_try_run(struct session *session, const struct call *call, struct reply *reply)
{
    PGconn *connection = session->connection;
    struct instant began = instant_now();
    reply_set(reply, OUTCOME_OK, NULL, "");
    reply->result = result_new();
    if (PQstatus(connection) == CONNECTION_BAD)
        reply_set(reply, OUTCOME_LOST, NULL, "the connection was lost before this run");
    else if (session->console)
        pg_ask_console(session, call, reply);
    else
        pg_ask_server(session, call, reply);
    reply_set_write_seconds(reply, call, began);
    if (reply->outcome != OUTCOME_OK)
        reply_free(reply);
    if (PQstatus(connection) == CONNECTION_OK && !session->console)
        pg_tidy_up(session, call);
    pg_drop_notifications(connection);
}

static void pg_run(struct session *session, const struct call *call, struct reply *reply)
{
    uint64_t refused;
    do {
        refused = session->refused;
        pg_try_run(session, call, reply);
    } while (session->refused != refused);
}

// --- close ---------------------------------------------------------------------------------------

static void pg_close_session(struct session *session)
{
    PQfinish(session->connection);
    free(session);
}

const struct driver driver = {
    .engine = ENGINE_POSTGRES,
    .setup = pg_setup,
    .open = pg_open_session,
    .knock = pg_open_session, // libpq hangs up when it is asked for a password and has none
    .run = pg_run,
    .close = pg_close_session,
};
