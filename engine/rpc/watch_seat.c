/* watch_seat.c: a connection as the desk knows it: its watches, and what they have to tell it. */
#include "watch_seat.h"

#include "alloc.h"
#include "watch_parts.h"

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
        watch_take(watch, out);
        if (watch->why[0] != '\0')
            seat_remove(link);
    }
    pthread_mutex_unlock(&desk->lock);
    return watch != NULL;
}

bool
watch_seat_unwatch(struct watch_seat *seat, uint64_t number)
{
    struct watch_desk *desk = seat->desk;
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
