/*
 * engine_facts.c: from a stored profile to its facts: the lexicon held, text vectors kept or made.
 *
 * A text vector is a function of the texts and the lexicon. The store keeps each under the lexicon's digest
 * with the seq of the profile's record, so that one made by other tables or of other texts is never taken.
 *
 * A start reads outlines (text_sketch.h) and leaves the vectors, five times as long, where they are; who asks for
 * a text then has it read. For that the store must still have it: so whatever takes facts out of the roster, or
 * puts others in their place, has their text at hand before its transaction commits (engine.c, leave_text; roster_need_texts).
 */
#include "alloc.h"
#include "arena.h"
#include "digest.h"
#include "engine_parts.h"
#include "profile.h"
#include "value.h"

#include <inttypes.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

/* ---- the lexicon, held like the reference ---- */

static struct held_lexicon *
lexicon_alloc(const struct share_files *files)
{
    struct held_lexicon *held = calloc(1, sizeof *held);

    if (held == NULL)
        return NULL;
    held->n_holders = 1;
    held->digest = lexicon_files_digest(files->lexicon);
    pthread_mutex_init(&held->lock, NULL);
    return held;
}

struct held_lexicon *
held_lexicon_take(struct share_files *files)
{
    struct held_lexicon *held = lexicon_alloc(files);

    if (held == NULL)
        return NULL;
    held->files = *files;
    held->has_files = true;
    return held;
}

enum err_code
held_lexicon_parse(const struct share_files *files, struct held_lexicon **out, struct err *err)
{
    struct held_lexicon *held = lexicon_alloc(files);
    enum err_code code =
        held == NULL ? err_no_memory(err) : lexicon_parse(files->lexicon, &held->lexicon, err);

    if (code != ERR_OK) {
        held_lexicon_drop(held);
        return code;
    }
    *out = held;
    return ERR_OK;
}

struct held_lexicon *
held_lexicon_hold(struct held_lexicon *held)
{
    atomic_fetch_add_explicit(&held->n_holders, 1, memory_order_relaxed);
    return held;
}

void
held_lexicon_drop(struct held_lexicon *held)
{
    if (held == NULL || atomic_fetch_sub_explicit(&held->n_holders, 1, memory_order_acq_rel) != 1)
        return;
    for (size_t i = 0; i < held->n_readers; i++)
        lexicon_reader_destroy(held->readers[i]);
    lexicon_destroy(held->lexicon);
    if (held->has_files)
        share_files_fini(&held->files);
    pthread_mutex_destroy(&held->lock);
    free(held);
}

static enum err_code
lexicon_ensure(struct held_lexicon *held, struct err *err) /* its lock is held */
{
    enum err_code code;

    if (held->lexicon != NULL)
        return ERR_OK;
    code = lexicon_parse(held->files.lexicon, &held->lexicon, err);
    if (code == ERR_OK) {
        share_files_fini(&held->files);
        held->has_files = false;
    }
    return code;
}

enum err_code
lexicon_reader_take(struct held_lexicon *held, struct lexicon_reader **out, struct err *err)
{
    enum err_code code;

    pthread_mutex_lock(&held->lock);
    code = lexicon_ensure(held, err);
    if (code == ERR_OK) {
        if (held->n_readers > 0)
            *out = held->readers[--held->n_readers];
        else if ((*out = lexicon_reader_create(held->lexicon)) == NULL)
            code = err_no_memory(err);
    }
    pthread_mutex_unlock(&held->lock);
    return code;
}

void
lexicon_reader_give(struct held_lexicon *held, struct lexicon_reader *reader)
{
    if (reader == NULL)
        return;
    pthread_mutex_lock(&held->lock);
    if (held->n_readers < READERS_KEPT) {
        held->readers[held->n_readers++] = reader;
        reader = NULL;
    }
    pthread_mutex_unlock(&held->lock);
    lexicon_reader_destroy(reader);
}

/* ---- text vectors ---- */

enum err_code
made_vector_pack(struct made_vector *made, struct arena *arena, struct err *err)
{
    size_t size = text_vector_bytes(&made->vector);
    uint8_t *bytes = arena_alloc(arena, size, 1);
    struct text_outline outline;

    if (bytes == NULL)
        return err_no_memory(err);
    text_vector_write(&made->vector, bytes);
    made->bytes = (struct str){(char *)bytes, size};
    text_outline_make(&made->vector, &outline);
    text_outline_write(&outline, made->outline);
    return ERR_OK;
}

enum err_code
made_vector_make(struct held_lexicon *lexicon, const msgpack_object *open,
                 const msgpack_object *confidential, struct arena *arena, struct made_vector *out,
                 struct err *err)
{
    struct lexicon_reader *reader;
    struct text_source *sources;
    struct made_vector made = {.lexicon = lexicon->digest};
    size_t n;
    enum err_code code =
        facts_text_sources(open, confidential, arena, &sources, &n, &made.has_confidential, err);

    if (code == ERR_OK)
        code = lexicon_reader_take(lexicon, &reader, err);
    if (code != ERR_OK)
        return code;
    code = text_vector_make(reader, sources, n, arena, &made.vector, err);
    lexicon_reader_give(lexicon, reader);
    if (code == ERR_OK)
        code = made_vector_pack(&made, arena, err);
    if (code == ERR_OK)
        *out = made;
    return code;
}

enum err_code
made_vector_store(struct store_txn *txn, struct str id, uint64_t seq,
                  const struct made_vector *made, struct err *err)
{
    struct str outline = {(const char *)made->outline, sizeof made->outline};

    return store_vector_put(txn, &made->lexicon, id, seq, made->bytes, outline, err);
}

bool
digests_agree(const struct digest *a, const struct digest *b)
{
    return memcmp(a->bytes, b->bytes, DIGEST_BYTES) == 0;
}

/* ---- texts that stay in the store ---- */

static enum err_code
fetch_text(const struct text_keeper *keeper, struct str id, uint64_t made_of,
           struct text_taking *taking, struct err *err)
{
    const struct kept_texts *kept = (const struct kept_texts *)(const void *)keeper;
    struct store_read *read;
    uint64_t found;
    struct str bytes;
    enum err_code code = store_read_begin(kept->store, &read, err);

    if (code != ERR_OK)
        return code;
    code = store_vector_get(read, &kept->lexicon, id, &found, &bytes, err);
    if (code == ERR_NOT_FOUND || (code == ERR_OK && found != made_of))
        code = err_set(err, ERR_INTERNAL, "the store has no text vector of \"%.*s\" as of %" PRIu64,
                       STR_ARG(id), made_of);
    if (code == ERR_OK)
        code = facts_take_text(taking, bytes, err);
    store_read_end(read);
    return code;
}

struct text_keeper *
engine_text_keeper(struct engine *engine, const struct digest *lexicon, bool has_shelf,
                   struct err *err)
{
    struct kept_texts *first = atomic_load(&engine->texts), *kept = first;

    while (kept != NULL && !digests_agree(&kept->lexicon, lexicon))
        kept = kept->next;
    if (kept != NULL)
        return &kept->keeper;
    kept = mem_alloc_zeroed(1, sizeof *kept);
    if (kept == NULL) {
        err_no_memory(err);
        return NULL;
    }
    kept->keeper.fetch = fetch_text;
    kept->keeper.has_shelf = has_shelf;
    shared_shelf_init(&kept->keeper.shelf);
    kept->store = engine->store;
    kept->lexicon = *lexicon;
    kept->next = first;
    atomic_store(&engine->texts, kept);
    return &kept->keeper;
}

void
engine_text_keepers_end(struct engine *engine)
{
    struct kept_texts *next;

    for (struct kept_texts *kept = atomic_load(&engine->texts); kept != NULL; kept = next) {
        next = kept->next;
        shared_shelf_fini(&kept->keeper.shelf);
        mem_free(kept);
    }
}

size_t
engine_index_bytes(const struct engine *engine, const struct roster *roster)
{
    size_t bytes = roster_bytes(roster);

    for (const struct kept_texts *kept = atomic_load(&engine->texts); kept != NULL;
         kept = kept->next)
        bytes += atomic_load_explicit(&kept->keeper.bytes, memory_order_relaxed);
    return bytes;
}

/* ---- facts ---- */

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

/* What older releases kept: the digest of the texts. */
static enum err_code
is_made_of_texts(uint64_t made_of, const struct facts_input *input, struct arena *arena, bool *is,
                 struct err *err)
{
    struct text_source *sources;
    bool is_confidential;
    size_t n;
    enum err_code code = facts_text_sources(input->open, input->confidential, arena, &sources, &n,
                                            &is_confidential, err);

    if (code == ERR_OK)
        *is = sources_digest(sources, n) == made_of;
    return code;
}

static bool
has_confidential_text(const struct facts_input *input)
{
    bool is[2] = {false, false};

    if (input->confidential == NULL)
        return false;
    profile_effective(input->open, input->confidential, &schema[FIELD_DESCRIPTION], &is[0]);
    profile_effective(input->open, input->confidential, &schema[FIELD_TAGS], &is[1]);
    return is[0] || is[1];
}

/* The vector that is kept, or one made where none is or it was made of other texts. Looks at the trees of
 * both parts, but at none where the kept one is of this very record. */
static enum err_code
take_vector(const struct tables *tables, const struct kept_vector *kept, bool is_good,
            struct facts_input *input, struct loaded *out, struct err *err)
{
    struct arena *arena = input->scratch;
    enum err_code code = ERR_OK;

    input->has_confidential_text = has_confidential_text(input);
    if (!is_good && kept->bytes.len > 0)
        code = is_made_of_texts(kept->made_of, input, arena, &is_good, err);
    if (code != ERR_OK)
        return code;
    if (is_good) {
        input->kept_text = kept->bytes;
        input->kept_outline = kept->outline;
        input->keeper = kept->keeper;
        input->made_of = kept->made_of;
        return ERR_OK;
    }
    code =
        made_vector_make(tables->lexicon, input->open, input->confidential, arena, &out->made, err);
    out->vector_was_made = code == ERR_OK;
    input->text = out->made.vector;
    return code;
}

enum err_code
tables_build_facts(const struct tables *tables, const struct profile_record *record,
                   const struct kept_vector *kept, struct facts_input *input, struct loaded *out,
                   struct err *err)
{
    bool is_kept = kept->bytes.len > 0 || kept->outline.len > 0;
    bool is_good = is_kept && kept->made_of == record->seq;
    enum err_code code = ERR_OK;

    *out = (struct loaded){.facts = NULL};
    input->reference = tables->held->reference;
    if (is_good && record->open.len > 0 && record->confidential.len == 0)
        input->open_bytes = record->open; /* nobody asks for its texts */
    else
        code = value_read(record->open.data, record->open.len, &value_limits_default,
                          input->scratch, &input->open, err);
    if (code == ERR_OK && record->confidential.len > 0)
        code = value_read(record->confidential.data, record->confidential.len,
                          &value_limits_default, input->scratch, &input->confidential, err);
    if (code == ERR_OK)
        code = take_vector(tables, kept, is_good, input, out, err);
    return code == ERR_OK ? facts_build(input, &out->facts, err) : code;
}

enum err_code
tables_load_facts(const struct tables *tables, struct symbols *symbols, struct store_read *read,
                  struct str id, const struct profile_record *record, struct arena *arena,
                  struct loaded *out, struct err *err)
{
    struct facts_input input = {.symbols = symbols, .scratch = arena};
    struct kept_vector kept = {.made_of = 0};
    enum err_code code =
        store_vector_get(read, &tables->lexicon->digest, id, &kept.made_of, &kept.bytes, err);

    *out = (struct loaded){.facts = NULL};
    if (code != ERR_OK && code != ERR_NOT_FOUND)
        return code;
    return tables_build_facts(tables, record, &kept, &input, out, err);
}
