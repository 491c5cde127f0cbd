// Logging in with the secret of the moment: the target is loaded anew each time, so that a changed
// file is used at once, and while the server does not know the new secret yet, the one before is.
#pragma once

#include "prober/driver.h"

// What a prober remembers from one open to the next. Begins as zeros; ended by login_forget.
struct login {
    struct target former; // the last that worked; engine is ENGINE_NONE if none has
};

// Opens a session as driver.open does, and says in the reply what came of the secret.
struct session *login_open(struct login *login, const struct call *call, struct reply *reply)
    __attribute__((warn_unused_result));

// Wipes what is remembered.
void login_forget(struct login *login);
