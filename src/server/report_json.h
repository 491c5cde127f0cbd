// Bodies as application/health+json (draft-inadarei-api-health-check-06). Pure but for the clock.
#pragma once

#include "server/endpoint.h"

#include <jansson.h>

// The object of one answer. `passes` is what its HTTP status says; `output` is one sentence on what
// is wrong apart from the checks, or NULL. Owned by the caller.
json_t *report_json(const char *description, const struct check_view *views, size_t count,
                    const struct endpoint_rule *rule, const struct circumstances *circumstances,
                    bool passes, const char *output);

// The object as text with a line's end; the caller frees it. Takes the object over.
char *report_json_text(json_t *object, size_t *length);
