#include "alloc.h"
#include "loop.h"

#include <criterion/criterion.h>

#include <stdlib.h>
#include <unistd.h>

static const struct door door = {.address = {.kind = ADDRESS_UNIX, .is_loopback = true}};

static struct service service;

static void
setup(void)
{
    for (int i = 0; i < LIMIT_COUNT; i++)
        service.limits[i] = limit_rows[i].preset;
    service.clock = clock_system();
}

TestSuite(loop, .init = setup, .timeout = 60);

static struct loop *
make(void)
{
    struct err err = {0};
    struct loop *loop;

    cr_assert_eq(loop_create(&service, 0, &loop, &err), ERR_OK, "%s", err.message);
    return loop;
}

Test(loop, is_not_made_without_memory_and_leaves_nothing_behind)
{
    bool happened = true;

    for (long n = 1; happened; n++) {
        struct loop *loop = NULL;
        struct err err = {0};
        enum err_code code;

        mem_fail_at(n);
        code = loop_create(&service, 0, &loop, &err);
        happened = mem_fail_happened();
        cr_expect_eq(code, happened ? ERR_BUSY : ERR_OK, "at the %ld-th: %s", n, err.message);
        loop_destroy(loop);
    }
    loop_destroy(NULL);
}

/* Only the addresses count here: a seat is never looked into. */
static struct session *
nobody(uintptr_t i)
{
    static char people[300];

    return (struct session *)(void *)&people[i];
}

Test(loop, a_seat_that_was_left_is_taken_again_with_another_generation)
{
    struct loop *loop = make();
    uint32_t slot, generation, first;

    for (uint32_t i = 0; i < 300; i++) { /* over the first row of seats */
        cr_assert(loop_seat(loop, nobody(i), &slot, &generation));
        cr_expect_eq(slot, i);
        cr_expect_eq(generation, 1);
    }
    cr_expect_eq(loop->n_sessions, 300);
    loop_unseat(loop, 200);
    loop_unseat(loop, 7);
    cr_assert(loop_seat(loop, nobody(7), &slot, &first));
    cr_expect_eq(slot, 7);
    cr_expect_eq(first, 2);
    cr_assert(loop_seat(loop, nobody(200), &slot, &generation));
    cr_expect_eq(slot, 200);
    for (uint32_t i = 0; i < 300; i++)
        loop_unseat(loop, i);
    cr_expect_eq(loop->n_sessions, 0);
    loop_destroy(loop);
}

Test(loop, without_memory_for_more_seats_nobody_is_seated)
{
    struct loop *loop = make();
    uint32_t slot, generation, n = 0;
    bool happened = true;

    for (long at = 1; happened; at++) {
        mem_fail_at(at);
        if (loop_seat(loop, nobody(n), &slot, &generation))
            n++;
        happened = mem_fail_happened();
        cr_expect_eq(loop->n_sessions, n);
    }
    cr_expect_eq(n, 1);
    loop_unseat(loop, slot);
    loop_destroy(loop);
}

/* What arrived and was not opened yet is closed with the loop. */
Test(loop, closes_the_connections_that_it_never_opened)
{
    struct loop *loop = make();
    char byte;
    int ends[2];

    cr_assert_eq(pipe(ends), 0);
    loop_adopt(loop, ends[1], &door);
    loop_destroy(loop);
    cr_expect_eq(read(ends[0], &byte, 1), 0, "the other end sees the end");
    close(ends[0]);
}

Test(loop, a_connection_that_cannot_be_noted_is_closed)
{
    struct loop *loop = make();
    char byte;
    int ends[2];

    cr_assert_eq(pipe(ends), 0);
    mem_fail_at(1);
    loop_adopt(loop, ends[1], &door);
    cr_expect(mem_fail_happened());
    cr_expect_eq(read(ends[0], &byte, 1), 0);
    close(ends[0]);
    loop_destroy(loop);
}
