/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "steward_int.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bulletin.h"
#include "admins.h"
#include "board.h"
#include "join.h"
#include "keyring.h"
#include "mp.h"
#include "org.h"
#include "pending.h"
#include "policies.h"
#include "policy.h"
#include "press.h"
#include "quorum.h"
#include "roster.h"

void steward_stop(struct errand *v, enum perr err, const char *why)
{
	if (v->err == PERR_OK) {
		v->err = err;
		snprintf(v->r->why, sizeof v->r->why, "%s", why);
	}
	peer_bye(v->peer);
}

const char *steward_refusal(enum rpc_error e)
{
	switch (e) {
	case RPC_SCOPE:     return "this administrator's key is not accepted there any more";
	case RPC_LATER:     return "the server is busy; try again in a minute";
	case RPC_LIMIT:     return "the server refused for a limit; try again in a minute";
	case RPC_STALE:     return "another administrator published meanwhile";
	case RPC_SIGNATURE: return "the server does not accept this administrator's signature";
	case RPC_NOSPACE:   return "the server's disk is full";
	case RPC_DAMAGED:   return "the server's disk is damaged: run `amparod check` there";
	case RPC_OK: case RPC_MALFORMED: case RPC_UNKNOWN:
		break;
	}
	return "the server did not understand the request; is it of another version?";
}

bool steward_went_on(struct errand *v, enum perr err, const struct rpc_msg *a)
{
	if (err == PERR_OK)
		return true;
	if (err == PERR_REFUSED)
		steward_stop(v, a->error == RPC_STALE ? PERR_OLD : a->error == RPC_SCOPE ? PERR_AUTH
		             : PERR_REFUSED, steward_refusal(a->error));
	else if (v->err == PERR_OK)
		v->err = err;            /* the connection is gone; link gives the sentence */
	return false;
}

void steward_call(struct errand *v, struct rpc_msg *m, peer_cb *cb)
{
	enum perr err = peer_call(v->peer, m, cb, v);

	if (err != PERR_OK)
		steward_stop(v, err, "the request could not be made");
}

/* ---- answers ------------------------------------------------------------------------ */

static enum perr store_answer(struct errand *v, const uint8_t cell[CELL_SIZE])
{
	struct reader_key inbox[1 + ROSTER_BOARDS_MAX];
	const struct roster_admin *adm = v->c->admin;
	size_t n_inbox = 1 + adm->n_inboxes;
	uint8_t payload[CELL_PAYLOAD_MAX], head[CELL_HEAD_SIZE], *old = NULL;
	uint16_t words[JOIN_WORDS];
	size_t len, key_at, season_at;
	enum cell_form form;
	struct join j;
	char name[96];
	enum perr err;

	board_key(&inbox[0], adm->inbox_sk);
	/* an answer may have been on its way while the key changed */
	for (uint32_t i = 0; i < adm->n_inboxes; i++)
		board_key(&inbox[1 + i], adm->inboxes[i].sk);
	memcpy(head, cell, sizeof head);
	memset(&j, 0, sizeof j);
	err = cell_trial(&key_at, &season_at, NULL, head, inbox, n_inbox, v->c->seasons,
	                 v->c->n_seasons);
	if (err == PERR_OK)
		err = cell_open(&form, payload, &len, cell, &inbox[key_at],
		                &v->c->seasons[season_at]);
	if (err == PERR_OK && form != CELL_JOIN)
		err = PERR_FORMAT;
	if (err == PERR_OK)
		err = join_open(&j, words, payload, len);
	/* whoever holds a ticket may send rubbish; it is passed over */
	if (err != PERR_OK) {
		err = err == PERR_NOMEM ? err : PERR_OK;
		goto out;
	}
	if (roster_invitation_find(v->c->admin, j.ticket) == NULL)
		goto out;                /* confirmed or withdrawn meanwhile */
	client_key_name(name, "answer/", j.ticket, 16);
	err = kv_get(v->c->kv, name, &old, NULL);
	kv_free(old);
	if (err != PERR_NOTFOUND)
		goto out;
	err = kv_begin(v->c->kv);
	if (err == PERR_OK)
		err = kv_put(v->c->kv, name, payload, len);
	if (err == PERR_OK)
		err = kv_commit(v->c->kv);
	if (err != PERR_OK)
		kv_abort(v->c->kv);
	else
		v->r->answers++;
out:
	sodium_memzero(inbox, sizeof inbox);
	sodium_memzero(payload, sizeof payload);
	join_wipe(&j);
	return err;
}

static void ask_answer(struct errand *v);

static void on_answer(void *ud, enum perr err, const struct rpc_msg *a)
{
	struct errand *v = ud;

	if (!steward_went_on(v, err, a))
		return;
	v->join_n = a->n;
	if (a->cell == NULL || v->join_at >= a->n) {
		v->want &= ~(unsigned)STEWARD_ANSWERS;
		steward_next(v);
		return;
	}
	err = store_answer(v, a->cell);
	v->join_at++;
	if (err != PERR_OK)
		steward_stop(v, err, "the vault could not be written");
	else
		ask_answer(v);
}

static void ask_answer(struct errand *v)
{
	struct rpc_msg m = { .method = RPC_JOIN_LIST, .from = v->join_at };

	steward_call(v, &m, on_answer);
}

/* ---- release and status ------------------------------------------------------------- */

static void on_release(void *ud, enum perr err, const struct rpc_msg *a)
{
	struct errand *v = ud;

	if (!steward_went_on(v, err, a))
		return;
	v->counter++;
	v->r->released_day = a->day;
	v->r->released_number = a->release;
	v->r->released_cells = a->n;
	v->want &= ~(unsigned)STEWARD_RELEASE;
	steward_next(v);
}

static void on_voided(void *ud, enum perr err, const struct rpc_msg *a)
{
	struct errand *v = ud;

	if (!steward_went_on(v, err, a))
		return;
	v->counter++;
	v->r->voided = a->n;
	v->want &= ~STEWARD_VOID;
	steward_next(v);
}

static void on_cleared(void *ud, enum perr err, const struct rpc_msg *a)
{
	struct errand *v = ud;

	if (!steward_went_on(v, err, a))
		return;
	v->counter++;
	v->r->cleared = a->n;
	v->want &= ~STEWARD_CLEAR;
	steward_next(v);
}

static void send_order(struct errand *v, enum policy_order_kind kind, enum rpc_method method,
                       peer_cb *cb)
{
	struct policy_order *o = calloc(1, sizeof *o);
	struct rpc_msg m = { .method = method };
	struct sign_key key;
	const struct sign_key *keys[] = { &key };
	uint8_t *order = NULL;
	size_t len = 0;
	enum perr err = PERR_NOMEM;

	if (o != NULL) {
		memcpy(o->server_pk, v->server_pk, 32);
		o->counter = v->counter + 1;
		o->kind = kind;
		o->day = client_day(v->c);
		if (kind == POLICY_VOID) {
			o->n_ids = v->n_ids;
			if (v->n_ids > 0)        /* none: all */
				memcpy(o->ids, v->ids, (size_t)v->n_ids * 32);
		}
		client_sign_key(v->c, &key);
		err = policy_order_sign(&order, &len, o, keys, 1);
		signed_key_wipe(&key);
	}
	free(o);
	if (err != PERR_OK) {
		steward_stop(v, err, "the order could not be signed");
		return;
	}
	m.bytes = order;
	m.bytes_len = len;
	steward_call(v, &m, cb);
	doc_free(order, len);            /* peer_call has encoded it */
}

/* ---- orders that several signed (quorum.h) -------------------------------------------------- */

static const char *order_text(enum policy_order_kind kind)
{
	return kind == POLICY_VOID ? "void erasures" : "clear the board";
}

static void on_brought(void *ud, enum perr err, const struct rpc_msg *a)
{
	struct errand *v = ud;
	char why[400] = "";
	enum perr done;

	if (err != PERR_OK && err != PERR_REFUSED) {
		(void)steward_went_on(v, err, a);
		return;
	}
	if (err == PERR_REFUSED && (a->error == RPC_LATER || a->error == RPC_LIMIT ||
	                            a->error == RPC_NOSPACE)) {
		v->orders_done = true;   /* at the next visit */
		steward_next(v);
		return;
	}
	if (err == PERR_REFUSED && a->error == RPC_STALE && v->counter == v->due.counter) {
		;                        /* another signer's device has brought it */
	} else if (err == PERR_REFUSED && a->error == RPC_STALE) {
		snprintf(why, sizeof why, "%s has taken other orders since the one to %s was signed: that was "
		         "carried out before them or not at all.  Look with `amparo erasures` or `amparo "
		         "server list`, and give it again if it is still wanted.", v->r->address,
		         order_text(v->due.kind));
	} else if (err == PERR_REFUSED) {
		snprintf(why, sizeof why, "%s did not take the order to %s that administrators had "
		         "signed: %s.", v->r->address, order_text(v->due.kind), steward_refusal(a->error));
	} else {
		v->counter = v->due.counter;
		if (v->due.kind == POLICY_VOID)
			v->r->voided += a->n;
		else
			v->r->cleared += a->n;
		v->r->orders++;
	}
	done = quorum_order_done(v->c, &v->due, why[0] == '\0' ? NULL : why);
	doc_free(v->due.bytes, v->due.len);
	memset(&v->due, 0, sizeof v->due);
	if (done != PERR_OK)
		steward_stop(v, done, "the vault could not be written");
	else
		steward_next(v);
}

static void bring_order(struct errand *v)
{
	struct rpc_msg m = { .method = RPC_BOARD_CLEAR };
	enum perr err = quorum_order_due(v->c, v->server_pk, &v->due);

	if (err == PERR_NOTFOUND) {
		v->orders_done = true;
		steward_next(v);
		return;
	}
	if (err != PERR_OK) {
		steward_stop(v, err, "the vault could not be read");
		return;
	}
	if (v->due.kind == POLICY_VOID)
		m.method = RPC_ERASE_VOID;
	m.bytes = v->due.bytes;
	m.bytes_len = v->due.len;
	steward_call(v, &m, on_brought);
}

static void on_status(void *ud, enum perr err, const struct rpc_msg *a)
{
	struct errand *v = ud;

	if (!steward_went_on(v, err, a))
		return;
	v->r->has_status = true;
	v->r->st = (struct steward_figures){
		.day = a->st.day, .cells_waiting = a->st.cells_waiting,
		.cells_released = a->st.cells_released, .segments = a->st.segments,
		.board = a->st.board, .joins = a->st.joins, .erasures = a->st.erasures,
		.erase_day = a->st.erase_day, .free_mib = a->st.free_mib,
		.reserve_mib = a->st.reserve_mib, .refused = a->st.refused,
		.refused_full = a->st.refused_full, .alerts = a->st.alerts,
		.frozen = a->st.frozen, .full = a->st.full
	};
	v->want &= ~(unsigned)STEWARD_STATUS;
	err = steward_keep_figures(v->c, v->server_pk, &v->r->st);
	if (err != PERR_OK)
		steward_stop(v, err, "the vault could not be written");
	else
		steward_next(v);
}

/* ---- the visit ---------------------------------------------------------------------- */

/* what is still to be done, one after the other */
void steward_next(struct errand *v)
{
	bool due = false, has = memcmp(v->current, v->c->header_hash, 32) == 0;
	enum perr err = PERR_OK;

	/*
	 * The bulletin first: a policy made of a roster that turns out to be behind would take
	 * away the tickets that another administrator gave out.
	 */
	if ((v->want & STEWARD_PUSH) && !has) {
		steward_put_bulletin(v);
		return;
	}
	if (has)
		err = quorum_public(v->c, v->at == 0);
	if (has && err == PERR_OK)
		err = pending_had(v->c, v->server_pk);
	if ((v->want & STEWARD_PUSH) && !v->policy_waits)
		due = v->policy_version < client_bulletin(v->c)->version;
	if (err != PERR_OK) {
		steward_stop(v, err, "the vault could not be written");
	} else if (due) {
		steward_put_policy(v);
	} else if ((v->want & STEWARD_PUSH) && !v->orders_done) {
		bring_order(v);
	} else if (v->want & STEWARD_ANSWERS) {
		ask_answer(v);
	} else if (v->want & STEWARD_RELEASE) {
		send_order(v, POLICY_RELEASE, RPC_RELEASE, on_release);
	} else if (v->want & STEWARD_VOID) {
		send_order(v, POLICY_VOID, RPC_ERASE_VOID, on_voided);
	} else if (v->want & STEWARD_CLEAR) {
		send_order(v, POLICY_CLEAR_BOARD, RPC_BOARD_CLEAR, on_cleared);
	} else if (v->want & STEWARD_STATUS) {
		struct rpc_msg m = { .method = RPC_STATUS };

		steward_call(v, &m, on_status);
	} else {
		v->r->complete = true;
		peer_bye(v->peer);
	}
}

static void on_hello(void *ud, enum perr err, const struct rpc_msg *a)
{
	struct errand *v = ud;

	v->r->reached = peer_state(v->peer) != PEER_FAILED;
	if (!steward_went_on(v, err, a))
		return;
	v->r->day = a->hello.day;
	v->counter = a->hello.counter;
	err = steward_note_policy(v, a->hello.policy_version);
	if (err != PERR_OK) {
		steward_stop(v, err, "the vault could not be written");
		return;
	}
	memcpy(v->current, a->hello.header_hash, 32);
	v->current_version = a->hello.bulletin_version;
	if (v->is_setup)
		steward_put_policy(v);
	else
		steward_next(v);
}

struct wish {
	unsigned want;
	const uint8_t (*ids)[32];
	uint32_t n_ids;
};

static enum perr connect_as(struct client *c, const struct sync_net *net, size_t at,
                            const uint8_t key[32], bool is_setup, const struct wish *wish,
                            struct steward_server *r, bool *setup_done)
{
	struct errand *v = calloc(1, sizeof *v);
	struct rpc_msg hello = { .method = RPC_HELLO };
	char why[200] = "";
	enum perr err, end;

	if (v == NULL)
		return PERR_NOMEM;
	v->c = c;
	v->r = r;
	v->at = at;
	v->want = is_setup ? 0 : wish->want;
	v->ids = wish->ids;
	v->n_ids = wish->n_ids;
	v->is_setup = is_setup;
	v->server_pk = c->field->servers[at].pk;
	r->complete = false;
	r->why[0] = '\0';
	err = peer_new(&v->peer, v->server_pk, key, c->env.rng);
	if (err == PERR_OK)
		err = peer_call(v->peer, &hello, on_hello, v);
	if (err == PERR_OK) {
		end = net->run(net->ctx, r->address, v->peer, why, sizeof why);
		err = v->err != PERR_OK ? v->err : end;
		if (err != PERR_OK && r->why[0] == '\0')
			snprintf(r->why, sizeof r->why, "%s", why);
		/* everything asked for was answered: a missing goodbye changes nothing */
		if (r->complete || v->setup_done)
			err = PERR_OK;
	}
	*setup_done = v->setup_done;
	peer_free(v->peer);
	doc_free(v->policy, v->policy_len);
	doc_free(v->due.bytes, v->due.len);
	for (size_t i = 0; i < v->n_parts; i++)
		kv_free(v->parts[i].bytes);
	free(v);
	return err;
}

/*
 * A server is silent to a key that it does not know, and that costs seconds; one that was away,
 * or was not told yet, knows an older one only (keyring.h).
 */
static enum perr with_any_key(struct client *c, const struct sync_net *net, size_t at,
                              const struct wish *wish, struct steward_server *r)
{
	struct keyring *k = sodium_malloc(sizeof *k);
	enum perr err = k == NULL ? PERR_NOMEM : keyring_of(c, RPC_STEWARD, k);
	bool done = false;

	if (err == PERR_OK)
		err = keyring_known_first(c, c->field->servers[at].pk, k);
	for (size_t i = 0; err == PERR_OK && i < k->n; i++) {
		err = connect_as(c, net, at, k->at[i], false, wish, r, &done);
		/* the policy it took has ended the key that brought it: after a revocation */
		if (err != PERR_OK && r->policy_put &&
		    sodium_memcmp(k->at[i], c->admin->steward_access, 32) != 0)
			err = connect_as(c, net, at, c->admin->steward_access, false, wish, r, &done);
		/* silence, or a key of before that only lets in as a guest: the next one */
		if (err != PERR_AUTH || i + 1 == k->n)
			break;
		err = PERR_OK;
	}
	if (k != NULL)
		keyring_wipe(k);
	sodium_free(k);
	return err;
}

static enum perr visit(struct client *c, const struct sync_net *net, size_t at,
                       const struct wish *wish, struct steward_server *r)
{
	uint8_t *setup = NULL;
	char name[96];
	bool done = false;
	size_t len;
	enum perr err;

	memset(r, 0, sizeof *r);
	if (c->admin == NULL || at >= c->field->n_servers)
		return r->err = PERR_STATE;
	snprintf(r->address, sizeof r->address, "%s", c->field->servers[at].address);
	client_key_name(name, "setup/", c->field->servers[at].pk, 32);
	err = kv_get(c->kv, name, &setup, &len);
	if (err == PERR_OK && len == 32) {
		err = connect_as(c, net, at, setup, true, wish, r, &done);
		/*
		 * Refused in the handshake: the server has its policy (we were killed before we
		 * noted it), or is not there.  The steward's key will tell.
		 */
		if (err == PERR_AUTH)
			err = PERR_OK;
	} else if (err == PERR_NOTFOUND) {
		err = PERR_OK;
	}
	kv_free(setup);
	if (err == PERR_OK)
		err = with_any_key(c, net, at, wish, r);
	return r->err = err;
}

enum perr steward_visit(struct client *c, const struct sync_net *net, size_t at, unsigned want,
                        struct steward_server *r)
{
	const struct wish wish = { .want = want };

	return visit(c, net, at, &wish, r);
}

/* may this device's signature alone give the order?  Also fills the address in */
static enum perr may_order(struct client *c, size_t at, enum policy_order_kind kind,
                           const char *what, struct steward_server *r)
{
	uint32_t needs;

	memset(r, 0, sizeof *r);
	if (c->admin == NULL || at >= c->field->n_servers || client_admins(c) == NULL)
		return r->err = PERR_STATE;
	snprintf(r->address, sizeof r->address, "%s", c->field->servers[at].address);
	needs = policy_order_needs(client_admins(c), kind);
	if (needs <= 1)
		return PERR_OK;
	snprintf(r->why, sizeof r->why, "%s takes the signatures of %u administrators and this "
	         "device has one; nothing was sent", what, needs);
	return r->err = PERR_SIGS;
}

enum perr steward_void(struct client *c, const struct sync_net *net, size_t at,
                       const uint8_t (*ids)[32], uint32_t n, struct steward_server *r)
{
	const struct wish wish = { STEWARD_VOID | STEWARD_STATUS, ids, n };
	enum perr err = may_order(c, at, POLICY_VOID, "voiding", r);

	if (err == PERR_OK && n > POLICY_ORDER_IDS_MAX)
		err = r->err = PERR_RANGE;
	return err == PERR_OK ? visit(c, net, at, &wish, r) : err;
}

enum perr steward_board_clear(struct client *c, const struct sync_net *net, size_t at,
                              struct steward_server *r)
{
	const struct wish wish = { STEWARD_CLEAR | STEWARD_STATUS, NULL, 0 };
	enum perr err = may_order(c, at, POLICY_CLEAR_BOARD, "clearing the board", r);

	return err == PERR_OK ? visit(c, net, at, &wish, r) : err;
}
