/*
 * make_reference: the reference page of everything that can be called, from the tables themselves.
 *
 * Prints Markdown on standard output; scripts/reference puts it into client/doc/en/reference.md, and a
 * test compares the two.
 */
#include "config.h"
#include "err.h"
#include "exits.h"
#include "limit_table.h"
#include "method.h"
#include "params.h"
#include "schema.h"
#include "tally.h"

#include <jumelage/jumelage.h>

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* When each error is given; the names and codes come from err.h. */
static const char *const error_when[ERR_COUNT] = {
    [ERR_BAD_FRAME] =
        "not a frame of msgpack-RPC, nested too deep, too many items, or a length that no "
        "frame may have; the connection is closed",
    [ERR_UNKNOWN_METHOD] = "no such method; `details.close` names the nearest",
    [ERR_INVALID_PARAMS] =
        "wrong type, unknown or missing parameter, value out of range; for documents "
        "`details.faults` lists every fault",
    [ERR_UNAUTHENTICATED] =
        "the method needs a token and none, or a wrong or expired one, was shown",
    [ERR_FORBIDDEN] = "the role may not do this",
    [ERR_NOT_FOUND] = "the named thing is not there",
    [ERR_CONFLICT] =
        "`if_version` is not the stored version, or the step is not allowed in this state",
    [ERR_TOO_LARGE] =
        "a list or text over its limit; or a request over `frame_bytes`, after which the "
        "connection is closed",
    [ERR_BUSY] = "over a rate, queue or memory limit; `details.retry_ms`",
    [ERR_DEADLINE] = "the request's own `deadline_ms` passed",
    [ERR_DRAINING] = "the service is stopping and takes no new work",
    [ERR_STORAGE_FULL] = "disk or map full: nothing was written",
    [ERR_INTERNAL] =
        "a defect, or a damaged store; `details.ref` stands in the log line `internal`",
    [ERR_CANCELLED] = "the call was cancelled",
    [ERR_READ_ONLY] = "this is a replica; `details.writer` is the address to write to",
};

static void
print_range(const struct param *param)
{
    bool has_preset = param->has_preset;

    if (param->choices != NULL)
        printf("one of `%s`", param->choices);
    if (param->min != 0 || param->max != 0) {
        if (param->type == PARAM_INT && param->max == INT64_MAX)
            printf("from %" PRId64, param->min);
        else if (param->type == PARAM_INT)
            printf("%" PRId64 " to %" PRId64, param->min, param->max);
        else
            printf("at most %" PRId64, param->max);
    }
    if (param->unit != NULL)
        printf(" %s", param->unit);
    if (has_preset && param->type == PARAM_BOOL)
        printf("preset %s", param->preset != 0 ? "true" : "false");
    else if (has_preset)
        printf(", preset %" PRId64, param->preset);
}

static void
print_param(const struct param *param)
{
    printf("| `%s`%s | %s | ", param->name, param->required ? "" : "?",
           param_type_name(param->type));
    print_range(param);
    printf(" | %s |\n", param->text != NULL ? param->text : "");
}

static void
print_params(const struct method *method)
{
    const struct param *common[METHOD_COMMON_MAX];
    size_t n = method_common_params(method, common);

    printf("\n| parameter | type | range | |\n|---|---|---|---|\n");
    for (const struct param *p = method->params; p != NULL && p->name != NULL; p++)
        print_param(p);
    for (size_t i = 0; i < n; i++)
        print_param(common[i]);
}

static void
print_results(const struct method *method)
{
    printf("\n| answer | type | unit | |\n|---|---|---|---|\n");
    for (const struct result *r = method->results; r != NULL && r->name != NULL; r++)
        printf("| %s%s%s%s | %s | %s | %s |\n", r->name[0] != '\0' ? "`" : "", r->name,
               r->name[0] != '\0' ? "`" : "(the answer)", r->optional ? "?" : "",
               result_type_name(r->type), r->unit != NULL ? r->unit : "",
               r->text != NULL ? r->text : "");
}

static void
print_roles(unsigned roles)
{
    static const enum role all[] = {ROLE_ANY,   ROLE_READER,  ROLE_OFFICER,
                                    ROLE_ADMIN, ROLE_PARTNER, ROLE_BATCH};
    const char *comma = "";

    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        if (roles & all[i]) {
            printf("%s%s", comma, role_name(all[i]));
            comma = ", ";
        }
}

static void
print_method(const struct method *method)
{
    printf("\n### %s\n\n%s.", method->name, method->summary);
    if (method->details != NULL)
        printf(" %s", method->details);
    printf("\n\nRole: ");
    print_roles(method->roles);
    printf(".%s%s%s\n", method->flags & METHOD_WRITES ? " Writes." : "",
           method->flags & METHOD_LISTS ? " A list: pages by `limit` and `after`." : "",
           method->flags & METHOD_SPEAKS ? " With `lang` it adds sentences." : "");
    print_params(method);
    print_results(method);
    if (method->example != NULL)
        printf("\n```json\n%s\n```\n", method->example);
}

static void
print_fields(void)
{
    printf("\n## Fields of a profile\n\n| field | kinds | limits | |\n|---|---|---|---|\n");
    for (int i = 0; i < FIELD_COUNT; i++) {
        const struct field *field = &schema[i];

        printf("| `%s`%s | %s | ", field->name, field->flags & FIELD_REQUIRED ? " (required)" : "",
               field->kinds != NULL ? field->kinds : "all");
        if (field->min != 0 || field->max != 0)
            printf("%" PRId64 " to %" PRId64, field->min, field->max);
        printf("%s%s | %s |\n", field->unit != NULL ? " " : "",
               field->unit != NULL ? field->unit : "", field->text != NULL ? field->text : "");
    }
    printf(
        "\nThe limits of texts count characters, those of sets elements. A profile is at most %d "
        "bytes packed.\n",
        PROFILE_BYTES_MAX);
}

static void
print_limits(void)
{
    puts(
        "\n## Limits\n\nThose of requests and connections hold where a service answers. Where two "
        "bounds are given the\nservice can be told another number between them: `--limit NAME=N`.");
    printf("\n| name | preset | bounds | unit | of what |\n|---|---|---|---|---|\n");
    for (int i = 0; i < LIMIT_COUNT; i++) {
        const struct limit_row *row = &limit_rows[i];

        printf("| `%s` | %" PRId64 " | ", row->name, row->preset);
        if (row->least != row->most)
            printf("%" PRId64 " to %" PRId64, row->least, row->most);
        printf(" | %s | %s |\n", row->unit, row->text);
    }
}

static void
print_settings(void)
{
    puts(
        "\n## Settings of the service\n\nOn the command line of `jumelaged` with two hyphens in front, "
        "or in the file of `--config` (YAML) by\nthese names; `limits:` there holds a map of the limits "
        "above. Those marked *reload* change on SIGHUP,\nthe others with the next start.\n\n"
        "| setting | value | bounds | | |\n|---|---|---|---|---|");
    for (const struct setting_row *row = setting_rows; row->name != NULL; row++) {
        printf("| `%s` | %s | ", row->name, row->argument != NULL ? row->argument : "");
        if (row->most != 0)
            printf("%" PRId64 " to %" PRId64 ", preset %" PRId64, row->least, row->most,
                   row->preset);
        printf(" | %s | %s |\n", row->is_live ? "reload" : "", row->text);
    }
}

static void
print_counters(void)
{
    puts(
        "\n## Counters of the service\n\n`service` in the answer of `system.stats`; a gauge tells how "
        "it is now, all else counts since the\nstart.\n\n| name | unit | |\n|---|---|---|");
    for (int i = 0; i < TALLY_COUNT; i++)
        printf("| `%s`%s | %s | %s |\n", tally_rows[i].name,
               tally_rows[i].is_gauge ? " (gauge)" : "", tally_rows[i].unit, tally_rows[i].text);
}

/* What never came from a service: the client library's own codes. */
static void
print_client_errors(void)
{
    static const char *const when[] = {
        [-JML_TIMEOUT] = "no answer in time",
        [-JML_LOST] = "the connection ended after the request was sent: its outcome is unknown",
        [-JML_UNREACHABLE] = "no connection; the request was not sent",
        [-JML_BAD_ANSWER] = "the peer sent what no service sends",
        [-JML_NO_MEMORY] = "memory is out on the asking side",
        [-JML_BAD_OPTION] = "an address or a token's file is wrong; 64 where `--server` is",
    };

    puts("\nOn the way to a service, the client library and the tool know of these as well:\n\n"
         "| code | name | exit status of the tool's call | when |\n|---|---|---|---|");
    for (int i = 1; i < (int)(sizeof when / sizeof when[0]); i++)
        printf("| %d | `%s` | %d | %s |\n", -i, exit_name((enum err_code) - i),
               exit_status((enum err_code) - i), when[i]);
}

int
main(void)
{
    puts(
        "<!-- written by scripts/reference from the method table: change the table, not this page -->\n"
        "# Reference: what can be called\n\n"
        "The same methods answer the tool in its own process (`jumelage call METHOD JSON`) and every\n"
        "other asker over a [connection](protocol.md). Parameters are one map of names and values; an unknown one is an error. `?` marks\n"
        "what may be left out or absent. Dates are `YYYY-MM-DD`, instants milliseconds since 1970 UTC,\n"
        "scores whole numbers from 0 to 10000. A role may do what its table row says: `admin` includes\n"
        "`officer`, `officer` includes `reader`; `batch` reads too; a `partner` sees and changes its own\n"
        "profile only.\n\n## Errors\n\n"
        "`{code, name, message, field?, details?}`: `message` is one sentence that names the value that\n"
        "was wrong and what would be right, `field` the path to it.\n\n"
        "| code | name | exit status of the tool's call | when |\n|---|---|---|---|");
    for (int code = 1; code < ERR_COUNT; code++)
        printf("| %d | `%s` | %d | %s |\n", code, err_name((enum err_code)code),
               exit_status((enum err_code)code), error_when[code]);
    print_client_errors();
    print_limits();
    print_settings();
    print_counters();
    printf("\n## Methods\n");
    for (const struct method *m = methods; m->name != NULL; m++)
        print_method(m);
    print_fields();
    return 0;
}
