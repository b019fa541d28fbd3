#include "curve.h"
#include "ladder_parts.h"

#include <string.h>

enum { WORTH_MEASURING = 2 /* blocks of a table */ };

/* So many places of a block or fewer go on one by one, when the next ladder is of that kind: what it costs to ask all
 * places at once, by what one costs (instructions, AVX2). */
static const uint32_t few[] = {[LADDER_SETS] = 32,
                               [LADDER_CELLS_MET] = 40,
                               [LADDER_DAYS] = 32,
                               [LADDER_CODES] = 96,
                               [LADDER_RECORD] = 64};

/* ---- levels ---- */

static uint8_t
loss_units(uint64_t loss, uint64_t tolerated, uint64_t scale)
{
    return loss > tolerated ? KERNEL_SUM_MOST : (uint8_t)(loss * scale >> LADDER_SHIFT);
}

/*
 * Levels for the losses that occur (a bit each in `seen`): all of them where there are few; else so many
 * that they lie evenly, and the last, beyond which nobody is left.
 */
static void
levels_choose(struct ladder *ladder, uint64_t seen)
{
    unsigned before = (unsigned)__builtin_ctzll(seen), n = 0, step = 1;
    uint64_t left = seen & (seen - 1);

    if (__builtin_popcountll(left) > KERNEL_LEVELS)
        step = (KERNEL_SUM_MOST - before + KERNEL_LEVELS - 1) / KERNEL_LEVELS;
    ladder->steps = (struct kernel_steps){.start = (uint8_t)before};
    for (; left != 0; left &= left - 1) {
        unsigned value = (unsigned)__builtin_ctzll(left);

        if ((value < before + step && value != KERNEL_SUM_MOST) || n == KERNEL_LEVELS)
            continue;
        ladder->values[n] = (uint8_t)value;
        for (unsigned b = 0; b < KERNEL_SUM_BITS; b++)
            ladder->steps.turns[b] |= (uint16_t)(((value ^ before) >> b & 1) << n);
        n++;
        before = value;
    }
    ladder->steps.n = n;
}

/* Of each class, the least metric that loses less than each level's value. */
static void
needs_find(struct ladder *ladder)
{
    for (uint32_t level = 0; level < ladder->steps.n; level++)
        for (uint32_t size_class = 0; size_class < ladder->n_classes; size_class++) {
            const uint8_t *losses = ladder->losses + size_class * LADDER_METRICS;
            uint32_t left = ladder->reachable[size_class];

            while (left != 0 && losses[__builtin_ctz(left)] >= ladder->values[level])
                left &= left - 1;
            ladder->needs[level][size_class] =
                (uint8_t)(left != 0 ? (uint32_t)__builtin_ctz(left) : ladder->n_metrics);
        }
}

static void
level_tables(struct ladder *ladder, const int64_t rates[2], uint64_t tolerated, uint64_t scale)
{
    uint64_t seen = 0;

    for (uint32_t size_class = 0; size_class < ladder->n_classes; size_class++)
        for (uint32_t left = ladder->reachable[size_class]; left != 0; left &= left - 1) {
            uint32_t metric = (uint32_t)__builtin_ctz(left);
            const int32_t *lacks = ladder->lacks[size_class][metric];
            uint64_t loss = (uint64_t)(rates[0] * lacks[0] + rates[1] * lacks[1]);
            uint8_t units = loss_units(loss, tolerated, scale);

            ladder->losses[size_class * LADDER_METRICS + metric] = units;
            seen |= UINT64_C(1) << units;
        }
    levels_choose(ladder, seen);
    needs_find(ladder);
}

static void
level_codes(struct ladder *ladder, const struct lens *lens, struct points_row *const *rows,
            const int64_t rates[2], uint64_t tolerated, uint64_t scale)
{
    uint64_t seen = 0;

    for (uint32_t code = 0; code < ladder->n_codes; code++) {
        uint64_t loss = 0;

        for (const struct ladder_want *at = ladder->wants; at != NULL; at = at->next) {
            const struct lens_want *want = &lens->wants[at->want];

            loss += (uint64_t)(rates[at->view] * at->weight) *
                    (uint32_t)(at->most - lens_points(lens, want, rows[at->want], code));
        }
        ladder->losses[code] = loss_units(loss, tolerated, scale);
        seen |= UINT64_C(1) << ladder->losses[code];
    }
    levels_choose(ladder, seen);
}

static void
level_record(struct ladder *ladder, const int64_t rates[2], const int64_t record_gain[2],
             uint64_t tolerated, uint64_t scale)
{
    uint64_t loss = (uint64_t)(rates[0] * record_gain[0] + rates[1] * record_gain[1]);

    levels_choose(ladder, UINT64_C(1) | UINT64_C(1) << loss_units(loss, tolerated, scale));
}

uint64_t
ladders_level(struct ladders *ladders, const struct lens *lens, struct points_row *const *rows,
              const int64_t rates[2], const int64_t record_gain[2], int64_t tolerated)
{
    uint64_t may_lose = (uint64_t)tolerated;
    uint64_t scale = ((uint64_t)KERNEL_SUM_MOST << LADDER_SHIFT) / (may_lose + 1);

    for (size_t i = 0; i < ladders->n; i++) {
        struct ladder *ladder = ladders->all[i];

        if (ladder->kind == LADDER_CODES)
            level_codes(ladder, lens, rows, rates, may_lose, scale);
        else if (ladder->kind == LADDER_RECORD)
            level_record(ladder, rates, record_gain, may_lose, scale);
        else
            level_tables(ladder, rates, may_lose, scale);
    }
    return scale;
}

/* ---- one ladder ---- */

/* Finds the span of the block, unless it is at hand. */
static bool
span_ready(struct ladder *ladder, const struct lens *lens, const struct block *block)
{
    if (ladder->block != block)
        ladder->span =
            span_of(block, ladder->dictionary, ladder->column, lens->plan->rates, lens->plan->day);
    ladder->block = block;
    return ladder->span != NULL;
}

/* Makes ready what single places of the block are told by; false: nothing is. */
static bool
ladder_face(struct ladder *ladder, const struct lens *lens, const struct block *block)
{
    if (ladder->kind != LADDER_SETS)
        return span_ready(ladder, lens, block);
    sets_face(ladder, block);
    return true;
}

/* Odd places reach every level. */
static void
levels_admit(const struct ladder *ladder, uint64_t *levels)
{
    if (!ladder->span->has_odd)
        return;
    for (uint32_t level = 0; level < ladder->steps.n; level++, levels += BLOCK_WORDS)
        for (size_t word = 0; word < BLOCK_WORDS; word++)
            levels[word] |= ladder->span->odd[word];
}

static bool
codes_reach(const struct ladder *ladder, const struct block *block, const struct kernel *kernel,
            const uint64_t *bits, uint64_t *levels)
{
    const struct column *column = &block->columns[ladder->column];
    struct kernel_codes codes = {
        .codes = column->codes, .table = ladder->losses, .n_codes = ladder->n_codes};

    memcpy(codes.needs, ladder->values, sizeof codes.needs);
    if (column->width == 1)
        kernel->reach_codes(&codes, ladder->steps.n, BLOCK_WORDS, bits, levels);
    return column->width == 1;
}

/* The levels of the places in question; false: this block does not tell them. */
static bool
reach(struct ladder *ladder, const struct lens *lens, const struct block *block,
      const uint64_t *bits, struct ladder_scratch *scratch)
{
    const struct kernel *kernel = lens->plan->kernel;

    switch (ladder->kind) {
    case LADDER_SETS:
        sets_face(ladder, block);
        sets_reach(ladder, kernel, bits, scratch);
        return true;
    case LADDER_CELLS_MET:
        if (!span_ready(ladder, lens, block))
            return false;
        cells_reach(ladder, kernel, bits, scratch->levels);
        levels_admit(ladder, scratch->levels);
        return true;
    case LADDER_DAYS:
        if (!span_ready(ladder, lens, block))
            return false;
        days_reach(ladder, kernel, bits, scratch->levels);
        levels_admit(ladder, scratch->levels);
        return true;
    case LADDER_CODES:
        return codes_reach(ladder, block, kernel, bits, scratch->levels);
    case LADDER_RECORD:
        memcpy(scratch->levels, block->with_record, sizeof block->with_record);
        return true;
    }
    return false;
}

/* Sums begin with what is still allowed less than the tables were made for. */
static void
sums_begin(unsigned start, uint64_t *sums)
{
    for (unsigned b = 0; b < KERNEL_SUM_BITS; b++)
        memset(sums + b * BLOCK_WORDS, (start >> b & 1) != 0 ? 0xff : 0,
               BLOCK_WORDS * sizeof *sums);
}

/* The levels of the ladder, and what they take; false: it takes nothing here. */
static bool
climb(struct ladder *ladder, const struct lens *lens, const struct block *block,
      struct ladder_scratch *scratch, uint64_t bits[BLOCK_WORDS])
{
    if ((ladder->steps.n == 0 && ladder->steps.start == 0) ||
        !reach(ladder, lens, block, bits, scratch))
        return false;
    lens->plan->kernel->lose(&ladder->steps, scratch->levels, BLOCK_WORDS, scratch->sums, bits);
    return true;
}

/* What it takes from the places in question, all in all. */
static int64_t
taken(struct ladder *ladder, const struct lens *lens, const struct block *block,
      struct ladder_scratch *scratch, const uint64_t bits[BLOCK_WORDS])
{
    const struct kernel *kernel = lens->plan->kernel;
    uint64_t left[BLOCK_WORDS], one[BLOCK_WORDS];
    int64_t sum;

    memcpy(left, bits, sizeof left);
    sums_begin(0, scratch->sums);
    if (!climb(ladder, lens, block, scratch, left))
        return 0;
    sum = KERNEL_SUM_MOST *
          (int64_t)(kernel->tally(bits, BLOCK_WORDS) - kernel->tally(left, BLOCK_WORDS));
    for (uint32_t b = 0; b < KERNEL_SUM_BITS; b++) {
        for (size_t word = 0; word < BLOCK_WORDS; word++)
            one[word] = left[word] & scratch->sums[b * BLOCK_WORDS + word];
        sum += (int64_t)kernel->tally(one, BLOCK_WORDS) << b;
    }
    return sum;
}

static void
measure(struct ladders *ladders, const struct lens *lens, const struct block *block,
        struct ladder_scratch *scratch, const uint64_t bits[BLOCK_WORDS])
{
    for (size_t i = 0; i < ladders->n; i++)
        ladders->all[i]->spread = taken(ladders->all[i], lens, block, scratch, bits);
    ladders_sort(ladders);
    ladders->are_measured = true;
}

/* ---- the last few, place by place ---- */

static void
list_places(const uint64_t bits[BLOCK_WORDS], const uint64_t *sums, struct climbers *out)
{
    out->n = places_of_bits(bits, BLOCK_WORDS, out->places);
    for (uint32_t i = 0; i < out->n; i++) {
        unsigned sum = 0;

        for (unsigned b = 0; b < KERNEL_SUM_BITS; b++)
            sum |= (unsigned)has_bit(sums + b * BLOCK_WORDS, out->places[i]) << b;
        out->lost[i] = (uint8_t)sum;
    }
}

/* Where a place stands in the tables. False: only what its wants give at most is known. */
static inline bool
place_in(const struct ladder *ladder, uint32_t place, uint32_t *size_class, uint32_t *metric)
{
    if (ladder->kind == LADDER_SETS) {
        sets_place(ladder, place, size_class, metric);
        return true;
    }
    if (has_bit(ladder->span->odd, place))
        return false;
    if (ladder->kind == LADDER_CELLS_MET)
        cells_place(ladder, place, size_class, metric);
    else
        days_place(ladder, place, size_class, metric);
    return true;
}

static unsigned
loss_in(const struct ladder *ladder, uint32_t place)
{
    uint32_t size_class, metric;

    return place_in(ladder, place, &size_class, &metric)
               ? ladder->losses[size_class * LADDER_METRICS + metric]
               : 0;
}

static unsigned
loss_of_record(const struct ladder *ladder, const struct block *block, uint32_t place)
{
    return ladder->steps.n > 0 && !has_bit(block->with_record, place) ? ladder->values[0]
                                                                      : ladder->steps.start;
}

/* Leaves those who lose no more than they may. */
static void
climb_few(struct ladder *ladder, const struct lens *lens, const struct block *block,
          struct climbers *climbers)
{
    const struct column *column = &block->columns[ladder->column];
    bool by_code = ladder->kind == LADDER_CODES, by_record = ladder->kind == LADDER_RECORD;
    uint32_t n = 0;

    if (!by_code && !by_record && !ladder_face(ladder, lens, block))
        return;
    for (uint32_t i = 0; i < climbers->n; i++) {
        uint32_t place = climbers->places[i];
        unsigned lost = climbers->lost[i];

        if (by_code)
            lost += ladder->losses[column_code(column, place)];
        else
            lost += by_record ? loss_of_record(ladder, block, place) : loss_in(ladder, place);
        climbers->places[n] = (uint16_t)place;
        climbers->lost[n] = (uint8_t)lost;
        n += lost <= KERNEL_SUM_MOST;
    }
    climbers->n = n;
}

/* ---- climbing ---- */

static void
measure_once(struct ladders *ladders, const struct lens *lens, const struct block *block,
             struct ladder_scratch *scratch, const uint64_t bits[BLOCK_WORDS])
{
    if (!ladders->are_measured && lens->table->n_blocks >= WORTH_MEASURING)
        measure(ladders, lens, block, scratch, bits);
}

/* From sums that have begun. */
static void
climb_all(struct ladders *ladders, const struct lens *lens, const struct block *block,
          struct ladder_scratch *scratch, uint64_t bits[BLOCK_WORDS])
{
    struct climbers *climbers = &scratch->climbers;
    uint64_t n = lens->plan->kernel->tally(bits, BLOCK_WORDS);
    size_t at = 0;

    for (; at < ladders->n && n > few[ladders->all[at]->kind]; at++)
        if (climb(ladders->all[at], lens, block, scratch, bits))
            n = lens->plan->kernel->tally(bits, BLOCK_WORDS);
    list_places(bits, scratch->sums, climbers);
    for (; at < ladders->n && climbers->n > 0; at++)
        climb_few(ladders->all[at], lens, block, climbers);
}

void
ladders_climb(struct ladders *ladders, const struct lens *lens, const struct block *block,
              unsigned limit, struct ladder_scratch *scratch, uint64_t bits[BLOCK_WORDS])
{
    measure_once(ladders, lens, block, scratch, bits);
    sums_begin(KERNEL_SUM_MOST - limit, scratch->sums);
    climb_all(ladders, lens, block, scratch, bits);
    for (uint32_t i = 0; i < scratch->climbers.n; i++)
        scratch->climbers.lost[i] =
            (uint8_t)(scratch->climbers.lost[i] - (KERNEL_SUM_MOST - limit));
}

void
ladders_climb_each(struct ladders *ladders, const struct lens *lens, const struct block *block,
                   struct ladder_scratch *scratch, uint64_t bits[BLOCK_WORDS])
{
    measure_once(ladders, lens, block, scratch, bits);
    memcpy(scratch->sums, scratch->starts, sizeof scratch->sums);
    climb_all(ladders, lens, block, scratch, bits);
}

void
ladders_fetch(const struct ladders *ladders, const struct block *block)
{
    for (size_t i = 0; i < ladders->n; i++) {
        const struct ladder *ladder = ladders->all[i];

        if (ladder->kind == LADDER_SETS)
            sets_fetch(ladder, block);
        else if (ladder->kind == LADDER_CELLS_MET || ladder->kind == LADDER_DAYS)
            span_fetch(block, ladder->column);
        else if (ladder->kind == LADDER_CODES)
            fetch(block->columns[ladder->column].codes, FETCH_FEW);
    }
}

/* ---- place by place ---- */

/* The points there; days tell them to the day. */
static int32_t
points_at(const struct ladder *ladder, const struct ladder_want *want, const struct lens *lens,
          uint32_t place, uint32_t size_class, uint32_t metric)
{
    const struct want *how = lens->wants[want->want].want->want;

    if (ladder->kind != LADDER_DAYS || size_class == DAYS_MISSING)
        return want->points[size_class][metric];
    return curve_points(how->curve, how->n_knots, days_quality(ladder, days_common(ladder, place)));
}

/* Of days, to the day. */
static void
add_days(const struct ladder *ladder, const struct lens *lens, uint32_t place, uint32_t size_class,
         uint32_t at, int64_t *const sums[2])
{
    for (const struct ladder_want *want = ladder->wants; want != NULL; want = want->next)
        if (want->is_told)
            sums[want->view][at] +=
                (int64_t)want->weight * points_at(ladder, want, lens, place, size_class, 0);
}

void
ladder_add(struct ladder *ladder, const struct lens *lens, const struct block *block,
           const uint16_t *places, uint32_t n, int64_t *const sums[2])
{
    bool is_ready = ladder_face(ladder, lens, block);

    for (uint32_t i = 0; i < n; i++) {
        uint32_t size_class, metric;

        if (!is_ready || !place_in(ladder, places[i], &size_class, &metric)) {
            sums[0][i] += ladder->told_most[0];
            sums[1][i] += ladder->told_most[1];
        } else if (ladder->kind == LADDER_DAYS) {
            add_days(ladder, lens, places[i], size_class, i, sums);
        } else {
            sums[0][i] += ladder->told[size_class][metric][0];
            sums[1][i] += ladder->told[size_class][metric][1];
        }
    }
}

int32_t
ladder_points(struct ladder *ladder, const struct ladder_want *want, const struct lens *lens,
              const struct block *block, uint32_t place, bool *is_exact)
{
    uint32_t size_class, metric;

    *is_exact = false;
    if (!ladder_face(ladder, lens, block) || !place_in(ladder, place, &size_class, &metric))
        return want->most;
    *is_exact = ladder->kind == LADDER_DAYS || (want->is_exact[size_class] >> metric & 1) != 0;
    return points_at(ladder, want, lens, place, size_class, metric);
}
