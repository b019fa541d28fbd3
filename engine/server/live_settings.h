#ifndef JML_LIVE_SETTINGS_H
#define JML_LIVE_SETTINGS_H

#include "config.h"
#include "service.h"

/*
 * live_settings: those that may change while a service runs (setting_row.is_live), put in force.
 *
 * At the start and at each SIGHUP, on the main loop's thread. All or nothing: what can fail is tried
 * before the first is changed. Each limit is read by itself, so others see it change between two
 * looks, never half.
 */
enum err_code live_settings_apply(const struct config *config, struct service *service,
                                  struct err *err);

/*
 * SIGHUP: reads the command line and the file of `started` again, and the certificate and its key. Logs
 * `reloaded`, with a line `reload.waits` for each setting that takes a restart; or `reload.failed`
 * with the sentence, and the settings stay as they were. The vocabularies with the lexicon, and the
 * console's files, parts of their own, are asked for anew of the engine and of console.h, which go on
 * beside the service and log the same of them. Reads a few small files on the main loop's thread.
 */
void live_settings_reload(const struct config *started, struct service *service);

#endif
