#include "call.h"

#include "params.h"
#include "profile.h"
#include "programme_cache.h"

#include <sodium.h>

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum { ANSWER_BYTES_MAX = 64 * 1024 * 1024, DETAILS_BYTES_MAX = 64 * 1024 };

void
call_init(struct call *call, struct engine *engine, const struct caller *caller,
          struct arena *arena, size_t answer_limit)
{
    *call = (struct call){.engine = engine, .caller = *caller, .arena = arena};
    call->deadline_ms = INT64_MAX;
    buf_init(&call->answer, answer_limit != 0 ? answer_limit : ANSWER_BYTES_MAX);
    buf_init(&call->error_details, DETAILS_BYTES_MAX);
}

void
call_fini(struct call *call)
{
    engine_view_drop(&call->view);
    buf_fini(&call->answer);
    buf_fini(&call->error_details);
}

static int64_t
now_ms(const struct call *call)
{
    const struct clock *clock = engine_clock(call->engine);

    return clock->steady_ms(clock);
}

/* How long calls took is measured, never stored: the machine's own clock, finer than a test's. */
static uint64_t
monotonic_us(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

/* ---- the guards ---- */

static enum err_code
guard_known(struct call *call, struct str name, struct err *err)
{
    const struct method *near;

    call->method = method_find(name);
    if (call->method != NULL)
        return ERR_OK;
    near = method_nearest(name);
    if (name.len > 60)
        name.len = 60;
    if (near == NULL)
        return err_set(err, ERR_UNKNOWN_METHOD,
                       "there is no method \"%.*s\"; system.methods lists them", STR_ARG(name));
    pack_map(&call->error_details, 1);
    pack_key_text(&call->error_details, "close", near->name);
    return err_set(err, ERR_UNKNOWN_METHOD, "there is no method \"%.*s\"; did you mean %s?",
                   STR_ARG(name), near->name);
}

static enum err_code
guard_allowed(struct call *call, struct err *err)
{
    if (role_allows(call->caller.role, call->method->roles))
        return ERR_OK;
    if (call->caller.role == ROLE_ANY)
        return err_set(err, ERR_UNAUTHENTICATED,
                       "%s needs a token; show one with system.hello first", call->method->name);
    return err_set(err, ERR_FORBIDDEN, "the role %s may not call %s", role_name(call->caller.role),
                   call->method->name);
}

/*
 * `next` is a mark and base64 of the last key: opaque, so that clients don't build on it, and safe in JSON and in an
 * address. No key begins with the mark, and many a key is base64 by chance: what has none is a plain key.
 */
enum { NEXT_MARK = '~', NEXT_SHOWN = 60 };

static enum err_code
guard_after(struct call *call, struct err *err)
{
    struct str text = call_str(call, "after");
    char *key;
    size_t len;

    call->after = text;
    if (text.len == 0 || text.data[0] != NEXT_MARK)
        return ERR_OK;
    if ((key = arena_alloc(call->arena, text.len, 1)) == NULL)
        return err_no_memory(err);
    if (sodium_base642bin((unsigned char *)key, text.len, text.data + 1, text.len - 1, NULL, &len,
                          NULL, sodium_base64_VARIANT_URLSAFE_NO_PADDING) != 0) {
        err_set(err, ERR_INVALID_PARAMS, "\"%.*s\" is no `next` of an answer; give one as it came",
                (int)(text.len < NEXT_SHOWN ? text.len : NEXT_SHOWN), text.data);
        err_at(err, "after");
        return ERR_INVALID_PARAMS;
    }
    call->after = (struct str){key, len};
    return ERR_OK;
}

static enum err_code
guard_well_formed(struct call *call, struct err *err)
{
    enum err_code code;
    struct str path;

    if (value_is_map(call->params) && value_find_bad_key(call->params, call->arena, &path)) {
        if (path.len == 0)
            return err_no_memory(err);
        return err_set(err, ERR_INVALID_PARAMS,
                       "the key \"%.*s\" stands twice, or is no text; each key once, as text",
                       STR_ARG(path));
    }
    code = params_check(call->method, call->params, err);
    return code == ERR_OK ? guard_after(call, err) : code;
}

static enum err_code
guard_deadline(struct call *call, struct err *err)
{
    if (call->received_ms == 0)
        call->received_ms = now_ms(call);
    if (call_has(call, "deadline_ms"))
        call->deadline_ms = call->received_ms + call_int(call, "deadline_ms");
    return call_check_time(call, err);
}

enum err_code
call_open(struct call *call, struct str method, const msgpack_object *params, struct err *err)
{
    enum err_code code = guard_known(call, method, err);

    return code == ERR_OK ? call_open_method(call, call->method, params, err) : code;
}

enum err_code
call_open_method(struct call *call, const struct method *method, const msgpack_object *params,
                 struct err *err)
{
    enum err_code code;

    call->method = method;
    call->params = value_is_nil(params) ? NULL : params;
    call->started_us = monotonic_us();
    if ((code = guard_allowed(call, err)) != ERR_OK ||
        (code = guard_well_formed(call, err)) != ERR_OK ||
        (code = guard_deadline(call, err)) != ERR_OK) {
        engine_count_call(call->engine, (size_t)(call->method - methods), code, 0);
        if (err != NULL)
            engine_refer_internal(call->engine, method->name, err, &call->error_details);
        return code;
    }
    call->speaks = (call->method->flags & METHOD_SPEAKS) != 0 &&
                   (call_has(call, "lang") || call->has_default_lang);
    call->lang =
        lang_parse(call_str(call, "lang"), call->has_default_lang ? call->default_lang : LANG_EN);
    return ERR_OK;
}

/* ---- the work ---- */

/* err as the asker gets it: exactly what the code says, whatever a handler tried and forgave. */
static enum err_code
finish(struct call *call, enum err_code code, struct err *err)
{
    if (code == ERR_OK)
        code = buf_check(&call->answer, err);
    if (code == ERR_OK)
        *err = (struct err){0};
    else
        buf_clear(&call->answer);
    engine_refer_internal(call->engine, call->method->name, err, &call->error_details);
    engine_view_drop(&call->view);
    engine_count_call(call->engine, (size_t)(call->method - methods), code,
                      monotonic_us() - call->started_us);
    return code;
}

static enum err_code
run_apply(struct store_txn *txn, void *context, struct err *err)
{
    struct call *call = context;
    enum err_code code;

    buf_clear(&call->answer); /* a group that had to be run again */
    buf_clear(&call->error_details);
    call->txn = txn;
    code = call->method->apply(call, err);
    if (code == ERR_OK) /* an answer that cannot be given must not be committed */
        code = buf_check(&call->answer, err);
    call->txn = NULL;
    return code;
}

static enum err_code
run_handle(struct call *call, struct err *err)
{
    engine_view_hold(call->engine, &call->view);
    return call->method->handle != NULL ? call->method->handle(call, err) : ERR_OK;
}

enum err_code
call_run(struct call *call, struct err *err)
{
    struct err failure = {0};
    enum err_code code = run_handle(call, &failure);

    if (code == ERR_OK && call->method->apply != NULL)
        code = store_write(engine_store(call->engine), run_apply, call, &failure);
    code = finish(call, code, &failure);
    if (err != NULL)
        *err = failure;
    return code;
}

static void
write_done(void *context, const struct err *err)
{
    struct call *call = context;
    struct err failure = *err;

    finish(call, failure.code, &failure);
    call->done(call, &failure);
}

void
call_start(struct call *call, void (*done)(struct call *call, const struct err *err), void *context)
{
    struct err failure = {0};
    enum err_code code;

    call->done = done;
    call->done_context = context;
    code = run_handle(call, &failure);
    if (code == ERR_OK && call->method->apply != NULL) {
        call->request =
            (struct write_request){.run = run_apply, .done = write_done, .context = call};
        code = store_submit(engine_store(call->engine), &call->request, &failure);
        if (code == ERR_OK)
            return; /* write_done goes on */
    }
    finish(call, code, &failure);
    done(call, &failure);
}

/* ---- for handlers ---- */

const msgpack_object *
call_value(const struct call *call, const char *name)
{
    const msgpack_object *value = value_find(call->params, name);

    return value_is_nil(value) ? NULL : value;
}

bool
call_has(const struct call *call, const char *name)
{
    return call_value(call, name) != NULL;
}

struct str
call_str(const struct call *call, const char *name)
{
    struct str text = {NULL, 0};

    value_str(call_value(call, name), &text);
    return text;
}

int64_t
call_int(const struct call *call, const char *name)
{
    const struct param *param = params_find(call->method, str_from(name));
    int64_t number = param != NULL ? param->preset : 0;

    value_int(call_value(call, name), &number);
    return number;
}

bool
call_bool(const struct call *call, const char *name)
{
    const struct param *param = params_find(call->method, str_from(name));
    bool flag = param != NULL && param->preset != 0;

    value_bool(call_value(call, name), &flag);
    return flag;
}

size_t
call_limit(const struct call *call)
{
    return (size_t)call_int(call, "limit");
}

struct str
call_after(const struct call *call)
{
    return call->after;
}

void
call_pack_next(struct call *call, struct str key)
{
    size_t room = sodium_base64_encoded_len(key.len, sodium_base64_VARIANT_URLSAFE_NO_PADDING);
    char *text = arena_alloc(call->arena, 1 + room, 1);

    if (text == NULL) {
        call->answer.is_exhausted = true;
        return;
    }
    text[0] = NEXT_MARK;
    sodium_bin2base64(text + 1, room, (const unsigned char *)key.data, key.len,
                      sodium_base64_VARIANT_URLSAFE_NO_PADDING);
    pack_key_text(&call->answer, "next", text);
}

uint64_t
call_after_number(const struct call *call)
{
    struct str after = call_after(call);
    uint64_t number = 0;

    for (size_t i = 0; i < after.len && after.data[i] >= '0' && after.data[i] <= '9' &&
                       number < UINT64_MAX / 10 - 1;
         i++)
        number = number * 10 + (uint64_t)(after.data[i] - '0');
    return number;
}

void
call_pack_next_number(struct call *call, uint64_t key)
{
    struct str text = arena_format(call->arena, "%" PRIu64, key);

    if (text.data == NULL)
        call->answer.is_exhausted = true;
    else
        call_pack_next(call, text);
}

bool
call_sees_confidential(const struct call *call, struct str profile_id)
{
    return role_allows(call->caller.role, ROLE_OFFICER) ||
           (call->caller.role == ROLE_PARTNER && str_equal(call->caller.profile, profile_id));
}

struct str
call_actor(struct call *call)
{
    if (call->caller.name.len == 0)
        return str_from(role_name(call->caller.role));
    return arena_format(call->arena, "%s %.*s", role_name(call->caller.role),
                        STR_ARG(call->caller.name));
}

enum err_code
call_check_time(struct call *call, struct err *err)
{
    if (call->is_cancelled != NULL && call->is_cancelled(call->cancel_context))
        return err_set(err, ERR_CANCELLED, "%s was cancelled", call->method->name);
    if (call->deadline_ms != INT64_MAX && now_ms(call) >= call->deadline_ms)
        return err_set(err, ERR_DEADLINE, "%s did not end within its %" PRId64 " ms",
                       call->method->name, call_int(call, "deadline_ms"));
    return ERR_OK;
}

/* The stored id nearest to one that is not there; empty if none is near. */
static struct str
nearest_profile(const struct call *call, struct str id)
{
    const struct roster *roster = call->view.roster;
    size_t best = id.len / 3 + 1;
    struct str nearest = {NULL, 0};

    for (uint32_t row = 0; row < roster_rows(roster); row++) {
        const struct facts *facts = roster_facts(roster, row);
        size_t distance;

        if (facts == NULL)
            continue;
        distance = str_distance(id, facts->id, best);
        if (distance < best ||
            (distance == best && nearest.len > 0 && str_compare(facts->id, nearest) < 0)) {
            best = distance;
            nearest = facts->id;
        }
    }
    return nearest;
}

enum err_code
call_no_profile(struct call *call, const char *param, struct str id, struct err *err)
{
    struct str near = nearest_profile(call, id);

    if (near.len > 0)
        err_set(err, ERR_NOT_FOUND, "there is no profile \"%.*s\"; did you mean %.*s?", STR_ARG(id),
                STR_ARG(near));
    else
        err_set(err, ERR_NOT_FOUND,
                "there is no profile \"%.*s\"; profile.list shows those there are", STR_ARG(id));
    err_at(err, param);
    return ERR_NOT_FOUND;
}

enum err_code
call_programme_decode(struct call *call, struct str bytes, struct programme **out, struct err *err)
{
    const char *copy = arena_copy(call->arena, bytes.data, bytes.len);
    const msgpack_object *value;
    struct faults faults;
    enum err_code code;

    if (copy == NULL)
        return err_no_memory(err);
    code = value_decode(copy, bytes.len, &value_limits_default, call->arena, &value, err);
    if (code != ERR_OK)
        return code;
    faults_init(&faults, call->arena);
    programme_decode(value, call->view.reference, &faults, out);
    code = faults_first(&faults, err);
    if (code != ERR_OK)
        err_at(err, "programme"); /* right when it was put; a vocabulary has lost a code since */
    return code;
}

enum err_code
programme_record_find(struct store_read *read, struct str id, struct programme_record *out,
                      struct err *err)
{
    enum err_code code = store_programme_get(read, id, out, err);

    if (code == ERR_NOT_FOUND) {
        *err = (struct err){0};
        err_set(err, ERR_NOT_FOUND,
                "there is no programme \"%.*s\"; programme.list shows those there are",
                STR_ARG(id));
        err_at(err, "programme");
    }
    return code;
}

static enum err_code
hold_programme(struct call *call, struct str bytes, const struct programme **out, struct err *err)
{
    struct kept_programme *kept;
    enum err_code code = engine_programme(call->engine, &call->view, bytes, &kept, err);

    if (code != ERR_OK) {
        err_at(err, "programme"); /* right when it was put; a vocabulary has lost a code since */
        return code;
    }
    if (!arena_defer(call->arena, (void (*)(void *))kept_programme_drop, kept)) {
        kept_programme_drop(kept);
        return err_no_memory(err);
    }
    *out = kept_programme_look(kept);
    return ERR_OK;
}

enum err_code
call_programme(struct call *call, struct str id, const struct programme **out, uint64_t *version,
               struct err *err)
{
    struct store_read *read;
    struct programme_record record;
    enum err_code code = store_read_begin(engine_store(call->engine), &read, err);

    if (code != ERR_OK)
        return code;
    code = programme_record_find(read, id, &record, err);
    if (code == ERR_OK)
        code = hold_programme(call, record.bytes, out, err);
    if (code == ERR_OK && version != NULL)
        *version = record.version;
    store_read_end(read);
    return code;
}

void
call_pack_error(struct buf *out, const struct err *err, const struct buf *details)
{
    bool has_field = err->field[0] != '\0';
    bool has_details = details != NULL && details->len > 0;
    bool has_retry = err->code == ERR_BUSY && !has_details;

    pack_map(out, 3 + (size_t)has_field + (size_t)(has_details || has_retry));
    pack_key_int(out, "code", (int64_t)err->code);
    pack_key_text(out, "name", err_name(err->code));
    pack_key_text(out, "message", err->message);
    if (has_field)
        pack_key_text(out, "field", err->field);
    if (has_details) {
        pack_key(out, "details");
        buf_append(out, details->data, details->len);
    } else if (has_retry) {
        pack_key(out, "details");
        pack_map(out, 1);
        pack_key_int(out, "retry_ms", err->retry_ms > 0 ? err->retry_ms : 1000);
    }
}
