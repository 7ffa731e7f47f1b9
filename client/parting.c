/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "parting.h"

#include <stdlib.h>
#include <string.h>

#include "cache.h"
#include "covault.h"
#include "dispatch.h"
#include "doc.h"
#include "reseal.h"
#include "roster.h"

#define PARTED    "parted/"
#define MARK_SIZE 25             /* done u8, day u32, hash */

struct mark {
	bool done;
	uint32_t day;                    /* of the last statement that was looked at */
	uint8_t hash[CUSTODY_HASH];
};

/* PERR_NOTFOUND: nothing was done yet */
static enum perr mark_get(struct client *c, const uint8_t desk[32], struct mark *m)
{
	uint8_t *value = NULL;
	char name[96];
	size_t len;
	enum perr err;

	memset(m, 0, sizeof *m);
	client_key_name(name, PARTED, desk, 32);
	err = kv_get(c->kv, name, &value, &len);
	if (err == PERR_OK && len != MARK_SIZE)
		err = PERR_CORRUPT;
	if (err == PERR_OK) {
		m->done = value[0] != 0;
		m->day = doc_get_u32(value + 1);
		memcpy(m->hash, value + 5, CUSTODY_HASH);
	}
	kv_free(value);
	return err;
}

static enum perr mark_put(struct client *c, const uint8_t desk[32], const struct mark *m)
{
	uint8_t value[MARK_SIZE];
	char name[96];

	value[0] = m->done;
	doc_u32(value + 1, m->day);
	memcpy(value + 5, m->hash, CUSTODY_HASH);
	client_key_name(name, PARTED, desk, 32);
	return kv_put(c->kv, name, value, sizeof value);
}

/* the first statement behind the mark, in the order of holding.h */
static size_t behind(const struct holding *h, const struct mark *m)
{
	size_t i = holding_from(h, m->day);

	while (i < h->n && h->at[i].day == m->day &&
	       memcmp(h->at[i].hash, m->hash, CUSTODY_HASH) <= 0)
		i++;
	return i;
}

/* nothing of it is at stake, or a present holder said that it is there, whole */
static bool is_cared_for(const struct covaults *v, size_t i)
{
	for (uint32_t k = 0; k < v->n; k++) {
		const struct covault_word *w = &v->at[k].words[i];

		if (w->says == COVAULT_ERASED || (w->says == COVAULT_HOLDS && w->missing == 0))
			return true;
	}
	return false;
}

static enum perr hand_over(struct client *c, const uint8_t desk[32], struct mark *m,
                           const struct covaults *v, const struct dispatch_readers *to, bool *more)
{
	struct dispatch *d = dispatch_new(c);
	enum perr err = d == NULL ? PERR_NOMEM : dispatch_begin(d);
	size_t i = behind(v->own, m);

	for (; i < v->own->n && err == PERR_OK && dispatch_cells(d) < RESEAL_CELLS; i++) {
		if (!is_cared_for(v, i))
			err = reseal_item(c, d, &v->own->at[i], to);
		m->day = v->own->at[i].day;
		memcpy(m->hash, v->own->at[i].hash, CUSTODY_HASH);
	}
	m->done = i == v->own->n;
	if (err == PERR_OK)
		err = mark_put(c, desk, m);
	if (err == PERR_OK) {
		*more |= dispatch_cells(d) > 0;
		err = dispatch_commit(d, NULL);
	}
	dispatch_free(d);
	return err;
}

static enum perr one_left(struct client *c, const uint8_t desk[32], bool *more)
{
	struct dispatch_readers to;
	struct covaults *v = NULL;
	char why[DISPATCH_WHY];
	struct mark m;
	enum perr err = mark_get(c, desk, &m);

	if (err == PERR_OK && m.done)
		return PERR_OK;
	if (err == PERR_OK || err == PERR_NOTFOUND)
		err = dispatch_desk(c, desk, false, &to, why);
	/* without the keys of those who hold it now: at a later sync */
	if (err == PERR_REFUSED || err == PERR_NOTFOUND || (err == PERR_OK && to.n == 0))
		return PERR_OK;
	if (err == PERR_OK)
		err = covaults_load(c, desk, &v);
	if (err == PERR_OK)
		err = hand_over(c, desk, &m, v, &to, more);
	covaults_free(v);
	return err;
}

/* who holds it again begins anew when they leave again */
static enum perr forget(struct client *c, const uint8_t desk[32])
{
	struct mark m;
	char name[96];
	enum perr err = mark_get(c, desk, &m);

	if (err != PERR_OK)
		return err == PERR_NOTFOUND ? PERR_OK : err;
	client_key_name(name, PARTED, desk, 32);
	err = kv_begin(c->kv);
	if (err == PERR_OK)
		err = kv_erase(c->kv, name);
	if (err == PERR_OK)
		err = kv_commit(c->kv);
	kv_abort(c->kv);
	return err;
}

enum perr parting_duty(struct client *c, bool *more)
{
	const uint8_t (*held)[32], (*left)[32];
	uint8_t ids[ROSTER_DESKS_MAX][32];
	size_t n_held, n_left;
	enum perr err;

	if (c->me->state != CLIENT_MEMBER || c->field == NULL || c->n_seasons == 0)
		return PERR_OK;
	err = cache_held(c, &held, &n_held);
	for (size_t i = 0; i < n_held && err == PERR_OK; i++)
		err = forget(c, held[i]);
	if (err == PERR_OK)
		err = cache_left(c, &left, &n_left);
	if (err == PERR_OK)
		memcpy(ids, left, n_left * 32);
	for (size_t i = 0; err == PERR_OK && i < n_left; i++)
		err = one_left(c, ids[i], more);
	return err;
}

enum perr parting_count(struct client *c, unsigned *n)
{
	const uint8_t (*left)[32];
	size_t n_left;
	enum perr err;

	*n = 0;
	err = cache_left(c, &left, &n_left);
	for (size_t i = 0; err == PERR_OK && i < n_left; i++) {
		struct mark m;

		err = mark_get(c, left[i], &m);
		*n += err == PERR_NOTFOUND || (err == PERR_OK && !m.done);
		err = err == PERR_NOTFOUND ? PERR_OK : err;
	}
	return err;
}
