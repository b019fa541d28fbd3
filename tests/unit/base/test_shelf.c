#include "cases.h"
#include "shelf.h"

#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum { THINGS = 5000 };

static size_t
size_of(size_t i)
{
    return 1 + i * 37 % 3000;
}

Test(shelf, things_keep_their_bytes_until_they_are_dropped)
{
    static unsigned char *things[THINGS];
    struct shelf *shelf = NULL;

    for (size_t i = 0; i < THINGS; i++) {
        things[i] = shelf_lay(&shelf, size_of(i));
        if (things[i] == NULL)
            return; /* under AddressSanitizer there are none */
        cr_expect_eq((uintptr_t)things[i] % _Alignof(max_align_t), 0);
        memset(things[i], (int)(i % 251), size_of(i));
        if (i % 3 == 1) /* while more is laid beside it */
            shelf_drop(things[i], size_of(i));
    }
    shelf_close(shelf);
    for (size_t i = 0; i < THINGS; i++)
        if (i % 3 == 2)
            shelf_drop(things[i], size_of(i));
    for (size_t i = 0; i < THINGS; i += 3) {
        for (size_t j = 0; j < size_of(i); j++)
            cr_assert_eq(things[i][j], i % 251, "byte %zu of thing %zu", j, i);
        shelf_drop(things[i], size_of(i));
    }
}

Test(shelf, one_that_is_empty_before_it_is_closed_can_still_be_closed)
{
    struct shelf *shelf = NULL;

    for (int i = 0; i < 100; i++) {
        void *thing = shelf_lay(&shelf, SHELF_THING_MAX);

        if (thing == NULL)
            return;
        memset(thing, i, SHELF_THING_MAX);
        shelf_drop(thing, SHELF_THING_MAX);
    }
    shelf_close(shelf);
    shelf_close(NULL);
}

enum { THREADS = 4 };

struct sharer {
    struct shared_shelf *shared;
    unsigned char *things[THINGS / THREADS];
    unsigned char number;
};

static void *
lay_on(void *context)
{
    struct sharer *sharer = context;

    for (size_t i = 0; i < THINGS / THREADS; i++) {
        sharer->things[i] = shared_shelf_lay(sharer->shared, size_of(i));
        if (sharer->things[i] != NULL)
            memset(sharer->things[i], sharer->number, size_of(i));
    }
    return NULL;
}

Test(shelf, one_that_is_shared_gives_each_thread_its_own)
{
    static struct sharer sharers[THREADS];
    struct shared_shelf shared;
    pthread_t threads[THREADS];

    shared_shelf_init(&shared);
    for (unsigned char i = 0; i < THREADS; i++) {
        sharers[i].shared = &shared;
        sharers[i].number = (unsigned char)(i + 1);
        cr_assert_eq(pthread_create(&threads[i], NULL, lay_on, &sharers[i]), 0);
    }
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    shared_shelf_fini(&shared);
    for (int i = 0; i < THREADS; i++)
        for (size_t j = 0; j < THINGS / THREADS && sharers[i].things[j] != NULL; j++) {
            for (size_t at = 0; at < size_of(j); at++)
                cr_assert_eq(sharers[i].things[j][at], sharers[i].number);
            shelf_drop(sharers[i].things[j], size_of(j));
        }
}
