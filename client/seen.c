/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "seen.h"

#include <stdlib.h>
#include <string.h>

#include "mp.h"

#define RECORD_MAX 320
#define DIGESTS    "segdone"

enum perr seen_load(struct client *c, const uint8_t server_pk[32], struct seen *s)
{
	struct mp_reader r;
	char name[96];
	uint8_t *value;
	size_t len;
	enum perr err;

	memset(s, 0, sizeof *s);
	client_key_name(name, "server/", server_pk, 32);
	err = kv_get(c->kv, name, &value, &len);
	if (err != PERR_OK)
		return err == PERR_NOTFOUND ? PERR_OK : err;
	mp_reader_init(&r, value, len);
	mp_array(&r, 13);
	s->day = (uint32_t)mp_uint(&r, UINT32_MAX);
	s->release = (uint32_t)mp_uint(&r, UINT32_MAX);
	s->scanned_through = (uint32_t)mp_uint(&r, UINT32_MAX);
	s->top_day = (uint32_t)mp_uint(&r, UINT32_MAX);
	s->top_release = (uint32_t)mp_uint(&r, UINT32_MAX);
	mp_bin_copy(&r, s->board_digest, 32);
	mp_bin_copy(&r, s->board_header, 32);
	s->rescan_day = (uint32_t)mp_uint(&r, UINT32_MAX);
	s->failures = (uint32_t)mp_uint(&r, UINT32_MAX);
	s->bytes_per_s = (uint32_t)mp_uint(&r, UINT32_MAX);
	s->n_seasons = mp_array_var(&r, 0, ROSTER_SEASONS_MAX);
	for (uint32_t i = 0; i < s->n_seasons; i++)
		s->seasons[i] = (uint32_t)mp_uint(&r, UINT32_MAX);
	s->version = (uint32_t)mp_uint(&r, UINT32_MAX);
	s->unplaced = mp_bool(&r);
	err = kv_decoded(mp_finish(&r));
	kv_free(value);
	return err;
}

enum perr seen_save(struct client *c, const uint8_t server_pk[32], const struct seen *s)
{
	uint8_t buf[RECORD_MAX];
	struct mp_writer w;
	char name[96];
	size_t len;
	enum perr err;

	mp_writer_init(&w, buf, sizeof buf);
	mp_put_array(&w, 13);
	mp_put_uint(&w, s->day);
	mp_put_uint(&w, s->release);
	mp_put_uint(&w, s->scanned_through);
	mp_put_uint(&w, s->top_day);
	mp_put_uint(&w, s->top_release);
	mp_put_bin(&w, s->board_digest, 32);
	mp_put_bin(&w, s->board_header, 32);
	mp_put_uint(&w, s->rescan_day);
	mp_put_uint(&w, s->failures);
	mp_put_uint(&w, s->bytes_per_s);
	mp_put_array(&w, s->n_seasons);
	for (uint32_t i = 0; i < s->n_seasons; i++)
		mp_put_uint(&w, s->seasons[i]);
	mp_put_uint(&w, s->version);
	mp_put_bool(&w, s->unplaced);
	err = mp_written(&w, &len);
	if (err != PERR_OK)
		return err;
	client_key_name(name, "server/", server_pk, 32);
	return kv_put(c->kv, name, buf, len);
}

enum perr seen_digests_load(struct client *c, struct seen_digests *d)
{
	uint8_t *value;
	size_t len;
	enum perr err = kv_get(c->kv, DIGESTS, &value, &len);

	d->n = 0;
	if (err != PERR_OK)
		return err == PERR_NOTFOUND ? PERR_OK : err;
	if (len % 32 != 0 || len > sizeof d->at) {
		kv_free(value);
		return PERR_CORRUPT;
	}
	memcpy(d->at, value, len);
	d->n = (uint32_t)(len / 32);
	kv_free(value);
	return PERR_OK;
}

enum perr seen_digests_save(struct client *c, const struct seen_digests *d)
{
	return kv_put(c->kv, DIGESTS, d->at[0], (size_t)d->n * 32);
}

bool seen_digests_has(const struct seen_digests *d, const uint8_t digest[32])
{
	uint32_t i;

	for (i = 0; i < d->n; i++)
		if (memcmp(d->at[i], digest, 32) == 0)
			return true;
	return false;
}

void seen_digests_add(struct seen_digests *d, const uint8_t digest[32])
{
	if (seen_digests_has(d, digest))
		return;
	if (d->n == SEEN_DIGESTS) {
		memmove(d->at[0], d->at[1], (SEEN_DIGESTS - 1) * sizeof d->at[0]);
		d->n--;
	}
	memcpy(d->at[d->n++], digest, 32);
}
