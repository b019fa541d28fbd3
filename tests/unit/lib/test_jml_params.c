#include "jml_params.h"

#include <criterion/criterion.h>
#include <msgpack.h>

#include <stdio.h>
#include <string.h>

static msgpack_unpacked unpacked;

static const msgpack_object *
unpack(const jml_params *params)
{
    struct jml_bytes packed = jml_params_packed(params);
    size_t at = 0;

    msgpack_unpacked_init(&unpacked);
    cr_assert_eq(msgpack_unpack_next(&unpacked, packed.data, packed.len, &at),
                 MSGPACK_UNPACK_SUCCESS);
    cr_assert_eq(at, packed.len);
    cr_assert_eq(unpacked.data.type, MSGPACK_OBJECT_MAP);
    return &unpacked.data;
}

Test(jml_params, each_kind_of_value_is_packed)
{
    jml_params *params = jml_params_create(NULL);
    const msgpack_object *map;
    struct jml_text text;
    int64_t number;
    bool flag;

    jml_params_add_text(params, "id", "é日本");
    jml_params_add_text(params, "nothing", NULL);
    jml_params_add_text_n(params, "part", "abcdef", 3);
    jml_params_add_int(params, "k", INT64_MIN);
    jml_params_add_bool(params, "explain", true);
    jml_params_add_packed(params, "changes", (struct jml_bytes){"\x81\xa1x\xc0", 4});
    map = unpack(params);
    cr_expect_eq(jml_view_count(map), 5);
    cr_expect(jml_view_text(jml_view_find(map, "id"), &text) && jml_text_is(text, "é日本"));
    cr_expect(jml_view_text(jml_view_find(map, "part"), &text) && jml_text_is(text, "abc"));
    cr_expect(jml_view_int(jml_view_find(map, "k"), &number) && number == INT64_MIN);
    cr_expect(jml_view_bool(jml_view_find(map, "explain"), &flag) && flag);
    cr_expect_eq(jml_view_find(jml_view_find(map, "changes"), "x")->type, MSGPACK_OBJECT_NIL);
    msgpack_unpacked_destroy(&unpacked);
    jml_params_free(params);
}

/* The map's header grows from one byte to three to five. */
Test(jml_params, a_map_of_any_size_has_the_right_header)
{
    static const uint32_t sizes[] = {0, 15, 16, 65535, 65536};

    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        jml_params *params = jml_params_create(NULL);

        for (uint32_t k = 0; k < sizes[i]; k++)
            jml_params_add_int(params, "n", k);
        cr_expect_eq(jml_view_count(unpack(params)), sizes[i]);
        msgpack_unpacked_destroy(&unpacked);
        jml_params_free(params);
    }
}

static const struct {
    const char *says, *bytes;
    size_t n;
    const char *part;
} wrong[] = {
    {"nothing", NULL, 0, "no bytes"},
    {"a value that is cut",
     "\xa5"
     "ab",
     3, "not one whole"},
    {"a byte that msgpack lacks", "\xc1", 1, "not one whole"},
    {"two values", "\x01\x02", 2, "more than one"},
};

Test(jml_params, bytes_that_are_not_one_value_are_told_by_the_call_and_never_sent)
{
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        jml_params *params = jml_params_create(NULL);
        struct jml_bytes packed;
        struct jml_error error;

        jml_params_add_int(params, "k", 1);
        jml_params_add_packed(params, "profile", (struct jml_bytes){wrong[i].bytes, wrong[i].n});
        jml_params_add_int(params, "later", 1);
        cr_expect_eq(jmli_params_take(params, &packed, &error), JML_BAD_OPTION, "%s",
                     wrong[i].says);
        cr_expect_not_null(strstr(error.message, wrong[i].part), "%s: %s", wrong[i].says,
                           error.message);
        cr_expect_str_eq(error.field, "profile");
        cr_expect_null(jml_params_packed(params).data);
        jml_params_free(params);
    }
}

Test(jml_params, nesting_is_bounded_as_a_service_bounds_it)
{
    jml_params *params = jml_params_create(NULL);
    char deep[32];

    memset(deep, 0x91, sizeof deep);
    deep[30] = '\x01';
    jml_params_add_packed(params, "x", (struct jml_bytes){deep, 31});
    cr_expect_eq(params->error.code, JML_OK, "thirty deep: %s", params->error.message);
    deep[30] = '\x91';
    deep[31] = '\x01';
    jml_params_add_packed(params, "x", (struct jml_bytes){deep, 32});
    cr_expect_eq(params->error.code, JML_BAD_OPTION, "thirty-one deep");
    jml_params_free(params);
}
