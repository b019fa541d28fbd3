#ifndef JML_DECODER_H
#define JML_DECODER_H

#include "comparison.h"
#include "field.h"

/*
 * decoder: the pieces with which programme, wants and requirements read a document.
 *
 * Each takes one value where the path stands (or one step below, under the key given) and tells what
 * is wrong with it to the faults; what it answers then is the preset. In place, for one decoding.
 */
struct decoder {
    struct field_checker field;
    struct arena *arena;
    const struct reference *reference;
    struct faults *faults;
};

/* "… is missing; remedy" */
void decoder_add_missing(struct decoder *decoder, const char *remedy);
/* "… stands twice among …", one step below, at id */
void decoder_add_repeated_id(struct decoder *decoder, struct str id, const char *among);

/* Position of text in names (NULL ends them), -1 after a fault that gives the nearest or all. */
int decoder_take_name(struct decoder *decoder, const msgpack_object *value,
                      const char *const names[], const char *noun);
struct str decoder_take_id(struct decoder *decoder, const msgpack_object *value,
                           const char *remedy); /* under id; needed */
bool decoder_take_truth(struct decoder *decoder, const char *key, const msgpack_object *value);
int64_t decoder_take_number(struct decoder *decoder, const char *key, const msgpack_object *value,
                            int64_t min, int64_t max, int64_t preset);
struct str decoder_take_phrase(struct decoder *decoder, const msgpack_object *value);
/* The elements of an optional list, at most max of them; 0 for an absent or wrong one. */
size_t decoder_take_list(struct decoder *decoder, const msgpack_object *value, size_t max,
                         const char *of);
/* The type of a want or requirement, one of n, under type; NULL after a fault. */
const struct comparison *decoder_take_type(struct decoder *decoder, const msgpack_object *value,
                                           const struct comparison *all, int n, const char *noun);

/* One operand; false after a fault. */
bool decoder_take_operand(struct decoder *decoder, const msgpack_object *value,
                          const struct comparison *how, bool is_record, struct operand *operand);
/* Two operands that are good each on its own: do they go together? Else a fault. */
bool decoder_check_pair(struct decoder *decoder, const struct operand *of,
                        const struct operand *by);
/* The field of an operand, NULL for a number. */
const struct field *operand_field(const struct operand *operand);
/* Warns of a field that profiles of that kind never have; what follows is for the caller to say. */
void decoder_warn_if_foreign(struct decoder *decoder, const struct field *field, struct str kind,
                             const char *consequence);

#endif
