#ifndef JML_SEARCH_H
#define JML_SEARCH_H

#include "hit_heap.h"
#include "ladder.h"
#include "lens.h"
#include "text_probe.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * search: one looker's best among all candidates, exactly.
 *
 * A search goes through the blocks of a lens. In each:
 *
 *   1. who may: one bit a place, requirement by requirement (eligible.c); that counts `eligible`
 *   2. who could still enter the list: what each place loses against the best that there could be, in 63rds of
 *      the loss that the k-th best allows, ladder by ladder (ladder.h), until few are left (bound.c).
 *      They are the *contenders*, each with a bound of its score
 *
 * Contenders of all blocks wait together. Now and then the best of them are settled, so that the k-th best
 * rises soon, and all in the end, but for those whose bound is below it by then (settle.c):
 *
 *   3. the sums of all wants but texts and track records, some of them bounds, and the most that the rest
 *      could add
 *   4. by falling bound, until it is below the k-th best: what was bounded, records, texts, the score
 *      (finish.c)
 *
 * What must be reached is the k-th best so far, or what it may well become (hope.c).
 *
 * Only bounds are ever rounded, and always up. The score's `combine` is concave in both views, so that
 * it lies below each of its tangents (mean, from and to are straight; min lies below any weighted mean):
 *
 *     combine(a, b) <= alpha * a + beta * b
 *
 * and one sum bounds it. The harmonic mean's tangent at (a0, b0) has alpha = 2 b0^2 / (a0 + b0)^2, beta with
 * a0; the views of the best so far, on average, are where it touches. What a place does not reach is told
 * by exact integers in the end: bounds only save work, whatever they are.
 *
 * In arenas; one thread a search. Private to score/.
 */
enum {
    SLOPE_BITS = 20,                    /* of alpha and beta behind the point */
    RATE_BITS = 10,                     /* more of them once divided by the weights */
    TEXT_STEPS = 128,                   /* of the bound of a text want */
    TEXT_STEP_MISSING = TEXT_STEPS + 1, /* a vector is missing */
    TEXTS_AT_ONCE = 64,
    RECORD_STEPS = 24,
    CONTENDERS_MAX = 1024,
    CONTENDER_UNIT = 256 /* of their bounds: so many are a basis point */
};
#define BOUND_UNIT (INT64_C(1) << (SLOPE_BITS + RATE_BITS)) /* of bounds: one basis point */

/* The text wants of one view as functions of the one quality that a pair has: the most weighted points with
 * one of at most step * 10000 / TEXT_STEPS; of TEXT_STEP_MISSING, what they are. */
struct text_sums {
    int64_t caps[TEXT_STEP_MISSING + 1];
};

/* A place that may be among the best. */
struct contender {
    int32_t bound;     /* no less than its score, CONTENDER_UNIT */
    uint32_t place;    /* of the table */
    uint8_t text_step; /* of the quality of its text, at most; 0 without text wants */
};

/* A requirement, or consent, as the looker's value has it. */
struct ask {
    const struct lens_rule *rule;
    struct holds_row *row;
    uint32_t cost; /* of asking it of a block */
};

/*
 * A score that k candidates will reach, as those seen so far make likely: who can't reach it is let go from now
 * on. In the end the list tells whether so many do; if not, all is searched once more, without hope.
 *
 * Of the k best of a table, some k * f stand in a part f of it. So the score that a few more of the part reach,
 * two standard deviations, is one that k of the table reach, but for some three searches in a hundred. The part is a
 * fair sample, since blocks are not visited in the order in which profiles came (lens_visit). With the k-th
 * best known from the start a search would take half the time or less; hope brings it more than half of the way.
 */
struct hope {
    int32_t score;   /* 0: none */
    uint64_t seen;   /* rows of the blocks gone through in which anybody may be eligible */
    uint64_t living; /* of all such blocks of the table; 0: it is no table to hope in */
    bool is_given_up;
};

struct search {
    const struct match_plan *plan;
    const struct match_query *query;
    int side;                      /* PLAN_FROM, PLAN_TO: where the looker stands */
    bool may;                      /* the looker stands on its side and may be matched */
    const struct block *own_block; /* where it stands in its own table; NULL: nowhere */
    uint32_t own_place;
    struct hit_heap heap;
    const struct match_sweep *sweep; /* in place of the heap; or NULL */
    int32_t sweep_least;             /* what a sweep's levels are made for (sweep.c) */
    struct hope hope;
    uint64_t n_told, n_told_enough; /* by the sweep; when its slopes will be worth a second look */
    int64_t told_views[PLAN_SIDES]; /* sums */
    uint64_t considered, eligible;
    struct err failure; /* why a text could not be read; then the list is not whole */

    bool has_text;                 /* there are text wants */
    struct text_sums *texts;       /* by view; with has_text */
    int64_t text_most[PLAN_SIDES]; /* what a text could add at most; part of `most` */
    struct text_probe *probe;      /* NULL: the looker has no text vector */
    const int8_t *embedding;       /* the looker's, as a page's row; NULL: none, or 0 everywhere */
    uint32_t embedding_root;

    /* in the table at hand */
    struct lens *lens;
    struct points_row **points; /* by want */
    struct ask *asks;           /* of candidates; those that cost least first */
    size_t n_asks;
    struct holds_row *organisations; /* NULL: the looker has no conflicts */
    uint32_t *excluded;              /* places: itself, and its conflicts */
    size_t n_excluded;
    bool has_looker_record;
    int64_t base[PLAN_SIDES]; /* weighted points that all places have */
    int64_t most[PLAN_SIDES]; /* base and the most that columns, texts and records could add */
    /* A candidate's record over base, at most; and one of so many outcomes, RECORD_STEPS: or more. */
    int64_t record_gain[PLAN_SIDES];
    int64_t record_gains[RECORD_STEPS + 1][PLAN_SIDES];
    int64_t rest[PLAN_SIDES]; /* wants of the looker's record, at most */
    size_t *order; /* wants that add points by code: the cheap first, then what tells much */
    size_t n_order, n_cheap;
    int32_t *mosts; /* by want: the points that it gives to any candidate */
    size_t *late;   /* wants that are looked up last */
    size_t n_late;
    bool all_pend; /* every place has a record want to be judged pair by pair */

    struct ladders ladders;
    int64_t losses_for;         /* the tolerance that the ladders' levels were made for; -1: none */
    int64_t slopes[PLAN_SIDES]; /* alpha, beta; SLOPE_BITS */
    int64_t rates[PLAN_SIDES];  /* the same for one weighted point; SLOPE_BITS + RATE_BITS */
    uint64_t scale;             /* from losses to units */
    int64_t unit, best_bound;   /* what a unit is at least; the bound of who loses none */
    bool skips_prune;
    uint32_t blocks_seen, next_rise; /* the best contenders are settled when so many were seen */
    uint32_t n_contenders;
    struct contender *contenders; /* CONTENDERS_MAX; by place */
};

/* Contenders that are being settled; one a thread. */
struct survivors {
    struct ladder_scratch ladders;
    uint16_t leasts[BLOCK_ROWS]; /* of a sweep: what each place of the block must reach */
    struct contender taken[CONTENDERS_MAX];
    uint32_t n;
    uint32_t places[CONTENDERS_MAX]; /* of the table */
    uint8_t text_steps[CONTENDERS_MAX];
    int64_t sums[PLAN_SIDES][CONTENDERS_MAX];
    int64_t bounds[CONTENDERS_MAX];
    uint16_t order[CONTENDERS_MAX];
};

/* ---- enter.c: a search, and one table of it ---- */

/* The list's room is of `hits`, all else of `scratch`. ERR_BUSY if memory ends. */
enum err_code search_begin(struct search *search, const struct match_plan *plan,
                           const struct match_query *query, struct arena *hits,
                           struct arena *scratch, struct err *err);
enum err_code search_enter(struct search *search, struct lens *lens, struct arena *arena,
                           struct err *err);
bool search_takes(const struct match_plan *plan, int side, const struct table *table);

/* ---- hope.c ---- */

void hope_begin(struct search *search); /* of a table */
/* From the list as it is. */
void hope_renew(struct search *search);
/* After the last table: are the k best, if so many may be ranked, among those that were not let go? */
bool hope_came_true(const struct search *search);
/* All is searched once more, without. */
void hope_give_up(struct search *search);

/* ---- eligible.c ---- */

/* May anybody be eligible in the block, as far as is known of all its places at once? */
bool search_is_living(const struct search *search, const struct block *block);

/* Puts them in the order in which they are asked; they are `rules` and consent. */
void search_asks_sort(struct search *search);
/* What tells that of a block begins to come from memory. */
void search_eligible_fetch(const struct search *search, const struct block *block);
/* Who may be ranked; how many they are. */
uint64_t search_eligible(const struct search *search, const struct block *block, uint32_t block_at,
                         uint64_t bits[BLOCK_WORDS]);

/* ---- bound.c: what candidates could reach at most ---- */

/* alpha and beta for the list as it is. */
void search_slopes(struct search *search);
/* The score that a candidate must reach: of those that just reach it the id decides. */
int32_t search_least(const struct search *search);
/* The tangent's value for these sums; never below what combine gives. */
int64_t search_bound(const struct search *search, int64_t from_sum, int64_t to_sum);
/* A bound as contenders have it. */
int32_t search_contender_bound(int64_t bound);
/* Leaves in scratch->climbers the places that could still enter, and some that could not; the bits are
 * spoiled. */
void search_prune(struct search *search, const struct block *block, int32_t least,
                  uint64_t bits[BLOCK_WORDS], struct ladder_scratch *scratch);
/* The same, where each place must reach a score of its own, leasts[place], and none of them less than
 * `least`. */
void search_prune_each(struct search *search, const struct block *block, int32_t least,
                       const uint16_t leasts[BLOCK_ROWS], uint64_t bits[BLOCK_WORDS],
                       struct ladder_scratch *scratch);
/* The bound of a climber that has lost so many units. */
int64_t search_climber_bound(const struct search *search, uint32_t lost);

/* ---- text_step.c: what texts bring at most ---- */

/* Do both bring an embedding of the same length, so that it tells instead of the texts? */
bool search_by_embedding(const struct search *search, const struct block *block, uint32_t place);
/* What tells of the texts of these places begins to come from memory. */
void search_text_fetch(const struct search *search, const struct block *block,
                       const uint16_t *places, uint32_t n);
/* How many of the climbers from `first` on go together. */
static inline uint32_t
texts_together(const struct climbers *climbers, uint32_t first)
{
    return climbers->n - first < TEXTS_AT_ONCE ? climbers->n - first : TEXTS_AT_ONCE;
}
/* A step that the quality of the texts of up to TEXTS_AT_ONCE places is not above, or TEXT_STEP_MISSING. */
void search_text_steps(const struct search *search, const struct block *block,
                       const uint16_t *places, uint32_t n, uint8_t steps[]);
/* The step of a quality of at most so much; TEXT_COSINE_SHIFT. */
static inline uint8_t
text_step(uint64_t cosine)
{
    uint64_t step = cosine * TEXT_STEPS >> TEXT_COSINE_SHIFT;

    return step < TEXT_STEPS ? (uint8_t)(step + 1) : TEXT_STEPS;
}
/* How much less than text_most such a text brings at least, as bounds count it; 0 without text wants. */
static inline int64_t
search_text_loss(const struct search *search, uint8_t step)
{
    int64_t loss = 0;

    for (int view = 0; search->has_text && view < PLAN_SIDES; view++)
        loss += search->rates[view] * (search->text_most[view] - search->texts[view].caps[step]);
    return loss;
}

/* ---- finish.c: the exact end ---- */

/* How much less than record_gain its track record brings at least. */
int64_t search_record_loss(const struct search *search, const struct block *block, uint32_t place);
/* Its exact score from its sums, and what is known of its text; into the list, or told to the sweep, if it is no
 * less than `least`. */
void search_finish(struct search *search, const struct block *block, uint32_t place,
                   uint8_t text_step, const int64_t sums[PLAN_SIDES], int32_t least);
/* Fails as a text failed that had to be read. */
enum err_code search_check(const struct search *search, struct err *err);
/* The list as it is asked for; or as search_check. */
enum err_code search_end(struct search *search, struct match_list *out, struct err *err);

/* ---- settle.c ---- */

/* One more; others are settled if there is no room. */
void search_contend(struct search *search, struct contender contender, struct survivors *survivors);
/* The best of the contenders, so that the k-th best rises; the others wait on. */
void search_rise(struct search *search, struct survivors *survivors);
/* All of them; also after the last block of a table. */
void search_settle(struct search *search, struct survivors *survivors);

/* ---- sweep.c: in place of one list, a least score for every candidate ---- */

/* The eligible of a block, to the end; the bits are spoiled. */
void sweep_block(struct search *search, uint32_t block_at, uint64_t bits[BLOCK_WORDS],
                 struct survivors *survivors);

/* ---- search.c: a block, in two steps, between which other searches may climb ---- */

/* Leaves in scratch->climbers those who could still enter; what their texts are told by begins to come from
 * memory. */
void search_climb(struct search *search, uint32_t block_at, struct ladder_scratch *scratch);
/* They contend, by what their texts and records bring at most. */
void search_take(struct search *search, uint32_t block_at, const struct climbers *climbers,
                 struct survivors *survivors);

#endif
