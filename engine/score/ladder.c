#include "curve.h"
#include "ladder_parts.h"

#include <string.h>

/* ---- tables ---- */

bool
ladder_class_is_missing(const struct ladder *ladder, uint32_t size_class)
{
    switch (ladder->kind) {
    case LADDER_SETS:
        return size_class == 0;
    case LADDER_CELLS_MET:
        return size_class == WIDTH_UNKNOWN;
    case LADDER_DAYS:
        return size_class == DAYS_MISSING;
    case LADDER_CODES:
    case LADDER_RECORD:
        break;
    }
    return false;
}

static struct bound
bound_of(const struct ladder *ladder, const struct lens_want *want, uint32_t size_class,
         uint32_t metric)
{
    if (ladder->kind == LADDER_SETS)
        return sets_bound(ladder, want, size_class, metric);
    return ladder->kind == LADDER_CELLS_MET ? cells_bound(ladder, want, size_class, metric)
                                            : days_bound(ladder, metric);
}

static void
want_fill(const struct ladder *ladder, const struct lens *lens, struct ladder_want *out)
{
    const struct lens_want *want = &lens->wants[out->want];
    const struct want *how = want->want->want;
    int32_t if_missing = curve_points(how->curve, how->n_knots, how->missing);

    out->most = 0;
    for (uint32_t size_class = 0; size_class < ladder->n_classes; size_class++)
        for (uint32_t left = ladder->reachable[size_class]; left != 0; left &= left - 1) {
            uint32_t metric = (uint32_t)__builtin_ctz(left);
            int32_t points = if_missing;
            bool is_exact = true;

            if (!ladder_class_is_missing(ladder, size_class)) {
                struct bound bound = bound_of(ladder, want, size_class, metric);

                is_exact = bound.is_exact;
                points = is_exact ? curve_points(how->curve, how->n_knots, (int32_t)bound.quality)
                                  : curve_most(how->curve, how->n_knots, (int32_t)bound.quality);
            }
            out->points[size_class][metric] = (int16_t)points;
            out->is_exact[size_class] |= (uint32_t)is_exact << metric;
            out->most = points > out->most ? points : out->most;
        }
}

static void
count_cell(struct ladder *ladder, const struct ladder_want *want, uint32_t size_class,
           uint32_t metric)
{
    int32_t points = want->points[size_class][metric];

    ladder->lacks[size_class][metric][want->view] += want->weight * (want->most - points);
    if (want->is_told)
        ladder->told[size_class][metric][want->view] += want->weight * points;
}

/* What the wants bring in all. At most WANTS_MAX times the greatest weight times 10000: it fits. */
static void
count_cells(struct ladder *ladder)
{
    for (const struct ladder_want *want = ladder->wants; want != NULL; want = want->next) {
        if (want->is_told) {
            ladder->tells = true;
            ladder->told_most[want->view] += (int64_t)want->weight * want->most;
        }
        for (uint32_t size_class = 0; size_class < ladder->n_classes; size_class++)
            for (uint32_t left = ladder->reachable[size_class]; left != 0; left &= left - 1)
                count_cell(ladder, want, size_class, (uint32_t)__builtin_ctz(left));
    }
}

/* ---- making ---- */

static const struct plan_operand *
looker_operand(const struct lens_want *want)
{
    return want->is_lookers ? &want->want->of : &want->want->by;
}

static bool
same_value(const struct lens_want *a, const struct lens_want *b)
{
    const struct plan_operand *x = looker_operand(a), *y = looker_operand(b);

    return x->kind == OPERAND_FIELD && y->kind == OPERAND_FIELD && x->field == y->field;
}

/* Can the want join a ladder that is there already? */
static bool
joins(const struct ladder *ladder, const struct lens *lens, const struct lens_want *want,
      enum ladder_kind kind)
{
    if (ladder->kind != kind || ladder->column != want->column)
        return false;
    if (kind == LADDER_CODES)
        return true;
    return same_value(&lens->wants[ladder->wants->want], want) &&
           (kind != LADDER_SETS || ladder->with_groups == (want->want->want->type == WANT_OVERLAP));
}

static bool
kind_for(const struct lens *lens, const struct lens_want *want, const struct points_row *row,
         enum ladder_kind *kind)
{
    if (sets_fit(want, lens->table) && row->value->codes.n <= LADDER_PLANES_MAX / 2)
        *kind = LADDER_SETS;
    else if (cells_fit(want, row))
        *kind = LADDER_CELLS_MET;
    else if (days_fit(want, row))
        *kind = LADDER_DAYS;
    else
        *kind = LADDER_CODES;
    return *kind != LADDER_CODES || lens_is_small(want->n_codes);
}

static struct ladder *
ladder_begin(struct ladders *ladders, const struct lens *lens, const struct lens_want *want,
             const struct points_row *row, enum ladder_kind kind, struct arena *arena)
{
    struct ladder *ladder = arena_alloc_wide(arena, 1, sizeof *ladder);

    if (ladder == NULL)
        return NULL;
    ladder->kind = kind;
    ladder->column = want->column;
    ladder->dictionary = want->dictionary;
    ladder->n_codes = want->n_codes;
    if (kind == LADDER_SETS)
        sets_begin(ladder, lens, want, &row->value->codes);
    else if (kind == LADDER_CELLS_MET)
        cells_begin(ladder, row);
    else if (kind == LADDER_DAYS)
        days_begin(ladder, row);
    ladders->all[ladders->n++] = ladder;
    return ladder;
}

static bool
want_join(struct ladders *ladders, const struct lens *lens, size_t want_at,
          const struct points_row *row, struct arena *arena)
{
    const struct lens_want *want = &lens->wants[want_at];
    struct ladder *ladder = NULL;
    struct ladder_want *joined;
    enum ladder_kind kind;

    if (!kind_for(lens, want, row, &kind))
        return true;
    for (size_t i = 0; i < ladders->n && ladder == NULL; i++)
        if (joins(ladders->all[i], lens, want, kind))
            ladder = ladders->all[i];
    if (ladder == NULL)
        ladder = ladder_begin(ladders, lens, want, row, kind, arena);
    joined = arena_alloc(arena, 1, sizeof *joined);
    if (ladder == NULL || joined == NULL)
        return false;
    joined->want = want_at;
    joined->view = want->view;
    joined->weight = want->weight;
    joined->is_told = kind != LADDER_CODES && !lens_is_small(want->n_codes);
    joined->next = ladder->wants;
    ladder->wants = joined;
    return true;
}

/* How much there is to lose. */
static int64_t
spread_of(const struct ladder *ladder)
{
    int64_t spread = 0;

    for (const struct ladder_want *want = ladder->wants; want != NULL; want = want->next)
        spread += (int64_t)want->weight * want->most;
    return ladder->kind == LADDER_CODES ? spread / 2 : spread; /* each of its places costs more */
}

void
ladders_sort(struct ladders *ladders)
{
    for (size_t i = 1; i < ladders->n; i++) {
        struct ladder *ladder = ladders->all[i];
        size_t at = i;

        for (; at > 0 && ladders->all[at - 1]->spread < ladder->spread; at--)
            ladders->all[at] = ladders->all[at - 1];
        ladders->all[at] = ladder;
    }
}

static bool
ladder_fill(struct ladder *ladder, struct lens *lens, struct points_row *const *rows,
            struct arena *arena)
{
    if (ladder->kind == LADDER_SETS)
        sets_classes(ladder, lens);
    if (ladder->n_classes > 0) {
        ladder->told = arena_alloc(arena, ladder->n_classes, sizeof *ladder->told);
        ladder->lacks = arena_alloc(arena, ladder->n_classes, sizeof *ladder->lacks);
        if (ladder->told == NULL || ladder->lacks == NULL)
            return false;
    }
    for (struct ladder_want *want = ladder->wants; want != NULL; want = want->next)
        if (ladder->kind == LADDER_CODES)
            want->most = lens_row_most(lens, &lens->wants[want->want], rows[want->want]);
        else
            want_fill(ladder, lens, want);
    count_cells(ladder);
    ladder->spread = spread_of(ladder);
    return true;
}

bool
ladders_make(struct lens *lens, struct points_row *const *rows, const int64_t record_gain[2],
             struct arena *arena, struct ladders *out)
{
    *out = (struct ladders){0};
    out->all = arena_alloc(arena, lens->n_wants + 1, sizeof(struct ladder *));
    if (out->all == NULL)
        return false;
    for (size_t i = 0; i < lens->n_wants; i++)
        if (lens->wants[i].kind == LENS_COLUMN && !rows[i]->is_missing &&
            !want_join(out, lens, i, rows[i], arena))
            return false;
    for (size_t i = 0; i < out->n; i++)
        if (!ladder_fill(out->all[i], lens, rows, arena))
            return false;
    if (record_gain[0] + record_gain[1] > 0) {
        struct ladder *ladder = arena_alloc_wide(arena, 1, sizeof *ladder);

        if (ladder == NULL)
            return false;
        ladder->kind = LADDER_RECORD;
        ladder->spread = record_gain[0] + record_gain[1];
        out->all[out->n++] = ladder;
    }
    ladders_sort(out);
    return true;
}
