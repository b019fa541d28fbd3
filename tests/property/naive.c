#include "naive.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { CODES_MAX = 160, CODE_BYTES = 80, FULL = 10000 };
#define NO_FROM INT64_C(-100000000)
#define NO_TO INT64_C(100000000)

enum shape { SHAPE_CODES, SHAPE_RANGE, SHAPE_PERIOD, SHAPE_DAY };

struct thing { /* one value, whatever its shape */
    bool is_missing;
    size_t n_codes;
    char codes[CODES_MAX][CODE_BYTES];
    int64_t min, max; /* dollars or numbers */
    int64_t from, to; /* days */
};

static int64_t
least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static int64_t
most(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

struct str
naive_id(const msgpack_object *profile)
{
    struct str id = {0};

    value_str(value_find(profile, "id"), &id);
    return id;
}

/* ---- values ---- */

static const msgpack_object *
value_of_field(const msgpack_object *profile, struct str field)
{
    const msgpack_object *hidden = value_find_str(value_find(profile, "confidential"), field);

    return value_is_nil(hidden) ? value_find_str(profile, field) : hidden;
}

/* Lower case, no accents, single spaces: enough for the tags and cities of sample.c. */
static void
fold(struct str text, char out[CODE_BYTES])
{
    size_t n = 0;

    for (size_t i = 0; i < text.len && n + 3 < CODE_BYTES; i++) {
        unsigned char c = (unsigned char)text.data[i];
        unsigned char next = i + 1 < text.len ? (unsigned char)text.data[i + 1] : 0;

        if (c == 0xC3 && (next == 0x89 || next == 0xA9)) { /* É é */
            out[n++] = 'e';
            i++;
        } else if (c == 0xC5 && (next == 0x92 || next == 0x93)) { /* Œ œ */
            out[n++] = 'o';
            out[n++] = 'e';
            i++;
        } else if (c == ' ') {
            if (n != 0 && out[n - 1] != ' ')
                out[n++] = ' ';
        } else {
            out[n++] = (char)(c >= 'A' && c <= 'Z' ? c + 32 : c);
        }
    }
    if (n != 0 && out[n - 1] == ' ')
        n--;
    out[n] = 0;
}

static bool
has_code(const struct thing *thing, const char *code)
{
    for (size_t i = 0; i < thing->n_codes; i++)
        if (strcmp(thing->codes[i], code) == 0)
            return true;
    return false;
}

static void
add_code(struct thing *thing, const msgpack_object *value, bool is_folded)
{
    struct str text;
    char code[CODE_BYTES];

    if (!value_str(value, &text))
        return;
    if (is_folded)
        fold(text, code);
    else
        snprintf(code, sizeof code, "%.*s", STR_ARG(text));
    if (has_code(thing, code))
        return;
    if (thing->n_codes == CODES_MAX)
        abort();
    memcpy(thing->codes[thing->n_codes++], code, sizeof code);
}

static void
add_codes(struct thing *thing, const msgpack_object *value, bool is_folded)
{
    add_code(thing, value, is_folded);
    for (size_t i = 0; value_is_array(value) && i < value_size(value); i++)
        add_code(thing, value_at(value, i), is_folded);
    thing->is_missing = thing->n_codes == 0;
}

static int64_t
day_number(struct str text)
{
    struct tm date = {.tm_mday = 1};
    char copy[16];
    int year = 0, month = 1, day = 1;

    snprintf(copy, sizeof copy, "%.*s", STR_ARG(text));
    if (sscanf(copy, "%d-%d-%d", &year, &month, &day) < 1)
        abort();
    date.tm_year = year - 1900;
    date.tm_mon = month - 1;
    date.tm_mday = day;
    return (int64_t)timegm(&date) / 86400; /* floor where it matters: midnight is exact */
}

static int64_t
rate_ppm(struct str currency, int64_t day)
{
    static const struct {
        const char *currency, *day;
        int64_t ppm;
    } rates[] = {{"USD", "2000-01-01", 1000000},
                 {"EUR", "2020-01-01", 1100000},
                 {"EUR", "2025-01-01", 1200000}};
    int64_t ppm = -1;

    for (size_t i = 0; i < sizeof rates / sizeof rates[0]; i++)
        if (str_is(currency, rates[i].currency) && day_number(str_from(rates[i].day)) <= day)
            ppm = rates[i].ppm;
    return ppm;
}

static void
take_money(const msgpack_object *value, int64_t day, struct thing *out)
{
    struct str currency;
    int64_t ppm;

    if (!value_int(value_find(value, "min"), &out->min) ||
        !value_str(value_find(value, "currency"), &currency))
        return;
    out->max = out->min;
    value_int(value_find(value, "max"), &out->max);
    ppm = rate_ppm(currency, day);
    if (ppm < 0)
        return;
    out->min = (int64_t)((__int128)out->min * ppm / 1000000);
    out->max = (int64_t)((__int128)out->max * ppm / 1000000);
    out->is_missing = false;
}

static void
take_period(const msgpack_object *value, struct thing *out)
{
    struct str text;

    out->from = NO_FROM;
    out->to = NO_TO;
    if (value_str(value_find(value, "from"), &text)) {
        out->from = day_number(text);
        out->is_missing = false;
    }
    if (value_str(value_find(value, "to"), &text)) {
        out->to = day_number(text);
        out->is_missing = false;
    }
}

static enum shape
shape_of(struct str field)
{
    static const struct {
        const char *field;
        enum shape shape;
    } shapes[] = {{"team", SHAPE_RANGE},   {"capacity", SHAPE_RANGE}, {"raising", SHAPE_RANGE},
                  {"ticket", SHAPE_RANGE}, {"founded", SHAPE_DAY},    {"available", SHAPE_PERIOD}};

    for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++)
        if (str_is(field, shapes[i].field))
            return shapes[i].shape;
    return SHAPE_CODES;
}

/* value as one of `field`, which says how it is read */
static void
take(const msgpack_object *value, struct str field, int64_t day, struct thing *out)
{
    struct str text;

    out->is_missing = true;
    out->n_codes = 0;
    if (value_is_nil(value))
        return;
    switch (shape_of(field)) {
    case SHAPE_CODES:
        add_codes(out, value, str_is(field, "tags") || str_is(field, "city"));
        break;
    case SHAPE_RANGE:
        if (value_is_map(value)) {
            take_money(value, day, out);
        } else if (value_is_array(value)) { /* a constant [lo, hi] */
            out->is_missing = !value_int(value_at(value, 0), &out->min) ||
                              !value_int(value_at(value, 1), &out->max);
        } else if (value_int(value, &out->min)) {
            out->max = out->min;
            out->is_missing = false;
        }
        break;
    case SHAPE_PERIOD:
        take_period(value, out);
        break;
    case SHAPE_DAY:
        if (value_str(value, &text)) {
            out->from = day_number(text);
            out->is_missing = false;
        }
        break;
    }
}

static void
take_field(const msgpack_object *profile, struct str field, int64_t day, struct thing *out)
{
    take(value_of_field(profile, field), field, day, out);
    if (str_is(field, "conflicts")) { /* the union */
        add_codes(out, value_find_str(profile, field), false);
        add_codes(out, value_find_str(value_find(profile, "confidential"), field), false);
    }
}

/* ---- qualities: -1 for missing ---- */

static size_t
count_shared(const struct thing *a, const struct thing *b)
{
    size_t n = 0;

    for (size_t i = 0; i < a->n_codes; i++)
        n += has_code(b, a->codes[i]);
    return n;
}

static bool
same_group(const char *a, const char *b)
{
    size_t n = strcspn(a, ".");

    return n == strcspn(b, ".") && memcmp(a, b, n) == 0;
}

static int64_t
overlap_quality(const struct thing *a, const struct thing *b)
{
    const struct thing *small = b->n_codes < a->n_codes ? b : a, *large = small == a ? b : a;
    int64_t sum = 0;

    for (size_t i = 0; i < small->n_codes; i++) {
        bool is_near = false;

        for (size_t j = 0; j < large->n_codes; j++)
            is_near = is_near || same_group(small->codes[i], large->codes[j]);
        sum += has_code(large, small->codes[i]) ? 10000 : is_near ? 5000 : 0;
    }
    return sum / (int64_t)small->n_codes;
}

static int
stage_order(const char *code)
{
    static const struct {
        const char *code;
        int order;
    } orders[] = {{"idea", 1}, {"proto", 2}, {"seed", 4}, {"growth", 8}};

    for (size_t i = 0; i < sizeof orders / sizeof orders[0]; i++)
        if (strcmp(code, orders[i].code) == 0)
            return orders[i].order;
    return -1;
}

static int64_t
stage_quality(const struct thing *a, const struct thing *b)
{
    int nearest = -1;

    for (size_t i = 0; i < a->n_codes; i++)
        for (size_t j = 0; j < b->n_codes; j++) {
            int x = stage_order(a->codes[i]), y = stage_order(b->codes[j]);

            if (x >= 0 && y >= 0 && (nearest < 0 || abs(x - y) < nearest))
                nearest = abs(x - y);
        }
    return nearest < 0 ? -1 : most(0, FULL - 4000 * (int64_t)nearest);
}

/* floor(2^(j/4)) <= x says 2^j < (x + 1)^4: the fourth power, written out, has its highest bit at j. */
int64_t
naive_cell(int64_t x)
{
    uint64_t limbs[5] = {1};
    int64_t highest = 0;
    int n_bits = 0;

    if (x == 0)
        return 0;
    for (int power = 0; power < 4; power++) {
        unsigned __int128 carry = 0;

        for (int i = 0; i < 5; i++) {
            carry += (unsigned __int128)limbs[i] * ((uint64_t)x + 1);
            limbs[i] = (uint64_t)carry;
            carry >>= 64;
        }
    }
    for (int bit = 0; bit < 320; bit++)
        if ((limbs[bit / 64] >> (bit % 64) & 1) != 0) {
            highest = bit;
            n_bits++;
        }
    return n_bits == 1 ? highest - 1 : highest;
}

static int64_t
range_quality(const struct thing *a, const struct thing *b)
{
    int64_t low_a = naive_cell(a->min), high_a = naive_cell(a->max), low_b = naive_cell(b->min),
            high_b = naive_cell(b->max), both = 0, between = 0;

    for (int64_t cell = low_a; cell <= high_a; cell++)
        both += low_b <= cell && cell <= high_b;
    if (both != 0)
        return FULL * both / (high_a - low_a + 1);
    for (int64_t cell = 0; cell < 400; cell++)
        between += (high_a < cell && cell < low_b) || (high_b < cell && cell < low_a);
    return most(0, 5000 - 1250 * between);
}

static int64_t
period_quality(const struct thing *a, const struct thing *b)
{
    int64_t from = a->from == NO_FROM ? b->from : a->from;
    int64_t to = a->to == NO_TO ? b->to : a->to;
    int64_t common;

    if (from == NO_FROM || to == NO_TO)
        return -1;
    if (from > to)
        return 0;
    to = least(to, from + 3660 - 1);
    common = most(0, least(to, b->to) - most(from, b->from) + 1);
    return FULL * common / (to - from + 1);
}

static int64_t
square_root(int64_t x)
{
    int64_t low = 0, high = INT64_C(4000000000);

    while (low < high) {
        int64_t middle = low + (high - low + 1) / 2;

        if ((__int128)middle * middle <= x)
            low = middle;
        else
            high = middle - 1;
    }
    return low;
}

static int64_t
number_at(const msgpack_object *list, size_t i)
{
    int64_t number = 0;

    value_int(value_at(list, i), &number);
    return number;
}

static int64_t
embedding_quality(const msgpack_object *a, const msgpack_object *b)
{
    __int128 dot = 0, norm_a = 0, norm_b = 0;

    for (size_t i = 0; i < value_size(a); i++) {
        dot += (__int128)number_at(a, i) * number_at(b, i);
        norm_a += (__int128)number_at(a, i) * number_at(a, i);
        norm_b += (__int128)number_at(b, i) * number_at(b, i);
    }
    if (norm_a == 0 || norm_b == 0)
        return -1;
    if (dot < 0)
        return 0;
    return least(FULL, (int64_t)(10000 * dot / square_root((int64_t)(norm_a * norm_b))));
}

static int64_t
text_quality(const msgpack_object *viewer, const msgpack_object *other)
{
    const msgpack_object *a = value_of_field(viewer, STR_LIT("embedding"));
    const msgpack_object *b = value_of_field(other, STR_LIT("embedding"));
    __int128 dot = 0, norm_a = 0, norm_b = 0;

    if (value_size(a) != 0 && value_size(a) == value_size(b))
        return embedding_quality(a, b);
    a = value_find(viewer, "terms");
    b = value_find(other, "terms");
    for (size_t i = 0; i < value_size(a); i += 2) {
        norm_a += (__int128)number_at(a, i + 1) * number_at(a, i + 1);
        for (size_t j = 0; j < value_size(b); j += 2)
            if (number_at(a, i) == number_at(b, j))
                dot += (__int128)number_at(a, i + 1) * number_at(b, j + 1);
    }
    for (size_t j = 0; j < value_size(b); j += 2)
        norm_b += (__int128)number_at(b, j + 1) * number_at(b, j + 1);
    if (norm_a == 0 || norm_b == 0)
        return -1;
    return least(FULL, (int64_t)(10000 * dot / square_root((int64_t)(norm_a * norm_b))));
}

static const msgpack_object *
profile_by_id(const struct naive *naive, struct str id)
{
    for (size_t i = 0; i < naive->n_profiles; i++)
        if (str_equal(naive_id(naive->profiles[i]), id))
            return naive->profiles[i];
    return NULL;
}

static int64_t
record_quality(const struct naive *naive, const struct thing *codes, struct str field,
               const msgpack_object *viewer, const msgpack_object *counterpart)
{
    static struct thing borne;
    int64_t counts[CODES_MAX] = {0}, h = 0;

    for (size_t i = 0; i < naive->n_outcomes; i++) {
        const struct naive_outcome *outcome = &naive->outcomes[i];
        bool on_from = str_equal(outcome->from, naive_id(counterpart));
        struct str other = on_from ? outcome->to : outcome->from;
        const msgpack_object *party = profile_by_id(naive, other);

        if (!on_from && !str_equal(outcome->to, naive_id(counterpart)))
            continue;
        if (!outcome->is_positive || outcome->day >= naive->day || party == NULL ||
            str_equal(other, naive_id(viewer)))
            continue;
        take_field(party, field, naive->day, &borne);
        for (size_t j = 0; j < codes->n_codes; j++)
            counts[j] += has_code(&borne, codes->codes[j]);
    }
    for (size_t j = 0; j < codes->n_codes; j++)
        h = most(h, counts[j]);
    return FULL * h / (h + 3);
}

/* ---- wants ---- */

/* A field's name, or a whole number that stands for a field */
static void
take_operand(const msgpack_object *operand, const msgpack_object *profile, int64_t day,
             struct thing *out)
{
    struct str field;
    int64_t number;

    if (value_str(operand, &field)) {
        take_field(profile, field, day, out);
    } else if (value_int(operand, &number)) {
        *out = (struct thing){.min = number, .max = number};
    } else {
        out->is_missing = true;
    }
}

static int64_t
want_quality(const struct naive *naive, const msgpack_object *want, const msgpack_object *viewer,
             const msgpack_object *counterpart)
{
    static struct thing a, b;
    struct str type = {0}, by = {0};

    value_str(value_find(want, "type"), &type);
    if (str_is(type, "text"))
        return text_quality(viewer, counterpart);
    take_operand(value_find(want, "of"), viewer, naive->day, &a);
    if (str_is(type, "record")) {
        value_str(value_find(want, "by"), &by);
        by.data += strlen("record.");
        by.len -= strlen("record.");
        return a.is_missing ? -1 : record_quality(naive, &a, by, viewer, counterpart);
    }
    take_operand(value_find(want, "by"), counterpart, naive->day, &b);
    if (a.is_missing || b.is_missing)
        return -1;
    if (str_is(type, "overlap"))
        return overlap_quality(&a, &b);
    if (str_is(type, "cover"))
        return FULL * (int64_t)count_shared(&a, &b) / (int64_t)a.n_codes;
    if (str_is(type, "any"))
        return count_shared(&a, &b) != 0 ? FULL : 0;
    if (str_is(type, "same"))
        return a.n_codes == b.n_codes && count_shared(&a, &b) == a.n_codes ? FULL : 0;
    if (str_is(type, "stage"))
        return stage_quality(&a, &b);
    if (str_is(type, "range"))
        return range_quality(&a, &b);
    if (str_is(type, "at_least"))
        return b.min >= a.min ? FULL : FULL * b.min / a.min;
    if (str_is(type, "period"))
        return period_quality(&a, &b);
    abort();
}

static int64_t
curve_points(const msgpack_object *curve, int64_t q)
{
    for (size_t i = 0; i + 1 < value_size(curve); i++) {
        int64_t q0 = number_at(value_at(curve, i), 0), p0 = number_at(value_at(curve, i), 1);
        int64_t q1 = number_at(value_at(curve, i + 1), 0),
                p1 = number_at(value_at(curve, i + 1), 1);
        int64_t product, step;

        if (q < q0 || q > q1)
            continue;
        product = (p1 - p0) * (q - q0);
        step = product / (q1 - q0);
        if (step * (q1 - q0) > product)
            step--; /* toward minus infinity */
        return p0 + step;
    }
    return q;
}

static int64_t
weight_of(const msgpack_object *want)
{
    int64_t weight = 0;

    value_int(value_find(want, "weight"), &weight);
    return weight;
}

static void
share_out(const msgpack_object *wants, int64_t weights, int64_t view, struct naive_want *out)
{
    size_t n = value_size(wants);
    bool has_more[NAIVE_WANTS_MAX] = {false};

    for (size_t i = 0; i < n; i++) {
        out[i].share = weight_of(value_at(wants, i)) * out[i].points / weights;
        view -= out[i].share;
    }
    for (; view > 0; view--) {
        size_t best = n;
        int64_t best_rest = -1;

        for (size_t i = 0; i < n; i++) {
            int64_t rest = weight_of(value_at(wants, i)) * out[i].points % weights;

            if (!has_more[i] && rest > best_rest) {
                best_rest = rest;
                best = i;
            }
        }
        if (best == n)
            abort();
        has_more[best] = true;
        out[best].share++;
    }
}

static int64_t
combine(const msgpack_object *pairing, int64_t a, int64_t b)
{
    struct str how = STR_LIT("harmonic");

    value_str(value_find(pairing, "combine"), &how);
    if (str_is(how, "mean"))
        return (a + b) / 2;
    if (str_is(how, "min"))
        return least(a, b);
    if (str_is(how, "from"))
        return a;
    if (str_is(how, "to"))
        return b;
    return a + b == 0 ? 0 : 2 * a * b / (a + b);
}

void
naive_score(const struct naive *naive, const msgpack_object *from, const msgpack_object *to,
            struct naive_score *out)
{
    int64_t all_weights = 0, known_weights = 0;

    for (int side = NAIVE_FROM; side <= NAIVE_TO; side++) {
        const msgpack_object *wants =
            value_find(naive->pairing, side == NAIVE_FROM ? "from_wants" : "to_wants");
        int64_t points = 0, weights = 0;

        out->n_wants[side] = value_size(wants);
        for (size_t i = 0; i < value_size(wants); i++) {
            const msgpack_object *want = value_at(wants, i);
            struct naive_want *made = &out->wants[side][i];

            made->quality = want_quality(naive, want, side == NAIVE_FROM ? from : to,
                                         side == NAIVE_FROM ? to : from);
            made->is_known = made->quality >= 0;
            if (!made->is_known) {
                made->quality = 5000;
                value_int(value_find(want, "missing"), &made->quality);
            }
            made->points = curve_points(value_find(want, "curve"), made->quality);
            points += weight_of(want) * made->points;
            weights += weight_of(want);
            known_weights += made->is_known ? weight_of(want) : 0;
        }
        all_weights += weights;
        out->views[side] = weights == 0 ? FULL : points / weights;
        if (weights != 0)
            share_out(wants, weights, out->views[side], out->wants[side]);
    }
    out->score = combine(naive->pairing, out->views[NAIVE_FROM], out->views[NAIVE_TO]);
    out->coverage = all_weights == 0 ? FULL : FULL * known_weights / all_weights;
}

/* ---- rules ---- */

static bool
is_on_side(const struct naive *naive, const msgpack_object *profile, bool on_from)
{
    bool other = on_from == naive->is_mirrored; /* whose metro is asked */
    const msgpack_object *side = value_find(naive->pairing, on_from ? "from" : "to");
    const msgpack_object *place = value_find(naive->pairing, other ? "to" : "from");
    struct str wanted, is;

    if (value_str(value_find(side, "kind"), &wanted) &&
        (!value_str(value_find(profile, "kind"), &is) || !str_equal(is, wanted)))
        return false;
    return !value_str(value_find(place, "metro"), &wanted) ||
           (value_str(value_of_field(profile, STR_LIT("metro")), &is) && str_equal(is, wanted));
}

static bool
lists_in_conflicts(const msgpack_object *profile, const msgpack_object *other)
{
    static struct thing conflicts, organisation;
    char id[CODE_BYTES];

    take_field(profile, STR_LIT("conflicts"), 0, &conflicts);
    take_field(other, STR_LIT("organisation"), 0, &organisation);
    snprintf(id, sizeof id, "%.*s", STR_ARG(naive_id(other)));
    return has_code(&conflicts, id) || count_shared(&organisation, &conflicts) != 0;
}

static uint64_t
own_rules(const struct naive *naive, const msgpack_object *profile)
{
    const msgpack_object *consent = value_find(profile, "consent");
    struct str text;
    bool may_match = false;
    uint64_t rules = 0;

    if (!value_bool(value_find(consent, "match"), &may_match) || !may_match)
        rules |= NAIVE_CONSENT;
    /* a consent that was never given can't lapse: the page leaves it open whether both are told */
    else if (value_str(value_find(consent, "until"), &text) && day_number(text) < naive->day)
        rules |= NAIVE_LAPSED;
    if (value_str(value_find(profile, "status"), &text) && str_is(text, "paused"))
        rules |= NAIVE_PAUSED;
    return rules;
}

static bool
requirement_holds(const struct naive *naive, const msgpack_object *requirement,
                  const msgpack_object *from, const msgpack_object *to)
{
    static struct thing of, by;
    struct str type = {0}, of_field = {0}, by_field = {0}, missing;
    const msgpack_object *constant = value_find(requirement, "value");

    value_str(value_find(requirement, "type"), &type);
    if (value_str(value_find(requirement, "of"), &of_field))
        take_field(from, of_field, naive->day, &of);
    if (value_str(value_find(requirement, "by"), &by_field))
        take_field(to, by_field, naive->day, &by);
    if (of_field.len == 0)
        take(constant, by_field, naive->day, &of);
    if (by_field.len == 0)
        take(constant, of_field, naive->day, &by);
    if (of.is_missing || by.is_missing)
        return value_str(value_find(requirement, "missing"), &missing) && str_is(missing, "pass");
    if (str_is(type, "any") || str_is(type, "within"))
        return count_shared(&of, &by) != 0;
    if (str_is(type, "all"))
        return count_shared(&of, &by) == of.n_codes;
    if (str_is(type, "equals") || str_is(type, "differs"))
        return (of.n_codes == by.n_codes && count_shared(&of, &by) == of.n_codes) ==
               str_is(type, "equals");
    if (str_is(type, "meets"))
        return naive_cell(of.min) <= naive_cell(by.max) && naive_cell(by.min) <= naive_cell(of.max);
    if (str_is(type, "at_least"))
        return of.min >= by.min;
    if (str_is(type, "at_most"))
        return of.min <= by.min;
    if (str_is(type, "before"))
        return of.from < by.from;
    if (str_is(type, "after"))
        return of.from > by.from;
    if (str_is(type, "overlaps"))
        return of.from <= by.to && by.from <= of.to;
    abort();
}

uint64_t
naive_rules(const struct naive *naive, const msgpack_object *from, const msgpack_object *to)
{
    const msgpack_object *require = value_find(naive->pairing, "require");
    uint64_t rules = own_rules(naive, from) | own_rules(naive, to);

    if (str_equal(naive_id(from), naive_id(to)))
        rules |= NAIVE_SELF;
    if (!is_on_side(naive, from, true) || !is_on_side(naive, to, false))
        rules |= NAIVE_SIDE;
    if (lists_in_conflicts(from, to) || lists_in_conflicts(to, from))
        rules |= NAIVE_CONFLICT;
    for (size_t i = 0; i < value_size(require); i++)
        if (!requirement_holds(naive, value_at(require, i), from, to))
            rules |= (uint64_t)NAIVE_REQUIREMENT << i;
    return rules;
}

/* ---- lists ---- */

static int
compare_hits(const void *a, const void *b)
{
    const struct naive_hit *x = a, *y = b;

    if (x->score != y->score)
        return x->score > y->score ? -1 : 1;
    return str_compare(naive_id(x->profile), naive_id(y->profile));
}

void
naive_top(const struct naive *naive, const msgpack_object *viewer, bool on_from, size_t k,
          int64_t min_score, struct naive_list *out)
{
    static struct naive_score score;

    out->n = 0;
    out->considered = out->eligible = 0;
    for (size_t i = 0; i < naive->n_profiles; i++) {
        const msgpack_object *other = naive->profiles[i];
        const msgpack_object *from = on_from ? viewer : other, *to = on_from ? other : viewer;

        if (str_equal(naive_id(viewer), naive_id(other)) || !is_on_side(naive, other, !on_from))
            continue;
        out->considered++;
        if (naive_rules(naive, from, to) != 0)
            continue;
        out->eligible++;
        naive_score(naive, from, to, &score);
        if (score.score >= min_score)
            out->hits[out->n++] = (struct naive_hit){other, score.score};
    }
    qsort(out->hits, out->n, sizeof *out->hits, compare_hits);
    if (out->n > k)
        out->n = k;
}
