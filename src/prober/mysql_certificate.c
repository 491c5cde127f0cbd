// OpenSSL takes what a TLS client demands of a server's certificate from a table of its own, the
// row "ssl_server", which may be replaced. There is no other way to it: Connector/C shows nobody
// the connection before it has logged in, and then the password is gone.
#include "prober/mysql_certificate.h"

#include <arpa/inet.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

bool mysql_certificate_is_address(const char *host)
{
    struct in6_addr address;
    return inet_pton(AF_INET, host, &address) == 1 || inet_pton(AF_INET6, host, &address) == 1;
}

// OpenSSL's from then on. Made once, for OpenSSL does not free a row's name.
static X509_VERIFY_PARAM *mysql_certificate_row(void)
{
    static X509_VERIFY_PARAM *row;
    if (row != NULL)
        return row;
    row = X509_VERIFY_PARAM_new();
    bool made = row != NULL && X509_VERIFY_PARAM_set1_name(row, "ssl_server") == 1 &&
                X509_VERIFY_PARAM_set_purpose(row, X509_PURPOSE_SSL_SERVER) == 1 &&
                X509_VERIFY_PARAM_set_trust(row, X509_TRUST_SSL_SERVER) == 1 &&
                X509_VERIFY_PARAM_add0_table(row) == 1;
    if (!made)
        abort();
    return row;
}

void mysql_certificate_demand(const char *host, bool as_address)
{
    X509_VERIFY_PARAM *row = mysql_certificate_row();
    bool set = X509_VERIFY_PARAM_set1_host(row, as_address ? NULL : host, 0) == 1 &&
               X509_VERIFY_PARAM_set1_ip(row, NULL, 0) == 1 &&
               (!as_address || X509_VERIFY_PARAM_set1_ip_asc(row, host) == 1);
    if (!set)
        abort();
}

bool mysql_certificate_lacks_address(const char *message)
{
    return strstr(message, X509_verify_cert_error_string(X509_V_ERR_IP_ADDRESS_MISMATCH)) != NULL;
}

// A path by the environment or OpenSSL's own.
static const char *mysql_certificate_path(const char *variable, const char *otherwise)
{
    const char *path = getenv(variable);
    return path != NULL ? path : otherwise;
}

void mysql_certificate_trust_system(MYSQL *connection)
{
    const char *file =
        mysql_certificate_path(X509_get_default_cert_file_env(), X509_get_default_cert_file());
    const char *folder =
        mysql_certificate_path(X509_get_default_cert_dir_env(), X509_get_default_cert_dir());
    if (access(file, R_OK) == 0)
        (void)mysql_optionsv(connection, MYSQL_OPT_SSL_CA, file);
    (void)mysql_optionsv(connection, MYSQL_OPT_SSL_CAPATH, folder);
}
