/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "steward.h"

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
#include "policy.h"
#include "press.h"
#include "roster.h"

#define PARTS_MAX (BULLETIN_FORMS_MAX + 5)

struct upload {
	uint8_t name[32];
	uint8_t *bytes;              /* from the store, or the header's copy */
	size_t len;
};

struct visit {
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
	const uint8_t (*ids)[32];    /* to be voided */
	uint32_t n_ids;
};

/* not to be asked for from outside */
#define STEWARD_VOID 0x100u
#define STEWARD_CLEAR 0x200u

static void next(struct visit *v);

/* give up this visit, politely: what was done stays done */
static void stop(struct visit *v, enum perr err, const char *why)
{
	if (v->err == PERR_OK) {
		v->err = err;
		snprintf(v->r->why, sizeof v->r->why, "%s", why);
	}
	peer_bye(v->peer);
}

static const char *refusal(enum rpc_error e)
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

/* common head of all callbacks; false: the visit is over */
static bool went_on(struct visit *v, enum perr err, const struct rpc_msg *a)
{
	if (err == PERR_OK)
		return true;
	if (err == PERR_REFUSED)
		stop(v, a->error == RPC_STALE ? PERR_OLD : a->error == RPC_SCOPE ? PERR_AUTH
		     : PERR_REFUSED, refusal(a->error));
	else if (v->err == PERR_OK)
		v->err = err;            /* the connection is gone; link gives the sentence */
	return false;
}

static void call(struct visit *v, struct rpc_msg *m, peer_cb *cb)
{
	enum perr err = peer_call(v->peer, m, cb, v);

	if (err != PERR_OK)
		stop(v, err, "the request could not be made");
}

/* ---- policy ------------------------------------------------------------------------- */

static void send_policy_piece(struct visit *v, uint32_t offset);

static enum perr note_pushed(struct visit *v)
{
	char pushed[96], setup[96];
	enum perr err = kv_begin(v->c->kv);

	client_key_name(pushed, "pushed/", v->server_pk, 32);
	client_key_name(setup, "setup/", v->server_pk, 32);
	if (err == PERR_OK)
		err = kv_put(v->c->kv, pushed, v->c->header_hash, 32);
	if (err == PERR_OK)
		err = kv_erase(v->c->kv, setup);
	if (err == PERR_OK)
		err = keyring_put_in_force(v->c, v->server_pk, v->c->admin->steward_access);
	if (err == PERR_OK)
		err = kv_commit(v->c->kv);
	if (err != PERR_OK)
		kv_abort(v->c->kv);
	return err;
}

static void on_policy(void *ud, enum perr err, const struct rpc_msg *a)
{
	struct visit *v = ud;

	if (!went_on(v, err, a))
		return;
	if (a->total < v->policy_len) {
		send_policy_piece(v, a->total);
		return;
	}
	doc_free(v->policy, v->policy_len);
	v->policy = NULL;
	v->counter++;
	v->r->policy_put = true;
	err = note_pushed(v);
	if (err != PERR_OK) {
		stop(v, err, "the vault could not be written");
	} else if (v->is_setup) {
		v->setup_done = true;
		peer_bye(v->peer);
	} else {
		next(v);
	}
}

static void send_policy_piece(struct visit *v, uint32_t offset)
{
	struct rpc_msg m = { .method = RPC_POLICY_PUT, .total = (uint32_t)v->policy_len,
	                     .offset = offset };
	size_t left = v->policy_len - offset;

	if (offset >= v->policy_len) {
		stop(v, PERR_FORMAT, "the server counts what it received wrongly");
		return;
	}
	m.bytes = v->policy + offset;
	m.bytes_len = left < RPC_PART_PUT ? left : RPC_PART_PUT;
	call(v, &m, on_policy);
}

static void put_policy(struct visit *v)
{
	enum perr err = org_policy(v->c, v->at, v->counter + 1, &v->policy, &v->policy_len);

	if (err != PERR_OK)
		stop(v, err, "the server's policy could not be made");
	else
		send_policy_piece(v, 0);
}

static enum perr policy_is_due(struct visit *v, bool *due)
{
	uint8_t *hash = NULL;
	char name[96];
	size_t len;
	enum perr err;

	client_key_name(name, "pushed/", v->server_pk, 32);
	err = kv_get(v->c->kv, name, &hash, &len);
	*due = err == PERR_NOTFOUND || (err == PERR_OK &&
	       (len != 32 || memcmp(hash, v->c->header_hash, 32) != 0));
	kv_free(hash);
	return err == PERR_NOTFOUND ? PERR_OK : err;
}

/* ---- bulletin ----------------------------------------------------------------------- */

static void send_part_piece(struct visit *v, uint32_t offset);

static void on_commit(void *ud, enum perr err, const struct rpc_msg *a)
{
	struct visit *v = ud;

	if (!went_on(v, err, a))
		return;
	memcpy(v->current, v->c->header_hash, 32);
	v->r->bulletin_put = true;
	next(v);
}

static void next_part(struct visit *v)
{
	struct rpc_msg m = { .method = RPC_BULLETIN_COMMIT };

	v->part_at++;
	if (v->part_at < v->n_parts) {
		send_part_piece(v, 0);
		return;
	}
	/*
	 * PROTOCOL 6: "Refused as stale unless the second is the header hash now in force": two
	 * administrators who publish at once do not overwrite each other.
	 */
	memcpy(m.hash, v->c->header_hash, 32);
	memcpy(m.digest, v->current, 32);
	call(v, &m, on_commit);
}

static void on_piece(void *ud, enum perr err, const struct rpc_msg *a)
{
	struct visit *v = ud;

	if (!went_on(v, err, a))
		return;
	if (a->total < v->parts[v->part_at].len) {
		send_part_piece(v, a->total);
		return;
	}
	v->r->parts_put++;
	next_part(v);
}

static void send_part_piece(struct visit *v, uint32_t offset)
{
	struct upload *u = &v->parts[v->part_at];
	struct rpc_msg m = { .method = RPC_BULLETIN_PART, .total = (uint32_t)u->len,
	                     .offset = offset };
	size_t left = u->len - offset;

	if (offset >= u->len) {
		stop(v, PERR_FORMAT, "the server counts what it received wrongly");
		return;
	}
	memcpy(m.hash, u->name, 32);
	m.bytes = u->bytes + offset;
	m.bytes_len = left < RPC_PART_PUT ? left : RPC_PART_PUT;
	call(v, &m, on_piece);
}

/* a form that is already there is not sent again: it may be a megabyte */
static void on_asked(void *ud, enum perr err, const struct rpc_msg *a)
{
	struct visit *v = ud;
	bool has = err == PERR_OK;

	if (err == PERR_REFUSED && a->error == RPC_UNKNOWN)
		err = PERR_OK;
	if (!went_on(v, err, a))
		return;
	if (has) {
		kv_free(v->parts[v->asked].bytes);
		v->parts[v->asked] = v->parts[--v->n_parts];
	} else {
		v->asked++;
	}
	/* bodies and slots are new in every version: parts 0..3 and the header are not asked for */
	if (v->asked + 1 < v->n_parts) {
		struct rpc_msg m = { .method = RPC_BULLETIN_GET };

		memcpy(m.hash, v->parts[v->asked].name, 32);
		call(v, &m, on_asked);
		return;
	}
	v->part_at = 0;
	send_part_piece(v, 0);
}

static enum perr add_part(struct visit *v, const uint8_t name[32])
{
	struct upload *u = &v->parts[v->n_parts];
	enum perr err = press_part(v->c, name, &u->bytes, &u->len);

	if (err == PERR_OK) {
		memcpy(u->name, name, 32);
		v->n_parts++;
	}
	return err;
}

static enum perr gather(struct visit *v)
{
	const struct bulletin *b = client_bulletin(v->c);
	struct upload *u;
	const uint8_t *header;
	size_t len;
	enum perr err = PERR_OK;

	for (int i = 0; i < 3 && err == PERR_OK; i++)
		err = add_part(v, b->bodies[i].part.name);
	if (err == PERR_OK)
		err = add_part(v, b->slots.name);
	for (uint32_t i = 0; i < b->n_forms && err == PERR_OK; i++)
		err = add_part(v, b->forms[i].name);
	if (err != PERR_OK)
		return err;
	header = client_header_bytes(v->c, &len);
	u = &v->parts[v->n_parts];
	u->bytes = kv_alloc(len);
	if (u->bytes == NULL)
		return PERR_NOMEM;
	memcpy(u->bytes, header, len);
	u->len = len;
	memcpy(u->name, v->c->header_hash, 32);
	v->n_parts++;
	return PERR_OK;
}

static void put_bulletin(struct visit *v)
{
	const struct bulletin *b = client_bulletin(v->c);
	struct rpc_msg m = { .method = RPC_BULLETIN_GET };
	bool covers = true;
	enum perr err;

	/* only what this roster contains may be replaced by it (PROTOCOL 8.1) */
	err = sodium_is_zero(v->current, 32) ? PERR_OK
	    : pending_covers(v->c, v->current, v->current_version, &covers);
	if (err != PERR_OK) {
		stop(v, err, "the vault could not be read");
		return;
	}
	if (!covers) {
		stop(v, PERR_OLD, "the server has changes of another administrator that this roster "
		     "lacks; they come together when both have synced");
		return;
	}
	if (v->current_version >= b->version) {
		stop(v, PERR_FORK, "the server has another roster of the same version: speak with "
		     "the other administrators before you change anything");
		return;
	}
	err = gather(v);
	if (err == PERR_NOTFOUND) {
		stop(v, PERR_NOTFOUND, "this roster was published from another administrator's "
		     "device; it has to be brought to the server from there");
		return;
	}
	if (err != PERR_OK) {
		stop(v, err, "the vault could not be read");
		return;
	}
	if (b->n_forms == 0) {
		v->part_at = 0;
		send_part_piece(v, 0);
		return;
	}
	v->asked = 4;
	memcpy(m.hash, v->parts[4].name, 32);
	call(v, &m, on_asked);
}

/* ---- answers ------------------------------------------------------------------------ */

static enum perr store_answer(struct visit *v, const uint8_t cell[CELL_SIZE])
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

static void ask_answer(struct visit *v);

static void on_answer(void *ud, enum perr err, const struct rpc_msg *a)
{
	struct visit *v = ud;

	if (!went_on(v, err, a))
		return;
	v->join_n = a->n;
	if (a->cell == NULL || v->join_at >= a->n) {
		v->want &= ~(unsigned)STEWARD_ANSWERS;
		next(v);
		return;
	}
	err = store_answer(v, a->cell);
	v->join_at++;
	if (err != PERR_OK)
		stop(v, err, "the vault could not be written");
	else
		ask_answer(v);
}

static void ask_answer(struct visit *v)
{
	struct rpc_msg m = { .method = RPC_JOIN_LIST, .from = v->join_at };

	call(v, &m, on_answer);
}

/* ---- release and status ------------------------------------------------------------- */

static void on_release(void *ud, enum perr err, const struct rpc_msg *a)
{
	struct visit *v = ud;

	if (!went_on(v, err, a))
		return;
	v->counter++;
	v->r->released_day = a->day;
	v->r->released_number = a->release;
	v->r->released_cells = a->n;
	v->want &= ~(unsigned)STEWARD_RELEASE;
	next(v);
}

static void on_voided(void *ud, enum perr err, const struct rpc_msg *a)
{
	struct visit *v = ud;

	if (!went_on(v, err, a))
		return;
	v->counter++;
	v->r->voided = a->n;
	v->want &= ~STEWARD_VOID;
	next(v);
}

static void on_cleared(void *ud, enum perr err, const struct rpc_msg *a)
{
	struct visit *v = ud;

	if (!went_on(v, err, a))
		return;
	v->counter++;
	v->r->cleared = a->n;
	v->want &= ~STEWARD_CLEAR;
	next(v);
}

static void send_order(struct visit *v, enum policy_order_kind kind, enum rpc_method method,
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
		stop(v, err, "the order could not be signed");
		return;
	}
	m.bytes = order;
	m.bytes_len = len;
	call(v, &m, cb);
	doc_free(order, len);            /* peer_call has encoded it */
}

static void on_status(void *ud, enum perr err, const struct rpc_msg *a)
{
	struct visit *v = ud;

	if (!went_on(v, err, a))
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
		stop(v, err, "the vault could not be written");
	else
		next(v);
}

/* ---- the visit ---------------------------------------------------------------------- */

/* what is still to be done, one after the other */
static void next(struct visit *v)
{
	bool due = false, has = memcmp(v->current, v->c->header_hash, 32) == 0;
	enum perr err = PERR_OK;

	/*
	 * The bulletin first: a policy made of a roster that turns out to be behind would take
	 * away the tickets that another administrator gave out.
	 */
	if ((v->want & STEWARD_PUSH) && !has) {
		put_bulletin(v);
		return;
	}
	if (has)
		err = pending_had(v->c, v->server_pk);
	if (err == PERR_OK && (v->want & STEWARD_PUSH))
		err = policy_is_due(v, &due);
	if (err != PERR_OK) {
		stop(v, err, "the vault could not be written");
	} else if (due) {
		put_policy(v);
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

		call(v, &m, on_status);
	} else {
		v->r->complete = true;
		peer_bye(v->peer);
	}
}

static void on_hello(void *ud, enum perr err, const struct rpc_msg *a)
{
	struct visit *v = ud;

	v->r->reached = peer_state(v->peer) != PEER_FAILED;
	if (!went_on(v, err, a))
		return;
	v->r->day = a->hello.day;
	v->counter = a->hello.counter;
	memcpy(v->current, a->hello.header_hash, 32);
	v->current_version = a->hello.bulletin_version;
	if (v->is_setup)
		put_policy(v);
	else
		next(v);
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
	struct visit *v = calloc(1, sizeof *v);
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
		if (err != PERR_AUTH || r->reached || i + 1 == k->n)
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
