/* jml_view.c: looking into a result; every function takes NULL for "not there". */
#include <jumelage/jumelage.h>

#include <string.h>

const msgpack_object *
jml_view_find(const msgpack_object *map, const char *key)
{
    size_t len = strlen(key);

    if (map == NULL || map->type != MSGPACK_OBJECT_MAP)
        return NULL;
    for (uint32_t i = 0; i < map->via.map.size; i++) {
        const msgpack_object *name = &map->via.map.ptr[i].key;

        if (name->type == MSGPACK_OBJECT_STR && name->via.str.size == len &&
            memcmp(name->via.str.ptr, key, len) == 0)
            return &map->via.map.ptr[i].val;
    }
    return NULL;
}

size_t
jml_view_count(const msgpack_object *list)
{
    if (list == NULL)
        return 0;
    if (list->type == MSGPACK_OBJECT_ARRAY)
        return list->via.array.size;
    return list->type == MSGPACK_OBJECT_MAP ? list->via.map.size : 0;
}

const msgpack_object *
jml_view_at(const msgpack_object *list, size_t index)
{
    if (list == NULL || list->type != MSGPACK_OBJECT_ARRAY || index >= list->via.array.size)
        return NULL;
    return &list->via.array.ptr[index];
}

bool
jml_view_int(const msgpack_object *value, int64_t *out)
{
    if (value == NULL)
        return false;
    if (value->type == MSGPACK_OBJECT_POSITIVE_INTEGER && value->via.u64 <= INT64_MAX) {
        *out = (int64_t)value->via.u64;
        return true;
    }
    if (value->type == MSGPACK_OBJECT_NEGATIVE_INTEGER) {
        *out = value->via.i64;
        return true;
    }
    if ((value->type == MSGPACK_OBJECT_FLOAT32 || value->type == MSGPACK_OBJECT_FLOAT64) &&
        value->via.f64 >= -9007199254740992.0 && value->via.f64 <= 9007199254740992.0 &&
        value->via.f64 == (double)(int64_t)value->via.f64) {
        *out = (int64_t)value->via.f64;
        return true;
    }
    return false;
}

bool
jml_view_bool(const msgpack_object *value, bool *out)
{
    if (value == NULL || value->type != MSGPACK_OBJECT_BOOLEAN)
        return false;
    *out = value->via.boolean;
    return true;
}

bool
jml_view_text(const msgpack_object *value, struct jml_text *out)
{
    if (value == NULL || value->type != MSGPACK_OBJECT_STR)
        return false;
    *out = (struct jml_text){value->via.str.ptr, value->via.str.size};
    return true;
}

bool
jml_text_is(struct jml_text text, const char *other)
{
    size_t len = strlen(other);

    return text.data != NULL && text.len == len && memcmp(text.data, other, len) == 0;
}
