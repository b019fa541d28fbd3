#include "decoder.h"

/* ---- small things ---- */

void
decoder_add_missing(struct decoder *decoder, const char *remedy)
{
    faults_add(decoder->faults, ERR_INVALID_PARAMS, "%s is missing; %s",
               field_here(&decoder->field), remedy);
}

/* All names: "harmonic, mean or min". */
static struct str
listed_names(struct decoder *decoder, const char *const names[])
{
    struct str list = {"", 0};

    for (int i = 0; names[i] != NULL && list.data != NULL; i++)
        list = arena_format(decoder->arena, "%.*s%s%s", STR_ARG(list),
                            i == 0                 ? ""
                            : names[i + 1] == NULL ? " or "
                                                   : ", ",
                            names[i]);
    return list.data != NULL ? list : (struct str){"", 0};
}

int
decoder_take_name(struct decoder *decoder, const msgpack_object *value, const char *const names[],
                  const char *noun)
{
    struct str list = listed_names(decoder, names), given;
    const char *nearest = NULL;
    size_t limit;

    if (!value_str(value, &given)) {
        field_wrong_type(&decoder->field, value, list.data);
        return -1;
    }
    limit = given.len / 3 + 1;
    for (int i = 0; names[i] != NULL && limit > 0; i++) {
        size_t distance = str_distance(given, str_from(names[i]), limit - 1);

        if (distance == 0)
            return i;
        if (distance < limit) {
            nearest = names[i];
            limit = distance;
        }
    }
    if (nearest != NULL)
        faults_add(decoder->faults, ERR_INVALID_PARAMS, "%s is no %s; did you mean %s?",
                   quote(given).text, noun, nearest);
    else
        faults_add(decoder->faults, ERR_INVALID_PARAMS, "%s is no %s; write %.*s",
                   quote(given).text, noun, STR_ARG(list));
    return -1;
}

struct str
decoder_take_id(struct decoder *decoder, const msgpack_object *value, const char *remedy)
{
    struct str id = {NULL, 0};
    size_t mark = faults_push(decoder->faults, "id");

    if (field_take_id(&decoder->field, value, &id) == TAKEN_NOTHING)
        decoder_add_missing(decoder, remedy);
    faults_pop(decoder->faults, mark);
    return id;
}

void
decoder_add_repeated_id(struct decoder *decoder, struct str id, const char *among)
{
    size_t mark = faults_push(decoder->faults, "id");

    faults_add(decoder->faults, ERR_INVALID_PARAMS,
               "%s stands twice among %s; give each its own id", quote(id).text, among);
    faults_pop(decoder->faults, mark);
}

bool
decoder_take_truth(struct decoder *decoder, const char *key, const msgpack_object *value)
{
    bool truth = false;
    size_t mark = faults_push(decoder->faults, key);

    if (!value_is_nil(value) && !value_bool(value, &truth))
        field_wrong_type(&decoder->field, value, "true or false");
    faults_pop(decoder->faults, mark);
    return truth;
}

int64_t
decoder_take_number(struct decoder *decoder, const char *key, const msgpack_object *value,
                    int64_t min, int64_t max, int64_t preset)
{
    int64_t number = preset;
    size_t mark = faults_push(decoder->faults, key);

    field_take_number(&decoder->field, value, min, max, NULL, &number);
    faults_pop(decoder->faults, mark);
    return number;
}

struct str
decoder_take_phrase(struct decoder *decoder, const msgpack_object *value)
{
    const struct catalogue *catalogue = decoder->reference->catalogue;
    struct str phrase = {NULL, 0}, nearest;
    size_t mark = faults_push(decoder->faults, "phrase");

    if (!value_is_nil(value) && !value_str(value, &phrase)) {
        field_wrong_type(&decoder->field, value, "a code of phrases.csv");
    } else if (phrase.len != 0 && !catalogue_has_phrase(catalogue, phrase)) {
        nearest = catalogue_nearest_phrase(catalogue, phrase);
        faults_add(decoder->faults, ERR_INVALID_PARAMS, "%s is no row of phrases.csv%s%.*s%s",
                   quote(phrase).text, nearest.len != 0 ? "; did you mean " : "; leave it out",
                   STR_ARG(nearest), nearest.len != 0 ? "?" : "");
    }
    faults_pop(decoder->faults, mark);
    return phrase;
}

size_t
decoder_take_list(struct decoder *decoder, const msgpack_object *value, size_t max, const char *of)
{
    if (value_is_nil(value) || !field_is_list(&decoder->field, value, of))
        return 0;
    if (value_size(value) <= max)
        return value_size(value);
    faults_add(decoder->faults, ERR_TOO_LARGE, "%s has %zu %s; at most %zu are allowed",
               field_here(&decoder->field), value_size(value), of, max);
    return 0;
}

/* ---- operands ---- */

static const struct field *
take_field(struct decoder *decoder, struct str name, const struct comparison *how)
{
    const struct field *field = schema_find(name), *nearest;

    if (field == NULL) {
        nearest = schema_nearest(name);
        if (nearest != NULL)
            faults_add(decoder->faults, ERR_INVALID_PARAMS,
                       "%s is no field of a profile; did you mean %s?", quote(name).text,
                       nearest->name);
        else
            faults_add(decoder->faults, ERR_INVALID_PARAMS,
                       "%s is no field of a profile; %s takes %.*s", quote(name).text, how->name,
                       STR_ARG(comparison_fields(how->comparable, decoder->arena)));
        return NULL;
    }
    if (comparison_fits(how->comparable, field))
        return field;
    faults_add(decoder->faults, ERR_INVALID_PARAMS, "%s cannot compare %s; it takes %.*s",
               how->name, field->name, STR_ARG(comparison_fields(how->comparable, decoder->arena)));
    return NULL;
}

void
decoder_warn_if_foreign(struct decoder *decoder, const struct field *field, struct str kind,
                        const char *consequence)
{
    if (kind.len != 0 && !schema_has_kind(field, kind))
        faults_warn(decoder->faults, "%s is no field of the kind %.*s, so %s", field->name,
                    STR_ARG(kind), consequence);
}

static bool
take_number_operand(struct decoder *decoder, const msgpack_object *value,
                    const struct comparison *how, struct operand *operand)
{
    if (!how->takes_number) {
        faults_add(decoder->faults, ERR_INVALID_PARAMS,
                   "%s is %s; only the wants at_least and range take a number, here stands a field",
                   field_here(&decoder->field), field_shown(value).text);
        return false;
    }
    operand->kind = OPERAND_NUMBER;
    operand->field = FIELD_NONE;
    return field_take_number(&decoder->field, value, 0, MONEY_AMOUNT_MAX, NULL, &operand->number) ==
           TAKEN_VALUE;
}

/* `record.<field>`: the field's name, or a fault. */
static bool
take_record_name(struct decoder *decoder, struct str text, struct str *name)
{
    static const char prefix[] = "record.";
    size_t n = sizeof prefix - 1;

    if (text.len > n && memcmp(text.data, prefix, n) == 0) {
        *name = (struct str){text.data + n, text.len - n};
        return true;
    }
    faults_add(decoder->faults, ERR_INVALID_PARAMS,
               "%s is no track record; write record. and a field, such as record.sectors",
               quote(text).text);
    return false;
}

bool
decoder_take_operand(struct decoder *decoder, const msgpack_object *value,
                     const struct comparison *how, bool is_record, struct operand *operand)
{
    const struct field *field;
    struct str name;

    if (value_is_nil(value) && how->comparable == COMPARABLE_TEXTS) {
        *operand = (struct operand){.kind = OPERAND_FIELD, .field = FIELD_DESCRIPTION};
        return true;
    }
    if (value_is_nil(value)) {
        decoder_add_missing(decoder, is_record ? "write record. and a field, such as record.sectors"
                                               : "name a field of the profile");
        return false;
    }
    if (value->type == MSGPACK_OBJECT_POSITIVE_INTEGER ||
        value->type == MSGPACK_OBJECT_NEGATIVE_INTEGER)
        return take_number_operand(decoder, value, how, operand);
    if (!value_str(value, &name)) {
        field_wrong_type(&decoder->field, value, "the name of a field");
        return false;
    }
    if (is_record && !take_record_name(decoder, name, &name))
        return false;
    field = take_field(decoder, name, how);
    if (field == NULL)
        return false;
    *operand =
        (struct operand){.kind = is_record ? OPERAND_RECORD : OPERAND_FIELD, .field = field->id};
    return true;
}

const struct field *
operand_field(const struct operand *operand)
{
    return operand->field < FIELD_NONE ? &schema[operand->field] : NULL;
}

bool
decoder_check_pair(struct decoder *decoder, const struct operand *of, const struct operand *by)
{
    const struct field *a = operand_field(of), *b = operand_field(by);
    bool has_codes;

    if (a == NULL || b == NULL || comparison_pairs(a, b))
        return true;
    has_codes = a->slot == SLOT_CODES && b->slot == SLOT_CODES;
    faults_add(decoder->faults, ERR_INVALID_PARAMS,
               has_codes ? "%s and %s have no code in common; compare fields of one vocabulary"
                         : "%s and %s cannot be compared; compare money with money, numbers with "
                           "numbers",
               a->name, b->name);
    return false;
}

const struct comparison *
decoder_take_type(struct decoder *decoder, const msgpack_object *value,
                  const struct comparison *all, int n, const char *noun)
{
    const char *names[WANT_TYPE_COUNT + REQUIRE_TYPE_COUNT + 1] = {NULL};
    const struct comparison *found = NULL;
    size_t mark = faults_push(decoder->faults, "type");
    int i;

    for (i = 0; i < n; i++)
        names[i] = all[i].name;
    if (value_is_nil(value)) {
        decoder_add_missing(decoder, "write how the two fields are compared");
    } else {
        i = decoder_take_name(decoder, value, names, noun);
        found = i >= 0 ? &all[i] : NULL;
    }
    if (found != NULL && found->is_refused) {
        faults_add(decoder->faults, ERR_INVALID_PARAMS,
                   "no %s is known yet; use another type, such as record", found->name);
        found = NULL;
    }
    faults_pop(decoder->faults, mark);
    return found;
}
