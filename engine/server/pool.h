#ifndef JML_POOL_H
#define JML_POOL_H

#include "err.h"
#include "job.h"

#include <stdbool.h>
#include <stddef.h>

/*
 * pool: the worker threads, and one lane of waiting jobs for each connection that has any.
 *
 * Lanes take turns, a job each, so that one connection with a thousand requests gets no more than its
 * share. In a lane reads go in the order they came; so do writes, one at a time until it stands
 * in the writer's queue, so that the writes of one connection take effect in the order sent.
 * A paused lane's waiting jobs wait on. Lanes are counted: by their connection and by each of
 * their jobs. All functions: any thread.
 */
struct pool;
struct lane;

enum err_code pool_create(size_t n_workers, struct pool **out, struct err *err);
/* Waits for jobs that have begun; waiting ones must be gone (their lanes closed). NULL is fine. */
void pool_destroy(struct pool *pool);
size_t pool_workers(const struct pool *pool);
/* Long work ends at its next step from now on, with `cancelled`. */
void pool_cancel_all(struct pool *pool);

struct lane *lane_create(struct pool *pool); /* held once; NULL if out of memory */
void lane_submit(struct lane *lane, struct job *job);
void lane_pause(struct lane *lane, bool is_paused);
/* The connection has gone: waiting jobs are destroyed, long work in progress ends at its next step.
 * Returns how many waited. Drops the connection's hold. */
size_t lane_close(struct lane *lane);
struct lane *lane_hold(struct lane *lane);
void lane_drop(struct lane *lane);

#endif
