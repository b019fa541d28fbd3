#ifndef JML_PROGRAMME_CACHE_H
#define JML_PROGRAMME_CACHE_H

#include "err.h"
#include "programme.h"

#include <pthread.h>

/*
 * programme_cache: programmes as they were last decoded, shared by the calls that name them.
 *
 * Decoding and checking one costs more than a search among some hundred profiles. What is kept is good for
 * the very bytes that are stored and the very tables that it was checked by, and is found by these: so
 * nobody tells the cache that either has changed. A few programmes; the one that was made first goes first.
 * Kept ones are counted: by the cache, and by each call that uses one. Any thread.
 */
enum { PROGRAMME_CACHE_MOST = 8 };

struct kept_programme;
struct held_reference;

struct programme_cache {
    pthread_mutex_t lock; /* of the places */
    struct kept_programme *places[PROGRAMME_CACHE_MOST];
    size_t next;
};

void programme_cache_init(struct programme_cache *cache);
void programme_cache_fini(struct programme_cache *cache);

/* The programme that the bytes say, held for the asker. The path of an error begins in the programme. */
enum err_code programme_cache_get(struct programme_cache *cache, struct str bytes,
                                  struct held_reference *held, struct kept_programme **out,
                                  struct err *err);
const struct programme *kept_programme_look(const struct kept_programme *kept);
void kept_programme_drop(struct kept_programme *kept);

#endif
