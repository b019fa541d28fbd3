#ifndef JML_TABLE_DICTIONARIES_H
#define JML_TABLE_DICTIONARIES_H

#include "columns.h"

#include <stdatomic.h>

/*
 * table_dictionaries: of one table the dictionary of each column, and the names of its planes; shared by all who follow it.
 *
 * Dictionaries and names only grow: codes that were given out stay what they are. The writer alone makes
 * codes; readers look up those of the columns that they hold. Private to score/.
 */

/* Codes of values of one word, by that word: most columns hold few values, which then are found in a line of
 * memory instead of the three or four that a dictionary takes. Writer only. */
enum { RECENT_BITS = 7, RECENT_CODES = 1 << RECENT_BITS };
struct recent_code {
    uint64_t word;
    uint32_t code; /* DICTIONARY_MISSING: none yet */
};

struct table_dictionaries {
    _Atomic uint32_t references;
    struct recent_code recent[COLUMN_COUNT][RECENT_CODES];
    _Atomic(struct dictionary *) of[COLUMN_COUNT]; /* NULL until a value comes */
    struct plane_names planes[PLANE_SETS];
};

/* The codes of one profile, by column, and which of them are not missing: most are, and are passed over. */
struct codes {
    uint32_t of[COLUMN_COUNT];
    uint32_t n_known;
    uint8_t known[COLUMN_COUNT];
};

struct table_dictionaries *table_dictionaries_create(void); /* NULL if out of memory */
struct table_dictionaries *table_dictionaries_hold(struct table_dictionaries *dictionaries);
void table_dictionaries_drop(struct table_dictionaries *dictionaries); /* NULL is fine */
/* Codes of all columns of a profile, new ones where a value is new; false if out of memory. */
bool table_dictionaries_code(struct table_dictionaries *dictionaries, const struct facts *facts,
                             struct codes *codes);

#endif
