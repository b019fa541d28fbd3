#include "bits.h"
#include "curve.h"
#include "requirement.h"
#include "search.h"
#include "view.h"

#include <assert.h>

/* What a survivor's sums still lack, and what that could bring. */
struct rest {
    int64_t gains[PLAN_SIDES]; /* at most */
    bool has_record, text_is_missing, by_embedding;
    int32_t quality; /* by_embedding: of the two */
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

/* The step of `caps` for a quality of at most so much; TEXT_COSINE_SHIFT. */
static uint32_t
cap_step(uint64_t cosine)
{
    uint64_t step = cosine * TEXT_CAPS >> TEXT_COSINE_SHIFT;

    return step < TEXT_CAPS ? (uint32_t)step + 1 : TEXT_CAPS;
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

/* What a place's text is told by, and the most that it could bring; of embeddings, what it brings. */
static void
text_rest(const struct search *search, const struct block *block, uint32_t place, struct rest *rest)
{
    const struct facts *looker = search->query->viewer;
    const int8_t *sketch = block->sketches[place];
    uint32_t step = 0;
    int32_t product;

    rest->text_is_missing = search->probe == NULL || block->texts[place].root == 0;
    if (looker->n_embedding > 0 &&
        looker->n_embedding == embedding_length(block->embedded[place])) {
        rest->by_embedding = true;
        rest->text_is_missing = search->embedding == NULL || block->embedded[place].root == 0;
    }
    if (!rest->text_is_missing && rest->by_embedding) {
        rest->quality = embedding_quality_of(search, block, place);
    } else if (!rest->text_is_missing) {
        search->plan->kernel->dots(looker->sketch, TEXT_BUCKETS, &sketch, 1, &product);
        step = cap_step(text_most(&looker->measure, &block->texts[place], product));
    }
    for (int view = 0; view < PLAN_SIDES; view++)
        rest->gains[view] += rest->text_is_missing ? search->texts[view].missing
                             : rest->by_embedding  ? text_points(search, view, rest->quality)
                                                   : search->texts[view].caps[step];
}

/* What bounds texts begins to come from memory. */
static void
fetch_sketches(const struct block *block, const uint16_t *places, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        __builtin_prefetch(block->sketches[places[i]]);
        __builtin_prefetch(&block->texts[places[i]]);
    }
}

static int64_t
text_loss(const struct search *search, const int64_t gains[PLAN_SIDES])
{
    int64_t loss = 0;

    for (int view = 0; view < PLAN_SIDES; view++)
        loss += search->rates[view] * (search->text_most[view] - gains[view]);
    return loss;
}

static int64_t
rest_loss(const struct search *search, const struct block *block, uint32_t place)
{
    struct rest rest = {0};

    text_rest(search, block, place, &rest);
    return text_loss(search, rest.gains);
}

/* With a quality of at most that step's. */
static int64_t
step_loss(const struct search *search, uint32_t step)
{
    const int64_t gains[PLAN_SIDES] = {search->texts[PLAN_FROM].caps[step],
                                       search->texts[PLAN_TO].caps[step]};

    return text_loss(search, gains);
}

static int64_t
missing_loss(const struct search *search)
{
    const int64_t gains[PLAN_SIDES] = {search->texts[PLAN_FROM].missing,
                                       search->texts[PLAN_TO].missing};

    return text_loss(search, gains);
}

/* By the dot product, without its exact quality. */
static int64_t
embedding_loss(const struct search *search, const struct block *block, uint32_t place, int32_t dot)
{
    uint32_t step = 0;

    if (dot > 0) /* at most 2^24; isqrt(x * y) is not below isqrt(x) * isqrt(y) */
        step =
            (uint32_t)dot * TEXT_CAPS / (search->embedding_root * block->embedded[place].root) + 1;
    return step_loss(search, step < TEXT_CAPS ? step : TEXT_CAPS);
}

/* Rows begin to come from memory, all of them before the first is waited for. */
static void
fetch_embeddings(const struct block *block, const uint16_t *places, uint32_t n, size_t stride)
{
    for (uint32_t i = 0; i < n; i++) {
        const struct embedding_page *page = block->embedding_pages[places[i] / EMBEDDING_PAGE_ROWS];

        __builtin_prefetch(&block->embedded[places[i]]);
        for (size_t at = 0; page != NULL && at < stride; at += EMBEDDING_STEP)
            __builtin_prefetch(page->rows + places[i] % EMBEDDING_PAGE_ROWS * stride + at);
    }
}

void
search_text_fetch(const struct search *search, const struct block *block, const uint16_t *places,
                  uint32_t n)
{
    if (search->embedding != NULL)
        fetch_embeddings(block, places, n, embedding_stride(search->query->viewer->n_embedding));
    else
        fetch_sketches(block, places, n);
}

/* Of a looker with an embedding: of all who have a row at once. */
static void
embedding_losses(const struct search *search, const struct block *block, const uint16_t *places,
                 uint32_t n, int64_t losses[])
{
    uint32_t length = search->query->viewer->n_embedding, n_rows = 0;
    const int8_t *rows[TEXTS_AT_ONCE];
    uint16_t at[TEXTS_AT_ONCE];
    int32_t dots[TEXTS_AT_ONCE];

    for (uint32_t i = 0; i < n; i++) {
        const int8_t *row = block_embedding(block, places[i], length);

        if (row == NULL) {
            losses[i] = rest_loss(search, block, places[i]);
            continue;
        }
        rows[n_rows] = row;
        at[n_rows++] = (uint16_t)i;
    }
    if (n_rows > 0)
        search->plan->kernel->dots(search->embedding, (uint32_t)embedding_stride(length), rows,
                                   n_rows, dots);
    for (uint32_t i = 0; i < n_rows; i++)
        losses[at[i]] = embedding_loss(search, block, places[at[i]], dots[i]);
}

/* Of a looker without any. */
static void
sketch_losses(const struct search *search, const struct block *block, const uint16_t *places,
              uint32_t n, int64_t losses[])
{
    const struct facts *looker = search->query->viewer;
    const int8_t *rows[TEXTS_AT_ONCE];
    int32_t products[TEXTS_AT_ONCE];

    if (n == 0)
        return;
    for (uint32_t i = 0; i < n; i++)
        rows[i] = block->sketches[places[i]];
    search->plan->kernel->dots(looker->sketch, TEXT_BUCKETS, rows, n, products);
    for (uint32_t i = 0; i < n; i++) {
        const struct text_measure *other = &block->texts[places[i]];

        losses[i] =
            search->probe != NULL && other->root != 0
                ? step_loss(search, cap_step(text_most(&looker->measure, other, products[i])))
                : missing_loss(search);
    }
}

void
search_text_losses(const struct search *search, const struct block *block, const uint16_t *places,
                   uint32_t n, int64_t losses[])
{
    if (search->embedding != NULL)
        embedding_losses(search, block, places, n, losses);
    else if (search->query->viewer->n_embedding == 0)
        sketch_losses(search, block, places, n, losses);
    else /* 0 everywhere */
        for (uint32_t i = 0; i < n; i++)
            losses[i] = rest_loss(search, block, places[i]);
}

static void
rest_of(const struct search *search, const struct block *block, uint32_t place, struct rest *rest)
{
    *rest = (struct rest){.has_record = search->all_pend};
    if (has_bit(block->with_record, place)) {
        const int64_t *gains = record_gains(search, block, place);

        rest->gains[PLAN_FROM] = gains[PLAN_FROM];
        rest->gains[PLAN_TO] = gains[PLAN_TO];
        rest->has_record = true; /* it may bring less than none, by the curve */
    }
    rest->gains[PLAN_FROM] += search->rest[PLAN_FROM];
    rest->gains[PLAN_TO] += search->rest[PLAN_TO];
    if (search->has_text)
        text_rest(search, block, place, rest);
}

static int32_t
score_of(const struct match_plan *plan, const int64_t sums[PLAN_SIDES], struct match_score *out)
{
    int32_t views[PLAN_SIDES];

    for (int view = 0; view < PLAN_SIDES; view++) {
        int64_t weight = plan->views[view].weight;

        views[view] = weight > 0 ? (int32_t)(sums[view] / weight) : SCORE_MAX;
    }
    *out = (struct match_score){.score =
                                    combine_views(plan->combine, views[PLAN_FROM], views[PLAN_TO]),
                                .from_view = views[PLAN_FROM],
                                .to_view = views[PLAN_TO]};
    return out->score;
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

    return search_bound(search, both[PLAN_FROM], both[PLAN_TO]) >= least * BOUND_UNIT &&
           score_of(search->plan, both, &score) >= least;
}

/* Could the place still enter if the quality of its text were at most this? TEXT_COSINE_SHIFT */
static bool
text_may_reach(const struct search *search, const int64_t sums[PLAN_SIDES], uint64_t cosine,
               int32_t least)
{
    uint32_t step = cap_step(cosine);
    const int64_t gains[PLAN_SIDES] = {search->texts[PLAN_FROM].caps[step],
                                       search->texts[PLAN_TO].caps[step]};

    return may_reach(search, sums, gains, least);
}

/*
 * The exact quality of the two texts; or -1 once a bound of it says that the candidate can't enter. Words
 * come first: they are few, and bring most. What grams could bring is bounded by Cauchy and Schwarz.
 */
static int32_t
text_quality_of(const struct search *search, const struct block *block, uint32_t place,
                const int64_t sums[PLAN_SIDES], int32_t least)
{
    const struct text_measure *looker = &search->query->viewer->measure,
                              *measure = &block->texts[place];
    const struct text_vector *other = &block->facts[place]->text;
    int64_t dot = text_probe_dot(search->probe, other, measure->n_grams, other->n);

    if (!text_may_reach(search, sums,
                        cosine_most(looker, measure, dot) + text_grams_most(looker, measure),
                        least))
        return -1;
    dot += text_probe_dot(search->probe, other, 0, measure->n_grams);
    if (!text_may_reach(search, sums, cosine_most(looker, measure, dot), least))
        return -1;
    return text_dot_quality(dot, search->query->viewer->text.norm2, other->norm2);
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

void
search_finish(struct search *search, const struct block *block, uint32_t place,
              const int64_t sums_so_far[PLAN_SIDES], int32_t least)
{
    const struct match_plan *plan = search->plan;
    struct match_hit hit;
    int64_t sums[PLAN_SIDES] = {sums_so_far[PLAN_FROM], sums_so_far[PLAN_TO]};
    struct rest rest;

    rest_of(search, block, place, &rest);
    if (!may_reach(search, sums, rest.gains, least) ||
        !correct_all(search, block, place, sums, rest.gains, least))
        return;
    if (rest.has_record)
        add_records(search, block, place, sums);
    if (search->has_text) {
        int32_t quality = rest.quality;

        if (!rest.text_is_missing && !rest.by_embedding)
            quality = text_quality_of(search, block, place, sums, least);
        if (quality < 0)
            return;
        for (int view = 0; view < PLAN_SIDES; view++)
            sums[view] += rest.text_is_missing ? search->texts[view].missing
                                               : text_points(search, view, quality);
    }
    if (score_of(plan, sums, &hit.score) < least)
        return;
    hit.row = block->rows[place];
    found(search, &hit);
}

/* ---- the list ---- */

/* What only the list itself needs: both views and the coverage, from the definition. */
void
search_end(struct search *search, struct match_list *out)
{
    const struct match_plan *plan = search->plan;
    const struct match_query *query = search->query;

    hit_heap_sort(&search->heap);
    for (size_t i = 0; i < search->heap.n; i++) {
        struct match_hit *hit = &search->heap.hits[i];
        const struct facts *other = roster_facts(plan->roster, hit->row);
        int32_t score = hit->score.score;

        if (query->on_from)
            match_pair_score(plan, query->viewer, query->row, other, hit->row, &hit->score);
        else
            match_pair_score(plan, other, hit->row, query->viewer, query->row, &hit->score);
        assert(hit->score.score == score);
        (void)score;
    }
    *out = (struct match_list){.hits = search->heap.hits,
                               .n = search->heap.n,
                               .considered = search->considered,
                               .eligible = search->eligible,
                               .n_passes = search->hope.is_given_up ? 2 : 1};
}
