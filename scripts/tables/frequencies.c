#include "counts.h"
#include "tables.h"

#include <inttypes.h>

/*
 * frequencies.csv: how many documents hold each term. topics.csv: to which topics (a row of the
 * sectors, needs or themes) a term pulls a text, for the words that two texts don't share but that
 * belong to one business: parking and traffic, fraud and bank.
 *
 * The pull of a term to a topic is, in thousandths,
 *
 *     share = 6ths of the term with the topic / (6ths of the term with all topics + 6)
 *     pull  = 1000 * share * rarity of the term / rarity of a term that no document holds
 *
 * so that words met with everything, or once only, pull little; the strongest are kept.
 */
enum {
    DOCUMENTS_MIN = 2,       /* rarer terms are left out; lexicon_documents counts them as 1 … */
    GRAM_DOCUMENTS_MIN = 10, /* … and grams as 5 */
    PULL_MIN = 15,
    PULLS_MAX = 20,
    PRIOR_6 = 6,
};

static size_t
write_documents(const struct counts *counts, struct counted *const *list, size_t n, struct buf *out)
{
    size_t n_written = 0;

    buf_printf(out, "term,documents\n*,%" PRIu32 "\n", counts->n_documents);
    for (size_t i = 0; i < n; i++) {
        bool is_gram = term_class_of(list[i]->term) <= TERM_GRAM4;

        if (list[i]->documents < (is_gram ? GRAM_DOCUMENTS_MIN : DOCUMENTS_MIN))
            continue;
        buf_printf(out, "%s,%" PRIu32 "\n", list[i]->name, list[i]->documents);
        n_written++;
    }
    return n_written;
}

/* ---- topics ---- */

struct strongest { /* by pull, then by name of the topic */
    uint32_t topics[PULLS_MAX], pulls[PULLS_MAX];
    size_t n;
};

static void
keep_strongest(const struct counts *counts, struct strongest *kept, uint32_t topic, uint32_t pull)
{
    size_t at = kept->n;

    while (at > 0 &&
           (kept->pulls[at - 1] < pull ||
            (kept->pulls[at - 1] == pull &&
             str_compare(counts->topics[kept->topics[at - 1]], counts->topics[topic]) > 0)))
        at--;
    if (at == PULLS_MAX)
        return;
    if (kept->n < PULLS_MAX)
        kept->n++;
    for (size_t i = kept->n - 1; i > at; i--) {
        kept->topics[i] = kept->topics[i - 1];
        kept->pulls[i] = kept->pulls[i - 1];
    }
    kept->topics[at] = topic;
    kept->pulls[at] = pull;
}

static void
find_pulls(const struct counts *counts, const struct counted *counted, struct strongest *kept)
{
    uint64_t rarest = rarity_16(counts->n_documents, 0);
    uint64_t rarity = rarity_16(counts->n_documents, counted->documents);
    uint64_t term_6 = 0;

    kept->n = 0;
    for (const struct met *met = counted->met; met != NULL; met = met->next)
        term_6 += met->share_6;
    for (const struct met *met = counted->met; met != NULL; met = met->next) {
        uint64_t pull = PULL_WHOLE * met->share_6 * rarity / ((term_6 + PRIOR_6) * rarest);

        if (pull >= PULL_MIN)
            keep_strongest(counts, kept, met->topic, (uint32_t)pull);
    }
}

static size_t
write_topics(const struct counts *counts, struct counted *const *list, size_t n, struct buf *out)
{
    size_t n_written = counts->n_topics;

    buf_append_text(out, "term,pulls\n");
    for (size_t i = 0; i < counts->n_topics; i++)
        buf_printf(out, "t:%.*s,\n", STR_ARG(counts->topics[i]));
    for (size_t i = 0; i < n; i++) {
        struct strongest kept;

        if (list[i]->documents < DOCUMENTS_MIN)
            continue;
        find_pulls(counts, list[i], &kept);
        for (size_t j = 0; j < kept.n; j++)
            buf_printf(out, "%s%c%" PRIu32 ":%" PRIu32, j == 0 ? list[i]->name : "",
                       j == 0 ? ',' : ' ', kept.topics[j], kept.pulls[j]);
        if (kept.n > 0)
            buf_append_char(out, '\n');
        n_written += kept.n > 0;
    }
    return n_written;
}

enum err_code
tables_count(const char *data, const struct lexicon *lexicon, struct buf *frequencies,
             struct buf *topics, size_t *n_terms, size_t *n_pulls, struct err *err)
{
    struct counts counts;
    struct counted **list = NULL;
    size_t n = 0;
    enum err_code code = counts_make(data, lexicon, &counts, err);

    if (code == ERR_OK)
        code = counts_by_name(&counts, &list, &n, err);
    if (code == ERR_OK) {
        *n_terms = write_documents(&counts, list, n, frequencies);
        *n_pulls = write_topics(&counts, list, n, topics);
        code = buf_check(frequencies, err);
    }
    if (code == ERR_OK)
        code = buf_check(topics, err);
    counts_fini(&counts);
    return code;
}
