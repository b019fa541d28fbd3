/* test_engine_tables.c: other vocabularies and another lexicon, put in force while an engine is open. */
#include "alloc.h"
#include "cases.h"
#include "engine_parts.h"
#include "json.h"
#include "rpc_fixture.h"

#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NEW_OUTCOME "feted,1,Feted,F\303\252t\303\251,party,f\303\252te\n"
#define SYNONYM "zorgle,zorgle,blirpe\n"
enum { MANY = 200 };

static struct rpc rpc;
static sem_t is_told;
static struct tables_reloaded told;
static struct err told_err;
static char share[64];

/* ---- an engine on a share folder that may be changed ---- */

static struct engine *
open_on(const char *folder)
{
    struct engine_options options = {.data_dir = rpc.dir, .clock = &rpc.clock, .share_dir = folder};
    struct engine *engine = NULL;
    struct err err = {0};

    cr_assert_eq(engine_open(&options, &engine, &err), ERR_OK, "%s", err.message);
    return engine;
}

static void
reopen_on(const char *folder)
{
    engine_close(rpc.engine);
    rpc.engine = open_on(folder);
}

static void
setup(void)
{
    char command[256];

    rpc_open(&rpc);
    snprintf(share, sizeof share, "/tmp/jumelage-share-XXXXXX");
    cr_assert_not_null(mkdtemp(share));
    snprintf(command, sizeof command, "cp -r %s/. %s", JML_DATA, share);
    cr_assert_eq(system(command), 0);
    sem_init(&is_told, 0, 0);
    reopen_on(share);
}

static void
teardown(void)
{
    char command[128];

    rpc_close(&rpc);
    snprintf(command, sizeof command, "rm -r %s", share);
    cr_assert_eq(system(command), 0);
}

TestSuite(engine_tables, .init = setup, .fini = teardown);

static void
append(const char *name, const char *row)
{
    char path[128];
    FILE *file;

    snprintf(path, sizeof path, "%s/%s", share, name);
    file = fopen(path, "a");
    cr_assert_not_null(file);
    fputs(row, file);
    fclose(file);
}

static void
tell(void *context, const struct tables_reloaded *reloaded, const struct err *err)
{
    (void)context;
    told = *reloaded;
    told_err = *err;
    sem_post(&is_told);
}

static void
reload(void)
{
    cr_assert_eq(engine_tables_reload(rpc.engine, tell, NULL, NULL), ERR_OK);
    cr_assert_eq(sem_wait(&is_told), 0);
}

static void
reload_well(void)
{
    reload();
    cr_assert_eq(told_err.code, ERR_OK, "%s", told_err.message);
}

static size_t
n_noted(void)
{
    const msgpack_object *list = rpc_ok(&rpc, "journal.list", "{\"method\": \"tables.use\"}");

    return value_size(rpc_at(list, "entries"));
}

static int64_t
n_vectors(void)
{
    return rpc_int(rpc_ok(&rpc, "system.stats", "{}"), "store.vectors");
}

/* ---- two profiles that say the same in two languages, in words that no lexicon has ---- */

static void
put(const char *id, const char *kind, const char *lang, const char *text)
{
    char json[512];

    snprintf(json, sizeof json,
             "{\"profile\": {\"id\": \"%s\", \"kind\": \"%s\", \"name\": \"%s\", \"description\": "
             "{\"%s\": \"%s\"}, \"consent\": {\"match\": true, \"share\": true, \"basis\": "
             "\"test\"}}}",
             id, kind, id, lang, text);
    rpc_ok(&rpc, "profile.put", json);
}

static void
put_pair(void)
{
    rpc_ok(&rpc, "programme.put",
           "{\"programme\": {\"id\": \"p\", \"name\": {\"en\": \"P\"}, \"pairings\": [{\"id\": "
           "\"h\", \"from\": {\"kind\": \"startup\"}, \"to\": {\"kind\": \"incubator\"}, "
           "\"from_wants\": [{\"id\": \"t\", \"type\": \"text\", \"weight\": 1}]}]}}");
    put("s", "startup", "en", "zorgle");
    put("i", "incubator", "fr", "blirpe");
}

static void
put_many(void)
{
    put_pair();
    for (int n = 0; n < MANY; n++) {
        char id[16];

        snprintf(id, sizeof id, "x%03d", n);
        put(id, n % 2 ? "startup" : "incubator", n % 2 ? "en" : "fr", n % 2 ? "zorgle" : "blirpe");
    }
}

static const msgpack_object *
explain(void)
{
    return rpc_ok(&rpc, "match.explain",
                  "{\"programme\": \"p\", \"from\": \"s\", \"to\": \"i\", \"lang\": \"en\"}");
}

static int64_t
score(void)
{
    return rpc_int(explain(), "from_view");
}

/* ---- the vocabularies ---- */

static bool
knows(const struct engine_view *view, const char *code)
{
    return vocabulary_find(view->reference->vocabularies[VOCABULARY_OUTCOMES], str_from(code)) !=
           VOCABULARY_NONE;
}

Test(engine_tables, come_into_force_under_those_who_look_at_the_old)
{
    struct engine_view before = {0}, after = {0};

    put_pair();
    engine_view_hold(rpc.engine, &before);
    append("outcomes.csv", NEW_OUTCOME);
    reload_well();
    cr_expect(told.has_changed);
    cr_expect_not(told.has_changed_lexicon);
    cr_expect_eq(told.n_profiles, 2);
    engine_view_hold(rpc.engine, &after);
    cr_expect_not(knows(&before, "feted"));
    cr_expect(knows(&after, "feted"));
    cr_expect_neq(roster_find(after.roster, STR_LIT("s")), ROSTER_NO_ROW);
    cr_expect_eq(after.seq, rpc_seq(&rpc), "whoever follows the seq sees it");
    engine_view_drop(&before);
    engine_view_drop(&after);
    cr_expect_eq(n_noted(), 3, "the reference, the lexicon, and the reference once more");
}

Test(engine_tables, that_are_the_same_are_no_change)
{
    uint64_t seq = rpc_seq(&rpc);

    reload_well();
    cr_expect_not(told.has_changed);
    cr_expect_not(told.has_changed_lexicon);
    cr_expect_eq(rpc_seq(&rpc), seq);
}

Test(engine_tables, with_a_fault_leave_the_old_ones_in_force)
{
    struct engine_view view = {0};

    append("outcomes.csv", "\"no end\n");
    reload();
    cr_expect_neq(told_err.code, ERR_OK);
    cr_expect_neq(told_err.message[0], '\0');
    engine_view_hold(rpc.engine, &view);
    cr_expect(knows(&view, "hosted"));
    engine_view_drop(&view);
    put_pair();
    cr_expect_eq(rpc_int(rpc_ok(&rpc, "system.stats", "{}"), "index.profiles"), 2);
}

Test(engine_tables, asked_for_too_often_are_refused_and_the_others_served)
{
    struct err err = {0};
    int n = 0;

    pthread_mutex_lock(&rpc.engine->tables.lock); /* nobody is served meanwhile */
    rpc.engine->tables.n_waiting = TABLES_WAITING - 1;
    pthread_mutex_unlock(&rpc.engine->tables.lock);
    while (engine_tables_reload(rpc.engine, tell, NULL, &err) == ERR_OK && n < 1000)
        n++;
    cr_expect_eq(err.code, ERR_BUSY, "%s", err.message);
    pthread_mutex_lock(&rpc.engine->tables.lock);
    rpc.engine->tables.n_waiting -= TABLES_WAITING - 1;
    pthread_mutex_unlock(&rpc.engine->tables.lock);
    while (n-- > 0)
        sem_wait(&is_told);
    cr_expect_eq(told_err.code, ERR_OK);
}

/* ---- the lexicon ---- */

Test(engine_tables, a_synonym_makes_two_texts_meet_without_a_restart)
{
    int64_t before, after;

    put_pair();
    before = score();
    append("lexicon/glossary.csv", SYNONYM);
    reload_well();
    cr_expect(told.has_changed_lexicon);
    cr_expect_not(told.has_changed);
    after = score();
    cr_expect_gt(after, before + 5000);
    cr_expect_eq(n_noted(), 3, "the reference, the lexicon, and the lexicon once more");
    cr_expect_eq(n_vectors(), 2, "those by the old lexicon are gone");
    cr_expect_str_eq(rpc_text(&rpc, explain(), "from_reasons[0].evidence.terms[0]"), "zorgle");
    reopen_on(share);
    cr_expect_eq(score(), after);
    cr_expect_eq(n_noted(), 3, "what stood in the journal already is no change");
}

Test(engine_tables, a_view_explains_by_the_lexicon_that_its_vectors_were_made_by)
{
    struct engine_view view = {0};
    struct digest before;

    put_pair();
    engine_view_hold(rpc.engine, &view);
    before = view.lexicon->digest;
    append("lexicon/glossary.csv", SYNONYM);
    reload_well();
    cr_expect(digests_agree(&view.lexicon->digest, &before));
    engine_view_drop(&view);
    engine_view_hold(rpc.engine, &view);
    cr_expect_not(digests_agree(&view.lexicon->digest, &before));
    engine_view_drop(&view);
}

/* A start leaves them in the store, where those by another lexicon are soon pruned. */
Test(engine_tables, a_view_from_before_a_new_lexicon_has_its_texts)
{
    struct engine_view view;

    put_pair();
    reopen_on(share);
    engine_view_hold(rpc.engine, &view);
    cr_assert_eq(roster_rows(view.roster), 2);
    cr_expect_not(facts_have_text(roster_facts(view.roster, 0)));
    append("lexicon/glossary.csv", SYNONYM);
    reload_well();
    cr_expect_eq(n_vectors(), 2, "those by the old lexicon are gone");
    for (uint32_t row = 0; row < 2; row++)
        cr_expect(facts_have_text(roster_facts(view.roster, row)));
    engine_view_drop(&view);
}

Test(engine_tables, a_lexicon_with_a_fault_is_told_by_file_and_line)
{
    int64_t before;

    put_pair();
    before = score();
    append("lexicon/glossary.csv", "only,two\n");
    append("outcomes.csv", NEW_OUTCOME);
    reload();
    cr_expect_eq(told_err.code, ERR_INVALID_PARAMS);
    cr_expect_not_null(strstr(told_err.message, "glossary.csv, line "), "%s", told_err.message);
    cr_expect_eq(score(), before);
    cr_expect_eq(n_noted(), 2, "the other change waits with it");
}

Test(engine_tables, a_lexicon_is_changed_back_and_forth)
{
    char command[256];
    int64_t before, after;

    put_many();
    before = score();
    append("lexicon/glossary.csv", SYNONYM);
    reload_well();
    after = score();
    snprintf(command, sizeof command, "cp %s/lexicon/glossary.csv %s/lexicon/", JML_DATA, share);
    cr_assert_eq(system(command), 0);
    reload_well();
    cr_expect_eq(score(), before);
    append("lexicon/glossary.csv", SYNONYM);
    reload_well();
    cr_expect_eq(score(), after);
    cr_expect_eq(n_vectors(), MANY + 2);
}

Test(engine_tables, changed_at_a_restart_leave_no_vectors_of_the_old_lexicon)
{
    put_many();
    append("lexicon/glossary.csv", SYNONYM);
    reopen_on(share);
    cr_expect_gt(score(), 5000);
    cr_expect_eq(n_vectors(), MANY + 2);
}

/* Wherever the end comes, the folder decides: its own lexicon or the old one, and never some of each. */
Test(engine_tables, an_engine_that_closes_meanwhile_is_by_the_old_lexicon_or_by_the_new)
{
    int64_t before, after;

    put_many();
    before = score();
    append("lexicon/glossary.csv", SYNONYM);
    for (int round = 0; round < 3; round++) {
        cr_assert_eq(engine_tables_reload(rpc.engine, tell, NULL, NULL), ERR_OK);
        reopen_on(JML_DATA); /* as if the files had been put back */
        cr_assert_eq(sem_wait(&is_told), 0);
        cr_expect(told_err.code == ERR_OK || told_err.code == ERR_DRAINING, "%s", told_err.message);
        cr_expect_eq(score(), before);
        reopen_on(share);
        after = score();
        cr_expect_gt(after, before + 5000);
        cr_expect_eq(n_vectors(), MANY + 2);
        reopen_on(JML_DATA);
        engine_close(rpc.engine);
        rpc.engine = open_on(JML_DATA);
        strcpy(rpc.engine->share_dir, share);
    }
}

/* ---- what is put meanwhile ---- */

struct preparing {
    struct share_files files;
    struct tables tables;
    _Atomic bool must_end;
    struct prepared prepared;
    size_t n_profiles, n_late;
};

static void
prepare(struct preparing *preparing)
{
    struct err err = {0};

    *preparing = (struct preparing){.must_end = false};
    append("lexicon/glossary.csv", SYNONYM);
    cr_assert_eq(share_files_read(share, &preparing->files, &err), ERR_OK, "%s", err.message);
    cr_assert_eq(held_reference_take(&preparing->files, &preparing->tables.held, &err), ERR_OK);
    cr_assert_eq(held_lexicon_parse(&preparing->files, &preparing->tables.lexicon, &err), ERR_OK);
    preparing->prepared = (struct prepared){
        .engine = rpc.engine, .tables = preparing->tables, .must_end = &preparing->must_end};
    cr_assert_eq(prepared_make(&preparing->prepared, &err), ERR_OK, "%s", err.message);
}

static void
prepare_end(struct preparing *preparing)
{
    prepared_fini(&preparing->prepared);
    held_reference_drop(preparing->tables.held);
    held_lexicon_drop(preparing->tables.lexicon);
    share_files_fini(&preparing->files);
}

static enum err_code
make_roster(struct store_txn *txn, void *context, struct err *err)
{
    struct preparing *preparing = context;
    struct roster_edit *edit = roster_edit_begin(NULL);
    enum err_code code = prepared_roster(&preparing->prepared, txn, edit, &preparing->n_profiles,
                                         &preparing->n_late, err);

    roster_edit_abandon(edit);
    return code;
}

static void
look_at_late(struct preparing *preparing, size_t n_profiles, size_t n_late)
{
    struct err err = {0};

    cr_assert_eq(store_write(engine_store(rpc.engine), make_roster, preparing, &err), ERR_OK, "%s",
                 err.message);
    cr_expect_eq(preparing->n_profiles, n_profiles);
    cr_expect_eq(preparing->n_late, n_late);
}

Test(engine_tables, only_what_was_put_since_is_made_while_writes_wait)
{
    struct preparing preparing;

    put_many();
    prepare(&preparing);
    cr_expect_eq(preparing.prepared.n, MANY + 2);
    look_at_late(&preparing, MANY + 2, 0);
    put("x007", "startup", "en", "another text");
    put("aaaa", "startup", "en", "a new one before all");
    put("zzzz", "startup", "en", "and one behind");
    rpc_ok(&rpc, "profile.delete", "{\"id\": \"x008\"}");
    rpc_ok(&rpc, "profile.delete", "{\"id\": \"x009\", \"erase\": true}");
    look_at_late(&preparing, MANY + 2, 3);
    prepare_end(&preparing);
}

Test(engine_tables, a_pass_makes_what_was_put_since_the_one_before)
{
    struct preparing preparing;
    struct err err = {0};

    put_many();
    prepare(&preparing);
    put("x007", "startup", "en", "another text");
    put("zzzz", "startup", "en", "and one behind");
    rpc_ok(&rpc, "profile.delete", "{\"id\": \"x000\"}");
    cr_assert_eq(prepared_make(&preparing.prepared, &err), ERR_OK, "%s", err.message);
    cr_expect_eq(preparing.prepared.n, MANY + 2);
    look_at_late(&preparing, MANY + 2, 0);
    prepare_end(&preparing);
}

Test(engine_tables, what_is_erased_meanwhile_has_no_vector_by_either_lexicon)
{
    struct preparing preparing;

    put_pair();
    prepare(&preparing);
    cr_expect_eq(n_vectors(), 4);
    rpc_ok(&rpc, "profile.delete", "{\"id\": \"s\", \"erase\": true}");
    cr_expect_eq(n_vectors(), 2);
    prepare_end(&preparing);
}

/* A put that was prepared before another lexicon came into force, and is carried out after. */
struct late_put {
    struct made_vector made;
    bool is_kept;
};

static enum err_code
put_late(struct store_txn *txn, void *context, struct err *err)
{
    struct late_put *late = context;
    uint64_t made_of;
    struct str bytes;
    enum err_code code = engine_vector_made(rpc.engine, txn, STR_LIT("s"), 1, &late->made, err);

    late->is_kept = store_vector_get(store_txn_read(txn), &late->made.lexicon, STR_LIT("s"),
                                     &made_of, &bytes, err) == ERR_OK;
    return code;
}

Test(engine_tables, a_vector_by_a_lexicon_no_longer_in_force_is_not_kept)
{
    struct engine_view view = {0};
    struct late_put late = {.is_kept = true};
    const msgpack_object *open;
    struct err err = {0};

    put_pair();
    engine_view_hold(rpc.engine, &view);
    cr_assert_eq(json_decode(STR_LIT("{\"description\": {\"en\": \"zorgle\"}}"),
                             &value_limits_default, rpc.arena, &open, &err),
                 ERR_OK);
    cr_assert_eq(made_vector_make(view.lexicon, open, NULL, rpc.arena, &late.made, &err), ERR_OK);
    engine_view_drop(&view);
    append("lexicon/glossary.csv", SYNONYM);
    reload_well();
    cr_assert_eq(store_write(engine_store(rpc.engine), put_late, &late, &err), ERR_OK);
    cr_expect_not(late.is_kept);
    cr_expect_eq(n_vectors(), 2);
}

Test(engine_tables, facts_that_find_no_vector_by_the_lexicon_in_force_make_and_keep_it)
{
    put_pair();
    append("lexicon/glossary.csv", SYNONYM);
    reload_well();
    rpc_ok(&rpc, "profile.patch", "{\"id\": \"s\", \"changes\": {\"team\": 7}}");
    put("n", "startup", "en", "zorgle");
    cr_expect_eq(n_vectors(), 3);
    cr_expect_gt(score(), 5000);
}

/* ---- memory that ends ---- */

Test(engine_tables, whichever_allocation_fails_it_is_the_old_tables_or_the_new, .timeout = 300)
{
    bool happened = true;
    int64_t before, after = -1;
    long n_failed = 0;

    put_pair();
    before = score();
    append("lexicon/glossary.csv", SYNONYM);
    for (long n = 1; happened; n += 1 + n / 8) {
        mem_fail_at(n);
        if (engine_tables_reload(rpc.engine, tell, NULL, &told_err) == ERR_OK)
            sem_wait(&is_told);
        happened = mem_fail_happened();
        if (told_err.code == ERR_OK) { /* what failed could be done without, or nothing did */
            after = score();
            cr_expect_gt(after, before + 5000);
            if (!happened)
                break;
            reopen_on(JML_DATA);
            strcpy(rpc.engine->share_dir, share);
        } else {
            n_failed++;
            cr_expect_eq(told_err.code, ERR_BUSY, "%ld: %s", n, told_err.message);
        }
        cr_expect_eq(score(), before);
    }
    cr_expect_gt(after, before);
    cr_expect_gt(n_failed, 5);
}

/* ---- who follows ---- */

static struct engine_changes heard;

static void
hear(void *context, const struct engine_changes *changes)
{
    (void)context;
    heard = *changes;
}

Test(engine_tables, who_follows_is_told_of_other_tables_with_their_seq)
{
    struct follower follower = {.tell = hear};

    put_pair();
    engine_follow(rpc.engine, &follower);
    append("lexicon/glossary.csv", SYNONYM);
    reload_well();
    cr_expect(heard.is_everything);
    cr_expect(heard.has_new_tables);
    cr_expect(heard.has_new_rows);
    cr_expect_eq(heard.seq, rpc_seq(&rpc));
    engine_unfollow(rpc.engine, &follower);
}
