#include "metrics.h"

#include "kernel.h"
#include "method.h"
#include "symbols.h"

#include <inttypes.h>

/*
 * Names are ours and need no escaping; texts and the values of labels do (a backslash, a line's end
 * and, in labels, a quote). Seconds are written from whole microseconds, so that no float and no locale
 * takes part.
 */
const char metrics_content_type[] = "text/plain; version=0.0.4; charset=utf-8";

enum metric_kind { METRIC_GAUGE, METRIC_COUNTER, METRIC_HISTOGRAM };

/* clang-format off */
static const struct {
    const char *name;
    enum metric_kind kind;
    size_t offset; /* of an uint64_t in struct metrics */
    const char *text;
} rows[] = {
    {"seq", METRIC_GAUGE, offsetof(struct metrics, seq), "number of the last change that readers see"},
    {"index_profiles", METRIC_GAUGE, offsetof(struct metrics, index_profiles), "profiles that can be matched"},
    {"index_rows", METRIC_GAUGE, offsetof(struct metrics, index_rows), "rows of the index, the empty ones too"},
    {"index_bytes", METRIC_GAUGE, offsetof(struct metrics, index_bytes), "memory of the index"},
    {"index_symbols", METRIC_GAUGE, offsetof(struct metrics, index_symbols), "different codes and tags"},
    {"store_file_bytes", METRIC_GAUGE, offsetof(struct metrics, store.file_bytes), "size of the data file"},
    {"store_map_bytes", METRIC_GAUGE, offsetof(struct metrics, store.map_bytes), "what the data file may grow to"},
    {"store_used_bytes", METRIC_GAUGE, offsetof(struct metrics, store.used_bytes), "pages in use; divide by store_map_bytes"},
    {"store_profiles", METRIC_GAUGE, offsetof(struct metrics, store.profiles), "profiles kept"},
    {"store_profile_versions", METRIC_GAUGE, offsetof(struct metrics, store.profile_versions), "earlier versions kept"},
    {"store_programmes", METRIC_GAUGE, offsetof(struct metrics, store.programmes), "programmes kept"},
    {"store_outcomes", METRIC_GAUGE, offsetof(struct metrics, store.outcomes), "outcomes kept"},
    {"store_journal", METRIC_GAUGE, offsetof(struct metrics, store.journal), "entries of the journal kept"},
    {"store_vectors", METRIC_GAUGE, offsetof(struct metrics, store.vectors), "text vectors kept"},
    {"store_blobs", METRIC_GAUGE, offsetof(struct metrics, store.blobs), "inputs kept by digest"},
    {"store_commits", METRIC_COUNTER, offsetof(struct metrics, store.commits), "commits; divide store_writes by it"},
    {"store_writes", METRIC_COUNTER, offsetof(struct metrics, store.writes), "writes that were committed"},
    {"store_failed_commits", METRIC_COUNTER, offsetof(struct metrics, store.failed_commits), "commits that failed; divide by store_commits"},
};
/* clang-format on */

static void
add_escaped(struct buf *out, const char *text, bool is_label)
{
    for (; *text != '\0'; text++) {
        if (*text == '\n') {
            buf_append_text(out, "\\n");
            continue;
        }
        if (*text == '\\' || (is_label && *text == '"'))
            buf_append_char(out, '\\');
        buf_append_char(out, *text);
    }
}

/* The suffix belongs to the family's name in this format. */
static const char *
suffix_of(enum metric_kind kind)
{
    return kind == METRIC_COUNTER ? "_total" : "";
}

static void
add_family(struct buf *out, const char *name, enum metric_kind kind, const char *text,
           const char *unit)
{
    static const char *const kinds[] = {"gauge", "counter", "histogram"};

    buf_printf(out, "# HELP jumelage_%s%s ", name, suffix_of(kind));
    if (unit != NULL) {
        add_escaped(out, unit, false);
        buf_append_text(out, ": ");
    }
    add_escaped(out, text, false);
    buf_printf(out, "\n# TYPE jumelage_%s%s %s\n", name, suffix_of(kind), kinds[kind]);
}

static void
add_tallies(struct buf *out, const struct tallies *tallies)
{
    for (int i = 0; i < TALLY_COUNT; i++) {
        const struct tally_row *row = &tally_rows[i];
        enum metric_kind kind = row->is_gauge ? METRIC_GAUGE : METRIC_COUNTER;

        add_family(out, row->name, kind, row->text, row->unit);
        buf_printf(out, "jumelage_%s%s %" PRId64 "\n", row->name, suffix_of(kind),
                   tally_get(tallies, (enum tally)i));
    }
}

static void
add_rows(struct buf *out, const struct metrics *metrics)
{
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        uint64_t value;

        memcpy(&value, (const char *)metrics + rows[i].offset, sizeof value);
        add_family(out, rows[i].name, rows[i].kind, rows[i].text, NULL);
        buf_printf(out, "jumelage_%s%s %" PRIu64 "\n", rows[i].name, suffix_of(rows[i].kind),
                   value);
    }
}

static void
add_sample(struct buf *out, const char *name, const char *method)
{
    buf_printf(out, "jumelage_%s{method=\"", name);
    add_escaped(out, method, true);
    buf_append_char(out, '"');
}

static void
add_seconds(struct buf *out, uint64_t microseconds)
{
    buf_printf(out, "%" PRIu64 ".%06" PRIu64, microseconds / 1000000, microseconds % 1000000);
}

/* Bucket i holds calls under 2^i microseconds; the last one also those above. */
static void
add_histogram(struct buf *out, const struct metrics_method *method)
{
    uint64_t sum = 0;

    for (unsigned i = 0; i < STATS_BUCKETS; i++) {
        sum += method->stats.buckets[i];
        add_sample(out, "call_duration_seconds_bucket", method->name);
        buf_append_text(out, ",le=\"");
        if (i + 1 == STATS_BUCKETS)
            buf_append_text(out, "+Inf");
        else
            add_seconds(out, UINT64_C(1) << i);
        buf_printf(out, "\"} %" PRIu64 "\n", sum);
    }
    add_sample(out, "call_duration_seconds_sum", method->name);
    buf_append_text(out, "} ");
    add_seconds(out, method->stats.microseconds);
    buf_append_char(out, '\n');
    add_sample(out, "call_duration_seconds_count", method->name);
    buf_printf(out, "} %" PRIu64 "\n", sum);
}

static bool
was_called(const struct metrics_method *method)
{
    for (size_t i = 0; i < STATS_BUCKETS; i++)
        if (method->stats.buckets[i] != 0)
            return true;
    return false;
}

static void
add_methods(struct buf *out, const struct metrics *metrics)
{
    add_family(out, "call_duration_seconds", METRIC_HISTOGRAM,
               "from a call's reading to its answer", NULL);
    for (size_t i = 0; i < metrics->n_methods; i++)
        if (was_called(&metrics->methods[i]))
            add_histogram(out, &metrics->methods[i]);
    add_family(out, "call_errors", METRIC_COUNTER,
               "calls answered with an error; divide by call_duration_seconds_count", NULL);
    for (size_t i = 0; i < metrics->n_methods; i++)
        if (was_called(&metrics->methods[i])) {
            add_sample(out, "call_errors_total", metrics->methods[i].name);
            buf_printf(out, "} %" PRIu64 "\n", metrics->methods[i].stats.errors);
        }
}

enum err_code
metrics_write(const struct metrics *metrics, struct buf *out, struct err *err)
{
    add_family(out, "build_info", METRIC_GAUGE, "what runs, in its labels; always 1", NULL);
    buf_append_text(out, "jumelage_build_info{version=\"");
    add_escaped(out, metrics->version, true);
    buf_append_text(out, "\",kernel=\"");
    add_escaped(out, metrics->kernel, true);
    buf_append_text(out, "\"} 1\n");
    add_tallies(out, metrics->tallies);
    add_rows(out, metrics);
    add_methods(out, metrics);
    return buf_check(out, err);
}

enum err_code
metrics_gather(struct engine *engine, const struct tallies *tallies, struct arena *arena,
               struct metrics *out, struct err *err)
{
    struct metrics_method *list = arena_alloc(arena, n_methods, sizeof *list);
    struct metrics metrics = {
        .tallies = tallies,
        .version = JML_VERSION,
        .kernel = engine_kernel(engine)->name,
        .methods = list,
        .n_methods = n_methods,
    };
    struct engine_view view;
    enum err_code code;

    if (list == NULL)
        return err_no_memory(err);
    code = store_sizes(engine_store(engine), &metrics.store, err);
    if (code != ERR_OK)
        return code;
    for (size_t i = 0; i < n_methods; i++) {
        list[i].name = methods[i].name;
        engine_method_stats(engine, i, &list[i].stats);
    }
    engine_view_hold(engine, &view);
    metrics.seq = view.seq;
    metrics.index_profiles = roster_profiles(view.roster);
    metrics.index_rows = roster_rows(view.roster);
    metrics.index_bytes = engine_index_bytes(engine, view.roster);
    metrics.index_symbols = symbols_count(view.symbols);
    engine_view_drop(&view);
    *out = metrics;
    return ERR_OK;
}
