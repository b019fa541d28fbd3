#include "express.h"

#include "alloc.h"
#include "call.h"
#include "profile_write.h"

#include <string.h>

/* Places for answers; a profile's row says which is its own. */
enum { PLACES = 4096, ANSWER_BYTES_MAX = 64 * 1024 };

struct kept_answer {
    struct facts *facts; /* NULL: empty */
    char *bytes;
    size_t len;
    bool has_confidential; /* beside these bytes, which are the open part alone */
};

struct express {
    struct engine *engine;
    struct engine_view view; /* held from one request to the next, while nothing is published */
    uint64_t serial;         /* of that view */
    size_t bytes, bytes_max;
    struct kept_answer places[PLACES];
};

struct express *
express_create(struct engine *engine, size_t answers_bytes)
{
    struct express *express = mem_alloc_zeroed(1, sizeof *express);

    if (express == NULL)
        return NULL;
    express->engine = engine;
    express->bytes_max = answers_bytes;
    express->serial = engine_serial(engine);
    engine_view_hold(engine, &express->view);
    return express;
}

static void
forget(struct express *express, struct kept_answer *kept)
{
    if (kept->facts == NULL)
        return;
    facts_drop(kept->facts);
    mem_free(kept->bytes);
    express->bytes -= kept->len;
    *kept = (struct kept_answer){0};
}

static void
forget_all(struct express *express)
{
    for (size_t i = 0; i < PLACES; i++)
        forget(express, &express->places[i]);
}

void
express_destroy(struct express *express)
{
    if (express == NULL)
        return;
    forget_all(express);
    engine_view_drop(&express->view);
    mem_free(express);
}

void
express_count(struct express *express, const struct method *method, uint64_t calls,
              uint64_t microseconds_each)
{
    engine_count_calls(express->engine, (size_t)(method - methods), calls, microseconds_each);
}

/* ---- system.ping ---- */

struct str
express_ping(struct express *express, const struct caller *caller, struct str params)
{
    (void)express;
    (void)caller;
    return params.len == 0 ? STR_LIT("\xa4pong") : (struct str){NULL, 0};
}

/* ---- profile.get ---- */

/* The id of `{"id": "…"}`, the one parameter that most requests have; empty for anything else. */
static struct str
only_id(struct str params)
{
    static const char head[] = "\x81\xa2id";
    const unsigned char *at = (const unsigned char *)params.data + sizeof head - 1;
    size_t left = params.len - (sizeof head - 1), len;

    if (params.len < sizeof head + 1 || memcmp(params.data, head, sizeof head - 1) != 0)
        return (struct str){NULL, 0};
    if ((*at & 0xe0) == 0xa0) {
        len = *at & 0x1f;
        at += 1;
        left -= 1;
    } else if (*at == 0xd9 && left >= 2) {
        len = at[1];
        at += 2;
        left -= 2;
    } else {
        return (struct str){NULL, 0};
    }
    return len == left ? (struct str){(const char *)at, len} : (struct str){NULL, 0};
}

static void
look_at_newest(struct express *express)
{
    uint64_t serial = engine_serial(express->engine);

    if (serial == express->serial)
        return;
    engine_view_drop(&express->view);
    engine_view_hold(express->engine, &express->view);
    express->serial = serial;
}

/* Reads the profile's open part from the store and keeps it; false if that cannot be done: a call will say
 * what there is to say. */
static bool
learn(struct express *express, struct kept_answer *kept, struct str id, struct facts *facts)
{
    struct profile_record record;
    struct store_read *read;
    char *bytes = NULL;

    if (store_read_begin(engine_store(express->engine), &read, NULL) != ERR_OK)
        return false;
    if (store_profile_get(read, id, &record, NULL) == ERR_OK && record.open.len <= ANSWER_BYTES_MAX)
        bytes = mem_alloc(record.open.len);
    if (bytes != NULL) {
        if (express->bytes + record.open.len > express->bytes_max)
            forget_all(express); /* seldom: a new beginning is simpler than an order of age */
        memcpy(bytes, record.open.data, record.open.len);
        *kept = (struct kept_answer){facts_hold(facts), bytes, record.open.len,
                                     record.confidential.len > 0};
        express->bytes += kept->len;
    }
    store_read_end(read);
    return bytes != NULL;
}

struct str
express_profile_get(struct express *express, const struct caller *caller, struct str params)
{
    const struct str none = {NULL, 0};
    struct str id = only_id(params);
    bool sees = role_allows(caller->role, ROLE_OFFICER);
    struct kept_answer *kept;
    const struct facts *facts;
    uint32_t row;

    if (id.len == 0 || caller->role == ROLE_PARTNER)
        return none;
    look_at_newest(express);
    row = roster_find(express->view.roster, id);
    if (row == ROSTER_NO_ROW)
        return none;
    facts = roster_facts(express->view.roster, row);
    kept = &express->places[row % PLACES];
    if (kept->facts != facts) {
        forget(express, kept);
        if (!learn(express, kept, id, (struct facts *)(uintptr_t)facts))
            return none;
    }
    /* One who sees confidential parts gets them by a call, which notes the read in the log. */
    if (sees && kept->has_confidential)
        return none;
    return (struct str){kept->bytes, kept->len};
}
