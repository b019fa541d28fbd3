/* handle_outcome.c: what came of matches: hosted, invested, piloted, declined … */
#include "handle.h"
#include "profile_write.h"

#include <inttypes.h>

/* ---- put ---- */

static enum err_code
check_party(struct call *call, const char *param, struct err *err)
{
    struct str id = call_str(call, param);
    struct profile_record record;
    enum err_code code = store_profile_get(store_txn_read(call->txn), id, &record, err);

    return code == ERR_NOT_FOUND ? call_no_profile(call, param, id, err) : code;
}

static enum err_code
check_kind(struct call *call, int *row, struct err *err)
{
    const struct vocabulary *kinds = call->view.reference->vocabularies[VOCABULARY_OUTCOMES];
    struct str kind = call_str(call, "kind");
    int near;

    *row = vocabulary_find(kinds, kind);
    if (*row != VOCABULARY_NONE)
        return ERR_OK;
    near = vocabulary_nearest(kinds, kind);
    err_set(err, ERR_INVALID_PARAMS, "\"%.*s\" is no kind of outcome; did you mean %.*s?",
            STR_ARG(kind), STR_ARG(vocabulary_code(kinds, near != VOCABULARY_NONE ? near : 0)));
    err_at(err, "kind");
    return ERR_INVALID_PARAMS;
}

static enum err_code
check_day(struct call *call, int32_t *day, struct err *err)
{
    enum date_precision precision;
    enum err_code code = date_parse(call_str(call, "at"), DATE_DAY, day, &precision, err);

    if (code == ERR_OK && *day > engine_today(call->engine)) {
        char today[11];

        date_format(engine_today(call->engine), today);
        code = err_set(err, ERR_INVALID_PARAMS,
                       "%.*s is still to come; an outcome is dated today (%s) or before",
                       STR_ARG(call_str(call, "at")), today);
    }
    if (code != ERR_OK)
        err_at(err, "at");
    return code;
}

static enum err_code
pack_outcome(struct call *call, struct buf *out, struct err *err)
{
    static const char *const keys[] = {"from", "to", "programme", "kind", "at", "note"};
    enum { N = sizeof keys / sizeof keys[0] };
    size_t n = 0;

    for (size_t i = 0; i < N; i++)
        n += call_has(call, keys[i]);
    pack_map(out, n);
    for (size_t i = 0; i < N; i++)
        if (call_has(call, keys[i]))
            pack_key_str(out, keys[i], call_str(call, keys[i]));
    return buf_check(out, err);
}

enum err_code
apply_outcome_put(struct call *call, struct err *err)
{
    struct str from = call_str(call, "from"), to = call_str(call, "to");
    struct journal_entry entry = {
        .actor = call_actor(call), .method = str_from(call->method->name), .subject = from};
    const struct vocabulary *kinds = call->view.reference->vocabularies[VOCABULARY_OUTCOMES];
    struct programme_record programme;
    struct buf bytes;
    uint64_t seq;
    int32_t day;
    int row;
    enum err_code code;

    if ((code = check_party(call, "from", err)) != ERR_OK ||
        (code = check_party(call, "to", err)) != ERR_OK ||
        (code = check_kind(call, &row, err)) != ERR_OK ||
        (code = check_day(call, &day, err)) != ERR_OK)
        return code;
    if (str_equal(from, to)) {
        err_set(err, ERR_INVALID_PARAMS,
                "from and to are both \"%.*s\"; an outcome has two parties", STR_ARG(from));
        err_at(err, "to");
        return ERR_INVALID_PARAMS;
    }
    if (call_has(call, "programme")) {
        code = programme_record_find(store_txn_read(call->txn), call_str(call, "programme"),
                                     &programme, err);
        if (code != ERR_OK)
            return code;
    }
    buf_init(&bytes, 64 * 1024);
    code = pack_outcome(call, &bytes, err);
    entry.what = buf_str(&bytes);
    if (code == ERR_OK)
        code = store_journal_add(call->txn, &entry, &seq, err);
    if (code == ERR_OK)
        code = store_outcome_put(call->txn, seq, buf_str(&bytes), err);
    if (code == ERR_OK)
        code = engine_outcome_added(call->engine, from, to, day, vocabulary_is_positive(kinds, row),
                                    err);
    buf_fini(&bytes);
    if (code != ERR_OK)
        return code;
    pack_map(&call->answer, 1);
    pack_key_int(&call->answer, "seq", (int64_t)seq);
    return ERR_OK;
}

/* ---- list ---- */

static bool
is_or_any(const msgpack_object *value, const char *key, struct str wanted)
{
    struct str text;

    return wanted.len == 0 || (value_str(value_find(value, key), &text) && str_equal(text, wanted));
}

static bool
outcome_passes(const struct call *call, const msgpack_object *value)
{
    struct str profile = call_str(call, "profile");

    return (is_or_any(value, "from", profile) || is_or_any(value, "to", profile)) &&
           is_or_any(value, "from", call_str(call, "from")) &&
           is_or_any(value, "to", call_str(call, "to")) &&
           is_or_any(value, "kind", call_str(call, "kind")) &&
           is_or_any(value, "programme", call_str(call, "programme"));
}

static void
pack_one(struct buf *out, const msgpack_object *value, uint64_t seq)
{
    size_t n = value_size(value);

    pack_map(out, n + 1);
    pack_key_int(out, "seq", (int64_t)seq);
    for (size_t i = 0; i < n; i++) {
        pack_str(out, value_key(value, i));
        pack_value(out, value_of(value, i));
    }
}

enum err_code
handle_outcome_list(struct call *call, struct err *err)
{
    size_t limit = call_limit(call), n = 0;
    struct buf *out = &call->answer;
    struct outcome_record record;
    struct pack_open map, list;
    struct store_walk *walk;
    struct store_read *read;
    uint64_t last = call_after_number(call);
    bool has_more = false;
    enum err_code code = store_read_begin(engine_store(call->engine), &read, err);

    if (code != ERR_OK)
        return code;
    code = store_walk_outcomes(read, last, &walk, err);
    if (code != ERR_OK)
        goto out;
    map = pack_map_open(out);
    pack_key(out, "outcomes");
    list = pack_array_open(out);
    while (code == ERR_OK && store_walk_next_outcome(walk, &record, err)) {
        struct arena_mark mark = arena_mark(call->arena);
        const msgpack_object *value;

        code = value_decode(record.bytes.data, record.bytes.len, &value_limits_default, call->arena,
                            &value, err);
        if (code == ERR_OK && outcome_passes(call, value)) {
            if (n == limit) {
                has_more = true;
                break;
            }
            pack_one(out, value, record.seq);
            last = record.seq;
            n++;
        }
        arena_release(call->arena, mark);
    }
    if (code == ERR_OK && !has_more)
        code = err->code;
    pack_close(out, list, n);
    if (has_more)
        call_pack_next_number(call, last);
    pack_close(out, map, has_more ? 2 : 1);
    store_walk_end(walk);
out:
    store_read_end(read);
    return code;
}
