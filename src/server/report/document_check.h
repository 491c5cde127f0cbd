// One check in the document: what it is and why, its values beside their limits, and its past.
#pragma once

#include "server/base/writer.h"
#include "server/report/report.h"

// Writes the check's member of the object `checks`.
void document_check_write(struct writer *writer, const struct report *report,
                          const struct check_view *view);
