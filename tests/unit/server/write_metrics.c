#include "sample_metrics.h"

#include <stdio.h>

/* The sample's text on standard output, for check_metrics.py. */
int
main(void)
{
    static struct sample_metrics sample;
    struct err err = {0};
    struct buf out;

    sample_metrics_init(&sample);
    buf_init(&out, METRICS_BYTES_MAX);
    if (metrics_write(&sample.metrics, &out, &err) != ERR_OK) {
        fprintf(stderr, "%s\n", err.message);
        return 1;
    }
    fwrite(out.data, 1, out.len, stdout);
    buf_fini(&out);
    return ferror(stdout) || fflush(stdout) != 0;
}
