/*
 * command_generate.c: synthetic profiles of realistic shape, for trying out sizes.
 *
 * The same bytes for the same numbers and seed. Frequencies are skewed as in life: some sectors, needs
 * and stages are common, most are rare; a few fields are missing. Each says that it is generated.
 */
#include "buf.h"
#include "commands.h"
#include "json.h"
#include "options.h"
#include "random.h"
#include "tell.h"

#include <inttypes.h>
#include <string.h>
#include <sysexits.h>

enum { LINE_BYTES = 64 * 1024, COUNT_MAX = 10000000 };

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

struct generator {
    struct cli *cli;
    struct random random;
    struct buf line;
};

static struct str
pick_code(struct generator *generator, enum vocabulary_id id, bool wants_leaf)
{
    const struct vocabulary *vocabulary = cli_reference(generator->cli)->vocabularies[id];
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
    struct buf *out = &generator->line;
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
    pack_key_text(&generator->line, "name", name);
}

static void
pack_description(struct generator *generator, bool is_paris)
{
    const struct phrase *thing = &things[random_skewed(&generator->random, COUNT(things))];
    const struct phrase *who = &people[random_skewed(&generator->random, COUNT(people))];
    const struct phrase *how = &means[random_below(&generator->random, COUNT(means))];
    struct arena *arena = generator->cli->arena;
    struct arena_mark mark = arena_mark(arena);
    bool both = random_chance(&generator->random, 30) != 0;

    pack_key(&generator->line, "description");
    pack_map(&generator->line, both ? 2 : 1);
    if (is_paris || both)
        pack_key_str(
            &generator->line, "fr",
            arena_format(arena, "Nous proposons %s pour %s, %s.", thing->fr, who->fr, how->fr));
    if (!is_paris || both)
        pack_key_str(&generator->line, "en",
                     arena_format(arena, "We offer %s for %s, %s.", thing->en, who->en, how->en));
    arena_release(arena, mark);
}

static void
pack_languages(struct generator *generator, bool is_paris)
{
    bool both = random_chance(&generator->random, is_paris ? 80 : 25) != 0;

    pack_key(&generator->line, "languages");
    pack_array(&generator->line, both ? 2 : 1);
    pack_text(&generator->line, is_paris ? "fr" : "en");
    if (both)
        pack_text(&generator->line, is_paris ? "en" : "fr");
}

static void
pack_money(struct generator *generator, const char *key, int64_t min, int64_t max, bool is_paris)
{
    (void)generator;
    pack_key(&generator->line, key);
    pack_map(&generator->line, max > min ? 3 : 2);
    pack_key_int(&generator->line, "min", min);
    if (max > min)
        pack_key_int(&generator->line, "max", max);
    pack_key_text(&generator->line, "currency", is_paris ? "EUR" : "USD");
}

static void
pack_available(struct generator *generator)
{
    struct arena *arena = generator->cli->arena;
    struct arena_mark mark = arena_mark(arena);
    int month = 1 + (int)random_below(&generator->random, 12);
    int year = 2026 + (int)random_below(&generator->random, 3);

    pack_key(&generator->line, "available");
    pack_map(&generator->line, 2);
    pack_key_str(&generator->line, "from", arena_format(arena, "%04d-%02d-01", year, month));
    pack_key_str(&generator->line, "to", arena_format(arena, "%04d-%02d-28", year + 1, month));
    arena_release(arena, mark);
}

static void
pack_consent(struct generator *generator)
{
    pack_key(&generator->line, "consent");
    pack_map(&generator->line, 3);
    pack_key_bool(&generator->line, "match", true);
    pack_key_bool(&generator->line, "share", true);
    pack_key_text(&generator->line, "basis", "generated");
}

enum kind { KIND_STARTUP, KIND_INCUBATOR, KIND_INVESTOR };
static const char *const kind_names[] = {"startup", "incubator", "investor"};

static size_t
pack_startup(struct generator *generator, bool is_paris)
{
    static const char *const stages[] = {"seed",     "preseed", "proto",
                                         "series_a", "idea",    "series_b"};
    size_t stage = random_skewed(&generator->random, COUNT(stages));
    int64_t amount = (int64_t)(50 + random_skewed(&generator->random, 10000)) * 1000;
    size_t n = 2;

    pack_key_text(&generator->line, "stage", stages[stage]);
    pack_codes(generator, "needs", VOCABULARY_NEEDS, 5);
    if (!random_chance(&generator->random, 8)) {
        pack_key_int(&generator->line, "team", 1 + (int64_t)random_skewed(&generator->random, 120));
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
pack_host(struct generator *generator, enum kind kind, bool is_paris)
{
    static const char *const stages[] = {"preseed", "seed", "series_a", "proto"};
    size_t first = random_below(&generator->random, COUNT(stages) - 1);
    int64_t amount = (int64_t)(100 + random_skewed(&generator->random, 5000)) * 1000;

    pack_key(&generator->line, "stages");
    pack_array(&generator->line, 2);
    pack_text(&generator->line, stages[first]);
    pack_text(&generator->line, stages[first + 1]);
    pack_codes(generator, "offers", VOCABULARY_NEEDS, 8);
    pack_key_int(&generator->line, "capacity", 1 + (int64_t)random_skewed(&generator->random, 30));
    if (kind != KIND_INVESTOR)
        return 3;
    pack_money(generator, "ticket", amount, amount * 5, is_paris);
    return 4;
}

static void
generate_one(struct generator *generator, enum kind kind, int64_t number)
{
    bool is_paris = random_chance(&generator->random, 50) != 0;
    struct arena *arena = generator->cli->arena;
    struct arena_mark mark = arena_mark(arena);
    struct pack_open map;
    size_t n = 9;

    buf_clear(&generator->line);
    map = pack_map_open(&generator->line);
    pack_key_str(&generator->line, "id",
                 arena_format(arena, "gen-%s-%07" PRId64, kind_names[kind], number));
    pack_key_text(&generator->line, "kind", kind_names[kind]);
    pack_name(generator);
    pack_key_text(&generator->line, "metro", is_paris ? "paris" : "silicon-valley");
    pack_key_text(&generator->line, "country", is_paris ? "FR" : "US");
    pack_description(generator, is_paris);
    pack_codes(generator, "sectors", VOCABULARY_SECTORS, 3);
    pack_languages(generator, is_paris);
    pack_consent(generator);
    n += kind == KIND_STARTUP ? pack_startup(generator, is_paris)
                              : pack_host(generator, kind, is_paris);
    if (random_chance(&generator->random, 70)) {
        pack_available(generator);
        n++;
    }
    pack_key_text(&generator->line, "source", "generated");
    pack_close(&generator->line, map, n + 1);
    arena_release(arena, mark);
}

static void
print_line(struct generator *generator)
{
    struct arena *arena = generator->cli->arena;
    struct arena_mark mark = arena_mark(arena);
    const msgpack_object *value;
    struct err err = {0};
    struct buf text;

    buf_init(&text, LINE_BYTES);
    if (value_decode(generator->line.data, generator->line.len, &value_limits_default, arena,
                     &value, &err) != ERR_OK)
        fail_memory();
    json_encode(&text, value, JSON_COMPACT);
    buf_append_char(&text, '\n');
    fwrite(text.data, 1, text.len, stdout);
    buf_fini(&text);
    arena_release(arena, mark);
}

int
command_generate(struct cli *cli, int argc, char **argv)
{
    const char *counts[3] = {"0", "0", "0"}, *seed = "1";
    const struct option_row rows[] = {
        {"startups", 0, "N", "how many startups", &counts[0], NULL, NULL},
        {"incubators", 0, "N", "how many incubators", &counts[1], NULL, NULL},
        {"investors", 0, "N", "how many investors", &counts[2], NULL, NULL},
        {"seed", 0, "S", "the same seed gives the same profiles (1)", &seed, NULL, NULL},
        {0},
    };
    struct generator generator = {.cli = cli};

    options_parse(cli, "", "Synthetic profiles of realistic shape, as JSON lines.", rows, argc,
                  argv);
    generator.random.state = (uint64_t)option_number(cli, "generate", "--seed", seed, 0, INT64_MAX);
    buf_init(&generator.line, LINE_BYTES);
    for (int kind = 0; kind < 3; kind++) {
        char name[32];
        int64_t n;

        snprintf(name, sizeof name, "--%ss", kind_names[kind]);
        n = option_number(cli, "generate", name, counts[kind], 0, COUNT_MAX);
        for (int64_t i = 1; i <= n; i++) {
            generate_one(&generator, (enum kind)kind, i);
            print_line(&generator);
        }
    }
    buf_fini(&generator.line);
    return EX_OK;
}
