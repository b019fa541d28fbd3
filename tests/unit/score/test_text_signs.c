#include "text_signs.h"

#include <criterion/criterion.h>

/* Random vectors of few terms, so that words are shared, and bits by words that are not. */
enum { TERMS = 60, ROUNDS = 3000 };

static uint64_t state = 20261126;

static uint32_t
below(uint32_t n)
{
    state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(state >> 33) % n;
}

struct sample {
    uint32_t terms[TERMS];
    uint16_t weights[TERMS];
    struct text_vector vector;
};

/* Terms are ascending, as in every vector. */
static void
draw(struct sample *sample, uint32_t step)
{
    uint32_t term = below(step);

    sample->vector = (struct text_vector){.terms = sample->terms, .weights = sample->weights};
    for (sample->vector.n = 0; sample->vector.n < below(TERMS); sample->vector.n++) {
        sample->terms[sample->vector.n] = term;
        sample->weights[sample->vector.n] = (uint16_t)(1 + below(2000));
        term += 1 + below(step);
    }
}

static int64_t
dot_of_words(const struct sample *a, uint32_t a_first, const struct sample *b, uint32_t b_first)
{
    int64_t dot = 0;

    for (uint32_t i = a_first; i < a->vector.n; i++)
        for (uint32_t j = b_first; j < b->vector.n; j++)
            if (a->terms[i] == b->terms[j])
                dot += (int64_t)a->weights[i] * b->weights[j];
    return dot;
}

Test(text_signs, never_say_less_than_the_words_have_in_common)
{
    static struct sample looker, other;
    uint32_t n_shared = 0, n_apart = 0;

    for (int round = 0; round < ROUNDS; round++) {
        uint32_t step = round % 2 == 0 ? 5 : 50000000, looker_first, other_first;
        struct text_sign_weights weights;
        struct text_signs signs;
        int64_t dot, most;

        draw(&looker, step);
        draw(&other, step);
        looker_first = below(looker.vector.n + 1);
        other_first = below(other.vector.n + 1);
        text_sign_weights_make(&looker.vector, looker_first, &weights);
        text_signs_make(&other.vector, other_first, &signs);
        dot = dot_of_words(&looker, looker_first, &other, other_first);
        most = text_signs_most(&weights, signs.bits, signs.peak);
        cr_assert_geq(most, dot, "round %d: %lld, at least %lld", round, (long long)most,
                      (long long)dot);
        n_shared += dot > 0;
        n_apart += most == 0 && signs.peak > 0;
    }
    cr_expect_gt(n_shared, 100);
    cr_expect_gt(n_apart, 100, "signs keep nobody apart");
}

Test(text_signs, are_the_bits_of_all_words_and_the_heaviest_weight)
{
    uint32_t terms[TEXT_TERMS_MAX];
    uint16_t weights[TEXT_TERMS_MAX];
    struct text_vector vector = {.terms = terms, .weights = weights};

    for (; vector.n < TEXT_TERMS_MAX; vector.n++) {
        struct text_sign_weights looker;
        struct text_signs signs;

        terms[vector.n] = 16777619 * vector.n + 5;
        weights[vector.n] = (uint16_t)(1 + 37 * vector.n % 101);
        text_signs_make(&vector, vector.n / 2, &signs);
        text_sign_weights_make(&vector, vector.n / 2, &looker);
        cr_expect_arr_eq(signs.bits, looker.bits, sizeof signs.bits);
        for (uint32_t i = vector.n / 2; i < vector.n; i++)
            cr_expect_leq(weights[i], signs.peak);
    }
}

Test(text_signs, a_text_without_words_has_none)
{
    static const uint32_t terms[] = {3, 4};
    static const uint16_t weights[] = {7, 8};
    struct text_vector vector = {.terms = terms, .weights = weights, .n = 2};
    struct text_signs signs;

    text_signs_make(&vector, 2, &signs);
    for (int i = 0; i < TEXT_SIGN_WORDS; i++)
        cr_expect_eq(signs.bits[i], 0);
    cr_expect_eq(signs.peak, 0);
}
