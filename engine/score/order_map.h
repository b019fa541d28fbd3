#ifndef JML_ORDER_MAP_H
#define JML_ORDER_MAP_H

#include "arena.h"
#include "err.h"
#include "symbols.h"
#include "vocabulary.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * order_map: the place of a code in its vocabulary's order, by symbol, in one step.
 *
 * Codes whose row has no `order` are not in it. In an arena; read-only once made.
 */
struct order_map {
    struct order_entry {
        symbol code; /* SYMBOL_NONE: free */
        int32_t order;
    } * entries;
    uint32_t mask;
};

/* ERR_BUSY if memory ends. */
enum err_code order_map_make(const struct vocabulary *vocabulary, struct symbol_scope *scope,
                             struct arena *arena, struct order_map *out, struct err *err);
bool order_map_find(const struct order_map *map, symbol code, int32_t *order);

#endif
