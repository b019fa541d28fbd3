#include "span.h"

#include "alloc.h"

#include <stdatomic.h>
#include <stddef.h>
#include <string.h>

/* Where a block keeps those of a column, and one; 0: it has none. */
static const uint8_t places[COLUMN_COUNT] = {[FIELD_TEAM] = 1,
                                             [FIELD_RAISING] = 2,
                                             [FIELD_TICKET] = 3,
                                             [FIELD_AVAILABLE] = 4,
                                             [FIELD_CAPACITY] = SPAN_COLUMNS};

bool
span_has(enum column_id column)
{
    return places[column] != 0;
}

/* Readers add to the lists of a block that they hold; nothing else of it changes. */
static _Atomic(struct span *) *
list_of(const struct block *block, enum column_id column)
{
    return (_Atomic(struct span *) *)(uintptr_t)&block->spans[places[column] - 1];
}

void
span_fetch(const struct block *block, enum column_id column)
{
    const struct span *span = atomic_load_explicit(list_of(block, column), memory_order_acquire);

    if (span == NULL)
        return;
    fetch(span, offsetof(struct span, odd));
    fetch(&span->cells, FETCH_FEW);
    if (column_type(column) == SLOT_PERIOD) {
        fetch(span->days.hi, FETCH_FEW);
    } else {
        fetch(span->cells.hi, FETCH_FEW);
        fetch(span->cells.classes, FETCH_FEW);
    }
}

bool
span_day(int32_t day, int16_t *out)
{
    int64_t since = (int64_t)day - SPAN_DAY_ZERO;

    *out = (int16_t)since;
    return since > -SPAN_OPEN && since < SPAN_OPEN;
}

bool
span_period(const struct slot_period *period, int16_t *from, int16_t *to)
{
    bool fits = true;

    *from = -SPAN_OPEN;
    *to = SPAN_OPEN;
    if (period->from != DATE_OPEN_FROM)
        fits = span_day(period->from, from);
    if (period->to != DATE_OPEN_TO)
        fits &= span_day(period->to, to);
    return fits;
}

/* ---- rates ---- */

static int64_t
rate_on(const struct rates *rates, int32_t currency, int32_t day)
{
    int64_t rate_ppm;

    return currency >= 0 && rates_find(rates, currency, day, &rate_ppm) ? rate_ppm : -1;
}

/* The rate of a currency in this span; NULL once it has too many currencies. */
static const struct span_rate *
span_rate(struct span *span, const struct rates *rates, int32_t currency, int32_t day)
{
    uint32_t i = 0;

    while (i < span->n_rates && span->rates[i].currency != currency)
        i++;
    if (i == SPAN_RATES)
        return NULL;
    if (i == span->n_rates)
        span->rates[span->n_rates++] = (struct span_rate){currency, rate_on(rates, currency, day)};
    return &span->rates[i];
}

static bool
rates_agree(const struct span *span, const struct rates *rates, int32_t day)
{
    for (uint32_t i = 0; i < span->n_rates; i++)
        if (rate_on(rates, span->rates[i].currency, day) != span->rates[i].rate_ppm)
            return false;
    return true;
}

/* ---- making ---- */

enum reading { IS_MISSING, IS_KNOWN, IS_ODD };

static enum reading
cells_read(struct span *span, const struct dictionary *dictionary, uint32_t code,
           const struct rates *rates, int32_t day, struct cell_range *out)
{
    const struct slot *slot = dictionary_slot(dictionary, code);
    const struct span_rate *rate;

    if (column_type(span->column) == SLOT_NUMBER) {
        if (slot->number < 0)
            return IS_ODD;
        *out = cell_range_of(slot->number, slot->number);
        return IS_KNOWN;
    }
    rate = span_rate(span, rates, slot->money.currency, day);
    if (rate == NULL)
        return IS_ODD;
    if (rate->rate_ppm < 0)
        return IS_MISSING;
    *out = dictionary_cells(dictionary, code, rate->rate_ppm);
    return IS_KNOWN;
}

static enum reading
cells_write(struct span *span, const struct dictionary *dictionary, uint32_t code, uint32_t place,
            const struct rates *rates, int32_t day)
{
    struct cell_range cells;
    enum reading reading = IS_MISSING;
    int width;

    if (code != DICTIONARY_MISSING)
        reading = cells_read(span, dictionary, code, rates, day, &cells);
    span->cells.classes[place] = SPAN_WIDTHS + 1;
    if (reading != IS_KNOWN)
        return reading;
    width = cells.hi - cells.lo;
    span->cells.lo[place] = span_cell(cells.lo);
    span->cells.hi[place] = span_cell(cells.hi);
    span->cells.classes[place] = (uint8_t)(width < SPAN_WIDTHS ? width : SPAN_WIDTHS);
    return IS_KNOWN;
}

static enum reading
days_write(struct span *span, const struct dictionary *dictionary, uint32_t code, uint32_t place)
{
    if (code == DICTIONARY_MISSING)
        return IS_MISSING;
    return span_period(&dictionary_slot(dictionary, code)->period, &span->days.lo[place],
                       &span->days.hi[place])
               ? IS_KNOWN
               : IS_ODD;
}

static void
span_fill(struct span *span, const struct block *block, const struct dictionary *dictionary,
          const struct rates *rates, int32_t day)
{
    const struct column *column = &block->columns[span->column];
    bool has_days = column_type(span->column) == SLOT_PERIOD;

    for (uint32_t place = 0; place < BLOCK_ROWS; place++) {
        bool is_there = (block->present[place / 64] >> place % 64 & 1) != 0;
        uint32_t code = is_there ? column_code(column, place) : DICTIONARY_MISSING;
        enum reading reading = has_days ? days_write(span, dictionary, code, place)
                                        : cells_write(span, dictionary, code, place, rates, day);

        span->known[place / 64] |= (uint64_t)(reading == IS_KNOWN) << place % 64;
        span->odd[place / 64] |= (uint64_t)(reading == IS_ODD) << place % 64;
        span->has_odd |= reading == IS_ODD;
    }
}

const struct span *
span_of(const struct block *block, const struct dictionary *dictionary, enum column_id column,
        const struct rates *rates, int32_t day)
{
    _Atomic(struct span *) *list = list_of(block, column);
    struct span *first = atomic_load_explicit(list, memory_order_acquire), *made;
    uint32_t n = 0;

    for (const struct span *span = first; span != NULL; span = span->next, n++)
        if (rates_agree(span, rates, day))
            return span;
    if (n >= SPANS_MAX || dictionary == NULL)
        return NULL;
    made = mem_alloc_lined(sizeof *made);
    if (made == NULL)
        return NULL;
    memset(made, 0, sizeof *made);
    made->column = column;
    span_fill(made, block, dictionary, rates, day);
    made->next = first;
    while (!atomic_compare_exchange_weak_explicit(list, &made->next, made, memory_order_acq_rel,
                                                  memory_order_acquire))
        continue; /* another reader has added one meanwhile, maybe the same: either will do */
    return made;
}

void
spans_init(struct block *block)
{
    for (size_t i = 0; i < SPAN_COLUMNS; i++)
        atomic_init(&block->spans[i], NULL);
}

void
spans_drop(struct block *block)
{
    for (size_t i = 0; i < SPAN_COLUMNS; i++) {
        struct span *span = atomic_load_explicit(&block->spans[i], memory_order_acquire);

        while (span != NULL) {
            struct span *next = span->next;

            mem_free(span);
            span = next;
        }
    }
}

static size_t
bytes_of_block(const struct block *block)
{
    size_t bytes = 0;

    for (size_t i = 0; i < SPAN_COLUMNS; i++) {
        const struct span *span = atomic_load_explicit(&block->spans[i], memory_order_acquire);

        for (; span != NULL; span = span->next)
            bytes += sizeof *span;
    }
    return bytes;
}

size_t
spans_bytes(const struct columns *columns)
{
    size_t bytes = 0;

    for (uint32_t i = 0; i < columns->n_tables; i++)
        for (uint32_t j = 0; j < columns->tables[i].n_blocks; j++)
            bytes += bytes_of_block(columns->tables[i].blocks[j]);
    return bytes;
}
