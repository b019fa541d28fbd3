#include "pool.h"

#include "alloc.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>

enum { WORKERS_MAX = 256, WORKER_STACK_BYTES = 1024 * 1024 };

struct queue {
    struct job *first, *last;
};

/*
 * The ring holds the lanes that have something to do right now: a waiting read, or a waiting write while
 * none of theirs is being prepared, and are not paused. A worker takes the first, takes one job
 * of it, and puts it back at the end if there is more.
 */
struct lane {
    struct pool *pool;
    struct lane *next; /* in the ring */
    struct queue reads, writes;
    _Atomic unsigned n_holders;
    bool is_in_ring, is_paused, is_preparing, takes_write_next;
    _Atomic bool is_closed;
};

struct pool {
    pthread_mutex_t lock; /* of the ring and of all lanes */
    pthread_cond_t wake;
    struct lane *first, *last;
    bool is_stopping;
    _Atomic bool is_cancelled;
    size_t n_workers;
    pthread_t workers[];
};

static void
queue_put(struct queue *queue, struct job *job)
{
    job->next = NULL;
    if (queue->last != NULL)
        queue->last->next = job;
    else
        queue->first = job;
    queue->last = job;
}

static struct job *
queue_take(struct queue *queue)
{
    struct job *job = queue->first;

    if (job != NULL) {
        queue->first = job->next;
        if (queue->first == NULL)
            queue->last = NULL;
    }
    return job;
}

/* ---- the ring; the lock is held ---- */

static bool
has_write(const struct lane *lane)
{
    return lane->writes.first != NULL && !lane->is_preparing;
}

static void
ring_offer(struct lane *lane)
{
    struct pool *pool = lane->pool;

    if (lane->is_in_ring || lane->is_paused || (lane->reads.first == NULL && !has_write(lane)))
        return;
    lane->is_in_ring = true;
    lane->next = NULL;
    if (pool->last != NULL)
        pool->last->next = lane;
    else
        pool->first = lane;
    pool->last = lane;
    lane_hold(lane);
    pthread_cond_signal(&pool->wake);
}

static struct lane *
ring_take(struct pool *pool)
{
    struct lane *lane = pool->first;

    if (lane == NULL)
        return NULL;
    pool->first = lane->next;
    if (pool->first == NULL)
        pool->last = NULL;
    lane->is_in_ring = false;
    return lane; /* with the ring's hold */
}

/* NULL if it was paused or closed since it stood in the ring. */
static struct job *
take_job(struct lane *lane)
{
    bool is_write = has_write(lane) && (lane->takes_write_next || lane->reads.first == NULL);
    struct job *job;

    if (lane->is_paused)
        return NULL;
    lane->takes_write_next = !is_write;
    job = queue_take(is_write ? &lane->writes : &lane->reads);
    if (job != NULL && is_write)
        lane->is_preparing = true;
    ring_offer(lane);
    return job;
}

/* ---- workers ---- */

static bool
job_is_cancelled(void *context)
{
    struct lane *lane = context;

    return atomic_load_explicit(&lane->is_closed, memory_order_relaxed) ||
           atomic_load_explicit(&lane->pool->is_cancelled, memory_order_relaxed);
}

static void *
work(void *context)
{
    struct pool *pool = context;

    pthread_mutex_lock(&pool->lock);
    for (;;) {
        struct lane *lane = ring_take(pool);
        struct job *job;

        if (lane == NULL) {
            if (pool->is_stopping)
                break;
            pthread_cond_wait(&pool->wake, &pool->lock);
            continue;
        }
        job = take_job(lane);
        if (job != NULL) {
            bool is_write = job->is_write;

            pthread_mutex_unlock(&pool->lock);
            job_run(job, job_is_cancelled, lane); /* the job may be gone after this */
            pthread_mutex_lock(&pool->lock);
            if (is_write) {
                lane->is_preparing = false;
                ring_offer(lane);
            }
        }
        pthread_mutex_unlock(&pool->lock);
        lane_drop(lane);
        pthread_mutex_lock(&pool->lock);
    }
    pthread_mutex_unlock(&pool->lock);
    return NULL;
}

static void
stop_workers(struct pool *pool)
{
    pthread_mutex_lock(&pool->lock);
    pool->is_stopping = true;
    pthread_cond_broadcast(&pool->wake);
    pthread_mutex_unlock(&pool->lock);
    for (size_t i = 0; i < pool->n_workers; i++)
        pthread_join(pool->workers[i], NULL);
}

static enum err_code
start_workers(struct pool *pool, size_t n, struct err *err)
{
    pthread_attr_t attributes;
    sigset_t all, before;
    int rc = 0;

    sigfillset(&all); /* signals are the main loop's */
    pthread_sigmask(SIG_SETMASK, &all, &before);
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, WORKER_STACK_BYTES);
    while (pool->n_workers < n && rc == 0) {
        rc = pthread_create(&pool->workers[pool->n_workers], &attributes, work, pool);
        if (rc == 0) {
            char name[16];

            snprintf(name, sizeof name, "worker %zu", pool->n_workers % 1000);
            pthread_setname_np(pool->workers[pool->n_workers++], name);
        }
    }
    pthread_attr_destroy(&attributes);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return rc == 0 ? ERR_OK : err_set_sys(err, rc, "start a worker");
}

enum err_code
pool_create(size_t n_workers, struct pool **out, struct err *err)
{
    struct pool *pool;
    enum err_code code;

    if (n_workers < 1 || n_workers > WORKERS_MAX)
        return err_set(err, ERR_INVALID_PARAMS, "%zu workers; it must be 1 to %d", n_workers,
                       WORKERS_MAX);
    pool = mem_alloc_zeroed(1, sizeof *pool + n_workers * sizeof pool->workers[0]);
    if (pool == NULL)
        return err_no_memory(err);
    pthread_mutex_init(&pool->lock, NULL);
    pthread_cond_init(&pool->wake, NULL);
    code = start_workers(pool, n_workers, err);
    if (code != ERR_OK) {
        pool_destroy(pool);
        return code;
    }
    *out = pool;
    return ERR_OK;
}

void
pool_destroy(struct pool *pool)
{
    if (pool == NULL)
        return;
    stop_workers(pool);
    pthread_cond_destroy(&pool->wake);
    pthread_mutex_destroy(&pool->lock);
    mem_free(pool);
}

size_t
pool_workers(const struct pool *pool)
{
    return pool->n_workers;
}

void
pool_cancel_all(struct pool *pool)
{
    atomic_store(&pool->is_cancelled, true);
}

/* ---- lanes ---- */

struct lane *
lane_create(struct pool *pool)
{
    struct lane *lane = mem_alloc_zeroed(1, sizeof *lane);

    if (lane == NULL)
        return NULL;
    lane->pool = pool;
    lane->n_holders = 1;
    return lane;
}

void
lane_submit(struct lane *lane, struct job *job)
{
    job->lane = lane_hold(lane);
    pthread_mutex_lock(&lane->pool->lock);
    queue_put(job->is_write ? &lane->writes : &lane->reads, job);
    ring_offer(lane);
    pthread_mutex_unlock(&lane->pool->lock);
}

void
lane_pause(struct lane *lane, bool is_paused)
{
    pthread_mutex_lock(&lane->pool->lock);
    lane->is_paused = is_paused;
    ring_offer(lane);
    pthread_mutex_unlock(&lane->pool->lock);
}

size_t
lane_close(struct lane *lane)
{
    struct queue reads, writes;
    struct job *job;
    size_t n = 0;

    atomic_store(&lane->is_closed, true);
    pthread_mutex_lock(&lane->pool->lock);
    reads = lane->reads;
    writes = lane->writes;
    lane->reads = lane->writes = (struct queue){NULL, NULL};
    pthread_mutex_unlock(&lane->pool->lock);
    for (; (job = queue_take(&reads)) != NULL; n++)
        job_destroy(job);
    for (; (job = queue_take(&writes)) != NULL; n++)
        job_destroy(job);
    lane_drop(lane);
    return n;
}

struct lane *
lane_hold(struct lane *lane)
{
    atomic_fetch_add_explicit(&lane->n_holders, 1, memory_order_relaxed);
    return lane;
}

void
lane_drop(struct lane *lane)
{
    if (atomic_fetch_sub_explicit(&lane->n_holders, 1, memory_order_acq_rel) == 1)
        mem_free(lane);
}
