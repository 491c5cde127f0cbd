// What a SQLSTATE of Postgres says of the server. A pure table: see sqlstate.c to add a row.
#pragma once

#include "common/outcome.h"

#include <stdbool.h>

enum { SQLSTATE_LENGTH = 5 };

// True for five digits or upper-case letters.
bool sqlstate_is_valid(const char *code);

// The outcome for an error that the server sent, at login or while a statement ran. Whatever is not
// in the table is OUTCOME_SERVER_ERROR: an answer, but not one that we know.
enum outcome sqlstate_outcome(const char *code, bool at_login);
