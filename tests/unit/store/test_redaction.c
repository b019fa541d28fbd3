/* Which entries may be without their content, and that each other one is named. */
#include "alloc.h"
#include "erase.h"
#include "redaction.h"
#include "store_fixture.h"
#include "value.h"

#include <criterion/criterion.h>

#include <string.h>

enum { DAY_MS = 24 * 3600 * 1000, N_MOST = 5000 };

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

TestSuite(redaction, .init = setup, .fini = teardown);

/* ---- what is done to the store ---- */

static void
write_with(enum err_code (*run)(struct store_txn *txn, void *context, struct err *err),
           void *context)
{
    struct err err = {0};

    cr_assert_eq(store_write(fixture.store, run, context, &err), ERR_OK, "%s", err.message);
}

static enum err_code
run_erase(struct store_txn *txn, void *context, struct err *err)
{
    struct profile_erasure *erasure = context;

    return store_profile_erase(txn, erasure, err);
}

/* The seq of the erasure's own entry. */
static uint64_t
erase(const char *id)
{
    struct profile_erasure erasure = {
        .id = str_from(id), .actor = STR_LIT("admin test"), .method = STR_LIT("profile.delete")};

    write_with(run_erase, &erasure);
    return erasure.seq;
}

static enum err_code
run_add(struct store_txn *txn, void *context, struct err *err)
{
    struct journal_entry *entry = context;
    uint64_t seq;

    return store_journal_add(txn, entry, &seq, err);
}

/* An entry about `subject` that names `other`. */
static void
add_entry(const char *subject, const char *other)
{
    struct journal_entry entry = {.actor = STR_LIT("officer test"),
                                  .method = STR_LIT("outcome.put"),
                                  .subject = str_from(subject)};
    struct buf what;

    buf_init(&what, 1024);
    pack_map(&what, 1);
    pack_key_text(&what, "to", other);
    entry.what = buf_str(&what);
    write_with(run_add, &entry);
    buf_fini(&what);
}

static void
let_it_sweep(uint32_t keep_journal_days)
{
    struct store_options options = {
        .dir = fixture.dir, .clock = &fixture.clock, .keep_journal_days = keep_journal_days};
    struct err err = {0};

    store_close(fixture.store);
    fixture.store = NULL;
    cr_assert_eq(store_open(&options, &fixture.store, &err), ERR_OK, "%s", err.message);
    for (int i = 0; i < 20; i++)
        put_profile(&fixture, "sweeper", "x");
}

/* ---- what is done to it by hand: right checksums, and the chain's links as they were ---- */

struct forgery {
    uint64_t seq;
    const char *subject;                  /* NULL: as it was */
    struct str what;                      /* empty: as it was */
    const struct journal_record *instead; /* the whole entry, as it was once */
};

static enum err_code
run_forgery(struct store_txn *txn, void *context, struct err *err)
{
    const struct forgery *forgery = context;
    struct key key = key_of_seq(forgery->seq);
    struct journal_record record;
    enum err_code code = store_journal_get(store_txn_read(txn), forgery->seq, &record, err);

    if (code != ERR_OK)
        return code;
    record.is_redacted = true;
    if (forgery->instead != NULL)
        record = *forgery->instead;
    if (forgery->subject != NULL)
        record.subject = str_from(forgery->subject);
    if (forgery->what.len > 0)
        record.what = forgery->what;
    record_begin(&txn->scratch);
    record_put_u64(&txn->scratch, (uint64_t)record.at);
    record_put_str(&txn->scratch, record.actor);
    record_put_str(&txn->scratch, record.method);
    record_put_str(&txn->scratch, record.subject);
    record_put_str(&txn->scratch, record.what);
    record_put_str(&txn->scratch, (struct str){(char *)record.previous.bytes, DIGEST_BYTES});
    record_put_str(&txn->scratch, (struct str){(char *)record.digest.bytes, DIGEST_BYTES});
    if (record.is_redacted)
        record_put_u64(&txn->scratch, 1);
    return kv_put(txn, TABLE_JOURNAL, key_str(&key), err);
}

static void
forge(struct forgery forgery)
{
    write_with(run_forgery, &forgery);
}

/* {key: by, "salt": …}, as redaction.c writes it; in the fixture's arena. */
static struct str
said(const char *key, uint64_t by, const char *salt)
{
    struct buf what;
    struct str copy;

    buf_init(&what, 1024);
    pack_map(&what, salt != NULL ? 2 : 1);
    pack_key_int(&what, key, (int64_t)by);
    if (salt != NULL)
        pack_key_text(&what, "salt", salt);
    copy = arena_str(fixture.arena, buf_str(&what));
    buf_fini(&what);
    return copy;
}

static void
copy_entry(uint64_t seq, struct journal_record *out)
{
    struct store_read *read;
    struct err err = {0};

    cr_assert_eq(store_read_begin(fixture.store, &read, &err), ERR_OK);
    cr_assert_eq(store_journal_get(read, seq, out, &err), ERR_OK);
    out->actor = arena_str(fixture.arena, out->actor);
    out->method = arena_str(fixture.arena, out->method);
    out->subject = arena_str(fixture.arena, out->subject);
    out->what = arena_str(fixture.arena, out->what);
    store_read_end(read);
}

/* ---- what is said of it ---- */

static struct journal_verdict
verify_from(uint64_t from)
{
    struct journal_verdict verdict;
    struct store_read *read;
    struct err err = {0};

    cr_assert_eq(store_read_begin(fixture.store, &read, &err), ERR_OK);
    cr_assert_eq(store_journal_verify(read, from, &verdict, &err), ERR_OK, "%s", err.message);
    store_read_end(read);
    return verdict;
}

static void
is_whole(uint64_t n_erased, uint64_t n_expired)
{
    struct journal_verdict verdict = verify_from(0);

    cr_expect_eq(verdict.broken_at, 0, "broken at %d: %s", (int)verdict.broken_at,
                 journal_fault_name(verdict.fault));
    cr_expect_eq(verdict.n_erased, n_erased, "%d erased", (int)verdict.n_erased);
    cr_expect_eq(verdict.n_redacted - verdict.n_erased, n_expired, "%d expired",
                 (int)(verdict.n_redacted - verdict.n_erased));
    cr_expect_eq(verdict.n_unproved, 0, "%d unproved", (int)verdict.n_unproved);
    for (uint64_t from = 1; from <= newest_seq(&fixture); from++)
        cr_expect_eq(verify_from(from).broken_at, 0, "from %d", (int)from);
}

static void
is_faulty(uint64_t seq, enum journal_fault fault, const char *says)
{
    struct journal_verdict verdict = verify_from(0);

    cr_expect(verdict.broken_at == seq && verdict.fault == fault,
              "%s: at %d (%s) instead of %d (%s)", says, (int)verdict.broken_at,
              journal_fault_name(verdict.fault), (int)seq, journal_fault_name(fault));
}

/* ---- lawful ones ---- */

Test(redaction, erasures_explain_what_they_took)
{
    put_profile(&fixture, "a", "x");
    put_profile(&fixture, "b", "x");
    add_entry("b", "a");
    put_profile(&fixture, "a", "y");
    erase("a");
    is_whole(3, 0);
    put_profile(&fixture, "a", "z"); /* the id again, and again erased */
    erase("a");
    is_whole(4, 0);
    fixture_reopen(&fixture);
    is_whole(4, 0);
}

Test(redaction, an_entry_that_two_erasures_took_is_explained_by_both)
{
    struct journal_record record;

    put_profile(&fixture, "a", "x");
    put_profile(&fixture, "b", "x");
    put_profile(&fixture, "c", "x");
    add_entry("b", "a");
    add_entry("b", "c");
    erase("a");
    erase("b");
    erase("c");
    is_whole(5, 0);
    copy_entry(4, &record);
    cr_expect_not_null(memmem(record.what.data, record.what.len, "before", 6));
    cr_expect_eq(strncmp(record.subject.data, "erased-", 7), 0);
}

Test(redaction, the_end_of_their_time_explains_others)
{
    put_profile(&fixture, "a", "x");
    add_entry("a", "b");
    add_entry("b", "a");
    erase("a"); /* 1, 2 and 3 */
    put_profile(&fixture, "b", "x");
    add_entry("b", "c"); /* 6 */
    fixture.clock.fixed_wall_ms += INT64_C(31) * DAY_MS;
    put_profile(&fixture, "c", "x");
    let_it_sweep(30);
    is_whole(3, 1);
    erase("b"); /* 6 once more, and 5, and 3, which the first erasure had left under its name */
    is_whole(5, 0);
    fixture.clock.fixed_wall_ms += INT64_C(100) * DAY_MS;
    let_it_sweep(30);
    cr_expect_eq(verify_from(0).broken_at, 0, "redactors keep what they say");
}

/* ---- unlawful ones ---- */

Test(redaction, an_entry_blanked_by_hand_is_named)
{
    static const char salt[] = "00112233445566778899aabbccddeeff";
    uint64_t erasure;

    put_profile(&fixture, "a", "x");
    put_profile(&fixture, "b", "x");
    add_entry("b", "c"); /* 3 */
    put_profile(&fixture, "a", "y");
    erasure = erase("a"); /* took 1 and 4 */
    put_profile(&fixture, "b", "y");
    is_whole(2, 0);

    const struct {
        const char *says;
        struct str what;
    } cases[] = {
        {"says nothing", STR_LIT("\x80")},
        {"is no value", STR_LIT("\xc1\xc1")},
        {"says what earlier releases said of time", STR_LIT("\x81\xa7"
                                                            "expired\xc3")},
        {"names an erasure that did not take it", said("erased_by", erasure, salt)},
        {"names it without a salt", said("erased_by", erasure, NULL)},
        {"names it as the end of its time", said("expired_by", erasure, salt)},
        {"names an ordinary entry", said("erased_by", erasure + 1, salt)},
        {"names an entry that is not there", said("erased_by", 99, salt)},
        {"names itself", said("erased_by", 3, salt)},
        {"names an entry before it", said("expired_by", 1, salt)},
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        forge((struct forgery){.seq = 3, .what = cases[i].what});
        is_faulty(3, JOURNAL_FAULT_UNEXPLAINED, cases[i].says);
        cr_expect_eq(verify_from(3).broken_at, 3, "%s", cases[i].says);
    }
}

Test(redaction, an_entry_with_its_content_back_is_named)
{
    struct journal_record record;

    put_profile(&fixture, "a", "x");
    add_entry("a", "b");
    copy_entry(2, &record);
    put_profile(&fixture, "a", "y");
    erase("a");
    forge((struct forgery){.seq = 2, .instead = &record});
    is_faulty(2, JOURNAL_FAULT_RETURNED, "in the middle of what was taken");
    copy_entry(1, &record);
}

Test(redaction, the_last_one_with_its_content_back_is_named)
{
    struct journal_record record;

    put_profile(&fixture, "a", "x");
    copy_entry(1, &record);
    erase("a");
    put_profile(&fixture, "b", "x");
    forge((struct forgery){.seq = 1, .instead = &record});
    is_faulty(1, JOURNAL_FAULT_RETURNED, "nothing of what was taken is gone");
}

Test(redaction, what_was_left_cannot_be_altered)
{
    uint64_t erasure;

    put_profile(&fixture, "b", "x");
    add_entry("b", "a");
    put_profile(&fixture, "a", "x");
    erasure = erase("a");
    is_whole(2, 0);
    forge((struct forgery){.seq = 2, .subject = "c"});
    is_faulty(erasure, JOURNAL_FAULT_ALTERED, "another subject");
}

Test(redaction, a_redactor_cannot_be_blanked_itself)
{
    uint64_t erasure;

    put_profile(&fixture, "a", "x");
    erasure = erase("a");
    put_profile(&fixture, "b", "x");
    forge((struct forgery){.seq = erasure, .what = STR_LIT("\x80")});
    is_faulty(1, JOURNAL_FAULT_UNEXPLAINED, "its redactor is blank");
}

Test(redaction, a_redactor_cannot_take_more_afterwards)
{
    struct journal_record record;
    uint64_t erasure;

    put_profile(&fixture, "a", "x");
    put_profile(&fixture, "b", "x");
    erasure = erase("a");
    copy_entry(erasure, &record);
    record.what = STR_LIT("\x82\xa5"
                          "erase\xc3\xa7"
                          "entries\x02");
    forge((struct forgery){.seq = erasure, .instead = &record});
    forge((struct forgery){.seq = 2, .what = said("erased_by", erasure, NULL)});
    cr_expect_eq(verify_from(0).broken_at, 1, "its list of before names 1 with a salt");
    forge((struct forgery){.seq = 1, .what = said("erased_by", erasure, NULL)});
    is_faulty(erasure, JOURNAL_FAULT_CHAIN, "the chain went through what it said");
}

static enum err_code
run_unlisted(struct store_txn *txn, void *context, struct err *err)
{
    struct redaction redaction;
    struct str none = {NULL, 0};
    uint64_t *seq = context;
    enum err_code code = redaction_begin(&redaction, txn, REDACTION_ERASE, err);

    if (code != ERR_OK)
        return code;
    code = redaction_take(&redaction, 1, none, none, err);
    if (code == ERR_OK)
        code = redaction_end(&redaction, STR_LIT("admin test"), STR_LIT("profile.delete"),
                             STR_LIT("erased-0011223344556677"), seq, err);
    redaction_fini(&redaction);
    return code;
}

Test(redaction, an_erasure_that_the_ledger_does_not_know_is_named)
{
    uint64_t seq;

    put_profile(&fixture, "a", "x");
    put_profile(&fixture, "b", "x");
    erase("b");
    write_with(run_unlisted, &seq);
    is_faulty(seq, JOURNAL_FAULT_UNLISTED, "a right redactor and no row");
}

/* ---- what earlier releases wrote ---- */

Test(redaction, erasures_of_earlier_releases_are_counted_and_told_apart)
{
    struct journal_entry entry = {.actor = STR_LIT("admin test"),
                                  .method = STR_LIT("profile.delete"),
                                  .subject = STR_LIT("erased-0011223344556677"),
                                  .what = STR_LIT("\x82\xa5"
                                                  "erase\xc3\xa7"
                                                  "entries\x02")};
    struct journal_verdict verdict;

    for (int i = 0; i < 4; i++)
        put_profile(&fixture, "a", i % 2 ? "x" : "y");
    write_with(run_add, &entry); /* 5 */
    forge((struct forgery){.seq = 1, .what = said("erased_by", 5, NULL)});
    forge((struct forgery){.seq = 3, .what = said("erased_by", 5, NULL)});
    verdict = verify_from(0);
    cr_expect_eq(verdict.broken_at, 0);
    cr_expect_eq(verdict.n_unproved, 2);
    forge((struct forgery){.seq = 4, .what = said("erased_by", 5, NULL)});
    is_faulty(4, JOURNAL_FAULT_UNEXPLAINED, "one more than it said");
}

Test(redaction, a_sweep_accounts_for_what_earlier_releases_swept)
{
    put_profile(&fixture, "a", "x");
    add_entry("a", "b");
    forge((struct forgery){.seq = 2,
                           .what = STR_LIT("\x81\xa7"
                                           "expired\xc3")});
    is_faulty(2, JOURNAL_FAULT_UNEXPLAINED, "before");
    fixture.clock.fixed_wall_ms += INT64_C(31) * DAY_MS;
    let_it_sweep(30);
    is_whole(0, 1);
}

/* ---- memory ---- */

Test(redaction, a_proof_without_memory_is_an_error_and_no_verdict)
{
    struct store_read *read;
    struct err err = {0};
    bool happened = true;

    put_profile(&fixture, "a", "x");
    put_profile(&fixture, "b", "x");
    add_entry("b", "a");
    erase("a");
    erase("b");
    cr_assert_eq(store_read_begin(fixture.store, &read, &err), ERR_OK);
    for (long n = 1; happened && n < N_MOST; n++) {
        struct journal_verdict verdict;
        enum err_code code;

        err = (struct err){0};
        mem_fail_at(n);
        code = store_journal_verify(read, 0, &verdict, &err);
        happened = mem_fail_happened();
        cr_expect_eq(code, happened ? ERR_BUSY : ERR_OK, "n=%ld: %s", n, err.message);
        cr_expect_eq(verdict.broken_at, 0, "n=%ld: an innocent entry is named", n);
    }
    cr_expect_not(happened);
    store_read_end(read);
}
