/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "outbox_ack.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "doc.h"
#include "mp.h"

void outbox_ack_name(char name[KV_NAME_MAX + 1], uint32_t group)
{
	snprintf(name, KV_NAME_MAX + 1, OUTBOX_ACKS "%012u", group);
}

void outbox_part_name(char name[KV_NAME_MAX + 1], uint32_t group, uint32_t part)
{
	snprintf(name, KV_NAME_MAX + 1, "outbox/%012u.%04u", group, part);
}

uint32_t outbox_ack_parts(const struct outbox_ack *a)
{
	return (a->n + OUTBOX_PART - 1) / OUTBOX_PART;
}

enum perr outbox_ack_decode(struct outbox_ack *a, const uint8_t *in, size_t len)
{
	struct mp_reader r;
	const uint8_t *p;
	size_t bits;
	uint32_t i;

	memset(a, 0, sizeof *a);
	mp_reader_init(&r, in, len);
	a->is_mixed = mp_array_var(&r, 5, 6) == 6;
	a->n = (uint32_t)mp_uint(&r, OUTBOX_GROUP_MAX - 1);
	bits = (a->n + 7) / 8;
	p = mp_bin(&r, (outbox_ack_parts(a) + 7) / 8);
	if (p != NULL)
		memcpy(a->gone, p, (outbox_ack_parts(a) + 7) / 8);
	a->n_servers = mp_array_var(&r, 0, OUTBOX_SERVERS);
	for (i = 0; i < a->n_servers; i++) {
		mp_array(&r, 2);
		mp_bin_copy(&r, a->at[i].pk, 32);
		p = mp_bin(&r, bits);
		if (p != NULL)
			memcpy(a->at[i].bits, p, bits);
	}
	a->day = (uint32_t)mp_uint(&r, UINT32_MAX);
	a->is_saved = mp_bool(&r);
	a->n_spans = a->is_mixed ? mp_array_var(&r, 0, OUTBOX_MIX_MAX) : 1;
	a->spans[0] = (struct outbox_span){ a->n, a->n };
	for (i = 0; a->is_mixed && i < a->n_spans; i++) {
		mp_array(&r, 2);
		a->spans[i].end = (uint32_t)mp_uint(&r, a->n);
		a->spans[i].real = (uint32_t)mp_uint(&r, a->n);
	}
	return kv_decoded(mp_finish(&r));
}

static void ack_put(struct mp_writer *w, const void *what)
{
	const struct outbox_ack *a = what;
	uint32_t i;

	mp_put_array(w, a->is_mixed ? 6 : 5);
	mp_put_uint(w, a->n);
	mp_put_bin(w, a->gone, (outbox_ack_parts(a) + 7) / 8);
	mp_put_array(w, a->n_servers);
	for (i = 0; i < a->n_servers; i++) {
		mp_put_array(w, 2);
		mp_put_bin(w, a->at[i].pk, 32);
		mp_put_bin(w, a->at[i].bits, (a->n + 7) / 8);
	}
	mp_put_uint(w, a->day);
	mp_put_bool(w, a->is_saved);
	if (!a->is_mixed)
		return;
	mp_put_array(w, a->n_spans);
	for (i = 0; i < a->n_spans; i++) {
		mp_put_array(w, 2);
		mp_put_uint(w, a->spans[i].end);
		mp_put_uint(w, a->spans[i].real);
	}
}

enum perr outbox_ack_save(struct client *c, uint32_t group, const struct outbox_ack *a)
{
	char name[KV_NAME_MAX + 1];
	uint8_t *buf;
	size_t len;
	enum perr err = doc_write(&buf, &len, sizeof *a + 1024, ack_put, a);

	if (err != PERR_OK)
		return err;
	outbox_ack_name(name, group);
	err = kv_put(c->kv, name, buf, len);
	doc_free(buf, len);
	return err;
}

enum perr outbox_ack_load(struct client *c, uint32_t group, struct outbox_ack *a)
{
	char name[KV_NAME_MAX + 1];
	uint8_t *value;
	size_t len;
	enum perr err;

	outbox_ack_name(name, group);
	err = kv_get(c->kv, name, &value, &len);
	if (err != PERR_OK)
		return err;
	err = outbox_ack_decode(a, value, len);
	kv_free(value);
	return err;
}

const uint8_t *outbox_ack_bits(const struct outbox_ack *a, const uint8_t pk[32])
{
	uint32_t i;

	for (i = 0; i < a->n_servers; i++)
		if (memcmp(a->at[i].pk, pk, 32) == 0)
			return a->at[i].bits;
	return NULL;
}

uint32_t outbox_ack_group(const char *name)
{
	return (uint32_t)strtoul(name + strlen(OUTBOX_ACKS), NULL, 10);
}
