#include "method.h"

#include <string.h>

/* ---- roles ---- */

static const struct {
    enum role role;
    const char *name;
} role_names[] = {
    {ROLE_ANY, "any"},     {ROLE_READER, "reader"},   {ROLE_OFFICER, "officer"},
    {ROLE_ADMIN, "admin"}, {ROLE_PARTNER, "partner"}, {ROLE_BATCH, "batch"},
};
enum { N_ROLES = sizeof role_names / sizeof role_names[0] };

const char *
role_name(enum role role)
{
    for (size_t i = 0; i < N_ROLES; i++)
        if (role_names[i].role == role)
            return role_names[i].name;
    return "none";
}

enum role
role_parse(struct str name)
{
    for (size_t i = 0; i < N_ROLES; i++)
        if (str_is(name, role_names[i].name))
            return role_names[i].role;
    return 0;
}

/* All roles that one role can act as. */
static unsigned
role_holds(enum role held)
{
    switch (held) {
    case ROLE_ADMIN:
        return ROLE_ADMIN | ROLE_OFFICER | ROLE_READER | ROLE_ANY;
    case ROLE_OFFICER:
        return ROLE_OFFICER | ROLE_READER | ROLE_ANY;
    case ROLE_READER:
        return ROLE_READER | ROLE_ANY;
    case ROLE_PARTNER:
        return ROLE_PARTNER | ROLE_ANY;
    case ROLE_BATCH:
        return ROLE_BATCH | ROLE_READER | ROLE_ANY; /* "reads" are the reader's */
    case ROLE_ANY:
        return ROLE_ANY;
    }
    return 0;
}

bool
role_allows(enum role held, unsigned wanted)
{
    return (role_holds(held) & wanted) != 0;
}

/* ---- the table ---- */

const struct method *
method_find(struct str name)
{
    size_t low = 0, high = n_methods;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = str_compare(str_from(methods[middle].name), name);

        if (order == 0)
            return &methods[middle];
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

const struct method *
method_recall(struct method_memo *memo, struct str name)
{
    size_t place;

    if (name.len < 4)
        return method_find(name);
    place = (name.len * 5 + (unsigned char)name.data[name.len - 1] * 3 +
             (unsigned char)name.data[name.len - 3] + (unsigned char)name.data[0]) %
            METHOD_MEMO_PLACES;
    if (memo->places[place].name_len != name.len ||
        memcmp(memo->places[place].method->name, name.data, name.len) != 0) {
        const struct method *method = method_find(name);

        if (method == NULL)
            return NULL;
        memo->places[place].method = method;
        memo->places[place].name_len = name.len;
    }
    return memo->places[place].method;
}

const struct method *
method_nearest(struct str name)
{
    const struct method *best = NULL;
    size_t best_distance = name.len / 2 + 1;

    for (const struct method *m = methods; m->name != NULL; m++) {
        size_t distance = str_distance(name, str_from(m->name), best_distance);

        if (distance < best_distance) {
            best = m;
            best_distance = distance;
        }
    }
    return best;
}

/* Most that a list answers, and what it answers unasked. */
enum { LIST_MAX = 1000, LIST_PRESET = 50, DEADLINE_MS_MAX = 600000, AFTER_CHARS_MAX = 1024 };

static const struct param common_params[] = {
    {.name = "deadline_ms",
     .type = PARAM_INT,
     .min = 1,
     .max = DEADLINE_MS_MAX,
     .unit = "ms",
     .text = "give up after this long, counted from receipt"},
    {.name = "lang",
     .type = PARAM_CHOICE,
     .choices = "en fr",
     .text = "adds sentences in this language"},
    {.name = "limit",
     .type = PARAM_INT,
     .min = 1,
     .max = LIST_MAX,
     .preset = LIST_PRESET,
     .has_preset = true,
     .unit = "entries",
     .text = "most entries in the answer"},
    {.name = "after",
     .type = PARAM_TEXT,
     .max = AFTER_CHARS_MAX,
     .text = "`next` of the answer before"},
};

size_t
method_common_params(const struct method *method, const struct param *list[METHOD_COMMON_MAX])
{
    size_t n = 0;

    list[n++] = &common_params[0];
    if (method->flags & METHOD_SPEAKS)
        list[n++] = &common_params[1];
    if (method->flags & METHOD_LISTS) {
        list[n++] = &common_params[2];
        list[n++] = &common_params[3];
    }
    return n;
}
