#include "alloc.h"
#include "world.h"

#include <criterion/criterion.h>
#include <criterion/parameterized.h>

#include <stdio.h>

static struct world world;

static void
set_up(void)
{
    world_open(&world);
}

static void
tear_down(void)
{
    world_close(&world);
}

TestSuite(facts, .init = set_up, .fini = tear_down);

static const struct slot *
slot_of(const struct facts *facts, enum field_id field)
{
    return facts_slot(facts, field);
}

/* Does the slot hold exactly these codes, "a b c" (any order)? */
static bool
holds(const struct slot *slot, const char *codes)
{
    struct str rest = str_from(codes);
    uint32_t n = 0;

    for (size_t at = 0; at < rest.len; n++) {
        size_t end = str_find(rest, ' ', at);
        symbol s = symbols_find(world.symbols, (struct str){rest.data + at, end - at});
        bool found = false;

        for (uint32_t i = 0; i < slot->codes.n; i++)
            found |= slot->codes.codes[i] == s;
        if (s == SYMBOL_NONE || !found)
            return false;
        at = end + 1;
    }
    return slot->state == SLOT_KNOWN && slot->codes.n == n;
}

Test(facts, a_profile_becomes_slots_of_symbols_numbers_and_days)
{
    struct facts *facts = world_facts(
        &world, NULL,
        "{\"id\": \"acme\", \"kind\": \"startup\", \"name\": \"Acme\", \"metro\": \"paris\","
        " \"sectors\": [\"food.agri\", \"health\"], \"languages\": [\"fr\", \"en\"],"
        " \"stage\": \"seed\", \"founded\": \"2014-05\", \"team\": 12, \"country\": \"FR\","
        " \"raising\": {\"min\": 500, \"max\": 900, \"currency\": \"EUR\"},"
        " \"available\": {\"from\": \"2026-01-01\"}, \"organisation\": \"group\","
        " \"consent\": {\"match\": true, \"share\": false, \"basis\": \"form\"}}");

    cr_expect(str_is(facts->id, "acme"));
    cr_expect(str_is(facts->name, "Acme"));
    cr_expect_eq(facts->id_symbol, symbols_find(world.symbols, STR_LIT("acme")));
    cr_expect_eq(facts->kind, symbols_find(world.symbols, STR_LIT("startup")));
    cr_expect_eq(facts->metro, symbols_find(world.symbols, STR_LIT("paris")));
    cr_expect_eq(facts->organisation, symbols_find(world.symbols, STR_LIT("group")));
    cr_expect(facts->may_match && !facts->is_paused);
    cr_expect_eq(facts->consent_until, DATE_OPEN_TO);
    cr_expect(holds(slot_of(facts, FIELD_SECTORS), "food.agri health"));
    cr_expect(holds(slot_of(facts, FIELD_LANGUAGES), "en fr"));
    cr_expect(holds(slot_of(facts, FIELD_STAGE), "seed"));
    cr_expect(holds(slot_of(facts, FIELD_COUNTRY), "FR"));
    cr_expect_eq(slot_of(facts, FIELD_FOUNDED)->number, day_of("2014-05-01"));
    cr_expect_eq(slot_of(facts, FIELD_TEAM)->number, 12);
    cr_expect_eq(slot_of(facts, FIELD_RAISING)->money.min, 500);
    cr_expect_eq(slot_of(facts, FIELD_RAISING)->money.max, 900);
    cr_expect_eq(slot_of(facts, FIELD_RAISING)->money.currency,
                 rates_currency(world.reference->rates, STR_LIT("EUR")));
    cr_expect_eq(slot_of(facts, FIELD_AVAILABLE)->period.from, day_of("2026-01-01"));
    cr_expect_eq(slot_of(facts, FIELD_AVAILABLE)->period.to, DATE_OPEN_TO);
    cr_expect_eq(slot_of(facts, FIELD_NEEDS)->state, SLOT_MISSING);
    facts_drop(facts);
}

Test(facts, sets_are_sorted_and_hold_each_code_once)
{
    struct facts *facts = world_facts(
        &world, NULL,
        "{\"id\": \"a\", \"languages\": [\"fr\", \"de\", \"en\", \"fr\", \"de\", \"fr\"]}");
    const struct slot_codes *codes = &slot_of(facts, FIELD_LANGUAGES)->codes;

    cr_assert_eq(codes->n, 3);
    cr_expect_lt(codes->codes[0], codes->codes[1]);
    cr_expect_lt(codes->codes[1], codes->codes[2]);
    facts_drop(facts);
}

Test(facts, tags_and_cities_are_folded_and_codes_are_not)
{
    struct facts *facts = world_facts(&world, NULL,
                                      "{\"id\": \"a\", \"tags\": [\"IA générative\", \"ia  "
                                      "Generative\", \"C++\", \"\\u00ad\"],"
                                      " \"city\": \"Évry\", \"country\": \"FR\"}");

    cr_expect_eq(slot_of(facts, FIELD_TAGS)->codes.n, 2);
    cr_expect_neq(symbols_find(world.symbols, STR_LIT("ia generative")), SYMBOL_NONE);
    cr_expect_neq(symbols_find(world.symbols, STR_LIT("c++")), SYMBOL_NONE);
    cr_expect(holds(slot_of(facts, FIELD_CITY), "evry"));
    cr_expect(holds(slot_of(facts, FIELD_COUNTRY), "FR"));
    facts_drop(facts);
}

Test(facts, the_confidential_value_wins_and_is_marked)
{
    struct facts *facts = world_facts(
        &world, NULL,
        "{\"id\": \"a\", \"kind\": \"startup\", \"sectors\": [\"food\"], \"team\": 3,"
        " \"confidential\": {\"sectors\": [\"health.bio\"], \"raising\": {\"min\": 5, "
        "\"currency\": \"USD\"}, \"metro\": \"berlin\", \"hunch\": \"free fields are not scored\"}}");

    cr_expect(holds(slot_of(facts, FIELD_SECTORS), "health.bio"));
    cr_expect(slot_of(facts, FIELD_SECTORS)->is_confidential);
    cr_expect_eq(slot_of(facts, FIELD_RAISING)->money.max, 5);
    cr_expect(slot_of(facts, FIELD_RAISING)->is_confidential);
    cr_expect(!slot_of(facts, FIELD_TEAM)->is_confidential);
    cr_expect_eq(facts->metro, symbols_find(world.symbols, STR_LIT("berlin")));
    cr_expect_eq(symbols_find(world.symbols, STR_LIT("hunch")), SYMBOL_NONE);
    facts_drop(facts);
}

Test(facts, consent_and_status_are_read_in_the_open_part_only)
{
    struct facts *facts =
        world_facts(&world, NULL,
                    "{\"id\": \"a\", \"status\": \"paused\", \"confidential\": {\"consent\": "
                    "{\"match\": true}, \"status\": \"active\"}}");

    cr_expect(!facts->may_match);
    cr_expect(facts->is_paused);
    facts_drop(facts);
}

Test(facts, consent_without_match_is_no_consent_and_until_is_a_day)
{
    struct facts *without =
        world_facts(&world, NULL, "{\"id\": \"a\", \"consent\": {\"share\": true}}");
    struct facts *refused =
        world_facts(&world, NULL, "{\"id\": \"a\", \"consent\": {\"match\": false}}");
    struct facts *until = world_facts(
        &world, NULL, "{\"id\": \"a\", \"consent\": {\"match\": true, \"until\": \"2026-03-01\"}}");

    cr_expect(!without->may_match);
    cr_expect(!refused->may_match);
    cr_expect(until->may_match);
    cr_expect_eq(until->consent_until, day_of("2026-03-01"));
    facts_drop(without);
    facts_drop(refused);
    facts_drop(until);
}

Test(facts, conflicts_are_the_union_of_both_parts)
{
    struct facts *facts = world_facts(&world, NULL,
                                      "{\"id\": \"a\", \"conflicts\": [\"b\", \"c\"], "
                                      "\"confidential\": {\"conflicts\": [\"c\", \"d\"]}}");

    cr_expect(holds(slot_of(facts, FIELD_CONFLICTS), "b c d"));
    cr_expect(slot_of(facts, FIELD_CONFLICTS)->is_confidential);
    cr_expect_eq(facts->conflicts.n, 3);
    facts_drop(facts);
}

static const struct {
    const char *says, *json;
    enum field_id field;
} missing[] = {
    {"an absent field", "{\"id\": \"a\"}", FIELD_SECTORS},
    {"null", "{\"id\": \"a\", \"sectors\": null}", FIELD_SECTORS},
    {"an empty list", "{\"id\": \"a\", \"sectors\": []}", FIELD_SECTORS},
    {"tags that fold to nothing", "{\"id\": \"a\", \"tags\": [\"\\u200b\"]}", FIELD_TAGS},
    {"a period with two open ends", "{\"id\": \"a\", \"available\": {}}", FIELD_AVAILABLE},
    {"a text without terms", "{\"id\": \"a\", \"description\": {\"en\": \"the\"}}",
     FIELD_DESCRIPTION},
    {"no amount", "{\"id\": \"a\", \"raising\": null}", FIELD_RAISING},
};

ParameterizedTestParameters(facts, values_without_content_are_missing)
{
    static size_t index[sizeof missing / sizeof missing[0]];

    for (size_t i = 0; i < sizeof missing / sizeof missing[0]; i++)
        index[i] = i;
    return cr_make_param_array(size_t, index, sizeof missing / sizeof missing[0]);
}

ParameterizedTest(size_t *i, facts, values_without_content_are_missing)
{
    struct facts *facts = world_facts(&world, NULL, missing[*i].json);

    cr_expect_eq(slot_of(facts, missing[*i].field)->state, SLOT_MISSING, "%s", missing[*i].says);
    facts_drop(facts);
}

static const struct {
    const char *json, *field;
} ill[] = {
    {"{\"kind\": \"startup\"}", "id"},
    {"{\"id\": \"a\", \"sectors\": [3]}", "sectors"},
    {"{\"id\": \"a\", \"stage\": {\"x\": 1}}", "stage"},
    {"{\"id\": \"a\", \"team\": -1}", "team"},
    {"{\"id\": \"a\", \"team\": \"many\"}", "team"},
    {"{\"id\": \"a\", \"raising\": 5}", "raising"},
    {"{\"id\": \"a\", \"raising\": {\"min\": 5}}", "raising"},
    {"{\"id\": \"a\", \"raising\": {\"min\": 5, \"max\": 4, \"currency\": \"USD\"}}", "raising"},
    {"{\"id\": \"a\", \"raising\": {\"min\": -5, \"currency\": \"USD\"}}", "raising"},
    {"{\"id\": \"a\", \"raising\": {\"min\": 1000000000001, \"currency\": \"USD\"}}", "raising"},
    {"{\"id\": \"a\", \"founded\": \"soon\"}", "founded"},
    {"{\"id\": \"a\", \"available\": \"2026\"}", "available"},
    {"{\"id\": \"a\", \"available\": {\"from\": \"2026\"}}", "available"},
    {"{\"id\": \"a\", \"available\": {\"from\": \"2026-02-02\", \"to\": \"2026-02-01\"}}",
     "available"},
    {"{\"id\": \"a\", \"embedding\": \"AAAA\"}", "embedding"},
    {"{\"id\": \"a\", \"embedding\": []}", "embedding"},
    {"{\"id\": \"a\", \"consent\": {\"match\": true, \"until\": \"2026\"}}", "consent"},
};

Test(facts, a_value_of_another_type_is_refused_with_its_field)
{
    for (size_t i = 0; i < sizeof ill / sizeof ill[0]; i++) {
        struct err err = {0};
        struct facts *facts = NULL;

        cr_expect_eq(world_try_facts(&world, NULL, ill[i].json, &facts, &err), ERR_INVALID_PARAMS,
                     "%s", ill[i].json);
        cr_expect_str_eq(err.field, ill[i].field, "%s in %s", err.field, ill[i].json);
        cr_expect_null(facts);
    }
}

Test(facts, an_unknown_currency_is_known_to_be_unknown)
{
    struct facts *facts = world_facts(
        &world, NULL, "{\"id\": \"a\", \"raising\": {\"min\": 5, \"currency\": \"XXX\"}}");

    cr_expect_eq(slot_of(facts, FIELD_RAISING)->state, SLOT_KNOWN);
    cr_expect_eq(slot_of(facts, FIELD_RAISING)->money.currency, -1);
    facts_drop(facts);
}

Test(facts, the_text_vector_and_the_embedding_are_copied)
{
    struct facts *facts = world_facts(&world, NULL,
                                      "{\"id\": \"a\", \"terms\": [3, 10, 900000, 2047],"
                                      " \"embedding\": [3, -4, 0, -128]}");

    cr_assert_eq(facts->text.n, 2);
    cr_assert(facts_have_text(facts));
    cr_expect_eq(facts_text(facts).terms[1], 900000);
    cr_expect_eq(facts_text(facts).weights[1], 2047);
    cr_expect_eq(facts->text.norm2, 100 + 2047 * 2047);
    cr_expect_eq(slot_of(facts, FIELD_DESCRIPTION)->state, SLOT_KNOWN);
    cr_assert_eq(facts->n_embedding, 4);
    cr_expect_eq(facts->embedding[3], -128);
    cr_expect_eq(facts->embedding_norm2, 9 + 16 + 128 * 128);
    cr_expect(!facts->embedding_is_confidential && !facts->text_is_confidential);
    facts_drop(facts);
}

Test(facts, a_kept_text_vector_is_unpacked_into_them_or_refused)
{
    static const char json[] = "{\"id\": \"a\", \"terms\": [7, 30, 9, 40, 900000000, 2047]}";
    struct facts *given = world_facts(&world, NULL, json), *unpacked = NULL, *refused = NULL;
    struct text_vector of_given = facts_text(given), of_unpacked;
    size_t size = text_vector_bytes(&of_given);
    uint8_t *stored = arena_alloc(world.arena, size, 1);
    struct facts_input input = {.open = world_json(&world, json),
                                .reference = world.reference,
                                .symbols = world.symbols,
                                .kept_text = {(char *)stored, size}};
    struct err err = {0};

    text_vector_write(&of_given, stored);
    cr_assert_eq(facts_build(&input, &unpacked, &err), ERR_OK);
    cr_expect_eq(unpacked->bytes, given->bytes);
    of_unpacked = facts_text(unpacked);
    cr_assert_eq(of_unpacked.n, 3);
    cr_expect_arr_eq(of_unpacked.terms, of_given.terms, 3 * sizeof *of_given.terms);
    cr_expect_arr_eq(of_unpacked.weights, of_given.weights, 3 * sizeof *of_given.weights);
    cr_expect_eq(unpacked->text.measure.root, isqrt_u64(of_given.norm2));
    cr_expect_arr_eq(&unpacked->text, &given->text, sizeof given->text);
    cr_expect_eq(facts_slot(unpacked, FIELD_DESCRIPTION)->state, SLOT_KNOWN);
    stored[8] = stored[9] = 0; /* the first weight */
    cr_expect_eq(facts_build(&input, &refused, &err), ERR_INTERNAL);
    cr_expect(strstr(err.message, "term 1 ") != NULL, "%s", err.message);
    input.kept_text.len--;
    cr_expect_eq(facts_build(&input, &refused, &err), ERR_INTERNAL);
    cr_expect_null(refused);
    facts_drop(given);
    facts_drop(unpacked);
}

/* ---- texts that are left with a keeper ---- */

struct one_text {
    struct text_keeper keeper; /* first */
    struct str bytes;
    uint64_t made_of;
    unsigned n_fetches;
    const struct facts *meanwhile; /* whose text another thread has had fetched by then */
    enum err_code fails;
};

static enum err_code
fetch_one(const struct text_keeper *keeper, struct str id, uint64_t made_of,
          struct text_taking *taking, struct err *err)
{
    struct one_text *one = (struct one_text *)(uintptr_t)keeper;
    const struct facts *meanwhile = one->meanwhile;

    cr_expect(str_is(id, "a"));
    cr_expect_eq(made_of, one->made_of);
    one->n_fetches++;
    one->meanwhile = NULL;
    if (meanwhile != NULL)
        cr_expect_eq(facts_need_text(meanwhile, NULL), ERR_OK);
    if (meanwhile != NULL && one->fails != ERR_OK)
        return err_set(err, one->fails, "the store has another by now");
    return facts_take_text(taking, one->bytes, err);
}

static struct facts *
outlined(struct one_text *one, const char *json)
{
    struct facts *given = world_facts(&world, NULL, json), *out = NULL;
    struct text_vector text = facts_text(given);
    size_t size = text_vector_bytes(&text);
    uint8_t *bytes = arena_alloc(world.arena, size, 1),
            *outline = arena_alloc(world.arena, TEXT_OUTLINE_BYTES, 1);
    struct facts_input input = {.open = world_json(&world, json),
                                .reference = world.reference,
                                .symbols = world.symbols,
                                .kept_outline = {(char *)outline, TEXT_OUTLINE_BYTES},
                                .keeper = &one->keeper,
                                .made_of = 7};

    text_vector_write(&text, bytes);
    text_outline_write(&given->text, outline);
    *one = (struct one_text){
        .keeper = {.fetch = fetch_one}, .bytes = {(char *)bytes, size}, .made_of = 7};
    cr_assert_eq(facts_build(&input, &out, NULL), ERR_OK);
    cr_expect_eq(out->bytes, given->bytes - given->text.n * 6);
    cr_expect_arr_eq(&out->text, &given->text, sizeof given->text);
    cr_expect_eq(facts_slot(out, FIELD_DESCRIPTION)->state,
                 given->text.n > 0 ? SLOT_KNOWN : SLOT_MISSING);
    facts_drop(given);
    return out;
}

Test(facts, a_text_that_was_left_is_fetched_when_it_is_asked_for)
{
    struct one_text one;
    struct facts *facts = outlined(&one, "{\"id\": \"a\", \"terms\": [7, 30, 9, 40]}");

    cr_expect_not(facts_have_text(facts));
    for (int i = 0; i < 2; i++) {
        cr_assert_eq(facts_need_text(facts, NULL), ERR_OK);
        cr_expect_eq(one.n_fetches, 1);
        cr_assert(facts_have_text(facts));
        cr_expect_eq(facts_text(facts).terms[1], 9);
        cr_expect_eq(facts_text(facts).weights[1], 40);
        cr_expect_eq(facts_text(facts).norm2, 900 + 1600);
        cr_expect_eq(atomic_load(&one.keeper.bytes), 12);
    }
    facts_drop(facts);
    cr_expect_eq(atomic_load(&one.keeper.bytes), 0);
    facts = outlined(&one, "{\"id\": \"a\", \"terms\": []}");
    cr_expect(facts_have_text(facts), "nothing is missing of no text");
    facts_drop(facts);
}

Test(facts, a_text_that_two_ask_for_is_held_once)
{
    struct one_text one;
    struct facts *facts = outlined(&one, "{\"id\": \"a\", \"terms\": [7, 30]}");

    one.meanwhile = facts;
    cr_assert_eq(facts_need_text(facts, NULL), ERR_OK);
    cr_expect_eq(one.n_fetches, 2);
    cr_expect_eq(atomic_load(&one.keeper.bytes), 6);
    facts_drop(facts);
}

/* As when a writer has another text put in its place, but has had this one fetched before. */
Test(facts, who_comes_too_late_to_the_keeper_finds_the_text_at_hand)
{
    struct err err = {.code = ERR_BUSY}; /* of a text before */
    struct one_text one;
    struct facts *facts = outlined(&one, "{\"id\": \"a\", \"terms\": [7, 30]}");

    one.meanwhile = facts;
    one.fails = ERR_INTERNAL;
    cr_expect_eq(facts_need_text(facts, &err), ERR_OK);
    cr_expect_eq(err.code, ERR_BUSY);
    cr_expect_eq(facts_text(facts).weights[0], 30);
    facts_drop(facts);
}

Test(facts, a_kept_text_of_another_outline_is_refused_and_asked_for_again)
{
    struct err err = {0};
    struct one_text one, other;
    struct facts *facts = outlined(&one, "{\"id\": \"a\", \"terms\": [7, 30, 9, 40]}");
    struct str right = one.bytes;

    facts_drop(outlined(&other, "{\"id\": \"a\", \"terms\": [7, 30, 9, 41]}"));
    one.bytes = other.bytes;
    cr_expect_eq(facts_need_text(facts, &err), ERR_INTERNAL);
    cr_expect_not_null(strstr(err.message, "\"a\""), "%s", err.message);
    one.bytes.len--;
    cr_expect_eq(facts_need_text(facts, &err), ERR_INTERNAL, "no vector at all");
    cr_expect_not(facts_have_text(facts));
    one.bytes = right;
    cr_expect_eq(facts_need_text(facts, &err), ERR_OK);
    facts_drop(facts);
}

Test(facts, confidential_texts_and_embeddings_are_marked)
{
    struct facts *facts = world_facts(&world, NULL,
                                      "{\"id\": \"a\", \"terms\": [3, 10], \"embedding\": [1],"
                                      " \"confidential\": {\"embedding\": [7, 7], "
                                      "\"description\": {\"en\": \"secret\"}}}");

    cr_expect(facts->text_is_confidential);
    cr_expect(slot_of(facts, FIELD_DESCRIPTION)->is_confidential);
    cr_expect_eq(facts->n_embedding, 2);
    cr_expect(facts->embedding_is_confidential);
    facts_drop(facts);
}

Test(facts, a_scope_takes_what_the_store_does_not_know)
{
    struct symbol_scope *scope = symbol_scope_create(world.symbols, world.arena);
    symbol food = symbols_intern(world.symbols, STR_LIT("food"));
    uint32_t count = symbols_count(world.symbols);
    struct facts *facts =
        world_facts(&world, scope, "{\"id\": \"new\", \"sectors\": [\"food\", \"energy\"]}");
    const struct slot_codes *codes = &slot_of(facts, FIELD_SECTORS)->codes;

    cr_assert_eq(codes->n, 2);
    cr_expect_eq(codes->codes[0], food);
    cr_expect_geq(codes->codes[1], SYMBOL_LOCAL);
    cr_expect_eq(symbols_count(world.symbols), count);
    facts_drop(facts);
}

Test(facts, a_typical_profile_with_a_text_vector_stays_under_three_kib)
{
    struct facts *facts = world_facts(
        &world, NULL,
        "{\"id\": \"a-startup-of-paris\", \"kind\": \"startup\", \"name\": \"A startup of Paris\","
        " \"metro\": \"paris\", \"city\": \"Paris\", \"country\": \"FR\","
        " \"sectors\": [\"food.agri\", \"health\", \"energy\"], \"tags\": [\"a\", \"b\", \"c\", "
        "\"d\", \"e\", \"f\", \"g\", \"h\"], \"languages\": [\"fr\", \"en\"], \"stage\": \"seed\","
        " \"needs\": [\"space.desk\", \"legal\", \"funding\"], \"markets\": [\"US\", \"DE\"],"
        " \"consent\": {\"match\": true}}");

    /* the largest text vector has 256 terms of six bytes */
    cr_expect_lt(facts->bytes + TEXT_TERMS_MAX * 6, 3 * 1024, "%u bytes", facts->bytes);
    facts_drop(facts);
}

Test(facts, live_until_the_last_reference_is_dropped)
{
    struct facts *facts = world_facts(&world, NULL, "{\"id\": \"a\"}");

    cr_expect_eq(facts_hold(facts), facts);
    facts_drop(facts);
    cr_expect(str_is(facts->id, "a"));
    facts_drop(facts);
    facts_drop(NULL);
}

Test(facts, constants_of_requirements_are_read_like_values)
{
    struct symbol_scope *scope = symbol_scope_create(world.symbols, world.arena);
    struct slot slot;
    struct err err = {0};

    cr_assert_eq(slot_of_value(&schema[FIELD_SECTORS], world_json(&world, "[\"food\", \"x\"]"),
                               world.reference, scope, world.arena, &slot, &err),
                 ERR_OK);
    cr_expect_eq(slot.codes.n, 2);
    cr_assert_eq(slot_of_value(&schema[FIELD_FOUNDED], world_json(&world, "\"2010\""),
                               world.reference, scope, world.arena, &slot, &err),
                 ERR_OK);
    cr_expect_eq(slot.number, day_of("2010-01-01"));
    cr_expect_eq(slot_of_value(&schema[FIELD_TEAM], world_json(&world, "[]"), world.reference,
                               scope, world.arena, &slot, &err),
                 ERR_INVALID_PARAMS);
}

/* ---- text sources ---- */

static bool
source_is(const struct text_source *source, const char *lang, const char *text)
{
    return str_is(source->lang, lang) && str_is(source->text, text);
}

Test(facts, texts_come_by_language_and_then_the_tags_as_written)
{
    const msgpack_object *open =
        world_json(&world, "{\"id\": \"a\", \"tags\": [\"Été\", \"c++\"], \"description\": "
                           "{\"fr\": \"bonjour\", \"en\": \"hello\"}}");
    struct text_source *sources;
    bool has_confidential = true;
    size_t n;

    cr_assert_eq(facts_text_sources(open, NULL, world.arena, &sources, &n, &has_confidential, NULL),
                 ERR_OK);
    cr_assert_eq(n, 4);
    cr_expect(source_is(&sources[0], "en", "hello"));
    cr_expect(source_is(&sources[1], "fr", "bonjour"));
    cr_expect(source_is(&sources[2], "", "Été"));
    cr_expect(source_is(&sources[3], "", "c++"));
    cr_expect(!has_confidential);
}

Test(facts, a_confidential_description_takes_the_place_of_the_open_one)
{
    const msgpack_object *open = world_json(
        &world, "{\"id\": \"a\", \"tags\": [\"open\"], \"description\": {\"en\": \"open\"}}");
    const msgpack_object *confidential =
        world_json(&world, "{\"description\": {\"fr\": \"secret\"}}");
    struct text_source *sources;
    bool has_confidential = false;
    size_t n;

    cr_assert_eq(
        facts_text_sources(open, confidential, world.arena, &sources, &n, &has_confidential, NULL),
        ERR_OK);
    cr_assert_eq(n, 2);
    cr_expect(source_is(&sources[0], "fr", "secret"));
    cr_expect(source_is(&sources[1], "", "open"));
    cr_expect(has_confidential);
}

Test(facts, texts_that_are_none_are_refused)
{
    struct text_source *sources;
    struct err err = {0};
    bool has_confidential;
    size_t n;

    cr_expect_eq(facts_text_sources(world_json(&world, "{\"tags\": [1]}"), NULL, world.arena,
                                    &sources, &n, &has_confidential, &err),
                 ERR_INVALID_PARAMS);
    cr_expect_str_eq(err.field, "tags");
}

/* ---- from packed bytes ---- */

static const char *const packed_profiles[] = {
    "{\"id\": \"acme\", \"kind\": \"startup\", \"name\": \"Acme\", \"metro\": \"paris\", \"city\": "
    "\"Évry\", \"country\": \"FR\", \"description\": {\"en\": \"We make things\"}, \"sectors\": "
    "[\"health.bio\", \"food.agri\", \"health\"], \"tags\": [\"Été\", \"C++\", \"new\"], \"languages\": "
    "[\"fr\", \"en\", \"fr\"], \"stage\": \"seed\", \"founded\": \"2014-05\", \"team\": 12, \"raising\": "
    "{\"min\": 500, \"max\": 900, \"currency\": \"EUR\"}, \"needs\": [\"space.lab\"], \"available\": "
    "{\"from\": \"2026-01-01\"}, \"preferences\": [\"b\", \"a\"], \"conflicts\": [\"x\", \"new\"], "
    "\"organisation\": \"new\", \"consent\": {\"match\": true, \"until\": \"2027-01-01\"}, \"status\": "
    "\"paused\", \"version\": 3, \"updated_at\": 5, \"seq\": 9}",
    "{\"id\": \"b\", \"kind\": \"\", \"metro\": null, \"languages\": [], \"tags\": [\"\", \"a\"], "
    "\"nobody\": [\"fr\"], \"consent\": null}",
    "{\"languages\": [\"fr\"], \"id\": \"order\", \"kind\": \"startup\"}",
    "{\"id\": \"long\", \"markets\": [\"a1\", \"a2\", \"a3\", \"a4\", \"a5\", \"a6\", \"a7\", \"a8\", "
    "\"a9\", \"a10\", \"a11\", \"a12\", \"a13\", \"a14\", \"a15\", \"a16\", \"a1\"], \"preferences\": "
    "[\"an-id-that-is-longer-than-thirty-one-bytes\", \"c\"]}",
    "{\"kind\": \"lab\"}",
    "{\"id\": \"a\", \"languages\": [\"fr\", 7]}",
    "{\"id\": \"a\", \"metro\": {\"paris\": 1}}",
    "{\"id\": \"a\", \"team\": \"many\"}",
    "[1, 2]",
};

static void
expect_same_slots(const struct facts *a, const struct facts *b)
{
    cr_assert_eq(a->n_slots, b->n_slots, "%.*s", STR_ARG(a->id));
    cr_expect_arr_eq(a->slot_places, b->slot_places, sizeof a->slot_places);
    for (int i = 0; i < a->n_slots; i++) {
        const struct slot *x = &a->slots[i], *y = &b->slots[i];

        cr_expect_eq(x->hash, y->hash, "%.*s: %s", STR_ARG(a->id), schema[x->field].name);
        if (schema[x->field].slot != SLOT_CODES)
            continue;
        cr_assert_eq(x->codes.n, y->codes.n);
        cr_expect_arr_eq(x->codes.codes, y->codes.codes, x->codes.n * sizeof(symbol));
        cr_assert_eq(x->codes.groups != NULL, y->codes.groups != NULL);
        if (x->codes.groups != NULL)
            cr_expect_arr_eq(x->codes.groups, y->codes.groups, x->codes.n * sizeof(symbol));
    }
}

/* The same numbers too: symbols are met in the same order. */
Test(facts, of_packed_bytes_are_those_of_the_tree)
{
    struct world twin;

    world_open(&twin);
    for (size_t i = 0; i < sizeof packed_profiles / sizeof packed_profiles[0]; i++) {
        const msgpack_object *open = world_json(&world, packed_profiles[i]);
        struct facts_input of_tree = {
            .open = open, .reference = world.reference, .symbols = world.symbols};
        struct facts_input of_bytes = {.reference = twin.reference, .symbols = twin.symbols};
        struct facts *a = NULL, *b = NULL;
        struct err wanted = {0}, err = {0};
        struct buf bytes;

        buf_init(&bytes, 4096);
        pack_value(&bytes, open);
        of_bytes.open_bytes = buf_str(&bytes);
        cr_assert_eq(facts_build(&of_bytes, &b, &err), facts_build(&of_tree, &a, &wanted),
                     "profile %zu: \"%s\"", i, err.message);
        cr_expect_str_eq(err.message, wanted.message);
        cr_expect_str_eq(err.field, wanted.field);
        if (a != NULL) {
            expect_same_slots(a, b);
            cr_expect(str_equal(a->id, b->id) && str_equal(a->name, b->name));
            cr_expect(a->id_symbol == b->id_symbol && a->conflicts.n == b->conflicts.n);
            cr_expect(a->may_match == b->may_match && a->is_paused == b->is_paused);
            cr_expect_eq(a->consent_until, b->consent_until);
            cr_expect_eq(a->bytes, b->bytes);
        }
        facts_drop(a);
        facts_drop(b);
        buf_fini(&bytes);
    }
    world_close(&twin);
}

Test(facts, of_damaged_bytes_are_refused_wherever_they_end)
{
    const msgpack_object *open = world_json(&world, packed_profiles[0]);
    struct facts_input input = {.reference = world.reference, .symbols = world.symbols};
    struct facts *facts = NULL;
    struct buf bytes;

    buf_init(&bytes, 4096);
    pack_value(&bytes, open);
    for (size_t n = 1; n < bytes.len; n++) {
        char *copy = malloc(n); /* its own block, so that reading on is caught */

        memcpy(copy, bytes.data, n);
        input.open_bytes = (struct str){copy, n};
        cr_expect_eq(facts_build(&input, &facts, NULL), ERR_INVALID_PARAMS, "%zu bytes", n);
        free(copy);
    }
    buf_append_char(&bytes, 0);
    input.open_bytes = buf_str(&bytes);
    cr_expect_eq(facts_build(&input, &facts, NULL), ERR_INVALID_PARAMS, "followed by rest");
    buf_fini(&bytes);
}

/* Builds facts while the n-th allocation is to fail: false if it did not come to that. */
static bool
fails_cleanly(const struct facts_input *input, long n)
{
    struct facts *facts = NULL;
    struct err err = {0};
    enum err_code code = facts_build(input, &facts, &err);
    bool happened = mem_fail_happened();

    cr_assert_eq(code, happened ? ERR_BUSY : ERR_OK, "allocation %ld: %s", n, err.message);
    cr_assert_eq(facts != NULL, !happened);
    facts_drop(facts);
    return happened;
}

Test(facts, of_packed_bytes_every_failed_allocation_is_a_clean_error)
{
    const msgpack_object *open = world_json(&world, packed_profiles[0]);
    bool happened = true;
    struct buf bytes;

    buf_init(&bytes, 4096);
    pack_value(&bytes, open);
    for (long n = 1; happened; n++) {
        struct facts_input input = {.open_bytes = buf_str(&bytes),
                                    .reference = world.reference,
                                    .symbols = symbols_create()};

        mem_fail_from(n); /* and no second way round */
        happened = fails_cleanly(&input, n);
        symbols_destroy(input.symbols);
    }
    buf_fini(&bytes);
}

/* ---- memory ---- */

Test(facts, every_failed_allocation_is_a_clean_error)
{
    static const char json[] =
        "{\"id\": \"a.b\", \"kind\": \"startup\", \"tags\": [\"Été\", \"x.y\"], \"sectors\": "
        "[\"food.agri\"], \"conflicts\": [\"b\"], \"terms\": [1, 2], \"embedding\": [1, 2],"
        " \"confidential\": {\"conflicts\": [\"c\"]}}";
    bool happened = true;

    world_json(&world, json);
    for (long n = 1; happened; n++) {
        const msgpack_object *open = world_json(&world, json);
        struct facts_input input = {.open = open,
                                    .confidential = value_find(open, "confidential"),
                                    .reference = world.reference,
                                    .symbols = symbols_create()};

        ((msgpack_object *)open)->via.map.size -= 2; /* without embedding and confidential */
        mem_fail_at(n);
        happened = fails_cleanly(&input, n);
        symbols_destroy(input.symbols);
    }
}

/* ---- built through a scope, settled after ---- */

Test(facts, settled_are_what_the_writer_would_have_built)
{
    static const char *const jsons[] = {
        "{\"id\": \"a\", \"kind\": \"startup\", \"metro\": \"paris\", \"tags\": [\"zoo\", \"Ant\"], "
        "\"sectors\": [\"food.agri\", \"energy\"], \"conflicts\": [\"c\", \"b\"], \"terms\": [1, 2]}",
        "{\"id\": \"b\", \"kind\": \"lab\", \"organisation\": \"a\", \"tags\": [\"ant\", \"new\"], "
        "\"confidential\": {\"conflicts\": [\"d\"]}}",
        "{\"id\": \"c\", \"kind\": \"startup\", \"tags\": [\"new\", \"zoo\", \"zzz\"], \"needs\": "
        "[\"space.lab\", \"space\"]}",
    };
    struct world twin;
    struct symbol_scope *scope = symbol_scope_create(world.symbols, world.arena);
    struct shelf *shelf = NULL;

    world_open(&twin);
    for (size_t i = 0; i < 3; i++) {
        const msgpack_object *open = world_json(&world, jsons[i]);
        struct facts *direct = world_facts(&twin, NULL, jsons[i]), *settled = NULL;
        struct facts_input input = {.open = open,
                                    .confidential = value_find(open, "confidential"),
                                    .reference = world.reference,
                                    .scope = scope,
                                    .scratch = world.arena,
                                    .shelf = &shelf,
                                    .is_for_settling = true};

        cr_assert_eq(facts_build(&input, &settled, NULL), ERR_OK);
        cr_expect_eq(settled->id_symbol, SYMBOL_NONE);
        cr_assert_eq(facts_settle(settled, scope, world.symbols, NULL), ERR_OK);
        cr_expect_eq(settled->id_symbol, direct->id_symbol);
        cr_expect_eq(settled->kind, direct->kind);
        cr_expect_eq(settled->metro, direct->metro);
        cr_expect_eq(settled->organisation, direct->organisation);
        cr_expect_eq(settled->conflicts.n, direct->conflicts.n);
        for (int field = 0; field < FIELD_COUNT; field++) {
            const struct slot *a = slot_of(settled, (enum field_id)field);
            const struct slot *b = slot_of(direct, (enum field_id)field);

            if (schema[field].slot != SLOT_CODES)
                continue;
            cr_expect_eq(a->state, b->state);
            cr_expect_eq(a->is_confidential, b->is_confidential);
            cr_assert_eq(a->codes.n, b->codes.n, "%s", schema[field].name);
            cr_assert_eq(a->codes.groups != NULL, b->codes.groups != NULL);
            for (uint32_t j = 0; j < a->codes.n; j++) {
                cr_expect_eq(a->codes.codes[j], b->codes.codes[j], "%s", schema[field].name);
                cr_expect(a->codes.groups == NULL || a->codes.groups[j] == b->codes.groups[j]);
            }
        }
        facts_drop(direct);
        facts_drop(settled);
    }
    shelf_close(shelf);
    cr_expect_eq(symbols_count(world.symbols), symbols_count(twin.symbols));
    for (symbol s = 1; s <= symbols_count(twin.symbols); s++)
        cr_expect(str_equal(symbols_text(world.symbols, s), symbols_text(twin.symbols, s)));
    world_close(&twin);
}
