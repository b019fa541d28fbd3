#include "alloc.h"
#include "cases.h"
#include "catalogue.h"
#include "file.h"
#include "reference.h"
#include "sample_reference.h"

#include <string.h>

static struct catalogue *catalogue;
static struct arena *arena;

static void
begin(void)
{
    struct err err = {.code = ERR_OK};

    arena = arena_create(1 << 20);
    cr_assert_eq(catalogue_parse(str_from(sample_texts[REFERENCE_MESSAGES]),
                                 str_from(sample_texts[REFERENCE_PHRASES]), &catalogue, &err),
                 ERR_OK, "%s", err.message);
}

static void
end(void)
{
    catalogue_destroy(catalogue);
    arena_destroy(arena);
}

static const struct {
    const char *key;
    enum lang lang;
    const char *text;
} text_cases[] = {
    {"plain", LANG_EN, "Good day"},
    {"plain", LANG_FR, "Bonjour"},
    {"overlap/label", LANG_FR, "Partagé"},
    {"overlap/for", LANG_EN, "In common: {shared}."},
    {"overlap/against", LANG_FR, "Rien en commun."},
    {"traction/against", LANG_FR, ""},
    {"overlap/weight", LANG_EN, ""},
    {"overlap", LANG_EN, ""},
    {"nowhere", LANG_EN, ""},
    {"", LANG_EN, ""},
};

EACH_CASE(catalogue, gives_messages_and_phrases_by_key, text_cases)
{
    size_t i = *case_index;

    begin();
    cr_expect(str_is(catalogue_text(catalogue, text_cases[i].key, text_cases[i].lang),
                     text_cases[i].text),
              "%s", text_cases[i].key);
    end();
}

Test(catalogue, fills_placeholders_once_and_leaves_unknown_ones, .init = begin, .fini = end)
{
    struct catalogue_argument arguments[] = {{"name", STR_LIT("{other}")}, {NULL, {NULL, 0}}};
    struct str text = catalogue_format(catalogue, "greeting", LANG_FR, arguments, arena);

    cr_expect(str_is(text, "Bonjour {other} et {other} !"), "%.*s", STR_ARG(text));
    text = catalogue_format(catalogue, "nowhere", LANG_FR, arguments, arena);
    cr_expect(text.data != NULL && text.len == 0);
}

Test(catalogue, a_brace_that_is_never_closed_stays)
{
    struct catalogue_argument arguments[] = {{"a", STR_LIT("x")}, {NULL, {NULL, 0}}};
    struct catalogue *odd = NULL;
    struct arena *room = arena_create(4096);
    struct str text;

    cr_assert_eq(
        catalogue_parse(STR_LIT("key,en,fr\nk,{{a} {a,{}\n"), STR_LIT("code\n"), &odd, NULL),
        ERR_OK);
    text = catalogue_format(odd, "k", LANG_EN, arguments, room);
    cr_expect(str_is(text, "{x {a"), "%.*s", STR_ARG(text));
    text = catalogue_format(odd, "k", LANG_FR, arguments, room);
    cr_expect(str_is(text, "{}"), "%.*s", STR_ARG(text));
    catalogue_destroy(odd);
    arena_destroy(room);
}

Test(catalogue, knows_its_phrases_and_the_nearest, .init = begin, .fini = end)
{
    cr_expect(catalogue_has_phrase(catalogue, STR_LIT("traction")));
    cr_expect_not(catalogue_has_phrase(catalogue, STR_LIT("plain")));
    cr_expect(str_is(catalogue_nearest_phrase(catalogue, STR_LIT("tration")), "traction"));
    cr_expect_eq(catalogue_nearest_phrase(catalogue, STR_LIT("weather")).len, 0);
}

static const struct {
    const char *messages, *phrases, *field, *message;
} bad_cases[] = {
    {"key,en\n", "code\n", "messages/messages.csv",
     "messages has no column \"fr\"; its first line must name it"},
    {"key,en,fr\n,a,b\n", "code\n", "messages/messages.csv", "line 2 of messages has no key"},
    {"key,en,fr\nk,a,\n", "code\n", "messages/messages.csv",
     "line 2 of messages: \"k\" has no text in column fr"},
    {"key,en,fr\n", "label_en\n", "phrases.csv",
     "phrases has no column \"code\"; its first line must name it"},
    {"key,en,fr\n", "", "phrases.csv", "phrases is empty; its first line must name the columns"},
    {"key,en,fr\n", "code,for_en,for_fr\n,x,y\n", "phrases.csv", "line 2 of phrases has no code"},
    {"key,en,fr\n", "code,for_en,for_fr\na,x,\n", "phrases.csv",
     "line 2 of phrases: \"a\" has the text of for in one language only"},
    {"key,en,fr\nk,a,b\nk,c,d\n", "code\n", "",
     "the key \"k\" stands twice in messages and phrases; take one out"},
    {"key,en,fr\n", "code,for_en,for_fr\na,x,y\na,z,w\n", "",
     "the key \"a/for\" stands twice in messages and phrases; take one out"},
};

EACH_CASE(catalogue, refuses_a_bad_file_by_name_and_line, bad_cases)
{
    struct err err = {.code = ERR_OK};
    struct catalogue *none = NULL;
    size_t i = *case_index;

    cr_expect_eq(catalogue_parse(str_from(bad_cases[i].messages), str_from(bad_cases[i].phrases),
                                 &none, &err),
                 ERR_INVALID_PARAMS);
    cr_expect_str_eq(err.message, bad_cases[i].message);
    cr_expect_str_eq(err.field, bad_cases[i].field);
}

Test(catalogue, survives_the_failure_of_each_allocation)
{
    struct catalogue_argument arguments[] = {{"name", STR_LIT("Ada")}, {NULL, {NULL, 0}}};
    bool happened = true;

    for (long n = 1; happened; n++) {
        struct err err = {.code = ERR_OK};
        struct arena *room = arena_create(1 << 16);
        struct str text = {NULL, 0};
        enum err_code code;

        catalogue = NULL;
        mem_fail_at(n);
        code = catalogue_parse(str_from(sample_texts[REFERENCE_MESSAGES]),
                               str_from(sample_texts[REFERENCE_PHRASES]), &catalogue, &err);
        if (code == ERR_OK)
            text = catalogue_format(catalogue, "greeting", LANG_EN, arguments, room);
        happened = mem_fail_happened();
        cr_assert(code == ERR_OK || (happened && code == ERR_BUSY), "%ld: %s", n, err.message);
        cr_assert(text.data == NULL ? happened : str_is(text, "Hello Ada and {other}!"));
        catalogue_destroy(catalogue);
        arena_destroy(room);
    }
}

/* Of the shipped texts: a line that ends before its mark begins the next with it. */
Test(catalogue, marks_stand_behind_spaces_that_do_not_break)
{
    static const char *const files[] = {JML_DATA "/messages/messages.csv", JML_DATA "/phrases.csv"};
    static const char *const marks[] = {" :", " ;", " !", " ?", "« ", " »", " %"};

    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        struct err err = {0};
        struct buf text;

        buf_init(&text, 1 << 22);
        cr_assert_eq(file_read(files[i], &text, &err), ERR_OK, "%s", err.message);
        for (size_t k = 0; k < sizeof marks / sizeof marks[0]; k++) {
            const char *at = memmem(text.data, text.len, marks[k], strlen(marks[k]));

            cr_expect_null(at, "%s: %.60s", files[i], at);
        }
        buf_fini(&text);
    }
}
