/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * quorum: changes and orders that take the signatures of several administrators.
 * PROTOCOL section 7.5.
 *
 * With a threshold above one, a change that an administrator makes (org.h) is a *proposal*: it
 * stands in nobody's roster until enough of them have signed it.  A proposal says what to do and
 * from which randomness; each administrator's device makes the version from its own roster
 * by it, shows what would change (quorum_words.h, from the two rosters, never from words of the
 * proposer), and signs the bytes that it made itself: the header, the chain's next link if
 * there is one, and every server's policy.  Whose device comes to have enough signatures
 * adopts the version and brings it to the servers, whoever proposed it.
 *
 * Proposals travel over the servers' boards, sealed to the administrators who stay, and as
 * files.  A proposal stands upon one version of the roster.  When another version comes
 * into force first, the proposer's device makes its changes again upon that one at its next
 * sync (rebase.h): who had signed signs again.  All changes of one device that wait are one
 * proposal; a further change takes its place.
 *
 * Orders to servers (void erasures, clear the board) are proposed, signed and brought likewise.
 *
 * Every call is one batch: a kill leaves it done or not begun, and quorum_settle does what is
 * left.  In the store: quorum_box.h, and
 *	quorum/base   the header below versions that were adopted here and that no server has yet
 *	quorum/link   hash of a link made here that the first server is not known to have
 *	quorum/said   hash of the sheet about policies that is on the board
 *	quorum/o/<Noise key hex>.<16 digits>   an order with all its signatures, not brought yet
 */
#ifndef AMPARO_QUORUM_H
#define AMPARO_QUORUM_H

#include "client.h"
#include "org.h"
#include "pending.h"
#include "perr.h"
#include "policy.h"
#include "press.h"
#include "proposal.h"

#define QUORUM_OLD_DAYS 60       /* a proposal made longer ago is not signed any more */
#define QUORUM_ORDER_DAYS 14     /* the same for orders */

/* ---- proposing ------------------------------------------------------------------------------ */

/*
 * Propose these changes, and those of this device that wait already, upon the newest roster.
 * c is as stored; it is again afterwards.
 * missing  in: changes that are kept already (pending.h); those that are not possible any
 *          more were dropped by the caller
 * ops      in: new ones, numbered
 * also     in: what else has to be written in the same batch
 * PERR_LIMIT, PERR_EXISTS: one of ops is not possible.
 */
PERR_MUST_CHECK enum perr quorum_propose(struct client *c, const struct pending_op *missing,
                                        size_t n_missing, const struct pending_op *ops,
                                        size_t n, enum perr (*also)(struct client *c, void *arg),
                                        void *arg);
/* are exactly the changes up to `last` proposed upon the newest roster? */
PERR_MUST_CHECK enum perr quorum_is_proposed(struct client *c, uint32_t last, bool *is);
/*
 * Propose an order to every server of the roster.
 * PERR_STATE: one signature is enough for it (steward.h).  PERR_NOTFOUND: no server is listed.
 */
PERR_MUST_CHECK enum perr quorum_order(struct client *c, enum policy_order_kind kind,
                                      const uint8_t (*ids)[32], uint32_t n_ids);
/* take back what this device proposed and is not in force.  PERR_NOTFOUND: nothing */
PERR_MUST_CHECK enum perr quorum_withdraw(struct client *c, enum proposal_kind kind);

/* ---- looking ---------------------------------------------------------------------------------- */

struct quorum_view {
	uint8_t hash[32];
	enum proposal_kind kind;
	uint8_t proposer[32];
	uint32_t day;
	bool is_mine;
	bool is_stale;                   /* another version came first: it will be made again */
	bool is_too_large;               /* mine: does not travel over the servers, only as a file */
	bool signed_here, refused_here;
	uint32_t needs;                  /* signatures, the proposer's own counted */
	uint32_t n_signed, n_refused;
	uint8_t signers[ADMINS_MAX][32], refusers[ADMINS_MAX][32];
};
typedef enum perr quorum_fn(void *arg, const struct quorum_view *v);
/* all proposals, in an order that stays */
PERR_MUST_CHECK enum perr quorum_each(struct client *c, quorum_fn *fn, void *arg);
/*
 * Should what a device does by itself (a charter is listed, keys change by plan) not be proposed
 * now?  Something of this device waits already, whose signatures a further change would undo;
 * or something of others, which may be just this.  Never where one signature is enough.
 */
PERR_MUST_CHECK enum perr quorum_is_busy(struct client *c, bool *is);
/* how many wait for this administrator's signature */
PERR_MUST_CHECK enum perr quorum_waiting(struct client *c, unsigned *n);

/*
 * The documents of a proposal, made here.  For quorum_words.h; c is as stored again afterwards.
 * PERR_NOTFOUND: no such proposal.  PERR_OLD: it stands upon another version.
 * PERR_LIMIT: it cannot be made upon this roster.  PERR_UNKNOWN: this version of the program
 * does not know its changes.  PERR_RANGE: its day, version or a counter is out of bounds.
 */
struct quorum_docs;
PERR_MUST_CHECK enum perr quorum_make(struct client *c, const uint8_t hash[32],
                                     struct quorum_docs **out);
void quorum_docs_free(struct quorum_docs *d);    /* wipes; NULL is harmless */
/* the version it would be; NULL: it is of orders */
const struct press *quorum_press(const struct quorum_docs *d);
/* the orders, n out */
const struct policy_order *quorum_orders(const struct quorum_docs *d, size_t *n);
/* its changes, in order; borrowed.  n out */
const struct pending_op *quorum_changes(const struct quorum_docs *d, size_t *n);
/* forms it publishes whose content is not on this device */
unsigned quorum_unseen(const struct quorum_docs *d);

/* ---- signing ------------------------------------------------------------------------------------ */

/*
 * Sign; when enough have, it comes into force here (changes: this device has the new version;
 * orders: they are brought at the next visit).
 * in_force  out
 * Errors as quorum_make; PERR_STATE: a form that it publishes is not on this device;
 * PERR_AUTH: this administrator does not count in it any more.
 */
PERR_MUST_CHECK enum perr quorum_sign(struct client *c, const uint8_t hash[32], bool *in_force);
PERR_MUST_CHECK enum perr quorum_refuse(struct client *c, const uint8_t hash[32]);
/*
 * Do what is left: versions that have enough signatures come into force, what is over goes off
 * the board, policies whose signatures went stale are signed anew.
 * adopted  out: a version came into force here
 */
PERR_MUST_CHECK enum perr quorum_settle(struct client *c, bool *adopted);

/* ---- travelling ----------------------------------------------------------------------------------- */

/* as a file, with all signatures known here.  out: for doc_free */
PERR_MUST_CHECK enum perr quorum_save(struct client *c, const uint8_t hash[32], uint8_t **out,
                                     size_t *len);
/*
 * A file that came.  hash  out: of its proposal
 * PERR_NOTMINE: sealed to others.  PERR_FORMAT, PERR_AUTH: damaged, or not one.
 * PERR_SIGS: not of an administrator.  PERR_OLD: the proposer has made a newer one since.
 */
PERR_MUST_CHECK enum perr quorum_load(struct client *c, const uint8_t *in, size_t len,
                                     uint8_t hash[32]);
/* what the board held (inside a batch of the caller's): type 4 or 5.  is_new out */
PERR_MUST_CHECK enum perr quorum_take(struct client *c, bool is_sheet, const uint8_t *doc,
                                     size_t len, bool *is_new);

/* ---- around visits ---------------------------------------------------------------------------------- */

/*
 * A server has the newest version: it was published (a batch of its own, or none).
 * is_first  in: it is the first server of the roster
 */
PERR_MUST_CHECK enum perr quorum_public(struct client *c, bool is_first);
/*
 * Does the newest version have a link that the first server of the roster is not known to have?
 * Such a version goes to that one before the others: of two changes of administrators that are
 * made apart from each other it takes one, and the other is made again upon it.  Two that reached
 * a server each would be two chains, which nothing can join.
 */
PERR_MUST_CHECK enum perr quorum_first_only(struct client *c, bool *is);
/*
 * The header below what only this device has, to hold another version against.
 * PERR_NOTFOUND: every version known here was published.
 */
PERR_MUST_CHECK enum perr quorum_base(struct client *c, struct bulletin_known *k);
/* another version took its place (inside a batch of the caller's) */
PERR_MUST_CHECK enum perr quorum_give_way(struct client *c);

/* an order to be brought to this server.  out: for doc_free.  PERR_NOTFOUND: none */
struct quorum_due {
	char name[96];
	enum policy_order_kind kind;
	uint32_t counter;
	uint8_t *bytes;
	size_t len;
};
PERR_MUST_CHECK enum perr quorum_order_due(struct client *c, const uint8_t server_pk[32],
                                          struct quorum_due *due);
/* it is done with; why: a sentence for the administrator (pending_say), or NULL */
PERR_MUST_CHECK enum perr quorum_order_done(struct client *c, const struct quorum_due *due,
                                           const char *why);

#endif
