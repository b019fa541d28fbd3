#include "cases.h"
#include "rpc_fixture.h"

#include <string.h>

static struct rpc rpc;

static void
setup(void)
{
    rpc_open(&rpc);
}

static void
teardown(void)
{
    rpc_close(&rpc);
}

TestSuite(handle_duplicate, .init = setup, .fini = teardown);

static void
put(const char *id, const char *kind, const char *name, const char *more)
{
    rpc_ok(&rpc, "profile.put",
           arena_format(rpc.arena,
                        "{\"profile\": {\"id\": \"%s\", \"kind\": \"%s\", \"name\": \"%s\"%s}}", id,
                        kind, name, more)
               .data);
}

Test(handle_duplicate, the_same_name_or_site_or_number_is_evidence)
{
    const msgpack_object *list;

    put("a", "startup", "Café Noé SAS", ", \"city\": \"Paris\"");
    put("b", "startup", "CAFE NOE", ", \"city\": \"paris\"");
    put("c", "startup", "Quite Another", ", \"website\": \"https://www.same.example/x\"");
    put("d", "startup", "Unrelated", ", \"website\": \"http://same.example\"");
    put("e", "lab", "Cafe Noe", "");
    put("f", "startup", "Eins", ", \"external_ids\": {\"siren\": \"123\"}");
    put("g", "startup", "Zwei", ", \"external_ids\": {\"siren\": \"123\"}");
    put("h", "startup", "Robotique Nantaise", ", \"city\": \"Nantes\"");
    put("i", "startup", "Robotique Nantais", ", \"city\": \"Nantes\"");
    list = rpc_at(rpc_ok(&rpc, "profile.duplicates", "{}"), "duplicates");
    cr_assert_eq(value_size(list), 4);
    cr_expect_str_eq(rpc_text(&rpc, value_at(list, 0), "a"), "f");
    cr_expect_eq(rpc_int(value_at(list, 0), "strength"), 9000);
    cr_expect_str_eq(rpc_text(&rpc, value_at(list, 1), "b"), "b");
    cr_expect_eq(rpc_int(value_at(list, 1), "strength"), 7000, "name and city");
    cr_expect_str_eq(rpc_text(&rpc, value_at(list, 2), "evidence[0].value"), "same.example");
    cr_expect_eq(rpc_int(value_at(list, 3), "strength"), 4000, "near name and city");
}

Test(handle_duplicate, only_those_of_one_profile_on_request)
{
    put("a", "startup", "Alpha", "");
    put("b", "startup", "alpha", "");
    put("c", "startup", "Gamma", "");
    put("d", "startup", "gamma", "");
    cr_expect_eq(
        value_size(rpc_at(rpc_ok(&rpc, "profile.duplicates", "{\"id\": \"d\"}"), "duplicates")), 1);
    cr_expect_eq(
        value_size(rpc_at(rpc_ok(&rpc, "profile.duplicates", "{\"limit\": 1}"), "duplicates")), 1);
    rpc_fails(&rpc, "profile.duplicates", "{\"id\": \"zz\"}", ERR_NOT_FOUND, "id");
}

Test(handle_duplicate, a_site_that_very_many_share_tells_nothing)
{
    for (int i = 0; i < 30; i++)
        put(arena_format(rpc.arena, "p%d", i).data, "startup",
            arena_format(rpc.arena, "%c%c%c%c unlike", 'a' + i % 26, 'a' + i / 3, 'z' - i % 20,
                         'a' + i % 7)
                .data,
            ", \"website\": \"https://platform.example\"");
    cr_expect_eq(value_size(rpc_at(rpc_ok(&rpc, "profile.duplicates", "{}"), "duplicates")), 0);
}
