#include "alloc.h"
#include "standing_parts.h"

#include <string.h>

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
    size_t heads = sizeof(struct page) + standing->page_lists * sizeof(struct list);
    size_t entries = standing->page_lists * standing->room;
    size_t bytes = heads + entries * (sizeof(uint32_t) + sizeof(int32_t));
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
    page->rows = (uint32_t *)(void *)((char *)page + heads);
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
