// What the types of Postgres are to us, by the OIDs of its catalogue, which never change.
#pragma once

#include "common/result.h"

// Of a value that is not NULL. Booleans come as "t" and "f".
enum value_type oid_value_type(unsigned oid);

enum column_type oid_column_type(unsigned oid);
