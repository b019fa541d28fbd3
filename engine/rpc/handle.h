#ifndef JML_HANDLE_H
#define JML_HANDLE_H

#include "call.h"

/*
 * handle: one function a method (method_table.c says which). `handle_…` reads and answers, or prepares a
 * write; `apply_…` runs on the writer's thread inside the transaction. Parameters have been checked
 * against the table. They fail with a sentence, answer on success only, and free nothing.
 */
enum err_code handle_system_hello(struct call *call, struct err *err);
enum err_code handle_system_ping(struct call *call, struct err *err);
enum err_code handle_system_methods(struct call *call, struct err *err);
enum err_code handle_system_stats(struct call *call, struct err *err);

enum err_code handle_backup_create(struct call *call, struct err *err);
enum err_code handle_backup_list(struct call *call, struct err *err);

enum err_code handle_profile_put(struct call *call, struct err *err);
enum err_code apply_profile_put(struct call *call, struct err *err);
enum err_code handle_profile_put_many(struct call *call, struct err *err);
enum err_code apply_profile_put_many(struct call *call, struct err *err);
enum err_code handle_profile_patch(struct call *call, struct err *err);
enum err_code apply_profile_patch(struct call *call, struct err *err);
enum err_code handle_profile_delete(struct call *call, struct err *err);
enum err_code apply_profile_delete(struct call *call, struct err *err);
enum err_code handle_profile_get(struct call *call, struct err *err);
enum err_code handle_profile_list(struct call *call, struct err *err);
enum err_code handle_profile_history(struct call *call, struct err *err);
enum err_code handle_profile_schema(struct call *call, struct err *err);
enum err_code handle_profile_duplicates(struct call *call, struct err *err);
enum err_code apply_profile_merge(struct call *call, struct err *err);
enum err_code apply_profile_unmerge(struct call *call, struct err *err);

enum err_code handle_programme_put(struct call *call, struct err *err);
enum err_code apply_programme_put(struct call *call, struct err *err);
enum err_code handle_programme_check(struct call *call, struct err *err);
enum err_code handle_programme_get(struct call *call, struct err *err);
enum err_code handle_programme_list(struct call *call, struct err *err);
enum err_code apply_programme_delete(struct call *call, struct err *err);

enum err_code apply_outcome_put(struct call *call, struct err *err);
enum err_code handle_outcome_list(struct call *call, struct err *err);

enum err_code handle_match_each(struct call *call, struct err *err);
enum err_code handle_match_top(struct call *call, struct err *err);
enum err_code handle_match_explain(struct call *call, struct err *err);
enum err_code handle_match_whatif(struct call *call, struct err *err);

enum err_code handle_match_watch(struct call *call, struct err *err);
enum err_code handle_match_unwatch(struct call *call, struct err *err);

enum err_code handle_token_create(struct call *call, struct err *err);
enum err_code apply_token_create(struct call *call, struct err *err);
enum err_code handle_token_list(struct call *call, struct err *err);
enum err_code apply_token_revoke(struct call *call, struct err *err);

enum err_code handle_journal_list(struct call *call, struct err *err);
enum err_code handle_journal_verify(struct call *call, struct err *err);

#endif
