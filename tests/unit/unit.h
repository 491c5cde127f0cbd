// What every unit test includes: cmocka with the headers it wants before it, and a helper or two.
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

// cmocka 2 has a name for each kind of number, and deprecates the one that older versions have. Not
// assert_uint_in_range: in 2.0 it is written so that -Wsign-conversion warns of each use.
#ifndef assert_int_in_range
#define assert_int_in_range assert_in_range
#endif

// How many elements an array has.
#define COUNT(array) (sizeof(array) / sizeof *(array))

// Runs the tests of a const struct CMUnitTest array; the value of main().
#define RUN(tests) cmocka_run_group_tests((tests), NULL, NULL)
