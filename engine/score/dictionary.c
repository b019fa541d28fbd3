#include "dictionary.h"

#include "alloc.h"
#include "names.h"

#include <assert.h>
#include <stdatomic.h>
#include <string.h>

/*
 * A value is the name of its bytes. Every name here is a whole number of 8 bytes long, so that each
 * begins aligned in the memory of names and its symbols can be read where they lie; a set of an odd
 * number of symbols is filled up, and the groups of two-level codes stand behind them. Slots stand in segments that double in size (64, 64, 128, 256 …), so
 * that none ever moves.
 */
enum { WORD = 8, SEGMENT_BITS = 6, SEGMENTS_MAX = 32 - SEGMENT_BITS };

struct dictionary {
    enum slot_type type;
    struct names *names;
    struct slot *segments[SEGMENTS_MAX];
    _Atomic uint64_t *cells[SEGMENTS_MAX]; /* of money: cells_pack; 0 until asked for */
    size_t bytes;                          /* of the segments */
    _Atomic uint32_t count;                /* codes whose slots can be read */
};

union key {                           /* the bytes of a value */
    symbol codes[2 * SLOT_CODES_MAX]; /* and behind them, from the next word on, their groups */
    struct {
        int64_t min, max, currency;
    } money;
    struct slot_period period;
    int64_t number;
};
static_assert(sizeof(struct slot_period) == WORD, "a period is one word");

/* Where a code is: segment 0 holds the first 64, segment s the 64 * 2^(s - 1) that follow. */
struct place {
    uint32_t segment, at;
};

static inline struct place
place_of(uint32_t code)
{
    uint32_t high = code >> SEGMENT_BITS;
    uint32_t segment = high == 0 ? 0 : 32 - (uint32_t)__builtin_clz(high);
    uint32_t first = segment == 0 ? 0 : UINT32_C(1) << (segment + SEGMENT_BITS - 1);

    return (struct place){segment, code - first};
}

static size_t
segment_size(uint32_t segment)
{
    return (size_t)1 << (segment == 0 ? SEGMENT_BITS : segment + SEGMENT_BITS - 1);
}

/* The place for the slot of a code, in a segment that is there; NULL if out of memory. */
static struct slot *
segment_ensure(struct dictionary *dictionary, uint32_t code)
{
    struct place place = place_of(code);
    size_t n = segment_size(place.segment);

    if (dictionary->type == SLOT_MONEY && dictionary->cells[place.segment] == NULL) {
        dictionary->cells[place.segment] = mem_alloc_zeroed(n, sizeof(uint64_t));
        if (dictionary->cells[place.segment] == NULL)
            return NULL;
        dictionary->bytes += n * sizeof(uint64_t);
    }
    if (dictionary->segments[place.segment] == NULL) {
        dictionary->segments[place.segment] = mem_alloc_zeroed(n, sizeof(struct slot));
        if (dictionary->segments[place.segment] == NULL)
            return NULL;
        dictionary->bytes += n * sizeof(struct slot);
    }
    return dictionary->segments[place.segment] + place.at;
}

struct dictionary *
dictionary_create(enum slot_type type)
{
    struct dictionary *dictionary = mem_alloc_zeroed(1, sizeof *dictionary);

    if (dictionary == NULL)
        return NULL;
    dictionary->type = type;
    atomic_init(&dictionary->count, 1); /* the missing one */
    dictionary->names = names_create();
    if (dictionary->names == NULL || segment_ensure(dictionary, DICTIONARY_MISSING) == NULL) {
        dictionary_destroy(dictionary);
        return NULL;
    }
    return dictionary;
}

void
dictionary_destroy(struct dictionary *dictionary)
{
    if (dictionary == NULL)
        return;
    names_destroy(dictionary->names);
    for (int i = 0; i < SEGMENTS_MAX; i++) {
        mem_free(dictionary->segments[i]);
        mem_free((void *)dictionary->cells[i]);
    }
    mem_free(dictionary);
}

/* Symbols of a set of n, filled up to whole words. */
static uint32_t
filled_up(uint32_t n)
{
    return (n + 1) / 2 * 2;
}

static size_t
codes_key(const struct slot_codes *codes, union key *key)
{
    uint32_t n = filled_up(codes->n);

    key->codes[n - 1] = key->codes[2 * n - 1] = SYMBOL_NONE;
    memcpy(key->codes, codes->codes, codes->n * sizeof(symbol));
    if (codes->groups == NULL)
        return n * sizeof(symbol);
    memcpy(key->codes + n, codes->groups, codes->n * sizeof(symbol));
    return 2 * n * sizeof(symbol);
}

static size_t
key_of(enum slot_type type, const struct slot *slot, union key *key)
{
    switch (type) {
    case SLOT_CODES:
        return codes_key(&slot->codes, key);
    case SLOT_MONEY:
        key->money.min = slot->money.min;
        key->money.max = slot->money.max;
        key->money.currency = slot->money.currency;
        return sizeof key->money;
    case SLOT_PERIOD:
        key->period = slot->period;
        return sizeof key->period;
    case SLOT_NUMBER:
    case SLOT_DAY:
        key->number = slot->number;
        return sizeof key->number;
    case SLOT_NONE:
    case SLOT_TEXT: /* no column */
        break;
    }
    return 0;
}

/* The slot of a key that lies in names for good. */
static struct slot
slot_of_key(enum slot_type type, const union key *key, const struct slot_codes *codes)
{
    struct slot slot = {.state = SLOT_KNOWN};

    switch (type) {
    case SLOT_CODES:
        slot.codes = (struct slot_codes){
            .codes = key->codes,
            .n = codes->n,
            .groups = codes->groups != NULL ? key->codes + filled_up(codes->n) : NULL};
        break;
    case SLOT_MONEY:
        slot.money =
            (struct slot_money){key->money.min, key->money.max, (int32_t)key->money.currency};
        break;
    case SLOT_PERIOD:
        slot.period = key->period;
        break;
    case SLOT_NUMBER:
    case SLOT_DAY:
        slot.number = key->number;
        break;
    case SLOT_NONE:
    case SLOT_TEXT:
        break;
    }
    return slot;
}

uint32_t
dictionary_code(struct dictionary *dictionary, const struct slot *slot)
{
    union key key;
    uint32_t name, n_before = names_count(dictionary->names);
    struct slot *place;
    size_t bytes;

    if (slot->state == SLOT_MISSING)
        return DICTIONARY_MISSING;
    assert(dictionary->type != SLOT_CODES || slot->codes.n <= SLOT_CODES_MAX);
    place = segment_ensure(dictionary, n_before + 1);
    if (place == NULL)
        return DICTIONARY_FULL;
    bytes = key_of(dictionary->type, slot, &key);
    name = names_add(dictionary->names, (struct str){(const char *)&key, bytes}, 0);
    if (name == NAME_NONE)
        return DICTIONARY_FULL;
    if (name > n_before) {
        *place = slot_of_key(dictionary->type,
                             (const void *)names_text(dictionary->names, name).data, &slot->codes);
        atomic_store_explicit(&dictionary->count, name + 1, memory_order_release);
    }
    return name;
}

const struct slot *
dictionary_slot(const struct dictionary *dictionary, uint32_t code)
{
    struct place place = place_of(code);

    return dictionary->segments[place.segment] + place.at;
}

/* A rate and the cells that follow from it, in one word: who reads it knows at once whether it is meant. */
static uint64_t
cells_pack(int64_t rate_ppm, struct cell_range cells)
{
    return (uint64_t)rate_ppm << 17 | (uint64_t)cells.lo << 9 | (uint64_t)cells.hi << 1 | 1;
}

struct cell_range
dictionary_cells(const struct dictionary *dictionary, uint32_t code, int64_t rate_ppm)
{
    struct place place = place_of(code);
    _Atomic uint64_t *kept = &dictionary->cells[place.segment][place.at];
    uint64_t word = atomic_load_explicit(kept, memory_order_relaxed);
    const struct slot_money *money;
    struct cell_range cells;

    if ((word & 1) != 0 && word >> 17 == (uint64_t)rate_ppm)
        return (struct cell_range){(int)(word >> 9 & 255), (int)(word >> 1 & 255)};
    money = &dictionary->segments[place.segment][place.at].money;
    cells = cell_range_of(rates_to_usd(money->min, rate_ppm), rates_to_usd(money->max, rate_ppm));
    atomic_store_explicit(kept, cells_pack(rate_ppm, cells), memory_order_relaxed);
    return cells;
}

uint32_t
dictionary_count(const struct dictionary *dictionary)
{
    return atomic_load_explicit(&dictionary->count, memory_order_acquire);
}

size_t
dictionary_bytes(const struct dictionary *dictionary)
{
    return sizeof *dictionary + dictionary->bytes + names_bytes(dictionary->names);
}
