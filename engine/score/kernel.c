#include "kernel_parts.h"

#include <string.h>

static bool
can_run(const struct kernel *kernel)
{
#ifdef JML_KERNELS_X86
    __builtin_cpu_init();
    if (kernel == &kernel_avx2)
        return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi2") &&
               __builtin_cpu_supports("popcnt");
    if (kernel == &kernel_avx512)
        return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
               __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512vbmi") &&
               __builtin_cpu_supports("avx512vnni") && __builtin_cpu_supports("popcnt");
#endif
    return kernel == &kernel_plain;
}

static const struct kernel *const kernels[] = {
    &kernel_plain, /* slowest first */
#ifdef JML_KERNELS_X86
    &kernel_avx2,
    &kernel_avx512,
#endif
};
enum { N_KERNELS = sizeof kernels / sizeof kernels[0] };

const struct kernel *
kernel_find(const char *name)
{
    for (size_t i = 0; i < N_KERNELS; i++)
        if (strcmp(name, kernels[i]->name) == 0)
            return can_run(kernels[i]) ? kernels[i] : NULL;
    return NULL;
}

const struct kernel *
kernel_best(void)
{
    size_t i = N_KERNELS - 1;

    while (!can_run(kernels[i]))
        i--;
    return kernels[i];
}

const char *
kernel_names(void)
{
    const struct kernel *best = kernel_best();

    if (best == &kernel_plain)
        return "plain";
    return strcmp(best->name, "avx2") == 0 ? "plain, avx2" : "plain, avx2, avx512";
}
