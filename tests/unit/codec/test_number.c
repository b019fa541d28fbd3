#include "cases.h"
#include "number.h"

#include <float.h>
#include <locale.h>
#include <math.h>
#include <stdint.h>

static const struct {
    double value;
    const char *text;
} format_cases[] = {
    {0.0, "0.0"},
    {-0.0, "-0.0"},
    {1.0, "1.0"},
    {-12.0, "-12.0"},
    {0.1, "0.1"},
    {1.5, "1.5"},
    {100000.0, "100000.0"},
    {1e22, "1e+22"},
    {1.0 / 3.0, "0.3333333333333333"},
    {0.1 + 0.2, "0.30000000000000004"},
    {DBL_MAX, "1.7976931348623157e+308"},
    {-DBL_MIN, "-2.2250738585072014e-308"},
    {5e-324, "4.94065645841247e-324"},
    {9007199254740993.0, "9007199254740992.0"},
    {123456789012345678.0, "1.2345678901234568e+17"},
};

CASES(number, is_written_so_that_it_reads_back, format_cases)
{
    char text[NUMBER_CHARS];
    double back;

    number_format(format_cases[*i].value, text);
    cr_expect_str_eq(text, format_cases[*i].text);
    cr_assert(number_parse(str_from(text), &back));
    cr_expect_eq(back, format_cases[*i].value);
    cr_expect_eq(signbit(back), signbit(format_cases[*i].value));
}

Test(number, any_value_reads_back)
{
    uint64_t state = 88172645463325252u;

    for (int k = 0; k < 20000; k++) {
        char text[NUMBER_CHARS];
        double value, back;

        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        memcpy(&value, &state, sizeof value);
        if (!isfinite(value))
            continue;
        number_format(value, text);
        cr_assert(number_parse(str_from(text), &back), "%s", text);
        cr_assert_eq(back, value, "%s", text);
    }
}

static const struct {
    const char *text;
    bool is_number;
    double value;
} parse_cases[] = {
    {"0", true, 0},       {"12", true, 12},      {"-12.5", true, -12.5},
    {"+3.", true, 3},     {".5", true, 0.5},     {"1e3", true, 1000},
    {"1E+3", true, 1000}, {"1e-3", true, 0.001}, {"1.5e300", true, 1.5e300},
    {"", false, 0},       {"-", false, 0},       {".", false, 0},
    {"+.", false, 0},     {"1e", false, 0},      {"1e+", false, 0},
    {"e3", false, 0},     {"1,5", false, 0},     {"1 ", false, 0},
    {" 1", false, 0},     {"0x10", false, 0},    {"inf", false, 0},
    {"nan", false, 0},    {"1e999", false, 0},   {"1.2.3", false, 0},
    {"--1", false, 0},    {"1_000", false, 0},
};

CASES(number, is_decimal_digits_and_nothing_else, parse_cases)
{
    double value = -1;

    cr_expect_eq(number_parse(str_from(parse_cases[*i].text), &value), parse_cases[*i].is_number,
                 "\"%s\"", parse_cases[*i].text);
    cr_expect_eq(value, parse_cases[*i].is_number ? parse_cases[*i].value : -1, "\"%s\"",
                 parse_cases[*i].text);
}

Test(number, of_a_thousand_characters_is_none)
{
    char text[1024];
    double value;

    memset(text, '1', sizeof text);
    cr_expect(number_parse((struct str){text, 300}, &value));
    text[0] = '.';
    cr_expect(number_parse((struct str){text, 1023}, &value));
    cr_expect_not(number_parse((struct str){text, 1024}, &value));
}

Test(number, keeps_its_point_in_a_locale_with_commas)
{
    char text[NUMBER_CHARS];
    double value;

    if (setlocale(LC_ALL, "fr_FR.UTF-8") == NULL && setlocale(LC_ALL, "de_DE.UTF-8") == NULL)
        cr_skip("no locale with decimal commas is installed");
    number_format(1.5, text);
    cr_expect_str_eq(text, "1.5");
    cr_expect(number_parse(STR_LIT("2.25"), &value));
    cr_expect_eq(value, 2.25);
}
