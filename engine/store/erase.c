/*
 * erase.c: a profile's content out of the store, to the last byte.
 *
 * Two steps. Inside the transaction (store_profile_erase) every record that holds content goes or is
 * rewritten without it:
 *
 *     profiles, versions, archive, vectors,
 *     outlines                               the records go
 *     archive of others                      a version that a merge had filled from the profile goes
 *     journal                                entries stay, with seq, time, method and digest; their subject becomes a
 *                                            pseudonym, their details the proof of who took them (redaction.h)
 *     outcomes                               stay, for the other party's record: the profile becomes the
 *                                            pseudonym, the note goes; so do other notes that name it
 *     settings                               those that name the id go: notes of merges, tokens bound to it
 *
 * The pseudonym is a hash of the id with a random key that is forgotten at once, so that the entries
 * of one erasure still belong together and it does not tell whose they were. The ledger does, to whoever has
 * the file: its rows are ids, with the seq of their erasure.
 *
 * After the commit, before anyone is answered, the whole store is copied into a fresh file (data.c), which
 * takes the old one's name; readers that still look at the old one keep it until they end, then its blocks
 * go back to the file system. The flag jumelage.erasing stands from before the commit until then: if
 * the process dies in between, the next opening finishes. What no program can do is to clear blocks
 * that a file system or a disk has kept for itself; that is said in the operator's page.
 */
#include "erase.h"

#include "file.h"
#include "fold.h"
#include "records.h"
#include "redaction.h"
#include "value.h"

#include <sodium.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { WORK_ARENA_BYTES = 512 * 1024 * 1024, PSEUDONYM_CHARS = 23, NAME_LEAST = 3 };
static const char fresh_name[] = "jumelage.fresh";

/* ---- what has to be touched: found first, written after, since no cursor outlives a write ---- */

struct touched {
    uint64_t seq;
    struct str bytes; /* an outcome as it was; a key */
    bool is_subject;  /* an entry about the profile itself */
    bool is_partners; /* written by the profile's own partner */
    struct touched *next;
};

struct work {
    struct store_txn *txn;
    struct profile_erasure *erasure;
    struct arena *arena;
    char pseudonym[PSEUDONYM_CHARS + 1];
    struct touched *names, *entries, *outcomes, *settings, *vectors, *outlines, *merged;
};

static enum err_code
note(struct work *work, struct touched **list, struct touched one, struct err *err)
{
    struct touched *copy = arena_alloc(work->arena, 1, sizeof *copy);

    if (copy == NULL)
        return err_no_memory(err);
    *copy = one;
    if (one.bytes.len > 0) {
        copy->bytes = arena_str(work->arena, one.bytes);
        if (copy->bytes.data == NULL)
            return err_no_memory(err);
    }
    copy->next = *list;
    *list = copy;
    return ERR_OK;
}

static enum err_code
decode(struct work *work, struct str bytes, const msgpack_object **value, struct err *err)
{
    return value_decode(bytes.data, bytes.len, &value_limits_default, work->arena, value, err);
}

/* Does the text stand anywhere in the tree, as a value of its own? */
static bool
has_text(const msgpack_object *value, struct str text)
{
    struct str own;

    if (value_str(value, &own))
        return str_equal(own, text);
    for (size_t i = 0; i < value_size(value); i++)
        if (has_text(value_is_map(value) ? value_of(value, i) : value_at(value, i), text))
            return true;
    return false;
}

static bool
bytes_have(struct str bytes, struct str text)
{
    return bytes.len >= text.len && text.len > 0 &&
           memmem(bytes.data, bytes.len, text.data, text.len) != NULL;
}

/* ---- its names, for the notes of outcomes ---- */

static enum err_code
note_name(struct work *work, const struct profile_record *record, struct err *err)
{
    const msgpack_object *open;
    struct str name, folded;
    enum err_code code = decode(work, record->open, &open, err);

    if (code != ERR_OK || !value_str(value_find(open, "name"), &name))
        return code;
    if (fold_text(name, work->arena, &folded, NULL) != ERR_OK || folded.len < NAME_LEAST)
        return ERR_OK;
    return note(work, &work->names, (struct touched){.bytes = folded}, err);
}

static enum err_code
find_names(struct work *work, struct err *err)
{
    struct store_read *read = &work->txn->read;
    struct profile_record record;
    struct version_record version;
    struct store_walk *walk;
    enum err_code code = store_profile_get(read, work->erasure->id, &record, err);

    work->erasure->had_profile = code == ERR_OK;
    if (code == ERR_OK)
        code = note_name(work, &record, err);
    if (code == ERR_OK || code == ERR_NOT_FOUND)
        code = store_walk_versions(read, work->erasure->id, 0, &walk, err);
    if (code != ERR_OK)
        return code;
    while (code == ERR_OK && store_walk_next_version(walk, &version, err)) {
        work->erasure->n_versions++;
        if (version.has_record)
            code = note_name(work, &version.record, err);
    }
    if (code == ERR_OK)
        code = err->code;
    store_walk_end(walk);
    return code;
}

/* ---- the journal ---- */

/* A free remark, of an outcome, of a token, or of the entry that tells of them, with its id or name? */
static bool
names_it(const struct work *work, const msgpack_object *map)
{
    struct str text, folded;

    if (!value_str(value_find(map, "note"), &text))
        return false;
    if (bytes_have(text, work->erasure->id))
        return true;
    if (fold_text(text, work->arena, &folded, NULL) != ERR_OK)
        return true; /* what cannot be read is not kept */
    for (const struct touched *name = work->names; name != NULL; name = name->next)
        if (bytes_have(folded, name->bytes))
            return true;
    return false;
}

/* A version of another profile that a merge filled from this one: parted since, but still kept. */
static enum err_code
find_merged(struct work *work, struct str keep, uint64_t seq, struct err *err)
{
    struct version_record version;
    struct store_walk *walk;
    enum err_code code = store_walk_versions(&work->txn->read, keep, 0, &walk, err);

    if (code != ERR_OK)
        return code;
    while (code == ERR_OK && store_walk_next_version(walk, &version, err))
        if (version.seq + 1 == seq && str_is(version.method, "profile.merge")) {
            struct key key = key_of_version(keep, version.version);

            code = note(work, &work->merged, (struct touched){.bytes = key_str(&key)}, err);
        }
    if (code == ERR_OK)
        code = err->code;
    store_walk_end(walk);
    return code;
}

static enum err_code
look_at_entry(struct work *work, const struct journal_record *record, struct err *err)
{
    struct str id = work->erasure->id, into;
    struct touched one = {.seq = record->seq, .is_subject = str_equal(record->subject, id)};
    struct arena_mark mark = arena_mark(work->arena);
    const msgpack_object *what = NULL;
    enum err_code code = ERR_OK;
    bool is_named;

    if (record_is_redactor(
            record)) /* numbers and pseudonyms, and it must stay to explain the others */
        return ERR_OK;
    if (!one.is_subject && !bytes_have(record->what, id) &&
        !bytes_have(record->what, STR_LIT("note")))
        return ERR_OK;
    code = decode(work, record->what, &what, err);
    is_named = code == ERR_OK && (has_text(what, id) || names_it(work, what));
    if (code == ERR_OK && one.is_subject && str_is(record->method, "profile.merge") &&
        value_str(value_find(what, "into"), &into))
        code = find_merged(work, into, record->seq, err);
    else
        arena_release(work->arena, mark);
    if (code != ERR_OK || (!one.is_subject && !is_named))
        return code;
    one.is_partners = record->actor.len > 8 && memcmp(record->actor.data, "partner ", 8) == 0;
    work->erasure->n_entries++;
    return note(work, &work->entries, one, err);
}

static enum err_code
find_entries(struct work *work, struct err *err)
{
    struct journal_record record;
    struct store_walk *walk;
    enum err_code code = store_walk_journal(&work->txn->read, 0, &walk, err);

    if (code != ERR_OK)
        return code;
    while (code == ERR_OK && store_walk_next_journal(walk, &record, err))
        code = look_at_entry(work, &record, err);
    if (code == ERR_OK)
        code = err->code;
    store_walk_end(walk);
    return code;
}

/* ---- outcomes, settings, vectors ---- */

static bool
is_key(const msgpack_object *value, const char *key, struct str id)
{
    struct str text;

    return value_str(value_find(value, key), &text) && str_equal(text, id);
}

static enum err_code
find_outcomes(struct work *work, struct err *err)
{
    struct str id = work->erasure->id;
    struct outcome_record record;
    struct store_walk *walk;
    enum err_code code = store_walk_outcomes(&work->txn->read, 0, &walk, err);

    if (code != ERR_OK)
        return code;
    while (code == ERR_OK && store_walk_next_outcome(walk, &record, err)) {
        struct arena_mark mark = arena_mark(work->arena);
        const msgpack_object *value;
        bool is_party, is_named;

        code = decode(work, record.bytes, &value, err);
        if (code != ERR_OK)
            break;
        is_party = is_key(value, "from", id) || is_key(value, "to", id) ||
                   is_key(value, "merged_from", id);
        is_named = names_it(work, value);
        arena_release(work->arena, mark);
        work->erasure->n_outcomes += is_party;
        if (is_party || is_named)
            code = note(work, &work->outcomes,
                        (struct touched){.seq = record.seq, .bytes = record.bytes}, err);
    }
    if (code == ERR_OK)
        code = err->code;
    store_walk_end(walk);
    return code;
}

/* "merge/<id>" is named by it; "merge/<other>" and "token/…" have it as a value. */
static bool
setting_is_of(const struct work *work, struct str name, const msgpack_object *value)
{
    struct str id = work->erasure->id;
    size_t slash = str_find(name, '/', 0);
    struct str tail = {name.data + slash + 1, slash < name.len ? name.len - slash - 1 : 0};

    return slash < name.len && (str_equal(tail, id) || has_text(value, id));
}

static enum err_code
find_settings(struct work *work, struct err *err)
{
    struct store_walk *walk;
    struct str name, bytes;
    enum err_code code =
        store_walk_settings(&work->txn->read, "", (struct str){NULL, 0}, &walk, err);

    if (code != ERR_OK)
        return code;
    while (code == ERR_OK && store_walk_next_setting(walk, &name, &bytes, err)) {
        struct arena_mark mark = arena_mark(work->arena);
        const msgpack_object *value;
        bool is_of;

        if (ledger_is_row(name))
            continue;
        code = decode(work, bytes, &value, err);
        if (code != ERR_OK)
            break;
        is_of = setting_is_of(work, name, value);
        arena_release(work->arena, mark);
        if (!is_of)
            continue;
        work->erasure->n_tokens += name.len > 6 && memcmp(name.data, "token/", 6) == 0;
        code = note(work, &work->settings, (struct touched){.bytes = name}, err);
    }
    if (code == ERR_OK)
        code = err->code;
    store_walk_end(walk);
    return code;
}

/* By any lexicon. */
static enum err_code
find_made_of_texts(struct work *work, enum table table, struct touched **list, struct err *err)
{
    struct store_read *read = &work->txn->read;
    struct str id = work->erasure->id;
    enum err_code code = ERR_OK;
    MDB_cursor *cursor;
    MDB_val k;
    int rc = mdb_cursor_open(read->txn, read->data->tables[table], &cursor);

    if (rc != 0)
        return store_err(err, rc, "read the store");
    while (code == ERR_OK && (rc = mdb_cursor_get(cursor, &k, NULL, MDB_NEXT)) == 0)
        if (k.mv_size == LEXICON_KEY_BYTES + id.len &&
            memcmp((const char *)k.mv_data + LEXICON_KEY_BYTES, id.data, id.len) == 0)
            code = note(work, list, (struct touched){.bytes = {k.mv_data, k.mv_size}}, err);
    mdb_cursor_close(cursor);
    return code != ERR_OK || rc == MDB_NOTFOUND ? code : store_err(err, rc, "read the store");
}

/* ---- taking it out ---- */

static void
make_pseudonym(struct work *work)
{
    uint8_t key[crypto_generichash_KEYBYTES], hash[crypto_generichash_BYTES_MIN];
    struct str id = work->erasure->id;
    char hex[17];

    randombytes_buf(key, sizeof key);
    crypto_generichash(hash, sizeof hash, (const unsigned char *)id.data, id.len, key, sizeof key);
    sodium_memzero(key, sizeof key);
    sodium_bin2hex(hex, sizeof hex, hash, 8);
    snprintf(work->pseudonym, sizeof work->pseudonym, "erased-%s", hex);
}

/* Found newest first, redacted oldest first. */
static void
turn_round(struct touched **list)
{
    struct touched *turned = NULL;

    while (*list != NULL) {
        struct touched *one = *list;

        *list = one->next;
        one->next = turned;
        turned = one;
    }
    *list = turned;
}

static enum err_code
redact_entries(struct work *work, struct err *err)
{
    struct profile_erasure *erasure = work->erasure;
    struct str pseudonym = str_from(work->pseudonym), none = {NULL, 0};
    struct redaction redaction;
    enum err_code code = redaction_begin(&redaction, work->txn, REDACTION_ERASE, err);

    if (code != ERR_OK)
        return code;
    turn_round(&work->entries);
    for (const struct touched *one = work->entries; one != NULL && code == ERR_OK; one = one->next)
        code = redaction_take(&redaction, one->seq, one->is_subject ? pseudonym : none,
                              one->is_partners ? STR_LIT("partner") : none, err);
    if (code == ERR_OK)
        code = redaction_end(&redaction, erasure->actor, erasure->method, pseudonym, &erasure->seq,
                             err);
    redaction_fini(&redaction);
    return code;
}

static enum err_code
delete_versions(struct work *work, enum table table, struct err *err)
{
    struct key prefix = key_of_id(work->erasure->id);
    enum err_code code = ERR_OK;

    prefix.bytes[prefix.len++] = '\0';
    while (code == ERR_OK) {
        struct key key = {.len = 0};
        struct str last;

        code = kv_last(&work->txn->read, table, key_str(&prefix), &last, err);
        if (code != ERR_OK || last.len == 0)
            break;
        key.len = last.len;
        memcpy(key.bytes, last.data, last.len);
        code = kv_delete(work->txn, table, key_str(&key), err);
    }
    return code;
}

static enum err_code
delete_keys(struct work *work, enum table table, const struct touched *list, struct err *err)
{
    enum err_code code = ERR_OK;

    for (; list != NULL && code == ERR_OK; list = list->next)
        code = kv_delete(work->txn, table, list->bytes, err);
    return code;
}

/* The outcome without its note, and with the pseudonym where the id stood. */
static enum err_code
rewrite_outcome(struct work *work, const struct touched *one, struct err *err)
{
    const msgpack_object *value;
    struct pack_open map;
    struct buf bytes;
    size_t n = 0;
    enum err_code code = decode(work, one->bytes, &value, err);

    if (code != ERR_OK)
        return code;
    buf_init(&bytes, 64 * 1024);
    map = pack_map_open(&bytes);
    for (size_t i = 0; i < value_size(value); i++) {
        struct str text;

        if (str_is(value_key(value, i), "note"))
            continue;
        pack_str(&bytes, value_key(value, i));
        if (value_str(value_of(value, i), &text) && str_equal(text, work->erasure->id))
            pack_text(&bytes, work->pseudonym);
        else
            pack_value(&bytes, value_of(value, i));
        n++;
    }
    pack_close(&bytes, map, n);
    code = buf_check(&bytes, err);
    if (code == ERR_OK)
        code = store_outcome_put(work->txn, one->seq, buf_str(&bytes), err);
    buf_fini(&bytes);
    return code;
}

static enum err_code
take_out(struct work *work, struct err *err)
{
    struct profile_erasure *erasure = work->erasure;
    struct store_txn *txn = work->txn;
    enum err_code code;

    make_pseudonym(work);
    if ((code = redact_entries(work, err)) != ERR_OK ||
        (code = kv_delete(txn, TABLE_PROFILES, erasure->id, err)) != ERR_OK ||
        (code = delete_versions(work, TABLE_VERSIONS, err)) != ERR_OK ||
        (code = delete_versions(work, TABLE_ARCHIVE, err)) != ERR_OK ||
        (code = delete_keys(work, TABLE_ARCHIVE, work->merged, err)) != ERR_OK ||
        (code = delete_keys(work, TABLE_VECTORS, work->vectors, err)) != ERR_OK ||
        (code = delete_keys(work, TABLE_OUTLINES, work->outlines, err)) != ERR_OK ||
        (code = delete_keys(work, TABLE_SETTINGS, work->settings, err)) != ERR_OK)
        return code;
    for (const struct touched *o = work->outcomes; o != NULL && code == ERR_OK; o = o->next)
        code = rewrite_outcome(work, o, err);
    erasure->has_changed_outcomes = work->outcomes != NULL;
    if (code == ERR_OK)
        code = ledger_put(txn, erasure->id, erasure->at != 0 ? erasure->at : txn->now_ms,
                          erasure->seq, work->arena, err);
    return code;
}

static enum err_code
find_all(struct work *work, struct err *err)
{
    enum err_code code;

    if ((code = find_names(work, err)) != ERR_OK || (code = find_entries(work, err)) != ERR_OK ||
        (code = find_outcomes(work, err)) != ERR_OK ||
        (code = find_settings(work, err)) != ERR_OK ||
        (code = find_made_of_texts(work, TABLE_VECTORS, &work->vectors, err)) != ERR_OK)
        return code;
    return find_made_of_texts(work, TABLE_OUTLINES, &work->outlines, err);
}

static enum err_code
erase(struct work *work, struct err *err)
{
    struct profile_erasure *erasure = work->erasure;
    struct ledger_row row;
    enum err_code code = find_names(work, err);

    if (code != ERR_OK)
        return code;
    if (!erasure->had_profile && erasure->n_versions == 0) {
        /* Gone before: an erasure whose second step failed is taken up again. */
        code = ledger_get(&work->txn->read, erasure->id, work->arena, &row, err);
        if (code != ERR_OK)
            return code;
        erasure->seq = row.seq;
        return store_txn_compact(work->txn, err);
    }
    work->names = NULL;
    erasure->n_versions = 0;
    code = find_all(work, err);
    if (code == ERR_OK)
        code = store_txn_compact(work->txn, err);
    return code == ERR_OK ? take_out(work, err) : code;
}

enum err_code
store_profile_erase(struct store_txn *txn, struct profile_erasure *erasure, struct err *err)
{
    struct work work = {.txn = txn, .erasure = erasure, .arena = arena_create(WORK_ARENA_BYTES)};
    enum err_code code;

    erasure->n_versions = erasure->n_entries = erasure->n_outcomes = erasure->n_tokens = 0;
    code = work.arena == NULL ? err_no_memory(err) : erase(&work, err);
    arena_destroy(work.arena);
    return code;
}

enum err_code
store_txn_compact(struct store_txn *txn, struct err *err)
{
    enum err_code code = store_flag_raise(txn->read.store, erasing_name, err);

    txn->must_compact = code == ERR_OK;
    return code;
}

/* ---- the second step: a fresh file in the old one's place ---- */

static enum err_code
make_fresh(struct store *store, const char *dir, struct data **out, struct err *err)
{
    struct store_read *read;
    struct data *fresh = NULL;
    enum err_code code;

    store_folder_remove(dir);
    code = file_make_dir(dir, 0700, err);
    if (code == ERR_OK)
        code = data_open(dir, store->map_bytes, MDB_NOSYNC, true, &fresh, err);
    if (code == ERR_OK)
        code = store_read_begin(store, &read, err);
    if (code == ERR_OK) {
        code = data_copy(read, fresh, NULL, err);
        store_read_end(read);
    }
    if (code == ERR_OK)
        mdb_env_set_flags(fresh->env, MDB_NOSYNC, 0);
    if (code != ERR_OK) {
        data_drop(fresh);
        store_folder_remove(dir);
        return code;
    }
    *out = fresh;
    return ERR_OK;
}

static enum err_code
exchange_files(struct store *store, struct err *err)
{
    char dir[STORE_PATH_BYTES], from[STORE_PATH_BYTES + 16], to[STORE_PATH_BYTES];
    struct data *fresh;
    enum err_code code;

    store_path(dir, store->dir, fresh_name);
    code = make_fresh(store, dir, &fresh, err);
    if (code != ERR_OK)
        return code;
    snprintf(from, sizeof from, "%s/data.mdb", dir);
    store_path(to, store->dir, "data.mdb");
    if (rename(from, to) != 0) {
        code = err_set_sys(err, errno, "replace %s", to);
        data_drop(fresh);
        store_folder_remove(dir);
        return code;
    }
    /* From here on the new file is the store, whatever else fails. */
    store_exchange_data(store, fresh);
    if (store->has_writer)
        store_watch_file(store);
    snprintf(from, sizeof from, "%s/lock.mdb", dir);
    store_path(to, store->dir, "lock.mdb");
    if (rename(from, to) == 0)
        rmdir(dir);
    return file_sync_folder_of(to, err);
}

enum err_code
erasure_finish(struct store *store, struct err *err)
{
    enum err_code code = ledger_write(store, err);

    if (code == ERR_OK)
        code = exchange_files(store, err);
    if (code == ERR_OK)
        store_flag_lower(store, erasing_name);
    return code;
}

/* ---- what a ledger lists and an older backup still holds ---- */

static enum err_code
apply_row(struct work *work, int64_t at, bool *is_done, struct err *err)
{
    struct str id = work->erasure->id;
    struct ledger_row row;
    enum err_code code = ledger_get(&work->txn->read, id, work->arena, &row, err);

    *is_done = false;
    if (code == ERR_OK && row.at >= at)
        return ERR_OK; /* the backup is younger than this erasure */
    if (code != ERR_OK && code != ERR_NOT_FOUND)
        return code;
    work->erasure->at = at;
    code = find_names(work, err);
    if (code != ERR_OK)
        return code;
    if (work->erasure->had_profile || work->erasure->n_versions != 0) {
        *is_done = true;
        return store_profile_erase(work->txn, work->erasure, err);
    }
    return ledger_put(work->txn, id, at, 0, work->arena, err);
}

enum err_code
erasures_apply(struct store_txn *txn, const struct erasure_list *list, struct str actor,
               size_t *n_done, struct err *err)
{
    struct arena *arena = arena_create(WORK_ARENA_BYTES);
    enum err_code code = arena == NULL ? err_no_memory(err) : store_txn_compact(txn, err);

    *n_done = 0;
    for (size_t i = 0; i < list->n && code == ERR_OK; i++) {
        struct profile_erasure erasure = {
            .id = str_from(list->rows[i].id), .actor = actor, .method = STR_LIT("restore")};
        struct work work = {.txn = txn, .erasure = &erasure, .arena = arena};
        bool is_done;

        code = apply_row(&work, list->rows[i].at, &is_done, err);
        *n_done += is_done;
        arena_reset(arena);
    }
    arena_destroy(arena);
    return code;
}
