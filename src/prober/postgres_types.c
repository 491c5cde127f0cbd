// See postgres_types.h, and pg_type.dat of Postgres. A domain comes under the OID of what it is
// made of; a type that somebody created has one that nobody can know here, and is COLUMN_OTHER.
#include "prober/postgres_types.h"

#include <stddef.h>

struct type {
    unsigned oid;
    enum column_type column;
    enum value_type value;
};

static const struct type types[] = {
    {16, COLUMN_PLAIN, VALUE_BOOLEAN},      // bool
    {20, COLUMN_PLAIN, VALUE_NUMBER},       // int8
    {21, COLUMN_PLAIN, VALUE_NUMBER},       // int2
    {23, COLUMN_PLAIN, VALUE_NUMBER},       // int4
    {26, COLUMN_PLAIN, VALUE_NUMBER},       // oid
    {700, COLUMN_PLAIN, VALUE_NUMBER},      // float4
    {701, COLUMN_PLAIN, VALUE_NUMBER},      // float8
    {1700, COLUMN_PLAIN, VALUE_NUMBER},     // numeric
    {5069, COLUMN_PLAIN, VALUE_NUMBER},     // xid8, which only grows
    {18, COLUMN_PLAIN, VALUE_STRING},       // "char"
    {19, COLUMN_PLAIN, VALUE_STRING},       // name
    {25, COLUMN_PLAIN, VALUE_STRING},       // text
    {705, COLUMN_PLAIN, VALUE_STRING},      // unknown
    {1042, COLUMN_PLAIN, VALUE_STRING},     // character
    {1043, COLUMN_PLAIN, VALUE_STRING},     // character varying
    {2275, COLUMN_PLAIN, VALUE_STRING},     // cstring
    {28, COLUMN_XID, VALUE_STRING},         // xid
    {114, COLUMN_JSON, VALUE_STRING},       // json
    {3802, COLUMN_JSON, VALUE_STRING},      // jsonb
    {790, COLUMN_MONEY, VALUE_STRING},      // money
    {1082, COLUMN_DATE, VALUE_STRING},      // date
    {1083, COLUMN_TIME, VALUE_STRING},      // time
    {1114, COLUMN_TIMESTAMP, VALUE_STRING}, // timestamp
    {1184, COLUMN_TIMESTAMP, VALUE_STRING}, // timestamptz
    {1186, COLUMN_INTERVAL, VALUE_STRING},  // interval
    {1560, COLUMN_BITS, VALUE_STRING},      // bit
    {1562, COLUMN_BITS, VALUE_STRING},      // bit varying
    {3220, COLUMN_LSN, VALUE_STRING},       // pg_lsn
    {22, COLUMN_ARRAY, VALUE_STRING},       // int2vector
    {30, COLUMN_ARRAY, VALUE_STRING},       // oidvector
};

// Of the types that have a column named typarray there; those of geometry and search are left out.
static const unsigned arrays[] = {
    199,  271,  651,  775,  1000, 1001, 1002, 1003, 1005, 1006, 1007, 1008, 1009, 1010, 1011,
    1012, 1013, 1014, 1015, 1016, 1021, 1022, 1028, 1034, 1040, 1041, 1115, 1182, 1183, 1185,
    1187, 1231, 1263, 1270, 1561, 1563, 2207, 2210, 2211, 2949, 2951, 3221, 3807, 4090, 4097};

static const struct type *postgres_types_find(unsigned oid)
{
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        if (types[i].oid == oid)
            return &types[i];
    }
    return NULL;
}

enum value_type oid_value_type(unsigned oid)
{
    const struct type *type = postgres_types_find(oid);
    return type != NULL ? type->value : VALUE_STRING;
}

enum column_type oid_column_type(unsigned oid)
{
    const struct type *type = postgres_types_find(oid);
    if (type != NULL)
        return type->column;
    for (size_t i = 0; i < sizeof arrays / sizeof *arrays; i++) {
        if (arrays[i] == oid)
            return COLUMN_ARRAY;
    }
    return COLUMN_OTHER;
}
