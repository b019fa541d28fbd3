#include "cases.h"
#include "json.h"
#include "rpc_fixture.h"

#include <string.h>

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

TestSuite(handle_profile, .init = setup, .fini = teardown);

#define ACME                                                                                    \
    "{\"profile\": {\"id\": \"acme\", \"kind\": \"startup\", \"name\": \"Acmé\", \"metro\": "  \
    "\"paris\", \"sectors\": [\"ai.ml\"], \"team\": 5, \"description\": {\"fr\": \"Des robots " \
    "jardiniers\"}, \"confidential\": {\"raising\": {\"min\": 5, \"currency\": \"EUR\"}}}}"

static const char *
put_named(const char *id, const char *name, const char *more)
{
    return arena_format(
               rpc.arena,
               "{\"profile\": {\"id\": \"%s\", \"kind\": \"startup\", \"name\": \"%s\"%s}}", id,
               name, more)
        .data;
}

/* ---- put ---- */

Test(handle_profile, a_new_profile_is_version_1_and_can_be_read_back)
{
    const msgpack_object *put = rpc_ok(&rpc, "profile.put", ACME);
    const msgpack_object *got = rpc_ok(&rpc, "profile.get", "{\"id\": \"acme\"}");

    cr_expect(rpc_bool(put, "created") && !rpc_bool(put, "unchanged"));
    cr_expect_eq(rpc_int(put, "version"), 1);
    cr_expect_str_eq(rpc_text(&rpc, got, "name"), "Acmé");
    cr_expect_eq(rpc_int(got, "seq"), rpc_int(put, "seq"));
    cr_expect_eq(rpc_int(got, "updated_at"), rpc.clock.fixed_wall_ms);
    cr_expect_eq(rpc_int(got, "confidential.raising.min"), 5);
}

Test(handle_profile, what_get_gave_can_be_put_back_and_changes_nothing)
{
    const msgpack_object *got, *again;
    struct buf json;
    uint64_t seq;

    rpc_ok(&rpc, "profile.put", ACME);
    got = rpc_ok(&rpc, "profile.get", "{\"id\": \"acme\"}");
    seq = rpc_seq(&rpc);
    buf_init(&json, 65536);
    buf_append_text(&json, "{\"profile\": ");
    cr_assert_eq(rpc_int(got, "version"), 1);
    struct buf text;
    buf_init(&text, 65536);
    json_encode(&text, got, JSON_COMPACT);
    buf_append_str(&json, buf_str(&text));
    buf_append(&json, "}", 2);
    again = rpc_ok(&rpc, "profile.put", json.data);
    cr_expect(rpc_bool(again, "unchanged"));
    cr_expect_eq(rpc_int(again, "version"), 1);
    cr_expect_eq(rpc_seq(&rpc), seq);
    buf_fini(&json);
    buf_fini(&text);
}

Test(handle_profile, if_version_guards_against_a_lost_change)
{
    rpc_ok(&rpc, "profile.put", put_named("a", "A", ""));
    rpc_fails(
        &rpc, "profile.put",
        "{\"profile\": {\"id\": \"a\", \"kind\": \"startup\", \"name\": \"B\"}, \"if_version\": 0}",
        ERR_CONFLICT, "if_version");
    rpc_fails(
        &rpc, "profile.put",
        "{\"profile\": {\"id\": \"a\", \"kind\": \"startup\", \"name\": \"B\"}, \"if_version\": 2}",
        ERR_CONFLICT, "if_version");
    rpc_fails(
        &rpc, "profile.put",
        "{\"profile\": {\"id\": \"n\", \"kind\": \"startup\", \"name\": \"N\"}, \"if_version\": 1}",
        ERR_CONFLICT, "if_version");
    cr_expect_eq(rpc_int(rpc_ok(&rpc, "profile.put",
                                "{\"profile\": {\"id\": \"a\", \"kind\": \"startup\", \"name\": "
                                "\"B\"}, \"if_version\": 1}"),
                         "version"),
                 2);
}

static const struct {
    const char *says, *profile;
    enum err_code code;
    const char *field;
} faulty[] = {
    {"no kind", "{\"id\": \"a\", \"name\": \"A\"}", ERR_INVALID_PARAMS, "profile.kind"},
    {"an unknown field", "{\"id\": \"a\", \"kind\": \"startup\", \"name\": \"A\", \"sektors\": []}",
     ERR_INVALID_PARAMS, "profile.sektors"},
    {"an unknown code",
     "{\"id\": \"a\", \"kind\": \"startup\", \"name\": \"A\", \"sectors\": [\"fintec\"]}",
     ERR_INVALID_PARAMS, "profile.sectors[0]"},
    {"money upside down",
     "{\"id\": \"a\", \"kind\": \"startup\", \"name\": \"A\", \"raising\": {\"min\": 5, \"max\": 1, "
     "\"currency\": \"EUR\"}}",
     ERR_INVALID_PARAMS, NULL},
    {"a team of minus one", "{\"id\": \"a\", \"kind\": \"startup\", \"name\": \"A\", \"team\": -1}",
     ERR_INVALID_PARAMS, "profile.team"},
};

ParameterizedTestParameters(handle_profile, a_faulty_profile_is_told_by_its_field)
{
    static size_t index[5] = {0, 1, 2, 3, 4};

    return cr_make_param_array(size_t, index, 5);
}

ParameterizedTest(size_t *i, handle_profile, a_faulty_profile_is_told_by_its_field)
{
    rpc_fails(&rpc, "profile.put",
              arena_format(rpc.arena, "{\"profile\": %s}", faulty[*i].profile).data,
              faulty[*i].code, faulty[*i].field);
}

/* ---- put_many ---- */

#define THREE                                                                                   \
    "\"profiles\": [{\"id\": \"a\", \"kind\": \"startup\", \"name\": \"A\"}, {\"id\": \"b\"}, " \
    "{\"id\": \"c\", \"kind\": \"lab\", \"name\": \"C\"}]"

Test(handle_profile, put_many_takes_the_good_and_names_the_bad)
{
    const msgpack_object *answer = rpc_ok(&rpc, "profile.put_many", "{" THREE "}");

    cr_expect_eq(rpc_int(answer, "put"), 2);
    cr_expect_eq(rpc_int(answer, "created"), 2);
    cr_expect_eq(rpc_int(answer, "failed[0].index"), 1);
    cr_expect_str_eq(rpc_text(&rpc, answer, "failed[0].error.name"), "invalid_params");
    rpc_ok(&rpc, "profile.get", "{\"id\": \"c\"}");
    cr_expect_eq(rpc_int(rpc_ok(&rpc, "profile.put_many", "{" THREE "}"), "unchanged"), 2);
}

Test(handle_profile, put_many_atomic_stores_all_or_none)
{
    const msgpack_object *answer =
        rpc_ok(&rpc, "profile.put_many", "{\"atomic\": true, " THREE "}");

    cr_expect_eq(rpc_int(answer, "put"), 0);
    rpc_fails(&rpc, "profile.get", "{\"id\": \"a\"}", ERR_NOT_FOUND, "id");
}

Test(handle_profile, put_many_dry_run_checks_and_stores_nothing)
{
    uint64_t seq = rpc_seq(&rpc);

    cr_expect_eq(rpc_int(rpc_ok(&rpc, "profile.put_many", "{\"dry_run\": true, " THREE "}"), "put"),
                 2);
    cr_expect_eq(rpc_seq(&rpc), seq);
}

/* ---- patch, delete, history ---- */

Test(handle_profile, patch_changes_what_is_named_and_null_removes)
{
    const msgpack_object *got;

    rpc_ok(&rpc, "profile.put", ACME);
    rpc_ok(&rpc, "profile.patch",
           "{\"id\": \"acme\", \"changes\": {\"team\": null, \"city\": \"Paris\", \"description\": "
           "{\"en\": \"Gardening robots\"}}}");
    got = rpc_ok(&rpc, "profile.get", "{\"id\": \"acme\"}");
    cr_expect_null(rpc_at(got, "team"));
    cr_expect_str_eq(rpc_text(&rpc, got, "city"), "Paris");
    cr_expect_str_eq(rpc_text(&rpc, got, "description.fr"), "Des robots jardiniers");
    cr_expect_str_eq(rpc_text(&rpc, got, "description.en"), "Gardening robots");
    cr_expect_eq(rpc_int(got, "confidential.raising.min"), 5);
}

Test(handle_profile, a_bad_patch_changes_nothing)
{
    rpc_ok(&rpc, "profile.put", ACME);
    rpc_fails(&rpc, "profile.patch", "{\"id\": \"acme\", \"changes\": {\"team\": \"many\"}}",
              ERR_INVALID_PARAMS, "changes.team");
    rpc_fails(&rpc, "profile.patch", "{\"id\": \"acme\", \"changes\": {\"id\": \"other\"}}",
              ERR_INVALID_PARAMS, "changes.id");
    rpc_fails(&rpc, "profile.patch", "{\"id\": \"acme\", \"changes\": {}, \"if_version\": 9}",
              ERR_CONFLICT, "if_version");
    rpc_fails(&rpc, "profile.patch", "{\"id\": \"acmee\", \"changes\": {}}", ERR_NOT_FOUND, "id");
    cr_expect_not_null(strstr(rpc.err.message, "did you mean acme"), "%s", rpc.err.message);
}

Test(handle_profile, history_tells_each_version_the_deletion_too)
{
    const msgpack_object *history;

    rpc_ok(&rpc, "profile.put", ACME);
    rpc_ok(&rpc, "profile.patch", "{\"id\": \"acme\", \"changes\": {\"team\": 6}}");
    rpc_ok(&rpc, "profile.delete", "{\"id\": \"acme\"}");
    rpc_fails(&rpc, "profile.get", "{\"id\": \"acme\"}", ERR_NOT_FOUND, "id");
    history = rpc_ok(&rpc, "profile.history", "{\"id\": \"acme\"}");
    cr_assert_eq(value_size(rpc_at(history, "versions")), 3);
    cr_expect_str_eq(rpc_text(&rpc, history, "versions[1].changed[0]"), "team");
    cr_expect_str_eq(rpc_text(&rpc, history, "versions[1].actor"), "admin test");
    cr_expect(rpc_bool(history, "versions[2].deleted"));
    cr_expect_eq(rpc_int(rpc_ok(&rpc, "profile.get", "{\"id\": \"acme\", \"version\": 1}"), "team"),
                 5);
    rpc_fails(&rpc, "profile.get", "{\"id\": \"acme\", \"version\": 3}", ERR_NOT_FOUND, "version");
    rpc_fails(&rpc, "profile.get", "{\"id\": \"acme\", \"version\": 4}", ERR_NOT_FOUND, "version");
    cr_expect_eq(rpc_int(rpc_ok(&rpc, "profile.put", ACME), "version"), 4, "numbers go on");
    const msgpack_object *page =
        rpc_ok(&rpc, "profile.history", "{\"id\": \"acme\", \"limit\": 3}");
    page = rpc_ok(&rpc, "profile.history",
                  arena_format(rpc.arena, "{\"id\": \"acme\", \"limit\": 3, \"after\": \"%s\"}",
                               rpc_text(&rpc, page, "next"))
                      .data);
    cr_expect_eq(rpc_int(page, "versions[0].version"), 4);
    cr_expect_null(rpc_at(page, "next"));
}

Test(handle_profile, delete_wants_the_profile_and_the_version)
{
    rpc_ok(&rpc, "profile.put", ACME);
    rpc_fails(&rpc, "profile.delete", "{\"id\": \"nobody\"}", ERR_NOT_FOUND, "id");
    rpc_fails(&rpc, "profile.delete", "{\"id\": \"acme\", \"if_version\": 7}", ERR_CONFLICT,
              "if_version");
    rpc_ok(&rpc, "profile.delete", "{\"id\": \"acme\", \"if_version\": 1}");
}

/* ---- who sees what ---- */

Test(handle_profile, only_officers_and_the_owner_see_the_confidential_part)
{
    rpc_ok(&rpc, "profile.put", ACME);
    rpc_act_as(&rpc, ROLE_READER, "r");
    cr_expect_null(rpc_at(rpc_ok(&rpc, "profile.get", "{\"id\": \"acme\"}"), "confidential"));
    rpc_act_as(&rpc, ROLE_OFFICER, "o");
    cr_expect_not_null(rpc_at(rpc_ok(&rpc, "profile.get", "{\"id\": \"acme\"}"), "confidential"));
    cr_expect_null(rpc_at(rpc_ok(&rpc, "profile.list", "{}"), "profiles[0].confidential"));
    rpc_act_as(&rpc, ROLE_PARTNER, "acme");
    cr_expect_not_null(rpc_at(rpc_ok(&rpc, "profile.get", "{\"id\": \"acme\"}"), "confidential"));
    rpc_act_as(&rpc, ROLE_PARTNER, "other");
    rpc_fails(&rpc, "profile.get", "{\"id\": \"acme\"}", ERR_FORBIDDEN, NULL);
    rpc_fails(&rpc, "profile.patch", "{\"id\": \"acme\", \"changes\": {\"team\": 1}}",
              ERR_FORBIDDEN, NULL);
    rpc_fails(&rpc, "profile.put", ACME, ERR_FORBIDDEN, NULL);
    rpc_fails(&rpc, "profile.history", "{\"id\": \"acme\"}", ERR_FORBIDDEN, NULL);
}

/* ---- list ---- */

static void
put_some(void)
{
    rpc_ok(&rpc, "profile.put",
           put_named("b", "Zèbre",
                     ", \"metro\": \"paris\", \"sectors\": [\"ai.ml\"], \"stage\": "
                     "\"seed\", \"tags\": [\"Café\"]"));
    rpc_ok(
        &rpc, "profile.put",
        put_named("a", "abeille", ", \"metro\": \"silicon-valley\", \"sectors\": [\"food.farm\"]"));
    rpc_ok(
        &rpc, "profile.put",
        "{\"profile\": {\"id\": \"c\", \"kind\": \"incubator\", \"name\": \"Écluse\", \"metro\": "
        "\"paris\", \"stages\": [\"seed\"], \"description\": {\"fr\": \"Un lieu au bord de l'eau\"}}}");
}

static const struct {
    const char *says, *filter, *ids;
} lists[] = {
    {"everything, by id", "{}", "abc"},
    {"a kind", "{\"kind\": \"startup\"}", "ab"},
    {"a metro", "{\"metro\": \"paris\"}", "bc"},
    {"a leaf", "{\"sector\": \"ai.ml\"}", "b"},
    {"a group finds its leaves", "{\"sector\": \"ai\"}", "b"},
    {"a stage, own or accepted", "{\"stage\": \"seed\"}", "bc"},
    {"a word of the name, without its accent", "{\"text\": \"zebre\"}", "b"},
    {"a tag", "{\"text\": \"CAFE\"}", "b"},
    {"a word of the description", "{\"text\": \"bord de l'eau\"}", "c"},
    {"nothing fits", "{\"text\": \"xylophone\"}", ""},
    {"by name, accents aside", "{\"sort\": \"name\"}", "acb"},
    {"newest first", "{\"sort\": \"updated\"}", "cab"},
};

ParameterizedTestParameters(handle_profile, a_list_filters_and_sorts)
{
    static size_t index[sizeof lists / sizeof lists[0]];

    for (size_t k = 0; k < sizeof lists / sizeof lists[0]; k++)
        index[k] = k;
    return cr_make_param_array(size_t, index, sizeof lists / sizeof lists[0]);
}

ParameterizedTest(size_t *i, handle_profile, a_list_filters_and_sorts)
{
    const msgpack_object *page;
    char ids[8] = "";

    put_some();
    page = rpc_ok(&rpc, "profile.list", lists[*i].filter);
    for (size_t k = 0; k < value_size(rpc_at(page, "profiles")); k++)
        strcat(ids, rpc_text(&rpc, value_at(rpc_at(page, "profiles"), k), "id"));
    cr_expect_str_eq(ids, lists[*i].ids, "%s: %s", lists[*i].says, ids);
    cr_expect_eq((size_t)rpc_int(page, "total"), strlen(ids), "%s", lists[*i].says);
}

Test(handle_profile, pages_join_without_gap_or_repetition)
{
    const char *sorts[] = {"id", "name", "updated"};

    put_some();
    for (size_t s = 0; s < 3; s++) {
        const char *after = "";
        size_t n = 0;
        bool has_more = true;

        for (; has_more && n < 10; n++) {
            const msgpack_object *page =
                rpc_ok(&rpc, "profile.list",
                       arena_format(rpc.arena, "{\"limit\": 1, \"sort\": \"%s\"%s%s%s}", sorts[s],
                                    after[0] ? ", \"after\": \"" : "", after, after[0] ? "\"" : "")
                           .data);

            cr_expect_eq(value_size(rpc_at(page, "profiles")), 1);
            cr_expect_eq(rpc_int(page, "total"), 3);
            has_more = rpc_at(page, "next") != NULL;
            if (has_more)
                after = rpc_text(&rpc, page, "next");
        }
        cr_expect_eq(n, 3, "%s", sorts[s]);
    }
}

Test(handle_profile, a_code_that_no_vocabulary_has_is_told)
{
    rpc_fails(&rpc, "profile.list", "{\"sector\": \"ai.mll\"}", ERR_INVALID_PARAMS, "sector");
    cr_expect_not_null(strstr(rpc.err.message, "did you mean ai.ml"), "%s", rpc.err.message);
}

Test(handle_profile, the_schema_lists_fields_kinds_and_vocabularies)
{
    const msgpack_object *answer = rpc_ok(&rpc, "profile.schema", "{}");

    cr_expect_eq(value_size(rpc_at(answer, "fields")), 33);
    cr_expect_str_eq(rpc_text(&rpc, answer, "fields[0].name"), "id");
    cr_expect_eq(value_size(rpc_at(answer, "kinds")), 8);
    cr_expect_gt(value_size(rpc_at(answer, "vocabularies.sectors")), 200);
}
