/*
 * in_libevent.c: the connection in a libevent loop, beside whatever else the program does there.
 *
 *     in_libevent ADDRESS PROGRAMME PAIRING ID
 *
 * struct adapter is all that is needed: after each step it watches what the client asks for.
 */
#include <jumelage/jumelage.h>

#include <event2/event.h>

#include <poll.h>
#include <stdio.h>

struct adapter {
    struct event_base *base;
    jml_client *client;
    struct event *event;
};

static void on_event(evutil_socket_t fd, short what, void *context);

/* To be called after the client was made, after jml_client_send, and after each step. */
static void
adapter_watch(struct adapter *adapter)
{
    short events = jml_client_events(adapter->client), what = EV_TIMEOUT;
    int ms = jml_client_timeout_ms(adapter->client);
    struct timeval timeout = {ms / 1000, ms % 1000 * 1000};

    if (adapter->event != NULL)
        event_free(adapter->event);
    if ((events & POLLIN) != 0)
        what |= EV_READ;
    if ((events & POLLOUT) != 0)
        what |= EV_WRITE;
    adapter->event =
        event_new(adapter->base, jml_client_fd(adapter->client), what, on_event, adapter);
    event_add(adapter->event, ms >= 0 ? &timeout : NULL);
}

static void
on_event(evutil_socket_t fd, short what, void *context)
{
    struct adapter *adapter = context;
    short revents = 0;

    (void)fd;
    if ((what & EV_READ) != 0)
        revents |= POLLIN;
    if ((what & EV_WRITE) != 0)
        revents |= POLLOUT;
    jml_client_process(adapter->client, revents);
    adapter_watch(adapter);
}

static void
on_matches(void *context, jml_result *result, const struct jml_error *error)
{
    struct event_base *base = context;
    struct jml_match match;

    if (error != NULL)
        printf("%s: %s\n", error->name, error->message);
    else
        for (size_t i = 0; jml_match_at(result, i, &match); i++)
            printf("%5d  %.*s\n", (int)match.score_bp, (int)match.name.len, match.name.data);
    jml_result_free(result);
    event_base_loopexit(base, NULL);
}

static void
ask(struct adapter *adapter, char **argv)
{
    jml_params *params = jml_params_create(NULL);
    struct jml_error error;

    jml_params_add_text(params, "programme", argv[2]);
    jml_params_add_text(params, "pairing", argv[3]);
    jml_params_add_text(params, "id", argv[4]);
    if (jml_client_send(adapter->client, "match.top", params, on_matches, adapter->base, NULL,
                        &error) != JML_OK)
        fprintf(stderr, "in_libevent: %s\n", error.message);
    jml_params_free(params);
}

int
main(int argc, char **argv)
{
    struct jml_options options = JML_OPTIONS_INIT;
    struct adapter adapter = {0};
    struct jml_error error;

    if (argc != 5) {
        fprintf(stderr, "usage: in_libevent ADDRESS PROGRAMME PAIRING ID\n");
        return 64;
    }
    options.address = argv[1];
    if (jml_client_start(&options, &adapter.client, &error) != JML_OK) {
        fprintf(stderr, "in_libevent: %s\n", error.message);
        return 69;
    }
    adapter.base = event_base_new();
    ask(&adapter, argv);
    adapter_watch(&adapter);
    event_base_dispatch(adapter.base);

    event_free(adapter.event);
    jml_client_close(adapter.client);
    event_base_free(adapter.base);
    return 0;
}
