#include "survey.h"

#include "tell.h"

#include <setjmp.h>
#include <string.h>

enum { SURVEY_ARENA_BYTES = 64 * 1024 * 1024 };

struct survey {
    void (*visit)(void *context, const struct surveyed *surveyed);
    void *context;
    const char *summary; /* of the command that is begun */
    jmp_buf back;
};

_Noreturn void
survey_tell(struct survey *survey, const char *name, const char *usage, const char *text,
            const struct option_row *rows)
{
    survey->visit(
        survey->context,
        &(struct surveyed){
            .name = name, .usage = usage, .summary = survey->summary, .text = text, .rows = rows});
    longjmp(survey->back, 1);
}

/* Begins one command; it is stopped where it asks for its options. */
static void
begin(struct cli *cli, const char *name, const char *summary,
      int (*run)(struct cli *cli, int argc, char **argv))
{
    char *arguments[] = {(char *)(uintptr_t)name, NULL};

    cli->survey->summary = summary;
    if (setjmp(cli->survey->back) == 0)
        run(cli, 1, arguments);
}

void
survey_subcommands(struct cli *cli, const char *command, const struct subcommand *list)
{
    struct survey *survey = cli->survey;

    survey->visit(survey->context, &(struct surveyed){.name = command,
                                                      .usage = command_find(command)->usage,
                                                      .summary = survey->summary,
                                                      .has_parts = true});
    for (; list->name != NULL; list++) {
        struct str name = arena_format(cli->arena, "%s %s", command, list->name);

        if (name.data == NULL)
            fail_memory();
        begin(cli, name.data, list->summary, list->run);
    }
}

void
survey_commands(void (*visit)(void *context, const struct surveyed *surveyed), void *context)
{
    struct survey survey = {.visit = visit, .context = context};
    struct cli cli = {.arena = arena_create(SURVEY_ARENA_BYTES), .survey = &survey};

    if (cli.arena == NULL)
        fail_memory();
    for (const struct command *command = commands; command->name != NULL; command++)
        if (command->run == command_help) /* has no options to ask for */
            visit(context, &(struct surveyed){.name = command->name,
                                              .usage = command->usage,
                                              .summary = command->summary,
                                              .text = "Lists the commands, or explains one."});
        else
            begin(&cli, command->name, command->summary, command->run);
    arena_destroy(cli.arena);
}
