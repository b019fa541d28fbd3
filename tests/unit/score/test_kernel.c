#include "cases.h"
#include "kernel_cases.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* Every kernel there is, by every promise of kernel.h (kernel_cases.h). One that this processor can't run is
 * skipped by its name; tests/emulated runs it on a processor that is emulated. */
/* clang-format off */
static const struct {
    const char *kernel;
    int check;
} cases[] = {
    {"plain", 0}, {"plain", 1}, {"plain", 2}, {"plain", 3}, {"plain", 4}, {"plain", 5}, {"plain", 6},
    {"avx2", 0}, {"avx2", 1}, {"avx2", 2}, {"avx2", 3}, {"avx2", 4}, {"avx2", 5}, {"avx2", 6},
    {"avx512", 0}, {"avx512", 1}, {"avx512", 2}, {"avx512", 3}, {"avx512", 4}, {"avx512", 5}, {"avx512", 6},
};
/* clang-format on */

CASES(kernel, does_what_the_header_says, cases)
{
    const struct kernel *kernel = kernel_find(cases[*i].kernel);
    const struct kernel_check *check = &kernel_checks[cases[*i].check];

    if (kernel == NULL) {
        printf("skipped: %s of kernel %s, which this processor can't run\n", check->name,
               cases[*i].kernel);
        return;
    }
    for (uint64_t seed = 1; seed <= 3; seed++) {
        struct kernel_fault fault = {0};
        bool is_right;
        uint32_t n = check->run(kernel, seed, &is_right, &fault);

        cr_expect(is_right,
                  "%s of %s, seed %" PRIu64 ", case %u (%s; %u by %u), at %zd: %" PRIx64
                  ", should be %" PRIx64,
                  check->name, kernel->name, seed, fault.number, fault.sort, fault.size,
                  fault.others, (ssize_t)fault.at, fault.got, fault.wanted);
        cr_expect_geq(n, 100);
    }
}

Test(kernel, an_unknown_name_finds_none)
{
    static const char *const unknown[] = {"", "auto", "Plain", "avx", "avx2 ", "avx5120"};

    for (size_t i = 0; i < sizeof unknown / sizeof unknown[0]; i++)
        cr_expect_null(kernel_find(unknown[i]), "\"%s\"", unknown[i]);
}

Test(kernel, what_is_found_bears_its_name_and_is_listed)
{
    static const char *const names[] = {"plain", "avx2", "avx512"};
    char list[64] = "";

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        const struct kernel *kernel = kernel_find(names[i]);

        if (kernel == NULL)
            continue;
        cr_expect_str_eq(kernel->name, names[i]);
        snprintf(list + strlen(list), sizeof list - strlen(list), "%s%s", *list ? ", " : "",
                 names[i]);
    }
    cr_expect_str_eq(kernel_names(), list);
}

Test(kernel, the_best_can_be_found_and_comes_last_in_the_list)
{
    const struct kernel *best = kernel_best();
    const char *names = kernel_names();
    size_t len = strlen(best->name);

    cr_expect_eq(kernel_find(best->name), best);
    cr_assert_geq(strlen(names), len);
    cr_expect_str_eq(names + strlen(names) - len, best->name);
}
