#include "cases.h"
#include "frame.h"
#include "request.h"

#include <msgpack.h>

#define S(literal) STR_LIT(literal)

static enum request_state
read_all(struct str bytes, struct request *out)
{
    return request_read((const uint8_t *)bytes.data, bytes.len, out);
}

#define PING "\xabsystem.ping"

static const struct {
    const char *says;
    struct str bytes;
    bool is_notification;
    uint32_t msgid;
    const char *method;
    bool has_one_map;
    struct str params;
} good[] = {
    {"smallest encodings", S("\x94\x00\x07" PING "\x90"), false, 7, "system.ping", true, S("")},
    {"array16 around", S("\xdc\x00\x04\x00\x07" PING "\x90"), false, 7, "system.ping", true, S("")},
    {"array32 around", S("\xdd\x00\x00\x00\x04\x00\x07" PING "\x90"), false, 7, "system.ping", true,
     S("")},
    {"type as uint8", S("\x94\xcc\x00\x07" PING "\x90"), false, 7, "system.ping", true, S("")},
    {"type as int64", S("\x94\xd3\0\0\0\0\0\0\0\0\x07" PING "\x90"), false, 7, "system.ping", true,
     S("")},
    {"type as a whole float", S("\x94\xca\0\0\0\0\x07" PING "\x90"), false, 7, "system.ping", true,
     S("")},
    {"highest msgid", S("\x94\x00\xce\xff\xff\xff\xff" PING "\x90"), false, UINT32_MAX,
     "system.ping", true, S("")},
    {"highest msgid in 64 bits", S("\x94\x00\xcf\0\0\0\0\xff\xff\xff\xff" PING "\x90"), false,
     UINT32_MAX, "system.ping", true, S("")},
    {"msgid as uint8", S("\x94\x00\xcc\xff" PING "\x90"), false, 255, "system.ping", true, S("")},
    {"msgid as uint16", S("\x94\x00\xcd\xff\xff" PING "\x90"), false, 65535, "system.ping", true,
     S("")},
    {"msgid as int8", S("\x94\x00\xd0\x7f" PING "\x90"), false, 127, "system.ping", true, S("")},
    {"msgid as int32", S("\x94\x00\xd2\x7f\xff\xff\xff" PING "\x90"), false, INT32_MAX,
     "system.ping", true, S("")},
    {"highest msgid as int64", S("\x94\x00\xd3\0\0\0\0\xff\xff\xff\xff" PING "\x90"), false,
     UINT32_MAX, "system.ping", true, S("")},
    {"msgid as a single float", S("\x94\x00\xca\x40\xe0\0\0" PING "\x90"), false, 7, "system.ping",
     true, S("")},
    {"highest msgid as a double", S("\x94\x00\xcb\x41\xef\xff\xff\xff\xe0\0\0" PING "\x90"), false,
     UINT32_MAX, "system.ping", true, S("")},
    {"minus zero is zero", S("\x94\x00\xcb\x80\0\0\0\0\0\0\0" PING "\x90"), false, 0, "system.ping",
     true, S("")},
    {"a notification by bin, its type in 64 bits",
     S("\x93\xcf\0\0\0\0\0\0\0\x02\xc4\x0bsystem.ping\x90"), true, 0, "system.ping", true, S("")},
    {"msgid as int16", S("\x94\x00\xd1\x01\x00" PING "\x90"), false, 256, "system.ping", true,
     S("")},
    {"msgid as a double", S("\x94\x00\xcb\x40\x1c\0\0\0\0\0\0" PING "\x90"), false, 7,
     "system.ping", true, S("")},
    {"method as bin8", S("\x94\x00\x07\xc4\x0bsystem.ping\x90"), false, 7, "system.ping", true,
     S("")},
    {"method as bin16", S("\x94\x00\x07\xc5\x00\x0bsystem.ping\x90"), false, 7, "system.ping", true,
     S("")},
    {"method as bin32", S("\x94\x00\x07\xc6\0\0\0\x0bsystem.ping\x90"), false, 7, "system.ping",
     true, S("")},
    {"method as str8", S("\x94\x00\x07\xd9\x0bsystem.ping\x90"), false, 7, "system.ping", true,
     S("")},
    {"method as str16", S("\x94\x00\x07\xda\x00\x0bsystem.ping\x90"), false, 7, "system.ping", true,
     S("")},
    {"method as str32", S("\x94\x00\x07\xdb\0\0\0\x0bsystem.ping\x90"), false, 7, "system.ping",
     true, S("")},
    {"an empty method is for the table to refuse", S("\x94\x00\x07\xa0\x90"), false, 7, "", true,
     S("")},
    {"one map", S("\x94\x00\x07\xa1m\x91\x81\xa1k\x01"), false, 7, "m", true, S("\x81\xa1k\x01")},
    {"one map in wide headers", S("\x94\x00\x07\xa1m\xdc\x00\x01\xdf\0\0\0\0"), false, 7, "m", true,
     S("\xdf\0\0\0\0")},
    {"params array16 of none", S("\x94\x00\x07\xa1m\xdc\x00\x00"), false, 7, "m", true, S("")},
    {"a notification", S("\x93\x02" PING "\x90"), true, 0, "system.ping", true, S("")},
    {"two params", S("\x94\x00\x07\xa1m\x92\x80\x80"), false, 7, "m", false, S("")},
    {"a param that is no map", S("\x94\x00\x07\xa1m\x91\x01"), false, 7, "m", false, S("")},
    {"params that are no array", S("\x94\x00\x07\xa1m\x80"), false, 7, "m", false, S("")},
};

CASES(request, reads_any_encoding_of_an_envelope, good)
{
    struct request request;

    cr_assert_eq(read_all(good[*i].bytes, &request), REQUEST_OK, "%s", good[*i].says);
    cr_expect_eq(request.is_notification, good[*i].is_notification, "%s", good[*i].says);
    cr_expect_eq(request.msgid, good[*i].msgid, "%s", good[*i].says);
    cr_expect(str_is(request.method, good[*i].method), "%s", good[*i].says);
    cr_expect_eq(request.has_one_map, good[*i].has_one_map, "%s", good[*i].says);
    cr_expect(str_equal(request.params, good[*i].params), "%s", good[*i].says);
}

CASES(request, a_cut_envelope_wants_more_wherever_it_is_cut, good)
{
    struct str bytes = good[*i].bytes;
    size_t params = good[*i].params.len + (good[*i].params.len > 0 ? 3 : 5);
    struct request request;

    /* without the parameters, which the frame scanner has seen to before */
    for (size_t n = 0; n + params < bytes.len; n++)
        cr_expect_eq(request_read((const uint8_t *)bytes.data, n, &request), REQUEST_MORE,
                     "%s cut at %zu", good[*i].says, n);
}

static const struct {
    const char *says;
    struct str bytes;
} bad[] = {
    {"nil", S("\xc0")},
    {"a map", S("\x84\x00\x07\xa1m\x90")},
    {"an empty array", S("\x90")},
    {"an answer", S("\x94\x01\x07\xc0\xc0")},
    {"type 3", S("\x94\x03\x07\xa1m\x90")},
    {"type -1", S("\x94\xff\x07\xa1m\x90")},
    {"type as text", S("\x94\xa1z\x07\xa1m\x90")},
    {"a request of three", S("\x93\x00\x07\xa1m")},
    {"a request of five", S("\x95\x00\x07\xa1m\x90\x90")},
    {"a notification of four", S("\x94\x02\xa1m\x90\x90")},
    {"msgid over 32 bits", S("\x94\x00\xcf\0\0\0\x01\0\0\0\0\xa1m\x90")},
    {"msgid over 32 bits as int64", S("\x94\x00\xd3\0\0\0\x01\0\0\0\0\xa1m\x90")},
    {"msgid of all 64 bits", S("\x94\x00\xcf\xff\xff\xff\xff\xff\xff\xff\xff\xa1m\x90")},
    {"msgid over 32 bits as a double", S("\x94\x00\xcb\x41\xf0\0\0\0\0\0\0\xa1m\x90")},
    {"msgid over 32 bits as a single float", S("\x94\x00\xca\x4f\x80\0\0\xa1m\x90")},
    {"msgid -1 as a double", S("\x94\x00\xcb\xbf\xf0\0\0\0\0\0\0\xa1m\x90")},
    {"msgid negative in 8 bits", S("\x94\x00\xd0\x80\xa1m\x90")},
    {"msgid negative in 16 bits", S("\x94\x00\xd1\xff\xff\xa1m\x90")},
    {"msgid negative in 32 bits", S("\x94\x00\xd2\x80\0\0\0\xa1m\x90")},
    {"msgid negative", S("\x94\x00\xff\xa1m\x90")},
    {"msgid negative in 64 bits", S("\x94\x00\xd3\xff\xff\xff\xff\xff\xff\xff\xff\xa1m\x90")},
    {"msgid with a fraction", S("\x94\x00\xca\x3f\0\0\0\xa1m\x90")},
    {"msgid not a number (NaN)", S("\x94\x00\xcb\x7f\xf8\0\0\0\0\0\0\xa1m\x90")},
    {"msgid infinite", S("\x94\x00\xca\x7f\x80\0\0\xa1m\x90")},
    {"msgid nil", S("\x94\x00\xc0\xa1m\x90")},
    {"msgid as text", S("\x94\x00\xa1"
                        "7\xa1m\x90")},
    {"method as a number", S("\x94\x00\x07\x01\x90")},
    {"method nil", S("\x94\x00\x07\xc0\x90")},
    {"method an array", S("\x94\x00\x07\x91\xa1m\x90")},
    {"method an ext", S("\x94\x00\x07\xd4\x00m\x90")},
    {"method -1, whose byte has all bits", S("\x94\x00\x07\xff\x90")},
};

CASES(request, anything_else_is_bad, bad)
{
    struct request request;

    cr_expect_eq(read_all(bad[*i].bytes, &request), REQUEST_BAD, "%s", bad[*i].says);
}

Test(request, the_msgid_of_an_unfinished_request_is_found)
{
    uint32_t msgid = 0;

    cr_expect(request_peek_msgid((const uint8_t *)"\x94\x00\xcd\x01\x02", 5, &msgid));
    cr_expect_eq(msgid, 0x102);
    cr_expect_not(request_peek_msgid((const uint8_t *)"\x94\x00\xcd\x01", 4, &msgid));
    cr_expect_not(request_peek_msgid((const uint8_t *)"\x93\x02\xa1m", 4, &msgid));
    cr_expect_not(request_peek_msgid((const uint8_t *)"\x94\x01\x07", 3, &msgid));
}

Test(request, an_answer_s_head_is_what_msgpack_would_write)
{
    static const uint32_t ids[] = {0, 127, 128, 255, 256, 65535, 65536, UINT32_MAX};

    for (size_t i = 0; i < sizeof ids / sizeof ids[0]; i++) {
        uint8_t head[REQUEST_ANSWER_HEAD];
        size_t n = request_answer_head(head, ids[i], false);
        msgpack_sbuffer want;
        msgpack_packer packer;

        msgpack_sbuffer_init(&want);
        msgpack_packer_init(&packer, &want, msgpack_sbuffer_write);
        msgpack_pack_array(&packer, 4);
        msgpack_pack_int(&packer, 1);
        msgpack_pack_uint32(&packer, ids[i]);
        msgpack_pack_nil(&packer);
        cr_expect_eq(n, want.size);
        cr_expect_arr_eq(head, want.data, want.size);
        cr_expect_eq(request_answer_head(head, ids[i], true), want.size - 1);
        msgpack_sbuffer_destroy(&want);
    }
}

/* ---- requests whose end is seen at once ---- */

#define SMALL(text) (const uint8_t *)(text), sizeof(text) - 1

static const struct {
    const char *says;
    const uint8_t *bytes;
    size_t n, whole;
} small[] = {
    {"no parameters", SMALL("\x94\x00\x07\xa1x\x90"), 6},
    {"more behind it", SMALL("\x94\x00\x07\xa1x\x90\x94\x00"), 6},
    {"an id of 8 bits", SMALL("\x94\x00\xcc\xff\xa1x\x90"), 7},
    {"of 16", SMALL("\x94\x00\xcd\xff\xff\xa1x\x90"), 8},
    {"of 32", SMALL("\x94\x00\xce\xff\xff\xff\xff\xa1x\x90"), 10},
    {"of 64: for the scanner", SMALL("\x94\x00\xcf\0\0\0\0\0\0\0\x07\xa1x\x90"), 0},
    {"one short text", SMALL("\x94\x00\x07\xa1x\x91\x81\xa2id\xa2yc"), 13},
    {"one text with its length in a byte", SMALL("\x94\x00\x07\xa1x\x91\x81\xa2id\xd9\x02yc"), 14},
    {"one small number", SMALL("\x94\x00\x07\xa1x\x91\x81\xa2id\x05"), 11},
    {"a key that is no text", SMALL("\x94\x00\x07\xa1x\x91\x81\x01\x05"), 0},
    {"two keys",
     SMALL("\x94\x00\x07\xa1x\x91\x82\xa1"
           "a\x05\xa1"
           "b\x05"),
     0},
    {"two maps",
     SMALL("\x94\x00\x07\xa1x\x92\x81\xa1"
           "a\x05\x80"),
     0},
    {"an empty map", SMALL("\x94\x00\x07\xa1x\x91\x80"), 0},
    {"a list as value",
     SMALL("\x94\x00\x07\xa1x\x91\x81\xa1"
           "a\x90"),
     0},
    {"a notification", SMALL("\x93\x02\xa1x\x90"), 0},
    {"an answer", SMALL("\x94\x01\x07\xc0\xc0"), 0},
};

CASES(request, the_end_of_a_small_one_is_seen_at_once, small)
{
    struct request request;

    cr_expect_eq(request_read_small(small[*i].bytes, small[*i].n, &request), small[*i].whole, "%s",
                 small[*i].says);
}

/* What is seen at once is what the scanner finds, byte by byte cut too, within the least limits. */
Test(request, a_small_one_ends_where_the_scanner_says)
{
    for (size_t i = 0; i < sizeof small / sizeof small[0]; i++) {
        struct frame_scan scan;
        struct request request;

        for (size_t n = 0; n < small[i].whole; n++)
            cr_expect_eq(request_read_small(small[i].bytes, n, &request), 0, "%s, cut to %zu",
                         small[i].says, n);
        if (small[i].whole == 0)
            continue;
        frame_scan_init(&scan, REQUEST_SMALL_BYTES, 8, 3);
        cr_expect_eq(frame_scan(&scan, small[i].bytes, small[i].n), FRAME_DONE, "%s",
                     small[i].says);
        cr_expect_eq(scan.pos, small[i].whole, "%s", small[i].says);
    }
}

Test(request, a_small_one_is_read_as_any_other)
{
    for (size_t i = 0; i < sizeof small / sizeof small[0]; i++) {
        struct request at_once, request;
        size_t whole = request_read_small(small[i].bytes, small[i].n, &at_once);

        if (whole == 0)
            continue;
        cr_assert_eq(request_read(small[i].bytes, whole, &request), REQUEST_OK, "%s",
                     small[i].says);
        cr_expect_eq(at_once.is_notification, request.is_notification, "%s", small[i].says);
        cr_expect_eq(at_once.has_one_map, request.has_one_map, "%s", small[i].says);
        cr_expect_eq(at_once.msgid, request.msgid, "%s", small[i].says);
        cr_expect_eq(at_once.method.data, request.method.data, "%s", small[i].says);
        cr_expect_eq(at_once.method.len, request.method.len, "%s", small[i].says);
        cr_expect_eq(at_once.params.data, request.params.data, "%s", small[i].says);
        cr_expect_eq(at_once.params.len, request.params.len, "%s", small[i].says);
    }
}
