// libldap-2.5.so.0 as far as libpq knows it, for programs that ask no directory: see gssapi.c. The
// real one brings SASL and GnuTLS, with all that these bring.
//
// libpq would ask a directory for a service of its file of services, which no database URL can name.
// Without ldap_init none of the other functions has anything to be called with.
#include "standin/fail.h"

#include <stddef.h>

enum { LDAP_UNAVAILABLE = 52 }; // of RFC 4511

FAIL(void *, ldap_init, NULL)
FAIL(int, ldap_set_option, LDAP_UNAVAILABLE)
FAIL(int, ldap_simple_bind, -1)
FAIL(int, ldap_result, -1)
FAIL(int, ldap_search_st, LDAP_UNAVAILABLE)
FAIL(int, ldap_count_entries, -1)
FAIL(void *, ldap_first_entry, NULL)
FAIL(void *, ldap_get_values_len, NULL)
FAIL(const char *, ldap_err2string, "this program has no LDAP")
FAIL(int, ldap_msgfree, 0)
FAIL(int, ldap_unbind, LDAP_UNAVAILABLE)
FAIL(int, ldap_value_free_len, 0)
