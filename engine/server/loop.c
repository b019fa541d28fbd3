#include "loop.h"

#include "alloc.h"
#include "session.h"

#include <errno.h>
#include <stdatomic.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

enum { SLOTS_FIRST = 64, ARENA_BYTES = 64 * 1024 * 1024, TICK_MS = 250, SLOW_US = 10000 };

struct arrival {
    struct arrival *next;
    int fd;
    const struct door *door;
};

/* ---- time ---- */

static int64_t
steady_us(const struct loop *loop)
{
    return loop->service->clock->steady_us(loop->service->clock);
}

void
loop_callback_begin(struct loop *loop)
{
    if (!loop->goes_on)
        loop->began_us = steady_us(loop);
    loop->now_ms = loop->began_us / 1000;
    loop->turn_bytes = 0;
    loop->answer.limit = (size_t)loop->service->limits[LIMIT_UNREAD_BYTES]; /* may have changed */
}

struct express *
loop_express_create(struct loop *loop)
{
    loop->express = express_create(loop->service->engine, EXPRESS_BYTES);
    return loop->express;
}

static void
publish_express(struct loop *loop, int64_t us)
{
    if (loop->n_counted == 0)
        return;
    express_count(loop->express, loop->counted, loop->n_counted, (uint64_t)us / loop->n_counted);
    loop->n_counted = 0;
}

void
loop_count_other(struct loop *loop, const struct method *method)
{
    publish_express(loop, steady_us(loop) - loop->began_us);
    loop->counted = method;
}

/* Apart from what is usual, which needs none of its room. */
static __attribute__((noinline)) void
note_slow(struct loop *loop, const char *what, int64_t us)
{
    tally_add(&loop->service->tallies, TALLY_SLOW_CALLBACKS, 1);
    log_event(loop->service->log, LOG_LEVEL_WARN, "callback.slow",
              log_text("what", what != NULL ? what : "several"), log_int("us", us),
              log_int("loop", (int64_t)loop->index));
}

void
loop_callback_end(struct loop *loop, const char *what)
{
    int64_t now_us = steady_us(loop), us = now_us - loop->began_us;

    publish_express(loop, us);
    loop->began_us = now_us;
    loop->goes_on = true;
    if (us > SLOW_US)
        note_slow(loop, what, us);
}

/* The main loop hears the signals and the deadline: it stays until the others have ended. */
static bool
may_end(const struct loop *loop)
{
    return loop->n_sessions == 0 && atomic_load(&loop->service->is_draining) &&
           (loop->index != 0 || atomic_load(&loop->service->n_other_loops) == 0);
}

/* ---- seats: slot and generation ---- */

static bool
grow(struct loop *loop)
{
    uint32_t n = loop->n_slots == 0 ? SLOTS_FIRST : loop->n_slots * 2;
    struct session **slots = mem_realloc(loop->slots, n * sizeof(struct session *));
    uint32_t *generations;

    if (slots == NULL)
        return false;
    loop->slots = slots;
    generations = mem_realloc(loop->generations, n * sizeof *generations);
    if (generations == NULL)
        return false;
    loop->generations = generations;
    for (uint32_t i = loop->n_slots; i < n; i++) {
        slots[i] = NULL;
        generations[i] = 0;
    }
    loop->first_free_hint = loop->n_slots;
    loop->n_slots = n;
    return true;
}

bool
loop_seat(struct loop *loop, struct session *session, uint32_t *slot, uint32_t *generation)
{
    uint32_t at = loop->first_free_hint;

    while (at < loop->n_slots && loop->slots[at] != NULL)
        at++;
    if (at == loop->n_slots && !grow(loop))
        return false;
    loop->slots[at] = session;
    loop->first_free_hint = at + 1;
    loop->n_sessions++;
    *slot = at;
    *generation = ++loop->generations[at];
    if (loop->n_sessions == 1)
        timer_set(&loop->tick, TICK_MS, TICK_MS);
    return true;
}

void
loop_unseat(struct loop *loop, uint32_t slot)
{
    loop->slots[slot] = NULL;
    if (slot < loop->first_free_hint)
        loop->first_free_hint = slot;
    if (--loop->n_sessions > 0)
        return;
    timer_unset(&loop->tick);
    if (loop->has_drained && may_end(loop)) /* nothing else would come and look */
        event_base_loopbreak(loop->base);
}

static struct session *
find_session(struct loop *loop, uint64_t number)
{
    uint32_t slot = (uint32_t)number, generation = (uint32_t)(number >> 32);

    return slot < loop->n_slots && loop->generations[slot] == generation ? loop->slots[slot] : NULL;
}

struct session *
loop_heaviest(struct loop *loop)
{
    struct session *heaviest = NULL;

    for (uint32_t i = 0; i < loop->n_slots; i++)
        if (loop->slots[i] != NULL &&
            (heaviest == NULL || session_held(loop->slots[i]) > session_held(heaviest)))
            heaviest = loop->slots[i];
    return heaviest;
}

/* ---- from other threads ---- */

void
loop_wake(struct loop *loop)
{
    const uint64_t one = 1;
    ssize_t written;

    do
        written = write(loop->wake_fd, &one, sizeof one);
    while (written < 0 && errno == EINTR); /* EAGAIN: it is awake enough */
}

void
loop_adopt(struct loop *loop, int fd, const struct door *door)
{
    struct arrival *arrival = mem_alloc(sizeof *arrival);

    if (arrival == NULL) {
        close(fd);
        return;
    }
    *arrival = (struct arrival){.fd = fd, .door = door};
    pthread_mutex_lock(&loop->lock);
    arrival->next = loop->arrivals;
    loop->arrivals = arrival;
    pthread_mutex_unlock(&loop->lock);
    loop_wake(loop);
}

void
loop_finish_job(struct job *job)
{
    struct loop *loop = job->finished_context;
    bool was_empty;

    job->next = NULL;
    pthread_mutex_lock(&loop->lock);
    was_empty = loop->finished_first == NULL;
    if (was_empty)
        loop->finished_first = job;
    else
        loop->finished_last->next = job;
    loop->finished_last = job;
    /* Under the lock: once it is released the loop may end and be destroyed. */
    if (was_empty)
        loop_wake(loop);
    pthread_mutex_unlock(&loop->lock);
}

void
loop_hear_news(void *context)
{
    struct loop *loop = context;

    if (!atomic_exchange(&loop->has_news, true))
        loop_wake(loop);
}

/* ---- callbacks ---- */

static void
answer_finished(struct loop *loop, struct job *job)
{
    while (job != NULL) {
        struct job *next = job->next;
        struct session *session = find_session(loop, job->session);

        if (session != NULL)
            session_job_finished(session, job);
        else
            tally_add(&loop->service->tallies, TALLY_DROPPED_ANSWERS, 1);
        job_destroy(job);
        job = next;
    }
    while (loop->touched != NULL)
        session_settle_touched(loop);
}

static void
open_arrivals(struct loop *loop, struct arrival *arrival)
{
    while (arrival != NULL) {
        struct arrival *next = arrival->next;

        session_open(loop, arrival->fd, arrival->door);
        mem_free(arrival);
        arrival = next;
    }
}

static void
for_each_session(struct loop *loop, void (*visit)(struct session *session))
{
    for (uint32_t i = 0; i < loop->n_slots; i++)
        if (loop->slots[i] != NULL)
            visit(loop->slots[i]);
}

static void
tell_news(struct loop *loop)
{
    if (!atomic_exchange(&loop->has_news, false))
        return;
    for (uint32_t i = 0; i < loop->n_slots; i++)
        if (loop->slots[i] != NULL && session_is_watching(loop->slots[i]))
            session_hear_news(loop->slots[i]);
}

static void
look_whether_to_end(struct loop *loop)
{
    if (atomic_load(&loop->service->must_end))
        for_each_session(loop, session_close);
    else if (atomic_load(&loop->service->is_draining) && !loop->has_drained) {
        loop->has_drained = true;
        for_each_session(loop, session_drain);
    }
    if (may_end(loop))
        event_base_loopbreak(loop->base);
}

static void
on_wake(evutil_socket_t fd, short what, void *context)
{
    struct loop *loop = context;
    struct job *finished;
    struct arrival *arrivals;
    uint64_t n;

    (void)what;
    loop_callback_begin(loop);
    while (read(fd, &n, sizeof n) < 0 && errno == EINTR)
        ;
    pthread_mutex_lock(&loop->lock);
    finished = loop->finished_first;
    arrivals = loop->arrivals;
    loop->finished_first = loop->finished_last = NULL;
    loop->arrivals = NULL;
    pthread_mutex_unlock(&loop->lock);
    open_arrivals(loop, arrivals);
    answer_finished(loop, finished);
    tell_news(loop);
    look_whether_to_end(loop);
    loop_callback_end(loop, "answers");
}

static void
on_tick(void *context)
{
    struct loop *loop = context;

    loop_callback_begin(loop);
    for_each_session(loop, session_tick);
    look_whether_to_end(loop);
    loop_callback_end(loop, "tick");
}

/* ---- life ---- */

static enum err_code
make_base(struct loop *loop, struct err *err)
{
    struct event_config *config = event_config_new();

    if (config == NULL)
        return err_no_memory(err);
    event_config_set_flag(config, EVENT_BASE_FLAG_NOLOCK);
    event_config_set_flag(config,
                          EVENT_BASE_FLAG_NO_CACHE_TIME); /* callbacks read the clock themselves */
    loop->base = event_base_new_with_config(config);
    event_config_free(config);
    loop->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (loop->base == NULL || loop->wake_fd < 0)
        return err_set_sys(err, errno, "start an event loop");
    refusals_init(&loop->refusals, loop->base, loop->service->clock, &loop->service->tls);
    event_assign(&loop->wake, loop->base, loop->wake_fd, EV_READ | EV_PERSIST, on_wake, loop);
    if (event_add(&loop->wake, NULL) != 0)
        return err_no_memory(err);
    return timer_open(&loop->tick, loop->base, on_tick, loop, err);
}

enum err_code
loop_create(struct service *service, unsigned index, struct loop **out, struct err *err)
{
    struct loop *loop = mem_alloc_zeroed(1, sizeof *loop);
    enum err_code code;

    if (loop == NULL)
        return err_no_memory(err);
    loop->service = service;
    loop->index = index;
    loop->wake_fd = loop->tick.fd = -1;
    pthread_mutex_init(&loop->lock, NULL);
    buf_init(&loop->answer, (size_t)service->limits[LIMIT_UNREAD_BYTES]);
    loop->scratch = mem_alloc(SCRATCH_BYTES);
    loop->arena = arena_create(ARENA_BYTES);
    code = loop->scratch != NULL && loop->arena != NULL ? make_base(loop, err) : err_no_memory(err);
    if (code != ERR_OK) {
        loop_destroy(loop);
        return code;
    }
    *out = loop;
    return ERR_OK;
}

void
loop_run(struct loop *loop)
{
    do
        loop->goes_on = false; /* each call waits once, before the first of its callbacks */
    while (event_base_loop(loop->base, EVLOOP_ONCE | EVLOOP_NO_EXIT_ON_EMPTY) == 0 &&
           !event_base_got_break(loop->base));
    for_each_session(loop, session_close);
}

void
loop_let_go(struct loop *loop)
{
    express_destroy(loop->express);
    loop->express = NULL;
}

void
loop_destroy(struct loop *loop)
{
    if (loop == NULL)
        return;
    loop_let_go(loop);
    while (loop->finished_first != NULL) {
        struct job *next = loop->finished_first->next;

        job_destroy(loop->finished_first);
        loop->finished_first = next;
    }
    while (loop->arrivals != NULL) {
        struct arrival *next = loop->arrivals->next;

        close(loop->arrivals->fd);
        mem_free(loop->arrivals);
        loop->arrivals = next;
    }
    if (loop->base != NULL) {
        refusals_fini(&loop->refusals);
        event_del(&loop->wake);
        if (loop->tick.fd >= 0)
            timer_close(&loop->tick);
        event_base_free(loop->base);
    }
    if (loop->wake_fd >= 0)
        close(loop->wake_fd);
    buf_fini(&loop->answer);
    arena_destroy(loop->arena);
    piece_stock_fini(&loop->stock);
    mem_free(loop->scratch);
    mem_free(loop->slots);
    mem_free(loop->generations);
    pthread_mutex_destroy(&loop->lock);
    mem_free(loop);
}
