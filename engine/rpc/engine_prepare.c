/*
 * engine_prepare.c: all facts by tables to come, while the service goes on by those in force.
 *
 * What costs is the making of text vectors (and, before, the parsing of the lexicon): that is done here, on
 * the calling thread. Building facts interns symbols, which only the writer's thread may; it is short, and is
 * done in pieces of PIECE_PROFILES, so that no other write waits for more than one of them. A walk over the
 * profiles merges two lists that are in the same order, by id: what the store holds now, and what the pass
 * before has made. A record whose seq is the same is the same, and its facts move over as they are.
 */
#include "alloc.h"
#include "arena.h"
#include "engine_parts.h"
#include "log.h"
#include "value.h"

#include <stdatomic.h>
#include <string.h>

enum {
    PIECE_PROFILES = 64,
    PIECE_LOOKS = 4096,            /* records walked over in one snapshot */
    PIECE_BYTES = 4 * 1024 * 1024, /* of copies, before another is taken */
    PREPARE_FEW = 64,              /* made in a pass: the rest may be left to the transaction */
    PASSES_MAX = 8,
    PROGRESS_PROFILES = 2000,
    KEY_BYTES_MAX = 512 /* more than any key of LMDB */
};

struct piece_item {
    size_t at; /* in the next list */
    struct str id;
    uint64_t seq;
    struct str open, confidential; /* copies, until the vector is made */
    bool is_kept;                  /* the store has its vector */
    struct made_vector made;
};

struct pass {
    struct prepared *prepared;
    struct prepared next; /* its list in the making */
    size_t i_old;         /* in prepared's */
    struct arena *arena;  /* of one piece */
    struct arena *scratch;
    struct piece_item items[PIECE_PROFILES];
    size_t n_items, n_made;
    struct str after; /* id that the walk has come to */
    char after_bytes[KEY_BYTES_MAX];
    bool is_at_end;
    uint64_t n_profiles;
};

void
prepared_fini(struct prepared *prepared)
{
    for (size_t i = 0; i < prepared->n; i++)
        facts_drop(prepared->list[i].facts);
    mem_free(prepared->list);
    prepared->list = NULL;
    prepared->n = prepared->room = 0;
}

static enum err_code
list_add(struct prepared *list, uint64_t seq, struct facts *facts, struct err *err)
{
    if (list->n == list->room) {
        size_t room = list->room == 0 ? 256 : 2 * list->room;
        struct prepared_facts *more = mem_realloc(list->list, room * sizeof *more);

        if (more == NULL)
            return err_no_memory(err);
        list->list = more;
        list->room = room;
    }
    list->list[list->n++] = (struct prepared_facts){.seq = seq, .facts = facts};
    return ERR_OK;
}

/* Out with the places of profiles that were gone, or others, when their facts were to be built. */
static void
list_close_up(struct prepared *list)
{
    size_t n = 0;

    for (size_t i = 0; i < list->n; i++)
        if (list->list[i].facts != NULL)
            list->list[n++] = list->list[i];
    list->n = n;
}

/* The prepared facts of this very record, or NULL; *i goes forward with the ids. */
static struct prepared_facts *
list_find(const struct prepared *list, size_t *i, struct str id, uint64_t seq)
{
    while (*i < list->n && str_compare(list->list[*i].facts->id, id) < 0)
        (*i)++;
    if (*i < list->n && list->list[*i].seq == seq && str_equal(list->list[*i].facts->id, id))
        return &list->list[(*i)++];
    return NULL;
}

static enum err_code
check_end(const struct prepared *prepared, struct err *err)
{
    if (!atomic_load(prepared->must_end))
        return ERR_OK;
    return err_set(err, ERR_DRAINING, "the service ends; the tables stay as they were");
}

/* ---- a piece: what is to be made ---- */

static enum err_code
item_copy(struct pass *pass, struct str id, const struct profile_record *record, struct err *err)
{
    struct piece_item *item = &pass->items[pass->n_items];

    *item = (struct piece_item){
        .at = pass->next.n,
        .id = arena_str(pass->arena, id),
        .seq = record->seq,
        .open = arena_str(pass->arena, record->open),
        .confidential = arena_str(pass->arena, record->confidential),
    };
    if (item->id.data == NULL || item->open.data == NULL || item->confidential.data == NULL)
        return err_no_memory(err);
    pass->n_items++;
    return list_add(&pass->next, record->seq, NULL, err);
}

static enum err_code
look_at_record(struct pass *pass, struct str id, const struct profile_record *record,
               struct err *err)
{
    struct prepared_facts *old = list_find(pass->prepared, &pass->i_old, id, record->seq);
    enum err_code code;

    memcpy(pass->after_bytes, id.data, id.len);
    pass->after = (struct str){pass->after_bytes, id.len};
    if (old == NULL)
        return item_copy(pass, id, record, err);
    code = list_add(&pass->next, old->seq, facts_hold(old->facts), err);
    if (code != ERR_OK)
        facts_drop(old->facts);
    return code;
}

/* Goes on in the walk until the piece is full; in a snapshot of its own, so that none is old. */
static enum err_code
piece_find(struct pass *pass, struct err *err)
{
    struct store_read *read = NULL;
    struct store_walk *walk = NULL;
    struct profile_record record;
    struct str id;
    size_t n_looks = 0;
    enum err_code code = store_read_begin(engine_store(pass->prepared->engine), &read, err);

    if (code == ERR_OK)
        code = store_walk_profiles(read, pass->after, &walk, err);
    while (code == ERR_OK && pass->n_items < PIECE_PROFILES && n_looks++ < PIECE_LOOKS &&
           arena_used(pass->arena) < PIECE_BYTES) {
        if (!store_walk_next_profile(walk, &id, &record, err)) {
            pass->is_at_end = true;
            code = err->code;
            break;
        }
        code = look_at_record(pass, id, &record, err);
    }
    if (code == ERR_OK)
        pass->n_profiles = store_profile_count(read);
    store_walk_end(walk);
    store_read_end(read);
    return code;
}

/* ---- a piece: its vectors ---- */

static enum err_code
item_make(struct pass *pass, struct piece_item *item, struct err *err)
{
    const msgpack_object *open = NULL, *confidential = NULL;
    enum err_code code = value_decode(item->open.data, item->open.len, &value_limits_default,
                                      pass->scratch, &open, err);

    if (code == ERR_OK && item->confidential.len > 0)
        code = value_decode(item->confidential.data, item->confidential.len, &value_limits_default,
                            pass->scratch, &confidential, err);
    if (code == ERR_OK)
        code = made_vector_make(pass->prepared->tables.lexicon, open, confidential, pass->scratch,
                                &item->made, err);
    item->made.bytes = arena_str(pass->arena, item->made.bytes);
    arena_reset(pass->scratch);
    return code == ERR_OK && item->made.bytes.data == NULL ? err_no_memory(err) : code;
}

/* Are they kept under this lexicon already? Where it has not changed all are; after a crash some. */
static enum err_code
items_look_up(struct pass *pass, struct err *err)
{
    struct store_read *read;
    enum err_code code = store_read_begin(engine_store(pass->prepared->engine), &read, err);

    if (code != ERR_OK)
        return code;
    for (size_t i = 0; i < pass->n_items && code == ERR_OK; i++) {
        struct piece_item *item = &pass->items[i];
        uint64_t made_of;
        struct str bytes;

        code = store_vector_get(read, &pass->prepared->tables.lexicon->digest, item->id, &made_of,
                                &bytes, err);
        item->is_kept = code == ERR_OK && made_of == item->seq;
        if (code == ERR_NOT_FOUND)
            code = ERR_OK;
    }
    store_read_end(read);
    return code;
}

static enum err_code
piece_make(struct pass *pass, struct err *err)
{
    enum err_code code = items_look_up(pass, err);

    for (size_t i = 0; i < pass->n_items && code == ERR_OK; i++) {
        code = check_end(pass->prepared, err);
        if (code == ERR_OK && !pass->items[i].is_kept)
            code = item_make(pass, &pass->items[i], err);
    }
    return code;
}

/* ---- a piece: its facts, on the writer's thread ---- */

static enum err_code
item_build(struct pass *pass, struct store_txn *txn, const struct piece_item *item, struct err *err)
{
    struct prepared *prepared = pass->prepared;
    struct store_read *read = store_txn_read(txn);
    struct profile_record record;
    struct loaded loaded = {.facts = NULL};
    enum err_code code = store_profile_get(read, item->id, &record, err);

    if (code == ERR_NOT_FOUND || (code == ERR_OK && record.seq != item->seq))
        return ERR_OK; /* gone, or another by now: nothing of the old one may be kept */
    if (code == ERR_OK && !item->is_kept) {
        code = made_vector_store(txn, item->id, item->seq, &item->made, err);
        if (code == ERR_OK) /* a write ends what was read before */
            code = store_profile_get(read, item->id, &record, err);
    }
    if (code == ERR_OK)
        code = tables_load_facts(&prepared->tables, prepared->engine->symbols, read, item->id,
                                 &record, pass->scratch, &loaded, err);
    if (code == ERR_OK && loaded.vector_was_made)
        code = made_vector_store(txn, item->id, item->seq, &loaded.made, err);
    pass->next.list[item->at].facts = loaded.facts;
    return code;
}

static void
forget_facts(struct pass *pass)
{
    for (size_t i = 0; i < pass->n_items; i++) {
        facts_drop(pass->next.list[pass->items[i].at].facts);
        pass->next.list[pass->items[i].at].facts = NULL;
    }
}

static enum err_code
piece_apply(struct store_txn *txn, void *context, struct err *err)
{
    struct pass *pass = context;
    enum err_code code = ERR_OK;

    forget_facts(pass); /* those of a group that had to be run again */
    for (size_t i = 0; i < pass->n_items && code == ERR_OK; i++) {
        code = item_build(pass, txn, &pass->items[i], err);
        arena_reset(pass->scratch);
    }
    return code;
}

/* ---- passes ---- */

static void
tell_progress(const struct pass *pass)
{
    size_t before = pass->n_made / PROGRESS_PROFILES;

    if ((pass->n_made + pass->n_items) / PROGRESS_PROFILES > before)
        log_event(pass->prepared->engine->log, LOG_LEVEL_INFO, "reload.goes_on",
                  log_int("made", (int64_t)(pass->n_made + pass->n_items)),
                  log_int("profiles", (int64_t)pass->n_profiles));
}

static enum err_code
pass_run(struct pass *pass, struct err *err)
{
    enum err_code code = ERR_OK;

    while (code == ERR_OK && !pass->is_at_end) {
        pass->n_items = 0;
        arena_reset(pass->arena);
        code = check_end(pass->prepared, err);
        if (code == ERR_OK)
            code = piece_find(pass, err);
        if (code == ERR_OK)
            code = piece_make(pass, err);
        if (code == ERR_OK && pass->n_items > 0)
            code = store_write(engine_store(pass->prepared->engine), piece_apply, pass, err);
        tell_progress(pass);
        pass->n_made += pass->n_items;
    }
    return code;
}

static enum err_code
prepare_once(struct prepared *prepared, size_t *n_made, struct err *err)
{
    struct pass *pass = mem_alloc_zeroed(1, sizeof *pass);
    enum err_code code;

    if (pass == NULL)
        return err_no_memory(err);
    pass->prepared = prepared;
    pass->arena = arena_create(LOAD_ARENA_BYTES);
    pass->scratch = arena_create(LOAD_ARENA_BYTES);
    code = pass->arena == NULL || pass->scratch == NULL ? err_no_memory(err) : pass_run(pass, err);
    list_close_up(&pass->next);
    *n_made = pass->n_made;
    prepared_fini(prepared);
    prepared->list = pass->next.list;
    prepared->n = pass->next.n;
    prepared->room = pass->next.room;
    arena_destroy(pass->scratch);
    arena_destroy(pass->arena);
    mem_free(pass);
    return code;
}

enum err_code
prepared_make(struct prepared *prepared, struct err *err)
{
    size_t n_made = SIZE_MAX;
    enum err_code code = ERR_OK;

    for (int i = 0; i < PASSES_MAX && n_made > PREPARE_FEW && code == ERR_OK; i++)
        code = prepare_once(prepared, &n_made, err);
    return code;
}

/* ---- the roster, inside the transaction ---- */

static enum err_code
load_late(const struct prepared *prepared, struct store_txn *txn, struct str id,
          const struct profile_record *record, struct arena *arena, struct facts **out,
          struct err *err)
{
    struct loaded loaded;
    struct str name = arena_str(arena, id);
    uint64_t seq = record->seq;
    enum err_code code =
        name.data == NULL ? err_no_memory(err)
                          : tables_load_facts(&prepared->tables, prepared->engine->symbols,
                                              store_txn_read(txn), id, record, arena, &loaded, err);

    if (code != ERR_OK)
        return code;
    if (loaded.vector_was_made)
        code = made_vector_store(txn, name, seq, &loaded.made, err);
    if (code != ERR_OK)
        facts_drop(loaded.facts);
    else
        *out = loaded.facts;
    return code;
}

static enum err_code
add_profiles(const struct prepared *prepared, struct store_txn *txn, struct roster_edit *edit,
             struct arena *arena, size_t *n_profiles, size_t *n_late, struct err *err)
{
    struct store_walk *walk;
    struct profile_record record;
    struct str id;
    size_t i = 0;
    enum err_code code = store_walk_profiles(store_txn_read(txn), STR_LIT(""), &walk, err);

    if (code != ERR_OK)
        return code;
    *n_profiles = *n_late = 0;
    while (code == ERR_OK && store_walk_next_profile(walk, &id, &record, err)) {
        struct prepared_facts *ready = list_find(prepared, &i, id, record.seq);
        struct facts *facts = NULL;

        if (ready != NULL)
            facts = facts_hold(ready->facts);
        else
            code = load_late(prepared, txn, id, &record, arena, &facts, err);
        if (code == ERR_OK)
            code = roster_edit_put(edit, facts, err);
        *n_late += ready == NULL;
        ++*n_profiles;
        arena_reset(arena);
    }
    if (code == ERR_OK)
        code = err->code; /* the walk's own end */
    store_walk_end(walk);
    return code;
}

enum err_code
prepared_roster(const struct prepared *prepared, struct store_txn *txn, struct roster_edit *edit,
                size_t *n_profiles, size_t *n_late, struct err *err)
{
    struct arena *arena = arena_create(LOAD_ARENA_BYTES);
    enum err_code code = arena == NULL
                             ? err_no_memory(err)
                             : add_profiles(prepared, txn, edit, arena, n_profiles, n_late, err);

    if (code == ERR_OK)
        code = engine_load_outcomes(&prepared->tables, store_txn_read(txn), edit, err);
    arena_destroy(arena);
    return code;
}
