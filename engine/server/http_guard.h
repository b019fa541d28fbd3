#ifndef JML_HTTP_GUARD_H
#define JML_HTTP_GUARD_H

#include "err.h"
#include "http_head.h"
#include "str.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * http_guard: may this browser, or what else speaks HTTP, ask here at all?
 *
 * A page from anywhere can make a browser send requests to a service on the same machine or network.
 * It cannot choose Host once the name was looked up again (DNS rebinding), nor Origin, nor
 * Sec-Fetch-Site; so these are held against a list that was fixed at start and never against each
 * other, which would both be the attacker's. And nothing that changes state hangs from what a browser
 * sends by itself: no cookie, no password of the browser's, but a token in Authorization.
 *
 * Pure; the guard is immutable and any thread may ask it. What it points to belongs to the caller.
 */
struct http_guard {
    const struct str *names; /* of --http-host, checked by http_host_check */
    size_t n_names;
    uint16_t port; /* of the listener */
    bool is_tls;   /* the listener's: the scheme of its own pages is https */
};

/* Is a text that --http-host may have: a name, an IPv4 address or an IPv6 address in brackets, with or
 * without a port? ERR_INVALID_PARAMS says what would be right. */
enum err_code http_host_check(struct str text, struct err *err);

/* Allowed: 127.0.0.1, localhost and [::1], with the listener's port (which may be left out where it is
 * the scheme's own); each name of the list, with the listener's port or none; a name that was given
 * with a port, with that port only. Capitals don't matter; a trailing dot does. */
bool http_guard_knows_host(const struct http_guard *guard, struct str host);
/* Allowed: the listener's scheme with a host as above; for names of the list also https where the
 * listener has http, since a proxy may stand in front of it. Never "null". */
bool http_guard_knows_origin(const struct http_guard *guard, struct str origin);

/* For every request: Host is known (421), Origin known or absent (403), Sec-Fetch-Site not cross-site,
 * and for POST neither same-site: another port of this machine is the same site (403). */
bool http_guard_check(const struct http_guard *guard, const struct http_head *head,
                      struct http_refusal *refusal);

/* For a call: POST (405) of application/msgpack (415) without a Content-Encoding (415). A form or a
 * plain text, which any page may send unasked, is neither. *token is what stands behind
 * "Bearer " in Authorization, data NULL if that did not come; another scheme or a token with
 * characters that tokens don't have is 401. Without a token the caller is nobody, so that the method
 * table's roles keep it from every change. */
bool http_guard_check_call(const struct http_head *head, struct str *token,
                           struct http_refusal *refusal);
/* The last part alone, for pages that want a token. */
bool http_guard_bearer(const struct http_head *head, struct str *token,
                       struct http_refusal *refusal);

#endif
