#include "clock.h"

#include <criterion/criterion.h>

Test(clock, the_systems_steady_time_never_goes_back)
{
    const struct clock *clock = clock_system();
    int64_t before = clock->steady_ms(clock);

    for (int i = 0; i < 1000; i++) {
        int64_t now = clock->steady_ms(clock);

        cr_assert_geq(now, before);
        before = now;
    }
}

Test(clock, the_systems_wall_time_is_of_this_century)
{
    const struct clock *clock = clock_system();

    cr_expect_gt(clock->wall_ms(clock), INT64_C(1577836800000)); /* 2020-01-01 */
    cr_expect_lt(clock->wall_ms(clock), INT64_C(4102444800000)); /* 2100-01-01 */
}

Test(clock, a_fixed_one_says_what_it_was_told)
{
    struct clock clock = clock_fixed(1700000000123, 77);

    cr_expect_eq(clock.wall_ms(&clock), 1700000000123);
    cr_expect_eq(clock.steady_ms(&clock), 77);
    clock.fixed_steady_ms += 10;
    cr_expect_eq(clock.steady_ms(&clock), 87);
    cr_expect_eq(clock.wall_ms(&clock), 1700000000123);
}
