#ifndef JML_LIMIT_TABLE_H
#define JML_LIMIT_TABLE_H

#include <stdint.h>

/*
 * limit_table: every bound on what a peer may ask, in one table: shown by system.hello, configurable by the
 * service within [least, most], told by the reference page.
 */
enum limit {
    LIMIT_FRAME_BYTES,
    LIMIT_FRAME_BYTES_STRANGER, /* before a token is shown */
    LIMIT_FRAME_ITEMS,
    LIMIT_FRAME_ITEMS_STRANGER,
    LIMIT_FRAME_DEPTH,
    LIMIT_CONNECTIONS,
    LIMIT_TOTAL_BYTES,
    LIMIT_IN_FLIGHT,
    LIMIT_UNREAD_BYTES,
    LIMIT_UNREAD_BYTES_STRANGER,
    LIMIT_IDLE_S,
    LIMIT_FRAME_S,
    LIMIT_BAD_TOKENS,
    LIMIT_BAD_TOKENS_A_SECOND,
    LIMIT_LIST,
    LIMIT_MATCHES,
    LIMIT_PROFILES_A_CALL,
    LIMIT_PROFILE_BYTES,
    LIMIT_DEADLINE_MS,
    LIMIT_WATCHES,
    LIMIT_WATCHES_TOTAL,
    LIMIT_WATCH_BYTES,
    LIMIT_STANDING_BYTES,
    LIMIT_COUNT
};

struct limit_row {
    const char *name;
    int64_t preset, least, most;
    const char *unit, *text;
};
extern const struct limit_row limit_rows[LIMIT_COUNT];

#endif
