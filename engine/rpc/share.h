#ifndef JML_SHARE_H
#define JML_SHARE_H

#include "buf.h"
#include "err.h"
#include "lexicon.h"
#include "reference.h"

/*
 * share: the shared data folder: vocabularies, rates, phrases, lexicon, programmes, sample profiles.
 *
 * Where it is: the folder asked for; else JUMELAGE_SHARE; else `data` beside the build that the running
 * program lies in; else `share/jumelage` under the prefix it is installed in. Adding a row to a file
 * needs no rebuild. The site's own lexicon table is looked for in JUMELAGE_SITE, then in the folder.
 */
enum { SHARE_PATH_MAX = 4096 };

/* ERR_NOT_FOUND with a sentence that says where was looked. path: at least SHARE_PATH_MAX bytes. */
enum err_code share_find(const char *wanted, char *path, size_t size, struct err *err);

/* Bytes of files, read whole; in place, share_files_fini releases. */
struct share_files {
    struct buf reference_bytes[REFERENCE_FILE_COUNT];
    struct buf lexicon_bytes[LEXICON_FILE_COUNT];
    struct str reference[REFERENCE_FILE_COUNT], lexicon[LEXICON_FILE_COUNT];
};
enum err_code share_files_read(const char *share_dir, struct share_files *files, struct err *err);
void share_files_fini(struct share_files *files);

/* The reference tables alone: for what needs no store. */
enum err_code share_reference(const char *share_dir, struct reference **out, struct err *err);

#endif
