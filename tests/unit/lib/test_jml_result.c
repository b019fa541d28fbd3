#include "frame.h"
#include "jml_result.h"

#include <criterion/criterion.h>
#include <msgpack.h>

#include <stdlib.h>
#include <string.h>

static const struct jml_allocator plain = {NULL, NULL};

static jml_result *
read_bytes(const void *bytes, size_t n)
{
    struct frame_scan scan;

    frame_scan_init(&scan, n, n, 32);
    cr_assert_eq(frame_scan(&scan, bytes, n), FRAME_DONE);
    cr_assert_eq(scan.pos, n);
    return jmli_result_read(&plain, bytes, n, scan.items);
}

static void
agrees(const void *bytes, size_t n, const char *says)
{
    jml_result *result = read_bytes(bytes, n);
    msgpack_unpacked unpacked;
    size_t at = 0;

    msgpack_unpacked_init(&unpacked);
    cr_assert_eq(msgpack_unpack_next(&unpacked, bytes, n, &at), MSGPACK_UNPACK_SUCCESS, "%s", says);
    cr_expect(msgpack_object_equal(*jml_result_root(result), unpacked.data), "%s", says);
    cr_expect_eq(jml_result_packed(result).len, n, "%s", says);
    cr_expect_eq(memcmp(jml_result_packed(result).data, bytes, n), 0, "%s", says);
    msgpack_unpacked_destroy(&unpacked);
    jml_result_free(result);
}

#define BYTES(text) text, sizeof(text) - 1

Test(jml_result, every_type_is_read_as_msgpack_c_reads_it)
{
    agrees(BYTES("\x00"), "zero");
    agrees(BYTES("\x7f"), "127");
    agrees(BYTES("\xe0"), "-32");
    agrees(BYTES("\xff"), "-1");
    agrees(BYTES("\xc0"), "nil");
    agrees(BYTES("\xc2"), "false");
    agrees(BYTES("\xc3"), "true");
    agrees(BYTES("\xcc\xff"), "uint 8");
    agrees(BYTES("\xcd\xff\xff"), "uint 16");
    agrees(BYTES("\xce\xff\xff\xff\xff"), "uint 32");
    agrees(BYTES("\xcf\xff\xff\xff\xff\xff\xff\xff\xff"), "uint 64");
    agrees(BYTES("\xd0\x80"), "int 8");
    agrees(BYTES("\xd0\x05"), "int 8, positive");
    agrees(BYTES("\xd1\x80\x00"), "int 16");
    agrees(BYTES("\xd2\x80\x00\x00\x00"), "int 32");
    agrees(BYTES("\xd3\x80\x00\x00\x00\x00\x00\x00\x00"), "int 64");
    agrees(BYTES("\xca\x3f\xc0\x00\x00"), "float");
    agrees(BYTES("\xcb\x3f\xf8\x00\x00\x00\x00\x00\x00"), "double");
    agrees(BYTES("\xa0"), "empty text");
    agrees(BYTES("\xa3"
                 "abc"),
           "short text");
    agrees(BYTES("\xd9\x01"
                 "a"),
           "str 8");
    agrees(BYTES("\xda\x00\x01"
                 "a"),
           "str 16");
    agrees(BYTES("\xdb\x00\x00\x00\x01"
                 "a"),
           "str 32");
    agrees(BYTES("\xc4\x02\x00\xff"), "bin 8");
    agrees(BYTES("\xc5\x00\x01\x07"), "bin 16");
    agrees(BYTES("\xc6\x00\x00\x00\x01\x07"), "bin 32");
    agrees(BYTES("\xd4\x05\x01"), "fixext 1");
    agrees(BYTES("\xd8\x05"
                 "0123456789abcdef"),
           "fixext 16");
    agrees(BYTES("\xc7\x02\x05zz"), "ext 8");
    agrees(BYTES("\xc8\x00\x01\x05z"), "ext 16");
    agrees(BYTES("\xc9\x00\x00\x00\x01\x05z"), "ext 32");
    agrees(BYTES("\x90"), "empty array");
    agrees(BYTES("\x80"), "empty map");
    agrees(BYTES("\xdc\x00\x02\x01\x92\x02\x03"), "array 16");
    agrees(BYTES("\xdd\x00\x00\x00\x01\xc0"), "array 32");
    agrees(BYTES("\x81\xa1k\x82\xa1"
                 "a\x01\xa1"
                 "b\x93\x01\x02\x03"),
           "nested map");
    agrees(BYTES("\xde\x00\x01\x01\x02"), "map 16");
    agrees(BYTES("\xdf\x00\x00\x00\x01\x01\x02"), "map 32");
}

/* A random value of `depth` at most, by a small generator that always gives the same. */
static void
pack_random(msgpack_packer *packer, uint32_t *seed, int depth)
{
    *seed = *seed * 1664525 + 1013904223;
    switch (*seed >> 24 & (depth > 0 ? 7 : 3)) {
    case 0:
        msgpack_pack_int64(packer, (int64_t)*seed << (*seed & 31));
        break;
    case 1:
        msgpack_pack_str(packer, *seed & 3);
        msgpack_pack_str_body(packer, "xyz", *seed & 3);
        break;
    case 2:
        msgpack_pack_double(packer, *seed);
        break;
    case 3:
        msgpack_pack_nil(packer);
        break;
    case 4:
    case 5: {
        uint32_t n = *seed >> 8 & 7;

        msgpack_pack_array(packer, n);
        for (uint32_t i = 0; i < n; i++)
            pack_random(packer, seed, depth - 1);
        break;
    }
    default: {
        uint32_t n = *seed >> 8 & 7;

        msgpack_pack_map(packer, n);
        for (uint32_t i = 0; i < 2 * n; i++)
            pack_random(packer, seed, depth - 1);
        break;
    }
    }
}

Test(jml_result, random_trees_are_read_as_msgpack_c_reads_them)
{
    for (uint32_t round = 0; round < 2000; round++) {
        uint32_t seed = round;
        msgpack_sbuffer packed;
        msgpack_packer packer;

        msgpack_sbuffer_init(&packed);
        msgpack_packer_init(&packer, &packed, msgpack_sbuffer_write);
        pack_random(&packer, &seed, 6);
        agrees(packed.data, packed.size, "random");
        msgpack_sbuffer_destroy(&packed);
    }
}

Test(jml_result, a_part_of_the_frame_is_shown_with_its_bytes)
{
    jml_result *result = read_bytes(BYTES("\x94\x01\x07\xc0\x82\xa1"
                                          "a\x01\xa7"
                                          "details\x92\x01\x02"));
    struct jml_bytes member;

    jmli_result_show(result, 3);
    cr_expect_eq(jml_result_root(result)->type, MSGPACK_OBJECT_MAP);
    cr_expect_eq(jml_result_packed(result).len, 15);
    member = jmli_result_member(result, "details");
    cr_assert_eq(member.len, 3);
    cr_expect_eq(memcmp(member.data, "\x92\x01\x02", 3), 0);
    member = jmli_result_member(result, "a");
    cr_assert_eq(member.len, 1);
    cr_expect_null(jmli_result_member(result, "b").data);
    jml_result_free(result);
}

Test(jml_result, views_take_what_is_not_there)
{
    struct jml_text text;
    int64_t number;
    bool flag;

    cr_expect_null(jml_view_find(NULL, "x"));
    cr_expect_null(jml_view_at(NULL, 0));
    cr_expect_eq(jml_view_count(NULL), 0);
    cr_expect_not(jml_view_int(NULL, &number));
    cr_expect_not(jml_view_bool(NULL, &flag));
    cr_expect_not(jml_view_text(NULL, &text));
    jml_result_free(NULL);
}

static const struct {
    const char *says, *bytes;
    size_t n;
    bool is_int;
    int64_t value;
} numbers[] = {
    {"a whole float", BYTES("\xcb\x40\x1c\x00\x00\x00\x00\x00\x00"), true, 7},
    {"a float with a fraction", BYTES("\xcb\x3f\xf8\x00\x00\x00\x00\x00\x00"), false, 0},
    {"not a number", BYTES("\xcb\x7f\xf8\x00\x00\x00\x00\x00\x00"), false, 0},
    {"infinity", BYTES("\xcb\x7f\xf0\x00\x00\x00\x00\x00\x00"), false, 0},
    {"over 63 bits", BYTES("\xcf\x80\x00\x00\x00\x00\x00\x00\x00"), false, 0},
    {"the largest", BYTES("\xcf\x7f\xff\xff\xff\xff\xff\xff\xff"), true, INT64_MAX},
    {"a text",
     BYTES("\xa1"
           "7"),
     false, 0},
};

Test(jml_result, whole_numbers_are_read_in_any_encoding)
{
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        jml_result *result = read_bytes(numbers[i].bytes, numbers[i].n);
        int64_t value = 0;

        cr_expect_eq(jml_view_int(jml_result_root(result), &value), numbers[i].is_int, "%s",
                     numbers[i].says);
        cr_expect_eq(value, numbers[i].value, "%s", numbers[i].says);
        jml_result_free(result);
    }
}
