#include "sample_metrics.h"

#include <string.h>

void
sample_metrics_init(struct sample_metrics *sample)
{
    memset(sample, 0, sizeof *sample);
    for (int i = 0; i < TALLY_COUNT; i++)
        tally_add(&sample->tallies, (enum tally)i, 100 + i);
    sample->methods[0] = (struct metrics_method){.name = "match.top"};
    for (unsigned i = 0; i < STATS_BUCKETS; i++)
        sample->methods[0].stats.buckets[i] = i;
    sample->methods[0].stats.calls = 276;
    sample->methods[0].stats.errors = 5;
    sample->methods[0].stats.microseconds = UINT64_C(123456789012);
    sample->methods[1] = (struct metrics_method){.name = "never.called"};
    sample->methods[2] = (struct metrics_method){.name = "system.ping"};
    sample->methods[2].stats.buckets[0] = 7;
    /* counted by another thread between two reads: the buckets decide */
    sample->methods[2].stats.calls = 8;
    sample->metrics = (struct metrics){
        .tallies = &sample->tallies,
        .store = {.file_bytes = 1,
                  .map_bytes = 2,
                  .used_bytes = 3,
                  .profiles = 4,
                  .profile_versions = 5,
                  .programmes = 6,
                  .outcomes = 7,
                  .journal = 8,
                  .vectors = 9,
                  .blobs = 10,
                  .commits = 11,
                  .writes = 12,
                  .failed_commits = 13},
        .seq = UINT64_MAX,
        .index_profiles = 14,
        .index_rows = 15,
        .index_bytes = 16,
        .index_symbols = 17,
        .version = "1.2\\3 \"x\"\n",
        .kernel = "plain",
        .methods = sample->methods,
        .n_methods = 3,
    };
}
