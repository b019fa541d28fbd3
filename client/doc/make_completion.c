/*
 * make_completion: what bash, zsh and fish complete after `jumelage`, from the table of commands, their options
 * and the table of methods.
 *
 *     make-completion bash >jumelage
 */
#include "method.h"
#include "survey.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

/* What an option's argument may be, by the option's or the argument's name. */
struct values {
    const char *name, *words; /* NULL words: files */
};
static const struct values values[] = {
    {"format", "table json csv tsv"}, {"lang", "en fr"}, {"FILE", NULL}, {"DIR", NULL}, {0}};

static const struct values *
values_of(const char *name, const char *argument)
{
    for (const struct values *v = values; v->name != NULL; v++)
        if (strcmp(v->name, name) == 0 || strcmp(v->name, argument) == 0)
            return v;
    return NULL;
}

/* The command of "profile get" is "profile", its part "get", or "" where there is none. */
static const char *
part_of(const char *name)
{
    const char *space = strchr(name, ' ');

    return space != NULL ? space + 1 : "";
}

static int
command_chars(const char *name)
{
    return (int)strcspn(name, " ");
}

/* A sentence between single quotes of a shell. */
static void
put_quoted(const char *text, const char *quote)
{
    for (; *text != '\0'; text++)
        if (*text == '\'')
            printf("%s", quote);
        else
            putchar(*text);
}

/* ---- bash ---- */

static void
bash_words(void *context, const struct surveyed *s)
{
    (void)context;
    if (part_of(s->name)[0] == '\0')
        printf(" %s", s->name);
}

static void
bash_parts(void *context, const struct surveyed *s)
{
    bool *is_open = context;

    if (part_of(s->name)[0] != '\0') {
        printf(" %s", part_of(s->name));
        return;
    }
    if (*is_open)
        printf("\" ;;\n");
    *is_open = s->has_parts;
    if (s->has_parts)
        printf("    %s) parts=\"", s->name);
}

static void
bash_options(void *context, const struct surveyed *s)
{
    (void)context;
    if (s->rows == NULL || s->rows[0].name == NULL)
        return;
    printf("    '%.*s %s') options+=\"", command_chars(s->name), s->name, part_of(s->name));
    for (const struct option_row *row = s->rows; row->name != NULL; row++) {
        if (row->letter != '\0')
            printf(" -%c", row->letter);
        printf(" --%s", row->name);
    }
    printf("\" ;;\n");
}

static void
bash_valued(void *context, const struct surveyed *s)
{
    (void)context;
    for (const struct option_row *row = s->rows; row != NULL && row->name != NULL; row++)
        if (row->argument != NULL) {
            printf("|--%s", row->name);
            if (row->letter != '\0')
                printf("|-%c", row->letter);
        }
}

static void
bash_files(void *context, const struct surveyed *s)
{
    (void)context;
    for (const struct option_row *row = s->rows; row != NULL && row->name != NULL; row++)
        if (row->argument != NULL && values_of(row->name, row->argument) != NULL)
            printf("|--%s", row->name);
}

static void
bash(void)
{
    bool is_open = false;

    puts(
        "# bash completion for jumelage, made from its tables\n_jumelage()\n{\n"
        "    local current=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]}\n"
        "    local command= part= parts= options= words= word skips= i\n"
        "    COMPREPLY=()\n"
        "    [[ $current == = ]] && current=\n"
        "    [[ $before == = ]] && before=${COMP_WORDS[COMP_CWORD - 2]}\n"
        "    for ((i = 1; i < COMP_CWORD; i++)); do\n"
        "        word=${COMP_WORDS[i]}\n"
        "        if [[ -n $skips && $word != = ]]; then\n            skips=\n            continue\n        fi\n"
        "        case $word in");
    printf("        --data");
    for (const struct argp_option *o = common_options; o->name != NULL; o++)
        if (o->arg != NULL)
            printf("|--%s", o->name);
    survey_commands(bash_valued, NULL);
    puts(
        ") skips=yes ;;\n        -*|=) ;;\n"
        "        *) if [[ -z $command ]]; then command=$word; elif [[ -z $part ]]; then part=$word; fi ;;\n"
        "        esac\n    done\n"
        "    case $before in\n"
        "    --format) COMPREPLY=($(compgen -W 'table json csv tsv' -- \"$current\")); return ;;\n"
        "    --lang) COMPREPLY=($(compgen -W 'en fr' -- \"$current\")); return ;;\n"
        "    --data) COMPREPLY=($(compgen -d -- \"$current\")); return ;;");
    printf("    --token-file");
    survey_commands(bash_files, NULL);
    puts(") COMPREPLY=($(compgen -f -- \"$current\")); return ;;\n    esac\n    case $command in");
    printf("    '') words=\"");
    survey_commands(bash_words, NULL);
    printf("\" ;;\n    help) words=\"");
    survey_commands(bash_words, NULL);
    printf("\" ;;\n    call) [[ -n $part ]] || words=\"");
    for (const struct method *m = methods; m->name != NULL; m++)
        printf(" %s", m->name);
    puts("\" ;;");
    survey_commands(bash_parts, &is_open);
    puts(is_open ? "\" ;;\n    esac" : "    esac");
    puts("    if [[ -n $parts ]]; then\n"
         "        if [[ -z $part ]]; then words=$parts; fi\n"
         "    else\n        part=\n    fi\n"
         "    case \"$command $part\" in");
    survey_commands(bash_options, NULL);
    puts("    esac");
    printf("    options+=\"");
    for (const struct argp_option *o = common_options; o->name != NULL; o++)
        printf(" --%s", o->name);
    puts(" --help\"\n"
         "    if [[ $current == -* ]]; then\n"
         "        COMPREPLY=($(compgen -W \"$options\" -- \"$current\"))\n"
         "    elif [[ -n $words ]]; then\n"
         "        COMPREPLY=($(compgen -W \"$words\" -- \"$current\"))\n"
         "    else\n"
         "        COMPREPLY=($(compgen -f -- \"$current\"))\n"
         "    fi\n}\ncomplete -o filenames -F _jumelage jumelage");
}

/* ---- zsh ---- */

static void
zsh_text(const char *text)
{
    for (; *text != '\0'; text++) {
        if (strchr("[]:\\", *text) != NULL)
            putchar('\\');
        if (*text == '\'')
            printf("'\\''");
        else
            putchar(*text);
    }
}

static void
zsh_option(char letter, const char *name, const char *argument, const char *text)
{
    const struct values *v = argument != NULL ? values_of(name, argument) : NULL;

    if (letter != '\0')
        printf(" \\\n        '(-%c --%s)'{-%c%s,--%s%s}'[", letter, name, letter,
               argument != NULL ? "+" : "", name, argument != NULL ? "=" : "");
    else
        printf(" \\\n        '--%s%s[", name, argument != NULL ? "=" : "");
    zsh_text(text);
    putchar(']');
    if (argument != NULL) {
        putchar(':');
        zsh_text(argument);
        if (v == NULL)
            putchar(':');
        else if (v->words != NULL)
            printf(":(%s)", v->words);
        else
            printf(":_files");
    }
    putchar('\'');
}

static void
zsh_commands(void *context, const struct surveyed *s)
{
    (void)context;
    if (part_of(s->name)[0] != '\0')
        return;
    printf("        '%s:", s->name);
    zsh_text(s->summary);
    printf("'\n");
}

static void
zsh_common(void)
{
    for (const struct argp_option *o = common_options; o->name != NULL; o++)
        zsh_option('\0', o->name, o->arg, o->doc);
}

static void
zsh_arguments(void *context, const struct surveyed *s)
{
    bool *is_open = context;
    const char *part = part_of(s->name);

    if (*is_open && part[0] == '\0') {
        puts("        esac\n        ;;");
        *is_open = false;
    }
    if (s->has_parts) {
        *is_open = true;
        printf("    %s)\n        case ${words[2]-} in\n", s->name);
        return;
    }
    printf("    %s)\n        _arguments", part[0] != '\0' ? part : s->name);
    for (const struct option_row *row = s->rows; row != NULL && row->name != NULL; row++)
        zsh_option(row->letter, row->name, row->argument, row->text);
    zsh_common();
    if (strcmp(s->name, "call") == 0) {
        printf(" \\\n        '1:method:(");
        for (const struct method *m = methods; m->name != NULL; m++)
            printf("%s%s", m == methods ? "" : " ", m->name);
        printf(")'");
    }
    if (part[0] != '\0')
        printf(" \\\n        '1:part:'");
    puts(" \\\n        '*:argument:_files'\n        ;;");
}

static void
zsh_parts(void *context, const struct surveyed *s)
{
    bool *is_open = context;

    if (part_of(s->name)[0] != '\0') {
        printf(" %s", part_of(s->name));
        return;
    }
    if (*is_open)
        printf(") ;;\n");
    *is_open = s->has_parts;
    if (s->has_parts)
        printf("        %s) parts=(", s->name);
}

static void
zsh(void)
{
    bool is_open = false;

    puts("#compdef jumelage\n# made from the tables of jumelage\n"
         "local context state line\nlocal -a commands parts\ntypeset -A opt_args\n");
    printf("_arguments -C");
    zsh_common();
    puts(" \\\n        '1:command:->command' \\\n        '*::argument:->argument' && return\n"
         "case $state in\ncommand)\n    commands=(");
    survey_commands(zsh_commands, NULL);
    puts("    )\n    _describe command commands\n    ;;\nargument)\n    if ((CURRENT == 2)); then\n"
         "        case $words[1] in");
    survey_commands(zsh_parts, &is_open);
    if (is_open)
        puts(") ;;");
    is_open = false;
    puts("        esac\n        if ((${#parts})); then\n"
         "            _describe part parts\n            return\n        fi\n    fi\n"
         "    case $words[1] in");
    survey_commands(zsh_arguments, &is_open);
    puts(is_open ? "        esac\n        ;;\n    esac\n    ;;\nesac" : "    esac\n    ;;\nesac");
}

/* ---- fish ---- */

static void
fish_option(const char *when, const char *part, char letter, const char *name, const char *argument,
            const char *text)
{
    const struct values *v = argument != NULL ? values_of(name, argument) : NULL;

    printf("complete -c jumelage");
    if (when != NULL)
        printf(" -n '__fish_seen_subcommand_from %.*s%s%s'", command_chars(when), when,
               part[0] != '\0' ? "; and __fish_seen_subcommand_from " : "", part);
    if (letter != '\0')
        printf(" -s %c", letter);
    printf(" -l %s", name);
    if (argument != NULL)
        printf(" %s", v != NULL && v->words == NULL ? "-rF" : "-x");
    if (v != NULL && v->words != NULL)
        printf(" -a '%s'", v->words);
    printf(" -d '");
    put_quoted(text, "\\'");
    printf("'\n");
}

static void
fish_command(void *context, const struct surveyed *s)
{
    const char *part = part_of(s->name);

    (void)context;
    if (part[0] == '\0')
        printf("complete -c jumelage -n __fish_use_subcommand -f -a %s -d '", s->name);
    else
        printf("complete -c jumelage -n '__fish_seen_subcommand_from %.*s' -f -a %s -d '",
               command_chars(s->name), s->name, part);
    put_quoted(s->summary, "\\'");
    printf("'\n");
    for (const struct option_row *row = s->rows; row != NULL && row->name != NULL; row++)
        fish_option(s->name, part, row->letter, row->name, row->argument, row->text);
}

static void
fish(void)
{
    puts("# fish completion for jumelage, made from its tables");
    for (const struct argp_option *o = common_options; o->name != NULL; o++)
        fish_option(NULL, "", '\0', o->name, o->arg, o->doc);
    survey_commands(fish_command, NULL);
    for (const struct method *m = methods; m->name != NULL; m++) {
        printf("complete -c jumelage -n '__fish_seen_subcommand_from call' -f -a %s -d '", m->name);
        put_quoted(m->summary, "\\'");
        printf("'\n");
    }
}

/* clang-format off */
static const struct shell {
    const char *name;
    void (*print)(void);
} shells[] = {{"bash", bash}, {"zsh", zsh}, {"fish", fish}, {0}};
/* clang-format on */

int
main(int argc, char **argv)
{
    for (const struct shell *shell = shells; argc == 2 && shell->name != NULL; shell++)
        if (strcmp(argv[1], shell->name) == 0) {
            shell->print();
            return EX_OK;
        }
    fputs("make-completion: name one shell: bash, zsh or fish\n", stderr);
    return EX_USAGE;
}
