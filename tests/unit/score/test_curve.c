#include "curve.h"

#include <criterion/criterion.h>

static const struct knot rising[] = {{0, 0}, {6000, 2000}, {10000, 10000}};
static const struct knot falling[] = {{0, 10000}, {3000, 9999}, {10000, 0}};
static const struct knot flat[] = {{0, 7000}, {10000, 7000}};
static const struct knot steep[] = {{0, 0}, {1, 10000}, {9999, 0}, {10000, 10000}};

static const struct {
    const char *says;
    const struct knot *knots;
    int n;
    int32_t quality, points;
} cases[] = {
    {"without a curve points are the quality", NULL, 0, 1234, 1234},
    {"without a curve full quality is full points", NULL, 0, 10000, 10000},
    {"the first knot", rising, 3, 0, 0},
    {"a third of the first line", rising, 3, 3000, 1000},
    {"a rising line rounds down", rising, 3, 5, 1},
    {"the middle knot belongs to both lines", rising, 3, 6000, 2000},
    {"one step up the second line", rising, 3, 6001, 2002},
    {"half of the second line", rising, 3, 8000, 6000},
    {"the last knot", rising, 3, 10000, 10000},
    {"a falling line rounds down as well: -1/3000 is -1", falling, 3, 1, 9999},
    {"a falling line at its end", falling, 3, 3000, 9999},
    {"-9999/7000 is -2", falling, 3, 3001, 9997},
    {"down to nothing", falling, 3, 10000, 0},
    {"a flat line", flat, 2, 5555, 7000},
    {"a line of one step", steep, 4, 1, 10000},
    {"one step down from the peak", steep, 4, 2, 9998},
    {"the last line of one step", steep, 4, 9999, 0},
    {"and its end", steep, 4, 10000, 10000},
};

Test(curve, runs_straight_between_knots_and_rounds_down)
{
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        cr_expect_eq(curve_points(cases[i].knots, cases[i].n, cases[i].quality), cases[i].points,
                     "%s: %d", cases[i].says,
                     curve_points(cases[i].knots, cases[i].n, cases[i].quality));
}

Test(curve, never_leaves_its_bounds)
{
    const struct knot *curves[] = {rising, falling, flat, steep};
    int n[] = {3, 3, 2, 4};

    for (int c = 0; c < 4; c++)
        for (int32_t q = 0; q <= 10000; q++) {
            int32_t p = curve_points(curves[c], n[c], q);

            cr_assert(p >= 0 && p <= 10000, "curve %d at %d gives %d", c, q, p);
        }
}
