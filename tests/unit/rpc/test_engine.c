#include "cases.h"
#include "digest.h"
#include "engine_parts.h"
#include "rpc_fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct rpc rpc;

static void
setup(void)
{
    rpc_open(&rpc);
}

static void
teardown(void)
{
    rpc_close(&rpc);
}

TestSuite(engine, .init = setup, .fini = teardown);

#define PUT \
    "{\"profile\": {\"id\": \"a\", \"kind\": \"startup\", \"name\": \"A\", \"tags\": [\"x\"]}}"

Test(engine, what_was_stored_is_there_after_a_restart)
{
    rpc_ok(&rpc, "profile.put", PUT);
    rpc_reopen(&rpc);
    cr_expect_str_eq(rpc_text(&rpc, rpc_ok(&rpc, "profile.get", "{\"id\": \"a\"}"), "name"), "A");
    cr_expect_eq(rpc_int(rpc_ok(&rpc, "system.stats", "{}"), "index.profiles"), 1);
}

Test(engine, the_tables_in_use_are_kept_once_and_journalled)
{
    const msgpack_object *list = rpc_ok(&rpc, "journal.list", "{\"method\": \"tables.use\"}");
    int64_t blobs = rpc_int(rpc_ok(&rpc, "system.stats", "{}"), "store.blobs");

    cr_expect_eq(value_size(rpc_at(list, "entries")), 2);
    cr_expect_gt(blobs, 10);
    rpc_reopen(&rpc);
    cr_expect_eq(rpc_int(rpc_ok(&rpc, "system.stats", "{}"), "store.blobs"), blobs);
    list = rpc_ok(&rpc, "journal.list", "{\"method\": \"tables.use\"}");
    cr_expect_eq(value_size(rpc_at(list, "entries")), 2, "the same tables are no change");
}

Test(engine, a_view_keeps_what_it_began_with)
{
    struct engine_view view = {0};

    rpc_ok(&rpc, "profile.put", PUT);
    engine_view_hold(rpc.engine, &view);
    rpc_ok(&rpc, "profile.delete", "{\"id\": \"a\"}");
    cr_expect_neq(roster_find(view.roster, STR_LIT("a")), ROSTER_NO_ROW);
    engine_view_drop(&view);
    engine_view_hold(rpc.engine, &view);
    cr_expect_eq(roster_find(view.roster, STR_LIT("a")), ROSTER_NO_ROW);
    engine_view_drop(&view);
}

Test(engine, a_second_one_on_the_same_folder_is_refused)
{
    struct engine_options options = {.data_dir = rpc.dir, .clock = &rpc.clock};
    struct engine *second = NULL;
    struct err err = {0};

    cr_expect_eq(engine_open(&options, &second, &err), ERR_BUSY, "%s", err.message);
    cr_expect_null(second);
}

Test(engine, a_share_folder_that_is_none_is_told)
{
    struct engine_options options = {.data_dir = "/tmp/jumelage-nowhere", .share_dir = "/tmp"};
    struct engine *engine = NULL;
    struct err err = {0};

    cr_expect_eq(engine_open(&options, &engine, &err), ERR_NOT_FOUND);
    cr_expect_not_null(strstr(err.message, "JUMELAGE_SHARE"));
}

/* ---- kept text vectors ---- */

struct false_vector {
    struct digest lexicon;
    uint64_t made_of;
};

/* One term of a weight that no text gives it, so that it is known again. */
static enum err_code
put_false_vector(struct store_txn *txn, void *context, struct err *err)
{
    static const uint32_t terms[] = {7};
    static const uint16_t weights[] = {9};
    const struct text_vector vector = {.terms = terms, .weights = weights, .n = 1, .norm2 = 81};
    const struct false_vector *job = context;
    struct made_vector made = {.lexicon = job->lexicon, .vector = vector};
    struct arena *arena = arena_create(1000);
    enum err_code code = made_vector_pack(&made, arena, err);

    if (code == ERR_OK)
        code = made_vector_store(txn, STR_LIT("a"), job->made_of, &made, err);
    arena_destroy(arena);
    return code;
}

/* Terms of the only profile's vector, after a restart that found this one kept. */
static uint32_t
terms_with(uint64_t made_of)
{
    struct false_vector job = {.made_of = made_of};
    struct engine_view view = {0};
    uint32_t n;

    engine_view_hold(rpc.engine, &view);
    job.lexicon = view.lexicon->digest;
    engine_view_drop(&view);
    cr_assert_eq(store_write(engine_store(rpc.engine), put_false_vector, &job, NULL), ERR_OK);
    rpc_reopen(&rpc);
    engine_view_hold(rpc.engine, &view);
    n = roster_facts(view.roster, roster_find(view.roster, STR_LIT("a")))->text.n;
    engine_view_drop(&view);
    return n;
}

Test(engine, a_kept_vector_counts_if_it_was_made_of_what_the_profile_says)
{
    int64_t seq = rpc_int(rpc_ok(&rpc, "profile.put",
                                 "{\"profile\": {\"id\": \"a\", \"kind\": \"startup\", "
                                 "\"name\": \"A\", \"description\": {\"en\": \"robots for "
                                 "hospitals and schools\"}}}"),
                          "seq");
    uint32_t made = terms_with((uint64_t)seq + 1); /* of another record: made anew */

    cr_expect_gt(made, 1);
    cr_expect_eq(terms_with((uint64_t)seq), 1, "that of this record is believed");
    cr_expect_eq(terms_with((uint64_t)seq - 1), made);
}
