#ifndef JML_METRICS_H
#define JML_METRICS_H

#include "buf.h"
#include "engine.h"
#include "err.h"
#include "store.h"
#include "tally.h"

#include <stddef.h>
#include <stdint.h>

/*
 * metrics: what the service counts, as the text that Prometheus reads (version 0.0.4).
 *
 *     jumelage_<tally>[_total]                     tally.h: a gauge, or a counter with _total
 *     jumelage_call_duration_seconds{method=…}     histogram; of each method that was called
 *     jumelage_call_errors_total{method=…}
 *     jumelage_store_…, jumelage_index_…, jumelage_seq, jumelage_build_info{version=…,kernel=…} 1
 *
 * metrics_gather reads the store's sizes and belongs on a worker; metrics_write is pure. Numbers are
 * whole one by one, not all of one instant; but a histogram always adds up within itself: its count
 * is the sum of its buckets.
 */
struct metrics_method {
    const char *name;
    struct method_stats stats;
};

struct metrics {
    const struct tallies *tallies;
    struct store_sizes store;
    uint64_t seq, index_profiles, index_rows, index_bytes, index_symbols;
    const char *version, *kernel;
    const struct metrics_method *methods;
    size_t n_methods;
};

enum { METRICS_BYTES_MAX = 1024 * 1024 };
extern const char metrics_content_type[];

/* methods in the arena; tallies is only pointed to. */
enum err_code metrics_gather(struct engine *engine, const struct tallies *tallies,
                             struct arena *arena, struct metrics *out, struct err *err);
enum err_code metrics_write(const struct metrics *metrics, struct buf *out, struct err *err);

#endif
