#ifndef JML_TELL_H
#define JML_TELL_H

#include "catalogue.h"
#include "cli.h"
#include "str.h"
#include "value.h"

/*
 * tell: the tool's own words, from data/messages, in the language asked for.
 */
/* A message with its placeholders filled: pairs of name (const char *) and value (struct str), ended by
 * a NULL name. */
struct str tell(struct cli *cli, const char *key, const struct catalogue_argument *arguments);
#define TELL(cli, key, ...) \
    tell((cli), (key), (const struct catalogue_argument[]){__VA_ARGS__, {NULL, {NULL, 0}}})
struct str tell_text(struct cli *cli, const char *key);
struct str tell_number(struct cli *cli, int64_t number); /* 7 412 / 7,412 */
struct str tell_date_ms(struct cli *cli, int64_t ms);
struct str tell_date(struct cli *cli, struct str iso); /* 2025-12-31 → 31/12/2025 */
/* A code of a vocabulary by its label; the code itself where it has none. */
struct str tell_code(struct cli *cli, enum vocabulary_id vocabulary, struct str code);
struct str tell_list(struct cli *cli, const struct str *items, size_t n);

/* A value as JSON on standard output: indented on a terminal, one line elsewhere. */
void print_json(struct cli *cli, const msgpack_object *value);

/* One error line on standard error, and the exit status for it. */
int fail(struct cli *cli, const struct err *err);
/* A usage fault: the sentence, a hint to --help, EX_USAGE. */
int fail_usage(struct cli *cli, const char *command, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* The end for lack of memory. */
_Noreturn void fail_memory(void);

#endif
