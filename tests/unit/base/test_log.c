#include "cases.h"
#include "log.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

/* 2026-03-01T09:15:02.418Z */
static const int64_t wall_ms = INT64_C(1772356502418);

struct pipe_log {
    struct log log;
    struct clock clock;
    int reader;
    char text[LOG_LINE_BYTES * 2];
};

static void
start(struct pipe_log *it)
{
    int ends[2];

    cr_assert_eq(pipe(ends), 0);
    it->reader = ends[0];
    it->clock = clock_fixed(wall_ms, 0);
    log_init(&it->log, ends[1], LOG_LEVEL_INFO, &it->clock);
}

/* What was logged since the start. */
static const char *
finish(struct pipe_log *it)
{
    ssize_t n;

    close(it->log.fd);
    n = read(it->reader, it->text, sizeof it->text - 1);
    cr_assert_geq(n, 0);
    it->text[n] = '\0';
    close(it->reader);
    return it->text;
}

Test(log, one_event_is_one_line_with_time_level_event_and_fields)
{
    struct pipe_log it;

    start(&it);
    log_event(&it.log, LOG_LEVEL_INFO, "call.slow", log_text("method", "match.top"),
              log_int("ms", -312), log_bool("cached", true), log_str("peer", STR_LIT("a b")));
    cr_expect_str_eq(finish(&it), "2026-03-01T09:15:02.418Z info call.slow method=match.top "
                                  "ms=-312 cached=true peer=\"a b\"\n");
    cr_expect_eq(it.log.n_lost, 0);
}

Test(log, an_event_may_have_no_fields)
{
    struct pipe_log it;

    start(&it);
    log_event(&it.log, LOG_LEVEL_WARN, "server.ready", LOG_NO_FIELD);
    cr_expect_str_eq(finish(&it), "2026-03-01T09:15:02.418Z warn server.ready\n");
}

Test(log, lower_levels_are_left_out_and_no_log_is_fine)
{
    struct pipe_log it;

    start(&it);
    log_event(&it.log, LOG_LEVEL_DEBUG, "x", LOG_NO_FIELD);
    log_event(NULL, LOG_LEVEL_ERROR, "x", LOG_NO_FIELD);
    cr_expect_str_eq(finish(&it), "");
    cr_expect_not(log_is_on(&it.log, LOG_LEVEL_DEBUG));
    cr_expect(log_is_on(&it.log, LOG_LEVEL_INFO));
    cr_expect_not(log_is_on(NULL, LOG_LEVEL_ERROR));
}

static const struct {
    const char *says;
    struct str value;
    const char *shown;
} value_cases[] = {
    {"a plain word", STR_LIT("match.top"), "match.top"},
    {"nothing", STR_LIT(""), "\"\""},
    {"a space", STR_LIT("a b"), "\"a b\""},
    {"an equals sign would start a field", STR_LIT("a=b"), "\"a=b\""},
    {"a line end would start a line", STR_LIT("a\nb"), "\"a\\nb\""},
    {"quote and backslash", STR_LIT("a\"b\\c"), "\"a\\\"b\\\\c\""},
    {"control characters, NUL and escape", STR_LIT("\0\x1b[31m\x7f\r"),
     "\"\\x00\\x1b[31m\\x7f\\x0d\""},
    {"a control character of two bytes",
     STR_LIT("a\xC2\x9B"
             "b"),
     "\"a\\xc2\\x9bb\""},
    {"accents stay", STR_LIT("\xC3\xA9t\xC3\xA9"), "\"\xC3\xA9t\xC3\xA9\""},
    {"bytes that are not UTF-8", STR_LIT("caf\xE9"), "\"caf\\xe9\""},
};

CASES(log, values_are_escaped, value_cases)
{
    struct pipe_log it;
    char want[256];

    start(&it);
    log_event(&it.log, LOG_LEVEL_INFO, "e", log_str("v", value_cases[*i].value));
    snprintf(want, sizeof want, "2026-03-01T09:15:02.418Z info e v=%s\n", value_cases[*i].shown);
    cr_expect_str_eq(finish(&it), want, "%s", value_cases[*i].says);
}

Test(log, a_long_value_is_cut_at_a_whole_character)
{
    struct pipe_log it;
    char value[LOG_VALUE_BYTES + 50];
    const char *text;

    memset(value, 'a', sizeof value);
    memcpy(value + LOG_VALUE_BYTES - 1, "\xC3\xA9", 2);
    start(&it);
    log_event(&it.log, LOG_LEVEL_INFO, "e", log_str("v", (struct str){value, sizeof value}),
              log_int("after", 1));
    text = finish(&it);
    cr_expect_eq(strlen(text), strlen("2026-03-01T09:15:02.418Z info e v=\"\"... after=1\n") +
                                   LOG_VALUE_BYTES - 1);
    cr_expect_not_null(strstr(text, "a\"... after=1\n"));
}

Test(log, a_value_of_just_the_limit_is_whole)
{
    struct pipe_log it;
    char value[LOG_VALUE_BYTES + 1] = "";

    memset(value, 'a', LOG_VALUE_BYTES);
    start(&it);
    log_event(&it.log, LOG_LEVEL_INFO, "e", log_text("v", value));
    cr_expect_null(strstr(finish(&it), "..."));
}

Test(log, a_line_that_is_too_long_is_cut_after_a_whole_field)
{
    struct pipe_log it;
    char value[LOG_VALUE_BYTES + 1] = "";
    const char *text;

    memset(value, '\x01', LOG_VALUE_BYTES); /* four characters each in the line */
    start(&it);
    log_event(&it.log, LOG_LEVEL_INFO, "e", log_text("a", value), log_text("b", value),
              log_text("c", value));
    text = finish(&it);
    cr_expect_leq(strlen(text), LOG_LINE_BYTES);
    cr_expect_null(strstr(text, " b="));
    cr_expect_null(strstr(text, " c="));
    cr_expect_str_eq(text + strlen(text) - 19, "\\x01\\x01\" cut=true\n");
}

Test(log, a_field_without_a_key_is_left_out)
{
    struct pipe_log it;

    start(&it);
    log_event(&it.log, LOG_LEVEL_INFO, "e", log_text(NULL, "x"), log_int("n", 1));
    cr_expect_str_eq(finish(&it), "2026-03-01T09:15:02.418Z info e n=1\n");
}

Test(log, a_failure_is_told_with_code_sentence_path_and_origin)
{
    struct pipe_log it;
    struct err err;

    start(&it);
    err_set(&err, ERR_INVALID_PARAMS, "max 2 is less than min 5");
    err_at(&err, "raising");
    err.origin = "money.c:12";
    log_err(&it.log, LOG_LEVEL_WARN, "import.fault", "row 3", &err);
    cr_expect_str_eq(finish(&it),
                     "2026-03-01T09:15:02.418Z warn import.fault subject=\"row 3\" "
                     "code=invalid_params message=\"max 2 is less than min 5\" field=raising "
                     "origin=money.c:12\n");
}

Test(log, a_line_that_cannot_be_written_is_counted)
{
    struct clock clock = clock_fixed(0, 0);
    struct log log;

    log_init(&log, -1, LOG_LEVEL_DEBUG, &clock);
    log_event(&log, LOG_LEVEL_INFO, "e", LOG_NO_FIELD);
    log_event(&log, LOG_LEVEL_INFO, "e", LOG_NO_FIELD);
    cr_expect_eq(log.n_lost, 2);
}

Test(log, a_time_before_1970_is_right_too)
{
    struct pipe_log it;

    start(&it);
    it.clock = clock_fixed(-1, 0);
    log_event(&it.log, LOG_LEVEL_INFO, "e", LOG_NO_FIELD);
    cr_expect_str_eq(finish(&it), "1969-12-31T23:59:59.999Z info e\n");
}

Test(log, levels_have_names_that_read_back)
{
    for (int i = LOG_LEVEL_DEBUG; i <= LOG_LEVEL_ERROR; i++) {
        enum log_level level = LOG_LEVEL_DEBUG;

        cr_expect(log_level_parse(str_from(log_level_name((enum log_level)i)), &level));
        cr_expect_eq(level, (enum log_level)i);
    }
    cr_expect_not(log_level_parse(STR_LIT("loud"), &(enum log_level){LOG_LEVEL_INFO}));
}
