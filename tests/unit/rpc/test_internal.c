/* test_internal.c: a defect that a caller is told of can be found in the log. */
#include "cases.h"
#include "log.h"
#include "rpc_fixture.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static struct rpc rpc;
static struct log lines;
static int heard; /* where the engine's log can be read */

static void
setup(void)
{
    struct engine_options options = {.clock = &rpc.clock, .log = &lines};
    struct err err = {0};
    int ends[2];

    rpc_open(&rpc);
    engine_close(rpc.engine);
    cr_assert_eq(pipe(ends), 0);
    heard = ends[0];
    log_init(&lines, ends[1], LOG_LEVEL_INFO, &rpc.clock);
    options.data_dir = rpc.dir;
    options.share_dir = JML_DATA;
    cr_assert_eq(engine_open(&options, &rpc.engine, &err), ERR_OK, "%s", err.message);
}

static void
teardown(void)
{
    rpc_close(&rpc);
}

TestSuite(internal, .init = setup, .fini = teardown);

static enum err_code
put_no_token(struct store_txn *txn, void *context, struct err *err)
{
    (void)context;
    return store_setting_put(txn, "token/0123456789ab", STR_LIT("\xc0"), err);
}

Test(internal, an_answer_carries_the_reference_of_a_line_that_says_what_and_where)
{
    char text[4096], wanted[64];
    struct err err = {0};
    const char *ref;
    ssize_t n;

    cr_assert_eq(store_write(engine_store(rpc.engine), put_no_token, NULL, &err), ERR_OK);
    rpc_fails(&rpc, "token.list", "{}", ERR_INTERNAL, NULL);
    cr_assert_not_null(rpc.details);
    ref = rpc_text(&rpc, rpc.details, "ref");
    cr_assert_eq(strlen(ref), 8);
    n = read(heard, text, sizeof text - 1);
    cr_assert_gt(n, 0);
    text[n] = '\0';
    snprintf(wanted, sizeof wanted, " error internal ref=%s method=token.list message=", ref);
    cr_expect_not_null(strstr(text, wanted), "%s", text);
    cr_expect_not_null(strstr(text, rpc.err.message), "%s", text);
    cr_expect_not_null(strstr(text, " origin=tokens.c:"), "%s", text);
}

Test(internal, two_answers_have_two_references)
{
    struct err err = {0};
    const char *first;

    cr_assert_eq(store_write(engine_store(rpc.engine), put_no_token, NULL, &err), ERR_OK);
    rpc_fails(&rpc, "token.list", "{}", ERR_INTERNAL, NULL);
    first = rpc_text(&rpc, rpc.details, "ref");
    rpc_fails(&rpc, "token.list", "{}", ERR_INTERNAL, NULL);
    cr_expect_str_neq(first, rpc_text(&rpc, rpc.details, "ref"));
}

Test(internal, other_errors_have_none)
{
    char text[4096];
    ssize_t n;

    rpc_fails(&rpc, "profile.get", "{\"id\": \"nobody\"}", ERR_NOT_FOUND, "id");
    cr_expect(rpc.details == NULL || value_find(rpc.details, "ref") == NULL);
    log_event(&lines, LOG_LEVEL_INFO, "mark", LOG_NO_FIELD);
    n = read(heard, text, sizeof text - 1);
    cr_assert_gt(n, 0);
    text[n] = '\0';
    cr_expect_null(strstr(text, "internal"), "%s", text);
}
