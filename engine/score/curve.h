#ifndef JML_CURVE_H
#define JML_CURVE_H

#include "programme.h"

#include <stdint.h>

/*
 * Points of a quality, by the straight lines between a want's knots.
 *
 * knots    n of them, q strictly rising from 0 to 10000, p 0..10000; n 0: points are the quality
 * quality  0..10000
 * returns  p_i + (p_{i+1} - p_i) * (q - q_i) / (q_{i+1} - q_i), the division rounding toward minus
 *          infinity; 0..10000. The product is at most 10^8 in size.
 */
int32_t curve_points(const struct knot *knots, int n, int32_t quality);

/* The most points that any quality from 0 to `quality` gets: at a knot, or at the end. */
int32_t curve_most(const struct knot *knots, int n, int32_t quality);

#endif
