/*
 * engine_day.c: a new UTC day is a change like others: journalled, numbered, published.
 *
 * The day of the last one stands in the store's settings. Whether another is due is decided inside the
 * transaction, from what is kept there, so that asking twice, restarts and a clock that goes back write
 * nothing: a day is noted once for each store, and never one before the last.
 */
#include "arena.h"
#include "date.h"
#include "engine_parts.h"
#include "log.h"
#include "value.h"

#include <stdatomic.h>

#define SETTING "day"

enum { SETTING_ARENA_BYTES = 4096, RETRY_MS = 1000, LOOK_AGAIN_MS = 60 * 1000, DAY_TEXT = 11 };
static const int64_t DAY_MS = INT64_C(24) * 3600 * 1000;

/* ---- the transaction ---- */

static enum err_code
day_read(struct store_read *read, int32_t *day, struct err *err)
{
    struct arena *arena;
    const msgpack_object *value;
    enum date_precision precision;
    struct str bytes, text = {NULL, 0};
    enum err_code code = store_setting_get(read, SETTING, &bytes, err);

    *day = DAY_NONE;
    if (code != ERR_OK)
        return code == ERR_NOT_FOUND ? ERR_OK : code;
    arena = arena_create(SETTING_ARENA_BYTES);
    code = arena == NULL
               ? err_no_memory(err)
               : value_decode(bytes.data, bytes.len, &value_limits_default, arena, &value, err);
    if (code == ERR_OK) {
        value_str(value, &text);
        code = date_parse(text, DATE_DAY, day, &precision, err);
    }
    arena_destroy(arena);
    return code;
}

static enum err_code
day_write(struct engine *engine, struct store_txn *txn, int32_t day, int32_t before,
          struct err *err)
{
    struct journal_entry entry = {.actor = STR_LIT("engine"), .method = STR_LIT("system.day")};
    char text[DAY_TEXT], earlier[DAY_TEXT];
    struct buf what, setting;
    enum err_code code;

    date_format(day, text);
    entry.subject = str_from(text);
    buf_init(&what, 256);
    pack_map(&what, before == DAY_NONE ? 1 : 2);
    pack_key_text(&what, "day", text);
    if (before != DAY_NONE) {
        date_format(before, earlier);
        pack_key_text(&what, "before", earlier);
    }
    buf_init(&setting, 64);
    pack_text(&setting, text);
    entry.what = buf_str(&what);
    code = buf_check(&what, err);
    if (code == ERR_OK)
        code = buf_check(&setting, err);
    if (code == ERR_OK)
        code = store_journal_add(txn, &entry, &engine->day.seq, err);
    if (code == ERR_OK)
        code = store_setting_put(txn, SETTING, buf_str(&setting), err);
    buf_fini(&setting);
    buf_fini(&what);
    return code;
}

static enum err_code
day_apply(struct store_txn *txn, void *context, struct err *err)
{
    struct engine *engine = context;
    int32_t today = date_from_ms(store_txn_now_ms(txn)), kept;
    enum err_code code = day_read(store_txn_read(txn), &kept, err);

    engine->day.has_begun = code == ERR_OK && (kept == DAY_NONE || kept < today);
    engine->day.next = engine->day.has_begun ? today : kept;
    if (!engine->day.has_begun)
        return code;
    code = engine_edit_ensure(engine, err); /* so that the seq and the serial of views move */
    if (code == ERR_OK)
        code = day_write(engine, txn, today, kept, err);
    if (code == ERR_OK)
        follow_note_day(&engine->follow, today);
    return code;
}

static void
day_done(void *context, const struct err *err)
{
    struct engine *engine = context;
    char text[DAY_TEXT];

    if (err->code != ERR_OK) {
        log_err(engine->log, LOG_LEVEL_WARN, "day.failed", "journal", err);
        atomic_store(&engine->day.has_failed, true);
    } else {
        atomic_store(&engine->day.noted, engine->day.next);
        date_format(engine->day.next, text);
        if (engine->day.has_begun)
            log_event(engine->log, LOG_LEVEL_INFO, "day.begins", log_text("day", text),
                      log_int("seq", (int64_t)engine->day.seq));
    }
    atomic_store(&engine->day.is_asked, false);
}

/* ---- looking ---- */

enum err_code
engine_day_open(struct engine *engine, struct err *err)
{
    struct store_read *read;
    int32_t day = DAY_NONE;
    enum err_code code = store_read_begin(engine->store, &read, err);

    if (code != ERR_OK)
        return code;
    code = day_read(read, &day, err);
    store_read_end(read);
    atomic_store(&engine->day.noted, day);
    return code;
}

/* Once for each day that the clock has gone back to. */
static void
tell_gone_back(struct engine *engine, int32_t today, int32_t noted)
{
    char now[DAY_TEXT], then[DAY_TEXT];

    if (atomic_exchange(&engine->day.gone_back_to, today) == today)
        return;
    date_format(today, now);
    date_format(noted, then);
    log_event(engine->log, LOG_LEVEL_WARN, "day.back", log_text("clock", now),
              log_text("noted", then));
}

void
engine_day_settle(struct engine *engine)
{
    struct err err = {0};

    if (atomic_load(&engine->day.noted) >= engine_today(engine) ||
        atomic_exchange(&engine->day.is_asked, true))
        return;
    if (store_write(engine->store, day_apply, engine, &err) == ERR_OK)
        err = (struct err){0};
    day_done(engine, &err);
}

int64_t
engine_day_look(struct engine *engine)
{
    int64_t now_ms = engine->clock->wall_ms(engine->clock);
    int32_t today = date_from_ms(now_ms), noted = atomic_load(&engine->day.noted);
    int64_t left_ms = (int64_t)(today + 1) * DAY_MS - now_ms;
    struct err ignored = {0};

    if (noted != DAY_NONE && noted >= today) {
        if (noted > today)
            tell_gone_back(engine, today, noted);
        return left_ms < LOOK_AGAIN_MS ? left_ms : LOOK_AGAIN_MS;
    }
    if (atomic_exchange(&engine->day.has_failed, false))
        return LOOK_AGAIN_MS; /* a full disk is not filled with lines about it */
    if (!atomic_exchange(&engine->day.is_asked, true)) {
        engine->day.request =
            (struct write_request){.run = day_apply, .done = day_done, .context = engine};
        if (store_submit(engine->store, &engine->day.request, &ignored) != ERR_OK)
            atomic_store(&engine->day.is_asked, false);
    }
    return RETRY_MS;
}
