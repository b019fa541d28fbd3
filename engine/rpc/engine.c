#include "arena.h"
#include "engine_parts.h"
#include "kernel.h"
#include "log.h"
#include "method.h"
#include "tokens.h"

#include <sodium.h>

#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum err_code
engine_kernel_find(struct str name, const struct kernel **out, struct err *err)
{
    const struct kernel *found = NULL;
    char text[16];

    if (str_is(name, "auto"))
        found = kernel_best();
    else if (name.len < sizeof text) {
        memcpy(text, name.data, name.len);
        text[name.len] = '\0';
        found = kernel_find(text);
    }
    if (found == NULL)
        return err_set(err, ERR_INVALID_PARAMS,
                       "kernel is \"%.*s\"; this processor can run %s, and auto takes the fastest",
                       (int)(name.len < 60 ? name.len : 60), name.data, kernel_names());
    *out = found;
    return ERR_OK;
}

size_t
engine_helpers_take(struct engine *engine, size_t wanted)
{
    size_t n_free = atomic_load(&engine->n_free_helpers), n;

    do
        n = wanted < n_free ? wanted : n_free;
    while (n > 0 && !atomic_compare_exchange_weak(&engine->n_free_helpers, &n_free, n_free - n));
    return n;
}

void
engine_helpers_give(struct engine *engine, size_t n)
{
    atomic_fetch_add(&engine->n_free_helpers, n);
}

const struct kernel *
engine_kernel(const struct engine *engine)
{
    return engine->kernel;
}

struct store *
engine_store(struct engine *engine)
{
    return engine->store;
}

const struct clock *
engine_clock(const struct engine *engine)
{
    return engine->clock;
}

const char *
engine_backup_dir(const struct engine *engine)
{
    return engine->backup_dir;
}

int32_t
engine_today(const struct engine *engine)
{
    return date_from_ms(engine->clock->wall_ms(engine->clock));
}

const char *
engine_share_dir(const struct engine *engine)
{
    return engine->share_dir;
}

struct held_reference *
held_reference_hold(struct held_reference *held)
{
    atomic_fetch_add_explicit(&held->n_holders, 1, memory_order_relaxed);
    return held;
}

void
held_reference_drop(struct held_reference *held)
{
    if (held == NULL || atomic_fetch_sub_explicit(&held->n_holders, 1, memory_order_acq_rel) != 1)
        return;
    reference_destroy(held->reference);
    free(held);
}

enum err_code
held_reference_take(const struct share_files *files, struct held_reference **out, struct err *err)
{
    struct held_reference *held = calloc(1, sizeof *held);
    enum err_code code = held == NULL ? err_no_memory(err)
                                      : reference_parse(files->reference, &held->reference, err);

    if (code != ERR_OK) {
        free(held);
        return code;
    }
    held->n_holders = 1;
    *out = held;
    return ERR_OK;
}

const struct reference *
engine_reference(const struct engine *engine)
{
    return engine->held->reference;
}

struct tables
engine_tables_in_force(const struct engine *engine)
{
    return (struct tables){
        .held = engine->next_held != NULL ? engine->next_held : engine->held,
        .lexicon = engine->next_lexicon != NULL ? engine->next_lexicon : engine->lexicon,
    };
}

/* ---- publishing: all on the writer's thread ---- */

void
engine_observe_begin(void *context)
{
    struct engine *engine = context;

    engine->edit = NULL; /* made when the first change comes */
    engine->has_changed_tokens = false;
    follow_forget(&engine->follow);
}

/* The next roster, and the tables that it is by, in place of the last ones. */
static void
publish_roster(struct engine *engine, struct roster *next)
{
    struct held_reference *old_held = NULL;
    struct held_lexicon *old_lexicon = NULL;
    struct roster *old;

    pthread_mutex_lock(&engine->roster_lock);
    old = engine->roster;
    engine->roster = next;
    if (engine->next_held != NULL) {
        old_held = engine->held;
        engine->held = engine->next_held;
        engine->next_held = NULL;
    }
    if (engine->next_lexicon != NULL) {
        old_lexicon = engine->lexicon;
        engine->lexicon = engine->next_lexicon;
        engine->next_lexicon = NULL;
    }
    pthread_mutex_unlock(&engine->roster_lock);
    atomic_fetch_add_explicit(&engine->serial, 1, memory_order_release);
    roster_drop(old);
    held_reference_drop(old_held);
    held_lexicon_drop(old_lexicon);
}

void
engine_observe_publish(void *context, uint64_t seq)
{
    struct engine *engine = context;
    struct err err = {0};

    if (engine->has_changed_tokens)
        atomic_fetch_add(&engine->token_epoch, 1);
    if (engine->edit != NULL) {
        struct roster *next = roster_publish(engine->edit, seq, &err);

        engine->edit = NULL;
        if (next == NULL) {
            /* On disk, but not to be seen: an answer now would be a lie, and so would every match. The
             * next start reads it back. */
            log_err(engine->log, LOG_LEVEL_ERROR, "engine.publish", "roster", &err);
            abort();
        }
        publish_roster(engine, next);
    }
    follow_tell(&engine->follow, seq);
}

void
engine_tables_next(struct engine *engine, const struct tables *next)
{
    held_reference_drop(engine->next_held);
    held_lexicon_drop(engine->next_lexicon);
    engine->next_held = next != NULL ? held_reference_hold(next->held) : NULL;
    engine->next_lexicon = next != NULL ? held_lexicon_hold(next->lexicon) : NULL;
}

void
engine_observe_abandon(void *context)
{
    struct engine *engine = context;

    if (engine->edit != NULL)
        roster_edit_abandon(engine->edit);
    engine->edit = NULL;
    engine_tables_next(engine, NULL);
    follow_forget(&engine->follow);
}

enum err_code
engine_edit_ensure(struct engine *engine, struct err *err)
{
    if (engine->edit == NULL && (engine->edit = roster_edit_begin(engine->roster)) == NULL)
        return err_no_memory(err);
    return ERR_OK;
}

/* What leaves the roster with this transaction keeps its text: readers may look at it for long, and the store
 * soon has another. */
static enum err_code
leave_text(const struct engine *engine, struct str id, struct err *err)
{
    uint32_t row = roster_find(engine->roster, id);

    return row != ROSTER_NO_ROW ? facts_need_text(roster_facts(engine->roster, row), err) : ERR_OK;
}

enum err_code
engine_vector_made(struct engine *engine, struct store_txn *txn, struct str id, uint64_t seq,
                   const struct made_vector *made, struct err *err)
{
    struct tables tables = engine_tables_in_force(engine);

    if (!digests_agree(&made->lexicon, &tables.lexicon->digest))
        return ERR_OK; /* engine_profile_changed makes the right one */
    return made_vector_store(txn, id, seq, made, err);
}

enum err_code
engine_profile_changed(struct engine *engine, struct store_txn *txn, struct str id, struct err *err)
{
    struct store_read *read = store_txn_read(txn);
    struct arena *arena = arena_create(LOAD_ARENA_BYTES);
    struct profile_record record;
    struct tables tables = engine_tables_in_force(engine);
    struct loaded loaded = {.facts = NULL};
    enum err_code code = arena != NULL ? engine_edit_ensure(engine, err) : err_no_memory(err);

    if (code == ERR_OK)
        code = leave_text(engine, id, err);
    if (code == ERR_OK)
        code = store_profile_get(read, id, &record, err);
    if (code == ERR_OK)
        code = tables_load_facts(&tables, engine->symbols, read, id, &record, arena, &loaded, err);
    if (code == ERR_OK)
        code = roster_edit_put(engine->edit, loaded.facts, err);
    if (code == ERR_OK && loaded.vector_was_made)
        code = made_vector_store(txn, id, record.seq, &loaded.made, err);
    if (code == ERR_OK)
        follow_note_profile(&engine->follow, id, false);
    arena_destroy(arena);
    return code;
}

enum err_code
engine_profile_deleted(struct engine *engine, struct str id, struct err *err)
{
    enum err_code code = engine_edit_ensure(engine, err);

    if (code == ERR_OK)
        code = leave_text(engine, id, err);
    if (code == ERR_OK && roster_edit_delete(engine->edit, id) != ERR_OK)
        code = err_no_memory(err);
    if (code == ERR_OK)
        follow_note_profile(&engine->follow, id, true);
    return code;
}

void
engine_profile_erased(struct engine *engine, struct str id)
{
    follow_note_erased(&engine->follow, id);
}

enum err_code
engine_outcome_added(struct engine *engine, struct str from, struct str to, int32_t day,
                     bool is_positive, struct err *err)
{
    enum err_code code = engine_edit_ensure(engine, err);

    if (code == ERR_OK)
        code = roster_edit_outcome(engine->edit, from, to, day, is_positive, err);
    if (code == ERR_OK)
        follow_note_outcome(&engine->follow, from, to);
    return code;
}

void
engine_programme_changed(struct engine *engine, struct str id, bool is_gone)
{
    follow_note_programme(&engine->follow, id, is_gone);
}

/* ---- following ---- */

void
engine_follow(struct engine *engine, struct follower *follower)
{
    follow_desk_add(&engine->follow, follower);
}

void
engine_unfollow(struct engine *engine, struct follower *follower)
{
    follow_desk_remove(&engine->follow, follower);
}

/* ---- views ---- */

void
engine_view_hold(struct engine *engine, struct engine_view *view)
{
    pthread_mutex_lock(&engine->roster_lock);
    view->roster = roster_hold(engine->roster);
    view->held = held_reference_hold(engine->held);
    view->lexicon = held_lexicon_hold(engine->lexicon);
    pthread_mutex_unlock(&engine->roster_lock);
    view->reference = view->held->reference;
    view->symbols = engine->symbols;
    view->seq = roster_seq(view->roster);
}

enum err_code
engine_programme(struct engine *engine, const struct engine_view *view, struct str bytes,
                 struct kept_programme **out, struct err *err)
{
    return programme_cache_get(&engine->programmes, bytes, view->held, out, err);
}

void
engine_view_copy(const struct engine_view *view, struct engine_view *copy)
{
    *copy = *view;
    roster_hold(copy->roster);
    held_reference_hold(copy->held);
    held_lexicon_hold(copy->lexicon);
}

void
engine_view_drop(struct engine_view *view)
{
    roster_drop(view->roster);
    held_reference_drop(view->held);
    held_lexicon_drop(view->lexicon);
    *view = (struct engine_view){0};
}

uint64_t
engine_serial(const struct engine *engine)
{
    return atomic_load_explicit(&engine->serial, memory_order_acquire);
}

struct token_keeper *
engine_tokens(struct engine *engine)
{
    return engine->tokens;
}

void
engine_tokens_changed(struct engine *engine)
{
    engine->has_changed_tokens = true;
}

uint64_t
engine_token_epoch(const struct engine *engine)
{
    return atomic_load_explicit(&engine->token_epoch, memory_order_acquire);
}

bool
engine_token_holds(struct engine *engine, struct str token_id)
{
    return token_holds(engine->tokens, token_id);
}

void
engine_log_confidential(struct engine *engine, struct str actor, struct str id)
{
    log_event(engine->log, LOG_LEVEL_INFO, "confidential.read", log_str("actor", actor),
              log_str("profile", id));
}

void
engine_refer_internal(struct engine *engine, const char *method, const struct err *err,
                      struct buf *details)
{
    char ref[9];

    if (err->code != ERR_INTERNAL)
        return;
    snprintf(ref, sizeof ref, "%08" PRIx32, randombytes_random());
    log_event(engine->log, LOG_LEVEL_ERROR, "internal", log_text("ref", ref),
              log_text("method", method), log_text("message", err->message),
              log_text(err->field[0] != '\0' ? "field" : NULL, err->field),
              log_text(err->origin != NULL ? "origin" : NULL, err->origin));
    buf_clear(details);
    pack_map(details, 1);
    pack_key_text(details, "ref", ref);
}

/* ---- counters ---- */

static size_t
bucket_of(uint64_t microseconds)
{
    size_t bits = microseconds == 0 ? 0 : 64 - (size_t)__builtin_clzll(microseconds);

    return bits < STATS_BUCKETS - 1 ? bits : STATS_BUCKETS - 1;
}

void
engine_count_call(struct engine *engine, size_t method_index, enum err_code code,
                  uint64_t microseconds)
{
    engine_count_calls(engine, method_index, 1, microseconds);
    if (code != ERR_OK)
        atomic_fetch_add_explicit(&engine->counters[method_index].errors, 1, memory_order_relaxed);
}

void
engine_count_calls(struct engine *engine, size_t method_index, uint64_t calls,
                   uint64_t microseconds_each)
{
    struct method_counters *counters = &engine->counters[method_index];

    atomic_fetch_add_explicit(&counters->calls, calls, memory_order_relaxed);
    atomic_fetch_add_explicit(&counters->microseconds, calls * microseconds_each,
                              memory_order_relaxed);
    atomic_fetch_add_explicit(&counters->buckets[bucket_of(microseconds_each)], calls,
                              memory_order_relaxed);
}

void
engine_method_stats(const struct engine *engine, size_t method_index, struct method_stats *out)
{
    const struct method_counters *counters = &engine->counters[method_index];

    out->calls = atomic_load_explicit(&counters->calls, memory_order_relaxed);
    out->errors = atomic_load_explicit(&counters->errors, memory_order_relaxed);
    out->microseconds = atomic_load_explicit(&counters->microseconds, memory_order_relaxed);
    for (int i = 0; i < STATS_BUCKETS; i++)
        out->buckets[i] = atomic_load_explicit(&counters->buckets[i], memory_order_relaxed);
}
