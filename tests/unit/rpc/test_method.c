#include "method.h"

#include <criterion/criterion.h>

#include <string.h>

Test(method, the_table_is_sorted_and_each_row_is_whole)
{
    for (size_t i = 0; i < n_methods; i++) {
        const struct method *m = &methods[i];

        cr_expect_not_null(m->summary, "%s", m->name);
        cr_expect_neq(m->roles, 0, "%s", m->name);
        cr_expect(m->handle != NULL || m->apply != NULL, "%s", m->name);
        cr_expect_eq((m->flags & METHOD_WRITES) != 0, m->apply != NULL, "%s", m->name);
        cr_expect_not_null(m->results, "%s", m->name);
        cr_expect_not_null(m->example, "%s", m->name);
        if (i > 0)
            cr_expect_lt(strcmp(methods[i - 1].name, m->name), 0, "%s", m->name);
    }
    cr_expect_null(methods[n_methods].name);
}

Test(method, each_is_found_by_its_name_and_nothing_else_is)
{
    for (size_t i = 0; i < n_methods; i++)
        cr_expect_eq(method_find(str_from(methods[i].name)), &methods[i]);
    cr_expect_null(method_find(STR_LIT("profile")));
    cr_expect_null(method_find(STR_LIT("")));
    cr_expect_null(method_find(STR_LIT("system.pingg")));
}

Test(method, the_nearest_name_is_suggested)
{
    cr_expect_str_eq(method_nearest(STR_LIT("match.topp"))->name, "match.top");
    cr_expect_str_eq(method_nearest(STR_LIT("profil.get"))->name, "profile.get");
    cr_expect_null(method_nearest(STR_LIT("xx")));
}

Test(method, roles_hold_what_the_protocol_says)
{
    cr_expect(role_allows(ROLE_ADMIN, ROLE_OFFICER) && role_allows(ROLE_ADMIN, ROLE_READER));
    cr_expect(role_allows(ROLE_OFFICER, ROLE_READER) && !role_allows(ROLE_OFFICER, ROLE_ADMIN));
    cr_expect(!role_allows(ROLE_READER, ROLE_OFFICER));
    cr_expect(!role_allows(ROLE_PARTNER, ROLE_READER) && role_allows(ROLE_PARTNER, ROLE_ANY));
    cr_expect(role_allows(ROLE_BATCH, ROLE_READER) && !role_allows(ROLE_BATCH, ROLE_OFFICER));
    for (unsigned r = ROLE_ANY; r <= ROLE_BATCH; r <<= 1)
        cr_expect_eq(role_parse(str_from(role_name((enum role)r))), r);
    cr_expect_eq(role_parse(STR_LIT("king")), 0);
}

Test(method, lists_and_speakers_take_the_common_parameters)
{
    const struct param *list[METHOD_COMMON_MAX];

    cr_expect_eq(method_common_params(method_find(STR_LIT("system.ping")), list), 1);
    cr_expect_eq(method_common_params(method_find(STR_LIT("match.top")), list), 2);
    cr_expect_str_eq(list[1]->name, "lang");
    cr_expect_eq(method_common_params(method_find(STR_LIT("profile.list")), list), 3);
    cr_expect_str_eq(list[2]->name, "after");
}
