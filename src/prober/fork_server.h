// What a prober program is before it is a prober: started once by dbhealthd, it makes a child for
// each prober that is wanted.
#pragma once

enum fork_server_end {
    FORK_SERVER_CHILD,  // in a new prober: its socket is at PROBER_SOCKET now
    FORK_SERVER_OVER,   // dbhealthd needs no more
    FORK_SERVER_BROKEN, // what is at PROBER_SOCKET speaks otherwise, or is no socket
};

// Makes probers until dbhealthd closes its end of the control socket, which is at PROBER_SOCKET.
enum fork_server_end fork_server_run(void);
