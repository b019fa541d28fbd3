#ifndef JML_PLANES_H
#define JML_PLANES_H

#include "facts.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/*
 * planes: sets of vocabulary codes as one bit a place and code.
 *
 * Columns of such sets have planes: one bit a place for each code that occurs ("has it"), each group of a
 * two-level vocabulary ("has a code of the group", the bare group included), and each size up to 8 ("has so
 * many codes at least"). What a set has in common with a looker's is then counted for 64 places at once. A
 * table whose vocabulary is larger than PLANES_MAX has none of that column.
 *
 * Here is which plane is which; the bits are the blocks' (columns.h). Names: the writer adds, any thread finds.
 * Private to score/.
 */
enum { PLANE_SIZES = 8, PLANES_MAX = 640, NO_PLANE = UINT32_MAX };
enum plane_set {
    PLANES_SECTORS,
    PLANES_LANGUAGES,
    PLANES_STAGES,
    PLANES_NEEDS,
    PLANES_OFFERS,
    PLANES_MARKETS,
    PLANE_SETS
};

enum { PLANE_NAME_PLACES = 2048 };
struct
    plane_names { /* of one table and set; a name never changes once it is counted. Zeroed: none */
    _Atomic uint32_t n;
    _Atomic bool has_overflown;
    uint64_t names[PLANES_MAX];                 /* of a code or group */
    _Atomic uint16_t places[PLANE_NAME_PLACES]; /* by hash: a name's index and one, or 0 */
};

/* The planes in which a profile has its bit, of each set. */
struct plane_marks {
    uint32_t n[PLANE_SETS];
    uint16_t planes[PLANE_SETS][PLANE_SIZES + 2 * SLOT_CODES_MAX];
};

/* The set of a field; PLANE_SETS: it has none. */
enum plane_set planes_of_field(enum field_id field);
static inline uint32_t
plane_of_size(uint32_t size) /* from 1 to PLANE_SIZES */
{
    return size - 1;
}
/* The plane of a code, or of its group. NO_PLANE: no profile has had it. */
uint32_t plane_names_find(const struct plane_names *names, symbol code, bool is_group);
/* False: there were too many names, and no planes tell anything. */
bool plane_names_tell(const struct plane_names *names);
/* Planes that a block should have, a few more than there are names now. Writer only. */
uint32_t plane_names_room(const struct plane_names *names);
/* Makes sure that all codes of a profile have planes, and says which. Writer only. */
void plane_names_mark(struct plane_names names[PLANE_SETS], const struct facts *facts,
                      struct plane_marks *marks);

#endif
