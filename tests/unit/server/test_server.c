#include "address.h"
#include "alloc.h"
#include "server.h"
#include "small_store.h"

#include <criterion/criterion.h>

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static char folder[64], store[96], listen_at[96];
static struct config config;
static struct server *server;
static struct log log_;
static pthread_t runner;

static void
setup(void)
{
    snprintf(folder, sizeof folder, "/tmp/jumelage-server-XXXXXX");
    small_store_folder(folder);
    snprintf(store, sizeof store, "%s/store", folder);
    snprintf(listen_at, sizeof listen_at, "unix:%s/socket", folder);
    setenv("JUMELAGE_SHARE", JML_DATA, 1);
    config_presets(&config);
    config.data_dir = store;
    config.listen[config.n_listen++] = listen_at;
    config.threads = 2;
    config.workers = 2;
    config.drain_s = 3600; /* nobody waits for this long */
    log_init(&log_, STDERR_FILENO, LOG_LEVEL_ERROR, clock_system());
}

static void
teardown(void)
{
    small_store_remove(folder);
}

TestSuite(server, .init = setup, .fini = teardown, .timeout = 60);

/* As the program does. */
static void *
run(void *unused)
{
    server_run(server);
    server_close(server);
    return unused;
}

static void
start(void)
{
    struct err err = {0};

    cr_assert_eq(server_open(&config, &log_, &server, &err), ERR_OK, "%s", err.message);
    cr_assert_eq(pthread_create(&runner, NULL, run, NULL), 0);
}

static int
join(void)
{
    struct address address;
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);

    cr_assert_eq(address_parse(str_from(listen_at), &address, NULL), ERR_OK);
    cr_assert_eq(connect(fd, (const struct sockaddr *)&address.socket, address.length), 0);
    return fd;
}

static void
ping(int fd)
{
    static const char asked[] = "\x94\x00\x07\xabsystem.ping\x90";
    static const char wanted[] = "\x94\x01\x07\xc0\xa4pong";
    char got[sizeof wanted];

    cr_assert_eq(write(fd, asked, sizeof asked - 1), sizeof asked - 1);
    cr_assert_eq(recv(fd, got, sizeof wanted - 1, MSG_WAITALL), sizeof wanted - 1);
    cr_expect_eq(memcmp(got, wanted, sizeof wanted - 1), 0);
}

static bool
is_at_its_end(int fd)
{
    char byte;

    return recv(fd, &byte, 1, 0) == 0;
}

/*
 * The last connection ended by its peer's own close, between two ticks: nothing came and looked whether
 * the service was to end, and it waited for drain_s.
 */
Test(server, a_drain_ends_with_the_last_connection_even_if_the_peer_closes_it)
{
    int first, second;

    start();
    first = join(); /* one on each loop */
    second = join();
    ping(first);
    ping(second);
    kill(getpid(), SIGTERM);
    cr_expect(is_at_its_end(first));
    cr_expect(is_at_its_end(second));
    close(first);
    close(second);
    pthread_join(runner, NULL);
}

static void
fill_store(void)
{
    struct engine_options options = {.data_dir = store, .share_dir = JML_DATA};
    struct engine *engine;
    struct err err = {0};

    cr_assert_eq(engine_open(&options, &engine, &err), ERR_OK, "%s", err.message);
    small_store_fill(engine, JML_DATA);
    engine_close(engine);
}

/* Reads to the end; how many whole frames came. */
static size_t
count_to_the_end(int fd)
{
    msgpack_unpacker unpacker;
    msgpack_unpacked frame;
    size_t n = 0;
    ssize_t got;

    msgpack_unpacker_init(&unpacker, 65536);
    msgpack_unpacked_init(&frame);
    do {
        msgpack_unpacker_reserve_buffer(&unpacker, 65536);
        got = recv(fd, msgpack_unpacker_buffer(&unpacker), 65536, 0);
        if (got > 0)
            msgpack_unpacker_buffer_consumed(&unpacker, (size_t)got);
        while (msgpack_unpacker_next(&unpacker, &frame) == MSGPACK_UNPACK_SUCCESS)
            n++;
    } while (got > 0);
    msgpack_unpacked_destroy(&frame);
    msgpack_unpacker_destroy(&unpacker);
    return n;
}

/* The main loop had nobody left and ended, and with it the whole service, while the other still owed
 * answers. */
Test(server, a_drain_answers_what_was_begun_on_every_loop)
{
    enum { ASKED = 200 };
    struct buf asked;
    int first, second;
    char byte;

    fill_store();
    config.workers = 1;
    start();
    first = join(); /* on the main loop */
    ping(first);
    close(first);
    second = join(); /* on the other */
    ping(second);
    buf_init(&asked, 1 << 20);
    for (int i = 0; i < ASKED; i++) {
        pack_array(&asked, 4);
        pack_int(&asked, 0);
        pack_int(&asked, i);
        pack_text(&asked, "match.top");
        pack_array(&asked, 1);
        pack_map(&asked, 4);
        pack_key_text(&asked, "programme", SMALL_STORE_PROGRAMME);
        pack_key_text(&asked, "pairing", SMALL_STORE_PAIRING);
        pack_key_text(&asked, "id", SMALL_STORE_STARTUP);
        pack_key_bool(&asked, "explain", true);
    }
    cr_assert_eq(write(second, asked.data, asked.len), (ssize_t)asked.len);
    buf_fini(&asked);
    cr_assert_eq(recv(second, &byte, 1, MSG_PEEK),
                 1); /* all were read, and the first is answered */
    kill(getpid(), SIGTERM);
    cr_expect_eq(count_to_the_end(second), ASKED);
    close(second);
    pthread_join(runner, NULL);
}

/* An answer for whose first byte there was no memory was lost, and its asker waited for it. */
Test(server, without_memory_a_connection_ends_and_nobody_waits)
{
    static const char asked[] = "\x94\x00\x07\xabsystem.ping\x90";
    bool happened = true;

    config.threads = 1;
    for (long n = 1; happened; n++) {
        char got[4096];
        int fd;

        start();
        mem_fail_from(n);
        fd = join();
        /* that it has ended may be known already */
        cr_assert(send(fd, asked, sizeof asked - 1, MSG_NOSIGNAL) > 0 || errno == EPIPE);
        while (recv(fd, got, sizeof got, 0) > 0 && memcmp(got, "\x94\x01\x07\xc0\xa4pong", 9) != 0)
            continue;
        happened = mem_fail_happened();
        kill(getpid(), SIGTERM);
        close(fd);
        pthread_join(runner, NULL);
    }
}

Test(server, a_drain_without_connections_ends_at_once)
{
    start();
    close(join());
    kill(getpid(), SIGTERM);
    pthread_join(runner, NULL);
}

Test(server, leaves_no_socket_behind)
{
    start();
    kill(getpid(), SIGTERM);
    pthread_join(runner, NULL);
    cr_expect_neq(access(listen_at + strlen("unix:"), F_OK), 0);
}

/* ---- what is not begun ---- */

static void
expect_refusal(enum err_code code, const char *sentence)
{
    struct err err = {0};

    cr_assert_eq(server_open(&config, &log_, &server, &err), code, "%s", err.message);
    cr_expect_not_null(strstr(err.message, sentence), "%s", err.message);
}

Test(server, does_not_listen_in_public_unencrypted_unless_told)
{
    config.listen[0] = "tcp:0.0.0.0:0";
    expect_refusal(ERR_FORBIDDEN, "--allow-plain-public");
    config.allows_plain_public = true;
    start();
    kill(getpid(), SIGTERM);
    pthread_join(runner, NULL);
}

Test(server, refuses_an_address_that_is_none)
{
    config.listen[0] = "tcp:nowhere";
    expect_refusal(ERR_INVALID_PARAMS, "needs a host and a port");
}

Test(server, refuses_a_group_that_is_not_there)
{
    config.admin_group = "no-such-group-here";
    expect_refusal(ERR_INVALID_PARAMS, "no-such-group-here");
}

Test(server, refuses_a_socket_that_another_serves_and_lets_the_store_go)
{
    struct address address;
    int fd;

    cr_assert_eq(address_parse(str_from(listen_at), &address, NULL), ERR_OK);
    cr_assert_eq(address_listen(&address, 1, &fd, NULL), ERR_OK);
    expect_refusal(ERR_CONFLICT, "another program serves");
    close(fd);
    start();
    kill(getpid(), SIGTERM);
    pthread_join(runner, NULL);
}
