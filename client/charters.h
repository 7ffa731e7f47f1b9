/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * charters: who holds a listed desk changes: proposed and signed by its holders over the
 * board, listed by whichever administrator's device sees it complete.  PROTOCOL sections 7.2
 * and 7.3.
 *
 * No administrator decides anything here: the signatures of the threshold of the charter
 * before are what makes a change, and a change that has them is listed by a duty, without a
 * command, by every administrator's device that sees it first.  Clients follow what is listed
 * by the signatures alone (trust.h).
 *
 * Of several proposals for one next version one is listed; who signed another one is told in
 * a sentence and proposes anew.  Of several that are complete at once every administrator
 * takes the same one.
 *
 * In the store:
 *	charter/<hash of the document, hex>   a proposal with the signatures so far (notices.h)
 *	overtaken/<hash hex>                  one that this member signed and another one overtook
 */
#ifndef AMPARO_CHARTERS_H
#define AMPARO_CHARTERS_H

#include <stdbool.h>
#include <stdint.h>

#include "charter.h"
#include "client.h"
#include "desk.h"
#include "perr.h"

#define CHARTERS_WHY 320         /* one sentence, without a full stop at its end */
#define CHARTERS_TOLD_DAYS 14    /* so long an overtaken proposal is told of */

/* ---- changes ------------------------------------------------------------------------------ */

struct charters_wish {
	const uint8_t (*add)[32];        /* signing keys */
	uint32_t n_add;
	const uint8_t (*remove)[32];
	uint32_t n_remove;
	uint32_t threshold;              /* 0: as it is, or as much of it as the number allows */
	const uint8_t *paper;            /* a new paper holder, in the place of one that is there */
	/* what else is to be stored in the same batch, before the proposal; NULL: nothing */
	enum perr (*also)(struct client *c, void *arg);
	void *also_arg;
};
/*
 * Propose the next charter of a desk that this member holds, signed by this member, and queue
 * it for the board.  A proposal for the same desk that nobody else has signed yet is taken
 * back.
 *
 * hash  out: of the document; may be NULL
 * why   out: after PERR_REFUSED a sentence
 *
 * PERR_REFUSED: not a holder; a key is added that holds it already, or removed that does not;
 * nobody of those who hold it now would stay (who is new gets the records from who stays);
 * the threshold does not fit; the chain is as long as it can get; nothing would change.
 * PERR_NOTFOUND: no such desk in the roster.
 */
PERR_MUST_CHECK enum perr charters_propose(struct client *c, const uint8_t desk_id[32],
                                          const struct charters_wish *wish, uint8_t hash[32],
                                          char why[CHARTERS_WHY]);
/* the charter that would be proposed, to be shown before it is.  Errors as above */
PERR_MUST_CHECK enum perr charters_look(struct client *c, const uint8_t desk_id[32],
                                       const struct charters_wish *wish, struct charter *next,
                                       char why[CHARTERS_WHY]);
/*
 * Sign a proposal and queue it for the board.
 * PERR_NOTFOUND: no such proposal (any more).  PERR_KEY: this member does not hold the desk.
 */
PERR_MUST_CHECK enum perr charters_sign(struct client *c, const uint8_t hash[32]);

/* a proposal that follows the charter in force */
struct charters_change {
	uint8_t hash[32];                /* of its document */
	const struct desk *desk;         /* as it is now; borrowed */
	const struct charter *next;      /* borrowed */
	const struct signed_sigs *sigs;  /* borrowed */
	uint32_t n_signed, n_needed;
	bool signed_by_me;
	bool may_sign;                   /* this member holds the desk now */
	uint32_t n_added, n_removed;
	uint8_t added[CHARTER_HOLDERS_MAX][32], removed[CHARTER_HOLDERS_MAX][32];
};
typedef enum perr charters_fn(void *arg, const struct charters_change *ch);
PERR_MUST_CHECK enum perr charters_each(struct client *c, charters_fn *fn, void *arg);

/* proposals this member signed, in whose place another one was listed */
typedef enum perr charters_overtaken_fn(void *arg, const char *desk_name, uint32_t day);
PERR_MUST_CHECK enum perr charters_overtaken(struct client *c, charters_overtaken_fn *fn,
                                            void *arg);

/*
 * The duty: forget proposals that are over, and, on an administrator's device, list those that
 * are complete (org.h).  more out: set if something was listed; else left alone.
 */
PERR_MUST_CHECK enum perr charters_duty(struct client *c, bool *more);

/* ---- for reboard.h --------------------------------------------------------------------------- */

/*
 * Queue once more what this member has on the board and is not over: under another board key it
 * could not be read (inside a batch of the caller's).  n in/out: how many are added
 */
PERR_MUST_CHECK enum perr charters_repost(struct client *c, unsigned *n);

/* ---- for holders.h, vouch.h and apply.h --------------------------------------------------- */

/*
 * Queue a signed charter for the board in `slot` (inside a batch of the caller's): with all
 * its signatures, or with this member's alone where they do not fit one cell.  PROTOCOL 7.3:
 * each signer's copy counts.
 */
PERR_MUST_CHECK enum perr charters_post(struct client *c, const char *slot,
                                       const struct charter_signed *ch);
/*
 * The listed desk whose charter in force `ch` follows.
 * at   out: its place in the roster
 * tip  out: the charter in force, for charter_signed_free
 * PERR_NOTFOUND: it follows none (any more).
 */
PERR_MUST_CHECK enum perr charters_follows(const struct client *c,
                                          const struct charter_signed *ch, uint32_t *at,
                                          struct charter_signed *tip);

#endif
