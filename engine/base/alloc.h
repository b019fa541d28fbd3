#ifndef JML_ALLOC_H
#define JML_ALLOC_H

#include <stdbool.h>
#include <stddef.h>

/*
 * alloc: the one door through which the engine asks for memory.
 *
 * malloc, realloc and free under other names, so that a test can make the N-th request fail and see
 * that each path survives it. What comes from here may be freed with free() as well. Any thread.
 */
void *mem_alloc(size_t size);                      /* not zeroed; NULL if out of memory */
void *mem_alloc_zeroed(size_t count, size_t size); /* NULL also if count * size overflows */
/* Not zeroed, from the beginning of a line of the cache on, for what is read a register's width at a time. */
enum { MEM_LINE_BYTES = 64 };
void *mem_alloc_lined(size_t size);
void *mem_realloc(void *memory, size_t size); /* memory stays as it was if NULL comes back */
void mem_free(void *memory);                  /* NULL is fine */
/* For tables of several MiB that are looked at here and there, before they are first touched: asks the system
 * for large pages, of whose addresses the processor looks up fewer. A wish; NULL is fine. */
void mem_wish_large_pages(void *memory, size_t size);

/* For libraries that take an allocator and tell "out of memory" as something else: did a request of
 * this thread come back empty since mem_watch? */
void mem_watch(void);
bool mem_was_short(void);

#ifdef JML_FAULTS
/*
 * Builds with tests only. The n-th request from now on fails, once, whichever thread makes it; 0
 * switches it off. mem_fail_happened tells whether it came to that, so that a test can go on:
 *
 *     for (n = 1, happened = true; happened; n++) {
 *         mem_fail_at(n);
 *         … what is tested: right, or a clean error …
 *         happened = mem_fail_happened();
 *     }
 */
void mem_fail_at(long n);
void mem_fail_from(long n);   /* the n-th and every one after it */
bool mem_fail_happened(void); /* since it was told to; switches it off */
#endif

#endif
