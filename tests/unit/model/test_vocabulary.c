#include "alloc.h"
#include "cases.h"
#include "reference.h"
#include "sample_reference.h"
#include "vocabulary.h"

#include <stdio.h>

static struct vocabulary *vocabulary;

static void
parse(const char *name, const char *text)
{
    struct err err = {.code = ERR_OK};

    cr_assert_eq(vocabulary_parse(name, str_from(text), &vocabulary, &err), ERR_OK, "%s",
                 err.message);
}

static void
begin(void)
{
    parse("sectors", sample_texts[VOCABULARY_SECTORS]);
}

static void
end(void)
{
    vocabulary_destroy(vocabulary);
}

static void
expect_code(int row, const char *code)
{
    if (code == NULL)
        cr_expect_eq(row, VOCABULARY_NONE, "%.*s", STR_ARG(vocabulary_code(vocabulary, row)));
    else
        cr_expect(str_is(vocabulary_code(vocabulary, row), code), "%.*s, not %s",
                  STR_ARG(vocabulary_code(vocabulary, row)), code);
}

Test(vocabulary, knows_its_rows_by_code, .init = begin, .fini = end)
{
    int row = vocabulary_find(vocabulary, STR_LIT("fin.pay"));

    cr_expect_str_eq(vocabulary_name(vocabulary), "sectors");
    cr_expect_eq(vocabulary_size(vocabulary), 5);
    cr_expect_eq(row, 3);
    cr_expect(str_is(vocabulary_label(vocabulary, row, LANG_FR), "Paiements"));
    cr_expect(str_is(vocabulary_label(vocabulary, row, LANG_EN), "Payments"));
    cr_expect(str_is(vocabulary_cell(vocabulary, row, "synonyms_en"), "payment"));
    cr_expect_eq(vocabulary_cell(vocabulary, row, "colour").len, 0);
    cr_expect(vocabulary_has_column(vocabulary, "label_fr"));
    cr_expect_not(vocabulary_has_column(vocabulary, "colour"));
    cr_expect_eq(vocabulary_find(vocabulary, STR_LIT("FIN")), VOCABULARY_NONE);
    cr_expect_eq(vocabulary_find(vocabulary, STR_LIT("")), VOCABULARY_NONE);
    cr_expect_eq(vocabulary_find(vocabulary, STR_LIT("zzz")), VOCABULARY_NONE);
    cr_expect_eq(vocabulary_code(vocabulary, VOCABULARY_NONE).len, 0);
    cr_expect_eq(vocabulary_label(vocabulary, 5, LANG_EN).len, 0);
}

static const struct {
    const char *says, *text, *code;
} recognise_cases[] = {
    {"a code", "fin.pay", "fin.pay"},
    {"a code in capitals", "FIN", "fin"},
    {"a label in English", "Artificial Intelligence", "ai"},
    {"a label in French", "apprentissage automatique", "ai.ml"},
    {"a synonym in any case", "AgTech", "agri"},
    {"a synonym with other white space", "  financial   services ", "fin"},
    {"a text without its accents", "PAIEMENTS", "fin.pay"},
    {"near is not enough", "fintec", NULL},
    {"nothing", "", NULL},
    {"punctuation alone", "—", NULL},
};

EACH_CASE(vocabulary, recognises_codes_labels_and_synonyms_once_folded, recognise_cases)
{
    begin();
    expect_code(vocabulary_recognise(vocabulary, str_from(recognise_cases[*case_index].text)),
                recognise_cases[*case_index].code);
    end();
}

Test(vocabulary, prefers_a_code_to_a_label_and_a_label_to_a_synonym, .fini = end)
{
    parse("needs", "code,label_en,label_fr,synonyms_en\n"
                   "x,Desk,Bureau,space\n"
                   "space,Premises,Locaux,desk\n");
    expect_code(vocabulary_recognise(vocabulary, STR_LIT("Space")), "space");
    expect_code(vocabulary_recognise(vocabulary, STR_LIT("desk")), "x");
}

Test(vocabulary, does_not_guess_between_two_rows_with_equal_right, .fini = end)
{
    parse("needs", "code,label_en,label_fr,synonyms_en\n"
                   "a,Alpha,Alpha,bureau;office\n"
                   "b,Beta,Bêta,Bureau\n");
    expect_code(vocabulary_recognise(vocabulary, STR_LIT("bureau")), NULL);
    expect_code(vocabulary_recognise(vocabulary, STR_LIT("office")), "a");
}

Test(vocabulary, recognises_the_sign_of_a_currency, .fini = end)
{
    parse("currencies", sample_texts[VOCABULARY_CURRENCIES]);
    expect_code(vocabulary_recognise(vocabulary, STR_LIT(" € ")), "EUR");
    expect_code(vocabulary_recognise(vocabulary, STR_LIT("US$")), "USD");
    expect_code(vocabulary_recognise(vocabulary, STR_LIT("usd")), "USD");
    expect_code(vocabulary_recognise(vocabulary, STR_LIT("Dollar Américain")), "USD");
    expect_code(vocabulary_recognise(vocabulary, STR_LIT("£")), NULL);
}

static const struct {
    const char *says, *text, *code;
} nearest_cases[] = {
    {"one letter left out of a synonym", "fintec", "fin"},
    {"two neighbours exchanged", "framing", "agri"},
    {"a typing error in a long label", "Artifical inteligence", "ai"},
    {"an exact synonym is the nearest of all", "agtech", "agri"},
    {"more than a third of the letters wrong", "phone", NULL},
    {"two letters are too few for any error", "az", NULL},
    {"nothing", "", NULL},
};

EACH_CASE(vocabulary, nearest_answers_within_a_third_of_the_length, nearest_cases)
{
    begin();
    expect_code(vocabulary_nearest(vocabulary, str_from(nearest_cases[*case_index].text)),
                nearest_cases[*case_index].code);
    end();
}

/* The quick look at letters must leave out nothing: against the plain definition. */
Test(vocabulary, nearest_equals_a_search_through_everything, .init = begin, .fini = end)
{
    static const char *const forms[][2] = {
        {"ai", "ai"},
        {"artificial intelligence", "ai"},
        {"artificial intelligence", "ai"},
        {"machine learning", "ai.ml"},
        {"finance", "fin"},
        {"financial services", "fin"},
        {"payments", "fin.pay"},
        {"farming", "agri"},
        {"agriculture", "agri"},
        {"agritech", "agri"},
    };
    unsigned seed = 7;

    for (int round = 0; round < 3000; round++) {
        const char *form = forms[(seed >> 8) % (sizeof forms / sizeof forms[0])][0];
        char text[64];
        int row;

        snprintf(text, sizeof text, "%s", form);
        for (int edit = 0; edit < 3; edit++) {
            seed = seed * 1103515245 + 12345;
            text[(seed >> 16) % strlen(text)] = (char)('a' + (seed >> 24) % 26);
        }
        seed = seed * 1103515245 + 12345;
        row = vocabulary_nearest(vocabulary, str_from(text));
        if (str_distance(str_from(text), str_from(form), 3) <= strlen(text) / 3)
            cr_assert_neq(row, VOCABULARY_NONE, "%s from %s", text, form);
    }
}

Test(vocabulary, gives_the_order_of_stages_and_none_to_a_code_without_place, .fini = end)
{
    int32_t order = 99;

    parse("stages", sample_texts[VOCABULARY_STAGES]);
    cr_expect(vocabulary_order(vocabulary, vocabulary_find(vocabulary, STR_LIT("a")), &order));
    cr_expect_eq(order, 4);
    cr_expect_not(
        vocabulary_order(vocabulary, vocabulary_find(vocabulary, STR_LIT("self")), &order));
    cr_expect_not(vocabulary_order(vocabulary, VOCABULARY_NONE, &order));
}

Test(vocabulary, tells_positive_outcomes_apart, .fini = end)
{
    parse("outcomes", sample_texts[VOCABULARY_OUTCOMES]);
    cr_expect(vocabulary_is_positive(vocabulary, 0));
    cr_expect_not(vocabulary_is_positive(vocabulary, 1));
    cr_expect_not(vocabulary_is_positive(vocabulary, VOCABULARY_NONE));
}

Test(vocabulary, takes_a_missing_label_from_the_other_language_or_the_code, .fini = end)
{
    parse("kinds", "\xEF\xBB\xBF"
                   "code,label_en,label_fr\r\nx,,Laboratoire\r\ny,Event\r\nz\r\n");
    cr_expect(str_is(vocabulary_label(vocabulary, 0, LANG_EN), "Laboratoire"));
    cr_expect(str_is(vocabulary_label(vocabulary, 1, LANG_FR), "Event"));
    cr_expect(str_is(vocabulary_label(vocabulary, 2, LANG_FR), "z"));
}

static const struct {
    const char *name, *text, *message;
} bad_cases[] = {
    {"kinds", "", "kinds is empty; its first line must name the columns"},
    {"kinds", "label_en\nx\n", "kinds has no column \"code\"; its first line must name it"},
    {"kinds", "code,label_en,code\n", "kinds has two columns \"code\""},
    {"kinds", "code,,label_en\n", "column 2 of kinds has no name in line 1"},
    {"kinds", "code\na\n\nb\na\n",
     "line 5 of kinds: the code \"a\" stands in line 2 already; take one out"},
    {"kinds", "code\nFR\n",
     "line 2 of kinds: \"FR\" is no code; write a-z, 0-9, dot, underscore and hyphen, beginning "
     "with a letter or digit, at most 64"},
    {"kinds", "code\n.a\n",
     "line 2 of kinds: \".a\" is no code; write a-z, 0-9, dot, underscore and hyphen, beginning "
     "with a letter or digit, at most 64"},
    {"kinds", "code,label_en\n,Empty\n",
     "line 2 of kinds: \"\" is no code; write a-z, 0-9, dot, underscore and hyphen, beginning "
     "with a letter or digit, at most 64"},
    {"kinds", "code,label_en\na,Fine\nb,caf\xE9\n",
     "line 3 of kinds is not UTF-8; save it as UTF-8"},
    {"kinds", "code,label_en\na,x,y\n",
     "line 2 of kinds has 3 cells, but the header has 2; put a cell that holds a comma in double "
     "quotes"},
    {"stages", "code,order\na,1\nb,second\n",
     "line 3 of stages: order is \"second\"; write a whole number from -1000000 to 1000000"},
    {"stages", "code,order\na,1.5\n",
     "line 2 of stages: order is \"1.5\"; write a whole number from -1000000 to 1000000"},
    {"outcomes", "code,positive\na,2\n",
     "line 2 of outcomes: positive is \"2\"; write a whole number from 0 to 1"},
    {"metros", "code,latitude\na,90000001\n",
     "line 2 of metros: latitude is \"90000001\"; write a whole number from -90000000 to 90000000"},
    {"metros", "code,longitude\na,99999999999999999999\n",
     "line 2 of metros: longitude is \"99999999999999999999\"; write a whole number from "
     "-180000000 to 180000000"},
};

EACH_CASE(vocabulary, refuses_a_bad_file_by_line, bad_cases)
{
    struct err err = {.code = ERR_OK};
    struct vocabulary *none = NULL;
    size_t i = *case_index;

    cr_expect_eq(vocabulary_parse(bad_cases[i].name, str_from(bad_cases[i].text), &none, &err),
                 ERR_INVALID_PARAMS);
    cr_expect_str_eq(err.message, bad_cases[i].message);
    cr_expect_null(none);
}

static char *
many_rows(int n)
{
    char *text = malloc((size_t)n * 8 + 16), *at = text;

    at += sprintf(at, "code\n");
    for (int i = 0; i < n; i++)
        at += sprintf(at, "c%d\n", i);
    return text;
}

Test(vocabulary, holds_4096_rows_and_not_one_more)
{
    struct err err = {.code = ERR_OK};
    struct vocabulary *full = NULL, *over = NULL;
    char *text = many_rows(VOCABULARY_ROWS_MAX);

    cr_expect_eq(vocabulary_parse("needs", str_from(text), &full, &err), ERR_OK);
    cr_expect_eq(vocabulary_size(full), VOCABULARY_ROWS_MAX);
    cr_expect_eq(vocabulary_find(full, STR_LIT("c4095")), 4095);
    vocabulary_destroy(full);
    free(text);
    text = many_rows(VOCABULARY_ROWS_MAX + 1);
    cr_expect_eq(vocabulary_parse("needs", str_from(text), &over, &err), ERR_INVALID_PARAMS);
    cr_expect_str_eq(err.message, "line 4098 of needs is over the limit of 4096 rows");
    free(text);
}

Test(vocabulary, survives_the_failure_of_each_allocation)
{
    bool happened = true;

    for (long n = 1; happened; n++) {
        struct err err = {.code = ERR_OK};
        enum err_code code;

        vocabulary = NULL;
        mem_fail_at(n);
        code = vocabulary_parse("sectors", str_from(sample_texts[VOCABULARY_SECTORS]), &vocabulary,
                                &err);
        happened = mem_fail_happened();
        cr_assert(code == ERR_OK || (happened && code == ERR_BUSY), "%ld: %s", n, err.message);
        cr_assert_eq(vocabulary == NULL, code != ERR_OK);
        if (code == ERR_OK) /* libcsv asks again for less: what came of it must be whole */
            expect_code(vocabulary_recognise(vocabulary, STR_LIT("agritech")), "agri");
        vocabulary_destroy(vocabulary);
    }
}

static const struct {
    const char *code;
    enum lang otherwise, lang;
} lang_cases[] = {
    {"fr", LANG_EN, LANG_FR},     {"en", LANG_FR, LANG_EN},      {"fr_FR.UTF-8", LANG_EN, LANG_FR},
    {"en-GB", LANG_FR, LANG_EN},  {"de", LANG_EN, LANG_EN},      {"", LANG_FR, LANG_FR},
    {"french", LANG_EN, LANG_EN}, {"C.UTF-8", LANG_FR, LANG_FR},
};

EACH_CASE(lang, is_read_from_a_locale_or_taken_otherwise, lang_cases)
{
    cr_expect_eq(
        lang_parse(str_from(lang_cases[*case_index].code), lang_cases[*case_index].otherwise),
        lang_cases[*case_index].lang);
}

Test(code, the_group_of_a_leaf_is_what_stands_before_the_dot)
{
    cr_expect(str_is(code_group(STR_LIT("fin.pay")), "fin"));
    cr_expect(str_is(code_group(STR_LIT("fin")), "fin"));
    cr_expect(str_is(code_group(STR_LIT("")), ""));
}
