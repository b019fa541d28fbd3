#include "calls.h"

#include "jml_client.h"

#include <string.h>

void
jmli_call_begin(const jml_client *client, jml_params *params)
{
    jmli_params_init(params, client->allocator);
}

enum jml_code
jmli_call(jml_client *client, const char *method, jml_params *params, jml_result **out,
          struct jml_error *error)
{
    enum jml_code code = jml_call(client, method, params, out, error);

    jmli_params_fini(params);
    return code;
}

enum jml_code
jmli_need(const char *text, const char *field, struct jml_error *error)
{
    if (text != NULL && text[0] != '\0')
        return JML_OK;
    return jmli_fail_at(error, JML_BAD_OPTION, field, "%s is not given", field);
}

enum jml_code
jmli_call_get(jml_client *client, const char *method, const char *id, int64_t version,
              jml_result **out, struct jml_error *error)
{
    jml_params params;
    enum jml_code code = jmli_need(id, "id", error);

    if (code != JML_OK)
        return code;
    jmli_call_begin(client, &params);
    jml_params_add_text(&params, "id", id);
    if (version != 0)
        jml_params_add_int(&params, "version", version);
    return jmli_call(client, method, &params, out, error);
}

/* ---- fields ---- */

struct jml_text
jmli_text_at(const msgpack_object *map, const char *key)
{
    struct jml_text text = {NULL, 0};

    jml_view_text(jml_view_find(map, key), &text);
    return text;
}

int64_t
jmli_int_at(const msgpack_object *map, const char *key)
{
    int64_t number = JML_ABSENT;

    jml_view_int(jml_view_find(map, key), &number);
    return number;
}

int32_t
jmli_bp_at(const msgpack_object *map, const char *key)
{
    int64_t number = jmli_int_at(map, key);

    return number >= 0 && number <= 10000 ? (int32_t)number : JML_ABSENT;
}

bool
jmli_bool_at(const msgpack_object *map, const char *key)
{
    bool flag = false;

    jml_view_bool(jml_view_find(map, key), &flag);
    return flag;
}

const msgpack_object *
jmli_array_at(const msgpack_object *map, const char *key)
{
    const msgpack_object *list = jml_view_find(map, key);

    return list != NULL && list->type == MSGPACK_OBJECT_ARRAY ? list : NULL;
}

/* ---- answers and parameters that several methods share ---- */

void
jmli_written_read(const jml_result *result, struct jml_written *written)
{
    const msgpack_object *root = jml_result_root(result);

    if (written != NULL)
        *written = (struct jml_written){.version = jmli_int_at(root, "version"),
                                        .seq = jmli_int_at(root, "seq"),
                                        .is_created = jmli_bool_at(root, "created"),
                                        .is_unchanged = jmli_bool_at(root, "unchanged")};
}

void
jmli_page_read(const jml_result *result, const char *items, struct jml_page *page)
{
    const msgpack_object *root = jml_result_root(result);

    if (page != NULL)
        *page = (struct jml_page){.items = jmli_array_at(root, items),
                                  .total = jmli_int_at(root, "total"),
                                  .next = jmli_text_at(root, "next")};
}

void
jmli_add_if_version(jml_params *params, int64_t if_version)
{
    if (if_version != JML_ANY_VERSION)
        jml_params_add_int(params, "if_version", if_version);
}

void
jmli_add_page(jml_params *params, struct jml_text after, int32_t limit)
{
    if (after.data != NULL)
        jml_params_add_text_n(params, "after", after.data, after.len);
    if (limit != 0)
        jml_params_add_int(params, "limit", limit);
}
