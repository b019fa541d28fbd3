#ifndef JMLI_PARAMS_H
#define JMLI_PARAMS_H

#include "octets.h"

/*
 * jml_params: one map of named parameters, packed as it is built. The count of its pairs is known
 * only at the end, so that room for the longest map header stands in front.
 */
enum { PARAMS_HEAD = 5 };

struct jml_params {
    struct jml_allocator allocator;
    struct octets octets; /* PARAMS_HEAD bytes, then pairs */
    uint32_t n_pairs;
    struct jml_error error; /* the first failure; its code is JML_OK while there is none */
};

void jmli_params_init(jml_params *params, const struct jml_allocator *allocator);
void jmli_params_fini(jml_params *params);

/* What a call sends: the packed map, {NULL, 0} for none; or the failure that was kept. */
enum jml_code jmli_params_take(const jml_params *params, struct jml_bytes *out,
                               struct jml_error *error);

/* `bytes` must be one packed value, a map where is_map; within the nesting that a service takes. */
enum jml_code jmli_packed_check(struct jml_bytes bytes, bool is_map, const char *field,
                                struct jml_error *error);

#endif
