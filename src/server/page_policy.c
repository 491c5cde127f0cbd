// See page_policy.h. A file of its own, for a name of gnutls.h is also one of ours.
#include "server/page_policy.h"

#include "common/text.h"
#include "server/page_assets.h"

#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>
#include <stdlib.h>
#include <string.h>

enum { SHA256_LENGTH = 32 };

// A source expression: the element with this text may be there, and no other.
static void add_hash(struct text *policy, const char *directive, const char *content)
{
    unsigned char digest[SHA256_LENGTH];
    gnutls_datum_t encoded, raw = {.data = digest, .size = sizeof digest};
    if (gnutls_hash_fast(GNUTLS_DIG_SHA256, content, strlen(content), digest) != 0 ||
        gnutls_base64_encode2(&raw, &encoded) != 0)
        abort();
    text_addf(policy, "; %s 'sha256-%.*s'", directive, (int)encoded.size,
              (const char *)encoded.data);
    gnutls_free(encoded.data);
}

void page_policy(char *bytes, size_t capacity)
{
    struct text policy = text_in(bytes, capacity);
    text_add(&policy, "default-src 'none'");
    add_hash(&policy, "style-src", page_css);
    add_hash(&policy, "script-src", page_js);
    text_add(&policy, "; connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; "
                      "frame-ancestors 'none'");
}
