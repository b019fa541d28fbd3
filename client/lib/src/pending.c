#include "pending.h"

#include <string.h>

enum { SLOTS_FIRST = 8 };

void
jmli_pending_init(struct pending_table *table, const struct jml_allocator *allocator, uint32_t max)
{
    *table = (struct pending_table){.allocator = allocator,
                                    .max = max,
                                    .first_free = UINT32_MAX,
                                    .next_deadline_ms = INT64_MAX};
}

void
jmli_pending_fini(struct pending_table *table)
{
    if (table->slots != NULL)
        jmli_resize(table->allocator, table->slots, 0);
    table->slots = NULL;
    table->n_slots = table->n_used = 0;
}

static bool
grow(struct pending_table *table)
{
    uint32_t n = table->n_slots != 0 ? table->n_slots * 2 : SLOTS_FIRST;
    struct pending *slots;

    if (n > table->max)
        n = table->max;
    if (n <= table->n_slots)
        return false;
    slots = jmli_resize(table->allocator, table->slots, n * sizeof *slots);
    if (slots == NULL)
        return false;
    memset(slots + table->n_slots, 0, (n - table->n_slots) * sizeof *slots);
    for (uint32_t i = n; i-- > table->n_slots;) {
        slots[i].generation = 1;
        slots[i].next_free = table->first_free;
        table->first_free = i;
    }
    table->slots = slots;
    table->n_slots = n;
    return true;
}

struct pending *
jmli_pending_add(struct pending_table *table, int64_t deadline_ms, uint32_t *id)
{
    struct pending *slot;

    if (table->first_free == UINT32_MAX && !grow(table))
        return NULL;
    *id = table->first_free;
    slot = &table->slots[*id];
    table->first_free = slot->next_free;
    table->n_used++;
    slot->state = PENDING_WAITS;
    slot->deadline_ms = deadline_ms;
    if (deadline_ms < table->next_deadline_ms)
        table->next_deadline_ms = deadline_ms;
    *id |= (uint32_t)slot->generation << 16;
    return slot;
}

struct pending *
jmli_pending_find(struct pending_table *table, uint32_t id)
{
    uint32_t i = id & 0xffff;

    if (i >= table->n_slots || table->slots[i].state == PENDING_FREE ||
        table->slots[i].generation != id >> 16)
        return NULL;
    return &table->slots[i];
}

struct pending *
jmli_pending_at(struct pending_table *table, uint64_t epoch, uint64_t start)
{
    for (uint32_t i = 0; i < table->n_slots; i++)
        if (table->slots[i].state != PENDING_FREE && table->slots[i].epoch == epoch &&
            table->slots[i].start == start)
            return &table->slots[i];
    return NULL;
}

void
jmli_pending_free(struct pending_table *table, struct pending *slot)
{
    slot->state = PENDING_FREE;
    slot->generation = slot->generation == UINT16_MAX ? 1 : (uint16_t)(slot->generation + 1);
    slot->next_free = table->first_free;
    table->first_free = (uint32_t)(slot - table->slots);
    table->n_used--;
}
