#include "field.h"
#include "field_parts.h"
#include "fold.h"

#include <inttypes.h>

/*
 * Fields that hold codes, ids or terms, one or a set of them.
 */
enum {
    LISTED_CODES_MAX = 16, /* a vocabulary up to this size is listed in the message */
    REPEATS_MAX = 16,      /* a set may be given with its elements repeated this often */
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

void
field_unknown_code(struct field_checker *checker, struct str given, int vocabulary,
                   int vocabulary_too)
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
        field_unknown_code(checker, given, vocabulary, vocabulary_too);
        return TAKEN_FAULT;
    }
    *code = given;
    return TAKEN_VALUE;
}

enum taken
field_encode_code(struct field_checker *checker, const struct field *field,
                  const msgpack_object *value, struct buf *out)
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

enum taken
field_encode_id(struct field_checker *checker, const struct field *field,
                const msgpack_object *value, struct buf *out)
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
                return field_too_many(checker, value_size(list), field->max, element_noun(field));
            }
        }
        faults_pop(checker->faults, mark);
    }
    return result;
}

enum taken
field_encode_set(struct field_checker *checker, const struct field *field,
                 const msgpack_object *value, struct buf *out)
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
        return field_too_many(checker, n, field->max, element_noun(field));
    set.room = n < set.room ? n : set.room;
    set.elements = arena_alloc(checker->faults->arena, set.room, sizeof *set.elements);
    set.equals = arena_alloc(checker->faults->arena, set.room, sizeof *set.equals);
    if (set.elements == NULL || set.equals == NULL)
        return field_no_memory(checker);
    taken = take_elements(checker, field, value, &set);
    if (taken != TAKEN_VALUE)
        return taken;
    pack_array(out, set.n);
    for (size_t i = 0; i < set.n; i++)
        pack_str(out, set.elements[i]);
    return TAKEN_VALUE;
}
