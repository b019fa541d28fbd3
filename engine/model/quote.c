#include "quote.h"

#include <string.h>

enum { SHOWN_BYTES_MAX = 60 };

struct quoted
quote(struct str s)
{
    struct quoted quoted = {{0}};
    size_t n = s.len < SHOWN_BYTES_MAX ? s.len : SHOWN_BYTES_MAX, at = 0;

    while (n < s.len && n > 0 && ((unsigned char)s.data[n] & 0xC0) == 0x80)
        n--; /* back to where a character begins */
    quoted.text[at++] = '"';
    for (size_t i = 0; i < n; i++) {
        unsigned char byte = (unsigned char)s.data[i];

        quoted.text[at++] = byte < 0x20 || byte == 0x7F ? '?' : s.data[i];
    }
    if (n < s.len) {
        memcpy(quoted.text + at, "…", sizeof "…" - 1);
        at += sizeof "…" - 1;
    }
    quoted.text[at] = '"';
    return quoted;
}
