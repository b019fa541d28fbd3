#include "buf.h"
#include "file.h"
#include "fuzz.h"

#include <sys/stat.h>

/*
 * In the place of libFuzzer: gives each file that is named, and each file of each folder that is
 * named, to the target. No file at all is a failure: then nothing was tested.
 */
enum { FILE_BYTES_MAX = 64 * 1024 * 1024 };

static void
stop(const struct err *err)
{
    fprintf(stderr, "%s\n", err->message);
    exit(1);
}

static void
replay_file(const char *path)
{
    struct buf buf;
    struct err err;

    buf_init(&buf, FILE_BYTES_MAX);
    if (file_read(path, &buf, &err) != ERR_OK)
        stop(&err);
    fprintf(stderr, "%s\n", path); /* the last one named is the one that failed */
    LLVMFuzzerTestOneInput((const uint8_t *)buf.data, buf.len);
    buf_fini(&buf);
}

static size_t
replay_folder(const char *path)
{
    struct err err;
    char **names;
    size_t n;

    if (file_list(path, "", &names, &n, &err) != ERR_OK)
        stop(&err);
    for (size_t i = 0; i < n; i++) {
        char file[4096];

        snprintf(file, sizeof file, "%s/%s", path, names[i]);
        replay_file(file);
    }
    file_free_names(names, n);
    return n;
}

int
main(int argc, char **argv)
{
    size_t n = 0;

    for (int i = 1; i < argc; i++) {
        struct stat info;

        if (stat(argv[i], &info) == 0 && S_ISDIR(info.st_mode)) {
            n += replay_folder(argv[i]);
        } else {
            replay_file(argv[i]);
            n++;
        }
    }
    fprintf(stderr, "%zu inputs replayed\n", n);
    return n != 0 ? 0 : 1;
}
