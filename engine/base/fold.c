#include "fold.h"

#include "alloc.h"

#include <utf8proc.h>

#include <assert.h>

/*
 * One text is taken apart to code points (compatibility decomposition, case folded, marks and
 * invisible characters dropped), each point is judged by its category, and what stays is put
 * together again (so that Hangul, which was taken apart to single jamo, is itself again).
 *
 * Dropping marks also drops vowel signs of Indic scripts and voicing marks of kana: for a look-up
 * both sides lose the same, and only near words grow equal.
 */
enum fold_style { FOLD_WORDS, FOLD_TERM };
enum { ASCII_MAX = 256 };

/* Small letters that Unicode does not take apart, with what people type instead. */
static const struct {
    utf8proc_int32_t point;
    char letters[3];
} written_out[] = {
    {0x00E6, "ae"}, {0x00F0, "d"}, {0x00F8, "o"},  {0x00FE, "th"}, {0x0111, "d"}, {0x0127, "h"},
    {0x0131, "i"},  {0x0142, "l"}, {0x0153, "oe"}, {0x0167, "t"},  {0x0180, "b"}, {0x0268, "i"},
};

struct points {
    utf8proc_int32_t *items;
    size_t n;
};

static enum err_code
check_input(struct str text, struct err *err)
{
    if (text.len > FOLD_BYTES_MAX)
        return err_set(err, ERR_TOO_LARGE, "a text of %zu bytes is over the limit of %d", text.len,
                       FOLD_BYTES_MAX);
    if (!str_is_utf8(text))
        return err_set(err, ERR_INVALID_PARAMS, "text is not UTF-8; save it as UTF-8");
    return ERR_OK;
}

/* points->items is the caller's, to be freed with mem_free. */
static enum err_code
take_apart(struct str text, utf8proc_option_t options, struct points *points, struct err *err)
{
    const utf8proc_uint8_t *bytes = (const utf8proc_uint8_t *)text.data;
    utf8proc_ssize_t n = utf8proc_decompose(bytes, (utf8proc_ssize_t)text.len, NULL, 0, options);

    if (n < 0)
        return err_set(err, ERR_INTERNAL, "text cannot be normalised: %s", utf8proc_errmsg(n));
    points->items = mem_alloc(((size_t)n + 1) * sizeof *points->items);
    if (points->items == NULL)
        return err_no_memory(err);
    points->n = (size_t)n;
    utf8proc_decompose(bytes, (utf8proc_ssize_t)text.len, points->items, n, options);
    return ERR_OK;
}

/* Composes and encodes in place (code points need no less room than their UTF-8), then copies. */
static enum err_code
put_together(struct points *points, struct arena *arena, struct str *out, struct err *err)
{
    utf8proc_ssize_t n = utf8proc_reencode(points->items, (utf8proc_ssize_t)points->n,
                                           UTF8PROC_STABLE | UTF8PROC_COMPOSE);
    struct str copy;

    if (n < 0)
        return err_set(err, ERR_INTERNAL, "text cannot be normalised: %s", utf8proc_errmsg(n));
    copy = arena_str(arena, (struct str){(const char *)points->items, (size_t)n});
    if (copy.data == NULL)
        return err_no_memory(err);
    *out = copy;
    return ERR_OK;
}

static bool
is_white(utf8proc_int32_t point)
{
    utf8proc_category_t category = utf8proc_category(point);

    return category == UTF8PROC_CATEGORY_ZS || category == UTF8PROC_CATEGORY_ZL ||
           category == UTF8PROC_CATEGORY_ZP || category == UTF8PROC_CATEGORY_CC;
}

static bool
is_word_part(utf8proc_int32_t point)
{
    utf8proc_category_t category = utf8proc_category(point);

    return category >= UTF8PROC_CATEGORY_LU && category <= UTF8PROC_CATEGORY_NO;
}

static const char *
letters_of(utf8proc_int32_t point)
{
    for (size_t i = 0; i < sizeof written_out / sizeof written_out[0]; i++)
        if (written_out[i].point == point)
            return written_out[i].letters;
    return NULL;
}

/* What stays of the points, without white space at the ends and in runs; to has twice the room. */
static size_t
keep_folded(const utf8proc_int32_t *from, size_t n, enum fold_style style, utf8proc_int32_t *to)
{
    size_t kept = 0;
    bool is_apart = false;

    for (size_t i = 0; i < n; i++) {
        const char *letters = letters_of(from[i]);

        if (style == FOLD_WORDS ? !is_word_part(from[i]) : is_white(from[i])) {
            is_apart = kept != 0;
            continue;
        }
        if (is_apart)
            to[kept++] = ' ';
        is_apart = false;
        if (letters == NULL)
            to[kept++] = from[i];
        for (; letters != NULL && *letters != '\0'; letters++)
            to[kept++] = *letters;
    }
    return kept;
}

static bool
is_ascii(struct str text)
{
    unsigned char all = 0;

    for (size_t i = 0; i < text.len; i++)
        all |= (unsigned char)text.data[i];
    return all < 0x80;
}

/* The same of a short ASCII text, as most terms and all codes are: Unicode leaves it as it is but for
 * capitals, and its long way took most of the reading of the vocabularies. */
static enum err_code
fold_ascii(struct str text, enum fold_style style, struct arena *arena, struct str *folded,
           struct err *err)
{
    char kept[ASCII_MAX]; /* no text grows */
    size_t n = 0;
    bool is_apart = false;
    struct str copy;

    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.data[i];
        unsigned char small = c >= 'A' && c <= 'Z' ? (unsigned char)(c + ('a' - 'A')) : c;
        bool is_word = (small >= 'a' && small <= 'z') || (c >= '0' && c <= '9');

        if (style == FOLD_WORDS ? !is_word : c <= ' ' || c == 0x7f) {
            is_apart = n != 0;
            continue;
        }
        if (is_apart)
            kept[n++] = ' ';
        is_apart = false;
        kept[n++] = (char)small;
    }
    copy = arena_str(arena, (struct str){kept, n});
    if (copy.data == NULL)
        return err_no_memory(err);
    *folded = copy;
    return ERR_OK;
}

static enum err_code
fold(struct str text, enum fold_style style, struct arena *arena, struct str *folded,
     struct err *err)
{
    struct points points = {0}, kept = {0};
    enum err_code code = check_input(text, err);

    if (code != ERR_OK)
        return code;
    if (text.len <= ASCII_MAX && is_ascii(text))
        return fold_ascii(text, style, arena, folded, err);
    code = take_apart(text,
                      UTF8PROC_STABLE | UTF8PROC_COMPAT | UTF8PROC_DECOMPOSE | UTF8PROC_CASEFOLD |
                          UTF8PROC_STRIPMARK | UTF8PROC_IGNORE,
                      &points, err);
    if (code != ERR_OK)
        goto out;
    /* a point gives two letters at most, or one space; one more for utf8proc's NUL */
    kept.items = mem_alloc((2 * points.n + 1) * sizeof *kept.items);
    if (kept.items == NULL) {
        code = err_no_memory(err);
        goto out;
    }
    kept.n = keep_folded(points.items, points.n, style, kept.items);
    code = put_together(&kept, arena, folded, err);
out:
    mem_free(kept.items);
    mem_free(points.items);
    return code;
}

enum err_code
fold_text(struct str text, struct arena *arena, struct str *folded, struct err *err)
{
    return fold(text, FOLD_WORDS, arena, folded, err);
}

enum err_code
fold_term(struct str text, struct arena *arena, struct str *folded, struct err *err)
{
    return fold(text, FOLD_TERM, arena, folded, err);
}

enum err_code
text_nfc(struct str text, struct arena *arena, struct str *nfc, struct err *err)
{
    struct points points = {0};
    enum err_code code = check_input(text, err);

    if (code != ERR_OK)
        return code;
    code = take_apart(text, UTF8PROC_STABLE | UTF8PROC_COMPOSE, &points, err);
    if (code == ERR_OK)
        code = put_together(&points, arena, nfc, err);
    mem_free(points.items);
    return code;
}
