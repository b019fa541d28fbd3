#include "progress.h"

#include "clock.h"
#include "tell.h"

enum { SHOW_EVERY_MS = 100 };

void
progress_begin(struct progress *progress, struct cli *cli, const char *key, size_t of)
{
    *progress = (struct progress){.cli = cli, .key = key, .of = of};
}

void
progress_step(struct progress *progress, size_t n)
{
    struct cli *cli = progress->cli;
    const struct clock *clock = clock_system();
    struct arena_mark mark;
    int64_t now_ms;

    progress->n += n;
    if (!cli->is_asked_terminal)
        return;
    now_ms = clock->steady_ms(clock);
    if (now_ms - progress->shown_ms < SHOW_EVERY_MS)
        return;
    progress->shown_ms = now_ms;
    mark = arena_mark(cli->arena);
    struct str label = tell_text(cli, progress->key);
    struct str count = TELL(cli, "progress.of", {"n", tell_number(cli, (int64_t)progress->n)},
                            {"m", tell_number(cli, (int64_t)progress->of)});
    fprintf(stderr, "\r%.*s %.*s\x1b[K", STR_ARG(label), STR_ARG(count));
    arena_release(cli->arena, mark);
}

void
progress_end(struct progress *progress)
{
    if (progress->cli->is_asked_terminal && progress->shown_ms != 0)
        fputs("\r\x1b[K", stderr);
}
