#include "kernel.h"
#include "rpc_fixture.h"
#include "sample_metrics.h"

#include <criterion/criterion.h>

/* The format's rules are held by check_metrics.py; here is what the numbers are of. */

static char *
write_text(const struct metrics *metrics)
{
    struct buf out;
    struct err err = {0};
    char *text;
    size_t n;

    buf_init(&out, METRICS_BYTES_MAX);
    cr_assert_eq(metrics_write(metrics, &out, &err), ERR_OK, "%s", err.message);
    buf_append_char(&out, '\0');
    buf_take(&out, &text, &n);
    return text;
}

Test(metrics, every_tally_is_a_family_with_its_unit)
{
    static struct sample_metrics sample;
    char *text;

    sample_metrics_init(&sample);
    text = write_text(&sample.metrics);
    for (int i = 0; i < TALLY_COUNT; i++) {
        const char *total = tally_rows[i].is_gauge ? "" : "_total";
        char line[512];

        snprintf(line, sizeof line, "\n# TYPE jumelage_%s%s %s\njumelage_%s%s %d\n",
                 tally_rows[i].name, total, tally_rows[i].is_gauge ? "gauge" : "counter",
                 tally_rows[i].name, total, 100 + i);
        cr_expect_not_null(strstr(text, line), "%s", line);
        snprintf(line, sizeof line, "# HELP jumelage_%s%s %s: ", tally_rows[i].name, total,
                 tally_rows[i].unit);
        cr_expect_not_null(strstr(text, line), "%s", line);
    }
    free(text);
}

Test(metrics, numbers_of_64_bits_stay_whole)
{
    static struct sample_metrics sample;
    char *text;

    sample_metrics_init(&sample);
    text = write_text(&sample.metrics);
    cr_expect_not_null(strstr(text, "\njumelage_seq 18446744073709551615\n"));
    free(text);
}

Test(metrics, the_engine_s_numbers_are_the_ones_that_calls_left)
{
    static struct tallies tallies;
    struct metrics metrics;
    struct err err = {0};
    struct rpc rpc;
    char *text, line[64];

    rpc_open(&rpc);
    rpc_ok(&rpc, "profile.put",
           "{\"profile\": {\"id\": \"org-1\", \"kind\": \"startup\", \"name\": \"Org\"}}");
    cr_assert_eq(metrics_gather(rpc.engine, &tallies, rpc.arena, &metrics, &err), ERR_OK, "%s",
                 err.message);
    cr_expect_eq(metrics.index_profiles, 1);
    cr_expect_eq(metrics.store.profiles, 1);
    cr_expect_eq(metrics.seq, rpc_seq(&rpc));
    cr_expect_gt(metrics.store.commits, 0);
    text = write_text(&metrics);
    cr_expect_not_null(strstr(text, "\njumelage_index_profiles 1\n"));
    snprintf(line, sizeof line, "\njumelage_build_info{version=\"%s\",kernel=\"%s\"} 1\n",
             JML_VERSION, kernel_best()->name);
    cr_expect_not_null(strstr(text, line));
    free(text);
    rpc_close(&rpc);
}

Test(metrics, a_text_over_the_limit_is_told)
{
    static struct sample_metrics sample;
    struct err err = {0};
    struct buf out;

    sample_metrics_init(&sample);
    buf_init(&out, 1000);
    cr_expect_eq(metrics_write(&sample.metrics, &out, &err), ERR_TOO_LARGE);
    buf_fini(&out);
}

Test(metrics, memory_that_ends_is_told)
{
    static struct tallies tallies;
    struct arena *small = arena_create(64);
    struct metrics metrics;
    struct err err = {0};
    struct rpc rpc;

    rpc_open(&rpc);
    cr_expect_eq(metrics_gather(rpc.engine, &tallies, small, &metrics, &err), ERR_BUSY);
    rpc_close(&rpc);
    arena_destroy(small);
}
