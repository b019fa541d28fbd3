/*
 * torture_load: the N-th allocation fails while several threads read a store's profiles, whichever thread makes
 * it: the opening goes well or ends with a clear error, nobody waits for ever, nothing leaks, and the same
 * folder opens afterwards with all its profiles. Once with text vectors to be made and kept, once with
 * kept ones; what fails once, and what fails from then on.
 */
#include "alloc.h"
#include "roster.h"
#include "stored_profiles.h"
#include "torture.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { THREADS = 3, PROFILES = 1540, TRIES = 40, TRIES_DEEP = 600, ALARM_S = 300 };

/* ---- the store ---- */

static struct engine *
open_with(const char *dir, unsigned threads, struct err *err)
{
    struct engine_options options = {
        .data_dir = dir, .share_dir = JML_DATA, .load_threads = threads};
    struct engine *engine;

    *err = (struct err){0};
    return engine_open(&options, &engine, err) == ERR_OK ? engine : NULL;
}

static uint32_t
rows_of(struct engine *engine)
{
    struct engine_view view;
    uint32_t n;

    engine_view_hold(engine, &view);
    n = roster_rows(view.roster);
    engine_view_drop(&view);
    return n;
}

static void
open_well(const char *dir, const char *says, long n)
{
    struct err err;
    struct engine *engine = open_with(dir, THREADS, &err);

    torture_check(engine != NULL, "%s, n=%ld: it opens no more: %s", says, n, err.message);
    if (engine == NULL)
        return;
    torture_check(rows_of(engine) == PROFILES, "%s, n=%ld: afterwards %u profiles", says, n,
                  rows_of(engine));
    engine_close(engine);
}

/* ---- a try ---- */

static long current_n; /* for the one who is woken */

static void
on_alarm(int number)
{
    char text[96];
    int n = snprintf(text, sizeof text, "FAULT: n=%ld: the opening does not end\n", current_n);

    (void)number;
    if (write(STDERR_FILENO, text, (size_t)n) == n)
        abort();
    _exit(1);
}

struct variant {
    const char *says, *template;
    bool persists; /* from the n-th on; else it alone */
};

/* False: nothing failed any more. */
static bool
try(const struct variant *variant, const char *work, long n, int *n_refused)
{
    struct engine *engine;
    struct err err;
    bool happened;

    torture_copy(variant->template, work);
    current_n = n;
    alarm(ALARM_S);
    if (variant->persists)
        mem_fail_from(n);
    else
        mem_fail_at(n);
    engine = open_with(work, THREADS, &err);
    happened = mem_fail_happened();
    torture_check(engine != NULL || (happened && err.code == ERR_BUSY), "%s, n=%ld: %s: %s",
                  variant->says, n, err_name(err.code), err.message);
    if (engine != NULL) {
        torture_check(rows_of(engine) == PROFILES, "%s, n=%ld: opened with %u profiles",
                      variant->says, n, rows_of(engine));
        engine_close(engine);
    }
    *n_refused += engine == NULL;
    open_well(work, variant->says, n);
    alarm(0);
    torture_remove(work);
    return happened;
}

/* Does an opening come to its n-th allocation? */
static bool
comes_to(const char *template, const char *work, long n)
{
    struct engine *engine;
    struct err err;
    bool happened;

    torture_copy(template, work);
    mem_fail_at(n);
    engine = open_with(work, THREADS, &err);
    happened = mem_fail_happened();
    engine_close(engine);
    torture_remove(work);
    return happened;
}

/* The number of the last allocation that an opening makes, give or take what threads do, and a 128th: profiles with
 * kept vectors lie on shelves, and ask for little more than an empty store. */
static long
count_allocations(const char *template, const char *work)
{
    long least, most = 1024;

    while (comes_to(template, work, most))
        most *= 2;
    for (least = most / 2; most - least > least / 128;) {
        long middle = least + (most - least) / 2;

        if (comes_to(template, work, middle))
            least = middle;
        else
            most = middle;
    }
    return most;
}

/* Two of three tries are where profiles are read, which `first` others come before; the third is anywhere. */
static void
torture_variant(const struct variant *variant, const char *work, long first, long last, int n_tries,
                uint32_t *random)
{
    int n_refused = 0, n_happened = 0;

    for (int i = 0; i < n_tries; i++) {
        long from = i % 3 == 0 ? 1 : first - first / 128;
        long n = from + (long)(torture_random(random) % (uint32_t)(last - from + 1));

        n_happened += try(variant, work, n, &n_refused);
    }
    torture_check(n_happened > 0 && n_refused > 0, "%s: %d failed, %d refused", variant->says,
                  n_happened, n_refused);
    printf("%s: %d failed of about %ld allocations, %ld before the profiles; %d refused\n",
           variant->says, n_happened, last, first, n_refused);
    fflush(stdout);
}

int
main(void)
{
    int n_tries = torture_rounds(0) >= TORTURE_DEEP ? TRIES_DEEP : TRIES;
    char dir[TORTURE_PATH], names[4][2 * TORTURE_PATH];
    static const char *const parts[] = {"empty", "fresh", "kept", "work"};
    uint32_t random = torture_seed();
    struct engine *engine;
    struct err err;
    long first, last;

    signal(SIGALRM, on_alarm);
    torture_dir(dir);
    for (int i = 0; i < 4; i++)
        snprintf(names[i], sizeof names[i], "%s/%s", dir, parts[i]);
    engine = open_with(names[0], 1, &err);
    torture_check(engine != NULL, "%s", err.message);
    engine_close(engine);
    torture_copy(names[0], names[1]);
    engine = open_with(names[1], 1, &err);
    torture_check(stored_profiles_put(engine, PROFILES, &err) == ERR_OK, "%s", err.message);
    engine_close(engine);
    torture_copy(names[1], names[2]);
    open_well(names[2], "preparing", 0); /* and with that the vectors are kept */

    first = count_allocations(names[0], names[3]);
    for (int kept = 0; kept < 2; kept++) {
        last = count_allocations(names[1 + kept], names[3]);
        torture_check(last > first, "no more allocations than without profiles");
        for (int persists = 0; persists < 2; persists++) {
            static const char *const says[2][2] = {
                {"vectors to be made", "vectors to be made, and no more memory"},
                {"kept vectors", "kept vectors, and no more memory"}};
            const struct variant variant = {says[kept][persists], names[1 + kept], persists != 0};

            torture_variant(&variant, names[3], first, last, n_tries / 4, &random);
        }
    }
    torture_remove(dir);
    return torture_end("torture_load");
}
