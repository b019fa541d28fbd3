#ifndef JML_CASES_H
#define JML_CASES_H

#include <criterion/criterion.h>
#include <criterion/parameterized.h>

/*
 * cases: one behaviour, a table of values. Each row is a test of its own.
 *
 *     static const struct { const char *says; … } cases[] = { … };
 *
 *     CASES(range_want, gives_the_quality_of_the_scoring_page, cases)
 *     {
 *         cr_expect_eq(range_want_quality(cases[*i].a, cases[*i].b), cases[*i].quality, "%s",
 *                      cases[*i].says);
 *     }
 *
 * The parameter is the row's index: a pointer would not survive the way to the test's process.
 */
#define CASES(suite, name, table)                                                      \
    ParameterizedTestParameters(suite, name)                                           \
    {                                                                                  \
        static size_t index[sizeof(table) / sizeof((table)[0])];                       \
                                                                                       \
        for (size_t k = 0; k < sizeof(table) / sizeof((table)[0]); k++)                \
            index[k] = k;                                                              \
        return cr_make_param_array(size_t, index, sizeof(table) / sizeof((table)[0])); \
    }                                                                                  \
    ParameterizedTest(size_t *i, suite, name)

#endif
