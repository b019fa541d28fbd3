#include "match_page.h"

#include "answers.h"
#include "backend.h"
#include "page.h"
#include "tell.h"

#include <stdlib.h>

enum { SHARE_COLUMNS = 8 };

struct str
match_programme_name(struct cli *cli, struct str id)
{
    const msgpack_object *programme;
    struct err ignored = {0};
    struct buf params;
    struct str name;

    buf_init(&params, 1024);
    pack_map(&params, 1);
    pack_key_str(&params, "id", id);
    enum err_code code =
        backend_call(cli, "programme.get", buf_str(&params), cli->arena, &programme, &ignored);
    buf_fini(&params);
    if (code != ERR_OK)
        return id;
    name = text_of(value_find(programme, "name"), lang_code(cli->lang));
    return name.len > 0 ? name : id;
}

void
match_page_none(struct cli *cli, const char *min_score)
{
    if (min_score == NULL)
        page_text(cli, 0, STR_LIT(""), tell_text(cli, "match.none"));
    else
        page_text(cli, 0, STR_LIT(""),
                  TELL(cli, "match.none_above",
                       {"min_score", tell_number(cli, strtoll(min_score, NULL, 10))}));
}

struct str
match_of_ten_thousand(struct cli *cli, int64_t score)
{
    return TELL(cli, "number.per_ten_thousand", {"n", tell_number(cli, score)});
}

/* The share on the left, right-aligned, then the sentence. */
static void
print_reason(struct cli *cli, const msgpack_object *reason)
{
    struct str share = tell_number(cli, number_of(reason, "share"));
    struct str sentence = text_of(reason, "sentence");
    int pad = SHARE_COLUMNS - 2 - page_columns(share);
    struct str head = arena_format(cli->arena, "%*s%.*s  ", pad > 0 ? pad : 0, "", STR_ARG(share));

    page_text(cli, 4, head, sentence);
}

void
match_page_view(struct cli *cli, const msgpack_object *reasons, struct str name, int64_t view)
{
    struct str title = TELL(cli, "view.of", {"name", name});

    page_line(cli, 4, title, match_of_ten_thousand(cli, view));
    if (value_size(reasons) == 0)
        page_text(cli, 4 + SHARE_COLUMNS, STR_LIT(""), tell_text(cli, "view.empty"));
    for (size_t i = 0; i < value_size(reasons); i++)
        print_reason(cli, value_at(reasons, i));
}

/* What would help, each once; what is not filled in first. */
static size_t
print_helps(struct cli *cli, const msgpack_object *reasons, bool known, const char *key,
            struct str *said, size_t n_said, size_t most)
{
    for (size_t i = 0; i < value_size(reasons) && n_said < most; i++) {
        const msgpack_object *reason = value_at(reasons, i);
        struct str help = text_of(reason, "help");
        bool is_new = help.len > 0 && flag_of(reason, "known") == known;

        for (size_t j = 0; j < n_said && is_new; j++)
            is_new = !str_equal(said[j], help);
        if (!is_new)
            continue;
        if (n_said == 0)
            page_text(cli, 4, STR_LIT(""), tell_text(cli, key));
        page_text(cli, 6, STR_LIT("- "), help);
        said[n_said++] = help;
    }
    return n_said;
}

void
match_page_helps(struct cli *cli, const msgpack_object *from, const msgpack_object *to)
{
    enum { MOST = 8 };
    struct str said[MOST];
    size_t n = print_helps(cli, from, false, "match.missing", said, 0, MOST);

    print_helps(cli, to, false, "match.missing", said, n, MOST);
    n = print_helps(cli, from, true, "match.help", said, 0, MOST);
    print_helps(cli, to, true, "match.help", said, n, MOST);
}

void
match_page_coverage(struct cli *cli, int64_t coverage)
{
    page_text(cli, 4, STR_LIT(""),
              TELL(cli, "match.coverage", {"coverage", tell_number(cli, coverage)}));
}
