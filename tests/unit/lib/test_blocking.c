/* Blocking calls; the peer plays a script on a thread of its own. */
#include "peer.h"

#include <criterion/criterion.h>

#include <poll.h>
#include <string.h>

static struct peer peer;
static struct jml_error error;

static void
setup(void)
{
    peer_start(&peer);
}

static void
teardown(void)
{
    peer_stop(&peer);
}

TestSuite(blocking, .init = setup, .fini = teardown);

static jml_client *
open_client(void)
{
    struct jml_options options = peer_options(&peer);
    jml_client *client;

    cr_assert_eq(jml_client_open(&options, &client, &error), JML_OK, "%s", error.message);
    return client;
}

static void
answers(jml_client *client, const char *method, const char *wanted)
{
    struct jml_text text;
    jml_result *result;

    cr_assert_eq(jml_call(client, method, NULL, &result, &error), JML_OK, "%s", error.message);
    cr_assert(jml_view_text(jml_result_root(result), &text));
    cr_expect(jml_text_is(text, wanted));
    jml_result_free(result);
}

Test(blocking, a_call_waits_for_its_answer)
{
    static const struct step script[] = {
        {STEP_ACCEPT, 0, 0}, {STEP_HELLO, 0, 0}, {STEP_ANSWER, "pong", 0}, {STEP_END, 0, 0}};
    jml_client *client;

    peer_play(&peer, script);
    client = open_client();
    answers(client, "system.ping", "pong");
    jml_client_close(client);
}

Test(blocking, an_error_of_the_service_is_told)
{
    static const struct step script[] = {{STEP_ACCEPT, 0, 0},
                                         {STEP_HELLO, 0, 0},
                                         {STEP_ERROR, "there is no such thing", JML_NOT_FOUND},
                                         {STEP_ANSWER, "pong", 0},
                                         {STEP_END, 0, 0}};
    jml_client *client;
    jml_result *result = NULL;

    peer_play(&peer, script);
    client = open_client();
    cr_expect_eq(jml_profile_get(client, "nobody", 0, &result, &error), JML_NOT_FOUND);
    cr_expect_str_eq(error.message, "there is no such thing");
    cr_expect_null(result, "outputs are written on success only");
    answers(client, "system.ping", "pong");
    jml_client_close(client);
}

Test(blocking, a_greeting_that_is_refused_is_why_nothing_opens)
{
    static const struct step script[] = {
        {STEP_ACCEPT, 0, 0},
        {STEP_ERROR, "the token does not hold", JML_UNAUTHENTICATED},
        {STEP_END, 0, 0}};
    struct jml_options options = peer_options(&peer);
    jml_client *client = NULL;

    peer_play(&peer, script);
    cr_expect_eq(jml_client_open(&options, &client, &error), JML_UNAUTHENTICATED);
    cr_expect_str_eq(error.message, "the token does not hold");
    cr_expect_null(client);
}

Test(blocking, nobody_listens)
{
    struct jml_options options = peer_options(&peer);
    jml_client *client = NULL;

    options.address = "unix:/nonexistent/socket";
    cr_expect_eq(jml_client_open(&options, &client, &error), JML_UNREACHABLE);
    cr_expect_not_null(strstr(error.message, "/nonexistent/socket"), "%s", error.message);
}

Test(blocking, a_service_that_never_greets_is_given_up)
{
    struct jml_options options = peer_options(&peer);
    jml_client *client = NULL;

    options.connect_timeout_ms = 30; /* it connects: the system accepts for the peer */
    cr_expect_eq(jml_client_open(&options, &client, &error), JML_TIMEOUT, "%s", error.message);
}

Test(blocking, a_read_that_was_lost_is_asked_once_more)
{
    static const struct step script[] = {
        {STEP_ACCEPT, 0, 0}, {STEP_HELLO, 0, 0}, {STEP_READ, 0, 0},          {STEP_CLOSE, 0, 0},
        {STEP_ACCEPT, 0, 0}, {STEP_HELLO, 0, 0}, {STEP_ANSWER, "second", 0}, {STEP_END, 0, 0}};
    jml_client *client;

    peer_play(&peer, script);
    client = open_client();
    answers(client, "profile.list", "second");
    jml_client_close(client);
}

Test(blocking, a_write_that_was_lost_is_not_repeated)
{
    static const struct step script[] = {
        {STEP_ACCEPT, 0, 0}, {STEP_HELLO, 0, 0}, {STEP_READ, 0, 0},        {STEP_CLOSE, 0, 0},
        {STEP_ACCEPT, 0, 0}, {STEP_HELLO, 0, 0}, {STEP_ANSWER, "next", 0}, {STEP_END, 0, 0}};
    jml_client *client;
    struct jml_bytes profile = {"\x80", 1};

    peer_play(&peer, script);
    client = open_client();
    cr_expect_eq(jml_profile_put(client, profile, JML_ANY_VERSION, NULL, &error), JML_LOST);
    cr_expect_not_null(strstr(error.message, "unknown"), "%s", error.message);
    answers(client, "system.ping", "next");
    jml_client_close(client);
}

/* What is closed while nobody looks is found out before the write is trusted to it. */
Test(blocking, a_write_after_the_service_was_restarted_goes_to_the_new_connection)
{
    static const struct step script[] = {
        {STEP_ACCEPT, 0, 0}, {STEP_HELLO, 0, 0}, {STEP_ANSWER, "before", 0}, {STEP_CLOSE, 0, 0},
        {STEP_ACCEPT, 0, 0}, {STEP_HELLO, 0, 0}, {STEP_ANSWER, "after", 0},  {STEP_END, 0, 0}};
    struct pollfd watched = {.events = POLLIN};
    jml_client *client;

    peer_play(&peer, script);
    client = open_client();
    answers(client, "token.create", "before");
    watched.fd = jml_client_fd(client);
    cr_assert_eq(poll(&watched, 1, 10000), 1, "the end does not come through");
    answers(client, "token.create", "after");
    jml_client_close(client);
}

Test(blocking, a_call_has_its_time)
{
    static const struct step script[] = {
        {STEP_ACCEPT, 0, 0}, {STEP_HELLO, 0, 0}, {STEP_READ, 0, 0}, {STEP_END, 0, 0}};
    struct jml_options options = peer_options(&peer);
    jml_client *client;

    options.call_timeout_ms = 30;
    peer_play(&peer, script);
    cr_assert_eq(jml_client_open(&options, &client, &error), JML_OK);
    cr_expect_eq(jml_ping(client, &error), JML_TIMEOUT);
    jml_client_close(client);
}

Test(blocking, a_needed_text_that_is_missing_is_told_without_asking)
{
    static const struct step script[] = {{STEP_ACCEPT, 0, 0}, {STEP_HELLO, 0, 0}, {STEP_END, 0, 0}};
    struct jml_match_query query = JML_MATCH_QUERY_INIT;
    struct jml_match_list list;
    jml_result *result;
    jml_client *client;

    peer_play(&peer, script);
    client = open_client();
    cr_expect_eq(jml_match_top(client, &query, &list, &result, &error), JML_BAD_OPTION);
    cr_expect_str_eq(error.field, "query.programme");
    cr_expect_eq(jml_profile_get(client, NULL, 0, &result, &error), JML_BAD_OPTION);
    cr_expect_str_eq(error.field, "id");
    query.size = 4;
    cr_expect_eq(jml_match_top(client, &query, &list, &result, &error), JML_BAD_OPTION);
    cr_expect_eq(jml_call(client, "", NULL, &result, &error), JML_BAD_OPTION);
    jml_client_close(client);
}
