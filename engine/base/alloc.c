#include "alloc.h"

#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>

enum { LARGE_PAGE_BYTES = 2 * 1024 * 1024 };

#ifdef JML_FAULTS
#include <stdatomic.h>

/* Globals, against the house's habit: a fault has to reach code that was handed no seam. */
static atomic_long calls_to_failure; /* 0: none is to fail */
static atomic_bool has_failed, persists;

static void
fail(long n, bool and_after)
{
    atomic_store(&has_failed, false);
    atomic_store(&persists, and_after);
    atomic_store(&calls_to_failure, n);
}

void
mem_fail_at(long n)
{
    fail(n, false);
}

void
mem_fail_from(long n)
{
    fail(n, true);
}

bool
mem_fail_happened(void)
{
    atomic_store(&calls_to_failure, 0);
    return atomic_load(&has_failed);
}

static bool
fails_now(void)
{
    long left = atomic_load(&calls_to_failure);

    while (left > 1)
        if (atomic_compare_exchange_weak(&calls_to_failure, &left, left - 1))
            return false;
    if (left == 0)
        return false;
    /* the last one: it stays for those after it, or whoever is first takes it */
    if (!atomic_load(&persists) && !atomic_compare_exchange_strong(&calls_to_failure, &left, 0))
        return false;
    atomic_store(&has_failed, true);
    return true;
}
#else
static inline bool
fails_now(void)
{
    return false;
}
#endif

static _Thread_local bool is_short;

static void *
watched(void *memory)
{
    is_short |= memory == NULL;
    return memory;
}

void *
mem_alloc(size_t size)
{
    return watched(fails_now() ? NULL : malloc(size != 0 ? size : 1));
}

void *
mem_alloc_zeroed(size_t count, size_t size)
{
    if (count == 0 || size == 0)
        count = size = 1;
    return watched(fails_now() ? NULL : calloc(count, size));
}

void *
mem_alloc_lined(size_t size)
{
    size_t lines = size / MEM_LINE_BYTES + 1; /* whole ones, as aligned_alloc wants them */
    bool is_refused = fails_now() || size > SIZE_MAX - MEM_LINE_BYTES;

    return watched(is_refused ? NULL : aligned_alloc(MEM_LINE_BYTES, lines * MEM_LINE_BYTES));
}

void *
mem_realloc(void *memory, size_t size)
{
    return watched(fails_now() ? NULL : realloc(memory, size != 0 ? size : 1));
}

void
mem_free(void *memory)
{
    free(memory);
}

void
mem_wish_large_pages(void *memory, size_t size)
{
    uintptr_t from =
        ((uintptr_t)memory + LARGE_PAGE_BYTES - 1) & ~(uintptr_t)(LARGE_PAGE_BYTES - 1);
    uintptr_t to = ((uintptr_t)memory + size) & ~(uintptr_t)(LARGE_PAGE_BYTES - 1);

    if (memory != NULL && from < to)
        madvise((void *)from, to - from, MADV_HUGEPAGE); /* refused: small pages */
}

void
mem_watch(void)
{
    is_short = false;
}

bool
mem_was_short(void)
{
    return is_short;
}
