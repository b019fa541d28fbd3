#include "record.h"

#include <criterion/criterion.h>

#include <string.h>

static struct buf
made(struct str key)
{
    struct buf out;
    struct err err = {0};

    buf_init(&out, 4096);
    record_begin(&out);
    record_put_u64(&out, 0x0102030405060708);
    record_put_str(&out, STR_LIT("text"));
    record_put_str(&out, STR_LIT(""));
    cr_assert_eq(record_seal(&out, key, &err), ERR_OK);
    return out;
}

Test(record, what_was_put_is_read)
{
    struct buf bytes = made(STR_LIT("key"));
    struct record_reader reader;

    cr_assert(record_open(STR_LIT("key"), buf_str(&bytes), &reader));
    cr_expect_eq(record_get_u64(&reader), 0x0102030405060708);
    cr_expect(str_is(record_get_str(&reader), "text"));
    cr_expect_not(record_is_whole(&reader));
    cr_expect_eq(record_get_str(&reader).len, 0);
    cr_expect(record_is_whole(&reader));
    buf_fini(&bytes);
}

Test(record, any_flipped_bit_is_found)
{
    struct buf bytes = made(STR_LIT("key"));
    struct record_reader reader;

    for (size_t bit = 0; bit < bytes.len * 8; bit++) {
        bytes.data[bit / 8] = (char)(bytes.data[bit / 8] ^ (1 << bit % 8));
        cr_expect_not(record_open(STR_LIT("key"), buf_str(&bytes), &reader), "bit %zu", bit);
        bytes.data[bit / 8] = (char)(bytes.data[bit / 8] ^ (1 << bit % 8));
    }
    buf_fini(&bytes);
}

Test(record, a_value_under_anothers_key_is_found)
{
    struct buf bytes = made(STR_LIT("key"));
    struct record_reader reader;

    cr_expect_not(record_open(STR_LIT("kez"), buf_str(&bytes), &reader));
    cr_expect_not(record_open(STR_LIT("ke"), buf_str(&bytes), &reader));
    buf_fini(&bytes);
}

Test(record, reading_past_the_end_gives_nothing_and_says_so)
{
    struct buf bytes = made(STR_LIT("key"));
    struct record_reader reader;

    cr_assert(record_open(STR_LIT("key"), buf_str(&bytes), &reader));
    for (int i = 0; i < 5; i++)
        record_get_u64(&reader);
    cr_expect(reader.is_short);
    cr_expect_eq(record_get_str(&reader).len, 0);
    cr_expect_not(record_is_whole(&reader));
    cr_expect_not(record_open(STR_LIT("key"), (struct str){bytes.data, 7}, &reader));
    buf_fini(&bytes);
}
