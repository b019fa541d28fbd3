#ifndef JML_CANONICAL_H
#define JML_CANONICAL_H

#include "arena.h"
#include "err.h"
#include "value.h"

/*
 * canonical: a programme's document in the one form in which it is kept.
 *
 * Keys in a fixed order (those that we don't know after them, in byte order), null values left out,
 * texts (not keys) in NFC and trimmed, whole floats as whole numbers; lists in the order given. Everything is
 * copied into the arena. Pure; depth is bounded by whoever decoded the value.
 */
enum err_code canonical_copy(const msgpack_object *value, struct arena *arena,
                             msgpack_object **copy, struct err *err);

#endif
