/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * assigned: who has a record, worked out from what was said.  PROTOCOL 4.7.
 *
 * A record is given to a person in turns, counted from 1: each new assignment of the same
 * record to the same person is the next turn, and only the last one counts.  Within a turn
 * nothing depends on the order of arrival, nor on anybody's clock being right: what was said
 * is a set, and of its words the last of this list stands:
 *
 *	offered < accepted < declined < withdrawn
 *
 * Whoever recused themselves from a record never has it again, in whatever turn.
 *
 * A day counts in two places only.  An offer that nobody answered by its last day is back at
 * the desk (assigned_on).  An acceptance after that day is late, and counts unless the desk
 * had given the record to another one meanwhile.
 *
 * Pure: no store, no clock.
 */
#ifndef AMPARO_ASSIGNED_H
#define AMPARO_ASSIGNED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "statement.h"

enum assigned_word {
	ASSIGNED_OFFER,              /* a holder: it is yours if you want it */
	ASSIGNED_ACCEPT,             /* the person: yes */
	ASSIGNED_DECLINE,            /* the person: no, or not any more */
	ASSIGNED_WITHDRAW,           /* a holder: it is not yours any more */
	ASSIGNED_RECUSE              /* the person: never; in no turn */
};

/* one thing that was said */
struct assigned_said {
	uint8_t whom[32];
	enum assigned_word word;
	uint32_t turn;
	uint32_t day;                    /* on which it was said */
	enum statement_role role;        /* offer */
	uint32_t answer_by;              /* offer: last day for an answer; 0: no end */
};

enum assigned_state {
	ASSIGNED_OFFERED = 0,        /* no answer yet */
	ASSIGNED_ACCEPTED,
	ASSIGNED_DECLINED,           /* said no, or gave it back */
	ASSIGNED_WITHDRAWN,
	ASSIGNED_RECUSED,
	ASSIGNED_LATE,               /* said yes when another had it already */
	ASSIGNED_SILENT              /* no answer by the last day; only of assigned_on */
};

struct assigned {
	uint8_t key[32];
	enum assigned_state state;
	enum statement_role role;
	uint32_t turn;                   /* the last one; 0: recused without an offer */
	uint32_t since;                  /* day of what stands */
	uint32_t answer_by;              /* of the last turn */
	bool had_accepted;               /* in this turn, whatever stands now */
};

/*
 * What was said, merged.
 *
 * said  in/out: n; sorted in passing
 * out   out: at most max people: those who have it first, then those who recused themselves,
 *       then the others; within these by day and key
 * Returns how many there are in out.
 */
size_t assigned_merge(struct assigned_said *said, size_t n, struct assigned *out, size_t max);

/* the state on a day, which may turn an offer into silence */
enum assigned_state assigned_on(const struct assigned *a, uint32_t today);
/* offered or accepted: somebody may work on it */
bool assigned_has_it(enum assigned_state s);
/* declined, withdrawn, recused, late: the record is not theirs to read any more */
bool assigned_is_over(enum assigned_state s);

#endif
