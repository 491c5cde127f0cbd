// From a request to its answer.
#pragma once

#include "server/answer/request.h"

// Answers a request that has been parsed.
void answer_request(struct request *request);

// True if the answer to an earlier request for the same may be given once more; it is counted then
// like any other.
bool answer_again(struct service *service, const struct validity *validity, unsigned status);
