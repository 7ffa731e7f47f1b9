/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "custody_say.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "cache.h"
#include "dispatch.h"
#include "mp.h"
#include "reseal.h"
#include "roster.h"
#include "seen.h"

#define STATE_MAX 64

/* what was done last for a desk; all zero: nothing ever */
struct keep {
	uint32_t looked;                 /* day of the last look */
	uint32_t said;                   /* day of the last custody statement, and its number */
	uint32_t number;
	uint8_t state[CUSTODY_DIGEST];   /* custody_body.state then */
	uint32_t sealed_day, sealed;     /* cells of re-sealed statements on that day */
};

static void keep_name(char out[96], const uint8_t desk[32])
{
	client_key_name(out, "keep/", desk, 8);
}

static enum perr keep_load(struct client *c, const uint8_t desk[32], struct keep *k)
{
	struct mp_reader r;
	uint8_t *value;
	char name[96];
	size_t len;
	enum perr err;

	memset(k, 0, sizeof *k);
	keep_name(name, desk);
	err = kv_get(c->kv, name, &value, &len);
	if (err != PERR_OK)
		return err == PERR_NOTFOUND ? PERR_OK : err;
	mp_reader_init(&r, value, len);
	mp_array(&r, 6);
	k->looked = (uint32_t)mp_uint(&r, UINT32_MAX);
	k->said = (uint32_t)mp_uint(&r, UINT32_MAX);
	k->number = (uint32_t)mp_uint(&r, UINT32_MAX);
	mp_bin_copy(&r, k->state, sizeof k->state);
	k->sealed_day = (uint32_t)mp_uint(&r, UINT32_MAX);
	k->sealed = (uint32_t)mp_uint(&r, UINT32_MAX);
	err = kv_decoded(mp_finish(&r));
	kv_free(value);
	return err;
}

/* inside a batch of the caller's */
static enum perr keep_save(struct client *c, const uint8_t desk[32], const struct keep *k)
{
	uint8_t buf[STATE_MAX];
	struct mp_writer w;
	char name[96];
	size_t len;
	enum perr err;

	mp_writer_init(&w, buf, sizeof buf);
	mp_put_array(&w, 6);
	mp_put_uint(&w, k->looked);
	mp_put_uint(&w, k->said);
	mp_put_uint(&w, k->number);
	mp_put_bin(&w, k->state, sizeof k->state);
	mp_put_uint(&w, k->sealed_day);
	mp_put_uint(&w, k->sealed);
	err = mp_written(&w, &len);
	if (err != PERR_OK)
		return err;
	keep_name(name, desk);
	return kv_put(c->kv, name, buf, len);
}

enum perr custody_scanned(struct client *c, uint32_t *day)
{
	*day = 0;
	for (uint32_t i = 0; c->field != NULL && i < c->field->n_servers; i++) {
		struct seen s;
		enum perr err = seen_load(c, c->field->servers[i].pk, &s);

		if (err != PERR_OK)
			return err;
		*day = s.scanned_through > *day ? s.scanned_through : *day;
	}
	return PERR_OK;
}

/* PROTOCOL 4.4: "the greater of 24 · day + hour of the author's clock and its last number + 1" */
static uint32_t next_number(const struct client *c, uint32_t last)
{
	int64_t s = c->env.now(c->env.ctx) % 86400;
	uint32_t by_clock = client_day(c) * 24 + (uint32_t)((s < 0 ? 0 : s) / 3600);

	return by_clock > last ? by_clock : last + 1;
}

struct say {
	struct client *c;
	const uint8_t *desk;
	struct covaults *v;
	struct custody_body body;
	struct dispatch *d;
	struct dispatch_readers to;      /* every co-holder with a prekey */
	struct statement *st;            /* large: not on the stack */
	struct keep k;
};

/* "at most once a day": has it to be today? */
static bool is_due(const struct say *s)
{
	uint32_t today = s->v->today;

	if (s->to.n == 0 || (s->k.said != 0 && today <= s->k.said))
		return false;
	if (s->k.said == 0 || today >= s->k.said + CUSTODY_SIGN_DAYS ||
	    memcmp(s->k.state, s->body.state, sizeof s->k.state) != 0)
		return true;
	/* an answer is owed to what was said since; to older words it was given */
	for (uint32_t i = 0; i < s->v->n; i++)
		if (s->v->at[i].differs && s->v->at[i].day >= s->k.said)
			return true;
	return false;
}

static enum perr speak(struct say *s)
{
	struct statement *st = s->st;
	enum perr err;

	st->kind = STATEMENT_CUSTODY;
	st->day = client_day(s->c);
	memcpy(st->to, s->desk, 32);
	rng_fill(s->c->env.rng, st->record, sizeof st->record);
	st->body.custody = s->body.k;
	s->k.number = next_number(s->c, s->k.number);
	err = dispatch_numbered(s->d, st, s->k.number, &s->to);
	s->k.said = s->v->today;
	memcpy(s->k.state, s->body.state, sizeof s->k.state);
	return err;
}

static uint32_t room_today(const struct keep *k, uint32_t today)
{
	uint32_t used = k->sealed_day == today ? k->sealed : 0;
	uint32_t left = used < RESEAL_CELLS_DAY ? RESEAL_CELLS_DAY - used : 0;

	return left < RESEAL_CELLS ? left : RESEAL_CELLS;
}

static enum perr act(struct say *s, bool *more)
{
	struct reseal_done done;
	uint32_t today = s->v->today;
	enum perr err = dispatch_begin(s->d);

	if (err == PERR_OK && is_due(s))
		err = speak(s);
	if (err == PERR_OK)
		err = reseal_lacking(s->c, s->d, s->v, room_today(&s->k, today), &done);
	if (err != PERR_OK)
		return err;
	s->k.sealed = done.cells + (s->k.sealed_day == today ? s->k.sealed : 0);
	s->k.sealed_day = today;
	s->k.looked = today;
	err = keep_save(s->c, s->desk, &s->k);
	*more |= err == PERR_OK && dispatch_cells(s->d) > 0;
	return err == PERR_OK ? dispatch_commit(s->d, NULL) : err;
}

static enum perr one_desk(struct client *c, const uint8_t desk[32], bool fresh, bool *more)
{
	struct say s = { .c = c, .desk = desk };
	char why[DISPATCH_WHY];
	uint32_t scanned;
	enum perr err = keep_load(c, desk, &s.k);

	if (err != PERR_OK || (!fresh && s.k.looked == client_day(c)))
		return err;
	err = dispatch_vaults(c, desk, &s.to, why);
	/* not trusted here, or nobody to tell: nothing can be sealed, and nothing is wrong */
	if (err == PERR_REFUSED || err == PERR_NOTFOUND || (err == PERR_OK && s.to.n == 0))
		return PERR_OK;
	if (err == PERR_OK)
		err = custody_scanned(c, &scanned);
	if (err == PERR_OK)
		err = covaults_load(c, desk, &s.v);
	if (err != PERR_OK)
		return err;
	s.d = dispatch_new(c);
	s.st = calloc(1, sizeof *s.st);
	err = s.d == NULL || s.st == NULL ? PERR_NOMEM
	    : custody_body_make(&s.body, s.v, scanned);
	if (err == PERR_OK)
		err = act(&s, more);
	dispatch_free(s.d);
	free(s.st);
	custody_body_free(&s.body);
	covaults_free(s.v);
	return err;
}

enum perr custody_say(struct client *c, bool fresh, bool *more)
{
	const uint8_t (*held)[32];
	size_t n;
	enum perr err;

	if (c->me->state != CLIENT_MEMBER || c->field == NULL || c->n_seasons == 0)
		return PERR_OK;
	err = cache_held(c, &held, &n);
	for (size_t i = 0; i < n && err == PERR_OK; i++)
		err = one_desk(c, held[i], fresh, more);
	return err;
}
