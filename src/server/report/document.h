// The JSON document, in the form of health+json (draft-inadarei-api-health-check-06): all that
// machines are told, the page among them. health.schema.json says what each member is; tests hold
// every answer to it.
#pragma once

#include "server/base/writer.h"
#include "server/report/report.h"

// Writes the report.
void document_write(struct writer *writer, const struct report *report);

// Writes what `dbhealthd check` has found: these checks, judged as /readyz would judge its own.
void document_write_checks(struct writer *writer, const struct check_view *views, size_t count,
                           const struct server_view *server);

// A part of the adapter.
struct component {
    char name[NAME_MAX_LENGTH + 16];
    const char *status; // "pass", "warn" or "fail"
    const char *output; // why; NULL: it passes
};

// Writes what /livez says.
void document_write_components(struct writer *writer, const struct component *components,
                               size_t count, bool passes);
