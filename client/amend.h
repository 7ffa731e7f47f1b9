/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * amend: the corrected answers of an interview, sealed to its desk.  PROTOCOL 4.2 kind 2, 4.5.
 *
 * A device that kept nothing of the interview needs its code and form alone, and learns
 * nothing of it.  On a reader's device that has the record the amendment names what it knew
 * of, and so settles on what earlier ones differ.
 */
#ifndef AMPARO_AMEND_H
#define AMPARO_AMEND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "case_code.h"
#include "client.h"
#include "dispatch.h"
#include "intake.h"
#include "perr.h"
#include "statement.h"

/* ---- changes, one for each path ----------------------------------------------------- */

struct amend_change {
	char *path;                      /* canonical (merge_path); those it adds are "[+1]" */
	char *value;                     /* ended by a zero; NULL: taken away */
};
struct amend_list {
	size_t n;
	struct amend_change at[STATEMENT_CHANGES];
};
/*
 * A later word about a path takes the place of the earlier one.
 * PERR_FORMAT: no path.  PERR_LIMIT: STATEMENT_CHANGES.  PERR_RANGE: over 65,536 bytes.
 */
PERR_MUST_CHECK enum perr amend_set(struct amend_list *l, const char *path, const char *value);
void amend_unset(struct amend_list *l, size_t at);
/* NULL: nothing is said of it */
const struct amend_change *amend_find(const struct amend_list *l, const char *path);
void amend_clear(struct amend_list *l);          /* wipes */
/* as bytes, for a draft; out: for doc_free */
PERR_MUST_CHECK enum perr amend_encode(const struct amend_list *l, uint8_t **out, size_t *len);
/* l: empty.  PERR_CORRUPT */
PERR_MUST_CHECK enum perr amend_decode(struct amend_list *l, const uint8_t *in, size_t len);
/* the number of the next one that this amendment adds to a repeat: "/data/child" -> 1.. */
unsigned amend_next_added(const struct amend_list *l, const char *repeat);

/* ---- sealing ------------------------------------------------------------------------ */

struct amend {
	const char *code;                /* canonical */
	const char *form_id, *form_version;
	const struct amend_list *changes;
	const struct intake_file *files; /* named by the changes */
	size_t n_files;
	/* as intake.in_batch */
	enum perr (*in_batch)(void *ctx);
	void *in_batch_ctx;
};
struct amend_receipt {
	char desk_name[CHARTER_NAME_MAX + 1];
	uint32_t n_readers;              /* holders it was sealed to; this member's copy is kept beside */
	uint32_t n_holders;              /* holders the desk has */
	size_t n_cells;
	uint32_t group;                  /* of the outbox */
	bool is_here;                    /* the interview is on this device, and it was merged */
	uint32_t n_conflicts;            /* is_here: answers on which corrections still differ */
};
/*
 * Which record the code means on this device.
 * PERR_NOTFOUND: none.  PERR_EXISTS: several.
 */
PERR_MUST_CHECK enum perr amend_record(struct client *c, const char *code,
                                      uint8_t record[STATEMENT_RECORD_SIZE]);
/*
 * Seal it and put it into the outbox, all in one batch.
 * why  out: after an error a sentence that says what to do, or ""
 * PERR_RANGE: nothing to change.  PERR_REFUSED: the desk is not trusted here, or a file is
 * over the roster's limits.  PERR_NOTFOUND: form or desk not listed, no holder has a prekey.
 */
PERR_MUST_CHECK enum perr amend_seal(struct client *c, const struct amend *am,
                                    struct amend_receipt *r, char why[DISPATCH_WHY]);

#endif
