// Under which rules a browser shows the page.
#pragma once

#include <stddef.h>

enum { PAGE_POLICY_MAX = 400 };

// The Content-Security-Policy under which the page does all it does, and nothing else: its own
// style and script by what they are, nothing from elsewhere.
void page_policy(char *bytes, size_t capacity);
