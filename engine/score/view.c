#include "view.h"

#include "code_set.h"
#include "curve.h"

/* ---- track records ---- */

/* The value that an outcome's other party now holds in the field of the record; NULL where the
 * outcome does not count at all. */
static const struct slot *
outcome_slot(const struct match_plan *plan, enum field_id field, const struct outcome *outcome,
             const struct pair *pair, int viewer)
{
    const struct facts *other;
    const struct slot *slot;

    if (!outcome->is_positive || outcome->day >= plan->day || outcome->other == pair->rows[viewer])
        return NULL;
    other = roster_facts(plan->roster, outcome->other);
    slot = other != NULL ? facts_slot(other, field) : &slot_missing;
    return slot->state == SLOT_KNOWN ? slot : NULL;
}

void
record_counts(const struct match_plan *plan, const struct plan_want *want,
              const struct slot_codes *codes, const struct pair *pair, int viewer,
              struct record_count *out)
{
    uint32_t row = pair->rows[1 - viewer];
    const struct record *record = row != ROSTER_NO_ROW ? roster_record(plan->roster, row) : NULL;

    *out = (struct record_count){.code = SYMBOL_NONE};
    for (uint32_t c = 0; record != NULL && c < codes->n; c++) {
        symbol code = codes->codes[c];
        uint32_t n = 0;

        for (uint32_t i = 0; i < record->n; i++) {
            const struct slot *slot =
                outcome_slot(plan, want->by.field, &record->outcomes[i], pair, viewer);

            if (slot == NULL)
                continue;
            n += code_set_has(&slot->codes, code);
            out->saw_confidential |= slot->is_confidential;
        }
        if (n > out->most ||
            (n == out->most && n > 0 &&
             str_compare(match_symbol_text(plan, code), match_symbol_text(plan, out->code)) < 0)) {
            out->most = n;
            out->code = code;
        }
    }
}

/* ---- texts ---- */

static bool
view_has_text(const struct plan_view *view)
{
    for (int i = 0; i < view->n_wants; i++)
        if (view->wants[i].want->type == WANT_TEXT)
            return true;
    return false;
}

bool
plan_has_text(const struct match_plan *plan)
{
    return view_has_text(&plan->views[PLAN_FROM]) || view_has_text(&plan->views[PLAN_TO]);
}

enum err_code
match_need_texts(const struct match_plan *plan, const struct facts *from, const struct facts *to,
                 struct err *err)
{
    enum err_code code;

    if (!plan_has_text(plan) || pair_uses_embedding(from, to))
        return ERR_OK;
    code = facts_need_text(from, err);
    return code == ERR_OK ? facts_need_text(to, err) : code;
}

/* ---- one want ---- */

bool
pair_uses_embedding(const struct facts *a, const struct facts *b)
{
    return a->n_embedding > 0 && a->n_embedding == b->n_embedding;
}

static bool
text_is_missing(const struct facts *facts, bool by_embedding)
{
    return by_embedding ? facts->embedding_norm2 == 0 : facts->text.n == 0;
}

static bool
text_is_known(const struct pair *pair)
{
    const struct facts *a = pair->facts[PLAN_FROM], *b = pair->facts[PLAN_TO];
    bool by_embedding = pair_uses_embedding(a, b);

    return !text_is_missing(a, by_embedding) && !text_is_missing(b, by_embedding);
}

static int32_t
vector_quality(const struct facts *a, const struct facts *b)
{
    struct text_vector of_a = facts_text(a), of_b = facts_text(b);

    return text_vector_quality(&of_a, &of_b);
}

static int32_t
text_quality(struct pair *pair)
{
    const struct facts *a = pair->facts[PLAN_FROM], *b = pair->facts[PLAN_TO];

    if (pair->has_text)
        return pair->text_quality;
    pair->has_text = true;
    if (!text_is_known(pair))
        pair->text_quality = TEXT_UNKNOWN;
    else if (pair_uses_embedding(a, b))
        pair->text_quality = embedding_quality(a, b);
    else
        pair->text_quality = vector_quality(a, b);
    return pair->text_quality;
}

static void
judge_text(struct pair *pair, int viewer, struct judgement *out)
{
    bool by_embedding = pair_uses_embedding(pair->facts[PLAN_FROM], pair->facts[PLAN_TO]);

    out->quality = text_quality(pair);
    out->is_known = out->quality != TEXT_UNKNOWN;
    out->of_missing = text_is_missing(pair->facts[viewer], by_embedding);
    out->by_missing = text_is_missing(pair->facts[1 - viewer], by_embedding);
}

static void
judge_range(const struct match_plan *plan, const struct plan_want *want, const struct slot *a,
            const struct slot *b, struct judgement *out)
{
    int64_t a_min, a_max, b_min, b_max;

    out->of_missing = !plan_range(plan, &want->of, a, &a_min, &a_max);
    out->by_missing = !plan_range(plan, &want->by, b, &b_min, &b_max);
    out->is_known = !out->of_missing && !out->by_missing;
    if (out->is_known)
        out->quality = range_quality(cell_range_of(a_min, a_max), cell_range_of(b_min, b_max));
}

static void
judge_stage(const struct match_plan *plan, const struct slot *a, const struct slot *b,
            struct judgement *out)
{
    bool a_has, b_has;
    int64_t distance = stage_distance(&a->codes, &b->codes, &plan->orders, &a_has, &b_has);

    out->of_missing = !a_has;
    out->by_missing = !b_has;
    out->is_known = a_has && b_has;
    if (out->is_known)
        out->quality = stage_quality(distance);
}

static void
judge_period(const struct slot *a, const struct slot *b, struct judgement *out)
{
    struct period_common common;
    int32_t quality = period_quality(&a->period, &b->period, &common);

    out->is_known = quality >= 0;
    out->of_missing = out->by_missing = quality < 0; /* the same end is open in both */
    out->quality = quality;
}

/* Both values are there; range, stage and period may still find nothing to compare. */
static void
judge_known(const struct match_plan *plan, const struct plan_want *want, const struct slot *a,
            const struct slot *b, struct judgement *out)
{
    switch (want->want->type) {
    case WANT_OVERLAP:
        out->quality = overlap_quality(&a->codes, &b->codes, plan->scope);
        break;
    case WANT_COVER:
        out->quality = cover_quality(&a->codes, &b->codes);
        break;
    case WANT_ANY:
        out->quality = any_quality(&a->codes, &b->codes);
        break;
    case WANT_SAME:
        out->quality = same_quality(&a->codes, &b->codes);
        break;
    case WANT_STAGE:
        judge_stage(plan, a, b, out);
        break;
    case WANT_RANGE:
        judge_range(plan, want, a, b, out);
        break;
    case WANT_AT_LEAST:
        out->quality = at_least_quality(a->number, b->number);
        break;
    case WANT_PERIOD:
        judge_period(a, b, out);
        break;
    case WANT_RECORD: /* counted by whoever knows the pair */
    case WANT_TEXT:
    case WANT_MODEL:      /* match_plan_make refuses it */
    case WANT_TYPE_COUNT: /* no type */
        break;
    }
}

static void
judge_values(const struct match_plan *plan, const struct plan_want *want, const struct slot *a,
             const struct slot *b, struct judgement *out)
{
    out->of_missing = a->state == SLOT_MISSING;
    /* no outcomes are a track record too */
    out->by_missing = b->state == SLOT_MISSING && want->by.kind != OPERAND_RECORD;
    out->is_known = !out->of_missing && !out->by_missing;
    if (out->is_known)
        judge_known(plan, want, a, b, out);
}

static void
judge_points(const struct plan_want *want, struct judgement *out)
{
    if (!out->is_known)
        out->quality = want->want->missing;
    out->points = curve_points(want->want->curve, want->want->n_knots, out->quality);
}

int32_t
want_points(const struct match_plan *plan, const struct plan_want *want, const struct slot *a,
            const struct slot *b)
{
    struct judgement judgement = {0};

    judge_values(plan, want, a, b, &judgement);
    judge_points(want, &judgement);
    return judgement.points;
}

void
want_judge(const struct match_plan *plan, const struct plan_want *want, struct pair *pair,
           int viewer, struct judgement *out)
{
    const struct slot *a = plan_slot(&want->of, pair->facts[viewer]);
    const struct slot *b = plan_slot(&want->by, pair->facts[1 - viewer]);

    *out = (struct judgement){0};
    if (want->want->type == WANT_TEXT)
        judge_text(pair, viewer, out);
    else
        judge_values(plan, want, a, b, out);
    if (want->want->type == WANT_RECORD && out->is_known) {
        struct record_count count;

        record_counts(plan, want, &a->codes, pair, viewer, &count);
        out->quality = record_quality(count.most);
    }
    judge_points(want, out);
}

/* As want_judge says, at less cost. */
static bool
want_is_known(const struct match_plan *plan, const struct plan_want *want, const struct pair *pair,
              int viewer)
{
    struct judgement judgement = {0};

    if (want->want->type == WANT_TEXT)
        return text_is_known(pair);
    judge_values(plan, want, plan_slot(&want->of, pair->facts[viewer]),
                 plan_slot(&want->by, pair->facts[1 - viewer]), &judgement);
    return judgement.is_known;
}

/* ---- views and scores ---- */

int32_t
combine_views(enum combine combine, int32_t from_view, int32_t to_view)
{
    switch (combine) {
    case COMBINE_HARMONIC: /* 2ab is at most 2 * 10^8 */
        return from_view + to_view > 0 ? 2 * from_view * to_view / (from_view + to_view) : 0;
    case COMBINE_MEAN:
        return (from_view + to_view) / 2;
    case COMBINE_MIN:
        return from_view < to_view ? from_view : to_view;
    case COMBINE_FROM:
        return from_view;
    case COMBINE_TO:
        return to_view;
    }
    return 0;
}

void
score_of_sums(const struct match_plan *plan, const int64_t sums[PLAN_SIDES],
              struct match_score *out)
{
    int32_t views[PLAN_SIDES];

    for (int side = 0; side < PLAN_SIDES; side++) {
        int64_t weight = plan->views[side].weight;

        views[side] = weight > 0 ? (int32_t)(sums[side] / weight) : SCORE_MAX;
    }
    *out = (struct match_score){.score =
                                    combine_views(plan->combine, views[PLAN_FROM], views[PLAN_TO]),
                                .from_view = views[PLAN_FROM],
                                .to_view = views[PLAN_TO]};
}

/* Of the weights of both views' wants that are known. */
static int32_t
coverage(const struct match_plan *plan, int64_t known)
{
    int64_t all = plan->views[PLAN_FROM].weight + plan->views[PLAN_TO].weight;

    return all > 0 ? (int32_t)(SCORE_MAX * known / all) : SCORE_MAX;
}

int32_t
pair_coverage(const struct match_plan *plan, const struct pair *pair)
{
    int64_t known = 0;

    for (int viewer = 0; viewer < PLAN_SIDES; viewer++) {
        const struct plan_view *view = &plan->views[viewer];

        for (int i = 0; i < view->n_wants; i++)
            if (want_is_known(plan, &view->wants[i], pair, viewer))
                known += view->wants[i].want->weight;
    }
    return coverage(plan, known);
}

void
pair_score(const struct match_plan *plan, struct pair *pair, struct match_score *out)
{
    int64_t sums[PLAN_SIDES] = {0}, known = 0;

    for (int viewer = 0; viewer < PLAN_SIDES; viewer++) {
        const struct plan_view *view = &plan->views[viewer];

        for (int i = 0; i < view->n_wants; i++) {
            const struct want *want = view->wants[i].want;
            struct judgement judgement;

            want_judge(plan, &view->wants[i], pair, viewer, &judgement);
            sums[viewer] += (int64_t)want->weight * judgement.points;
            if (judgement.is_known)
                known += want->weight;
        }
    }
    score_of_sums(plan, sums, out);
    out->coverage = coverage(plan, known);
}

void
match_pair_score(const struct match_plan *plan, const struct facts *from, uint32_t from_row,
                 const struct facts *to, uint32_t to_row, struct match_score *out)
{
    struct pair pair = {.facts = {from, to}, .rows = {from_row, to_row}};

    pair_score(plan, &pair, out);
}
