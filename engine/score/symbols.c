#include "symbols.h"

#include "alloc.h"
#include "arena.h"
#include "names.h"
#include "vocabulary.h"

#include <assert.h>

/* A name's note is the symbol of its group; 0 where it is its own. */
struct symbols {
    struct names *names;
};

struct symbols *
symbols_create(void)
{
    struct symbols *symbols = mem_alloc(sizeof *symbols);

    if (symbols == NULL)
        return NULL;
    symbols->names = names_create();
    if (symbols->names == NULL) {
        mem_free(symbols);
        return NULL;
    }
    return symbols;
}

void
symbols_destroy(struct symbols *symbols)
{
    if (symbols == NULL)
        return;
    names_destroy(symbols->names);
    mem_free(symbols);
}

/* Is it `group.leaf`? What begins with a dot (".net") is no leaf of anything. */
static bool
has_group(struct str text, struct str *group)
{
    *group = code_group(text);
    return group->len > 0 && group->len < text.len;
}

symbol
symbols_intern_hashed(struct symbols *symbols, struct str text, uint64_t hash)
{
    symbol known, group_symbol;
    struct str group;

    if (!has_group(text, &group))
        return names_add_hashed(symbols->names, text, hash, SYMBOL_NONE);
    known = names_find_hashed(symbols->names, text, hash);
    if (known != SYMBOL_NONE)
        return known;
    group_symbol = names_add(symbols->names, group, SYMBOL_NONE);
    return group_symbol != SYMBOL_NONE ? names_add_hashed(symbols->names, text, hash, group_symbol)
                                       : SYMBOL_NONE;
}

symbol
symbols_intern(struct symbols *symbols, struct str text)
{
    return symbols_intern_hashed(symbols, text, names_hash(text));
}

void
symbols_reserve(struct symbols *symbols, uint32_t n)
{
    uint32_t count = names_count(symbols->names);

    names_reserve(symbols->names, n < NAMES_MAX - count ? count + n : NAMES_MAX);
}

void
symbols_foresee(const struct symbols *symbols, uint64_t hash)
{
    names_foresee(symbols->names, hash);
}

symbol
symbols_find(const struct symbols *symbols, struct str text)
{
    return names_find(symbols->names, text);
}

struct str
symbols_text(const struct symbols *symbols, symbol s)
{
    return s != SYMBOL_NONE ? names_text(symbols->names, s) : STR_LIT("");
}

symbol
symbols_group(const struct symbols *symbols, symbol s)
{
    symbol group = s != SYMBOL_NONE ? names_note(symbols->names, s) : SYMBOL_NONE;

    return group != SYMBOL_NONE ? group : s;
}

uint32_t
symbols_count(const struct symbols *symbols)
{
    return names_count(symbols->names);
}

/* ---- scopes ---- */

/*
 * A text is looked for among the scope's own first, so that it keeps the number that the scope once
 * gave it even when the writer interns the same text a moment later.
 */
enum { SCOPE_ROOM_MIN = 32, RECENT_TEXT_BYTES = 16 };

struct local {
    struct str text;
    uint64_t hash;
    symbol group; /* SYMBOL_NONE: its own */
};

struct symbol_scope {
    const struct symbols *symbols;
    struct arena *arena;
    struct local *locals;
    uint32_t n, room;              /* a power of two */
    uint32_t *index;               /* 2 * room places: a local + 1, or 0 */
    struct recent_symbols *recent; /* NULL: none */
};

struct symbol_scope *
symbol_scope_create(const struct symbols *symbols, struct arena *arena)
{
    struct symbol_scope *scope = arena_alloc(arena, 1, sizeof *scope);

    if (scope != NULL) {
        scope->symbols = symbols;
        scope->arena = arena;
    }
    return scope;
}

/* Where in the index the text stands, or would. */
static uint32_t *
scope_place(const struct symbol_scope *scope, struct str text, uint64_t hash)
{
    uint32_t mask = 2 * scope->room - 1;
    uint32_t at = (uint32_t)hash & mask;

    for (; scope->index[at] != 0; at = (at + 1) & mask) {
        const struct local *local = &scope->locals[scope->index[at] - 1];

        if (local->hash == hash && str_equal(local->text, text))
            break;
    }
    return &scope->index[at];
}

static bool
scope_grow(struct symbol_scope *scope)
{
    struct symbol_scope next = *scope;

    next.room = scope->room != 0 ? 2 * scope->room : SCOPE_ROOM_MIN;
    next.locals = arena_alloc(scope->arena, next.room, sizeof *next.locals);
    next.index = arena_alloc(scope->arena, 2 * (size_t)next.room, sizeof *next.index);
    if (next.locals == NULL || next.index == NULL)
        return false;
    for (uint32_t i = 0; i < scope->n; i++) {
        next.locals[i] = scope->locals[i];
        *scope_place(&next, next.locals[i].text, next.locals[i].hash) = i + 1;
    }
    *scope = next;
    return true;
}

static symbol
intern_anew(struct symbol_scope *scope, struct str text)
{
    uint64_t hash = names_hash(text);
    struct local local = {.hash = hash};
    struct str group;
    symbol known;
    uint32_t *place;

    if (scope->n > 0 && *(place = scope_place(scope, text, hash)) != 0)
        return SYMBOL_LOCAL + *place - 1;
    known = names_find_hashed(scope->symbols->names, text, hash);
    if (known != SYMBOL_NONE)
        return known;
    if (has_group(text, &group) && (local.group = intern_anew(scope, group)) == SYMBOL_NONE)
        return SYMBOL_NONE;
    if (scope->n == scope->room && !scope_grow(scope))
        return SYMBOL_NONE;
    local.text = arena_str(scope->arena, text);
    if (local.text.data == NULL)
        return SYMBOL_NONE;
    scope->locals[scope->n] = local;
    *scope_place(scope, local.text, hash) = ++scope->n;
    return SYMBOL_LOCAL + scope->n - 1;
}

void
symbol_scope_use(struct symbol_scope *scope, struct recent_symbols *recent)
{
    scope->recent = recent;
}

/* The first and the last 8 bytes, or 4; of shorter ones the bytes. */
static void
short_text_words(struct str text, uint64_t words[2])
{
    words[0] = words[1] = 0;
    if (text.len >= 8) {
        memcpy(&words[0], text.data, 8);
        memcpy(&words[1], text.data + text.len - 8, 8);
    } else if (text.len >= 4) {
        memcpy(&words[0], text.data, 4);
        memcpy(&words[1], text.data + text.len - 4, 4);
    } else {
        for (size_t i = 0; i < text.len; i++)
            words[0] = words[0] << 8 | (unsigned char)text.data[i];
    }
}

/* Nothing that the scope has a number of its own for is ever kept here: that number was found first. */
static symbol
intern_recent(struct symbol_scope *scope, struct str text)
{
    struct recent_symbol given = {.len = (uint32_t)text.len}, *kept;

    short_text_words(text, given.words);
    kept = &scope->recent->of[((given.words[0] ^ given.words[1] << 1 ^ given.len) *
                                   UINT64_C(0x9e3779b97f4a7c15) >>
                               32) %
                              RECENT_SYMBOLS];
    if (kept->known != SYMBOL_NONE && kept->words[0] == given.words[0] &&
        kept->words[1] == given.words[1] && kept->len == given.len)
        return kept->known;
    given.known = intern_anew(scope, text);
    if (given.known != SYMBOL_NONE && given.known < SYMBOL_LOCAL)
        *kept = given;
    return given.known;
}

symbol
symbol_scope_intern(struct symbol_scope *scope, struct str text)
{
    return scope->recent != NULL && text.len > 0 && text.len <= RECENT_TEXT_BYTES
               ? intern_recent(scope, text)
               : intern_anew(scope, text);
}

uint32_t
symbol_scope_count(const struct symbol_scope *scope)
{
    return scope->n;
}

static const struct local *
local_of(const struct symbol_scope *scope, symbol s)
{
    assert(s - SYMBOL_LOCAL < scope->n);
    return &scope->locals[s - SYMBOL_LOCAL];
}

struct str
symbol_scope_text(const struct symbol_scope *scope, symbol s)
{
    return s >= SYMBOL_LOCAL ? local_of(scope, s)->text : symbols_text(scope->symbols, s);
}

symbol
symbol_scope_group(const struct symbol_scope *scope, symbol s)
{
    symbol group;

    if (s < SYMBOL_LOCAL)
        return symbols_group(scope->symbols, s);
    group = local_of(scope, s)->group;
    return group != SYMBOL_NONE ? group : s;
}
