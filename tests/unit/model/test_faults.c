#include "alloc.h"
#include "cases.h"
#include "faults.h"
#include "quote.h"

#include <stdio.h>

static struct arena *arena;
static struct faults faults;

static void
begin(void)
{
    arena = arena_create(1 << 20);
    faults_init(&faults, arena);
}

static void
end(void)
{
    arena_destroy(arena);
}

Test(faults, carry_the_path_where_they_were_found, .init = begin, .fini = end)
{
    size_t a = faults_push(&faults, "pairings"), b = faults_push_index(&faults, 3);
    size_t c = faults_push(&faults, "of");

    faults_add(&faults, ERR_INVALID_PARAMS, "%s is no field", "x");
    faults_pop(&faults, c);
    faults_add(&faults, ERR_TOO_LARGE, "too much");
    faults_pop(&faults, b);
    faults_pop(&faults, a);
    faults_add(&faults, ERR_INVALID_PARAMS, "all of it");
    cr_assert_eq(faults.n, 3);
    cr_expect_str_eq(faults.list[0].path, "pairings[3].of");
    cr_expect_str_eq(faults.list[0].message, "x is no field");
    cr_expect_str_eq(faults.list[1].path, "pairings[3]");
    cr_expect_eq(faults.list[1].code, ERR_TOO_LARGE);
    cr_expect_str_eq(faults.list[2].path, "");
}

Test(faults, the_first_error_is_told_and_warnings_forbid_nothing, .init = begin, .fini = end)
{
    struct err err = {.code = ERR_OK};
    size_t mark;

    faults_warn(&faults, "worth reading");
    cr_expect_eq(faults_first(&faults, &err), ERR_OK);
    mark = faults_push(&faults, "weight");
    faults_add(&faults, ERR_TOO_LARGE, "first");
    faults_pop(&faults, mark);
    faults_add(&faults, ERR_INVALID_PARAMS, "second");
    cr_expect_eq(faults_first(&faults, &err), ERR_TOO_LARGE);
    cr_expect_str_eq(err.message, "first");
    cr_expect_str_eq(err.field, "weight");
    cr_expect(faults.list[0].is_warning && faults.n_errors == 2);
}

Test(faults, a_hundred_are_kept_and_the_rest_counted, .init = begin, .fini = end)
{
    for (int i = 0; i < FAULTS_MAX + 20; i++) {
        cr_expect_eq(faults_is_full(&faults), i >= FAULTS_MAX);
        faults_add(&faults, ERR_INVALID_PARAMS, "fault %d", i);
    }
    cr_expect_eq(faults.n, FAULTS_MAX);
    cr_expect_eq(faults.n_errors, FAULTS_MAX + 20);
    cr_expect_str_eq(faults.list[FAULTS_MAX - 1].message, "fault 99");
}

Test(faults, any_number_of_warnings_leaves_room_for_the_first_error, .init = begin, .fini = end)
{
    struct err err = {.code = ERR_OK};

    for (int i = 0; i < 3 * FAULTS_MAX; i++)
        faults_warn(&faults, "warning %d", i);
    faults_add(&faults, ERR_INVALID_PARAMS, "wrong");
    cr_expect_eq(faults_first(&faults, &err), ERR_INVALID_PARAMS);
    cr_expect_str_eq(err.message, "wrong");
}

Test(faults, a_path_that_is_too_long_is_cut_at_a_whole_character, .init = begin, .fini = end)
{
    size_t marks[60];

    for (int i = 0; i < 60; i++)
        marks[i] = faults_push(&faults, "é\n");
    faults_add(&faults, ERR_INVALID_PARAMS, "deep");
    for (int i = 60; i-- > 0;)
        faults_pop(&faults, marks[i]);
    cr_expect_eq(faults.path_len, 0);
    cr_expect(str_is_utf8(str_from(faults.list[0].path)));
    cr_expect_eq(strlen(faults.list[0].path), sizeof faults.path - 1);
    cr_expect(strncmp(faults.list[0].path, "é?.é?.", 8) == 0, "%s", faults.list[0].path);
}

Test(faults, a_sentence_that_is_too_long_is_cut_at_a_whole_character, .init = begin, .fini = end)
{
    char text[400];

    for (size_t shift = 0; shift < 3; shift++) {
        memset(text, 'x', shift);
        for (size_t i = shift; i + 3 <= sizeof text - 1; i += 3)
            memcpy(text + i, "€", 4);
        faults_add(&faults, ERR_INVALID_PARAMS, "%s", text);
        cr_expect(str_is_utf8(str_from(faults.list[shift].message)));
        cr_expect_geq(strlen(faults.list[shift].message), 236);
    }
}

Test(faults, lack_of_memory_is_no_verdict_but_busy)
{
    struct err err = {.code = ERR_OK};
    struct arena *small = arena_create(64);
    struct faults full;

    faults_init(&full, small);
    for (int i = 0; i < 10; i++)
        faults_add(&full, ERR_INVALID_PARAMS, "a sentence that fills the arena, number %d", i);
    cr_expect_eq(faults_first(&full, &err), ERR_BUSY);
    cr_expect_eq(full.n_errors > 0, true);
    arena_destroy(small);
}

Test(faults, take_over_the_failure_of_another_part, .init = begin, .fini = end)
{
    struct err err = {.code = ERR_OK};
    size_t mark = faults_push(&faults, "name");

    err_set(&err, ERR_TOO_LARGE, "a text of 9 bytes is too long");
    err_at(&err, "fr");
    faults_add_err(&faults, &err);
    faults_pop(&faults, mark);
    cr_expect_str_eq(faults.list[0].path, "name.fr");
    cr_expect_eq(faults.list[0].code, ERR_TOO_LARGE);
    err_no_memory(&err);
    faults_add_err(&faults, &err);
    cr_expect_eq(faults_first(&faults, &err), ERR_BUSY);
}

static const struct {
    const char *given, *shown;
} quote_cases[] = {
    {"", "\"\""},
    {"fin", "\"fin\""},
    {"a\nb\x7f", "\"a?b?\""},
    {"Île", "\"Île\""},
    {"123456789012345678901234567890123456789012345678901234567890",
     "\"123456789012345678901234567890123456789012345678901234567890\""},
    {"1234567890123456789012345678901234567890123456789012345678901",
     "\"123456789012345678901234567890123456789012345678901234567890…\""},
    {"12345678901234567890123456789012345678901234567890123456789é",
     "\"12345678901234567890123456789012345678901234567890123456789…\""},
};

EACH_CASE(quote, shows_a_value_in_a_sentence, quote_cases)
{
    cr_expect_str_eq(quote(str_from(quote_cases[*case_index].given)).text,
                     quote_cases[*case_index].shown);
}
