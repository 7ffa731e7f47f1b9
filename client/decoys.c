/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "decoys.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "mp.h"
#include "outbox.h"
#include "roster.h"

#define DAY_S 86400

/*
 * PROTOCOL 3.7: "18, 72, 144, 288, 576, 1,152, 4,608 and 18,432".  72 holds a long form
 * for two or three holders with one photograph as large as the default limit allows, 144 two
 * of them, 288 four, 576 eight.
 */
static const uint32_t sizes[] = { 18, 72, 144, 288, 576, 1152, 4608, DECOYS_LARGEST };
#define SIZES (sizeof sizes / sizeof sizes[0])

uint32_t decoys_size(uint32_t n)
{
	uint32_t size, i;

	if (n == 0)
		return 0;
	for (i = 0; i < SIZES; i++)
		if (n <= sizes[i])
			return sizes[i];
	for (size = DECOYS_LARGEST; size < n; size += DECOYS_LARGEST)
		;
	return size < OUTBOX_GROUP_MAX ? size : OUTBOX_GROUP_MAX - 1;
}

/* ---- the day's decoys ----------------------------------------------------------------------- */

/* uniform in (0, 1): 53 bits, never 0 nor 1 */
static double uniform(struct rng rng)
{
	uint64_t r;

	rng_fill(rng, (uint8_t *)&r, sizeof r);
	return ((double)(r >> 11) + 0.5) / 9007199254740992.0;
}

/*
 * The size of one burst: logarithmic with parameter p (Kemp, Efficient generation of
 * logarithmically distributed pseudo-random variables, 1981, algorithm LK).
 */
static double burst(struct rng rng, double log_q)
{
	double v = uniform(rng), q, p = -expm1(log_q);

	if (v >= p)
		return 1;
	q = -expm1(log_q * uniform(rng));
	if (q >= 1)              /* so near that the double is: a burst without end */
		return DECOYS_LARGEST;
	if (v <= q * q)
		return floor(1 + log(v) / log(q));
	return v <= q ? 2 : 1;
}

/*
 * Bursts at random moments, log(1 + mean) a day, of logarithmic sizes: the sum over a day is
 * geometric, over t days negative binomial with parameter t.
 */
uint32_t decoys_draw(struct rng rng, double mean, double days)
{
	double rate = log1p(mean), log_q = -rate, t = 0, sum = 0;

	if (!(mean > 0) || !(days > 0))
		return 0;
	while (sum < DECOYS_LARGEST) {
		t -= log(uniform(rng)) / rate;
		if (t > days)
			break;
		sum += burst(rng, log_q);
	}
	return sum < DECOYS_LARGEST ? (uint32_t)sum : DECOYS_LARGEST;
}

/* this member's share of the organisation's target; 0: none, or not an attorney */
static double share(const struct client *c)
{
	uint32_t i, n = 0;

	if (c->staff == NULL || c->me->state != CLIENT_MEMBER || c->me->role != ROLE_ATTORNEY)
		return 0;
	for (i = 0; i < c->staff->n_members; i++)
		n += c->staff->members[i].role == ROSTER_ATTORNEY ? 1 : 0;
	return n == 0 ? 0 : (double)c->staff->decoys_per_day / n;
}

struct drawn {
	uint64_t until;          /* seconds since 1970 on this device's clock */
	uint32_t due;
};

static enum perr drawn_load(struct client *c, struct drawn *d)
{
	struct mp_reader r;
	uint8_t *value;
	size_t len;
	enum perr err = kv_get(c->kv, "decoys", &value, &len);

	memset(d, 0, sizeof *d);
	if (err != PERR_OK)
		return err == PERR_NOTFOUND ? PERR_OK : err;
	mp_reader_init(&r, value, len);
	mp_array(&r, 2);
	d->until = mp_uint(&r, UINT64_MAX);
	d->due = (uint32_t)mp_uint(&r, DECOYS_LARGEST);
	err = mp_finish(&r) == PERR_OK ? PERR_OK : PERR_CORRUPT;
	kv_free(value);
	return err;
}

static enum perr drawn_save(struct client *c, const struct drawn *d)
{
	uint8_t buf[32];
	struct mp_writer w;
	size_t len;
	enum perr err;

	mp_writer_init(&w, buf, sizeof buf);
	mp_put_array(&w, 2);
	mp_put_uint(&w, d->until);
	mp_put_uint(&w, d->due);
	err = mp_written(&w, &len);
	return err == PERR_OK ? kv_put(c->kv, "decoys", buf, len) : err;
}

/*
 * Draw for the time since the last drawing, and write both down before anything is sent: a
 * second drawing for the same hours after a failed sync would not be the same number.
 */
static enum perr fall_due(struct client *c, uint32_t *due)
{
	int64_t now = c->env.now(c->env.ctx);
	double mean = share(c), days = 0;
	struct drawn d;
	enum perr err;

	*due = 0;
	if (mean <= 0 || now <= 0)
		return PERR_OK;
	err = drawn_load(c, &d);
	if (err != PERR_OK)
		return err;
	if (d.until != 0 && (uint64_t)now > d.until)
		days = (double)((uint64_t)now - d.until) / DAY_S;
	if (days > DECOYS_DAYS_MAX)
		days = DECOYS_DAYS_MAX;
	d.until = (uint64_t)now;
	d.due += decoys_draw(c->env.rng, mean, days);
	if (d.due > DECOYS_LARGEST)
		d.due = DECOYS_LARGEST;
	*due = d.due;
	err = kv_begin(c->kv);
	if (err == PERR_OK)
		err = drawn_save(c, &d);
	if (err == PERR_OK)
		err = kv_commit(c->kv);
	kv_abort(c->kv);
	return err;
}

/* inside a batch */
static enum perr pay(struct client *c, uint32_t due)
{
	struct drawn d;
	enum perr err;

	if (due == 0)
		return PERR_OK;
	err = drawn_load(c, &d);
	if (err != PERR_OK)
		return err;
	d.due = d.due > due ? d.due - due : 0;
	return drawn_save(c, &d);
}

/* ---- topping up ------------------------------------------------------------------------------ */

struct sealing {
	uint8_t *cells;
	size_t n, turn;
	const struct season *season;
	struct rng rng;
	enum perr err[64];
};

static void seal_some(void *arg, size_t at)
{
	struct sealing *s = arg;
	size_t i, end = (at + 1) * s->turn;

	for (i = at * s->turn; i < end && i < s->n && s->err[at] == PERR_OK; i++)
		s->err[at] = cell_seal_decoy(s->cells + i * CELL_SIZE, s->season, s->rng);
}

/* so many decoys in all */
static enum perr seal_up_to(struct client *c, struct decoys *d, size_t n)
{
	struct sealing s = { .rng = c->env.rng };
	uint8_t *more;
	size_t i, turns = sizeof s.err / sizeof s.err[0];

	if (n <= d->n)
		return PERR_OK;
	if (c->n_seasons == 0)
		return PERR_STATE;
	more = realloc(d->cells, n * CELL_SIZE);
	if (more == NULL)
		return PERR_NOMEM;
	d->cells = more;
	s.cells = more + d->n * CELL_SIZE;
	s.n = n - d->n;
	s.turn = (s.n + turns - 1) / turns;
	s.season = &c->seasons[c->n_seasons - 1];
	/* with several threads the randomness is the system's: no other is asked from them */
	if (c->env.parallel != NULL)
		c->env.parallel(c->env.ctx, turns, seal_some, &s);
	else
		for (i = 0; i < turns; i++)
			seal_some(&s, i);
	for (i = 0; i < turns; i++)
		if (s.err[i] != PERR_OK)
			return s.err[i];
	d->n = n;
	return PERR_OK;
}

static uint32_t missing(unsigned fresh, uint32_t due)
{
	uint32_t n = fresh + due < OUTBOX_GROUP_MAX ? fresh + due : OUTBOX_GROUP_MAX - 1;

	return decoys_size(n) - fresh;
}

enum perr decoys_make(struct client *c, struct decoys *d)
{
	unsigned fresh = 0;
	enum perr err;

	memset(d, 0, sizeof *d);
	if (c->field == NULL)
		return PERR_OK;
	err = fall_due(c, &d->due);
	if (err == PERR_OK)
		err = outbox_fresh(c, DECOYS_LARGEST, &fresh);
	return err == PERR_OK ? seal_up_to(c, d, missing(fresh, d->due)) : err;
}

enum perr decoys_mix(struct client *c, struct decoys *d)
{
	unsigned fresh;
	enum perr err;

	do {
		uint32_t n;

		err = outbox_fresh(c, DECOYS_LARGEST, &fresh);
		if (err != PERR_OK || fresh + d->due == 0)
			break;
		n = missing(fresh, d->due);
		err = seal_up_to(c, d, n);
		if (err != PERR_OK)
			break;
		err = kv_begin(c->kv);
		/* a queue longer than the largest upload is several: decoys are used once */
		if (err == PERR_OK)
			err = outbox_mix(c, DECOYS_LARGEST, n == 0 ? NULL
			                 : d->cells + (d->n - n) * CELL_SIZE, n);
		if (err == PERR_OK)
			err = pay(c, d->due);
		if (err == PERR_OK)
			err = kv_commit(c->kv);
		kv_abort(c->kv);
		d->n -= n;
		d->due = 0;
	} while (err == PERR_OK && fresh > 0);
	return err;
}

void decoys_free(struct decoys *d)
{
	free(d->cells);
	memset(d, 0, sizeof *d);
}
