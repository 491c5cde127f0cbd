// See answers.h. All there is to know, as the JSON document.
#include "server/answer/answers.h"

#include "server/answer/overview.h"
#include "server/report/document.h"

static void answer_status_show(struct request *request, const struct overview *overview)
{
    struct body body;
    body_open(&body);
    struct writer writer = {.out = body.file};
    document_write(&writer, &overview->report);
    request->answer.warns = overview->report.passes &&
                            endpoint_warns(overview->report.views, NULL, overview->report.count);
    request_reply_json(request, 200, &body, overview->age);
}

void answer_status(struct request *request)
{
    overview_ask(request, answer_status_show);
}
