#include "programme_cache.h"

#include "alloc.h"
#include "engine_parts.h"
#include "faults.h"
#include "value.h"

#include <stdatomic.h>
#include <string.h>

enum { PROGRAMME_ARENA_BYTES = 16 * 1024 * 1024 };

struct kept_programme { /* unchanging, but for the count */
    _Atomic unsigned n_holders;
    struct held_reference *held;
    struct arena *arena;
    struct str bytes; /* that it was decoded from */
    struct programme *programme;
};

void
kept_programme_drop(struct kept_programme *kept)
{
    if (kept == NULL || atomic_fetch_sub(&kept->n_holders, 1) > 1)
        return;
    arena_destroy(kept->arena);
    held_reference_drop(kept->held);
    mem_free(kept);
}

const struct programme *
kept_programme_look(const struct kept_programme *kept)
{
    return kept->programme;
}

static enum err_code
decode(struct kept_programme *kept, struct str bytes, struct err *err)
{
    const char *copy = arena_copy(kept->arena, bytes.data, bytes.len);
    const msgpack_object *value;
    struct faults faults;
    enum err_code code;

    if (copy == NULL)
        return err_no_memory(err);
    kept->bytes = (struct str){copy, bytes.len};
    code = value_decode(copy, bytes.len, &value_limits_default, kept->arena, &value, err);
    if (code != ERR_OK)
        return code;
    faults_init(&faults, kept->arena);
    programme_decode(value, kept->held->reference, &faults, &kept->programme);
    return faults_first(&faults, err);
}

static enum err_code
make(struct str bytes, struct held_reference *held, struct kept_programme **out, struct err *err)
{
    struct kept_programme *kept = mem_alloc_zeroed(1, sizeof *kept);
    enum err_code code;

    if (kept == NULL)
        return err_no_memory(err);
    kept->n_holders = 1;
    kept->held = held_reference_hold(held);
    kept->arena = arena_create(PROGRAMME_ARENA_BYTES);
    code = kept->arena != NULL ? decode(kept, bytes, err) : err_no_memory(err);
    if (code == ERR_OK)
        *out = kept;
    else
        kept_programme_drop(kept);
    return code;
}

static struct kept_programme *
hold(struct kept_programme *kept)
{
    atomic_fetch_add(&kept->n_holders, 1);
    return kept;
}

/* The lock is held. */
static struct kept_programme *
find(const struct programme_cache *cache, struct str bytes, const struct held_reference *held)
{
    for (size_t i = 0; i < PROGRAMME_CACHE_MOST; i++) {
        struct kept_programme *kept = cache->places[i];

        if (kept != NULL && kept->held == held && str_equal(kept->bytes, bytes))
            return kept;
    }
    return NULL;
}

enum err_code
programme_cache_get(struct programme_cache *cache, struct str bytes, struct held_reference *held,
                    struct kept_programme **out, struct err *err)
{
    struct kept_programme *kept, *old = NULL;
    enum err_code code;

    pthread_mutex_lock(&cache->lock);
    kept = find(cache, bytes, held);
    if (kept != NULL)
        *out = hold(kept);
    pthread_mutex_unlock(&cache->lock);
    if (kept != NULL)
        return ERR_OK;
    code = make(bytes, held, &kept, err);
    if (code != ERR_OK)
        return code;
    *out = kept;
    pthread_mutex_lock(&cache->lock);
    if (find(cache, bytes, held) == NULL) { /* nobody else has made it meanwhile */
        old = cache->places[cache->next];
        cache->places[cache->next] = hold(kept);
        cache->next = (cache->next + 1) % PROGRAMME_CACHE_MOST;
    }
    pthread_mutex_unlock(&cache->lock);
    kept_programme_drop(old);
    return ERR_OK;
}

void
programme_cache_init(struct programme_cache *cache)
{
    *cache = (struct programme_cache){.next = 0};
    pthread_mutex_init(&cache->lock, NULL);
}

void
programme_cache_fini(struct programme_cache *cache)
{
    for (size_t i = 0; i < PROGRAMME_CACHE_MOST; i++)
        kept_programme_drop(cache->places[i]);
    pthread_mutex_destroy(&cache->lock);
}
