#ifndef JML_ANSWERS_H
#define JML_ANSWERS_H

#include "value.h"

/* answers: pieces of an answer's map; empty, 0 or false where they are not there. */
static inline struct str
text_of(const msgpack_object *map, const char *key)
{
    struct str text = {NULL, 0};

    value_str(value_find(map, key), &text);
    return text;
}

static inline int64_t
number_of(const msgpack_object *map, const char *key)
{
    int64_t number = 0;

    value_int(value_find(map, key), &number);
    return number;
}

static inline bool
flag_of(const msgpack_object *map, const char *key)
{
    bool flag = false;

    value_bool(value_find(map, key), &flag);
    return flag;
}

#endif
