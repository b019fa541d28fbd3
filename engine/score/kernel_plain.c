#include "kernel_parts.h"

static unsigned
code_at(const struct kernel_bit_loss *loss, size_t place)
{
    unsigned code = 0;

    for (uint32_t j = 0; j < loss->n_bits; j++)
        code |= (unsigned)(loss->bits[j][place / 64] >> place % 64 & 1) << j;
    return code;
}

/* Every place that is still in question, one by one: most are not. */
static void
prune(const struct kernel_losses *losses, uint8_t most, size_t n_words, uint64_t *bits,
      uint8_t *sums)
{
    for (size_t word = 0; word < n_words; word++)
        for (uint64_t left = bits[word]; left != 0; left &= left - 1) {
            size_t place = word * 64 + (size_t)__builtin_ctzll(left);
            unsigned loss = 0;

            for (size_t i = 0; i < losses->n_bits; i++)
                loss += losses->bits[i].table[code_at(&losses->bits[i], place)];
            for (size_t i = 0; i < losses->n_bytes; i++)
                loss += losses->bytes[i].table[losses->bytes[i].codes[place]];
            sums[place] = loss < UINT8_MAX ? (uint8_t)loss : UINT8_MAX;
            if (loss > most)
                bits[word] &= ~(left & -left);
        }
}

static void
count(const uint64_t *const *planes, size_t n, uint32_t n_bits, size_t n_words, uint64_t *counts)
{
    count_words(planes, n, n_bits, n_words, counts);
}

static uint64_t
tally(const uint64_t *bits, size_t n_words)
{
    return tally_words(bits, n_words);
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

const struct kernel kernel_plain = {"plain", prune, count, tally, members, dots};
