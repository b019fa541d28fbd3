#include "alloc.h"
#include "world.h"

#include <criterion/criterion.h>

#include <stdio.h>

static struct world world;

static void
set_up(void)
{
    world_open(&world);
}

static void
tear_down(void)
{
    world_close(&world);
}

TestSuite(roster, .init = set_up, .fini = tear_down);

static void
put_team(const char *id, int team)
{
    char json[128];

    snprintf(json, sizeof json, "{\"id\": \"%s\", \"team\": %d}", id, team);
    world_put(&world, json);
}

static int64_t
team_of(const struct roster *roster, const char *id)
{
    uint32_t row = roster_find(roster, str_from(id));

    return row != ROSTER_NO_ROW ? facts_slot(roster_facts(roster, row), FIELD_TEAM)->number : -1;
}

Test(roster, an_empty_one_has_nothing)
{
    world_publish(&world);
    cr_expect_eq(roster_rows(world.roster), 0);
    cr_expect_eq(roster_profiles(world.roster), 0);
    cr_expect_eq(roster_find(world.roster, STR_LIT("a")), ROSTER_NO_ROW);
    cr_expect_null(roster_facts(world.roster, 0));
    cr_expect_null(roster_record(world.roster, ROSTER_NO_ROW));
}

Test(roster, finds_what_was_put_and_keeps_its_row_through_changes)
{
    uint32_t row;

    put_team("a", 1);
    put_team("b", 2);
    world_publish(&world);
    row = world_row(&world, "a");
    put_team("a", 3);
    world_publish(&world);
    cr_expect_eq(world_row(&world, "a"), row);
    cr_expect_eq(team_of(world.roster, "a"), 3);
    cr_expect_eq(team_of(world.roster, "b"), 2);
    cr_expect_eq(roster_profiles(world.roster), 2);
    cr_expect_eq(roster_rows(world.roster), 2);
}

Test(roster, a_published_one_never_changes)
{
    struct roster *held;

    put_team("a", 1);
    put_team("gone", 9);
    world_publish(&world);
    held = roster_hold(world.roster);
    put_team("a", 2);
    put_team("new", 3);
    world_delete(&world, "gone");
    world_outcome(&world, "a", "gone", "2025-01-01", true);
    world_publish(&world);
    cr_expect_eq(team_of(held, "a"), 1);
    cr_expect_eq(team_of(held, "gone"), 9);
    cr_expect_eq(team_of(held, "new"), -1);
    cr_expect_null(roster_record(held, world_row(&world, "a")));
    cr_expect_eq(roster_profiles(held), 2);
    cr_expect_lt(roster_seq(held), roster_seq(world.roster));
    roster_drop(held);
    cr_expect_eq(team_of(world.roster, "a"), 2);
    cr_expect_eq(team_of(world.roster, "gone"), -1);
    cr_expect_eq(team_of(world.roster, "new"), 3);
}

Test(roster, the_deleted_is_not_found_and_comes_back_to_its_row_and_record)
{
    uint32_t row;

    put_team("a", 1);
    put_team("b", 1);
    world_outcome(&world, "a", "b", "2025-01-01", true);
    world_publish(&world);
    row = world_row(&world, "a");
    world_delete(&world, "a");
    world_delete(&world, "a");
    world_delete(&world, "never-seen");
    world_publish(&world);
    cr_expect_eq(roster_find(world.roster, STR_LIT("a")), ROSTER_NO_ROW);
    cr_expect_null(roster_facts(world.roster, row));
    cr_expect_eq(roster_profiles(world.roster), 1);
    put_team("a", 2);
    world_publish(&world);
    cr_expect_eq(world_row(&world, "a"), row);
    cr_expect_eq(roster_record(world.roster, row)->n, 1);
}

Test(roster, outcomes_stand_on_both_sides_by_day_then_by_arrival)
{
    static const char *const days[] = {"2025-03-01", "2025-01-01", "2025-03-01", "2025-02-01"};
    const struct record *a, *b;

    put_team("a", 1);
    for (int i = 0; i < 4; i++) {
        char other[32];

        snprintf(other, sizeof other, "p%d", i);
        put_team(other, i);
        if (i % 2 == 0)
            world_outcome(&world, "a", other, days[i], i != 2);
        else
            world_outcome(&world, other, "a", days[i], i != 2);
    }
    world_publish(&world);
    a = roster_record(world.roster, world_row(&world, "a"));
    cr_assert_eq(a->n, 4);
    cr_expect_eq(a->outcomes[0].other, world_row(&world, "p1"));
    cr_expect_eq(a->outcomes[1].other, world_row(&world, "p3"));
    cr_expect_eq(a->outcomes[2].other, world_row(&world, "p0"));
    cr_expect_eq(a->outcomes[3].other, world_row(&world, "p2"));
    cr_expect(a->outcomes[0].is_positive && !a->outcomes[3].is_positive);
    b = roster_record(world.roster, world_row(&world, "p3"));
    cr_assert_eq(b->n, 1);
    cr_expect_eq(b->outcomes[0].other, world_row(&world, "a"));
    cr_expect_eq(b->outcomes[0].day, day_of("2025-02-01"));
}

Test(roster, an_outcome_makes_room_for_ids_that_hold_no_profile)
{
    world_outcome(&world, "ghost", "a", "2025-01-01", true);
    put_team("a", 1);
    world_publish(&world);
    cr_expect_eq(roster_rows(world.roster), 2);
    cr_expect_eq(roster_profiles(world.roster), 1);
    cr_expect_eq(roster_find(world.roster, STR_LIT("ghost")), ROSTER_NO_ROW);
    cr_expect_eq(roster_record(world.roster, world_row(&world, "a"))->n, 1);
}

Test(roster, an_outcome_with_itself_is_written_once)
{
    put_team("a", 1);
    world_outcome(&world, "a", "a", "2025-01-01", true);
    world_publish(&world);
    cr_expect_eq(roster_record(world.roster, world_row(&world, "a"))->n, 1);
}

Test(roster, a_record_grows_without_touching_the_one_that_is_held)
{
    struct roster *held = NULL;

    put_team("a", 1);
    for (int i = 0; i < 40; i++) {
        char day[32];

        snprintf(day, sizeof day, "2025-01-%02d", i % 28 + 1);
        world_outcome(&world, "a", "b", day, true);
        if (i % 5 == 4)
            world_publish(&world);
        if (i == 9)
            held = roster_hold(world.roster);
    }
    cr_expect_eq(roster_record(held, world_row(&world, "a"))->n, 10);
    cr_expect_eq(roster_record(world.roster, world_row(&world, "a"))->n, 40);
    for (uint32_t i = 1; i < 40; i++)
        cr_expect_leq(roster_record(world.roster, 0)->outcomes[i - 1].day,
                      roster_record(world.roster, 0)->outcomes[i].day);
    roster_drop(held);
}

Test(roster, an_abandoned_edit_leaves_no_trace_but_an_empty_row)
{
    put_team("a", 1);
    world_publish(&world);
    put_team("a", 2);
    put_team("b", 2);
    roster_edit_abandon(world.edit);
    world.edit = NULL;
    cr_expect_eq(team_of(world.roster, "a"), 1);
    cr_expect_eq(roster_find(world.roster, STR_LIT("b")), ROSTER_NO_ROW);
    put_team("c", 3);
    world_publish(&world);
    cr_expect_eq(team_of(world.roster, "a"), 1);
    cr_expect_eq(team_of(world.roster, "c"), 3);
    cr_expect_eq(roster_find(world.roster, STR_LIT("b")), ROSTER_NO_ROW);
    cr_expect_eq(roster_profiles(world.roster), 2);
    put_team("b", 4);
    world_publish(&world);
    cr_expect_eq(team_of(world.roster, "b"), 4);
}

Test(roster, holds_thousands_over_many_chunks)
{
    char id[32];

    for (int i = 0; i < 3000; i++) {
        snprintf(id, sizeof id, "p%d", i);
        put_team(id, i);
    }
    world_publish(&world);
    cr_expect_eq(roster_profiles(world.roster), 3000);
    for (int i = 0; i < 3000; i++) {
        snprintf(id, sizeof id, "p%d", i);
        cr_assert_eq(team_of(world.roster, id), i);
    }
    put_team("p1500", 7);
    world_publish(&world);
    cr_expect_eq(team_of(world.roster, "p1500"), 7);
    cr_expect_eq(team_of(world.roster, "p1501"), 1501);
}

Test(roster, counts_its_memory_up_and_down_again)
{
    size_t before, with_b;

    put_team("a", 1);
    put_team("b", 2); /* its columns stay wide enough for two teams */
    world_publish(&world);
    world_delete(&world, "b");
    world_publish(&world);
    before = roster_bytes(world.roster);
    put_team("b", 1);
    world_publish(&world);
    with_b = roster_bytes(world.roster);
    cr_expect_eq(with_b - before, roster_facts(world.roster, world_row(&world, "b"))->bytes);
    put_team("b", 2);
    world_publish(&world);
    cr_expect_eq(roster_bytes(world.roster), with_b);
    world_delete(&world, "b");
    world_publish(&world);
    cr_expect_eq(roster_bytes(world.roster), before);
}

/* ---- memory ---- */

enum { N_CHANGES = 20 };

/* The facts are made beforehand, so that only the roster's own requests fail. */
static struct roster *
edit_once(struct roster *base, struct facts *const facts[N_CHANGES])
{
    struct roster_edit *edit = roster_edit_begin(base);
    struct err err = {0};

    if (edit == NULL)
        return NULL;
    for (int i = 0; i < N_CHANGES; i++)
        if (roster_edit_put(edit, facts_hold(facts[i]), &err) != ERR_OK ||
            roster_edit_outcome(edit, STR_LIT("m0"), STR_LIT("z"), i, true, &err) != ERR_OK) {
            cr_expect_eq(err.code, ERR_BUSY);
            roster_edit_abandon(edit);
            return NULL;
        }
    roster_edit_delete(edit, STR_LIT("a")); /* publishing tells whether it could */
    return roster_publish(edit, 2, &err);
}

Test(roster, every_failed_allocation_leaves_the_published_one_as_it_was)
{
    struct facts *facts[N_CHANGES];
    bool happened = true;

    for (int i = 0; i < N_CHANGES; i++) {
        char json[32];

        snprintf(json, sizeof json, "{\"id\": \"m%d\"}", i);
        facts[i] = world_facts(&world, NULL, json);
    }
    put_team("a", 1);
    for (int i = 0; i < 300; i++) {
        char id[32];

        snprintf(id, sizeof id, "other%d", i);
        put_team(id, i);
    }
    world_publish(&world);
    for (long n = 1; happened; n++) {
        struct roster *next;

        mem_fail_at(n);
        next = edit_once(world.roster, facts);
        happened = mem_fail_happened();
        cr_assert_eq(next == NULL, happened, "allocation %ld", n);
        cr_assert_eq(team_of(world.roster, "a"), 1);
        cr_assert_eq(roster_profiles(world.roster), 301);
        if (next != NULL) {
            cr_assert_eq(roster_profiles(next), 320);
            cr_assert_eq(roster_record(next, roster_find(next, STR_LIT("m0")))->n, N_CHANGES);
        }
        roster_drop(next);
    }
    for (int i = 0; i < N_CHANGES; i++)
        facts_drop(facts[i]);
}

Test(roster, a_deletion_that_met_the_end_of_memory_is_not_published)
{
    struct roster_edit *edit;
    struct err err = {0};

    put_team("a", 1);
    world_publish(&world);
    edit = roster_edit_begin(world.roster);
    mem_fail_at(1);
    cr_expect_eq(roster_edit_delete(edit, STR_LIT("a")), ERR_BUSY);
    cr_expect(mem_fail_happened());
    cr_expect_null(roster_publish(edit, 9, &err));
    cr_expect_eq(err.code, ERR_BUSY);
    cr_expect_eq(team_of(world.roster, "a"), 1);
}
