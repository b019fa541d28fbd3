#include "dictionary.h"

#include "alloc.h"

#include <assert.h>
#include <stdatomic.h>
#include <string.h>

/*
 * Slots stand in segments that double in size (64, 64, 128, 256 …), so that none ever moves, each with the
 * hash of its value; the symbols of sets lie in blocks of their own. The index is an open-addressed table of
 * words, hash above code, at most half full; only the writer reads it, so that it can be replaced.
 */
enum {
    SEGMENT_BITS = 6,
    SEGMENTS_MAX = 32 - SEGMENT_BITS,
    CODES_MAX = INT32_MAX,
    INDEX_PLACES_MIN = 64,
    KEY_BLOCK_SYMBOLS = 4096
};
static_assert((int)KEY_BLOCK_SYMBOLS >= 2 * (int)SLOT_CODES_MAX, "a set fits a block");

struct key_block {
    struct key_block *older;
    symbol symbols[KEY_BLOCK_SYMBOLS];
};

struct dictionary {
    enum slot_type type;
    struct slot *segments[SEGMENTS_MAX];
    _Atomic uint64_t *cells[SEGMENTS_MAX]; /* of money: cells_pack; 0 until asked for */
    size_t bytes;                          /* of all but the struct */
    _Atomic uint32_t count;                /* codes whose slots can be read */
    uint64_t *index;                       /* the writer's, and so is what follows */
    uint32_t mask;
    uint32_t n_symbols; /* used of the newest block */
    struct key_block *keys;
};

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
        mem_wish_large_pages(dictionary->segments[place.segment], n * sizeof(struct slot));
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
    dictionary->index = mem_alloc_zeroed(INDEX_PLACES_MIN, sizeof *dictionary->index);
    dictionary->mask = INDEX_PLACES_MIN - 1;
    dictionary->bytes = INDEX_PLACES_MIN * sizeof *dictionary->index;
    if (dictionary->index == NULL || segment_ensure(dictionary, DICTIONARY_MISSING) == NULL) {
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
    for (struct key_block *block = dictionary->keys, *older; block != NULL; block = older) {
        older = block->older;
        mem_free(block);
    }
    for (int i = 0; i < SEGMENTS_MAX; i++) {
        mem_free(dictionary->segments[i]);
        mem_free((void *)dictionary->cells[i]);
    }
    mem_free(dictionary->index);
    mem_free(dictionary);
}

/* ---- the index ---- */

static uint64_t
index_word(uint32_t hash, uint32_t code)
{
    return (uint64_t)hash << 32 | code;
}

/* Groups follow from the codes: they are not compared. */
static bool
is_same(enum slot_type type, const struct slot *a, const struct slot *b)
{
    switch (type) {
    case SLOT_CODES:
        return a->codes.n == b->codes.n &&
               memcmp(a->codes.codes, b->codes.codes, a->codes.n * sizeof(symbol)) == 0;
    case SLOT_MONEY:
        return a->money.min == b->money.min && a->money.max == b->money.max &&
               a->money.currency == b->money.currency;
    case SLOT_PERIOD:
        return a->period.from == b->period.from && a->period.to == b->period.to;
    case SLOT_NUMBER:
    case SLOT_DAY:
        return a->number == b->number;
    case SLOT_NONE:
    case SLOT_TEXT: /* no column */
        break;
    }
    return true;
}

/* Where the value stands, or would. */
static uint64_t *
index_place(const struct dictionary *dictionary, const struct slot *slot, uint32_t hash)
{
    uint32_t at = hash & dictionary->mask;

    for (;; at = (at + 1) & dictionary->mask) {
        uint64_t word = dictionary->index[at];

        if (word == 0 ||
            (word >> 32 == hash &&
             is_same(dictionary->type, dictionary_slot(dictionary, (uint32_t)word), slot)))
            return &dictionary->index[at];
    }
}

/* Twice the size, before it is more than half full; false if out of memory. */
static bool
index_reserve(struct dictionary *dictionary)
{
    uint32_t count = dictionary_count(dictionary), mask = 2 * dictionary->mask + 1;
    uint64_t *index;

    if (count <= dictionary->mask / 2)
        return true;
    index = mem_alloc_zeroed((size_t)mask + 1, sizeof *index);
    if (index == NULL)
        return false;
    mem_wish_large_pages(index, ((size_t)mask + 1) * sizeof *index);
    for (uint32_t code = DICTIONARY_MISSING + 1; code < count; code++) {
        uint32_t hash = dictionary_slot(dictionary, code)->hash, at = hash & mask;

        while (index[at] != 0)
            at = (at + 1) & mask;
        index[at] = index_word(hash, code);
    }
    mem_free(dictionary->index);
    dictionary->bytes += ((size_t)mask - dictionary->mask) * sizeof *index;
    dictionary->index = index;
    dictionary->mask = mask;
    return true;
}

/* ---- new values ---- */

/* Symbols copied to stay; NULL if out of memory. */
static const symbol *
keep_symbols(struct dictionary *dictionary, const symbol *symbols, uint32_t n)
{
    symbol *kept;

    if (dictionary->keys == NULL || n > KEY_BLOCK_SYMBOLS - dictionary->n_symbols) {
        struct key_block *block = mem_alloc(sizeof *block);

        if (block == NULL)
            return NULL;
        block->older = dictionary->keys;
        dictionary->keys = block;
        dictionary->n_symbols = 0;
        dictionary->bytes += sizeof *block;
    }
    kept = dictionary->keys->symbols + dictionary->n_symbols;
    memcpy(kept, symbols, n * sizeof *symbols);
    dictionary->n_symbols += n;
    return kept;
}

/* The value as the dictionary keeps it; false if out of memory. */
static bool
slot_keep(struct dictionary *dictionary, const struct slot *slot, uint32_t hash, struct slot *out)
{
    struct slot kept = *slot;

    kept.is_confidential = false;
    kept.field = 0;
    kept.hash = hash;
    if (dictionary->type == SLOT_CODES) {
        kept.codes.codes = keep_symbols(dictionary, slot->codes.codes, slot->codes.n);
        if (slot->codes.groups != NULL)
            kept.codes.groups = keep_symbols(dictionary, slot->codes.groups, slot->codes.n);
        if (kept.codes.codes == NULL || (slot->codes.groups != NULL && kept.codes.groups == NULL))
            return false;
    }
    *out = kept;
    return true;
}

static uint32_t
add(struct dictionary *dictionary, const struct slot *slot, uint32_t hash)
{
    uint32_t code = dictionary_count(dictionary);
    struct slot *place;

    if (code > CODES_MAX || !index_reserve(dictionary))
        return DICTIONARY_FULL;
    place = segment_ensure(dictionary, code);
    if (place == NULL || !slot_keep(dictionary, slot, hash, place))
        return DICTIONARY_FULL;
    *index_place(dictionary, slot, hash) = index_word(hash, code);
    atomic_store_explicit(&dictionary->count, code + 1, memory_order_release);
    return code;
}

uint32_t
dictionary_code(struct dictionary *dictionary, const struct slot *slot)
{
    uint32_t hash;
    uint64_t word;

    if (slot->state == SLOT_MISSING)
        return DICTIONARY_MISSING;
    assert(dictionary->type != SLOT_CODES || slot->codes.n <= SLOT_CODES_MAX);
    hash = slot->hash != 0 ? slot->hash : slot_hash(dictionary->type, slot);
    word = *index_place(dictionary, slot, hash);
    return word != 0 ? (uint32_t)word : add(dictionary, slot, hash);
}

void
dictionary_foresee(const struct dictionary *dictionary, const struct slot *slot)
{
    __builtin_prefetch(&dictionary->index[slot->hash & dictionary->mask]);
}

void
dictionary_foresee_value(const struct dictionary *dictionary, const struct slot *slot)
{
    uint64_t word = dictionary->index[slot->hash & dictionary->mask];

    if (word >> 32 == slot->hash)
        __builtin_prefetch(dictionary_slot(dictionary, (uint32_t)word));
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
    return sizeof *dictionary + dictionary->bytes;
}
