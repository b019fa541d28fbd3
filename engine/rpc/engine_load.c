/*
 * engine_load.c: from all stored profiles to facts.
 *
 * They are read in batches that lie in a ring. The caller's thread walks the store, which touches
 * no value, and fills batches with what is sealed; any thread takes the next filled one, opens, decodes
 * and builds its facts through a scope of its own; the caller's thread settles the built ones in the
 * order of the walk, which is where numbers are given out: so nothing depends on who built what.
 *
 *     filled  ──────────────▶ batch 9
 *     taken   ───────▶ batch 7            batches 5, 6 being built or built
 *     settled ─▶ batch 5
 *
 * Checksums are the store's to check when it opens: all of them after an unclean stop, else some. Here one
 * profile in CHECKED_EVERY is checked too, others each time that the journal has grown.
 *
 * The caller's thread has room to fill before it settles, settles before it builds, and waits last; with
 * no other thread it does all three.
 */
#include "alloc.h"
#include "arena.h"
#include "digest.h"
#include "engine_parts.h"
#include "profile.h"
#include "value.h"

#include <signal.h>
#include <string.h>

enum {
    BATCH_PROFILES = 128,
    BATCHES_A_THREAD = 16, /* so many that nobody waits while one of them is long in the making */
    CHECKED_EVERY = 64,
    AHEAD = 8, /* ids whose places are asked of memory before they are needed */
    PROFILES_A_THREAD = 4 * BATCH_PROFILES, /* fewer are read before another thread has begun */
    VECTOR_BATCH = 500
};

/* ---- vectors that had to be made, or outlined, to be kept for the next time ---- */

struct vector_batch {
    struct engine *engine;
    struct arena *arena;
    struct {
        struct str id;
        uint64_t seq;
        struct made_vector made; /* its bytes; not its terms */
    } list[VECTOR_BATCH];
    size_t n;
};

static enum err_code
vectors_put(struct store_txn *txn, void *context, struct err *err)
{
    struct vector_batch *batch = context;
    enum err_code code = ERR_OK;

    for (size_t i = 0; i < batch->n && code == ERR_OK; i++)
        code = made_vector_store(txn, batch->list[i].id, batch->list[i].seq, &batch->list[i].made,
                                 err);
    return code;
}

static enum err_code
vectors_write(struct vector_batch *batch, struct err *err)
{
    enum err_code code =
        batch->n > 0 ? store_write(batch->engine->store, vectors_put, batch, err) : ERR_OK;

    batch->n = 0;
    arena_reset(batch->arena);
    return code;
}

static enum err_code
vectors_add(struct vector_batch *batch, const struct facts *facts, uint64_t seq,
            const struct digest *lexicon, struct err *err)
{
    struct made_vector made = {.lexicon = *lexicon, .vector = facts_text(facts)};
    struct str id = arena_str(batch->arena, facts->id);
    enum err_code code = id.data == NULL ? err_no_memory(err) : ERR_OK;

    if (code == ERR_OK)
        code = made_vector_pack(&made, batch->arena, err);
    if (code != ERR_OK)
        return code;
    batch->list[batch->n].id = id;
    batch->list[batch->n].seq = seq;
    batch->list[batch->n++].made = made;
    return batch->n == VECTOR_BATCH ? vectors_write(batch, err) : ERR_OK;
}

static void
vectors_destroy(struct vector_batch *batch)
{
    if (batch != NULL)
        arena_destroy(batch->arena);
    mem_free(batch);
}

static struct vector_batch *
vectors_create(struct engine *engine)
{
    struct vector_batch *batch = mem_alloc_zeroed(1, sizeof *batch);

    if (batch == NULL)
        return NULL;
    batch->engine = engine;
    batch->arena = arena_create(LOAD_ARENA_BYTES);
    if (batch->arena != NULL)
        return batch;
    vectors_destroy(batch);
    return NULL;
}

/* ---- batches of profiles ---- */

struct loading {
    struct sealed_profile sealed;
    uint64_t seq;
    struct facts *facts;      /* built, and not handed on yet */
    struct kept_vector whole; /* an older release kept no outline */
    bool has_news;            /* of its vector, to be kept */
};

struct batch {
    struct loading list[BATCH_PROFILES];
    size_t n;
    struct arena *arena; /* of the scope */
    struct symbol_scope *scope;
    bool is_built; /* under the lock */
    struct err err;
};

struct load {
    struct engine *engine;
    struct tables tables;
    struct store_read *read;
    struct store_walk *walk;
    struct text_keeper *keeper;
    struct roster_edit *edit;
    struct vector_batch *vectors; /* NULL: not kept */
    bool is_walked;
    uint64_t seq;     /* of the snapshot */
    bool has_shelves; /* few profiles are not worth one */

    pthread_mutex_t lock; /* around the numbers, and is_built */
    pthread_cond_t changed;
    uint64_t filled, taken, settled; /* batches, counted from the first */
    bool is_over;

    struct batch *batches; /* number b is in b % n_batches */
    size_t n_batches;
    struct worker {
        struct load *load;
        pthread_t thread;
        struct arena *arena;
        struct shelf *shelf;
        struct recent_symbols recent;
    } * workers; /* the first is the caller's thread */
    size_t n_workers, n_started;
};

static struct batch *
batch_of(struct load *load, uint64_t number)
{
    return &load->batches[number % load->n_batches];
}

/* Lets the first lines of what is read next come from memory meanwhile. */
FETCHING void
foresee(const struct batch *batch, size_t i)
{
    if (i < batch->n) {
        __builtin_prefetch(batch->list[i].sealed.profile.data);
        __builtin_prefetch(batch->list[i].sealed.outline.data);
    }
}

/* Whoever took it; nobody else looks at it meanwhile. */
static enum err_code
batch_build(struct worker *worker, struct batch *batch, struct err *err)
{
    struct load *load = worker->load;
    enum err_code code = ERR_OK;

    symbol_scope_use(batch->scope, &worker->recent);
    for (size_t i = 0; i < batch->n && code == ERR_OK; i++) {
        struct loading *loading = &batch->list[i];
        struct facts_input input = {.scope = batch->scope,
                                    .scratch = worker->arena,
                                    .shelf = load->has_shelves ? &worker->shelf : NULL,
                                    .is_for_settling = true};
        bool believes = (i + load->seq) % CHECKED_EVERY != 0;
        struct kept_vector kept = loading->whole;
        struct loaded loaded = {.facts = NULL};
        struct profile_record record;

        foresee(batch, i + 2);
        code = sealed_profile_open(&loading->sealed, believes, &record, err);
        if (code == ERR_OK) {
            loading->seq = record.seq;
            kept.keeper = load->keeper;
            code =
                sealed_outline_open(&loading->sealed, believes, &kept.made_of, &kept.outline, err);
            if (code == ERR_NOT_FOUND)
                code = ERR_OK;
        }
        if (code == ERR_OK)
            code = tables_build_facts(&load->tables, &record, &kept, &input, &loaded, err);
        loading->facts = loaded.facts;
        loading->has_news = loaded.vector_was_made || loading->whole.bytes.len > 0;
        arena_reset(worker->arena);
    }
    return code;
}

/* With the lock, which is free while it is built. False if there is none to build. */
static bool
build_next(struct worker *worker)
{
    struct load *load = worker->load;
    struct batch *batch;

    if (load->taken == load->filled)
        return false;
    batch = batch_of(load, load->taken++);
    pthread_mutex_unlock(&load->lock);
    if (batch_build(worker, batch, &batch->err) == ERR_OK)
        batch->err = (struct err){0};
    pthread_mutex_lock(&load->lock);
    batch->is_built = true;
    pthread_cond_broadcast(&load->changed);
    return true;
}

static void *
work(void *context)
{
    struct worker *worker = context;
    struct load *load = worker->load;

    pthread_mutex_lock(&load->lock);
    while (!load->is_over)
        if (!build_next(worker))
            pthread_cond_wait(&load->changed, &load->lock);
    pthread_mutex_unlock(&load->lock);
    return NULL;
}

/* ---- the caller's thread ---- */

/* A vector without an outline, as older releases kept them. */
static enum err_code
find_whole(const struct load *load, struct loading *loading, struct err *err)
{
    enum err_code code =
        store_vector_get(load->read, &load->tables.lexicon->digest, loading->sealed.id,
                         &loading->whole.made_of, &loading->whole.bytes, err);

    return code == ERR_NOT_FOUND ? ERR_OK : code;
}

static enum err_code
batch_fill(struct load *load, struct batch *batch, struct err *err)
{
    arena_reset(batch->arena);
    batch->is_built = false;
    batch->n = 0;
    batch->scope = symbol_scope_create(load->engine->symbols, batch->arena);
    if (batch->scope == NULL)
        return err_no_memory(err);
    while (batch->n < BATCH_PROFILES) {
        struct loading *loading = &batch->list[batch->n];

        *loading = (struct loading){.facts = NULL};
        if (!store_walk_next_sealed(load->walk, &loading->sealed, err)) {
            load->is_walked = true;
            return err->code;
        }
        if (loading->sealed.outline_key.len == 0 && find_whole(load, loading, err) != ERR_OK)
            return err->code;
        batch->n++;
    }
    return ERR_OK;
}

/* What is read when facts are settled comes from memory step by step, the last step for the next ones. */
FETCHING void
settle_foresee(const struct load *load, const struct batch *batch, size_t i)
{
    const struct loading *at = batch->list + i;
    size_t left = batch->n - i;

    if (left > 2 * AHEAD)
        __builtin_prefetch(at[2 * AHEAD].facts);
    if (left > AHEAD) {
        symbols_foresee(load->engine->symbols, at[AHEAD].facts->id_hash);
        roster_edit_foresee(load->edit, at[AHEAD].facts);
        facts_foresee(at[AHEAD].facts);
    }
    if (left > AHEAD / 2)
        roster_edit_foresee_facts(load->edit, at[AHEAD / 2].facts);
    if (left > AHEAD / 4)
        roster_edit_foresee_values(load->edit, at[AHEAD / 4].facts);
}

static enum err_code
batch_settle(struct load *load, struct batch *batch, struct err *err)
{
    enum err_code code = batch->err.code;

    if (code != ERR_OK)
        *err = batch->err;
    for (size_t i = 0; i < batch->n && code == ERR_OK; i++) {
        struct loading *loading = &batch->list[i];
        struct facts *facts = loading->facts;

        settle_foresee(load, batch, i);
        code = facts_settle(facts, batch->scope, load->engine->symbols, err);
        if (code == ERR_OK && loading->has_news && load->vectors != NULL)
            code =
                vectors_add(load->vectors, facts, loading->seq, &load->tables.lexicon->digest, err);
        if (code == ERR_OK) {
            loading->facts = NULL;
            code = roster_edit_put(load->edit, facts, err);
        }
    }
    return code;
}

/* What the caller's thread does next, with the lock, which is free while it does it. */
static enum err_code
load_step(struct load *load, struct err *err)
{
    struct batch *oldest = batch_of(load, load->settled);
    enum err_code code = ERR_OK;

    if (!load->is_walked && load->filled - load->settled < load->n_batches) {
        struct batch *batch = batch_of(load, load->filled);

        pthread_mutex_unlock(&load->lock);
        code = batch_fill(load, batch, err);
        pthread_mutex_lock(&load->lock);
        load->filled++;
        pthread_cond_signal(&load->changed);
    } else if (load->settled < load->taken && oldest->is_built) {
        pthread_mutex_unlock(&load->lock);
        code = batch_settle(load, oldest, err);
        pthread_mutex_lock(&load->lock);
        load->settled++;
    } else if (!build_next(&load->workers[0])) {
        pthread_cond_wait(&load->changed, &load->lock);
    }
    return code;
}

static enum err_code
load_run(struct load *load, struct err *err)
{
    enum err_code code = ERR_OK;

    pthread_mutex_lock(&load->lock);
    while (code == ERR_OK && !(load->is_walked && load->settled == load->filled))
        code = load_step(load, err);
    load->is_over = true;
    pthread_cond_broadcast(&load->changed);
    pthread_mutex_unlock(&load->lock);
    for (size_t i = 1; i < 1 + load->n_started; i++)
        pthread_join(load->workers[i].thread, NULL);
    return code;
}

/* ---- beginning and end ---- */

static void
load_fini(struct load *load)
{
    for (size_t i = 0; load->batches != NULL && i < load->n_batches; i++) {
        struct batch *batch = &load->batches[i];

        for (size_t j = 0; j < batch->n; j++)
            facts_drop(batch->list[j].facts);
        arena_destroy(batch->arena);
    }
    for (size_t i = 0; load->workers != NULL && i < load->n_workers; i++) {
        shelf_close(load->workers[i].shelf);
        arena_destroy(load->workers[i].arena);
    }
    mem_free(load->batches);
    mem_free(load->workers);
    store_walk_end(load->walk);
    vectors_destroy(load->vectors);
    pthread_mutex_destroy(&load->lock);
    pthread_cond_destroy(&load->changed);
}

static enum err_code
load_init(struct load *load, bool keeps_vectors, struct err *err)
{
    pthread_mutex_init(&load->lock, NULL);
    pthread_cond_init(&load->changed, NULL);
    load->batches = mem_alloc_zeroed(load->n_batches, sizeof *load->batches);
    load->workers = mem_alloc_zeroed(load->n_workers, sizeof *load->workers);
    if (load->batches == NULL || load->workers == NULL)
        return err_no_memory(err);
    for (size_t i = 0; i < load->n_batches; i++)
        if ((load->batches[i].arena = arena_create(LOAD_ARENA_BYTES)) == NULL)
            return err_no_memory(err);
    for (size_t i = 0; i < load->n_workers; i++) {
        load->workers[i].load = load;
        if ((load->workers[i].arena = arena_create(LOAD_ARENA_BYTES)) == NULL)
            return err_no_memory(err);
    }
    load->keeper =
        engine_text_keeper(load->engine, &load->tables.lexicon->digest, load->has_shelves, err);
    if (load->keeper == NULL)
        return err->code;
    if (keeps_vectors && (load->vectors = vectors_create(load->engine)) == NULL)
        return err_no_memory(err);
    return store_walk_sealed(load->read, &load->tables.lexicon->digest, &load->walk, err);
}

/* Those that cannot be had are done without. */
static void
start_workers(struct load *load)
{
    sigset_t all, before;

    sigfillset(&all); /* signals are for the thread that opened the engine */
    pthread_sigmask(SIG_SETMASK, &all, &before);
    while (1 + load->n_started < load->n_workers) {
        struct worker *worker = &load->workers[1 + load->n_started];

        if (pthread_create(&worker->thread, NULL, work, worker) != 0)
            break;
        pthread_setname_np(worker->thread, "load");
        load->n_started++;
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}

enum err_code
engine_load_profiles(struct engine *engine, struct store_read *read, struct roster_edit *edit,
                     unsigned n_threads, bool keeps_vectors, struct err *err)
{
    uint64_t n_profiles = store_profile_count(read), worth = n_profiles / PROFILES_A_THREAD;
    size_t n_workers = worth < n_threads ? (worth > 0 ? (size_t)worth : 1) : n_threads;
    struct load load = {.engine = engine,
                        .tables = engine_tables_in_force(engine),
                        .read = read,
                        .edit = edit,
                        .seq = store_seq(read),
                        .has_shelves = worth > 0,
                        .n_batches = n_workers > 1 ? BATCHES_A_THREAD * n_workers : 1,
                        .n_workers = n_workers};
    enum err_code code = load_init(&load, keeps_vectors, err);

    if (code == ERR_OK) {
        symbols_reserve(engine->symbols,
                        n_profiles < UINT32_MAX ? (uint32_t)n_profiles : UINT32_MAX);
        roster_edit_reserve(edit, n_profiles < UINT32_MAX ? (uint32_t)n_profiles : UINT32_MAX);
        start_workers(&load);
        code = load_run(&load, err);
    }
    if (code == ERR_OK && load.vectors != NULL)
        code = vectors_write(load.vectors, err);
    load_fini(&load);
    return code;
}
