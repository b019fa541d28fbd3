#include "file.h"
#include "kernel.h"
#include "relations.h"
#include "ways.h"
#include "yaml_doc.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

/*
 * bench_score: builds a population in memory and times each way of scoring it, on one core.
 *
 *   bench_score DATA PROGRAMME.yaml CANDIDATES VIEWERS skewed|uniform TEXT MILLISECONDS SEED [FOLDER]
 *
 * TEXT is `sparse`, or the number of bytes of everyone's embedding. Prints a JSON object a line:
 * {"way", "what", "mode", "queries", "ns", "pairs_s", "eligible"}; `what` is "rules" (the pairing
 * without its text want; with sparse texts only) or "text"; `mode` is single or batch; ns is the
 * median CPU time of a query (of a batch: its time by its queries), pairs_s the pairs considered a
 * second by that, eligible their share in hundredths of a per cent. Each figure has about so many
 * milliseconds, three queries at least. With a FOLDER the rules' tables and the first hits of as many
 * viewers (hits.csv: viewer, place, id, score), or the embeddings, are written there.
 */
enum { TOP = 10, QUERIES_LEAST = 3, CHECKED_LEAST = 20, PROGRAMME_BYTES_MAX = 1024 * 1024 };
#define ARENA_BYTES ((size_t)16 << 30)

struct run {
    struct arena *arena;
    struct population population;
    const struct programme *programme;
    const char *folder;
    int64_t budget_ns;
};

/* ---- programme and plan ---- */

static enum err_code
read_programme(struct run *run, const char *path, struct err *err)
{
    struct programme *programme = NULL;
    struct faults faults;
    struct yaml_doc *doc;
    struct buf bytes;
    enum err_code code;

    buf_init(&bytes, PROGRAMME_BYTES_MAX);
    code = file_read(path, &bytes, err);
    if (code == ERR_OK)
        code = yaml_decode(arena_str(run->arena, buf_str(&bytes)), &value_limits_default,
                           run->arena, &doc, err);
    if (code == ERR_OK) {
        faults_init(&faults, run->arena);
        programme_decode(yaml_doc_root(doc), run->population.reference, &faults, &programme);
        code = faults_first(&faults, err);
    }
    buf_fini(&bytes);
    run->programme = programme;
    return code;
}

static enum err_code
view_without_text(struct run *run, struct view *view, struct err *err)
{
    struct want *wants = arena_alloc(run->arena, (size_t)view->n_wants, sizeof *wants);
    int n = 0;

    if (wants == NULL)
        return err_no_memory(err);
    for (int i = 0; i < view->n_wants; i++)
        if (view->wants[i].type != WANT_TEXT)
            wants[n++] = view->wants[i];
    *view = (struct view){wants, n};
    return ERR_OK;
}

static enum err_code
make_plan(struct run *run, const struct way *way, bool has_text, struct match_plan **plan,
          struct err *err)
{
    struct pairing *pairing = arena_copy(run->arena, &run->programme->pairings[0], sizeof *pairing);
    struct match_context context = {.pairing = pairing,
                                    .roster = run->population.roster,
                                    .reference = run->population.reference,
                                    .symbols = run->population.symbols,
                                    .day = run->population.day,
                                    .kernel =
                                        way->kernel != NULL ? kernel_find(way->kernel) : NULL};
    enum err_code code = ERR_OK;

    if (pairing == NULL)
        return err_no_memory(err);
    if (!has_text)
        code = view_without_text(run, &pairing->from_view, err);
    if (code == ERR_OK && !has_text)
        code = view_without_text(run, &pairing->to_view, err);
    return code == ERR_OK ? match_plan_make(&context, run->arena, plan, err) : code;
}

/* ---- timing ---- */

static int64_t
cpu_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static int
compare_ns(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

    return (x > y) - (x < y);
}

struct figure {
    const char *way, *what, *mode;
    size_t n_queries;
    int64_t ns;
    uint64_t considered, eligible;
};

static void
print_figure(const struct figure *figure)
{
    uint64_t pairs = figure->considered / figure->n_queries; /* of one query */

    printf("{\"way\": \"%s\", \"what\": \"%s\", \"mode\": \"%s\", \"queries\": %zu, "
           "\"ns\": %lld, \"pairs_s\": %.0f, \"eligible\": %llu}\n",
           figure->way, figure->what, figure->mode, figure->n_queries, (long long)figure->ns,
           (double)pairs * 1e9 / (double)(figure->ns > 0 ? figure->ns : 1),
           (unsigned long long)(figure->eligible * 10000 / figure->considered));
    fflush(stdout);
}

static struct match_query
query_of(const struct run *run, size_t i)
{
    uint32_t row = run->population.viewers[i % run->population.how.n_viewers];

    return (struct match_query){
        .viewer = roster_facts(run->population.roster, row), .row = row, .on_from = true, .k = TOP};
}

static enum err_code
time_single(struct run *run, const struct way *way, const struct match_plan *plan,
            struct figure *figure, struct err *err)
{
    size_t most = run->population.how.n_viewers;
    int64_t *times = arena_alloc(run->arena, most, sizeof *times), all = 0;
    enum err_code code = times != NULL ? ERR_OK : err_no_memory(err);
    size_t n = 0;

    figure->considered = figure->eligible = 0;
    while (code == ERR_OK && n < most && (n < QUERIES_LEAST || all < run->budget_ns)) {
        struct arena_mark mark = arena_mark(run->arena);
        struct match_query query = query_of(run, n);
        struct match_list list = {0};
        int64_t before = cpu_ns();

        code = way->one(plan, &query, run->arena, &list, err);
        times[n] = cpu_ns() - before;
        all += times[n++];
        figure->considered += list.considered;
        figure->eligible += list.eligible;
        arena_release(run->arena, mark);
    }
    if (code != ERR_OK)
        return code;
    qsort(times, n, sizeof *times, compare_ns);
    figure->n_queries = n;
    figure->ns = times[n / 2];
    return ERR_OK;
}

/* As many queries as fit the time, by what a single one took: all in one batch. */
static enum err_code
time_batch(struct run *run, const struct way *way, const struct match_plan *plan,
           struct figure *figure, struct err *err)
{
    size_t most = run->population.how.n_viewers;
    size_t n = (size_t)(run->budget_ns / (figure->ns > 0 ? figure->ns : 1));
    struct arena_mark mark = arena_mark(run->arena);
    struct match_query *queries;
    struct match_list *lists;
    enum err_code code = ERR_OK;
    int64_t before;

    n = n < QUERIES_LEAST ? QUERIES_LEAST : n;
    n = n > most ? most : n;
    queries = arena_alloc(run->arena, n, sizeof *queries);
    lists = arena_alloc(run->arena, n, sizeof *lists);
    if (queries == NULL || lists == NULL)
        return err_no_memory(err);
    for (size_t i = 0; i < n; i++)
        queries[i] = query_of(run, i);
    before = cpu_ns();
    code = way->batch(plan, queries, n, run->arena, lists, err);
    figure->ns = (cpu_ns() - before) / (int64_t)n;
    figure->n_queries = n;
    figure->considered = figure->eligible = 0;
    for (size_t i = 0; i < n && code == ERR_OK; i++) {
        figure->considered += lists[i].considered;
        figure->eligible += lists[i].eligible;
    }
    arena_release(run->arena, mark);
    return code;
}

static enum err_code
time_way(struct run *run, const struct way *way, bool has_text, struct err *err)
{
    struct figure figure = {
        .way = way->name, .what = has_text ? "text" : "rules", .mode = "single"};
    struct match_plan *plan;
    enum err_code code = make_plan(run, way, has_text, &plan, err);

    if (code == ERR_OK)
        code = time_single(run, way, plan, &figure, err);
    if (code == ERR_OK)
        print_figure(&figure);
    figure.mode = "batch";
    if (code == ERR_OK && way->batch != NULL) {
        code = time_batch(run, way, plan, &figure, err);
        if (code == ERR_OK)
            print_figure(&figure);
    }
    return code;
}

static bool
way_runs(const struct way *way)
{
    return way->kernel == NULL || kernel_find(way->kernel) != NULL;
}

static const struct way *
our_way(void)
{
    const struct way *way = ways;

    while (!way_runs(way))
        way++;
    return way;
}

static enum err_code
time_ways(struct run *run, bool has_text, struct err *err)
{
    enum err_code code = ERR_OK;

    for (const struct way *way = ways; code == ERR_OK && way->name != NULL; way++)
        if (way_runs(way))
            code = time_way(run, way, has_text, err);
    return code;
}

/* ---- what others are given, and held to ---- */

static enum err_code
write_hits(struct run *run, const struct match_plan *plan, struct err *err)
{
    int64_t end = cpu_ns() + run->budget_ns;
    struct buf out;
    char path[4096];
    enum err_code code = ERR_OK;

    snprintf(path, sizeof path, "%s/hits.csv", run->folder);
    buf_init(&out, (size_t)1 << 28);
    for (size_t i = 0; i < run->population.how.n_viewers && code == ERR_OK; i++) {
        struct arena_mark mark = arena_mark(run->arena);
        struct match_query query = query_of(run, i);
        struct match_list list;

        if (i >= CHECKED_LEAST && cpu_ns() > end)
            break;
        code = our_way()->one(plan, &query, run->arena, &list, err);
        for (size_t at = 0; code == ERR_OK && at < list.n; at++)
            buf_printf(&out, "%zu,%zu,%.*s,%d\n", i, at + 1,
                       STR_ARG(roster_facts(run->population.roster, list.hits[at].row)->id),
                       (int)list.hits[at].score.score);
        arena_release(run->arena, mark);
    }
    if (code == ERR_OK)
        code = buf_check(&out, err);
    if (code == ERR_OK)
        code = file_write(path, out.data, out.len, 0644, err);
    buf_fini(&out);
    return code;
}

static enum err_code
run_rules(struct run *run, struct err *err)
{
    struct match_plan *plan;
    enum err_code code = time_ways(run, false, err);

    if (code != ERR_OK || run->folder == NULL)
        return code;
    code = make_plan(run, our_way(), false, &plan, err);
    if (code == ERR_OK)
        code = relations_write(&run->population, plan, run->folder, err);
    if (code == ERR_OK)
        code = write_hits(run, plan, err);
    return code;
}

static enum err_code
run_all(struct run *run, struct err *err)
{
    bool is_dense = run->population.how.dimension > 0;
    enum err_code code = is_dense ? ERR_OK : run_rules(run, err);

    if (code == ERR_OK)
        code = time_ways(run, true, err);
    if (code == ERR_OK && is_dense && run->folder != NULL)
        code = relations_write_embeddings(&run->population, run->folder, err);
    return code;
}

static size_t
size_argument(const char *text, long most)
{
    char *end;
    long value = strtol(text, &end, 10);

    if (*text == '\0' || *end != '\0' || value < 0 || value > most) {
        fprintf(stderr, "bench_score: \"%s\" is no whole number from 0 to %ld\n", text, most);
        exit(EXIT_FAILURE);
    }
    return (size_t)value;
}

int
main(int argc, char **argv)
{
    struct population_how how = {0};
    struct run run = {.arena = arena_create(ARENA_BYTES)};
    struct err err = {0};
    enum err_code code;

    if (argc < 9 || argc > 10 || run.arena == NULL) {
        fputs("usage: bench_score DATA PROGRAMME.yaml CANDIDATES VIEWERS skewed|uniform "
              "sparse|BYTES MILLISECONDS SEED [FOLDER]\n",
              stderr);
        return EXIT_FAILURE;
    }
    how.data = argv[1];
    how.n_candidates = size_argument(argv[3], 10000000);
    how.n_viewers = size_argument(argv[4], 100000);
    how.is_skewed = strcmp(argv[5], "skewed") == 0;
    how.has_texts = strcmp(argv[6], "sparse") == 0;
    how.dimension = how.has_texts ? 0 : size_argument(argv[6], 1024);
    run.budget_ns = (int64_t)size_argument(argv[7], 1000000) * 1000000;
    how.seed = size_argument(argv[8], 1000000000);
    run.folder = argc > 9 ? argv[9] : NULL;
    code = population_make(&how, run.arena, &run.population, &err);
    if (code == ERR_OK)
        code = read_programme(&run, argv[2], &err);
    if (code == ERR_OK)
        code = run_all(&run, &err);
    if (code != ERR_OK)
        fprintf(stderr, "bench_score: %s: %s\n", err.field, err.message);
    population_fini(&run.population);
    arena_destroy(run.arena);
    return code == ERR_OK ? EXIT_SUCCESS : EXIT_FAILURE;
}
