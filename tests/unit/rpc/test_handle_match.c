#include "cases.h"
#include "json.h"
#include "rpc_fixture.h"

#include <string.h>

static struct rpc rpc;

static void
setup(void)
{
    rpc_open(&rpc);
    rpc_load_demo(&rpc);
}

static void
teardown(void)
{
    rpc_close(&rpc);
}

TestSuite(handle_match, .init = setup, .fini = teardown);

#define TOP(more) "{\"programme\": \"bilocation\", \"pairing\": \"hosting\"" more "}"

Test(handle_match, the_best_come_first_and_equal_scores_by_id)
{
    const msgpack_object *top =
        rpc_ok(&rpc, "match.top", TOP(", \"id\": \"demo-startup-001\", \"k\": 1000"));
    const msgpack_object *list = rpc_at(top, "matches");

    cr_expect_str_eq(rpc_text(&rpc, top, "side"), "from");
    cr_expect_not(rpc_bool(top, "mirrored"));
    cr_expect_str_eq(rpc_text(&rpc, top, "day"), RPC_TODAY);
    cr_expect_eq((int64_t)value_size(list), rpc_int(top, "eligible"));
    for (size_t i = 1; i < value_size(list); i++) {
        int64_t before = rpc_int(value_at(list, i - 1), "score");
        int64_t here = rpc_int(value_at(list, i), "score");

        cr_expect(before > here ||
                  (before == here && strcmp(rpc_text(&rpc, value_at(list, i - 1), "id"),
                                            rpc_text(&rpc, value_at(list, i), "id")) < 0));
    }
}

Test(handle_match, either_side_may_ask_and_the_pair_scores_the_same)
{
    const msgpack_object *from, *to, *explained;
    const char *host;

    from = rpc_ok(&rpc, "match.top", TOP(", \"id\": \"demo-startup-001\", \"k\": 1"));
    host = rpc_text(&rpc, from, "matches[0].id");
    to = rpc_ok(&rpc, "match.top",
                arena_format(rpc.arena, TOP(", \"id\": \"%s\", \"k\": 1000"), host).data);
    cr_expect_str_eq(rpc_text(&rpc, to, "side"), "to");
    explained = rpc_ok(
        &rpc, "match.explain",
        arena_format(rpc.arena, TOP(", \"from\": \"demo-startup-001\", \"to\": \"%s\""), host)
            .data);
    cr_expect_eq(rpc_int(explained, "score"), rpc_int(from, "matches[0].score"));
    for (size_t i = 0; i < value_size(rpc_at(to, "matches")); i++)
        if (strcmp(rpc_text(&rpc, value_at(rpc_at(to, "matches"), i), "id"), "demo-startup-001") ==
            0)
            cr_expect_eq(rpc_int(value_at(rpc_at(to, "matches"), i), "from_view"),
                         rpc_int(from, "matches[0].from_view"));
}

Test(handle_match, a_startup_of_the_valley_is_matched_in_the_mirror)
{
    const msgpack_object *top = rpc_ok(&rpc, "match.top", TOP(", \"id\": \"demo-startup-002\""));

    cr_expect(rpc_bool(top, "mirrored"));
    cr_expect_str_eq(rpc_text(&rpc, top, "side"), "from");
}

static const struct {
    const char *says, *json;
    enum err_code code;
    const char *field, *part;
} cases[] = {
    {"several pairings fit", "{\"programme\": \"bilocation\", \"id\": \"demo-startup-001\"}",
     ERR_INVALID_PARAMS, "pairing", "hosting, funding"},
    {"none fits", "{\"programme\": \"bilocation\", \"id\": \"sf-city\"}", ERR_INVALID_PARAMS, "id",
     "stands on no side"},
    {"none fits on the side asked for",
     "{\"programme\": \"bilocation\", \"pairing\": \"hosting\", \"id\": \"demo-startup-001\", "
     "\"side\": \"to\"}",
     ERR_INVALID_PARAMS, "id",
     "demo-startup-001, of kind startup in paris, does not stand on the to side"},
    {"no such pairing",
     "{\"programme\": \"bilocation\", \"pairing\": \"hostin\", \"id\": \"demo-startup-001\"}",
     ERR_INVALID_PARAMS, "pairing", "hosting, funding"},
    {"no such programme", "{\"programme\": \"bilocatio\", \"id\": \"demo-startup-001\"}",
     ERR_NOT_FOUND, "programme", "programme.list"},
    {"no such profile",
     "{\"programme\": \"bilocation\", \"pairing\": \"hosting\", \"id\": \"demo-startup-01\"}",
     ERR_NOT_FOUND, "id", "did you mean"},
};

ParameterizedTestParameters(handle_match, what_cannot_be_matched_is_told)
{
    static size_t index[5] = {0, 1, 2, 3, 4};

    return cr_make_param_array(size_t, index, 5);
}

ParameterizedTest(size_t *i, handle_match, what_cannot_be_matched_is_told)
{
    rpc_fails(&rpc, "match.top", cases[*i].json, cases[*i].code, cases[*i].field);
    cr_expect_not_null(strstr(rpc.err.message, cases[*i].part), "%s", rpc.err.message);
}

Test(handle_match, one_that_may_not_be_matched_gets_no_list_but_the_rule)
{
    const msgpack_object *top;

    rpc_ok(&rpc, "profile.patch",
           "{\"id\": \"demo-startup-001\", \"changes\": {\"status\": \"paused\"}}");
    top = rpc_ok(&rpc, "match.top", TOP(", \"id\": \"demo-startup-001\", \"lang\": \"fr\""));
    cr_expect_eq(value_size(rpc_at(top, "matches")), 0);
    cr_expect_str_eq(rpc_text(&rpc, top, "why.rule"), "paused");
    cr_expect_not_null(strstr(rpc_text(&rpc, top, "why.sentence"), "Terrasonde"));
}

Test(handle_match, min_score_and_k_cut_the_list_and_a_higher_k_only_extends_it)
{
    const msgpack_object *all =
        rpc_ok(&rpc, "match.top", TOP(", \"id\": \"demo-startup-001\", \"k\": 20"));
    const msgpack_object *some =
        rpc_ok(&rpc, "match.top", TOP(", \"id\": \"demo-startup-001\", \"k\": 5"));
    int64_t least = rpc_int(all, "matches[3].score");
    const msgpack_object *best =
        rpc_ok(&rpc, "match.top",
               arena_format(rpc.arena, TOP(", \"id\": \"demo-startup-001\", \"min_score\": %d"),
                            (int)least)
                   .data);

    for (size_t i = 0; i < 5; i++)
        cr_expect(
            value_equal(value_at(rpc_at(all, "matches"), i), value_at(rpc_at(some, "matches"), i)));
    for (size_t i = 0; i < value_size(rpc_at(best, "matches")); i++)
        cr_expect_geq(rpc_int(value_at(rpc_at(best, "matches"), i), "score"), least);
    cr_expect_eq(rpc_int(best, "eligible"), rpc_int(all, "eligible"));
}

/* ---- reasons ---- */

static int64_t
sum_of(const msgpack_object *reasons, const char *key)
{
    int64_t sum = 0;

    for (size_t i = 0; i < value_size(reasons); i++)
        sum += rpc_int(value_at(reasons, i), key);
    return sum;
}

Test(handle_match, shares_sum_to_the_view_and_every_want_has_a_sentence_in_both_languages)
{
    static const char *const langs[] = {"en", "fr"};

    for (size_t l = 0; l < 2; l++) {
        const msgpack_object *top =
            rpc_ok(&rpc, "match.top",
                   arena_format(
                       rpc.arena,
                       TOP(", \"id\": \"demo-startup-009\", \"k\": 5, \"explain\": true, \"lang\": "
                           "\"%s\""),
                       langs[l])
                       .data);

        for (size_t i = 0; i < value_size(rpc_at(top, "matches")); i++) {
            const msgpack_object *match = value_at(rpc_at(top, "matches"), i);
            const msgpack_object *from = rpc_at(match, "reasons.from_reasons");
            const msgpack_object *to = rpc_at(match, "reasons.to_reasons");

            cr_expect_eq(value_size(from), 4);
            cr_expect_eq(sum_of(from, "share"), rpc_int(match, "from_view"));
            cr_expect_eq(sum_of(to, "share"), rpc_int(match, "to_view"));
            for (size_t k = 0; k < value_size(from); k++) {
                const char *sentence = rpc_text(&rpc, value_at(from, k), "sentence");

                cr_expect_gt(strlen(sentence), 10);
                cr_expect_null(strchr(sentence, '{'), "a placeholder is left: %s", sentence);
            }
        }
    }
}

Test(handle_match, a_reader_gets_confidential_wants_as_one_line_with_the_same_sum)
{
    const char *call = "{\"programme\": \"bilocation\", \"pairing\": \"funding\", \"from\": "
                       "\"demo-startup-001\", \"to\": \"demo-fund-04\", \"lang\": \"en\"}";
    const msgpack_object *officer, *reader, *reasons, *last;

    rpc_ok(&rpc, "profile.patch",
           "{\"id\": \"demo-startup-001\", \"changes\": {\"confidential\": {\"raising\": {\"min\": "
           "900000, \"currency\": \"EUR\"}}}}");
    officer = rpc_ok(&rpc, "match.explain", call);
    rpc_act_as(&rpc, ROLE_READER, "r");
    reader = rpc_ok(&rpc, "match.explain", call);
    cr_expect_eq(rpc_int(reader, "score"), rpc_int(officer, "score"));
    reasons = rpc_at(reader, "from_reasons");
    last = value_at(reasons, value_size(reasons) - 1);
    cr_expect_str_eq(rpc_text(&rpc, last, "id"), "confidential");
    cr_expect_null(value_find(last, "evidence"));
    cr_expect_eq(sum_of(reasons, "share"), rpc_int(reader, "from_view"));
    cr_expect_eq(sum_of(reasons, "weight"), sum_of(rpc_at(officer, "from_reasons"), "weight"));
    for (size_t i = 0; i < value_size(reasons); i++)
        cr_expect_str_neq(rpc_text(&rpc, value_at(reasons, i), "id"), "ticket-fits");
}

Test(handle_match, a_pair_that_is_not_eligible_is_told_every_failing_rule)
{
    const msgpack_object *answer;

    rpc_ok(&rpc, "profile.patch",
           "{\"id\": \"demo-startup-001\", \"changes\": {\"status\": \"paused\", \"languages\": "
           "[\"de\"], \"conflicts\": [\"demo-host-05\"]}}");
    answer = rpc_ok(&rpc, "match.explain",
                    TOP(", \"from\": \"demo-startup-001\", \"to\": \"demo-host-05\", \"lang\": "
                        "\"fr\""));
    cr_expect_not(rpc_bool(answer, "eligible"));
    cr_assert_geq(value_size(rpc_at(answer, "failed")), 3);
    for (size_t i = 0; i < value_size(rpc_at(answer, "failed")); i++)
        cr_expect_null(
            strchr(rpc_text(&rpc, value_at(rpc_at(answer, "failed"), i), "sentence"), '{'));
}

/* ---- what if ---- */

Test(handle_match, whatif_stores_nothing_and_says_what_moved_and_by_which_want)
{
    uint64_t seq = rpc_seq(&rpc);
    const msgpack_object *answer =
        rpc_ok(&rpc, "match.whatif",
               TOP(", \"id\": \"demo-startup-001\", \"k\": 5, \"changes\": {\"needs\": "
                   "[\"space.lab\", \"legal.cert\"]}, \"programme_changes\": {\"weights\": "
                   "{\"sector-fit\": 0}}"));
    const msgpack_object *now =
        rpc_ok(&rpc, "match.top", TOP(", \"id\": \"demo-startup-001\", \"k\": 5"));

    cr_expect_eq(rpc_seq(&rpc), seq);
    cr_expect_eq(value_size(rpc_at(answer, "before")), 5);
    for (size_t i = 0; i < 5; i++)
        cr_expect(value_equal(value_at(rpc_at(answer, "before"), i),
                              value_at(rpc_at(now, "matches"), i)));
    cr_assert_gt(value_size(rpc_at(answer, "moved")), 0);
    cr_expect_gt(value_size(rpc_at(answer, "moved[0].by")), 0);
    cr_expect_eq(value_size(rpc_at(answer, "entered")), value_size(rpc_at(answer, "left")));
}

Test(handle_match, whatif_agrees_with_really_doing_it)
{
    const msgpack_object *what, *then;

    what = rpc_ok(&rpc, "match.whatif",
                  TOP(", \"id\": \"demo-startup-003\", \"k\": 10, \"changes\": {\"team\": 40, "
                      "\"tags\": [\"quite new\"], \"stage\": \"seed\", \"languages\": [\"en\"]}"));
    rpc_ok(&rpc, "profile.patch",
           "{\"id\": \"demo-startup-003\", \"changes\": {\"team\": 40, \"tags\": [\"quite new\"], "
           "\"stage\": \"seed\", \"languages\": [\"en\"]}}");
    then = rpc_ok(&rpc, "match.top", TOP(", \"id\": \"demo-startup-003\", \"k\": 10"));
    cr_expect(value_equal(rpc_at(what, "after"), rpc_at(then, "matches")));
}

/* {programme: {id: "less", name, pairings: [this one, without what has the id]}} */
static void
pack_programme_without(struct buf *out, const msgpack_object *pairing, const char *id)
{
    pack_map(out, 1);
    pack_key(out, "programme");
    pack_map(out, 3);
    pack_key_text(out, "id", "less");
    pack_key(out, "name");
    pack_map(out, 1);
    pack_key_text(out, "en", "Less");
    pack_key(out, "pairings");
    pack_array(out, 1);
    pack_map(out, value_size(pairing));
    for (size_t i = 0; i < value_size(pairing); i++) {
        const msgpack_object *value = value_of(pairing, i);
        struct pack_open list;
        size_t n = 0;

        pack_str(out, value_key(pairing, i));
        if (!value_is_array(value)) {
            pack_value(out, value);
            continue;
        }
        list = pack_array_open(out);
        for (size_t j = 0; j < value_size(value); j++)
            if (strcmp(rpc_text(&rpc, value_at(value, j), "id"), id) != 0) {
                pack_value(out, value_at(value, j));
                n++;
            }
        pack_close(out, list, n);
    }
}

/* What stays as it is is not made again: the answer must be the one where all of it was. */
Test(handle_match, whatif_that_changes_nothing_answers_the_same_by_every_way)
{
    static const char *const ways[] = {
        "",
        ", \"changes\": {}",
        ", \"changes\": {\"id\": \"demo-startup-003\"}",
        ", \"programme_changes\": {}",
        ", \"programme_changes\": {\"weights\": {\"needs-met\": 40, \"focus\": 45}}",
        ", \"changes\": {\"id\": \"demo-startup-003\"}, \"programme_changes\": {\"weights\": "
        "{\"needs-met\": 40}, \"without\": []}"};
    const msgpack_object *first = NULL;

    for (size_t i = 0; i < sizeof ways / sizeof ways[0]; i++) {
        const msgpack_object *answer = rpc_ok(
            &rpc, "match.whatif",
            arena_format(rpc.arena, TOP(", \"id\": \"demo-startup-003\", \"k\": 30%s"), ways[i])
                .data);

        first = first != NULL ? first : answer;
        cr_expect(value_equal(answer, first), "%s", ways[i]);
        cr_expect_eq(value_size(rpc_at(answer, "moved")), 0, "%s", ways[i]);
    }
}

/* Each want and requirement left out or weighed anew, against a programme that is really so. */
Test(handle_match, whatif_of_any_want_agrees_with_putting_the_programme)
{
    const msgpack_object *stored = rpc_ok(&rpc, "programme.get", "{\"id\": \"bilocation\"}");
    static const char *const lists[] = {"require", "from_wants", "to_wants"};
    const msgpack_object *pairing = rpc_at(stored, "pairings[0]");

    for (size_t which = 0; which < 3; which++) {
        const msgpack_object *list = rpc_at(pairing, lists[which]);

        for (size_t i = 0; i < value_size(list); i++) {
            const char *id = rpc_text(&rpc, value_at(list, i), "id");
            const msgpack_object *what, *then, *params;
            struct buf json, packed;
            struct err err = {0};

            what = rpc_ok(&rpc, "match.whatif",
                          arena_format(rpc.arena,
                                       TOP(", \"id\": \"demo-startup-003\", \"k\": 20, "
                                           "\"programme_changes\": {\"without\": [\"%s\"]}"),
                                       id)
                              .data);
            buf_init(&json, 1 << 20);
            buf_init(&packed, 1 << 20);
            pack_programme_without(&packed, pairing, id);
            cr_assert_eq(value_decode(packed.data, packed.len, &value_limits_default, rpc.arena,
                                      &params, &err),
                         ERR_OK, "%s", err.message);
            json_encode(&json, params, JSON_COMPACT);
            buf_append_char(&json, '\0');
            rpc_ok(&rpc, "programme.put", json.data);
            then = rpc_ok(&rpc, "match.top",
                          "{\"programme\": \"less\", \"id\": \"demo-startup-003\", \"k\": 20}");
            cr_expect(value_equal(rpc_at(what, "after"), rpc_at(then, "matches")), "%s", id);
            buf_fini(&json);
            buf_fini(&packed);
        }
    }
}

Test(handle_match, whatif_refuses_what_a_put_or_a_programme_would)
{
    rpc_fails(&rpc, "match.whatif",
              TOP(", \"id\": \"demo-startup-001\", \"changes\": {\"team\": \"many\"}"),
              ERR_INVALID_PARAMS, "changes.team");
    rpc_fails(
        &rpc, "match.whatif",
        TOP(", \"id\": \"demo-startup-001\", \"programme_changes\": {\"weights\": {\"nope\": 1}}"),
        ERR_INVALID_PARAMS, "programme_changes.weights");
    rpc_fails(
        &rpc, "match.whatif",
        TOP(", \"id\": \"demo-startup-001\", \"programme_changes\": {\"weights\": {\"focus\": 1001}}"),
        ERR_INVALID_PARAMS, "programme_changes.weights");
    rpc_fails(&rpc, "match.whatif",
              TOP(", \"id\": \"demo-startup-001\", \"programme_changes\": {\"size\": 3}"),
              ERR_INVALID_PARAMS, "programme_changes");
}

/* ---- out of memory ---- */

Test(handle_match, each_failing_allocation_gives_a_clean_error)
{
    bool happened = true;

    for (long n = 1; happened && n < 3000; n++) {
        const msgpack_object *top;

        rpc.fail_at = n;
        top = rpc_call(&rpc, "match.top",
                       TOP(", \"id\": \"demo-startup-001\", \"k\": 2, \"explain\": true, \"lang\": "
                           "\"en\""));
        happened = rpc.has_failed;
        if (top == NULL)
            cr_expect_eq(rpc.err.code, ERR_BUSY, "allocation %ld: %s", n, rpc.err.message);
        else
            cr_expect_eq(value_size(rpc_at(top, "matches")), 2, "allocation %ld", n);
    }
    cr_expect_not(happened);
}
