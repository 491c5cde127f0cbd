// Which of the media types on offer a client wants most, by what its Accept header says (RFC 9110,
// section 12.5.1). Pure.
#pragma once

// What bodies there are. A set of them has the bit 1 << media for each.
enum media { MEDIA_TEXT, MEDIA_HTML, MEDIA_HEALTH_JSON, MEDIA_JSON, MEDIA_COUNT };

// The type as the Content-Type of an answer has it.
const char *media_content_type(enum media media);

// The one of the set, which must not be empty, with the highest quality. Of equal ones the one that
// the header names in full comes before one that only `text/*` or `*/*` covers, then what it names
// first, then the order of the enum. A quality of 0 is a refusal; a client that wants nothing that
// is on offer gets the first that it does not refuse by name, or the first: the status is what it
// came for. Parameters but `q` change nothing. An element that is malformed is as if it were not
// there. NULL: no header.
enum media accept_choose(const char *accept, unsigned offered);
