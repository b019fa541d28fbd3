#include "cases.h"
#include "jml_options.h"

#include <criterion/criterion.h>

#include <arpa/inet.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static struct settings settings;
static struct jml_error error;

static enum jml_code
read_options(const struct jml_options *options)
{
    memset(&error, 0, sizeof error);
    return jmli_settings_read(options, &settings, &error);
}

static struct jml_options
good(void)
{
    struct jml_options options = JML_OPTIONS_INIT;

    options.address = "unix:/run/jumelage.sock";
    return options;
}

Test(jml_options, what_is_left_out_has_its_preset)
{
    struct jml_options options = good();

    cr_assert_eq(read_options(&options), JML_OK, "%s", error.message);
    cr_expect_eq(settings.connect_timeout_ms, 5000);
    cr_expect_eq(settings.call_timeout_ms, 30000);
    cr_expect_eq(settings.max_frame_bytes, 64 << 20);
    cr_expect_eq(settings.max_frame_items, 4000000);
    cr_expect_eq(settings.max_nesting, 32);
    cr_expect_eq(settings.max_in_flight, 1024);
    cr_expect_eq(settings.max_unsent_bytes, 64 << 20);
    cr_expect_str_eq(settings.token, "");
}

static const struct {
    const char *says, *address, *part;
} addresses[] = {
    {"none", NULL, "no address"},
    {"empty", "", "no address"},
    {"no scheme", "/run/jumelage.sock", "no known scheme"},
    {"a path too long for the system", NULL, "the system takes at most 107"},
    {"no path", "unix:", "has no path"},
    {"no port", "tcp:127.0.0.1", "has no port"},
    {"a port that is no number", "tcp:127.0.0.1:http", "no port from 1 to 65535"},
    {"port 0", "tcp:127.0.0.1:0", "no port from 1 to 65535"},
    {"port 65536", "tcp:127.0.0.1:65536", "no port from 1 to 65535"},
    {"no host", "tcp::7420", "has no host"},
    {"IPv6 without brackets", "tcp:::1:7420", "outside of [ ]"},
    {"a bracket left open", "tcp:[::1:7420", "behind its \"[\""},
    {"TLS without a port", "tls:127.0.0.1", "has no port"},
    {"HTTP without a host", "https://", "has no host"},
    {"HTTP with a port alone", "http://:80", "has no host"},
    {"HTTP with a path", "http://127.0.0.1:80/rpc", "more than a host and a port"},
    {"HTTP with a user", "http://anna@127.0.0.1", "more than a host and a port"},
    {"HTTP with a line's end", "http://127.0.0.1:80\r\nX: y", "more than a host and a port"},
    {"HTTP with an empty port", "http://127.0.0.1:", "no port from 1 to 65535"},
    {"HTTP to IPv6 without brackets", "http://::1", "outside of [ ]"},
};

static const struct {
    const char *address, *authority;
    int port;
    bool is_tls;
} urls[] = {
    {"http://127.0.0.1:8080", "127.0.0.1:8080", 8080, false},
    {"http://127.0.0.1:8080/", "127.0.0.1:8080", 8080, false},
    {"http:127.0.0.1:8080", "127.0.0.1:8080", 8080, false},
    {"http://127.0.0.1", "127.0.0.1", 80, false},
    {"http://127.0.0.1:80", "127.0.0.1", 80, false},
    {"https://127.0.0.1", "127.0.0.1", 443, true},
    {"https://127.0.0.1:80", "127.0.0.1:80", 80, true},
    {"https://[::1]", "[::1]", 443, true},
    {"http://[::1]:8080/", "[::1]:8080", 8080, false},
    {"http://[fe80::1%lo]:8080", "[fe80::1]:8080", 8080, false},
};

Test(jml_options, an_address_of_http_tells_whom_the_requests_name)
{
    for (size_t i = 0; i < sizeof urls / sizeof urls[0]; i++) {
        struct endpoint endpoint;
        uint16_t port;

        cr_assert_eq(jmli_endpoint_parse(urls[i].address, &endpoint, &error), JML_OK, "%s: %s",
                     urls[i].address, error.message);
        cr_expect_str_eq(endpoint.authority, urls[i].authority);
        cr_expect(endpoint.is_http && endpoint.is_tls == urls[i].is_tls, "%s", urls[i].address);
        port = endpoint.addresses[0].any.sa_family == AF_INET6 ? endpoint.addresses[0].v6.sin6_port
                                                               : endpoint.addresses[0].v4.sin_port;
        cr_expect_eq(ntohs(port), urls[i].port, "%s", urls[i].address);
    }
}

Test(jml_options, a_wrong_address_is_told_with_what_would_be_right)
{
    char path[200] = "unix:/";

    memset(path + 6, 'x', 120);
    for (size_t i = 0; i < sizeof addresses / sizeof addresses[0]; i++) {
        struct jml_options options = good();

        options.address = i == 3 ? path : addresses[i].address;
        cr_expect_eq(read_options(&options), JML_BAD_OPTION, "%s", addresses[i].says);
        cr_expect_not_null(strstr(error.message, addresses[i].part), "%s: %s", addresses[i].says,
                           error.message);
        cr_expect_str_eq(error.field, "options.address");
    }
}

Test(jml_options, addresses_of_each_kind_are_read)
{
    static const char *const texts[] = {"unix:relative.sock", "tcp:127.0.0.1:1", "tcp:[::1]:65535",
                                        "tls:[::1]:7421"};
    static const char *const hosts[] = {"", "127.0.0.1", "::1", "::1"};
    static const int families[] = {AF_UNIX, AF_INET, AF_INET6, AF_INET6};

    for (size_t i = 0; i < 4; i++) {
        struct jml_options options = good();

        options.address = texts[i];
        cr_assert_eq(read_options(&options), JML_OK, "%s", error.message);
        cr_expect_eq(settings.endpoint.n, 1);
        cr_expect_eq(settings.endpoint.addresses[0].any.sa_family, families[i]);
        cr_expect_str_eq(settings.endpoint.host, hosts[i]);
        cr_expect_eq(settings.trust.context != NULL, i == 3, "%s", texts[i]);
        jmli_settings_fini(&settings);
    }
}

Test(jml_options, limits_are_taken_at_their_bounds_and_refused_beyond)
{
    struct jml_options options = good();

    options.max_frame_bytes = 1024;
    options.max_frame_items = 64;
    options.max_nesting = 3;
    options.max_in_flight = 65536;
    options.max_unsent_bytes = 1024;
    options.connect_timeout_ms = options.call_timeout_ms = -1;
    cr_expect_eq(read_options(&options), JML_OK, "%s", error.message);

    options = good();
    options.max_frame_bytes = 1023;
    cr_expect_eq(read_options(&options), JML_BAD_OPTION);
    cr_expect_str_eq(error.field, "options.max_frame_bytes");
    options = good();
    options.max_in_flight = 65537;
    cr_expect_eq(read_options(&options), JML_BAD_OPTION);
    cr_expect_str_eq(error.field, "options.max_in_flight");
    options = good();
    options.max_nesting = 33;
    cr_expect_eq(read_options(&options), JML_BAD_OPTION);
    options = good();
    options.call_timeout_ms = -2;
    cr_expect_eq(read_options(&options), JML_BAD_OPTION);
    cr_expect_str_eq(error.field, "options.call_timeout_ms");
}

Test(jml_options, the_version_of_the_structure_is_checked)
{
    struct {
        struct jml_options options;
        char later[16];
    } longer = {good(), {0}};

    longer.options.size = sizeof longer;
    cr_expect_eq(read_options(&longer.options), JML_OK, "fields that are not set do no harm");
    longer.later[3] = 1;
    cr_expect_eq(read_options(&longer.options), JML_BAD_OPTION);
    cr_expect_not_null(strstr(error.message, "does not know"));
    longer.options.size = offsetof(struct jml_options, tls_ca_file);
    longer.options.tls_ca_file = "behind the end of a program that was built with the first header";
    cr_expect_eq(read_options(&longer.options), JML_OK, "%s", error.message);
    longer.options.size = 8;
    cr_expect_eq(read_options(&longer.options), JML_BAD_OPTION);
    cr_expect_not_null(strstr(error.message, "_INIT"));
    cr_expect_eq(read_options(NULL), JML_BAD_OPTION);
}

/* ---- tokens ---- */

static char path[64];

static void
write_token(const char *text, mode_t mode)
{
    int fd;

    strcpy(path, "/tmp/jml-token-XXXXXX");
    fd = mkstemp(path);
    cr_assert(fd >= 0);
    cr_assert_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    cr_assert_eq(fchmod(fd, mode), 0);
    close(fd);
}

static enum jml_code
read_token(const char *text, mode_t mode)
{
    struct jml_options options = good();
    enum jml_code code;

    write_token(text, mode);
    options.token_file = path;
    code = read_options(&options);
    unlink(path);
    return code;
}

Test(jml_options, a_token_file_is_read_without_its_line_end_and_only_if_it_is_private)
{
    cr_expect_eq(read_token("jml_0123_abc\n", 0600), JML_OK, "%s", error.message);
    cr_expect_str_eq(settings.token, "jml_0123_abc");
    cr_expect_eq(read_token("jml_0123_abc\r\n", 0400), JML_OK);
    cr_expect_str_eq(settings.token, "jml_0123_abc");
    cr_expect_eq(read_token("jml_0123_abc", 0640), JML_BAD_OPTION);
    cr_expect_not_null(strstr(error.message, "0640"));
    cr_expect_null(strstr(error.message, "0123"), "a token is never told");
    cr_expect_eq(read_token("\n", 0600), JML_BAD_OPTION);
    cr_expect_eq(read_token("two words", 0600), JML_BAD_OPTION);
    cr_expect_null(strstr(error.message, "words"));
}

Test(jml_options, a_token_has_at_most_two_hundred_bytes)
{
    char text[202];

    memset(text, 'a', sizeof text);
    text[200] = '\0';
    cr_expect_eq(read_token(text, 0600), JML_OK);
    text[200] = 'a';
    text[201] = '\0';
    cr_expect_eq(read_token(text, 0600), JML_BAD_OPTION);
}

Test(jml_options, a_token_file_that_is_none_is_told)
{
    struct jml_options options = good();

    options.token_file = "/tmp";
    cr_expect_eq(read_options(&options), JML_BAD_OPTION);
    options.token_file = "/nonexistent/token";
    cr_expect_eq(read_options(&options), JML_BAD_OPTION);
    cr_expect_not_null(strstr(error.message, "is not there"));
    options.token = "jml_x";
    cr_expect_eq(read_options(&options), JML_BAD_OPTION);
    cr_expect_not_null(strstr(error.message, "one of them"));
}

Test(jml_options, language_and_name_are_bounded)
{
    struct jml_options options = good();
    char name[202];

    memset(name, 'n', sizeof name);
    name[200] = '\0';
    options.client_name = name;
    options.language = "fr";
    cr_expect_eq(read_options(&options), JML_OK);
    name[200] = 'n';
    name[201] = '\0';
    cr_expect_eq(read_options(&options), JML_BAD_OPTION);
    options = good();
    options.language = "de";
    cr_expect_eq(read_options(&options), JML_BAD_OPTION);
    cr_expect_str_eq(error.field, "options.language");
}
