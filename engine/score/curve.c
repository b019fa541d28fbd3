#include "curve.h"

static int32_t
floor_div(int32_t dividend, int32_t divisor) /* divisor > 0 */
{
    return dividend / divisor - (dividend % divisor < 0);
}

int32_t
curve_points(const struct knot *knots, int n, int32_t quality)
{
    int i = 0;

    if (n < 2)
        return quality;
    while (i < n - 2 && knots[i + 1].q < quality)
        i++;
    return knots[i].p + floor_div((knots[i + 1].p - knots[i].p) * (quality - knots[i].q),
                                  knots[i + 1].q - knots[i].q);
}

int32_t
curve_most(const struct knot *knots, int n, int32_t quality)
{
    int32_t most = curve_points(knots, n, quality);

    for (int i = 0; i < n && knots[i].q <= quality; i++)
        most = knots[i].p > most ? knots[i].p : most;
    return most;
}
