#include "ladder_parts.h"
#include "quality.h"

enum { FULL = SCORE_MAX, HALF = SCORE_MAX / 2, GAP_STEP = 1250, GAPS = 4 };
/* Metric 0 of cells: so far apart that nothing is left; then one for each cell more, up to the last. */
enum { CELLS_METRIC_ZERO = -5 };
enum { DAYS_STEPS = LADDER_METRICS - 1 };

/* ---- cells ---- */

bool
cells_fit(const struct lens_want *want, const struct points_row *row)
{
    return want->want->want->type == WANT_RANGE && span_has(want->column) && row->range.are_known &&
           row->range.cells.hi <= CELL_MAX;
}

void
cells_begin(struct ladder *ladder, const struct points_row *row)
{
    int width = cell_range_width(row->range.cells);

    ladder->cells = row->range.cells;
    ladder->n_classes = LADDER_CLASSES;
    ladder->n_metrics = LADDER_METRICS;
    for (uint32_t size_class = 0; size_class <= SPAN_WIDTHS; size_class++) {
        int most =
            size_class < SPAN_WIDTHS && (int)size_class + 1 < width ? (int)size_class + 1 : width;

        ladder->reachable[size_class] = metrics_below((uint32_t)(most - CELLS_METRIC_ZERO));
    }
    ladder->reachable[WIDTH_UNKNOWN] = 1;
}

/* As range_quality, of what the two have in common and the width that is measured. */
struct bound
cells_bound(const struct ladder *ladder, const struct lens_want *want, uint32_t size_class,
            uint32_t metric)
{
    int common = CELLS_METRIC_ZERO + (int)metric + 1;
    bool is_wide = size_class == SPAN_WIDTHS; /* or wider */
    int width = want->is_lookers ? cell_range_width(ladder->cells) : (int)size_class + 1;
    bool is_last = metric == LADDER_METRICS - 1; /* or more of them */
    int64_t part;

    if (common <= 0)
        return (struct bound){-common < GAPS ? HALF + GAP_STEP * common : 0, true};
    part = FULL * (int64_t)common / width;
    if (is_last && cell_range_width(ladder->cells) > common)
        return (struct bound){FULL, false};
    return (struct bound){part < FULL ? part : FULL, want->is_lookers || !is_wide};
}

void
cells_reach(const struct ladder *ladder, const struct kernel *kernel, const uint64_t *bits,
            uint64_t *levels)
{
    const struct span *span = ladder->span;
    struct kernel_cells cells = {.lo = span->cells.lo,
                                 .hi = span->cells.hi,
                                 .classes = span->cells.classes,
                                 .from = span_cell(ladder->cells.lo),
                                 .to = span_cell(ladder->cells.hi)};

    for (uint32_t level = 0; level < ladder->steps.n; level++)
        for (uint32_t size_class = 0; size_class < LADDER_CLASSES; size_class++) {
            int need = ladder->needs[level][size_class];

            cells.needs[level][size_class] =
                (int8_t)(need == 0               ? INT8_MIN
                         : need < LADDER_METRICS ? CELLS_METRIC_ZERO + need
                                                 : INT8_MAX);
        }
    kernel->reach_cells(&cells, ladder->steps.n, BLOCK_WORDS, bits, levels);
}

void
cells_place(const struct ladder *ladder, uint32_t place, uint32_t *size_class, uint32_t *metric)
{
    const struct span *span = ladder->span;
    int hi = span->cells.hi[place] - INT8_MIN, lo = span->cells.lo[place] - INT8_MIN;
    int met = (hi < ladder->cells.hi ? hi : ladder->cells.hi) -
              (lo > ladder->cells.lo ? lo : ladder->cells.lo) - CELLS_METRIC_ZERO;

    *size_class = span->cells.classes[place];
    *metric = (uint32_t)(met < 0 ? 0 : met < LADDER_METRICS ? met : LADDER_METRICS - 1);
    if (*size_class == WIDTH_UNKNOWN)
        *metric = 0;
}

/* ---- days ---- */

static int32_t
days_of_period(const struct ladder *ladder)
{
    return ladder->to - ladder->from + 1;
}

/* The fewest days in common of a metric. */
static int32_t
days_first(const struct ladder *ladder, uint32_t metric)
{
    return metric == 0 ? 0 : 1 + (int32_t)(metric - 1) * days_of_period(ladder) / DAYS_STEPS;
}

int32_t
days_quality(const struct ladder *ladder, int32_t days)
{
    return FULL * days / days_of_period(ladder);
}

bool
days_fit(const struct lens_want *want, const struct points_row *row)
{
    int16_t from, to;

    return want->want->want->type == WANT_PERIOD && want->is_lookers &&
           row->value->period.from != DATE_OPEN_FROM && row->value->period.to != DATE_OPEN_TO &&
           row->value->period.from <= row->value->period.to &&
           span_period(&row->value->period, &from, &to);
}

void
days_begin(struct ladder *ladder, const struct points_row *row)
{
    int16_t from, to;

    (void)span_period(&row->value->period, &from, &to);
    ladder->from = from;
    ladder->to = to - from < PERIOD_DAYS_MAX ? to : from + PERIOD_DAYS_MAX - 1;
    ladder->n_classes = DAYS_MISSING + 1;
    ladder->n_metrics = LADDER_METRICS;
    ladder->reachable[DAYS_MISSING] = 1;
    for (uint32_t metric = 0; metric < LADDER_METRICS; metric++)
        if (days_first(ladder, metric) < days_first(ladder, metric + 1))
            ladder->reachable[DAYS_KNOWN] |= UINT32_C(1) << metric;
}

struct bound
days_bound(const struct ladder *ladder, uint32_t metric)
{
    return (struct bound){days_quality(ladder, days_first(ladder, metric + 1) - 1), metric == 0};
}

void
days_reach(const struct ladder *ladder, const struct kernel *kernel, const uint64_t *bits,
           uint64_t *levels)
{
    const struct span *span = ladder->span;
    struct kernel_days days = {.lo = span->days.lo,
                               .hi = span->days.hi,
                               .from = (int16_t)ladder->from,
                               .to = (int16_t)ladder->to};

    for (uint32_t level = 0; level < ladder->steps.n; level++) {
        uint32_t need = ladder->needs[level][DAYS_KNOWN];

        days.needs[level] = (int16_t)(need == 0               ? INT16_MIN
                                      : need < LADDER_METRICS ? days_first(ladder, need) - 1
                                                              : INT16_MAX);
    }
    kernel->reach_days(&days, ladder->steps.n, BLOCK_WORDS, bits, levels);
    for (uint32_t level = 0; level < ladder->steps.n; level++, levels += BLOCK_WORDS) {
        uint64_t if_missing = ladder->needs[level][DAYS_MISSING] == 0 ? UINT64_MAX : 0;

        for (size_t word = 0; word < BLOCK_WORDS; word++)
            levels[word] = (levels[word] & span->known[word]) | (if_missing & ~span->known[word]);
    }
}

int32_t
days_common(const struct ladder *ladder, uint32_t place)
{
    int32_t from = ladder->span->days.lo[place], to = ladder->span->days.hi[place];

    from = from > ladder->from ? from : ladder->from;
    to = to < ladder->to ? to : ladder->to;
    return to >= from ? to - from + 1 : 0;
}

void
days_place(const struct ladder *ladder, uint32_t place, uint32_t *size_class, uint32_t *metric)
{
    int32_t days;

    *size_class = DAYS_MISSING;
    *metric = 0;
    if (!has_bit(ladder->span->known, place))
        return;
    *size_class = DAYS_KNOWN;
    days = days_common(ladder, place);
    if (days == 0)
        return;
    *metric = 1 + (uint32_t)((days - 1) * DAYS_STEPS / days_of_period(ladder));
    while (*metric < DAYS_STEPS && days_first(ladder, *metric + 1) <= days)
        ++*metric;
}
