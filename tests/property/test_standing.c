/* Standing lists against fresh searches, and what they tell against both, on random edit scripts. */
#include "sample.h"
#include "standing.h"
#include "world.h"

#include <criterion/criterion.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ROUNDS = 12, STEPS = 25, PROFILES_MAX = 260, CHANGES_MAX = 64, K_MAX = 12 };

static uint64_t
number_of(const char *name, uint64_t otherwise)
{
    const char *text = getenv(name);

    return text != NULL && *text != 0 ? strtoull(text, NULL, 10) : otherwise;
}

/* What somebody knows who was only ever told events. */
struct replay_entry {
    uint32_t rank;
    int32_t score;
    char id[8];
};
struct replay_list {
    struct replay_entry entries[K_MAX];
    size_t n;
};

struct script {
    struct world world;
    struct sample sample;
    uint64_t seed;
    const char *pairing;
    bool has_other; /* the pairing's other direction has lists of its own */
    bool is_mirrored;
    const char *day;
    int n_ids;
    struct standing_spec spec;
    struct standing *standing;
    struct standing_plans plans;
    uint32_t rows[CHANGES_MAX], parties[CHANGES_MAX];
    size_t n_rows, n_parties;
    const char *changed[CHANGES_MAX]; /* ids, by the time of publishing */
    const char *named[CHANGES_MAX];
    size_t n_changed, n_named;
    struct replay_list replay[PROFILES_MAX]; /* by number of the id */
    char last_id[8];
    uint32_t last_order;
    size_t n_events;
};

#define SEED(script) (unsigned long long)(script)->seed

static const struct standing_stop never_stop = {NULL, NULL};

/* ---- edits ---- */

static const char *
id_of(struct script *script, int n)
{
    return arena_format(script->world.arena, "p%04d", n).data;
}

static void
edit_put(struct script *script, int i)
{
    struct buf json;

    buf_init(&json, 1 << 20);
    sample_profile(&script->sample, i, script->n_ids, &json);
    world_put(&script->world, arena_text(script->world.arena, buf_str(&json)));
    buf_fini(&json);
    script->changed[script->n_changed++] = id_of(script, i);
}

static void
edit_delete(struct script *script, int i)
{
    const char *id = id_of(script, i);

    if (roster_find(script->world.roster, str_from(id)) == ROSTER_NO_ROW)
        return;
    world_delete(&script->world, id);
    script->changed[script->n_changed++] = id;
}

static void
edit_outcome(struct script *script)
{
    int from = (int)sample_below(&script->sample, script->n_ids);
    int to = (from + 1 + (int)sample_below(&script->sample, script->n_ids - 1)) % script->n_ids;
    const char *from_id = id_of(script, from), *to_id = id_of(script, to);

    world_outcome(&script->world, from_id, to_id,
                  arena_format(script->world.arena, "2024-02-%02d",
                               1 + (int)sample_below(&script->sample, 28))
                      .data,
                  sample_chance(&script->sample, 80));
    script->named[script->n_named++] = from_id;
    script->named[script->n_named++] = to_id;
}

static void
edit_some(struct script *script)
{
    int n = sample_chance(&script->sample, 60) ? 1 : 1 + (int)sample_below(&script->sample, 8);

    script->n_changed = script->n_named = 0;
    for (int i = 0; i < n; i++) {
        int64_t what = sample_below(&script->sample, 100);
        int id = (int)sample_below(&script->sample, script->n_ids);

        if (what < 60)
            edit_put(script, id);
        else if (what < 80)
            edit_delete(script, id);
        else
            edit_outcome(script);
    }
}

static size_t
rows_of(const struct script *script, struct roster *old, const char *const *ids, size_t n,
        uint32_t *rows)
{
    size_t n_rows = 0;

    for (size_t i = 0; i < n; i++) {
        uint32_t row = roster_find(script->world.roster, str_from(ids[i]));

        if (row == ROSTER_NO_ROW)
            row = roster_find(old, str_from(ids[i]));
        if (row != ROSTER_NO_ROW)
            rows[n_rows++] = row;
    }
    return n_rows;
}

/* ---- what is told ---- */

static struct replay_list *
replay_of(struct script *script, struct str id)
{
    int n = 0;

    cr_assert(id.len == 5 && id.data[0] == 'p');
    for (size_t i = 1; i < id.len; i++)
        n = 10 * n + (id.data[i] - '0');
    return &script->replay[n];
}

static void
forget(struct replay_list *list, struct str other)
{
    size_t kept = 0;

    for (size_t i = 0; i < list->n; i++)
        if (!str_is(other, list->entries[i].id))
            list->entries[kept++] = list->entries[i];
    list->n = kept;
}

static const struct replay_entry *
recall(const struct replay_list *list, struct str other)
{
    for (size_t i = 0; i < list->n; i++)
        if (str_is(other, list->entries[i].id))
            return &list->entries[i];
    return NULL;
}

/* Ranks of different events may pass each other for a while: entries are put in order at the end. */
static void
hear(void *context, const struct standing_event *event)
{
    struct script *script = context;
    struct replay_list *list = replay_of(script, event->id);
    const struct replay_entry *known = recall(list, event->other);
    uint32_t order = event->change == STANDING_LEFT ? event->before : 1000 + event->rank;
    int compared = str_compare(event->id, str_from(script->last_id));

    cr_assert(compared > 0 || (compared == 0 && order > script->last_order),
              "JML_SEED=%llu: events come by id, then those that left, then by rank", SEED(script));
    snprintf(script->last_id, sizeof script->last_id, "%.*s", STR_ARG(event->id));
    script->last_order = order;
    script->n_events++;
    cr_assert_eq(known != NULL, event->change != STANDING_ENTERED, "JML_SEED=%llu", SEED(script));
    cr_assert_eq(event->before != 0, known != NULL);
    cr_assert_eq(event->rank != 0, event->change != STANDING_LEFT);
    if (known != NULL) {
        cr_assert_eq(known->rank, event->before, "JML_SEED=%llu", SEED(script));
        cr_assert_eq(known->score, event->old_score, "JML_SEED=%llu", SEED(script));
        cr_assert(event->rank != event->before || event->score != event->old_score);
    }
    forget(list, event->other);
    if (event->rank != 0) {
        struct replay_entry *entry = &list->entries[list->n++];

        cr_assert_leq(list->n, K_MAX);
        *entry = (struct replay_entry){.rank = event->rank, .score = event->score};
        snprintf(entry->id, sizeof entry->id, "%.*s", STR_ARG(event->other));
    }
}

/* ---- what must be ---- */

static void
check_list(struct script *script, uint32_t row)
{
    const struct roster *roster = script->world.roster;
    const struct facts *facts = roster_facts(roster, row);
    struct match_query query = {.viewer = facts,
                                .row = row,
                                .on_from = script->spec.on_from,
                                .k = script->spec.k,
                                .min_score = script->spec.min_score};
    struct replay_list *replay = replay_of(script, facts->id);
    struct standing_list list = {.n = 0};
    struct match_list fresh;
    struct err err = {0};

    cr_assert_eq(match_top(script->plans.plan, &query, script->world.arena, &fresh, &err), ERR_OK);
    standing_find(script->standing, facts->id, &list);
    cr_assert_eq(list.n, fresh.n, "JML_SEED=%llu JML_ROUNDS=1: %.*s has %zu, a search finds %zu",
                 SEED(script), STR_ARG(facts->id), list.n, fresh.n);
    cr_assert_eq(replay->n, fresh.n, "JML_SEED=%llu JML_ROUNDS=1: told %zu of %.*s, not %zu",
                 SEED(script), replay->n, STR_ARG(facts->id), fresh.n);
    for (size_t i = 0; i < fresh.n; i++) {
        struct str other = roster_facts(roster, fresh.hits[i].row)->id;
        const struct replay_entry *told = recall(replay, other);

        cr_assert(list.rows[i] == fresh.hits[i].row && list.scores[i] == fresh.hits[i].score.score,
                  "JML_SEED=%llu JML_ROUNDS=1: rank %zu of %.*s", SEED(script), i + 1,
                  STR_ARG(facts->id));
        cr_assert(told != NULL && told->rank == i + 1 && told->score == list.scores[i],
                  "JML_SEED=%llu JML_ROUNDS=1: told of rank %zu of %.*s", SEED(script), i + 1,
                  STR_ARG(facts->id));
    }
}

/* A profile that fits the other direction too has its list there. */
static bool
is_ours(const struct script *script, const struct facts *facts)
{
    const struct programme *programme =
        world_programme((struct world *)&script->world, script->pairing);
    struct str kind = symbols_text(script->world.symbols, facts->kind);
    struct str metro = facts->metro != SYMBOL_NONE
                           ? symbols_text(script->world.symbols, facts->metro)
                           : STR_LIT("");

    return !script->has_other || !pairing_fits(&programme->pairings[0], !script->is_mirrored,
                                               script->spec.on_from, kind, metro);
}

static void
check_all(struct script *script)
{
    const struct roster *roster = script->world.roster;

    for (uint32_t row = 0; row < roster_rows(roster); row++) {
        const struct facts *facts = roster_facts(roster, row);
        struct arena_mark mark = arena_mark(script->world.arena);

        if (facts == NULL)
            continue;
        if (script->spec.only.len > 0 && !str_equal(script->spec.only, facts->id))
            cr_assert_eq(replay_of(script, facts->id)->n, 0);
        else if (is_ours(script, facts))
            check_list(script, row);
        else
            cr_assert_eq(replay_of(script, facts->id)->n, 0);
        arena_release(script->world.arena, mark);
    }
}

/* ---- scripts ---- */

static void
make_plans(struct script *script)
{
    script->plans = (struct standing_plans){
        .plan = world_plan(&script->world, script->pairing, script->is_mirrored, script->day, NULL),
        .other = script->has_other ? world_plan(&script->world, script->pairing,
                                                !script->is_mirrored, script->day, NULL)
                                   : NULL};
}

static void
begin_telling(struct script *script)
{
    script->last_id[0] = '\0';
    script->last_order = 0;
}

static struct standing *
fill_anew(struct script *script)
{
    struct standing *standing;
    struct err err = {0};
    size_t n, middle;

    cr_assert_eq(standing_create(&script->spec, &script->plans, &standing, &err), ERR_OK, "%s",
                 err.message);
    n = standing_n_places(standing);
    middle = n > 0 ? (size_t)sample_below(&script->sample, (int64_t)n) : 0;
    cr_assert_eq(standing_fill(standing, &script->plans, middle, n - middle, &never_stop, &err),
                 ERR_OK);
    cr_assert_eq(standing_fill(standing, &script->plans, 0, middle, &never_stop, &err), ERR_OK);
    return standing;
}

static void
compare_anew(struct script *script)
{
    const struct standing_teller teller = {hear, script};
    struct standing *next = fill_anew(script);
    struct err err = {0};

    begin_telling(script);
    if (script->standing != NULL) {
        cr_assert_eq(standing_compare(script->standing, next, &teller, &err), ERR_OK);
        standing_destroy(script->standing);
        script->standing = next;
        return;
    }
    script->standing = next;
    for (size_t i = 0; i < standing_n_places(next); i++) {
        struct standing_list list;

        if (!standing_look(next, i, &list))
            continue;
        for (size_t at = 0; at < list.n; at++) {
            struct standing_event event = {
                .change = STANDING_ENTERED,
                .id = list.id,
                .other = roster_facts(script->world.roster, list.rows[at])->id,
                .rank = (uint32_t)at + 1,
                .score = list.scores[at]};

            script->last_id[0] = '\0'; /* places are in no order */
            hear(script, &event);
        }
    }
}

static const char *
random_pairing(struct script *script)
{
    struct sample_pairing how = {.from_scale = 1,
                                 .to_scale = 1,
                                 .has_require = sample_chance(&script->sample, 50),
                                 .is_mirrored = script->has_other};
    const char *text;
    struct buf json;

    buf_init(&json, 1 << 20);
    sample_pairing(&script->sample, &how, &json);
    text = arena_text(script->world.arena, buf_str(&json));
    buf_fini(&json);
    return text;
}

static void
open_script(struct script *script, uint64_t seed)
{
    static const int sizes[] = {30, 90, 240};

    *script = (struct script){.sample = {seed}, .seed = seed};
    world_open(&script->world);
    script->world.leaves_texts = sample_chance(&script->sample, 50);
    script->n_ids = sizes[sample_below(&script->sample, 3)];
    script->day = "2026-03-01";
    for (int i = 0; i < script->n_ids; i++)
        if (sample_chance(&script->sample, 80)) {
            script->n_changed = 0;
            edit_put(script, i);
        }
    for (int i = 0; i < 60; i++) {
        script->n_named = 0;
        edit_outcome(script);
    }
    world_publish(&script->world);
    script->has_other = sample_chance(&script->sample, 30);
    script->is_mirrored = script->has_other && sample_chance(&script->sample, 50);
    script->pairing = random_pairing(script);
    script->spec = (struct standing_spec){
        .on_from = sample_chance(&script->sample, 50),
        .k = 1 + (size_t)sample_below(&script->sample, K_MAX),
        .min_score =
            sample_chance(&script->sample, 70) ? 0 : (int32_t)sample_below(&script->sample, 8000),
        .bytes_max = 64 << 20};
    if (sample_chance(&script->sample, 15))
        script->spec.only =
            str_from(id_of(script, (int)sample_below(&script->sample, script->n_ids)));
    make_plans(script);
    compare_anew(script);
}

static void
step(struct script *script)
{
    const struct standing_teller teller = {hear, script};
    struct standing_changes changes;
    struct roster *old = roster_hold(script->world.roster);
    int64_t what = sample_below(&script->sample, 100);
    bool is_too_much = false;
    struct err err = {0};

    edit_some(script);
    world_publish(&script->world);
    if (what < 6)
        script->day = script->day[3] == '6' ? "2025-01-01" : "2026-03-01";
    else if (what < 12)
        script->pairing = random_pairing(script);
    make_plans(script);
    changes = (struct standing_changes){.rows = script->rows, .parties = script->parties};
    changes.n_rows = rows_of(script, old, script->changed, script->n_changed, script->rows);
    changes.n_parties = rows_of(script, old, script->named, script->n_named, script->parties);
    begin_telling(script);
    if (what >= 12)
        cr_assert_eq(standing_update(script->standing, &script->plans, &changes, &teller,
                                     &never_stop, &is_too_much, &err),
                     ERR_OK, "%s", err.message);
    if (what < 12 || is_too_much)
        compare_anew(script);
    roster_drop(old);
}

static void
run_script(uint64_t seed, size_t *n_events, struct standing_counts *counts)
{
    struct script *script = malloc(sizeof *script);

    open_script(script, seed);
    check_all(script);
    for (int i = 0; i < STEPS; i++) {
        struct standing_counts now;

        step(script);
        check_all(script);
        now = standing_counts(script->standing);
        counts->updates += now.updates > 0;
        counts->sweeps += now.sweeps;
        counts->searches += now.searches;
    }
    *n_events += script->n_events;
    standing_destroy(script->standing);
    world_close(&script->world);
    free(script);
}

Test(standing, is_what_a_fresh_search_finds_after_every_edit, .timeout = 0)
{
    uint64_t seed = number_of("JML_SEED", 20261126), n = number_of("JML_ROUNDS", ROUNDS);
    struct standing_counts counts = {0};
    size_t n_events = 0;

    for (uint64_t round = 0; round < n; round++)
        run_script(seed + round, &n_events, &counts);
    if (n >= ROUNDS) { /* each way was gone */
        cr_expect_gt(n_events, 1000);
        cr_expect_gt(counts.updates, 0);
        cr_expect_gt(counts.sweeps, 0);
        cr_expect_gt(counts.searches, 0);
    }
}
