#include "programme.h"

#include "canonical.h"
#include "comparison.h"
#include "decoder.h"
#include "requirements.h"
#include "settings.h"
#include "wants.h"

/*
 * The document is first brought into its canonical form, which is what will be stored; then that
 * form is walked once, top down, and each thing is checked where it stands. What is wrong becomes a
 * fault and the walk goes on with the next thing, so that an officer sees all of it.
 */
enum { NAME_POINTS_MAX = 200 };

const char *
want_type_name(enum want_type type)
{
    return want_comparisons[type].name;
}

const char *
require_type_name(enum require_type type)
{
    return require_comparisons[type].name;
}

const char *
combine_name(enum combine combine)
{
    return combine_names[combine];
}

/* ---- pairings ---- */

static void
take_side(struct decoder *decoder, const char *key, const msgpack_object *value, struct side *side)
{
    static const char *const keys[] = {"kind", "metro", NULL};
    const msgpack_object *found[2];
    size_t mark = faults_push(decoder->faults, key), inner;

    if (value_is_nil(value)) {
        decoder_add_missing(decoder, "write whom it holds, such as {kind: startup, metro: paris}");
    } else if (value_is_map(value)) {
        field_take_map(&decoder->field, value, keys, found);
        inner = faults_push(decoder->faults, "kind");
        field_take_code(&decoder->field, found[0], VOCABULARY_KINDS, -1, &side->kind);
        faults_pop(decoder->faults, inner);
        inner = faults_push(decoder->faults, "metro");
        field_take_code(&decoder->field, found[1], VOCABULARY_METROS, -1, &side->metro);
        faults_pop(decoder->faults, inner);
    } else {
        field_wrong_type(&decoder->field, value, "a map {kind, metro}");
    }
    faults_pop(decoder->faults, mark);
}

static enum combine
take_combine(struct decoder *decoder, const msgpack_object *value)
{
    size_t mark = faults_push(decoder->faults, "combine");
    int i = value_is_nil(value)
                ? COMBINE_HARMONIC
                : decoder_take_name(decoder, value, combine_names, "way to combine");

    faults_pop(decoder->faults, mark);
    return i >= 0 ? (enum combine)i : COMBINE_HARMONIC;
}

static void
check_mirror(struct decoder *decoder, const struct pairing *pairing)
{
    size_t mark = faults_push(decoder->faults, "mirror");

    if (pairing->from.metro.len == 0 || pairing->to.metro.len == 0)
        faults_add(decoder->faults, ERR_INVALID_PARAMS,
                   "mirror exchanges the two metros, so both sides must name one");
    else if (str_equal(pairing->from.metro, pairing->to.metro))
        faults_add(decoder->faults, ERR_INVALID_PARAMS,
                   "mirror exchanges the two metros, but both sides name %.*s; name another or "
                   "leave mirror out",
                   STR_ARG(pairing->from.metro));
    faults_pop(decoder->faults, mark);
}

static void
warn_of_view(struct decoder *decoder, const char *key, const struct view *view, bool is_read,
             const char *other)
{
    size_t mark = faults_push(decoder->faults, key);

    if (view->n_wants == 0 && is_read)
        faults_warn(decoder->faults,
                    "%s is empty, so this side scores 10000 for everybody; add a want, or write "
                    "combine: %s",
                    key, other);
    if (view->n_wants != 0 && !is_read)
        faults_warn(decoder->faults, "combine: %s leaves these wants out of the score", other);
    faults_pop(decoder->faults, mark);
}

enum pairing_key {
    PAIRING_KEY_ID,
    PAIRING_KEY_FROM,
    PAIRING_KEY_TO,
    PAIRING_KEY_MIRROR,
    PAIRING_KEY_COMBINE,
    PAIRING_KEY_REQUIRE,
    PAIRING_KEY_FROM_WANTS,
    PAIRING_KEY_TO_WANTS,
    PAIRING_KEY_COUNT
};
static const char *const pairing_keys[] = {"id",      "from",       "to",       "mirror", "combine",
                                           "require", "from_wants", "to_wants", NULL};

static void
take_views(struct decoder *decoder, const msgpack_object *const found[], struct pairing *pairing)
{
    struct view_kinds from = {pairing->from.kind, pairing->to.kind};
    struct view_kinds to = {pairing->to.kind, pairing->from.kind};
    size_t n_errors = decoder->faults->n_errors;
    size_t mark = faults_push(decoder->faults, "require");

    requirements_take(decoder, found[PAIRING_KEY_REQUIRE], pairing);
    faults_pop(decoder->faults, mark);
    mark = faults_push(decoder->faults, "from_wants");
    wants_take(decoder, found[PAIRING_KEY_FROM_WANTS], &from, &pairing->from_view);
    faults_pop(decoder->faults, mark);
    mark = faults_push(decoder->faults, "to_wants");
    wants_take(decoder, found[PAIRING_KEY_TO_WANTS], &to, &pairing->to_view);
    faults_pop(decoder->faults, mark);
    if (decoder->faults->n_errors != n_errors)
        return;
    warn_of_view(decoder, "from_wants", &pairing->from_view, pairing->combine != COMBINE_TO, "to");
    warn_of_view(decoder, "to_wants", &pairing->to_view, pairing->combine != COMBINE_FROM, "from");
}

static void
take_pairing(struct decoder *decoder, const msgpack_object *value, struct pairing *pairing)
{
    const msgpack_object *found[PAIRING_KEY_COUNT];

    field_take_map(&decoder->field, value, pairing_keys, found);
    if (!value_is_map(value))
        return;
    pairing->id = decoder_take_id(decoder, found[PAIRING_KEY_ID], "give the pairing a short name");
    take_side(decoder, "from", found[PAIRING_KEY_FROM], &pairing->from);
    take_side(decoder, "to", found[PAIRING_KEY_TO], &pairing->to);
    pairing->is_mirrored = decoder_take_truth(decoder, "mirror", found[PAIRING_KEY_MIRROR]);
    if (pairing->is_mirrored)
        check_mirror(decoder, pairing);
    pairing->combine = take_combine(decoder, found[PAIRING_KEY_COMBINE]);
    take_views(decoder, found, pairing);
}

static void
take_pairings(struct decoder *decoder, const msgpack_object *value, struct programme *programme)
{
    size_t n_errors = decoder->faults->n_errors;
    size_t n = decoder_take_list(decoder, value, PAIRINGS_MAX, "pairings");

    if (n == 0 && decoder->faults->n_errors == n_errors)
        decoder_add_missing(decoder, "a programme has at least one pairing");
    programme->pairings = arena_alloc(decoder->arena, n, sizeof *programme->pairings);
    if (programme->pairings == NULL) {
        faults_no_memory(decoder->faults);
        return;
    }
    for (size_t i = 0; i < n; i++) {
        struct pairing *pairing = &programme->pairings[programme->n_pairings];
        size_t mark = faults_push_index(decoder->faults, i);

        take_pairing(decoder, value_at(value, i), pairing);
        for (int j = 0; j < programme->n_pairings; j++)
            if (pairing->id.len != 0 && str_equal(programme->pairings[j].id, pairing->id)) {
                decoder_add_repeated_id(decoder, pairing->id, "the pairings");
                break;
            }
        programme->n_pairings++;
        faults_pop(decoder->faults, mark);
    }
}

/* ---- the programme ---- */

static void
take_names_by_language(struct decoder *decoder, const msgpack_object *value,
                       struct programme *programme)
{
    const struct vocabulary *languages = decoder->reference->vocabularies[VOCABULARY_LANGUAGES];
    struct field_pair *pairs;
    size_t n;

    if (!field_take_pairs(&decoder->field, value, vocabulary_size(languages), &pairs, &n))
        return;
    for (size_t i = 0; i < n; i++) {
        size_t mark = faults_push_str(decoder->faults, pairs[i].key);
        msgpack_object language = {.type = MSGPACK_OBJECT_STR};
        struct str text = {NULL, 0}, code;

        language.via.str.ptr = pairs[i].key.data;
        language.via.str.size = (uint32_t)pairs[i].key.len;
        if (field_take_code(&decoder->field, &language, VOCABULARY_LANGUAGES, -1, &code) ==
                TAKEN_VALUE &&
            field_take_text(&decoder->field, pairs[i].value, NAME_POINTS_MAX, true, &text) ==
                TAKEN_VALUE)
            for (int lang = 0; lang < LANG_COUNT; lang++)
                if (str_is(code, lang_code((enum lang)lang)))
                    programme->name[lang] = text;
        faults_pop(decoder->faults, mark);
    }
}

static void
take_programme_name(struct decoder *decoder, const msgpack_object *value,
                    struct programme *programme)
{
    struct str *name = programme->name;
    size_t n_errors = decoder->faults->n_errors;
    size_t mark = faults_push(decoder->faults, "name");

    if (value_is_map(value))
        take_names_by_language(decoder, value, programme);
    else if (field_take_text(&decoder->field, value, NAME_POINTS_MAX, true, &name[LANG_EN]) ==
             TAKEN_VALUE)
        name[LANG_FR] = name[LANG_EN];
    if (name[LANG_EN].len == 0)
        name[LANG_EN] = name[LANG_FR];
    if (name[LANG_FR].len == 0)
        name[LANG_FR] = name[LANG_EN];
    if (name[LANG_EN].len == 0 && decoder->faults->n_errors == n_errors)
        decoder_add_missing(decoder, "write it in English or French, such as {en: …, fr: …}");
    faults_pop(decoder->faults, mark);
}

enum programme_key {
    PROGRAMME_KEY_ID,
    PROGRAMME_KEY_NAME,
    PROGRAMME_KEY_PEOPLE,
    PROGRAMME_KEY_NIGHTLY,
    PROGRAMME_KEY_CONFIRM,
    PROGRAMME_KEY_PAIRINGS,
    PROGRAMME_KEY_COHORT,
    PROGRAMME_KEY_COUNT
};
static const char *const programme_keys[] = {"id",      "name",     "people", "nightly",
                                             "confirm", "pairings", "cohort", NULL};

static void
take_programme_part(struct decoder *decoder, enum programme_key key, const msgpack_object *value,
                    struct programme *programme)
{
    switch (key) {
    case PROGRAMME_KEY_ID:
    case PROGRAMME_KEY_NAME: /* these two set their own path */
        break;
    case PROGRAMME_KEY_PEOPLE:
        settings_check_people(&decoder->field, value);
        break;
    case PROGRAMME_KEY_NIGHTLY:
        settings_check_nightly(&decoder->field, value);
        break;
    case PROGRAMME_KEY_CONFIRM:
        settings_check_confirm(&decoder->field, value);
        break;
    case PROGRAMME_KEY_PAIRINGS:
        take_pairings(decoder, value, programme);
        break;
    case PROGRAMME_KEY_COHORT:
        settings_check_cohort(&decoder->field, value);
        break;
    case PROGRAMME_KEY_COUNT:
        break;
    }
}

static void
take_programme(struct decoder *decoder, const msgpack_object *value, struct programme *programme)
{
    const msgpack_object *found[PROGRAMME_KEY_COUNT];

    field_take_map(&decoder->field, value, programme_keys, found);
    if (!value_is_map(value))
        return;
    programme->id =
        decoder_take_id(decoder, found[PROGRAMME_KEY_ID], "give the programme a short name");
    take_programme_name(decoder, found[PROGRAMME_KEY_NAME], programme);
    for (int i = 0; i < PROGRAMME_KEY_COUNT; i++) {
        size_t mark = faults_push(decoder->faults, programme_keys[i]);

        take_programme_part(decoder, (enum programme_key)i, found[i], programme);
        faults_pop(decoder->faults, mark);
    }
}

/* Without what programme.get adds. Writes the pairs of a map of ours. */
static void
drop_ignored(msgpack_object *map)
{
    static const char *const ignored[] = {"version", "updated_at", "seq"};
    uint32_t kept = 0;

    for (uint32_t i = 0; i < map->via.map.size; i++) {
        bool is_ignored = false;

        for (size_t j = 0; j < sizeof ignored / sizeof ignored[0]; j++)
            is_ignored |= str_is(value_key(map, i), ignored[j]);
        if (!is_ignored)
            map->via.map.ptr[kept++] = map->via.map.ptr[i];
    }
    map->via.map.size = kept;
}

void
programme_decode(const msgpack_object *given, const struct reference *reference,
                 struct faults *faults, struct programme **out)
{
    struct decoder decoder = {.field = {.reference = reference, .faults = faults},
                              .arena = faults->arena,
                              .reference = reference,
                              .faults = faults};
    size_t n_errors = faults->n_errors;
    struct programme *programme;
    struct err err = {.code = ERR_OK};
    msgpack_object *source;

    if (value_is_nil(given) || !field_keys_are_good(faults, given)) {
        if (value_is_nil(given))
            faults_add(faults, ERR_INVALID_PARAMS,
                       "the programme is empty; it needs an id, a name "
                       "and pairings");
        return;
    }
    programme = arena_alloc(faults->arena, 1, sizeof *programme);
    if (programme == NULL) {
        faults_no_memory(faults);
        return;
    }
    if (canonical_copy(given, faults->arena, &source, &err) != ERR_OK) {
        faults_add_err(faults, &err);
        return;
    }
    if (value_is_map(source))
        drop_ignored(source);
    programme->source = source;
    take_programme(&decoder, source, programme);
    if (faults->n_errors == n_errors)
        *out = programme;
}

void
programme_encode(const struct programme *programme, struct buf *out)
{
    pack_value(out, programme->source);
}

const struct pairing *
programme_pairing(const struct programme *programme, struct str id)
{
    for (int i = 0; i < programme->n_pairings; i++)
        if (str_equal(programme->pairings[i].id, id))
            return &programme->pairings[i];
    return NULL;
}

bool
pairing_fits(const struct pairing *pairing, bool mirrored, bool on_from, struct str kind,
             struct str metro)
{
    const struct side *side = on_from ? &pairing->from : &pairing->to;
    const struct side *metro_side = on_from != mirrored ? &pairing->from : &pairing->to;

    if (mirrored && !pairing->is_mirrored)
        return false;
    if (side->kind.len != 0 && !str_equal(side->kind, kind))
        return false;
    return metro_side->metro.len == 0 || str_equal(metro_side->metro, metro);
}
