#include "symbols.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

/*
 * One writer interns while three readers look up by text and by number. Whatever a reader finds must
 * be whole: the text that was looked for, its group, and no number beyond the count.
 */
enum { N_READERS = 3, N_TEXTS = 20000 };

static struct symbols *symbols;
static atomic_int n_interned, n_looked_up, n_wrong;
static atomic_bool is_done;

static struct str
text_of(char text[40], int i)
{
    return (struct str){text, (size_t)snprintf(text, 40, "group%d.leaf%d", i % 100, i)};
}

static void
expect(bool claim, const char *what, int i)
{
    if (!claim) {
        fprintf(stderr, "text %d: %s\n", i, what);
        atomic_fetch_add(&n_wrong, 1);
    }
}

static void
check(int i, bool must_be_known)
{
    char text[40], group[32];
    struct str wanted = text_of(text, i);
    symbol s = symbols_find(symbols, wanted);

    snprintf(group, sizeof group, "group%d", i % 100);
    if (s == SYMBOL_NONE) {
        expect(!must_be_known, "not found, though it was there", i);
        return;
    }
    expect(s <= symbols_count(symbols), "a number beyond the count", i);
    expect(str_equal(symbols_text(symbols, s), wanted), "another text", i);
    expect(str_is(symbols_text(symbols, symbols_group(symbols, s)), group), "another group", i);
}

static void *
read_on(void *context)
{
    unsigned x = *(unsigned *)context;

    while (!atomic_load(&is_done)) {
        int known = atomic_load(&n_interned);

        x = x * 1664525 + 1013904223;
        if (known > 0)
            check((int)(x >> 8) % known, true);
        check((int)(x >> 4) % N_TEXTS, false);
        check(known < N_TEXTS ? known : 0, false); /* the one that is being written */
        atomic_fetch_add(&n_looked_up, 3);
    }
    return NULL;
}

int
main(void)
{
    pthread_t readers[N_READERS];
    unsigned seeds[N_READERS] = {1, 2, 3};
    char text[40];

    symbols = symbols_create();
    if (symbols == NULL)
        return EXIT_FAILURE;
    for (int i = 0; i < N_READERS; i++)
        if (pthread_create(&readers[i], NULL, read_on, &seeds[i]) != 0)
            return EXIT_FAILURE;
    for (int i = 0; i < N_TEXTS; i++) {
        expect(symbols_intern(symbols, text_of(text, i)) != SYMBOL_NONE, "not interned", i);
        atomic_store(&n_interned, i + 1);
        while (atomic_load(&n_looked_up) <
               i) /* the readers keep pace, however few cores there are */
            sched_yield();
    }
    atomic_store(&is_done, true);
    for (int i = 0; i < N_READERS; i++)
        pthread_join(readers[i], NULL);
    for (int i = 0; i < N_TEXTS; i++)
        check(i, true);
    symbols_destroy(symbols);
    printf("%d texts, %d looked up meanwhile, %d wrong\n", N_TEXTS, atomic_load(&n_looked_up),
           atomic_load(&n_wrong));
    return atomic_load(&n_wrong) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
