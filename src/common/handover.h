// How dbhealthd has the fork server of a prober program make a prober. On the fork server's control
// socket (SOCK_SEQPACKET) each message carries one descriptor: the new prober's own socket. It is
// answered by one message: by the prober itself once it is there, by the fork server if it cannot
// make one, or by what it made if that is not dbhealthd's child. Only then is the next one asked
// for.
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum { PROBER_SOCKET = 3 }; // the descriptor of the control socket, and of a prober's own

struct handover_answer {
    int32_t pid;   // the prober's process id; 0: there is none, ...
    int32_t error; // ... and this errno says why
};

// Sends the socket, which stays open here. False, with errno, if that cannot be done at once.
bool handover_ask(int control, int socket) __attribute__((warn_unused_result));

enum handover { HANDOVER_TAKEN, HANDOVER_OVER, HANDOVER_BROKEN };

// Waits for a socket and takes it. OVER: the other end is closed. BROKEN: it sent something else.
enum handover handover_take(int control, int *socket) __attribute__((warn_unused_result));

// False if nobody will read it any more.
bool handover_answer(int control, struct handover_answer answer)
    __attribute__((warn_unused_result));

enum handover_reading { READING_NONE, READING_ANSWER, READING_OVER, READING_BROKEN };

// Reads an answer without waiting. NONE: there is none now. OVER: there will be no more.
enum handover_reading handover_read(int control, struct handover_answer *answer)
    __attribute__((warn_unused_result));
