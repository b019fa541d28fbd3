#include "requirements.h"

#include "profile.h"

#include <inttypes.h>

enum require_key {
    REQUIRE_KEY_ID,
    REQUIRE_KEY_TYPE,
    REQUIRE_KEY_OF,
    REQUIRE_KEY_BY,
    REQUIRE_KEY_VALUE,
    REQUIRE_KEY_MISSING,
    REQUIRE_KEY_PHRASE,
    REQUIRE_KEY_COUNT
};
static const char *const require_keys[] = {"id",    "type",    "of",     "by",
                                           "value", "missing", "phrase", NULL};

/* A list's elements one by one as values of a field that holds one. */
static void
check_elements(struct decoder *decoder, const struct field *field, const msgpack_object *list)
{
    for (size_t i = 0; i < value_size(list); i++) {
        size_t mark = faults_push_index(decoder->faults, i);

        field_check(field, value_at(list, i), decoder->reference, decoder->faults);
        faults_pop(decoder->faults, mark);
    }
}

/* `meets` compares with one number; what lies between two is asked for by two requirements. */
static void
check_number(struct decoder *decoder, const struct field *field, const msgpack_object *value)
{
    if (value_is_array(value))
        faults_add(decoder->faults, ERR_INVALID_PARAMS,
                   "meets takes one whole number here; for a range write two requirements, "
                   "at_least and at_most");
    else
        field_check(field, value, decoder->reference, decoder->faults);
}

static void
check_constant(struct decoder *decoder, const struct field *field, enum comparable comparable,
               const msgpack_object *value)
{
    bool is_set_field = field->type == FIELD_TYPE_CODES || field->type == FIELD_TYPE_TERMS ||
                        field->type == FIELD_TYPE_IDS;
    msgpack_object one = {.type = MSGPACK_OBJECT_ARRAY};
    struct str text;
    bool is_empty = (value_is_array(value) || value_is_map(value)) && value_size(value) == 0;

    if (is_empty || (value_str(value, &text) && text.len == 0)) {
        faults_add(decoder->faults, ERR_INVALID_PARAMS,
                   "value is empty; write what %s is compared with", field->name);
        return;
    }
    if (comparable == COMPARABLE_RANGES && field->slot == SLOT_NUMBER) {
        check_number(decoder, field, value);
    } else if (is_set_field && !value_is_array(value)) { /* one code stands for a set of one */
        msgpack_object copy = *value;

        one.via.array.ptr = &copy;
        one.via.array.size = 1;
        field_check(field, &one, decoder->reference, decoder->faults);
    } else if (field->slot == SLOT_CODES && !is_set_field && value_is_array(value)) {
        check_elements(decoder, field, value);
    } else {
        field_check(field, value, decoder->reference, decoder->faults);
    }
}

/* The other operand: a field under `by`, or a constant under `value`, but not both. */
static bool
take_other(struct decoder *decoder, const msgpack_object *const found[],
           const struct comparison *how, struct requirement *requirement)
{
    const msgpack_object *by = found[REQUIRE_KEY_BY], *value = found[REQUIRE_KEY_VALUE];
    size_t n_errors = decoder->faults->n_errors, mark;

    if (by != NULL && value != NULL) {
        mark = faults_push(decoder->faults, "value");
        faults_add(decoder->faults, ERR_INVALID_PARAMS,
                   "by and value exclude each other; keep the one that is meant");
    } else if (value == NULL) {
        mark = faults_push(decoder->faults, "by");
        if (by == NULL)
            decoder_add_missing(decoder, "name a field of the to side, or write a value");
        else if (by->type == MSGPACK_OBJECT_POSITIVE_INTEGER)
            faults_add(decoder->faults, ERR_INVALID_PARAMS,
                       "by names a field; write value: %s for a number", field_shown(by).text);
        else if (decoder_take_operand(decoder, by, how, false, &requirement->by))
            decoder_check_pair(decoder, &requirement->of, &requirement->by);
    } else {
        mark = faults_push(decoder->faults, "value");
        requirement->by =
            (struct operand){.kind = OPERAND_VALUE, .field = requirement->of.field, .value = value};
        check_constant(decoder, operand_field(&requirement->of), how->comparable, value);
    }
    faults_pop(decoder->faults, mark);
    return decoder->faults->n_errors == n_errors;
}

static bool
take_missing_passes(struct decoder *decoder, const msgpack_object *value)
{
    static const char *const names[] = {"fail", "pass", NULL};
    size_t mark = faults_push(decoder->faults, "missing");
    int i =
        value_is_nil(value) ? 0 : decoder_take_name(decoder, value, names, "rule for missing data");

    faults_pop(decoder->faults, mark);
    return i == 1;
}

static void
warn_of_requirement(struct decoder *decoder, const struct requirement *requirement,
                    const struct pairing *pairing)
{
    const char *consequence = requirement->missing_passes
                                  ? "this requirement holds for everybody"
                                  : "nobody passes this requirement; write missing: pass, or "
                                    "another field";

    decoder_warn_if_foreign(decoder, operand_field(&requirement->of), pairing->from.kind,
                            consequence);
    if (requirement->by.kind == OPERAND_FIELD)
        decoder_warn_if_foreign(decoder, operand_field(&requirement->by), pairing->to.kind,
                                consequence);
}

static void
take_requirement(struct decoder *decoder, const msgpack_object *value,
                 const struct pairing *pairing, struct requirement *requirement)
{
    const msgpack_object *found[REQUIRE_KEY_COUNT];
    const struct comparison *how;
    size_t mark;
    bool is_good;

    field_take_map(&decoder->field, value, require_keys, found);
    if (!value_is_map(value))
        return;
    requirement->id =
        decoder_take_id(decoder, found[REQUIRE_KEY_ID], "give the requirement a short name");
    requirement->missing_passes = take_missing_passes(decoder, found[REQUIRE_KEY_MISSING]);
    requirement->phrase = decoder_take_phrase(decoder, found[REQUIRE_KEY_PHRASE]);
    how = decoder_take_type(decoder, found[REQUIRE_KEY_TYPE], require_comparisons,
                            REQUIRE_TYPE_COUNT, "type of requirement");
    if (how == NULL)
        return;
    requirement->type = (enum require_type)(how - require_comparisons);
    mark = faults_push(decoder->faults, "of");
    is_good = decoder_take_operand(decoder, found[REQUIRE_KEY_OF], how, false, &requirement->of);
    faults_pop(decoder->faults, mark);
    if (is_good && take_other(decoder, found, how, requirement))
        warn_of_requirement(decoder, requirement, pairing);
}

void
requirements_take(struct decoder *decoder, const msgpack_object *value, struct pairing *pairing)
{
    size_t n = decoder_take_list(decoder, value, REQUIREMENTS_MAX, "requirements");

    pairing->require = arena_alloc(decoder->arena, n, sizeof *pairing->require);
    if (pairing->require == NULL) {
        faults_no_memory(decoder->faults);
        return;
    }
    for (size_t i = 0; i < n; i++) {
        struct requirement *requirement = &pairing->require[pairing->n_require];
        size_t mark = faults_push_index(decoder->faults, i);

        take_requirement(decoder, value_at(value, i), pairing, requirement);
        for (int j = 0; j < pairing->n_require; j++)
            if (requirement->id.len != 0 && str_equal(pairing->require[j].id, requirement->id)) {
                decoder_add_repeated_id(decoder, requirement->id,
                                        "the requirements of this pairing");
                break;
            }
        pairing->n_require++;
        faults_pop(decoder->faults, mark);
    }
}
