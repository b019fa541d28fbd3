#include "store_fixture.h"

#include <criterion/criterion.h>

#include <stdio.h>
#include <string.h>

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

TestSuite(kept_store, .init = setup, .fini = teardown);

static enum err_code
run_fill(struct store_txn *txn, void *context, struct err *err)
{
    struct digest lexicons[2] = {digest_of("one", 3), digest_of("two", 3)};
    struct digest blob = digest_of("file", 4);
    enum err_code code = ERR_OK;
    char id[16];

    (void)context;
    for (int i = 0; i < 20 && code == ERR_OK; i++) {
        snprintf(id, sizeof id, "p%02d", i);
        code = store_vector_put(txn, &lexicons[i % 2], str_from(id), (uint64_t)i,
                                str_from("vector"), str_from("outline"), err);
    }
    if (code == ERR_OK)
        code = store_blob_put(txn, &blob, STR_LIT("file"), err);
    if (code == ERR_OK)
        code = store_blob_put(txn, &blob, STR_LIT("file"), err); /* once more is nothing new */
    if (code == ERR_OK)
        code = store_setting_put(txn, "name", STR_LIT("old"), err);
    if (code == ERR_OK)
        code = store_setting_put(txn, "name", STR_LIT("new"), err);
    if (code == ERR_OK)
        code = store_outcome_put(txn, 7, STR_LIT("\x80"), err);
    return code;
}

static enum err_code
run_prune(struct store_txn *txn, void *context, struct err *err)
{
    struct digest keep = digest_of("two", 3);

    return store_vectors_prune(txn, &keep, 6, context, err);
}

Test(kept_store, vectors_blobs_settings_and_outcomes_are_kept)
{
    struct digest lexicon = digest_of("two", 3), blob = digest_of("file", 4);
    struct outcome_record outcome;
    struct store_walk *walk;
    struct store_read *read;
    struct err err = {0};
    uint64_t made_of;
    struct str bytes;

    cr_assert_eq(store_write(fixture.store, run_fill, NULL, &err), ERR_OK, "%s", err.message);
    fixture_reopen(&fixture);
    cr_assert_eq(store_read_begin(fixture.store, &read, &err), ERR_OK);
    cr_expect_eq(store_vector_get(read, &lexicon, STR_LIT("p01"), &made_of, &bytes, &err), ERR_OK);
    cr_expect_eq(made_of, 1);
    cr_expect(str_is(bytes, "vector"));
    cr_expect_eq(store_vector_get(read, &lexicon, STR_LIT("p02"), &made_of, &bytes, &err),
                 ERR_NOT_FOUND, "it belongs to the other lexicon");
    cr_expect_eq(store_blob_get(read, &blob, &bytes, &err), ERR_OK);
    cr_expect(str_is(bytes, "file"));
    cr_expect_eq(store_setting_get(read, "name", &bytes, &err), ERR_OK);
    cr_expect(str_is(bytes, "new"));
    cr_expect_eq(store_setting_get(read, "none", &bytes, &err), ERR_NOT_FOUND);
    cr_assert_eq(store_walk_outcomes(read, 0, &walk, &err), ERR_OK);
    cr_expect(store_walk_next_outcome(walk, &outcome, &err));
    cr_expect_eq(outcome.seq, 7);
    cr_expect_not(store_walk_next_outcome(walk, &outcome, &err));
    store_walk_end(walk);
    store_read_end(read);
}

Test(kept_store, vectors_of_another_lexicon_are_pruned_in_steps)
{
    struct store_sizes sizes;
    struct err err = {0};
    bool left;

    cr_assert_eq(store_write(fixture.store, run_fill, NULL, &err), ERR_OK);
    for (int i = 0; i < 4; i++) { /* ten vectors and their outlines, six at a time */
        cr_assert_eq(store_write(fixture.store, run_prune, &left, &err), ERR_OK, "%s", err.message);
        cr_expect_eq(left, i < 3);
    }
    cr_assert_eq(store_sizes(fixture.store, &sizes, &err), ERR_OK);
    cr_expect_eq(sizes.vectors, 10);
    cr_expect_eq(sizes.blobs, 1);
}

/* ---- profiles beside their vectors' outlines ---- */

static enum err_code
run_vectors(struct store_txn *txn, void *context, struct err *err)
{
    static const char *const ids[] = {"a", "a.b", "c", "gone", "z"};
    struct digest lexicon = digest_of("two", 3), other = digest_of("one", 3);
    enum err_code code = ERR_OK;

    (void)context;
    for (uint64_t i = 0; i < 5 && code == ERR_OK; i++)
        code = store_vector_put(txn, i == 2 ? &other : &lexicon, str_from(ids[i]), i,
                                str_from("vector"), str_from(ids[i]), err);
    return code;
}

Test(kept_store, profiles_are_walked_beside_the_outlines_of_their_texts)
{
    static const struct {
        const char *id;
        bool has_outline;
    } expected[] = {{"a", true}, {"a.b", true}, {"b", false}, {"c", false}, {"z", true}};
    struct digest lexicon = digest_of("two", 3);
    struct sealed_profile sealed;
    struct store_walk *walk;
    struct store_read *read;
    struct err err = {0};

    for (size_t i = 0; i < 5; i++)
        put_profile(&fixture, expected[4 - i].id, "N");
    cr_assert_eq(store_write(fixture.store, run_vectors, NULL, &err), ERR_OK, "%s", err.message);
    cr_assert_eq(store_read_begin(fixture.store, &read, &err), ERR_OK);
    cr_assert_eq(store_walk_sealed(read, &lexicon, &walk, &err), ERR_OK);
    for (size_t i = 0; i < 5; i++) {
        struct profile_record record;
        struct str bytes = {NULL, 0};
        uint64_t made_of;

        cr_assert(store_walk_next_sealed(walk, &sealed, &err), "%s", err.message);
        cr_expect(str_is(sealed.id, expected[i].id));
        for (int believes = 0; believes < 2; believes++) {
            cr_expect_eq(sealed_profile_open(&sealed, believes, &record, &err), ERR_OK);
            cr_expect_eq(record.version, 1);
            cr_expect_eq(sealed_outline_open(&sealed, believes, &made_of, &bytes, &err),
                         expected[i].has_outline ? ERR_OK : ERR_NOT_FOUND);
            cr_expect(!expected[i].has_outline || str_is(bytes, expected[i].id));
        }
        sealed.id = STR_LIT("another"); /* whose record it is not */
        cr_expect_eq(sealed_profile_open(&sealed, false, &record, &err), ERR_INTERNAL);
        sealed.profile.len = 7;
        cr_expect_eq(sealed_profile_open(&sealed, true, &record, &err), ERR_INTERNAL);
        sealed.profile.len = 20;
        cr_expect_eq(sealed_profile_open(&sealed, true, &record, &err), ERR_INTERNAL);
    }
    cr_expect_not(store_walk_next_sealed(walk, &sealed, &err));
    cr_expect_eq(err.code, ERR_OK);
    store_walk_end(walk);
    store_read_end(read);
}
