#ifndef JML_FIELD_PARTS_H
#define JML_FIELD_PARTS_H

#include "date.h"
#include "field.h"

/*
 * field_parts: what the files of field share among themselves; nobody else includes it.
 */
typedef enum taken field_encoder(struct field_checker *checker, const struct field *field,
                                 const msgpack_object *value, struct buf *out);
field_encoder field_encode_code, field_encode_id, field_encode_set, field_encode_money,
    field_encode_period, field_encode_texts, field_encode_free_map, field_encode_consent;

/* Out of memory: no verdict. */
enum taken field_no_memory(struct field_checker *checker);
/* What was taken, but nothing is a fault with a remedy. */
enum taken field_needed(struct field_checker *checker, enum taken taken, const char *remedy);
/* "… has n nouns; at most max are kept" */
enum taken field_too_many(struct field_checker *checker, size_t n, int64_t max, const char *noun);
/* "… is no sector code; did you mean …?"; vocabulary_too may be -1. */
void field_unknown_code(struct field_checker *checker, struct str given, int vocabulary,
                        int vocabulary_too);
/* A date as written, and its day. */
enum taken field_take_date(struct field_checker *checker, const msgpack_object *value,
                           enum date_precision coarsest, struct str *text, int32_t *days);

#endif
