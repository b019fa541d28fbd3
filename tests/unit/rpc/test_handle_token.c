#include "cases.h"
#include "rpc_fixture.h"

#include <ctype.h>
#include <stdio.h>

static struct rpc rpc;

static void
setup(void)
{
    rpc_open(&rpc);
    rpc_ok(&rpc, "profile.put",
           "{\"profile\": {\"id\": \"acme\", \"kind\": \"startup\", \"name\": \"Acme\"}}");
}

static void
teardown(void)
{
    rpc_close(&rpc);
}

TestSuite(handle_token, .init = setup, .fini = teardown);

static const struct {
    const char *says, *params;
    enum err_code code;
    const char *field, *sentence;
} wrong[] = {
    {"no name", "{\"role\": \"reader\"}", ERR_INVALID_PARAMS, "name", "name"},
    {"a name of space", "{\"role\": \"reader\", \"name\": \"  \"}", ERR_INVALID_PARAMS, "name",
     "who will hold it"},
    {"no such role", "{\"role\": \"king\", \"name\": \"n\"}", ERR_INVALID_PARAMS, "role", "king"},
    {"the role of everyone", "{\"role\": \"any\", \"name\": \"n\"}", ERR_INVALID_PARAMS, "role",
     "any"},
    {"a partner of no profile", "{\"role\": \"partner\", \"name\": \"n\"}", ERR_INVALID_PARAMS,
     "profile", "needs the profile"},
    {"a partner of a profile that is not there",
     "{\"role\": \"partner\", \"name\": \"n\", \"profile\": \"acne\"}", ERR_NOT_FOUND, "profile",
     "did you mean acme"},
    {"a reader with a profile", "{\"role\": \"reader\", \"name\": \"n\", \"profile\": \"acme\"}",
     ERR_INVALID_PARAMS, "profile", "not a reader's"},
    {"a reader with a metro", "{\"role\": \"reader\", \"name\": \"n\", \"metro\": \"paris\"}",
     ERR_INVALID_PARAMS, "metro", "not a reader's"},
    {"no such metro", "{\"role\": \"officer\", \"name\": \"n\", \"metro\": \"pariss\"}",
     ERR_INVALID_PARAMS, "metro", "did you mean paris"},
    {"yesterday", "{\"role\": \"reader\", \"name\": \"n\", \"expires\": \"2026-05-31\"}",
     ERR_INVALID_PARAMS, "expires", "is past"},
    {"no day", "{\"role\": \"reader\", \"name\": \"n\", \"expires\": \"2026-06-31\"}",
     ERR_INVALID_PARAMS, "expires", "2026-06-31"},
    {"a month", "{\"role\": \"reader\", \"name\": \"n\", \"expires\": \"2026-07\"}",
     ERR_INVALID_PARAMS, "expires", "2026-07"},
};

CASES(handle_token, a_token_that_makes_no_sense_is_not_made, wrong)
{
    rpc_fails(&rpc, "token.create", wrong[*i].params, wrong[*i].code, wrong[*i].field);
    cr_expect_not_null(strstr(rpc.err.message, wrong[*i].sentence), "%s: %s", wrong[*i].says,
                       rpc.err.message);
    cr_expect_eq(value_size(rpc_at(rpc_ok(&rpc, "token.list", "{}"), "tokens")), 0);
}

Test(handle_token, a_token_reads_as_its_header_draws_it)
{
    const char *text = rpc_text(
        &rpc, rpc_ok(&rpc, "token.create", "{\"role\": \"reader\", \"name\": \"n\"}"), "token");

    cr_assert_eq(strlen(text), 4 + 12 + 1 + 43, "%s", text);
    cr_expect_eq(strncmp(text, "jml_", 4), 0);
    for (size_t i = 4; i < 16; i++)
        cr_expect(isxdigit((unsigned char)text[i]), "%s", text);
    cr_expect_eq(text[16], '_');
}

Test(handle_token, lists_what_was_made_in_pages_and_no_secret)
{
    const msgpack_object *page, *token;
    char after[64] = "";
    size_t n = 0;

    for (int i = 0; i < 5; i++)
        rpc_ok(&rpc, "token.create",
               "{\"role\": \"partner\", \"name\": \"n\", \"profile\": \"acme\"}");
    do {
        page = rpc_ok(&rpc, "token.list", arena_format(rpc.arena, "{\"limit\": 2%s}", after).data);
        for (size_t i = 0; i < value_size(rpc_at(page, "tokens")); i++, n++) {
            token = value_at(rpc_at(page, "tokens"), i);
            cr_expect(rpc_bool(token, "holds"));
            cr_expect_str_eq(rpc_text(&rpc, token, "profile"), "acme");
            cr_expect_str_eq(rpc_text(&rpc, token, "created_by"), "admin test");
            cr_expect_null(value_find(token, "token"));
            cr_expect_null(value_find(token, "hash"));
        }
        if (rpc_at(page, "next") != NULL)
            snprintf(after, sizeof after, ", \"after\": \"%s\"", rpc_text(&rpc, page, "next"));
    } while (rpc_at(page, "next") != NULL && n < 10);
    cr_expect_eq(n, 5);
}

Test(handle_token, the_journal_tells_who_made_it_and_not_the_secret)
{
    const msgpack_object *made = rpc_ok(&rpc, "token.create",
                                        "{\"role\": \"officer\", \"name\": \"Marie\", \"metro\": "
                                        "\"paris\", \"expires\": \"2026-06-01\"}");
    const msgpack_object *entries = rpc_at(
        rpc_ok(&rpc, "journal.list",
               arena_format(rpc.arena, "{\"subject\": \"%s\"}", rpc_text(&rpc, made, "id")).data),
        "entries");

    cr_assert_eq(value_size(entries), 1);
    cr_expect_str_eq(rpc_text(&rpc, entries, "[0].method"), "token.create");
    cr_expect_str_eq(rpc_text(&rpc, entries, "[0].actor"), "admin test");
    cr_expect_str_eq(rpc_text(&rpc, entries, "[0].what.expires"), "2026-06-01");
    cr_expect_null(rpc_at(entries, "[0].what.token"));
    cr_expect_null(rpc_at(entries, "[0].what.hash"));
}

static const char *const unknown_ids[] = {"0f1e2d3c4b5a", "x", "0f1e2d3c4b5a0"};

CASES(handle_token, a_token_that_is_not_there_cannot_be_revoked, unknown_ids)
{
    rpc_fails(&rpc, "token.revoke",
              arena_format(rpc.arena, "{\"id\": \"%s\"}", unknown_ids[*i]).data, ERR_NOT_FOUND,
              "id");
    cr_expect_not_null(strstr(rpc.err.message, unknown_ids[*i]), "%s", rpc.err.message);
}

Test(handle_token, only_an_admin_makes_lists_and_revokes)
{
    static const enum role others[] = {ROLE_READER, ROLE_OFFICER, ROLE_PARTNER, ROLE_BATCH};

    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        rpc_act_as(&rpc, others[i], "acme");
        rpc_fails(&rpc, "token.create", "{\"role\": \"reader\", \"name\": \"n\"}", ERR_FORBIDDEN,
                  NULL);
        rpc_fails(&rpc, "token.list", "{}", ERR_FORBIDDEN, NULL);
        rpc_fails(&rpc, "token.revoke", "{\"id\": \"x\"}", ERR_FORBIDDEN, NULL);
    }
}

Test(handle_token, a_token_gives_its_role_to_whoever_shows_it)
{
    static const char *const roles[] = {"reader", "officer", "admin", "batch"};

    for (size_t i = 0; i < sizeof roles / sizeof roles[0]; i++) {
        const char *text;

        rpc_act_as(&rpc, ROLE_ADMIN, "test");
        text = rpc_text(
            &rpc,
            rpc_ok(&rpc, "token.create",
                   arena_format(rpc.arena, "{\"role\": \"%s\", \"name\": \"n\"}", roles[i]).data),
            "token");
        rpc_act_as(&rpc, ROLE_ANY, NULL);
        cr_expect_str_eq(rpc_text(&rpc,
                                  rpc_ok(&rpc, "system.hello",
                                         arena_format(rpc.arena, "{\"token\": \"%s\"}", text).data),
                                  "role"),
                         roles[i]);
    }
    rpc_fails(&rpc, "system.hello", "{\"token\": \"jml_none\"}", ERR_UNAUTHENTICATED, NULL);
}
