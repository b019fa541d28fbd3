#ifndef JML_SLOT_READER_H
#define JML_SLOT_READER_H

#include "facts.h"
#include "value.h"

/*
 * slot_reader: one field's value, as a profile or a requirement states it, becomes a slot.
 *
 * Symbols go to the writer's table, or to a scope. Codes lie in the arena, or in a room that a draft has for
 * them, ascending and without repeats. What is not of the field's type is refused with ERR_INVALID_PARAMS and the
 * field. Private to facts.c and slot_reader.c.
 */
enum { CODE_ROOM = 128 };

/* Of a draft: most sets are of a few codes, and an arena rounds each up. */
struct code_room {
    symbol codes[CODE_ROOM];
    uint32_t used;
};

struct slot_reader {
    const struct reference *reference;
    struct symbols *symbols; /* one of these two */
    struct symbol_scope *scope;
    struct arena *arena;
    struct code_room *room; /* NULL: codes lie in the arena */
};

/* Room for n codes; NULL if memory ends. */
static inline symbol *
slot_take_codes(const struct slot_reader *reader, size_t n)
{
    struct code_room *room = reader->room;

    if (room == NULL || n > CODE_ROOM - room->used)
        return arena_alloc(reader->arena, n, sizeof(symbol));
    room->used += (uint32_t)n;
    return room->codes + room->used - n;
}

/* SYMBOL_NONE if memory ends. */
static inline symbol
slot_intern(const struct slot_reader *reader, struct str text)
{
    return reader->scope != NULL ? symbol_scope_intern(reader->scope, text)
                                 : symbols_intern(reader->symbols, text);
}

/* ERR_INVALID_PARAMS, with the field: its value is not `wanted`. */
enum err_code slot_refuse(const struct field *field, const char *wanted, struct err *err);
/* In place. */
struct slot_codes slot_sort_codes(symbol *codes, uint32_t n);
enum err_code slot_read_day(const struct field *field, const msgpack_object *value,
                            enum date_precision coarsest, int32_t *out, struct err *err);
/* Any value of the field, NULL or nil: missing. */
enum err_code slot_read(const struct slot_reader *reader, const struct field *field,
                        const msgpack_object *value, struct slot *slot, struct err *err);
/* A set of codes straight from the bytes, where they are as they nearly always are: a short text or a list of
 * few. Else false, and all is as it was. */
bool slot_read_codes_at(const struct slot_reader *reader, const struct field *field,
                        struct value_cursor *cursor, struct slot_codes *out);

#endif
