#ifndef JML_CONFIG_H
#define JML_CONFIG_H

#include "arena.h"
#include "err.h"
#include "limit_table.h"
#include "log.h"
#include "sandbox.h"
#include "str.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * config: how a service is to run, from its command line and its file.
 *
 * One table says every setting's name, bounds, preset and sentence; the command line, the file (YAML, the
 * same names, and `limits:` a map of the names that system.hello shows) and --help read it. What
 * the command line says goes before the file. Texts live in the arena or in argv.
 */
enum { LISTEN_MAX = 16, HTTP_HOSTS_MAX = 64 };

struct config {
    const char *data_dir;
    const char *listen[LISTEN_MAX];
    size_t n_listen;
    const char *tls_cert, *tls_key; /* NULL: none */
    struct str http_hosts[HTTP_HOSTS_MAX];
    size_t n_http_hosts;
    const char *console_dir;  /* NULL: no files are served */
    int64_t threads, workers; /* 0: by the machine's processors */
    int64_t map_bytes;        /* 0: the store's own preset */
    int64_t drain_s;
    const char *file, *kernel, *admin_group;
    const char *backup_dir; /* NULL: backups in data_dir */
    enum log_level log_level;
    enum sandbox_mode sandbox;
    bool allows_plain_public, full_check, only_checks;
    int64_t limits[LIMIT_COUNT];
    int argc; /* as config_read was given */
    char **argv;
};

struct setting_row {
    const char *name, *argument; /* NULL: a flag */
    const char *text;
    int64_t preset, least, most;
    bool is_live; /* may change while running (live_settings.h) */
};
extern const struct setting_row setting_rows[]; /* ends with a NULL name; for the documents */

/* Ends the process with 64 and a hint on a fault of usage, with 0 after --help and --version.
 * ERR_INVALID_PARAMS naming the file, the line, the value and what would be right. */
enum err_code config_read(int argc, char **argv, struct arena *arena, struct config *out,
                          struct err *err);
/* The same command line, and its file as it is now. */
enum err_code config_reread(const struct config *config, struct arena *arena, struct config *out,
                            struct err *err);
/* Is a setting the same in both? */
bool config_agrees(const struct config *a, const struct config *b, const struct setting_row *row);
/* From a file's text alone, over what *config holds; `path` is for the sentences. */
enum err_code config_read_text(struct str text, const char *path, struct arena *arena,
                               struct config *config, struct err *err);
void config_presets(struct config *config);

#endif
