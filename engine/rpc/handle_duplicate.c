/*
 * handle_duplicate.c: profiles that are probably the same one.
 *
 * Comparing each with each would be quadratic. Instead the profiles are sorted by what duplicates share
 * (host of the website, external id, folded name, folded name read backwards) and only neighbours are
 * compared: the sorted-neighbourhood method (Hernández and Stolfo, 1995). Each hint counts basis points;
 * hints of one pair add up, to 10000 at most; what has less than DUPLICATE_LEAST is no finding.
 */
#include "fold.h"
#include "handle.h"
#include "profile_write.h"

#include <stdlib.h>
#include <string.h>

enum { WINDOW = 6, GROUP_MAX = 20, DUPLICATE_LEAST = 4000, NAME_LEAST_CHARS = 5 };

enum hint {
    HINT_EXTERNAL_ID,
    HINT_WEBSITE,
    HINT_SAME_NAME,
    HINT_NEAR_NAME,
    HINT_SAME_CITY,
    N_HINTS
};

static const struct {
    const char *name;
    int32_t points; /* basis points */
} hints[N_HINTS] = {
    [HINT_EXTERNAL_ID] = {"external_id", 9000}, [HINT_WEBSITE] = {"website", 6000},
    [HINT_SAME_NAME] = {"same_name", 6000},     [HINT_NEAR_NAME] = {"near_name", 3000},
    [HINT_SAME_CITY] = {"same_city", 1000},
};

struct candidate {
    struct str id, name, kind, host, city; /* city folded */
    struct str folded, backwards;          /* the name without legal forms */
};

struct key_row { /* one thing that duplicates may share */
    struct str key;
    uint32_t candidate;
};

struct finding {
    uint32_t a, b; /* a < b, as positions of candidates, which are in order of id */
    unsigned hints;
    struct str value[N_HINTS];
};

struct search {
    struct call *call;
    struct candidate *candidates;
    size_t n, room;
    struct key_row *externals;
    size_t n_externals, externals_room;
    struct finding *findings;
    size_t n_findings, findings_room;
};

/* ---- arrays of the arena that grow ---- */

static void *
grown(struct arena *arena, void *list, size_t n, size_t *room, size_t size)
{
    void *next;

    if (n < *room)
        return list;
    *room = *room != 0 ? *room * 2 : 64;
    next = arena_alloc(arena, *room, size);
    if (next != NULL && n != 0)
        memcpy(next, list, n * size);
    return next;
}

/* ---- reading the profiles ---- */

static const char *const legal_forms[] = {"sas", "sasu", "sarl", "sa",   "eurl", "scop", "inc",
                                          "llc", "ltd",  "corp", "gmbh", "ag",   "bv",   "srl"};

static bool
is_legal_form(struct str word)
{
    for (size_t i = 0; i < sizeof legal_forms / sizeof legal_forms[0]; i++)
        if (str_is(word, legal_forms[i]))
            return true;
    return false;
}

static struct str
without_legal_form(struct str folded)
{
    for (size_t at = folded.len; at > 0; at--)
        if (folded.data[at - 1] == ' ') {
            if (is_legal_form((struct str){folded.data + at, folded.len - at}))
                return (struct str){folded.data, at - 1};
            break;
        }
    return folded;
}

/* "https://www.example.org/a" → "example.org" */
static struct str
host_of(struct str url)
{
    const char *mark = memmem(url.data, url.len, "://", 3);
    size_t start = mark != NULL ? (size_t)(mark - url.data) + 3 : 0, end = start;

    while (end < url.len && memchr("/:?#", url.data[end], 4) == NULL)
        end++;
    if (end - start > 4 && memcmp(url.data + start, "www.", 4) == 0)
        start += 4;
    return (struct str){url.data + start, end - start};
}

static struct str
backwards(struct arena *arena, struct str s)
{
    char *out = arena_alloc(arena, s.len, 1);

    for (size_t i = 0; i < s.len && out != NULL; i++)
        out[i] = s.data[s.len - 1 - i];
    return (struct str){out, s.len};
}

static enum err_code
add_externals(struct search *search, const msgpack_object *map, struct err *err)
{
    struct arena *arena = search->call->arena;

    for (size_t i = 0; i < value_size(map); i++) {
        struct str system = value_key(map, i), value;
        struct key_row *row;

        if (!value_str(value_of(map, i), &value) || value.len == 0)
            continue;
        search->externals = grown(arena, search->externals, search->n_externals,
                                  &search->externals_room, sizeof *row);
        if (search->externals == NULL)
            return err_no_memory(err);
        row = &search->externals[search->n_externals++];
        row->key = arena_format(arena, "%.*s %.*s", STR_ARG(system), STR_ARG(value));
        row->candidate = (uint32_t)search->n;
        if (row->key.data == NULL)
            return err_no_memory(err);
    }
    return ERR_OK;
}

static enum err_code
add_candidate(struct search *search, struct str id, const msgpack_object *open, struct err *err)
{
    struct arena *arena = search->call->arena;
    struct str text = {NULL, 0};
    struct candidate *candidate;
    enum err_code code = add_externals(search, value_find(open, "external_ids"), err);

    search->candidates =
        grown(arena, search->candidates, search->n, &search->room, sizeof *candidate);
    if (code != ERR_OK || search->candidates == NULL)
        return code != ERR_OK ? code : err_no_memory(err);
    candidate = &search->candidates[search->n++];
    *candidate = (struct candidate){.id = arena_str(arena, id)};
    if (value_str(value_find(open, "kind"), &text))
        candidate->kind = arena_str(arena, text);
    if (value_str(value_find(open, "website"), &text))
        candidate->host = arena_str(arena, host_of(text));
    if (value_str(value_find(open, "city"), &text) &&
        (code = fold_text(text, arena, &candidate->city, err)) != ERR_OK)
        return code;
    if (!value_str(value_find(open, "name"), &text))
        return ERR_OK;
    candidate->name = arena_str(arena, text);
    code = fold_text(text, arena, &candidate->folded, err);
    candidate->folded = without_legal_form(candidate->folded);
    candidate->backwards = backwards(arena, candidate->folded);
    return code;
}

static enum err_code
read_candidates(struct search *search, struct store_read *read, struct err *err)
{
    struct arena *scratch = arena_create(4 * 1024 * 1024);
    struct store_walk *walk = NULL;
    struct profile_record record;
    struct str id;
    enum err_code code =
        scratch == NULL ? err_no_memory(err) : store_walk_profiles(read, STR_LIT(""), &walk, err);

    while (code == ERR_OK && store_walk_next_profile(walk, &id, &record, err)) {
        const msgpack_object *open;

        code = value_decode(record.open.data, record.open.len, &value_limits_default, scratch,
                            &open, err);
        if (code == ERR_OK)
            code = add_candidate(search, id, open, err);
        if (code == ERR_OK && search->n % 1024 == 0)
            code = call_check_time(search->call, err);
        arena_reset(scratch);
    }
    if (code == ERR_OK)
        code = err->code;
    store_walk_end(walk);
    arena_destroy(scratch);
    return code;
}

/* ---- finding ---- */

static int
key_compare(const void *a, const void *b)
{
    const struct key_row *x = a, *y = b;
    int order = str_compare(x->key, y->key);

    return order != 0 ? order : (x->candidate > y->candidate) - (x->candidate < y->candidate);
}

static void
sort_rows(struct key_row *rows, size_t n)
{
    if (n > 1) /* qsort takes no null, even of nothing */
        qsort(rows, n, sizeof *rows, key_compare);
}

static enum err_code
note(struct search *search, uint32_t a, uint32_t b, enum hint hint, struct str value,
     struct err *err)
{
    struct finding *finding;

    if (a == b)
        return ERR_OK;
    search->findings = grown(search->call->arena, search->findings, search->n_findings,
                             &search->findings_room, sizeof *finding);
    if (search->findings == NULL)
        return err_no_memory(err);
    finding = &search->findings[search->n_findings++];
    *finding = (struct finding){.a = a < b ? a : b, .b = a < b ? b : a, .hints = 1U << hint};
    finding->value[hint] = value;
    return ERR_OK;
}

/* All pairs of rows with one key. A key that very many share (a platform's host) tells nothing. */
static enum err_code
note_equal(struct search *search, struct key_row *rows, size_t n, enum hint hint, struct err *err)
{
    sort_rows(rows, n);
    for (size_t i = 0, end; i < n; i = end) {
        for (end = i + 1; end < n && str_equal(rows[i].key, rows[end].key); end++)
            ;
        if (end - i > GROUP_MAX || rows[i].key.len == 0)
            continue;
        for (size_t j = i; j < end; j++)
            for (size_t k = j + 1; k < end; k++) {
                enum err_code code =
                    note(search, rows[j].candidate, rows[k].candidate, hint, rows[i].key, err);

                if (code != ERR_OK)
                    return code;
            }
    }
    return ERR_OK;
}

static enum err_code
note_names(struct search *search, struct key_row *rows, size_t n, struct err *err)
{
    sort_rows(rows, n);
    for (size_t i = 0; i < n; i++)
        for (size_t j = i + 1; j < n && j <= i + WINDOW; j++) {
            const struct candidate *a = &search->candidates[rows[i].candidate];
            const struct candidate *b = &search->candidates[rows[j].candidate];
            size_t len = a->folded.len > b->folded.len ? a->folded.len : b->folded.len;
            size_t most = len / 8 + 1;
            enum err_code code = ERR_OK;

            if (!str_equal(a->kind, b->kind) || a->folded.len == 0)
                continue;
            if (str_equal(a->folded, b->folded))
                code = note(search, rows[i].candidate, rows[j].candidate, HINT_SAME_NAME, b->name,
                            err);
            else if (a->folded.len >= NAME_LEAST_CHARS && b->folded.len >= NAME_LEAST_CHARS &&
                     str_distance(a->folded, b->folded, most) <= most)
                code = note(search, rows[i].candidate, rows[j].candidate, HINT_NEAR_NAME, b->name,
                            err);
            if (code != ERR_OK)
                return code;
        }
    return ERR_OK;
}

static enum err_code
find_pairs(struct search *search, struct err *err)
{
    struct key_row *rows = arena_alloc(search->call->arena, search->n, sizeof *rows);
    enum err_code code;

    if (rows == NULL)
        return err_no_memory(err);
    for (size_t i = 0; i < search->n; i++)
        rows[i] = (struct key_row){search->candidates[i].host, (uint32_t)i};
    code = note_equal(search, rows, search->n, HINT_WEBSITE, err);
    if (code == ERR_OK)
        code = note_equal(search, search->externals, search->n_externals, HINT_EXTERNAL_ID, err);
    for (size_t i = 0; i < search->n; i++)
        rows[i] = (struct key_row){search->candidates[i].folded, (uint32_t)i};
    if (code == ERR_OK)
        code = note_names(search, rows, search->n, err);
    for (size_t i = 0; i < search->n; i++)
        rows[i] = (struct key_row){search->candidates[i].backwards, (uint32_t)i};
    return code == ERR_OK ? note_names(search, rows, search->n, err) : code;
}

static int
finding_compare_pair(const void *a, const void *b)
{
    const struct finding *x = a, *y = b;

    if (x->a != y->a)
        return x->a < y->a ? -1 : 1;
    return (x->b > y->b) - (x->b < y->b);
}

static int32_t
strength(const struct finding *finding)
{
    int32_t points = 0;

    for (int i = 0; i < N_HINTS; i++)
        if (finding->hints & 1U << i)
            points += hints[i].points;
    return points < 10000 ? points : 10000;
}

static int
finding_compare_strength(const void *a, const void *b)
{
    const struct finding *x = a, *y = b;
    int32_t difference = strength(y) - strength(x);

    return difference != 0 ? difference : finding_compare_pair(a, b);
}

/* One finding a pair, with all of its hints; the weak ones go. */
static void
unite(struct search *search)
{
    size_t n = 0;

    if (search->n_findings > 1)
        qsort(search->findings, search->n_findings, sizeof *search->findings, finding_compare_pair);
    for (size_t i = 0, end; i < search->n_findings; i = end) {
        struct finding *one = &search->findings[i];
        const struct candidate *a = &search->candidates[one->a];
        const struct candidate *b = &search->candidates[one->b];

        for (end = i + 1;
             end < search->n_findings && finding_compare_pair(one, &search->findings[end]) == 0;
             end++)
            for (int hint = 0; hint < N_HINTS; hint++)
                if (search->findings[end].hints & 1U << hint) {
                    one->hints |= 1U << hint;
                    one->value[hint] = search->findings[end].value[hint];
                }
        if (a->city.len > 0 && str_equal(a->city, b->city)) {
            one->hints |= 1U << HINT_SAME_CITY;
            one->value[HINT_SAME_CITY] = a->city;
        }
        if (strength(one) >= DUPLICATE_LEAST)
            search->findings[n++] = *one;
    }
    search->n_findings = n;
    if (n > 1)
        qsort(search->findings, n, sizeof *search->findings, finding_compare_strength);
}

/* ---- answering ---- */

static void
pack_finding(struct buf *out, const struct search *search, const struct finding *finding)
{
    const struct candidate *a = &search->candidates[finding->a];
    const struct candidate *b = &search->candidates[finding->b];
    struct pack_open list;
    size_t n = 0;

    pack_map(out, 6);
    pack_key_str(out, "a", a->id);
    pack_key_str(out, "b", b->id);
    pack_key_str(out, "a_name", a->name);
    pack_key_str(out, "b_name", b->name);
    pack_key_int(out, "strength", strength(finding));
    pack_key(out, "evidence");
    list = pack_array_open(out);
    for (int hint = 0; hint < N_HINTS; hint++)
        if (finding->hints & 1U << hint) {
            pack_map(out, 3);
            pack_key_text(out, "hint", hints[hint].name);
            pack_key_int(out, "points", hints[hint].points);
            pack_key_str(out, "value", finding->value[hint]);
            n++;
        }
    pack_close(out, list, n);
}

enum err_code
handle_profile_duplicates(struct call *call, struct err *err)
{
    struct search search = {.call = call};
    struct str id = call_str(call, "id");
    size_t limit = call_limit(call), n = 0;
    uint64_t first = call_after_number(call), at = 0;
    struct buf *out = &call->answer;
    struct pack_open map, list;
    struct store_read *read;
    bool has_more = false;
    enum err_code code;

    if (id.len > 0 && roster_find(call->view.roster, id) == ROSTER_NO_ROW)
        return call_no_profile(call, "id", id, err);
    code = store_read_begin(engine_store(call->engine), &read, err);
    if (code != ERR_OK)
        return code;
    code = read_candidates(&search, read, err);
    store_read_end(read);
    if (code == ERR_OK)
        code = find_pairs(&search, err);
    if (code != ERR_OK)
        return code;
    unite(&search);
    map = pack_map_open(out);
    pack_key(out, "duplicates");
    list = pack_array_open(out);
    for (size_t i = 0; i < search.n_findings; i++) {
        const struct finding *finding = &search.findings[i];

        if (id.len > 0 && !str_equal(search.candidates[finding->a].id, id) &&
            !str_equal(search.candidates[finding->b].id, id))
            continue;
        if (at++ < first)
            continue;
        if (n == limit) {
            has_more = true;
            break;
        }
        pack_finding(out, &search, finding);
        n++;
    }
    pack_close(out, list, n);
    if (has_more)
        call_pack_next_number(call, first + n);
    pack_close(out, map, has_more ? 2 : 1);
    return ERR_OK;
}
