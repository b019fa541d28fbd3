#include "key_table.h"

#include "alloc.h"

void
key_table_fini(struct key_table *table)
{
    mem_free(table->places);
}

static struct key_place *
place_of(const struct key_table *table, uint64_t key)
{
    size_t at = (size_t)(key ^ key >> 32) & table->mask;

    while (table->places[at].key != 0 && table->places[at].key != key)
        at = (at + 1) & table->mask;
    return &table->places[at];
}

bool
key_table_grow(struct key_table *table, size_t most)
{
    struct key_table new = {.n = table->n};
    size_t room = 64;

    while (room < most + most / 2)
        room *= 2;
    new.places = mem_alloc_zeroed(room, sizeof *new.places);
    new.mask = room - 1;
    if (new.places == NULL)
        return false;
    for (size_t i = 0; table->places != NULL && i <= table->mask; i++)
        if (table->places[i].key != 0)
            *place_of(&new, table->places[i].key) = table->places[i];
    key_table_fini(table);
    *table = new;
    return true;
}

int64_t *
key_table_put(struct key_table *table, uint64_t key)
{
    struct key_place *place;

    if (table->places == NULL || table->n >= table->mask - table->mask / 4)
        if (!key_table_grow(table, 2 * table->n))
            return NULL;
    place = place_of(table, key);
    if (place->key == 0) {
        *place = (struct key_place){key, -1};
        table->n++;
    }
    return &place->value;
}

int32_t
key_table_find(const struct key_table *table, uint64_t key)
{
    struct key_place *place;

    if (table->places == NULL)
        return -1;
    place = place_of(table, key);
    return place->key == key ? (int32_t)place->value : -1;
}
