#ifndef JML_ROSTER_H
#define JML_ROSTER_H

#include "err.h"
#include "facts.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * roster: all profiles of a store as scoring sees them, at one seq.
 *
 * A published roster is immutable and counted: a match holds the one it started with while the writer
 * makes the next, sharing every chunk that did not change. Rows are numbers for inside use; they are
 * given out in order of arrival and never mean anything outside (ranking goes by score and id).
 *
 * roster_hold/drop from any thread. roster_edit … roster_publish: the writer's thread only.
 */
struct roster;

struct outcome {
    uint32_t other; /* row of the other party */
    int32_t day;
    bool is_positive;
};
struct record { /* the outcomes of one profile, on either side, in order of day, then of arrival */
    _Atomic uint32_t references;
    uint32_t n;
    struct outcome outcomes[];
};

enum { ROSTER_NO_ROW = UINT32_MAX };

struct roster *roster_hold(struct roster *roster);
void roster_drop(struct roster *roster);
uint64_t roster_seq(const struct roster *roster);
uint32_t roster_rows(const struct roster *roster);     /* rows, the empty ones too */
uint32_t roster_profiles(const struct roster *roster); /* rows that hold a profile */
const struct facts *roster_facts(const struct roster *roster, uint32_t row);   /* NULL: empty row */
const struct record *roster_record(const struct roster *roster, uint32_t row); /* NULL: none */
/* ROSTER_NO_ROW if no profile of that id is there now. */
uint32_t roster_find(const struct roster *roster, struct str id);
/* Has the texts of all profiles at hand; fails as facts_need_text. */
enum err_code roster_need_texts(const struct roster *roster, struct err *err);
/* Memory of rows, facts, records and columns, and of what searches made of them so far; but for the
 * texts that a keeper counts. */
size_t roster_bytes(const struct roster *roster);
/* The same profiles as columns (columns.h), and where a row stands in them: block and place in the table
 * of its kind and metro. NO_PLACE for an empty row. */
struct columns;
const struct columns *roster_columns(const struct roster *roster);
uint32_t roster_place(const struct roster *roster, uint32_t row);

struct roster_edit;
struct roster_edit *roster_edit_begin(struct roster *base); /* base NULL: from nothing */
/* So many ids will be there: their table is made at once. */
void roster_edit_reserve(struct roster_edit *edit, uint32_t n);
/* These facts will soon be put: what is looked at for that begins to come from memory, in three steps. */
void roster_edit_foresee(const struct roster_edit *edit, const struct facts *facts);
void roster_edit_foresee_facts(const struct roster_edit *edit, const struct facts *facts);
void roster_edit_foresee_values(const struct roster_edit *edit, const struct facts *facts);
/* Takes the reference, also where it fails. A new id gets a new row; a known one keeps its own, for
 * good: deleted and put again it has its row and its record back. A change that failed was not made. */
enum err_code roster_edit_put(struct roster_edit *edit, struct facts *facts, struct err *err);
/* Unknown id: nothing. ERR_BUSY if memory ends, and then roster_publish fails as well. */
enum err_code roster_edit_delete(struct roster_edit *edit, struct str id);
/* Both sides' records; an id never seen gets a row that holds no profile. */
enum err_code roster_edit_outcome(struct roster_edit *edit, struct str from, struct str to,
                                  int32_t day, bool is_positive, struct err *err);
/* The next roster; edit is gone. Needs no memory: NULL with err only after a roster_edit_delete that
 * failed. Of two edits on one base (or its successors), the first must have ended before the
 * second begins. */
struct roster *roster_publish(struct roster_edit *edit, uint64_t seq, struct err *err);
void roster_edit_abandon(struct roster_edit *edit);

#endif
