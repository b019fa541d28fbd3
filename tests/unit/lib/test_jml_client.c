/* The client driven by a loop; the peer is played step by step in the same thread. */
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
    peer_start(&peer);
}

static void
teardown(void)
{
    peer_stop(&peer);
}

TestSuite(jml_client, .init = setup, .fini = teardown);

Test(jml_client, answers_find_their_calls_in_any_order)
{
    jml_client *client = peer_open_client(&peer, NULL);
    struct ending endings[3];
    struct heard heard[3];

    for (int i = 0; i < 3; i++)
        peer_ask(client, "system.ping", NULL, &endings[i]);
    jml_client_process(client, POLLOUT);
    for (int i = 0; i < 3; i++)
        cr_assert(peer_read_call(&peer, &heard[i]));
    peer_answer(&peer, heard[2].id, "third");
    peer_answer(&peer, heard[0].id, "first");
    peer_answer(&peer, heard[1].id, "second");
    for (int i = 0; i < 3; i++)
        cr_assert(pump(client, &endings[i].is_over));
    cr_expect_str_eq(endings[0].text, "first");
    cr_expect_str_eq(endings[1].text, "second");
    cr_expect_str_eq(endings[2].text, "third");
    cr_expect_str_eq(jml_client_role(client), "officer");
    jml_client_close(client);
}

Test(jml_client, calls_before_the_connection_stands_wait_and_leave_in_order)
{
    struct jml_options options = peer_options(&peer);
    struct ending first, second;
    struct heard heard;
    jml_client *client;

    cr_assert_eq(jml_client_start(&options, &client, NULL), JML_OK);
    peer_ask(client, "first", NULL, &first);
    peer_ask(client, "second", NULL, &second);
    jml_client_process(client, 0);
    jml_client_process(client, POLLOUT);
    cr_assert(peer_accept(&peer) && peer_hello(&peer));
    cr_assert(pump(client, NULL));
    jml_client_process(client, POLLOUT);
    cr_assert(peer_read_call(&peer, &heard));
    cr_expect_str_eq(heard.method, "first");
    cr_assert(peer_read_call(&peer, &heard));
    cr_expect_str_eq(heard.method, "second");
    jml_client_close(client);
    cr_expect_eq(first.error.code, JML_CLOSED);
    cr_expect_eq(second.n_told, 1);
}

Test(jml_client, an_error_keeps_its_code_sentence_field_and_details)
{
    jml_client *client = peer_open_client(&peer, NULL);
    struct ending ending;
    struct heard heard;
    struct jml_bytes details;

    peer_ask(client, "profile.put", NULL, &ending);
    jml_client_process(client, POLLOUT);
    cr_assert(peer_read_call(&peer, &heard));
    peer_error(&peer, heard.id, JML_BUSY, "come again");
    cr_assert(pump(client, &ending.is_over));
    cr_expect_eq(ending.error.code, JML_BUSY);
    cr_expect_str_eq(ending.error.name, "scripted");
    cr_expect_str_eq(ending.error.message, "come again");
    cr_expect_str_eq(ending.error.field, "profile.name");
    cr_expect_eq(ending.error.retry_ms, 250);
    details = jml_client_details(client);
    cr_expect_eq(details.len, strlen("\x81\xa8retry_ms\xcc\xfa"));
    jml_client_close(client);
}

Test(jml_client, an_answer_of_one_byte_at_a_time_is_read)
{
    static const char answer[] = "\x94\x01\xce____\xc0\xa4pong";
    jml_client *client = peer_open_client(&peer, NULL);
    struct ending ending;
    struct heard heard;
    char bytes[sizeof answer];

    peer_ask(client, "system.ping", NULL, &ending);
    jml_client_process(client, POLLOUT);
    cr_assert(peer_read_call(&peer, &heard));
    memcpy(bytes, answer, sizeof answer);
    for (int i = 0; i < 4; i++)
        bytes[3 + i] = (char)(heard.id >> (24 - 8 * i));
    for (size_t i = 0; i < sizeof bytes - 1; i++) {
        cr_expect_not(ending.is_over);
        peer_send(&peer, bytes + i, 1);
        jml_client_process(client, POLLIN);
    }
    cr_expect_str_eq(ending.text, "pong");
    jml_client_close(client);
}

/* ---- what no service sends ---- */

static const struct {
    const char *says, *bytes;
    size_t n;
} garbage[] = {
    {"a byte that msgpack lacks", "\xc1", 1},
    {"a number", "\x07", 1},
    {"a request", "\x94\x00\x01\xa1x\x90", 6},
    {"an answer of three parts", "\x93\x01\x01\xc0", 4},
    {"an answer to nobody", "\x94\x01\xce\x7f\xff\xff\xff\xc0\xc0", 9},
    {"an answer whose id is text", "\x94\x01\xa1x\xc0\xc0", 6},
    {"a second greeting", "\x94\x01\x01\xc0\x80", 5},
    {"an announced array of four thousand million", "\xdd\xff\xff\xff\xff", 5},
    {"an announced text of four thousand million bytes", "\xdb\xff\xff\xff\xff", 5},
    {"a notification without parameters", "\x93\x02\xa1x\xc0", 5},
};

Test(jml_client, what_no_service_sends_ends_the_connection_and_is_told)
{
    for (size_t i = 0; i < sizeof garbage / sizeof garbage[0]; i++) {
        jml_client *client = peer_open_client(&peer, NULL);
        struct ending ending;
        struct heard heard;

        peer_ask(client, "system.ping", NULL, &ending);
        jml_client_process(client, POLLOUT);
        cr_assert(peer_read_call(&peer, &heard));
        peer_send(&peer, garbage[i].bytes, garbage[i].n);
        cr_assert(pump(client, &ending.is_over), "%s", garbage[i].says);
        cr_expect_eq(ending.error.code, JML_BAD_ANSWER, "%s", garbage[i].says);
        cr_expect_eq(jml_client_error(client)->code, JML_BAD_ANSWER, "%s", garbage[i].says);
        cr_expect_eq(jml_client_fd(client), -1);
        jml_client_close(client);
    }
}

Test(jml_client, two_answers_to_one_call_end_the_connection)
{
    jml_client *client = peer_open_client(&peer, NULL);
    struct ending ending, other;
    struct heard heard;

    peer_ask(client, "system.ping", NULL, &ending);
    peer_ask(client, "system.ping", NULL, &other);
    jml_client_process(client, POLLOUT);
    cr_assert(peer_read_call(&peer, &heard));
    peer_answer(&peer, heard.id, "once");
    peer_answer(&peer, heard.id, "twice");
    cr_assert(pump(client, &other.is_over));
    cr_expect_str_eq(ending.text, "once");
    cr_expect_eq(ending.n_told, 1);
    cr_expect_eq(other.error.code, JML_BAD_ANSWER);
    jml_client_close(client);
}

Test(jml_client, a_service_of_another_protocol_is_refused)
{
    static const char hello[] = "\x94\x01\x01\xc0\x81\xa8protocol\x02";
    struct jml_options options = peer_options(&peer);
    struct ending ending;
    struct heard heard;
    jml_client *client;

    cr_assert_eq(jml_client_start(&options, &client, NULL), JML_OK);
    peer_ask(client, "system.ping", NULL, &ending);
    jml_client_process(client, 0);
    jml_client_process(client, POLLOUT);
    cr_assert(peer_accept(&peer) && peer_read_call(&peer, &heard));
    peer_send(&peer, hello, sizeof hello - 1);
    cr_assert(pump(client, &ending.is_over));
    cr_expect_eq(ending.error.code, JML_BAD_ANSWER);
    cr_expect_not_null(strstr(ending.error.message, "version 2"));
    jml_client_close(client);
}

/* ---- notifications ---- */

struct told {
    bool is_told;
    char method[32];
    int64_t number;
};

static void
note_notification(void *context, struct jml_text method, const msgpack_object *params)
{
    struct told *told = context;

    told->is_told = true;
    snprintf(told->method, sizeof told->method, "%.*s", (int)method.len, method.data);
    jml_view_int(jml_view_at(params, 0), &told->number);
}

Test(jml_client, notifications_come_to_their_callback)
{
    static const char bytes[] = "\x93\x02\xadmatch.changed\x91\x07";
    jml_client *client = peer_open_client(&peer, NULL);
    struct told told = {0};

    jml_client_on_notification(client, note_notification, &told);
    peer_send(&peer, bytes, sizeof bytes - 1);
    cr_assert(pump(client, &told.is_told));
    cr_expect_str_eq(told.method, "match.changed");
    cr_expect_eq(told.number, 7);
    jml_client_close(client);
}

Test(jml_client, system_error_is_why_the_connection_ended)
{
    static const char bytes[] = "\x93\x02\xacsystem.error\x91\x83\xa4"
                                "code\x01\xa4name\xa9"
                                "bad_frame\xa7message\xa6"
                                "broken";
    jml_client *client = peer_open_client(&peer, NULL);
    struct ending ending;
    struct heard heard;

    peer_ask(client, "system.ping", NULL, &ending);
    jml_client_process(client, POLLOUT);
    cr_assert(peer_read_call(&peer, &heard));
    peer_send(&peer, bytes, sizeof bytes - 1);
    cr_assert(pump(client, &ending.is_over));
    cr_expect_eq(jml_client_error(client)->code, JML_BAD_FRAME);
    cr_expect_not_null(strstr(ending.error.message, "broken"), "%s", ending.error.message);
    jml_client_close(client);
}

/* ---- giving up ---- */

Test(jml_client, a_cancelled_call_that_has_not_left_never_leaves)
{
    jml_client *client = peer_open_client(&peer, NULL);
    struct ending first, second, third;
    struct heard heard;
    uint32_t id;

    peer_ask(client, "first", NULL, &first);
    id = peer_ask(client, "second", NULL, &second);
    peer_ask(client, "third", NULL, &third);
    cr_expect(jml_client_cancel(client, id));
    cr_expect_not(jml_client_cancel(client, id), "twice");
    jml_client_process(client, POLLOUT);
    cr_assert(peer_read_call(&peer, &heard));
    peer_answer(&peer, heard.id, "1");
    cr_assert(peer_read_call(&peer, &heard));
    cr_expect_str_eq(heard.method, "third");
    peer_answer(&peer, heard.id, "3");
    cr_assert(pump(client, &third.is_over));
    cr_expect_str_eq(first.text, "1");
    cr_expect_str_eq(third.text, "3");
    cr_expect_eq(second.n_told, 0);
    jml_client_close(client);
}

Test(jml_client, the_answer_to_a_cancelled_call_is_dropped_and_the_connection_goes_on)
{
    jml_client *client = peer_open_client(&peer, NULL);
    struct ending first, second;
    struct heard heard;
    uint32_t id = peer_ask(client, "first", NULL, &first);

    jml_client_process(client, POLLOUT);
    cr_assert(peer_read_call(&peer, &heard));
    cr_expect(jml_client_cancel(client, id));
    peer_ask(client, "second", NULL, &second);
    jml_client_process(client, POLLOUT);
    peer_answer(&peer, heard.id, "late");
    cr_assert(peer_read_call(&peer, &heard));
    peer_answer(&peer, heard.id, "well");
    cr_assert(pump(client, &second.is_over));
    cr_expect_eq(first.n_told, 0);
    cr_expect_str_eq(second.text, "well");
    jml_client_close(client);
}

Test(jml_client, a_call_that_is_not_answered_in_time_is_told_so_and_its_late_answer_dropped)
{
    struct jml_options options = peer_options(&peer);
    struct ending first, second;
    struct heard heard;
    jml_client *client;

    options.call_timeout_ms = 20;
    client = peer_open_client(&peer, &options);
    peer_ask(client, "first", NULL, &first);
    cr_assert(pump(client, &first.is_over));
    cr_expect_eq(first.error.code, JML_TIMEOUT);
    cr_expect_not_null(strstr(first.error.message, "was sent"), "%s", first.error.message);
    cr_assert(peer_read_call(&peer, &heard));
    peer_answer(&peer, heard.id, "late");
    jml_client_process(client, POLLIN);
    cr_expect(jml_client_is_open(client));
    peer_ask(client, "second", NULL, &second);
    jml_client_process(client, POLLOUT);
    cr_assert(peer_read_call(&peer, &heard));
    peer_answer(&peer, heard.id, "in time");
    cr_assert(pump(client, &second.is_over));
    cr_expect_eq(first.n_told, 1);
    jml_client_close(client);
}

Test(jml_client, more_calls_than_allowed_are_busy)
{
    struct jml_options options = peer_options(&peer);
    struct ending endings[3];
    struct jml_error error;
    jml_client *client;

    options.max_in_flight = 2;
    client = peer_open_client(&peer, &options);
    peer_ask(client, "a", NULL, &endings[0]);
    peer_ask(client, "b", NULL, &endings[1]);
    cr_expect_eq(jml_client_send(client, "c", NULL, ending_note, &endings[2], NULL, &error),
                 JML_BUSY);
    cr_expect_gt(error.retry_ms, 0);
    jml_client_close(client);
    cr_expect_eq(endings[0].n_told + endings[1].n_told, 2);
}

Test(jml_client, more_unsent_bytes_than_allowed_are_busy_and_one_too_large_never_fits)
{
    struct jml_options options = peer_options(&peer);
    jml_params *params = jml_params_create(NULL);
    struct ending ending;
    struct jml_error error;
    jml_client *client;
    char text[2000];

    memset(text, 'x', sizeof text);
    options.max_unsent_bytes = 1024;
    cr_assert_eq(jml_client_start(&options, &client, NULL), JML_OK);
    jml_params_add_text_n(params, "text", text, 600);
    cr_expect_eq(jml_client_send(client, "a", params, ending_note, &ending, NULL, &error), JML_OK);
    cr_expect_eq(jml_client_send(client, "b", params, ending_note, &ending, NULL, &error),
                 JML_BUSY);
    jml_params_add_text_n(params, "more", text, 2000);
    cr_expect_eq(jml_client_send(client, "c", params, ending_note, &ending, NULL, &error),
                 JML_TOO_LARGE);
    jml_params_free(params);
    jml_client_close(client);
}

/* ---- from inside callbacks ---- */

struct caller {
    jml_client *client;
    struct ending next;
    bool is_over;
    enum jml_code blocking, processing;
};

static void
send_again(void *context, jml_result *result, const struct jml_error *error)
{
    struct caller *caller = context;

    (void)error;
    jml_result_free(result);
    caller->blocking = jml_ping(caller->client, NULL);
    caller->processing = jml_client_process(caller->client, 0);
    peer_ask(caller->client, "again", NULL, &caller->next);
    caller->is_over = true;
}

Test(jml_client, a_callback_may_send_but_not_wait)
{
    struct caller caller = {.client = peer_open_client(&peer, NULL)};
    struct heard heard;

    jml_client_send(caller.client, "first", NULL, send_again, &caller, NULL, NULL);
    jml_client_process(caller.client, POLLOUT);
    cr_assert(peer_read_call(&peer, &heard));
    peer_answer(&peer, heard.id, "x");
    cr_assert(pump(caller.client, &caller.is_over));
    cr_expect_eq(caller.blocking, JML_MISUSE);
    cr_expect_eq(caller.processing, JML_MISUSE);
    jml_client_process(caller.client, POLLOUT);
    cr_assert(peer_read_call(&peer, &heard));
    cr_expect_str_eq(heard.method, "again");
    peer_answer(&peer, heard.id, "y");
    cr_assert(pump(caller.client, &caller.next.is_over));
    jml_client_close(caller.client);
}

static void
close_here(void *context, jml_result *result, const struct jml_error *error)
{
    struct caller *caller = context;

    (void)error;
    jml_result_free(result);
    jml_client_close(caller->client);
    caller->processing =
        jml_client_send(caller->client, "more", NULL, ending_note, &caller->next, NULL, NULL);
    caller->is_over = true;
}

Test(jml_client, a_callback_may_close_the_client_and_the_others_are_told)
{
    struct caller caller = {.client = peer_open_client(&peer, NULL)};
    struct ending other;
    struct heard heard;

    jml_client_send(caller.client, "first", NULL, close_here, &caller, NULL, NULL);
    peer_ask(caller.client, "other", NULL, &other);
    jml_client_process(caller.client, POLLOUT);
    cr_assert(peer_read_call(&peer, &heard));
    peer_answer(&peer, heard.id, "x");
    jml_client_process(caller.client, POLLIN);
    cr_expect(caller.is_over);
    cr_expect_eq(caller.processing, JML_CLOSED);
    cr_expect_eq(other.error.code, JML_CLOSED);
}

/* ---- a lost connection ---- */

Test(jml_client, calls_that_had_left_are_lost_and_the_next_connects_again)
{
    jml_client *client = peer_open_client(&peer, NULL);
    struct ending sent, unsent, next;
    struct heard heard;

    peer_ask(client, "sent", NULL, &sent);
    jml_client_process(client, POLLOUT);
    cr_assert(peer_read_call(&peer, &heard));
    peer_ask(client, "unsent", NULL, &unsent);
    peer_hang_up(&peer);
    jml_client_process(client, POLLIN);
    cr_expect_eq(sent.error.code, JML_LOST);
    cr_expect_eq(unsent.error.code, JML_UNREACHABLE, "%s", unsent.error.message);
    cr_expect_eq(jml_client_events(client), 0);

    peer_ask(client, "next", NULL, &next);
    cr_expect_geq(jml_client_timeout_ms(client), 0, "it waits for its turn to connect");
    while (jml_client_fd(client) < 0) {
        cr_assert_eq(poll(NULL, 0, jml_client_timeout_ms(client)), 0);
        jml_client_process(client, 0);
    }
    jml_client_process(client, POLLOUT);
    cr_assert(peer_accept(&peer) && peer_hello(&peer));
    cr_assert(pump(client, NULL));
    jml_client_process(client, POLLOUT);
    cr_assert(peer_read_call(&peer, &heard));
    cr_expect_str_eq(heard.method, "next");
    peer_answer(&peer, heard.id, "here");
    cr_assert(pump(client, &next.is_over));
    cr_expect_str_eq(next.text, "here");
    jml_client_close(client);
}

/* ---- memory ---- */

struct scarce {
    long left, used; /* allocations until one fails; bytes are not counted */
};

static void *
resize_scarcely(void *context, void *old, size_t size)
{
    struct scarce *scarce = context;

    if (size == 0) {
        free(old);
        return NULL;
    }
    scarce->used++;
    if (scarce->left-- == 0)
        return NULL;
    return realloc(old, size);
}

/* One connection with three calls, in which the n-th allocation fails; true if none did. Whatever fails,
 * each call is told once, nothing leaks (the sanitizer looks), nothing crashes. */
static bool
survives(long n)
{
    struct scarce scarce = {.left = n};
    struct jml_options options = peer_options(&peer);
    struct ending endings[3] = {{0}};
    struct heard heard;
    jml_client *client = NULL;
    int n_sent = 0, n_told = 0;

    options.allocator = (struct jml_allocator){resize_scarcely, &scarce};
    if (jml_client_start(&options, &client, NULL) != JML_OK)
        return false;
    for (int i = 0; i < 3; i++)
        n_sent += jml_client_send(client, "system.ping", NULL, ending_note, &endings[i], NULL,
                                  NULL) == JML_OK;
    jml_client_process(client, 0);
    jml_client_process(client, POLLOUT);
    if (jml_client_fd(client) >= 0 && peer_accept(&peer) && peer_hello(&peer)) {
        jml_client_process(client, POLLIN);
        jml_client_process(client, POLLOUT);
        if (jml_client_is_open(client))
            for (int i = 0; i < n_sent; i++)
                if (peer_read_call(&peer, &heard))
                    peer_answer(&peer, heard.id, "pong");
        jml_client_process(client, POLLIN);
    }
    jml_client_close(client);
    peer_hang_up(&peer);
    peer_send_away(&peer);
    for (int i = 0; i < 3; i++)
        n_told += endings[i].n_told;
    cr_expect_eq(n_told, n_sent, "allocation %ld failed: %d calls, %d endings", n, n_sent, n_told);
    return scarce.left >= 0;
}

Test(jml_client, whatever_allocation_fails_each_call_is_told_once)
{
    long n = 0;

    while (!survives(n))
        n++;
    cr_expect_gt(n, 8, "%ld allocations at the most", n);
    peer.failure = NULL; /* a client without memory hangs up */
}
