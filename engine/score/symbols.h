#ifndef JML_SYMBOLS_H
#define JML_SYMBOLS_H

#include "err.h"
#include "str.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * symbols: every code, folded tag, city and id that a store mentions, as a small number.
 *
 * Two values are equal if and only if their symbols are; numbers say nothing else (no order, no
 * meaning), so no answer depends on the order in which they were given out. A two-level code knows
 * the symbol of its group.
 *
 * One writer (symbols_intern), any number of readers at the same time without a lock: entries never
 * move nor change once their number has been handed out. Grows with the distinct texts of the store,
 * never shrinks until the engine is opened again.
 */
struct symbols;
typedef uint32_t symbol;
enum { SYMBOL_NONE = 0 };
#define SYMBOL_LOCAL UINT32_C(0x80000000) /* numbers from here on belong to one symbols_scope */

struct symbols *symbols_create(void);
void symbols_destroy(struct symbols *symbols);
/* Writer only. SYMBOL_NONE if out of memory. */
symbol symbols_intern(struct symbols *symbols, struct str text);
void symbols_reserve(struct symbols *symbols, uint32_t n); /* so many more; writer only */
/* The same of a text whose names_hash is at hand; and that it will soon be interned, so that its place begins to
 * come from memory. */
symbol symbols_intern_hashed(struct symbols *symbols, struct str text, uint64_t hash);
void symbols_foresee(const struct symbols *symbols, uint64_t hash);
symbol symbols_find(const struct symbols *symbols, struct str text); /* SYMBOL_NONE if unknown */
struct str symbols_text(const struct symbols *symbols, symbol s);
/* Of `a.b`, `a.b.c` that of `a` (what stands before the first dot); of `a`, and of `.a`, its own. */
symbol symbols_group(const struct symbols *symbols, symbol s);
uint32_t symbols_count(const struct symbols *symbols);

/*
 * A reader's own names on top: what a what-if or a constant mentions that the store does not.
 * In an arena; answers lookups for both kinds of numbers. Make it after holding the roster that it is
 * used with, and use one for everything that is compared with each other: the local numbers of
 * two scopes have nothing to do with one another.
 */
struct arena;
struct symbol_scope;
struct symbol_scope *symbol_scope_create(const struct symbols *symbols, struct arena *arena);
symbol symbol_scope_intern(struct symbol_scope *scope, struct str text); /* NONE: arena full */
/*
 * The symbols of short texts that a thread met last, found in one line of memory. Zeroed at first; of
 * one thread, which works with one scope at a time; of one `symbols`.
 */
enum { RECENT_SYMBOLS = 1024 };
struct recent_symbols {
    struct recent_symbol {
        uint64_t words[2]; /* of a text of 1 to 16 bytes, all of it */
        uint32_t len;
        symbol known; /* SYMBOL_NONE: free */
    } of[RECENT_SYMBOLS];
};
void symbol_scope_use(struct symbol_scope *scope, struct recent_symbols *recent);
uint32_t symbol_scope_count(const struct symbol_scope *scope); /* of its own names so far */
struct str symbol_scope_text(const struct symbol_scope *scope, symbol s);
symbol symbol_scope_group(const struct symbol_scope *scope, symbol s);

#endif
