#include "generator.h"

#include "value.h"

#include <assert.h>
#include <inttypes.h>
#include <string.h>

const char *const generated_kinds[GENERATED_KIND_COUNT] = {"startup", "incubator", "investor"};

/* ---- word lists: a product, for whom, by what means ---- */

struct phrase {
    const char *en, *fr;
};

static const struct phrase things[] = {
    {"soil moisture sensors", "des capteurs d'humidité du sol"},
    {"a booking platform", "une plateforme de réservation"},
    {"delivery robots", "des robots de livraison"},
    {"invoice software", "un logiciel de facturation"},
    {"blood tests", "des tests sanguins"},
    {"solar roofs", "des toits solaires"},
    {"language lessons", "des cours de langue"},
    {"waste bins that report when they are full", "des poubelles qui signalent leur remplissage"},
    {"shared scooters", "des scooters partagés"},
    {"water leak detectors", "des détecteurs de fuite d'eau"},
    {"fraud detection", "une détection de la fraude"},
    {"video editing tools", "des outils de montage vidéo"},
    {"recruitment tests", "des tests de recrutement"},
    {"recycled packaging", "des emballages recyclés"},
    {"air quality maps", "des cartes de la qualité de l'air"},
    {"battery storage", "un stockage par batterie"},
    {"museum games", "des jeux pour musées"},
    {"drone inspection", "une inspection par drone"},
    {"childcare booking", "une réservation de garde d'enfants"},
    {"electric car charging", "des bornes de recharge électrique"},
};
static const struct phrase people[] = {
    {"farmers", "les agriculteurs"},
    {"cities", "les villes"},
    {"hospitals", "les hôpitaux"},
    {"schools", "les écoles"},
    {"small shops", "les commerçants"},
    {"tenants", "les locataires"},
    {"elderly people", "les personnes âgées"},
    {"factories", "les usines"},
    {"restaurants", "les restaurants"},
    {"students", "les étudiants"},
    {"banks", "les banques"},
    {"tourists", "les touristes"},
};
static const struct phrase means[] = {
    {"with machine learning", "par apprentissage automatique"},
    {"from a mobile app", "depuis une application mobile"},
    {"without any new equipment", "sans nouvel équipement"},
    {"in real time", "en temps réel"},
    {"by subscription", "par abonnement"},
    {"with open data", "à partir de données ouvertes"},
    {"at half the price", "à moitié prix"},
    {"with a local network", "avec un réseau local"},
};
#define COUNT(list) (sizeof(list) / sizeof(list)[0])

static const char *const syllables[] = {"lu", "me", "ro",  "va",  "ti",  "so",  "na",  "pe",
                                        "li", "ko", "dra", "vel", "min", "tor", "zen", "qui"};

static struct str
pick_code(struct generator *generator, enum vocabulary_id id, bool wants_leaf)
{
    const struct vocabulary *vocabulary = generator->reference->vocabularies[id];
    uint64_t n = vocabulary_size(vocabulary);
    struct str code;

    do {
        /* a fixed stride spreads the common ones over the groups */
        uint64_t row = random_skewed(&generator->random, n) * 37 % n;

        code = vocabulary_code(vocabulary, (int)row);
    } while (wants_leaf && str_find(code, '.', 0) == code.len);
    return code;
}

static void
pack_codes(struct generator *generator, const char *key, enum vocabulary_id id, size_t most)
{
    struct buf *out = &generator->record;
    size_t n = 1 + random_below(&generator->random, most);
    struct str seen[16];
    size_t used = 0;

    pack_key(out, key);
    struct pack_open list = pack_array_open(out);
    for (size_t i = 0; i < n; i++) {
        struct str code = pick_code(generator, id, true);
        bool is_new = true;

        for (size_t j = 0; j < used; j++)
            is_new &= !str_equal(seen[j], code);
        if (!is_new)
            continue;
        seen[used++] = code;
        pack_str(out, code);
    }
    pack_close(out, list, used);
}

static void
pack_name(struct generator *generator)
{
    char name[32] = "";
    size_t n = 2 + random_below(&generator->random, 3);

    for (size_t i = 0; i < n; i++)
        strcat(name, syllables[random_below(&generator->random, COUNT(syllables))]);
    name[0] = (char)(name[0] - 'a' + 'A');
    pack_key_text(&generator->record, "name", name);
}

/* What is offered, to whom and how: so many sentences in one language. */
static void
pack_sentences(struct generator *generator, const char *lang, const uint8_t (*picks)[3])
{
    bool is_french = strcmp(lang, "fr") == 0;
    struct buf *out = &generator->record;
    struct arena *arena = generator->arena;
    struct str text = STR_LIT("");

    for (unsigned i = 0; i < generator->n_sentences; i++) {
        const struct phrase *thing = &things[picks[i][0]], *who = &people[picks[i][1]],
                            *how = &means[picks[i][2]];
        const char *before = i > 0 ? " " : "";

        text = is_french ? arena_format(arena, "%.*s%sNous proposons %s pour %s, %s.",
                                        STR_ARG(text), before, thing->fr, who->fr, how->fr)
                         : arena_format(arena, "%.*s%sWe offer %s for %s, %s.", STR_ARG(text),
                                        before, thing->en, who->en, how->en);
    }
    pack_key_str(out, lang, text);
}

static void
pack_description(struct generator *generator, bool is_paris)
{
    uint8_t picks[GENERATED_SENTENCES_MAX][3];
    struct random *random = generator->texts;
    bool both;

    for (unsigned i = 0; i < generator->n_sentences; i++) {
        picks[i][0] = (uint8_t)random_skewed(random, COUNT(things));
        picks[i][1] = (uint8_t)random_skewed(random, COUNT(people));
        picks[i][2] = (uint8_t)random_below(random, COUNT(means));
    }
    both = random_chance(random, 30) != 0;
    pack_key(&generator->record, "description");
    pack_map(&generator->record, both ? 2 : 1);
    if (is_paris || both)
        pack_sentences(generator, "fr", picks);
    if (!is_paris || both)
        pack_sentences(generator, "en", picks);
}

static void
pack_languages(struct generator *generator, bool is_paris)
{
    bool both = random_chance(&generator->random, is_paris ? 80 : 25) != 0;

    pack_key(&generator->record, "languages");
    pack_array(&generator->record, both ? 2 : 1);
    pack_text(&generator->record, is_paris ? "fr" : "en");
    if (both)
        pack_text(&generator->record, is_paris ? "en" : "fr");
}

static void
pack_money(struct generator *generator, const char *key, int64_t min, int64_t max, bool is_paris)
{
    (void)generator;
    pack_key(&generator->record, key);
    pack_map(&generator->record, max > min ? 3 : 2);
    pack_key_int(&generator->record, "min", min);
    if (max > min)
        pack_key_int(&generator->record, "max", max);
    pack_key_text(&generator->record, "currency", is_paris ? "EUR" : "USD");
}

static void
pack_available(struct generator *generator)
{
    struct arena *arena = generator->arena;
    struct arena_mark mark = arena_mark(arena);
    int month = 1 + (int)random_below(&generator->random, 12);
    int year = 2026 + (int)random_below(&generator->random, 3);

    pack_key(&generator->record, "available");
    pack_map(&generator->record, 2);
    pack_key_str(&generator->record, "from", arena_format(arena, "%04d-%02d-01", year, month));
    pack_key_str(&generator->record, "to", arena_format(arena, "%04d-%02d-28", year + 1, month));
    arena_release(arena, mark);
}

static void
pack_consent(struct generator *generator)
{
    pack_key(&generator->record, "consent");
    pack_map(&generator->record, 3);
    pack_key_bool(&generator->record, "match", true);
    pack_key_bool(&generator->record, "share", true);
    pack_key_text(&generator->record, "basis", "generated");
}

static size_t
pack_startup(struct generator *generator, bool is_paris)
{
    static const char *const stages[] = {"seed",     "preseed", "proto",
                                         "series_a", "idea",    "series_b"};
    size_t stage = random_skewed(&generator->random, COUNT(stages));
    int64_t amount = (int64_t)(50 + random_skewed(&generator->random, 10000)) * 1000;
    size_t n = 2;

    pack_key_text(&generator->record, "stage", stages[stage]);
    pack_codes(generator, "needs", VOCABULARY_NEEDS, 5);
    if (!random_chance(&generator->random, 8)) {
        pack_key_int(&generator->record, "team",
                     1 + (int64_t)random_skewed(&generator->random, 120));
        n++;
    }
    if (!random_chance(&generator->random, 15)) {
        pack_money(generator, "raising", amount,
                   random_chance(&generator->random, 40) ? amount * 2 : amount, is_paris);
        n++;
    }
    return n;
}

static size_t
pack_host(struct generator *generator, enum generated_kind kind, bool is_paris)
{
    static const char *const stages[] = {"preseed", "seed", "series_a", "proto"};
    size_t first = random_below(&generator->random, COUNT(stages) - 1);
    int64_t amount = (int64_t)(100 + random_skewed(&generator->random, 5000)) * 1000;

    pack_key(&generator->record, "stages");
    pack_array(&generator->record, 2);
    pack_text(&generator->record, stages[first]);
    pack_text(&generator->record, stages[first + 1]);
    pack_codes(generator, "offers", VOCABULARY_NEEDS, 8);
    pack_key_int(&generator->record, "capacity",
                 1 + (int64_t)random_skewed(&generator->random, 30));
    if (kind != GENERATED_INVESTOR)
        return 3;
    pack_money(generator, "ticket", amount, amount * 5, is_paris);
    return 4;
}

struct str
generator_make(struct generator *generator, enum generated_kind kind, int64_t number)
{
    bool is_paris = random_chance(&generator->random, 50) != 0;
    struct arena *arena = generator->arena;
    struct arena_mark mark = arena_mark(arena);
    struct pack_open map;
    size_t n = 9;

    buf_clear(&generator->record);
    map = pack_map_open(&generator->record);
    pack_key_str(&generator->record, "id",
                 arena_format(arena, "gen-%s-%07" PRId64, generated_kinds[kind], number));
    pack_key_text(&generator->record, "kind", generated_kinds[kind]);
    pack_name(generator);
    pack_key_text(&generator->record, "metro", is_paris ? "paris" : "silicon-valley");
    pack_key_text(&generator->record, "country", is_paris ? "FR" : "US");
    pack_description(generator, is_paris);
    pack_codes(generator, "sectors", VOCABULARY_SECTORS, 3);
    pack_languages(generator, is_paris);
    pack_consent(generator);
    n += kind == GENERATED_STARTUP ? pack_startup(generator, is_paris)
                                   : pack_host(generator, kind, is_paris);
    if (random_chance(&generator->random, 70)) {
        pack_available(generator);
        n++;
    }
    pack_key_text(&generator->record, "source", "generated");
    pack_close(&generator->record, map, n + 1);
    arena_release(arena, mark);
    return buf_str(&generator->record);
}
