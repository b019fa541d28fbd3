#ifndef JMLI_OPTIONS_H
#define JMLI_OPTIONS_H

#include "endpoint.h"
#include "octets.h"
#include "trust.h"

/*
 * jml_options: a client's options as they are in force: checked, copied, presets filled in.
 *
 * In place; what is copied of it shares its trust, which one of the two may then forget. The token
 * is wiped by fini.
 */
enum { TOKEN_BYTES_MAX = 200 };

struct settings {
    struct jml_allocator allocator;
    struct endpoint endpoint;
    struct trust trust;
    char token[TOKEN_BYTES_MAX + 1]; /* empty: none */
    char client_name[201];
    char language[3];
    int32_t connect_timeout_ms, call_timeout_ms; /* -1: no end */
    size_t max_frame_bytes, max_frame_items, max_unsent_bytes;
    uint32_t max_nesting, max_in_flight;
};

enum jml_code jmli_settings_read(const struct jml_options *options, struct settings *out,
                                 struct jml_error *error);
void jmli_settings_fini(struct settings *settings);

/* The parameters of system.hello, packed. */
bool jmli_settings_pack_hello(const struct settings *settings, struct octets *out);

#endif
