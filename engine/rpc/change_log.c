#include "change_log.h"

#include "alloc.h"

struct change_batch { /* in its arena; unchanging */
    struct change_batch *next;
    uint64_t number; /* one more than the last */
    bool is_everything;
    size_t bytes, n_profiles, n_parties, n_programmes, n_erased;
    struct str *profiles, *parties, *programmes, *erased;
    struct arena *arena;
};

static void
batch_destroy(struct change_batch *batch)
{
    if (batch != NULL)
        arena_destroy(batch->arena);
    mem_free(batch);
}

/* Ids of one list, copied. False if out of memory. */
static bool
copy_ids(struct change_batch *batch, const struct changed_id *from, struct str **ids, size_t *n)
{
    size_t count = 0;

    for (const struct changed_id *one = from; one != NULL; one = one->next)
        count++;
    *ids = arena_alloc(batch->arena, count, sizeof **ids);
    for (; from != NULL && *ids != NULL; from = from->next) {
        struct str id = arena_str(batch->arena, from->id);

        if (id.data == NULL)
            return false;
        (*ids)[(*n)++] = id;
    }
    return *ids != NULL;
}

static bool
copy_parties(struct change_batch *batch, const struct added_outcome *from)
{
    size_t count = 0;

    for (const struct added_outcome *one = from; one != NULL; one = one->next)
        count += 2;
    batch->parties = arena_alloc(batch->arena, count, sizeof *batch->parties);
    for (; from != NULL && batch->parties != NULL; from = from->next) {
        struct str ids[2] = {arena_str(batch->arena, from->from),
                             arena_str(batch->arena, from->to)};

        if (ids[0].data == NULL || ids[1].data == NULL)
            return false;
        batch->parties[batch->n_parties++] = ids[0];
        batch->parties[batch->n_parties++] = ids[1];
    }
    return batch->parties != NULL;
}

static struct change_batch *
batch_create(const struct engine_changes *changes)
{
    struct change_batch *batch = mem_alloc_zeroed(1, sizeof *batch);

    if (batch == NULL)
        return NULL;
    batch->is_everything = changes->is_everything || changes->has_new_rows || changes->has_new_day;
    batch->arena = arena_create(CHANGE_LOG_BYTES_MAX);
    if (batch->arena == NULL ||
        !copy_ids(batch, changes->profiles, &batch->profiles, &batch->n_profiles) ||
        !copy_ids(batch, changes->programmes, &batch->programmes, &batch->n_programmes) ||
        !copy_ids(batch, changes->erased, &batch->erased, &batch->n_erased) ||
        !copy_parties(batch, changes->outcomes)) {
        batch_destroy(batch);
        return NULL;
    }
    batch->bytes = sizeof *batch + arena_used(batch->arena);
    return batch;
}

void
change_log_add(struct change_log *log, const struct engine_changes *changes, bool is_followed)
{
    struct change_batch *batch = is_followed ? batch_create(changes) : NULL;

    log->last_number++;
    if (changes->has_erased)
        log->erased_number = log->last_number;
    if (changes->has_erased && changes->erased == NULL)
        log->blind_number = log->last_number;
    if (batch == NULL || log->bytes + batch->bytes > CHANGE_LOG_BYTES_MAX) {
        batch_destroy(batch);
        change_log_lose(log);
        return;
    }
    batch->number = log->last_number;
    if (log->last != NULL)
        log->last->next = batch;
    else
        log->first = batch;
    log->last = batch;
    log->bytes += batch->bytes;
}

void
change_log_trim(struct change_log *log, uint64_t seen)
{
    while (log->first != NULL && log->first->number <= seen) {
        struct change_batch *next = log->first->next;

        log->bytes -= log->first->bytes;
        log->lost_number = log->first->number;
        batch_destroy(log->first);
        log->first = next;
    }
    if (log->first == NULL)
        log->last = NULL;
}

void
change_log_lose(struct change_log *log)
{
    change_log_trim(log, log->last_number);
    log->lost_number = log->last_number;
    log->blind_number = log->erased_number;
}

/* False if out of memory. */
static bool
gather_ids(const struct str *from, size_t n, struct str *ids, size_t *n_ids, struct arena *arena)
{
    for (size_t i = 0; i < n; i++) {
        ids[*n_ids] = arena_str(arena, from[i]);
        if (ids[(*n_ids)++].data == NULL)
            return false;
    }
    return true;
}

void
change_log_gather(const struct change_log *log, uint64_t after, uint64_t to, struct str programme,
                  struct arena *arena, struct watch_news *out)
{
    size_t n_profiles = 0, n_parties = 0, n_erased = 0;
    struct str *profiles, *parties, *erased;
    bool is_whole = after >= log->lost_number;

    *out = (struct watch_news){.n_profiles = 0};
    for (const struct change_batch *b = log->first; b != NULL && b->number <= to; b = b->next)
        if (b->number > after) {
            n_profiles += b->n_profiles;
            n_parties += b->n_parties;
            n_erased += b->n_erased;
        }
    out->profiles = profiles = arena_alloc(arena, n_profiles, sizeof *profiles);
    out->parties = parties = arena_alloc(arena, n_parties, sizeof *parties);
    out->erased = erased = arena_alloc(arena, n_erased, sizeof *erased);
    out->is_blind = after < log->blind_number || erased == NULL;
    for (const struct change_batch *b = log->first; !out->is_blind && b != NULL && b->number <= to;
         b = b->next)
        if (b->number > after)
            out->is_blind = !gather_ids(b->erased, b->n_erased, erased, &out->n_erased, arena);
    if (out->is_blind)
        out->n_erased = 0;
    is_whole = is_whole && profiles != NULL && parties != NULL;
    for (const struct change_batch *b = log->first; is_whole && b != NULL && b->number <= to;
         b = b->next) {
        if (b->number <= after)
            continue;
        for (size_t i = 0; i < b->n_programmes; i++)
            out->has_new_programme |= str_equal(b->programmes[i], programme);
        is_whole = !b->is_everything &&
                   gather_ids(b->profiles, b->n_profiles, profiles, &out->n_profiles, arena) &&
                   gather_ids(b->parties, b->n_parties, parties, &out->n_parties, arena);
    }
    out->is_everything = !is_whole;
}
