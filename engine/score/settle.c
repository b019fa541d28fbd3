#include "search.h"

#include <string.h>

enum {
    BUCKETS = 64, /* of what is put in order by bound */
    PORTION = 16, /* contenders that are settled at once, at least */
    PORTION_GROWTH = 4,
    RISE_GROWTH = 2 /* from blocks seen to those at which the best are settled next */
};

/* ---- sums ---- */

/* Survivors of one block; their sums are the last ones of `survivors`. */
struct group {
    const struct block *block;
    uint32_t n;
    int64_t *sums[PLAN_SIDES];
    uint16_t places[CONTENDERS_MAX]; /* of the block */
    uint8_t *text_steps;             /* of `survivors` too */
    /* What the bound of each must reach with all that its text and record could add at most. */
    int64_t reach[CONTENDERS_MAX];
};

/* Adds the points of a want, by codes of one width. */
#define ADD_BY_CODE(type)                                                              \
    do {                                                                               \
        const type *codes = column->codes;                                             \
                                                                                       \
        for (uint32_t i = 0; i < group->n; i++)                                        \
            sums[i] += weight * lens_points(lens, want, row, codes[group->places[i]]); \
    } while (0)

static void
add_want(const struct search *search, size_t want_at, struct group *group)
{
    struct lens *lens = search->lens;
    const struct lens_want *want = &lens->wants[want_at];
    const struct column *column = &group->block->columns[want->column];
    struct points_row *row = search->points[want_at];
    int64_t *sums = group->sums[want->view];
    int64_t weight = want->weight, points;

    switch (column->width) {
    case 1:
        ADD_BY_CODE(uint8_t);
        break;
    case 2:
        ADD_BY_CODE(uint16_t);
        break;
    case 4:
        ADD_BY_CODE(uint32_t);
        break;
    default:
        points = weight * lens_points(lens, want, row, column->constant);
        for (uint32_t i = 0; i < group->n; i++)
            sums[i] += points;
    }
}

/* Lets go whoever can't reach enough with `left` more in each view. */
static void
keep_reaching(const struct search *search, const int64_t left[PLAN_SIDES], struct group *group)
{
    int64_t most = search_bound(search, left[PLAN_FROM], left[PLAN_TO]);
    int64_t *from = group->sums[PLAN_FROM], *to = group->sums[PLAN_TO];
    int64_t from_rate = search->rates[PLAN_FROM], to_rate = search->rates[PLAN_TO];
    uint32_t n = 0;

    for (uint32_t i = 0; i < group->n; i++) {
        int64_t bound = from_rate * from[i] + to_rate * to[i] + most;

        group->places[n] = group->places[i];
        group->text_steps[n] = group->text_steps[i];
        group->reach[n] = group->reach[i];
        from[n] = from[i];
        to[n] = to[i];
        n += bound >= group->reach[n];
    }
    group->n = n;
}

/*
 * The sums of the group: exact for all wants but those of texts and records, which are not in them;
 * those that are looked up late, with their most; and those where a ladder gives only a bound.
 */
static void
sums_of(const struct search *search, struct group *group)
{
    const struct lens *lens = search->lens;
    int64_t start[PLAN_SIDES] = {search->base[PLAN_FROM], search->base[PLAN_TO]};
    int64_t left[PLAN_SIDES]; /* the most that is still to come */

    for (size_t i = 0; i < search->n_late; i++)
        start[lens->wants[search->late[i]].view] +=
            (int64_t)lens->wants[search->late[i]].weight * lens->wants[search->late[i]].most;
    for (int view = 0; view < PLAN_SIDES; view++) {
        left[view] = search->most[view] - start[view];
        for (uint32_t i = 0; i < group->n; i++)
            group->sums[view][i] = start[view];
    }
    for (size_t i = 0; i < search->ladders.n && group->n > 0; i++) {
        struct ladder *ladder = search->ladders.all[i];

        if (!ladder->tells)
            continue;
        ladder_add(ladder, lens, group->block, group->places, group->n, group->sums);
        for (int view = 0; view < PLAN_SIDES; view++)
            left[view] -= ladder->told_most[view];
        keep_reaching(search, left, group);
    }
    for (size_t i = 0; i < search->n_order && group->n > 0; i++) {
        const struct lens_want *want = &lens->wants[search->order[i]];

        add_want(search, search->order[i], group);
        left[want->view] -= (int64_t)want->weight * search->mosts[search->order[i]];
        if (i + 1 >= search->n_cheap)
            keep_reaching(search, left, group);
    }
}

/* ---- in order ---- */

/* Buckets of equal width, from `floor` to `top`. */
static int64_t
bucket_width(int64_t floor, int64_t top)
{
    return (top - floor) / BUCKETS + 1;
}

/* Puts the survivors in order by bound, the greatest first, by bucket. */
static void
put_in_order(struct survivors *survivors)
{
    uint32_t starts[BUCKETS + 1] = {0};
    int64_t top = INT64_MIN, floor = INT64_MAX, width;

    if (survivors->n == 0)
        return;
    for (uint32_t i = 0; i < survivors->n; i++) {
        int64_t bound = survivors->bounds[i];

        top = bound > top ? bound : top;
        floor = bound < floor ? bound : floor;
    }
    width = bucket_width(floor, top);
    for (uint32_t i = 0; i < survivors->n; i++)
        starts[(top - survivors->bounds[i]) / width + 1]++;
    for (uint32_t bucket = 1; bucket < BUCKETS; bucket++)
        starts[bucket] += starts[bucket - 1];
    for (uint32_t i = 0; i < survivors->n; i++)
        survivors->order[starts[(top - survivors->bounds[i]) / width]++] = (uint16_t)i;
}

static const struct block *
block_of(const struct search *search, uint32_t place)
{
    return search->lens->table->blocks[place / BLOCK_ROWS];
}

/* The facts whose text the exact end will read of a survivor; NULL: of none. */
static const struct facts *
facts_to_read(const struct search *search, const struct survivors *survivors, uint32_t at)
{
    const struct block *block;
    uint32_t place;

    if (!search->has_text || at >= survivors->n)
        return NULL;
    place = survivors->places[survivors->order[at]];
    block = block_of(search, place);
    place %= BLOCK_ROWS;
    if (block_embedding(block, place, search->query->viewer->n_embedding) != NULL)
        return NULL;
    return block->facts[place];
}

/* They begin to come from memory. */
FETCHING void
fetch_facts(const struct search *search, const struct survivors *survivors, uint32_t at)
{
    const struct facts *facts = facts_to_read(search, survivors, at);

    if (facts != NULL)
        __builtin_prefetch(&facts->terms);
}

/* Of a vector the words, which are read first. */
FETCHING void
fetch_text(const struct search *search, const struct survivors *survivors, uint32_t at)
{
    const struct facts *facts = facts_to_read(search, survivors, at);

    if (facts != NULL && facts->text.n > 0 && facts_have_text(facts)) {
        struct text_vector text = facts_text(facts);

        __builtin_prefetch(text.terms + facts->text.measure.n_grams);
        __builtin_prefetch(text.weights + facts->text.measure.n_grams);
    }
}

/* ---- settling ---- */

/* Of a sweep each place has its own; its contenders are of one block. */
static int32_t
least_for(const struct search *search, const struct survivors *survivors, uint32_t place)
{
    return search->sweep != NULL ? survivors->leasts[place % BLOCK_ROWS] : search_least(search);
}

/* The bound of all that is not among the sums. */
static int64_t
rest_most(const struct search *search)
{
    int64_t most[PLAN_SIDES];

    for (int view = 0; view < PLAN_SIDES; view++)
        most[view] = search->text_most[view] + search->record_gain[view] + search->rest[view];
    return search_bound(search, most[PLAN_FROM], most[PLAN_TO]);
}

/* What texts and records take off is known before anything is added up. */
static void
reach_set(const struct search *search, const struct survivors *survivors, struct group *group)
{
    for (uint32_t i = 0; i < group->n; i++)
        group->reach[i] = search_text_loss(search, group->text_steps[i]) +
                          search_record_loss(search, group->block, group->places[i]) +
                          least_for(search, survivors, group->places[i]) * BOUND_UNIT;
}

/* The sums of a block's contenders; those who can still enter become survivors. */
static void
settle_block(struct search *search, const struct contender *contenders, uint32_t n,
             struct survivors *survivors)
{
    uint32_t first = contenders[0].place - contenders[0].place % BLOCK_ROWS;
    struct group group;

    group.block = block_of(search, contenders[0].place);
    group.n = n;
    group.text_steps = survivors->text_steps + survivors->n;
    for (uint32_t i = 0; i < n; i++) {
        group.places[i] = (uint16_t)(contenders[i].place - first);
        group.text_steps[i] = contenders[i].text_step;
    }
    for (int view = 0; view < PLAN_SIDES; view++)
        group.sums[view] = survivors->sums[view] + survivors->n;
    reach_set(search, survivors, &group);
    sums_of(search, &group);
    for (uint32_t i = 0; i < group.n; i++) {
        int64_t least = least_for(search, survivors, group.places[i]) * BOUND_UNIT;

        survivors->places[survivors->n] = first + group.places[i];
        survivors->bounds[survivors->n++] = search->rates[PLAN_FROM] * group.sums[PLAN_FROM][i] +
                                            search->rates[PLAN_TO] * group.sums[PLAN_TO][i] +
                                            rest_most(search) - (group.reach[i] - least);
    }
}

static void
settle_taken(struct search *search, uint32_t n_taken, struct survivors *survivors)
{
    const struct contender *taken = survivors->taken;

    survivors->n = 0;
    for (uint32_t first = 0, end; first < n_taken; first = end) {
        for (end = first + 1; end < n_taken; end++)
            if (taken[end].place / BLOCK_ROWS != taken[first].place / BLOCK_ROWS)
                break;
        settle_block(search, taken + first, end - first, survivors);
    }
    put_in_order(survivors);
    for (uint32_t at = 0; at < survivors->n; at++) {
        uint32_t i = survivors->order[at], place = survivors->places[i];
        const struct block *block = block_of(search, place);
        const int64_t sums[PLAN_SIDES] = {survivors->sums[PLAN_FROM][i],
                                          survivors->sums[PLAN_TO][i]};
        int32_t least = least_for(search, survivors, place);

        fetch_facts(search, survivors, at + 2);
        fetch_text(search, survivors, at + 1);
        if (survivors->bounds[i] >= least * BOUND_UNIT)
            search_finish(search, block, place % BLOCK_ROWS, survivors->text_steps[i], sums, least);
    }
}

/* ---- contenders ---- */

/* Lets go whoever can't enter any more. */
static void
drop_outdone(struct search *search)
{
    int32_t least = search->sweep == NULL ? search_least(search) * CONTENDER_UNIT : 0;
    uint32_t n = 0;

    for (uint32_t i = 0; i < search->n_contenders; i++) {
        search->contenders[n] = search->contenders[i];
        n += search->contenders[i].bound >= least;
    }
    search->n_contenders = n;
}

/* A bound that some `wanted` contenders reach, and perhaps more. */
static int32_t
bound_of_best(const struct search *search, uint32_t wanted)
{
    uint32_t counts[BUCKETS] = {0}, n = 0, bucket = 0;
    int32_t top = INT32_MIN, floor = INT32_MAX, width;

    if (search->n_contenders <= wanted)
        return INT32_MIN;
    for (uint32_t i = 0; i < search->n_contenders; i++) {
        int32_t bound = search->contenders[i].bound;

        top = bound > top ? bound : top;
        floor = bound < floor ? bound : floor;
    }
    width = (int32_t)bucket_width(floor, top);
    for (uint32_t i = 0; i < search->n_contenders; i++)
        counts[(top - search->contenders[i].bound) / width]++;
    for (; n < wanted; bucket++)
        n += counts[bucket];
    return top - (int32_t)bucket * width + 1;
}

/* Settles some of the best. */
static void
settle_best(struct search *search, uint32_t wanted, struct survivors *survivors)
{
    uint32_t n = 0, n_taken = 0;
    int32_t cut;

    drop_outdone(search);
    cut = bound_of_best(search, wanted);
    for (uint32_t i = 0; i < search->n_contenders; i++) {
        struct contender contender = search->contenders[i];

        if (contender.bound >= cut)
            survivors->taken[n_taken++] = contender;
        else
            search->contenders[n++] = contender;
    }
    search->n_contenders = n;
    settle_taken(search, n_taken, survivors);
}

static uint32_t
portion(const struct search *search)
{
    return search->heap.room > PORTION / 2 ? 2 * (uint32_t)search->heap.room : PORTION;
}

void
search_contend(struct search *search, struct contender contender, struct survivors *survivors)
{
    if (search->n_contenders == CONTENDERS_MAX)
        search_settle(search, survivors);
    search->contenders[search->n_contenders++] = contender;
}

void
search_rise(struct search *search, struct survivors *survivors)
{
    if (search->blocks_seen < search->next_rise)
        return;
    search->next_rise = search->blocks_seen * RISE_GROWTH;
    do
        settle_best(search, portion(search), survivors);
    while (search->n_contenders > 0 && search->heap.n < search->heap.room);
    hope_renew(search);
}

void
search_settle(struct search *search, struct survivors *survivors)
{
    for (uint32_t wanted = portion(search); search->n_contenders > 0; wanted *= PORTION_GROWTH)
        settle_best(search, search->sweep == NULL ? wanted : CONTENDERS_MAX, survivors);
}
