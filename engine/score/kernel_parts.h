#ifndef JML_KERNEL_PARTS_H
#define JML_KERNEL_PARTS_H

#include "kernel.h"

/* kernel_parts: what the kernels' files share. Each kernel has a file of its own, compiled for its
 * processor; nothing of it may be called before kernel_find has asked the processor. */
extern const struct kernel kernel_plain;
#ifdef JML_KERNELS_X86
extern const struct kernel kernel_avx2, kernel_avx512;
#endif

static inline int32_t
dot_plain(const int8_t *a, const int8_t *b, uint32_t n)
{
    int32_t dot = 0;

    for (uint32_t i = 0; i < n; i++)
        dot += a[i] * b[i];
    return dot;
}

#endif
