// The environment.
#pragma once

// The value of a variable; NULL if it is not set or empty. A name of NULL is never set.
const char *environment_value(const char *name);
