#include "wording.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LIST_SHOWN_MAX = 12 };

struct str
wording_message(const struct wording *wording, const char *key,
                const struct catalogue_argument *arguments)
{
    static const struct catalogue_argument none[] = {{NULL, {NULL, 0}}};

    return catalogue_format(wording->reference->catalogue, key, wording->lang,
                            arguments != NULL ? arguments : none, wording->arena);
}

/* ---- lists ---- */

static struct str
join(const struct wording *wording, const char *pattern, struct str a, struct str b)
{
    const struct catalogue_argument arguments[] = {{"a", a}, {"b", b}, {NULL, {NULL, 0}}};

    return wording_message(wording, pattern, arguments);
}

struct str
wording_list(const struct wording *wording, const struct str *items, size_t n)
{
    struct str list = n > 0 ? items[0] : STR_LIT("");

    for (size_t i = 1; i < n; i++)
        list = join(wording, i + 1 == n ? "list.last" : "list.pair", list, items[i]);
    return list;
}

/* ---- numbers ---- */

struct str
wording_number(const struct wording *wording, int64_t number)
{
    uint64_t rest = number < 0 ? 0 - (uint64_t)number : (uint64_t)number;
    struct str text = {NULL, 0};

    while (rest >= 1000) { /* groups of three, from the right */
        struct str group = arena_format(wording->arena, "%03" PRIu64, rest % 1000);

        text = text.len == 0 ? group : join(wording, "number.group", group, text);
        rest /= 1000;
    }
    struct str head = arena_format(wording->arena, "%s%" PRIu64, number < 0 ? "-" : "", rest);
    return text.len == 0 ? head : join(wording, "number.group", head, text);
}

/* ---- dates ---- */

struct str
wording_date(const struct wording *wording, int32_t day)
{
    struct arena *arena = wording->arena;
    char key[24];
    int y, m, d;

    date_to_civil(day, &y, &m, &d);
    snprintf(key, sizeof key, "date.month.%d", m);
    const struct catalogue_argument arguments[] = {
        {"d", arena_format(arena, "%d", d)},
        {"dd", arena_format(arena, "%02d", d)},
        {"mm", arena_format(arena, "%02d", m)},
        {"month", catalogue_text(wording->reference->catalogue, key, wording->lang)},
        {"yyyy", arena_format(arena, "%04d", y)},
        {NULL, {NULL, 0}},
    };
    return wording_message(wording, "date.pattern", arguments);
}

struct str
wording_period(const struct wording *wording, int32_t from, int32_t to)
{
    bool has_from = from != DATE_OPEN_FROM, has_to = to != DATE_OPEN_TO;
    const struct catalogue_argument arguments[] = {
        {"from", has_from ? wording_date(wording, from) : STR_LIT("")},
        {"to", has_to ? wording_date(wording, to) : STR_LIT("")},
        {NULL, {NULL, 0}},
    };

    return wording_message(wording,
                           has_from && has_to ? "date.range"
                           : has_from         ? "date.from"
                                              : "date.until",
                           arguments);
}

/* ---- money ---- */

/* The first of the currency's symbols; its code where it has none. */
static struct str
sign_of(const struct wording *wording, struct str code)
{
    const struct vocabulary *currencies = wording->reference->vocabularies[VOCABULARY_CURRENCIES];
    int row = vocabulary_find(currencies, code);
    struct str symbols;

    if (row == VOCABULARY_NONE)
        return code;
    symbols = vocabulary_cell(currencies, row, "symbols");
    symbols.len = str_find(symbols, ';', 0);
    symbols = str_trim(symbols);
    return symbols.len > 0 ? symbols : code;
}

static struct str
amount(const struct wording *wording, int64_t units, struct str sign)
{
    const struct catalogue_argument arguments[] = {
        {"amount", wording_number(wording, units)}, {"symbol", sign}, {NULL, {NULL, 0}}};
    bool is_code = sign.len == 3 && sign.data[0] >= 'A' && sign.data[0] <= 'Z';

    return wording_message(wording, is_code ? "money.after" : "money.before", arguments);
}

struct str
wording_money(const struct wording *wording, const struct slot_money *money)
{
    struct str code = money->currency >= 0
                          ? rates_currency_code(wording->reference->rates, money->currency)
                          : STR_LIT("");
    struct str sign = sign_of(wording, code);
    const struct catalogue_argument arguments[] = {
        {"min", amount(wording, money->min, sign)},
        {"max", amount(wording, money->max, sign)},
        {NULL, {NULL, 0}},
    };

    if (money->min == money->max)
        return arguments[0].value;
    return wording_message(wording, "money.range", arguments);
}

/* ---- codes ---- */

struct str
wording_code(const struct wording *wording, const struct field *field, symbol code)
{
    struct str text = match_symbol_text(wording->plan, code);
    const int ids[] = {field->vocabulary, field->vocabulary_too};

    for (size_t i = 0; i < sizeof ids / sizeof ids[0]; i++) {
        const struct vocabulary *vocabulary =
            ids[i] >= 0 ? wording->reference->vocabularies[ids[i]] : NULL;
        int row = vocabulary != NULL ? vocabulary_find(vocabulary, text) : VOCABULARY_NONE;

        if (row != VOCABULARY_NONE)
            return vocabulary_label(vocabulary, row, wording->lang);
    }
    return text;
}

struct placed { /* a code with its place: in the vocabulary, else behind all of it, by text */
    int row;
    struct str code, label;
};

static int
placed_compare(const void *a, const void *b)
{
    const struct placed *x = a, *y = b;

    if (x->row != y->row)
        return x->row < y->row ? -1 : 1;
    return str_compare(x->code, y->code);
}

struct str
wording_codes(const struct wording *wording, const struct field *field, const symbol *codes,
              size_t n)
{
    struct placed *list = arena_alloc(wording->arena, n, sizeof *list);
    struct str *items = arena_alloc(wording->arena, n, sizeof *items);
    size_t n_shown = n < LIST_SHOWN_MAX ? n : LIST_SHOWN_MAX;

    if (list == NULL || items == NULL)
        return (struct str){NULL, 0};
    for (size_t i = 0; i < n; i++) {
        struct str text = match_symbol_text(wording->plan, codes[i]);
        int row = field->vocabulary >= 0
                      ? vocabulary_find(wording->reference->vocabularies[field->vocabulary], text)
                      : VOCABULARY_NONE;

        list[i] = (struct placed){row != VOCABULARY_NONE ? row : VOCABULARY_ROWS_MAX, text,
                                  wording_code(wording, field, codes[i])};
    }
    if (n > 1)
        qsort(list, n, sizeof *list, placed_compare);
    for (size_t i = 0; i < n_shown; i++)
        items[i] = list[i].label;
    if (n_shown < n) /* the rest as a number: a sentence is to be read aloud */
        items[n_shown - 1] = arena_format(wording->arena, "+ %zu", n - n_shown + 1);
    return wording_list(wording, items, n_shown);
}

struct str
wording_slot(const struct wording *wording, const struct field *field, const struct slot *slot)
{
    if (slot->state == SLOT_MISSING)
        return STR_LIT("");
    switch (field->slot) {
    case SLOT_CODES:
        return wording_codes(wording, field, slot->codes.codes, slot->codes.n);
    case SLOT_MONEY:
        return wording_money(wording, &slot->money);
    case SLOT_NUMBER:
        return wording_number(wording, slot->number);
    case SLOT_DAY:
        return wording_date(wording, (int32_t)slot->number);
    case SLOT_PERIOD:
        return wording_period(wording, slot->period.from, slot->period.to);
    case SLOT_TEXT:
    case SLOT_NONE:
        return STR_LIT("");
    }
    return STR_LIT("");
}
