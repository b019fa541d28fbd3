#include "sample.h"

#include <stdio.h>
#include <string.h>

uint64_t
sample_next(struct sample *sample)
{
    uint64_t z = sample->state += UINT64_C(0x9E3779B97F4A7C15);

    z = (z ^ z >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ z >> 27) * UINT64_C(0x94D049BB133111EB);
    return z ^ z >> 31;
}

int64_t
sample_below(struct sample *sample, int64_t n)
{
    return (int64_t)(sample_next(sample) % (uint64_t)n);
}

bool
sample_chance(struct sample *sample, int of_hundred)
{
    return sample_below(sample, 100) < of_hundred;
}

enum draw {
    DRAW_CODE,
    DRAW_SET,
    DRAW_ID,
    DRAW_IDS,
    DRAW_NUMBER,
    DRAW_MONEY,
    DRAW_PERIOD,
    DRAW_DAY,
    DRAW_EMBEDDING
};

#define SECTORS \
    "health\0health.bio\0health.care\0health.med\0food\0food.agri\0food.retail\0energy\0"
#define NEEDS "space\0space.desk\0space.lab\0legal\0funding\0"
#define STAGES "idea\0proto\0seed\0growth\0self\0"
#define METROS "paris\0silicon-valley\0berlin\0"
#define COUNTRIES "FR\0US\0DE\0"
#define TAGS "\xC3\x89t\xC3\xA9\0ete\0Data  Lab\0data lab\0\xC5\x93uvre\0OEUVRE\0c++\0"

/* family: fields whose codes can be compared with each other */
static const struct field_draw {
    const char *name;
    enum draw draw;
    const char *words; /* NUL after each, and after the last */
    const char *family;
} fields[] = {
    {"country", DRAW_CODE, COUNTRIES, "country"},
    {"city", DRAW_CODE, "Paris\0PARIS\0Berlin\0", "city"},
    {"sectors", DRAW_SET, SECTORS, "sectors"},
    {"tags", DRAW_SET, TAGS, "tags"},
    {"languages", DRAW_SET, "en\0fr\0de\0", "languages"},
    {"stage", DRAW_CODE, STAGES, "stages"},
    {"stages", DRAW_SET, STAGES, "stages"},
    {"needs", DRAW_SET, NEEDS, "needs"},
    {"offers", DRAW_SET, NEEDS, "needs"},
    {"markets", DRAW_SET, METROS COUNTRIES, "country"},
    {"preferences", DRAW_IDS, NULL, "ids"},
    {"conflicts", DRAW_IDS, NULL, "ids"},
    {"organisation", DRAW_ID, NULL, "ids"},
    {"founded", DRAW_DAY, NULL, "day"},
    {"team", DRAW_NUMBER, NULL, "number"},
    {"capacity", DRAW_NUMBER, NULL, "number"},
    {"raising", DRAW_MONEY, NULL, "money"},
    {"ticket", DRAW_MONEY, NULL, "money"},
    {"available", DRAW_PERIOD, NULL, "period"},
    {"embedding", DRAW_EMBEDDING, NULL, "embedding"},
};
enum { N_FIELDS = sizeof fields / sizeof fields[0] };

static const char *
word(struct sample *sample, const char *words)
{
    int64_t n = 0;

    for (const char *at = words; *at != 0; at += strlen(at) + 1)
        n++;
    for (n = sample_below(sample, n); n > 0; n--)
        words += strlen(words) + 1;
    return words;
}

static int64_t
amount(struct sample *sample)
{
    static const int64_t edges[] = {0, 1, 2, 3, 15, 16, 999999, INT64_C(1000000000000)};

    if (sample_chance(sample, 25))
        return edges[sample_below(sample, 8)];
    return sample_below(sample, INT64_C(1) << (1 + sample_below(sample, 30)));
}

static int64_t
number(struct sample *sample)
{
    return sample_chance(sample, 5) ? 1000000000
                                    : sample_below(sample, 1 << sample_below(sample, 8));
}

static void
put_money(struct sample *sample, struct buf *json)
{
    int64_t min = amount(sample);

    buf_printf(json, "{\"min\": %lld", (long long)min);
    if (sample_chance(sample, 60)) {
        int64_t max = min + amount(sample);

        buf_printf(json, ", \"max\": %lld",
                   (long long)(max > INT64_C(1000000000000) ? INT64_C(1000000000000) : max));
    }
    buf_printf(json, ", \"currency\": \"%s\"}", word(sample, "USD\0EUR\0EUR\0USD\0JPY\0"));
}

static void
put_day(struct sample *sample, int year, struct buf *json)
{
    buf_printf(json, "\"%d-%02d-%02d\"", year, (int)sample_below(sample, 12) + 1,
               (int)sample_below(sample, 28) + 1);
}

static void
put_period(struct sample *sample, struct buf *json)
{
    int64_t ends = sample_below(sample, 4);
    int year = 2024 + (int)sample_below(sample, 3);

    buf_append_text(json, "{");
    if (ends != 0) {
        buf_append_text(json, "\"from\": ");
        put_day(sample, year, json);
    }
    if (ends != 1) {
        buf_append_text(json, ends == 0 ? "\"to\": " : ", \"to\": ");
        put_day(sample, year + 1 + (sample_chance(sample, 10) ? 12 : 0), json);
    }
    buf_append_text(json, "}");
}

static void
put_id(struct sample *sample, int n_ids, struct buf *json)
{
    buf_printf(json, "\"p%04d\"", (int)sample_below(sample, n_ids));
}

/* One of many codes, eight to a group; half of the time one of the first few. */
static void
put_wide_code(struct sample *sample, struct buf *json)
{
    int64_t most = sample_chance(sample, 50) ? 1 + sample->n_codes / 16 : sample->n_codes;
    int64_t code = sample_below(sample, most);

    if (sample_chance(sample, 5))
        buf_printf(json, "\"g%lld\"", (long long)code / 8);
    else
        buf_printf(json, "\"g%lld.c%lld\"", (long long)code / 8, (long long)code);
}

static void
put_value(struct sample *sample, const struct field_draw *field, int n_ids, struct buf *json)
{
    int64_t n;

    switch (field->draw) {
    case DRAW_CODE:
        buf_printf(json, "\"%s\"", word(sample, field->words));
        break;
    case DRAW_ID:
        put_id(sample, n_ids, json);
        break;
    case DRAW_SET:
    case DRAW_IDS:
    case DRAW_EMBEDDING:
        n = field->draw == DRAW_EMBEDDING ? 2 + sample_below(sample, 2) : sample_below(sample, 5);
        buf_append_text(json, "[");
        for (int64_t i = 0; i < n; i++) {
            buf_append_text(json, i == 0 ? "" : ", ");
            if (field->draw == DRAW_SET && sample->n_codes > 0 &&
                strcmp(field->family, "stages") != 0)
                put_wide_code(sample, json);
            else if (field->draw == DRAW_SET)
                buf_printf(json, "\"%s\"", word(sample, field->words));
            else if (field->draw == DRAW_IDS)
                put_id(sample, n_ids, json);
            else
                buf_printf(
                    json, "%d",
                    (int)sample_below(sample, 4) == 0 ? 0 : (int)sample_below(sample, 256) - 128);
        }
        buf_append_text(json, "]");
        break;
    case DRAW_NUMBER:
        buf_printf(json, "%lld", (long long)number(sample));
        break;
    case DRAW_MONEY:
        put_money(sample, json);
        break;
    case DRAW_PERIOD:
        put_period(sample, json);
        break;
    case DRAW_DAY:
        n = 2018 + sample_below(sample, 4);
        if (sample_chance(sample, 30))
            buf_printf(json, "\"%d\"", (int)n);
        else if (sample_chance(sample, 30))
            buf_printf(json, "\"%d-%02d\"", (int)n, (int)sample_below(sample, 12) + 1);
        else
            put_day(sample, (int)n, json);
        break;
    }
}

static void
put_fields(struct sample *sample, int of_hundred, int n_ids, bool begins, struct buf *json)
{
    for (int i = 0; i < N_FIELDS; i++) {
        int chance = fields[i].draw == DRAW_EMBEDDING              ? of_hundred / 3
                     : strcmp(fields[i].name, "conflicts") == 0    ? of_hundred / 6
                     : strcmp(fields[i].name, "organisation") == 0 ? of_hundred / 3
                                                                   : of_hundred;

        if (!sample_chance(sample, chance))
            continue;
        buf_printf(json, "%s\"%s\": ", begins ? "" : ", ", fields[i].name);
        if (sample_chance(sample, 3))
            buf_append_text(json, "null");
        else
            put_value(sample, &fields[i], n_ids, json);
        begins = false;
    }
    if (sample_chance(sample, of_hundred))
        buf_printf(json, "%s\"metro\": \"%s\"", begins ? "" : ", ",
                   word(sample, "paris\0silicon-valley\0"));
}

void
sample_profile(struct sample *sample, int i, int n, struct buf *json)
{
    buf_printf(json, "{\"id\": \"p%04d\", \"kind\": \"%s\"", i,
               word(sample, "startup\0incubator\0"));
    put_fields(sample, 70, n, false, json);
    if (sample_chance(sample, 40)) {
        buf_append_text(json, ", \"confidential\": {");
        put_fields(sample, 15, n, true, json);
        buf_append_text(json, "}");
    }
    if (sample_chance(sample, 90)) {
        buf_printf(json, ", \"consent\": {\"match\": %s",
                   sample_chance(sample, 92) ? "true" : "false");
        if (sample_chance(sample, 20)) {
            buf_append_text(json, ", \"until\": ");
            put_day(sample, 2025 + (int)sample_below(sample, 3), json);
        }
        buf_append_text(json, "}");
    }
    if (sample_chance(sample, 8))
        buf_append_text(json, ", \"status\": \"paused\"");
    buf_append_text(json, ", \"terms\": [");
    if (sample_chance(sample, 85)) {
        int64_t term = sample_below(sample, 3);

        buf_printf(json, "%lld, %d", (long long)term, 1 + (int)sample_below(sample, 2047));
        while (sample_chance(sample, 75) && term < 30) {
            term += 1 + sample_below(sample, 3);
            buf_printf(json, ", %lld, %d", (long long)term, 1 + (int)sample_below(sample, 2047));
        }
    }
    buf_append_text(json, "]}");
}

/* A field whose values this one can be compared with */
static const struct field_draw *
partner(struct sample *sample, const struct field_draw *field)
{
    for (;;) {
        const struct field_draw *other = &fields[sample_below(sample, N_FIELDS)];

        if (strcmp(other->family, field->family) == 0)
            return other;
    }
}

static const struct field_draw *
field_of(struct sample *sample, const char *families)
{
    for (;;) {
        const struct field_draw *field = &fields[sample_below(sample, N_FIELDS)];

        for (const char *at = families; *at != 0; at += strlen(at) + 1)
            if (strcmp(field->family, at) == 0)
                return field;
    }
}

#define SETS "sectors\0tags\0languages\0needs\0stages\0country\0city\0ids\0"

static const struct kind_draw {
    const char *type, *families;
} want_kinds[] = {{"overlap", "sectors\0needs\0"},
                  {"cover", SETS},
                  {"any", SETS},
                  {"same", SETS},
                  {"stage", "stages\0"},
                  {"range", "money\0number\0"},
                  {"at_least", "number\0"},
                  {"period", "period\0"},
                  {"text", ""},
                  {"record", SETS}},
  rule_kinds[] = {{"any", SETS},
                  {"all", SETS},
                  {"within", "stages\0"},
                  {"meets", "money\0number\0"},
                  {"equals", SETS},
                  {"differs", SETS},
                  {"at_least", "number\0"},
                  {"at_most", "number\0"},
                  {"before", "day\0"},
                  {"after", "day\0"},
                  {"overlaps", "period\0"}};

static void
put_want(struct sample *sample, int i, int scale, struct buf *json)
{
    const struct kind_draw *kind = &want_kinds[sample_below(sample, 10)];
    int64_t weight = 1 + sample_below(sample, 100);

    buf_printf(json, "%s{\"id\": \"w%d\", \"type\": \"%s\", \"weight\": %lld", i == 0 ? "" : ", ",
               i, kind->type, (long long)(weight * scale));
    if (strcmp(kind->type, "text") != 0) {
        const struct field_draw *of = field_of(sample, kind->families), *by = partner(sample, of);
        bool takes_number = strcmp(kind->type, "range") == 0 || strcmp(kind->type, "at_least") == 0;
        int64_t constant = takes_number ? sample_below(sample, 6) : 6;
        int64_t value = strcmp(of->family, "money") == 0 ? amount(sample) : number(sample);

        if (constant == 0)
            buf_printf(json, ", \"of\": %lld", (long long)value);
        else
            buf_printf(json, ", \"of\": \"%s\"", of->name);
        if (constant == 1)
            buf_printf(json, ", \"by\": %lld", (long long)value);
        else
            buf_printf(json, ", \"by\": \"%s%s\"",
                       strcmp(kind->type, "record") == 0 ? "record." : "", by->name);
    }
    if (sample_chance(sample, 40))
        buf_printf(json, ", \"missing\": %d", (int)sample_below(sample, 10001));
    if (sample_chance(sample, 40)) {
        int q = 0, n_knots = 2; /* the first and the last */

        buf_printf(json, ", \"curve\": [[0, %d]", (int)sample_below(sample, 10001));
        while (n_knots++ < 16 && sample_chance(sample, 60) && q < 9000) {
            q += 1 + (int)sample_below(sample, 900);
            buf_printf(json, ", [%d, %d]", q, (int)sample_below(sample, 10001));
        }
        buf_printf(json, ", [10000, %d]]", (int)sample_below(sample, 10001));
    }
    buf_append_text(json, "}");
}

static void
put_view(struct sample *sample, const char *name, int scale, struct buf *json)
{
    int64_t n = sample_chance(sample, 5) ? 0 : 1 + sample_below(sample, 7);

    buf_printf(json, ", \"%s\": [", name);
    for (int i = 0; i < n; i++)
        put_want(sample, i, scale, json);
    buf_append_text(json, "]");
}

static void
put_rule(struct sample *sample, int i, struct buf *json)
{
    const struct kind_draw *kind = &rule_kinds[sample_below(sample, 11)];
    const struct field_draw *of = field_of(sample, kind->families), *by = partner(sample, of);
    /* Codes by hand: a set that is empty is no constant */
    bool takes_constant = of->draw != DRAW_SET && of->draw != DRAW_IDS;
    int64_t constant = takes_constant ? sample_below(sample, 4) : 3;

    buf_printf(json, "%s{\"id\": \"r%d\", \"type\": \"%s\"", i == 0 ? "" : ", ", i, kind->type);
    buf_printf(json, ", \"of\": \"%s\", \"%s\": ", of->name, constant == 0 ? "value" : "by");
    if (constant == 0)
        put_value(sample, of, 24, json);
    else
        buf_printf(json, "\"%s\"", by->name);
    buf_printf(json, "%s}", sample_chance(sample, 70) ? ", \"missing\": \"pass\"" : "");
}

void
sample_pairing(struct sample *sample, const struct sample_pairing *how, struct buf *json)
{
    static const char *const combines[] = {"harmonic", "mean", "min", "from", "to"};
    static const char *const exchanged[] = {"harmonic", "mean", "min", "to", "from"};
    bool has_metros = sample_chance(sample, 50) || how->is_mirrored;
    bool has_kinds = sample_chance(sample, 50);
    const char *ends[2] = {"from", "to"};
    const char *views[2] = {"from_wants", "to_wants"};
    int64_t combine = sample_below(sample, 5);
    int x = how->is_exchanged ? 1 : 0;

    buf_printf(json, "{\"id\": \"x\", \"combine\": \"%s\"",
               how->is_exchanged ? exchanged[combine] : combines[combine]);
    buf_printf(json, ", \"%s\": {%s%s%s}", ends[x], has_kinds ? "\"kind\": \"startup\"" : "",
               has_kinds && has_metros ? ", " : "", has_metros ? "\"metro\": \"paris\"" : "");
    buf_printf(json, ", \"%s\": {%s%s%s}", ends[1 - x], has_kinds ? "\"kind\": \"incubator\"" : "",
               has_kinds && has_metros ? ", " : "",
               has_metros ? "\"metro\": \"silicon-valley\"" : "");
    if (how->is_mirrored)
        buf_append_text(json, ", \"mirror\": true");
    put_view(sample, views[x], how->from_scale, json);
    put_view(sample, views[1 - x], how->to_scale, json);
    if (how->has_require) {
        int64_t n = sample_below(sample, 4);

        buf_append_text(json, ", \"require\": [");
        for (int i = 0; i < n; i++)
            put_rule(sample, i, json);
        buf_append_text(json, "]");
    }
    buf_append_text(json, "}");
}
