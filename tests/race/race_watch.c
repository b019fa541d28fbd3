/*
 * race_watch: watches opened, read and ended by several threads while one writes profiles, outcomes and
 * programmes, erases, and reloads tables, and the desk's thread keeps the lists. In the end those
 * of a watch that lived through all of it are those of a new one, and nothing is left behind.
 */
#include "call.h"
#include "json.h"
#include "limit_table.h"
#include "race_store.h"
#include "watch_desk.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { WATCHERS = 3, ROUNDS = 120, PROFILES = 24, BYTES_MAX = 4 << 20 };

static struct race_store store;
static struct watch_desk *desk;
static struct call_host host;
static _Atomic int64_t limits[LIMIT_COUNT];
static atomic_bool is_over;
static atomic_int n_told;

static void
poke(void *context)
{
    atomic_store((atomic_bool *)context, true);
}

/* The answer in `out`, packed; an error other than `forgiven` is a fault. Returns the watch, or 0. */
static uint64_t
call_json(const char *method, const char *json, struct watch_seat *seat, enum err_code forgiven,
          struct buf *out)
{
    const struct caller caller = {.role = ROLE_ADMIN, .name = STR_LIT("race")};
    struct arena *arena = arena_create(64 << 20);
    const msgpack_object *params;
    struct err err = {0};
    struct call call;
    uint64_t watch;

    call_init(&call, store.engine, &caller, arena, BYTES_MAX);
    call.host = &host;
    call.limits = limits;
    call.seat = seat;
    if ((json_decode(str_from(json), &value_limits_default, arena, &params, &err) != ERR_OK ||
         call_open(&call, str_from(method), params, &err) != ERR_OK ||
         call_run(&call, &err) != ERR_OK) &&
        err.code != forgiven) {
        fprintf(stderr, "%s %s: ", method, json);
        race_fault(err.message);
    }
    watch = err.code == ERR_OK ? call.watch : 0;
    if (out != NULL)
        buf_append(out, call.answer.data, call.answer.len);
    call_fini(&call);
    arena_destroy(arena);
    return watch;
}

static void
take_all(struct watch_seat *seat)
{
    struct buf news;

    buf_init(&news, BYTES_MAX);
    while (watch_seat_take(seat, &news))
        n_told++;
    buf_fini(&news);
}

static void *
keep(void *unused)
{
    (void)unused;
    while (watch_desk_wait(desk))
        watch_desk_turn(desk);
    return NULL;
}

/* Opens, takes, ends: by unwatch, or by going away. */
static void *
watch_on(void *context)
{
    unsigned index = *(unsigned *)context;
    atomic_bool is_poked = false;

    for (unsigned round = 0; !atomic_load(&is_over); round++) {
        struct watch_seat *seat = watch_seat_create(desk, poke, &is_poked);
        char json[200];
        uint64_t watch;

        snprintf(json, sizeof json,
                 "{\"programme\": \"p\", \"k\": %u, \"side\": \"%s\"%s, \"snapshot\": true}",
                 1 + round % 3, round % 2 == 0 ? "from" : "to",
                 (round + index) % 5 == 0 ? ", \"id\": \"p1\"" : "");
        watch = call_json("match.watch", json, seat, ERR_INVALID_PARAMS, NULL);
        if (watch == 0) /* p1 stands on the other side of it */
            watch = call_json("match.watch", "{\"programme\": \"p\"}", seat, ERR_OK, NULL);
        watch_seat_start(seat, watch);
        for (int i = 0; i < 20; i++)
            take_all(seat);
        if (round % 3 == 0)
            watch_seat_unwatch(seat, watch);
        else if (round % 3 == 1)
            watch_seat_end(seat, "over");
        take_all(seat);
        watch_seat_close(seat);
        watch_seat_drop(seat);
    }
    return NULL;
}

static void
write_on(void)
{
    for (int round = 1; round <= ROUNDS; round++) {
        race_put(&store, round % PROFILES, round);
        if (round % 17 == 0)
            race_put_programme(&store, 1 + round % 5);
        if (round % 7 == 0)
            race_tell(&store, "profile.delete", "{\"id\": \"p2\"}");
        if (round % 41 == 0)
            race_tell(&store, "profile.delete", "{\"id\": \"p4\", \"erase\": true}");
        if (round % 11 == 0)
            race_tell(&store, "outcome.put",
                      "{\"from\": \"p1\", \"to\": \"p6\", \"kind\": \"hosted\", \"at\": "
                      "\"2025-01-01\"}");
    }
}

/* Best comes first in the answer; behind it stand number and seq, which may differ. */
static size_t
best_bytes(const struct buf *answer)
{
    const char *end = memmem(answer->data, answer->len, "\xa5watch", 6);

    return end != NULL ? (size_t)(end - answer->data) : 0;
}

/* All that was committed is in the lists: a wish of its own is opened on what is there now, and the
 * old one must say the same once the desk has nothing left to do. */
static void
compare_at_last(struct watch_seat *seat)
{
    static const char old_wish[] = "{\"programme\": \"p\", \"k\": 5, \"snapshot\": true}";
    static const char new_wish[] =
        "{\"programme\": \"p\", \"k\": 5, \"min_score\": 0, \"snapshot\": true}";
    struct watch_seat *other = watch_seat_create(desk, poke, &(atomic_bool){false});
    struct buf kept, fresh;
    size_t n;

    buf_init(&kept, BYTES_MAX);
    buf_init(&fresh, BYTES_MAX);
    call_json("match.watch", old_wish, seat, ERR_OK, &kept);
    watch_seat_close(seat); /* the last watch of the wish: its lists go */
    call_json("match.watch", new_wish, other, ERR_OK, &fresh);
    n = best_bytes(&kept);
    if (n == 0 || n != best_bytes(&fresh) || memcmp(kept.data, fresh.data, n) != 0)
        race_fault("kept lists are not those of a search");
    watch_seat_close(other);
    watch_seat_drop(other);
    buf_fini(&kept);
    buf_fini(&fresh);
}

int
main(void)
{
    pthread_t watchers[WATCHERS], keeper;
    unsigned indices[WATCHERS];
    atomic_bool is_poked = false;
    struct watch_seat *seat;
    struct err err = {0};

    for (int i = 0; i < LIMIT_COUNT; i++)
        limits[i] = limit_rows[i].preset;
    race_store_open(&store, (struct engine_options){.helpers = 0});
    if (watch_desk_open(store.engine, limits, &desk, &err) != ERR_OK) {
        race_fault(err.message);
        return race_status();
    }
    host.watches = desk;
    race_put_programme(&store, 1);
    for (int i = 0; i < PROFILES; i++)
        race_put(&store, i, 0);
    if (pthread_create(&keeper, NULL, keep, NULL) != 0)
        return 1;
    seat = watch_seat_create(desk, poke, &is_poked);
    watch_seat_start(
        seat, call_json("match.watch", "{\"programme\": \"p\", \"k\": 5}", seat, ERR_OK, NULL));
    for (unsigned i = 0; i < WATCHERS; i++) {
        indices[i] = i;
        if (pthread_create(&watchers[i], NULL, watch_on, &indices[i]) != 0)
            return 1;
    }
    write_on();
    atomic_store(&is_over, true);
    for (int i = 0; i < WATCHERS; i++)
        pthread_join(watchers[i], NULL);
    watch_desk_settle(desk);
    compare_at_last(seat);
    watch_desk_stop(desk);
    pthread_join(keeper, NULL);
    take_all(seat);
    watch_seat_drop(seat);
    watch_desk_close(desk);
    race_store_close(&store);
    if (n_told == 0)
        race_fault("nothing was ever told");
    return race_status();
}
