#include "cases.h"
#include "str.h"

#define S(literal) STR_LIT(literal)

Test(str, equality_is_of_bytes_and_length)
{
    cr_expect(str_equal(S("ab"), S("ab")));
    cr_expect_not(str_equal(S("ab"), S("abc")));
    cr_expect_not(str_equal(S("ab"), S("aB")));
    cr_expect(str_equal(S(""), (struct str){NULL, 0}));
    cr_expect(str_equal(str_from(NULL), S("")));
    cr_expect(str_is(S("a"), "a"));
    cr_expect_not(str_is(S("a\0b"), "a"));
}

Test(str, order_is_by_bytes_then_length)
{
    cr_expect_lt(str_compare(S("a"), S("b")), 0);
    cr_expect_gt(str_compare(S("b"), S("a")), 0);
    cr_expect_eq(str_compare(S("a"), S("a")), 0);
    cr_expect_lt(str_compare(S("a"), S("ab")), 0);
    cr_expect_gt(str_compare(S("ab"), S("a")), 0);
    cr_expect_lt(str_compare(S(""), S("a")), 0);
    cr_expect_eq(str_compare(S(""), (struct str){NULL, 0}), 0);
    cr_expect_lt(str_compare(S("z"), S("é")), 0, "bytes over 0x7f are not negative");
}

Test(str, find_gives_the_first_position_or_the_length)
{
    cr_expect_eq(str_find(S("a,b,c"), ',', 0), 1);
    cr_expect_eq(str_find(S("a,b,c"), ',', 1), 1);
    cr_expect_eq(str_find(S("a,b,c"), ',', 2), 3);
    cr_expect_eq(str_find(S("a,b,c"), ',', 4), 5);
    cr_expect_eq(str_find(S("a,b,c"), 'x', 0), 5);
    cr_expect_eq(str_find(S("abc"), 'a', 3), 3);
    cr_expect_eq(str_find(S("abc"), 'a', 99), 3);
    cr_expect_eq(str_find((struct str){NULL, 0}, 'a', 0), 0);
}

static const struct {
    const char *says;
    struct str text, trimmed;
} trim_cases[] = {
    {"nothing to do", S("ab"), S("ab")},
    {"spaces, tabs and ends of line at both ends", S(" \t\r\n\v\fa b\n "), S("a b")},
    {"no-break space at both ends", S("\xC2\xA0 1 000\xC2\xA0"), S("1 000")},
    {"narrow no-break space, which French puts before a colon", S("\xE2\x80\xAF a\xE2\x80\xAF"),
     S("a")},
    {"only space", S(" \xC2\xA0\xE2\x80\xAF\t"), S("")},
    {"empty", S(""), S("")},
    {"half of a no-break space is no space", S("\xC2"), S("\xC2")},
    {"a letter that ends in the same byte stays", S("\xC3\xA0"), S("\xC3\xA0")},
    {"a character that ends in the same two bytes stays", S("\xE2\xC2\xA0"), S("\xE2")},
    {"a NUL is no space", S("\0a"), S("\0a")},
};

CASES(str, trim_takes_white_space_off_both_ends, trim_cases)
{
    struct str trimmed = str_trim(trim_cases[*i].text);

    cr_expect(str_equal(trimmed, trim_cases[*i].trimmed), "%s: got \"%.*s\"", trim_cases[*i].says,
              STR_ARG(trimmed));
}

static const struct {
    const char *says;
    struct str text;
    size_t prefix;
} utf8_cases[] = {
    {"empty", S(""), 0},
    {"one to four bytes", S("a\xC3\xA9\xE2\x82\xAC\xF0\x9F\x9A\x80"), 10},
    {"the lowest and highest of each length",
     S("\x01\x7F\xC2\x80\xDF\xBF\xE0\xA0\x80\xEF\xBF\xBF\xF0\x90\x80\x80\xF4\x8F\xBF\xBF"), 20},
    {"just below and above the surrogates", S("\xED\x9F\xBF\xEE\x80\x80"), 6},
    {"a NUL byte", S("ab\0"), 2},
    {"a lone continuation", S("a\x80"), 1},
    {"overlong of two bytes", S("\xC0\xAF"), 0},
    {"overlong of two bytes, highest", S("\xC1\xBF"), 0},
    {"overlong of three bytes", S("a\xE0\x9F\xBF"), 1},
    {"overlong of four bytes", S("a\xF0\x8F\xBF\xBF"), 1},
    {"first surrogate", S("\xED\xA0\x80"), 0},
    {"last surrogate", S("\xED\xBF\xBF"), 0},
    {"over U+10FFFF", S("\xF4\x90\x80\x80"), 0},
    {"five bytes, as once was", S("\xF8\x88\x80\x80\x80"), 0},
    {"0xff", S("\xFF"), 0},
    {"cut after one of two", S("ab\xC3"), 2},
    {"cut after two of three", S("ab\xE2\x82"), 2},
    {"cut after three of four", S("ab\xF0\x9F\x9A"), 2},
    {"a letter where a continuation should be", S("\xE2\x82z"), 0},
    {"a letter as the fourth byte", S("\xF0\x9F\x9Az"), 0},
};

CASES(str, utf8_is_whole_shortest_and_without_nul, utf8_cases)
{
    cr_expect_eq(str_utf8_prefix(utf8_cases[*i].text), utf8_cases[*i].prefix, "%s",
                 utf8_cases[*i].says);
    cr_expect_eq(str_is_utf8(utf8_cases[*i].text), utf8_cases[*i].prefix == utf8_cases[*i].text.len,
                 "%s", utf8_cases[*i].says);
}

Test(str, points_are_counted_not_bytes)
{
    cr_expect_eq(str_count_points(S("")), 0);
    cr_expect_eq(str_count_points(S("abc")), 3);
    cr_expect_eq(str_count_points(S("\xC3\xA9\xE2\x82\xAC\xF0\x9F\x9A\x80")), 3);
}

static const struct {
    struct str a, b;
    size_t limit, distance;
} distance_cases[] = {
    {S(""), S(""), 5, 0},
    {S("abc"), S("abc"), 0, 0},
    {S(""), S("abc"), 5, 3},
    {S("abc"), S(""), 5, 3},
    {S("kitten"), S("sitting"), 5, 3},
    {S("fintech"), S("fintehc"), 5, 1}, /* neighbours exchanged */
    {S("ca"), S("abc"), 5, 3},          /* a letter that was exchanged is not edited again */
    {S("health"), S("helth"), 5, 1},
    {S("kitten"), S("sitting"), 3, 3},
    {S("kitten"), S("sitting"), 2, 3}, /* over the limit: limit + 1 */
    {S("kitten"), S("sitting"), 0, 1},
    {S("a"), S("b"), 0, 1},
};

CASES(str, distance_counts_edits_up_to_the_limit, distance_cases)
{
    struct str a = distance_cases[*i].a, b = distance_cases[*i].b;

    cr_expect_eq(str_distance(a, b, distance_cases[*i].limit), distance_cases[*i].distance, "%s %s",
                 a.data, b.data);
    cr_expect_eq(str_distance(b, a, distance_cases[*i].limit), distance_cases[*i].distance,
                 "the same the other way");
}

Test(str, distance_looks_at_64_bytes)
{
    char a[80], b[80];

    memset(a, 'a', sizeof a);
    memset(b, 'a', sizeof b);
    b[63] = 'b';
    cr_expect_eq(str_distance((struct str){a, 80}, (struct str){b, 80}, 9), 1);
    b[63] = 'a';
    b[64] = 'b';
    cr_expect_eq(str_distance((struct str){a, 80}, (struct str){b, 80}, 9), 0);
    cr_expect_eq(str_distance((struct str){a, 64}, (struct str){b, 80}, 9), 0);
}

Test(str, what_is_no_utf8_is_found_wherever_it_stands)
{
    static const unsigned char bad[] = {0x00, 0x80, 0xFF};

    for (size_t at = 0; at < 40; at++)
        for (size_t i = 0; i < sizeof bad; i++) {
            char text[48];

            memset(text, at % 2 ? 'a' : 0x7F, sizeof text);
            text[at] = (char)bad[i];
            cr_expect_eq(str_utf8_prefix((struct str){text, sizeof text}), at);
            cr_expect_eq(str_utf8_prefix((struct str){text, at}), at);
            text[at] = (char)0xC3; /* an accent at each place is fine */
            text[at + 1] = (char)0xA9;
            cr_expect(str_is_utf8((struct str){text, sizeof text}));
        }
}
