/* engine_tables.c: other tables are put in force while readers go on. */
#include "arena.h"
#include "digest.h"
#include "engine_parts.h"
#include "log.h"
#include "method.h"
#include "tokens.h"
#include "value.h"

#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct tables_reload {
    struct engine *engine;
    struct write_request request;
    struct held_reference *held; /* read, not yet in force */
    struct share_files files;
    bool has_files;
    struct tables_reloaded told;
    void (*done)(void *context, const struct tables_reloaded *reloaded, const struct err *err);
    void *context;
};

static bool
digests_agree(const struct digest *a, const struct digest *b)
{
    return memcmp(a->bytes, b->bytes, DIGEST_BYTES) == 0;
}

static enum err_code
tables_read(struct tables_reload *reload, struct err *err)
{
    struct engine *engine = reload->engine;
    struct digest lexicon;
    enum err_code code = ERR_OK;

    if (!reload->has_files)
        code = share_files_read(engine->share_dir, &reload->files, err);
    if (code != ERR_OK)
        return code;
    reload->has_files = true;
    code = held_reference_take(&reload->files, &reload->held, err);
    if (code != ERR_OK)
        return code;
    lexicon = lexicon_files_digest(reload->files.lexicon);
    reload->told.lexicon_waits = !digests_agree(&lexicon, &engine->lexicon_digest);
    reload->told.digest = reload->held->reference->digest;
    reload->told.has_changed =
        !digests_agree(&reload->told.digest, &engine->held->reference->digest);
    return ERR_OK;
}

static enum err_code
tables_note(struct tables_reload *reload, struct store_txn *txn, struct err *err)
{
    struct tables_use use;
    enum err_code code;

    tables_use_init(&use, "reference", reload->files.reference, REFERENCE_FILE_COUNT);
    code = buf_check(&use.packed, err);
    if (code == ERR_OK)
        code = tables_use_write(txn, &use, err);
    buf_fini(&use.packed);
    return code;
}

/* All profiles by the new tables, beside what others of the group have in the making: if anything
 * fails, theirs goes on as if this had not been asked. */
static enum err_code
tables_apply(struct store_txn *txn, void *context, struct err *err)
{
    struct tables_reload *reload = context;
    struct engine *engine = reload->engine;
    struct roster_edit *before = engine->edit;
    struct err failure = {0};
    enum err_code code = reload->held != NULL ? ERR_OK : tables_read(reload, &failure);

    if (code == ERR_OK && !reload->told.has_changed)
        return ERR_OK;
    if (code == ERR_OK) {
        engine->edit = NULL;
        engine->next_held = held_reference_hold(reload->held);
        code = engine_reload(engine, txn, &failure);
        if (code == ERR_OK)
            code = tables_note(reload, txn, &failure);
        if (code == ERR_OK) {
            if (before != NULL)
                roster_edit_abandon(before);
            follow_note_tables(&engine->follow);
            return ERR_OK;
        }
        if (engine->edit != NULL)
            roster_edit_abandon(engine->edit);
        engine->edit = before;
        held_reference_drop(engine->next_held);
        engine->next_held = NULL;
    }
    if (err != NULL)
        *err = failure;
    return code;
}

static void
tables_done(void *context, const struct err *err)
{
    struct tables_reload *reload = context;

    reload->done(reload->context, &reload->told, err);
    held_reference_drop(reload->held);
    if (reload->has_files)
        share_files_fini(&reload->files);
    free(reload);
}

enum err_code
engine_tables_reload(struct engine *engine,
                     void (*done)(void *context, const struct tables_reloaded *reloaded,
                                  const struct err *err),
                     void *context, struct err *err)
{
    struct tables_reload *reload = calloc(1, sizeof *reload);
    enum err_code code;

    if (reload == NULL)
        return err_no_memory(err);
    reload->engine = engine;
    reload->done = done;
    reload->context = context;
    reload->request =
        (struct write_request){.run = tables_apply, .done = tables_done, .context = reload};
    code = store_submit(engine->store, &reload->request, err);
    if (code != ERR_OK)
        free(reload);
    return code;
}
