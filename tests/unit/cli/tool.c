#include "tool.h"

#include "buf.h"
#include "file.h"
#include "json.h"

#include <criterion/criterion.h>

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

void
tool_begin(struct tool *tool)
{
    *tool = (struct tool){.arena = arena_create(1 << 28)};
    snprintf(tool->dir, sizeof tool->dir, "/tmp/jumelage-tool-XXXXXX");
    cr_assert_not_null(mkdtemp(tool->dir));
    setenv("JUMELAGE_SHARE", JML_DATA, 1);
    setenv("JUMELAGE_DATA", "store", 1);
    setenv("LC_ALL", "C.UTF-8", 1);
    unsetenv("JUMELAGE_SERVER");
    unsetenv("JUMELAGE_TOKEN_FILE");
    unsetenv("JUMELAGE_CA_FILE");
    unsetenv("JUMELAGE_SITE");
}

static int
remove_one(const char *path, const struct stat *st, int flag, struct FTW *walk)
{
    (void)st, (void)flag, (void)walk;
    return remove(path);
}

void
tool_end(struct tool *tool)
{
    arena_destroy(tool->arena);
    nftw(tool->dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static struct str
slurp(struct tool *tool, const char *name)
{
    struct buf bytes;
    struct str text;
    struct err err = {0};

    buf_init(&bytes, 1 << 27);
    cr_assert_eq(file_read(arena_format(tool->arena, "%s/%s", tool->dir, name).data, &bytes, &err),
                 ERR_OK, "%s", err.message);
    text = arena_str(tool->arena, buf_str(&bytes));
    buf_fini(&bytes);
    return text;
}

void
tool_run(struct tool *tool, const char *arguments)
{
    struct str command = arena_format(tool->arena, "cd %s && { %s %s ; } >.out 2>.err </dev/null",
                                      tool->dir, JML_TOOL, arguments);
    int status = system(command.data); /* NOLINT: a test's own words */

    cr_assert(WIFEXITED(status), "%s ended by a signal", arguments);
    tool->status = WEXITSTATUS(status);
    tool->out = slurp(tool, ".out");
    tool->err = slurp(tool, ".err");
    cr_assert_null(memmem(tool->err.data, tool->err.len, "Sanitizer", 9), "%.*s",
                   STR_ARG(tool->err));
}

void
tool_expect(struct tool *tool, const char *arguments, int status)
{
    tool_run(tool, arguments);
    cr_expect_eq(tool->status, status, "%s: %d, not %d\n%.*s%.*s", arguments, tool->status, status,
                 STR_ARG(tool->out), STR_ARG(tool->err));
}

static bool
holds(struct str all, const char *text)
{
    return all.len > 0 && memmem(all.data, all.len, text, strlen(text)) != NULL;
}

bool
tool_said(const struct tool *tool, const char *text)
{
    return holds(tool->out, text);
}

bool
tool_complained(const struct tool *tool, const char *text)
{
    return holds(tool->err, text);
}

void
tool_write(struct tool *tool, const char *name, struct str bytes)
{
    struct err err = {0};

    cr_assert_eq(file_write(arena_format(tool->arena, "%s/%s", tool->dir, name).data, bytes.data,
                            bytes.len, 0600, &err),
                 ERR_OK, "%s", err.message);
}

const msgpack_object *
tool_json(struct tool *tool)
{
    const msgpack_object *value;
    struct err err = {0};
    struct str line = {tool->out.data, str_find(tool->out, '\n', 0)};

    cr_assert_eq(json_decode(line, &value_limits_default, tool->arena, &value, &err), ERR_OK, "%s",
                 err.message);
    return value;
}
