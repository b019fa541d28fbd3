#include "code_set.h"
#include "curve.h"
#include "hit_heap.h"
#include "lens.h"
#include "requirement.h"
#include "text_probe.h"
#include "view.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/*
 * A search goes through the blocks of a lens. In each:
 *
 *   1. who may: one bit a place, requirement by requirement (block_eligible); that counts `eligible`
 *   2. who could still enter the list: what each place loses against the best that there could be, in 255ths
 *      of the loss that the k-th best allows; a kernel adds that up over the columns of few values and the
 *      gauges, then the columns of a few thousand go on from its sums (prune)
 *   3. the sums of all wants but texts and track records (sums_of), some of them bounds, and the most that
 *      the rest could add
 *   4. by falling bound, until it is below the k-th best: what was bounded, records, texts, the score
 *
 * Only bounds are ever rounded, and always up. The score's `combine` is concave in both views, so that
 * it lies below each of its tangents (mean, from and to are straight; min lies below any weighted mean):
 *
 *     combine(a, b) <= alpha * a + beta * b
 *
 * and one sum bounds it. The harmonic mean's tangent at (a0, b0) has alpha = 2 b0^2 / (a0 + b0)^2, beta with
 * a0; the views of the best so far, on average, are where it touches. What a place does not reach is told
 * by exact integers in the end: bounds only save work, whatever they are.
 */
enum {
    SLOPE_BITS = 20, /* of alpha and beta behind the point */
    RATE_BITS = 10,  /* more of them once divided by the weights */
    LOSS_FULL = 254, /* a place that loses this much is out */
    LOSS_SHIFT = 44, /* bits behind the point of the scale of losses */
    TEXT_CAPS = 64,  /* steps of the bound of a text want */
    MANY = 16,       /* places of a word still in question, for all to be read at once */
    BUCKETS = 256,   /* of survivors by bound */
    CHECK_EVERY = 8, /* blocks between two looks at whether pruning pays */
    TILE_QUERIES = 16,
    SHARED_BYTES_MAX = 96 * 1024 * 1024,
    ROW_BYTES_MAX = 1024 * 1024 * 1024, /* what is shared, and the rows of a tile */
    SCRATCH_BYTES_MAX = 256 * 1024 * 1024
};

/* The text wants of one view as functions of the one quality that a pair has. */
struct text_sums {
    int64_t missing;             /* weighted points where a vector is missing */
    int64_t caps[TEXT_CAPS + 1]; /* the most with a quality of at most i * 10000 / TEXT_CAPS */
};

struct gauge_table { /* of one want whose points a gauge bounds */
    size_t want;
    int32_t most;                /* points of any code */
    int32_t points[GAUGE_CODES]; /* by code: exactly, or at most */
    uint32_t exact;              /* a bit a code */
    _Alignas(64) uint8_t table[GAUGE_CODES];
};

struct loss_table { /* of all small columns' wants of one column */
    enum column_id column;
    uint32_t n_codes;
    _Alignas(64) uint8_t table[KERNEL_CODES];
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
    uint64_t considered, eligible;

    bool has_text;            /* there are text wants */
    struct text_sums *texts;  /* by view; with has_text */
    struct text_probe *probe; /* NULL: the looker has no text vector */
    uint32_t root, gram_root; /* as a block's text_roots and gram_roots */

    /* in the table at hand */
    struct lens *lens;
    struct points_row **points;      /* by want */
    struct holds_row **holds;        /* by rule */
    struct holds_row *organisations; /* NULL: the looker has no conflicts */
    uint32_t *excluded;              /* places: itself, and its conflicts */
    size_t n_excluded;
    bool has_looker_record;
    int64_t base[PLAN_SIDES]; /* weighted points that all places have */
    int64_t most[PLAN_SIDES]; /* base and the most that columns, texts and records could add */
    int64_t record_gain[PLAN_SIDES]; /* a candidate's record over base, at most */
    int64_t rest[PLAN_SIDES];        /* wants of the looker's record, at most */
    size_t *order; /* wants that add points by code: the cheap first, then what tells much */
    size_t n_order, n_cheap;
    size_t *late; /* wants that are looked up last */
    size_t n_late;
    bool all_pend; /* every place has a record want to be judged pair by pair */

    int64_t losses_for; /* the tolerance that the tables below were made for; -1: none */
    struct loss_table *losses;
    size_t n_losses;
    struct gauge_table *gauges;
    size_t n_gauges;
    _Alignas(64) uint8_t record_table[GAUGE_CODES]; /* no record, a record */
    int64_t slopes[PLAN_SIDES];                     /* alpha, beta; SLOPE_BITS */
    int64_t rates[PLAN_SIDES]; /* the same for one weighted point; SLOPE_BITS + RATE_BITS */
    uint64_t scale;            /* from losses to 255ths */
    bool skips_prune;
    uint32_t blocks_seen;
};

/* Scratch of one block; one a thread. */
struct survivors {
    _Alignas(64) uint8_t lost[BLOCK_ROWS]; /* by place: what prune counted */
    uint32_t n;
    uint16_t places[BLOCK_ROWS];
    int64_t sums[PLAN_SIDES][BLOCK_ROWS];
    uint16_t next[BLOCK_ROWS]; /* in its bucket; by survivor */
    uint16_t heads[BUCKETS];
};
enum { NONE = UINT16_MAX };

/* ---- text wants ---- */

static int64_t
text_points(const struct search *search, int view, int32_t quality)
{
    const struct plan_view *wants = &search->plan->views[view];
    int64_t points = 0;

    for (int i = 0; i < wants->n_wants; i++) {
        const struct want *want = wants->wants[i].want;

        if (want->type == WANT_TEXT)
            points += (int64_t)want->weight * curve_points(want->curve, want->n_knots, quality);
    }
    return points;
}

static void
text_sums_make(const struct plan_view *wants, struct text_sums *out)
{
    for (int i = 0; i < wants->n_wants; i++) {
        const struct want *want = wants->wants[i].want;

        if (want->type != WANT_TEXT)
            continue;
        out->missing +=
            (int64_t)want->weight * curve_points(want->curve, want->n_knots, want->missing);
        for (int step = 0; step <= TEXT_CAPS; step++)
            out->caps[step] += (int64_t)want->weight *
                               curve_most(want->curve, want->n_knots, step * SCORE_MAX / TEXT_CAPS);
    }
}

/* No more weighted points than this with a quality of at most `quality`. */
static int64_t
text_cap(const struct search *search, int view, int32_t quality)
{
    int step = (quality * TEXT_CAPS + SCORE_MAX - 1) / SCORE_MAX;

    return search->texts[view].caps[step];
}

static bool
view_has_text(const struct plan_view *wants)
{
    for (int i = 0; i < wants->n_wants; i++)
        if (wants->wants[i].want->type == WANT_TEXT)
            return true;
    return false;
}

static enum err_code
texts_make(struct search *search, struct arena *arena, struct err *err)
{
    const struct plan_view *views = search->plan->views;
    const struct facts *looker = search->query->viewer;
    uint32_t n_grams;

    search->has_text = view_has_text(&views[PLAN_FROM]) || view_has_text(&views[PLAN_TO]);
    if (!search->has_text)
        return ERR_OK;
    search->texts = arena_alloc(arena, PLAN_SIDES, sizeof *search->texts);
    if (search->texts == NULL)
        return err_no_memory(err);
    for (int view = 0; view < PLAN_SIDES; view++)
        text_sums_make(&views[view], &search->texts[view]);
    if (looker->text.n == 0)
        return ERR_OK;
    search->root = (uint32_t)isqrt_u64(looker->text.norm2);
    search->gram_root = text_gram_root(&looker->text, &n_grams);
    search->probe = arena_alloc(arena, 1, sizeof *search->probe);
    if (search->probe == NULL)
        return err_no_memory(err);
    text_probe_make(search->probe, &looker->text);
    return ERR_OK;
}

/* ---- beginning ---- */

static enum err_code
search_begin(struct search *search, const struct match_plan *plan, const struct match_query *query,
             struct arena *hits, struct arena *scratch, struct err *err)
{
    size_t n_profiles = roster_profiles(plan->roster);
    size_t room = query->k < n_profiles ? query->k : n_profiles;

    *search = (struct search){.plan = plan, .query = query};
    search->side = query->on_from ? PLAN_FROM : PLAN_TO;
    search->may = query_viewer_may(plan, query);
    search->heap.roster = plan->roster;
    search->heap.room = room;
    search->heap.hits = arena_alloc(hits, room, sizeof *search->heap.hits);
    if (search->heap.hits == NULL)
        return err_no_memory(err);
    return search->may ? texts_make(search, scratch, err) : ERR_OK;
}

/* The place of a profile in the lens's table; NO_PLACE if it stands elsewhere or is not there. */
static uint32_t
place_in(const struct lens *lens, uint32_t row)
{
    const struct facts *facts = roster_facts(lens->plan->roster, row);

    if (facts == NULL || facts->kind != lens->table->kind || facts->metro != lens->table->metro)
        return NO_PLACE;
    return roster_place(lens->plan->roster, row);
}

/* Leaves out the looker itself, as stored, and those that it lists by id. */
static enum err_code
exclude(struct search *search, struct arena *arena, struct err *err)
{
    const struct match_plan *plan = search->plan;
    const struct facts *looker = search->query->viewer;
    const struct slot_codes *conflicts = &looker->conflicts;
    uint32_t row = roster_find(plan->roster, looker->id);

    search->n_excluded = 0;
    search->excluded = arena_alloc(arena, conflicts->n + 1, sizeof *search->excluded);
    if (search->excluded == NULL)
        return err_no_memory(err);
    if (row != ROSTER_NO_ROW && is_same_profile(looker, roster_facts(plan->roster, row))) {
        uint32_t place = place_in(search->lens, row);

        if (place != NO_PLACE) {
            search->excluded[search->n_excluded++] = place;
            search->considered--; /* the table counts it */
        }
    }
    for (uint32_t i = 0; i < conflicts->n; i++) {
        uint32_t other = roster_find(plan->roster, match_symbol_text(plan, conflicts->codes[i]));
        uint32_t place = other != ROSTER_NO_ROW ? place_in(search->lens, other) : NO_PLACE;

        if (place != NO_PLACE)
            search->excluded[search->n_excluded++] = place;
    }
    return ERR_OK;
}

static bool
is_small_column(const struct lens_want *want)
{
    return want->kind == LENS_COLUMN && lens_is_small(want->n_codes);
}

/* Are its points found by the candidate's code? */
static bool
adds_by_code(const struct search *search, size_t want_at)
{
    const struct lens_want *want = &search->lens->wants[want_at];

    if (want->kind == LENS_LOOKER_RECORD)
        return !search->has_looker_record;
    return want->kind == LENS_COLUMN && !search->points[want_at]->is_missing;
}

/* The most points that a want gives to any candidate. */
static int32_t
most_of(const struct search *search, size_t want_at)
{
    const struct lens_want *want = &search->lens->wants[want_at];

    if (is_small_column(want))
        return lens_row_most(search->lens, want, search->points[want_at]);
    for (size_t i = 0; i < search->n_gauges; i++)
        if (search->gauges[i].want == want_at)
            return search->gauges[i].most;
    return want->most;
}

/* What all candidates have of a want. */
static void
count_want(struct search *search, size_t want_at)
{
    const struct lens_want *want = &search->lens->wants[want_at];
    struct points_row *row = search->points[want_at];
    int64_t weight = want->weight;

    if (want->kind == LENS_TEXT)
        return;
    if (want->kind == LENS_FIXED || (want->kind == LENS_COLUMN && row->is_missing)) {
        search->base[want->view] += weight * lens_points(search->lens, want, row, 0);
    } else if (want->kind == LENS_CANDIDATE_RECORD) {
        int32_t points = lens_points(search->lens, want, row, 0);

        search->base[want->view] += weight * points;
        search->record_gain[want->view] += weight * (want->most - points);
    } else if (want->kind == LENS_LOOKER_RECORD && search->has_looker_record) {
        search->all_pend = true;
        search->rest[want->view] += weight * want->most;
    }
}

/* What all places have alike, and how much more there could be. */
static void
count_up(struct search *search)
{
    memset(search->base, 0, sizeof search->base);
    memset(search->record_gain, 0, sizeof search->record_gain);
    memset(search->rest, 0, sizeof search->rest);
    search->all_pend = false;
    for (size_t i = 0; i < search->lens->n_wants; i++)
        count_want(search, i);
    for (int view = 0; view < PLAN_SIDES; view++) {
        search->most[view] = search->base[view] + search->record_gain[view] + search->rest[view];
        if (search->has_text)
            search->most[view] += search->texts[view].caps[TEXT_CAPS] > search->texts[view].missing
                                      ? search->texts[view].caps[TEXT_CAPS]
                                      : search->texts[view].missing;
    }
    for (size_t i = 0; i < search->lens->n_wants; i++) {
        const struct lens_want *want = &search->lens->wants[i];

        if (adds_by_code(search, i))
            search->most[want->view] += (int64_t)want->weight * most_of(search, i);
    }
}

/* Which wants the sums are made up of, place by place: of few values first, then the others by weight. What
 * neither a gauge nor a short dictionary tells is looked up late, for those who are still there. */
static bool
order_make(struct search *search, struct arena *arena)
{
    const struct lens *lens = search->lens;

    search->order = arena_alloc(arena, lens->n_wants, sizeof *search->order);
    search->late = arena_alloc(arena, lens->n_wants, sizeof *search->late);
    search->n_order = search->n_late = 0;
    if (search->order == NULL || search->late == NULL)
        return false;
    for (int pass = 0; pass < 2; pass++) {
        size_t first = search->n_order;

        for (size_t i = 0; i < lens->n_wants; i++) {
            const struct lens_want *want = &lens->wants[i];
            size_t at = search->n_order;

            if (!adds_by_code(search, i) || lens_is_small(want->n_codes) != (pass == 0) ||
                search->points[i]->gauge != NULL)
                continue;
            if (want->n_codes > LENS_ROW_CODES) {
                search->late[search->n_late++] = i;
                continue;
            }
            for (; at > first && lens->wants[search->order[at - 1]].weight < want->weight; at--)
                search->order[at] = search->order[at - 1];
            search->order[at] = i;
            search->n_order++;
        }
        if (pass == 0)
            search->n_cheap = search->n_order;
    }
    return true;
}

static bool
rows_take(struct search *search, struct arena *arena)
{
    struct lens *lens = search->lens;
    const struct facts *looker = search->query->viewer;

    search->points = arena_alloc(arena, lens->n_wants, sizeof(struct points_row *));
    search->holds = arena_alloc(arena, lens->n_rules, sizeof(struct holds_row *));
    if (search->points == NULL || search->holds == NULL)
        return false;
    for (size_t i = 0; i < lens->n_wants; i++) {
        if (lens->wants[i].kind == LENS_TEXT)
            continue;
        search->points[i] = lens_points_row(lens, i, looker, search->own_block, search->own_place);
        if (search->points[i] == NULL)
            return false;
    }
    for (size_t i = 0; i < lens->n_rules; i++) {
        search->holds[i] = lens_holds_row(lens, i, looker, search->own_block, search->own_place);
        if (search->holds[i] == NULL)
            return false;
    }
    search->organisations = looker->conflicts.n > 0 ? lens_organisation_row(lens, looker) : NULL;
    return looker->conflicts.n == 0 || search->organisations != NULL;
}

static int64_t
divide_up(int64_t dividend, int64_t divisor)
{
    return (dividend + divisor - 1) / divisor;
}

static void
slopes_make(struct search *search)
{
    const int64_t one = INT64_C(1) << SLOPE_BITS;
    int64_t a = 1, b = 1; /* in the middle, until there is a list */

    for (size_t i = 0; i < search->heap.n; i++) {
        a += search->heap.hits[i].score.from_view;
        b += search->heap.hits[i].score.to_view;
    }
    search->slopes[PLAN_FROM] = search->slopes[PLAN_TO] = one / 2; /* mean, min */
    switch (search->plan->combine) {
    case COMBINE_HARMONIC:
        a = a * 1000 / (a + b); /* only their ratio matters */
        b = 1000 - a;
        search->slopes[PLAN_FROM] = divide_up(2 * b * b * one, 1000 * 1000);
        search->slopes[PLAN_TO] = divide_up(2 * a * a * one, 1000 * 1000);
        break;
    case COMBINE_FROM:
        search->slopes[PLAN_FROM] = one;
        search->slopes[PLAN_TO] = 0;
        break;
    case COMBINE_TO:
        search->slopes[PLAN_FROM] = 0;
        search->slopes[PLAN_TO] = one;
        break;
    case COMBINE_MEAN:
    case COMBINE_MIN:
        break;
    }
    for (int view = 0; view < PLAN_SIDES; view++) {
        int64_t weight = search->plan->views[view].weight;

        search->rates[view] = weight > 0 ? divide_up(search->slopes[view] << RATE_BITS, weight) : 0;
    }
}

static void
gauge_points(const struct search *search, size_t want_at, struct gauge_table *out)
{
    const struct lens_want *want = &search->lens->wants[want_at];
    struct points_row *row = search->points[want_at];
    int32_t if_missing = lens_points(search->lens, want, row, DICTIONARY_MISSING);

    *out = (struct gauge_table){.want = want_at};
    for (uint32_t code = 0; code < UINT32_C(1) << row->gauge->n_bits; code++) {
        bool is_exact;

        out->points[code] =
            gauge_most(row->gauge, want->want->want, want->is_lookers, code, if_missing, &is_exact);
        out->exact |= (uint32_t)is_exact << code;
        out->most = out->points[code] > out->most ? out->points[code] : out->most;
    }
}

/* The columns of few values that wants look at, each once; and the wants that have a gauge. */
static bool
losses_lay_out(struct search *search, struct arena *arena)
{
    struct lens *lens = search->lens;

    search->losses = arena_alloc_wide(arena, lens->n_wants, sizeof *search->losses);
    search->gauges = arena_alloc_wide(arena, lens->n_wants, sizeof *search->gauges);
    if (search->losses == NULL || search->gauges == NULL)
        return false;
    search->n_losses = search->n_gauges = 0;
    search->losses_for = -1;
    for (size_t i = 0; i < lens->n_wants; i++) {
        const struct lens_want *want = &lens->wants[i];
        size_t at = 0;

        if (want->kind != LENS_COLUMN || search->points[i]->is_missing)
            continue;
        if (search->points[i]->gauge != NULL) {
            gauge_points(search, i, &search->gauges[search->n_gauges++]);
            continue;
        }
        if (!is_small_column(want))
            continue;
        while (at < search->n_losses && search->losses[at].column != want->column)
            at++;
        search->losses[at].column = want->column;
        search->losses[at].n_codes = want->n_codes;
        search->n_losses += at == search->n_losses;
    }
    return true;
}

static enum err_code
search_enter(struct search *search, struct lens *lens, struct arena *arena, struct err *err)
{
    const struct roster *roster = search->plan->roster;
    uint32_t row = search->query->row;

    search->lens = lens;
    search->considered += lens->table->n_profiles;
    search->skips_prune = false;
    search->blocks_seen = 0;
    if (exclude(search, arena, err) != ERR_OK)
        return ERR_BUSY;
    if (!search->may)
        return ERR_OK;
    search->has_looker_record = row != ROSTER_NO_ROW && roster_record(roster, row) != NULL;
    search->own_block = NULL;
    if (lens->lookers != NULL) {
        search->own_place = roster_place(roster, row) % BLOCK_ROWS;
        search->own_block = lens->lookers->blocks[roster_place(roster, row) / BLOCK_ROWS];
    }
    if (!rows_take(search, arena) || !losses_lay_out(search, arena) || !order_make(search, arena))
        return err_no_memory(err);
    count_up(search);
    slopes_make(search);
    return ERR_OK;
}

/* ---- who may ---- */

/* 64 bytes that are 0 or 1 as bits: eight at a time are brought together by a product. */
static inline uint64_t
bits_of_bytes(const uint8_t bytes[64])
{
    uint64_t bits = 0;

    for (size_t i = 0; i < 8; i++) {
        uint64_t eight;

        memcpy(&eight, bytes + 8 * i, sizeof eight);
        bits |= (eight * UINT64_C(0x0102040810204080) >> 56) << 8 * i;
    }
    return bits;
}

/* Clears, of the bits that are set, those of places whose code does not hold: where many are set, all of a
 * word's places at once. */
#define KEEP_BY_CODE(type)                                                             \
    do {                                                                               \
        const type *codes = column->codes;                                             \
                                                                                       \
        for (size_t word = 0; word < BLOCK_WORDS; word++, codes += 64) {               \
            uint64_t kept = 0;                                                         \
            uint8_t bytes[64];                                                         \
                                                                                       \
            if (row->holds != NULL && __builtin_popcountll(bits[word]) > MANY) {       \
                for (size_t i = 0; i < 64; i++)                                        \
                    bytes[i] = row->holds[codes[i]];                                   \
                bits[word] &= bits_of_bytes(bytes);                                    \
                continue;                                                              \
            }                                                                          \
            for (uint64_t left = bits[word]; left != 0; left &= left - 1)              \
                if (lens_holds(lens, rule, row, codes[(size_t)__builtin_ctzll(left)])) \
                    kept |= left & -left;                                              \
            bits[word] = kept;                                                         \
        }                                                                              \
    } while (0)

static void
keep_holding(const struct column *column, const struct lens *lens, const struct lens_rule *rule,
             const struct holds_row *row, uint64_t *bits)
{
    if (column->width == 1)
        KEEP_BY_CODE(uint8_t);
    else if (column->width == 2)
        KEEP_BY_CODE(uint16_t);
    else
        KEEP_BY_CODE(uint32_t);
}

/* Places whose set shares a code with the looker's, and those without a set where that passes. */
static void
read_planes(const struct block *block, const struct lens_rule *rule, const struct holds_row *row,
            uint64_t bits[BLOCK_WORDS])
{
    enum plane_set set = column_planes(rule->column);
    const uint64_t *known = block_plane(block, set, plane_of_size(1));
    bool passes = rule->requirement->requirement->missing_passes;

    for (size_t word = 0; word < BLOCK_WORDS; word++)
        bits[word] = passes ? ~(known != NULL ? known[word] : 0) : 0;
    for (uint32_t i = 0; i < row->n_planes; i++) {
        const uint64_t *plane = block_plane(block, set, row->planes[i]);

        for (size_t word = 0; plane != NULL && word < BLOCK_WORDS; word++)
            bits[word] |= plane[word];
    }
}

static void
and_bits(uint64_t *bits, const uint64_t *with)
{
    for (size_t word = 0; word < BLOCK_WORDS; word++)
        bits[word] &= with[word];
}

static bool
is_cheap_rule(const struct lens_rule *rule, const struct holds_row *row)
{
    return rule->is_fixed || lens_is_small(rule->n_codes) || row->planes != NULL;
}

/* What a requirement says of every place of a block. */
static void
read_rule(const struct search *search, const struct block *block, const struct lens_rule *rule,
          const struct holds_row *row, uint64_t bits[BLOCK_WORDS])
{
    const struct column *column = &block->columns[rule->column];

    if (row->planes != NULL) {
        read_planes(block, rule, row, bits);
    } else if (column->width == 1 && lens_is_small(rule->n_codes)) {
        search->plan->kernel->members(column->codes, row->table, rule->n_codes, BLOCK_WORDS, bits);
    } else {
        memcpy(bits, block->present, BLOCK_WORDS * sizeof *bits);
        keep_holding(column, search->lens, rule, row, bits);
    }
}

/* One requirement. A shared row keeps what it says of each block: the next looker of the same value finds it
 * there. */
static void
apply_rule(const struct search *search, const struct block *block, uint32_t block_at,
           const struct lens_rule *rule, struct holds_row *row, uint64_t *bits)
{
    const struct column *column = &block->columns[rule->column];
    uint64_t read[BLOCK_WORDS], *kept;

    if (rule->is_fixed || column->width == 0) {
        if (!lens_holds(search->lens, rule, row, rule->is_fixed ? 0 : column->constant))
            memset(bits, 0, BLOCK_WORDS * sizeof *bits);
    } else if (row->all != NULL) {
        kept = row->all + (size_t)block_at * BLOCK_WORDS;
        if ((row->are_read[block_at / 64] >> block_at % 64 & 1) == 0)
            read_rule(search, block, rule, row, kept);
        row->are_read[block_at / 64] |= UINT64_C(1) << block_at % 64;
        and_bits(bits, kept);
    } else if (is_cheap_rule(rule, row)) {
        read_rule(search, block, rule, row, read);
        and_bits(bits, read);
    } else {
        keep_holding(column, search->lens, rule, row, bits);
    }
}

static void
apply_conflicts(const struct search *search, const struct block *block, uint32_t block_at,
                uint64_t *bits)
{
    const struct column *organisations = &block->columns[COLUMN_ORGANISATION];

    for (size_t i = 0; i < search->n_excluded; i++)
        if (search->excluded[i] / BLOCK_ROWS == block_at)
            bits[search->excluded[i] % BLOCK_ROWS / 64] &=
                ~(UINT64_C(1) << search->excluded[i] % 64);
    for (size_t word = 0; word < BLOCK_WORDS; word++) {
        uint64_t left =
            search->organisations != NULL ? bits[word] : bits[word] & block->with_conflicts[word];

        for (; left != 0; left &= left - 1) {
            uint32_t place = (uint32_t)(word * 64) + (uint32_t)__builtin_ctzll(left);
            bool is_listed = search->organisations != NULL &&
                             search->organisations->holds[column_code(organisations, place)] == 0;

            if (is_listed || ((block->with_conflicts[word] & left & -left) != 0 &&
                              lists_as_conflict(block->facts[place], search->query->viewer)))
                bits[word] &= ~(left & -left);
        }
    }
}

static uint64_t
block_eligible(const struct search *search, const struct block *block, uint32_t block_at,
               uint64_t bits[BLOCK_WORDS])
{
    struct lens *lens = search->lens;

    memcpy(bits, block->present, BLOCK_WORDS * sizeof *bits);
    apply_rule(search, block, block_at, &lens->consent_rule, &lens->consent, bits);
    for (size_t i = 0; i < lens->n_rules; i++) /* the cheap ones first */
        if (is_cheap_rule(&lens->rules[i], search->holds[i]))
            apply_rule(search, block, block_at, &lens->rules[i], search->holds[i], bits);
    for (size_t i = 0; i < lens->n_rules; i++)
        if (!is_cheap_rule(&lens->rules[i], search->holds[i]))
            apply_rule(search, block, block_at, &lens->rules[i], search->holds[i], bits);
    apply_conflicts(search, block, block_at, bits);
    return search->plan->kernel->tally(bits, BLOCK_WORDS);
}

/* ---- bounds ---- */

/* The score that a candidate must reach: of those that just reach it the id decides. */
static int32_t
least_score(const struct search *search)
{
    int32_t least = hit_heap_least(&search->heap);

    return least > search->query->min_score ? least : search->query->min_score;
}

/* The tangent's value for these sums, SLOPE_BITS + RATE_BITS; never below what combine gives. */
static int64_t
bound_of(const struct search *search, int64_t from_sum, int64_t to_sum)
{
    int64_t bound = 0;

    bound += search->plan->views[PLAN_FROM].weight > 0
                 ? search->rates[PLAN_FROM] * from_sum
                 : search->slopes[PLAN_FROM] * SCORE_MAX << RATE_BITS;
    bound += search->plan->views[PLAN_TO].weight > 0
                 ? search->rates[PLAN_TO] * to_sum
                 : search->slopes[PLAN_TO] * SCORE_MAX << RATE_BITS;
    return bound;
}

static int64_t
bound_unit(void)
{
    return INT64_C(1) << (SLOPE_BITS + RATE_BITS);
}

/* How much a candidate may lose against the best there could be; negative: nobody can enter. */
static int64_t
tolerance(const struct search *search, int32_t least)
{
    return bound_of(search, search->most[PLAN_FROM], search->most[PLAN_TO]) - least * bound_unit();
}

static uint8_t
loss_byte(uint64_t loss, uint64_t tolerated, uint64_t scale)
{
    return loss > tolerated ? UINT8_MAX : (uint8_t)(loss * scale >> LOSS_SHIFT);
}

static void
loss_table_make(struct search *search, struct loss_table *table, uint64_t tolerated)
{
    struct lens *lens = search->lens;
    uint64_t losses[KERNEL_CODES] = {0};

    for (size_t i = 0; i < lens->n_wants; i++) {
        const struct lens_want *want = &lens->wants[i];
        uint64_t rate = (uint64_t)search->rates[want->view] * (uint32_t)want->weight;

        if (!is_small_column(want) || want->column != table->column ||
            search->points[i]->is_missing)
            continue;
        for (uint32_t code = 0; code < table->n_codes; code++)
            losses[code] += rate * (uint32_t)(lens_row_most(lens, want, search->points[i]) -
                                              lens_points(lens, want, search->points[i], code));
    }
    for (uint32_t code = 0; code < table->n_codes; code++)
        table->table[code] = loss_byte(losses[code], tolerated, search->scale);
}

static void
gauge_table_make(struct search *search, struct gauge_table *table, uint64_t tolerated)
{
    const struct lens_want *want = &search->lens->wants[table->want];
    uint64_t rate = (uint64_t)search->rates[want->view] * (uint32_t)want->weight;
    uint32_t n_codes = UINT32_C(1) << search->points[table->want]->gauge->n_bits;

    for (uint32_t code = 0; code < n_codes; code++)
        table->table[code] = loss_byte(rate * (uint32_t)(table->most - table->points[code]),
                                       tolerated, search->scale);
}

/*
 * Tables for a list whose candidates may lose T: a loss of l is told as floor(l * 254 / (T + 1)), so that
 * the losses of a place that loses t <= T in all sum to at most floor(t * 254 / (T + 1)). Later, with a
 * smaller T, the same tables still tell, a little less sharply; they are made anew once it is much smaller.
 */
static void
losses_make(struct search *search, int64_t tolerated)
{
    search->losses_for = tolerated;
    search->scale = ((uint64_t)LOSS_FULL << LOSS_SHIFT) / ((uint64_t)tolerated + 1);
    for (size_t i = 0; i < search->n_losses; i++)
        loss_table_make(search, &search->losses[i], (uint64_t)tolerated);
    for (size_t i = 0; i < search->n_gauges; i++)
        gauge_table_make(search, &search->gauges[i], (uint64_t)tolerated);
    search->record_table[0] =
        loss_byte((uint64_t)(search->rates[PLAN_FROM] * search->record_gain[PLAN_FROM] +
                             search->rates[PLAN_TO] * search->record_gain[PLAN_TO]),
                  (uint64_t)tolerated, search->scale);
}

/* How much a candidate may lose, after making the tables ready for it; negative: nobody can enter. */
static int64_t
losses_ready(struct search *search, int32_t least)
{
    int64_t tolerated = tolerance(search, least);

    if (search->losses_for >= 0 && tolerated >= search->losses_for - search->losses_for / 4)
        return tolerated;
    slopes_make(search);
    tolerated = tolerance(search, least);
    if (tolerated >= 0)
        losses_make(search, tolerated);
    return tolerated;
}

/* Counts the block, and makes the losses of a gauge's codes ready for the kernel. */
static void
bit_loss_of(const struct search *search, const struct gauge_table *table, const struct block *block,
            struct kernel_bit_loss *out)
{
    struct gauge *gauge = search->points[table->want]->gauge;

    gauge_read(gauge, block, search->plan->kernel);
    *out = (struct kernel_bit_loss){.n_bits = gauge->n_bits, .table = table->table};
    for (uint32_t bit = 0; bit < gauge->n_bits; bit++)
        out->bits[bit] = gauge->bits + bit * BLOCK_WORDS;
}

/* The losses of one want more, added place by place where a bit is still set. */
#define LOSE_BY_CODE(type)                                                                      \
    do {                                                                                        \
        const type *codes = column->codes;                                                      \
                                                                                                \
        for (size_t word = 0; word < BLOCK_WORDS; word++) {                                     \
            uint64_t kept = 0;                                                                  \
                                                                                                \
            for (uint64_t left = bits[word]; left != 0; left &= left - 1) {                     \
                size_t place = word * 64 + (size_t)__builtin_ctzll(left);                       \
                uint64_t loss =                                                                 \
                    rate * (uint32_t)(want->most - lens_points(lens, want, row, codes[place])); \
                uint64_t sum = sums[place] + (loss * scale >> LOSS_SHIFT);                      \
                                                                                                \
                if (loss > tolerated || sum > most)                                             \
                    continue;                                                                   \
                sums[place] = (uint8_t)sum;                                                     \
                kept |= left & -left;                                                           \
            }                                                                                   \
            bits[word] = kept;                                                                  \
        }                                                                                       \
    } while (0)

static void
prune_by_column(const struct search *search, const struct block *block, size_t want_at,
                unsigned most, uint64_t bits[BLOCK_WORDS], uint8_t *sums)
{
    struct lens *lens = search->lens;
    const struct lens_want *want = &lens->wants[want_at];
    const struct column *column = &block->columns[want->column];
    struct points_row *row = search->points[want_at];
    uint64_t rate = (uint64_t)search->rates[want->view] * (uint32_t)want->weight;
    uint64_t tolerated = (uint64_t)search->losses_for, scale = search->scale;

    if (column->width == 2)
        LOSE_BY_CODE(uint16_t);
    else if (column->width == 1)
        LOSE_BY_CODE(uint8_t);
}

/* Leaves the bits of places that could still enter. */
static void
prune(struct search *search, const struct block *block, int32_t least, uint64_t bits[BLOCK_WORDS],
      uint8_t *sums)
{
    struct kernel_loss bytes[2 * WANTS_MAX];
    struct kernel_bit_loss bit_losses[2 * WANTS_MAX + 1];
    struct kernel_losses losses = {.bytes = bytes, .bits = bit_losses};
    int64_t tolerated = losses_ready(search, least);
    unsigned lost = 0, most; /* lost: alike at all places of the block */

    if (tolerated < 0) {
        memset(bits, 0, BLOCK_WORDS * sizeof *bits);
        return;
    }
    for (size_t i = 0; i < search->n_losses; i++) {
        const struct loss_table *table = &search->losses[i];
        const struct column *column = &block->columns[table->column];

        if (column->width == 0)
            lost += table->table[column->constant];
        else
            bytes[losses.n_bytes++] =
                (struct kernel_loss){column->codes, table->table, table->n_codes};
    }
    for (size_t i = 0; i < search->n_gauges; i++)
        bit_loss_of(search, &search->gauges[i], block, &bit_losses[losses.n_bits++]);
    if (search->record_table[0] > 0)
        bit_losses[losses.n_bits++] = (struct kernel_bit_loss){
            .bits = {block->with_record}, .n_bits = 1, .table = search->record_table};
    most = (unsigned)((uint64_t)tolerated * search->scale >> LOSS_SHIFT);
    if (lost > most) {
        memset(bits, 0, BLOCK_WORDS * sizeof *bits);
        return;
    }
    search->plan->kernel->prune(&losses, (uint8_t)(most - lost), BLOCK_WORDS, bits, sums);
    for (size_t i = search->n_cheap; i < search->n_order; i++)
        prune_by_column(search, block, search->order[i], most - lost, bits, sums);
}

/* ---- sums ---- */

static void
list_places(const uint64_t bits[BLOCK_WORDS], struct survivors *out)
{
    uint32_t n = 0;

    for (uint32_t word = 0; word < BLOCK_WORDS; word++)
        for (uint64_t left = bits[word]; left != 0; left &= left - 1)
            out->places[n++] = (uint16_t)(word * 64 + (uint32_t)__builtin_ctzll(left));
    out->n = n;
}

/* Adds the points of a want, by codes of one width. */
#define ADD_BY_CODE(type)                                                                  \
    do {                                                                                   \
        const type *codes = column->codes;                                                 \
                                                                                           \
        for (uint32_t i = 0; i < survivors->n; i++)                                        \
            sums[i] += weight * lens_points(lens, want, row, codes[survivors->places[i]]); \
    } while (0)

static void
add_want(const struct search *search, const struct block *block, size_t want_at,
         struct survivors *survivors)
{
    struct lens *lens = search->lens;
    const struct lens_want *want = &lens->wants[want_at];
    const struct column *column = &block->columns[want->column];
    struct points_row *row = search->points[want_at];
    int64_t *sums = survivors->sums[want->view];
    int64_t weight = want->weight, points;

    switch (column->width) {
    case 1:
        ADD_BY_CODE(uint8_t);
        break;
    case 2:
        ADD_BY_CODE(uint16_t);
        break;
    case 4:
        ADD_BY_CODE(uint32_t);
        break;
    default:
        points = weight * lens_points(lens, want, row, column->constant);
        for (uint32_t i = 0; i < survivors->n; i++)
            sums[i] += points;
    }
}

/* Lets go whoever can't reach `least` with `left` more in each view. */
static void
keep_reaching(const struct search *search, int32_t least, const int64_t left[PLAN_SIDES],
              struct survivors *survivors)
{
    int64_t reach = least * bound_unit() - bound_of(search, left[PLAN_FROM], left[PLAN_TO]);
    int64_t *from = survivors->sums[PLAN_FROM], *to = survivors->sums[PLAN_TO];
    int64_t from_rate = search->rates[PLAN_FROM], to_rate = search->rates[PLAN_TO];
    uint32_t n = 0;

    for (uint32_t i = 0; i < survivors->n; i++) {
        survivors->places[n] = survivors->places[i];
        from[n] = from[i];
        to[n] = to[i];
        n += from_rate * from[i] + to_rate * to[i] >= reach;
    }
    survivors->n = n;
}

/* Points that a gauge tells, or their bound. */
static void
add_gauge(const struct search *search, const struct block *block, const struct gauge_table *table,
          struct survivors *survivors)
{
    const struct lens_want *want = &search->lens->wants[table->want];
    struct gauge *gauge = search->points[table->want]->gauge;
    int64_t *sums = survivors->sums[want->view];

    gauge_read(gauge, block, search->plan->kernel);
    for (uint32_t i = 0; i < survivors->n; i++)
        sums[i] += (int64_t)want->weight * table->points[gauge_code(gauge, survivors->places[i])];
}

/*
 * The sums of the survivors: exact for all wants but those of texts and records, which are not in them;
 * those that are looked up late, with their most; and those where a gauge gives only a bound.
 */
static void
sums_of(const struct search *search, const struct block *block, int32_t least,
        struct survivors *survivors)
{
    const struct lens *lens = search->lens;
    int64_t start[PLAN_SIDES] = {search->base[PLAN_FROM], search->base[PLAN_TO]};
    int64_t left[PLAN_SIDES]; /* the most that is still to come */

    for (size_t i = 0; i < search->n_late; i++)
        start[lens->wants[search->late[i]].view] +=
            (int64_t)lens->wants[search->late[i]].weight * lens->wants[search->late[i]].most;
    for (int view = 0; view < PLAN_SIDES; view++) {
        left[view] = search->most[view] - start[view];
        for (uint32_t i = 0; i < survivors->n; i++)
            survivors->sums[view][i] = start[view];
    }
    for (size_t i = 0; i < search->n_gauges; i++) {
        const struct lens_want *want = &lens->wants[search->gauges[i].want];

        add_gauge(search, block, &search->gauges[i], survivors);
        left[want->view] -= (int64_t)want->weight * search->gauges[i].most;
    }
    for (size_t i = 0; i < search->n_order && survivors->n > 0; i++) {
        const struct lens_want *want = &lens->wants[search->order[i]];

        add_want(search, block, search->order[i], survivors);
        left[want->view] -= (int64_t)want->weight * most_of(search, search->order[i]);
        if (least > 0 && i + 1 >= search->n_cheap)
            keep_reaching(search, least, left, survivors);
    }
}

/* ---- the exact end ---- */

/* What a survivor still lacks, and what that could bring. */
struct rest {
    int64_t gains[PLAN_SIDES]; /* at most */
    bool has_record, text_is_missing, by_embedding;
};

static bool
has_record(const struct block *block, uint32_t place)
{
    return (block->with_record[place / 64] >> place % 64 & 1) != 0;
}

static void
rest_of(const struct search *search, const struct block *block, uint32_t place, struct rest *rest)
{
    *rest = (struct rest){.has_record = search->all_pend};
    if (has_record(block, place)) {
        rest->gains[PLAN_FROM] = search->record_gain[PLAN_FROM];
        rest->gains[PLAN_TO] = search->record_gain[PLAN_TO];
        rest->has_record = true; /* it may bring less than none, by the curve */
    }
    rest->gains[PLAN_FROM] += search->rest[PLAN_FROM];
    rest->gains[PLAN_TO] += search->rest[PLAN_TO];
    if (!search->has_text)
        return;
    rest->text_is_missing = search->probe == NULL || block->text_roots[place] == 0;
    if (search->query->viewer->n_embedding > 0 &&
        search->query->viewer->n_embedding == block->embedding_lengths[place]) {
        rest->by_embedding = true;
        rest->text_is_missing =
            search->query->viewer->embedding_norm2 == 0 || block->embedding_norms[place] == 0;
    }
    for (int view = 0; view < PLAN_SIDES; view++)
        rest->gains[view] += rest->text_is_missing ? search->texts[view].missing
                                                   : search->texts[view].caps[TEXT_CAPS];
}

static int32_t
score_of(const struct match_plan *plan, const int64_t sums[PLAN_SIDES], struct match_score *out)
{
    int32_t views[PLAN_SIDES];

    for (int view = 0; view < PLAN_SIDES; view++) {
        int64_t weight = plan->views[view].weight;

        views[view] = weight > 0 ? (int32_t)(sums[view] / weight) : SCORE_MAX;
    }
    *out = (struct match_score){.score =
                                    combine_views(plan->combine, views[PLAN_FROM], views[PLAN_TO]),
                                .from_view = views[PLAN_FROM],
                                .to_view = views[PLAN_TO]};
    return out->score;
}

/* Judges the record wants of the pair: their points over what the sums have of them. */
static void
add_records(const struct search *search, const struct block *block, uint32_t place,
            int64_t sums[PLAN_SIDES])
{
    struct lens *lens = search->lens;
    struct pair pair = {0};

    pair.facts[search->side] = search->query->viewer;
    pair.facts[1 - search->side] = block->facts[place];
    pair.rows[search->side] = search->query->row;
    pair.rows[1 - search->side] = block->rows[place];
    for (size_t i = 0; i < lens->n_wants; i++) {
        const struct lens_want *want = &lens->wants[i];
        struct judgement judgement;

        if (want->kind != LENS_CANDIDATE_RECORD &&
            (want->kind != LENS_LOOKER_RECORD || !search->has_looker_record))
            continue;
        want_judge(search->plan, want->want, &pair, want->view, &judgement);
        sums[want->view] += (int64_t)want->weight * judgement.points;
        if (want->kind == LENS_CANDIDATE_RECORD)
            sums[want->view] -=
                (int64_t)want->weight * lens_points(lens, want, search->points[i], 0);
    }
}

static int32_t
embedding_text_quality(const struct search *search, const struct facts *other)
{
    const struct facts *looker = search->query->viewer;
    int32_t dot;

    search->plan->kernel->dots(looker->embedding, looker->n_embedding, &other->embedding, 1, &dot);
    return embedding_dot_quality(dot, looker->embedding_norm2, other->embedding_norm2);
}

/* Could sums and what may come besides reach the least score? The tangent is asked first: it is cheaper. */
static bool
may_reach(const struct search *search, const int64_t sums[PLAN_SIDES],
          const int64_t gains[PLAN_SIDES], int32_t least)
{
    const int64_t both[PLAN_SIDES] = {sums[PLAN_FROM] + gains[PLAN_FROM],
                                      sums[PLAN_TO] + gains[PLAN_TO]};
    struct match_score score;

    return bound_of(search, both[PLAN_FROM], both[PLAN_TO]) >= least * bound_unit() &&
           score_of(search->plan, both, &score) >= least;
}

/* Could the place still enter if its dot product were this? */
static bool
text_may_reach(const struct search *search, const struct block *block, uint32_t place,
               const int64_t sums[PLAN_SIDES], int64_t dot, int32_t least)
{
    /* isqrt(x * y) is not below isqrt(x) * isqrt(y) */
    int64_t most = SCORE_MAX * dot / ((int64_t)search->root * block->text_roots[place]);
    int32_t cap = most < SCORE_MAX ? (int32_t)most : SCORE_MAX;
    const int64_t gains[PLAN_SIDES] = {text_cap(search, PLAN_FROM, cap),
                                       text_cap(search, PLAN_TO, cap)};

    return may_reach(search, sums, gains, least);
}

/*
 * The exact quality of the two texts; or -1 once a bound of it says that the candidate can't enter. Words
 * come first: they are few, and bring most. What grams could bring is bounded by Cauchy and Schwarz.
 */
static int32_t
text_quality_of(const struct search *search, const struct block *block, uint32_t place,
                const int64_t sums[PLAN_SIDES], int32_t least)
{
    const struct text_vector *other = &block->facts[place]->text;
    uint32_t first_word = block->word_starts[place];
    int64_t dot = text_probe_dot(search->probe, other, first_word, other->n);
    int64_t grams = (int64_t)search->gram_root * block->gram_roots[place];

    if (!text_may_reach(search, block, place, sums, dot + grams, least))
        return -1;
    dot += text_probe_dot(search->probe, other, 0, first_word);
    if (!text_may_reach(search, block, place, sums, dot, least))
        return -1;
    return text_dot_quality(dot, search->query->viewer->text.norm2, other->norm2);
}

static void
found(struct search *search, const struct match_hit *hit)
{
    if (search->sweep != NULL)
        search->sweep->tell(search->sweep->context, hit->row, hit->score.score);
    else
        hit_heap_offer(&search->heap, hit);
}

/* A want's exact points at a place, over what the sums have of it. */
static void
correct(const struct search *search, const struct block *block, uint32_t place, size_t want_at,
        int32_t counted, int64_t sums[PLAN_SIDES])
{
    const struct lens_want *want = &search->lens->wants[want_at];
    uint32_t code = column_code(&block->columns[want->column], place);

    sums[want->view] += (int64_t)want->weight *
                        (lens_points(search->lens, want, search->points[want_at], code) - counted);
}

/* Looks up what the sums hold only bounds of. False once the place is out. */
static bool
correct_all(const struct search *search, const struct block *block, uint32_t place,
            int64_t sums[PLAN_SIDES], const int64_t gains[PLAN_SIDES], int32_t least)
{
    for (size_t i = 0; i < search->n_gauges; i++) {
        const struct gauge_table *table = &search->gauges[i];
        uint32_t code = gauge_code(search->points[table->want]->gauge, place);

        if ((table->exact >> code & 1) != 0)
            continue;
        correct(search, block, place, table->want, table->points[code], sums);
        if (!may_reach(search, sums, gains, least))
            return false;
    }
    for (size_t i = 0; i < search->n_late; i++) {
        correct(search, block, place, search->late[i], search->lens->wants[search->late[i]].most,
                sums);
        if (!may_reach(search, sums, gains, least))
            return false;
    }
    return true;
}

static void
finish(struct search *search, const struct block *block, uint32_t place,
       const int64_t sums_so_far[PLAN_SIDES], int32_t least)
{
    const struct match_plan *plan = search->plan;
    struct match_hit hit = {.row = block->rows[place]};
    int64_t sums[PLAN_SIDES] = {sums_so_far[PLAN_FROM], sums_so_far[PLAN_TO]};
    struct rest rest;

    rest_of(search, block, place, &rest);
    if (!may_reach(search, sums, rest.gains, least) ||
        !correct_all(search, block, place, sums, rest.gains, least))
        return;
    if (rest.has_record)
        add_records(search, block, place, sums);
    if (search->has_text) {
        int32_t quality = 0;

        if (rest.by_embedding && !rest.text_is_missing)
            quality = embedding_text_quality(search, block->facts[place]);
        else if (!rest.text_is_missing)
            quality = text_quality_of(search, block, place, sums, least);
        if (quality < 0)
            return;
        for (int view = 0; view < PLAN_SIDES; view++)
            sums[view] += rest.text_is_missing ? search->texts[view].missing
                                               : text_points(search, view, quality);
    }
    if (score_of(plan, sums, &hit.score) >= least)
        found(search, &hit);
}

/* ---- blocks ---- */

/* Survivors whose bound is below the least score are let go, the others put in buckets by bound. */
static void
sort_by_bound(const struct search *search, const struct block *block, int32_t least,
              struct survivors *survivors)
{
    int64_t unit = bound_unit(), floor_bound = least * unit;
    int64_t step = (SCORE_MAX * unit - floor_bound) / BUCKETS + 1;

    memset(survivors->heads, 0xff, sizeof survivors->heads);
    for (uint32_t i = survivors->n; i-- > 0;) {
        struct rest rest;
        int64_t over;
        size_t bucket;

        rest_of(search, block, survivors->places[i], &rest);
        over = bound_of(search, survivors->sums[PLAN_FROM][i] + rest.gains[PLAN_FROM],
                        survivors->sums[PLAN_TO][i] + rest.gains[PLAN_TO]) -
               floor_bound;
        if (over < 0)
            continue;
        bucket = over / step < BUCKETS ? (size_t)(over / step) : BUCKETS - 1;
        survivors->next[i] = survivors->heads[bucket];
        survivors->heads[bucket] = (uint16_t)i;
    }
}

/* Those that come next: the facts of one, the text of the other. */
static void
fetch_ahead(const struct search *search, const struct block *block,
            const struct survivors *survivors, uint16_t next)
{
    uint16_t after = next != NONE ? survivors->next[next] : NONE;

    if (!search->has_text || after == NONE)
        return;
    __builtin_prefetch(&block->facts[survivors->places[after]]->text);
    if (search->query->viewer->n_embedding > 0)
        __builtin_prefetch(block->facts[survivors->places[next]]->embedding);
    else
        __builtin_prefetch(block->facts[survivors->places[next]]->text.terms);
}

static void
visit(struct search *search, const struct block *block, struct survivors *survivors)
{
    for (size_t bucket = BUCKETS; bucket-- > 0;)
        for (uint16_t i = survivors->heads[bucket]; i != NONE; i = survivors->next[i]) {
            const int64_t sums[PLAN_SIDES] = {survivors->sums[PLAN_FROM][i],
                                              survivors->sums[PLAN_TO][i]};

            fetch_ahead(search, block, survivors, survivors->next[i]);
            finish(search, block, survivors->places[i], sums, least_score(search));
        }
}

/* Every survivor, each with a least score of its own. */
static void
sweep_over(struct search *search, const struct block *block, const struct survivors *survivors)
{
    const struct match_sweep *sweep = search->sweep;

    for (uint32_t i = 0; i < survivors->n; i++) {
        const int64_t sums[PLAN_SIDES] = {survivors->sums[PLAN_FROM][i],
                                          survivors->sums[PLAN_TO][i]};
        uint32_t row = block->rows[survivors->places[i]];
        int32_t least = sweep->least(sweep->context, row);

        finish(search, block, survivors->places[i], sums,
               least > search->query->min_score ? least : search->query->min_score);
    }
}

/* Does pruning pay? Where it leaves nearly all of the eligible, the next blocks go without. */
static void
prune_if_it_pays(struct search *search, const struct block *block, int32_t least, uint64_t eligible,
                 uint64_t bits[BLOCK_WORDS], uint8_t *sums)
{
    uint64_t left;

    if (search->blocks_seen++ % CHECK_EVERY != 0 && search->skips_prune)
        return;
    prune(search, block, least, bits, sums);
    left = search->plan->kernel->tally(bits, BLOCK_WORDS);
    search->skips_prune = left > eligible - eligible / 8;
}

static void
search_block(struct search *search, uint32_t block_at, struct survivors *survivors)
{
    const struct block *block = search->lens->table->blocks[block_at];
    uint64_t bits[BLOCK_WORDS], eligible;
    int32_t least;

    eligible = block_eligible(search, block, block_at, bits);
    search->eligible += eligible;
    if (eligible == 0 || (search->heap.room == 0 && search->sweep == NULL))
        return;
    least = least_score(search);
    if (least > 0)
        prune_if_it_pays(search, block, least, eligible, bits, survivors->lost);
    list_places(bits, survivors);
    if (survivors->n == 0)
        return;
    sums_of(search, block, search->sweep == NULL ? least : 0, survivors);
    if (search->sweep != NULL) {
        sweep_over(search, block, survivors);
        return;
    }
    sort_by_bound(search, block, least, survivors);
    visit(search, block, survivors);
}

/* What only the list itself needs: both views and the coverage, from the definition. */
static void
search_end(struct search *search, struct match_list *out)
{
    const struct match_plan *plan = search->plan;
    const struct match_query *query = search->query;

    hit_heap_sort(&search->heap);
    for (size_t i = 0; i < search->heap.n; i++) {
        struct match_hit *hit = &search->heap.hits[i];
        const struct facts *other = roster_facts(plan->roster, hit->row);
        int32_t score = hit->score.score;

        if (query->on_from)
            match_pair_score(plan, query->viewer, query->row, other, hit->row, &hit->score);
        else
            match_pair_score(plan, other, hit->row, query->viewer, query->row, &hit->score);
        assert(hit->score.score == score);
        (void)score;
    }
    *out = (struct match_list){.hits = search->heap.hits,
                               .n = search->heap.n,
                               .considered = search->considered,
                               .eligible = search->eligible};
}

static bool
table_fits(const struct match_plan *plan, int side, const struct table *table)
{
    return side_takes(&plan->sides[side], table->kind, table->metro);
}

/* One search through all tables of the other side. */
static enum err_code
search_all(struct search *search, struct arena *arena, struct err *err)
{
    const struct match_plan *plan = search->plan;
    const struct columns *columns = roster_columns(plan->roster);
    struct survivors *survivors = arena_alloc_wide(arena, 1, sizeof *survivors);
    uint64_t n_seen = 0;
    enum err_code code = survivors != NULL ? ERR_OK : err_no_memory(err);

    for (uint32_t i = 0; i < columns->n_tables && code == ERR_OK; i++) {
        const struct table *table = &columns->tables[i];
        struct lens *lens;

        if (!table_fits(plan, 1 - search->side, table))
            continue;
        code = lens_make(plan, search->side, table, NULL, arena, arena, &lens, err);
        if (code == ERR_OK)
            code = search_enter(search, lens, arena, err);
        for (uint32_t at = 0; at < table->n_blocks && code == ERR_OK; at++) {
            code = query_go_on(search->query, n_seen, err);
            if (code == ERR_OK && search->may)
                search_block(search, at, survivors);
            n_seen += table->blocks[at]->n_rows;
        }
    }
    return code;
}

enum err_code
match_top(const struct match_plan *plan, const struct match_query *query, struct arena *arena,
          struct match_list *out, struct err *err)
{
    struct search search;
    enum err_code code = search_begin(&search, plan, query, arena, arena, err);

    if (code == ERR_OK)
        code = search_all(&search, arena, err);
    if (code == ERR_OK)
        search_end(&search, out);
    return code;
}

enum err_code
match_sweep(const struct match_plan *plan, const struct match_query *query,
            const struct match_sweep *sweep, struct arena *arena, struct err *err)
{
    struct match_query all = *query;
    struct search search;
    enum err_code code;

    all.k = 0;
    code = search_begin(&search, plan, &all, arena, arena, err);
    search.sweep = sweep;
    return code == ERR_OK ? search_all(&search, arena, err) : code;
}

/* ---- many searches at once ---- */

struct batch {
    const struct match_plan *plan;
    struct arena *hits, *arena, *rows, *scratch; /* of lists; of lenses; of their rows; of a tile */
    const struct table *lookers;
    struct lens **lenses; /* by table of the columns; NULL where it does not fit */
    struct survivors *survivors;
    struct search *searches; /* of a tile */
    uint64_t n_seen;
};

static enum err_code
batch_lenses(struct batch *batch, int side, const struct table *lookers, struct err *err)
{
    const struct columns *columns = roster_columns(batch->plan->roster);

    batch->lookers = lookers;
    arena_reset(batch->rows);
    batch->lenses = arena_alloc(batch->arena, columns->n_tables, sizeof(struct lens *));
    if (batch->lenses == NULL)
        return err_no_memory(err);
    for (uint32_t i = 0; i < columns->n_tables; i++)
        if (table_fits(batch->plan, 1 - side, &columns->tables[i]) &&
            lens_make(batch->plan, side, &columns->tables[i], lookers, batch->arena, batch->rows,
                      &batch->lenses[i], err) != ERR_OK)
            return ERR_BUSY;
    return ERR_OK;
}

/* Rows are worth keeping, not without bound: between two tiles nobody holds one. */
static void
batch_trim(struct batch *batch)
{
    uint32_t n_tables = roster_columns(batch->plan->roster)->n_tables;

    if (arena_used(batch->rows) < SHARED_BYTES_MAX)
        return;
    for (uint32_t i = 0; i < n_tables; i++)
        if (batch->lenses[i] != NULL)
            lens_forget(batch->lenses[i]);
    arena_reset(batch->rows);
}

static enum err_code
tile_search(struct batch *batch, const struct match_query *queries, size_t n, struct err *err)
{
    const struct columns *columns = roster_columns(batch->plan->roster);
    enum err_code code = ERR_OK;

    for (size_t i = 0; i < n && code == ERR_OK; i++)
        code = search_begin(&batch->searches[i], batch->plan, &queries[i], batch->hits,
                            batch->scratch, err);
    for (uint32_t t = 0; t < columns->n_tables && code == ERR_OK; t++) {
        if (batch->lenses[t] == NULL)
            continue;
        for (size_t i = 0; i < n && code == ERR_OK; i++)
            code = search_enter(&batch->searches[i], batch->lenses[t], batch->scratch, err);
        for (uint32_t at = 0; at < columns->tables[t].n_blocks && code == ERR_OK; at++) {
            code = query_go_on(&queries[0], batch->n_seen, err);
            for (size_t i = 0; i < n && code == ERR_OK; i++)
                if (batch->searches[i].may)
                    search_block(&batch->searches[i], at, batch->survivors);
            batch->n_seen += BLOCK_ROWS * n;
        }
    }
    return code;
}

static const struct table *
table_of_query(const struct match_plan *plan, const struct match_query *query)
{
    return columns_table(roster_columns(plan->roster), query->viewer->kind, query->viewer->metro);
}

static enum err_code
batch_run(struct batch *batch, const struct match_query *queries, size_t n,
          struct match_list *lists, struct err *err)
{
    enum err_code code = ERR_OK;
    size_t n_tile;

    for (size_t at = 0; at < n && code == ERR_OK; at += n_tile) {
        const struct table *lookers = table_of_query(batch->plan, &queries[at]);

        for (n_tile = 1; n_tile < TILE_QUERIES && at + n_tile < n; n_tile++)
            if (table_of_query(batch->plan, &queries[at + n_tile]) != lookers)
                break;
        if (lookers != batch->lookers)
            code = batch_lenses(batch, queries->on_from ? PLAN_FROM : PLAN_TO, lookers, err);
        if (code == ERR_OK) {
            batch_trim(batch);
            arena_reset(batch->scratch);
            code = tile_search(batch, &queries[at], n_tile, err);
        }
        for (size_t i = 0; i < n_tile && code == ERR_OK; i++)
            search_end(&batch->searches[i], &lists[at + i]);
    }
    return code;
}

enum err_code
match_batch(const struct match_plan *plan, const struct match_query *queries, size_t n,
            struct arena *arena, struct match_list *lists, struct err *err)
{
    struct batch batch = {.plan = plan,
                          .hits = arena,
                          .arena = arena_create(SCRATCH_BYTES_MAX),
                          .rows = arena_create(ROW_BYTES_MAX),
                          .scratch = arena_create(SCRATCH_BYTES_MAX)};
    enum err_code code;

    for (size_t i = 0; i < n; i++)
        assert(queries[i].viewer == roster_facts(plan->roster, queries[i].row) &&
               queries[i].on_from == queries[0].on_from);
    if (batch.arena != NULL) {
        batch.survivors = arena_alloc_wide(batch.arena, 1, sizeof *batch.survivors);
        batch.searches = arena_alloc_wide(batch.arena, TILE_QUERIES, sizeof *batch.searches);
    }
    if (batch.rows == NULL || batch.scratch == NULL || batch.survivors == NULL ||
        batch.searches == NULL)
        code = err_no_memory(err);
    else
        code = batch_run(&batch, queries, n, lists, err);
    arena_destroy(batch.scratch);
    arena_destroy(batch.rows);
    arena_destroy(batch.arena);
    return code;
}
