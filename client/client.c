/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "client.h"

#include <assert.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bulletin.h"
#include "cache.h"
#include "desk.h"
#include "invite.h"
#include "mp.h"
#include "keyring.h"
#include "pending.h"
#include "revoked.h"
#include "papers.h"
#include "roster.h"
#include "rpc.h"
#include "signed.h"
#include "trust.h"

#define ME_SIZE     4096
#define OFFSET_BIAS 100000       /* days: keeps the stored offset unsigned */

void client_key_name(char out[96], const char *prefix, const uint8_t *id, size_t id_len)
{
	size_t at = strlen(prefix);

	assert(at + 2 * id_len < 96);
	memcpy(out, prefix, at);
	sodium_bin2hex(out + at, 2 * id_len + 1, id, id_len);
}

/* ---- identity ----------------------------------------------------------------------- */

enum perr client_save_me(struct client *c)
{
	const struct identity *me = c->me;
	uint8_t *buf = sodium_malloc(ME_SIZE);
	struct mp_writer w;
	enum perr err;
	size_t len;

	if (buf == NULL)
		return PERR_NOMEM;
	mp_writer_init(&w, buf, ME_SIZE);
	mp_put_array(&w, 16);
	mp_put_uint(&w, 1);
	mp_put_bin(&w, me->sign_sk, 64);
	mp_put_bin(&w, me->slot.sk, 32);
	mp_put_bin(&w, me->slot_secret, 32);
	mp_put_bin(&w, me->old_slot.sk, 32);
	mp_put_bin(&w, me->old_slot_secret, 32);
	mp_put_bin(&w, me->genesis, 32);
	mp_put_bin(&w, me->anchor, 32);
	mp_put_bin(&w, me->guest_key, 32);
	mp_put_bin(&w, me->ticket, 16);
	mp_put_str(&w, me->name);
	mp_put_array(&w, me->n_languages);
	for (unsigned i = 0; i < me->n_languages; i++)
		mp_put_str(&w, me->languages[i]);
	mp_put_uint(&w, (uint64_t)me->role);
	mp_put_uint(&w, (uint64_t)me->state);
	mp_put_str(&w, me->first_address);
	mp_put_bin(&w, me->first_server_pk, 32);
	err = mp_written(&w, &len);
	if (err == PERR_OK)
		err = kv_put(c->kv, "me", buf, len);
	sodium_memzero(buf, ME_SIZE);
	sodium_free(buf);
	return err;
}

static void derive_slot(struct reader_key *k)
{
	/* an all-zero private half means: none */
	if (sodium_is_zero(k->sk, 32) || crypto_scalarmult_base(k->pk, k->sk) != 0)
		memset(k->pk, 0, 32);
}

static enum perr load_me(struct client *c)
{
	struct identity *me = c->me;
	struct mp_reader r;
	uint8_t *buf = NULL;
	size_t len;
	enum perr err = kv_get(c->kv, "me", &buf, &len);

	if (err == PERR_NOTFOUND)
		return PERR_OK;
	if (err != PERR_OK)
		return err;
	mp_reader_init(&r, buf, len);
	mp_array(&r, 16);
	mp_uint(&r, 1);
	mp_bin_copy(&r, me->sign_sk, 64);
	mp_bin_copy(&r, me->slot.sk, 32);
	mp_bin_copy(&r, me->slot_secret, 32);
	mp_bin_copy(&r, me->old_slot.sk, 32);
	mp_bin_copy(&r, me->old_slot_secret, 32);
	mp_bin_copy(&r, me->genesis, 32);
	mp_bin_copy(&r, me->anchor, 32);
	mp_bin_copy(&r, me->guest_key, 32);
	mp_bin_copy(&r, me->ticket, 16);
	mp_str_copy(&r, me->name, sizeof me->name, 1);
	me->n_languages = mp_array_var(&r, 0, 16);
	for (unsigned i = 0; i < me->n_languages; i++)
		mp_str_copy(&r, me->languages[i], sizeof me->languages[i], 1);
	me->role = (enum client_role)mp_uint(&r, ROLE_ADMINISTRATOR);
	me->state = (enum client_state)mp_uint(&r, CLIENT_MEMBER);
	mp_str_copy(&r, me->first_address, sizeof me->first_address, 0);
	mp_bin_copy(&r, me->first_server_pk, 32);
	err = kv_decoded(mp_finish(&r));
	memcpy(me->sign_pk, me->sign_sk + 32, 32);
	derive_slot(&me->slot);
	derive_slot(&me->old_slot);
	kv_free(buf);
	return err;
}

void client_new_keys(struct client *c)
{
	struct sign_key k;

	signed_key_new(&k, c->env.rng);
	memcpy(c->me->sign_pk, k.id, 32);
	memcpy(c->me->sign_sk, k.sk, 64);
	signed_key_wipe(&k);
	rng_fill(c->env.rng, c->me->slot.sk, 32);
	derive_slot(&c->me->slot);
	rng_fill(c->env.rng, c->me->slot_secret, 32);
}

/* ---- roster ------------------------------------------------------------------------- */

static void drop_roster(struct client *c)
{
	free(c->header);
	c->header = NULL;
	roster_field_free(c->field);
	roster_staff_free(c->staff);
	roster_admin_free(c->admin);
	c->field = NULL;
	c->staff = NULL;
	c->admin = NULL;
	for (size_t i = 0; i < c->n_seasons; i++)
		season_wipe(&c->seasons[i]);
	free(c->seasons);
	c->seasons = NULL;
	c->n_seasons = 0;
	c->level = LEVEL_NONE;
	c->threshold = 0;
	sodium_memzero(c->level_key, sizeof c->level_key);
}

/* what is decoded from one version, before it takes the place of the older one */
struct loaded {
	struct bulletin_header *header;
	uint8_t hash[32];
	struct roster_field *field;
	struct roster_staff *staff;
	struct roster_admin *admin;
};

/* the header with the bytes it points into */
struct bulletin_header {
	struct bulletin b;
	struct admins admins;
	size_t len;
	uint8_t bytes[];
};

const struct bulletin *client_bulletin(const struct client *c)
{
	return c->header == NULL ? NULL : &c->header->b;
}

const struct admins *client_admins(const struct client *c)
{
	return c->header == NULL ? NULL : &c->header->admins;
}

const uint8_t *client_header_bytes(const struct client *c, size_t *len)
{
	*len = c->header == NULL ? 0 : c->header->len;
	return c->header == NULL ? NULL : c->header->bytes;
}

static enum perr load_header(struct bulletin_header **out, uint8_t hash[32],
                             const uint8_t *in, size_t len)
{
	struct bulletin_header *h = malloc(sizeof *h + len);
	enum perr err;

	*out = NULL;
	if (h == NULL)
		return PERR_NOMEM;
	h->len = len;
	memcpy(h->bytes, in, len);
	err = bulletin_open(&h->b, &h->admins, hash, h->bytes, len);
	if (err != PERR_OK)
		free(h);
	else
		*out = h;
	return err;
}

static void loaded_free(struct loaded *l)
{
	free(l->header);
	roster_field_free(l->field);
	roster_staff_free(l->staff);
	roster_admin_free(l->admin);
}

static enum perr load_bytes(struct loaded *l, const struct roster_bytes *r)
{
	enum perr err = load_header(&l->header, l->hash, r->header, r->header_len);

	if (err == PERR_OK && r->level >= LEVEL_FIELD)
		err = roster_field_decode(&l->field, r->field, r->field_len);
	if (err == PERR_OK && r->level >= LEVEL_STAFF)
		err = roster_staff_decode(&l->staff, r->staff, r->staff_len);
	if (err == PERR_OK && r->level >= LEVEL_ADMIN)
		err = roster_admin_decode(&l->admin, r->admin, r->admin_len);
	return err;
}

static enum perr make_seasons(struct client *c)
{
	c->seasons = calloc(c->field->n_seasons, sizeof *c->seasons);
	if (c->seasons == NULL)
		return PERR_NOMEM;
	c->n_seasons = c->field->n_seasons;
	for (size_t i = 0; i < c->n_seasons; i++)
		season_init(&c->seasons[i], c->field->seasons[i].number,
		            c->field->seasons[i].psk);
	return PERR_OK;
}

static enum perr take_over(struct client *c, struct loaded *l, enum client_level level,
                           const uint8_t key[32])
{
	drop_roster(c);
	c->header = l->header;
	memcpy(c->header_hash, l->hash, 32);
	c->field = l->field;
	c->staff = l->staff;
	c->admin = l->admin;
	c->level = level;
	memcpy(c->level_key, key, 32);
	*l = (struct loaded){ 0 };
	return c->field != NULL ? make_seasons(c) : PERR_OK;
}

/* the role is what the highest body this member reads says of its key */
static enum client_role role_of(const struct client *c)
{
	const struct roster_member *m;

	if (c->admin != NULL) {
		const struct roster_enrolled *e = roster_admin_find(c->admin, c->me->sign_pk);

		if (e != NULL)
			return (enum client_role)e->role;
	}
	if (c->staff != NULL) {
		m = roster_staff_find(c->staff, c->me->sign_pk);
		if (m != NULL)
			return (enum client_role)m->role;
	}
	/* the field body names nobody: who reads only that is a volunteer */
	return c->level == LEVEL_FIELD ? ROLE_VOLUNTEER : ROLE_NONE;
}

static enum perr read_stored(struct client *c, const char *name, uint8_t **out, size_t *len)
{
	enum perr err = kv_get(c->kv, name, out, len);

	return err == PERR_NOTFOUND ? PERR_CORRUPT : err;
}

static enum perr load_roster(struct client *c)
{
	struct roster_bytes r = { 0 };
	struct loaded l = { 0 };
	uint8_t *header = NULL, *key = NULL, *field = NULL, *staff = NULL, *admin = NULL;
	size_t key_len;
	enum perr err = kv_get(c->kv, "roster/header", &header, &r.header_len);

	if (err != PERR_OK)
		return err == PERR_NOTFOUND ? PERR_OK : err;
	err = read_stored(c, "roster/key", &key, &key_len);
	if (err == PERR_OK && (key_len != 33 || key[0] < LEVEL_FIELD || key[0] > LEVEL_ADMIN))
		err = PERR_CORRUPT;
	if (err == PERR_OK)
		r.level = (enum client_level)key[0];
	if (err == PERR_OK)
		err = read_stored(c, "roster/field", &field, &r.field_len);
	if (err == PERR_OK && r.level >= LEVEL_STAFF)
		err = read_stored(c, "roster/staff", &staff, &r.staff_len);
	if (err == PERR_OK && r.level >= LEVEL_ADMIN)
		err = read_stored(c, "roster/admin", &admin, &r.admin_len);
	r.header = header;
	r.field = field;
	r.staff = staff;
	r.admin = admin;
	if (err == PERR_OK) {
		err = load_bytes(&l, &r);
		if (err != PERR_OK && err != PERR_NOMEM)
			err = PERR_CORRUPT;
	}
	if (err == PERR_OK)
		err = take_over(c, &l, r.level, key + 1);
	loaded_free(&l);
	kv_free(header);
	kv_free(key);
	kv_free(field);
	kv_free(staff);
	kv_free(admin);
	return err;
}

static enum perr save_roster(struct client *c, const struct roster_bytes *r)
{
	uint8_t key[33];
	enum perr err;

	key[0] = (uint8_t)r->level;
	memcpy(key + 1, r->level_key, 32);
	err = kv_put(c->kv, "roster/header", r->header, r->header_len);
	if (err == PERR_OK && r->slots != NULL) {
		uint8_t part[32];
		char name[96];

		bulletin_part_name(part, r->slots, r->slots_len);
		client_key_name(name, "part/", part, 32);
		err = kv_put(c->kv, name, r->slots, r->slots_len);
	}
	if (err == PERR_OK)
		err = kv_put(c->kv, "roster/key", key, sizeof key);
	if (err == PERR_OK)
		err = kv_put(c->kv, "roster/field", r->field, r->field_len);
	/* a member whose level sank keeps nothing of the levels above */
	if (err == PERR_OK)
		err = r->level >= LEVEL_STAFF
		    ? kv_put(c->kv, "roster/staff", r->staff, r->staff_len)
		    : kv_erase(c->kv, "roster/staff");
	if (err == PERR_OK)
		err = r->level >= LEVEL_ADMIN
		    ? kv_put(c->kv, "roster/admin", r->admin, r->admin_len)
		    : kv_erase(c->kv, "roster/admin");
	sodium_memzero(key, sizeof key);
	return err;
}

static bool has_psk(const struct roster_field *f, const uint8_t psk[32])
{
	for (uint32_t i = 0; i < f->n_seasons; i++)
		if (sodium_memcmp(f->seasons[i].psk, psk, 32) == 0)
			return true;
	return false;
}

/*
 * A season that the new roster dropped is to be forgotten here too: the records in which it
 * stands, or by which a copy of them opens, are erased and not only written over.
 */
static enum perr forget_seasons(struct client *c, const struct roster_field *next)
{
	enum perr err = PERR_OK;

	for (uint32_t i = 0; c->field != NULL && next != NULL && i < c->field->n_seasons; i++) {
		if (has_psk(next, c->field->seasons[i].psk))
			continue;
		err = kv_erase(c->kv, "roster/field");
		return err == PERR_OK ? kv_erase(c->kv, "roster/key") : err;
	}
	return err;
}

void client_known(const struct client *c, struct bulletin_known *k)
{
	if (c->header != NULL) {
		memset(k, 0, sizeof *k);
		bulletin_known_set(k, &c->header->b, &c->header->admins, c->header_hash);
	} else {
		bulletin_known_begin(k, c->me->genesis);
	}
}

/*
 * A joining client knows its organisation by the anchor alone: hash of genesis and of the
 * desk its paper names.  PROTOCOL 9.1: "The joining client checks the header's chain against the anchor,
 * with each desk of the field body in turn and with zeros; a desk that fits is pinned."
 */
static enum perr check_anchor(struct client *c, const struct loaded *l)
{
	const struct roster_field *f = l->field;
	uint8_t ids[ROSTER_DESKS_MAX][32];
	struct desk *d;
	enum perr err = PERR_OK;
	size_t at;

	if (sodium_is_zero(c->me->anchor, 32))
		return PERR_OK;          /* a founder made the genesis */
	d = malloc(sizeof *d);
	if (d == NULL)
		return PERR_NOMEM;
	for (uint32_t i = 0; i < f->n_desks && err == PERR_OK; i++) {
		err = desk_verify(d, f->desks[i].charters, f->desks[i].n_charters, NULL);
		memcpy(ids[i], d->id, 32);
	}
	free(d);
	if (err == PERR_OK)
		err = invite_anchor_match(&at, c->me->anchor, l->header->admins.genesis,
		                          (const uint8_t (*)[32])ids, f->n_desks);
	if (err != PERR_OK)
		return err;
	memcpy(c->me->genesis, l->header->admins.genesis, 32);
	if (at < f->n_desks)
		err = trust_pin(c, ids[at], TRUST_ANCHOR);
	return err;
}

enum perr client_adopt(struct client *c, const struct roster_bytes *r)
{
	struct bulletin_known known;
	struct loaded l = { 0 };
	enum client_role role = c->me->role;
	enum client_state state = c->me->state;
	uint8_t genesis[32];
	bool taken = false;
	enum perr err = load_bytes(&l, r);

	memcpy(genesis, c->me->genesis, 32);
	if (err != PERR_OK)
		goto fail;
	err = kv_begin(c->kv);
	if (err != PERR_OK)
		goto fail;
	if (sodium_is_zero(c->me->genesis, 32))
		err = check_anchor(c, &l);
	if (err != PERR_OK)
		goto fail;
	if (r->known == NULL)
		client_known(c, &known);
	err = bulletin_accept(r->known != NULL ? r->known : &known, &l.header->b,
	                      &l.header->admins, l.hash);
	if (err == PERR_OK && r->also != NULL)
		err = r->also(c, r->also_arg);
	if (err == PERR_OK)
		err = keyring_keep(c, l.field, l.staff);
	if (err == PERR_OK)
		err = forget_seasons(c, l.field);
	if (err == PERR_OK && r->own_slot)
		err = revoked_clear(c);
	if (err == PERR_OK)
		err = save_roster(c, r);
	if (err == PERR_OK && r->level == LEVEL_ADMIN)
		err = pending_saw(c, l.header->b.version, l.hash, l.admin);
	if (err != PERR_OK)
		goto fail;
	taken = true;
	err = take_over(c, &l, r->level, r->level_key);
	if (err != PERR_OK)
		goto fail;
	if (c->header->b.day > c->day_seen && c->header->b.day <= client_day(c) + 1)
		c->day_seen = c->header->b.day;
	/*
	 * The slot of the paper opens the field body only, and opens nothing once the answer is
	 * confirmed; so a second, fresh slot that opens means: confirmed.
	 */
	if (r->own_slot) {
		c->me->state = CLIENT_MEMBER;
		c->me->role = role_of(c);
		memset(&c->me->old_slot, 0, sizeof c->me->old_slot);
		memset(c->me->old_slot_secret, 0, 32);
	}
	err = trust_follow(c);
	if (err == PERR_OK)
		err = client_save_me(c);
	if (err == PERR_OK)
		err = kv_commit(c->kv);
	if (err == PERR_OK)
		goto out;
fail:
	kv_abort(c->kv);
	/* what is in memory must be what is stored */
	memcpy(c->me->genesis, genesis, 32);
	c->me->role = role;
	c->me->state = state;
	if (taken) {
		enum perr again = client_reload(c);

		if (again != PERR_OK)
			err = again;
	}
out:
	loaded_free(&l);
	return err;
}

/* ---- time --------------------------------------------------------------------------- */

static enum perr load_clock(struct client *c)
{
	struct mp_reader r;
	uint8_t *buf = NULL;
	size_t len;
	enum perr err = kv_get(c->kv, "clock", &buf, &len);

	if (err != PERR_OK)
		return err == PERR_NOTFOUND ? PERR_OK : err;
	mp_reader_init(&r, buf, len);
	mp_array(&r, 2);
	c->day_seen = (uint32_t)mp_uint(&r, UINT32_MAX);
	c->day_offset = (int32_t)mp_uint(&r, 2 * OFFSET_BIAS) - OFFSET_BIAS;
	err = kv_decoded(mp_finish(&r));
	kv_free(buf);
	return err;
}

static int64_t device_day(const struct client *c)
{
	int64_t now = c->env.now(c->env.ctx);

	return now < 0 ? 0 : now / 86400;
}

uint32_t client_day(const struct client *c)
{
	int64_t day = device_day(c) + c->day_offset;

	if (c->as_of != 0)
		return c->as_of;
	if (day < 0)
		day = 0;
	if (day > UINT32_MAX)
		day = UINT32_MAX;
	return (uint32_t)day < c->day_seen ? c->day_seen : (uint32_t)day;
}

uint32_t client_own_day(const struct client *c)
{
	int64_t device = device_day(c);
	uint32_t day = client_day(c);

	if (c->as_of != 0)
		return c->as_of;
	return device >= c->day_seen && day > device + 1 ? (uint32_t)(device + 1) : day;
}

enum perr client_saw_day(struct client *c, uint32_t server_day)
{
	int64_t offset = (int64_t)server_day - device_day(c);
	uint8_t buf[16];
	struct mp_writer w;
	enum perr err;
	size_t len;

	/*
	 * A day's difference is midnight or a time zone.  More is a wrong clock: the
	 * device's as a rule, so the server is followed.  No server says anything about
	 * years: a number beyond is nonsense and is not kept.
	 */
	if (offset >= -1 && offset <= 1)
		offset = 0;
	if (offset < -OFFSET_BIAS || offset > OFFSET_BIAS || offset == c->day_offset)
		return PERR_OK;
	mp_writer_init(&w, buf, sizeof buf);
	mp_put_array(&w, 2);
	mp_put_uint(&w, c->day_seen);
	mp_put_uint(&w, (uint64_t)(offset + OFFSET_BIAS));
	err = mp_written(&w, &len);
	if (err == PERR_OK)
		err = kv_begin(c->kv);
	if (err == PERR_OK)
		err = kv_put(c->kv, "clock", buf, len);
	if (err == PERR_OK)
		err = kv_commit(c->kv);
	if (err != PERR_OK)
		kv_abort(c->kv);
	else
		c->day_offset = (int32_t)offset;
	return err;
}

/* ---- open and free ------------------------------------------------------------------ */

enum perr client_open(struct client **out, struct kv *kv, const struct client_env *env)
{
	struct client *c = calloc(1, sizeof *c);
	enum perr err = PERR_NOMEM;

	*out = NULL;
	if (c == NULL)
		goto out;
	c->kv = kv;
	c->env = *env;
	c->me = sodium_malloc(sizeof *c->me);
	if (c->me == NULL)
		goto out;
	memset(c->me, 0, sizeof *c->me);
	err = load_me(c);
	if (err == PERR_OK)
		err = load_clock(c);
	if (err == PERR_OK)
		err = load_roster(c);
	if (err != PERR_OK)
		goto out;
	*out = c;
	c = NULL;
out:
	client_free(c);
	return err;
}

enum perr client_reload(struct client *c)
{
	enum perr err;

	drop_roster(c);
	sodium_memzero(c->me, sizeof *c->me);
	err = load_me(c);
	return err == PERR_OK ? load_roster(c) : err;
}

void client_free(struct client *c)
{
	if (c == NULL)
		return;
	drop_roster(c);
	cache_free(c->cache);
	if (c->me != NULL)
		sodium_memzero(c->me, sizeof *c->me);
	sodium_free(c->me);
	free(c);
}

/* ---- questions ---------------------------------------------------------------------- */

enum perr client_access(const struct client *c, int scope, uint8_t key[32])
{
	switch (scope) {
	case RPC_GUEST:
		if (c->admin != NULL && c->admin->n_guests > 0)
			memcpy(key, c->admin->guests[c->admin->n_guests - 1].key, 32);
		else if (c->field != NULL && !sodium_is_zero(c->field->guest_access, 32))
			memcpy(key, c->field->guest_access, 32);
		else if (!sodium_is_zero(c->me->guest_key, 32))
			memcpy(key, c->me->guest_key, 32);
		else
			return PERR_NOTFOUND;
		return PERR_OK;
	case RPC_FIELD:
		if (c->field == NULL)
			return PERR_NOTFOUND;
		memcpy(key, c->field->field_access, 32);
		return PERR_OK;
	case RPC_COUNSEL:
		if (c->staff == NULL)
			return PERR_NOTFOUND;
		memcpy(key, c->staff->counsel_access, 32);
		return PERR_OK;
	case RPC_STEWARD:
		if (c->admin == NULL)
			return PERR_NOTFOUND;
		memcpy(key, c->admin->steward_access, 32);
		return PERR_OK;
	default:
		return PERR_NOTFOUND;
	}
}

enum perr client_desk(const struct client *c, size_t at, struct desk *d)
{
	if (c->field == NULL || at >= c->field->n_desks)
		return PERR_NOTFOUND;
	return desk_verify(d, c->field->desks[at].charters, c->field->desks[at].n_charters,
	                   c->me->sign_pk);
}

enum perr client_holds(const struct client *c, const uint8_t desk_id[32], bool *holds)
{
	struct desk *d = malloc(sizeof *d);
	enum perr err = d == NULL ? PERR_NOMEM : PERR_OK;

	*holds = false;
	for (uint32_t i = 0; err == PERR_OK && c->field != NULL && i < c->field->n_desks && !*holds;
	     i++) {
		err = client_desk(c, i, d);
		if (err == PERR_OK)
			*holds = (desk_id == NULL || memcmp(desk_id, d->id, 32) == 0) &&
			         charter_has_holder(&d->now, c->me->sign_pk);
		else if (err != PERR_NOMEM)
			err = PERR_OK;
	}
	free(d);
	return err;
}

bool client_is_holder(const struct client *c, const uint8_t desk_id[32])
{
	bool holds;

	return client_holds(c, desk_id, &holds) == PERR_OK && holds;
}

void client_name_of(const struct client *c, const uint8_t key_id[32], char *out, size_t size)
{
	const struct roster_volunteer *v;
	const struct roster_enrolled *e;
	const struct roster_former *f;
	const struct roster_member *m;
	char hex[9];

	if (memcmp(key_id, c->me->sign_pk, 32) == 0) {
		snprintf(out, size, "%s", c->me->name);
		return;
	}
	if (c->admin != NULL && (e = roster_admin_find(c->admin, key_id)) != NULL) {
		snprintf(out, size, "%s", e->name);
		return;
	}
	if (c->staff != NULL && (m = roster_staff_find(c->staff, key_id)) != NULL) {
		snprintf(out, size, "%s", m->name);
		return;
	}
	if (c->staff != NULL && (v = roster_volunteer_find(c->staff, key_id)) != NULL) {
		snprintf(out, size, "volunteer %u", v->number);
		return;
	}
	if (c->staff != NULL && (f = roster_former_find(c->staff, key_id)) != NULL) {
		if (f->role == ROSTER_VOLUNTEER)
			snprintf(out, size, "volunteer %u", f->number);
		else
			snprintf(out, size, "%s", f->name);
		return;
	}
	if (papers_is_key(c, key_id)) {
		snprintf(out, size, "the paper holder");
		return;
	}
	sodium_bin2hex(hex, sizeof hex, key_id, 4);
	snprintf(out, size, "unknown key %s", hex);
}

void client_sign_key(const struct client *c, struct sign_key *k)
{
	memcpy(k->id, c->me->sign_pk, 32);
	memcpy(k->sk, c->me->sign_sk, 64);
}
