/*
 * handle_merge.c: two profiles of one organisation become one, and can be parted again.
 *
 * `keep` stays and takes what it lacks from `drop`; `drop` is deleted; both keep their histories. The
 * outcomes of `drop` are told of `keep` from then on, each with the name it had before (`merged_from`).
 * What is needed to undo it stands in the setting `merge/<drop>`: the versions before, the version after.
 * Consent is never taken over: whoever agreed, agreed for one profile.
 */
#include "handle.h"
#include "profile_write.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { KEEP_NAME_BYTES = 96 };

/* ---- combining two trees ---- */

static bool
is_never_taken(const struct field *field)
{
    switch (field->id) {
    case FIELD_ID:
    case FIELD_KIND:
    case FIELD_CONSENT:
    case FIELD_STATUS:
        return true;
    default:
        return false;
    }
}

static bool
is_set(const struct field *field)
{
    return field->type == FIELD_TYPE_CODES || field->type == FIELD_TYPE_TERMS ||
           field->type == FIELD_TYPE_IDS;
}

static bool
array_has(const msgpack_object *array, const msgpack_object *element)
{
    for (size_t i = 0; i < value_size(array); i++)
        if (value_equal(value_at(array, i), element))
            return true;
    return false;
}

/* The set of a, then what b adds, up to the field's limit; without the two ids themselves. */
static void
pack_union(struct buf *out, const struct field *field, const msgpack_object *a,
           const msgpack_object *b, struct str keep, struct str drop)
{
    struct pack_open list = pack_array_open(out);
    size_t n = 0;

    for (int side = 0; side < 2; side++) {
        const msgpack_object *set = side == 0 ? a : b;

        for (size_t i = 0; i < value_size(set) && n < (size_t)field->max; i++) {
            const msgpack_object *element = value_at(set, i);
            struct str text;
            bool is_self = field->type == FIELD_TYPE_IDS && value_str(element, &text) &&
                           (str_equal(text, keep) || str_equal(text, drop));

            if (is_self || (side == 1 && array_has(a, element)))
                continue;
            pack_value(out, element);
            n++;
        }
    }
    pack_close(out, list, n);
}

/* a's pairs, then those of b whose key a does not have. */
static void
pack_filled_map(struct buf *out, const msgpack_object *a, const msgpack_object *b)
{
    struct pack_open map = pack_map_open(out);
    size_t n = 0;

    for (size_t i = 0; i < value_size(a); i++, n++) {
        pack_str(out, value_key(a, i));
        pack_value(out, value_of(a, i));
    }
    for (size_t i = 0; i < value_size(b); i++)
        if (value_find_str(a, value_key(b, i)) == NULL) {
            pack_str(out, value_key(b, i));
            pack_value(out, value_of(b, i));
            n++;
        }
    pack_close(out, map, n);
}

static void
pack_combined(struct buf *out, const msgpack_object *a, const msgpack_object *b, struct str keep,
              struct str drop)
{
    struct str kind = {NULL, 0};
    struct pack_open map = pack_map_open(out);
    size_t n = 0;

    value_str(value_find(a, "kind"), &kind);
    for (int i = 0; i < FIELD_COUNT; i++) {
        const struct field *field = &schema[i];
        const msgpack_object *x = value_find(a, field->name), *y = value_find(b, field->name);

        if (!schema_has_kind(field, kind) || is_never_taken(field))
            y = NULL;
        if (x == NULL && y == NULL)
            continue;
        pack_key(out, field->name);
        if (x != NULL && is_set(field))
            pack_union(out, field, x, y, keep, drop);
        else if (x != NULL && y != NULL && value_is_map(x) && field->type != FIELD_TYPE_MONEY &&
                 field->type != FIELD_TYPE_PERIOD)
            pack_filled_map(out, x, y);
        else
            pack_value(out, x != NULL ? x : y);
        n++;
    }
    pack_close(out, map, n);
}

static enum err_code
read_whole(struct call *call, const char *param, struct str id, struct profile_record *record,
           const msgpack_object **whole, struct err *err)
{
    enum err_code code = store_profile_get(store_txn_read(call->txn), id, record, err);

    if (code == ERR_NOT_FOUND)
        return call_no_profile(call, param, id, err);
    return code == ERR_OK ? profile_record_whole(record, call->arena, whole, err) : code;
}

/* ---- outcomes under another name ---- */

static struct str
renamed(struct str party, struct str old_name, struct str new_name)
{
    return str_equal(party, old_name) ? new_name : party;
}

static enum err_code
outcome_rewrite(struct call *call, const msgpack_object *value, uint64_t seq, struct str old_name,
                struct str new_name, bool is_undo, struct err *err)
{
    struct str from = {NULL, 0}, to = {NULL, 0};
    struct pack_open map;
    struct buf bytes;
    size_t n = 0;
    enum err_code code;

    value_str(value_find(value, "from"), &from);
    value_str(value_find(value, "to"), &to);
    buf_init(&bytes, 64 * 1024);
    map = pack_map_open(&bytes);
    for (size_t i = 0; i < value_size(value); i++) {
        struct str key = value_key(value, i);

        if (str_is(key, "merged_from"))
            continue;
        pack_str(&bytes, key);
        if (str_is(key, "from"))
            pack_str(&bytes, renamed(from, old_name, new_name));
        else if (str_is(key, "to"))
            pack_str(&bytes, renamed(to, old_name, new_name));
        else
            pack_value(&bytes, value_of(value, i));
        n++;
    }
    if (!is_undo) {
        pack_key_str(&bytes, "merged_from", old_name);
        n++;
    }
    pack_close(&bytes, map, n);
    code = buf_check(&bytes, err);
    if (code == ERR_OK)
        code = store_outcome_put(call->txn, seq, buf_str(&bytes), err);
    buf_fini(&bytes);
    return code;
}

/* Is this outcome one to be renamed? Merging: `drop` is a party, and `keep` is not the other (two
 * names of one organisation had nothing to do with each other). Undoing: it bears the mark. */
static bool
outcome_concerns(const msgpack_object *value, struct str drop, struct str keep, bool is_undo)
{
    struct str from = {NULL, 0}, to = {NULL, 0}, mark = {NULL, 0};

    value_str(value_find(value, "from"), &from);
    value_str(value_find(value, "to"), &to);
    if (is_undo)
        return value_str(value_find(value, "merged_from"), &mark) && str_equal(mark, drop);
    return (str_equal(from, drop) && !str_equal(to, keep)) ||
           (str_equal(to, drop) && !str_equal(from, keep));
}

struct rename {
    uint64_t seq;
    const msgpack_object *value;
    struct rename *next;
};

/* Found first, written after: a cursor does not outlive a write of its own table. */
static enum err_code
outcomes_rename(struct call *call, struct str drop, struct str keep, bool is_undo, struct err *err)
{
    struct outcome_record record;
    struct rename *list = NULL;
    struct store_walk *walk;
    enum err_code code = store_walk_outcomes(store_txn_read(call->txn), 0, &walk, err);

    if (code != ERR_OK)
        return code;
    while (code == ERR_OK && store_walk_next_outcome(walk, &record, err)) {
        const void *copy = arena_copy(call->arena, record.bytes.data, record.bytes.len);
        const msgpack_object *value;
        struct rename *rename;

        code = copy == NULL ? err_no_memory(err)
                            : value_decode(copy, record.bytes.len, &value_limits_default,
                                           call->arena, &value, err);
        if (code != ERR_OK || !outcome_concerns(value, drop, keep, is_undo))
            continue;
        rename = arena_alloc(call->arena, 1, sizeof *rename);
        if (rename == NULL)
            code = err_no_memory(err);
        else
            *rename = (struct rename){record.seq, value, list}, list = rename;
    }
    if (code == ERR_OK)
        code = err->code;
    store_walk_end(walk);
    for (struct rename *r = list; r != NULL && code == ERR_OK; r = r->next)
        code = outcome_rewrite(call, r->value, r->seq, is_undo ? keep : drop, is_undo ? drop : keep,
                               is_undo, err);
    if (code == ERR_OK && list != NULL)
        code = engine_reload(call->engine, call->txn, err);
    return code;
}

/* ---- the note for undoing ---- */

struct merge_note {
    struct str keep;
    uint64_t keep_before, keep_after, drop_before;
};

static void
note_name(char name[KEEP_NAME_BYTES], struct str drop)
{
    snprintf(name, KEEP_NAME_BYTES, "merge/%.*s", STR_ARG(drop));
}

static enum err_code
note_write(struct call *call, struct str drop, const struct merge_note *note, struct err *err)
{
    char name[KEEP_NAME_BYTES];
    struct buf bytes;
    enum err_code code;

    note_name(name, drop);
    buf_init(&bytes, 1024);
    if (note != NULL) {
        pack_map(&bytes, 4);
        pack_key_str(&bytes, "keep", note->keep);
        pack_key_int(&bytes, "keep_before", (int64_t)note->keep_before);
        pack_key_int(&bytes, "keep_after", (int64_t)note->keep_after);
        pack_key_int(&bytes, "drop_before", (int64_t)note->drop_before);
    } else {
        pack_nil(&bytes);
    }
    code = buf_check(&bytes, err);
    if (code == ERR_OK)
        code = store_setting_put(call->txn, name, buf_str(&bytes), err);
    buf_fini(&bytes);
    return code;
}

static enum err_code
note_read(struct call *call, struct str drop, struct merge_note *note, struct err *err)
{
    char name[KEEP_NAME_BYTES];
    const msgpack_object *value = NULL;
    int64_t before, after, dropped;
    struct str bytes;
    enum err_code code;

    note_name(name, drop);
    code = store_setting_get(store_txn_read(call->txn), name, &bytes, err);
    if (code == ERR_OK) {
        const void *copy = arena_copy(call->arena, bytes.data, bytes.len);

        code = copy == NULL
                   ? err_no_memory(err)
                   : value_decode(copy, bytes.len, &value_limits_default, call->arena, &value, err);
    }
    if (code != ERR_OK && code != ERR_NOT_FOUND)
        return code;
    if (!value_str(value_find(value, "keep"), &note->keep) ||
        !value_int(value_find(value, "keep_before"), &before) ||
        !value_int(value_find(value, "keep_after"), &after) ||
        !value_int(value_find(value, "drop_before"), &dropped)) {
        err_set(err, ERR_NOT_FOUND,
                "\"%.*s\" was not merged into another profile, or is parted again", STR_ARG(drop));
        err_at(err, "id");
        return ERR_NOT_FOUND;
    }
    note->keep_before = (uint64_t)before;
    note->keep_after = (uint64_t)after;
    note->drop_before = (uint64_t)dropped;
    return ERR_OK;
}

/* ---- merge ---- */

static enum err_code
prepare_combined(struct call *call, const msgpack_object *a, const msgpack_object *b,
                 struct profile_write *write, struct err *err)
{
    struct str keep = call_str(call, "keep"), drop = call_str(call, "drop");
    const msgpack_object *combined;
    struct buf bytes;
    const void *copy;
    enum err_code code;

    buf_init(&bytes, 1024 * 1024);
    pack_combined(&bytes, a, b, keep, drop);
    code = buf_check(&bytes, err);
    copy = code == ERR_OK ? arena_copy(call->arena, bytes.data, bytes.len) : NULL;
    if (code == ERR_OK)
        code = copy == NULL ? err_no_memory(err)
                            : value_decode(copy, bytes.len, &value_limits_default, call->arena,
                                           &combined, err);
    buf_fini(&bytes);
    return code == ERR_OK ? profile_write_prepare(call, combined, "merged", true, write, err)
                          : code;
}

static enum err_code
delete_dropped(struct call *call, struct str drop, struct str keep, uint64_t *seq, struct err *err)
{
    struct journal_entry entry = {
        .actor = call_actor(call), .method = str_from(call->method->name), .subject = drop};
    struct buf what;
    enum err_code code;

    buf_init(&what, 1024);
    pack_map(&what, 1);
    pack_key_str(&what, "into", keep);
    entry.what = buf_str(&what);
    code = buf_check(&what, err);
    if (code == ERR_OK)
        code = store_journal_add(call->txn, &entry, seq, err);
    if (code == ERR_OK)
        code = store_profile_delete(call->txn, drop, *seq, entry.actor, entry.method, err);
    if (code == ERR_OK)
        code = engine_profile_deleted(call->engine, drop, err);
    buf_fini(&what);
    return code;
}

enum err_code
apply_profile_merge(struct call *call, struct err *err)
{
    struct str keep = call_str(call, "keep"), drop = call_str(call, "drop");
    struct profile_record kept, dropped;
    const msgpack_object *a, *b;
    struct profile_write write;
    struct profile_written written;
    struct merge_note note = {.keep = keep};
    uint64_t seq;
    enum err_code code;

    if (str_equal(keep, drop)) {
        err_set(err, ERR_INVALID_PARAMS, "keep and drop are both \"%.*s\"; name two profiles",
                STR_ARG(keep));
        err_at(err, "drop");
        return ERR_INVALID_PARAMS;
    }
    if ((code = read_whole(call, "keep", keep, &kept, &a, err)) != ERR_OK ||
        (code = read_whole(call, "drop", drop, &dropped, &b, err)) != ERR_OK)
        return code;
    note.keep_before = kept.version;
    note.drop_before = dropped.version;
    if ((code = prepare_combined(call, a, b, &write, err)) != ERR_OK ||
        (code = profile_write_store(call, &write, -1, &written, err)) != ERR_OK ||
        (code = delete_dropped(call, drop, keep, &seq, err)) != ERR_OK)
        return code;
    note.keep_after = written.version;
    if ((code = note_write(call, drop, &note, err)) != ERR_OK ||
        (code = outcomes_rename(call, drop, keep, false, err)) != ERR_OK)
        return code;
    pack_map(&call->answer, 4);
    pack_key_str(&call->answer, "id", keep);
    pack_key_int(&call->answer, "version", (int64_t)written.version);
    pack_key_str(&call->answer, "dropped", drop);
    pack_key_int(&call->answer, "seq", (int64_t)seq);
    return ERR_OK;
}

/* ---- unmerge ---- */

static enum err_code
restore_version(struct call *call, struct str id, uint64_t version, struct profile_written *written,
                struct err *err)
{
    struct version_record old;
    const msgpack_object *whole;
    struct profile_write write;
    enum err_code code = store_profile_version(store_txn_read(call->txn), id, version, &old, err);

    if (code == ERR_NOT_FOUND || (code == ERR_OK && !old.has_record))
        return err_set(err, ERR_NOT_FOUND,
                       "version %" PRIu64 " of \"%.*s\" is kept no more, so it cannot come back",
                       version, STR_ARG(id));
    if (code == ERR_OK)
        code = profile_record_whole(&old.record, call->arena, &whole, err);
    if (code == ERR_OK)
        code = profile_write_prepare(call, whole, "unmerged", true, &write, err);
    if (code == ERR_OK)
        code = profile_write_store(call, &write, -1, written, err);
    return code;
}

enum err_code
apply_profile_unmerge(struct call *call, struct err *err)
{
    struct str drop = call_str(call, "id");
    struct profile_written kept, dropped;
    struct profile_record now;
    struct merge_note note;
    enum err_code code = note_read(call, drop, &note, err);

    if (code != ERR_OK)
        return code;
    code = store_profile_get(store_txn_read(call->txn), note.keep, &now, err);
    if (code == ERR_NOT_FOUND)
        return call_no_profile(call, "id", note.keep, err);
    if (code == ERR_OK && now.version != note.keep_after) {
        err_set(err, ERR_CONFLICT,
                "\"%.*s\" was changed after the merge (version %" PRIu64 ", then %" PRIu64
                "); put its old version back first, or part them by hand",
                STR_ARG(note.keep), note.keep_after, now.version);
        return ERR_CONFLICT;
    }
    if (code != ERR_OK)
        return code;
    if ((code = restore_version(call, note.keep, note.keep_before, &kept, err)) != ERR_OK ||
        (code = restore_version(call, drop, note.drop_before, &dropped, err)) != ERR_OK ||
        (code = note_write(call, drop, NULL, err)) != ERR_OK ||
        (code = outcomes_rename(call, drop, note.keep, true, err)) != ERR_OK)
        return code;
    pack_map(&call->answer, 3);
    pack_key_str(&call->answer, "id", drop);
    pack_key_str(&call->answer, "parted_from", note.keep);
    pack_key_int(&call->answer, "seq", (int64_t)dropped.seq);
    return ERR_OK;
}
