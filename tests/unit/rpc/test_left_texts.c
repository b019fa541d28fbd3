/*
 * test_left_texts.c: texts that a start leaves in the store, and that are there for whoever asks, whatever has
 * become of the profile meanwhile.
 */
#include "digest.h"
#include "engine_parts.h"
#include "rpc_fixture.h"

#include <criterion/criterion.h>
#include <lmdb.h>

#include <stdio.h>
#include <string.h>

static struct rpc rpc;
static struct engine_view view; /* held by a test; the roster as it opened */

#define LOOKER "demo-startup-001"
#define HOST "demo-host-01"
#define EACH "{\"programme\": \"bilocation\", \"pairing\": \"hosting\"}"
#define TOP \
    "{\"programme\": \"bilocation\", \"pairing\": \"hosting\", \"id\": \"" LOOKER "\", \"k\": 20}"

static void
setup(void)
{
    rpc_open(&rpc);
    rpc_load_demo(&rpc);
}

static void
teardown(void)
{
    if (view.roster != NULL)
        engine_view_drop(&view);
    rpc_close(&rpc);
}

TestSuite(left_texts, .init = setup, .fini = teardown);

static const struct facts *
facts_of(const char *id)
{
    uint32_t row = roster_find(view.roster, str_from(id));

    cr_assert_neq(row, ROSTER_NO_ROW, "%s", id);
    return roster_facts(view.roster, row);
}

/* Of the engine as it is now. */
static void
look(void)
{
    if (view.roster != NULL)
        engine_view_drop(&view);
    engine_view_hold(rpc.engine, &view);
}

static void
reopen_and_look(void)
{
    if (view.roster != NULL)
        engine_view_drop(&view);
    rpc_reopen(&rpc);
    look();
}

static uint32_t
n_left(void)
{
    uint32_t n = 0;

    for (uint32_t row = 0; row < roster_rows(view.roster); row++) {
        const struct facts *facts = roster_facts(view.roster, row);

        n += facts != NULL && !facts_have_text(facts);
    }
    return n;
}

static uint64_t
digest_of_text(const struct facts *facts)
{
    struct err err = {0};
    struct text_vector text;
    struct digest digest;
    uint64_t value;

    cr_assert_eq(facts_need_text(facts, &err), ERR_OK, "%s", err.message);
    text = facts_text(facts);
    digest = digest_of(text.terms, text.n * (sizeof *text.terms + sizeof *text.weights));
    memcpy(&value, digest.bytes, sizeof value);
    return value;
}

Test(left_texts, a_start_leaves_all_and_a_match_asks_for_those_that_it_needs)
{
    const msgpack_object *before = rpc_ok(&rpc, "match.top", TOP), *after;
    const char *const plain =
        "{\"programme\": \"bilocation\", \"pairing\": \"hosting\", \"from\": \"" LOOKER
        "\", \"to\": \"" HOST "\", \"lang\": \"fr\"}";
    const msgpack_object *why = rpc_ok(&rpc, "match.explain", plain);
    int64_t bytes;
    uint32_t all;

    cr_expect_gt(value_size(rpc_at(before, "matches")), 2);
    look();
    cr_expect_eq(n_left(), 0, "whoever is put brings its text");
    reopen_and_look();
    all = n_left();
    cr_expect_gt(all, 20);
    bytes = rpc_int(rpc_ok(&rpc, "system.stats", "{}"), "index.bytes");
    cr_expect_eq(value_equal(why, rpc_ok(&rpc, "match.explain", plain)), true);
    cr_expect_eq(n_left(), all - 2, "a pair");
    after = rpc_ok(&rpc, "match.top", TOP);
    cr_expect(value_equal(rpc_at(before, "matches"), rpc_at(after, "matches")));
    cr_expect_lt(n_left(), all - 2);
    cr_expect_gt(rpc_int(rpc_ok(&rpc, "system.stats", "{}"), "index.bytes"), bytes);
    rpc_ok(&rpc, "match.each", EACH);
    reopen_and_look();
    cr_expect_eq(n_left(), all, "nothing was written of it");
}

/* Each of these takes facts out of the roster, of one profile or of all, and then another text stands in the store,
 * or none. A view that was held before still shows what was. */
static const struct {
    const char *name, *method, *json;
    bool leaves_all;
} changes[] = {
    {"changed", "profile.patch",
     "{\"id\": \"" LOOKER "\", \"changes\": {\"description\": {\"en\": \"Something else.\"}}}",
     false},
    {"deleted", "profile.delete", "{\"id\": \"" LOOKER "\"}", false},
    {"erased", "profile.delete", "{\"id\": \"" LOOKER "\", \"erase\": true}", true},
    {"merged", "profile.merge", "{\"keep\": \"demo-startup-002\", \"drop\": \"" LOOKER "\"}", true},
};

Test(left_texts, who_leaves_the_roster_keeps_its_text)
{
    uint64_t was;
    uint32_t all;

    look();
    was = digest_of_text(facts_of(LOOKER));
    for (size_t i = 0; i < sizeof changes / sizeof changes[0]; i++) {
        engine_view_drop(&view);
        rpc_close(&rpc);
        setup();
        rpc_ok(&rpc, "outcome.put",
               "{\"from\": \"" LOOKER "\", \"to\": \"" HOST
               "\", \"kind\": \"hosted\", \"at\": \"2026-03-02\"}");
        reopen_and_look();
        all = n_left();
        rpc_ok(&rpc, changes[i].method, changes[i].json);
        cr_expect(facts_have_text(facts_of(LOOKER)), "%s", changes[i].name);
        cr_expect_eq(digest_of_text(facts_of(LOOKER)), was, "%s", changes[i].name);
        if (changes[i].leaves_all)
            cr_expect_eq(n_left(), 0, "%s", changes[i].name);
        else
            cr_expect_eq(n_left(), all - 1, "%s", changes[i].name);
        for (uint32_t row = 0; row < roster_rows(view.roster); row++)
            digest_of_text(roster_facts(view.roster, row));
        rpc_ok(&rpc, "match.each", EACH);
    }
}

/* ---- stores that hold less ---- */

static void
drop_table(const char *dir, const char *name, bool is_left_empty)
{
    MDB_env *env;
    MDB_txn *txn;
    MDB_dbi dbi;

    cr_assert_eq(mdb_env_create(&env), 0);
    cr_assert_eq(mdb_env_set_maxdbs(env, 16), 0);
    cr_assert_eq(mdb_env_open(env, dir, 0, 0600), 0);
    cr_assert_eq(mdb_txn_begin(env, NULL, 0, &txn), 0);
    cr_assert_eq(mdb_dbi_open(txn, name, 0, &dbi), 0);
    cr_assert_eq(mdb_drop(txn, dbi, is_left_empty ? 0 : 1), 0);
    cr_assert_eq(mdb_txn_commit(txn), 0);
    mdb_env_close(env);
}

static void
drop_outlines(const char *dir)
{
    drop_table(dir, "outlines", false);
}

static void
drop_vectors(const char *dir)
{
    drop_table(dir, "vectors", true);
}

Test(left_texts, a_store_of_an_older_release_has_its_texts_outlined_at_its_first_start)
{
    const msgpack_object *before = rpc_ok(&rpc, "match.top", TOP);
    uint64_t was;

    look();
    was = digest_of_text(facts_of(HOST));
    engine_view_drop(&view);
    rpc_reopen_after(&rpc, drop_outlines);
    look();
    cr_expect_eq(n_left(), 0, "all were read");
    cr_expect_eq(digest_of_text(facts_of(HOST)), was);
    cr_expect(
        value_equal(rpc_at(before, "matches"), rpc_at(rpc_ok(&rpc, "match.top", TOP), "matches")));
    reopen_and_look();
    cr_expect_gt(n_left(), 20, "and outlines were kept");
    cr_expect(
        value_equal(rpc_at(before, "matches"), rpc_at(rpc_ok(&rpc, "match.top", TOP), "matches")));
}

/* ---- the text of a profile is made of its record, or of its texts, or it is made anew ---- */

struct older {
    struct digest lexicon;
    struct str id;
    uint64_t made_of;
};

/* One term of a weight that no text gives it, so that it is known again. */
static enum err_code
put_older(struct store_txn *txn, void *context, struct err *err)
{
    const struct older *older = context;

    return store_vector_put(txn, &older->lexicon, older->id, older->made_of,
                            (struct str){"\1\0\0\0\7\0\0\0\11\0", 10}, STR_LIT(""), err);
}

static uint32_t
terms_of_older(uint64_t made_of)
{
    struct older older = {.id = STR_LIT("a"), .made_of = made_of};

    look();
    older.lexicon = view.lexicon->digest;
    engine_view_drop(&view);
    cr_assert_eq(store_write(engine_store(rpc.engine), put_older, &older, NULL), ERR_OK);
    rpc_reopen_after(&rpc, drop_outlines);
    look();
    return facts_of("a")->text.n;
}

/* As older releases named what a vector was made of. */
static uint64_t
digest_of_texts(const char *lang, const char *text)
{
    struct digest_state state;
    struct digest digest;
    uint64_t value = 0;

    digest_begin(&state);
    digest_add_str(&state, str_from(lang));
    digest_add_str(&state, str_from(text));
    digest = digest_end(&state);
    for (int i = 0; i < 8; i++)
        value = value << 8 | digest.bytes[i];
    return value;
}

Test(left_texts, a_vector_without_an_outline_counts_if_it_was_made_of_what_the_profile_says)
{
    int64_t seq = rpc_int(rpc_ok(&rpc, "profile.put",
                                 "{\"profile\": {\"id\": \"a\", \"kind\": \"startup\", "
                                 "\"name\": \"A\", \"description\": {\"en\": \"robots for "
                                 "hospitals and schools\"}}}"),
                          "seq");
    uint32_t made = terms_of_older((uint64_t)seq + 1); /* of another record: made anew */

    cr_expect_gt(made, 1);
    cr_expect_eq(terms_of_older((uint64_t)seq), 1, "that of this record is believed");
    cr_expect_eq(terms_of_older(digest_of_texts("en", "robots for hospitals and schools")), 1,
                 "so is one of these texts");
    cr_expect_eq(terms_of_older(digest_of_texts("en", "robots for hospitals")), made);
    reopen_and_look();
    cr_expect_eq(facts_of("a")->text.n, made);
    cr_expect_not(facts_have_text(facts_of("a")), "and it is outlined by now");
}

/* Nothing that the service does leads to this: a hand in the file does. */
Test(left_texts, a_text_that_the_store_has_lost_fails_the_match_that_needs_it)
{
    rpc_reopen_after(&rpc, drop_vectors);
    look();
    rpc_fails(&rpc, "match.top", TOP, ERR_INTERNAL, NULL);
    cr_expect_not_null(strstr(rpc.err.message, LOOKER), "%s", rpc.err.message);
    rpc_fails(&rpc, "match.each", EACH, ERR_INTERNAL, NULL);
    rpc_fails(&rpc, "match.explain",
              "{\"programme\": \"bilocation\", \"pairing\": \"hosting\", \"from\": \"" LOOKER
              "\", \"to\": \"" HOST "\"}",
              ERR_INTERNAL, NULL);
    rpc_ok(&rpc, "profile.get", "{\"id\": \"" LOOKER "\"}");
}

/* Wherever memory ends, in the reading of a text too, the match is made or says so. */
Test(left_texts, a_text_that_there_is_no_memory_for_fails_the_match_and_is_had_next_time)
{
    const msgpack_object *whole = rpc_at(rpc_ok(&rpc, "match.top", TOP), "matches");
    bool has_failed = true;
    long at;

    for (at = 1; has_failed; at += 1 + at / 16) { /* more at the beginning */
        const msgpack_object *answer;

        rpc_reopen(&rpc);
        rpc.fail_at = at;
        answer = rpc_call(&rpc, "match.top", TOP);
        has_failed = rpc.has_failed;
        rpc.fail_at = 0;
        if (answer == NULL) {
            cr_assert_eq(rpc.err.code, ERR_BUSY, "%ld: %s", at, rpc.err.message);
            answer = rpc_ok(&rpc, "match.top", TOP);
        }
        cr_assert(value_equal(rpc_at(answer, "matches"), whole), "%ld", at);
    }
    cr_expect_gt(at, 20);
}

/* ---- backups ---- */

Test(left_texts, a_backup_of_an_older_release_is_restored)
{
    char source[128], to[128];
    struct store_restoring restoring = {
        .source = source, .dir = to, .clock = &rpc.clock, .actor = STR_LIT("test")};
    struct store_restored restored;
    struct err err = {0};

    rpc_ok(&rpc, "backup.create", "{\"name\": \"older\"}");
    snprintf(source, sizeof source, "%s/backups/older", rpc.dir);
    snprintf(to, sizeof to, "%s/again", rpc.dir);
    drop_outlines(source);
    cr_assert_eq(store_restore(&restoring, &restored, &err), ERR_OK, "%s", err.message);
}
