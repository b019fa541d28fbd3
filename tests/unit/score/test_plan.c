#include "plan.h"
#include "world.h"

#include <criterion/criterion.h>

static struct world world;

static void
set_up(void)
{
    world_open(&world);
    world_publish(&world);
}

static void
tear_down(void)
{
    world_close(&world);
}

TestSuite(plan, .init = set_up, .fini = tear_down);

/* A pairing that programme_decode would not let through. */
static enum err_code
make(struct want *want, struct requirement *requirement, struct err *err)
{
    struct pairing pairing = {.id = STR_LIT("x"),
                              .from_view = {want, want != NULL},
                              .require = requirement,
                              .n_require = requirement != NULL};
    struct match_context context = {.pairing = &pairing,
                                    .roster = world.roster,
                                    .reference = world.reference,
                                    .symbols = world.symbols};
    struct match_plan *plan;

    return match_plan_make(&context, world.arena, &plan, err);
}

static struct operand
field(enum field_id id)
{
    return (struct operand){.kind = OPERAND_FIELD, .field = id};
}

static const struct {
    const char *says;
    enum want_type type;
    struct operand of, by;
} bad_wants[] = {
    {"codes against money",
     WANT_OVERLAP,
     {OPERAND_FIELD, FIELD_SECTORS, 0, NULL},
     {OPERAND_FIELD, FIELD_RAISING, 0, NULL}},
    {"money against numbers",
     WANT_RANGE,
     {OPERAND_FIELD, FIELD_RAISING, 0, NULL},
     {OPERAND_FIELD, FIELD_TEAM, 0, NULL}},
    {"a constant where none may stand",
     WANT_COVER,
     {OPERAND_NUMBER, FIELD_NONE, 3, NULL},
     {OPERAND_FIELD, FIELD_SECTORS, 0, NULL}},
    {"a negative constant",
     WANT_AT_LEAST,
     {OPERAND_NUMBER, FIELD_NONE, -1, NULL},
     {OPERAND_FIELD, FIELD_TEAM, 0, NULL}},
    {"a record where none may stand",
     WANT_ANY,
     {OPERAND_FIELD, FIELD_SECTORS, 0, NULL},
     {OPERAND_RECORD, FIELD_SECTORS, 0, NULL}},
    {"a record want without one",
     WANT_RECORD,
     {OPERAND_FIELD, FIELD_SECTORS, 0, NULL},
     {OPERAND_FIELD, FIELD_SECTORS, 0, NULL}},
    {"a stage want of codes without order",
     WANT_STAGE,
     {OPERAND_FIELD, FIELD_SECTORS, 0, NULL},
     {OPERAND_FIELD, FIELD_SECTORS, 0, NULL}},
    {"a learned scorecard",
     WANT_MODEL,
     {OPERAND_FIELD, FIELD_DESCRIPTION, 0, NULL},
     {OPERAND_FIELD, FIELD_DESCRIPTION, 0, NULL}},
};

Test(plan, refuses_wants_that_compare_what_can_not_be_compared)
{
    for (size_t i = 0; i < sizeof bad_wants / sizeof bad_wants[0]; i++) {
        struct want want = {
            .type = bad_wants[i].type, .of = bad_wants[i].of, .by = bad_wants[i].by, .weight = 1};
        struct err err = {0};

        cr_expect_eq(make(&want, NULL, &err), ERR_INVALID_PARAMS, "%s", bad_wants[i].says);
        cr_expect_str_eq(err.field, "from_wants[0]", "%s: %s", bad_wants[i].says, err.field);
        cr_expect(err.message[0] != '\0');
    }
}

Test(plan, refuses_requirements_that_compare_what_can_not_be_compared)
{
    struct requirement requirement = {
        .type = REQUIRE_BEFORE, .of = field(FIELD_FOUNDED), .by = field(FIELD_TEAM)};
    struct err err = {0};

    cr_expect_eq(make(NULL, &requirement, &err), ERR_INVALID_PARAMS);
    cr_expect_str_eq(err.field, "require[0]");
}

Test(plan, tells_when_the_arena_is_full)
{
    struct want want = {
        .type = WANT_ANY, .of = field(FIELD_LANGUAGES), .by = field(FIELD_LANGUAGES), .weight = 1};
    struct pairing pairing = {.from = {STR_LIT("startup"), STR_LIT("nowhere")},
                              .from_view = {&want, 1}};
    struct match_context context = {.pairing = &pairing,
                                    .roster = world.roster,
                                    .reference = world.reference,
                                    .symbols = world.symbols};
    struct match_plan *plan;
    enum err_code code = ERR_BUSY;
    int n_failed = 0;

    for (size_t limit = 16; code != ERR_OK; limit += 16, n_failed++) {
        struct arena *small = arena_create(limit);

        code = match_plan_make(&context, small, &plan, NULL);
        cr_assert(code == ERR_OK || code == ERR_BUSY);
        arena_destroy(small);
        cr_assert_lt(limit, 1 << 20);
    }
    cr_expect_gt(n_failed, 10);
}

Test(plan, a_metro_that_no_profile_names_is_a_side_without_profiles_not_any_side)
{
    struct match_plan *plan;
    struct facts *facts =
        world_facts(&world, NULL, "{\"id\": \"a\", \"kind\": \"startup\", \"metro\": \"paris\"}");

    plan = world_plan(&world, "{\"id\": \"x\", \"from\": {\"metro\": \"berlin\"}, \"to\": {}}",
                      false, "2026-01-01", NULL);
    cr_expect_neq(plan->sides[PLAN_FROM].metro, SYMBOL_NONE);
    cr_expect_neq(plan->sides[PLAN_FROM].metro, facts->metro);
    cr_expect(str_is(match_symbol_text(plan, plan->sides[PLAN_FROM].metro), "berlin"));
    cr_expect_eq(plan->sides[PLAN_TO].metro, SYMBOL_NONE);
    facts_drop(facts);
}
