/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "board.h"

#include <sodium.h>

static bool is_type(uint64_t type)
{
	return (type >= BOARD_BATCH && type <= BOARD_SHEET) || type == BOARD_PAPER;
}

enum perr board_encode(uint8_t payload[CELL_PAYLOAD_MAX], size_t *len,
                       const struct board_entry *e)
{
	struct mp_writer w;

	*len = 0;
	if (!is_type(e->type) || e->doc.len == 0)
		return PERR_RANGE;
	mp_writer_init(&w, payload, CELL_PAYLOAD_MAX);
	mp_put_array(&w, 2);
	mp_put_uint(&w, e->type);
	doc_put_bytes(&w, e->doc);
	return mp_written(&w, len);
}

/* PROTOCOL 7.3: "Payload: `[type, document bin]`" */
enum perr board_decode(struct board_entry *e, const uint8_t *payload, size_t len)
{
	struct mp_reader r;
	uint64_t type;
	enum perr err;

	memset(e, 0, sizeof *e);
	if (len > CELL_PAYLOAD_MAX)
		return PERR_FORMAT;
	mp_reader_init(&r, payload, len);
	mp_array(&r, 2);
	type = mp_uint(&r, UINT32_MAX);
	e->doc = doc_get_bytes(&r, 1, CELL_PAYLOAD_MAX);
	err = mp_finish(&r);
	if (err == PERR_OK && !is_type(type))
		err = PERR_UNKNOWN;
	if (err != PERR_OK)
		memset(e, 0, sizeof *e);
	else
		e->type = (enum board_type)type;
	return err;
}

void board_key(struct reader_key *key, const uint8_t sk[32])
{
	memcpy(key->sk, sk, 32);
	crypto_scalarmult_base(key->pk, sk);
}

/* ---- change of a signing key ------------------------------------------------------------- */

/* PROTOCOL 7.3: "`[1, old bin32, new bin32, number]`" */
static void put_rekey(struct mp_writer *w, const void *what)
{
	const struct board_rekey *rk = what;

	mp_put_array(w, 4);
	mp_put_uint(w, 1);
	mp_put_bin(w, rk->old_key, 32);
	mp_put_bin(w, rk->new_key, 32);
	mp_put_uint(w, rk->number);
}

static bool is_sound(const struct board_rekey *rk)
{
	return rk->number >= 1 && memcmp(rk->old_key, rk->new_key, 32) != 0;
}

enum perr board_rekey_encode(uint8_t **out, size_t *out_len, const struct board_rekey *rk)
{
	*out = NULL;
	*out_len = 0;
	if (!is_sound(rk))
		return PERR_RANGE;
	return doc_write(out, out_len, CELL_PAYLOAD_MAX, put_rekey, rk);
}

enum perr board_rekey_decode(struct board_rekey *rk, const uint8_t *in, size_t in_len)
{
	struct mp_reader r;
	enum perr err;

	memset(rk, 0, sizeof *rk);
	mp_reader_init(&r, in, in_len);
	mp_array(&r, 4);
	if (mp_uint(&r, 1) != 1)
		mp_fail(&r, PERR_FORMAT);
	mp_bin_copy(&r, rk->old_key, 32);
	mp_bin_copy(&r, rk->new_key, 32);
	rk->number = doc_get_uint(&r, UINT32_MAX);
	err = mp_finish(&r);
	if (err == PERR_OK && !is_sound(rk))
		err = PERR_FORMAT;
	if (err != PERR_OK)
		memset(rk, 0, sizeof *rk);
	return err;
}

enum perr board_rekey_sign(uint8_t **out, size_t *out_len, const struct board_rekey *rk,
                           const struct sign_key *old_key, const struct sign_key *new_key)
{
	struct signed_sigs sigs = { 0 };
	uint8_t *doc = NULL;
	size_t len = 0;
	enum perr err;

	*out = NULL;
	*out_len = 0;
	if (memcmp(rk->old_key, old_key->id, 32) != 0 ||
	    memcmp(rk->new_key, new_key->id, 32) != 0)
		return PERR_KEY;
	err = board_rekey_encode(&doc, &len, rk);
	if (err == PERR_OK)
		err = signed_add(&sigs, old_key, BOARD_REKEY_CONTEXT, doc, len);
	if (err == PERR_OK)
		err = signed_add(&sigs, new_key, BOARD_REKEY_CONTEXT, doc, len);
	if (err == PERR_OK)
		err = signed_pack(out, out_len, doc, len, &sigs);
	doc_free(doc, len);
	return err;
}

/* PROTOCOL 7.3: "signed by both" */
enum perr board_rekey_open(struct board_rekey *rk, const uint8_t *in, size_t in_len)
{
	struct signed_sigs sigs;
	struct doc_bytes doc;
	uint8_t both[2][32];
	enum perr err;

	memset(rk, 0, sizeof *rk);
	err = signed_view(&doc, &sigs, in, in_len);
	if (err == PERR_OK)
		err = board_rekey_decode(rk, doc.p, doc.len);
	if (err == PERR_OK) {
		memcpy(both[0], rk->old_key, 32);
		memcpy(both[1], rk->new_key, 32);
		err = signed_check(&sigs, 2, BOARD_REKEY_CONTEXT, doc.p, doc.len,
		                   (const uint8_t (*)[32])both, 2);
	}
	if (err != PERR_OK)
		memset(rk, 0, sizeof *rk);
	return err;
}
