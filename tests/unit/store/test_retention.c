/* What is kept for a time only. */
#include "store_fixture.h"

#include <criterion/criterion.h>

#include <stdio.h>
#include <string.h>

enum { DAY_MS = 24 * 3600 * 1000, VERSIONS = 7, WRITES_MOST = 2000 };

static struct fixture fixture;

static void
setup(void)
{
    fixture_open(&fixture);
}

static void
teardown(void)
{
    fixture_close(&fixture);
}

TestSuite(retention, .init = setup, .fini = teardown);

static void
reopen(uint64_t keep_versions, uint32_t keep_journal_days)
{
    struct store_options options = {.dir = fixture.dir,
                                    .clock = &fixture.clock,
                                    .keep_versions = keep_versions,
                                    .keep_journal_days = keep_journal_days};
    struct err err = {0};

    store_close(fixture.store);
    cr_assert_eq(store_open(&options, &fixture.store, &err), ERR_OK, "%s", err.message);
}

static size_t
versions_with_content(const char *id, size_t *n_lines)
{
    struct version_record version;
    struct store_walk *walk;
    struct store_read *read;
    struct err err = {0};
    size_t n = 0;

    *n_lines = 0;
    cr_assert_eq(store_read_begin(fixture.store, &read, &err), ERR_OK);
    cr_assert_eq(store_walk_versions(read, str_from(id), 0, &walk, &err), ERR_OK);
    while (store_walk_next_version(walk, &version, &err)) {
        n += version.has_record;
        ++*n_lines;
    }
    store_walk_end(walk);
    store_read_end(read);
    return n;
}

static struct journal_verdict
verify(void)
{
    struct journal_verdict verdict;
    struct store_read *read;
    struct err err = {0};

    cr_assert_eq(store_read_begin(fixture.store, &read, &err), ERR_OK);
    cr_assert_eq(store_journal_verify(read, 0, &verdict, &err), ERR_OK);
    store_read_end(read);
    return verdict;
}

static enum err_code
run_nothing(struct store_txn *txn, void *context, struct err *err)
{
    (void)txn, (void)context, (void)err;
    return ERR_OK;
}

/* A step comes after each group of writes at the latest. */
static void
let_it_sweep(void)
{
    struct err err = {0};

    for (int i = 0; i < 20; i++)
        cr_assert_eq(store_write(fixture.store, run_nothing, NULL, &err), ERR_OK);
}

static void
put_versions(const char *id)
{
    char name[32];

    for (int i = 0; i < VERSIONS; i++) {
        snprintf(name, sizeof name, "%s-%d", id, i);
        put_profile(&fixture, id, name);
    }
}

Test(retention, everything_is_kept_unless_asked_otherwise)
{
    size_t n_lines;

    put_versions("a");
    fixture.clock.fixed_wall_ms += INT64_C(10000) * DAY_MS;
    reopen(0, 0);
    let_it_sweep();
    cr_expect_eq(versions_with_content("a", &n_lines), VERSIONS);
    cr_expect_eq(verify().n_redacted, 0);
}

Test(retention, the_newest_old_versions_are_kept_and_the_history_keeps_its_lines)
{
    size_t n_lines;

    put_versions("a");
    put_versions("ab");
    put_profile(&fixture, "b", "alone");
    put_versions("c");
    delete_profile(&fixture, "c");
    reopen(2, 0);
    let_it_sweep();
    cr_expect_eq(versions_with_content("a", &n_lines), 3, "two old ones and the current");
    cr_expect_eq(n_lines, VERSIONS);
    cr_expect_eq(versions_with_content("ab", &n_lines), 3);
    cr_expect_eq(versions_with_content("b", &n_lines), 1);
    cr_expect_eq(versions_with_content("c", &n_lines), 2, "of a deleted one too");
    cr_expect_eq(n_lines, VERSIONS + 1);
    cr_expect_str_eq(profile_name(&fixture, "a"), "a-6");
    cr_expect_eq(put_profile(&fixture, "a", "next"), VERSIONS + 1);
    cr_expect_eq(verify().broken_at, 0);
}

Test(retention, many_are_swept_in_steps_between_writes)
{
    size_t n_lines, n = 0;

    for (int i = 0; i < 300; i++)
        put_profile(&fixture, "a", i % 2 ? "x" : "y");
    reopen(1, 0);
    for (int i = 0; i < WRITES_MOST && n != 2; i++) {
        struct err err = {0};

        cr_assert_eq(store_write(fixture.store, run_nothing, NULL, &err), ERR_OK);
        n = versions_with_content("a", &n_lines);
    }
    cr_expect_eq(n, 2);
}

static enum err_code
add_entry(struct store_txn *txn, void *context, struct err *err)
{
    struct journal_entry entry = {.actor = STR_LIT("officer test"),
                                  .method = STR_LIT("outcome.put"),
                                  .subject = STR_LIT("x"),
                                  .what = STR_LIT("\x81\xa4note\xa4long")};
    uint64_t seq;

    (void)context;
    return store_journal_add(txn, &entry, &seq, err);
}

Test(retention, old_entries_lose_their_details_and_the_chain_holds)
{
    struct journal_record record;
    struct journal_verdict verdict;
    struct digest before;
    struct store_read *read;
    struct err err = {0};

    cr_assert_eq(store_write(fixture.store, add_entry, NULL, &err), ERR_OK);
    before = verify().head;
    fixture.clock.fixed_wall_ms += INT64_C(31) * DAY_MS;
    cr_assert_eq(store_write(fixture.store, add_entry, NULL, &err), ERR_OK);
    reopen(0, 30);
    let_it_sweep();
    verdict = verify();
    cr_expect_eq(verdict.broken_at, 0);
    cr_expect_eq(verdict.n, 3, "the two, and the one that says which lost its details");
    cr_expect_eq(verdict.n_erased + verdict.n_unproved, 0);
    cr_expect_eq(verdict.n_redacted, 1, "the younger one keeps its details");
    cr_assert_eq(store_read_begin(fixture.store, &read, &err), ERR_OK);
    cr_assert_eq(store_journal_get(read, 1, &record, &err), ERR_OK);
    cr_expect(record.is_redacted);
    cr_expect(digest_equal(&record.digest, &before), "the digest is of what it was");
    cr_expect(str_is(record.subject, "x"));
    cr_expect_null(memmem(record.what.data, record.what.len, "long", 4));
    store_read_end(read);
    reopen(0, 30);
    let_it_sweep();
    cr_expect_eq(verify().broken_at, 0);
}
