#include "secure.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    RECORD_BYTES = 16 << 10, /* of plain text in one record, at most */
    /* A record, and what OpenSSL says of its own accord. A peer that makes it say more and takes
     * none of it is not waited for. */
    SEALED_BYTES_MAX = 64 << 10
};

/* ---- OpenSSL's way to the socket ---- */

static int
take_sealed(BIO *bio, const char *bytes, int n)
{
    struct secure *secure = BIO_get_data(bio);
    struct octets *sealed = &secure->sealed;

    BIO_clear_retry_flags(bio);
    if (n <= 0)
        return 0;
    if (jmli_octets_append(sealed, bytes, (size_t)n))
        return n;
    secure->error_number = sealed->len + (size_t)n > sealed->limit ? ENOBUFS : ENOMEM;
    return -1;
}

static int
give_received(BIO *bio, char *out, int room)
{
    struct secure *secure = BIO_get_data(bio);
    ssize_t n;

    BIO_clear_retry_flags(bio);
    if (room <= 0)
        return 0;
    do
        n = recv(secure->fd, out, (size_t)room, 0);
    while (n < 0 && errno == EINTR);
    if (n == 0)
        secure->has_ended = true;
    else if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
        BIO_set_retry_read(bio);
    else if (n < 0)
        secure->error_number = errno;
    return (int)n;
}

static long
control(BIO *bio, int command, long number, void *pointer)
{
    const struct secure *secure = BIO_get_data(bio);

    (void)number, (void)pointer;
    if (command == BIO_CTRL_EOF)
        return secure->has_ended;
    return command == BIO_CTRL_FLUSH; /* jmli_secure_write does it */
}

static BIO *
way_create(struct secure *secure)
{
    BIO *bio = NULL;

    secure->method = BIO_meth_new(BIO_TYPE_SOURCE_SINK, "jumelage");
    if (secure->method != NULL && BIO_meth_set_write(secure->method, take_sealed) == 1 &&
        BIO_meth_set_read(secure->method, give_received) == 1 &&
        BIO_meth_set_ctrl(secure->method, control) == 1)
        bio = BIO_new(secure->method);
    if (bio == NULL)
        return NULL;
    BIO_set_data(bio, secure);
    BIO_set_init(bio, 1);
    return bio;
}

static enum flow
send_sealed(struct secure *secure)
{
    struct octets *sealed = &secure->sealed;

    while (secure->sealed_sent < sealed->len) {
        ssize_t n = send(secure->fd, sealed->data + secure->sealed_sent,
                         sealed->len - secure->sealed_sent, MSG_NOSIGNAL);

        if (n >= 0)
            secure->sealed_sent += (size_t)n;
        else if (errno == EAGAIN || errno == EWOULDBLOCK)
            return FLOW_AGAIN;
        else if (errno != EINTR)
            return FLOW_FAILED;
    }
    sealed->len = secure->sealed_sent = 0;
    return FLOW_DONE;
}

/* ---- life ---- */

enum jml_code
jmli_secure_begin(struct secure *secure, const struct trust *trust,
                  const struct jml_allocator *allocator, int fd, struct jml_error *error)
{
    BIO *bio;

    *secure = (struct secure){.fd = fd, .pid = getpid()};
    jmli_octets_init(&secure->sealed, allocator, SEALED_BYTES_MAX);
    ERR_clear_error();
    secure->ssl = jmli_trust_connection(trust);
    bio = secure->ssl != NULL ? way_create(secure) : NULL;
    if (bio == NULL) {
        secure->has_failed = true; /* there is nobody to say goodbye to */
        jmli_secure_end(secure);
        return jmli_no_memory(error);
    }
    SSL_set_bio(secure->ssl, bio, bio);
    SSL_set_connect_state(secure->ssl);
    return JML_OK;
}

void
jmli_secure_end(struct secure *secure)
{
    if (secure->ssl != NULL && secure->pid == getpid()) {
        if (!secure->has_failed && SSL_is_init_finished(secure->ssl))
            SSL_shutdown(secure->ssl);
        send_sealed(secure); /* a failed handshake leaves here what it failed for */
    }
    SSL_free(secure->ssl); /* and its BIO, before the method of that */
    BIO_meth_free(secure->method);
    ERR_clear_error();
    jmli_octets_fini(&secure->sealed);
    secure->sealed_sent = 0;
    secure->ssl = NULL;
    secure->method = NULL;
}

/* ---- steps ---- */

static void
step_begin(struct secure *secure)
{
    ERR_clear_error(); /* SSL_get_error looks at the whole queue */
    secure->error_number = 0;
}

/* What is meant by OpenSSL's answer other than success. */
static enum flow
step_outcome(struct secure *secure, int rc)
{
    int kind = SSL_get_error(secure->ssl, rc);
    enum flow flow = FLOW_FAILED;

    if (kind == SSL_ERROR_WANT_READ)
        return FLOW_AGAIN;
    if (kind == SSL_ERROR_ZERO_RETURN)
        return FLOW_ENDED;
    secure->has_failed = true;
    secure->reason = ERR_GET_REASON(ERR_peek_error());
    ERR_clear_error();
    if (secure->error_number == 0 && secure->has_ended)
        flow = FLOW_ENDED;
    errno = secure->error_number;
    return flow;
}

enum flow
jmli_secure_shake(struct secure *secure)
{
    enum flow flow, sent;
    int rc;

    step_begin(secure);
    rc = SSL_do_handshake(secure->ssl);
    flow = rc == 1 ? FLOW_DONE : step_outcome(secure, rc);
    if (flow != FLOW_DONE && flow != FLOW_AGAIN)
        return flow;
    sent = send_sealed(secure);
    return sent == FLOW_FAILED ? FLOW_FAILED
                               : flow; /* what has not left goes before the greeting */
}

enum flow
jmli_secure_read(struct secure *secure, void *out, size_t room, size_t *n)
{
    int rc;

    step_begin(secure);
    rc = SSL_read_ex(secure->ssl, out, room, n);
    return rc == 1 ? FLOW_DONE : step_outcome(secure, rc);
}

enum flow
jmli_secure_write(struct secure *secure, const void *bytes, size_t n, size_t *n_taken)
{
    const uint8_t *from = bytes;

    *n_taken = 0;
    for (;;) {
        enum flow flow = send_sealed(secure);
        size_t left = n - *n_taken, now = 0;
        int rc;

        if (flow != FLOW_DONE || left == 0)
            return flow;
        step_begin(secure);
        rc = SSL_write_ex(secure->ssl, from + *n_taken, left < RECORD_BYTES ? left : RECORD_BYTES,
                          &now);
        if (rc != 1)
            return step_outcome(secure, rc);
        *n_taken += now;
    }
}

/* ---- questions ---- */

bool
jmli_secure_has_unsent(const struct secure *secure)
{
    return secure->sealed_sent < secure->sealed.len;
}

bool
jmli_secure_has_pending(const struct secure *secure)
{
    return secure->ssl != NULL && SSL_pending(secure->ssl) > 0;
}

const char *
jmli_secure_reason(const struct secure *secure)
{
    const char *words = ERR_reason_error_string(ERR_PACK(ERR_LIB_SSL, 0, secure->reason));

    return words != NULL ? words : "without a reason";
}

enum jml_code
jmli_secure_explain(const struct secure *secure, const struct trust *trust,
                    const struct endpoint *endpoint, struct jml_error *error)
{
    return jmli_trust_explain(trust, endpoint, secure->reason, SSL_get_verify_result(secure->ssl),
                              error);
}
