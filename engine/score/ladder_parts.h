#ifndef JML_LADDER_PARTS_H
#define JML_LADDER_PARTS_H

#include "bits.h"
#include "ladder.h"

/*
 * ladder_parts: what each kind of ladder knows of its values, for ladder.c and ladder_climb.c only.
 *
 * …_fit       can a want be told so?
 * …_begin     what of the looker's value the ladder needs
 * …_bound     the quality of a class and metric: this, or no more than this
 * …_reach     which places of the block reach each level
 * …_place     the class and metric of one place
 */
enum { DAYS_KNOWN = 0, DAYS_MISSING = 1, WIDTH_UNKNOWN = SPAN_WIDTHS + 1 };

struct bound {
    int64_t quality;
    bool is_exact;
};

/* The first n metrics, a bit each. */
static inline uint32_t
metrics_below(uint32_t n)
{
    return n < LADDER_METRICS ? (UINT32_C(1) << n) - 1 : UINT32_MAX;
}

/* The class of what is missing. */
bool ladder_class_is_missing(const struct ladder *ladder, uint32_t size_class);
/* Those first that take most. */
void ladders_sort(struct ladders *ladders);

/* ---- ladder_sets.c ---- */

struct bound sets_bound(const struct ladder *ladder, const struct lens_want *want,
                        uint32_t size_class, uint32_t count);
bool sets_fit(const struct lens_want *want, const struct table *table);
void sets_begin(struct ladder *ladder, const struct lens *lens, const struct lens_want *want,
                const struct slot_codes *codes);
/* Its classes, once all its wants are known. */
void sets_classes(struct ladder *ladder, const struct lens *lens);
/* The planes of a block, looked up once. */
void sets_face(struct ladder *ladder, const struct block *block);
/* They begin to come from memory. */
void sets_fetch(const struct ladder *ladder, const struct block *block);
void sets_reach(const struct ladder *ladder, const struct kernel *kernel, const uint64_t *bits,
                struct ladder_scratch *scratch);
void sets_place(const struct ladder *ladder, uint32_t place, uint32_t *size_class,
                uint32_t *metric);

/* ---- ladder_spans.c: cells and days; the block's span is at hand ---- */

struct bound cells_bound(const struct ladder *ladder, const struct lens_want *want,
                         uint32_t size_class, uint32_t metric);
bool cells_fit(const struct lens_want *want, const struct points_row *row);
void cells_begin(struct ladder *ladder, const struct points_row *row);
void cells_reach(const struct ladder *ladder, const struct kernel *kernel, const uint64_t *bits,
                 uint64_t *levels);
void cells_place(const struct ladder *ladder, uint32_t place, uint32_t *size_class,
                 uint32_t *metric);
int32_t days_quality(const struct ladder *ladder, int32_t days);
struct bound days_bound(const struct ladder *ladder, uint32_t metric);
bool days_fit(const struct lens_want *want, const struct points_row *row);
void days_begin(struct ladder *ladder, const struct points_row *row);
void days_reach(const struct ladder *ladder, const struct kernel *kernel, const uint64_t *bits,
                uint64_t *levels);
/* Days that the looker has in common with a known place. */
int32_t days_common(const struct ladder *ladder, uint32_t place);
void days_place(const struct ladder *ladder, uint32_t place, uint32_t *size_class,
                uint32_t *metric);

#endif
