/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "outbox.h"

#include <assert.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "doc.h"
#include "mp.h"
#include "roster.h"

#define ACKS      "outack/"
#define SERVERS   16             /* remembered for a group; a roster has 8 */
#define BITS_MAX  (OUTBOX_GROUP_MAX / 8)
#define PARTS_MAX (OUTBOX_GROUP_MAX / OUTBOX_PART)
#define STOP      PERR_EXISTS    /* ends a walk that has found enough */

/* which server has which cells of one group; bit set: it has committed that cell */
struct ack {
	uint32_t n;              /* cells */
	uint8_t gone[PARTS_MAX / 8];     /* parts already erased here */
	uint32_t n_servers;
	struct {
		uint8_t pk[32];
		uint8_t bits[BITS_MAX];
	} at[SERVERS];
};

static bool bit(const uint8_t *bits, uint32_t i)
{
	return (bits[i / 8] >> (i % 8) & 1) != 0;
}

static void set_bit(uint8_t *bits, uint32_t i)
{
	bits[i / 8] |= (uint8_t)(1u << (i % 8));
}

static void ack_name(char name[KV_NAME_MAX + 1], uint32_t group)
{
	snprintf(name, KV_NAME_MAX + 1, ACKS "%012u", group);
}

static void part_name(char name[KV_NAME_MAX + 1], uint32_t group, uint32_t part)
{
	snprintf(name, KV_NAME_MAX + 1, "outbox/%012u.%04u", group, part);
}

static uint32_t n_parts(const struct ack *a)
{
	return (a->n + OUTBOX_PART - 1) / OUTBOX_PART;
}

static enum perr ack_decode(struct ack *a, const uint8_t *in, size_t len)
{
	struct mp_reader r;
	const uint8_t *p;
	size_t bits;
	uint32_t i;

	memset(a, 0, sizeof *a);
	mp_reader_init(&r, in, len);
	mp_array(&r, 3);
	a->n = (uint32_t)mp_uint(&r, OUTBOX_GROUP_MAX - 1);
	bits = (a->n + 7) / 8;
	p = mp_bin(&r, (n_parts(a) + 7) / 8);
	if (p != NULL)
		memcpy(a->gone, p, (n_parts(a) + 7) / 8);
	a->n_servers = mp_array_var(&r, 0, SERVERS);
	for (i = 0; i < a->n_servers; i++) {
		mp_array(&r, 2);
		mp_bin_copy(&r, a->at[i].pk, 32);
		p = mp_bin(&r, bits);
		if (p != NULL)
			memcpy(a->at[i].bits, p, bits);
	}
	return mp_finish(&r) == PERR_OK ? PERR_OK : PERR_CORRUPT;
}

static void ack_put(struct mp_writer *w, const void *what)
{
	const struct ack *a = what;
	uint32_t i;

	mp_put_array(w, 3);
	mp_put_uint(w, a->n);
	mp_put_bin(w, a->gone, (n_parts(a) + 7) / 8);
	mp_put_array(w, a->n_servers);
	for (i = 0; i < a->n_servers; i++) {
		mp_put_array(w, 2);
		mp_put_bin(w, a->at[i].pk, 32);
		mp_put_bin(w, a->at[i].bits, (a->n + 7) / 8);
	}
}

static enum perr ack_save(struct client *c, uint32_t group, const struct ack *a)
{
	char name[KV_NAME_MAX + 1];
	uint8_t *buf;
	size_t len;
	enum perr err = doc_write(&buf, &len, sizeof *a + 1024, ack_put, a);

	if (err != PERR_OK)
		return err;
	ack_name(name, group);
	err = kv_put(c->kv, name, buf, len);
	doc_free(buf, len);
	return err;
}

static enum perr ack_load(struct client *c, uint32_t group, struct ack *a)
{
	char name[KV_NAME_MAX + 1];
	uint8_t *value;
	size_t len;
	enum perr err;

	ack_name(name, group);
	err = kv_get(c->kv, name, &value, &len);
	if (err != PERR_OK)
		return err;
	err = ack_decode(a, value, len);
	kv_free(value);
	return err;
}

static const uint8_t *bits_of(const struct ack *a, const uint8_t pk[32])
{
	uint32_t i;

	for (i = 0; i < a->n_servers; i++)
		if (memcmp(a->at[i].pk, pk, 32) == 0)
			return a->at[i].bits;
	return NULL;
}

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

/* only servers of the roster count: one that was dropped may be in other hands */
static unsigned copies_of(const struct client *c, const struct ack *a, uint32_t i)
{
	unsigned n = 0;
	uint32_t s;

	for (s = 0; c->field != NULL && s < c->field->n_servers; s++) {
		const uint8_t *bits = bits_of(a, c->field->servers[s].pk);

		n += bits != NULL && bit(bits, i) ? 1 : 0;
	}
	return n;
}

/* ---- adding --------------------------------------------------------------------------------- */

static enum perr next_group(struct client *c, uint32_t *group)
{
	uint8_t buf[4], *value;
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
	if (err != PERR_OK)
		return err;
	*group += 1;
	doc_u32(buf, *group);
	return kv_put(c->kv, "outlast", buf, sizeof buf);
}

enum perr outbox_add(struct client *c, const uint8_t *cells, size_t n, uint32_t *group)
{
	char name[KV_NAME_MAX + 1];
	struct ack *a;
	enum perr err;
	uint32_t part;

	*group = 0;
	if (n == 0 || n >= OUTBOX_GROUP_MAX)
		return PERR_RANGE;
	a = calloc(1, sizeof *a);
	if (a == NULL)
		return PERR_NOMEM;
	a->n = (uint32_t)n;
	err = next_group(c, group);
	for (part = 0; err == PERR_OK && part < n_parts(a); part++) {
		size_t at = (size_t)part * OUTBOX_PART;
		size_t some = n - at < OUTBOX_PART ? n - at : OUTBOX_PART;

		part_name(name, *group, part);
		err = kv_put(c->kv, name, cells + at * CELL_SIZE, some * CELL_SIZE);
	}
	if (err == PERR_OK)
		err = ack_save(c, *group, a);
	free(a);
	return err;
}

/* ---- reading -------------------------------------------------------------------------------- */

static unsigned waits(const struct client *c, const struct ack *a)
{
	unsigned n = 0;
	uint32_t i;

	for (i = 0; i < a->n; i++)
		n += !bit(a->gone, i / OUTBOX_PART) && copies_of(c, a, i) < needed(c) ? 1 : 0;
	return n;
}

enum perr outbox_group_waits(struct client *c, uint32_t group, unsigned *n)
{
	struct ack *a = malloc(sizeof *a);
	enum perr err;

	*n = 0;
	if (a == NULL)
		return PERR_NOMEM;
	err = ack_load(c, group, a);
	if (err == PERR_OK)
		*n = waits(c, a);
	else if (err == PERR_NOTFOUND)
		err = PERR_OK;
	free(a);
	return err;
}

struct walk {
	struct client *c;
	struct ack *a;
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
	struct ack *a = w->a;
	bool one = false;
	unsigned n;
	uint32_t s, i;
	enum perr err = ack_decode(a, value, len);

	if (err != PERR_OK)
		return err;
	n = waits(w->c, a);
	if (n == 0)
		return PERR_OK;
	for (s = 0; !one && s < a->n_servers; s++) {
		one = true;
		for (i = 0; one && i < a->n; i++)
			one = bit(a->at[s].bits, i);
	}
	w->counts->submissions++;
	w->counts->cells += n;
	w->counts->on_one += one ? 1 : 0;
	return PERR_OK;
}

enum perr outbox_counts(struct client *c, struct outbox_counts *out)
{
	struct walk w = { .c = c, .counts = out, .a = malloc(sizeof(struct ack)) };
	enum perr err;

	memset(out, 0, sizeof *out);
	out->needed = needed(c);
	if (w.a == NULL)
		return PERR_NOMEM;
	err = kv_each(c->kv, ACKS, count_one, &w);
	free(w.a);
	return err;
}

static uint32_t group_of(const char *name)
{
	return (uint32_t)strtoul(name + strlen(ACKS), NULL, 10);
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

		if (number <= w->after || (bits != NULL && bit(bits, first + i)))
			continue;
		if (value == NULL) {
			part_name(name, group, part);
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
	uint32_t part, group = group_of(name);
	const uint8_t *bits;
	enum perr err;

	if (group < w->after / OUTBOX_GROUP_MAX)
		return PERR_OK;
	err = ack_load(w->c, group, w->a);
	bits = err == PERR_OK ? bits_of(w->a, w->pk) : NULL;
	for (part = 0; err == PERR_OK && part < n_parts(w->a); part++)
		if (!bit(w->a->gone, part))
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
	err = kv_each_name(c->kv, ACKS, next_one, &w);
	free(w.a);
	return err == STOP ? PERR_OK : err;
}

/* ---- acknowledgements ----------------------------------------------------------------------- */

/* erase the parts that enough servers have, or the whole group; else keep the ack */
static enum perr settle_group(struct client *c, uint32_t group, struct ack *a)
{
	char name[KV_NAME_MAX + 1];
	enum perr err = PERR_OK;
	bool all = true;
	uint32_t part, i;

	for (part = 0; err == PERR_OK && part < n_parts(a); part++) {
		bool done = true;

		if (bit(a->gone, part))
			continue;
		for (i = part * OUTBOX_PART; done && i < a->n && i < (part + 1) * OUTBOX_PART; i++)
			done = copies_of(c, a, i) >= needed(c);
		if (!done) {
			all = false;
			continue;
		}
		set_bit(a->gone, part);
		part_name(name, group, part);
		err = kv_erase(c->kv, name);
	}
	if (err != PERR_OK)
		return err;
	if (!all)
		return ack_save(c, group, a);
	ack_name(name, group);
	return kv_erase(c->kv, name);
}

static uint8_t *bits_for(const struct client *c, struct ack *a, const uint8_t pk[32])
{
	uint32_t i, s;

	for (i = 0; i < a->n_servers; i++)
		if (memcmp(a->at[i].pk, pk, 32) == 0)
			return a->at[i].bits;
	if (a->n_servers < SERVERS) {
		i = a->n_servers++;
	} else {
		/* the place of a server that is in no roster any more: there is one */
		for (i = 0; i < SERVERS - 1; i++) {
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

enum perr outbox_committed(struct client *c, const uint8_t server_pk[32],
                           const uint64_t *numbers, size_t n)
{
	struct ack *a;
	enum perr err;
	size_t i = 0;

	if (n == 0)
		return PERR_OK;
	a = malloc(sizeof *a);
	if (a == NULL)
		return PERR_NOMEM;
	err = kv_begin(c->kv);
	while (err == PERR_OK && i < n) {
		uint64_t group = numbers[i] / OUTBOX_GROUP_MAX;
		uint8_t *bits;

		err = group > UINT32_MAX ? PERR_NOTFOUND : ack_load(c, (uint32_t)group, a);
		if (err == PERR_NOTFOUND) {
			err = PERR_OK;
			while (i < n && numbers[i] / OUTBOX_GROUP_MAX == group)
				i++;
			continue;
		}
		if (err != PERR_OK)
			break;
		bits = bits_for(c, a, server_pk);
		for (; i < n && numbers[i] / OUTBOX_GROUP_MAX == group; i++)
			if (numbers[i] % OUTBOX_GROUP_MAX < a->n)
				set_bit(bits, (uint32_t)(numbers[i] % OUTBOX_GROUP_MAX));
		err = settle_group(c, (uint32_t)group, a);
	}
	if (err == PERR_OK)
		err = kv_commit(c->kv);
	kv_abort(c->kv);
	free(a);
	return err;
}

static enum perr tidy_one(void *arg, const char *name, const uint8_t *value, size_t len)
{
	struct walk *w = arg;
	struct ack *a = w->a;
	bool any = false;
	uint32_t part, i;
	enum perr err = ack_decode(a, value, len);

	if (err != PERR_OK)
		return err;
	for (part = 0; !any && part < n_parts(a); part++) {
		any = !bit(a->gone, part);
		for (i = part * OUTBOX_PART; any && i < a->n && i < (part + 1) * OUTBOX_PART; i++)
			any = copies_of(w->c, a, i) >= needed(w->c);
	}
	return any ? settle_group(w->c, group_of(name), a) : PERR_OK;
}

enum perr outbox_tidy(struct client *c)
{
	struct walk w = { .c = c, .a = malloc(sizeof(struct ack)) };
	enum perr err;

	if (w.a == NULL)
		return PERR_NOMEM;
	err = kv_begin(c->kv);
	if (err == PERR_OK)
		err = kv_each(c->kv, ACKS, tidy_one, &w);
	if (err == PERR_OK)
		err = kv_commit(c->kv);
	kv_abort(c->kv);
	free(w.a);
	return err;
}
