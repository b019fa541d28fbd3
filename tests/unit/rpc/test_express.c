#include "express.h"
#include "json.h"
#include "rpc_fixture.h"

#include <criterion/criterion.h>

#include <stdio.h>
#include <string.h>

static struct rpc rpc;
static struct express *express;
static const struct caller reader = {.role = ROLE_READER}, officer = {.role = ROLE_OFFICER},
                           partner = {.role = ROLE_PARTNER};

static void
setup(void)
{
    rpc_open(&rpc);
    express = express_create(rpc.engine, 4096);
    cr_assert_not_null(express);
}

static void
teardown(void)
{
    express_destroy(express);
    rpc_close(&rpc);
}

TestSuite(express, .init = setup, .fini = teardown);

static struct str
get_as(const struct caller *caller, const char *id)
{
    char params[128];
    size_t n = strlen(id);

    snprintf(params, sizeof params, "\x81\xa2id%c%s", (char)(0xa0 | n), id);
    return express_profile_get(express, caller, (struct str){params, n + 5});
}

/* The same by a call, as bytes. */
static struct buf
called(const struct caller *caller, const char *id)
{
    struct arena *arena = arena_create(1 << 20);
    struct value_limits limits = {.bytes = 4096, .items = 100, .depth = 8};
    const msgpack_object *params;
    struct err err = {0};
    struct call call;
    struct buf copy;
    char json[128];

    snprintf(json, sizeof json, "{\"id\": \"%s\"}", id);
    call_init(&call, rpc.engine, caller, arena, 0);
    cr_assert_eq(json_decode(str_from(json), &limits, arena, &params, &err), ERR_OK);
    cr_assert_eq(call_open(&call, STR_LIT("profile.get"), params, &err), ERR_OK);
    cr_assert_eq(call_run(&call, &err), ERR_OK, "%s", err.message);
    buf_init(&copy, 1 << 20);
    buf_append(&copy, call.answer.data, call.answer.len);
    call_fini(&call);
    arena_destroy(arena);
    return copy;
}

static void
agrees(const struct caller *caller, const char *id)
{
    struct buf wanted = called(caller, id);

    for (int i = 0; i < 2; i++) { /* read, then kept */
        struct str got = get_as(caller, id);

        cr_assert_eq(got.len, wanted.len, "%s", id);
        cr_expect_eq(memcmp(got.data, wanted.data, got.len), 0, "%s", id);
    }
    buf_fini(&wanted);
}

static void
put(const char *id, const char *more)
{
    char json[512];

    snprintf(json, sizeof json,
             "{\"profile\": {\"id\": \"%s\", \"kind\": \"startup\", \"name\": \"N\", \"metro\": "
             "\"paris\"%s}}",
             id, more);
    rpc_ok(&rpc, "profile.put", json);
}

Test(express, answers_what_a_call_answers_through_every_change)
{
    put("acme", "");
    agrees(&reader, "acme");
    agrees(&officer, "acme");
    put("acme", ", \"city\": \"Paris\"");
    agrees(&reader, "acme");
    rpc_ok(&rpc, "profile.patch", "{\"id\": \"acme\", \"changes\": {\"team\": 7}}");
    agrees(&reader, "acme");
    put("other", "");
    agrees(&reader, "acme");
    rpc_ok(&rpc, "profile.delete", "{\"id\": \"acme\"}");
    cr_expect_null(get_as(&reader, "acme").data, "deleted");
    put("acme", ", \"city\": \"again\"");
    agrees(&reader, "acme");
}

Test(express, leaves_confidential_parts_to_calls_which_note_who_read_them)
{
    put("secret", ", \"confidential\": {\"team\": 3}");
    agrees(&reader, "secret");
    cr_expect_null(get_as(&officer, "secret").data);
    cr_expect_not_null(get_as(&reader, "secret").data);
    cr_expect_null(get_as(&partner, "secret").data,
                   "a partner's own profile is for a call to tell");
}

static const struct {
    const char *says, *params;
    size_t n;
} unusual[] = {
    {"nothing", "", 0},
    {"an empty map", "\x80", 1},
    {"another key",
     "\x81\xa2no\xa4"
     "acme",
     9},
    {"two keys",
     "\x82\xa2id\xa4"
     "acme\xa7version\x01",
     18},
    {"a number", "\x81\xa2id\x07", 5},
    {"a text that is cut",
     "\x81\xa2id\xa5"
     "acme",
     9},
    {"an empty text", "\x81\xa2id\xa0", 5},
    {"more behind it",
     "\x81\xa2id\xa4"
     "acme\xc0",
     10},
    {"nobody",
     "\x81\xa2id\xa4"
     "none",
     9},
};

Test(express, leaves_everything_unusual_to_a_call)
{
    put("acme", "");
    for (size_t i = 0; i < sizeof unusual / sizeof unusual[0]; i++)
        cr_expect_null(
            express_profile_get(express, &reader, (struct str){unusual[i].params, unusual[i].n})
                .data,
            "%s", unusual[i].says);
    cr_expect_not_null(express_profile_get(express, &reader,
                                           (struct str){"\x81\xa2id\xd9\x04"
                                                        "acme",
                                                        10})
                           .data,
                       "a text with its length in a byte");
    cr_expect_null(express_ping(express, &reader, (struct str){"\x80", 1}).data);
    cr_expect_eq(express_ping(express, &reader, (struct str){NULL, 0}).len, 5);
}

Test(express, keeps_no_more_than_it_may)
{
    char id[16];

    for (int i = 0; i < 100; i++) { /* far more than 4096 bytes hold */
        snprintf(id, sizeof id, "p%d", i);
        put(id, "");
        agrees(&reader, id);
    }
    agrees(&reader, "p0");
}

Test(express, its_answers_are_counted)
{
    struct method_stats stats;

    express_count(express, method_find(STR_LIT("system.ping")), 5, 3);
    engine_method_stats(rpc.engine, (size_t)(method_find(STR_LIT("system.ping")) - methods),
                        &stats);
    cr_expect_eq(stats.calls, 5);
    cr_expect_eq(stats.microseconds, 15);
    cr_expect_eq(stats.buckets[2], 5, "under 4 microseconds");
}

Test(express, methods_are_recalled_as_they_are_found)
{
    struct method_memo memo = {0};

    for (int round = 0; round < 2; round++)
        for (size_t i = 0; i < n_methods; i++)
            cr_expect_eq(method_recall(&memo, str_from(methods[i].name)), &methods[i]);
    cr_expect_null(method_recall(&memo, STR_LIT("system.pinh")));
    cr_expect_null(method_recall(&memo, STR_LIT("x")));
    cr_expect_null(method_recall(&memo, (struct str){NULL, 0}));
}
