/*
 * engine_tables.c: other tables are put in force while readers go on.
 *
 * A thread of its own serves those who ask, one after another: it reads and checks the files, has all facts
 * made by them (engine_prepare.c), and submits one write, which journals the tables and publishes the
 * roster by them. The thread starts when somebody first asks; most engines never have one.
 */
#include "alloc.h"
#include "digest.h"
#include "engine_parts.h"
#include "log.h"

#include <signal.h>
#include <stdatomic.h>
#include <string.h>

struct tables_reload {
    struct engine *engine;
    struct tables tables; /* read, not yet in force */
    struct share_files files;
    bool has_files;
    struct prepared prepared;
    struct tables_reloaded told;
    void (*done)(void *context, const struct tables_reloaded *reloaded, const struct err *err);
    void *context;
    struct tables_reload *next;
};

/* ---- reading ---- */

/* The lexicon in force where the files say the same, so that nothing is made by it again. */
static enum err_code
lexicon_read(struct tables_reload *reload, struct err *err)
{
    struct engine_view view;
    struct digest digest = lexicon_files_digest(reload->files.lexicon);

    engine_view_hold(reload->engine, &view);
    reload->told.digest = reload->tables.held->reference->digest;
    reload->told.has_changed = !digests_agree(&reload->told.digest, &view.reference->digest);
    reload->told.has_changed_lexicon = !digests_agree(&digest, &view.lexicon->digest);
    if (!reload->told.has_changed_lexicon)
        reload->tables.lexicon = held_lexicon_hold(view.lexicon);
    engine_view_drop(&view);
    return reload->told.has_changed_lexicon
               ? held_lexicon_parse(&reload->files, &reload->tables.lexicon, err)
               : ERR_OK;
}

static enum err_code
tables_read(struct tables_reload *reload, struct err *err)
{
    enum err_code code = share_files_read(reload->engine->share_dir, &reload->files, err);

    reload->has_files = code == ERR_OK;
    if (code == ERR_OK)
        code = held_reference_take(&reload->files, &reload->tables.held, err);
    if (code == ERR_OK)
        code = lexicon_read(reload, err);
    return code;
}

/* ---- the transaction ---- */

static enum err_code
note_one(struct store_txn *txn, const char *setting, const struct str *files, size_t n,
         struct err *err)
{
    struct tables_use use;
    enum err_code code;

    tables_use_init(&use, setting, files, n);
    code = buf_check(&use.packed, err);
    if (code == ERR_OK)
        code = tables_use_write(txn, &use, err);
    buf_fini(&use.packed);
    return code;
}

static enum err_code
tables_note(struct tables_reload *reload, struct store_txn *txn, struct err *err)
{
    enum err_code code = ERR_OK;

    if (reload->told.has_changed)
        code = note_one(txn, "reference", reload->files.reference, REFERENCE_FILE_COUNT, err);
    if (code == ERR_OK && reload->told.has_changed_lexicon)
        code = note_one(txn, "lexicon", reload->files.lexicon, LEXICON_FILE_COUNT, err);
    return code;
}

/* The roster by the new tables, beside what others of the group have in the making: if anything fails,
 * theirs goes on as if this had not been asked. */
static enum err_code
tables_apply(struct store_txn *txn, void *context, struct err *err)
{
    struct tables_reload *reload = context;
    struct engine *engine = reload->engine;
    int64_t began_ms = engine->clock->steady_ms(engine->clock);
    struct roster_edit *edit = roster_edit_begin(NULL);
    enum err_code code = edit == NULL ? err_no_memory(err) : ERR_OK;

    if (code == ERR_OK) /* nearly none is left to be read: reload_run */
        code = roster_need_texts(engine->roster, err);
    if (code == ERR_OK)
        code = prepared_roster(&reload->prepared, txn, edit, &reload->told.n_profiles,
                               &reload->told.n_late, err);
    if (code == ERR_OK)
        code = tables_note(reload, txn, err);
    if (code != ERR_OK) {
        if (edit != NULL)
            roster_edit_abandon(edit);
        return code;
    }
    if (engine->edit != NULL) /* what was in the making is in the transaction too */
        roster_edit_abandon(engine->edit);
    engine->edit = edit;
    engine_tables_next(engine, &reload->tables);
    follow_note_tables(&engine->follow);
    reload->told.held_ms = engine->clock->steady_ms(engine->clock) - began_ms;
    return ERR_OK;
}

/* ---- one request ---- */

/* The roster in force is left as a whole: its texts are had beside the service, not while writers wait. */
static enum err_code
leave_texts(struct engine *engine, struct err *err)
{
    struct engine_view view;
    enum err_code code;

    engine_view_hold(engine, &view);
    code = roster_need_texts(view.roster, err);
    engine_view_drop(&view);
    return code;
}

static enum err_code
reload_run(struct tables_reload *reload, struct err *err)
{
    struct engine *engine = reload->engine;
    int64_t began_ms = engine->clock->steady_ms(engine->clock);
    struct err ignored = {0};
    enum err_code code = tables_read(reload, err);

    if (code != ERR_OK || !(reload->told.has_changed || reload->told.has_changed_lexicon))
        return code;
    reload->prepared = (struct prepared){
        .engine = engine, .tables = reload->tables, .must_end = &engine->tables.must_end};
    code = prepared_make(&reload->prepared, err);
    if (code == ERR_OK)
        code = leave_texts(engine, err);
    if (code == ERR_OK)
        code = store_write(engine->store, tables_apply, reload, err);
    if (code == ERR_OK && reload->told.has_changed_lexicon &&
        engine_prune_vectors(engine, &reload->tables.lexicon->digest, &engine->tables.must_end,
                             &ignored) != ERR_OK)
        log_err(engine->log, LOG_LEVEL_WARN, "reload.leftovers", "text vectors", &ignored);
    reload->told.took_ms = engine->clock->steady_ms(engine->clock) - began_ms;
    return code;
}

static void
reload_end(struct tables_reload *reload, const struct err *err)
{
    reload->done(reload->context, &reload->told, err);
    prepared_fini(&reload->prepared);
    held_reference_drop(reload->tables.held);
    held_lexicon_drop(reload->tables.lexicon);
    if (reload->has_files)
        share_files_fini(&reload->files);
    mem_free(reload);
}

static void
reload_serve(struct tables_reload *reload)
{
    struct err err = {0};
    enum err_code code;

    if (atomic_load(&reload->engine->tables.must_end))
        code = err_set(&err, ERR_DRAINING, "the service ends; the tables stay as they were");
    else
        code = reload_run(reload, &err);
    if (code == ERR_OK)
        err = (struct err){0};
    reload_end(reload, &err);
}

/* ---- the desk ---- */

void
tables_desk_init(struct tables_desk *desk)
{
    *desk = (struct tables_desk){.has_thread = false};
    pthread_mutex_init(&desk->lock, NULL);
    pthread_cond_init(&desk->filled, NULL);
}

/* NULL once the engine closes and nobody waits. */
static struct tables_reload *
desk_take(struct tables_desk *desk)
{
    struct tables_reload *reload;

    pthread_mutex_lock(&desk->lock);
    while (desk->first == NULL && !atomic_load(&desk->must_end))
        pthread_cond_wait(&desk->filled, &desk->lock);
    reload = desk->first;
    if (reload != NULL) {
        desk->first = reload->next;
        desk->n_waiting--;
    }
    if (desk->first == NULL)
        desk->last = NULL;
    pthread_mutex_unlock(&desk->lock);
    return reload;
}

static void *
desk_main(void *context)
{
    struct tables_desk *desk = context;
    struct tables_reload *reload;

    while ((reload = desk_take(desk)) != NULL)
        reload_serve(reload);
    return NULL;
}

static enum err_code
desk_start(struct tables_desk *desk, struct err *err) /* its lock is held */
{
    sigset_t all, before;
    int rc;

    if (desk->has_thread)
        return ERR_OK;
    sigfillset(&all); /* signals are for the thread that opened the engine */
    pthread_sigmask(SIG_SETMASK, &all, &before);
    rc = pthread_create(&desk->thread, NULL, desk_main, desk);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (rc != 0)
        return err_set_sys(err, rc, "start a thread for the tables");
    desk->has_thread = true;
    return ERR_OK;
}

static enum err_code
desk_put(struct tables_desk *desk, struct tables_reload *reload, struct err *err)
{
    enum err_code code;

    pthread_mutex_lock(&desk->lock);
    if (desk->n_waiting >= TABLES_WAITING)
        code = err_set(err, ERR_BUSY, "%d reloads wait already; try again in a moment",
                       TABLES_WAITING);
    else
        code = desk_start(desk, err);
    if (code == ERR_OK) {
        if (desk->last != NULL)
            desk->last->next = reload;
        else
            desk->first = reload;
        desk->last = reload;
        desk->n_waiting++;
        pthread_cond_signal(&desk->filled);
    }
    pthread_mutex_unlock(&desk->lock);
    return code;
}

void
tables_desk_fini(struct tables_desk *desk)
{
    pthread_mutex_lock(&desk->lock);
    atomic_store(&desk->must_end, true);
    pthread_cond_signal(&desk->filled);
    pthread_mutex_unlock(&desk->lock);
    if (desk->has_thread)
        pthread_join(desk->thread, NULL);
    pthread_cond_destroy(&desk->filled);
    pthread_mutex_destroy(&desk->lock);
}

enum err_code
engine_tables_reload(struct engine *engine,
                     void (*done)(void *context, const struct tables_reloaded *reloaded,
                                  const struct err *err),
                     void *context, struct err *err)
{
    struct tables_reload *reload = mem_alloc_zeroed(1, sizeof *reload);
    enum err_code code;

    if (reload == NULL)
        return err_no_memory(err);
    reload->engine = engine;
    reload->done = done;
    reload->context = context;
    code = desk_put(&engine->tables, reload, err);
    if (code != ERR_OK)
        mem_free(reload);
    return code;
}
