#ifndef JML_ARENA_H
#define JML_ARENA_H

#include "str.h"

#include <stddef.h>

/*
 * arena: all the memory of one request, freed in one step.
 *
 * Everything a handler decodes, builds or answers lives here; handlers never free. What must
 * outlive the request is copied into its new owner (…_dup). Under AddressSanitizer every
 * allocation is its own heap block, so that an overrun of one object into its neighbour is caught.
 * One owner at a time: a job's arena goes to the worker with the job, and comes back with it.
 */
struct arena;

struct arena *arena_create(size_t limit); /* bytes it may ever hold; NULL if out of memory */
void arena_destroy(struct arena *arena);  /* NULL is fine; runs the deferred releases, last first */
void arena_reset(struct arena *arena);    /* empties it and keeps its first block for reuse */

/* Zeroed, aligned for any type; NULL once the limit or the machine's memory is reached, or if
 * count * size overflows. A count or size of 0 gives a valid pointer to nothing. */
void *arena_alloc(struct arena *arena, size_t count, size_t size);
/* The same, not zeroed: for what is filled at once. */
void *arena_room(struct arena *arena, size_t count, size_t size);
/* As arena_alloc at an address that is a multiple of 64, for what is read by wide instructions. */
enum { ARENA_WIDE = 64 };
void *arena_alloc_wide(struct arena *arena, size_t count, size_t size);
void *arena_room_wide(struct arena *arena, size_t count, size_t size); /* as arena_room */
/* A copy of bytes / of s with a NUL after it; NULL as arena_alloc. */
void *arena_copy(struct arena *arena, const void *bytes, size_t n);
char *arena_text(struct arena *arena, struct str s);
struct str arena_str(struct arena *arena, struct str s);              /* data NULL if full */
struct str arena_format(struct arena *arena, const char *format, ...) /* data NULL if full */
    __attribute__((format(printf, 2, 3)));

/* Calls release(thing) when the arena is destroyed, reset, or released past this point.
 * False if out of memory (then nothing was registered: the caller still owns thing). */
bool arena_defer(struct arena *arena, void (*release)(void *thing), void *thing);

/* A mark, and the way back to it: frees everything allocated since. For scratch in a loop. */
struct arena_mark {
    size_t n_blocks, used, bytes, n_deferred;
};
struct arena_mark arena_mark(const struct arena *arena);
void arena_release(struct arena *arena, struct arena_mark mark);

size_t arena_used(const struct arena *arena); /* bytes handed out and not released */

#endif
