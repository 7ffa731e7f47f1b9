/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "handout.h"

#include "bulletin.h"
#include "mp.h"

/* PROTOCOL 8.4: "`[1, signed header bin, slots bin, bodies array 3 of bin]`" */
static void put(struct mp_writer *w, const void *what)
{
	const struct handout *h = what;

	mp_put_array(w, 4);
	mp_put_uint(w, 1);
	mp_put_bin(w, h->header.p, h->header.len);
	mp_put_bin(w, h->slots.p, h->slots.len);
	mp_put_array(w, 3);
	for (int i = 0; i < 3; i++)
		mp_put_bin(w, h->bodies[i].p, h->bodies[i].len);
}

static bool fits(struct doc_bytes b)
{
	return b.len > 0 && b.len <= BULLETIN_PART_MAX;
}

enum perr handout_encode(uint8_t **out, size_t *out_len, const struct handout *h)
{
	size_t size = h->header.len + h->slots.len;

	*out = NULL;
	*out_len = 0;
	if (!fits(h->header) || !fits(h->slots))
		return PERR_RANGE;
	for (int i = 0; i < 3; i++) {
		if (!fits(h->bodies[i]))
			return PERR_RANGE;
		size += h->bodies[i].len;
	}
	return doc_write(out, out_len, size + 64, put, h);
}

static struct doc_bytes part(struct mp_reader *r)
{
	struct doc_bytes b;

	b.p = mp_bin_var(r, 1, BULLETIN_PART_MAX, &b.len);
	return b;
}

enum perr handout_decode(struct handout *h, const uint8_t *in, size_t in_len)
{
	struct mp_reader r;

	mp_reader_init(&r, in, in_len);
	mp_array(&r, 4);
	if (mp_uint(&r, UINT32_MAX) != 1)
		mp_fail(&r, PERR_FORMAT);
	h->header = part(&r);
	h->slots = part(&r);
	mp_array(&r, 3);
	for (int i = 0; i < 3; i++)
		h->bodies[i] = part(&r);
	return mp_finish(&r);
}
