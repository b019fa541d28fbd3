/* TLS; the peer plays a script on a thread of its own, with certificates made for each test. */
#include "peer.h"

#include <criterion/criterion.h>
#include <openssl/ssl.h>

#include <arpa/inet.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static struct peer peer;
static struct jml_error error;
static char folder[40], ca_file[60];

static void
setup(void)
{
    char command[200];

    strcpy(folder, "/tmp/jml-secure-XXXXXX");
    cr_assert_not_null(mkdtemp(folder));
    snprintf(command, sizeof command, "%s/tests/certificates/make-certificates %s", JML_SOURCE,
             folder);
    cr_assert_eq(system(command), 0); /* NOLINT: a test's own words */
    snprintf(ca_file, sizeof ca_file, "%s/ca.pem", folder);
}

static void
teardown(void)
{
    char command[60];

    peer_stop(&peer);
    snprintf(command, sizeof command, "rm -r %s", folder);
    cr_expect_eq(system(command), 0); /* NOLINT */
}

TestSuite(secure, .init = setup, .fini = teardown, .timeout = 60);

static void
play(const struct step *script)
{
    peer_start_tls(&peer, folder, "right", TLS1_3_VERSION);
    peer_play(&peer, script);
}

static struct jml_options
good(void)
{
    struct jml_options options = peer_options(&peer);

    options.tls_ca_file = ca_file;
    return options;
}

static jml_client *
open_client(void)
{
    struct jml_options options = good();
    jml_client *client;

    cr_assert_eq(jml_client_open(&options, &client, &error), JML_OK, "%s", error.message);
    return client;
}

static jml_client *
start_client(void)
{
    struct jml_options options = good();
    jml_client *client;

    cr_assert_eq(jml_client_start(&options, &client, &error), JML_OK, "%s", error.message);
    return client;
}

static void
answers(jml_client *client, const char *wanted)
{
    struct jml_text text;
    jml_result *result;

    cr_assert_eq(jml_call(client, "system.ping", NULL, &result, &error), JML_OK, "%s",
                 error.message);
    cr_assert(jml_view_text(jml_result_root(result), &text));
    cr_expect(jml_text_is(text, wanted), "%.*s", (int)text.len, text.data);
    jml_result_free(result);
}

static void
expect_refused(const struct jml_options *options, const char *part, const char *field,
               const char *says)
{
    jml_client *client;

    cr_expect_eq(jml_client_open(options, &client, &error), JML_UNREACHABLE, "%s", says);
    cr_expect_not_null(strstr(error.message, part), "%s: %s", says, error.message);
    cr_expect_str_eq(error.field, field, "%s: %s", says, error.message);
}

/* ---- certificates ---- */

static const struct step one_answer[] = {{STEP_ACCEPT, 0, 0},    {STEP_SHAKE, 0, 0},
                                         {STEP_HELLO, 0, 0},     {STEP_ANSWER, "pong", 0},
                                         {STEP_UNTIL_END, 0, 0}, {STEP_END, 0, 0}};

static const struct {
    const char *says, *certificate, *ca, *server_name;
    int version;
} trusted[] = {
    {"the number of the address", "right", "ca", NULL, TLS1_3_VERSION},
    {"another of its names", "right", "ca", "jumelage.test", TLS1_3_VERSION},
    {"a name in other letters", "right", "ca", "Jumelage.TEST", TLS1_3_VERSION},
    {"TLS 1.2", "right", "ca", NULL, TLS1_2_VERSION},
    {"one that is its own authority", "self-signed", "self-signed", NULL, TLS1_3_VERSION},
};

Test(secure, a_certificate_that_holds_lets_calls_through)
{
    for (size_t i = 0; i < sizeof trusted / sizeof trusted[0]; i++) {
        struct jml_options options;
        jml_client *client;

        peer_start_tls(&peer, folder, trusted[i].certificate, trusted[i].version);
        snprintf(ca_file, sizeof ca_file, "%s/%s.pem", folder, trusted[i].ca);
        options = good();
        options.tls_server_name = trusted[i].server_name;
        peer_play(&peer, one_answer);
        cr_assert_eq(jml_client_open(&options, &client, &error), JML_OK, "%s: %s", trusted[i].says,
                     error.message);
        cr_expect_str_eq(jml_client_role(client), "officer");
        answers(client, "pong");
        jml_client_close(client);
        if (i + 1 < sizeof trusted / sizeof trusted[0])
            peer_stop(&peer);
    }
}

static const char other_name[] = "is for another name", issuer[] = "an issuer that is not trusted";
static const char name_field[] = "options.tls_server_name", ca_field[] = "options.tls_ca_file";

static const struct {
    const char *says, *certificate, *ca, *server_name;
    int version;
    const char *part, *field;
} refused[] = {
    {"another number", "other-name", "ca", NULL, TLS1_3_VERSION, other_name, name_field},
    {"another name", "right", "ca", "jumelage.example", TLS1_3_VERSION, other_name, name_field},
    {"a part of the name", "right", "ca", "test", TLS1_3_VERSION, other_name, name_field},
    {"a name in the subject", "common-name", "ca", "jumelage.test", TLS1_3_VERSION, other_name,
     name_field},
    {"another authority", "right", "other-ca", NULL, TLS1_3_VERSION, "", ca_field},
    {"none of the system's", "right", NULL, NULL, TLS1_3_VERSION, issuer, ca_field},
    {"the same in TLS 1.2", "right", NULL, NULL, TLS1_2_VERSION, issuer, ca_field},
    {"signed by itself", "self-signed", "ca", NULL, TLS1_3_VERSION, "signed by itself", ca_field},
    {"expired", "expired", "ca", NULL, TLS1_3_VERSION, "has expired", ""},
    {"too early", "early", "ca", NULL, TLS1_3_VERSION, "not valid yet", ""},
    {"an old TLS", "right", "ca", NULL, TLS1_1_VERSION, "from 1.2 on", ""},
};

Test(secure, what_is_wrong_with_a_certificate_is_told_before_anything_is_asked)
{
    static const struct step script[] = {
        {STEP_ACCEPT, 0, 0}, {STEP_SHAKE_FAILS, 0, 0}, {STEP_END, 0, 0}};

    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        struct jml_options options;

        peer_start_tls(&peer, folder, refused[i].certificate, refused[i].version);
        snprintf(ca_file, sizeof ca_file, "%s/%s.pem", folder, refused[i].ca);
        options = good();
        options.tls_server_name = refused[i].server_name;
        if (refused[i].ca == NULL)
            options.tls_ca_file = NULL;
        peer_play(&peer, script);
        expect_refused(&options, refused[i].part, refused[i].field, refused[i].says);
        if (i + 1 < sizeof refused / sizeof refused[0])
            peer_stop(&peer);
    }
}

/* ---- peers that are no service ---- */

Test(secure, a_peer_that_speaks_plain_text_is_told_as_such)
{
    static const struct step script[] = {{STEP_ACCEPT, 0, 0},
                                         {STEP_SEND, "\x93\x02\xacsystem.error\x91\x80", 17},
                                         {STEP_UNTIL_END, 0, 0},
                                         {STEP_END, 0, 0}};
    struct jml_options options;

    play(script);
    options = good();
    expect_refused(&options, "does not speak TLS", "options.address", "plain text");
}

Test(secure, a_peer_that_stalls_in_the_handshake_is_waited_for_no_longer_than_allowed)
{
    static const struct step script[] = {
        {STEP_ACCEPT, 0, 0}, {STEP_UNTIL_END, 0, 0}, {STEP_END, 0, 0}};
    struct jml_options options;

    play(script);
    options = good();
    options.connect_timeout_ms = 100;
    expect_refused(&options, "no TLS handshake within", "", "stalled");
}

Test(secure, a_service_that_secures_and_never_greets_is_a_timeout)
{
    static const struct step script[] = {
        {STEP_ACCEPT, 0, 0}, {STEP_SHAKE, 0, 0}, {STEP_UNTIL_END, 0, 0}, {STEP_END, 0, 0}};
    struct jml_options options;
    jml_client *client;

    play(script);
    options = good();
    options.connect_timeout_ms = 300;
    cr_expect_eq(jml_client_open(&options, &client, &error), JML_TIMEOUT, "%s", error.message);
}

/* ---- calls ---- */

Test(secure, an_answer_of_eight_mebibytes_arrives_whole)
{
    static const struct step script[] = {{STEP_ACCEPT, 0, 0},   {STEP_SHAKE, 0, 0},
                                         {STEP_HELLO, 0, 0},    {STEP_LONG, 0, 8 << 20},
                                         {STEP_ANSWER, "x", 0}, {STEP_END, 0, 0}};
    struct ending ending;
    jml_client *client;

    play(script);
    client = open_client();
    peer_ask(client, "long", NULL, &ending);
    cr_assert(pump(client, &ending.is_over));
    cr_expect_eq(ending.len, 8 << 20);
    answers(client, "x");
    jml_client_close(client);
}

Test(secure, new_keys_in_the_middle_change_nothing)
{
    static const struct step script[] = {
        {STEP_ACCEPT, 0, 0},     {STEP_SHAKE, 0, 0},      {STEP_HELLO, 0, 0},
        {STEP_KEY_UPDATE, 0, 0}, {STEP_ANSWER, "one", 0}, {STEP_KEY_UPDATE, 0, 0},
        {STEP_LONG, 0, 1 << 20}, {STEP_ANSWER, "x", 0},   {STEP_END, 0, 0}};
    struct ending ending;
    jml_client *client;

    play(script);
    client = open_client();
    answers(client, "one");
    peer_ask(client, "long", NULL, &ending);
    cr_assert(pump(client, &ending.is_over));
    cr_expect_eq(ending.len, 1 << 20);
    answers(client, "x");
    jml_client_close(client);
}

/* A socket that is full in the middle of a record, and calls given up behind it: those that have begun
 * to leave stay what they are, the others never leave. */
Test(secure, calls_that_are_cancelled_behind_a_full_socket_spoil_no_other)
{
    enum { N = 400 };
    static const struct step script[] = {
        {STEP_ACCEPT, 0, 0}, {STEP_SHAKE, 0, 0}, {STEP_HELLO, 0, 0}, {STEP_END, 0, 0}};
    static const struct step echo[] = {{STEP_ECHO, 0, 0}, {STEP_END, 0, 0}};
    static struct ending endings[N];
    static uint32_t ids[N];
    jml_params *params = jml_params_create(NULL);
    static char text[30000];
    jml_client *client;
    char method[32];

    memset(text, 'x', sizeof text);
    jml_params_add_text_n(params, "text", text, sizeof text);
    play(script);
    client = open_client();
    peer_join(&peer);
    for (int i = 0; i < N; i++) {
        snprintf(method, sizeof method, "call-%d", i);
        ids[i] = peer_ask(client, method, params, &endings[i]);
    }
    jml_client_process(client, POLLOUT);
    cr_expect_neq(jml_client_events(client) & POLLOUT, 0, "the socket took everything");
    for (int i = 0; i < N; i += 2)
        cr_expect(jml_client_cancel(client, ids[i]));
    peer_play(&peer, echo);
    for (int i = 1; i < N; i += 2) {
        cr_assert(pump(client, &endings[i].is_over), "%d", i);
        snprintf(method, sizeof method, "call-%d", i);
        cr_expect_str_eq(endings[i].text, method, "%s", endings[i].error.message);
        cr_expect_eq(endings[i - 1].n_told, 0);
    }
    jml_params_free(params);
    jml_client_close(client);
}

/* ---- a relay that moves bytes between the client and the peer as a test likes ---- */

struct relay {
    int listening, client, peer;
    char address[40];
};

static void
relay_start(struct relay *relay)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof at;

    relay->client = relay->peer = -1;
    relay->listening = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    cr_assert_eq(bind(relay->listening, (struct sockaddr *)&at, sizeof at), 0);
    cr_assert_eq(listen(relay->listening, 1), 0);
    cr_assert_eq(getsockname(relay->listening, (struct sockaddr *)&at, &len), 0);
    snprintf(relay->address, sizeof relay->address, "tls:127.0.0.1:%d", ntohs(at.sin_port));
}

/* The client's attempt to connect is under way. */
static void
relay_connect(struct relay *relay)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};

    at.sin_port = htons((uint16_t)atoi(strrchr(peer.address, ':') + 1)); /* NOLINT */
    relay->client = accept4(relay->listening, NULL, NULL, SOCK_CLOEXEC);
    relay->peer = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    cr_assert_eq(connect(relay->peer, (struct sockaddr *)&at, sizeof at), 0);
}

static void
relay_cut(struct relay *relay)
{
    close(relay->client);
    close(relay->peer);
    relay->client = relay->peer = -1;
}

/* One byte, if one is there. */
static bool
move_byte(int from, int to)
{
    char byte;

    return recv(from, &byte, 1, MSG_DONTWAIT) == 1 && send(to, &byte, 1, MSG_NOSIGNAL) == 1;
}

/* Moves up to n bytes from the peer to the client, each in a step of its own, until *flag (NULL: until
 * the connection has ended). Answers how many. */
static long
dribble(struct relay *relay, jml_client *client, long n, const bool *flag)
{
    long moved = 0;

    while (moved < n && (flag != NULL ? !*flag : jml_client_fd(client) >= 0)) {
        struct pollfd watched[] = {
            {.fd = relay->client, .events = POLLIN},
            {.fd = relay->peer, .events = POLLIN},
            {.fd = jml_client_fd(client), .events = (short)(jml_client_events(client) & POLLOUT)}};

        cr_assert_gt(poll(watched, 3, 10000), 0, "nothing moves");
        if (watched[2].revents & POLLOUT)
            jml_client_process(client, POLLOUT);
        while (move_byte(relay->client, relay->peer))
            ;
        if (move_byte(relay->peer, relay->client)) {
            struct pollfd arrival = {.fd = jml_client_fd(client), .events = POLLIN};

            moved++;
            cr_assert_eq(poll(&arrival, 1, 10000), 1);
            jml_client_process(client, POLLIN);
        }
    }
    return moved;
}

static jml_client *
start_behind(struct relay *relay, struct ending *ending)
{
    struct jml_options options = good();
    jml_client *client;

    options.address = relay->address;
    cr_assert_eq(jml_client_start(&options, &client, &error), JML_OK, "%s", error.message);
    peer_ask(client, "system.ping", NULL, ending);
    jml_client_process(client, 0);
    relay_connect(relay);
    return client;
}

Test(secure, bytes_that_come_one_at_a_time_are_enough)
{
    struct ending ending;
    struct relay relay;
    jml_client *client;
    long n;

    play(one_answer);
    relay_start(&relay);
    client = start_behind(&relay, &ending);
    n = dribble(&relay, client, 100000, &ending.is_over);
    cr_expect_gt(n, 500, "%ld bytes", n);
    cr_expect_str_eq(ending.text, "pong", "%s", ending.error.message);
    jml_client_close(client);
    relay_cut(&relay);
    close(relay.listening);
}

Test(secure, a_handshake_that_is_cut_anywhere_is_unreachable)
{
    static const struct step serve[] = {
        {STEP_ACCEPT, 0, 0}, {STEP_SHAKE_FAILS, 0, 0}, {STEP_END, 0, 0}};
    static const long cuts[] = {0, 1, 4, 5, 6, 100, 127, 128, 300, 600};
    struct ending ending;
    struct relay relay;

    peer_start_tls(&peer, folder, "right", TLS1_3_VERSION);
    relay_start(&relay);
    for (size_t i = 0; i < sizeof cuts / sizeof cuts[0]; i++) {
        jml_client *client;

        peer_play(&peer, serve);
        client = start_behind(&relay, &ending);
        cr_expect_eq(dribble(&relay, client, cuts[i], &ending.is_over), cuts[i]);
        relay_cut(&relay);
        cr_assert(pump(client, &ending.is_over));
        cr_expect_eq(ending.error.code, JML_UNREACHABLE, "%ld bytes: %s", cuts[i],
                     ending.error.message);
        cr_expect(strstr(ending.error.message, "broken off") != NULL ||
                      strstr(ending.error.message, "reset") != NULL,
                  "%ld bytes: %s", cuts[i], ending.error.message);
        jml_client_close(client);
        peer_join(&peer);
    }
    close(relay.listening);
}

/* ---- ends ---- */

Test(secure, an_end_with_a_goodbye_or_without_leaves_a_call_lost_and_the_next_connects_again)
{
    static const struct step script[] = {
        {STEP_ACCEPT, 0, 0}, {STEP_SHAKE, 0, 0},       {STEP_HELLO, 0, 0},  {STEP_READ, 0, 0},
        {STEP_CLOSE, 0, 0},  {STEP_ACCEPT, 0, 0},      {STEP_SHAKE, 0, 0},  {STEP_HELLO, 0, 0},
        {STEP_READ, 0, 0},   {STEP_GOODBYE, 0, 0},     {STEP_ACCEPT, 0, 0}, {STEP_SHAKE, 0, 0},
        {STEP_HELLO, 0, 0},  {STEP_ANSWER, "pong", 0}, {STEP_END, 0, 0}};
    struct ending ending;
    jml_client *client;

    play(script);
    client = start_client();
    for (int i = 0; i < 2; i++) {
        peer_ask(client, "profile.delete", NULL, &ending);
        cr_assert(pump(client, &ending.is_over));
        cr_expect_eq(ending.error.code, JML_LOST, "%s", ending.error.message);
        cr_expect_not_null(strstr(ending.error.message, "closed by"), "%s", ending.error.message);
    }
    peer_ask(client, "system.ping", NULL, &ending);
    cr_assert(pump(client, &ending.is_over));
    cr_expect_str_eq(ending.text, "pong", "%s", ending.error.message);
    jml_client_close(client);
}

/* The first write is answered with a reset; to the second the system says EPIPE, and would say SIGPIPE. */
Test(secure, writing_to_a_peer_that_has_gone_raises_no_signal)
{
    static const struct step script[] = {
        {STEP_ACCEPT, 0, 0}, {STEP_SHAKE, 0, 0}, {STEP_HELLO, 0, 0}, {STEP_END, 0, 0}};
    struct ending first, second;
    jml_client *client;

    signal(SIGPIPE, SIG_DFL);
    play(script);
    client = open_client();
    peer_join(&peer);
    peer_hang_up(&peer);
    peer_ask(client, "first", NULL, &first);
    jml_client_process(client, POLLOUT);
    cr_expect_not(first.is_over);
    peer_ask(client, "second", NULL, &second);
    jml_client_process(client, POLLOUT);
    cr_expect_eq(first.error.code, JML_LOST, "%s", first.error.message);
    cr_expect_eq(second.n_told, 1);
    jml_client_close(client);
}

Test(secure, a_client_says_goodbye)
{
    static const struct step script[] = {{STEP_ACCEPT, 0, 0},
                                         {STEP_SHAKE, 0, 0},
                                         {STEP_HELLO, 0, 0},
                                         {STEP_UNTIL_END, 0, 0},
                                         {STEP_END, 0, 0}};

    play(script);
    jml_client_close(open_client());
    peer_join(&peer);
    cr_expect_eq(SSL_get_shutdown(peer.ssl), SSL_RECEIVED_SHUTDOWN);
}

/* ---- options ---- */

Test(secure, options_of_tls_are_checked)
{
    struct jml_options options = JML_OPTIONS_INIT;
    char name[300];
    jml_client *client;

    peer_start_tls(&peer, folder, "right", TLS1_3_VERSION);
    options.address = "tls:127.0.0.1:1";
    options.tls_ca_file = "/nonexistent/ca.pem";
    cr_expect_eq(jml_client_start(&options, &client, &error), JML_BAD_OPTION);
    cr_expect_str_eq(error.field, ca_field);
    cr_expect_not_null(strstr(error.message, "No such file"), "%s", error.message);
    snprintf(ca_file, sizeof ca_file, "%s/right.key", folder);
    options.tls_ca_file = ca_file;
    cr_expect_eq(jml_client_start(&options, &client, &error), JML_BAD_OPTION);
    cr_expect_not_null(strstr(error.message, "no certificate"), "%s", error.message);

    options.address = "tcp:127.0.0.1:1";
    cr_expect_eq(jml_client_start(&options, &client, &error), JML_BAD_OPTION);
    cr_expect_not_null(strstr(error.message, "does not ask for"), "%s", error.message);
    options.tls_ca_file = NULL;
    options.tls_server_name = "jumelage.test";
    cr_expect_eq(jml_client_start(&options, &client, &error), JML_BAD_OPTION);
    cr_expect_str_eq(error.field, name_field);

    options.address = "tls:127.0.0.1:1";
    options.tls_server_name = "two words";
    cr_expect_eq(jml_client_start(&options, &client, &error), JML_BAD_OPTION);
    memset(name, 'n', sizeof name);
    name[255] = '\0';
    options.tls_server_name = name;
    cr_expect_eq(jml_client_start(&options, &client, &error), JML_BAD_OPTION);
    name[254] = '\0';
    cr_assert_eq(jml_client_start(&options, &client, &error), JML_OK, "%s", error.message);
    jml_client_close(client);
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
    return scarce->left-- == 0 ? NULL : realloc(old, size);
}

/* A connection with one call, in which the n-th of the client's allocations fails; true if none did. */
static bool
survives(long n)
{
    static const struct step script[] = {{STEP_ACCEPT, 0, 0},
                                         {STEP_SHAKE, 0, 0},
                                         {STEP_HELLO, 0, 0},
                                         {STEP_LONG, 0, 100000},
                                         {STEP_END, 0, 0}};
    struct scarce scarce = {.left = n};
    struct jml_options options = good();
    struct ending ending;
    jml_client *client;

    options.allocator = (struct jml_allocator){resize_scarcely, &scarce};
    if (jml_client_start(&options, &client, NULL) != JML_OK)
        return false;
    memset(&ending, 0, sizeof ending);
    if (jml_client_send(client, "long", NULL, ending_note, &ending, NULL, NULL) == JML_OK) {
        peer_play(&peer, script);
        cr_assert(pump(client, &ending.is_over), "allocation %ld", n);
        cr_expect_eq(ending.n_told, 1);
        cr_expect(ending.len == 100000 ||
                      strstr(ending.error.message, "the allocator gave no memory") != NULL,
                  "allocation %ld: %s", n, ending.error.message);
    }
    jml_client_close(client);
    peer_join(&peer);
    peer_hang_up(&peer);
    return scarce.left >= 0;
}

Test(secure, whatever_allocation_fails_the_call_is_told_once)
{
    long n = 0;

    peer_start_tls(&peer, folder, "right", TLS1_3_VERSION);
    while (!survives(n))
        n++;
    cr_expect_gt(n, 8, "%ld allocations at the most", n);
    peer.failure = NULL; /* a client without memory hangs up */
}
