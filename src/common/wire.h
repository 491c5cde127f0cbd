// The contract between dbhealthd and its probers: three verbs over a SOCK_SEQPACKET socket, one
// call outstanding at a time, one reply to each. Host byte order: both ends are one build on one
// machine. A decoder trusts no byte of a message.
//
// A message is a row of fields, each as its type says (u8, u16, u32, u64: that many bits; text: a
// u32 length and the bytes):
//   call   u32 sequence, u8 verb, u64 deadline (ns on CLOCK_BOOTTIME);
//          open only: u8 inspect, u64 withheld;
//          run only: u8 last, u8 read_only, u32 statement_limit (ms), u32 max_rows, text sql
//   reply  u32 sequence, u8 verb, u8 outcome, text code, text message, text version, u8 flavor,
//          u8 superuser, u8 trial, u64 secret;
//          open only: text sandbox;
//          u8 has_result; if so: u64 row_count, u8 cut, u16 columns, text name and u8 type each,
//          u32 rows, and for each value: u8 type, u8 cut, text bytes
#pragma once

#include "common/instant.h"
#include "common/outcome.h"
#include "common/result.h"
#include "common/sandbox.h"

enum {
    WIRE_MAX = 64 * 1024, // bytes of a message
    WIRE_SQL_MAX = 48 * 1024
};

enum verb { VERB_OPEN = 1, VERB_RUN = 2, VERB_CLOSE = 3 };

// The verb's name, as logged as the stage of a probe: "open", "run", "close".
const char *verb_name(enum verb verb);

// Which product answers; the order is the wire's.
enum flavor {
    FLAVOR_UNKNOWN,
    FLAVOR_POSTGRES,
    FLAVOR_MYSQL,
    FLAVOR_MARIADB,
    FLAVOR_PGBOUNCER,
    FLAVOR_COUNT
};

// What came of the secret in an open. A secret is all that the probe user shows for itself:
// password and client certificate, as their files were at that open.
enum trial {
    TRIAL_NONE,     // accepted, or the server said nothing of it
    TRIAL_REFUSED,  // the server saw it, and refused it
    TRIAL_WITHHELD, // it was not shown, as the call wanted
    TRIAL_COUNT     // not a trial
};

// From dbhealthd to a prober.
struct call {
    uint32_t sequence; // the reply carries the same
    enum verb verb;
    struct instant deadline; // dbhealthd's patience ends here; it may kill a run after it
    // VERB_OPEN only:
    bool inspect;      // find out whether the probe user is a superuser
    uint64_t withheld; // do not show the server this secret again; 0: none
    // VERB_RUN only:
    bool last; // then close, without a call for it nor a reply
    bool read_only;
    struct duration statement_limit; // the server is told to end the statement after this
    uint32_t max_rows;               // rows to send back; all are counted
    const char *sql;                 // one statement; when decoded it points into the message
};

enum { REPLY_CODE_MAX = 16, REPLY_MESSAGE_MAX = 1024, REPLY_VERSION_MAX = 64 };

// From a prober to dbhealthd.
struct reply {
    uint32_t sequence;
    enum verb verb;
    enum outcome outcome; // a reportable one
    // Cleaned by text_add_foreign when decoded:
    char code[REPLY_CODE_MAX];       // SQLSTATE, the server's or client's error number, or ""
    char message[REPLY_MESSAGE_MAX]; // the driver's words; for the log
    // VERB_OPEN with OUTCOME_OK only:
    char version[REPLY_VERSION_MAX]; // as the server names itself, like "15.8" or "10.11.6-MariaDB"
    enum flavor flavor;
    bool superuser; // if the call asked: the probe user gets into a full server
    // VERB_OPEN only:
    enum trial trial; // with OUTCOME_OK and not NONE, the last login that had worked did once more;
                      // code and message are of the refusal then
    uint64_t secret;  // names the present secret, not 0; says nothing of the password itself
    char sandbox[SANDBOX_TEXT_MAX]; // that the prober is in; cleaned, too
    // VERB_RUN with OUTCOME_OK only, else NULL:
    struct result *result; // owned by the reply
};

// Frees what the reply owns.
void reply_free(struct reply *reply);

// Writes the message to bytes[WIRE_MAX] and returns its length; 0 if it does not fit (a call: its
// SQL is longer than WIRE_SQL_MAX; a reply fits always).
size_t call_encode(const struct call *call, unsigned char *bytes);
size_t reply_encode(const struct reply *reply, unsigned char *bytes);

// Reads a message. False if it is not exactly one well-formed message. `call->sql` points into
// bytes; `reply->result` is new and the caller's (on false there is nothing to free).
bool call_decode(const unsigned char *bytes, size_t length, struct call *call)
    __attribute__((warn_unused_result));
bool reply_decode(const unsigned char *bytes, size_t length, struct reply *reply)
    __attribute__((warn_unused_result));
