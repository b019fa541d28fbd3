/*
 * handle_erase.c: profiles deleted, with their history kept, or erased with all that was ever stored of them.
 *
 * Erasing is the store's work (erase.c there). Here it is decided what belongs together: a profile that was
 * merged into the erased one is the same organisation's, so its history goes too; one that was itself
 * merged into another is not erased while the other holds its values.
 */
#include "handle.h"
#include "profile_write.h"

#include <string.h>

enum { MERGED_MAX = 64 };

/* What goes in one call: the profile, and those that were merged into it. */
struct erase_list {
    struct str ids[MERGED_MAX + 1];
    size_t n;
};

enum err_code
handle_profile_delete(struct call *call, struct err *err)
{
    if (!call_bool(call, "erase") || role_allows(call->caller.role, ROLE_ADMIN))
        return ERR_OK;
    err_set(err, ERR_FORBIDDEN, "the role %s may delete a profile, but only an admin may erase one",
            role_name(call->caller.role));
    err_at(err, "erase");
    return ERR_FORBIDDEN;
}

/* ---- delete ---- */

static enum err_code
delete_one(struct call *call, struct err *err)
{
    struct str id = call_str(call, "id");
    struct journal_entry entry = {.actor = call_actor(call),
                                  .method = str_from(call->method->name),
                                  .subject = id,
                                  .what = STR_LIT("\x80")};
    struct profile_record record;
    uint64_t seq;
    enum err_code code = store_profile_get(store_txn_read(call->txn), id, &record, err);

    if (code == ERR_NOT_FOUND)
        return call_no_profile(call, "id", id, err);
    if (code == ERR_OK)
        code = version_check("profile", id, call_if_version(call), true, record.version, err);
    if (code == ERR_OK)
        code = store_journal_add(call->txn, &entry, &seq, err);
    if (code == ERR_OK)
        code = store_profile_delete(call->txn, id, seq, entry.actor, entry.method, err);
    if (code == ERR_OK)
        code = engine_profile_deleted(call->engine, id, err);
    if (code != ERR_OK)
        return code;
    pack_map(&call->answer, 2);
    pack_key_str(&call->answer, "id", id);
    pack_key_int(&call->answer, "seq", (int64_t)seq);
    return ERR_OK;
}

/* ---- erase ---- */

static enum err_code
erase_list_add(struct call *call, struct erase_list *list, struct str id, struct err *err)
{
    for (size_t i = 0; i < list->n; i++)
        if (str_equal(list->ids[i], id))
            return ERR_OK;
    if (list->n == MERGED_MAX + 1)
        return err_set(err, ERR_TOO_LARGE, "more than %d profiles were merged into this one",
                       MERGED_MAX);
    list->ids[list->n] = arena_str(call->arena, id);
    return list->ids[list->n++].data != NULL ? ERR_OK : err_no_memory(err);
}

/* The notes of merges that stand: "merge/<drop>" with `keep`. */
static enum err_code
look_at_note(struct call *call, struct erase_list *list, struct str drop, struct str keep,
             struct err *err)
{
    struct str id = list->ids[0];
    struct profile_record record;

    if (str_equal(drop, id) &&
        store_profile_get(store_txn_read(call->txn), keep, &record, err) == ERR_OK) {
        err_set(err, ERR_CONFLICT,
                "\"%.*s\" was merged into \"%.*s\", which holds its values: erase that, or part "
                "them first",
                STR_ARG(id), STR_ARG(keep));
        err_at(err, "id");
        return ERR_CONFLICT;
    }
    for (size_t i = 0; i < list->n; i++)
        if (str_equal(keep, list->ids[i]))
            return erase_list_add(call, list, drop, err);
    return ERR_OK;
}

/* One pass over the notes; chains of merges take more passes, until nothing new is found. */
static enum err_code
find_merged(struct call *call, struct erase_list *list, struct err *err)
{
    struct store_walk *walk;
    struct str name, bytes, keep;
    enum err_code code =
        store_walk_settings(store_txn_read(call->txn), "merge/", (struct str){NULL, 0}, &walk, err);

    if (code != ERR_OK)
        return code;
    while (code == ERR_OK && store_walk_next_setting(walk, &name, &bytes, err)) {
        const msgpack_object *note;

        code = value_decode(bytes.data, bytes.len, &value_limits_default, call->arena, &note, err);
        if (code == ERR_OK && value_str(value_find(note, "keep"), &keep))
            code = look_at_note(call, list, (struct str){name.data + 6, name.len - 6}, keep, err);
    }
    if (code == ERR_OK)
        code = err->code;
    store_walk_end(walk);
    return code;
}

static enum err_code
make_list(struct call *call, struct erase_list *list, struct err *err)
{
    size_t before;
    enum err_code code;

    do {
        before = list->n;
        code = find_merged(call, list, err);
    } while (code == ERR_OK && list->n > before);
    return code;
}

static void
add_up(struct profile_erasure *sum, const struct profile_erasure *one)
{
    sum->seq = one->seq;
    sum->had_profile |= one->had_profile;
    sum->has_changed_outcomes |= one->has_changed_outcomes;
    sum->n_versions += one->n_versions;
    sum->n_entries += one->n_entries;
    sum->n_outcomes += one->n_outcomes;
    sum->n_tokens += one->n_tokens;
}

static enum err_code
erase_one(struct call *call, struct str id, bool is_first, struct profile_erasure *sum,
          struct err *err)
{
    struct profile_erasure one = {
        .id = id, .actor = call_actor(call), .method = str_from(call->method->name)};
    enum err_code code = store_profile_erase(call->txn, &one, err);

    if (code == ERR_NOT_FOUND)
        return is_first ? call_no_profile(call, "id", id, err) : ERR_OK;
    if (code == ERR_OK)
        engine_profile_erased(call->engine, id);
    if (code == ERR_OK && one.had_profile && !one.has_changed_outcomes)
        code = engine_profile_deleted(call->engine, id, err);
    if (code == ERR_OK && one.n_tokens > 0)
        engine_tokens_changed(call->engine);
    add_up(sum, &one);
    return code;
}

static void
pack_erased(struct call *call, const struct erase_list *list, const struct profile_erasure *sum)
{
    struct buf *out = &call->answer;

    pack_map(out, 3);
    pack_key_str(out, "id", list->ids[0]);
    pack_key_int(out, "seq", (int64_t)sum->seq);
    pack_key(out, "erased");
    pack_map(out, 5);
    pack_key(out, "ids");
    pack_array(out, list->n);
    for (size_t i = 0; i < list->n; i++)
        pack_str(out, list->ids[i]);
    pack_key_int(out, "versions", (int64_t)sum->n_versions);
    pack_key_int(out, "entries", (int64_t)sum->n_entries);
    pack_key_int(out, "outcomes", (int64_t)sum->n_outcomes);
    pack_key_int(out, "tokens", (int64_t)sum->n_tokens);
}

static enum err_code
erase(struct call *call, struct err *err)
{
    struct erase_list list = {.ids = {call_str(call, "id")}, .n = 1};
    struct profile_erasure sum = {.seq = 0};
    struct profile_record record;
    enum err_code code = store_profile_get(store_txn_read(call->txn), list.ids[0], &record, err);

    if (code == ERR_OK || code == ERR_NOT_FOUND)
        code = version_check("profile", list.ids[0], call_if_version(call), code == ERR_OK,
                             code == ERR_OK ? record.version : 0, err);
    if (code == ERR_OK)
        code = make_list(call, &list, err);
    for (size_t i = 0; i < list.n && code == ERR_OK; i++)
        code = erase_one(call, list.ids[i], i == 0, &sum, err);
    if (code == ERR_OK && sum.has_changed_outcomes)
        code = engine_reload(call->engine, call->txn, err);
    if (code == ERR_OK)
        pack_erased(call, &list, &sum);
    return code;
}

enum err_code
apply_profile_delete(struct call *call, struct err *err)
{
    return call_bool(call, "erase") ? erase(call, err) : delete_one(call, err);
}
