// See certificate.h. libmicrohttpd takes certificates from memory once, when it starts; one that
// can be renewed comes through a callback of GnuTLS, which has no context but the session. So each
// session is told its certificate when the client connects, in the place that is meant for a
// database of sessions, of which there is none.
#include "server/config/certificate.h"

#include "common/file.h"
#include "common/memory.h"

#include <gnutls/abstract.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    FILE_MAX = 64 * 1024, // bytes
    CHAIN_MAX = 16,       // certificates
    OWN_DAYS = 3650       // validity of one that is made here
};

const char certificate_priorities[] = "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2";

struct certificate {
    unsigned references;
    gnutls_pcert_st chain[CHAIN_MAX];
    unsigned length;
    gnutls_privkey_t key;
    bool own;                         // made here
    gnutls_datum_t authorities;       // of the clients that it knows, as PEM
    gnutls_x509_trust_list_t clients; // the same; NULL: no client is asked
};

static struct certificate *certificate_new_certificate(void)
{
    struct certificate *certificate = memory_new(sizeof *certificate);
    certificate->references = 1;
    return certificate;
}

static bool certificate_read_pem(const char *path, const char *variable, gnutls_datum_t *pem,
                                 struct error *error)
{
    char *bytes;
    size_t length;
    if (path[0] == '\0')
        return error_set(error, "%s: not set, expected both DBHEALTH_TLS_CERT and DBHEALTH_TLS_KEY",
                         variable);
    if (!file_read(path, FILE_MAX, &bytes, &length, error))
        return error_prefix(error, "%s: %.200s", variable, path);
    *pem = (gnutls_datum_t){.data = (unsigned char *)bytes, .size = (unsigned)length};
    return true;
}

static void certificate_wipe(gnutls_datum_t *pem)
{
    if (pem->data != NULL)
        explicit_bzero(pem->data, pem->size);
    free(pem->data);
}

static bool certificate_parse(struct certificate *certificate, const gnutls_datum_t *chain,
                              const gnutls_datum_t *key, struct error *error)
{
    unsigned length = CHAIN_MAX;
    int failed = gnutls_pcert_list_import_x509_raw(certificate->chain, &length, chain,
                                                   GNUTLS_X509_FMT_PEM, 0);
    if (failed != 0)
        return error_set(error, "DBHEALTH_TLS_CERT: expected certificates as PEM: %s",
                         gnutls_strerror(failed));
    certificate->length = length;
    failed = gnutls_privkey_init(&certificate->key);
    if (failed == 0)
        failed =
            gnutls_privkey_import_x509_raw(certificate->key, key, GNUTLS_X509_FMT_PEM, NULL, 0);
    if (failed != 0)
        return error_set(error, "DBHEALTH_TLS_KEY: expected a key as PEM, not encrypted: %s",
                         gnutls_strerror(failed));
    return true;
}

// Whether the key is the certificate's: GnuTLS tells when it is given both.
static bool certificate_match(const gnutls_datum_t *chain, const gnutls_datum_t *key,
                              struct error *error)
{
    gnutls_certificate_credentials_t credentials;
    int failed = gnutls_certificate_allocate_credentials(&credentials);
    if (failed == 0) {
        failed = gnutls_certificate_set_x509_key_mem(credentials, chain, key, GNUTLS_X509_FMT_PEM);
        gnutls_certificate_free_credentials(credentials);
    }
    return failed >= 0 || error_set(error, "DBHEALTH_TLS_KEY: does not fit DBHEALTH_TLS_CERT: %s",
                                    gnutls_strerror(failed));
}

struct certificate *certificate_load(const char *chain_path, const char *key_path,
                                     struct error *error)
{
    gnutls_datum_t chain = {0};
    gnutls_datum_t key = {0};
    struct certificate *certificate = certificate_new_certificate();
    bool sound = certificate_read_pem(chain_path, "DBHEALTH_TLS_CERT", &chain, error) &&
                 certificate_read_pem(key_path, "DBHEALTH_TLS_KEY", &key, error) &&
                 certificate_parse(certificate, &chain, &key, error) &&
                 certificate_match(&chain, &key, error);
    certificate_wipe(&chain);
    certificate_wipe(&key);
    if (sound)
        return certificate;
    certificate_release(certificate);
    return NULL;
}

int64_t certificate_own_expiry(int64_t now, unsigned time_bits)
{
    int64_t wanted = now + OWN_DAYS * INT64_C(86400);
    int64_t latest = time_bits < 64 ? (INT64_C(1) << (time_bits - 1)) - 1 : INT64_MAX;
    return wanted < latest ? wanted : latest;
}

// A certificate (RFC 5280) as short as a client can bear that verifies nothing.
static int certificate_sign_own(gnutls_x509_crt_t signed_one, gnutls_x509_privkey_t key)
{
    static const char name[] = "dbhealthd";
    static const char serial[] = "\x01";
    time_t now = time(NULL);
    int failed = gnutls_x509_crt_set_version(signed_one, 3);
    failed |= gnutls_x509_crt_set_serial(signed_one, serial, 1);
    failed |= gnutls_x509_crt_set_activation_time(signed_one, now - 86400);
    failed |= gnutls_x509_crt_set_expiration_time(
        signed_one, (time_t)certificate_own_expiry(now, 8 * sizeof now));
    failed |= gnutls_x509_crt_set_dn_by_oid(signed_one, GNUTLS_OID_X520_COMMON_NAME, 0, name,
                                            sizeof name - 1);
    failed |= gnutls_x509_crt_set_key(signed_one, key);
    failed |= gnutls_x509_crt_sign2(signed_one, signed_one, key, GNUTLS_DIG_SHA256, 0);
    return failed;
}

struct certificate *certificate_make(void)
{
    struct certificate *certificate = certificate_new_certificate();
    gnutls_x509_privkey_t key = NULL;
    gnutls_x509_crt_t own = NULL;
    unsigned bits = GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1);
    int failed = gnutls_x509_privkey_init(&key);
    failed |= gnutls_x509_crt_init(&own);
    failed |= gnutls_privkey_init(&certificate->key);
    failed |= gnutls_x509_privkey_generate(key, GNUTLS_PK_ECDSA, bits, 0);
    failed |= certificate_sign_own(own, key);
    failed |= gnutls_pcert_import_x509(certificate->chain, own, 0);
    failed |= gnutls_privkey_import_x509(certificate->key, key, GNUTLS_PRIVKEY_IMPORT_AUTO_RELEASE);
    if (failed != 0)
        abort(); // nothing here depends on what anybody has given us
    certificate->length = 1;
    certificate->own = true;
    gnutls_x509_crt_deinit(own);
    return certificate;
}

bool certificate_know_clients(struct certificate *certificate, const char *path,
                              struct error *error)
{
    static const char variable[] = "DBHEALTH_TLS_CLIENT_CA";
    if (gnutls_x509_trust_list_init(&certificate->clients, 0) != 0)
        abort();
    if (!certificate_read_pem(path, variable, &certificate->authorities, error))
        return false;
    int found = gnutls_x509_trust_list_add_trust_mem(
        certificate->clients, &certificate->authorities, NULL, GNUTLS_X509_FMT_PEM, 0, 0);
    return found > 0 ||
           error_set(error, "%s: expected certificates of authorities as PEM%s%s", variable,
                     found < 0 ? ": " : "", found < 0 ? gnutls_strerror(found) : "");
}

struct certificate *certificate_hold(struct certificate *certificate)
{
    certificate->references++;
    return certificate;
}

void certificate_release(struct certificate *certificate)
{
    if (certificate == NULL || --certificate->references > 0)
        return;
    for (unsigned i = 0; i < certificate->length; i++)
        gnutls_pcert_deinit(&certificate->chain[i]);
    gnutls_privkey_deinit(certificate->key);
    if (certificate->clients != NULL)
        gnutls_x509_trust_list_deinit(certificate->clients, 1);
    free(certificate->authorities.data);
    free(certificate);
}

static bool certificate_is_same(const gnutls_datum_t *one, const gnutls_datum_t *other)
{
    return one->size == other->size &&
           (one->size == 0 || memcmp(one->data, other->data, one->size) == 0);
}

bool certificate_equal(const struct certificate *one, const struct certificate *other)
{
    if (one == NULL || other == NULL)
        return one == other;
    if (!certificate_is_same(&one->authorities, &other->authorities))
        return false;
    if (one->own && other->own)
        return true;
    bool equal = one->length == other->length;
    for (unsigned i = 0; i < one->length && equal; i++)
        equal = certificate_is_same(&one->chain[i].cert, &other->chain[i].cert);
    return equal;
}

int64_t certificate_expiry(const struct certificate *certificate)
{
    gnutls_x509_crt_t own;
    int64_t expiry = 0;
    if (gnutls_x509_crt_init(&own) != 0)
        return 0;
    if (gnutls_x509_crt_import(own, &certificate->chain[0].cert, GNUTLS_X509_FMT_DER) == 0)
        expiry = gnutls_x509_crt_get_expiration_time(own);
    gnutls_x509_crt_deinit(own);
    return expiry;
}

void certificate_give(struct certificate *certificate, void *session)
{
    gnutls_db_set_ptr(session, certificate);
}

static int certificate_retrieve(gnutls_session_t session, const gnutls_datum_t *authorities,
                                int authority_count, const gnutls_pk_algorithm_t *algorithms,
                                int algorithm_count, gnutls_pcert_st **chain, unsigned *length,
                                gnutls_privkey_t *key)
{
    (void)authorities, (void)authority_count, (void)algorithms, (void)algorithm_count;
    struct certificate *certificate = gnutls_db_get_ptr(session);
    *chain = certificate->chain;
    *length = certificate->length;
    *key = certificate->key;
    return 0;
}

void (*const certificate_callback)(void) = (void (*)(void))certificate_retrieve;

// --- the client's

// As of RFC 8446, 6.2; libmicrohttpd would send none.
static gnutls_alert_description_t certificate_alert_of(unsigned status)
{
    if (status & GNUTLS_CERT_EXPIRED)
        return GNUTLS_A_CERTIFICATE_EXPIRED;
    return status & GNUTLS_CERT_SIGNER_NOT_FOUND ? GNUTLS_A_UNKNOWN_CA : GNUTLS_A_BAD_CERTIFICATE;
}

// What is wrong with the chain, in bits of GnuTLS; 0: nothing.
static unsigned certificate_judge(const struct certificate *certificate,
                                  const gnutls_datum_t *shown, unsigned count)
{
    static unsigned char client[] = GNUTLS_KP_TLS_WWW_CLIENT;
    gnutls_typed_vdata_st purpose = {.type = GNUTLS_DT_KEY_PURPOSE_OID, .data = client};
    gnutls_x509_crt_t chain[CHAIN_MAX] = {NULL};
    unsigned status = GNUTLS_CERT_INVALID;
    bool read = count <= CHAIN_MAX;
    for (unsigned i = 0; i < count && read; i++)
        read = gnutls_x509_crt_init(&chain[i]) == 0 &&
               gnutls_x509_crt_import(chain[i], &shown[i], GNUTLS_X509_FMT_DER) == 0;
    if (read && gnutls_x509_trust_list_verify_crt2(certificate->clients, chain, count, &purpose, 1,
                                                   0, &status, NULL) != 0)
        status = GNUTLS_CERT_INVALID;
    for (unsigned i = 0; i < CHAIN_MAX && chain[i] != NULL; i++)
        gnutls_x509_crt_deinit(chain[i]);
    return status;
}

static int certificate_refuse(gnutls_session_t session, gnutls_alert_description_t why)
{
    (void)gnutls_alert_send(session, GNUTLS_AL_FATAL, why);
    return GNUTLS_E_CERTIFICATE_ERROR;
}

static int certificate_on_client(gnutls_session_t session)
{
    const struct certificate *certificate = gnutls_db_get_ptr(session);
    unsigned count = 0;
    const gnutls_datum_t *shown = gnutls_certificate_get_peers(session, &count);
    if (shown == NULL || count == 0 || certificate_is_same(shown, &certificate->chain[0].cert))
        return 0;
    unsigned status = certificate_judge(certificate, shown, count);
    return status == 0 ? 0 : certificate_refuse(session, certificate_alert_of(status));
}

static int certificate_on_demanded_client(gnutls_session_t session)
{
    if (!certificate_knows_client(session))
        return certificate_refuse(session, GNUTLS_A_CERTIFICATE_REQUIRED);
    return certificate_on_client(session);
}

void certificate_ask_client(const struct certificate *certificate, void *session, bool demanded)
{
    if (certificate->clients == NULL)
        return;
    gnutls_certificate_server_set_request(session, GNUTLS_CERT_REQUEST);
    gnutls_session_set_verify_function(session, demanded ? certificate_on_demanded_client
                                                         : certificate_on_client);
}

bool certificate_knows_client(void *session)
{
    unsigned count = 0;
    return gnutls_certificate_get_peers(session, &count) != NULL && count > 0;
}
