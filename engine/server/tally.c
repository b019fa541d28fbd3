#include "tally.h"

#include "value.h"

/* clang-format off */
const struct tally_row tally_rows[TALLY_COUNT] = {
    [TALLY_CONNECTIONS] = {"connections", "connections", "open now", true},
    [TALLY_HELD_BYTES] = {"held_bytes", "bytes", "unfinished requests and unread answers of all connections, now", true},
    [TALLY_IN_FLIGHT] = {"in_flight", "requests", "given to workers or the writer and not answered, now", true},
    [TALLY_ACCEPTED] = {"accepted", "connections", "since the start", false},
    [TALLY_REFUSED] = {"refused", "connections", "over the limit of connections; divide by accepted", false},
    [TALLY_CLOSED_IDLE] = {"closed_idle", "connections", "closed after idle_s of silence", false},
    [TALLY_CLOSED_SLOW] = {"closed_slow", "connections", "closed with a request not finished within frame_s", false},
    [TALLY_CLOSED_UNREAD] = {"closed_unread", "connections", "closed because their answers were not read", false},
    [TALLY_CLOSED_OVER_TOTAL] = {"closed_over_total", "connections", "closed because all together held total_bytes", false},
    [TALLY_ACCEPT_PAUSES] = {"accept_pauses", "pauses", "times that descriptors or memory ran out, or that nobody of a whole turn could be let in", false},
    [TALLY_REQUESTS] = {"requests", "requests", "frames that were requests", false},
    [TALLY_NOTIFICATIONS] = {"notifications", "notifications", "frames that were notifications", false},
    [TALLY_NOTIFICATIONS_FAILED] = {"notifications_failed", "notifications", "not carried out, which nobody is told; divide by notifications", false},
    [TALLY_BAD_FRAMES] = {"bad_frames", "frames", "neither; each ended its connection", false},
    [TALLY_HTTP_REQUESTS] = {"http_requests", "requests", "heads that were read, over HTTP", false},
    [TALLY_HTTP_PAGES] = {"http_pages", "requests", "of them for pages; the rest were calls", false},
    [TALLY_TLS_FAILED] = {"tls_failed", "connections", "ended before or by a fault of encryption; divide by accepted", false},
    [TALLY_UNAUTHENTICATED] = {"unauthenticated", "requests", "without a token that holds; divide by requests", false},
    [TALLY_BUSY] = {"busy", "requests", "refused for a limit; divide by requests", false},
    [TALLY_JOBS] = {"jobs", "requests", "given to workers; divide by requests", false},
    [TALLY_READS] = {"reads", "calls", "of recv(2); divide requests by it", false},
    [TALLY_WRITES] = {"writes", "calls", "of send(2); divide requests by it", false},
    [TALLY_BYTES_IN] = {"bytes_in", "bytes", "read from connections", false},
    [TALLY_BYTES_OUT] = {"bytes_out", "bytes", "written to connections", false},
    [TALLY_PAUSES] = {"pauses", "pauses", "times that a connection was not read because its answers waited", false},
    [TALLY_DROPPED_ANSWERS] = {"dropped_answers", "answers", "to connections that had gone", false},
    [TALLY_SLOW_CALLBACKS] = {"slow_callbacks", "callbacks", "of a loop that took more than 10 ms; divide by reads", false},
};
/* clang-format on */

void
tally_pack(const struct tallies *tallies, struct buf *out)
{
    pack_map(out, TALLY_COUNT);
    for (int i = 0; i < TALLY_COUNT; i++)
        pack_key_int(out, tally_rows[i].name, tally_get(tallies, (enum tally)i));
}
