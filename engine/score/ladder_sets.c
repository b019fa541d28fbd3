#include "ladder_parts.h"

#include <string.h>

enum { FULL = SCORE_MAX, HALF = SCORE_MAX / 2 };

static const uint64_t nowhere[BLOCK_WORDS];

/* ---- what bounds a quality ---- */

/* Class 0 has no set; class 1 begins with one code, each later one with a threshold. */
static uint32_t
class_first_size(const struct ladder *ladder, uint32_t size_class)
{
    return size_class < 2 ? 1 : ladder->sizes[size_class - 2];
}

static uint32_t
class_last_size(const struct ladder *ladder, uint32_t size_class)
{
    return size_class <= ladder->n_sizes ? ladder->sizes[size_class - 1] - 1 : SLOT_CODES_MAX;
}

/* From this size on a candidate's set is not the smaller one, by which an overlap is measured. */
static uint32_t
size_as_large(const struct ladder *ladder, bool is_lookers)
{
    return ladder->n_codes + (is_lookers ? 0 : 1);
}

/* `count` of codes and groups in common. */
static struct bound
overlap_bound(const struct ladder *ladder, bool is_lookers, uint32_t size_class, uint32_t count,
              bool is_cut)
{
    bool is_smaller = ladder->n_codes > 1 &&
                      class_first_size(ladder, size_class) < size_as_large(ladder, is_lookers);

    if (count == 0)
        return (struct bound){0, true};
    if (!is_smaller && !is_cut)
        return (struct bound){HALF * (int64_t)count / ladder->n_codes, true};
    /* one thing in common is a group; two may be all that a smaller set has */
    return (struct bound){count == 1 && is_smaller ? HALF : FULL, false};
}

/* The candidate's set is measured: of its size the looker's covers `count`. */
static struct bound
covered_bound(const struct ladder *ladder, uint32_t size_class, uint32_t count, bool is_cut)
{
    uint32_t size = class_first_size(ladder, size_class);
    int64_t part = FULL * (int64_t)count / size;

    if (count == 0)
        return (struct bound){0, true};
    return (struct bound){part < FULL && !is_cut ? part : FULL,
                          size == class_last_size(ladder, size_class) && !is_cut && count <= size};
}

struct bound
sets_bound(const struct ladder *ladder, const struct lens_want *want, uint32_t size_class,
           uint32_t count)
{
    bool is_cut = count == ladder->n_tops && ladder->n_planes > count;

    switch (want->want->want->type) {
    case WANT_OVERLAP:
        return overlap_bound(ladder, want->is_lookers, size_class, count, is_cut);
    case WANT_COVER:
        if (!want->is_lookers)
            return covered_bound(ladder, size_class, count, is_cut);
        return (struct bound){is_cut ? FULL : FULL * (int64_t)count / ladder->n_codes, !is_cut};
    case WANT_ANY:
        return (struct bound){count > 0 ? FULL : 0, true};
    default: /* same */
        return (struct bound){count < ladder->n_codes && !is_cut ? 0 : FULL,
                              count < ladder->n_codes && !is_cut};
    }
}

/* ---- beginning ---- */

bool
sets_fit(const struct lens_want *want, const struct table *table)
{
    enum want_type type = want->want->want->type;
    enum plane_set set = column_planes(want->column);

    if (set == PLANE_SETS || !table_has_planes(table, set))
        return false;
    if (type == WANT_OVERLAP)
        return (schema[want->column].flags & FIELD_TWO_LEVEL) != 0;
    return type == WANT_COVER || type == WANT_ANY || type == WANT_SAME;
}

static void
seek(struct ladder *ladder, const struct table *table, symbol code, bool is_group)
{
    uint32_t plane = table_plane(table, ladder->set, code, is_group);

    if (plane != NO_PLANE)
        ladder->planes[ladder->n_planes++] = plane;
}

void
sets_begin(struct ladder *ladder, const struct lens *lens, const struct lens_want *want,
           const struct slot_codes *codes)
{
    ladder->set = column_planes(want->column);
    ladder->with_groups = want->want->want->type == WANT_OVERLAP;
    ladder->n_codes = codes->n;
    for (uint32_t i = 0; i < codes->n; i++) {
        seek(ladder, lens->table, codes->codes[i], false);
        if (ladder->with_groups)
            seek(ladder, lens->table, symbol_scope_group(lens->plan->scope, codes->codes[i]), true);
    }
    ladder->n_tops = ladder->n_planes < KERNEL_TOPS ? ladder->n_planes : KERNEL_TOPS;
    if (ladder->n_tops == 0)
        ladder->n_tops = 1;
}

/* A threshold among the sizes, unless planes don't tell it or there is no room. */
static void
size_add(struct ladder *ladder, uint32_t size)
{
    uint32_t at = 0;

    while (at < ladder->n_sizes && ladder->sizes[at] < size)
        at++;
    if (size < 2 || size > PLANE_SIZES || ladder->n_sizes == LADDER_SIZES ||
        (at < ladder->n_sizes && ladder->sizes[at] == size))
        return;
    memmove(&ladder->sizes[at + 1], &ladder->sizes[at],
            (ladder->n_sizes - at) * sizeof *ladder->sizes);
    ladder->sizes[at] = size;
    ladder->n_sizes++;
}

void
sets_classes(struct ladder *ladder, const struct lens *lens)
{
    for (const struct ladder_want *at = ladder->wants; at != NULL; at = at->next) {
        const struct lens_want *want = &lens->wants[at->want];
        enum want_type type = want->want->want->type;

        if (type == WANT_OVERLAP && ladder->n_codes > 1)
            size_add(ladder, size_as_large(ladder, want->is_lookers));
        for (uint32_t size = 2; type == WANT_COVER && !want->is_lookers && size <= 4; size++)
            size_add(ladder, size);
    }
    ladder->n_classes = ladder->n_sizes + 2; /* and the missing one */
    ladder->n_metrics = ladder->n_tops + 1;
    for (uint32_t size_class = 0; size_class < ladder->n_classes; size_class++)
        ladder->reachable[size_class] =
            metrics_below(ladder_class_is_missing(ladder, size_class) ? 1 : ladder->n_metrics);
}

/* ---- a block ---- */

static const uint64_t *
plane_of(const struct ladder *ladder, const struct block *block, uint32_t plane)
{
    const uint64_t *bits = block_plane(block, ladder->set, plane);

    return bits != NULL ? bits : nowhere;
}

/* The planes of the block, looked up once. */
void
sets_face(struct ladder *ladder, const struct block *block)
{
    if (ladder->block == block)
        return;
    ladder->block = block;
    ladder->known = plane_of(ladder, block, plane_of_size(1));
    for (uint32_t i = 0; i < ladder->n_planes; i++)
        ladder->counted[i] = plane_of(ladder, block, ladder->planes[i]);
    for (uint32_t i = 0; i < ladder->n_sizes; i++)
        ladder->larger[i] = plane_of(ladder, block, plane_of_size(ladder->sizes[i]));
}

void
sets_fetch(const struct ladder *ladder, const struct block *block)
{
    fetch(plane_of(ladder, block, plane_of_size(1)), PLANE_BYTES);
    for (uint32_t i = 0; i < ladder->n_planes; i++)
        fetch(plane_of(ladder, block, ladder->planes[i]), PLANE_BYTES);
    for (uint32_t i = 0; i < ladder->n_sizes; i++)
        fetch(plane_of(ladder, block, plane_of_size(ladder->sizes[i])), PLANE_BYTES);
}

void
sets_reach(const struct ladder *ladder, const struct kernel *kernel, const uint64_t *bits,
           struct ladder_scratch *scratch)
{
    struct kernel_sets sets = {.tops = scratch->tops,
                               .planes = {ladder->known},
                               .n_tops = ladder->n_tops,
                               .n_classes = ladder->n_classes};

    memcpy(&sets.planes[1], ladder->larger, ladder->n_sizes * sizeof ladder->larger[0]);
    for (uint32_t level = 0; level < ladder->steps.n; level++)
        memcpy(sets.needs[level], ladder->needs[level], ladder->n_classes);
    kernel->count(ladder->counted, ladder->n_planes, ladder->n_tops, BLOCK_WORDS, scratch->tops);
    kernel->reach_sets(&sets, ladder->steps.n, BLOCK_WORDS, bits, scratch->levels);
}

void
sets_place(const struct ladder *ladder, uint32_t place, uint32_t *size_class, uint32_t *metric)
{
    uint32_t count = 0, n_larger = 0;

    *size_class = *metric = 0;
    if (!has_bit(ladder->known, place))
        return;
    for (uint32_t i = 0; i < ladder->n_planes; i++)
        count += has_bit(ladder->counted[i], place);
    for (uint32_t i = 0; i < ladder->n_sizes; i++)
        n_larger += has_bit(ladder->larger[i], place);
    *size_class = 1 + n_larger;
    *metric = count < ladder->n_tops ? count : ladder->n_tops;
}
