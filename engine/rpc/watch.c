/* watch.c: one watch: what waits to be told to it, and how that is bounded. */
#include "alloc.h"
#include "value.h"
#include "watch_parts.h"

#include <stdio.h>
#include <string.h>

enum {
    FRAME_MORE_BYTES = 1024, /* of a notification beside its changes */
    PENDING_SHARE = 4        /* all that is pending: at most this part of total_bytes */
};

static void
pending_clear(struct watch *watch)
{
    watch->group->desk->pending_bytes -= watch->changes.len;
    buf_fini(&watch->changes);
    watch->changes = (struct buf){.data = NULL};
    watch->n_changes = 0;
}

void
watch_poke(struct watch *watch)
{
    watch->has_news = true;
    if (watch->is_started && !watch->seat->is_closed)
        watch->seat->poke(watch->seat->context);
}

void
watch_miss(struct watch *watch)
{
    struct watch_counts *counts = &watch->group->desk->counts;

    counts->missed += !watch->has_missed;
    watch->has_missed = true;
    pending_clear(watch);
}

void
watch_forget(struct watch *watch, const struct changed_id *erased)
{
    bool is_named = erased == NULL;

    if (watch->n_changes == 0)
        return;
    for (; erased != NULL && !is_named; erased = erased->next)
        is_named = memmem(watch->changes.data, watch->changes.len, erased->id.data,
                          erased->id.len) != NULL;
    if (is_named)
        watch_miss(watch);
}

void
watch_end(struct watch *watch, const char *why)
{
    pending_clear(watch);
    if (watch->why[0] == '\0')
        snprintf(watch->why, sizeof watch->why, "%s", why);
    watch_poke(watch);
}

/* Out of its group; its seat has let it go. */
void
watch_destroy(struct watch *watch)
{
    struct watch_group *group = watch->group;
    struct watch **link = &group->watches;

    while (*link != watch)
        link = &(*link)->next_of_group;
    *link = watch->next_of_group;
    pending_clear(watch);
    group->desk->n_watches--;
    atomic_fetch_sub(&watch->seat->n_watches, 1);
    mem_free(watch);
    watch_group_drop(group);
}

void
watch_add_changes(struct watch *watch, const struct buf *changes, size_t n)
{
    struct watch_desk *desk = watch->group->desk;
    size_t most = (size_t)watch_limit(desk, LIMIT_WATCH_BYTES);
    size_t most_of_all = (size_t)watch_limit(desk, LIMIT_TOTAL_BYTES) / PENDING_SHARE;

    if (watch->has_missed)
        return;
    if (buf_check(changes, NULL) != ERR_OK || watch->changes.len + changes->len > most ||
        desk->pending_bytes + changes->len > most_of_all) {
        watch_miss(watch);
        return;
    }
    watch->changes.limit = most;
    buf_append(&watch->changes, changes->data, changes->len);
    if (buf_check(&watch->changes, NULL) != ERR_OK) {
        watch_miss(watch);
        return;
    }
    desk->pending_bytes += changes->len;
    watch->n_changes += n;
}

/* One whole frame. */
static void
pack_notification(struct buf *out, const struct watch *watch)
{
    const struct watch_wish *wish = &watch->group->lists.wish;
    bool has_ended = watch->why[0] != '\0';

    pack_array(out, 3);
    pack_int(out, 2);
    pack_text(out, "match.changed");
    pack_array(out, 1);
    pack_map(out, 8 + (has_ended || watch->has_missed ? 2U : 0U));
    pack_key_int(out, "watch", (int64_t)watch->number);
    pack_key_str(out, "programme", wish->programme);
    pack_key_str(out, "pairing", wish->pairing);
    pack_key_text(out, "side", wish->on_from ? "from" : "to");
    pack_key_int(out, "from_seq", (int64_t)watch->told_seq);
    pack_key_int(out, "seq", (int64_t)watch->seq);
    pack_key_bool(out, "complete", !has_ended && !watch->has_missed);
    pack_key(out, "changes");
    pack_array(out, watch->n_changes);
    buf_append(out, watch->changes.data, watch->changes.len);
    if (has_ended) {
        pack_key_bool(out, "ended", true);
        pack_key_text(out, "why", watch->why);
    } else if (watch->has_missed) {
        pack_key_bool(out, "missed", true);
        pack_key_int(out, "resume_seq", (int64_t)watch->seq);
    }
}

void
watch_take(struct watch *watch, struct buf *out)
{
    buf_fini(out);
    buf_init(out, watch->changes.len + FRAME_MORE_BYTES);
    pack_notification(out, watch);
    watch->group->desk->counts.notifications++;
    watch->told_seq = watch->seq;
    watch->has_news = watch->has_missed = false;
    pending_clear(watch);
}
