// libgssapi_krb5.so.2 as far as libpq knows it, for a machine without Kerberos. dbhealthd-postgres is
// linked with it, so that the loader takes it for the library of that name when libpq asks. The real
// one stays away with the libraries that it brings.
//
// Nobody has a ticket in an adapter's container. A server that wants one gets none, and libpq's error
// has the words below. The functions and types are those of RFC 2744; no header of Kerberos is needed.
#include <stddef.h>
#include <stdint.h>

enum {
    GSS_S_COMPLETE = 0,
    GSS_S_UNAVAILABLE = 16 << 16,
    GSS_C_GSS_CODE = 1 // which of a failure's two codes is to be put into words
};

struct buffer {
    size_t length;
    const char *value;
};

struct name;
struct object_id;

uint32_t gss_import_name(uint32_t *minor, const struct buffer *text, const struct object_id *type,
                         struct name **name);
uint32_t gss_display_status(uint32_t *minor, uint32_t status, int kind,
                            const struct object_id *mechanism, uint32_t *more, struct buffer *text);
uint32_t gss_release_buffer(uint32_t *minor, struct buffer *buffer);

extern const struct object_id *const GSS_C_NT_HOSTBASED_SERVICE;
const struct object_id *const GSS_C_NT_HOSTBASED_SERVICE = NULL;

// The first that libpq calls when a server asks for a ticket.
uint32_t gss_import_name(uint32_t *minor, const struct buffer *text, const struct object_id *type,
                         struct name **name)
{
    (void)text, (void)type;
    *minor = 0;
    *name = NULL;
    return GSS_S_UNAVAILABLE;
}

// Both codes' words, for libpq writes them one after the other.
uint32_t gss_display_status(uint32_t *minor, uint32_t status, int kind,
                            const struct object_id *mechanism, uint32_t *more, struct buffer *text)
{
    static const char what[] = "this program has no Kerberos";
    static const char why[] = "it was built without DBHEALTH_KERBEROS";
    (void)status, (void)mechanism;
    *minor = 0;
    *more = 0;
    *text = kind == GSS_C_GSS_CODE ? (struct buffer){sizeof what - 1, what}
                                   : (struct buffer){sizeof why - 1, why};
    return GSS_S_COMPLETE;
}

uint32_t gss_release_buffer(uint32_t *minor, struct buffer *buffer)
{
    *minor = 0;
    *buffer = (struct buffer){0};
    return GSS_S_COMPLETE;
}

// The others. All have *minor as their first argument; further ones are of no interest. libpq calls
// the first with gssencmode=prefer, and the rest never, for they need what the first and
// gss_import_name don't give.
#define REFUSE(function)                                                                           \
    uint32_t function(uint32_t *minor);                                                            \
    uint32_t function(uint32_t *minor)                                                             \
    {                                                                                              \
        *minor = 0;                                                                                \
        return GSS_S_UNAVAILABLE;                                                                  \
    }

REFUSE(gss_acquire_cred)
REFUSE(gss_init_sec_context)
REFUSE(gss_delete_sec_context)
REFUSE(gss_release_cred)
REFUSE(gss_release_name)
REFUSE(gss_wrap)
REFUSE(gss_wrap_size_limit)
REFUSE(gss_unwrap)
