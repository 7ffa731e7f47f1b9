/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * tally: how many cases wait for whom, counted in one walk: for `amparo status` and for a
 * page.  As of today; closed cases count for nothing.
 */
#ifndef AMPARO_TALLY_H
#define AMPARO_TALLY_H

#include <stdint.h>

#include "client.h"
#include "perr.h"

#define TALLY_DUE_DAYS   14
#define TALLY_ALONE_DAYS 2       /* a phone may send a correction before its interview */

struct tally {
	unsigned n_open, n_urgent;
	unsigned n_urgent_unassigned;    /* of them: nobody has them */
	unsigned n_due, n_overdue;       /* deadlines within TALLY_DUE_DAYS, and before today */
	unsigned n_silent;               /* of desks held here: nobody answered in time */
	unsigned n_waiting;              /* of desks held here: for an attorney, those too */
	unsigned n_mine;                 /* for this member's own answer */
	/* of all, closed ones too: */
	unsigned n_alone;                /* corrections whose interview has not come for long … */
	uint32_t alone_since;            /* … the first of them on this day; 0: none */
	unsigned n_conflicts;            /* cases on which corrections differ */
};
/* Not inside a batch.  Errors of case_each */
PERR_MUST_CHECK enum perr tally_make(struct client *c, struct tally *t);

#define TALLY_AUTHORS_MAX 16
struct tally_erasures {
	unsigned n_asked;                /* families that ask, of desks held here */
	unsigned n_resting;              /* ordered, not carried out yet … */
	uint32_t next;                   /* … the next one from this day on; 0: none */
	unsigned n_waiting;              /* gone here, not everywhere */
	/* orders that rest, by who gave them and when; ERASING_MANY of one are many */
	struct {
		uint8_t author[32];
		uint32_t day;
		unsigned n;
	} by[TALLY_AUTHORS_MAX];
	unsigned n_by;
};
PERR_MUST_CHECK enum perr tally_erasures(struct client *c, struct tally_erasures *t);

#endif
