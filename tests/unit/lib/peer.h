#ifndef JML_TEST_PEER_H
#define JML_TEST_PEER_H

#include <jumelage/jumelage.h>

#include <openssl/types.h>

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

/*
 * peer: the other end of a client, played by the test: a listening unix socket in a folder of its own,
 * one connection at a time, bytes in and out as the test says.
 *
 * Either in steps (peer_accept, peer_read_call, peer_send …) while the test drives the client's loop with
 * pump; or as a script on a thread of its own for blocking calls. What goes wrong on that thread is
 * kept and told by peer_stop.
 *
 * peer_start_tls listens at TCP instead, as a script alone; it speaks TLS from STEP_SHAKE on.
 */
enum step_kind {
    STEP_END,
    STEP_ACCEPT,
    STEP_HELLO,  /* read system.hello, answer it as officer */
    STEP_ANSWER, /* read a call, answer it with `text` as result */
    STEP_ERROR,  /* read a call, answer with an error map: code `n`, sentence `text` */
    STEP_READ,   /* read a call, answer nothing */
    STEP_SEND,   /* n bytes of `text` as they stand */
    STEP_CLOSE,  /* this connection, in TLS without a goodbye */
    STEP_STOP_LISTENING,
    STEP_SHAKE,       /* TLS begins */
    STEP_SHAKE_FAILS, /* TLS would begin, but the client breaks it off */
    STEP_GOODBYE,     /* close_notify, then as STEP_CLOSE */
    STEP_KEY_UPDATE,  /* new keys, asked of the client too */
    STEP_LONG,        /* read a call, answer it with a text of n bytes */
    STEP_ECHO,        /* read calls, answer each with its method, until the client hangs up */
    STEP_UNTIL_END    /* read and answer nothing until the client hangs up */
};
struct step {
    enum step_kind kind;
    const char *text;
    int n;
};

struct peer {
    char dir[32], address[80];
    int listening, fd;
    SSL_CTX *context; /* of TLS; NULL: none */
    SSL *ssl;
    uint8_t in[1 << 16];
    size_t n_in;
    pthread_t thread;
    const struct step *script;
    const char *failure;
    bool has_thread, is_http;
};

struct heard { /* one request that came */
    uint32_t id;
    char method[64];
    uint8_t params[4096];
    size_t n_params;
};

void peer_start(struct peer *peer);
/* The certificate NAME.pem and its key NAME.key, of this folder; versions of TLS up to `version`. */
void peer_start_tls(struct peer *peer, const char *folder, const char *name, int version);
/* At TCP and in HTTP: calls come as bodies, frames go as such; peer_send still sends bytes as they are. */
void peer_start_http(struct peer *peer);
void peer_stop(struct peer *peer); /* joins the script; asserts that it went well */
void peer_play(struct peer *peer, const struct step *script);
void peer_join(struct peer *peer); /* waits for the end of the script; the connection stays */

/* ---- in steps; false, with peer->failure, if nothing comes within some seconds ---- */
bool peer_accept(struct peer *peer);
bool peer_read_call(struct peer *peer, struct heard *heard);
bool peer_send(struct peer *peer, const void *bytes, size_t n);
bool peer_answer(struct peer *peer, uint32_t id, const char *text);
bool peer_error(struct peer *peer, uint32_t id, int code, const char *text);
bool peer_hello(struct peer *peer);
void peer_hang_up(struct peer *peer);
/* Whoever still waits to be accepted is sent away. */
void peer_send_away(struct peer *peer);

/* Options for it, with short times. */
struct jml_options peer_options(const struct peer *peer);
/* Drives the client until *flag, or some seconds; answers *flag. NULL: until it is open. */
bool pump(jml_client *client, const bool *flag);
/* Connects and greets, both sides. */
jml_client *peer_open_client(struct peer *peer, const struct jml_options *options);

/* What became of one call. */
struct ending {
    bool is_over;
    int n_told;
    size_t len; /* of the whole text */
    char text[64];
    struct jml_error error;
};
/* A jml_answer_fn whose context is a struct ending. */
void ending_note(void *context, jml_result *result, const struct jml_error *error);
/* Sends it, to be noted so; params may be NULL. */
uint32_t peer_ask(jml_client *client, const char *method, const jml_params *params,
                  struct ending *ending);

#endif
