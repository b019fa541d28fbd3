#ifndef JML_TOOL_H
#define JML_TOOL_H

#include "value.h"

/*
 * tool: the real program, run by the shell in a temporary folder, as a user runs it.
 *
 * JUMELAGE_DATA is `store` in that folder, the share folder the source's. No terminal.
 */
struct tool {
    char dir[64];
    struct arena *arena;
    int status;          /* of the last command */
    struct str out, err; /* what it printed */
};
void tool_begin(struct tool *tool);
void tool_end(struct tool *tool);
/* Runs `jumelage <arguments>`; a shell reads them. */
void tool_run(struct tool *tool, const char *arguments);
/* The same, and the status must be this one. */
void tool_expect(struct tool *tool, const char *arguments, int status);
/* Does standard output (or error) hold the text? */
bool tool_said(const struct tool *tool, const char *text);
bool tool_complained(const struct tool *tool, const char *text);
void tool_write(struct tool *tool, const char *name, struct str bytes);
/* Standard output as JSON: the first line. */
const msgpack_object *tool_json(struct tool *tool);

#endif
