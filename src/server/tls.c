// See tls.h. The loader looks for a function of a library in the program first. So one of these two is
// found by GnuTLS, which documents it for this, and the other by libmicrohttpd.
#include "server/tls.h"

#include <dlfcn.h>
#include <gnutls/gnutls.h>
#include <stdlib.h>

GNUTLS_SKIP_GLOBAL_INIT

int gnutls_global_init(void)
{
    return GNUTLS_E_SUCCESS;
}

void tls_begin(void)
{
    int (*begin)(void);
    *(void **)&begin = dlsym(RTLD_NEXT, "gnutls_global_init"); // GnuTLS's own; it counts its calls
    if (begin == NULL || begin() != GNUTLS_E_SUCCESS)
        abort(); // out of memory
}
