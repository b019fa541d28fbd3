#include "kept_profiles.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

/*
 * bench_whatif DATA < profiles.jsonl: what a match.whatif costs, in an engine of this process.
 *
 * Takes profiles, one a line, stores them and the shipped programme in a temporary folder, and asks for each
 * startup and each host in turn how its list would be if other things weighed more: five hundred calls
 * a side at most, CPU time of the thread that asks and answers. Prints two lines.
 */
enum { LINE_BYTES = 64 * 1024, CALLS_MOST = 500 };
#define MAP_BYTES ((size_t)1 << 30)

static int64_t
cpu_us(void)
{
    struct timespec now;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static int
compare_us(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

    return (x > y) - (x < y);
}

static void
time_viewers(struct engine *engine, const struct kept_side *these, const struct kept_side *other,
             const char *wants)
{
    static int64_t times[CALLS_MOST];
    size_t n = these->n < CALLS_MOST ? these->n : CALLS_MOST;
    struct buf json;

    buf_init(&json, LINE_BYTES);
    for (size_t i = 0; i < n; i++) {
        int64_t before;

        buf_printf(&json,
                   "{\"programme\": \"bilocation\", \"pairing\": \"hosting\", \"id\": \"%s\", "
                   "\"k\": 10, \"programme_changes\": {\"weights\": {%s}}}",
                   these->ids[i], wants);
        before = cpu_us();
        kept_call(engine, "match.whatif", &json);
        times[i] = cpu_us() - before;
    }
    buf_fini(&json);
    if (n == 0)
        return;
    qsort(times, n, sizeof *times, compare_us);
    printf("match.whatif of %s against %zu, k = 10, %zu calls: median %.3f ms, 99 %% %.3f ms\n",
           these->label, other->n, n, (double)times[n / 2] / 1000,
           (double)times[n * 99 / 100] / 1000);
}

int
main(int argc, char **argv)
{
    struct kept_bench bench;

    kept_open(&bench, argc, argv, MAP_BYTES);
    time_viewers(bench.engine, &bench.both[0], &bench.both[1],
                 "\"sector-fit\": 50, \"needs-met\": 20");
    time_viewers(bench.engine, &bench.both[1], &bench.both[0],
                 "\"focus\": 20, \"right-stage\": 50");
    kept_close(&bench);
    return EXIT_SUCCESS;
}
