#include "gauge.h"

#include "curve.h"

#include <string.h>

enum { SIZE_BITS = 2, SIZE_OR_MORE = 4, CODES_AT_A_PLACE = SLOT_CODES_MAX };

static const uint64_t nowhere[BLOCK_WORDS];

bool
gauge_fits(const struct plan_want *want, const struct table *table, enum column_id column)
{
    enum want_type type = want->want->type;
    enum plane_set set = column_planes(column);

    if (set == PLANE_SETS || !table_has_planes(table, set))
        return false;
    if (type == WANT_OVERLAP)
        return (schema[column].flags & FIELD_TWO_LEVEL) != 0;
    return type == WANT_COVER || type == WANT_ANY || type == WANT_SAME;
}

static void
seek(struct gauge *gauge, const struct table *table, symbol code, bool is_group)
{
    uint32_t plane = table_plane(table, gauge->set, code, is_group);

    gauge->n_sought++;
    if (plane != NO_PLANE)
        gauge->planes[gauge->n_planes++] = plane;
}

struct gauge *
gauge_make(const struct plan_want *want, bool is_lookers, const struct table *table,
           enum column_id column, const struct slot_codes *codes, const struct symbol_scope *scope,
           struct arena *arena, bool *is_short)
{
    bool is_overlap = want->want->type == WANT_OVERLAP;
    struct gauge *gauge;

    *is_short = false;
    if (codes->n > GAUGE_PLANES_MAX / 2)
        return NULL;
    gauge = arena_alloc(arena, 1, sizeof *gauge);
    *is_short = gauge == NULL;
    if (gauge == NULL)
        return NULL;
    gauge->set = column_planes(column);
    gauge->n_codes = codes->n;
    for (uint32_t i = 0; i < codes->n; i++) {
        seek(gauge, table, codes->codes[i], false);
        if (is_overlap)
            seek(gauge, table, symbol_scope_group(scope, codes->codes[i]), true);
    }
    gauge->n_counts = gauge->n_planes <= 2 ? 2 : 3;
    gauge->size = codes->n + (is_lookers ? 0 : 1);
    gauge->tells_smaller = is_overlap && codes->n > 1 && gauge->size <= PLANE_SIZES;
    gauge->tells_size = want->want->type == WANT_COVER && !is_lookers;
    gauge->n_bits =
        gauge->n_counts + (gauge->tells_smaller ? 1 : 0) + (gauge->tells_size ? SIZE_BITS : 0);
    return gauge;
}

/* ---- counting ---- */

static const uint64_t *
plane_of(const struct gauge *gauge, const struct block *block, uint32_t plane)
{
    const uint64_t *bits = block_plane(block, gauge->set, plane);

    return bits != NULL ? bits : nowhere;
}

/* Sizes 1, 2, 3 and more as 0, 1, 2, 3. */
static void
read_sizes(const struct gauge *gauge, const struct block *block, uint64_t *low, uint64_t *high)
{
    const uint64_t *two = plane_of(gauge, block, plane_of_size(2));
    const uint64_t *three = plane_of(gauge, block, plane_of_size(3));
    const uint64_t *four = plane_of(gauge, block, plane_of_size(SIZE_OR_MORE));

    for (size_t word = 0; word < BLOCK_WORDS; word++) {
        low[word] = (two[word] & ~three[word]) | four[word];
        high[word] = three[word];
    }
}

void
gauge_read(struct gauge *gauge, const struct block *block, const struct kernel *kernel)
{
    const uint64_t *planes[GAUGE_PLANES_MAX];
    const uint64_t *known = plane_of(gauge, block, plane_of_size(1));
    uint64_t *after = gauge->bits + gauge->n_counts * BLOCK_WORDS;
    size_t n = 0;

    if (gauge->block == block)
        return;
    gauge->block = block;
    for (uint32_t i = 0; i < gauge->n_planes; i++)
        if (gauge->planes[i] < block->planes[gauge->set].n)
            planes[n++] = plane_of(gauge, block, gauge->planes[i]);
    kernel->count(planes, n, gauge->n_counts, BLOCK_WORDS, gauge->bits);
    for (size_t bit = 0; bit < gauge->n_counts; bit++)
        for (size_t word = 0; word < BLOCK_WORDS; word++)
            gauge->bits[bit * BLOCK_WORDS + word] |= ~known[word];
    if (gauge->tells_smaller) {
        const uint64_t *as_many = plane_of(gauge, block, plane_of_size(gauge->size));

        for (size_t word = 0; word < BLOCK_WORDS; word++)
            after[word] = ~as_many[word];
    }
    if (gauge->tells_size)
        read_sizes(gauge, block, after, after + BLOCK_WORDS);
}

/* ---- bounds ---- */

enum { FULL = SCORE_MAX, HALF = SCORE_MAX / 2 };

/* What a code says of a quality: this, or no more than this. */
struct quality_bound {
    int64_t quality;
    bool is_exact;
};

/* `count` of codes and groups in common. */
static struct quality_bound
overlap_bound(const struct gauge *gauge, uint32_t count, bool is_cut, bool is_smaller)
{
    if (count == 0)
        return (struct quality_bound){0, true};
    if (!is_smaller && !is_cut) /* the looker's is the smaller set, or as small */
        return (struct quality_bound){HALF * (int64_t)count / gauge->n_codes, true};
    /* one thing in common is a group; two may be all that a smaller set has */
    return (struct quality_bound){count == 1 && is_smaller ? HALF : FULL, false};
}

/* The candidate's set is measured: of its size the looker's covers `count`. */
static struct quality_bound
covered_bound(uint32_t count, bool is_cut, uint32_t size_class)
{
    uint32_t size = size_class + 1;
    int64_t part = FULL * (int64_t)count / size;

    if (count == 0)
        return (struct quality_bound){0, true};
    return (struct quality_bound){part < FULL && !is_cut ? part : FULL,
                                  size < SIZE_OR_MORE && !is_cut};
}

static struct quality_bound
bound_of(const struct gauge *gauge, enum want_type type, bool is_lookers, uint32_t count,
         uint32_t rest)
{
    bool is_cut = count == (UINT32_C(1) << gauge->n_counts) - 2 && gauge->n_planes > count;

    switch (type) {
    case WANT_OVERLAP:
        return overlap_bound(gauge, count, is_cut,
                             gauge->tells_smaller ? rest != 0 : gauge->n_codes > 1);
    case WANT_COVER:
        if (!is_lookers)
            return covered_bound(count, is_cut, rest);
        return (struct quality_bound){is_cut ? FULL : FULL * (int64_t)count / gauge->n_codes,
                                      !is_cut};
    case WANT_ANY:
        return (struct quality_bound){count > 0 ? FULL : 0, true};
    default: /* same */
        return (struct quality_bound){count < gauge->n_codes && !is_cut ? 0 : FULL,
                                      count < gauge->n_codes && !is_cut};
    }
}

int32_t
gauge_most(const struct gauge *gauge, const struct want *want, bool is_lookers, uint32_t code,
           int32_t if_missing, bool *is_exact)
{
    uint32_t all_ones = (UINT32_C(1) << gauge->n_counts) - 1, count = code & all_ones;
    struct quality_bound bound;

    *is_exact = true;
    if (count == all_ones)
        return if_missing;
    bound = bound_of(gauge, want->type, is_lookers, count, code >> gauge->n_counts);
    *is_exact = bound.is_exact;
    return bound.is_exact ? curve_points(want->curve, want->n_knots, (int32_t)bound.quality)
                          : curve_most(want->curve, want->n_knots, (int32_t)bound.quality);
}
