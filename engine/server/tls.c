#include "tls.h"

#include "alloc.h"

#include <openssl/err.h>
#include <openssl/ssl.h>

#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>

struct tls {
    SSL *ssl;
    bool read_wants_writable, write_wants_readable;
};

/* ---- the desk ---- */

void
tls_desk_init(struct tls_desk *desk)
{
    pthread_mutex_init(&desk->lock, NULL);
    desk->context = NULL;
}

void
tls_desk_fini(struct tls_desk *desk)
{
    SSL_CTX_free(desk->context);
    desk->context = NULL;
    pthread_mutex_destroy(&desk->lock);
}

/* OpenSSL's own word for the newest failure. */
static const char *
reason(void)
{
    const char *text = ERR_reason_error_string(ERR_peek_last_error());

    return text != NULL ? text : "OpenSSL cannot say why";
}

static bool
memory_ran_out(void)
{
    return ERR_GET_REASON(ERR_peek_error()) == ERR_R_MALLOC_FAILURE ||
           ERR_GET_REASON(ERR_peek_last_error()) == ERR_R_MALLOC_FAILURE;
}

static enum err_code
check_key_file(const char *path, struct err *err)
{
    struct stat st;

    if (stat(path, &st) != 0)
        return err_set_sys(err, errno, "look at the key %s", path);
    if ((st.st_mode & 037) != 0)
        return err_set(
            err, ERR_FORBIDDEN,
            "the key %s has mode %04o; others must have no part in it: set 0600, or 0640", path,
            (unsigned)st.st_mode & 07777);
    return ERR_OK;
}

static enum err_code
load(SSL_CTX *context, const char *cert_file, const char *key_file, struct err *err)
{
    ERR_clear_error();
    if (SSL_CTX_use_certificate_chain_file(context, cert_file) != 1)
        return memory_ran_out()
                   ? err_no_memory(err)
                   : err_set(err, ERR_INVALID_PARAMS,
                             "%.100s holds no certificate in PEM form: %.80s", cert_file, reason());
    if (SSL_CTX_use_PrivateKey_file(context, key_file, SSL_FILETYPE_PEM) != 1)
        return memory_ran_out()
                   ? err_no_memory(err)
                   : err_set(err, ERR_INVALID_PARAMS,
                             "%.80s holds no key in PEM form, or not that of %.60s: %.60s",
                             key_file, cert_file, reason());
    if (SSL_CTX_check_private_key(context) != 1)
        return memory_ran_out() ? err_no_memory(err)
                                : err_set(err, ERR_INVALID_PARAMS,
                                          "the key %.90s is not that of the certificate %.90s",
                                          key_file, cert_file);
    return ERR_OK;
}

static SSL_CTX *
context_create(void)
{
    SSL_CTX *context = SSL_CTX_new(TLS_server_method());

    if (context == NULL)
        return NULL;
    SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
    /* Every frame says its own length, so that an end without close_notify cuts nothing short. */
    SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
                                     SSL_OP_CIPHER_SERVER_PREFERENCE |
                                     SSL_OP_IGNORE_UNEXPECTED_EOF);
    /* Buffers of an idle connection are given back. */
    SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                  SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF); /* tickets need no memory here */
    return context;
}

enum err_code
tls_desk_load(struct tls_desk *desk, const char *cert_file, const char *key_file, struct err *err)
{
    SSL_CTX *context, *old;
    enum err_code code = check_key_file(key_file, err);

    if (code != ERR_OK)
        return code;
    context = context_create();
    if (context == NULL)
        return err_no_memory(err);
    code = load(context, cert_file, key_file, err);
    if (code != ERR_OK) {
        SSL_CTX_free(context);
        return code;
    }
    pthread_mutex_lock(&desk->lock);
    old = desk->context;
    desk->context = context;
    pthread_mutex_unlock(&desk->lock);
    SSL_CTX_free(old); /* connections that began with it hold it */
    return ERR_OK;
}

/* ---- one connection ---- */

struct tls *
tls_begin(struct tls_desk *desk, int fd)
{
    struct tls *tls = mem_alloc_zeroed(1, sizeof *tls);

    if (tls == NULL)
        return NULL;
    pthread_mutex_lock(&desk->lock);
    tls->ssl = desk->context != NULL ? SSL_new(desk->context) : NULL;
    pthread_mutex_unlock(&desk->lock);
    if (tls->ssl == NULL || SSL_set_fd(tls->ssl, fd) != 1) {
        tls_end(tls);
        return NULL;
    }
    SSL_set_accept_state(tls->ssl);
    return tls;
}

void
tls_end(struct tls *tls)
{
    if (tls == NULL)
        return;
    SSL_free(tls->ssl);
    mem_free(tls);
}

/* What an operation of OpenSSL that moved nothing means, in the words of read(2) and write(2). */
static ssize_t
translate(struct tls *tls, int rc, bool is_read)
{
    switch (SSL_get_error(tls->ssl, rc)) {
    case SSL_ERROR_WANT_READ:
        tls->write_wants_readable = !is_read;
        errno = EAGAIN;
        return -1;
    case SSL_ERROR_WANT_WRITE:
        tls->read_wants_writable = is_read;
        errno = EAGAIN;
        return -1;
    case SSL_ERROR_ZERO_RETURN:
        return 0;
    case SSL_ERROR_SYSCALL:
        if (is_read && errno == 0)
            return 0;
        break;
    }
    errno = EPROTO;
    return -1;
}

ssize_t
tls_read(struct tls *tls, void *bytes, size_t n)
{
    size_t done;
    int rc;

    tls->read_wants_writable = false;
    ERR_clear_error();
    errno = 0;
    rc = SSL_read_ex(tls->ssl, bytes, n, &done);
    return rc == 1 ? (ssize_t)done : translate(tls, rc, true);
}

ssize_t
tls_write(struct tls *tls, const struct iovec *parts, int n)
{
    ssize_t total = 0;

    tls->write_wants_readable = false;
    for (int i = 0; i < n; i++) {
        size_t done;
        int rc;

        if (parts[i].iov_len == 0)
            continue;
        ERR_clear_error();
        errno = 0;
        rc = SSL_write_ex(tls->ssl, parts[i].iov_base, parts[i].iov_len, &done);
        if (rc != 1)
            return total > 0 ? total : translate(tls, rc, false);
        total += (ssize_t)done;
        if (done < parts[i].iov_len)
            break;
    }
    return total;
}

bool
tls_read_wants_writable(const struct tls *tls)
{
    return tls->read_wants_writable;
}

bool
tls_write_wants_readable(const struct tls *tls)
{
    return tls->write_wants_readable;
}

bool
tls_is_open(const struct tls *tls)
{
    return SSL_is_init_finished(tls->ssl) == 1;
}

void
tls_say_end(struct tls *tls)
{
    ERR_clear_error();
    if (tls_is_open(tls))
        SSL_shutdown(tls->ssl);
}
