#include "cases.h"
#include "err.h"
#include "str.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

Test(err, every_code_has_the_protocols_name)
{
    static const char *const names[] = {
        "ok",        "bad_frame", "unknown_method", "invalid_params", "unauthenticated",
        "forbidden", "not_found", "conflict",       "too_large",      "busy",
        "deadline",  "draining",  "storage_full",   "internal",       "cancelled",
        "read_only",
    };

    cr_assert_eq(sizeof names / sizeof names[0], ERR_COUNT);
    for (int i = 0; i < ERR_COUNT; i++)
        cr_expect_str_eq(err_name((enum err_code)i), names[i]);
    cr_expect_str_eq(err_name((enum err_code)99), "internal");
    cr_expect_str_eq(err_name((enum err_code) - 1), "internal");
}

Test(err, setting_one_fills_the_sentence_and_the_origin_and_forgets_the_one_before)
{
    struct err err = {.code = ERR_BUSY, .field = "old", .retry_ms = 50};

    cr_expect_eq(err_set(&err, ERR_INVALID_PARAMS, "max %d is less than min %d", 2, 5),
                 ERR_INVALID_PARAMS);
    cr_expect_eq(err.code, ERR_INVALID_PARAMS);
    cr_expect_str_eq(err.message, "max 2 is less than min 5");
    cr_expect_str_eq(err.field, "");
    cr_expect_eq(err.retry_ms, 0);
    cr_expect_eq(strncmp(err.origin, "test_err.c:", 11), 0, "%s", err.origin);
}

Test(err, none_is_needed)
{
    cr_expect_eq(err_set(NULL, ERR_CONFLICT, "x"), ERR_CONFLICT);
    cr_expect_eq(err_set_sys(NULL, ENOENT, "open %s", "x"), ERR_NOT_FOUND);
    cr_expect_eq(err_no_memory(NULL), ERR_BUSY);
    err_at(NULL, "x");
    err_at_index(NULL, 1);
}

Test(err, its_own_message_may_be_part_of_the_new_one)
{
    struct err err;

    err_set(&err, ERR_INVALID_PARAMS, "inner");
    err_set(&err, ERR_CONFLICT, "outer: %s", err.message);
    cr_expect_str_eq(err.message, "outer: inner");
}

Test(err, a_sentence_that_is_too_long_is_cut_at_a_whole_character)
{
    for (size_t lead = 0; lead < 4; lead++) {
        char text[400] = "";
        struct err err;
        size_t n;

        memset(text, 'a', lead);
        for (size_t i = lead; i + 3 < sizeof text; i += 3)
            memcpy(text + i, "\xE2\x82\xAC", 4);
        err_set(&err, ERR_INTERNAL, "%s", text);
        n = strlen(err.message);
        cr_expect(n >= sizeof err.message - 4 && n < sizeof err.message);
        cr_expect(str_is_utf8(str_from(err.message)), "lead %zu", lead);
    }
}

Test(err, the_longest_sentence_that_fits_is_kept_whole)
{
    char text[sizeof((struct err *)0)->message];
    struct err err;

    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    err_set(&err, ERR_INTERNAL, "%s", text);
    cr_expect_str_eq(err.message, text);
}

static const struct {
    int error_number;
    enum err_code code;
    const char *message;
} system_cases[] = {
    {ENOSPC, ERR_STORAGE_FULL, "cannot write x: No space left on device"},
    {EDQUOT, ERR_STORAGE_FULL, "cannot write x: Disk quota exceeded"},
    {ENOENT, ERR_NOT_FOUND, "cannot write x: No such file or directory"},
    {EACCES, ERR_FORBIDDEN, "cannot write x: Permission denied"},
    {EPERM, ERR_FORBIDDEN, "cannot write x: Operation not permitted"},
    {EROFS, ERR_FORBIDDEN, "cannot write x: Read-only file system"},
    {ENOMEM, ERR_BUSY, "cannot write x: Cannot allocate memory"},
    {EMFILE, ERR_BUSY, "cannot write x: Too many open files"},
    {EIO, ERR_INTERNAL, "cannot write x: Input/output error (error 5)"},
    {99999, ERR_INTERNAL, "cannot write x: unknown reason (error 99999)"},
};

CASES(err, a_system_error_gets_its_code_and_reason, system_cases)
{
    struct err err;

    cr_expect_eq(err_set_sys(&err, system_cases[*i].error_number, "write %s", "x"),
                 system_cases[*i].code);
    cr_expect_str_eq(err.message, system_cases[*i].message);
}

Test(err, the_path_grows_from_the_inside_out)
{
    struct err err;

    err_set(&err, ERR_INVALID_PARAMS, "x");
    err_at(&err, "min");
    cr_expect_str_eq(err.field, "min");
    err_at(&err, "raising");
    cr_expect_str_eq(err.field, "raising.min");
    err_at_index(&err, 3);
    cr_expect_str_eq(err.field, "[3].raising.min");
    err_at(&err, "profiles");
    cr_expect_str_eq(err.field, "profiles[3].raising.min");
    err_at_index(&err, UINT64_MAX);
    cr_expect_str_eq(err.field, "[18446744073709551615].profiles[3].raising.min");
}

Test(err, no_path_grows_where_there_is_no_failure)
{
    struct err err = {.code = ERR_OK};

    err_at(&err, "min");
    err_at_index(&err, 1);
    cr_expect_str_eq(err.field, "");
}

Test(err, a_path_that_is_too_long_keeps_its_start_and_whole_characters)
{
    struct err err;

    err_set(&err, ERR_INVALID_PARAMS, "x");
    for (int i = 0; i < 60; i++)
        err_at(&err, "d\xC3\xA9j\xC3\xA0");
    cr_expect_eq(strncmp(err.field, "d\xC3\xA9j\xC3\xA0.d", 8), 0);
    cr_expect(strlen(err.field) < sizeof err.field);
    cr_expect(str_is_utf8(str_from(err.field)));
}
