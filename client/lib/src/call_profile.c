/* call_profile.c: profile.get, put, patch, delete, list. */
#include "calls.h"

enum jml_code
jml_profile_get(jml_client *client, const char *id, int64_t version, jml_result **out,
                struct jml_error *error)
{
    return jmli_call_get(client, "profile.get", id, version, out, error);
}

static enum jml_code
write_with(jml_client *client, const char *method, jml_params *params, int64_t if_version,
           struct jml_written *written, struct jml_error *error)
{
    jml_result *result;
    enum jml_code code;

    jmli_add_if_version(params, if_version);
    code = jmli_call(client, method, params, &result, error);
    if (code != JML_OK)
        return code;
    jmli_written_read(result, written);
    jml_result_free(result);
    return JML_OK;
}

enum jml_code
jml_profile_put(jml_client *client, struct jml_bytes profile, int64_t if_version,
                struct jml_written *written, struct jml_error *error)
{
    jml_params params;

    jmli_call_begin(client, &params);
    jml_params_add_packed(&params, "profile", profile);
    return write_with(client, "profile.put", &params, if_version, written, error);
}

enum jml_code
jml_profile_patch(jml_client *client, const char *id, struct jml_bytes changes, int64_t if_version,
                  struct jml_written *written, struct jml_error *error)
{
    jml_params params;
    enum jml_code code = jmli_need(id, "id", error);

    if (code != JML_OK)
        return code;
    jmli_call_begin(client, &params);
    jml_params_add_text(&params, "id", id);
    jml_params_add_packed(&params, "changes", changes);
    return write_with(client, "profile.patch", &params, if_version, written, error);
}

static enum jml_code
delete_profile(jml_client *client, const char *id, bool erase, int64_t if_version,
               struct jml_written *written, struct jml_error *error)
{
    jml_params params;
    enum jml_code code = jmli_need(id, "id", error);

    if (code != JML_OK)
        return code;
    jmli_call_begin(client, &params);
    jml_params_add_text(&params, "id", id);
    if (erase)
        jml_params_add_bool(&params, "erase", true);
    return write_with(client, "profile.delete", &params, if_version, written, error);
}

enum jml_code
jml_profile_delete(jml_client *client, const char *id, int64_t if_version,
                   struct jml_written *written, struct jml_error *error)
{
    return delete_profile(client, id, false, if_version, written, error);
}

enum jml_code
jml_profile_erase(jml_client *client, const char *id, int64_t if_version,
                  struct jml_written *written, struct jml_error *error)
{
    return delete_profile(client, id, true, if_version, written, error);
}

enum jml_code
jml_profile_list(jml_client *client, const struct jml_profile_query *query, struct jml_page *page,
                 jml_result **out, struct jml_error *error)
{
    struct jml_profile_query own = JML_PROFILE_QUERY_INIT;
    jml_params params;
    enum jml_code code = JML_OK;

    if (query != NULL)
        code = jmli_copy_sized(&own, sizeof own, sizeof own, query, "query", error);
    if (code != JML_OK)
        return code;
    jmli_call_begin(client, &params);
    jml_params_add_text(&params, "kind", own.kind);
    jml_params_add_text(&params, "metro", own.metro);
    jml_params_add_text(&params, "sector", own.sector);
    jml_params_add_text(&params, "stage", own.stage);
    jml_params_add_text(&params, "text", own.text);
    jml_params_add_text(&params, "sort", own.sort);
    jmli_add_page(&params, own.after, own.limit);
    code = jmli_call(client, "profile.list", &params, out, error);
    if (code == JML_OK)
        jmli_page_read(*out, "profiles", page);
    return code;
}

bool
jml_profile_read(const msgpack_object *item, struct jml_profile *out)
{
    struct jml_profile own = {.id = jmli_text_at(item, "id"),
                              .kind = jmli_text_at(item, "kind"),
                              .name = jmli_text_at(item, "name"),
                              .metro = jmli_text_at(item, "metro"),
                              .version = jmli_int_at(item, "version"),
                              .updated_at_ms = jmli_int_at(item, "updated_at"),
                              .root = item};

    if (own.id.data == NULL || own.kind.data == NULL || own.name.data == NULL)
        return false;
    *out = own;
    return true;
}
