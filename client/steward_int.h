/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * steward_int: one visit of an administrator, between the files of steward.h.
 *
 *	steward.c       the visit; answers, orders, releases, figures
 *	steward_push.c  bulletin and policy
 */
#ifndef AMPARO_STEWARD_INT_H
#define AMPARO_STEWARD_INT_H

#include "bulletin.h"
#include "peer.h"
#include "quorum.h"
#include "steward.h"

#define PARTS_MAX (BULLETIN_FORMS_MAX + 5)

struct upload {
	uint8_t name[32];
	uint8_t *bytes;              /* from the store, or the header's copy */
	size_t len;
};

struct errand {
	struct client *c;
	struct peer *peer;
	struct steward_server *r;
	unsigned want;
	size_t at;
	const uint8_t *server_pk;
	bool is_setup;
	enum perr err;               /* of our own, kept when the connection goes on to bye */
	uint32_t counter;            /* highest the server knows */
	uint8_t current[32];         /* header hash in force there */
	uint32_t current_version;
	uint8_t *policy;
	size_t policy_len;
	struct upload parts[PARTS_MAX];
	size_t n_parts, part_at, asked;
	uint32_t join_at, join_n;
	bool setup_done;
	bool policy_waits;           /* for signatures of others */
	uint32_t policy_counter;     /* of the one under way */
	uint32_t policy_version;     /* of the roster that the server's policy is of */
	bool orders_done;
	struct quorum_due due;       /* an order that several signed */
	const uint8_t (*ids)[32];    /* to be voided */
	uint32_t n_ids;
};

/* not to be asked for from outside */
#define STEWARD_VOID 0x100u
#define STEWARD_CLEAR 0x200u

/* what is still to be done, one after the other */
void steward_next(struct errand *v);
/* give up this visit, politely: what was done stays done */
void steward_stop(struct errand *v, enum perr err, const char *why);
/* common head of all callbacks; false: the visit is over */
bool steward_went_on(struct errand *v, enum perr err, const struct rpc_msg *a);
void steward_call(struct errand *v, struct rpc_msg *m, peer_cb *cb);
const char *steward_refusal(enum rpc_error e);

/* each ends with steward_next, or with the visit */
void steward_put_bulletin(struct errand *v);
void steward_put_policy(struct errand *v);
/* the server says that its policy is of this version, 0: it has none; kept if it is news */
PERR_MUST_CHECK enum perr steward_note_policy(struct errand *v, uint32_t version);

#endif
