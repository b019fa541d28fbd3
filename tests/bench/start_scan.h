#ifndef JML_START_SCAN_H
#define JML_START_SCAN_H

#include "err.h"

#include <stdint.h>

/*
 * start_scan: what the start of an engine is held against: every profile of a store read through LMDB
 * alone and given to msgpack-c, nothing checked, nothing kept.
 *
 * Reads the open part of each record where it lies (record.h, profiles.c), on one thread, while nobody
 * has the store open.
 */
struct start_scan {
    uint64_t n, bytes, objects;
};
enum err_code start_scan(const char *folder, struct start_scan *out, struct err *err);

#endif
