// See answers.h. The page at "/": it shows every check, and has the status that /readyz has. The
// files that it loads are the same for all, but not to be kept either: an adapter of another
// version may take this one's place at any time, and its page must not meet this one's script.
#include "server/answer/answers.h"

#include "server/answer/overview.h"
#include "server/report/page.h"

static void answer_page_show(struct request *request, const struct overview *overview)
{
    struct body body;
    body_open(&body);
    page_write(body.file, &overview->report);
    request->answer.policy = page_policy;
    request_reply_body(request, request_status(request, &overview->report),
                       media_content_type(MEDIA_HTML), &body, overview->age);
}

// What may be asked for of /readyz's text, and has no page.
static bool answer_page_refuse_query(const struct route *route, struct error *error)
{
    if (route->param_names.count > 0)
        return route_refuse_key(route, route->param_names.items[0], error);
    return route->exclude.count == 0 || error_set(error, "the page leaves no check out");
}

void answer_page(struct request *request)
{
    struct error error;
    request->route.history = true;
    if (!answer_page_refuse_query(&request->route, &error))
        request_reply_error(request, 400, &error);
    else
        overview_ask(request, answer_page_show);
}

void answer_file(struct request *request)
{
    const struct page_file *file = page_file(request->route.endpoint);
    struct body body;
    body_open(&body);
    fputs(file->text, body.file);
    request_reply_body(request, 200, file->type, &body, -1);
}
