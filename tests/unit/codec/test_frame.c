#include "cases.h"
#include "frame.h"
#include "str.h"

#include <msgpack.h>

#define S(literal) STR_LIT(literal)

static enum frame_state
scan_whole(struct frame_scan *scan, struct str bytes, size_t max_bytes, size_t max_items,
           unsigned max_depth)
{
    frame_scan_init(scan, max_bytes, max_items, max_depth);
    return frame_scan(scan, (const uint8_t *)bytes.data, bytes.len);
}

static const struct {
    const char *says;
    struct str bytes;
    size_t pos;
} whole_cases[] = {
    {"positive fixint", S("\x00"), 1},
    {"highest positive fixint", S("\x7f"), 1},
    {"negative fixint", S("\xe0"), 1},
    {"nil, and what follows is another value", S("\xc0\xc0"), 1},
    {"empty fixstr", S("\xa0"), 1},
    {"longest fixstr",
     S("\xbf"
       "0123456789012345678901234567890"),
     32},
    {"empty fixarray", S("\x90"), 1},
    {"empty fixmap", S("\x80"), 1},
    {"pair", S("\x81\x01\x02\x03"), 3},
    {"str8",
     S("\xd9\x02"
       "ab"),
     4},
    {"str16",
     S("\xda\x00\x02"
       "ab"),
     5},
    {"str32",
     S("\xdb\x00\x00\x00\x02"
       "ab"),
     7},
    {"bin8",
     S("\xc4\x02"
       "ab"),
     4},
    {"bin16",
     S("\xc5\x00\x02"
       "ab"),
     5},
    {"bin32",
     S("\xc6\x00\x00\x00\x02"
       "ab"),
     7},
    {"ext8 has a byte of type",
     S("\xc7\x02\x05"
       "ab"),
     5},
    {"ext16",
     S("\xc8\x00\x02\x05"
       "ab"),
     6},
    {"ext32",
     S("\xc9\x00\x00\x00\x02\x05"
       "ab"),
     8},
    {"ext8 of nothing", S("\xc7\x00\x05"), 3},
    {"fixext1",
     S("\xd4\x05"
       "a"),
     3},
    {"fixext2",
     S("\xd5\x05"
       "ab"),
     4},
    {"fixext4",
     S("\xd6\x05"
       "abcd"),
     6},
    {"fixext8",
     S("\xd7\x05"
       "abcdefgh"),
     10},
    {"fixext16",
     S("\xd8\x05"
       "abcdefghabcdefgh"),
     18},
    {"float32", S("\xca\x00\x00\x00\x00"), 5},
    {"float64", S("\xcb\x00\x00\x00\x00\x00\x00\x00\x00"), 9},
    {"uint8 to uint64 in an array",
     S("\x94\xcc\x01\xcd\x01\x02\xce\x01\x02\x03\x04"
       "\xcf\x01\x02\x03\x04\x05\x06\x07\x08"),
     20},
    {"int8 to int64 in an array",
     S("\x94\xd0\x01\xd1\x01\x02\xd2\x01\x02\x03\x04"
       "\xd3\x01\x02\x03\x04\x05\x06\x07\x08"),
     20},
    {"array16", S("\xdc\x00\x02\x01\x02"), 5},
    {"array32", S("\xdd\x00\x00\x00\x02\x01\x02"), 7},
    {"map16", S("\xde\x00\x01\x01\x02"), 5},
    {"map32", S("\xdf\x00\x00\x00\x01\x01\x02"), 7},
    {"lists in maps in lists",
     S("\x92\x81\xa1"
       "a\x93\x01\x02\x90\x80"),
     9},
};

CASES(frame, one_value_ends_where_msgpack_says, whole_cases)
{
    struct frame_scan scan;

    cr_expect_eq(scan_whole(&scan, whole_cases[*i].bytes, 100, 100, 32), FRAME_DONE, "%s",
                 whole_cases[*i].says);
    cr_expect_eq(scan.pos, whole_cases[*i].pos, "%s", whole_cases[*i].says);
    cr_expect_eq(
        frame_scan(&scan, (const uint8_t *)whole_cases[*i].bytes.data, whole_cases[*i].bytes.len),
        FRAME_DONE, "asked again it says the same");
}

CASES(frame, a_value_that_comes_byte_by_byte_is_the_same, whole_cases)
{
    struct str bytes = whole_cases[*i].bytes;
    struct frame_scan scan;

    frame_scan_init(&scan, 100, 100, 32);
    for (size_t n = 0; n < whole_cases[*i].pos; n++)
        cr_assert_eq(frame_scan(&scan, (const uint8_t *)bytes.data, n), FRAME_MORE,
                     "%s: done after %zu", whole_cases[*i].says, n);
    cr_expect_eq(frame_scan(&scan, (const uint8_t *)bytes.data, whole_cases[*i].pos), FRAME_DONE);
    cr_expect_eq(scan.pos, whole_cases[*i].pos);
}

static const struct {
    const char *says;
    struct str bytes;
    enum frame_state state;
} bad_cases[] = {
    {"0xc1 is no type", S("\xc1"), FRAME_BAD},
    {"0xc1 inside", S("\x92\x01\xc1"), FRAME_BAD},
    {"an array of 2^32-1", S("\xdd\xff\xff\xff\xff"), FRAME_TOO_MANY},
    {"a map of 2^32-1", S("\xdf\xff\xff\xff\xff"), FRAME_TOO_MANY},
    {"a map of 2^31, whose pairs are 2^32 values", S("\xdf\x80\x00\x00\x00"), FRAME_TOO_MANY},
    {"a str of 2^32-1", S("\xdb\xff\xff\xff\xff"), FRAME_TOO_LONG},
    {"a bin of 2^32-1", S("\xc6\xff\xff\xff\xff"), FRAME_TOO_LONG},
    {"an ext of 2^32-1", S("\xc9\xff\xff\xff\xff\x05"), FRAME_TOO_LONG},
    {"the header alone is enough", S("\xc6\x00\x00\x01\x00"), FRAME_TOO_LONG},
    {"no byte at all", S(""), FRAME_MORE},
    {"half a header", S("\xdd\xff\xff"), FRAME_MORE},
    {"a body cut off",
     S("\xa3"
       "ab"),
     FRAME_MORE},
    {"children missing", S("\x93\x01\x02"), FRAME_MORE},
};

CASES(frame, hostile_and_cut_off_values_are_told, bad_cases)
{
    struct frame_scan scan;

    cr_expect_eq(scan_whole(&scan, bad_cases[*i].bytes, 100, 60, 32), bad_cases[*i].state, "%s",
                 bad_cases[*i].says);
    cr_expect_eq(
        frame_scan(&scan, (const uint8_t *)bad_cases[*i].bytes.data, bad_cases[*i].bytes.len),
        bad_cases[*i].state, "asked again it says the same");
}

Test(frame, depth_is_met_at_the_limit_and_refused_one_over)
{
    struct frame_scan scan;
    char bytes[FRAME_DEPTH_MAX + 2];

    memset(bytes, '\x91', sizeof bytes);
    bytes[32] = '\xc0';
    cr_expect_eq(scan_whole(&scan, (struct str){bytes, 33}, 100, 100, 32), FRAME_DONE);
    cr_expect_eq(scan_whole(&scan, (struct str){bytes, 33}, 100, 100, 31), FRAME_TOO_DEEP);
    bytes[32] = '\x90';
    cr_expect_eq(scan_whole(&scan, (struct str){bytes, 33}, 100, 100, 32), FRAME_TOO_DEEP,
                 "an empty one counts, as for msgpack-c");
    cr_expect_eq(scan_whole(&scan, (struct str){bytes, 33}, 100, 100, 1000), FRAME_TOO_DEEP,
                 "no limit goes beyond the scanner's own");
    cr_expect_eq(scan_whole(&scan, S("\x90"), 100, 100, 0), FRAME_TOO_DEEP);
    cr_expect_eq(scan_whole(&scan, S("\x01"), 100, 100, 0), FRAME_DONE);
}

Test(frame, a_hundred_thousand_levels_are_refused_at_once)
{
    static char bytes[100000];
    struct frame_scan scan;

    memset(bytes, '\x91', sizeof bytes);
    cr_expect_eq(scan_whole(&scan, (struct str){bytes, sizeof bytes}, SIZE_MAX, SIZE_MAX, 32),
                 FRAME_TOO_DEEP);
    cr_expect_eq(scan.pos, 32);
}

Test(frame, items_are_counted_with_the_root_and_the_keys)
{
    struct frame_scan scan;

    cr_expect_eq(scan_whole(&scan, S("\x93\x01\x02\x03"), 100, 4, 32), FRAME_DONE);
    cr_expect_eq(scan.items, 4);
    cr_expect_eq(scan_whole(&scan, S("\x93\x01\x02\x03"), 100, 3, 32), FRAME_TOO_MANY);
    cr_expect_eq(scan_whole(&scan, S("\x81\x01\x02"), 100, 3, 32), FRAME_DONE);
    cr_expect_eq(scan_whole(&scan, S("\x81\x01\x02"), 100, 2, 32), FRAME_TOO_MANY);
    cr_expect_eq(scan_whole(&scan, S("\x92\x91\x01\x02"), 100, 4, 32), FRAME_DONE);
    cr_expect_eq(scan_whole(&scan, S("\x92\x91\x01\x02"), 100, 3, 32), FRAME_TOO_MANY);
    cr_expect_eq(scan_whole(&scan, S("\x01"), 100, 0, 32), FRAME_TOO_MANY);
}

Test(frame, bytes_are_met_at_the_limit_and_refused_one_over)
{
    struct frame_scan scan;

    cr_expect_eq(scan_whole(&scan,
                            S("\xa3"
                              "abc"),
                            4, 100, 32),
                 FRAME_DONE);
    cr_expect_eq(scan_whole(&scan,
                            S("\xa3"
                              "abc"),
                            3, 100, 32),
                 FRAME_TOO_LONG);
    cr_expect_eq(scan_whole(&scan, S("\xa3"), 3, 100, 32), FRAME_TOO_LONG,
                 "told by the header, before the body comes");
    cr_expect_eq(scan_whole(&scan, S("\x93\x01\x02\x03"), 4, 100, 32), FRAME_DONE);
    cr_expect_eq(scan_whole(&scan, S("\x93"), 3, 100, 32), FRAME_TOO_LONG,
                 "each child takes a byte at least");
    cr_expect_eq(scan_whole(&scan, S("\x01"), 0, 100, 32), FRAME_TOO_LONG);
}

/* For each first byte, a value with a length of 1 or 0 and bytes enough. */
Test(frame, agrees_with_msgpack_c_about_every_first_byte)
{
    for (unsigned first = 0; first < 256; first++) {
        for (unsigned length = 0; length < 2; length++) {
            unsigned char bytes[80] = {0};
            struct frame_scan scan;
            enum frame_state state;
            msgpack_unpacked unpacked;
            msgpack_unpack_return result;
            size_t end = 0;

            memset(bytes, 0x01, sizeof bytes);
            bytes[0] = (unsigned char)first;
            if ((first & 0x1f) >= 4 && first >= 0xc4 && first <= 0xdf) {
                memset(bytes + 1, 0, 5);
                /* the last byte of a length of 1, 2 or 4 */
                bytes[first == 0xc4 || first == 0xc7 || first == 0xd9 ? 1
                      : first == 0xc5 || first == 0xc8 || first == 0xda || first == 0xdc ||
                              first == 0xde
                          ? 2
                          : 4] = (unsigned char)length;
            }
            state =
                scan_whole(&scan, (struct str){(const char *)bytes, sizeof bytes}, 1000, 1000, 32);
            msgpack_unpacked_init(&unpacked);
            result = msgpack_unpack_next(&unpacked, (const char *)bytes, sizeof bytes, &end);
            cr_expect_eq(state == FRAME_DONE, result == MSGPACK_UNPACK_SUCCESS, "0x%02x", first);
            if (state == FRAME_DONE)
                cr_expect_eq(scan.pos, end, "0x%02x: %zu and %zu", first, scan.pos, end);
            msgpack_unpacked_destroy(&unpacked);
        }
    }
}
