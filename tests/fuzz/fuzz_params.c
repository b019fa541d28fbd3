#include "call.h"
#include "fuzz.h"
#include "json.h"
#include "result_check.h"
#include "small_store.h"

#include <string.h>
#include <unistd.h>

/*
 * Any method, as any role, with any parameters, on a store of its own:
 *
 *     match.top reader
 *     {"programme": "bilocation", …}          or the same map as msgpack
 *
 * A name that is none, and a role that is none, are taken for a choice by their first byte, so that
 * every input calls something. A successful answer is one msgpack value and as the method table says;
 * a failure is a sentence, and changes nothing. What is written stays for the inputs that follow,
 * until the store is made anew.
 */
enum { ARENA_BYTES = 64 << 20, HEAD_BYTES = 64, INPUTS_A_STORE = 20000 };
static const int64_t JUNE_2026_MS = INT64_C(1780272000000);

static struct {
    struct engine *engine;
    struct clock clock;
    char folder[64];
    unsigned n_inputs;
} store;

static void
close_store(void)
{
    engine_close(store.engine);
    store.engine = NULL;
    small_store_remove(store.folder);
}

static void
open_store(void)
{
    struct engine_options options = {.share_dir = JML_DATA, .clock = &store.clock};
    struct err err = {0};

    if (store.engine == NULL)
        atexit(close_store);
    else
        close_store();
    store.clock = clock_fixed(JUNE_2026_MS, 1000000);
    snprintf(store.folder, sizeof store.folder, "%s/jumelage-fuzz-XXXXXX",
             access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
    small_store_folder(store.folder);
    options.data_dir = store.folder;
    if (engine_open(&options, &store.engine, &err) != ERR_OK) {
        fprintf(stderr, "%s\n", err.message);
        exit(1);
    }
    small_store_fill(store.engine, JML_DATA);
}

static const struct method *
method_of(struct str name)
{
    const struct method *method = method_find(name);

    return method != NULL ? method : &methods[name.len > 0 ? (uint8_t)name.data[0] % n_methods : 0];
}

static enum role
role_of(struct str name)
{
    enum role role = role_parse(name);

    return role != 0 ? role : (enum role)(1 << (name.len > 0 ? (uint8_t)name.data[0] % 6 : 3));
}

static uint64_t
seq_now(void)
{
    struct store_read *read;
    uint64_t seq;

    FUZZ_CLAIM(store_read_begin(engine_store(store.engine), &read, NULL) == ERR_OK);
    seq = store_seq(read);
    store_read_end(read);
    return seq;
}

/* One whole value, within what clients can read. */
static const msgpack_object *
decode(const struct buf *bytes, struct arena *arena)
{
    static const struct value_limits limits = {.bytes = 64 << 20, .items = 10000000, .depth = 32};
    const msgpack_object *value = NULL;

    FUZZ_CLAIM(value_decode(bytes->data, bytes->len, &limits, arena, &value, NULL) == ERR_OK);
    return value;
}

static void
check_failure(const struct call *call, enum err_code code, const struct err *err,
              struct arena *arena)
{
    struct buf packed;

    fuzz_check_err(code, err);
    if (call->error_details.len > 0)
        FUZZ_CLAIM(value_is_map(decode(&call->error_details, arena)));
    buf_init(&packed, 256 * 1024);
    call_pack_error(&packed, err, &call->error_details);
    FUZZ_CLAIM(value_is_map(decode(&packed, arena)));
    buf_fini(&packed);
}

static void
run(const struct method *method, enum role role, const msgpack_object *params, struct arena *arena)
{
    struct caller caller = {.role = role, .name = STR_LIT("fuzz")};
    uint64_t before = seq_now();
    struct err err = {0};
    struct call call;
    enum err_code code;

    if (role == ROLE_PARTNER)
        caller.profile = STR_LIT(SMALL_STORE_STARTUP);
    call_init(&call, store.engine, &caller, arena, 0);
    code = call_open(&call, str_from(method->name), params, &err);
    FUZZ_CLAIM(code != ERR_OK || role_allows(role, method->roles));
    if (code == ERR_OK)
        code = call_run(&call, &err);
    if (code == ERR_OK)
        FUZZ_CLAIM(result_check(method, decode(&call.answer, arena)) == NULL);
    else
        check_failure(&call, code, &err, arena);
    FUZZ_CLAIM(seq_now() == before || (code == ERR_OK && (method->flags & METHOD_WRITES) != 0));
    call_fini(&call);
}

static enum err_code
read_params(struct str text, struct arena *arena, const msgpack_object **params, struct err *err)
{
    if (text.len == 0)
        return ERR_OK;
    if (text.data[0] == '{')
        return json_decode(text, &value_limits_default, arena, params, err);
    return value_decode(text.data, text.len, &value_limits_default, arena, params, err);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    struct str whole = {(const char *)bytes, n}, head;
    const msgpack_object *params = NULL;
    struct arena *arena = arena_create(ARENA_BYTES);
    struct err err = {0};
    size_t line, space;
    enum err_code code;

    FUZZ_CLAIM(arena != NULL);
    if (store.n_inputs++ % INPUTS_A_STORE == 0)
        open_store();
    head = (struct str){whole.data, n < HEAD_BYTES ? n : HEAD_BYTES};
    line = str_find(head, '\n', 0);
    head.len = line;
    space = str_find(head, ' ', 0);
    line += line < n;
    code = read_params((struct str){whole.data + line, n - line}, arena, &params, &err);
    if (code != ERR_OK)
        fuzz_check_err(code, &err);
    else
        run(method_of((struct str){head.data, space}),
            role_of((struct str){head.data + space + (space < head.len),
                                 head.len - space - (space < head.len)}),
            params, arena);
    arena_destroy(arena);
    return 0;
}
