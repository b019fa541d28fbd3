#include "limit_table.h"

#include "schema.h"

/* clang-format off */
const struct limit_row limit_rows[LIMIT_COUNT] = {
    [LIMIT_FRAME_BYTES] = {"frame_bytes", 8 << 20, 64 << 10, 64 << 20, "bytes", "one request"},
    [LIMIT_FRAME_BYTES_STRANGER] = {"frame_bytes_before_token", 64 << 10, 4 << 10, 1 << 20, "bytes", "one request before a token is shown"},
    [LIMIT_FRAME_ITEMS] = {"frame_items", 500000, 1000, 5000000, "items", "values in one request"},
    [LIMIT_FRAME_ITEMS_STRANGER] = {"frame_items_before_token", 64, 16, 10000, "items", "values in one request before a token is shown"},
    [LIMIT_FRAME_DEPTH] = {"frame_depth", 32, 8, 32, "levels", "containers one in another"},
    [LIMIT_CONNECTIONS] = {"connections", 4096, 1, 100000, "connections", "open at the same time"},
    [LIMIT_TOTAL_BYTES] = {"total_bytes", 256 << 20, 16 << 20, INT64_C(16) << 30, "bytes", "all connections' unfinished requests and unread answers"},
    [LIMIT_IN_FLIGHT] = {"in_flight", 1024, 1, 65536, "requests", "unanswered requests of one connection"},
    [LIMIT_UNREAD_BYTES] = {"unread_bytes", 16 << 20, 64 << 10, 256 << 20, "bytes", "answers that wait to be read, one connection"},
    [LIMIT_UNREAD_BYTES_STRANGER] = {"unread_bytes_before_token", 64 << 10, 4 << 10, 1 << 20, "bytes", "the same before a token is shown"},
    [LIMIT_IDLE_S] = {"idle_s", 300, 1, 86400, "s", "silence before a connection is closed"},
    [LIMIT_FRAME_S] = {"frame_s", 30, 1, 3600, "s", "time to finish a started request"},
    [LIMIT_BAD_TOKENS] = {"bad_tokens", 5, 1, 1000, "tokens", "that do not hold, shown by one connection before it is closed"},
    [LIMIT_BAD_TOKENS_A_SECOND] = {"bad_tokens_a_second", 100, 1, 100000, "tokens", "that do not hold, of all connections; over it no token is looked at until the second is over"},
    [LIMIT_LIST] = {"list", 1000, 1000, 1000, "entries", "entries in one answer of a list"},
    [LIMIT_MATCHES] = {"matches", 1000, 1000, 1000, "matches", "best counterparts in one list: k of match.top, match.each, match.whatif and match.watch"},
    [LIMIT_PROFILES_A_CALL] = {"profiles_a_call", 10000, 10000, 10000, "profiles", "profiles in one profile.put_many"},
    [LIMIT_PROFILE_BYTES] = {"profile_bytes", PROFILE_BYTES_MAX, PROFILE_BYTES_MAX, PROFILE_BYTES_MAX, "bytes", "one packed profile"},
    [LIMIT_DEADLINE_MS] = {"deadline_ms", 600000, 600000, 600000, "ms", "longest deadline_ms"},
    [LIMIT_WATCHES] = {"watches", 16, 1, 10000, "watches", "of one connection"},
    [LIMIT_WATCHES_TOTAL] = {"watches_total", 1000, 1, 100000, "watches", "of all connections"},
    [LIMIT_WATCH_BYTES] = {"watch_bytes", 256 << 10, 4 << 10, 16 << 20, "bytes", "changes that wait to be told to one watch; over it it is told that it missed some"},
    [LIMIT_STANDING_BYTES] = {"standing_bytes", 512 << 20, 1 << 20, INT64_C(64) << 30, "bytes", "lists that are kept for watches, all together"},
};
/* clang-format on */
