#include "cases.h"
#include "json.h"
#include "yaml_doc.h"

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

TestSuite(yaml_doc, .init = set_up, .fini = tear_down);

static struct yaml_doc *
decode(const char *text)
{
    struct yaml_doc *doc = NULL;
    struct err err = {0};

    cr_assert_eq(yaml_decode(str_from(text), &value_limits_default, arena, &doc, &err), ERR_OK,
                 "%s", err.message);
    return doc;
}

static const struct {
    const char *says, *text, *json;
} good_cases[] = {
    {"nothing in its four spellings", "[~, null, Null, NULL, ]", "[null,null,null,null]"},
    {"a key without a value", "a:\nb: 1", "{\"a\":null,\"b\":1}"},
    {"truth in its spellings", "[true, True, TRUE, false, False, FALSE]",
     "[true,true,true,false,false,false]"},
    {"yes and no are text", "[yes, no, on, off, y, n, tRUE]",
     "[\"yes\",\"no\",\"on\",\"off\",\"y\",\"n\",\"tRUE\"]"},
    {"whole numbers", "[0, -0, +5, -12, 9223372036854775807, -9223372036854775808]",
     "[0,0,5,-12,9223372036854775807,-9223372036854775808]"},
    {"floats", "[1.5, -.5, 1., 1e3, 0.0]", "[1.5,-0.5,1.0,1000.0,0.0]"},
    {"numbers of other notations are text", "[0x10, 0o17, 1_000, .inf, -.INF, .nan, 1:30, 12e]",
     "[\"0x10\",\"0o17\",\"1_000\",\".inf\",\"-.INF\",\".nan\",\"1:30\",\"12e\"]"},
    {"a leading zero is kept: postal codes", "[01000, 00, -01, 01.5, 0, 0.5]",
     "[\"01000\",\"00\",\"-01\",\"01.5\",0,0.5]"},
    {"a date is text", "[2026-01-31, 2026-01-31T10:00:00Z]",
     "[\"2026-01-31\",\"2026-01-31T10:00:00Z\"]"},
    {"what is quoted is text", "['1', \"true\", 'null', \"\", '1.5']",
     "[\"1\",\"true\",\"null\",\"\",\"1.5\"]"},
    {"blocks of text", "a: |\n  12\n  b\nc: >\n  d\n  e\n",
     "{\"a\":\"12\\nb\\n\",\"c\":\"d e\\n\"}"},
    {"a block that looks like a number is text", "a: |-\n  12\n", "{\"a\":\"12\"}"},
    {"lists and maps in each other", "a:\n  - b: 1\n    c: [2, {d: 3}]\n  - - 4\n    - 5\n",
     "{\"a\":[{\"b\":1,\"c\":[2,{\"d\":3}]},[4,5]]}"},
    {"a root that is a scalar", "hello", "\"hello\""},
    {"empty containers", "[[], {}]", "[[],{}]"},
    {"other scripts", "nom: Île-de-France 東京", "{\"nom\":\"Île-de-France 東京\"}"},
    {"a byte order mark",
     "\xEF\xBB\xBF"
     "a: 1",
     "{\"a\":1}"},
    {"lines that end in CR LF", "a: 1\r\nb: 2\r\n", "{\"a\":1,\"b\":2}"},
    {"a document mark and a directive", "%YAML 1.1\n---\na: 1\n...\n", "{\"a\":1}"},
    {"comments", "# what\na: 1 # why\n", "{\"a\":1}"},
    {"an explicit key", "? a\n: 1\n", "{\"a\":1}"},
    {"an empty document between marks", "---\n", "null"},
};

CASES(yaml_doc, is_read_as_its_header_says, good_cases)
{
    struct buf buf;

    buf_init(&buf, 10000);
    json_encode(&buf, yaml_doc_root(decode(good_cases[*i].text)), JSON_COMPACT);
    cr_expect(str_is(buf_str(&buf), good_cases[*i].json), "%s: got %.*s", good_cases[*i].says,
              STR_ARG(buf_str(&buf)));
    buf_fini(&buf);
}

static const struct {
    const char *says;
    struct str text;
    const char *message;
} bad_cases[] = {
    {"nothing", S(""), "the file holds nothing but space and comments"},
    {"comments only", S("# a\n\n"), "the file holds nothing but space and comments"},
    {"an anchor on a scalar", S("a: &x 1\n"),
     "line 1: anchor &x; write the value out, or put it in quotes"},
    {"an anchor on a list", S("a: 1\nb: &y\n  - 1\n"),
     "line 2: anchor &y; write the value out, or put it in quotes"},
    {"an anchor on a map", S("&z {a: 1}"),
     "line 1: anchor &z; write the value out, or put it in quotes"},
    {"an alias", S("a: *x\n"), "line 1: alias *x; write the value out, or put it in quotes"},
    {"a tag on a scalar", S("a:\n  !!str 3"),
     "line 2: tag tag:yaml.org,2002:str; leave it out, or put the value in quotes"},
    {"a tag of one's own", S("a: !secret 3"),
     "line 1: tag !secret; leave it out, or put the value in quotes"},
    {"a tag on a list", S("!!seq [1]"),
     "line 1: tag tag:yaml.org,2002:seq; leave it out, or put the value in quotes"},
    {"two documents", S("a: 1\n---\nb: 2\n"),
     "line 2: a second document begins; one file holds one"},
    {"a key twice", S("a: 1\nb: 2\n\na: 3\n"),
     "line 4: key \"a\" is given a second time (first on line 1)"},
    {"a key twice, deeper", S("x:\n  - {b: 1, b: 2}\n"),
     "line 2: key \"b\" is given a second time (first on line 2)"},
    {"a number as a key", S("a: 1\n2024: 3\n"),
     "line 2: a key that is no text (whole number); put it in quotes"},
    {"nothing as a key", S("~: 1\n"), "line 1: a key that is no text (nothing); put it in quotes"},
    {"a list as a key", S("? [a]\n: 1\n"),
     "line 1: a key that is no text (list); put it in quotes"},
    {"over int64", S("a: 9223372036854775808"),
     "line 1: whole number 9223372036854775808 is out of range; put it in quotes if it is a name"},
    {"a NUL in quotes", S("a: 1\nb: \"x\\0\""),
     "line 2: a text holds a NUL character; leave it out"},
    {"a NUL byte", S("a: 1\nb: x\0"),
     "line 2: byte 0x00 is not UTF-8 text; save the file as UTF-8"},
    {"another encoding", S("a: 1\n\nb: caf\xe9\n"),
     "line 3: byte 0xe9 is not UTF-8 text; save the file as UTF-8"},
    {"a tab as indentation", S("a:\n\tb: 1\n"),
     "line 2, column 1: found character that cannot start any token"},
    {"a list never closed", S("a: [1,\n2\n"), "line 3, column 1: did not find expected ',' or ']'"},
    {"a quote never closed", S("a: 'x\n"), "line 2, column 1: found unexpected end of stream"},
    {"a colon inside a plain text", S("a: b: c\n"),
     "line 1, column 5: mapping values are not allowed in this context"},
    {"bad indentation", S("a:\n  b: 1\n c: 2\n"), "line 3, column 2: did not find expected key"},
};

CASES(yaml_doc, what_is_refused_is_named_with_its_line, bad_cases)
{
    struct yaml_doc *doc = NULL;
    struct err err = {0};

    cr_expect_eq(yaml_decode(bad_cases[*i].text, &value_limits_default, arena, &doc, &err),
                 ERR_INVALID_PARAMS, "%s", bad_cases[*i].says);
    cr_expect_str_eq(err.message, bad_cases[*i].message);
    cr_expect_null(doc);
}

/* Nine lists of nine of the list before: 3.5 thousand million values in a few lines. */
Test(yaml_doc, a_bomb_of_aliases_is_refused_at_its_first_anchor)
{
    struct yaml_doc *doc;
    struct err err;

    cr_expect_eq(yaml_decode(S("a: &a [x,x,x,x,x,x,x,x,x]\n"
                               "b: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\n"
                               "c: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]\n"),
                             &value_limits_default, arena, &doc, &err),
                 ERR_INVALID_PARAMS);
    cr_expect_str_eq(err.message, "line 1: anchor &a; write the value out, or put it in quotes");
}

Test(yaml_doc, depth_is_met_at_the_limit_and_refused_one_over)
{
    char text[80] = "";
    struct value_limits limits = value_limits_default;
    struct yaml_doc *doc;
    struct err err;

    memset(text, '[', 32);
    memset(text + 32, ']', 32);
    cr_expect_eq(yaml_decode(str_from(text), &limits, arena, &doc, &err), ERR_OK);
    limits.depth = 31;
    cr_expect_eq(yaml_decode(str_from(text), &limits, arena, &doc, &err), ERR_TOO_LARGE);
    cr_expect_str_eq(err.message, "line 1: more than 31 lists and maps one in another");
    limits.depth = 1000;
    memset(text, '[', 33);
    memset(text + 33, ']', 33);
    cr_expect_eq(yaml_decode(str_from(text), &limits, arena, &doc, &err), ERR_TOO_LARGE);
}

Test(yaml_doc, a_million_levels_are_refused, .timeout = 20)
{
    size_t n = 1000000;
    char *text = malloc(n);
    struct yaml_doc *doc;

    memset(text, '[', n);
    cr_expect_eq(yaml_decode((struct str){text, n}, &value_limits_default, arena, &doc, NULL),
                 ERR_TOO_LARGE);
    for (size_t k = 0; k + 2 <= n; k += 2)
        memcpy(text + k, "- ", 2);
    cr_expect_eq(yaml_decode((struct str){text, n}, &value_limits_default, arena, &doc, NULL),
                 ERR_TOO_LARGE);
    free(text);
}

Test(yaml_doc, items_and_bytes_are_met_at_the_limit_and_refused_one_over)
{
    struct value_limits limits = value_limits_default;
    struct yaml_doc *doc;
    struct err err;

    limits.items = 5; /* the map, two keys, two values */
    cr_expect_eq(yaml_decode(S("a: 1\nb: 2\n"), &limits, arena, &doc, &err), ERR_OK);
    limits.items = 4;
    cr_expect_eq(yaml_decode(S("a: 1\nb: 2\n"), &limits, arena, &doc, &err), ERR_TOO_LARGE);
    cr_expect_str_eq(err.message, "line 2: more than 4 values");
    limits = value_limits_default;
    limits.bytes = 4;
    cr_expect_eq(yaml_decode(S("a: 1"), &limits, arena, &doc, &err), ERR_OK);
    limits.bytes = 3;
    cr_expect_eq(yaml_decode(S("a: 1"), &limits, arena, &doc, &err), ERR_TOO_LARGE);
}

static const struct {
    const char *path;
    int line;
} line_cases[] = {
    {"", 1},
    {"name", 1},
    {"pairings", 2},
    {"pairings[0]", 3},
    {"pairings[0].left", 3},
    {"pairings[0].require", 4},
    {"pairings[0].require[0]", 5},
    {"pairings[0].require[1].of", 8},
    {"pairings[0].require[1].of[2]", 11},
    {"pairings[1]", 12},
    {"pairings[1].left", 12},
    {"note", 13},
    /* what does not exist: the longest part that does */
    {"pairings[0].require[1].size", 7},
    {"pairings[0].require[9].of", 4},
    {"pairings[9]", 2},
    {"pairings.left", 2},
    {"name[0]", 1},
    {"note.x.y", 13},
    {"absent", 1},
    /* no paths */
    {"pairings[", 2},
    {"pairings[x]", 2},
    {"pairings[0", 2},
    {"pairings[-1]", 2},
    {"pairings[99999999999999999999999]", 2},
    {"pairings[0]left", 3},
    {".", 1},
    {"..", 1},
};

CASES(yaml_doc, remembers_the_line_of_each_path, line_cases)
{
    const struct yaml_doc *doc = decode("name: x\n"          /* 1 */
                                        "pairings:\n"        /* 2 */
                                        "  - left: paris\n"  /* 3 */
                                        "    require:\n"     /* 4 */
                                        "      - sector\n"   /* 5 */
                                        "\n"                 /* 6 */
                                        "      - need: a\n"  /* 7 */
                                        "        of:\n"      /* 8 */
                                        "          - p\n"    /* 9 */
                                        "          - q\n"    /* 10 */
                                        "          - r\n"    /* 11 */
                                        "  - left: valley\n" /* 12 */
                                        "note:\n"            /* 13 */
                                        "  the end\n");      /* 14 */

    cr_expect_eq(yaml_doc_line(doc, line_cases[*i].path), line_cases[*i].line, "%s: %d",
                 line_cases[*i].path, yaml_doc_line(doc, line_cases[*i].path));
}

Test(yaml_doc, an_arena_without_room_is_told)
{
    struct arena *small = arena_create(200);
    struct yaml_doc *doc = NULL;

    cr_expect_eq(
        yaml_decode(S("[1, 2, 3, 4, 5, 6, 7, 8, 9]"), &value_limits_default, small, &doc, NULL),
        ERR_BUSY);
    cr_expect_null(doc);
    arena_destroy(small);
}
