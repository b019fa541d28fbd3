/* call_records.c: programme.get, list, put; outcome.put. */
#include "calls.h"

enum jml_code
jml_programme_get(jml_client *client, const char *id, int64_t version, jml_result **out,
                  struct jml_error *error)
{
    return jmli_call_get(client, "programme.get", id, version, out, error);
}

enum jml_code
jml_programme_list(jml_client *client, struct jml_text after, int32_t limit, struct jml_page *page,
                   jml_result **out, struct jml_error *error)
{
    jml_params params;
    enum jml_code code;

    jmli_call_begin(client, &params);
    jmli_add_page(&params, after, limit);
    code = jmli_call(client, "programme.list", &params, out, error);
    if (code == JML_OK)
        jmli_page_read(*out, "programmes", page);
    return code;
}

enum jml_code
jml_programme_put(jml_client *client, struct jml_bytes programme, int64_t if_version,
                  struct jml_written *written, jml_result **out, struct jml_error *error)
{
    jml_params params;
    jml_result *result;
    enum jml_code code;

    jmli_call_begin(client, &params);
    jml_params_add_packed(&params, "programme", programme);
    jmli_add_if_version(&params, if_version);
    code = jmli_call(client, "programme.put", &params, &result, error);
    if (code != JML_OK)
        return code;
    jmli_written_read(result, written);
    if (out != NULL)
        *out = result;
    else
        jml_result_free(result);
    return JML_OK;
}

enum jml_code
jml_outcome_put(jml_client *client, const struct jml_outcome *outcome, int64_t *seq,
                struct jml_error *error)
{
    struct jml_outcome own;
    jml_params params;
    jml_result *result;
    enum jml_code code = jmli_copy_sized(&own, sizeof own, sizeof own, outcome, "outcome", error);

    if (code == JML_OK)
        code = jmli_need(own.from, "outcome.from", error);
    if (code == JML_OK)
        code = jmli_need(own.to, "outcome.to", error);
    if (code == JML_OK)
        code = jmli_need(own.kind, "outcome.kind", error);
    if (code == JML_OK)
        code = jmli_need(own.at, "outcome.at", error);
    if (code != JML_OK)
        return code;
    jmli_call_begin(client, &params);
    jml_params_add_text(&params, "from", own.from);
    jml_params_add_text(&params, "to", own.to);
    jml_params_add_text(&params, "kind", own.kind);
    jml_params_add_text(&params, "at", own.at);
    jml_params_add_text(&params, "programme", own.programme);
    jml_params_add_text(&params, "note", own.note);
    code = jmli_call(client, "outcome.put", &params, &result, error);
    if (code != JML_OK)
        return code;
    if (seq != NULL)
        *seq = jmli_int_at(jml_result_root(result), "seq");
    jml_result_free(result);
    return JML_OK;
}
