#include "arena.h"

#include "alloc.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/*
 * Blocks are a stack: the newest serves the requests, a mark is a height of the stack and a fill of
 * its top. Blocks double up to BLOCK_BYTES_MAX; a larger object gets a block of its own size. The
 * limit counts what was handed out, rounded up to the alignment, so that it is met at the same
 * object in every build, whatever the blocks are.
 */
#if defined(__SANITIZE_ADDRESS__)
#define ARENA_SEPARATE 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define ARENA_SEPARATE 1
#endif
#endif
#ifndef ARENA_SEPARATE
#define ARENA_SEPARATE 0
#endif

enum { ALIGN = _Alignof(max_align_t), BLOCK_BYTES_MIN = 4096, BLOCK_BYTES_MAX = 128 * 1024 };

struct block {
    struct block *below;
    size_t room, used;
    _Alignas(max_align_t) unsigned char bytes[];
};

struct deferred {
    struct deferred *earlier;
    void (*release)(void *thing);
    void *thing;
};

struct arena {
    struct block *top;
    struct deferred *last;
    size_t n_blocks, n_deferred;
    size_t bytes, limit;
};

static const max_align_t nothing; /* what a request for no bytes points to */

struct arena *
arena_create(size_t limit)
{
    struct arena *arena = mem_alloc_zeroed(1, sizeof *arena);

    if (arena != NULL)
        arena->limit = limit;
    return arena;
}

static void
run_deferred(struct arena *arena, size_t keep)
{
    while (arena->n_deferred > keep) {
        struct deferred *deferred = arena->last;

        arena->last = deferred->earlier;
        arena->n_deferred--;
        deferred->release(deferred->thing);
    }
}

static void
drop_blocks(struct arena *arena, size_t keep)
{
    while (arena->n_blocks > keep) {
        struct block *block = arena->top;

        arena->top = block->below;
        arena->n_blocks--;
        mem_free(block);
    }
}

void
arena_destroy(struct arena *arena)
{
    if (arena == NULL)
        return;
    run_deferred(arena, 0);
    drop_blocks(arena, 0);
    mem_free(arena);
}

void
arena_reset(struct arena *arena)
{
    run_deferred(arena, 0);
    drop_blocks(arena, ARENA_SEPARATE ? 0 : 1);
    if (arena->top != NULL)
        arena->top->used = 0;
    arena->bytes = 0;
}

/* Pushes a block with room for at least `need` bytes. */
static bool
push_block(struct arena *arena, size_t need)
{
    size_t room = arena->top != NULL ? 2 * arena->top->room : BLOCK_BYTES_MIN;
    struct block *block;

    if (room > BLOCK_BYTES_MAX)
        room = BLOCK_BYTES_MAX;
    if (room < need || ARENA_SEPARATE)
        room = need;
    if (room > SIZE_MAX - sizeof *block)
        return false;
    block = mem_alloc(sizeof *block + room);
    if (block == NULL)
        return false;
    block->below = arena->top;
    block->room = room;
    block->used = 0;
    arena->top = block;
    arena->n_blocks++;
    return true;
}

static void *
take(struct arena *arena, size_t n)
{
    size_t rounded = (n + ALIGN - 1) / ALIGN * ALIGN;
    struct block *top = arena->top;
    void *memory;

    if (n == 0)
        return (void *)&nothing;
    if (rounded < n || rounded > arena->limit - arena->bytes)
        return NULL;
    if (ARENA_SEPARATE || top == NULL || rounded > top->room - top->used) {
        if (!push_block(arena, ARENA_SEPARATE ? n : rounded))
            return NULL;
        top = arena->top;
    }
    memory = top->bytes + top->used;
    top->used += ARENA_SEPARATE ? n : rounded;
    arena->bytes += rounded;
    return memory;
}

void *
arena_alloc(struct arena *arena, size_t count, size_t size)
{
    void *memory;
    size_t n;

    if (__builtin_mul_overflow(count, size, &n))
        return NULL;
    memory = take(arena, n);
    return memory != NULL && n != 0 ? memset(memory, 0, n) : memory;
}

void *
arena_room(struct arena *arena, size_t count, size_t size)
{
    size_t n;

    return __builtin_mul_overflow(count, size, &n) ? NULL : take(arena, n);
}

void *
arena_room_wide(struct arena *arena, size_t count, size_t size)
{
    uintptr_t at;
    void *memory;
    size_t n;

    if (__builtin_mul_overflow(count, size, &n) || n > SIZE_MAX - ARENA_WIDE)
        return NULL;
    memory = take(arena, n + ARENA_WIDE);
    at = (uintptr_t)memory;
    return memory != NULL ? (char *)memory + (ARENA_WIDE - at % ARENA_WIDE) % ARENA_WIDE : NULL;
}

void *
arena_alloc_wide(struct arena *arena, size_t count, size_t size)
{
    void *memory = arena_room_wide(arena, count, size);

    return memory != NULL ? memset(memory, 0, count * size) : NULL;
}

void *
arena_copy(struct arena *arena, const void *bytes, size_t n)
{
    void *memory = take(arena, n);

    return memory != NULL && n != 0 ? memcpy(memory, bytes, n) : memory;
}

char *
arena_text(struct arena *arena, struct str s)
{
    char *text = s.len < SIZE_MAX ? take(arena, s.len + 1) : NULL;

    if (text == NULL)
        return NULL;
    if (s.len != 0)
        memcpy(text, s.data, s.len);
    text[s.len] = '\0';
    return text;
}

struct str
arena_str(struct arena *arena, struct str s)
{
    char *text = arena_text(arena, s);

    return (struct str){text, text != NULL ? s.len : 0};
}

struct str
arena_format(struct arena *arena, const char *format, ...)
{
    va_list args;
    char *text;
    int n;

    va_start(args, format);
    n = vsnprintf(NULL, 0, format, args);
    va_end(args);
    if (n < 0)
        return (struct str){NULL, 0};
    text = take(arena, (size_t)n + 1);
    if (text == NULL)
        return (struct str){NULL, 0};
    va_start(args, format);
    vsnprintf(text, (size_t)n + 1, format, args);
    va_end(args);
    return (struct str){text, (size_t)n};
}

bool
arena_defer(struct arena *arena, void (*release)(void *thing), void *thing)
{
    struct deferred *deferred = take(arena, sizeof *deferred);

    if (deferred == NULL)
        return false;
    *deferred = (struct deferred){arena->last, release, thing};
    arena->last = deferred;
    arena->n_deferred++;
    return true;
}

struct arena_mark
arena_mark(const struct arena *arena)
{
    return (struct arena_mark){
        .n_blocks = arena->n_blocks,
        .used = arena->top != NULL ? arena->top->used : 0,
        .bytes = arena->bytes,
        .n_deferred = arena->n_deferred,
    };
}

void
arena_release(struct arena *arena, struct arena_mark mark)
{
    run_deferred(arena, mark.n_deferred);
    drop_blocks(arena, mark.n_blocks);
    if (arena->top != NULL)
        arena->top->used = mark.used;
    arena->bytes = mark.bytes;
}

size_t
arena_used(const struct arena *arena)
{
    return arena->bytes;
}
