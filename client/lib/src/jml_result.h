#ifndef JMLI_RESULT_H
#define JMLI_RESULT_H

#include "fail.h"

#include <stdint.h>

/*
 * jml_result: one frame that came, as bytes and as a tree, in one block of memory:
 *
 *     struct jml_result | one msgpack_object a value | the bytes, which texts point into
 *
 * The frame was scanned before (frame.h): it is one whole value, its depth is bounded and the count
 * of its values is known, so that the block is allocated once and reading cannot fail.
 */
enum { RESULT_PARTS_MAX = 4 };

struct jml_result {
    struct jml_allocator allocator;
    const msgpack_object *root; /* of what is shown to the caller */
    struct jml_bytes packed;    /* the bytes of root */
    msgpack_object frame;       /* the whole frame; its parts, if it is an array, stand in … */
    struct jml_bytes parts[RESULT_PARTS_MAX]; /* … as bytes; only the first four are noted */
    msgpack_object objects[];
};

/* NULL if memory is out. root is the frame itself. */
jml_result *jmli_result_read(const struct jml_allocator *allocator, const uint8_t *bytes, size_t n,
                             size_t n_items);
/* The bytes of a key's value, where the root is a map; {NULL, 0} if it has no such key. */
struct jml_bytes jmli_result_member(const jml_result *result, const char *key);
/* Shows part i of the frame, which is an array, as the root. */
void jmli_result_show(jml_result *result, uint32_t i);

#endif
