#include "alloc.h"
#include "cases.h"
#include "engine_follow.h"
#include "rpc_fixture.h"

#include <stdio.h>
#include <string.h>

/* What one follower was told, the lists as words: "a b- " is a put, b gone. */
struct heard {
    struct follower follower;
    int n; /* times told */
    struct engine_changes last;
    char profiles[256], programmes[256], outcomes[256];
};

static void
write_ids(char *out, size_t size, const struct changed_id *ids)
{
    size_t len = 0;

    out[0] = '\0';
    for (; ids != NULL && len < size; ids = ids->next)
        len += (size_t)snprintf(out + len, size - len, "%.*s%s ", STR_ARG(ids->id),
                                ids->is_gone ? "-" : "");
}

static void
hear(void *context, const struct engine_changes *changes)
{
    struct heard *heard = context;
    const struct added_outcome *first = changes->outcomes;

    heard->n++;
    heard->last = *changes;
    write_ids(heard->profiles, sizeof heard->profiles, changes->profiles);
    write_ids(heard->programmes, sizeof heard->programmes, changes->programmes);
    heard->outcomes[0] = '\0';
    if (first != NULL)
        snprintf(heard->outcomes, sizeof heard->outcomes, "%.*s>%.*s%s", STR_ARG(first->from),
                 STR_ARG(first->to), first->next != NULL ? " …" : "");
}

static struct heard
listener(void)
{
    return (struct heard){.follower = {.tell = hear}};
}

/* ---- the desk alone ---- */

static struct follow_desk desk;
static struct heard a, b;

static void
desk_setup(void)
{
    follow_desk_init(&desk);
    a = listener();
    b = listener();
    a.follower.context = &a;
    b.follower.context = &b;
    follow_desk_add(&desk, &a.follower);
}

/* As above, and past the first telling, which says "everything" whatever changed. */
static void
desk_setup_heard(void)
{
    desk_setup();
    follow_note_rows(&desk);
    follow_tell(&desk, 1);
    cr_assert_eq(a.n, 1);
}

static void
desk_teardown(void)
{
    follow_desk_fini(&desk);
}

TestSuite(follow_desk, .init = desk_setup_heard, .fini = desk_teardown);

Test(follow_desk, the_changes_of_a_group_are_told_in_order_with_its_seq)
{
    follow_note_profile(&desk, STR_LIT("x"), false);
    follow_note_outcome(&desk, STR_LIT("x"), STR_LIT("y"));
    follow_note_profile(&desk, STR_LIT("y"), true);
    follow_note_programme(&desk, STR_LIT("p"), false);
    follow_tell(&desk, 7);
    cr_expect_eq(a.n, 2);
    cr_expect_eq(a.last.seq, 7);
    cr_expect_str_eq(a.profiles, "x y- ");
    cr_expect_str_eq(a.programmes, "p ");
    cr_expect_str_eq(a.outcomes, "x>y");
    cr_expect_not(a.last.is_everything);
    cr_expect_not(a.last.has_new_rows);
}

Test(follow_desk, what_was_told_is_not_told_again_and_nothing_is_not_told)
{
    follow_note_profile(&desk, STR_LIT("x"), false);
    follow_tell(&desk, 7);
    follow_tell(&desk, 8);
    cr_expect_eq(a.n, 2);
    follow_note_programme(&desk, STR_LIT("p"), true);
    follow_tell(&desk, 9);
    cr_expect_str_eq(a.profiles, "");
    cr_expect_str_eq(a.programmes, "p- ");
}

Test(follow_desk, a_group_that_is_undone_is_never_told)
{
    follow_note_tables(&desk);
    follow_note_day(&desk, 20000);
    follow_forget(&desk);
    follow_note_profile(&desk, STR_LIT("x"), false);
    follow_tell(&desk, 7);
    cr_expect_eq(a.n, 2);
    cr_expect_not(a.last.is_everything);
    cr_expect_not(a.last.has_new_tables);
    cr_expect_not(a.last.has_new_day);
    cr_expect_str_eq(a.profiles, "x ");
}

Test(follow_desk, the_first_telling_to_each_says_everything)
{
    follow_note_profile(&desk, STR_LIT("x"), false);
    follow_desk_add(&desk, &b.follower); /* in the middle of a group */
    follow_note_profile(&desk, STR_LIT("y"), false);
    follow_tell(&desk, 7);
    cr_expect_str_eq(a.profiles, "x y ");
    cr_expect(b.last.is_everything);
    cr_expect_null(b.last.profiles);
    follow_note_profile(&desk, STR_LIT("z"), false);
    follow_tell(&desk, 8);
    cr_expect_not(b.last.is_everything);
    cr_expect_str_eq(b.profiles, "z ");
}

Test(follow_desk, who_has_left_is_not_told_and_the_others_are)
{
    follow_desk_add(&desk, &b.follower);
    follow_desk_remove(&desk, &a.follower);
    follow_desk_remove(&desk, &a.follower); /* twice is once */
    follow_note_day(&desk, 20000);
    follow_tell(&desk, 7);
    cr_expect_eq(a.n, 1);
    cr_expect_eq(b.n, 1);
    cr_expect(b.last.has_new_day);
    cr_expect_eq(b.last.day, 20000);
}

Test(follow_desk, rows_and_tables_anew_are_everything_and_lists_end_there)
{
    follow_note_profile(&desk, STR_LIT("x"), false);
    follow_note_rows(&desk);
    follow_note_profile(&desk, STR_LIT("y"), false);
    follow_tell(&desk, 7);
    cr_expect(a.last.is_everything);
    cr_expect(a.last.has_new_rows);
    cr_expect_not(a.last.has_new_tables);
    cr_expect_null(a.last.profiles);
    follow_note_tables(&desk);
    follow_tell(&desk, 8);
    cr_expect(a.last.is_everything && a.last.has_new_rows && a.last.has_new_tables);
}

Test(follow_desk, a_day_alone_is_not_everything)
{
    follow_note_day(&desk, 20000);
    follow_tell(&desk, 7);
    cr_expect_eq(a.n, 2);
    cr_expect_not(a.last.is_everything);
}

Test(follow_desk, more_changes_than_are_kept_are_everything)
{
    bool was_whole = false;

    for (int n = 1000; n < 100000; n *= 2) {
        for (int i = 0; i < n; i++)
            follow_note_profile(&desk, STR_LIT("an-id-of-usual-length"), false);
        follow_tell(&desk, 7);
        if (a.last.is_everything) {
            cr_expect_null(a.last.profiles);
            break;
        }
        was_whole = true;
    }
    cr_expect(was_whole);
    cr_expect(a.last.is_everything);
    follow_note_profile(&desk, STR_LIT("x"), false);
    follow_tell(&desk, 8);
    cr_expect_not(a.last.is_everything, "the next group has its own room");
}

Test(follow_desk, memory_that_ends_makes_it_everything_wherever_it_ends)
{
    bool happened = true;
    int n_failed = 0;

    for (long n = 1; happened; n++) {
        struct follow_desk fresh;

        follow_desk_init(&fresh);
        b = listener();
        b.follower.context = &b;
        follow_desk_add(&fresh, &b.follower);
        b.follower.is_new = false;
        mem_fail_at(n);
        follow_note_outcome(&fresh, STR_LIT("x"), STR_LIT("y"));
        follow_note_profile(&fresh, STR_LIT("x"), false);
        follow_tell(&fresh, 7);
        happened = mem_fail_happened();
        cr_expect_eq(b.n, 1);
        cr_expect_eq(b.last.is_everything, happened);
        cr_expect_eq(b.last.profiles == NULL, happened);
        n_failed += happened;
        follow_desk_fini(&fresh);
    }
    cr_expect_geq(n_failed, 2);
}

/* ---- an engine followed ---- */

static struct rpc rpc;

static void
engine_setup(void)
{
    rpc_open(&rpc);
    a = listener();
    a.follower.context = &a;
    engine_follow(rpc.engine, &a.follower);
    rpc_ok(&rpc, "profile.put",
           "{\"profile\": {\"id\": \"x\", \"kind\": \"startup\", \"name\": \"X\"}}");
    cr_assert_eq(a.n, 1);
    cr_assert(a.last.is_everything, "the first telling");
}

static void
engine_teardown(void)
{
    rpc_close(&rpc);
}

TestSuite(engine_follow, .init = engine_setup, .fini = engine_teardown);

Test(engine_follow, a_put_and_a_delete_name_the_profile_before_they_are_answered)
{
    rpc_ok(&rpc, "profile.put",
           "{\"profile\": {\"id\": \"y\", \"kind\": \"incubator\", \"name\": \"Y\"}}");
    cr_expect_str_eq(a.profiles, "y ");
    cr_expect_eq(a.last.seq, rpc_seq(&rpc));
    rpc_ok(&rpc, "profile.delete", "{\"id\": \"y\"}");
    cr_expect_str_eq(a.profiles, "y- ");
    cr_expect_not(a.last.is_everything);
}

Test(engine_follow, what_changes_nothing_is_not_told)
{
    int before = a.n;

    rpc_ok(&rpc, "profile.put",
           "{\"profile\": {\"id\": \"x\", \"kind\": \"startup\", \"name\": \"X\"}}");
    rpc_fails(&rpc, "profile.delete", "{\"id\": \"nobody\"}", ERR_NOT_FOUND, "id");
    rpc_ok(&rpc, "token.create", "{\"role\": \"reader\", \"name\": \"r\"}");
    cr_expect_eq(a.n, before);
}

Test(engine_follow, programmes_and_outcomes_are_named)
{
    rpc_ok(&rpc, "programme.put",
           "{\"programme\": {\"id\": \"p\", \"name\": {\"en\": \"P\"}, \"pairings\": [{\"id\": "
           "\"h\", \"from\": {\"kind\": \"startup\"}, \"to\": {\"kind\": \"incubator\"}}]}}");
    cr_expect_str_eq(a.programmes, "p ");
    rpc_ok(&rpc, "programme.delete", "{\"id\": \"p\"}");
    cr_expect_str_eq(a.programmes, "p- ");
    rpc_ok(&rpc, "profile.put",
           "{\"profile\": {\"id\": \"y\", \"kind\": \"incubator\", \"name\": \"Y\"}}");
    rpc_ok(&rpc, "outcome.put",
           "{\"from\": \"x\", \"to\": \"y\", \"kind\": \"hosted\", \"at\": \"2026-01-01\"}");
    cr_expect_str_eq(a.outcomes, "x>y");
    cr_expect_str_eq(a.profiles, "");
}

Test(engine_follow, an_erasure_that_touches_outcomes_is_everything)
{
    rpc_ok(&rpc, "profile.put",
           "{\"profile\": {\"id\": \"y\", \"kind\": \"incubator\", \"name\": \"Y\"}}");
    rpc_ok(&rpc, "outcome.put",
           "{\"from\": \"x\", \"to\": \"y\", \"kind\": \"hosted\", \"at\": \"2026-01-01\"}");
    rpc_ok(&rpc, "profile.delete", "{\"id\": \"y\", \"erase\": true}");
    cr_expect(a.last.is_everything);
    cr_expect(a.last.has_new_rows);
}

/* The telling comes after the next roster can be seen. */
static void
look(void *context, const struct engine_changes *changes)
{
    struct engine_view view;

    (void)changes;
    engine_view_hold(rpc.engine, &view);
    *(bool *)context = roster_find(view.roster, STR_LIT("z")) != ROSTER_NO_ROW;
    engine_view_drop(&view);
}

Test(engine_follow, who_is_told_sees_what_it_is_told)
{
    bool saw = false;
    struct follower follower = {.tell = look, .context = &saw};

    engine_follow(rpc.engine, &follower);
    rpc_ok(&rpc, "profile.put",
           "{\"profile\": {\"id\": \"z\", \"kind\": \"incubator\", \"name\": \"Z\"}}");
    cr_expect(saw);
    engine_unfollow(rpc.engine, &follower);
    saw = false;
    rpc_ok(&rpc, "profile.delete", "{\"id\": \"x\"}");
    cr_expect_not(saw);
}
