#ifndef JML_FIELD_H
#define JML_FIELD_H

#include "faults.h"
#include "quote.h"
#include "reference.h"
#include "schema.h"
#include "value.h"

/*
 * field: one value of one field, checked and written in its stored form in the same pass.
 *
 * One function a field type; what it writes is canonical (profile.h). Faults go where the caller's
 * path stands. Pure; scratch and messages in faults->arena.
 */
enum taken {
    TAKEN_NOTHING, /* null, or empty: the field is left out */
    TAKEN_FAULT,   /* told to faults */
    TAKEN_VALUE    /* written */
};

struct field_checker {
    const struct reference *reference;
    struct faults *faults;
    struct str own_id; /* not allowed in lists of other profiles; empty if unknown */
};

/* Appends the value's stored form to out. What out holds after a fault or nothing is to be cut off
 * by the caller. Not for `confidential`, which is a profile in a profile (profile.c). */
enum taken field_encode(struct field_checker *checker, const struct field *field,
                        const msgpack_object *value, struct buf *out);

/* ---- pieces that profile and programme check with as well ---- */

/* One text, in NFC and trimmed, borrowed from value or the arena. Not one_line: line breaks and tabs
 * are fine. */
enum taken field_take_text(struct field_checker *checker, const msgpack_object *value,
                           size_t points_max, bool one_line, struct str *text);
/* One code of a vocabulary (or of the second one, or -1). */
enum taken field_take_code(struct field_checker *checker, const msgpack_object *value,
                           int vocabulary, int vocabulary_too, struct str *code);
enum taken field_take_id(struct field_checker *checker, const msgpack_object *value,
                         struct str *id);
enum taken field_take_number(struct field_checker *checker, const msgpack_object *value,
                             int64_t min, int64_t max, const char *unit, int64_t *number);
/* No key twice and none that is no text, anywhere in the tree? Else a fault at the first. To be asked
 * before anything else here, which all believe it. */
bool field_keys_are_good(struct faults *faults, const msgpack_object *given);
/* A list? Else a fault saying what should stand in it. */
bool field_is_list(struct field_checker *checker, const msgpack_object *value, const char *of);
/* The values under the keys of a map, in the order of keys (NULL ends them); NULL where absent or
 * null. Unknown keys are faults with the nearest known one. */
bool field_take_map(struct field_checker *checker, const msgpack_object *value,
                    const char *const keys[], const msgpack_object *found[]);
/* The last step of the path, as the subject of a message; the fault "… must be wanted, not value". */
const char *field_here(const struct field_checker *checker);
enum taken field_wrong_type(struct field_checker *checker, const msgpack_object *value,
                            const char *wanted);
/* "text", `"fin"`, `48.5`, `true`: a value as a message shows it. */
struct quoted field_shown(const msgpack_object *value);

/* A free map (external_ids, confidential): keys as text, in byte order, null values left out. */
struct field_pair {
    struct str key;
    const msgpack_object *value;
};
bool field_take_pairs(struct field_checker *checker, const msgpack_object *map, size_t n_max,
                      struct field_pair **pairs, size_t *n);
/* A free value: text, number, yes or no, lists and maps of these, depth containers deep at most. */
enum taken field_encode_free(struct field_checker *checker, const msgpack_object *value,
                             unsigned depth, struct buf *out);

enum {
    FREE_DEPTH_MAX = 4,
    FREE_ELEMENTS_MAX = 100,
    KEY_POINTS_MAX = 64,
    LONG_TEXT_POINTS_MAX = 8000
};

#endif
