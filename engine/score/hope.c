#include "search.h"

enum { DEVIATIONS = 2, STEP = 16 /* of scores */ };

/* Living rows of the table: a search that has seen so many of them knows how large a sample it has. */
static uint64_t
count_living(const struct search *search)
{
    const struct table *table = search->lens->table;
    uint64_t n = 0;

    for (uint32_t at = 0; at < table->n_blocks; at++)
        if (search_is_living(search, table->blocks[at]))
            n += table->blocks[at]->n_rows;
    return n;
}

void
hope_begin(struct search *search)
{
    struct hope *hope = &search->hope;

    hope->seen = hope->living = 0; /* what was hoped in a table before binds still */
    if (!hope->is_given_up && search->heap.n == 0 && search->heap.room > 1)
        hope->living = count_living(search);
}

/* Which of the best k in a part of what there is reach a score that k of all do, very likely; may be more than k. */
static size_t
hope_rank(size_t k, uint64_t seen, uint64_t living)
{
    const uint64_t one = UINT64_C(1) << 16;
    uint64_t share = seen * one / living;
    uint64_t mean = (k - 1) * share, variance = mean * (one - share) / one;

    return (size_t)((mean + DEVIATIONS * isqrt_u64(variance * one) + one - 1) / one) + 1;
}

/* What the list's best `rank` reach, rounded down. */
static int32_t
score_at(const struct hit_heap *heap, size_t rank)
{
    uint32_t counts[SCORE_MAX / STEP + 1] = {0};
    int32_t step = SCORE_MAX / STEP;

    for (size_t i = 0; i < heap->n; i++)
        counts[heap->hits[i].score.score / STEP]++;
    for (size_t n = counts[step]; n < rank; n += counts[step])
        step--;
    return step * STEP;
}

void
hope_renew(struct search *search)
{
    struct hope *hope = &search->hope;
    size_t rank;
    int32_t score;

    if (hope->living == 0)
        return;
    rank = hope_rank(search->heap.room, hope->seen, hope->living);
    if (rank > search->heap.n)
        return;
    score = score_at(&search->heap, rank);
    if (score > hope->score)
        hope->score = score;
}

bool
hope_came_true(const struct search *search)
{
    return search->hope.score <= search->query->min_score ||
           hit_heap_least(&search->heap) >= search->hope.score;
}

void
hope_give_up(struct search *search)
{
    search->hope = (struct hope){.is_given_up = true};
    search->heap.n = 0;
    search->considered = search->eligible = 0;
}
