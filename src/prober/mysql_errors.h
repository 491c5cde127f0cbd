// What an error number of MySQL, MariaDB or their client library says of the server. Pure tables:
// see mysql_errors.c to add a row.
#pragma once

#include "common/outcome.h"
#include "common/wire.h"

#include <stdbool.h>

// The outcome for an error at login or of a statement. FLAVOR_UNKNOWN searches both products'
// tables. Whatever is in no table is OUTCOME_SERVER_ERROR: an answer, but not one that we know.
enum outcome mysql_error_outcome(unsigned number, enum flavor flavor, bool at_login);

// True for an error at login which says that the secret was wrong, or was wrong too often.
bool mysql_error_refuses_secret(unsigned number);

// The server's number in the library's words for an error that came before TLS was up; false if
// they are not those words.
bool mysql_error_unwrap(const char *message, unsigned *number) __attribute__((warn_unused_result));

// True if the library's words for a lost connection say that no greeting had come.
bool mysql_error_is_before_greeting(const char *message);

// The errno of a failed connect(), which the library tells in its words only; 0 if there is none.
int mysql_error_errno(const char *message);
