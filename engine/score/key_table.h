#ifndef JML_KEY_TABLE_H
#define JML_KEY_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * key_table: numbers by keys of 64 bits that are hashes already; open addressing. Key 0 marks a free place, and is
 * none.
 *
 * One writer; once it is done, any number of readers. Zeroed is an empty one. Private to score/.
 */
struct key_place {
    uint64_t key;
    int64_t value;
};
struct key_table {
    struct key_place *places; /* NULL until something is put */
    size_t mask, n;
};

void key_table_fini(struct key_table *table);
/* Room for `most` keys, two thirds full. False: no memory. */
bool key_table_grow(struct key_table *table, size_t most);
/* The value's place, new ones holding -1; good until the next put. NULL: no memory. */
int64_t *key_table_put(struct key_table *table, uint64_t key);
int32_t key_table_find(const struct key_table *table, uint64_t key); /* -1: it is not there */

#endif
