/* engine_open.c: opening an engine: tables, store, profiles and outcomes; and closing it. */
#include "arena.h"
#include "digest.h"
#include "engine_parts.h"
#include "kernel.h"
#include "log.h"
#include "method.h"
#include "tokens.h"
#include "value.h"

#include <sodium.h>

#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { LOAD_THREADS_MAX = 8, PRUNE_STEP = 500 };

/* What is kept in the store's settings about the tables in force: a list of digests. */
static void
pack_digests(struct buf *out, const struct digest *digests, size_t n)
{
    pack_array(out, n);
    for (size_t i = 0; i < n; i++)
        pack_bin(out, digests[i].bytes, DIGEST_BYTES);
}

void
tables_use_init(struct tables_use *use, const char *setting, const struct str *files, size_t n)
{
    *use = (struct tables_use){.setting = setting, .files = files, .n = n};
    for (size_t i = 0; i < n; i++)
        use->digests[i] = digest_of(files[i].data, files[i].len);
    buf_init(&use->packed, 4096);
    pack_digests(&use->packed, use->digests, n);
}

static enum err_code
use_compare(struct tables_use *use, struct store_read *read, struct err *err)
{
    struct str kept;
    enum err_code code = store_setting_get(read, use->setting, &kept, err);

    if (code != ERR_OK && code != ERR_NOT_FOUND)
        return code;
    use->is_new = code == ERR_NOT_FOUND || !str_equal(kept, buf_str(&use->packed));
    return buf_check(&use->packed, err);
}

enum err_code
tables_use_write(struct store_txn *txn, void *context, struct err *err)
{
    struct tables_use *use = context;
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
keep_tables(struct engine *engine, struct share_files *files, bool *has_new_lexicon,
            struct err *err)
{
    struct tables_use uses[2];
    struct store_read *read;
    enum err_code code = store_read_begin(engine->store, &read, err);

    if (code != ERR_OK)
        return code;
    tables_use_init(&uses[0], "reference", files->reference, REFERENCE_FILE_COUNT);
    tables_use_init(&uses[1], "lexicon", files->lexicon, LEXICON_FILE_COUNT);
    for (int i = 0; i < 2 && code == ERR_OK; i++)
        code = use_compare(&uses[i], read, err);
    store_read_end(read);
    *has_new_lexicon = uses[1].is_new;
    for (int i = 0; i < 2; i++) {
        if (code == ERR_OK && uses[i].is_new)
            code = store_write(engine->store, tables_use_write, &uses[i], err);
        buf_fini(&uses[i].packed);
    }
    return code;
}

enum err_code
engine_load_outcomes(const struct tables *tables, struct store_read *read, struct roster_edit *edit,
                     struct err *err)
{
    const struct vocabulary *kinds = tables->held->reference->vocabularies[VOCABULARY_OUTCOMES];
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
    struct tables tables = engine_tables_in_force(engine);
    struct store_read *read = store_txn_read(txn);
    struct roster_edit *edit = roster_edit_begin(NULL);
    enum err_code code = edit == NULL ? err_no_memory(err) : ERR_OK;

    if (code == ERR_OK)
        code = roster_need_texts(engine->roster, err);
    if (code == ERR_OK)
        code = engine_load_profiles(engine, read, edit, 1, false, err);
    if (code == ERR_OK)
        code = engine_load_outcomes(&tables, read, edit, err);
    if (code != ERR_OK) {
        if (edit != NULL)
            roster_edit_abandon(edit);
        return code;
    }
    if (engine->edit != NULL) /* what was in the making is in the transaction too */
        roster_edit_abandon(engine->edit);
    engine->edit = edit;
    follow_note_rows(&engine->follow);
    return ERR_OK;
}

static unsigned
load_threads(unsigned wanted)
{
    long n = wanted != 0 ? (long)wanted : sysconf(_SC_NPROCESSORS_ONLN);

    return n < 1 ? 1 : n > LOAD_THREADS_MAX ? LOAD_THREADS_MAX : (unsigned)n;
}

static enum err_code
load_roster(struct engine *engine, unsigned n_threads, struct err *err)
{
    struct tables tables = engine_tables_in_force(engine);
    struct store_read *read;
    struct roster_edit *edit;
    uint64_t seq;
    enum err_code code = store_read_begin(engine->store, &read, err);

    if (code != ERR_OK)
        return code;
    seq = store_seq(read);
    edit = roster_edit_begin(NULL);
    code = edit == NULL ? err_no_memory(err)
                        : engine_load_profiles(engine, read, edit, n_threads, true, err);
    if (code == ERR_OK)
        code = engine_load_outcomes(&tables, read, edit, err);
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
open_tables(struct engine *engine, const struct engine_options *options, struct err *err)
{
    struct share_files files;
    enum err_code code =
        share_find(options->share_dir, engine->share_dir, sizeof engine->share_dir, err);

    if (code == ERR_OK)
        code = share_files_read(engine->share_dir, &files, err);
    if (code != ERR_OK)
        return code;
    engine->lexicon = held_lexicon_take(&files);
    if (engine->lexicon == NULL) {
        share_files_fini(&files);
        return err_no_memory(err);
    }
    return held_reference_take(&engine->lexicon->files, &engine->held, err);
}

struct pruning {
    const struct digest *keep;
    bool is_done;
};

static enum err_code
prune_step(struct store_txn *txn, void *context, struct err *err)
{
    struct pruning *pruning = context;
    bool left = false;
    enum err_code code = store_vectors_prune(txn, pruning->keep, PRUNE_STEP, &left, err);

    pruning->is_done = !left;
    return code;
}

enum err_code
engine_prune_vectors(struct engine *engine, const struct digest *keep, const _Atomic bool *must_end,
                     struct err *err)
{
    struct pruning pruning = {.keep = keep};
    enum err_code code = ERR_OK;

    while (code == ERR_OK && !pruning.is_done && !(must_end != NULL && atomic_load(must_end)))
        code = store_write(engine->store, prune_step, &pruning, err);
    return code;
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
                                  .keep_versions = options->keep_versions,
                                  .keep_journal_days = options->keep_journal_days,
                                  .on_fatal = options->on_fatal,
                                  .fatal_context = options->fatal_context};
    struct write_observer observer = {.begin = engine_observe_begin,
                                      .publish = engine_observe_publish,
                                      .abandon = engine_observe_abandon,
                                      .context = engine};
    bool has_new_lexicon;
    enum err_code code = store_open(&store, &engine->store, err);

    if (code == ERR_OK)
        code = keep_tables(engine, &engine->lexicon->files, &has_new_lexicon, err);
    if (code == ERR_OK)
        code = load_roster(engine, load_threads(options->load_threads), err);
    if (code == ERR_OK && has_new_lexicon)
        code = engine_prune_vectors(engine, &engine->lexicon->digest, NULL, err);
    if (code == ERR_OK)
        code = engine_day_open(engine, err);
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
    /* Before the first digest: it also takes the fastest code that the processor has. */
    if (sodium_init() < 0) {
        free(engine);
        return err_set(err, ERR_INTERNAL, "no source of randomness: libsodium does not start");
    }
    engine->clock = options->clock != NULL ? options->clock : clock_system();
    engine->log = options->log;
    atomic_store(&engine->n_free_helpers, options->helpers);
    engine->kernel = options->kernel != NULL ? options->kernel : kernel_best();
    if (options->backup_dir != NULL)
        snprintf(engine->backup_dir, sizeof engine->backup_dir, "%s", options->backup_dir);
    else
        snprintf(engine->backup_dir, sizeof engine->backup_dir, "%s/backups", options->data_dir);
    pthread_mutex_init(&engine->roster_lock, NULL);
    tables_desk_init(&engine->tables);
    engine->day.noted = engine->day.gone_back_to = DAY_NONE;
    follow_desk_init(&engine->follow);
    programme_cache_init(&engine->programmes);
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
    tables_desk_fini(&engine->tables); /* its thread writes */
    store_close(engine->store);        /* ends the writer's thread: it uses all the rest */
    token_keeper_destroy(engine->tokens);
    roster_drop(engine->roster);
    engine_text_keepers_end(engine);
    engine_tables_next(engine, NULL);
    programme_cache_fini(&engine->programmes);
    held_lexicon_drop(engine->lexicon);
    held_reference_drop(engine->held);
    symbols_destroy(engine->symbols);
    free(engine->counters);
    pthread_mutex_destroy(&engine->roster_lock);
    follow_desk_fini(&engine->follow);
    free(engine);
}
