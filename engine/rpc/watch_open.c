/* watch_open.c: a watch from being asked for to standing in its group, from where the desk keeps it. */
#include "alloc.h"
#include "watch_parts.h"

#include <time.h>

/* One more of this connection, and of all; counted at once, so that nobody else takes the place. */
static enum err_code
reserve(struct watch_desk *desk, struct watch_seat *seat, struct err *err)
{
    if (seat->is_closed || atomic_load(&desk->is_stopping))
        return err_set(err, ERR_CANCELLED, "the connection has gone");
    if (seat->n_watches >= watch_limit(desk, LIMIT_WATCHES))
        return err_set(err, ERR_BUSY,
                       "this connection has %u watches, as many as it may; end one with "
                       "match.unwatch",
                       seat->n_watches);
    if ((int64_t)desk->n_watches >= watch_limit(desk, LIMIT_WATCHES_TOTAL))
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

static void
tell_nobody(void *context, const struct standing_event *event)
{
    (void)context, (void)event;
}

/* The lists are made on the asker's thread, on a view taken after the group stands in the log's way. */
static enum err_code
open_group(struct watch_group *group, const struct watch_asker *asker, struct err *err)
{
    struct watch_desk *desk = group->desk;
    const struct standing_teller nobody = {tell_nobody, NULL};
    const struct watch_news news = {.is_everything = true};
    size_t most = (size_t)watch_limit(desk, LIMIT_STANDING_BYTES), used;
    uint64_t seq; /* noted before the view is taken, so it is in it, also where no roster moves */
    struct engine_view view;
    enum err_code code;

    pthread_mutex_lock(&desk->lock);
    used = desk->n_bytes;
    seq = desk->seq;
    pthread_mutex_unlock(&desk->lock);
    pthread_mutex_lock(&group->work);
    group->lists.bytes_max = used < most ? most - used : 0;
    engine_view_hold(desk->engine, &view);
    if (used >= most)
        code = err_set(err, ERR_BUSY,
                       "the lists that are watched take all of the %zu bytes that there are for "
                       "them; try again later",
                       most);
    else
        code = watch_lists_update(&group->lists, &view, &news, &nobody, asker->stop, err);
    pthread_mutex_lock(&desk->lock);
    group->seq = view.seq > seq ? view.seq : seq;
    group->roster_seq = view.seq;
    group->state = code == ERR_OK ? GROUP_READY : GROUP_FAILED;
    watch_group_count(group, watch_lists_count(&group->lists), watch_lists_bytes(&group->lists));
    if (code != ERR_OK)
        group->err = *err;
    pthread_cond_broadcast(&desk->opened);
    pthread_cond_signal(&desk->wake); /* for what was committed meanwhile */
    pthread_mutex_unlock(&desk->lock);
    pthread_mutex_unlock(&group->work);
    engine_view_drop(&view);
    return code;
}

/* Until somebody else has made the lists, or the desk has brought them up to the last erasure: of who was
 * erased before this call nothing may be shown. The lock is held, but for the waiting. */
static bool
is_behind(const struct watch_group *group)
{
    const struct watch_desk *desk = group->desk;

    return group->state == GROUP_OPENING ||
           (group->state == GROUP_READY && group->cursor < desk->log.erased_number &&
            group->roster_seq < desk->erased_seq);
}

/* Did another begin the lists, and go before they were made? The lock is held. */
static bool
is_abandoned(const struct watch_group *group)
{
    return group->state == GROUP_FAILED && group->err.code == ERR_CANCELLED;
}

static enum err_code
await_lists(struct watch_group *group, const struct watch_asker *asker, struct err *err)
{
    struct watch_desk *desk = group->desk;

    while (is_behind(group) && !atomic_load(&desk->is_stopping)) {
        struct timespec until;

        if (asker->stop->is_asked != NULL && asker->stop->is_asked(asker->stop->context))
            return err_set(err, ERR_CANCELLED, "cancelled while another made the lists");
        clock_gettime(CLOCK_REALTIME, &until);
        until.tv_nsec += WATCH_WAIT_MS * 1000000L;
        until.tv_sec += until.tv_nsec / 1000000000L;
        until.tv_nsec %= 1000000000L;
        pthread_cond_timedwait(&desk->opened, &desk->lock, &until);
    }
    if (group->state == GROUP_READY && !is_behind(group))
        return ERR_OK;
    if (group->state != GROUP_FAILED)
        return err_set(err, ERR_CANCELLED, "the service is stopping");
    if (is_abandoned(group))
        return err_set(err, ERR_BUSY, "the lists were not finished; try again");
    *err = group->err;
    return err->code != ERR_OK ? err->code : err_set(err, ERR_BUSY, "the lists ended; try again");
}

/* From here on what moves is laid beside the watch: the lists, shown by now, can't change meanwhile. */
static enum err_code
attach(struct watch_group *group, struct watch_seat *seat, const struct watch_asker *asker,
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

/* The wish's group, one user more, with its lists made by this call or by another; NULL after an error. When
 * the other goes away, one of those who waited makes them in its place. */
static enum err_code
join(struct watch_desk *desk, const struct watch_wish *wish, const struct watch_asker *asker,
     struct watch_group **out, struct err *err)
{
    enum err_code code;
    bool goes_on;

    do {
        struct watch_group *group;
        bool is_mine;

        *out = NULL;
        *err = (struct err){0};
        pthread_mutex_lock(&desk->lock);
        group = watch_group_find(desk, wish);
        is_mine = group == NULL;
        if (is_mine)
            group = watch_group_create(desk, wish);
        else
            group->n_users++;
        pthread_mutex_unlock(&desk->lock);
        if (group == NULL)
            return err_no_memory(err);
        code = is_mine ? open_group(group, asker, err) : ERR_OK;
        pthread_mutex_lock(&desk->lock);
        if (code == ERR_OK)
            code = await_lists(group, asker, err);
        goes_on = code == ERR_BUSY && is_abandoned(group) && !atomic_load(&desk->is_stopping);
        if (code == ERR_OK)
            *out = group;
        else
            watch_group_drop(group);
        pthread_mutex_unlock(&desk->lock);
    } while (goes_on);
    return code;
}

enum err_code
watch_desk_watch(struct watch_desk *desk, struct watch_seat *seat, const struct watch_wish *wish,
                 const struct watch_asker *asker, struct watch_opened *out, struct err *err)
{
    struct watch_group *group;
    enum err_code code;

    pthread_mutex_lock(&desk->lock);
    code = reserve(desk, seat, err);
    pthread_mutex_unlock(&desk->lock);
    if (code != ERR_OK)
        return code;
    code = join(desk, wish, asker, &group, err);
    if (code == ERR_OK)
        code = attach(group, seat, asker, out, err);
    pthread_mutex_lock(&desk->lock);
    if (code != ERR_OK)
        unreserve(desk, seat);
    if (group != NULL)
        watch_group_drop(group);
    pthread_mutex_unlock(&desk->lock);
    return code;
}
