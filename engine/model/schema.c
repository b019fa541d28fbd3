#include "schema.h"

enum { NO_VOCABULARY = -1, NEED_CODES_MAX = 128, COUNT_MAX = 1000000000 };

/* Who has places to give: everyone but those who come. */
#define HOSTS "incubator investor lab company city-service training event"

/* clang-format off */
#define ROW(id_, name_, type_, slot_) \
    .id = (id_), .name = (name_), .name_len = sizeof(name_) - 1, .type = (type_), .slot = (slot_)
#define OF(vocabulary_) .vocabulary = (vocabulary_), .vocabulary_too = NO_VOCABULARY
#define FREE OF(NO_VOCABULARY)

const struct field schema[FIELD_COUNT] = {
    {ROW(FIELD_ID, "id", FIELD_TYPE_ID, SLOT_NONE), FREE,
     .flags = FIELD_REQUIRED | FIELD_OPEN_ONLY, .min = 1, .max = ID_CHARS_MAX,
     .text = "the primary key: a-z, 0-9, dot, underscore and hyphen, beginning with a letter or digit"},
    {ROW(FIELD_KIND, "kind", FIELD_TYPE_CODE, SLOT_CODES), OF(VOCABULARY_KINDS),
     .flags = FIELD_REQUIRED | FIELD_OPEN_ONLY, .max = 1,
     .text = "what it is: startup, incubator, investor, or another kind"},
    {ROW(FIELD_NAME, "name", FIELD_TYPE_TEXT, SLOT_NONE), FREE,
     .flags = FIELD_REQUIRED, .min = 1, .max = 200,
     .text = "its name as the public knows it"},
    {ROW(FIELD_METRO, "metro", FIELD_TYPE_CODE, SLOT_CODES), OF(VOCABULARY_METROS), .max = 1,
     .text = "the metropolitan region; without one it stands on no side that names a metro"},
    {ROW(FIELD_CITY, "city", FIELD_TYPE_TEXT, SLOT_CODES), FREE, .max = 200,
     .text = "the city, as written in an address"},
    {ROW(FIELD_COUNTRY, "country", FIELD_TYPE_CODE, SLOT_CODES), OF(VOCABULARY_COUNTRIES), .max = 1,
     .text = "ISO 3166-1 alpha-2 code"},
    {ROW(FIELD_WEBSITE, "website", FIELD_TYPE_URL, SLOT_NONE), FREE, .max = 300,
     .text = "address that starts with http:// or https://; its host also serves to find duplicates"},
    {ROW(FIELD_DESCRIPTION, "description", FIELD_TYPE_TEXTS, SLOT_TEXT), OF(VOCABULARY_LANGUAGES),
     .max = 8000,
     .text = "texts by ISO 639-1 language; text search and the text want read them"},
    {ROW(FIELD_SECTORS, "sectors", FIELD_TYPE_CODES, SLOT_CODES), OF(VOCABULARY_SECTORS),
     .flags = FIELD_TWO_LEVEL, .max = 32,
     .text = "what it works in: group.leaf, or a whole group"},
    {ROW(FIELD_TAGS, "tags", FIELD_TYPE_TERMS, SLOT_CODES), FREE, .max = 64, .element_max = 64,
     .text = "free terms, kept as written, compared without case and accents"},
    {ROW(FIELD_LANGUAGES, "languages", FIELD_TYPE_CODES, SLOT_CODES), OF(VOCABULARY_LANGUAGES),
     .max = 16, .text = "working languages, ISO 639-1"},
    {ROW(FIELD_STAGE, "stage", FIELD_TYPE_CODE, SLOT_CODES), OF(VOCABULARY_STAGES),
     .flags = FIELD_ORDINAL, .kinds = "startup", .max = 1, .text = "how far it has come"},
    {ROW(FIELD_STAGES, "stages", FIELD_TYPE_CODES, SLOT_CODES), OF(VOCABULARY_STAGES),
     .flags = FIELD_ORDINAL, .kinds = "incubator investor event", .max = 32,
     .text = "stages that it accepts"},
    {ROW(FIELD_FOUNDED, "founded", FIELD_TYPE_DATE, SLOT_DAY), FREE, .kinds = "startup",
     .text = "day, month or year of foundation"},
    {ROW(FIELD_LATITUDE, "latitude", FIELD_TYPE_NUMBER, SLOT_NONE), FREE,
     .min = -90000000, .max = 90000000, .unit = "millionths of a degree",
     .text = "north positive"},
    {ROW(FIELD_LONGITUDE, "longitude", FIELD_TYPE_NUMBER, SLOT_NONE), FREE,
     .min = -180000000, .max = 180000000, .unit = "millionths of a degree",
     .text = "east positive"},
    {ROW(FIELD_TEAM, "team", FIELD_TYPE_NUMBER, SLOT_NUMBER), FREE, .kinds = "startup",
     .max = COUNT_MAX, .unit = "people", .text = "how many work there"},
    {ROW(FIELD_RAISING, "raising", FIELD_TYPE_MONEY, SLOT_MONEY), FREE, .kinds = "startup",
     .max = MONEY_AMOUNT_MAX, .unit = "whole units of the currency", .text = "what it seeks to raise"},
    {ROW(FIELD_TICKET, "ticket", FIELD_TYPE_MONEY, SLOT_MONEY), FREE, .kinds = "investor",
     .max = MONEY_AMOUNT_MAX, .unit = "whole units of the currency",
     .text = "what it puts into one company"},
    {ROW(FIELD_NEEDS, "needs", FIELD_TYPE_CODES, SLOT_CODES), OF(VOCABULARY_NEEDS),
     .flags = FIELD_TWO_LEVEL, .max = NEED_CODES_MAX, .text = "what it looks for"},
    {ROW(FIELD_OFFERS, "offers", FIELD_TYPE_CODES, SLOT_CODES), OF(VOCABULARY_NEEDS),
     .flags = FIELD_TWO_LEVEL, .max = NEED_CODES_MAX, .text = "what it can give"},
    {ROW(FIELD_MARKETS, "markets", FIELD_TYPE_CODES, SLOT_CODES), .vocabulary = VOCABULARY_METROS,
     .vocabulary_too = VOCABULARY_COUNTRIES, .max = 128,
     .text = "metros and countries where it wants to go, or has a network"},
    {ROW(FIELD_AVAILABLE, "available", FIELD_TYPE_PERIOD, SLOT_PERIOD), FREE,
     .text = "when it can travel, host or meet; both days included"},
    {ROW(FIELD_CAPACITY, "capacity", FIELD_TYPE_NUMBER, SLOT_NUMBER), FREE, .kinds = HOSTS,
     .max = COUNT_MAX, .unit = "places in one cohort", .text = "how many it takes; 1 if not said"},
    {ROW(FIELD_PREFERENCES, "preferences", FIELD_TYPE_IDS, SLOT_CODES), FREE,
     .flags = FIELD_ORDERED, .max = 100, .text = "ids of the profiles it wishes for, most wished first"},
    {ROW(FIELD_CONFLICTS, "conflicts", FIELD_TYPE_IDS, SLOT_CODES), FREE, .max = 100,
     .text = "ids of profiles that it is never paired with"},
    {ROW(FIELD_ORGANISATION, "organisation", FIELD_TYPE_ID, SLOT_CODES), FREE,
     .min = 1, .max = ID_CHARS_MAX, .text = "id of the profile that it belongs to"},
    {ROW(FIELD_EMBEDDING, "embedding", FIELD_TYPE_BYTES, SLOT_NONE), FREE, .min = 1, .max = 1024,
     .unit = "bytes", .text = "int8 vector used in place of the text vector; base64 in JSON"},
    {ROW(FIELD_CONSENT, "consent", FIELD_TYPE_CONSENT, SLOT_NONE), FREE, .flags = FIELD_OPEN_ONLY,
     .text = "match, share, basis, and optionally until, purposes, receivers"},
    {ROW(FIELD_STATUS, "status", FIELD_TYPE_CHOICE, SLOT_NONE), FREE, .flags = FIELD_OPEN_ONLY,
     .text = "active or paused; active if not said"},
    {ROW(FIELD_SOURCE, "source", FIELD_TYPE_TEXT, SLOT_NONE), FREE, .max = 500,
     .text = "where the facts come from"},
    {ROW(FIELD_EXTERNAL_IDS, "external_ids", FIELD_TYPE_FREE_MAP, SLOT_NONE), FREE, .max = 32,
     .text = "its names in other registers: register to text or whole number"},
    {ROW(FIELD_CONFIDENTIAL, "confidential", FIELD_TYPE_CONFIDENTIAL, SLOT_NONE), FREE,
     .flags = FIELD_OPEN_ONLY, .max = 64,
     .text = "fields for officers and the owner only; fields of the schema win over the open ones"},
};
/* clang-format on */

const struct field *
schema_find(struct str name)
{
    for (int i = 0; i < FIELD_COUNT; i++)
        if (str_is(name, schema[i].name))
            return &schema[i];
    return NULL;
}

const struct field *
schema_nearest(struct str name)
{
    size_t limit = name.len < 3 ? 1 : name.len / 3;
    const struct field *nearest = NULL;

    for (int i = 0; i < FIELD_COUNT; i++) {
        size_t distance = str_distance(name, str_from(schema[i].name), limit);

        if (distance > limit)
            continue;
        nearest = &schema[i];
        if (distance == 0)
            break;
        limit = distance - 1;
    }
    return nearest;
}

bool
schema_has_kind(const struct field *field, struct str kind)
{
    struct str kinds = str_from(field->kinds);
    size_t end;

    if (field->kinds == NULL)
        return true;
    for (size_t at = 0; at < kinds.len; at = end + 1) {
        end = str_find(kinds, ' ', at);
        if (str_equal(kind, (struct str){kinds.data + at, end - at}))
            return true;
    }
    return false;
}

bool
id_is_valid(struct str id)
{
    if (id.len == 0 || id.len > ID_CHARS_MAX)
        return false;
    for (size_t i = 0; i < id.len; i++) {
        char c = id.data[i];
        bool is_word = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');

        if (!is_word && (i == 0 || (c != '.' && c != '_' && c != '-')))
            return false;
    }
    return true;
}
