#include "alloc.h"
#include "buf.h"

#include <criterion/criterion.h>

#include <stdlib.h>

Test(buf, pieces_follow_one_another)
{
    struct buf buf;

    buf_init(&buf, 1000);
    cr_expect_eq(buf_str(&buf).len, 0);
    buf_append(&buf, "a\0b", 3);
    buf_append(&buf, NULL, 0);
    buf_append_str(&buf, STR_LIT("cd"));
    buf_append_str(&buf, (struct str){NULL, 0});
    buf_append_text(&buf, "ef");
    buf_append_char(&buf, 'g');
    buf_printf(&buf, "%d-%s", 42, "h");
    cr_expect(str_equal(buf_str(&buf), STR_LIT("a\0bcdefg42-h")));
    cr_expect_eq(buf_check(&buf, NULL), ERR_OK);
    buf_fini(&buf);
    buf_fini(&buf);
}

Test(buf, the_limit_is_met_exactly)
{
    struct buf buf;
    struct err err;

    buf_init(&buf, 10);
    buf_append_text(&buf, "0123456789");
    cr_expect_eq(buf_check(&buf, &err), ERR_OK);
    buf_append(&buf, "", 0);
    cr_expect_eq(buf_check(&buf, &err), ERR_OK);
    buf_append_char(&buf, 'x');
    cr_expect_eq(buf_check(&buf, &err), ERR_TOO_LARGE);
    cr_expect_str_eq(err.message, "larger than the limit of 10 bytes");
    cr_expect(str_is(buf_str(&buf), "0123456789"));
    buf_fini(&buf);
}

Test(buf, a_print_that_ends_at_the_limit_fits_and_one_over_does_not)
{
    for (size_t n = 250; n < 260; n++) { /* around the size that is printed on the stack */
        struct buf buf;

        buf_init(&buf, n);
        buf_printf(&buf, "%*d", (int)n, 7);
        cr_expect_eq(buf_check(&buf, NULL), ERR_OK, "%zu", n);
        cr_expect_eq(buf.len, n);
        cr_expect_eq(buf.data[n - 1], '7');
        buf_clear(&buf);
        buf_printf(&buf, "%*d", (int)n + 1, 7);
        cr_expect_eq(buf_check(&buf, NULL), ERR_TOO_LARGE, "%zu", n);
        buf_fini(&buf);
    }
}

Test(buf, a_failure_sticks_until_it_is_cleared)
{
    struct buf buf;

    buf_init(&buf, 4);
    buf_append_text(&buf, "12345");
    buf_append_char(&buf, 'a');
    cr_expect_null(buf_reserve(&buf, 1));
    cr_expect_eq(buf.len, 0, "nothing is added after a failure, though it would fit");
    buf_clear(&buf);
    buf_append_text(&buf, "1234");
    cr_expect_eq(buf_check(&buf, NULL), ERR_OK);
    cr_expect(str_is(buf_str(&buf), "1234"));
    buf_fini(&buf);
}

Test(buf, reserved_room_counts_once_it_is_added)
{
    struct buf buf;
    char *at;

    buf_init(&buf, 100);
    at = buf_reserve(&buf, 50);
    cr_assert_not_null(at);
    memcpy(at, "abc", 3);
    buf.len += 3;
    cr_expect(str_is(buf_str(&buf), "abc"));
    cr_expect_not_null(buf_reserve(&buf, 97));
    cr_expect_null(buf_reserve(&buf, 98));
    buf_fini(&buf);
}

Test(buf, sizes_near_the_largest_do_not_wrap)
{
    struct buf buf;

    buf_init(&buf, SIZE_MAX - 1);
    buf_append_text(&buf, "abc");
    cr_expect_null(buf_reserve(&buf, SIZE_MAX));
    cr_expect_eq(buf_check(&buf, NULL), ERR_TOO_LARGE);
    buf_fini(&buf);
}

Test(buf, taking_hands_the_bytes_over)
{
    struct buf buf;
    char *data;
    size_t len;

    buf_init(&buf, 100);
    buf_append_text(&buf, "abc");
    buf_take(&buf, &data, &len);
    cr_expect_eq(len, 3);
    cr_expect_arr_eq(data, "abc", 3);
    cr_expect_eq(buf.len, 0);
    buf_append_text(&buf, "again");
    cr_expect(str_is(buf_str(&buf), "again"));
    free(data);
    buf_fini(&buf);
}

Test(buf, when_memory_ends_the_code_is_busy)
{
    struct buf buf;
    struct err err;

    buf_init(&buf, 100000);
    mem_fail_at(1);
    buf_append_text(&buf, "abc");
    cr_expect(mem_fail_happened());
    cr_expect_eq(buf_check(&buf, &err), ERR_BUSY);
    buf_append_text(&buf, "abc");
    cr_expect_eq(buf_check(&buf, &err), ERR_BUSY, "it sticks");
    buf_clear(&buf);
    mem_fail_at(2);
    buf_printf(&buf, "%01000d", 1);
    cr_expect(mem_fail_happened());
    cr_expect_eq(buf_check(&buf, &err), ERR_BUSY);
    buf_fini(&buf);
}
