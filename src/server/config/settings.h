// The settings: one table of flags and environment variables, with defaults that are text and go
// through the same parsers.
#pragma once

#include "server/base/log.h"
#include "server/base/words.h"

// Made by settings_load, emptied by settings_clear.
struct settings {
    char *listen;         // ADDRESS:PORT or :PORT, as listener_open reads it
    char *details_listen; // likewise, where alone details are told; "": there as well
    char *agent_listen;   // likewise, for agent checks; "": nowhere
    struct words checks;  // folders, or "library" for the installed one
    struct words enable;  // names of checks to run though their files say `enabled: no`
    bool lint;            // judge all of those, and single files: no setting, the command has it
    struct words disable; // names of checks to leave out
    struct words keep;    // names of probers that keep their connection open
    struct duration timeout;
    bool timeout_given; // not the default
    struct duration cache;
    struct duration deadline;
    struct duration drain;
    char *drain_file;    // "": none
    char *tls_cert;      // file with the listener's certificate; "": none
    char *tls_key;       // ... and with its key
    char *tls_client_ca; // ... and with the authorities of those who are told details; "": all are
    struct words peers;  // where the other adapters are, as place_parse reads it
    char *peers_ca;      // file with whom to believe over TLS; "": the system's
    enum log_format log_format;
    enum log_level log_level;
    struct words problems; // what was wrong with values; the default stands in their place
};

// A flag that one command has beside the settings.
struct extra_flag {
    const char *name;
    const char **value; // set to what is given
    const char *bare;   // ... or to this, if the flag stands without a value; NULL: it may not
};

// Reads the command line's flags (from argv[1] on) over the environment's variables; an extra flag
// takes the place of a setting of its name. The arguments that are no flags are added to words.
// False only for an unknown flag or one without a value. A bad value is a problem and leaves the
// default.
bool settings_load(struct settings *settings, int argc, char **argv, const struct extra_flag *extra,
                   size_t extra_count, struct words *words, struct error *error)
    __attribute__((warn_unused_result));

void settings_clear(struct settings *settings);

// A copy to be emptied on its own.
struct settings settings_copy(const struct settings *settings);

// True if the listener is to speak TLS.
bool settings_want_tls(const struct settings *settings);

// A row of the table, for --help and for the test that holds the manual page to it.
struct setting_row {
    const char *flag;         // without the dashes
    const char *variable;     // DBHEALTH_ and the flag's name
    const char *default_text; // "": none
    const char *meaning;
};

// False past the last row.
bool settings_row(size_t index, struct setting_row *row) __attribute__((warn_unused_result));
