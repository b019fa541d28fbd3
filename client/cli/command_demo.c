/* command_demo.c: a store to try the engine on: shipped programmes, real organisations, made-up startups. */
#include "backend.h"
#include "buf.h"
#include "commands.h"
#include "file.h"
#include "json.h"
#include "options.h"
#include "page.h"
#include "share.h"
#include "tell.h"
#include "yaml_doc.h"

#include <string.h>
#include <sysexits.h>

enum { FILE_BYTES_MAX = 64 * 1024 * 1024 };

struct demo {
    struct cli *cli;
    char share[SHARE_PATH_MAX];
    int64_t n_profiles, n_programmes;
};

/* Reads a file of the share folder; its bytes live in the arena. */
static enum err_code
read_shared(struct demo *demo, const char *folder, const char *name, struct str *text,
            struct err *err)
{
    struct str path = arena_format(demo->cli->arena, "%s/%s/%s", demo->share, folder, name);
    struct buf bytes;
    enum err_code code;

    buf_init(&bytes, FILE_BYTES_MAX);
    code = file_read(path.data, &bytes, err);
    if (code == ERR_OK)
        *text = arena_str(demo->cli->arena, buf_str(&bytes));
    buf_fini(&bytes);
    return code;
}

static bool
next_line(struct str *rest, struct str *line)
{
    while (rest->len > 0) {
        size_t end = str_find(*rest, '\n', 0), used = end < rest->len ? end + 1 : end;

        *line = str_trim((struct str){rest->data, end});
        *rest = (struct str){rest->data + used, rest->len - used};
        if (line->len > 0)
            return true;
    }
    return false;
}

static enum err_code
first_refused(const msgpack_object *answer, const char *name, struct err *err)
{
    const msgpack_object *failed = value_find(answer, "failed");
    const msgpack_object *error = value_find(value_at(failed, 0), "error");
    struct str message = STR_LIT("refused");
    int64_t index = 0;

    if (value_size(failed) == 0)
        return ERR_OK;
    value_str(value_find(error, "message"), &message);
    value_int(value_find(value_at(failed, 0), "index"), &index);
    return err_set(err, ERR_INVALID_PARAMS, "%s, line %d: %.*s", name, (int)index + 1,
                   STR_ARG(message));
}

static enum err_code
put_profiles(struct demo *demo, const char *name, struct err *err)
{
    struct cli *cli = demo->cli;
    const msgpack_object *answer, *profile;
    struct str text, line;
    struct buf params;
    size_t n = 0;
    enum err_code code = read_shared(demo, "profiles", name, &text, err);

    if (code != ERR_OK)
        return code;
    buf_init(&params, FILE_BYTES_MAX);
    pack_map(&params, 1);
    pack_key(&params, "profiles");
    struct pack_open list = pack_array_open(&params);
    while (code == ERR_OK && next_line(&text, &line)) {
        code = json_decode(line, &value_limits_default, cli->arena, &profile, err);
        if (code == ERR_OK)
            pack_value(&params, profile);
        n++;
    }
    pack_close(&params, list, n);
    if (code == ERR_OK)
        code = backend_call(cli, "profile.put_many", buf_str(&params), cli->arena, &answer, err);
    if (code == ERR_OK)
        code = first_refused(answer, name, err);
    buf_fini(&params);
    demo->n_profiles += (int64_t)n;
    return code;
}

static enum err_code
put_programme(struct demo *demo, const char *name, struct err *err)
{
    struct cli *cli = demo->cli;
    const msgpack_object *answer;
    struct yaml_doc *doc;
    struct str text;
    struct buf params;
    enum err_code code = read_shared(demo, "programmes", name, &text, err);

    if (code == ERR_OK)
        code = yaml_decode(text, &value_limits_default, cli->arena, &doc, err);
    if (code != ERR_OK)
        return code;
    buf_init(&params, FILE_BYTES_MAX);
    pack_map(&params, 1);
    pack_key(&params, "programme");
    pack_value(&params, yaml_doc_root(doc));
    code = backend_call(cli, "programme.put", buf_str(&params), cli->arena, &answer, err);
    buf_fini(&params);
    demo->n_programmes++;
    return code;
}

static enum err_code
put_outcomes(struct demo *demo, const char *name, struct err *err)
{
    struct cli *cli = demo->cli;
    const msgpack_object *answer, *outcome;
    struct str text, line;
    struct buf params;
    enum err_code code = read_shared(demo, "profiles", name, &text, err);

    buf_init(&params, FILE_BYTES_MAX);
    while (code == ERR_OK && next_line(&text, &line)) {
        code = json_decode(line, &value_limits_default, cli->arena, &outcome, err);
        if (code != ERR_OK)
            break;
        buf_clear(&params);
        pack_value(&params, outcome);
        code = backend_call(cli, "outcome.put", buf_str(&params), cli->arena, &answer, err);
    }
    buf_fini(&params);
    return code;
}

static enum err_code
put_all_programmes(struct demo *demo, struct err *err)
{
    struct str folder = arena_format(demo->cli->arena, "%s/programmes", demo->share);
    char **names;
    size_t n;
    enum err_code code = file_list(folder.data, ".yaml", &names, &n, err);

    if (code != ERR_OK)
        return code;
    for (size_t i = 0; i < n && code == ERR_OK; i++)
        code = put_programme(demo, names[i], err);
    file_free_names(names, n);
    return code;
}

static bool
is_new_store(struct cli *cli)
{
    const msgpack_object *answer;
    struct err ignored = {0};
    int64_t profiles = 0;

    if (backend_call(cli, "system.stats", STR_LIT(""), cli->arena, &answer, &ignored) != ERR_OK)
        return false;
    value_int(value_find(value_find(answer, "index"), "profiles"), &profiles);
    return profiles == 0;
}

static void
say_next(struct cli *cli, const char *dir)
{
    page_gap();
    page_text(cli, 0, STR_LIT(""), tell_text(cli, "demo.next"));
    printf("  jumelage --data %s match bilocation --pairing hosting --for demo-startup-001 "
           "--explain --lang %s\n",
           dir, lang_code(cli->lang));
}

int
command_demo(struct cli *cli, int argc, char **argv)
{
    struct arguments arguments = options_parse(
        cli, "DIR",
        "Fills a new or empty folder with the shipped programmes, real organisations (public "
        "facts, with sources) and made-up startups.",
        NULL, argc, argv);
    struct demo demo = {.cli = cli};
    struct err err = {0};
    enum err_code code;

    if (arguments.n != 1)
        return fail_usage(cli, "demo", "demo takes one folder");
    if (cli->server != NULL)
        return fail_usage(cli, "demo",
                          "demo fills a folder of this machine, no service; leave --server out");
    cli->data = arguments.list[0];
    code = share_find(NULL, demo.share, sizeof demo.share, &err);
    if (code == ERR_OK)
        code = backend_open(cli, false, &err);
    if (code != ERR_OK)
        return fail(cli, &err);
    if (!is_new_store(cli)) {
        err_set(&err, ERR_CONFLICT, "%s holds profiles already; name a new folder", cli->data);
        return fail(cli, &err);
    }
    if ((code = put_profiles(&demo, "organisations.jsonl", &err)) != ERR_OK ||
        (code = put_profiles(&demo, "startups.jsonl", &err)) != ERR_OK ||
        (code = put_profiles(&demo, "demo-hosts.jsonl", &err)) != ERR_OK ||
        (code = put_all_programmes(&demo, &err)) != ERR_OK ||
        (code = put_outcomes(&demo, "outcomes.jsonl", &err)) != ERR_OK)
        return fail(cli, &err);
    page_text(cli, 0, STR_LIT(""), page_bold(cli, tell_text(cli, "demo.title")));
    page_text(cli, 0, STR_LIT(""), tell_text(cli, "demo.intro"));
    page_text(cli, 0, STR_LIT(""), tell_text(cli, "demo.real"));
    page_text(cli, 0, STR_LIT(""),
              TELL(cli, "demo.filled", {"profiles", tell_number(cli, demo.n_profiles)},
                   {"programmes", tell_number(cli, demo.n_programmes)}));
    say_next(cli, cli->data);
    return EX_OK;
}
