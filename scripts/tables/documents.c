#include "documents.h"

#include "arena.h"
#include "file.h"
#include "vocabulary.h"

#include <jansson.h>

#include <stdio.h>

enum { FILE_BYTES_MAX = 256 * 1024 * 1024, DOCUMENTS_ARENA_MAX = 1024 * 1024 * 1024 };

struct source { /* a vocabulary, and whether its rows are topics */
    const char *name;
    bool has_topics;
};
static const struct source vocabularies[] = {{"sectors", true},   {"needs", true},
                                             {"stages", false},   {"kinds", false},
                                             {"outcomes", false}, {"metros", false}};

struct walk {
    const char *data;
    struct buf bytes;
    struct arena *arena;
    document_visit *visit;
    void *context;
};

static enum err_code
read_path(struct walk *walk, const char *name, struct err *err)
{
    char path[4096];

    if (snprintf(path, sizeof path, "%s/%s", walk->data, name) >= (int)sizeof path)
        return err_set(err, ERR_INVALID_PARAMS, "the path of the data folder is too long");
    buf_clear(&walk->bytes);
    return file_read(path, &walk->bytes, err);
}

/* ---- vocabularies ---- */

static enum err_code
visit_row(struct walk *walk, const struct source *source, const struct vocabulary *vocabulary,
          int row, enum lang lang, struct err *err)
{
    struct str label = vocabulary_label(vocabulary, row, lang);
    struct str synonyms =
        vocabulary_cell(vocabulary, row, lang == LANG_FR ? "synonyms_fr" : "synonyms_en");
    struct document document = {.lang = str_from(lang_code(lang))};

    document.text = arena_format(walk->arena, "%.*s; %.*s", STR_ARG(label), STR_ARG(synonyms));
    if (source->has_topics) {
        document.topics[0] = arena_format(walk->arena, "%s.%.*s", source->name,
                                          STR_ARG(vocabulary_code(vocabulary, row)));
        document.n_topics = 1;
        document.is_definition = true;
    }
    if (document.text.data == NULL || (source->has_topics && document.topics[0].data == NULL))
        return err_no_memory(err);
    return walk->visit(walk->context, &document, err);
}

static enum err_code
visit_vocabulary(struct walk *walk, const struct source *source, struct err *err)
{
    char file[64];
    struct vocabulary *vocabulary = NULL;
    enum err_code code;

    snprintf(file, sizeof file, "%s.csv", source->name);
    code = read_path(walk, file, err);
    if (code == ERR_OK)
        code = vocabulary_parse(source->name, buf_str(&walk->bytes), &vocabulary, err);
    if (code != ERR_OK)
        return code;
    for (size_t row = 0; code == ERR_OK && row < vocabulary_size(vocabulary); row++)
        for (int lang = 0; code == ERR_OK && lang < LANG_COUNT; lang++)
            code = visit_row(walk, source, vocabulary, (int)row, (enum lang)lang, err);
    vocabulary_destroy(vocabulary);
    return code;
}

/* ---- the glossary and the themes ---- */

/* The three cells of a row; a cell may stand in quotes. */
static void
split_row(struct str line, struct str cells[3])
{
    size_t at = 0;

    for (int i = 0; i < 3 && at <= line.len; i++) {
        bool is_quoted = at < line.len && line.data[at] == '"';
        size_t start = at + is_quoted, end = str_find(line, is_quoted ? '"' : ',', start);

        cells[i] = (struct str){line.data + start, end - start};
        at = end + 1 + is_quoted;
    }
}

static enum err_code
visit_cell(struct walk *walk, bool is_theme, struct str name, enum lang lang, struct str text,
           struct err *err)
{
    struct document document = {.lang = str_from(lang_code(lang)), .text = text};

    if (is_theme) {
        document.topics[0] = arena_format(walk->arena, "themes.%.*s", STR_ARG(name));
        document.n_topics = 1;
        document.is_definition = true;
        if (document.topics[0].data == NULL)
            return err_no_memory(err);
    } else {
        document.concept = name;
    }
    return walk->visit(walk->context, &document, err);
}

/* Every row `name,en,fr` of the glossary, or of the themes, whose names are topics. */
static enum err_code
visit_rows(struct walk *walk, const char *name, bool are_themes, struct err *err)
{
    enum err_code code = read_path(walk, name, err);
    struct str text = buf_str(&walk->bytes);
    bool is_header = true;
    size_t number = 0, end;

    for (size_t at = 0; code == ERR_OK && at < text.len; at = end + 1) {
        struct str cells[3] = {{0}};

        number++;
        end = str_find(text, '\n', at);
        if (end == at || text.data[at] == '#')
            continue;
        split_row((struct str){text.data + at, end - at}, cells);
        if (cells[1].len + cells[2].len == 0)
            return err_set(err, ERR_INVALID_PARAMS, "%s, line %zu: a row is name,en,fr", name,
                           number);
        for (int lang = 0; code == ERR_OK && lang < LANG_COUNT && !is_header; lang++)
            code = visit_cell(walk, are_themes, cells[0], (enum lang)lang, cells[1 + lang], err);
        is_header = false;
    }
    return code;
}

/* ---- profiles ---- */

static enum err_code
read_topics(struct walk *walk, json_t *profile, struct document *document, struct err *err)
{
    json_t *sectors = json_object_get(profile, "sectors"), *sector;
    size_t i;

    json_array_foreach(sectors, i, sector)
    {
        if (!json_is_string(sector) || document->n_topics == DOCUMENT_TOPICS_MAX)
            continue;
        document->topics[document->n_topics] =
            arena_format(walk->arena, "sectors.%s", json_string_value(sector));
        if (document->topics[document->n_topics++].data == NULL)
            return err_no_memory(err);
    }
    return ERR_OK;
}

static enum err_code
visit_profile(struct walk *walk, json_t *profile, struct err *err)
{
    struct document document = {.text = {NULL, 0}};
    enum err_code code = read_topics(walk, profile, &document, err);
    const char *lang;
    json_t *text;

    json_object_foreach(json_object_get(profile, "description"), lang, text)
    {
        if (code != ERR_OK || !json_is_string(text))
            continue;
        document.lang = str_from(lang);
        document.text = (struct str){json_string_value(text), json_string_length(text)};
        code = walk->visit(walk->context, &document, err);
    }
    return code;
}

static enum err_code
visit_profiles(struct walk *walk, const char *name, struct err *err)
{
    struct str lines;
    size_t number = 0, end;
    char file[512];
    enum err_code code;

    if (snprintf(file, sizeof file, "profiles/%s", name) >= (int)sizeof file)
        return err_set(err, ERR_INVALID_PARAMS, "the name %s is too long", name);
    code = read_path(walk, file, err);
    lines = buf_str(&walk->bytes);
    for (size_t at = 0; code == ERR_OK && at < lines.len; at = end + 1) {
        json_error_t fault;
        json_t *profile;

        number++;
        end = str_find(lines, '\n', at);
        if (end == at)
            continue;
        profile = json_loadb(lines.data + at, end - at, 0, &fault);
        if (profile == NULL)
            return err_set(err, ERR_INVALID_PARAMS, "%s, line %zu: %s", name, number, fault.text);
        code = visit_profile(walk, profile, err);
        json_decref(profile);
    }
    return code;
}

static enum err_code
visit_all_profiles(struct walk *walk, struct err *err)
{
    char folder[4096], **names = NULL;
    size_t n = 0;
    enum err_code code;

    if (snprintf(folder, sizeof folder, "%s/profiles", walk->data) >= (int)sizeof folder)
        return err_set(err, ERR_INVALID_PARAMS, "the path of the data folder is too long");
    code = file_list(folder, ".jsonl", &names, &n, err);
    if (code != ERR_OK)
        return code;
    for (size_t i = 0; code == ERR_OK && i < n; i++)
        code = visit_profiles(walk, names[i], err);
    file_free_names(names, n);
    return code;
}

enum err_code
documents_visit(const char *data, document_visit *visit, void *context, struct err *err)
{
    struct walk walk = {.data = data, .visit = visit, .context = context};
    enum err_code code = ERR_OK;

    buf_init(&walk.bytes, FILE_BYTES_MAX);
    walk.arena = arena_create(DOCUMENTS_ARENA_MAX);
    if (walk.arena == NULL)
        code = err_no_memory(err);
    if (code == ERR_OK)
        code = visit_rows(&walk, "lexicon/glossary.csv", false, err);
    if (code == ERR_OK)
        code = visit_rows(&walk, "lexicon/themes.csv", true, err);
    for (size_t i = 0; code == ERR_OK && i < sizeof vocabularies / sizeof vocabularies[0]; i++)
        code = visit_vocabulary(&walk, &vocabularies[i], err);
    if (code == ERR_OK)
        code = visit_all_profiles(&walk, err);
    arena_destroy(walk.arena);
    buf_fini(&walk.bytes);
    return code;
}
