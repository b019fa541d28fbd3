#include "buf.h"
#include "cell.h"
#include "curve.h"
#include "file.h"
#include "view.h"
#include "world.h"

#include <criterion/criterion.h>

#include <stdio.h>
#include <stdlib.h>

/*
 * The tables of examples of client/doc/en/scoring.md, run: what the page says is what comes out. Each
 * stands below a comment `examples: NAME`; a row's cells become profiles, a programme of one want or
 * requirement, and the answer is compared with the page.
 */
enum { CELLS_MAX = 6, LIST_MAX = 16 };

struct row {
    struct str cells[CELLS_MAX];
    int n;
    int line;
};

static struct world world;
static struct buf page;

static void
set_up(void)
{
    struct err err = {0};

    world_open(&world);
    buf_init(&page, 1 << 20);
    cr_assert_eq(file_read(JML_SOURCE "/client/doc/en/scoring.md", &page, &err), ERR_OK, "%s",
                 err.message);
}

static void
tear_down(void)
{
    buf_fini(&page);
    world_close(&world);
}

TestSuite(scoring_page, .init = set_up, .fini = tear_down);

/* ---- reading the page ---- */

static struct row
row_of(struct str line, int number)
{
    struct row row = {.line = number};

    for (size_t at = 1; at < line.len && row.n < CELLS_MAX;) {
        size_t end = str_find(line, '|', at);
        struct str cell = str_trim((struct str){line.data + at, end - at});

        if (cell.len > 1 && cell.data[0] == '`' && cell.data[cell.len - 1] == '`')
            cell = (struct str){cell.data + 1, cell.len - 2};
        row.cells[row.n++] = cell;
        at = end + 1;
    }
    return row;
}

/* Calls check for each row of a table; fails if there are fewer than `least`. */
static void
each_row(const char *table, int least, void (*check)(const struct row *row))
{
    struct str text = buf_str(&page);
    struct str mark = arena_format(world.arena, "<!-- examples: %s -->", table);
    int state = 0, line = 0, n = 0; /* 1: marked, 2: heading, 3: rule, then rows */

    for (size_t at = 0; at < text.len; line++) {
        size_t end = str_find(text, '\n', at);
        struct str piece = {text.data + at, end - at};

        at = end + 1;
        if (str_equal(piece, mark)) {
            state = 1;
        } else if (state > 0 && (piece.len == 0 || piece.data[0] != '|')) {
            state = 0;
        } else if (state > 0 && state < 3) {
            state++;
        } else if (state == 3) {
            struct row row = row_of(piece, line + 1);

            check(&row);
            n++;
        }
    }
    cr_assert_geq(n, least, "table %s has %d rows", table, n);
}

static bool
is_none(struct str cell)
{
    return str_is(cell, "—") || str_is(cell, "none") || str_is(cell, "missing") ||
           str_is(cell, "unknown") || cell.len == 0;
}

static int64_t
number_of(struct str cell)
{
    char text[32];
    char *end;
    long long number;

    cr_assert(cell.len > 0 && cell.len < sizeof text, "no number: %.*s", STR_ARG(cell));
    memcpy(text, cell.data, cell.len);
    text[cell.len] = '\0';
    number = strtoll(text, &end, 10);
    cr_assert_eq(*end, '\0', "no number: %s", text);
    return number;
}

static bool
is_number(struct str cell)
{
    for (size_t i = 0; i < cell.len; i++)
        if (cell.data[i] < '0' || cell.data[i] > '9')
            return false;
    return cell.len > 0;
}

/* The pieces between separators of one character, trimmed. */
static int
split(struct str cell, char separator, struct str pieces[LIST_MAX])
{
    int n = 0;

    for (size_t at = 0; at < cell.len; n++) {
        size_t end = str_find(cell, separator, at);

        cr_assert_lt(n, LIST_MAX);
        pieces[n] = str_trim((struct str){cell.data + at, end - at});
        at = end + 1;
    }
    return n;
}

/* ---- cells as JSON ---- */

enum form { FORM_LIST, FORM_RANGE, FORM_NUMBER, FORM_PERIOD, FORM_DATE, FORM_TEXT, FORM_RECORD };

static struct str
list_json(struct str cell)
{
    struct str pieces[LIST_MAX], json = STR_LIT("[");
    int n = split(cell, ',', pieces);

    for (int i = 0; i < n; i++)
        json = arena_format(world.arena, "%.*s%s\"%.*s\"", STR_ARG(json), i > 0 ? ", " : "",
                            STR_ARG(pieces[i]));
    return arena_format(world.arena, "%.*s]", STR_ARG(json));
}

static struct str
money_json(struct str cell)
{
    struct str pieces[LIST_MAX], ends[LIST_MAX];

    cr_assert_eq(split(cell, ' ', pieces), 2, "%.*s", STR_ARG(cell));
    if (split(pieces[0], '-', ends) == 1)
        ends[1] = ends[0];
    return arena_format(world.arena, "{\"min\": %.*s, \"max\": %.*s, \"currency\": \"%.*s\"}",
                        STR_ARG(ends[0]), STR_ARG(ends[1]), STR_ARG(pieces[1]));
}

static struct str
period_json(struct str cell)
{
    struct str words[LIST_MAX], json = STR_LIT("{");
    int n = split(cell, ' ', words);

    if (n == 3) /* D to D: as if it began with from */
        return arena_format(world.arena, "{\"from\": \"%.*s\", \"to\": \"%.*s\"}",
                            STR_ARG(words[0]), STR_ARG(words[2]));
    cr_assert_eq(n, 2, "%.*s", STR_ARG(cell));
    return arena_format(world.arena, "%.*s\"%.*s\": \"%.*s\"}", STR_ARG(json), STR_ARG(words[0]),
                        STR_ARG(words[1]));
}

/* "[3, 4] 1:1 2:5": an embedding, terms and their weights. */
static struct str
text_json(struct str cell)
{
    struct str pieces[LIST_MAX], embedding = STR_LIT("null"), terms = STR_LIT("");
    size_t end = str_find(cell, ']', 0);
    int n;

    if (cell.data[0] == '[') {
        embedding = (struct str){cell.data, end + 1};
        cell = str_trim((struct str){cell.data + end + 1, cell.len - end - 1});
    }
    n = split(cell, ' ', pieces);
    for (int i = 0; i < n; i++) {
        size_t colon = str_find(pieces[i], ':', 0);

        terms = arena_format(world.arena, "%.*s%s%.*s, %.*s", STR_ARG(terms), i > 0 ? ", " : "",
                             (int)colon, pieces[i].data, (int)(pieces[i].len - colon - 1),
                             pieces[i].data + colon + 1);
    }
    return arena_format(world.arena, "\"embedding\": %.*s, \"terms\": [%.*s]", STR_ARG(embedding),
                        STR_ARG(terms));
}

/* `"field": value` with a comma before; nothing where the value is missing. */
static struct str
field_json(enum form form, const char *field, struct str cell)
{
    struct str value = cell;

    if (is_none(cell) || form == FORM_RECORD)
        return STR_LIT("");
    if (form == FORM_TEXT)
        return arena_format(world.arena, ", %.*s", STR_ARG(text_json(cell)));
    if (form == FORM_LIST)
        value = list_json(cell);
    else if (form == FORM_PERIOD)
        value = period_json(cell);
    else if (form == FORM_DATE)
        value = arena_format(world.arena, "\"%.*s\"", STR_ARG(cell));
    else if (form == FORM_RANGE && !is_number(cell))
        value = money_json(cell);
    return arena_format(world.arena, ", \"%s\": %.*s", field, STR_ARG(value));
}

static void
put(const char *id, struct str fields)
{
    world_put(&world,
              arena_format(world.arena, "{\"id\": \"%s\", \"consent\": {\"match\": true}%.*s}", id,
                           STR_ARG(fields))
                  .data);
}

/* ---- wants and requirements ---- */

struct example {
    const char *type;
    enum form form, by_form;
    const char *of, *by, *of_number, *by_number; /* the latter for whole numbers in a range */
};

static const struct example wants[] = {
    {"overlap", FORM_LIST, FORM_LIST, "sectors", "sectors", NULL, NULL},
    {"cover", FORM_LIST, FORM_LIST, "needs", "offers", NULL, NULL},
    {"any", FORM_LIST, FORM_LIST, "languages", "languages", NULL, NULL},
    {"same", FORM_LIST, FORM_LIST, "tags", "tags", NULL, NULL},
    {"stage", FORM_LIST, FORM_LIST, "stages", "stages", NULL, NULL},
    {"range", FORM_RANGE, FORM_RANGE, "raising", "ticket", "team", "capacity"},
    {"at_least", FORM_NUMBER, FORM_NUMBER, "team", "capacity", NULL, NULL},
    {"period", FORM_PERIOD, FORM_PERIOD, "available", "available", NULL, NULL},
    {"text", FORM_TEXT, FORM_TEXT, "description", "description", NULL, NULL},
    {"record", FORM_LIST, FORM_RECORD, "sectors", "record.sectors", NULL, NULL},
};

static const struct example requirements[] = {
    {"any", FORM_LIST, FORM_LIST, "languages", "languages", NULL, NULL},
    {"all", FORM_LIST, FORM_LIST, "needs", "offers", NULL, NULL},
    {"within", FORM_LIST, FORM_LIST, "stages", "stages", NULL, NULL},
    {"meets", FORM_RANGE, FORM_RANGE, "raising", "ticket", "team", "capacity"},
    {"equals", FORM_LIST, FORM_LIST, "languages", "languages", NULL, NULL},
    {"differs", FORM_LIST, FORM_LIST, "languages", "languages", NULL, NULL},
    {"at_least", FORM_NUMBER, FORM_NUMBER, "team", "capacity", NULL, NULL},
    {"at_most", FORM_NUMBER, FORM_NUMBER, "team", "capacity", NULL, NULL},
    {"before", FORM_DATE, FORM_DATE, "founded", "founded", NULL, NULL},
    {"after", FORM_DATE, FORM_DATE, "founded", "founded", NULL, NULL},
    {"overlaps", FORM_PERIOD, FORM_PERIOD, "available", "available", NULL, NULL},
};

static unsigned seen; /* bit i: example i had a row */

static const struct example *
example_of(const struct example *examples, size_t n, const struct row *row)
{
    for (size_t i = 0; i < n; i++)
        if (str_is(row->cells[0], examples[i].type)) {
            seen |= 1U << i;
            return &examples[i];
        }
    cr_assert_fail("line %d: no type %.*s", row->line, STR_ARG(row->cells[0]));
    return NULL;
}

/* The two profiles of a row; returns the programme's `"of": …, "by": …`. */
static struct str
put_pair(const struct example *example, const struct row *row)
{
    bool by_number =
        example->of_number != NULL && (is_number(row->cells[1]) || is_number(row->cells[2]));
    const char *of = by_number ? example->of_number : example->of;
    const char *by = by_number ? example->by_number : example->by;

    put("a", field_json(example->form, of, row->cells[1]));
    put("b", field_json(example->by_form, by, row->cells[2]));
    return arena_format(world.arena, "\"of\": \"%s\", \"by\": \"%s\"", of, by);
}

/* One outcome of b with a party for each sector. */
static void
put_outcomes(struct str cell)
{
    struct str sectors[LIST_MAX];
    int n = is_none(cell) ? 0 : split(cell, ',', sectors);

    for (int i = 0; i < n; i++) {
        char id[32];

        snprintf(id, sizeof id, "o%d", i);
        put(id, arena_format(world.arena, ", \"sectors\": [\"%.*s\"]", STR_ARG(sectors[i])));
        world_outcome(&world, i % 2 == 0 ? "b" : id, i % 2 == 0 ? id : "b", "2025-06-01", true);
    }
}

static void
start_again(void)
{
    roster_drop(world.roster);
    world.roster = NULL;
}

static void
check_want(const struct row *row)
{
    const struct example *example = example_of(wants, sizeof wants / sizeof wants[0], row);
    struct explanation explanation;
    struct match_plan *plan;
    struct str operands;
    bool is_known = !is_none(row->cells[3]);

    cr_assert_eq(row->n, 5, "line %d", row->line);
    start_again();
    operands = put_pair(example, row);
    if (example->by_form == FORM_RECORD)
        put_outcomes(row->cells[2]);
    world_publish(&world);
    plan = world_plan(&world,
                      arena_format(world.arena,
                                   "{\"id\": \"x\", \"from\": {}, \"to\": {}, \"from_wants\": "
                                   "[{\"id\": \"w\", \"type\": \"%s\", \"weight\": 10, "
                                   "\"missing\": 1234, %.*s}]}",
                                   example->type, STR_ARG(operands))
                          .data,
                      false, "2026-03-01", NULL);
    world_explain(&world, plan, "a", "b", &explanation);
    cr_assert_eq(explanation.n_from, 1);
    cr_expect_eq(explanation.from_reasons[0].is_known, is_known, "line %d", row->line);
    cr_expect_eq(explanation.from_reasons[0].quality,
                 is_known ? (int32_t)number_of(row->cells[3]) : 1234, "line %d: %d", row->line,
                 explanation.from_reasons[0].quality);
    cr_expect_eq(explanation.score.from_view, explanation.from_reasons[0].quality);
    cr_expect_eq(explanation.score.coverage, is_known ? 10000 : 0);
    if (!is_known)
        cr_expect(explanation.from_reasons[0].of_missing || explanation.from_reasons[0].by_missing,
                  "line %d", row->line);
}

Test(scoring_page, every_want_has_the_quality_of_its_example)
{
    seen = 0;
    each_row("want", 60, check_want);
    cr_expect_eq(seen, (1U << sizeof wants / sizeof wants[0]) - 1, "a type without example");
}

static void
check_requirement(const struct row *row)
{
    const struct example *example =
        example_of(requirements, sizeof requirements / sizeof requirements[0], row);
    bool holds = str_is(row->cells[3], "yes");
    struct explanation explanation;
    struct match_plan *plan;
    struct str operands;

    cr_assert_eq(row->n, 4, "line %d", row->line);
    cr_assert(holds || str_is(row->cells[3], "no"), "line %d", row->line);
    start_again();
    operands = put_pair(example, row);
    world_publish(&world);
    plan = world_plan(&world,
                      arena_format(world.arena,
                                   "{\"id\": \"x\", \"from\": {}, \"to\": {}, \"require\": "
                                   "[{\"id\": \"r\", \"type\": \"%s\", %.*s}]}",
                                   example->type, STR_ARG(operands))
                          .data,
                      false, "2026-03-01", NULL);
    world_explain(&world, plan, "a", "b", &explanation);
    cr_expect_eq(explanation.is_eligible, holds, "line %d", row->line);
}

Test(scoring_page, every_requirement_holds_as_in_its_example)
{
    seen = 0;
    each_row("require", 25, check_requirement);
    cr_expect_eq(seen, (1U << sizeof requirements / sizeof requirements[0]) - 1,
                 "a type without example");
}

/* ---- numbers ---- */

static void
check_cell(const struct row *row)
{
    cr_expect_eq(cell_of(number_of(row->cells[0])), number_of(row->cells[1]), "line %d", row->line);
}

Test(scoring_page, cells_are_those_of_the_table)
{
    each_row("cell", 10, check_cell);
}

static void
check_money(const struct row *row)
{
    struct facts *facts =
        world_facts(&world, NULL,
                    arena_format(world.arena, "{\"id\": \"m\", \"raising\": %.*s}",
                                 STR_ARG(money_json(row->cells[0])))
                        .data);
    struct str day = arena_str(world.arena, row->cells[1]);
    struct match_plan *plan;
    int64_t min = -1, max = -1;
    bool is_known;

    world_publish(&world);
    plan = world_plan(&world, "{\"id\": \"x\", \"from\": {}, \"to\": {}}", false, day.data, NULL);
    is_known = match_money_usd(plan, &facts_slot(facts, FIELD_RAISING)->money, &min, &max);
    cr_expect_eq(is_known, !is_none(row->cells[2]), "line %d", row->line);
    if (is_known)
        cr_expect(min == number_of(row->cells[2]) && max == min, "line %d", row->line);
    facts_drop(facts);
}

Test(scoring_page, money_is_worth_what_the_table_says)
{
    each_row("money", 6, check_money);
}

static void
check_curve(const struct row *row)
{
    struct knot knots[KNOTS_MAX];
    const msgpack_object *list =
        row->cells[0].len > 0 ? world_json(&world, arena_str(world.arena, row->cells[0]).data)
                              : NULL;
    int n = (int)value_size(list);

    for (int i = 0; i < n; i++) {
        int64_t q = 0, p = 0;

        value_int(value_at(value_at(list, (size_t)i), 0), &q);
        value_int(value_at(value_at(list, (size_t)i), 1), &p);
        knots[i] = (struct knot){(int32_t)q, (int32_t)p};
    }
    cr_expect_eq(curve_points(knots, n, (int32_t)number_of(row->cells[1])),
                 number_of(row->cells[2]), "line %d", row->line);
}

Test(scoring_page, curves_run_through_the_points_of_the_table)
{
    each_row("curve", 6, check_curve);
}

static void
check_combine(const struct row *row)
{
    for (int combine = COMBINE_HARMONIC; combine <= COMBINE_TO; combine++)
        if (str_is(row->cells[0], combine_name((enum combine)combine))) {
            cr_expect_eq(combine_views((enum combine)combine, (int32_t)number_of(row->cells[1]),
                                       (int32_t)number_of(row->cells[2])),
                         number_of(row->cells[3]), "line %d", row->line);
            seen |= 1U << combine;
        }
}

Test(scoring_page, views_combine_as_in_the_table)
{
    seen = 0;
    each_row("combine", 9, check_combine);
    cr_expect_eq(seen, (1U << (COMBINE_TO + 1)) - 1);
}

/* Wants on an absent field, so that the points are what `missing` says. */
static void
check_shares(const struct row *row)
{
    struct str parts[LIST_MAX], shares[LIST_MAX], json = STR_LIT("");
    int n = split(row->cells[0], ',', parts);
    struct explanation explanation;
    struct match_plan *plan;

    cr_assert_eq(split(row->cells[2], ',', shares), n, "line %d", row->line);
    for (int i = 0; i < n; i++) {
        struct str words[LIST_MAX];

        cr_assert_eq(split(parts[i], ' ', words), 3, "line %d", row->line);
        json =
            arena_format(world.arena,
                         "%.*s%s{\"id\": \"w%d\", \"type\": \"any\", \"of\": \"languages\", "
                         "\"by\": \"languages\", \"weight\": %.*s, \"missing\": %.*s}",
                         STR_ARG(json), i > 0 ? ", " : "", i, STR_ARG(words[0]), STR_ARG(words[2]));
    }
    start_again();
    put("a", STR_LIT(""));
    put("b", STR_LIT(""));
    world_publish(&world);
    plan = world_plan(&world,
                      arena_format(world.arena,
                                   "{\"id\": \"x\", \"from\": {}, \"to\": {}, \"from_wants\": "
                                   "[%.*s]}",
                                   STR_ARG(json))
                          .data,
                      false, "2026-03-01", NULL);
    world_explain(&world, plan, "a", "b", &explanation);
    cr_expect_eq(explanation.score.from_view, number_of(row->cells[1]), "line %d", row->line);
    for (int i = 0; i < n; i++)
        cr_expect_eq(explanation.from_reasons[i].share, number_of(shares[i]),
                     "line %d, want %d: %d", row->line, i, explanation.from_reasons[i].share);
}

Test(scoring_page, shares_are_those_of_the_table)
{
    each_row("shares", 5, check_shares);
}
