#ifndef JMLI_SECURE_H
#define JMLI_SECURE_H

#include "flow.h"
#include "octets.h"
#include "trust.h"

#include <sys/types.h>

/*
 * secure: TLS between a client and its socket, a step at a time; nothing here waits.
 *
 *     out ──write──▶ OpenSSL ──▶ sealed ──send──▶ socket
 *     in  ◀──read─── OpenSSL ◀────────────recv─── socket
 *
 * What OpenSSL writes is kept in `sealed` and sent from there, and nothing more is sealed before that
 * has left. So a write is whole or has not begun: bytes that were taken have left as far as the queue
 * is concerned, and a call that is cancelled cannot pull them out of a record that OpenSSL would ask
 * for again. And a peer that has gone raises no signal, as OpenSSL's own way to a socket would.
 *
 * `sealed` is of the client's allocator; what OpenSSL itself holds is not. In place, and it may not
 * move while a connection stands. OpenSSL's queue of errors, which each thread has, is empty
 * afterwards.
 */
struct secure {
    SSL *ssl;                     /* NULL: none */
    struct bio_method_st *method; /* a BIO_METHOD */
    int fd;
    pid_t pid; /* who may say goodbye: after a fork the connection is the parent's */
    struct octets sealed;
    size_t sealed_sent;
    int error_number; /* of the socket or the allocator, in the last step */
    int reason;       /* OpenSSL's, of what failed */
    bool has_ended, has_failed;
};

enum jml_code jmli_secure_begin(struct secure *secure, const struct trust *trust,
                                const struct jml_allocator *allocator, int fd,
                                struct jml_error *error);
/* Says goodbye as far as the socket takes it at once. The descriptor stays the caller's. */
void jmli_secure_end(struct secure *secure);

enum flow jmli_secure_shake(struct secure *secure);
/* At least a whole record, 16 KiB, must find room: then OpenSSL keeps nothing back. */
enum flow jmli_secure_read(struct secure *secure, void *out, size_t room, size_t *n);
/* Sends what is sealed, then seals and sends of the bytes as long as the socket takes them; n_taken
 * counts also before FLOW_AGAIN and FLOW_FAILED. */
enum flow jmli_secure_write(struct secure *secure, const void *bytes, size_t n, size_t *n_taken);

/* Sealed bytes wait for the socket. */
bool jmli_secure_has_unsent(const struct secure *secure);
/* Bytes that were read from the socket wait inside OpenSSL, where poll(2) does not see them. */
bool jmli_secure_has_pending(const struct secure *secure);
/* OpenSSL's words for what failed. */
const char *jmli_secure_reason(const struct secure *secure);
/* Why the handshake failed, once it did. */
enum jml_code jmli_secure_explain(const struct secure *secure, const struct trust *trust,
                                  const struct endpoint *endpoint, struct jml_error *error);

#endif
