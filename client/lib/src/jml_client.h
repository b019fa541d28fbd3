#ifndef JMLI_CLIENT_H
#define JMLI_CLIENT_H

#include "frame.h"
#include "http_turn.h"
#include "jml_options.h"
#include "jml_result.h"
#include "octets.h"
#include "pending.h"
#include "secure.h"

/*
 * jml_client: one connection as a state machine, that both ways of using it drive.
 *
 *     IDLE ──send──▶ WAITING ──retry_at──▶ CONNECTING ──▶ (SECURING) ──▶ GREETING ──▶ OPEN
 *      ▲                                       │               │             │          │
 *      └──────────────── jmli_link_end ◀───────┴───────────────┴─────────────┴──────────┘
 *
 * Requests are packed to the end of `out` at any time, and leave only in OPEN. The greeting stands
 * apart and leaves in GREETING. Over HTTP they leave one at a time (http_turn.h). Each connection has an epoch; jmli_link_end begins the next one and
 * fails the calls of the one that ended.
 *
 *     jml_client.c   the public functions of the loop: send, cancel, process, close
 *     link.c         connecting, writing, reading
 *     secure.c       the same in TLS; trust.c: whose certificate holds
 *     http_turn.c    requests and answers as HTTP has them; http_reply.c: the head of an answer
 *     answers.c      what a frame means, and who is told
 *     blocking.c     waits with poll(2) until one call has ended
 */
enum link_state {
    LINK_IDLE,       /* no connection, and nobody asks for one */
    LINK_WAITING,    /* for retry_at_ms, to connect again */
    LINK_CONNECTING, /* for the system */
    LINK_SECURING,   /* for the end of the TLS handshake; without TLS it is left out */
    LINK_GREETING,   /* for the answer of system.hello */
    LINK_OPEN
};

enum {
    HELLO_ID = 1, /* below every id of a call */
    PROTOCOL = 1,
    BACKOFF_FIRST_MS = 100,
    BACKOFF_LAST_MS = 10000,
    STEADY_MS = 1000, /* a connection that stood so long is made anew without waiting */
    READ_BYTES = 64 << 10,
    READS_A_STEP = 32,   /* then the loop gets a turn */
    KEEP_BYTES = 1 << 20 /* a larger buffer is given back when it is empty */
};

struct jml_client {
    struct settings settings;
    const struct jml_allocator *allocator; /* settings.allocator */

    enum link_state state;
    int fd;                      /* -1: none */
    struct secure secure;        /* without ssl where the connection is in plain text */
    size_t address_i;            /* that is being tried */
    int connect_errno;           /* of the last address that failed */
    uint64_t epoch;              /* of the connection that is, or comes next */
    int64_t connect_deadline_ms; /* in CONNECTING, SECURING, GREETING; INT64_MAX: none */
    int64_t retry_at_ms;         /* no attempt before */
    bool is_greeted;    /* since the last failure; over HTTP the connection may have gone */
    int64_t opened_ms;  /* when OPEN was reached */
    int32_t backoff_ms; /* before the attempt after the next failure */
    uint32_t random;    /* for the quarter more or less */

    struct octets hello, out, in;
    size_t hello_sent, out_sent; /* of these bytes have left */
    uint64_t out_base;      /* bytes that stood before out.data[0], since the client was made */
    struct frame_scan scan; /* of in.data */
    struct http_turn turn;  /* IDLE always, but for HTTP */
    struct pending_table calls;

    char role[32];
    struct jml_error error; /* why the connection last ended */
    jml_result *failure;    /* the last error answer; its root is the map */
    jml_notification_fn notification;
    void *notification_context;
    bool is_busy;    /* inside process: callbacks may be on the stack */
    bool is_closing; /* close was asked for meanwhile */
};

int64_t jmli_now_ms(void); /* monotonic */
/* now + timeout, where -1 is no end. */
int64_t jmli_deadline(int64_t now_ms, int32_t timeout_ms);

/* ---- jml_client.c ---- */
enum jml_code jmli_client_create(const struct jml_options *options, jml_client **out,
                                 struct jml_error *error);
/* jml_client_send_packed with a deadline of its own. */
enum jml_code jmli_client_send(jml_client *client, const char *method, struct jml_bytes params,
                               int64_t deadline_ms, jml_answer_fn answer, void *context,
                               uint32_t *id, struct jml_error *error);
/* Whether some of its request was sent. */
bool jmli_client_has_left(const jml_client *client, const struct pending *call);
/* Whether the next bytes to leave are there. */
bool jmli_client_has_unsent(const jml_client *client);

/* ---- link.c ---- */
/* Asks for a connection: the next step makes it, or the first after retry_at_ms. */
void jmli_link_want(jml_client *client);
/* One step of whatever the state awaits. */
void jmli_link_step(jml_client *client, short revents, int64_t now_ms);
/* The connection has failed: closes it, sets when to try again, ends its calls. client->error is
 * `why`. */
void jmli_link_end(jml_client *client, const struct jml_error *why);
/* A connection of HTTP has ended between two turns, or with the one that was under way, whose call is
 * the caller's to tell: what waits is sent on a new one. Calls nobody back. */
void jmli_link_renew(jml_client *client);
/* The connection is ready for calls. */
void jmli_link_open(jml_client *client);
void jmli_link_scan_init(jml_client *client);
/* The connection ends for what the frame scanner found. */
void jmli_link_frame_failed(jml_client *client, enum frame_state state);
/* Takes the bytes that have left out of `out`. */
void jmli_link_forget_sent(jml_client *client);
/* Closes without telling anyone. */
void jmli_link_drop(jml_client *client);

/* ---- answers.c ---- */
/* The frame in.data[0..n), of n_items values. May end the connection. */
void jmli_answer_take(jml_client *client, const uint8_t *bytes, size_t n, size_t n_items);
/* Ends one call. */
void jmli_answer_refuse(jml_client *client, struct pending *call, const struct jml_error *why);
/* Ends the calls of epochs before `epoch`. */
void jmli_answer_fail_before(jml_client *client, uint64_t epoch, const struct jml_error *why);
/* Ends the calls whose time is over. */
void jmli_answer_expire(jml_client *client, int64_t now_ms);

#endif
