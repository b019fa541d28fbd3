/* command.c: the table of commands, the common options, and the way from main() to a command. */
#include "backend.h"
#include "commands.h"
#include "interrupt.h"
#include "options.h"
#include "share.h"
#include "survey.h"
#include "tell.h"

#include <argp.h>
#include <langinfo.h>
#include <locale.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sysexits.h>
#include <unistd.h>

enum { WIDTH_ELSEWHERE = 100, WIDTH_LEAST = 40, WIDTH_MOST = 120 };
#define CLI_ARENA_BYTES (UINT64_C(8) << 30)

/* clang-format off */
const struct command commands[] = {
    {"backup", "create|list", "copies of the store, made while it serves", command_backup},
    {"call", "METHOD [JSON]", "calls any method: JSON in, JSON out", command_call},
    {"demo", "DIR", "fills DIR with the shipped programmes, real organisations and made-up startups", command_demo},
    {"explain", "PROGRAMME FROM TO", "why a pair scores what it scores", command_explain},
    {"export", "", "writes profiles as JSON lines, CSV, msgpack or .xlsx", command_export},
    {"generate", "", "writes synthetic profiles as JSON lines", command_generate},
    {"help", "[COMMAND]", "lists the commands, or explains one", command_help},
    {"import", "FILE...", "takes in profiles from spreadsheets, JSON lines or msgpack", command_import},
    {"journal", "list|verify", "every change, and whether the chain of them is whole", command_journal},
    {"match", "PROGRAMME", "the best counterparts of one profile, or of each", command_match},
    {"methods", "", "what can be called", command_methods},
    {"outcome", "put|list", "what came of matches", command_outcome},
    {"profile", "get|put|patch|list|delete|history|duplicates|merge|unmerge", "profiles, one by one", command_profile},
    {"programme", "check|put|get|list|delete", "programmes", command_programme},
    {"restore", "BACKUP", "makes a store of a backup, in an empty folder", command_restore},
    {"stats", "", "counters and sizes", command_stats},
    {"token", "create|list|revoke", "who may use a service, and as what", command_token},
    {"watch", "PROGRAMME", "tells how best lists move, as it happens", command_watch},
    {"whatif", "PROGRAMME", "how matches would move if a profile or the weights were different", command_whatif},
    {0},
};
/* clang-format on */

const struct command *
command_find(const char *name)
{
    for (const struct command *command = commands; command->name != NULL; command++)
        if (strcmp(command->name, name) == 0)
            return command;
    return NULL;
}

const struct command *
command_nearest(const char *name)
{
    const struct command *best = NULL;
    size_t best_distance = strlen(name) / 2 + 1;

    for (const struct command *command = commands; command->name != NULL; command++) {
        size_t distance = str_distance(str_from(name), str_from(command->name), best_distance);

        if (distance < best_distance) {
            best = command;
            best_distance = distance;
        }
    }
    return best;
}

const struct reference *
cli_reference(struct cli *cli)
{
    char path[SHARE_PATH_MAX];
    struct err err = {0};

    if (backend_reference(cli) != NULL) /* parsed already: parsing costs as much as a match */
        return backend_reference(cli);
    if (cli->reference != NULL)
        return cli->reference;
    if (share_find(NULL, path, sizeof path, &err) != ERR_OK ||
        share_reference(path, &cli->reference, &err) != ERR_OK)
        exit(fail(cli, &err));
    return cli->reference;
}

/* ---- help ---- */

int
command_help(struct cli *cli, int argc, char **argv)
{
    if (argc > 1) {
        const struct command *command = command_find(argv[1]);
        char *arguments[] = {argv[1], (char[]){"--help"}, NULL};

        if (command == NULL)
            return fail_usage(cli, NULL, "there is no command \"%s\"", argv[1]);
        return command->run(cli, 2, arguments);
    }
    puts("Usage: jumelage [OPTION...] COMMAND [ARGUMENT...]\n"
         "Matches startups with hosts and investors of the sister city.\n");
    for (const struct command *command = commands; command->name != NULL; command++)
        printf("  %-10s %s\n", command->name, command->summary);
    puts("\n'jumelage COMMAND --help' tells more. Common options, before or after the command:\n"
         "  --data DIR         the store (JUMELAGE_DATA; else jumelage below XDG_DATA_HOME)\n"
         "  --server ADDRESS   a service instead: unix:PATH, tcp:HOST:PORT, tls:HOST:PORT,\n"
         "                     http://HOST:PORT or https://HOST:PORT (JUMELAGE_SERVER)\n"
         "  --token-file FILE  the token to show it (JUMELAGE_TOKEN_FILE)\n"
         "  --ca-file FILE     whom to trust with tls: and https: (JUMELAGE_CA_FILE; else the\n"
         "                     system's)\n"
         "  --format FORM      table, json, csv or tsv (table on a terminal, else json)\n"
         "  --lang LANG        en or fr (else by the locale)\n"
         "  --yes              answers questions with yes");
    return EX_OK;
}

int
run_subcommand(struct cli *cli, const char *command, const struct subcommand *list, int argc,
               char **argv)
{
    if (cli->survey != NULL) {
        survey_subcommands(cli, command, list);
        return EX_OK;
    }
    bool wants_help = argc < 2 || strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-?") == 0;

    for (const struct subcommand *sub = list; argc > 1 && sub->name != NULL; sub++)
        if (strcmp(argv[1], sub->name) == 0) {
            argv[1] = (char *)(uintptr_t)arena_format(cli->arena, "%s %s", command, sub->name).data;
            return sub->run(cli, argc - 1, argv + 1);
        }
    if (argc > 1 && !wants_help)
        return fail_usage(cli, command, "%s has no \"%s\"", command, argv[1]);
    FILE *out = argc > 1 ? stdout : stderr;
    fprintf(out, "Usage:\n");
    for (const struct subcommand *sub = list; sub->name != NULL; sub++)
        fprintf(out, "  jumelage %s %s%s%s\n      %s\n", command, sub->name,
                sub->usage[0] != '\0' ? " " : "", sub->usage, sub->summary);
    return argc > 1 ? EX_OK : EX_USAGE;
}

bool
ask_sure(struct cli *cli, const char *what)
{
    char answer[16] = "";
    struct str question = tell_text(cli, "ask.sure");

    if (cli->says_yes)
        return true;
    if (!cli->is_asked_terminal) {
        fprintf(stderr, "jumelage: %s: --yes is needed where nobody can be asked\n", what);
        return false;
    }
    fprintf(stderr, "%s\n%.*s ", what, STR_ARG(question));
    if (fgets(answer, sizeof answer, stdin) == NULL)
        return false;
    return answer[0] == 'y' || answer[0] == 'Y' || answer[0] == 'o' || answer[0] == 'O';
}

/* ---- from main to the command ---- */

static enum lang
lang_of_locale(void)
{
    const char *const variables[] = {"LC_ALL", "LC_MESSAGES", "LANG"};

    for (size_t i = 0; i < 3; i++) {
        const char *value = getenv(variables[i]);

        if (value != NULL && value[0] != '\0')
            return lang_parse(str_from(value), LANG_EN);
    }
    return LANG_EN;
}

static int
terminal_width(void)
{
    struct winsize size;
    int width = WIDTH_ELSEWHERE;

    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
        width = size.ws_col;
    return width < WIDTH_LEAST ? WIDTH_LEAST : width > WIDTH_MOST ? WIDTH_MOST : width;
}

static void
cli_init(struct cli *cli, char **argv)
{
    *cli = (struct cli){.program = argv[0], .arena = arena_create(CLI_ARENA_BYTES)};
    if (cli->arena == NULL)
        fail_memory();
    cli->is_terminal = isatty(STDOUT_FILENO) != 0;
    cli->is_asked_terminal = isatty(STDIN_FILENO) != 0 && isatty(STDERR_FILENO) != 0;
    cli->format = cli->is_terminal ? FORMAT_TABLE : FORMAT_JSON;
    cli->width = terminal_width();
    cli->lang = lang_of_locale();
}

static int
dispatch(struct cli *cli, int argc, char **argv)
{
    const struct command *command = argc > 0 ? command_find(argv[0]) : NULL;
    const struct command *near;

    if (command != NULL)
        return command->run(cli, argc, argv);
    if (argc == 0) {
        command_help(cli, 1, argv);
        return EX_USAGE;
    }
    near = command_nearest(argv[0]);
    if (near != NULL)
        return fail_usage(cli, NULL, "there is no command \"%s\"; did you mean %s?", argv[0],
                          near->name);
    return fail_usage(cli, NULL, "there is no command \"%s\"", argv[0]);
}

static void
print_version(FILE *out, struct argp_state *state)
{
    (void)state;
    fprintf(out, "jumelage %s\n", JML_VERSION);
}

/* For the widths of characters; nothing else follows the locale. All that is printed is UTF-8, so a locale
 * that is not, or that is not installed here, gives way to one that is. */
static void
use_utf8(void)
{
    if (setlocale(LC_CTYPE, "") == NULL || strcmp(nl_langinfo(CODESET), "UTF-8") != 0)
        setlocale(LC_CTYPE, "C.UTF-8");
}

int
cli_main(int argc, char **argv)
{
    struct cli cli;
    int first, status;

    use_utf8();
    signal(SIGPIPE, SIG_DFL);
    argp_err_exit_status = EX_USAGE;
    argp_program_version_hook = print_version;
    cli_init(&cli, argv);
    first = options_parse_common(&cli, argc, argv);
    status = dispatch(&cli, argc - first, argv + first);
    if (backend_has_failed(&cli))
        status = EX_IOERR;
    backend_close(cli.backend);
    reference_destroy(cli.reference);
    arena_destroy(cli.arena);
    if (fflush(stdout) != 0 || ferror(stdout)) {
        fputs("jumelage: cannot write the output\n", stderr);
        return EX_IOERR;
    }
    interrupt_end();
    return status;
}
