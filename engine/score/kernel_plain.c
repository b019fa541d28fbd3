#include "kernel_parts.h"

/* Every place that is still in question, one by one: most are not. */
static void
prune(const struct kernel_loss *losses, size_t n, uint8_t most, size_t n_words, uint64_t *bits)
{
    for (size_t word = 0; word < n_words; word++)
        for (uint64_t left = bits[word]; left != 0; left &= left - 1) {
            size_t place = word * 64 + (size_t)__builtin_ctzll(left);
            unsigned loss = 0;

            for (size_t i = 0; i < n; i++)
                loss += losses[i].table[losses[i].codes[place]];
            if (loss > most)
                bits[word] &= ~(left & -left);
        }
}

static void
members(const uint8_t *codes, const uint8_t *table, uint32_t n_codes, size_t n_words,
        uint64_t *bits)
{
    (void)n_codes;
    for (size_t word = 0; word < n_words; word++, codes += 64) {
        uint64_t set = 0;

        for (unsigned i = 0; i < 64; i++)
            set |= (uint64_t)(table[codes[i]] != 0) << i;
        bits[word] = set;
    }
}

static void
dots(const int8_t *vector, uint32_t n, const int8_t *const *others, size_t n_others, int32_t *out)
{
    for (size_t i = 0; i < n_others; i++)
        out[i] = dot_plain(vector, others[i], n);
}

const struct kernel kernel_plain = {"plain", prune, members, dots};
