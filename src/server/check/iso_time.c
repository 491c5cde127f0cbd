// See iso_time.h. A time is made of its parts by weight and not by a calendar: to be compared is
// all that it is for.
#include "server/check/iso_time.h"

#include <ctype.h>
#include <limits.h>
#include <string.h>

enum { FRACTION_DIGITS = 9 };

// Takes from `least` to `most` digits.
static bool iso_time_take_number(const char **at, int least, int most, long long *number)
{
    int digits = 0;
    for (*number = 0; digits < most && isdigit((unsigned char)**at); digits++)
        *number = *number * 10 + *(*at)++ - '0';
    return digits >= least && !isdigit((unsigned char)**at);
}

static bool iso_time_take(const char **at, const char *word)
{
    size_t length = strlen(word);
    if (strncmp(*at, word, length) != 0)
        return false;
    *at += length;
    return true;
}

// fraction = "." 1*9digit
static bool iso_time_take_fraction(const char **at, long *nanosecond)
{
    long long number;
    if (!iso_time_take(at, "."))
        return true;
    const char *start = *at;
    if (!iso_time_take_number(at, 1, FRACTION_DIGITS, &number))
        return false;
    for (long digits = *at - start; digits < FRACTION_DIGITS; digits++)
        number *= 10;
    *nanosecond = (long)number;
    return true;
}

// time = hours ":" minutes [ ":" seconds [ fraction ] ]
static bool iso_time_take_time(const char **at, struct iso_time *time)
{
    long long hour, minute, second = 0;
    if (!iso_time_take_number(at, 2, 3, &hour) || !iso_time_take(at, ":") ||
        !iso_time_take_number(at, 2, 2, &minute) || minute > 59)
        return false;
    if (iso_time_take(at, ":") && (!iso_time_take_number(at, 2, 2, &second) || second > 60 ||
                                   !iso_time_take_fraction(at, &time->nanosecond)))
        return false;
    time->second += (hour * 60 + minute) * 60 + second;
    return true;
}

// date = year "-" month "-" day
static bool iso_time_take_date(const char **at, long long *day)
{
    long long year, month;
    if (!iso_time_take_number(at, 4, 7, &year) || !iso_time_take(at, "-") ||
        !iso_time_take_number(at, 2, 2, &month) || month > 12 || !iso_time_take(at, "-") ||
        !iso_time_take_number(at, 2, 2, day) || *day > 31)
        return false;
    const char *end = strchr(*at, '\0');
    bool before_christ = end - *at >= 3 && strcmp(end - 3, " BC") == 0;
    *day += ((before_christ ? 1 - year : year) * 13 + month) * 32;
    return true;
}

// date [ ( " " / "T" ) time [ "Z" / "+00" [ ":00" ] ] ] [ " BC" ]
static bool iso_time_parse_date(const char *text, struct iso_time *time)
{
    enum { SECONDS = 4000000 }; // more than a time has
    long long day;
    if (!iso_time_take_date(&text, &day))
        return false;
    time->second = day * SECONDS;
    const char *at = text;
    if ((iso_time_take(&at, " ") || iso_time_take(&at, "T")) && isdigit((unsigned char)*at)) {
        text = at;
        if (!iso_time_take_time(&text, time))
            return false;
        if (!iso_time_take(&text, "Z") && iso_time_take(&text, "+00"))
            (void)iso_time_take(&text, ":00");
    }
    (void)iso_time_take(&text, " BC");
    return *text == '\0';
}

// [ "-" ] time
static bool iso_time_parse_time(const char *text, struct iso_time *time)
{
    bool negative = iso_time_take(&text, "-");
    time->of_day = true;
    if (!iso_time_take_time(&text, time) || *text != '\0')
        return false;
    if (negative) {
        time->second = -time->second;
        time->nanosecond = -time->nanosecond;
    }
    return true;
}

bool iso_time_parse(const char *text, size_t length, struct iso_time *time)
{
    *time = (struct iso_time){0};
    if (strlen(text) != length)
        return false;
    if (strcmp(text, "infinity") == 0 || strcmp(text, "-infinity") == 0) {
        time->second = *text == '-' ? LLONG_MIN : LLONG_MAX;
        return true;
    }
    if (iso_time_parse_date(text, time))
        return true;
    *time = (struct iso_time){0};
    return iso_time_parse_time(text, time);
}

int iso_time_compare(const struct iso_time *one, const struct iso_time *other)
{
    if (one->second != other->second)
        return one->second > other->second ? 1 : -1;
    return (one->nanosecond > other->nanosecond) - (one->nanosecond < other->nanosecond);
}
