#ifndef JML_COMMANDS_H
#define JML_COMMANDS_H

#include "cli.h"

/* commands: the functions behind the table of command.c. Each answers the exit status. */
int command_backup(struct cli *cli, int argc, char **argv);
int command_call(struct cli *cli, int argc, char **argv);
int command_demo(struct cli *cli, int argc, char **argv);
int command_explain(struct cli *cli, int argc, char **argv);
int command_export(struct cli *cli, int argc, char **argv);
int command_generate(struct cli *cli, int argc, char **argv);
int command_help(struct cli *cli, int argc, char **argv);
int command_import(struct cli *cli, int argc, char **argv);
int command_journal(struct cli *cli, int argc, char **argv);
int command_match(struct cli *cli, int argc, char **argv);
int command_methods(struct cli *cli, int argc, char **argv);
int command_outcome(struct cli *cli, int argc, char **argv);
int command_profile(struct cli *cli, int argc, char **argv);
int command_programme(struct cli *cli, int argc, char **argv);
int command_restore(struct cli *cli, int argc, char **argv);
int command_stats(struct cli *cli, int argc, char **argv);
int command_token(struct cli *cli, int argc, char **argv);
int command_watch(struct cli *cli, int argc, char **argv);
int command_whatif(struct cli *cli, int argc, char **argv);

/* A command of commands (`profile get …`): the part behind the word. */
struct subcommand {
    const char *name, *usage, *summary;
    int (*run)(struct cli *cli, int argc, char **argv);
};
int run_subcommand(struct cli *cli, const char *command, const struct subcommand *list, int argc,
                   char **argv);
/* Asks on a terminal; --yes answers it; without a terminal the answer is no, with a sentence. */
bool ask_sure(struct cli *cli, const char *what);

#endif
