#include "roster.h"

#include "alloc.h"
#include "columns.h"
#include "names.h"
#include "span.h"

#include <stdatomic.h>
#include <stdlib.h>

/*
 * Rows lie in chunks of 256, counted and shared between a roster and its successors. An edit starts
 * with its base's chunks, one reference each, and copies a chunk the first time that it touches it;
 * so one change costs one chunk and the array of chunk pointers.
 *
 * Row r belongs to the id that is name r + 1 of the lineage, the one names table that all rosters of
 * a line share: it only grows, so that an older roster finds in it either a row of its own or one
 * beyond its end. An edit that is abandoned leaves its new names behind; their rows stay empty.
 *
 *     roster seq 7   [c0][c1][c2]          names: id -> row, shared
 *     roster seq 8   [c0][c1'][c2]         c1 copied for a change in it
 */
enum { CHUNK_ROWS = 256, CHUNKS_ROOM_MIN = 8 };

struct chunk {
    atomic_uint references;
    struct facts *facts[CHUNK_ROWS];
    struct record *records[CHUNK_ROWS];
    uint32_t places[CHUNK_ROWS]; /* in the columns; NO_PLACE where facts are NULL */
};

struct lineage {
    atomic_uint references;
    uint64_t n_edits; /* writer only */
    struct names *names;
};

struct roster {
    atomic_uint references;
    uint32_t n_rows, n_profiles, n_chunks, room;
    uint64_t seq;
    size_t bytes; /* chunks, facts, records */
    struct lineage *lineage;
    struct chunk **chunks;
    struct columns *columns; /* the same profiles, as scoring reads them */
};

struct roster_edit {
    struct roster *next;  /* what will be published; nobody else sees it yet */
    unsigned char *owned; /* by chunk: made by this edit */
    bool has_failed;
};

/* ---- counted pieces ---- */

static struct record *
record_hold(struct record *record)
{
    atomic_fetch_add_explicit(&record->references, 1, memory_order_relaxed);
    return record;
}

static void
record_drop(struct record *record)
{
    if (record != NULL &&
        atomic_fetch_sub_explicit(&record->references, 1, memory_order_acq_rel) == 1)
        mem_free(record);
}

static void
chunk_drop(struct chunk *chunk)
{
    if (chunk == NULL ||
        atomic_fetch_sub_explicit(&chunk->references, 1, memory_order_acq_rel) != 1)
        return;
    for (int i = 0; i < CHUNK_ROWS; i++) {
        facts_drop(chunk->facts[i]);
        record_drop(chunk->records[i]);
    }
    mem_free(chunk);
}

static struct lineage *
lineage_create(void)
{
    struct lineage *lineage = mem_alloc(sizeof *lineage);

    if (lineage == NULL)
        return NULL;
    atomic_init(&lineage->references, 1);
    lineage->names = names_create();
    if (lineage->names == NULL) {
        mem_free(lineage);
        return NULL;
    }
    return lineage;
}

static void
lineage_drop(struct lineage *lineage)
{
    if (lineage == NULL ||
        atomic_fetch_sub_explicit(&lineage->references, 1, memory_order_acq_rel) != 1)
        return;
    names_destroy(lineage->names);
    mem_free(lineage);
}

struct roster *
roster_hold(struct roster *roster)
{
    atomic_fetch_add_explicit(&roster->references, 1, memory_order_relaxed);
    return roster;
}

void
roster_drop(struct roster *roster)
{
    if (roster == NULL ||
        atomic_fetch_sub_explicit(&roster->references, 1, memory_order_acq_rel) != 1)
        return;
    for (uint32_t i = 0; i < roster->n_chunks; i++)
        chunk_drop(roster->chunks[i]);
    columns_destroy(roster->columns);
    lineage_drop(roster->lineage);
    mem_free(roster->chunks);
    mem_free(roster);
}

/* ---- reading ---- */

uint64_t
roster_seq(const struct roster *roster)
{
    return roster->seq;
}

uint32_t
roster_rows(const struct roster *roster)
{
    return roster->n_rows;
}

uint32_t
roster_profiles(const struct roster *roster)
{
    return roster->n_profiles;
}

/* The chunk of a row; NULL where no row of it was ever filled. */
static const struct chunk *
chunk_of(const struct roster *roster, uint32_t row)
{
    return row < roster->n_rows ? roster->chunks[row / CHUNK_ROWS] : NULL;
}

const struct facts *
roster_facts(const struct roster *roster, uint32_t row)
{
    const struct chunk *chunk = chunk_of(roster, row);

    return chunk != NULL ? chunk->facts[row % CHUNK_ROWS] : NULL;
}

const struct record *
roster_record(const struct roster *roster, uint32_t row)
{
    const struct chunk *chunk = chunk_of(roster, row);

    return chunk != NULL ? chunk->records[row % CHUNK_ROWS] : NULL;
}

uint32_t
roster_find(const struct roster *roster, struct str id)
{
    uint32_t name = names_find(roster->lineage->names, id);

    if (name == NAME_NONE || roster_facts(roster, name - 1) == NULL)
        return ROSTER_NO_ROW;
    return name - 1;
}

enum err_code
roster_need_texts(const struct roster *roster, struct err *err)
{
    enum err_code code = ERR_OK;

    for (uint32_t row = 0; row < roster_rows(roster) && code == ERR_OK; row++) {
        const struct facts *facts = roster_facts(roster, row);

        if (facts != NULL)
            code = facts_need_text(facts, err);
    }
    return code;
}

size_t
roster_bytes(const struct roster *roster)
{
    return roster->bytes + roster->columns->bytes + spans_bytes(roster->columns);
}

const struct columns *
roster_columns(const struct roster *roster)
{
    return roster->columns;
}

uint32_t
roster_place(const struct roster *roster, uint32_t row)
{
    const struct chunk *chunk = chunk_of(roster, row);

    return chunk != NULL && chunk->facts[row % CHUNK_ROWS] != NULL ? chunk->places[row % CHUNK_ROWS]
                                                                   : NO_PLACE;
}

/* ---- editing ---- */

static bool
chunks_reserve(struct roster_edit *edit, uint32_t n)
{
    struct roster *next = edit->next;
    uint32_t room = next->room;
    struct chunk **chunks;
    unsigned char *owned;

    if (n <= room)
        return true;
    while (room < n)
        room = room < CHUNKS_ROOM_MIN ? CHUNKS_ROOM_MIN : 2 * room;
    chunks = mem_realloc(next->chunks, room * sizeof(struct chunk *));
    if (chunks == NULL)
        return false;
    next->chunks = chunks;
    owned = mem_realloc(edit->owned, room);
    if (owned == NULL)
        return false; /* the longer array of chunks does no harm */
    memset(owned + next->room, 0, room - next->room);
    edit->owned = owned;
    next->room = room;
    return true;
}

struct roster_edit *
roster_edit_begin(struct roster *base)
{
    struct roster_edit *edit = mem_alloc_zeroed(1, sizeof *edit);
    struct roster *next = edit != NULL ? mem_alloc_zeroed(1, sizeof *next) : NULL;

    if (next == NULL) {
        mem_free(edit);
        return NULL;
    }
    edit->next = next;
    atomic_init(&next->references, 1);
    if (base != NULL) {
        atomic_fetch_add_explicit(&base->lineage->references, 1, memory_order_relaxed);
        next->lineage = base->lineage;
    } else {
        next->lineage = lineage_create();
    }
    if (next->lineage != NULL)
        next->columns = columns_edit(base != NULL ? base->columns : NULL, ++next->lineage->n_edits);
    if (next->columns == NULL || !chunks_reserve(edit, base != NULL ? base->n_chunks : 1)) {
        roster_edit_abandon(edit);
        return NULL;
    }
    if (base == NULL)
        return edit;
    for (uint32_t i = 0; i < base->n_chunks; i++) {
        next->chunks[i] = base->chunks[i];
        if (next->chunks[i] != NULL)
            atomic_fetch_add_explicit(&next->chunks[i]->references, 1, memory_order_relaxed);
    }
    next->n_chunks = base->n_chunks;
    next->n_rows = base->n_rows;
    next->n_profiles = base->n_profiles;
    next->bytes = base->bytes;
    return edit;
}

static struct chunk *
chunk_copy(const struct chunk *from)
{
    struct chunk *copy = mem_alloc_zeroed(1, sizeof *copy);

    if (copy == NULL)
        return NULL;
    atomic_init(&copy->references, 1);
    for (int i = 0; from != NULL && i < CHUNK_ROWS; i++) {
        if (from->facts[i] != NULL)
            copy->facts[i] = facts_hold(from->facts[i]);
        if (from->records[i] != NULL)
            copy->records[i] = record_hold(from->records[i]);
        copy->places[i] = from->places[i];
    }
    return copy;
}

/* The edit's own chunk for a row, which becomes one of its rows; NULL if memory ends. */
static struct chunk *
chunk_own(struct roster_edit *edit, uint32_t row)
{
    struct roster *next = edit->next;
    uint32_t at = row / CHUNK_ROWS;
    struct chunk *chunk;

    if (!chunks_reserve(edit, at + 1))
        return NULL;
    while (next->n_chunks <= at)
        next->chunks[next->n_chunks++] = NULL;
    if (!edit->owned[at]) {
        chunk = chunk_copy(next->chunks[at]);
        if (chunk == NULL)
            return NULL;
        if (next->chunks[at] == NULL)
            next->bytes += sizeof *chunk;
        chunk_drop(next->chunks[at]);
        next->chunks[at] = chunk;
        edit->owned[at] = 1;
    }
    if (next->n_rows <= row)
        next->n_rows = row + 1;
    return next->chunks[at];
}

/* The row of an id, a new one for a new id; ROSTER_NO_ROW if memory ends. */
static uint32_t
row_of(struct roster_edit *edit, struct str id, uint64_t hash)
{
    uint32_t name = names_add_hashed(edit->next->lineage->names, id, hash, 0);

    return name != NAME_NONE ? name - 1 : ROSTER_NO_ROW;
}

void
roster_edit_reserve(struct roster_edit *edit, uint32_t n)
{
    names_reserve(edit->next->lineage->names, n);
}

void
roster_edit_foresee_facts(const struct roster_edit *edit, const struct facts *facts)
{
    columns_foresee(edit->next->columns, facts);
}

void
roster_edit_foresee_values(const struct roster_edit *edit, const struct facts *facts)
{
    columns_foresee_values(edit->next->columns, facts);
}

void
roster_edit_foresee(const struct roster_edit *edit, const struct facts *facts)
{
    names_foresee(edit->next->lineage->names, facts->id_hash);
}

static uint32_t
outcomes_of(const struct chunk *chunk, uint32_t at)
{
    return chunk->records[at] != NULL ? chunk->records[at]->n : 0;
}

enum err_code
roster_edit_put(struct roster_edit *edit, struct facts *facts, struct err *err)
{
    uint32_t row = row_of(edit, facts->id, facts->id_hash);
    struct chunk *chunk = row != ROSTER_NO_ROW ? chunk_own(edit, row) : NULL;
    uint32_t at = row % CHUNK_ROWS;
    struct facts **place;

    if (chunk == NULL || !columns_put(edit->next->columns, chunk->facts[at], facts, row,
                                      outcomes_of(chunk, at), &chunk->places[at])) {
        facts_drop(facts);
        return err_no_memory(err);
    }
    place = &chunk->facts[at];
    if (*place != NULL)
        edit->next->bytes -= (*place)->bytes;
    else
        edit->next->n_profiles++;
    edit->next->bytes += facts->bytes;
    facts_drop(*place);
    *place = facts;
    return ERR_OK;
}

enum err_code
roster_edit_delete(struct roster_edit *edit, struct str id)
{
    uint32_t row = roster_find(edit->next, id);
    struct chunk *chunk;
    struct facts **place;

    if (row == ROSTER_NO_ROW)
        return ERR_OK;
    chunk = chunk_own(edit, row);
    place = chunk != NULL ? &chunk->facts[row % CHUNK_ROWS] : NULL;
    if (chunk == NULL ||
        !columns_remove(edit->next->columns, *place, chunk->places[row % CHUNK_ROWS])) {
        edit->has_failed = true;
        return ERR_BUSY;
    }
    edit->next->bytes -= (*place)->bytes;
    edit->next->n_profiles--;
    facts_drop(*place);
    *place = NULL;
    return ERR_OK;
}

/* ---- records ---- */

/* Memory for n outcomes grows in powers of two, so that a long record is not copied at each one. */
static size_t
record_bytes(uint32_t n)
{
    size_t room = 1;

    while (room < n)
        room *= 2;
    return sizeof(struct record) + room * sizeof(struct outcome);
}

/* The record at `at`, writable, with room for one outcome more; NULL if memory ends. A record that only
 * an own chunk holds is in nobody else's sight. */
static struct record *
record_own(struct roster_edit *edit, struct chunk *chunk, uint32_t at)
{
    struct record *old = chunk->records[at], *record;
    uint32_t n = outcomes_of(chunk, at);
    size_t old_bytes = old != NULL ? record_bytes(n) : 0, bytes = record_bytes(n + 1);

    if (chunk->facts[at] != NULL &&
        !columns_set_outcomes(edit->next->columns, chunk->facts[at], chunk->places[at], n + 1))
        return NULL;
    if (old != NULL && bytes == old_bytes &&
        atomic_load_explicit(&old->references, memory_order_acquire) == 1)
        return old;
    record = mem_alloc(bytes);
    if (record == NULL)
        return NULL;
    atomic_init(&record->references, 1);
    record->n = n;
    if (n > 0)
        memcpy(record->outcomes, old->outcomes, n * sizeof(struct outcome));
    edit->next->bytes += bytes - old_bytes;
    record_drop(old);
    chunk->records[at] = record;
    return record;
}

static void
record_insert(struct record *record, const struct outcome *outcome)
{
    uint32_t at = record->n++;

    for (; at > 0 && record->outcomes[at - 1].day > outcome->day; at--)
        record->outcomes[at] = record->outcomes[at - 1];
    record->outcomes[at] = *outcome;
}

enum err_code
roster_edit_outcome(struct roster_edit *edit, struct str from, struct str to, int32_t day,
                    bool is_positive, struct err *err)
{
    uint32_t rows[2] = {row_of(edit, from, names_hash(from)), row_of(edit, to, names_hash(to))};
    int n_sides = rows[0] != rows[1] ? 2 : 1; /* one with itself is written once */
    struct record *records[2];

    for (int side = 0; side < n_sides; side++) {
        struct chunk *chunk = rows[side] != ROSTER_NO_ROW ? chunk_own(edit, rows[side]) : NULL;

        records[side] = chunk != NULL ? record_own(edit, chunk, rows[side] % CHUNK_ROWS) : NULL;
        if (records[side] == NULL)
            return err_no_memory(err);
    }
    for (int side = 0; side < n_sides; side++) {
        struct outcome outcome = {.other = rows[1 - side], .day = day, .is_positive = is_positive};

        record_insert(records[side], &outcome);
    }
    return ERR_OK;
}

/* ---- the end of an edit ---- */

struct roster *
roster_publish(struct roster_edit *edit, uint64_t seq, struct err *err)
{
    struct roster *next = edit->next;

    if (edit->has_failed) {
        roster_edit_abandon(edit);
        err_no_memory(err);
        return NULL;
    }
    next->seq = seq;
    mem_free(edit->owned);
    mem_free(edit);
    return next;
}

void
roster_edit_abandon(struct roster_edit *edit)
{
    if (edit == NULL)
        return;
    roster_drop(edit->next);
    mem_free(edit->owned);
    mem_free(edit);
}
