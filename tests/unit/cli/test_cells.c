#include "cases.h"
#include "cells.h"
#include "reference.h"
#include "share.h"

#include <string.h>

/* ---- dates ---- */

static const struct {
    const char *cell;
    enum date_order order;
    const char *date; /* NULL: refused */
} dates[] = {
    {"31/12/2025", DATE_ORDER_UNKNOWN, "2025-12-31"},
    {"12/31/2025", DATE_ORDER_UNKNOWN, "2025-12-31"},
    {"03/04/2025", DATE_ORDER_UNKNOWN, NULL},
    {"03/04/2025", DATE_ORDER_DMY, "2025-04-03"},
    {"03/04/2025", DATE_ORDER_MDY, "2025-03-04"},
    {"05/05/2025", DATE_ORDER_UNKNOWN, "2025-05-05"},
    {"31/12/2025", DATE_ORDER_MDY, NULL},
    {"12/31/2025", DATE_ORDER_DMY, NULL},
    {"31.12.2025", DATE_ORDER_DMY, "2025-12-31"},
    {"2025-12-31", DATE_ORDER_UNKNOWN, "2025-12-31"},
    {"2025-12-31 00:00:00", DATE_ORDER_UNKNOWN, "2025-12-31"},
    {"2025-12", DATE_ORDER_UNKNOWN, "2025-12"},
    {"12/2025", DATE_ORDER_UNKNOWN, "2025-12"},
    {"2025", DATE_ORDER_UNKNOWN, "2025"},
    {"31/02/2024", DATE_ORDER_DMY, NULL},
    {"29/02/2024", DATE_ORDER_DMY, "2024-02-29"},
    {"13/2025", DATE_ORDER_UNKNOWN, NULL},
    {"25", DATE_ORDER_UNKNOWN, NULL},
    {"1/1/25", DATE_ORDER_DMY, NULL},
    {"soon", DATE_ORDER_DMY, NULL},
    {"2025-", DATE_ORDER_DMY, NULL},
};

CASES(cells, a_date_is_read_or_refused_never_guessed, dates)
{
    struct arena *arena = arena_create(65536);
    struct err err = {0};
    struct str out;
    enum err_code code = cell_date(str_from(dates[*i].cell), dates[*i].order, arena, &out, &err);

    cr_expect_eq(code == ERR_OK, dates[*i].date != NULL, "%s: %s", dates[*i].cell, err.message);
    if (code == ERR_OK && dates[*i].date != NULL)
        cr_expect(str_is(out, dates[*i].date), "%s gives %.*s", dates[*i].cell, STR_ARG(out));
    arena_destroy(arena);
}

/* ---- money ---- */

static const struct {
    const char *cell;
    enum decimal_mark decimal;
    const char *preset;
    int64_t min, max; /* -1: refused */
    const char *currency;
} amounts[] = {
    {"1 500 000 €", DECIMAL_COMMA, "", 1500000, 1500000, "EUR"},
    {"1\xc2\xa0"
     "500\xc2\xa0"
     "000\xc2\xa0€",
     DECIMAL_COMMA, "", 1500000, 1500000, "EUR"},
    {"1\xe2\x80\xaf"
     "500\xe2\x80\xaf"
     "000 €",
     DECIMAL_COMMA, "", 1500000, 1500000, "EUR"},
    {"1,5 M€", DECIMAL_COMMA, "", 1500000, 1500000, "EUR"},
    {"1.5M$", DECIMAL_POINT, "", 1500000, 1500000, "USD"},
    {"500 k€", DECIMAL_UNKNOWN, "", 500000, 500000, "EUR"},
    {"$2M", DECIMAL_UNKNOWN, "", 2000000, 2000000, "USD"},
    {"1.500.000 EUR", DECIMAL_UNKNOWN, "", 1500000, 1500000, "EUR"},
    {"1,500,000.00 USD", DECIMAL_UNKNOWN, "", 1500000, 1500000, "USD"},
    {"500 000 à 1 000 000 €", DECIMAL_COMMA, "", 500000, 1000000, "EUR"},
    {"1 à 3 M€", DECIMAL_COMMA, "", 1000000, 3000000, "EUR"},
    {"250000", DECIMAL_UNKNOWN, "EUR", 250000, 250000, "EUR"},
    {"250000", DECIMAL_UNKNOWN, "", -1, -1, ""},
    {"1.500 €", DECIMAL_UNKNOWN, "", -1, -1, ""},
    {"1.500 €", DECIMAL_COMMA, "", 1500, 1500, "EUR"},
    {"1,555 €", DECIMAL_COMMA, "", -1, -1, ""},
    {"beaucoup", DECIMAL_COMMA, "EUR", -1, -1, ""},
    {"3 M€ à 1 M€", DECIMAL_COMMA, "", -1, -1, ""},
    {"9999999999999999999 €", DECIMAL_COMMA, "", -1, -1, ""},
    {"99999999999 Md€", DECIMAL_COMMA, "", -1, -1, ""},
    {"12 pommes", DECIMAL_COMMA, "EUR", -1, -1, ""},
};

CASES(cells, an_amount_is_read_or_refused_never_guessed, amounts)
{
    struct arena *arena = arena_create(1 << 20);
    struct reference *reference;
    struct cell_money money;
    struct err err = {0};
    enum err_code code;

    cr_assert_eq(share_reference(JML_DATA, &reference, &err), ERR_OK, "%s", err.message);
    code = cell_money(str_from(amounts[*i].cell), amounts[*i].decimal, str_from(amounts[*i].preset),
                      reference, arena, &money, &err);
    cr_expect_eq(code == ERR_OK, amounts[*i].min >= 0, "%s: %s", amounts[*i].cell, err.message);
    if (code == ERR_OK) {
        cr_expect_eq(money.min, amounts[*i].min, "%s", amounts[*i].cell);
        cr_expect_eq(money.max, amounts[*i].max, "%s", amounts[*i].cell);
        cr_expect(str_is(money.currency, amounts[*i].currency), "%s", amounts[*i].cell);
    }
    reference_destroy(reference);
    arena_destroy(arena);
}

/* ---- numbers, truth, names ---- */

static const struct {
    const char *cell;
    enum decimal_mark decimal;
    int64_t number; /* -1: refused */
} numbers[] = {
    {"12", DECIMAL_UNKNOWN, 12},      {" 1 500 ", DECIMAL_UNKNOWN, 1500},
    {"12,0", DECIMAL_COMMA, 12},      {"12,5", DECIMAL_COMMA, -1},
    {"1.234", DECIMAL_UNKNOWN, -1},   {"1.234", DECIMAL_COMMA, 1234},
    {"1'000", DECIMAL_UNKNOWN, 1000}, {"", DECIMAL_UNKNOWN, -1},
    {"-3", DECIMAL_UNKNOWN, -1},      {"1e3", DECIMAL_UNKNOWN, -1},
};

CASES(cells, a_whole_number_is_read_or_refused, numbers)
{
    struct err err = {0};
    int64_t number = -1;
    enum err_code code =
        cell_number(str_from(numbers[*i].cell), numbers[*i].decimal, &number, &err);

    cr_expect_eq(code == ERR_OK, numbers[*i].number >= 0, "%s: %s", numbers[*i].cell, err.message);
    if (code == ERR_OK)
        cr_expect_eq(number, numbers[*i].number, "%s", numbers[*i].cell);
}

Test(cells, yes_and_no_in_both_languages)
{
    struct err err = {0};
    bool flag = false;

    cr_expect(cell_bool(STR_LIT("Oui"), &flag, &err) == ERR_OK && flag);
    cr_expect(cell_bool(STR_LIT("NO"), &flag, &err) == ERR_OK && !flag);
    cr_expect(cell_bool(STR_LIT("x"), &flag, &err) == ERR_OK && flag);
    cr_expect_eq(cell_bool(STR_LIT("peut-être"), &flag, &err), ERR_INVALID_PARAMS);
}

Test(cells, a_name_gives_an_id)
{
    struct arena *arena = arena_create(65536);
    struct err err = {0};
    struct str id;

    cr_assert_eq(cell_slug(STR_LIT("Café Noé (Paris) & Cie"), STR_LIT("fr-"), arena, &id, &err),
                 ERR_OK);
    cr_expect(str_is(id, "fr-cafe-noe-paris-cie"), "%.*s", STR_ARG(id));
    cr_expect_eq(cell_slug(STR_LIT("???"), STR_LIT(""), arena, &id, &err), ERR_INVALID_PARAMS);
    arena_destroy(arena);
}
