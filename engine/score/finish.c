#include "bits.h"
#include "curve.h"
#include "requirement.h"
#include "search.h"
#include "view.h"

/* What a survivor's sums still lack. */
struct rest {
    int64_t gains[PLAN_SIDES]; /* what that could bring at most */
    bool has_record;
};

/* ---- texts ---- */

static int64_t
text_points(const struct search *search, int view, int32_t quality)
{
    const struct plan_view *wants = &search->plan->views[view];
    int64_t points = 0;

    for (int i = 0; i < wants->n_wants; i++) {
        const struct want *want = wants->wants[i].want;

        if (want->type == WANT_TEXT)
            points += (int64_t)want->weight * curve_points(want->curve, want->n_knots, quality);
    }
    return points;
}

/* No less than the quality of two texts whose dot product is this; TEXT_COSINE_SHIFT. */
static uint64_t
cosine_most(const struct text_measure *a, const struct text_measure *b, int64_t dot)
{
    enum { SHIFT = 32 }; /* dot < 2^31 */

    /* isqrt(x * y) is not below isqrt(x) * isqrt(y) */
    return (((uint64_t)dot << SHIFT) / ((uint64_t)a->root * b->root) + 1)
           << (TEXT_COSINE_SHIFT - SHIFT);
}

/* The exact quality of the two embeddings, neither of them 0 everywhere. */
static int32_t
embedding_quality_of(const struct search *search, const struct block *block, uint32_t place)
{
    const struct kernel *kernel = search->plan->kernel;
    const struct facts *looker = search->query->viewer, *other = block->facts[place];
    const int8_t *row = block_embedding(block, place, looker->n_embedding);
    const int8_t *both[] = {search->embedding, row};
    int32_t dots[2];

    if (row == NULL) {
        kernel->dots(looker->embedding, looker->n_embedding, &other->embedding, 1, dots);
        return embedding_dot_quality(dots[0], looker->embedding_norm2, other->embedding_norm2);
    }
    kernel->dots(row, (uint32_t)embedding_stride(looker->n_embedding), both, 2, dots);
    return embedding_dot_quality(dots[0], looker->embedding_norm2, (uint32_t)dots[1]);
}

/* ---- what is still to come ---- */

/* The most that the place's record could bring. */
static const int64_t *
record_gains(const struct search *search, const struct block *block, uint32_t place)
{
    uint32_t n = block->outcomes[place];

    return search->record_gains[n < RECORD_STEPS ? n : RECORD_STEPS];
}

int64_t
search_record_loss(const struct search *search, const struct block *block, uint32_t place)
{
    const int64_t *gains = record_gains(search, block, place);

    return search->rates[PLAN_FROM] * (search->record_gain[PLAN_FROM] - gains[PLAN_FROM]) +
           search->rates[PLAN_TO] * (search->record_gain[PLAN_TO] - gains[PLAN_TO]);
}

static void
rest_of(const struct search *search, const struct block *block, uint32_t place, uint8_t text_step,
        struct rest *rest)
{
    *rest = (struct rest){.has_record = search->all_pend};
    if (has_bit(block->with_record, place)) {
        const int64_t *gains = record_gains(search, block, place);

        rest->gains[PLAN_FROM] = gains[PLAN_FROM];
        rest->gains[PLAN_TO] = gains[PLAN_TO];
        rest->has_record = true; /* it may bring less than none, by the curve */
    }
    for (int view = 0; view < PLAN_SIDES; view++) {
        rest->gains[view] += search->rest[view];
        if (search->has_text)
            rest->gains[view] += search->texts[view].caps[text_step];
    }
}

/* Judges the record wants of the pair: their points over what the sums have of them. */
static void
add_records(const struct search *search, const struct block *block, uint32_t place,
            int64_t sums[PLAN_SIDES])
{
    struct lens *lens = search->lens;
    struct pair pair = {0};

    pair.facts[search->side] = search->query->viewer;
    pair.facts[1 - search->side] = block->facts[place];
    pair.rows[search->side] = search->query->row;
    pair.rows[1 - search->side] = block->rows[place];
    for (size_t i = 0; i < lens->n_wants; i++) {
        const struct lens_want *want = &lens->wants[i];
        struct judgement judgement;

        if (want->kind != LENS_CANDIDATE_RECORD &&
            (want->kind != LENS_LOOKER_RECORD || !search->has_looker_record))
            continue;
        want_judge(search->plan, want->want, &pair, want->view, &judgement);
        sums[want->view] += (int64_t)want->weight * judgement.points;
        if (want->kind == LENS_CANDIDATE_RECORD)
            sums[want->view] -=
                (int64_t)want->weight * lens_points(lens, want, search->points[i], 0);
    }
}

/* Could sums and what may come besides reach the least score? The tangent is asked first: it is cheaper. */
static bool
may_reach(const struct search *search, const int64_t sums[PLAN_SIDES],
          const int64_t gains[PLAN_SIDES], int32_t least)
{
    const int64_t both[PLAN_SIDES] = {sums[PLAN_FROM] + gains[PLAN_FROM],
                                      sums[PLAN_TO] + gains[PLAN_TO]};
    struct match_score score;

    if (search_bound(search, both[PLAN_FROM], both[PLAN_TO]) < least * BOUND_UNIT)
        return false;
    score_of_sums(search->plan, both, &score);
    return score.score >= least;
}

/* Could the place still enter if the quality of its text were at most this? TEXT_COSINE_SHIFT */
static bool
text_may_reach(const struct search *search, const int64_t sums[PLAN_SIDES], uint64_t cosine,
               int32_t least)
{
    uint8_t step = text_step(cosine);
    const int64_t gains[PLAN_SIDES] = {search->texts[PLAN_FROM].caps[step],
                                       search->texts[PLAN_TO].caps[step]};

    return may_reach(search, sums, gains, least);
}

/*
 * The exact quality of the two texts; or -1 once a bound of it says that the candidate can't enter, or the
 * search has failed. Words come first: they are few, and bring most. What grams could bring is bounded by
 * Cauchy and Schwarz.
 */
static int32_t
text_quality_of(struct search *search, const struct block *block, uint32_t place,
                const int64_t sums[PLAN_SIDES], int32_t least)
{
    const struct text_measure *looker = &search->query->viewer->text.measure,
                              *measure = &block->texts[place];
    struct text_vector other;
    int64_t dot;

    if (facts_need_text(block->facts[place], &search->failure) != ERR_OK)
        return -1;
    other = facts_text(block->facts[place]);
    dot = text_probe_dot(search->probe, &other, measure->n_grams, other.n);
    if (!text_may_reach(search, sums,
                        cosine_most(looker, measure, dot) + text_grams_most(looker, measure),
                        least))
        return -1;
    dot += text_probe_dot(search->probe, &other, 0, measure->n_grams);
    if (!text_may_reach(search, sums, cosine_most(looker, measure, dot), least))
        return -1;
    return text_dot_quality(dot, search->query->viewer->text.norm2, other.norm2);
}

static void
found(struct search *search, const struct match_hit *hit)
{
    if (search->sweep == NULL) {
        hit_heap_offer(&search->heap, hit);
        return;
    }
    search->n_told++;
    search->told_views[PLAN_FROM] += hit->score.from_view;
    search->told_views[PLAN_TO] += hit->score.to_view;
    search->sweep->tell(search->sweep->context, hit->row, hit->score.score);
}

/* A want's exact points at a place, over what the sums have of it. */
static void
correct(const struct search *search, const struct block *block, uint32_t place, size_t want_at,
        int32_t counted, int64_t sums[PLAN_SIDES])
{
    const struct lens_want *want = &search->lens->wants[want_at];
    uint32_t code = column_code(&block->columns[want->column], place);

    sums[want->view] += (int64_t)want->weight *
                        (lens_points(search->lens, want, search->points[want_at], code) - counted);
}

/* Looks up where a ladder gave only a bound. False once the place is out. */
static bool
correct_ladder(const struct search *search, const struct block *block, uint32_t place,
               struct ladder *ladder, int64_t sums[PLAN_SIDES], const int64_t gains[PLAN_SIDES],
               int32_t least)
{
    for (const struct ladder_want *want = ladder->wants; want != NULL; want = want->next) {
        bool is_exact = true;
        int32_t points = 0;

        if (want->is_told)
            points = ladder_points(ladder, want, search->lens, block, place, &is_exact);
        if (is_exact)
            continue;
        correct(search, block, place, want->want, points, sums);
        if (!may_reach(search, sums, gains, least))
            return false;
    }
    return true;
}

/* Looks up what the sums hold only bounds of. False once the place is out. */
static bool
correct_all(const struct search *search, const struct block *block, uint32_t place,
            int64_t sums[PLAN_SIDES], const int64_t gains[PLAN_SIDES], int32_t least)
{
    for (size_t i = 0; i < search->ladders.n; i++)
        if (!correct_ladder(search, block, place, search->ladders.all[i], sums, gains, least))
            return false;
    for (size_t i = 0; i < search->n_late; i++) {
        correct(search, block, place, search->late[i], search->lens->wants[search->late[i]].most,
                sums);
        if (!may_reach(search, sums, gains, least))
            return false;
    }
    return true;
}

/* What the text wants say of the pair. False if a bound says that the candidate can't enter. */
static bool
add_text(struct search *search, const struct block *block, uint32_t place, uint8_t text_step,
         int64_t sums[PLAN_SIDES], int32_t least)
{
    int32_t quality;

    if (text_step == TEXT_STEP_MISSING) {
        for (int view = 0; view < PLAN_SIDES; view++)
            sums[view] += search->texts[view].caps[TEXT_STEP_MISSING];
        return true;
    }
    quality = search_by_embedding(search, block, place)
                  ? embedding_quality_of(search, block, place)
                  : text_quality_of(search, block, place, sums, least);
    if (quality < 0)
        return false;
    for (int view = 0; view < PLAN_SIDES; view++)
        sums[view] += text_points(search, view, quality);
    return true;
}

void
search_finish(struct search *search, const struct block *block, uint32_t place, uint8_t text_step,
              const int64_t sums_so_far[PLAN_SIDES], int32_t least)
{
    struct match_hit hit;
    int64_t sums[PLAN_SIDES] = {sums_so_far[PLAN_FROM], sums_so_far[PLAN_TO]};
    struct rest rest;

    rest_of(search, block, place, text_step, &rest);
    if (!may_reach(search, sums, rest.gains, least) ||
        !correct_all(search, block, place, sums, rest.gains, least))
        return;
    if (rest.has_record)
        add_records(search, block, place, sums);
    if (search->has_text && !add_text(search, block, place, text_step, sums, least))
        return;
    score_of_sums(search->plan, sums, &hit.score);
    if (hit.score.score < least)
        return;
    hit.row = block->rows[place];
    found(search, &hit);
}

/* ---- the list ---- */

/* The coverage, which only the list itself needs; score and views are there. */
static void
cover(const struct search *search, struct match_hit *hit)
{
    const struct match_query *query = search->query;
    struct pair pair = {0};

    pair.facts[search->side] = query->viewer;
    pair.facts[1 - search->side] = roster_facts(search->plan->roster, hit->row);
    hit->score.coverage = pair_coverage(search->plan, &pair);
}

enum err_code
search_check(const struct search *search, struct err *err)
{
    if (search->failure.code != ERR_OK && err != NULL)
        *err = search->failure;
    return search->failure.code;
}

enum err_code
search_end(struct search *search, struct match_list *out, struct err *err)
{
    if (search_check(search, err) != ERR_OK)
        return search->failure.code;
    hit_heap_sort(&search->heap);
    for (size_t i = 0; i < search->heap.n; i++)
        cover(search, &search->heap.hits[i]);
    *out = (struct match_list){.hits = search->heap.hits,
                               .n = search->heap.n,
                               .considered = search->considered,
                               .eligible = search->eligible,
                               .n_passes = search->hope.is_given_up ? 2 : 1};
    return ERR_OK;
}
