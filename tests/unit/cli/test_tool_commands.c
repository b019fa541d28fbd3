#include "cases.h"
#include "tool.h"

#include <stdlib.h>
#include <string.h>

static struct tool tool;

static void
setup(void)
{
    tool_begin(&tool);
    tool_run(&tool, "demo store");
}

static void
teardown(void)
{
    tool_end(&tool);
}

TestSuite(tool_commands, .init = setup, .fini = teardown);

static const struct {
    const char *says, *arguments, *parts[4];
} said[] = {
    {"a list for one startup",
     "match bilocation -p hosting -f demo-startup-001 --format table",
     {"Dual-location programme", "Terrasonde", "Rank"}},
    {"the same in French",
     "match bilocation -p hosting -f demo-startup-001 --format table --lang fr",
     {"Programme de bi-localisation", "Rang", "recevables"}},
    {"reasons in French",
     "match bilocation -p hosting -f demo-startup-001 -e -k 1 --format table --lang fr",
     {"Point de vue\xc2\xa0: Terrasonde",
      "sur 10\xc2\xa0"
      "000",
      "Ce qui aiderait", "Couverture"}},
    {"the language of the locale",
     "match bilocation -p hosting -f demo-startup-001 -k 1 --format csv",
     {"rank,id,name,score"}},
    {"the best of each, as CSV",
     "match bilocation -p hosting -k 1 --format csv",
     {"from,pairing,rank,to", "demo-startup-001,hosting,1,"}},
    {"the best of each of the other side",
     "match bilocation -p hosting -k 1 --side to --format csv",
     {"to,pairing,rank,from", "demo-host-01,hosting,1,demo-startup-"}},
    {"the best of each, for people",
     "match bilocation -k 1 --side to --format table",
     {"Dual-location programme, hosting and funding: the best for each profile",
      "Lists: 73; empty: 2; counterparts shown: 71 (as of ",
      "To                      Pairing Rank From"}},
    {"the best of each in French",
     "match bilocation -p hosting -k 1 --side to --format table --lang fr",
     {"Programme de bi-localisation, hosting\xc2\xa0: les meilleurs pour chaque fiche",
      "\xc2\xa0; contreparties affichées\xc2\xa0: ",
      "Vers                    Appariement Rang De"}},
    {"none good enough, of one",
     "match bilocation -p hosting -f demo-startup-001 --min-score 10000 --format table",
     {"shown: 0", "\n\nNo counterpart reaches the least score asked for (10,000).\n"}},
    {"none good enough, explained",
     "match bilocation -p hosting -f demo-startup-001 --min-score 10000 -e --format table "
     "--lang fr",
     {"Aucune contrepartie n’atteint le score minimal demandé (10\xc2\xa0"
      "000)."}},
    {"none good enough, of each",
     "match bilocation -p hosting --min-score 10000 --side to --format table",
     {"counterparts shown: 0", "No counterpart reaches the least score asked for (10,000)."}},
    {"no entry of the journal", "journal list --subject nobody --format table", {"No entries."}},
    {"no outcome in French",
     "outcome list --profile nobody --format table --lang fr",
     {"Aucun résultat."}},
    {"an explanation",
     "explain bilocation demo-startup-001 demo-host-05 -p hosting --format table",
     {"Terrasonde and Embarcadero Commons", "harmonic mean", "View of Terrasonde"}},
    {"what if",
     "whatif bilocation -p hosting -f demo-startup-001 -w sector-fit=0 -k 3 --format table",
     {"Before", "After", "sector-fit"}},
    {"what if a set were another",
     "whatif bilocation -p hosting -f demo-startup-001 -s languages=fr,de -k 3",
     {"\"before\""}},
    {"profiles as TSV",
     "profile list --kind incubator --metro paris -n 2 --format tsv",
     {"id\tname\tkind"}},
    {"one profile", "profile get demo-startup-001", {"\"name\":\"Terrasonde\""}},
    {"its history", "profile history demo-startup-001 --format csv", {"version,at,actor"}},
    {"programmes", "programme list --format table --lang fr", {"bilocation", "Pilotes"}},
    {"methods", "methods --format csv", {"match.top,reader"}},
    {"numbers", "stats --format csv", {"index.profiles,345"}},
    {"the journal", "journal verify", {"\"ok\":true"}},
    {"the journal, for people",
     "journal verify --format table",
     {"The journal is whole, in an unbroken chain; entries: 438.\n"}},
    {"the journal in French",
     "journal verify --format table --lang fr",
     {"Le journal est intact, sa chaîne ininterrompue\xc2\xa0; entrées\xc2\xa0: 438.\n"}},
    {"outcomes", "outcome list -n 1 --lang fr --format table", {"made up", "Date"}},
    {"any method", "call system.ping", {"pong"}},
};

ParameterizedTestParameters(tool_commands, each_command_says_what_it_should)
{
    static size_t index[sizeof said / sizeof said[0]];

    for (size_t k = 0; k < sizeof said / sizeof said[0]; k++)
        index[k] = k;
    return cr_make_param_array(size_t, index, sizeof said / sizeof said[0]);
}

ParameterizedTest(size_t *i, tool_commands, each_command_says_what_it_should)
{
    tool_expect(&tool, said[*i].arguments, 0);
    for (size_t k = 0; k < 4 && said[*i].parts[k] != NULL; k++)
        cr_expect(tool_said(&tool, said[*i].parts[k]), "%s: no \"%s\" in\n%.*s", said[*i].says,
                  said[*i].parts[k], STR_ARG(tool.out));
}

Test(tool_commands, a_profile_is_put_patched_and_deleted_with_yes)
{
    tool_write(&tool, "p.yaml", STR_LIT("id: neuf\nkind: startup\nname: Neuf\nmetro: paris\n"));
    tool_expect(&tool, "profile put p.yaml --lang fr --format table", 0);
    cr_expect(tool_said(&tool, "neuf, version 1"), "%.*s", STR_ARG(tool.out));
    tool_expect(&tool, "profile put p.yaml --format table", 0);
    cr_expect(tool_said(&tool, "Unchanged: neuf"));
    tool_expect(&tool, "profile patch neuf '{\"team\": 4}'", 0);
    tool_expect(&tool, "profile delete neuf", 64);
    cr_expect(tool_complained(&tool, "--yes"));
    tool_expect(&tool, "profile delete neuf --yes", 0);
    tool_expect(&tool, "profile get neuf", 66);
}

Test(tool_commands, accents_stay_letters_in_a_locale_without_them)
{
    setenv("LC_ALL", "C", 1);
    tool_expect(&tool, "programme list --format table --lang fr", 0);
    cr_expect(tool_said(&tool, "Formation à la création de contenus       1 courses\n"), "%.*s",
              STR_ARG(tool.out));
    setenv("LC_ALL", "fr_XX.UTF-8", 1); /* as a terminal elsewhere says, not installed here */
    tool_expect(&tool, "programme list --format table", 0);
    cr_expect(tool_said(&tool, "Identifiant      Nom                                 Version"),
              "%.*s", STR_ARG(tool.out));
}

Test(tool_commands, what_an_erasure_took_from_the_journal_is_counted_for_people)
{
    tool_expect(&tool, "profile delete demo-startup-001 --erase --yes", 0);
    tool_expect(&tool, "journal verify --format table", 0);
    cr_expect(tool_said(&tool,
                        "Entries without content: 1 (erased: 1; at the end of their time: 0), "
                        "each accounted for.\n"),
              "%.*s", STR_ARG(tool.out));
    tool_expect(&tool, "journal verify --format table --lang fr", 0);
    cr_expect(tool_said(&tool, "(effacées\xc2\xa0: 1\xc2\xa0; délai écoulé\xc2\xa0: 0)"), "%.*s",
              STR_ARG(tool.out));
}

Test(tool_commands, a_faulty_programme_is_told_by_file_line_and_path)
{
    tool_write(
        &tool, "bad.yaml",
        STR_LIT("id: bad\nname: {en: Bad, fr: Mauvais}\npairings:\n  - id: h\n    from: {kind: "
                "startup}\n    to: {kind: incubatorr}\n    from_wants:\n      - {id: w, type: "
                "overlap, of: sectors, by: needs, weight: 0}\n"));
    tool_expect(&tool, "programme check bad.yaml", 65);
    cr_expect(tool_said(&tool, "bad.yaml:6: pairings[0].to.kind:"), "%.*s", STR_ARG(tool.out));
    cr_expect(tool_said(&tool, "did you mean incubator"));
    cr_expect(tool_said(&tool, "bad.yaml:8: pairings[0].from_wants[0]"));
    tool_expect(&tool, "programme put bad.yaml", 65);
    tool_expect(&tool, "programme get bad", 66);
}

Test(tool_commands, every_shipped_programme_is_without_fault)
{
    tool_expect(&tool,
                arena_format(tool.arena, "programme check %s/programmes/*.yaml", JML_DATA).data, 0);
}

Test(tool_commands, the_same_seed_generates_the_same_bytes)
{
    struct str first;

    tool_expect(&tool, "generate --startups 20 --investors 3 --seed 9", 0);
    first = tool.out;
    tool_expect(&tool, "generate --startups 20 --investors 3 --seed 9", 0);
    cr_expect(str_equal(first, tool.out));
    tool_expect(&tool, "generate --startups 20 --investors 3 --seed 10", 0);
    cr_expect_not(str_equal(first, tool.out));
}
