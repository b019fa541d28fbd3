#include "trust.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

/* ---- the name ---- */

static bool
is_number(const char *name)
{
    unsigned char bytes[sizeof(struct in6_addr)];

    return inet_pton(AF_INET, name, bytes) == 1 || inet_pton(AF_INET6, name, bytes) == 1;
}

static enum jml_code
name_set(struct trust *trust, const char *name, const char *field, struct jml_error *error)
{
    size_t len = strcspn(name, "%"); /* the zone of an IPv6 number is this machine's own affair */

    if (len == 0 || len > TRUST_NAME_MAX)
        return jmli_fail_at(error, JML_BAD_OPTION, field,
                            "the name that the certificate must bear has %zu bytes; it has 1 to %d",
                            len, TRUST_NAME_MAX);
    for (size_t i = 0; i < len; i++)
        if (name[i] <= ' ' || name[i] > '~')
            return jmli_fail_at(error, JML_BAD_OPTION, field,
                                "byte %zu of the name \"%s\" is none that a host's name has; give "
                                "it as it stands in the certificate",
                                i + 1, name);
    memcpy(trust->name, name, len);
    trust->name[len] = '\0';
    trust->is_number = is_number(trust->name);
    return JML_OK;
}

/* ---- the authorities ---- */

static enum jml_code
authorities_load(SSL_CTX *context, const char *ca_file, struct jml_error *error)
{
    if (ca_file == NULL)
        return SSL_CTX_set_default_verify_paths(context) == 1 ? JML_OK : jmli_no_memory(error);
    if (access(ca_file, R_OK) != 0)
        return jmli_fail_at(error, JML_BAD_OPTION, "options.tls_ca_file",
                            "the file of authorities \"%s\" cannot be read: %s", ca_file,
                            strerrordesc_np(errno));
    if (SSL_CTX_load_verify_file(context, ca_file) != 1)
        return jmli_fail_at(error, JML_BAD_OPTION, "options.tls_ca_file",
                            "the file of authorities \"%s\" holds no certificate in the form PEM",
                            ca_file);
    return JML_OK;
}

static SSL_CTX *
context_create(void)
{
    SSL_CTX *context = SSL_CTX_new(TLS_client_method());

    if (context == NULL)
        return NULL;
    SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
    SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION);
    SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS); /* an idle connection keeps little */
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL);
    return context;
}

enum jml_code
jmli_trust_init(struct trust *trust, const struct endpoint *endpoint, const char *ca_file,
                const char *server_name, struct jml_error *error)
{
    const char *given = ca_file != NULL ? "options.tls_ca_file" : "options.tls_server_name";
    enum jml_code code;

    *trust = (struct trust){0};
    if (!endpoint->is_tls && (ca_file != NULL || server_name != NULL))
        return jmli_fail_at(error, JML_BAD_OPTION, given,
                            "%s is for TLS, which the address \"%s\" does not ask for; give "
                            "tls:HOST:PORT or https://HOST:PORT, or leave it out",
                            given, endpoint->text);
    if (!endpoint->is_tls)
        return JML_OK;
    code = server_name != NULL ? name_set(trust, server_name, "options.tls_server_name", error)
                               : name_set(trust, endpoint->host, "options.address", error);
    if (code != JML_OK)
        return code;
    ERR_clear_error();
    trust->context = context_create();
    code = trust->context != NULL ? authorities_load(trust->context, ca_file, error)
                                  : jmli_no_memory(error);
    ERR_clear_error();
    if (code != JML_OK)
        jmli_trust_fini(trust);
    return code;
}

void
jmli_trust_fini(struct trust *trust)
{
    SSL_CTX_free(trust->context);
    trust->context = NULL;
}

SSL *
jmli_trust_connection(const struct trust *trust)
{
    SSL *ssl = SSL_new(trust->context);
    X509_VERIFY_PARAM *wanted = ssl != NULL ? SSL_get0_param(ssl) : NULL;
    bool is_set = false;

    if (wanted != NULL) {
        X509_VERIFY_PARAM_set_hostflags(wanted, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS |
                                                    X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
        is_set = trust->is_number ? X509_VERIFY_PARAM_set1_ip_asc(wanted, trust->name) == 1
                                  : X509_VERIFY_PARAM_set1_host(wanted, trust->name, 0) == 1 &&
                                        SSL_set_tlsext_host_name(ssl, trust->name) == 1;
    }
    if (is_set)
        return ssl;
    SSL_free(ssl);
    return NULL;
}

/* ---- sentences ---- */

/* clang-format off */
static const struct {
    int verdict;
    const char *wrong, *right, *field;
} certificates[] = {
    {X509_V_ERR_CERT_HAS_EXPIRED, "has expired",
     "have it renewed where the service is, and see that this machine's clock is right", ""},
    {X509_V_ERR_CERT_NOT_YET_VALID, "is not valid yet",
     "see that this machine's clock is right", ""},
    {X509_V_ERR_HOSTNAME_MISMATCH, "is for another name",
     "say a name that it bears", "options.tls_server_name"},
    {X509_V_ERR_IP_ADDRESS_MISMATCH, "is for another name",
     "say a name that it bears", "options.tls_server_name"},
    {X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT, "is signed by itself alone and not trusted here",
     "if it is the right one, name its file", "options.tls_ca_file"},
    {X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN, "is of an issuer that is not trusted here",
     "name the file of its authority", "options.tls_ca_file"},
    {X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT, "is of an issuer that is not trusted here",
     "name the file of its authority", "options.tls_ca_file"},
    {X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY, "is of an issuer that is not trusted here",
     "name the file of its authority", "options.tls_ca_file"},
    {X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE, "is of an issuer that is not trusted here",
     "name the file of its authority", "options.tls_ca_file"},
};
/* clang-format on */

static enum jml_code
explain_certificate(const struct trust *trust, const char *text, long verdict,
                    struct jml_error *error)
{
    for (size_t i = 0; i < sizeof certificates / sizeof certificates[0]; i++)
        if (certificates[i].verdict == verdict)
            return jmli_fail_at(error, JML_UNREACHABLE, certificates[i].field,
                                "the certificate that %s shows for \"%s\" %s; %s", text,
                                trust->name, certificates[i].wrong, certificates[i].right);
    return jmli_fail(error, JML_UNREACHABLE,
                     "the certificate that %s shows for \"%s\" does not hold: %s", text,
                     trust->name, X509_verify_cert_error_string(verdict));
}

enum jml_code
jmli_trust_explain(const struct trust *trust, const struct endpoint *endpoint, int reason,
                   long verdict, struct jml_error *error)
{
    const char *text = endpoint->text;
    const char *words = ERR_reason_error_string(ERR_PACK(ERR_LIB_SSL, 0, reason));

    switch (reason) {
    case SSL_R_CERTIFICATE_VERIFY_FAILED:
        return explain_certificate(trust, text, verdict, error);
    case ERR_R_MALLOC_FAILURE:
        return jmli_no_memory(error);
    case SSL_R_WRONG_VERSION_NUMBER:
    case SSL_R_PACKET_LENGTH_TOO_LONG:
        return jmli_fail_at(error, JML_UNREACHABLE, "options.address",
                            "what listens at %s does not speak TLS; if it is the service's plain "
                            "port, the address begins with %s",
                            text, endpoint->is_http ? "http://" : "tcp:");
    case SSL_R_UNSUPPORTED_PROTOCOL:
    case SSL_R_TLSV1_ALERT_PROTOCOL_VERSION:
        return jmli_fail(error, JML_UNREACHABLE,
                         "%s speaks no version of TLS from 1.2 on; nothing older is safe", text);
    default:
        return jmli_fail(error, JML_UNREACHABLE, "the TLS handshake with %s failed: %s", text,
                         words != NULL ? words : "without a reason");
    }
}
