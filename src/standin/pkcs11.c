// libp11-kit.so.0 as far as GnuTLS knows it, for a program whose keys lie in files: see gssapi.c. GnuTLS
// looks for a module of PKCS #11 when the URL of a key names one, and dbhealthd gives it no URL.
// Without a module or a parsed URL most of these have nothing to be called with.
#include "standin/fail.h"

#include <stddef.h>

enum {
    CKR_FUNCTION_NOT_SUPPORTED = 0x54, // of PKCS #11 itself
    URI_UNEXPECTED = -1                // what p11-kit says of a URL for no known reason
};

static const char none[] = "this program has no PKCS #11";

FAIL(void *, p11_kit_modules_load, NULL)
FAIL(void *, p11_kit_module_load, NULL)
FAIL(void, p11_kit_module_release, )
FAIL(unsigned long, p11_kit_module_finalize, CKR_FUNCTION_NOT_SUPPORTED)
FAIL(int, p11_kit_module_get_flags, 0)
FAIL(char *, p11_kit_module_get_name, NULL)
FAIL(char *, p11_kit_config_option, NULL)
FAIL(const char *, p11_kit_message, none)
FAIL(const char *, p11_kit_strerror, none)
FAIL(char *, p11_kit_space_strdup, NULL)
FAIL(size_t, p11_kit_space_strlen, 0)

FAIL(void *, p11_kit_uri_new, NULL)
FAIL(void, p11_kit_uri_free, )
FAIL(int, p11_kit_uri_parse, URI_UNEXPECTED)
FAIL(int, p11_kit_uri_format, URI_UNEXPECTED)
FAIL(void *, p11_kit_uri_get_attribute, NULL)
FAIL(void *, p11_kit_uri_get_attributes, NULL)
FAIL(int, p11_kit_uri_set_attribute, URI_UNEXPECTED)
FAIL(void *, p11_kit_uri_get_module_info, NULL)
FAIL(void *, p11_kit_uri_get_token_info, NULL)
FAIL(int, p11_kit_uri_match_module_info, 0)
FAIL(int, p11_kit_uri_match_token_info, 0)
FAIL(const char *, p11_kit_uri_get_pin_source, NULL)
FAIL(const char *, p11_kit_uri_get_pin_value, NULL)

FAIL(void *, p11_kit_pin_new_for_string, NULL)
FAIL(int, p11_kit_pin_register_callback, URI_UNEXPECTED)
FAIL(void, p11_kit_pin_unregister_callback, )
FAIL(void *, p11_kit_pin_request, NULL)
FAIL(void *, p11_kit_pin_file_callback, NULL)
FAIL(const unsigned char *, p11_kit_pin_get_value, NULL)
FAIL(size_t, p11_kit_pin_get_length, 0)
FAIL(void, p11_kit_pin_unref, )
