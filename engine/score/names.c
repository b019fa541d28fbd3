#include "names.h"

#include "alloc.h"
#include "load.h"

#include <assert.h>
#include <stdatomic.h>

/*
 * Entries live in chunks that double in size (256, 512, 1024 …), so that none ever moves and the
 * array of chunks has a fixed length. The index is an open-addressed table of 64-bit slots, half of a
 * hash and the number in one word, so that a reader sees a whole slot or none; the slot is stored
 * last (release), after the entry that it leads to. A table that gets too full is copied into one of
 * twice the size, which is then published; the old one stays valid for whoever is reading it until
 * the end of all (together the old ones are no larger than the one in use).
 */
enum {
    CHUNK_BITS = 8,
    CHUNKS_MAX = 31 - CHUNK_BITS,
    INDEX_SLOTS_MIN = 512,
    TEXT_BLOCK_BYTES = 16 * 1024
};

struct name {
    const char *data;
    uint32_t len;
    uint32_t note;
};

struct names_index {
    struct names_index *older;
    uint32_t mask;
    _Atomic uint64_t slots[]; /* high half of the hash, number; 0: free */
};

struct text_block {
    struct text_block *older;
    char bytes[];
};

struct names {
    struct name *chunks[CHUNKS_MAX];
    _Atomic(struct names_index *) index;
    atomic_uint count;
    struct text_block *texts;    /* the writer's */
    size_t text_room, text_used; /* of the newest block */
    size_t bytes;
};

static uint64_t
mix(uint64_t hash, uint64_t word)
{
    hash = (hash ^ word) * UINT64_C(0x9e3779b97f4a7c15);
    return hash ^ hash >> 32;
}

/* Eight bytes a step; the last step may take some of them twice. The length goes in first, so that no two
 * texts are read as the same steps. Of no use outside the process: bytes are taken as the machine has them. */
uint64_t
names_hash(struct str text)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325) ^ text.len;
    const char *at = text.data;
    size_t n = text.len;

    if (n >= 8) {
        for (; n > 8; n -= 8, at += 8)
            hash = mix(hash, load_u64(at));
        hash = mix(hash, load_u64(at + n - 8));
    } else if (n >= 4) {
        hash = mix(hash, load_u32(at) << 32 | load_u32(at + n - 4));
    } else {
        uint64_t word = 0;

        for (size_t i = 0; i < n; i++)
            word = word << 8 | (unsigned char)at[i];
        hash = mix(hash, word);
    }
    return mix(hash, hash >> 29);
}

static struct names_index *
index_create(struct names *names, uint32_t n_slots)
{
    size_t size = sizeof(struct names_index) + n_slots * sizeof(uint64_t);
    struct names_index *index = mem_alloc_zeroed(1, size);

    if (index == NULL)
        return NULL;
    mem_wish_large_pages(index, size);
    index->mask = n_slots - 1;
    names->bytes += size;
    return index;
}

struct names *
names_create(void)
{
    struct names *names = mem_alloc_zeroed(1, sizeof *names);
    struct names_index *index;

    if (names == NULL)
        return NULL;
    names->bytes = sizeof *names;
    index = index_create(names, INDEX_SLOTS_MIN);
    if (index == NULL) {
        mem_free(names);
        return NULL;
    }
    atomic_init(&names->index, index);
    atomic_init(&names->count, 0);
    return names;
}

void
names_destroy(struct names *names)
{
    if (names == NULL)
        return;
    for (struct names_index *index = names->index, *older; index != NULL; index = older) {
        older = index->older;
        mem_free(index);
    }
    for (struct text_block *block = names->texts, *older; block != NULL; block = older) {
        older = block->older;
        mem_free(block);
    }
    for (int i = 0; i < CHUNKS_MAX; i++)
        mem_free(names->chunks[i]);
    mem_free(names);
}

/* Number n is place n - 1 + 2^CHUNK_BITS: its highest bit names the chunk, the rest is inside. */
struct place {
    uint32_t chunk, offset;
};

static struct place
place_of(uint32_t number)
{
    uint32_t at = number - 1 + (UINT32_C(1) << CHUNK_BITS);
    uint32_t top = 31 - (uint32_t)__builtin_clz(at);

    return (struct place){top - CHUNK_BITS, at - (UINT32_C(1) << top)};
}

static const struct name *
name_of(const struct names *names, uint32_t number)
{
    struct place place = place_of(number);

    assert(number != NAME_NONE && place.chunk < CHUNKS_MAX && names->chunks[place.chunk] != NULL);
    return &names->chunks[place.chunk][place.offset];
}

static uint64_t
slot_make(uint64_t hash, uint32_t number)
{
    return (hash & UINT64_C(0xffffffff00000000)) | number;
}

/* The text's number, or the free slot where it would stand. */
static uint32_t
index_find(const struct names *names, const struct names_index *index, struct str text,
           uint64_t hash, uint32_t *free_slot)
{
    for (uint32_t at = (uint32_t)hash & index->mask;; at = (at + 1) & index->mask) {
        uint64_t slot = atomic_load_explicit(&index->slots[at], memory_order_acquire);

        if (slot == 0) {
            *free_slot = at;
            return NAME_NONE;
        }
        if ((slot ^ hash) >> 32 == 0) {
            const struct name *name = name_of(names, (uint32_t)slot);

            if (str_equal(text, (struct str){name->data, name->len}))
                return (uint32_t)slot;
        }
    }
}

uint32_t
names_find_hashed(const struct names *names, struct str text, uint64_t hash)
{
    uint32_t free_slot;

    return index_find(names, atomic_load_explicit(&names->index, memory_order_acquire), text, hash,
                      &free_slot);
}

uint32_t
names_find(const struct names *names, struct str text)
{
    return names_find_hashed(names, text, names_hash(text));
}

void
names_foresee(const struct names *names, uint64_t hash)
{
    const struct names_index *index = atomic_load_explicit(&names->index, memory_order_acquire);

    __builtin_prefetch((const void *)&index->slots[(uint32_t)hash & index->mask]);
}

/* ---- the writer ---- */

/* A larger table with the same names, published. */
static struct names_index *
index_grow(struct names *names, struct names_index *old, uint32_t n_slots)
{
    struct names_index *index = index_create(names, n_slots);

    if (index == NULL)
        return NULL;
    for (uint32_t number = 1; number <= names_count(names); number++) {
        const struct name *name = name_of(names, number);
        uint64_t hash = names_hash((struct str){name->data, name->len});
        uint32_t at = (uint32_t)hash & index->mask;

        while (atomic_load_explicit(&index->slots[at], memory_order_relaxed) != 0)
            at = (at + 1) & index->mask;
        atomic_store_explicit(&index->slots[at], slot_make(hash, number), memory_order_relaxed);
    }
    index->older = old;
    atomic_store_explicit(&names->index, index, memory_order_release);
    return index;
}

void
names_reserve(struct names *names, uint32_t n)
{
    struct names_index *index = atomic_load_explicit(&names->index, memory_order_relaxed);
    uint32_t n_slots = index->mask + 1;

    while (n <= NAMES_MAX / 2 && n > (n_slots - 1) / 2)
        n_slots *= 2;
    if (n_slots > index->mask + 1)
        index_grow(names, index, n_slots);
}

static char *
text_copy(struct names *names, struct str text)
{
    char *copy;

    if (names->texts == NULL || text.len > names->text_room - names->text_used) {
        size_t room = text.len > TEXT_BLOCK_BYTES ? text.len : TEXT_BLOCK_BYTES;
        struct text_block *block = mem_alloc(sizeof *block + room);

        if (block == NULL)
            return NULL;
        block->older = names->texts;
        names->texts = block;
        names->text_room = room;
        names->text_used = 0;
        names->bytes += sizeof *block + room;
    }
    copy = names->texts->bytes + names->text_used;
    if (text.len > 0)
        memcpy(copy, text.data, text.len);
    names->text_used += text.len;
    return copy;
}

uint32_t
names_add_hashed(struct names *names, struct str text, uint64_t hash, uint32_t note)
{
    struct names_index *index = atomic_load_explicit(&names->index, memory_order_relaxed);
    uint32_t count = names_count(names), at = 0, number = count + 1;
    uint32_t known = index_find(names, index, text, hash, &at);
    struct place place = place_of(number);
    char *copy;

    if (known != NAME_NONE)
        return known;
    if (count == NAMES_MAX || text.len > UINT32_MAX || place.chunk >= CHUNKS_MAX)
        return NAME_NONE;
    if (names->chunks[place.chunk] == NULL) {
        size_t n = (size_t)1 << (place.chunk + CHUNK_BITS);

        names->chunks[place.chunk] = mem_alloc(n * sizeof(struct name));
        if (names->chunks[place.chunk] == NULL)
            return NAME_NONE;
        names->bytes += n * sizeof(struct name);
    }
    if (number > index->mask / 2) {
        index = index_grow(names, index, 2 * (index->mask + 1));
        if (index == NULL)
            return NAME_NONE;
        index_find(names, index, text, hash, &at);
    }
    copy = text_copy(names, text);
    if (copy == NULL)
        return NAME_NONE;
    names->chunks[place.chunk][place.offset] = (struct name){copy, (uint32_t)text.len, note};
    atomic_store_explicit(&names->count, number, memory_order_release);
    atomic_store_explicit(&index->slots[at], slot_make(hash, number), memory_order_release);
    return number;
}

uint32_t
names_add(struct names *names, struct str text, uint32_t note)
{
    return names_add_hashed(names, text, names_hash(text), note);
}

/* ---- what is known of a number ---- */

struct str
names_text(const struct names *names, uint32_t number)
{
    const struct name *name = name_of(names, number);

    return (struct str){name->data, name->len};
}

uint32_t
names_note(const struct names *names, uint32_t number)
{
    return name_of(names, number)->note;
}

uint32_t
names_count(const struct names *names)
{
    return atomic_load_explicit(&names->count, memory_order_acquire);
}

size_t
names_bytes(const struct names *names)
{
    return names->bytes;
}
