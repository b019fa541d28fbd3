/* handle_watch.c: standing matches: who wants to be told how best lists move. */
#include "alloc.h"
#include "handle.h"
#include "match_select.h"
#include "watch_desk.h"

#include <inttypes.h>
#include <stdlib.h>

static enum err_code
need_seat(struct call *call, struct err *err)
{
    if (call->seat != NULL && call->host != NULL && call->host->watches != NULL)
        return ERR_OK;
    if (call->host == NULL)
        return err_set(err, ERR_INVALID_PARAMS,
                       "%s needs a running service, which can tell of changes; start jumelaged and "
                       "name it with --server",
                       call->method->name);
    return err_set(
        err, ERR_INVALID_PARAMS,
        "%s needs a connection that notifications can come over, not HTTP; look at `seq` "
        "in system.stats, and ask match.top when it has grown",
        call->method->name);
}

/* ---- the lists as they are ---- */

static int
by_id(const void *a, const void *b)
{
    return str_compare(((const struct standing_list *)a)->id,
                       ((const struct standing_list *)b)->id);
}

static void
pack_list(struct buf *out, const struct roster *roster, const struct standing_list *list)
{
    pack_map(out, 2);
    pack_key_str(out, "id", list->id);
    pack_key(out, "matches");
    pack_array(out, list->n);
    for (size_t i = 0; i < list->n; i++) {
        pack_map(out, 2);
        pack_key_str(out, "id", roster_facts(roster, list->rows[i])->id);
        pack_key_int(out, "score", list->scores[i]);
    }
}

static void
pack_best(void *context, const struct watch_lists *lists, uint64_t seq)
{
    struct call *call = context;
    struct buf *out = &call->answer;
    size_t n = watch_lists_count(lists), at = 0;
    struct standing_list *all = mem_alloc((n + 1) * sizeof *all);
    const struct roster *roster = standing_roster(lists->standings[0]);

    (void)seq;
    if (all == NULL) {
        out->is_exhausted = true;
        return;
    }
    for (size_t i = 0; i < lists->n_standings; i++)
        for (size_t place = 0; place < standing_n_places(lists->standings[i]); place++)
            at += standing_look(lists->standings[i], place, &all[at]);
    qsort(all, at, sizeof *all, by_id);
    pack_key(out, "best");
    pack_array(out, at);
    for (size_t i = 0; i < at && buf_check(out, NULL) == ERR_OK; i++)
        pack_list(out, roster, &all[i]);
    mem_free(all);
}

/* ---- match.watch ---- */

static bool
is_time_up(void *context)
{
    struct err ignored = {0};

    return call_check_time(context, &ignored) != ERR_OK;
}

/* Lists were stopped half-way: say whether by the asker or by the clock. */
static enum err_code
told_why(struct call *call, enum err_code code, struct err *err)
{
    struct err stopped = {0};

    if (code == ERR_CANCELLED && call_check_time(call, &stopped) != ERR_OK) {
        *err = stopped;
        code = stopped.code;
    }
    return code;
}

static enum err_code
select_lists(struct call *call, struct watch_wish *wish, struct err *err)
{
    struct selection selection;
    enum err_code code = call_has(call, "id") ? match_select(call, &selection, err)
                                              : match_select_side(call, &selection, err);

    if (code != ERR_OK)
        return code;
    *wish = (struct watch_wish){.programme = selection.programme->id,
                                .pairing = selection.pairing->id,
                                .id = call_str(call, "id"),
                                .on_from = selection.on_from,
                                .k = (size_t)call_int(call, "k"),
                                .min_score = (int32_t)call_int(call, "min_score")};
    return ERR_OK;
}

/* The answer can't be given: neither is there a watch. */
static enum err_code
check_answer(struct call *call, const struct watch_opened *opened, struct err *err)
{
    enum err_code code = buf_check(&call->answer, NULL);

    if (code == ERR_OK)
        return ERR_OK;
    watch_seat_unwatch(call->seat, opened->watch);
    if (code != ERR_TOO_LARGE)
        return err_no_memory(err);
    return err_set(err, ERR_TOO_LARGE,
                   "%zu lists do not fit into one answer; watch without `snapshot`, and ask "
                   "match.top for those that matter",
                   opened->n_lists);
}

enum err_code
handle_match_watch(struct call *call, struct err *err)
{
    const struct standing_stop stop = {is_time_up, call};
    struct watch_asker asker = {.stop = &stop, .context = call};
    struct buf *out = &call->answer;
    struct watch_opened opened;
    struct watch_wish wish;
    enum err_code code = need_seat(call, err);

    if (code == ERR_OK)
        code = select_lists(call, &wish, err);
    if (code != ERR_OK)
        return code;
    if (call_bool(call, "snapshot"))
        asker.pack = pack_best;
    pack_map(out, 8 + (size_t)(wish.id.len > 0) + (size_t)(asker.pack != NULL));
    code = told_why(
        call, watch_desk_watch(call->host->watches, call->seat, &wish, &asker, &opened, err), err);
    if (code != ERR_OK)
        return code;
    pack_key_int(out, "watch", (int64_t)opened.watch);
    pack_key_str(out, "programme", wish.programme);
    pack_key_str(out, "pairing", wish.pairing);
    pack_key_text(out, "side", wish.on_from ? "from" : "to");
    if (wish.id.len > 0)
        pack_key_str(out, "id", wish.id);
    pack_key_int(out, "k", (int64_t)wish.k);
    pack_key_int(out, "min_score", wish.min_score);
    pack_key_int(out, "seq", (int64_t)opened.seq);
    pack_key_int(out, "lists", (int64_t)opened.n_lists);
    call->watch = opened.watch;
    return check_answer(call, &opened, err);
}

/* ---- match.unwatch ---- */

enum err_code
handle_match_unwatch(struct call *call, struct err *err)
{
    struct buf *out = &call->answer;
    uint64_t number = (uint64_t)call_int(call, "watch");
    enum err_code code = need_seat(call, err);

    if (code != ERR_OK)
        return code;
    if (!watch_seat_unwatch(call->seat, number)) {
        err_set(err, ERR_NOT_FOUND, "this connection has no watch %" PRIu64, number);
        err_at(err, "watch");
        return ERR_NOT_FOUND;
    }
    pack_map(out, 2);
    pack_key_int(out, "watch", (int64_t)number);
    pack_key_int(out, "seq", (int64_t)call->view.seq);
    return ERR_OK;
}
