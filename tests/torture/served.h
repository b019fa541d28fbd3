#ifndef JML_SERVED_H
#define JML_SERVED_H

#include "torture.h"

#include <openssl/types.h>

/*
 * served: a whole service in this process, on its own threads, listening in every way there is, and visitors
 * of it on the test's thread: one ping each, and how it ended.
 *
 * Nothing waits by the clock: a visitor has PATIENCE_S for an answer or an end, and having neither is a fault.
 */
enum way { WAY_UNIX, WAY_TCP, WAY_TLS, WAY_HTTP, WAY_HTTPS, WAYS };
extern const char *const way_names[WAYS];

struct served;
struct served *served_start(void); /* ready; what fails ends the program */
void served_stop(struct served *served);
/* Goes through what the service logs until a line holds the text. */
void served_await_log(struct served *served, const char *text);
int64_t served_count(struct served *served, const char *counter); /* of system.stats, "service" */
const char *served_folder(const struct served *served);           /* right.pem, right.key, ca.pem */

struct visitor {
    struct served *served;
    enum way way;
    int fd;
    SSL *ssl;
    bool is_refused, is_left_waiting; /* how a handshake failed */
};
enum visit {
    VISIT_ANSWERED,
    VISIT_REFUSED, /* it was told that the service is busy, or has failed */
    VISIT_ENDED,   /* the service closed without an answer */
    VISIT_SILENT,
    VISIT_WRONG
};
void visitor_connect(struct visitor *visitor, struct served *served, enum way way);
void visitor_ask(struct visitor *visitor); /* shakes hands where that is the way, and sends */
enum visit visitor_await(struct visitor *visitor);     /* and goes */
enum visit visitor_await_one(struct visitor *visitor); /* of a stream: and stays */
void visitor_leave(struct visitor *visitor);
/* All of it. */
enum visit visit(struct served *served, enum way way);

#endif
