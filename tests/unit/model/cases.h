#ifndef JML_CASES_H
#define JML_CASES_H

#include <criterion/criterion.h>
#include <criterion/parameterized.h>

/* The rows of a static array `cases` as parameters of a test: their positions, because a pointer in
 * a parameter does not survive the way into the test's own process. */
#define EACH_CASE(suite, test, cases)                                                \
    ParameterizedTestParameters(suite, test)                                         \
    {                                                                                \
        static size_t index[sizeof(cases) / sizeof(cases)[0]];                       \
                                                                                     \
        for (size_t i = 0; i < sizeof(cases) / sizeof(cases)[0]; i++)                \
            index[i] = i;                                                            \
        return cr_make_param_array(size_t, index, sizeof(cases) / sizeof(cases)[0]); \
    }                                                                                \
    ParameterizedTest(size_t *case_index, suite, test)

#endif
