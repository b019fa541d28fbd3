#include "params.h"

#include "date.h"
#include "schema.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { TEXT_POINTS_MAX = 8000, ARRAY_MAX = 100000, SHOWN_MAX = 60 };

const char *
param_type_name(enum param_type type)
{
    switch (type) {
    case PARAM_ID:
        return "id";
    case PARAM_TEXT:
        return "text";
    case PARAM_INT:
        return "whole number";
    case PARAM_BOOL:
        return "true or false";
    case PARAM_MAP:
        return "map";
    case PARAM_ARRAY:
        return "list";
    case PARAM_CHOICE:
        return "choice";
    case PARAM_DATE:
        return "date";
    case PARAM_INSTANT:
        return "instant";
    case PARAM_DOCUMENT:
        return "id or map";
    case PARAM_ANY:
        return "anything";
    }
    return "anything";
}

const char *
result_type_name(enum result_type type)
{
    switch (type) {
    case RESULT_MAP:
        return "map";
    case RESULT_ARRAY:
        return "list";
    case RESULT_TEXT:
        return "text";
    case RESULT_INT:
        return "whole number";
    case RESULT_BOOL:
        return "true or false";
    case RESULT_ANY:
        return "anything";
    case RESULT_NIL:
        return "null";
    }
    return "anything";
}

bool
choice_has(const char *choices, struct str word)
{
    struct str all = str_from(choices);

    for (size_t at = 0; at < all.len;) {
        size_t end = str_find(all, ' ', at);

        if (str_equal((struct str){all.data + at, end - at}, word))
            return true;
        at = end + 1;
    }
    return false;
}

const struct param *
params_find(const struct method *method, struct str name)
{
    const struct param *common[METHOD_COMMON_MAX];
    size_t n = method_common_params(method, common);

    for (const struct param *p = method->params; p != NULL && p->name != NULL; p++)
        if (str_is(name, p->name))
            return p;
    for (size_t i = 0; i < n; i++)
        if (str_is(name, common[i]->name))
            return common[i];
    return NULL;
}

static const struct param *
params_nearest(const struct method *method, struct str name)
{
    const struct param *common[METHOD_COMMON_MAX];
    size_t n = method_common_params(method, common);
    const struct param *best = NULL;
    size_t best_distance = name.len / 2 + 1;

    for (const struct param *p = method->params; p != NULL && p->name != NULL; p++) {
        size_t distance = str_distance(name, str_from(p->name), best_distance);

        if (distance < best_distance) {
            best = p;
            best_distance = distance;
        }
    }
    for (size_t i = 0; i < n; i++) {
        size_t distance = str_distance(name, str_from(common[i]->name), best_distance);

        if (distance < best_distance) {
            best = common[i];
            best_distance = distance;
        }
    }
    return best;
}

/* What an error quotes of a text: enough to find it again, cut at a whole character. */
static struct str
shown(struct str s)
{
    if (s.len > SHOWN_MAX) {
        s.len = SHOWN_MAX;
        while (s.len > 0 && ((unsigned char)s.data[s.len] & 0xc0) == 0x80)
            s.len--;
    }
    return s;
}

static enum err_code
wrong_type(const struct param *param, const msgpack_object *value, struct err *err)
{
    const char *type = param_type_name(param->type);
    const char *article = strchr("aeiou", type[0]) != NULL ? "an " : "a ";

    if (param->type == PARAM_BOOL || param->type == PARAM_ANY)
        article = "";
    return err_set(err, ERR_INVALID_PARAMS, "%s must be %s%s, not %s", param->name, article, type,
                   value_type_name(value));
}

static enum err_code
check_text(const struct param *param, const msgpack_object *value, struct err *err)
{
    int64_t most = param->max != 0 ? param->max : TEXT_POINTS_MAX;
    struct str text;

    if (!value_str(value, &text))
        return wrong_type(param, value, err);
    size_t points = str_count_points(text);
    if (points > (size_t)most)
        return err_set(err, ERR_TOO_LARGE, "%s has %zu characters; at most %" PRId64 " are allowed",
                       param->name, points, most);
    return ERR_OK;
}

static enum err_code
check_id(const struct param *param, const msgpack_object *value, struct err *err)
{
    struct str text;

    if (!value_str(value, &text))
        return wrong_type(param, value, err);
    if (!id_is_valid(text))
        return err_set(err, ERR_INVALID_PARAMS,
                       "\"%.*s\" is no id; an id has 1 to 64 of a-z 0-9 . _ - and begins with a "
                       "letter or digit",
                       STR_ARG(shown(text)));
    return ERR_OK;
}

static enum err_code
check_int(const struct param *param, const msgpack_object *value, struct err *err)
{
    int64_t number;

    if (!value_int(value, &number))
        return wrong_type(param, value, err);
    if ((param->min != 0 || param->max != 0) && (number < param->min || number > param->max))
        return err_set(err, ERR_INVALID_PARAMS,
                       "%s is %" PRId64 "; it must be from %" PRId64 " to %" PRId64 "%s%s",
                       param->name, number, param->min, param->max, param->unit != NULL ? " " : "",
                       param->unit != NULL ? param->unit : "");
    return ERR_OK;
}

/* "a b c" as "a, b, c"; cut where a sentence could not hold it anyway. */
static void
format_choices(const char *choices, char *out, size_t size)
{
    size_t n = 0;

    for (; *choices != '\0' && n + 2 < size; choices++) {
        if (*choices == ' ')
            out[n++] = ',';
        out[n++] = *choices;
    }
    out[n] = '\0';
}

static enum err_code
check_choice(const struct param *param, const msgpack_object *value, struct err *err)
{
    char choices[sizeof err->message];
    struct str word;

    if (!value_str(value, &word))
        return wrong_type(param, value, err);
    if (choice_has(param->choices, word))
        return ERR_OK;
    format_choices(param->choices, choices, sizeof choices);
    return err_set(err, ERR_INVALID_PARAMS, "%s is \"%.*s\"; it must be one of: %s", param->name,
                   STR_ARG(shown(word)), choices);
}

static enum err_code
check_date(const struct param *param, const msgpack_object *value, struct err *err)
{
    enum date_precision precision;
    struct str text;
    int32_t days;

    if (!value_str(value, &text))
        return wrong_type(param, value, err);
    return date_parse(text, DATE_DAY, &days, &precision, err);
}

static enum err_code
check_array(const struct param *param, const msgpack_object *value, struct err *err)
{
    int64_t most = param->max != 0 ? param->max : ARRAY_MAX;

    if (!value_is_array(value))
        return wrong_type(param, value, err);
    if (value_size(value) > (size_t)most)
        return err_set(err, ERR_TOO_LARGE, "%s has %zu elements; at most %" PRId64 " are allowed",
                       param->name, value_size(value), most);
    return ERR_OK;
}

static enum err_code
check_one(const struct param *param, const msgpack_object *value, struct err *err)
{
    bool flag;

    switch (param->type) {
    case PARAM_ID:
        return check_id(param, value, err);
    case PARAM_TEXT:
        return check_text(param, value, err);
    case PARAM_INT:
    case PARAM_INSTANT:
        return check_int(param, value, err);
    case PARAM_BOOL:
        return value_bool(value, &flag) ? ERR_OK : wrong_type(param, value, err);
    case PARAM_MAP:
        return value_is_map(value) ? ERR_OK : wrong_type(param, value, err);
    case PARAM_ARRAY:
        return check_array(param, value, err);
    case PARAM_CHOICE:
        return check_choice(param, value, err);
    case PARAM_DATE:
        return check_date(param, value, err);
    case PARAM_DOCUMENT:
        return value_is_map(value) ? ERR_OK : check_id(param, value, err);
    case PARAM_ANY:
        return ERR_OK;
    }
    return ERR_OK;
}

static enum err_code
unknown_param(const struct method *method, struct str name, struct err *err)
{
    const struct param *near = params_nearest(method, name);

    if (near != NULL)
        return err_set(err, ERR_INVALID_PARAMS, "%s has no parameter \"%.*s\"; did you mean %s?",
                       method->name, STR_ARG(shown(name)), near->name);
    return err_set(err, ERR_INVALID_PARAMS, "%s has no parameter \"%.*s\"", method->name,
                   STR_ARG(shown(name)));
}

enum err_code
params_check(const struct method *method, const msgpack_object *params, struct err *err)
{
    if (!value_is_nil(params) && !value_is_map(params))
        return err_set(err, ERR_INVALID_PARAMS,
                       "parameters must be one map of names and values, not %s",
                       value_type_name(params));
    for (size_t i = 0; i < value_size(params); i++) {
        struct str name = value_key(params, i);
        const struct param *param = params_find(method, name);

        if (param == NULL) {
            enum err_code code = unknown_param(method, name, err);
            char step[SHOWN_MAX + 1];

            snprintf(step, sizeof step, "%.*s", STR_ARG(shown(name)));
            err_at(err, step);
            return code;
        }
        if (value_is_nil(value_of(params, i)))
            continue; /* null is "not given" */
        if (check_one(param, value_of(params, i), err) != ERR_OK) {
            err_at(err, param->name);
            return err->code;
        }
    }
    for (const struct param *p = method->params; p != NULL && p->name != NULL; p++)
        if (p->required && value_is_nil(value_find(params, p->name))) {
            err_set(err, ERR_INVALID_PARAMS, "%s needs the parameter %s: %s", method->name, p->name,
                    p->text != NULL ? p->text : param_type_name(p->type));
            err_at(err, p->name);
            return err->code;
        }
    return ERR_OK;
}
