#ifndef JML_SERVER_H
#define JML_SERVER_H

#include "config.h"
#include "err.h"
#include "log.h"

/*
 * server: one running service: engine, workers, loops, listeners, and its end.
 *
 * server_run blocks on the caller's thread, which becomes the main loop's: it holds the listeners, the
 * signals and its share of the connections. SIGTERM or SIGINT drains (service.h); a second one
 * ends at once. Order of the end: listeners, connections, loops, workers, engine.
 */
struct server;

enum err_code server_open(const struct config *config, struct log *log, struct server **out,
                          struct err *err);
void server_run(struct server *server); /* until a signal has it end */
/* Why the disk ended it; NULL if it did not. Valid until server_close. */
const struct err *server_failure(const struct server *server);
void server_close(struct server *server); /* NULL is fine */

#endif
