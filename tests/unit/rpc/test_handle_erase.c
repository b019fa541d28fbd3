/* Erasure: no byte of what was stored is left in any file, and what refers to it still stands. */
#include "file.h"
#include "rpc_fixture.h"

#include <criterion/criterion.h>

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

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

TestSuite(handle_erase, .init = setup, .fini = teardown);

static const char *
path_of(const char *name)
{
    return arena_format(rpc.arena, "%s/%s", rpc.dir, name).data;
}

/* ---- looking through the files ---- */

static const char *wanted;
static char found_in[512];

static int
look_through(const char *path, const struct stat *st, int flag, struct FTW *walk)
{
    struct buf bytes;

    (void)st, (void)walk;
    if (flag != FTW_F)
        return 0;
    buf_init(&bytes, SIZE_MAX / 2);
    if (file_read(path, &bytes, NULL) == ERR_OK && bytes.len > 0 &&
        memmem(bytes.data, bytes.len, wanted, strlen(wanted)) != NULL)
        snprintf(found_in, sizeof found_in, "%s", path);
    buf_fini(&bytes);
    return 0;
}

/* The file below dir that holds the text; NULL if none does. */
static const char *
file_with(const char *dir, const char *text)
{
    wanted = text;
    found_in[0] = '\0';
    nftw(dir, look_through, 16, FTW_PHYS);
    return found_in[0] != '\0' ? found_in : NULL;
}

static const char *const canaries[] = {"CanaryNameNew",    "canarynamenew",      "CanaryNameOld",
                                       "CanaryTextNew",    "CanaryTextOld",      "CanaryTagOne",
                                       "canarytagone",     "canary.example",     "CanaryContact",
                                       "CanaryConfidence", "CanaryMetWithInMay", "CanaryHolder"};
enum { CANARIES = sizeof canaries / sizeof canaries[0] };

static void
no_canary_in(const char *dir)
{
    for (size_t i = 0; i < CANARIES; i++)
        cr_expect_null(file_with(dir, canaries[i]), "%s stands in %s", canaries[i], found_in);
}

static void
put(const char *id, const char *more)
{
    rpc_ok(&rpc, "profile.put",
           arena_format(rpc.arena,
                        "{\"profile\": {\"id\": \"%s\", \"kind\": \"startup\", \"metro\": "
                        "\"paris\"%s}}",
                        id, more)
               .data);
}

/* A profile with a history, a confidential part, a note about it, a token and a partner's change. */
static void
put_canary(void)
{
    put("bird", ", \"name\": \"CanaryNameOld\", \"description\": {\"en\": \"CanaryTextOld for "
                "hospitals\"}, \"tags\": [\"CanaryTagOne\"]");
    put("bird", ", \"name\": \"CanaryNameNew\", \"website\": \"https://canary.example\", "
                "\"description\": {\"en\": \"CanaryTextNew for hospitals\"}, \"confidential\": "
                "{\"notes\": \"CanaryConfidence\"}");
    put("host", ", \"name\": \"Host\"");
    put("other", ", \"name\": \"Other\"");
    rpc_ok(&rpc, "outcome.put",
           "{\"from\": \"bird\", \"to\": \"host\", \"kind\": \"hosted\", \"at\": \"2026-03-02\", "
           "\"note\": \"CanaryMetWithInMay\"}");
    rpc_ok(&rpc, "outcome.put",
           "{\"from\": \"host\", \"to\": \"other\", \"kind\": \"hosted\", \"at\": \"2026-03-02\", "
           "\"note\": \"came through canarynamenew\"}");
    rpc_ok(&rpc, "token.create",
           "{\"role\": \"partner\", \"name\": \"CanaryHolder\", \"profile\": \"bird\"}");
    rpc_act_as(&rpc, ROLE_PARTNER, "bird");
    rpc.caller.name = STR_LIT("CanaryContact");
    rpc_ok(&rpc, "profile.patch", "{\"id\": \"bird\", \"changes\": {\"team\": 12}}");
    rpc_act_as(&rpc, ROLE_ADMIN, "test");
    for (size_t i = 0; i < CANARIES; i++) /* the search finds what is there */
        if (strcmp(canaries[i], "canarytagone") != 0 && strcmp(canaries[i], "CanaryTagOne") != 0)
            cr_assert_not_null(file_with(rpc.dir, canaries[i]), "%s is nowhere", canaries[i]);
}

Test(handle_erase, no_byte_is_left_in_the_stores_files_nor_in_later_backups)
{
    const msgpack_object *erased;

    put_canary();
    erased = rpc_ok(&rpc, "profile.delete", "{\"id\": \"bird\", \"erase\": true}");
    cr_expect_eq(rpc_int(erased, "erased.versions"), 3);
    cr_expect_eq(rpc_int(erased, "erased.outcomes"), 1);
    cr_expect_eq(rpc_int(erased, "erased.tokens"), 1);
    no_canary_in(rpc.dir);
    rpc_ok(&rpc, "backup.create", "{\"name\": \"later\"}");
    no_canary_in(rpc.dir);
    rpc_reopen(&rpc);
    no_canary_in(rpc.dir);
}

Test(handle_erase, the_rest_of_the_store_stands)
{
    const msgpack_object *outcomes, *journal;
    char first[64];

    put_canary();
    rpc_ok(&rpc, "profile.delete", "{\"id\": \"bird\", \"erase\": true}");
    for (int i = 0; i < 2; i++) {
        rpc_fails(&rpc, "profile.get", "{\"id\": \"bird\"}", ERR_NOT_FOUND, "id");
        rpc_fails(&rpc, "profile.history", "{\"id\": \"bird\"}", ERR_NOT_FOUND, "id");
        rpc_fails(&rpc, "profile.get", "{\"id\": \"bird\", \"version\": 1}", ERR_NOT_FOUND,
                  "version");
        cr_expect_str_eq(rpc_text(&rpc, rpc_ok(&rpc, "profile.get", "{\"id\": \"host\"}"), "name"),
                         "Host");
        outcomes = rpc_ok(&rpc, "outcome.list", "{\"to\": \"host\"}");
        cr_assert_eq(value_size(rpc_at(outcomes, "outcomes")), 1, "the host's record stays");
        snprintf(first, sizeof first, "%s", rpc_text(&rpc, outcomes, "outcomes[0].from"));
        cr_expect_eq(strncmp(first, "erased-", 7), 0, "%s", first);
        cr_expect_null(rpc_at(outcomes, "outcomes[0].note"));
        journal = rpc_ok(&rpc, "journal.verify", "{}");
        cr_expect(rpc_bool(journal, "ok"));
        cr_expect_eq(rpc_int(journal, "redacted"), 6, "3 versions, 2 outcomes, 1 token: %d",
                     (int)rpc_int(journal, "redacted"));
        cr_expect_eq(rpc_int(journal, "erased"), 6);
        cr_expect_eq(rpc_int(journal, "expired") + rpc_int(journal, "unproved"), 0);
        cr_expect_eq(value_size(rpc_at(rpc_ok(&rpc, "token.list", "{}"), "tokens")), 0);
        rpc_reopen(&rpc);
    }
    journal =
        rpc_ok(&rpc, "journal.list", arena_format(rpc.arena, "{\"method\": \"profile.put\"}").data);
    cr_expect(rpc_bool(journal, "entries[0].redacted"));
    cr_expect_str_eq(rpc_text(&rpc, journal, "entries[0].subject"), first);
}

Test(handle_erase, one_that_was_deleted_before_goes_too)
{
    put_canary();
    rpc_ok(&rpc, "profile.delete", "{\"id\": \"bird\"}");
    cr_expect_not_null(file_with(rpc.dir, "CanaryTextNew"), "its history stays");
    rpc_ok(&rpc, "profile.delete", "{\"id\": \"bird\", \"erase\": true}");
    no_canary_in(rpc.dir);
}

Test(handle_erase, it_is_for_admins_and_for_what_was_there)
{
    put_canary();
    rpc_fails(&rpc, "profile.delete", "{\"id\": \"berd\", \"erase\": true}", ERR_NOT_FOUND, "id");
    rpc_fails(&rpc, "profile.delete", "{\"id\": \"bird\", \"erase\": true, \"if_version\": 1}",
              ERR_CONFLICT, "if_version");
    rpc_act_as(&rpc, ROLE_OFFICER, "o");
    rpc_fails(&rpc, "profile.delete", "{\"id\": \"bird\", \"erase\": true}", ERR_FORBIDDEN,
              "erase");
    rpc_ok(&rpc, "profile.delete", "{\"id\": \"bird\"}");
}

Test(handle_erase, an_id_can_be_used_again_and_starts_anew)
{
    put_canary();
    rpc_ok(&rpc, "profile.delete", "{\"id\": \"bird\", \"erase\": true}");
    put("bird", ", \"name\": \"SomebodyElse\"");
    cr_expect_eq(rpc_int(rpc_ok(&rpc, "profile.get", "{\"id\": \"bird\"}"), "version"), 1);
    rpc_ok(&rpc, "profile.delete", "{\"id\": \"bird\", \"erase\": true}");
    cr_expect_null(file_with(rpc.dir, "SomebodyElse"));
}

Test(handle_erase, readers_of_before_keep_what_they_look_at)
{
    struct store_read *read;
    struct profile_record record;
    struct err err = {0};

    put_canary();
    cr_assert_eq(store_read_begin(engine_store(rpc.engine), &read, &err), ERR_OK);
    rpc_ok(&rpc, "profile.delete", "{\"id\": \"bird\", \"erase\": true}");
    cr_assert_eq(store_profile_get(read, STR_LIT("bird"), &record, &err), ERR_OK);
    cr_expect_not_null(memmem(record.open.data, record.open.len, "CanaryNameNew", 13));
    no_canary_in(rpc.dir);
    store_read_end(read);
    put("host", ", \"name\": \"Host again\"");
}

/* ---- merges ---- */

Test(handle_erase, what_was_merged_into_it_goes_with_it)
{
    const msgpack_object *erased;

    put_canary();
    put("keep", ", \"name\": \"Kept\"");
    rpc_ok(&rpc, "profile.merge", "{\"keep\": \"keep\", \"drop\": \"bird\"}");
    rpc_fails(&rpc, "profile.delete", "{\"id\": \"bird\", \"erase\": true}", ERR_CONFLICT, "id");
    erased = rpc_ok(&rpc, "profile.delete", "{\"id\": \"keep\", \"erase\": true}");
    cr_expect_eq(value_size(rpc_at(erased, "erased.ids")), 2);
    no_canary_in(rpc.dir);
    cr_expect(rpc_bool(rpc_ok(&rpc, "journal.verify", "{}"), "ok"));
    cr_expect_geq(rpc_int(rpc_ok(&rpc, "journal.verify", "{}"), "erased"), 6);
}

Test(handle_erase, a_version_of_another_that_a_merge_had_filled_goes)
{
    put_canary();
    put("keep", ", \"name\": \"Kept\"");
    rpc_ok(&rpc, "profile.merge", "{\"keep\": \"keep\", \"drop\": \"bird\"}");
    rpc_ok(&rpc, "profile.unmerge", "{\"id\": \"bird\"}");
    rpc_ok(&rpc, "profile.delete", "{\"id\": \"bird\", \"erase\": true}");
    no_canary_in(rpc.dir);
    cr_expect_str_eq(rpc_text(&rpc, rpc_ok(&rpc, "profile.get", "{\"id\": \"keep\"}"), "name"),
                     "Kept");
    rpc_fails(&rpc, "profile.get", "{\"id\": \"keep\", \"version\": 2}", ERR_NOT_FOUND, "version");
    cr_expect_not_null(strstr(rpc.err.message, "kept no more"), "%s", rpc.err.message);
}

/* ---- when the second step fails ---- */

Test(handle_erase, a_failed_second_step_is_told_and_taken_up_again)
{
    struct err err = {0};

    put_canary();
    cr_assert_eq(file_write(path_of("jumelage.fresh"), "in the way", 10, 0600, &err), ERR_OK);
    cr_expect_null(rpc_call(&rpc, "profile.delete", "{\"id\": \"bird\", \"erase\": true}"));
    cr_expect_not_null(strstr(rpc.err.message, "erase it once more"), "%s", rpc.err.message);
    rpc_fails(&rpc, "profile.get", "{\"id\": \"bird\"}", ERR_NOT_FOUND, "id");
    cr_expect(file_exists(path_of("jumelage.erasing")));
    cr_assert_eq(unlink(path_of("jumelage.fresh")), 0);
    rpc_ok(&rpc, "profile.delete", "{\"id\": \"bird\", \"erase\": true}");
    no_canary_in(rpc.dir);
    cr_expect_not(file_exists(path_of("jumelage.erasing")));
}

Test(handle_erase, the_next_opening_finishes_what_was_interrupted)
{
    struct err err = {0};

    put_canary();
    cr_assert_eq(file_write(path_of("jumelage.fresh"), "in the way", 10, 0600, &err), ERR_OK);
    cr_expect_null(rpc_call(&rpc, "profile.delete", "{\"id\": \"bird\", \"erase\": true}"));
    cr_assert_eq(unlink(path_of("jumelage.fresh")), 0);
    rpc_reopen(&rpc);
    no_canary_in(rpc.dir);
    cr_expect_not(file_exists(path_of("jumelage.erasing")));
    cr_expect_not_null(file_with(path_of("jumelage.erased"), "bird "), "the ledger has the id");
}

/* ---- restores ---- */

/* What `journal.verify` says of the store in another folder. */
static struct journal_verdict
verify_in(const char *dir)
{
    struct store_options options = {.dir = dir, .clock = &rpc.clock, .must_exist = true};
    struct journal_verdict verdict;
    struct store_read *read;
    struct store *store;
    struct err err = {0};

    cr_assert_eq(store_open(&options, &store, &err), ERR_OK, "%s", err.message);
    cr_assert_eq(store_read_begin(store, &read, &err), ERR_OK);
    cr_assert_eq(store_journal_verify(read, 0, &verdict, &err), ERR_OK, "%s", err.message);
    store_read_end(read);
    store_close(store);
    return verdict;
}

Test(handle_erase, a_restore_applies_the_ledger_to_an_older_backup)
{
    struct store_restoring restoring = {.source = path_of("backups/before"),
                                        .dir = path_of("again"),
                                        .ledger = rpc.dir,
                                        .clock = &rpc.clock,
                                        .actor = STR_LIT("tool test")};
    struct store_restored restored;
    struct err err = {0};

    put_canary();
    rpc_ok(&rpc, "backup.create", "{\"name\": \"before\"}");
    rpc_ok(&rpc, "profile.delete", "{\"id\": \"bird\", \"erase\": true}");
    put("bird", ", \"name\": \"Another\""); /* the id is used again, by somebody else */
    rpc_ok(&rpc, "backup.create", "{\"name\": \"after\"}");
    cr_assert_eq(store_restore(&restoring, &restored, &err), ERR_OK, "%s", err.message);
    cr_expect_eq(restored.n_erased, 1);
    no_canary_in(path_of("again"));
    cr_expect_eq(verify_in(path_of("again")).broken_at, 0);
    cr_expect_eq(verify_in(path_of("again")).n_erased, 6);
    restoring.source = path_of("backups/after");
    restoring.dir = path_of("third");
    cr_assert_eq(store_restore(&restoring, &restored, &err), ERR_OK, "%s", err.message);
    cr_expect_eq(restored.n_erased, 0, "the backup is younger than the erasure");
    cr_expect_not_null(file_with(path_of("third"), "Another"));
    cr_expect_not_null(file_with(path_of("third/jumelage.erased"), "bird "));
    cr_expect_eq(verify_in(path_of("third")).broken_at, 0);
    rpc.clock.fixed_wall_ms += 1000;
    rpc_ok(&rpc, "profile.delete",
           "{\"id\": \"bird\", \"erase\": true}"); /* the other one as well */
    restoring.dir = path_of("fourth");
    restoring.source = path_of("backups/after");
    cr_assert_eq(store_restore(&restoring, &restored, &err), ERR_OK, "%s", err.message);
    cr_expect_eq(restored.n_erased, 1, "erased before, and once more since");
    cr_expect_eq(verify_in(path_of("fourth")).broken_at, 0);
    cr_expect_eq(verify_in(path_of("fourth")).n_erased, 7);
}
