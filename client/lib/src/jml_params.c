#include "jml_params.h"

#include "frame.h"

#include <string.h>

enum {
    PARAMS_BYTES_MAX = 64 << 20, /* no service takes more */
    PARAMS_DEPTH = 30            /* the service counts 32, the request and the map among them */
};

enum jml_code
jmli_packed_check(struct jml_bytes bytes, bool is_map, const char *field, struct jml_error *error)
{
    const uint8_t *data = bytes.data;
    struct frame_scan scan;

    frame_scan_init(&scan, PARAMS_BYTES_MAX, SIZE_MAX, is_map ? PARAMS_DEPTH + 1 : PARAMS_DEPTH);
    if (data == NULL || bytes.len == 0)
        return jmli_fail_at(error, JML_BAD_OPTION, field, "%s has no bytes; give one packed value",
                            field);
    switch (frame_scan(&scan, data, bytes.len)) {
    case FRAME_DONE:
        break;
    case FRAME_TOO_DEEP:
        return jmli_fail_at(error, JML_BAD_OPTION, field,
                            "%s is nested more than %d deep, which no service takes", field,
                            PARAMS_DEPTH);
    case FRAME_TOO_LONG:
    case FRAME_TOO_MANY:
        return jmli_fail_at(error, JML_TOO_LARGE, field,
                            "%s is over %d bytes, which no service takes; send it in parts", field,
                            PARAMS_BYTES_MAX);
    case FRAME_MORE:
    case FRAME_BAD:
        return jmli_fail_at(error, JML_BAD_OPTION, field,
                            "%s is not one whole packed value: its %zu bytes end or break at %zu",
                            field, bytes.len, scan.pos);
    }
    if (scan.pos != bytes.len)
        return jmli_fail_at(error, JML_BAD_OPTION, field,
                            "%s holds more than one packed value: the first ends at byte %zu of "
                            "%zu",
                            field, scan.pos, bytes.len);
    if (is_map && (data[0] & 0xf0) != 0x80 && data[0] != 0xde && data[0] != 0xdf)
        return jmli_fail_at(error, JML_BAD_OPTION, field,
                            "%s must be a packed map, not a value that begins with byte 0x%02x",
                            field, data[0]);
    return JML_OK;
}

void
jmli_params_init(jml_params *params, const struct jml_allocator *allocator)
{
    memset(params, 0, sizeof *params);
    if (allocator != NULL)
        params->allocator = *allocator;
    jmli_octets_init(&params->octets, &params->allocator, PARAMS_BYTES_MAX);
    if (!jmli_octets_append(&params->octets, "\0\0\0\0\x80", PARAMS_HEAD))
        jmli_no_memory(&params->error);
}

void
jmli_params_fini(jml_params *params)
{
    jmli_octets_fini(&params->octets);
}

jml_params *
jml_params_create(const struct jml_allocator *allocator)
{
    struct jml_allocator plain = {NULL, NULL};
    jml_params *params = jmli_resize(allocator != NULL ? allocator : &plain, NULL, sizeof *params);

    if (params == NULL)
        return NULL;
    jmli_params_init(params, allocator);
    if (params->error.code != JML_OK) {
        jml_params_free(params);
        return NULL;
    }
    return params;
}

void
jml_params_free(jml_params *params)
{
    if (params != NULL) {
        struct jml_allocator allocator = params->allocator;

        jmli_params_fini(params);
        jmli_resize(&allocator, params, 0);
    }
}

/* The header of a map of n_pairs, written so that it ends where the pairs begin. */
static void
set_head(jml_params *params)
{
    uint8_t *head = params->octets.data;
    uint32_t n = params->n_pairs;

    if (n < 16) {
        head[4] = (uint8_t)(0x80 | n);
    } else if (n < 65536) {
        head[2] = 0xde;
        head[3] = (uint8_t)(n >> 8);
        head[4] = (uint8_t)n;
    } else {
        head[0] = 0xdf;
        for (int i = 1; i < PARAMS_HEAD; i++)
            head[i] = (uint8_t)(n >> (8 * (4 - i)));
    }
}

/* Ends the pair that began at `from`: keeps it, or takes a half one out again. */
static void
end_pair(jml_params *params, size_t from, int rc)
{
    if (rc == 0 && params->n_pairs < UINT32_MAX) {
        params->n_pairs++;
        set_head(params);
        return;
    }
    params->octets.len = from;
    jmli_no_memory(&params->error);
}

void
jml_params_add_text(jml_params *params, const char *name, const char *text)
{
    if (text != NULL)
        jml_params_add_text_n(params, name, text, strlen(text));
}

void
jml_params_add_text_n(jml_params *params, const char *name, const char *text, size_t len)
{
    size_t from = params->octets.len;
    msgpack_packer packer = jmli_octets_packer(&params->octets);

    if (params->error.code == JML_OK)
        end_pair(params, from,
                 jmli_pack_text(&packer, name, strlen(name)) || jmli_pack_text(&packer, text, len));
}

void
jml_params_add_int(jml_params *params, const char *name, int64_t value)
{
    size_t from = params->octets.len;
    msgpack_packer packer = jmli_octets_packer(&params->octets);

    if (params->error.code == JML_OK)
        end_pair(params, from,
                 jmli_pack_text(&packer, name, strlen(name)) || msgpack_pack_int64(&packer, value));
}

void
jml_params_add_bool(jml_params *params, const char *name, bool value)
{
    size_t from = params->octets.len;
    msgpack_packer packer = jmli_octets_packer(&params->octets);

    if (params->error.code == JML_OK)
        end_pair(params, from,
                 jmli_pack_text(&packer, name, strlen(name)) ||
                     (value ? msgpack_pack_true(&packer) : msgpack_pack_false(&packer)));
}

void
jml_params_add_packed(jml_params *params, const char *name, struct jml_bytes value)
{
    size_t from = params->octets.len;
    msgpack_packer packer = jmli_octets_packer(&params->octets);

    if (params->error.code == JML_OK &&
        jmli_packed_check(value, false, name, &params->error) == JML_OK)
        end_pair(params, from,
                 jmli_pack_text(&packer, name, strlen(name)) ||
                     !jmli_octets_append(&params->octets, value.data, value.len));
}

struct jml_bytes
jml_params_packed(const jml_params *params)
{
    size_t skip = params->n_pairs < 16 ? 4 : params->n_pairs < 65536 ? 2 : 0;

    if (params->error.code != JML_OK)
        return (struct jml_bytes){NULL, 0};
    return (struct jml_bytes){params->octets.data + skip, params->octets.len - skip};
}

enum jml_code
jmli_params_take(const jml_params *params, struct jml_bytes *out, struct jml_error *error)
{
    *out = (struct jml_bytes){NULL, 0};
    if (params == NULL)
        return JML_OK;
    if (params->error.code != JML_OK) {
        if (error != NULL)
            *error = params->error;
        return params->error.code;
    }
    *out = jml_params_packed(params);
    return JML_OK;
}
