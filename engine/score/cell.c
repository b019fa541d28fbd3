#include "cell.h"

#include <assert.h>

/*
 * With j = 4m + r, floor(2^(j/4)) is floor(2^(r/4) * 2^m), and flooring a floor again does no harm:
 * it is floor(2^(62 + r/4)) >> (62 - m). So four constants hold all 252 thresholds, exactly.
 */
static const uint64_t roots[4] = {
    UINT64_C(0x4000000000000000), /* floor(2^62.00) */
    UINT64_C(0x4c1bf828c6dc54b7), /* floor(2^62.25) */
    UINT64_C(0x5a827999fcef3242), /* floor(2^62.50) */
    UINT64_C(0x6ba27e656b4eb57a), /* floor(2^62.75) */
};

int
cell_of(int64_t x)
{
    int m, r = 3;

    assert(x >= 0);
    if (x == 0)
        return 0;
    m = 63 - __builtin_clzll((uint64_t)x); /* 2^m <= x < 2^(m + 1): j is 4m .. 4m + 3 */
    while (roots[r] >> (62 - m) > (uint64_t)x)
        r--;
    return 4 * m + r;
}

struct cell_range
cell_range_of(int64_t min, int64_t max)
{
    return (struct cell_range){cell_of(min), cell_of(max)};
}

int
cell_range_width(struct cell_range range)
{
    return range.hi - range.lo + 1;
}

int
cell_range_common(struct cell_range a, struct cell_range b)
{
    int lo = a.lo > b.lo ? a.lo : b.lo;
    int hi = a.hi < b.hi ? a.hi : b.hi;

    return hi - lo + 1;
}
