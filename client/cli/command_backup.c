/* command_backup.c: backups, and stores made of them. */
#include "answers.h"
#include "backend.h"
#include "commands.h"
#include "method.h"
#include "options.h"
#include "page.h"
#include "store.h"
#include "table.h"
#include "tell.h"

#include <sodium.h>

#include <pwd.h>
#include <sysexits.h>
#include <unistd.h>

enum { PARAMS_BYTES_MAX = 4096, LIST_MOST = 1000 };

/* ---- backup ---- */

static int
backup_create_command(struct cli *cli, int argc, char **argv)
{
    struct arguments arguments = options_parse(
        cli, "NAME",
        "Copies one moment of the store, also while a service serves it; synced, opened "
        "and walked before it gets its name.",
        NULL, argc, argv);
    const msgpack_object *answer;
    struct err err = {0};
    struct buf params;
    enum err_code code;

    if (arguments.n != 1)
        return fail_usage(cli, "backup create", "backup create takes one name");
    buf_init(&params, PARAMS_BYTES_MAX);
    pack_map(&params, 1);
    pack_key_text(&params, "name", arguments.list[0]);
    code = backend_call(cli, "backup.create", buf_str(&params), cli->arena, &answer, &err);
    buf_fini(&params);
    if (code != ERR_OK)
        return fail(cli, &err);
    if (cli->format != FORMAT_TABLE) {
        print_json(cli, answer);
        return EX_OK;
    }
    page_text(cli, 0, STR_LIT(""),
              TELL(cli, "backup.made", {"path", text_of(answer, "path")},
                   {"bytes", tell_number(cli, number_of(answer, "bytes"))},
                   {"seq", tell_number(cli, number_of(answer, "seq"))}));
    return EX_OK;
}

static int
backup_list_command(struct cli *cli, int argc, char **argv)
{
    const msgpack_object *answer, *list;
    struct table *table = table_begin(cli);
    struct err err = {0};
    struct buf params;
    enum err_code code;

    options_parse(cli, "", "The backups that stand in the backup folder.", NULL, argc, argv);
    buf_init(&params, PARAMS_BYTES_MAX);
    pack_map(&params, 1);
    pack_key_int(&params, "limit", LIST_MOST);
    code = backend_call(cli, "backup.list", buf_str(&params), cli->arena, &answer, &err);
    buf_fini(&params);
    if (code != ERR_OK)
        return fail(cli, &err);
    table_column(table, "name", tell_text(cli, "heading.name"), 0);
    table_column(table, "at", tell_text(cli, "heading.date"), 0);
    table_column(table, "bytes", tell_text(cli, "heading.bytes"), TABLE_RIGHT | TABLE_NUMBER);
    table_column(table, "seq", str_from("seq"), TABLE_RIGHT | TABLE_NUMBER);
    table_column(table, "verified", tell_text(cli, "heading.verified"), 0);
    list = value_find(answer, "backups");
    for (size_t i = 0; i < value_size(list); i++) {
        const msgpack_object *one = value_at(list, i);
        bool is_verified = flag_of(one, "verified");

        table_row(table);
        table_cell(table, text_of(one, "name"));
        table_cell(table, tell_date_ms(cli, number_of(one, "at")));
        table_number(table, number_of(one, "bytes"));
        table_number(table, number_of(one, "seq"));
        table_cell_as(table, str_from(is_verified ? "true" : "false"),
                      tell_text(cli, is_verified ? "backup.good" : "backup.changed"));
    }
    table_end(table);
    return EX_OK;
}

int
command_backup(struct cli *cli, int argc, char **argv)
{
    static const struct subcommand list[] = {
        {"create", "NAME", "copies the store while it serves", backup_create_command},
        {"list", "", "the backups there are", backup_list_command},
        {0},
    };

    return run_subcommand(cli, "backup", list, argc, argv);
}

/* ---- restore ---- */

static void
print_restored(struct cli *cli, const struct store_restored *restored)
{
    const msgpack_object *value;
    struct err err = {0};
    struct buf bytes;

    buf_init(&bytes, PARAMS_BYTES_MAX);
    pack_map(&bytes, 6);
    pack_key_text(&bytes, "backup", restored->backup.name);
    pack_key_int(&bytes, "at", restored->backup.at);
    pack_key_int(&bytes, "seq", (int64_t)restored->seq);
    pack_key_int(&bytes, "profiles", (int64_t)restored->profiles);
    pack_key_int(&bytes, "ledger", (int64_t)restored->n_ledger);
    pack_key_int(&bytes, "erased", (int64_t)restored->n_erased);
    if (buf_check(&bytes, &err) != ERR_OK ||
        value_decode(bytes.data, bytes.len, &value_limits_default, cli->arena, &value, &err) !=
            ERR_OK)
        fail_memory();
    print_json(cli, value);
    buf_fini(&bytes);
}

/* No engine: the folder is none yet. */
int
command_restore(struct cli *cli, int argc, char **argv)
{
    const char *ledger = NULL;
    const struct option_row rows[] = {
        {"ledger", 0, "FILE",
         "the erasure ledger of the newer store: jumelage.erased, or its folder", &ledger, NULL,
         NULL},
        {0},
    };
    struct arguments arguments = options_parse(
        cli, "BACKUP", "Makes a store of a backup in an empty folder, the one that --data names.",
        rows, argc, argv);
    const struct passwd *user = getpwuid(geteuid()); /* NOLINT: one thread so far */
    struct store_restoring restoring = {.dir = backend_data_dir(cli), .ledger = ledger};
    struct store_restored restored;
    struct err err = {0};

    if (cli->server != NULL)
        return fail_usage(cli, "restore",
                          "restore fills a folder of this machine, no service; leave --server out");
    if (arguments.n != 1)
        return fail_usage(cli, "restore", "restore takes one backup: its folder, or a file in it");
    if (sodium_init() < 0)
        fail_memory();
    restoring.source = arguments.list[0];
    restoring.actor = arena_format(cli->arena, "%s %s", role_name(ROLE_ADMIN),
                                   user != NULL ? user->pw_name : "unknown");
    if (store_restore(&restoring, &restored, &err) != ERR_OK)
        return fail(cli, &err);
    if (cli->format != FORMAT_TABLE) {
        print_restored(cli, &restored);
        return EX_OK;
    }
    page_text(cli, 0, STR_LIT(""),
              TELL(cli, "restore.done", {"dir", str_from(restoring.dir)},
                   {"date", tell_date_ms(cli, restored.backup.at)},
                   {"profiles", tell_number(cli, (int64_t)restored.profiles)},
                   {"seq", tell_number(cli, (int64_t)restored.seq)}));
    page_text(cli, 0, STR_LIT(""),
              ledger == NULL ? tell_text(cli, "restore.no_ledger")
                             : TELL(cli, "restore.erased",
                                    {"n", tell_number(cli, (int64_t)restored.n_erased)}));
    return EX_OK;
}
