#include "text_sketch.h"

#include <criterion/criterion.h>

#include <string.h>

/* Random vectors of few terms, so that words are shared, and buckets by words that are not. */
enum { ROUNDS = 3000, STEPS = 60 };

static uint64_t state = 20261126;

static uint32_t
below(uint32_t n)
{
    state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(state >> 33) % n;
}

struct sample {
    uint32_t terms[TEXT_TERMS_MAX];
    uint16_t weights[TEXT_TERMS_MAX];
    struct text_vector vector;
    struct text_outline outline;
};

static void
measure(struct sample *sample)
{
    struct text_vector *vector = &sample->vector;

    vector->terms = sample->terms;
    vector->weights = sample->weights;
    vector->norm2 = 0;
    for (uint32_t i = 0; i < vector->n; i++)
        vector->norm2 += (uint32_t)vector->weights[i] * vector->weights[i];
    text_outline_make(vector, &sample->outline);
}

/* Ascending terms from `first` on, with weights of at most `heaviest`. */
static void
draw(struct sample *sample, uint32_t first, uint32_t step, uint32_t n, uint32_t heaviest)
{
    uint32_t term = first + below(step);

    for (sample->vector.n = 0; sample->vector.n < n; sample->vector.n++) {
        sample->terms[sample->vector.n] = term;
        sample->weights[sample->vector.n] = (uint16_t)(1 + below(heaviest));
        term += 1 + below(step);
    }
    measure(sample);
}

static int32_t
product(const struct sample *a, const struct sample *b)
{
    int32_t sum = 0;

    for (uint32_t i = 0; i < TEXT_BUCKETS; i++)
        sum += a->outline.sketch[i] * b->outline.sketch[i];
    return sum;
}

/* In basis points, rounded up. */
static int32_t
most_of(const struct sample *a, const struct sample *b)
{
    uint64_t most = text_most(&a->outline.measure, &b->outline.measure, product(a, b));

    return (int32_t)((most >> (TEXT_COSINE_SHIFT - 32)) * 10000 >> 32) + 1;
}

/* Grams come first: terms of few bits are grams, those from WORDS on are words. */
static const uint32_t WORDS = UINT32_C(0xf0000000);

Test(text_sketch, never_says_less_than_the_texts_have_in_common)
{
    static struct sample looker, other;
    uint32_t n_alike = 0, n_apart = 0, n_grams = 0;

    for (int round = 0; round < ROUNDS; round++) {
        uint32_t first = round % 3 == 0 ? 0 : WORDS, step = round % 2 == 0 ? 4 : 500000;
        uint32_t heaviest = round % 5 == 0 ? 3 : TEXT_WEIGHT_MAX;
        int32_t quality, most;

        draw(&looker, first, step, 1 + below(STEPS), heaviest);
        draw(&other, first, step, 1 + below(round % 7 == 0 ? TEXT_TERMS_MAX : STEPS), heaviest);
        quality = text_vector_quality(&looker.vector, &other.vector);
        most = most_of(&looker, &other);
        cr_assert_geq(most, quality, "round %d: %d, at least %d", round, most, quality);
        n_alike += quality > 0;
        n_apart += most < 5000;
        n_grams += looker.outline.measure.n_grams > 0;
    }
    cr_expect_gt(n_alike, 500);
    cr_expect_gt(n_apart, 200, "sketches keep nobody apart");
    cr_expect_gt(n_grams, 500);
}

Test(text_sketch, of_a_text_and_itself_says_little_more_than_all)
{
    static struct sample text;

    for (int round = 0; round < ROUNDS; round++) {
        draw(&text, WORDS, 500000, 1 + below(STEPS), TEXT_WEIGHT_MAX);
        cr_assert_geq(most_of(&text, &text), 10000);
        cr_assert_lt(most_of(&text, &text), 12000, "round %d", round);
    }
}

/* Where norms and roots are smallest and greatest, each measure still fits. */
Test(text_sketch, measures_the_lightest_and_the_heaviest)
{
    static struct sample a, b;
    static const uint16_t weights[] = {1, 2, 3, TEXT_WEIGHT_MAX};

    for (size_t i = 0; i < sizeof weights / sizeof *weights; i++)
        for (uint32_t n = 1; n <= TEXT_TERMS_MAX; n++) {
            a.vector.n = b.vector.n = n;
            for (uint32_t at = 0; at < n; at++) {
                a.terms[at] = b.terms[at] = (at < n / 2 ? 0 : WORDS) + 16777 * at;
                a.weights[at] = b.weights[at] = weights[i];
            }
            measure(&a);
            measure(&b);
            cr_assert_eq(a.outline.measure.root, isqrt_u64(a.vector.norm2));
            cr_assert_geq(most_of(&a, &b), 10000, "%u terms of %u", n, weights[i]);
        }
}

Test(text_sketch, is_empty_without_words)
{
    static struct sample text;
    static const int8_t empty[TEXT_BUCKETS];

    draw(&text, 0, 4, 5, 9);
    cr_expect_eq(text.outline.measure.n_grams, 5);
    cr_expect_eq(text.outline.measure.words, 0);
    cr_expect_gt(text.outline.measure.grams, 0);
    cr_expect_arr_eq(text.outline.sketch, empty, sizeof empty);
    draw(&text, 0, 4, 0, 9);
    cr_expect_eq(text.outline.measure.root, 0);
    cr_expect_eq(text.outline.measure.grams, 0);
    cr_expect_arr_eq(text.outline.sketch, empty, sizeof empty);
}

Test(text_sketch, an_outline_is_stored_and_read_back)
{
    static struct sample text;
    struct text_outline back;
    uint8_t bytes[TEXT_OUTLINE_BYTES];

    for (uint32_t n = 0; n <= TEXT_TERMS_MAX; n += 16) {
        draw(&text, 0, UINT32_MAX / TEXT_TERMS_MAX / 2, n, TEXT_WEIGHT_MAX);
        text_outline_write(&text.outline, bytes);
        cr_assert_eq(text_outline_read((struct str){(char *)bytes, sizeof bytes}, &back, NULL),
                     ERR_OK);
        cr_assert_arr_eq(&back, &text.outline, sizeof back);
    }
}

/* One byte of each part. */
Test(text_sketch, what_no_text_can_have_is_no_outline)
{
    static const struct {
        size_t at, len;
        uint8_t value;
    } cases[] = {
        {0, TEXT_OUTLINE_BYTES - 1, 5}, /* short */
        {0, TEXT_OUTLINE_BYTES, 0},     /* no terms, but a norm */
        {1, TEXT_OUTLINE_BYTES, 2},     /* too many terms */
        {4, TEXT_OUTLINE_BYTES, 255},   /* a norm of another root */
        {8, TEXT_OUTLINE_BYTES, 254},   /* a root of another norm */
        {11, TEXT_OUTLINE_BYTES, 1},    /* more grams than terms */
        {16, TEXT_OUTLINE_BYTES, 128},  /* below 0 */
        {79, TEXT_OUTLINE_BYTES, 255},
    };
    static struct sample text;
    struct text_outline back;
    struct err err;

    draw(&text, UINT32_C(1) << 31, 3, 5, 9);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint8_t bytes[TEXT_OUTLINE_BYTES];

        text_outline_write(&text.outline, bytes);
        bytes[cases[i].at] = cases[i].value;
        err = (struct err){0};
        cr_expect_eq(text_outline_read((struct str){(char *)bytes, cases[i].len}, &back, &err),
                     ERR_INTERNAL, "case %zu", i);
        cr_expect_neq(err.message[0], '\0');
    }
}
