// See http_answer.h.
#include "client/http_answer.h"

#include <string.h>
#include <strings.h>

enum { HEAD_MOST = 4096, STATUS_DIGITS = 3, LENGTH_DIGITS = 8, SERVICE_UNAVAILABLE = 503 };

// The text between two places.
struct span {
    const char *at, *end;
};

static bool http_answer_take(struct span *from, const char *words)
{
    size_t length = strlen(words);
    if ((size_t)(from->end - from->at) < length || strncasecmp(from->at, words, length) != 0)
        return false;
    from->at += length;
    return true;
}

// A number of at least one digit, which ends with the span.
static bool http_answer_read_number(struct span span, size_t digits, size_t *number)
{
    size_t length = (size_t)(span.end - span.at);
    *number = 0;
    for (; span.at < span.end && *span.at >= '0' && *span.at <= '9'; span.at++)
        *number = *number * 10 + (size_t)(*span.at - '0');
    return span.at == span.end && length > 0 && length <= digits;
}

// Up to the line's end, which must be there; the next begins after it.
static struct span http_answer_take_line(struct span *from)
{
    struct span line = *from;
    line.end = memmem(from->at, (size_t)(from->end - from->at), "\r\n", 2);
    from->at = line.end + 2;
    return line;
}

// HTTP/1.1 503 Service Unavailable
static bool http_answer_read_status(struct span line, unsigned *status)
{
    size_t number;
    if (!http_answer_take(&line, "HTTP/1.1 ") && !http_answer_take(&line, "HTTP/1.0 "))
        return false;
    if (line.end - line.at < STATUS_DIGITS)
        return false;
    const struct span digits = {line.at, line.at + STATUS_DIGITS};
    bool ended = digits.end == line.end || *digits.end == ' ';
    bool is_number = http_answer_read_number(digits, STATUS_DIGITS, &number);
    *status = (unsigned)number;
    return ended && is_number && *status >= 100;
}

// One line of that name, and no other.
static bool http_answer_read_length(struct span lines, size_t *length)
{
    bool found = false;
    while (lines.at < lines.end) {
        struct span line = http_answer_take_line(&lines);
        if (!http_answer_take(&line, "Content-Length:"))
            continue;
        while (http_answer_take(&line, " "))
            ;
        if (found || !http_answer_read_number(line, LENGTH_DIGITS, length))
            return false;
        found = true;
    }
    return found;
}

// The lines before the empty one, each with its end.
static bool http_answer_read_head(struct span head, struct http_answer *answer)
{
    struct span first = http_answer_take_line(&head);
    return http_answer_read_status(first, &answer->status) &&
           http_answer_read_length(head, &answer->length);
}

static enum http_answer_kind http_answer_read_beginning(const char *bytes, size_t length)
{
    static const char version[] = "HTTP/1.";
    size_t compared = length < sizeof version - 1 ? length : sizeof version - 1;
    bool fits = length < HEAD_MOST && memcmp(bytes, version, compared) == 0;
    return fits ? HTTP_ANSWER_PART : HTTP_ANSWER_STRANGE;
}

enum http_answer_kind http_answer_read(const char *bytes, size_t length, struct http_answer *answer)
{
    static const char end[] = "\r\n\r\n";
    const char *empty = memmem(bytes, length, end, strlen(end));
    if (empty == NULL)
        return http_answer_read_beginning(bytes, length);
    if (!http_answer_read_head((struct span){bytes, empty + 2}, answer))
        return HTTP_ANSWER_STRANGE;
    answer->body = empty + strlen(end);
    size_t came = length - (size_t)(answer->body - bytes);
    return came >= answer->length ? HTTP_ANSWER_WHOLE : HTTP_ANSWER_PART;
}

bool http_answer_says_dead(const struct http_answer *answer)
{
    static const char last[] = " check failed\n";
    size_t length = strlen(last);
    return answer->status == SERVICE_UNAVAILABLE && answer->length >= length &&
           memcmp(answer->body + answer->length - length, last, length) == 0;
}
