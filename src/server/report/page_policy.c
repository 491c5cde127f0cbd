// See page_policy.h.
#include "server/report/page_policy.h"

#include "common/text.h"
#include "server/report/page_assets.h"

// RFC 4648. Three bytes make four digits; what is short of three makes fewer, and '=' for the rest.
static void add_base64(struct text *text, const unsigned char *bytes, size_t length)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (size_t i = 0; i < length; i += 3) {
        unsigned second = i + 1 < length ? bytes[i + 1] : 0;
        unsigned third = i + 2 < length ? bytes[i + 2] : 0;
        unsigned group = (unsigned)bytes[i] << 16 | second << 8 | third;
        text_addf(text, "%c%c%c%c", digits[group >> 18], digits[group >> 12 & 63],
                  i + 1 < length ? digits[group >> 6 & 63] : '=',
                  i + 2 < length ? digits[group & 63] : '=');
    }
}

// A source expression: the element with the text of this digest may be there, and no other.
static void add_hash(struct text *policy, const char *directive, const unsigned char *digest)
{
    text_addf(policy, "; %s 'sha256-", directive);
    add_base64(policy, digest, PAGE_DIGEST_LENGTH);
    text_add(policy, "'");
}

void page_policy(char *bytes, size_t capacity)
{
    struct text policy = text_in(bytes, capacity);
    text_add(&policy, "default-src 'none'");
    add_hash(&policy, "style-src", page_css_digest);
    add_hash(&policy, "script-src", page_js_digest);
    text_add(&policy, "; connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; "
                      "frame-ancestors 'none'");
}
