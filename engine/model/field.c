#include "field.h"

#include "date.h"
#include "fold.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    LISTED_CODES_MAX = 16, /* a vocabulary up to this size is listed in the message */
    REPEATS_MAX = 16,      /* a set may be given with its elements repeated this often */
    EXTERNAL_POINTS_MAX = 200,
    BASIS_POINTS_MAX = 500,
};

static const char *const code_nouns[VOCABULARY_COUNT] = {
    [VOCABULARY_SECTORS] = "sector code",
    [VOCABULARY_NEEDS] = "need code",
    [VOCABULARY_STAGES] = "stage code",
    [VOCABULARY_METROS] = "metro code",
    [VOCABULARY_KINDS] = "kind",
    [VOCABULARY_OUTCOMES] = "outcome kind",
    [VOCABULARY_COUNTRIES] = "country code",
    [VOCABULARY_LANGUAGES] = "language code",
    [VOCABULARY_CURRENCIES] = "currency code",
};

/* ---- what a value looks like in a sentence ---- */

struct quoted
field_shown(const msgpack_object *value)
{
    struct quoted shown = {{0}};
    struct str text;

    if (value == NULL)
        return (struct quoted){"nothing"};
    switch (value->type) {
    case MSGPACK_OBJECT_STR:
        return value_str(value, &text) ? quote(text) : shown;
    case MSGPACK_OBJECT_POSITIVE_INTEGER:
        snprintf(shown.text, sizeof shown.text, "%" PRIu64, value->via.u64);
        return shown;
    case MSGPACK_OBJECT_NEGATIVE_INTEGER:
        snprintf(shown.text, sizeof shown.text, "%" PRId64, value->via.i64);
        return shown;
    case MSGPACK_OBJECT_FLOAT32:
    case MSGPACK_OBJECT_FLOAT64:
        snprintf(shown.text, sizeof shown.text, "%.15g", value->via.f64);
        return shown;
    case MSGPACK_OBJECT_BOOLEAN:
        return value->via.boolean ? (struct quoted){"true"} : (struct quoted){"false"};
    case MSGPACK_OBJECT_ARRAY:
        return (struct quoted){"a list"};
    case MSGPACK_OBJECT_MAP:
        return (struct quoted){"a map"};
    case MSGPACK_OBJECT_BIN:
        return (struct quoted){"bytes"};
    case MSGPACK_OBJECT_EXT:
        return (struct quoted){"an extension"};
    case MSGPACK_OBJECT_NIL:
        break;
    }
    return (struct quoted){"nothing"};
}

const char *
field_here(const struct field_checker *checker)
{
    const char *dot = strrchr(checker->faults->path, '.');

    return dot != NULL && dot[1] != '\0'      ? dot + 1
           : checker->faults->path[0] != '\0' ? checker->faults->path
                                              : "it";
}

enum taken
field_wrong_type(struct field_checker *checker, const msgpack_object *value, const char *wanted)
{
    faults_add(checker->faults, ERR_INVALID_PARAMS, "%s must be %s, not %s", field_here(checker),
               wanted, field_shown(value).text);
    return TAKEN_FAULT;
}

static enum taken
no_memory(struct field_checker *checker)
{
    faults_no_memory(checker->faults);
    return TAKEN_FAULT;
}

/* ---- text ---- */

static bool
is_ascii(struct str s)
{
    for (size_t i = 0; i < s.len; i++)
        if ((unsigned char)s.data[i] >= 0x80)
            return false;
    return true;
}

/* Bytes of the control character or line separator at the start of s, 0 if it starts with none. */
static size_t
control_at(struct str s, bool one_line)
{
    const unsigned char *p = (const unsigned char *)s.data;

    if (p[0] == '\n' || p[0] == '\t' || p[0] == '\r')
        return one_line ? 1 : 0;
    if (p[0] < 0x20 || p[0] == 0x7F)
        return 1;
    if (s.len >= 2 && p[0] == 0xC2 && p[1] < 0xA0) /* U+0080 to U+009F */
        return 2;
    if (one_line && s.len >= 3 && p[0] == 0xE2 && p[1] == 0x80 && (p[2] == 0xA8 || p[2] == 0xA9))
        return 3; /* U+2028, U+2029 */
    return 0;
}

static bool
has_control(struct str text, bool one_line, size_t *point)
{
    size_t n = 0;

    for (size_t i = 0; i < text.len; i++) {
        if (((unsigned char)text.data[i] & 0xC0) == 0x80)
            continue;
        n++;
        if (control_at((struct str){text.data + i, text.len - i}, one_line) != 0) {
            *point = n;
            return true;
        }
    }
    return false;
}

enum taken
field_take_text(struct field_checker *checker, const msgpack_object *value, size_t points_max,
                bool one_line, struct str *text)
{
    struct str given, nfc;
    struct err err = {.code = ERR_OK};
    size_t n_points, point;

    if (value_is_nil(value))
        return TAKEN_NOTHING;
    if (!value_str(value, &given))
        return field_wrong_type(checker, value, "text");
    nfc = given = str_trim(given);
    if (!is_ascii(given) && text_nfc(given, checker->faults->arena, &nfc, &err) != ERR_OK) {
        faults_add_err(checker->faults, &err);
        return TAKEN_FAULT;
    }
    if (nfc.len == 0)
        return TAKEN_NOTHING;
    n_points = str_count_points(nfc);
    if (n_points > points_max) {
        faults_add(checker->faults, ERR_TOO_LARGE,
                   "%s is %zu characters long; at most %zu are kept", quote(nfc).text, n_points,
                   points_max);
        return TAKEN_FAULT;
    }
    if (has_control(nfc, one_line, &point)) {
        faults_add(checker->faults, ERR_INVALID_PARAMS,
                   "%s has a control character%s at character %zu; take it out", quote(nfc).text,
                   one_line ? " or line break" : "", point);
        return TAKEN_FAULT;
    }
    *text = nfc;
    return TAKEN_VALUE;
}

static enum taken
encode_text(struct field_checker *checker, const struct field *field, const msgpack_object *value,
            struct buf *out)
{
    struct str text;
    enum taken taken = field_take_text(checker, value, (size_t)field->max, true, &text);

    if (taken == TAKEN_VALUE)
        pack_str(out, text);
    return taken;
}

static bool
url_is_valid(struct str url)
{
    size_t start;
    char first;

    if (url.len >= 8 && strncasecmp(url.data, "https://", 8) == 0)
        start = 8;
    else if (url.len >= 7 && strncasecmp(url.data, "http://", 7) == 0)
        start = 7;
    else
        return false;
    if (start == url.len)
        return false;
    for (size_t i = start; i < url.len; i++)
        if (url.data[i] == ' ' || url.data[i] == '"' || url.data[i] == '<' || url.data[i] == '>')
            return false;
    first = url.data[start];
    return first != '/' && first != '?' && first != '#' && first != ':' && first != '.' &&
           first != '@';
}

static enum taken
encode_url(struct field_checker *checker, const struct field *field, const msgpack_object *value,
           struct buf *out)
{
    struct str text;
    enum taken taken = field_take_text(checker, value, (size_t)field->max, true, &text);

    if (taken != TAKEN_VALUE)
        return taken;
    if (!url_is_valid(text)) {
        faults_add(checker->faults, ERR_INVALID_PARAMS,
                   "%s is no web address; write http:// or https:// and a host, without spaces",
                   quote(text).text);
        return TAKEN_FAULT;
    }
    pack_str(out, text);
    return TAKEN_VALUE;
}

/* ---- codes and ids ---- */

/* All codes of a small vocabulary: "idea, seed and self". */
static struct str
listed_codes(struct field_checker *checker, const struct vocabulary *vocabulary)
{
    struct str list = {"", 0};

    for (size_t i = 0; list.data != NULL && i < vocabulary_size(vocabulary); i++)
        list = arena_format(checker->faults->arena, "%.*s%s%.*s", STR_ARG(list),
                            i == 0                                 ? ""
                            : i + 1 == vocabulary_size(vocabulary) ? " and "
                                                                   : ", ",
                            STR_ARG(vocabulary_code(vocabulary, (int)i)));
    return list.data != NULL ? list : (struct str){"", 0};
}

static void
unknown_code(struct field_checker *checker, struct str given, int vocabulary, int vocabulary_too)
{
    const struct vocabulary *first = checker->reference->vocabularies[vocabulary], *near = first;
    int row = vocabulary_nearest(first, given);
    struct str remedy;

    if (faults_is_full(checker->faults)) {
        faults_add(checker->faults, ERR_INVALID_PARAMS, "unknown code"); /* counted only */
        return;
    }
    if (row == VOCABULARY_NONE && vocabulary_too >= 0) {
        near = checker->reference->vocabularies[vocabulary_too];
        row = vocabulary_nearest(near, given);
    }
    if (row != VOCABULARY_NONE)
        remedy = arena_format(checker->faults->arena, "did you mean %.*s (%.*s)?",
                              STR_ARG(vocabulary_code(near, row)),
                              STR_ARG(vocabulary_label(near, row, LANG_EN)));
    else if (vocabulary_too < 0 && vocabulary_size(first) <= LISTED_CODES_MAX)
        remedy = arena_format(checker->faults->arena, "known are %.*s",
                              STR_ARG(listed_codes(checker, first)));
    else
        remedy = arena_format(
            checker->faults->arena, "%s.csv%s%s%s lists them",
            vocabulary_id_name((enum vocabulary_id)vocabulary), vocabulary_too >= 0 ? " or " : "",
            vocabulary_too >= 0 ? vocabulary_id_name((enum vocabulary_id)vocabulary_too) : "",
            vocabulary_too >= 0 ? ".csv" : "");
    faults_add(checker->faults, ERR_INVALID_PARAMS, "%s is no %s%s%s; %.*s", quote(given).text,
               code_nouns[vocabulary], vocabulary_too >= 0 ? " or " : "",
               vocabulary_too >= 0 ? code_nouns[vocabulary_too] : "", STR_ARG(remedy));
}

enum taken
field_take_code(struct field_checker *checker, const msgpack_object *value, int vocabulary,
                int vocabulary_too, struct str *code)
{
    struct vocabulary *const *vocabularies = checker->reference->vocabularies;
    struct str given;

    if (value_is_nil(value))
        return TAKEN_NOTHING;
    if (!value_str(value, &given)) {
        faults_add(checker->faults, ERR_INVALID_PARAMS, "%s must be a %s, not %s",
                   field_here(checker), code_nouns[vocabulary], field_shown(value).text);
        return TAKEN_FAULT;
    }
    given = str_trim(given);
    if (given.len == 0)
        return TAKEN_NOTHING;
    if (vocabulary_find(vocabularies[vocabulary], given) == VOCABULARY_NONE &&
        (vocabulary_too < 0 ||
         vocabulary_find(vocabularies[vocabulary_too], given) == VOCABULARY_NONE)) {
        unknown_code(checker, given, vocabulary, vocabulary_too);
        return TAKEN_FAULT;
    }
    *code = given;
    return TAKEN_VALUE;
}

static enum taken
encode_code(struct field_checker *checker, const struct field *field, const msgpack_object *value,
            struct buf *out)
{
    struct str code;
    enum taken taken =
        field_take_code(checker, value, field->vocabulary, field->vocabulary_too, &code);

    if (taken == TAKEN_VALUE)
        pack_str(out, code);
    return taken;
}

enum taken
field_take_id(struct field_checker *checker, const msgpack_object *value, struct str *id)
{
    struct str given;

    if (value_is_nil(value))
        return TAKEN_NOTHING;
    if (!value_str(value, &given))
        return field_wrong_type(checker, value, "an id");
    given = str_trim(given);
    if (given.len == 0)
        return TAKEN_NOTHING;
    if (!id_is_valid(given)) {
        faults_add(checker->faults, given.len > ID_CHARS_MAX ? ERR_TOO_LARGE : ERR_INVALID_PARAMS,
                   "%s is no id; write at most %d of a-z, 0-9, dot, underscore and hyphen, "
                   "beginning with a letter or digit",
                   quote(given).text, ID_CHARS_MAX);
        return TAKEN_FAULT;
    }
    *id = given;
    return TAKEN_VALUE;
}

static enum taken
take_other_id(struct field_checker *checker, const msgpack_object *value, struct str *id)
{
    enum taken taken = field_take_id(checker, value, id);

    if (taken == TAKEN_VALUE && checker->own_id.len != 0 && str_equal(*id, checker->own_id)) {
        faults_add(checker->faults, ERR_INVALID_PARAMS,
                   "%s is the profile's own id; name another profile", quote(*id).text);
        return TAKEN_FAULT;
    }
    return taken;
}

static enum taken
encode_id(struct field_checker *checker, const struct field *field, const msgpack_object *value,
          struct buf *out)
{
    struct str id;
    enum taken taken = field->id == FIELD_ID ? field_take_id(checker, value, &id)
                                             : take_other_id(checker, value, &id);

    if (taken == TAKEN_VALUE)
        pack_str(out, id);
    return taken;
}

/* ---- sets ---- */

bool
field_is_list(struct field_checker *checker, const msgpack_object *value, const char *of)
{
    if (value_is_array(value))
        return true;
    faults_add(checker->faults, ERR_INVALID_PARAMS, "%s must be a list of %s, not %s",
               field_here(checker), of, field_shown(value).text);
    return false;
}

static const char *
element_noun(const struct field *field)
{
    if (field->type == FIELD_TYPE_IDS)
        return "ids";
    if (field->type == FIELD_TYPE_TERMS)
        return "terms";
    return "codes";
}

/* One element: `element` as it is stored, `equal` as it is compared. */
static enum taken
take_element(struct field_checker *checker, const struct field *field, const msgpack_object *value,
             struct str *element, struct str *equal)
{
    struct err err = {.code = ERR_OK};
    enum taken taken;

    if (field->type == FIELD_TYPE_CODES) {
        taken = field_take_code(checker, value, field->vocabulary, field->vocabulary_too, element);
        *equal = *element;
    } else if (field->type == FIELD_TYPE_IDS) {
        taken = take_other_id(checker, value, element);
        *equal = *element;
    } else {
        taken = field_take_text(checker, value, LONG_TEXT_POINTS_MAX, true, element);
        if (taken == TAKEN_VALUE && element->len > (size_t)field->element_max) {
            faults_add(checker->faults, ERR_TOO_LARGE,
                       "%s has %zu bytes; a term has at most %" PRId64, quote(*element).text,
                       element->len, field->element_max);
            return TAKEN_FAULT;
        }
        if (taken == TAKEN_VALUE &&
            fold_term(*element, checker->faults->arena, equal, &err) != ERR_OK) {
            faults_add_err(checker->faults, &err);
            return TAKEN_FAULT;
        }
    }
    if (taken == TAKEN_NOTHING) {
        faults_add(checker->faults, ERR_INVALID_PARAMS, "%s is empty; write it or take it out",
                   field_here(checker));
        return TAKEN_FAULT;
    }
    return taken;
}

struct set {
    struct str *elements, *equals; /* as stored; as compared */
    size_t n, room;
};

static bool
set_has(const struct set *set, struct str equal)
{
    for (size_t i = 0; i < set->n; i++)
        if (str_equal(set->equals[i], equal))
            return true;
    return false;
}

static enum taken
too_many(struct field_checker *checker, size_t n, int64_t max, const char *noun)
{
    faults_add(checker->faults, ERR_TOO_LARGE, "%s has %zu %s; at most %" PRId64 " are kept",
               field_here(checker), n, noun, max);
    return TAKEN_FAULT;
}

static enum taken
take_elements(struct field_checker *checker, const struct field *field, const msgpack_object *list,
              struct set *set)
{
    enum taken result = TAKEN_VALUE;

    for (size_t i = 0; i < value_size(list) && !faults_is_full(checker->faults); i++) {
        struct str element = {NULL, 0}, equal = {NULL, 0};
        size_t mark = faults_push_index(checker->faults, i);

        if (take_element(checker, field, value_at(list, i), &element, &equal) != TAKEN_VALUE) {
            result = TAKEN_FAULT;
        } else if (!set_has(set, equal)) {
            if (set->n < set->room) {
                set->elements[set->n] = element;
                set->equals[set->n] = equal;
            }
            set->n++;
            if (set->n > set->room) { /* one over: the rest need not be looked at */
                faults_pop(checker->faults, mark);
                return too_many(checker, value_size(list), field->max, element_noun(field));
            }
        }
        faults_pop(checker->faults, mark);
    }
    return result;
}

static enum taken
encode_set(struct field_checker *checker, const struct field *field, const msgpack_object *value,
           struct buf *out)
{
    struct set set = {.room = (size_t)field->max};
    size_t n = value_size(value);
    enum taken taken;

    if (value_is_nil(value))
        return TAKEN_NOTHING;
    if (!field_is_list(checker, value, element_noun(field)))
        return TAKEN_FAULT;
    if (n == 0)
        return TAKEN_NOTHING;
    if (n > set.room * REPEATS_MAX)
        return too_many(checker, n, field->max, element_noun(field));
    set.room = n < set.room ? n : set.room;
    set.elements = arena_alloc(checker->faults->arena, set.room, sizeof *set.elements);
    set.equals = arena_alloc(checker->faults->arena, set.room, sizeof *set.equals);
    if (set.elements == NULL || set.equals == NULL)
        return no_memory(checker);
    taken = take_elements(checker, field, value, &set);
    if (taken != TAKEN_VALUE)
        return taken;
    pack_array(out, set.n);
    for (size_t i = 0; i < set.n; i++)
        pack_str(out, set.elements[i]);
    return TAKEN_VALUE;
}

/* ---- numbers, dates ---- */

enum taken
field_take_number(struct field_checker *checker, const msgpack_object *value, int64_t min,
                  int64_t max, const char *unit, int64_t *number)
{
    int64_t given;

    if (value_is_nil(value))
        return TAKEN_NOTHING;
    if (!value_int(value, &given)) {
        faults_add(checker->faults, ERR_INVALID_PARAMS, "%s must be a whole number%s%s, not %s",
                   field_here(checker), unit != NULL ? " of " : "", unit != NULL ? unit : "",
                   field_shown(value).text);
        return TAKEN_FAULT;
    }
    if (given < min || given > max) {
        faults_add(checker->faults, ERR_INVALID_PARAMS,
                   "%s is %" PRId64 "; write %" PRId64 " to %" PRId64 "%s%s", field_here(checker),
                   given, min, max, unit != NULL ? " " : "", unit != NULL ? unit : "");
        return TAKEN_FAULT;
    }
    *number = given;
    return TAKEN_VALUE;
}

static enum taken
encode_number(struct field_checker *checker, const struct field *field, const msgpack_object *value,
              struct buf *out)
{
    int64_t number;
    enum taken taken =
        field_take_number(checker, value, field->min, field->max, field->unit, &number);

    if (taken == TAKEN_VALUE)
        pack_int(out, number);
    return taken;
}

static enum taken
take_date(struct field_checker *checker, const msgpack_object *value, enum date_precision coarsest,
          struct str *text, int32_t *days)
{
    struct str given;
    struct err err = {.code = ERR_OK};

    if (value_is_nil(value))
        return TAKEN_NOTHING;
    if (!value_str(value, &given))
        return field_wrong_type(checker, value,
                                coarsest == DATE_YEAR
                                    ? "a date in quotes, YYYY-MM-DD, YYYY-MM or YYYY"
                                    : "a date in quotes, YYYY-MM-DD");
    given = str_trim(given);
    if (given.len == 0)
        return TAKEN_NOTHING;
    if (date_parse(given, coarsest, days, NULL, &err) != ERR_OK) {
        faults_add_err(checker->faults, &err);
        return TAKEN_FAULT;
    }
    *text = given;
    return TAKEN_VALUE;
}

static enum taken
encode_date(struct field_checker *checker, const struct field *field, const msgpack_object *value,
            struct buf *out)
{
    struct str text;
    int32_t days;
    enum taken taken = take_date(checker, value, DATE_YEAR, &text, &days);

    (void)field;
    if (taken == TAKEN_VALUE)
        pack_str(out, text);
    return taken;
}

/* ---- small maps ---- */

static void
unknown_key(struct field_checker *checker, struct str key, const char *const keys[])
{
    size_t limit = key.len / 3 + 1;
    const char *nearest = NULL;
    struct str known = {"", 0};

    for (size_t i = 0; keys[i] != NULL; i++) {
        size_t distance = str_distance(key, str_from(keys[i]), limit);

        if (distance < limit || (distance == limit && nearest == NULL)) {
            nearest = keys[i];
            limit = distance;
        }
        known = arena_format(checker->faults->arena, "%.*s%s%s", STR_ARG(known),
                             i == 0                ? ""
                             : keys[i + 1] == NULL ? " and "
                                                   : ", ",
                             keys[i]);
    }
    if (nearest != NULL)
        faults_add(checker->faults, ERR_INVALID_PARAMS, "%s is no key here; did you mean %s?",
                   quote(key).text, nearest);
    else
        faults_add(checker->faults, ERR_INVALID_PARAMS, "%s is no key here; known %s %.*s",
                   quote(key).text, keys[1] != NULL ? "are" : "is", STR_ARG(known));
}

bool
field_take_map(struct field_checker *checker, const msgpack_object *value, const char *const keys[],
               const msgpack_object *found[])
{
    size_t n_errors = checker->faults->n_errors;

    for (size_t i = 0; keys[i] != NULL; i++)
        found[i] = NULL;
    if (!value_is_map(value)) {
        field_wrong_type(checker, value, "a map");
        return false;
    }
    for (size_t i = 0; i < value_size(value) && !faults_is_full(checker->faults); i++) {
        struct str key = value_key(value, i);
        size_t k = 0, mark;

        while (keys[k] != NULL && !str_is(key, keys[k]))
            k++;
        if (keys[k] != NULL) {
            found[k] = value_is_nil(value_of(value, i)) ? NULL : value_of(value, i);
            continue;
        }
        mark = faults_push_str(checker->faults, key);
        unknown_key(checker, key, keys);
        faults_pop(checker->faults, mark);
    }
    return checker->faults->n_errors == n_errors;
}

/* What was taken, but nothing is a fault with a remedy. */
static enum taken
needed(struct field_checker *checker, enum taken taken, const char *remedy)
{
    if (taken != TAKEN_NOTHING)
        return taken;
    faults_add(checker->faults, ERR_INVALID_PARAMS, "%s is missing; %s", field_here(checker),
               remedy);
    return TAKEN_FAULT;
}

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
        return needed(checker,
                      field_take_number(checker, value, 0, MONEY_AMOUNT_MAX, unit, &money->min),
                      "write the smallest amount, in whole units");
    case MONEY_MAX:
        return field_take_number(checker, value, 0, MONEY_AMOUNT_MAX, unit, &money->max);
    case MONEY_CURRENCY:
        return needed(checker,
                      field_take_code(checker, value, VOCABULARY_CURRENCIES, -1, &money->currency),
                      "write its code, such as EUR or USD");
    case MONEY_KEY_COUNT:
        break;
    }
    return TAKEN_FAULT;
}

static enum taken
encode_money(struct field_checker *checker, const struct field *field, const msgpack_object *value,
             struct buf *out)
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
    enum taken taken = take_date(checker, value, DATE_DAY, text, days);

    faults_pop(checker->faults, mark);
    return taken;
}

static enum taken
encode_period(struct field_checker *checker, const struct field *field, const msgpack_object *value,
              struct buf *out)
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

static enum taken
encode_choice(struct field_checker *checker, const struct field *field, const msgpack_object *value,
              struct buf *out)
{
    struct str text;
    enum taken taken = field_take_text(checker, value, LONG_TEXT_POINTS_MAX, true, &text);

    (void)field;
    if (taken != TAKEN_VALUE)
        return taken;
    if (!str_is(text, "active") && !str_is(text, "paused")) {
        faults_add(checker->faults, ERR_INVALID_PARAMS, "%s is no status; write active or paused",
                   quote(text).text);
        return TAKEN_FAULT;
    }
    pack_str(out, text);
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
        too_many(checker, value_size(map), (int64_t)n_max, "keys");
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
        unknown_code(checker, pair->key, VOCABULARY_LANGUAGES, -1);
        return TAKEN_FAULT;
    }
    taken = field_take_text(checker, pair->value, LONG_TEXT_POINTS_MAX, false, &text);
    if (taken == TAKEN_VALUE)
        pack_str(out, text);
    return taken;
}

static enum taken
encode_texts(struct field_checker *checker, const struct field *field, const msgpack_object *value,
             struct buf *out)
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

static enum taken
encode_free_map(struct field_checker *checker, const struct field *field,
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
        return too_many(checker, value_size(value), FREE_ELEMENTS_MAX, "elements");
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

/* ---- embedding ---- */

static int
base64_digit(char c)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const char *found = c != '\0' ? strchr(digits, c) : NULL;

    return found != NULL ? (int)(found - digits) : -1;
}

/* RFC 4648 with padding, no white space, unused bits zero. out has room for 3 of 4 characters. */
static bool
base64_decode(struct str text, unsigned char *out, size_t *n)
{
    size_t padding = 0;

    *n = 0;
    if (text.len == 0 || text.len % 4 != 0)
        return false;
    while (padding < 2 && text.data[text.len - 1 - padding] == '=')
        padding++;
    for (size_t i = 0; i < text.len; i += 4) {
        size_t n_digits = i + 4 == text.len ? 4 - padding : 4;
        uint32_t bits = 0;

        for (size_t j = 0; j < 4; j++) {
            int digit = j < n_digits ? base64_digit(text.data[i + j]) : 0;

            if (digit < 0)
                return false;
            bits = bits << 6 | (uint32_t)digit;
        }
        for (size_t j = 0; j < n_digits - 1; j++)
            out[(*n)++] = (unsigned char)(bits >> (16 - 8 * j));
        if ((bits & (n_digits == 2 ? 0xFFFFU : n_digits == 3 ? 0xFFU : 0U)) != 0)
            return false;
    }
    return true;
}

static enum taken
encode_bytes(struct field_checker *checker, const struct field *field, const msgpack_object *value,
             struct buf *out)
{
    struct str bytes;
    size_t n;

    if (value_is_nil(value))
        return TAKEN_NOTHING;
    if (value_str(value, &bytes)) {
        unsigned char *decoded;

        if (bytes.len == 0)
            return TAKEN_NOTHING;
        if (bytes.len / 4 * 3 > (size_t)field->max + 2)
            return too_many(checker, bytes.len / 4 * 3, field->max, "bytes");
        decoded = arena_alloc(checker->faults->arena, bytes.len, 1);
        if (decoded == NULL)
            return no_memory(checker);
        if (!base64_decode(bytes, decoded, &n)) {
            faults_add(checker->faults, ERR_INVALID_PARAMS,
                       "%s is no base64; write the int8 vector as base64 with its padding",
                       quote(bytes).text);
            return TAKEN_FAULT;
        }
        bytes = (struct str){(const char *)decoded, n};
    } else if (!value_bin(value, &bytes)) {
        return field_wrong_type(checker, value, "bytes, or base64 text");
    }
    if (bytes.len == 0)
        return TAKEN_NOTHING;
    if (bytes.len > (size_t)field->max)
        return too_many(checker, bytes.len, field->max, "bytes");
    pack_bin(out, bytes.data, bytes.len);
    return TAKEN_VALUE;
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
        return needed(checker, encode_truth(checker, value, out), "write true or false");
    case CONSENT_UNTIL:
        taken = take_date(checker, value, DATE_DAY, &text, &days);
        break;
    case CONSENT_BASIS:
        taken = needed(checker, field_take_text(checker, value, BASIS_POINTS_MAX, true, &text),
                       "write on what ground the data may be used");
        break;
    case CONSENT_PURPOSES:
        return encode_set(checker, &consent_purposes, value, out);
    case CONSENT_RECEIVERS:
        return encode_set(checker, &consent_receivers, value, out);
    case CONSENT_KEY_COUNT:
        break;
    }
    if (taken == TAKEN_VALUE)
        pack_str(out, text);
    return taken;
}

static enum taken
encode_consent(struct field_checker *checker, const struct field *field,
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

/* ---- keys ---- */

static bool
map_keys_are_good(struct faults *faults, const msgpack_object *map)
{
    struct err err = {.code = ERR_OK};
    size_t i, mark;

    if (value_check_keys(map, &i, &err) != ERR_OK) {
        faults_add_err(faults, &err);
        return false;
    }
    if (i == value_size(map))
        return true;
    mark = faults_push_str(faults, value_key(map, i));
    if (map->via.map.ptr[i].key.type == MSGPACK_OBJECT_STR)
        faults_add(faults, ERR_INVALID_PARAMS, "the key %s stands twice; take one out",
                   quote(value_key(map, i)).text);
    else
        faults_add(faults, ERR_INVALID_PARAMS, "key %zu of this map is no text; write a name",
                   i + 1);
    faults_pop(faults, mark);
    return false;
}

bool
field_keys_are_good(struct faults *faults, const msgpack_object *given)
{
    bool is_map = value_is_map(given), is_good = true;

    if (is_map && !map_keys_are_good(faults, given))
        return false;
    for (size_t i = 0; i < value_size(given) && is_good; i++) {
        const msgpack_object *value = is_map ? value_of(given, i) : value_at(given, i);
        size_t mark;

        if (!value_is_map(value) && !value_is_array(value))
            continue;
        mark = is_map ? faults_push_str(faults, value_key(given, i)) : faults_push_index(faults, i);
        is_good = field_keys_are_good(faults, value);
        faults_pop(faults, mark);
    }
    return is_good;
}

/* ---- by type ---- */

enum taken
field_encode(struct field_checker *checker, const struct field *field, const msgpack_object *value,
             struct buf *out)
{
    switch (field->type) {
    case FIELD_TYPE_ID:
        return encode_id(checker, field, value, out);
    case FIELD_TYPE_TEXT:
        return encode_text(checker, field, value, out);
    case FIELD_TYPE_URL:
        return encode_url(checker, field, value, out);
    case FIELD_TYPE_CODE:
        return encode_code(checker, field, value, out);
    case FIELD_TYPE_CODES:
    case FIELD_TYPE_TERMS:
    case FIELD_TYPE_IDS:
        return encode_set(checker, field, value, out);
    case FIELD_TYPE_DATE:
        return encode_date(checker, field, value, out);
    case FIELD_TYPE_NUMBER:
        return encode_number(checker, field, value, out);
    case FIELD_TYPE_MONEY:
        return encode_money(checker, field, value, out);
    case FIELD_TYPE_PERIOD:
        return encode_period(checker, field, value, out);
    case FIELD_TYPE_TEXTS:
        return encode_texts(checker, field, value, out);
    case FIELD_TYPE_BYTES:
        return encode_bytes(checker, field, value, out);
    case FIELD_TYPE_CHOICE:
        return encode_choice(checker, field, value, out);
    case FIELD_TYPE_CONSENT:
        return encode_consent(checker, field, value, out);
    case FIELD_TYPE_FREE_MAP:
        return encode_free_map(checker, field, value, out);
    case FIELD_TYPE_CONFIDENTIAL:
        break;
    }
    return field_wrong_type(checker, value, "a value of another kind of field");
}
