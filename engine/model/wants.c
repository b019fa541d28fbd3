#include "wants.h"

#include <inttypes.h>

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

    n = decoder_take_list(decoder, value, KNOTS_MAX, "knots");
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
        decoder_warn_if_foreign(decoder, of, kinds->viewer, consequence);
    if (by != NULL && want->by.kind == OPERAND_FIELD)
        decoder_warn_if_foreign(decoder, by, kinds->counterpart, consequence);
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

static bool
take_want_operands(struct decoder *decoder, const msgpack_object *const found[],
                   const struct comparison *how, struct want *want)
{
    bool is_record = how->comparable == COMPARABLE_RECORD, is_good;
    size_t mark = faults_push(decoder->faults, "of");

    is_good = decoder_take_operand(decoder, found[WANT_KEY_OF], how, false, &want->of);
    faults_pop(decoder->faults, mark);
    mark = faults_push(decoder->faults, "by");
    is_good &= decoder_take_operand(decoder, found[WANT_KEY_BY], how, is_record, &want->by);
    if (is_good)
        is_good = decoder_check_pair(decoder, &want->of, &want->by);
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
    want->id = decoder_take_id(decoder, found[WANT_KEY_ID], "give the want a short name");
    mark = faults_push(decoder->faults, "weight");
    if (value_is_nil(found[WANT_KEY_WEIGHT]))
        decoder_add_missing(decoder, "write how much it counts, 1 to 1000");
    faults_pop(decoder->faults, mark);
    want->weight =
        (int32_t)decoder_take_number(decoder, "weight", found[WANT_KEY_WEIGHT], 1, WEIGHT_MAX, 1);
    want->missing = (int32_t)decoder_take_number(decoder, "missing", found[WANT_KEY_MISSING], 0,
                                                 SCORE_MAX, MISSING_DEFAULT);
    take_curve(decoder, found[WANT_KEY_CURVE], want);
    want->phrase = decoder_take_phrase(decoder, found[WANT_KEY_PHRASE]);
    how = decoder_take_type(decoder, found[WANT_KEY_TYPE], want_comparisons, WANT_TYPE_COUNT,
                            "type of want");
    if (how == NULL)
        return;
    want->type = (enum want_type)(how - want_comparisons);
    if (take_want_operands(decoder, found, how, want))
        warn_of_want(decoder, want, kinds);
}

void
wants_take(struct decoder *decoder, const msgpack_object *value, const struct view_kinds *kinds,
           struct view *view)
{
    size_t n = decoder_take_list(decoder, value, WANTS_MAX, "wants");

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
                decoder_add_repeated_id(decoder, want->id, "the wants of this side");
                break;
            }
        view->n_wants++;
        faults_pop(decoder->faults, mark);
    }
}
