/*
 * make_man: the manual pages, as scdoc source, from the same tables that the programs read.
 *
 *     make-man jumelage.1 | scdoc >jumelage.1
 *
 * The build does so for each of the pages below.
 */
#include "config.h"
#include "exits.h"
#include "limit_table.h"
#include "survey.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

/* Text in which nothing is taken for scdoc's marks. */
static void
put(const char *text)
{
    for (; *text != '\0'; text++) {
        if (strchr("\\*_#~`", *text) != NULL)
            putchar('\\');
        putchar(*text);
    }
}

static void
head(const char *page, int section, const char *what)
{
    printf("%s(%d) \"jumelage %s\"\n\n# NAME\n\n%s - %s\n", page, section, JML_VERSION, page, what);
}

/* ---- jumelage(1) ---- */

static void
put_option(char letter, const char *name, const char *argument, const char *text)
{
    putchar('\n');
    if (letter != '\0')
        printf("*-%c*, ", letter);
    printf("*--%s*", name);
    if (argument != NULL) {
        printf("=_");
        put(argument);
        putchar('_');
    }
    printf("\n\t");
    put(text);
    putchar('\n');
}

static void
put_command(void *context, const struct surveyed *command)
{
    (void)context;
    printf("\n## jumelage ");
    put(command->name);
    if (command->usage[0] != '\0') {
        putchar(' ');
        put(command->usage);
    }
    printf("\n\n");
    put(command->text != NULL ? command->text : command->summary);
    printf("%s\n", command->text != NULL ? "" : ".");
    for (const struct option_row *row = command->rows; row != NULL && row->name != NULL; row++)
        put_option(row->letter, row->name, row->argument, row->text);
}

/* What else than an error of the protocol leads to a status. */
static const char *
also(int status)
{
    switch (status) {
    case EX_USAGE:
        return "a fault of usage";
    case EX_UNAVAILABLE:
        return "the service cannot be reached";
    case EX_IOERR:
        return "the output cannot be written";
    default:
        return NULL;
    }
}

static void
put_exit(int status)
{
    const char *before = also(status);

    if (before != NULL)
        printf("\n*%d*\n\t%s", status, before);
    for (int code = 1; code < ERR_COUNT; code++)
        if (exit_status((enum err_code)code) == status) {
            if (before != NULL)
                printf(", ");
            else
                printf("\n*%d*\n\t", status);
            before = err_name((enum err_code)code);
            put(before);
        }
    if (before != NULL)
        putchar('\n');
}

static void
put_exits(void)
{
    puts(
        "\n# EXIT STATUS\n\n"
        "The names are those of the protocol's errors; the reference page says when each is given.\n\n"
        "*0*\n\tit was done");
    for (int status = EX_USAGE; status <= EX_CONFIG; status++)
        put_exit(status);
}

static void
page_tool(void)
{
    head("jumelage", 1, "match startups with hosts and investors of the sister city");
    puts(
        "\n# SYNOPSIS\n\n*jumelage* [_OPTION_...] _COMMAND_ [_ARGUMENT_...]\n\n"
        "# DESCRIPTION\n\n"
        "Works on a store of this machine, or asks a service. If a service holds the store that is "
        "named, the tool finds it and asks it instead.\n\n"
        "# COMMON OPTIONS\n\nBefore the command or behind it.");
    for (const struct argp_option *o = common_options; o->name != NULL; o++)
        put_option('\0', o->name, o->arg, o->doc);
    puts("\n# COMMANDS");
    survey_commands(put_command, NULL);
    puts(
        "\n# ENVIRONMENT\n\n"
        "*JUMELAGE\\_DATA*\n\tthe store, where *--data* is not given; else _jumelage_ below "
        "*XDG\\_DATA\\_HOME*, else _~/.local/share/jumelage_\n\n"
        "*JUMELAGE\\_SERVER*, *JUMELAGE\\_TOKEN\\_FILE*, *JUMELAGE\\_CA\\_FILE*\n\tas *--server*, "
        "*--token-file* and *--ca-file*\n\n"
        "*JUMELAGE\\_SHARE*\n\tthe folder of vocabularies, instead of the installed one\n\n"
        "*JUMELAGE\\_KERNEL*\n\twhich code searches a store of this machine: _auto_ (preset), _plain_, "
        "_avx2_ or _avx512_, as far as the processor can run it; all give the same answers\n\n"
        "*NO\\_COLOR*\n\tno colour, on a terminal too");
    put_exits();
    puts(
        "\n# EXAMPLES\n\n```\njumelage demo /tmp/store\n"
        "jumelage --data /tmp/store match bilocation --pairing hosting --for demo-startup-001\n```\n\n"
        "# SEE ALSO\n\n*jumelaged*(8), *libjumelage*(3)");
}

/* ---- jumelaged(8) ---- */

static void
put_setting(const struct setting_row *row)
{
    put_option('\0', row->name, row->argument, row->text);
    if (row->most != 0)
        printf("\t(%" PRId64 " to %" PRId64 ", preset %" PRId64 ")\n", row->least, row->most,
               row->preset);
}

static void
page_service(void)
{
    head("jumelaged", 8, "serve a store of profiles to programs that match");
    puts(
        "\n# SYNOPSIS\n\n*jumelaged* *--data*=_DIR_ [_OPTION_...]\n\n"
        "*jumelaged* *--config*=_FILE_ [*--check-config*]\n\n"
        "# DESCRIPTION\n\n"
        "Serves one store to several people and programs at the same time. A folder that is missing "
        "or empty is made. On a unix socket the service's own user, root and the members of "
        "*--admin-group* are admin; everybody else shows a token.\n\n# OPTIONS");
    for (const struct setting_row *row = setting_rows; row->name != NULL; row++)
        put_setting(row);
    puts(
        "\n# SIGNALS\n\n"
        "*TERM*, *INT*\n\tdrain: new work is refused, what was begun is finished and answered; a "
        "second one ends at once\n\n"
        "*HUP*\n\treads the configuration again (*jumelaged.yaml*(5) says what can change so) "
        "and the vocabularies; where something is wrong, all stays as it was and the log says "
        "what\n\n"
        "# LOG\n\n"
        "One line an event on standard error: time, level, event, then key=value. _listening_ names "
        "each address, _sandbox_ what is in force, _ready_ that it serves, with which threads and "
        "which _kernel_ of searches, _reloaded_ and "
        "_reload.failed_ what came of HUP, _callback.slow_ what held an event thread for over 10 ms, "
        "_internal_ a defect, with the reference that the caller was given.\n\n"
        "# SANDBOX\n\n"
        "Once it has started the service gives up what it no longer needs: other programs, new "
        "sockets, executable memory (seccomp), and all files but its store, the vocabularies and the "
        "folders of its configuration (Landlock, where the kernel has it). A call that is stopped so "
        "fails with ENOSYS or EPERM, a file with EACCES. *--sandbox*=_off_ lets all be.\n\n"
        "# EXIT STATUS\n\n"
        "*0*\n\tit was told to stop, and did\n\n"
        "*64*\n\ta fault of usage\n\n"
        "*65*\n\tthe store is damaged, foreign or newer, or an address is taken\n\n"
        "*66*\n\ta file or folder is not there\n\n"
        "*70*\n\ta defect\n\n"
        "*73*\n\tdisk or map full\n\n"
        "*75*\n\tthe store is in use by another program\n\n"
        "*77*\n\tnot permitted, or a public address without encryption\n\n"
        "*78*\n\ta setting is wrong\n\n"
        "# FILES\n\n"
        "_/etc/jumelage/jumelaged.yaml_\n\tthe settings of the packaged service\n\n"
        "_/var/lib/jumelage_\n\tits store\n\n"
        "_/run/jumelage/jumelage.sock_\n\tits socket\n\n"
        "# SEE ALSO\n\n*jumelaged.yaml*(5), *jumelage*(1)");
}

/* ---- jumelaged.yaml(5) ---- */

static void
page_settings(void)
{
    head("jumelaged.yaml", 5, "settings of the service jumelaged");
    puts(
        "\n# DESCRIPTION\n\n"
        "YAML: names and values, the names those of the command line; a setting that may be given "
        "several times holds a list, a flag *true* or *false*. What the command line says goes "
        "first. *jumelaged --config* _FILE_ *--check-config* says whether it is right. Those marked "
        "_reload_ change on *SIGHUP*, the others with the next start.\n\n# SETTINGS");
    for (const struct setting_row *row = setting_rows; row->name != NULL; row++) {
        if (strcmp(row->name, "config") == 0 || strcmp(row->name, "check-config") == 0 ||
            strcmp(row->name, "limit") == 0)
            continue;
        printf("\n*%s*: _", row->name);
        put(row->argument != NULL ? row->argument : "true or false");
        printf("_%s\n\t", row->is_live ? " (_reload_)" : "");
        put(row->text);
        putchar('\n');
        if (row->most != 0)
            printf("\t(%" PRId64 " to %" PRId64 ", preset %" PRId64 ")\n", row->least, row->most,
                   row->preset);
    }
    puts("\n*limits*: _names and numbers_ (_reload_)\n\tthe limits below\n\n# LIMITS");
    for (int i = 0; i < LIMIT_COUNT; i++) {
        const struct limit_row *row = &limit_rows[i];

        if (row->least == row->most)
            continue;
        printf("\n*");
        put(row->name);
        printf("*: %" PRId64 " to %" PRId64 " ", row->least, row->most);
        put(row->unit);
        printf(", preset %" PRId64 "\n\t", row->preset);
        put(row->text);
        putchar('\n');
    }
    puts("\n# EXAMPLE\n\n```\ndata: /var/lib/jumelage\nlisten:\n"
         "  - unix:/run/jumelage/jumelage.sock\n  - tcp:127.0.0.1:7420\n"
         "admin-group: jumelage\nlimits:\n  connections: 500\n```\n\n"
         "# SEE ALSO\n\n*jumelaged*(8)");
}

/* ---- libjumelage(3) ---- */

static void
page_library(void)
{
    head("libjumelage", 3, "ask a jumelage service from C");
    puts(
        "\n# SYNOPSIS\n\n```\n#include <jumelage/jumelage.h>\n\n"
        "cc prog.c $(pkg-config --cflags --libs jumelage)\n```\n\n"
        "# DESCRIPTION\n\n"
        "A client of *jumelaged*(8), on a unix socket or TCP. It starts no thread, takes no signal "
        "and keeps no global state: a program calls and waits, or hands the connection's descriptor to "
        "its own event loop. Every function is described in the header.\n\n"
        "Errors carry the protocol's code, name and sentence. What a function returns as a pointer "
        "belongs to the object it was asked of; what it hands out through a double pointer is the "
        "caller's to free.\n\n"
        "# FILES\n\n"
        "Three examples are installed with the header: blocking, with *poll*(2), and inside "
        "libevent.\n\n"
        "# SEE ALSO\n\n*jumelage*(1), *jumelaged*(8)");
}

/* clang-format off */
static const struct page {
    const char *name;
    void (*print)(void);
} pages[] = {
    {"jumelage.1", page_tool},
    {"jumelaged.8", page_service},
    {"jumelaged.yaml.5", page_settings},
    {"libjumelage.3", page_library},
    {0},
};
/* clang-format on */

int
main(int argc, char **argv)
{
    for (const struct page *page = pages; argc == 2 && page->name != NULL; page++)
        if (strcmp(argv[1], page->name) == 0) {
            page->print();
            return EX_OK;
        }
    fputs("make-man: name one page:", stderr);
    for (const struct page *page = pages; page->name != NULL; page++)
        fprintf(stderr, " %s", page->name);
    fputs("\n", stderr);
    return EX_USAGE;
}
