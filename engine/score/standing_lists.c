#include "alloc.h"
#include "bits.h"
#include "standing_parts.h"

#include <string.h>

enum {
    SIGN_BITS = 8,  /* an entry */
    SIGNS_AGED = 4, /* a quarter as many have come: signs are made anew */
    SIGNS_FEW = 16
};

/* ---- signs ---- */

static size_t
page_entries(const struct standing *standing)
{
    return standing->page_lists * standing->room;
}

static size_t
sign_words(const struct standing *standing)
{
    return (page_entries(standing) * SIGN_BITS + 63) / 64;
}

/* The two bits of a row, of n. */
static void
signs_of(uint32_t row, size_t n, size_t bits[2])
{
    uint64_t hash = row * UINT64_C(0x9e3779b97f4a7c15);

    bits[0] = (size_t)((hash >> 32) * n >> 32);
    bits[1] = (size_t)((hash & UINT32_MAX) * n >> 32);
}

static void
sign(const struct standing *standing, struct page *page, uint32_t row)
{
    size_t bits[2];

    signs_of(row, sign_words(standing) * 64, bits);
    for (int i = 0; i < 2; i++)
        page->signs[bits[i] / 64] |= UINT64_C(1) << bits[i] % 64;
}

static void
sign_all(const struct standing *standing, struct page *page)
{
    size_t n = page_entries(standing);
    uint32_t n_signed = 0;

    memset(page->signs, 0, sign_words(standing) * sizeof *page->signs);
    for (size_t i = 0; i < n; i++)
        if (page->rows[i] != ROSTER_NO_ROW) {
            sign(standing, page, page->rows[i]);
            n_signed++;
        }
    page->has_signs = true;
    page->n_come = 0;
    page->n_signed = n_signed;
}

bool
page_may_have(const struct standing *standing, struct page *page, uint32_t row)
{
    size_t bits[2];

    if (!page->has_signs || page->n_come > page->n_signed / SIGNS_AGED + SIGNS_FEW)
        sign_all(standing, page);
    signs_of(row, sign_words(standing) * 64, bits);
    return has_bit(page->signs, (uint32_t)bits[0]) && has_bit(page->signs, (uint32_t)bits[1]);
}

/* A row that a list of the page now has. */
static void
note_row(const struct standing *standing, uint32_t place, uint32_t row)
{
    struct page *page = standing->pages[place / standing->page_lists];

    if (!page->has_signs)
        return;
    sign(standing, page, row);
    page->n_come++;
}

/* ---- places ---- */

/* What a candidate that is not on the list must score for the list to take note of it. */
int32_t
list_least(const struct standing *standing, const struct list *list)
{
    if (list->is_due)
        return NEVER;
    return list->is_whole || list->floor < standing->spec.min_score ? standing->spec.min_score
                                                                    : list->floor;
}

void
list_note_least(struct standing *standing, const struct list *list)
{
    if (standing->leasts != NULL)
        standing->leasts[list->looker] = (uint16_t)list_least(standing, list);
}

/* Entries whose places are not known any more. */
void
list_clear(struct standing *standing, uint32_t place)
{
    struct list *list = list_at(standing, place);

    memset(rows_at(standing, place), 0xff, list->n * sizeof(uint32_t));
    list->n = 0;
}

static enum err_code
charge(struct standing *standing, size_t bytes, struct err *err)
{
    if (bytes > standing->spec.bytes_max || standing->bytes > standing->spec.bytes_max - bytes)
        return err_set(
            err, ERR_TOO_LARGE,
            "lists of %zu matches for so many profiles need more than the %zu bytes that "
            "there are for them; ask for fewer, or for one profile",
            standing->spec.k, standing->spec.bytes_max);
    standing->bytes += bytes;
    return ERR_OK;
}

static enum err_code
page_add(struct standing *standing, struct err *err)
{
    size_t words = sign_words(standing), entries = page_entries(standing);
    size_t heads = (sizeof(struct page) + standing->page_lists * sizeof(struct list) + 7) / 8 * 8;
    size_t bytes =
        heads + words * sizeof(uint64_t) + entries * (sizeof(uint32_t) + sizeof(int32_t));
    struct page *page;

    if (standing->n_pages == standing->pages_room) {
        size_t room = standing->pages_room == 0 ? 1 : 2 * standing->pages_room;
        struct page **pages = mem_realloc(standing->pages, room * sizeof(struct page *));

        if (pages == NULL)
            return err_no_memory(err);
        standing->pages = pages;
        standing->pages_room = room;
    }
    if (charge(standing, bytes, err) != ERR_OK)
        return err->code;
    page = mem_alloc(bytes);
    if (page == NULL)
        return err_no_memory(err);
    page->has_signs = false;
    page->signs = (uint64_t *)(void *)((char *)page + heads);
    page->rows = (uint32_t *)(void *)(page->signs + words);
    page->scores = (int32_t *)(page->rows + entries);
    memset(page->rows, 0xff, entries * sizeof(uint32_t));
    standing->pages[standing->n_pages++] = page;
    return ERR_OK;
}

enum err_code
lists_reserve_rows(struct standing *standing, uint32_t n_rows, struct err *err)
{
    uint32_t room = standing->n_rows + standing->n_rows / 8 + 256;
    uint32_t *list_of;
    uint16_t *leasts;

    if (standing->page_lists == 1 || n_rows <= standing->n_rows)
        return ERR_OK;
    room = room > n_rows ? room : n_rows;
    if (charge(standing, (room - standing->n_rows) * (sizeof *list_of + sizeof *leasts), err) !=
        ERR_OK)
        return err->code;
    list_of = mem_realloc(standing->list_of, room * sizeof *list_of);
    standing->list_of = list_of != NULL ? list_of : standing->list_of;
    leasts = mem_realloc(standing->leasts, room * sizeof *leasts);
    standing->leasts = leasts != NULL ? leasts : standing->leasts;
    if (list_of == NULL || leasts == NULL)
        return err_no_memory(err);
    memset(list_of + standing->n_rows, 0xff, (room - standing->n_rows) * sizeof *list_of);
    for (uint32_t row = standing->n_rows; row < room; row++)
        leasts[row] = NEVER;
    standing->n_rows = room;
    return ERR_OK;
}

enum err_code
list_add(struct standing *standing, uint32_t looker, uint32_t *place, struct err *err)
{
    enum err_code code = ERR_OK;

    *place = standing->first_free;
    if (*place != NO_LIST) {
        standing->first_free = (uint32_t)list_at(standing, *place)->floor;
    } else {
        if (standing->n_places == standing->n_pages * standing->page_lists)
            code = page_add(standing, err);
        if (code != ERR_OK)
            return code;
        *place = standing->n_places++;
    }
    *list_at(standing, *place) = (struct list){.looker = looker, .is_whole = true};
    if (standing->list_of != NULL)
        standing->list_of[looker] = *place;
    list_note_least(standing, list_at(standing, *place));
    standing->n_lists++;
    return ERR_OK;
}

void
list_remove(struct standing *standing, uint32_t place)
{
    struct list *list = list_at(standing, place);

    list_clear(standing, place);
    if (standing->list_of != NULL) {
        standing->list_of[list->looker] = NO_LIST;
        standing->leasts[list->looker] = NEVER;
    }
    *list = (struct list){.looker = ROSTER_NO_ROW, .floor = (int32_t)standing->first_free};
    standing->first_free = place;
    standing->n_lists--;
}

/* ---- order ---- */

/* Does a hit stand before an entry of a list? */
static bool
stands_before(const struct roster *roster, uint32_t row, int32_t score, uint32_t other,
              int32_t other_score)
{
    if (score != other_score)
        return score > other_score;
    return str_compare(roster_facts(roster, row)->id, roster_facts(roster, other)->id) < 0;
}

/* Those that are not kept stand behind the last that is, and score at most `floor`: so whoever
 * scores more, or stands before the last, has a place; of another nothing is known but that. */
void
list_insert(struct standing *standing, const struct roster *roster, uint32_t place, uint32_t row,
            int32_t score)
{
    struct list *list = list_at(standing, place);
    uint32_t *rows = rows_at(standing, place);
    int32_t *scores = scores_at(standing, place);
    uint32_t at = list->n;

    while (at > 0 && stands_before(roster, row, score, rows[at - 1], scores[at - 1]))
        at--;
    if (at == list->n && !list->is_whole && score <= list->floor)
        return;
    if (list->n == standing->room) {
        list->is_whole = false;
        list->floor = at == list->n ? score : scores[list->n - 1];
        list_note_least(standing, list);
        if (at == list->n)
            return;
        list->n--;
    }
    memmove(rows + at + 1, rows + at, (list->n - at) * sizeof *rows);
    memmove(scores + at + 1, scores + at, (list->n - at) * sizeof *scores);
    rows[at] = row;
    scores[at] = score;
    list->n++;
    note_row(standing, place, row);
}

void
list_take(struct standing *standing, uint32_t place, const struct match_list *found)
{
    struct list *list = list_at(standing, place);
    uint32_t *rows = rows_at(standing, place);
    int32_t *scores = scores_at(standing, place);

    list_clear(standing, place);
    for (size_t i = 0; i < found->n; i++) {
        rows[i] = found->hits[i].row;
        scores[i] = found->hits[i].score.score;
        note_row(standing, place, rows[i]);
    }
    list->n = (uint32_t)found->n;
    list->is_whole = found->n < standing->room;
    list->floor = found->n > 0 ? scores[found->n - 1] : 0;
    list->is_due = false;
    list_note_least(standing, list);
}

void
list_remove_entry(struct standing *standing, uint32_t place, uint32_t at)
{
    struct list *list = list_at(standing, place);
    uint32_t *rows = rows_at(standing, place);
    int32_t *scores = scores_at(standing, place);

    list->n--;
    memmove(rows + at, rows + at + 1, (list->n - at) * sizeof *rows);
    memmove(scores + at, scores + at + 1, (list->n - at) * sizeof *scores);
    rows[list->n] = ROSTER_NO_ROW;
}
