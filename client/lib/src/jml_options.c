#include "jml_options.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    CONNECT_PRESET_MS = 5000,
    CALL_PRESET_MS = 30000,
    FRAME_BYTES_PRESET = 64 << 20,
    FRAME_BYTES_MIN = 1024,
    ITEMS_PRESET = 4000000,
    NESTING_MAX = 32,
    IN_FLIGHT_PRESET = 1024,
    IN_FLIGHT_MAX = 65536,
    UNSENT_PRESET = 64 << 20
};

/* ---- the token ---- */

static enum jml_code
token_set(struct settings *out, const char *token, size_t len, const char *field,
          struct jml_error *error)
{
    if (len == 0)
        return jmli_fail_at(error, JML_BAD_OPTION, field, "%s holds no token", field);
    if (len > TOKEN_BYTES_MAX)
        return jmli_fail_at(error, JML_BAD_OPTION, field,
                            "%s holds %zu bytes; a token has at most %d", field, len,
                            TOKEN_BYTES_MAX);
    for (size_t i = 0; i < len; i++)
        if (token[i] <= ' ' || token[i] > '~')
            return jmli_fail_at(error, JML_BAD_OPTION, field,
                                "byte %zu of %s is none that a token has; give the token alone, "
                                "as token.create showed it",
                                i + 1, field);
    memcpy(out->token, token, len);
    out->token[len] = '\0';
    return JML_OK;
}

static enum jml_code
bad_file(struct jml_error *error, const char *path, const char *why)
{
    return jmli_fail_at(error, JML_BAD_OPTION, "options.token_file", "the token file \"%s\" %s",
                        path, why);
}

static enum jml_code
token_read(struct settings *out, int fd, const char *path, struct jml_error *error)
{
    char text[TOKEN_BYTES_MAX + 64];
    enum jml_code code;
    struct stat about;
    size_t len = 0;
    ssize_t n;

    if (fstat(fd, &about) != 0)
        return bad_file(error, path, "cannot be examined");
    if (!S_ISREG(about.st_mode))
        return bad_file(error, path, "is not a regular file");
    if ((about.st_mode & 077) != 0)
        return jmli_fail_at(error, JML_BAD_OPTION, "options.token_file",
                            "the token file \"%s\" has mode %04o, so that others may use it; "
                            "chmod 600 it",
                            path, (unsigned)about.st_mode & 07777);
    do {
        n = read(fd, text + len, sizeof text - len);
        if (n > 0)
            len += (size_t)n;
    } while ((n > 0 && len < sizeof text) || (n < 0 && errno == EINTR));
    while (n >= 0 && len > 0 && (text[len - 1] == '\n' || text[len - 1] == '\r'))
        len--;
    code = n < 0 ? bad_file(error, path, "cannot be read")
                 : token_set(out, text, len, "options.token_file", error);
    explicit_bzero(text, sizeof text);
    return code;
}

static enum jml_code
token_load(struct settings *out, const char *path, struct jml_error *error)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    enum jml_code code;

    if (fd < 0 && errno == ENOENT)
        return bad_file(error, path, "is not there");
    if (fd < 0)
        return bad_file(error, path, "cannot be opened by this user");
    code = token_read(out, fd, path, error);
    close(fd);
    return code;
}

/* ---- numbers ---- */

static enum jml_code
timeout_set(int32_t *out, int32_t given, int32_t preset, const char *field, struct jml_error *error)
{
    if (given < -1)
        return jmli_fail_at(error, JML_BAD_OPTION, field,
                            "%s is %" PRId32 "; give milliseconds, 0 for %" PRId32
                            ", or -1 for no end",
                            field, given, preset);
    *out = given != 0 ? given : preset;
    return JML_OK;
}

static enum jml_code
size_set(size_t *out, size_t given, size_t preset, const size_t range[2], const char *field,
         struct jml_error *error)
{
    if (given != 0 && (given < range[0] || given > range[1]))
        return jmli_fail_at(error, JML_BAD_OPTION, field,
                            "%s is %zu; give %zu to %zu, or 0 for %zu", field, given, range[0],
                            range[1], preset);
    *out = given != 0 ? given : preset;
    return JML_OK;
}

static enum jml_code
limits_set(const struct jml_options *own, struct settings *out, struct jml_error *error)
{
    const size_t half = SIZE_MAX / 2;
    size_t nesting = 0, in_flight = 0;
    const struct {
        size_t *out, given, preset, range[2];
        const char *field;
    } rows[] = {
        {&out->max_frame_bytes,
         own->max_frame_bytes,
         FRAME_BYTES_PRESET,
         {FRAME_BYTES_MIN, half},
         "options.max_frame_bytes"},
        {&out->max_frame_items,
         own->max_frame_items,
         ITEMS_PRESET,
         {64, UINT32_MAX},
         "options.max_frame_items"},
        {&nesting, own->max_nesting, NESTING_MAX, {3, NESTING_MAX}, "options.max_nesting"},
        {&in_flight,
         own->max_in_flight,
         IN_FLIGHT_PRESET,
         {1, IN_FLIGHT_MAX},
         "options.max_in_flight"},
        {&out->max_unsent_bytes,
         own->max_unsent_bytes,
         UNSENT_PRESET,
         {FRAME_BYTES_MIN, half},
         "options.max_unsent_bytes"},
    };
    enum jml_code code = JML_OK;

    for (size_t i = 0; i < sizeof rows / sizeof rows[0] && code == JML_OK; i++)
        code = size_set(rows[i].out, rows[i].given, rows[i].preset, rows[i].range, rows[i].field,
                        error);
    out->max_nesting = (uint32_t)nesting;
    out->max_in_flight = (uint32_t)in_flight;
    return code;
}

/* ---- the whole ---- */

static enum jml_code
texts_set(const struct jml_options *own, struct settings *out, struct jml_error *error)
{
    const char *name = own->client_name, *language = own->language;

    if (name != NULL && strlen(name) >= sizeof out->client_name)
        return jmli_fail_at(error, JML_BAD_OPTION, "options.client_name",
                            "the client's name has %zu bytes; at most %zu are taken", strlen(name),
                            sizeof out->client_name - 1);
    if (name != NULL)
        memcpy(out->client_name, name, strlen(name) + 1);
    if (language != NULL && strcmp(language, "en") != 0 && strcmp(language, "fr") != 0)
        return jmli_fail_at(error, JML_BAD_OPTION, "options.language",
                            "the language is \"%s\"; give en or fr", language);
    if (language != NULL)
        memcpy(out->language, language, 3);
    if (own->token != NULL && own->token_file != NULL)
        return jmli_fail_at(error, JML_BAD_OPTION, "options.token_file",
                            "both a token and a token file are given; give one of them");
    if (own->token != NULL)
        return token_set(out, own->token, strlen(own->token), "options.token", error);
    if (own->token_file != NULL)
        return token_load(out, own->token_file, error);
    return JML_OK;
}

enum jml_code
jmli_settings_read(const struct jml_options *options, struct settings *out, struct jml_error *error)
{
    struct jml_options own;
    enum jml_code code = jmli_copy_sized(&own, offsetof(struct jml_options, tls_ca_file),
                                         sizeof own, options, "options", error);

    memset(out, 0, sizeof *out);
    if (code != JML_OK)
        return code;
    out->allocator = own.allocator;
    code = timeout_set(&out->connect_timeout_ms, own.connect_timeout_ms, CONNECT_PRESET_MS,
                       "options.connect_timeout_ms", error);
    if (code == JML_OK)
        code = timeout_set(&out->call_timeout_ms, own.call_timeout_ms, CALL_PRESET_MS,
                           "options.call_timeout_ms", error);
    if (code == JML_OK)
        code = limits_set(&own, out, error);
    if (code == JML_OK)
        code = texts_set(&own, out, error);
    if (code == JML_OK)
        code = jmli_endpoint_parse(own.address, &out->endpoint, error);
    if (code == JML_OK)
        code = jmli_trust_init(&out->trust, &out->endpoint, own.tls_ca_file, own.tls_server_name,
                               error);
    if (code != JML_OK)
        jmli_settings_fini(out);
    return code;
}

void
jmli_settings_fini(struct settings *settings)
{
    explicit_bzero(settings->token, sizeof settings->token);
    jmli_trust_fini(&settings->trust);
}

bool
jmli_settings_pack_hello(const struct settings *settings, struct octets *out)
{
    bool is_http = settings->endpoint.is_http; /* then both are in each request's head */
    const struct {
        const char *name, *text;
    } rows[] = {{"token", is_http ? "" : settings->token},
                {"client", settings->client_name},
                {"language", is_http ? "" : settings->language}};
    msgpack_packer packer = jmli_octets_packer(out);
    size_t n = 0;
    int rc;

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        n += rows[i].text[0] != '\0';
    rc = msgpack_pack_map(&packer, n);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0] && rc == 0; i++)
        if (rows[i].text[0] != '\0')
            rc = jmli_pack_text(&packer, rows[i].name, strlen(rows[i].name)) ||
                 jmli_pack_text(&packer, rows[i].text, strlen(rows[i].text));
    return rc == 0;
}
