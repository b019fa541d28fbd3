#include "notify.h"

#include <criterion/criterion.h>

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static char folder[64];
static int manager = -1;

static void
setup(void)
{
    snprintf(folder, sizeof folder, "/tmp/jumelage-notify-XXXXXX");
    cr_assert_not_null(mkdtemp(folder));
    manager = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    cr_assert_geq(manager, 0);
}

static void
teardown(void)
{
    char path[96];

    close(manager);
    snprintf(path, sizeof path, "%s/manager", folder);
    unlink(path);
    rmdir(folder);
    unsetenv("NOTIFY_SOCKET");
}

TestSuite(notify, .init = setup, .fini = teardown);

/* `name` as the environment has it: a leading @ is an abstract name. */
static void
serve(const char *name)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};

    memcpy(address.sun_path, name, strlen(name));
    if (name[0] == '@')
        address.sun_path[0] = '\0';
    cr_assert_eq(bind(manager, (const struct sockaddr *)&address,
                      (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(name))),
                 0);
    setenv("NOTIFY_SOCKET", name, 1);
}

static const char *
heard(void)
{
    static char words[256];
    ssize_t n = recv(manager, words, sizeof words - 1, 0);

    words[n > 0 ? n : 0] = '\0';
    return words;
}

Test(notify, tells_a_manager_at_a_path)
{
    char path[96];

    snprintf(path, sizeof path, "%s/manager", folder);
    serve(path);
    notify_system("READY=1");
    cr_expect_str_eq(heard(), "READY=1");
    notify_system("STOPPING=1");
    cr_expect_str_eq(heard(), "STOPPING=1");
}

Test(notify, tells_a_manager_with_an_abstract_name)
{
    char name[96];

    snprintf(name, sizeof name, "@%s", folder);
    serve(name);
    notify_system("READY=1");
    cr_expect_str_eq(heard(), "READY=1");
}

Test(notify, does_nothing_where_nobody_asked)
{
    static const char *const names[] = {"", "/", "@", "relative/path", "/nobody/serves/this"};
    char longest[200];

    unsetenv("NOTIFY_SOCKET");
    notify_system("READY=1");
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        setenv("NOTIFY_SOCKET", names[i], 1);
        notify_system("READY=1");
    }
    memset(longest, 'x', sizeof longest);
    longest[0] = '/';
    longest[sizeof longest - 1] = '\0';
    setenv("NOTIFY_SOCKET", longest, 1);
    notify_system("READY=1");
    cr_expect_str_eq(heard(), "");
}
