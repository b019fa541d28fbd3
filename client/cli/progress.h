#ifndef JML_PROGRESS_H
#define JML_PROGRESS_H

#include "cli.h"

/* progress: one line that counts, on standard error, on a terminal only. */
struct progress {
    struct cli *cli;
    const char *key; /* message */
    size_t n, of;
    int64_t shown_ms;
};
void progress_begin(struct progress *progress, struct cli *cli, const char *key, size_t of);
void progress_step(struct progress *progress, size_t n);
void progress_end(struct progress *progress);

#endif
