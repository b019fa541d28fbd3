#include "population.h"

#include "file.h"
#include "share.h"
#include "value.h"

#include <inttypes.h>
#include <stdio.h>

enum {
    PACKED_BYTES_MAX = 64 * 1024,
    TABLE_BYTES_MAX = 64 * 1024 * 1024,
    ALUMNI = 2000, /* the other parties of past outcomes */
    CLUSTERS = 200,
    EMBEDDING_MAX = 1024,
    PERIODS_FROM_YEAR = 2026
};

const char *const population_languages[LANGUAGES_MOST] = {"en", "fr", "es", "de", "zh", "hi",
                                                          "pt", "it", "ja", "ar", "ru", "nl"};
static const char *const stages[] = {"research", "idea",     "proto",    "preseed", "seed",
                                     "series_a", "series_b", "series_c", "growth"};
enum { N_STAGES = sizeof stages / sizeof stages[0] };
/* Stages from the commonest to the rarest. */
static const uint8_t usual_stages[N_STAGES] = {4, 3, 5, 2, 1, 6, 0, 7, 8};

struct population_draws {
    struct population_how how;
    const struct reference *reference;
    struct str markets[MARKETS_MOST];
    struct draw sectors, needs, markets_draw, languages, stages, clusters, counts[9], amounts;
    int8_t (*centres)[EMBEDDING_MAX];
};

/* ---- what is drawn from ---- */

static void
choose_markets(const struct reference *reference, struct str markets[MARKETS_MOST])
{
    const struct vocabulary *metros = reference->vocabularies[VOCABULARY_METROS];
    const struct vocabulary *countries = reference->vocabularies[VOCABULARY_COUNTRIES];
    size_t n_metros = vocabulary_size(metros);

    for (size_t i = 0; i < MARKETS_MOST; i++)
        markets[i] = i < n_metros ? vocabulary_code(metros, (int)i)
                                  : vocabulary_code(countries, (int)((i - n_metros) * 5));
}

/* The sum of four even numbers is round enough. */
static int32_t
noise(struct random *random, int32_t width)
{
    int32_t sum = 0;

    for (int i = 0; i < 4; i++)
        sum += (int32_t)random_below(random, (uint64_t)(2 * width + 1)) - width;
    return sum / 2;
}

enum err_code
population_draws_make(const struct population_how *how, const struct reference *reference,
                      struct arena *arena, struct population_draws **out, struct err *err)
{
    struct population_draws *draws = arena_alloc(arena, 1, sizeof *draws);
    struct random random = {how->seed + 77};
    enum err_code code = ERR_OK;

    if (draws == NULL)
        return err_no_memory(err);
    *draws = (struct population_draws){.how = *how, .reference = reference};
    choose_markets(reference, draws->markets);
    const struct {
        struct draw *draw;
        size_t n;
    } wanted[] = {
        {&draws->sectors, vocabulary_size(reference->vocabularies[VOCABULARY_SECTORS])},
        {&draws->needs, vocabulary_size(reference->vocabularies[VOCABULARY_NEEDS])},
        {&draws->markets_draw, MARKETS_MOST},
        {&draws->languages, LANGUAGES_MOST},
        {&draws->stages, N_STAGES},
        {&draws->clusters, CLUSTERS},
        {&draws->amounts, 4000},
    };
    for (size_t i = 0; i < sizeof wanted / sizeof wanted[0] && code == ERR_OK; i++)
        code = draw_make(wanted[i].draw, wanted[i].n, how->is_skewed, arena, err);
    for (size_t i = 1; i < 9 && code == ERR_OK; i++)
        code = draw_make(&draws->counts[i], i, how->is_skewed, arena, err);
    if (code != ERR_OK)
        return code;
    draws->centres = arena_alloc(arena, CLUSTERS, sizeof *draws->centres);
    if (draws->centres == NULL)
        return err_no_memory(err);
    for (size_t i = 0; i < CLUSTERS; i++)
        for (size_t j = 0; j < EMBEDDING_MAX; j++)
            draws->centres[i][j] = (int8_t)noise(&random, 25);
    *out = draws;
    return ERR_OK;
}

/* ---- the fields of one profile ---- */

static size_t
count_of(const struct population_draws *draws, struct random *random, size_t most)
{
    return 1 + draw_next(&draws->counts[most], random);
}

/* 1 to `most` different ones of the codes that `draw` numbers; a stride spreads the common ones over the groups. */
static void
pack_set(struct buf *out, const char *key, const struct draw *draw, struct random *random, size_t n,
         struct str (*code_of)(const void *codes, size_t i), const void *codes)
{
    size_t seen[8], used = 0;
    struct pack_open list;

    pack_key(out, key);
    list = pack_array_open(out);
    for (size_t i = 0; i < n; i++) {
        size_t code = draw_next(draw, random) * 37 % draw->n;
        bool is_new = true;

        for (size_t j = 0; j < used; j++)
            is_new &= seen[j] != code;
        if (!is_new)
            continue;
        seen[used++] = code;
        pack_str(out, code_of(codes, code));
    }
    pack_close(out, list, used);
}

static struct str
vocabulary_code_of(const void *vocabulary, size_t i)
{
    return vocabulary_code(vocabulary, (int)i);
}

static struct str
market_of(const void *markets, size_t i)
{
    return ((const struct str *)markets)[i];
}

static struct str
language_of(const void *languages, size_t i)
{
    return str_from(((const char *const *)languages)[i]);
}

static void
pack_codes(const struct population_draws *draws, struct random *random, const char *key,
           enum vocabulary_id id, size_t most, struct buf *out)
{
    const struct draw *draw = id == VOCABULARY_SECTORS ? &draws->sectors : &draws->needs;

    pack_set(out, key, draw, random, count_of(draws, random, most), vocabulary_code_of,
             draws->reference->vocabularies[id]);
}

static void
pack_languages(const struct population_draws *draws, struct random *random, bool is_candidate,
               struct buf *out)
{
    if (!draws->how.is_skewed || random_chance(random, 8)) {
        pack_set(out, "languages", &draws->languages, random, 3 + random_below(random, 3),
                 language_of, population_languages);
        return;
    }
    bool both = random_chance(random, is_candidate ? 30 : 75) != 0;
    pack_key(out, "languages");
    pack_array(out, both ? 2 : 1);
    pack_text(out, is_candidate ? "en" : "fr");
    if (both)
        pack_text(out, is_candidate ? "fr" : "en");
}

static size_t
stage_of(const struct population_draws *draws, struct random *random)
{
    size_t drawn = draw_next(&draws->stages, random);

    return draws->how.is_skewed ? usual_stages[drawn] : drawn;
}

static void
pack_stages(const struct population_draws *draws, struct random *random, struct buf *out)
{
    size_t first = stage_of(draws, random), n = count_of(draws, random, 3) + !draws->how.is_skewed;
    bool has_self = random_chance(random, 5) != 0;

    if (first + n > N_STAGES)
        n = N_STAGES - first;
    pack_key(out, "stages");
    pack_array(out, n + has_self);
    for (size_t i = 0; i < n; i++)
        pack_text(out, stages[first + i]);
    if (has_self)
        pack_text(out, "self");
}

static void
pack_date(struct buf *out, const char *key, int month, int day)
{
    char text[11];

    date_format(date_from_civil(PERIODS_FROM_YEAR + month / 12, month % 12 + 1, day), text);
    pack_key_text(out, key, text);
}

/* Six months to a year and a half, beginning within three years; some investors' have an open end. */
static void
pack_available(const struct population_draws *draws, struct random *random, bool is_candidate,
               struct buf *out)
{
    int begin = (int)random_below(random, 36), months = 6 + (int)random_below(random, 13);
    int day = draws->how.is_skewed ? 1 : 1 + (int)random_below(random, 28);
    bool has_from = !is_candidate || random_chance(random, 95) != 0;
    bool has_to = !has_from || !is_candidate || random_chance(random, 90) != 0;

    pack_key(out, "available");
    pack_map(out, (size_t)has_from + has_to);
    if (has_from)
        pack_date(out, "from", begin, day);
    if (has_to)
        pack_date(out, "to", begin + months, 28);
}

static void
pack_money(const struct population_draws *draws, struct random *random, bool is_candidate,
           struct buf *out)
{
    int64_t min = (int64_t)(50 + draw_next(&draws->amounts, random)) * 1000, max = min;

    if (draws->how.is_skewed)
        min = max = min / 50000 * 50000 + 50000;
    if (is_candidate)
        max = min * (int64_t)(3 + random_below(random, 8));
    else if (random_chance(random, 40))
        max = 2 * min;
    pack_key(out, is_candidate ? "ticket" : "raising");
    pack_map(out, 3);
    pack_key_int(out, "min", min);
    pack_key_int(out, "max", max);
    pack_key_text(out, "currency", random_chance(random, is_candidate ? 85 : 15) ? "USD" : "EUR");
}

static void
pack_consent(struct random *random, bool is_candidate, struct buf *out)
{
    bool has_lapsed = is_candidate && random_chance(random, 1) != 0;

    pack_key(out, "consent");
    pack_map(out, has_lapsed ? 4 : 3);
    pack_key_bool(out, "match", true);
    pack_key_bool(out, "share", true);
    pack_key_text(out, "basis", "made up");
    if (has_lapsed)
        pack_key_text(out, "until", "2026-01-31");
}

/* Skewed: near one of the cluster's centres; uniform: anywhere. */
static void
pack_embedding(const struct population_draws *draws, struct random *random, struct buf *out)
{
    const int8_t *centre = draws->centres[draw_next(&draws->clusters, random)];
    int8_t values[EMBEDDING_MAX];

    for (size_t i = 0; i < draws->how.dimension; i++)
        values[i] =
            (int8_t)(draws->how.is_skewed ? centre[i] + noise(random, 15) : noise(random, 30));
    pack_key(out, "embedding");
    pack_bin(out, values, draws->how.dimension);
}

static size_t
pack_startup(const struct population_draws *draws, struct random *random, struct buf *out)
{
    size_t n = 0;

    if (random_chance(random, 96) && ++n)
        pack_key_text(out, "stage",
                      random_chance(random, 4) ? "self" : stages[stage_of(draws, random)]);
    if (random_chance(random, 96) && ++n)
        pack_codes(draws, random, "needs", VOCABULARY_NEEDS, 5, out);
    if (random_chance(random, 92) && ++n)
        pack_key_int(out, "team",
                     1 + (int64_t)(draws->how.is_skewed ? random_skewed(random, 120)
                                                        : random_below(random, 120)));
    if (random_chance(random, 90) && ++n)
        pack_money(draws, random, false, out);
    return n;
}

static size_t
pack_investor(const struct population_draws *draws, struct random *random, struct buf *out)
{
    size_t n = 0;

    if (random_chance(random, 97) && ++n)
        pack_stages(draws, random, out);
    if (random_chance(random, 97) && ++n)
        pack_codes(draws, random, "offers", VOCABULARY_NEEDS, 8, out);
    if (random_chance(random, 95) && ++n)
        pack_key_int(out, "capacity",
                     1 + (int64_t)(draws->how.is_skewed ? random_skewed(random, 60)
                                                        : random_below(random, 60)));
    if (random_chance(random, 96) && ++n)
        pack_money(draws, random, true, out);
    if (random_chance(random, 1) && ++n)
        pack_key_text(out, "status", "paused");
    return n;
}

/* Ids in an order that is not that of arrival: the multiplier is odd, so no two are the same. */
static struct str
id_of(bool is_candidate, size_t i, char text[24])
{
    int n = snprintf(text, 24, "%s-%08" PRIx32, is_candidate ? "investor" : "startup",
                     (uint32_t)i * UINT32_C(2654435761));

    return (struct str){text, (size_t)n};
}

void
population_pack(const struct population_draws *draws, struct random *random, bool is_candidate,
                size_t i, struct buf *out)
{
    struct pack_open map = pack_map_open(out);
    char id[24];
    size_t n = 5;

    pack_key_str(out, "id", id_of(is_candidate, i, id));
    pack_key_text(out, "kind", is_candidate ? "investor" : "startup");
    pack_key_str(out, "name", id_of(is_candidate, i, id));
    pack_key_text(out, "metro", is_candidate ? "silicon-valley" : "paris");
    pack_consent(random, is_candidate, out);
    n += is_candidate ? pack_investor(draws, random, out) : pack_startup(draws, random, out);
    if (random_chance(random, 97) && ++n)
        pack_codes(draws, random, "sectors", VOCABULARY_SECTORS, 3, out);
    if (random_chance(random, 97) && ++n)
        pack_languages(draws, random, is_candidate, out);
    if (random_chance(random, is_candidate ? 75 : 92) && ++n)
        pack_available(draws, random, is_candidate, out);
    if (random_chance(random, 93) && ++n)
        pack_set(out, "markets", &draws->markets_draw, random, 1 + random_below(random, 3),
                 market_of, draws->markets);
    if (draws->how.dimension > 0 && ++n)
        pack_embedding(draws, random, out);
    pack_close(out, map, n);
}

/* ---- into a roster ---- */

struct filling {
    struct population *population;
    struct population_draws *draws;
    struct sample_text *text;
    struct roster_edit *edit;
    struct random random;
    struct arena *arena;
    struct buf packed;
};

static enum err_code
put_one(struct filling *filling, bool is_candidate, size_t i, struct err *err)
{
    struct arena_mark mark = arena_mark(filling->arena);
    struct facts_input input = {.reference = filling->population->reference,
                                .symbols = filling->population->symbols};
    struct facts *facts;
    enum err_code code;

    buf_clear(&filling->packed);
    population_pack(filling->draws, &filling->random, is_candidate, i, &filling->packed);
    code = buf_check(&filling->packed, err);
    if (code == ERR_OK)
        code = value_decode(filling->packed.data, filling->packed.len, &value_limits_default,
                            filling->arena, &input.open, err);
    if (code == ERR_OK && filling->text != NULL)
        code = sample_text_draw(filling->text, &filling->random, filling->arena, &input.text, err);
    if (code == ERR_OK)
        code = facts_build(&input, &facts, err);
    if (code == ERR_OK)
        code = roster_edit_put(filling->edit, facts, err);
    arena_release(filling->arena, mark);
    return code;
}

/* A fifth of the candidates have met one to twelve alumni, one in four of them in vain. */
static enum err_code
put_outcomes(struct filling *filling, size_t candidate, struct err *err)
{
    struct random *random = &filling->random;
    char from[24], to[24];
    enum err_code code = ERR_OK;
    size_t n = random_chance(random, 20) ? 1 + random_skewed(random, 12) : 0;

    for (size_t i = 0; i < n && code == ERR_OK; i++) {
        size_t other = filling->population->how.n_viewers + random_below(random, ALUMNI);

        code = roster_edit_outcome(
            filling->edit, id_of(false, other, from), id_of(true, candidate, to),
            filling->population->day - 900 + (int32_t)random_below(random, 950),
            random_chance(random, 75) != 0, err);
    }
    return code;
}

static enum err_code
fill(struct filling *filling, struct err *err)
{
    const struct population_how *how = &filling->population->how;
    enum err_code code = ERR_OK;

    for (size_t i = 0; i < how->n_viewers + ALUMNI && code == ERR_OK; i++)
        code = put_one(filling, false, i, err);
    for (size_t i = 0; i < how->n_candidates && code == ERR_OK; i++) {
        code = put_one(filling, true, i, err);
        if (code == ERR_OK)
            code = put_outcomes(filling, i, err);
    }
    return code;
}

static enum err_code
find_rows(struct population *population, struct arena *arena, struct err *err)
{
    size_t n[2] = {population->how.n_viewers, population->how.n_candidates};
    uint32_t **rows[2] = {&population->viewers, &population->candidates};
    char id[24];

    for (int side = 0; side < 2; side++) {
        *rows[side] = arena_alloc(arena, n[side], sizeof **rows[side]);
        if (*rows[side] == NULL)
            return err_no_memory(err);
        for (size_t i = 0; i < n[side]; i++)
            (*rows[side])[i] = roster_find(population->roster, id_of(side == 1, i, id));
    }
    return ERR_OK;
}

static enum err_code
read_texts(struct filling *filling, struct err *err)
{
    const struct population_how *how = &filling->population->how;
    struct buf bytes;
    char path[SHARE_PATH_MAX];
    enum err_code code;

    if (!how->has_texts)
        return ERR_OK;
    snprintf(path, sizeof path, "%s/lexicon/%s", how->data, lexicon_file_name(LEXICON_FREQUENCIES));
    buf_init(&bytes, TABLE_BYTES_MAX);
    code = file_read(path, &bytes, err);
    if (code == ERR_OK)
        code =
            sample_text_make(buf_str(&bytes), how->is_skewed, filling->arena, &filling->text, err);
    buf_fini(&bytes);
    return code;
}

enum err_code
population_make(const struct population_how *how, struct arena *arena, struct population *out,
                struct err *err)
{
    struct filling filling = {.population = out, .random = {how->seed}, .arena = arena};
    enum err_code code = share_reference(how->data, &out->reference, err);

    out->how = *how;
    out->day = date_from_civil(2026, 6, 1);
    if (code != ERR_OK)
        return code;
    choose_markets(out->reference, out->markets);
    out->symbols = symbols_create();
    filling.edit = roster_edit_begin(NULL);
    buf_init(&filling.packed, PACKED_BYTES_MAX);
    if (out->symbols == NULL || filling.edit == NULL)
        code = err_no_memory(err);
    if (code == ERR_OK)
        code = population_draws_make(how, out->reference, arena, &filling.draws, err);
    if (code == ERR_OK)
        code = read_texts(&filling, err);
    if (code == ERR_OK)
        code = fill(&filling, err);
    buf_fini(&filling.packed);
    if (code != ERR_OK) {
        roster_edit_abandon(filling.edit);
        return code;
    }
    out->roster = roster_publish(filling.edit, 1, err);
    return out->roster != NULL ? find_rows(out, arena, err) : err->code;
}

void
population_fini(struct population *population)
{
    roster_drop(population->roster);
    symbols_destroy(population->symbols);
    if (population->reference != NULL)
        reference_destroy(population->reference);
}
