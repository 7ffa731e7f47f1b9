/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "batch.h"

#include <sodium.h>

#include "cell.h"

#define BATCH_DOC_MAX 4096

static bool is_sound(const struct batch *b)
{
	if (b->n < 1 || b->n > BATCH_KEYS_MAX || b->period < 1 || b->period > BATCH_PERIOD_MAX)
		return false;
	/* a sender would find the mistake only after the family has gone */
	for (uint32_t i = 0; i < b->n; i++)
		if (cell_check_pk(b->keys[i]) != PERR_OK)
			return false;
	return true;
}

enum perr batch_make(struct batch *b, uint8_t (*sks)[32], const uint8_t owner[32],
                     uint32_t number, uint32_t first_day, uint32_t period, uint32_t n,
                     struct rng rng)
{
	memset(b, 0, sizeof *b);
	if (n < 1 || n > BATCH_KEYS_MAX || period < 1 || period > BATCH_PERIOD_MAX)
		return PERR_RANGE;
	memcpy(b->owner, owner, 32);
	b->number = number;
	b->first_day = first_day;
	b->period = period;
	b->n = n;
	for (uint32_t i = 0; i < n; i++) {
		rng_fill(rng, sks[i], 32);
		crypto_scalarmult_base(b->keys[i], sks[i]);
	}
	return PERR_OK;
}

/*
 * PROTOCOL 7.3: "`[1, owner bin32, number, first day, period in days 1..90, keys bin 32·n
 * (n 1..64)]`"
 */
static void put_batch(struct mp_writer *w, const void *what)
{
	const struct batch *b = what;

	mp_put_array(w, 6);
	mp_put_uint(w, 1);
	mp_put_bin(w, b->owner, 32);
	mp_put_uint(w, b->number);
	mp_put_uint(w, b->first_day);
	mp_put_uint(w, b->period);
	mp_put_bin(w, b->keys[0], 32 * (size_t)b->n);
}

enum perr batch_encode(uint8_t **out, size_t *out_len, const struct batch *b)
{
	*out = NULL;
	*out_len = 0;
	if (!is_sound(b))
		return PERR_RANGE;
	return doc_write(out, out_len, BATCH_DOC_MAX, put_batch, b);
}

enum perr batch_decode(struct batch *b, const uint8_t *in, size_t in_len)
{
	struct mp_reader r;
	struct doc_bytes keys;
	enum perr err;

	memset(b, 0, sizeof *b);
	mp_reader_init(&r, in, in_len);
	mp_array(&r, 6);
	if (mp_uint(&r, 1) != 1)
		mp_fail(&r, PERR_FORMAT);
	mp_bin_copy(&r, b->owner, 32);
	b->number = doc_get_uint(&r, UINT32_MAX);
	b->first_day = doc_get_uint(&r, UINT32_MAX);
	b->period = doc_get_uint(&r, BATCH_PERIOD_MAX);
	keys = doc_get_bytes(&r, 32, sizeof b->keys);
	err = mp_finish(&r);
	if (err == PERR_OK && keys.len % 32 != 0)
		err = PERR_FORMAT;
	if (err == PERR_OK) {
		b->n = (uint32_t)(keys.len / 32);
		memcpy(b->keys, keys.p, keys.len);
		if (!is_sound(b))
			err = PERR_FORMAT;
	}
	if (err != PERR_OK)
		memset(b, 0, sizeof *b);
	return err;
}

enum perr batch_sign(uint8_t **out, size_t *out_len, const struct batch *b,
                     const struct sign_key *k)
{
	struct signed_sigs sigs = { 0 };
	uint8_t *doc = NULL;
	size_t len = 0;
	enum perr err = PERR_KEY;

	*out = NULL;
	*out_len = 0;
	if (memcmp(k->id, b->owner, 32) != 0)
		return err;
	err = batch_encode(&doc, &len, b);
	if (err == PERR_OK)
		err = signed_add(&sigs, k, BATCH_CONTEXT, doc, len);
	if (err == PERR_OK)
		err = signed_pack(out, out_len, doc, len, &sigs);
	doc_free(doc, len);
	return err;
}

/* PROTOCOL 7.3: "one signature, the owner's" */
enum perr batch_open(struct batch *b, const uint8_t *in, size_t in_len)
{
	struct signed_sigs sigs;
	struct doc_bytes doc;
	enum perr err;

	memset(b, 0, sizeof *b);
	err = signed_view(&doc, &sigs, in, in_len);
	if (err == PERR_OK)
		err = batch_decode(b, doc.p, doc.len);
	if (err == PERR_OK && sigs.n != 1)
		err = PERR_SIGS;
	if (err == PERR_OK)
		err = signed_check(&sigs, 1, BATCH_CONTEXT, doc.p, doc.len,
		                   (const uint8_t (*)[32])b->owner, 1);
	if (err != PERR_OK)
		memset(b, 0, sizeof *b);
	return err;
}

/* ---- days -------------------------------------------------------------------------------- */

/* PROTOCOL 7.3: "The key of day d is `keys[min(max(0, (d − first) / period), n − 1)]`." */
uint32_t batch_index(const struct batch *b, uint32_t day)
{
	uint32_t i = day <= b->first_day ? 0 : (day - b->first_day) / b->period;

	return i < b->n ? i : b->n - 1;
}

const uint8_t *batch_key(const struct batch *b, uint32_t day)
{
	return b->keys[batch_index(b, day)];
}

/* the first day on which nobody with a right clock seals to key i any more */
static uint64_t end_of(const struct batch *b, uint32_t i)
{
	return (uint64_t)b->first_day + ((uint64_t)i + 1) * b->period;
}

uint32_t batch_n_dead(const struct batch *b, uint32_t scanned_day, uint32_t grace)
{
	uint32_t i = 0;

	while (i + 1 < b->n && end_of(b, i) + grace <= scanned_day)
		i++;
	return i;
}

void batch_in_use(const struct batch *b, uint32_t day, uint32_t grace, uint32_t *from,
                  uint32_t *to)
{
	uint32_t next = batch_index(b, day) + 2;

	*from = batch_n_dead(b, day, grace);
	*to = next < b->n ? next : b->n;
}

/*
 * PROTOCOL 7.3: "Of several batches of one owner the highest number counts; below the roster's
 * lowest number none."
 */
bool batch_supersedes(const struct batch *a, const struct batch *b, uint32_t lowest)
{
	if (a->number < lowest)
		return false;
	return b == NULL ||
	       (memcmp(a->owner, b->owner, 32) == 0 && a->number > b->number);
}
