/* call_system.c: system.hello, system.ping. */
#include "calls.h"
#include "jml_client.h"

static enum jml_code
pack_greeting(const jml_client *client, struct octets *packed, struct jml_error *error)
{
    jmli_octets_init(packed, client->allocator, 4096);
    /* all at once: a growing buffer would leave copies of the token behind */
    if (jmli_octets_reserve(packed, 1024) && jmli_settings_pack_hello(&client->settings, packed))
        return JML_OK;
    return jmli_no_memory(error);
}

enum jml_code
jml_hello(jml_client *client, struct jml_hello *hello, jml_result **out, struct jml_error *error)
{
    struct octets packed;
    const msgpack_object *root;
    enum jml_code code = pack_greeting(client, &packed, error);

    if (code == JML_OK)
        code = jml_call_packed(client, "system.hello", (struct jml_bytes){packed.data, packed.len},
                               out, error);
    if (packed.data != NULL)
        explicit_bzero(packed.data, packed.room);
    jmli_octets_fini(&packed);
    if (code != JML_OK || hello == NULL)
        return code;
    root = jml_result_root(*out);
    *hello = (struct jml_hello){.name = jmli_text_at(root, "name"),
                                .version = jmli_text_at(root, "version"),
                                .role = jmli_text_at(root, "role"),
                                .protocol = jmli_int_at(root, "protocol"),
                                .time_ms = jmli_int_at(root, "time"),
                                .limits = jml_view_find(root, "limits")};
    return JML_OK;
}

enum jml_code
jml_ping(jml_client *client, struct jml_error *error)
{
    jml_result *result;
    enum jml_code code = jml_call(client, "system.ping", NULL, &result, error);

    if (code == JML_OK)
        jml_result_free(result);
    return code;
}
