#include "cases.h"
#include "date.h"

static const struct {
    const char *says;
    int year, month, day;
    int32_t days;
} civil_cases[] = {
    {"the epoch is day 0", 1970, 1, 1, 0},
    {"the day before it is -1", 1969, 12, 31, -1},
    {"a leap day of a century that has one", 2000, 2, 29, 11016},
    {"the day after it", 2000, 3, 1, 11017},
    {"a century without a leap day", 1900, 3, 1, -25508},
    {"the first year that is read", 1000, 1, 1, -354285},
    {"the last day that is read", 9999, 12, 31, 2932896},
};

EACH_CASE(date, civil_days_and_numbers_are_one_to_one, civil_cases)
{
    size_t i = *case_index;
    int year, month, day;

    cr_expect_eq(date_from_civil(civil_cases[i].year, civil_cases[i].month, civil_cases[i].day),
                 civil_cases[i].days, "%s", civil_cases[i].says);
    date_to_civil(civil_cases[i].days, &year, &month, &day);
    cr_expect(year == civil_cases[i].year && month == civil_cases[i].month &&
                  day == civil_cases[i].day,
              "%s: %d-%d-%d", civil_cases[i].says, year, month, day);
}

Test(date, every_day_of_five_centuries_comes_back_and_follows_the_one_before)
{
    int year = 1699, month = 12, day = 31;

    for (int32_t days = date_from_civil(1700, 1, 1); days < date_from_civil(2200, 1, 1); days++) {
        int next_year, next_month, next_day;

        date_to_civil(days, &next_year, &next_month, &next_day);
        cr_assert_eq(date_from_civil(next_year, next_month, next_day), days);
        cr_assert((next_year == year && next_month == month && next_day == day + 1) ||
                      (next_day == 1 && next_year == year && next_month == month + 1) ||
                      (next_day == 1 && next_month == 1 && month == 12 && next_year == year + 1),
                  "%d-%d-%d after %d-%d-%d", next_year, next_month, next_day, year, month, day);
        year = next_year;
        month = next_month;
        day = next_day;
    }
}

static const struct {
    const char *text;
    enum date_precision coarsest, precision;
    const char *day; /* as written out; NULL if refused */
    const char *message;
} parse_cases[] = {
    {"2026-03-01", DATE_DAY, DATE_DAY, "2026-03-01", NULL},
    {"2024-02-29", DATE_YEAR, DATE_DAY, "2024-02-29", NULL},
    {"2026-03", DATE_MONTH, DATE_MONTH, "2026-03-01", NULL},
    {"2026", DATE_YEAR, DATE_YEAR, "2026-01-01", NULL},
    {"1000-01-01", DATE_DAY, DATE_DAY, "1000-01-01", NULL},
    {"2026-03", DATE_DAY, DATE_DAY, NULL, "\"2026-03\" is no date of the form YYYY-MM-DD"},
    {"2026", DATE_MONTH, DATE_DAY, NULL, "\"2026\" is no date of the form YYYY-MM-DD or YYYY-MM"},
    {"31/12/2025", DATE_YEAR, DATE_DAY, NULL,
     "\"31/12/2025\" is no date of the form YYYY-MM-DD, YYYY-MM or YYYY"},
    {"2026-3-1", DATE_DAY, DATE_DAY, NULL, "\"2026-3-1\" is no date of the form YYYY-MM-DD"},
    {"", DATE_DAY, DATE_DAY, NULL, "\"\" is no date of the form YYYY-MM-DD"},
    {"2026-02-29", DATE_DAY, DATE_DAY, NULL, "\"2026-02-29\" is no day: February 2026 has 28 days"},
    {"1900-02-29", DATE_DAY, DATE_DAY, NULL, "\"1900-02-29\" is no day: February 1900 has 28 days"},
    {"2026-04-31", DATE_DAY, DATE_DAY, NULL, "\"2026-04-31\" is no day: April 2026 has 30 days"},
    {"2026-04-00", DATE_DAY, DATE_DAY, NULL, "\"2026-04-00\" is no day: April 2026 has 30 days"},
    {"2026-13-01", DATE_DAY, DATE_DAY, NULL, "the month of \"2026-13-01\" must be 01 to 12"},
    {"2026-00", DATE_YEAR, DATE_DAY, NULL, "the month of \"2026-00\" must be 01 to 12"},
    {"0999-01-01", DATE_DAY, DATE_DAY, NULL, "the year of \"0999-01-01\" must be 1000 to 9999"},
    {"2026-01-01 ", DATE_DAY, DATE_DAY, NULL, "\"2026-01-01 \" is no date of the form YYYY-MM-DD"},
    {"+026-01-01", DATE_DAY, DATE_DAY, NULL, "\"+026-01-01\" is no date of the form YYYY-MM-DD"},
};

EACH_CASE(date, parse_reads_the_forms_allowed_and_names_what_is_wrong, parse_cases)
{
    size_t i = *case_index;
    struct err err = {.code = ERR_OK};
    enum date_precision precision = DATE_DAY;
    int32_t days = 0;
    char text[11];
    enum err_code code =
        date_parse(str_from(parse_cases[i].text), parse_cases[i].coarsest, &days, &precision, &err);

    if (parse_cases[i].day == NULL) {
        cr_expect_eq(code, ERR_INVALID_PARAMS);
        cr_expect_str_eq(err.message, parse_cases[i].message);
        return;
    }
    cr_assert_eq(code, ERR_OK, "%s", err.message);
    date_format(days, text);
    cr_expect_str_eq(text, parse_cases[i].day);
    cr_expect_eq(precision, parse_cases[i].precision);
}

Test(date, the_day_of_an_instant_is_the_utc_day_also_before_1970)
{
    cr_expect_eq(date_from_ms(0), 0);
    cr_expect_eq(date_from_ms(86399999), 0);
    cr_expect_eq(date_from_ms(86400000), 1);
    cr_expect_eq(date_from_ms(-1), -1);
    cr_expect_eq(date_from_ms(-86400000), -1);
    cr_expect_eq(date_from_ms(-86400001), -2);
}
