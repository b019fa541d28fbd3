#include "quality.h"

#include "code_set.h"

#include <assert.h>

enum { FULL = 10000, HALF = 5000, STAGE_STEP = 4000, GAP_STEP = 1250, RECORD_HALF = 3 };

int32_t
overlap_quality(const struct slot_codes *a, const struct slot_codes *b,
                const struct symbol_scope *scope)
{
    const struct slot_codes *smaller = a->n <= b->n ? a : b;
    const struct slot_codes *larger = a->n <= b->n ? b : a;
    int64_t exact = 0, near = 0;

    assert(smaller->n > 0);
    for (uint32_t i = 0; i < smaller->n; i++)
        if (code_set_has(larger, smaller->codes[i]))
            exact++;
        else if (code_set_has_group(larger, smaller, i, scope))
            near++;
    return (int32_t)((FULL * exact + HALF * near) / smaller->n);
}

int32_t
cover_quality(const struct slot_codes *a, const struct slot_codes *b)
{
    return (int32_t)(FULL * (int64_t)code_set_common(a, b) / a->n);
}

int32_t
any_quality(const struct slot_codes *a, const struct slot_codes *b)
{
    return code_set_meets(a, b) ? FULL : 0;
}

int32_t
same_quality(const struct slot_codes *a, const struct slot_codes *b)
{
    return code_set_equal(a, b) ? FULL : 0;
}

int64_t
stage_distance(const struct slot_codes *a, const struct slot_codes *b,
               const struct order_map *orders, bool *a_has, bool *b_has)
{
    int64_t smallest = -1;
    int32_t x, y;

    *a_has = *b_has = false;
    for (uint32_t j = 0; j < b->n; j++)
        if (order_map_find(orders, b->codes[j], &y))
            *b_has = true;
    for (uint32_t i = 0; i < a->n; i++) {
        if (!order_map_find(orders, a->codes[i], &x))
            continue;
        *a_has = true;
        for (uint32_t j = 0; j < b->n; j++) {
            int64_t distance;

            if (!order_map_find(orders, b->codes[j], &y))
                continue;
            distance = x < y ? (int64_t)y - x : (int64_t)x - y;
            if (smallest < 0 || distance < smallest)
                smallest = distance;
        }
    }
    return smallest;
}

int32_t
stage_quality(int64_t distance)
{
    return distance <= FULL / STAGE_STEP ? FULL - STAGE_STEP * (int32_t)distance : 0;
}

int32_t
range_quality(struct cell_range a, struct cell_range b)
{
    int common = cell_range_common(a, b);

    if (common > 0)
        return FULL * common / cell_range_width(a);
    return -common < HALF / GAP_STEP ? HALF + GAP_STEP * common : 0;
}

int32_t
at_least_quality(int64_t a, int64_t b)
{
    assert(a >= 0 && b >= 0);
    if (b >= a)
        return FULL;
    return (int32_t)((__extension__(unsigned __int128) b) * FULL / (uint64_t)a);
}

int32_t
period_quality(const struct slot_period *a, const struct slot_period *b,
               struct period_common *common)
{
    int32_t from = a->from != DATE_OPEN_FROM ? a->from : b->from;
    int32_t to = a->to != DATE_OPEN_TO ? a->to : b->to;
    int32_t first, last;

    *common = (struct period_common){0};
    if (from == DATE_OPEN_FROM || to == DATE_OPEN_TO)
        return -1;
    if (from > to)
        return 0;
    if (to - from >= PERIOD_DAYS_MAX)
        to = from + PERIOD_DAYS_MAX - 1;
    first = b->from > from ? b->from : from; /* an open end of b is beyond every day */
    last = b->to < to ? b->to : to;
    if (first > last)
        return 0;
    *common = (struct period_common){first, last, last - first + 1};
    return FULL * common->days / (to - from + 1);
}

int32_t
embedding_quality(const struct facts *a, const struct facts *b)
{
    int32_t dot = 0;

    assert(a->n_embedding == b->n_embedding);
    for (uint32_t i = 0; i < a->n_embedding; i++)
        dot += a->embedding[i] * b->embedding[i];
    return embedding_dot_quality(dot, a->embedding_norm2, b->embedding_norm2);
}

int32_t
embedding_dot_quality(int32_t dot, uint32_t a_norm2, uint32_t b_norm2)
{
    uint64_t norms = (uint64_t)a_norm2 * b_norm2;
    int64_t quality;

    assert(norms > 0);
    if (dot <= 0)
        return 0;
    quality = (int64_t)FULL * dot / (int64_t)isqrt_u64(norms);
    return quality < FULL ? (int32_t)quality : FULL;
}

int32_t
record_quality(uint32_t h)
{
    return (int32_t)((int64_t)FULL * h / ((int64_t)h + RECORD_HALF));
}
