/* The library's list of methods that may be repeated, held against the service's own table. */
#include "method.h"

#include <jumelage/jumelage.h>

#include <criterion/criterion.h>

Test(reading_methods, exactly_those_that_do_not_write_may_be_repeated)
{
    for (size_t i = 0; i < n_methods; i++)
        cr_expect_eq(jml_method_reads(methods[i].name),
                     (methods[i].flags & (METHOD_WRITES | METHOD_ONCE)) == 0, "%s",
                     methods[i].name);
    cr_expect_not(jml_method_reads("profile.gett"));
}

Test(reading_methods, codes_have_the_names_of_the_protocol)
{
    for (int code = ERR_OK + 1; code < ERR_COUNT; code++)
        cr_expect_str_eq(jml_code_name((enum jml_code)code), err_name((enum err_code)code));
    cr_expect_str_eq(jml_code_name(JML_LOST), "lost");
    cr_expect_str_eq(jml_code_name((enum jml_code)4711), "unknown");
}
