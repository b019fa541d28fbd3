#include "order_map.h"

static uint32_t
place_of(const struct order_map *map, symbol code)
{
    uint32_t at = (code * UINT32_C(0x9e3779b9) >> 8) & map->mask;

    while (map->entries[at].code != SYMBOL_NONE && map->entries[at].code != code)
        at = (at + 1) & map->mask;
    return at;
}

enum err_code
order_map_make(const struct vocabulary *vocabulary, struct symbol_scope *scope, struct arena *arena,
               struct order_map *out, struct err *err)
{
    size_t n_rows = vocabulary_size(vocabulary), n_places = 16;
    struct order_map map;

    while (n_places < 2 * n_rows)
        n_places *= 2;
    map.mask = (uint32_t)n_places - 1;
    map.entries = arena_alloc(arena, n_places, sizeof *map.entries);
    if (map.entries == NULL)
        return err_no_memory(err);
    for (int row = 0; row < (int)n_rows; row++) {
        int32_t order;
        symbol code;

        if (!vocabulary_order(vocabulary, row, &order))
            continue;
        code = symbol_scope_intern(scope, vocabulary_code(vocabulary, row));
        if (code == SYMBOL_NONE)
            return err_no_memory(err);
        map.entries[place_of(&map, code)] = (struct order_entry){code, order};
    }
    *out = map;
    return ERR_OK;
}

bool
order_map_find(const struct order_map *map, symbol code, int32_t *order)
{
    const struct order_entry *entry = &map->entries[place_of(map, code)];

    if (entry->code == SYMBOL_NONE)
        return false;
    *order = entry->order;
    return true;
}
