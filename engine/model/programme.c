#include "programme.h"

#include "canonical.h"
#include "comparison.h"
#include "field.h"
#include "profile.h"
#include "settings.h"

#include <inttypes.h>

/*
 * The document is first brought into its canonical form, which is what will be stored; then that
 * form is walked once, top down, and each thing is checked where it stands. What is wrong becomes a
 * fault and the walk goes on with the next thing, so that an officer sees all of it.
 */
enum { NAME_POINTS_MAX = 200 };

struct decoder {
    struct field_checker field; /* first: texts, codes, numbers, maps are taken with it */
    struct arena *arena;
    const struct reference *reference;
    struct faults *faults;
};

const char *
want_type_name(enum want_type type)
{
    return want_comparisons[type].name;
}

const char *
require_type_name(enum require_type type)
{
    return require_comparisons[type].name;
}

const char *
combine_name(enum combine combine)
{
    return combine_names[combine];
}

/* ---- small things ---- */

static void
add_missing(struct decoder *decoder, const char *remedy)
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

/* Position of text in names; a fault with the nearest, or all of them, if it is none. */
static int
take_name(struct decoder *decoder, const msgpack_object *value, const char *const names[],
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

static struct str
take_needed_id(struct decoder *decoder, const msgpack_object *value, const char *remedy)
{
    struct str id = {NULL, 0};
    size_t mark = faults_push(decoder->faults, "id");

    if (field_take_id(&decoder->field, value, &id) == TAKEN_NOTHING)
        add_missing(decoder, remedy);
    faults_pop(decoder->faults, mark);
    return id;
}

static void
add_repeated_id(struct decoder *decoder, struct str id, const char *among)
{
    size_t mark = faults_push(decoder->faults, "id");

    faults_add(decoder->faults, ERR_INVALID_PARAMS,
               "%s stands twice among %s; give each its own id", quote(id).text, among);
    faults_pop(decoder->faults, mark);
}

static bool
take_truth(struct decoder *decoder, const char *key, const msgpack_object *value)
{
    bool truth = false;
    size_t mark = faults_push(decoder->faults, key);

    if (!value_is_nil(value) && !value_bool(value, &truth))
        field_wrong_type(&decoder->field, value, "true or false");
    faults_pop(decoder->faults, mark);
    return truth;
}

static int64_t
take_number(struct decoder *decoder, const char *key, const msgpack_object *value, int64_t min,
            int64_t max, int64_t preset)
{
    int64_t number = preset;
    size_t mark = faults_push(decoder->faults, key);

    field_take_number(&decoder->field, value, min, max, NULL, &number);
    faults_pop(decoder->faults, mark);
    return number;
}

static struct str
take_phrase(struct decoder *decoder, const msgpack_object *value)
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

/* The elements of an optional list, at most max of them; 0 for an absent or wrong one. */
static size_t
take_list(struct decoder *decoder, const msgpack_object *value, size_t max, const char *of)
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

/* A field that profiles of that side never have: what follows from it is for the caller to say. */
static void
warn_if_foreign(struct decoder *decoder, const struct field *field, struct str kind,
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

/* One operand under its key; false after a fault. `kind` is that of its side, may be empty. */
static bool
take_operand(struct decoder *decoder, const msgpack_object *value, const struct comparison *how,
             bool is_record, struct operand *operand)
{
    const struct field *field;
    struct str name;

    if (value_is_nil(value) && how->comparable == COMPARABLE_TEXTS) {
        *operand = (struct operand){.kind = OPERAND_FIELD, .field = FIELD_DESCRIPTION};
        return true;
    }
    if (value_is_nil(value)) {
        add_missing(decoder, is_record ? "write record. and a field, such as record.sectors"
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

static const struct field *
operand_field(const struct operand *operand)
{
    return operand->field < FIELD_NONE ? &schema[operand->field] : NULL;
}

/* Two operands that are good each on its own: do they go together? */
static bool
check_pair(struct decoder *decoder, const struct operand *of, const struct operand *by)
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

/* ---- wants ---- */

static bool
take_knot(struct decoder *decoder, const msgpack_object *value, struct knot *knot)
{
    int64_t q, p;

    if (!value_is_array(value) || value_size(value) != 2 || !value_int(value_at(value, 0), &q) ||
        !value_int(value_at(value, 1), &p)) {
        field_wrong_type(&decoder->field, value, "a pair [quality, points]");
        return false;
    }
    if (q < 0 || q > SCORE_MAX || p < 0 || p > SCORE_MAX) {
        faults_add(decoder->faults, ERR_INVALID_PARAMS,
                   "[%" PRId64 ", %" PRId64 "] is outside 0 to %d", q, p, SCORE_MAX);
        return false;
    }
    *knot = (struct knot){(int32_t)q, (int32_t)p};
    return true;
}

static void
check_curve(struct decoder *decoder, const struct want *want)
{
    bool is_flat = true;

    for (int i = 1; i < want->n_knots; i++) {
        is_flat &= want->curve[i].p == want->curve[0].p;
        if (want->curve[i].q > want->curve[i - 1].q)
            continue;
        faults_add(decoder->faults, ERR_INVALID_PARAMS,
                   "the qualities of a curve must rise, but %d follows %d", want->curve[i].q,
                   want->curve[i - 1].q);
        return;
    }
    if (want->curve[0].q != 0 || want->curve[want->n_knots - 1].q != SCORE_MAX)
        faults_add(decoder->faults, ERR_INVALID_PARAMS,
                   "the curve goes from quality %d to %d; begin it at 0 and end it at %d",
                   want->curve[0].q, want->curve[want->n_knots - 1].q, SCORE_MAX);
    else if (is_flat)
        faults_warn(decoder->faults,
                    "every quality gives %d points, so this want never tells two profiles apart",
                    want->curve[0].p);
}

static void
take_curve(struct decoder *decoder, const msgpack_object *value, struct want *want)
{
    size_t n, mark = faults_push(decoder->faults, "curve"), n_errors = decoder->faults->n_errors;

    n = take_list(decoder, value, KNOTS_MAX, "knots");
    for (size_t i = 0; i < n; i++) {
        size_t inner = faults_push_index(decoder->faults, i);

        take_knot(decoder, value_at(value, i), &want->curve[i]);
        faults_pop(decoder->faults, inner);
    }
    if (!value_is_nil(value) && n < 2 && decoder->faults->n_errors == n_errors)
        faults_add(decoder->faults, ERR_INVALID_PARAMS,
                   "a curve has at least two knots, such as [[0, 0], [10000, 10000]]");
    want->n_knots = (int)n;
    if (n >= 2 && decoder->faults->n_errors == n_errors)
        check_curve(decoder, want);
    faults_pop(decoder->faults, mark);
}

/* The kinds of the two sides as a view sees them. */
struct view_kinds {
    struct str viewer, counterpart;
};

static void
warn_of_want(struct decoder *decoder, const struct want *want, const struct view_kinds *kinds)
{
    const struct field *of = operand_field(&want->of), *by = operand_field(&want->by);
    static const char consequence[] = "this want is always unknown";

    if (want->of.kind == OPERAND_NUMBER && want->by.kind == OPERAND_NUMBER)
        faults_warn(decoder->faults,
                    "of and by are both numbers, so this want never tells two profiles apart");
    if (want->type == WANT_AT_LEAST && want->of.kind == OPERAND_NUMBER && want->of.number == 0)
        faults_warn(decoder->faults, "everybody has at least 0, so this want is always met");
    if (of != NULL)
        warn_if_foreign(decoder, of, kinds->viewer, consequence);
    if (by != NULL && want->by.kind == OPERAND_FIELD)
        warn_if_foreign(decoder, by, kinds->counterpart, consequence);
}

enum want_key {
    WANT_KEY_ID,
    WANT_KEY_TYPE,
    WANT_KEY_OF,
    WANT_KEY_BY,
    WANT_KEY_WEIGHT,
    WANT_KEY_MISSING,
    WANT_KEY_CURVE,
    WANT_KEY_PHRASE,
    WANT_KEY_COUNT
};
static const char *const want_keys[] = {"id",      "type",  "of",     "by", "weight",
                                        "missing", "curve", "phrase", NULL};

/* The type named by a want or requirement; NULL after a fault. */
static const struct comparison *
take_type(struct decoder *decoder, const msgpack_object *value, const struct comparison *all, int n,
          const char *noun)
{
    const char *names[WANT_TYPE_COUNT + REQUIRE_TYPE_COUNT + 1] = {NULL};
    const struct comparison *found = NULL;
    size_t mark = faults_push(decoder->faults, "type");
    int i;

    for (i = 0; i < n; i++)
        names[i] = all[i].name;
    if (value_is_nil(value)) {
        add_missing(decoder, "write how the two fields are compared");
    } else {
        i = take_name(decoder, value, names, noun);
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

static bool
take_want_operands(struct decoder *decoder, const msgpack_object *const found[],
                   const struct comparison *how, struct want *want)
{
    bool is_record = how->comparable == COMPARABLE_RECORD, is_good;
    size_t mark = faults_push(decoder->faults, "of");

    is_good = take_operand(decoder, found[WANT_KEY_OF], how, false, &want->of);
    faults_pop(decoder->faults, mark);
    mark = faults_push(decoder->faults, "by");
    is_good &= take_operand(decoder, found[WANT_KEY_BY], how, is_record, &want->by);
    if (is_good)
        is_good = check_pair(decoder, &want->of, &want->by);
    faults_pop(decoder->faults, mark);
    return is_good;
}

static void
take_want(struct decoder *decoder, const msgpack_object *value, const struct view_kinds *kinds,
          struct want *want)
{
    const msgpack_object *found[WANT_KEY_COUNT];
    const struct comparison *how;
    size_t mark;

    field_take_map(&decoder->field, value, want_keys, found);
    if (!value_is_map(value))
        return;
    want->id = take_needed_id(decoder, found[WANT_KEY_ID], "give the want a short name");
    mark = faults_push(decoder->faults, "weight");
    if (value_is_nil(found[WANT_KEY_WEIGHT]))
        add_missing(decoder, "write how much it counts, 1 to 1000");
    faults_pop(decoder->faults, mark);
    want->weight =
        (int32_t)take_number(decoder, "weight", found[WANT_KEY_WEIGHT], 1, WEIGHT_MAX, 1);
    want->missing = (int32_t)take_number(decoder, "missing", found[WANT_KEY_MISSING], 0, SCORE_MAX,
                                         MISSING_DEFAULT);
    take_curve(decoder, found[WANT_KEY_CURVE], want);
    want->phrase = take_phrase(decoder, found[WANT_KEY_PHRASE]);
    how =
        take_type(decoder, found[WANT_KEY_TYPE], want_comparisons, WANT_TYPE_COUNT, "type of want");
    if (how == NULL)
        return;
    want->type = (enum want_type)(how - want_comparisons);
    if (take_want_operands(decoder, found, how, want))
        warn_of_want(decoder, want, kinds);
}

static void
take_view(struct decoder *decoder, const msgpack_object *value, const struct view_kinds *kinds,
          struct view *view)
{
    size_t n = take_list(decoder, value, WANTS_MAX, "wants");

    view->wants = arena_alloc(decoder->arena, n, sizeof *view->wants);
    if (view->wants == NULL) {
        faults_no_memory(decoder->faults);
        return;
    }
    for (size_t i = 0; i < n; i++) {
        struct want *want = &view->wants[view->n_wants];
        size_t mark = faults_push_index(decoder->faults, i);

        take_want(decoder, value_at(value, i), kinds, want);
        for (int j = 0; j < view->n_wants; j++)
            if (want->id.len != 0 && str_equal(view->wants[j].id, want->id)) {
                add_repeated_id(decoder, want->id, "the wants of this side");
                break;
            }
        view->n_wants++;
        faults_pop(decoder->faults, mark);
    }
}

/* ---- requirements ---- */

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

/* `meets` with a number, or [lowest, highest]. */
static void
check_number_range(struct decoder *decoder, const struct field *field, const msgpack_object *value)
{
    int64_t low, high;

    if (!value_is_array(value)) {
        field_check(field, value, decoder->reference, decoder->faults);
        return;
    }
    if (value_size(value) != 2) {
        field_wrong_type(&decoder->field, value, "a whole number, or two: [lowest, highest]");
        return;
    }
    check_elements(decoder, field, value);
    if (value_int(value_at(value, 0), &low) && value_int(value_at(value, 1), &high) && low > high)
        faults_add(decoder->faults, ERR_INVALID_PARAMS,
                   "[%" PRId64 ", %" PRId64 "] goes down; exchange the two numbers", low, high);
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
        check_number_range(decoder, field, value);
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
            add_missing(decoder, "name a field of the to side, or write a value");
        else if (by->type == MSGPACK_OBJECT_POSITIVE_INTEGER)
            faults_add(decoder->faults, ERR_INVALID_PARAMS,
                       "by names a field; write value: %s for a number", field_shown(by).text);
        else if (take_operand(decoder, by, how, false, &requirement->by))
            check_pair(decoder, &requirement->of, &requirement->by);
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
    int i = value_is_nil(value) ? 0 : take_name(decoder, value, names, "rule for missing data");

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

    warn_if_foreign(decoder, operand_field(&requirement->of), pairing->from.kind, consequence);
    if (requirement->by.kind == OPERAND_FIELD)
        warn_if_foreign(decoder, operand_field(&requirement->by), pairing->to.kind, consequence);
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
        take_needed_id(decoder, found[REQUIRE_KEY_ID], "give the requirement a short name");
    requirement->missing_passes = take_missing_passes(decoder, found[REQUIRE_KEY_MISSING]);
    requirement->phrase = take_phrase(decoder, found[REQUIRE_KEY_PHRASE]);
    how = take_type(decoder, found[REQUIRE_KEY_TYPE], require_comparisons, REQUIRE_TYPE_COUNT,
                    "type of requirement");
    if (how == NULL)
        return;
    requirement->type = (enum require_type)(how - require_comparisons);
    mark = faults_push(decoder->faults, "of");
    is_good = take_operand(decoder, found[REQUIRE_KEY_OF], how, false, &requirement->of);
    faults_pop(decoder->faults, mark);
    if (is_good && take_other(decoder, found, how, requirement))
        warn_of_requirement(decoder, requirement, pairing);
}

static void
take_requirements(struct decoder *decoder, const msgpack_object *value, struct pairing *pairing)
{
    size_t n = take_list(decoder, value, REQUIREMENTS_MAX, "requirements");

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
                add_repeated_id(decoder, requirement->id, "the requirements of this pairing");
                break;
            }
        pairing->n_require++;
        faults_pop(decoder->faults, mark);
    }
}

/* ---- pairings ---- */

static void
take_side(struct decoder *decoder, const char *key, const msgpack_object *value, struct side *side)
{
    static const char *const keys[] = {"kind", "metro", NULL};
    const msgpack_object *found[2];
    size_t mark = faults_push(decoder->faults, key), inner;

    if (value_is_nil(value)) {
        add_missing(decoder, "write whom it holds, such as {kind: startup, metro: paris}");
    } else if (value_is_map(value)) {
        field_take_map(&decoder->field, value, keys, found);
        inner = faults_push(decoder->faults, "kind");
        field_take_code(&decoder->field, found[0], VOCABULARY_KINDS, -1, &side->kind);
        faults_pop(decoder->faults, inner);
        inner = faults_push(decoder->faults, "metro");
        field_take_code(&decoder->field, found[1], VOCABULARY_METROS, -1, &side->metro);
        faults_pop(decoder->faults, inner);
    } else {
        field_wrong_type(&decoder->field, value, "a map {kind, metro}");
    }
    faults_pop(decoder->faults, mark);
}

static enum combine
take_combine(struct decoder *decoder, const msgpack_object *value)
{
    size_t mark = faults_push(decoder->faults, "combine");
    int i = value_is_nil(value) ? COMBINE_HARMONIC
                                : take_name(decoder, value, combine_names, "way to combine");

    faults_pop(decoder->faults, mark);
    return i >= 0 ? (enum combine)i : COMBINE_HARMONIC;
}

static void
check_mirror(struct decoder *decoder, const struct pairing *pairing)
{
    size_t mark = faults_push(decoder->faults, "mirror");

    if (pairing->from.metro.len == 0 || pairing->to.metro.len == 0)
        faults_add(decoder->faults, ERR_INVALID_PARAMS,
                   "mirror exchanges the two metros, so both sides must name one");
    else if (str_equal(pairing->from.metro, pairing->to.metro))
        faults_add(decoder->faults, ERR_INVALID_PARAMS,
                   "mirror exchanges the two metros, but both sides name %.*s; name another or "
                   "leave mirror out",
                   STR_ARG(pairing->from.metro));
    faults_pop(decoder->faults, mark);
}

static void
warn_of_view(struct decoder *decoder, const char *key, const struct view *view, bool is_read,
             const char *other)
{
    size_t mark = faults_push(decoder->faults, key);

    if (view->n_wants == 0 && is_read)
        faults_warn(decoder->faults,
                    "%s is empty, so this side scores 10000 for everybody; add a want, or write "
                    "combine: %s",
                    key, other);
    if (view->n_wants != 0 && !is_read)
        faults_warn(decoder->faults, "combine: %s leaves these wants out of the score", other);
    faults_pop(decoder->faults, mark);
}

enum pairing_key {
    PAIRING_KEY_ID,
    PAIRING_KEY_FROM,
    PAIRING_KEY_TO,
    PAIRING_KEY_MIRROR,
    PAIRING_KEY_COMBINE,
    PAIRING_KEY_REQUIRE,
    PAIRING_KEY_FROM_WANTS,
    PAIRING_KEY_TO_WANTS,
    PAIRING_KEY_COUNT
};
static const char *const pairing_keys[] = {"id",      "from",       "to",       "mirror", "combine",
                                           "require", "from_wants", "to_wants", NULL};

static void
take_views(struct decoder *decoder, const msgpack_object *const found[], struct pairing *pairing)
{
    struct view_kinds from = {pairing->from.kind, pairing->to.kind};
    struct view_kinds to = {pairing->to.kind, pairing->from.kind};
    size_t n_errors = decoder->faults->n_errors;
    size_t mark = faults_push(decoder->faults, "require");

    take_requirements(decoder, found[PAIRING_KEY_REQUIRE], pairing);
    faults_pop(decoder->faults, mark);
    mark = faults_push(decoder->faults, "from_wants");
    take_view(decoder, found[PAIRING_KEY_FROM_WANTS], &from, &pairing->from_view);
    faults_pop(decoder->faults, mark);
    mark = faults_push(decoder->faults, "to_wants");
    take_view(decoder, found[PAIRING_KEY_TO_WANTS], &to, &pairing->to_view);
    faults_pop(decoder->faults, mark);
    if (decoder->faults->n_errors != n_errors)
        return;
    warn_of_view(decoder, "from_wants", &pairing->from_view, pairing->combine != COMBINE_TO, "to");
    warn_of_view(decoder, "to_wants", &pairing->to_view, pairing->combine != COMBINE_FROM, "from");
}

static void
take_pairing(struct decoder *decoder, const msgpack_object *value, struct pairing *pairing)
{
    const msgpack_object *found[PAIRING_KEY_COUNT];

    field_take_map(&decoder->field, value, pairing_keys, found);
    if (!value_is_map(value))
        return;
    pairing->id = take_needed_id(decoder, found[PAIRING_KEY_ID], "give the pairing a short name");
    take_side(decoder, "from", found[PAIRING_KEY_FROM], &pairing->from);
    take_side(decoder, "to", found[PAIRING_KEY_TO], &pairing->to);
    pairing->is_mirrored = take_truth(decoder, "mirror", found[PAIRING_KEY_MIRROR]);
    if (pairing->is_mirrored)
        check_mirror(decoder, pairing);
    pairing->combine = take_combine(decoder, found[PAIRING_KEY_COMBINE]);
    take_views(decoder, found, pairing);
}

static void
take_pairings(struct decoder *decoder, const msgpack_object *value, struct programme *programme)
{
    size_t n_errors = decoder->faults->n_errors;
    size_t n = take_list(decoder, value, PAIRINGS_MAX, "pairings");

    if (n == 0 && decoder->faults->n_errors == n_errors)
        add_missing(decoder, "a programme has at least one pairing");
    programme->pairings = arena_alloc(decoder->arena, n, sizeof *programme->pairings);
    if (programme->pairings == NULL) {
        faults_no_memory(decoder->faults);
        return;
    }
    for (size_t i = 0; i < n; i++) {
        struct pairing *pairing = &programme->pairings[programme->n_pairings];
        size_t mark = faults_push_index(decoder->faults, i);

        take_pairing(decoder, value_at(value, i), pairing);
        for (int j = 0; j < programme->n_pairings; j++)
            if (pairing->id.len != 0 && str_equal(programme->pairings[j].id, pairing->id)) {
                add_repeated_id(decoder, pairing->id, "the pairings");
                break;
            }
        programme->n_pairings++;
        faults_pop(decoder->faults, mark);
    }
}

/* ---- the programme ---- */

static void
take_names_by_language(struct decoder *decoder, const msgpack_object *value,
                       struct programme *programme)
{
    const struct vocabulary *languages = decoder->reference->vocabularies[VOCABULARY_LANGUAGES];
    struct field_pair *pairs;
    size_t n;

    if (!field_take_pairs(&decoder->field, value, vocabulary_size(languages), &pairs, &n))
        return;
    for (size_t i = 0; i < n; i++) {
        size_t mark = faults_push_str(decoder->faults, pairs[i].key);
        msgpack_object language = {.type = MSGPACK_OBJECT_STR};
        struct str text = {NULL, 0}, code;

        language.via.str.ptr = pairs[i].key.data;
        language.via.str.size = (uint32_t)pairs[i].key.len;
        if (field_take_code(&decoder->field, &language, VOCABULARY_LANGUAGES, -1, &code) ==
                TAKEN_VALUE &&
            field_take_text(&decoder->field, pairs[i].value, NAME_POINTS_MAX, true, &text) ==
                TAKEN_VALUE)
            for (int lang = 0; lang < LANG_COUNT; lang++)
                if (str_is(code, lang_code((enum lang)lang)))
                    programme->name[lang] = text;
        faults_pop(decoder->faults, mark);
    }
}

static void
take_programme_name(struct decoder *decoder, const msgpack_object *value,
                    struct programme *programme)
{
    struct str *name = programme->name;
    size_t n_errors = decoder->faults->n_errors;
    size_t mark = faults_push(decoder->faults, "name");

    if (value_is_map(value))
        take_names_by_language(decoder, value, programme);
    else if (field_take_text(&decoder->field, value, NAME_POINTS_MAX, true, &name[LANG_EN]) ==
             TAKEN_VALUE)
        name[LANG_FR] = name[LANG_EN];
    if (name[LANG_EN].len == 0)
        name[LANG_EN] = name[LANG_FR];
    if (name[LANG_FR].len == 0)
        name[LANG_FR] = name[LANG_EN];
    if (name[LANG_EN].len == 0 && decoder->faults->n_errors == n_errors)
        add_missing(decoder, "write it in English or French, such as {en: …, fr: …}");
    faults_pop(decoder->faults, mark);
}

enum programme_key {
    PROGRAMME_KEY_ID,
    PROGRAMME_KEY_NAME,
    PROGRAMME_KEY_PEOPLE,
    PROGRAMME_KEY_NIGHTLY,
    PROGRAMME_KEY_CONFIRM,
    PROGRAMME_KEY_PAIRINGS,
    PROGRAMME_KEY_COHORT,
    PROGRAMME_KEY_COUNT
};
static const char *const programme_keys[] = {"id",      "name",     "people", "nightly",
                                             "confirm", "pairings", "cohort", NULL};

static void
take_programme_part(struct decoder *decoder, enum programme_key key, const msgpack_object *value,
                    struct programme *programme)
{
    switch (key) {
    case PROGRAMME_KEY_ID:
    case PROGRAMME_KEY_NAME: /* these two set their own path */
        break;
    case PROGRAMME_KEY_PEOPLE:
        settings_check_people(&decoder->field, value);
        break;
    case PROGRAMME_KEY_NIGHTLY:
        settings_check_nightly(&decoder->field, value);
        break;
    case PROGRAMME_KEY_CONFIRM:
        settings_check_confirm(&decoder->field, value);
        break;
    case PROGRAMME_KEY_PAIRINGS:
        take_pairings(decoder, value, programme);
        break;
    case PROGRAMME_KEY_COHORT:
        settings_check_cohort(&decoder->field, value);
        break;
    case PROGRAMME_KEY_COUNT:
        break;
    }
}

static void
take_programme(struct decoder *decoder, const msgpack_object *value, struct programme *programme)
{
    const msgpack_object *found[PROGRAMME_KEY_COUNT];

    field_take_map(&decoder->field, value, programme_keys, found);
    if (!value_is_map(value))
        return;
    programme->id =
        take_needed_id(decoder, found[PROGRAMME_KEY_ID], "give the programme a short name");
    take_programme_name(decoder, found[PROGRAMME_KEY_NAME], programme);
    for (int i = 0; i < PROGRAMME_KEY_COUNT; i++) {
        size_t mark = faults_push(decoder->faults, programme_keys[i]);

        take_programme_part(decoder, (enum programme_key)i, found[i], programme);
        faults_pop(decoder->faults, mark);
    }
}

/* Without what programme.get adds. Writes the pairs of a map of ours. */
static void
drop_ignored(msgpack_object *map)
{
    static const char *const ignored[] = {"version", "updated_at", "seq"};
    uint32_t kept = 0;

    for (uint32_t i = 0; i < map->via.map.size; i++) {
        bool is_ignored = false;

        for (size_t j = 0; j < sizeof ignored / sizeof ignored[0]; j++)
            is_ignored |= str_is(value_key(map, i), ignored[j]);
        if (!is_ignored)
            map->via.map.ptr[kept++] = map->via.map.ptr[i];
    }
    map->via.map.size = kept;
}

void
programme_decode(const msgpack_object *given, const struct reference *reference,
                 struct faults *faults, struct programme **out)
{
    struct decoder decoder = {.field = {.reference = reference, .faults = faults},
                              .arena = faults->arena,
                              .reference = reference,
                              .faults = faults};
    size_t n_errors = faults->n_errors;
    struct programme *programme;
    struct err err = {.code = ERR_OK};
    msgpack_object *source;

    if (value_is_nil(given) || !field_keys_are_good(faults, given)) {
        if (value_is_nil(given))
            faults_add(faults, ERR_INVALID_PARAMS,
                       "the programme is empty; it needs an id, a name "
                       "and pairings");
        return;
    }
    programme = arena_alloc(faults->arena, 1, sizeof *programme);
    if (programme == NULL) {
        faults_no_memory(faults);
        return;
    }
    if (canonical_copy(given, faults->arena, &source, &err) != ERR_OK) {
        faults_add_err(faults, &err);
        return;
    }
    if (value_is_map(source))
        drop_ignored(source);
    programme->source = source;
    take_programme(&decoder, source, programme);
    if (faults->n_errors == n_errors)
        *out = programme;
}

void
programme_encode(const struct programme *programme, struct buf *out)
{
    pack_value(out, programme->source);
}

const struct pairing *
programme_pairing(const struct programme *programme, struct str id)
{
    for (int i = 0; i < programme->n_pairings; i++)
        if (str_equal(programme->pairings[i].id, id))
            return &programme->pairings[i];
    return NULL;
}

bool
pairing_fits(const struct pairing *pairing, bool mirrored, bool on_from, struct str kind,
             struct str metro)
{
    const struct side *side = on_from ? &pairing->from : &pairing->to;
    const struct side *metro_side = on_from != mirrored ? &pairing->from : &pairing->to;

    if (mirrored && !pairing->is_mirrored)
        return false;
    if (side->kind.len != 0 && !str_equal(side->kind, kind))
        return false;
    return metro_side->metro.len == 0 || str_equal(metro_side->metro, metro);
}
