#include "cell.h"

#include <criterion/criterion.h>

#include <inttypes.h>

/* ---- an independent judge: t^4 <= 2^j in whole numbers of 512 bits ---- */

enum { LIMBS = 16 };

struct big {
    uint32_t limbs[LIMBS]; /* lowest first */
};

static struct big
big_times(const struct big *a, uint64_t factor)
{
    struct big product = {{0}};

    for (int part = 0; part < 2; part++) { /* the factor's two halves */
        uint64_t half = (factor >> 32 * part) & UINT32_MAX, carry = 0;

        for (int i = 0; i + part < LIMBS; i++) {
            uint64_t sum = half * a->limbs[i] + product.limbs[i + part] + carry;

            product.limbs[i + part] = (uint32_t)sum;
            carry = sum >> 32;
        }
    }
    return product;
}

static bool
fourth_power_is_at_most_2_to(uint64_t t, int j)
{
    struct big power = {{1}};
    int top = -1; /* highest bit of the power */

    for (int i = 0; i < 4; i++)
        power = big_times(&power, t);
    for (int bit = 0; bit < 32 * LIMBS; bit++)
        if (power.limbs[bit / 32] >> bit % 32 & 1)
            top = bit;
    if (top != j)
        return top < j;
    for (int bit = 0; bit < top; bit++)
        if (power.limbs[bit / 32] >> bit % 32 & 1)
            return false;
    return true;
}

/* floor(2^(j/4)), by halving. */
static uint64_t
threshold(int j)
{
    uint64_t lo = 1, hi = j < CELL_MAX ? UINT64_C(1) << (j / 4 + 1) : UINT64_MAX;

    while (lo < hi) {
        uint64_t mid = lo + (hi - lo + 1) / 2;

        if (fourth_power_is_at_most_2_to(mid, j))
            lo = mid;
        else
            hi = mid - 1;
    }
    return lo;
}

Test(cell, every_cell_begins_at_its_threshold_and_not_one_below)
{
    for (int j = 3; j <= CELL_MAX; j++) {
        uint64_t at = threshold(j);
        bool is_last_of_equals = j == CELL_MAX || threshold(j + 1) != at;

        cr_assert_leq(at, (uint64_t)INT64_MAX);
        if (is_last_of_equals)
            cr_expect_eq(cell_of((int64_t)at), j, "cell_of(%" PRIu64 ")", at);
        else
            cr_expect_gt(cell_of((int64_t)at), j, "cell_of(%" PRIu64 ")", at);
        if (at > 1)
            cr_expect_lt(cell_of((int64_t)at - 1), j, "cell_of(%" PRIu64 ")", at - 1);
    }
}

Test(cell, the_largest_number_is_in_the_last_cell)
{
    cr_expect_eq(cell_of(INT64_MAX), CELL_MAX);
    cr_expect_gt(threshold(CELL_MAX + 1), (uint64_t)INT64_MAX);
}

static const struct {
    int64_t x;
    int cell;
} first_cells[] = {{0, 0},   {1, 3},   {2, 6},     {3, 7},       {4, 9},   {5, 10},
                   {6, 11},  {7, 11},  {8, 12},    {9, 13},      {10, 13}, {11, 14},
                   {13, 15}, {16, 16}, {1000, 39}, {1000000, 79}};

Test(cell, the_first_ones_are_those_of_the_page)
{
    for (size_t i = 0; i < sizeof first_cells / sizeof first_cells[0]; i++)
        cr_expect_eq(cell_of(first_cells[i].x), first_cells[i].cell, "cell_of(%" PRId64 ") is %d",
                     first_cells[i].x, cell_of(first_cells[i].x));
}

static const struct {
    const char *says;
    struct cell_range a, b;
    int common;
} ranges[] = {
    {"equal ranges share all cells", {8, 11}, {8, 11}, 4},
    {"one inside the other shares the smaller", {8, 20}, {9, 10}, 2},
    {"touching ends share one", {8, 11}, {11, 20}, 1},
    {"neighbours share none, and none lies between", {8, 11}, {12, 20}, 0},
    {"a gap counts the cells strictly between", {8, 11}, {14, 20}, -2},
    {"the order does not matter", {14, 20}, {8, 11}, -2},
};

Test(cell, ranges_share_cells_or_are_apart_by_some)
{
    for (size_t i = 0; i < sizeof ranges / sizeof ranges[0]; i++)
        cr_expect_eq(cell_range_common(ranges[i].a, ranges[i].b), ranges[i].common, "%s",
                     ranges[i].says);
}

Test(cell, a_range_covers_the_cells_of_its_ends_and_all_between)
{
    struct cell_range range = cell_range_of(1, 16);

    cr_expect_eq(range.lo, 3);
    cr_expect_eq(range.hi, 16);
    cr_expect_eq(cell_range_width(range), 14);
    cr_expect_eq(cell_range_width(cell_range_of(0, INT64_MAX)), CELL_MAX + 1);
}
