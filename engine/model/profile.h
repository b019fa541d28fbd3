#ifndef JML_PROFILE_H
#define JML_PROFILE_H

#include "arena.h"
#include "faults.h"
#include "reference.h"
#include "schema.h"
#include "value.h"

/*
 * profile: one startup, incubator, investor (or another kind), from the outside form to the stored one.
 *
 * The outside form is a map (value.h). The stored form is canonical: fields in the order of the
 * schema, text in NFC and trimmed, sets without repeats in the order given, empty and null fields
 * left out, money with `max` only if it differs from `min`; so the same profile gives the same
 * bytes. Public and confidential parts are apart. `version`, `updated_at` and `seq` are ignored on
 * the way in. Pure.
 */
struct profile_form {
    struct str id, kind; /* borrowed from pairs */
    struct str pairs;    /* n_pairs packed key-value pairs, no map header */
    uint32_t n_pairs;
    struct str confidential; /* a whole packed map, or empty */
};

/* Checks everything and encodes. All faults go to `faults` (paths from "profile" unless the caller
 * pushed another), and form is written only if there is none. */
void profile_encode(const msgpack_object *given, const struct reference *reference,
                    struct faults *faults, struct profile_form *form);
/* Checks one value as a field's value (requirement constants, what-if changes). */
void field_check(const struct field *field, const msgpack_object *value,
                 const struct reference *reference, struct faults *faults);
/* `base` with `changes` laid over it (profile.patch): null removes a field; `confidential` and
 * `description` and `external_ids` are patched by key. The result is a tree of the arena, unchecked;
 * NULL if the arena is full. */
const msgpack_object *profile_patch(const msgpack_object *base, const msgpack_object *changes,
                                    struct arena *arena);
/* The value that scoring reads: from `confidential` if it stands there, else from the open part;
 * NULL if absent. *is_confidential says which. */
const msgpack_object *profile_effective(const msgpack_object *open,
                                        const msgpack_object *confidential,
                                        const struct field *field, bool *is_confidential);
/* Names of the fields in which two stored profiles differ (top level; confidential ones as
 * "confidential.<name>"), sorted by schema order, in the arena. */
enum err_code profile_diff(const msgpack_object *old_profile, const msgpack_object *new_profile,
                           struct arena *arena, const char ***names, size_t *n, struct err *err);

#endif
