/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "press.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "bulletin.h"
#include "pending.h"
#include "roster.h"

#define SLOTS 3                  /* behind the bodies, by enum bulletin_which */

/* everything of one version while it is made */
struct press {
	struct bulletin b;               /* chain: points into chain below, and to link_bytes */
	uint8_t *chain[ADMINS_CHAIN_MAX];
	uint8_t hash[32];
	struct roster_keys keys;
	uint8_t *body[3];                /* plain, by enum bulletin_which */
	size_t body_len[3];
	struct {
		uint8_t name[32];
		uint8_t *bytes;
		size_t len;
	} part[4];
	struct bulletin_slot *slots;
	size_t n_slots;
	struct admins_link last;
	bool has_link;
	struct signed_doc link;
	uint8_t *link_bytes;             /* once it is signed */
	size_t link_len;
	uint8_t *doc;                    /* the header's document */
	size_t doc_len;
	struct signed_sigs sigs;
};

void press_free(struct press *p)
{
	if (p == NULL)
		return;
	for (int i = 0; i < 3; i++)
		doc_free(p->body[i], p->body_len[i]);
	for (int i = 0; i < 4; i++)
		doc_free(p->part[i].bytes, p->part[i].len);
	if (p->slots != NULL)
		sodium_memzero(p->slots, p->n_slots * sizeof *p->slots);
	free(p->slots);
	for (int i = 0; i < ADMINS_CHAIN_MAX; i++)
		free(p->chain[i]);
	signed_doc_free(&p->link);
	doc_free(p->link_bytes, p->link_len);
	doc_free(p->doc, p->doc_len);
	roster_keys_wipe(&p->keys);
	free(p);
}

const uint8_t *press_hash(const struct press *p)
{
	return p->hash;
}

const struct admins_link *press_last(const struct press *p)
{
	return &p->last;
}

const struct bulletin *press_bulletin(const struct press *p)
{
	return &p->b;
}

const uint8_t *press_key(const struct press *p)
{
	return p->keys.admin;
}

const uint8_t *press_body(const struct press *p, enum bulletin_which which, size_t *len)
{
	*len = p->body_len[which];
	return p->body[which];
}

static const uint8_t *key_for(const struct roster_keys *k, enum roster_role role)
{
	switch (role) {
	case ROSTER_ADMINISTRATOR:
		return k->admin;
	case ROSTER_ATTORNEY:
	case ROSTER_INTERPRETER:
		return k->staff;
	case ROSTER_VOLUNTEER:
		return k->field;
	}
	return k->field;
}

/* ---- slots and bodies --------------------------------------------------------------- */

static enum perr press_slots(struct client *c, struct press *p, struct rng rng)
{
	const struct roster_admin *a = c->admin;
	enum perr err;

	p->n_slots = (size_t)a->n_members + a->n_invitations + a->n_revoked;
	p->slots = calloc(p->n_slots + 1, sizeof *p->slots);
	if (p->slots == NULL)
		return PERR_NOMEM;
	for (uint32_t i = 0; i < a->n_members; i++) {
		memcpy(p->slots[i].pk, a->members[i].slot_pk, 32);
		memcpy(p->slots[i].secret, a->members[i].slot_secret, 32);
		memcpy(p->slots[i].key, key_for(&p->keys, a->members[i].role), 32);
	}
	for (uint32_t i = 0; i < a->n_invitations; i++) {
		struct bulletin_slot *s = &p->slots[a->n_members + i];

		memcpy(s->pk, a->invitations[i].slot_pk, 32);
		memcpy(s->secret, a->invitations[i].slot_secret, 32);
		/* PROTOCOL 9.1: "The slot of an open invitation holds `k_field` only." */
		memcpy(s->key, p->keys.field, 32);
	}
	/* signed and for that person alone: no server can say it in the administrators' place */
	for (uint32_t i = 0; i < a->n_revoked; i++) {
		struct bulletin_slot *s = &p->slots[a->n_members + a->n_invitations + i];

		memcpy(s->pk, a->revoked[i].slot_pk, 32);
		memcpy(s->secret, a->revoked[i].slot_secret, 32);
		bulletin_slot_ended(s->key, a->revoked[i].day);
	}
	err = bulletin_slots_make(&p->part[SLOTS].bytes, &p->part[SLOTS].len, p->b.slots.name,
	                          p->b.version, p->slots, p->n_slots, rng);
	p->b.slots.size = (uint32_t)p->part[SLOTS].len;
	memcpy(p->part[SLOTS].name, p->b.slots.name, 32);
	return err;
}

static enum perr seal_body(struct press *p, enum bulletin_which which, const uint8_t key[32])
{
	struct bulletin_body *body = &p->b.bodies[which];
	enum perr err;

	err = bulletin_part_seal(&p->part[which].bytes, &p->part[which].len, body->part.name, key,
	                         which, p->b.version, p->body[which], p->body_len[which]);
	body->part.size = (uint32_t)p->part[which].len;
	memcpy(p->part[which].name, body->part.name, 32);
	roster_commit(body->commitment, key);
	return err;
}

static int by_name(const void *a, const void *b)
{
	return memcmp(((const struct bulletin_part *)a)->name,
	              ((const struct bulletin_part *)b)->name, 32);
}

static bool has_part(const struct bulletin *b, const char *name)
{
	char own[96];
	size_t n = b->n_forms + 4;

	for (size_t i = 0; i < n; i++) {
		const struct bulletin_part *p = i < 3 ? &b->bodies[i].part
		    : i == 3 ? &b->slots : &b->forms[i - 4];

		client_key_name(own, "part/", p->name, 32);
		if (strcmp(own, name) == 0)
			return true;
	}
	return false;
}

struct sweep {
	struct client *c;
	const struct bulletin *b;
};

static enum perr sweep_part(void *arg, const char *name)
{
	struct sweep *s = arg;

	return has_part(s->b, name) ? PERR_OK : kv_erase(s->c->kv, name);
}

/* parts of the version before are of no use to anybody */
static enum perr sweep_parts(struct client *c)
{
	struct sweep s = { .c = c, .b = client_bulletin(c) };
	enum perr err = kv_begin(c->kv);

	if (err == PERR_OK)
		err = kv_each_name(c->kv, "part/", sweep_part, &s);
	if (err == PERR_OK)
		err = kv_commit(c->kv);
	if (err != PERR_OK)
		kv_abort(c->kv);
	return err;
}

/* ---- the chain ---------------------------------------------------------------------- */

/* the administrators that the roster in memory names */
static enum perr wanted(const struct client *c, struct admins_link *l)
{
	const struct admins *now = client_admins(c);
	const struct roster_admin *a = c->admin;

	memset(l, 0, sizeof *l);
	for (uint32_t i = 0; i < a->n_members; i++) {
		if (a->members[i].role != ROSTER_ADMINISTRATOR)
			continue;
		if (l->n == ADMINS_MAX)
			return PERR_RANGE;
		memcpy(l->keys[l->n++], a->members[i].key, 32);
	}
	doc_sort(l->keys, l->n);
	l->threshold = c->threshold != 0 ? c->threshold : now != NULL ? now->last.threshold : 1;
	return l->n > 0 && l->threshold <= l->n ? PERR_OK : PERR_RANGE;
}

static bool is_same(const struct admins_link *a, const struct admins_link *b)
{
	return a->threshold == b->threshold && a->n == b->n &&
	       memcmp(a->keys, b->keys, a->n * sizeof a->keys[0]) == 0;
}

bool press_alone(const struct client *c)
{
	const struct admins *now = client_admins(c);
	struct admins_link next;

	if (wanted(c, &next) != PERR_OK || next.threshold > 1 ||
	    doc_find((const uint8_t (*)[32])next.keys, next.n, c->me->sign_pk) == next.n)
		return false;
	return now == NULL || is_same(&now->last, &next) ||
	       (now->last.threshold == 1 && admins_has(now, c->me->sign_pk));
}

static enum perr press_link(struct client *c, struct press *p)
{
	const struct admins *now = client_admins(c);
	enum perr err = wanted(c, &p->last);

	if (err != PERR_OK)
		return err;
	if (now != NULL && is_same(&now->last, &p->last)) {
		memcpy(p->b.link, now->hashes[now->n_links - 1], 32);
		return PERR_OK;
	}
	if (p->b.n_chain >= ADMINS_CHAIN_MAX)
		return PERR_LIMIT;
	p->has_link = true;
	if (now == NULL)
		err = admins_genesis(&p->link, p->last.threshold,
		                     (const uint8_t (*)[32])p->last.keys, p->last.n);
	else
		err = admins_next(&p->link, now, p->last.threshold,
		                  (const uint8_t (*)[32])p->last.keys, p->last.n);
	if (err == PERR_OK)
		admins_hash(p->b.link, p->link.bytes, p->link.len);
	return err;
}

/* ---- making one --------------------------------------------------------------------- */

enum perr press_next(struct client *c, uint32_t *version, uint32_t *day)
{
	const struct bulletin *old = client_bulletin(c);
	uint32_t highest;
	/* above everything that was ever signed here: a version that was given up for another
	 * administrator's may be at a server already, and no number has two contents */
	enum perr err = pending_highest(c, &highest);

	*version = (old == NULL || old->version < highest ? highest : old->version) + 1;
	*day = client_day(c);
	if (old != NULL && old->day > *day)
		*day = old->day;
	return err;
}

static enum perr press_header(struct client *c, struct press *p, struct rng rng)
{
	const struct bulletin *old = client_bulletin(c);
	const struct roster_field *f = c->field;
	enum perr err;

	p->b.last_day = p->b.day + PRESS_LAST_DAY;
	if (old != NULL)
		memcpy(p->b.previous, c->header_hash, 32);
	for (uint32_t i = 0; old != NULL && i < old->n_chain; i++) {
		p->chain[i] = malloc(old->chain[i].len);
		if (p->chain[i] == NULL)
			return PERR_NOMEM;
		memcpy(p->chain[i], old->chain[i].p, old->chain[i].len);
		p->b.chain[p->b.n_chain++] = doc_bytes_of(p->chain[i], old->chain[i].len);
	}
	err = press_link(c, p);
	if (err != PERR_OK)
		return err;
	for (uint32_t i = 0; i < f->n_forms; i++) {
		memcpy(p->b.forms[i].name, f->forms[i].part, 32);
		p->b.forms[i].size = f->forms[i].size;
	}
	p->b.n_forms = f->n_forms;
	qsort(p->b.forms, p->b.n_forms, sizeof p->b.forms[0], by_name);
	err = seal_body(p, BULLETIN_FIELD, p->keys.field);
	if (err == PERR_OK)
		err = seal_body(p, BULLETIN_STAFF, p->keys.staff);
	if (err == PERR_OK)
		err = seal_body(p, BULLETIN_ADMIN, p->keys.admin);
	if (err == PERR_OK)
		err = press_slots(c, p, rng);
	if (err == PERR_OK)
		err = bulletin_encode(&p->doc, &p->doc_len, &p->b);
	if (err == PERR_OK)
		bulletin_hash(p->hash, p->doc, p->doc_len);
	return err;
}

enum perr press_make(struct press **out, struct client *c, uint32_t version, uint32_t day,
                     struct rng rng)
{
	struct press *p = calloc(1, sizeof *p);
	enum perr err;

	*out = NULL;
	if (p == NULL)
		return PERR_NOMEM;
	p->b.version = version;
	p->b.day = day;
	roster_keys_new(&p->keys, rng);
	err = roster_field_encode(&p->body[BULLETIN_FIELD], &p->body_len[BULLETIN_FIELD],
	                          c->field);
	if (err == PERR_OK)
		err = roster_staff_encode(&p->body[BULLETIN_STAFF],
		                          &p->body_len[BULLETIN_STAFF], c->staff);
	if (err == PERR_OK)
		err = roster_admin_encode(&p->body[BULLETIN_ADMIN],
		                          &p->body_len[BULLETIN_ADMIN], c->admin);
	if (err == PERR_OK)
		err = press_header(c, p, rng);
	if (err == PERR_OK) {
		*out = p;
		p = NULL;
	}
	press_free(p);
	return err;
}

/* ---- signatures --------------------------------------------------------------------- */

size_t press_docs(struct press *p, struct press_doc docs[PRESS_DOCS])
{
	docs[0] = (struct press_doc){ BULLETIN_CONTEXT, p->doc, p->doc_len, &p->sigs };
	if (!p->has_link)
		return 1;
	docs[1] = (struct press_doc){ ADMINS_CONTEXT, p->link.bytes, p->link.len, &p->link.sigs };
	return 2;
}

static enum perr enough(const struct press_doc *d, const struct admins_link *l, uint32_t needs,
                        bool *is)
{
	enum perr err = signed_check(d->sigs, needs, d->context, d->bytes, d->len,
	                             (const uint8_t (*)[32])l->keys, l->n);

	if (err == PERR_SIGS) {
		*is = false;
		err = PERR_OK;
	}
	return err;
}

enum perr press_is_signed(struct press *p, const struct admins *now, bool *is)
{
	struct press_doc docs[PRESS_DOCS] = { { 0 } };
	size_t n = press_docs(p, docs);
	enum perr err;

	*is = true;
	err = enough(&docs[0], &p->last, p->last.threshold, is);
	/* PROTOCOL 7.1: "Link 0 has previous = zeros and is signed by all its keys" */
	if (err == PERR_OK && n > 1)
		err = enough(&docs[1], &p->last, now == NULL ? p->last.n : p->last.threshold, is);
	if (err == PERR_OK && n > 1 && now != NULL)
		err = enough(&docs[1], &now->last, now->last.threshold, is);
	return err;
}

/* ---- adopting ----------------------------------------------------------------------- */

struct adopting {
	struct press *p;
	enum perr (*also)(struct client *c, void *arg);
	void *arg;
};

static enum perr put_parts(struct client *c, void *arg)
{
	struct adopting *a = arg;
	enum perr err = PERR_OK;

	for (int i = 0; i < 4 && err == PERR_OK; i++) {
		char key[96];

		client_key_name(key, "part/", a->p->part[i].name, 32);
		err = kv_put(c->kv, key, a->p->part[i].bytes, a->p->part[i].len);
	}
	/* a new link goes to the first server before any other (quorum.h) */
	if (err == PERR_OK && a->p->has_link && client_bulletin(c) != NULL)
		err = kv_put(c->kv, "quorum/link", a->p->b.link, 32);
	return err == PERR_OK && a->also != NULL ? a->also(c, a->arg) : err;
}

enum perr press_adopt(struct client *c, struct press *p,
                      enum perr (*also)(struct client *c, void *arg), void *also_arg)
{
	struct adopting a = { p, also, also_arg };
	struct roster_bytes r = { .level = LEVEL_ADMIN, .own_slot = true, .also = put_parts,
	                          .also_arg = &a };
	uint8_t *header = NULL;
	enum perr err = PERR_OK;

	if (p->has_link && p->link_bytes == NULL) {
		err = signed_encode(&p->link_bytes, &p->link_len, &p->link);
		if (err == PERR_OK)
			p->b.chain[p->b.n_chain++] = doc_bytes_of(p->link_bytes, p->link_len);
	}
	/* what the new version drops has to be seen as dropped: memory holds it changed already */
	if (err == PERR_OK && client_bulletin(c) != NULL)
		err = client_reload(c);
	if (err == PERR_OK)
		err = bulletin_pack(&header, &r.header_len, &p->b, &p->sigs);
	if (err != PERR_OK)
		goto out;
	r.header = header;
	memcpy(r.level_key, p->keys.admin, 32);
	r.field = p->body[BULLETIN_FIELD];
	r.field_len = p->body_len[BULLETIN_FIELD];
	r.staff = p->body[BULLETIN_STAFF];
	r.staff_len = p->body_len[BULLETIN_STAFF];
	r.admin = p->body[BULLETIN_ADMIN];
	r.admin_len = p->body_len[BULLETIN_ADMIN];
	err = client_adopt(c, &r);
	if (err == PERR_OK)
		err = sweep_parts(c);
out:
	doc_free(header, r.header_len);
	sodium_memzero(&r, sizeof r);
	return err;
}

enum perr press_publish(struct client *c, enum perr (*also)(struct client *c, void *arg),
                        void *also_arg)
{
	struct press_doc docs[PRESS_DOCS];
	struct press *p = NULL;
	struct sign_key key;
	uint32_t version, day;
	size_t n = 0;
	enum perr err = press_next(c, &version, &day);

	if (err == PERR_OK)
		err = press_make(&p, c, version, day, c->env.rng);
	if (err == PERR_OK) {
		n = press_docs(p, docs);
		/* a founder's client learns here what everybody will hold its chain against */
		if (client_admins(c) == NULL)
			memcpy(c->me->genesis, press_bulletin(p)->link, 32);
	}
	client_sign_key(c, &key);
	for (size_t i = 0; i < n && err == PERR_OK; i++)
		err = signed_add(docs[i].sigs, &key, docs[i].context, docs[i].bytes, docs[i].len);
	signed_key_wipe(&key);
	if (err == PERR_OK)
		err = press_adopt(c, p, also, also_arg);
	press_free(p);
	return err;
}

/* ---- parts of the newest version ---------------------------------------------------- */

/* seal again what the roster or a form's record holds: key and nonce are the same, so are the
 * bytes; the name tells */
static enum perr seal_again(struct client *c, const uint8_t name[32], const char *from,
                            const uint8_t key[32], enum bulletin_which which, uint32_t version,
                            uint8_t **out, size_t *len)
{
	uint8_t *content = NULL, *part = NULL, got[32];
	size_t content_len = 0, part_len = 0;
	enum perr err = kv_get(c->kv, from, &content, &content_len);

	if (err == PERR_OK)
		err = bulletin_part_seal(&part, &part_len, got, key, which, version, content,
		                         content_len);
	kv_free(content);
	if (err == PERR_OK && memcmp(got, name, 32) != 0)
		err = PERR_NOTFOUND;
	if (err == PERR_OK) {
		*out = kv_alloc(part_len);
		err = *out == NULL ? PERR_NOMEM : PERR_OK;
	}
	if (err == PERR_OK) {
		memcpy(*out, part, part_len);
		*len = part_len;
	}
	doc_free(part, part_len);
	return err;
}

enum perr press_part(struct client *c, const uint8_t name[32], uint8_t **out, size_t *len)
{
	static const char *const from[3] = { "roster/field", "roster/staff", "roster/admin" };
	const struct bulletin *b = client_bulletin(c);
	struct roster_keys keys;
	char key[96];
	enum perr err;

	*out = NULL;
	client_key_name(key, "part/", name, 32);
	err = kv_get(c->kv, key, out, len);
	if (err != PERR_NOTFOUND || b == NULL || c->level != LEVEL_ADMIN)
		return err;
	roster_keys_from_admin(&keys, c->level_key);
	for (int i = 0; i < 3 && err == PERR_NOTFOUND; i++)
		if (memcmp(b->bodies[i].part.name, name, 32) == 0)
			err = seal_again(c, name, from[i], i == BULLETIN_FIELD ? keys.field
			                 : i == BULLETIN_STAFF ? keys.staff : keys.admin,
			                 (enum bulletin_which)i, b->version, out, len);
	for (uint32_t i = 0; i < c->field->n_forms && err == PERR_NOTFOUND; i++)
		if (memcmp(c->field->forms[i].part, name, 32) == 0) {
			client_key_name(key, "form/", name, 32);
			err = seal_again(c, name, key, c->field->forms[i].key, BULLETIN_FORM, 0,
			                 out, len);
		}
	roster_keys_wipe(&keys);
	return err;
}
