/*
 * race_load: the profiles of a store are read by one thread and by several, with their text vectors to be
 * made and with kept ones, and each time the same comes out: symbols, rows, facts. Run under the thread
 * sanitizer too.
 */
#include "small_store.h"
#include "stored_profiles.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PROFILES = 3000 };

static int n_faults;

static void
fault(const char *what, uint32_t row)
{
    if (n_faults++ < 10)
        fprintf(stderr, "FAULT: row %u: %s\n", row, what);
}

static bool
same_codes(const struct slot_codes *a, const struct slot_codes *b)
{
    size_t size = a->n * sizeof(symbol);

    if (a->n != b->n || (a->groups == NULL) != (b->groups == NULL))
        return false;
    return a->n == 0 || (memcmp(a->codes, b->codes, size) == 0 &&
                         (a->groups == NULL || memcmp(a->groups, b->groups, size) == 0));
}

static bool
same_texts(const struct facts *a, const struct facts *b)
{
    struct text_vector x, y;

    if (facts_need_text(a, NULL) != ERR_OK || facts_need_text(b, NULL) != ERR_OK)
        return false;
    x = facts_text(a);
    y = facts_text(b);
    return x.n == 0 || (memcmp(x.terms, y.terms, x.n * sizeof *x.terms) == 0 &&
                        memcmp(x.weights, y.weights, x.n * sizeof *x.weights) == 0);
}

static void
compare_facts(const struct facts *a, const struct facts *b, uint32_t row)
{
    if (!str_equal(a->id, b->id) || !str_equal(a->name, b->name) || a->id_symbol != b->id_symbol ||
        a->kind != b->kind || a->bytes != b->bytes)
        fault("another profile", row);
    if (memcmp(&a->text, &b->text, sizeof a->text) != 0 ||
        a->text_is_confidential != b->text_is_confidential || !same_texts(a, b))
        fault("another text vector", row);
    for (int i = 0; i < FIELD_COUNT; i++) {
        const struct slot *x = facts_slot(a, (enum field_id)i),
                          *y = facts_slot(b, (enum field_id)i);

        if (x->state != y->state || x->is_confidential != y->is_confidential ||
            x->hash != y->hash ||
            (schema[i].slot == SLOT_CODES && !same_codes(&x->codes, &y->codes)))
            fault(schema[i].name, row);
    }
}

static void
compare(struct engine *one, struct engine *other)
{
    struct engine_view a, b;
    uint32_t n;

    engine_view_hold(one, &a);
    engine_view_hold(other, &b);
    n = roster_rows(a.roster);
    if (n != PROFILES || roster_rows(b.roster) != n ||
        roster_bytes(a.roster) != roster_bytes(b.roster))
        fault("another roster", n);
    for (uint32_t row = 0; row < n && row < roster_rows(b.roster); row++)
        compare_facts(roster_facts(a.roster, row), roster_facts(b.roster, row), row);
    if (symbols_count(a.symbols) != symbols_count(b.symbols))
        fault("another count of symbols", 0);
    for (symbol s = 1; s <= symbols_count(a.symbols) && s <= symbols_count(b.symbols); s++)
        if (!str_equal(symbols_text(a.symbols, s), symbols_text(b.symbols, s)))
            fault("another symbol", s);
    engine_view_drop(&a);
    engine_view_drop(&b);
}

static struct engine *
open_store(const char *dir, unsigned threads)
{
    struct engine_options options = {
        .data_dir = dir, .share_dir = JML_DATA, .load_threads = threads};
    struct engine *engine;
    struct err err = {0};

    if (engine_open(&options, &engine, &err) == ERR_OK)
        return engine;
    fprintf(stderr, "FAULT: %s\n", err.message);
    exit(EXIT_FAILURE);
}

/* A store of its own, so that two can be open at once. */
static void
make_store(char *dir)
{
    struct engine *engine;
    struct err err = {0};

    small_store_folder(dir);
    engine = open_store(dir, 1);
    if (stored_profiles_put(engine, PROFILES, &err) != ERR_OK) {
        fprintf(stderr, "FAULT: %s\n", err.message);
        exit(EXIT_FAILURE);
    }
    engine_close(engine);
}

int
main(void)
{
    char dirs[2][32] = {"/tmp/race-load-XXXXXX", "/tmp/race-load-XXXXXX"};

    for (int i = 0; i < 2; i++)
        make_store(dirs[i]);
    for (int round = 0; round < 2; round++) { /* in the first, vectors are made and kept */
        struct engine *one = open_store(dirs[0], 1), *other = open_store(dirs[1], 4);
        struct store_sizes sizes = {0};

        compare(one, other);
        if (store_sizes(engine_store(other), &sizes, NULL) != ERR_OK || sizes.vectors != PROFILES)
            fault("not every vector was kept", (uint32_t)sizes.vectors);
        engine_close(one);
        engine_close(other);
    }
    for (int i = 0; i < 2; i++)
        small_store_remove(dirs[i]);
    return n_faults == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
