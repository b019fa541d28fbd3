#include "date.h"

#include "quote.h"

#include <stdio.h>

/*
 * Civil days by counting from 1 March of a year, so that the leap day is the last of its year; eras
 * of 400 years (146,097 days) repeat exactly. The method is H. Hinnant's "chrono-compatible low-level
 * date algorithms".
 */
enum { DAYS_PER_ERA = 146097, DAYS_TO_1970 = 719468, MS_PER_DAY = 86400000 };

static const char *const month_names[] = {"January",   "February", "March",    "April",
                                          "May",       "June",     "July",     "August",
                                          "September", "October",  "November", "December"};

static bool
year_is_leap(int year)
{
    return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static int
month_days(int year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

    return month == 2 && year_is_leap(year) ? 29 : days[month - 1];
}

int32_t
date_from_civil(int year, int month, int day)
{
    int from_march = month > 2 ? year : year - 1;
    int era = (from_march >= 0 ? from_march : from_march - 399) / 400;
    int year_of_era = from_march - era * 400;
    int day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    int day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;

    return era * DAYS_PER_ERA + day_of_era - DAYS_TO_1970;
}

void
date_to_civil(int32_t days, int *year, int *month, int *day)
{
    int64_t z = (int64_t)days + DAYS_TO_1970;
    int64_t era = (z >= 0 ? z : z - (DAYS_PER_ERA - 1)) / DAYS_PER_ERA;
    int day_of_era = (int)(z - era * DAYS_PER_ERA);
    int year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    int day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int month_from_march = (5 * day_of_year + 2) / 153;

    *day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    *month = month_from_march < 10 ? month_from_march + 3 : month_from_march - 9;
    *year = year_of_era + (int)(era * 400) + (*month <= 2);
}

int32_t
date_from_ms(int64_t wall_ms)
{
    int64_t days = wall_ms / MS_PER_DAY - (wall_ms % MS_PER_DAY < 0);

    return (int32_t)(days < INT32_MIN ? INT32_MIN : days > INT32_MAX ? INT32_MAX : days);
}

/* n decimal digits at the start of s; -1 if there is anything else. */
static int
digits(struct str s, size_t from, size_t n)
{
    int value = 0;

    for (size_t i = from; i < from + n; i++) {
        if (i >= s.len || s.data[i] < '0' || s.data[i] > '9')
            return -1;
        value = value * 10 + (s.data[i] - '0');
    }
    return value;
}

static const char *
forms_wanted(enum date_precision coarsest)
{
    switch (coarsest) {
    case DATE_DAY:
        return "YYYY-MM-DD";
    case DATE_MONTH:
        return "YYYY-MM-DD or YYYY-MM";
    case DATE_YEAR:
        return "YYYY-MM-DD, YYYY-MM or YYYY";
    }
    return "YYYY-MM-DD";
}

enum err_code
date_parse(struct str text, enum date_precision coarsest, int32_t *days,
           enum date_precision *precision, struct err *err)
{
    enum date_precision found = text.len == 4 ? DATE_YEAR : text.len == 7 ? DATE_MONTH : DATE_DAY;
    int year = digits(text, 0, 4), month = 1, day = 1;
    bool is_formed = year >= 0 && (text.len == 4 || text.len == 7 || text.len == 10);

    if (is_formed && text.len >= 7) {
        month = digits(text, 5, 2);
        is_formed = text.data[4] == '-' && month >= 0;
    }
    if (is_formed && text.len == 10) {
        day = digits(text, 8, 2);
        is_formed = text.data[7] == '-' && day >= 0;
    }
    if (!is_formed || found > coarsest)
        return err_set(err, ERR_INVALID_PARAMS, "%s is no date of the form %s", quote(text).text,
                       forms_wanted(coarsest));
    if (year < 1000)
        return err_set(err, ERR_INVALID_PARAMS, "the year of %s must be 1000 to 9999",
                       quote(text).text);
    if (month < 1 || month > 12)
        return err_set(err, ERR_INVALID_PARAMS, "the month of %s must be 01 to 12",
                       quote(text).text);
    if (day < 1 || day > month_days(year, month))
        return err_set(err, ERR_INVALID_PARAMS, "%s is no day: %s %d has %d days", quote(text).text,
                       month_names[month - 1], year, month_days(year, month));
    *days = date_from_civil(year, month, day);
    if (precision != NULL)
        *precision = found;
    return ERR_OK;
}

void
date_format(int32_t days, char text[11])
{
    int year, month, day;

    date_to_civil(days, &year, &month, &day);
    year = year < 0 ? 0 : year > 9999 ? 9999 : year; /* dates that date_parse gave are within */
    snprintf(text, 11, "%04u-%02u-%02u", (unsigned)year % 10000, (unsigned)month % 100,
             (unsigned)day % 100);
}
