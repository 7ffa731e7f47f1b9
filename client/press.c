/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "press.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "bulletin.h"
#include "pending.h"
#include "roster.h"

/* everything of one version while it is made */
struct press {
	struct bulletin b;
	struct roster_keys keys;
	uint8_t *body[3];                /* plain, by enum bulletin_which */
	size_t body_len[3];
	struct bulletin_slot *slots;
	size_t n_slots;
	uint8_t *header;
	size_t header_len;
};

static void press_free(struct press *p)
{
	for (int i = 0; i < 3; i++)
		doc_free(p->body[i], p->body_len[i]);
	if (p->slots != NULL)
		sodium_memzero(p->slots, p->n_slots * sizeof *p->slots);
	free(p->slots);
	doc_free(p->header, p->header_len);
	roster_keys_wipe(&p->keys);
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

static enum perr put_part(struct client *c, const uint8_t name[32], const uint8_t *part,
                          size_t len)
{
	char key[96];

	client_key_name(key, "part/", name, 32);
	return kv_put(c->kv, key, part, len);
}

static enum perr press_slots(struct client *c, struct press *p)
{
	const struct roster_admin *a = c->admin;
	uint8_t *part = NULL;
	size_t len = 0;
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
	err = bulletin_slots_make(&part, &len, p->b.slots.name, p->b.version, p->slots,
	                          p->n_slots, c->env.rng);
	p->b.slots.size = (uint32_t)len;
	if (err == PERR_OK)
		err = put_part(c, p->b.slots.name, part, len);
	doc_free(part, len);
	return err;
}

static enum perr press_body(struct client *c, struct press *p, enum bulletin_which which,
                            const uint8_t key[32])
{
	struct bulletin_body *body = &p->b.bodies[which];
	uint8_t *part = NULL;
	size_t len = 0;
	enum perr err;

	err = bulletin_part_seal(&part, &len, body->part.name, key, which, p->b.version,
	                         p->body[which], p->body_len[which]);
	body->part.size = (uint32_t)len;
	roster_commit(body->commitment, key);
	if (err == PERR_OK)
		err = put_part(c, body->part.name, part, len);
	doc_free(part, len);
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

static enum perr press_header(struct client *c, struct press *p, const uint8_t *link,
                              size_t link_len)
{
	const struct bulletin *old = client_bulletin(c);
	const struct roster_field *f = c->field;
	struct sign_key key;
	const struct sign_key *keys[] = { &key };
	uint32_t highest;
	enum perr err;

	/* above everything that was ever signed here: a version that was given up for another
	 * administrator's may be at a server already, and no number has two contents */
	err = pending_highest(c, &highest);
	if (err != PERR_OK)
		return err;
	p->b.version = (old == NULL || old->version < highest ? highest : old->version) + 1;
	p->b.day = client_day(c);
	if (old != NULL && old->day > p->b.day)
		p->b.day = old->day;
	p->b.last_day = p->b.day + PRESS_LAST_DAY;
	if (old != NULL) {
		memcpy(p->b.previous, c->header_hash, 32);
		p->b.n_chain = old->n_chain;
		memcpy(p->b.chain, old->chain, sizeof p->b.chain);
	}
	if (link != NULL) {
		if (p->b.n_chain >= ADMINS_CHAIN_MAX)
			return PERR_LIMIT;
		p->b.chain[p->b.n_chain++] = doc_bytes_of(link, link_len);
	}
	for (uint32_t i = 0; i < f->n_forms; i++) {
		memcpy(p->b.forms[i].name, f->forms[i].part, 32);
		p->b.forms[i].size = f->forms[i].size;
	}
	p->b.n_forms = f->n_forms;
	qsort(p->b.forms, p->b.n_forms, sizeof p->b.forms[0], by_name);
	err = press_body(c, p, BULLETIN_FIELD, p->keys.field);
	if (err == PERR_OK)
		err = press_body(c, p, BULLETIN_STAFF, p->keys.staff);
	if (err == PERR_OK)
		err = press_body(c, p, BULLETIN_ADMIN, p->keys.admin);
	if (err == PERR_OK)
		err = press_slots(c, p);
	if (err != PERR_OK)
		return err;
	client_sign_key(c, &key);
	err = bulletin_sign(&p->header, &p->header_len, &p->b, keys, 1);
	signed_key_wipe(&key);
	return err;
}

enum perr press_publish(struct client *c, const uint8_t *link, size_t link_len,
                        enum perr (*also)(struct client *c, void *arg), void *also_arg)
{
	struct press *p = calloc(1, sizeof *p);
	struct roster_bytes r = { .level = LEVEL_ADMIN, .own_slot = true, .also = also,
	                          .also_arg = also_arg };
	enum perr err;

	if (p == NULL)
		return PERR_NOMEM;
	roster_keys_new(&p->keys, c->env.rng);
	err = roster_field_encode(&p->body[BULLETIN_FIELD], &p->body_len[BULLETIN_FIELD],
	                          c->field);
	if (err == PERR_OK)
		err = roster_staff_encode(&p->body[BULLETIN_STAFF],
		                          &p->body_len[BULLETIN_STAFF], c->staff);
	if (err == PERR_OK)
		err = roster_admin_encode(&p->body[BULLETIN_ADMIN],
		                          &p->body_len[BULLETIN_ADMIN], c->admin);
	if (err == PERR_OK)
		err = kv_begin(c->kv);
	if (err == PERR_OK)
		err = press_header(c, p, link, link_len);
	if (err == PERR_OK)
		err = kv_commit(c->kv);
	if (err != PERR_OK) {
		kv_abort(c->kv);
		goto out;
	}
	r.header = p->header;
	r.header_len = p->header_len;
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
	sodium_memzero(&r, sizeof r);
	press_free(p);
	free(p);
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
