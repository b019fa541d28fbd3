#ifndef JML_DICTIONARY_H
#define JML_DICTIONARY_H

#include "cell.h"
#include "facts.h"

#include <stddef.h>
#include <stdint.h>

/*
 * dictionary: the distinct values of one column as the codes 1, 2, 3 …; 0 is a missing value.
 *
 * A scorer then judges a value once, however many profiles hold it. Two values have the same code if
 * and only if they are equal; codes say nothing else. A value that was confidential is the same value.
 * Private to score/.
 *
 * One writer (dictionary_code), any number of readers at the same time without a lock. Only grows,
 * with the distinct values ever seen. Owner: whoever called dictionary_create.
 */
enum { DICTIONARY_MISSING = 0, DICTIONARY_FULL = UINT32_MAX };

struct dictionary;

struct dictionary *dictionary_create(enum slot_type type); /* NULL if out of memory */
void dictionary_destroy(struct dictionary *dictionary);    /* NULL is fine */
/* The code of a value, a new one for a new value. DICTIONARY_FULL if out of memory. Writer only. A hash that
 * the slot brings must be slot_hash; without one (0) it is made. */
uint32_t dictionary_code(struct dictionary *dictionary, const struct slot *slot);
/* A slot with its hash will soon be asked for: its place in the index begins to come from memory; then, when
 * that is there, the value that the index leads to. Writer only. */
void dictionary_foresee(const struct dictionary *dictionary, const struct slot *slot);
void dictionary_foresee_value(const struct dictionary *dictionary, const struct slot *slot);
/* The value of a code below dictionary_count; the dictionary's own. */
const struct slot *dictionary_slot(const struct dictionary *dictionary, uint32_t code);
/* The cells that an amount of money covers in dollars at this rate (rates.h; at most 10^9). Kept once they
 * were asked for: any thread may ask. */
struct cell_range dictionary_cells(const struct dictionary *dictionary, uint32_t code,
                                   int64_t rate_ppm);
uint32_t dictionary_count(const struct dictionary *dictionary); /* codes, the missing one too */
size_t dictionary_bytes(const struct dictionary *dictionary);   /* writer only */

#endif
