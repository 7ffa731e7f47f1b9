/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "org.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "bulletin.h"
#include "charter.h"
#include "desk.h"
#include "rpc.h"

/* ---- publishing --------------------------------------------------------------------- */

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

	p->n_slots = (size_t)a->n_members + a->n_invitations;
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
	enum perr err;

	p->b.version = old == NULL ? 1 : old->version + 1;
	p->b.day = client_day(c);
	if (old != NULL && old->day > p->b.day)
		p->b.day = old->day;
	p->b.last_day = p->b.day + ORG_LAST_DAY;
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

/* publish, with a new link of the administrators' chain if there is one */
static enum perr publish(struct client *c, const uint8_t *link, size_t link_len)
{
	struct press *p = calloc(1, sizeof *p);
	struct roster_bytes r = { .level = LEVEL_ADMIN, .own_slot = true };
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

/* after a failed change: what is in memory must be what is stored */
static enum perr undo(struct client *c, enum perr err)
{
	enum perr again = client_reload(c);

	return again != PERR_OK ? again : err;
}

enum perr org_publish(struct client *c)
{
	enum perr err;

	if (c->admin == NULL || client_admins(c) == NULL)
		return PERR_STATE;
	err = publish(c, NULL, 0);
	return err == PERR_OK ? err : undo(c, err);
}

/* ---- founding ----------------------------------------------------------------------- */

static enum perr first_bodies(struct client *c, const char *organisation)
{
	struct rng rng = c->env.rng;
	struct roster_field *f = c->field = roster_field_new();
	struct roster_staff *s = c->staff = roster_staff_new();
	struct roster_admin *a = c->admin = roster_admin_new();
	struct reader_key inbox;

	if (f == NULL || s == NULL || a == NULL)
		return PERR_NOMEM;
	f->organisation = arena_str(f->mem, organisation);
	f->seasons = arena_alloc(f->mem, 1, sizeof *f->seasons);
	s->members = arena_alloc(s->mem, 1, sizeof *s->members);
	a->members = arena_alloc(a->mem, 1, sizeof *a->members);
	a->guests = arena_alloc(a->mem, 1, sizeof *a->guests);
	if (f->organisation == NULL || f->seasons == NULL || s->members == NULL ||
	    a->members == NULL || a->guests == NULL)
		return PERR_NOMEM;
	f->n_seasons = 1;
	f->seasons[0].number = 1;
	rng_fill(rng, f->seasons[0].psk, 32);
	rng_fill(rng, f->field_access, 32);
	rng_fill(rng, f->board_sk, 32);
	rng_fill(rng, s->counsel_access, 32);
	rng_fill(rng, s->board_sk, 32);
	rng_fill(rng, a->steward_access, 32);
	rng_fill(rng, a->inbox_sk, 32);
	rng_fill(rng, a->policy_seed, 32);
	a->n_guests = 1;
	rng_fill(rng, a->guests[0].key, 32);
	a->next_volunteer = 1;
	if (crypto_scalarmult_base(inbox.pk, a->inbox_sk) != 0)
		return PERR_KEY;
	memcpy(f->inbox_pk, inbox.pk, 32);

	s->n_members = 1;
	memcpy(s->members[0].key, c->me->sign_pk, 32);
	s->members[0].role = ROSTER_ADMINISTRATOR;
	s->members[0].name = arena_str(s->mem, c->me->name);
	a->n_members = 1;
	memcpy(a->members[0].key, c->me->sign_pk, 32);
	a->members[0].role = ROSTER_ADMINISTRATOR;
	a->members[0].name = arena_str(a->mem, c->me->name);
	memcpy(a->members[0].slot_pk, c->me->slot.pk, 32);
	memcpy(a->members[0].slot_secret, c->me->slot_secret, 32);
	a->members[0].day = client_day(c);
	return s->members[0].name != NULL && a->members[0].name != NULL ? PERR_OK : PERR_NOMEM;
}

/* sign a link with this administrator's key and encode it */
static enum perr sign_link(struct client *c, struct signed_doc *link, uint8_t **out, size_t *len)
{
	struct sign_key key;
	enum perr err;

	client_sign_key(c, &key);
	err = signed_add(&link->sigs, &key, ADMINS_CONTEXT, link->bytes, link->len);
	signed_key_wipe(&key);
	return err == PERR_OK ? signed_encode(out, len, link) : err;
}

enum perr org_found(struct client *c, const char *organisation, const char *name)
{
	size_t name_len = strlen(name), org_len = strlen(organisation);
	struct signed_doc link = { 0 };
	uint8_t *bytes = NULL;
	size_t len = 0;
	enum perr err;

	if (c->me->state != CLIENT_NOBODY)
		return PERR_STATE;
	if (name_len == 0 || name_len > ROSTER_NAME_MAX || org_len == 0 || org_len > 64)
		return PERR_RANGE;
	client_new_keys(c);
	memcpy(c->me->name, name, name_len + 1);
	c->me->state = CLIENT_MEMBER;
	c->me->role = ROLE_ADMINISTRATOR;
	err = first_bodies(c, organisation);
	if (err == PERR_OK)
		err = admins_genesis(&link, 1, (const uint8_t (*)[32])&c->me->sign_pk, 1);
	if (err == PERR_OK) {
		admins_hash(c->me->genesis, link.bytes, link.len);
		err = sign_link(c, &link, &bytes, &len);
	}
	if (err == PERR_OK)
		err = publish(c, bytes, len);
	doc_free(bytes, len);
	signed_doc_free(&link);
	return err == PERR_OK ? err : undo(c, err);
}

/* ---- servers ------------------------------------------------------------------------ */

enum perr org_server_add(struct client *c, const struct policy_card *card)
{
	struct roster_field *f = c->field;
	char name[96];
	enum perr err;

	if (c->admin == NULL)
		return PERR_STATE;
	for (uint32_t i = 0; i < f->n_servers; i++)
		if (memcmp(f->servers[i].pk, card->server_pk, 32) == 0)
			return PERR_EXISTS;
	if (f->n_servers >= ROSTER_SERVERS_MAX)
		return PERR_LIMIT;
	/* the setup key first: a listed server without it could never be set up */
	client_key_name(name, "setup/", card->server_pk, 32);
	err = kv_begin(c->kv);
	if (err == PERR_OK)
		err = kv_put(c->kv, name, card->setup_key, 32);
	if (err == PERR_OK)
		err = kv_commit(c->kv);
	if (err != PERR_OK) {
		kv_abort(c->kv);
		return err;
	}
	f->servers = arena_grow(f->mem, f->servers, f->n_servers, f->n_servers + 1,
	                        sizeof *f->servers);
	if (f->servers == NULL)
		return undo(c, PERR_NOMEM);
	memcpy(f->servers[f->n_servers].pk, card->server_pk, 32);
	f->servers[f->n_servers].address = arena_str(f->mem, card->address);
	if (f->servers[f->n_servers].address == NULL)
		return undo(c, PERR_NOMEM);
	f->n_servers++;
	return org_publish(c);
}

enum perr org_schedule(struct client *c, const struct roster_schedule *s)
{
	if (c->admin == NULL)
		return PERR_STATE;
	if (s->release_minutes < 1 || s->release_minutes > 1440 || s->surge_minutes < 1 ||
	    s->surge_minutes > 1440)
		return PERR_RANGE;
	c->admin->schedule = *s;
	return org_publish(c);
}

enum perr org_decoys(struct client *c, uint32_t per_day)
{
	if (c->admin == NULL)
		return PERR_STATE;
	if (per_day > ROSTER_DECOYS_MAX)
		return PERR_RANGE;
	c->staff->decoys_per_day = per_day;
	return org_publish(c);
}

/* ---- invitations and answers -------------------------------------------------------- */

enum perr org_invite(struct client *c, enum client_role role, unsigned n,
                     const uint8_t *desk_id, const char *const *notes, struct invite *out)
{
	struct roster_admin *a = c->admin;
	struct roster_invitation *inv;
	struct invite_keys keys;

	if (a == NULL)
		return PERR_STATE;
	if (c->field->n_servers == 0)
		return PERR_NOTFOUND;
	if (n == 0 || n > ROSTER_INVITES_MAX || a->n_invitations + n > ROSTER_INVITES_MAX)
		return PERR_LIMIT;
	a->invitations = arena_grow(a->mem, a->invitations, a->n_invitations,
	                            a->n_invitations + n, sizeof *a->invitations);
	if (a->invitations == NULL)
		return undo(c, PERR_NOMEM);
	for (unsigned i = 0; i < n; i++) {
		/* spread over the servers, so that one that is down does not stop everybody */
		const struct roster_server *s = &c->field->servers[i % c->field->n_servers];

		memset(&out[i], 0, sizeof out[i]);
		memcpy(out[i].address, s->address, strlen(s->address) + 1);
		memcpy(out[i].server_pk, s->pk, 32);
		invite_anchor(out[i].anchor, c->me->genesis, desk_id);
		memcpy(out[i].guest_key, a->guests[a->n_guests - 1].key, 32);
		invite_seed_new(out[i].seed, c->env.rng);
		invite_derive(&keys, out[i].seed);
		inv = &a->invitations[a->n_invitations + i];
		memcpy(inv->ticket, keys.ticket, 16);
		memcpy(inv->slot_pk, keys.slot_pk, 32);
		memcpy(inv->slot_secret, keys.slot_secret, 32);
		invite_keys_wipe(&keys);
		inv->role = (enum roster_role)role;
		inv->day = client_day(c);
		inv->note = arena_str(a->mem, notes == NULL || notes[i] == NULL ? "" : notes[i]);
		if (inv->note == NULL)
			return undo(c, PERR_NOMEM);
	}
	a->n_invitations += n;
	return org_publish(c);
}

struct answers {
	struct client *c;
	org_answer_fn *fn;
	void *arg;
};

static enum perr one_answer(void *arg, const char *name, const uint8_t *value, size_t len)
{
	struct answers *s = arg;
	const struct roster_invitation *inv;
	struct org_answer a;
	enum perr err = join_open(&a.join, a.words, value, len);

	if (err != PERR_OK)
		return PERR_CORRUPT;     /* steward.c stored only what opened */
	inv = roster_invitation_find(s->c->admin, a.join.ticket);
	if (inv != NULL) {
		a.role = (enum client_role)inv->role;
		a.note = inv->note;
		err = s->fn(s->arg, &a);
	}
	join_wipe(&a.join);
	return err;
}

enum perr org_answers(struct client *c, org_answer_fn *fn, void *arg)
{
	struct answers s = { .c = c, .fn = fn, .arg = arg };

	return c->admin == NULL ? PERR_STATE : kv_each(c->kv, "answer/", one_answer, &s);
}

/* the invitation is used up: its slot, its ticket and the stored answer go */
static enum perr use_up(struct client *c, const uint8_t ticket[16])
{
	struct roster_admin *a = c->admin;
	char name[96];
	enum perr err;

	for (uint32_t i = 0; i < a->n_invitations; i++)
		if (memcmp(a->invitations[i].ticket, ticket, 16) == 0) {
			a->invitations[i] = a->invitations[--a->n_invitations];
			break;
		}
	client_key_name(name, "answer/", ticket, 16);
	err = kv_begin(c->kv);
	if (err == PERR_OK)
		err = kv_del(c->kv, name);
	if (err == PERR_OK)
		err = kv_commit(c->kv);
	if (err != PERR_OK)
		kv_abort(c->kv);
	return err;
}

static bool name_taken(const struct roster_admin *a, const char *name)
{
	for (uint32_t i = 0; i < a->n_members; i++)
		if (strcmp(a->members[i].name, name) == 0)
			return true;
	return false;
}

static enum perr enrol_staff(struct client *c, const struct join *j, enum roster_role role,
                             const char *name)
{
	struct roster_staff *s = c->staff;
	struct roster_member *m;

	if (role == ROSTER_VOLUNTEER) {
		s->volunteers = arena_grow(s->mem, s->volunteers, s->n_volunteers,
		                           s->n_volunteers + 1, sizeof *s->volunteers);
		if (s->volunteers == NULL)
			return PERR_NOMEM;
		memcpy(s->volunteers[s->n_volunteers].key, j->key, 32);
		s->volunteers[s->n_volunteers++].number = c->admin->next_volunteer++;
		return PERR_OK;
	}
	s->members = arena_grow(s->mem, s->members, s->n_members, s->n_members + 1,
	                        sizeof *s->members);
	if (s->members == NULL)
		return PERR_NOMEM;
	m = &s->members[s->n_members++];
	memcpy(m->key, j->key, 32);
	m->role = role;
	m->name = arena_str(s->mem, name);
	m->n_languages = j->n_languages;
	m->languages = arena_alloc(s->mem, j->n_languages + 1, sizeof *m->languages);
	if (m->name == NULL || m->languages == NULL)
		return PERR_NOMEM;
	for (uint32_t i = 0; i < j->n_languages; i++) {
		m->languages[i] = arena_str(s->mem, j->languages[i]);
		if (m->languages[i] == NULL)
			return PERR_NOMEM;
	}
	return PERR_OK;
}

/* the chain's next link with one more administrator, under the same threshold */
static enum perr add_admin(struct client *c, const uint8_t key[32], uint8_t **out, size_t *len)
{
	const struct admins *now = client_admins(c);
	uint8_t keys[ADMINS_MAX][32];
	struct signed_doc link = { 0 };
	enum perr err;

	if (now->last.n >= ADMINS_MAX)
		return PERR_LIMIT;
	memcpy(keys, now->last.keys, sizeof keys);
	memcpy(keys[now->last.n], key, 32);
	err = admins_next(&link, now, now->last.threshold, (const uint8_t (*)[32])keys,
	                  now->last.n + 1);
	if (err == PERR_OK)
		err = sign_link(c, &link, out, len);
	signed_doc_free(&link);
	return err;
}

enum perr org_confirm(struct client *c, const struct join *j, const char *as)
{
	const struct roster_invitation *inv;
	const char *name = as != NULL ? as : j->name;
	uint8_t ticket[16], *link = NULL;
	size_t link_len = 0;
	struct roster_admin *a = c->admin;
	struct roster_enrolled *e;
	enum roster_role role;
	enum perr err;

	if (a == NULL)
		return PERR_STATE;
	inv = roster_invitation_find(a, j->ticket);
	if (inv == NULL)
		return PERR_NOTFOUND;
	if (name_taken(a, name) || roster_admin_find(a, j->key) != NULL)
		return PERR_EXISTS;
	if (*name == '\0' || strlen(name) > ROSTER_NAME_MAX)
		return PERR_RANGE;
	role = inv->role;
	memcpy(ticket, j->ticket, 16);
	a->members = arena_grow(a->mem, a->members, a->n_members, a->n_members + 1,
	                        sizeof *a->members);
	if (a->members == NULL)
		return undo(c, PERR_NOMEM);
	e = &a->members[a->n_members++];
	memcpy(e->key, j->key, 32);
	e->role = role;
	e->name = arena_str(a->mem, name);
	memcpy(e->slot_pk, j->slot_pk, 32);
	memcpy(e->slot_secret, j->slot_secret, 32);
	e->day = client_day(c);
	err = e->name == NULL ? PERR_NOMEM : enrol_staff(c, j, role, name);
	if (err == PERR_OK && role == ROSTER_ADMINISTRATOR)
		err = add_admin(c, j->key, &link, &link_len);
	if (err == PERR_OK)
		err = use_up(c, ticket);
	if (err == PERR_OK)
		err = publish(c, link, link_len);
	doc_free(link, link_len);
	return err == PERR_OK ? err : undo(c, err);
}

enum perr org_refuse(struct client *c, const uint8_t ticket[16])
{
	enum perr err;

	if (c->admin == NULL)
		return PERR_STATE;
	if (roster_invitation_find(c->admin, ticket) == NULL)
		return PERR_NOTFOUND;
	err = use_up(c, ticket);
	return err == PERR_OK ? org_publish(c) : undo(c, err);
}

/* ---- desks and forms ---------------------------------------------------------------- */

static enum perr desk_listed(const struct client *c, const uint8_t id[32], bool *is)
{
	struct desk *d = malloc(sizeof *d);
	enum perr err = d == NULL ? PERR_NOMEM : PERR_OK;

	*is = false;
	for (uint32_t i = 0; i < c->field->n_desks && err == PERR_OK && !*is; i++) {
		err = client_desk(c, i, d);
		*is = err == PERR_OK && memcmp(d->id, id, 32) == 0;
	}
	free(d);
	return err;
}

enum perr org_desk_list(struct client *c, const uint8_t desk_id[32])
{
	struct roster_field *f = c->field;
	struct charter_signed ch = { 0 };
	struct roster_desk *d;
	uint8_t *raw = NULL;
	uint32_t valid, needed;
	char name[96];
	size_t len;
	bool is;
	enum perr err;

	if (c->admin == NULL)
		return PERR_STATE;
	err = desk_listed(c, desk_id, &is);
	if (err == PERR_OK && is)
		err = PERR_EXISTS;
	if (err == PERR_OK && f->n_desks >= ROSTER_DESKS_MAX)
		err = PERR_LIMIT;
	if (err != PERR_OK)
		return err;
	client_key_name(name, "charter/", desk_id, 32);
	err = kv_get(c->kv, name, &raw, &len);
	if (err == PERR_OK)
		err = charter_signed_decode(&ch, raw, len);
	if (err == PERR_OK)
		err = charter_progress(&valid, &needed, &ch, NULL);
	if (err == PERR_OK && valid < needed)
		err = PERR_SIGS;
	if (err != PERR_OK)
		goto out;
	f->desks = arena_grow(f->mem, f->desks, f->n_desks, f->n_desks + 1, sizeof *f->desks);
	d = f->desks == NULL ? NULL : &f->desks[f->n_desks];
	if (d != NULL) {
		d->charters = arena_alloc(f->mem, 1, sizeof *d->charters);
		d->n_charters = 1;
	}
	if (d == NULL || d->charters == NULL) {
		err = undo(c, PERR_NOMEM);
		goto out;
	}
	d->charters[0] = doc_bytes_of(arena_bytes(f->mem, raw, len), len);
	if (d->charters[0].p == NULL) {
		err = undo(c, PERR_NOMEM);
		goto out;
	}
	f->n_desks++;
	err = org_publish(c);
out:
	charter_signed_free(&ch);
	kv_free(raw);
	return err;
}

enum perr org_form_publish(struct client *c, const char *id, const char *version,
                           const char *title, const uint8_t desk_id[32],
                           const uint8_t *content, size_t content_len)
{
	struct roster_field *f = c->field;
	struct roster_form form = { .active = true };
	uint8_t *part = NULL;
	size_t len = 0;
	bool is;
	enum perr err;

	if (c->admin == NULL)
		return PERR_STATE;
	err = desk_listed(c, desk_id, &is);
	if (err != PERR_OK)
		return err;
	if (!is)
		return PERR_NOTFOUND;
	if (f->n_forms >= ROSTER_FORMS_MAX)
		return PERR_LIMIT;
	for (uint32_t i = 0; i < f->n_forms; i++)
		if (strcmp(f->forms[i].id, id) == 0 && strcmp(f->forms[i].version, version) == 0)
			return PERR_EXISTS;
	rng_fill(c->env.rng, form.key, 32);
	err = bulletin_part_seal(&part, &len, form.part, form.key, BULLETIN_FORM, 0, content, content_len);
	if (err == PERR_OK)
		err = kv_begin(c->kv);
	if (err == PERR_OK) {
		char name[96];

		err = put_part(c, form.part, part, len);
		client_key_name(name, "form/", form.part, 32);
		if (err == PERR_OK)
			err = kv_put(c->kv, name, content, content_len);
		if (err == PERR_OK)
			err = kv_commit(c->kv);
	}
	doc_free(part, len);
	if (err != PERR_OK) {
		kv_abort(c->kv);
		goto out;
	}
	form.size = (uint32_t)len;
	form.id = arena_str(f->mem, id);
	form.version = arena_str(f->mem, version);
	form.title = arena_str(f->mem, title);
	memcpy(form.desk, desk_id, 32);
	f->forms = arena_grow(f->mem, f->forms, f->n_forms, f->n_forms + 1, sizeof *f->forms);
	if (f->forms == NULL || form.id == NULL || form.version == NULL || form.title == NULL) {
		err = undo(c, PERR_NOMEM);
		goto out;
	}
	for (uint32_t i = 0; i < f->n_forms; i++)
		if (strcmp(f->forms[i].id, id) == 0)
			f->forms[i].active = false;
	f->forms[f->n_forms++] = form;
	err = org_publish(c);
out:
	sodium_memzero(&form, sizeof form);
	return err;
}

/* ---- policies ----------------------------------------------------------------------- */

static void grant(struct policy *p, uint32_t scope, const uint8_t key[32], uint32_t last_day)
{
	struct policy_access *a = &p->access[p->n_access++];

	a->scope = scope;
	channel_access(a->derived, key, p->server_pk);
	a->last_day = last_day;
}

enum perr org_policy(struct client *c, size_t at, uint32_t counter, uint8_t **out,
                     size_t *out_len)
{
	const struct bulletin *b = client_bulletin(c);
	const struct roster_admin *a = c->admin;
	struct sign_key key;
	const struct sign_key *keys[] = { &key };
	struct policy *p;
	enum perr err;

	if (a == NULL || b == NULL)
		return PERR_STATE;
	if (at >= c->field->n_servers)
		return PERR_NOTFOUND;
	p = calloc(1, sizeof *p);
	if (p == NULL)
		return PERR_NOMEM;
	policy_default(p);
	memcpy(p->server_pk, c->field->servers[at].pk, 32);
	p->counter = counter;
	p->day = client_day(c);
	p->n_chain = b->n_chain;
	memcpy(p->chain, b->chain, sizeof p->chain);
	for (uint32_t i = 0; i < a->n_guests; i++)
		grant(p, RPC_GUEST, a->guests[i].key, a->guests[i].last_day);
	grant(p, RPC_FIELD, c->field->field_access, 0);
	grant(p, RPC_COUNSEL, c->staff->counsel_access, 0);
	grant(p, RPC_STEWARD, a->steward_access, 0);
	for (uint32_t i = 0; i < a->n_invitations; i++)
		policy_ticket_hash(p->tickets[p->n_tickets++], a->invitations[i].ticket);
	p->release_minutes = a->schedule.release_minutes;
	p->surge_minutes = a->schedule.surge_minutes;
	p->surge_until = a->schedule.surge_until;
	p->retention_days = c->field->limits.retention_days;
	memcpy(p->seed, a->policy_seed, 32);
	err = policy_pad_tickets(p, c->env.rng);
	if (err == PERR_OK) {
		client_sign_key(c, &key);
		err = policy_sign(out, out_len, p, keys, 1);
		signed_key_wipe(&key);
	}
	sodium_memzero(p, sizeof *p);
	free(p);
	return err;
}
