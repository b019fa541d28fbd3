#include "tell.h"

#include "date.h"
#include "exits.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sysexits.h>

static const struct catalogue_argument no_arguments[] = {{NULL, {NULL, 0}}};

struct str
tell(struct cli *cli, const char *key, const struct catalogue_argument *arguments)
{
    struct str text = catalogue_format(cli_reference(cli)->catalogue, key, cli->lang,
                                       arguments != NULL ? arguments : no_arguments, cli->arena);

    if (text.data == NULL && text.len == 0)
        return str_from(key); /* a key without a text: shown, so that it is found */
    return text;
}

struct str
tell_text(struct cli *cli, const char *key)
{
    return tell(cli, key, NULL);
}

struct str
tell_number(struct cli *cli, int64_t number)
{
    uint64_t rest = number < 0 ? 0 - (uint64_t)number : (uint64_t)number;
    struct str text = {NULL, 0}, head;

    for (; rest >= 1000; rest /= 1000) {
        struct str group = arena_format(cli->arena, "%03" PRIu64, rest % 1000);

        text = text.len == 0 ? group : TELL(cli, "number.group", {"a", group}, {"b", text});
    }
    head = arena_format(cli->arena, "%s%" PRIu64, number < 0 ? "-" : "", rest);
    return text.len == 0 ? head : TELL(cli, "number.group", {"a", head}, {"b", text});
}

static struct str
tell_day(struct cli *cli, int32_t day)
{
    char key[24];
    int y, m, d;

    date_to_civil(day, &y, &m, &d);
    snprintf(key, sizeof key, "date.month.%d", m);
    return TELL(cli, "date.pattern", {"d", arena_format(cli->arena, "%d", d)},
                {"dd", arena_format(cli->arena, "%02d", d)},
                {"mm", arena_format(cli->arena, "%02d", m)}, {"month", tell_text(cli, key)},
                {"yyyy", arena_format(cli->arena, "%04d", y)});
}

struct str
tell_date_ms(struct cli *cli, int64_t ms)
{
    return tell_day(cli, date_from_ms(ms));
}

struct str
tell_date(struct cli *cli, struct str iso)
{
    enum date_precision precision;
    struct err ignored = {0};
    int32_t day;

    if (date_parse(iso, DATE_DAY, &day, &precision, &ignored) != ERR_OK)
        return iso; /* a year or a month stays as it is */
    return tell_day(cli, day);
}

struct str
tell_code(struct cli *cli, enum vocabulary_id vocabulary, struct str code)
{
    const struct vocabulary *rows = cli_reference(cli)->vocabularies[vocabulary];
    int row = vocabulary_find(rows, code);

    return row != VOCABULARY_NONE ? vocabulary_label(rows, row, cli->lang) : code;
}

struct str
tell_list(struct cli *cli, const struct str *items, size_t n)
{
    struct str list = n > 0 ? items[0] : STR_LIT("");

    for (size_t i = 1; i < n; i++)
        list = TELL(cli, i + 1 == n ? "list.last" : "list.pair", {"a", list}, {"b", items[i]});
    return list;
}

int
fail(struct cli *cli, const struct err *err)
{
    if (err->field[0] != '\0')
        fprintf(stderr, "jumelage: %s (%s: %s)\n", err->message, exit_name(err->code), err->field);
    else
        fprintf(stderr, "jumelage: %s (%s)\n", err->message, exit_name(err->code));
    (void)cli;
    return exit_status_of(err);
}

int
fail_usage(struct cli *cli, const char *command, const char *format, ...)
{
    va_list arguments;

    (void)cli;
    fputs("jumelage: ", stderr);
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fprintf(stderr, "\nTry 'jumelage %s%s--help'.\n", command != NULL ? command : "",
            command != NULL ? " " : "");
    return EX_USAGE;
}

_Noreturn void
fail_memory(void)
{
    fputs("jumelage: out of memory\n", stderr);
    exit(EX_TEMPFAIL);
}
