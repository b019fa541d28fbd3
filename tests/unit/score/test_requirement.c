#include "requirement.h"
#include "world.h"

#include <criterion/criterion.h>
#include <criterion/parameterized.h>

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

TestSuite(requirement, .init = set_up, .fini = tear_down);

/* Kind any, metro any: only the requirement decides. from and to are the fields of two profiles. */
static const struct {
    const char *says, *require, *from, *to;
    bool holds;
} cases[] = {
    {"any: one shared code", "\"type\": \"any\", \"of\": \"languages\", \"by\": \"languages\"",
     "\"languages\": [\"fr\", \"en\"]", "\"languages\": [\"en\"]", true},
    {"any: none shared", "\"type\": \"any\", \"of\": \"languages\", \"by\": \"languages\"",
     "\"languages\": [\"fr\"]", "\"languages\": [\"en\", \"de\"]", false},
    {"any: a group does not stand for its leaves",
     "\"type\": \"any\", \"of\": \"sectors\", \"by\": \"sectors\"", "\"sectors\": [\"food\"]",
     "\"sectors\": [\"food.agri\"]", false},
    {"any: a constant", "\"type\": \"any\", \"of\": \"languages\", \"value\": [\"de\", \"fr\"]",
     "\"languages\": [\"fr\"]", "", true},
    {"any: missing fails", "\"type\": \"any\", \"of\": \"languages\", \"by\": \"languages\"", "",
     "\"languages\": [\"en\"]", false},
    {"any: missing passes where it says so",
     "\"type\": \"any\", \"of\": \"languages\", \"by\": \"languages\", \"missing\": \"pass\"", "",
     "\"languages\": [\"en\"]", true},
    {"all: every code is there", "\"type\": \"all\", \"of\": \"needs\", \"by\": \"offers\"",
     "\"needs\": [\"legal\"]", "\"offers\": [\"legal\", \"funding\"]", true},
    {"all: one code is not", "\"type\": \"all\", \"of\": \"needs\", \"by\": \"offers\"",
     "\"needs\": [\"legal\", \"funding\"]", "\"offers\": [\"legal\"]", false},
    {"within: the stage is accepted", "\"type\": \"within\", \"of\": \"stage\", \"by\": \"stages\"",
     "\"stage\": \"seed\"", "\"stages\": [\"seed\", \"growth\"]", true},
    {"within: a neighbour is not", "\"type\": \"within\", \"of\": \"stage\", \"by\": \"stages\"",
     "\"stage\": \"proto\"", "\"stages\": [\"seed\", \"growth\"]", false},
    {"within: self meets self", "\"type\": \"within\", \"of\": \"stage\", \"by\": \"stages\"",
     "\"stage\": \"self\"", "\"stages\": [\"seed\", \"self\"]", true},
    {"within: self meets nothing else",
     "\"type\": \"within\", \"of\": \"stage\", \"by\": \"stages\"", "\"stage\": \"self\"",
     "\"stages\": [\"seed\"]", false},
    {"meets: ranges with a cell in common",
     "\"type\": \"meets\", \"of\": \"raising\", \"by\": \"ticket\"",
     "\"raising\": {\"min\": 100000, \"max\": 500000, \"currency\": \"USD\"}",
     "\"ticket\": {\"min\": 500000, \"max\": 900000, \"currency\": \"USD\"}", true},
    {"meets: in cells, so that a little less is the same",
     "\"type\": \"meets\", \"of\": \"raising\", \"by\": \"ticket\"",
     "\"raising\": {\"min\": 100000, \"max\": 499999, \"currency\": \"USD\"}",
     "\"ticket\": {\"min\": 500000, \"max\": 900000, \"currency\": \"USD\"}", true},
    {"meets: apart", "\"type\": \"meets\", \"of\": \"raising\", \"by\": \"ticket\"",
     "\"raising\": {\"min\": 100000, \"max\": 200000, \"currency\": \"USD\"}",
     "\"ticket\": {\"min\": 500000, \"max\": 900000, \"currency\": \"USD\"}", false},
    {"meets: in dollars whatever the currency",
     "\"type\": \"meets\", \"of\": \"raising\", \"by\": \"ticket\"",
     "\"raising\": {\"min\": 1000, \"currency\": \"EUR\"}",
     "\"ticket\": {\"min\": 1200, \"currency\": \"USD\"}", true},
    {"meets: a currency without a rate is missing",
     "\"type\": \"meets\", \"of\": \"raising\", \"by\": \"ticket\"",
     "\"raising\": {\"min\": 1000, \"currency\": \"JPY\"}",
     "\"ticket\": {\"min\": 1000, \"currency\": \"USD\"}", false},
    {"meets: which may pass",
     "\"type\": \"meets\", \"of\": \"raising\", \"by\": \"ticket\", \"missing\": \"pass\"",
     "\"raising\": {\"min\": 1000, \"currency\": \"JPY\"}",
     "\"ticket\": {\"min\": 1, \"currency\": \"USD\"}", true},
    {"meets: whole numbers", "\"type\": \"meets\", \"of\": \"team\", \"by\": \"capacity\"",
     "\"team\": 7", "\"capacity\": 6", true},
    {"meets: whole numbers apart", "\"type\": \"meets\", \"of\": \"team\", \"by\": \"capacity\"",
     "\"team\": 5", "\"capacity\": 6", false},
    {"equals: as sets", "\"type\": \"equals\", \"of\": \"languages\", \"by\": \"languages\"",
     "\"languages\": [\"fr\", \"en\"]", "\"languages\": [\"en\", \"fr\", \"en\"]", true},
    {"equals: a part is not equal",
     "\"type\": \"equals\", \"of\": \"languages\", \"by\": \"languages\"",
     "\"languages\": [\"fr\", \"en\"]", "\"languages\": [\"en\"]", false},
    {"differs: as sets", "\"type\": \"differs\", \"of\": \"country\", \"by\": \"country\"",
     "\"country\": \"FR\"", "\"country\": \"US\"", true},
    {"differs: equal", "\"type\": \"differs\", \"of\": \"country\", \"by\": \"country\"",
     "\"country\": \"FR\"", "\"country\": \"FR\"", false},
    {"differs: missing is not different",
     "\"type\": \"differs\", \"of\": \"country\", \"by\": \"country\"", "", "\"country\": \"FR\"",
     false},
    {"at_least: equal", "\"type\": \"at_least\", \"of\": \"team\", \"by\": \"capacity\"",
     "\"team\": 3", "\"capacity\": 3", true},
    {"at_least: less", "\"type\": \"at_least\", \"of\": \"team\", \"by\": \"capacity\"",
     "\"team\": 2", "\"capacity\": 3", false},
    {"at_least: a constant", "\"type\": \"at_least\", \"of\": \"team\", \"value\": 2",
     "\"team\": 2", "", true},
    {"at_most: equal", "\"type\": \"at_most\", \"of\": \"team\", \"by\": \"capacity\"",
     "\"team\": 3", "\"capacity\": 3", true},
    {"at_most: more", "\"type\": \"at_most\", \"of\": \"team\", \"by\": \"capacity\"",
     "\"team\": 4", "\"capacity\": 3", false},
    {"before: a day earlier", "\"type\": \"before\", \"of\": \"founded\", \"by\": \"founded\"",
     "\"founded\": \"2019-12-31\"", "\"founded\": \"2020\"", true},
    {"before: the same day is not before",
     "\"type\": \"before\", \"of\": \"founded\", \"by\": \"founded\"", "\"founded\": \"2020-01\"",
     "\"founded\": \"2020\"", false},
    {"after: a day later", "\"type\": \"after\", \"of\": \"founded\", \"value\": \"2020\"",
     "\"founded\": \"2020-01-02\"", "", true},
    {"after: a year stands for its first day",
     "\"type\": \"after\", \"of\": \"founded\", \"value\": \"2020\"", "\"founded\": \"2020\"", "",
     false},
    {"overlaps: one day", "\"type\": \"overlaps\", \"of\": \"available\", \"by\": \"available\"",
     "\"available\": {\"from\": \"2026-01-01\", \"to\": \"2026-02-01\"}",
     "\"available\": {\"from\": \"2026-02-01\", \"to\": \"2026-03-01\"}", true},
    {"overlaps: no day", "\"type\": \"overlaps\", \"of\": \"available\", \"by\": \"available\"",
     "\"available\": {\"from\": \"2026-01-01\", \"to\": \"2026-01-31\"}",
     "\"available\": {\"from\": \"2026-02-01\", \"to\": \"2026-03-01\"}", false},
    {"overlaps: open ends", "\"type\": \"overlaps\", \"of\": \"available\", \"by\": \"available\"",
     "\"available\": {\"from\": \"2026-01-01\"}", "\"available\": {\"from\": \"2030-01-01\"}",
     true},
    {"overlaps: open ends that look away from each other",
     "\"type\": \"overlaps\", \"of\": \"available\", \"by\": \"available\"",
     "\"available\": {\"to\": \"2026-01-01\"}", "\"available\": {\"from\": \"2026-01-02\"}", false},
};

ParameterizedTestParameters(requirement, holds_or_not)
{
    static size_t index[sizeof cases / sizeof cases[0]];

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        index[i] = i;
    return cr_make_param_array(size_t, index, sizeof cases / sizeof cases[0]);
}

static struct facts *
profile(const char *id, const char *fields)
{
    struct str json = arena_format(world.arena,
                                   "{\"id\": \"%s\", \"kind\": \"%s\", \"consent\": {\"match\": "
                                   "true}%s%s}",
                                   id, id, fields[0] != '\0' ? ", " : "", fields);

    return world_facts(&world, NULL, json.data);
}

ParameterizedTest(size_t *i, requirement, holds_or_not)
{
    struct str pairing = arena_format(
        world.arena,
        "{\"id\": \"x\", \"from\": {}, \"to\": {}, \"require\": [{\"id\": \"r\", %s}]}",
        cases[*i].require);
    struct facts *from = profile("from", cases[*i].from), *to = profile("to", cases[*i].to);
    struct match_plan *plan;
    int requirement = -1;
    enum rule rule;

    world_publish(&world);
    plan = world_plan(&world, pairing.data, false, "2026-01-01", NULL);
    rule = match_pair_rule(plan, from, to, &requirement);
    cr_expect_eq(rule, cases[*i].holds ? RULE_NONE : RULE_REQUIREMENT, "%s", cases[*i].says);
    cr_expect_eq(requirement, cases[*i].holds ? -1 : 0, "%s", cases[*i].says);
    facts_drop(from);
    facts_drop(to);
}

/* ---- the rules that hold everywhere ---- */

static const char hosting[] =
    "{\"id\": \"hosting\", \"from\": {\"kind\": \"startup\", \"metro\": \"paris\"},"
    " \"to\": {\"kind\": \"incubator\", \"metro\": \"silicon-valley\"},"
    " \"require\": [{\"id\": \"r\", \"type\": \"any\", \"of\": \"languages\", \"by\": "
    "\"languages\"}]}";

static const struct {
    const char *says, *from, *to;
    enum rule rule;
} rules[] = {
    {"all is well", "\"id\": \"s\"", "\"id\": \"h\"", RULE_NONE},
    {"a profile with itself, whatever else", "\"id\": \"s\", \"consent\": null", "\"id\": \"s\"",
     RULE_SELF},
    {"another kind", "\"id\": \"s\", \"kind\": \"investor\"", "\"id\": \"h\"", RULE_SIDE},
    {"another metro", "\"id\": \"s\"", "\"id\": \"h\", \"metro\": \"berlin\"", RULE_SIDE},
    {"no metro is no side that names one", "\"id\": \"s\", \"metro\": null", "\"id\": \"h\"",
     RULE_SIDE},
    {"the from side lists the other", "\"id\": \"s\", \"conflicts\": [\"h\"]", "\"id\": \"h\"",
     RULE_CONFLICT},
    {"the to side lists the other", "\"id\": \"s\"", "\"id\": \"h\", \"conflicts\": [\"x\", \"s\"]",
     RULE_CONFLICT},
    {"it lists the other's organisation", "\"id\": \"s\", \"conflicts\": [\"group\"]",
     "\"id\": \"h\", \"organisation\": \"group\"", RULE_CONFLICT},
    {"the other way round", "\"id\": \"s\", \"organisation\": \"group\"",
     "\"id\": \"h\", \"conflicts\": [\"group\"]", RULE_CONFLICT},
    {"its own organisation in its own list means nothing here",
     "\"id\": \"s\", \"organisation\": \"group\", \"conflicts\": [\"group\"]", "\"id\": \"h\"",
     RULE_NONE},
    {"a shared organisation is no conflict by itself", "\"id\": \"s\", \"organisation\": \"g\"",
     "\"id\": \"h\", \"organisation\": \"g\"", RULE_NONE},
    {"a conflict comes before consent", "\"id\": \"s\", \"conflicts\": [\"h\"], \"consent\": null",
     "\"id\": \"h\"", RULE_CONFLICT},
    {"no consent", "\"id\": \"s\", \"consent\": null", "\"id\": \"h\"", RULE_CONSENT},
    {"consent refused", "\"id\": \"s\"", "\"id\": \"h\", \"consent\": {\"match\": false}",
     RULE_CONSENT},
    {"consent until the day before", "\"id\": \"s\"",
     "\"id\": \"h\", \"consent\": {\"match\": true, \"until\": \"2026-02-28\"}",
     RULE_CONSENT_LAPSED},
    {"consent until the day itself", "\"id\": \"s\"",
     "\"id\": \"h\", \"consent\": {\"match\": true, \"until\": \"2026-03-01\"}", RULE_NONE},
    {"no consent of the one comes before the lapsed of the other",
     "\"id\": \"s\", \"consent\": {\"match\": true, \"until\": \"2020-01-01\"}",
     "\"id\": \"h\", \"consent\": null", RULE_CONSENT},
    {"paused", "\"id\": \"s\", \"status\": \"paused\"", "\"id\": \"h\"", RULE_PAUSED},
    {"active is not paused", "\"id\": \"s\", \"status\": \"active\"", "\"id\": \"h\"", RULE_NONE},
    {"a pause comes before the pairing's requirements",
     "\"id\": \"s\", \"languages\": [\"de\"], \"status\": \"paused\"", "\"id\": \"h\"",
     RULE_PAUSED},
    {"the pairing's requirement", "\"id\": \"s\", \"languages\": [\"de\"]", "\"id\": \"h\"",
     RULE_REQUIREMENT},
};

/* Later keys win, so the given fields lie over the usual ones. */
static struct facts *
usual(const char *kind, const char *metro, const char *fields)
{
    struct str json = arena_format(world.arena, "{%s, \"x\": 0}", fields);
    const msgpack_object *given = world_json(&world, json.data);
    struct str line = {"", 0};
    static const char *const keys[] = {"kind", "metro", "languages", "consent"};
    const char *presets[] = {kind, metro, "[\"en\"]", "{\"match\": true}"};

    for (int i = 0; i < 4; i++)
        if (value_find(given, keys[i]) == NULL)
            line =
                arena_format(world.arena, "%.*s, \"%s\": %s", STR_ARG(line), keys[i], presets[i]);
    return world_facts(&world, NULL,
                       arena_format(world.arena, "{%s%.*s}", fields, STR_ARG(line)).data);
}

Test(requirement, rules_are_told_in_their_order)
{
    world_publish(&world);
    for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++) {
        struct facts *from = usual("\"startup\"", "\"paris\"", rules[i].from);
        struct facts *to = usual("\"incubator\"", "\"silicon-valley\"", rules[i].to);
        struct match_plan *plan = world_plan(&world, hosting, false, "2026-03-01", NULL);
        int requirement = -1;
        enum rule rule = match_pair_rule(plan, from, to, &requirement);

        cr_expect_eq(rule, rules[i].rule, "%s: %s", rules[i].says, rule_name(rule));
        facts_drop(from);
        facts_drop(to);
    }
}

Test(requirement, a_mirrored_pairing_exchanges_the_metros_and_not_the_kinds)
{
    struct facts *paris = usual("\"startup\"", "\"paris\"", "\"id\": \"s\"");
    struct facts *valley = usual("\"startup\"", "\"silicon-valley\"", "\"id\": \"s\"");
    struct match_plan *plan;

    world_publish(&world);
    plan = world_plan(&world, hosting, true, "2026-03-01", NULL);
    cr_expect(!side_fits(&plan->sides[PLAN_FROM], paris));
    cr_expect(side_fits(&plan->sides[PLAN_FROM], valley));
    cr_expect(!side_fits(&plan->sides[PLAN_TO], paris));
    facts_drop(paris);
    facts_drop(valley);
}

Test(requirement, a_profile_rule_tells_one_sides_own)
{
    struct facts *well = usual("\"startup\"", "\"paris\"", "\"id\": \"s\"");
    struct facts *lapsed =
        usual("\"startup\"", "\"paris\"",
              "\"id\": \"s\", \"consent\": {\"match\": true, \"until\": \"2026-02-28\"}");
    struct match_plan *plan;

    world_publish(&world);
    plan = world_plan(&world, hosting, false, "2026-03-01", NULL);
    cr_expect_eq(match_profile_rule(plan, well), RULE_NONE);
    cr_expect_eq(match_profile_rule(plan, lapsed), RULE_CONSENT_LAPSED);
    facts_drop(well);
    facts_drop(lapsed);
}

Test(requirement, every_rule_has_a_name)
{
    for (int rule = RULE_NONE; rule <= RULE_REQUIREMENT; rule++)
        for (int other = RULE_NONE; other < rule; other++)
            cr_expect_str_neq(rule_name((enum rule)rule), rule_name((enum rule)other));
    cr_expect_str_eq(rule_name(RULE_CONSENT_LAPSED), "consent_lapsed");
}
