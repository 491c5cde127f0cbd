// The commands beside serving. Each gets its own name as argv[0] and returns the exit status:
// 0 well, 1 not well, 2 wrong usage or configuration.
#pragma once

enum { STATUS_WELL = 0, STATUS_UNWELL = 1, STATUS_USAGE = 2 };

// Runs checks once and prints a table.
int command_check(int argc, char **argv);

// Judges check files without a server.
int command_lint(int argc, char **argv);

// Asks a running adapter.
int command_get(int argc, char **argv);

// Waits until an endpoint passes.
int command_wait(int argc, char **argv);

// Prints the SQL that makes the probe user.
int command_grants(int argc, char **argv);
