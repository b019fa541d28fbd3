#include "commands.h"
int command_import(struct cli *cli, int argc, char **argv){(void)cli;(void)argc;(void)argv;return 70;}
int command_export(struct cli *cli, int argc, char **argv){(void)cli;(void)argc;(void)argv;return 70;}
int command_generate(struct cli *cli, int argc, char **argv){(void)cli;(void)argc;(void)argv;return 70;}
