#ifndef JMLI_CALLS_H
#define JMLI_CALLS_H

#include "jml_params.h"

/*
 * calls: what the typed calls of call_<noun>.c have in common: parameters built in place, one
 * blocking call, fields read from the answer.
 */

/* jml_call with parameters in place, which are released. */
enum jml_code jmli_call(jml_client *client, const char *method, jml_params *params,
                        jml_result **out, struct jml_error *error);
/* Parameters in place, with the client's allocator. */
void jmli_call_begin(const jml_client *client, jml_params *params);

/* A method that takes an id and an earlier version (0: the newest). */
enum jml_code jmli_call_get(jml_client *client, const char *method, const char *id, int64_t version,
                            jml_result **out, struct jml_error *error);

/* A text that the caller must give. */
enum jml_code jmli_need(const char *text, const char *field, struct jml_error *error);

/* Fields of a map; where the key is absent: {NULL, 0}, JML_ABSENT, false. */
struct jml_text jmli_text_at(const msgpack_object *map, const char *key);
int64_t jmli_int_at(const msgpack_object *map, const char *key);
int32_t jmli_bp_at(const msgpack_object *map, const char *key);
bool jmli_bool_at(const msgpack_object *map, const char *key);
/* NULL for what is no array. */
const msgpack_object *jmli_array_at(const msgpack_object *map, const char *key);

/* What a write did; NULL if that is not wanted. */
void jmli_written_read(const jml_result *result, struct jml_written *written);
/* One page; `items` names its list. */
void jmli_page_read(const jml_result *result, const char *items, struct jml_page *page);
/* if_version, unless it is JML_ANY_VERSION. */
void jmli_add_if_version(jml_params *params, int64_t if_version);
/* after and limit, where they are given. */
void jmli_add_page(jml_params *params, struct jml_text after, int32_t limit);

#endif
