/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * dispatch: statements and attachments on their way into the outbox.
 *
 *	dispatch_new       nothing is touched yet
 *	dispatch_blob …    seals attachments; the slow part, before any batch
 *	dispatch_begin     opens the batch: sequence numbers belong to this process now
 *	dispatch_send …    signs a statement and seals it to its readers
 *	dispatch_commit    cells, sequence numbers and own copies, all in one batch
 *	dispatch_free      wipes; without a commit nothing has happened
 *
 * After the commit the device holds sealed cells and, where keep was asked for, the
 * statement among its own records; no code, no record id, no erase secret.
 *
 * In the store: seq/<to hex>, the last number used towards `to`, as u32; for the desks of
 * the roster also before the first one was used (dispatch_level).
 */
#ifndef AMPARO_DISPATCH_H
#define AMPARO_DISPATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "blob.h"
#include "client.h"
#include "desk.h"
#include "perr.h"
#include "statement.h"

#define DISPATCH_WHY 320         /* one sentence for a person, without a full stop before it */

struct dispatch;

struct dispatch *dispatch_new(struct client *c);        /* NULL: out of memory */
void dispatch_free(struct dispatch *d);                 /* NULL is harmless */

/* whoever a statement is sealed to today */
struct dispatch_readers {
	uint32_t n;
	uint8_t pk[CHARTER_HOLDERS_MAX][32];
	uint32_t n_holders;              /* of the desk, counted as n is; paper only if it is in pk */
	bool has_paper;
	uint32_t paper;                  /* which of pk is the paper holder's, if there is one */
	char desk_name[CHARTER_NAME_MAX + 1];
};
/*
 * The holders of a desk with the prekeys of today.
 *
 * with_self  in: this member too, if it is one of them
 * why  out: after PERR_REFUSED and PERR_NOTFOUND one sentence that says what to do
 *
 * PERR_REFUSED: the desk is not trusted on this device: never sealed to.  PERR_NOTFOUND:
 * no such desk in the roster; or other holders, none of whom has published a prekey.
 * PERR_OK with n 0: this member is the only holder.
 */
PERR_MUST_CHECK enum perr dispatch_desk(struct client *c, const uint8_t desk_id[32],
                                       bool with_self, struct dispatch_readers *r,
                                       char why[DISPATCH_WHY]);
/* The co-holders who have vaults: as above, without this member and a paper holder. */
PERR_MUST_CHECK enum perr dispatch_vaults(struct client *c, const uint8_t desk_id[32],
                                         struct dispatch_readers *r, char why[DISPATCH_WHY]);
/* one member.  PERR_NOTFOUND: no prekey of theirs is known; why as above */
PERR_MUST_CHECK enum perr dispatch_member(struct client *c, const uint8_t key[32],
                                         struct dispatch_readers *r, char why[DISPATCH_WHY]);

/* Seal content as chunks under a fresh key.  ref out: secret, wipe.  PERR_RANGE: too large */
PERR_MUST_CHECK enum perr dispatch_blob(struct dispatch *d, const uint8_t *data, size_t len,
                                       struct blob_ref *ref);

PERR_MUST_CHECK enum perr dispatch_begin(struct dispatch *d);
/*
 * st       in/out: kind, day, to, record and body by the caller; author, sequence and header
 *          are set here
 * refs     in: n_refs references of attachments, or NULL
 * r        in: readers; none: the statement is only kept
 * keep     in: also among this member's own records
 */
PERR_MUST_CHECK enum perr dispatch_send(struct dispatch *d, struct statement *st,
                                       const struct blob_ref *refs, size_t n_refs,
                                       const struct dispatch_readers *r, bool keep);
/* a statement as it was signed, to be passed on in the same batch */
struct dispatch_made {
	uint8_t *bytes;                  /* owned: dispatch_made_wipe */
	size_t len;
	uint8_t sig[SIGNED_SIG_SIZE], hash[32];
};
/* the same as dispatch_send, and made out: what was signed; to be wiped in any case */
PERR_MUST_CHECK enum perr dispatch_send_made(struct dispatch *d, struct statement *st,
                                            const struct blob_ref *refs, size_t n_refs,
                                            const struct dispatch_readers *r, bool keep,
                                            struct dispatch_made *made);
void dispatch_made_wipe(struct dispatch_made *made);
/*
 * Seal an envelope as it came, with its opening and references, to these readers: what is
 * handed on.  Between dispatch_begin and dispatch_commit.
 */
PERR_MUST_CHECK enum perr dispatch_envelope(struct dispatch *d, const uint8_t *envelope,
                                           size_t len, const struct dispatch_readers *r);
/*
 * As dispatch_send, with a number of the caller's own, for custody statements: it uses up
 * none of the numbers towards st->to.  Nothing is kept.
 */
PERR_MUST_CHECK enum perr dispatch_numbered(struct dispatch *d, struct statement *st,
                                           uint32_t number, const struct dispatch_readers *r);
/*
 * group  out: of the outbox; may be NULL; 0 when there was nothing to send
 * The batch ends either way.
 */
PERR_MUST_CHECK enum perr dispatch_commit(struct dispatch *d, uint32_t *group);
/*
 * Make the records that the first submission would make, so that their number does not tell
 * whether there was one (inside a batch of the caller's).
 */
PERR_MUST_CHECK enum perr dispatch_level(struct client *c);
/* cells sealed so far */
size_t dispatch_cells(const struct dispatch *d);

#endif
