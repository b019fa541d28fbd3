#include "tokens.h"

#include "alloc.h"
#include "file.h"
#include "log.h"

#include <sodium.h>

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { DAY_MS = 24 * 3600 * 1000, SCRATCH_ARENA_BYTES = 1024 * 1024, PATH_BYTES = 4096 };
#define TOKEN_PREFIX "jml_"

struct token_keeper {
    struct store *store;
    const struct clock *clock;
    struct log *log;
    pthread_mutex_t lock; /* of the key */
    bool has_key;
    uint8_t key[crypto_generichash_KEYBYTES];
};

struct token_keeper *
token_keeper_create(struct store *store, const struct clock *clock, struct log *log)
{
    struct token_keeper *keeper = mem_alloc_zeroed(1, sizeof *keeper);

    if (keeper == NULL)
        return NULL;
    if (sodium_init() < 0) { /* no source of randomness: nothing here could be trusted */
        mem_free(keeper);
        return NULL;
    }
    keeper->store = store;
    keeper->clock = clock;
    keeper->log = log;
    pthread_mutex_init(&keeper->lock, NULL);
    return keeper;
}

void
token_keeper_destroy(struct token_keeper *keeper)
{
    if (keeper == NULL)
        return;
    sodium_memzero(keeper->key, sizeof keeper->key);
    pthread_mutex_destroy(&keeper->lock);
    mem_free(keeper);
}

/* ---- the stored form ---- */

struct token_setting
token_setting_of(struct str id)
{
    struct token_setting setting = {""};

    if (id.len <= TOKEN_ID_CHARS)
        snprintf(setting.name, sizeof setting.name, "token/%.*s", STR_ARG(id));
    return setting;
}

static void
read_text(const msgpack_object *map, const char *key, struct str *out)
{
    *out = (struct str){NULL, 0};
    value_str(value_find(map, key), out);
}

static int64_t
read_number(const msgpack_object *map, const char *key)
{
    int64_t number = 0;

    value_int(value_find(map, key), &number);
    return number;
}

enum err_code
token_record_read(struct str id, struct str bytes, struct arena *arena, struct token_record *out,
                  struct err *err)
{
    const msgpack_object *map;
    struct str role, hash;
    enum err_code code =
        value_decode(bytes.data, bytes.len, &value_limits_default, arena, &map, err);

    if (code != ERR_OK)
        return code;
    *out = (struct token_record){.id = id};
    read_text(map, "role", &role);
    read_text(map, "name", &out->name);
    read_text(map, "metro", &out->metro);
    read_text(map, "profile", &out->profile);
    read_text(map, "note", &out->note);
    read_text(map, "created_by", &out->created_by);
    out->created_at = read_number(map, "created_at");
    out->expires_ms = read_number(map, "expires_ms");
    out->revoked_at = read_number(map, "revoked_at");
    out->last_used_at = read_number(map, "last_used_at");
    out->role = role_parse(role);
    if (out->role == 0 || !value_bin(value_find(map, "hash"), &hash) ||
        hash.len != TOKEN_HASH_BYTES)
        return err_set(err, ERR_INTERNAL, "the stored token %.*s is damaged", STR_ARG(id));
    memcpy(out->hash, hash.data, TOKEN_HASH_BYTES);
    return ERR_OK;
}

void
token_record_pack(const struct token_record *record, struct buf *out)
{
    pack_map(out, 11);
    pack_key_text(out, "role", role_name(record->role));
    pack_key_str(out, "name", record->name);
    pack_key_str(out, "metro", record->metro);
    pack_key_str(out, "profile", record->profile);
    pack_key_str(out, "note", record->note);
    pack_key_str(out, "created_by", record->created_by);
    pack_key_int(out, "created_at", record->created_at);
    pack_key_int(out, "expires_ms", record->expires_ms);
    pack_key_int(out, "revoked_at", record->revoked_at);
    pack_key_int(out, "last_used_at", record->last_used_at);
    pack_key(out, "hash");
    pack_bin(out, record->hash, TOKEN_HASH_BYTES);
}

bool
token_is_in_force(const struct token_record *record, int64_t now_ms)
{
    return record->revoked_at == 0 && (record->expires_ms == 0 || record->expires_ms > now_ms);
}

/* ---- the key ---- */

static void
key_path(const struct token_keeper *keeper, char path[PATH_BYTES])
{
    snprintf(path, PATH_BYTES, "%s/token.key", store_dir(keeper->store));
}

static enum err_code
read_key_from(struct token_keeper *keeper, int fd, const char *path, struct err *err)
{
    uint8_t bytes[crypto_generichash_KEYBYTES + 1];
    struct stat st;
    ssize_t n;

    if (fstat(fd, &st) != 0)
        return err_set_sys(err, errno, "look at %s", path);
    if (!S_ISREG(st.st_mode) || (st.st_mode & 077) != 0)
        return err_set(err, ERR_FORBIDDEN,
                       "others may read %s; set its mode to 0600, or no token holds", path);
    n = read(fd, bytes, sizeof bytes);
    if (n < 0)
        return err_set_sys(err, errno, "read %s", path);
    if (n != sizeof keeper->key)
        return err_set(err, ERR_CONFLICT,
                       "%s has not the %zu bytes of a key; put the right file back", path,
                       sizeof keeper->key);
    memcpy(keeper->key, bytes, sizeof keeper->key);
    sodium_memzero(bytes, sizeof bytes);
    keeper->has_key = true;
    return ERR_OK;
}

/* ERR_NOT_FOUND if there is none. The lock is held. */
static enum err_code
key_load(struct token_keeper *keeper, struct err *err)
{
    char path[PATH_BYTES];
    enum err_code code;
    int fd;

    if (keeper->has_key)
        return ERR_OK;
    key_path(keeper, path);
    fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd < 0)
        return err_set_sys(err, errno, "read %s", path);
    code = read_key_from(keeper, fd, path, err);
    close(fd);
    return code;
}

static enum err_code
count_in_force(struct token_keeper *keeper, size_t *n, struct err *err)
{
    int64_t now = keeper->clock->wall_ms(keeper->clock);
    struct arena *arena = arena_create(SCRATCH_ARENA_BYTES);
    struct store_read *read = NULL;
    struct store_walk *walk = NULL;
    struct str name, bytes;
    struct err failure = {0};
    enum err_code code = arena != NULL ? ERR_OK : err_no_memory(&failure);

    *n = 0;
    if (code == ERR_OK)
        code = store_read_begin(keeper->store, &read, &failure);
    if (code == ERR_OK)
        code = store_walk_settings(read, "token/", (struct str){NULL, 0}, &walk, &failure);
    while (code == ERR_OK && store_walk_next_setting(walk, &name, &bytes, &failure)) {
        struct token_record record;

        code = token_record_read(name, bytes, arena, &record, &failure);
        *n += code == ERR_OK && token_is_in_force(&record, now);
        arena_reset(arena);
    }
    if (code == ERR_OK)
        code = failure.code;
    store_walk_end(walk);
    store_read_end(read);
    arena_destroy(arena);
    if (code != ERR_OK)
        *err = failure;
    return code;
}

/* The lock is held. */
static enum err_code
key_make(struct token_keeper *keeper, struct err *err)
{
    char path[PATH_BYTES];
    uint8_t key[crypto_generichash_KEYBYTES];
    size_t n;
    enum err_code code = count_in_force(keeper, &n, err);

    if (code != ERR_OK)
        return code;
    key_path(keeper, path);
    if (n > 0)
        return err_set(
            err, ERR_CONFLICT,
            "%s is gone, so none of the %zu tokens in force holds; put it back, or revoke "
            "them first",
            path, n);
    crypto_generichash_keygen(key);
    code = file_write(path, key, sizeof key, 0600, err);
    if (code == ERR_OK) {
        memcpy(keeper->key, key, sizeof key);
        keeper->has_key = true;
    }
    sodium_memzero(key, sizeof key);
    return code;
}

static enum err_code
key_ensure(struct token_keeper *keeper, struct err *err)
{
    struct err failure = {0};
    enum err_code code;

    pthread_mutex_lock(&keeper->lock);
    code = key_load(keeper, &failure);
    if (code == ERR_NOT_FOUND) {
        failure = (struct err){0};
        code = key_make(keeper, &failure);
    }
    pthread_mutex_unlock(&keeper->lock);
    if (code != ERR_OK)
        *err = failure;
    return code;
}

/* ---- making ---- */

static void
hash_secret(const struct token_keeper *keeper, const uint8_t secret[TOKEN_SECRET_BYTES],
            uint8_t hash[TOKEN_HASH_BYTES])
{
    crypto_generichash(hash, TOKEN_HASH_BYTES, secret, TOKEN_SECRET_BYTES, keeper->key,
                       sizeof keeper->key);
}

enum err_code
token_make(struct token_keeper *keeper, struct new_token *out, struct err *err)
{
    uint8_t secret[TOKEN_SECRET_BYTES], id[TOKEN_ID_CHARS / 2];
    char encoded[sodium_base64_ENCODED_LEN(TOKEN_SECRET_BYTES,
                                           sodium_base64_VARIANT_URLSAFE_NO_PADDING)];
    enum err_code code = key_ensure(keeper, err);

    if (code != ERR_OK)
        return code;
    randombytes_buf(secret, sizeof secret);
    randombytes_buf(id, sizeof id);
    sodium_bin2hex(out->id, sizeof out->id, id, sizeof id);
    sodium_bin2base64(encoded, sizeof encoded, secret, sizeof secret,
                      sodium_base64_VARIANT_URLSAFE_NO_PADDING);
    snprintf(out->text, sizeof out->text, TOKEN_PREFIX "%s_%s", out->id, encoded);
    hash_secret(keeper, secret, out->hash);
    sodium_memzero(secret, sizeof secret);
    sodium_memzero(encoded, sizeof encoded);
    return ERR_OK;
}

/* ---- checking ---- */

struct parsed_token {
    struct str id;
    uint8_t secret[TOKEN_SECRET_BYTES];
};

static bool
parse_text(struct str text, struct parsed_token *out)
{
    size_t head = sizeof TOKEN_PREFIX - 1 + TOKEN_ID_CHARS, n;

    if (text.len <= head + 1 || memcmp(text.data, TOKEN_PREFIX, sizeof TOKEN_PREFIX - 1) != 0 ||
        text.data[head] != '_')
        return false;
    out->id = (struct str){text.data + sizeof TOKEN_PREFIX - 1, TOKEN_ID_CHARS};
    return sodium_base642bin(out->secret, sizeof out->secret, text.data + head + 1,
                             text.len - head - 1, NULL, &n, NULL,
                             sodium_base64_VARIANT_URLSAFE_NO_PADDING) == 0 &&
           n == sizeof out->secret;
}

static enum err_code
find_record(struct token_keeper *keeper, struct str id, struct arena *arena,
            struct token_record *out, struct err *err)
{
    struct token_setting setting = token_setting_of(id);
    struct store_read *read;
    struct str bytes;
    const char *copy = NULL;
    enum err_code code = store_read_begin(keeper->store, &read, err);

    if (code != ERR_OK)
        return code;
    code = store_setting_get(read, setting.name, &bytes, err);
    if (code == ERR_OK && (copy = arena_copy(arena, bytes.data, bytes.len)) == NULL)
        code = err_no_memory(err);
    if (code == ERR_OK)
        code = token_record_read(id, (struct str){copy, bytes.len}, arena, out, err);
    store_read_end(read);
    return code;
}

bool
token_holds(struct token_keeper *keeper, struct str id)
{
    struct arena *arena = arena_create(SCRATCH_ARENA_BYTES);
    struct token_record record;
    struct err err = {0};
    bool holds = arena != NULL && find_record(keeper, id, arena, &record, &err) == ERR_OK &&
                 token_is_in_force(&record, keeper->clock->wall_ms(keeper->clock));

    arena_destroy(arena);
    return holds;
}

/* ---- last use ---- */

struct use_note {
    struct write_request request;
    char id[TOKEN_ID_CHARS + 1];
};

static enum err_code
write_use(struct store_txn *txn, void *context, struct err *err)
{
    struct use_note *note = context;
    struct token_setting setting = token_setting_of(str_from(note->id));
    struct arena *arena = arena_create(SCRATCH_ARENA_BYTES);
    struct token_record record;
    struct buf packed;
    struct str bytes;
    enum err_code code = arena != NULL ? ERR_OK : err_no_memory(err);

    buf_init(&packed, TOKEN_RECORD_BYTES);
    if (code == ERR_OK)
        code = store_setting_get(store_txn_read(txn), setting.name, &bytes, err);
    if (code == ERR_OK)
        code = token_record_read(str_from(note->id), bytes, arena, &record, err);
    if (code == ERR_OK) {
        record.last_used_at = store_txn_now_ms(txn);
        token_record_pack(&record, &packed);
        code = buf_check(&packed, err);
    }
    if (code == ERR_OK)
        code = store_setting_put(txn, setting.name, buf_str(&packed), err);
    buf_fini(&packed);
    arena_destroy(arena);
    return code;
}

static void
use_written(void *context, const struct err *err)
{
    (void)err; /* a note for people; the next use tries again */
    mem_free(context);
}

static void
note_use(struct token_keeper *keeper, const struct token_record *record, int64_t now_ms)
{
    struct use_note *note;
    struct err err = {0};

    if (now_ms - record->last_used_at < DAY_MS ||
        (note = mem_alloc_zeroed(1, sizeof *note)) == NULL)
        return;
    snprintf(note->id, sizeof note->id, "%.*s", STR_ARG(record->id));
    note->request = (struct write_request){.run = write_use, .done = use_written, .context = note};
    if (store_submit(keeper->store, &note->request, &err) != ERR_OK)
        mem_free(note);
}

enum err_code
token_check(struct token_keeper *keeper, struct str text, struct arena *arena, struct caller *out,
            struct err *err)
{
    int64_t now = keeper->clock->wall_ms(keeper->clock);
    struct parsed_token token = {.id = STR_LIT("")};
    struct token_record record = {.role = 0};
    uint8_t hash[TOKEN_HASH_BYTES];
    struct err trouble = {0};
    bool is_text = parse_text(text, &token), is_there, is_right;

    pthread_mutex_lock(&keeper->lock);
    if (key_load(keeper, &trouble) != ERR_OK) {
        pthread_mutex_unlock(&keeper->lock);
        log_err(keeper->log, LOG_LEVEL_WARN, "token.key", "token.key", &trouble);
        return err_set(err, ERR_UNAUTHENTICATED,
                       "the token is unknown, revoked or expired; ask an admin for another");
    }
    pthread_mutex_unlock(&keeper->lock);
    is_there = find_record(keeper, token.id, arena, &record, &trouble) == ERR_OK;
    hash_secret(keeper, token.secret, hash);
    is_right = sodium_memcmp(hash, record.hash, sizeof hash) == 0;
    sodium_memzero(&token.secret, sizeof token.secret);
    if (!is_text || !is_there || !is_right || !token_is_in_force(&record, now))
        return err_set(err, ERR_UNAUTHENTICATED,
                       "the token is unknown, revoked or expired; ask an admin for another");
    *out = (struct caller){
        .role = record.role,
        .name = record.name,
        .metro = record.metro,
        .profile = record.profile,
        .token_id = arena_str(arena, token.id),
        .expires_ms = record.expires_ms,
    };
    if (out->token_id.data == NULL)
        return err_no_memory(err);
    note_use(keeper, &record, now);
    return ERR_OK;
}
