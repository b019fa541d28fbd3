#ifndef JML_YAML_DOC_H
#define JML_YAML_DOC_H

#include "value.h"

/*
 * yaml_doc: a YAML file (libyaml) as a value that remembers the line of each node.
 *
 * Plain scalars: null ~ and nothing, true/false (also True, TRUE), decimal whole numbers within int64,
 * finite decimal floats; everything else, and everything quoted, is text. So a date stays text, `no`
 * is text and not false, and so is a number with a leading zero (a postal code). Keys are text.
 * Anchors and aliases, tags, several documents and duplicate keys are refused with their line, in
 * the sentence: "line 12: …". Bounds as value_limits. Lives in the arena.
 */
struct yaml_doc;

/* ERR_INVALID_PARAMS with the line; ERR_TOO_LARGE over a limit. */
enum err_code yaml_decode(struct str text, const struct value_limits *limits, struct arena *arena,
                          struct yaml_doc **doc, struct err *err);
const msgpack_object *yaml_doc_root(const struct yaml_doc *doc);
/* 1-based line of a path such as "pairings[0].require[1].of": of its longest prefix that exists. */
int yaml_doc_line(const struct yaml_doc *doc, const char *path);

#endif
