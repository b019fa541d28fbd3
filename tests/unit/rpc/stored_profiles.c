#include "stored_profiles.h"

#include "value.h"

#include <stdio.h>

enum { A_WRITE = 500, PAIRS = 7, PAIRS_BYTES_MAX = 65536 };

struct some {
    int first, n, n_all;
};

static void
pack_pairs(struct buf *out, const char *id, int i, int n_all)
{
    static const char *const sectors[] = {"ai", "health.bio", "energy", "food.agri", "mobility"};
    char text[64];

    pack_key_text(out, "id", id);
    pack_key_text(out, "kind", i % 3 ? "startup" : "incubator");
    pack_key_text(out, "name", "N");
    pack_key(out, "description");
    pack_map(out, 1);
    snprintf(text, sizeof text, "robots number %d for hospitals", i % 40);
    pack_key_text(out, "en", text);
    pack_key(out, "sectors");
    pack_array(out, 2);
    pack_text(out, sectors[i % 5]);
    pack_text(out, sectors[(i + 2) % 5]);
    pack_key(out, "tags");
    pack_array(out, 2);
    snprintf(text, sizeof text, "Tag %d", i % 700);
    pack_text(out, text);
    snprintf(text, sizeof text, "Tag %d", i / 9);
    pack_text(out, text);
    pack_key(out, "conflicts");
    pack_array(out, 1);
    snprintf(text, sizeof text, "p%05d", (i * 7 + 1) % n_all);
    pack_text(out, text);
}

static enum err_code
put_one(struct store_txn *txn, int i, int n_all, struct err *err)
{
    struct journal_entry entry = {
        .actor = STR_LIT("test"), .method = STR_LIT("profile.put"), .what = STR_LIT("\x80")};
    struct profile_put put = {
        .n_pairs = PAIRS, .actor = entry.actor, .method = entry.method, .changed = STR_LIT("\x90")};
    char id[16];
    struct buf pairs;
    uint64_t version;
    enum err_code code;

    snprintf(id, sizeof id, "p%05d", i);
    entry.subject = put.id = str_from(id);
    if (i % 4 == 0)
        put.confidential = STR_LIT("\x81\xa4tags\x91\xa6Secret");
    buf_init(&pairs, PAIRS_BYTES_MAX);
    pack_pairs(&pairs, id, i, n_all);
    put.pairs = buf_str(&pairs);
    code = store_journal_add(txn, &entry, &put.seq, err);
    if (code == ERR_OK)
        code = store_profile_put(txn, &put, &version, err);
    buf_fini(&pairs);
    return code;
}

static enum err_code
put_some(struct store_txn *txn, void *context, struct err *err)
{
    const struct some *some = context;
    enum err_code code = ERR_OK;

    for (int i = 0; i < some->n && code == ERR_OK; i++)
        code = put_one(txn, some->first + i, some->n_all, err);
    return code;
}

enum err_code
stored_profiles_put(struct engine *engine, int n, struct err *err)
{
    enum err_code code = ERR_OK;

    for (int first = 0; first < n && code == ERR_OK; first += A_WRITE) {
        struct some some = {first, n - first < A_WRITE ? n - first : A_WRITE, n};

        code = store_write(engine_store(engine), put_some, &some, err);
    }
    return code;
}
