#include "alloc.h"
#include "cases.h"
#include "value.h"

#include <math.h>
#include <stdlib.h>

#define S(literal) STR_LIT(literal)

static struct arena *arena;

static void
set_up(void)
{
    arena = arena_create(64 * 1024 * 1024);
}

static void
tear_down(void)
{
    arena_destroy(arena);
}

TestSuite(value, .init = set_up, .fini = tear_down);

static const msgpack_object *
decode(struct str bytes)
{
    const msgpack_object *value = NULL;
    struct err err = {0};

    cr_assert_eq(value_decode(bytes.data, bytes.len, &value_limits_default, arena, &value, &err),
                 ERR_OK, "%s", err.message);
    return value;
}

static const struct {
    const char *says;
    struct str bytes;
    enum err_code code;
    const char *message, *field;
} bad_cases[] = {
    {"nothing", S(""), ERR_INVALID_PARAMS,
     "the msgpack value is cut off: it goes on after its 0 bytes", ""},
    {"cut off in a text",
     S("\xa3"
       "ab"),
     ERR_INVALID_PARAMS, "the msgpack value is cut off: it goes on after its 3 bytes", ""},
    {"cut off in a list", S("\x93\x01"), ERR_INVALID_PARAMS,
     "the msgpack value is cut off: it goes on after its 2 bytes", ""},
    {"a second value", S("\x01\x02\x03"), ERR_INVALID_PARAMS,
     "2 bytes follow the msgpack value that ends at byte 1", ""},
    {"0xc1", S("\x92\x01\xc1"), ERR_INVALID_PARAMS, "byte 0xc1 at 2 is not msgpack", ""},
    {"an array of 2^32-1", S("\xdd\xff\xff\xff\xff"), ERR_TOO_LARGE, "more than 500000 values", ""},
    {"an ext of 2^32-1", S("\xc9\xff\xff\xff\xff\x01"), ERR_TOO_LARGE,
     "larger than the limit of 8388608 bytes", ""},
    {"text that is not UTF-8",
     S("\xa4"
       "caf\xe9"),
     ERR_INVALID_PARAMS, "byte 4 of the text is not UTF-8", ""},
    {"text with a NUL",
     S("\xa2"
       "a\0"),
     ERR_INVALID_PARAMS, "byte 2 of the text is not UTF-8", ""},
    {"its path",
     S("\x81\xa8"
       "profiles\x92\x01\x81\xa4"
       "name\xa1\xff"),
     ERR_INVALID_PARAMS, "byte 1 of the text is not UTF-8", "profiles[1].name"},
    {"a key that is not UTF-8", S("\x82\x01\x02\xa1\xff\x01"), ERR_INVALID_PARAMS,
     "byte 1 of the text is not UTF-8", "(key 2)"},
    {"text inside a key", S("\x81\x91\xa1\xff\x01"), ERR_INVALID_PARAMS,
     "byte 1 of the text is not UTF-8", "(key 1)[0]"},
};

CASES(value, bad_bytes_are_refused_with_a_sentence, bad_cases)
{
    const msgpack_object *value = NULL;
    struct err err = {0};

    cr_expect_eq(value_decode(bad_cases[*i].bytes.data, bad_cases[*i].bytes.len,
                              &value_limits_default, arena, &value, &err),
                 bad_cases[*i].code, "%s", bad_cases[*i].says);
    cr_expect_str_eq(err.message, bad_cases[*i].message);
    cr_expect_str_eq(err.field, bad_cases[*i].field);
    cr_expect_null(value, "outputs are written on success only");
}

Test(value, limits_hold_at_the_limit_and_refuse_one_over)
{
    struct value_limits limits = {.bytes = 4, .items = 4, .depth = 1};
    const msgpack_object *value;
    struct err err;

    cr_expect_eq(value_decode("\x93\x01\x02\x03", 4, &limits, arena, &value, &err), ERR_OK);
    limits.bytes = 3;
    cr_expect_eq(value_decode("\x93\x01\x02\x03", 4, &limits, arena, &value, &err), ERR_TOO_LARGE);
    cr_expect_str_eq(err.message, "larger than the limit of 3 bytes");
    limits = (struct value_limits){.bytes = 4, .items = 3, .depth = 1};
    cr_expect_eq(value_decode("\x93\x01\x02\x03", 4, &limits, arena, &value, &err), ERR_TOO_LARGE);
    cr_expect_str_eq(err.message, "more than 3 values");
    limits = (struct value_limits){.bytes = 4, .items = 4, .depth = 0};
    cr_expect_eq(value_decode("\x93\x01\x02\x03", 4, &limits, arena, &value, &err), ERR_TOO_LARGE);
    cr_expect_str_eq(err.message, "more than 0 lists and maps one in another");
}

Test(value, depth_32_is_fine_and_33_is_not)
{
    unsigned char bytes[40];
    const msgpack_object *value;
    struct value_limits limits = value_limits_default;

    memset(bytes, 0x91, sizeof bytes);
    bytes[32] = 0xc0;
    cr_expect_eq(value_decode(bytes, 33, &limits, arena, &value, NULL), ERR_OK);
    bytes[32] = 0x91;
    bytes[33] = 0xc0;
    cr_expect_eq(value_decode(bytes, 34, &limits, arena, &value, NULL), ERR_TOO_LARGE);
    limits.depth = 100;
    cr_expect_eq(value_decode(bytes, 34, &limits, arena, &value, NULL), ERR_TOO_LARGE);
}

Test(value, half_a_million_items_are_fine_and_one_more_is_not)
{
    size_t n = 499999;
    unsigned char *bytes = calloc(n + 6, 1);
    const msgpack_object *value;

    bytes[0] = 0xdd;
    bytes[1] = 0;
    bytes[2] = (unsigned char)(n >> 16);
    bytes[3] = (unsigned char)(n >> 8);
    bytes[4] = (unsigned char)n;
    cr_expect_eq(value_decode(bytes, n + 5, &value_limits_default, arena, &value, NULL), ERR_OK);
    cr_expect_eq(value_size(value), n);
    bytes[4]++;
    cr_expect_eq(value_decode(bytes, n + 6, &value_limits_default, arena, &value, NULL),
                 ERR_TOO_LARGE);
    free(bytes);
}

Test(value, an_arena_without_room_is_told_and_nothing_leaks)
{
    enum err_code code = ERR_BUSY;

    for (size_t limit = 0; limit <= 128; limit += 16) {
        struct arena *tight = arena_create(limit);
        const msgpack_object *value = NULL;

        code = value_decode("\x92\x01\x90", 3, &value_limits_default, tight, &value, NULL);
        cr_expect_eq(code != ERR_OK, value == NULL);
        cr_expect(code == ERR_OK || code == ERR_BUSY);
        arena_destroy(tight);
    }
    cr_expect_eq(code, ERR_OK);
}

Test(value, accessors_answer_for_their_type_only)
{
    const msgpack_object *list =
        decode(S("\x98\xc0\xc3\x05\xfb\xcb\x40\x04\x00\x00\x00\x00\x00\x00\xa1"
                 "a\xc4\x01z\xd4\x07x"));
    struct str text = S("kept");
    int64_t number = 77;
    bool truth = false;

    cr_expect(value_is_nil(value_at(list, 0)));
    cr_expect(value_is_nil(NULL));
    cr_expect_not(value_is_nil(list));
    cr_expect(value_bool(value_at(list, 1), &truth) && truth);
    cr_expect(value_int(value_at(list, 2), &number) && number == 5);
    cr_expect(value_int(value_at(list, 3), &number) && number == -5);
    cr_expect_not(value_int(value_at(list, 4), &number), "2.5 is not whole");
    cr_expect(value_str(value_at(list, 5), &text) && str_is(text, "a"));
    cr_expect_not(value_bin(value_at(list, 5), &text));
    cr_expect(value_bin(value_at(list, 6), &text) && str_is(text, "z"));
    cr_expect_not(value_str(value_at(list, 6), &text));
    for (size_t k = 0; k < 8; k++) {
        cr_expect_eq(value_str(value_at(list, k), &text), k == 5);
        cr_expect_eq(value_bin(value_at(list, k), &text), k == 6);
        cr_expect_eq(value_bool(value_at(list, k), &truth), k == 1);
        cr_expect_eq(value_int(value_at(list, k), &number), k == 2 || k == 3);
        cr_expect_eq(value_size(value_at(list, k)), 0);
        cr_expect_null(value_at(value_at(list, k), 0));
        cr_expect_null(value_of(value_at(list, k), 0));
        cr_expect_null(value_find(value_at(list, k), "a"));
    }
    cr_expect_null(value_at(list, 8));
    cr_expect(value_is_array(list) && !value_is_map(list) && value_size(list) == 8);
    cr_expect_not(value_str(NULL, &text) || value_bin(NULL, &text) || value_bool(NULL, &truth) ||
                  value_int(NULL, &number) || value_is_map(NULL) || value_is_array(NULL));
    cr_expect_eq(value_size(NULL), 0);
}

static const struct {
    const char *says;
    struct str bytes;
    bool is_int;
    int64_t number;
} int_cases[] = {
    {"int8 +5 arrives as an unsigned", S("\xd0\x05"), true, 5},
    {"largest", S("\xcf\x7f\xff\xff\xff\xff\xff\xff\xff"), true, INT64_MAX},
    {"one over", S("\xcf\x80\x00\x00\x00\x00\x00\x00\x00"), false, 0},
    {"smallest", S("\xd3\x80\x00\x00\x00\x00\x00\x00\x00"), true, INT64_MIN},
    {"3.0 of four bytes", S("\xca\x40\x40\x00\x00"), true, 3},
    {"-0.0", S("\xcb\x80\x00\x00\x00\x00\x00\x00\x00"), true, 0},
    {"2^53", S("\xcb\x43\x40\x00\x00\x00\x00\x00\x00"), true, INT64_C(9007199254740992)},
    {"-2^53", S("\xcb\xc3\x40\x00\x00\x00\x00\x00\x00"), true, -INT64_C(9007199254740992)},
    {"the float after 2^53", S("\xcb\x43\x40\x00\x00\x00\x00\x00\x01"), false, 0},
    {"NaN", S("\xcb\x7f\xf8\x00\x00\x00\x00\x00\x00"), false, 0},
    {"infinity", S("\xcb\x7f\xf0\x00\x00\x00\x00\x00\x00"), false, 0},
    {"1e300", S("\xcb\x7e\x37\xe4\x3c\x88\x00\x75\x9c"), false, 0},
};

CASES(value, whole_numbers_of_any_encoding_are_int, int_cases)
{
    int64_t number = 0;

    cr_expect_eq(value_int(decode(int_cases[*i].bytes), &number), int_cases[*i].is_int, "%s",
                 int_cases[*i].says);
    cr_expect_eq(number, int_cases[*i].number, "%s", int_cases[*i].says);
}

Test(value, a_map_is_read_by_position_and_by_key)
{
    const msgpack_object *map = decode(S("\x84\xa1"
                                         "a\x01\x07\x02\xa1"
                                         "b\x03\xa1"
                                         "a\x04"));
    int64_t number;

    cr_expect(str_is(value_key(map, 0), "a"));
    cr_expect_eq(value_key(map, 1).len, 0, "7 is no text");
    cr_expect_eq(value_key(map, 4).len, 0);
    cr_expect(value_int(value_of(map, 2), &number) && number == 3);
    cr_expect_null(value_of(map, 4));
    cr_expect(value_int(value_find(map, "a"), &number) && number == 4, "the last of two");
    cr_expect(value_int(value_find_str(map, S("b")), &number) && number == 3);
    cr_expect_null(value_find(map, "c"));
    cr_expect_null(value_find(map, ""));
    cr_expect_null(value_find(NULL, "a"));
}

Test(value, types_have_names_for_people)
{
    const msgpack_object *list =
        decode(S("\x99\xc0\xc3\x05\xfb\xca\x00\x00\x00\x00\xa0\xc4\x00\x90\x80"));
    static const char *const names[] = {"nothing",      "true or false", "whole number",
                                        "whole number", "number",        "text",
                                        "bytes",        "list",          "map"};

    for (size_t k = 0; k < 9; k++)
        cr_expect_str_eq(value_type_name(value_at(list, k)), names[k]);
    cr_expect_str_eq(value_type_name(NULL), "nothing");
    cr_expect_str_eq(value_type_name(decode(S("\xd4\x01x"))), "extension");
}

static const struct {
    const char *says;
    struct str a, b;
    bool is_equal;
} equal_cases[] = {
    {"nil", S("\xc0"), S("\xc0"), true},
    {"nil is not false", S("\xc0"), S("\xc2"), false},
    {"true and false", S("\xc3"), S("\xc2"), false},
    {"one integer in two encodings", S("\x05"), S("\xd3\x00\x00\x00\x00\x00\x00\x00\x05"), true},
    {"another sign", S("\x01"), S("\xff"), false},
    {"below zero in two encodings", S("\xfb"), S("\xd1\xff\xfb"), true},
    {"another below zero", S("\xfb"), S("\xfa"), false},
    {"a whole float is no integer", S("\x01"), S("\xca\x3f\x80\x00\x00"), false},
    {"one float in two widths", S("\xca\x3f\xc0\x00\x00"),
     S("\xcb\x3f\xf8\x00\x00\x00\x00\x00\x00"), true},
    {"NaN", S("\xca\x7f\xc0\x00\x00"), S("\xcb\x7f\xf8\x00\x00\x00\x00\x00\x00"), true},
    {"text",
     S("\xa2"
       "ab"),
     S("\xd9\x02"
       "ab"),
     true},
    {"other text",
     S("\xa2"
       "ab"),
     S("\xa2"
       "ac"),
     false},
    {"text is not bytes",
     S("\xa1"
       "a"),
     S("\xc4\x01"
       "a"),
     false},
    {"bytes",
     S("\xc4\x01"
       "a"),
     S("\xc5\x00\x01"
       "a"),
     true},
    {"ext by type and bytes",
     S("\xd4\x01"
       "a"),
     S("\xd4\x01"
       "a"),
     true},
    {"ext of another type",
     S("\xd4\x01"
       "a"),
     S("\xd4\x02"
       "a"),
     false},
    {"lists in order", S("\x92\x01\x02"), S("\x92\x01\x02"), true},
    {"lists out of order", S("\x92\x01\x02"), S("\x92\x02\x01"), false},
    {"lists of other lengths", S("\x92\x01\x02"), S("\x91\x01"), false},
    {"an empty list is no empty map", S("\x90"), S("\x80"), false},
    {"maps in any order",
     S("\x82\xa1"
       "a\x01\xa1"
       "b\x02"),
     S("\x82\xa1"
       "b\x02\xa1"
       "a\x01"),
     true},
    {"another value",
     S("\x82\xa1"
       "a\x01\xa1"
       "b\x02"),
     S("\x82\xa1"
       "b\x02\xa1"
       "a\x03"),
     false},
    {"another key",
     S("\x81\xa1"
       "a\x01"),
     S("\x81\xa1"
       "b\x01"),
     false},
    {"one pair more",
     S("\x82\xa1"
       "a\x01\xa1"
       "b\x02"),
     S("\x81\xa1"
       "a\x01"),
     false},
    {"keys that are no text", S("\x82\x01\x01\x02\x02"), S("\x82\x02\x02\x01\x01"), true},
    {"pairs of one key in order",
     S("\x82\xa1"
       "a\x01\xa1"
       "a\x02"),
     S("\x82\xa1"
       "a\x01\xa1"
       "a\x02"),
     true},
    {"pairs of one key out of order",
     S("\x82\xa1"
       "a\x01\xa1"
       "a\x02"),
     S("\x82\xa1"
       "a\x02\xa1"
       "a\x01"),
     false},
    {"a key twice against two keys",
     S("\x82\xa1"
       "a\x01\xa1"
       "a\x01"),
     S("\x82\xa1"
       "a\x01\xa1"
       "b\x01"),
     false},
};

CASES(value, equality_is_of_type_and_content, equal_cases)
{
    const msgpack_object *a = decode(equal_cases[*i].a), *b = decode(equal_cases[*i].b);

    cr_expect_eq(value_equal(a, b), equal_cases[*i].is_equal, "%s", equal_cases[*i].says);
    cr_expect_eq(value_equal(b, a), equal_cases[*i].is_equal, "%s, the other way",
                 equal_cases[*i].says);
    cr_expect(value_equal(a, a));
}

/* A map of n text keys, forwards or backwards; the last value is `last`. */
static const msgpack_object *
make_map(size_t n, bool is_backwards, int64_t last)
{
    struct buf buf;
    const msgpack_object *value;

    buf_init(&buf, 100000000);
    pack_map(&buf, n);
    for (size_t k = 0; k < n; k++) {
        size_t id = is_backwards ? n - 1 - k : k;
        char key[24];

        snprintf(key, sizeof key, "k%zu", id);
        pack_key_int(&buf, key, id + 1 == n ? last : (int64_t)id);
    }
    value = decode((struct str){arena_copy(arena, buf.data, buf.len), buf.len});
    buf_fini(&buf);
    return value;
}

Test(value, maps_of_a_hundred_thousand_keys_compare_in_any_order, .timeout = 20)
{
    const msgpack_object *a = make_map(100000, false, 7), *b = make_map(100000, true, 7);

    cr_expect(value_equal(a, b));
    cr_expect_not(value_equal(a, make_map(100000, true, 8)));
}

Test(value, maps_compare_rightly_when_memory_ends)
{
    const msgpack_object *a = make_map(50, false, 7), *b = make_map(50, true, 7);
    const msgpack_object *c = make_map(50, true, 8);

    for (long n = 1; n <= 2; n++) {
        mem_fail_at(n);
        cr_expect(value_equal(a, b));
        cr_expect(mem_fail_happened());
        mem_fail_at(n);
        cr_expect_not(value_equal(a, c));
        cr_expect(mem_fail_happened());
    }
}

Test(value, deep_maps_compare_in_no_more_than_one_pass, .timeout = 20)
{
    unsigned char bytes[65];
    const msgpack_object *a, *b;

    for (int k = 0; k < 32; k++) { /* {1: {1: {1: …}}} */
        bytes[2 * k] = 0x81;
        bytes[2 * k + 1] = 0x01;
    }
    bytes[64] = 0x01;
    a = decode((struct str){(const char *)bytes, 65});
    b = decode((struct str){(const char *)bytes, 65});
    cr_expect(value_equal(a, b));
}

static const struct {
    const char *says;
    struct str bytes;
    bool is_bad;
    const char *path;
} key_cases[] = {
    {"no map", S("\x93\x01\x02\xa0"), false, ""},
    {"an empty map", S("\x80"), false, ""},
    {"different keys",
     S("\x82\xa1"
       "a\x01\xa1"
       "b\x01"),
     false, ""},
    {"one key in two maps",
     S("\x92\x81\xa1"
       "a\x01\x81\xa1"
       "a\x01"),
     false, ""},
    {"a key twice",
     S("\x83\xa1"
       "a\x01\xa1"
       "b\x01\xa1"
       "a\x01"),
     true, "a"},
    {"the first of two",
     S("\x84\xa1"
       "b\x01\xa1"
       "a\x01\xa1"
       "b\x01\xa1"
       "a\x01"),
     true, "b"},
    {"a key that is no text",
     S("\x82\xa1"
       "a\x01\x05\x01"),
     true, "(key 2)"},
    {"nil as a key", S("\x81\xc0\x01"), true, "(key 1)"},
    {"the empty key twice", S("\x82\xa0\x01\xa0\x02"), true, "(key 2)"},
    {"the empty key once", S("\x81\xa0\x01"), false, ""},
    {"deeper",
     S("\x92\x01\x82\xa1"
       "p\x01\xa1"
       "q\x91\x82\xa1"
       "a\x01\xa1"
       "a\x02"),
     true, "[1].q[0].a"},
    {"the outer map first",
     S("\x83\xa1"
       "p\x82\xa1"
       "a\x01\xa1"
       "a\x02\xa1"
       "z\x01\xa1"
       "z\x02"),
     true, "z"},
};

CASES(value, bad_keys_are_found_with_their_path, key_cases)
{
    struct str path = {NULL, 0};
    const msgpack_object *value = decode(key_cases[*i].bytes);

    cr_expect_eq(value_find_bad_key(value, arena, &path), key_cases[*i].is_bad, "%s",
                 key_cases[*i].says);
    if (key_cases[*i].is_bad)
        cr_expect(str_is(path, key_cases[*i].path), "%s: %.*s", key_cases[*i].says, STR_ARG(path));
}

Test(value, a_bad_key_among_a_hundred_thousand_is_found_in_time, .timeout = 20)
{
    const msgpack_object *map = make_map(100000, true, 7);
    struct str path;
    size_t bad;

    cr_expect_not(value_find_bad_key(map, arena, &path));
    cr_expect_eq(value_check_keys(map, &bad, NULL), ERR_OK);
    cr_expect_eq(bad, 100000);
}

Test(value, a_long_key_is_cut_in_the_path)
{
    struct buf buf;
    char key[200];
    struct str path;

    memset(key, 'x', sizeof key);
    memcpy(key + 63, "\xC3\xA9", 2);
    buf_init(&buf, 1000);
    pack_map(&buf, 2);
    for (int k = 0; k < 2; k++) {
        pack_str(&buf, (struct str){key, sizeof key});
        pack_nil(&buf);
    }
    cr_expect(value_find_bad_key(decode(buf_str(&buf)), arena, &path));
    cr_expect_eq(path.len, 63);
    buf_fini(&buf);
}

Test(value, keys_are_bad_when_memory_ends_before_all_were_seen)
{
    const msgpack_object *map = make_map(3, false, 7);
    struct str path = S("x");
    struct err err;
    size_t bad = 99;

    mem_fail_at(1);
    cr_expect(value_find_bad_key(map, arena, &path));
    cr_expect(mem_fail_happened());
    cr_expect_eq(path.len, 0);
    mem_fail_at(1);
    cr_expect_eq(value_check_keys(map, &bad, &err), ERR_BUSY);
    cr_expect(mem_fail_happened());
    cr_expect_eq(bad, 99);
}

/* ---- stored values, read by hand ---- */

/* One of each type and width, signs and sizes at their edges. */
static void
pack_everything(struct buf *out)
{
    static const char bytes[] =
        "\xc0\xc2\xc3\x00\x7f\xe0\xff\xcc\xff\xcd\xff\xff\xce\xff\xff\xff\xff"
        "\xcf\xff\xff\xff\xff\xff\xff\xff\xff\xd0\x05\xd0\x80\xd1\x80\x00\xd1\x00\x05"
        "\xd2\x80\x00\x00\x00\xd3\x80\x00\x00\x00\x00\x00\x00\x00\xd3\x00\x00\x00\x00\x00"
        "\x00\x00\x05\xca\x3f\xc0\x00\x00\xcb\x3f\xf8\x00\x00\x00\x00\x00\x00\xa0\xa2"
        "ab\xd9\x01x\xda\x00\x01y\xdb\x00\x00\x00\x01z\xc4\x01\xff\xc5\x00\x01\xff\xc6\x00"
        "\x00\x00\x01\xff\xd4\x01q\xd5\x01qq\xd6\x01qqqq\xd7\x01qqqqqqqq\xd8\x01qqqqqqqqqqqqqqqq"
        "\xc7\x03\x01qqq\xc8\x00\x01\x01q\xc9\x00\x00\x00\x01\x01q\x80\x90\x81\xa1k\x91\x01"
        "\xdc\x00\x01\x01\xdd\x00\x00\x00\x01\x01\xde\x00\x01\xa1k\x01\xdf\x00\x00\x00\x01\xa1k"
        "\x01";

    buf_append(out, "\xdc\x00\x2b", 3);
    buf_append(out, bytes, sizeof bytes - 1);
}

Test(value, a_stored_value_is_read_as_msgpack_reads_it)
{
    const msgpack_object *read = NULL, *decoded;
    struct err err = {0};
    struct buf bytes;

    buf_init(&bytes, 4096);
    pack_everything(&bytes);
    decoded = decode(buf_str(&bytes));
    cr_assert_eq(value_read(bytes.data, bytes.len, &value_limits_default, arena, &read, &err),
                 ERR_OK, "%s", err.message);
    cr_assert_eq(value_size(read), value_size(decoded));
    for (size_t i = 0; i < value_size(read); i++) {
        cr_expect_eq(value_at(read, i)->type, value_at(decoded, i)->type, "value %zu", i);
        cr_expect(value_equal(value_at(read, i), value_at(decoded, i)), "value %zu", i);
    }
    for (size_t n = 0; n < bytes.len; n++) { /* a copy, so that reading on is caught */
        char *copy = malloc(n > 0 ? n : 1);

        memcpy(copy, bytes.data, n);
        cr_expect_eq(value_read(copy, n, &value_limits_default, arena, &read, &err),
                     ERR_INVALID_PARAMS, "cut off after %zu bytes", n);
        free(copy);
    }
    buf_append_char(&bytes, 0);
    cr_expect_eq(value_read(bytes.data, bytes.len, &value_limits_default, arena, &read, &err),
                 ERR_INVALID_PARAMS, "followed by rest");
    buf_fini(&bytes);
}

/* Reads the map as a cursor has it, texts and lists of few as such; ERR_OK if it is good, and then the pairs are
 * those of `tree`. */
static enum err_code
walk_pairs(const char *bytes, size_t n, const msgpack_object *tree, struct err *err)
{
    struct value_cursor cursor;
    uint64_t n_pairs;
    enum err_code code =
        value_cursor_begin(&cursor, bytes, n, &value_limits_default, arena, &n_pairs, err);

    for (size_t i = 0; code == ERR_OK && i < n_pairs; i++) {
        msgpack_object key, value;
        struct str text;
        size_t n_items;

        if (!value_cursor_short_text(&cursor, &text)) {
            if (!value_cursor_next(&cursor, &key))
                return err->code;
            value_str(&key, &text);
        }
        cr_expect(tree == NULL || str_equal(text, value_key(tree, i)), "key %zu", i);
        if (value_cursor_short_list(&cursor, &n_items)) {
            cr_expect(tree == NULL || n_items == value_size(value_of(tree, i)), "list %zu", i);
            for (size_t j = 0; j < n_items; j++) {
                if (!value_cursor_next(&cursor, &value))
                    return err->code;
                cr_expect(tree == NULL || value_equal(&value, value_at(value_of(tree, i), j)));
            }
        } else if (value_cursor_short_text(&cursor, &text)) {
            struct str wanted;

            cr_expect(tree == NULL ||
                      (value_str(value_of(tree, i), &wanted) && str_equal(text, wanted)));
        } else if (!value_cursor_next(&cursor, &value)) {
            return err->code;
        } else {
            cr_expect(tree == NULL || value_equal(&value, value_of(tree, i)), "value %zu", i);
        }
    }
    return code == ERR_OK ? value_cursor_end(&cursor) : code;
}

Test(value, a_stored_map_is_walked_as_it_is_read)
{
    static const char map[] = "\xde\x00\x07"
                              "\xa1"
                              "a"
                              "\xa3"
                              "one"
                              "\xa1"
                              "b"
                              "\x92\xa1"
                              "x"
                              "\x05"
                              "\xd9\x01"
                              "c"
                              "\x90"
                              "\xa1"
                              "d"
                              "\xd9\x03"
                              "two"
                              "\xa1"
                              "e"
                              "\x81\xa1"
                              "k"
                              "\xc0"
                              "\xa1"
                              "f"
                              "\xdc\x00\x01\xa1"
                              "y"
                              "\xa0"
                              "\xce\x00\x00\x01\x00";
    const msgpack_object *tree;
    struct err err = {0};
    char *copy;

    cr_assert_eq(value_read(map, sizeof map - 1, &value_limits_default, arena, &tree, &err), ERR_OK,
                 "%s", err.message);
    cr_expect_eq(walk_pairs(map, sizeof map - 1, tree, &err), ERR_OK, "%s", err.message);
    for (size_t n = 0; n < sizeof map - 1; n++) {
        copy = malloc(n > 0 ? n : 1);
        memcpy(copy, map, n);
        err = (struct err){0};
        cr_expect_eq(walk_pairs(copy, n, NULL, &err), ERR_INVALID_PARAMS, "cut off after %zu", n);
        free(copy);
    }
    err = (struct err){0};
    cr_expect_eq(walk_pairs(map, sizeof map, NULL, &err), ERR_INVALID_PARAMS, "followed by rest");
    err = (struct err){0};
    cr_expect_eq(walk_pairs("\x93\x01\x02\x03", 4, NULL, &err), ERR_OK, "no map has no pairs");
    cr_expect_eq(walk_pairs("\xdf\xff\xff\xff\xff", 5, NULL, &err), ERR_TOO_LARGE);
}

Test(value, a_stored_value_keeps_to_the_limits)
{
    const struct value_limits limits = {.bytes = 40, .items = 4, .depth = 2};
    const msgpack_object *value;

    cr_expect_eq(value_read("\x93\x01\x02\x03", 4, &limits, arena, &value, NULL), ERR_OK);
    cr_expect_eq(value_read("\x94\x01\x02\x03\x04", 5, &limits, arena, &value, NULL),
                 ERR_TOO_LARGE);
    cr_expect_eq(value_read("\x91\x91\x01", 3, &limits, arena, &value, NULL), ERR_OK);
    cr_expect_eq(value_read("\x91\x91\x90", 3, &limits, arena, &value, NULL), ERR_TOO_LARGE);
    cr_expect_eq(value_read("\xdf\xff\xff\xff\xff", 5, &value_limits_default, arena, &value, NULL),
                 ERR_TOO_LARGE, "a header asks for more than there is");
    cr_expect_eq(value_read("\xdd\x00\x01\x00\x00", 5, &value_limits_default, arena, &value, NULL),
                 ERR_INVALID_PARAMS, "likewise, below the limit");
    cr_expect_eq(value_read("\xc1", 1, &value_limits_default, arena, &value, NULL),
                 ERR_INVALID_PARAMS);
    cr_expect_eq(value_read("\xd9\x29"
                            "12345678901234567890123456789012345678901",
                            43, &limits, arena, &value, NULL),
                 ERR_TOO_LARGE);
}
