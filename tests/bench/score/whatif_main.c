#include "buf.h"
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
enum { LINE_BYTES = 64 * 1024, CALLS_MOST = 500, PUT_AT_ONCE = 200, IDS_MOST = 20000 };
#define MAP_BYTES ((size_t)1 << 30)

struct viewers {
    const char *label, *wants;
    char (*ids)[80];
    size_t n;
};

static void
must(enum err_code code, const char *what, const struct err *err)
{
    if (code == ERR_OK)
        return;
    fprintf(stderr, "bench_whatif: %s: %s %s\n", what, err->field, err->message);
    exit(EXIT_FAILURE);
}

static void
call(struct engine *engine, const char *method, struct buf *json)
{
    struct err err = {0};

    buf_append_char(json, '\0');
    must(buf_check(json, &err), method, &err);
    must(small_store_call(engine, method, json->data, &err), method, &err);
    buf_clear(json);
}

/* Generated lines begin with their id: {"id":"…". */
static void
note_id(struct viewers both[2], const char *line)
{
    struct viewers *these = &both[strstr(line, "\"kind\":\"startup\"") == NULL];
    const char *id = strstr(line, "\"id\":\"");
    size_t n = id != NULL ? strcspn(id + 6, "\"") : 0;

    if (n == 0 || n >= sizeof *these->ids || these->n == IDS_MOST) {
        fprintf(stderr, "bench_whatif: no line of a generated profile: %.60s\n", line);
        exit(EXIT_FAILURE);
    }
    memcpy(these->ids[these->n], id + 6, n);
    these->ids[these->n++][n] = '\0';
}

static void
put_profiles(struct engine *engine, struct viewers both[2])
{
    static char line[LINE_BYTES];
    struct buf json;
    size_t n = 0;

    buf_init(&json, (size_t)PUT_AT_ONCE * LINE_BYTES);
    while (fgets(line, sizeof line, stdin) != NULL) {
        note_id(both, line);
        buf_append_text(&json, n++ == 0 ? "{\"atomic\": true, \"profiles\": [" : ",");
        buf_append_text(&json, line);
        if (n < PUT_AT_ONCE)
            continue;
        buf_append_text(&json, "]}");
        call(engine, "profile.put_many", &json);
        n = 0;
    }
    if (n > 0) {
        buf_append_text(&json, "]}");
        call(engine, "profile.put_many", &json);
    }
    buf_fini(&json);
}

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
time_viewers(struct engine *engine, const struct viewers *these, const struct viewers *other)
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
                   these->ids[i], these->wants);
        before = cpu_us();
        call(engine, "match.whatif", &json);
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
    struct viewers both[2] = {{"a startup", "\"sector-fit\": 50, \"needs-met\": 20", NULL, 0},
                              {"a host", "\"focus\": 20, \"right-stage\": 50", NULL, 0}};
    struct engine_options options = {
        .data_dir = folder, .clock = clock_system(), .map_bytes = MAP_BYTES};
    struct engine *engine;
    struct err err = {0};

    if (argc != 2) {
        fputs("usage: bench_whatif DATA < profiles.jsonl\n", stderr);
        return EXIT_FAILURE;
    }
    for (int i = 0; i < 2; i++)
        if ((both[i].ids = calloc(IDS_MOST, sizeof *both[i].ids)) == NULL)
            return EXIT_FAILURE;
    small_store_folder(folder);
    options.share_dir = argv[1];
    must(engine_open(&options, &engine, &err), "engine_open", &err);
    put_profiles(engine, both);
    small_store_put_programme(engine, argv[1], "programmes/bilocation.yaml");
    time_viewers(engine, &both[0], &both[1]);
    time_viewers(engine, &both[1], &both[0]);
    engine_close(engine);
    small_store_remove(folder);
    for (int i = 0; i < 2; i++)
        free(both[i].ids);
    return EXIT_SUCCESS;
}
