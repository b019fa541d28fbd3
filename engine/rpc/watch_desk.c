#include "watch_desk.h"

#include "alloc.h"
#include "arena.h"
#include "engine_follow.h"
#include "limit_table.h"
#include "value.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum {
    LOG_BYTES_MAX = 8 * 1024 * 1024, /* of changes that some group has not seen */
    WAIT_MS = 50,
    WHY_BYTES = 200,
    FRAME_MORE_BYTES = 1024, /* of a notification beside its changes */
    PENDING_SHARE = 4        /* all that is pending: at most this part of total_bytes */
};

struct batch { /* what one commit changed; in its arena; unchanging */
    struct batch *next;
    uint64_t number; /* one more than the last */
    bool is_everything;
    size_t bytes, n_profiles, n_parties, n_programmes;
    struct str *profiles, *parties, *programmes;
    struct arena *arena;
};

enum group_state {
    GROUP_OPENING, /* the lists are being made by a call */
    GROUP_READY,
    GROUP_FAILED /* leaves when the last has dropped it */
};

struct group {
    struct group *next;
    enum group_state state;
    unsigned n_users;        /* watches, calls, the turn */
    uint64_t cursor;         /* number of the last batch that the lists contain */
    uint64_t seq;            /* of the lists */
    uint64_t roster_seq;     /* of the roster that they were made on */
    bool is_at_work;         /* a turn has it in hand */
    size_t n_lists, n_bytes; /* as of the last work */
    _Atomic bool is_wanted;  /* false: long work on it may end */
    struct watch_desk *desk;
    struct watch *watches;
    pthread_mutex_t work; /* around `lists` */
    struct watch_lists lists;
    struct err err; /* of a failed opening */
};

struct watch {
    struct watch *next_of_group, *next_of_seat;
    struct watch_seat *seat;
    struct group *group;
    uint64_t number;
    uint64_t told_seq, seq; /* of the last notification taken; of what is pending */
    struct buf changes;
    size_t n_changes;
    bool is_started, has_news, has_missed;
    char why[WHY_BYTES]; /* it has ended; empty: it has not */
};

struct watch_seat {
    _Atomic unsigned n_holders;
    struct watch_desk *desk; /* not to be looked at once closed */
    void (*poke)(void *context);
    void *context;
    struct watch *watches;
    _Atomic unsigned n_watches; /* with those that are being opened */
    bool is_closed;
};

struct desk_counts {
    uint64_t updates, changes, missed, notifications;
    uint64_t us_last, us_longest, us_all;
};

struct watch_desk {
    struct engine *engine;
    const _Atomic int64_t *limits;
    struct follower follower;
    pthread_mutex_t lock; /* of everything below */
    pthread_cond_t wake, opened;
    _Atomic bool is_stopping;

    struct batch *first, *last;
    size_t log_bytes;
    uint64_t last_number, lost_number; /* batches up to lost_number are not kept: everything */
    uint64_t seq;                      /* of the last batch */
    struct engine_view latest;         /* of the last batch; roster NULL: none */

    struct group *groups;
    uint64_t last_watch;
    size_t n_watches, n_lists, n_bytes, pending_bytes;
    struct desk_counts counts;
};

static int64_t
limit_of(const struct watch_desk *desk, enum limit limit)
{
    return desk->limits[limit];
}

/* ---- the log ---- */

static void
batch_destroy(struct batch *batch)
{
    arena_destroy(batch->arena);
    mem_free(batch);
}

/* Drops all that is kept: who has not seen it takes everything for changed. */
static void
log_lose(struct watch_desk *desk)
{
    while (desk->first != NULL) {
        struct batch *next = desk->first->next;

        batch_destroy(desk->first);
        desk->first = next;
    }
    desk->last = NULL;
    desk->log_bytes = 0;
    desk->lost_number = desk->last_number;
}

/* Ids of one list, copied. False if out of memory. */
static bool
copy_ids(struct batch *batch, const struct changed_id *from, struct str **ids, size_t *n)
{
    size_t count = 0;

    for (const struct changed_id *one = from; one != NULL; one = one->next)
        count++;
    *ids = arena_alloc(batch->arena, count, sizeof **ids);
    for (; from != NULL && *ids != NULL; from = from->next) {
        struct str id = arena_str(batch->arena, from->id);

        if (id.data == NULL)
            return false;
        (*ids)[(*n)++] = id;
    }
    return *ids != NULL;
}

static bool
copy_parties(struct batch *batch, const struct added_outcome *from)
{
    size_t count = 0;

    for (const struct added_outcome *one = from; one != NULL; one = one->next)
        count += 2;
    batch->parties = arena_alloc(batch->arena, count, sizeof *batch->parties);
    for (; from != NULL && batch->parties != NULL; from = from->next) {
        struct str ids[2] = {arena_str(batch->arena, from->from),
                             arena_str(batch->arena, from->to)};

        if (ids[0].data == NULL || ids[1].data == NULL)
            return false;
        batch->parties[batch->n_parties++] = ids[0];
        batch->parties[batch->n_parties++] = ids[1];
    }
    return batch->parties != NULL;
}

static struct batch *
batch_create(const struct engine_changes *changes)
{
    struct batch *batch = mem_alloc_zeroed(1, sizeof *batch);

    if (batch == NULL)
        return NULL;
    batch->is_everything = changes->is_everything || changes->has_new_rows || changes->has_new_day;
    batch->arena = arena_create(LOG_BYTES_MAX);
    if (batch->arena == NULL ||
        !copy_ids(batch, changes->profiles, &batch->profiles, &batch->n_profiles) ||
        !copy_ids(batch, changes->programmes, &batch->programmes, &batch->n_programmes) ||
        !copy_parties(batch, changes->outcomes)) {
        batch_destroy(batch);
        return NULL;
    }
    batch->bytes = sizeof *batch + arena_used(batch->arena);
    return batch;
}

/* On the writer's thread: notes, and nothing else. */
static void
note(void *context, const struct engine_changes *changes)
{
    struct watch_desk *desk = context;
    struct engine_view last;
    struct batch *batch;

    pthread_mutex_lock(&desk->lock);
    desk->seq = changes->seq;
    desk->last_number++;
    last = desk->latest;
    desk->latest = (struct engine_view){.roster = NULL};
    if (desk->groups == NULL) { /* nobody to be told: later ones begin after this */
        log_lose(desk);
    } else {
        engine_view_hold(desk->engine, &desk->latest);
        batch = batch_create(changes);
        if (batch == NULL || desk->log_bytes + batch->bytes > LOG_BYTES_MAX) {
            log_lose(desk);
            if (batch != NULL)
                batch_destroy(batch);
        } else {
            batch->number = desk->last_number;
            if (desk->last != NULL)
                desk->last->next = batch;
            else
                desk->first = batch;
            desk->last = batch;
            desk->log_bytes += batch->bytes;
        }
        pthread_cond_signal(&desk->wake);
    }
    pthread_mutex_unlock(&desk->lock);
    if (last.roster != NULL)
        engine_view_drop(&last);
}

/* Batches that all groups have seen. */
static void
log_trim(struct watch_desk *desk)
{
    uint64_t seen = desk->last_number;

    for (const struct group *group = desk->groups; group != NULL; group = group->next)
        if (group->state != GROUP_FAILED && group->cursor < seen)
            seen = group->cursor;
    while (desk->first != NULL && desk->first->number <= seen) {
        struct batch *next = desk->first->next;

        desk->log_bytes -= desk->first->bytes;
        desk->lost_number = desk->first->number;
        batch_destroy(desk->first);
        desk->first = next;
    }
    if (desk->first == NULL)
        desk->last = NULL;
}

/* ---- groups; the desk's lock is held ---- */

static void
group_count(struct group *group, size_t n_lists, size_t n_bytes)
{
    struct watch_desk *desk = group->desk;

    desk->n_lists += n_lists - group->n_lists;
    desk->n_bytes += n_bytes - group->n_bytes;
    group->n_lists = n_lists;
    group->n_bytes = n_bytes;
}

/* The last user destroys it: no one else knows it by then. */
static void
group_drop(struct group *group)
{
    struct watch_desk *desk = group->desk;
    struct group **link = &desk->groups;

    if (--group->n_users == 1 && group->is_at_work && group->watches == NULL)
        atomic_store(&group->is_wanted, false); /* nobody will look at what the turn does */
    if (group->n_users > 0)
        return;
    while (*link != group)
        link = &(*link)->next;
    *link = group->next;
    group_count(group, 0, 0);
    watch_lists_fini(&group->lists);
    pthread_mutex_destroy(&group->work);
    mem_free(group);
    log_trim(desk);
}

static struct group *
group_find(struct watch_desk *desk, const struct watch_wish *wish)
{
    struct group *group = desk->groups;

    while (group != NULL && (group->state == GROUP_FAILED || !atomic_load(&group->is_wanted) ||
                             !watch_wish_equal(&group->lists.wish, wish)))
        group = group->next;
    return group;
}

static struct group *
group_create(struct watch_desk *desk, const struct watch_wish *wish)
{
    struct group *group = mem_alloc_zeroed(1, sizeof *group);

    if (group == NULL || !watch_lists_init(&group->lists, desk->engine, wish)) {
        mem_free(group);
        return NULL;
    }
    pthread_mutex_init(&group->work, NULL);
    group->desk = desk;
    group->is_wanted = true;
    group->n_users = 1;
    group->cursor = desk->last_number; /* what comes later is noted for it */
    group->next = desk->groups;
    desk->groups = group;
    return group;
}

/* ---- watches; the desk's lock is held ---- */

static void
pending_clear(struct watch *watch)
{
    watch->group->desk->pending_bytes -= watch->changes.len;
    buf_fini(&watch->changes);
    watch->changes = (struct buf){.data = NULL};
    watch->n_changes = 0;
}

static void
watch_poke(struct watch *watch)
{
    watch->has_news = true;
    if (watch->is_started && !watch->seat->is_closed)
        watch->seat->poke(watch->seat->context);
}

static void
watch_miss(struct watch *watch)
{
    struct desk_counts *counts = &watch->group->desk->counts;

    counts->missed += !watch->has_missed;
    watch->has_missed = true;
    pending_clear(watch);
}

static void
watch_end(struct watch *watch, const char *why)
{
    pending_clear(watch);
    if (watch->why[0] == '\0')
        snprintf(watch->why, sizeof watch->why, "%s", why);
    watch_poke(watch);
}

/* Out of its group; its seat has let it go. */
static void
watch_destroy(struct watch *watch)
{
    struct group *group = watch->group;
    struct watch **link = &group->watches;

    while (*link != watch)
        link = &(*link)->next_of_group;
    *link = watch->next_of_group;
    pending_clear(watch);
    group->desk->n_watches--;
    atomic_fetch_sub(&watch->seat->n_watches, 1);
    mem_free(watch);
    group_drop(group);
}

static void
watch_add_changes(struct watch *watch, const struct buf *changes, size_t n)
{
    struct watch_desk *desk = watch->group->desk;
    size_t most = (size_t)limit_of(desk, LIMIT_WATCH_BYTES);
    size_t most_of_all = (size_t)limit_of(desk, LIMIT_TOTAL_BYTES) / PENDING_SHARE;

    if (watch->has_missed)
        return;
    if (buf_check(changes, NULL) != ERR_OK || watch->changes.len + changes->len > most ||
        desk->pending_bytes + changes->len > most_of_all) {
        watch_miss(watch);
        return;
    }
    watch->changes.limit = most;
    buf_append(&watch->changes, changes->data, changes->len);
    if (buf_check(&watch->changes, NULL) != ERR_OK) {
        watch_miss(watch);
        return;
    }
    desk->pending_bytes += changes->len;
    watch->n_changes += n;
}

/* ---- a turn ---- */

struct telling {
    struct buf changes; /* packed, one after the other */
    size_t n;
};

static void
pack_rank(struct buf *out, const char *rank_key, const char *score_key, uint32_t rank,
          int32_t score)
{
    pack_key(out, rank_key);
    if (rank != 0)
        pack_int(out, rank);
    else
        pack_nil(out);
    pack_key(out, score_key);
    if (rank != 0)
        pack_int(out, score);
    else
        pack_nil(out);
}

static void
pack_event(void *context, const struct standing_event *event)
{
    struct telling *telling = context;
    struct buf *out = &telling->changes;

    telling->n++;
    if (buf_check(out, NULL) != ERR_OK)
        return; /* too much: it will be missed */
    pack_map(out, 7);
    pack_key_str(out, "id", event->id);
    pack_key_str(out, "other", event->other);
    pack_key_text(out, "change", standing_change_name(event->change));
    pack_rank(out, "rank", "score", event->rank, event->score);
    pack_rank(out, "rank_before", "score_before", event->before, event->old_score);
}

static bool
group_is_unwanted(void *context)
{
    const struct group *group = context;

    return !atomic_load(&group->is_wanted) || atomic_load(&group->desk->is_stopping);
}

struct turn {
    struct watch_desk *desk;
    struct engine_view view;
    uint64_t number, seq; /* of the last batch that the view contains */
};

/* What the group has not seen of the log: ids in the arena. False if it can't be told any more. */
static bool
gather(const struct turn *turn, const struct group *group, struct arena *arena,
       struct watch_news *news)
{
    struct watch_desk *desk = turn->desk;
    size_t n_profiles = 0, n_parties = 0;
    struct str *profiles, *parties;
    bool is_whole;

    pthread_mutex_lock(&desk->lock);
    is_whole = group->cursor >= desk->lost_number;
    for (const struct batch *b = desk->first; b != NULL && b->number <= turn->number; b = b->next)
        if (b->number > group->cursor) {
            n_profiles += b->n_profiles;
            n_parties += b->n_parties;
        }
    profiles = arena_alloc(arena, n_profiles, sizeof *profiles);
    parties = arena_alloc(arena, n_parties, sizeof *parties);
    is_whole = is_whole && profiles != NULL && parties != NULL;
    for (const struct batch *b = desk->first; is_whole && b != NULL && b->number <= turn->number;
         b = b->next) {
        if (b->number <= group->cursor)
            continue;
        is_whole = !b->is_everything;
        for (size_t i = 0; i < b->n_programmes; i++)
            news->has_new_programme |= str_equal(b->programmes[i], group->lists.wish.programme);
        for (size_t i = 0; i < b->n_profiles && is_whole; i++) {
            profiles[news->n_profiles] = arena_str(arena, b->profiles[i]);
            is_whole = profiles[news->n_profiles++].data != NULL;
        }
        for (size_t i = 0; i < b->n_parties && is_whole; i++) {
            parties[news->n_parties] = arena_str(arena, b->parties[i]);
            is_whole = parties[news->n_parties++].data != NULL;
        }
    }
    pthread_mutex_unlock(&desk->lock);
    news->profiles = profiles;
    news->parties = parties;
    return is_whole;
}

/* The lists, brought up to the turn's view. A failure is tried once more from nothing: then the watches have
 * missed what moved. */
static enum err_code
bring_up(const struct turn *turn, struct group *group, struct telling *telling, bool *is_told,
         struct err *err)
{
    const struct standing_teller teller = {pack_event, telling};
    const struct standing_stop stop = {group_is_unwanted, group};
    struct arena *arena = arena_create(2 * LOG_BYTES_MAX);
    struct watch_news news = {.n_profiles = 0};
    enum err_code code;

    group->lists.bytes_max = (size_t)limit_of(turn->desk, LIMIT_STANDING_BYTES);
    news.is_everything = arena == NULL || !gather(turn, group, arena, &news);
    code = watch_lists_update(&group->lists, &turn->view, &news, &teller, &stop, err);
    *is_told = code == ERR_OK;
    if (code == ERR_BUSY && !group_is_unwanted(group)) {
        *err = (struct err){0};
        code = watch_lists_update(&group->lists, &turn->view, &news, &teller, &stop, err);
    }
    arena_destroy(arena);
    return code;
}

static void
deliver(const struct turn *turn, struct group *group, const struct telling *telling, bool is_told)
{
    for (struct watch *watch = group->watches; watch != NULL; watch = watch->next_of_group) {
        if (watch->why[0] != '\0')
            continue;
        if (is_told && telling->n > 0)
            watch_add_changes(watch, &telling->changes, telling->n);
        else if (!is_told)
            watch_miss(watch);
        watch->seq = turn->seq;
        if (watch->n_changes > 0 || watch->has_missed)
            watch_poke(watch);
    }
}

static uint64_t
monotonic_us(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

static void
count_update(struct desk_counts *counts, uint64_t us, size_t n_changes)
{
    counts->updates++;
    counts->changes += n_changes;
    counts->us_last = us;
    counts->us_all += us;
    counts->us_longest = us > counts->us_longest ? us : counts->us_longest;
}

static void
update_group(const struct turn *turn, struct group *group)
{
    struct watch_desk *desk = turn->desk;
    uint64_t began_us = monotonic_us();
    struct telling telling = {.n = 0};
    struct err err = {0};
    bool is_told;
    enum err_code code;

    buf_init(&telling.changes, (size_t)limit_of(desk, LIMIT_WATCH_BYTES));
    pthread_mutex_lock(&group->work);
    code = bring_up(turn, group, &telling, &is_told, &err);
    pthread_mutex_lock(&desk->lock);
    count_update(&desk->counts, monotonic_us() - began_us, telling.n);
    group->cursor = turn->number;
    if (code == ERR_OK) {
        group->seq = turn->seq;
        group->roster_seq = turn->view.seq;
        group_count(group, watch_lists_count(&group->lists), watch_lists_bytes(&group->lists));
        deliver(turn, group, &telling, is_told);
    } else {
        group->state = GROUP_FAILED;
        for (struct watch *watch = group->watches; watch != NULL; watch = watch->next_of_group) {
            watch->seq = turn->seq;
            watch_end(watch, err.message);
        }
    }
    pthread_mutex_unlock(&desk->lock);
    pthread_mutex_unlock(&group->work);
    buf_fini(&telling.changes);
}

/* The next group that is behind; NULL: none. One whose lists were made on a roster that the writer has
 * published, and not yet told of, waits until it is told. */
static struct group *
next_behind(struct watch_desk *desk, uint64_t number, uint64_t roster_seq)
{
    struct group *group = desk->groups;

    while (group != NULL && (group->state != GROUP_READY || group->cursor >= number ||
                             group->roster_seq > roster_seq))
        group = group->next;
    return group;
}

bool
watch_desk_wait(struct watch_desk *desk)
{
    bool goes_on;

    pthread_mutex_lock(&desk->lock);
    while ((goes_on = !atomic_load(&desk->is_stopping)) &&
           next_behind(desk, desk->last_number, desk->latest.seq) == NULL)
        pthread_cond_wait(&desk->wake, &desk->lock);
    pthread_mutex_unlock(&desk->lock);
    return goes_on;
}

void
watch_desk_settle(struct watch_desk *desk)
{
    pthread_mutex_lock(&desk->lock);
    while (!atomic_load(&desk->is_stopping) &&
           next_behind(desk, desk->last_number, desk->latest.seq) != NULL)
        pthread_cond_wait(&desk->opened, &desk->lock);
    pthread_mutex_unlock(&desk->lock);
}

void
watch_desk_turn(struct watch_desk *desk)
{
    struct turn turn = {.desk = desk};
    struct group *group;

    pthread_mutex_lock(&desk->lock);
    if (desk->latest.roster != NULL)
        engine_view_copy(&desk->latest, &turn.view);
    turn.number = desk->last_number;
    turn.seq = desk->seq;
    while (turn.view.roster != NULL && !atomic_load(&desk->is_stopping) &&
           (group = next_behind(desk, turn.number, turn.view.seq)) != NULL) {
        group->n_users++;
        group->is_at_work = true;
        pthread_mutex_unlock(&desk->lock);
        update_group(&turn, group);
        pthread_mutex_lock(&desk->lock);
        group->is_at_work = false;
        group_drop(group);
    }
    log_trim(desk);
    pthread_cond_broadcast(&desk->opened); /* to whoever waits for it to settle */
    pthread_mutex_unlock(&desk->lock);
    engine_view_drop(&turn.view);
}

/* ---- opening ---- */

/* One more of this connection, and of all; counted at once, so that nobody else takes the place. */
static enum err_code
reserve(struct watch_desk *desk, struct watch_seat *seat, struct err *err)
{
    if (seat->is_closed || atomic_load(&desk->is_stopping))
        return err_set(err, ERR_CANCELLED, "the connection has gone");
    if (seat->n_watches >= limit_of(desk, LIMIT_WATCHES))
        return err_set(err, ERR_BUSY,
                       "this connection has %u watches, as many as it may; end one with "
                       "match.unwatch",
                       seat->n_watches);
    if ((int64_t)desk->n_watches >= limit_of(desk, LIMIT_WATCHES_TOTAL))
        return err_set(err, ERR_BUSY,
                       "all connections together have %zu watches, as many as they may; try again "
                       "later",
                       desk->n_watches);
    seat->n_watches++;
    desk->n_watches++;
    return ERR_OK;
}

static void
unreserve(struct watch_desk *desk, struct watch_seat *seat)
{
    seat->n_watches--;
    desk->n_watches--;
}

/* The lists are made on the asker's thread, on a view taken after the group stands in the log's way. */
static enum err_code
open_group(struct group *group, const struct watch_asker *asker, struct err *err)
{
    struct watch_desk *desk = group->desk;
    const struct standing_teller nobody = {pack_event, &(struct telling){.n = 0}};
    const struct watch_news news = {.is_everything = true};
    size_t most = (size_t)limit_of(desk, LIMIT_STANDING_BYTES), used;
    struct engine_view view;
    enum err_code code;

    pthread_mutex_lock(&desk->lock);
    used = desk->n_bytes;
    pthread_mutex_unlock(&desk->lock);
    if (used >= most) {
        err_set(err, ERR_BUSY,
                "the lists that are watched take all of the %zu bytes that there are for them; try "
                "again later",
                most);
        return ERR_BUSY;
    }
    pthread_mutex_lock(&group->work);
    group->lists.bytes_max = most - used;
    engine_view_hold(desk->engine, &view);
    code = watch_lists_update(&group->lists, &view, &news, &nobody, asker->stop, err);
    pthread_mutex_lock(&desk->lock);
    group->seq = group->roster_seq = view.seq;
    group->state = code == ERR_OK ? GROUP_READY : GROUP_FAILED;
    group_count(group, watch_lists_count(&group->lists), watch_lists_bytes(&group->lists));
    if (code != ERR_OK)
        group->err = *err;
    pthread_cond_broadcast(&desk->opened);
    pthread_cond_signal(&desk->wake); /* for what was committed meanwhile */
    pthread_mutex_unlock(&desk->lock);
    pthread_mutex_unlock(&group->work);
    engine_view_drop(&view);
    return code;
}

/* Another call makes these lists already. The lock is held, but for the waiting. */
static enum err_code
await_opening(struct group *group, const struct watch_asker *asker, struct err *err)
{
    struct watch_desk *desk = group->desk;

    while (group->state == GROUP_OPENING) {
        struct timespec until;

        if (asker->stop->is_asked != NULL && asker->stop->is_asked(asker->stop->context))
            return err_set(err, ERR_CANCELLED, "cancelled while another made the lists");
        clock_gettime(CLOCK_REALTIME, &until);
        until.tv_nsec += WAIT_MS * 1000000L;
        until.tv_sec += until.tv_nsec / 1000000000L;
        until.tv_nsec %= 1000000000L;
        pthread_cond_timedwait(&desk->opened, &desk->lock, &until);
    }
    if (group->state == GROUP_READY)
        return ERR_OK;
    if (group->err.code == ERR_CANCELLED) /* by its own asker */
        return err_set(err, ERR_BUSY, "the lists were not finished; try again");
    *err = group->err;
    return err->code != ERR_OK ? err->code : err_set(err, ERR_BUSY, "the lists ended; try again");
}

/* From here on what moves is laid beside the watch: the lists, shown by now, can't change meanwhile. */
static enum err_code
attach(struct group *group, struct watch_seat *seat, const struct watch_asker *asker,
       struct watch_opened *out, struct err *err)
{
    struct watch_desk *desk = group->desk;
    struct watch *watch = mem_alloc_zeroed(1, sizeof *watch);
    enum err_code code = watch != NULL ? ERR_OK : err_no_memory(err);

    pthread_mutex_lock(&group->work);
    if (code == ERR_OK && asker->pack != NULL)
        asker->pack(asker->context, &group->lists, group->seq);
    pthread_mutex_lock(&desk->lock);
    if (code == ERR_OK && (seat->is_closed || group->state != GROUP_READY))
        code = err_set(err, ERR_CANCELLED, "the connection, or the programme, has gone");
    if (code == ERR_OK) {
        *watch = (struct watch){.seat = seat,
                                .group = group,
                                .number = ++desk->last_watch,
                                .told_seq = group->seq,
                                .seq = group->seq,
                                .next_of_group = group->watches,
                                .next_of_seat = seat->watches};
        group->watches = watch;
        seat->watches = watch;
        group->n_users++;
        *out = (struct watch_opened){
            .watch = watch->number, .seq = group->seq, .n_lists = group->n_lists};
    } else {
        mem_free(watch);
    }
    pthread_mutex_unlock(&desk->lock);
    pthread_mutex_unlock(&group->work);
    return code;
}

enum err_code
watch_desk_watch(struct watch_desk *desk, struct watch_seat *seat, const struct watch_wish *wish,
                 const struct watch_asker *asker, struct watch_opened *out, struct err *err)
{
    struct group *group = NULL;
    bool is_mine = false;
    enum err_code code;

    pthread_mutex_lock(&desk->lock);
    code = reserve(desk, seat, err);
    if (code != ERR_OK) {
        pthread_mutex_unlock(&desk->lock);
        return code;
    }
    group = group_find(desk, wish);
    if (group != NULL) {
        group->n_users++;
        code = await_opening(group, asker, err);
    } else {
        group = group_create(desk, wish);
        is_mine = true;
        if (group == NULL)
            code = err_no_memory(err);
    }
    pthread_mutex_unlock(&desk->lock);
    if (code == ERR_OK && is_mine)
        code = open_group(group, asker, err);
    if (code == ERR_OK)
        code = attach(group, seat, asker, out, err);
    pthread_mutex_lock(&desk->lock);
    if (code != ERR_OK)
        unreserve(desk, seat);
    if (group != NULL)
        group_drop(group);
    pthread_mutex_unlock(&desk->lock);
    return code;
}

/* ---- seats ---- */

static struct watch **
seat_find(struct watch_seat *seat, uint64_t number)
{
    struct watch **link = &seat->watches;

    while (*link != NULL && (*link)->number != number)
        link = &(*link)->next_of_seat;
    return link;
}

static void
seat_remove(struct watch **link)
{
    struct watch *watch = *link;

    *link = watch->next_of_seat;
    watch_destroy(watch);
}

bool
watch_desk_unwatch(struct watch_desk *desk, struct watch_seat *seat, uint64_t number)
{
    struct watch **link;
    bool is_there;

    pthread_mutex_lock(&desk->lock);
    link = seat_find(seat, number);
    is_there = *link != NULL;
    if (is_there)
        seat_remove(link);
    pthread_mutex_unlock(&desk->lock);
    return is_there;
}

struct watch_seat *
watch_seat_create(struct watch_desk *desk, void (*poke)(void *context), void *context)
{
    struct watch_seat *seat = mem_alloc_zeroed(1, sizeof *seat);

    if (seat == NULL)
        return NULL;
    seat->n_holders = 1;
    seat->desk = desk;
    seat->poke = poke;
    seat->context = context;
    return seat;
}

struct watch_seat *
watch_seat_hold(struct watch_seat *seat)
{
    atomic_fetch_add_explicit(&seat->n_holders, 1, memory_order_relaxed);
    return seat;
}

void
watch_seat_drop(struct watch_seat *seat)
{
    if (seat != NULL && atomic_fetch_sub_explicit(&seat->n_holders, 1, memory_order_acq_rel) == 1)
        mem_free(seat);
}

void
watch_seat_close(struct watch_seat *seat)
{
    struct watch_desk *desk = seat->desk;

    pthread_mutex_lock(&desk->lock);
    seat->is_closed = true;
    while (seat->watches != NULL)
        seat_remove(&seat->watches);
    pthread_mutex_unlock(&desk->lock);
}

void
watch_seat_start(struct watch_seat *seat, uint64_t number)
{
    struct watch_desk *desk = seat->desk;
    struct watch *watch;

    pthread_mutex_lock(&desk->lock);
    watch = *seat_find(seat, number);
    if (watch != NULL) {
        watch->is_started = true;
        if (watch->has_news)
            watch_poke(watch);
    }
    pthread_mutex_unlock(&desk->lock);
}

void
watch_seat_end(struct watch_seat *seat, const char *why)
{
    struct watch_desk *desk = seat->desk;

    pthread_mutex_lock(&desk->lock);
    for (struct watch *watch = seat->watches; watch != NULL; watch = watch->next_of_seat)
        watch_end(watch, why);
    pthread_mutex_unlock(&desk->lock);
}

bool
watch_seat_is_watching(const struct watch_seat *seat)
{
    return seat->n_watches > 0;
}

/* One whole frame. */
static void
pack_notification(struct buf *out, const struct watch *watch)
{
    const struct watch_wish *wish = &watch->group->lists.wish;
    bool has_ended = watch->why[0] != '\0';

    pack_array(out, 3);
    pack_int(out, 2);
    pack_text(out, "match.changed");
    pack_array(out, 1);
    pack_map(out, 8 + (has_ended || watch->has_missed ? 2U : 0U));
    pack_key_int(out, "watch", (int64_t)watch->number);
    pack_key_str(out, "programme", wish->programme);
    pack_key_str(out, "pairing", wish->pairing);
    pack_key_text(out, "side", wish->on_from ? "from" : "to");
    pack_key_int(out, "from_seq", (int64_t)watch->told_seq);
    pack_key_int(out, "seq", (int64_t)watch->seq);
    pack_key_bool(out, "complete", !has_ended && !watch->has_missed);
    pack_key(out, "changes");
    pack_array(out, watch->n_changes);
    buf_append(out, watch->changes.data, watch->changes.len);
    if (has_ended) {
        pack_key_bool(out, "ended", true);
        pack_key_text(out, "why", watch->why);
    } else if (watch->has_missed) {
        pack_key_bool(out, "missed", true);
        pack_key_int(out, "resume_seq", (int64_t)watch->seq);
    }
}

bool
watch_seat_take(struct watch_seat *seat, struct buf *out)
{
    struct watch_desk *desk = seat->desk;
    struct watch **link = &seat->watches;
    struct watch *watch;

    pthread_mutex_lock(&desk->lock);
    while (*link != NULL && !((*link)->is_started && (*link)->has_news))
        link = &(*link)->next_of_seat;
    watch = *link;
    if (watch != NULL) {
        buf_fini(out);
        buf_init(out, watch->changes.len + FRAME_MORE_BYTES);
        pack_notification(out, watch);
        desk->counts.notifications++;
        watch->told_seq = watch->seq;
        watch->has_news = watch->has_missed = false;
        pending_clear(watch);
        if (watch->why[0] != '\0')
            seat_remove(link);
    }
    pthread_mutex_unlock(&desk->lock);
    return watch != NULL;
}

/* ---- life ---- */

enum err_code
watch_desk_open(struct engine *engine, const _Atomic int64_t *limits, struct watch_desk **out,
                struct err *err)
{
    struct watch_desk *desk = mem_alloc_zeroed(1, sizeof *desk);

    if (desk == NULL)
        return err_no_memory(err);
    desk->engine = engine;
    desk->limits = limits;
    pthread_mutex_init(&desk->lock, NULL);
    pthread_cond_init(&desk->wake, NULL);
    pthread_cond_init(&desk->opened, NULL);
    desk->follower = (struct follower){.tell = note, .context = desk};
    engine_follow(engine, &desk->follower);
    *out = desk;
    return ERR_OK;
}

void
watch_desk_stop(struct watch_desk *desk)
{
    pthread_mutex_lock(&desk->lock);
    atomic_store(&desk->is_stopping, true);
    pthread_cond_broadcast(&desk->wake);
    pthread_cond_broadcast(&desk->opened);
    pthread_mutex_unlock(&desk->lock);
}

void
watch_desk_close(struct watch_desk *desk)
{
    if (desk == NULL)
        return;
    engine_unfollow(desk->engine, &desk->follower);
    log_lose(desk);
    if (desk->latest.roster != NULL)
        engine_view_drop(&desk->latest);
    pthread_cond_destroy(&desk->opened);
    pthread_cond_destroy(&desk->wake);
    pthread_mutex_destroy(&desk->lock);
    mem_free(desk);
}

void
watch_desk_pack_stats(struct watch_desk *desk, struct buf *out)
{
    size_t n_groups = 0;

    pthread_mutex_lock(&desk->lock);
    for (const struct group *group = desk->groups; group != NULL; group = group->next)
        n_groups++;
    const struct {
        const char *name;
        uint64_t value;
    } rows[] = {
        {"watches", desk->n_watches},
        {"standings", n_groups},
        {"lists", desk->n_lists},
        {"list_bytes", desk->n_bytes},
        {"pending_bytes", desk->pending_bytes},
        {"updates", desk->counts.updates},
        {"changes", desk->counts.changes},
        {"notifications", desk->counts.notifications},
        {"missed", desk->counts.missed},
        {"update_us", desk->counts.us_all},
        {"last_update_us", desk->counts.us_last},
        {"longest_update_us", desk->counts.us_longest},
    };
    enum { N = sizeof rows / sizeof rows[0] };

    pthread_mutex_unlock(&desk->lock);
    pack_map(out, N);
    for (size_t i = 0; i < N; i++)
        pack_key_int(out, rows[i].name, (int64_t)rows[i].value);
}
