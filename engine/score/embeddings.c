#include "embeddings.h"

#include "alloc.h"
#include "columns.h"
#include "lexicon.h"

#include <assert.h>
#include <stdatomic.h>
#include <string.h>

static_assert(MEM_LINE_BYTES % EMBEDDING_STEP == 0, "rows begin where memory by lines does");

struct embedding_page *
embedding_page_hold(struct embedding_page *page)
{
    if (page != NULL)
        atomic_fetch_add_explicit(&page->references, 1, memory_order_relaxed);
    return page;
}

void
embedding_page_drop(struct embedding_page *page)
{
    if (page != NULL && atomic_fetch_sub_explicit(&page->references, 1, memory_order_acq_rel) == 1)
        mem_free(page);
}

/* All rows are 0. */
static struct embedding_page *
page_make(uint16_t length, uint64_t edit)
{
    size_t bytes = sizeof(struct embedding_page) + EMBEDDING_PAGE_ROWS * embedding_stride(length);
    struct embedding_page *page = mem_alloc_lined(bytes);

    if (page == NULL)
        return NULL;
    memset(page, 0, bytes);
    atomic_init(&page->references, 1);
    page->length = length;
    page->edit = edit;
    page->bytes = bytes;
    return page;
}

static struct embedding_page **
page_of(struct block *block, uint32_t place)
{
    return &block->embedding_pages[place / EMBEDDING_PAGE_ROWS];
}

static int8_t *
row_of(struct embedding_page *page, uint32_t place)
{
    return page->rows + place % EMBEDDING_PAGE_ROWS * embedding_stride(page->length);
}

static bool
wants_row(const struct facts *facts)
{
    return facts->n_embedding > 0 && facts->embedding_norm2 > 0;
}

/* How many other places of the page have an embedding of this length. */
static uint32_t
count_length(const struct block *block, uint32_t place, uint32_t length)
{
    uint32_t first = place - place % EMBEDDING_PAGE_ROWS, n = 0;

    for (uint32_t at = first; at < first + EMBEDDING_PAGE_ROWS; at++)
        n += at != place && embedding_length(block->embedded[at]) == length;
    return n;
}

/* Should the page be of the newcomer's length from now on? */
static bool
should_change(const struct block *block, uint32_t place, const struct embedding_page *page,
              uint32_t length)
{
    return page->length != length &&
           count_length(block, place, length) + 1 > count_length(block, place, page->length);
}

/* Rows of a new page for all places whose embedding has its length. */
static void
rows_lay(struct block *block, uint32_t place, struct embedding_page *page)
{
    uint32_t first = place - place % EMBEDDING_PAGE_ROWS;

    for (uint32_t at = first; at < first + EMBEDDING_PAGE_ROWS; at++) {
        struct embedding_place *embedded = &block->embedded[at];
        uint32_t length = embedding_length(*embedded);
        bool has_row = length == page->length && embedded->root > 0;

        embedded->length = (uint16_t)(has_row ? length | EMBEDDING_HAS_ROW : length);
        if (has_row)
            memcpy(row_of(page, at), block->facts[at]->embedding, length);
    }
}

/* The page takes the place of the block's own. */
static void
page_replace(struct embedding_page **at, struct embedding_page *page, size_t *bytes)
{
    *bytes += page->bytes - (*at != NULL ? (*at)->bytes : 0);
    embedding_page_drop(*at);
    *at = page;
}

/* A page for newcomers of this length, whatever stood there. */
static bool
page_begin(struct block *block, uint32_t place, uint16_t length, size_t *bytes)
{
    struct embedding_page *page = page_make(length, block->edit);

    if (page == NULL)
        return false;
    rows_lay(block, place, page);
    page_replace(page_of(block, place), page, bytes);
    return true;
}

/* The page for the edit to write in. */
static bool
page_own(struct block *block, uint32_t place, size_t *bytes)
{
    struct embedding_page *old = *page_of(block, place), *page;

    if (old->edit == block->edit)
        return true;
    page = page_make(old->length, block->edit);
    if (page == NULL)
        return false;
    memcpy(page->rows, old->rows, EMBEDDING_PAGE_ROWS * embedding_stride(old->length));
    page_replace(page_of(block, place), page, bytes);
    return true;
}

bool
embeddings_lay(struct block *block, uint32_t place, const struct facts *facts, size_t *bytes)
{
    struct embedding_page *page = *page_of(block, place);

    if (!wants_row(facts))
        return true;
    if (page == NULL || should_change(block, place, page, facts->n_embedding)) {
        if (!page_begin(block, place, (uint16_t)facts->n_embedding, bytes))
            return false;
    } else if (page->length != facts->n_embedding ||
               memcmp(row_of(page, place), facts->embedding, page->length) == 0) {
        return true;
    } else if (!page_own(block, place, bytes)) {
        return false;
    }
    memcpy(row_of(*page_of(block, place), place), facts->embedding, facts->n_embedding);
    return true;
}

struct embedding_place
embeddings_place(const struct block *block, uint32_t place, const struct facts *facts)
{
    const struct embedding_page *page = block->embedding_pages[place / EMBEDDING_PAGE_ROWS];
    uint32_t length = facts->n_embedding;

    if (wants_row(facts) && page != NULL && page->length == length)
        length |= EMBEDDING_HAS_ROW;
    return (struct embedding_place){.length = (uint16_t)length,
                                    .root = (uint16_t)isqrt_u64(facts->embedding_norm2)};
}
