#include "alloc.h"
#include "arena.h"

#include <criterion/criterion.h>

#include <stdint.h>
#include <stdlib.h>

static const size_t roomy = 1024 * 1024;

Test(arena, wide_memory_begins_at_a_multiple_of_64_and_is_zeroed)
{
    struct arena *arena = arena_create(1 << 16);

    for (size_t size = 1; size < 200; size += 13) {
        unsigned char *memory = arena_alloc_wide(arena, 2, size);

        cr_assert_not_null(memory);
        cr_expect_eq((uintptr_t)memory % ARENA_WIDE, 0);
        for (size_t i = 0; i < 2 * size; i++)
            cr_assert_eq(memory[i], 0);
        memset(memory, 0xff, 2 * size);
    }
    cr_expect_null(arena_alloc_wide(arena, SIZE_MAX, 2));
    cr_expect_null(arena_alloc_wide(arena, 1, SIZE_MAX - 8));
    arena_destroy(arena);
}

Test(arena, memory_is_zeroed_and_aligned_for_any_type)
{
    struct arena *arena = arena_create(roomy);

    for (size_t size = 1; size < 300; size++) {
        unsigned char *memory = arena_alloc(arena, 1, size);

        cr_assert_not_null(memory);
        cr_assert_eq((uintptr_t)memory % _Alignof(max_align_t), 0);
        for (size_t i = 0; i < size; i++)
            cr_assert_eq(memory[i], 0);
        memset(memory, 0xA5, size);
    }
    arena_destroy(arena);
}

Test(arena, memory_given_again_after_a_release_is_zeroed_too)
{
    struct arena *arena = arena_create(roomy);
    struct arena_mark mark = arena_mark(arena);
    unsigned char *memory;

    for (int turn = 0; turn < 3; turn++) {
        memory = arena_alloc(arena, 100, 1);
        for (int i = 0; i < 100; i++)
            cr_assert_eq(memory[i], 0);
        memset(memory, 0xFF, 100);
        arena_release(arena, mark);
        cr_expect_eq(arena_used(arena), 0);
    }
    arena_destroy(arena);
}

Test(arena, objects_larger_than_a_block_are_fine)
{
    struct arena *arena = arena_create(16 * roomy);
    char *small = arena_alloc(arena, 1, 10), *large = arena_alloc(arena, 1, 3 * roomy);
    char *after = arena_alloc(arena, 1, 10);

    cr_assert(small != NULL && large != NULL && after != NULL);
    memset(large, 'x', 3 * roomy);
    memset(small, 'y', 10);
    memset(after, 'z', 10);
    cr_expect_eq(large[0], 'x');
    cr_expect_eq(large[3 * roomy - 1], 'x');
    arena_destroy(arena);
}

Test(arena, the_limit_is_met_exactly_and_a_byte_over_it_refused)
{
    struct arena *arena = arena_create(128);

    cr_expect_not_null(arena_alloc(arena, 1, 112));
    cr_expect_eq(arena_used(arena), 112);
    cr_expect_null(arena_alloc(arena, 1, 17), "16 are left");
    cr_expect_not_null(arena_alloc(arena, 1, 16));
    cr_expect_null(arena_alloc(arena, 1, 1));
    cr_expect_eq(arena_used(arena), 128);
    cr_expect_not_null(arena_alloc(arena, 0, 8), "nothing still fits");
    cr_expect_null(arena_copy(arena, "x", 1));
    cr_expect_null(arena_str(arena, STR_LIT("")).data, "the NUL after it does not fit");
    cr_expect_null(arena_format(arena, "%d", 5).data);
    cr_expect_not(arena_defer(arena, free, NULL));
    arena_destroy(arena);
}

Test(arena, sizes_that_overflow_are_refused)
{
    struct arena *arena = arena_create(SIZE_MAX);

    cr_expect_null(arena_alloc(arena, SIZE_MAX / 2, 3));
    cr_expect_null(arena_alloc(arena, SIZE_MAX, SIZE_MAX));
    cr_expect_null(arena_alloc(arena, 1, SIZE_MAX));
    cr_expect_null(arena_alloc(arena, 1, SIZE_MAX - 20));
    cr_expect_eq(arena_used(arena), 0);
    arena_destroy(arena);
}

Test(arena, copies_are_bytes_and_text_with_a_nul_after)
{
    struct arena *arena = arena_create(roomy);
    const unsigned char *bytes = arena_copy(arena, "a\0b", 3);
    struct str made = arena_format(arena, "%s-%d", "x", 42), copy = arena_str(arena, made);

    cr_expect_arr_eq(bytes, "a\0b", 3);
    cr_expect_str_eq(arena_text(arena, STR_LIT("abc")), "abc");
    cr_expect_str_eq(arena_text(arena, (struct str){NULL, 0}), "");
    cr_expect(str_is(made, "x-42"));
    cr_expect_eq(made.data[made.len], '\0');
    cr_expect(str_equal(copy, made) && copy.data != made.data);
    cr_expect_not_null(arena_str(arena, (struct str){NULL, 0}).data);
    cr_expect_not_null(arena_copy(arena, NULL, 0));
    arena_destroy(arena);
}

Test(arena, a_long_format_is_whole)
{
    struct arena *arena = arena_create(roomy);
    struct str made = arena_format(arena, "%05000d|", 7);

    cr_expect_eq(made.len, 5001);
    cr_expect_eq(made.data[4999], '7');
    cr_expect_eq(made.data[5000], '|');
    arena_destroy(arena);
}

Test(arena, a_mark_brings_back_what_was_before_across_blocks)
{
    struct arena *arena = arena_create(roomy);
    char *kept = arena_text(arena, STR_LIT("kept"));
    size_t used = arena_used(arena);
    struct arena_mark mark = arena_mark(arena), inner;

    for (int i = 0; i < 500; i++)
        cr_assert_not_null(arena_alloc(arena, 1, 100));
    inner = arena_mark(arena);
    cr_assert_not_null(arena_alloc(arena, 1, 200000));
    arena_release(arena, inner);
    cr_assert_not_null(arena_alloc(arena, 1, 100));
    arena_release(arena, mark);
    cr_expect_eq(arena_used(arena), used);
    cr_expect_str_eq(kept, "kept");
    arena_destroy(arena);
}

static char letters[] = "abc";
static char calls[16];
static size_t n_calls;

static void
note_call(void *letter)
{
    calls[n_calls++] = *(const char *)letter;
    calls[n_calls] = '\0';
}

Test(arena, deferred_releases_run_last_first_when_it_is_destroyed)
{
    struct arena *arena = arena_create(roomy);

    cr_assert(arena_defer(arena, note_call, &letters['a' - 'a']));
    cr_assert(arena_defer(arena, note_call, &letters['b' - 'a']));
    cr_assert(arena_defer(arena, note_call, &letters['c' - 'a']));
    cr_expect_str_eq(calls, "");
    arena_destroy(arena);
    cr_expect_str_eq(calls, "cba");
}

Test(arena, a_release_runs_what_was_deferred_since_the_mark_and_no_more)
{
    struct arena *arena = arena_create(roomy);
    struct arena_mark mark;

    cr_assert(arena_defer(arena, note_call, &letters['a' - 'a']));
    mark = arena_mark(arena);
    cr_assert(arena_defer(arena, note_call, &letters['b' - 'a']));
    arena_release(arena, mark);
    cr_expect_str_eq(calls, "b");
    arena_reset(arena);
    cr_expect_str_eq(calls, "ba");
    cr_expect_eq(arena_used(arena), 0);
    arena_destroy(arena);
    cr_expect_str_eq(calls, "ba");
}

Test(arena, after_a_reset_the_whole_limit_is_free_again)
{
    struct arena *arena = arena_create(10000);

    for (int turn = 0; turn < 3; turn++) {
        for (int i = 0; i < 100; i++)
            cr_assert_not_null(arena_alloc(arena, 1, 96));
        cr_expect_null(arena_alloc(arena, 1, 600));
        arena_reset(arena);
    }
    arena_destroy(arena);
    arena_destroy(NULL);
}

Test(arena, when_memory_ends_it_says_so_and_stays_usable)
{
    struct arena *arena;

    mem_fail_at(1);
    cr_expect_null(arena_create(roomy));
    cr_expect(mem_fail_happened());
    arena = arena_create(roomy);
    mem_fail_at(1);
    cr_expect_null(arena_alloc(arena, 1, 10));
    cr_expect(mem_fail_happened());
    cr_expect_eq(arena_used(arena), 0);
    cr_expect_not_null(arena_alloc(arena, 1, 10));
    arena_destroy(arena);
}
