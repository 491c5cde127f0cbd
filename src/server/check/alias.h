// Names that other tools have for what is here, so that a load balancer's or probe's configuration
// that was written for them works unchanged. They lead to an endpoint or a param and are shown
// nowhere else. What check files name themselves is not looked up here. Pure.
#pragma once

#include <stdbool.h>
#include <stddef.h>

// The endpoint that is meant by the name of another tool; NULL if none has it.
const char *alias_of_endpoint(const char *name);

// The param that is meant; NULL if there is none. Its value is in bytes.
const char *alias_of_param(const char *name);

enum { ALIAS_NUMBER_MAX = 64 };

// A number of bytes as Postgres' settings are written: 1048576, 10MB, 1.5 GB. Makes it one without
// a unit. False if it is none, or beyond an exabyte.
bool alias_parse_bytes(const char *text, char number[ALIAS_NUMBER_MAX])
    __attribute__((warn_unused_result));
