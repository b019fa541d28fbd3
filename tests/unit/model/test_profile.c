#include "alloc.h"
#include "cases.h"
#include "json.h"
#include "profile.h"
#include "sample_reference.h"

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

/* The stored form of a good profile as JSON, open part, then the confidential one. */
static struct str
encoded(const msgpack_object *given)
{
    struct profile_form form = {.n_pairs = 0};
    struct buf packed, text;
    const msgpack_object *value = NULL;
    struct err err = {.code = ERR_OK};
    struct str json;

    profile_encode(given, reference, &faults, &form);
    faults_first(&faults, &err);
    cr_assert_eq(faults.n_errors, 0, "%s: %s", err.field, err.message);
    buf_init(&packed, 1 << 20);
    buf_init(&text, 1 << 20);
    pack_map(&packed, form.n_pairs);
    buf_append_str(&packed, form.pairs);
    cr_assert_eq(value_decode(packed.data, packed.len, &value_limits_default, arena, &value, &err),
                 ERR_OK, "%s", err.message);
    json_encode(&text, value, JSON_COMPACT);
    if (form.confidential.len != 0) {
        cr_assert_eq(value_decode(form.confidential.data, form.confidential.len,
                                  &value_limits_default, arena, &value, &err),
                     ERR_OK, "%s", err.message);
        buf_append_text(&text, " ");
        json_encode(&text, value, JSON_COMPACT);
    }
    json = arena_str(arena, buf_str(&text));
    buf_fini(&packed);
    buf_fini(&text);
    return json;
}

/* ---- good profiles and their stored form ---- */

static const struct {
    const char *says, *given, *stored;
} good_cases[] = {
    {"id, kind and name are enough", "{name: Acme, kind: startup, id: acme}",
     "{\"id\":\"acme\",\"kind\":\"startup\",\"name\":\"Acme\"}"},
    {"fields stand in the order of the schema",
     "{team: 5, sectors: [fin.pay, ai], metro: paris, name: A, kind: startup, id: a}",
     "{\"id\":\"a\",\"kind\":\"startup\",\"name\":\"A\",\"metro\":\"paris\","
     "\"sectors\":[\"fin.pay\",\"ai\"],\"team\":5}"},
    {"what profile.get adds is ignored",
     "{id: a, kind: startup, name: A, version: 3, updated_at: 1, seq: 9}",
     "{\"id\":\"a\",\"kind\":\"startup\",\"name\":\"A\"}"},
    {"null and empty fields are left out",
     "{id: a, kind: startup, name: A, metro: null, city: '', sectors: [], raising: {}, "
     "available: {}, description: {en: null, fr: '  '}, external_ids: {}, consent: {}, "
     "confidential: {notes: null}, tags: null, stage: ' '}",
     "{\"id\":\"a\",\"kind\":\"startup\",\"name\":\"A\"}"},
    {"texts are trimmed and in NFC", "{id: a, kind: startup, name: \"  Cafe\\u0301 \\u00a0\"}",
     "{\"id\":\"a\",\"kind\":\"startup\",\"name\":\"Café\"}"},
    {"repeated codes count once, in the order given",
     "{id: a, kind: startup, name: A, sectors: [fin, ai, fin, ai.ml, ai], languages: [fr, en, fr]}",
     "{\"id\":\"a\",\"kind\":\"startup\",\"name\":\"A\",\"sectors\":[\"fin\",\"ai\",\"ai.ml\"],"
     "\"languages\":[\"fr\",\"en\"]}"},
    {"tags are kept as written and repeated only if they fold to another term",
     "{id: a, kind: startup, name: A, tags: [IA Générative, ia generative, C++, c, 'C']}",
     "{\"id\":\"a\",\"kind\":\"startup\",\"name\":\"A\",\"tags\":[\"IA Générative\",\"C++\","
     "\"c\"]}"},
    {"a maximum equal to the minimum is left out",
     "{id: a, kind: startup, name: A, raising: {currency: EUR, max: 5, min: 5}}",
     "{\"id\":\"a\",\"kind\":\"startup\",\"name\":\"A\",\"raising\":{\"min\":5,\"currency\":"
     "\"EUR\"}}"},
    {"money goes up to 10^12",
     "{id: a, kind: investor, name: A, ticket: {min: 0, max: 1000000000000, currency: USD}}",
     "{\"id\":\"a\",\"kind\":\"investor\",\"name\":\"A\",\"ticket\":{\"min\":0,\"max\":"
     "1000000000000,\"currency\":\"USD\"}}"},
    {"whole floats are whole numbers", "{id: a, kind: startup, name: A, team: 5.0}",
     "{\"id\":\"a\",\"kind\":\"startup\",\"name\":\"A\",\"team\":5}"},
    {"founded is kept as precise as it was given",
     "{id: a, kind: startup, name: A, founded: '2019'}",
     "{\"id\":\"a\",\"kind\":\"startup\",\"name\":\"A\",\"founded\":\"2019\"}"},
    {"a year may come as a date does, in quotes or with its month",
     "{id: a, kind: startup, name: A, founded: 2019-07}",
     "{\"id\":\"a\",\"kind\":\"startup\",\"name\":\"A\",\"founded\":\"2019-07\"}"},
    {"languages stand in order, descriptions keep their lines",
     "{id: a, kind: startup, name: A, description: {fr: \"un\\ndeux\", en: one}}",
     "{\"id\":\"a\",\"kind\":\"startup\",\"name\":\"A\",\"description\":{\"en\":\"one\","
     "\"fr\":\"un\\ndeux\"}}"},
    {"markets are metros or countries", "{id: a, kind: startup, name: A, markets: [GB, paris]}",
     "{\"id\":\"a\",\"kind\":\"startup\",\"name\":\"A\",\"markets\":[\"GB\",\"paris\"]}"},
    {"a period may be open at one end",
     "{id: a, kind: startup, name: A, available: {to: 2026-05-01}}",
     "{\"id\":\"a\",\"kind\":\"startup\",\"name\":\"A\",\"available\":{\"to\":\"2026-05-01\"}}"},
    {"a period of one day",
     "{id: a, kind: startup, name: A, available: {to: 2026-05-01, from: 2026-05-01}}",
     "{\"id\":\"a\",\"kind\":\"startup\",\"name\":\"A\",\"available\":{\"from\":\"2026-05-01\","
     "\"to\":\"2026-05-01\"}}"},
    {"latitude and longitude at their ends",
     "{id: a, kind: startup, name: A, latitude: -90000000, longitude: 180000000}",
     "{\"id\":\"a\",\"kind\":\"startup\",\"name\":\"A\",\"latitude\":-90000000,\"longitude\":"
     "180000000}"},
    {"consent with everything",
     "{id: a, kind: startup, name: A, consent: {receivers: [US, FR], purposes: [matching], basis: "
     "form of 3 May, until: 2027-01-31, share: false, match: true}}",
     "{\"id\":\"a\",\"kind\":\"startup\",\"name\":\"A\",\"consent\":{\"match\":true,\"share\":"
     "false,\"until\":\"2027-01-31\",\"basis\":\"form of 3 May\",\"purposes\":[\"matching\"],"
     "\"receivers\":[\"US\",\"FR\"]}}"},
    {"wishes keep their order; other ids",
     "{id: a, kind: startup, name: A, preferences: [z, b], conflicts: [c], organisation: d, status: "
     "paused}",
     "{\"id\":\"a\",\"kind\":\"startup\",\"name\":\"A\",\"preferences\":[\"z\",\"b\"],"
     "\"conflicts\":[\"c\"],\"organisation\":\"d\",\"status\":\"paused\"}"},
    {"external ids are texts or whole numbers, by name",
     "{id: a, kind: startup, name: A, external_ids: {siren: 552100554, crm: x-9}, source: a form}",
     "{\"id\":\"a\",\"kind\":\"startup\",\"name\":\"A\",\"source\":\"a form\",\"external_ids\":"
     "{\"crm\":\"x-9\",\"siren\":552100554}}"},
    {"an embedding may be base64", "{id: a, kind: startup, name: A, embedding: 'AP9/gA=='}",
     "{\"id\":\"a\",\"kind\":\"startup\",\"name\":\"A\",\"embedding\":\"AP9/gA==\"}"},
    {"websites", "{id: a, kind: startup, name: A, website: HTTPS://exemple.fr/é?q=1}",
     "{\"id\":\"a\",\"kind\":\"startup\",\"name\":\"A\",\"website\":\"HTTPS://exemple.fr/é?q=1\"}"},
    {"the confidential part stands apart: the schema's fields, then free ones by name",
     "{id: a, kind: startup, name: A, confidential: {zeta: [1, {b: true, a: 1.5}], note: \"a\\nb\", "
     "team: 3, raising: {min: 1, currency: USD}}}",
     "{\"id\":\"a\",\"kind\":\"startup\",\"name\":\"A\"} {\"team\":3,\"raising\":{\"min\":1,"
     "\"currency\":\"USD\"},\"note\":\"a\\nb\",\"zeta\":[1,{\"a\":1.5,\"b\":true}]}"},
    {"free fields may be four deep",
     "{id: a, kind: startup, name: A, confidential: {deep: [[[[1]]]]}}",
     "{\"id\":\"a\",\"kind\":\"startup\",\"name\":\"A\"} {\"deep\":[[[[1]]]]}"},
};

EACH_CASE(profile, is_stored_in_one_form, good_cases)
{
    struct str stored;

    begin();
    stored = encoded(sample_value(arena, good_cases[*case_index].given));
    cr_expect(str_is(stored, good_cases[*case_index].stored), "%s:\n%.*s\n%s",
              good_cases[*case_index].says, STR_ARG(stored), good_cases[*case_index].stored);
    end();
}

/* ---- bad profiles ---- */

/* `fields` is laid beside id, kind (startup) and name. */
static const struct {
    const char *fields, *path, *message;
} bad_cases[] = {
    /* ids, kinds, names */
    {"id: Acme", "profile.id",
     "\"Acme\" is no id; write at most 64 of a-z, 0-9, dot, underscore and hyphen, beginning with a "
     "letter or digit"},
    {"id: 5", "profile.id", "id must be an id, not 5"},
    {"id: null", "profile.id", "id is missing; a profile needs an id, a kind and a name"},
    {"kind: ''", "profile.kind", "kind is missing; a profile needs an id, a kind and a name"},
    {"name: ' '", "profile.name", "name is missing; a profile needs an id, a kind and a name"},
    {"kind: startups", "profile.kind", "\"startups\" is no kind; did you mean startup (Startup)?"},
    {"kind: dinosaur", "profile.kind",
     "\"dinosaur\" is no kind; known are startup, incubator and investor"},
    {"kind: [startup]", "profile.kind", "kind must be a kind, not a list"},
    {"name: 5", "profile.name", "name must be text, not 5"},
    {"name: \"two\\nlines\"", "profile.name",
     "\"two?lines\" has a control character or line break at character 4; take it out"},
    {"name: \"bell\\a\"", "profile.name",
     "\"bell?\" has a control character or line break at character 5; take it out"},
    {"name: \"next\\u0085line\"", "profile.name",
     "\"next\xC2\x85line\" has a control character or line break at character 5; take it out"},
    {"name: \"a\\u2028b\"", "profile.name",
     "\"a\xE2\x80\xA8"
     "b\" has a control character or line break at character 2; take it out"},
    /* unknown fields */
    {"sector: [ai]", "profile.sector",
     "\"sector\" is no field of a profile; did you mean sectors?"},
    {"turnover: 5", "profile.turnover",
     "\"turnover\" is no field of a profile; put it under confidential or external_ids"},
    /* places */
    {"metro: Paris", "profile.metro",
     "\"Paris\" is no metro code; did you mean paris (Paris region)?"},
    {"metro: mars", "profile.metro",
     "\"mars\" is no metro code; known are paris, silicon-valley and london"},
    {"metro: 75", "profile.metro", "metro must be a metro code, not 75"},
    {"city: [Paris]", "profile.city", "city must be text, not a list"},
    {"country: FRA", "profile.country", "\"FRA\" is no country code; did you mean FR (France)?"},
    {"country: fr", "profile.country", "\"fr\" is no country code; did you mean FR (France)?"},
    {"latitude: 90000001", "profile.latitude",
     "latitude is 90000001; write -90000000 to 90000000 millionths of a degree"},
    {"latitude: 48.8566", "profile.latitude",
     "latitude must be a whole number of millionths of a degree, not 48.8566"},
    {"longitude: -180000001", "profile.longitude",
     "longitude is -180000001; write -180000000 to 180000000 millionths of a degree"},
    /* websites */
    {"website: example.com", "profile.website",
     "\"example.com\" is no web address; write http:// or https:// and a host, without spaces"},
    {"website: 'http://'", "profile.website",
     "\"http://\" is no web address; write http:// or https:// and a host, without spaces"},
    {"website: 'http:///path'", "profile.website",
     "\"http:///path\" is no web address; write http:// or https:// and a host, without spaces"},
    {"website: 'ftp://example.com'", "profile.website",
     "\"ftp://example.com\" is no web address; write http:// or https:// and a host, without spaces"},
    {"website: 'http://a b.com'", "profile.website",
     "\"http://a b.com\" is no web address; write http:// or https:// and a host, without spaces"},
    /* texts */
    {"description: farm sensors", "profile.description",
     "description must be a map of language to text, such as {en: …, fr: …}, not \"farm sensors\""},
    {"description: {french: x}", "profile.description.french",
     "\"french\" is no language code; did you mean fr (French)?"},
    {"description: {EN: x}", "profile.description.EN",
     "\"EN\" is no language code; did you mean en (English)?"},
    {"description: {en: [x]}", "profile.description.en", "en must be text, not a list"},
    {"description: {en: \"a\\u0001b\"}", "profile.description.en",
     "\"a?b\" has a control character at character 2; take it out"},
    /* sets */
    {"sectors: ai", "profile.sectors", "sectors must be a list of codes, not \"ai\""},
    {"sectors: [ai, fintec]", "profile.sectors[1]",
     "\"fintec\" is no sector code; did you mean fin (Finance)?"},
    {"sectors: [ai, 5]", "profile.sectors[1]", "sectors[1] must be a sector code, not 5"},
    {"sectors: [ai, null]", "profile.sectors[1]", "sectors[1] is empty; write it or take it out"},
    {"tags: [a, '']", "profile.tags[1]", "tags[1] is empty; write it or take it out"},
    {"tags: {a: b}", "profile.tags", "tags must be a list of terms, not a map"},
    {"tags: [[a]]", "profile.tags[0]", "tags[0] must be text, not a list"},
    {"tags: [\"a\\tb\"]", "profile.tags[0]",
     "\"a?b\" has a control character or line break at character 2; take it out"},
    {"languages: [francais]", "profile.languages[0]",
     "\"francais\" is no language code; did you mean fr (French)?"},
    {"markets: [Rome]", "profile.markets[0]",
     "\"Rome\" is no metro code or country code; metros.csv or countries.csv lists them"},
    {"markets: [france]", "profile.markets[0]",
     "\"france\" is no metro code or country code; did you mean FR (France)?"},
    {"needs: [desk]", "profile.needs[0]",
     "\"desk\" is no need code; did you mean space.desk (Desk)?"},
    {"offers: [money]", "profile.offers[0]",
     "\"money\" is no need code; known are space, space.desk and legal"},
    /* startups' fields */
    {"stage: Series A", "profile.stage",
     "\"Series A\" is no stage code; did you mean a (Series A)?"},
    {"stage: [seed]", "profile.stage", "stage must be a stage code, not a list"},
    {"stages: [seed]", "profile.stages",
     "stages is a field of the kind incubator, investor or event, not of startup; leave it out"},
    {"ticket: {min: 1, currency: EUR}", "profile.ticket",
     "ticket is a field of the kind investor, not of startup; leave it out"},
    {"capacity: 3", "profile.capacity",
     "capacity is a field of the kind incubator, investor, lab, company, city-service, training or "
     "event, not of startup; leave it out"},
    {"founded: 31/12/2020", "profile.founded",
     "\"31/12/2020\" is no date of the form YYYY-MM-DD, YYYY-MM or YYYY"},
    {"founded: 2020", "profile.founded",
     "founded must be a date in quotes, YYYY-MM-DD, YYYY-MM or YYYY, not 2020"},
    {"founded: 2021-02-29", "profile.founded",
     "\"2021-02-29\" is no day: February 2021 has 28 days"},
    {"team: -1", "profile.team", "team is -1; write 0 to 1000000000 people"},
    {"team: '5'", "profile.team", "team must be a whole number of people, not \"5\""},
    {"team: 5.5", "profile.team", "team must be a whole number of people, not 5.5"},
    /* money */
    {"raising: 500000", "profile.raising",
     "raising must be money: {min, max, currency}, not 500000"},
    {"raising: {max: 5, currency: EUR}", "profile.raising.min",
     "min is missing; write the smallest amount, in whole units"},
    {"raising: {min: 5}", "profile.raising.currency",
     "currency is missing; write its code, such as EUR or USD"},
    {"raising: {min: 5, currency: euros}", "profile.raising.currency",
     "\"euros\" is no currency code; did you mean EUR (Euro)?"},
    {"raising: {min: 5, max: 4, currency: EUR}", "profile.raising",
     "max 4 is less than min 5; exchange them or leave max out"},
    {"raising: {min: -5, currency: EUR}", "profile.raising.min",
     "min is -5; write 0 to 1000000000000 units of the currency"},
    {"raising: {min: 1, max: 1000000000001, currency: EUR}", "profile.raising.max",
     "max is 1000000000001; write 0 to 1000000000000 units of the currency"},
    {"raising: {min: 1.5, currency: EUR}", "profile.raising.min",
     "min must be a whole number of units of the currency, not 1.5"},
    {"raising: {min: 1, currency: EUR, mx: 2}", "profile.raising.mx",
     "\"mx\" is no key here; did you mean max?"},
    {"raising: {min: 1, currency: EUR, note: x}", "profile.raising.note",
     "\"note\" is no key here; known are min, max and currency"},
    /* periods */
    {"available: 2026-05-01", "profile.available",
     "available must be a period: {from, to}, not \"2026-05-01\""},
    {"available: {from: null, to: null}", "profile.available",
     "available has neither from nor to; write one of them or leave the period out"},
    {"available: {from: 2026-05-02, to: 2026-05-01}", "profile.available",
     "from 2026-05-02 is after to 2026-05-01; exchange them"},
    {"available: {from: 2026-05}", "profile.available.from",
     "\"2026-05\" is no date of the form YYYY-MM-DD"},
    {"available: {until: 2026-05-01}", "profile.available.until",
     "\"until\" is no key here; known are from and to"},
    /* other profiles */
    {"preferences: [b, self-1, acme]", "profile.preferences[2]",
     "\"acme\" is the profile's own id; name another profile"},
    {"conflicts: [acme]", "profile.conflicts[0]",
     "\"acme\" is the profile's own id; name another profile"},
    {"organisation: acme", "profile.organisation",
     "\"acme\" is the profile's own id; name another profile"},
    {"conflicts: [Other One]", "profile.conflicts[0]",
     "\"Other One\" is no id; write at most 64 of a-z, 0-9, dot, underscore and hyphen, beginning "
     "with a letter or digit"},
    {"conflicts: b", "profile.conflicts", "conflicts must be a list of ids, not \"b\""},
    /* embedding */
    {"embedding: 'AP9/gA='", "profile.embedding",
     "\"AP9/gA=\" is no base64; write the int8 vector as base64 with its padding"},
    {"embedding: 'AP9/g!=='", "profile.embedding",
     "\"AP9/g!==\" is no base64; write the int8 vector as base64 with its padding"},
    {"embedding: 'AB=='", "profile.embedding",
     "\"AB==\" is no base64; write the int8 vector as base64 with its padding"},
    {"embedding: [1, 2]", "profile.embedding",
     "embedding must be bytes, or base64 text, not a list"},
    /* consent */
    {"consent: true", "profile.consent",
     "consent must be a map {match, share, basis, …}, not true"},
    {"consent: {share: true, basis: x}", "profile.consent.match",
     "match is missing; write true or false"},
    {"consent: {match: true, basis: x}", "profile.consent.share",
     "share is missing; write true or false"},
    {"consent: {match: true, share: true}", "profile.consent.basis",
     "basis is missing; write on what ground the data may be used"},
    {"consent: {match: yes, share: true, basis: x}", "profile.consent.match",
     "match must be true or false, not \"yes\""},
    {"consent: {match: true, share: true, basis: x, until: 2027}", "profile.consent.until",
     "until must be a date in quotes, YYYY-MM-DD, not 2027"},
    {"consent: {match: true, share: true, basis: x, receivers: [USA]}",
     "profile.consent.receivers[0]",
     "\"USA\" is no country code; did you mean US (United States)?"},
    {"consent: {match: true, share: true, basis: x, purposes: jury}", "profile.consent.purposes",
     "purposes must be a list of terms, not \"jury\""},
    {"consent: {match: true, share: true, basis: x, untill: 2027-01-01}", "profile.consent.untill",
     "\"untill\" is no key here; did you mean until?"},
    /* the rest */
    {"status: closed", "profile.status", "\"closed\" is no status; write active or paused"},
    {"status: true", "profile.status", "status must be text, not true"},
    {"source: 5", "profile.source", "source must be text, not 5"},
    {"external_ids: x", "profile.external_ids",
     "external_ids must be a map of names to text or whole numbers, not \"x\""},
    {"external_ids: {a: [1]}", "profile.external_ids.a",
     "a must be text or a whole number, not a list"},
    {"external_ids: {a: 1.5}", "profile.external_ids.a",
     "a must be text or a whole number, not 1.5"},
    {"external_ids: {'': x}", "profile.external_ids", "a key is empty; give it a name"},
    {"external_ids: {\"e\\u0301\": x, \"\\u00e9\": y}", "profile.external_ids",
     "the key \"é\" stands twice; take one out"},
    /* confidential */
    {"confidential: secret", "profile.confidential",
     "confidential must be a map of fields, not \"secret\""},
    {"confidential: {team: many}", "profile.confidential.team",
     "team must be a whole number of people, not \"many\""},
    {"confidential: {ticket: {min: 1, currency: EUR}}", "profile.confidential.ticket",
     "ticket is a field of the kind investor, not of startup; leave it out"},
    {"confidential: {id: b}", "profile.confidential.id",
     "id is never confidential; move it to the open part of the profile"},
    {"confidential: {kind: startup}", "profile.confidential.kind",
     "kind is never confidential; move it to the open part of the profile"},
    {"confidential: {status: paused}", "profile.confidential.status",
     "status is never confidential; move it to the open part of the profile"},
    {"confidential: {consent: {match: true}}", "profile.confidential.consent",
     "consent is never confidential; move it to the open part of the profile"},
    {"confidential: {confidential: {}}", "profile.confidential.confidential",
     "confidential is never confidential; move it to the open part of the profile"},
    {"confidential: {deep: [[[[[1]]]]]}", "profile.confidential.deep[0][0][0][0]",
     "deep[0][0][0][0] is nested too deep; lists and maps stand at most 4 deep in one another"},
    {"confidential: {note: \"a\\u0007\"}", "profile.confidential.note",
     "\"a?\" has a control character at character 2; take it out"},
    {"confidential: {list: [1, null]}", "profile.confidential.list[1]",
     "list[1] is empty; write it or take it out"},
};

/* A startup with these fields in place of its own id, kind and name or beside them. */
static const msgpack_object *
startup_with(const char *fields)
{
    bool has_id = strncmp(fields, "id:", 3) == 0, has_kind = strncmp(fields, "kind:", 5) == 0;
    bool has_name = strncmp(fields, "name:", 5) == 0;
    struct str yaml =
        arena_format(arena, "{%s%s%s%s}", has_id ? "" : "id: acme, ",
                     has_kind ? "" : "kind: startup, ", has_name ? "" : "name: Acme, ", fields);

    return sample_value(arena, yaml.data);
}

EACH_CASE(profile, each_wrong_field_gets_its_own_sentence, bad_cases)
{
    struct profile_form form = {.n_pairs = 77};
    struct err err = {.code = ERR_OK};
    size_t i = *case_index;

    begin();
    profile_encode(startup_with(bad_cases[i].fields), reference, &faults, &form);
    cr_expect_eq(faults_first(&faults, &err), ERR_INVALID_PARAMS, "%s", bad_cases[i].fields);
    cr_expect_str_eq(err.field, bad_cases[i].path);
    cr_expect_str_eq(err.message, bad_cases[i].message);
    cr_expect_eq(faults.n_errors, 1, "%zu errors from %s", faults.n_errors, bad_cases[i].fields);
    cr_expect_eq(form.n_pairs, 77, "a form was written");
    end();
}

Test(profile, all_faults_are_told_at_once, .init = begin, .fini = end)
{
    static const char *const paths[] = {"profile.name",
                                        "profile.sectors[0]",
                                        "profile.sectors[2]",
                                        "profile.raising.min",
                                        "profile.raising.currency",
                                        "profile.nonsense",
                                        "profile.confidential.team"};
    struct profile_form form;

    profile_encode(sample_value(arena, "{id: a, kind: startup, nonsense: 1, sectors: [x, ai, y], "
                                       "raising: {min: -1}, confidential: {team: x}}"),
                   reference, &faults, &form);
    cr_assert_eq(faults.n_errors, sizeof paths / sizeof paths[0]);
    for (size_t i = 0; i < faults.n; i++)
        cr_expect_str_eq(faults.list[i].path, paths[i]);
}

Test(profile, the_path_begins_where_the_caller_says, .init = begin, .fini = end)
{
    struct profile_form form;
    size_t mark = faults_push(&faults, "profiles[3]");

    profile_encode(sample_value(arena, "{id: a, kind: startup, name: A, team: x}"), reference,
                   &faults, &form);
    faults_pop(&faults, mark);
    profile_encode(sample_value(arena, "[1]"), reference, &faults, &form);
    cr_assert_eq(faults.n, 2);
    cr_expect_str_eq(faults.list[0].path, "profiles[3].team");
    cr_expect_str_eq(faults.list[1].path, "profile");
    cr_expect_str_eq(faults.list[1].message, "profile must be a map of fields, not a list");
}

Test(profile, a_free_field_that_looks_like_one_of_the_schema_is_a_warning, .init = begin,
     .fini = end)
{
    encoded(sample_value(arena, "{id: a, kind: startup, name: A, confidential: {raisng: 5}}"));
    cr_assert_eq(faults.n, 1);
    cr_expect(faults.list[0].is_warning);
    cr_expect_str_eq(faults.list[0].path, "profile.confidential.raisng");
    cr_expect_str_eq(
        faults.list[0].message,
        "\"raisng\" is kept as a free field, which scoring does not read; did you mean "
        "raising?");
}

/* ---- limits, at the limit and one over ---- */

static struct str
repeated(const char *piece, size_t n)
{
    struct buf buf;
    struct str text;

    buf_init(&buf, 1 << 22);
    for (size_t i = 0; i < n; i++)
        buf_append_text(&buf, piece);
    text = arena_str(arena, buf_str(&buf));
    buf_fini(&buf);
    return text;
}

static struct str
numbered(const char *format, int n)
{
    struct str text = {"", 0};

    for (int i = 0; i < n; i++) {
        char piece[32];

        snprintf(piece, sizeof piece, "%s%s%d", i == 0 ? "" : ", ", format, i);
        text = arena_format(arena, "%.*s%s", STR_ARG(text), piece);
    }
    return text;
}

struct limit {
    const char *says, *before, *piece, *after, *path, *message; /* field: before pieces after */
    int n;            /* how many pieces are within the limit */
    bool is_numbered; /* piece0, piece1, … separated by commas */
};

static const struct limit limit_cases[] = {
    {"a name of 200 characters, however many bytes", "name: ", "é", "", "profile.name",
     "\"éééééééééééééééééééééééééééééé…\" is 201 characters long; at most 200 are kept", 200,
     false},
    {"a description of 8000 characters", "description: {fr: ", "é", "}", "profile.description.fr",
     "\"éééééééééééééééééééééééééééééé…\" is 8001 characters long; at most 8000 are kept", 8000,
     false},
    {"a website of 300 characters", "website: http://example.com/", "x", "", "profile.website",
     "\"http://example.com/xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx…\" is 301 characters long; at "
     "most 300 are kept",
     281, false},
    {"64 tags", "tags: [", "t", "]", "profile.tags", "tags has 65 terms; at most 64 are kept", 64,
     true},
    {"a tag of 64 bytes", "tags: [", "é", "]", "profile.tags[0]",
     "\"éééééééééééééééééééééééééééééé…\" has 66 bytes; a term has at most 64", 32, false},
    {"100 wishes", "preferences: [", "p", "]", "profile.preferences",
     "preferences has 101 ids; at most 100 are kept", 100, true},
    {"100 conflicts", "conflicts: [", "p", "]", "profile.conflicts",
     "conflicts has 101 ids; at most 100 are kept", 100, true},
    {"an id of 64 characters", "organisation: ", "x", "", "profile.organisation",
     "\"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx…\" is no id; write at most 64 "
     "of a-z, 0-9, dot, underscore and hyphen, beginning with a letter or digit",
     64, false},
    {"a basis of 500 characters", "consent: {match: true, share: true, basis: ", "x", "}",
     "profile.consent.basis",
     "\"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx…\" is 501 characters long; at "
     "most 500 are kept",
     500, false},
    {"32 purposes", "consent: {match: true, share: true, basis: x, purposes: [", "p", "]}",
     "profile.consent.purposes", "purposes has 33 terms; at most 32 are kept", 32, true},
    {"an external id of 200 characters", "external_ids: {a: ", "x", "}", "profile.external_ids.a",
     "\"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx…\" is 201 characters long; at "
     "most 200 are kept",
     200, false},
    {"100 elements in a free list", "confidential: {list: [", "e", "]}",
     "profile.confidential.list", "list has 101 elements; at most 100 are kept", 100, true},
    {"a free text of 8000 characters", "confidential: {note: ", "x", "}",
     "profile.confidential.note",
     "\"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx…\" is 8001 characters long; "
     "at most 8000 are kept",
     8000, false},
};

static const msgpack_object *
at_limit(const struct limit *limit, int over)
{
    struct str pieces = limit->is_numbered ? numbered(limit->piece, limit->n + over)
                                           : repeated(limit->piece, (size_t)(limit->n + over));

    return startup_with(
        arena_format(arena, "%s%.*s%s", limit->before, STR_ARG(pieces), limit->after).data);
}

EACH_CASE(profile, limits_hold_at_the_limit_and_refuse_one_over, limit_cases)
{
    const struct limit *limit = &limit_cases[*case_index];
    struct profile_form form;
    struct err err = {.code = ERR_OK};

    begin();
    encoded(at_limit(limit, 0));
    profile_encode(at_limit(limit, 1), reference, &faults, &form);
    cr_expect_eq(faults_first(&faults, &err), ERR_TOO_LARGE, "%s", limit->says);
    cr_expect_str_eq(err.field, limit->path);
    cr_expect_str_eq(err.message, limit->message);
    end();
}

static const struct {
    const char *says, *key_format;
    int n;
    const char *path, *message;
} key_cases[] = {
    {"32 external ids", "external_ids", 32, "profile.external_ids",
     "external_ids has 33 keys; at most 32 are kept"},
    {"64 free fields", "confidential", 64, "profile.confidential",
     "confidential has 65 keys; at most 64 are kept"},
    {"100 keys in a free map", "confidential: {map", 100, "profile.confidential.map",
     "map has 101 keys; at most 100 are kept"},
};

EACH_CASE(profile, maps_hold_so_many_keys_and_not_one_more, key_cases)
{
    size_t i = *case_index;
    bool is_nested = strchr(key_cases[i].key_format, '{') != NULL;
    struct err err = {.code = ERR_OK};
    struct profile_form form;

    begin();
    for (int over = 0; over <= 1; over++) {
        struct str keys = {"", 0};

        for (int key = 0; key < key_cases[i].n + over; key++)
            keys = arena_format(arena, "%.*s%sk%d: 1", STR_ARG(keys), key == 0 ? "" : ", ", key);
        profile_encode(startup_with(arena_format(arena, "%s: {%.*s}%s", key_cases[i].key_format,
                                                 STR_ARG(keys), is_nested ? "}" : "")
                                        .data),
                       reference, &faults, &form);
        cr_expect_eq(faults_first(&faults, &err), over ? ERR_TOO_LARGE : ERR_OK, "%s",
                     key_cases[i].says);
    }
    cr_expect_str_eq(err.field, key_cases[i].path);
    cr_expect_str_eq(err.message, key_cases[i].message);
    end();
}

Test(profile, is_at_most_64_kib_packed, .init = begin, .fini = end)
{
    struct profile_form form = {.n_pairs = 0};
    struct err err = {.code = ERR_OK};
    size_t fixed, free_room;
    struct str yaml, filling = repeated("x", 7500);

    yaml = arena_format(arena,
                        "confidential: {a: %.*s, b: %.*s, c: %.*s, d: %.*s, e: %.*s, f: "
                        "%.*s, g: %.*s, h: %.*s, i: ",
                        STR_ARG(filling), STR_ARG(filling), STR_ARG(filling), STR_ARG(filling),
                        STR_ARG(filling), STR_ARG(filling), STR_ARG(filling), STR_ARG(filling));
    profile_encode(
        startup_with(
            arena_format(arena, "%.*s%.*s}", STR_ARG(yaml), STR_ARG(repeated("x", 1000))).data),
        reference, &faults, &form);
    cr_assert_eq(faults.n_errors, 0);
    fixed = form.pairs.len + form.confidential.len + 16 - 1000;
    free_room = PROFILE_BYTES_MAX - fixed;
    profile_encode(startup_with(arena_format(arena, "%.*s%.*s}", STR_ARG(yaml),
                                             STR_ARG(repeated("y", free_room)))
                                    .data),
                   reference, &faults, &form);
    cr_assert_eq(faults.n_errors, 0, "%s", faults.list[0].message);
    profile_encode(startup_with(arena_format(arena, "%.*s%.*s}", STR_ARG(yaml),
                                             STR_ARG(repeated("y", free_room + 1)))
                                    .data),
                   reference, &faults, &form);
    cr_expect_eq(faults_first(&faults, &err), ERR_TOO_LARGE);
    cr_expect_str_eq(err.field, "profile");
    cr_expect_str_eq(err.message,
                     "the profile is larger than 65536 bytes packed; shorten its texts "
                     "and lists");
}

Test(profile, far_more_than_64_kib_is_refused_as_well, .init = begin, .fini = end)
{
    struct profile_form form;
    struct err err = {.code = ERR_OK};
    struct str filling = repeated("€", 8000);

    profile_encode(
        startup_with(arena_format(arena, "confidential: {a: {b: %.*s, c: %.*s, d: %.*s}}",
                                  STR_ARG(filling), STR_ARG(filling), STR_ARG(filling))
                         .data),
        reference, &faults, &form);
    cr_expect_eq(faults_first(&faults, &err), ERR_TOO_LARGE);
}

Test(profile, a_hundred_thousand_unknown_fields_take_no_time, .init = begin, .fini = end)
{
    struct profile_form form;
    struct buf packed;
    const msgpack_object *given = NULL;
    size_t n = 100000;

    buf_init(&packed, 8 << 20);
    pack_map(&packed, n);
    for (size_t i = 0; i < n; i++) {
        char key[32];

        snprintf(key, sizeof key, "secotrs-of-the-world-%06zu", i);
        pack_key_int(&packed, key, 1);
    }
    cr_assert_eq(value_decode(packed.data, packed.len, &value_limits_default, arena, &given, NULL),
                 ERR_OK);
    profile_encode(given, reference, &faults, &form);
    cr_expect_eq(faults.n, FAULTS_MAX);
    buf_fini(&packed);
}

/* ---- what only msgpack can bring ---- */

static const msgpack_object *
unpacked(const struct buf *packed)
{
    const msgpack_object *value = NULL;
    struct err err = {.code = ERR_OK};

    cr_assert_eq(
        value_decode(packed->data, packed->len, &value_limits_default, arena, &value, &err), ERR_OK,
        "%s", err.message);
    return value;
}

Test(profile, a_key_that_stands_twice_is_an_error, .init = begin, .fini = end)
{
    struct profile_form form;
    struct err err = {.code = ERR_OK};
    struct buf packed;

    buf_init(&packed, 4096);
    pack_map(&packed, 4);
    pack_key_text(&packed, "id", "a");
    pack_key_text(&packed, "kind", "startup");
    pack_key_text(&packed, "name", "A");
    pack_key(&packed, "raising");
    pack_map(&packed, 3);
    pack_key_int(&packed, "min", 1);
    pack_key_int(&packed, "min", 2);
    pack_key_text(&packed, "currency", "EUR");
    profile_encode(unpacked(&packed), reference, &faults, &form);
    cr_expect_eq(faults_first(&faults, &err), ERR_INVALID_PARAMS);
    cr_expect_str_eq(err.field, "profile.raising.min");
    cr_expect_str_eq(err.message, "the key \"min\" stands twice; take one out");
    buf_fini(&packed);
}

Test(profile, a_key_that_is_no_text_is_an_error, .init = begin, .fini = end)
{
    struct profile_form form;
    struct err err = {.code = ERR_OK};
    struct buf packed;

    buf_init(&packed, 4096);
    pack_map(&packed, 2);
    pack_key_text(&packed, "id", "a");
    pack_key(&packed, "tags");
    pack_array(&packed, 2);
    pack_text(&packed, "x");
    pack_map(&packed, 1);
    pack_int(&packed, 5);
    pack_int(&packed, 6);
    profile_encode(unpacked(&packed), reference, &faults, &form);
    cr_expect_eq(faults_first(&faults, &err), ERR_INVALID_PARAMS);
    cr_expect_str_eq(err.field, "profile.tags[1]");
    cr_expect_str_eq(err.message, "key 1 of this map is no text; write a name");
    buf_fini(&packed);
}

Test(profile, an_embedding_is_at_most_1024_bytes, .init = begin, .fini = end)
{
    static const unsigned char bytes[1025] = {1, 2, 3};
    struct profile_form form;
    struct err err = {.code = ERR_OK};

    for (size_t n = 1024; n <= 1025; n++) {
        struct buf packed;

        buf_init(&packed, 4096);
        pack_map(&packed, 4);
        pack_key_text(&packed, "id", "a");
        pack_key_text(&packed, "kind", "startup");
        pack_key_text(&packed, "name", "A");
        pack_key(&packed, "embedding");
        pack_bin(&packed, bytes, n);
        profile_encode(unpacked(&packed), reference, &faults, &form);
        cr_expect_eq(faults_first(&faults, &err), n == 1024 ? ERR_OK : ERR_TOO_LARGE);
        if (n == 1024) /* the form in which it came is the form in which it is kept */
            cr_expect_eq(form.pairs.len, packed.len - 1);
        buf_fini(&packed);
    }
    cr_expect_str_eq(err.message, "embedding has 1025 bytes; at most 1024 are kept");
}

Test(profile, bytes_are_no_text_and_no_free_field, .init = begin, .fini = end)
{
    struct profile_form form;
    struct buf packed;

    buf_init(&packed, 4096);
    pack_map(&packed, 4);
    pack_key_text(&packed, "id", "a");
    pack_key_text(&packed, "kind", "startup");
    pack_key(&packed, "name");
    pack_bin(&packed, "A", 1);
    pack_key(&packed, "confidential");
    pack_map(&packed, 2);
    pack_key(&packed, "nan");
    pack_float(&packed, 0.0 / 0.0);
    pack_key(&packed, "raw");
    pack_bin(&packed, "A", 1);
    profile_encode(unpacked(&packed), reference, &faults, &form);
    cr_assert_eq(faults.n_errors, 3);
    cr_expect_str_eq(faults.list[0].message, "name must be text, not bytes");
    cr_expect_str_eq(faults.list[1].path, "profile.confidential.nan");
    cr_expect_str_eq(faults.list[2].message,
                     "raw must be text, a number, true or false, a list or a map, not bytes");
    buf_fini(&packed);
}

Test(profile, the_stored_form_put_again_gives_the_same_bytes, .init = begin, .fini = end)
{
    struct profile_form once = {.n_pairs = 0}, twice = {.n_pairs = 0};
    struct buf packed;

    profile_encode(sample_value(arena,
                                "{name: \" E\\u0301cole \", kind: startup, id: a, tags: [B, b, a], "
                                "sectors: [fin, ai, fin], embedding: 'AP9/gA==', description: {fr: "
                                "\"x\\n\", en: y}, raising: {min: 1, max: 1, currency: EUR}, "
                                "confidential: {zz: {b: 1, a: null}, team: 4.0, aa: x}}"),
                   reference, &faults, &once);
    cr_assert_eq(faults.n_errors, 0);
    buf_init(&packed, 1 << 16);
    pack_map(&packed, once.n_pairs + 2);
    buf_append_str(&packed, once.pairs);
    pack_key(&packed, "confidential");
    buf_append_str(&packed, once.confidential);
    pack_key_int(&packed, "version", 2);
    profile_encode(unpacked(&packed), reference, &faults, &twice);
    cr_assert_eq(faults.n_errors, 0);
    cr_expect(str_equal(once.pairs, twice.pairs));
    cr_expect(str_equal(once.confidential, twice.confidential));
    cr_expect_eq(once.n_pairs, twice.n_pairs);
    cr_expect(str_is(twice.id, "a") && str_is(twice.kind, "startup"));
    buf_fini(&packed);
}

Test(profile, survives_the_failure_of_each_allocation)
{
    const char *text =
        "{name: \" E\\u0301cole \", kind: startup, id: a, tags: [B, a], sectors: [fin,"
        " ai], embedding: 'AP9/gA==', description: {fr: é, en: y}, preferences: [b], "
        "external_ids: {a: 1}, consent: {match: true, share: true, basis: é}, "
        "confidential: {zz: {b: [1], a: é}, team: 4}}";
    struct arena *outer = arena_create(1 << 20);
    const msgpack_object *good = sample_value(outer, text);
    const msgpack_object *bad = sample_value(
        outer, "{id: A, kind: startp, nonsense: 1, sectors: [x], markets: [y], raising:"
               " {mn: 1}, confidential: {raisng: 1}}");
    bool happened = true;

    reference = sample_reference();
    for (long n = 1; happened; n++) {
        struct profile_form form = {.n_pairs = 0};
        struct err err = {.code = ERR_OK};
        struct faults wrong;
        enum err_code code, bad_code;

        mem_fail_at(n);
        arena = arena_create(1 << 20);
        if (arena == NULL)
            continue;
        faults_init(&faults, arena);
        faults_init(&wrong, arena);
        profile_encode(good, reference, &faults, &form);
        profile_encode(bad, reference, &wrong, &form);
        happened = mem_fail_happened();
        code = faults_first(&faults, &err);
        bad_code = faults_first(&wrong, NULL);
        cr_assert(code == ERR_OK || (happened && code == ERR_BUSY), "%ld: %s", n, err.message);
        cr_assert(bad_code == ERR_INVALID_PARAMS || (happened && bad_code == ERR_BUSY), "%ld", n);
        cr_assert(code != ERR_OK || form.n_pairs == 10, "%ld: %u", n, form.n_pairs);
        arena_destroy(arena);
    }
    reference_destroy(reference);
    arena_destroy(outer);
}

/* ---- one field ---- */

static const struct {
    enum field_id field;
    const char *value;
    const char *path, *message; /* NULL: good */
} check_cases[] = {
    {FIELD_TEAM, "5", NULL, NULL},
    {FIELD_TEAM, "x", "", "it must be a whole number of people, not \"x\""},
    {FIELD_STAGES, "[seed, a]", NULL, NULL},
    {FIELD_STAGES, "[seed, b]", "[1]", "\"b\" is no stage code; known are idea, seed, a and self"},
    {FIELD_TICKET, "{min: 1, currency: EUR}", NULL, NULL},
    {FIELD_TICKET, "{min: 1}", "currency",
     "currency is missing; write its code, such as EUR or USD"},
    {FIELD_CONFIDENTIAL, "{team: 5, ticket: {min: 1, currency: EUR}}", NULL, NULL},
    {FIELD_CONFIDENTIAL, "{team: x}", "team", "team must be a whole number of people, not \"x\""},
    {FIELD_CONSENT, "{match: true, share: true, basis: x}", NULL, NULL},
};

EACH_CASE(field, is_checked_alone_as_in_a_profile, check_cases)
{
    size_t i = *case_index;
    struct err err = {.code = ERR_OK};

    begin();
    field_check(&schema[check_cases[i].field], sample_value(arena, check_cases[i].value), reference,
                &faults);
    cr_expect_eq(faults_first(&faults, &err),
                 check_cases[i].message == NULL ? ERR_OK : ERR_INVALID_PARAMS);
    if (check_cases[i].message != NULL) {
        cr_expect_str_eq(err.message, check_cases[i].message);
        cr_expect_str_eq(err.field, check_cases[i].path);
    }
    end();
}

/* ---- patch ---- */

static const struct {
    const char *says, *base, *changes, *result;
} patch_cases[] = {
    {"a field is replaced as a whole", "{a: {x: 1, y: 2}, b: 2}", "{a: {x: 3}}",
     "{a: {x: 3}, b: 2}"},
    {"a new field is added", "{a: 1}", "{b: [1]}", "{a: 1, b: [1]}"},
    {"null removes", "{a: 1, b: 2}", "{a: null, c: null}", "{b: 2}"},
    {"confidential is patched by key", "{confidential: {a: 1, b: 2}}",
     "{confidential: {b: null, c: 3}}", "{confidential: {a: 1, c: 3}}"},
    {"but a map inside it is replaced", "{confidential: {description: {en: a, fr: b}}}",
     "{confidential: {description: {en: c}}}", "{confidential: {description: {en: c}}}"},
    {"descriptions are patched by language", "{description: {en: a, fr: b}}",
     "{description: {fr: c, en: null}}", "{description: {fr: c}}"},
    {"external ids by name", "{external_ids: {a: 1}}", "{external_ids: {b: 2}}",
     "{external_ids: {a: 1, b: 2}}"},
    {"a description where there was none", "{id: x}", "{description: {fr: c, en: null}}",
     "{id: x, description: {fr: c}}"},
    {"null removes all of it", "{id: x, confidential: {a: 1}}", "{confidential: null}", "{id: x}"},
    {"what is no map replaces, to be refused later", "{description: {en: a}}", "{description: 5}",
     "{description: 5}"},
    {"nothing changes nothing", "{a: 1}", "{}", "{a: 1}"},
};

EACH_CASE(patch, lays_the_changes_over_the_base, patch_cases)
{
    size_t i = *case_index;
    const msgpack_object *result;

    begin();
    result = profile_patch(sample_value(arena, patch_cases[i].base),
                           sample_value(arena, patch_cases[i].changes), arena);
    cr_expect(value_equal(result, sample_value(arena, patch_cases[i].result)), "%s",
              patch_cases[i].says);
    end();
}

Test(patch, answers_null_when_the_arena_is_full, .init = begin, .fini = end)
{
    struct arena *small = arena_create(64);

    cr_expect_null(profile_patch(sample_value(arena, "{confidential: {a: 1, b: 2, c: 3}}"),
                                 sample_value(arena, "{confidential: {d: 1}}"), small));
    arena_destroy(small);
}

/* ---- what scoring reads ---- */

static const struct {
    const char *says;
    enum field_id field;
    const char *value; /* NULL: absent */
    bool is_confidential;
} effective_cases[] = {
    {"the open value where there is no other", FIELD_NAME, "Acme", false},
    {"the confidential value wins", FIELD_TEAM, "7", true},
    {"a value that is only confidential", FIELD_SECTORS, "[ai]", true},
    {"null is no value", FIELD_CITY, "Paris", false},
    {"status is read in the open part only", FIELD_STATUS, "active", false},
    {"an absent field", FIELD_STAGE, NULL, false},
};

EACH_CASE(effective, gives_the_value_that_counts, effective_cases)
{
    size_t i = *case_index;
    const msgpack_object *open, *confidential, *value;
    bool is_confidential = true;

    begin();
    open = sample_value(arena, "{name: Acme, team: 5, city: Paris, status: active, stage: null}");
    confidential = sample_value(arena, "{team: 7, sectors: [ai], city: null, status: paused}");
    value =
        profile_effective(open, confidential, &schema[effective_cases[i].field], &is_confidential);
    cr_expect_eq(is_confidential, effective_cases[i].is_confidential, "%s",
                 effective_cases[i].says);
    if (effective_cases[i].value == NULL)
        cr_expect_null(value);
    else
        cr_expect(value_equal(value, sample_value(arena, effective_cases[i].value)), "%s",
                  effective_cases[i].says);
    cr_expect_null(profile_effective(NULL, NULL, &schema[FIELD_NAME], &is_confidential));
    end();
}

/* ---- difference ---- */

static const struct {
    const char *says, *old_profile, *new_profile, *names;
} diff_cases[] = {
    {"equal profiles differ in nothing", "{id: a, team: 5}", "{team: 5, id: a}", ""},
    {"fields in the order of the schema", "{id: a, team: 5, sectors: [ai], name: A}",
     "{id: a, team: 6, sectors: [fin], name: A}", "sectors team"},
    {"a field gone and one come", "{id: a, metro: paris}", "{id: a, city: Paris}", "metro city"},
    {"a profile that is new", "null", "{id: a, kind: startup, name: A}", "id kind name"},
    {"a profile that is gone", "{id: a, confidential: {team: 5}}", "null", "id confidential.team"},
    {"version and times don't count", "{id: a, version: 1, updated_at: 3, seq: 1}",
     "{id: a, version: 2, updated_at: 4, seq: 9}", ""},
    {"the order of a set is a difference", "{sectors: [ai, fin]}", "{sectors: [fin, ai]}",
     "sectors"},
    {"confidential fields by name, free ones last",
     "{team: 5, confidential: {team: 1, zeta: 1, same: x, gone: 1}}",
     "{team: 5, confidential: {team: 2, alpha: 1, same: x, zeta: 2}}",
     "confidential.team confidential.alpha confidential.gone confidential.zeta"},
};

EACH_CASE(diff, names_the_fields_that_changed, diff_cases)
{
    size_t i = *case_index, n = 0;
    const char **names = NULL;
    struct str all = {"", 0};

    begin();
    cr_assert_eq(profile_diff(sample_value(arena, diff_cases[i].old_profile),
                              sample_value(arena, diff_cases[i].new_profile), arena, &names, &n,
                              NULL),
                 ERR_OK);
    for (size_t k = 0; k < n; k++)
        all = arena_format(arena, "%.*s%s%s", STR_ARG(all), k == 0 ? "" : " ", names[k]);
    cr_expect(str_is(all, diff_cases[i].names), "%s: %.*s", diff_cases[i].says, STR_ARG(all));
    end();
}
