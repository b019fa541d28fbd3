#include "settings.h"

#include <inttypes.h>

enum {
    QUOTAS_MAX = 64,
    PAIRS_MAX = 1000,
    PLACES_MAX = 1000000,
    NIGHTLY_K_MAX = 1000,
    CONFIRM_MAX = 16,
};

enum cohort_key {
    COHORT_SIZE,
    COHORT_METHOD,
    COHORT_QUOTAS,
    COHORT_PREFERENCES,
    COHORT_TIE_SEED,
    COHORT_PINNED,
    COHORT_EXCLUDED,
    COHORT_HOST_MIN,
    COHORT_KEY_COUNT
};
static const char *const cohort_keys[] = {
    "size", "method", "quotas", "preferences", "tie_seed", "pinned", "excluded", "host_min", NULL};
static const char *const methods[] = {"stable", "stable_to", "optimal", NULL};

static void
check_truth(struct field_checker *checker, const msgpack_object *value)
{
    bool truth;

    if (!value_is_nil(value) && !value_bool(value, &truth))
        field_wrong_type(checker, value, "true or false");
}

/* A list within its limit? Else a fault. */
static bool
check_list(struct field_checker *checker, const msgpack_object *value, size_t max, const char *of)
{
    if (value_is_nil(value) || !field_is_list(checker, value, of))
        return false;
    if (value_size(value) <= max)
        return true;
    faults_add(checker->faults, ERR_TOO_LARGE, "%s has %zu %s; at most %zu are taken",
               field_here(checker), value_size(value), of, max);
    return false;
}

static void
check_needed(struct field_checker *checker, enum taken taken, const char *remedy)
{
    if (taken == TAKEN_NOTHING)
        faults_add(checker->faults, ERR_INVALID_PARAMS, "%s is missing; %s", field_here(checker),
                   remedy);
}

/* ---- quotas ---- */

static const struct field *
take_quota_field(struct field_checker *checker, const msgpack_object *value)
{
    const struct field *field;
    struct str name;

    if (value_is_nil(value)) {
        check_needed(checker, TAKEN_NOTHING, "name a field with codes, such as stage");
        return NULL;
    }
    if (!value_str(value, &name)) {
        field_wrong_type(checker, value, "the name of a field");
        return NULL;
    }
    field = schema_find(name);
    if (field != NULL && field->vocabulary >= 0 && field->slot == SLOT_CODES)
        return field;
    faults_add(
        checker->faults, ERR_INVALID_PARAMS,
        "%s is no field with codes; a quota goes by stage, sectors, metro, country or another",
        quote(name).text);
    return NULL;
}

static void
check_quota(struct field_checker *checker, const msgpack_object *quota)
{
    static const char *const keys[] = {"field", "code", "min", "max", NULL};
    const msgpack_object *found[4];
    const struct field *field;
    int64_t min = 0, max = 0;
    enum taken has_min, has_max;
    struct str code;
    size_t mark;

    if (!field_take_map(checker, quota, keys, found))
        return;
    mark = faults_push(checker->faults, "field");
    field = take_quota_field(checker, found[0]);
    faults_pop(checker->faults, mark);
    mark = faults_push(checker->faults, "code");
    if (field != NULL)
        check_needed(
            checker,
            field_take_code(checker, found[1], field->vocabulary, field->vocabulary_too, &code),
            "name the code that is counted");
    faults_pop(checker->faults, mark);
    mark = faults_push(checker->faults, "min");
    has_min = field_take_number(checker, found[2], 0, PLACES_MAX, "places", &min);
    faults_pop(checker->faults, mark);
    mark = faults_push(checker->faults, "max");
    has_max = field_take_number(checker, found[3], 0, PLACES_MAX, "places", &max);
    faults_pop(checker->faults, mark);
    if (has_min == TAKEN_NOTHING && has_max == TAKEN_NOTHING)
        faults_add(checker->faults, ERR_INVALID_PARAMS,
                   "%s has neither min nor max; write at least one", field_here(checker));
    if (has_min == TAKEN_VALUE && has_max == TAKEN_VALUE && max < min)
        faults_add(checker->faults, ERR_INVALID_PARAMS,
                   "max %" PRId64 " is less than min %" PRId64 "; exchange them", max, min);
}

static void
check_quotas(struct field_checker *checker, const msgpack_object *quotas)
{
    if (!check_list(checker, quotas, QUOTAS_MAX, "quotas"))
        return;
    for (size_t i = 0; i < value_size(quotas); i++) {
        size_t mark = faults_push_index(checker->faults, i);

        check_quota(checker, value_at(quotas, i));
        faults_pop(checker->faults, mark);
    }
}

/* ---- pins and bans ---- */

static bool
check_profile_id(struct field_checker *checker, const msgpack_object *value)
{
    struct str id;
    enum taken taken = field_take_id(checker, value, &id);

    check_needed(checker, taken, "write the id of a profile");
    return taken == TAKEN_VALUE;
}

static void
check_pair(struct field_checker *checker, const msgpack_object *pair)
{
    bool is_good = true;

    if (!value_is_array(pair) || value_size(pair) != 2) {
        field_wrong_type(checker, pair, "a pair of ids [from, to]");
        return;
    }
    for (size_t i = 0; i < 2; i++) {
        size_t mark = faults_push_index(checker->faults, i);

        is_good &= check_profile_id(checker, value_at(pair, i));
        faults_pop(checker->faults, mark);
    }
    if (is_good && value_equal(value_at(pair, 0), value_at(pair, 1)))
        faults_add(checker->faults, ERR_INVALID_PARAMS,
                   "%s pairs %s with itself; name two profiles", field_here(checker),
                   field_shown(value_at(pair, 0)).text);
}

static void
check_pairs(struct field_checker *checker, const msgpack_object *pairs, bool may_be_ids)
{
    if (!check_list(checker, pairs, PAIRS_MAX, may_be_ids ? "ids and pairs" : "pairs"))
        return;
    for (size_t i = 0; i < value_size(pairs); i++) {
        const msgpack_object *pair = value_at(pairs, i);
        size_t mark = faults_push_index(checker->faults, i);

        if (may_be_ids && !value_is_array(pair))
            check_profile_id(checker, pair);
        else
            check_pair(checker, pair);
        faults_pop(checker->faults, mark);
    }
}

static void
check_host_min(struct field_checker *checker, const msgpack_object *value)
{
    int64_t number;

    if (!value_is_map(value)) {
        field_take_number(checker, value, 0, PLACES_MAX, "places", &number);
        return;
    }
    if (value_size(value) > PAIRS_MAX) {
        faults_add(checker->faults, ERR_TOO_LARGE, "host_min has %zu hosts; at most %d are taken",
                   value_size(value), PAIRS_MAX);
        return;
    }
    for (size_t i = 0; i < value_size(value); i++) {
        struct str key = value_key(value, i);
        size_t mark = faults_push_str(checker->faults, key);

        if (!id_is_valid(key))
            faults_add(checker->faults, ERR_INVALID_PARAMS, "%s is no id of a profile",
                       quote(key).text);
        field_take_number(checker, value_of(value, i), 0, PLACES_MAX, "places", &number);
        faults_pop(checker->faults, mark);
    }
}

/* ---- cohort ---- */

static void
check_method(struct field_checker *checker, const msgpack_object *value)
{
    struct str name;

    if (value_is_nil(value))
        return;
    if (!value_str(value, &name)) {
        field_wrong_type(checker, value, "stable, stable_to or optimal");
        return;
    }
    for (size_t i = 0; methods[i] != NULL; i++)
        if (str_is(name, methods[i]))
            return;
    faults_add(checker->faults, ERR_INVALID_PARAMS,
               "%s is no method; write stable, stable_to or optimal", quote(name).text);
}

static void
check_cohort_part(struct field_checker *checker, enum cohort_key key, const msgpack_object *value)
{
    int64_t number;

    switch (key) {
    case COHORT_SIZE:
        field_take_number(checker, value, 1, PLACES_MAX, "places", &number);
        break;
    case COHORT_METHOD:
        check_method(checker, value);
        break;
    case COHORT_QUOTAS:
        check_quotas(checker, value);
        break;
    case COHORT_PREFERENCES:
        check_truth(checker, value);
        break;
    case COHORT_TIE_SEED:
        field_take_number(checker, value, 0, INT64_MAX, NULL, &number);
        break;
    case COHORT_PINNED:
        check_pairs(checker, value, false);
        break;
    case COHORT_EXCLUDED:
        check_pairs(checker, value, true);
        break;
    case COHORT_HOST_MIN:
        check_host_min(checker, value);
        break;
    case COHORT_KEY_COUNT:
        break;
    }
}

void
settings_check_cohort(struct field_checker *checker, const msgpack_object *cohort)
{
    const msgpack_object *found[COHORT_KEY_COUNT];
    struct str method = {NULL, 0};

    if (value_is_nil(cohort))
        return;
    field_take_map(checker, cohort, cohort_keys, found);
    if (!value_is_map(cohort))
        return;
    for (int i = 0; i < COHORT_KEY_COUNT; i++) {
        size_t mark = faults_push(checker->faults, cohort_keys[i]);

        check_cohort_part(checker, (enum cohort_key)i, found[i]);
        faults_pop(checker->faults, mark);
    }
    value_str(found[COHORT_METHOD], &method);
    if (!str_is(method, "stable") && !str_is(method, "stable_to"))
        return;
    for (int i = 0; i < COHORT_KEY_COUNT; i++) {
        size_t mark = faults_push(checker->faults, cohort_keys[i]);

        if (found[i] != NULL && (i == COHORT_SIZE || i == COHORT_QUOTAS || i == COHORT_HOST_MIN))
            faults_add(checker->faults, ERR_INVALID_PARAMS,
                       "%s does not go with method %.*s, whose size follows from the capacities; "
                       "write method: optimal",
                       cohort_keys[i], STR_ARG(method));
        faults_pop(checker->faults, mark);
    }
}

/* ---- the others ---- */

void
settings_check_people(struct field_checker *checker, const msgpack_object *people)
{
    check_truth(checker, people);
}

void
settings_check_nightly(struct field_checker *checker, const msgpack_object *nightly)
{
    static const char *const keys[] = {"k", NULL};
    const msgpack_object *found[1];
    int64_t k;
    size_t mark;

    if (!value_is_map(nightly)) {
        check_truth(checker, nightly);
        return;
    }
    field_take_map(checker, nightly, keys, found);
    mark = faults_push(checker->faults, "k");
    field_take_number(checker, found[0], 1, NIGHTLY_K_MAX, "matches", &k);
    faults_pop(checker->faults, mark);
}

void
settings_check_confirm(struct field_checker *checker, const msgpack_object *confirm)
{
    struct str metro;

    if (!check_list(checker, confirm, CONFIRM_MAX, "metros"))
        return;
    for (size_t i = 0; i < value_size(confirm); i++) {
        size_t mark = faults_push_index(checker->faults, i);

        check_needed(checker,
                     field_take_code(checker, value_at(confirm, i), VOCABULARY_METROS, -1, &metro),
                     "name a metro");
        faults_pop(checker->faults, mark);
    }
}
