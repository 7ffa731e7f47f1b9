/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "post.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mp.h"
#include "roster.h"

#define PREFIX     "post/"
#define HOLDERS    16            /* servers remembered; a roster has 8 */
#define RECORD_MAX (CELL_SIZE + 512 + HOLDERS * 160)

/* what one server holds in this slot */
struct holding {
	uint8_t pk[32];
	bool is_current;         /* the slot's present cell */
	uint8_t id[32], ds[32];  /* of the cell it holds */
	uint8_t digest[32];      /* of the board when that was put */
};
struct record {
	struct post post;
	uint32_t n;
	struct holding at[HOLDERS];
};

static bool name_of(char name[KV_NAME_MAX + 1], const char *slot)
{
	int n = snprintf(name, KV_NAME_MAX + 1, PREFIX "%s", slot);

	return strlen(slot) <= POST_SLOT_MAX && n > 0 && n <= KV_NAME_MAX;
}

static enum perr decode(struct record *r, const uint8_t *in, size_t len)
{
	struct mp_reader m;
	uint32_t i;

	memset(r, 0, sizeof *r);
	mp_reader_init(&m, in, len);
	mp_array(&m, 5);
	r->post.kind = (enum post_kind)mp_uint(&m, POST_GONE);
	mp_bin_copy(&m, r->post.cell, CELL_SIZE);
	mp_bin_copy(&m, r->post.ds, 32);
	mp_bin_copy(&m, r->post.ticket, 16);
	r->n = mp_array_var(&m, 0, HOLDERS);
	for (i = 0; i < r->n; i++) {
		struct holding *h = &r->at[i];

		mp_array(&m, 5);
		mp_bin_copy(&m, h->pk, 32);
		h->is_current = mp_bool(&m);
		mp_bin_copy(&m, h->id, 32);
		mp_bin_copy(&m, h->ds, 32);
		mp_bin_copy(&m, h->digest, 32);
	}
	return kv_decoded(mp_finish(&m));
}

static enum perr save(struct client *c, const char *name, const struct record *r)
{
	uint8_t buf[RECORD_MAX];
	struct mp_writer w;
	size_t len;
	enum perr err;
	uint32_t i;

	mp_writer_init(&w, buf, sizeof buf);
	mp_put_array(&w, 5);
	mp_put_uint(&w, r->post.kind);
	mp_put_bin(&w, r->post.cell, CELL_SIZE);
	mp_put_bin(&w, r->post.ds, 32);
	mp_put_bin(&w, r->post.ticket, 16);
	mp_put_array(&w, r->n);
	for (i = 0; i < r->n; i++) {
		const struct holding *h = &r->at[i];

		mp_put_array(&w, 5);
		mp_put_bin(&w, h->pk, 32);
		mp_put_bool(&w, h->is_current);
		mp_put_bin(&w, h->id, 32);
		mp_put_bin(&w, h->ds, 32);
		mp_put_bin(&w, h->digest, 32);
	}
	err = mp_written(&w, &len);
	if (err == PERR_OK)
		err = kv_put(c->kv, name, buf, len);
	sodium_memzero(buf, sizeof buf);
	return err;
}

static enum perr load(struct client *c, const char *name, struct record *r)
{
	uint8_t *value;
	size_t len;
	enum perr err = kv_get(c->kv, name, &value, &len);

	if (err != PERR_OK)
		return err;
	err = decode(r, value, len);
	kv_free(value);
	return err;
}

static struct holding *holding_of(struct record *r, const uint8_t pk[32])
{
	uint32_t i;

	for (i = 0; i < r->n; i++)
		if (memcmp(r->at[i].pk, pk, 32) == 0)
			return &r->at[i];
	return NULL;
}

static bool in_roster(const struct client *c, const uint8_t pk[32])
{
	uint32_t i;

	for (i = 0; c->field != NULL && i < c->field->n_servers; i++)
		if (memcmp(c->field->servers[i].pk, pk, 32) == 0)
			return true;
	return false;
}

static struct holding *holding_add(const struct client *c, struct record *r, const uint8_t pk[32])
{
	uint32_t i;

	for (i = 0; i < r->n && in_roster(c, r->at[i].pk); i++)
		;
	/* full of servers of the roster cannot be: it has fewer */
	if (i == r->n)
		r->n += r->n < HOLDERS ? 1 : 0;
	i = i < r->n ? i : r->n - 1;
	memset(&r->at[i], 0, sizeof r->at[i]);
	memcpy(r->at[i].pk, pk, 32);
	return &r->at[i];
}

enum perr post_add(struct client *c, const char *slot, const struct post *p)
{
	struct record r;
	char name[KV_NAME_MAX + 1];
	enum perr err;
	uint32_t i;

	if (!name_of(name, slot))
		return PERR_RANGE;
	err = load(c, name, &r);
	if (err == PERR_NOTFOUND)
		memset(&r, 0, sizeof r);
	else if (err != PERR_OK)
		return err;
	r.post = *p;
	for (i = 0; i < r.n; i++)
		r.at[i].is_current = false;
	err = save(c, name, &r);
	sodium_memzero(&r, sizeof r);
	return err;
}

enum perr post_drop(struct client *c, const char *slot)
{
	char name[KV_NAME_MAX + 1];

	return name_of(name, slot) ? kv_erase(c->kv, name) : PERR_RANGE;
}

enum perr post_retire(struct client *c, const char *slot)
{
	struct record r;
	char name[KV_NAME_MAX + 1];
	enum perr err;

	if (!name_of(name, slot))
		return PERR_RANGE;
	err = load(c, name, &r);
	if (err != PERR_OK)
		return err == PERR_NOTFOUND ? PERR_OK : err;
	if (r.n == 0)
		return kv_erase(c->kv, name);    /* no server has seen it */
	r.post.kind = POST_GONE;
	for (uint32_t i = 0; i < r.n; i++)
		r.at[i].is_current = false;
	err = save(c, name, &r);
	sodium_memzero(&r, sizeof r);
	return err;
}

/* ---- walks ---------------------------------------------------------------------------------- */

struct walk {
	struct client *c;
	const uint8_t *pk;
	post_fn *fn;
	void *arg;
	const char *slot;
	unsigned n_due;
	bool all;
};

/* a cell of the T of the one that this server holds: it goes with it */
static enum perr make_eraser(struct client *c, const struct holding *h, struct post *p)
{
	uint8_t sk[32], pk[32];
	enum perr err;

	if (c->n_seasons == 0)
		return PERR_NOTFOUND;
	rng_fill(c->env.rng, sk, sizeof sk);
	crypto_scalarmult_base(pk, sk);
	sodium_memzero(sk, sizeof sk);
	err = cell_seal_chunk(p->cell, h->ds, NULL, 0, pk, &c->seasons[c->n_seasons - 1],
	                      c->env.rng);
	memcpy(p->ds, h->ds, 32);
	p->kind = POST_BOARD;
	return err;
}

static enum perr due_one(void *arg, const char *name, const uint8_t *value, size_t len)
{
	struct walk *w = arg;
	struct record r;
	const struct holding *h;
	enum perr err = decode(&r, value, len);

	if (err != PERR_OK)
		return err;
	h = holding_of(&r, w->pk);
	if (r.post.kind == POST_GONE && h != NULL) {
		err = make_eraser(w->c, h, &r.post);
	} else if (r.post.kind == POST_GONE) {
		sodium_memzero(&r, sizeof r);
		return PERR_OK;
	}
	if (err == PERR_OK && (h == NULL || !h->is_current)) {
		r.post.has_old = h != NULL && r.post.kind == POST_BOARD;
		if (r.post.has_old)
			memcpy(r.post.old_ds, h->ds, 32);
		err = w->fn(w->arg, name + strlen(PREFIX), &r.post);
	}
	sodium_memzero(&r, sizeof r);
	return err;
}

enum perr post_each_due(struct client *c, const uint8_t server_pk[32], post_fn *fn, void *arg)
{
	struct walk w = { .c = c, .pk = server_pk, .fn = fn, .arg = arg };

	return kv_each(c->kv, PREFIX, due_one, &w);
}

static enum perr count_one(void *arg, const char *name, const uint8_t *value, size_t len)
{
	struct walk *w = arg;
	struct record r;
	enum perr err = decode(&r, value, len);
	bool all = w->c->field != NULL;
	uint32_t i;

	if (err != PERR_OK)
		return err;
	for (i = 0; all && i < w->c->field->n_servers; i++) {
		const struct holding *h = holding_of(&r, w->c->field->servers[i].pk);

		all = r.post.kind == POST_GONE ? h == NULL : h != NULL && h->is_current;
	}
	w->n_due += all ? 0 : 1;
	if (w->slot != NULL && strcmp(name + strlen(PREFIX), w->slot) == 0)
		w->all = all;
	sodium_memzero(&r, sizeof r);
	return PERR_OK;
}

enum perr post_is_everywhere(struct client *c, const char *slot, bool *yes)
{
	struct walk w = { .c = c, .slot = slot };
	enum perr err = kv_each(c->kv, PREFIX, count_one, &w);

	*yes = err == PERR_OK && w.all;
	return err;
}

enum perr post_count_due(struct client *c, unsigned *n)
{
	struct walk w = { .c = c };
	enum perr err = kv_each(c->kv, PREFIX, count_one, &w);

	*n = w.n_due;
	return err;
}

/* ---- what servers say ------------------------------------------------------------------------ */

enum perr post_done(struct client *c, const uint8_t server_pk[32], const char *slot,
                    const uint8_t cell_id_put[32], const uint8_t board_digest[32])
{
	char name[KV_NAME_MAX + 1];
	uint8_t id[32];
	struct holding *h;
	struct record r;
	enum perr err;

	if (!name_of(name, slot))
		return PERR_RANGE;
	err = kv_begin(c->kv);
	if (err != PERR_OK)
		return err;
	err = load(c, name, &r);
	if (err == PERR_NOTFOUND) {      /* dropped meanwhile */
		kv_abort(c->kv);
		return PERR_OK;
	}
	if (err != PERR_OK)
		goto out;
	h = holding_of(&r, server_pk);
	if (r.post.kind == POST_GONE) {
		if (h != NULL)
			*h = r.at[--r.n];
		for (uint32_t i = r.n; i > 0; i--)
			if (!in_roster(c, r.at[i - 1].pk))       /* nobody will ask it again */
				r.at[i - 1] = r.at[--r.n];
		err = r.n == 0 ? kv_erase(c->kv, name) : save(c, name, &r);
		if (err == PERR_OK)
			err = kv_commit(c->kv);
		goto out;
	}
	cell_id(id, r.post.cell);
	if (memcmp(id, cell_id_put, 32) != 0)
		goto out;                /* replaced meanwhile: the new one stays due */
	if (h == NULL)
		h = holding_add(c, &r, server_pk);
	h->is_current = true;
	memcpy(h->id, id, 32);
	memcpy(h->ds, r.post.ds, 32);
	if (board_digest != NULL)
		memcpy(h->digest, board_digest, 32);
	err = save(c, name, &r);
	if (err == PERR_OK)
		err = kv_commit(c->kv);
out:
	kv_abort(c->kv);
	sodium_memzero(&r, sizeof r);
	return err;
}

static bool shown(const uint8_t (*ids)[32], size_t n, const uint8_t id[32])
{
	size_t lo = 0, hi = n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		int d = memcmp(ids[mid], id, 32);

		if (d == 0)
			return true;
		if (d < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return false;
}

struct check {
	struct client *c;
	const uint8_t *pk, *digest;
	const uint8_t (*ids)[32];
	size_t n;
};

static enum perr check_one(void *arg, const char *name, const uint8_t *value, size_t len)
{
	struct check *k = arg;
	struct record r;
	struct holding *h;
	enum perr err = decode(&r, value, len);

	if (err != PERR_OK)
		return err;
	h = holding_of(&r, k->pk);
	if (r.post.kind != POST_BOARD || h == NULL || !h->is_current ||
	    memcmp(h->digest, k->digest, 32) == 0 || shown(k->ids, k->n, h->id))
		goto out;
	h->is_current = false;
	err = kv_begin(k->c->kv);
	if (err == PERR_OK)
		err = save(k->c, name, &r);
	if (err == PERR_OK)
		err = kv_commit(k->c->kv);
	kv_abort(k->c->kv);
out:
	sodium_memzero(&r, sizeof r);
	return err;
}

enum perr post_check_board(struct client *c, const uint8_t server_pk[32],
                           const uint8_t board_digest[32], const uint8_t (*ids)[32], size_t n)
{
	struct check k = { .c = c, .pk = server_pk, .digest = board_digest, .ids = ids, .n = n };

	return kv_each(c->kv, PREFIX, check_one, &k);
}

/* ---- slots -------------------------------------------------------------------------------------- */

struct listing {
	post_slot_fn *fn;
	void *arg;
};

static enum perr list_one(void *arg, const char *name, const uint8_t *value, size_t len)
{
	struct listing *l = arg;
	struct record r;
	enum perr err = decode(&r, value, len);
	bool gone = r.post.kind == POST_GONE;

	sodium_memzero(&r, sizeof r);
	return err != PERR_OK || gone ? err : l->fn(l->arg, name + strlen(PREFIX));
}

enum perr post_slots(struct client *c, const char *prefix, post_slot_fn *fn, void *arg)
{
	struct listing l = { fn, arg };
	char name[KV_NAME_MAX + 1];

	return name_of(name, prefix) ? kv_each(c->kv, name, list_one, &l) : PERR_RANGE;
}
