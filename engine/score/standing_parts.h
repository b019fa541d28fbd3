#ifndef JML_STANDING_PARTS_H
#define JML_STANDING_PARTS_H

#include "plan.h"
#include "standing.h"

/*
 * standing_parts: the lists of a standing, for standing.c and its parts only.
 *
 *     standing_lists.c    where a list lies, who has one, what comes and goes in it
 *     standing.c          opening, searching, looking
 *     standing_compare.c  what is other in what is shown
 *     standing_update.c   the change of some profiles
 *
 * A list is named by its place: page place / page_lists, and there place % page_lists.
 */
enum {
    NO_LIST = UINT32_MAX,
    NEVER = 10001, /* a least score that nobody reaches */
    STANDING_SCRATCH_BYTES = 512 * 1024 * 1024,
    STANDING_QUERIES = 512 /* searched together */
};

struct list {
    uint32_t looker; /* its row; ROSTER_NO_ROW: none, and `floor` is the next free place */
    uint32_t n;      /* kept */
    int32_t floor;   /* no one that is not kept scores more; nothing where is_whole */
    bool is_whole;   /* everyone is kept */
    bool is_dirty;   /* stands in the update's list of lists that may have changed */
    bool is_due;     /* to be searched anew */
};

/*
 * A page: its lists' heads, and after them their entries in two arrays, so that looking for a row reads
 * nothing but rows. Unused rows are ROSTER_NO_ROW.
 *
 * Before these are read, the page's signs tell of most rows that no list of it has them: a filter as in Bloom,
 * "Space/time trade-offs in hash coding with allowable errors" (CACM 1970), two bits a row of eight that
 * there are for each entry. Entries that go leave their bits; once so many have come that the bits of those
 * that went may be a burden, signs are made anew. While lists are filled, by several threads, there are none.
 */
struct page {
    uint64_t *signs;
    uint32_t *rows;
    int32_t *scores;
    uint32_t n_signed, n_come; /* entries when the signs were made; that have come since */
    bool has_signs;
    struct list lists[];
};

struct standing {
    struct standing_spec spec;
    char *only;
    struct roster *roster;
    size_t room; /* entries of a list */
    size_t page_lists;
    struct page **pages;
    size_t n_pages, pages_room;
    uint32_t n_places, n_lists;
    uint32_t first_free; /* NO_LIST: none */
    uint32_t *list_of;   /* by row; NULL where there is only one */
    uint16_t *leasts;    /* likewise: what its list takes note of (list_least); NEVER: no list */
    uint32_t n_rows;     /* of these two */
    size_t bytes;
    struct standing_counts counts;
};

static inline struct list *
list_at(const struct standing *standing, uint32_t place)
{
    return &standing->pages[place / standing->page_lists]->lists[place % standing->page_lists];
}

static inline uint32_t *
rows_at(const struct standing *standing, uint32_t place)
{
    return standing->pages[place / standing->page_lists]->rows +
           place % standing->page_lists * standing->room;
}

static inline int32_t *
scores_at(const struct standing *standing, uint32_t place)
{
    return standing->pages[place / standing->page_lists]->scores +
           place % standing->page_lists * standing->room;
}

static inline uint32_t
place_of(const struct standing *standing, uint32_t row)
{
    if (standing->list_of != NULL)
        return row < standing->n_rows ? standing->list_of[row] : (uint32_t)NO_LIST;
    return standing->n_places > 0 && list_at(standing, 0)->looker == row ? 0 : (uint32_t)NO_LIST;
}

static inline size_t
n_shown(const struct standing *standing, const struct list *list)
{
    return list->n < standing->spec.k ? list->n : standing->spec.k;
}

/* ---- standing_lists.c ---- */

/* What a candidate that is not on the list must score for the list to take note of it. */
int32_t list_least(const struct standing *standing, const struct list *list);
/* After whatever may have changed that. */
void list_note_least(struct standing *standing, const struct list *list);
/* Could a list of the page have the row? Makes the page's signs ready: of one thread only. */
bool page_may_have(const struct standing *standing, struct page *page, uint32_t row);
/* Room for rows below n_rows. ERR_TOO_LARGE, ERR_BUSY. */
enum err_code lists_reserve_rows(struct standing *standing, uint32_t n_rows, struct err *err);
enum err_code list_add(struct standing *standing, uint32_t looker, uint32_t *place,
                       struct err *err); /* empty, and whole */
void list_remove(struct standing *standing, uint32_t place);
/* Entries whose places are not known any more. */
void list_clear(struct standing *standing, uint32_t place);
/* A candidate that is not on the list, and reaches list_least. */
void list_insert(struct standing *standing, const struct roster *roster, uint32_t place,
                 uint32_t row, int32_t score);
/* What a search has found. */
void list_take(struct standing *standing, uint32_t place, const struct match_list *found);
void list_remove_entry(struct standing *standing, uint32_t place, uint32_t at);

/* ---- standing.c ---- */

/* Is there a list for the profile of this row, on this roster? */
bool standing_looks(const struct standing *standing, const struct standing_plans *plans,
                    uint32_t row);
struct match_query standing_query(const struct standing *standing,
                                  const struct standing_plans *plans, uint32_t row,
                                  const struct standing_stop *stop);
/* The lists at these places anew. */
enum err_code standing_search(struct standing *standing, const struct standing_plans *plans,
                              const uint32_t *places, size_t n, const struct standing_stop *stop,
                              struct arena *arena, struct err *err);

/* ---- standing_compare.c ---- */

struct shown { /* the first k of a list, then or now */
    const struct roster *roster;
    const uint32_t *rows;
    const int32_t *scores;
    size_t n;
};

struct named { /* a list, to be put in order */
    struct str id;
    struct shown before, after;
};

struct shown shown_of(const struct standing *standing, const struct roster *roster, uint32_t place);
/* Rows may be others: with `by_id` the profiles are compared. */
void shown_tell_difference(struct str id, const struct shown *before, const struct shown *after,
                           bool by_id, const struct standing_teller *teller);
int named_compare(const void *a, const void *b); /* by id */

#endif
