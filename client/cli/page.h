#ifndef JML_PAGE_H
#define JML_PAGE_H

#include "cli.h"
#include "str.h"

/*
 * page: running text for people, wrapped to the terminal's width, on standard output.
 */
/* A paragraph: its first line behind `head` (which may be empty), the others indented alike. */
void page_text(const struct cli *cli, int indent, struct str head, struct str text);
/* Left and right on one line, apart by spaces; the right one at `width`. */
void page_line(const struct cli *cli, int indent, struct str left, struct str right);
void page_gap(void);
/* Emphasis on a terminal, none elsewhere or with NO_COLOR. */
struct str page_bold(const struct cli *cli, struct str text);
int page_columns(struct str text); /* columns that a text takes */

#endif
