#ifndef JML_TOKENS_H
#define JML_TOKENS_H

#include "call.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * tokens: who may come in, and how a shown secret is held against what is stored.
 *
 *     jml_3f9a0c11d2e4_<43 characters>      what token.create shows, once
 *         └ public id  └ base64url of 32 random bytes, the secret
 *
 * Stored under the setting "token/<id>" is a map with the role, the name and the keyed BLAKE2b of the
 * secret (libsodium's crypto_generichash); the secret itself is nowhere. The key lives in a file of
 * its own in the store's folder, `token.key` (32 bytes, mode 0600), never in the data file, so that
 * a copy of the data lets nobody in. It is made with the first token. If it is lost while tokens
 * are in force, none of them holds, and token.create says so instead of making another.
 *
 * Random secrets of 256 bits need no slow hash (nobody can try that many); hashes are compared in
 * constant time, and an id that is not there costs as much as a wrong secret. When a token was last
 * used is written at most once a day, without waiting.
 *
 * Any thread.
 */
struct token_keeper;

enum { TOKEN_ID_CHARS = 12, TOKEN_SECRET_BYTES = 32, TOKEN_HASH_BYTES = 32, TOKEN_TEXT_MAX = 80 };

struct token_keeper *token_keeper_create(struct store *store, const struct clock *clock,
                                         struct log *log); /* NULL if out of memory */
void token_keeper_destroy(struct token_keeper *keeper);    /* after the store; NULL is fine */

/* A new token: its id, its text (to be shown once, wiped by the caller) and the hash to store.
 * ERR_CONFLICT if the key is lost while tokens are in force; ERR_FORBIDDEN if its file can be read by
 * others. */
struct new_token {
    char id[TOKEN_ID_CHARS + 1];
    char text[TOKEN_TEXT_MAX];
    uint8_t hash[TOKEN_HASH_BYTES];
};
enum err_code token_make(struct token_keeper *keeper, struct new_token *out, struct err *err);

/* Whose token this is, in the arena. ERR_UNAUTHENTICATED, in one sentence for whatever is wrong. */
enum err_code token_check(struct token_keeper *keeper, struct str text, struct arena *arena,
                          struct caller *out, struct err *err);
/* In force right now: there, not revoked, not expired? False also if the store cannot be read. */
bool token_holds(struct token_keeper *keeper, struct str id);

/* The stored form. Texts are borrowed from the bytes read. */
struct token_record {
    struct str id, name, metro, profile, note, created_by;
    enum role role;
    int64_t created_at, expires_ms, revoked_at, last_used_at; /* wall ms; 0: never */
    uint8_t hash[TOKEN_HASH_BYTES];
};
enum { TOKEN_RECORD_BYTES = 8192 };
/* `bytes` must outlive *out; ERR_INTERNAL if they are no token. */
enum err_code token_record_read(struct str id, struct str bytes, struct arena *arena,
                                struct token_record *out, struct err *err);
void token_record_pack(const struct token_record *record, struct buf *out);
/* "token/<id>", or empty if id is longer than any. */
struct token_setting {
    char name[32];
};
struct token_setting token_setting_of(struct str id);
bool token_is_in_force(const struct token_record *record, int64_t now_ms);

#endif
