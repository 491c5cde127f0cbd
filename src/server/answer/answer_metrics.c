// See answers.h. What Prometheus scrapes.
#include "server/answer/answers.h"

#include "server/answer/overview.h"
#include "server/base/log.h"
#include "server/report/metrics.h"

static const char metrics_type[] = "text/plain; version=0.0.4; charset=utf-8";

static void answer_metrics_show(struct request *request, const struct overview *overview)
{
    struct metrics metrics = {.report = &overview->report,
                              .statistics = request->service->statistics,
                              .log_lines_dropped = log_lines_dropped(),
                              .usage = usage_now()};
    struct body body;
    body_open(&body);
    metrics_write(body.file, &metrics);
    request_reply_body(request, 200, metrics_type, &body, overview->age);
}

void answer_metrics(struct request *request)
{
    overview_ask(request, answer_metrics_show);
}
