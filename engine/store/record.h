#ifndef JML_RECORD_H
#define JML_RECORD_H

#include "buf.h"
#include "digest.h"
#include "err.h"
#include "str.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * record: the bytes of one stored value.
 *
 *     | checksum 8 | field | field | …      integers big-endian
 *       u64:   8 bytes
 *       str:   u32 length, then the bytes
 *
 * The checksum is the short digest of the key's length, the key, and everything behind it, so that a
 * flipped bit is found, and so is a value that stands under another's key. LMDB's values are not
 * aligned: everything is read byte by byte. Pure.
 */
void record_begin(struct buf *out);
void record_put_u64(struct buf *out, uint64_t value);
void record_put_str(struct buf *out, struct str s);
/* Fills in the checksum; ERR as buf_check. */
enum err_code record_seal(struct buf *out, struct str key, struct err *err);

struct record_reader {
    const uint8_t *at, *end;
    bool is_short; /* a field ran past the end; what came since reads as 0 and empty */
};
/* False if the checksum does not hold. */
bool record_open(struct str key, struct str bytes, struct record_reader *reader);
/* Believes the checksum. False if there is not even room for one. */
bool record_open_unchecked(struct str bytes, struct record_reader *reader);
uint64_t record_get_u64(struct record_reader *reader);
struct str record_get_str(struct record_reader *reader);
/* Everything was there, and nothing is left? */
bool record_is_whole(const struct record_reader *reader);

#endif
