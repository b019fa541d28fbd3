#include "bits.h"
#include "requirement.h"
#include "search.h"
#include "span.h"

#include <string.h>

enum { MANY = 16 }; /* places of a word still in question, for all to be read at once */

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

/* Where ranges meet the looker's; false: values have to be looked up. */
static bool
read_span(const struct search *search, const struct block *block, const struct lens_rule *rule,
          const struct holds_row *row, uint64_t bits[BLOCK_WORDS])
{
    const struct match_plan *plan = search->plan;
    const struct span *span =
        span_of(block, rule->dictionary, rule->column, plan->rates, plan->day);
    uint64_t passes = rule->requirement->requirement->missing_passes ? UINT64_MAX : 0;

    if (span == NULL || span->has_odd)
        return false;
    if (row->has_days)
        plan->kernel->meet_days(span->days.lo, span->days.hi, row->from, row->to, BLOCK_WORDS,
                                bits);
    else
        plan->kernel->meet_cells(span->cells.lo, span->cells.hi, span_cell(row->range.cells.lo),
                                 span_cell(row->range.cells.hi), BLOCK_WORDS, bits);
    for (size_t word = 0; word < BLOCK_WORDS; word++)
        bits[word] = (bits[word] & span->known[word]) | (passes & ~span->known[word]);
    return true;
}

static bool
has_span(const struct lens_rule *rule, const struct holds_row *row)
{
    return row->has_days || (rule->has_cells && !row->is_alike);
}

/* What of a block is read for an answer, roughly in that order of instructions. */
enum { COST_NONE, COST_QUARTER, COST_PLANES, COST_SPAN, COST_TABLE, COST_PLACES };

static uint32_t
cost_of(const struct lens_rule *rule, const struct holds_row *row)
{
    if (rule->is_fixed || row->is_alike)
        return COST_NONE;
    if (column_makes_quarters(rule->column) &&
        (row->planes != NULL || lens_is_small(rule->n_codes)))
        return COST_QUARTER; /* nobody may be left */
    if (row->planes != NULL)
        return COST_PLANES;
    if (has_span(rule, row))
        return COST_SPAN;
    return lens_is_small(rule->n_codes) ? COST_TABLE : COST_PLACES;
}

void
search_asks_sort(struct search *search)
{
    struct ask *asks = search->asks;

    for (size_t i = 0; i < search->n_asks; i++) {
        struct ask ask = asks[i];
        size_t at = i;

        ask.cost = cost_of(ask.rule, ask.row);
        for (; at > 0 && asks[at - 1].cost > ask.cost; at--)
            asks[at] = asks[at - 1];
        asks[at] = ask;
    }
}

/* What a requirement says of every place of a block. */
static void
read_rule(const struct search *search, const struct block *block, const struct lens_rule *rule,
          const struct holds_row *row, uint64_t bits[BLOCK_WORDS])
{
    const struct column *column = &block->columns[rule->column];

    if (row->planes != NULL) {
        read_planes(block, rule, row, bits);
    } else if (has_span(rule, row) && read_span(search, block, rule, row, bits)) {
        return;
    } else if (column->width == 1 && lens_is_small(rule->n_codes) && row->holds != NULL) {
        search->plan->kernel->members(column->codes, row->table, rule->n_codes, BLOCK_WORDS, bits);
    } else {
        memcpy(bits, block->present, BLOCK_WORDS * sizeof *bits);
        keep_holding(column, search->lens, rule, row, bits);
    }
}

/* Is the answer the same at all places of the block? */
static bool
are_alike(const struct block *block, const struct ask *ask)
{
    return ask->rule->is_fixed || ask->row->is_alike ||
           block->columns[ask->rule->column].width == 0;
}

static bool
holds_alike(const struct search *search, const struct block *block, const struct ask *ask)
{
    bool is_one = ask->rule->is_fixed || ask->row->is_alike;

    return lens_holds(search->lens, ask->rule, ask->row,
                      is_one ? 0 : block->columns[ask->rule->column].constant);
}

/* Leaves those of whom it holds. A shared row keeps what it says of each block: the next looker of the same value finds it
 * there. */
static void
apply(const struct search *search, const struct block *block, uint32_t block_at,
      const struct ask *ask, uint64_t *bits)
{
    const struct lens_rule *rule = ask->rule;
    struct holds_row *row = ask->row;
    const struct column *column = &block->columns[rule->column];
    uint64_t read[BLOCK_WORDS], *kept;

    if (are_alike(block, ask)) {
        if (!holds_alike(search, block, ask))
            memset(bits, 0, BLOCK_WORDS * sizeof *bits);
    } else if (row->all != NULL) {
        kept = row->all + (size_t)block_at * BLOCK_WORDS;
        if ((row->are_read[block_at / 64] >> block_at % 64 & 1) == 0)
            read_rule(search, block, rule, row, kept);
        row->are_read[block_at / 64] |= UINT64_C(1) << block_at % 64;
        and_bits(bits, kept);
    } else if (ask->cost < COST_PLACES) {
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

bool
search_is_living(const struct search *search, const struct block *block)
{
    for (size_t i = 0; i < search->n_asks && search->asks[i].cost <= COST_QUARTER; i++)
        if (are_alike(block, &search->asks[i]) && !holds_alike(search, block, &search->asks[i]))
            return false;
    return true;
}

FETCHING void
fetch_planes(const struct block *block, enum plane_set set, const struct holds_row *row)
{
    fetch(block_plane(block, set, plane_of_size(1)), PLANE_BYTES);
    for (uint32_t i = 0; i < row->n_planes; i++)
        fetch(block_plane(block, set, row->planes[i]), PLANE_BYTES);
}

void
search_eligible_fetch(const struct search *search, const struct block *block)
{
    if (!search_is_living(search, block))
        return;
    fetch(block->present, sizeof block->present);
    for (size_t i = 0; i < search->n_asks; i++) {
        const struct ask *ask = &search->asks[i];
        enum column_id column = ask->rule->column;

        if (are_alike(block, ask))
            continue;
        if (ask->row->planes != NULL)
            fetch_planes(block, column_planes(column), ask->row);
        else if (has_span(ask->rule, ask->row))
            span_fetch(block, column);
        else
            fetch(block->columns[column].codes, FETCH_FEW);
    }
}

uint64_t
search_eligible(const struct search *search, const struct block *block, uint32_t block_at,
                uint64_t bits[BLOCK_WORDS])
{
    memcpy(bits, block->present, BLOCK_WORDS * sizeof *bits);
    for (size_t i = 0; i < search->n_asks; i++) {
        apply(search, block, block_at, &search->asks[i], bits);
        if (has_none(bits, BLOCK_WORDS))
            return 0;
    }
    apply_conflicts(search, block, block_at, bits);
    return search->plan->kernel->tally(bits, BLOCK_WORDS);
}
