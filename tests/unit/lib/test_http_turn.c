/* The client over HTTP, driven by a loop; the peer is played step by step in the same thread. What can be
 * seen by blocking calls alone is in tests/conformance. */
#include "peer.h"

#include <criterion/criterion.h>

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct peer peer;

static void
setup(void)
{
    peer_start_http(&peer);
}

static void
teardown(void)
{
    peer_stop(&peer);
}

TestSuite(http_turn, .init = setup, .fini = teardown, .timeout = 60);

static jml_client *
open_client(void)
{
    struct jml_options options = peer_options(&peer);
    struct jml_error error;
    jml_client *client;

    cr_assert_eq(jml_client_start(&options, &client, &error), JML_OK, "%s", error.message);
    while (jml_client_events(client) != (POLLIN | POLLOUT)) { /* connects, then would greet */
        struct pollfd watched = {.fd = jml_client_fd(client), .events = jml_client_events(client)};

        cr_assert_geq(poll(&watched, 1, jml_client_timeout_ms(client)), 0);
        jml_client_process(client, watched.revents);
    }
    jml_client_process(client, POLLOUT);
    cr_assert(peer_accept(&peer) && peer_hello(&peer), "%s", peer.failure);
    cr_assert(pump(client, NULL), "it did not open");
    return client;
}

/* Drives the client until the peer has the next call. */
static void
expect_call(jml_client *client, const char *method, struct heard *heard, bool is_new)
{
    cr_assert(pump(client, NULL), "it did not open");
    jml_client_process(client, POLLOUT);
    cr_assert(!is_new || peer_accept(&peer), "%s", peer.failure);
    cr_assert(peer_read_call(&peer, heard), "%s", peer.failure);
    cr_expect_str_eq(heard->method, method);
}

Test(http_turn, the_next_call_leaves_when_the_one_before_is_answered)
{
    jml_client *client = open_client();
    struct ending one, two;
    struct heard heard;

    peer_ask(client, "one", NULL, &one);
    peer_ask(client, "two", NULL, &two);
    expect_call(client, "one", &heard, false);
    cr_expect_eq(jml_client_events(client), POLLIN, "nothing more is to be sent now");
    jml_client_process(client, POLLOUT);
    cr_expect_eq(peer.n_in, 0);
    peer_answer(&peer, heard.id, "1");
    cr_assert(pump(client, &one.is_over));
    cr_assert(peer_read_call(&peer, &heard), "it left in the same step: %s", peer.failure);
    peer_answer(&peer, heard.id, "2");
    cr_assert(pump(client, &two.is_over));
    cr_expect_str_eq(one.text, "1");
    cr_expect_str_eq(two.text, "2");
    jml_client_close(client);
}

Test(http_turn, a_call_cancelled_in_its_turn_ends_the_connection_and_the_next_goes_on_anew)
{
    jml_client *client = open_client();
    struct ending one, two, three;
    struct heard heard;
    uint32_t id = peer_ask(client, "one", NULL, &one), other;

    other = peer_ask(client, "two", NULL, &two);
    peer_ask(client, "three", NULL, &three);
    expect_call(client, "one", &heard, false);
    cr_expect(jml_client_cancel(client, other), "it waits, and is taken out of the queue");
    cr_expect(jml_client_cancel(client, id));
    cr_expect_not(jml_client_cancel(client, id));
    cr_expect_eq(jml_client_fd(client), -1);
    expect_call(client, "three", &heard, true); /* without a greeting */
    peer_answer(&peer, heard.id, "3");
    cr_assert(pump(client, &three.is_over));
    cr_expect_str_eq(three.text, "3");
    cr_expect_eq(one.n_told + two.n_told, 0);
    jml_client_close(client);
}

Test(http_turn, a_call_cancelled_when_half_of_it_has_left_leaves_nothing_of_itself_behind)
{
    enum { BYTES = 8 << 20 }; /* more than the buffers between the two take */
    jml_client *client = open_client();
    struct ending large, next;
    char *text = malloc(BYTES);
    jml_params *params = jml_params_create(NULL);
    struct heard heard;
    uint32_t id;

    cr_assert_not_null(text);
    memset(text, 'x', BYTES);
    large = (struct ending){0};
    jml_params_add_text_n(params, "text", text, BYTES);
    cr_assert_eq(jml_client_send(client, "large", params, ending_note, &large, &id, NULL), JML_OK);
    peer_ask(client, "next", NULL, &next);
    jml_client_process(client, POLLOUT);
    cr_expect_eq(jml_client_events(client), POLLIN | POLLOUT, "some of it is left");
    cr_expect(jml_client_cancel(client, id));
    expect_call(client, "next", &heard, true);
    peer_answer(&peer, heard.id, "here");
    cr_assert(pump(client, &next.is_over));
    cr_expect_str_eq(next.text, "here");
    cr_expect_eq(large.n_told, 0);
    jml_params_free(params);
    jml_client_close(client);
    free(text);
}

Test(http_turn, of_a_connection_that_ends_only_the_call_in_its_turn_is_lost)
{
    jml_client *client = open_client();
    struct ending sent, unsent;
    struct heard heard;

    peer_ask(client, "sent", NULL, &sent);
    peer_ask(client, "unsent", NULL, &unsent);
    expect_call(client, "sent", &heard, false);
    peer_hang_up(&peer);
    cr_assert(pump(client, &sent.is_over));
    cr_expect_eq(sent.error.code, JML_LOST, "%s", sent.error.message);
    cr_expect_eq(unsent.error.code, JML_UNREACHABLE, "%s", unsent.error.message);
    jml_client_close(client);
}

Test(http_turn, a_connection_that_ends_between_two_calls_is_nobodys_loss)
{
    jml_client *client = open_client();
    struct pollfd watched = {.fd = jml_client_fd(client), .events = POLLIN};
    struct ending next;
    struct heard heard;

    peer_hang_up(&peer);
    cr_assert_eq(poll(&watched, 1, 10000), 1);
    cr_expect_eq(jml_client_process(client, watched.revents), JML_OK);
    cr_expect_eq(jml_client_fd(client), -1);
    cr_expect_eq(jml_client_timeout_ms(client), -1, "nothing asks for another");
    cr_expect_str_eq(jml_client_role(client), "officer");
    peer_ask(client, "next", NULL, &next);
    expect_call(client, "next", &heard, true);
    peer_answer(&peer, heard.id, "here");
    cr_assert(pump(client, &next.is_over));
    cr_expect_str_eq(next.text, "here");
    jml_client_close(client);
}

Test(http_turn, a_refusal_that_comes_before_all_has_left_is_told)
{
    enum { BYTES = 8 << 20 };
    static const char refusal[] = "HTTP/1.1 413 Content Too Large\r\nContent-Type: text/plain\r\n"
                                  "Content-Length: 10\r\nConnection: close\r\n\r\ntoo large\n";
    jml_client *client = open_client();
    struct ending large = {0}, next;
    char *text = malloc(BYTES);
    jml_params *params = jml_params_create(NULL);
    struct heard heard;

    cr_assert_not_null(text);
    memset(text, 'x', BYTES);
    jml_params_add_text_n(params, "text", text, BYTES);
    cr_assert_eq(jml_client_send(client, "large", params, ending_note, &large, NULL, NULL), JML_OK);
    peer_ask(client, "next", NULL, &next);
    jml_client_process(client, POLLOUT);
    peer_send(&peer, refusal, sizeof refusal - 1);
    cr_assert(pump(client, &large.is_over));
    cr_expect_eq(large.error.code, JML_TOO_LARGE, "%s", large.error.message);
    cr_expect_str_eq(large.error.message, "too large");
    expect_call(client, "next", &heard, true);
    peer_answer(&peer, heard.id, "here");
    cr_assert(pump(client, &next.is_over));
    cr_expect_str_eq(next.text, "here");
    jml_params_free(params);
    jml_client_close(client);
    free(text);
}

/* ---- callbacks ---- */

struct caller {
    jml_client *client;
    struct ending next;
    bool is_over;
};

static void
close_here(void *context, jml_result *result, const struct jml_error *error)
{
    struct caller *caller = context;

    (void)error;
    jml_result_free(result);
    jml_client_close(caller->client);
    caller->is_over = true;
}

Test(http_turn, a_callback_may_close_the_client_behind_an_answer_and_behind_a_refusal)
{
    static const char refusal[] = "HTTP/1.1 503 x\r\nContent-Length: 0\r\n\r\n";

    for (int i = 0; i < 2; i++) {
        struct caller caller = {.client = open_client()};
        struct ending other;
        struct heard heard;

        jml_client_send(caller.client, "first", NULL, close_here, &caller, NULL, NULL);
        peer_ask(caller.client, "other", NULL, &other);
        expect_call(caller.client, "first", &heard, false);
        if (i == 0)
            peer_answer(&peer, heard.id, "x");
        else
            peer_send(&peer, refusal, sizeof refusal - 1);
        jml_client_process(caller.client, POLLIN);
        cr_expect(caller.is_over);
        cr_expect_eq(other.error.code, JML_CLOSED);
    }
}

/* ---- memory ---- */

struct scarce {
    long left; /* allocations until one fails */
};

static void *
resize_scarcely(void *context, void *old, size_t size)
{
    struct scarce *scarce = context;

    if (size == 0) {
        free(old);
        return NULL;
    }
    if (scarce->left-- == 0)
        return NULL;
    return realloc(old, size);
}

/* Two calls, of which one is refused by a status, and the n-th allocation fails; true if none did. */
static bool
survives(long n)
{
    static const char refusal[] = "HTTP/1.1 404 x\r\nContent-Length: 0\r\n\r\n";
    struct scarce scarce = {.left = n};
    struct jml_options options = peer_options(&peer);
    struct ending endings[2] = {{0}};
    struct heard heard;
    jml_client *client = NULL;
    int n_sent = 0;

    options.allocator = (struct jml_allocator){resize_scarcely, &scarce};
    if (jml_client_start(&options, &client, NULL) != JML_OK)
        return false;
    for (int i = 0; i < 2; i++)
        n_sent += jml_client_send(client, "system.ping", NULL, ending_note, &endings[i], NULL,
                                  NULL) == JML_OK;
    jml_client_process(client, 0);
    for (int i = 0; i < 2 && jml_client_fd(client) >= 0; i++) {
        struct pollfd watched = {.fd = jml_client_fd(client), .events = POLLOUT};

        poll(&watched, 1, 10000);
        jml_client_process(client, watched.revents); /* connects, greets */
    }
    if (jml_client_fd(client) >= 0 && peer_accept(&peer) && peer_hello(&peer))
        jml_client_process(client, POLLIN);
    for (int i = 0; i < n_sent && jml_client_is_open(client); i++)
        if (peer_read_call(&peer, &heard)) {
            if (i == 0)
                peer_answer(&peer, heard.id, "pong");
            else
                peer_send(&peer, refusal, sizeof refusal - 1);
            jml_client_process(client, POLLIN);
        }
    jml_client_close(client);
    peer_hang_up(&peer);
    peer_send_away(&peer);
    cr_expect_eq(endings[0].n_told + endings[1].n_told, n_sent, "allocation %ld failed", n);
    return scarce.left >= 0;
}

Test(http_turn, whatever_allocation_fails_each_call_is_told_once)
{
    long n = 0;

    while (!survives(n))
        n++;
    cr_expect_gt(n, 5, "%ld allocations at the most", n);
    peer.failure = NULL; /* a client without memory hangs up */
}
