#ifndef JMLI_OCTETS_H
#define JMLI_OCTETS_H

#include "fail.h"

#include <msgpack/pack.h>

#include <stdint.h>

/*
 * octets: bytes that grow, up to a limit, with the client's allocator; and msgpack packed to
 * their end.
 *
 * In place; zero, then set allocator and limit. One owner, one thread.
 */
struct octets {
    uint8_t *data;
    size_t len, room, limit;
    const struct jml_allocator *allocator;
};

void jmli_octets_init(struct octets *octets, const struct jml_allocator *allocator, size_t limit);
void jmli_octets_fini(struct octets *octets); /* frees; empty, and usable again */
/* Room for n more bytes behind len; false if memory is out or the limit would be passed. */
bool jmli_octets_reserve(struct octets *octets, size_t n);
bool jmli_octets_append(struct octets *octets, const void *bytes, size_t n);
/* Takes n bytes out at `at`; what is behind moves up. */
void jmli_octets_remove(struct octets *octets, size_t at, size_t n);

/* A packer that appends; msgpack_pack_… gives -1 where append fails. */
msgpack_packer jmli_octets_packer(struct octets *octets);
int jmli_pack_text(msgpack_packer *packer, const char *text, size_t len);

#endif
