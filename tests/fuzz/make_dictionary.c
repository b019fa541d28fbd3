#include "method.h"
#include "schema.h"

#include <stdio.h>
#include <string.h>

/*
 * The dictionary of the targets that call methods, from the method table: names of methods, parameters
 * and roles, the words of choices, the fields of profiles. Each as it stands in JSON and as a msgpack
 * text, so that a new row is fuzzed with its own words.
 */
static void
word(const char *text, size_t n)
{
    if (n == 0 || n > 31)
        return;
    printf("\"\\\"%.*s\\\"\"\n\"\\x%02x%.*s\"\n", (int)n, text, 0xa0 | (unsigned)n, (int)n, text);
}

static void
words(const char *list)
{
    while (list != NULL && *list != '\0') {
        size_t n = strcspn(list, " ");

        word(list, n);
        list += n + (list[n] == ' ');
    }
}

static void
params(const struct param *list, size_t n)
{
    for (size_t i = 0; i < n && list[i].name != NULL; i++) {
        words(list[i].name);
        words(list[i].choices);
    }
}

int
main(void)
{
    for (const struct method *method = methods; method->name != NULL; method++) {
        const struct param *common[METHOD_COMMON_MAX];
        size_t n = method_common_params(method, common);

        printf("\"%s\"\n", method->name);
        words(method->name);
        if (method->params != NULL)
            params(method->params, SIZE_MAX);
        for (size_t i = 0; i < n; i++)
            params(common[i], 1);
    }
    for (int bit = 0; (1 << bit) <= ROLE_BATCH; bit++)
        printf("\"%s\"\n", role_name((enum role)(1 << bit)));
    for (int i = 0; i < FIELD_COUNT; i++) {
        words(schema[i].name);
        words(schema[i].kinds);
    }
    words("demo-startup-001 demo-startup-002 demo-host-01 bilocation hosting");
    return 0;
}
