#ifndef JML_TLS_H
#define JML_TLS_H

#include "err.h"

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>
#include <sys/uio.h>

/*
 * tls: encryption of connections, by OpenSSL, TLS 1.2 and later.
 *
 * A tls_desk holds the certificate and key in use; loading another one changes what connections get that
 * begin from then on. A struct tls belongs to one connection and its thread, and behaves as the
 * descriptor that it stands on: reading and writing never wait; EAGAIN says that the socket is not ready,
 * tls_wants which way.
 */
struct ssl_ctx_st;
struct tls_desk {
    pthread_mutex_t lock; /* around the pointer */
    struct ssl_ctx_st *context;
};
void tls_desk_init(struct tls_desk *desk);
void tls_desk_fini(struct tls_desk *desk);
/* PEM files: the certificate with its chain, and the key, whose file only its owner (and its group, to read)
 * may touch. On failure what was there stays in use. ERR_INVALID_PARAMS, ERR_FORBIDDEN or as
 * file.h, naming the file. */
enum err_code tls_desk_load(struct tls_desk *desk, const char *cert_file, const char *key_file,
                            struct err *err);

struct tls;
/* The service's side; the handshake is done by reading. NULL if out of memory, or nothing is loaded. */
struct tls *tls_begin(struct tls_desk *desk, int fd);
void tls_end(struct tls *tls); /* NULL is fine; the descriptor stays open */

/* As read(2) and writev(2): 0 from reading is the peer's end; -1 with errno, EAGAIN or EPROTO. */
ssize_t tls_read(struct tls *tls, void *bytes, size_t n);
ssize_t tls_write(struct tls *tls, const struct iovec *parts, int n);
/* After EAGAIN: the socket must be writable before reading can go on; readable before writing can. */
bool tls_read_wants_writable(const struct tls *tls);
bool tls_write_wants_readable(const struct tls *tls);
bool tls_is_open(const struct tls *tls); /* the handshake is done */
/* Tells the peer that nothing more comes, as far as that can be told at once. */
void tls_say_end(struct tls *tls);

#endif
