#include "counts.h"
#include "tables.h"

#include <inttypes.h>

/*
 * frequencies.csv: how many documents hold each term. topics.csv: to which topics (a row of the
 * sectors or needs) a term pulls a text, for the words that two texts don't share but that belong to
 * one business: parking and traffic, fraud and bank.
 *
 * The pull of a term to a topic is
 *
 *     share = 6ths of the term with the topic / (6ths of the term with all topics + 6)
 *     pull  = 100 * share * rarity of the term / rarity of a term that no document holds
 *
 * so that words met with everything, or once only, pull little; kept are the three strongest of 5 and
 * more, where the term is met with the topic at least three times as often as terms are on average.
 */
enum {
    DOCUMENTS_MIN = 2,       /* rarer terms are left out; lexicon_documents counts them as 1 … */
    GRAM_DOCUMENTS_MIN = 10, /* … and grams as 5 */
    PULL_MIN = 5,
    PULLS_MAX = 3,
    LIFT_MIN = 3,
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

struct strongest { /* the first of them, by pull, then by name of the topic */
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

static size_t
write_pulls(const struct counts *counts, const struct counted *counted, uint64_t all_6,
            struct buf *out)
{
    uint64_t rarest = rarity_16(counts->n_documents, 0);
    uint64_t rarity = rarity_16(counts->n_documents, counted->documents);
    struct strongest kept = {.n = 0};
    uint64_t term_6 = 0;

    for (const struct met *met = counted->met; met != NULL; met = met->next)
        term_6 += met->share_6;
    for (const struct met *met = counted->met; met != NULL; met = met->next) {
        uint64_t pull = 100 * met->share_6 * rarity / ((term_6 + PRIOR_6) * rarest);

        if (pull >= PULL_MIN &&
            met->share_6 * all_6 >= LIFT_MIN * term_6 * counts->topic_6[met->topic])
            keep_strongest(counts, &kept, met->topic, (uint32_t)pull);
    }
    for (size_t i = 0; i < kept.n; i++)
        buf_printf(out, "%s,%.*s,%" PRIu32 "\n", counted->name,
                   STR_ARG(counts->topics[kept.topics[i]]), kept.pulls[i]);
    return kept.n;
}

static size_t
write_topics(const struct counts *counts, struct counted *const *list, size_t n, struct buf *out)
{
    uint64_t all_6 = 0;
    size_t n_written = 0;

    for (size_t i = 0; i < counts->n_topics; i++)
        all_6 += counts->topic_6[i];
    buf_append_text(out, "term,topic,pull\n");
    for (size_t i = 0; i < n; i++)
        if (list[i]->documents >= DOCUMENTS_MIN)
            n_written += write_pulls(counts, list[i], all_6, out);
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
