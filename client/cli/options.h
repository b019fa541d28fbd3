#ifndef JML_OPTIONS_H
#define JML_OPTIONS_H

#include "cli.h"

#include <argp.h>

/*
 * options: a command's own options beside the common ones, by argp.
 *
 * The common ones (--data, --format, --lang, --yes …) may stand before the command or behind it. A fault
 * ends the process with EX_USAGE and a hint; --help with 0.
 */
struct option_row {
    const char *name;     /* ends the table when NULL */
    char letter;          /* 0: none */
    const char *argument; /* NULL: a flag */
    const char *text;
    const char **value; /* what was given; of a repeated option the last */
    bool *flag;
    const char ***list; /* repeatable: all that were given, NULL-terminated */
};

struct arguments {
    char **list;
    int n;
};

extern const struct argp_option common_options[]; /* ends with a NULL name */

/* usage: what follows the command's name, such as "FILE..."; text: one paragraph for --help. */
struct arguments options_parse(struct cli *cli, const char *usage, const char *text,
                               const struct option_row *rows, int argc, char **argv);
/* The common options alone, up to the first word that is none: its index. */
int options_parse_common(struct cli *cli, int argc, char **argv);
/* A whole number within bounds, or the process ends with EX_USAGE. */
int64_t option_number(struct cli *cli, const char *command, const char *name, const char *text,
                      int64_t min, int64_t max);

#endif
