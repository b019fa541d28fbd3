#include "cases.h"
#include "file.h"
#include "log.h"
#include "rpc_fixture.h"
#include "tokens.h"

#include <sodium.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static const char sentence[] = "the token is unknown, revoked or expired; ask an admin for another";
static const int64_t HOUR_MS = 3600000, DAY_MS = 24 * 3600000;

static struct rpc rpc;
static char key_path[128];

static void
setup(void)
{
    rpc_open(&rpc);
    snprintf(key_path, sizeof key_path, "%s/token.key", rpc.dir);
}

static void
teardown(void)
{
    rpc_close(&rpc);
}

TestSuite(tokens, .init = setup, .fini = teardown);

/* The text of a new token; *id, if wanted, is its public id. */
static const char *
create(const char *params, const char **id)
{
    const msgpack_object *made = rpc_ok(&rpc, "token.create", params);

    if (id != NULL)
        *id = rpc_text(&rpc, made, "id");
    return rpc_text(&rpc, made, "token");
}

static enum err_code
check(const char *text, struct caller *caller)
{
    rpc.err = (struct err){0};
    return token_check(engine_tokens(rpc.engine), str_from(text), rpc.arena, caller, &rpc.err);
}

static void
expect_refused(const char *text, const char *says)
{
    struct caller caller;

    cr_expect_eq(check(text, &caller), ERR_UNAUTHENTICATED, "%s", says);
    cr_expect_str_eq(rpc.err.message, sentence, "%s", says);
    cr_expect_str_eq(rpc.err.field, "", "%s", says);
}

static void
end_token(const char *id)
{
    rpc_ok(&rpc, "token.revoke", arena_format(rpc.arena, "{\"id\": \"%s\"}", id).data);
}

Test(tokens, a_token_says_who_holds_it)
{
    const char *id, *text = create("{\"role\": \"officer\", \"name\": \" Marie \", \"metro\": "
                                   "\"paris\", \"expires\": \"2026-06-30\"}",
                                   &id);
    struct caller caller;

    cr_assert_eq(check(text, &caller), ERR_OK, "%s", rpc.err.message);
    cr_expect_eq(caller.role, ROLE_OFFICER);
    cr_expect(str_is(caller.name, "Marie"));
    cr_expect(str_is(caller.metro, "paris"));
    cr_expect_eq(caller.profile.len, 0);
    cr_expect(str_is(caller.token_id, id));
    cr_expect_eq(caller.expires_ms, rpc.clock.fixed_wall_ms + 30 * DAY_MS);
    cr_expect(token_holds(engine_tokens(rpc.engine), str_from(id)));
}

Test(tokens, whatever_is_wrong_is_told_in_the_same_sentence)
{
    char *text =
        arena_text(rpc.arena, str_from(create("{\"role\": \"reader\", \"name\": \"n\"}", NULL)));
    size_t n = strlen(text);
    static const char *const none[] = {"",
                                       "jml_",
                                       "jml_0f1e2d3c4b5a",
                                       "jml_0f1e2d3c4b5a_",
                                       "jml_0f1e2d3c4b5a_AAAA",
                                       "token",
                                       "jml_/../../etc/pw_AAAA"};

    for (size_t i = 0; i < sizeof none / sizeof none[0]; i++)
        expect_refused(none[i], none[i]);
    for (size_t i = 0; i < n; i++) { /* each character counts, and each is needed */
        char was = text[i];

        text[i] = was == 'A' ? 'B' : 'A';
        /* the last one bears two bits that decoding refuses to have set */
        expect_refused(text, text);
        text[i] = '\0';
        expect_refused(text, text);
        text[i] = was;
    }
    expect_refused(arena_format(rpc.arena, "%s=", text).data, "with padding");
    expect_refused(arena_format(rpc.arena, "%sA", text).data, "longer");
    expect_refused(arena_format(rpc.arena, " %s", text).data, "with a space");
}

Test(tokens, one_that_is_revoked_holds_no_longer)
{
    const char *id, *text = create("{\"role\": \"reader\", \"name\": \"n\"}", &id);
    uint64_t epoch = engine_token_epoch(rpc.engine);

    end_token(id);
    expect_refused(text, "revoked");
    cr_expect_not(token_holds(engine_tokens(rpc.engine), str_from(id)));
    cr_expect_neq(engine_token_epoch(rpc.engine), epoch, "connections look again");
    cr_expect_not(token_holds(engine_tokens(rpc.engine), STR_LIT("none")));
}

Test(tokens, one_holds_to_the_end_of_its_last_day)
{
    const char *id, *text = create("{\"role\": \"reader\", \"name\": \"n\", \"expires\": "
                                   "\"2026-06-01\"}",
                                   &id);
    struct caller caller;

    rpc.clock.fixed_wall_ms += DAY_MS - 1;
    cr_expect_eq(check(text, &caller), ERR_OK, "%s", rpc.err.message);
    rpc.clock.fixed_wall_ms += 1;
    expect_refused(text, "expired");
    cr_expect_not(token_holds(engine_tokens(rpc.engine), str_from(id)));
}

Test(tokens, outlive_the_service)
{
    const char *text = create("{\"role\": \"batch\", \"name\": \"n\"}", NULL);
    struct caller caller;

    rpc_reopen(&rpc);
    cr_expect_eq(check(text, &caller), ERR_OK, "%s", rpc.err.message);
    cr_expect_eq(caller.role, ROLE_BATCH);
}

/* ---- the key ---- */

Test(tokens, the_key_is_a_file_that_only_its_owner_reads)
{
    struct stat st;

    cr_expect_neq(stat(key_path, &st), 0, "there is none before the first token");
    create("{\"role\": \"reader\", \"name\": \"n\"}", NULL);
    cr_assert_eq(stat(key_path, &st), 0);
    cr_expect_eq(st.st_mode & 07777, 0600);
    cr_expect_eq(st.st_size, 32);
}

Test(tokens, none_holds_when_the_key_is_lost_and_create_says_so)
{
    const char *id, *text = create("{\"role\": \"reader\", \"name\": \"n\"}", &id);
    struct caller caller;

    unlink(key_path);
    rpc_reopen(&rpc);
    expect_refused(text, "without its key");
    rpc_fails(&rpc, "token.create", "{\"role\": \"reader\", \"name\": \"n\"}", ERR_CONFLICT, NULL);
    cr_expect_not_null(strstr(rpc.err.message, "none of the 1 tokens"), "%s", rpc.err.message);
    cr_expect_neq(access(key_path, F_OK), 0, "no other key was made");
    end_token(id);
    text = create("{\"role\": \"reader\", \"name\": \"n\"}", NULL);
    cr_expect_eq(check(text, &caller), ERR_OK, "%s", rpc.err.message);
}

Test(tokens, a_key_that_others_may_read_lets_nobody_in)
{
    const char *text = create("{\"role\": \"reader\", \"name\": \"n\"}", NULL);
    struct caller caller;

    for (unsigned bit = 1; bit <= 040; bit <<= 1) {
        cr_assert_eq(chmod(key_path, 0600 | bit), 0);
        rpc_reopen(&rpc);
        expect_refused(text, "too wide");
        rpc_fails(&rpc, "token.create", "{\"role\": \"reader\", \"name\": \"n\"}", ERR_FORBIDDEN,
                  NULL);
        cr_expect_not_null(strstr(rpc.err.message, "0600"), "%s", rpc.err.message);
    }
    cr_assert_eq(chmod(key_path, 0600), 0);
    rpc_reopen(&rpc);
    cr_expect_eq(check(text, &caller), ERR_OK, "%s", rpc.err.message);
}

static const struct {
    const char *says;
    size_t bytes;
} wrong_keys[] = {{"empty", 0}, {"a byte short", 31}, {"a byte long", 33}};

CASES(tokens, a_file_that_is_no_key_is_not_taken_for_one, wrong_keys)
{
    const char *text = create("{\"role\": \"reader\", \"name\": \"n\"}", NULL);

    cr_assert_eq(file_write(key_path, (uint8_t[33]){0}, wrong_keys[*i].bytes, 0600, &rpc.err),
                 ERR_OK);
    rpc_reopen(&rpc);
    expect_refused(text, wrong_keys[*i].says);
    rpc_fails(&rpc, "token.create", "{\"role\": \"reader\", \"name\": \"n\"}", ERR_CONFLICT, NULL);
    cr_expect_not_null(strstr(rpc.err.message, "put the right file back"), "%s", rpc.err.message);
}

Test(tokens, another_stores_key_is_of_no_use)
{
    const char *text = create("{\"role\": \"reader\", \"name\": \"n\"}", NULL);

    cr_assert_eq(file_write(key_path, (uint8_t[32]){7}, 32, 0600, &rpc.err), ERR_OK);
    rpc_reopen(&rpc);
    expect_refused(text, "another key");
}

/* ---- last use ---- */

/* Notes are written without waiting; a write that comes after them is answered after them. */
static int64_t
last_used(void)
{
    const msgpack_object *list;
    int64_t at = 0;

    rpc_ok(&rpc, "programme.put",
           "{\"programme\": {\"id\": \"p\", \"name\": {\"en\": \"P\"}, \"pairings\": [{\"id\": "
           "\"h\", \"from\": {\"kind\": \"startup\"}, \"to\": {\"kind\": \"incubator\"}, "
           "\"from_wants\": [{\"id\": \"s\", \"type\": \"overlap\", \"of\": \"sectors\", \"by\": "
           "\"sectors\", \"weight\": 1}]}]}}");
    list = rpc_ok(&rpc, "token.list", "{}");
    value_int(rpc_at(list, "tokens[0].last_used_at"), &at);
    return at;
}

Test(tokens, the_last_use_is_noted_once_a_day)
{
    const char *text = create("{\"role\": \"reader\", \"name\": \"n\"}", NULL);
    int64_t first = rpc.clock.fixed_wall_ms + HOUR_MS;
    struct caller caller;

    cr_expect_eq(last_used(), 0);
    rpc.clock.fixed_wall_ms = first;
    cr_assert_eq(check(text, &caller), ERR_OK);
    cr_expect_eq(last_used(), first);
    rpc.clock.fixed_wall_ms = first + DAY_MS - 1;
    cr_assert_eq(check(text, &caller), ERR_OK);
    cr_expect_eq(last_used(), first, "the day is not over");
    rpc.clock.fixed_wall_ms = first + DAY_MS;
    cr_assert_eq(check(text, &caller), ERR_OK);
    cr_expect_eq(last_used(), first + DAY_MS);
    rpc.clock.fixed_wall_ms = first + 3 * DAY_MS;
    expect_refused("jml_000000000000_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "unknown");
    cr_expect_eq(last_used(), first + DAY_MS, "a try that fails is no use");
}

/* ---- the secret is nowhere ---- */

static bool
file_holds(const char *path, struct str what)
{
    struct buf bytes;
    bool is_there;

    buf_init(&bytes, SIZE_MAX / 2);
    cr_assert_eq(file_read(path, &bytes, &rpc.err), ERR_OK, "%s", rpc.err.message);
    is_there = bytes.len > 0 && memmem(bytes.data, bytes.len, what.data, what.len) != NULL;
    buf_fini(&bytes);
    return is_there;
}

/* In any file of the store's folder, the log among them. */
static bool
folder_holds(struct str what)
{
    bool is_there = false;
    char **names;
    size_t n;

    cr_assert_eq(file_list(rpc.dir, "", &names, &n, &rpc.err), ERR_OK, "%s", rpc.err.message);
    cr_assert_geq(n, 3);
    for (size_t i = 0; i < n; i++) {
        char path[512];

        snprintf(path, sizeof path, "%s/%s", rpc.dir, names[i]);
        is_there = is_there || file_holds(path, what);
    }
    file_free_names(names, n);
    return is_there;
}

Test(tokens, a_secret_stands_in_no_file_and_in_no_log)
{
    struct engine_options options = {
        .data_dir = rpc.dir, .share_dir = JML_DATA, .clock = &rpc.clock};
    uint8_t secret[TOKEN_SECRET_BYTES];
    struct caller caller;
    const char *id, *text, *encoded;
    char path[128];
    struct log log;
    size_t n;
    int fd;

    engine_close(rpc.engine);
    snprintf(path, sizeof path, "%s/log", rpc.dir);
    fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    cr_assert_geq(fd, 0);
    log_init(&log, fd, LOG_LEVEL_DEBUG, &rpc.clock);
    options.log = &log;
    cr_assert_eq(engine_open(&options, &rpc.engine, &rpc.err), ERR_OK, "%s", rpc.err.message);
    text = create("{\"role\": \"reader\", \"name\": \"n\", \"note\": \"remarkable\"}", &id);
    encoded = strrchr(text, '_') != NULL ? text + strlen(text) - 43 : text;
    cr_assert_eq(sodium_base642bin(secret, sizeof secret, encoded, 43, NULL, &n, NULL,
                                   sodium_base64_VARIANT_URLSAFE_NO_PADDING),
                 0);
    cr_assert_eq(check(text, &caller), ERR_OK);
    rpc_ok(&rpc, "system.hello", arena_format(rpc.arena, "{\"token\": \"%s\"}", text).data);
    rpc_fails(&rpc, "system.hello", arena_format(rpc.arena, "{\"token\": \"%sA\"}", text).data,
              ERR_UNAUTHENTICATED, NULL);
    rpc_ok(&rpc, "token.list", "{}");
    end_token(id);
    engine_close(rpc.engine); /* all is in the files now */
    cr_expect(folder_holds(STR_LIT("remarkable")), "the search finds what is there");
    cr_expect(folder_holds(str_from(id)));
    cr_expect_not(folder_holds((struct str){encoded, 43}));
    cr_expect_not(folder_holds((struct str){(const char *)secret, sizeof secret}));
    options.log = NULL;
    cr_assert_eq(engine_open(&options, &rpc.engine, &rpc.err), ERR_OK, "%s", rpc.err.message);
    close(fd);
}

/* ---- the stored form ---- */

Test(tokens, the_stored_form_reads_as_it_was_written)
{
    struct token_record record = {
        .role = ROLE_PARTNER,
        .name = STR_LIT("Acme"),
        .profile = STR_LIT("acme"),
        .note = STR_LIT("a note"),
        .created_by = STR_LIT("admin x"),
        .created_at = 1,
        .expires_ms = 2,
        .revoked_at = 3,
        .last_used_at = 4,
        .hash = {1, 2, 3},
    };
    struct token_record again;
    struct buf packed;

    buf_init(&packed, TOKEN_RECORD_BYTES);
    token_record_pack(&record, &packed);
    cr_assert_eq(token_record_read(STR_LIT("id"), buf_str(&packed), rpc.arena, &again, NULL),
                 ERR_OK);
    cr_expect(str_is(again.id, "id"));
    cr_expect_eq(again.role, ROLE_PARTNER);
    cr_expect(str_is(again.name, "Acme"));
    cr_expect_eq(again.metro.len, 0);
    cr_expect(str_is(again.profile, "acme"));
    cr_expect(str_is(again.note, "a note"));
    cr_expect(str_is(again.created_by, "admin x"));
    cr_expect_eq(again.created_at, 1);
    cr_expect_eq(again.expires_ms, 2);
    cr_expect_eq(again.revoked_at, 3);
    cr_expect_eq(again.last_used_at, 4);
    cr_expect_arr_eq(again.hash, record.hash, sizeof record.hash);
    buf_fini(&packed);
}

static const struct {
    const char *says;
    struct str bytes;
} damaged[] = {
    {"an empty map", STR_LIT("\x80")},
    {"no map", STR_LIT("\x01")},
    {"a role that is none", STR_LIT("\x81\xa4role\xa4king")},
    {"no hash", STR_LIT("\x81\xa4role\xa6reader")},
    {"a short hash", STR_LIT("\x82\xa4role\xa6reader\xa4hash\xc4\x02xx")},
};

CASES(tokens, a_damaged_one_is_told_as_such, damaged)
{
    struct token_record record;
    struct err err = {0};

    cr_expect_eq(token_record_read(STR_LIT("id"), damaged[*i].bytes, rpc.arena, &record, &err),
                 ERR_INTERNAL, "%s", damaged[*i].says);
    cr_expect_not_null(strstr(err.message, "damaged"), "%s", err.message);
}

Test(tokens, the_name_of_a_setting_is_never_longer_than_its_room)
{
    cr_expect_str_eq(token_setting_of(STR_LIT("0f1e2d3c4b5a")).name, "token/0f1e2d3c4b5a");
    cr_expect_str_eq(token_setting_of(STR_LIT("0f1e2d3c4b5a6")).name, "");
    cr_expect_str_eq(token_setting_of(STR_LIT("")).name, "token/");
}
