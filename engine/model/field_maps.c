#include "date.h"
#include "field.h"
#include "field_parts.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

/*
 * Fields that hold a map: money, periods, consent, with keys of ours; texts by language, external
 * ids and the free fields of `confidential`, with keys of theirs.
 */
enum { EXTERNAL_POINTS_MAX = 200, BASIS_POINTS_MAX = 500 };

/* ---- money and periods ---- */

enum money_key { MONEY_MIN, MONEY_MAX, MONEY_CURRENCY, MONEY_KEY_COUNT };
static const char *const money_keys[] = {"min", "max", "currency", NULL};

struct money {
    int64_t min, max;
    struct str currency;
};

static enum taken
take_money_part(struct field_checker *checker, enum money_key key, const msgpack_object *value,
                struct money *money)
{
    static const char unit[] = "units of the currency";

    switch (key) {
    case MONEY_MIN:
        return field_needed(
            checker, field_take_number(checker, value, 0, MONEY_AMOUNT_MAX, unit, &money->min),
            "write the smallest amount, in whole units");
    case MONEY_MAX:
        return field_take_number(checker, value, 0, MONEY_AMOUNT_MAX, unit, &money->max);
    case MONEY_CURRENCY:
        return field_needed(
            checker, field_take_code(checker, value, VOCABULARY_CURRENCIES, -1, &money->currency),
            "write its code, such as EUR or USD");
    case MONEY_KEY_COUNT:
        break;
    }
    return TAKEN_FAULT;
}

enum taken
field_encode_money(struct field_checker *checker, const struct field *field,
                   const msgpack_object *value, struct buf *out)
{
    const msgpack_object *found[MONEY_KEY_COUNT];
    size_t n_errors = checker->faults->n_errors;
    struct money money = {.min = 0};
    bool has_max = false;

    (void)field;
    if (value_is_nil(value) || (value_is_map(value) && value_size(value) == 0))
        return TAKEN_NOTHING;
    if (!value_is_map(value))
        return field_wrong_type(checker, value, "money: {min, max, currency}");
    field_take_map(checker, value, money_keys, found);
    for (int i = 0; i < MONEY_KEY_COUNT; i++) {
        size_t mark = faults_push(checker->faults, money_keys[i]);
        enum taken taken = take_money_part(checker, (enum money_key)i, found[i], &money);

        faults_pop(checker->faults, mark);
        if (i == MONEY_MAX)
            has_max = taken == TAKEN_VALUE;
    }
    if (checker->faults->n_errors != n_errors)
        return TAKEN_FAULT;
    if (has_max && money.max < money.min) {
        faults_add(checker->faults, ERR_INVALID_PARAMS,
                   "max %" PRId64 " is less than min %" PRId64 "; exchange them or leave max out",
                   money.max, money.min);
        return TAKEN_FAULT;
    }
    has_max = has_max && money.max != money.min;
    pack_map(out, has_max ? 3 : 2);
    pack_key_int(out, "min", money.min);
    if (has_max)
        pack_key_int(out, "max", money.max);
    pack_key_str(out, "currency", money.currency);
    return TAKEN_VALUE;
}

static enum taken
take_dated(struct field_checker *checker, const char *key, const msgpack_object *value,
           struct str *text, int32_t *days)
{
    size_t mark = faults_push(checker->faults, key);
    enum taken taken = field_take_date(checker, value, DATE_DAY, text, days);

    faults_pop(checker->faults, mark);
    return taken;
}

enum taken
field_encode_period(struct field_checker *checker, const struct field *field,
                    const msgpack_object *value, struct buf *out)
{
    static const char *const keys[] = {"from", "to", NULL};
    const msgpack_object *found[2];
    size_t n_errors = checker->faults->n_errors;
    struct str from, to;
    int32_t from_day = 0, to_day = 0;
    enum taken has_from, has_to;

    (void)field;
    if (value_is_nil(value) || (value_is_map(value) && value_size(value) == 0))
        return TAKEN_NOTHING;
    if (!value_is_map(value))
        return field_wrong_type(checker, value, "a period: {from, to}");
    field_take_map(checker, value, keys, found);
    has_from = take_dated(checker, "from", found[0], &from, &from_day);
    has_to = take_dated(checker, "to", found[1], &to, &to_day);
    if (checker->faults->n_errors != n_errors)
        return TAKEN_FAULT;
    if (has_from != TAKEN_VALUE && has_to != TAKEN_VALUE) {
        faults_add(checker->faults, ERR_INVALID_PARAMS,
                   "%s has neither from nor to; write one of them or leave the period out",
                   field_here(checker));
        return TAKEN_FAULT;
    }
    if (has_from == TAKEN_VALUE && has_to == TAKEN_VALUE && from_day > to_day) {
        faults_add(checker->faults, ERR_INVALID_PARAMS, "from %.*s is after to %.*s; exchange them",
                   STR_ARG(from), STR_ARG(to));
        return TAKEN_FAULT;
    }
    pack_map(out, has_from == TAKEN_VALUE && has_to == TAKEN_VALUE ? 2 : 1);
    if (has_from == TAKEN_VALUE)
        pack_key_str(out, "from", from);
    if (has_to == TAKEN_VALUE)
        pack_key_str(out, "to", to);
    return TAKEN_VALUE;
}

/* ---- free maps ---- */

static int
compare_pairs(const void *a, const void *b)
{
    return str_compare(((const struct field_pair *)a)->key, ((const struct field_pair *)b)->key);
}

bool
field_take_pairs(struct field_checker *checker, const msgpack_object *map, size_t n_max,
                 struct field_pair **pairs, size_t *n)
{
    size_t n_errors = checker->faults->n_errors;

    *n = 0;
    if (value_size(map) > n_max) {
        field_too_many(checker, value_size(map), (int64_t)n_max, "keys");
        return false;
    }
    *pairs = arena_alloc(checker->faults->arena, value_size(map), sizeof **pairs);
    if (*pairs == NULL) {
        faults_no_memory(checker->faults);
        return false;
    }
    for (size_t i = 0; i < value_size(map); i++) {
        struct str key = value_key(map, i);
        msgpack_object as_value = {.type = MSGPACK_OBJECT_STR};
        size_t mark = faults_push_str(checker->faults, key);

        as_value.via.str.ptr = key.data;
        as_value.via.str.size = (uint32_t)key.len;
        if (field_take_text(checker, &as_value, KEY_POINTS_MAX, true, &key) == TAKEN_NOTHING)
            faults_add(checker->faults, ERR_INVALID_PARAMS, "a key is empty; give it a name");
        faults_pop(checker->faults, mark);
        if (!value_is_nil(value_of(map, i)))
            (*pairs)[(*n)++] = (struct field_pair){key, value_of(map, i)};
    }
    if (checker->faults->n_errors != n_errors)
        return false;
    qsort(*pairs, *n, sizeof **pairs, compare_pairs);
    for (size_t i = 1; i < *n; i++)
        if (str_equal((*pairs)[i - 1].key, (*pairs)[i].key)) { /* equal only in NFC, trimmed */
            faults_add(checker->faults, ERR_INVALID_PARAMS, "the key %s stands twice; take one out",
                       quote((*pairs)[i].key).text);
            return false;
        }
    return true;
}

/* Runs encode on each pair; a map is written of those that hold something. */
typedef enum taken encode_pair(struct field_checker *checker, const struct field_pair *pair,
                               unsigned depth, struct buf *out);

static enum taken
encode_pairs(struct field_checker *checker, const msgpack_object *map, size_t n_max,
             encode_pair *encode, unsigned depth, struct buf *out)
{
    struct field_pair *pairs;
    size_t n, n_written = 0, n_errors = checker->faults->n_errors;
    struct buf body;
    enum taken taken = TAKEN_FAULT;

    if (!field_take_pairs(checker, map, n_max, &pairs, &n))
        return TAKEN_FAULT;
    buf_init(&body, PROFILE_BYTES_MAX);
    for (size_t i = 0; i < n && !faults_is_full(checker->faults); i++) {
        size_t mark = faults_push_str(checker->faults, pairs[i].key), before = body.len;

        pack_str(&body, pairs[i].key);
        if (encode(checker, &pairs[i], depth, &body) == TAKEN_VALUE)
            n_written++;
        else if (body.len > before)
            body.len = before;
        faults_pop(checker->faults, mark);
    }
    if (body.is_exhausted)
        faults_no_memory(checker->faults);
    if (checker->faults->n_errors == n_errors) {
        taken = n_written != 0 ? TAKEN_VALUE : TAKEN_NOTHING;
        if (taken == TAKEN_VALUE) {
            pack_map(out, n_written);
            buf_append_str(out, buf_str(&body));
            if (body.is_over)
                out->is_over = true;
        }
    }
    buf_fini(&body);
    return taken;
}

static enum taken
encode_language(struct field_checker *checker, const struct field_pair *pair, unsigned depth,
                struct buf *out)
{
    struct str text;
    enum taken taken;

    (void)depth;
    if (vocabulary_find(checker->reference->vocabularies[VOCABULARY_LANGUAGES], pair->key) ==
        VOCABULARY_NONE) {
        field_unknown_code(checker, pair->key, VOCABULARY_LANGUAGES, -1);
        return TAKEN_FAULT;
    }
    taken = field_take_text(checker, pair->value, LONG_TEXT_POINTS_MAX, false, &text);
    if (taken == TAKEN_VALUE)
        pack_str(out, text);
    return taken;
}

enum taken
field_encode_texts(struct field_checker *checker, const struct field *field,
                   const msgpack_object *value, struct buf *out)
{
    const struct vocabulary *languages = checker->reference->vocabularies[VOCABULARY_LANGUAGES];

    (void)field;
    if (value_is_nil(value))
        return TAKEN_NOTHING;
    if (!value_is_map(value))
        return field_wrong_type(checker, value,
                                "a map of language to text, such as {en: …, fr: …}");
    return encode_pairs(checker, value, vocabulary_size(languages), encode_language, 0, out);
}

static enum taken
encode_external(struct field_checker *checker, const struct field_pair *pair, unsigned depth,
                struct buf *out)
{
    struct str text;
    int64_t number;
    enum taken taken;

    (void)depth;
    if (value_int(pair->value, &number)) {
        pack_int(out, number);
        return TAKEN_VALUE;
    }
    if (!value_str(pair->value, &text))
        return field_wrong_type(checker, pair->value, "text or a whole number");
    taken = field_take_text(checker, pair->value, EXTERNAL_POINTS_MAX, true, &text);
    if (taken == TAKEN_VALUE)
        pack_str(out, text);
    return taken;
}

enum taken
field_encode_free_map(struct field_checker *checker, const struct field *field,
                      const msgpack_object *value, struct buf *out)
{
    if (value_is_nil(value))
        return TAKEN_NOTHING;
    if (!value_is_map(value))
        return field_wrong_type(checker, value, "a map of names to text or whole numbers");
    return encode_pairs(checker, value, (size_t)field->max, encode_external, 0, out);
}

/* ---- free values ---- */

static enum taken
encode_free_pair(struct field_checker *checker, const struct field_pair *pair, unsigned depth,
                 struct buf *out)
{
    return field_encode_free(checker, pair->value, depth, out);
}

static enum taken
encode_free_list(struct field_checker *checker, const msgpack_object *value, unsigned depth,
                 struct buf *out)
{
    enum taken result = TAKEN_VALUE;

    if (value_size(value) > FREE_ELEMENTS_MAX)
        return field_too_many(checker, value_size(value), FREE_ELEMENTS_MAX, "elements");
    pack_array(out, value_size(value));
    for (size_t i = 0; i < value_size(value); i++) {
        size_t mark = faults_push_index(checker->faults, i);
        enum taken taken = field_encode_free(checker, value_at(value, i), depth, out);

        if (taken == TAKEN_NOTHING)
            faults_add(checker->faults, ERR_INVALID_PARAMS, "%s is empty; write it or take it out",
                       field_here(checker));
        if (taken != TAKEN_VALUE)
            result = TAKEN_FAULT;
        faults_pop(checker->faults, mark);
    }
    return value_size(value) == 0 ? TAKEN_NOTHING : result;
}

static enum taken
encode_free_scalar(struct field_checker *checker, const msgpack_object *value, struct buf *out)
{
    struct str text;
    int64_t number;
    bool truth;

    if (value_str(value, &text)) {
        enum taken taken = field_take_text(checker, value, LONG_TEXT_POINTS_MAX, false, &text);

        if (taken == TAKEN_VALUE)
            pack_str(out, text);
        return taken;
    }
    if (value_int(value, &number))
        pack_int(out, number);
    else if (value_bool(value, &truth))
        pack_bool(out, truth);
    else if ((value->type == MSGPACK_OBJECT_FLOAT32 || value->type == MSGPACK_OBJECT_FLOAT64) &&
             isfinite(value->via.f64))
        pack_float(out, value->via.f64);
    else
        return field_wrong_type(checker, value, "text, a number, true or false, a list or a map");
    return TAKEN_VALUE;
}

enum taken
field_encode_free(struct field_checker *checker, const msgpack_object *value, unsigned depth,
                  struct buf *out)
{
    if (value_is_nil(value))
        return TAKEN_NOTHING;
    if (!value_is_map(value) && !value_is_array(value))
        return encode_free_scalar(checker, value, out);
    if (depth == 0) {
        faults_add(checker->faults, ERR_INVALID_PARAMS,
                   "%s is nested too deep; lists and maps stand at most %d deep in one another",
                   field_here(checker), FREE_DEPTH_MAX);
        return TAKEN_FAULT;
    }
    if (value_is_array(value))
        return encode_free_list(checker, value, depth - 1, out);
    return encode_pairs(checker, value, FREE_ELEMENTS_MAX, encode_free_pair, depth - 1, out);
}

/* ---- consent ---- */

enum consent_key {
    CONSENT_MATCH,
    CONSENT_SHARE,
    CONSENT_UNTIL,
    CONSENT_BASIS,
    CONSENT_PURPOSES,
    CONSENT_RECEIVERS,
    CONSENT_KEY_COUNT
};
static const char *const consent_keys[] = {"match",    "share",     "until", "basis",
                                           "purposes", "receivers", NULL};

static const struct field consent_purposes = {
    .type = FIELD_TYPE_TERMS, .vocabulary = -1, .vocabulary_too = -1, .max = 32, .element_max = 64};
static const struct field consent_receivers = {
    .type = FIELD_TYPE_CODES, .vocabulary = VOCABULARY_COUNTRIES, .vocabulary_too = -1, .max = 250};

static enum taken
encode_truth(struct field_checker *checker, const msgpack_object *value, struct buf *out)
{
    bool truth;

    if (value_is_nil(value))
        return TAKEN_NOTHING;
    if (!value_bool(value, &truth))
        return field_wrong_type(checker, value, "true or false");
    pack_bool(out, truth);
    return TAKEN_VALUE;
}

static enum taken
encode_consent_part(struct field_checker *checker, enum consent_key key,
                    const msgpack_object *value, struct buf *out)
{
    enum taken taken = TAKEN_FAULT;
    struct str text;
    int32_t days;

    switch (key) {
    case CONSENT_MATCH:
    case CONSENT_SHARE:
        return field_needed(checker, encode_truth(checker, value, out), "write true or false");
    case CONSENT_UNTIL:
        taken = field_take_date(checker, value, DATE_DAY, &text, &days);
        break;
    case CONSENT_BASIS:
        taken =
            field_needed(checker, field_take_text(checker, value, BASIS_POINTS_MAX, true, &text),
                         "write on what ground the data may be used");
        break;
    case CONSENT_PURPOSES:
        return field_encode_set(checker, &consent_purposes, value, out);
    case CONSENT_RECEIVERS:
        return field_encode_set(checker, &consent_receivers, value, out);
    case CONSENT_KEY_COUNT:
        break;
    }
    if (taken == TAKEN_VALUE)
        pack_str(out, text);
    return taken;
}

enum taken
field_encode_consent(struct field_checker *checker, const struct field *field,
                     const msgpack_object *value, struct buf *out)
{
    const msgpack_object *found[CONSENT_KEY_COUNT];
    size_t n_errors = checker->faults->n_errors, n = 0;
    struct pack_open map;

    (void)field;
    if (value_is_nil(value) || (value_is_map(value) && value_size(value) == 0))
        return TAKEN_NOTHING;
    if (!value_is_map(value))
        return field_wrong_type(checker, value, "a map {match, share, basis, …}");
    field_take_map(checker, value, consent_keys, found);
    map = pack_map_open(out);
    for (int i = 0; i < CONSENT_KEY_COUNT; i++) {
        size_t mark = faults_push(checker->faults, consent_keys[i]), before = out->len;

        pack_key(out, consent_keys[i]);
        if (encode_consent_part(checker, (enum consent_key)i, found[i], out) == TAKEN_VALUE)
            n++;
        else if (out->len > before)
            out->len = before;
        faults_pop(checker->faults, mark);
    }
    pack_close(out, map, n);
    return checker->faults->n_errors == n_errors ? TAKEN_VALUE : TAKEN_FAULT;
}
