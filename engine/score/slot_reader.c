#include "slot_reader.h"

#include "fold.h"

#include <stdlib.h>

enum { FEW_CODES = 16 };

const struct slot slot_missing = {.state = SLOT_MISSING};

enum err_code
slot_refuse(const struct field *field, const char *wanted, struct err *err)
{
    err_set(err, ERR_INVALID_PARAMS, "the value of %s is not %s", field->name, wanted);
    err_at(err, field->name);
    return ERR_INVALID_PARAMS;
}

static int
compare_symbols(const void *a, const void *b)
{
    symbol x = *(const symbol *)a, y = *(const symbol *)b;

    return (x > y) - (x < y);
}

/* Few, as nearly all sets are: qsort took longer to begin. */
static void
sort_few(symbol *codes, uint32_t n)
{
    for (uint32_t i = 1; i < n; i++) {
        symbol moved = codes[i];
        uint32_t at = i;

        for (; at > 0 && codes[at - 1] > moved; at--)
            codes[at] = codes[at - 1];
        codes[at] = moved;
    }
}

/* In ascending order, each once; an empty set is one that was never filled. */
struct slot_codes
slot_sort_codes(symbol *codes, uint32_t n)
{
    uint32_t kept = 0;

    if (n <= FEW_CODES)
        sort_few(codes, n);
    else
        qsort(codes, n, sizeof *codes, compare_symbols);
    for (uint32_t i = 0; i < n; i++)
        if (kept == 0 || codes[i] != codes[kept - 1])
            codes[kept++] = codes[i];
    return (struct slot_codes){.codes = kept > 0 ? codes : NULL, .n = kept};
}

/* Tags and cities are compared folded; codes and ids are what they are. */
static bool
is_free(const struct field *field)
{
    return field->type == FIELD_TYPE_TERMS || field->type == FIELD_TYPE_TEXT;
}

static enum err_code
read_code(const struct slot_reader *reader, const struct field *field, const msgpack_object *value,
          symbol *codes, uint32_t *n, struct err *err)
{
    enum err_code code = ERR_OK;
    struct str text;

    if (!value_str(value, &text))
        return slot_refuse(field, "text", err);
    if (is_free(field))
        code = fold_term(text, reader->arena, &text, err);
    if (code != ERR_OK || text.len == 0)
        return code;
    codes[*n] = slot_intern(reader, text);
    if (codes[*n] == SYMBOL_NONE)
        return err_no_memory(err);
    ++*n;
    return ERR_OK;
}

static enum err_code
read_codes(const struct slot_reader *reader, const struct field *field, const msgpack_object *value,
           struct slot_codes *out, struct err *err)
{
    bool is_list = value_is_array(value);
    size_t n_values = is_list ? value_size(value) : 1;
    symbol *codes = slot_take_codes(reader, n_values);
    enum err_code code = ERR_OK;
    uint32_t n = 0;

    if (codes == NULL)
        return err_no_memory(err);
    if (n_values > SLOT_CODES_MAX)
        return slot_refuse(field, "a list of at most 256", err);
    for (size_t i = 0; i < n_values && code == ERR_OK; i++)
        code = read_code(reader, field, is_list ? value_at(value, i) : value, codes, &n, err);
    if (code == ERR_OK)
        *out = slot_sort_codes(codes, n);
    return code;
}

static enum err_code
read_money(const struct slot_reader *reader, const struct field *field, const msgpack_object *value,
           struct slot_money *out, struct err *err)
{
    const msgpack_object *max = value_find(value, "max");
    struct slot_money money;
    struct str currency;

    if (!value_int(value_find(value, "min"), &money.min) ||
        !value_str(value_find(value, "currency"), &currency))
        return slot_refuse(field, "an amount of money with min and currency", err);
    money.max = money.min;
    if (!value_is_nil(max) && !value_int(max, &money.max))
        return slot_refuse(field, "an amount of money whose max is a whole number", err);
    if (money.min < 0 || money.max < money.min || money.max > MONEY_AMOUNT_MAX)
        return slot_refuse(field, "an amount of money with 0 <= min <= max <= 10^12", err);
    money.currency = rates_currency(reader->reference->rates, currency);
    *out = money;
    return ERR_OK;
}

enum err_code
slot_read_day(const struct field *field, const msgpack_object *value, enum date_precision coarsest,
              int32_t *day, struct err *err)
{
    enum date_precision precision;
    enum err_code code;
    struct str text;

    if (!value_str(value, &text))
        return slot_refuse(field, "a date", err);
    code = date_parse(text, coarsest, day, &precision, err);
    if (code != ERR_OK)
        err_at(err, field->name);
    return code;
}

/* *has_content is false for a period with two open ends, which says nothing. */
static enum err_code
read_period(const struct field *field, const msgpack_object *value, struct slot_period *out,
            bool *has_content, struct err *err)
{
    const msgpack_object *from = value_find(value, "from"), *to = value_find(value, "to");
    struct slot_period period = {DATE_OPEN_FROM, DATE_OPEN_TO};
    enum err_code code = ERR_OK;

    if (!value_is_map(value))
        return slot_refuse(field, "a period", err);
    if (!value_is_nil(from))
        code = slot_read_day(field, from, DATE_DAY, &period.from, err);
    if (code == ERR_OK && !value_is_nil(to))
        code = slot_read_day(field, to, DATE_DAY, &period.to, err);
    if (code == ERR_OK && period.from > period.to)
        code = slot_refuse(field, "a period that begins before it ends", err);
    if (code != ERR_OK)
        return code;
    *has_content = period.from != DATE_OPEN_FROM || period.to != DATE_OPEN_TO;
    *out = period;
    return ERR_OK;
}

static enum err_code
read_number(const struct field *field, const msgpack_object *value, int64_t *out, struct err *err)
{
    if (!value_int(value, out) || *out < 0)
        return slot_refuse(field, "a whole number from 0 on", err);
    return ERR_OK;
}

enum err_code
slot_read(const struct slot_reader *reader, const struct field *field, const msgpack_object *value,
          struct slot *slot, struct err *err)
{
    enum err_code code = ERR_OK;
    bool is_known = true;
    int32_t day = 0;

    *slot = (struct slot){.state = SLOT_MISSING};
    if (value_is_nil(value))
        return ERR_OK;
    switch (field->slot) {
    case SLOT_CODES:
        code = read_codes(reader, field, value, &slot->codes, err);
        is_known = slot->codes.n > 0;
        break;
    case SLOT_MONEY:
        code = read_money(reader, field, value, &slot->money, err);
        break;
    case SLOT_NUMBER:
        code = read_number(field, value, &slot->number, err);
        break;
    case SLOT_DAY:
        code = slot_read_day(field, value, DATE_YEAR, &day, err);
        slot->number = day;
        break;
    case SLOT_PERIOD:
        code = read_period(field, value, &slot->period, &is_known, err);
        break;
    case SLOT_TEXT:
    case SLOT_NONE:
        is_known = false;
        break;
    }
    if (code == ERR_OK && is_known)
        slot->state = SLOT_KNOWN;
    return code;
}

static uint64_t
mix(uint64_t hash, uint64_t word)
{
    hash = (hash ^ word) * UINT64_C(0x9e3779b97f4a7c15);
    return hash ^ hash >> 32;
}

static uint64_t
codes_hash(const struct slot_codes *codes)
{
    uint64_t hash = codes->n;
    uint32_t i = 0;

    for (; i + 1 < codes->n; i += 2)
        hash = mix(hash, (uint64_t)codes->codes[i] << 32 | codes->codes[i + 1]);
    return i < codes->n ? mix(hash, codes->codes[i]) : hash;
}

uint32_t
slot_hash(enum slot_type type, const struct slot *slot)
{
    uint64_t hash = 0;
    uint32_t folded;

    switch (type) {
    case SLOT_CODES:
        hash = codes_hash(&slot->codes);
        break;
    case SLOT_MONEY:
        hash = mix(mix((uint32_t)slot->money.currency, (uint64_t)slot->money.min),
                   (uint64_t)slot->money.max);
        break;
    case SLOT_PERIOD:
        hash = mix(0, (uint64_t)(uint32_t)slot->period.from << 32 | (uint32_t)slot->period.to);
        break;
    case SLOT_NUMBER:
    case SLOT_DAY:
        hash = mix(0, (uint64_t)slot->number);
        break;
    case SLOT_TEXT:
    case SLOT_NONE:
        break;
    }
    folded = (uint32_t)(mix(hash, hash >> 29) >> 32); /* the better half */
    return folded != 0 ? folded : 1;
}

enum err_code
slot_of_value(const struct field *field, const msgpack_object *value,
              const struct reference *reference, struct symbol_scope *scope, struct arena *arena,
              struct slot *out, struct err *err)
{
    struct slot_reader reader = {.reference = reference, .scope = scope, .arena = arena};

    return slot_read(&reader, field, value, out, err);
}

bool
slot_read_codes_at(const struct slot_reader *reader, const struct field *field,
                   struct value_cursor *cursor, struct slot_codes *out)
{
    struct value_cursor before = *cursor;
    size_t n_values = 1;
    bool is_good = true;
    symbol *codes;
    uint32_t n = 0;

    value_cursor_short_list(cursor, &n_values);
    codes = slot_take_codes(reader, n_values);
    for (size_t i = 0; i < n_values && is_good; i++) {
        struct str text;

        is_good = codes != NULL && value_cursor_short_text(cursor, &text) &&
                  (!is_free(field) || fold_term(text, reader->arena, &text, NULL) == ERR_OK);
        if (is_good && text.len > 0)
            is_good = (codes[n++] = slot_intern(reader, text)) != SYMBOL_NONE;
    }
    if (is_good)
        *out = slot_sort_codes(codes, n);
    else
        *cursor = before;
    return is_good;
}
