/* The tool's backups, restores and erasures, as an operator runs them. */
#include "tool.h"

#include <criterion/criterion.h>

static struct tool tool;

static void
setup(void)
{
    tool_begin(&tool);
    tool_run(&tool, "demo store");
}

static void
teardown(void)
{
    tool_end(&tool);
}

TestSuite(tool_backup, .init = setup, .fini = teardown);

Test(tool_backup, a_store_comes_back_from_its_backup)
{
    tool_expect(&tool, "backup create nightly --format table", 0);
    cr_expect(tool_said(&tool, "Backup made and checked: store/backups/nightly"), "%.*s",
              STR_ARG(tool.out));
    tool_expect(&tool, "backup create nightly", 65);
    cr_expect(tool_complained(&tool, "there is a backup \"nightly\" already"));
    tool_expect(&tool, "backup list --format csv", 0);
    cr_expect(tool_said(&tool, "nightly,"));
    tool_expect(&tool, "restore store/backups/nightly --data again --format table", 0);
    cr_expect(tool_said(&tool, "Restored to again"));
    cr_expect(tool_said(&tool, "No erasure ledger was given"));
    tool_expect(&tool, "profile get demo-startup-001 --data again", 0);
    tool_expect(&tool, "restore store/backups/nightly --data again", 65);
    tool_expect(&tool, "restore store/backups/none --data third", 66);
    tool_expect(&tool, "restore store --data third", 66);
    tool_expect(&tool, "restore", 64);
    tool_expect(&tool, "backup create", 64);
}

Test(tool_backup, an_erasure_asks_first_and_is_applied_to_an_older_backup)
{
    tool_expect(&tool, "backup create before", 0);
    tool_expect(&tool, "profile delete demo-startup-001 --erase", 64);
    cr_expect(tool_complained(&tool, "--yes is needed"), "%.*s", STR_ARG(tool.err));
    tool_expect(&tool, "profile delete demo-startup-001 --erase --yes --format table", 0);
    cr_expect(tool_said(&tool, "Erased: demo-startup-001"));
    tool_expect(&tool, "profile history demo-startup-001", 66);
    tool_expect(&tool, "restore store/backups/before --data again --ledger store", 0);
    cr_expect(tool_said(&tool, "\"erased\":1"), "%.*s", STR_ARG(tool.out));
    tool_expect(&tool, "profile get demo-startup-001 --data again", 66);
    tool_expect(&tool, "journal verify --data again", 0);
}
