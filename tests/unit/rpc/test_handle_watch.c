#include "cases.h"
#include "rpc_fixture.h"
#include "watch_desk.h"

#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

/* The desk's work is done here, between the calls, on the test's own thread. */
static struct rpc rpc;

static void
setup(void)
{
    rpc_open(&rpc);
    rpc_load_demo(&rpc);
}

static void
teardown(void)
{
    rpc_close(&rpc);
}

TestSuite(match_watch, .init = setup, .fini = teardown);

#define ONE \
    "{\"programme\": \"bilocation\", \"pairing\": \"hosting\", \"id\": \"demo-startup-001\", \"k\": 3"
static const char one[] = ONE "}", one_snapshot[] = ONE ", \"snapshot\": true}";
static const char all[] = "{\"programme\": \"bilocation\", \"pairing\": \"hosting\", \"k\": 4}";

static uint64_t
watch(const char *json)
{
    rpc_ok(&rpc, "match.watch", json);
    cr_assert_neq(rpc.watch, 0);
    watch_seat_start(rpc.seat, rpc.watch);
    return rpc.watch;
}

/* The next notification's map, after a turn; NULL: there is none. */
static const msgpack_object *
told(void)
{
    const msgpack_object *frame = NULL;
    struct err err = {0};
    struct buf news;

    watch_desk_turn(rpc.host.watches);
    buf_init(&news, 0);
    if (watch_seat_take(rpc.seat, &news)) {
        const void *copy = arena_copy(rpc.arena, news.data, news.len);

        cr_assert_eq(value_decode(copy, news.len, &value_limits_default, rpc.arena, &frame, &err),
                     ERR_OK, "%s", err.message);
        cr_assert_eq(value_size(frame), 3);
        cr_assert_str_eq(rpc_text(&rpc, frame, "[1]"), "match.changed");
    }
    buf_fini(&news);
    return frame != NULL ? rpc_at(frame, "[2][0]") : NULL;
}

static void
patch(const char *id, const char *changes)
{
    char json[300];

    snprintf(json, sizeof json, "{\"id\": \"%s\", \"changes\": %s}", id, changes);
    rpc_ok(&rpc, "profile.patch", json);
}

/* What a watch of the same wish shows now, against a fresh search. */
static void
check_agrees(void)
{
    const msgpack_object *top = rpc_ok(&rpc, "match.top", one);
    const msgpack_object *best = rpc_ok(&rpc, "match.watch", one_snapshot);
    const msgpack_object *matches = value_find(top, "matches");
    const msgpack_object *listed =
        value_size(value_find(best, "best")) > 0 ? rpc_at(best, "best[0].matches") : NULL;

    cr_assert_eq(value_size(listed), value_size(matches));
    for (size_t i = 0; i < value_size(matches); i++) {
        cr_expect(value_equal(value_find(value_at(listed, i), "id"),
                              value_find(value_at(matches, i), "id")));
        cr_expect(value_equal(value_find(value_at(listed, i), "score"),
                              value_find(value_at(matches, i), "score")));
    }
    watch_seat_unwatch(rpc.seat, rpc.watch);
}

Test(match_watch, needs_a_service)
{
    rpc_fails(&rpc, "match.watch", one, ERR_INVALID_PARAMS, "");
    cr_expect(strstr(rpc.err.message, "jumelaged") != NULL, "%s", rpc.err.message);
}

Test(match_watch, tells_who_left_and_who_entered)
{
    const msgpack_object *top = rpc_ok(&rpc, "match.top", one), *news;
    const char *best = rpc_text(&rpc, top, "matches[0].id");
    int64_t score = rpc_int(top, "matches[0].score");
    uint64_t number;

    rpc_seat(&rpc);
    number = watch(one);
    cr_expect_null(told());
    patch(best, "{\"status\": \"paused\"}");
    news = told();
    if (news == NULL) /* the first that a follower hears is "everything": nothing may have moved */
        news = told();
    cr_assert_not_null(news);
    cr_expect_eq(rpc_int(news, "watch"), (int64_t)number);
    cr_expect_eq(rpc_int(news, "seq"), (int64_t)rpc_seq(&rpc));
    cr_expect(rpc_bool(news, "complete"));
    cr_expect_eq(value_size(value_find(news, "changes")), 4); /* 2 and 3 move up, one comes in */
    cr_expect_str_eq(rpc_text(&rpc, news, "changes[0].change"), "left");
    cr_expect_str_eq(rpc_text(&rpc, news, "changes[0].other"), best);
    cr_expect_eq(rpc_int(news, "changes[0].rank_before"), 1);
    cr_expect_eq(rpc_int(news, "changes[0].score_before"), score);
    cr_expect(value_is_nil(rpc_at(news, "changes[0].rank")));
    cr_expect_str_eq(rpc_text(&rpc, news, "changes[1].change"), "moved");
    cr_expect_eq(rpc_int(news, "changes[1].rank"), 1);
    cr_expect_str_eq(rpc_text(&rpc, news, "changes[3].change"), "entered");
    cr_expect(value_is_nil(rpc_at(news, "changes[3].rank_before")));
    check_agrees();
    patch(best, "{\"status\": null}");
    cr_assert_not_null(told());
    check_agrees();
}

Test(match_watch, agrees_after_outcomes_programmes_deletions_and_another_day)
{
    const char *json;

    rpc_seat(&rpc);
    watch(one);
    rpc_ok(
        &rpc, "outcome.put",
        "{\"from\": \"demo-startup-002\", \"to\": \"demo-host-01\", \"kind\": \"hosted\", \"at\": "
        "\"2026-03-02\"}");
    told();
    check_agrees();
    patch("demo-startup-002", "{\"sectors\": [\"health\", \"ai\"]}");
    told();
    check_agrees();
    rpc_ok(&rpc, "profile.delete", "{\"id\": \"demo-host-01\"}");
    told();
    check_agrees();
    patch("demo-startup-001", "{\"consent\": {\"match\": true, \"share\": true, \"basis\": \"x\", "
                              "\"until\": \"2026-06-01\"}}");
    told();
    check_agrees();
    rpc.clock.fixed_wall_ms += 86400000; /* the consent has lapsed */
    patch("demo-startup-002", "{\"sectors\": [\"ai\"]}");
    told();
    check_agrees();
    cr_expect_eq(value_size(rpc_at(rpc_ok(&rpc, "match.top", one), "matches")), 0);
    patch("demo-startup-001",
          "{\"consent\": {\"match\": true, \"share\": true, \"basis\": \"x\"}}");
    told();
    check_agrees();
    json = arena_format(rpc.arena,
                        "{\"programme\": {\"id\": \"bilocation\", \"name\": {\"en\": \"B\"}, "
                        "\"pairings\": [{\"id\": \"hosting\", \"from\": {\"kind\": \"startup\"}, "
                        "\"to\": {\"kind\": \"incubator\"}, \"from_wants\": [{\"id\": \"s\", "
                        "\"type\": \"overlap\", \"of\": \"sectors\", \"by\": \"sectors\", "
                        "\"weight\": 1}]}]}}")
               .data;
    rpc_ok(&rpc, "programme.put", json);
    told();
    check_agrees();
}

Test(match_watch, several_commits_are_one_notification)
{
    const msgpack_object *news;
    int64_t before;

    rpc_seat(&rpc);
    patch("demo-startup-003", "{\"sectors\": [\"ai\"]}"); /* "everything" is heard, by nobody */
    watch(all);
    before = (int64_t)rpc_seq(&rpc);
    patch("demo-startup-001", "{\"sectors\": [\"health\"]}");
    patch("demo-startup-001", "{\"sectors\": [\"mob\"]}");
    patch("demo-startup-002", "{\"sectors\": [\"bio\"]}");
    news = told();
    cr_assert_not_null(news);
    cr_expect_leq(rpc_int(news, "from_seq"), before);
    cr_expect_eq(rpc_int(news, "seq"), before + 3);
    cr_expect_null(told());
}

Test(match_watch, over_its_bytes_it_is_told_that_it_missed)
{
    const msgpack_object *news = NULL;

    rpc_seat(&rpc);
    rpc.limits[LIMIT_WATCH_BYTES] = 4096;
    watch(all);
    for (int i = 0; i < 40; i++) {
        patch("demo-host-01",
              i % 2 == 0 ? "{\"sectors\": [\"ai\"]}" : "{\"sectors\": [\"health\"]}");
        watch_desk_turn(rpc.host.watches);
    }
    news = told();
    cr_assert_not_null(news);
    cr_expect(rpc_bool(news, "missed"));
    cr_expect_not(rpc_bool(news, "complete"));
    cr_expect_eq(rpc_int(news, "resume_seq"), (int64_t)rpc_seq(&rpc));
    cr_expect_eq(value_size(value_find(news, "changes")), 0);
    cr_expect_null(told());
    patch("demo-host-01", "{\"status\": \"paused\"}");
    news = told();
    if (news != NULL) {
        cr_expect(rpc_bool(news, "complete"));
        cr_expect_eq(rpc_int(news, "from_seq") + 1, rpc_int(news, "seq"));
    }
}

Test(match_watch, ends_with_its_programme)
{
    const msgpack_object *news;

    rpc_seat(&rpc);
    watch(one);
    rpc_ok(&rpc, "programme.delete", "{\"id\": \"bilocation\"}");
    news = told();
    cr_assert_not_null(news);
    cr_expect(rpc_bool(news, "ended"));
    cr_expect(strstr(rpc_text(&rpc, news, "why"), "no programme") != NULL);
    cr_expect_null(told());
    cr_expect_not(watch_seat_is_watching(rpc.seat));
}

/* ---- opening ---- */

static _Atomic long n_questions;

static bool
goes_away_at_the_third(void *context)
{
    (void)context;
    return atomic_fetch_add(&n_questions, 1) >= 2;
}

static int64_t
watch_count(const char *name)
{
    return rpc_int(rpc_ok(&rpc, "system.stats", "{}"),
                   arena_format(rpc.arena, "watches.%s", name).data);
}

Test(match_watch, a_connection_that_goes_while_lists_are_made_leaves_nothing)
{
    for (rpc.helpers = 0; rpc.helpers <= 2; rpc.helpers += 2) {
        if (rpc.seat == NULL)
            rpc_seat(&rpc);
        atomic_store(&n_questions, 0);
        rpc.is_cancelled = goes_away_at_the_third;
        cr_assert_null(rpc_call(&rpc, "match.watch", all));
        cr_expect_eq(rpc.err.code, ERR_CANCELLED, "%s", rpc.err.message);
        rpc.is_cancelled = NULL;
        cr_expect_geq(atomic_load(&n_questions), 3, "it was asked while lists were made");
        cr_expect_not(watch_seat_is_watching(rpc.seat));
        for (const char *const *name = (const char *const[]){"watches", "standings", "lists",
                                                             "list_bytes", "being_made", NULL};
             *name != NULL; name++)
            cr_expect_eq(watch_count(*name), 0, "%s", *name);
    }
}

/* Two ask for the same lists; the first goes away while it makes them, once the second waits for them. */
struct second {
    pthread_t thread;
    sem_t waits;
    enum err_code code;
    struct watch_opened opened;
    struct err err;
};
static const struct watch_wish whole_side = {.programme = STR_LIT("bilocation"),
                                             .pairing = STR_LIT("hosting"),
                                             .on_from = true,
                                             .k = 4,
                                             .min_score = 0};

static bool
says_that_it_waits(void *context)
{
    struct second *second = context;

    sem_post(&second->waits);
    return false;
}

static void *
watch_second(void *context)
{
    struct second *second = context;
    const struct standing_stop stop = {says_that_it_waits, second};
    const struct watch_asker asker = {.stop = &stop};

    second->code = watch_desk_watch(rpc.host.watches, rpc.seat, &whole_side, &asker,
                                    &second->opened, &second->err);
    return NULL;
}

static bool
goes_once_the_second_waits(void *context)
{
    struct second *second = context;

    if (second->thread == 0) {
        cr_assert_eq(pthread_create(&second->thread, NULL, watch_second, second), 0);
        sem_wait(&second->waits); /* the group is found by then: it asks only where it waits */
    }
    return true;
}

Test(match_watch, who_waited_makes_the_lists_that_another_left)
{
    static struct second second;
    const struct standing_stop stop = {goes_once_the_second_waits, &second};
    const struct watch_asker first = {.stop = &stop};
    struct watch_opened opened;
    struct err err = {0};

    rpc_seat(&rpc);
    sem_init(&second.waits, 0, 0);
    cr_expect_eq(watch_desk_watch(rpc.host.watches, rpc.seat, &whole_side, &first, &opened, &err),
                 ERR_CANCELLED);
    cr_assert_neq(second.thread, 0, "the first was asked while it made them");
    pthread_join(second.thread, NULL);
    cr_assert_eq(second.code, ERR_OK, "%s", second.err.message);
    cr_expect_gt(second.opened.n_lists, 1);
    cr_expect_eq(second.err.code, ERR_OK);
    cr_expect_eq(watch_count("watches"), 1);
    cr_expect_eq(watch_count("standings"), 1);
    sem_destroy(&second.waits);
}

/* ---- erasure ---- */

static void
erase(const char *id)
{
    rpc_ok(&rpc, "profile.delete",
           arena_format(rpc.arena, "{\"id\": \"%s\", \"erase\": true}", id).data);
}

/* Does any text in it hold this one? */
static bool
holds(const msgpack_object *value, const char *text)
{
    struct str s;

    if (value_str(value, &s))
        return s.len > 0 && memmem(s.data, s.len, text, strlen(text)) != NULL;
    for (size_t i = 0; i < value_size(value); i++)
        if (holds(value_is_map(value) ? value_of(value, i) : value_at(value, i), text))
            return true;
    return false;
}

static const char *
best_of_one(void)
{
    return rpc_text(&rpc, rpc_ok(&rpc, "match.top", one), "matches[0].id");
}

Test(match_watch, an_erased_profile_leaves_without_its_name)
{
    const char *best = best_of_one();
    const msgpack_object *news, *left;

    rpc_seat(&rpc);
    patch("demo-startup-003", "{\"sectors\": [\"ai\"]}"); /* "everything" is heard, by nobody */
    watch(one);
    erase(best);
    news = told();
    cr_assert_not_null(news);
    cr_expect_not(holds(news, best));
    cr_expect(rpc_bool(news, "complete"));
    left = rpc_at(news, "changes[0]");
    cr_expect_str_eq(rpc_text(&rpc, left, "change"), "left");
    cr_expect(rpc_bool(left, "erased"));
    cr_expect_eq(rpc_int(left, "rank_before"), 1);
    cr_expect(value_is_nil(rpc_at(left, "other")));
    cr_expect(value_is_nil(rpc_at(left, "score_before")));
    check_agrees();
}

Test(match_watch, one_that_is_only_deleted_leaves_by_name)
{
    const char *best = best_of_one();
    const msgpack_object *news;

    rpc_seat(&rpc);
    patch("demo-startup-003", "{\"sectors\": [\"ai\"]}");
    watch(one);
    rpc_ok(&rpc, "profile.delete", arena_format(rpc.arena, "{\"id\": \"%s\"}", best).data);
    news = told();
    cr_assert_not_null(news);
    cr_expect_str_eq(rpc_text(&rpc, news, "changes[0].other"), best);
}

Test(match_watch, what_waits_and_names_an_erased_profile_is_not_told)
{
    const char *best = best_of_one();
    const msgpack_object *news;
    struct buf frame;

    rpc_seat(&rpc);
    patch("demo-startup-003", "{\"sectors\": [\"ai\"]}");
    watch(one);
    patch(best, "{\"status\": \"paused\"}");
    watch_desk_turn(rpc.host.watches); /* "left", by name, waits */
    erase(best);
    buf_init(&frame, 0);
    cr_assert(watch_seat_take(rpc.seat, &frame)); /* before the desk's next turn */
    cr_expect(memmem(frame.data, frame.len, best, strlen(best)) == NULL);
    cr_expect(memmem(frame.data, frame.len, "missed", 6) != NULL);
    buf_fini(&frame);
    news = told();
    cr_expect(news == NULL || !holds(news, best));
    check_agrees();
}

Test(match_watch, the_list_of_an_erased_profile_ends_or_is_missed)
{
    const msgpack_object *news;
    uint64_t own;
    int n_missed = 0, n_ended = 0;

    rpc_seat(&rpc);
    patch("demo-startup-003", "{\"sectors\": [\"ai\"]}");
    own = watch(one);
    watch(all);
    erase("demo-startup-001");
    while ((news = told()) != NULL) {
        bool has_ended = !value_is_nil(value_find(news, "ended"));

        cr_expect_not(holds(news, "demo-startup-001"));
        cr_expect_eq(has_ended, rpc_int(news, "watch") == (int64_t)own);
        n_ended += has_ended;
        n_missed += !value_is_nil(value_find(news, "missed"));
    }
    cr_expect_eq(n_ended, 1);
    cr_expect_eq(n_missed, 1);
}

/* Where there was no memory to remember whom, whoever is gone may have been the one. */
Test(match_watch, an_erased_profile_is_not_named_whatever_allocation_fails)
{
    rpc_seat(&rpc);
    for (long n = 1; n < 60; n++) {
        const char *best = best_of_one();
        const msgpack_object *news;

        patch("demo-startup-003", "{\"sectors\": [\"ai\"]}");
        watch(one);
        rpc.fail_at = n;
        rpc_call(&rpc, "profile.delete",
                 arena_format(rpc.arena, "{\"id\": \"%s\", \"erase\": true}", best).data);
        rpc.fail_at = 0;
        if (rpc_call(&rpc, "profile.get", arena_format(rpc.arena, "{\"id\": \"%s\"}", best).data) ==
            NULL) {
            while ((news = told()) != NULL)
                cr_expect_not(holds(news, best), "allocation %ld", n);
            n += 7; /* there are not so many hosts */
        }
        watch_seat_end(rpc.seat, "over");
        while (told() != NULL)
            ;
    }
}

/* In place of "out of memory" by turns: an error or an answer, and nothing is left behind. */
Test(match_watch, survives_the_failure_of_any_allocation)
{
    bool happened = true;

    rpc_seat(&rpc);
    for (long n = 1; happened; n += n < 200 ? 1 : 37) {
        rpc.fail_at = n;
        rpc_call(&rpc, "match.watch", one_snapshot);
        happened = rpc.has_failed;
        rpc.fail_at = 0;
        if (rpc.watch != 0)
            cr_assert(watch_seat_unwatch(rpc.seat, rpc.watch));
        cr_assert_not(watch_seat_is_watching(rpc.seat), "allocation %ld", n);
    }
}
