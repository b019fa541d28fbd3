#include "alloc.h"
#include "cases.h"
#include "comparison.h"
#include "file.h"
#include "json.h"
#include "programme.h"
#include "sample_reference.h"
#include "yaml_doc.h"

#include <stdio.h>

static struct arena *arena;
static struct reference *reference;
static struct faults faults;

static void
begin(void)
{
    arena = arena_create(64 << 20);
    reference = sample_reference();
    faults_init(&faults, arena);
}

static void
end(void)
{
    reference_destroy(reference);
    arena_destroy(arena);
}

static const char whole[] =
    "id: bilocation\n"
    "name: {fr: Bi-localisation, en: Dual location}\n"
    "pairings:\n"
    "  - id: hosting\n"
    "    from: {kind: startup, metro: paris}\n"
    "    to: {kind: incubator, metro: silicon-valley}\n"
    "    mirror: true\n"
    "    combine: min\n"
    "    require:\n"
    "      - {id: stage-accepted, type: within, of: stage, by: stages, missing: pass}\n"
    "      - {id: in-europe, type: any, of: country, value: [FR, GB], phrase: overlap}\n"
    "      - {id: open-then, type: overlaps, of: available, by: available}\n"
    "      - {id: young, type: after, of: founded, value: '2015'}\n"
    "    from_wants:\n"
    "      - {id: needs-met, type: cover, of: needs, by: offers, weight: 40}\n"
    "      - {id: story, type: text, weight: 20, missing: 0}\n"
    "      - {id: host-record, type: record, of: sectors, by: record.sectors, weight: 15}\n"
    "    to_wants:\n"
    "      - {id: focus, type: overlap, of: sectors, by: sectors, weight: 50}\n"
    "      - {id: right-stage, type: stage, of: stages, by: stage, weight: 30, curve: [[0, 0], "
    "[6000, 2000], [10000, 10000]]}\n"
    "      - {id: traction, type: at_least, of: 10, by: team, weight: 20, phrase: traction}\n"
    "  - id: any\n"
    "    from: {}\n"
    "    to: {kind: investor}\n"
    "    from_wants: [{id: x, type: any, of: languages, by: languages, weight: 1}]\n"
    "    to_wants: [{id: x, type: range, of: 1000, by: raising, weight: 1000}]\n"
    "cohort: {size: 20, method: optimal, quotas: [{field: stage, code: seed, min: 2}], preferences: "
    "true, tie_seed: 7, pinned: [[a, b]], excluded: [c, [d, e]], host_min: {b: 2}}\n"
    "people: true\n"
    "nightly: {k: 50}\n"
    "confirm: [paris, silicon-valley]\n";

static const struct programme *
decoded(const char *yaml)
{
    struct programme *programme = NULL;
    struct err err = {.code = ERR_OK};

    programme_decode(sample_value(arena, yaml), reference, &faults, &programme);
    cr_assert_eq(faults_first(&faults, &err), ERR_OK, "%s: %s", err.field, err.message);
    cr_assert_not_null(programme);
    return programme;
}

Test(programme, is_decoded_whole, .init = begin, .fini = end)
{
    const struct programme *programme = decoded(whole);
    const struct pairing *hosting, *any;

    cr_expect(str_is(programme->id, "bilocation"));
    cr_expect(str_is(programme->name[LANG_EN], "Dual location"));
    cr_expect(str_is(programme->name[LANG_FR], "Bi-localisation"));
    cr_assert_eq(programme->n_pairings, 2);
    hosting = programme_pairing(programme, STR_LIT("hosting"));
    any = programme_pairing(programme, STR_LIT("any"));
    cr_expect_null(programme_pairing(programme, STR_LIT("funding")));
    cr_assert(hosting != NULL && any != NULL);
    cr_expect(str_is(hosting->from.kind, "startup") && str_is(hosting->to.metro, "silicon-valley"));
    cr_expect(hosting->is_mirrored && hosting->combine == COMBINE_MIN);
    cr_expect(!any->is_mirrored && any->combine == COMBINE_HARMONIC && any->from.kind.len == 0);
    cr_expect_eq(faults.n, 0, "%s", faults.n != 0 ? faults.list[0].message : "");
}

Test(programme, requirements_are_decoded, .init = begin, .fini = end)
{
    const struct pairing *hosting = programme_pairing(decoded(whole), STR_LIT("hosting"));
    const struct requirement *require = hosting->require;

    cr_assert_eq(hosting->n_require, 4);
    cr_expect(str_is(require[0].id, "stage-accepted") && require[0].type == REQUIRE_WITHIN);
    cr_expect(require[0].of.kind == OPERAND_FIELD && require[0].of.field == FIELD_STAGE);
    cr_expect(require[0].by.kind == OPERAND_FIELD && require[0].by.field == FIELD_STAGES);
    cr_expect(require[0].missing_passes && !require[1].missing_passes);
    cr_expect(require[1].by.kind == OPERAND_VALUE && require[1].by.field == FIELD_COUNTRY);
    cr_expect_eq(value_size(require[1].by.value), 2);
    cr_expect(str_is(require[1].phrase, "overlap") && require[0].phrase.len == 0);
    cr_expect_eq(require[2].type, REQUIRE_OVERLAPS);
    cr_expect(require[3].type == REQUIRE_AFTER && require[3].by.kind == OPERAND_VALUE);
}

Test(programme, wants_are_decoded_with_their_presets, .init = begin, .fini = end)
{
    const struct programme *programme = decoded(whole);
    const struct view *from = &programme->pairings[0].from_view;
    const struct view *to = &programme->pairings[0].to_view;
    const struct want *constant = &programme->pairings[1].to_view.wants[0];

    cr_assert(from->n_wants == 3 && to->n_wants == 3);
    cr_expect(from->wants[0].type == WANT_COVER && from->wants[0].weight == 40);
    cr_expect(from->wants[0].missing == MISSING_DEFAULT && from->wants[0].n_knots == 0);
    cr_expect(from->wants[1].type == WANT_TEXT && from->wants[1].missing == 0);
    cr_expect(from->wants[1].of.field == FIELD_DESCRIPTION &&
              from->wants[1].by.field == FIELD_DESCRIPTION);
    cr_expect(from->wants[2].by.kind == OPERAND_RECORD && from->wants[2].by.field == FIELD_SECTORS);
    cr_assert_eq(to->wants[1].n_knots, 3);
    cr_expect(to->wants[1].curve[1].q == 6000 && to->wants[1].curve[1].p == 2000);
    cr_expect(to->wants[2].of.kind == OPERAND_NUMBER && to->wants[2].of.number == 10);
    cr_expect(str_is(to->wants[2].phrase, "traction"));
    cr_expect(constant->of.kind == OPERAND_NUMBER && constant->by.field == FIELD_RAISING);
    cr_expect_eq(constant->weight, WEIGHT_MAX);
}

Test(programme, a_name_in_one_language_or_plain_serves_both, .init = begin, .fini = end)
{
    static const char rest[] = "pairings: [{id: p, from: {}, to: {}}]}";
    const struct programme *plain =
        decoded(arena_format(arena, "{id: p, name: Both, %s", rest).data);
    const struct programme *french =
        decoded(arena_format(arena, "{id: p, name: {fr: Seul, de: Nur}, %s", rest).data);

    cr_expect(str_is(plain->name[LANG_FR], "Both") && str_is(plain->name[LANG_EN], "Both"));
    cr_expect(str_is(french->name[LANG_EN], "Seul"));
}

/* ---- the stored form ---- */

static struct str
stored(const char *yaml)
{
    struct buf packed, text;
    const msgpack_object *value = NULL;
    struct str json;

    buf_init(&packed, 1 << 20);
    buf_init(&text, 1 << 20);
    programme_encode(decoded(yaml), &packed);
    cr_assert_eq(value_decode(packed.data, packed.len, &value_limits_default, arena, &value, NULL),
                 ERR_OK);
    json_encode(&text, value, JSON_COMPACT);
    json = arena_str(arena, buf_str(&text));
    buf_fini(&packed);
    buf_fini(&text);
    return json;
}

static const struct {
    const char *says, *given, *stored;
} stored_cases[] = {
    {"keys in a fixed order, presets left as written",
     "{pairings: [{to_wants: [{weight: 2, by: team, of: 5, type: at_least, id: w}], to: {metro: "
     "paris, kind: startup}, from: {}, id: p}], name: N, id: x}",
     "{\"id\":\"x\",\"name\":\"N\",\"pairings\":[{\"id\":\"p\",\"from\":{},\"to\":{\"kind\":"
     "\"startup\",\"metro\":\"paris\"},\"to_wants\":[{\"id\":\"w\",\"type\":\"at_least\",\"of\":5,"
     "\"by\":\"team\",\"weight\":2}]}]}"},
    {"texts in NFC and trimmed, null left out, what programme.get adds dropped",
     "{id: ' x ', version: 3, updated_at: 1, seq: 2, cohort: null, name: \"E\\u0301te\\u0301\", "
     "pairings: [{id: p, from: {kind: null}, to: {}}]}",
     "{\"id\":\"x\",\"name\":\"Été\",\"pairings\":[{\"id\":\"p\",\"from\":{},\"to\":{}}]}"},
    {"whole floats are whole numbers; other keys by name",
     "{id: x, name: {fr: B, de: C, en: A}, pairings: [{id: p, from: {}, to: {}}], cohort: {size: "
     "5.0, host_min: {z: 1, b: 2.0}}}",
     "{\"id\":\"x\",\"name\":{\"de\":\"C\",\"en\":\"A\",\"fr\":\"B\"},\"pairings\":[{\"id\":\"p\","
     "\"from\":{},\"to\":{}}],\"cohort\":{\"size\":5,\"host_min\":{\"b\":2,\"z\":1}}}"},
};

EACH_CASE(programme, is_stored_in_one_form, stored_cases)
{
    struct str text;

    begin();
    text = stored(stored_cases[*case_index].given);
    cr_expect(str_is(text, stored_cases[*case_index].stored), "%s:\n%.*s",
              stored_cases[*case_index].says, STR_ARG(text));
    end();
}

Test(programme, the_stored_form_decoded_again_gives_the_same_bytes, .init = begin, .fini = end)
{
    struct buf once, twice;
    const msgpack_object *value = NULL;
    struct programme *again = NULL;

    buf_init(&once, 1 << 20);
    buf_init(&twice, 1 << 20);
    programme_encode(decoded(whole), &once);
    cr_assert_eq(value_decode(once.data, once.len, &value_limits_default, arena, &value, NULL),
                 ERR_OK);
    programme_decode(value, reference, &faults, &again);
    cr_assert_not_null(again);
    programme_encode(again, &twice);
    cr_expect(str_equal(buf_str(&once), buf_str(&twice)));
    buf_fini(&once);
    buf_fini(&twice);
}

/* ---- faults ---- */

#define TOP(rest) "{id: x, name: N, " rest "}"
#define PAIRING(rest) "{id: x, name: N, pairings: [{id: p, from: {}, to: {}, " rest "}]}"
#define WANT(rest) PAIRING("from_wants: [{id: w, weight: 1, " rest "}]")
#define REQUIRE(rest) PAIRING("require: [{id: r, " rest "}]")
#define COHORT(rest) "{id: x, name: N, pairings: [{id: p, from: {}, to: {}}], cohort: {" rest "}}"
#define PAIRINGS "pairings: [{id: p, from: {}, to: {}}]"

static const struct {
    const char *given, *path, *message;
} bad_cases[] = {
    /* the programme */
    {"null", "", "the programme is empty; it needs an id, a name and pairings"},
    {"[1]", "", "it must be a map, not a list"},
    {"{name: N, " PAIRINGS "}", "id", "id is missing; give the programme a short name"},
    {"{id: A, name: N, " PAIRINGS "}", "id",
     "\"A\" is no id; write at most 64 of a-z, 0-9, dot, underscore and hyphen, beginning with a "
     "letter or digit"},
    {"{id: x, " PAIRINGS "}", "name",
     "name is missing; write it in English or French, such as {en: …, fr: …}"},
    {"{id: x, name: {de: N}, " PAIRINGS "}", "name",
     "name is missing; write it in English or French, such as {en: …, fr: …}"},
    {"{id: x, name: {english: N}, " PAIRINGS "}", "name.english",
     "\"english\" is no language code; did you mean en (English)?"},
    {"{id: x, name: {en: [N]}, " PAIRINGS "}", "name.en", "en must be text, not a list"},
    {"{id: x, name: 5, " PAIRINGS "}", "name", "name must be text, not 5"},
    {"{id: x, name: N}", "pairings", "pairings is missing; a programme has at least one pairing"},
    {TOP("pairings: []"), "pairings", "pairings is missing; a programme has at least one pairing"},
    {TOP("pairings: {id: p}"), "pairings", "pairings must be a list of pairings, not a map"},
    {TOP("pairing: [1], " PAIRINGS), "pairing",
     "\"pairing\" is no key here; did you mean pairings?"},
    {TOP("budget: 1, " PAIRINGS), "budget",
     "\"budget\" is no key here; known are id, name, people, nightly, confirm, pairings and cohort"},
    {TOP("'people ': true, " PAIRINGS), "people ",
     "\"people \" is no key here; did you mean people?"},
    {TOP("people: maybe, " PAIRINGS), "people", "people must be true or false, not \"maybe\""},
    {TOP("nightly: often, " PAIRINGS), "nightly", "nightly must be true or false, not \"often\""},
    {TOP("nightly: {k: 1001}, " PAIRINGS), "nightly.k", "k is 1001; write 1 to 1000 matches"},
    {TOP("nightly: {at: 5}, " PAIRINGS), "nightly.at", "\"at\" is no key here; known is k"},
    {TOP("confirm: paris, " PAIRINGS), "confirm",
     "confirm must be a list of metros, not \"paris\""},
    {TOP("confirm: [rome], " PAIRINGS), "confirm[0]",
     "\"rome\" is no metro code; known are paris, silicon-valley and london"},
    /* pairings */
    {TOP("pairings: [x]"), "pairings[0]", "pairings[0] must be a map, not \"x\""},
    {TOP("pairings: [{from: {}, to: {}}]"), "pairings[0].id",
     "id is missing; give the pairing a short name"},
    {TOP("pairings: [{id: p, from: {}, to: {}}, {id: p, from: {}, to: {}}]"), "pairings[1].id",
     "\"p\" stands twice among the pairings; give each its own id"},
    {TOP("pairings: [{id: p, to: {}}]"), "pairings[0].from",
     "from is missing; write whom it holds, such as {kind: startup, metro: paris}"},
    {TOP("pairings: [{id: p, from: startup, to: {}}]"), "pairings[0].from",
     "from must be a map {kind, metro}, not \"startup\""},
    {TOP("pairings: [{id: p, from: {kind: startups}, to: {}}]"), "pairings[0].from.kind",
     "\"startups\" is no kind; did you mean startup (Startup)?"},
    {TOP("pairings: [{id: p, from: {}, to: {metro: Bay Area}}]"), "pairings[0].to.metro",
     "\"Bay Area\" is no metro code; did you mean silicon-valley (Bay Area)?"},
    {TOP("pairings: [{id: p, from: {}, to: {city: Paris}}]"), "pairings[0].to.city",
     "\"city\" is no key here; known are kind and metro"},
    {PAIRING("mirror: yes"), "pairings[0].mirror", "mirror must be true or false, not \"yes\""},
    {PAIRING("mirror: true"), "pairings[0].mirror",
     "mirror exchanges the two metros, so both sides must name one"},
    {TOP("pairings: [{id: p, from: {metro: paris}, to: {metro: paris}, mirror: true}]"),
     "pairings[0].mirror",
     "mirror exchanges the two metros, but both sides name paris; name another or leave mirror out"},
    {PAIRING("combine: harmonc"), "pairings[0].combine",
     "\"harmonc\" is no way to combine; did you mean harmonic?"},
    {PAIRING("combine: product"), "pairings[0].combine",
     "\"product\" is no way to combine; write harmonic, mean, min, from or to"},
    {PAIRING("combine: 2"), "pairings[0].combine",
     "combine must be harmonic, mean, min, from or to, not 2"},
    {PAIRING("wants: []"), "pairings[0].wants",
     "\"wants\" is no key here; known are id, from, to, mirror, combine, require, from_wants and "
     "to_wants"},
    {PAIRING("from_want: []"), "pairings[0].from_want",
     "\"from_want\" is no key here; did you mean from_wants?"},
    {PAIRING("require: {id: r}"), "pairings[0].require",
     "require must be a list of requirements, not a map"},
    {PAIRING("to_wants: text"), "pairings[0].to_wants",
     "to_wants must be a list of wants, not \"text\""},
    /* wants */
    {PAIRING("from_wants: [needs]"), "pairings[0].from_wants[0]",
     "from_wants[0] must be a map, not \"needs\""},
    {PAIRING("from_wants: [{type: text, weight: 1}]"), "pairings[0].from_wants[0].id",
     "id is missing; give the want a short name"},
    {PAIRING("from_wants: [{id: w, type: text, weight: 1}, {id: w, type: text, weight: 1}]"),
     "pairings[0].from_wants[1].id",
     "\"w\" stands twice among the wants of this side; give each its own id"},
    {PAIRING("from_wants: [{id: w, type: text}]"), "pairings[0].from_wants[0].weight",
     "weight is missing; write how much it counts, 1 to 1000"},
    {PAIRING("from_wants: [{id: w, type: text, weight: 0}]"), "pairings[0].from_wants[0].weight",
     "weight is 0; write 1 to 1000"},
    {PAIRING("from_wants: [{id: w, type: text, weight: 1001}]"), "pairings[0].from_wants[0].weight",
     "weight is 1001; write 1 to 1000"},
    {PAIRING("from_wants: [{id: w, type: text, weight: 2.5}]"), "pairings[0].from_wants[0].weight",
     "weight must be a whole number, not 2.5"},
    {WANT("type: text, missing: 10001"), "pairings[0].from_wants[0].missing",
     "missing is 10001; write 0 to 10000"},
    {WANT("type: text, missing: pass"), "pairings[0].from_wants[0].missing",
     "missing must be a whole number, not \"pass\""},
    {WANT("of: sectors, by: sectors"), "pairings[0].from_wants[0].type",
     "type is missing; write how the two fields are compared"},
    {WANT("type: overlp, of: sectors, by: sectors"), "pairings[0].from_wants[0].type",
     "\"overlp\" is no type of want; did you mean overlap?"},
    {WANT("type: within, of: stage, by: stages"), "pairings[0].from_wants[0].type",
     "\"within\" is no type of want; write overlap, cover, any, stage, range, at_least, period, "
     "same, text, record or model"},
    {WANT("type: model, of: sectors"), "pairings[0].from_wants[0].type",
     "no model is known yet; use another type, such as record"},
    {WANT("type: overlap, by: sectors"), "pairings[0].from_wants[0].of",
     "of is missing; name a field of the profile"},
    {WANT("type: overlap, of: sector, by: sectors"), "pairings[0].from_wants[0].of",
     "\"sector\" is no field of a profile; did you mean sectors?"},
    {WANT("type: overlap, of: colour, by: sectors"), "pairings[0].from_wants[0].of",
     "\"colour\" is no field of a profile; overlap takes sectors, needs or offers"},
    {WANT("type: overlap, of: languages, by: sectors"), "pairings[0].from_wants[0].of",
     "overlap cannot compare languages; it takes sectors, needs or offers"},
    {WANT("type: overlap, of: sectors, by: needs"), "pairings[0].from_wants[0].by",
     "sectors and needs have no code in common; compare fields of one vocabulary"},
    {WANT("type: cover, of: tags, by: sectors"), "pairings[0].from_wants[0].by",
     "tags and sectors have no code in common; compare fields of one vocabulary"},
    {WANT("type: any, of: raising, by: tags"), "pairings[0].from_wants[0].of",
     "any cannot compare raising; it takes kind, metro, city, country, sectors, tags, languages, "
     "stage, stages, needs, offers, markets, preferences, conflicts or organisation"},
    {WANT("type: stage, of: sectors, by: stage"), "pairings[0].from_wants[0].of",
     "stage cannot compare sectors; it takes stage or stages"},
    {WANT("type: range, of: raising, by: team"), "pairings[0].from_wants[0].by",
     "raising and team cannot be compared; compare money with money, numbers with numbers"},
    {WANT("type: range, of: founded, by: team"), "pairings[0].from_wants[0].of",
     "range cannot compare founded; it takes team, raising, ticket or capacity"},
    {WANT("type: range, of: -1, by: team"), "pairings[0].from_wants[0].of",
     "of is -1; write 0 to 1000000000000"},
    {WANT("type: at_least, of: raising, by: team"), "pairings[0].from_wants[0].of",
     "at_least cannot compare raising; it takes team or capacity"},
    {WANT("type: at_least, of: 1.5, by: team"), "pairings[0].from_wants[0].of",
     "of must be the name of a field, not 1.5"},
    {WANT("type: cover, of: 5, by: offers"), "pairings[0].from_wants[0].of",
     "of is 5; only the wants at_least and range take a number, here stands a field"},
    {WANT("type: period, of: available, by: founded"), "pairings[0].from_wants[0].by",
     "period cannot compare founded; it takes available"},
    {WANT("type: same, of: metro, by: country"), "pairings[0].from_wants[0].by",
     "metro and country have no code in common; compare fields of one vocabulary"},
    {WANT("type: same, of: name, by: metro"), "pairings[0].from_wants[0].of",
     "same cannot compare name; it takes kind, metro, city, country, sectors, tags, languages, "
     "stage, stages, needs, offers, markets, preferences, conflicts or organisation"},
    {WANT("type: text, of: tags, by: description"), "pairings[0].from_wants[0].of",
     "text cannot compare tags; it takes description"},
    {WANT("type: record, of: sectors"), "pairings[0].from_wants[0].by",
     "by is missing; write record. and a field, such as record.sectors"},
    {WANT("type: record, of: sectors, by: sectors"), "pairings[0].from_wants[0].by",
     "\"sectors\" is no track record; write record. and a field, such as record.sectors"},
    {WANT("type: record, of: sectors, by: record.stage"), "pairings[0].from_wants[0].by",
     "sectors and stage have no code in common; compare fields of one vocabulary"},
    {WANT("type: record, of: sectors, by: record.sector"), "pairings[0].from_wants[0].by",
     "\"sector\" is no field of a profile; did you mean sectors?"},
    {WANT("type: cover, of: record.needs, by: offers"), "pairings[0].from_wants[0].of",
     "\"record.needs\" is no field of a profile; cover takes kind, metro, city, country, sectors, "
     "tags, languages, stage, stages, needs, offers, markets, preferences, conflicts or "
     "organisation"},
    {WANT("type: text, of: [description]"), "pairings[0].from_wants[0].of",
     "of must be the name of a field, not a list"},
    {WANT("type: text, wieght: 5"), "pairings[0].from_wants[0].wieght",
     "\"wieght\" is no key here; did you mean weight?"},
    {WANT("type: text, phrase: overlp"), "pairings[0].from_wants[0].phrase",
     "\"overlp\" is no row of phrases.csv; did you mean overlap?"},
    {WANT("type: text, phrase: weather"), "pairings[0].from_wants[0].phrase",
     "\"weather\" is no row of phrases.csv; leave it out"},
    {WANT("type: text, phrase: 5"), "pairings[0].from_wants[0].phrase",
     "phrase must be a code of phrases.csv, not 5"},
    /* curves */
    {WANT("type: text, curve: []"), "pairings[0].from_wants[0].curve",
     "a curve has at least two knots, such as [[0, 0], [10000, 10000]]"},
    {WANT("type: text, curve: [[0, 0]]"), "pairings[0].from_wants[0].curve",
     "a curve has at least two knots, such as [[0, 0], [10000, 10000]]"},
    {WANT("type: text, curve: [[1, 0], [10000, 1]]"), "pairings[0].from_wants[0].curve",
     "the curve goes from quality 1 to 10000; begin it at 0 and end it at 10000"},
    {WANT("type: text, curve: [[0, 0], [9999, 1]]"), "pairings[0].from_wants[0].curve",
     "the curve goes from quality 0 to 9999; begin it at 0 and end it at 10000"},
    {WANT("type: text, curve: [[0, 0], [5000, 1], [5000, 2], [10000, 3]]"),
     "pairings[0].from_wants[0].curve",
     "the qualities of a curve must rise, but 5000 follows 5000"},
    {WANT("type: text, curve: [[0, 0], [10000, 10001]]"), "pairings[0].from_wants[0].curve[1]",
     "[10000, 10001] is outside 0 to 10000"},
    {WANT("type: text, curve: [[0, -1], [10000, 0]]"), "pairings[0].from_wants[0].curve[0]",
     "[0, -1] is outside 0 to 10000"},
    {WANT("type: text, curve: [0, 10000]"), "pairings[0].from_wants[0].curve[0]", NULL},
    {WANT("type: text, curve: straight"), "pairings[0].from_wants[0].curve",
     "curve must be a list of knots, not \"straight\""},
    /* requirements */
    {PAIRING("require: [{type: any, of: languages, by: languages}]"), "pairings[0].require[0].id",
     "id is missing; give the requirement a short name"},
    {PAIRING("require: [{id: r, type: any, of: tags, by: tags}, {id: r, type: any, of: tags, by: "
             "tags}]"),
     "pairings[0].require[1].id",
     "\"r\" stands twice among the requirements of this pairing; give each its own id"},
    {REQUIRE("type: overlap, of: sectors, by: sectors"), "pairings[0].require[0].type",
     "\"overlap\" is no type of requirement; did you mean overlaps?"},
    {REQUIRE("of: sectors, by: sectors"), "pairings[0].require[0].type",
     "type is missing; write how the two fields are compared"},
    {REQUIRE("type: any, by: sectors"), "pairings[0].require[0].of",
     "of is missing; name a field of the profile"},
    {REQUIRE("type: any, of: sectors"), "pairings[0].require[0].by",
     "by is missing; name a field of the to side, or write a value"},
    {REQUIRE("type: any, of: sectors, by: sectors, value: ai"), "pairings[0].require[0].value",
     "by and value exclude each other; keep the one that is meant"},
    {REQUIRE("type: any, of: sectors, by: languages"), "pairings[0].require[0].by",
     "sectors and languages have no code in common; compare fields of one vocabulary"},
    {REQUIRE("type: any, of: sectors, value: [ai, fintec]"), "pairings[0].require[0].value[1]",
     "\"fintec\" is no sector code; did you mean fin (Finance)?"},
    {REQUIRE("type: any, of: sectors, value: fintec"), "pairings[0].require[0].value[0]",
     "\"fintec\" is no sector code; did you mean fin (Finance)?"},
    {REQUIRE("type: any, of: sectors, value: []"), "pairings[0].require[0].value",
     "value is empty; write what sectors is compared with"},
    {REQUIRE("type: equals, of: country, value: [FR, Italy]"), "pairings[0].require[0].value[1]",
     "\"Italy\" is no country code; known are FR, US and GB"},
    {REQUIRE("type: at_least, of: team, by: 5"), "pairings[0].require[0].by",
     "by names a field; write value: 5 for a number"},
    {REQUIRE("type: at_least, of: team, value: many"), "pairings[0].require[0].value",
     "value must be a whole number of people, not \"many\""},
    {REQUIRE("type: at_least, of: team, value: [1, 2]"), "pairings[0].require[0].value",
     "value must be a whole number of people, not a list"},
    {REQUIRE("type: at_most, of: raising, by: ticket"), "pairings[0].require[0].of",
     "at_most cannot compare raising; it takes team or capacity"},
    {REQUIRE("type: meets, of: raising, by: team"), "pairings[0].require[0].by",
     "raising and team cannot be compared; compare money with money, numbers with numbers"},
    {REQUIRE("type: meets, of: raising, value: 500"), "pairings[0].require[0].value",
     "value must be money: {min, max, currency}, not 500"},
    {REQUIRE("type: meets, of: raising, value: {min: 5, max: 1, currency: EUR}"),
     "pairings[0].require[0].value", "max 1 is less than min 5; exchange them or leave max out"},
    {REQUIRE("type: meets, of: team, value: [3, 9]"), "pairings[0].require[0].value",
     "meets takes one whole number here; for a range write two requirements, at_least and "
     "at_most"},
    {REQUIRE("type: before, of: founded, value: soon"), "pairings[0].require[0].value",
     "\"soon\" is no date of the form YYYY-MM-DD, YYYY-MM or YYYY"},
    {REQUIRE("type: before, of: available, by: founded"), "pairings[0].require[0].of",
     "before cannot compare available; it takes founded"},
    {REQUIRE("type: overlaps, of: available, value: {from: 2026-02-01, to: 2026-01-01}"),
     "pairings[0].require[0].value", "from 2026-02-01 is after to 2026-01-01; exchange them"},
    {REQUIRE("type: any, of: sectors, by: sectors, missing: 5000"),
     "pairings[0].require[0].missing", "missing must be fail or pass, not 5000"},
    {REQUIRE("type: any, of: sectors, by: sectors, missing: passes"),
     "pairings[0].require[0].missing",
     "\"passes\" is no rule for missing data; did you mean pass?"},
    {REQUIRE("type: any, of: sectors, by: sectors, weight: 5"), "pairings[0].require[0].weight",
     "\"weight\" is no key here; known are id, type, of, by, value, missing and phrase"},
    /* cohorts */
    {COHORT("size: 0"), "cohort.size", "size is 0; write 1 to 1000000 places"},
    {COHORT("method: best"), "cohort.method",
     "\"best\" is no method; write stable, stable_to or optimal"},
    {COHORT("method: 1"), "cohort.method", "method must be stable, stable_to or optimal, not 1"},
    {COHORT("method: stable, size: 5"), "cohort.size",
     "size does not go with method stable, whose size follows from the capacities; write method: "
     "optimal"},
    {COHORT("method: stable_to, quotas: [{field: stage, code: seed, min: 1}]"), "cohort.quotas",
     "quotas does not go with method stable_to, whose size follows from the capacities; write "
     "method: optimal"},
    {COHORT("quotas: {field: stage}"), "cohort.quotas",
     "quotas must be a list of quotas, not a map"},
    {COHORT("quotas: [{code: seed, min: 1}]"), "cohort.quotas[0].field",
     "field is missing; name a field with codes, such as stage"},
    {COHORT("quotas: [{field: team, code: seed, min: 1}]"), "cohort.quotas[0].field",
     "\"team\" is no field with codes; a quota goes by stage, sectors, metro, country or another"},
    {COHORT("quotas: [{field: stage, min: 1}]"), "cohort.quotas[0].code",
     "code is missing; name the code that is counted"},
    {COHORT("quotas: [{field: stage, code: sed, min: 1}]"), "cohort.quotas[0].code",
     "\"sed\" is no stage code; did you mean seed (Seed)?"},
    {COHORT("quotas: [{field: stage, code: seed}]"), "cohort.quotas[0]",
     "quotas[0] has neither min nor max; write at least one"},
    {COHORT("quotas: [{field: stage, code: seed, min: 3, max: 2}]"), "cohort.quotas[0]",
     "max 2 is less than min 3; exchange them"},
    {COHORT("preferences: some"), "cohort.preferences",
     "preferences must be true or false, not \"some\""},
    {COHORT("tie_seed: -1"), "cohort.tie_seed", "tie_seed is -1; write 0 to 9223372036854775807"},
    {COHORT("pinned: [a]"), "cohort.pinned[0]",
     "pinned[0] must be a pair of ids [from, to], not \"a\""},
    {COHORT("pinned: [[a, a]]"), "cohort.pinned[0]",
     "pinned[0] pairs \"a\" with itself; name two profiles"},
    {COHORT("pinned: [[a, B]]"), "cohort.pinned[0][1]",
     "\"B\" is no id; write at most 64 of a-z, 0-9, dot, underscore and hyphen, beginning with a "
     "letter or digit"},
    {COHORT("excluded: [A]"), "cohort.excluded[0]",
     "\"A\" is no id; write at most 64 of a-z, 0-9, dot, underscore and hyphen, beginning with a "
     "letter or digit"},
    {COHORT("excluded: [[a, b, c]]"), "cohort.excluded[0]",
     "excluded[0] must be a pair of ids [from, to], not a list"},
    {COHORT("host_min: x"), "cohort.host_min",
     "host_min must be a whole number of places, not \"x\""},
    {COHORT("host_min: {b: -1}"), "cohort.host_min.b", "b is -1; write 0 to 1000000 places"},
    {COHORT("host_min: {B: 1}"), "cohort.host_min.B", "\"B\" is no id of a profile"},
    {COHORT("sise: 5"), "cohort.sise", "\"sise\" is no key here; did you mean size?"},
    {TOP("cohort: 20, " PAIRINGS), "cohort", "cohort must be a map, not 20"},
};

EACH_CASE(programme, each_fault_is_named_with_its_path, bad_cases)
{
    size_t i = *case_index;
    struct programme *programme = NULL;
    struct err err = {.code = ERR_OK};

    begin();
    programme_decode(sample_value(arena, bad_cases[i].given), reference, &faults, &programme);
    cr_expect_eq(faults_first(&faults, &err), ERR_INVALID_PARAMS, "%s", bad_cases[i].given);
    cr_expect_str_eq(err.field, bad_cases[i].path);
    if (bad_cases[i].message != NULL) {
        cr_expect_str_eq(err.message, bad_cases[i].message);
        cr_expect_eq(faults.n_errors, 1, "%zu errors from %s", faults.n_errors, bad_cases[i].given);
    }
    cr_expect_null(programme);
    end();
}

Test(programme, all_faults_are_told_with_their_lines, .init = begin, .fini = end)
{
    static const char text[] = "id: x\n"
                               "name: N\n"
                               "pairings:\n"
                               "  - id: p\n"
                               "    from: {kind: startp}\n"
                               "    to: {}\n"
                               "    require:\n"
                               "      - {id: r, type: any, of: sector,\n"
                               "         by: sectors}\n"
                               "    to_wants:\n"
                               "      - id: w\n"
                               "        type: text\n"
                               "        weight: 5000\n"
                               "cohort:\n"
                               "  sise: 3\n";
    static const int lines[] = {5, 8, 13, 15};
    struct programme *programme = NULL;
    struct yaml_doc *doc = NULL;

    cr_assert_eq(yaml_decode(str_from(text), &value_limits_default, arena, &doc, NULL), ERR_OK);
    programme_decode(yaml_doc_root(doc), reference, &faults, &programme);
    cr_assert_eq(faults.n, sizeof lines / sizeof lines[0]);
    for (size_t i = 0; i < faults.n; i++)
        cr_expect_eq(yaml_doc_line(doc, faults.list[i].path), lines[i], "%s: line %d",
                     faults.list[i].path, yaml_doc_line(doc, faults.list[i].path));
}

/* ---- warnings ---- */

#define SIDES(from, to, rest) \
    "{id: x, name: N, pairings: [{id: p, from: {kind: " from "}, to: {kind: " to "}, " rest "}]}"
#define TEXT_WANT "[{id: t, type: text, weight: 1}]"

static const struct {
    const char *given, *path, *message;
} warning_cases[] = {
    {PAIRING("from_wants: " TEXT_WANT), "pairings[0].to_wants",
     "to_wants is empty, so this side scores 10000 for everybody; add a want, or write combine: "
     "from"},
    {PAIRING("to_wants: " TEXT_WANT), "pairings[0].from_wants",
     "from_wants is empty, so this side scores 10000 for everybody; add a want, or write combine: "
     "to"},
    {PAIRING("combine: from, from_wants: " TEXT_WANT ", to_wants: " TEXT_WANT),
     "pairings[0].to_wants", "combine: from leaves these wants out of the score"},
    {PAIRING("combine: to, from_wants: [{id: w, type: at_least, of: 1, by: team, weight: 1}], "
             "to_wants: " TEXT_WANT),
     "pairings[0].from_wants", "combine: to leaves these wants out of the score"},
    {PAIRING(
         "combine: to, to_wants: [{id: w, type: text, weight: 1, curve: [[0, 7], [10000, 7]]}]"),
     "pairings[0].to_wants[0].curve",
     "every quality gives 7 points, so this want never tells two profiles apart"},
    {PAIRING("combine: to, to_wants: [{id: w, type: range, of: 5, by: 6, weight: 1}]"),
     "pairings[0].to_wants[0]",
     "of and by are both numbers, so this want never tells two profiles apart"},
    {PAIRING("combine: to, to_wants: [{id: w, type: at_least, of: 0, by: team, weight: 1}]"),
     "pairings[0].to_wants[0]", "everybody has at least 0, so this want is always met"},
    {SIDES("startup", "incubator",
           "combine: to, to_wants: [{id: w, type: stage, of: stage, by: stage, weight: 1}]"),
     "pairings[0].to_wants[0]",
     "stage is no field of the kind incubator, so this want is always unknown"},
    {SIDES("startup", "incubator",
           "combine: from, from_wants: [{id: w, type: range, of: raising, by: ticket, weight: 1}]"),
     "pairings[0].from_wants[0]",
     "ticket is no field of the kind incubator, so this want is always unknown"},
    {SIDES("startup", "incubator",
           "combine: to, to_wants: " TEXT_WANT ", require: [{id: r, type: meets, of: raising, by: "
           "ticket}]"),
     "pairings[0].require[0]",
     "ticket is no field of the kind incubator, so nobody passes this requirement; write missing: "
     "pass, or another field"},
    {SIDES("incubator", "startup",
           "combine: to, to_wants: " TEXT_WANT
           ", require: [{id: r, type: at_least, of: team, value: "
           "5, missing: pass}]"),
     "pairings[0].require[0]",
     "team is no field of the kind incubator, so this requirement holds for everybody"},
};

EACH_CASE(programme, what_makes_no_sense_is_warned_of_and_accepted, warning_cases)
{
    size_t i = *case_index;

    begin();
    decoded(warning_cases[i].given);
    cr_assert_eq(faults.n, 1, "%zu warnings", faults.n);
    cr_expect(faults.list[0].is_warning);
    cr_expect_str_eq(faults.list[0].path, warning_cases[i].path);
    cr_expect_str_eq(faults.list[0].message, warning_cases[i].message);
    end();
}

/* ---- what requirements may name as a constant ---- */

static const char *const constant_cases[] = {
    REQUIRE("type: any, of: sectors, value: ai"),
    REQUIRE("type: all, of: sectors, value: [ai, fin.pay]"),
    REQUIRE("type: within, of: stage, value: [seed, self]"),
    REQUIRE("type: within, of: stages, value: seed"),
    REQUIRE("type: equals, of: country, value: FR"),
    REQUIRE("type: differs, of: city, value: [Paris, Lyon]"),
    REQUIRE("type: any, of: tags, value: Deep Tech"),
    REQUIRE("type: any, of: markets, value: [GB, paris]"),
    REQUIRE("type: equals, of: organisation, value: [a, b]"),
    REQUIRE("type: meets, of: raising, value: {min: 5, currency: EUR}"),
    REQUIRE("type: meets, of: team, value: 5"),
    REQUIRE("type: meets, of: team, value: 50"),
    REQUIRE("type: at_least, of: team, value: 0"),
    REQUIRE("type: at_most, of: capacity, value: 10"),
    REQUIRE("type: before, of: founded, value: '2020'"),
    REQUIRE("type: after, of: founded, value: 2020-02"),
    REQUIRE("type: overlaps, of: available, value: {from: 2026-01-01}"),
};

EACH_CASE(programme, a_requirement_takes_a_constant_of_the_type_of_its_field, constant_cases)
{
    const struct programme *programme;

    begin();
    programme = decoded(constant_cases[*case_index]);
    cr_expect_eq(programme->pairings[0].require[0].by.kind, OPERAND_VALUE);
    cr_expect_eq(programme->pairings[0].require[0].by.field,
                 programme->pairings[0].require[0].of.field);
    end();
}

/* ---- limits ---- */

static struct str
pieces(const char *format, int n)
{
    struct str text = {"", 0};

    for (int i = 0; i < n; i++) {
        char piece[128];
        const char *hash = strchr(format, '#');

        if (hash == NULL)
            snprintf(piece, sizeof piece, "%s", format);
        else
            snprintf(piece, sizeof piece, "%.*s%d%s", (int)(hash - format), format, i, hash + 1);
        text = arena_format(arena, "%.*s%s%s", STR_ARG(text), i == 0 ? "" : ", ", piece);
    }
    return text;
}

static const struct {
    const char *before, *piece, *after; /* # is a number */
    int n;
    const char *path, *message;
} limit_cases[] = {
    {"{id: x, name: N, pairings: [", "{id: p#, from: {}, to: {}}", "]}", PAIRINGS_MAX, "pairings",
     "pairings has 17 pairings; at most 16 are allowed"},
    {"{id: x, name: N, pairings: [{id: p, from: {}, to: {}, require: [",
     "{id: r#, type: any, of: tags, by: tags}", "]}]}", REQUIREMENTS_MAX, "pairings[0].require",
     "require has 33 requirements; at most 32 are allowed"},
    {"{id: x, name: N, pairings: [{id: p, from: {}, to: {}, to_wants: [",
     "{id: w#, type: text, weight: 1}", "]}]}", WANTS_MAX, "pairings[0].to_wants",
     "to_wants has 65 wants; at most 64 are allowed"},
    {"{id: x, name: N, pairings: [{id: p, from: {}, to: {}, to_wants: [{id: w, type: text, weight: "
     "1, curve: [",
     "[#, 5]", ", [10000, 5]]}]}]}", KNOTS_MAX - 1, "pairings[0].to_wants[0].curve",
     "curve has 17 knots; at most 16 are allowed"},
    {"{id: x, name: N, " PAIRINGS ", confirm: [", "paris", "]}", 16, "confirm",
     "confirm has 17 metros; at most 16 are taken"},
    {"{id: x, name: N, " PAIRINGS ", cohort: {quotas: [", "{field: stage, code: seed, min: 1}",
     "]}}", 64, "cohort.quotas", "quotas has 65 quotas; at most 64 are taken"},
    {"{id: x, name: N, " PAIRINGS ", cohort: {pinned: [", "[a, b]", "]}}", 1000, "cohort.pinned",
     "pinned has 1001 pairs; at most 1000 are taken"},
};

EACH_CASE(programme, limits_hold_at_the_limit_and_refuse_one_over, limit_cases)
{
    size_t i = *case_index;
    struct programme *programme = NULL;
    struct err err = {.code = ERR_OK};

    begin();
    for (int over = 0; over <= 1; over++) {
        struct str text = arena_format(
            arena, "%s%.*s%s", limit_cases[i].before,
            STR_ARG(pieces(limit_cases[i].piece, limit_cases[i].n + over)), limit_cases[i].after);

        faults_init(&faults, arena);
        programme_decode(sample_value(arena, text.data), reference, &faults, &programme);
        cr_expect_eq(faults_first(&faults, &err), over == 0 ? ERR_OK : ERR_TOO_LARGE, "%s: %s",
                     err.field, err.message);
    }
    cr_expect_str_eq(err.field, limit_cases[i].path);
    cr_expect_str_eq(err.message, limit_cases[i].message);
    end();
}

Test(programme, survives_the_failure_of_each_allocation)
{
    struct arena *outer = arena_create(4 << 20);
    const msgpack_object *good = sample_value(outer, whole);
    const msgpack_object *bad = sample_value(
        outer, "{id: X, name: {fr: é, xx: y}, pairings: [{id: p, from: {kind: y}, to: {}, "
               "combine: x, from_wants: [{id: w, weight: 1, type: z}, {id: v, type: any, of: team, "
               "by: x, weight: 1}]}]}");
    bool happened = true;

    reference = sample_reference();
    for (long n = 1; happened; n++) {
        struct programme *programme = NULL, *none = NULL;
        struct err err = {.code = ERR_OK};
        struct faults wrong;
        enum err_code code, bad_code;

        mem_fail_at(n);
        arena = arena_create(4 << 20);
        if (arena == NULL)
            continue;
        faults_init(&faults, arena);
        faults_init(&wrong, arena);
        programme_decode(good, reference, &faults, &programme);
        programme_decode(bad, reference, &wrong, &none);
        happened = mem_fail_happened();
        code = faults_first(&faults, &err);
        bad_code = faults_first(&wrong, NULL);
        cr_assert(code == ERR_OK || (happened && code == ERR_BUSY), "%ld: %s", n, err.message);
        cr_assert(bad_code == ERR_INVALID_PARAMS || (happened && bad_code == ERR_BUSY), "%ld", n);
        cr_assert_eq(programme != NULL, code == ERR_OK);
        cr_assert_null(none);
        arena_destroy(arena);
    }
    reference_destroy(reference);
    arena_destroy(outer);
}

/* ---- sides ---- */

static const struct {
    const char *says;
    bool mirrored, on_from;
    const char *kind, *metro;
    bool fits;
} fits_cases[] = {
    {"a startup of Paris goes", false, true, "startup", "paris", true},
    {"an incubator of Silicon Valley hosts", false, false, "incubator", "silicon-valley", true},
    {"a startup of Silicon Valley goes in the mirror", true, true, "startup", "silicon-valley",
     true},
    {"an incubator of Paris hosts in the mirror", true, false, "incubator", "paris", true},
    {"a startup does not host", false, false, "startup", "silicon-valley", false},
    {"a startup of London does not go", false, true, "startup", "london", false},
    {"one of Silicon Valley only in the mirror", false, true, "startup", "silicon-valley", false},
    {"one without a metro stands on no side that names one", false, true, "startup", "", false},
};

EACH_CASE(pairing, says_who_stands_on_which_side, fits_cases)
{
    size_t i = *case_index;

    begin();
    cr_expect_eq(pairing_fits(&decoded(whole)->pairings[0], fits_cases[i].mirrored,
                              fits_cases[i].on_from, str_from(fits_cases[i].kind),
                              str_from(fits_cases[i].metro)),
                 fits_cases[i].fits, "%s", fits_cases[i].says);
    end();
}

Test(pairing, a_side_that_names_nothing_holds_everybody_and_has_no_mirror, .init = begin,
     .fini = end)
{
    const struct pairing *any = &decoded(whole)->pairings[1];

    cr_expect(pairing_fits(any, false, true, STR_LIT("lab"), STR_LIT("")));
    cr_expect(pairing_fits(any, false, false, STR_LIT("investor"), STR_LIT("london")));
    cr_expect_not(pairing_fits(any, true, true, STR_LIT("lab"), STR_LIT("")));
}

/* ---- the tables ---- */

Test(comparison, every_type_has_a_name_and_some_field_that_fits)
{
    for (int i = 0; i < WANT_TYPE_COUNT; i++) {
        bool fits = false;

        cr_assert_not_null(want_type_name((enum want_type)i));
        for (int field = 0; field < FIELD_COUNT; field++)
            fits |= comparison_fits(want_comparisons[i].comparable, &schema[field]);
        cr_expect(fits, "%s", want_type_name((enum want_type)i));
    }
    for (int i = 0; i < REQUIRE_TYPE_COUNT; i++)
        cr_assert_not_null(require_type_name((enum require_type)i));
    for (int i = 0; i <= COMBINE_TO; i++)
        cr_assert_not_null(combine_name((enum combine)i));
}

/* ---- what ships ---- */

static struct reference *
shipped_reference(struct buf bufs[REFERENCE_FILE_COUNT])
{
    struct str files[REFERENCE_FILE_COUNT];
    struct reference *shipped = NULL;
    struct err err = {.code = ERR_OK};

    for (int i = 0; i < REFERENCE_FILE_COUNT; i++) {
        char path[1024];

        snprintf(path, sizeof path, "%s/%s", JML_DATA, reference_file_name(i));
        buf_init(&bufs[i], 8 << 20);
        cr_assert_eq(file_read(path, &bufs[i], &err), ERR_OK, "%s", err.message);
        files[i] = buf_str(&bufs[i]);
    }
    cr_assert_eq(reference_parse(files, &shipped, &err), ERR_OK, "%s: %s", err.field, err.message);
    return shipped;
}

static void
expect_shipped(const char *path, const struct reference *shipped)
{
    struct yaml_doc *doc = NULL;
    struct programme *programme = NULL;
    struct err err = {.code = ERR_OK};
    struct buf text;

    buf_init(&text, 1 << 20);
    cr_assert_eq(file_read(path, &text, &err), ERR_OK, "%s", err.message);
    cr_assert_eq(yaml_decode(buf_str(&text), &value_limits_default, arena, &doc, &err), ERR_OK,
                 "%s: %s", path, err.message);
    faults_init(&faults, arena);
    programme_decode(yaml_doc_root(doc), shipped, &faults, &programme);
    for (size_t i = 0; i < faults.n; i++)
        cr_expect(false, "%s:%d: %s: %s%s", path, yaml_doc_line(doc, faults.list[i].path),
                  faults.list[i].path, faults.list[i].is_warning ? "warning: " : "",
                  faults.list[i].message);
    cr_expect_not_null(programme);
    buf_fini(&text);
}

Test(programme, those_that_ship_are_without_fault_or_warning, .init = begin, .fini = end)
{
    struct buf bufs[REFERENCE_FILE_COUNT];
    struct reference *shipped = shipped_reference(bufs);
    struct err err = {.code = ERR_OK};
    char **names = NULL;
    size_t n = 0;

    cr_assert_eq(file_list(JML_DATA "/programmes", ".yaml", &names, &n, &err), ERR_OK, "%s",
                 err.message);
    cr_expect_gt(n, 0);
    for (size_t i = 0; i < n; i++) {
        char path[1024];

        snprintf(path, sizeof path, "%s/programmes/%s", JML_DATA, names[i]);
        expect_shipped(path, shipped);
    }
    file_free_names(names, n);
    reference_destroy(shipped);
    for (int i = 0; i < REFERENCE_FILE_COUNT; i++)
        buf_fini(&bufs[i]);
}
