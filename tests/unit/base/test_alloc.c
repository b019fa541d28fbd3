#include "alloc.h"

#include <criterion/criterion.h>

#include <stdint.h>
#include <string.h>

Test(alloc, gives_memory_that_can_be_written_and_freed)
{
    char *memory = mem_alloc(3);

    cr_assert_not_null(memory);
    memcpy(memory, "ab", 3);
    memory = mem_realloc(memory, 100);
    cr_assert_not_null(memory);
    cr_expect_str_eq(memory, "ab");
    mem_free(memory);
    mem_free(NULL);
}

Test(alloc, a_size_of_0_is_a_pointer_all_the_same)
{
    void *a = mem_alloc(0), *b = mem_alloc_zeroed(0, 8), *c = mem_realloc(NULL, 0);

    cr_expect(a != NULL && b != NULL && c != NULL);
    mem_free(a);
    mem_free(b);
    mem_free(c);
}

Test(alloc, zeroed_memory_is_zero_and_its_product_is_checked)
{
    volatile size_t half = SIZE_MAX / 2; /* hidden from the compiler, which would warn */
    unsigned char *memory = mem_alloc_zeroed(5, 7);

    cr_assert_not_null(memory);
    for (int i = 0; i < 35; i++)
        cr_assert_eq(memory[i], 0);
    mem_free(memory);
    cr_expect_null(mem_alloc_zeroed(half, 3));
}

Test(alloc, memory_that_is_read_by_lines_begins_with_one)
{
    for (size_t size = 0; size < 300; size += 23) {
        unsigned char *memory = mem_alloc_lined(size);

        cr_assert_not_null(memory);
        cr_expect_eq((uintptr_t)memory % MEM_LINE_BYTES, 0);
        memset(memory, 1, size);
        mem_free(memory);
    }
    cr_expect_null(mem_alloc_lined(SIZE_MAX));
    mem_fail_at(1);
    cr_expect_null(mem_alloc_lined(1));
    cr_expect(mem_fail_happened());
}

Test(alloc, the_request_that_is_named_fails_and_no_other)
{
    void *memory[4];

    mem_fail_at(3);
    for (int i = 0; i < 4; i++)
        memory[i] = mem_alloc(1);
    cr_expect(mem_fail_happened());
    cr_expect(memory[0] != NULL && memory[1] != NULL);
    cr_expect_null(memory[2]);
    cr_expect_not_null(memory[3]);
    for (int i = 0; i < 4; i++)
        mem_free(memory[i]);
}

Test(alloc, from_the_request_that_is_named_all_fail)
{
    void *memory;

    mem_fail_from(2);
    memory = mem_alloc(1);
    cr_expect_not_null(memory);
    for (int i = 0; i < 4; i++)
        cr_expect_null(mem_alloc(1));
    cr_expect(mem_fail_happened());
    mem_free(memory);
    memory = mem_alloc(1);
    cr_expect_not_null(memory);
    mem_free(memory);
}

Test(alloc, a_failure_that_was_not_reached_is_switched_off_when_asked_about)
{
    void *memory[3];

    mem_fail_at(2);
    memory[0] = mem_alloc(1);
    cr_expect_not(mem_fail_happened());
    memory[1] = mem_alloc(1);
    memory[2] = mem_alloc_zeroed(1, 1);
    for (int i = 0; i < 3; i++) {
        cr_expect_not_null(memory[i]);
        mem_free(memory[i]);
    }
}

Test(alloc, a_failed_growth_leaves_the_memory_as_it_was)
{
    char *memory = mem_alloc(3);

    cr_assert_not_null(memory);
    memcpy(memory, "ab", 3);
    mem_fail_at(1);
    cr_expect_null(mem_realloc(memory, 100));
    cr_expect(mem_fail_happened());
    cr_expect_str_eq(memory, "ab");
    mem_free(memory);
}

Test(alloc, the_watch_tells_whether_a_request_came_back_empty)
{
    void *memory;

    mem_watch();
    memory = mem_alloc(1);
    cr_expect_not(mem_was_short());
    mem_fail_at(1);
    cr_expect_null(mem_realloc(memory, 2));
    cr_expect(mem_fail_happened());
    mem_free(mem_alloc(1));
    cr_expect(mem_was_short(), "it is remembered until the next watch");
    mem_watch();
    cr_expect_not(mem_was_short());
    mem_free(memory);
}
