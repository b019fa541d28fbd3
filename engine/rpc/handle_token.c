/* handle_token.c: who may come in: tokens made, listed, revoked. */
#include "date.h"
#include "handle.h"
#include "tokens.h"
#include "vocabulary.h"

#include <sodium.h>

#include <inttypes.h>
#include <string.h>

static const int64_t DAY_MS = INT64_C(24) * 3600 * 1000;

/* ---- create ---- */

struct create {
    struct new_token token;
    enum role role;
    int64_t expires_ms;
};

static void
create_wipe(void *create)
{
    sodium_memzero(create, sizeof(struct create));
}

static enum err_code
refuse(const char *param, struct err *err)
{
    err_at(err, param);
    return err->code;
}

static enum err_code
check_scope(const struct call *call, enum role role, struct err *err)
{
    const struct vocabulary *metros = call->view.reference->vocabularies[VOCABULARY_METROS];
    struct str metro = call_str(call, "metro");
    int near;

    if (str_trim(call_str(call, "name")).len == 0) {
        err_set(err, ERR_INVALID_PARAMS, "a token needs a name: who will hold it");
        return refuse("name", err);
    }
    if (role == ROLE_PARTNER && !call_has(call, "profile")) {
        err_set(err, ERR_INVALID_PARAMS, "a partner's token needs the profile that it is for");
        return refuse("profile", err);
    }
    if (role != ROLE_PARTNER && call_has(call, "profile")) {
        err_set(err, ERR_INVALID_PARAMS, "only a partner's token is bound to a profile, not a %s's",
                role_name(role));
        return refuse("profile", err);
    }
    if (metro.len == 0)
        return ERR_OK;
    if (role != ROLE_OFFICER) {
        err_set(err, ERR_INVALID_PARAMS, "only an officer's token bears a metro, not a %s's",
                role_name(role));
        return refuse("metro", err);
    }
    if (vocabulary_find(metros, metro) != VOCABULARY_NONE)
        return ERR_OK;
    near = vocabulary_nearest(metros, metro);
    err_set(err, ERR_INVALID_PARAMS, "\"%.*s\" is no metro; did you mean %.*s?", STR_ARG(metro),
            STR_ARG(vocabulary_code(metros, near != VOCABULARY_NONE ? near : 0)));
    return refuse("metro", err);
}

/* A token holds to the end of its last day, UTC. */
static enum err_code
check_expiry(const struct call *call, int64_t *expires_ms, struct err *err)
{
    enum date_precision precision;
    int32_t day;

    *expires_ms = 0;
    if (!call_has(call, "expires"))
        return ERR_OK;
    if (date_parse(call_str(call, "expires"), DATE_DAY, &day, &precision, err) != ERR_OK)
        return refuse("expires", err);
    if (day < engine_today(call->engine)) {
        char today[11];

        date_format(engine_today(call->engine), today);
        err_set(err, ERR_INVALID_PARAMS, "%.*s is past; a token's last day is today (%s) or later",
                STR_ARG(call_str(call, "expires")), today);
        return refuse("expires", err);
    }
    *expires_ms = ((int64_t)day + 1) * DAY_MS;
    return ERR_OK;
}

enum err_code
handle_token_create(struct call *call, struct err *err)
{
    struct create *create = arena_alloc(call->arena, 1, sizeof *create);
    enum err_code code;

    if (create == NULL || !arena_defer(call->arena, create_wipe, create))
        return err_no_memory(err);
    create->role = role_parse(call_str(call, "role"));
    if ((code = check_scope(call, create->role, err)) != ERR_OK ||
        (code = check_expiry(call, &create->expires_ms, err)) != ERR_OK ||
        (code = token_make(engine_tokens(call->engine), &create->token, err)) != ERR_OK)
        return code;
    call->state = create;
    return ERR_OK;
}

static void
pack_expiry(struct buf *out, int64_t expires_ms)
{
    char day[11];

    date_format((int32_t)(expires_ms / DAY_MS - 1), day);
    pack_key_text(out, "expires", day);
}

/* What a token is, without its secret: in answers and in the journal. */
static size_t
count_public(const struct token_record *record)
{
    return 2 + (size_t)(record->metro.len > 0) + (record->profile.len > 0) +
           (record->note.len > 0) + (record->expires_ms != 0);
}

static void
pack_public(struct buf *out, const struct token_record *record)
{
    pack_key_text(out, "role", role_name(record->role));
    pack_key_str(out, "name", record->name);
    if (record->metro.len > 0)
        pack_key_str(out, "metro", record->metro);
    if (record->profile.len > 0)
        pack_key_str(out, "profile", record->profile);
    if (record->note.len > 0)
        pack_key_str(out, "note", record->note);
    if (record->expires_ms != 0)
        pack_expiry(out, record->expires_ms);
}

static enum err_code
put_record(struct call *call, const struct token_record *record, struct err *err)
{
    struct token_setting setting = token_setting_of(record->id);
    struct buf packed;
    enum err_code code;

    buf_init(&packed, TOKEN_RECORD_BYTES);
    token_record_pack(record, &packed);
    code = buf_check(&packed, err);
    if (code == ERR_OK)
        code = store_setting_put(call->txn, setting.name, buf_str(&packed), err);
    buf_fini(&packed);
    return code;
}

static enum err_code
write_journal(struct call *call, const struct token_record *record, uint64_t *seq, struct err *err)
{
    struct journal_entry entry = {
        .actor = call_actor(call), .method = str_from(call->method->name), .subject = record->id};
    struct buf what;
    enum err_code code;

    buf_init(&what, TOKEN_RECORD_BYTES);
    pack_map(&what, count_public(record));
    pack_public(&what, record);
    entry.what = buf_str(&what);
    code = buf_check(&what, err);
    if (code == ERR_OK)
        code = store_journal_add(call->txn, &entry, seq, err);
    buf_fini(&what);
    return code;
}

static enum err_code
check_profile(struct call *call, struct err *err)
{
    struct str id = call_str(call, "profile");
    struct profile_record record;
    enum err_code code;

    if (id.len == 0)
        return ERR_OK;
    code = store_profile_get(store_txn_read(call->txn), id, &record, err);
    return code == ERR_NOT_FOUND ? call_no_profile(call, "profile", id, err) : code;
}

enum err_code
apply_token_create(struct call *call, struct err *err)
{
    const struct create *create = call->state;
    struct buf *out = &call->answer;
    struct token_record record = {
        .id = str_from(create->token.id),
        .role = create->role,
        .name = str_trim(call_str(call, "name")),
        .metro = call_str(call, "metro"),
        .profile = call_str(call, "profile"),
        .note = call_str(call, "note"),
        .created_by = call_actor(call),
        .created_at = store_txn_now_ms(call->txn),
        .expires_ms = create->expires_ms,
    };
    uint64_t seq;
    enum err_code code;

    memcpy(record.hash, create->token.hash, sizeof record.hash);
    if ((code = check_profile(call, err)) != ERR_OK ||
        (code = write_journal(call, &record, &seq, err)) != ERR_OK ||
        (code = put_record(call, &record, err)) != ERR_OK)
        return code;
    pack_map(out, 3 + count_public(&record));
    pack_key_str(out, "id", record.id);
    pack_key_text(out, "token", create->token.text);
    pack_public(out, &record);
    pack_key_int(out, "seq", (int64_t)seq);
    return ERR_OK;
}

/* ---- list ---- */

static void
pack_listed(struct buf *out, const struct token_record *record, int64_t now_ms)
{
    pack_map(out, 4 + count_public(record) + (size_t)(record->last_used_at != 0) +
                      (record->revoked_at != 0));
    pack_key_str(out, "id", record->id);
    pack_public(out, record);
    pack_key_int(out, "created_at", record->created_at);
    pack_key_str(out, "created_by", record->created_by);
    if (record->last_used_at != 0)
        pack_key_int(out, "last_used_at", record->last_used_at);
    if (record->revoked_at != 0)
        pack_key_int(out, "revoked_at", record->revoked_at);
    pack_key_bool(out, "holds", token_is_in_force(record, now_ms));
}

static struct str
id_of_setting(struct str name)
{
    return (struct str){name.data + 6, name.len - 6}; /* behind "token/" */
}

enum err_code
handle_token_list(struct call *call, struct err *err)
{
    const struct clock *clock = engine_clock(call->engine);
    size_t limit = call_limit(call), n = 0;
    struct token_setting after = token_setting_of(call_after(call));
    struct buf *out = &call->answer;
    struct str name, bytes, last = {NULL, 0};
    struct pack_open map, list;
    struct store_walk *walk;
    struct store_read *read;
    bool has_more = false;
    enum err_code code = store_read_begin(engine_store(call->engine), &read, err);

    if (code != ERR_OK)
        return code;
    code = store_walk_settings(read, "token/", str_from(after.name), &walk, err);
    if (code != ERR_OK)
        goto out;
    map = pack_map_open(out);
    pack_key(out, "tokens");
    list = pack_array_open(out);
    while (code == ERR_OK && store_walk_next_setting(walk, &name, &bytes, err)) {
        struct token_record record;

        if (n == limit) {
            has_more = true;
            break;
        }
        code = token_record_read(id_of_setting(name), bytes, call->arena, &record, err);
        if (code == ERR_OK)
            pack_listed(out, &record, clock->wall_ms(clock));
        last = id_of_setting(name);
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

/* ---- revoke ---- */

enum err_code
apply_token_revoke(struct call *call, struct err *err)
{
    struct str id = call_str(call, "id"), bytes;
    struct token_setting setting = token_setting_of(id);
    struct token_record record;
    const char *copy;
    uint64_t seq;
    enum err_code code = setting.name[0] != '\0' ? store_setting_get(store_txn_read(call->txn),
                                                                     setting.name, &bytes, err)
                                                 : ERR_NOT_FOUND;

    if (code == ERR_NOT_FOUND) {
        err_set(err, ERR_NOT_FOUND, "there is no token \"%.*s\"; token.list shows those there are",
                STR_ARG(id));
        return refuse("id", err);
    }
    if (code != ERR_OK)
        return code;
    copy = arena_copy(call->arena, bytes.data, bytes.len); /* the next write moves it */
    if (copy == NULL)
        return err_no_memory(err);
    code = token_record_read(id, (struct str){copy, bytes.len}, call->arena, &record, err);
    if (code == ERR_OK && record.revoked_at != 0) {
        err_set(err, ERR_CONFLICT, "the token %.*s was revoked before", STR_ARG(id));
        return refuse("id", err);
    }
    record.revoked_at = store_txn_now_ms(call->txn);
    if (code == ERR_OK)
        code = write_journal(call, &record, &seq, err);
    if (code == ERR_OK)
        code = put_record(call, &record, err);
    if (code != ERR_OK)
        return code;
    engine_tokens_changed(call->engine);
    pack_map(&call->answer, 2);
    pack_key_str(&call->answer, "id", id);
    pack_key_int(&call->answer, "seq", (int64_t)seq);
    return ERR_OK;
}
