// The driver of dbhealthd-mysql, for MySQL and MariaDB: Connector/C's blocking calls behind the
// three verbs. It owns the connection.
//
// The decision to question: the session is made ours by one SET SESSION as soon as it is there, and
// a run's limits are set by another when they differ from the last run's, since neither server has
// settings for one transaction as Postgres has. The connection is ours alone (poolers of this
// protocol keep sessions apart), and what a statement leaves behind in it is undone by
// COM_RESET_CONNECTION.
#include "common/memory.h"
#include "common/text.h"
#include "prober/driver.h"
#include "prober/mysql_certificate.h"
#include "prober/mysql_errors.h"
#include "prober/mysql_settings.h"

#include <errmsg.h>
#include <errno.h>
#include <mysql.h>
#include <netdb.h>
#include <netinet/in.h>
#include <openssl/err.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

struct session {
    MYSQL *connection;
    enum flavor flavor;
    unsigned long version;
    bool answered; // the server has said something since the login
    bool lost;
    // What the session was told; a limit of 0: nothing yet, or all is forgotten.
    int64_t limit_ms;
    bool read_only;
};

// How much the URL wants of TLS, in rising order.
enum tls_mode { TLS_DISABLED, TLS_PREFERRED, TLS_REQUIRED, TLS_VERIFY_CA, TLS_VERIFY_IDENTITY };

// A login under way.
struct login {
    MYSQL *connection;
    enum tls_mode mode;
    bool reached;   // connect() had an answer
    bool silent;    // it had none in time
    bool began_tls; // its handshake, whatever came of it
};

enum {
    GREETING_MAX = 512,   // bytes that are looked at
    SET_MAX = 4096,       // bytes of the longest SET
    FIRST_LIMIT_MS = 1000 // of what a new session is asked
};

static const char nowhere[] = "/nonexistent";
static const char character_set[] = "utf8mb4";

// Ways to log in that never send the password itself, or only under the server's RSA key. The
// server chooses, and could choose one that sends it in clear.
static const char safe_plugins[] =
    "mysql_native_password,caching_sha2_password,sha256_password,client_ed25519,parsec,"
    "auth_gssapi_client";

// --- the environment -----------------------------------------------------------------------------

// Not by prefix as for libpq: the official images' MYSQL_* and MARIADB_* are target_load's to read.
static void my_setup(void)
{
    static const char *const names[] = {
        "MYSQL_PWD",          "MYSQL_TCP_PORT",
        "MYSQL_UNIX_PORT",    "MARIADB_UNIX_PORT",
        "MYSQL_HOME",         "MARIADB_HOME",
        "MARIADB_PLUGIN_DIR", "LIBMYSQL_PLUGIN_DIR",
        "LIBMYSQL_PLUGINS",   "LIBMYSQL_ENABLE_CLEARTEXT_PLUGIN",
        "MYSQL_GROUP_SUFFIX", "MARIADB_TLS_DISABLE_PEER_VERIFICATION"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        (void)unsetenv(names[i]);
    if (setenv("HOME", nowhere, 1) != 0 || mysql_library_init(0, NULL, NULL) != 0)
        abort();
}

// --- errors --------------------------------------------------------------------------------------

static void my_reply_with_number(struct reply *reply, unsigned number, enum outcome outcome,
                                 const char *message)
{
    char code[REPLY_CODE_MAX];
    (void)snprintf(code, sizeof code, "%u", number);
    reply_set(reply, outcome, code, message);
}

// Connector/C says "lost" of a packet, too, that is larger than it may be or than there is memory
// for; and when an authentication plug-in could not read, that the plug-in failed. What it notes of
// the network tells more: 1 for such a packet, 2 for a connection that broke. The handshake of TLS
// was over by then, but 3.4 keeps what it would say of the certificate if it minded.
static unsigned my_error_number(MYSQL *connection)
{
    static const unsigned by_network[] = {0, CR_NET_PACKET_TOO_LARGE, CR_SERVER_LOST};
    unsigned number = mysql_errno(connection);
    bool vague = number == CR_SERVER_LOST || number == CR_AUTH_PLUGIN_ERR ||
                 number == CR_SSL_CONNECTION_ERROR;
    unsigned noted = connection->net.error;
    return vague && (noted == 1 || noted == 2) ? by_network[noted] : number;
}

static const char *my_error_message(MYSQL *connection)
{
    unsigned number = my_error_number(connection);
    if (number == CR_NET_PACKET_TOO_LARGE)
        return "a packet has more than 1 MiB";
    bool under_tls = number == CR_SERVER_LOST && mysql_errno(connection) == CR_SSL_CONNECTION_ERROR;
    return under_tls ? "the connection broke under TLS" : mysql_error(connection);
}

static int my_connect_error_of(const struct addrinfo *address)
{
    int descriptor = socket(address->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (descriptor < 0)
        return errno;
    bool connected = connect(descriptor, address->ai_addr, address->ai_addrlen) == 0;
    int error = connected ? ECONNREFUSED : errno; // if it is up by now, it was not a moment ago
    close(descriptor);
    return error;
}

// Why a connect() failed that went on in the background. The library has thrown that errno away and
// says EINPROGRESS, so the same is asked again, of addresses at which nothing listens.
static int my_ask_connect_error(const struct target *target)
{
    static const struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
    struct addrinfo *addresses;
    char port[8];
    int error = EHOSTUNREACH;
    (void)snprintf(port, sizeof port, "%u", target->port);
    if (getaddrinfo(target->host, port, &hints, &addresses) != 0)
        return error;
    for (const struct addrinfo *at = addresses; at != NULL && error != ECONNREFUSED;
         at = at->ai_next)
        error = my_connect_error_of(at);
    freeaddrinfo(addresses);
    return error;
}

static void my_reply_with_connect_error(struct reply *reply, MYSQL *connection,
                                        const struct target *target)
{
    int error = mysql_error_errno(mysql_error(connection));
    if (target->socket == NULL && error == EINPROGRESS)
        error = my_ask_connect_error(target);
    my_reply_with_number(reply, mysql_errno(connection), outcome_of_connect(error),
                         strerror(error));
}

// What a server that rejects our certificate has to say comes after what is, for us, the end of the
// handshake, and the library calls it a lost connection.
static bool my_may_be_rejected_certificate(unsigned number, const char *message,
                                           const struct target *target)
{
    return number == CR_SERVER_LOST && target_parameter(target, "ssl-cert") != NULL &&
           !mysql_error_is_before_greeting(message);
}

// What came in place of a greeting was none. A proxy whose server is down sends an error there that
// only a client may have, which the library does not pass on (MySQL Router: 2003); others are no
// server of ours. A greeting has the session's number, which the library keeps.
static bool my_is_no_greeting(unsigned number, MYSQL *connection)
{
    return number == CR_MALFORMED_PACKET && mysql_thread_id(connection) == 0;
}

static void my_reply_with_no_greeting(struct reply *reply)
{
    my_reply_with_number(reply, CR_MALFORMED_PACKET, OUTCOME_LOST,
                         "no greeting came: a proxy has no server to pass us on to, or this is "
                         "neither MySQL nor MariaDB");
}

// A handshake of TLS that breaks is "lost" to the library, or an error of TLS: by chance. It notes
// nothing of the network then.
static bool my_broke_in_handshake(const struct login *login)
{
    return login->began_tls && mysql_errno(login->connection) == CR_SERVER_LOST &&
           login->connection->net.error == 0;
}

// The library has forgotten the greeting by now, so the product is unknown; at login the numbers of
// the two don't collide.
static void my_reply_with_login_error(struct reply *reply, const struct login *login,
                                      const struct target *target)
{
    MYSQL *connection = login->connection;
    unsigned number = my_error_number(connection);
    const char *message = my_error_message(connection);
    if (number == CR_CONNECTION_ERROR && !mysql_error_unwrap(message, &number)) {
        my_reply_with_connect_error(reply, connection, target);
        return;
    }
    if (my_is_no_greeting(number, connection)) {
        my_reply_with_no_greeting(reply);
        return;
    }
    if (my_broke_in_handshake(login)) {
        my_reply_with_number(reply, CR_SSL_CONNECTION_ERROR, OUTCOME_TLS,
                             "the connection broke in the handshake of TLS");
        return;
    }
    if (my_may_be_rejected_certificate(number, message, target)) {
        my_reply_with_number(
            reply, number, OUTCOME_TLS,
            "the server hung up when it had seen our certificate (ssl-cert), as one "
            "does that has expired, is revoked or of an unknown authority");
        return;
    }
    my_reply_with_number(reply, number, mysql_error_outcome(number, FLAVOR_UNKNOWN, true), message);
    reply->trial = mysql_error_refuses_secret(number) ? TRIAL_REFUSED : TRIAL_NONE;
}

// A server that has let us in and hangs up at the first statement, whatever it is, has a reason:
// its init_connect fails. Mostly it says so (1184).
static enum outcome my_run_outcome(const struct session *session, unsigned number)
{
    enum outcome outcome = mysql_error_outcome(number, session->flavor, false);
    return outcome == OUTCOME_LOST && !session->answered ? OUTCOME_TERMINATED : outcome;
}

// After this the session is of no use if the connection broke or the server ended it.
static void my_reply_with_run_error(struct reply *reply, struct session *session)
{
    unsigned number = my_error_number(session->connection);
    enum outcome outcome = my_run_outcome(session, number);
    session->lost |=
        outcome == OUTCOME_LOST || outcome == OUTCOME_TERMINATED || outcome == OUTCOME_TOO_LARGE;
    my_reply_with_number(reply, number, outcome, my_error_message(session->connection));
}

// What a session is told names variables that a server may not have. That is an error, and not what
// a check asks about.
static void my_reply_with_setting_error(struct reply *reply, struct session *session)
{
    my_reply_with_run_error(reply, session);
    if (reply->outcome != OUTCOME_MISSING)
        return;
    reply->outcome = OUTCOME_SERVER_ERROR;
    if (mysql_setting_is_too_old(session->flavor, session->version))
        (void)snprintf(reply->message, sizeof reply->message,
                       "the server is older than any that is supported: %s has no read-only "
                       "transactions",
                       mysql_get_server_info(session->connection));
}

// --- what a session is told ----------------------------------------------------------------------

static bool my_query(struct session *session, const char *sql)
{
    bool done = mysql_real_query(session->connection, sql, strlen(sql)) == 0;
    unsigned number = my_error_number(session->connection);
    session->answered |=
        done || mysql_error_outcome(number, session->flavor, false) != OUTCOME_LOST;
    return done;
}

static const char *my_next_setting(const struct session *session, size_t *at)
{
    return mysql_setting_next(at, session->flavor, session->version);
}

static void my_add_settings(struct text *sql, const struct session *session)
{
    const char *setting;
    for (size_t at = 0; (setting = my_next_setting(session, &at)) != NULL;)
        text_addf(sql, "%s, ", setting);
}

// MariaDB counts a statement's limit in seconds with decimals, MySQL in milliseconds and for SELECT
// only, if it has one. Both wait for locks for whole seconds, by default for hours; rounded down,
// so that the server ends a wait and not we the prober.
static void my_add_limits(struct text *sql, const struct session *session, const struct call *call)
{
    long long ms = call->statement_limit.ms;
    long long seconds = ms < 1000 ? 1 : ms / 1000;
    text_addf(sql, "%s = %d, lock_wait_timeout = %lld, innodb_lock_wait_timeout = %lld",
              mysql_setting_read_only(session->flavor, session->version), call->read_only, seconds,
              seconds);
    if (session->flavor == FLAVOR_MARIADB)
        text_addf(sql, ", max_statement_time = %lld.%03lld", ms / 1000, ms % 1000);
    else if (mysql_setting_has_limit(session->version))
        text_addf(sql, ", max_execution_time = %lld", ms);
}

// It does not know a variable, or lets nobody set it.
static bool my_is_refused(const struct session *session)
{
    unsigned number = my_error_number(session->connection);
    enum outcome outcome = mysql_error_outcome(number, session->flavor, false);
    return outcome == OUTCOME_SERVER_ERROR || outcome == OUTCOME_MISSING;
}

// One at a time, for a server that refuses one of them: a build of MariaDB without Galera, or what
// calls itself MySQL and is not.
static bool my_set_each(struct session *session)
{
    const char *setting;
    for (size_t at = 0; (setting = my_next_setting(session, &at)) != NULL;) {
        char bytes[SET_MAX];
        struct text sql = text_in(bytes, sizeof bytes);
        text_addf(&sql, "SET SESSION %s", setting);
        if (!my_query(session, bytes) && !my_is_refused(session))
            return false;
    }
    return true;
}

static bool my_set(struct session *session, const struct call *call, bool all)
{
    char bytes[SET_MAX];
    struct text sql = text_in(bytes, sizeof bytes);
    text_add(&sql, "SET SESSION ");
    if (all)
        my_add_settings(&sql, session);
    my_add_limits(&sql, session, call);
    return my_query(session, bytes);
}

// Galera within MySQL, Percona's or Codership's, shows as a second version: "8.0.36-28.1". Others
// may have the like, and no such variable.
static bool my_may_have_galera(const struct session *session)
{
    const char *second = strrchr(mysql_get_server_info(session->connection), '-');
    size_t digits = second != NULL ? strspn(second + 1, "0123456789") : 0;
    return session->flavor == FLAVOR_MYSQL && digits > 0 && second[1 + digits] == '.';
}

static bool my_set_galera(struct session *session)
{
    return !my_may_have_galera(session) || my_query(session, "SET SESSION wsrep_sync_wait = 0") ||
           my_is_refused(session);
}

static bool my_set_all(struct session *session, const struct call *call)
{
    bool set = my_set(session, call, true) ||
               (my_is_refused(session) && my_set_each(session) && my_set(session, call, false));
    return set && my_set_galera(session);
}

// Sets what differs from what the session was told: all of it at first, and after a reset.
static bool my_prepare(struct session *session, const struct call *call)
{
    int64_t ms = call->statement_limit.ms;
    if (session->limit_ms == ms && session->read_only == call->read_only)
        return true;
    if (session->limit_ms == 0 ? !my_set_all(session, call) : !my_set(session, call, false))
        return false;
    session->read_only = call->read_only;
    session->limit_ms = ms;
    return true;
}

// --- open ----------------------------------------------------------------------------------------

// A URL that says nothing of TLS gets none: it would double a login's cost, on a loopback address.
// As for MySQL's own clients, one that names an authority wants it checked.
static enum tls_mode my_default_tls_mode(const struct target *target)
{
    if (target_parameter(target, "ssl-ca") != NULL ||
        target_parameter(target, "ssl-capath") != NULL)
        return TLS_VERIFY_CA;
    bool mentioned = target_parameter(target, "ssl-cert") != NULL ||
                     target_parameter(target, "ssl-cipher") != NULL ||
                     target_parameter(target, "tls-version") != NULL;
    return mentioned ? TLS_PREFERRED : TLS_DISABLED;
}

static bool my_parse_tls_mode(const struct target *target, enum tls_mode *mode)
{
    static const char *const names[] = {
        [TLS_DISABLED] = "DISABLED",
        [TLS_PREFERRED] = "PREFERRED",
        [TLS_REQUIRED] = "REQUIRED",
        [TLS_VERIFY_CA] = "VERIFY_CA",
        [TLS_VERIFY_IDENTITY] = "VERIFY_IDENTITY",
    };
    const char *wanted = target_parameter(target, "ssl-mode");
    *mode = my_default_tls_mode(target);
    for (size_t i = 0; wanted != NULL && i < sizeof names / sizeof *names; i++) {
        *mode = (enum tls_mode)i;
        if (strcasecmp(wanted, names[i]) == 0)
            return true;
    }
    return wanted == NULL;
}

static bool my_check_file(const struct target *target, const char *name, struct reply *reply)
{
    const char *path = target_parameter(target, name);
    if (path == NULL || access(path, R_OK) == 0)
        return true;
    char message[REPLY_MESSAGE_MAX];
    (void)snprintf(message, sizeof message, "DATABASE_URL: cannot read the file of %s", name);
    reply_set(reply, OUTCOME_CONFIG, NULL, message);
    return false;
}

static bool my_check_tls(const struct target *target, enum tls_mode *mode, struct reply *reply)
{
    static const char *const files[] = {"ssl-ca",  "ssl-capath", "ssl-cert",
                                        "ssl-key", "ssl-crl",    "server-public-key-path"};
    if (!my_parse_tls_mode(target, mode)) {
        reply_set(reply, OUTCOME_CONFIG, NULL,
                  "DATABASE_URL: ssl-mode is unknown, expected one of DISABLED PREFERRED REQUIRED "
                  "VERIFY_CA VERIFY_IDENTITY");
        return false;
    }
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        if (!my_check_file(target, files[i], reply))
            return false;
    }
    return true;
}

static void my_set_flag(MYSQL *connection, enum mysql_option option, bool on)
{
    my_bool flag = on;
    (void)mysql_optionsv(connection, option, &flag);
}

static void my_set_from_url(MYSQL *connection, enum mysql_option option,
                            const struct target *target, const char *name)
{
    const char *value = target_parameter(target, name);
    if (value != NULL)
        (void)mysql_optionsv(connection, option, value);
}

// Connector/C from 3.4 on trusts anybody at 127.0.0.1 unless it is told of authorities.
static void my_set_authorities(MYSQL *connection, const struct target *target)
{
    my_set_from_url(connection, MYSQL_OPT_SSL_CA, target, "ssl-ca");
    my_set_from_url(connection, MYSQL_OPT_SSL_CAPATH, target, "ssl-capath");
    if (target_parameter(target, "ssl-ca") == NULL &&
        target_parameter(target, "ssl-capath") == NULL)
        mysql_certificate_trust_system(connection);
}

// VERIFY_CA checks the name too: without that check the library would go on in plain text with a
// server, or a man in the middle, that offers no TLS, and the password would be gone by the time we
// notice. Any of these options turns TLS on, so none is set unless the mode says so.
static void my_set_tls(MYSQL *connection, const struct target *target, enum tls_mode mode)
{
    my_set_flag(connection, MYSQL_OPT_SSL_VERIFY_SERVER_CERT, mode >= TLS_VERIFY_CA);
    my_set_flag(connection, MYSQL_OPT_SSL_ENFORCE, mode != TLS_DISABLED);
    if (mode == TLS_DISABLED)
        return;
    if (mode >= TLS_VERIFY_CA) {
        my_set_authorities(connection, target);
        my_set_from_url(connection, MYSQL_OPT_SSL_CRL, target, "ssl-crl");
    }
    my_set_from_url(connection, MYSQL_OPT_SSL_CERT, target, "ssl-cert");
    my_set_from_url(connection, MYSQL_OPT_SSL_KEY, target, "ssl-key");
    my_set_from_url(connection, MYSQL_OPT_SSL_CIPHER, target, "ssl-cipher");
    my_set_from_url(connection, MARIADB_OPT_TLS_VERSION, target, "tls-version");
}

static void my_set_options(MYSQL *connection, const struct target *target, enum tls_mode mode)
{
    unsigned protocol = target->socket != NULL ? MYSQL_PROTOCOL_SOCKET : MYSQL_PROTOCOL_TCP;
    unsigned no_files = 0;
    size_t packet_max = DRIVER_ROW_MAX;
    unsigned patience = 24 * 60 * 60; // seconds: the end of the wait is dbhealthd's to decide
    (void)mysql_optionsv(connection, MYSQL_OPT_PROTOCOL, &protocol);
    (void)mysql_optionsv(connection, MYSQL_OPT_CONNECT_TIMEOUT, &patience);
    (void)mysql_optionsv(connection, MYSQL_OPT_MAX_ALLOWED_PACKET, &packet_max);
    (void)mysql_optionsv(connection, MYSQL_OPT_LOCAL_INFILE, &no_files);
    (void)mysql_optionsv(connection, MYSQL_SET_CHARSET_NAME, character_set);
    (void)mysql_optionsv(connection, MYSQL_OPT_CONNECT_ATTR_ADD, "program_name", "dbhealthd");
    my_set_from_url(connection, MYSQL_SERVER_PUBLIC_KEY, target, "server-public-key-path");
    if (target->socket == NULL && mode < TLS_REQUIRED)
        (void)mysql_optionsv(connection, MARIADB_OPT_RESTRICTED_AUTH, safe_plugins);
    my_set_tls(connection, target, mode);
}

// Waits for what Connector/C wants of its socket, at most so many ms, or -1 for no limit; a
// MYSQL_WAIT_* set, as its functions take it.
static int my_wait_for_socket(MYSQL *connection, int wanted, int limit_ms)
{
    struct pollfd socket = {.fd = mysql_get_socket(connection)};
    int ready;
    socket.events = (short)((wanted & MYSQL_WAIT_READ ? POLLIN : 0) |
                            (wanted & MYSQL_WAIT_WRITE ? POLLOUT : 0));
    while ((ready = poll(&socket, 1, limit_ms)) < 0 && errno == EINTR)
        ;
    return ready == 0 ? MYSQL_WAIT_TIMEOUT : wanted & (MYSQL_WAIT_READ | MYSQL_WAIT_WRITE);
}

static bool my_is_connected(int descriptor)
{
    struct sockaddr_storage peer;
    socklen_t length = sizeof peer;
    return getpeername(descriptor, (struct sockaddr *)&peer, &length) == 0;
}

// True if it has come whole: a 3-byte length and a number stand before it.
static bool my_is_whole_packet(const unsigned char *bytes, size_t length)
{
    return length >= 5 && 4 + (size_t)bytes[0] + ((size_t)bytes[1] << 8) <= length;
}

// The first bytes of the greeting, which stay in the socket for the library; less than asked for if
// the server ends the connection, or if there is no descriptor to wait with. Edge-triggered, for
// poll() would not wait for more than what is there.
static size_t my_peek_greeting(int descriptor, unsigned char *bytes, size_t length)
{
    struct epoll_event event = {.events = EPOLLIN | EPOLLRDHUP | EPOLLET};
    int epoll = epoll_create1(EPOLL_CLOEXEC);
    size_t got = 0;
    bool more = epoll >= 0 && epoll_ctl(epoll, EPOLL_CTL_ADD, descriptor, &event) == 0;
    while (more) {
        int ready = epoll_wait(epoll, &event, 1, -1);
        ssize_t peeked = recv(descriptor, bytes, length, MSG_PEEK | MSG_DONTWAIT);
        got = peeked > 0 ? (size_t)peeked : got;
        bool over = ready == 1 && event.events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR);
        more = got < length && !over && !my_is_whole_packet(bytes, got);
    }
    if (epoll >= 0)
        close(epoll);
    return got;
}

// Protocol::HandshakeV10 in https://dev.mysql.com/doc/dev/mysql-server/latest/PAGE_PROTOCOL.html:
// A 4-byte header, the protocol's version, the server's with a NUL, 4 + 8 + 1 bytes, capabilities.
static bool my_greeting_offers_tls(int descriptor)
{
    enum { VERSION = 5, TO_CAPABILITIES = 4 + 8 + 1 };
    unsigned char bytes[GREETING_MAX];
    size_t length = my_peek_greeting(descriptor, bytes, sizeof bytes);
    const unsigned char *end =
        length > VERSION ? memchr(bytes + VERSION, '\0', length - VERSION) : NULL;
    if (end == NULL || (size_t)(bytes + length - end) < 1 + TO_CAPABILITIES + 2)
        return false;
    unsigned capabilities = end[1 + TO_CAPABILITIES] | (unsigned)end[2 + TO_CAPABILITIES] << 8;
    return capabilities & CLIENT_SSL;
}

// Any of these would have the library take the connection for a secure one.
static void my_do_without_tls(MYSQL *connection)
{
    (void)mysql_optionsv(connection, MARIADB_OPT_RESTRICTED_AUTH, safe_plugins);
    (void)mysql_optionsv(connection, MYSQL_OPT_SSL_KEY, NULL);
    (void)mysql_optionsv(connection, MYSQL_OPT_SSL_CERT, NULL);
    (void)mysql_optionsv(connection, MYSQL_OPT_SSL_CIPHER, NULL);
    my_set_flag(connection, MYSQL_OPT_SSL_ENFORCE, false);
}

// Connector/C 3.3, told to use TLS and offered none, goes on without and sends a
// caching_sha2_password in clear. So where that may be, which is where it verifies nobody, the
// greeting is read before the library answers it.
static void my_read_ahead(const struct login *login)
{
    bool prevent = login->mode == TLS_PREFERRED || login->mode == TLS_REQUIRED;
    if (prevent && !my_greeting_offers_tls(mysql_get_socket(login->connection)))
        my_do_without_tls(login->connection);
}

// One wait of a login; what it brought, for Connector/C. After MYSQL_WAIT_TIMEOUT it tries the
// host's next address.
static int my_await(struct login *login, int wanted)
{
    bool connecting = !login->reached && !my_is_connected(mysql_get_socket(login->connection));
    int ready = my_wait_for_socket(login->connection, wanted, connecting ? DRIVER_CONNECT_MS : -1);
    login->silent |= ready == MYSQL_WAIT_TIMEOUT;
    login->began_tls |= mysql_get_ssl_cipher(login->connection) != NULL;
    if (!login->reached && my_is_connected(mysql_get_socket(login->connection))) {
        login->reached = true;
        my_read_ahead(login);
    }
    return ready;
}

// By Connector/C's calls for event loops, for they let us in between its steps. The first of them
// returns before connect() has ended.
static bool my_connect_to_host(struct login *login, const struct target *target,
                               const char *password)
{
    enum { STACK = 256 * 1024 }; // of the library's coroutine, for name lookup and OpenSSL
    static const size_t stack = STACK;
    MYSQL *connection = login->connection;
    MYSQL *connected = NULL;
    (void)mysql_optionsv(connection, MYSQL_OPT_NONBLOCK, &stack);
    int wanted =
        mysql_real_connect_start(&connected, connection, target->host, target->user, password,
                                 target->database, target->port, NULL, CLIENT_MULTI_RESULTS);
    while (wanted != 0)
        wanted = mysql_real_connect_cont(&connected, connection, my_await(login, wanted));
    return connected != NULL;
}

static bool my_connect_to(struct login *login, const struct target *target, const char *password)
{
    if (target->socket == NULL)
        return my_connect_to_host(login, target, password);
    return mysql_real_connect(login->connection, target->host, target->user, password,
                              target->database, target->port, target->socket,
                              CLIENT_MULTI_RESULTS) != NULL;
}

// Points OpenSSL's two variables for the system's authorities to nowhere, or back.
static void my_swap_variable(const char *name, char **other)
{
    const char *now = getenv(name);
    char *kept = now != NULL ? memory_string(now) : NULL;
    if (*other != NULL ? setenv(name, *other, 1) != 0 : unsetenv(name) != 0)
        abort();
    free(*other);
    *other = kept;
}

// Nothing is verified in these modes, but the library would load all of the system's authorities at
// each login: 20 ms of CPU time and 1 MB.
static bool my_connect_unverified(struct login *login, const struct target *target,
                                  const char *password)
{
    char *file = memory_string(nowhere);
    char *folder = memory_string(nowhere);
    my_swap_variable("SSL_CERT_FILE", &file);
    my_swap_variable("SSL_CERT_DIR", &folder);
    bool connected = my_connect_to(login, target, password);
    my_swap_variable("SSL_CERT_FILE", &file);
    my_swap_variable("SSL_CERT_DIR", &folder);
    free(file);
    free(folder);
    return connected;
}

// An error that an earlier TLS connection left in OpenSSL's queue would be taken for one of this,
// healthy one. "" for no password: NULL means "look elsewhere".
static bool my_log_in(struct login *login, const struct target *target)
{
    const char *password = target->password != NULL ? target->password : "";
    ERR_clear_error();
    if (login->mode == TLS_PREFERRED || login->mode == TLS_REQUIRED)
        return my_connect_unverified(login, target, password);
    return my_connect_to(login, target, password);
}

static enum flavor my_flavor_of(const char *version)
{
    return strstr(version, "MariaDB") != NULL ? FLAVOR_MARIADB : FLAVOR_MYSQL;
}

// With REQUIRED the login went on without TLS too, so that it could end politely.
static bool my_has_wanted_tls(MYSQL *connection, enum tls_mode mode, struct reply *reply)
{
    if (mode < TLS_REQUIRED || mysql_get_ssl_cipher(connection) != NULL)
        return true;
    reply_set(reply, OUTCOME_TLS, NULL, "the server offers no TLS, but ssl-mode demands it");
    return false;
}

// Whether the user holds a privilege that opens the slot which the server keeps for administrators.
// What cannot be found out is taken for no: this is advice, not a verdict.
static bool my_is_superuser(struct session *session)
{
    static const char sql[] =
        "SELECT 1 FROM information_schema.user_privileges WHERE privilege_type IN"
        " ('SUPER', 'CONNECTION_ADMIN', 'CONNECTION ADMIN') AND grantee ="
        " CONCAT('''', REPLACE(CURRENT_USER(), '@', '''@'''), '''') LIMIT 1";
    if (!my_query(session, sql))
        return false;
    MYSQL_RES *rows = mysql_store_result(session->connection);
    bool found = rows != NULL && mysql_num_rows(rows) > 0;
    mysql_free_result(rows);
    return found;
}

// NULL if the server ends it, or refuses what makes it ours; the connection stays the caller's.
static struct session *my_new_session(MYSQL *connection, const struct call *call,
                                      struct reply *reply)
{
    static const struct call first = {.read_only = true, .statement_limit = {.ms = FIRST_LIMIT_MS}};
    struct session *session = memory_new(sizeof *session);
    const char *version = mysql_get_server_info(connection);
    *session = (struct session){.connection = connection,
                                .flavor = my_flavor_of(version),
                                .version = mysql_setting_version(version)};
    if (!my_prepare(session, &first)) {
        my_reply_with_setting_error(reply, session);
        free(session);
        return NULL;
    }
    reply_set(reply, OUTCOME_OK, NULL, "");
    reply_set_server(reply, session->flavor, version, strcspn(version, " "));
    reply->superuser = call->inspect && my_is_superuser(session);
    return session;
}

static bool my_try_login(struct login *login, const struct target *target, enum tls_mode mode)
{
    *login = (struct login){.connection = mysql_init(NULL), .mode = mode};
    if (login->connection == NULL)
        abort();
    my_set_options(login->connection, target, mode);
    return my_log_in(login, target);
}

// Tries again as long as an address of the host is silent, as nothing is known then; and by name if
// the certificate has the address as a name, as older tools write it.
static bool my_try_logins(struct login *login, const struct target *target, enum tls_mode mode)
{
    bool verify = mode >= TLS_VERIFY_CA;
    const char *host = target->socket != NULL ? "localhost" : target->host;
    bool as_address = verify && mysql_certificate_is_address(host);
    for (;;) {
        mysql_certificate_demand(verify ? host : NULL, as_address);
        if (my_try_login(login, target, mode))
            return true;
        bool by_name =
            as_address && mysql_certificate_lacks_address(mysql_error(login->connection));
        if (!by_name && (!login->silent || login->reached))
            return false;
        as_address = as_address && !by_name;
        mysql_close(login->connection);
    }
}

// Connector/C asks a name service that refuses to answer again and again, for as long as a login
// may take. So it gets to see no name that does not resolve.
static bool my_resolves(const struct target *target, struct reply *reply)
{
    if (target->socket != NULL)
        return true;
    struct addrinfo *addresses = resolve_host(target->host, reply);
    if (addresses == NULL)
        return false;
    freeaddrinfo(addresses);
    return true;
}

static struct session *my_open_session(const struct target *target, const struct call *call,
                                       struct reply *reply)
{
    enum tls_mode mode;
    if (!my_check_tls(target, &mode, reply) || !my_resolves(target, reply))
        return NULL;
    struct login login;
    struct session *session = NULL;
    if (!my_try_logins(&login, target, mode))
        my_reply_with_login_error(reply, &login, target);
    else if (my_has_wanted_tls(login.connection, mode, reply))
        session = my_new_session(login.connection, call, reply);
    if (session == NULL)
        mysql_close(login.connection);
    return session;
}

// --- knock ---------------------------------------------------------------------------------------

// What the server sent first: a greeting, or an error in its place.
static void my_take_greeting(const unsigned char *bytes, size_t length, struct reply *reply)
{
    enum { MARK = 4, NUMBER = 5, STATE = 7, MESSAGE = 13, PROTOCOL = 10 };
    char message[REPLY_MESSAGE_MAX];
    if (length < STATE) {
        my_reply_with_number(reply, CR_SERVER_LOST, OUTCOME_LOST, "the server hung up on us");
        return;
    }
    if (bytes[MARK] == PROTOCOL) {
        reply_set(reply, OUTCOME_DENIED, NULL, "");
        return;
    }
    unsigned number = bytes[NUMBER] | (unsigned)bytes[NUMBER + 1] << 8;
    if (bytes[MARK] != 0xFF || (number >= CR_MIN_ERROR && number <= CR_MAX_ERROR)) {
        my_reply_with_no_greeting(reply);
        return;
    }
    size_t start = length > MESSAGE && bytes[STATE] == '#' ? MESSAGE : STATE;
    (void)snprintf(message, sizeof message, "%.*s", (int)(length - start), bytes + start);
    my_reply_with_number(reply, number, mysql_error_outcome(number, FLAVOR_UNKNOWN, true), message);
}

static bool my_knock_at(const struct sockaddr *address, socklen_t size, struct reply *reply)
{
    unsigned char greeting[GREETING_MAX] = {0};
    int descriptor = socket(address->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (descriptor >= 0 && connect(descriptor, address, size) == 0) {
        my_take_greeting(greeting, my_peek_greeting(descriptor, greeting, sizeof greeting), reply);
        close(descriptor);
        return true;
    }
    int error = errno;
    if (descriptor >= 0)
        close(descriptor);
    my_reply_with_number(reply, CR_CONNECTION_ERROR, outcome_of_connect(error), strerror(error));
    return false;
}

static void my_knock_at_socket(const char *path, struct reply *reply)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    (void)snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
    (void)my_knock_at((const struct sockaddr *)&address, sizeof address, reply);
}

static bool my_is_loopback(const struct sockaddr *address)
{
    if (address->sa_family == AF_INET6)
        return IN6_IS_ADDR_LOOPBACK(
            &((const struct sockaddr_in6 *)(const void *)address)->sin6_addr);
    const struct sockaddr_in *four = (const struct sockaddr_in *)(const void *)address;
    return address->sa_family == AF_INET && ntohl(four->sin_addr.s_addr) >> 24 == IN_LOOPBACKNET;
}

static void my_knock_at_any(const struct addrinfo *addresses, struct reply *reply)
{
    bool reached = false;
    for (const struct addrinfo *at = addresses; at != NULL && !reached; at = at->ai_next) {
        if (my_is_loopback(at->ai_addr))
            reached = my_knock_at(at->ai_addr, at->ai_addrlen, reply);
    }
}

// The protocol knows no way to leave before the login. The servers forgive that to this machine; of
// another they let nobody in any more, applications included, after max_connect_errors in a row. So
// one that is elsewhere is not asked.
static struct session *my_knock(const struct target *target, const struct call *call,
                                struct reply *reply)
{
    static const struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
    struct addrinfo *addresses;
    char port[8];
    (void)call;
    reply_set(reply, OUTCOME_DENIED, NULL, "");
    if (target->socket != NULL) {
        my_knock_at_socket(target->socket, reply);
        return NULL;
    }
    (void)snprintf(port, sizeof port, "%u", target->port);
    int failed = getaddrinfo(target->host, port, &hints, &addresses);
    if (failed == 0) {
        my_knock_at_any(addresses, reply);
        freeaddrinfo(addresses);
    } else {
        my_reply_with_number(reply, CR_UNKNOWN_HOST, OUTCOME_UNREACHABLE, gai_strerror(failed));
    }
    return NULL;
}

// --- run -----------------------------------------------------------------------------------------

static bool my_is_number(enum enum_field_types type)
{
    static const enum enum_field_types numbers[] = {
        MYSQL_TYPE_TINY,     MYSQL_TYPE_SHORT, MYSQL_TYPE_INT24,     MYSQL_TYPE_LONG,
        MYSQL_TYPE_LONGLONG, MYSQL_TYPE_FLOAT, MYSQL_TYPE_DOUBLE,    MYSQL_TYPE_DECIMAL,
        MYSQL_TYPE_YEAR,     MYSQL_TYPE_BIT,   MYSQL_TYPE_NEWDECIMAL};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        if (numbers[i] == type)
            return true;
    }
    return false;
}

// What it is not told of is text: also enumerations, sets, blobs, and MariaDB's JSON.
static enum column_type my_column_type(enum enum_field_types type)
{
    static const struct {
        enum enum_field_types field;
        enum column_type column;
    } types[] = {{MYSQL_TYPE_DATE, COLUMN_DATETIME},      {MYSQL_TYPE_NEWDATE, COLUMN_DATETIME},
                 {MYSQL_TYPE_DATETIME, COLUMN_DATETIME},  {MYSQL_TYPE_DATETIME2, COLUMN_DATETIME},
                 {MYSQL_TYPE_TIMESTAMP, COLUMN_DATETIME}, {MYSQL_TYPE_TIMESTAMP2, COLUMN_DATETIME},
                 {MYSQL_TYPE_TIME, COLUMN_DURATION},      {MYSQL_TYPE_TIME2, COLUMN_DURATION},
                 {MYSQL_TYPE_JSON, COLUMN_DOCUMENT},      {MYSQL_TYPE_GEOMETRY, COLUMN_OTHER}};
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        if (types[i].field == type)
            return types[i].column;
    }
    return COLUMN_PLAIN;
}

// BIT comes as up to eight bytes, the highest first.
static bool my_add_bits(struct result *result, const char *bytes, size_t length)
{
    char text[24];
    unsigned long long number = 0;
    for (size_t i = 0; i < length; i++)
        number = number << 8 | (unsigned char)bytes[i];
    int digits = snprintf(text, sizeof text, "%llu", number);
    return result_add_value(result, VALUE_NUMBER, text, (size_t)digits);
}

static bool my_add_value(struct result *result, const MYSQL_FIELD *field, const char *bytes,
                         size_t length)
{
    if (bytes == NULL)
        return result_add_value(result, VALUE_NULL, "", 0);
    if (field->type == MYSQL_TYPE_BIT)
        return my_add_bits(result, bytes, length);
    enum value_type type = my_is_number(field->type) ? VALUE_NUMBER : VALUE_STRING;
    return result_add_value(result, type, bytes, length);
}

// Counts all rows, one in memory at a time, and keeps those within the limit, while they fit.
static void my_take_rows(struct result *result, MYSQL_RES *rows, uint32_t max_rows)
{
    const MYSQL_FIELD *fields = mysql_fetch_fields(rows);
    for (unsigned i = 0; i < mysql_num_fields(rows) && !result->cut; i++) {
        result_add_column(result, fields[i].name);
        if (!result->cut)
            result_set_type(result, my_column_type(fields[i].type));
    }
    MYSQL_ROW row;
    while ((row = mysql_fetch_row(rows)) != NULL) {
        const unsigned long *lengths = mysql_fetch_lengths(rows);
        bool keep = result->row_count < max_rows && result->row_count == result->kept_rows;
        result->row_count++;
        for (uint32_t i = 0; keep && i < result->column_count; i++)
            keep = my_add_value(result, &fields[i], row[i], lengths[i]);
    }
}

// The first result with columns is the run's. A CALL may bring more, which are read and dropped:
// the connection is of use only after the last. False on an error, wherever in them.
static bool my_take_results(struct session *session, const struct call *call, struct result *result)
{
    for (;;) {
        MYSQL_RES *rows = mysql_use_result(session->connection);
        if (rows != NULL && result->column_count == 0)
            my_take_rows(result, rows, call->max_rows);
        mysql_free_result(rows); // reads what is left
        if (mysql_errno(session->connection) != 0)
            return false;
        int more = mysql_next_result(session->connection);
        if (more != 0)
            return more < 0;
    }
}

// A statement may have begun a transaction, or left something else. That the session is made as new
// costs round trips only where there may be such a thing. It forgets its character set by that,
// too.
static void my_tidy_up(struct session *session, const struct call *call)
{
    unsigned status = session->connection->server_status;
    bool tidy = (status & SERVER_STATUS_AUTOCOMMIT) && !(status & SERVER_STATUS_IN_TRANS) &&
                !call_leaves_traces(call);
    if (session->lost || tidy)
        return;
    session->lost = mysql_reset_connection(session->connection) != 0 ||
                    mysql_set_character_set(session->connection, character_set) != 0;
    session->limit_ms = 0;
}

static void my_run(struct session *session, const struct call *call, struct reply *reply)
{
    if (session->lost) {
        reply_set(reply, OUTCOME_LOST, NULL, "the connection was lost before this run");
        return;
    }
    struct result *result = result_new();
    struct instant began = instant_now();
    if (!my_prepare(session, call)) {
        my_reply_with_setting_error(reply, session);
    } else if (!my_query(session, call->sql) || !my_take_results(session, call, result)) {
        my_reply_with_run_error(reply, session);
    } else {
        reply_set(reply, OUTCOME_OK, NULL, "");
        reply->result = result;
        reply_set_write_seconds(reply, call, began);
    }
    if (reply->outcome != OUTCOME_OK)
        result_free(result);
    my_tidy_up(session, call);
}

// --- close ---------------------------------------------------------------------------------------

static void my_close_session(struct session *session)
{
    mysql_close(session->connection);
    free(session);
}

const struct driver driver = {
    .engine = ENGINE_MYSQL,
    .setup = my_setup,
    .open = my_open_session,
    .knock = my_knock,
    .run = my_run,
    .close = my_close_session,
};
