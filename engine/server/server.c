#include "server.h"

#include "address.h"
#include "alloc.h"
#include "day_watch.h"
#include "kernel.h"
#include "listener.h"
#include "live_settings.h"
#include "loop.h"
#include "notify.h"
#include "service.h"

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum { LOOPS_MAX = 64, HOLDER_BYTES = 512, PATH_BYTES = 4096, STORE_WAIT_MS = 2000 };

struct loop_thread { /* beside the main one */
    pthread_t id;
    struct server *server;
    struct loop *loop;
};

struct server {
    const struct config *config;
    struct service service;
    struct log *log;
    struct loop *loops[LOOPS_MAX];
    struct loop_thread threads[LOOPS_MAX];
    size_t n_loops, n_threads;
    pthread_t watch_thread; /* does the desk's work */
    bool has_watch_thread;
    struct door doors[LISTEN_MAX];
    struct listener *listeners[LISTEN_MAX];
    struct listener_host listener_host;
    size_t n_listeners;
    struct event terminate, interrupt, hangup, deadline;
    bool has_signals;
    struct day_watch day;
    int alarm_fd; /* written where the store failed, so that the main loop hears of it */
    struct event alarm;
    _Atomic bool has_failed;
    struct err failure; /* whole before has_failed */
};

/* ---- what is settled before anything is opened ---- */

static enum err_code
parse_addresses(struct server *server, struct err *err)
{
    const struct config *config = server->config;
    char preset[PATH_BYTES];

    if (config->n_listen == 0) {
        snprintf(preset, sizeof preset, "unix:%s/jumelage.sock", config->data_dir);
        server->n_listeners = 1;
        return address_parse(str_from(preset), &server->doors[0].address, err);
    }
    for (; server->n_listeners < config->n_listen; server->n_listeners++) {
        const char *text = config->listen[server->n_listeners];
        struct address *address = &server->doors[server->n_listeners].address;
        enum err_code code = address_parse(str_from(text), address, err);

        if (code != ERR_OK)
            return code;
        if (!address->is_loopback && !address->is_tls && !config->allows_plain_public)
            return err_set(err, ERR_FORBIDDEN,
                           "%s can be reached from other machines and is not encrypted; listen at "
                           "127.0.0.1, take tls: or https:, or say --allow-plain-public",
                           text);
    }
    return ERR_OK;
}

/* What connections need by the kind of their address: a certificate, names, files. */
static enum err_code
furnish_doors(struct server *server, struct err *err)
{
    const struct config *config = server->config;
    struct service *service = &server->service;
    enum err_code code = ERR_OK;
    bool has_tls = false;

    for (size_t i = 0; i < server->n_listeners; i++) {
        struct door *door = &server->doors[i];

        door->guard = (struct http_guard){.names = config->http_hosts,
                                          .n_names = config->n_http_hosts,
                                          .is_tls = door->address.is_tls};
        has_tls = has_tls || door->address.is_tls;
    }
    if (has_tls && (config->tls_cert == NULL || config->tls_key == NULL))
        return err_set(err, ERR_INVALID_PARAMS,
                       "an address with tls: or https: needs --tls-cert and --tls-key");
    service->has_tls = has_tls;
    if (has_tls)
        code = tls_desk_load(&service->tls, config->tls_cert, config->tls_key, err);
    if (code == ERR_OK)
        code = console_open(&service->console, config->console_dir, server->log, err);
    return code;
}

/* ---- the engine ---- */

/* An address for programs that stand in another folder than we do. */
static void
holder_address(const struct address *address, char text[HOLDER_BYTES])
{
    char whole[PATH_BYTES];

    text[0] = '\0';
    if (address->kind != ADDRESS_UNIX)
        address_format(address, text);
    else if (realpath(((const struct sockaddr_un *)&address->socket)->sun_path, whole) != NULL &&
             strlen(whole) < HOLDER_BYTES - sizeof "unix:")
        snprintf(text, HOLDER_BYTES, "unix:%.*s", (int)(HOLDER_BYTES - sizeof "unix:"), whole);
}

/* What the lock file says of us once we listen, so that the tool finds our socket: the unix ones first. */
static void
holder_text(const struct server *server, char text[HOLDER_BYTES])
{
    size_t used = (size_t)snprintf(text, HOLDER_BYTES, "service");

    for (int kind = ADDRESS_UNIX; kind <= ADDRESS_TCP; kind++)
        for (size_t i = 0; i < server->n_listeners; i++) {
            char one[HOLDER_BYTES];

            if (server->doors[i].address.kind != (enum address_kind)kind)
                continue;
            holder_address(&server->doors[i].address, one);
            if (one[0] != '\0' && used + strlen(one) + 2 < HOLDER_BYTES)
                used += (size_t)snprintf(text + used, HOLDER_BYTES - used, " %s", one);
        }
}

/* On the writer's thread, or at the start: the disk has failed. What was asked is still answered, then we
 * end. */
static void
on_fatal(void *context, const struct err *err)
{
    struct server *server = context;
    const uint64_t one = 1;
    ssize_t written;

    log_err(server->log, LOG_LEVEL_ERROR, "store.failed", "disk", err);
    server->failure = *err;
    atomic_store(&server->has_failed, true);
    do
        written = write(server->alarm_fd, &one, sizeof one);
    while (written < 0 && errno == EINTR);
}

static size_t
processors(void)
{
    long n = sysconf(_SC_NPROCESSORS_ONLN);

    return n > 0 ? (size_t)n : 1;
}

static size_t
workers_of(const struct config *config)
{
    return config->workers != 0 ? (size_t)config->workers : processors();
}

static enum err_code
open_engine(struct server *server, struct err *err)
{
    const struct config *config = server->config;
    struct engine_options options = {
        .data_dir = config->data_dir,
        .clock = server->service.clock,
        .log = server->log,
        .map_bytes = (size_t)config->map_bytes,
        .wait_ms = STORE_WAIT_MS,
        .holder = "service", /* its addresses follow when it listens */
        .full_check = config->full_check,
        .backup_dir = config->backup_dir,
        .keep_versions = (uint64_t)config->keep_versions,
        .keep_journal_days = (uint32_t)config->keep_journal_days,
        .on_fatal = on_fatal,
        .fatal_context = server,
        .helpers = workers_of(server->config) - 1, /* a call has its worker, and these */
    };
    enum err_code code = engine_kernel_find(str_from(config->kernel), &options.kernel, err);

    return code == ERR_OK ? engine_open(&options, &server->service.engine, err) : code;
}

/* ---- threads ---- */

static enum err_code
make_loops(struct server *server, struct err *err)
{
    size_t wanted = (size_t)server->config->threads;
    enum err_code code = ERR_OK;

    if (wanted == 0) /* one loop serves more than two workers can ask of it */
        wanted = processors() > 8 ? 4 : processors() > 2 ? 2 : 1;
    for (; server->n_loops < wanted && code == ERR_OK; server->n_loops += code == ERR_OK)
        code = loop_create(&server->service, (unsigned)server->n_loops,
                           &server->loops[server->n_loops], err);
    return code;
}

static void *
run_loop(void *context)
{
    const struct loop_thread *thread = context;

    loop_run(thread->loop);
    atomic_fetch_sub(&thread->server->service.n_other_loops, 1);
    loop_wake(thread->server->loops[0]);
    return NULL;
}

static void *
keep_watch(void *context)
{
    struct watch_desk *desk = context;

    while (watch_desk_wait(desk))
        watch_desk_turn(desk);
    return NULL;
}

static enum err_code
start_loops(struct server *server, struct err *err)
{
    sigset_t all, before;
    int rc = 0;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    atomic_store(&server->service.n_other_loops, server->n_loops - 1);
    for (size_t i = 1; i < server->n_loops && rc == 0; i++) {
        struct loop_thread *thread = &server->threads[server->n_threads];

        *thread = (struct loop_thread){.server = server, .loop = server->loops[i]};
        rc = pthread_create(&thread->id, NULL, run_loop, thread);
        if (rc == 0) {
            pthread_setname_np(thread->id, "loop");
            server->n_threads++;
        }
    }
    if (rc == 0) {
        rc = pthread_create(&server->watch_thread, NULL, keep_watch,
                            server->service.call_host.watches);
        server->has_watch_thread = rc == 0;
    }
    if (rc == 0)
        pthread_setname_np(server->watch_thread, "watch");
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return rc == 0 ? ERR_OK : err_set_sys(err, rc, "start an event thread");
}

/* ---- the end ---- */

static void
wake_all(struct server *server)
{
    for (size_t i = 0; i < server->n_loops; i++)
        loop_wake(server->loops[i]);
}

static void
close_listeners(struct server *server)
{
    for (size_t i = 0; i < server->n_listeners; i++) {
        listener_close(server->listeners[i]);
        server->listeners[i] = NULL;
    }
}

static void
end_at_once(struct server *server, const char *why)
{
    log_event(server->log, LOG_LEVEL_WARN, "ending", log_text("why", why));
    pool_cancel_all(server->service.pool);
    atomic_store(&server->service.must_end, true);
    wake_all(server);
}

static void
on_deadline(evutil_socket_t fd, short what, void *context)
{
    (void)fd;
    (void)what;
    end_at_once(context, "the time to drain is over");
}

static void
drain(struct server *server, int signal_number)
{
    const struct timeval patience = {(time_t)server->service.drain_s, 0};

    log_event(server->log, LOG_LEVEL_INFO, "draining", log_int("signal", signal_number),
              log_int("connections", tally_get(&server->service.tallies, TALLY_CONNECTIONS)),
              log_int("in_flight", tally_get(&server->service.tallies, TALLY_IN_FLIGHT)));
    notify_system("STOPPING=1");
    close_listeners(server);
    atomic_store(&server->service.is_draining, true);
    event_add(&server->deadline, &patience);
    wake_all(server);
}

static void
on_terminate(evutil_socket_t number, short what, void *context)
{
    struct server *server = context;

    (void)what;
    if (atomic_load(&server->service.is_draining))
        end_at_once(server, "a second signal");
    else
        drain(server, number);
}

static void
on_alarm(evutil_socket_t fd, short what, void *context)
{
    struct server *server = context;

    (void)fd;
    (void)what;
    if (!atomic_load(&server->service.is_draining))
        drain(server, 0);
}

static void
on_hangup(evutil_socket_t number, short what, void *context)
{
    struct server *server = context;

    (void)number;
    (void)what;
    live_settings_reload(server->config, &server->service);
}

/* ---- life ---- */

static void
pack_service_stats(const struct call_host *host, struct buf *out)
{
    const struct service *service =
        (const struct service *)(const void *)((const char *)host -
                                               offsetof(struct service, call_host));

    tally_pack(&service->tallies, out);
}

static enum err_code
fill_service(struct server *server, struct err *err)
{
    struct service *service = &server->service;
    enum err_code code;

    service->log = server->log;
    service->clock = clock_system();
    service->own_uid = geteuid();
    code = live_settings_apply(server->config, service, err);
    if (code == ERR_OK)
        code = open_engine(server, err);
    if (code == ERR_OK)
        code = pool_create(workers_of(server->config), &service->pool, err);
    if (code != ERR_OK)
        return code;
    service->call_host = (struct call_host){.pack_stats = pack_service_stats};
    code = watch_desk_open(service->engine, service->limits, &service->call_host.watches, err);
    if (code != ERR_OK)
        return code;
    service->job_host = (struct job_host){
        .engine = service->engine,
        .tallies = &service->tallies,
        .call_host = &service->call_host,
        .limits = service->limits,
    };
    return ERR_OK;
}

static enum err_code
listen_everywhere(struct server *server, struct err *err)
{
    char holder[HOLDER_BYTES];
    enum err_code code = ERR_OK;

    server->listener_host =
        (struct listener_host){.loops = server->loops, .n_loops = server->n_loops};
    for (size_t i = 0; i < server->n_listeners && code == ERR_OK; i++)
        code = listener_open(&server->doors[i], &server->listener_host, &server->listeners[i], err);
    if (code == ERR_OK) {
        holder_text(server, holder);
        store_name_holder(engine_store(server->service.engine), holder);
    }
    return code;
}

static void
watch_signals(struct server *server)
{
    struct event_base *base = server->loops[0]->base;

    signal(SIGPIPE, SIG_IGN);
    evsignal_assign(&server->terminate, base, SIGTERM, on_terminate, server);
    evsignal_assign(&server->interrupt, base, SIGINT, on_terminate, server);
    evsignal_assign(&server->hangup, base, SIGHUP, on_hangup, server);
    event_assign(&server->deadline, base, -1, 0, on_deadline, server);
    event_add(&server->terminate, NULL);
    event_add(&server->interrupt, NULL);
    event_add(&server->hangup, NULL);
    event_assign(&server->alarm, base, server->alarm_fd, EV_READ, on_alarm, server); /* once */
    event_add(&server->alarm, NULL);
    server->has_signals = true;
}

enum err_code
server_open(const struct config *config, struct log *log, struct server **out, struct err *err)
{
    struct server *server = mem_alloc_zeroed(1, sizeof *server);
    enum err_code code;

    if (server == NULL)
        return err_no_memory(err);
    server->config = config;
    server->log = log;
    umask(077);
    tls_desk_init(&server->service.tls);
    console_init(&server->service.console);
    server->alarm_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    code = server->alarm_fd >= 0 ? parse_addresses(server, err)
                                 : err_set_sys(err, errno, "make an event descriptor");
    if (code == ERR_OK)
        code = furnish_doors(server, err);
    if (code == ERR_OK)
        code = fill_service(server, err);
    if (code == ERR_OK)
        code = make_loops(server, err);
    if (code == ERR_OK) {
        watch_signals(server);
        code = day_watch_start(&server->day, server->loops[0]->base, server->service.engine, err);
    }
    if (code == ERR_OK)
        code = listen_everywhere(server, err);
    if (code == ERR_OK)
        code = start_loops(server, err);
    if (code != ERR_OK) {
        server_close(server);
        return code;
    }
    *out = server;
    return ERR_OK;
}

void
server_run(struct server *server)
{
    log_event(server->log, LOG_LEVEL_INFO, "ready", log_text("data", server->config->data_dir),
              log_int("threads", (int64_t)server->n_loops),
              log_int("workers", (int64_t)pool_workers(server->service.pool)),
              log_text("kernel", engine_kernel(server->service.engine)->name));
    notify_system("READY=1");
    loop_run(server->loops[0]);
    log_event(server->log, LOG_LEVEL_INFO, "ended", LOG_NO_FIELD);
}

const struct err *
server_failure(const struct server *server)
{
    return atomic_load(&server->has_failed) ? &server->failure : NULL;
}

void
server_close(struct server *server)
{
    if (server == NULL)
        return;
    close_listeners(server);
    atomic_store(&server->service.is_draining, true);
    atomic_store(&server->service.must_end, true);
    wake_all(server);
    for (size_t i = 0; i < server->n_threads; i++)
        pthread_join(server->threads[i].id, NULL);
    if (server->service.call_host.watches != NULL)
        watch_desk_stop(server->service.call_host.watches);
    if (server->has_watch_thread)
        pthread_join(server->watch_thread, NULL);
    pool_destroy(server->service.pool);
    watch_desk_close(server->service.call_host.watches);
    for (size_t i = 0; i < server->n_loops; i++)
        loop_let_go(server->loops[i]);
    day_watch_stop(&server->day);
    engine_close(server->service.engine);
    if (server->has_signals) {
        event_del(&server->terminate);
        event_del(&server->interrupt);
        event_del(&server->hangup);
        event_del(&server->alarm);
        event_del(&server->deadline);
    }
    for (size_t i = 0; i < server->n_loops; i++)
        loop_destroy(server->loops[i]);
    console_fini(&server->service.console);
    tls_desk_fini(&server->service.tls);
    if (server->alarm_fd >= 0)
        close(server->alarm_fd);
    mem_free(server);
}
