// What every unit test includes: cmocka with the headers it wants before it, and a helper or two.
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

// How many elements an array has.
#define COUNT(array) (sizeof(array) / sizeof *(array))

// Runs the tests of a const struct CMUnitTest array; the value of main().
#define RUN(tests) cmocka_run_group_tests((tests), NULL, NULL)
