#include "octets.h"

#include <string.h>

enum { ROOM_FIRST = 256 };

void
jmli_octets_init(struct octets *octets, const struct jml_allocator *allocator, size_t limit)
{
    *octets = (struct octets){.allocator = allocator, .limit = limit};
}

void
jmli_octets_fini(struct octets *octets)
{
    if (octets->data != NULL)
        jmli_resize(octets->allocator, octets->data, 0);
    octets->data = NULL;
    octets->len = octets->room = 0;
}

bool
jmli_octets_reserve(struct octets *octets, size_t n)
{
    size_t room = octets->room != 0 ? octets->room : ROOM_FIRST;
    uint8_t *data;

    if (n > octets->limit || octets->len > octets->limit - n)
        return false;
    if (octets->data != NULL && octets->room - octets->len >= n)
        return true;
    while (room < octets->len + n)
        room = room > octets->limit / 2 ? octets->limit : room * 2;
    data = jmli_resize(octets->allocator, octets->data, room);
    if (data == NULL)
        return false;
    octets->data = data;
    octets->room = room;
    return true;
}

bool
jmli_octets_append(struct octets *octets, const void *bytes, size_t n)
{
    if (!jmli_octets_reserve(octets, n))
        return false;
    if (n != 0)
        memcpy(octets->data + octets->len, bytes, n);
    octets->len += n;
    return true;
}

void
jmli_octets_remove(struct octets *octets, size_t at, size_t n)
{
    if (n == 0)
        return;
    memmove(octets->data + at, octets->data + at + n, octets->len - at - n);
    octets->len -= n;
}

static int
append_packed(void *octets, const char *bytes, size_t n)
{
    return jmli_octets_append(octets, bytes, n) ? 0 : -1;
}

msgpack_packer
jmli_octets_packer(struct octets *octets)
{
    msgpack_packer packer;

    msgpack_packer_init(&packer, octets, append_packed);
    return packer;
}

int
jmli_pack_text(msgpack_packer *packer, const char *text, size_t len)
{
    int rc = msgpack_pack_str(packer, len);

    return rc == 0 ? msgpack_pack_str_body(packer, text, len) : rc;
}
