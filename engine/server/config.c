#include "config.h"

#include "engine.h"
#include "file.h"
#include "http_guard.h"
#include "yaml_doc.h"

#include <argp.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

enum setting {
    SETTING_DATA,
    SETTING_LISTEN,
    SETTING_TLS_CERT,
    SETTING_TLS_KEY,
    SETTING_HTTP_HOST,
    SETTING_CONSOLE,
    SETTING_THREADS,
    SETTING_WORKERS,
    SETTING_KERNEL,
    SETTING_MAP_SIZE,
    SETTING_CONFIG,
    SETTING_CHECK_CONFIG,
    SETTING_LOG_LEVEL,
    SETTING_ADMIN_GROUP,
    SETTING_ALLOW_PLAIN_PUBLIC,
    SETTING_CHECK,
    SETTING_DRAIN_S,
    SETTING_SANDBOX,
    SETTING_BACKUP_DIR,
    SETTING_KEEP_VERSIONS,
    SETTING_KEEP_JOURNAL_DAYS,
    SETTING_LIMIT,
    SETTING_COUNT
};

enum { KEY_FIRST = 0x1000, GIVEN_MAX = 256, FILE_BYTES_MAX = 256 * 1024 };
static const int64_t MAP_LEAST = INT64_C(16) << 20, MAP_MOST = INT64_C(1) << 44;

/* clang-format off */
const struct setting_row setting_rows[] = {
    [SETTING_DATA] = {"data", "DIR", "the store's folder; made and filled if it is missing or empty", 0, 0, 0, false},
    [SETTING_LISTEN] = {"listen", "ADDRESS", "unix:PATH, or tcp:, tls:, http: or https: with HOST:PORT, several times if wanted; unix:DIR/jumelage.sock if left out; port 0 means any", 0, 0, 0, false},
    [SETTING_TLS_CERT] = {"tls-cert", "FILE", "the certificate with its chain, PEM, for tls: and https:; read again at SIGHUP", 0, 0, 0, false},
    [SETTING_TLS_KEY] = {"tls-key", "FILE", "its key, PEM, mode 0600 or 0640", 0, 0, 0, false},
    [SETTING_HTTP_HOST] = {"http-host", "NAME", "a name by which browsers may ask, beside localhost, several times if wanted; with a port if it is another than the listener's", 0, 0, 0, false},
    [SETTING_CONSOLE] = {"console", "DIR", "files to serve over HTTP, read at the start and again at SIGHUP", 0, 0, 0, false},
    [SETTING_THREADS] = {"threads", "N", "event threads; 0: by the machine's processors", 0, 0, 64, false},
    [SETTING_WORKERS] = {"workers", "N", "threads that score and prepare; 0: as many as processors", 0, 0, 256, false},
    [SETTING_KERNEL] = {"kernel", "NAME", "which code searches: auto, the fastest that the processor can run; plain, avx2, avx512", 0, 0, 0, false},
    [SETTING_MAP_SIZE] = {"map-size", "SIZE", "most that the data file may grow to, such as 16GiB", 0, 0, 0, false},
    [SETTING_CONFIG] = {"config", "FILE", "more settings, YAML with these names; what stands here goes first", 0, 0, 0, false},
    [SETTING_CHECK_CONFIG] = {"check-config", NULL, "only say whether the settings are right", 0, 0, 0, false},
    [SETTING_LOG_LEVEL] = {"log-level", "LEVEL", "debug, info, warn or error", 0, 0, 0, true},
    [SETTING_ADMIN_GROUP] = {"admin-group", "GROUP", "whose members are admin on a unix socket, beside this user and root", 0, 0, 0, true},
    [SETTING_ALLOW_PLAIN_PUBLIC] = {"allow-plain-public", NULL, "listen where other machines can reach, without encryption", 0, 0, 0, false},
    [SETTING_CHECK] = {"check", NULL, "check the whole store before serving it, also after a clean stop", 0, 0, 0, false},
    [SETTING_DRAIN_S] = {"drain-s", "N", "seconds that started calls have after SIGTERM", 10, 0, 3600, true},
    [SETTING_SANDBOX] = {"sandbox", "MODE", "on, off, or strict, where a forbidden system call ends the service: for tests", 0, 0, 0, false},
    [SETTING_BACKUP_DIR] = {"backup-dir", "DIR", "where backup.create puts its copies; backups in the store's folder if left out", 0, 0, 0, false},
    [SETTING_KEEP_VERSIONS] = {"keep-versions", "N", "old versions of a profile whose content is kept; 0: all", 0, 0, 1000000, false},
    [SETTING_KEEP_JOURNAL_DAYS] = {"keep-journal-days", "N", "days for which journal entries keep their details; 0: for ever", 0, 0, 100000, false},
    [SETTING_LIMIT] = {"limit", "NAME=N", "one of the limits that system.hello shows, such as connections=500", 0, 0, 0, true},
    {0},
};
/* clang-format on */

struct given { /* one option of the command line */
    enum setting setting;
    const char *value;
};

struct parse {
    struct given given[GIVEN_MAX];
    size_t n;
};

void
config_presets(struct config *config)
{
    *config = (struct config){
        .drain_s = setting_rows[SETTING_DRAIN_S].preset,
        .kernel = "auto",
        .log_level = LOG_LEVEL_INFO,
        .sandbox = SANDBOX_ON,
    };
    for (int i = 0; i < LIMIT_COUNT; i++)
        config->limits[i] = limit_rows[i].preset;
}

/* ---- values ---- */

static enum err_code
read_count(const char *name, struct str value, int64_t least, int64_t most, int64_t *out,
           struct err *err)
{
    char text[24], *end;
    long long number;

    if (value.len > 0 && value.len < sizeof text) {
        memcpy(text, value.data, value.len);
        text[value.len] = '\0';
        errno = 0;
        number = strtoll(text, &end, 10);
        if (errno == 0 && *end == '\0' && number >= least && number <= most) {
            *out = number;
            return ERR_OK;
        }
    }
    return err_set(err, ERR_INVALID_PARAMS,
                   "%s is \"%.*s\"; it must be a whole number from %" PRId64 " to %" PRId64, name,
                   (int)(value.len < 60 ? value.len : 60), value.data, least, most);
}

static enum err_code
read_size(const char *name, struct str value, int64_t *out, struct err *err)
{
    static const struct {
        const char *text;
        int shift;
    } units[] = {{"KiB", 10}, {"MiB", 20}, {"GiB", 30}};
    int64_t number;

    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
        struct str digits = {value.data, value.len > 3 ? value.len - 3 : 0};

        if (digits.len == 0 || memcmp(value.data + digits.len, units[i].text, 3) != 0 ||
            read_count(name, digits, 1, MAP_MOST >> units[i].shift, &number, NULL) != ERR_OK)
            continue;
        number <<= units[i].shift;
        if (number < MAP_LEAST)
            break;
        *out = number;
        return ERR_OK;
    }
    return err_set(
        err, ERR_INVALID_PARAMS,
        "%s is \"%.*s\"; it must be a number with KiB, MiB or GiB, from 16MiB to 16384GiB", name,
        (int)(value.len < 60 ? value.len : 60), value.data);
}

static enum err_code
set_limit(struct config *config, struct str name, struct str value, struct err *err)
{
    char shown[64];

    for (int i = 0; i < LIMIT_COUNT; i++) {
        const struct limit_row *row = &limit_rows[i];

        if (!str_is(name, row->name))
            continue;
        snprintf(shown, sizeof shown, "the limit %s", row->name);
        return read_count(shown, value, row->least, row->most, &config->limits[i], err);
    }
    return err_set(err, ERR_INVALID_PARAMS,
                   "there is no limit \"%.*s\"; system.hello lists them, as in connections=500",
                   (int)(name.len < 60 ? name.len : 60), name.data);
}

static enum err_code
set_limit_pair(struct config *config, struct str pair, struct err *err)
{
    size_t at = str_find(pair, '=', 0);

    if (at == pair.len)
        return err_set(err, ERR_INVALID_PARAMS,
                       "--limit is \"%.*s\"; it must be a name and a number, as in connections=500",
                       (int)(pair.len < 60 ? pair.len : 60), pair.data);
    return set_limit(config, (struct str){pair.data, at},
                     (struct str){pair.data + at + 1, pair.len - at - 1}, err);
}

static enum err_code
set_text(struct arena *arena, struct str value, const char **out, struct err *err)
{
    *out = arena_text(arena, value);
    return *out != NULL ? ERR_OK : err_no_memory(err);
}

static enum err_code
set_kernel(struct arena *arena, struct str value, const char **out, struct err *err)
{
    const struct kernel *kernel;

    if (engine_kernel_find(value, &kernel, err) != ERR_OK)
        return err->code;
    return set_text(arena, value, out, err);
}

static enum err_code
set_sandbox(struct str value, enum sandbox_mode *out, struct err *err)
{
    static const char *const names[] = {
        [SANDBOX_ON] = "on", [SANDBOX_STRICT] = "strict", [SANDBOX_OFF] = "off"};

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (str_is(value, names[i])) {
            *out = (enum sandbox_mode)i;
            return ERR_OK;
        }
    return err_set(err, ERR_INVALID_PARAMS, "sandbox is \"%.*s\"; it must be on, strict or off",
                   (int)(value.len < 60 ? value.len : 60), value.data);
}

static enum err_code
add_http_host(struct config *config, struct str value, struct arena *arena, struct err *err)
{
    const char *copy;
    enum err_code code = http_host_check(value, err);

    if (code == ERR_OK && config->n_http_hosts == HTTP_HOSTS_MAX)
        code = err_set(err, ERR_INVALID_PARAMS, "at most %d names with http-host", HTTP_HOSTS_MAX);
    if (code == ERR_OK)
        code = set_text(arena, value, &copy, err);
    if (code == ERR_OK)
        config->http_hosts[config->n_http_hosts++] = str_from(copy);
    return code;
}

static enum err_code
set(struct config *config, enum setting setting, struct str value, struct arena *arena,
    struct err *err)
{
    const struct setting_row *row = &setting_rows[setting];

    switch (setting) {
    case SETTING_DATA:
        return set_text(arena, value, &config->data_dir, err);
    case SETTING_LISTEN:
        if (config->n_listen == LISTEN_MAX)
            return err_set(err, ERR_INVALID_PARAMS, "at most %d addresses to listen at",
                           LISTEN_MAX);
        return set_text(arena, value, &config->listen[config->n_listen++], err);
    case SETTING_TLS_CERT:
        return set_text(arena, value, &config->tls_cert, err);
    case SETTING_TLS_KEY:
        return set_text(arena, value, &config->tls_key, err);
    case SETTING_HTTP_HOST:
        return add_http_host(config, value, arena, err);
    case SETTING_CONSOLE:
        return set_text(arena, value, &config->console_dir, err);
    case SETTING_THREADS:
        return read_count(row->name, value, row->least, row->most, &config->threads, err);
    case SETTING_WORKERS:
        return read_count(row->name, value, row->least, row->most, &config->workers, err);
    case SETTING_DRAIN_S:
        return read_count(row->name, value, row->least, row->most, &config->drain_s, err);
    case SETTING_KERNEL:
        return set_kernel(arena, value, &config->kernel, err);
    case SETTING_MAP_SIZE:
        return read_size(row->name, value, &config->map_bytes, err);
    case SETTING_CONFIG:
        return set_text(arena, value, &config->file, err);
    case SETTING_LOG_LEVEL:
        if (log_level_parse(value, &config->log_level))
            return ERR_OK;
        return err_set(err, ERR_INVALID_PARAMS,
                       "log-level is \"%.*s\"; it must be debug, info, warn or error",
                       (int)(value.len < 60 ? value.len : 60), value.data);
    case SETTING_ADMIN_GROUP:
        return set_text(arena, value, &config->admin_group, err);
    case SETTING_SANDBOX:
        return set_sandbox(value, &config->sandbox, err);
    case SETTING_BACKUP_DIR:
        return set_text(arena, value, &config->backup_dir, err);
    case SETTING_KEEP_VERSIONS:
        return read_count(row->name, value, row->least, row->most, &config->keep_versions, err);
    case SETTING_KEEP_JOURNAL_DAYS:
        return read_count(row->name, value, row->least, row->most, &config->keep_journal_days, err);
    case SETTING_LIMIT:
        return set_limit_pair(config, value, err);
    case SETTING_CHECK_CONFIG:
        config->only_checks = true;
        return ERR_OK;
    case SETTING_ALLOW_PLAIN_PUBLIC:
        config->allows_plain_public = true;
        return ERR_OK;
    case SETTING_CHECK:
        config->full_check = true;
        return ERR_OK;
    case SETTING_COUNT:
        break;
    }
    return ERR_OK;
}

/* ---- the file ---- */

static enum err_code
plain_text(const msgpack_object *value, struct arena *arena, struct str *out, struct err *err)
{
    int64_t number;

    if (value_str(value, out))
        return ERR_OK;
    if (!value_int(value, &number))
        return err_set(err, ERR_INVALID_PARAMS, "it is %s; it must be one text or number",
                       value_type_name(value));
    *out = arena_format(arena, "%" PRId64, number);
    return out->data != NULL ? ERR_OK : err_no_memory(err);
}

/* A fault's path is the limit's name, so that its own line is told. */
static enum err_code
set_limits(struct config *config, const msgpack_object *map, struct arena *arena, struct err *err)
{
    if (!value_is_map(map))
        return err_set(err, ERR_INVALID_PARAMS, "limits must be a map of names and numbers");
    for (size_t i = 0; i < value_size(map); i++) {
        struct str value;
        enum err_code code = plain_text(value_of(map, i), arena, &value, err);

        if (code == ERR_OK)
            code = set_limit(config, value_key(map, i), value, err);
        if (code != ERR_OK) {
            char name[64];

            snprintf(name, sizeof name, "%.*s", STR_ARG(value_key(map, i)));
            err_at(err, name);
            return code;
        }
    }
    return ERR_OK;
}

static enum err_code
set_list(struct config *config, enum setting setting, const msgpack_object *list,
         struct arena *arena, struct err *err)
{
    enum err_code code = ERR_OK;

    for (size_t i = 0; i < value_size(list) && code == ERR_OK; i++) {
        struct str value;

        code = plain_text(value_at(list, i), arena, &value, err);
        if (code == ERR_OK)
            code = set(config, setting, value, arena, err);
    }
    return code;
}

static enum err_code
set_from_file(struct config *config, struct str name, const msgpack_object *value,
              struct arena *arena, struct err *err)
{
    struct str text;
    bool flag;
    enum err_code code;

    if (str_is(name, "limits"))
        return set_limits(config, value, arena, err);
    for (int i = 0; i < SETTING_COUNT; i++) {
        if (!str_is(name, setting_rows[i].name) || i == SETTING_CONFIG ||
            i == SETTING_CHECK_CONFIG || i == SETTING_LIMIT)
            continue;
        if (setting_rows[i].argument == NULL) {
            if (!value_bool(value, &flag))
                return err_set(err, ERR_INVALID_PARAMS, "it is %s; it must be true or false",
                               value_type_name(value));
            return flag ? set(config, (enum setting)i, (struct str){NULL, 0}, arena, err) : ERR_OK;
        }
        if ((i == SETTING_LISTEN || i == SETTING_HTTP_HOST) && value_is_array(value))
            return set_list(config, (enum setting)i, value, arena, err);
        code = plain_text(value, arena, &text, err);
        return code == ERR_OK ? set(config, (enum setting)i, text, arena, err) : code;
    }
    return err_set(err, ERR_INVALID_PARAMS, "there is no such setting; --help lists them");
}

/* Nothing but space and comments: every preset is right, and YAML has no value to show for it. */
static bool
says_nothing(struct str text)
{
    for (size_t at = 0; at < text.len;) {
        size_t end = str_find(text, '\n', at);
        struct str line = str_trim((struct str){text.data + at, end - at});

        if (line.len > 0 && line.data[0] != '#')
            return false;
        at = end + 1;
    }
    return true;
}

enum err_code
config_read_text(struct str text, const char *path, struct arena *arena, struct config *config,
                 struct err *err)
{
    struct yaml_doc *doc;
    struct err inner = {0};
    const msgpack_object *root;
    enum err_code code;

    if (says_nothing(text))
        return ERR_OK;
    code = yaml_decode(text, &value_limits_default, arena, &doc, &inner);
    if (code != ERR_OK)
        return err_set(err, code, "%s: %s", path, inner.message);
    root = yaml_doc_root(doc);
    if (!value_is_nil(root) && !value_is_map(root))
        return err_set(err, ERR_INVALID_PARAMS,
                       "%s: it must hold names and values, as in "
                       "\"listen: tcp:127.0.0.1:7420\"",
                       path);
    for (size_t i = 0; i < value_size(root); i++) {
        struct str name = value_key(root, i);
        char key[160];

        code = set_from_file(config, name, value_of(root, i), arena, &inner);
        if (code == ERR_OK)
            continue;
        snprintf(key, sizeof key, "%.*s%s%s", (int)(name.len < 60 ? name.len : 60), name.data,
                 inner.field[0] != '\0' ? "." : "", inner.field);
        return err_set(err, code, "%s, line %d, %s: %s", path, yaml_doc_line(doc, key), key,
                       inner.message);
    }
    return ERR_OK;
}

static enum err_code
read_file(const char *path, struct arena *arena, struct config *config, struct err *err)
{
    struct buf text;
    const char *copy;
    size_t n;
    enum err_code code;

    buf_init(&text, FILE_BYTES_MAX);
    code = file_read(path, &text, err);
    n = text.len;
    copy = code == ERR_OK ? arena_copy(arena, text.data, n) : NULL;
    if (code == ERR_OK && copy == NULL)
        code = err_no_memory(err);
    buf_fini(&text);
    return code == ERR_OK ? config_read_text((struct str){copy, n}, path, arena, config, err)
                          : code;
}

/* ---- the command line ---- */

static error_t
parse_one(int key, char *argument, struct argp_state *state)
{
    struct parse *parse = state->input;

    if (key == ARGP_KEY_ARG)
        argp_error(state, "\"%s\" belongs to no option", argument);
    if (key < KEY_FIRST || key >= KEY_FIRST + SETTING_COUNT)
        return ARGP_ERR_UNKNOWN;
    if (parse->n == GIVEN_MAX)
        argp_error(state, "too many options");
    parse->given[parse->n++] = (struct given){(enum setting)(key - KEY_FIRST), argument};
    return 0;
}

static void
parse_line(int argc, char **argv, struct parse *parse)
{
    struct argp_option options[SETTING_COUNT + 1] = {{0}};
    struct argp argp = {options,
                        parse_one,
                        NULL,
                        "Serves a store of profiles to programs that match startups with hosts and "
                        "investors of the sister city.\vSIGTERM ends it when what was asked is "
                        "answered; a second one ends it at once.",
                        NULL,
                        NULL,
                        NULL};

    for (int i = 0; i < SETTING_COUNT; i++)
        options[i] = (struct argp_option){setting_rows[i].name,     KEY_FIRST + i,
                                          setting_rows[i].argument, 0,
                                          setting_rows[i].text,     0};
    argp_program_version = "jumelaged " JML_VERSION;
    argp_err_exit_status = EX_USAGE;
    argp_parse(&argp, argc, argv, 0, NULL, parse);
}

enum err_code
config_read(int argc, char **argv, struct arena *arena, struct config *out, struct err *err)
{
    struct parse parse = {.n = 0};
    bool has_listen = false;
    enum err_code code = ERR_OK;

    config_presets(out);
    out->argc = argc;
    out->argv = argv;
    parse_line(argc, argv, &parse);
    for (size_t i = 0; i < parse.n; i++) {
        if (parse.given[i].setting == SETTING_CONFIG)
            out->file = parse.given[i].value;
        has_listen = has_listen || parse.given[i].setting == SETTING_LISTEN;
    }
    if (out->file != NULL)
        code = read_file(out->file, arena, out, err);
    if (has_listen)
        out->n_listen = 0;
    for (size_t i = 0; i < parse.n && code == ERR_OK; i++)
        code = set(out, parse.given[i].setting, str_from(parse.given[i].value), arena, err);
    if (code == ERR_OK && out->data_dir == NULL)
        code = err_set(err, ERR_INVALID_PARAMS, "the store's folder is missing; give --data DIR");
    return code;
}

enum err_code
config_reread(const struct config *config, struct arena *arena, struct config *out, struct err *err)
{
    return config_read(config->argc, config->argv, arena, out, err);
}

static bool
texts_agree(const char *a, const char *b)
{
    return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

static bool
listens_agree(const struct config *a, const struct config *b)
{
    if (a->n_listen != b->n_listen)
        return false;
    for (size_t i = 0; i < a->n_listen; i++)
        if (!texts_agree(a->listen[i], b->listen[i]))
            return false;
    return true;
}

static bool
http_hosts_agree(const struct config *a, const struct config *b)
{
    if (a->n_http_hosts != b->n_http_hosts)
        return false;
    for (size_t i = 0; i < a->n_http_hosts; i++)
        if (!str_equal(a->http_hosts[i], b->http_hosts[i]))
            return false;
    return true;
}

bool
config_agrees(const struct config *a, const struct config *b, const struct setting_row *row)
{
    switch ((enum setting)(row - setting_rows)) {
    case SETTING_DATA:
        return texts_agree(a->data_dir, b->data_dir);
    case SETTING_LISTEN:
        return listens_agree(a, b);
    case SETTING_TLS_CERT:
        return texts_agree(a->tls_cert, b->tls_cert);
    case SETTING_TLS_KEY:
        return texts_agree(a->tls_key, b->tls_key);
    case SETTING_HTTP_HOST:
        return http_hosts_agree(a, b);
    case SETTING_CONSOLE:
        return texts_agree(a->console_dir, b->console_dir);
    case SETTING_THREADS:
        return a->threads == b->threads;
    case SETTING_WORKERS:
        return a->workers == b->workers;
    case SETTING_KERNEL:
        return texts_agree(a->kernel, b->kernel);
    case SETTING_MAP_SIZE:
        return a->map_bytes == b->map_bytes;
    case SETTING_CONFIG:
        return texts_agree(a->file, b->file);
    case SETTING_CHECK_CONFIG:
        return a->only_checks == b->only_checks;
    case SETTING_LOG_LEVEL:
        return a->log_level == b->log_level;
    case SETTING_ADMIN_GROUP:
        return texts_agree(a->admin_group, b->admin_group);
    case SETTING_ALLOW_PLAIN_PUBLIC:
        return a->allows_plain_public == b->allows_plain_public;
    case SETTING_CHECK:
        return a->full_check == b->full_check;
    case SETTING_DRAIN_S:
        return a->drain_s == b->drain_s;
    case SETTING_SANDBOX:
        return a->sandbox == b->sandbox;
    case SETTING_BACKUP_DIR:
        return texts_agree(a->backup_dir, b->backup_dir);
    case SETTING_KEEP_VERSIONS:
        return a->keep_versions == b->keep_versions;
    case SETTING_KEEP_JOURNAL_DAYS:
        return a->keep_journal_days == b->keep_journal_days;
    case SETTING_LIMIT:
        return memcmp(a->limits, b->limits, sizeof a->limits) == 0;
    case SETTING_COUNT:
        break;
    }
    return true;
}
