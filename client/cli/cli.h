#ifndef JML_CLI_H
#define JML_CLI_H

#include "arena.h"
#include "err.h"
#include "reference.h"

#include <stdbool.h>
#include <stdio.h>

/*
 * cli: what every command of the tool works with.
 *
 * One thread. The tool may end on lack of memory; everything that it builds lives in one arena, so that
 * commands free nothing.
 */
enum format { FORMAT_TABLE, FORMAT_JSON, FORMAT_CSV, FORMAT_TSV };

struct cli {
    const char *program;       /* argv[0], for hints */
    const char *data, *server; /* --data …, NULL where not given; backend.c decides */
    const char *token_file, *ca_file;
    enum format format;
    bool has_format; /* --format was given */
    enum lang lang;
    bool says_yes;          /* --yes */
    bool is_terminal;       /* standard output */
    bool is_asked_terminal; /* standard input and error: questions can be asked */
    int width;              /* columns of the terminal; 100 elsewhere */
    struct survey *survey;  /* NULL: commands are run */
    struct arena *arena;
    struct backend *backend;     /* opened when first needed */
    struct reference *reference; /* tables and messages; loaded when first needed */
};

/* A command of the table in command.c. run gets its own arguments, argv[0] is its name; it answers the
 * process's exit status. */
struct command {
    const char *name, *usage, *summary;
    int (*run)(struct cli *cli, int argc, char **argv);
};
extern const struct command commands[]; /* ends with a NULL name */
const struct command *command_find(const char *name);
const struct command *command_nearest(const char *name);

/* The tables and messages of the share folder; ends the process with its sentence if they cannot be
 * read. */
const struct reference *cli_reference(struct cli *cli);

/* The tool's main, apart from main() so that tests can run it. */
int cli_main(int argc, char **argv);

#endif
