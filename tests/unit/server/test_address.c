#include "address.h"
#include "cases.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define LONGEST_PATH                                                          \
    "/123456789/123456789/123456789/123456789/123456789/123456789/123456789/" \
    "123456789/123456789/123456789/123456" /* 107 bytes: sun_path less its NUL */

static const struct {
    const char *says, *text, *formatted;
    bool is_loopback;
} good[] = {
    {"a unix socket", "unix:/run/jml.sock", "unix:/run/jml.sock", true},
    {"a relative path", "unix:jml.sock", "unix:jml.sock", true},
    {"the longest path", "unix:" LONGEST_PATH, "unix:" LONGEST_PATH, true},
    {"v4", "tcp:127.0.0.1:7420", "tcp:127.0.0.1:7420", true},
    {"port 0 means any", "tcp:127.0.0.1:0", "tcp:127.0.0.1:0", true},
    {"the highest port", "tcp:127.0.0.1:65535", "tcp:127.0.0.1:65535", true},
    {"all of 127.0.0.0/8 is loopback", "tcp:127.255.0.9:1", "tcp:127.255.0.9:1", true},
    {"v6 in brackets", "tcp:[::1]:7420", "tcp:[::1]:7420", true},
    {"v4 in v6", "tcp:[::ffff:127.0.0.1]:1", "tcp:[::ffff:127.0.0.1]:1", true},
    {"every v4 address is public", "tcp:0.0.0.0:1", "tcp:0.0.0.0:1", false},
    {"every v6 address is public", "tcp:[::]:1", "tcp:[::]:1", false},
    {"a public v4 address", "tcp:192.0.2.1:1", "tcp:192.0.2.1:1", false},
    {"128.0.0.1 is next to loopback, not in it", "tcp:128.0.0.1:1", "tcp:128.0.0.1:1", false},
    {"a public v4 address in v6", "tcp:[::ffff:192.0.2.1]:1", "tcp:[::ffff:192.0.2.1]:1", false},
    {"a v6 address that ends in 1", "tcp:[2001:db8::1]:1", "tcp:[2001:db8::1]:1", false},
};

CASES(address, is_read_and_written, good)
{
    char text[ADDRESS_TEXT_BYTES];
    struct address address;
    struct err err = {0};

    cr_assert_eq(address_parse(str_from(good[*i].text), &address, &err), ERR_OK, "%s: %s",
                 good[*i].says, err.message);
    address_format(&address, text);
    cr_expect_str_eq(text, good[*i].formatted, "%s", good[*i].says);
    cr_expect_eq(address.is_loopback, good[*i].is_loopback, "%s", good[*i].says);
}

Test(address, a_hosts_name_is_looked_up)
{
    struct address address;
    struct err err = {0};

    cr_assert_eq(address_parse(STR_LIT("tcp:localhost:0"), &address, &err), ERR_OK, "%s",
                 err.message);
    cr_expect(address.is_loopback);
}

static const struct {
    const char *says, *text, *sentence;
} bad[] = {
    {"nothing", "", "begins with unix:, tcp:, tls:, http: or https:"},
    {"another scheme", "ftp://x", "\"ftp://x\" is no address"},
    {"no path", "unix:", "needs a path"},
    {"a path of one byte too many", "unix:" LONGEST_PATH "7", "has 108 bytes"},
    {"no port", "tcp:127.0.0.1", "needs a host and a port"},
    {"an empty port", "tcp:127.0.0.1:", "the port \"\""},
    {"no host", "tcp::7420", "needs a host"},
    {"a port over the highest", "tcp:127.0.0.1:65536", "the port \"65536\""},
    {"a port of six digits", "tcp:127.0.0.1:000080", "the port \"000080\""},
    {"a negative port", "tcp:127.0.0.1:-1", "the port \"-1\""},
    {"a port in words", "tcp:127.0.0.1:http", "the port \"http\""},
    {"a space before the port", "tcp:127.0.0.1: 80", "the port \" 80\""},
    {"v6 without brackets", "tcp:::1:7420", "write it in brackets"},
    {"empty brackets", "tcp:[]:7420", "needs a host"},
    {"no such address", "tcp:300.1.1.1:7420", "cannot be found"},
};

CASES(address, a_fault_names_the_text_and_what_would_be_right, bad)
{
    struct address address;
    struct err err = {0};

    cr_assert_eq(address_parse(str_from(bad[*i].text), &address, &err), ERR_INVALID_PARAMS, "%s",
                 bad[*i].says);
    cr_expect_not_null(strstr(err.message, bad[*i].sentence), "%s: %s", bad[*i].says, err.message);
}

/* The text is a piece with a length: what follows it is not read. */
Test(address, ends_where_its_text_ends)
{
    char text[ADDRESS_TEXT_BYTES];
    struct str piece = {"tcp:127.0.0.1:74209", 18};
    struct address address;

    cr_assert_eq(address_parse(piece, &address, NULL), ERR_OK);
    address_format(&address, text);
    cr_expect_str_eq(text, "tcp:127.0.0.1:7420");
    cr_expect_eq(address_parse((struct str){"unix:/a\0b", 9}, &address, NULL), ERR_INVALID_PARAMS);
}

/* ---- listening ---- */

static char folder[64], path[96];

static void
setup(void)
{
    snprintf(folder, sizeof folder, "/tmp/jumelage-address-XXXXXX");
    cr_assert_not_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/socket", folder);
}

static void
teardown(void)
{
    unlink(path);
    rmdir(folder);
}

TestSuite(listening, .init = setup, .fini = teardown);

static enum err_code
listen_at(const char *text, struct address *address, int *fd, struct err *err)
{
    enum err_code code = address_parse(str_from(text), address, err);

    return code == ERR_OK ? address_listen(address, 8, fd, err) : code;
}

static enum err_code
listen_at_path(int *fd, struct err *err)
{
    struct address address;
    char text[128];

    snprintf(text, sizeof text, "unix:%s", path);
    return listen_at(text, &address, fd, err);
}

static bool
can_connect(const struct address *address)
{
    int fd = socket(address->socket.ss_family, SOCK_STREAM, 0);
    bool can = connect(fd, (const struct sockaddr *)&address->socket, address->length) == 0;

    close(fd);
    return can;
}

static const struct {
    const char *says, *text;
} anywhere[] = {
    {"v4", "tcp:127.0.0.1:0"},
    {"v6", "tcp:[::1]:0"},
    {"v4 in v6", "tcp:[::ffff:127.0.0.1]:0"},
};

CASES(listening, at_port_0_tells_the_port_that_was_chosen, anywhere)
{
    char text[ADDRESS_TEXT_BYTES];
    struct address address, again;
    struct err err = {0};
    int fd;

    cr_assert_eq(listen_at(anywhere[*i].text, &address, &fd, &err), ERR_OK, "%s: %s",
                 anywhere[*i].says, err.message);
    address_format(&address, text);
    cr_expect_neq(((const struct sockaddr_in *)&address.socket)->sin_port, 0); /* v6: same place */
    cr_assert_eq(address_parse(str_from(text), &again, &err), ERR_OK);
    cr_expect(can_connect(&again), "%s", text);
    cr_expect(fcntl(fd, F_GETFL) & O_NONBLOCK);
    cr_expect(fcntl(fd, F_GETFD) & FD_CLOEXEC);
    close(fd);
}

Test(listening, at_a_port_that_is_taken_is_a_conflict)
{
    struct address first, second;
    struct err err = {0};
    char text[ADDRESS_TEXT_BYTES];
    int fd, other;

    cr_assert_eq(listen_at("tcp:127.0.0.1:0", &first, &fd, &err), ERR_OK, "%s", err.message);
    address_format(&first, text);
    cr_expect_eq(listen_at(text, &second, &other, &err), ERR_CONFLICT);
    cr_expect_not_null(strstr(err.message, text), "%s", err.message);
    close(fd);
}

Test(listening, at_a_path_lets_everyone_knock)
{
    struct err err = {0};
    struct stat st;
    int fd;

    umask(077);
    cr_assert_eq(listen_at_path(&fd, &err), ERR_OK, "%s", err.message);
    cr_assert_eq(stat(path, &st), 0);
    cr_expect(S_ISSOCK(st.st_mode));
    cr_expect_eq(st.st_mode & 0777, 0666);
    close(fd);
}

Test(listening, replaces_a_socket_that_nobody_serves_any_more)
{
    struct err err = {0};
    int fd;

    cr_assert_eq(listen_at_path(&fd, &err), ERR_OK, "%s", err.message);
    close(fd); /* as when a service is killed: the file stays */
    cr_assert_eq(access(path, F_OK), 0);
    cr_assert_eq(listen_at_path(&fd, &err), ERR_OK, "%s", err.message);
    close(fd);
}

Test(listening, leaves_a_socket_alone_that_somebody_serves)
{
    struct err err = {0};
    int fd, other;

    cr_assert_eq(listen_at_path(&fd, &err), ERR_OK, "%s", err.message);
    cr_expect_eq(listen_at_path(&other, &err), ERR_CONFLICT);
    cr_expect_not_null(strstr(err.message, "another program serves"), "%s", err.message);
    cr_expect_eq(access(path, F_OK), 0);
    close(fd);
}

Test(listening, leaves_alone_what_is_no_socket)
{
    struct err err = {0};
    FILE *file = fopen(path, "w");
    int fd;

    cr_assert_not_null(file);
    fclose(file);
    cr_expect_eq(listen_at_path(&fd, &err), ERR_CONFLICT);
    cr_expect_not_null(strstr(err.message, "is no socket"), "%s", err.message);
    cr_expect_eq(access(path, F_OK), 0);
}

Test(listening, in_a_folder_that_is_not_there_says_so)
{
    struct err err = {0};
    int fd;

    snprintf(path, sizeof path, "%s/none/socket", folder);
    cr_expect_eq(listen_at_path(&fd, &err), ERR_NOT_FOUND, "%s", err.message);
    cr_expect_not_null(strstr(err.message, path), "%s", err.message);
}

static const struct {
    const char *text;
    bool is_tls, is_http;
} spoken[] = {
    {"tcp:127.0.0.1:1", false, false},
    {"tls:127.0.0.1:1", true, false},
    {"http:127.0.0.1:1", false, true},
    {"https:[::1]:65535", true, true},
};

CASES(address, what_is_spoken_there_is_read_and_written, spoken)
{
    char text[ADDRESS_TEXT_BYTES];
    struct address address;

    cr_assert_eq(address_parse(str_from(spoken[*i].text), &address, NULL), ERR_OK);
    cr_expect_eq(address.is_tls, spoken[*i].is_tls);
    cr_expect_eq(address.is_http, spoken[*i].is_http);
    address_format(&address, text);
    cr_expect_str_eq(text, spoken[*i].text);
}
