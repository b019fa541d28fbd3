#ifndef JML_CHANGE_LOG_H
#define JML_CHANGE_LOG_H

#include "arena.h"
#include "engine_follow.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * change_log: what commits changed, kept until everybody who follows has taken it over.
 *
 * A batch is what one commit changed; batches are numbered from 1 on, without gaps. All that is kept is at most
 * CHANGE_LOG_BYTES_MAX; over it, or where memory ends, all of it is dropped: who has not seen it then takes
 * everything for changed, and whoever is gone for erased. So noting a batch cannot fail. No lock of its own: its owner's is around all of
 * these.
 */
enum { CHANGE_LOG_BYTES_MAX = 8 * 1024 * 1024 };

struct change_log { /* zeroed: empty */
    struct change_batch *first, *last;
    size_t bytes;
    uint64_t last_number, lost_number; /* batches up to lost_number are not kept */
    uint64_t erased_number;            /* of the last batch with an erasure */
    uint64_t blind_number;             /* up to it, who was erased may have been forgotten */
};

/* Gives it the next number; keeps it if somebody follows. */
void change_log_add(struct change_log *log, const struct engine_changes *changes, bool is_followed);
void change_log_trim(struct change_log *log, uint64_t seen); /* batches up to it were seen by all */
void change_log_lose(struct change_log *log);                /* drops all that is kept */

/* What has happened between two moments. */
struct watch_news {
    const struct str *profiles, *parties; /* ids: put or deleted; named by an outcome */
    const struct str *erased;             /* whose ids must not be told any more */
    size_t n_profiles, n_parties, n_erased;
    bool is_everything, has_new_programme;
    bool is_blind; /* others may have been erased too: take for one whoever is gone */
};
/* What came after batch `after`, up to batch `to`, copied into the arena; everything where it is not known.
 * has_new_programme: of this one. */
void change_log_gather(const struct change_log *log, uint64_t after, uint64_t to,
                       struct str programme, struct arena *arena, struct watch_news *out);

#endif
