#include "alloc.h"
#include "cases.h"
#include "date.h"
#include "rates.h"
#include "reference.h"
#include "sample_reference.h"

static struct rates *rates;

static void
begin(void)
{
    struct err err = {.code = ERR_OK};

    cr_assert_eq(rates_parse(str_from(sample_texts[REFERENCE_RATES]), &rates, &err), ERR_OK, "%s",
                 err.message);
}

static void
end(void)
{
    rates_destroy(rates);
}

static const struct {
    const char *says, *currency;
    int year, month, day;
    int64_t rate_ppm; /* 0: none */
} find_cases[] = {
    {"the day before the first row has none", "EUR", 2023, 12, 31, 0},
    {"the first row counts from its own day", "EUR", 2024, 1, 1, 1100000},
    {"until the day before the next", "EUR", 2024, 12, 31, 1100000},
    {"the next row", "EUR", 2025, 1, 1, 1250000},
    {"the last row holds for ever", "EUR", 9999, 1, 1, 1250000},
    {"a dollar is a dollar", "USD", 2024, 1, 1, 1000000},
    {"an unknown currency has none", "GBP", 2024, 1, 1, 0},
};

EACH_CASE(rates, the_latest_on_or_before_the_day_counts, find_cases)
{
    size_t i = *case_index;
    int64_t rate_ppm = 0;
    bool found;

    begin();
    found = rates_find(rates, rates_currency(rates, str_from(find_cases[i].currency)),
                       date_from_civil(find_cases[i].year, find_cases[i].month, find_cases[i].day),
                       &rate_ppm);
    cr_expect_eq(found, find_cases[i].rate_ppm != 0, "%s", find_cases[i].says);
    cr_expect_eq(rate_ppm, find_cases[i].rate_ppm, "%s", find_cases[i].says);
    end();
}

Test(rates, currencies_are_numbered_by_code, .init = begin, .fini = end)
{
    cr_expect_eq(rates_currency(rates, STR_LIT("EUR")), 0);
    cr_expect_eq(rates_currency(rates, STR_LIT("USD")), 1);
    cr_expect_eq(rates_currency(rates, STR_LIT("eur")), -1);
    cr_expect(str_is(rates_currency_code(rates, 1), "USD"));
    cr_expect_eq(rates_currency_code(rates, 2).len, 0);
    cr_expect_eq(rates_currency_code(rates, -1).len, 0);
}

static const struct {
    int64_t amount, rate_ppm, usd;
} usd_cases[] = {
    {0, 1100000, 0},
    {100, 1100000, 110},
    {1, 999999, 0},  /* rounds down */
    {3, 1500000, 4}, /* 4.5 */
    {MONEY_AMOUNT_MAX, 1000000000, INT64_C(1000000000000000)},
    {MONEY_AMOUNT_MAX, 1, 1000000},
};

EACH_CASE(rates, amounts_become_whole_dollars_rounded_down, usd_cases)
{
    cr_expect_eq(rates_to_usd(usd_cases[*case_index].amount, usd_cases[*case_index].rate_ppm),
                 usd_cases[*case_index].usd);
}

static const struct {
    const char *text, *message;
} bad_cases[] = {
    {"currency,rate_ppm\n", "rates has no column \"date\"; its first line must name it"},
    {"currency,date\n", "rates has no column \"rate_ppm\"; its first line must name it"},
    {"rate_ppm,date\n", "rates has no column \"currency\"; its first line must name it"},
    {"currency,rate_ppm,date\neur,1,2024-01-01\n",
     "line 2 of rates: \"eur\" is no currency; write three capitals such as EUR"},
    {"currency,rate_ppm,date\nEUR,0,2024-01-01\n",
     "line 2 of rates: rate_ppm is \"0\"; write a whole number from 1 to 1000000000"},
    {"currency,rate_ppm,date\nEUR,1000000001,2024-01-01\n",
     "line 2 of rates: rate_ppm is \"1000000001\"; write a whole number from 1 to 1000000000"},
    {"currency,rate_ppm,date\nEUR,1.1,2024-01-01\n",
     "line 2 of rates: rate_ppm is \"1.1\"; write a whole number from 1 to 1000000000"},
    {"currency,rate_ppm,date\nEUR,1,2024\n",
     "line 2 of rates: \"2024\" is no date of the form YYYY-MM-DD"},
    {"currency,rate_ppm,date\nEUR,1,2024-01-01\nUSD,1,2024-01-01\nEUR,2,2024-01-01\n",
     "line 4 of rates: line 2 gives EUR a rate on that date already; take one out"},
};

EACH_CASE(rates, refuse_a_bad_file_by_line, bad_cases)
{
    struct err err = {.code = ERR_OK};
    struct rates *none = NULL;

    cr_expect_eq(rates_parse(str_from(bad_cases[*case_index].text), &none, &err),
                 ERR_INVALID_PARAMS);
    cr_expect_str_eq(err.message, bad_cases[*case_index].message);
    cr_expect_null(none);
}

Test(rates, survive_the_failure_of_each_allocation)
{
    bool happened = true;

    for (long n = 1; happened; n++) {
        struct err err = {.code = ERR_OK};
        enum err_code code;

        rates = NULL;
        mem_fail_at(n);
        code = rates_parse(str_from(sample_texts[REFERENCE_RATES]), &rates, &err);
        happened = mem_fail_happened();
        cr_assert(code == ERR_OK || (happened && code == ERR_BUSY), "%ld: %s", n, err.message);
        cr_assert_eq(rates == NULL, code != ERR_OK);
        cr_assert(rates == NULL || rates_currency(rates, STR_LIT("USD")) == 1);
        rates_destroy(rates);
    }
}
