#include "alloc.h"
#include "lexicon_parts.h"

#include <inttypes.h>
#include <string.h>

/*
 * One pass over each file, into open-addressing tables that are sized once from a count of the
 * separators, so that a start of the tool pays a few milliseconds and no allocation a row. Stems
 * are worked out once for each distinct word (most forms share their words): Snowball would
 * otherwise be half of the time.
 */

enum {
    LEXICON_BYTES_MAX = 64 * 1024 * 1024, /* of each file */
    LEXICON_ARENA_MAX = 256 * 1024 * 1024,
    DOCUMENTS_MAX = 100 * 1000 * 1000
};

/* ---- lines and cells ---- */

struct lines {
    struct str text;
    size_t at, number;
    int file;
};

/* The next line that holds something, without comment lines and ends of line. */
static bool
lines_next(struct lines *lines, struct str *line)
{
    while (lines->at < lines->text.len) {
        size_t end = str_find(lines->text, '\n', lines->at);

        *line = (struct str){lines->text.data + lines->at, end - lines->at};
        lines->at = end + 1;
        lines->number++;
        if (line->len > 0 && line->data[line->len - 1] == '\r')
            line->len--;
        if (line->len > 0 && line->data[0] != '#')
            return true;
    }
    return false;
}

static struct lines
lines_begin(struct str text, int file)
{
    static const char mark[] = "\xEF\xBB\xBF";

    if (text.len >= 3 && memcmp(text.data, mark, 3) == 0)
        text = (struct str){text.data + 3, text.len - 3};
    return (struct lines){.text = text, .file = file};
}

#define line_err(err, lines, format, ...)                                                          \
    (err_set((err), ERR_INVALID_PARAMS, "%s, line %zu: " format, lexicon_file_name((lines)->file), \
             (lines)->number, __VA_ARGS__))

/* Cells of one line, at most n of them; a cell may stand in quotes, without quotes inside. */
static enum err_code
split_cells(const struct lines *lines, struct str line, struct str *cells, size_t n,
            struct err *err)
{
    size_t at = 0;

    for (size_t i = 0; i < n; i++) {
        bool is_quoted = at < line.len && line.data[at] == '"';
        size_t start = at + is_quoted;
        size_t end = start > line.len ? line.len : str_find(line, is_quoted ? '"' : ',', start);

        if (is_quoted && (end == line.len || (end + 1 < line.len && line.data[end + 1] != ',')))
            return line_err(err, lines, "cell %zu: a quote is not closed before the comma", i + 1);
        if (at > line.len || (i + 1 < n && end + is_quoted >= line.len))
            return line_err(err, lines, "%zu cells instead of %zu", i + (at <= line.len), n);
        cells[i] = (struct str){line.data + start, end - start};
        at = end + 1 + is_quoted;
    }
    if (at <= line.len)
        return line_err(err, lines, "more than %zu cells; put a cell with a comma in quotes", n);
    return ERR_OK;
}

static enum err_code
parse_count(const struct lines *lines, struct str cell, uint32_t min, uint32_t max, uint32_t *count,
            struct err *err)
{
    uint64_t value = 0;
    bool is_number = cell.len > 0 && cell.len <= 9;

    for (size_t i = 0; is_number && i < cell.len; i++) {
        is_number = cell.data[i] >= '0' && cell.data[i] <= '9';
        value = value * 10 + (uint64_t)(cell.data[i] - '0');
    }
    if (!is_number || value < min || value > max)
        return line_err(err, lines, "\"%.*s\" is not a whole number from %" PRIu32 " to %" PRIu32,
                        STR_ARG(cell), min, max);
    *count = (uint32_t)value;
    return ERR_OK;
}

static size_t
count_char(struct str text, char c)
{
    size_t n = 0;

    for (size_t at = str_find(text, c, 0); at < text.len; at = str_find(text, c, at + 1))
        n++;
    return n;
}

static enum err_code
check_header(struct lines *lines, const char *wanted, struct err *err)
{
    struct str line = {NULL, 0};

    if (!lines_next(lines, &line) || !str_is(line, wanted))
        return line_err(err, lines, "the first row must be \"%s\"", wanted);
    return ERR_OK;
}

/* ---- parsing ---- */

/* What only the parsing needs. */
struct parser {
    struct lexicon *lexicon;
    struct arena *keep;    /* stems, until the parsing ends */
    struct arena *scratch; /* the words of one form */
    struct stemmers *stemmers;
    struct key_table known[LANG_COUNT]; /* by lexicon_word_key: where its stem stands in stems */
    struct str *stems;
    size_t n_stems, stems_room;
};

static enum err_code
parse_word_list(struct parser *parser, struct str text, int file, struct key_table *out,
                struct err *err)
{
    struct lines lines = lines_begin(text, file);
    struct str line;

    while (lines_next(&lines, &line)) {
        struct word_cursor cursor = words_begin(line);
        struct word word;
        int64_t *value;
        bool found;

        for (;;) {
            if (words_next(&cursor, parser->scratch, &word, &found, err) != ERR_OK)
                return err->code;
            if (!found)
                break;
            value = key_table_put(out, lexicon_word_key(word.folded));
            if (value == NULL)
                return err_no_memory(err);
            *value = 1;
        }
    }
    arena_reset(parser->scratch);
    return ERR_OK;
}

static bool
add_stem(struct parser *parser, struct str stem)
{
    if (parser->n_stems == parser->stems_room) {
        size_t room = parser->stems_room != 0 ? 2 * parser->stems_room : 4096;
        struct str *more = arena_alloc(parser->keep, room, sizeof *more);

        if (more == NULL)
            return false;
        if (parser->n_stems > 0)
            memcpy(more, parser->stems, parser->n_stems * sizeof *more);
        parser->stems = more;
        parser->stems_room = room;
    }
    parser->stems[parser->n_stems++] = stem;
    return true;
}

static enum err_code
stem_once(struct parser *parser, enum lang lang, struct str folded, struct str *stem,
          struct err *err)
{
    int64_t *at = key_table_put(&parser->known[lang], lexicon_word_key(folded));

    if (at == NULL)
        return err_no_memory(err);
    if (*at < 0) {
        struct str text = stemmers_stem(parser->stemmers, str_from(lang_code(lang)), folded);

        if (text.data != NULL)
            text = arena_str(parser->keep, text);
        if (text.data == NULL || !add_stem(parser, text))
            return err_no_memory(err);
        *at = (int64_t)parser->n_stems - 1;
    }
    *stem = parser->stems[*at];
    return ERR_OK;
}

/* The key of a form of the glossary, its stop words and elisions dropped. */
static enum err_code
parse_form(struct parser *parser, const struct lines *lines, enum lang lang, struct str form,
           uint64_t *key, struct err *err)
{
    struct word_cursor cursor = words_begin(form);
    struct word word;
    struct str stem = {NULL, 0};
    bool found;
    int n = 0;

    *key = phrase_begin(lang);
    for (;;) {
        if (words_next(&cursor, parser->scratch, &word, &found, err) != ERR_OK)
            return err->code;
        if (!found)
            break;
        if (lexicon_drops(parser->lexicon, &word, lang))
            continue;
        if (stem_once(parser, lang, word.folded, &stem, err) != ERR_OK)
            return err->code;
        *key = phrase_add(*key, stem);
        n++;
    }
    if (n == 0)
        return line_err(err, lines, "\"%.*s\" holds stop words only and would never be met",
                        STR_ARG(form));
    if (n > PHRASE_WORDS_MAX)
        return line_err(err, lines, "\"%.*s\" has %d words besides stop words; %d are the most",
                        STR_ARG(form), n, PHRASE_WORDS_MAX);
    return ERR_OK;
}

/* Puts the concept at the end of the phrase's list, once. False: no memory. */
static bool
name_concept(struct lexicon *lexicon, uint64_t key, uint32_t concept)
{
    int64_t *head = key_table_put(&lexicon->phrases, key);
    int32_t new = (int32_t)lexicon->n_named, at, last = -1;

    if (head == NULL)
        return false;
    for (at = (int32_t)*head; at >= 0; at = lexicon->named[at].next) {
        if (lexicon->named[at].concept == concept)
            return true; /* two forms of one concept with the same stems */
        last = at;
    }
    lexicon->named[lexicon->n_named++] = (struct named){concept, -1};
    if (last >= 0)
        lexicon->named[last].next = new;
    else
        *head = new;
    return true;
}

static enum err_code
parse_forms(struct parser *parser, const struct lines *lines, enum lang lang, struct str cell,
            uint32_t concept, struct err *err)
{
    struct lexicon *lexicon = parser->lexicon;

    for (size_t at = 0; at < cell.len;) {
        size_t end = str_find(cell, ';', at);
        struct str form = str_trim((struct str){cell.data + at, end - at});
        uint64_t key;

        at = end + 1;
        if (form.len == 0)
            continue;
        if (parse_form(parser, lines, lang, form, &key, err) != ERR_OK)
            return err->code;
        if (lexicon->concepts[concept].forms[lang].len == 0)
            lexicon->concepts[concept].forms[lang] = form;
        if (!name_concept(lexicon, key, concept))
            return err_no_memory(err);
        arena_reset(parser->scratch);
    }
    return ERR_OK;
}

static enum err_code
parse_glossary(struct parser *parser, struct str given, struct err *err)
{
    struct lexicon *lexicon = parser->lexicon;
    struct str text = arena_str(lexicon->arena, given); /* codes and forms point into it */
    struct lines lines = lines_begin(text, LEXICON_GLOSSARY);
    size_t n_rows = count_char(given, '\n') + 1;
    size_t n_forms = 2 * n_rows + count_char(given, ';');
    struct str line, cells[3];

    lexicon->concepts = mem_alloc_zeroed(n_rows, sizeof *lexicon->concepts);
    lexicon->named = mem_alloc_zeroed(n_forms, sizeof *lexicon->named);
    if (text.data == NULL || lexicon->concepts == NULL || lexicon->named == NULL ||
        !key_table_grow(&lexicon->phrases, n_forms))
        return err_no_memory(err);
    if (check_header(&lines, "concept,en,fr", err) != ERR_OK)
        return err->code;
    while (lines_next(&lines, &line)) {
        uint32_t concept = (uint32_t)lexicon->n_concepts;

        if (split_cells(&lines, line, cells, 3, err) != ERR_OK)
            return err->code;
        if (cells[0].len == 0)
            return line_err(err, &lines, "%s", "the concept has no name");
        lexicon->concepts[concept] = (struct concept){
            .code = cells[0],
            .term = term_of(TERM_CONCEPT, cells[0]),
        };
        lexicon->n_concepts++;
        if (parse_forms(parser, &lines, LANG_EN, cells[1], concept, err) != ERR_OK ||
            parse_forms(parser, &lines, LANG_FR, cells[2], concept, err) != ERR_OK)
            return err->code;
    }
    return ERR_OK;
}

/* `t:energy`, `c:sensor`, `s:captur`, `4:capt`, `3:cap`: the readable name of a term. */
static bool
parse_term(struct str text, uint32_t *term)
{
    static const char letters[TERM_CLASS_COUNT] = {[TERM_GRAM3] = '3',
                                                   [TERM_GRAM4] = '4',
                                                   [TERM_STEM] = 's',
                                                   [TERM_CONCEPT] = 'c',
                                                   [TERM_TOPIC] = 't'};
    struct str name = {text.data + 2, text.len - 2};

    if (text.len < 3 || text.data[1] != ':')
        return false;
    for (int class = 0; class < TERM_CLASS_COUNT; class ++)
        if (letters[class] == text.data[0]) {
            *term = term_of((enum term_class) class, name);
            return true;
        }
    return false;
}

static enum err_code
parse_frequencies(struct lexicon *lexicon, struct str text, struct err *err)
{
    struct lines lines = lines_begin(text, LEXICON_FREQUENCIES);
    struct str line, cells[2];

    if (!key_table_grow(&lexicon->documents, count_char(text, '\n') + 1))
        return err_no_memory(err);
    if (check_header(&lines, "term,documents", err) != ERR_OK)
        return err->code;
    if (!lines_next(&lines, &line))
        return line_err(err, &lines, "%s", "the row \"*,NUMBER\" of all documents is missing");
    if (split_cells(&lines, line, cells, 2, err) != ERR_OK)
        return err->code;
    if (!str_is(cells[0], "*"))
        return line_err(err, &lines, "\"%.*s\" stands where \"*\", all documents, should",
                        STR_ARG(cells[0]));
    if (parse_count(&lines, cells[1], 1, DOCUMENTS_MAX, &lexicon->n_documents, err) != ERR_OK)
        return err->code;
    while (lines_next(&lines, &line)) {
        uint32_t term, n;
        int64_t *documents;

        if (split_cells(&lines, line, cells, 2, err) != ERR_OK ||
            parse_count(&lines, cells[1], 1, lexicon->n_documents, &n, err) != ERR_OK)
            return err->code;
        if (!parse_term(cells[0], &term))
            return line_err(err, &lines, "\"%.*s\" is no term; write c:, s:, 4: or 3: before it",
                            STR_ARG(cells[0]));
        documents = key_table_put(&lexicon->documents, (uint64_t)term + 1);
        if (documents == NULL)
            return err_no_memory(err);
        if (*documents < (int64_t)n) /* of terms that collide, the more frequent */
            *documents = (int64_t)n;
    }
    return ERR_OK;
}

/* ---- topics ---- */

/* A whole number at *at, no sign, at most nine digits; false without one. */
static bool
take_number(struct str text, size_t *at, uint32_t *number)
{
    size_t start = *at;

    *number = 0;
    for (; *at < text.len && text.data[*at] >= '0' && text.data[*at] <= '9'; ++*at)
        *number = *number * 10 + (uint32_t)(text.data[*at] - '0');
    return *at > start && *at - start <= 9;
}

/* `12:300 7:45`: numbers of topics with their pulls, appended to the lexicon's, and a 0 after them. */
static bool
parse_pulls(struct lexicon *lexicon, struct str cell, const uint32_t *topics, size_t n_topics)
{
    size_t at = 0;

    do {
        uint32_t number, thousandths;

        if (!take_number(cell, &at, &number) || number >= n_topics || at >= cell.len ||
            cell.data[at++] != ':' || !take_number(cell, &at, &thousandths) || thousandths == 0 ||
            thousandths > PULL_WHOLE)
            return false;
        lexicon->pulls[lexicon->n_pulls++] = (struct pull){topics[number], thousandths};
    } while (at < cell.len && cell.data[at++] == ' ');
    if (at < cell.len)
        return false;
    lexicon->pulls[lexicon->n_pulls++] = (struct pull){0, 0};
    return true;
}

/* First the topics, `t:NAME,`, numbered from 0; then the terms with their pulls. */
static enum err_code
parse_topics(struct parser *parser, struct str text, struct err *err)
{
    struct lexicon *lexicon = parser->lexicon;
    struct lines lines = lines_begin(text, LEXICON_TOPICS);
    size_t n_rows = count_char(text, '\n') + 1, n_topics = 0;
    uint32_t *topics = arena_alloc(parser->keep, n_rows, sizeof *topics);
    struct str line, cells[2];

    if (text.len == 0)
        return ERR_OK;
    lexicon->pulls = mem_alloc_zeroed(count_char(text, ':') + n_rows, sizeof *lexicon->pulls);
    if (lexicon->pulls == NULL || topics == NULL || !key_table_grow(&lexicon->topics, n_rows))
        return err_no_memory(err);
    if (check_header(&lines, "term,pulls", err) != ERR_OK)
        return err->code;
    while (lines_next(&lines, &line)) {
        uint32_t term;
        int64_t *first;

        if (split_cells(&lines, line, cells, 2, err) != ERR_OK)
            return err->code;
        if (!parse_term(cells[0], &term))
            return line_err(err, &lines, "\"%.*s\" is no term; write t:, c: or s: before it",
                            STR_ARG(cells[0]));
        if (term_class_of(term) == TERM_TOPIC) {
            topics[n_topics++] = term;
            continue;
        }
        first = key_table_put(&lexicon->topics, (uint64_t)term + 1);
        if (first == NULL)
            return err_no_memory(err);
        *first = (int64_t)lexicon->n_pulls;
        if (!parse_pulls(lexicon, cells[1], topics, n_topics))
            return line_err(err, &lines,
                            "\"%.*s\" is no list such as 0:300 7:45, a topic before this row and "
                            "its pull from 1 to 1000",
                            STR_ARG(cells[1]));
    }
    return ERR_OK;
}

/* ---- the site's table ---- */

struct stems { /* a cell of the table: stems parted by spaces */
    uint64_t key;
    uint32_t terms[PHRASE_WORDS_MAX];
    uint8_t n;
};

static enum err_code
parse_stems(const struct lines *lines, struct str cell, enum lang lang, struct stems *stems,
            struct err *err)
{
    stems->key = phrase_begin(lang);
    stems->n = 0;
    for (size_t at = 0; at <= cell.len;) {
        size_t end = str_find(cell, ' ', at);
        struct str stem = {cell.data + at, end - at};

        if (stem.len == 0 || stems->n == PHRASE_WORDS_MAX)
            return line_err(err, lines, "\"%.*s\" is not one to %d stems parted by single spaces",
                            STR_ARG(cell), PHRASE_WORDS_MAX);
        stems->key = phrase_add(stems->key, stem);
        stems->terms[stems->n++] = term_of(TERM_STEM, stem);
        at = end + 1;
    }
    return ERR_OK;
}

/* from → to, before those that are there already; the order makes no difference to a vector. */
static bool
add_translation(struct lexicon *lexicon, const struct stems *from, const struct stems *to,
                uint32_t weight)
{
    int64_t *head = key_table_put(&lexicon->site, from->key);
    struct translation *new;

    if (head == NULL)
        return false;
    new = &lexicon->translations[lexicon->n_translations];
    new->phrase = to->key;
    memcpy(new->stems, to->terms, sizeof new->stems);
    new->n_stems = to->n;
    new->weight = (uint8_t)weight;
    new->next = (int32_t)*head;
    *head = (int64_t)lexicon->n_translations++;
    return true;
}

static enum err_code
parse_site(struct lexicon *lexicon, struct str text, struct err *err)
{
    struct lines lines = lines_begin(text, LEXICON_SITE);
    size_t n_rows = count_char(text, '\n') + 1;
    struct str line, cells[3];

    if (text.len == 0)
        return ERR_OK;
    lexicon->translations = mem_alloc_zeroed(2 * n_rows, sizeof *lexicon->translations);
    if (lexicon->translations == NULL || !key_table_grow(&lexicon->site, n_rows))
        return err_no_memory(err);
    if (check_header(&lines, "en,fr,weight", err) != ERR_OK)
        return err->code;
    while (lines_next(&lines, &line)) {
        struct stems en, fr;
        uint32_t weight;

        if (split_cells(&lines, line, cells, 3, err) != ERR_OK ||
            parse_stems(&lines, cells[0], LANG_EN, &en, err) != ERR_OK ||
            parse_stems(&lines, cells[1], LANG_FR, &fr, err) != ERR_OK ||
            parse_count(&lines, cells[2], 1, SITE_WEIGHT_MAX, &weight, err) != ERR_OK)
            return err->code;
        if (!add_translation(lexicon, &en, &fr, weight) ||
            !add_translation(lexicon, &fr, &en, weight))
            return err_no_memory(err);
    }
    return ERR_OK;
}

/* ---- the whole ---- */

static enum err_code
parse_all(struct parser *parser, const struct str *files, struct err *err)
{
    struct lexicon *lexicon = parser->lexicon;
    enum err_code code;

    code = parse_word_list(parser, files[LEXICON_STOPWORDS_EN], LEXICON_STOPWORDS_EN,
                           &lexicon->stops[LANG_EN], err);
    if (code == ERR_OK)
        code = parse_word_list(parser, files[LEXICON_STOPWORDS_FR], LEXICON_STOPWORDS_FR,
                               &lexicon->stops[LANG_FR], err);
    if (code == ERR_OK)
        code = parse_word_list(parser, files[LEXICON_ELISIONS_FR], LEXICON_ELISIONS_FR,
                               &lexicon->elisions, err);
    if (code == ERR_OK)
        code = parse_glossary(parser, files[LEXICON_GLOSSARY], err);
    if (code == ERR_OK)
        code = parse_frequencies(lexicon, files[LEXICON_FREQUENCIES], err);
    if (code == ERR_OK)
        code = parse_topics(parser, files[LEXICON_TOPICS], err);
    if (code == ERR_OK)
        code = parse_site(lexicon, files[LEXICON_SITE], err);
    return code;
}

static enum err_code
check_files(const struct str *files, struct err *err)
{
    for (int i = 0; i < LEXICON_FILE_COUNT; i++) {
        if (files[i].len > LEXICON_BYTES_MAX)
            return err_set(err, ERR_TOO_LARGE, "%s has %zu bytes; at most %d are read",
                           lexicon_file_name(i), files[i].len, LEXICON_BYTES_MAX);
        if (!str_is_utf8(files[i]))
            return err_set(err, ERR_INVALID_PARAMS, "%s is not UTF-8; save it as UTF-8",
                           lexicon_file_name(i));
    }
    return ERR_OK;
}

enum err_code
lexicon_parse(const struct str files[LEXICON_FILE_COUNT], struct lexicon **out, struct err *err)
{
    struct err unheard;
    struct parser parser = {0};
    struct lexicon *lexicon = mem_alloc_zeroed(1, sizeof *lexicon);
    enum err_code code;

    if (err == NULL)
        err = &unheard;
    parser.lexicon = lexicon;
    parser.keep = arena_create(LEXICON_ARENA_MAX);
    parser.scratch = arena_create(LEXICON_ARENA_MAX);
    parser.stemmers = stemmers_create();
    if (lexicon != NULL)
        lexicon->arena = arena_create(LEXICON_ARENA_MAX);
    if (lexicon == NULL || lexicon->arena == NULL || parser.keep == NULL ||
        parser.scratch == NULL || parser.stemmers == NULL) {
        code = err_no_memory(err);
        goto out;
    }
    code = check_files(files, err);
    if (code == ERR_OK)
        code = parse_all(&parser, files, err);
    if (code != ERR_OK)
        goto out;
    lexicon->digest = lexicon_files_digest(files);
    *out = lexicon;
    lexicon = NULL;
out:
    lexicon_destroy(lexicon);
    key_table_fini(&parser.known[LANG_EN]);
    key_table_fini(&parser.known[LANG_FR]);
    stemmers_destroy(parser.stemmers);
    arena_destroy(parser.scratch);
    arena_destroy(parser.keep);
    return code;
}
