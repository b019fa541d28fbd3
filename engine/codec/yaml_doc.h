#ifndef JML_YAML_DOC_H
#define JML_YAML_DOC_H

#include "value.h"

/*
 * yaml_doc: a YAML file (libyaml) as a value that remembers the line of each node.
 *
 * Core-schema scalars: null, true/false, whole numbers, floats; everything else, and everything
 * quoted, is text (so a date stays text, and `no` is text, not false). Anchors and aliases, tags,
 * several documents and duplicate keys are refused with their line. Bounds as value_limits. Lives in
 * the arena.
 */
struct yaml_doc;

enum err_code yaml_decode(struct str text, const struct value_limits *limits, struct arena *arena,
                          struct yaml_doc **doc, struct err *err);
const msgpack_object *yaml_doc_root(const struct yaml_doc *doc);
/* 1-based line of a path such as "pairings[0].require[1].of": of its longest prefix that exists. */
int yaml_doc_line(const struct yaml_doc *doc, const char *path);

#endif
