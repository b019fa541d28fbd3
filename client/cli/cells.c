#include "cells.h"

#include "date.h"
#include "fold.h"
#include "schema.h"

#include <ctype.h>
#include <inttypes.h>
#include <string.h>

enum { SHOWN_MAX = 60, DIGITS_MAX = 18 };

static struct str
shown(struct str s)
{
    if (s.len > SHOWN_MAX) {
        s.len = SHOWN_MAX;
        while (s.len > 0 && ((unsigned char)s.data[s.len] & 0xc0) == 0x80)
            s.len--;
    }
    return s;
}

/* U+00A0, U+202F, U+2009, U+2007 in UTF-8. */
static size_t
special_space(struct str s, size_t at)
{
    static const char *const forms[] = {"\xc2\xa0", "\xe2\x80\xaf", "\xe2\x80\x89", "\xe2\x80\x87"};

    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
        size_t n = strlen(forms[i]);

        if (s.len - at >= n && memcmp(s.data + at, forms[i], n) == 0)
            return n;
    }
    return 0;
}

struct str
cell_plain(struct str cell, struct arena *arena)
{
    char *out = arena_alloc(arena, cell.len + 1, 1);
    size_t n = 0;

    if (out == NULL)
        return cell;
    for (size_t at = 0; at < cell.len;) {
        size_t space = special_space(cell, at);

        if (space > 0) {
            out[n++] = ' ';
            at += space;
        } else {
            out[n++] = cell.data[at] == '\t' ? ' ' : cell.data[at];
            at++;
        }
    }
    return str_trim((struct str){out, n});
}

/* ---- numbers ---- */

/* A number with at most one fraction: whole * 10^scale. */
struct decimal {
    int64_t digits;
    int scale; /* digits behind the mark */
};

static bool
is_mark(char c)
{
    return c == '.' || c == ',';
}

/* Which of the marks in text is the decimal one; -1 none; -2 cannot be told. */
static int
find_decimal(struct str text, enum decimal_mark decimal)
{
    size_t n_points = 0, n_commas = 0, last = 0;

    for (size_t i = 0; i < text.len; i++) {
        n_points += text.data[i] == '.';
        n_commas += text.data[i] == ',';
        if (is_mark(text.data[i]))
            last = i;
    }
    if (n_points + n_commas == 0)
        return -1;
    if (decimal != DECIMAL_UNKNOWN) {
        char mark = decimal == DECIMAL_COMMA ? ',' : '.';
        size_t at = str_find(text, mark, 0);

        return at < text.len ? (int)at : -1;
    }
    if (n_points > 0 && n_commas > 0)
        return (int)last; /* 1.500,25 and 1,500.25 tell themselves */
    if (n_points + n_commas > 1)
        return -1; /* 1.500.000 */
    return text.len - last - 1 == 3 ? -2 : (int)last;
}

static enum err_code
unclear(struct str cell, struct err *err)
{
    return err_set(
        err, ERR_INVALID_PARAMS,
        "\"%.*s\" can be read in two ways; say in the mapping whether the decimal mark is "
        "comma or point",
        STR_ARG(shown(cell)));
}

static enum err_code
no_number(struct str cell, struct err *err)
{
    return err_set(err, ERR_INVALID_PARAMS, "\"%.*s\" is no number", STR_ARG(shown(cell)));
}

/* text: digits, spaces and marks only. */
static enum err_code
parse_decimal(struct str text, struct str cell, enum decimal_mark mark, struct decimal *out,
              struct err *err)
{
    int decimal = find_decimal(text, mark), n_digits = 0;

    if (decimal == -2)
        return unclear(cell, err);
    *out = (struct decimal){0, 0};
    for (size_t i = 0; i < text.len; i++) {
        char c = text.data[i];

        if (isdigit((unsigned char)c)) {
            if (++n_digits > DIGITS_MAX)
                return err_set(err, ERR_INVALID_PARAMS, "\"%.*s\" has too many digits",
                               STR_ARG(shown(cell)));
            out->digits = out->digits * 10 + (c - '0');
            out->scale += decimal >= 0 && (int)i > decimal;
        } else if (c != ' ' && c != '\'' && !is_mark(c)) {
            return no_number(cell, err);
        }
    }
    return n_digits > 0 ? ERR_OK : no_number(cell, err);
}

static enum err_code
scaled(const struct decimal *decimal, int64_t factor, struct str cell, int64_t *out,
       struct err *err)
{
    int64_t divisor = 1, product;

    for (int i = 0; i < decimal->scale; i++)
        divisor *= 10;
    if (__builtin_mul_overflow(decimal->digits, factor, &product))
        return err_set(err, ERR_INVALID_PARAMS, "\"%.*s\" is too large", STR_ARG(shown(cell)));
    if (product % divisor != 0)
        return err_set(err, ERR_INVALID_PARAMS, "\"%.*s\" is no whole number",
                       STR_ARG(shown(cell)));
    *out = product / divisor;
    return ERR_OK;
}

enum err_code
cell_number(struct str cell, enum decimal_mark decimal, int64_t *out, struct err *err)
{
    struct str text = str_trim(cell);
    struct decimal number;
    enum err_code code = parse_decimal(text, cell, decimal, &number, err);

    return code == ERR_OK ? scaled(&number, 1, cell, out, err) : code;
}

/* ---- money ---- */

/* The currency that words or signs around the digits name; empty if none does, *ok false if they say
 * something else. */
static struct str
currency_of(struct str word, const struct reference *reference, struct arena *arena, bool *ok)
{
    const struct vocabulary *currencies = reference->vocabularies[VOCABULARY_CURRENCIES];
    int n = (int)vocabulary_size(currencies);
    int row;

    *ok = true;
    if (word.len == 0)
        return word;
    for (row = 0; row < n; row++) {
        struct str signs = vocabulary_cell(currencies, row, "symbols");

        for (size_t at = 0; at < signs.len;) {
            size_t end = str_find(signs, ';', at);

            if (str_equal(str_trim((struct str){signs.data + at, end - at}), word))
                return vocabulary_code(currencies, row);
            at = end + 1;
        }
    }
    row = vocabulary_recognise(currencies, word);
    *ok = row != VOCABULARY_NONE;
    (void)arena;
    return *ok ? vocabulary_code(currencies, row) : word;
}

/* A multiple before the currency: k, M, Md, mille, million(s), milliard(s), bn. */
static int64_t
take_multiple(struct str *word)
{
    static const struct {
        const char *text;
        int64_t factor;
    } multiples[] = {
        {"milliards", 1000000000},
        {"milliard", 1000000000},
        {"billion", 1000000000},
        {"millions", 1000000},
        {"million", 1000000},
        {"mille", 1000},
        {"thousand", 1000},
        {"Md", 1000000000},
        {"Mds", 1000000000},
        {"bn", 1000000000},
        {"MM", 1000000},
        {"Mio", 1000000},
        {"M", 1000000},
        {"m", 1000000},
        {"k", 1000},
        {"K", 1000},
    };

    for (size_t i = 0; i < sizeof multiples / sizeof multiples[0]; i++) {
        size_t n = strlen(multiples[i].text);
        bool ends =
            word->len == n ||
            (word->len > n && (word->data[n] == ' ' || (word->data[n] & 0x80) != 0 ||
                               word->data[n] == '$' || isupper((unsigned char)word->data[n])));

        if (word->len >= n && memcmp(word->data, multiples[i].text, n) == 0 && ends) {
            /* an upper-case code such as MXN begins with no multiple */
            if (word->len == 3 && isupper((unsigned char)word->data[0]) &&
                isupper((unsigned char)word->data[1]) && isupper((unsigned char)word->data[2]))
                return 1;
            *word = str_trim((struct str){word->data + n, word->len - n});
            return multiples[i].factor;
        }
    }
    return 1;
}

static bool
is_number_char(char c)
{
    return isdigit((unsigned char)c) || is_mark(c) || c == ' ' || c == '\'';
}

/* One amount: [currency] digits [multiple] [currency]. */
static enum err_code
parse_amount(struct str text, struct str cell, enum decimal_mark mark,
             const struct reference *reference, struct arena *arena, int64_t *amount,
             int64_t *multiple, struct str *currency, struct err *err)
{
    size_t start = 0, end;
    struct decimal number;
    struct str before, after;
    bool ok_before, ok_after;
    enum err_code code;

    while (start < text.len && !isdigit((unsigned char)text.data[start]))
        start++;
    end = start;
    while (end < text.len && is_number_char(text.data[end]))
        end++;
    before = str_trim((struct str){text.data, start});
    after = str_trim((struct str){text.data + end, text.len - end});
    code = parse_decimal(str_trim((struct str){text.data + start, end - start}), cell, mark,
                         &number, err);
    if (code != ERR_OK)
        return code;
    *multiple = take_multiple(&after);
    before = currency_of(before, reference, arena, &ok_before);
    after = currency_of(after, reference, arena, &ok_after);
    if (!ok_before || !ok_after || (before.len > 0 && after.len > 0 && !str_equal(before, after)))
        return err_set(err, ERR_INVALID_PARAMS, "\"%.*s\" is no amount; write it as 1 500 000 EUR",
                       STR_ARG(shown(cell)));
    *currency = before.len > 0 ? before : after;
    return scaled(&number, *multiple, cell, amount, err);
}

/* Where a range is parted: " à ", " to ", "–", "—", or a hyphen between two digits or signs. */
static bool
part_range(struct str text, struct str *low, struct str *high)
{
    static const char *const marks[] = {" à ", " to ", "–", "—", " - ", "-"};

    for (size_t i = 0; i < sizeof marks / sizeof marks[0]; i++) {
        const char *at = memmem(text.data, text.len, marks[i], strlen(marks[i]));

        if (at == NULL || at == text.data)
            continue;
        *low = str_trim((struct str){text.data, (size_t)(at - text.data)});
        *high = (struct str){at + strlen(marks[i]),
                             text.len - (size_t)(at - text.data) - strlen(marks[i])};
        *high = str_trim(*high);
        return low->len > 0 && high->len > 0;
    }
    return false;
}

enum err_code
cell_money(struct str cell, enum decimal_mark decimal, struct str preset,
           const struct reference *reference, struct arena *arena, struct cell_money *out,
           struct err *err)
{
    struct str text = cell_plain(cell, arena), low, high, low_currency, high_currency;
    int64_t low_multiple, high_multiple;
    enum err_code code;

    if (!part_range(text, &low, &high))
        low = high = text;
    code = parse_amount(high, cell, decimal, reference, arena, &out->max, &high_multiple,
                        &high_currency, err);
    if (code == ERR_OK)
        code = parse_amount(low, cell, decimal, reference, arena, &out->min, &low_multiple,
                            &low_currency, err);
    if (code != ERR_OK)
        return code;
    if (low.data != high.data && low_multiple == 1 && high_multiple > 1)
        out->min *= high_multiple; /* 1 à 3 M€ */
    out->currency = high_currency.len > 0  ? high_currency
                    : low_currency.len > 0 ? low_currency
                                           : preset;
    if (out->currency.len == 0)
        return err_set(err, ERR_INVALID_PARAMS,
                       "\"%.*s\" names no currency; write 1 500 000 EUR, or say the column's "
                       "currency in the mapping",
                       STR_ARG(shown(cell)));
    if (out->min > out->max)
        return err_set(err, ERR_INVALID_PARAMS, "\"%.*s\" begins above its end",
                       STR_ARG(shown(cell)));
    return ERR_OK;
}

/* ---- dates ---- */

static int
take_parts(struct str text, int parts[3], size_t widths[3])
{
    int n = 0;
    size_t at = 0;

    while (at < text.len) {
        size_t start = at;
        int value = 0;

        while (at < text.len && isdigit((unsigned char)text.data[at]) && at - start < 5)
            value = value * 10 + (text.data[at++] - '0');
        if (at == start || n == 3)
            return -1;
        parts[n] = value;
        widths[n++] = at - start;
        if (at < text.len && strchr("/.-", text.data[at]) == NULL)
            return -1;
        at += at < text.len;
        if (at == text.len && n > 0 && strchr("/.-", text.data[at - 1]) != NULL)
            return -1;
    }
    return n;
}

static enum err_code
no_date(struct str cell, struct err *err)
{
    return err_set(err, ERR_INVALID_PARAMS,
                   "\"%.*s\" is no date; write 2025-12-31, 31/12/2025, 12/2025 or 2025",
                   STR_ARG(shown(cell)));
}

enum err_code
cell_date(struct str cell, enum date_order order, struct arena *arena, struct str *out,
          struct err *err)
{
    struct str text = cell_plain(cell, arena);
    enum date_precision precision;
    size_t widths[3] = {0};
    int parts[3], day, month;
    int32_t days;
    int n;

    if (text.len > 10 && (text.data[10] == ' ' || text.data[10] == 'T'))
        text.len = 10; /* a time of day behind the date */
    n = take_parts(text, parts, widths);
    if (n == 1 && widths[0] == 4)
        *out = arena_format(arena, "%04d", parts[0]);
    else if (n == 2 && widths[0] == 4)
        *out = arena_format(arena, "%04d-%02d", parts[0], parts[1]);
    else if (n == 2 && widths[1] == 4)
        *out = arena_format(arena, "%04d-%02d", parts[1], parts[0]);
    else if (n == 3 && widths[0] == 4)
        *out = arena_format(arena, "%04d-%02d-%02d", parts[0], parts[1], parts[2]);
    else if (n == 3 && widths[2] == 4) {
        bool day_first = parts[0] > 12, month_first = parts[1] > 12;

        if (!day_first && !month_first && parts[0] != parts[1]) {
            if (order != DATE_ORDER_DMY && order != DATE_ORDER_MDY)
                return err_set(
                    err, ERR_INVALID_PARAMS,
                    "\"%.*s\" can be read in two ways; say date_order in the mapping, or "
                    "write 2025-12-31",
                    STR_ARG(shown(cell)));
            day_first = order == DATE_ORDER_DMY;
        } else if (!day_first && !month_first) {
            day_first = true; /* 05/05: the same either way */
        } else if ((order == DATE_ORDER_DMY && month_first) ||
                   (order == DATE_ORDER_MDY && day_first)) {
            return err_set(err, ERR_INVALID_PARAMS,
                           "\"%.*s\" does not follow the column's order of day and month",
                           STR_ARG(shown(cell)));
        }
        day = day_first ? parts[0] : parts[1];
        month = day_first ? parts[1] : parts[0];
        *out = arena_format(arena, "%04d-%02d-%02d", parts[2], month, day);
    } else {
        return no_date(cell, err);
    }
    if (out->data == NULL)
        return err_no_memory(err);
    return date_parse(*out, DATE_YEAR, &days, &precision, NULL) == ERR_OK ? ERR_OK
                                                                          : no_date(cell, err);
}

/* ---- others ---- */

enum err_code
cell_bool(struct str cell, bool *out, struct err *err)
{
    static const char *const yes[] = {"oui", "yes", "vrai", "true", "x", "1", "o", "y"};
    static const char *const no[] = {"non", "no", "faux", "false", "0", "n"};

    for (size_t i = 0; i < sizeof yes / sizeof yes[0]; i++)
        if (cell.len == strlen(yes[i]) && strncasecmp(cell.data, yes[i], cell.len) == 0) {
            *out = true;
            return ERR_OK;
        }
    for (size_t i = 0; i < sizeof no / sizeof no[0]; i++)
        if (cell.len == strlen(no[i]) && strncasecmp(cell.data, no[i], cell.len) == 0) {
            *out = false;
            return ERR_OK;
        }
    return err_set(err, ERR_INVALID_PARAMS, "\"%.*s\" is neither yes nor no", STR_ARG(shown(cell)));
}

enum err_code
cell_slug(struct str cell, struct str prefix, struct arena *arena, struct str *out, struct err *err)
{
    struct str folded;
    char *id;
    size_t n = 0;
    enum err_code code = fold_text(cell, arena, &folded, err);

    if (code != ERR_OK)
        return code;
    id = arena_alloc(arena, prefix.len + folded.len + 1, 1);
    if (id == NULL)
        return err_no_memory(err);
    if (prefix.len > 0)
        memcpy(id, prefix.data, prefix.len);
    n = prefix.len;
    for (size_t i = 0; i < folded.len && n < ID_CHARS_MAX; i++) {
        char c = folded.data[i];

        if (isdigit((unsigned char)c) || (c >= 'a' && c <= 'z'))
            id[n++] = c;
        else if (n > prefix.len && id[n - 1] != '-')
            id[n++] = '-';
    }
    while (n > prefix.len && id[n - 1] == '-')
        n--;
    *out = (struct str){id, n > prefix.len ? n : 0};
    if (out->len == 0 || !id_is_valid(*out))
        return err_set(err, ERR_INVALID_PARAMS,
                       "\"%.*s\" gives no id; name an id column in the mapping",
                       STR_ARG(shown(cell)));
    return ERR_OK;
}
