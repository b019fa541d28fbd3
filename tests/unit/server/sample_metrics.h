#ifndef JML_SAMPLE_METRICS_H
#define JML_SAMPLE_METRICS_H

#include "metrics.h"

/*
 * sample_metrics: every number different and in its place, a method that was never called, one whose
 * slowest calls fall into the last bucket, and labels with everything that needs escaping.
 */
struct sample_metrics {
    struct tallies tallies;
    struct metrics_method methods[3];
    struct metrics metrics; /* points into the above */
};
void sample_metrics_init(struct sample_metrics *sample);

#endif
