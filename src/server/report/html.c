// See html.h. Nothing that was not written here gets into a page but through html_text.
#include "server/report/html.h"

#include "common/text.h"

#include <inttypes.h>
#include <stdbool.h>
#include <string.h>
#include <strings.h>
#include <time.h>

enum { TEXT_MAX = 1000, MS_PER_S = 1000, HALF_A_DAY_MS = 12 * 3600 * MS_PER_S };

void html_text(FILE *page, const char *text)
{
    char bytes[TEXT_MAX + 1];
    struct text clean = text_in(bytes, sizeof bytes);
    text_add_foreign(&clean, text, strlen(text));
    for (const char *at = bytes; *at != '\0'; at++) {
        if (*at == '&')
            fputs("&amp;", page);
        else if (*at == '<')
            fputs("&lt;", page);
        else if (*at == '>')
            fputs("&gt;", page);
        else if (*at == '"')
            fputs("&quot;", page);
        else if (*at == '\'')
            fputs("&#39;", page);
        else
            fputc(*at, page);
    }
}

void html_name(FILE *page, const char *name)
{
    char part[64];
    if (strlen(name) >= sizeof part) {
        html_text(page, name); // in pieces a character might be cut
        return;
    }
    while (*name != '\0') {
        size_t length = strcspn(name, "_");
        length += name[length] == '_';
        memcpy(part, name, length);
        part[length] = '\0';
        html_text(page, part);
        name += length;
        if (name[0] != '\0' && name[-1] == '_')
            fputs("<wbr>", page);
    }
}

void html_icon(FILE *page, const char *look)
{
    fprintf(page, "<svg class=\"icon %s\" aria-hidden=\"true\"><use href=\"#icon-%s\"/></svg>",
            look, look);
}

void html_span(FILE *page, int64_t ms)
{
    static const struct {
        int64_t ms;
        const char *unit;
    } units[] = {{86400000, "d"}, {3600000, "h"}, {60000, "min"}, {MS_PER_S, "s"}};
    enum { UNITS = sizeof units / sizeof *units };
    size_t i = 0;
    while (i < UNITS - 1 && ms < units[i].ms)
        i++;
    fprintf(page, "%" PRId64 " %s", ms / units[i].ms, units[i].unit);
    if (i + 1 < UNITS && ms % units[i].ms >= units[i + 1].ms)
        fprintf(page, " %" PRId64 " %s", ms % units[i].ms / units[i + 1].ms, units[i + 1].unit);
}

void html_took(FILE *page, uint32_t us)
{
    enum { US_PER_MS = 1000, US_PER_S = 1000000 };
    if (us >= US_PER_S)
        fprintf(page, "%.1f s", (double)us / US_PER_S);
    else if (us >= 10 * US_PER_MS)
        fprintf(page, "%" PRIu32 " ms", us / US_PER_MS);
    else if (us >= US_PER_MS)
        fprintf(page, "%.1f ms", (double)us / US_PER_MS);
    else
        fprintf(page, "%.2f ms", (double)us / US_PER_MS);
}

static bool ends_with(const char *text, const char *end)
{
    size_t length = strlen(text), end_length = strlen(end);
    return length >= end_length && strcasecmp(text + length - end_length, end) == 0;
}

static void write_bytes(FILE *page, double bytes)
{
    static const char *const units[] = {"KiB", "MiB", "GiB", "TiB", "PiB"};
    enum { UNITS = sizeof units / sizeof *units, STEP = 1024 };
    size_t i = 0;
    bytes /= STEP;
    for (; i < UNITS - 1 && bytes >= STEP; i++)
        bytes /= STEP;
    fprintf(page, "%.1f %s", bytes, units[i]);
}

void html_amount(FILE *page, const char *column, const char *text, double number)
{
    enum { SECONDS_LONG = 120, BYTES_LARGE = 1024 };
    static const double most = 1e15; // what is more is no amount of anything
    if (number >= SECONDS_LONG && number < most / MS_PER_S && ends_with(column, "seconds"))
        html_span(page, (int64_t)number * MS_PER_S);
    else if (number >= BYTES_LARGE && number < most && ends_with(column, "bytes"))
        write_bytes(page, number);
    else
        html_text(page, text);
}

static struct tm utc_of(int64_t unix_ms)
{
    struct tm utc;
    time_t then = (time_t)(unix_ms / MS_PER_S);
    (void)gmtime_r(&then, &utc);
    return utc;
}

static void write_date(FILE *page, const struct tm *utc, const char *end)
{
    fprintf(page, "%04d-%02d-%02d%s", 1900 + utc->tm_year, 1 + utc->tm_mon, utc->tm_mday, end);
}

static void write_clock(FILE *page, const struct tm *utc, const char *end)
{
    fprintf(page, "%02d:%02d:%02d%s", utc->tm_hour, utc->tm_min, utc->tm_sec, end);
}

void html_time(FILE *page, int64_t unix_ms, int64_t now_unix_ms)
{
    struct tm utc = utc_of(unix_ms);
    fputs("<time datetime=\"", page);
    write_date(page, &utc, "T");
    write_clock(page, &utc, "Z\">");
    if (now_unix_ms - unix_ms >= HALF_A_DAY_MS)
        write_date(page, &utc, " ");
    write_clock(page, &utc, "</time>");
}

void html_clock(FILE *page, int64_t unix_ms)
{
    struct tm utc = utc_of(unix_ms);
    write_clock(page, &utc, "");
}
