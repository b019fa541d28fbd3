#include "kept_profiles.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/*
 * bench_each DATA < profiles.jsonl: the best lists of a whole side by match.each, beside match.top for
 * one profile after another, in an engine of this process.
 *
 * Pages of 1,000 lists, k = 10, with no helper and with one. match.top is asked for a thousand of the side, evenly. Figures are
 * wall time, and CPU time of the process where another program may disturb; one line a way.
 */
enum { LINE_BYTES = 64 * 1024, TOP_CALLS = 1000, PAGE = 1000 };
#define MAP_BYTES ((size_t)1 << 32)

struct cost {
    double wall_s, cpu_s;
};

static double
seconds(clockid_t clock)
{
    struct timespec now;

    clock_gettime(clock, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static struct cost
cost_now(void)
{
    return (struct cost){seconds(CLOCK_MONOTONIC), seconds(CLOCK_PROCESS_CPUTIME_ID)};
}

static struct cost
cost_since(struct cost before)
{
    struct cost now = cost_now();

    return (struct cost){now.wall_s - before.wall_s, now.cpu_s - before.cpu_s};
}

/* Cost of one list. */
static struct cost
time_top(struct engine *engine, const struct kept_side *side)
{
    size_t n = side->n < TOP_CALLS ? side->n : TOP_CALLS;
    struct cost before, cost;
    struct buf json;

    buf_init(&json, LINE_BYTES);
    before = cost_now();
    for (size_t i = 0; i < n; i++) {
        buf_printf(&json,
                   "{\"programme\": \"bilocation\", \"pairing\": \"hosting\", \"id\": \"%s\"}",
                   side->ids[i * side->n / n]);
        kept_call(engine, "match.top", &json);
    }
    cost = cost_since(before);
    buf_fini(&json);
    return (struct cost){cost.wall_s / (double)n, cost.cpu_s / (double)n};
}

/* Ids are made so that they stand in order: the last of a page is its `next`. */
static struct cost
time_each(struct engine *engine, const struct kept_side *side, const char *word)
{
    struct cost before = cost_now(), cost;
    struct buf json;

    buf_init(&json, LINE_BYTES);
    for (size_t at = 0; at < side->n; at += PAGE) {
        buf_printf(&json,
                   "{\"programme\": \"bilocation\", \"pairing\": \"hosting\", \"side\": \"%s\", "
                   "\"limit\": %d, \"after\": \"%s\"}",
                   word, PAGE, at > 0 ? side->ids[at - 1] : "");
        kept_call(engine, "match.each", &json);
    }
    cost = cost_since(before);
    buf_fini(&json);
    return (struct cost){cost.wall_s / (double)side->n, cost.cpu_s / (double)side->n};
}

static int
compare_ids(const void *a, const void *b)
{
    return strcmp(a, b);
}

static void
time_side(struct engine *engine, struct kept_side *side, const struct kept_side *other,
          const char *word, size_t helpers)
{
    struct cost top, each;

    qsort(side->ids, side->n, sizeof *side->ids, compare_ids);
    top = time_top(engine, side);
    each = time_each(engine, side, word);
    printf(
        "match.each of %s, %zu against %zu, k = 10, %zu thread(s): %.0f lists/s, %.2f pages/s, %.1f "
        "million pairs/s; match.top: %.0f lists/s; a list costs %.2f times less time, %.2f times less "
        "CPU\n",
        side->label, side->n, other->n, helpers + 1, 1 / each.wall_s, 1 / each.wall_s / PAGE,
        (double)other->n / each.wall_s / 1e6, 1 / top.wall_s, top.wall_s / each.wall_s,
        top.cpu_s / each.cpu_s);
}

int
main(int argc, char **argv)
{
    struct kept_bench bench;

    kept_open(&bench, argc, argv, MAP_BYTES);
    for (size_t helpers = 0; helpers < 2; helpers++) {
        kept_reopen(&bench, helpers);
        time_side(bench.engine, &bench.both[0], &bench.both[1], "from", helpers);
        time_side(bench.engine, &bench.both[1], &bench.both[0], "to", helpers);
        fflush(stdout);
    }
    kept_close(&bench);
    return EXIT_SUCCESS;
}
