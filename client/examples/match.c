/*
 * match.c: the best counterparts of one profile, with the reasons of the first.
 *
 *     match ADDRESS PROGRAMME PAIRING ID [TOKEN_FILE]
 *
 * such as: match unix:/var/lib/jumelage/jumelage.sock bilocation hosting demo-startup-042
 */
#include <jumelage/jumelage.h>

#include <stdio.h>

static void
print_reasons(const msgpack_object *reasons)
{
    struct jml_reason reason;

    for (size_t i = 0; jml_reason_at(reasons, i, &reason); i++)
        printf("    %5d  %.*s\n", (int)reason.share_bp, (int)reason.sentence.len,
               reason.sentence.data);
}

static void
print_matches(const jml_result *result, const struct jml_match_list *list)
{
    struct jml_match match;

    printf("%lld considered, %lld eligible\n", (long long)list->considered,
           (long long)list->eligible);
    for (size_t i = 0; jml_match_at(result, i, &match); i++) {
        printf("%5d  %.*s\n", (int)match.score_bp, (int)match.name.len, match.name.data);
        if (i == 0) {
            print_reasons(match.from_reasons);
            print_reasons(match.to_reasons);
        }
    }
}

int
main(int argc, char **argv)
{
    struct jml_options options = JML_OPTIONS_INIT;
    struct jml_match_query query = JML_MATCH_QUERY_INIT;
    struct jml_match_list list;
    struct jml_error error;
    jml_client *client;
    jml_result *result;

    if (argc < 5) {
        fprintf(stderr, "usage: match ADDRESS PROGRAMME PAIRING ID [TOKEN_FILE]\n");
        return 64;
    }
    options.address = argv[1];
    options.token_file = argc > 5 ? argv[5] : NULL;
    options.client_name = "match example";
    if (jml_client_open(&options, &client, &error) != JML_OK) {
        fprintf(stderr, "match: %s\n", error.message);
        return 69;
    }

    query.programme = argv[2];
    query.pairing = argv[3];
    query.id = argv[4];
    query.k = 5;
    query.explain = true;
    query.language = "en";
    if (jml_match_top(client, &query, &list, &result, &error) != JML_OK) {
        fprintf(stderr, "match: %s: %s\n", error.name, error.message);
        jml_client_close(client);
        return 65;
    }
    print_matches(result, &list);

    jml_result_free(result); /* and with it every text above */
    jml_client_close(client);
    return 0;
}
