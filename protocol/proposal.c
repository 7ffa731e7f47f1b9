/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "proposal.h"

#include <sodium.h>
#include <stdlib.h>

#define TAG_SIZE     crypto_aead_chacha20poly1305_ietf_ABYTES
#define ORDER_MAX    4096
#define SHEET_MAX    3900
#define SEALED_MIN   4096
#define SLOTS_SIZE   (BULLETIN_SLOTS_MIN * BULLETIN_SLOT_SIZE)   /* administrators fit: 16 */
#define SLOT_VERSION 0               /* no bulletin has it: a slot of one cannot stand for the other */

/* one signature, of this key, under a signed document */
static enum perr sign_one(uint8_t **out, size_t *out_len, const uint8_t *doc, size_t len,
                          const char *context, const struct sign_key *key)
{
	struct signed_sigs sigs = { 0 };
	enum perr err = signed_add(&sigs, key, context, doc, len);

	return err == PERR_OK ? signed_pack(out, out_len, doc, len, &sigs) : err;
}

static enum perr check_one(const struct signed_sigs *sigs, const struct doc_bytes *doc,
                           const char *context, const uint8_t key[32])
{
	if (sigs->n != 1)
		return PERR_SIGS;
	return signed_check(sigs, 1, context, doc->p, doc->len, (const uint8_t (*)[32])key, 1);
}

/* ---- the proposal ------------------------------------------------------------------------ */

static bool is_sound(const struct proposal *p)
{
	if ((p->kind != PROPOSAL_CHANGES && p->kind != PROPOSAL_ORDERS) || p->revision < 1 ||
	    p->n_servers > PROPOSAL_SERVERS_MAX || p->n_changes > PROPOSAL_CHANGES_MAX ||
	    p->n_orders > PROPOSAL_SERVERS_MAX)
		return false;
	/* each is one thing, so that a signer is never shown half of it */
	if (p->kind == PROPOSAL_CHANGES)
		return p->n_changes > 0 && p->n_orders == 0 && p->version > 1;
	return p->n_changes == 0 && p->n_servers == 0 && p->n_orders > 0 && p->version == 0;
}

/*
 * PROTOCOL 7.5: "`[1, kind, proposer bin32, revision, base header hash bin32, version, day, seed
 * bin32, last, servers array 0..8 of [Noise key bin32, counter], changes array 0..1024 of bin,
 * orders array 0..8 of bin 1..4096]`"
 */
static void put_proposal(struct mp_writer *w, const void *what)
{
	const struct proposal *p = what;

	mp_put_array(w, 12);
	mp_put_uint(w, 1);
	mp_put_uint(w, p->kind);
	mp_put_bin(w, p->proposer, 32);
	mp_put_uint(w, p->revision);
	mp_put_bin(w, p->base, 32);
	mp_put_uint(w, p->version);
	mp_put_uint(w, p->day);
	mp_put_bin(w, p->seed, 32);
	mp_put_uint(w, p->last);
	mp_put_array(w, p->n_servers);
	for (uint32_t i = 0; i < p->n_servers; i++) {
		mp_put_array(w, 2);
		mp_put_bin(w, p->servers[i].pk, 32);
		mp_put_uint(w, p->servers[i].counter);
	}
	mp_put_array(w, p->n_changes);
	for (uint32_t i = 0; i < p->n_changes; i++)
		doc_put_bytes(w, p->changes[i]);
	mp_put_array(w, p->n_orders);
	for (uint32_t i = 0; i < p->n_orders; i++)
		doc_put_bytes(w, p->orders[i]);
}

enum perr proposal_encode(uint8_t **out, size_t *out_len, const struct proposal *p)
{
	*out = NULL;
	*out_len = 0;
	if (!is_sound(p))
		return PERR_RANGE;
	return doc_write(out, out_len, SIGNED_DOC_MAX, put_proposal, p);
}

enum perr proposal_decode(struct proposal *p, const uint8_t *in, size_t in_len)
{
	struct mp_reader r;
	enum perr err;

	memset(p, 0, sizeof *p);
	if (in_len > SIGNED_DOC_MAX)
		return PERR_FORMAT;
	mp_reader_init(&r, in, in_len);
	mp_array(&r, 12);
	if (mp_uint(&r, 1) != 1)
		mp_fail(&r, PERR_FORMAT);
	p->kind = (enum proposal_kind)doc_get_uint(&r, PROPOSAL_ORDERS);
	mp_bin_copy(&r, p->proposer, 32);
	p->revision = doc_get_uint(&r, UINT32_MAX);
	mp_bin_copy(&r, p->base, 32);
	p->version = doc_get_uint(&r, UINT32_MAX);
	p->day = doc_get_uint(&r, UINT32_MAX);
	mp_bin_copy(&r, p->seed, 32);
	p->last = doc_get_uint(&r, UINT32_MAX);
	p->n_servers = mp_array_var(&r, 0, PROPOSAL_SERVERS_MAX);
	for (uint32_t i = 0; i < p->n_servers; i++) {
		mp_array(&r, 2);
		mp_bin_copy(&r, p->servers[i].pk, 32);
		p->servers[i].counter = doc_get_uint(&r, UINT32_MAX);
	}
	p->n_changes = mp_array_var(&r, 0, PROPOSAL_CHANGES_MAX);
	for (uint32_t i = 0; i < p->n_changes; i++)
		p->changes[i] = doc_get_bytes(&r, 1, SIGNED_DOC_MAX);
	p->n_orders = mp_array_var(&r, 0, PROPOSAL_SERVERS_MAX);
	for (uint32_t i = 0; i < p->n_orders; i++)
		p->orders[i] = doc_get_bytes(&r, 1, ORDER_MAX);
	err = mp_finish(&r);
	if (err == PERR_OK && !is_sound(p))
		err = PERR_FORMAT;
	if (err != PERR_OK)
		memset(p, 0, sizeof *p);
	return err;
}

void proposal_hash(uint8_t hash[32], const uint8_t *doc, size_t doc_len)
{
	doc_hash(hash, "amparo/1 proposal hash", doc, doc_len);
}

enum perr proposal_sign(uint8_t **out, size_t *out_len, const struct proposal *p,
                        const struct sign_key *key)
{
	uint8_t *doc = NULL;
	size_t len = 0;
	enum perr err = proposal_encode(&doc, &len, p);

	*out = NULL;
	*out_len = 0;
	if (err == PERR_OK)
		err = sign_one(out, out_len, doc, len, PROPOSAL_CONTEXT, key);
	doc_free(doc, len);
	return err;
}

enum perr proposal_open(struct proposal *p, uint8_t hash[32], const uint8_t *in, size_t in_len)
{
	struct signed_sigs sigs;
	struct doc_bytes doc;
	enum perr err;

	memset(p, 0, sizeof *p);
	memset(hash, 0, 32);
	err = signed_view(&doc, &sigs, in, in_len);
	if (err == PERR_OK)
		err = proposal_decode(p, doc.p, doc.len);
	if (err == PERR_OK)
		err = check_one(&sigs, &doc, PROPOSAL_CONTEXT, p->proposer);
	if (err == PERR_OK)
		proposal_hash(hash, doc.p, doc.len);
	else
		memset(p, 0, sizeof *p);
	return err;
}

/* ---- sheets ------------------------------------------------------------------------------ */

/*
 * PROTOCOL 7.5: "`[1, signer bin32, hash bin32, signatures array 0..10 of bin64, policies array
 * 0..8 of [server Noise key bin32, counter, day, signature bin64]]`"
 */
static void put_sheet(struct mp_writer *w, const void *what)
{
	const struct proposal_sheet *s = what;

	mp_put_array(w, 5);
	mp_put_uint(w, 1);
	mp_put_bin(w, s->signer, 32);
	mp_put_bin(w, s->hash, 32);
	mp_put_array(w, s->n);
	for (uint32_t i = 0; i < s->n; i++)
		mp_put_bin(w, s->sigs[i], 64);
	mp_put_array(w, s->n_policies);
	for (uint32_t i = 0; i < s->n_policies; i++) {
		mp_put_array(w, 4);
		mp_put_bin(w, s->policies[i].server_pk, 32);
		mp_put_uint(w, s->policies[i].counter);
		mp_put_uint(w, s->policies[i].day);
		mp_put_bin(w, s->policies[i].sig, 64);
	}
}

enum perr proposal_sheet_sign(uint8_t **out, size_t *out_len, const struct proposal_sheet *s,
                              const struct sign_key *key)
{
	uint8_t *doc = NULL;
	size_t len = 0;
	enum perr err;

	*out = NULL;
	*out_len = 0;
	if (s->n > PROPOSAL_DOCS_MAX || s->n_policies > PROPOSAL_SERVERS_MAX)
		return PERR_RANGE;
	err = doc_write(&doc, &len, SHEET_MAX, put_sheet, s);
	if (err == PERR_OK)
		err = sign_one(out, out_len, doc, len, PROPOSAL_SHEET_CONTEXT, key);
	doc_free(doc, len);
	return err;
}

enum perr proposal_sheet_open(struct proposal_sheet *s, const uint8_t *in, size_t in_len)
{
	struct signed_sigs sigs;
	struct doc_bytes doc;
	struct mp_reader r;
	enum perr err = signed_view(&doc, &sigs, in, in_len);

	memset(s, 0, sizeof *s);
	if (err != PERR_OK)
		return err;
	mp_reader_init(&r, doc.p, doc.len);
	mp_array(&r, 5);
	if (mp_uint(&r, 1) != 1)
		mp_fail(&r, PERR_FORMAT);
	mp_bin_copy(&r, s->signer, 32);
	mp_bin_copy(&r, s->hash, 32);
	s->n = mp_array_var(&r, 0, PROPOSAL_DOCS_MAX);
	for (uint32_t i = 0; i < s->n; i++)
		mp_bin_copy(&r, s->sigs[i], 64);
	s->n_policies = mp_array_var(&r, 0, PROPOSAL_SERVERS_MAX);
	for (uint32_t i = 0; i < s->n_policies; i++) {
		mp_array(&r, 4);
		mp_bin_copy(&r, s->policies[i].server_pk, 32);
		s->policies[i].counter = doc_get_uint(&r, UINT32_MAX);
		s->policies[i].day = doc_get_uint(&r, UINT32_MAX);
		mp_bin_copy(&r, s->policies[i].sig, 64);
	}
	err = mp_finish(&r);
	if (err == PERR_OK)
		err = check_one(&sigs, &doc, PROPOSAL_SHEET_CONTEXT, s->signer);
	if (err != PERR_OK)
		memset(s, 0, sizeof *s);
	return err;
}

/* ---- bundles ----------------------------------------------------------------------------- */

/*
 * PROTOCOL 7.5: "`[signed proposal bin, sheets array 0..16 of bin, forms array 0..16 of [part
 * name bin32, content bin]]`"
 */
static void put_bundle(struct mp_writer *w, const void *what)
{
	const struct proposal_bundle *b = what;

	mp_put_array(w, 3);
	doc_put_bytes(w, b->proposal);
	mp_put_array(w, b->n_sheets);
	for (uint32_t i = 0; i < b->n_sheets; i++)
		doc_put_bytes(w, b->sheets[i]);
	mp_put_array(w, b->n_forms);
	for (uint32_t i = 0; i < b->n_forms; i++) {
		mp_put_array(w, 2);
		mp_put_bin(w, b->forms[i].part, 32);
		doc_put_bytes(w, b->forms[i].content);
	}
}

static enum perr get_bundle(struct proposal_bundle *b, const uint8_t *in, size_t in_len)
{
	struct mp_reader r;
	enum perr err;

	memset(b, 0, sizeof *b);
	mp_reader_init(&r, in, in_len);
	mp_array(&r, 3);
	b->proposal = doc_get_bytes(&r, 1, SIGNED_DOC_MAX);
	b->n_sheets = mp_array_var(&r, 0, PROPOSAL_SHEETS_MAX);
	for (uint32_t i = 0; i < b->n_sheets; i++)
		b->sheets[i] = doc_get_bytes(&r, 1, SHEET_MAX + 256);
	b->n_forms = mp_array_var(&r, 0, PROPOSAL_FORMS_MAX);
	for (uint32_t i = 0; i < b->n_forms; i++) {
		mp_array(&r, 2);
		mp_bin_copy(&r, b->forms[i].part, 32);
		b->forms[i].content = doc_get_bytes(&r, 1, BULLETIN_CONTENT_MAX);
	}
	err = mp_finish(&r);
	if (err != PERR_OK)
		memset(b, 0, sizeof *b);
	return err;
}

/* the slots are under the seal as well: what travels is one thing, changed nowhere */
static size_t seal_aad(uint8_t aad[64], const uint8_t *slots)
{
	static const char label[] = "amparo/1 proposal seal";
	const size_t n = sizeof label - 1;

	memcpy(aad, label, n);
	doc_hash(aad + n, "", slots, SLOTS_SIZE);
	return n + 32;
}

/* the key is fresh for each bundle, so the nonce need not differ */
static const uint8_t no_nonce[crypto_aead_chacha20poly1305_ietf_NPUBBYTES];

static size_t sealed_size(size_t len)
{
	size_t size = SEALED_MIN;

	while (size < len + 4 + TAG_SIZE)
		size *= 2;
	return size;
}

static enum perr seal_slots(uint8_t *to, const uint8_t key[32], const struct bulletin_slot *slots,
                            size_t n, struct rng rng)
{
	struct bulletin_slot own[ADMINS_MAX];
	uint8_t name[32], *part = NULL;
	size_t len = 0;
	enum perr err;

	for (size_t i = 0; i < n; i++) {
		own[i] = slots[i];
		memcpy(own[i].key, key, 32);
	}
	err = bulletin_slots_make(&part, &len, name, SLOT_VERSION, own, n, rng);
	if (err == PERR_OK)
		memcpy(to, part, SLOTS_SIZE);
	doc_free(part, len);
	sodium_memzero(own, sizeof own);
	return err;
}

/*
 * PROTOCOL 7.5: "slots as in 8.3 (16, with version 0, of a fresh key)", then
 * "`ChaCha20-Poly1305-IETF(key, nonce zeros, aad, u32 length ‖ bundle ‖ zeros)`"
 */
enum perr proposal_seal(uint8_t **out, size_t *out_len, const struct proposal_bundle *b,
                        const struct bulletin_slot *slots, size_t n, struct rng rng)
{
	uint8_t key[PROPOSAL_KEY_SIZE], aad[64], *plain = NULL, *to = NULL;
	size_t len = 0, size;
	enum perr err;

	*out = NULL;
	*out_len = 0;
	if (n < 1 || n > ADMINS_MAX || b->n_sheets > PROPOSAL_SHEETS_MAX ||
	    b->n_forms > PROPOSAL_FORMS_MAX || b->proposal.len == 0)
		return PERR_RANGE;
	err = doc_write(&plain, &len, PROPOSAL_SEALED_MAX - SEALED_MIN, put_bundle, b);
	if (err != PERR_OK)
		return err;
	size = sealed_size(len);
	if (size > PROPOSAL_SEALED_MAX) {
		err = PERR_RANGE;
		goto out;
	}
	to = calloc(1, SLOTS_SIZE + size);
	if (to == NULL) {
		err = PERR_NOMEM;
		goto out;
	}
	rng_fill(rng, key, sizeof key);
	err = seal_slots(to, key, slots, n, rng);
	if (err == PERR_OK) {
		doc_u32(to + SLOTS_SIZE, (uint32_t)len);
		memcpy(to + SLOTS_SIZE + 4, plain, len);
		crypto_aead_chacha20poly1305_ietf_encrypt(
			to + SLOTS_SIZE, NULL, to + SLOTS_SIZE, size - TAG_SIZE, aad,
			seal_aad(aad, to), NULL, no_nonce, key);
		*out = to;
		*out_len = SLOTS_SIZE + size;
		to = NULL;
	}
	sodium_memzero(key, sizeof key);
out:
	doc_free(to, SLOTS_SIZE + size);
	doc_free(plain, len);
	return err;
}

enum perr proposal_unseal(struct proposal_bundle *b, uint8_t **content, size_t *content_len,
                          const uint8_t *in, size_t in_len, const uint8_t slot_sk[32],
                          const uint8_t slot_secret[32])
{
	size_t size = in_len < SLOTS_SIZE ? 0 : in_len - SLOTS_SIZE, room, len;
	uint8_t key[PROPOSAL_KEY_SIZE], aad[64], *plain = NULL;
	enum perr err;

	memset(b, 0, sizeof *b);
	*content = NULL;
	*content_len = 0;
	if (size < SEALED_MIN || size > PROPOSAL_SEALED_MAX || (size & (size - 1)) != 0)
		return PERR_FORMAT;
	err = bulletin_slots_find(key, in, SLOTS_SIZE, SLOT_VERSION, slot_sk, slot_secret);
	if (err != PERR_OK)
		return err;
	room = size - TAG_SIZE;
	plain = malloc(room);
	if (plain == NULL)
		err = PERR_NOMEM;
	else if (crypto_aead_chacha20poly1305_ietf_decrypt(
			plain, NULL, NULL, in + SLOTS_SIZE, size, aad, seal_aad(aad, in),
			no_nonce, key) != 0)
		err = PERR_AUTH;
	sodium_memzero(key, sizeof key);
	if (err == PERR_OK) {
		len = doc_get_u32(plain);
		err = PERR_FORMAT;
		if (len <= room - 4 && sealed_size(len) == size &&
		    doc_is_zero(plain + 4 + len, room - 4 - len))
			err = get_bundle(b, plain + 4, len);
	}
	if (err == PERR_OK) {
		*content = plain;
		*content_len = room;
		plain = NULL;
	}
	doc_free(plain, room);
	return err;
}

/* ---- parts ------------------------------------------------------------------------------- */

static bool is_sound_part(const struct proposal_part *p)
{
	if ((p->kind != PROPOSAL_CHANGES && p->kind != PROPOSAL_ORDERS) || p->revision < 1 ||
	    p->of > PROPOSAL_PARTS_MAX || p->bytes.len > PROPOSAL_PART_MAX)
		return false;
	return p->of == 0 ? p->place == 0 && p->bytes.len == 0
	                  : p->place < p->of && p->bytes.len > 0;
}

/*
 * PROTOCOL 7.5: "`[1, proposer bin32, kind, revision, place, of 0..40, bytes bin 0..3600]`"
 */
static void put_one_part(struct mp_writer *w, const void *what)
{
	const struct proposal_part *p = what;

	mp_put_array(w, 7);
	mp_put_uint(w, 1);
	mp_put_bin(w, p->proposer, 32);
	mp_put_uint(w, p->kind);
	mp_put_uint(w, p->revision);
	mp_put_uint(w, p->place);
	mp_put_uint(w, p->of);
	mp_put_bin(w, p->bytes.len == 0 ? (const uint8_t *)"" : p->bytes.p, p->bytes.len);
}

enum perr proposal_part_sign(uint8_t **out, size_t *out_len, const struct proposal_part *p,
                             const struct sign_key *key)
{
	uint8_t *doc = NULL;
	size_t len = 0;
	enum perr err;

	*out = NULL;
	*out_len = 0;
	if (!is_sound_part(p))
		return PERR_RANGE;
	err = doc_write(&doc, &len, SHEET_MAX, put_one_part, p);
	if (err == PERR_OK)
		err = sign_one(out, out_len, doc, len, PROPOSAL_PART_CONTEXT, key);
	doc_free(doc, len);
	return err;
}

enum perr proposal_part_open(struct proposal_part *p, const uint8_t *in, size_t in_len)
{
	struct signed_sigs sigs;
	struct doc_bytes doc;
	struct mp_reader r;
	enum perr err = signed_view(&doc, &sigs, in, in_len);

	memset(p, 0, sizeof *p);
	if (err != PERR_OK)
		return err;
	mp_reader_init(&r, doc.p, doc.len);
	mp_array(&r, 7);
	if (mp_uint(&r, 1) != 1)
		mp_fail(&r, PERR_FORMAT);
	mp_bin_copy(&r, p->proposer, 32);
	p->kind = (enum proposal_kind)doc_get_uint(&r, PROPOSAL_ORDERS);
	p->revision = doc_get_uint(&r, UINT32_MAX);
	p->place = doc_get_uint(&r, PROPOSAL_PARTS_MAX);
	p->of = doc_get_uint(&r, PROPOSAL_PARTS_MAX);
	p->bytes = doc_get_bytes(&r, 0, PROPOSAL_PART_MAX);
	err = mp_finish(&r);
	if (err == PERR_OK && !is_sound_part(p))
		err = PERR_FORMAT;
	if (err == PERR_OK)
		err = check_one(&sigs, &doc, PROPOSAL_PART_CONTEXT, p->proposer);
	if (err != PERR_OK)
		memset(p, 0, sizeof *p);
	return err;
}
