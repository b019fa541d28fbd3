#include "words.h"

#include "alloc.h"
#include "fold.h"

#include <libstemmer.h>
#include <utf8proc.h>

#include <assert.h>
#include <limits.h>

/* What a character is to the cutting of words. */
enum kind { KIND_WORD, KIND_GAP, KIND_APOSTROPHE, KIND_END, KIND_STOP };
/* KIND_END ends a phrase; KIND_STOP does where a space or the end follows: a full stop, but not
 * that of 4.0 or A.I. */

static enum kind
ascii_kind(unsigned char c)
{
    if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'))
        return KIND_WORD;
    switch (c) {
    case '\'':
    case '`':
        return KIND_APOSTROPHE;
    case '.':
    case ',':
    case ':':
        return KIND_STOP;
    case ';':
    case '!':
    case '?':
    case '(':
    case ')':
    case '[':
    case ']':
    case '{':
    case '}':
    case '"':
    case '|':
    case '\n':
        return KIND_END;
    default:
        return KIND_GAP;
    }
}

static enum kind
point_kind(int32_t point)
{
    switch (point) {
    case 0x2019: /* right single quote, what French typing gives */
    case 0x2018:
    case 0x02BC:
    case 0x00B4:
    case 0xFF07:
        return KIND_APOSTROPHE;
    case 0x00AB: /* guillemets, quotes, dashes, ellipsis, bullet */
    case 0x00BB:
    case 0x201C:
    case 0x201D:
    case 0x2013:
    case 0x2014:
    case 0x2026:
    case 0x2022:
        return KIND_END;
    default:
        break;
    }
    switch (utf8proc_category(point)) {
    case UTF8PROC_CATEGORY_LU:
    case UTF8PROC_CATEGORY_LL:
    case UTF8PROC_CATEGORY_LT:
    case UTF8PROC_CATEGORY_LM:
    case UTF8PROC_CATEGORY_LO:
    case UTF8PROC_CATEGORY_MN:
    case UTF8PROC_CATEGORY_MC:
    case UTF8PROC_CATEGORY_ME:
    case UTF8PROC_CATEGORY_ND:
    case UTF8PROC_CATEGORY_NL:
    case UTF8PROC_CATEGORY_NO:
    case UTF8PROC_CATEGORY_CF: /* not seen: folding drops a soft hyphen and joins the halves */
        return KIND_WORD;
    default:
        return KIND_GAP;
    }
}

/* The kind of the character at `at`, and its length; a byte that is no UTF-8 parts words. */
static enum kind
kind_at(struct str text, size_t at, size_t *len)
{
    unsigned char c = (unsigned char)text.data[at];
    utf8proc_int32_t point;
    utf8proc_ssize_t n;

    *len = 1;
    if (c < 0x80)
        return ascii_kind(c);
    n = utf8proc_iterate((const utf8proc_uint8_t *)text.data + at,
                         (utf8proc_ssize_t)(text.len - at), &point);
    if (n <= 0)
        return KIND_GAP;
    *len = (size_t)n;
    return point_kind(point);
}

enum { RUN_BYTES_MAX = 1024 }; /* a longer run of letters goes on as another word */

static bool
ends_phrase(struct str text, size_t at, enum kind kind)
{
    if (kind == KIND_END)
        return true;
    return kind == KIND_STOP && (at + 1 >= text.len || text.data[at + 1] == ' ' ||
                                 (unsigned char)text.data[at + 1] >= 0x80);
}

struct word_cursor
words_begin(struct str text)
{
    return (struct word_cursor){.text = text, .starts_piece = true};
}

/* U+00C0 to U+00FF, and then the same for small letters, as fold_text folds them (a test compares
 * the two); × and ÷ are no letters. */
static const char latin[32][3] = {"a", "a", "a", "a", "a", "a", "ae", "c", "e",  "e", "e",
                                  "e", "i", "i", "i", "i", "d", "n",  "o", "o",  "o", "o",
                                  "o", "",  "o", "u", "u", "u", "u",  "y", "th", "ss"};

/* Folds letters of ASCII, of U+00C0 to U+00FF, œ and digits, which French and English are made of;
 * false, and nothing to be used, if there is another. out holds as many bytes as run. */
static bool
fold_latin(struct str run, char *out, size_t *len)
{
    *len = 0;
    for (size_t i = 0; i < run.len; i++) {
        unsigned char c = (unsigned char)run.data[i];
        unsigned char next = i + 1 < run.len ? (unsigned char)run.data[i + 1] : 0;

        if (c < 0x80) {
            out[(*len)++] = c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : (char)c;
            continue;
        }
        i++;                             /* the second byte of two */
        if (c == 0xC3 && next == 0xBF) { /* ÿ stands where ß does among the capitals */
            out[(*len)++] = 'y';
        } else if (c == 0xC3) {
            for (const char *letter = latin[next & 31]; *letter != '\0'; letter++)
                out[(*len)++] = *letter;
        } else if (c == 0xC5 && (next == 0x92 || next == 0x93)) {
            out[(*len)++] = 'o';
            out[(*len)++] = 'e';
        } else {
            return false;
        }
    }
    return true;
}

/* As fold_text does, without its cost where the letters are plain. */
static enum err_code
fold_run(struct str run, struct arena *arena, struct str *folded, struct err *err)
{
    struct arena_mark mark = arena_mark(arena);
    char *copy = arena_alloc(arena, run.len, 1);
    size_t len;

    if (copy == NULL)
        return err_no_memory(err);
    if (!fold_latin(run, copy, &len)) {
        arena_release(arena, mark);
        return fold_text(run, arena, folded, err);
    }
    *folded = (struct str){copy, len};
    return ERR_OK;
}

/* Cuts at the last whole character that ends within WORD_BYTES_MAX. */
static struct str
cut(struct str word)
{
    size_t len = WORD_BYTES_MAX;

    if (word.len <= WORD_BYTES_MAX)
        return word;
    while (len > 0 && ((unsigned char)word.data[len] & 0xC0) == 0x80)
        len--;
    return (struct str){word.data, len};
}

static bool
is_digits(struct str word)
{
    for (size_t i = 0; i < word.len; i++)
        if (word.data[i] < '0' || word.data[i] > '9')
            return false;
    return word.len > 0;
}

/* Goes over what parts words, to the start of the next run; false at the end of the text. */
static bool
skip_gap(struct word_cursor *cursor)
{
    struct str text = cursor->text;
    size_t len;

    for (; cursor->at < text.len; cursor->at += len) {
        enum kind kind = kind_at(text, cursor->at, &len);

        if (kind == KIND_WORD)
            return true;
        cursor->after_apostrophe = kind == KIND_APOSTROPHE;
        if (ends_phrase(text, cursor->at, kind))
            cursor->starts_piece = true;
    }
    return false;
}

static bool
is_ascii_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* Bytes of an abbreviation with points at `at`, single letters such as A.I. or R.S.E; else 0. */
static size_t
abbreviation_bytes(struct str text, size_t at)
{
    size_t i = at, len, n = 0;

    while (i + 1 < text.len && is_ascii_letter(text.data[i]) && text.data[i + 1] == '.') {
        i += 2;
        n++;
    }
    if (n == 0)
        return 0;
    if (i < text.len && kind_at(text, i, &len) == KIND_WORD) {
        bool is_letter = is_ascii_letter(text.data[i]) &&
                         (i + 1 >= text.len || kind_at(text, i + 1, &len) != KIND_WORD);

        return is_letter ? i + 1 - at : 0;
    }
    return n > 1 ? i - at : 0;
}

/* The letters of an abbreviation as one word: A.I. is ai. */
static enum err_code
take_abbreviation(struct word_cursor *cursor, size_t bytes, struct arena *arena, struct err *err)
{
    char *letters = arena_alloc(arena, bytes, 1);
    size_t n = 0;

    if (letters == NULL)
        return err_no_memory(err);
    cursor->written = (struct str){cursor->text.data + cursor->at, bytes};
    cursor->at += bytes;
    for (size_t i = 0; i < bytes; i++)
        if (cursor->written.data[i] != '.')
            letters[n++] = cursor->written.data[i];
    return fold_run((struct str){letters, n}, arena, &cursor->rest, err);
}

static enum err_code
take_run(struct word_cursor *cursor, struct arena *arena, struct err *err)
{
    struct str text = cursor->text;
    size_t start = cursor->at, len, bytes = abbreviation_bytes(text, start);

    if (bytes > 0 && bytes <= RUN_BYTES_MAX)
        return take_abbreviation(cursor, bytes, arena, err);
    for (; cursor->at < text.len && cursor->at - start < RUN_BYTES_MAX &&
           kind_at(text, cursor->at, &len) == KIND_WORD;
         cursor->at += len) {
    }
    cursor->written = (struct str){text.data + start, cursor->at - start};
    return fold_run(cursor->written, arena, &cursor->rest, err);
}

enum err_code
words_next(struct word_cursor *cursor, struct arena *arena, struct word *word, bool *found,
           struct err *err)
{
    struct str rest;
    size_t end, len;
    enum err_code code;

    *found = false;
    for (;;) {
        while (cursor->rest.len > 0 && cursor->rest.data[0] == ' ')
            cursor->rest = (struct str){cursor->rest.data + 1, cursor->rest.len - 1};
        if (cursor->rest.len > 0)
            break;
        if (!skip_gap(cursor))
            return ERR_OK;
        code = take_run(cursor, arena, err);
        if (code != ERR_OK)
            return code;
    }
    rest = cursor->rest;
    end = str_find(rest, ' ', 0);
    cursor->rest = (struct str){rest.data + end, rest.len - end};
    *word = (struct word){
        .written = cursor->written,
        .folded = cut((struct str){rest.data, end}),
        .after_apostrophe = cursor->after_apostrophe,
        .before_apostrophe = cursor->rest.len == 0 && cursor->at < cursor->text.len &&
                             kind_at(cursor->text, cursor->at, &len) == KIND_APOSTROPHE,
        .starts_piece = cursor->starts_piece,
    };
    word->is_number = is_digits(word->folded);
    cursor->after_apostrophe = cursor->starts_piece = false;
    *found = true;
    return ERR_OK;
}

/* ---- stemmers ---- */

/* The languages that are stemmed, by name and not by what the library happens to hold: a vector
 * must not depend on the build of libstemmer. All are in libstemmer 2.0 and later. */
static const char stemmed[][3] = {
    "en", "fr", "ar", "ca", "da", "de", "el", "es", "eu", "fi", "ga", "hi", "hu", "hy",
    "id", "it", "lt", "ne", "nl", "no", "pt", "ro", "ru", "sr", "sv", "ta", "tr", "yi",
};
enum { STEMMED_COUNT = sizeof stemmed / sizeof stemmed[0] };

struct stemmers {
    struct sb_stemmer *snowball[STEMMED_COUNT]; /* NULL until asked for */
};

struct stemmers *
stemmers_create(void)
{
    return mem_alloc_zeroed(1, sizeof(struct stemmers));
}

void
stemmers_destroy(struct stemmers *stemmers)
{
    if (stemmers == NULL)
        return;
    for (size_t i = 0; i < STEMMED_COUNT; i++)
        sb_stemmer_delete(stemmers->snowball[i]);
    mem_free(stemmers);
}

struct str
stemmers_stem(struct stemmers *stemmers, struct str lang, struct str folded)
{
    const sb_symbol *stem;
    size_t i = 0;

    while (i < STEMMED_COUNT && !str_is(lang, stemmed[i]))
        i++;
    if (i == STEMMED_COUNT)
        return folded;
    if (stemmers->snowball[i] == NULL)
        stemmers->snowball[i] = sb_stemmer_new(stemmed[i], "UTF_8");
    if (stemmers->snowball[i] == NULL)
        return (struct str){NULL, 0};
    static_assert(WORD_BYTES_MAX < INT_MAX, "a word's length fits Snowball's int");
    stem = sb_stemmer_stem(stemmers->snowball[i], (const sb_symbol *)folded.data, (int)folded.len);
    return (struct str){(const char *)stem,
                        stem != NULL ? (size_t)sb_stemmer_length(stemmers->snowball[i]) : 0};
}
