#ifndef JML_KERNEL_CASES_H
#define JML_KERNEL_CASES_H

#include "kernel.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * kernel_cases: what kernel.h promises of every kernel, on edge and random inputs.
 *
 * What is right is worked out here, place by place, from the sentences of the header alone; kernel_plain is
 * held to it like the others. Inputs come from the seed, the same on every machine. Needs neither a C
 * library (but memcpy, memset) nor an operating system, since tests/emulated runs the same file
 * without one. Inputs end where their array ends, so that AddressSanitizer sees a read beyond.
 * Not for several threads: the inputs lie in static arrays.
 */
struct kernel_fault {
    uint32_t number;  /* of the case, from 0 */
    const char *sort; /* what kind of case it is */
    uint32_t size;    /* words of bits, or elements of a vector */
    uint32_t others;  /* columns, planes, codes or vectors */
    size_t at;        /* word of bits, or index of the product */
    uint64_t got, wanted;
};

struct kernel_check {
    const char
        *name; /* of the functions: "count", "reach", "lose", "tally", "members", "meet", "dots" */
    /* How many cases were run; the first fault ends them: *is_right false, *fault filled. */
    uint32_t (*run)(const struct kernel *kernel, uint64_t seed, bool *is_right,
                    struct kernel_fault *fault);
};
enum { KERNEL_CHECKS = 7 };
extern const struct kernel_check kernel_checks[KERNEL_CHECKS];

#endif
