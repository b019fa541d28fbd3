#include "alloc.h"
#include "lexicon_index.h"

#include <criterion/criterion.h>
#include <criterion/parameterized.h>

#include <stdio.h>

static struct lexicon *lexicon;
static struct lexicon_reader *reader;
static struct arena *arena;

static const struct str files[LEXICON_FILE_COUNT] = {
    [LEXICON_GLOSSARY] = STR_LIT("concept,en,fr\n"
                                 "sensor,sensor;probe,capteur;sonde\n"
                                 "farming,farming;agriculture,agriculture\n"
                                 "machine-learning,machine learning,apprentissage automatique\n"
                                 "learning,learning,apprentissage\n"
                                 "shore,bank;shore,rive\n"
                                 "lender,bank;lender,banque\n"
                                 "remote,remote,à distance\n"
                                 "ai,artificial intelligence;AI,intelligence artificielle;IA\n"),
    [LEXICON_STOPWORDS_EN] = STR_LIT("the\nof\nfor\na\nwe\nis\n"),
    [LEXICON_STOPWORDS_FR] = STR_LIT("le\nla\nles\nde\ndes\npour\nà\nnous\n"),
    [LEXICON_ELISIONS_FR] = STR_LIT("l\nd\n"),
    [LEXICON_FREQUENCIES] = STR_LIT("term,documents\n*,1000\nc:farming,100\ns:startup,400\n"),
    [LEXICON_TOPICS] = STR_LIT("term,pulls\nt:food.farm,\nc:farming,0:400\ns:tractor,0:500\n"),
    [LEXICON_SITE] = STR_LIT("en,fr,weight\nplough,charru,12\ndetector,sond,6\n"
                             "detector,trouveur,6\nwheelchair,fauteuil roul,12\n"),
};

static void
set_up(void)
{
    struct err err = {0};

    cr_assert_eq(lexicon_parse(files, &lexicon, &err), ERR_OK, "%s", err.message);
    reader = lexicon_reader_create(lexicon);
    arena = arena_create(16 << 20);
    cr_assert(reader != NULL && arena != NULL);
}

static void
tear_down(void)
{
    arena_destroy(arena);
    lexicon_reader_destroy(reader);
    lexicon_destroy(lexicon);
}

TestSuite(text_vector, .init = set_up, .fini = tear_down);

static struct text_vector
vector_of(const char *lang, const char *text)
{
    struct text_source source = {str_from(lang), str_from(text)};
    struct text_vector vector;
    struct err err = {0};

    cr_assert_eq(text_vector_make(reader, &source, 1, arena, &vector, &err), ERR_OK, "%s",
                 err.message);
    return vector;
}

/* 0 where the vector doesn't hold the term. */
static uint16_t
weight_in(const struct text_vector *vector, enum term_class class, const char *text)
{
    uint32_t term = term_of(class, str_from(text));

    for (uint32_t i = 0; i < vector->n; i++)
        if (vector->terms[i] == term)
            return vector->weights[i];
    return 0;
}

static bool
is_equal(const struct text_vector *a, const struct text_vector *b)
{
    return a->n == b->n && a->norm2 == b->norm2 &&
           (a->n == 0 || (memcmp(a->terms, b->terms, a->n * sizeof *a->terms) == 0 &&
                          memcmp(a->weights, b->weights, a->n * sizeof *a->weights) == 0));
}

/* What holds of every vector that is made. */
static void
check_vector(const struct text_vector *vector)
{
    uint64_t norm2 = 0;

    cr_expect_leq(vector->n, TEXT_TERMS_MAX);
    for (uint32_t i = 0; i < vector->n; i++) {
        cr_expect(i == 0 || vector->terms[i - 1] < vector->terms[i]);
        cr_expect(vector->weights[i] > 0 && vector->weights[i] <= TEXT_WEIGHT_MAX);
        norm2 += (uint64_t)vector->weights[i] * vector->weights[i];
    }
    cr_expect_eq(vector->norm2, norm2);
    cr_expect_lt(norm2, UINT64_C(1) << 31);
}

Test(text_vector, the_two_languages_meet_in_concepts)
{
    struct text_vector fr = vector_of("fr", "Des capteurs pour l'agriculture");
    struct text_vector en = vector_of("en", "Probes for farming");

    check_vector(&fr);
    cr_expect_gt(weight_in(&fr, TERM_CONCEPT, "sensor"), 0);
    cr_expect_gt(weight_in(&fr, TERM_CONCEPT, "farming"), 0);
    cr_expect_eq(weight_in(&fr, TERM_CONCEPT, "sensor"), weight_in(&en, TERM_CONCEPT, "sensor"));
    cr_expect_gt(text_vector_quality(&fr, &en), 5000);
}

Test(text_vector, the_longest_phrase_wins_and_its_words_count_for_less)
{
    struct text_vector phrase = vector_of("en", "machine learning");
    struct text_vector word = vector_of("en", "learning");

    cr_expect_gt(weight_in(&phrase, TERM_CONCEPT, "machine-learning"),
                 weight_in(&phrase, TERM_CONCEPT, "learning"));
    cr_expect_gt(weight_in(&word, TERM_CONCEPT, "learning"),
                 weight_in(&phrase, TERM_CONCEPT, "learning"));
    cr_expect_eq(weight_in(&word, TERM_CONCEPT, "machine-learning"), 0);
}

Test(text_vector, stop_words_inside_a_phrase_do_not_part_it)
{
    struct text_vector vector = vector_of("fr", "apprentissage de l'automatique");

    cr_expect_gt(weight_in(&vector, TERM_CONCEPT, "machine-learning"), 0);
}

Test(text_vector, a_comma_parts_a_phrase)
{
    struct text_vector vector = vector_of("en", "machine, learning");

    cr_expect_eq(weight_in(&vector, TERM_CONCEPT, "machine-learning"), 0);
    cr_expect_gt(weight_in(&vector, TERM_CONCEPT, "learning"), 0);
}

Test(text_vector, stop_words_and_elisions_leave_no_trace)
{
    struct text_vector with = vector_of("fr", "Nous : les capteurs de l'agriculture");
    struct text_vector without = vector_of("fr", "capteurs agriculture");

    cr_expect(is_equal(&with, &without));
}

Test(text_vector, accents_and_case_make_no_difference)
{
    struct text_vector as_typed = vector_of("fr", "Énergie ÉLECTRIQUE des cœurs");
    struct text_vector plain = vector_of("fr", "energie electrique des coeurs");

    cr_expect(is_equal(&as_typed, &plain));
}

Test(text_vector, a_word_of_two_concepts_gives_each_half)
{
    struct text_vector one = vector_of("en", "shore"), both = vector_of("en", "bank");
    uint16_t whole = weight_in(&one, TERM_CONCEPT, "shore");

    cr_expect_eq(weight_in(&both, TERM_CONCEPT, "shore"), weight_in(&both, TERM_CONCEPT, "lender"));
    cr_expect_leq(weight_in(&both, TERM_CONCEPT, "shore"), whole / 2 + 1);
    cr_expect_gt(weight_in(&both, TERM_CONCEPT, "shore"), 0);
}

Test(text_vector, loan_words_are_found_in_the_other_language)
{
    struct text_vector fr = vector_of("fr", "le machine learning");

    cr_expect_gt(weight_in(&fr, TERM_CONCEPT, "machine-learning"), 0);
}

Test(text_vector, capitals_make_a_name_of_a_stop_word)
{
    struct text_vector dotted = vector_of("en", "A.I. for farming");
    struct text_vector plain = vector_of("en", "AI for farming");

    cr_expect(is_equal(&dotted, &plain));
    cr_expect_gt(weight_in(&dotted, TERM_CONCEPT, "ai"), 0);
}

Test(text_vector, words_out_of_the_glossary_meet_by_stem_and_grams)
{
    struct text_vector fr = vector_of("fr", "logistique"), en = vector_of("en", "logistics");

    cr_expect_gt(weight_in(&fr, TERM_GRAM4, "_log"), 0);
    cr_expect_gt(weight_in(&fr, TERM_GRAM3, "_lo"), 0);
    cr_expect_gt(text_vector_quality(&fr, &en), 2000);
}

Test(text_vector, numbers_are_no_terms)
{
    cr_expect_eq(vector_of("en", "2024 95 %").n, 0);
}

Test(text_vector, the_sites_table_leads_to_stems_and_to_concepts)
{
    struct text_vector en = vector_of("en", "plough"), detector = vector_of("en", "detector");
    struct text_vector chair = vector_of("en", "wheelchair");
    struct text_vector fauteuil = vector_of("fr", "fauteuil roulant");

    cr_expect_gt(weight_in(&en, TERM_STEM, "plough"), 0);
    cr_expect_gt(weight_in(&en, TERM_STEM, "charru"), 0);
    cr_expect_gt(weight_in(&detector, TERM_CONCEPT, "sensor"), 0, "sonde is a form of sensor");
    cr_expect_gt(weight_in(&detector, TERM_STEM, "trouveur"), 0);
    cr_expect_gt(text_vector_quality(&chair, &fauteuil), 3000);
}

Test(text_vector, words_of_one_business_meet_in_its_topic)
{
    struct text_vector fr = vector_of("fr", "agriculture"), en = vector_of("en", "tractor");

    cr_expect_gt(weight_in(&fr, TERM_TOPIC, "food.farm"), 0);
    cr_expect_gt(weight_in(&en, TERM_TOPIC, "food.farm"), weight_in(&fr, TERM_TOPIC, "food.farm"));
    cr_expect_gt(text_vector_quality(&fr, &en), 1000);
}

Test(text_vector, rarer_terms_weigh_more)
{
    struct text_vector vector = vector_of("en", "farming probe");

    cr_expect_gt(weight_in(&vector, TERM_CONCEPT, "sensor"),
                 weight_in(&vector, TERM_CONCEPT, "farming"));
}

Test(text_vector, saying_it_twice_counts_more_but_not_double)
{
    struct text_vector once = vector_of("en", "probe"), twice = vector_of("en", "probe, probe");
    uint16_t first = weight_in(&once, TERM_CONCEPT, "sensor");
    uint16_t second = weight_in(&twice, TERM_CONCEPT, "sensor");

    cr_expect(second > first && second < 2 * first);
}

Test(text_vector, a_second_language_does_not_say_it_twice)
{
    struct text_source sources[] = {{STR_LIT("fr"), STR_LIT("des capteurs")},
                                    {STR_LIT("en"), STR_LIT("sensors")}};
    struct text_vector both, one = vector_of("en", "sensors");

    cr_assert_eq(text_vector_make(reader, sources, 2, arena, &both, NULL), ERR_OK);
    cr_expect_eq(weight_in(&both, TERM_CONCEPT, "sensor"), weight_in(&one, TERM_CONCEPT, "sensor"));
}

Test(text_vector, tags_are_added_and_tried_in_both_languages)
{
    struct text_source sources[] = {{STR_LIT("en"), STR_LIT("sensors")},
                                    {STR_LIT(""), STR_LIT("capteur")},
                                    {STR_LIT(""), STR_LIT("farming")}};
    struct text_vector with, without;

    cr_assert_eq(text_vector_make(reader, sources, 3, arena, &with, NULL), ERR_OK);
    cr_assert_eq(text_vector_make(reader, sources, 1, arena, &without, NULL), ERR_OK);
    cr_expect_gt(weight_in(&with, TERM_CONCEPT, "sensor"),
                 weight_in(&without, TERM_CONCEPT, "sensor"));
    cr_expect_gt(weight_in(&with, TERM_CONCEPT, "farming"), 0);
}

Test(text_vector, order_of_sources_changes_nothing)
{
    struct text_source there[] = {{STR_LIT("en"), STR_LIT("farming sensors startup")},
                                  {STR_LIT("fr"), STR_LIT("capteurs, capteurs")},
                                  {STR_LIT(""), STR_LIT("bank")}};
    struct text_source back[] = {there[2], there[1], there[0]};
    struct text_vector a, b;

    cr_assert_eq(text_vector_make(reader, there, 3, arena, &a, NULL), ERR_OK);
    cr_assert_eq(text_vector_make(reader, back, 3, arena, &b, NULL), ERR_OK);
    cr_expect(is_equal(&a, &b));
}

Test(text_vector, other_languages_are_read_with_their_own_stemmer)
{
    struct text_vector one = vector_of("de", "Maschinen"), other = vector_of("de", "Maschine");

    cr_expect_gt(weight_in(&one, TERM_STEM, "maschin"), 0);
    cr_expect_gt(text_vector_quality(&one, &other), 5000);
    cr_expect_gt(vector_of("xx", "palabras").n, 0);
}

Test(text_vector, no_words_give_no_terms)
{
    static const char *const empty[] = {"", "   ", "… — !", "the of", "12 345"};

    for (size_t i = 0; i < sizeof empty / sizeof empty[0]; i++)
        cr_expect_eq(vector_of("en", empty[i]).n, 0, "%s", empty[i]);
}

/* The i-th of 400 words that no glossary knows and no stemmer cuts, too short for grams. */
static struct str
word_of(int i)
{
    static const char letters[] = "bcdfghjklmnpqrstvwxz";

    return arena_format(arena, "%c%c", letters[i % 20], letters[i / 20 % 20]);
}

static struct str
long_text(int n)
{
    struct str text = STR_LIT("");

    for (int i = 0; i < n; i++)
        text = arena_format(arena, "%.*s %.*s", STR_ARG(text), STR_ARG(word_of(i)));
    return text;
}

Test(text_vector, keeps_the_256_heaviest_terms)
{
    struct text_source source = {STR_LIT("xx"), long_text(400)};
    struct text_vector vector;

    source.text = arena_format(arena, "%.*s %.*s", STR_ARG(source.text), STR_ARG(long_text(100)));
    cr_assert_eq(text_vector_make(reader, &source, 1, arena, &vector, NULL), ERR_OK);
    cr_expect_eq(vector.n, TEXT_TERMS_MAX);
    check_vector(&vector);
    for (int i = 0; i < 100; i++) /* said twice */
        cr_expect_gt(weight_in(&vector, TERM_STEM, arena_text(arena, word_of(i))), 0);
}

Test(text_vector, the_limit_of_256_terms_is_exact)
{
    static const int n_words[] = {255, 256, 257};

    for (size_t i = 0; i < 3; i++) {
        struct text_source source = {STR_LIT("xx"), long_text(n_words[i])};
        struct text_vector vector;

        cr_assert_eq(text_vector_make(reader, &source, 1, arena, &vector, NULL), ERR_OK);
        cr_expect_eq(vector.n, n_words[i] < TEXT_TERMS_MAX ? n_words[i] : TEXT_TERMS_MAX);
    }
}

Test(text_vector, of_equal_weights_the_smallest_terms_stay)
{
    struct text_source source = {STR_LIT("xx"), long_text(400)};
    struct text_vector vector;
    uint32_t last, n_less = 0;

    cr_assert_eq(text_vector_make(reader, &source, 1, arena, &vector, NULL), ERR_OK);
    cr_assert_eq(vector.n, TEXT_TERMS_MAX);
    last = vector.terms[vector.n - 1];
    for (int i = 0; i < 400; i++) /* all have one weight: those up to the last stayed */
        n_less += term_of(TERM_STEM, word_of(i)) <= last;
    cr_expect_eq(n_less, TEXT_TERMS_MAX);
}

Test(text_vector, the_heaviest_text_stays_within_31_bits)
{
    struct str text = STR_LIT("probe");
    struct text_source source = {STR_LIT("en"), text};
    struct text_vector vector;

    for (int i = 0; i < 12; i++) /* 4,096 times */
        text = arena_format(arena, "%.*s, %.*s", STR_ARG(text), STR_ARG(text));
    source.text = text;
    cr_assert_eq(text_vector_make(reader, &source, 1, arena, &vector, NULL), ERR_OK);
    cr_expect_eq(weight_in(&vector, TERM_CONCEPT, "sensor"), TEXT_WEIGHT_MAX);
    check_vector(&vector);
}

Test(text_vector, a_text_is_like_itself)
{
    struct text_vector vector = vector_of("en", "Remote probes for farming startups");

    cr_expect_geq(text_vector_quality(&vector, &vector), 9999);
    cr_expect_leq(text_vector_quality(&vector, &vector), 10000);
}

Test(text_vector, quality_is_the_same_both_ways)
{
    struct text_vector a = vector_of("en", "probes and banks"), b = vector_of("fr", "banque");

    cr_expect_eq(text_vector_quality(&a, &b), text_vector_quality(&b, &a));
}

/* ---- the square root ---- */

Test(isqrt, floors)
{
    static const uint64_t roots[] = {0, 1, 2, 3, 10, 46340, 65535, 65536, 3037000499, 4294967295};

    for (size_t i = 0; i < sizeof roots / sizeof roots[0]; i++) {
        uint64_t root = roots[i];

        cr_expect_eq(isqrt_u64(root * root), root);
        cr_expect_eq(isqrt_u64(root * root + 2 * root), root);
        if (root > 0)
            cr_expect_eq(isqrt_u64(root * root - 1), root - 1);
    }
    cr_expect_eq(isqrt_u64(UINT64_MAX), 4294967295);
}

/* ---- the stored form ---- */

Test(text_vector, the_stored_form_gives_it_back)
{
    struct text_vector vector = vector_of("en", "Remote probes for farming startups"), again;
    size_t n = text_vector_bytes(&vector);
    uint8_t *bytes = arena_alloc(arena, n, 1);

    text_vector_write(&vector, bytes);
    cr_assert_eq(text_vector_read((struct str){(char *)bytes, n}, arena, &again, NULL), ERR_OK);
    cr_expect(is_equal(&vector, &again));
}

Test(text_vector, the_stored_form_is_little_endian)
{
    uint32_t term = UINT32_C(0x04030201);
    uint16_t weight = 0x0605;
    struct text_vector vector = {&term, &weight, 1, 0};
    uint8_t bytes[10];

    cr_assert_eq(text_vector_bytes(&vector), sizeof bytes);
    text_vector_write(&vector, bytes);
    cr_expect_arr_eq(bytes, "\x01\0\0\0\x01\x02\x03\x04\x05\x06", sizeof bytes);
}

#define BYTES(literal)                 \
    {                                  \
        (literal), sizeof(literal) - 1 \
    }
static const struct {
    const char *says;
    struct str bytes;
} hostile[] = {
    {"nothing at all", BYTES("")},
    {"half a count", BYTES("\1\0")},
    {"a count without terms", BYTES("\1\0\0\0")},
    {"a count over the limit", BYTES("\1\1\0\0")},
    {"a count that overflows", BYTES("\xff\xff\xff\xff")},
    {"bytes after the last term", BYTES("\0\0\0\0\0")},
    {"a weight of 0", BYTES("\1\0\0\0\1\0\0\0\0\0")},
    {"a weight of 2048", BYTES("\1\0\0\0\1\0\0\0\0\x08")},
    {"terms out of order", BYTES("\2\0\0\0\2\0\0\0\1\0\1\0\0\0\1\0")},
    {"a term twice", BYTES("\2\0\0\0\1\0\0\0\1\0\1\0\0\0\1\0")},
};

ParameterizedTestParameters(text_vector, hostile_bytes_are_refused)
{
    static size_t index[sizeof hostile / sizeof hostile[0]];

    for (size_t i = 0; i < sizeof hostile / sizeof hostile[0]; i++)
        index[i] = i;
    return cr_make_param_array(size_t, index, sizeof hostile / sizeof hostile[0]);
}

ParameterizedTest(size_t *i, text_vector, hostile_bytes_are_refused)
{
    struct text_vector vector;
    struct err err = {0};

    cr_expect_eq(text_vector_read(hostile[*i].bytes, arena, &vector, &err), ERR_INTERNAL, "%s",
                 hostile[*i].says);
    cr_expect_neq(err.message[0], '\0');
}

/* Terms are read eight at a time where the processor can: each place in such a step, and behind the last, is
 * looked at. */
Test(text_vector, of_each_length_it_is_read_as_it_was_written_and_each_bad_term_is_found)
{
    uint32_t terms[41], norm2 = 0;
    uint16_t weights[41];
    struct text_vector again;

    for (uint32_t n = 0; n <= 40; n++) {
        struct text_vector vector = {terms, weights, n, norm2};
        size_t size = text_vector_bytes(&vector);
        uint8_t *bytes = malloc(size); /* its own block, so that reading on is caught */
        struct str stored = {(char *)bytes, size};

        text_vector_write(&vector, bytes);
        cr_assert_eq(text_vector_read(stored, arena, &again, NULL), ERR_OK, "%u terms", n);
        cr_assert(is_equal(&vector, &again), "%u terms", n);
        cr_assert_eq(again.norm2, norm2);
        for (uint32_t i = 0; i < n; i++) {
            struct err err = {0};
            uint8_t *at = bytes + 4 + 6 * i, kept[6];
            char wanted[32];

            memcpy(kept, at, 6);
            snprintf(wanted, sizeof wanted, "term %u ", i + 1);
            at[4] = at[5] = 0;
            cr_expect_eq(text_vector_read(stored, arena, &again, &err), ERR_INTERNAL);
            cr_expect(strstr(err.message, wanted) != NULL, "%s", err.message);
            at[5] = 0x08; /* 2048 */
            cr_expect_eq(text_vector_read(stored, arena, &again, &err), ERR_INTERNAL);
            memcpy(at, kept, 6);
            if (i > 0) {
                memcpy(at, at - 6, 4); /* the one before again */
                cr_expect_eq(text_vector_read(stored, arena, &again, &err), ERR_INTERNAL);
                cr_expect(strstr(err.message, wanted) != NULL, "%s", err.message);
                memcpy(at, kept, 6);
            }
        }
        free(bytes);
        terms[n] = n < 20 ? n * 7 : UINT32_MAX - 40 + n; /* 0 first, and both sides of 2^31 */
        weights[n] = n % 2 == 0 ? TEXT_WEIGHT_MAX : (uint16_t)(n + 1);
        norm2 += (uint32_t)weights[n] * weights[n];
    }
}

/* ---- the evidence ---- */

Test(text_vector, shared_terms_are_words_in_the_readers_language)
{
    struct text_source fr = {STR_LIT("fr"), STR_LIT("Des sondes pour l'agriculture")};
    struct text_source en = {STR_LIT("en"), STR_LIT("Farming sensors")};
    struct text_shared *list;
    size_t n;

    cr_assert_eq(text_shared_terms(reader, &fr, 1, &en, 1, LANG_FR, 5, arena, &list, &n, NULL),
                 ERR_OK);
    cr_assert_eq(n, 2);
    cr_expect(str_is(list[0].word, "capteur"), "the rarer concept brings more");
    cr_expect(str_is(list[1].word, "agriculture"));
    cr_expect_gt(list[0].product, list[1].product);
    cr_assert_eq(text_shared_terms(reader, &fr, 1, &en, 1, LANG_EN, 1, arena, &list, &n, NULL),
                 ERR_OK);
    cr_assert_eq(n, 1);
    cr_expect(str_is(list[0].word, "sensor"));
}

Test(text_vector, shared_stems_are_shown_as_written)
{
    struct text_source a = {STR_LIT("en"), STR_LIT("Kubernetes clusters")};
    struct text_source b = {STR_LIT("en"), STR_LIT("a kubernetes cluster")};
    struct text_shared *list;
    size_t n;

    cr_assert_eq(text_shared_terms(reader, &a, 1, &b, 1, LANG_EN, 9, arena, &list, &n, NULL),
                 ERR_OK);
    cr_assert_eq(n, 2);
    cr_expect(str_is(list[0].word, "Kubernetes") || str_is(list[1].word, "Kubernetes"));
}

Test(text_vector, letters_in_common_are_no_word_to_show)
{
    struct text_source a = {STR_LIT("fr"), STR_LIT("hydroponique")};
    struct text_source b = {STR_LIT("en"), STR_LIT("hydrophobia")};
    struct text_shared *list;
    size_t n = 7;

    cr_assert_eq(text_shared_terms(reader, &a, 1, &b, 1, LANG_EN, 9, arena, &list, &n, NULL),
                 ERR_OK);
    cr_expect_eq(n, 0);
}

Test(text_vector, nothing_shared_is_an_empty_list)
{
    struct text_source a = {STR_LIT("fr"), STR_LIT("capteur")};
    struct text_source b = {STR_LIT("en"), STR_LIT("shore")};
    struct text_shared *list;
    size_t n = 7;

    cr_assert_eq(text_shared_terms(reader, &a, 1, &b, 1, LANG_EN, 9, arena, &list, &n, NULL),
                 ERR_OK);
    cr_expect_eq(n, 0);
}

/* ---- memory ---- */

Test(text_vector, survives_every_failed_allocation)
{
    struct text_source source = {STR_LIT("fr"), long_text(200)};
    struct text_vector wanted, got;
    bool happened = true;

    source.text = arena_format(arena, "%.*s capteurs à énergie", STR_ARG(source.text));
    cr_assert_eq(text_vector_make(reader, &source, 1, arena, &wanted, NULL), ERR_OK);
    for (long n = 1; happened; n++) {
        struct err err = {0};
        struct lexicon_reader *other;
        struct arena *small;
        enum err_code code = ERR_BUSY;

        mem_fail_at(n);
        other = lexicon_reader_create(lexicon);
        small = arena_create(1 << 20);
        if (other != NULL && small != NULL)
            code = text_vector_make(other, &source, 1, small, &got, &err);
        happened = mem_fail_happened();
        cr_assert_eq(code, happened ? ERR_BUSY : ERR_OK, "allocation %ld: %s", n, err.message);
        cr_assert(happened || is_equal(&wanted, &got));
        if (other != NULL && code == ERR_BUSY && small != NULL) { /* and it can be used again */
            cr_assert_eq(text_vector_make(other, &source, 1, small, &got, &err), ERR_OK);
            cr_assert(is_equal(&wanted, &got));
        }
        arena_destroy(small);
        lexicon_reader_destroy(other);
    }
}

Test(text_vector, a_reader_forgets_the_text_before)
{
    struct text_vector first = vector_of("en", "farming probes"), again;

    vector_of("fr", "banque, rive, distance");
    again = vector_of("en", "farming probes");
    cr_expect(is_equal(&first, &again));
}
