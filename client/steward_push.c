/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "steward_int.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "keyring.h"
#include "pending.h"
#include "policies.h"
#include "press.h"
#include "roster.h"

/* ---- policy ------------------------------------------------------------------------- */

static void send_policy_piece(struct errand *v, uint32_t offset);

/*
 * What the server says of its counter and policy, kept; with a policy the key that admits the
 * first one is of no use any more.  put: this device has given it the newest one
 */
static enum perr keep(struct errand *v, uint32_t version, bool put)
{
	uint8_t *value;
	char setup[96];
	bool news, has_setup;
	enum perr err = policies_is_news(v->c, v->server_pk, v->counter, version, &news);

	client_key_name(setup, "setup/", v->server_pk, 32);
	if (err == PERR_OK)
		err = kv_get(v->c->kv, setup, &value, NULL);
	has_setup = err == PERR_OK;
	if (has_setup)
		kv_free(value);
	if (err == PERR_NOTFOUND)
		err = PERR_OK;
	has_setup = has_setup && version > 0;
	if (err != PERR_OK || (!news && !has_setup && !put))
		return err;
	err = kv_begin(v->c->kv);
	if (err == PERR_OK)
		err = policies_saw(v->c, v->server_pk, v->counter, version);
	if (err == PERR_OK && has_setup)
		err = kv_erase(v->c->kv, setup);
	if (err == PERR_OK && put)
		err = keyring_put_in_force(v->c, v->server_pk, v->c->admin->steward_access);
	if (err == PERR_OK)
		err = kv_commit(v->c->kv);
	if (err != PERR_OK)
		kv_abort(v->c->kv);
	return err;
}

enum perr steward_note_policy(struct errand *v, uint32_t version)
{
	bool is_new = !v->is_setup && version > 0 && version >= client_bulletin(v->c)->version, news;
	enum perr err = policies_is_news(v->c, v->server_pk, v->counter, version, &news);

	v->policy_version = version;
	/* another administrator has given it the newest one: its keys are in force */
	return err != PERR_OK ? err : keep(v, version, is_new && news);
}

static void on_policy(void *ud, enum perr err, const struct rpc_msg *a)
{
	struct errand *v = ud;

	if (!steward_went_on(v, err, a))
		return;
	if (a->total < v->policy_len) {
		send_policy_piece(v, a->total);
		return;
	}
	doc_free(v->policy, v->policy_len);
	v->policy = NULL;
	v->counter = v->policy_counter;
	v->r->policy_put = true;
	v->policy_version = client_bulletin(v->c)->version;
	err = keep(v, v->policy_version, true);
	if (err != PERR_OK) {
		steward_stop(v, err, "the vault could not be written");
	} else if (v->is_setup) {
		v->setup_done = true;
		peer_bye(v->peer);
	} else {
		steward_next(v);
	}
}

static void send_policy_piece(struct errand *v, uint32_t offset)
{
	struct rpc_msg m = { .method = RPC_POLICY_PUT, .total = (uint32_t)v->policy_len,
	                     .offset = offset };
	size_t left = v->policy_len - offset;

	if (offset >= v->policy_len) {
		steward_stop(v, PERR_FORMAT, "the server counts what it received wrongly");
		return;
	}
	m.bytes = v->policy + offset;
	m.bytes_len = left < RPC_PART_PUT ? left : RPC_PART_PUT;
	steward_call(v, &m, on_policy);
}

void steward_put_policy(struct errand *v)
{
	enum perr err;

	v->policy_counter = v->counter;
	err = policies_ready(v->c, v->at, &v->policy_counter, &v->policy, &v->policy_len);

	if (err == PERR_SIGS && !v->is_setup) {
		/* the others' devices sign at their next syncs; the rest of the visit goes on */
		v->policy_waits = true;
		v->r->policy_waits = true;
		steward_next(v);
	} else if (err == PERR_SIGS) {
		steward_stop(v, err, "its first policy waits for the signatures of other administrators");
	} else if (err != PERR_OK) {
		steward_stop(v, err, "the server's policy could not be made");
	} else {
		send_policy_piece(v, 0);
	}
}

/* ---- bulletin ----------------------------------------------------------------------- */

static void send_part_piece(struct errand *v, uint32_t offset);

static void on_commit(void *ud, enum perr err, const struct rpc_msg *a)
{
	struct errand *v = ud;

	if (!steward_went_on(v, err, a))
		return;
	memcpy(v->current, v->c->header_hash, 32);
	v->r->bulletin_put = true;
	steward_next(v);
}

static void next_part(struct errand *v)
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
	steward_call(v, &m, on_commit);
}

static void on_piece(void *ud, enum perr err, const struct rpc_msg *a)
{
	struct errand *v = ud;

	if (!steward_went_on(v, err, a))
		return;
	if (a->total < v->parts[v->part_at].len) {
		send_part_piece(v, a->total);
		return;
	}
	v->r->parts_put++;
	next_part(v);
}

static void send_part_piece(struct errand *v, uint32_t offset)
{
	struct upload *u = &v->parts[v->part_at];
	struct rpc_msg m = { .method = RPC_BULLETIN_PART, .total = (uint32_t)u->len,
	                     .offset = offset };
	size_t left = u->len - offset;

	if (offset >= u->len) {
		steward_stop(v, PERR_FORMAT, "the server counts what it received wrongly");
		return;
	}
	memcpy(m.hash, u->name, 32);
	m.bytes = u->bytes + offset;
	m.bytes_len = left < RPC_PART_PUT ? left : RPC_PART_PUT;
	steward_call(v, &m, on_piece);
}

/* a form that is already there is not sent again: it may be a megabyte */
static void on_asked(void *ud, enum perr err, const struct rpc_msg *a)
{
	struct errand *v = ud;
	bool has = err == PERR_OK;

	if (err == PERR_REFUSED && a->error == RPC_UNKNOWN)
		err = PERR_OK;
	if (!steward_went_on(v, err, a))
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
		steward_call(v, &m, on_asked);
		return;
	}
	v->part_at = 0;
	send_part_piece(v, 0);
}

static enum perr add_part(struct errand *v, const uint8_t name[32])
{
	struct upload *u = &v->parts[v->n_parts];
	enum perr err = press_part(v->c, name, &u->bytes, &u->len);

	if (err == PERR_OK) {
		memcpy(u->name, name, 32);
		v->n_parts++;
	}
	return err;
}

static enum perr gather(struct errand *v)
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

void steward_put_bulletin(struct errand *v)
{
	const struct bulletin *b = client_bulletin(v->c);
	struct rpc_msg m = { .method = RPC_BULLETIN_GET };
	bool covers = true, first_only = false;
	char why[200];
	enum perr err;

	/* only what this roster contains may be replaced by it (PROTOCOL 8.1) */
	err = sodium_is_zero(v->current, 32) ? PERR_OK
	    : pending_covers(v->c, v->current, v->current_version, &covers);
	if (err != PERR_OK) {
		steward_stop(v, err, "the vault could not be read");
		return;
	}
	if (v->at > 0)
		err = quorum_first_only(v->c, &first_only);
	if (err != PERR_OK) {
		steward_stop(v, err, "the vault could not be read");
		return;
	}
	if (first_only) {
		snprintf(why, sizeof why, "a change of administrators goes to the first server before "
		         "any other, and %s does not have it yet", v->c->field->servers[0].address);
		steward_stop(v, PERR_MORE, why);
		return;
	}
	if (!covers) {
		steward_stop(v, PERR_OLD, "the server has changes of another administrator that this roster "
		     "lacks; they come together when both have synced");
		return;
	}
	if (v->current_version >= b->version) {
		steward_stop(v, PERR_FORK, "the server has another roster of the same version: speak with "
		     "the other administrators before you change anything");
		return;
	}
	err = gather(v);
	if (err == PERR_NOTFOUND) {
		steward_stop(v, PERR_NOTFOUND, "this roster was published from another administrator's "
		     "device; it has to be brought to the server from there");
		return;
	}
	if (err != PERR_OK) {
		steward_stop(v, err, "the vault could not be read");
		return;
	}
	if (b->n_forms == 0) {
		v->part_at = 0;
		send_part_piece(v, 0);
		return;
	}
	v->asked = 4;
	memcpy(m.hash, v->parts[4].name, 32);
	steward_call(v, &m, on_asked);
}
