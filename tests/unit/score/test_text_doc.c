#include "buf.h"
#include "file.h"
#include "text_bag.h"

#include <criterion/criterion.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

/*
 * Holds client/doc/en/text-vectors.md to the code. The page brings a small lexicon of its own, each
 * file in a fenced block that is named after it, and worked vectors: a heading, the texts as a list,
 * a fenced block with a line a term. What the page should say is put together here, weights by the
 * page's own formula written anew, and compared byte for byte. With JML_WRITE_DOC=1 in the
 * environment the blocks are written into the page instead, to be read before they are committed.
 */
#define PAGE JML_SOURCE "/client/doc/en/text-vectors.md"
enum { SOURCES_MAX = 8, NAMES_MAX = 4096, VECTORS_WANTED = 20 };

static struct arena *arena;
static struct buf page;

static void
set_up(void)
{
    struct err err = {0};

    arena = arena_create(64 << 20);
    buf_init(&page, 1 << 20);
    cr_assert_eq(file_read(PAGE, &page, &err), ERR_OK, "%s", err.message);
}

static void
tear_down(void)
{
    buf_fini(&page);
    arena_destroy(arena);
}

TestSuite(text_doc, .init = set_up, .fini = tear_down);

/* What stands between "```NAME\n" and the closing fence. */
static struct str
fenced(const char *name)
{
    struct str opening = arena_format(arena, "```%s\n", name);
    struct str all = buf_str(&page);
    char *start = memmem(all.data, all.len, opening.data, opening.len), *end;

    cr_assert_not_null(start, "the page has no block %s", name);
    start += opening.len;
    end = memmem(start, (size_t)(all.data + all.len - start), "```", 3);
    cr_assert_not_null(end, "the block %s is not closed", name);
    return (struct str){start, (size_t)(end - start)};
}

static struct lexicon *
page_lexicon(void)
{
    struct str files[LEXICON_FILE_COUNT];
    struct lexicon *lexicon = NULL;
    struct err err = {0};

    for (int i = 0; i < LEXICON_FILE_COUNT; i++)
        files[i] = fenced(lexicon_file_name(i));
    cr_assert_eq(lexicon_parse(files, &lexicon, &err), ERR_OK, "%s", err.message);
    return lexicon;
}

/* ---- names of terms, from everything that may have made one ---- */

struct name {
    uint32_t term;
    const char *text;
};
static struct name names[NAMES_MAX];
static size_t n_names;

static void
name_term(enum term_class class, struct str text)
{
    cr_assert_lt(n_names, NAMES_MAX);
    names[n_names++] = (struct name){
        term_of(class, text),
        arena_text(arena, arena_format(arena, "%c:%.*s", "34sct"[class], STR_ARG(text)))};
}

static void
name_word(struct stemmers *stemmers, struct str lang, struct str word)
{
    struct str marked = arena_format(arena, "_%.*s_", STR_ARG(word));

    name_term(TERM_STEM, stemmers_stem(stemmers, lang, word));
    for (size_t size = 3; size <= 4; size++) /* the page's words have letters of one byte only */
        for (size_t i = 0; i + size <= marked.len; i++)
            name_term(size == 3 ? TERM_GRAM3 : TERM_GRAM4, (struct str){marked.data + i, size});
}

static void
name_all(const struct text_source *sources, size_t n, const struct lexicon *lexicon)
{
    struct stemmers *stemmers = stemmers_create();
    struct word_cursor site = words_begin(fenced("site.csv"));
    struct word word;
    bool found = true;

    n_names = 0;
    for (uint32_t i = 0; i < lexicon_concepts(lexicon); i++)
        name_term(TERM_CONCEPT, lexicon_concept_code(lexicon, i));
    for (size_t i = 0; i < n; i++) {
        struct word_cursor cursor = words_begin(sources[i].text);
        struct str lang = sources[i].lang.len > 0 ? sources[i].lang : STR_LIT("en");

        for (;;) {
            cr_assert_eq(words_next(&cursor, arena, &word, &found, NULL), ERR_OK);
            if (!found)
                break;
            name_word(stemmers, lang, word.folded);
        }
    }
    name_term(TERM_TOPIC, STR_LIT("food.farm"));
    name_term(TERM_TOPIC, STR_LIT("iot.sensors"));
    for (;;) { /* the cells of the site's table are stems already */
        cr_assert_eq(words_next(&site, arena, &word, &found, NULL), ERR_OK);
        if (!found)
            break;
        name_term(TERM_STEM, word.folded);
    }
    stemmers_destroy(stemmers);
}

static const char *
name_of(uint32_t term)
{
    for (size_t i = 0; i < n_names; i++)
        if (names[i].term == term)
            return names[i].text;
    cr_assert_fail("a term without a name");
    return NULL;
}

/* ---- the page's formula, once more ---- */

/* log2 in sixteenths, straight between powers of two: by halving, not by counting bits. */
static int64_t
log2_of(int64_t x)
{
    int64_t power = 1, sixteenths = 0;

    while (2 * power <= x) {
        power *= 2;
        sixteenths += 16;
    }
    return sixteenths + 16 * (x - power) / power;
}

static int64_t
weight_by_the_page(const struct lexicon *lexicon, uint32_t term, int64_t units)
{
    static const int64_t class_weights[] = {[TERM_GRAM3] = 10,
                                            [TERM_GRAM4] = 20,
                                            [TERM_STEM] = 50,
                                            [TERM_CONCEPT] = 100,
                                            [TERM_TOPIC] = 200};
    int64_t all = lexicon_documents_all(lexicon), with = lexicon_documents(lexicon, term);
    int64_t frequency = units < 120 ? 128 * units / 120 : 128 + 4 * (log2_of(units) - log2_of(120));
    int64_t rarity = 16 + log2_of(all + 1) - log2_of(with + 1);
    int64_t weight = class_weights[term_class_of(term)] * frequency * rarity / 4096;

    return weight < 1 ? 1 : weight > 2047 ? 2047 : weight;
}

/* ---- worked vectors ---- */

struct line {
    const char *name;
    uint32_t units, documents;
    uint16_t weight;
};

static int
class_order(const char *name)
{
    return (int)(strchr("cst43", name[0]) - "cst43");
}

static int
compare_lines(const void *a, const void *b)
{
    const struct line *x = a, *y = b;
    int order = class_order(x->name) - class_order(y->name);

    return order != 0 ? order : strcmp(x->name, y->name);
}

static uint32_t
units_of(const struct text_bag *bag, uint32_t term)
{
    for (size_t i = 0; i < bag->n_entries; i++)
        if (bag->entries[i].term == term)
            return bag->entries[i].most;
    return 0;
}

/* The block that the page should hold for these texts. */
static struct str
worked(const struct lexicon *lexicon, const struct text_source *sources, size_t n)
{
    struct lexicon_reader *reader = lexicon_reader_create(lexicon);
    struct line lines[TEXT_TERMS_MAX];
    struct text_bag bag;
    struct text_vector vector;
    struct str out = STR_LIT("");

    cr_assert_eq(text_bag_init(&bag, lexicon, NULL), ERR_OK);
    cr_assert_eq(text_bag_fill(&bag, sources, n, NULL), ERR_OK);
    cr_assert_eq(text_vector_make(reader, sources, n, arena, &vector, NULL), ERR_OK);
    name_all(sources, n, lexicon);
    for (uint32_t i = 0; i < vector.n; i++) {
        uint32_t term = vector.terms[i], units = units_of(&bag, term);

        lines[i] = (struct line){name_of(term), units, lexicon_documents(lexicon, term),
                                 vector.weights[i]};
        cr_expect_eq(vector.weights[i], weight_by_the_page(lexicon, term, units), "%s",
                     lines[i].name);
    }
    qsort(lines, vector.n, sizeof lines[0], compare_lines);
    for (uint32_t i = 0; i < vector.n; i++)
        out = arena_format(arena, "%.*s%-18s %5" PRIu32 " %9" PRIu32 " %6u\n", STR_ARG(out),
                           lines[i].name, lines[i].units, lines[i].documents, lines[i].weight);
    out = arena_format(arena, "%.*s%" PRIu32 " terms, sum of squares %" PRIu32 "\n", STR_ARG(out),
                       vector.n, vector.norm2);
    text_bag_fini(&bag);
    lexicon_reader_destroy(reader);
    return out;
}

/* Reads lines such as "- `fr`: Des capteurs" (`tag` for a tag) up to the block's fence. */
static size_t
read_sources(struct str text, size_t *at, struct text_source *sources)
{
    size_t n = 0;

    for (;;) {
        size_t end = str_find(text, '\n', *at), tick;
        struct str line = {text.data + *at, end - *at};

        cr_assert_lt(*at, text.len, "a worked vector without a block");
        *at = end + 1;
        if (line.len >= 3 && memcmp(line.data, "```", 3) == 0)
            return n;
        if (line.len < 3 || memcmp(line.data, "- `", 3) != 0)
            continue;
        tick = str_find(line, '`', 3);
        cr_assert(n < SOURCES_MAX && tick + 3 <= line.len);
        sources[n].lang = (struct str){line.data + 3, tick - 3};
        if (str_is(sources[n].lang, "tag"))
            sources[n].lang = STR_LIT("");
        sources[n++].text = (struct str){line.data + tick + 3, line.len - tick - 3};
    }
}

Test(text_doc, the_page_shows_twenty_vectors_as_the_code_makes_them)
{
    static const char heading[] = "\n### ";
    bool writes = getenv("JML_WRITE_DOC") != NULL;
    struct lexicon *lexicon = page_lexicon();
    struct str text = buf_str(&page);
    struct buf out;
    size_t n_vectors = 0, copied = 0;

    buf_init(&out, 1 << 20);
    for (size_t at = 0;;) {
        char *found = memmem(text.data + at, text.len - at, heading, sizeof heading - 1), *end;
        struct text_source sources[SOURCES_MAX];
        struct str wanted, given;
        size_t n;

        if (found == NULL)
            break;
        at = (size_t)(found - text.data) + 1;
        n = read_sources(text, &at, sources);
        end = memmem(text.data + at, text.len - at, "```", 3);
        cr_assert_not_null(end);
        given = (struct str){text.data + at, (size_t)(end - text.data) - at};
        wanted = worked(lexicon, sources, n);
        buf_append(&out, text.data + copied, at - copied);
        buf_append_str(&out, wanted);
        at = copied = (size_t)(end - text.data);
        n_vectors++;
        cr_expect(writes || str_equal(given, wanted), "for %.*s the page should say:\n%.*s",
                  STR_ARG(sources[0].text), STR_ARG(wanted));
    }
    buf_append(&out, text.data + copied, text.len - copied);
    cr_expect_geq(n_vectors, VECTORS_WANTED);
    if (writes)
        cr_assert_eq(file_write(PAGE, out.data, out.len, 0644, NULL), ERR_OK);
    buf_fini(&out);
    lexicon_destroy(lexicon);
}

Test(text_doc, the_page_tells_the_numbers_that_are_used)
{
    static const char *const wanted[] = {
        "| topic | `t:` | 4 | 200 |", "| concept | `c:` | 3 | 100 |", "| stem | `s:` | 2 | 50 |",
        "| 4-gram | `4:` | 1 | 20 |", "| 3-gram | `3:` | 0 | 10 |",
    };
    struct str text = buf_str(&page);

    for (size_t i = 0; i < sizeof wanted / sizeof wanted[0]; i++)
        cr_expect(memmem(text.data, text.len, wanted[i], strlen(wanted[i])) != NULL, "%s",
                  wanted[i]);
}
