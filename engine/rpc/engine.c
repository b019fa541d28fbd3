#include "engine.h"

#include "arena.h"
#include "digest.h"
#include "log.h"
#include "method.h"
#include "share.h"
#include "tokens.h"
#include "value.h"

#include <sodium.h>

#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { READERS_KEPT = 8, LOAD_ARENA_BYTES = 64 * 1024 * 1024, VECTOR_BATCH = 500 };

/* Counters of one method; only ever added to. */
struct method_counters {
    _Atomic uint64_t calls, errors, microseconds;
    _Atomic uint64_t buckets[STATS_BUCKETS];
};

struct engine {
    char share_dir[SHARE_PATH_MAX];
    char backup_dir[SHARE_PATH_MAX];
    const struct clock *clock;
    struct log *log;
    struct store *store;
    struct reference *reference;
    struct symbols *symbols; /* written by the writer's thread only, once the engine is open */
    struct method_counters *counters;

    pthread_mutex_t roster_lock; /* around the pointer, for the time of a hold */
    struct roster *roster;
    _Atomic uint64_t serial; /* of the pointer */

    struct roster_edit *edit; /* writer's thread: the next roster in the making, or NULL */

    struct token_keeper *tokens;
    bool has_changed_tokens; /* writer's thread: in the transaction in progress */
    _Atomic uint64_t token_epoch;

    pthread_mutex_t lexicon_lock; /* around the four below */
    struct share_files files;     /* the lexicon's bytes until it is parsed */
    bool has_files;
    struct lexicon *lexicon;
    struct lexicon_reader *readers[READERS_KEPT];
    size_t n_readers;
    struct digest lexicon_digest;
};

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

const struct reference *
engine_reference(const struct engine *engine)
{
    return engine->reference;
}

struct digest
engine_lexicon_digest(const struct engine *engine)
{
    return engine->lexicon_digest;
}

/* ---- the lexicon ---- */

static enum err_code
lexicon_ensure(struct engine *engine, struct err *err) /* lexicon_lock is held */
{
    enum err_code code;

    if (engine->lexicon != NULL)
        return ERR_OK;
    code = lexicon_parse(engine->files.lexicon, &engine->lexicon, err);
    if (code == ERR_OK) {
        share_files_fini(&engine->files);
        engine->has_files = false;
    }
    return code;
}

enum err_code
engine_lexicon_take(struct engine *engine, struct lexicon_reader **out, struct err *err)
{
    enum err_code code;

    pthread_mutex_lock(&engine->lexicon_lock);
    code = lexicon_ensure(engine, err);
    if (code == ERR_OK) {
        if (engine->n_readers > 0)
            *out = engine->readers[--engine->n_readers];
        else if ((*out = lexicon_reader_create(engine->lexicon)) == NULL)
            code = err_no_memory(err);
    }
    pthread_mutex_unlock(&engine->lexicon_lock);
    return code;
}

void
engine_lexicon_give(struct engine *engine, struct lexicon_reader *reader)
{
    if (reader == NULL)
        return;
    pthread_mutex_lock(&engine->lexicon_lock);
    if (engine->n_readers < READERS_KEPT) {
        engine->readers[engine->n_readers++] = reader;
        reader = NULL;
    }
    pthread_mutex_unlock(&engine->lexicon_lock);
    lexicon_reader_destroy(reader);
}

static uint64_t
sources_digest(const struct text_source *sources, size_t n)
{
    struct digest_state state;
    struct digest digest;
    uint64_t value = 0;

    digest_begin(&state);
    for (size_t i = 0; i < n; i++) {
        digest_add_str(&state, sources[i].lang);
        digest_add_str(&state, sources[i].text);
    }
    digest = digest_end(&state);
    for (int i = 0; i < 8; i++)
        value = value << 8 | digest.bytes[i];
    return value;
}

enum err_code
engine_text_vector(struct engine *engine, const msgpack_object *open,
                   const msgpack_object *confidential, struct arena *arena, struct text_vector *out,
                   uint64_t *text_digest, bool *has_confidential, struct err *err)
{
    struct lexicon_reader *reader;
    struct text_source *sources;
    size_t n;
    enum err_code code =
        facts_text_sources(open, confidential, arena, &sources, &n, has_confidential, err);

    if (code != ERR_OK)
        return code;
    *text_digest = sources_digest(sources, n);
    code = engine_lexicon_take(engine, &reader, err);
    if (code != ERR_OK)
        return code;
    code = text_vector_make(reader, sources, n, arena, out, err);
    engine_lexicon_give(engine, reader);
    return code;
}

/* ---- from a stored profile to facts ---- */

/* Looks the vector up in the snapshot; makes it where it is not kept or was made of other texts. */
static enum err_code
find_vector(struct engine *engine, struct store_read *read, struct str id,
            const msgpack_object *open, const msgpack_object *confidential, struct arena *arena,
            struct facts_input *input, bool *was_made, uint64_t *text_digest, struct err *err)
{
    struct text_source *sources;
    struct str bytes;
    uint64_t kept;
    size_t n;
    enum err_code code = facts_text_sources(open, confidential, arena, &sources, &n,
                                            &input->has_confidential_text, err);

    if (code != ERR_OK)
        return code;
    *text_digest = sources_digest(sources, n);
    code = store_vector_get(read, &engine->lexicon_digest, id, &kept, &bytes, err);
    if (code == ERR_OK && kept == *text_digest)
        return text_vector_read(bytes, arena, &input->text, err);
    if (code != ERR_OK && code != ERR_NOT_FOUND)
        return code;
    *was_made = true;
    return engine_text_vector(engine, open, confidential, arena, &input->text, text_digest,
                              &input->has_confidential_text, err);
}

struct loaded {
    struct facts *facts;
    bool vector_was_made;
    uint64_t text_digest;
    struct text_vector vector; /* in the arena */
};

static enum err_code
load_facts(struct engine *engine, struct store_read *read, struct str id,
           const struct profile_record *record, struct arena *arena, struct loaded *out,
           struct err *err)
{
    struct facts_input input = {.reference = engine->reference, .symbols = engine->symbols};
    enum err_code code = value_decode(record->open.data, record->open.len, &value_limits_default,
                                      arena, &input.open, err);

    *out = (struct loaded){0};
    if (code == ERR_OK && record->confidential.len > 0)
        code = value_decode(record->confidential.data, record->confidential.len,
                            &value_limits_default, arena, &input.confidential, err);
    if (code == ERR_OK)
        code = find_vector(engine, read, id, input.open, input.confidential, arena, &input,
                           &out->vector_was_made, &out->text_digest, err);
    if (code == ERR_OK)
        code = facts_build(&input, &out->facts, err);
    out->vector = input.text;
    return code;
}

/* ---- publishing: all on the writer's thread ---- */

static void
observe_begin(void *context)
{
    struct engine *engine = context;

    engine->edit = NULL; /* made when the first change comes */
    engine->has_changed_tokens = false;
}

static void
observe_publish(void *context, uint64_t seq)
{
    struct engine *engine = context;
    struct err err = {0};
    struct roster *next, *old;

    if (engine->has_changed_tokens)
        atomic_fetch_add(&engine->token_epoch, 1);
    if (engine->edit == NULL)
        return;
    next = roster_publish(engine->edit, seq, &err);
    engine->edit = NULL;
    if (next == NULL) {
        /* On disk, but not to be seen: an answer now would be a lie, and so would every match. The
         * next start reads it back. */
        log_err(engine->log, LOG_LEVEL_ERROR, "engine.publish", "roster", &err);
        abort();
    }
    pthread_mutex_lock(&engine->roster_lock);
    old = engine->roster;
    engine->roster = next;
    pthread_mutex_unlock(&engine->roster_lock);
    atomic_fetch_add_explicit(&engine->serial, 1, memory_order_release);
    roster_drop(old);
}

static void
observe_abandon(void *context)
{
    struct engine *engine = context;

    if (engine->edit != NULL)
        roster_edit_abandon(engine->edit);
    engine->edit = NULL;
}

static enum err_code
edit_ensure(struct engine *engine, struct err *err)
{
    if (engine->edit == NULL && (engine->edit = roster_edit_begin(engine->roster)) == NULL)
        return err_no_memory(err);
    return ERR_OK;
}

enum err_code
engine_profile_changed(struct engine *engine, struct store_txn *txn, struct str id, struct err *err)
{
    struct store_read *read = store_txn_read(txn);
    struct arena *arena = arena_create(LOAD_ARENA_BYTES);
    struct profile_record record;
    struct loaded loaded = {0};
    enum err_code code = arena != NULL ? edit_ensure(engine, err) : err_no_memory(err);

    if (code == ERR_OK)
        code = store_profile_get(read, id, &record, err);
    if (code == ERR_OK)
        code = load_facts(engine, read, id, &record, arena, &loaded, err);
    if (code == ERR_OK)
        code = roster_edit_put(engine->edit, loaded.facts, err);
    arena_destroy(arena);
    return code;
}

enum err_code
engine_profile_deleted(struct engine *engine, struct str id, struct err *err)
{
    enum err_code code = edit_ensure(engine, err);

    if (code == ERR_OK && roster_edit_delete(engine->edit, id) != ERR_OK)
        code = err_no_memory(err);
    return code;
}

enum err_code
engine_outcome_added(struct engine *engine, struct str from, struct str to, int32_t day,
                     bool is_positive, struct err *err)
{
    enum err_code code = edit_ensure(engine, err);

    if (code == ERR_OK)
        code = roster_edit_outcome(engine->edit, from, to, day, is_positive, err);
    return code;
}

/* ---- opening ---- */

/* What is kept in the store's settings about the tables in force: a list of digests. */
static void
pack_digests(struct buf *out, const struct digest *digests, size_t n)
{
    pack_array(out, n);
    for (size_t i = 0; i < n; i++)
        pack_bin(out, digests[i].bytes, DIGEST_BYTES);
}

struct use { /* one kind of tables: the reference, the lexicon */
    const char *setting;
    const struct str *files;
    size_t n;
    struct digest digests[REFERENCE_FILE_COUNT > (int)LEXICON_FILE_COUNT ? REFERENCE_FILE_COUNT
                                                                         : LEXICON_FILE_COUNT];
    struct buf packed;
    bool is_new;
};

static void
use_init(struct use *use, const char *setting, const struct str *files, size_t n)
{
    *use = (struct use){.setting = setting, .files = files, .n = n};
    for (size_t i = 0; i < n; i++)
        use->digests[i] = digest_of(files[i].data, files[i].len);
    buf_init(&use->packed, 4096);
    pack_digests(&use->packed, use->digests, n);
}

static enum err_code
use_compare(struct use *use, struct store_read *read, struct err *err)
{
    struct str kept;
    enum err_code code = store_setting_get(read, use->setting, &kept, err);

    if (code != ERR_OK && code != ERR_NOT_FOUND)
        return code;
    use->is_new = code == ERR_NOT_FOUND || !str_equal(kept, buf_str(&use->packed));
    return buf_check(&use->packed, err);
}

static enum err_code
use_write(struct store_txn *txn, void *context, struct err *err)
{
    struct use *use = context;
    struct journal_entry entry = {.actor = STR_LIT("engine"),
                                  .method = STR_LIT("tables.use"),
                                  .subject = str_from(use->setting),
                                  .what = buf_str(&use->packed)};
    struct buf what;
    uint64_t seq;
    enum err_code code;

    buf_init(&what, 8192);
    pack_map(&what, 1);
    pack_key(&what, "digests");
    buf_append_str(&what, buf_str(&use->packed));
    entry.what = buf_str(&what);
    code = buf_check(&what, err);
    if (code == ERR_OK)
        code = store_journal_add(txn, &entry, &seq, err);
    for (size_t i = 0; i < use->n && code == ERR_OK; i++)
        code = store_blob_put(txn, &use->digests[i], use->files[i], err);
    if (code == ERR_OK)
        code = store_setting_put(txn, use->setting, buf_str(&use->packed), err);
    buf_fini(&what);
    return code;
}

/* Keeps the tables in force in the store, where they are not the ones of last time. */
static enum err_code
keep_tables(struct engine *engine, struct err *err)
{
    struct use uses[2];
    struct store_read *read;
    enum err_code code = store_read_begin(engine->store, &read, err);

    if (code != ERR_OK)
        return code;
    use_init(&uses[0], "reference", engine->files.reference, REFERENCE_FILE_COUNT);
    use_init(&uses[1], "lexicon", engine->files.lexicon, LEXICON_FILE_COUNT);
    for (int i = 0; i < 2 && code == ERR_OK; i++)
        code = use_compare(&uses[i], read, err);
    store_read_end(read);
    for (int i = 0; i < 2; i++) {
        if (code == ERR_OK && uses[i].is_new)
            code = store_write(engine->store, use_write, &uses[i], err);
        buf_fini(&uses[i].packed);
    }
    return code;
}

/* Vectors that had to be made while loading, to be kept for the next time. */
struct vector_batch {
    struct engine *engine;
    struct arena *arena;
    struct {
        struct str id, bytes;
        uint64_t text_digest;
    } list[VECTOR_BATCH];
    size_t n;
};

static enum err_code
batch_write(struct store_txn *txn, void *context, struct err *err)
{
    struct vector_batch *batch = context;
    enum err_code code = ERR_OK;

    for (size_t i = 0; i < batch->n && code == ERR_OK; i++)
        code = store_vector_put(txn, &batch->engine->lexicon_digest, batch->list[i].id,
                                batch->list[i].text_digest, batch->list[i].bytes, err);
    return code;
}

static enum err_code
batch_add(struct vector_batch *batch, struct str id, const struct loaded *loaded, struct err *err)
{
    size_t size = text_vector_bytes(&loaded->vector);
    uint8_t *bytes = arena_alloc(batch->arena, size, 1);
    enum err_code code = ERR_OK;

    batch->list[batch->n].id = arena_str(batch->arena, id);
    if (bytes == NULL || batch->list[batch->n].id.data == NULL)
        return err_no_memory(err);
    text_vector_write(&loaded->vector, bytes);
    batch->list[batch->n].bytes = (struct str){(char *)bytes, size};
    batch->list[batch->n++].text_digest = loaded->text_digest;
    if (batch->n == VECTOR_BATCH) {
        code = store_write(batch->engine->store, batch_write, batch, err);
        batch->n = 0;
        arena_reset(batch->arena);
    }
    return code;
}

static enum err_code
load_profiles(struct engine *engine, struct store_read *read, struct roster_edit *edit,
              struct vector_batch *batch, struct err *err)
{
    struct arena *arena = arena_create(LOAD_ARENA_BYTES);
    struct store_walk *walk = NULL;
    struct profile_record record;
    struct str id;
    enum err_code code =
        arena == NULL ? err_no_memory(err) : store_walk_profiles(read, STR_LIT(""), &walk, err);

    while (code == ERR_OK && store_walk_next_profile(walk, &id, &record, err)) {
        struct loaded loaded;

        code = load_facts(engine, read, id, &record, arena, &loaded, err);
        if (code == ERR_OK && loaded.vector_was_made && batch != NULL)
            code = batch_add(batch, id, &loaded, err);
        if (code == ERR_OK)
            code = roster_edit_put(edit, loaded.facts, err);
        else
            facts_drop(loaded.facts);
        arena_reset(arena);
    }
    if (code == ERR_OK)
        code = err->code; /* the walk's own end */
    store_walk_end(walk);
    arena_destroy(arena);
    return code;
}

static enum err_code
load_outcomes(struct engine *engine, struct store_read *read, struct roster_edit *edit,
              struct err *err)
{
    const struct vocabulary *kinds = engine->reference->vocabularies[VOCABULARY_OUTCOMES];
    struct arena *arena = arena_create(LOAD_ARENA_BYTES);
    struct store_walk *walk = NULL;
    struct outcome_record record;
    enum err_code code =
        arena == NULL ? err_no_memory(err) : store_walk_outcomes(read, 0, &walk, err);

    while (code == ERR_OK && store_walk_next_outcome(walk, &record, err)) {
        const msgpack_object *value;
        struct str from, to, at, kind;
        enum date_precision precision;
        int32_t day;

        code = value_decode(record.bytes.data, record.bytes.len, &value_limits_default, arena,
                            &value, err);
        if (code == ERR_OK && value_str(value_find(value, "from"), &from) &&
            value_str(value_find(value, "to"), &to) && value_str(value_find(value, "at"), &at) &&
            value_str(value_find(value, "kind"), &kind) &&
            (code = date_parse(at, DATE_DAY, &day, &precision, err)) == ERR_OK) {
            int row = vocabulary_find(kinds, kind);

            code = roster_edit_outcome(edit, from, to, day,
                                       row != VOCABULARY_NONE && vocabulary_is_positive(kinds, row),
                                       err);
        }
        arena_reset(arena);
    }
    if (code == ERR_OK)
        code = err->code;
    store_walk_end(walk);
    arena_destroy(arena);
    return code;
}

enum err_code
engine_reload(struct engine *engine, struct store_txn *txn, struct err *err)
{
    struct store_read *read = store_txn_read(txn);
    struct roster_edit *edit = roster_edit_begin(NULL);
    enum err_code code =
        edit == NULL ? err_no_memory(err) : load_profiles(engine, read, edit, NULL, err);

    if (code == ERR_OK)
        code = load_outcomes(engine, read, edit, err);
    if (code != ERR_OK) {
        if (edit != NULL)
            roster_edit_abandon(edit);
        return code;
    }
    observe_abandon(engine); /* what was in the making is in the transaction too */
    engine->edit = edit;
    return ERR_OK;
}

static enum err_code
load_roster(struct engine *engine, struct vector_batch *batch, struct err *err)
{
    struct store_read *read;
    struct roster_edit *edit;
    uint64_t seq;
    enum err_code code = store_read_begin(engine->store, &read, err);

    if (code != ERR_OK)
        return code;
    seq = store_seq(read);
    edit = roster_edit_begin(NULL);
    code = edit == NULL ? err_no_memory(err) : load_profiles(engine, read, edit, batch, err);
    if (code == ERR_OK)
        code = load_outcomes(engine, read, edit, err);
    store_read_end(read);
    if (code != ERR_OK) {
        if (edit != NULL)
            roster_edit_abandon(edit);
        return code;
    }
    engine->roster = roster_publish(edit, seq, err);
    return engine->roster != NULL ? ERR_OK : err->code;
}

static enum err_code
load(struct engine *engine, struct err *err)
{
    struct vector_batch *batch = calloc(1, sizeof *batch);
    enum err_code code;

    if (batch == NULL)
        return err_no_memory(err);
    batch->engine = engine;
    batch->arena = arena_create(LOAD_ARENA_BYTES);
    code = batch->arena == NULL ? err_no_memory(err) : load_roster(engine, batch, err);
    if (code == ERR_OK && batch->n > 0)
        code = store_write(engine->store, batch_write, batch, err);
    arena_destroy(batch->arena);
    free(batch);
    return code;
}

static enum err_code
open_tables(struct engine *engine, const struct engine_options *options, struct err *err)
{
    enum err_code code =
        share_find(options->share_dir, engine->share_dir, sizeof engine->share_dir, err);

    if (code == ERR_OK)
        code = share_files_read(engine->share_dir, &engine->files, err);
    if (code != ERR_OK)
        return code;
    engine->has_files = true;
    engine->lexicon_digest = lexicon_files_digest(engine->files.lexicon);
    return reference_parse(engine->files.reference, &engine->reference, err);
}

static enum err_code
open_store(struct engine *engine, const struct engine_options *options, struct err *err)
{
    struct store_options store = {.dir = options->data_dir,
                                  .map_bytes = options->map_bytes,
                                  .clock = engine->clock,
                                  .wait_ms = options->wait_ms,
                                  .holder = options->holder,
                                  .full_check = options->full_check,
                                  .must_exist = options->must_exist,
                                  .on_fatal = options->on_fatal,
                                  .fatal_context = options->fatal_context};
    struct write_observer observer = {.begin = observe_begin,
                                      .publish = observe_publish,
                                      .abandon = observe_abandon,
                                      .context = engine};
    enum err_code code = store_open(&store, &engine->store, err);

    if (code == ERR_OK)
        code = keep_tables(engine, err);
    if (code == ERR_OK)
        code = load(engine, err);
    if (code == ERR_OK) {
        engine->tokens = token_keeper_create(engine->store, engine->clock, engine->log);
        if (engine->tokens == NULL)
            code = err_no_memory(err);
    }
    if (code == ERR_OK)
        store_observe(engine->store, &observer);
    return code;
}

enum err_code
engine_open(const struct engine_options *options, struct engine **out, struct err *err)
{
    struct engine *engine = calloc(1, sizeof *engine);
    struct err failure = {0};
    enum err_code code;

    if (engine == NULL)
        return err_no_memory(err);
    engine->clock = options->clock != NULL ? options->clock : clock_system();
    engine->log = options->log;
    if (options->backup_dir != NULL)
        snprintf(engine->backup_dir, sizeof engine->backup_dir, "%s", options->backup_dir);
    else
        snprintf(engine->backup_dir, sizeof engine->backup_dir, "%s/backups", options->data_dir);
    pthread_mutex_init(&engine->roster_lock, NULL);
    pthread_mutex_init(&engine->lexicon_lock, NULL);
    engine->counters = calloc(n_methods, sizeof *engine->counters);
    engine->symbols = symbols_create();
    if (engine->counters == NULL || engine->symbols == NULL)
        code = err_no_memory(&failure);
    else
        code = open_tables(engine, options, &failure);
    if (code == ERR_OK)
        code = open_store(engine, options, &failure);
    if (code == ERR_OK) {
        *out = engine;
        return ERR_OK;
    }
    engine_close(engine);
    if (err != NULL)
        *err = failure;
    return code;
}

void
engine_close(struct engine *engine)
{
    if (engine == NULL)
        return;
    store_close(engine->store); /* ends the writer's thread first: it uses all the rest */
    token_keeper_destroy(engine->tokens);
    roster_drop(engine->roster);
    for (size_t i = 0; i < engine->n_readers; i++)
        lexicon_reader_destroy(engine->readers[i]);
    lexicon_destroy(engine->lexicon);
    if (engine->has_files)
        share_files_fini(&engine->files);
    reference_destroy(engine->reference);
    symbols_destroy(engine->symbols);
    free(engine->counters);
    pthread_mutex_destroy(&engine->roster_lock);
    pthread_mutex_destroy(&engine->lexicon_lock);
    free(engine);
}

/* ---- views ---- */

void
engine_view_hold(struct engine *engine, struct engine_view *view)
{
    pthread_mutex_lock(&engine->roster_lock);
    view->roster = roster_hold(engine->roster);
    pthread_mutex_unlock(&engine->roster_lock);
    view->reference = engine->reference;
    view->symbols = engine->symbols;
    view->seq = roster_seq(view->roster);
}

void
engine_view_drop(struct engine_view *view)
{
    roster_drop(view->roster);
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
