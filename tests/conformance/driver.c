/*
 * Drives the C client: one command a line, one answer a line (conformance.py tells the language).
 * A pipeline is sent with jml_client_send in a loop of poll(2), everything else blocks.
 */
#include <jumelage/jumelage.h>

#include <jansson.h>
#include <msgpack.h>

#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void
give_up(const char *what)
{
    fprintf(stderr, "driver: %s\n", what);
    exit(70);
}

/* ---- JSON with its marks as msgpack, and back ---- */

static void
pack_marked_int(msgpack_packer *packer, const char *digits)
{
    if (digits[0] == '-')
        msgpack_pack_int64(packer, strtoll(digits, NULL, 10));
    else
        msgpack_pack_uint64(packer, strtoull(digits, NULL, 10));
}

static void
pack_marked_bin(msgpack_packer *packer, const char *hex)
{
    size_t n = strlen(hex) / 2;

    msgpack_pack_bin(packer, n);
    for (size_t i = 0; i < n; i++) {
        char pair[3] = {hex[2 * i], hex[2 * i + 1], '\0'};
        char byte = (char)strtoul(pair, NULL, 16);

        msgpack_pack_bin_body(packer, &byte, 1);
    }
}

static void
pack_text(msgpack_packer *packer, const char *text, size_t len)
{
    msgpack_pack_str(packer, len);
    msgpack_pack_str_body(packer, text, len);
}

static void
pack_json(msgpack_packer *packer, json_t *value)
{
    const char *key;
    json_t *inner;
    size_t i;

    switch (json_typeof(value)) {
    case JSON_OBJECT:
        if (json_object_get(value, "$int") != NULL) {
            pack_marked_int(packer, json_string_value(json_object_get(value, "$int")));
            return;
        }
        if (json_object_get(value, "$bin") != NULL) {
            pack_marked_bin(packer, json_string_value(json_object_get(value, "$bin")));
            return;
        }
        msgpack_pack_map(packer, json_object_size(value));
        json_object_foreach(value, key, inner)
        {
            pack_text(packer, key, strlen(key));
            pack_json(packer, inner);
        }
        return;
    case JSON_ARRAY:
        msgpack_pack_array(packer, json_array_size(value));
        json_array_foreach(value, i, inner) pack_json(packer, inner);
        return;
    case JSON_STRING:
        pack_text(packer, json_string_value(value), json_string_length(value));
        return;
    case JSON_INTEGER:
        msgpack_pack_int64(packer, json_integer_value(value));
        return;
    case JSON_REAL:
        msgpack_pack_double(packer, json_real_value(value));
        return;
    case JSON_TRUE:
        msgpack_pack_true(packer);
        return;
    case JSON_FALSE:
        msgpack_pack_false(packer);
        return;
    case JSON_NULL:
        msgpack_pack_nil(packer);
        return;
    }
}

static json_t *
mark_bin(const char *bytes, size_t n)
{
    char *hex = malloc(2 * n + 1);
    json_t *marked;

    if (hex == NULL)
        give_up("out of memory");
    hex[0] = '\0';
    for (size_t i = 0; i < n; i++)
        snprintf(hex + 2 * i, 3, "%02x", (unsigned)(unsigned char)bytes[i]);
    marked = json_pack("{s:s}", "$bin", hex);
    free(hex);
    return marked;
}

static json_t *
mark_int(uint64_t number)
{
    char digits[24];

    if (number <= INT64_MAX)
        return json_integer((json_int_t)number);
    snprintf(digits, sizeof digits, "%" PRIu64, number);
    return json_pack("{s:s}", "$int", digits);
}

static json_t *
to_json(const msgpack_object *value)
{
    json_t *out;

    switch (value->type) {
    case MSGPACK_OBJECT_BOOLEAN:
        return json_boolean(value->via.boolean);
    case MSGPACK_OBJECT_POSITIVE_INTEGER:
        return mark_int(value->via.u64);
    case MSGPACK_OBJECT_NEGATIVE_INTEGER:
        return json_integer(value->via.i64);
    case MSGPACK_OBJECT_FLOAT32:
    case MSGPACK_OBJECT_FLOAT64:
        return json_real(value->via.f64);
    case MSGPACK_OBJECT_STR:
        return json_stringn(value->via.str.ptr, value->via.str.size);
    case MSGPACK_OBJECT_BIN:
        return mark_bin(value->via.bin.ptr, value->via.bin.size);
    case MSGPACK_OBJECT_ARRAY:
        out = json_array();
        for (uint32_t i = 0; i < value->via.array.size; i++)
            json_array_append_new(out, to_json(&value->via.array.ptr[i]));
        return out;
    case MSGPACK_OBJECT_MAP:
        out = json_object();
        for (uint32_t i = 0; i < value->via.map.size; i++) {
            const msgpack_object_kv *pair = &value->via.map.ptr[i];
            char *key = strndup(pair->key.via.str.ptr, pair->key.via.str.size);

            json_object_set_new(out, key, to_json(&pair->val));
            free(key);
        }
        return out;
    case MSGPACK_OBJECT_EXT:
    case MSGPACK_OBJECT_NIL:
        break;
    }
    return json_null();
}

/* ---- answers ---- */

static json_t *
result_json(jml_result *result)
{
    json_t *ok = json_pack("{s:o}", "ok", to_json(jml_result_root(result)));

    jml_result_free(result);
    return ok;
}

static json_t *
details_json(const jml_client *client)
{
    struct jml_bytes packed = client != NULL ? jml_client_details(client) : (struct jml_bytes){0};
    msgpack_unpacked unpacked;
    json_t *details = NULL;

    msgpack_unpacked_init(&unpacked);
    if (packed.len != 0 &&
        msgpack_unpack_next(&unpacked, packed.data, packed.len, NULL) == MSGPACK_UNPACK_SUCCESS)
        details = to_json(&unpacked.data);
    msgpack_unpacked_destroy(&unpacked);
    return details != NULL ? details : json_object();
}

static json_t *
failure_json(const jml_client *client, const struct jml_error *error)
{
    return json_pack("{s:{s:i,s:s,s:s,s:s,s:o}}", "error", "code", (int)error->code, "name",
                     error->name, "message", error->message, "field", error->field, "details",
                     details_json(client));
}

/* ---- commands ---- */

struct driver {
    jml_client *client;
    json_t *watch; /* the parameters of the watch that stands, or is to be made anew; NULL: none */
    json_int_t n_watch;  /* its number */
    json_t *news;        /* what was heard of it, and not asked for yet */
    int must_watch_anew; /* its connection was lost, and that has been told */
};

static void
forget_watch(struct driver *driver)
{
    json_decref(driver->watch);
    json_decref(driver->news);
    driver->watch = driver->news = NULL;
    driver->n_watch = 0;
    driver->must_watch_anew = 0;
}

static const char *
text_of(json_t *map, const char *key)
{
    return json_string_value(json_object_get(map, key)); /* NULL where there is none */
}

static json_t *
do_open(struct driver *driver, json_t *argument)
{
    struct jml_options options = JML_OPTIONS_INIT;
    struct jml_error error;
    json_t *timeout_ms = json_object_get(argument, "timeout_ms");

    jml_client_close(driver->client);
    driver->client = NULL;
    forget_watch(driver);
    options.address = text_of(argument, "address");
    options.token = text_of(argument, "token");
    options.token_file = text_of(argument, "token_file");
    options.language = text_of(argument, "language");
    options.tls_ca_file = text_of(argument, "ca_file");
    options.tls_server_name = text_of(argument, "server_name");
    options.client_name = "conformance driver";
    options.call_timeout_ms = timeout_ms != NULL ? (int32_t)json_integer_value(timeout_ms) : 20000;
    options.connect_timeout_ms = options.call_timeout_ms;
    options.max_frame_bytes =
        (size_t)json_integer_value(json_object_get(argument, "max_frame_bytes"));
    if (jml_client_open(&options, &driver->client, &error) != JML_OK)
        return failure_json(NULL, &error);
    return json_pack("{s:{s:s}}", "ok", "role", jml_client_role(driver->client));
}

static struct jml_bytes
pack_params(json_t *command, msgpack_sbuffer *buffer)
{
    json_t *params = json_object_get(command, "params");
    msgpack_packer packer;

    msgpack_sbuffer_init(buffer);
    if (params == NULL || json_object_size(params) == 0)
        return (struct jml_bytes){NULL, 0};
    msgpack_packer_init(&packer, buffer, msgpack_sbuffer_write);
    pack_json(&packer, params);
    return (struct jml_bytes){buffer->data, buffer->size};
}

static json_t *
do_call(struct driver *driver, json_t *argument)
{
    msgpack_sbuffer buffer;
    struct jml_bytes params = pack_params(argument, &buffer);
    struct jml_error error;
    jml_result *result;
    enum jml_code code =
        jml_call_packed(driver->client, text_of(argument, "method"), params, &result, &error);

    msgpack_sbuffer_destroy(&buffer);
    return code == JML_OK ? result_json(result) : failure_json(driver->client, &error);
}

struct answer {
    const struct driver *driver;
    size_t *n_waiting;
    json_t *told;
};

static void
note_answer(void *context, jml_result *result, const struct jml_error *error)
{
    struct answer *answer = context;

    answer->told =
        error != NULL ? failure_json(answer->driver->client, error) : result_json(result);
    --*answer->n_waiting;
}

static void
turn(jml_client *client)
{
    struct pollfd watched = {.fd = jml_client_fd(client), .events = jml_client_events(client)};
    int n = poll(&watched, 1, jml_client_timeout_ms(client));

    jml_client_process(client, n > 0 ? watched.revents : 0);
}

static json_t *
do_pipeline(struct driver *driver, json_t *argument)
{
    size_t n = json_array_size(argument), n_waiting = 0;
    struct answer *answers = calloc(n + 1, sizeof *answers);
    json_t *list = json_array();

    if (answers == NULL)
        give_up("out of memory");
    for (size_t i = 0; i < n; i++) {
        json_t *command = json_array_get(argument, i);
        msgpack_sbuffer buffer;
        struct jml_bytes params = pack_params(command, &buffer);
        struct jml_error error;
        enum jml_code code;

        answers[i] = (struct answer){driver, &n_waiting, NULL};
        n_waiting++;
        while ((code = jml_client_send_packed(driver->client, text_of(command, "method"), params,
                                              note_answer, &answers[i], NULL, &error)) == JML_BUSY)
            turn(driver->client); /* as many are under way as may be */
        if (code != JML_OK)
            give_up(error.message);
        msgpack_sbuffer_destroy(&buffer);
    }
    while (n_waiting != 0)
        turn(driver->client);
    for (size_t i = 0; i < n; i++)
        json_array_append_new(list, answers[i].told);
    free(answers);
    return json_pack("{s:o}", "ok", list);
}

/* ---- standing matches ---- */

static void
note_news(void *context, struct jml_text method, const msgpack_object *params)
{
    struct driver *driver = context;

    if (method.len == strlen("match.changed") &&
        memcmp(method.data, "match.changed", method.len) == 0)
        json_array_append_new(driver->news, to_json(&params->via.array.ptr[0]));
}

static json_t *
ask_to_watch(struct driver *driver)
{
    json_t *command = json_pack("{s:s,s:O}", "method", "match.watch", "params", driver->watch);
    json_t *answer = do_call(driver, command);

    json_decref(command);
    driver->n_watch = json_integer_value(json_object_get(json_object_get(answer, "ok"), "watch"));
    driver->must_watch_anew = 0;
    return answer;
}

static json_t *
do_watch(struct driver *driver, json_t *argument)
{
    forget_watch(driver);
    driver->watch = json_incref(argument);
    driver->news = json_array();
    jml_client_on_notification(driver->client, note_news, driver);
    return ask_to_watch(driver);
}

/* The next of this watch that was heard; NULL: none so far. */
static json_t *
next_news(struct driver *driver)
{
    json_t *news = NULL;

    while (news == NULL && json_array_size(driver->news) > 0) {
        json_t *first = json_array_get(driver->news, 0);

        if (json_integer_value(json_object_get(first, "watch")) == driver->n_watch)
            news = json_incref(first);
        json_array_remove(driver->news, 0);
    }
    return news;
}

static json_t *
do_heard(struct driver *driver, json_t *argument)
{
    json_t *news;

    (void)argument;
    if (driver->watch == NULL)
        return json_pack("{s:n}", "ok");
    if (driver->must_watch_anew)
        return ask_to_watch(driver);
    while ((news = next_news(driver)) == NULL && jml_client_fd(driver->client) >= 0)
        turn(driver->client);
    if (news == NULL) {
        driver->must_watch_anew = 1;
        return json_pack("{s:{s:b,s:b}}", "ok", "lost", 1, "complete", 0);
    }
    if (json_object_get(news, "ended") != NULL)
        forget_watch(driver);
    return json_pack("{s:o}", "ok", news);
}

static json_t *
do_unwatch(struct driver *driver, json_t *argument)
{
    json_t *command =
        json_pack("{s:s,s:{s:I}}", "method", "match.unwatch", "params", "watch", driver->n_watch);
    json_t *answer = do_call(driver, command);

    (void)argument;
    json_decref(command);
    forget_watch(driver);
    return answer;
}

static json_t *
do_erase(struct driver *driver, json_t *argument)
{
    json_t *version = json_object_get(argument, "if_version");
    int64_t if_version = version != NULL ? json_integer_value(version) : JML_ANY_VERSION;
    const char *id = text_of(argument, "id");
    struct jml_written written;
    struct jml_error error;
    enum jml_code code = json_is_true(json_object_get(argument, "erase"))
                             ? jml_profile_erase(driver->client, id, if_version, &written, &error)
                             : jml_profile_delete(driver->client, id, if_version, &written, &error);

    if (code != JML_OK)
        return failure_json(driver->client, &error);
    return json_pack("{s:{s:I}}", "ok", "seq", (json_int_t)written.seq);
}

static json_t *
do_close(struct driver *driver, json_t *argument)
{
    (void)argument;
    forget_watch(driver);
    jml_client_close(driver->client);
    driver->client = NULL;
    return json_pack("{s:b}", "ok", 1);
}

static const struct {
    const char *verb;
    json_t *(*act)(struct driver *driver, json_t *argument);
} verbs[] = {{"open", do_open},       {"call", do_call},   {"pipeline", do_pipeline},
             {"erase", do_erase},     {"watch", do_watch}, {"heard", do_heard},
             {"unwatch", do_unwatch}, {"close", do_close}};

static json_t *
act(struct driver *driver, json_t *command)
{
    for (size_t i = 0; i < sizeof verbs / sizeof verbs[0]; i++) {
        json_t *argument = json_object_get(command, verbs[i].verb);

        if (argument != NULL)
            return verbs[i].act(driver, argument);
    }
    give_up("no such command");
    return NULL;
}

int
main(void)
{
    struct driver driver = {.client = NULL};
    char *line = NULL;
    size_t room = 0;

    while (getline(&line, &room, stdin) > 0) {
        json_t *command = json_loads(line, JSON_ALLOW_NUL, NULL), *answer;

        if (command == NULL)
            give_up("a line is no JSON");
        answer = act(&driver, command);
        json_dumpf(answer, stdout, JSON_COMPACT);
        putchar('\n');
        fflush(stdout);
        json_decref(answer);
        json_decref(command);
    }
    forget_watch(&driver);
    jml_client_close(driver.client);
    free(line);
    return 0;
}
