// Who this adapter is among others: a number made at random once a process.
#pragma once

// INSTANCE_LENGTH digits (common/inquiry.h); lives for ever.
const char *instance_id(void);
