#include "page.h"

#include "tell.h"

#include <utf8proc.h>

#include <stdlib.h>

int
page_columns(struct str text)
{
    int columns = 0;

    for (size_t at = 0; at < text.len;) {
        utf8proc_int32_t point;
        utf8proc_ssize_t n = utf8proc_iterate((const utf8proc_uint8_t *)text.data + at,
                                              (utf8proc_ssize_t)(text.len - at), &point);

        if (text.data[at] == '\x1b') { /* emphasis takes no room */
            at = str_find(text, 'm', at) + 1;
            continue;
        }
        columns += n > 0 ? utf8proc_charwidth(point) : 1;
        at += n > 0 ? (size_t)n : 1;
    }
    return columns;
}

static void
spaces(int n)
{
    printf("%*s", n > 0 ? n : 0, "");
}

/* The words that fit: breaks at plain spaces only, so that no-break spaces hold together. */
static size_t
fitting(struct str text, int columns)
{
    size_t fits = 0;

    for (size_t at = 0; at <= text.len; at++) {
        if (at < text.len && text.data[at] != ' ')
            continue;
        if (page_columns((struct str){text.data, at}) > columns)
            break;
        fits = at;
    }
    return fits > 0 ? fits : str_find(text, ' ', 1);
}

void
page_text(const struct cli *cli, int indent, struct str head, struct str text)
{
    int used = page_columns(head);

    spaces(indent);
    printf("%.*s", STR_ARG(head));
    for (bool is_first = true; text.len > 0; is_first = false) {
        size_t n = fitting(text, cli->width - indent - used);

        if (!is_first)
            spaces(indent + used);
        printf("%.*s\n", (int)n, text.data);
        while (n < text.len && text.data[n] == ' ')
            n++;
        text = (struct str){text.data + n, text.len - n};
    }
}

void
page_line(const struct cli *cli, int indent, struct str left, struct str right)
{
    int gap = cli->width - indent - page_columns(left) - page_columns(right);

    spaces(indent);
    printf("%.*s", STR_ARG(left));
    spaces(gap > 2 ? gap : 2);
    printf("%.*s\n", STR_ARG(right));
}

void
page_gap(void)
{
    putchar('\n');
}

struct str
page_bold(const struct cli *cli, struct str text)
{
    if (!cli->is_terminal || getenv("NO_COLOR") != NULL)
        return text;
    return arena_format(cli->arena, "\x1b[1m%.*s\x1b[0m", STR_ARG(text));
}
