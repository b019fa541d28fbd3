#include "planes.h"

enum {
    PLANE_STEP = 16
}; /* planes come in so many, so that a block is not made anew for each name */

static const enum field_id fields[PLANE_SETS] = {
    [PLANES_SECTORS] = FIELD_SECTORS, [PLANES_LANGUAGES] = FIELD_LANGUAGES,
    [PLANES_STAGES] = FIELD_STAGES,   [PLANES_NEEDS] = FIELD_NEEDS,
    [PLANES_OFFERS] = FIELD_OFFERS,   [PLANES_MARKETS] = FIELD_MARKETS,
};

enum plane_set
planes_of_field(enum field_id field)
{
    int set = 0;

    while (set < PLANE_SETS && fields[set] != field)
        set++;
    return (enum plane_set)set;
}

/* ---- names ---- */

static uint64_t
name_of(symbol code, bool is_group)
{
    return (uint64_t)code << 1 | is_group;
}

bool
plane_names_tell(const struct plane_names *names)
{
    return !atomic_load_explicit(&names->has_overflown, memory_order_acquire);
}

uint32_t
plane_names_room(const struct plane_names *names)
{
    uint32_t n = PLANE_SIZES + atomic_load_explicit(&names->n, memory_order_relaxed);

    return plane_names_tell(names) ? (n + PLANE_STEP - 1) / PLANE_STEP * PLANE_STEP : 0;
}

/* The index of a name; or NO_PLANE, and *free_place where it would stand. */
static uint32_t
find(const struct plane_names *names, uint64_t name, uint32_t *free_place)
{
    uint32_t at = (uint32_t)(name * UINT64_C(0x9e3779b97f4a7c15) >> 40) % PLANE_NAME_PLACES;

    for (;; at = (at + 1) % PLANE_NAME_PLACES) {
        uint32_t index = atomic_load_explicit(&names->places[at], memory_order_acquire);

        if (index == 0) {
            *free_place = at;
            return NO_PLANE;
        }
        if (names->names[index - 1] == name)
            return index - 1;
    }
}

uint32_t
plane_names_find(const struct plane_names *names, symbol code, bool is_group)
{
    uint32_t free_place, index = find(names, name_of(code, is_group), &free_place);

    return index != NO_PLANE ? PLANE_SIZES + index : NO_PLANE;
}

/* The plane of a name, a new one for a new name; NO_PLANE where there are too many. */
static uint32_t
add(struct plane_names *names, uint64_t name)
{
    uint32_t n = atomic_load_explicit(&names->n, memory_order_relaxed), free_place;
    uint32_t known = find(names, name, &free_place);

    if (known != NO_PLANE)
        return PLANE_SIZES + known;
    if (n == PLANES_MAX - PLANE_SIZES)
        return NO_PLANE;
    names->names[n] = name;
    atomic_store_explicit(&names->n, n + 1, memory_order_relaxed);
    atomic_store_explicit(&names->places[free_place], (uint16_t)(n + 1), memory_order_release);
    return PLANE_SIZES + n;
}

/* ---- marks ---- */

static void
mark(struct plane_marks *marks, int set, uint32_t plane)
{
    marks->planes[set][marks->n[set]++] = (uint16_t)plane;
}

/* False where there are too many names. */
static bool
mark_codes(struct plane_names *names, int set, const struct slot_codes *codes,
           struct plane_marks *marks)
{
    bool has_groups = (schema[fields[set]].flags & FIELD_TWO_LEVEL) != 0; /* facts bring them */

    for (uint32_t i = 0; i < codes->n; i++) {
        uint32_t plane = add(names, name_of(codes->codes[i], false)), group = 0;

        if (has_groups)
            group = add(names, name_of(codes->groups[i], true));
        if (plane == NO_PLANE || group == NO_PLANE)
            return false;
        mark(marks, set, plane);
        if (has_groups)
            mark(marks, set, group);
    }
    return true;
}

void
plane_names_mark(struct plane_names names[PLANE_SETS], const struct facts *facts,
                 struct plane_marks *marks)
{
    for (int set = 0; set < PLANE_SETS; set++) {
        const struct slot *slot = facts_slot(facts, fields[set]);

        marks->n[set] = 0;
        if (slot->state == SLOT_MISSING || !plane_names_tell(&names[set]))
            continue;
        for (uint32_t size = 1; size <= slot->codes.n && size <= PLANE_SIZES; size++)
            mark(marks, set, plane_of_size(size));
        if (!mark_codes(&names[set], set, &slot->codes, marks)) {
            marks->n[set] = 0;
            atomic_store_explicit(&names[set].has_overflown, true, memory_order_release);
        }
    }
}
