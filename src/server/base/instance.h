// Who this adapter is among others: a number made at random once a process.
#pragma once

// INSTANCE_LENGTH digits (common/inquiry.h); lives for ever.
const char *instance_id(void);

// Takes the number of the adapter that this process speaks for, which the text begins with; before
// anybody has asked for one. Nothing, if it does not.
void instance_take(const char *id);
