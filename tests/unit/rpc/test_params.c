#include "cases.h"
#include "json.h"
#include "params.h"

#include <string.h>

static const struct {
    const char *says, *method, *json;
    enum err_code code;
    const char *field, *part; /* of the sentence */
} cases[] = {
    {"nothing is fine where nothing is required", "system.ping", "{}", ERR_OK, "", ""},
    {"null is the same as left out", "profile.list", "{\"kind\": null}", ERR_OK, "", ""},
    {"a list is no map", "system.ping", "[]", ERR_INVALID_PARAMS, "", "one map"},
    {"an unknown name, with the nearest", "match.top", "{\"programe\": \"x\"}", ERR_INVALID_PARAMS,
     "programe", "did you mean programme"},
    {"an unknown name with none near", "system.ping", "{\"colour\": 1}", ERR_INVALID_PARAMS,
     "colour", "no parameter"},
    {"a missing one, with what it is for", "match.top", "{\"id\": \"a\"}", ERR_INVALID_PARAMS,
     "programme", "needs the parameter"},
    {"a number for an id", "profile.get", "{\"id\": 7}", ERR_INVALID_PARAMS, "id", "whole number"},
    {"an id of capitals", "profile.get", "{\"id\": \"Acme\"}", ERR_INVALID_PARAMS, "id", "no id"},
    {"an empty id", "profile.get", "{\"id\": \"\"}", ERR_INVALID_PARAMS, "id", "no id"},
    {"an id of 64 characters", "profile.get",
     "{\"id\": \"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\"}", ERR_OK, "",
     ""},
    {"an id of 65 characters", "profile.get",
     "{\"id\": \"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\"}",
     ERR_INVALID_PARAMS, "id", "1 to 64"},
    {"k at its least", "match.top", "{\"programme\": \"p\", \"id\": \"a\", \"k\": 1}", ERR_OK, "",
     ""},
    {"k at its most, as a whole float", "match.top",
     "{\"programme\": \"p\", \"id\": \"a\", \"k\": 1000.0}", ERR_OK, "", ""},
    {"k one over", "match.top", "{\"programme\": \"p\", \"id\": \"a\", \"k\": 1001}",
     ERR_INVALID_PARAMS, "k", "from 1 to 1000"},
    {"k one under", "match.top", "{\"programme\": \"p\", \"id\": \"a\", \"k\": 0}",
     ERR_INVALID_PARAMS, "k", "from 1 to 1000"},
    {"k of a half", "match.top", "{\"programme\": \"p\", \"id\": \"a\", \"k\": 1.5}",
     ERR_INVALID_PARAMS, "k", "whole number"},
    {"a choice that is none", "match.top",
     "{\"programme\": \"p\", \"id\": \"a\", \"side\": \"left\"}", ERR_INVALID_PARAMS, "side",
     "must be one of: from, to"},
    {"lang where the method speaks", "match.top",
     "{\"programme\": \"p\", \"id\": \"a\", \"lang\": \"fr\"}", ERR_OK, "", ""},
    {"lang where it does not", "profile.get", "{\"id\": \"a\", \"lang\": \"fr\"}",
     ERR_INVALID_PARAMS, "lang", "no parameter"},
    {"a text for true or false", "profile.put_many", "{\"profiles\": [], \"atomic\": \"yes\"}",
     ERR_INVALID_PARAMS, "atomic", "true or false"},
    {"a map for a list", "profile.put_many", "{\"profiles\": {}}", ERR_INVALID_PARAMS, "profiles",
     "list"},
    {"a list for a map", "profile.put", "{\"profile\": []}", ERR_INVALID_PARAMS, "profile", "map"},
    {"an id or a map: an id", "programme.check", "{\"programme\": \"p\"}", ERR_OK, "", ""},
    {"an id or a map: a map", "programme.check", "{\"programme\": {}}", ERR_OK, "", ""},
    {"an id or a map: a number", "programme.check", "{\"programme\": 3}", ERR_INVALID_PARAMS,
     "programme", ""},
    {"a date", "match.explain",
     "{\"programme\": \"p\", \"from\": \"a\", \"to\": \"b\", \"day\": \"2026-02-28\"}", ERR_OK, "",
     ""},
    {"a day that is none", "match.explain",
     "{\"programme\": \"p\", \"from\": \"a\", \"to\": \"b\", \"day\": \"2026-02-30\"}",
     ERR_INVALID_PARAMS, "day", "2026-02-30"},
    {"a deadline of zero", "system.ping", "{\"deadline_ms\": 0}", ERR_INVALID_PARAMS, "deadline_ms",
     "from 1 to 600000"},
    {"limit one over", "profile.list", "{\"limit\": 1001}", ERR_INVALID_PARAMS, "limit", "1000"},
};

CASES(params, each_fault_has_its_own_sentence_and_field, cases)
{
    struct arena *arena = arena_create(1 << 20);
    const msgpack_object *value;
    struct err err = {0};

    cr_assert_eq(json_decode(str_from(cases[*i].json), &value_limits_default, arena, &value, &err),
                 ERR_OK);
    cr_expect_eq(params_check(method_find(str_from(cases[*i].method)), value, &err), cases[*i].code,
                 "%s: %s", cases[*i].says, err.message);
    cr_expect_str_eq(err.field, cases[*i].field, "%s", cases[*i].says);
    cr_expect_not_null(strstr(err.message, cases[*i].part), "%s: %s", cases[*i].says, err.message);
    arena_destroy(arena);
}

Test(params, a_text_may_have_its_limit_and_not_one_more)
{
    struct arena *arena = arena_create(1 << 20);
    const struct method *list = method_find(STR_LIT("profile.list"));
    const msgpack_object *value;
    struct err err = {0};

    for (int n = 200; n <= 201; n++) {
        struct str text = arena_format(arena, "{\"text\": \"%0*d\"}", n, 0);

        cr_assert_eq(json_decode(text, &value_limits_default, arena, &value, &err), ERR_OK);
        cr_expect_eq(params_check(list, value, &err), n == 200 ? ERR_OK : ERR_TOO_LARGE);
    }
    arena_destroy(arena);
}
