/* test_live_settings.c: what a SIGHUP changes in a running service, and what it leaves. */
#include "config.h"
#include "file.h"
#include "live_settings.h"
#include "server.h"
#include "small_store.h"

#include <criterion/criterion.h>

#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { DEADLINE_MS = 20000 };

static char folder[64], path[96], store[96];
static char *words[] = {
    (char[]){"jumelaged"}, (char[]){"--data"}, store, (char[]){"--config"}, path,
    (char[]){"--drain-s"}, (char[]){"7"},      NULL};
static struct arena *arena;
static struct config config;
static struct service service;
static struct log lines;
static int heard;
static char said[8192];

static void
write_file(const char *text)
{
    cr_assert_eq(file_write(path, text, strlen(text), 0600, NULL), ERR_OK);
}

static void
setup(void)
{
    struct err err = {0};
    int ends[2];

    snprintf(folder, sizeof folder, "/tmp/jumelage-settings-XXXXXX");
    small_store_folder(folder);
    snprintf(path, sizeof path, "%s/settings.yaml", folder);
    snprintf(store, sizeof store, "%s/store", folder);
    setenv("JUMELAGE_SHARE", JML_DATA, 1);
    write_file("workers: 1\nthreads: 1\nlimits: {connections: 100}\n");
    cr_assert_eq(pipe(ends), 0);
    heard = ends[0];
    log_init(&lines, ends[1], LOG_LEVEL_INFO, clock_system());
    arena = arena_create(SIZE_MAX);
    cr_assert_eq(config_read(7, words, arena, &config, &err), ERR_OK, "%s", err.message);
    service = (struct service){.log = &lines, .own_uid = geteuid()};
}

static void
teardown(void)
{
    arena_destroy(arena);
    small_store_remove(folder);
}

TestSuite(live_settings, .init = setup, .fini = teardown, .timeout = 60);

/* What the log says up to a line with this event; the rest is heard next time. */
static const char *
hear(const char *event)
{
    char wanted[64];
    size_t n = 0;

    snprintf(wanted, sizeof wanted, " %s", event);
    for (;;) {
        struct pollfd ready = {heard, POLLIN, 0};

        cr_assert_eq(poll(&ready, 1, DEADLINE_MS), 1, "no %s in: %s", event, said);
        cr_assert_eq(read(heard, said + n, 1), 1);
        cr_assert_lt(++n, sizeof said - 1);
        said[n] = '\0';
        if (said[n - 1] == '\n' && strstr(said, wanted) != NULL)
            return said;
    }
}

Test(live_settings, the_live_ones_change)
{
    cr_assert_eq(live_settings_apply(&config, &service, NULL), ERR_OK);
    cr_expect_eq(service.limits[LIMIT_CONNECTIONS], 100);
    cr_expect_eq(service.admin_group, 0);
    write_file("workers: 1\nthreads: 1\nlog-level: debug\nadmin-group: root\n"
               "limits: {connections: 50, idle_s: 9}\n");
    live_settings_reload(&config, &service);
    hear("reloaded");
    cr_expect_eq(service.limits[LIMIT_CONNECTIONS], 50);
    cr_expect_eq(service.limits[LIMIT_IDLE_S], 9);
    cr_expect_eq(service.admin_group, 1, "root's number and one");
    cr_expect(service_rights(&service).has_admin_group);
    cr_expect_eq(lines.least, LOG_LEVEL_DEBUG);
    cr_expect_not_null(strstr(said, "waiting=0"), "%s", said);
}

Test(live_settings, the_command_line_still_goes_before_the_file)
{
    write_file("drain-s: 99\n");
    cr_assert_eq(live_settings_apply(&config, &service, NULL), ERR_OK);
    live_settings_reload(&config, &service);
    cr_expect_eq(service.drain_s, 7);
}

Test(live_settings, what_takes_a_restart_is_named)
{
    cr_assert_eq(live_settings_apply(&config, &service, NULL), ERR_OK);
    write_file("workers: 5\nthreads: 1\nlisten: tcp:127.0.0.1:0\n");
    live_settings_reload(&config, &service);
    hear("reloaded");
    cr_expect_not_null(strstr(said, "reload.waits setting=workers"), "%s", said);
    cr_expect_not_null(strstr(said, "reload.waits setting=listen"), "%s", said);
    cr_expect_null(strstr(said, "setting=threads"), "%s", said);
    cr_expect_not_null(strstr(said, "waiting=2"), "%s", said);
}

static const struct {
    const char *text, *why;
} bad[] = {
    {"limits: {connections: 50}\nidle: 5\n", "there is no such setting"},
    {"limits: {connections: 50}\nadmin-group: no-such-group-here\n", "there is no group"},
    {"limits: {connections: 50\n", "settings.yaml"},
};

Test(live_settings, a_fault_leaves_all_as_it_was)
{
    cr_assert_eq(live_settings_apply(&config, &service, NULL), ERR_OK);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        write_file(bad[i].text);
        live_settings_reload(&config, &service);
        hear("reload.failed");
        cr_expect_not_null(strstr(said, bad[i].why), "%s", said);
        cr_expect_eq(service.limits[LIMIT_CONNECTIONS], 100, "%s", bad[i].text);
    }
}

Test(live_settings, each_is_the_same_as_itself)
{
    for (const struct setting_row *row = setting_rows; row->name != NULL; row++)
        cr_expect(config_agrees(&config, &config, row), "%s", row->name);
}

static void *
run(void *context)
{
    server_run(context);
    server_close(context);
    return NULL;
}

Test(live_settings, a_hangup_reloads_a_running_service_and_a_termination_still_ends_it)
{
    struct server *server;
    struct err err = {0};
    pthread_t runner;

    cr_assert_eq(server_open(&config, &lines, &server, &err), ERR_OK, "%s", err.message);
    cr_assert_eq(pthread_create(&runner, NULL, run, server), 0);
    hear("ready");
    write_file("workers: 1\nthreads: 1\nlog-level: debug\n");
    kill(getpid(), SIGHUP);
    hear("reloaded");
    write_file("nonsense\n");
    kill(getpid(), SIGHUP);
    hear("reload.failed");
    kill(getpid(), SIGTERM);
    hear("ended");
    pthread_join(runner, NULL);
}
