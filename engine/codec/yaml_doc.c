#include "yaml_doc.h"

#include "alloc.h"
#include "frame.h"
#include "number.h"

#include <yaml.h>

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

/*
 * libyaml's events, one after another, are put on a stack of finished nodes; at the end of a list
 * or map its children are taken off and become one node. So the only memory that follows the file
 * is one node for each value that is really there: anchors and aliases, which let twenty lines say a
 * billion values, are refused when they are met.
 *
 * Beside the tree of values stands a tree of the same shape with the lines.
 */
struct place {
    int line;
    size_t n;              /* entries of a list or map */
    struct place *entries; /* line of an entry: of the list's item, of the map's key */
};

struct yaml_doc {
    msgpack_object root;
    struct place place;
};

struct node {
    msgpack_object value;
    struct place place;
};

struct open_container {
    size_t first; /* its first child on the stack */
    int line;
    bool is_map;
};

struct builder {
    struct arena *arena;
    const struct value_limits *limits;
    struct node *nodes; /* the stack */
    size_t n_nodes, room, n_items;
    struct open_container open[FRAME_DEPTH_MAX];
    unsigned depth, depth_max;
    int n_documents;
};

/* Plain scalars that are no text. Anything else plain is a number or text. */
static const struct {
    const char *text;
    msgpack_object value;
} words[] = {
    {"", {.type = MSGPACK_OBJECT_NIL}},
    {"~", {.type = MSGPACK_OBJECT_NIL}},
    {"null", {.type = MSGPACK_OBJECT_NIL}},
    {"Null", {.type = MSGPACK_OBJECT_NIL}},
    {"NULL", {.type = MSGPACK_OBJECT_NIL}},
    {"true", {.type = MSGPACK_OBJECT_BOOLEAN, .via.boolean = true}},
    {"True", {.type = MSGPACK_OBJECT_BOOLEAN, .via.boolean = true}},
    {"TRUE", {.type = MSGPACK_OBJECT_BOOLEAN, .via.boolean = true}},
    {"false", {.type = MSGPACK_OBJECT_BOOLEAN, .via.boolean = false}},
    {"False", {.type = MSGPACK_OBJECT_BOOLEAN, .via.boolean = false}},
    {"FALSE", {.type = MSGPACK_OBJECT_BOOLEAN, .via.boolean = false}},
};

static int
line_of(yaml_mark_t mark)
{
    return mark.line < INT_MAX ? (int)mark.line + 1 : INT_MAX;
}

static enum err_code
push(struct builder *builder, const struct node *node, struct err *err)
{
    if (builder->n_nodes == builder->room) {
        size_t room = builder->room != 0 ? 2 * builder->room : 64;
        struct node *nodes = mem_realloc(builder->nodes, room * sizeof *nodes);

        if (nodes == NULL)
            return err_no_memory(err);
        builder->nodes = nodes;
        builder->room = room;
    }
    builder->nodes[builder->n_nodes++] = *node;
    return ERR_OK;
}

static bool
is_whole(struct str text)
{
    size_t i = text.len > 0 && (text.data[0] == '-' || text.data[0] == '+') ? 1 : 0;

    if (i == text.len)
        return false;
    for (; i < text.len; i++)
        if (text.data[i] < '0' || text.data[i] > '9')
            return false;
    return true;
}

/* 01000 is a postal code: the zero tells something, so it is no number. */
static bool
has_leading_zero(struct str text)
{
    size_t i = text.len > 0 && (text.data[0] == '-' || text.data[0] == '+') ? 1 : 0;

    return i + 1 < text.len && text.data[i] == '0' && text.data[i + 1] >= '0' &&
           text.data[i + 1] <= '9';
}

/* text has a NUL after it, as all of libyaml's scalars. */
static bool
parse_whole(struct str text, msgpack_object *value)
{
    long long number;

    errno = 0;
    number = strtoll(text.data, NULL, 10);
    if (errno != 0)
        return false;
    value->type = number < 0 ? MSGPACK_OBJECT_NEGATIVE_INTEGER : MSGPACK_OBJECT_POSITIVE_INTEGER;
    value->via.i64 = number;
    return true;
}

static enum err_code
copy_text(struct builder *builder, struct str text, msgpack_object *value, struct err *err)
{
    struct str copy = arena_str(builder->arena, text);

    if (copy.data == NULL)
        return err_no_memory(err);
    value->type = MSGPACK_OBJECT_STR;
    value->via.str.ptr = copy.data;
    value->via.str.size = (uint32_t)copy.len;
    return ERR_OK;
}

static enum err_code
read_scalar(struct builder *builder, const yaml_event_t *event, struct node *node, struct err *err)
{
    struct str text = {(const char *)event->data.scalar.value, event->data.scalar.length};

    if (event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE) {
        for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
            if (str_is(text, words[i].text)) {
                node->value = words[i].value;
                return ERR_OK;
            }
        if (is_whole(text) && !has_leading_zero(text)) {
            if (parse_whole(text, &node->value))
                return ERR_OK;
            return err_set(err, ERR_INVALID_PARAMS,
                           "line %d: whole number %.40s is out of range; put it in quotes if it "
                           "is a name",
                           node->place.line, text.data);
        }
        if (!has_leading_zero(text) && number_parse(text, &node->value.via.f64)) {
            node->value.type = MSGPACK_OBJECT_FLOAT64;
            return ERR_OK;
        }
    }
    if (!str_is_utf8(text)) /* "\0" in double quotes */
        return err_set(err, ERR_INVALID_PARAMS,
                       "line %d: a text holds a NUL character; leave it out", node->place.line);
    return copy_text(builder, text, &node->value, err);
}

/* The children above `first` become the entries of a list. */
static enum err_code
make_list(struct builder *builder, size_t first, struct node *list, struct err *err)
{
    size_t n = builder->n_nodes - first;
    msgpack_object *items = arena_alloc(builder->arena, n, sizeof *items);
    struct place *places = arena_alloc(builder->arena, n, sizeof *places);

    if (items == NULL || places == NULL)
        return err_no_memory(err);
    for (size_t i = 0; i < n; i++) {
        items[i] = builder->nodes[first + i].value;
        places[i] = builder->nodes[first + i].place;
    }
    list->value.type = MSGPACK_OBJECT_ARRAY;
    list->value.via.array.ptr = items;
    list->value.via.array.size = (uint32_t)n;
    list->place.n = n;
    list->place.entries = places;
    return ERR_OK;
}

static enum err_code
check_keys(const struct node *map, struct err *err)
{
    const msgpack_object *value = &map->value;
    size_t n = value_size(value), bad, first = 0;
    enum err_code code = value_check_keys(value, &bad, err);
    struct str key;

    if (code != ERR_OK || bad == n)
        return code;
    if (!value_str(&value->via.map.ptr[bad].key, &key))
        return err_set(err, ERR_INVALID_PARAMS,
                       "line %d: a key that is no text (%s); put it in quotes",
                       map->place.entries[bad].line, value_type_name(&value->via.map.ptr[bad].key));
    while (!str_equal(value_key(value, first), key))
        first++;
    return err_set(err, ERR_INVALID_PARAMS,
                   "line %d: key \"%.*s\" is given a second time (first on line %d)",
                   map->place.entries[bad].line, key.len < 100 ? (int)key.len : 100, key.data,
                   map->place.entries[first].line);
}

/* The children above `first`, key and value in turn, become the pairs of a map. */
static enum err_code
make_map(struct builder *builder, size_t first, struct node *map, struct err *err)
{
    size_t n = (builder->n_nodes - first) / 2;
    msgpack_object_kv *pairs = arena_alloc(builder->arena, n, sizeof *pairs);
    struct place *places = arena_alloc(builder->arena, n, sizeof *places);

    if (pairs == NULL || places == NULL)
        return err_no_memory(err);
    for (size_t i = 0; i < n; i++) {
        const struct node *key = &builder->nodes[first + 2 * i], *value = key + 1;

        pairs[i] = (msgpack_object_kv){key->value, value->value};
        places[i] = value->place;
        places[i].line = key->place.line;
    }
    map->value.type = MSGPACK_OBJECT_MAP;
    map->value.via.map.ptr = pairs;
    map->value.via.map.size = (uint32_t)n;
    map->place.n = n;
    map->place.entries = places;
    return check_keys(map, err);
}

static enum err_code
open_container(struct builder *builder, int line, bool is_map, struct err *err)
{
    if (builder->depth == builder->depth_max)
        return err_set(err, ERR_TOO_LARGE, "line %d: more than %u lists and maps one in another",
                       line, builder->depth_max);
    builder->open[builder->depth++] =
        (struct open_container){.first = builder->n_nodes, .line = line, .is_map = is_map};
    return ERR_OK;
}

static enum err_code
close_container(struct builder *builder, struct err *err)
{
    struct open_container *open = &builder->open[--builder->depth];
    struct node node = {.place.line = open->line};
    enum err_code code = open->is_map ? make_map(builder, open->first, &node, err)
                                      : make_list(builder, open->first, &node, err);

    builder->n_nodes = open->first;
    return code == ERR_OK ? push(builder, &node, err) : code;
}

static enum err_code
count_item(struct builder *builder, int line, struct err *err)
{
    if (++builder->n_items > builder->limits->items)
        return err_set(err, ERR_TOO_LARGE, "line %d: more than %zu values", line,
                       builder->limits->items);
    return ERR_OK;
}

static enum err_code
refuse_extras(const yaml_char_t *anchor, const yaml_char_t *tag, int line, struct err *err)
{
    if (anchor != NULL)
        return err_set(err, ERR_INVALID_PARAMS,
                       "line %d: anchor &%.60s; write the value out, or put it in quotes", line,
                       (const char *)anchor);
    if (tag != NULL)
        return err_set(err, ERR_INVALID_PARAMS,
                       "line %d: tag %.60s; leave it out, or put the value in quotes", line,
                       (const char *)tag);
    return ERR_OK;
}

static enum err_code
take_event(struct builder *builder, const yaml_event_t *event, struct err *err)
{
    int line = line_of(event->start_mark);
    struct node node = {.place.line = line};
    enum err_code code = ERR_OK;

    switch (event->type) {
    case YAML_NO_EVENT:
    case YAML_STREAM_START_EVENT:
    case YAML_STREAM_END_EVENT:
    case YAML_DOCUMENT_END_EVENT:
        break;
    case YAML_DOCUMENT_START_EVENT:
        if (builder->n_documents++ != 0)
            code = err_set(err, ERR_INVALID_PARAMS,
                           "line %d: a second document begins; one file holds one", line);
        break;
    case YAML_ALIAS_EVENT:
        code = err_set(err, ERR_INVALID_PARAMS,
                       "line %d: alias *%.60s; write the value out, or put it in quotes", line,
                       (const char *)event->data.alias.anchor);
        break;
    case YAML_SCALAR_EVENT:
        code = refuse_extras(event->data.scalar.anchor, event->data.scalar.tag, line, err);
        if (code == ERR_OK)
            code = count_item(builder, line, err);
        if (code == ERR_OK)
            code = read_scalar(builder, event, &node, err);
        if (code == ERR_OK)
            code = push(builder, &node, err);
        break;
    case YAML_SEQUENCE_START_EVENT:
        code = refuse_extras(event->data.sequence_start.anchor, event->data.sequence_start.tag,
                             line, err);
        if (code == ERR_OK)
            code = count_item(builder, line, err);
        if (code == ERR_OK)
            code = open_container(builder, line, false, err);
        break;
    case YAML_MAPPING_START_EVENT:
        code = refuse_extras(event->data.mapping_start.anchor, event->data.mapping_start.tag, line,
                             err);
        if (code == ERR_OK)
            code = count_item(builder, line, err);
        if (code == ERR_OK)
            code = open_container(builder, line, true, err);
        break;
    case YAML_SEQUENCE_END_EVENT:
    case YAML_MAPPING_END_EVENT:
        code = close_container(builder, err);
        break;
    }
    return code;
}

static enum err_code
err_set_yaml(struct err *err, const yaml_parser_t *parser)
{
    const char *problem = parser->problem != NULL ? parser->problem : "not YAML";

    if (parser->error == YAML_MEMORY_ERROR)
        return err_no_memory(err);
    return err_set(err, ERR_INVALID_PARAMS, "line %d, column %zu: %s",
                   line_of(parser->problem_mark), parser->problem_mark.column + 1, problem);
}

static enum err_code
build(struct builder *builder, yaml_parser_t *parser, struct err *err)
{
    enum err_code code = ERR_OK;
    bool is_end = false;

    while (code == ERR_OK && !is_end) {
        yaml_event_t event;

        if (yaml_parser_parse(parser, &event) == 0)
            return err_set_yaml(err, parser);
        is_end = event.type == YAML_STREAM_END_EVENT;
        code = take_event(builder, &event, err);
        yaml_event_delete(&event);
    }
    if (code == ERR_OK && builder->n_nodes == 0)
        code = err_set(err, ERR_INVALID_PARAMS, "the file holds nothing but space and comments");
    return code;
}

static enum err_code
check_text(struct str text, struct err *err)
{
    size_t good = str_utf8_prefix(text), line = 1;

    if (good == text.len)
        return ERR_OK;
    for (size_t i = 0; i < good; i++)
        line += text.data[i] == '\n';
    return err_set(err, ERR_INVALID_PARAMS,
                   "line %zu: byte 0x%02x is not UTF-8 text; save the file as UTF-8", line,
                   (unsigned char)text.data[good]);
}

enum err_code
yaml_decode(struct str text, const struct value_limits *limits, struct arena *arena,
            struct yaml_doc **doc, struct err *err)
{
    struct builder builder = {
        .arena = arena,
        .limits = limits,
        .depth_max = limits->depth < FRAME_DEPTH_MAX ? limits->depth : FRAME_DEPTH_MAX,
    };
    struct yaml_doc *made = arena_alloc(arena, 1, sizeof *made);
    yaml_parser_t parser;
    enum err_code code;

    if (text.len > limits->bytes)
        return err_set(err, ERR_TOO_LARGE, "larger than the limit of %zu bytes", limits->bytes);
    code = check_text(text, err);
    if (code != ERR_OK)
        return code;
    if (made == NULL || yaml_parser_initialize(&parser) == 0)
        return err_no_memory(err);
    yaml_parser_set_encoding(&parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&parser, (const unsigned char *)(text.len != 0 ? text.data : ""),
                                 text.len);
    code = build(&builder, &parser, err);
    if (code == ERR_OK) {
        made->root = builder.nodes[0].value;
        made->place = builder.nodes[0].place;
        *doc = made;
    }
    mem_free(builder.nodes);
    yaml_parser_delete(&parser);
    return code;
}

const msgpack_object *
yaml_doc_root(const struct yaml_doc *doc)
{
    return &doc->root;
}

/* The entry that the step at *path names, NULL if there is none; *path moves behind the step. */
static const struct place *
take_step(const struct place *place, const msgpack_object **value, const char **path)
{
    size_t n, i = 0;

    if (**path == '[') {
        char *end;
        unsigned long long index = strtoull(*path + 1, &end, 10);

        if (*end != ']' || !value_is_array(*value) || index >= place->n)
            return NULL;
        *path = end + 1;
        *value = value_at(*value, (size_t)index);
        return &place->entries[index];
    }
    n = strcspn(*path, ".[");
    if (!value_is_map(*value))
        return NULL;
    while (i < place->n && !str_equal(value_key(*value, i), (struct str){*path, n}))
        i++;
    if (i == place->n)
        return NULL;
    *path += n;
    *value = value_of(*value, i);
    return &place->entries[i];
}

int
yaml_doc_line(const struct yaml_doc *doc, const char *path)
{
    const struct place *place = &doc->place, *next;
    const msgpack_object *value = &doc->root;

    while (*path != '\0') {
        next = take_step(place, &value, &path);
        if (next == NULL)
            break;
        place = next;
        if (*path == '.')
            path++;
    }
    return place->line;
}
