#include "alloc.h"
#include "fold.h"
#include "lexicon_index.h"

#include <criterion/criterion.h>
#include <criterion/parameterized.h>

#include <stdio.h>

/* A lexicon small enough to be seen whole. */
static const char glossary[] = "concept,en,fr\n"
                               "# comments and empty lines are passed over\n"
                               "\n"
                               "sensor,sensor;probe,capteur;sonde\n"
                               "farming,agriculture;farming,agriculture\n"
                               "machine-learning,machine learning,apprentissage automatique\n"
                               "\"probe-work\",\"probe, drill\",sondage\r\n"
                               "internet-of-things,internet of things,internet des objets\n";
static const char stops_en[] = "the\nof\nfor\na\ni\ns\nit\n";
static const char stops_fr[] = "le\nla\nles\nde\ndes\npour\nà\n";
static const char elisions[] = "l\nd\nqu\njusqu\n";
static const char frequencies[] = "term,documents\n*,100\nc:sensor,9\ns:startup,60\n3:_st,70\n";
static const char topics[] = "term,pulls\nt:iot,\nt:food.farm,\nc:sensor,0:400 1:100\n";
static const char site[] = "en,fr,weight\nplough,charru,12\nwheelchair,fauteuil roul,12\n";

static struct lexicon *
parse_with(int file, const char *text, struct err *err)
{
    struct str files[LEXICON_FILE_COUNT] = {
        [LEXICON_GLOSSARY] = STR_LIT(glossary),
        [LEXICON_STOPWORDS_EN] = STR_LIT(stops_en),
        [LEXICON_STOPWORDS_FR] = STR_LIT(stops_fr),
        [LEXICON_ELISIONS_FR] = STR_LIT(elisions),
        [LEXICON_FREQUENCIES] = STR_LIT(frequencies),
        [LEXICON_TOPICS] = STR_LIT(topics),
        [LEXICON_SITE] = STR_LIT(site),
    };
    struct lexicon *lexicon = NULL;

    if (file < LEXICON_FILE_COUNT)
        files[file] = str_from(text);
    return lexicon_parse(files, &lexicon, err) == ERR_OK ? lexicon : NULL;
}

static struct lexicon *
small_lexicon(void)
{
    struct err err = {0};
    struct lexicon *lexicon = parse_with(LEXICON_FILE_COUNT, NULL, &err);

    cr_assert_not_null(lexicon, "%s", err.message);
    return lexicon;
}

/* ---- words ---- */

/* The folded words of a text, a bar before each that starts a piece. */
static const char *
words_text(const char *text, struct arena *arena)
{
    struct word_cursor cursor = words_begin(str_from(text));
    struct str out = STR_LIT("");
    struct word word;
    bool found = true;

    for (;;) {
        cr_assert_eq(words_next(&cursor, arena, &word, &found, NULL), ERR_OK);
        if (!found)
            return arena_text(arena, out);
        out = arena_format(arena, "%.*s%s%s%.*s", STR_ARG(out), out.len > 0 ? " " : "",
                           word.starts_piece ? "|" : "", STR_ARG(word.folded));
    }
}

static const struct {
    const char *says, *text, *words;
} cut[] = {
    {"accents and case are folded, ligatures written out", "Œuvre ÉLECTRIQUE à Nîmes",
     "|oeuvre electrique a nimes"},
    {"an elision is cut at a typewriter's apostrophe", "l'eau d'Évian", "|l eau d evian"},
    {"and at a typographer's", "l’énergie qu’il", "|l energie qu il"},
    {"a comma starts a piece, a hyphen does not", "bas-carbone, béton", "|bas carbone |beton"},
    {"the point in a number does not", "Industrie 4.0. Usines", "|industrie 4 0 |usines"},
    {"an abbreviation is one word", "A.I. et R.S.E. au S.A", "|ai et rse au sa"},
    {"one letter and a point are not", "plan B. Suite", "|plan b |suite"},
    {"a soft hyphen vanishes",
     "agri\xC2\xAD"
     "culture",
     "|agriculture"},
    {"full-width letters are letters", "ＡＩ　ｌａｂ", "|ai lab"},
    {"nothing but punctuation gives no words", "… — !?", ""},
    {"other scripts are words too", "Москва 東京", "|москва 東京"},
};

ParameterizedTestParameters(words, a_text_is_cut)
{
    static size_t index[sizeof cut / sizeof cut[0]];

    for (size_t i = 0; i < sizeof cut / sizeof cut[0]; i++)
        index[i] = i;
    return cr_make_param_array(size_t, index, sizeof cut / sizeof cut[0]);
}

ParameterizedTest(size_t *i, words, a_text_is_cut)
{
    struct arena *arena = arena_create(1 << 20);

    cr_expect_str_eq(words_text(cut[*i].text, arena), cut[*i].words, "%s", cut[*i].says);
    arena_destroy(arena);
}

Test(words, a_long_word_is_cut_at_a_whole_character)
{
    struct arena *arena = arena_create(1 << 20);
    struct str text = STR_LIT("");
    struct word_cursor cursor;
    struct word word;
    bool found;

    text = arena_str(arena, STR_LIT("x"));
    for (int i = 0; i < WORD_BYTES_MAX / 2; i++) /* one byte, then letters of two */
        text = arena_format(arena, "%.*sж", STR_ARG(text));
    cursor = words_begin(text);
    cr_assert_eq(words_next(&cursor, arena, &word, &found, NULL), ERR_OK);
    cr_expect(found && word.folded.len == WORD_BYTES_MAX - 1 && str_is_utf8(word.folded));
    arena_destroy(arena);
}

Test(words, every_letter_is_folded_as_fold_text_does)
{
    struct arena *arena = arena_create(16 << 20);

    for (uint32_t point = 0x30; point < 0x250; point++) {
        char text[3] = {(char)point};
        struct str wanted;
        const char *words;

        if (point >= 0x80) {
            text[0] = (char)(0xC0 | point >> 6);
            text[1] = (char)(0x80 | (point & 0x3F));
        }
        cr_assert_eq(fold_text(str_from(text), arena, &wanted, NULL), ERR_OK);
        words = words_text(text, arena);
        cr_expect_str_eq(words + (words[0] == '|'), arena_text(arena, wanted), "U+%04X", point);
        arena_reset(arena);
    }
    arena_destroy(arena);
}

Test(words, apostrophes_are_told)
{
    struct arena *arena = arena_create(1 << 20);
    struct word_cursor cursor = words_begin(STR_LIT("l'eau"));
    struct word word;
    bool found;

    words_next(&cursor, arena, &word, &found, NULL);
    cr_expect(word.before_apostrophe && !word.after_apostrophe);
    words_next(&cursor, arena, &word, &found, NULL);
    cr_expect(!word.before_apostrophe && word.after_apostrophe);
    arena_destroy(arena);
}

Test(words, a_language_without_a_stemmer_keeps_its_words)
{
    struct stemmers *stemmers = stemmers_create();

    cr_expect(str_is(stemmers_stem(stemmers, STR_LIT("en"), STR_LIT("sensors")), "sensor"));
    cr_expect(str_is(stemmers_stem(stemmers, STR_LIT("fr"), STR_LIT("capteurs")), "capteur"));
    cr_expect(str_is(stemmers_stem(stemmers, STR_LIT("de"), STR_LIT("maschinen")), "maschin"));
    cr_expect(str_is(stemmers_stem(stemmers, STR_LIT("xx"), STR_LIT("words")), "words"));
    cr_expect(str_is(stemmers_stem(stemmers, STR_LIT(""), STR_LIT("words")), "words"));
    stemmers_destroy(stemmers);
}

/* ---- the lexicon ---- */

static int32_t
find(const struct lexicon *lexicon, enum lang lang, const char *first, const char *second)
{
    uint64_t key = phrase_add(phrase_begin(lang), str_from(first));

    if (second != NULL)
        key = phrase_add(key, str_from(second));
    return lexicon_find(lexicon, key);
}

static const char *
concept_at(const struct lexicon *lexicon, int32_t at, int32_t *next)
{
    static char name[64];
    struct str code = lexicon_concept_code(lexicon, lexicon_concept(lexicon, at, next));

    snprintf(name, sizeof name, "%.*s", STR_ARG(code));
    return name;
}

Test(lexicon, forms_are_found_by_their_stems_without_stop_words)
{
    struct lexicon *lexicon = small_lexicon();
    int32_t next;

    cr_expect_eq(lexicon_concepts(lexicon), 5);
    cr_expect_str_eq(concept_at(lexicon, find(lexicon, LANG_FR, "capteur", NULL), &next), "sensor");
    cr_expect_str_eq(concept_at(lexicon, find(lexicon, LANG_EN, "internet", "thing"), &next),
                     "internet-of-things");
    cr_expect_str_eq(concept_at(lexicon, find(lexicon, LANG_FR, "internet", "objet"), &next),
                     "internet-of-things");
    cr_expect_lt(find(lexicon, LANG_EN, "capteur", NULL), 0, "a French form is no English one");
    cr_expect_lt(find(lexicon, LANG_EN, "machin", NULL), 0, "half a phrase is no phrase");
    lexicon_destroy(lexicon);
}

Test(lexicon, a_form_may_name_several_concepts)
{
    struct err err = {0};
    struct lexicon *lexicon =
        parse_with(LEXICON_GLOSSARY, "concept,en,fr\none,bank,rive\ntwo,banks;bank,banque\n", &err);
    int32_t next;

    cr_assert_not_null(lexicon, "%s", err.message);
    cr_expect_str_eq(concept_at(lexicon, find(lexicon, LANG_EN, "bank", NULL), &next), "one");
    cr_assert_geq(next, 0);
    cr_expect_str_eq(concept_at(lexicon, next, &next), "two");
    cr_expect_lt(next, 0, "two forms with one stem name the concept once");
    lexicon_destroy(lexicon);
}

Test(lexicon, keeps_the_first_form_of_each_language_as_written)
{
    struct lexicon *lexicon = small_lexicon();

    cr_expect(str_is(lexicon_concept_form(lexicon, 0, LANG_EN), "sensor"));
    cr_expect(str_is(lexicon_concept_form(lexicon, 2, LANG_FR), "apprentissage automatique"));
    lexicon_destroy(lexicon);
}

Test(lexicon, stop_words_and_elisions_are_dropped_by_language)
{
    struct lexicon *lexicon = small_lexicon();
    struct word of = {.written = STR_LIT("of"), .folded = STR_LIT("of")};
    struct word it = {.written = STR_LIT("IT"), .folded = STR_LIT("it")};
    struct word elided = {
        .written = STR_LIT("d"), .folded = STR_LIT("d"), .before_apostrophe = true};
    struct word letter = {.written = STR_LIT("d"), .folded = STR_LIT("d")};

    cr_expect(lexicon_drops(lexicon, &of, LANG_EN));
    cr_expect(!lexicon_drops(lexicon, &of, LANG_FR));
    cr_expect(lexicon_drops(lexicon, &of, LANG_COUNT));
    cr_expect(!lexicon_drops(lexicon, &it, LANG_EN), "capitals are a name");
    cr_expect(lexicon_drops(lexicon, &elided, LANG_FR));
    cr_expect(!lexicon_drops(lexicon, &elided, LANG_EN));
    cr_expect(!lexicon_drops(lexicon, &letter, LANG_FR), "without its apostrophe it is a letter");
    lexicon_destroy(lexicon);
}

Test(lexicon, tells_in_how_many_documents_a_term_stands)
{
    struct lexicon *lexicon = small_lexicon();

    cr_expect_eq(lexicon_documents_all(lexicon), 100);
    cr_expect_eq(lexicon_documents(lexicon, term_of(TERM_CONCEPT, STR_LIT("sensor"))), 9);
    cr_expect_eq(lexicon_documents(lexicon, term_of(TERM_STEM, STR_LIT("startup"))), 60);
    cr_expect_eq(lexicon_documents(lexicon, term_of(TERM_STEM, STR_LIT("sensor"))), 1);
    cr_expect_eq(lexicon_documents(lexicon, term_of(TERM_GRAM3, STR_LIT("_st"))), 70);
    cr_expect_eq(lexicon_documents(lexicon, term_of(TERM_GRAM4, STR_LIT("_sta"))), 5);
    lexicon_destroy(lexicon);
}

Test(lexicon, a_term_pulls_to_its_topics)
{
    struct lexicon *lexicon = small_lexicon();
    const struct pull *pulls = lexicon_pulls(lexicon, term_of(TERM_CONCEPT, STR_LIT("sensor")));

    cr_assert_not_null(pulls);
    cr_expect_eq(pulls[0].topic, term_of(TERM_TOPIC, STR_LIT("iot")));
    cr_expect_eq(pulls[0].thousandths, 400);
    cr_expect_eq(pulls[1].topic, term_of(TERM_TOPIC, STR_LIT("food.farm")));
    cr_expect_eq(pulls[2].topic, 0);
    cr_expect_null(lexicon_pulls(lexicon, term_of(TERM_CONCEPT, STR_LIT("farming"))));
    lexicon_destroy(lexicon);
}

Test(lexicon, the_digest_needs_no_parsing)
{
    struct str files[LEXICON_FILE_COUNT] = {
        STR_LIT(glossary),    STR_LIT(stops_en), STR_LIT(stops_fr), STR_LIT(elisions),
        STR_LIT(frequencies), STR_LIT(topics),   STR_LIT(site)};
    struct lexicon *lexicon = small_lexicon();
    struct digest parsed = lexicon_digest(lexicon), unparsed = lexicon_files_digest(files);

    cr_expect(digest_equal(&parsed, &unparsed));
    lexicon_destroy(lexicon);
}

Test(lexicon, the_sites_table_translates_both_ways)
{
    struct lexicon *lexicon = small_lexicon();
    int32_t at =
        lexicon_translations(lexicon, phrase_add(phrase_begin(LANG_FR), STR_LIT("charru")));
    const struct translation *to;

    cr_assert_geq(at, 0);
    to = lexicon_translation(lexicon, at);
    cr_expect_eq(to->n_stems, 1);
    cr_expect_eq(to->stems[0], term_of(TERM_STEM, STR_LIT("plough")));
    cr_expect_eq(to->weight, 12);
    at = lexicon_translations(lexicon, phrase_add(phrase_begin(LANG_EN), STR_LIT("wheelchair")));
    cr_assert_geq(at, 0);
    cr_expect_eq(lexicon_translation(lexicon, at)->n_stems, 2);
    lexicon_destroy(lexicon);
}

Test(lexicon, the_digest_names_every_file)
{
    struct err err = {0};
    struct lexicon *whole = small_lexicon(), *again = small_lexicon();
    struct digest first = lexicon_digest(whole), second = lexicon_digest(again);

    cr_expect(digest_equal(&first, &second));
    for (int file = 0; file < LEXICON_FILE_COUNT; file++) {
        static const char *const other[] = {"concept,en,fr\na,b,c\n", "an\n", "un\n", "n\n",
                                            "term,documents\n*,7\n",  "",     ""};
        struct lexicon *changed = parse_with(file, other[file], &err);

        cr_assert_not_null(changed, "%s: %s", lexicon_file_name(file), err.message);
        second = lexicon_digest(changed);
        cr_expect(!digest_equal(&first, &second), "%s", lexicon_file_name(file));
        lexicon_destroy(changed);
    }
    lexicon_destroy(whole);
    lexicon_destroy(again);
}

Test(lexicon, a_term_names_its_class_and_the_published_hash)
{
    /* FNV-1a of "foobar" is 0xbf9cf968: published with the function */
    uint32_t fnv = UINT32_C(0xbf9cf968), folded = (fnv >> 29) ^ (fnv & UINT32_C(0x1fffffff));

    cr_expect_eq(term_of(TERM_CONCEPT, STR_LIT("foobar")), UINT32_C(3) << 29 | folded);
    cr_expect_eq(term_of(TERM_GRAM3, STR_LIT("foobar")), folded);
    cr_expect_eq(term_class_of(term_of(TERM_STEM, STR_LIT("x"))), TERM_STEM);
}

static const struct {
    const char *says;
    int file;
    const char *text, *message;
} faults[] = {
    {"a missing header", LEXICON_GLOSSARY, "a,b,c\n", "the first row must be \"concept,en,fr\""},
    {"an empty glossary", LEXICON_GLOSSARY, "", "the first row must be"},
    {"too few cells", LEXICON_GLOSSARY, "concept,en,fr\nx,y\n", "line 2: 2 cells instead of 3"},
    {"too many cells", LEXICON_GLOSSARY, "concept,en,fr\nx,y,z,\n", "more than 3 cells"},
    {"a quote left open", LEXICON_GLOSSARY, "concept,en,fr\nx,\"y,z\n", "a quote is not closed"},
    {"no name", LEXICON_GLOSSARY, "concept,en,fr\n,y,z\n", "the concept has no name"},
    {"a form of stop words", LEXICON_GLOSSARY, "concept,en,fr\nx,of the,z\n",
     "\"of the\" holds stop words only"},
    {"a form too long", LEXICON_GLOSSARY, "concept,en,fr\nx,one two three four five,z\n",
     "has 5 words besides stop words; 4 are the most"},
    {"bytes that are no UTF-8", LEXICON_GLOSSARY, "concept,en,fr\nx,\xE9t\xE9,z\n", "not UTF-8"},
    {"no total", LEXICON_FREQUENCIES, "term,documents\n", "all documents is missing"},
    {"a term where the total should be", LEXICON_FREQUENCIES, "term,documents\nc:x,3\n",
     "stands where \"*\""},
    {"no documents at all", LEXICON_FREQUENCIES, "term,documents\n*,0\n", "whole number from 1"},
    {"more documents than there are", LEXICON_FREQUENCIES, "term,documents\n*,9\nc:x,10\n",
     "line 3: \"10\" is not a whole number from 1 to 9"},
    {"a number too long to read", LEXICON_FREQUENCIES, "term,documents\n*,99999999999999999999\n",
     "whole number"},
    {"a term of no class", LEXICON_FREQUENCIES, "term,documents\n*,9\nx:y,1\n", "is no term"},
    {"a pull of 0", LEXICON_TOPICS, "term,pulls\nt:y,\nc:x,0:0\n", "line 3: \"0:0\" is no list"},
    {"a pull of 1001", LEXICON_TOPICS, "term,pulls\nt:y,\nc:x,0:1001\n", "from 1 to 1000"},
    {"an unknown topic", LEXICON_TOPICS, "term,pulls\nt:y,\nc:x,1:10\n", "is no list"},
    {"a topic after its use", LEXICON_TOPICS, "term,pulls\nc:x,0:10\nt:y,\n", "is no list"},
    {"no pulls", LEXICON_TOPICS, "term,pulls\nt:y,\nc:x,\n", "is no list"},
    {"two spaces between pulls", LEXICON_TOPICS, "term,pulls\nt:y,\nc:x,0:1  0:2\n", "is no list"},
    {"a comma between pulls", LEXICON_TOPICS, "term,pulls\nt:y,\nc:x,\"0:1,0:2\"\n", "is no list"},
    {"a topic of no class", LEXICON_TOPICS, "term,pulls\ny,\n", "is no term"},
    {"a site's weight of 0", LEXICON_SITE, "en,fr,weight\na,b,0\n", "whole number from 1 to 12"},
    {"a site's weight of 13", LEXICON_SITE, "en,fr,weight\na,b,13\n", "whole number from 1 to 12"},
    {"five stems", LEXICON_SITE, "en,fr,weight\na b c d e,f,1\n", "one to 4 stems"},
    {"an empty stem", LEXICON_SITE, "en,fr,weight\na,,1\n", "one to 4 stems"},
    {"two spaces", LEXICON_SITE, "en,fr,weight\na  b,c,1\n", "single spaces"},
};

ParameterizedTestParameters(lexicon, a_fault_is_told_with_its_line)
{
    static size_t index[sizeof faults / sizeof faults[0]];

    for (size_t i = 0; i < sizeof faults / sizeof faults[0]; i++)
        index[i] = i;
    return cr_make_param_array(size_t, index, sizeof faults / sizeof faults[0]);
}

ParameterizedTest(size_t *i, lexicon, a_fault_is_told_with_its_line)
{
    struct err err = {0};

    cr_expect_null(parse_with(faults[*i].file, faults[*i].text, &err));
    cr_expect_eq(err.code, ERR_INVALID_PARAMS, "%s", faults[*i].says);
    cr_expect(strstr(err.message, lexicon_file_name(faults[*i].file)) != NULL, "%s", err.message);
    cr_expect(strstr(err.message, faults[*i].message) != NULL, "%s: %s", faults[*i].says,
              err.message);
}

Test(lexicon, survives_every_failed_allocation)
{
    bool happened = true;

    for (long n = 1; happened; n++) {
        struct err err = {0};
        struct lexicon *lexicon;

        mem_fail_at(n);
        lexicon = parse_with(LEXICON_FILE_COUNT, NULL, &err);
        happened = mem_fail_happened();
        cr_assert(happened ? lexicon == NULL && err.code == ERR_BUSY : lexicon != NULL,
                  "allocation %ld: %s", n, err.message);
        lexicon_destroy(lexicon);
    }
}
