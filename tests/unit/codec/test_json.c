#include "cases.h"
#include "json.h"

#include <locale.h>
#include <stdlib.h>

#define S(literal) STR_LIT(literal)

static struct arena *arena;

static void
set_up(void)
{
    arena = arena_create(256 * 1024 * 1024);
}

static void
tear_down(void)
{
    arena_destroy(arena);
}

TestSuite(json, .init = set_up, .fini = tear_down);

static void
expect_json(const msgpack_object *value, enum json_style style, const char *want, const char *says)
{
    struct buf buf;

    buf_init(&buf, 1000000);
    json_encode(&buf, value, style);
    cr_assert_eq(buf_check(&buf, NULL), ERR_OK);
    cr_expect(str_is(buf_str(&buf), want), "%s: got %.*s", says, STR_ARG(buf_str(&buf)));
    buf_fini(&buf);
}

static const struct {
    const char *says, *text, *again;
} good_cases[] = {
    {"null", "null", "null"},
    {"true", " true ", "true"},
    {"false", "false", "false"},
    {"zero", "0", "0"},
    {"minus zero is zero", "-0", "0"},
    {"largest whole number", "9223372036854775807", "9223372036854775807"},
    {"smallest whole number", "-9223372036854775808", "-9223372036854775808"},
    {"a float stays one", "1.0", "1.0"},
    {"an exponent makes a float", "1E2", "100.0"},
    {"many digits", "0.1234567890123456789", "0.12345678901234568"},
    {"text", "\"a\"", "\"a\""},
    {"no text", "\"\"", "\"\""},
    {"other scripts", "\"été 東京 🚀\"", "\"été 東京 🚀\""},
    {"escapes", "\"\\\" \\\\ \\/ \\b \\f \\n \\r \\t \\u0041 \\u00e9\"",
     "\"\\\" \\\\ / \\u0008 \\u000c \\n \\r \\t A é\""},
    {"a surrogate pair", "\"\\ud83d\\ude80\"", "\"🚀\""},
    {"line separators are escaped, for those who paste into scripts",
     "\"\xE2\x80\xA8\xE2\x80\xA9\"", "\"\\u2028\\u2029\""},
    {"their neighbours are not", "\"\xE2\x80\xA7\xE2\x80\xAA\"", "\"\xE2\x80\xA7\xE2\x80\xAA\""},
    {"control characters of two bytes and DEL", "\"\xC2\x80\xC2\x9F\xC2\xA0\x7F\"",
     "\"\\u0080\\u009f\xC2\xA0\\u007f\""},
    {"an empty list and map", "[[],{}]", "[[],{}]"},
    {"keys keep their order", "{\"b\":1,\"a\":2,\"c\":3}", "{\"b\":1,\"a\":2,\"c\":3}"},
    {"brackets inside text", "[\"[[[\",\"\\\"]\",\"{\"]", "[\"[[[\",\"\\\"]\",\"{\"]"},
    {"a byte order mark", "\xEF\xBB\xBF[1]", "[1]"},
    {"white space", "\t[ 1 ,\r\n 2 ]\n", "[1,2]"},
};

CASES(json, what_was_read_is_written_again, good_cases)
{
    const msgpack_object *value;
    struct err err = {0};

    cr_assert_eq(
        json_decode(str_from(good_cases[*i].text), &value_limits_default, arena, &value, &err),
        ERR_OK, "%s: %s", good_cases[*i].says, err.message);
    expect_json(value, JSON_COMPACT, good_cases[*i].again, good_cases[*i].says);
}

static const struct {
    const char *says;
    struct str text;
    const char *message;
} bad_cases[] = {
    {"nothing", S(""), "line 1, column 0: unexpected token near end of file"},
    {"a byte order mark and nothing", S("\xEF\xBB\xBF"),
     "line 1, column 0: unexpected token near end of file"},
    {"cut off", S("[1,\n2"), "line 2, column 1: ']' expected near end of file"},
    {"two values", S("1 2"), "line 1, column 3: end of file expected near '2'"},
    {"a comma too many", S("[1,]"), "line 1, column 4: unexpected token near ']'"},
    {"a key without quotes", S("{a:1}"), "line 1, column 2: string or '}' expected near 'a'"},
    {"a key twice", S("{\"a\":1,\n\"a\":2}"),
     "line 2, column 3: duplicate object key near '\"a\"'"},
    {"over int64", S("9223372036854775808"),
     "line 1, column 19: too big integer near '9223372036854775808'"},
    {"under int64", S("-9223372036854775809"),
     "line 1, column 20: too big negative integer near '-9223372036854775809'"},
    {"infinite", S("1e999"), "line 1, column 5: real number overflow near '1e999'"},
    {"NaN", S("NaN"), "line 1, column 3: invalid token near 'NaN'"},
    {"an escaped NUL", S("\"a\\u0000\""),
     "line 1, column 9: a text holds a NUL character (\\u0000); leave it out"},
    {"an escaped NUL in a key", S("{\"a\\u0000\":1}"),
     "line 1, column 10: a text holds a NUL character (\\u0000); leave it out"},
    {"a NUL byte", S("[\n\"a\0\"]"), "line 2: byte 0x00 is not UTF-8 text"},
    {"another encoding", S("[1,\n\n\"caf\xe9\"]"), "line 3: byte 0xe9 is not UTF-8 text"},
    {"half a surrogate pair", S("\"\\ud83d\""),
     "line 1, column 8: invalid Unicode '\\uD83D' near '\"\\ud83d\"'"},
    {"a leading zero", S("01"), "line 1, column 1: invalid token near '0'"},
    {"a line end inside text", S("\"a\nb\""), "line 1, column 2: unexpected newline near '\"a'"},
};

CASES(json, bad_text_is_refused_with_its_line, bad_cases)
{
    const msgpack_object *value = NULL;
    struct err err = {0};

    cr_expect_eq(json_decode(bad_cases[*i].text, &value_limits_default, arena, &value, &err),
                 ERR_INVALID_PARAMS, "%s", bad_cases[*i].says);
    cr_expect_str_eq(err.message, bad_cases[*i].message);
    cr_expect_null(value);
}

Test(json, depth_is_met_at_the_limit_and_refused_one_over)
{
    char text[] = "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]";
    const msgpack_object *value;
    struct value_limits limits = value_limits_default;
    struct err err;

    cr_expect_eq(json_decode(str_from(text), &limits, arena, &value, &err), ERR_OK);
    limits.depth = 31;
    cr_expect_eq(json_decode(str_from(text), &limits, arena, &value, &err), ERR_TOO_LARGE);
    cr_expect_str_eq(err.message, "more than 31 lists and maps one in another");
    limits.depth = 1000;
    text[32] = '[';
    cr_expect_eq(json_decode(str_from(text), &limits, arena, &value, &err), ERR_TOO_LARGE);
}

Test(json, lists_beside_one_another_are_no_depth)
{
    struct value_limits limits = value_limits_default;
    const msgpack_object *value;

    limits.depth = 2;
    cr_expect_eq(json_decode(S("[[],[1],{},{\"a\":1},[],[]]"), &limits, arena, &value, NULL),
                 ERR_OK);
    cr_expect_eq(value_size(value), 6);
}

Test(json, a_million_levels_are_refused_at_once)
{
    size_t n = 1000000;
    char *text = malloc(n);
    const msgpack_object *value;

    memset(text, '[', n);
    cr_expect_eq(json_decode((struct str){text, n}, &value_limits_default, arena, &value, NULL),
                 ERR_TOO_LARGE);
    for (size_t k = 0; k + 5 <= n; k += 5)
        memcpy(text + k, "{\"a\":", 5);
    cr_expect_eq(json_decode((struct str){text, n}, &value_limits_default, arena, &value, NULL),
                 ERR_TOO_LARGE);
    free(text);
}

static const struct {
    const char *text;
    size_t items;
} item_cases[] = {
    {"1", 1},
    {"[]", 1},
    {"{}", 1},
    {"[ ]", 1},
    {"[1]", 2},
    {"[1,2,3]", 4},
    {"{\"a\":1}", 3},
    {"{\"a\":1,\"b\":2}", 5},
    {"[[],[]]", 3},
    {"[[[[1]]]]", 5},
    {"[{\"a\":[1,2]}]", 6},
    {"[\"a,b:c[\"]", 2},
};

CASES(json, items_are_counted_as_in_msgpack, item_cases)
{
    struct value_limits limits = value_limits_default;
    const msgpack_object *value;
    struct buf buf;

    limits.items = item_cases[*i].items;
    cr_expect_eq(json_decode(str_from(item_cases[*i].text), &limits, arena, &value, NULL), ERR_OK,
                 "%s", item_cases[*i].text);
    buf_init(&buf, 1000);
    pack_value(&buf, value);
    cr_expect_eq(value_decode(buf.data, buf.len, &limits, arena, &value, NULL), ERR_OK);
    limits.items--;
    cr_expect_eq(json_decode(str_from(item_cases[*i].text), &limits, arena, &value, NULL),
                 ERR_TOO_LARGE, "%s", item_cases[*i].text);
    cr_expect_eq(value_decode(buf.data, buf.len, &limits, arena, &value, NULL), ERR_TOO_LARGE);
    buf_fini(&buf);
}

Test(json, bytes_are_met_at_the_limit_and_refused_one_over)
{
    struct value_limits limits = value_limits_default;
    const msgpack_object *value;

    limits.bytes = 5;
    cr_expect_eq(json_decode(S("[1,2]"), &limits, arena, &value, NULL), ERR_OK);
    limits.bytes = 4;
    cr_expect_eq(json_decode(S("[1,2]"), &limits, arena, &value, NULL), ERR_TOO_LARGE);
}

Test(json, an_arena_without_room_is_told)
{
    struct arena *small = arena_create(64);
    const msgpack_object *value = NULL;

    cr_expect_eq(json_decode(S("[1,2,3,4,5]"), &value_limits_default, small, &value, NULL),
                 ERR_BUSY);
    cr_expect_null(value);
    arena_destroy(small);
}

static const msgpack_object *
unpack(struct str bytes)
{
    const msgpack_object *value;

    cr_assert_eq(value_decode(bytes.data, bytes.len, &value_limits_default, arena, &value, NULL),
                 ERR_OK);
    return value;
}

static const struct {
    const char *says;
    struct str bytes;
    const char *json;
} encode_cases[] = {
    {"bytes are base64", S("\xc4\x05hello"), "\"aGVsbG8=\""},
    {"no bytes", S("\xc4\x00"), "\"\""},
    {"48 and 49 bytes, a piece and one more",
     S("\x92\xc4\x30"
       "000000000000000000000000000000000000000000000000"
       "\xc4\x31"
       "0000000000000000000000000000000000000000000000001"),
     "[\"MDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAw\","
     "\"MDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMQ==\"]"},
    {"ext tells its type", S("\xd6\xffhell"), "{\"ext\":-1,\"data\":\"aGVsbA==\"}"},
    {"over int64", S("\xcf\xff\xff\xff\xff\xff\xff\xff\xff"), "18446744073709551615"},
    {"NaN and infinity are null", S("\x92\xcb\x7f\xf8\x00\x00\x00\x00\x00\x00\xca\xff\x80\x00\x00"),
     "[null,null]"},
    {"keys that are no text", S("\x83\x05\x01\xc0\x02\x92\x01\xa1\"\x03"),
     "{\"5\":1,\"null\":2,\"[1,\\\"\\\\\\\"\\\"]\":3}"},
};

CASES(json, what_json_lacks_is_written_as_the_header_says, encode_cases)
{
    expect_json(unpack(encode_cases[*i].bytes), JSON_COMPACT, encode_cases[*i].json,
                encode_cases[*i].says);
}

Test(json, text_that_a_caller_built_badly_is_made_good)
{
    msgpack_object value = {.type = MSGPACK_OBJECT_STR};

    value.via.str.ptr = "a\0b\xff"
                        "c\xc3";
    value.via.str.size = 6;
    expect_json(&value, JSON_COMPACT,
                "\"a\\u0000b\xEF\xBF\xBD"
                "c\xEF\xBF\xBD\"",
                "bad text");
    expect_json(NULL, JSON_COMPACT, "null", "NULL");
}

Test(json, indented_text_is_for_reading)
{
    expect_json(unpack(S("\x83\xa1"
                         "a\x92\x01\x81\xa1"
                         "b\xc0\xa1"
                         "c\x90\xa1"
                         "d\x80")),
                JSON_INDENTED,
                "{\n"
                "  \"a\": [\n"
                "    1,\n"
                "    {\n"
                "      \"b\": null\n"
                "    }\n"
                "  ],\n"
                "  \"c\": [],\n"
                "  \"d\": {}\n"
                "}",
                "indented");
}

Test(json, a_buf_that_is_full_says_so_at_each_limit)
{
    const msgpack_object *value =
        unpack(S("\x82\xa1"
                 "a\x92\x01\xc4\x03xyz\x91\x02\xcb\x3f\xf8\x00\x00\x00\x00\x00\x00"));
    struct buf whole, cut;

    buf_init(&whole, 1000);
    json_encode(&whole, value, JSON_INDENTED);
    cr_assert_eq(buf_check(&whole, NULL), ERR_OK);
    for (size_t limit = 0; limit <= whole.len; limit++) {
        buf_init(&cut, limit);
        json_encode(&cut, value, JSON_INDENTED);
        cr_expect_eq(buf_check(&cut, NULL), limit < whole.len ? ERR_TOO_LARGE : ERR_OK, "%zu",
                     limit);
        buf_fini(&cut);
    }
    buf_fini(&whole);
}

/* {{{…: nil}: nil}: nil}: quotes double with each level, but never beyond the buf. */
Test(json, keys_inside_keys_cannot_outgrow_the_buf, .timeout = 20)
{
    unsigned char bytes[96];
    struct buf buf;

    memset(bytes, 0x81, 31);
    memcpy(bytes + 31, "\xa1\"", 2);
    memset(bytes + 33, 0xc0, 31);
    buf_init(&buf, 1000000);
    json_encode(&buf, unpack((struct str){(const char *)bytes, 64}), JSON_COMPACT);
    cr_expect_eq(buf_check(&buf, NULL), ERR_TOO_LARGE);
    buf_fini(&buf);
}
