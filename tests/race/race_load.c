/*
 * race_load: the profiles of a store are read by one thread and by several, with their text vectors to be
 * made and with kept ones, and each time the same comes out: symbols, rows, facts. Run under the thread
 * sanitizer too.
 */
#include "engine.h"
#include "value.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PROFILES = 3000, A_WRITE = 500 };

static int n_faults;

static void
fault(const char *what, uint32_t row)
{
    if (n_faults++ < 10)
        fprintf(stderr, "FAULT: row %u: %s\n", row, what);
}

static void
pack_pairs(struct buf *out, int i)
{
    static const char *const sectors[] = {"ai", "health.bio", "energy", "food.agri", "mobility"};
    char text[64];

    snprintf(text, sizeof text, "p%05d", i);
    pack_key_text(out, "id", text);
    pack_key_text(out, "kind", i % 3 ? "startup" : "incubator");
    pack_key_text(out, "name", "N");
    pack_key(out, "description");
    pack_map(out, 1);
    snprintf(text, sizeof text, "robots number %d for hospitals", i % 40);
    pack_key_text(out, "en", text);
    pack_key(out, "sectors");
    pack_array(out, 2);
    pack_text(out, sectors[i % 5]);
    pack_text(out, sectors[(i + 2) % 5]);
    pack_key(out, "tags");
    pack_array(out, 2);
    snprintf(text, sizeof text, "Tag %d", i % 700);
    pack_text(out, text);
    snprintf(text, sizeof text, "Tag %d", i / 9);
    pack_text(out, text);
    pack_key(out, "conflicts");
    pack_array(out, 1);
    snprintf(text, sizeof text, "p%05d", (i * 7 + 1) % PROFILES);
    pack_text(out, text);
}

static enum err_code
put_some(struct store_txn *txn, void *context, struct err *err)
{
    int first = *(int *)context;
    enum err_code code = ERR_OK;

    for (int i = first; i < first + A_WRITE && code == ERR_OK; i++) {
        struct journal_entry entry = {
            .actor = STR_LIT("race"), .method = STR_LIT("profile.put"), .what = STR_LIT("\x80")};
        struct profile_put put = {
            .n_pairs = 7, .actor = entry.actor, .method = entry.method, .changed = STR_LIT("\x90")};
        char id[16];
        struct buf pairs;
        uint64_t version;

        snprintf(id, sizeof id, "p%05d", i);
        entry.subject = put.id = str_from(id);
        if (i % 4 == 0)
            put.confidential = STR_LIT("\x81\xa4tags\x91\xa6Secret");
        buf_init(&pairs, 65536);
        pack_pairs(&pairs, i);
        put.pairs = buf_str(&pairs);
        code = store_journal_add(txn, &entry, &put.seq, err);
        if (code == ERR_OK)
            code = store_profile_put(txn, &put, &version, err);
        buf_fini(&pairs);
    }
    return code;
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

static void
compare_facts(const struct facts *a, const struct facts *b, uint32_t row)
{
    if (!str_equal(a->id, b->id) || !str_equal(a->name, b->name) || a->id_symbol != b->id_symbol ||
        a->kind != b->kind || a->bytes != b->bytes)
        fault("another profile", row);
    if (a->text.n != b->text.n || a->text.norm2 != b->text.norm2 ||
        a->text_is_confidential != b->text_is_confidential ||
        memcmp(a->text.terms, b->text.terms, a->text.n * sizeof *a->text.terms) != 0 ||
        memcmp(a->text.weights, b->text.weights, a->text.n * sizeof *a->text.weights) != 0)
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

static int
remove_one(const char *path, const struct stat *st, int flag, struct FTW *walk)
{
    (void)st, (void)flag, (void)walk;
    return remove(path);
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

    if (mkdtemp(dir) == NULL)
        exit(EXIT_FAILURE);
    engine = open_store(dir, 1);
    for (int first = 0; first < PROFILES; first += A_WRITE)
        if (store_write(engine_store(engine), put_some, &first, &err) != ERR_OK) {
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
        nftw(dirs[i], remove_one, 16, FTW_DEPTH | FTW_PHYS);
    return n_faults == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
