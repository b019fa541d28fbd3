#include "field.h"

#include "base64.h"
#include "date.h"
#include "field_parts.h"
#include "fold.h"

#include <inttypes.h>
#include <stdio.h>
#include <strings.h>

/*
 * What all fields share, and those that hold one simple value. Codes and sets of them stand in
 * field_codes.c, maps in field_maps.c.
 */

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

enum taken
field_no_memory(struct field_checker *checker)
{
    faults_no_memory(checker->faults);
    return TAKEN_FAULT;
}

enum taken
field_needed(struct field_checker *checker, enum taken taken, const char *remedy)
{
    if (taken != TAKEN_NOTHING)
        return taken;
    faults_add(checker->faults, ERR_INVALID_PARAMS, "%s is missing; %s", field_here(checker),
               remedy);
    return TAKEN_FAULT;
}

enum taken
field_too_many(struct field_checker *checker, size_t n, int64_t max, const char *noun)
{
    faults_add(checker->faults, ERR_TOO_LARGE, "%s has %zu %s; at most %" PRId64 " are kept",
               field_here(checker), n, noun, max);
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

enum taken
field_take_date(struct field_checker *checker, const msgpack_object *value,
                enum date_precision coarsest, struct str *text, int32_t *days)
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
    enum taken taken = field_take_date(checker, value, DATE_YEAR, &text, &days);

    (void)field;
    if (taken == TAKEN_VALUE)
        pack_str(out, text);
    return taken;
}

/* ---- choice ---- */

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

/* ---- embedding ---- */

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
            return field_too_many(checker, bytes.len / 4 * 3, field->max, "bytes");
        decoded = arena_alloc(checker->faults->arena, bytes.len, 1);
        if (decoded == NULL)
            return field_no_memory(checker);
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
        return field_too_many(checker, bytes.len, field->max, "bytes");
    pack_bin(out, bytes.data, bytes.len);
    return TAKEN_VALUE;
}

/* ---- maps with known keys ---- */

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
        return field_encode_id(checker, field, value, out);
    case FIELD_TYPE_TEXT:
        return encode_text(checker, field, value, out);
    case FIELD_TYPE_URL:
        return encode_url(checker, field, value, out);
    case FIELD_TYPE_CODE:
        return field_encode_code(checker, field, value, out);
    case FIELD_TYPE_CODES:
    case FIELD_TYPE_TERMS:
    case FIELD_TYPE_IDS:
        return field_encode_set(checker, field, value, out);
    case FIELD_TYPE_DATE:
        return encode_date(checker, field, value, out);
    case FIELD_TYPE_NUMBER:
        return encode_number(checker, field, value, out);
    case FIELD_TYPE_MONEY:
        return field_encode_money(checker, field, value, out);
    case FIELD_TYPE_PERIOD:
        return field_encode_period(checker, field, value, out);
    case FIELD_TYPE_TEXTS:
        return field_encode_texts(checker, field, value, out);
    case FIELD_TYPE_BYTES:
        return encode_bytes(checker, field, value, out);
    case FIELD_TYPE_CHOICE:
        return encode_choice(checker, field, value, out);
    case FIELD_TYPE_CONSENT:
        return field_encode_consent(checker, field, value, out);
    case FIELD_TYPE_FREE_MAP:
        return field_encode_free_map(checker, field, value, out);
    case FIELD_TYPE_CONFIDENTIAL:
        break;
    }
    return field_wrong_type(checker, value, "a value of another kind of field");
}
