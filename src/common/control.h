// What the supervisor and the server tell each other, on a socket pair (SOCK_SEQPACKET): a message
// of fixed size, which may carry descriptors. The server names its probers by numbers of its own
// choice, and knows no process id.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    CONTROL_SOCKET = 3, // the descriptor that the server finds it at
    PROBER_SOCKET = 3   // the descriptor that a prober finds its own socket at
};

// The sockets that the server listens on.
enum listener {
    LISTENER_MAIN,
    LISTENER_DETAILS, // where the settings want it, as ...
    LISTENER_AGENT,   // ... the one that HAProxy's agent checks are answered on
    LISTENERS         // how many there are
};

enum control_verb {
    // From the server.
    CONTROL_START = 1, // a prober; number: its enum engine; file: its socket
    CONTROL_KILL,      // a prober
    CONTROL_LISTENING, // a server that ends otherwise than with status 0 is started anew from now
                       // on; files: the listening sockets
    // From the supervisor.
    CONTROL_BEGIN,   // first of all; id: how often the server has crashed; number: the latest one's
                     // wait status; files: the listening sockets if there are any, times of the
                     // supervisor itself
    CONTROL_STARTED, // number: 0, or the errno for which there is no prober; files: its times
    CONTROL_ENDED,   // number: its wait status; nothing more comes of this prober
    CONTROL_SIGNAL   // number: a signal that the supervisor has got
};

// What a message carries. The two of /proc/PID (proc(5)) may be missing, for the kernel may not
// have them.
enum control_file {
    CONTROL_FILE_SOCKET,                                      // of a prober, or the first of ...
    CONTROL_FILE_SCHEDSTAT = CONTROL_FILE_SOCKET + LISTENERS, // ... as many as can listen
    CONTROL_FILE_STAT,
    CONTROL_FILES // how many there are
};

struct control {
    enum control_verb verb;
    uint32_t id;              // of the prober, at least 1; or see above
    int32_t number;           // see above; else 0
    int files[CONTROL_FILES]; // descriptors; -1: none
};

// One without a file.
struct control control_of(enum control_verb verb, uint32_t id, int32_t number);

enum { CONTROL_SIZE = 10 }; // bytes of a message

void control_encode(const struct control *control, unsigned char bytes[CONTROL_SIZE]);

// False if it is no message. Of the files only is known which they are to be: a 0 for each.
bool control_decode(const unsigned char *bytes, size_t length, struct control *control)
    __attribute__((warn_unused_result));

enum control_sending {
    CONTROL_SENT,
    CONTROL_FULL, // it must be sent again once the socket is writable
    CONTROL_GONE  // nobody will read it
};

// Without waiting. The files stay open here.
enum control_sending control_send(int socket, const struct control *control);

enum control_end { CONTROL_OF_SERVER, CONTROL_OF_SUPERVISOR };

enum control_receiving {
    CONTROL_NONE, // now
    CONTROL_TAKEN,
    CONTROL_OVER,  // the other end is closed
    CONTROL_BROKEN // what came is nothing that this end sends
};

// Takes a message that the given end has sent, without waiting. Its files are the caller's to
// close: -1 for each if there was no room for all of them in this process.
enum control_receiving control_receive(int socket, enum control_end from, struct control *control)
    __attribute__((warn_unused_result));

// Closes those that are there.
void control_close_files(struct control *control);
