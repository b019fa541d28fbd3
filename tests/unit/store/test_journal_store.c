#include "kv.h"
#include "store_fixture.h"

#include <criterion/criterion.h>

#include <string.h>

static struct fixture fixture;

static void
setup(void)
{
    fixture_open(&fixture);
    for (int i = 0; i < 5; i++)
        put_profile(&fixture, "a", i % 2 ? "x" : "y");
}

static void
teardown(void)
{
    fixture_close(&fixture);
}

TestSuite(journal_store, .init = setup, .fini = teardown);

static uint64_t
verify(uint64_t from, uint64_t *n)
{
    struct store_read *read;
    struct journal_verdict verdict;
    struct err err = {0};

    cr_assert_eq(store_read_begin(fixture.store, &read, &err), ERR_OK);
    cr_assert_eq(store_journal_verify(read, from, &verdict, &err), ERR_OK, "%s", err.message);
    store_read_end(read);
    *n = verdict.n;
    return verdict.broken_at;
}

Test(journal_store, the_chain_holds_from_any_entry_on)
{
    uint64_t n;

    for (uint64_t from = 0; from <= 5; from++) {
        cr_expect_eq(verify(from, &n), 0, "from %d", (int)from);
        cr_expect_eq(n, from <= 1 ? 5 : 6 - from);
    }
}

struct tamper {
    uint64_t seq;
    bool deletes;
    const char *actor;
};

/* Writes an entry anew with a right checksum but a wrong place in the chain, as an intruder would. */
static enum err_code
run_tamper(struct store_txn *txn, void *context, struct err *err)
{
    const struct tamper *tamper = context;
    struct key key = key_of_seq(tamper->seq);
    struct journal_record record;
    enum err_code code;

    if (tamper->deletes)
        return kv_delete(txn, TABLE_JOURNAL, key_str(&key), err);
    code = store_journal_get(store_txn_read(txn), tamper->seq, &record, err);
    if (code != ERR_OK)
        return code;
    record_begin(&txn->scratch);
    record_put_u64(&txn->scratch, (uint64_t)record.at);
    record_put_str(&txn->scratch, str_from(tamper->actor));
    record_put_str(&txn->scratch, STR_LIT("profile.put"));
    record_put_str(&txn->scratch, STR_LIT("a"));
    record_put_str(&txn->scratch, STR_LIT("\x80"));
    record_put_str(&txn->scratch, (struct str){(char *)record.previous.bytes, DIGEST_BYTES});
    record_put_str(&txn->scratch, (struct str){(char *)record.digest.bytes, DIGEST_BYTES});
    return kv_put(txn, TABLE_JOURNAL, key_str(&key), err);
}

Test(journal_store, an_altered_entry_shows)
{
    struct tamper tamper = {3, false, "officer somebody-else"};
    struct err err = {0};
    uint64_t n;

    cr_assert_eq(store_write(fixture.store, run_tamper, &tamper, &err), ERR_OK, "%s", err.message);
    cr_expect_eq(verify(0, &n), 3);
}

Test(journal_store, an_entry_written_again_as_it_was_does_not)
{
    struct tamper tamper = {3, false, "officer test"};
    struct err err = {0};
    uint64_t n;

    cr_assert_eq(store_write(fixture.store, run_tamper, &tamper, &err), ERR_OK);
    cr_expect_eq(verify(0, &n), 0);
}

Test(journal_store, a_missing_entry_shows)
{
    struct tamper tamper = {3, true, NULL};
    struct err err = {0};
    uint64_t n;

    cr_assert_eq(store_write(fixture.store, run_tamper, &tamper, &err), ERR_OK);
    cr_expect_eq(verify(0, &n), 3);
    cr_expect_eq(verify(4, &n), 3, "the entry before the first one asked for is gone");
}

Test(journal_store, numbers_go_on_after_reopening)
{
    uint64_t n;

    fixture_reopen(&fixture);
    put_profile(&fixture, "b", "z");
    cr_expect_eq(newest_seq(&fixture), 6);
    cr_expect_eq(verify(0, &n), 0);
}
