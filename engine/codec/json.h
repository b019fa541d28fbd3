#ifndef JML_JSON_H
#define JML_JSON_H

#include "value.h"

/*
 * json: JSON text to values and back, by jansson. Bounded before parsed; duplicate keys are an error.
 */

/* Parses one JSON value into a tree of the arena. ERR_INVALID_PARAMS with line and column. Numbers
 * must be whole or finite; integers outside int64 are an error, and so is a NUL (\u0000) in a text.
 * Depth as limits->depth. A byte order mark before the value is passed over. */
enum err_code json_decode(struct str text, const struct value_limits *limits, struct arena *arena,
                          const msgpack_object **value, struct err *err);
/* Appends value as JSON: compact on one line, or indented by two spaces. bin becomes base64 (RFC
 * 4648 with padding), ext {"ext": type, "data": base64}, a float that JSON cannot say null, a key
 * that is no str its JSON text. Keys keep their order. U+2028/9 and control characters are escaped;
 * other UTF-8 is kept. NULL is nil. */
enum json_style { JSON_COMPACT, JSON_INDENTED };
void json_encode(struct buf *out, const msgpack_object *value, enum json_style style);

#endif
