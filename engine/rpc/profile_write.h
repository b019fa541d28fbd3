#ifndef JML_PROFILE_WRITE_H
#define JML_PROFILE_WRITE_H

#include "call.h"
#include "faults.h"
#include "profile.h"

/*
 * profile_write: one profile on its way into the store, the same for put, put_many, patch and merge.
 *
 * Prepared on the caller's thread (checked, encoded, its text vector made), then stored on the writer's. A
 * profile that is what is stored already changes nothing: no version, no journal entry.
 */
struct profile_write {
    struct profile_form form;
    struct made_vector vector;
};

/* All in the call's arena. On faults: ERR with the first, and all of them in call->error_details
 * when `tell_all`. The path begins with `path`. */
enum err_code profile_write_prepare(struct call *call, const msgpack_object *given,
                                    const char *path, bool tell_all, struct profile_write *out,
                                    struct err *err);

/* An encoded form as trees of the call's arena, as it would be read back from the store. */
enum err_code profile_form_decode(struct call *call, const struct profile_form *form,
                                  const msgpack_object **open, const msgpack_object **confidential,
                                  struct err *err);

struct profile_written {
    uint64_t version, seq;
    bool is_created, is_unchanged;
};
/* if_version: -1 for any; 0: must be new. Inside the transaction. */
enum err_code profile_write_store(struct call *call, const struct profile_write *write,
                                  int64_t if_version, struct profile_written *out, struct err *err);
/* {id, version, seq, created, unchanged} */
void profile_written_pack(struct buf *out, struct str id, const struct profile_written *written);
/* ERR_CONFLICT naming both versions; if_version as above, has_profile and version as stored. */
enum err_code version_check(const char *what, struct str id, int64_t if_version, bool exists,
                            uint64_t version, struct err *err);
int64_t call_if_version(const struct call *call); /* -1 when absent */

/* A stored profile as trees of the arena (its bytes are copied). confidential NULL if there is none. */
enum err_code profile_record_decode(const struct profile_record *record, struct arena *arena,
                                    const msgpack_object **open,
                                    const msgpack_object **confidential, struct err *err);
/* The profile as profile.get answers it, with `confidential` as its last key if it is to be seen. */
void profile_record_pack(struct buf *out, const struct profile_record *record,
                         bool with_confidential);
/* The profile as one tree, confidential included, without version, updated_at and seq. */
enum err_code profile_record_whole(const struct profile_record *record, struct arena *arena,
                                   const msgpack_object **whole, struct err *err);
/* A partner may touch its own profile only. */
enum err_code partner_check(const struct call *call, struct str id, struct err *err);

#endif
