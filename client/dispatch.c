/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "dispatch.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cache.h"
#include "doc.h"
#include "envelope.h"
#include "outbox.h"
#include "restored.h"
#include "prekeys.h"
#include "record.h"
#include "trust.h"

struct dispatch {
	struct client *c;
	uint8_t *cells;                  /* sealed: nothing here needs wiping */
	size_t n, room;
	bool in_batch;
};

struct dispatch *dispatch_new(struct client *c)
{
	struct dispatch *d = calloc(1, sizeof *d);

	if (d != NULL)
		d->c = c;
	return d;
}

void dispatch_free(struct dispatch *d)
{
	if (d == NULL)
		return;
	if (d->in_batch)
		kv_abort(d->c->kv);
	free(d->cells);
	free(d);
}

size_t dispatch_cells(const struct dispatch *d)
{
	return d->n;
}

/* ---- readers ------------------------------------------------------------------------ */

static uint32_t below(struct client *c, uint32_t n)
{
	uint32_t r, limit = UINT32_MAX - UINT32_MAX % n;

	do
		rng_fill(c->env.rng, (uint8_t *)&r, sizeof r);
	while (r >= limit);
	return r % n;
}

/*
 * The holders of a charter are sorted.  Cells always sent in that order would tell a server,
 * which sees the order of one upload, which cells of many uploads have the same reader.
 */
static void shuffle(struct client *c, struct dispatch_readers *r)
{
	for (uint32_t i = r->n; i > 1; i--) {
		uint32_t j = below(c, i);
		uint8_t t[32];

		memcpy(t, r->pk[i - 1], 32);
		memcpy(r->pk[i - 1], r->pk[j], 32);
		memcpy(r->pk[j], t, 32);
		if (r->paper == i - 1)
			r->paper = j;
		else if (r->paper == j)
			r->paper = i - 1;
	}
}

/*
 * PROTOCOL 7.2: "A client seals only to *pinned* desks".  What an administrator lists is not
 * enough.
 */
static enum perr check_trust(struct client *c, const struct desk *desk, char why[DISPATCH_WHY])
{
	enum trust_how how;
	enum perr err = trust_desk(c, desk->id, &how);

	if (err != PERR_OK || how != TRUST_UNKNOWN)
		return err;
	c->refusal = REFUSAL_UNTRUSTED;
	snprintf(why, DISPATCH_WHY, "the desk \"%s\" is not trusted on this device; compare two "
	         "of its words with the training sheet: `amparo desk trust \"%s\"`",
	         desk->now.name, desk->now.name);
	return PERR_REFUSED;
}

static enum perr desk_readers(struct client *c, const uint8_t desk_id[32], bool with_self,
                              bool with_paper, struct dispatch_readers *r,
                              char why[DISPATCH_WHY])
{
	const struct desk *desk;
	uint32_t living = 0;             /* others with a device */
	enum perr err = cache_desk(c, desk_id, &desk);

	memset(r, 0, sizeof *r);
	why[0] = '\0';
	c->refusal = REFUSAL_NONE;
	if (err == PERR_NOTFOUND) {
		c->refusal = REFUSAL_NO_DESK;
		snprintf(why, DISPATCH_WHY, "the desk it belongs to is not in the organisation's "
		         "list; `amparo sync` fetches the newest one");
	}
	if (err == PERR_OK)
		err = check_trust(c, desk, why);
	if (err != PERR_OK)
		return err;
	memcpy(r->desk_name, desk->now.name, sizeof r->desk_name);
	for (uint32_t i = 0; i < desk->now.n; i++) {
		bool is_paper;

		if (!with_self && memcmp(desk->now.holders[i], c->me->sign_pk, 32) == 0)
			continue;
		is_paper = charter_is_paper(&desk->now, desk->now.holders[i]);
		if (!with_paper && is_paper)
			continue;
		living += is_paper ? 0 : 1;
		err = prekey_for(c, desk->now.holders[i], client_day(c), r->pk[r->n]);
		if (err != PERR_OK && err != PERR_NOTFOUND)
			return err;
		r->n_holders += !is_paper || err == PERR_OK ? 1 : 0;
		if (err != PERR_OK)
			continue;
		if (is_paper) {
			r->has_paper = true;
			r->paper = r->n;
		}
		r->n++;
	}
	/* what only paper could open would be read by nobody until everything is lost */
	if (r->n == (r->has_paper ? 1 : 0) && living > 0) {
		memset(r->pk, 0, sizeof r->pk);
		r->n = 0;
		r->has_paper = false;
		c->refusal = REFUSAL_NO_KEYS;
		snprintf(why, DISPATCH_WHY, "no attorney of the desk \"%s\" has published keys yet, "
		         "so nothing can be sealed to it; run `amparo sync` and try again",
		         desk->now.name);
		return PERR_NOTFOUND;
	}
	shuffle(c, r);
	return PERR_OK;
}

enum perr dispatch_desk(struct client *c, const uint8_t desk_id[32], bool with_self,
                        struct dispatch_readers *r, char why[DISPATCH_WHY])
{
	return desk_readers(c, desk_id, with_self, true, r, why);
}

enum perr dispatch_vaults(struct client *c, const uint8_t desk_id[32],
                          struct dispatch_readers *r, char why[DISPATCH_WHY])
{
	return desk_readers(c, desk_id, false, false, r, why);
}

enum perr dispatch_member(struct client *c, const uint8_t key[32], struct dispatch_readers *r,
                          char why[DISPATCH_WHY])
{
	char name[140];
	enum perr err;

	memset(r, 0, sizeof *r);
	why[0] = '\0';
	c->refusal = REFUSAL_NONE;
	err = prekey_for(c, key, client_day(c), r->pk[0]);
	if (err == PERR_OK)
		r->n = 1;
	if (err == PERR_NOTFOUND) {
		c->refusal = REFUSAL_NO_KEYS;
		client_name_of(c, key, name, sizeof name);
		snprintf(why, DISPATCH_WHY, "%s has not published keys yet: ask them to run "
		         "`amparo sync`, then run it here", name);
	}
	return err;
}

/* ---- cells -------------------------------------------------------------------------- */

static uint8_t *next_cells(struct dispatch *d, size_t n)
{
	if (d->room - d->n < n) {
		size_t room = d->n + n < 64 ? 64 : (d->n + n) * 3 / 2;
		uint8_t *more = realloc(d->cells, room * CELL_SIZE);

		if (more == NULL)
			return NULL;
		d->cells = more;
		d->room = room;
	}
	return d->cells + d->n * CELL_SIZE;
}

static const struct season *season_of(const struct client *c)
{
	return c->n_seasons == 0 ? NULL : &c->seasons[c->n_seasons - 1];
}

enum perr dispatch_blob(struct dispatch *d, const uint8_t *data, size_t len, struct blob_ref *ref)
{
	struct client *c = d->c;
	const struct season *season = season_of(c);
	struct reader_key key;
	uint32_t n;
	uint8_t *cells;
	enum perr err;

	memset(ref, 0, sizeof *ref);
	if (season == NULL)
		return PERR_STATE;
	err = blob_begin(ref, data, len, c->env.rng);
	if (err != PERR_OK)
		return err;
	n = blob_n_chunks(ref->size);
	cells = d->n + n >= OUTBOX_GROUP_MAX ? NULL : next_cells(d, n);
	if (cells == NULL)
		err = d->n + n >= OUTBOX_GROUP_MAX ? PERR_RANGE : PERR_NOMEM;
	blob_key(&key, ref);
	for (uint32_t i = 0; i < n && err == PERR_OK; i++)
		err = blob_seal_chunk_with(cells + (size_t)i * CELL_SIZE, ref, &key, i, data, len,
		                           season, c->env.rng);
	sodium_memzero(&key, sizeof key);
	if (err == PERR_OK)
		d->n += n;
	else
		sodium_memzero(ref, sizeof *ref);
	return err;
}

static enum perr seal_to(struct dispatch *d, enum cell_form form, const uint8_t *payload,
                         size_t len, const struct dispatch_readers *r)
{
	enum perr err = PERR_OK;
	uint8_t *cells = next_cells(d, r->n);

	if (cells == NULL)
		return PERR_NOMEM;
	for (uint32_t i = 0; i < r->n && err == PERR_OK; i++)
		err = cell_seal(cells + (size_t)i * CELL_SIZE, NULL, form, payload, len, r->pk[i],
		                season_of(d->c), d->c->env.rng);
	if (err == PERR_OK)
		d->n += r->n;
	return err;
}

/*
 * PROTOCOL 3.3: "A sender uses form 0 if the envelope has at most 3,997 bytes and no paper holder
 * is among its readers, form 1 otherwise."  Paper erases nothing: what it could open must lie in
 * chunks that the living erase with their own.
 */
static enum perr seal_envelope(struct dispatch *d, const uint8_t *env, size_t len,
                               const struct dispatch_readers *r)
{
	uint8_t payload[BLOB_REF_SIZE];
	struct blob_ref ref;
	enum perr err;

	if (r->n == 0)
		return PERR_OK;
	if (len <= ENVELOPE_INLINE_MAX && !r->has_paper)
		return seal_to(d, CELL_STATEMENT, env, len, r);
	err = dispatch_blob(d, env, len, &ref);
	if (err == PERR_OK) {
		blob_ref_encode(payload, &ref);
		err = seal_to(d, CELL_SPILLED, payload, sizeof payload, r);
	}
	sodium_memzero(&ref, sizeof ref);
	sodium_memzero(payload, sizeof payload);
	return err;
}

/* ---- the batch ---------------------------------------------------------------------- */

enum perr dispatch_begin(struct dispatch *d)
{
	enum perr err = kv_begin(d->c->kv);

	d->in_batch = err == PERR_OK;
	return err;
}

static enum perr next_number(struct client *c, const uint8_t to[32], uint32_t *number)
{
	uint8_t buf[4], *value = NULL;
	char name[96];
	uint32_t floor;
	size_t len;
	enum perr err;

	*number = 0;
	client_key_name(name, "seq/", to, 32);
	err = kv_get(c->kv, name, &value, &len);
	if (err == PERR_OK && len != 4)
		err = PERR_CORRUPT;
	if (err == PERR_OK)
		*number = doc_get_u32(value);
	kv_free(value);
	if (err != PERR_OK && err != PERR_NOTFOUND)
		return err;
	/* numbers that the device used after its backup was made must not be used twice */
	err = restored_floor(c, &floor);
	if (err != PERR_OK)
		return err;
	if (*number < floor)
		*number = floor;
	if ((*number & STATEMENT_PLACE_MAX) == STATEMENT_PLACE_MAX)
		return PERR_LIMIT;
	doc_u32(buf, ++*number);
	return kv_put(c->kv, name, buf, sizeof buf);
}

enum perr dispatch_level(struct client *c)
{
	static const uint8_t none[4];
	struct desk *desk = malloc(sizeof *desk);
	enum perr err = desk == NULL ? PERR_NOMEM : outbox_level(c);
	uint32_t i;

	for (i = 0; err == PERR_OK && c->field != NULL && i < c->field->n_desks; i++) {
		char name[96];
		uint8_t *value;

		if (client_desk(c, i, desk) != PERR_OK)
			continue;        /* nobody can seal to it either */
		client_key_name(name, "seq/", desk->id, 32);
		err = kv_get(c->kv, name, &value, NULL);
		kv_free(value);
		if (err == PERR_NOTFOUND)
			err = kv_put(c->kv, name, none, sizeof none);
	}
	free(desk);
	return err;
}

/* out of the envelope that has just been made */
static enum perr fill_made(struct dispatch_made *made, const uint8_t *env, size_t len)
{
	struct envelope e;
	enum perr err = envelope_decode(&e, env, len);

	if (err == PERR_OK)
		made->bytes = malloc(e.statement.len);
	if (err == PERR_OK && made->bytes == NULL)
		err = PERR_NOMEM;
	if (err == PERR_OK) {
		made->len = e.statement.len;
		memcpy(made->bytes, e.statement.p, made->len);
		memcpy(made->sig, e.sig, sizeof made->sig);
	}
	envelope_wipe(&e);
	return err;
}

void dispatch_made_wipe(struct dispatch_made *made)
{
	doc_free(made->bytes, made->len);
	sodium_memzero(made, sizeof *made);
}

static enum perr sign_and_seal(struct dispatch *d, struct statement *st, uint32_t number,
                               const struct blob_ref *refs, size_t n_refs,
                               const struct dispatch_readers *r, bool keep,
                               struct dispatch_made *made)
{
	struct client *c = d->c;
	struct sign_key key;
	uint8_t *env = NULL;
	size_t len = 0;
	enum perr err;

	memcpy(st->header_hash, c->header_hash, 32);
	client_sign_key(c, &key);
	err = envelope_make(&env, &len, made == NULL ? NULL : made->hash, st, number, refs, n_refs,
	                    &key, c->env.rng);
	signed_key_wipe(&key);
	if (err == PERR_OK && made != NULL)
		err = fill_made(made, env, len);
	if (err == PERR_OK)
		err = seal_envelope(d, env, len, r);
	if (err == PERR_OK && keep)
		err = record_keep(c, env, len);
	doc_free(env, len);
	return err;
}

enum perr dispatch_send(struct dispatch *d, struct statement *st, const struct blob_ref *refs,
                        size_t n_refs, const struct dispatch_readers *r, bool keep)
{
	return dispatch_send_made(d, st, refs, n_refs, r, keep, NULL);
}

enum perr dispatch_send_made(struct dispatch *d, struct statement *st,
                             const struct blob_ref *refs, size_t n_refs,
                             const struct dispatch_readers *r, bool keep,
                             struct dispatch_made *made)
{
	uint32_t number;
	enum perr err;

	if (!d->in_batch || season_of(d->c) == NULL)
		return PERR_STATE;
	err = next_number(d->c, st->to, &number);
	return err == PERR_OK ? sign_and_seal(d, st, number, refs, n_refs, r, keep, made) : err;
}

enum perr dispatch_numbered(struct dispatch *d, struct statement *st, uint32_t number,
                            const struct dispatch_readers *r)
{
	if (!d->in_batch || season_of(d->c) == NULL)
		return PERR_STATE;
	return sign_and_seal(d, st, number, NULL, 0, r, false, NULL);
}

enum perr dispatch_envelope(struct dispatch *d, const uint8_t *envelope, size_t len,
                            const struct dispatch_readers *r)
{
	if (!d->in_batch || season_of(d->c) == NULL)
		return PERR_STATE;
	return seal_envelope(d, envelope, len, r);
}

enum perr dispatch_commit(struct dispatch *d, uint32_t *group)
{
	uint32_t g = 0;
	enum perr err = PERR_STATE;

	if (d->in_batch) {
		err = d->n == 0 ? PERR_OK : outbox_add(d->c, d->cells, d->n, &g);
		if (err == PERR_OK)
			err = kv_commit(d->c->kv);
		kv_abort(d->c->kv);
		d->in_batch = false;
	}
	if (group != NULL)
		*group = err == PERR_OK ? g : 0;
	return err;
}
