#include "result_check.h"

#include <string.h>

static bool
type_fits(const msgpack_object *value, enum result_type type)
{
    struct str text;
    int64_t number;
    bool flag;

    switch (type) {
    case RESULT_MAP:
        return value_is_map(value);
    case RESULT_ARRAY:
        return value_is_array(value);
    case RESULT_TEXT:
        return value_str(value, &text);
    case RESULT_INT:
        return value_int(value, &number);
    case RESULT_BOOL:
        return value_bool(value, &flag);
    case RESULT_NIL:
        return value_is_nil(value);
    case RESULT_ANY:
        return true;
    }
    return false;
}

/* Every value that a path such as "matches[].score" stands for. */
static bool
path_fits(const msgpack_object *value, const char *path, const struct result *result)
{
    size_t n = strcspn(path, ".[");

    if (*path == '\0')
        return value_is_nil(value) ? result->optional : type_fits(value, result->type);
    if (*path == '[') {
        for (size_t i = 0; i < value_size(value); i++)
            if (!path_fits(value_at(value, i), path + 2, result))
                return false;
        return true;
    }
    if (*path == '.')
        return path_fits(value, path + 1, result);
    if (value_find_str(value, (struct str){path, n}) == NULL)
        return result->optional;
    return path_fits(value_find_str(value, (struct str){path, n}), path + n, result);
}

const char *
result_check(const struct method *method, const msgpack_object *answer)
{
    for (const struct result *result = method->results; result != NULL && result->name != NULL;
         result++)
        if (!path_fits(answer, result->name, result))
            return result->name[0] != '\0' ? result->name : "(the answer)";
    return NULL;
}
