/* call_match.c: match.top, match.explain, and how their answers are read. */
#include "calls.h"

static enum jml_code
check_top(const struct jml_match_query *query, struct jml_error *error)
{
    enum jml_code code = jmli_need(query->programme, "query.programme", error);

    return code == JML_OK ? jmli_need(query->id, "query.id", error) : code;
}

enum jml_code
jml_match_top(jml_client *client, const struct jml_match_query *query, struct jml_match_list *list,
              jml_result **out, struct jml_error *error)
{
    struct jml_match_query own;
    jml_params params;
    enum jml_code code = jmli_copy_sized(&own, sizeof own, sizeof own, query, "query", error);

    if (code == JML_OK)
        code = check_top(&own, error);
    if (code != JML_OK)
        return code;
    jmli_call_begin(client, &params);
    jml_params_add_text(&params, "programme", own.programme);
    jml_params_add_text(&params, "pairing", own.pairing);
    jml_params_add_text(&params, "side", own.side);
    jml_params_add_text(&params, "id", own.id);
    jml_params_add_text(&params, "day", own.day);
    jml_params_add_text(&params, "lang", own.language);
    if (own.k != 0)
        jml_params_add_int(&params, "k", own.k);
    if (own.min_score_bp != 0)
        jml_params_add_int(&params, "min_score", own.min_score_bp);
    if (own.explain)
        jml_params_add_bool(&params, "explain", true);
    code = jmli_call(client, "match.top", &params, out, error);
    if (code != JML_OK || list == NULL || jml_match_list_read(*out, list))
        return code;
    jml_result_free(*out);
    *out = NULL;
    return jmli_fail(error, JML_BAD_ANSWER, "the answer of match.top holds no list of matches");
}

bool
jml_match_list_read(const jml_result *result, struct jml_match_list *out)
{
    const msgpack_object *root = jml_result_root(result);
    const msgpack_object *matches = jmli_array_at(root, "matches");
    const msgpack_object *why = jml_view_find(root, "why");

    if (matches == NULL)
        return false;
    *out = (struct jml_match_list){.programme = jmli_text_at(root, "programme"),
                                   .pairing = jmli_text_at(root, "pairing"),
                                   .side = jmli_text_at(root, "side"),
                                   .day = jmli_text_at(root, "day"),
                                   .is_mirrored = jmli_bool_at(root, "mirrored"),
                                   .n_matches = jml_view_count(matches),
                                   .considered = jmli_int_at(root, "considered"),
                                   .eligible = jmli_int_at(root, "eligible"),
                                   .why = jmli_text_at(why, "rule"),
                                   .why_sentence = jmli_text_at(why, "sentence")};
    return true;
}

bool
jml_match_at(const jml_result *result, size_t index, struct jml_match *out)
{
    const msgpack_object *match =
        jml_view_at(jml_view_find(jml_result_root(result), "matches"), index);
    const msgpack_object *reasons = jml_view_find(match, "reasons");

    if (match == NULL || match->type != MSGPACK_OBJECT_MAP)
        return false;
    *out = (struct jml_match){.id = jmli_text_at(match, "id"),
                              .name = jmli_text_at(match, "name"),
                              .score_bp = jmli_bp_at(match, "score"),
                              .from_view_bp = jmli_bp_at(match, "from_view"),
                              .to_view_bp = jmli_bp_at(match, "to_view"),
                              .coverage_bp = jmli_bp_at(match, "coverage"),
                              .from_reasons = jmli_array_at(reasons, "from_reasons"),
                              .to_reasons = jmli_array_at(reasons, "to_reasons")};
    return true;
}

bool
jml_reason_at(const msgpack_object *reasons, size_t index, struct jml_reason *out)
{
    const msgpack_object *reason = jml_view_at(reasons, index);

    if (reason == NULL || reason->type != MSGPACK_OBJECT_MAP)
        return false;
    *out = (struct jml_reason){.id = jmli_text_at(reason, "id"),
                               .label = jmli_text_at(reason, "label"),
                               .sentence = jmli_text_at(reason, "sentence"),
                               .help = jmli_text_at(reason, "help"),
                               .weight = jmli_int_at(reason, "weight"),
                               .quality_bp = jmli_bp_at(reason, "quality"),
                               .share_bp = jmli_bp_at(reason, "share"),
                               .is_known = jmli_bool_at(reason, "known"),
                               .root = reason};
    return true;
}

static enum jml_code
check_explain(const struct jml_explain_query *query, struct jml_error *error)
{
    enum jml_code code = jmli_need(query->programme, "query.programme", error);

    if (code == JML_OK)
        code = jmli_need(query->from, "query.from", error);
    return code == JML_OK ? jmli_need(query->to, "query.to", error) : code;
}

static void
read_explanation(const jml_result *result, struct jml_explanation *out)
{
    const msgpack_object *root = jml_result_root(result);

    *out = (struct jml_explanation){.programme = jmli_text_at(root, "programme"),
                                    .pairing = jmli_text_at(root, "pairing"),
                                    .from = jmli_text_at(root, "from"),
                                    .to = jmli_text_at(root, "to"),
                                    .from_name = jmli_text_at(root, "from_name"),
                                    .to_name = jmli_text_at(root, "to_name"),
                                    .combine = jmli_text_at(root, "combine"),
                                    .is_eligible = jmli_bool_at(root, "eligible"),
                                    .score_bp = jmli_bp_at(root, "score"),
                                    .from_view_bp = jmli_bp_at(root, "from_view"),
                                    .to_view_bp = jmli_bp_at(root, "to_view"),
                                    .coverage_bp = jmli_bp_at(root, "coverage"),
                                    .failed = jmli_array_at(root, "failed"),
                                    .from_reasons = jmli_array_at(root, "from_reasons"),
                                    .to_reasons = jmli_array_at(root, "to_reasons")};
}

enum jml_code
jml_match_explain(jml_client *client, const struct jml_explain_query *query,
                  struct jml_explanation *explanation, jml_result **out, struct jml_error *error)
{
    struct jml_explain_query own;
    jml_params params;
    enum jml_code code = jmli_copy_sized(&own, sizeof own, sizeof own, query, "query", error);

    if (code == JML_OK)
        code = check_explain(&own, error);
    if (code != JML_OK)
        return code;
    jmli_call_begin(client, &params);
    jml_params_add_text(&params, "programme", own.programme);
    jml_params_add_text(&params, "pairing", own.pairing);
    jml_params_add_text(&params, "from", own.from);
    jml_params_add_text(&params, "to", own.to);
    jml_params_add_text(&params, "day", own.day);
    jml_params_add_text(&params, "lang", own.language);
    code = jmli_call(client, "match.explain", &params, out, error);
    if (code == JML_OK && explanation != NULL)
        read_explanation(*out, explanation);
    return code;
}
