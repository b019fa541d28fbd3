/* handle_journal.c: every change, and whether the chain of them holds. */
#include "handle.h"

#include <inttypes.h>

static void
pack_entry(struct buf *out, const struct journal_record *record)
{
    char hex[DIGEST_HEX_CHARS + 1];

    pack_map(out, 7 + (size_t)record->is_redacted);
    pack_key_int(out, "seq", (int64_t)record->seq);
    pack_key_int(out, "at", record->at);
    pack_key_str(out, "actor", record->actor);
    pack_key_str(out, "method", record->method);
    pack_key_str(out, "subject", record->subject);
    pack_key(out, "what");
    buf_append_str(out, record->what);
    digest_format(&record->digest, hex);
    pack_key_text(out, "digest", hex);
    if (record->is_redacted)
        pack_key_bool(out, "redacted", true);
}

static bool
entry_passes(const struct call *call, const struct journal_record *record)
{
    struct str subject = call_str(call, "subject"), method = call_str(call, "method");

    return (subject.len == 0 || str_equal(subject, record->subject)) &&
           (method.len == 0 || str_equal(method, record->method));
}

enum err_code
handle_journal_list(struct call *call, struct err *err)
{
    size_t limit = call_limit(call), n = 0, n_read = 0;
    struct buf *out = &call->answer;
    struct journal_record record;
    struct pack_open map, list;
    struct store_walk *walk;
    struct store_read *read;
    uint64_t last = call_after_number(call);
    bool has_more = false;
    enum err_code code = store_read_begin(engine_store(call->engine), &read, err);

    if (code != ERR_OK)
        return code;
    code = store_walk_journal(read, last, &walk, err);
    if (code != ERR_OK)
        goto out;
    map = pack_map_open(out);
    pack_key(out, "entries");
    list = pack_array_open(out);
    while (code == ERR_OK && store_walk_next_journal(walk, &record, err)) {
        if (++n_read % 1024 == 0)
            code = call_check_time(call, err);
        if (code != ERR_OK || !entry_passes(call, &record))
            continue;
        if (n == limit) {
            has_more = true;
            break;
        }
        pack_entry(out, &record);
        last = record.seq;
        n++;
    }
    if (code == ERR_OK && !has_more)
        code = err->code;
    pack_close(out, list, n);
    if (has_more)
        call_pack_next_number(call, last);
    pack_close(out, map, has_more ? 2 : 1);
    store_walk_end(walk);
out:
    store_read_end(read);
    return code;
}

enum err_code
handle_journal_verify(struct call *call, struct err *err)
{
    char hex[DIGEST_HEX_CHARS + 1];
    struct buf *out = &call->answer;
    struct store_read *read;
    struct journal_verdict verdict;
    enum err_code code = store_read_begin(engine_store(call->engine), &read, err);

    if (code != ERR_OK)
        return code;
    code = store_journal_verify(read, (uint64_t)call_int(call, "from"), &verdict, err);
    store_read_end(read);
    if (code != ERR_OK)
        return code;
    digest_format(&verdict.head, hex);
    pack_map(out, verdict.broken_at != 0 ? 9 : 7);
    pack_key_bool(out, "ok", verdict.broken_at == 0);
    pack_key_int(out, "entries", (int64_t)verdict.n);
    pack_key_int(out, "redacted", (int64_t)verdict.n_redacted);
    pack_key_int(out, "erased", (int64_t)verdict.n_erased);
    pack_key_int(out, "expired", (int64_t)(verdict.n_redacted - verdict.n_erased));
    pack_key_int(out, "unproved", (int64_t)verdict.n_unproved);
    pack_key_text(out, "head", hex);
    if (verdict.broken_at != 0) {
        pack_key_int(out, "broken_at", (int64_t)verdict.broken_at);
        pack_key_text(out, "fault", journal_fault_name(verdict.fault));
    }
    return ERR_OK;
}
