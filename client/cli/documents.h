#ifndef JML_DOCUMENTS_H
#define JML_DOCUMENTS_H

#include "cli.h"
#include "value.h"
#include "yaml_doc.h"

/*
 * documents: a profile or programme from a file (YAML by its ending .yaml or .yml, else JSON; "-" is
 * standard input) as a value of the tool's arena. doc gets the YAML form with its lines, NULL for JSON.
 */
enum err_code document_read(struct cli *cli, const char *path, const msgpack_object **value,
                            struct yaml_doc **doc, struct err *err);

#endif
