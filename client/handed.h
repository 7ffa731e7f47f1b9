/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * handed: the newest bulletin as a file, from hand to hand: for members whose servers were all
 * taken away, so that they find the new ones.  Format: protocol/handout.h.
 *
 * It is verified as if it came from a server: a false one is refused, an older one too, and who
 * is no member any more learns just that.
 */
#ifndef AMPARO_HANDED_H
#define AMPARO_HANDED_H

#include "client.h"
#include "perr.h"

/*
 * An administrator's: the newest bulletin.  out: malloc'd, for doc_free
 * PERR_STATE: no administrator.  PERR_NOTFOUND: it was published from another administrator's
 * device and never fetched whole here.
 */
PERR_MUST_CHECK enum perr handed_make(struct client *c, uint8_t **out, size_t *len);

enum handed_what {
	HANDED_TAKEN,            /* it is the roster now */
	HANDED_KNOWN,            /* nothing in it that this device does not know */
	HANDED_REVOKED           /* it says that this member's membership ended */
};
/*
 * Take it over.
 * PERR_FORMAT: not such a file.  PERR_NOTMINE: none of its slots opens: it was made before this
 * member was enrolled, or it is another organisation's.  PERR_CHAIN, PERR_SIGS, PERR_AUTH,
 * PERR_CORRUPT: it does not verify.  PERR_FORK: two histories.  *ours: the error is one of this
 * device's own store.  Nothing is changed after an error.
 */
PERR_MUST_CHECK enum perr handed_take(struct client *c, const uint8_t *in, size_t len,
                                     enum handed_what *what, bool *ours);

#endif
