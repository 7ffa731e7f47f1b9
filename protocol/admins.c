/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "admins.h"

/*
 * PROTOCOL 7.1: "`[1, index, threshold, key ids array 1..16 of bin32 (sorted), previous link
 * hash bin32]`"
 */
static void put_link(struct mp_writer *w, const void *what)
{
	const struct admins_link *l = what;

	mp_put_array(w, 5);
	mp_put_uint(w, 1);
	mp_put_uint(w, l->index);
	mp_put_uint(w, l->threshold);
	mp_put_array(w, l->n);
	for (uint32_t i = 0; i < l->n; i++)
		mp_put_bin(w, l->keys[i], 32);
	mp_put_bin(w, l->previous, 32);
}

static bool is_sound(const struct admins_link *l)
{
	/* PROTOCOL 7.1: "1 ≤ threshold ≤ n." */
	return l->n >= 1 && l->n <= ADMINS_MAX && l->threshold >= 1 && l->threshold <= l->n &&
	       l->index < ADMINS_CHAIN_MAX && doc_is_rising(l->keys, l->n) &&
	       (l->index == 0) == doc_is_zero(l->previous, sizeof l->previous);
}

enum perr admins_link_encode(uint8_t **out, size_t *out_len, const struct admins_link *l)
{
	*out = NULL;
	*out_len = 0;
	if (!is_sound(l))
		return PERR_RANGE;
	return doc_write(out, out_len, ADMINS_LINK_MAX, put_link, l);
}

enum perr admins_link_decode(struct admins_link *l, const uint8_t *in, size_t in_len)
{
	struct mp_reader r;
	enum perr err;

	memset(l, 0, sizeof *l);
	mp_reader_init(&r, in, in_len);
	mp_array(&r, 5);
	if (mp_uint(&r, 1) != 1)
		mp_fail(&r, PERR_FORMAT);
	l->index = doc_get_uint(&r, ADMINS_CHAIN_MAX - 1);
	l->threshold = doc_get_uint(&r, ADMINS_MAX);
	l->n = mp_array_var(&r, 1, ADMINS_MAX);
	for (uint32_t i = 0; i < l->n; i++)
		mp_bin_copy(&r, l->keys[i], 32);
	mp_bin_copy(&r, l->previous, 32);
	err = mp_finish(&r);
	if (err == PERR_OK && !is_sound(l))
		err = PERR_FORMAT;
	if (err != PERR_OK)
		memset(l, 0, sizeof *l);
	return err;
}

void admins_hash(uint8_t hash[32], const uint8_t *doc, size_t doc_len)
{
	doc_hash(hash, "amparo/1 admins hash", doc, doc_len);
}

static enum perr link_make(struct signed_doc *out, uint32_t index, const uint8_t *previous,
                           uint32_t threshold, const uint8_t (*keys)[32], uint32_t n)
{
	struct admins_link l = { .index = index, .threshold = threshold, .n = n };

	memset(out, 0, sizeof *out);
	if (n < 1 || n > ADMINS_MAX)
		return PERR_RANGE;
	memcpy(l.keys, keys, n * 32);
	doc_sort(l.keys, n);
	if (previous != NULL)
		memcpy(l.previous, previous, 32);
	return admins_link_encode(&out->bytes, &out->len, &l);
}

enum perr admins_genesis(struct signed_doc *out, uint32_t threshold, const uint8_t (*keys)[32],
                         uint32_t n)
{
	return link_make(out, 0, NULL, threshold, keys, n);
}

enum perr admins_next(struct signed_doc *out, const struct admins *now, uint32_t threshold,
                      const uint8_t (*keys)[32], uint32_t n)
{
	return link_make(out, now->n_links, now->hashes[now->n_links - 1], threshold, keys, n);
}

/* one link more, judged by the one before; a->n_links 0: it is link 0 */
static enum perr verify_link(struct admins *a, struct doc_bytes bytes)
{
	struct admins_link l;
	struct signed_sigs sigs;
	struct doc_bytes doc;
	enum perr err = signed_view(&doc, &sigs, bytes.p, bytes.len);

	if (err != PERR_OK)
		return err;
	err = admins_link_decode(&l, doc.p, doc.len);
	if (err != PERR_OK)
		return err;
	if (l.index != a->n_links)
		return PERR_CHAIN;
	if (l.index == 0) {
		/* PROTOCOL 7.1: "Link 0 has previous = zeros and is signed by all its keys" */
		err = signed_check(&sigs, l.n, ADMINS_CONTEXT, doc.p, doc.len, l.keys, l.n);
	} else {
		if (memcmp(l.previous, a->hashes[a->n_links - 1], 32) != 0)
			return PERR_CHAIN;
		/* by the old ones, or a stranger could follow them; by the new ones, or
		 * the organisation could be handed to keys that nobody has */
		err = signed_check(&sigs, a->last.threshold, ADMINS_CONTEXT, doc.p, doc.len,
		                   a->last.keys, a->last.n);
		if (err == PERR_OK)
			err = signed_check(&sigs, l.threshold, ADMINS_CONTEXT, doc.p, doc.len,
			                   l.keys, l.n);
	}
	if (err != PERR_OK)
		return err;
	admins_hash(a->hashes[a->n_links], doc.p, doc.len);
	a->n_links++;
	a->last = l;
	return PERR_OK;
}

enum perr admins_verify(struct admins *a, const struct doc_bytes *chain, size_t n)
{
	enum perr err = PERR_OK;

	memset(a, 0, sizeof *a);
	if (n < 1 || n > ADMINS_CHAIN_MAX)
		return PERR_FORMAT;
	for (size_t i = 0; i < n && err == PERR_OK; i++)
		err = verify_link(a, chain[i]);
	if (err == PERR_OK)
		memcpy(a->genesis, a->hashes[0], sizeof a->genesis);
	else
		memset(a, 0, sizeof *a);
	return err;
}

enum perr admins_continues(const struct admins *a, const uint8_t (*known)[32], size_t n_known)
{
	if (n_known < 1 || n_known > a->n_links)
		return PERR_CHAIN;
	return memcmp(a->hashes, known, n_known * 32) == 0 ? PERR_OK : PERR_CHAIN;
}

enum perr admins_check(const struct admins *a, const struct signed_sigs *sigs,
                       const char *context, const uint8_t *doc, size_t doc_len)
{
	return signed_check(sigs, a->last.threshold, context, doc, doc_len, a->last.keys,
	                    a->last.n);
}

bool admins_has(const struct admins *a, const uint8_t key[32])
{
	return doc_find(a->last.keys, a->last.n, key) < a->last.n;
}

/* ---- documents signed under a chain ------------------------------------------------------ */

enum perr admins_link_hash(uint8_t hash[32], struct doc_bytes link)
{
	struct signed_sigs sigs;
	struct doc_bytes doc;
	enum perr err = signed_view(&doc, &sigs, link.p, link.len);

	if (err == PERR_OK)
		admins_hash(hash, doc.p, doc.len);
	return err;
}

/* PROTOCOL 7.1: "`[document bin, sigs, chain array 1..64 of bin]`" */
static void put_doc(struct mp_writer *w, const void *what)
{
	const struct admins_doc *d = what;

	mp_put_array(w, 3);
	doc_put_bytes(w, d->doc);
	signed_put_sigs(w, &d->sigs);
	mp_put_array(w, d->n_chain);
	for (uint32_t i = 0; i < d->n_chain; i++)
		doc_put_bytes(w, d->chain[i]);
}

enum perr admins_pack(uint8_t **out, size_t *out_len, const struct admins_doc *d)
{
	*out = NULL;
	*out_len = 0;
	if (d->doc.len == 0 || d->sigs.n > SIGNED_SIGS_MAX || d->n_chain < 1 ||
	    d->n_chain > ADMINS_CHAIN_MAX)
		return PERR_RANGE;
	for (uint32_t i = 0; i < d->n_chain; i++)
		if (d->chain[i].len < 1 || d->chain[i].len > ADMINS_LINK_MAX)
			return PERR_RANGE;
	return doc_write(out, out_len, SIGNED_DOC_MAX, put_doc, d);
}

enum perr admins_view(struct admins_doc *d, const uint8_t *in, size_t in_len)
{
	struct mp_reader r;
	enum perr err;

	memset(d, 0, sizeof *d);
	if (in_len > SIGNED_DOC_MAX)
		return PERR_FORMAT;
	mp_reader_init(&r, in, in_len);
	mp_array(&r, 3);
	d->doc = doc_get_bytes(&r, 1, SIGNED_DOC_MAX);
	signed_get_sigs(&r, &d->sigs);
	d->n_chain = mp_array_var(&r, 1, ADMINS_CHAIN_MAX);
	for (uint32_t i = 0; i < d->n_chain; i++)
		d->chain[i] = doc_get_bytes(&r, 1, ADMINS_LINK_MAX);
	err = mp_finish(&r);
	if (err != PERR_OK)
		memset(d, 0, sizeof *d);
	return err;
}

enum perr admins_open(struct admins *a, const struct admins_doc *d, const uint8_t link[32],
                      const char *context)
{
	enum perr err = admins_verify(a, d->chain, d->n_chain);

	/* otherwise a shorter chain, of administrators who were replaced, could be put under it */
	if (err == PERR_OK && memcmp(a->hashes[a->n_links - 1], link, 32) != 0)
		err = PERR_CHAIN;
	if (err == PERR_OK)
		err = admins_check(a, &d->sigs, context, d->doc.p, d->doc.len);
	if (err != PERR_OK)
		memset(a, 0, sizeof *a);
	return err;
}
