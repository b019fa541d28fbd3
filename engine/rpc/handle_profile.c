/* handle_profile.c: profiles put, changed, read and listed. */
#include "fold.h"
#include "handle.h"
#include "params.h"
#include "profile_write.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* ---- put ---- */

enum err_code
handle_profile_put(struct call *call, struct err *err)
{
    struct profile_write *write = arena_alloc(call->arena, 1, sizeof *write);
    enum err_code code;

    if (write == NULL)
        return err_no_memory(err);
    call->state = write;
    code = profile_write_prepare(call, call_value(call, "profile"), "profile", true, write, err);
    return code == ERR_OK ? partner_check(call, write->form.id, err) : code;
}

enum err_code
apply_profile_put(struct call *call, struct err *err)
{
    const struct profile_write *write = call->state;
    struct profile_written written;
    enum err_code code = profile_write_store(call, write, call_if_version(call), &written, err);

    if (code == ERR_OK)
        profile_written_pack(&call->answer, write->form.id, &written);
    return code;
}

/* ---- put_many ---- */

struct put_many {
    struct profile_write *writes; /* one a profile; id empty where it was refused */
    struct err *errs;
    size_t n, n_failed;
};

enum err_code
handle_profile_put_many(struct call *call, struct err *err)
{
    const msgpack_object *profiles = call_value(call, "profiles");
    struct put_many *many = arena_alloc(call->arena, 1, sizeof *many);
    size_t n = value_size(profiles);

    if (many == NULL ||
        (many->writes = arena_alloc(call->arena, n, sizeof *many->writes)) == NULL ||
        (many->errs = arena_alloc(call->arena, n, sizeof *many->errs)) == NULL)
        return err_no_memory(err);
    many->n = n;
    call->state = many;
    for (size_t i = 0; i < n; i++) {
        enum err_code code = call_check_time(call, err);

        if (code != ERR_OK)
            return code;
        code = profile_write_prepare(call, value_at(profiles, i), "", false, &many->writes[i],
                                     &many->errs[i]);
        if (code == ERR_BUSY) { /* memory, not the profile */
            *err = many->errs[i];
            return code;
        }
        many->n_failed += code != ERR_OK;
    }
    return ERR_OK;
}

static void
pack_failed(struct call *call, const struct put_many *many)
{
    struct buf *out = &call->answer;
    struct buf ref;

    pack_array(out, many->n_failed);
    buf_init(&ref, 64);
    for (size_t i = 0; i < many->n; i++)
        if (many->errs[i].code != ERR_OK) {
            buf_clear(&ref);
            engine_refer_internal(call->engine, call->method->name, &many->errs[i], &ref);
            pack_map(out, 2);
            pack_key_int(out, "index", (int64_t)i);
            pack_key(out, "error");
            call_pack_error(out, &many->errs[i], &ref);
        }
    buf_fini(&ref);
}

enum err_code
apply_profile_put_many(struct call *call, struct err *err)
{
    struct put_many *many = call->state;
    bool is_refused = many->n_failed > 0 && call_bool(call, "atomic");
    bool stores = !is_refused && !call_bool(call, "dry_run");
    int64_t n_put = 0, n_unchanged = 0, n_created = 0, seq = 0;

    for (size_t i = 0; i < many->n && !is_refused; i++) {
        struct profile_written written = {0};
        enum err_code code = ERR_OK;

        if (many->errs[i].code != ERR_OK)
            continue;
        if (stores)
            code = profile_write_store(call, &many->writes[i], -1, &written, err);
        if (code != ERR_OK)
            return code; /* the store's own failure: nothing of the call was written */
        n_put++;
        n_unchanged += written.is_unchanged;
        n_created += written.is_created;
        if ((int64_t)written.seq > seq)
            seq = (int64_t)written.seq;
    }
    pack_map(&call->answer, 5);
    pack_key_int(&call->answer, "put", n_put);
    pack_key_int(&call->answer, "created", n_created);
    pack_key_int(&call->answer, "unchanged", n_unchanged);
    pack_key(&call->answer, "failed");
    pack_failed(call, many);
    pack_key_int(&call->answer, "seq", seq);
    return ERR_OK;
}

/* ---- patch ---- */

enum err_code
handle_profile_patch(struct call *call, struct err *err)
{
    return partner_check(call, call_str(call, "id"), err);
}

enum err_code
apply_profile_patch(struct call *call, struct err *err)
{
    struct str id = call_str(call, "id"), new_id;
    const msgpack_object *base, *patched;
    struct profile_record record;
    struct profile_write write;
    struct profile_written written;
    enum err_code code = store_profile_get(store_txn_read(call->txn), id, &record, err);

    if (code == ERR_NOT_FOUND)
        return call_no_profile(call, "id", id, err);
    if (code == ERR_OK)
        code = version_check("profile", id, call_if_version(call), true, record.version, err);
    if (code == ERR_OK)
        code = profile_record_whole(&record, call->arena, &base, err);
    if (code != ERR_OK)
        return code;
    if (value_str(value_find(call_value(call, "changes"), "id"), &new_id) &&
        !str_equal(new_id, id)) {
        err_set(err, ERR_INVALID_PARAMS,
                "the id of a profile does not change; put \"%.*s\" as a new one", STR_ARG(new_id));
        err_at(err, "changes.id");
        return err->code;
    }
    patched = profile_patch(base, call_value(call, "changes"), call->arena);
    if (patched == NULL)
        return err_no_memory(err);
    code = profile_write_prepare(call, patched, "changes", true, &write, err);
    if (code == ERR_OK)
        code = profile_write_store(call, &write, -1, &written, err);
    if (code == ERR_OK)
        profile_written_pack(&call->answer, id, &written);
    return code;
}

/* ---- get ---- */

static enum err_code
get_version(struct store_read *read, struct str id, uint64_t version, struct version_record *out,
            struct err *err)
{
    enum err_code code = store_profile_version(read, id, version, out, err);

    if (code == ERR_NOT_FOUND) {
        err_set(err, ERR_NOT_FOUND,
                "the profile \"%.*s\" has no version %" PRIu64 "; profile.history lists them",
                STR_ARG(id), version);
        err_at(err, "version");
    } else if (code == ERR_OK && !out->has_record) {
        code = err_set(err, ERR_NOT_FOUND,
                       out->is_deletion ? "version %" PRIu64
                                          " of \"%.*s\" is its deletion; ask for one before it"
                                        : "version %" PRIu64 " of \"%.*s\" is kept no more",
                       version, STR_ARG(id));
        err_at(err, "version");
    }
    return code;
}

enum err_code
handle_profile_get(struct call *call, struct err *err)
{
    struct str id = call_str(call, "id");
    bool sees = call_sees_confidential(call, id);
    struct version_record version;
    struct profile_record record;
    struct store_read *read;
    enum err_code code = partner_check(call, id, err);

    if (code == ERR_OK)
        code = store_read_begin(engine_store(call->engine), &read, err);
    if (code != ERR_OK)
        return code;
    if (call_has(call, "version")) {
        code = get_version(read, id, (uint64_t)call_int(call, "version"), &version, err);
        record = version.record;
    } else {
        code = store_profile_get(read, id, &record, err);
        if (code == ERR_NOT_FOUND)
            code = call_no_profile(call, "id", id, err);
    }
    if (code == ERR_OK) {
        profile_record_pack(&call->answer, &record, sees);
        if (sees && record.confidential.len > 0)
            engine_log_confidential(call->engine, call_actor(call), id);
    }
    store_read_end(read);
    return code;
}

/* ---- history ---- */

enum err_code
handle_profile_history(struct call *call, struct err *err)
{
    struct str id = call_str(call, "id");
    size_t limit = call_limit(call), n = 0;
    struct buf *out = &call->answer;
    struct version_record version;
    struct store_walk *walk = NULL;
    struct store_read *read;
    struct pack_open map, list;
    uint64_t first = call_after_number(call), last = first;
    bool has_more = false;
    enum err_code code = partner_check(call, id, err);

    if (code == ERR_OK)
        code = store_read_begin(engine_store(call->engine), &read, err);
    if (code != ERR_OK)
        return code;
    code = store_walk_versions(read, id, last, &walk, err);
    if (code != ERR_OK)
        goto out;
    map = pack_map_open(out);
    pack_key_str(out, "id", id);
    pack_key(out, "versions");
    list = pack_array_open(out);
    while (store_walk_next_version(walk, &version, err)) {
        if (n == limit) {
            has_more = true;
            break;
        }
        pack_map(out, 7);
        pack_key_int(out, "version", (int64_t)version.version);
        pack_key_int(out, "seq", (int64_t)version.seq);
        pack_key_int(out, "at", version.at);
        pack_key_str(out, "actor", version.actor);
        pack_key_str(out, "method", version.method);
        pack_key(out, "changed");
        if (version.changed.len > 0)
            buf_append_str(out, version.changed);
        else
            pack_array(out, 0);
        pack_key_bool(out, "deleted", version.is_deletion);
        last = version.version;
        n++;
    }
    code = has_more ? ERR_OK : err->code;
    pack_close(out, list, n);
    if (has_more)
        call_pack_next_number(call, last);
    pack_close(out, map, has_more ? 3 : 2);
    if (code == ERR_OK && n == 0 && first == 0)
        code = call_no_profile(call, "id", id, err);
out:
    store_walk_end(walk);
    store_read_end(read);
    return code;
}

/* ---- list ---- */

struct filter {
    struct str kind, metro, sector, stage, text; /* text folded */
};

static bool
set_has(const msgpack_object *set, struct str code, bool with_leaves)
{
    for (size_t i = 0; i < value_size(set); i++) {
        struct str one;

        if (value_str(value_at(set, i), &one) &&
            (str_equal(one, code) || (with_leaves && str_equal(code_group(one), code))))
            return true;
    }
    return false;
}

static bool
text_has(struct str text, struct str wanted, struct arena *arena)
{
    struct err ignored = {0}; /* what cannot be folded holds nothing that was searched for */
    struct str folded;

    return fold_text(text, arena, &folded, &ignored) == ERR_OK && folded.len > 0 &&
           memmem(folded.data, folded.len, wanted.data, wanted.len) != NULL;
}

static bool
any_text_has(const msgpack_object *open, struct str wanted, struct arena *arena)
{
    const msgpack_object *descriptions = value_find(open, "description");
    const msgpack_object *tags = value_find(open, "tags");
    struct str text;

    if (value_str(value_find(open, "name"), &text) && text_has(text, wanted, arena))
        return true;
    for (size_t i = 0; i < value_size(descriptions); i++)
        if (value_str(value_of(descriptions, i), &text) && text_has(text, wanted, arena))
            return true;
    for (size_t i = 0; i < value_size(tags); i++)
        if (value_str(value_at(tags, i), &text) && text_has(text, wanted, arena))
            return true;
    return false;
}

static bool
field_is(const msgpack_object *open, const char *field, struct str wanted)
{
    struct str value;

    return wanted.len == 0 ||
           (value_str(value_find(open, field), &value) && str_equal(value, wanted));
}

/* By the open part only, for everyone: a list must not tell what stands in the confidential part. */
static bool
filter_passes(const struct filter *filter, const msgpack_object *open, struct arena *arena)
{
    return field_is(open, "kind", filter->kind) && field_is(open, "metro", filter->metro) &&
           (filter->sector.len == 0 ||
            set_has(value_find(open, "sectors"), filter->sector, true)) &&
           (filter->stage.len == 0 || field_is(open, "stage", filter->stage) ||
            set_has(value_find(open, "stages"), filter->stage, false)) &&
           (filter->text.len == 0 || any_text_has(open, filter->text, arena));
}

struct entry {
    struct str key; /* what it is sorted by, then 00 and the id */
    struct str id;
};

static int
entry_compare(const void *a, const void *b)
{
    const struct entry *x = a, *y = b;

    return str_compare(x->key, y->key);
}

struct entries {
    struct entry *list;
    size_t n, room;
};

static enum err_code
entries_add(struct entries *entries, struct arena *arena, struct str sorted_by, struct str id,
            struct err *err)
{
    struct entry *list = entries->list;
    char *key;

    if (entries->n == entries->room) {
        entries->room = entries->room != 0 ? entries->room * 2 : 256;
        list = arena_alloc(arena, entries->room, sizeof *list);
        if (list == NULL)
            return err_no_memory(err);
        if (entries->n != 0)
            memcpy(list, entries->list, entries->n * sizeof *list);
        entries->list = list;
    }
    key = arena_alloc(arena, sorted_by.len + 1 + id.len, 1);
    if (key == NULL)
        return err_no_memory(err);
    if (sorted_by.len != 0)
        memcpy(key, sorted_by.data, sorted_by.len);
    memcpy(key + sorted_by.len + 1, id.data, id.len);
    list[entries->n].key = (struct str){key, sorted_by.len + 1 + id.len};
    list[entries->n++].id = (struct str){key + sorted_by.len + 1, id.len};
    return ERR_OK;
}

enum sort { SORT_ID, SORT_NAME, SORT_UPDATED };

static enum sort
sort_of(const struct call *call)
{
    struct str sort = call_str(call, "sort");

    return str_is(sort, "name") ? SORT_NAME : str_is(sort, "updated") ? SORT_UPDATED : SORT_ID;
}

/* The bytes that the order goes by: names folded; the newest first. Scratch lives in `scratch`. */
static enum err_code
sort_key(enum sort sort, const msgpack_object *open, const struct profile_record *record,
         struct arena *scratch, struct str *key, struct err *err)
{
    struct str name;

    *key = (struct str){NULL, 0};
    if (sort == SORT_NAME && value_str(value_find(open, "name"), &name))
        return fold_text(name, scratch, key, err);
    if (sort == SORT_UPDATED) {
        *key = arena_format(scratch, "%020" PRIu64, UINT64_MAX - record->seq);
        return key->data != NULL ? ERR_OK : err_no_memory(err);
    }
    return ERR_OK;
}

static enum err_code
collect(struct call *call, struct store_read *read, const struct filter *filter,
        struct entries *entries, struct err *err)
{
    enum sort sort = sort_of(call);
    struct arena *scratch = arena_create(4 * 1024 * 1024);
    struct store_walk *walk = NULL;
    struct profile_record record;
    struct str id;
    size_t n = 0;
    enum err_code code =
        scratch == NULL ? err_no_memory(err) : store_walk_profiles(read, STR_LIT(""), &walk, err);

    while (code == ERR_OK && store_walk_next_profile(walk, &id, &record, err)) {
        const msgpack_object *open;
        struct str key;

        if (++n % 1024 == 0 && (code = call_check_time(call, err)) != ERR_OK)
            break;
        code = value_decode(record.open.data, record.open.len, &value_limits_default, scratch,
                            &open, err);
        if (code == ERR_OK && filter_passes(filter, open, scratch)) {
            code = sort_key(sort, open, &record, scratch, &key, err);
            if (code == ERR_OK)
                code = entries_add(entries, call->arena, key, id, err);
        }
        arena_reset(scratch);
    }
    if (code == ERR_OK)
        code = err->code;
    store_walk_end(walk);
    arena_destroy(scratch);
    if (code == ERR_OK && sort != SORT_ID && entries->n > 1)
        qsort(entries->list, entries->n, sizeof *entries->list, entry_compare);
    return code;
}

static size_t
first_after(const struct entries *entries, struct str after)
{
    size_t low = 0, high = entries->n;

    while (after.len != 0 && low < high) {
        size_t middle = low + (high - low) / 2;

        if (str_compare(entries->list[middle].key, after) <= 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static enum err_code
pack_page(struct call *call, struct store_read *read, const struct entries *entries,
          struct err *err)
{
    size_t first = first_after(entries, call_after(call)), limit = call_limit(call);
    size_t n = entries->n - first < limit ? entries->n - first : limit;
    bool has_more = first + n < entries->n;
    struct buf *out = &call->answer;
    struct profile_record record;

    pack_map(out, has_more ? 3 : 2);
    pack_key(out, "profiles");
    pack_array(out, n);
    for (size_t i = first; i < first + n; i++) {
        enum err_code code = store_profile_get(read, entries->list[i].id, &record, err);

        if (code != ERR_OK)
            return code;
        profile_record_pack(out, &record, false);
    }
    pack_key_int(out, "total", (int64_t)entries->n);
    if (has_more)
        call_pack_next(call, entries->list[first + n - 1].key);
    return ERR_OK;
}

/* A code that no vocabulary has would just find nothing: say so instead. */
static enum err_code
check_code(struct call *call, const char *param, enum vocabulary_id id, struct err *err)
{
    const struct vocabulary *vocabulary = call->view.reference->vocabularies[id];
    struct str code = call_str(call, param);
    int near;

    if (code.len == 0 || vocabulary_find(vocabulary, code) != VOCABULARY_NONE)
        return ERR_OK;
    near = vocabulary_nearest(vocabulary, code);
    if (code.len > 60)
        code.len = 60;
    if (near != VOCABULARY_NONE)
        err_set(err, ERR_INVALID_PARAMS, "\"%.*s\" is no code of %s; did you mean %.*s?",
                STR_ARG(code), vocabulary_name(vocabulary),
                STR_ARG(vocabulary_code(vocabulary, near)));
    else
        err_set(err, ERR_INVALID_PARAMS, "\"%.*s\" is no code of %s; profile.schema lists them",
                STR_ARG(code), vocabulary_name(vocabulary));
    err_at(err, param);
    return ERR_INVALID_PARAMS;
}

enum err_code
handle_profile_list(struct call *call, struct err *err)
{
    struct filter filter = {.kind = call_str(call, "kind"),
                            .metro = call_str(call, "metro"),
                            .sector = call_str(call, "sector"),
                            .stage = call_str(call, "stage")};
    struct entries entries = {0};
    struct store_read *read;
    enum err_code code;

    if ((code = check_code(call, "kind", VOCABULARY_KINDS, err)) != ERR_OK ||
        (code = check_code(call, "metro", VOCABULARY_METROS, err)) != ERR_OK ||
        (code = check_code(call, "sector", VOCABULARY_SECTORS, err)) != ERR_OK ||
        (code = check_code(call, "stage", VOCABULARY_STAGES, err)) != ERR_OK ||
        (code = fold_text(call_str(call, "text"), call->arena, &filter.text, err)) != ERR_OK ||
        (code = store_read_begin(engine_store(call->engine), &read, err)) != ERR_OK)
        return code;
    code = collect(call, read, &filter, &entries, err);
    if (code == ERR_OK)
        code = pack_page(call, read, &entries, err);
    store_read_end(read);
    return code;
}

/* ---- schema ---- */

static const char *
field_type_name(enum field_type type)
{
    switch (type) {
    case FIELD_TYPE_ID:
        return "id";
    case FIELD_TYPE_TEXT:
        return "text";
    case FIELD_TYPE_URL:
        return "url";
    case FIELD_TYPE_CODE:
        return "code";
    case FIELD_TYPE_CODES:
        return "codes";
    case FIELD_TYPE_TERMS:
        return "terms";
    case FIELD_TYPE_IDS:
        return "ids";
    case FIELD_TYPE_DATE:
        return "date";
    case FIELD_TYPE_NUMBER:
        return "number";
    case FIELD_TYPE_MONEY:
        return "money";
    case FIELD_TYPE_PERIOD:
        return "period";
    case FIELD_TYPE_TEXTS:
        return "texts";
    case FIELD_TYPE_BYTES:
        return "bytes";
    case FIELD_TYPE_CHOICE:
        return "choice";
    case FIELD_TYPE_CONSENT:
        return "consent";
    case FIELD_TYPE_FREE_MAP:
        return "map";
    case FIELD_TYPE_CONFIDENTIAL:
        return "confidential";
    }
    return "text";
}

static void
pack_words(struct buf *out, const char *words)
{
    struct str all = str_from(words);
    struct pack_open list = pack_array_open(out);
    size_t n = 0;

    for (size_t at = 0; at < all.len; n++) {
        size_t end = str_find(all, ' ', at);

        pack_str(out, (struct str){all.data + at, end - at});
        at = end + 1;
    }
    pack_close(out, list, n);
}

static void
pack_field(struct buf *out, const struct field *field)
{
    bool has_vocabulary = field->vocabulary >= 0, has_second = field->vocabulary_too >= 0;

    pack_map(out, 6U + (field->kinds != NULL) + (has_vocabulary ? 1U : 0U) + (field->unit != NULL));
    pack_key_text(out, "name", field->name);
    pack_key_text(out, "type", field_type_name(field->type));
    pack_key_bool(out, "required", (field->flags & FIELD_REQUIRED) != 0);
    pack_key_int(out, "min", field->min);
    pack_key_int(out, "max", field->max);
    pack_key_text(out, "text", field->text);
    if (field->kinds != NULL) {
        pack_key(out, "kinds");
        pack_words(out, field->kinds);
    }
    if (has_vocabulary) {
        pack_key(out, "vocabularies");
        pack_array(out, has_second ? 2 : 1);
        pack_text(out, vocabulary_id_name((enum vocabulary_id)field->vocabulary));
        if (has_second)
            pack_text(out, vocabulary_id_name((enum vocabulary_id)field->vocabulary_too));
    }
    if (field->unit != NULL)
        pack_key_text(out, "unit", field->unit);
}

static void
pack_vocabulary(struct buf *out, const struct vocabulary *vocabulary)
{
    size_t n = vocabulary_size(vocabulary);

    pack_array(out, n);
    for (int row = 0; row < (int)n; row++) {
        int32_t order;
        bool has_order = vocabulary_order(vocabulary, row, &order);

        pack_map(out, 3U + has_order);
        pack_key_str(out, "code", vocabulary_code(vocabulary, row));
        pack_key_str(out, "en", vocabulary_label(vocabulary, row, LANG_EN));
        pack_key_str(out, "fr", vocabulary_label(vocabulary, row, LANG_FR));
        if (has_order)
            pack_key_int(out, "order", order);
    }
}

enum err_code
handle_profile_schema(struct call *call, struct err *err)
{
    const struct reference *reference = call->view.reference;
    struct buf *out = &call->answer;

    (void)err;
    pack_map(out, 4);
    pack_key(out, "kinds");
    pack_vocabulary(out, reference->vocabularies[VOCABULARY_KINDS]);
    pack_key(out, "fields");
    pack_array(out, FIELD_COUNT);
    for (int i = 0; i < FIELD_COUNT; i++)
        pack_field(out, &schema[i]);
    pack_key(out, "vocabularies");
    pack_map(out, VOCABULARY_COUNT);
    for (int i = 0; i < VOCABULARY_COUNT; i++) {
        pack_key(out, vocabulary_id_name((enum vocabulary_id)i));
        pack_vocabulary(out, reference->vocabularies[i]);
    }
    pack_key(out, "limits");
    pack_map(out, 1);
    pack_key_int(out, "profile_bytes", PROFILE_BYTES_MAX);
    return ERR_OK;
}
