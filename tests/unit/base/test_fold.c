#include "alloc.h"
#include "cases.h"
#include "fold.h"

#include <stdlib.h>

static const size_t roomy = 64 * 1024 * 1024;

static const struct {
    const char *says, *text, *words, *term;
} cases[] = {
    {"nothing", "", "", ""},
    {"capitals and accents", "Éducation À Distance", "education a distance",
     "education a distance"},
    {"an accent typed apart", "E\xCC\x81nergie", "energie", "energie"},
    {"ligatures", "Œuvre d'Æsop", "oeuvre d aesop", "oeuvre d'aesop"},
    {"sharp s, small and capital", "Straße STRAẞE", "strasse strasse", "strasse strasse"},
    {"letters with a stroke", "Łódź Malmø Đà Nẵng ħ ŧ", "lodz malmo da nang h t",
     "lodz malmo da nang h t"},
    {"eth and thorn", "Ðór Þór", "dor thor", "dor thor"},
    {"dotted and dotless i", "İstanbul Iğdır", "istanbul igdir", "istanbul igdir"},
    {"punctuation", "L'Énergie — (solaire), 2ᵉ!", "l energie solaire 2e",
     "l'energie — (solaire), 2e!"},
    {"tags with signs", "C++", "c", "c++"},
    {"a tag that begins with a point", ".NET", "net", ".net"},
    {"sharp", " C# ", "c", "c#"},
    {"white space of every kind", " a\t\n b\xC2\xA0 c\xE2\x80\xAF\xE3\x80\x80", "a b c", "a b c"},
    {"line separators and control characters",
     "a\xE2\x80\xA8"
     "b\xC2\x85"
     "c\x01"
     "d",
     "a b c d", "a b c d"},
    {"only signs", "--- !!!", "", "--- !!!"},
    {"characters that are not seen", "co\xC2\xADope\xE2\x80\x8Bration\xEF\xBB\xBF", "cooperation",
     "cooperation"},
    {"full width and circled forms", "ＡＩ ① ﬁntech ½", "ai 1 fintech 1 2", "ai 1 fintech 1⁄2"},
    {"Greek with final sigma", "ΟΔΥΣΣΕΎΣ", "οδυσσευσ", "οδυσσευσ"},
    {"Cyrillic: short i loses its breve", "Йога", "иога", "иога"},
    {"Hangul is put together again", "서울", "서울", "서울"},
    {"Hangul typed apart becomes one", "\xE1\x84\x89\xE1\x85\xA5", "서", "서"},
    {"Chinese", "巴黎大区", "巴黎大区", "巴黎大区"},
    {"an emoji is no word", "🚀 rocket", "rocket", "🚀 rocket"},
    {"digits of other scripts stay", "٣ ३", "٣ ३", "٣ ३"},
    {"a currency", "10 €", "10", "10 €"},
    {"one character that is eighteen", "ﷺ", "صلى الله عليه وسلم", "صلى الله عليه وسلم"},
};

static void
expect_equal(struct str got, const char *want, const char *says)
{
    cr_expect(str_is(got, want), "%s: got \"%.*s\", want \"%s\"", says, STR_ARG(got), want);
}

CASES(fold, gives_one_form_to_the_spellings_of_a_word, cases)
{
    struct arena *arena = arena_create(roomy);
    struct str folded, again;

    cr_assert_eq(fold_text(str_from(cases[*i].text), arena, &folded, NULL), ERR_OK);
    expect_equal(folded, cases[*i].words, cases[*i].says);
    cr_assert_eq(fold_text(folded, arena, &again, NULL), ERR_OK);
    expect_equal(again, cases[*i].words, "folded twice");
    cr_assert_eq(fold_term(str_from(cases[*i].text), arena, &folded, NULL), ERR_OK);
    expect_equal(folded, cases[*i].term, cases[*i].says);
    cr_assert_eq(fold_term(folded, arena, &again, NULL), ERR_OK);
    expect_equal(again, cases[*i].term, "folded twice");
    arena_destroy(arena);
}

static size_t
encode_point(uint32_t point, char text[4])
{
    if (point < 0x80) {
        text[0] = (char)point;
        return 1;
    }
    if (point < 0x800) {
        text[0] = (char)(0xC0 | point >> 6);
        text[1] = (char)(0x80 | (point & 0x3F));
        return 2;
    }
    if (point < 0x10000) {
        text[0] = (char)(0xE0 | point >> 12);
        text[1] = (char)(0x80 | (point >> 6 & 0x3F));
        text[2] = (char)(0x80 | (point & 0x3F));
        return 3;
    }
    text[0] = (char)(0xF0 | point >> 18);
    text[1] = (char)(0x80 | (point >> 12 & 0x3F));
    text[2] = (char)(0x80 | (point >> 6 & 0x3F));
    text[3] = (char)(0x80 | (point & 0x3F));
    return 4;
}

/* Alone, and between letters, where it may join with what stands before. */
static void
expect_stable(uint32_t point, struct arena *arena)
{
    struct arena_mark mark = arena_mark(arena);
    char text[8] = "a";
    size_t n = encode_point(point, text + 1);
    struct str once, twice, whole = {text, n + 2};

    text[n + 1] = 'b';
    cr_assert_eq(fold_text(whole, arena, &once, NULL), ERR_OK);
    cr_assert_eq(fold_text(once, arena, &twice, NULL), ERR_OK);
    cr_expect(str_equal(once, twice), "words, U+%04X: \"%.*s\" then \"%.*s\"", point, STR_ARG(once),
              STR_ARG(twice));
    cr_assert_eq(fold_term(whole, arena, &once, NULL), ERR_OK);
    cr_assert_eq(fold_term(once, arena, &twice, NULL), ERR_OK);
    cr_expect(str_equal(once, twice), "term, U+%04X: \"%.*s\" then \"%.*s\"", point, STR_ARG(once),
              STR_ARG(twice));
    cr_expect(str_is_utf8(once));
    arena_release(arena, mark);
}

Test(fold, folding_twice_changes_nothing_for_any_character)
{
    struct arena *arena = arena_create(roomy);

    for (uint32_t point = 1; point <= 0x10FFFF; point++) {
        if (point == 0xD800)
            point = 0xE000;
        if (point == 0x30000) /* nothing assigned from here to the tags */
            point = 0xE0000;
        if (point == 0xE0200) /* private */
            break;
        expect_stable(point, arena);
    }
    arena_destroy(arena);
}

/* The same text between two letters with accents goes the long way round. */
static void
expect_as_between_accents(const char *text, size_t n, struct arena *arena,
                          enum err_code (*fold)(struct str, struct arena *, struct str *,
                                                struct err *))
{
    char plain[16] = "e", accented[16] = "\xC3\xA9";
    struct str fast, slow;

    memcpy(plain + 1, text, n);
    plain[n + 1] = 'e';
    memcpy(accented + 2, text, n);
    memcpy(accented + 2 + n, "\xC3\xA9", 2);
    cr_assert_eq(fold((struct str){plain, n + 2}, arena, &fast, NULL), ERR_OK);
    cr_assert_eq(fold((struct str){accented, n + 4}, arena, &slow, NULL), ERR_OK);
    cr_expect(str_equal(fast, slow), "%02x %02x: \"%.*s\" and \"%.*s\"", text[0],
              n > 1 ? text[1] : 0, STR_ARG(fast), STR_ARG(slow));
}

Test(fold, ascii_is_folded_as_unicode_has_it)
{
    struct arena *arena = arena_create(roomy);
    struct str folded;

    for (int a = 1; a < 128; a++)
        for (int b = 1; b < 128; b++) {
            struct arena_mark mark = arena_mark(arena);
            char text[2] = {(char)a, (char)b};

            expect_as_between_accents(text, 2, arena, fold_text);
            expect_as_between_accents(text, 2, arena, fold_term);
            arena_release(arena, mark);
        }
    cr_assert_eq(fold_text(STR_LIT(" -A- "), arena, &folded, NULL), ERR_OK);
    cr_expect(str_is(folded, "a"), "nothing at the ends");
    arena_destroy(arena);
}

Test(fold, nfc_joins_accents_and_changes_nothing_else)
{
    struct arena *arena = arena_create(roomy);
    struct str nfc;

    cr_assert_eq(text_nfc(STR_LIT("E\xCC\x81"
                                  "a ﬁ ① Ⅳ  C++\t"),
                          arena, &nfc, NULL),
                 ERR_OK);
    expect_equal(nfc, "Éa ﬁ ① Ⅳ  C++\t", "accent joined");
    cr_assert_eq(text_nfc(STR_LIT("e\xCC\xA3\xCC\x82"), arena, &nfc, NULL), ERR_OK);
    expect_equal(nfc, "ệ", "two marks in order");
    cr_assert_eq(text_nfc(STR_LIT("e\xCC\x82\xCC\xA3"), arena, &nfc, NULL), ERR_OK);
    expect_equal(nfc, "ệ", "two marks out of order");
    cr_assert_eq(text_nfc((struct str){NULL, 0}, arena, &nfc, NULL), ERR_OK);
    expect_equal(nfc, "", "nothing");
    arena_destroy(arena);
}

Test(fold, text_that_is_not_utf8_is_refused)
{
    struct arena *arena = arena_create(roomy);
    struct str out = STR_LIT("kept");
    struct err err;

    cr_expect_eq(fold_text(STR_LIT("caf\xE9"), arena, &out, &err), ERR_INVALID_PARAMS);
    cr_expect_str_eq(err.message, "text is not UTF-8; save it as UTF-8");
    cr_expect_eq(fold_term(STR_LIT("a\0b"), arena, &out, &err), ERR_INVALID_PARAMS);
    cr_expect_eq(text_nfc(STR_LIT("\xED\xA0\x80"), arena, &out, &err), ERR_INVALID_PARAMS);
    cr_expect(str_is(out, "kept"));
    arena_destroy(arena);
}

Test(fold, the_limit_is_of_bytes_and_one_over_is_refused)
{
    struct arena *arena = arena_create(roomy);
    char *text = malloc(FOLD_BYTES_MAX + 1);
    struct str out;

    memset(text, 'A', FOLD_BYTES_MAX + 1);
    cr_expect_eq(fold_text((struct str){text, FOLD_BYTES_MAX}, arena, &out, NULL), ERR_OK);
    cr_expect_eq(out.len, FOLD_BYTES_MAX);
    cr_expect_eq(fold_text((struct str){text, FOLD_BYTES_MAX + 1}, arena, &out, NULL),
                 ERR_TOO_LARGE);
    free(text);
    arena_destroy(arena);
}

Test(fold, the_end_of_memory_is_told_at_each_step)
{
    bool happened = true;
    long n;

    for (n = 1; happened; n++) {
        struct arena *arena = arena_create(roomy);
        enum err_code code;
        struct str out;

        mem_fail_at(n);
        code = fold_text(STR_LIT("Œuvre"), arena, &out, NULL);
        happened = mem_fail_happened();
        cr_expect_eq(code, happened ? ERR_BUSY : ERR_OK);
        mem_fail_at(n);
        code = text_nfc(STR_LIT("Œuvre"), arena, &out, NULL);
        cr_expect_eq(code, mem_fail_happened() ? ERR_BUSY : ERR_OK);
        arena_destroy(arena);
    }
    cr_expect_gt(n, 3);
}

Test(fold, an_arena_without_room_is_told)
{
    struct arena *arena = arena_create(16);
    struct str out;

    cr_expect_eq(fold_text(STR_LIT("more than sixteen bytes"), arena, &out, NULL), ERR_BUSY);
    arena_destroy(arena);
}
