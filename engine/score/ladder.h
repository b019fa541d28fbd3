#ifndef JML_LADDER_H
#define JML_LADDER_H

#include "arena.h"
#include "kernel.h"
#include "lens.h"
#include "span.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * ladder: what wants of one column tell of many candidates at once, and what each of them loses by it.
 *
 * A want compares the looker's value with a candidate's, and all that matters of the latter is how much the
 * two have in common, its *metric*, and how large it is itself, its *class*:
 *
 *     sets     codes in common (and groups, of an overlap), up to 7;   the number of codes, by thresholds
 *     cells    how far the two ranges meet, or lie apart;             its width, 1 to 14 cells, or more
 *     days     days in common, in 31 steps                            (the looker's period is measured)
 *     codes    the code of a small dictionary
 *     record   has it outcomes at all?
 *
 * Metrics and classes of a block are told by planes and spans (columns.h, span.h), 64 places or more at a
 * time. A table gives each want's points for each of them: exactly, or at most. Against the best of the table
 * a place *loses*; losses become small integers against the loss that is tolerated, rounded down, and up to 15
 * levels by which a kernel adds them up (kernel.h). Wants of both views that look at the same values
 * share a ladder.
 *
 * In an arena; one thread. Private to score/.
 */
enum { LADDER_METRICS = 32, LADDER_CLASSES = 16, LADDER_CELLS = LADDER_METRICS * LADDER_CLASSES };
enum { LADDER_PLANES_MAX = 64, LADDER_SIZES = 6 };
enum ladder_kind { LADDER_SETS, LADDER_CELLS_MET, LADDER_DAYS, LADDER_CODES, LADDER_RECORD };

struct ladder_want {
    size_t want;  /* of the lens */
    bool is_told; /* among those that ladder_add adds: no shorter way tells its points */
    int view;
    int32_t weight, most;                           /* most: points of any metric and class */
    int16_t points[LADDER_CLASSES][LADDER_METRICS]; /* exactly, or at most */
    uint32_t is_exact[LADDER_CLASSES];              /* a bit a metric */
    struct ladder_want *next;
};

struct ladder {
    enum ladder_kind kind;
    enum column_id column;
    const struct dictionary *dictionary;
    struct ladder_want *wants;
    int64_t spread; /* what it takes from candidates: those that take most come first */
    uint32_t n_classes, n_metrics;
    uint32_t reachable[LADDER_CLASSES]; /* a bit a metric that may occur */
    bool tells;                         /* it has told wants */
    int64_t told_most[2];
    /* By class and metric, weighted points by view: what its told wants bring, and how much less than their most
     * all its wants do. NULL: of codes and records. */
    int32_t (*told)[LADDER_METRICS][2], (*lacks)[LADDER_METRICS][2];

    /* sets */
    enum plane_set set;
    bool with_groups;
    uint32_t planes[LADDER_PLANES_MAX]; /* counted */
    uint32_t n_planes, n_tops, n_codes; /* codes of the looker's set; of codes: of the dictionary */
    uint32_t sizes[LADDER_SIZES];       /* ascending; each begins a class */
    uint32_t n_sizes;
    const uint64_t *counted[LADDER_PLANES_MAX], *larger[LADDER_SIZES], *known; /* of `block` */
    /* cells, days */
    struct cell_range cells;   /* the looker's */
    int32_t from, to;          /* days, as a span numbers them */
    const struct block *block; /* that is at hand; NULL: none yet */
    const struct span *span;   /* NULL: none */

    /* of the loss that is tolerated now */
    struct kernel_steps steps;
    uint8_t needs[KERNEL_LEVELS][LADDER_CLASSES]; /* the least metric that reaches the level */
    uint8_t values[KERNEL_LEVELS];                /* losses below which a level is reached */
    _Alignas(64) uint8_t losses[LADDER_CELLS];    /* by class and metric; of codes, by code */
};

struct ladders {
    struct ladder **all; /* those that tell most first */
    size_t n;
    bool are_measured; /* on places that were there; until then by what could be lost */
};

/* Those of a block who may still be among the best, and how many units they have lost. */
struct climbers {
    uint32_t n;
    uint16_t places[BLOCK_ROWS];
    uint8_t lost[BLOCK_ROWS];
};

/* A thread's scratch for a block. */
struct ladder_scratch {
    struct climbers climbers;
    _Alignas(64) uint64_t tops[KERNEL_TOPS * BLOCK_WORDS];
    uint64_t levels[KERNEL_LEVELS * BLOCK_WORDS];
    uint64_t sums[KERNEL_SUM_BITS * BLOCK_WORDS];
    uint64_t starts[KERNEL_SUM_BITS * BLOCK_WORDS]; /* of ladders_climb_each */
};

/* Ladders of all wants that have one, for a looker whose rows these are. record_gain: weighted points by
 * view that a candidate's record adds at most. False if memory ends. */
bool ladders_make(struct lens *lens, struct points_row *const *rows, const int64_t record_gain[2],
                  struct arena *arena, struct ladders *out);
/*
 * Levels for places that may lose `tolerated` and no more, where a weighted point of a view is worth
 * rates[view]: a loss of l is told as floor(l * scale / 2^LADDER_SHIFT), with scale such that losses of no
 * more than `tolerated` in all sum to at most KERNEL_SUM_MOST - 1.
 */
enum { LADDER_SHIFT = 44 };
uint64_t ladders_level(struct ladders *ladders, const struct lens *lens,
                       struct points_row *const *rows, const int64_t rates[2],
                       const int64_t record_gain[2], int64_t tolerated);
/* Leaves in scratch->climbers those of the places that lose no more than `limit` of those units. */
void ladders_climb(struct ladders *ladders, const struct lens *lens, const struct block *block,
                   unsigned limit, struct ladder_scratch *scratch, uint64_t bits[BLOCK_WORDS]);

/* The same, where each place in question has a limit of its own: it begins with KERNEL_SUM_MOST - limit in
 * scratch->starts, a plane for each bit of it, which counts as lost. */
void ladders_climb_each(struct ladders *ladders, const struct lens *lens, const struct block *block,
                        struct ladder_scratch *scratch, uint64_t bits[BLOCK_WORDS]);

/* What ladders will read of a block begins to come from memory, as far as the processor does not see it coming. */
void ladders_fetch(const struct ladders *ladders, const struct block *block);

/* Adds to both views' sums of n places what the told wants bring them: exactly, or at most. */
void ladder_add(struct ladder *ladder, const struct lens *lens, const struct block *block,
                const uint16_t *places, uint32_t n, int64_t *const sums[2]);
/* The points of a want at a place, as they were added. */
int32_t ladder_points(struct ladder *ladder, const struct ladder_want *want,
                      const struct lens *lens, const struct block *block, uint32_t place,
                      bool *is_exact);

#endif
