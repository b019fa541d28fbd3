/*
 * torture_tls: the N-th allocation of OpenSSL fails, N = 1, 2, 3 … until none does: over the loading of a
 * certificate, over a handshake with one question and its answer, and in a whole service over the same and
 * a reload. Nothing crashes or leaks; what was loaded stays in use; a connection goes well or ends, and
 * the next one goes well.
 */
#include "served.h"
#include "tls.h"

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { N_MOST = 100000, TURNS_MOST = 1000, STRIDE = 7, STRIDE_SERVED = 61, STRIDE_RELOAD = 997 };

/* ---- OpenSSL's memory ---- */

static atomic_long n_left; /* until one fails; 0: none does */
static atomic_bool has_failed;
static _Thread_local bool is_spared; /* the visitor's side */

static void
fail_at(long n)
{
    atomic_store(&has_failed, false);
    atomic_store(&n_left, n);
}

static bool
fails_now(void)
{
    long left = atomic_load(&n_left);

    if (is_spared)
        return false;
    while (left > 0)
        if (atomic_compare_exchange_weak(&n_left, &left, left - 1)) {
            if (left == 1)
                atomic_store(&has_failed, true);
            return left == 1;
        }
    return false;
}

static void *
flaky_malloc(size_t n, const char *file, int line)
{
    (void)file, (void)line;
    return n == 0 || fails_now() ? NULL : malloc(n);
}

static void *
flaky_realloc(void *memory, size_t n, const char *file, int line)
{
    (void)file, (void)line;
    if (n == 0) {
        free(memory);
        return NULL;
    }
    return fails_now() ? NULL : realloc(memory, n);
}

static void
plain_free(void *memory, const char *file, int line)
{
    (void)file, (void)line;
    free(memory);
}

/* ---- one connection, both ends on this thread ---- */

enum talk { TALK_GOES_ON, TALK_DONE, TALK_ENDED };

struct pair {
    int fds[2];
    struct tls *tls;
    SSL *visitor;
    char asked[8], answered[8];
};

static enum talk
serve_a_turn(struct pair *pair)
{
    const struct iovec answer = {(void *)(uintptr_t) "pong", 4};
    ssize_t n = tls_read(pair->tls, pair->asked, sizeof pair->asked);

    if (n > 0)
        n = tls_write(pair->tls, &answer, 1);
    return n > 0 || (n < 0 && errno == EAGAIN) ? TALK_GOES_ON : TALK_ENDED;
}

static enum talk
visit_a_turn(struct pair *pair)
{
    enum talk talk = TALK_GOES_ON;
    int rc;

    is_spared = true;
    ERR_clear_error();
    if (!SSL_is_init_finished(pair->visitor)) {
        rc = SSL_connect(pair->visitor);
        if (rc == 1)
            rc = SSL_write(pair->visitor, "ping", 4);
    } else {
        rc = SSL_read(pair->visitor, pair->answered, sizeof pair->answered);
        if (rc == 4)
            talk = TALK_DONE;
    }
    if (rc <= 0 && SSL_get_error(pair->visitor, rc) != SSL_ERROR_WANT_READ)
        talk = TALK_ENDED;
    is_spared = false;
    return talk;
}

/* What fails fails on the service's side. */
static enum talk
talk(struct tls_desk *desk, SSL_CTX *context)
{
    struct pair pair = {.fds = {-1, -1}};
    enum talk talk = TALK_ENDED;
    int n_turns = 0;

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair.fds) != 0)
        abort();
    is_spared = true;
    pair.visitor = SSL_new(context);
    SSL_set_fd(pair.visitor, pair.fds[1]);
    is_spared = false;
    pair.tls = tls_begin(desk, pair.fds[0]);
    if (pair.tls != NULL)
        talk = TALK_GOES_ON;
    for (; talk == TALK_GOES_ON && n_turns < TURNS_MOST; n_turns++) {
        talk = visit_a_turn(&pair);
        if (talk == TALK_GOES_ON)
            talk = serve_a_turn(&pair);
    }
    torture_check(n_turns < TURNS_MOST, "a connection neither goes well nor ends");
    if (pair.tls != NULL)
        tls_say_end(pair.tls);
    tls_end(pair.tls);
    is_spared = true;
    SSL_free(pair.visitor);
    is_spared = false;
    close(pair.fds[0]);
    close(pair.fds[1]);
    return talk;
}

struct files {
    char cert[2 * TORTURE_PATH], key[2 * TORTURE_PATH];
};

static void
torture_load(const struct files *files, SSL_CTX *context, int stride)
{
    bool happened = true;
    int n_refused = 0,
        n_told = 0; /* of them, that memory was short; OpenSSL does not always know */
    struct tls_desk desk;
    struct err err = {0};
    long n = 1;

    tls_desk_init(&desk);
    torture_check(tls_desk_load(&desk, files->cert, files->key, &err) == ERR_OK, "%s", err.message);
    for (; happened && n < N_MOST; n += stride) {
        enum err_code code;

        err = (struct err){0};
        fail_at(n);
        code = tls_desk_load(&desk, files->cert, files->key, &err);
        happened = atomic_load(&has_failed);
        fail_at(0);
        n_refused += code != ERR_OK;
        n_told += code == ERR_BUSY;
        torture_check(code == ERR_OK || err.message[0] != '\0', "load, n=%ld: no sentence", n);
        torture_check(talk(&desk, context) == TALK_DONE, "load, n=%ld: the next connection", n);
    }
    tls_desk_fini(&desk);
    torture_check(n < N_MOST && n_told > 0, "load: %d refused", n_refused);
    printf("load: up to the %ld-th allocation, %d refused, %d for want of memory\n", n, n_refused,
           n_told);
}

static void
torture_talk(const struct files *files, SSL_CTX *context, int stride)
{
    bool happened = true;
    int n_ended = 0;
    struct tls_desk desk;
    struct err err = {0};
    long n = 1;

    tls_desk_init(&desk);
    torture_check(tls_desk_load(&desk, files->cert, files->key, &err) == ERR_OK, "%s", err.message);
    for (; happened && n < N_MOST; n += stride) {
        enum talk first;

        fail_at(n);
        first = talk(&desk, context);
        happened = atomic_load(&has_failed);
        fail_at(0);
        n_ended += first != TALK_DONE;
        torture_check(happened || first == TALK_DONE, "connection, n=%ld: it ended by itself", n);
        torture_check(talk(&desk, context) == TALK_DONE, "connection, n=%ld: the next one", n);
    }
    tls_desk_fini(&desk);
    torture_check(n < N_MOST && n_ended > 0, "connection: %d ended", n_ended);
    printf("connection: up to the %ld-th allocation, %d ended\n", n, n_ended);
}

/* ---- a service ---- */

static void
be_served(struct served *served, const char *says, long n)
{
    for (enum way way = 0; way < WAYS; way++)
        torture_check(visit(served, way) == VISIT_ANSWERED, "%s, n=%ld: the next one, by %s", says,
                      n, way_names[way]);
}

static void
torture_visits(struct served *served, enum way way, int stride)
{
    bool happened = true;
    int n_ended = 0;
    long n = 1;

    for (; happened && n < N_MOST; n += stride) {
        enum visit how;

        fail_at(n);
        how = visit(served, way);
        happened = atomic_load(&has_failed);
        fail_at(0);
        n_ended += how != VISIT_ANSWERED;
        torture_check(how == VISIT_ANSWERED ||
                          ((how == VISIT_ENDED || how == VISIT_REFUSED) && happened),
                      "a visit by %s, n=%ld: %d", way_names[way], n, how);
        be_served(served, way_names[way], n);
    }
    torture_check(n < N_MOST, "a visit by %s has no end", way_names[way]);
    printf("a visit by %s: up to the %ld-th allocation, %d ended\n", way_names[way], n, n_ended);
    fflush(stdout);
}

static void
torture_reload(struct served *served, int stride)
{
    bool happened = true;
    long n = 1;

    for (; happened && n < N_MOST; n += stride) {
        fail_at(n);
        kill(getpid(), SIGHUP);
        served_await_log(served, "part=settings");
        served_await_log(served, "part=vocabularies");
        happened = atomic_load(&has_failed);
        fail_at(0);
        be_served(served, "a reload", n);
    }
    torture_check(n < N_MOST, "a reload has no end");
    printf("a reload: up to the %ld-th allocation\n", n);
}

int
main(void)
{
    bool is_deep = torture_rounds(0) >= TORTURE_DEEP;
    struct served *served;
    struct files files;
    SSL_CTX *context;

    if (CRYPTO_set_mem_functions(flaky_malloc, flaky_realloc, plain_free) != 1)
        return 1; /* OpenSSL has memory already */
    served = served_start();
    snprintf(files.cert, sizeof files.cert, "%s/right.pem", served_folder(served));
    snprintf(files.key, sizeof files.key, "%s/right.key", served_folder(served));
    context = SSL_CTX_new(TLS_client_method());
    torture_load(&files, context, is_deep ? 1 : STRIDE);
    torture_talk(&files, context, is_deep ? 1 : STRIDE);
    SSL_CTX_free(context);
    is_spared = true;
    torture_visits(served, WAY_TLS, is_deep ? STRIDE : STRIDE_SERVED);
    torture_visits(served, WAY_HTTPS, is_deep ? STRIDE : STRIDE_SERVED);
    torture_reload(served, is_deep ? STRIDE_SERVED : STRIDE_RELOAD);
    served_stop(served);
    return torture_end("torture_tls");
}
