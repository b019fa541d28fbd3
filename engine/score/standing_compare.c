#include "alloc.h"
#include "standing_parts.h"

#include <stdlib.h>

struct shown
shown_of(const struct standing *standing, const struct roster *roster, uint32_t place)
{
    return (struct shown){.roster = roster,
                          .rows = rows_at(standing, place),
                          .scores = scores_at(standing, place),
                          .n = n_shown(standing, list_at(standing, place))};
}

static struct str
id_in(const struct shown *view, size_t at)
{
    return roster_facts(view->roster, view->rows[at])->id;
}

/* Rows may be others: with `by_id` the profiles are compared. */
static size_t
rank_in(const struct shown *in, const struct shown *of, size_t at, bool by_id)
{
    for (size_t i = 0; i < in->n; i++)
        if (by_id ? str_equal(id_in(in, i), id_in(of, at)) : in->rows[i] == of->rows[at])
            return i + 1;
    return 0;
}

void
shown_tell_difference(struct str id, const struct shown *before, const struct shown *after,
                      bool by_id, const struct standing_teller *teller)
{
    size_t same = 0; /* at the head of both */

    while (same < before->n && same < after->n && before->scores[same] == after->scores[same] &&
           (by_id ? str_equal(id_in(before, same), id_in(after, same))
                  : before->rows[same] == after->rows[same]))
        same++;
    for (size_t i = same; i < before->n; i++)
        if (rank_in(after, before, i, by_id) == 0) {
            const struct standing_event left = {.change = STANDING_LEFT,
                                                .id = id,
                                                .other = id_in(before, i),
                                                .before = (uint32_t)i + 1,
                                                .old_score = before->scores[i]};

            teller->tell(teller->context, &left);
        }
    for (size_t i = same; i < after->n; i++) {
        size_t rank = rank_in(before, after, i, by_id);
        struct standing_event event = {.change = rank == 0 ? STANDING_ENTERED : STANDING_MOVED,
                                       .id = id,
                                       .other = id_in(after, i),
                                       .rank = (uint32_t)i + 1,
                                       .before = (uint32_t)rank,
                                       .score = after->scores[i]};

        if (rank != 0)
            event.old_score = before->scores[rank - 1];
        if (rank != i + 1 || event.old_score != event.score)
            teller->tell(teller->context, &event);
    }
}

int
named_compare(const void *a, const void *b)
{
    return str_compare(((const struct named *)a)->id, ((const struct named *)b)->id);
}

enum err_code
standing_compare(const struct standing *standing, const struct standing *next,
                 const struct standing_teller *teller, struct err *err)
{
    const struct standing *both[2] = {standing, next};
    size_t n[2] = {0, 0};
    struct named *lists[2];
    enum err_code code = ERR_OK;

    for (int i = 0; i < 2; i++) {
        const struct standing *one = both[i];

        lists[i] = mem_alloc((one->n_lists + 1) * sizeof(struct named));
        for (uint32_t place = 0; place < one->n_places && lists[i] != NULL; place++)
            if (list_at(one, place)->looker != ROSTER_NO_ROW)
                lists[i][n[i]++] =
                    (struct named){.id = roster_facts(one->roster, list_at(one, place)->looker)->id,
                                   .after = shown_of(one, one->roster, place)};
        if (lists[i] != NULL)
            qsort(lists[i], n[i], sizeof(struct named), named_compare);
    }
    if (lists[0] == NULL || lists[1] == NULL)
        code = err_no_memory(err);
    for (size_t i = 0, j = 0; code == ERR_OK && (i < n[0] || j < n[1]);) {
        static const struct shown none = {.n = 0};
        int order = i == n[0] ? 1 : j == n[1] ? -1 : str_compare(lists[0][i].id, lists[1][j].id);

        shown_tell_difference(order <= 0 ? lists[0][i].id : lists[1][j].id,
                              order <= 0 ? &lists[0][i].after : &none,
                              order >= 0 ? &lists[1][j].after : &none, true, teller);
        i += order <= 0;
        j += order >= 0;
    }
    mem_free(lists[0]);
    mem_free(lists[1]);
    return code;
}
