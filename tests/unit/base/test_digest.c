#include "digest.h"

#include <criterion/criterion.h>

static const char *
hex_of(const void *bytes, size_t n, char text[DIGEST_HEX_CHARS + 1])
{
    struct digest digest = digest_of(bytes, n);

    digest_format(&digest, text);
    return text;
}

/* Of BLAKE2's own b2sum: printf '' | b2sum -l 256; printf abc | b2sum -l 256 */
Test(digest, is_blake2b_of_32_bytes)
{
    char text[DIGEST_HEX_CHARS + 1];

    cr_expect_str_eq(hex_of(NULL, 0, text),
                     "0e5751c026e543b2e8ab2eb06099daa1d1e5df47778f7787faab45cdf12fe3a8");
    cr_expect_str_eq(hex_of("abc", 3, text),
                     "bddd813c634239723171ef3fee98579b94964e3bb1cb3e427262c8c068d52319");
    cr_expect_eq(digest_short("abc", 3), UINT64_C(0xbddd813c63423972));
}

Test(digest, pieces_are_as_the_whole)
{
    struct digest whole = digest_of("abcdef", 6), pieces;
    struct digest_state state;

    digest_begin(&state);
    digest_add(&state, "abc", 3);
    digest_add(&state, NULL, 0);
    digest_add(&state, "def", 3);
    pieces = digest_end(&state);
    cr_expect(digest_equal(&whole, &pieces));
    pieces.bytes[31] ^= 1;
    cr_expect_not(digest_equal(&whole, &pieces));
}

Test(digest, numbers_go_in_big_endian)
{
    struct digest whole = digest_of("\x01\x02\x03\x04\x05\x06\x07\x08", 8), pieces;
    struct digest_state state;

    digest_begin(&state);
    digest_add_u64(&state, UINT64_C(0x0102030405060708));
    pieces = digest_end(&state);
    cr_expect(digest_equal(&whole, &pieces));
}

static struct digest
of_two(const char *a, const char *b)
{
    struct digest_state state;

    digest_begin(&state);
    digest_add_str(&state, str_from(a));
    digest_add_str(&state, str_from(b));
    return digest_end(&state);
}

Test(digest, texts_are_told_apart_where_they_meet)
{
    struct digest x = of_two("ab", "c"), y = of_two("a", "bc"), z = of_two("ab", "c");

    cr_expect_not(digest_equal(&x, &y));
    cr_expect(digest_equal(&x, &z));
}

Test(digest, its_text_reads_back)
{
    char text[DIGEST_HEX_CHARS + 1];
    struct digest digest = digest_of("x", 1), parsed;

    digest_format(&digest, text);
    cr_assert(digest_parse(str_from(text), &parsed));
    cr_expect(digest_equal(&digest, &parsed));
}

Test(digest, other_text_is_refused_and_changes_nothing)
{
    char text[DIGEST_HEX_CHARS + 2] = "";
    struct digest kept = digest_of("x", 1), parsed = kept;

    memset(text, 'a', DIGEST_HEX_CHARS + 1);
    cr_expect_not(digest_parse((struct str){text, 63}, &parsed));
    cr_expect_not(digest_parse((struct str){text, 65}, &parsed));
    cr_expect_not(digest_parse(str_from(NULL), &parsed));
    text[63] = 'g';
    cr_expect_not(digest_parse((struct str){text, 64}, &parsed));
    text[63] = 'A';
    cr_expect_not(digest_parse((struct str){text, 64}, &parsed), "capitals are another text");
    cr_expect(digest_equal(&kept, &parsed));
    text[63] = 'a';
    cr_expect(digest_parse((struct str){text, 64}, &parsed));
}
