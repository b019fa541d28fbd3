/* handle_programme.c: programmes checked, put, read, listed and deleted. */
#include "faults.h"
#include "handle.h"
#include "profile_write.h"
#include "programme.h"

#include <inttypes.h>

static void
pack_faults(struct buf *out, const struct faults *faults)
{
    pack_array(out, faults->n);
    for (size_t i = 0; i < faults->n; i++) {
        pack_map(out, 3);
        pack_key_text(out, "path", faults->list[i].path);
        pack_key_text(out, "message", faults->list[i].message);
        pack_key_bool(out, "warning", faults->list[i].is_warning);
    }
}

/* ---- put ---- */

struct programme_put {
    struct programme *programme;
    struct faults faults; /* warnings */
    struct str bytes;
};

enum err_code
handle_programme_put(struct call *call, struct err *err)
{
    struct programme_put *put = arena_alloc(call->arena, 1, sizeof *put);
    struct buf bytes;
    enum err_code code;

    if (put == NULL)
        return err_no_memory(err);
    call->state = put;
    faults_init(&put->faults, call->arena);
    programme_decode(call_value(call, "programme"), call->view.reference, &put->faults,
                     &put->programme);
    code = faults_first(&put->faults, err);
    if (code != ERR_OK) {
        err_at(err, "programme");
        pack_map(&call->error_details, 1);
        pack_key(&call->error_details, "faults");
        pack_faults(&call->error_details, &put->faults);
        return code;
    }
    buf_init(&bytes, 1024 * 1024);
    programme_encode(put->programme, &bytes);
    code = buf_check(&bytes, err);
    put->bytes = arena_str(call->arena, buf_str(&bytes));
    buf_fini(&bytes);
    return code == ERR_OK && put->bytes.data == NULL ? err_no_memory(err) : code;
}

static enum err_code
journal_programme(struct call *call, struct str id, uint64_t *seq, struct err *err)
{
    struct journal_entry entry = {.actor = call_actor(call),
                                  .method = str_from(call->method->name),
                                  .subject = id,
                                  .what = STR_LIT("\x80")};

    return store_journal_add(call->txn, &entry, seq, err);
}

enum err_code
apply_programme_put(struct call *call, struct err *err)
{
    struct programme_put *put = call->state;
    struct str id = put->programme->id;
    struct programme_record old;
    bool is_unchanged;
    uint64_t version, seq;
    enum err_code code = store_programme_get(store_txn_read(call->txn), id, &old, err);
    bool exists = code == ERR_OK;

    if (code != ERR_OK && code != ERR_NOT_FOUND)
        return code;
    code = version_check("programme", id, call_if_version(call), exists, exists ? old.version : 0,
                         err);
    if (code != ERR_OK)
        return code;
    is_unchanged = exists && str_equal(old.bytes, put->bytes);
    if (is_unchanged) {
        version = old.version;
        seq = old.seq;
    } else {
        code = journal_programme(call, id, &seq, err);
        if (code == ERR_OK)
            code = store_programme_put(call->txn, id, put->bytes, seq, &version, err);
        if (code != ERR_OK)
            return code;
        engine_programme_changed(call->engine, id, false);
    }
    pack_map(&call->answer, 6);
    pack_key_str(&call->answer, "id", id);
    pack_key_int(&call->answer, "version", (int64_t)version);
    pack_key_int(&call->answer, "seq", (int64_t)seq);
    pack_key_bool(&call->answer, "created", !exists);
    pack_key_bool(&call->answer, "unchanged", is_unchanged);
    pack_key(&call->answer, "warnings");
    pack_faults(&call->answer, &put->faults);
    return ERR_OK;
}

/* ---- check ---- */

enum err_code
handle_programme_check(struct call *call, struct err *err)
{
    const msgpack_object *given = call_value(call, "programme");
    struct programme *programme = NULL;
    struct programme_record record;
    struct store_read *read;
    struct faults faults;
    struct str id;
    enum err_code code = ERR_OK;

    faults_init(&faults, call->arena);
    if (value_str(given, &id)) { /* a stored one, against the vocabularies of today */
        code = store_read_begin(engine_store(call->engine), &read, err);
        if (code != ERR_OK)
            return code;
        code = programme_record_find(read, id, &record, err);
        if (code == ERR_OK) {
            const void *copy = arena_copy(call->arena, record.bytes.data, record.bytes.len);

            code = copy == NULL ? err_no_memory(err)
                                : value_decode(copy, record.bytes.len, &value_limits_default,
                                               call->arena, &given, err);
        }
        store_read_end(read);
        if (code != ERR_OK)
            return code;
    }
    programme_decode(given, call->view.reference, &faults, &programme);
    pack_map(&call->answer, 2);
    pack_key_bool(&call->answer, "ok", faults.n_errors == 0);
    pack_key(&call->answer, "faults");
    pack_faults(&call->answer, &faults);
    return ERR_OK;
}

/* ---- get ---- */

/* The document with `version`, `updated_at` and `seq` behind its own keys. */
static enum err_code
pack_programme(struct call *call, const struct programme_record *record, struct err *err)
{
    const msgpack_object *value;
    struct buf *out = &call->answer;
    size_t n;
    enum err_code code = value_decode(record->bytes.data, record->bytes.len, &value_limits_default,
                                      call->arena, &value, err);

    if (code != ERR_OK)
        return code;
    n = value_size(value);
    pack_map(out, n + 3);
    for (size_t i = 0; i < n; i++) {
        pack_str(out, value_key(value, i));
        pack_value(out, value_of(value, i));
    }
    pack_key_int(out, "version", (int64_t)record->version);
    pack_key_int(out, "updated_at", record->updated_at);
    pack_key_int(out, "seq", (int64_t)record->seq);
    return ERR_OK;
}

enum err_code
handle_programme_get(struct call *call, struct err *err)
{
    struct str id = call_str(call, "id");
    struct programme_record record;
    struct store_read *read;
    enum err_code code = store_read_begin(engine_store(call->engine), &read, err);

    if (code != ERR_OK)
        return code;
    if (call_has(call, "version")) {
        uint64_t version = (uint64_t)call_int(call, "version");

        code = store_programme_version(read, id, version, &record, err);
        if (code == ERR_NOT_FOUND) {
            err_set(err, ERR_NOT_FOUND, "the programme \"%.*s\" has no version %" PRIu64,
                    STR_ARG(id), version);
            err_at(err, "version");
        }
    } else {
        code = programme_record_find(read, id, &record, err);
    }
    if (code == ERR_OK)
        code = pack_programme(call, &record, err);
    store_read_end(read);
    return code;
}

/* ---- list ---- */

static void
pack_side(struct buf *out, const struct side *side)
{
    pack_map(out, (size_t)(side->kind.len > 0) + (size_t)(side->metro.len > 0));
    if (side->kind.len > 0)
        pack_key_str(out, "kind", side->kind);
    if (side->metro.len > 0)
        pack_key_str(out, "metro", side->metro);
}

static void
pack_summary(struct buf *out, const struct programme *programme,
             const struct programme_record *record)
{
    pack_map(out, 5);
    pack_key_str(out, "id", programme->id);
    pack_key(out, "name");
    pack_map(out, LANG_COUNT);
    for (int i = 0; i < LANG_COUNT; i++)
        pack_key_str(out, lang_code((enum lang)i), programme->name[i]);
    pack_key_int(out, "version", (int64_t)record->version);
    pack_key_int(out, "updated_at", record->updated_at);
    pack_key(out, "pairings");
    pack_array(out, (size_t)programme->n_pairings);
    for (int i = 0; i < programme->n_pairings; i++) {
        const struct pairing *pairing = &programme->pairings[i];

        pack_map(out, 4);
        pack_key_str(out, "id", pairing->id);
        pack_key(out, "from");
        pack_side(out, &pairing->from);
        pack_key(out, "to");
        pack_side(out, &pairing->to);
        pack_key_bool(out, "mirror", pairing->is_mirrored);
    }
}

enum err_code
handle_programme_list(struct call *call, struct err *err)
{
    size_t limit = call_limit(call), n = 0;
    struct buf *out = &call->answer;
    struct programme_record record;
    struct pack_open map, list;
    struct store_walk *walk;
    struct store_read *read;
    struct str id, last = {NULL, 0};
    bool has_more = false;
    enum err_code code = store_read_begin(engine_store(call->engine), &read, err);

    if (code != ERR_OK)
        return code;
    code = store_walk_programmes(read, call_after(call), &walk, err);
    if (code != ERR_OK)
        goto out;
    map = pack_map_open(out);
    pack_key(out, "programmes");
    list = pack_array_open(out);
    while (code == ERR_OK && store_walk_next_programme(walk, &id, &record, err)) {
        struct programme *programme;

        if (n == limit) {
            has_more = true;
            break;
        }
        code = call_programme_decode(call, record.bytes, &programme, err);
        if (code == ERR_OK)
            pack_summary(out, programme, &record);
        last = arena_str(call->arena, id);
        n++;
    }
    if (code == ERR_OK && !has_more)
        code = err->code;
    pack_close(out, list, n);
    if (has_more)
        call_pack_next(call, last);
    pack_close(out, map, has_more ? 2 : 1);
    store_walk_end(walk);
out:
    store_read_end(read);
    return code;
}

/* ---- delete ---- */

enum err_code
apply_programme_delete(struct call *call, struct err *err)
{
    struct str id = call_str(call, "id");
    struct programme_record record;
    uint64_t seq;
    enum err_code code = programme_record_find(store_txn_read(call->txn), id, &record, err);

    if (code == ERR_OK)
        code = version_check("programme", id, call_if_version(call), true, record.version, err);
    if (code == ERR_OK)
        code = journal_programme(call, id, &seq, err);
    if (code == ERR_OK)
        code = store_programme_delete(call->txn, id, seq, err);
    if (code != ERR_OK)
        return code;
    engine_programme_changed(call->engine, id, true);
    pack_map(&call->answer, 2);
    pack_key_str(&call->answer, "id", id);
    pack_key_int(&call->answer, "seq", (int64_t)seq);
    return ERR_OK;
}
