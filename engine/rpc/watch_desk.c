/* watch_desk.c: what commits changed is noted, and brought into the lists by turns. */
#include "watch_desk.h"

#include "alloc.h"
#include "value.h"
#include "watch_parts.h"

#include <time.h>

/* ---- what was committed; the desk's lock is held ---- */

/* Nothing that is still to be told names an erased profile, from before its eraser is answered. */
static void
forget_erased(struct watch_desk *desk, const struct engine_changes *changes)
{
    for (struct watch_group *group = desk->groups; group != NULL; group = group->next)
        for (struct watch *watch = group->watches; watch != NULL; watch = watch->next_of_group)
            watch_forget(watch, changes->erased);
}

/* On the writer's thread: notes, and nothing else. Nobody to be told: later ones begin after this. */
static void
note(void *context, const struct engine_changes *changes)
{
    struct watch_desk *desk = context;
    bool is_followed;
    struct engine_view last;

    pthread_mutex_lock(&desk->lock);
    is_followed = desk->groups != NULL;
    last = desk->latest;
    desk->latest = (struct engine_view){.roster = NULL};
    desk->seq = changes->seq;
    change_log_add(&desk->log, changes, is_followed);
    if (is_followed) {
        engine_view_hold(desk->engine, &desk->latest);
        if (changes->has_erased) {
            desk->erased_seq = desk->latest.seq;
            forget_erased(desk, changes);
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
    uint64_t seen = desk->log.last_number;

    for (const struct watch_group *group = desk->groups; group != NULL; group = group->next)
        if (group->state != GROUP_FAILED && group->cursor < seen)
            seen = group->cursor;
    change_log_trim(&desk->log, seen);
}

/* ---- groups; the desk's lock is held ---- */

void
watch_group_count(struct watch_group *group, size_t n_lists, size_t n_bytes)
{
    struct watch_desk *desk = group->desk;

    desk->n_lists += n_lists - group->n_lists;
    desk->n_bytes += n_bytes - group->n_bytes;
    group->n_lists = n_lists;
    group->n_bytes = n_bytes;
}

/* The last user destroys it: no one else knows it by then. */
void
watch_group_drop(struct watch_group *group)
{
    struct watch_desk *desk = group->desk;
    struct watch_group **link = &desk->groups;

    if (--group->n_users == 1 && group->is_at_work && group->watches == NULL)
        atomic_store(&group->is_wanted, false); /* nobody will look at what the turn does */
    if (group->n_users > 0)
        return;
    while (*link != group)
        link = &(*link)->next;
    *link = group->next;
    watch_group_count(group, 0, 0);
    watch_lists_fini(&group->lists);
    pthread_mutex_destroy(&group->work);
    mem_free(group);
    log_trim(desk);
}

struct watch_group *
watch_group_find(struct watch_desk *desk, const struct watch_wish *wish)
{
    struct watch_group *group = desk->groups;

    while (group != NULL && (group->state == GROUP_FAILED || !atomic_load(&group->is_wanted) ||
                             !watch_wish_equal(&group->lists.wish, wish)))
        group = group->next;
    return group;
}

struct watch_group *
watch_group_create(struct watch_desk *desk, const struct watch_wish *wish)
{
    struct watch_group *group = mem_alloc_zeroed(1, sizeof *group);

    if (group == NULL || !watch_lists_init(&group->lists, desk->engine, wish)) {
        mem_free(group);
        return NULL;
    }
    pthread_mutex_init(&group->work, NULL);
    group->desk = desk;
    group->is_wanted = true;
    group->n_users = 1;
    group->cursor = desk->log.last_number; /* what comes later is noted for it */
    group->next = desk->groups;
    desk->groups = group;
    return group;
}

/* ---- a turn ---- */

struct telling {
    struct buf changes; /* packed, one after the other */
    size_t n;
    struct watch_news news;
    const struct roster *roster; /* that the lists are brought up to */
    bool has_lost_list;          /* of an erased profile: which one can't be told */
};

/* Its id belongs to nobody any more, and is not to be told. */
static bool
is_erased(const struct telling *telling, struct str id)
{
    const struct watch_news *news = &telling->news;
    bool is_named = news->is_blind;

    for (size_t i = 0; i < news->n_erased && !is_named; i++)
        is_named = str_equal(news->erased[i], id);
    return is_named && roster_find(telling->roster, id) == ROSTER_NO_ROW;
}

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

/* Of an erased one that was on a list: the place where it stood is all there is to tell. */
static void
pack_nameless(struct buf *out, const struct standing_event *event)
{
    pack_map(out, 8);
    pack_key_str(out, "id", event->id);
    pack_key(out, "other");
    pack_nil(out);
    pack_key_text(out, "change", standing_change_name(event->change));
    pack_rank(out, "rank", "score", 0, 0);
    pack_key_int(out, "rank_before", event->before);
    pack_key(out, "score_before");
    pack_nil(out);
    pack_key_bool(out, "erased", true);
}

static void
pack_event(void *context, const struct standing_event *event)
{
    struct telling *telling = context;
    struct buf *out = &telling->changes;

    if (is_erased(telling, event->id)) {
        telling->has_lost_list = true;
        return;
    }
    telling->n++;
    if (buf_check(out, NULL) != ERR_OK)
        return; /* too much: it will be missed */
    if (is_erased(telling, event->other)) {
        pack_nameless(out, event);
        return;
    }
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
    const struct watch_group *group = context;

    return !atomic_load(&group->is_wanted) || atomic_load(&group->desk->is_stopping);
}

struct turn {
    struct watch_desk *desk;
    struct engine_view view;
    uint64_t number, seq; /* of the last batch that the view contains */
};

/* The lists, brought up to the turn's view. A failure is tried once more from nothing: then the watches have
 * missed what moved. */
static enum err_code
bring_up(const struct turn *turn, struct watch_group *group, struct telling *telling, bool *is_told,
         struct err *err)
{
    const struct standing_teller teller = {pack_event, telling};
    const struct standing_stop stop = {group_is_unwanted, group};
    enum err_code code;

    group->lists.bytes_max = (size_t)watch_limit(turn->desk, LIMIT_STANDING_BYTES);
    code = watch_lists_update(&group->lists, &turn->view, &telling->news, &teller, &stop, err);
    *is_told = code == ERR_OK && !telling->has_lost_list;
    if (code == ERR_BUSY && !group_is_unwanted(group)) {
        *err = (struct err){0};
        code = watch_lists_update(&group->lists, &turn->view, &telling->news, &teller, &stop, err);
    }
    if (code == ERR_OK && group->lists.wish.id.len > 0 && is_erased(telling, group->lists.wish.id))
        code = err_set(err, ERR_NOT_FOUND, "the profile whose list this was has been erased");
    return code;
}

/* Who was erased after the turn began may be named in what it tells. */
static void
deliver(const struct turn *turn, struct watch_group *group, const struct telling *telling,
        bool is_told)
{
    bool may_name = turn->desk->log.erased_number > turn->number;

    for (struct watch *watch = group->watches; watch != NULL; watch = watch->next_of_group) {
        if (watch->why[0] != '\0')
            continue;
        if (!is_told || (may_name && telling->n > 0))
            watch_miss(watch);
        else if (telling->n > 0)
            watch_add_changes(watch, &telling->changes, telling->n);
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
count_update(struct watch_counts *counts, uint64_t us, size_t n_changes)
{
    counts->updates++;
    counts->changes += n_changes;
    counts->us_last = us;
    counts->us_all += us;
    counts->us_longest = us > counts->us_longest ? us : counts->us_longest;
}

static void
update_group(const struct turn *turn, struct watch_group *group)
{
    struct watch_desk *desk = turn->desk;
    uint64_t began_us = monotonic_us();
    struct telling telling = {.roster = turn->view.roster, .news = {.is_everything = true}};
    struct arena *arena = arena_create(2 * CHANGE_LOG_BYTES_MAX);
    struct err err = {0};
    bool is_told;
    enum err_code code;

    buf_init(&telling.changes, (size_t)watch_limit(desk, LIMIT_WATCH_BYTES));
    telling.news.is_blind = arena == NULL;
    pthread_mutex_lock(&group->work);
    if (arena != NULL) {
        pthread_mutex_lock(&desk->lock);
        change_log_gather(&desk->log, group->cursor, turn->number, group->lists.wish.programme,
                          arena, &telling.news);
        pthread_mutex_unlock(&desk->lock);
    }
    code = bring_up(turn, group, &telling, &is_told, &err);
    pthread_mutex_lock(&desk->lock);
    count_update(&desk->counts, monotonic_us() - began_us, telling.n);
    group->cursor = turn->number;
    if (code == ERR_OK) {
        group->seq = turn->seq;
        group->roster_seq = turn->view.seq;
        watch_group_count(group, watch_lists_count(&group->lists),
                          watch_lists_bytes(&group->lists));
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
    arena_destroy(arena);
}

/* The next group that is behind; NULL: none. One whose lists were made on a roster that the writer has
 * published, and not yet told of, waits until it is told. */
static struct watch_group *
next_behind(struct watch_desk *desk, uint64_t number, uint64_t roster_seq)
{
    struct watch_group *group = desk->groups;

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
           next_behind(desk, desk->log.last_number, desk->latest.seq) == NULL)
        pthread_cond_wait(&desk->wake, &desk->lock);
    pthread_mutex_unlock(&desk->lock);
    return goes_on;
}

void
watch_desk_settle(struct watch_desk *desk)
{
    pthread_mutex_lock(&desk->lock);
    while (!atomic_load(&desk->is_stopping) &&
           next_behind(desk, desk->log.last_number, desk->latest.seq) != NULL)
        pthread_cond_wait(&desk->opened, &desk->lock);
    pthread_mutex_unlock(&desk->lock);
}

void
watch_desk_turn(struct watch_desk *desk)
{
    struct turn turn = {.desk = desk};
    struct watch_group *group;

    pthread_mutex_lock(&desk->lock);
    if (desk->latest.roster != NULL)
        engine_view_copy(&desk->latest, &turn.view);
    turn.number = desk->log.last_number;
    turn.seq = desk->seq;
    while (turn.view.roster != NULL && !atomic_load(&desk->is_stopping) &&
           (group = next_behind(desk, turn.number, turn.view.seq)) != NULL) {
        group->n_users++;
        group->is_at_work = true;
        pthread_mutex_unlock(&desk->lock);
        update_group(&turn, group);
        pthread_mutex_lock(&desk->lock);
        group->is_at_work = false;
        watch_group_drop(group);
    }
    log_trim(desk);
    pthread_cond_broadcast(&desk->opened); /* to whoever waits for it to settle */
    pthread_mutex_unlock(&desk->lock);
    engine_view_drop(&turn.view);
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
    change_log_lose(&desk->log);
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
    size_t n_groups = 0, n_filled = 0, n_to_fill = 0;

    pthread_mutex_lock(&desk->lock);
    for (const struct watch_group *group = desk->groups; group != NULL; group = group->next) {
        size_t filled = atomic_load(&group->lists.n_filled);
        size_t to_fill = atomic_load(&group->lists.n_to_fill);

        n_groups++;
        n_filled += filled < to_fill ? filled : 0;
        n_to_fill += filled < to_fill ? to_fill : 0;
    }
    const struct {
        const char *name;
        uint64_t value;
    } rows[] = {
        {"watches", desk->n_watches},
        {"standings", n_groups},
        {"lists", desk->n_lists},
        {"list_bytes", desk->n_bytes},
        {"being_made", n_to_fill},
        {"made", n_filled},
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
