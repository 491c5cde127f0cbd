// What all kinds of answers are made of: a request under way, and its reply.
#pragma once

#include "server/answer/answer.h"

#include <jansson.h>
#include <stdio.h>

// A request until it is answered; a value, copied to where it is needed.
struct inquiry {
    struct service *service;
    const struct request_facts *facts;
    answer_ready *ready;
    void *context;
    struct validity validity; // of the reply
};

// Answers the request, and counts the answer. Takes the body over. Age as in struct answer.
void reply(const struct inquiry *inquiry, unsigned status, const char *type, char *body,
           size_t length, int64_t age);

// Answers with plain words.
void reply_words(const struct inquiry *inquiry, unsigned status, const char *words, int64_t age);

// Answers with the error's text on a line.
void reply_error(const struct inquiry *inquiry, unsigned status, const struct error *error);

// Answers with application/health+json. Takes the object over.
void reply_json(const struct inquiry *inquiry, unsigned status, json_t *object, int64_t age);

// A body of plain text that is written piece by piece.
struct page {
    FILE *file;
    char *bytes;
    size_t length;
};

void page_open(struct page *page);

// Answers with the page, of this type, or plain text if NULL.
void reply_page(const struct inquiry *inquiry, unsigned status, const char *type, struct page *page,
                int64_t age);

// Answers with the status page, under its policy.
void reply_html(const struct inquiry *inquiry, unsigned status, struct page *page, int64_t age);
// True while a signal or the drain file asks load balancers to look away.
bool is_draining(const struct service *service);

// What holds for the adapter now.
struct circumstances circumstances_of(const struct service *service);

// What is wrong with the configuration, where the log says the most; NULL: nothing.
const char *configuration_warning(const struct service *service);

// The age of the oldest result among the views; -1: there is none.
int64_t age_of(const struct check_view *views, size_t count);
