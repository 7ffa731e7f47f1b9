/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * record_blobs: attachments, and envelopes too large for a cell: which are wanted, which are
 * there.
 *
 * In the store:
 *	want/<hash hex>/<8 bytes hex>   a blob whose chunks are missing
 *	blob/<hash hex>        an attachment's content, raw
 */
#ifndef AMPARO_RECORD_BLOBS_H
#define AMPARO_RECORD_BLOBS_H

#include "blob.h"
#include "envelope.h"
#include "record.h"

/*
 * Blobs whose chunks are still missing: attachments, and spilled envelopes noted by
 * record_want_spilled.  The download looks for their tags among all cells it sees.
 */
struct want {
	struct blob_ref ref;
	bool is_envelope;            /* content goes to record_take, else to blob/<hash> */
	uint32_t since_day;
	bool has_cell;               /* of an envelope: the cell that named it, as in origin.h */
	uint8_t id[32], ds[32];
};
typedef enum perr want_fn(void *arg, const struct want *w);
PERR_MUST_CHECK enum perr record_wants(struct client *c, want_fn *fn, void *arg);
/* from: the cell that held ref; NULL: not known */
PERR_MUST_CHECK enum perr record_want_spilled(struct client *c, const struct origin *from,
                                             const struct blob_ref *ref);
/*
 * the content is whole and its hash is right: store or take it, forget the want; in a batch.
 * result  out: of record_take for an envelope; TAKE_NEW for an attachment
 */
PERR_MUST_CHECK enum perr record_have(struct client *c, const struct want *w,
                                     const uint8_t *data, size_t len,
                                     enum take_result *result);

/* blob/<hash hex> is there */
PERR_MUST_CHECK enum perr record_has_blob(struct client *c, const uint8_t hash[32], bool *has);
/* Whom nobody knows gets no more room than the policy gives to members: is the at-th
 * attachment of a statement beyond it?  at from 0 */
bool record_is_too_much(const struct client *c, const struct blob_ref *ref, uint32_t at);
/*
 * The attachments of st that are not there are wanted from now on, under the references that
 * env brings; in a batch.
 * is_known  in: its author is in the roster; else no more than the policy gives to members
 */
PERR_MUST_CHECK enum perr record_want_attachments(struct client *c, const struct envelope *env,
                                                 const struct statement *st, bool is_known);

#endif
