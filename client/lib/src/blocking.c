/* blocking.c: waits with poll(2) until one call has ended. */
#include "jml_client.h"
#include "jml_params.h"

#include <errno.h>
#include <poll.h>
#include <string.h>

/*
 * A blocking call is an ordinary one whose callback notes the end, and a small loop around
 * jml_client_process. Answers to other calls that were sent before are told on the way.
 */
struct wait {
    bool is_over;
    jml_result *result;
    struct jml_error error;
};

static void
note_end(void *context, jml_result *result, const struct jml_error *error)
{
    struct wait *wait = context;

    wait->is_over = true;
    wait->result = result;
    if (error != NULL)
        wait->error = *error;
}

/* One turn: sleeps until something is to be done, then does it. */
static void
turn(jml_client *client)
{
    struct pollfd watched = {.fd = jml_client_fd(client), .events = jml_client_events(client)};
    int n =
        poll(&watched, 1, jml_client_timeout_ms(client)); /* a descriptor of -1 is passed over */

    jml_client_process(client, n > 0 ? watched.revents : 0);
}

/* A connection that the service has closed while nobody looked is found out before a request is
 * trusted to it: what was never sent can safely be sent on the next. */
static void
look_for_end(jml_client *client)
{
    struct pollfd watched = {.fd = client->fd, .events = POLLIN};

    if (client->state == LINK_OPEN && poll(&watched, 1, 0) > 0)
        jml_client_process(client, watched.revents);
}

/* Sends what fits without asking poll first: an open connection mostly has room. */
static void
push(jml_client *client)
{
    if (client->state == LINK_OPEN)
        jml_client_process(client, POLLOUT);
}

static enum jml_code
call_once(jml_client *client, const char *method, struct jml_bytes params, int64_t deadline_ms,
          jml_result **out, struct jml_error *error)
{
    struct wait wait = {.is_over = false};
    enum jml_code code =
        jmli_client_send(client, method, params, deadline_ms, note_end, &wait, NULL, error);

    if (code != JML_OK)
        return code;
    push(client);
    while (!wait.is_over)
        turn(client);
    if (wait.result != NULL) {
        *out = wait.result;
        return JML_OK;
    }
    *error = wait.error;
    return error->code;
}

static bool
may_repeat(const char *method, enum jml_code code, bool was_open)
{
    return (code == JML_UNREACHABLE && was_open) || (code == JML_LOST && jml_method_reads(method));
}

enum jml_code
jml_call_packed(jml_client *client, const char *method, struct jml_bytes params, jml_result **out,
                struct jml_error *error)
{
    int64_t deadline_ms = jmli_deadline(jmli_now_ms(), client->settings.call_timeout_ms);
    struct jml_error own;
    bool was_open;
    enum jml_code code;

    if (client->is_busy)
        return jmli_fail(error, JML_MISUSE,
                         "%s was called from inside a callback, where nothing may wait; use "
                         "jml_client_send",
                         method);
    look_for_end(client);
    was_open = client->state == LINK_OPEN;
    code = call_once(client, method, params, deadline_ms, out, &own);
    if (code != JML_OK && may_repeat(method, code, was_open))
        code = call_once(client, method, params, deadline_ms, out, &own);
    if (code != JML_OK && error != NULL)
        *error = own;
    return code;
}

enum jml_code
jml_call(jml_client *client, const char *method, const jml_params *params, jml_result **out,
         struct jml_error *error)
{
    struct jml_bytes packed;
    enum jml_code code = jmli_params_take(params, &packed, error);

    return code == JML_OK ? jml_call_packed(client, method, packed, out, error) : code;
}

enum jml_code
jml_client_open(const struct jml_options *options, jml_client **out, struct jml_error *error)
{
    jml_client *client;
    enum jml_code code = jml_client_start(options, &client, error);

    if (code != JML_OK)
        return code;
    while (!client->is_greeted && client->error.code == JML_OK)
        turn(client);
    if (client->is_greeted) {
        *out = client;
        return JML_OK;
    }
    if (error != NULL)
        *error = client->error;
    code = client->error.code;
    jml_client_close(client);
    return code;
}

/* ---- which methods change nothing ---- */

/* Sorted. Held against the service's own table by the tests. */
static const char *const reading_methods[] = {
    "backup.list",     "journal.list", "journal.verify", "match.each",         "match.explain",
    "match.top",       "match.whatif", "outcome.list",   "profile.duplicates", "profile.get",
    "profile.history", "profile.list", "profile.schema", "programme.check",    "programme.get",
    "programme.list",  "system.hello", "system.methods", "system.ping",        "system.stats",
    "token.list",
};

bool
jml_method_reads(const char *method)
{
    for (size_t i = 0; i < sizeof reading_methods / sizeof reading_methods[0]; i++)
        if (strcmp(reading_methods[i], method) == 0)
            return true;
    return false;
}
