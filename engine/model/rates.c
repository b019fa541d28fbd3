#include "rates.h"

#include "alloc.h"
#include "date.h"
#include "quote.h"
#include "sheet.h"

#include <assert.h>
#include <stdlib.h>

/*
 * Rows in order of currency, then day; a currency is the run of its rows. Currencies are numbered in
 * the order of their codes, so that one table always gives the same numbers.
 */
enum { RATES_ROWS_MAX = 200000, RATE_PPM_MAX = 1000000000 };

struct rate {
    struct str code;
    int32_t day;
    int64_t rate_ppm;
    size_t line;
};

struct currency {
    struct str code;
    size_t first, n; /* its rows in rates */
};

struct rates {
    struct sheet sheet;
    struct rate *rows;
    struct currency *currencies;
    size_t n_currencies;
};

static bool
is_currency_code(struct str code)
{
    if (code.len != 3)
        return false;
    for (size_t i = 0; i < code.len; i++)
        if (code.data[i] < 'A' || code.data[i] > 'Z')
            return false;
    return true;
}

static int
compare_rates(const void *a, const void *b)
{
    const struct rate *x = a, *y = b;
    int order = str_compare(x->code, y->code);

    if (order == 0)
        order = (x->day > y->day) - (x->day < y->day);
    return order != 0 ? order : (x->line > y->line) - (x->line < y->line);
}

struct rate_columns {
    int currency, rate_ppm, date;
};

static enum err_code
read_row(const struct sheet *sheet, size_t row, const struct rate_columns *columns,
         struct rate *rate, struct err *err)
{
    struct err why = {.code = ERR_OK};
    enum err_code code;

    rate->line = sheet_line(sheet, row);
    rate->code = sheet_cell(sheet, row, columns->currency);
    if (!is_currency_code(rate->code))
        return err_set(err, ERR_INVALID_PARAMS,
                       "line %zu of %s: %s is no currency; write three capitals such as EUR",
                       rate->line, sheet->name, quote(rate->code).text);
    code = sheet_number(sheet, row, columns->rate_ppm, 1, RATE_PPM_MAX, &rate->rate_ppm, err);
    if (code != ERR_OK)
        return code;
    if (date_parse(sheet_cell(sheet, row, columns->date), DATE_DAY, &rate->day, NULL, &why) !=
        ERR_OK)
        return err_set(err, ERR_INVALID_PARAMS, "line %zu of %s: %s", rate->line, sheet->name,
                       why.message);
    return ERR_OK;
}

static enum err_code
group_rows(struct rates *rates, struct err *err)
{
    for (size_t i = 0; i < rates->sheet.n_rows; i++) {
        const struct rate *rate = &rates->rows[i];
        bool is_same = i > 0 && str_equal(rate[-1].code, rate->code);

        if (is_same && rate[-1].day == rate->day)
            return err_set(err, ERR_INVALID_PARAMS,
                           "line %zu of %s: line %zu gives %.*s a rate on that date already; take "
                           "one out",
                           rate->line, rates->sheet.name, rate[-1].line, STR_ARG(rate->code));
        if (!is_same)
            rates->currencies[rates->n_currencies++] = (struct currency){rate->code, i, 0};
        rates->currencies[rates->n_currencies - 1].n++;
    }
    return ERR_OK;
}

static enum err_code
build(struct rates *rates, struct err *err)
{
    const struct sheet *sheet = &rates->sheet;
    struct rate_columns columns;
    enum err_code code = sheet_need_column(sheet, "currency", &columns.currency, err);

    if (code == ERR_OK)
        code = sheet_need_column(sheet, "rate_ppm", &columns.rate_ppm, err);
    if (code == ERR_OK)
        code = sheet_need_column(sheet, "date", &columns.date, err);
    if (code != ERR_OK)
        return code;
    rates->rows = arena_alloc(sheet->arena, sheet->n_rows, sizeof *rates->rows);
    rates->currencies = arena_alloc(sheet->arena, sheet->n_rows, sizeof *rates->currencies);
    if (rates->rows == NULL || rates->currencies == NULL)
        return err_no_memory(err);
    for (size_t i = 0; code == ERR_OK && i < sheet->n_rows; i++)
        code = read_row(sheet, i, &columns, &rates->rows[i], err);
    if (code != ERR_OK)
        return code;
    qsort(rates->rows, sheet->n_rows, sizeof *rates->rows, compare_rates);
    return group_rows(rates, err);
}

enum err_code
rates_parse(struct str bytes, struct rates **out, struct err *err)
{
    struct rates *rates = mem_alloc_zeroed(1, sizeof *rates);
    enum err_code code;

    if (rates == NULL)
        return err_no_memory(err);
    code = sheet_open("rates", bytes, RATES_ROWS_MAX, &rates->sheet, err);
    if (code == ERR_OK)
        code = build(rates, err);
    if (code != ERR_OK) {
        rates_destroy(rates);
        return code;
    }
    *out = rates;
    return ERR_OK;
}

void
rates_destroy(struct rates *rates)
{
    if (rates == NULL)
        return;
    sheet_close(&rates->sheet);
    mem_free(rates);
}

int
rates_currency(const struct rates *rates, struct str code)
{
    size_t low = 0, high = rates->n_currencies;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = str_compare(code, rates->currencies[middle].code);

        if (order == 0)
            return (int)middle;
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return -1;
}

struct str
rates_currency_code(const struct rates *rates, int currency)
{
    if (currency < 0 || (size_t)currency >= rates->n_currencies)
        return (struct str){NULL, 0};
    return rates->currencies[currency].code;
}

bool
rates_find(const struct rates *rates, int currency, int32_t day, int64_t *rate_ppm)
{
    const struct rate *rows;
    size_t low = 0, high;

    if (currency < 0 || (size_t)currency >= rates->n_currencies)
        return false;
    rows = rates->rows + rates->currencies[currency].first;
    high = rates->currencies[currency].n;
    while (low < high) { /* how many are dated on or before day */
        size_t middle = low + (high - low) / 2;

        if (rows[middle].day <= day)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == 0)
        return false;
    *rate_ppm = rows[low - 1].rate_ppm;
    return true;
}

int64_t
rates_to_usd(int64_t amount, int64_t rate_ppm)
{
    assert(amount >= 0 && amount <= MONEY_AMOUNT_MAX);
    assert(rate_ppm >= 0 && rate_ppm <= RATE_PPM_MAX);
    return (int64_t)((unsigned __int128)amount * (uint64_t)rate_ppm / 1000000); /* <= 10^15 */
}
