/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "outbox.h"

#include <assert.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "doc.h"
#include "outbox_ack.h"
#include "roster.h"

#define STOP      PERR_EXISTS    /* ends a walk that has found enough */

static unsigned needed(const struct client *c)
{
	unsigned n;

	if (c->field == NULL)
		return 1;
	n = c->field->limits.copies;
	if (n > c->field->n_servers)
		n = c->field->n_servers;
	return n == 0 ? 1 : n;
}

static uint32_t n_listed(const struct client *c)
{
	return c->field == NULL ? 0 : c->field->n_servers;
}

/* only servers of the roster count: one that was dropped may be in other hands */
static unsigned copies_of(const struct client *c, const struct outbox_ack *a, uint32_t i)
{
	unsigned n = 0;
	uint32_t s;

	for (s = 0; s < n_listed(c); s++) {
		const uint8_t *bits = outbox_ack_bits(a, c->field->servers[s].pk);

		n += bits != NULL && outbox_bit(bits, i) ? 1 : 0;
	}
	return n;
}

/* ---- adding --------------------------------------------------------------------------------- */

enum perr outbox_last(struct client *c, uint32_t *group)
{
	uint8_t *value;
	size_t len;
	enum perr err = kv_get(c->kv, "outlast", &value, &len);

	*group = 0;
	if (err == PERR_OK) {
		if (len == 4)
			*group = doc_get_u32(value);
		else
			err = PERR_CORRUPT;
		kv_free(value);
	} else if (err == PERR_NOTFOUND) {
		err = PERR_OK;
	}
	return err;
}

static enum perr next_group(struct client *c, uint32_t *group)
{
	uint8_t buf[4];
	enum perr err = outbox_last(c, group);

	if (err != PERR_OK)
		return err;
	*group += 1;
	doc_u32(buf, *group);
	return kv_put(c->kv, "outlast", buf, sizeof buf);
}

enum perr outbox_level(struct client *c)
{
	static const uint8_t none[4];
	uint8_t *value;
	enum perr err = kv_get(c->kv, "outlast", &value, NULL);

	kv_free(value);
	return err == PERR_NOTFOUND ? kv_put(c->kv, "outlast", none, sizeof none) : err;
}

enum perr outbox_add(struct client *c, const uint8_t *cells, size_t n, uint32_t *group)
{
	char name[KV_NAME_MAX + 1];
	struct outbox_ack *a;
	enum perr err;
	uint32_t part;

	*group = 0;
	if (n == 0 || n >= OUTBOX_GROUP_MAX)
		return PERR_RANGE;
	a = calloc(1, sizeof *a);
	if (a == NULL)
		return PERR_NOMEM;
	a->n = (uint32_t)n;
	a->day = client_day(c);
	err = next_group(c, group);
	for (part = 0; err == PERR_OK && part < outbox_ack_parts(a); part++) {
		size_t at = (size_t)part * OUTBOX_PART;
		size_t some = n - at < OUTBOX_PART ? n - at : OUTBOX_PART;

		outbox_part_name(name, *group, part);
		err = kv_put(c->kv, name, cells + at * CELL_SIZE, some * CELL_SIZE);
	}
	if (err == PERR_OK)
		err = outbox_ack_save(c, *group, a);
	free(a);
	return err;
}

/* ---- reading -------------------------------------------------------------------------------- */

/* cells from..end that still wait */
static unsigned waits(const struct client *c, const struct outbox_ack *a, uint32_t from, uint32_t end)
{
	unsigned n = 0;
	uint32_t i;

	for (i = from; i < end; i++)
		n += !outbox_bit(a->gone, i / OUTBOX_PART) && copies_of(c, a, i) < needed(c) ? 1 : 0;
	return n;
}

static bool has_all(const uint8_t *bits, uint32_t from, uint32_t end)
{
	for (; from < end; from++)
		if (!outbox_bit(bits, from))
			return false;
	return true;
}

struct walk {
	struct client *c;
	struct outbox_ack *a;
	/* counts */
	struct outbox_counts *counts;
	/* next */
	const uint8_t *pk;
	uint64_t after;
	unsigned max;
	outbox_fn *fn;
	void *arg;
};

static enum perr count_one(void *arg, const char *name, const uint8_t *value, size_t len)
{
	struct walk *w = arg;
	struct outbox_ack *a = w->a;
	uint32_t s, i, from = 0;
	enum perr err = outbox_ack_decode(a, value, len);

	if (err != PERR_OK)
		return err;
	for (i = 0; i < a->n_spans; from = a->spans[i++].end) {
		unsigned n = waits(w->c, a, from, a->spans[i].end);
		bool one = false;

		if (n == 0)
			continue;
		for (s = 0; !one && s < n_listed(w->c); s++) {
			const uint8_t *bits = outbox_ack_bits(a, w->c->field->servers[s].pk);

			one = bits != NULL && has_all(bits, from, a->spans[i].end);
		}
		for (s = 0; s < n_listed(w->c); s++) {
			const uint8_t *bits = outbox_ack_bits(a, w->c->field->servers[s].pk);

			w->counts->lacks[s] += bits == NULL || !has_all(bits, from, a->spans[i].end);
		}
		if (w->counts->since == 0 || a->day < w->counts->since)
			w->counts->since = a->day;
		w->counts->saved += a->is_saved ? 1 : 0;
		w->counts->submissions++;
		w->counts->cells += n < a->spans[i].real ? n : a->spans[i].real;
		w->counts->on_one += one ? 1 : 0;
	}
	w->counts->to_send += waits(w->c, a, 0, a->n);
	return PERR_OK;
}

enum perr outbox_counts(struct client *c, struct outbox_counts *out)
{
	struct walk w = { .c = c, .counts = out, .a = malloc(sizeof(struct outbox_ack)) };
	enum perr err;

	memset(out, 0, sizeof *out);
	out->needed = needed(c);
	if (w.a == NULL)
		return PERR_NOMEM;
	err = kv_each(c->kv, OUTBOX_ACKS, count_one, &w);
	free(w.a);
	return err;
}

static enum perr next_part(struct walk *w, uint32_t group, uint32_t part, const uint8_t *bits)
{
	uint32_t i, first = part * OUTBOX_PART, some;
	char name[KV_NAME_MAX + 1];
	uint8_t *value = NULL;
	size_t len;
	enum perr err = PERR_OK;

	some = w->a->n - first < OUTBOX_PART ? w->a->n - first : OUTBOX_PART;
	for (i = 0; err == PERR_OK && i < some; i++) {
		uint64_t number = (uint64_t)group * OUTBOX_GROUP_MAX + first + i;

		if (number <= w->after || (bits != NULL && outbox_bit(bits, first + i)))
			continue;
		if (value == NULL) {
			outbox_part_name(name, group, part);
			err = kv_get(w->c->kv, name, &value, &len);
			if (err == PERR_NOTFOUND || (err == PERR_OK && len != some * CELL_SIZE))
				err = PERR_CORRUPT;
			if (err != PERR_OK)
				break;
		}
		err = w->fn(w->arg, number, value + (size_t)i * CELL_SIZE);
		if (err == PERR_OK && --w->max == 0)
			err = STOP;
	}
	kv_free(value);
	return err;
}

static enum perr next_one(void *arg, const char *name)
{
	struct walk *w = arg;
	uint32_t part, group = outbox_ack_group(name);
	const uint8_t *bits;
	enum perr err;

	if (group < w->after / OUTBOX_GROUP_MAX)
		return PERR_OK;
	err = outbox_ack_load(w->c, group, w->a);
	bits = err == PERR_OK ? outbox_ack_bits(w->a, w->pk) : NULL;
	for (part = 0; err == PERR_OK && part < outbox_ack_parts(w->a); part++)
		if (!outbox_bit(w->a->gone, part))
			err = next_part(w, group, part, bits);
	return err;
}

enum perr outbox_next(struct client *c, const uint8_t server_pk[32], uint64_t after,
                      unsigned max, outbox_fn *fn, void *arg)
{
	struct walk w = { .c = c, .pk = server_pk, .after = after, .max = max, .fn = fn,
	                  .arg = arg };
	enum perr err;

	if (max == 0)
		return PERR_OK;
	w.a = malloc(sizeof *w.a);
	if (w.a == NULL)
		return PERR_NOMEM;
	err = kv_each_name(c->kv, OUTBOX_ACKS, next_one, &w);
	free(w.a);
	return err == STOP ? PERR_OK : err;
}

/* ---- mixing --------------------------------------------------------------------------------- */

/* the fresh submissions that become one group */
struct fresh {
	struct client *c;
	struct outbox_ack *a;
	unsigned max, cells;
	uint32_t n, day;                 /* day: of the oldest */
	struct {
		uint32_t group, cells;
	} at[OUTBOX_MIX_MAX];
};

static enum perr fresh_one(void *arg, const char *name)
{
	struct fresh *f = arg;
	uint32_t group = outbox_ack_group(name);
	enum perr err = outbox_ack_load(f->c, group, f->a);

	if (err != PERR_OK)
		return err;
	/* what a server has a part of already goes on as it began */
	if (f->a->is_mixed || f->a->n_servers > 0)
		return PERR_OK;
	if (f->n > 0 && (f->cells + f->a->n > f->max || f->n == OUTBOX_MIX_MAX))
		return STOP;
	if (f->n == 0 || f->a->day < f->day)
		f->day = f->a->day;
	f->at[f->n].group = group;
	f->at[f->n++].cells = f->a->n;
	f->cells += f->a->n;
	return PERR_OK;
}

static enum perr fresh_new(struct fresh **out, struct client *c, unsigned max)
{
	struct fresh *f = calloc(1, sizeof *f);
	enum perr err = PERR_NOMEM;

	*out = f;
	if (f == NULL)
		return err;
	f->c = c;
	f->max = max;
	f->a = calloc(1, sizeof *f->a);
	if (f->a != NULL)
		err = kv_each_name(c->kv, OUTBOX_ACKS, fresh_one, f);
	return err == STOP ? PERR_OK : err;
}

static void fresh_free(struct fresh *f)
{
	if (f != NULL)
		free(f->a);
	free(f);
}

enum perr outbox_fresh(struct client *c, unsigned max, unsigned *n_cells)
{
	struct fresh *f;
	enum perr err = fresh_new(&f, c, max);

	*n_cells = err == PERR_OK ? f->cells : 0;
	fresh_free(f);
	return err;
}

/* the real cells, one after the other, and the parts of the new group, as they fill */
struct mixer {
	struct fresh *f;
	struct outbox_ack *a;                   /* of the new group */
	uint32_t group;
	uint8_t *out;                    /* OUTBOX_PART cells */
	uint32_t n_out, part;
	uint32_t src, src_at;            /* which submission, which of its cells is next */
	uint8_t *in;                     /* the part it is in */
	size_t in_len;
};

static enum perr out_one(struct mixer *m, const uint8_t *cell)
{
	char name[KV_NAME_MAX + 1];
	enum perr err = PERR_OK;

	memcpy(m->out + (size_t)(m->n_out % OUTBOX_PART) * CELL_SIZE, cell, CELL_SIZE);
	m->n_out++;
	if (m->n_out % OUTBOX_PART == 0 || m->n_out == m->a->n) {
		uint32_t n = m->n_out - m->part * OUTBOX_PART;

		outbox_part_name(name, m->group, m->part++);
		err = kv_put(m->f->c->kv, name, m->out, (size_t)n * CELL_SIZE);
	}
	return err;
}

/* the next real cell, in the order of adding; what was used up is erased */
static enum perr out_real(struct mixer *m)
{
	uint32_t group = m->f->at[m->src].group, n = m->f->at[m->src].cells;
	uint32_t part = m->src_at / OUTBOX_PART, at = m->src_at % OUTBOX_PART;
	char name[KV_NAME_MAX + 1];
	enum perr err = PERR_OK;

	outbox_part_name(name, group, part);
	if (at == 0)
		err = kv_get(m->f->c->kv, name, &m->in, &m->in_len);
	if (err == PERR_NOTFOUND || (err == PERR_OK && ((size_t)at + 1) * CELL_SIZE > m->in_len))
		err = PERR_CORRUPT;
	if (err == PERR_OK)
		err = out_one(m, m->in + (size_t)at * CELL_SIZE);
	m->src_at++;
	if (err == PERR_OK && (at + 1 == OUTBOX_PART || m->src_at == n)) {
		kv_free(m->in);
		m->in = NULL;
		err = kv_erase(m->f->c->kv, name);
	}
	if (err != PERR_OK || m->src_at < n)
		return err;
	m->a->spans[m->src] = (struct outbox_span){ m->n_out, n };
	m->src++;
	m->src_at = 0;
	outbox_ack_name(name, group);
	return kv_erase(m->f->c->kv, name);
}

static uint32_t below(struct client *c, uint32_t n)
{
	uint32_t r, limit = UINT32_MAX - UINT32_MAX % n;

	do
		rng_fill(c->env.rng, (uint8_t *)&r, sizeof r);
	while (r >= limit);
	return r % n;
}

enum perr outbox_mix(struct client *c, unsigned max, const uint8_t *decoys, size_t n_decoys)
{
	struct mixer m = { 0 };
	size_t i = 0;
	enum perr err = fresh_new(&m.f, c, max);

	if (err == PERR_OK && m.f->cells + n_decoys == 0)
		goto out;
	if (err == PERR_OK && (n_decoys >= OUTBOX_GROUP_MAX ||
	                       m.f->cells + n_decoys >= OUTBOX_GROUP_MAX))
		err = PERR_RANGE;
	if (err != PERR_OK)
		goto out;
	m.a = calloc(1, sizeof *m.a);
	m.out = malloc((size_t)OUTBOX_PART * CELL_SIZE);
	err = m.a == NULL || m.out == NULL ? PERR_NOMEM : next_group(c, &m.group);
	if (err != PERR_OK)
		goto out;
	m.a->is_mixed = true;
	m.a->n = m.f->cells + (uint32_t)n_decoys;
	m.a->n_spans = m.f->n;
	m.a->day = m.f->n > 0 ? m.f->day : client_day(c);
	/* so each choice of places for the decoys is equally likely */
	while (err == PERR_OK && m.n_out < m.a->n) {
		uint32_t left = m.a->n - m.n_out;

		if (below(c, left) < n_decoys - i)
			err = out_one(&m, decoys + i++ * CELL_SIZE);
		else
			err = out_real(&m);
	}
	if (err == PERR_OK)
		err = outbox_ack_save(c, m.group, m.a);
out:
	kv_free(m.in);
	free(m.out);
	free(m.a);
	fresh_free(m.f);
	return err;
}

/* ---- acknowledgements ----------------------------------------------------------------------- */

/* erase the parts that enough servers have, or the whole group; else keep the ack */
static enum perr settle_group(struct client *c, uint32_t group, struct outbox_ack *a)
{
	char name[KV_NAME_MAX + 1];
	enum perr err = PERR_OK;
	bool all = true;
	uint32_t part, i;

	for (part = 0; err == PERR_OK && part < outbox_ack_parts(a); part++) {
		bool done = true;

		if (outbox_bit(a->gone, part))
			continue;
		for (i = part * OUTBOX_PART; done && i < a->n && i < (part + 1) * OUTBOX_PART; i++)
			done = copies_of(c, a, i) >= needed(c);
		if (!done) {
			all = false;
			continue;
		}
		outbox_set_bit(a->gone, part);
		outbox_part_name(name, group, part);
		err = kv_erase(c->kv, name);
	}
	if (err != PERR_OK)
		return err;
	if (!all)
		return outbox_ack_save(c, group, a);
	outbox_ack_name(name, group);
	return kv_erase(c->kv, name);
}

static uint8_t *bits_for(const struct client *c, struct outbox_ack *a, const uint8_t pk[32])
{
	uint32_t i, s;

	for (i = 0; i < a->n_servers; i++)
		if (memcmp(a->at[i].pk, pk, 32) == 0)
			return a->at[i].bits;
	if (a->n_servers < OUTBOX_SERVERS) {
		i = a->n_servers++;
	} else {
		/* the place of a server that is in no roster any more: there is one */
		for (i = 0; i < OUTBOX_SERVERS - 1; i++) {
			bool known = false;

			for (s = 0; c->field != NULL && s < c->field->n_servers; s++)
				known |= memcmp(c->field->servers[s].pk, a->at[i].pk, 32) == 0;
			if (!known)
				break;
		}
	}
	memset(&a->at[i], 0, sizeof a->at[i]);
	memcpy(a->at[i].pk, pk, 32);
	return a->at[i].bits;
}

static unsigned n_whole(const struct outbox_ack *a, const uint8_t *bits)
{
	uint32_t i, from = 0;
	unsigned n = 0;

	for (i = 0; i < a->n_spans; from = a->spans[i++].end)
		n += has_all(bits, from, a->spans[i].end) ? 1 : 0;
	return n;
}

enum perr outbox_committed(struct client *c, const uint8_t server_pk[32],
                           const uint64_t *numbers, size_t n, unsigned *whole)
{
	unsigned before, n_now = 0;
	struct outbox_ack *a;
	enum perr err;
	size_t i = 0;

	if (whole != NULL)
		*whole = 0;
	if (n == 0)
		return PERR_OK;
	a = malloc(sizeof *a);
	if (a == NULL)
		return PERR_NOMEM;
	err = kv_begin(c->kv);
	while (err == PERR_OK && i < n) {
		uint64_t group = numbers[i] / OUTBOX_GROUP_MAX;
		uint8_t *bits;

		err = group > UINT32_MAX ? PERR_NOTFOUND : outbox_ack_load(c, (uint32_t)group, a);
		if (err == PERR_NOTFOUND) {
			err = PERR_OK;
			while (i < n && numbers[i] / OUTBOX_GROUP_MAX == group)
				i++;
			continue;
		}
		if (err != PERR_OK)
			break;
		bits = bits_for(c, a, server_pk);
		before = n_whole(a, bits);
		for (; i < n && numbers[i] / OUTBOX_GROUP_MAX == group; i++)
			if (numbers[i] % OUTBOX_GROUP_MAX < a->n)
				outbox_set_bit(bits, (uint32_t)(numbers[i] % OUTBOX_GROUP_MAX));
		n_now += n_whole(a, bits) - before;
		err = settle_group(c, (uint32_t)group, a);
	}
	if (err == PERR_OK)
		err = kv_commit(c->kv);
	kv_abort(c->kv);
	free(a);
	if (whole != NULL && err == PERR_OK)
		*whole = n_now;
	return err;
}

static enum perr tidy_one(void *arg, const char *name, const uint8_t *value, size_t len)
{
	struct walk *w = arg;
	struct outbox_ack *a = w->a;
	bool any = false;
	uint32_t part, i;
	enum perr err = outbox_ack_decode(a, value, len);

	if (err != PERR_OK)
		return err;
	for (part = 0; !any && part < outbox_ack_parts(a); part++) {
		any = !outbox_bit(a->gone, part);
		for (i = part * OUTBOX_PART; any && i < a->n && i < (part + 1) * OUTBOX_PART; i++)
			any = copies_of(w->c, a, i) >= needed(w->c);
	}
	return any ? settle_group(w->c, outbox_ack_group(name), a) : PERR_OK;
}

enum perr outbox_tidy(struct client *c)
{
	struct walk w = { .c = c, .a = malloc(sizeof(struct outbox_ack)) };
	enum perr err;

	if (w.a == NULL)
		return PERR_NOMEM;
	err = kv_begin(c->kv);
	if (err == PERR_OK)
		err = kv_each(c->kv, OUTBOX_ACKS, tidy_one, &w);
	if (err == PERR_OK)
		err = kv_commit(c->kv);
	kv_abort(c->kv);
	free(w.a);
	return err;
}

/* ---- in a file, too (outbox_file.h) --------------------------------------------------------- */

struct filed {
	struct client *c;
	struct outbox_ack *a;
	uint32_t last_group;
	bool all;
	unsigned cleared;
};

static enum perr save_one(void *arg, const char *name)
{
	struct filed *f = arg;
	uint32_t group = outbox_ack_group(name);
	enum perr err = outbox_ack_load(f->c, group, f->a);

	if (err != PERR_OK || f->a->is_saved || group > f->last_group)
		return err;
	f->a->is_saved = true;
	return outbox_ack_save(f->c, group, f->a);
}

static enum perr clear_one(void *arg, const char *name)
{
	struct filed *f = arg;
	uint32_t part, i, from = 0, group = outbox_ack_group(name);
	char part_of[KV_NAME_MAX + 1];
	enum perr err = outbox_ack_load(f->c, group, f->a);

	if (err != PERR_OK || (!f->a->is_saved && !f->all))
		return err;
	for (i = 0; i < f->a->n_spans; from = f->a->spans[i++].end)
		f->cleared += waits(f->c, f->a, from, f->a->spans[i].end) > 0 ? 1 : 0;
	for (part = 0; err == PERR_OK && part < outbox_ack_parts(f->a); part++) {
		outbox_part_name(part_of, group, part);
		if (!outbox_bit(f->a->gone, part))
			err = kv_erase(f->c->kv, part_of);
	}
	return err == PERR_OK ? kv_erase(f->c->kv, name) : err;
}

static enum perr each_in_a_batch(struct filed *f, kv_name_fn *fn)
{
	enum perr err = PERR_NOMEM;

	f->a = malloc(sizeof *f->a);
	if (f->a != NULL)
		err = kv_begin(f->c->kv);
	if (err == PERR_OK)
		err = kv_each_name(f->c->kv, OUTBOX_ACKS, fn, f);
	if (err == PERR_OK)
		err = kv_commit(f->c->kv);
	kv_abort(f->c->kv);
	free(f->a);
	return err;
}

enum perr outbox_saved(struct client *c, uint32_t last_group)
{
	struct filed f = { .c = c, .last_group = last_group };

	return each_in_a_batch(&f, save_one);
}

enum perr outbox_clear(struct client *c, bool unsaved_too, unsigned *cleared)
{
	struct filed f = { .c = c, .all = unsaved_too };
	enum perr err = each_in_a_batch(&f, clear_one);

	*cleared = err == PERR_OK ? f.cleared : 0;
	return err;
}
