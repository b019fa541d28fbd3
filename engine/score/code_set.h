#ifndef JML_CODE_SET_H
#define JML_CODE_SET_H

#include "facts.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * code_set: what two sets of codes have in common, by merging their sorted symbols.
 *
 * Sets are slot_codes: ascending, no repeats. Pure; cannot fail.
 */
bool code_set_has(const struct slot_codes *set, symbol code);
uint32_t code_set_common(const struct slot_codes *a, const struct slot_codes *b); /* how many */
bool code_set_meets(const struct slot_codes *a, const struct slot_codes *b);      /* any? */
bool code_set_equal(const struct slot_codes *a, const struct slot_codes *b);
/* Is the group of the other set's i-th code that of some code of the set? */
bool code_set_has_group(const struct slot_codes *set, const struct slot_codes *other, uint32_t i,
                        const struct symbol_scope *scope);

#endif
