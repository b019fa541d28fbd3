#include "cases.h"
#include "value.h"

#include <inttypes.h>
#include <math.h>

#define S(literal) STR_LIT(literal)

static void
expect_bytes(const struct buf *buf, struct str want, const char *says)
{
    cr_assert_eq(buf_check(buf, NULL), ERR_OK);
    cr_expect(str_equal(buf_str(buf), want), "%s: %zu bytes", says, buf->len);
}

static const struct {
    int64_t number;
    struct str bytes;
} int_cases[] = {
    {0, S("\x00")},
    {127, S("\x7f")},
    {128, S("\xcc\x80")},
    {255, S("\xcc\xff")},
    {256, S("\xcd\x01\x00")},
    {65535, S("\xcd\xff\xff")},
    {65536, S("\xce\x00\x01\x00\x00")},
    {UINT32_MAX, S("\xce\xff\xff\xff\xff")},
    {INT64_C(4294967296), S("\xcf\x00\x00\x00\x01\x00\x00\x00\x00")},
    {INT64_MAX, S("\xcf\x7f\xff\xff\xff\xff\xff\xff\xff")},
    {-1, S("\xff")},
    {-32, S("\xe0")},
    {-33, S("\xd0\xdf")},
    {-128, S("\xd0\x80")},
    {-129, S("\xd1\xff\x7f")},
    {-32769, S("\xd2\xff\xff\x7f\xff")},
    {INT64_C(-2147483649), S("\xd3\xff\xff\xff\xff\x7f\xff\xff\xff")},
    {INT64_MIN, S("\xd3\x80\x00\x00\x00\x00\x00\x00\x00")},
};

CASES(pack, integers_take_the_fewest_bytes, int_cases)
{
    struct buf buf;
    char says[32];

    buf_init(&buf, 100);
    pack_int(&buf, int_cases[*i].number);
    snprintf(says, sizeof says, "%" PRId64, int_cases[*i].number);
    expect_bytes(&buf, int_cases[*i].bytes, says);
    buf_fini(&buf);
}

Test(pack, the_other_scalars)
{
    struct buf buf;

    buf_init(&buf, 1000);
    pack_nil(&buf);
    pack_bool(&buf, true);
    pack_bool(&buf, false);
    pack_str(&buf, S("ab"));
    pack_str(&buf, (struct str){NULL, 0});
    pack_text(&buf, "c");
    pack_text(&buf, NULL);
    pack_bin(&buf, "\x01", 1);
    pack_bin(&buf, NULL, 0);
    pack_float(&buf, 1.5);
    expect_bytes(&buf,
                 S("\xc0\xc3\xc2\xa2"
                   "ab\xa0\xa1"
                   "c\xc0\xc4\x01\x01\xc4\x00\xcb\x3f\xf8\x00\x00\x00\x00\x00\x00"),
                 "in one row");
    buf_fini(&buf);
}

static const struct {
    size_t n;
    struct str head;
} str_cases[] = {
    {31, S("\xbf")},          {32, S("\xd9\x20")},        {255, S("\xd9\xff")},
    {256, S("\xda\x01\x00")}, {65535, S("\xda\xff\xff")}, {65536, S("\xdb\x00\x01\x00\x00")},
};

CASES(pack, text_takes_the_shortest_head, str_cases)
{
    static char text[65536];
    struct buf buf;
    size_t n = str_cases[*i].n;

    memset(text, 'x', sizeof text);
    buf_init(&buf, 70000);
    pack_str(&buf, (struct str){text, n});
    cr_assert_eq(buf.len, str_cases[*i].head.len + n);
    cr_expect_eq(memcmp(buf.data, str_cases[*i].head.data, str_cases[*i].head.len), 0, "%zu", n);
    buf_fini(&buf);
}

Test(pack, keys_and_values_make_a_map)
{
    struct buf buf;

    buf_init(&buf, 1000);
    pack_map(&buf, 4);
    pack_key_int(&buf, "a", 1);
    pack_key_bool(&buf, "b", true);
    pack_key_str(&buf, "c", S("x"));
    pack_key_text(&buf, "d", NULL);
    expect_bytes(&buf,
                 S("\x84\xa1"
                   "a\x01\xa1"
                   "b\xc3\xa1"
                   "c\xa1x\xa1"
                   "d\xc0"),
                 "map");
    buf_fini(&buf);
}

Test(pack, an_open_container_gets_its_count_at_the_end)
{
    struct pack_open map, array;
    struct buf buf;

    buf_init(&buf, 1000);
    map = pack_map_open(&buf);
    pack_key(&buf, "k");
    array = pack_array_open(&buf);
    for (int i = 0; i < 300; i++)
        pack_nil(&buf);
    pack_close(&buf, array, 300);
    pack_close(&buf, map, 1);
    cr_assert_eq(buf.len, 1 + 2 + 3 + 300);
    cr_expect_arr_eq(buf.data, "\x81\xa1k\xdc\x01\x2c\xc0", 7);
    cr_expect_eq((unsigned char)buf.data[buf.len - 1], 0xc0);
    buf_fini(&buf);
}

Test(pack, a_closed_container_has_the_same_bytes_as_one_of_known_count)
{
    static const size_t counts[] = {0, 1, 15, 16, 65535, 65536};

    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++) {
        struct pack_open map, array;
        struct buf opened, known;

        buf_init(&opened, 1000000);
        buf_init(&known, 1000000);
        pack_map(&known, counts[i]);
        map = pack_map_open(&opened);
        for (size_t j = 0; j < counts[i]; j++) {
            pack_int(&known, (int64_t)j % 100);
            pack_array(&known, j % 20);
            pack_int(&opened, (int64_t)j % 100);
            array = pack_array_open(&opened);
            for (size_t k = 0; k < j % 20; k++) {
                pack_nil(&known);
                pack_nil(&opened);
            }
            pack_close(&opened, array, j % 20);
        }
        pack_close(&opened, map, counts[i]);
        cr_assert_eq(opened.len, known.len, "%zu pairs: %zu bytes, not %zu", counts[i], opened.len,
                     known.len);
        cr_expect_arr_eq(opened.data, known.data, known.len);
        buf_fini(&opened);
        buf_fini(&known);
    }
}

Test(pack, a_buf_that_is_full_stays_so_and_closing_writes_nothing)
{
    struct pack_open map;
    struct buf buf;
    struct err err;

    buf_init(&buf, 3);
    map = pack_map_open(&buf);
    pack_close(&buf, map, 7);
    pack_str(&buf, S("a"));
    cr_expect_eq(buf_check(&buf, &err), ERR_TOO_LARGE);
    cr_expect_eq(buf.len, 0);
    buf_fini(&buf);
}

static void
expect_again(struct str bytes, struct str want, const char *says)
{
    struct arena *arena = arena_create(100000);
    const msgpack_object *value;
    struct err err = {0};
    struct buf buf;

    cr_assert_eq(value_decode(bytes.data, bytes.len, &value_limits_default, arena, &value, &err),
                 ERR_OK, "%s: %s", says, err.message);
    buf_init(&buf, 1000);
    pack_value(&buf, value);
    expect_bytes(&buf, want, says);
    buf_fini(&buf);
    arena_destroy(arena);
}

Test(pack, a_tree_is_written_in_its_smallest_encoding)
{
    struct str mixed = S("\x98\xc0\xc2\x05\xfb\xa1"
                         "a\xc4\x01z\xc7\x03\x09"
                         "abc\x81\x01\x90");

    expect_again(mixed, mixed, "each type");
    expect_again(S("\xd3\x00\x00\x00\x00\x00\x00\x00\x05"), S("\x05"), "wide integer");
    expect_again(S("\xdb\x00\x00\x00\x01"
                   "a"),
                 S("\xa1"
                   "a"),
                 "wide text");
    expect_again(S("\xdd\x00\x00\x00\x01\xc0"), S("\x91\xc0"), "wide array");
    expect_again(S("\xdf\x00\x00\x00\x01\xc0\xc0"), S("\x81\xc0\xc0"), "wide map");
    expect_again(S("\xca\x3f\xc0\x00\x00"), S("\xcb\x3f\xf8\x00\x00\x00\x00\x00\x00"),
                 "floats are always of eight bytes");
    expect_again(S("\xcf\xff\xff\xff\xff\xff\xff\xff\xff"),
                 S("\xcf\xff\xff\xff\xff\xff\xff\xff\xff"), "over int64");
}
