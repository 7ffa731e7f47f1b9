/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * papers: a desk's paper holder as its members' devices know it: which charter names it, what
 * its ceremony published, and that this stays on the board.  PROTOCOL sections 7.2 to 7.4.
 *
 * No device belongs to the paper holder, so none would publish its batch again after a board
 * was cleared or its key changed.  Therefore every holder of the desk keeps what was published,
 * looks for it whenever a board was read whole, and puts it there again where it is missing.
 *
 * In the store:
 *	batch/<key hex>       its prekeys, as of any owner (notices.h)
 *	paper/<key hex>       the newest signed document of the ceremony, raw
 *	post/paper/<key hex>, post/paper-doc/<key hex>   own copies on the boards (post.h)
 *	postmark/<slot>       under which board key and season that copy was sealed
 *	recovered/<desk hex>  this desk's records were taken in with paper before this member held
 *	                      it (recovery.h); the day, as u32
 */
#ifndef AMPARO_PAPERS_H
#define AMPARO_PAPERS_H

#include <stdbool.h>
#include <stdint.h>

#include "charter.h"
#include "client.h"
#include "paper.h"
#include "perr.h"

#define PAPERS_YEAR_DAYS  365    /* after so many days a new ceremony is due */
#define PAPERS_DESKS_MAX  32

/* is this the key of a paper holder: in force, or proposed? */
bool papers_is_key(const struct client *c, const uint8_t key[32]);

/* a paper holder that a charter names */
struct papers_info {
	uint8_t desk[32], key[32];
	char desk_name[CHARTER_NAME_MAX + 1];
	bool in_force;                   /* named by the charter in force, not an earlier one */
	bool has_doc;                    /* what the ceremony published is known here */
	struct paper_doc doc;
	bool has_batch;                  /* senders who know as much as this device seal to it */
	uint32_t last_day;               /* up to which the batch has a key of its own */
};
/* The paper holder of a desk by the charter in force.  PERR_NOTFOUND: it has none. */
PERR_MUST_CHECK enum perr papers_of_desk(struct client *c, const uint8_t desk[32],
                                        struct papers_info *out);
/*
 * The paper holder that a set of shares is for, among those of all charters of all desks.
 * PERR_NOTFOUND: none known here.
 */
PERR_MUST_CHECK enum perr papers_of_set(struct client *c, const uint8_t set[PAPER_SET_SIZE],
                                       struct papers_info *out);

/*
 * Keep what a ceremony made and queue it for the boards (inside a batch of the caller's).
 * batch, doc  in: signed documents; batch may be NULL
 */
PERR_MUST_CHECK enum perr papers_publish(struct client *c, const uint8_t key[32],
                                        const uint8_t *batch, size_t batch_len,
                                        const uint8_t *doc, size_t doc_len);

/* ---- for notices.h, visit.h and duties.h --------------------------------------------------- */

/* a board being read whole: what of the papers of this member's desks was seen on it */
struct papers_watch {
	uint32_t n;
	struct {
		uint8_t key[32];
		bool saw_batch, saw_doc;
	} at[PAPERS_DESKS_MAX];
};
/* before its first cell; sets c->watch */
PERR_MUST_CHECK enum perr papers_watch_begin(struct client *c, struct papers_watch *w);
/* after its last cell, inside the same batch: queues what is missing; clears c->watch */
PERR_MUST_CHECK enum perr papers_watch_end(struct client *c);
/* a cell held this owner's batch, just as it is known here */
void papers_saw_batch(struct client *c, const uint8_t owner[32]);
/* A document of a paper holder of interest came over the board (inside a batch). */
PERR_MUST_CHECK enum perr papers_take(struct client *c, const uint8_t *doc, size_t len,
                                     bool *is_new);

/* the duty: what stays behind of papers that no charter names any more, and of a recovery */
PERR_MUST_CHECK enum perr papers_duty(struct client *c);

#endif
