#ifndef JML_RECORDS_H
#define JML_RECORDS_H

#include "kv.h"

/* records: the readers of each table's values, for walks and the check. False: damaged. */
bool profile_record_read(struct str key, struct str bytes, struct profile_record *out);
bool version_record_read(struct str key, struct str bytes, struct version_record *out);
bool programme_record_read(struct str key, struct str bytes, struct programme_record *out);
bool outcome_record_read(struct str key, struct str bytes, struct outcome_record *out);
bool journal_record_read(struct str key, struct str bytes, struct journal_record *out);
struct key key_of_vector(const struct digest *lexicon, struct str id);
/* What stands behind the checksum. */
bool profile_fields_read(struct record_reader *reader, struct profile_record *out);
bool vector_fields_read(struct record_reader *reader, uint64_t *made_of, struct str *bytes);
/* Fills version->record: from the archive, or from the current profile. */
enum err_code version_find_record(struct store_read *read, struct str id,
                                  struct version_record *version, struct err *err);

#endif
