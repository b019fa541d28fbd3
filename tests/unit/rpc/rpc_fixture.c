#include "rpc_fixture.h"

#include "alloc.h"
#include "file.h"
#include "json.h"
#include "watch_desk.h"
#include "yaml_doc.h"

#include <criterion/criterion.h>

#include <ctype.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { TODAY_DAYS = 20605, STEADY_MS = 1000000 }; /* 2026-06-01 */

static void
open_engine(struct rpc *rpc)
{
    struct engine_options options = {
        .data_dir = rpc->dir, .share_dir = JML_DATA, .clock = &rpc->clock, .helpers = rpc->helpers};
    struct err err = {0};

    cr_assert_eq(engine_open(&options, &rpc->engine, &err), ERR_OK, "%s", err.message);
}

void
rpc_open(struct rpc *rpc)
{
    *rpc = (struct rpc){.clock = clock_fixed((int64_t)TODAY_DAYS * 86400000, STEADY_MS),
                        .arena = arena_create(SIZE_MAX)};
    snprintf(rpc->dir, sizeof rpc->dir, "/tmp/jumelage-rpc-XXXXXX");
    cr_assert_not_null(mkdtemp(rpc->dir));
    cr_assert_not_null(rpc->arena);
    rpc_act_as(rpc, ROLE_ADMIN, "test");
    open_engine(rpc);
}

static int
remove_one(const char *path, const struct stat *st, int flag, struct FTW *walk)
{
    (void)st, (void)flag, (void)walk;
    return remove(path);
}

void
rpc_close(struct rpc *rpc)
{
    if (rpc->seat != NULL)
        watch_seat_close(rpc->seat);
    watch_seat_drop(rpc->seat);
    watch_desk_close(rpc->host.watches);
    engine_close(rpc->engine);
    arena_destroy(rpc->arena);
    nftw(rpc->dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

void
rpc_reopen_after(struct rpc *rpc, void (*meanwhile)(const char *dir))
{
    engine_close(rpc->engine);
    meanwhile(rpc->dir);
    open_engine(rpc);
}

void
rpc_reopen(struct rpc *rpc)
{
    engine_close(rpc->engine);
    open_engine(rpc);
}

static void
ignore_news(void *context)
{
    (void)context; /* the test takes them when it likes */
}

void
rpc_seat(struct rpc *rpc)
{
    struct err err = {0};

    for (int i = 0; i < LIMIT_COUNT; i++)
        rpc->limits[i] = limit_rows[i].preset;
    cr_assert_eq(watch_desk_open(rpc->engine, rpc->limits, &rpc->host.watches, &err), ERR_OK);
    rpc->seat = watch_seat_create(rpc->host.watches, ignore_news, NULL);
    cr_assert_not_null(rpc->seat);
}

void
rpc_act_as(struct rpc *rpc, enum role role, const char *name)
{
    rpc->caller = (struct caller){.role = role, .name = str_from(name)};
    if (role == ROLE_PARTNER)
        rpc->caller.profile = str_from(name);
}

/* ---- calling ---- */

static const msgpack_object *
kept(struct rpc *rpc, const struct buf *bytes)
{
    struct value_limits limits = {.bytes = SIZE_MAX / 2, .items = 10000000, .depth = 32};
    const void *copy = arena_copy(rpc->arena, bytes->data, bytes->len);
    const msgpack_object *value;
    struct err err = {0};

    cr_assert_eq(value_decode(copy, bytes->len, &limits, rpc->arena, &value, &err), ERR_OK,
                 "an answer that cannot be read: %s", err.message);
    return value;
}

const msgpack_object *
rpc_call(struct rpc *rpc, const char *method, const char *json)
{
    struct arena *scratch = arena_create(SIZE_MAX);
    const msgpack_object *params = NULL, *answer = NULL;
    struct value_limits limits = {.bytes = SIZE_MAX / 2, .items = 10000000, .depth = 32};
    struct call call;
    enum err_code code;

    cr_assert_not_null(scratch);
    rpc->err = (struct err){0};
    rpc->details = NULL;
    call_init(&call, rpc->engine, &rpc->caller, scratch, 0);
    call.is_cancelled = rpc->is_cancelled;
    call.cancel_context = rpc->cancel_context;
    call.seat = rpc->seat;
    if (rpc->seat != NULL)
        call.limits = rpc->limits;
    if (rpc->host.watches != NULL)
        call.host = &rpc->host;
    if (rpc->has_received)
        call.received_ms = rpc->received_ms;
    if (json != NULL)
        cr_assert_eq(json_decode(str_from(json), &limits, scratch, &params, &rpc->err), ERR_OK,
                     "%s: %s", json, rpc->err.message);
    mem_fail_at(rpc->fail_at);
    code = call_open(&call, str_from(method), params, &rpc->err);
    if (code == ERR_OK)
        code = call_run(&call, &rpc->err);
    rpc->has_failed = mem_fail_happened();
    rpc->watch = code == ERR_OK ? call.watch : 0;
    cr_assert_eq(code, rpc->err.code, "%s answers %d but says %d", method, code, rpc->err.code);
    if (code == ERR_OK)
        answer = kept(rpc, &call.answer);
    else if (call.error_details.len > 0)
        rpc->details = kept(rpc, &call.error_details);
    if (code == ERR_OK) {
        const char *fault = result_check(call.method, answer);

        cr_assert_null(fault, "the answer of %s is not as the table says: %s", method, fault);
    } else {
        cr_assert(rpc->err.message[0] != '\0', "%s fails without a sentence", method);
    }
    call_fini(&call);
    arena_destroy(scratch);
    return answer;
}

const msgpack_object *
rpc_ok(struct rpc *rpc, const char *method, const char *json)
{
    const msgpack_object *answer = rpc_call(rpc, method, json);

    cr_assert_not_null(answer, "%s %s: %s (%s)", method, json != NULL ? json : "", rpc->err.message,
                       rpc->err.field);
    return answer;
}

uint64_t
rpc_seq(struct rpc *rpc)
{
    struct store_read *read;
    struct err err = {0};
    uint64_t seq;

    cr_assert_eq(store_read_begin(engine_store(rpc->engine), &read, &err), ERR_OK);
    seq = store_seq(read);
    store_read_end(read);
    return seq;
}

void
rpc_fails(struct rpc *rpc, const char *method, const char *json, enum err_code code,
          const char *field)
{
    uint64_t before = rpc_seq(rpc);

    cr_assert_null(rpc_call(rpc, method, json), "%s %s should have failed", method, json);
    cr_expect_eq(rpc->err.code, code, "%s %s: %s, not %s: %s", method, json,
                 err_name(rpc->err.code), err_name(code), rpc->err.message);
    if (field != NULL)
        cr_expect_str_eq(rpc->err.field, field, "%s %s: %s", method, json, rpc->err.message);
    cr_expect_eq(rpc_seq(rpc), before, "%s %s failed, and changed the store", method, json);
}

/* ---- pieces of answers ---- */

const msgpack_object *
rpc_at(const msgpack_object *value, const char *path)
{
    while (*path != '\0' && value != NULL) {
        if (*path == '[') {
            value = value_at(value, strtoul(path + 1, NULL, 10));
            path = strchr(path, ']') + 1;
        } else {
            size_t n;

            path += *path == '.';
            n = strcspn(path, ".[");
            value = value_find_str(value, (struct str){path, n});
            path += n;
        }
    }
    return value;
}

int64_t
rpc_int(const msgpack_object *value, const char *path)
{
    int64_t number = INT64_MIN;

    cr_assert(value_int(rpc_at(value, path), &number), "no number at %s", path);
    return number;
}

const char *
rpc_text(struct rpc *rpc, const msgpack_object *value, const char *path)
{
    struct str text = {NULL, 0};

    cr_assert(value_str(rpc_at(value, path), &text), "no text at %s", path);
    return arena_text(rpc->arena, text);
}

bool
rpc_bool(const msgpack_object *value, const char *path)
{
    bool flag = false;

    cr_assert(value_bool(rpc_at(value, path), &flag), "neither true nor false at %s", path);
    return flag;
}

/* ---- the shipped data ---- */

static struct str
read_data(struct rpc *rpc, const char *path)
{
    struct buf bytes;
    struct str text;
    char full[512];
    struct err err = {0};

    snprintf(full, sizeof full, "%s/%s", JML_DATA, path);
    buf_init(&bytes, 64 * 1024 * 1024);
    cr_assert_eq(file_read(full, &bytes, &err), ERR_OK, "%s", err.message);
    text = arena_str(rpc->arena, buf_str(&bytes));
    buf_fini(&bytes);
    return text;
}

/* Each line of a JSON Lines file as the one parameter `key`, or the line itself where key is NULL. */
static void
call_lines(struct rpc *rpc, const char *path, const char *method, const char *key)
{
    struct str text = read_data(rpc, path);

    for (size_t at = 0; at < text.len;) {
        size_t end = str_find(text, '\n', at);
        struct str line = {text.data + at, end - at};

        if (line.len > 0 && key != NULL)
            rpc_ok(rpc, method,
                   arena_format(rpc->arena, "{\"%s\": %.*s}", key, STR_ARG(line)).data);
        else if (line.len > 0)
            rpc_ok(rpc, method, arena_text(rpc->arena, line));
        at = end + 1;
    }
}

static void
put_programme(struct rpc *rpc, const char *name)
{
    struct yaml_doc *doc;
    struct err err = {0};
    struct buf json;
    char path[128];

    snprintf(path, sizeof path, "programmes/%s.yaml", name);
    cr_assert_eq(yaml_decode(read_data(rpc, path), &value_limits_default, rpc->arena, &doc, &err),
                 ERR_OK, "%s", err.message);
    buf_init(&json, 1024 * 1024);
    buf_append_text(&json, "{\"programme\": ");
    json_encode(&json, yaml_doc_root(doc), JSON_COMPACT);
    buf_append(&json, "}", 2);
    rpc_ok(rpc, "programme.put", json.data);
    buf_fini(&json);
}

static void
put_profiles(struct rpc *rpc, const char *path)
{
    struct str text = read_data(rpc, path);
    struct buf json;

    buf_init(&json, 64 * 1024 * 1024);
    buf_append_text(&json, "{\"atomic\": true, \"profiles\": [");
    for (size_t at = 0; at < text.len;) {
        size_t end = str_find(text, '\n', at);

        if (at > 0 && end > at)
            buf_append_text(&json, ",");
        buf_append(&json, text.data + at, end - at);
        at = end + 1;
    }
    buf_append(&json, "]}", 3);
    cr_assert_eq(value_size(rpc_at(rpc_ok(rpc, "profile.put_many", json.data), "failed")), 0, "%s",
                 path);
    buf_fini(&json);
}

void
rpc_load_demo(struct rpc *rpc)
{
    put_profiles(rpc, "profiles/organisations.jsonl");
    put_profiles(rpc, "profiles/startups.jsonl");
    put_profiles(rpc, "profiles/demo-hosts.jsonl");
    put_programme(rpc, "bilocation");
    put_programme(rpc, "events");
    call_lines(rpc, "profiles/outcomes.jsonl", "outcome.put", NULL);
}
