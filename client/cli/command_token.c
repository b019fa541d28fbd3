/* command_token.c: the keys by which programs and people come into a service. */
#include "answers.h"
#include "backend.h"
#include "commands.h"
#include "list.h"
#include "options.h"
#include "page.h"
#include "table.h"
#include "tell.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

enum { PARAMS_BYTES_MAX = 64 * 1024, TOKENS_MOST = 1000000 };

/* ---- create ---- */

/* Made before the token is: a secret that could not be written down would be lost. */
static enum err_code
out_open(const char *path, int *fd, struct err *err)
{
    *fd = -1;
    if (path == NULL)
        return ERR_OK;
    *fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (*fd >= 0)
        return ERR_OK;
    return errno == EEXIST ? err_set(err, ERR_CONFLICT,
                                     "%s is there already; name a new file for the token", path)
                           : err_set_sys(err, errno, "make %s", path);
}

static enum err_code
out_write(int fd, const char *path, const msgpack_object *answer, struct err *err)
{
    struct str token = text_of(answer, "token"), id = text_of(answer, "id");

    if (write(fd, token.data, token.len) == (ssize_t)token.len && write(fd, "\n", 1) == 1 &&
        fsync(fd) == 0)
        return ERR_OK;
    return err_set(err, ERR_STORAGE_FULL,
                   "cannot write the token to %s: %s; revoke %.*s and make another", path,
                   strerror(errno), STR_ARG(id)); /* NOLINT: one thread */
}

/* The answer as JSON, without the secret where a file has it. */
static void
print_answer(struct cli *cli, const msgpack_object *answer, bool has_secret)
{
    size_t n = value_size(answer);
    const msgpack_object *shown;
    struct err err = {0};
    struct buf packed;

    buf_init(&packed, PARAMS_BYTES_MAX);
    pack_map(&packed, n - (has_secret ? 0 : 1));
    for (size_t i = 0; i < n; i++) {
        if (!has_secret && str_is(value_key(answer, i), "token"))
            continue;
        pack_str(&packed, value_key(answer, i));
        pack_value(&packed, value_of(answer, i));
    }
    if (value_decode(packed.data, packed.len, &value_limits_default, cli->arena, &shown, &err) ==
        ERR_OK)
        print_json(cli, shown);
    buf_fini(&packed);
}

static void
say_created(struct cli *cli, const msgpack_object *answer, const char *out)
{
    struct str token = text_of(answer, "token"), id = text_of(answer, "id");

    if (cli->has_format && cli->format == FORMAT_JSON) {
        print_answer(cli, answer, out == NULL);
    } else if (out != NULL) {
        page_text(cli, 0, STR_LIT(""),
                  TELL(cli, "token.written", {"id", id}, {"file", str_from(out)}));
    } else {
        printf("%.*s\n", STR_ARG(token)); /* alone, so that a shell can keep it */
        if (cli->is_terminal)
            fprintf(stderr, "%.*s\n", STR_ARG(TELL(cli, "token.shown_once", {"id", id})));
    }
}

static int
token_create_command(struct cli *cli, int argc, char **argv)
{
    static const char *const keys[] = {"metro", "profile", "expires", "note"};
    const char *values[4] = {NULL}, *out = NULL;
    const struct option_row rows[] = {
        {"metro", 0, "M", "an officer's own area", &values[0], NULL, NULL},
        {"profile", 0, "ID", "the one profile of a partner", &values[1], NULL, NULL},
        {"expires", 0, "DATE", "its last day, as 2026-12-31 (UTC); else it never ends", &values[2],
         NULL, NULL},
        {"note", 0, "TEXT", "a free remark", &values[3], NULL, NULL},
        {"out", 'o', "FILE", "write the secret to this new file, which only you may read", &out,
         NULL, NULL},
        {0},
    };
    struct arguments arguments = options_parse(
        cli, "ROLE NAME",
        "Makes a token: who shows it to the service comes in with ROLE (reader, officer, admin, "
        "partner or batch) and stands in the journal as NAME. The secret is printed this once.",
        rows, argc, argv);
    const msgpack_object *answer;
    struct err err = {0};
    struct pack_open map;
    struct buf params;
    size_t n = 2;
    enum err_code code;
    int fd;

    if (arguments.n != 2)
        return fail_usage(cli, "token create", "token create takes a role and a name");
    buf_init(&params, PARAMS_BYTES_MAX);
    map = pack_map_open(&params);
    pack_key_text(&params, "role", arguments.list[0]);
    pack_key_text(&params, "name", arguments.list[1]);
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
        if (values[i] != NULL) {
            pack_key_text(&params, keys[i], values[i]);
            n++;
        }
    pack_close(&params, map, n);
    code = out_open(out, &fd, &err);
    if (code == ERR_OK)
        code = backend_call(cli, "token.create", buf_str(&params), cli->arena, &answer, &err);
    if (code != ERR_OK && fd >= 0)
        unlink(out);
    else if (fd >= 0)
        code = out_write(fd, out, answer, &err);
    if (fd >= 0)
        close(fd);
    buf_fini(&params);
    if (code != ERR_OK)
        return fail(cli, &err);
    say_created(cli, answer, out);
    return EX_OK;
}

/* ---- list ---- */

static void
cell_date_ms(struct cli *cli, struct table *table, const msgpack_object *token, const char *key)
{
    int64_t ms = number_of(token, key);

    table_cell(table, ms != 0 ? tell_date_ms(cli, ms) : STR_LIT(""));
}

static void
row_token(struct cli *cli, struct table *table, const msgpack_object *token)
{
    struct str metro = text_of(token, "metro"), profile = text_of(token, "profile");
    struct str expires = text_of(token, "expires");
    bool holds = flag_of(token, "holds");

    table_row(table);
    table_cell(table, text_of(token, "id"));
    table_cell(table, text_of(token, "role"));
    table_cell(table, text_of(token, "name"));
    table_cell(table, metro.len > 0 ? metro : profile);
    table_cell_as(table, holds ? STR_LIT("true") : STR_LIT("false"),
                  tell_text(cli, holds ? "token.holds" : "token.ended"));
    table_cell_as(table, expires, expires.len > 0 ? tell_date(cli, expires) : expires);
    cell_date_ms(cli, table, token, "last_used_at");
    table_cell(table, text_of(token, "note"));
}

static int
token_list_command(struct cli *cli, int argc, char **argv)
{
    struct table *table = table_begin(cli);
    struct err err = {0};
    struct buf none;
    enum err_code code;

    options_parse(cli, "", "The tokens that were made, without their secrets.", NULL, argc, argv);
    table_column(table, "id", tell_text(cli, "heading.id"), 0);
    table_column(table, "role", tell_text(cli, "heading.role"), 0);
    table_column(table, "name", tell_text(cli, "heading.name"), 0);
    table_column(table, "for", tell_text(cli, "heading.token_for"), 0);
    table_column(table, "holds", tell_text(cli, "heading.token_holds"), 0);
    table_column(table, "expires", tell_text(cli, "heading.token_expires"), 0);
    table_column(table, "last_used", tell_text(cli, "heading.token_used"), 0);
    table_column(table, "note", tell_text(cli, "heading.note"), TABLE_WRAP);
    buf_init(&none, PARAMS_BYTES_MAX);
    code = list_walk(cli, "token.list", "tokens", &none, 0, TOKENS_MOST, row_token, table, &err);
    buf_fini(&none);
    if (code != ERR_OK)
        return fail(cli, &err);
    table_end(table);
    return EX_OK;
}

/* ---- revoke ---- */

static int
token_revoke_command(struct cli *cli, int argc, char **argv)
{
    struct arguments arguments = options_parse(
        cli, "ID", "Ends a token, and what open connections may do with it.", NULL, argc, argv);
    const msgpack_object *answer;
    struct err err = {0};
    struct buf params;
    enum err_code code;

    if (arguments.n != 1)
        return fail_usage(cli, "token revoke", "token revoke takes one id; token list shows them");
    if (!ask_sure(cli, arguments.list[0]))
        return EX_USAGE;
    buf_init(&params, PARAMS_BYTES_MAX);
    pack_map(&params, 1);
    pack_key_text(&params, "id", arguments.list[0]);
    code = backend_call(cli, "token.revoke", buf_str(&params), cli->arena, &answer, &err);
    buf_fini(&params);
    if (code != ERR_OK)
        return fail(cli, &err);
    if (cli->format != FORMAT_TABLE)
        print_json(cli, answer);
    else
        page_text(cli, 0, STR_LIT(""), TELL(cli, "token.revoked", {"id", text_of(answer, "id")}));
    return EX_OK;
}

int
command_token(struct cli *cli, int argc, char **argv)
{
    static const struct subcommand list[] = {
        {"create",
         "ROLE NAME [--metro M] [--profile ID] [--expires DATE] [--note TEXT] [--out FILE]",
         "makes a token; its secret is shown this once", token_create_command},
        {"list", "", "the tokens that were made, without their secrets", token_list_command},
        {"revoke", "ID", "ends a token", token_revoke_command},
        {0},
    };

    return run_subcommand(cli, "token", list, argc, argv);
}
