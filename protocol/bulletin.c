/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "bulletin.h"

#include <sodium.h>
#include <stdlib.h>

#define TAG_SIZE  crypto_aead_chacha20poly1305_ietf_ABYTES
#define HEADER_MAX SIGNED_DOC_MAX

/* ---- sealed parts ------------------------------------------------------------------------ */

static bool is_power_of_two(size_t n)
{
	return n != 0 && (n & (n - 1)) == 0;
}

size_t bulletin_part_size(size_t content_len)
{
	size_t size = BULLETIN_PART_MIN;

	if (content_len > BULLETIN_CONTENT_MAX)
		return 0;
	while (size < content_len + 4 + TAG_SIZE)
		size *= 2;
	return size;
}

/* PROTOCOL 8.1: "A part's name is `H(sealed part)`." */
void bulletin_part_name(uint8_t name[32], const uint8_t *part, size_t part_len)
{
	doc_hash(name, "", part, part_len);
}

static size_t part_aad(uint8_t aad[32], enum bulletin_which which, uint32_t version)
{
	static const char label[] = "amparo/1 part";
	const size_t n = sizeof label - 1;

	memcpy(aad, label, n);
	aad[n] = (uint8_t)which;
	doc_u32(aad + n + 1, version);
	return n + 5;
}

/* the key is used once, so the nonce need not differ */
static const uint8_t no_nonce[crypto_aead_chacha20poly1305_ietf_NPUBBYTES];

enum perr bulletin_part_seal(uint8_t **out, size_t *out_len, uint8_t name[32],
                             const uint8_t key[32], enum bulletin_which which, uint32_t version,
                             const uint8_t *content, size_t content_len)
{
	size_t size = bulletin_part_size(content_len);
	uint8_t aad[32];
	uint8_t *part;

	*out = NULL;
	*out_len = 0;
	if (size == 0)
		return PERR_RANGE;
	part = calloc(1, size);
	if (part == NULL)
		return PERR_NOMEM;
	doc_u32(part, (uint32_t)content_len);
	if (content_len > 0)
		memcpy(part + 4, content, content_len);
	crypto_aead_chacha20poly1305_ietf_encrypt(part, NULL, part, size - TAG_SIZE, aad,
	                                          part_aad(aad, which, version), NULL, no_nonce,
	                                          key);
	bulletin_part_name(name, part, size);
	*out = part;
	*out_len = size;
	return PERR_OK;
}

enum perr bulletin_part_open(uint8_t **content, size_t *content_len, const uint8_t name[32],
                             const uint8_t key[32], enum bulletin_which which, uint32_t version,
                             const uint8_t *part, size_t part_len)
{
	uint8_t aad[32], real_name[32];
	uint8_t *plain;
	size_t room, len;
	enum perr err = PERR_FORMAT;

	*content = NULL;
	*content_len = 0;
	/*
	 * PROTOCOL 8.1: "a power of two of bytes, at least 4,096 and at most 1,048,576"
	 */
	if (part_len < BULLETIN_PART_MIN || part_len > BULLETIN_PART_MAX ||
	    !is_power_of_two(part_len))
		return PERR_FORMAT;
	bulletin_part_name(real_name, part, part_len);
	if (memcmp(real_name, name, sizeof real_name) != 0)
		return PERR_CORRUPT;
	room = part_len - TAG_SIZE;
	plain = malloc(room);
	if (plain == NULL)
		return PERR_NOMEM;
	if (crypto_aead_chacha20poly1305_ietf_decrypt(plain, NULL, NULL, part, part_len, aad,
	                                              part_aad(aad, which, version), no_nonce,
	                                              key) != 0) {
		err = PERR_AUTH;
		goto out;
	}
	len = doc_get_u32(plain);
	if (len > room - 4 || bulletin_part_size(len) != part_len ||
	    !doc_is_zero(plain + 4 + len, room - 4 - len))
		goto out;
	*content = malloc(len > 0 ? len : 1);
	if (*content == NULL) {
		err = PERR_NOMEM;
		goto out;
	}
	memcpy(*content, plain + 4, len);
	*content_len = len;
	err = PERR_OK;
out:
	doc_free(plain, room);
	return err;
}

/* ---- header ------------------------------------------------------------------------------ */

static void put_part(struct mp_writer *w, const struct bulletin_part *p)
{
	mp_put_array(w, 2);
	mp_put_bin(w, p->name, 32);
	mp_put_uint(w, p->size);
}

static void put_bulletin(struct mp_writer *w, const void *what)
{
	const struct bulletin *b = what;

	mp_put_array(w, 9);
	mp_put_uint(w, 1);
	mp_put_uint(w, b->version);
	mp_put_uint(w, b->day);
	mp_put_uint(w, b->last_day);
	mp_put_bin(w, b->previous, 32);
	mp_put_bin(w, b->link, 32);
	mp_put_array(w, 3);
	for (int i = 0; i < 3; i++) {
		mp_put_array(w, 3);
		mp_put_bin(w, b->bodies[i].part.name, 32);
		mp_put_uint(w, b->bodies[i].part.size);
		mp_put_bin(w, b->bodies[i].commitment, 32);
	}
	put_part(w, &b->slots);
	mp_put_array(w, b->n_forms);
	for (uint32_t i = 0; i < b->n_forms; i++)
		put_part(w, &b->forms[i]);
}

static bool is_part_size(uint32_t size)
{
	return size >= BULLETIN_PART_MIN && size <= BULLETIN_PART_MAX && is_power_of_two(size);
}

static bool is_slots_size(size_t size)
{
	return size % BULLETIN_SLOT_SIZE == 0 && size / BULLETIN_SLOT_SIZE >= BULLETIN_SLOTS_MIN &&
	       size / BULLETIN_SLOT_SIZE <= BULLETIN_SLOTS_MAX &&
	       is_power_of_two(size / BULLETIN_SLOT_SIZE);
}

static bool is_sound(const struct bulletin *b)
{
	/* PROTOCOL 8.2: "Version 1 has previous = zeros." */
	if (b->version < 1 || (b->version == 1) != doc_is_zero(b->previous, 32))
		return false;
	if (doc_is_zero(b->link, 32) || b->n_forms > BULLETIN_FORMS_MAX)
		return false;
	for (int i = 0; i < 3; i++)
		if (!is_part_size(b->bodies[i].part.size))
			return false;
	for (uint32_t i = 0; i < b->n_forms; i++)
		if (!is_part_size(b->forms[i].size) ||
		    (i > 0 && memcmp(b->forms[i - 1].name, b->forms[i].name, 32) >= 0))
			return false;
	return is_slots_size(b->slots.size);
}

enum perr bulletin_encode(uint8_t **out, size_t *out_len, const struct bulletin *b)
{
	*out = NULL;
	*out_len = 0;
	if (!is_sound(b))
		return PERR_RANGE;
	return doc_write(out, out_len, HEADER_MAX, put_bulletin, b);
}

static void get_part(struct mp_reader *r, struct bulletin_part *p)
{
	mp_array(r, 2);
	mp_bin_copy(r, p->name, 32);
	p->size = doc_get_uint(r, BULLETIN_PART_MAX);
}

/*
 * PROTOCOL 8.2: "`[1, version, day, last day, previous header hash bin32, last link hash
 * bin32, bodies array 3 of [name bin32, size, commitment bin32] (field, staff, admin), slots [name
 * bin32, size], forms array 0..64 of [name bin32, size] (sorted by name)]`"
 */
enum perr bulletin_decode(struct bulletin *b, const uint8_t *in, size_t in_len)
{
	struct mp_reader r;
	enum perr err;

	memset(b, 0, sizeof *b);
	if (in_len > HEADER_MAX)
		return PERR_FORMAT;
	mp_reader_init(&r, in, in_len);
	mp_array(&r, 9);
	if (mp_uint(&r, 1) != 1)
		mp_fail(&r, PERR_FORMAT);
	b->version = doc_get_uint(&r, UINT32_MAX);
	b->day = doc_get_uint(&r, UINT32_MAX);
	b->last_day = doc_get_uint(&r, UINT32_MAX);
	mp_bin_copy(&r, b->previous, 32);
	mp_bin_copy(&r, b->link, 32);
	mp_array(&r, 3);
	for (int i = 0; i < 3; i++) {
		mp_array(&r, 3);
		mp_bin_copy(&r, b->bodies[i].part.name, 32);
		b->bodies[i].part.size = doc_get_uint(&r, BULLETIN_PART_MAX);
		mp_bin_copy(&r, b->bodies[i].commitment, 32);
	}
	get_part(&r, &b->slots);
	b->n_forms = mp_array_var(&r, 0, BULLETIN_FORMS_MAX);
	for (uint32_t i = 0; i < b->n_forms; i++)
		get_part(&r, &b->forms[i]);
	err = mp_finish(&r);
	if (err == PERR_OK && !is_sound(b))
		err = PERR_FORMAT;
	if (err != PERR_OK)
		memset(b, 0, sizeof *b);
	return err;
}

void bulletin_hash(uint8_t hash[32], const uint8_t *doc, size_t doc_len)
{
	doc_hash(hash, "amparo/1 bulletin hash", doc, doc_len);
}

enum perr bulletin_pack(uint8_t **out, size_t *out_len, const struct bulletin *b,
                        const struct signed_sigs *sigs)
{
	struct admins_doc *d = calloc(1, sizeof *d);
	uint8_t *doc = NULL;
	size_t len = 0;
	enum perr err = d == NULL ? PERR_NOMEM : bulletin_encode(&doc, &len, b);

	*out = NULL;
	*out_len = 0;
	if (err == PERR_OK) {
		d->doc = doc_bytes_of(doc, len);
		d->sigs = *sigs;
		d->n_chain = b->n_chain;
		memcpy(d->chain, b->chain, sizeof d->chain);
		err = admins_pack(out, out_len, d);
	}
	doc_free(doc, len);
	free(d);
	return err;
}

enum perr bulletin_sign(uint8_t **out, size_t *out_len, const struct bulletin *b,
                        const struct sign_key *const *keys, size_t n_keys)
{
	struct bulletin *copy = malloc(sizeof *copy);
	struct signed_sigs sigs = { 0 };
	uint8_t *doc = NULL;
	size_t len = 0;
	enum perr err = copy == NULL ? PERR_NOMEM : PERR_OK;

	*out = NULL;
	*out_len = 0;
	if (err == PERR_OK && (b->n_chain < 1 || b->n_chain > ADMINS_CHAIN_MAX))
		err = PERR_RANGE;
	if (err == PERR_OK) {
		*copy = *b;
		err = admins_link_hash(copy->link, b->chain[b->n_chain - 1]);
	}
	if (err == PERR_OK)
		err = bulletin_encode(&doc, &len, copy);
	for (size_t i = 0; i < n_keys && err == PERR_OK; i++)
		err = signed_add(&sigs, keys[i], BULLETIN_CONTEXT, doc, len);
	if (err == PERR_OK)
		err = bulletin_pack(out, out_len, copy, &sigs);
	doc_free(doc, len);
	free(copy);
	return err;
}

enum perr bulletin_open(struct bulletin *b, struct admins *a, uint8_t hash[32],
                        const uint8_t *in, size_t in_len)
{
	struct admins_doc *d = malloc(sizeof *d);
	enum perr err = PERR_NOMEM;

	memset(b, 0, sizeof *b);
	memset(a, 0, sizeof *a);
	memset(hash, 0, 32);
	if (d != NULL)
		err = admins_view(d, in, in_len);
	if (err == PERR_OK)
		err = bulletin_decode(b, d->doc.p, d->doc.len);
	/* PROTOCOL 8.2: "Signed by the threshold of the last link of its chain." */
	if (err == PERR_OK)
		err = admins_open(a, d, b->link, BULLETIN_CONTEXT);
	if (err == PERR_OK) {
		b->n_chain = d->n_chain;
		memcpy(b->chain, d->chain, sizeof b->chain);
		bulletin_hash(hash, d->doc.p, d->doc.len);
	} else {
		memset(b, 0, sizeof *b);
	}
	free(d);
	return err;
}

/* ---- what is known ----------------------------------------------------------------------- */

void bulletin_known_begin(struct bulletin_known *k, const uint8_t genesis[32])
{
	memset(k, 0, sizeof *k);
	memcpy(k->links[0], genesis, 32);
	k->n_links = 1;
}

/*
 * PROTOCOL 8.2: "A client refuses a lower version than it knows, and reports a fork when the
 * version is the same and the hash is not. It accepts any later version whose chain starts with
 * its genesis hash and contains every link it knows."
 */
enum perr bulletin_accept(const struct bulletin_known *k, const struct bulletin *b,
                          const struct admins *a, const uint8_t hash[32])
{
	enum perr err = admins_continues(a, k->links, k->n_links);

	/* the organisation first: another one's version numbers mean nothing here.  A chain
	 * that is merely shorter belongs to an older header of the right one */
	if (err != PERR_OK && b->version < k->version &&
	    memcmp(a->genesis, k->links[0], 32) == 0)
		return PERR_OLD;
	if (err != PERR_OK)
		return err;
	if (b->version < k->version)
		return PERR_OLD;
	if (b->version == k->version && memcmp(hash, k->hash, 32) != 0)
		return PERR_FORK;
	return PERR_OK;
}

bool bulletin_breaks_history(const struct bulletin_known *k, const struct bulletin *b)
{
	return k->version > 0 && b->version == k->version + 1 &&
	       memcmp(b->previous, k->hash, 32) != 0;
}

void bulletin_known_set(struct bulletin_known *k, const struct bulletin *b,
                        const struct admins *a, const uint8_t hash[32])
{
	k->version = b->version;
	memcpy(k->hash, hash, 32);
	k->n_links = a->n_links;
	memcpy(k->links, a->hashes, sizeof k->links);
}

/* ---- levels ------------------------------------------------------------------------------ */

static bool fits(const struct bulletin *b, enum bulletin_which which, const uint8_t key[32])
{
	uint8_t commit[32];

	roster_commit(commit, key);
	return memcmp(commit, b->bodies[which].commitment, 32) == 0;
}

/* PROTOCOL 8.3: "the reader learns which by the commitments" */
enum perr bulletin_level(enum bulletin_which *which, struct roster_keys *keys,
                         const struct bulletin *b, const uint8_t key[32])
{
	memset(keys, 0, sizeof *keys);
	if (fits(b, BULLETIN_ADMIN, key)) {
		*which = BULLETIN_ADMIN;
		roster_keys_from_admin(keys, key);
	} else if (fits(b, BULLETIN_STAFF, key)) {
		*which = BULLETIN_STAFF;
		roster_keys_from_staff(keys, key);
	} else if (fits(b, BULLETIN_FIELD, key)) {
		*which = BULLETIN_FIELD;
		roster_keys_from_field(keys, key);
	} else {
		return PERR_UNKNOWN;
	}
	/* otherwise two levels could be shown two different rosters */
	if ((keys->has_staff && !fits(b, BULLETIN_STAFF, keys->staff)) ||
	    !fits(b, BULLETIN_FIELD, keys->field)) {
		roster_keys_wipe(keys);
		return PERR_CHAIN;
	}
	return PERR_OK;
}
