/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * revoke: end somebody's membership, in one change that is signed once.  DESIGN 11,
 * PROTOCOL 8.1 and 8.3.
 *
 * What it does: the person leaves the bodies, and the slot says so; the access keys of the
 * scopes they held, the board keys, the season, and for an administrator the inbox key and
 * the open invitations are new or gone; no batch of prekeys of theirs counts any more.  The
 * old access keys are admitted by no server from its next policy on.
 *
 * What it cannot do: take back what was read, change a charter (its holders do: charters.h),
 * or see which cases the person has (an administrator holds no records).
 */
#ifndef AMPARO_REVOKE_H
#define AMPARO_REVOKE_H

#include <stdbool.h>
#include <stdint.h>

#include "client.h"
#include "perr.h"
#include "roster.h"

/* the member of this name (names are unique), from the admin body; NULL: nobody */
const struct roster_enrolled *revoke_find(const struct client *c, const char *name);

struct revoke_desk {
	char name[65];
	uint32_t others;                 /* holders besides this person who are members */
	uint32_t able;                   /* of them, those whose keys are known here */
};
/* what is known before it is done; what the person could see is what the roster let them see */
struct revoke_facts {
	enum roster_role role;
	char name[ROSTER_NAME_MAX + 1];
	uint32_t number;                 /* a volunteer's */
	uint32_t day;                    /* of enrolment */
	bool signs;                      /* one of the administrators of the chain */
	uint32_t n_signers, threshold;   /* of the chain */
	bool is_me;
	uint32_t n_desks;                /* that the person holds */
	struct revoke_desk desks[ROSTER_DESKS_MAX];
	bool has_batch;                  /* keys of theirs are known here */
	uint32_t n_staff, n_members;     /* names: of staff, of everybody */
	uint32_t n_listed;               /* desks in the roster */
	uint32_t n_servers;
	uint32_t n_invitations;          /* open: withdrawn with an administrator */
	uint32_t n_cases;                /* assigned to the person as far as this device knows */
	bool sees_cases;                 /* this device holds records at all */
	uint32_t season_from;            /* no room for a season until this day; 0: there is */
};
/* PERR_NOTFOUND: not in the roster.  PERR_STATE: no administrator */
PERR_MUST_CHECK enum perr revoke_look(struct client *c, const uint8_t key[32],
                                     struct revoke_facts *f);

#define REVOKE_MAX 64
/*
 * Do it, for n people at once.
 * PERR_LIMIT: fewer administrators would be left than must sign a change.
 * PERR_NOTFOUND: one of them is no member.  PERR_RANGE: n is 0 or above REVOKE_MAX.
 */
PERR_MUST_CHECK enum perr revoke_members(struct client *c, const uint8_t (*keys)[32],
                                        uint32_t n);

#endif
