#include "world.h"

#include "json.h"

#include <criterion/criterion.h>

#include <stdio.h>

enum { WORLD_BYTES = 256 * 1024 * 1024, TERMS_MAX = 64 };

static const struct str tables[REFERENCE_FILE_COUNT] = {
    [VOCABULARY_SECTORS] = STR_LIT("code,label_en,label_fr\n"
                                   "health,Health,Santé\nhealth.bio,Biotech,Biotech\n"
                                   "health.care,Care,Soins\nhealth.med,Devices,Appareils\n"
                                   "food,Food,Alimentation\nfood.agri,Farming,Agriculture\n"
                                   "food.retail,Shops,Magasins\nenergy,Energy,Énergie\n"),
    [VOCABULARY_NEEDS] = STR_LIT("code,label_en,label_fr\n"
                                 "space,Space,Locaux\nspace.desk,Desk,Poste\n"
                                 "space.lab,Lab,Laboratoire\nlegal,Legal,Droit\n"
                                 "funding,Funding,Financement\n"),
    [VOCABULARY_STAGES] = STR_LIT("code,order,label_en,label_fr\n"
                                  "idea,1,Idea,Idée\nproto,2,Prototype,Prototype\n"
                                  "seed,4,Seed,Amorçage\ngrowth,8,Growth,Croissance\n"
                                  "self,,Self-funded,Autofinancée\n"),
    [VOCABULARY_METROS] =
        STR_LIT("code,country,time_zone,latitude,longitude,label_en,label_fr\n"
                "paris,FR,Europe/Paris,48856600,2352200,Paris,Paris\n"
                "silicon-valley,US,America/Los_Angeles,37774900,-122419400,Bay,Baie\n"
                "berlin,DE,Europe/Berlin,52520000,13405000,Berlin,Berlin\n"),
    [VOCABULARY_KINDS] = STR_LIT("code,label_en,label_fr\nstartup,Startup,Startup\n"
                                 "incubator,Incubator,Incubateur\n"
                                 "investor,Investor,Investisseur\n"),
    [VOCABULARY_OUTCOMES] = STR_LIT("code,positive,label_en,label_fr\n"
                                    "hosted,1,Hosted,Accueil\nfailed,0,Failed,Échec\n"),
    [VOCABULARY_COUNTRIES] = STR_LIT("code,label_en,label_fr\nFR,France,France\n"
                                     "US,United States,États-Unis\nDE,Germany,Allemagne\n"),
    [VOCABULARY_LANGUAGES] = STR_LIT("code,label_en,label_fr\nen,English,anglais\n"
                                     "fr,French,français\nde,German,allemand\n"),
    [VOCABULARY_CURRENCIES] = STR_LIT("code,label_en,label_fr\nUSD,Dollar,Dollar\n"
                                      "EUR,Euro,Euro\nJPY,Yen,Yen\n"),
    [REFERENCE_RATES] = STR_LIT("currency,rate_ppm,date\nUSD,1000000,2000-01-01\n"
                                "EUR,1100000,2020-01-01\nEUR,1200000,2025-01-01\n"),
    [REFERENCE_PHRASES] =
        STR_LIT("code,label_en,label_fr,for_en,for_fr,against_en,against_fr,unknown_en,"
                "unknown_fr,help_en,help_fr\n"
                "overlap,a,a,a,a,a,a,a,a,a,a\n"),
    [REFERENCE_MESSAGES] = STR_LIT("key,en,fr\nhello,Hello,Bonjour\n"),
};

struct left_text {
    struct str id, bytes;
    struct left_text *next;
};
struct left_texts {
    struct text_keeper keeper; /* first */
    struct arena *arena;       /* a test may let go of what else is made */
    struct left_text *first;
    uint64_t n, n_put; /* a text is made of its number */
};

void
world_open(struct world *world)
{
    struct err err = {0};

    *world = (struct world){.arena = arena_create(WORLD_BYTES), .symbols = symbols_create()};
    cr_assert(world->arena != NULL && world->symbols != NULL);
    cr_assert_eq(reference_parse(tables, &world->reference, &err), ERR_OK, "%s: %s", err.field,
                 err.message);
}

void
world_close(struct world *world)
{
    roster_edit_abandon(world->edit);
    roster_drop(world->roster);
    reference_destroy(world->reference);
    symbols_destroy(world->symbols);
    arena_destroy(world->arena);
    if (world->texts != NULL)
        arena_destroy(world->texts->arena);
    *world = (struct world){0};
}

int32_t
day_of(const char *text)
{
    enum date_precision precision;
    struct err err = {0};
    int32_t day;

    cr_assert_eq(date_parse(str_from(text), DATE_DAY, &day, &precision, &err), ERR_OK, "%s",
                 err.message);
    return day;
}

const msgpack_object *
world_json(struct world *world, const char *json)
{
    const msgpack_object *value;
    struct err err = {0};

    cr_assert_eq(json_decode(str_from(json), &value_limits_default, world->arena, &value, &err),
                 ERR_OK, "%s in %s", err.message, json);
    return value;
}

/* A list of numbers under `embedding` becomes bytes. */
static const msgpack_object *
with_embedding(struct world *world, const msgpack_object *map)
{
    msgpack_object *copy;
    msgpack_object_kv *pairs;

    if (!value_is_array(value_find(map, "embedding")))
        return map;
    copy = arena_copy(world->arena, map, sizeof *map);
    pairs = arena_copy(world->arena, map->via.map.ptr, map->via.map.size * sizeof *pairs);
    copy->via.map.ptr = pairs;
    for (size_t i = 0; i < value_size(map); i++) {
        const msgpack_object *list = &pairs[i].val;
        size_t n = value_size(list);
        int8_t *bytes;

        if (!str_is(value_key(map, i), "embedding"))
            continue;
        bytes = arena_alloc(world->arena, n, 1);
        for (size_t j = 0; j < n; j++) {
            int64_t number = 0;

            cr_assert(value_int(value_at(list, j), &number));
            bytes[j] = (int8_t)number;
        }
        pairs[i].val.type = MSGPACK_OBJECT_BIN;
        pairs[i].val.via.bin.size = (uint32_t)n;
        pairs[i].val.via.bin.ptr = (const char *)bytes;
    }
    return copy;
}

static struct text_vector
vector_of(struct world *world, const msgpack_object *list)
{
    uint32_t n = (uint32_t)value_size(list) / 2;
    uint32_t *terms = arena_alloc(world->arena, n, sizeof *terms);
    uint16_t *weights = arena_alloc(world->arena, n, sizeof *weights);
    struct text_vector vector = {terms, weights, n, 0};

    for (uint32_t i = 0; i < n; i++) {
        int64_t term = 0, weight = 0;

        cr_assert(value_int(value_at(list, 2 * i), &term));
        cr_assert(value_int(value_at(list, 2 * i + 1), &weight));
        terms[i] = (uint32_t)term;
        weights[i] = (uint16_t)weight;
        vector.norm2 += (uint32_t)(weight * weight);
    }
    return vector;
}

static struct facts_input
input_of(struct world *world, struct symbol_scope *scope, const char *json)
{
    const msgpack_object *open = world_json(world, json);
    const msgpack_object *confidential = value_find(open, "confidential");
    struct facts_input input = {.open = with_embedding(world, open),
                                .reference = world->reference,
                                .symbols = scope == NULL ? world->symbols : NULL,
                                .scope = scope,
                                .text = vector_of(world, value_find(open, "terms"))};

    if (confidential != NULL) {
        input.confidential = with_embedding(world, confidential);
        input.has_confidential_text = value_find(confidential, "description") != NULL ||
                                      value_find(confidential, "tags") != NULL;
    }
    return input;
}

enum err_code
world_try_facts(struct world *world, struct symbol_scope *scope, const char *json,
                struct facts **out, struct err *err)
{
    struct facts_input input = input_of(world, scope, json);

    return facts_build(&input, out, err);
}

struct facts *
world_facts(struct world *world, struct symbol_scope *scope, const char *json)
{
    struct err err = {0};
    struct facts *facts = NULL;

    cr_assert_eq(world_try_facts(world, scope, json, &facts, &err), ERR_OK, "%s: %s", err.field,
                 err.message);
    return facts;
}

static struct roster_edit *
edit_of(struct world *world)
{
    if (world->edit == NULL)
        world->edit = roster_edit_begin(world->roster);
    cr_assert_not_null(world->edit);
    return world->edit;
}

/* ---- texts that are left ---- */

static enum err_code
fetch_left(const struct text_keeper *keeper, struct str id, uint64_t made_of,
           struct text_taking *taking, struct err *err)
{
    const struct left_texts *texts = (const struct left_texts *)(const void *)keeper;
    const struct left_text *text = texts->first;

    for (uint64_t number = texts->n; number > made_of; number--)
        text = text->next;
    return str_equal(text->id, id) ? facts_take_text(taking, text->bytes, err)
                                   : err_set(err, ERR_INTERNAL, "another profile's");
}

/* The same facts, but for the text. */
static struct facts *
leave_text(struct world *world, struct facts *whole, struct facts_input *input)
{
    struct text_vector vector = facts_text(whole);
    struct arena *arena = world->texts->arena;
    size_t size = text_vector_bytes(&vector);
    uint8_t *bytes = arena_alloc(arena, size, 1),
            *outline = arena_alloc(arena, TEXT_OUTLINE_BYTES, 1);
    struct left_text *left = arena_alloc(arena, 1, sizeof *left);
    struct facts *facts = NULL;

    text_vector_write(&vector, bytes);
    text_outline_write(&whole->text, outline);
    *left = (struct left_text){.id = arena_str(arena, whole->id),
                               .bytes = {(char *)bytes, size},
                               .next = world->texts->first};
    world->texts->first = left;
    input->kept_outline = (struct str){(char *)outline, TEXT_OUTLINE_BYTES};
    input->keeper = &world->texts->keeper;
    input->made_of = ++world->texts->n;
    cr_assert_eq(facts_build(input, &facts, NULL), ERR_OK);
    facts_drop(whole);
    return facts;
}

void
world_put(struct world *world, const char *json)
{
    struct facts *facts = world_facts(world, NULL, json);

    if (world->leaves_texts && world->texts == NULL) {
        struct arena *arena = arena_create(WORLD_BYTES);

        world->texts = arena_alloc(arena, 1, sizeof *world->texts);
        cr_assert_not_null(world->texts);
        *world->texts = (struct left_texts){.keeper = {.fetch = fetch_left}, .arena = arena};
    }
    if (world->leaves_texts && world->texts->n_put++ % 2 == 0) {
        struct facts_input input = input_of(world, NULL, json);

        facts = leave_text(world, facts, &input);
    }
    cr_assert_eq(roster_edit_put(edit_of(world), facts, NULL), ERR_OK);
}

void
world_delete(struct world *world, const char *id)
{
    cr_assert_eq(roster_edit_delete(edit_of(world), str_from(id)), ERR_OK);
}

void
world_outcome(struct world *world, const char *from, const char *to, const char *day,
              bool is_positive)
{
    cr_assert_eq(roster_edit_outcome(edit_of(world), str_from(from), str_from(to), day_of(day),
                                     is_positive, NULL),
                 ERR_OK);
}

void
world_publish(struct world *world)
{
    static uint64_t seq;
    struct roster *next = roster_publish(edit_of(world), ++seq, NULL);

    cr_assert_not_null(next);
    world->edit = NULL;
    roster_drop(world->roster);
    world->roster = next;
}

uint32_t
world_row(const struct world *world, const char *id)
{
    uint32_t row = roster_find(world->roster, str_from(id));

    cr_assert_neq(row, ROSTER_NO_ROW, "no profile %s", id);
    return row;
}

const struct programme *
world_programme(struct world *world, const char *pairing)
{
    struct str json = arena_format(
        world->arena, "{\"id\": \"p\", \"name\": {\"en\": \"P\"}, \"pairings\": [%s]}", pairing);
    struct programme *programme = NULL;
    struct faults faults;
    struct err err = {0};

    faults_init(&faults, world->arena);
    programme_decode(world_json(world, json.data), world->reference, &faults, &programme);
    cr_assert_eq(faults_first(&faults, &err), ERR_OK, "%s: %s", err.field, err.message);
    return programme;
}

struct match_plan *
world_plan(struct world *world, const char *pairing, bool is_mirrored, const char *day,
           struct symbol_scope *scope)
{
    struct match_context context = {.pairing = &world_programme(world, pairing)->pairings[0],
                                    .is_mirrored = is_mirrored,
                                    .roster = world->roster,
                                    .reference = world->reference,
                                    .symbols = world->symbols,
                                    .scope = scope,
                                    .day = day_of(day)};
    struct match_plan *plan = NULL;
    struct err err = {0};

    cr_assert_eq(match_plan_make(&context, world->arena, &plan, &err), ERR_OK, "%s: %s", err.field,
                 err.message);
    return plan;
}

void
world_explain(struct world *world, const struct match_plan *plan, const char *from, const char *to,
              struct explanation *out)
{
    uint32_t from_row = world_row(world, from), to_row = world_row(world, to);
    struct err err = {0};

    cr_assert_eq(match_explain(plan, roster_facts(world->roster, from_row), from_row,
                               roster_facts(world->roster, to_row), to_row, world->arena, out,
                               &err),
                 ERR_OK, "%s", err.message);
}

bool
text_is(const struct match_plan *plan, symbol s, const char *text)
{
    return str_is(match_symbol_text(plan, s), text);
}
