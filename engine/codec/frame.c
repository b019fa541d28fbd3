#include "frame.h"

#include <stdbool.h>

/*
 * A value is a type byte, 0 to 4 bytes of a length, a body, and for containers the children. What
 * has to be remembered between two calls is how much of a body is still to be passed over and how
 * many children each open container still wants:
 *
 *     93 01 a3 'a' 'b' ...      left[1] = 1 (of 3), skip = 1, depth = 1
 *
 * An empty container counts as a level, as it does for msgpack-c.
 */
struct head {
    size_t bytes;  /* type byte and length */
    uint64_t body; /* bytes that follow it */
    uint64_t kids; /* values that follow it */
    bool is_container;
};

/* Types c0..df: bytes of length, fixed bytes of body, children per unit of length. */
/* clang-format off */
static const struct {
    uint8_t length, body, kids;
} types[32] = {
    /* c0 nil, c1 none, c2 c3 bool */
    {0, 0, 0}, {0, 0, 0}, {0, 0, 0}, {0, 0, 0},
    /* c4..c6 bin, c7..c9 ext with a byte of type */
    {1, 0, 0}, {2, 0, 0}, {4, 0, 0}, {1, 1, 0}, {2, 1, 0}, {4, 1, 0},
    /* ca cb float, cc..cf unsigned, d0..d3 signed */
    {0, 4, 0}, {0, 8, 0}, {0, 1, 0}, {0, 2, 0}, {0, 4, 0}, {0, 8, 0},
    {0, 1, 0}, {0, 2, 0}, {0, 4, 0}, {0, 8, 0},
    /* d4..d8 ext of 1, 2, 4, 8, 16 */
    {0, 2, 0}, {0, 3, 0}, {0, 5, 0}, {0, 9, 0}, {0, 17, 0},
    /* d9..db str, dc dd array, de df map */
    {1, 0, 0}, {2, 0, 0}, {4, 0, 0}, {2, 0, 1}, {4, 0, 1}, {2, 0, 2}, {4, 0, 2},
};
/* clang-format on */

/* Of `left` only what stands at or below `depth` is ever read: the rest needs no clearing. */
void
frame_scan_init(struct frame_scan *scan, size_t max_bytes, size_t max_items, unsigned max_depth)
{
    scan->pos = scan->items = 0;
    scan->skip = 0;
    scan->depth = 0;
    scan->left[0] = 1;
    scan->max_bytes = max_bytes;
    scan->max_items = max_items;
    scan->max_depth = max_depth < FRAME_DEPTH_MAX ? max_depth : FRAME_DEPTH_MAX;
}

/* False if the head is not whole yet. */
static bool
read_head(const uint8_t *at, size_t n, struct head *head)
{
    uint64_t length = 0;
    uint8_t type = at[0];

    *head = (struct head){.bytes = 1};
    if (type < 0x80 || type >= 0xe0)
        return true;
    if (type < 0xa0) {
        head->is_container = true;
        head->kids = (uint64_t)(type & 0x0f) * (type < 0x90 ? 2 : 1);
        return true;
    }
    if (type < 0xc0) {
        head->body = type & 0x1f;
        return true;
    }
    type &= 0x1f;
    head->bytes += types[type].length;
    if (n < head->bytes)
        return false;
    for (size_t i = 1; i < head->bytes; i++)
        length = length << 8 | at[i];
    head->is_container = types[type].kids != 0;
    head->kids = length * types[type].kids;
    head->body = types[type].body + (head->is_container ? 0 : length);
    return true;
}

/* What is wrong with a value that begins at scan->pos; FRAME_MORE if nothing is. */
static enum frame_state
judge(const struct frame_scan *scan, const struct head *head)
{
    if (head->is_container && scan->depth >= scan->max_depth)
        return FRAME_TOO_DEEP;
    if (scan->items >= scan->max_items || head->kids > scan->max_items - scan->items - 1)
        return FRAME_TOO_MANY;
    /* each child takes a byte at least */
    if (scan->pos + head->bytes + head->body + head->kids > scan->max_bytes)
        return FRAME_TOO_LONG;
    return FRAME_MORE;
}

/* Passes over what is left of a body; false if there is more of it than bytes. */
static bool
pass_body(struct frame_scan *scan, size_t n)
{
    uint64_t there = n - scan->pos;

    if (there < scan->skip) {
        scan->skip -= there;
        scan->pos = n;
        return false;
    }
    scan->pos += (size_t)scan->skip;
    scan->skip = 0;
    return true;
}

/*
 * Small numbers, short texts, short lists and maps: what requests are made of, whose length is in
 * their type byte. They are passed over in a loop of their own with all counters at hand. It ends before
 * the first value that is anything else, is not whole, or that a limit has something to say about.
 */
static void
pass_small(struct frame_scan *scan, const uint8_t *bytes, size_t n)
{
    size_t end = n < scan->max_bytes ? n : scan->max_bytes;
    size_t pos = scan->pos, room = scan->max_items - scan->items;
    unsigned depth = scan->depth;
    uint64_t left = scan->left[depth];

    for (;;) {
        uint8_t type;

        while (left == 0 && depth > 0)
            left = scan->left[--depth];
        if (left == 0 || pos >= end || room == 0)
            break;
        type = bytes[pos];
        if (type < 0x80 || type >= 0xe0) {
            pos++;
        } else if (type >= 0xc0) {
            break;
        } else if (type >= 0xa0) {
            size_t whole = 1 + (size_t)(type & 0x1f);

            if (whole > end - pos)
                break;
            pos += whole;
        } else {
            size_t kids = (size_t)(type & 0x0f) << (type < 0x90);

            /* each child takes a byte at least */
            if (depth >= scan->max_depth || kids >= room || kids >= scan->max_bytes - pos)
                break;
            pos++;
            if (kids > 0) {
                scan->left[depth++] = left - 1;
                left = kids + 1; /* one goes below */
            }
        }
        left--;
        room--;
    }
    scan->pos = pos;
    scan->items = scan->max_items - room;
    scan->depth = depth;
    scan->left[depth] = left;
}

enum frame_state
frame_scan(struct frame_scan *scan, const uint8_t *bytes, size_t n)
{
    for (;;) {
        enum frame_state state;
        struct head head;

        if (scan->skip != 0 && !pass_body(scan, n))
            return FRAME_MORE;
        pass_small(scan, bytes, n);
        while (scan->left[scan->depth] == 0) {
            if (scan->depth == 0)
                return FRAME_DONE;
            scan->depth--;
        }
        if (scan->pos >= n)
            return FRAME_MORE;
        if (bytes[scan->pos] == 0xc1)
            return FRAME_BAD;
        if (!read_head(bytes + scan->pos, n - scan->pos, &head))
            return FRAME_MORE;
        state = judge(scan, &head);
        if (state != FRAME_MORE)
            return state;
        scan->items++;
        scan->left[scan->depth]--;
        scan->pos += head.bytes;
        scan->skip = head.body;
        if (head.kids != 0)
            scan->left[++scan->depth] = head.kids;
    }
}
