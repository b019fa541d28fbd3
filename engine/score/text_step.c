#include "search.h"

/* ---- by the embedding ---- */

bool
search_by_embedding(const struct search *search, const struct block *block, uint32_t place)
{
    uint32_t length = search->query->viewer->n_embedding;

    return length > 0 && length == embedding_length(block->embedded[place]);
}

/* Of two embeddings, neither of them 0 everywhere, by their dot product; without their exact quality. */
static uint8_t
step_of_dot(const struct search *search, const struct block *block, uint32_t place, int32_t dot)
{
    uint32_t step;

    if (dot <= 0)
        return 0;
    /* at most 2^24; isqrt(x * y) is not below isqrt(x) * isqrt(y) */
    step = (uint32_t)dot * TEXT_STEPS / (search->embedding_root * block->embedded[place].root) + 1;
    return (uint8_t)(step < TEXT_STEPS ? step : TEXT_STEPS);
}

/* Of a place without a row. */
static uint8_t
step_by_embedding(const struct search *search, const struct block *block, uint32_t place)
{
    const struct facts *looker = search->query->viewer;
    int32_t dot;

    if (search->embedding == NULL || block->embedded[place].root == 0)
        return TEXT_STEP_MISSING;
    search->plan->kernel->dots(looker->embedding, looker->n_embedding,
                               &block->facts[place]->embedding, 1, &dot);
    return step_of_dot(search, block, place, dot);
}

/* Rows begin to come from memory, all of them before the first is waited for. */
FETCHING void
fetch_embeddings(const struct block *block, const uint16_t *places, uint32_t n, size_t stride)
{
    for (uint32_t i = 0; i < n; i++) {
        const struct embedding_page *page = block->embedding_pages[places[i] / EMBEDDING_PAGE_ROWS];

        __builtin_prefetch(&block->embedded[places[i]]);
        if (page != NULL)
            fetch(page->rows + places[i] % EMBEDDING_PAGE_ROWS * stride, stride);
    }
}

/* ---- by the sketch ---- */

FETCHING void
fetch_sketches(const struct block *block, const uint16_t *places, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        __builtin_prefetch(block->sketches[places[i]]);
        __builtin_prefetch(&block->texts[places[i]]);
    }
}

static void
steps_by_sketch(const struct search *search, const struct block *block, const uint16_t *places,
                uint32_t n, uint8_t steps[])
{
    const struct facts *looker = search->query->viewer;
    const int8_t *rows[TEXTS_AT_ONCE];
    int32_t products[TEXTS_AT_ONCE];

    if (n == 0)
        return;
    for (uint32_t i = 0; i < n; i++)
        rows[i] = block->sketches[places[i]];
    search->plan->kernel->dots(looker->text.sketch, TEXT_BUCKETS, rows, n, products);
    for (uint32_t i = 0; i < n; i++) {
        const struct text_measure *other = &block->texts[places[i]];

        steps[i] = search->probe != NULL && other->root != 0
                       ? text_step(text_most(&looker->text.measure, other, products[i]))
                       : TEXT_STEP_MISSING;
    }
}

/* ---- both ---- */

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
steps_by_rows(const struct search *search, const struct block *block, const uint16_t *places,
              uint32_t n, uint8_t steps[])
{
    uint32_t length = search->query->viewer->n_embedding, n_rows = 0;
    const int8_t *rows[TEXTS_AT_ONCE];
    uint8_t at[TEXTS_AT_ONCE];
    int32_t dots[TEXTS_AT_ONCE];

    for (uint32_t i = 0; i < n; i++) {
        const int8_t *row =
            search->embedding != NULL ? block_embedding(block, places[i], length) : NULL;

        if (row != NULL) {
            rows[n_rows] = row;
            at[n_rows++] = (uint8_t)i;
        } else if (search_by_embedding(search, block, places[i])) {
            steps[i] = step_by_embedding(search, block, places[i]);
        } else {
            steps_by_sketch(search, block, places + i, 1, steps + i);
        }
    }
    if (n_rows > 0)
        search->plan->kernel->dots(search->embedding, (uint32_t)embedding_stride(length), rows,
                                   n_rows, dots);
    for (uint32_t i = 0; i < n_rows; i++)
        steps[at[i]] = step_of_dot(search, block, places[at[i]], dots[i]);
}

void
search_text_steps(const struct search *search, const struct block *block, const uint16_t *places,
                  uint32_t n, uint8_t steps[])
{
    if (search->query->viewer->n_embedding > 0)
        steps_by_rows(search, block, places, n, steps);
    else
        steps_by_sketch(search, block, places, n, steps);
}
