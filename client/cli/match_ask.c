#include "match_ask.h"

#include "backend.h"
#include "options.h"

void
match_pack_text_if(struct buf *out, const char *key, const char *text, size_t *n)
{
    if (text == NULL)
        return;
    pack_key_text(out, key, text);
    ++*n;
}

enum err_code
match_ask_top(struct cli *cli, const char *programme, const char *id,
              const struct match_options *options, struct arena *arena,
              const msgpack_object **result, struct err *err)
{
    struct buf params;
    struct pack_open map;
    size_t n = 2;
    enum err_code code;

    buf_init(&params, MATCH_PARAMS_BYTES_MAX);
    map = pack_map_open(&params);
    pack_key_text(&params, "programme", programme);
    pack_key_text(&params, "id", id);
    match_pack_text_if(&params, "pairing", options->pairing, &n);
    match_pack_text_if(&params, "side", options->side, &n);
    match_pack_text_if(&params, "day", options->day, &n);
    if (options->k != NULL) {
        pack_key_int(&params, "k", option_number(cli, "match", "-k", options->k, 1, 1000));
        n++;
    }
    if (options->min_score != NULL) {
        pack_key_int(&params, "min_score",
                     option_number(cli, "match", "--min-score", options->min_score, 0, 10000));
        n++;
    }
    if (options->explains) {
        pack_key_bool(&params, "explain", true);
        n++;
    }
    pack_key_text(&params, "lang", lang_code(cli->lang));
    pack_close(&params, map, n + 1);
    code = backend_call(cli, "match.top", buf_str(&params), arena, result, err);
    buf_fini(&params);
    return code;
}
