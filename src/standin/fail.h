// A function that nobody calls, or that has nothing but a failure to give. Its arguments are of no
// interest.
#pragma once

#define FAIL(type, function, value)                                                                \
    type function(void);                                                                           \
    type function(void)                                                                            \
    {                                                                                              \
        return value;                                                                              \
    }
