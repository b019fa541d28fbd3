/*
 * writer.c: the one thread that writes.
 *
 * It takes what waits (at most GROUP_MAX requests), runs all of it in one transaction, commits with one
 * sync, lets the observer publish, and answers. A request that fails before it has written anything
 * just fails. One that fails after it has written (the store's own failure: disk full, out of memory)
 * spoils the transaction: everything is undone and each request of the group is run again alone, so
 * that one that is too much does not take the others with it.
 */
#include "alloc.h"
#include "erase.h"
#include "kv.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

enum { LOOK_UP_S = 60, GROUP_MAX = 1024, QUEUE_MAX = 4096, SCRATCH_BYTES_MAX = 64 * 1024 * 1024 };

/* ---- a commit that failed ---- */

/*
 * LMDB commits in three steps: it writes the pages, syncs, and writes the head. It tells a failure of any
 * by the bare error number, and what has to follow differs:
 *
 *     pages, for want of space    nothing has happened; all goes on when there is room. Told as ENOSPC or
 *                                 EDQUOT, or as EIO where the last write came back short.
 *     the sync                    the kernel has reported the loss once and will not again; a later sync
 *                                 that succeeds proves nothing. No more writes.
 *     the head                    LMDB refuses all further transactions, reads too: a fresh, read-only look
 *                                 at the file lets the reads go on. No more writes.
 *
 * So the step is found out. The head: LMDB answers MDB_PANIC from then on. The sync: the kernel reports
 * a failed write-back once to every open descriptor, also to one that wrote nothing, so a descriptor of
 * our own that has been open all the time is a witness; writes that were refused leave it silent. What is
 * left is EIO with a silent witness: a short write if the disk is full now, the disk itself otherwise
 * (a short write for a quota is taken for the latter: rather one restart too many).
 */
enum { FULL_BELOW_BYTES = 1024 * 1024 };

void
store_watch_file(struct store *store)
{
    char path[STORE_PATH_BYTES];

    if (store->witness_fd >= 0)
        close(store->witness_fd);
    store_path(path, store->dir, "data.mdb");
    store->witness_fd = open(path, O_RDONLY | O_CLOEXEC);
}

static bool
disk_is_full(const struct store *store)
{
    struct statvfs fs;

    return statvfs(store->dir, &fs) == 0 && (uint64_t)fs.f_bavail * fs.f_frsize < FULL_BELOW_BYTES;
}

static bool
env_panics(const struct store *store)
{
    MDB_txn *txn;
    int rc = mdb_txn_begin(store->data->env, NULL, MDB_RDONLY, &txn);

    if (rc == 0)
        mdb_txn_abort(txn);
    return rc == MDB_PANIC;
}

static bool
is_harmless(const struct store *store, int rc)
{
    if (rc == MDB_MAP_FULL || rc == MDB_TXN_FULL || rc == ENOMEM)
        return true;
    if (env_panics(store) || (store->witness_fd >= 0 && fdatasync(store->witness_fd) != 0))
        return false;
    return rc == ENOSPC || rc == EDQUOT || (rc == EIO && disk_is_full(store));
}

/* The writes are over; what was committed can still be read. */
static enum err_code
fail_for_good(struct store *store, int rc, struct err *err)
{
    struct data *readable;
    struct err ignored = {0};

    store->is_failed = true;
    store->failed_syncs++;
    if (env_panics(store) && data_open(store->dir, store->map_bytes, MDB_RDONLY | MDB_NOLOCK, false,
                                       &readable, &ignored) == ERR_OK)
        store_exchange_data(store, readable);
    err_set(
        err, ERR_INTERNAL,
        "the disk failed to keep a write (%s); the store writes no more until it is opened again",
        mdb_strerror(rc));
    if (store->on_fatal != NULL)
        store->on_fatal(store->fatal_context, err);
    return ERR_INTERNAL;
}

static enum err_code
commit_failed(struct store *store, int rc, struct err *err)
{
    store->failed_commits++;
    if (!is_harmless(store, rc))
        return fail_for_good(store, rc, err);
    return rc == EIO ? store_err(err, ENOSPC, "commit") : store_err(err, rc, "commit");
}

/* ---- one transaction ---- */

static enum err_code
txn_begin(struct store *store, struct store_txn *txn, struct err *err)
{
    struct journal_record newest;
    enum err_code code = ERR_OK;
    int rc;

    if (store->is_failed)
        return err_set(err, ERR_INTERNAL,
                       "an earlier write to the disk failed; the store writes no more until it is "
                       "opened again");
    store_mark_unclean(store);
    txn->read = (struct store_read){.store = store, .data = store->data};
    txn->now_ms = store->clock->wall_ms(store->clock);
    txn->head = (struct digest){{0}};
    rc = mdb_txn_begin(store->data->env, NULL, 0, &txn->read.txn);
    if (rc != 0)
        return rc == MDB_PANIC ? fail_for_good(store, rc, err)
                               : store_err(err, rc, "write to the store");
    txn->seq = store_seq(&txn->read);
    if (txn->seq != 0)
        code = store_journal_get(&txn->read, txn->seq, &newest, err);
    if (code == ERR_OK && txn->seq != 0)
        txn->head = newest.digest;
    if (code != ERR_OK)
        mdb_txn_abort(txn->read.txn);
    return code;
}

static void
observe_begin(struct store *store)
{
    if (store->observer.begin != NULL)
        store->observer.begin(store->observer.context);
}

static void
observe_abandon(struct store *store)
{
    if (store->observer.abandon != NULL)
        store->observer.abandon(store->observer.context);
}

static void
observe_publish(struct store *store, uint64_t seq)
{
    if (store->observer.publish != NULL)
        store->observer.publish(store->observer.context, seq);
}

/* ---- a group ---- */

struct group {
    struct write_request *requests[GROUP_MAX];
    struct err errs[GROUP_MAX];
    bool must_compact[GROUP_MAX]; /* asked for it, and is committed */
    size_t n;
};

enum outcome { ANSWERED, SPOILED };

/* Runs requests [from, to) in one transaction. SPOILED: undone, run them one by one. */
static enum outcome
group_try(struct store *store, struct store_txn *txn, struct group *group, size_t from, size_t to)
{
    bool is_alone = to - from == 1, has_success = false;
    struct err failure = {0};
    enum err_code code = txn_begin(store, txn, &failure);
    int rc;

    if (code != ERR_OK) {
        for (size_t i = from; i < to; i++)
            group->errs[i] = failure;
        return ANSWERED;
    }
    observe_begin(store);
    for (size_t i = from; i < to; i++) {
        struct err err = {0};

        txn->has_written = txn->must_compact = false;
        code = group->requests[i]->run(txn, group->requests[i]->context, &err);
        if (code == ERR_OK) {
            err = (struct err){0};
            has_success = true;
        } else {
            err.code = code;
        }
        group->errs[i] = err;
        group->must_compact[i] = code == ERR_OK && txn->must_compact;
        if (code != ERR_OK && txn->has_written) {
            mdb_txn_abort(txn->read.txn);
            observe_abandon(store);
            return is_alone ? ANSWERED : SPOILED;
        }
    }
    if (!has_success) {
        mdb_txn_abort(txn->read.txn);
        observe_abandon(store);
        return ANSWERED;
    }
    rc = mdb_txn_commit(txn->read.txn);
    if (rc == 0) {
        store->commits++;
        store->writes += to - from;
        observe_publish(store, txn->seq);
        return ANSWERED;
    }
    observe_abandon(store);
    if (!is_alone && rc == MDB_MAP_FULL)
        return SPOILED;
    code = commit_failed(store, rc, &failure);
    for (size_t i = from; i < to; i++)
        if (group->errs[i].code == ERR_OK)
            group->errs[i] = failure;
    return ANSWERED;
}

/* The data file made anew for those who asked for it. If that fails their change is committed all the same,
 * but what they were to be told is not true yet. */
static void
group_compact(struct store *store, struct group *group)
{
    struct err failure = {0};
    size_t n = 0;

    for (size_t i = 0; i < group->n; i++)
        n += group->must_compact[i] && group->errs[i].code == ERR_OK;
    if (n == 0)
        return;
    if (erasure_finish(store, &failure) == ERR_OK) {
        store->erasures += n;
        return;
    }
    for (size_t i = 0; i < group->n; i++)
        if (group->must_compact[i] && group->errs[i].code == ERR_OK)
            err_set(&group->errs[i], failure.code,
                    "it is gone, but its bytes still stand in the data file; erase it once more: "
                    "%.100s",
                    failure.message);
}

static void
group_run(struct store *store, struct store_txn *txn, struct group *group)
{
    if (group_try(store, txn, group, 0, group->n) == SPOILED)
        for (size_t i = 0; i < group->n; i++)
            group_try(store, txn, group, i, i + 1);
    group_compact(store, group);
    for (size_t i = 0; i < group->n; i++) { /* done may free the request */
        struct write_request *request = group->requests[i];

        request->done(request->context, &group->errs[i]);
    }
}

/* ---- between groups ---- */

/* One step of a sweep. What fails here fails again for somebody who can be told. */
static void
sweep_step(struct store *store, struct store_txn *txn)
{
    struct err ignored = {0};
    bool has_changed = false;
    int rc;

    if (txn_begin(store, txn, &ignored) != ERR_OK)
        return;
    observe_begin(store);
    if (retention_step(txn, &has_changed, &ignored) != ERR_OK || !has_changed) {
        mdb_txn_abort(txn->read.txn);
        observe_abandon(store);
        return;
    }
    rc = mdb_txn_commit(txn->read.txn);
    if (rc == 0) {
        store->commits++;
        observe_publish(store, txn->seq); /* what ran out its time may stand in the journal */
        return;
    }
    observe_abandon(store);
    commit_failed(store, rc, &ignored);
}

/* ---- the queue ---- */

/* Waits for work, or until it is time to look whether a sweep is due. */
static void
queue_wait(struct store *store)
{
    struct timespec until;

    if (!store->retention.is_wanted) {
        pthread_cond_wait(&store->queue_filled, &store->queue_lock);
        return;
    }
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += LOOK_UP_S;
    pthread_cond_timedwait(&store->queue_filled, &store->queue_lock, &until);
}

/* False once the store closes and nothing is left. May come with nothing when a sweep is due. */
static bool
queue_take(struct store *store, struct group *group)
{
    bool goes_on;

    group->n = 0;
    memset(group->must_compact, 0, sizeof group->must_compact);
    pthread_mutex_lock(&store->queue_lock);
    while (store->queue_head == NULL && !store->is_closing && !retention_is_due(store))
        queue_wait(store);
    while (store->queue_head != NULL && group->n < GROUP_MAX) {
        group->requests[group->n++] = store->queue_head;
        store->queue_head = store->queue_head->next;
        store->n_queued--;
    }
    if (store->queue_head == NULL)
        store->queue_tail = NULL;
    goes_on = group->n > 0 || !store->is_closing;
    pthread_mutex_unlock(&store->queue_lock);
    return goes_on;
}

struct writer {
    struct store *store;
    struct group group;
    struct store_txn txn;
};

static void *
writer_main(void *argument)
{
    struct writer *writer = argument;

    while (queue_take(writer->store, &writer->group)) {
        if (writer->group.n > 0)
            group_run(writer->store, &writer->txn, &writer->group);
        if (retention_is_due(writer->store))
            sweep_step(writer->store, &writer->txn);
    }
    buf_fini(&writer->txn.scratch);
    mem_free(writer);
    return NULL;
}

enum err_code
writer_start(struct store *store, struct err *err)
{
    struct writer *writer = mem_alloc(sizeof *writer);
    sigset_t all, before;
    int rc;

    if (writer == NULL)
        return err_no_memory(err);
    memset(writer, 0, sizeof *writer);
    writer->store = store;
    buf_init(&writer->txn.scratch, SCRATCH_BYTES_MAX);
    pthread_mutex_init(&store->queue_lock, NULL);
    pthread_cond_init(&store->queue_filled, NULL);
    sigfillset(&all); /* signals are for the thread that opened the store */
    pthread_sigmask(SIG_SETMASK, &all, &before);
    rc = pthread_create(&store->writer, NULL, writer_main, writer);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (rc != 0) {
        mem_free(writer);
        return err_set_sys(err, rc, "start the writer's thread");
    }
    store->has_writer = true;
    return ERR_OK;
}

void
writer_stop(struct store *store)
{
    if (!store->has_writer)
        return;
    pthread_mutex_lock(&store->queue_lock);
    store->is_closing = true;
    pthread_cond_signal(&store->queue_filled);
    pthread_mutex_unlock(&store->queue_lock);
    pthread_join(store->writer, NULL);
    pthread_mutex_destroy(&store->queue_lock);
    pthread_cond_destroy(&store->queue_filled);
}

void
store_observe(struct store *store, const struct write_observer *observer)
{
    pthread_mutex_lock(&store->queue_lock); /* the writer sees it with the next request */
    store->observer = *observer;
    pthread_mutex_unlock(&store->queue_lock);
}

enum err_code
store_submit(struct store *store, struct write_request *request, struct err *err)
{
    enum err_code code = ERR_OK;

    request->next = NULL;
    pthread_mutex_lock(&store->queue_lock);
    if (store->is_closing) {
        code = err_set(err, ERR_DRAINING, "the store is closing and takes no new work");
    } else if (store->n_queued >= QUEUE_MAX) {
        code = err_set(err, ERR_BUSY, "%d writes wait already; try again in a moment", QUEUE_MAX);
    } else {
        if (store->queue_tail != NULL)
            store->queue_tail->next = request;
        else
            store->queue_head = request;
        store->queue_tail = request;
        store->n_queued++;
        pthread_cond_signal(&store->queue_filled);
    }
    pthread_mutex_unlock(&store->queue_lock);
    return code;
}

/* ---- waiting for it ---- */

struct waiter {
    enum err_code (*run)(struct store_txn *txn, void *context, struct err *err);
    void *context;
    pthread_mutex_t lock;
    pthread_cond_t ended;
    bool is_done;
    struct err err;
};

static enum err_code
waiter_run(struct store_txn *txn, void *context, struct err *err)
{
    struct waiter *waiter = context;

    return waiter->run(txn, waiter->context, err);
}

static void
waiter_done(void *context, const struct err *err)
{
    struct waiter *waiter = context;

    pthread_mutex_lock(&waiter->lock);
    waiter->err = *err;
    waiter->is_done = true;
    pthread_cond_signal(&waiter->ended);
    pthread_mutex_unlock(&waiter->lock);
}

enum err_code
store_write(struct store *store,
            enum err_code (*run)(struct store_txn *txn, void *context, struct err *err),
            void *context, struct err *err)
{
    struct waiter waiter = {.run = run, .context = context};
    struct write_request request = {.run = waiter_run, .done = waiter_done, .context = &waiter};
    enum err_code code;

    pthread_mutex_init(&waiter.lock, NULL);
    pthread_cond_init(&waiter.ended, NULL);
    code = store_submit(store, &request, err);
    if (code == ERR_OK) {
        pthread_mutex_lock(&waiter.lock);
        while (!waiter.is_done)
            pthread_cond_wait(&waiter.ended, &waiter.lock);
        pthread_mutex_unlock(&waiter.lock);
        code = waiter.err.code;
        if (code != ERR_OK && err != NULL)
            *err = waiter.err;
    }
    pthread_cond_destroy(&waiter.ended);
    pthread_mutex_destroy(&waiter.lock);
    return code;
}

/* ---- inside run ---- */

struct store_read *
store_txn_read(struct store_txn *txn)
{
    return &txn->read;
}

int64_t
store_txn_now_ms(const struct store_txn *txn)
{
    return txn->now_ms;
}
