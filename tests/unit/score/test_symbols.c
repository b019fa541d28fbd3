#include "alloc.h"
#include "arena.h"
#include "names.h"
#include "symbols.h"

#include <criterion/criterion.h>

#include <stdio.h>
#include <stdlib.h>

static struct str
numbered(char text[32], const char *prefix, int i)
{
    return (struct str){text, (size_t)snprintf(text, 32, "%s%d", prefix, i)};
}

Test(symbols, equal_texts_have_equal_symbols_and_others_have_not)
{
    struct symbols *symbols = symbols_create();
    symbol a = symbols_intern(symbols, STR_LIT("space")), b;

    cr_assert_neq(a, SYMBOL_NONE);
    b = symbols_intern(symbols, STR_LIT("spaces"));
    cr_expect_neq(a, b);
    cr_expect_eq(symbols_intern(symbols, STR_LIT("space")), a);
    cr_expect_eq(symbols_find(symbols, STR_LIT("spaces")), b);
    cr_expect_eq(symbols_find(symbols, STR_LIT("Space")), SYMBOL_NONE);
    cr_expect(str_is(symbols_text(symbols, a), "space"));
    cr_expect_eq(symbols_count(symbols), 2);
    symbols_destroy(symbols);
}

Test(symbols, a_text_may_be_empty_or_hold_a_nul)
{
    struct symbols *symbols = symbols_create();
    symbol empty = symbols_intern(symbols, STR_LIT(""));
    symbol nul = symbols_intern(symbols, STR_LIT("a\0b"));

    cr_expect_neq(empty, SYMBOL_NONE);
    cr_expect_neq(nul, symbols_intern(symbols, STR_LIT("a")));
    cr_expect_eq(symbols_text(symbols, nul).len, 3);
    cr_expect_eq(symbols_find(symbols, (struct str){NULL, 0}), empty);
    symbols_destroy(symbols);
}

static const struct {
    const char *text, *group;
} groups[] = {
    {"health.bio", "health"},
    {"health", "health"},
    {"a.b.c", "a"},
    {".net", ".net"},
    {"", ""},
    {"x.", "x"},
};

Test(symbols, a_leaf_knows_its_group_and_a_group_is_its_own)
{
    struct symbols *symbols = symbols_create();
    struct arena *arena = arena_create(1 << 20);
    struct symbols *nothing = symbols_create();
    struct symbol_scope *scope = symbol_scope_create(nothing, arena);

    for (size_t i = 0; i < sizeof groups / sizeof groups[0]; i++) {
        symbol s = symbols_intern(symbols, str_from(groups[i].text));
        symbol local = symbol_scope_intern(scope, str_from(groups[i].text));

        cr_expect(str_is(symbols_text(symbols, symbols_group(symbols, s)), groups[i].group),
                  "group of %s", groups[i].text);
        cr_expect(
            str_is(symbol_scope_text(scope, symbol_scope_group(scope, local)), groups[i].group),
            "local group of %s", groups[i].text);
    }
    cr_expect_eq(symbols_group(symbols, SYMBOL_NONE), SYMBOL_NONE);
    cr_expect_eq(symbols_text(symbols, SYMBOL_NONE).len, 0);
    arena_destroy(arena);
    symbols_destroy(nothing);
    symbols_destroy(symbols);
}

Test(symbols, a_hundred_thousand_stay_where_they_are_while_the_table_grows)
{
    struct symbols *symbols = symbols_create();
    const char *first;
    char text[32];

    symbols_intern(symbols, STR_LIT("first"));
    first = symbols_text(symbols, 1).data;
    for (int i = 0; i < 100000; i++)
        cr_assert_eq(symbols_intern(symbols, numbered(text, "id-", i)), (symbol)i + 2);
    for (int i = 0; i < 100000; i++)
        cr_assert_eq(symbols_find(symbols, numbered(text, "id-", i)), (symbol)i + 2);
    cr_expect_eq(symbols_find(symbols, STR_LIT("id-100000")), SYMBOL_NONE);
    cr_expect_eq(symbols_text(symbols, 1).data, first);
    symbols_destroy(symbols);
}

Test(symbols, a_text_longer_than_a_block_is_kept_whole)
{
    static char text[70000];
    struct symbols *symbols = symbols_create();
    struct str long_text = {text, sizeof text};
    symbol s;

    memset(text, 'x', sizeof text);
    s = symbols_intern(symbols, long_text);
    cr_expect(str_equal(symbols_text(symbols, s), long_text));
    cr_expect_eq(symbols_intern(symbols, STR_LIT("short")), s + 1);
    symbols_destroy(symbols);
}

Test(names, a_note_is_the_first_writers)
{
    struct names *names = names_create();
    uint32_t number = names_add(names, STR_LIT("a"), 7);

    cr_expect_eq(names_add(names, STR_LIT("a"), 8), number);
    cr_expect_eq(names_note(names, number), 7);
    names_destroy(names);
}

Test(symbols, a_text_whose_hash_is_at_hand_is_the_same_text)
{
    static const char *const texts[] = {"ai", "ai.vision", ".net", "", "a", "startup-000017"};
    struct symbols *symbols = symbols_create();

    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct str text = str_from(texts[i]);
        symbol s = symbols_intern_hashed(symbols, text, names_hash(text));

        cr_expect_eq(symbols_intern(symbols, text), s, "%s", texts[i]);
        cr_expect_eq(symbols_intern_hashed(symbols, text, names_hash(text)), s, "%s", texts[i]);
        cr_expect(str_equal(symbols_text(symbols, s), text));
    }
    cr_expect_eq(symbols_group(symbols, symbols_find(symbols, STR_LIT("ai.vision"))),
                 symbols_find(symbols, STR_LIT("ai")));
    cr_expect_eq(symbols_count(symbols), sizeof texts / sizeof texts[0]);
    symbols_destroy(symbols);
}

/* ---- scopes ---- */

Test(symbol_scope, knows_the_stores_symbols_and_adds_its_own)
{
    struct symbols *symbols = symbols_create();
    struct arena *arena = arena_create(1 << 20);
    symbol known = symbols_intern(symbols, STR_LIT("known"));
    struct symbol_scope *scope = symbol_scope_create(symbols, arena);
    symbol local = symbol_scope_intern(scope, STR_LIT("new"));

    cr_expect_eq(symbol_scope_intern(scope, STR_LIT("known")), known);
    cr_expect_geq(local, SYMBOL_LOCAL);
    cr_expect_eq(symbol_scope_intern(scope, STR_LIT("new")), local);
    cr_expect(str_is(symbol_scope_text(scope, local), "new"));
    cr_expect(str_is(symbol_scope_text(scope, known), "known"));
    cr_expect_eq(symbols_find(symbols, STR_LIT("new")), SYMBOL_NONE);
    arena_destroy(arena);
    symbols_destroy(symbols);
}

Test(symbol_scope, keeps_a_local_number_when_the_store_learns_the_text_later)
{
    struct symbols *symbols = symbols_create();
    struct arena *arena = arena_create(1 << 20);
    struct symbol_scope *scope = symbol_scope_create(symbols, arena);
    symbol local = symbol_scope_intern(scope, STR_LIT("new"));

    symbols_intern(symbols, STR_LIT("new"));
    cr_expect_eq(symbol_scope_intern(scope, STR_LIT("new")), local);
    arena_destroy(arena);
    symbols_destroy(symbols);
}

Test(symbol_scope, holds_a_thousand_of_its_own)
{
    struct symbols *symbols = symbols_create();
    struct arena *arena = arena_create(1 << 20);
    struct symbol_scope *scope = symbol_scope_create(symbols, arena);
    char text[32];

    for (int i = 0; i < 1000; i++)
        cr_assert_eq(symbol_scope_intern(scope, numbered(text, "n", i)), SYMBOL_LOCAL + (symbol)i);
    for (int i = 0; i < 1000; i++)
        cr_assert_eq(symbol_scope_intern(scope, numbered(text, "n", i)), SYMBOL_LOCAL + (symbol)i);
    arena_destroy(arena);
    symbols_destroy(symbols);
}

Test(symbol_scope, says_so_when_the_arena_is_full)
{
    struct symbols *symbols = symbols_create();
    struct arena *arena = arena_create(2048);
    struct symbol_scope *scope = symbol_scope_create(symbols, arena);
    char text[32];
    int i = 0;

    while (symbol_scope_intern(scope, numbered(text, "n", i)) != SYMBOL_NONE && i < 1000)
        i++;
    cr_expect_lt(i, 1000);
    for (int j = 0; j < i; j++) /* what it had, it still has */
        cr_expect_eq(symbol_scope_intern(scope, numbered(text, "n", j)), SYMBOL_LOCAL + (symbol)j);
    arena_destroy(arena);
    symbols_destroy(symbols);
}

/* Twice through the same texts of all lengths around the words that they are compared by, while the writer
 * takes in some of them: a scope's own number stays, and the next scope meets the writer's. */
Test(symbol_scope, gives_the_same_numbers_with_recent_symbols_as_without)
{
    enum { TEXTS = 3000 };
    struct symbols *symbols = symbols_create();
    struct recent_symbols *recent = calloc(1, sizeof *recent);

    for (int round = 0; round < 3; round++) {
        struct arena *arena = arena_create(1 << 24);
        struct symbol_scope *plain = symbol_scope_create(symbols, arena);
        struct symbol_scope *quick = symbol_scope_create(symbols, arena);

        symbol_scope_use(quick, recent);
        for (int again = 0; again < 2; again++)
            for (int i = 0; i < TEXTS; i++) {
                char bytes[32];
                struct str text = {bytes, (size_t)snprintf(bytes, sizeof bytes, "%.*s%d", i % 18,
                                                           "aaaa.bbbbbbbbbbbbbb", i / 18)};
                symbol expected = symbol_scope_intern(plain, text);

                cr_assert_eq(symbol_scope_intern(quick, text), expected, "%s", bytes);
                cr_assert(str_equal(symbol_scope_text(quick, expected), text));
                if (i % 3 == round)
                    symbols_intern(symbols, text);
            }
        arena_destroy(arena);
    }
    free(recent);
    symbols_destroy(symbols);
}

Test(symbols, what_is_reserved_changes_nothing_but_the_room)
{
    struct symbols *symbols = symbols_create();
    symbol first = symbols_intern(symbols, STR_LIT("first"));
    char text[32];

    symbols_reserve(symbols, 3000);
    cr_expect_eq(symbols_count(symbols), 1);
    for (int i = 0; i < 4000; i++)
        cr_assert_eq(symbols_intern(symbols, numbered(text, "n", i)), first + 1 + (symbol)i);
    symbols_reserve(symbols, 10);
    mem_fail_at(1);
    symbols_reserve(symbols, 100000); /* not to be had now */
    mem_fail_happened();
    for (int i = 0; i < 4000; i++)
        cr_assert_eq(symbols_find(symbols, numbered(text, "n", i)), first + 1 + (symbol)i);
    cr_expect_eq(symbols_find(symbols, STR_LIT("first")), first);
    symbols_destroy(symbols);
}

/* ---- memory ---- */

/* Enough texts for a second chunk, a second text block and a grown index. */
static int
intern_many(struct symbols *symbols)
{
    char text[80];
    int n = 0;

    for (int i = 0; i < 400; i++) {
        size_t len = (size_t)snprintf(text, sizeof text, "group%d.leaf-%050d", i % 7, i);

        n += symbols_intern(symbols, (struct str){text, len}) != SYMBOL_NONE;
    }
    return n;
}

Test(symbols, every_failed_allocation_leaves_the_table_whole)
{
    bool happened = true;

    for (long n = 1; happened; n++) {
        struct symbols *symbols;

        mem_fail_at(n);
        symbols = symbols_create();
        if (symbols != NULL)
            intern_many(symbols);
        happened = mem_fail_happened();
        if (symbols != NULL) { /* the second time all is well, and nothing is there twice */
            cr_assert_eq(intern_many(symbols), 400);
            cr_assert_eq(symbols_count(symbols), 407);
        }
        symbols_destroy(symbols);
    }
}
