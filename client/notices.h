/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * notices: the board's documents, which members publish to each other without an
 * administrator.  PROTOCOL 7.3.
 *
 * A board cell opens with the field board key or the staff board key of the roster.  The
 * server knows neither; what counts is the signing key inside.  Taken over are
 *
 *	prekey batches   of holders (any charter known) and of members in the staff body, if
 *	                 their number is above the one known: batch/<owner hex>
 *	charters         staff only: of a new desk that names somebody of the staff; the next
 *	                 version of a desk in the roster, signed by one of its holders at least;
 *	                 signatures merged: charter/<hash of the document, hex>, which for a new
 *	                 desk is its id.  Several proposals for one next version stand beside
 *	                 each other (charters.h); the first charter of a listed desk with new
 *	                 countersignatures goes to vouch.h
 *	paper holders    staff only, if a charter known here names them: papers.h
 *	changes of key   signed by both keys: rekey/<old key hex>, the highest number
 *
 * Everything else is passed over: a member who stuffs the board fills no one's vault
 * (at most NOTICES_CHARTERS_MAX proposals are kept).  A document under this member's own
 * key that this device did not make is an alarm: the key is in other hands, or the same
 * vault lives twice.  A foreign batch of one's own is remembered, so that the next own one
 * gets a higher number.
 */
#ifndef AMPARO_NOTICES_H
#define AMPARO_NOTICES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cell.h"
#include "client.h"
#include "perr.h"

#define NOTICES_CHARTERS_MAX 32

enum notices_taken {
	NOTICE_NOTHING = 0,       /* opens for none of our keys, known, or of no interest */
	NOTICE_BATCH,             /* a newer batch of somebody */
	NOTICE_CHARTER,           /* a charter, or signatures that were missing */
	NOTICE_REKEY,
	NOTICE_PAPER,             /* of a desk's paper holder: its ceremony, or a later rehearsal */
	NOTICE_PROPOSAL,          /* of administrators: a proposal, or signatures (quorum.h) */
	NOTICE_ALARM              /* under our own key, not made here */
};

/* Look at one board cell (inside a batch of the caller's). */
PERR_MUST_CHECK enum perr notices_take(struct client *c, const uint8_t cell[CELL_SIZE],
                                    enum notices_taken *taken);
/*
 * Seal a document for the board: `staff` says under which key.  ds out: to replace it later.
 * PERR_NOTFOUND: the key is not known at this level.
 */
PERR_MUST_CHECK enum perr notices_seal(struct client *c, bool staff, unsigned type,
                                    const uint8_t *doc, size_t doc_len,
                                    uint8_t cell[CELL_SIZE], uint8_t ds[CELL_DS_SIZE]);

/*
 * Somebody used this member's key: an alarm, once for each document (inside a batch of the
 * caller's).
 */
PERR_MUST_CHECK enum perr notices_raise(struct client *c, unsigned type, uint32_t number,
                                     const uint8_t *doc, size_t len,
                                     enum notices_taken *taken);

/* alarm/<hash hex>: kept until a person has seen it */
struct notices_alarm {
	unsigned type;                   /* PROTOCOL 7.3: 1 batch, 2 charter, 3 rekey */
	uint32_t day;                    /* seen on */
	uint32_t number;                 /* of the batch or the change; 0 for a charter */
};
typedef enum perr notices_alarm_fn(void *arg, const struct notices_alarm *a);
PERR_MUST_CHECK enum perr notices_alarms(struct client *c, notices_alarm_fn *fn, void *arg);
PERR_MUST_CHECK enum perr notices_alarms_seen(struct client *c);

#endif
