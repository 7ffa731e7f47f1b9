/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "visit.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "bulletin.h"
#include "pending.h"
#include "revoked.h"
#include "verify.h"

/* which part is being fetched */
enum part_of { PART_HEADER, PART_SLOTS, PART_FIELD, PART_STAFF, PART_ADMIN, PART_FORM };

struct visit_bulletin {
	struct visit *v;
	/* the part under way */
	enum part_of part_of;
	uint8_t name[32];
	uint8_t *part;
	uint32_t size, got;
	unsigned asked;                  /* pieces not answered yet */
	bool failed;
	struct verify so_far;
	uint32_t form_at;                /* index in the roster's forms */
};

static void on_part(struct visit_bulletin *vb);
static void next_form(struct visit *v);

/* ---- fetching one part ----------------------------------------------------------------------- */

/* the bulletin cannot be had from here: say so, and go on with what is known */
static void give_up(struct visit_bulletin *vb, unsigned note)
{
	struct visit *v = vb->v;

	v->out->notes |= note;
	visit_bulletin_free(v);
	visit_next(v);
}

/* err is not PERR_OK: without memory nothing can be said of the bulletin */
static void give_up_for(struct visit_bulletin *vb, enum perr err)
{
	if (err == PERR_NOMEM)
		visit_store_failed(vb->v, err);
	else
		give_up(vb, err == PERR_FORK ? SYNC_N_FORK : err == PERR_OLD ? SYNC_N_BEHIND
		          : err == PERR_NOTMINE ? SYNC_N_NO_SLOT : SYNC_N_BAD_BULLETIN);
}

static void on_piece(struct visit *v, uint32_t at, enum perr err, const struct rpc_msg *m);

static bool ask(struct visit_bulletin *vb, uint32_t offset)
{
	struct rpc_msg *m = calloc(1, sizeof *m);
	bool ok;

	if (m == NULL) {
		visit_fail(vb->v, PERR_NOMEM, "out of memory");
		return false;
	}
	m->method = RPC_BULLETIN_GET;
	memcpy(m->hash, vb->name, 32);
	m->offset = offset;
	ok = visit_ask(vb->v, m, offset, on_piece);
	vb->asked += ok ? 1 : 0;
	free(m);
	return ok;
}

/* size 0: unknown (the header) */
static void fetch_part(struct visit_bulletin *vb, enum part_of what, const uint8_t name[32],
                       uint32_t size)
{
	vb->part_of = what;
	memcpy(vb->name, name, 32);
	free(vb->part);
	vb->part = NULL;
	vb->size = size;
	vb->got = 0;
	vb->failed = false;
	(void)ask(vb, 0);
}

static bool begin_part(struct visit_bulletin *vb, const struct rpc_msg *m)
{
	uint32_t at;

	/* the size is known from the header and must fit; of the header it is bounded */
	if (m->total == 0 || m->total > BULLETIN_PART_MAX || (vb->size != 0 && m->total != vb->size))
		return false;
	vb->size = m->total;
	vb->part = malloc(vb->size);
	if (vb->part == NULL) {
		visit_store_failed(vb->v, PERR_NOMEM);
		return false;
	}
	for (at = RPC_PART_GET; at < vb->size; at += RPC_PART_GET)
		if (!ask(vb, at))
			return true;     /* the visit is over */
	return true;
}

static void on_piece(struct visit *v, uint32_t at, enum perr err, const struct rpc_msg *m)
{
	struct visit_bulletin *vb = v->bulletin;
	uint32_t want;

	vb->asked--;
	if (!vb->failed && err == PERR_OK && vb->part == NULL && !begin_part(vb, m))
		vb->failed = true;
	if (v->is_over)
		return;
	want = vb->size - at < RPC_PART_GET ? vb->size - at : RPC_PART_GET;
	if (!vb->failed && err == PERR_OK && m->total == vb->size && m->bytes_len == want) {
		memcpy(vb->part + at, m->bytes, want);
		vb->got += want;
		if (vb->got == vb->size)
			on_part(vb);
		return;
	}
	/* the answers to the other pieces come first: they must not meet the next part */
	vb->failed = true;
	if (vb->asked == 0)
		give_up(vb, SYNC_N_BAD_BULLETIN);
}

/* ---- header, slots, bodies ------------------------------------------------------------------- */

static void on_header(struct visit_bulletin *vb)
{
	uint8_t *header = vb->part;
	const struct bulletin_part *slots = &vb->so_far.b.slots;
	enum perr err;

	vb->part = NULL;
	err = verify_header(&vb->so_far, vb->v->c, vb->name, header, vb->size);
	if (err == PERR_OK)
		fetch_part(vb, PART_SLOTS, slots->name, slots->size);
	else
		give_up_for(vb, err);
}

/* of before this administrator was enrolled: it may be replaced */
static void not_for_us_yet(struct visit_bulletin *vb)
{
	struct client *c = vb->v->c;
	enum perr err = kv_begin(c->kv);

	if (err == PERR_OK)
		err = pending_saw(c, vb->so_far.b.version, vb->v->header_hash, NULL);
	if (err == PERR_OK)
		err = kv_commit(c->kv);
	kv_abort(c->kv);
	if (err != PERR_OK)
		visit_store_failed(vb->v, err);
	else
		give_up(vb, SYNC_N_BEHIND);
}

/* the administrators say so themselves, under their signatures; the roster known here stays */
static void told_to_leave(struct visit_bulletin *vb, uint32_t day)
{
	bool is_older = verify_is_older(&vb->so_far, vb->v->c);
	enum perr err = PERR_OK;

	/* administrators look at older ones too: those say nothing about today */
	if (!is_older)
		err = revoked_note(vb->v->c, day, vb->so_far.b.version);
	if (err != PERR_OK) {
		visit_store_failed(vb->v, err);
		return;
	}
	if (!is_older)
		vb->v->step = VISIT_ERASE;       /* nothing else is open to this member */
	give_up(vb, is_older ? SYNC_N_BEHIND : SYNC_N_REVOKED);
}

static void fetch_body(struct visit_bulletin *vb, enum bulletin_which which)
{
	const struct bulletin_part *p = &vb->so_far.b.bodies[which].part;

	fetch_part(vb, (enum part_of)(PART_FIELD + (int)which), p->name, p->size);
}

static void on_slots(struct visit_bulletin *vb)
{
	uint32_t ended;
	enum perr err = verify_slots(&vb->so_far, vb->v->c, vb->part, vb->size, &ended);

	if (err == PERR_OK && ended != 0)
		told_to_leave(vb, ended);
	else if (err == PERR_OK)
		fetch_body(vb, BULLETIN_FIELD);
	else if (err == PERR_NOTMINE && verify_is_older(&vb->so_far, vb->v->c))
		not_for_us_yet(vb);
	else
		give_up_for(vb, err);
}

/*
 * The key of this connection may be one of before, which is good for the bulletin and nothing
 * else: with the one that just came the visit is made again.  (Not if that one is this
 * administrator's own, which no server has yet.)
 */
static bool has_other_key(const struct visit *v)
{
	uint8_t key[32];
	bool other = client_access(v->c, (int)v->scope, key) != PERR_OK ||
	             sodium_memcmp(key, v->access, 32) != 0;

	sodium_memzero(key, sizeof key);
	return other;
}

static void adopt(struct visit_bulletin *vb)
{
	struct visit *v = vb->v;
	enum rebase_how how;
	unsigned redone;
	bool ours;
	enum perr err = verify_adopt(&vb->so_far, v->c, &how, &redone, &ours);

	if (err != PERR_OK && ours) {
		visit_store_failed(v, err);
		return;
	}
	if (err != PERR_OK) {
		give_up_for(vb, err);
		return;
	}
	if (how != REBASE_ADOPTED) {
		give_up(vb, how == REBASE_KEPT ? SYNC_N_BEHIND : SYNC_N_APART);
		return;
	}
	v->rebased = redone > 0;
	v->out->notes |= SYNC_N_ROSTER_NEW;
	visit_bulletin_free(v);
	if (v->scope != RPC_GUEST && !v->rebased && has_other_key(v)) {
		v->is_old_key = true;
		v->step = VISIT_ERASE;
	}
	visit_next(v);
}

static void on_body(struct visit_bulletin *vb)
{
	enum bulletin_which which = (enum bulletin_which)(vb->part_of - PART_FIELD);
	enum perr err = verify_body(&vb->so_far, which, vb->part, vb->size);

	if (err != PERR_OK)
		give_up_for(vb, err);
	else if (which < vb->so_far.level)
		fetch_body(vb, which + 1);
	else
		adopt(vb);
}

void visit_bulletin_start(struct visit *v)
{
	const struct bulletin *b = client_bulletin(v->c);
	struct visit_bulletin *vb;
	bool behind;
	enum perr err = PERR_OK;

	if (sodium_is_zero(v->header_hash, 32) ||
	    (b != NULL && memcmp(v->header_hash, v->c->header_hash, 32) == 0)) {
		/* a server that shows none, or has none yet, is behind whoever has one */
		if (b != NULL && sodium_is_zero(v->header_hash, 32))
			v->out->notes |= SYNC_N_BEHIND;
		visit_next(v);
		return;
	}
	/* an older one may hold what another administrator did: an administrator looks */
	if (v->c->admin != NULL)
		err = pending_covers(v->c, v->header_hash, v->bulletin_version, &behind);
	else
		behind = b != NULL && v->bulletin_version < b->version;
	if (err != PERR_OK) {
		visit_store_failed(v, err);
		return;
	}
	if (behind) {
		v->out->notes |= SYNC_N_BEHIND;
		visit_next(v);
		return;
	}
	vb = calloc(1, sizeof *vb);
	if (vb == NULL) {
		visit_fail(v, PERR_NOMEM, "out of memory");
		return;
	}
	vb->v = v;
	v->bulletin = vb;
	visit_progress(v, SYNC_BULLETIN, 0, 0);
	fetch_part(vb, PART_HEADER, v->header_hash, 0);
}

void visit_bulletin_free(struct visit *v)
{
	struct visit_bulletin *vb = v->bulletin;

	if (vb == NULL)
		return;
	verify_wipe(&vb->so_far);
	free(vb->part);
	free(vb);
	v->bulletin = NULL;
}

/* ---- forms ----------------------------------------------------------------------------------- */

static void form_name(char name[96], const struct roster_form *f)
{
	client_key_name(name, "form/", f->part, 32);
}

static enum perr has_form(struct client *c, const struct roster_form *f, bool *has)
{
	char name[96];
	uint8_t *value;
	enum perr err;

	form_name(name, f);
	err = kv_get(c->kv, name, &value, NULL);
	*has = err == PERR_OK;
	if (err == PERR_OK)
		kv_free(value);
	return err == PERR_NOTFOUND ? PERR_OK : err;
}

static void on_form(struct visit_bulletin *vb)
{
	struct visit *v = vb->v;
	struct client *c = v->c;
	const struct roster_form *f;
	char name[96];
	uint8_t *xml = NULL;
	size_t len = 0;
	enum perr err;

	/* this visit adopts before it fetches forms; somebody else may have, meanwhile */
	f = vb->form_at < c->field->n_forms ? &c->field->forms[vb->form_at] : NULL;
	if (f == NULL || memcmp(f->part, vb->name, 32) != 0) {
		vb->form_at = 0;
		next_form(v);
		return;
	}
	err = bulletin_part_open(&xml, &len, f->part, f->key, BULLETIN_FORM, 0, vb->part, vb->size);
	if (err == PERR_NOMEM) {
		visit_store_failed(v, err);
		return;
	}
	if (err != PERR_OK) {
		v->out->notes |= SYNC_N_BAD_BULLETIN;
	} else {
		form_name(name, f);
		err = kv_begin(c->kv);
		if (err == PERR_OK)
			err = kv_put(c->kv, name, xml, len);
		if (err == PERR_OK)
			err = kv_commit(c->kv);
		kv_abort(c->kv);
		doc_free(xml, len);
		if (err != PERR_OK) {
			visit_store_failed(v, err);
			return;
		}
	}
	vb->form_at++;
	next_form(v);
}

static void next_form(struct visit *v)
{
	struct visit_bulletin *vb = v->bulletin;
	struct client *c = v->c;
	bool has = true;

	while (vb->form_at < c->field->n_forms) {
		const struct roster_form *f = &c->field->forms[vb->form_at];
		enum perr err = has_form(c, f, &has);

		if (err != PERR_OK) {
			visit_store_failed(v, err);
			return;
		}
		if (!has) {
			fetch_part(vb, PART_FORM, f->part, f->size);
			return;
		}
		vb->form_at++;
	}
	visit_bulletin_free(v);
	visit_next(v);
}

void visit_forms_start(struct visit *v)
{
	/* a cut connection may have left some out, so this is looked at on every visit; a server
	 * with another bulletin does not have them */
	if (v->c->field == NULL ||
	    (!v->rebased && memcmp(v->header_hash, v->c->header_hash, 32) != 0)) {
		visit_next(v);
		return;
	}
	v->bulletin = calloc(1, sizeof *v->bulletin);
	if (v->bulletin == NULL) {
		visit_fail(v, PERR_NOMEM, "out of memory");
		return;
	}
	v->bulletin->v = v;
	next_form(v);
}

static void on_part(struct visit_bulletin *vb)
{
	switch (vb->part_of) {
	case PART_HEADER:
		on_header(vb);
		return;
	case PART_SLOTS:
		on_slots(vb);
		return;
	case PART_FIELD:
	case PART_STAFF:
	case PART_ADMIN:
		on_body(vb);
		return;
	case PART_FORM:
		on_form(vb);
		return;
	}
}
