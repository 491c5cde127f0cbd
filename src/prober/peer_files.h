// Which files the prober of peers may read: what looking up a name and believing a certificate
// want, and none with a password.
#pragma once

#include <stdbool.h>

// At the first call, with one thread, from then on: these, and the file of authorities (""; none of
// its own).
void peer_files_narrow(const char *authorities);

// True if a file has been replaced, and what has taken its place may not be read: only another
// process can.
bool peer_files_are_lost(void);
