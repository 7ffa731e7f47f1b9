/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * org: what administrators do to the roster: found, invite, confirm, list servers, desks
 * and forms, publish.  PROTOCOL sections 7 and 8.
 *
 * Where one administrator's signature is enough, each call makes one change (apply.h),
 * publishes it as the next version (press.h) and keeps it as a change (pending.h) until every
 * server has it, in one batch.  Where it is not, the change is proposed (quorum.h): PERR_OK then
 * means that it waits for the signatures of others, and org_waits is true.  Bringing it to the
 * servers is bring.h, which can be repeated at any time: a kill between the two loses
 * nothing, nor does another administrator who publishes meanwhile.
 *
 * In the store: invited/<ticket hex> the text of an open invitation that was made here.
 *
 * After an error nothing is changed: what is in memory is read again from the store.
 *
 * None of this lets an administrator read a record: no prekey and no charter signature is
 * ever made here.
 */
#ifndef AMPARO_ORG_H
#define AMPARO_ORG_H

#include "client.h"
#include "invite.h"
#include "join.h"
#include "pending.h"
#include "perr.h"
#include "policy.h"
#include "roster.h"

/*
 * Make n changes (their numbers are given here) and publish them as one version, signed once:
 * what everything else here does.  ops stay the caller's: pending_op_free.
 * PERR_STATE: no administrator.  PERR_EXISTS: an effect is there already.  PERR_LIMIT: one is
 * not possible; its sentence is gone, so callers look first.
 */
PERR_MUST_CHECK enum perr org_change(struct client *c, struct pending_op *ops, size_t n);

/*
 * Found an organisation: keys of the founder, the administrators' first link, an empty
 * roster as version 1.  c must be CLIENT_NOBODY.  PERR_RANGE: a name is empty or too long.
 */
PERR_MUST_CHECK enum perr org_found(struct client *c, const char *organisation,
                                   const char *name);

/* do changes of this device wait for the signatures of others? */
PERR_MUST_CHECK enum perr org_waits(struct client *c, bool *wait);

/* Seal, sign, store and adopt what stands in memory as the next version: no change, new keys. */
PERR_MUST_CHECK enum perr org_publish(struct client *c);

/* A server from its card; the setup key is kept until its first policy is in force.
 * PERR_EXISTS: it is listed already.  PERR_LIMIT. */
PERR_MUST_CHECK enum perr org_server_add(struct client *c, const struct policy_card *card);
/*
 * Take a server out of the roster: members stop going there at their next sync, and what only
 * it had of their outboxes is sent to the others again (outbox.h).
 * PERR_NOTFOUND: not listed.  PERR_RANGE: it is the only one.
 */
PERR_MUST_CHECK enum perr org_server_drop(struct client *c, const uint8_t server_pk[32]);
/*
 * A new server, from its card, in the place of another, in one version of the roster.
 * PERR_NOTFOUND: the old one is not listed.  PERR_EXISTS: the new one is.
 */
PERR_MUST_CHECK enum perr org_server_replace(struct client *c, const uint8_t old_pk[32],
                                            const struct policy_card *card);

/*
 * n open invitations of one role, published together.
 * desk_id   in: the desk they are anchored to, or NULL: none yet (founding)
 * notes     in: n short notes for whom, or NULL
 * out       out: n invitations; secret: wipe
 * PERR_NOTFOUND: no server is listed.  PERR_LIMIT: too many open.  PERR_RANGE: a server's
 * address is too long for an invitation.
 *
 * The texts stay in the store until the invitation is used or withdrawn: org_invited.
 */
PERR_MUST_CHECK enum perr org_invite(struct client *c, enum client_role role, unsigned n,
                                    const uint8_t *desk_id, const char *const *notes,
                                    struct invite *out);

/* an open invitation, as the roster has it */
struct org_invited {
	enum client_role role;
	uint32_t day;
	const char *note;                /* borrowed */
	const char *text;                /* made on this device: "amparo:…", secret; else NULL */
	uint8_t server_pk[32];           /* that the text named when it was made; zeros: no text */
	bool is_moved;                   /* that one is not listed any more: the text names another
	                                    one, for the same place in the roster */
	bool answered;                   /* an answer waits for confirmation */
	uint8_t ticket[16];
};
typedef enum perr org_invited_fn(void *arg, const struct org_invited *i);
/* all open invitations, oldest first as the roster lists them */
PERR_MUST_CHECK enum perr org_invited(struct client *c, org_invited_fn *fn, void *arg);

/* an answer that waits for confirmation (stored by steward.h as answer/<ticket hex>) */
struct org_answer {
	struct join join;
	uint16_t words[JOIN_WORDS];
	enum client_role role;           /* what it was invited as */
	const char *note;                /* borrowed from the roster */
};
typedef enum perr org_answer_fn(void *arg, const struct org_answer *a);
/* those whose invitation is still open */
PERR_MUST_CHECK enum perr org_answers(struct client *c, org_answer_fn *fn, void *arg);
/*
 * Enrol whoever answered, after the four words were spoken.
 * as   in: the name to enrol under, or NULL: as the person wrote it
 * PERR_EXISTS: somebody else has this name.  An administrator gets a new link in the chain.
 */
PERR_MUST_CHECK enum perr org_confirm(struct client *c, const struct join *j, const char *as);
/* forget an answer and its invitation, so that it can be issued again */
PERR_MUST_CHECK enum perr org_refuse(struct client *c, const uint8_t ticket[16]);

/*
 * An administrator's membership ends, and with it what they knew is changed: it is the change
 * of `amparo revoke` (rotate.h) for a member of this role.  The chain's next link goes without
 * the key (press.h).
 * PERR_NOTFOUND: no administrator has this key.  PERR_LIMIT: fewer administrators than the
 * threshold would be left.
 */
PERR_MUST_CHECK enum perr org_admin_remove(struct client *c, const uint8_t key[32]);
/* how many administrators must sign a change.  PERR_RANGE.  PERR_EXISTS: it is so already */
PERR_MUST_CHECK enum perr org_admin_threshold(struct client *c, uint32_t threshold);

/*
 * List a desk whose charter is signed by all its holders (charter/<id hex>).
 * PERR_SIGS: signatures are missing.  PERR_EXISTS.  PERR_NOTFOUND: no such charter.
 * PERR_RANGE: another listed desk has this name.
 */
PERR_MUST_CHECK enum perr org_desk_list(struct client *c, const uint8_t desk_id[32]);

/*
 * List the next charter of a listed desk, from the proposals that its holders signed
 * (charters.h calls this by itself).
 * hash  in: of its document
 * PERR_NOTFOUND: no such proposal, or it follows no charter in force.  PERR_SIGS: the
 * threshold of the charter in force has not signed.  PERR_EXISTS: it is listed.
 */
PERR_MUST_CHECK enum perr org_charter(struct client *c, const uint8_t hash[32]);
/*
 * List countersignatures under the first charter of a listed desk (vouch.h calls this by
 * itself).
 * doc  in: that charter as vouch_merge made it
 * PERR_EXISTS: the roster has them.  PERR_LIMIT: not possible.
 */
PERR_MUST_CHECK enum perr org_countersign(struct client *c, const uint8_t desk_id[32],
                                         const uint8_t *doc, size_t len);

/*
 * Publish a form for a desk.  Older versions of it become inactive, and stay readable.
 * content  in: as formpack_encode makes it: the XForm, or the XForm and its files
 * PERR_EXISTS: this version is published already.  PERR_NOTFOUND: the desk is not listed.
 * PERR_RANGE: larger than a part can be.
 */
PERR_MUST_CHECK enum perr org_form_publish(struct client *c, const char *id, const char *version,
                                          const char *title, const uint8_t desk_id[32],
                                          const uint8_t *content, size_t content_len);

/* how often servers release, from their next policy on.  PERR_RANGE */
PERR_MUST_CHECK enum perr org_schedule(struct client *c, const struct roster_schedule *s);
/* decoys a day that attorneys' clients share (decoys.h), 0: none.  PERR_RANGE */
PERR_MUST_CHECK enum perr org_decoys(struct client *c, uint32_t per_day);
/*
 * Days after which an assignment that nobody answered returns to the desk, for assignments
 * from now on; 0: never.  PERR_RANGE: over ROSTER_ANSWER_MAX
 */
PERR_MUST_CHECK enum perr org_answer_days(struct client *c, uint32_t days);
/*
 * Erase orders (erasing.h) of n holders up to today are not to be carried out; n 0: of anybody.
 * What rests on the servers is voided by steward_void.  PERR_STATE: no administrator.
 */
PERR_MUST_CHECK enum perr org_void_erasures(struct client *c, const uint8_t (*keys)[32], size_t n);

#endif
