#ifndef JML_EMBEDDINGS_H
#define JML_EMBEDDINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * embeddings: those of a block's places side by side, for a looker's to be multiplied with.
 *
 * Of each 256 places a *page*: a row for each, a multiple of 64 bytes long and at an address that is one, of which
 * those behind the embedding are 0. A row is one or few lines of memory, where profiles would be
 * three misses each, and kernels read it without an end to look after.
 *
 * All rows of a page are for embeddings of one length, the one that most of its places have. Places whose
 * embedding has another length, or is 0 everywhere, have no row; their facts tell. A page is shared by
 * all blocks that hold the same embeddings, so that a change of another field doesn't copy it: 16 kB for
 * each 64 bytes of length. Facts keep their own: they outlive blocks, and stand in none when they are asked for
 * once only.
 *
 * embeddings_lay: the writer's thread only. A page that was published is immutable. Private to score/.
 */
enum { EMBEDDING_PAGE_ROWS = 256, EMBEDDING_STEP = 64 };

struct embedding_page {
    _Atomic uint32_t references;
    uint16_t length;
    uint64_t edit; /* the edit that made it, and may still change it */
    size_t bytes;
    _Alignas(EMBEDDING_STEP) int8_t rows[]; /* embedding_stride(length) each */
};

/* What a block says of a place's embedding. */
enum { EMBEDDING_HAS_ROW = 1 << 15 };
struct embedding_place {
    uint16_t length; /* 0: none; with EMBEDDING_HAS_ROW */
    uint16_t root;   /* isqrt of the sum of squares; 0 also for one that is 0 everywhere */
};

static inline size_t
embedding_stride(size_t length)
{
    return (length + EMBEDDING_STEP - 1) / EMBEDDING_STEP * EMBEDDING_STEP;
}

static inline uint32_t
embedding_length(struct embedding_place place)
{
    return place.length & (EMBEDDING_HAS_ROW - 1);
}

struct block;
struct facts;

/* These facts will stand at the place, of the edit's own block: their embedding gets a row, if they have one
 * that a row is for. The block's `embedded` is still to be written. Adds to *bytes what pages take more. False if
 * out of memory: nothing has changed. */
bool embeddings_lay(struct block *block, uint32_t place, const struct facts *facts, size_t *bytes);
/* What the block says of them once they stand there. */
struct embedding_place embeddings_place(const struct block *block, uint32_t place,
                                        const struct facts *facts);
struct embedding_page *embedding_page_hold(struct embedding_page *page); /* NULL is fine */
void embedding_page_drop(struct embedding_page *page);                   /* likewise */

#endif
