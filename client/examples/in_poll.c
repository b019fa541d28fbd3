/*
 * in_poll.c: many calls at once on one connection, in a loop of one's own around poll(2).
 *
 *     in_poll ADDRESS ID...
 *
 * Asks for all profiles without waiting in between; the answers come when they come.
 */
#include <jumelage/jumelage.h>

#include <poll.h>
#include <stdio.h>

struct asked {
    const char *id;
    int *n_waiting;
};

static void
on_profile(void *context, jml_result *result, const struct jml_error *error)
{
    struct asked *asked = context;
    struct jml_profile profile;

    --*asked->n_waiting;
    if (error != NULL)
        printf("%s: %s: %s\n", asked->id, error->name, error->message);
    else if (jml_profile_read(jml_result_root(result), &profile))
        printf("%s: %.*s, version %lld\n", asked->id, (int)profile.name.len, profile.name.data,
               (long long)profile.version);
    jml_result_free(result);
}

static void
ask(jml_client *client, struct asked *asked)
{
    jml_params *params = jml_params_create(NULL);
    struct jml_error error;

    jml_params_add_text(params, "id", asked->id);
    if (jml_client_send(client, "profile.get", params, on_profile, asked, NULL, &error) != JML_OK) {
        fprintf(stderr, "in_poll: %s\n", error.message);
        --*asked->n_waiting;
    }
    jml_params_free(params);
}

int
main(int argc, char **argv)
{
    enum { ASKED_MAX = 1000 };
    static struct asked asked[ASKED_MAX];
    struct jml_options options = JML_OPTIONS_INIT;
    struct jml_error error;
    jml_client *client;
    int n_waiting = argc - 2;

    if (argc < 3 || n_waiting > ASKED_MAX) {
        fprintf(stderr, "usage: in_poll ADDRESS ID...\n");
        return 64;
    }
    options.address = argv[1];
    if (jml_client_start(&options, &client, &error) != JML_OK) {
        fprintf(stderr, "in_poll: %s\n", error.message);
        return 69;
    }
    for (int i = 0; i < argc - 2; i++) {
        asked[i] = (struct asked){argv[i + 2], &n_waiting};
        ask(client, &asked[i]);
    }

    while (n_waiting > 0) {
        /* a descriptor of -1 is passed over: then only the time counts */
        struct pollfd watched = {.fd = jml_client_fd(client), .events = jml_client_events(client)};
        int n = poll(&watched, 1, jml_client_timeout_ms(client));

        jml_client_process(client, n > 0 ? watched.revents : 0);
    }
    jml_client_close(client);
    return 0;
}
