#ifndef JMLI_TRUST_H
#define JMLI_TRUST_H

#include "endpoint.h"

#include <openssl/types.h>

/*
 * trust: whom a client believes to be its service: the authorities that may have signed the
 * certificate, and the name that must stand in it.
 *
 * In place, one for each client; all of its connections share it. There is no way to switch the check
 * off. The authorities are read once, when the client is made. The common name of a certificate's
 * subject counts for nothing (RFC 6125): its alternative names do.
 */
enum { TRUST_NAME_MAX = 254 };

struct trust {
    SSL_CTX *context;              /* NULL: the address asks for no TLS */
    char name[TRUST_NAME_MAX + 1]; /* a host's name, or its number */
    bool is_number;
};

/* ca_file NULL: the system's authorities; server_name NULL: the host of the address. Both are
 * refused with an address that is not of TLS, which would not keep what they promise. */
enum jml_code jmli_trust_init(struct trust *trust, const struct endpoint *endpoint,
                              const char *ca_file, const char *server_name,
                              struct jml_error *error);
void jmli_trust_fini(struct trust *trust);

/* A connection to be, which will check the certificate; NULL if memory is out. */
SSL *jmli_trust_connection(const struct trust *trust);

/* Why a handshake failed: the reason of OpenSSL's first error, and the verdict on the certificate. */
enum jml_code jmli_trust_explain(const struct trust *trust, const struct endpoint *endpoint,
                                 int reason, long verdict, struct jml_error *error);

#endif
