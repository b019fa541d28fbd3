#ifndef JML_SURVEY_H
#define JML_SURVEY_H

#include "commands.h"
#include "options.h"

/*
 * survey: every command with its options, told to a visitor instead of being run.
 *
 * A command's options are rows that it hands to options_parse, so each is begun and stopped there: nothing
 * is opened, read or printed. For the man page and the completions. One thread.
 */
struct surveyed {
    const char *name;              /* "match", "profile get" */
    const char *usage, *summary;   /* of the table */
    const char *text;              /* the paragraph of --help; NULL for a command of commands */
    const struct option_row *rows; /* its own options, or NULL */
    bool has_parts;                /* a command of commands: they follow */
};
void survey_commands(void (*visit)(void *context, const struct surveyed *surveyed), void *context);

/* ---- for options.c and command.c ---- */
struct survey;
/* Does not come back. */
_Noreturn void survey_tell(struct survey *survey, const char *name, const char *usage,
                           const char *text, const struct option_row *rows);
void survey_subcommands(struct cli *cli, const char *command, const struct subcommand *list);

#endif
