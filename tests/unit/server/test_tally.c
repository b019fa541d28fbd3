#include "arena.h"
#include "tally.h"
#include "value.h"

#include <criterion/criterion.h>

#include <ctype.h>
#include <pthread.h>

Test(tally, every_row_has_a_name_a_unit_and_a_text)
{
    for (int i = 0; i < TALLY_COUNT; i++) {
        cr_assert_not_null(tally_rows[i].name, "row %d", i);
        for (const char *at = tally_rows[i].name; *at != '\0'; at++)
            cr_expect(islower((unsigned char)*at) || *at == '_', "%s", tally_rows[i].name);
        cr_expect_not_null(tally_rows[i].unit);
        cr_expect_not_null(tally_rows[i].text);
        for (int k = 0; k < i; k++)
            cr_expect_str_neq(tally_rows[i].name, tally_rows[k].name);
    }
}

Test(tally, is_told_as_one_map_by_name)
{
    struct arena *arena = arena_create(1 << 20);
    struct tallies tallies = {0};
    const msgpack_object *map;
    struct buf packed;

    for (int i = 0; i < TALLY_COUNT; i++)
        tally_add(&tallies, (enum tally)i, 1000 + i);
    tally_add(&tallies, TALLY_CONNECTIONS, -1001);
    buf_init(&packed, 65536);
    tally_pack(&tallies, &packed);
    cr_assert_eq(value_decode(packed.data, packed.len, &value_limits_default, arena, &map, NULL),
                 ERR_OK);
    cr_expect_eq(value_size(map), TALLY_COUNT);
    for (int i = 0; i < TALLY_COUNT; i++) {
        int64_t number = 0;

        cr_expect(value_int(value_find(map, tally_rows[i].name), &number), "%s",
                  tally_rows[i].name);
        cr_expect_eq(number, i == TALLY_CONNECTIONS ? -1 : 1000 + i, "%s", tally_rows[i].name);
    }
    buf_fini(&packed);
    arena_destroy(arena);
}

static void *
count(void *context)
{
    for (int i = 0; i < 100000; i++)
        tally_add(context, TALLY_REQUESTS, 1);
    return NULL;
}

Test(tally, loses_nothing_that_several_threads_count)
{
    struct tallies tallies = {0};
    pthread_t threads[4];

    for (int i = 0; i < 4; i++)
        cr_assert_eq(pthread_create(&threads[i], NULL, count, &tallies), 0);
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    cr_expect_eq(tally_get(&tallies, TALLY_REQUESTS), 400000);
}
