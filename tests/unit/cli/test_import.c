#include "cases.h"
#include "tool.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct tool tool;

static void
setup(void)
{
    tool_begin(&tool);
}

static void
teardown(void)
{
    tool_end(&tool);
}

TestSuite(import, .init = setup, .fini = teardown);

static int64_t
count(const char *key)
{
    int64_t number = -1;

    value_int(value_find(tool_json(&tool), key), &number);
    return number;
}

static const char *const sheets[] = {"messy-fr-1252.csv", "messy-fr-bom.csv"};

/* Both encodings of the messy French sheet give the same three profiles and the same four refusals. */
CASES(import, a_sheet_as_french_excel_saves_it, sheets)
{
    struct str command = arena_format(
        tool.arena, "import %s/import/%s --map french-excel --lang fr", JML_TEST_DATA, sheets[*i]);

    tool_expect(&tool, command.data, 65);
    cr_expect_eq(count("imported"), 3);
    cr_expect_eq(count("refused"), 4);
    cr_expect(tool_complained(&tool, "Ligne 5, colonne Secteurs"));
    cr_expect(tool_complained(&tool, "Vouliez-vous dire"));
    cr_expect(tool_complained(&tool, "Ligne 6, colonne Date de création"));
    cr_expect(tool_complained(&tool, "31/02/2024"));
    cr_expect(tool_complained(&tool, "Ligne 7, colonne Montant recherché"));
    cr_expect(tool_complained(&tool, "Ligne 8"));
    tool_expect(&tool, "export --public", 0);
    cr_expect(
        str_equal(
            tool.out,
            STR_LIT(
                "{\"id\":\"cafe-noe-robotique\",\"kind\":\"startup\",\"name\":\"Café Noé Robotique\","
                "\"metro\":\"paris\",\"website\":\"https://cafe-noe.example\",\"description\":{\"fr\":"
                "\"Des robots qui servent le café ; et qui parlent.\"},\"sectors\":[\"ai\",\"robo\"],"
                "\"languages\":[\"fr\",\"en\"],\"stage\":\"series_a\",\"founded\":\"2023-12-31\","
                "\"team\":12,\"raising\":{\"min\":1500000,\"currency\":\"EUR\"},\"needs\":[\"space.desk\","
                "\"people.mentor\"],\"available\":{\"from\":\"2026-03-01\",\"to\":\"2026-09-30\"},"
                "\"consent\":{\"match\":true,\"share\":false,\"basis\":\"formulaire de candidature\"}}\n"
                "{\"id\":\"ete-solaire\",\"kind\":\"startup\",\"name\":\"Été Solaire\",\"metro\":"
                "\"paris\",\"website\":\"https://ete-solaire.example\",\"description\":{\"fr\":"
                "\"Panneaux solaires de balcon.\"},\"sectors\":[\"energy.solar\"],\"languages\":[\"fr\"],"
                "\"stage\":\"seed\",\"founded\":\"2022-06-05\",\"team\":7,\"raising\":{\"min\":1500000,"
                "\"currency\":\"EUR\"},\"needs\":[\"market.intro\"],\"consent\":{\"match\":true,"
                "\"share\":false,\"basis\":\"formulaire de candidature\"}}\n"
                "{\"id\":\"l-oeuf-connecte\",\"kind\":\"startup\",\"name\":\"L’Œuf Connecté\",\"metro\":"
                "\"paris\",\"description\":{\"fr\":\"Un nid \\\"intelligent\\\".\"},\"sectors\":[\"food\"],"
                "\"languages\":[\"en\"],\"stage\":\"preseed\",\"founded\":\"2024\",\"team\":3,\"raising\":"
                "{\"min\":250000,\"currency\":\"EUR\"},\"available\":{\"from\":\"2026-01-01\"},"
                "\"consent\":{\"match\":true,\"share\":false,\"basis\":\"formulaire de candidature\"}}\n")),
        "%.*s", STR_ARG(tool.out));
    tool_expect(&tool, command.data, 65);
    cr_expect_eq(count("unchanged"), 3, "again changes nothing");
}

Test(import, dry_run_and_atomic_store_nothing_where_a_row_is_refused)
{
    struct str file = arena_format(tool.arena, "%s/import/messy-fr-bom.csv", JML_TEST_DATA);

    tool_expect(&tool,
                arena_format(tool.arena, "import %s --map french-excel --dry-run", file.data).data,
                65);
    cr_expect_eq(count("imported"), 3);
    tool_expect(&tool, "export", 0);
    cr_expect_eq(tool.out.len, 0);
    tool_expect(&tool,
                arena_format(tool.arena, "import %s --map french-excel --atomic", file.data).data,
                65);
    cr_expect_eq(count("imported"), 0);
    tool_expect(&tool, "export", 0);
    cr_expect_eq(tool.out.len, 0);
}

Test(import, without_a_mapping_headers_in_both_languages_are_recognised)
{
    tool_write(&tool, "a.csv",
               STR_LIT("Raison sociale;Domaine;Effectif;Ville;Création;Montant recherché\r\n"
                       "Alpha;IA;12;Paris;03/04/2024;1,5 M€\r\n"));
    tool_write(
        &tool, "b.csv",
        STR_LIT(
            "Company,Industry,Headcount,City,Founding date\nBeta,fintech,7,Oakland,2024-05-06\n"));
    tool_expect(&tool, "import a.csv b.csv --kind startup", 0);
    tool_expect(&tool, "call profile.get '{\"id\": \"alpha\"}'", 0);
    cr_expect(tool_said(&tool, "\"founded\":\"2024-04-03\"") && tool_said(&tool, "1500000"), "%.*s",
              STR_ARG(tool.out));
    tool_expect(&tool, "call profile.get '{\"id\": \"beta\"}'", 0);
    cr_expect(tool_said(&tool, "\"sectors\":[\"fin") && tool_said(&tool, "2024-05-06"), "%.*s",
              STR_ARG(tool.out));
}

/* ---- bad files ---- */

static const struct {
    const char *says, *name, *bytes;
    size_t len; /* 0: a plain text */
    int status;
    const char *part; /* of standard error */
} bad[] = {
    {"empty", "x.csv", "", 0, 65, ""},
    {"NUL bytes", "x.csv", "a,b\n1\0,2\n", 9, 65, ""},
    {"a zip as .csv", "x.csv", "PK\003\004\0\0\0\0zip", 11, 65, "xlsx"},
    {"a quote that never ends", "x.csv", "name,kind\n\"A,startup\n", 0, 65, "line 2"},
    {"two columns of one name", "x.csv", "name,name\nA,B\n", 0, 65, "both give name"},
    {"truncated JSON", "x.jsonl", "{\"id\": \"a\", \"kind\": \"startup\", \"name\"", 0, 65, "1"},
    {"JSON that is no map", "x.jsonl", "[1, 2]\n", 0, 65, "1"},
    {"a cut msgpack stream", "x.msgpack", "\x82\xa2id", 4, 65, "in the middle of profile 1"},
    {"what msgpack never is", "x.msgpack", "\xc1\xc1\xc1", 3, 65, "is no profile"},
    {"only a header", "x.csv", "name,kind\n", 0, 0, ""},
};

CASES(import, a_bad_file_is_told_and_stores_nothing, bad)
{
    struct str bytes = {bad[*i].bytes, bad[*i].len != 0 ? bad[*i].len : strlen(bad[*i].bytes)};

    tool_write(&tool, bad[*i].name, bytes);
    tool_expect(&tool, arena_format(tool.arena, "import %s", bad[*i].name).data, bad[*i].status);
    cr_expect(bad[*i].part[0] == '\0' || tool_complained(&tool, bad[*i].part), "%s: %.*s",
              bad[*i].says, STR_ARG(tool.err));
    tool_expect(&tool, "export", 0);
    cr_expect_eq(tool.out.len, 0, "%s", bad[*i].says);
}

Test(import, a_missing_file_is_66)
{
    tool_expect(&tool, "import nowhere.csv", 66);
    cr_expect(tool_complained(&tool, "nowhere.csv"));
}

Test(import, a_cell_of_ten_megabytes_and_six_hundred_columns_are_told)
{
    struct buf text;

    buf_init(&text, 1 << 24);
    buf_append_text(&text, "name,kind\n");
    char *cell = buf_reserve(&text, 10 << 20);
    cr_assert_not_null(cell);
    memset(cell, 'x', 10 << 20);
    text.len += 10 << 20;
    buf_append_text(&text, ",startup\n");
    tool_write(&tool, "big.csv", buf_str(&text));
    tool_expect(&tool, "import big.csv", 65);
    buf_clear(&text);
    for (int i = 0; i < 600; i++)
        buf_printf(&text, "c%d,", i);
    buf_append_text(&text, "\n");
    tool_write(&tool, "wide.csv", buf_str(&text));
    tool_expect(&tool, "import wide.csv", 65);
    buf_fini(&text);
}

static const struct {
    const char *says, *yaml, *part;
} mappings[] = {
    {"an unknown key", "kind: startup\ncolums: []\n", "colums"},
    {"a field that is none", "columns:\n  - {from: A, to: naem}\n", "line 2"},
    {"a form that is none", "columns:\n  - {from: A, to: name, form: words}\n", "words"},
    {"no header named", "columns:\n  - {to: name}\n", "names no header"},
    {"an unknown scheme", "columns:\n  - {from: A, to: sectors, crosswalk: nope}\n", "nope"},
    {"no YAML", "columns: [\n", "line"},
};

CASES(import, a_faulty_mapping_is_told_with_its_place, mappings)
{
    tool_write(&tool, "m.yaml", str_from(mappings[*i].yaml));
    tool_write(&tool, "a.csv", STR_LIT("A\nx\n"));
    tool_expect(&tool, "import a.csv --map m.yaml", 65);
    cr_expect(tool_complained(&tool, mappings[*i].part), "%s: %.*s", mappings[*i].says,
              STR_ARG(tool.err));
}

Test(import, what_is_exported_comes_back_in_every_form)
{
    static const char *const forms[] = {"jsonl", "msgpack"};
    struct str first;

    tool_expect(&tool, "generate --startups 30 --incubators 5 --investors 5 --seed 3 > g.jsonl", 0);
    tool_expect(&tool, "import g.jsonl", 0);
    tool_expect(&tool, "export", 0);
    first = tool.out;
    for (size_t i = 0; i < 2; i++) {
        tool_expect(
            &tool,
            arena_format(tool.arena, "export --as %s --output e.%s", forms[i], forms[i]).data, 0);
        tool_expect(&tool, arena_format(tool.arena, "--data s%zu import e.%s", i, forms[i]).data,
                    0);
        tool_expect(&tool, arena_format(tool.arena, "--data s%zu export", i).data, 0);
        cr_expect(str_equal(tool.out, first), "%s", forms[i]);
    }
    tool_expect(&tool, "export --as csv --output e.csv", 0);
    tool_expect(&tool, "--data s9 import e.csv", 0);
    tool_expect(&tool, "--data s9 export", 0);
    cr_expect(str_equal(tool.out, first), "csv");
}

/* Real input, where it lies beside the source: 17,573 startups with 730 foreign labels. */
Test(import, a_company_database_is_understood)
{
    struct str source =
        arena_format(tool.arena, "%s/../shared/bench/quality/public/startups.tsv.gz", JML_SOURCE);

    if (access(source.data, R_OK) != 0)
        cr_skip_test("no %s", source.data);
    tool_run(&tool,
             arena_format(tool.arena, "--version && gunzip -c %s > s.tsv", source.data).data);
    tool_run(&tool, "import s.tsv --map company-database");
    cr_expect_eq(count("read"), 17573);
    cr_expect_eq(count("imported") + count("refused"), 17573);
    cr_expect_leq(count("refused"), 10);
    int64_t understood = count("labels_understood");
    int64_t total = understood + count("labels_ignored") + count("labels_not_understood");
    cr_expect_geq(understood * 100, total * 85, "%d of %d", (int)understood, (int)total);
}
