#include "alloc.h"
#include "cases.h"
#include "engine_parts.h"
#include "json.h"

#include <stdatomic.h>
#include <stdio.h>

/* How many programmes live, kept or held, is seen by who holds the tables: each does. */
static struct held_reference held[2]; /* the test's own hold on each is never dropped */
static struct programme_cache cache;
static struct arena *arena;
static struct err err;

static void
setup(void)
{
    for (size_t i = 0; i < 2; i++) {
        held[i].n_holders = 1;
        cr_assert_eq(share_reference(JML_DATA, &held[i].reference, &err), ERR_OK, "%s",
                     err.message);
    }
    arena = arena_create(64 << 20);
    programme_cache_init(&cache);
}

static void
teardown(void)
{
    arena_destroy(arena);
    for (size_t i = 0; i < 2; i++)
        reference_destroy(held[i].reference);
}

TestSuite(programme_cache, .init = setup, .fini = teardown);

static unsigned
n_alive(size_t tables)
{
    return atomic_load(&held[tables].n_holders) - 1;
}

/* A stored programme: one pairing, of this kind and weight. */
static struct str
programme_bytes(const char *kind, int weight)
{
    const msgpack_object *value;
    struct buf out;
    struct str bytes;
    struct str json = arena_format(
        arena,
        "{\"id\": \"p\", \"name\": {\"en\": \"P\"}, \"pairings\": [{\"id\": \"h\", \"from\": "
        "{\"kind\": \"startup\"}, \"to\": {\"kind\": \"%s\"}, \"from_wants\": [{\"id\": \"s\", "
        "\"type\": \"overlap\", \"of\": \"sectors\", \"by\": \"sectors\", \"weight\": %d}]}]}",
        kind, weight);

    cr_assert_eq(json_decode(json, &value_limits_default, arena, &value, &err), ERR_OK, "%s",
                 err.message);
    buf_init(&out, 65536);
    pack_value(&out, value);
    bytes = arena_str(arena, buf_str(&out));
    buf_fini(&out);
    return bytes;
}

static struct kept_programme *
get(struct str bytes, size_t tables)
{
    struct kept_programme *kept = NULL;

    err = (struct err){0};
    cr_assert_eq(programme_cache_get(&cache, bytes, &held[tables], &kept, &err), ERR_OK, "%s",
                 err.message);
    return kept;
}

static int
weight_of(const struct kept_programme *kept)
{
    return kept_programme_look(kept)->pairings[0].from_view.wants[0].weight;
}

Test(programme_cache, the_same_bytes_by_the_same_tables_are_decoded_once)
{
    struct str bytes = programme_bytes("incubator", 7);
    struct kept_programme *one = get(bytes, 0), *other = get(arena_str(arena, bytes), 0);

    cr_expect_eq(one, other);
    cr_expect_eq(weight_of(one), 7);
    cr_expect_eq(n_alive(0), 1);
    kept_programme_drop(one);
    cr_expect_eq(weight_of(other), 7, "still held");
    kept_programme_drop(other);
    cr_expect_eq(n_alive(0), 1, "kept, though nobody holds it");
    other = get(bytes, 0);
    cr_expect_eq(other, one);
    kept_programme_drop(other);
    programme_cache_fini(&cache);
    cr_expect_eq(n_alive(0), 0);
}

Test(programme_cache, a_changed_programme_is_another_and_the_old_one_stays_as_it_was)
{
    struct kept_programme *old = get(programme_bytes("incubator", 7), 0);
    struct kept_programme *new = get(programme_bytes("incubator", 8), 0);

    cr_expect_neq(old, new);
    cr_expect_eq(weight_of(old), 7);
    cr_expect_eq(weight_of(new), 8);
    kept_programme_drop(old);
    kept_programme_drop(new);
    programme_cache_fini(&cache);
}

Test(programme_cache, other_tables_make_it_anew_and_keep_the_old_for_who_holds_it)
{
    struct str bytes = programme_bytes("incubator", 7);
    struct kept_programme *old = get(bytes, 0), *new = get(bytes, 1);

    cr_expect_neq(old, new);
    cr_expect_eq(n_alive(0), 1);
    cr_expect_eq(n_alive(1), 1);
    kept_programme_drop(new);
    programme_cache_fini(&cache);
    cr_expect_eq(n_alive(0), 1, "the old tables stay while a programme of them is held");
    cr_expect_eq(n_alive(1), 0);
    cr_expect_eq(weight_of(old), 7);
    kept_programme_drop(old);
    cr_expect_eq(n_alive(0), 0);
}

Test(programme_cache, keeps_so_many_and_the_first_made_goes_first_however_often_it_was_asked_for)
{
    struct kept_programme *first = get(programme_bytes("incubator", 1), 0);

    for (int weight = 2; weight <= PROGRAMME_CACHE_MOST; weight++)
        kept_programme_drop(get(programme_bytes("incubator", weight), 0));
    cr_expect_eq(n_alive(0), PROGRAMME_CACHE_MOST);
    for (int weight = 1; weight <= PROGRAMME_CACHE_MOST; weight++)
        kept_programme_drop(get(programme_bytes("incubator", weight), 0));
    cr_expect_eq(n_alive(0), PROGRAMME_CACHE_MOST, "all of them were there");

    kept_programme_drop(get(programme_bytes("incubator", PROGRAMME_CACHE_MOST + 1), 0));
    cr_expect_eq(n_alive(0), PROGRAMME_CACHE_MOST + 1, "the first one is held here");
    cr_expect_eq(weight_of(first), 1);
    kept_programme_drop(first);
    cr_expect_eq(n_alive(0), PROGRAMME_CACHE_MOST);
    kept_programme_drop(get(programme_bytes("incubator", 2), 0));
    cr_expect_eq(n_alive(0), PROGRAMME_CACHE_MOST);
    kept_programme_drop(get(programme_bytes("incubator", 1), 0)); /* anew: the second goes */
    for (int weight = 3; weight <= PROGRAMME_CACHE_MOST + 1; weight++)
        kept_programme_drop(get(programme_bytes("incubator", weight), 0));

    for (int weight = 1; weight <= 5 * PROGRAMME_CACHE_MOST; weight++)
        kept_programme_drop(get(programme_bytes("incubator", weight), (size_t)weight % 2));
    cr_expect_eq(n_alive(0) + n_alive(1), PROGRAMME_CACHE_MOST, "of whatever tables");
    programme_cache_fini(&cache);
    cr_expect_eq(n_alive(0) + n_alive(1), 0);
}

static const struct {
    const char *says, *kind; /* of the side; NULL: no programme at all, but these bytes */
    struct str bytes;
    const char *field;
} faulty[] = {
    {"a programme that these tables do not take", "moon", {NULL, 0}, "pairings[0].to.kind"},
    {"bytes that are no value", NULL, {"\xc1", 1}, ""},
    {"bytes that end too early", NULL, {"\x81\xa2id", 4}, ""},
    {"no bytes", NULL, {"", 0}, ""},
};

CASES(programme_cache, a_faulty_one_is_told_and_not_kept, faulty)
{
    struct str bytes =
        faulty[*i].kind != NULL ? programme_bytes(faulty[*i].kind, 1) : faulty[*i].bytes;
    struct kept_programme *kept = NULL;

    for (int times = 0; times < 2; times++) {
        err = (struct err){0};
        cr_expect_neq(programme_cache_get(&cache, bytes, &held[0], &kept, &err), ERR_OK, "%s",
                      faulty[*i].says);
        cr_expect_null(kept, "written on success only");
        cr_expect_str_eq(err.field, faulty[*i].field, "%s", faulty[*i].says);
        cr_expect_eq(n_alive(0), 0, "%s", faulty[*i].says);
    }
    programme_cache_fini(&cache);
}

Test(programme_cache, whichever_allocation_fails_it_is_told_and_the_next_asker_is_served)
{
    bool happened = true;
    int n_failed = 0;

    for (long n = 1; happened; n++) {
        struct str bytes = programme_bytes("incubator", (int)n);
        struct kept_programme *kept = NULL;
        unsigned before = n_alive(0);
        enum err_code code;

        err = (struct err){0};
        mem_fail_at(n);
        code = programme_cache_get(&cache, bytes, &held[0], &kept, &err);
        happened = mem_fail_happened();
        n_failed += code != ERR_OK;
        if (code != ERR_OK) {
            cr_expect(happened && code == ERR_BUSY, "%ld: %s", n, err.message);
            cr_expect_eq(n_alive(0), before, "%ld", n);
        } else { /* what failed may have been a remedy that nobody had to read */
            cr_expect_eq(weight_of(kept), n);
        }
        kept_programme_drop(kept);
        kept = get(bytes, 0);
        cr_expect_eq(weight_of(kept), n);
        kept_programme_drop(kept);
    }
    cr_expect_gt(n_failed, 3);
    programme_cache_fini(&cache);
    cr_expect_eq(n_alive(0), 0);
}
