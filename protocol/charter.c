/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "charter.h"

#include <sodium.h>
#include <stdlib.h>

/* ---- the document ------------------------------------------------------------------------ */

/*
 * PROTOCOL 7.2: "`[1, version, name str 1..64, organisation str 1..64, threshold, holders
 * array 1..16 of bin32 (sorted), previous hash bin32, paper array 0..1 of bin32]`"
 */
static void put_charter(struct mp_writer *w, const void *what)
{
	const struct charter *c = what;

	mp_put_array(w, 8);
	mp_put_uint(w, 1);
	mp_put_uint(w, c->version);
	mp_put_str(w, c->name);
	mp_put_str(w, c->organisation);
	mp_put_uint(w, c->threshold);
	mp_put_array(w, c->n);
	for (uint32_t i = 0; i < c->n; i++)
		mp_put_bin(w, c->holders[i], 32);
	mp_put_bin(w, c->previous, 32);
	mp_put_array(w, c->has_paper ? 1 : 0);
	if (c->has_paper)
		mp_put_bin(w, c->paper, 32);
}

bool charter_is_paper(const struct charter *c, const uint8_t key[32])
{
	return c->has_paper && memcmp(c->paper, key, 32) == 0;
}

uint32_t charter_living(const struct charter *c)
{
	return c->n - (c->has_paper ? 1 : 0);
}

uint32_t charter_living_keys(const struct charter *c, uint8_t keys[CHARTER_HOLDERS_MAX][32])
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < c->n; i++)
		if (!charter_is_paper(c, c->holders[i]))
			memcpy(keys[n++], c->holders[i], 32);
	return n;
}

uint32_t charter_threshold_max(uint32_t living)
{
	return living <= 1 ? living : living - 1;
}

static bool is_sound(const struct charter *c)
{
	if (c->n < 1 || c->n > CHARTER_HOLDERS_MAX || c->version >= CHARTER_CHAIN_MAX ||
	    c->name[0] == '\0' || c->organisation[0] == '\0' || c->threshold < 1)
		return false;
	if (c->has_paper ? !charter_has_holder(c, c->paper)
	                 : !doc_is_zero(c->paper, sizeof c->paper))
		return false;
	/* one holder who is ill or taken must not be able to freeze a desk, and paper signs
	 * nothing in a desk's daily life.
	 * PROTOCOL 7.2: "The threshold is below the number of living holders, or 1 of 1." */
	if (c->threshold > charter_threshold_max(charter_living(c)))
		return false;
	return doc_is_rising(c->holders, c->n) &&
	       (c->version == 0) == doc_is_zero(c->previous, sizeof c->previous);
}

enum perr charter_encode(uint8_t **out, size_t *out_len, const struct charter *c)
{
	*out = NULL;
	*out_len = 0;
	if (!is_sound(c))
		return PERR_RANGE;
	return doc_write(out, out_len, CHARTER_DOC_MAX, put_charter, c);
}

enum perr charter_decode(struct charter *c, const uint8_t *in, size_t in_len)
{
	struct mp_reader r;
	enum perr err;

	memset(c, 0, sizeof *c);
	mp_reader_init(&r, in, in_len);
	mp_array(&r, 8);
	if (mp_uint(&r, 1) != 1)
		mp_fail(&r, PERR_FORMAT);
	c->version = doc_get_uint(&r, CHARTER_CHAIN_MAX - 1);
	mp_str_copy(&r, c->name, sizeof c->name, 1);
	mp_str_copy(&r, c->organisation, sizeof c->organisation, 1);
	c->threshold = doc_get_uint(&r, CHARTER_HOLDERS_MAX);
	c->n = mp_array_var(&r, 1, CHARTER_HOLDERS_MAX);
	for (uint32_t i = 0; i < c->n; i++)
		mp_bin_copy(&r, c->holders[i], 32);
	mp_bin_copy(&r, c->previous, 32);
	c->has_paper = mp_array_var(&r, 0, 1) == 1;
	if (c->has_paper)
		mp_bin_copy(&r, c->paper, 32);
	err = mp_finish(&r);
	if (err == PERR_OK && !is_sound(c))
		err = PERR_FORMAT;
	if (err != PERR_OK)
		memset(c, 0, sizeof *c);
	return err;
}

void charter_hash(uint8_t hash[32], const uint8_t *doc, size_t doc_len)
{
	doc_hash(hash, "amparo/1 charter hash", doc, doc_len);
}

bool charter_has_holder(const struct charter *c, const uint8_t key[32])
{
	return doc_find(c->holders, c->n, key) < c->n;
}

/* ---- signed ------------------------------------------------------------------------------ */

static bool copy_name(char out[CHARTER_NAME_MAX + 1], const char *name)
{
	size_t len = strlen(name);

	if (len < 1 || len > CHARTER_NAME_MAX)
		return false;
	memcpy(out, name, len + 1);
	return true;
}

enum perr charter_make_paper(struct charter_signed *out, const char *name,
                             const char *organisation, uint32_t threshold,
                             const uint8_t (*holders)[32], uint32_t n, const uint8_t paper[32],
                             const struct charter_signed *previous)
{
	struct charter *c = &out->body;
	enum perr err = PERR_RANGE;

	memset(out, 0, sizeof *out);
	if (n < 1 || n > CHARTER_HOLDERS_MAX || !copy_name(c->name, name) ||
	    !copy_name(c->organisation, organisation))
		goto out;
	c->threshold = threshold;
	c->n = n;
	memcpy(c->holders, holders, n * 32);
	doc_sort(c->holders, n);
	c->has_paper = paper != NULL;
	if (paper != NULL)
		memcpy(c->paper, paper, 32);
	if (previous != NULL) {
		c->version = previous->body.version + 1;
		memcpy(c->previous, previous->hash, 32);
	}
	err = charter_encode(&out->doc, &out->doc_len, c);
	if (err == PERR_OK)
		charter_hash(out->hash, out->doc, out->doc_len);
out:
	if (err != PERR_OK)
		charter_signed_free(out);
	return err;
}

enum perr charter_make(struct charter_signed *out, const char *name, const char *organisation,
                       uint32_t threshold, const uint8_t (*holders)[32], uint32_t n,
                       const struct charter_signed *previous)
{
	const uint8_t *paper = NULL;

	if (previous != NULL && previous->body.has_paper && n <= CHARTER_HOLDERS_MAX)
		for (uint32_t i = 0; i < n; i++)
			if (memcmp(holders[i], previous->body.paper, 32) == 0)
				paper = previous->body.paper;
	return charter_make_paper(out, name, organisation, threshold, holders, n, paper, previous);
}

enum perr charter_sign(struct charter_signed *c, const struct sign_key *k)
{
	return signed_add(&c->sigs, k, CHARTER_CONTEXT, c->doc, c->doc_len);
}

/* the entry of this desk, made if it is missing; NULL with *err */
static struct charter_counter *counter_of(struct charter_signed *c, const uint8_t desk[32],
                                          enum perr *err)
{
	struct charter_counter *more;
	uint32_t i = 0;

	while (i < c->n_counter && memcmp(c->counter[i].desk, desk, 32) < 0)
		i++;
	if (i < c->n_counter && memcmp(c->counter[i].desk, desk, 32) == 0)
		return &c->counter[i];
	*err = PERR_LIMIT;
	if (c->n_counter == CHARTER_COUNTER_MAX)
		return NULL;
	*err = PERR_NOMEM;
	more = realloc(c->counter, (c->n_counter + 1) * sizeof *more);
	if (more == NULL)
		return NULL;
	c->counter = more;
	memmove(&more[i + 1], &more[i], (c->n_counter - i) * sizeof *more);
	c->n_counter++;
	memset(&more[i], 0, sizeof more[i]);
	memcpy(more[i].desk, desk, 32);
	return &more[i];
}

/* what a countersignature is over.  PROTOCOL 7.2: "`countersigning desk id ‖ document`" */
size_t charter_counter_text(uint8_t text[CHARTER_COUNTER_TEXT_MAX], const uint8_t desk[32],
                            const struct charter_signed *c)
{
	memcpy(text, desk, 32);
	memcpy(text + 32, c->doc, c->doc_len);
	return 32 + c->doc_len;
}

enum perr charter_countersign(struct charter_signed *c, const uint8_t desk[32],
                              const struct sign_key *k)
{
	enum perr err = PERR_OK;
	struct charter_counter *entry = counter_of(c, desk, &err);
	uint8_t text[CHARTER_COUNTER_TEXT_MAX];
	size_t len;

	if (entry == NULL)
		return err;
	len = charter_counter_text(text, desk, c);
	return signed_add(&entry->sigs, k, CHARTER_COUNTER_CONTEXT, text, len);
}

/* one countersignature, as far as its signatures verify at all */
static enum perr merge_counter(struct charter_signed *into, const struct charter_counter *from)
{
	struct charter_counter good = { 0 };
	uint8_t keys[SIGNED_SIGS_MAX][32];
	uint8_t text[CHARTER_COUNTER_TEXT_MAX];
	size_t len = charter_counter_text(text, from->desk, into);
	struct charter_counter *entry;
	enum perr err;

	for (uint32_t i = 0; i < from->sigs.n; i++)
		memcpy(keys[i], from->sigs.at[i].key, 32);
	err = signed_merge(&good.sigs, &from->sigs, CHARTER_COUNTER_CONTEXT, text, len, keys,
	                   from->sigs.n);
	if (err != PERR_OK || good.sigs.n == 0)
		return err;
	entry = counter_of(into, from->desk, &err);
	if (entry == NULL)
		return err;
	return signed_merge(&entry->sigs, &good.sigs, CHARTER_COUNTER_CONTEXT, text, len, keys,
	                    from->sigs.n);
}

enum perr charter_merge(struct charter_signed *into, const struct charter_signed *from,
                        const uint8_t (*allowed)[32], size_t n_allowed,
                        const uint8_t (*desks)[32], size_t n_desks)
{
	enum perr err, first;

	if (into->doc_len != from->doc_len || memcmp(into->doc, from->doc, into->doc_len) != 0)
		return PERR_FORK;
	first = signed_merge(&into->sigs, &from->sigs, CHARTER_CONTEXT, into->doc,
	                     into->doc_len, allowed, n_allowed);
	for (uint32_t i = 0; i < from->n_counter; i++) {
		/* the eight places must not be used up by desks nobody knows */
		if (doc_find(desks, n_desks, from->counter[i].desk) == n_desks)
			continue;
		err = merge_counter(into, &from->counter[i]);
		first = first == PERR_OK ? err : first;
	}
	return first;
}

/*
 * PROTOCOL 7.2: "A key that is a holder in both is paper in both or in neither."  Else a living
 * holder could be put among those for whom nobody waits.
 */
static bool keeps_nature(const struct charter *next, const struct charter *by)
{
	for (uint32_t i = 0; i < next->n; i++)
		if (charter_has_holder(by, next->holders[i]) &&
		    charter_is_paper(by, next->holders[i]) != charter_is_paper(next, next->holders[i]))
			return false;
	return true;
}

enum perr charter_progress(uint32_t *n_valid, uint32_t *n_needed, const struct charter_signed *c,
                           const struct charter_signed *previous)
{
	const struct charter *by = previous == NULL ? &c->body : &previous->body;

	*n_valid = 0;
	*n_needed = previous == NULL ? by->n : by->threshold;
	if (previous == NULL ? c->body.version != 0
	                     : c->body.version != by->version + 1 ||
	                       memcmp(c->body.previous, previous->hash, 32) != 0 ||
	                       !keeps_nature(&c->body, by))
		return PERR_CHAIN;
	/*
	 * PROTOCOL 7.2: "or by the paper holder of version i alone, if that key is no holder in
	 * version i+1".  Who brings the shares together takes the desk over once and burns them
	 * with it: the same paper can do it no second time.
	 */
	if (previous != NULL && by->has_paper && !charter_has_holder(&c->body, by->paper)) {
		enum perr err = signed_count(n_valid, &c->sigs, CHARTER_CONTEXT, c->doc, c->doc_len,
		                             &by->paper, 1);

		if (err != PERR_OK || *n_valid == 1) {
			*n_valid = err == PERR_OK ? *n_needed : 0;
			return err;
		}
	}
	return signed_count(n_valid, &c->sigs, CHARTER_CONTEXT, c->doc, c->doc_len, by->holders,
	                    by->n);
}

/*
 * PROTOCOL 7.2: "Signed charter: `[document bin, sigs, countersignatures array 0..8 of
 * [desk id bin32, sigs]]`"
 */
static void put_signed(struct mp_writer *w, const void *what)
{
	const struct charter_signed *c = what;

	mp_put_array(w, 3);
	mp_put_bin(w, c->doc, c->doc_len);
	signed_put_sigs(w, &c->sigs);
	mp_put_array(w, c->n_counter);
	for (uint32_t i = 0; i < c->n_counter; i++) {
		mp_put_array(w, 2);
		mp_put_bin(w, c->counter[i].desk, 32);
		signed_put_sigs(w, &c->counter[i].sigs);
	}
}

enum perr charter_signed_encode(uint8_t **out, size_t *out_len, const struct charter_signed *c)
{
	return doc_write(out, out_len, SIGNED_DOC_MAX, put_signed, c);
}

enum perr charter_signed_decode(struct charter_signed *c, const uint8_t *in, size_t in_len)
{
	struct mp_reader r;
	struct doc_bytes doc;
	enum perr err;

	memset(c, 0, sizeof *c);
	mp_reader_init(&r, in, in_len);
	mp_array(&r, 3);
	doc = doc_get_bytes(&r, 1, CHARTER_DOC_MAX);
	signed_get_sigs(&r, &c->sigs);
	c->n_counter = mp_array_var(&r, 0, CHARTER_COUNTER_MAX);
	if (c->n_counter > 0) {
		c->counter = calloc(c->n_counter, sizeof *c->counter);
		if (c->counter == NULL) {
			c->n_counter = 0;
			mp_fail(&r, PERR_NOMEM);
		}
	}
	for (uint32_t i = 0; i < c->n_counter; i++) {
		mp_array(&r, 2);
		mp_bin_copy(&r, c->counter[i].desk, 32);
		signed_get_sigs(&r, &c->counter[i].sigs);
		if (i > 0 && memcmp(c->counter[i - 1].desk, c->counter[i].desk, 32) >= 0)
			mp_fail(&r, PERR_FORMAT);
	}
	err = mp_finish(&r);
	if (err == PERR_OK)
		err = charter_decode(&c->body, doc.p, doc.len);
	if (err == PERR_OK) {
		c->doc = malloc(doc.len);
		if (c->doc == NULL)
			err = PERR_NOMEM;
	}
	if (err != PERR_OK) {
		charter_signed_free(c);
		return err;
	}
	memcpy(c->doc, doc.p, doc.len);
	c->doc_len = doc.len;
	charter_hash(c->hash, c->doc, c->doc_len);
	return PERR_OK;
}

void charter_signed_free(struct charter_signed *c)
{
	doc_free(c->doc, c->doc_len);
	free(c->counter);
	sodium_memzero(c, sizeof *c);
}
