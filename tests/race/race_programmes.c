/*
 * race_programmes: three threads get, look at and drop more programmes than the cache keeps, by two sets of
 * tables, so that they hit, make the same one at a time, and push out what others hold. Each must get the
 * programme of its own bytes; in the end no more live than are kept, and after the cache none.
 */
#include "engine_parts.h"
#include "json.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

enum { THREADS = 3, ROUNDS = 2000, PROGRAMMES = PROGRAMME_CACHE_MOST + 4, HELD = 3, TABLES = 2 };

static struct held_reference held[TABLES]; /* this program's own hold is never dropped */
static struct programme_cache cache;
static struct str bytes[PROGRAMMES];
static atomic_int n_faults;

static void
fault(const char *what)
{
    fprintf(stderr, "FAULT: %s\n", what);
    n_faults++;
}

static struct str
programme_bytes(struct arena *arena, int weight)
{
    struct str json = arena_format(
        arena,
        "{\"id\": \"p\", \"name\": {\"en\": \"P\"}, \"pairings\": [{\"id\": \"h\", \"from\": "
        "{\"kind\": \"startup\"}, \"to\": {\"kind\": \"incubator\"}, \"from_wants\": [{\"id\": "
        "\"s\", \"type\": \"overlap\", \"of\": \"sectors\", \"by\": \"sectors\", \"weight\": %d}]}]}",
        weight);
    const msgpack_object *value;
    struct err err = {0};
    struct buf out;
    struct str copy;

    if (json_decode(json, &value_limits_default, arena, &value, &err) != ERR_OK) {
        fault(err.message);
        exit(EXIT_FAILURE);
    }
    buf_init(&out, 65536);
    pack_value(&out, value);
    copy = arena_str(arena, buf_str(&out));
    buf_fini(&out);
    return copy;
}

static void
check(const struct kept_programme *kept, unsigned which)
{
    const struct programme *programme = kept_programme_look(kept);

    if (programme->n_pairings != 1 ||
        programme->pairings[0].from_view.wants[0].weight != (int)which + 1)
        fault("another programme");
}

/* Some are held for a few rounds, so that they outlive their place. */
static void *
get_on(void *context)
{
    unsigned x = *(unsigned *)context, which[HELD] = {0};
    struct kept_programme *kept[HELD] = {NULL};

    for (unsigned round = 0; round < ROUNDS; round++) {
        unsigned at = round % HELD;
        struct err err = {0};

        if (kept[at] != NULL)
            check(kept[at], which[at]);
        kept_programme_drop(kept[at]);
        kept[at] = NULL;
        x = x * 1664525 + 1013904223;
        which[at] = (x >> 16) % PROGRAMMES;
        if (programme_cache_get(&cache, bytes[which[at]], &held[(x >> 8) % 16 == 0], &kept[at],
                                &err) != ERR_OK)
            fault(err.message);
        else
            check(kept[at], which[at]);
    }
    for (unsigned at = 0; at < HELD; at++)
        kept_programme_drop(kept[at]);
    return NULL;
}

static unsigned
n_alive(void)
{
    return atomic_load(&held[0].n_holders) + atomic_load(&held[1].n_holders) - TABLES;
}

int
main(void)
{
    struct arena *arena = arena_create(1 << 24);
    pthread_t threads[THREADS];
    unsigned seeds[THREADS];
    struct err err = {0};

    for (int i = 0; i < TABLES; i++) {
        held[i].n_holders = 1;
        if (share_reference(JML_DATA, &held[i].reference, &err) != ERR_OK) {
            fault(err.message);
            return EXIT_FAILURE;
        }
    }
    for (int i = 0; i < PROGRAMMES; i++)
        bytes[i] = programme_bytes(arena, i + 1);
    programme_cache_init(&cache);
    for (unsigned i = 0; i < THREADS; i++) {
        seeds[i] = i;
        if (pthread_create(&threads[i], NULL, get_on, &seeds[i]) != 0)
            return EXIT_FAILURE;
    }
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    if (n_alive() > PROGRAMME_CACHE_MOST)
        fault("more live than are kept");
    programme_cache_fini(&cache);
    if (n_alive() != 0)
        fault("some live after the cache");
    for (int i = 0; i < TABLES; i++)
        reference_destroy(held[i].reference);
    arena_destroy(arena);
    return n_faults == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
