#include "cases.h"
#include "schema.h"

Test(schema, its_rows_stand_in_the_order_of_their_ids_and_are_complete)
{
    for (int i = 0; i < FIELD_COUNT; i++) {
        cr_expect_eq(schema[i].id, i, "%s", schema[i].name);
        cr_assert_not_null(schema[i].name);
        cr_expect_not_null(schema[i].text, "%s has no line for the reference", schema[i].name);
        cr_expect_eq(schema_find(str_from(schema[i].name)), &schema[i]);
        cr_expect(schema[i].vocabulary >= -1 && schema[i].vocabulary < VOCABULARY_COUNT);
        cr_expect_eq(schema[i].slot == SLOT_MONEY, schema[i].type == FIELD_TYPE_MONEY);
        cr_expect_eq(schema[i].slot == SLOT_PERIOD, schema[i].type == FIELD_TYPE_PERIOD);
    }
}

static const struct {
    const char *given, *nearest;
} nearest_cases[] = {
    {"sector", "sectors"},
    {"wesbite", "website"},
    {"Stage", "stage"},
    {"descripton", "description"},
    {"organization", "organisation"},
    {"needs", "needs"},
    {"turnover", NULL},
    {"", NULL},
    {"x", NULL},
};

EACH_CASE(schema, nearest_finds_what_was_probably_meant, nearest_cases)
{
    const struct field *field = schema_nearest(str_from(nearest_cases[*case_index].given));

    if (nearest_cases[*case_index].nearest == NULL)
        cr_expect_null(field, "%s", field != NULL ? field->name : "");
    else
        cr_expect_str_eq(field != NULL ? field->name : "", nearest_cases[*case_index].nearest);
}

static const struct {
    enum field_id field;
    const char *kind;
    bool has;
} kind_cases[] = {
    {FIELD_STAGE, "startup", true},         {FIELD_STAGE, "investor", false},
    {FIELD_STAGES, "event", true},          {FIELD_STAGES, "incubator", true},
    {FIELD_STAGES, "even", false},          {FIELD_STAGES, "incubator investor", false},
    {FIELD_NAME, "anything", true},         {FIELD_CAPACITY, "startup", false},
    {FIELD_CAPACITY, "city-service", true}, {FIELD_TICKET, "", false},
};

EACH_CASE(schema, knows_which_kinds_have_a_field, kind_cases)
{
    cr_expect_eq(schema_has_kind(&schema[kind_cases[*case_index].field],
                                 str_from(kind_cases[*case_index].kind)),
                 kind_cases[*case_index].has);
}

static const struct {
    const char *id;
    bool is_valid;
} id_cases[] = {
    {"a", true},
    {"0", true},
    {"acme-2.0_x", true},
    {"", false},
    {"-a", false},
    {".a", false},
    {"Acme", false},
    {"a b", false},
    {"é", false},
    {"a/b", false},
    {"1234567890123456789012345678901234567890123456789012345678901234", true},
    {"12345678901234567890123456789012345678901234567890123456789012345", false},
};

EACH_CASE(schema, ids_are_short_and_plain, id_cases)
{
    cr_expect_eq(id_is_valid(str_from(id_cases[*case_index].id)), id_cases[*case_index].is_valid,
                 "%s", id_cases[*case_index].id);
}
