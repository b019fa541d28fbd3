#include "buf.h"
#include "kept_profiles.h"
#include "small_store.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
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
    char folder[] = "/tmp/jumelage-whatif-XXXXXX";
    struct kept_side both[2];
    struct engine_options options = {
        .data_dir = folder, .clock = clock_system(), .map_bytes = MAP_BYTES};
    struct engine *engine;
    struct err err = {0};

    if (argc != 2) {
        fputs("usage: bench_whatif DATA < profiles.jsonl\n", stderr);
        return EXIT_FAILURE;
    }
    small_store_folder(folder);
    options.share_dir = argv[1];
    kept_must(engine_open(&options, &engine, &err), "engine_open", &err);
    kept_put(engine, both);
    small_store_put_programme(engine, argv[1], "programmes/bilocation.yaml");
    time_viewers(engine, &both[0], &both[1], "\"sector-fit\": 50, \"needs-met\": 20");
    time_viewers(engine, &both[1], &both[0], "\"focus\": 20, \"right-stage\": 50");
    engine_close(engine);
    small_store_remove(folder);
    kept_free(both);
    return EXIT_SUCCESS;
}
