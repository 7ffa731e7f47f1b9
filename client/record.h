/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * record: what a reader holds: statements taken in, with their attachments.  case.h merges
 * them and looks them up; what they refer to is in record_blobs.h, what does not arrive in
 * record_gaps.h.
 *
 * In the store:
 *	stmt/<record hex>/<first 20 bytes of the statement's hash, hex>
 *	                       u32 day of receipt | u8 flags | envelope
 *	code/<case code>/<record hex>   which records an amendment may belong to
 *	fresh/<record hex>     a statement came in; case.h has not merged it yet
 *	custody/<author hex>/<first 8 bytes of the desk id, hex>   the newest one, envelope
 */
#ifndef AMPARO_RECORD_H
#define AMPARO_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "client.h"
#include "origin.h"
#include "perr.h"
#include "statement.h"

/* what became of an envelope */
enum take_result {
	TAKE_NEW,                    /* stored */
	TAKE_KNOWN,                  /* a repeat; dropped */
	TAKE_PENDING,                /* stored, its author is not in the roster (yet) */
	TAKE_NOT_FOR_ME,             /* `to` is neither this member nor a desk it holds */
	TAKE_TOLD,                   /* a co-holder's custody statement, newer than the one known */
	TAKE_BAD                     /* signature, form or opening wrong; dropped */
};

/*
 * Take in an envelope that was opened from a cell (or from a spilled blob).  Checks
 * signature, addressee and form; stores the statement; notes the attachments that are
 * wanted (want/…).  Inside a batch of the caller's.
 *
 * An assignment counts only if a holder of the original's desk made it: from anybody else
 * in the roster it is TAKE_BAD, from somebody unknown TAKE_PENDING and shown to nobody
 * until a roster says who that is.
 */
PERR_MUST_CHECK enum perr record_take(struct client *c, const uint8_t *envelope, size_t len,
                                     enum take_result *result);
/*
 * The same, of the cell it came in, which is written down with the record (origin.h) so that
 * it can be erased.  from: NULL as above
 */
PERR_MUST_CHECK enum perr record_take_from(struct client *c, const struct origin *from,
                                          const uint8_t *envelope, size_t len,
                                          enum take_result *result);
/* Keep a statement of this member's own, whoever it is addressed to.  In a batch. */
PERR_MUST_CHECK enum perr record_keep(struct client *c, const uint8_t *envelope, size_t len);

/*
 * The newest custody statement of each co-holder and desk, also of those who are none any
 * more.  st is borrowed; number: its opened one, which rises
 */
typedef enum perr record_custody_fn(void *arg, const struct statement *st, uint32_t number);
PERR_MUST_CHECK enum perr record_custody(struct client *c, record_custody_fn *fn, void *arg);

/* ---- for case.h --------------------------------------------------------------------------- */

#define RECORD_HEAD 5            /* bytes before the envelope in stmt/… */
enum record_flag {
	RECORD_KNOWN  = 1,           /* its author was in a roster once: stays */
	RECORD_COUNTS = 2,           /* its author may say this: stays */
	RECORD_WRITER = 4            /* of what is passed on: who wrote it was in a roster: stays */
};
/* "stmt/<hex>/", "case/<hex>" and so on */
void record_name(char out[96], const char *prefix, const uint8_t record[STATEMENT_RECORD_SIZE]);
/*
 * The flags a statement has under the roster of today.
 * original  in: of an assignment or referral, else NULL
 * PERR_AUTH: somebody in the roster who may not say this at all.
 */
PERR_MUST_CHECK enum perr record_judge(struct client *c, const struct statement *st,
                                      const struct statement *original, unsigned *flags);

#endif
