#ifndef JML_STORED_PROFILES_H
#define JML_STORED_PROFILES_H

#include "engine.h"

/*
 * stored_profiles: many made-up profiles, written into a store past the engine: as they lie there when a start reads
 * them, with neither facts nor text vectors of them yet.
 *
 * They share sectors, words and tags among some, each names another as a conflict, and one in four has a
 * confidential part. The same number gives the same profiles.
 */
enum err_code stored_profiles_put(struct engine *engine, int n, struct err *err);

#endif
