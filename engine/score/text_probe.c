#include "text_probe.h"

#include <assert.h>
#include <string.h>

static_assert(PROBE_SLOTS >= 4 * TEXT_TERMS_MAX, "slots stay a quarter full");

static inline uint32_t
hash_of(uint32_t term)
{
    return term * UINT32_C(0x9e3779b1) >> (32 - PROBE_BITS);
}

static inline uint32_t
slot_of(uint32_t hash)
{
    return hash / ((1 << PROBE_BITS) / PROBE_SLOTS);
}

void
text_probe_make(struct text_probe *probe, const struct text_vector *vector)
{
    memset(probe, 0, sizeof *probe);
    for (uint32_t i = 0; i < vector->n; i++) {
        uint32_t hash = hash_of(vector->terms[i]), at = slot_of(hash);

        probe->bits[hash / 64] |= UINT64_C(1) << hash % 64;
        while (probe->slots[at].weight != 0)
            at = (at + 1) % PROBE_SLOTS;
        probe->slots[at].term = vector->terms[i];
        probe->slots[at].weight = vector->weights[i];
    }
}

static uint32_t
weight_of(const struct text_probe *probe, uint32_t term, uint32_t hash)
{
    for (uint32_t at = slot_of(hash);; at = (at + 1) % PROBE_SLOTS)
        if (probe->slots[at].weight == 0 || probe->slots[at].term == term)
            return probe->slots[at].weight;
}

int64_t
text_probe_dot(const struct text_probe *probe, const struct text_vector *other, uint32_t first,
               uint32_t end)
{
    int64_t dot = 0;

    for (uint32_t i = first; i < end; i++) {
        uint32_t hash = hash_of(other->terms[i]);

        if ((probe->bits[hash / 64] >> hash % 64 & 1) != 0)
            dot += (int64_t)weight_of(probe, other->terms[i], hash) * other->weights[i];
    }
    return dot;
}
