/*
 * race_server: a whole service in one process, two event threads and four workers, asked by several
 * clients at once: pings, matches, writes, tokens that are shown and revoked, notifications, half-closes,
 * connections dropped in the middle, and at the end SIGTERM while all of them ask on.
 */
#include "address.h"
#include "file.h"
#include "json.h"
#include "server.h"
#include "small_store.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { CLIENTS = 6, ROUNDS = 40, BURST = 12, BYTES_MAX = 4 << 20 };

static char folder[] = "/tmp/jumelage-race-XXXXXX";
static struct address address;
static char token[128];
static atomic_int n_faults, n_done;
static atomic_bool is_ending;

struct client {
    int fd, index;
    unsigned random;
    struct buf out;
    struct buf in;
};

static void
fault(const char *what)
{
    if (atomic_load(&is_ending))
        return; /* refusals and ends belong to a drain */
    fprintf(stderr, "%s\n", what);
    n_faults++;
}

static unsigned
pick(struct client *client, unsigned n)
{
    client->random = client->random * 1103515245 + 12345;
    return (client->random >> 16) % n;
}

static bool
join(struct client *client)
{
    client->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    buf_clear(&client->in);
    buf_clear(&client->out);
    if (connect(client->fd, (const struct sockaddr *)&address.socket, address.length) == 0)
        return true;
    fault("no connection");
    close(client->fd);
    return false;
}

/* Puts one request, or a notification where msgid is negative, into what is to be sent. */
static void
request(struct client *client, int64_t msgid, const char *method, const char *json)
{
    struct arena *arena = arena_create(BYTES_MAX);
    const msgpack_object *params = NULL;

    if (json_decode(str_from(json), &value_limits_default, arena, &params, NULL) != ERR_OK)
        fault(json);
    pack_array(&client->out, msgid < 0 ? 3 : 4);
    pack_int(&client->out, msgid < 0 ? 2 : 0);
    if (msgid >= 0)
        pack_int(&client->out, msgid);
    pack_text(&client->out, method);
    pack_array(&client->out, 1);
    pack_value(&client->out, params);
    arena_destroy(arena);
}

static void
send_all(struct client *client, size_t n)
{
    for (size_t at = 0; at < n;) {
        ssize_t sent = send(client->fd, client->out.data + at, n - at, MSG_NOSIGNAL);

        if (sent <= 0) {
            fault("the service took no more");
            break;
        }
        at += (size_t)sent;
    }
    buf_clear(&client->out);
}

/* Whole frames of what came, counted off. */
static size_t
cut_frames(struct client *client)
{
    size_t n = 0, used = 0;

    for (;;) {
        msgpack_unpacked unpacked;
        size_t at = used;

        msgpack_unpacked_init(&unpacked);
        if (client->in.len == used ||
            msgpack_unpack_next(&unpacked, client->in.data, client->in.len, &at) !=
                MSGPACK_UNPACK_SUCCESS) {
            msgpack_unpacked_destroy(&unpacked);
            break;
        }
        msgpack_unpacked_destroy(&unpacked);
        used = at;
        n++;
    }
    if (used > 0)
        memmove(client->in.data, client->in.data + used, client->in.len - used);
    client->in.len -= used;
    return n;
}

static void
await(struct client *client, size_t n_answers)
{
    for (size_t n = 0; n < n_answers;) {
        char *room = buf_reserve(&client->in, 65536);
        ssize_t got = recv(client->fd, room, 65536, 0);

        if (got <= 0) {
            fault("the end came before the answers");
            return;
        }
        client->in.len += (size_t)got;
        n += cut_frames(client);
    }
}

static void
put_burst(struct client *client)
{
    char json[512];

    for (int i = 0; i < BURST; i++)
        switch (pick(client, 6)) {
        case 0:
            request(client, i, "match.top",
                    "{\"programme\": \"" SMALL_STORE_PROGRAMME
                    "\", \"pairing\": \"" SMALL_STORE_PAIRING "\", \"id\": \"" SMALL_STORE_STARTUP
                    "\", \"k\": 3, \"explain\": true}");
            break;
        case 1:
            snprintf(
                json, sizeof json,
                "{\"profile\": {\"id\": \"race-%d\", \"kind\": \"startup\", \"name\": \"R%u\", "
                "\"metro\": \"paris\"}}",
                client->index, pick(client, 1000));
            request(client, i, "profile.put", json);
            break;
        case 2:
            request(client, i, "profile.list", "{\"limit\": 5}");
            break;
        case 3:
            request(client, i, "system.stats", "{}");
            break;
        default:
            request(client, i, "system.ping", "{}");
            break;
        }
    request(client, -1, "profile.patch",
            "{\"id\": \"" SMALL_STORE_STARTUP "\", \"changes\": {\"team\": 7}}");
}

static void
one_round(struct client *client, int round)
{
    if (!join(client))
        return;
    put_burst(client);
    switch (round % 4) {
    case 0: /* all is answered */
        send_all(client, client->out.len);
        await(client, BURST);
        break;
    case 1: /* half-closed, answered all the same, then the end */
        send_all(client, client->out.len);
        shutdown(client->fd, SHUT_WR);
        await(client, BURST);
        break;
    case 2: /* gone in the middle of a frame, work begun */
        send_all(client, client->out.len - 5);
        break;
    case 3: /* another identity, while jobs of the one before go on */
        send_all(client, client->out.len);
        buf_clear(&client->out);
        request(client, 99, "system.hello", token);
        request(client, 100, "profile.get", "{\"id\": \"" SMALL_STORE_STARTUP "\"}");
        request(client, 101, "token.create", "{\"role\": \"reader\", \"name\": \"race\"}");
        send_all(client, client->out.len);
        await(client, BURST + 3);
        break;
    }
    close(client->fd);
}

static void *
ask(void *context)
{
    struct client *client = context;

    buf_init(&client->out, BYTES_MAX);
    buf_init(&client->in, BYTES_MAX);
    for (int round = 0; !atomic_load(&is_ending); round++) {
        one_round(client, round + client->index);
        if (round == ROUNDS)
            atomic_fetch_add(&n_done, 1);
        if (round >= ROUNDS && atomic_load(&n_done) == CLIENTS)
            break;
    }
    buf_fini(&client->out);
    buf_fini(&client->in);
    return NULL;
}

static void *
play(void *unused)
{
    struct client clients[CLIENTS] = {{0}};
    pthread_t threads[CLIENTS];

    (void)unused;
    for (int i = 0; i < CLIENTS; i++) {
        clients[i].index = i;
        clients[i].random = (unsigned)i;
        if (pthread_create(&threads[i], NULL, ask, &clients[i]) != 0)
            abort();
    }
    while (atomic_load(&n_done) < CLIENTS)
        sched_yield();
    atomic_store(&is_ending, true);
    kill(getpid(), SIGTERM);
    for (int i = 0; i < CLIENTS; i++)
        pthread_join(threads[i], NULL);
    return NULL;
}

/* A store with a token in it, as the service will find it. */
static bool
prepare(struct err *err)
{
    struct engine_options options = {.data_dir = folder, .share_dir = JML_DATA};
    const struct caller admin = {.role = ROLE_ADMIN, .name = STR_LIT("race")};
    struct arena *arena = arena_create(BYTES_MAX);
    const msgpack_object *params, *answer;
    struct engine *engine;
    struct str text;
    struct call call;

    if (engine_open(&options, &engine, err) != ERR_OK)
        return false;
    small_store_fill(engine, JML_DATA);
    call_init(&call, engine, &admin, arena, 0);
    if (json_decode(STR_LIT("{\"role\": \"officer\", \"name\": \"race\"}"), &value_limits_default,
                    arena, &params, err) == ERR_OK &&
        call_open(&call, STR_LIT("token.create"), params, err) == ERR_OK &&
        call_run(&call, err) == ERR_OK &&
        value_decode(call.answer.data, call.answer.len, &value_limits_default, arena, &answer,
                     err) == ERR_OK &&
        value_str(value_find(answer, "token"), &text))
        snprintf(token, sizeof token, "{\"token\": \"%.*s\"}", STR_ARG(text));
    call_fini(&call);
    arena_destroy(arena);
    engine_close(engine);
    return token[0] != '\0';
}

int
main(void)
{
    char listen_at[64];
    struct config config;
    struct err err = {0};
    struct server *server;
    struct log log;
    pthread_t player;

    small_store_folder(folder);
    setenv("JUMELAGE_SHARE", JML_DATA, 1);
    config_presets(&config);
    snprintf(listen_at, sizeof listen_at, "unix:%s/socket", folder);
    config.data_dir = folder;
    config.listen[config.n_listen++] = listen_at;
    config.threads = 2;
    config.workers = 4;
    config.drain_s = 3600; /* all end by themselves; waiting for this long is a fault */
    log_init(&log, STDERR_FILENO, LOG_LEVEL_ERROR, clock_system());
    if (address_parse(str_from(listen_at), &address, &err) != ERR_OK || !prepare(&err) ||
        server_open(&config, &log, &server, &err) != ERR_OK) {
        fprintf(stderr, "%s\n", err.message);
        return 1;
    }
    if (pthread_create(&player, NULL, play, NULL) != 0)
        return 1;
    server_run(server);
    server_close(server);
    pthread_join(player, NULL);
    small_store_remove(folder);
    return n_faults == 0 ? 0 : 1;
}
