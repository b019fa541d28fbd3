#include "profile_write.h"

#include <inttypes.h>
#include <string.h>

enum {
    SERVED_PAIRS = 3,
    MAP16_HEADER = 3
}; /* version, updated_at, seq; see pack_served in store */

/* The header that the store gives a profile's map: always map16, so that its count can be changed. */
static void
map16_write(uint8_t out[MAP16_HEADER], uint32_t n)
{
    out[0] = 0xde;
    out[1] = (uint8_t)(n >> 8);
    out[2] = (uint8_t)n;
}

static uint32_t
map16_count(struct str bytes)
{
    const uint8_t *data = (const uint8_t *)bytes.data;

    return (uint32_t)data[1] << 8 | data[2];
}

/* ---- preparing ---- */

static void
pack_faults(struct buf *out, const struct faults *faults)
{
    pack_map(out, 1);
    pack_key(out, "faults");
    pack_array(out, faults->n);
    for (size_t i = 0; i < faults->n; i++) {
        pack_map(out, 3);
        pack_key_text(out, "path", faults->list[i].path);
        pack_key_text(out, "message", faults->list[i].message);
        pack_key_bool(out, "warning", faults->list[i].is_warning);
    }
}

enum err_code
profile_form_decode(struct call *call, const struct profile_form *form, const msgpack_object **open,
                    const msgpack_object **confidential, struct err *err)
{
    size_t size = form->pairs.len + MAP16_HEADER;
    uint8_t *bytes = arena_alloc(call->arena, size, 1);
    enum err_code code;

    if (bytes == NULL)
        return err_no_memory(err);
    map16_write(bytes, form->n_pairs);
    memcpy(bytes + MAP16_HEADER, form->pairs.data, form->pairs.len);
    code = value_decode(bytes, size, &value_limits_default, call->arena, open, err);
    *confidential = NULL;
    if (code == ERR_OK && form->confidential.len > 0)
        code = value_decode(form->confidential.data, form->confidential.len, &value_limits_default,
                            call->arena, confidential, err);
    return code;
}

static enum err_code
make_vector(struct call *call, struct profile_write *write, struct err *err)
{
    const msgpack_object *open, *confidential;
    enum err_code code = profile_form_decode(call, &write->form, &open, &confidential, err);

    if (code == ERR_OK)
        code = made_vector_make(call->view.lexicon, open, confidential, call->arena, &write->vector,
                                err);
    return code;
}

enum err_code
profile_write_prepare(struct call *call, const msgpack_object *given, const char *path,
                      bool tell_all, struct profile_write *out, struct err *err)
{
    struct faults faults;
    enum err_code code;

    faults_init(&faults, call->arena);
    faults_push(&faults, path);
    profile_encode(given, call->view.reference, &faults, &out->form);
    code = faults_first(&faults, err);
    if (code != ERR_OK) {
        if (tell_all && faults.n_errors > 1)
            pack_faults(&call->error_details, &faults);
        return code;
    }
    return make_vector(call, out, err);
}

/* ---- storing ---- */

int64_t
call_if_version(const struct call *call)
{
    return call_has(call, "if_version") ? call_int(call, "if_version") : -1;
}

enum err_code
version_check(const char *what, struct str id, int64_t if_version, bool exists, uint64_t version,
              struct err *err)
{
    if (if_version < 0 || (uint64_t)if_version == (exists ? version : 0))
        return ERR_OK;
    if (!exists)
        err_set(err, ERR_CONFLICT, "there is no %s \"%.*s\", so if_version must be 0, not %" PRId64,
                what, STR_ARG(id), if_version);
    else if (if_version == 0)
        err_set(err, ERR_CONFLICT,
                "there is a %s \"%.*s\" already, at version %" PRIu64
                "; leave if_version out to change it",
                what, STR_ARG(id), version);
    else
        err_set(err, ERR_CONFLICT,
                "the %s \"%.*s\" is at version %" PRIu64 ", not %" PRId64
                "; read it again and repeat the change",
                what, STR_ARG(id), version, if_version);
    err_at(err, "if_version");
    return ERR_CONFLICT;
}

static bool
is_unchanged(const struct profile_record *record, const struct profile_form *form)
{
    return record->open.len >= MAP16_HEADER + form->pairs.len &&
           map16_count(record->open) == form->n_pairs + SERVED_PAIRS &&
           memcmp(record->open.data + MAP16_HEADER, form->pairs.data, form->pairs.len) == 0 &&
           str_equal(record->confidential, form->confidential);
}

/* The names of the fields that a new form changes, packed. */
static enum err_code
pack_changed(struct call *call, const struct profile_record *old, const struct profile_form *form,
             struct buf *out, struct err *err)
{
    const msgpack_object *before = NULL, *after;
    struct profile_record fresh = {0};
    uint8_t header[MAP16_HEADER];
    struct buf served;
    const char **names;
    size_t n;
    enum err_code code = ERR_OK;

    buf_init(&served, 256 * 1024);
    map16_write(header, form->n_pairs + SERVED_PAIRS);
    buf_append(&served, header, sizeof header);
    buf_append_str(&served, form->pairs);
    pack_key_int(&served, "version", 0);
    pack_key_int(&served, "updated_at", 0);
    pack_key_int(&served, "seq", 0);
    code = buf_check(&served, err);
    fresh.open = buf_str(&served);
    fresh.confidential = form->confidential;
    if (code == ERR_OK)
        code = profile_record_whole(&fresh, call->arena, &after, err);
    buf_fini(&served);
    if (code == ERR_OK && old != NULL)
        code = profile_record_whole(old, call->arena, &before, err);
    if (code == ERR_OK)
        code = profile_diff(before, after, call->arena, &names, &n, err);
    if (code != ERR_OK)
        return code;
    pack_array(out, n);
    for (size_t i = 0; i < n; i++)
        pack_text(out, names[i]);
    return buf_check(out, err);
}

static enum err_code
journal_put(struct call *call, struct str id, struct str changed, bool is_new, uint64_t *seq,
            struct err *err)
{
    struct journal_entry entry = {
        .actor = call_actor(call), .method = str_from(call->method->name), .subject = id};
    struct buf what;
    enum err_code code;

    buf_init(&what, 64 * 1024);
    pack_map(&what, 2);
    pack_key_bool(&what, "created", is_new);
    pack_key(&what, "changed");
    buf_append_str(&what, changed);
    entry.what = buf_str(&what);
    code = buf_check(&what, err);
    if (code == ERR_OK)
        code = store_journal_add(call->txn, &entry, seq, err);
    buf_fini(&what);
    return code;
}

static enum err_code
store_new_version(struct call *call, const struct profile_write *write, struct str changed,
                  struct profile_written *out, struct err *err)
{
    struct profile_put put = {.id = write->form.id,
                              .pairs = write->form.pairs,
                              .n_pairs = write->form.n_pairs,
                              .confidential = write->form.confidential,
                              .actor = call_actor(call),
                              .method = str_from(call->method->name),
                              .changed = changed};
    enum err_code code = journal_put(call, write->form.id, changed, out->is_created, &put.seq, err);

    if (code == ERR_OK)
        code = store_profile_put(call->txn, &put, &out->version, err);
    if (code == ERR_OK)
        code = engine_vector_made(call->engine, call->txn, write->form.id, put.seq, &write->vector,
                                  err);
    if (code == ERR_OK)
        code = engine_profile_changed(call->engine, call->txn, write->form.id, err);
    out->seq = put.seq;
    return code;
}

enum err_code
profile_write_store(struct call *call, const struct profile_write *write, int64_t if_version,
                    struct profile_written *out, struct err *err)
{
    struct profile_record old;
    struct buf changed;
    enum err_code code = store_profile_get(store_txn_read(call->txn), write->form.id, &old, err);
    bool exists = code == ERR_OK;

    if (code != ERR_OK && code != ERR_NOT_FOUND)
        return code;
    code =
        version_check("profile", write->form.id, if_version, exists, exists ? old.version : 0, err);
    if (code != ERR_OK)
        return code;
    *out = (struct profile_written){.is_created = !exists};
    if (exists && is_unchanged(&old, &write->form)) {
        out->is_unchanged = true;
        out->version = old.version;
        out->seq = old.seq;
        return ERR_OK;
    }
    buf_init(&changed, 16 * 1024);
    code = pack_changed(call, exists ? &old : NULL, &write->form, &changed, err);
    if (code == ERR_OK)
        code = store_new_version(call, write, buf_str(&changed), out, err);
    buf_fini(&changed);
    return code;
}

void
profile_written_pack(struct buf *out, struct str id, const struct profile_written *written)
{
    pack_map(out, 5);
    pack_key_str(out, "id", id);
    pack_key_int(out, "version", (int64_t)written->version);
    pack_key_int(out, "seq", (int64_t)written->seq);
    pack_key_bool(out, "created", written->is_created);
    pack_key_bool(out, "unchanged", written->is_unchanged);
}

/* ---- reading back ---- */

enum err_code
profile_record_decode(const struct profile_record *record, struct arena *arena,
                      const msgpack_object **open, const msgpack_object **confidential,
                      struct err *err)
{
    const void *copy = arena_copy(arena, record->open.data, record->open.len);
    enum err_code code;

    *confidential = NULL;
    if (copy == NULL)
        return err_no_memory(err);
    code = value_decode(copy, record->open.len, &value_limits_default, arena, open, err);
    if (code != ERR_OK || record->confidential.len == 0)
        return code;
    copy = arena_copy(arena, record->confidential.data, record->confidential.len);
    if (copy == NULL)
        return err_no_memory(err);
    return value_decode(copy, record->confidential.len, &value_limits_default, arena, confidential,
                        err);
}

void
profile_record_pack(struct buf *out, const struct profile_record *record, bool with_confidential)
{
    uint8_t header[MAP16_HEADER];

    if (!with_confidential || record->confidential.len == 0) {
        buf_append_str(out, record->open);
        return;
    }
    map16_write(header, map16_count(record->open) + 1);
    buf_append(out, header, sizeof header);
    buf_append(out, record->open.data + MAP16_HEADER, record->open.len - MAP16_HEADER);
    pack_key(out, "confidential");
    buf_append_str(out, record->confidential);
}

enum err_code
profile_record_whole(const struct profile_record *record, struct arena *arena,
                     const msgpack_object **whole, struct err *err)
{
    const msgpack_object *open, *confidential;
    msgpack_object *root;
    size_t n;
    enum err_code code = profile_record_decode(record, arena, &open, &confidential, err);

    if (code != ERR_OK)
        return code;
    root = arena_alloc(arena, 1, sizeof *root);
    n = value_size(open) - SERVED_PAIRS;
    if (root == NULL)
        return err_no_memory(err);
    root->type = MSGPACK_OBJECT_MAP;
    root->via.map.size = (uint32_t)(n + (confidential != NULL));
    root->via.map.ptr = arena_alloc(arena, n + 1, sizeof *root->via.map.ptr);
    if (root->via.map.ptr == NULL)
        return err_no_memory(err);
    memcpy(root->via.map.ptr, open->via.map.ptr, n * sizeof *root->via.map.ptr);
    if (confidential != NULL) {
        msgpack_object_kv *last = &root->via.map.ptr[n];

        last->key.type = MSGPACK_OBJECT_STR;
        last->key.via.str.ptr = "confidential";
        last->key.via.str.size = sizeof "confidential" - 1;
        last->val = *confidential;
    }
    *whole = root;
    return ERR_OK;
}

enum err_code
partner_check(const struct call *call, struct str id, struct err *err)
{
    if (call->caller.role != ROLE_PARTNER || str_equal(call->caller.profile, id))
        return ERR_OK;
    return err_set(err, ERR_FORBIDDEN, "a partner may see and change its own profile only: %.*s",
                   STR_ARG(call->caller.profile));
}
