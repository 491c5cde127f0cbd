// What came over HTTP, taken apart: the status and the body, and nothing else of it. Pure.
#pragma once

#include <stdbool.h>
#include <stddef.h>

enum http_answer_kind {
    HTTP_ANSWER_PART, // so far it fits, and more must come
    HTTP_ANSWER_WHOLE,
    HTTP_ANSWER_STRANGE // whatever may come yet, it is no answer as the adapter gives them
};

struct http_answer {
    unsigned status;
    const char *body; // points into the bytes
    size_t length;    // of the body
};

// Fills answer in if it is whole. Its length must be told by one Content-Length, which all answers
// of the adapter have.
enum http_answer_kind http_answer_read(const char *bytes, size_t length, struct http_answer *answer)
    __attribute__((warn_unused_result));

// The adapter says of the endpoint that was asked for that it fails: with 503, and with its own
// last line. Another program on that port may say 503, too.
bool http_answer_says_dead(const struct http_answer *answer);
