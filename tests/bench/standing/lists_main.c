#include "kept_profiles.h"
#include "small_store.h"
#include "watch_lists.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

/*
 * bench_lists DATA FOLDER [K [CHANGES [SEED]]] < profiles.jsonl: how soon standing lists are current after one
 * profile changed, in an engine of this process.
 *
 * The folder is made of the lines at the first run and stays; later runs read no lines. All lists of both
 * sides are made, then startups and hosts are changed by turns: sectors others each time. Figures are of
 * watch_lists_update, wall time, apart for the side that changed and the side whose lists these are:
 * that of the one changed itself is a search, that of the others a sweep.
 */
enum { SIDES = 2, WARM_UP = 10, CHANGES_MOST = 10000 };
#define MAP_BYTES ((size_t)1 << 34)
#define LISTS_BYTES ((size_t)1 << 32)

static const char *const sectors[] = {"ai",     "soft", "dev",  "sec",  "net",    "iot", "robo",
                                      "semi",   "fin",  "work", "edu",  "health", "bio", "food",
                                      "energy", "clim", "mob",  "city", "prop",   "log"};
enum { SECTORS = sizeof sectors / sizeof sectors[0] };
static const char *const side_names[SIDES] = {"startup", "host"};

struct bench {
    struct engine *engine;
    struct watch_lists lists[SIDES];
    struct str *ids[SIDES];
    size_t n_ids[SIDES];
    uint64_t random, n_told;
    double ms[SIDES][SIDES + 1]
             [CHANGES_MOST]; /* changed; whose lists, and all; sorted at the end */
    size_t n_ms[SIDES];
};

static bool is_cpu_time; /* of this thread: while others use the machine */

static double
now_ms(void)
{
    struct timespec now;

    clock_gettime(is_cpu_time ? CLOCK_THREAD_CPUTIME_ID : CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

static size_t
draw(struct bench *bench, size_t below)
{
    bench->random = bench->random * 6364136223846793005U + 1442695040888963407U;
    return (size_t)(bench->random >> 33) % below;
}

static void
count_told(void *context, const struct standing_event *event)
{
    (void)event;
    ((struct bench *)context)->n_told++;
}

static double
bring_up(struct bench *bench, int side, const struct watch_news *news)
{
    const struct standing_teller teller = {count_told, bench};
    const struct standing_stop stop = {NULL, NULL};
    struct engine_view view;
    struct err err = {0};
    double began;

    engine_view_hold(bench->engine, &view);
    began = now_ms();
    kept_must(watch_lists_update(&bench->lists[side], &view, news, &teller, &stop, &err), "lists",
              &err);
    began = now_ms() - began;
    engine_view_drop(&view);
    return began;
}

static void
note_ids(struct bench *bench)
{
    struct engine_view view;
    uint32_t n;

    engine_view_hold(bench->engine, &view);
    n = roster_rows(view.roster);
    for (int side = 0; side < SIDES; side++)
        if ((bench->ids[side] = calloc(n + 1, sizeof(struct str))) == NULL)
            exit(EXIT_FAILURE);
    for (uint32_t row = 0; row < n; row++) {
        const struct facts *facts = roster_facts(view.roster, row);
        int side;
        char *copy;

        if (facts == NULL)
            continue;
        side = !str_is(symbols_text(view.symbols, facts->kind), "startup");
        copy = malloc(facts->id.len + 1);
        if (copy == NULL)
            exit(EXIT_FAILURE);
        memcpy(copy, facts->id.data, facts->id.len);
        bench->ids[side][bench->n_ids[side]++] = (struct str){copy, facts->id.len};
    }
    engine_view_drop(&view);
}

static void
make_lists(struct bench *bench, size_t k)
{
    const struct watch_news news = {.is_everything = true};

    for (int side = 0; side < SIDES; side++) {
        const struct watch_wish wish = {.programme = str_from("bilocation"),
                                        .pairing = str_from("hosting"),
                                        .on_from = side == 0,
                                        .k = k};

        if (!watch_lists_init(&bench->lists[side], bench->engine, &wish))
            exit(EXIT_FAILURE);
        bench->lists[side].bytes_max = LISTS_BYTES;
        printf("lists of %s: ", side_names[side]);
        printf("made in %.1f s, ", bring_up(bench, side, &news) / 1e3);
        printf("%zu of %zu, %zu bytes\n", watch_lists_count(&bench->lists[side]), k,
               watch_lists_bytes(&bench->lists[side]));
        fflush(stdout);
    }
}

static struct str
change_one(struct bench *bench, int kind, struct buf *json)
{
    struct str id = bench->ids[kind][draw(bench, bench->n_ids[kind])];
    size_t n = 1 + draw(bench, 3), first = draw(bench, SECTORS);

    buf_printf(json, "{\"id\": \"%.*s\", \"changes\": {\"sectors\": [", STR_ARG(id));
    for (size_t i = 0; i < n; i++)
        buf_printf(json, "%s\"%s\"", i > 0 ? ", " : "",
                   sectors[(first + i * (1 + draw(bench, 6))) % SECTORS]);
    buf_append_text(json, "]}}");
    return id;
}

static void
measure(struct bench *bench, size_t n_changes)
{
    struct buf json;

    buf_init(&json, 4096);
    for (size_t i = 0; i < n_changes + WARM_UP; i++) {
        int kind = i % 2 != 0;
        size_t at = bench->n_ms[kind];
        struct str id = change_one(bench, kind, &json);
        const struct watch_news news = {.profiles = &id, .n_profiles = 1};
        double all = 0;

        kept_call(bench->engine, "profile.patch", &json);
        for (int side = 0; side < SIDES; side++)
            all += bench->ms[kind][side][at] = bring_up(bench, side, &news);
        bench->ms[kind][SIDES][at] = all;
        bench->n_ms[kind] += i >= WARM_UP;
    }
    buf_fini(&json);
}

static int
compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

static void
print(struct bench *bench)
{
    static const char *const whose[SIDES + 1] = {"startups' lists", "hosts' lists", "both"};

    for (int kind = 0; kind < SIDES; kind++)
        for (int side = 0; side <= SIDES; side++) {
            double *ms = bench->ms[kind][side];
            size_t n = bench->n_ms[kind];

            qsort(ms, n, sizeof *ms, compare);
            if (n > 0)
                printf("%-7s changed, %-15s: least %6.2f ms, median %6.2f, 99 %% %6.2f, longest "
                       "%6.2f (%zu)\n",
                       side_names[kind], whose[side], ms[0], ms[n / 2], ms[n * 99 / 100], ms[n - 1],
                       n);
        }
    for (int side = 0; side < SIDES; side++)
        for (size_t i = 0; i < bench->lists[side].n_standings; i++) {
            struct standing_counts counts = standing_counts(bench->lists[side].standings[i]);

            if (counts.updates > 0)
                printf("lists of %s, direction %zu: %llu updates, %llu sweeps, %llu searches\n",
                       side_names[side], i, (unsigned long long)counts.updates,
                       (unsigned long long)counts.sweeps, (unsigned long long)counts.searches);
        }
}

int
main(int argc, char **argv)
{
    struct bench *bench = calloc(1, sizeof *bench);
    struct engine_options options = {.clock = clock_system(), .map_bytes = MAP_BYTES, .helpers = 1};
    struct stat at;
    bool is_new;
    struct err err = {0};
    size_t n_changes = argc > 4 ? strtoul(argv[4], NULL, 10) : 200;

    if (argc < 3 || bench == NULL || n_changes > CHANGES_MOST) {
        fputs("usage: bench_lists DATA FOLDER [K [CHANGES [SEED]]] < profiles.jsonl\n", stderr);
        return EXIT_FAILURE;
    }
    options.share_dir = argv[1];
    options.data_dir = argv[2];
    is_new = stat(argv[2], &at) != 0;
    if (is_new && mkdir(argv[2], 0700) != 0)
        return EXIT_FAILURE;
    kept_must(engine_open(&options, &bench->engine, &err), "engine_open", &err);
    if (is_new) {
        struct kept_side both[SIDES];

        kept_put(bench->engine, both);
        kept_free(both);
        small_store_put_programme(bench->engine, argv[1], "programmes/bilocation.yaml");
    }
    is_cpu_time = getenv("CPU_TIME") != NULL;
    bench->random = argc > 5 ? strtoul(argv[5], NULL, 10) : 7;
    note_ids(bench);
    make_lists(bench, argc > 3 ? strtoul(argv[3], NULL, 10) : 10);
    measure(bench, n_changes);
    print(bench);
    for (int side = 0; side < SIDES; side++)
        watch_lists_fini(&bench->lists[side]);
    engine_close(bench->engine);
    return EXIT_SUCCESS;
}
