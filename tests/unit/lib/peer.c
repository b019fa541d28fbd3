#include "peer.h"

#include "frame.h"

#include <criterion/criterion.h>
#include <msgpack.h>
#include <openssl/ssl.h>

#include <arpa/inet.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

enum { PATIENCE_MS = 10000 };

static int64_t
now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static bool
fails(struct peer *peer, const char *what)
{
    if (peer->failure == NULL)
        peer->failure = what;
    return false;
}

static bool
waits(struct peer *peer, int fd, short events)
{
    struct pollfd watched = {.fd = fd, .events = events};

    return poll(&watched, 1, PATIENCE_MS) == 1 || fails(peer, "nothing came");
}

/* ---- life ---- */

void
peer_start(struct peer *peer)
{
    struct sockaddr_un name = {.sun_family = AF_UNIX};

    memset(peer, 0, sizeof *peer);
    peer->fd = -1;
    strcpy(peer->dir, "/tmp/jml-peer-XXXXXX");
    cr_assert_not_null(mkdtemp(peer->dir));
    snprintf(peer->address, sizeof peer->address, "unix:%s/s", peer->dir);
    strcpy(name.sun_path, peer->address + strlen("unix:"));
    peer->listening = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    cr_assert_eq(bind(peer->listening, (struct sockaddr *)&name, sizeof name), 0);
    cr_assert_eq(listen(peer->listening, 16), 0);
}

static void
configure(SSL_CTX *context, const char *folder, const char *name, int version)
{
    char path[200];

    SSL_CTX_set_security_level(context, 0); /* so that old versions can be tried */
    SSL_CTX_set_max_proto_version(context, version);
    snprintf(path, sizeof path, "%s/%s.pem", folder, name);
    cr_assert_eq(SSL_CTX_use_certificate_chain_file(context, path), 1, "%s", path);
    snprintf(path, sizeof path, "%s/%s.key", folder, name);
    cr_assert_eq(SSL_CTX_use_PrivateKey_file(context, path, SSL_FILETYPE_PEM), 1, "%s", path);
}

static void
listen_at_tcp(struct peer *peer, const char *scheme)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof at;

    peer->fd = -1;
    peer->listening = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    cr_assert_eq(bind(peer->listening, (struct sockaddr *)&at, sizeof at), 0);
    cr_assert_eq(listen(peer->listening, 16), 0);
    cr_assert_eq(getsockname(peer->listening, (struct sockaddr *)&at, &len), 0);
    snprintf(peer->address, sizeof peer->address, "%s127.0.0.1:%d", scheme, ntohs(at.sin_port));
}

void
peer_start_http(struct peer *peer)
{
    memset(peer, 0, sizeof *peer);
    peer->is_http = true;
    listen_at_tcp(peer, "http://");
}

void
peer_start_tls(struct peer *peer, const char *folder, const char *name, int version)
{
    memset(peer, 0, sizeof *peer);
    peer->context = SSL_CTX_new(TLS_server_method());
    cr_assert_not_null(peer->context);
    configure(peer->context, folder, name, version);
    listen_at_tcp(peer, "tls:");
}

void
peer_hang_up(struct peer *peer)
{
    SSL_free(peer->ssl);
    peer->ssl = NULL;
    if (peer->fd >= 0)
        close(peer->fd);
    peer->fd = -1;
    peer->n_in = 0;
}

void
peer_join(struct peer *peer)
{
    if (peer->has_thread)
        pthread_join(peer->thread, NULL);
    peer->has_thread = false;
}

void
peer_stop(struct peer *peer)
{
    peer_join(peer);
    peer_hang_up(peer);
    if (peer->listening >= 0)
        close(peer->listening);
    SSL_CTX_free(peer->context);
    if (peer->dir[0] != '\0') {
        unlink(peer->address + strlen("unix:"));
        rmdir(peer->dir);
    }
    cr_expect_null(peer->failure, "the peer's script: %s", peer->failure);
}

void
peer_send_away(struct peer *peer)
{
    struct pollfd watched = {.fd = peer->listening, .events = POLLIN};

    while (poll(&watched, 1, 0) == 1)
        close(accept(peer->listening, NULL, NULL));
}

/* ---- steps ---- */

bool
peer_accept(struct peer *peer)
{
    peer_hang_up(peer);
    if (!waits(peer, peer->listening, POLLIN))
        return false;
    peer->fd = accept4(peer->listening, NULL, NULL, SOCK_CLOEXEC);
    return peer->fd >= 0 || fails(peer, "accept failed");
}

/* Blocks for some seconds at most; 0 or less where nothing more comes. */
static ssize_t
receive(struct peer *peer, void *out, size_t room)
{
    if (peer->ssl != NULL)
        return SSL_read(peer->ssl, out, (int)room);
    return waits(peer, peer->fd, POLLIN) ? recv(peer->fd, out, room, 0) : -1;
}

static bool
take_call(struct peer *peer, size_t n, struct heard *heard)
{
    msgpack_unpacked unpacked;
    const msgpack_object *parts;
    size_t at = 0;
    bool is_call;

    msgpack_unpacked_init(&unpacked);
    is_call =
        msgpack_unpack_next(&unpacked, (const char *)peer->in, n, &at) == MSGPACK_UNPACK_SUCCESS &&
        unpacked.data.type == MSGPACK_OBJECT_ARRAY && unpacked.data.via.array.size == 4;
    if (is_call) {
        parts = unpacked.data.via.array.ptr;
        heard->id = (uint32_t)parts[1].via.u64;
        snprintf(heard->method, sizeof heard->method, "%.*s", (int)parts[2].via.str.size,
                 parts[2].via.str.ptr);
        heard->n_params = n < sizeof heard->params ? n : sizeof heard->params;
        memcpy(heard->params, peer->in, heard->n_params);
    }
    msgpack_unpacked_destroy(&unpacked);
    peer->n_in -= n;
    memmove(peer->in, peer->in + n, peer->n_in);
    return is_call || fails(peer, "what came is no request");
}

/* The head of a request that is whole goes; false while it is not. */
static bool
behead(struct peer *peer)
{
    const uint8_t *end = memmem(peer->in, peer->n_in, "\r\n\r\n", 4);
    size_t n = end != NULL ? (size_t)(end - peer->in) + 4 : 0;

    if (!peer->is_http || (peer->n_in > 0 && peer->in[0] == 0x94))
        return true;
    peer->n_in -= n;
    memmove(peer->in, peer->in + n, peer->n_in);
    return n > 0;
}

bool
peer_read_call(struct peer *peer, struct heard *heard)
{
    for (;;) {
        struct frame_scan scan;
        ssize_t n;

        frame_scan_init(&scan, sizeof peer->in, SIZE_MAX, 32);
        if (behead(peer) && frame_scan(&scan, peer->in, peer->n_in) == FRAME_DONE)
            return take_call(peer, scan.pos, heard);
        n = receive(peer, peer->in + peer->n_in, sizeof peer->in - peer->n_in);
        if (n <= 0)
            return fails(peer, "the client hung up");
        peer->n_in += (size_t)n;
    }
}

bool
peer_send(struct peer *peer, const void *bytes, size_t n)
{
    ssize_t sent = peer->ssl != NULL ? SSL_write(peer->ssl, bytes, (int)n)
                                     : send(peer->fd, bytes, n, MSG_NOSIGNAL);

    return sent == (ssize_t)n || fails(peer, "sending failed");
}

/* At once, so that the client has it in one step. */
static bool
send_frame(struct peer *peer, const void *bytes, size_t n)
{
    msgpack_sbuffer all;
    char head[128];
    bool is_sent;

    if (!peer->is_http)
        return peer_send(peer, bytes, n);
    snprintf(head, sizeof head,
             "HTTP/1.1 200 OK\r\nContent-Type: application/msgpack\r\nContent-Length: %zu\r\n\r\n",
             n);
    msgpack_sbuffer_init(&all);
    msgpack_sbuffer_write(&all, head, strlen(head));
    msgpack_sbuffer_write(&all, bytes, n);
    is_sent = peer_send(peer, all.data, all.size);
    msgpack_sbuffer_destroy(&all);
    return is_sent;
}

static bool
send_packed(struct peer *peer, msgpack_sbuffer *packed)
{
    bool is_sent = send_frame(peer, packed->data, packed->size);

    msgpack_sbuffer_destroy(packed);
    return is_sent;
}

static void
pack_text(msgpack_packer *packer, const char *text)
{
    msgpack_pack_str(packer, strlen(text));
    msgpack_pack_str_body(packer, text, strlen(text));
}

bool
peer_answer(struct peer *peer, uint32_t id, const char *text)
{
    msgpack_sbuffer packed;
    msgpack_packer packer;

    msgpack_sbuffer_init(&packed);
    msgpack_packer_init(&packer, &packed, msgpack_sbuffer_write);
    msgpack_pack_array(&packer, 4);
    msgpack_pack_int(&packer, 1);
    msgpack_pack_uint32(&packer, id);
    msgpack_pack_nil(&packer);
    pack_text(&packer, text);
    return send_packed(peer, &packed);
}

bool
peer_error(struct peer *peer, uint32_t id, int code, const char *text)
{
    msgpack_sbuffer packed;
    msgpack_packer packer;

    msgpack_sbuffer_init(&packed);
    msgpack_packer_init(&packer, &packed, msgpack_sbuffer_write);
    msgpack_pack_array(&packer, 4);
    msgpack_pack_int(&packer, 1);
    msgpack_pack_uint32(&packer, id);
    msgpack_pack_map(&packer, 5);
    pack_text(&packer, "code");
    msgpack_pack_int(&packer, code);
    pack_text(&packer, "name");
    pack_text(&packer, "scripted");
    pack_text(&packer, "message");
    pack_text(&packer, text);
    pack_text(&packer, "field");
    pack_text(&packer, "profile.name");
    pack_text(&packer, "details");
    msgpack_pack_map(&packer, 1);
    pack_text(&packer, "retry_ms");
    msgpack_pack_int(&packer, 250);
    msgpack_pack_nil(&packer);
    return send_packed(peer, &packed);
}

bool
peer_hello(struct peer *peer)
{
    static const char head[] = "\x94\x01\x01\xc0\x82\xa8protocol\x01\xa4role\xa7officer";
    struct heard heard;

    if (!peer_read_call(peer, &heard))
        return false;
    if (strcmp(heard.method, "system.hello") != 0 || heard.id != 1)
        return fails(peer, "the first call is no greeting");
    return send_frame(peer, head, sizeof head - 1);
}

/* ---- steps of TLS ---- */

static bool
shake(struct peer *peer, bool must_fail)
{
    const struct timeval patience = {.tv_sec = PATIENCE_MS / 1000};
    bool is_done;

    setsockopt(peer->fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    setsockopt(peer->fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    peer->ssl = SSL_new(peer->context);
    if (peer->ssl == NULL || SSL_set_fd(peer->ssl, peer->fd) != 1)
        return fails(peer, "TLS could not be set up");
    is_done = SSL_accept(peer->ssl) == 1;
    return is_done != must_fail ||
           fails(peer, must_fail ? "the handshake went well" : "the handshake failed");
}

static void
until_end(struct peer *peer)
{
    while (receive(peer, peer->in, sizeof peer->in) > 0)
        ;
}

static bool
answer_long(struct peer *peer, int n)
{
    struct heard heard;
    char *text;
    bool is_sent;

    if (!peer_read_call(peer, &heard))
        return false;
    text = malloc((size_t)n + 1);
    if (text == NULL)
        return fails(peer, "out of memory");
    memset(text, 'x', (size_t)n);
    text[n] = '\0';
    is_sent = peer_answer(peer, heard.id, text);
    free(text);
    return is_sent;
}

static void
echo(struct peer *peer)
{
    const char *before = peer->failure;
    struct heard heard;

    while (peer_read_call(peer, &heard) && peer_answer(peer, heard.id, heard.method))
        ;
    peer->failure = before; /* the client's end is the end that was waited for */
}

/* ---- scripts ---- */

static bool
play_step(struct peer *peer, const struct step *step)
{
    struct heard heard;

    switch (step->kind) {
    case STEP_END:
        return false;
    case STEP_ACCEPT:
        return peer_accept(peer);
    case STEP_HELLO:
        return peer_hello(peer);
    case STEP_ANSWER:
        return peer_read_call(peer, &heard) && peer_answer(peer, heard.id, step->text);
    case STEP_ERROR:
        return peer_read_call(peer, &heard) && peer_error(peer, heard.id, step->n, step->text);
    case STEP_READ:
        return peer_read_call(peer, &heard);
    case STEP_SEND:
        return peer_send(peer, step->text, (size_t)step->n);
    case STEP_CLOSE:
        peer_hang_up(peer);
        return true;
    case STEP_STOP_LISTENING:
        close(peer->listening);
        peer->listening = -1;
        return true;
    case STEP_SHAKE:
    case STEP_SHAKE_FAILS:
        return shake(peer, step->kind == STEP_SHAKE_FAILS);
    case STEP_GOODBYE:
        SSL_shutdown(peer->ssl);
        peer_hang_up(peer);
        return true;
    case STEP_KEY_UPDATE:
        return SSL_key_update(peer->ssl, SSL_KEY_UPDATE_REQUESTED) == 1;
    case STEP_LONG:
        return answer_long(peer, step->n);
    case STEP_ECHO:
        echo(peer);
        return true;
    case STEP_UNTIL_END:
        until_end(peer);
        return true;
    }
    return false;
}

static void *
play(void *context)
{
    struct peer *peer = context;
    sigset_t pipe;

    sigemptyset(&pipe);
    sigaddset(&pipe, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &pipe, NULL); /* OpenSSL's own way to a socket raises it */
    for (const struct step *step = peer->script; play_step(peer, step); step++)
        ;
    return NULL;
}

void
peer_play(struct peer *peer, const struct step *script)
{
    peer->script = script;
    peer->has_thread = true;
    cr_assert_eq(pthread_create(&peer->thread, NULL, play, peer), 0);
}

/* ---- the client's side ---- */

struct jml_options
peer_options(const struct peer *peer)
{
    struct jml_options options = JML_OPTIONS_INIT;

    options.address = peer->address;
    options.connect_timeout_ms = PATIENCE_MS;
    options.call_timeout_ms = PATIENCE_MS;
    return options;
}

bool
pump(jml_client *client, const bool *flag)
{
    int64_t end_ms = now_ms() + PATIENCE_MS;

    while (flag != NULL ? !*flag : !jml_client_is_open(client)) {
        struct pollfd watched = {.fd = jml_client_fd(client), .events = jml_client_events(client)};
        int timeout_ms = jml_client_timeout_ms(client), n;

        if (now_ms() > end_ms)
            return false;
        n = poll(&watched, 1, timeout_ms < 0 || timeout_ms > 100 ? 100 : timeout_ms);
        jml_client_process(client, n > 0 ? watched.revents : 0);
    }
    return true;
}

jml_client *
peer_open_client(struct peer *peer, const struct jml_options *options)
{
    struct jml_options preset = peer_options(peer);
    struct jml_error error = {0};
    jml_client *client;

    cr_assert_eq(jml_client_start(options != NULL ? options : &preset, &client, &error), JML_OK,
                 "%s", error.message);
    jml_client_process(client, 0);       /* connects */
    jml_client_process(client, POLLOUT); /* greets */
    cr_assert(peer_accept(peer) && peer_hello(peer), "%s", peer->failure);
    cr_assert(pump(client, NULL), "it did not open");
    return client;
}

void
ending_note(void *context, jml_result *result, const struct jml_error *error)
{
    struct ending *ending = context;
    struct jml_text text;

    ending->is_over = true;
    ending->n_told++;
    if (error != NULL) {
        ending->error = *error;
    } else if (jml_view_text(jml_result_root(result), &text)) {
        ending->len = text.len;
        snprintf(ending->text, sizeof ending->text, "%.*s", (int)text.len, text.data);
    }
    jml_result_free(result);
}

uint32_t
peer_ask(jml_client *client, const char *method, const jml_params *params, struct ending *ending)
{
    struct jml_error error;
    uint32_t id;

    *ending = (struct ending){0};
    cr_assert_eq(jml_client_send(client, method, params, ending_note, ending, &id, &error), JML_OK,
                 "%s", error.message);
    return id;
}
