#include "ways.h"

const struct way ways[] = {
    {"ours, AVX-512", "avx512", match_top, match_batch},
    {"ours, AVX2", "avx2", match_top, match_batch},
    {"ours, plain kernel", "plain", match_top, match_batch},
    {"plain scorer", NULL, match_top_plain, NULL},
    {0},
};
