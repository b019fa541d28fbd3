#include "tables.h"

#include <inttypes.h>
#include <stdlib.h>

/*
 * A dictionary in the form of dictd is one long text and an index: a row `headword TAB offset TAB
 * length` an entry, the numbers in base 64. An entry reads
 *
 *     abri /abʀi/ <n, masc>          headword, pronunciation, part of speech
 *     1. asylum                      one sense a line, its translations parted by commas
 *     2. bunker, shelter
 *      sentences, notes              lines that begin with a space
 *
 * Out of it come pairs of stems. A pair weighs 6 where it is the first sense of its entry, 3 the
 * second, 2 the third, 1 later; what both directions say is added up, hence 1 to 12. Left out: what
 * is longer than three words, what is stop words only, and words with the same stem in both
 * languages, which meet anyway.
 */
enum { PAIR_WORDS_MAX = 3, SITE_ARENA_MAX = 512 * 1024 * 1024 };

struct pair {
    struct str en, fr; /* stems */
    uint32_t weight;
    enum lang from;
};

struct maker {
    const struct lexicon *lexicon;
    struct stemmers *stemmers;
    struct arena *arena;
    struct pair *pairs;
    size_t n_pairs, room;
};

/* Stems with single spaces between, at most PAIR_WORDS_MAX; empty if it can't be used. */
static enum err_code
stems_of(struct maker *maker, struct str text, enum lang lang, struct str *out, struct err *err)
{
    struct word_cursor cursor = words_begin(text);
    struct word word;
    bool found;
    int n = 0;

    *out = (struct str){"", 0};
    for (;; n++) {
        struct str stem;
        enum err_code code = words_next(&cursor, maker->arena, &word, &found, err);

        if (code != ERR_OK)
            return code;
        if (!found)
            break;
        if (lexicon_drops(maker->lexicon, &word, lang)) {
            n--;
            continue;
        }
        stem = stemmers_stem(maker->stemmers, str_from(lang_code(lang)), word.folded);
        if (stem.data == NULL)
            return err_no_memory(err);
        *out = arena_format(maker->arena, "%.*s%s%.*s", STR_ARG(*out), n > 0 ? " " : "",
                            STR_ARG(stem));
        if (out->data == NULL)
            return err_no_memory(err);
    }
    if (n > PAIR_WORDS_MAX)
        *out = (struct str){"", 0};
    return ERR_OK;
}

static enum err_code
add_pair(struct maker *maker, enum lang from, struct str head, struct str translation,
         uint32_t weight, struct err *err)
{
    struct str to;
    enum err_code code =
        stems_of(maker, translation, from == LANG_EN ? LANG_FR : LANG_EN, &to, err);

    if (code != ERR_OK)
        return code;
    if (to.len == 0 || str_equal(to, head))
        return ERR_OK;
    if (maker->n_pairs == maker->room) {
        size_t room = maker->room != 0 ? 2 * maker->room : 16384;
        struct pair *pairs = realloc(maker->pairs, room * sizeof *pairs);

        if (pairs == NULL)
            return err_no_memory(err);
        maker->pairs = pairs;
        maker->room = room;
    }
    maker->pairs[maker->n_pairs++] = (struct pair){
        .en = from == LANG_EN ? head : to,
        .fr = from == LANG_EN ? to : head,
        .weight = weight,
        .from = from,
    };
    return ERR_OK;
}

/* Blanks out what stands in brackets: a hint of use, not a translation. */
static enum err_code
without_brackets(struct maker *maker, struct str line, struct str *out, struct err *err)
{
    char *copy = arena_copy(maker->arena, line.data, line.len);
    int depth = 0;

    if (copy == NULL)
        return err_no_memory(err);
    for (size_t i = 0; i < line.len; i++) {
        char c = copy[i];

        depth += c == '(' || c == '[';
        if (depth > 0)
            copy[i] = ' ';
        depth -= depth > 0 && (c == ')' || c == ']');
    }
    *out = (struct str){copy, line.len};
    return ERR_OK;
}

/* Past "12. "; unchanged without a number. */
static struct str
without_number(struct str line)
{
    size_t i = 0;

    while (i < line.len && line.data[i] >= '0' && line.data[i] <= '9')
        i++;
    if (i == 0 || i >= line.len || line.data[i] != '.')
        return line;
    return (struct str){line.data + i + 1, line.len - i - 1};
}

static enum err_code
read_sense(struct maker *maker, enum lang from, struct str head, struct str line, size_t sense,
           struct err *err)
{
    uint32_t weight = sense < 6 ? 6 / (uint32_t)(sense + 1) : 1;
    struct str clean = {NULL, 0};
    enum err_code code = without_brackets(maker, without_number(line), &clean, err);

    for (size_t at = 0; code == ERR_OK && at < clean.len;) {
        size_t end = at;

        while (end < clean.len && clean.data[end] != ',' && clean.data[end] != ';')
            end++;
        code = add_pair(maker, from, head, (struct str){clean.data + at, end - at}, weight, err);
        at = end + 1;
    }
    return code;
}

static enum err_code
read_entry(struct maker *maker, enum lang from, struct str entry, struct err *err)
{
    size_t end = str_find(entry, '\n', 0), sense = 0;
    struct str head_line = {entry.data, end}, head;
    size_t head_end = 0;
    enum err_code code;

    while (head_end < head_line.len && head_line.data[head_end] != '/' &&
           head_line.data[head_end] != '<')
        head_end++;
    code = stems_of(maker, (struct str){head_line.data, head_end}, from, &head, err);
    if (code != ERR_OK || head.len == 0)
        return code;
    for (size_t at = end + 1; code == ERR_OK && at < entry.len; at = end + 1) {
        struct str line;

        end = str_find(entry, '\n', at);
        line = (struct str){entry.data + at, end - at};
        if (line.len > 0 && line.data[0] != ' ')
            code = read_sense(maker, from, head, line, sense++, err);
    }
    return code;
}

/* A number of the index: base 64, most significant digit first. */
static bool
parse_base64(struct str text, uint64_t *value)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

    *value = 0;
    for (size_t i = 0; i < text.len; i++) {
        const char *digit = text.data[i] != '\0' ? strchr(digits, text.data[i]) : NULL;

        if (digit == NULL || *value >= UINT64_C(1) << 40)
            return false;
        *value = *value * 64 + (uint64_t)(digit - digits);
    }
    return text.len > 0;
}

static enum err_code
read_dictionary(struct maker *maker, enum lang from, struct str text, struct str index,
                struct err *err)
{
    size_t number = 0, end;

    for (size_t at = 0; at < index.len; at = end + 1) {
        size_t tab, second;
        uint64_t offset, length;
        enum err_code code;

        number++;
        end = str_find(index, '\n', at);
        tab = str_find(index, '\t', at);
        second = tab < end ? str_find(index, '\t', tab + 1) : end;
        if (second >= end ||
            !parse_base64((struct str){index.data + tab + 1, second - tab - 1}, &offset) ||
            !parse_base64((struct str){index.data + second + 1, end - second - 1}, &length) ||
            offset > text.len || length > text.len - offset)
            return err_set(err, ERR_INVALID_PARAMS,
                           "index line %zu is not `word TAB offset TAB length` within the "
                           "dictionary; are the .index and .dict files of one package?",
                           number);
        if (end - at >= 10 && memcmp(index.data + at, "00database", 10) == 0)
            continue;
        code = read_entry(maker, from, (struct str){text.data + offset, length}, err);
        if (code != ERR_OK)
            return code;
    }
    return ERR_OK;
}

static int
compare_pairs(const void *a, const void *b)
{
    const struct pair *x = a, *y = b;
    int order = str_compare(x->en, y->en);

    if (order == 0)
        order = str_compare(x->fr, y->fr);
    if (order == 0)
        order = (x->from > y->from) - (x->from < y->from);
    return order != 0 ? order : (x->weight < y->weight) - (x->weight > y->weight);
}

static size_t
write_pairs(const struct maker *maker, struct buf *out)
{
    size_t n = 0;

    buf_append_text(out, "en,fr,weight\n");
    for (size_t i = 0, next; i < maker->n_pairs; i = next, n++) {
        const struct pair *pair = &maker->pairs[i];
        uint32_t best[LANG_COUNT] = {0};

        for (next = i; next < maker->n_pairs && str_equal(maker->pairs[next].en, pair->en) &&
                       str_equal(maker->pairs[next].fr, pair->fr);
             next++)
            if (best[maker->pairs[next].from] < maker->pairs[next].weight)
                best[maker->pairs[next].from] = maker->pairs[next].weight;
        buf_printf(out, "%.*s,%.*s,%" PRIu32 "\n", STR_ARG(pair->en), STR_ARG(pair->fr),
                   best[LANG_EN] + best[LANG_FR]);
    }
    return n;
}

enum err_code
tables_site(const struct dictionary_files *files, const struct lexicon *lexicon, struct buf *out,
            size_t *n_pairs, struct err *err)
{
    struct maker maker = {.lexicon = lexicon};
    enum err_code code;

    maker.stemmers = stemmers_create();
    maker.arena = arena_create(SITE_ARENA_MAX);
    if (maker.stemmers == NULL || maker.arena == NULL) {
        code = err_no_memory(err);
        goto out;
    }
    code = read_dictionary(&maker, LANG_EN, files->en_fr, files->en_fr_index, err);
    if (code == ERR_OK)
        code = read_dictionary(&maker, LANG_FR, files->fr_en, files->fr_en_index, err);
    if (code != ERR_OK)
        goto out;
    if (maker.n_pairs == 0) {
        code = err_set(err, ERR_INVALID_PARAMS, "the dictionaries hold no pair of words");
        goto out;
    }
    qsort(maker.pairs, maker.n_pairs, sizeof *maker.pairs, compare_pairs);
    *n_pairs = write_pairs(&maker, out);
    code = buf_check(out, err);
out:
    free(maker.pairs);
    arena_destroy(maker.arena);
    stemmers_destroy(maker.stemmers);
    return code;
}
