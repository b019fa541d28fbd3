#include "shelf.h"

#include "alloc.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/mman.h>

/*
 * The head lies in the first unit, which is therefore never returned on its own. A unit is held by each
 * thing that touches it and, while things may still be laid in it, by the shelf's owner.
 */
#if defined(__SANITIZE_ADDRESS__)
#define SHELF_NONE 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SHELF_NONE 1
#endif
#endif
#ifndef SHELF_NONE
#define SHELF_NONE 0
#endif

enum {
    SHELF_BYTES = 2 * 1024 * 1024,
    UNIT_BYTES = 16 * 1024,
    N_UNITS = SHELF_BYTES / UNIT_BYTES,
    ALIGN = _Alignof(max_align_t)
};

struct shelf {
    atomic_uint n_units; /* not returned yet */
    size_t used;         /* the owner's */
    size_t n_passed;     /* units that the owner holds no more; likewise */
    _Atomic uint16_t holders[N_UNITS];
    _Alignas(max_align_t) unsigned char bytes[];
};

/* Twice the piece, of which what stands out at both ends goes back. */
static struct shelf *
shelf_create(void)
{
    unsigned char *at = SHELF_NONE ? MAP_FAILED
                                   : mmap(NULL, 2 * (size_t)SHELF_BYTES, PROT_READ | PROT_WRITE,
                                          MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    struct shelf *shelf;
    size_t before;

    if (at == MAP_FAILED)
        return NULL;
    before = (SHELF_BYTES - (uintptr_t)at % SHELF_BYTES) % SHELF_BYTES;
    if (before > 0)
        munmap(at, before);
    munmap(at + before + SHELF_BYTES, SHELF_BYTES - before);
    shelf = (struct shelf *)(void *)(at + before);
    madvise(shelf, SHELF_BYTES, MADV_HUGEPAGE); /* refused: small pages */
    atomic_init(&shelf->n_units, N_UNITS);
    for (int i = 0; i < N_UNITS; i++)
        atomic_init(&shelf->holders[i], 1);
    shelf->used = sizeof *shelf;
    return shelf;
}

static void
unit_drop(struct shelf *shelf, size_t unit)
{
    if (atomic_fetch_sub_explicit(&shelf->holders[unit], 1, memory_order_acq_rel) != 1)
        return;
    if (unit > 0)
        madvise((unsigned char *)shelf + unit * UNIT_BYTES, UNIT_BYTES, MADV_DONTNEED);
    if (atomic_fetch_sub_explicit(&shelf->n_units, 1, memory_order_acq_rel) == 1)
        munmap(shelf, SHELF_BYTES);
}

/* The owner lets go of the units before the n-th. */
static void
pass(struct shelf *shelf, size_t n)
{
    size_t from = shelf->n_passed;

    shelf->n_passed = n; /* first: the last of them may be the end of the shelf */
    for (size_t unit = from; unit < n; unit++)
        unit_drop(shelf, unit);
}

void
shelf_close(struct shelf *shelf)
{
    if (shelf != NULL)
        pass(shelf, N_UNITS);
}

void *
shelf_lay(struct shelf **place, size_t size)
{
    size_t rounded = (size + ALIGN - 1) / ALIGN * ALIGN, at, next;
    struct shelf *shelf = *place;

    if (shelf == NULL || rounded > SHELF_BYTES - shelf->used) {
        shelf_close(shelf);
        shelf = *place = shelf_create();
    }
    if (shelf == NULL)
        return NULL;
    at = shelf->used;
    for (size_t unit = at / UNIT_BYTES; unit <= (at + size - 1) / UNIT_BYTES; unit++)
        atomic_fetch_add_explicit(&shelf->holders[unit], 1, memory_order_relaxed);
    shelf->used += rounded;
    next = shelf->used / UNIT_BYTES;
    pass(shelf, next < N_UNITS ? next : N_UNITS - 1); /* the last one is for shelf_close */
    return (unsigned char *)shelf + at;
}

void
shelf_drop(void *thing, size_t size)
{
    size_t at = (uintptr_t)thing % SHELF_BYTES;
    struct shelf *shelf = (struct shelf *)(void *)((unsigned char *)thing - at);

    for (size_t unit = at / UNIT_BYTES; unit <= (at + size - 1) / UNIT_BYTES; unit++)
        unit_drop(shelf, unit);
}

void
shared_shelf_init(struct shared_shelf *shared)
{
    *shared = (struct shared_shelf){.shelf = NULL};
    pthread_mutex_init(&shared->lock, NULL);
}

void *
shared_shelf_lay(struct shared_shelf *shared, size_t size)
{
    void *thing;

    pthread_mutex_lock(&shared->lock);
    thing = shelf_lay(&shared->shelf, size);
    pthread_mutex_unlock(&shared->lock);
    return thing;
}

void
shared_shelf_fini(struct shared_shelf *shared)
{
    shelf_close(shared->shelf);
    pthread_mutex_destroy(&shared->lock);
}
