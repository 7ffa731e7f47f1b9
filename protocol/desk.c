/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "desk.h"

#include <assert.h>
#include <stdlib.h>

#include "words.h"

/* did this key sign this charter?  An invalid entry is no entry */
static enum perr signed_by(bool *yes, const struct charter_signed *c, const uint8_t key[32])
{
	uint32_t n;
	enum perr err = signed_count(&n, &c->sigs, CHARTER_CONTEXT, c->doc, c->doc_len,
	                             (const uint8_t (*)[32])key, 1);

	*yes = err == PERR_OK && n == 1;
	return err;
}

/* the holders of a charter that was followed by `now` */
static void note_former(struct desk *d, const struct charter *before)
{
	for (uint32_t i = 0; i < before->n; i++)
		if (doc_find((const uint8_t (*)[32])d->former, d->n_former,
		             before->holders[i]) == d->n_former)
			memcpy(d->former[d->n_former++], before->holders[i], 32);
}

/* those who hold it now are not former ones, whatever they were between */
static void settle_former(struct desk *d)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < d->n_former; i++)
		if (!charter_has_holder(&d->now, d->former[i]))
			memmove(d->former[n++], d->former[i], 32);
	d->n_former = n;
}

bool desk_had_holder(const struct desk *d, const uint8_t key[32])
{
	return charter_has_holder(&d->now, key) ||
	       doc_find((const uint8_t (*)[32])d->former, d->n_former, key) < d->n_former;
}

enum perr desk_verify(struct desk *d, const struct doc_bytes *chain, size_t n,
                      const uint8_t own[32])
{
	struct charter_signed one = { 0 }, before = { 0 };
	enum perr err = PERR_FORMAT;

	memset(d, 0, sizeof *d);
	if (n < 1 || n > CHARTER_CHAIN_MAX)
		goto out;
	for (size_t i = 0; i < n; i++) {
		uint32_t n_valid, n_needed;
		bool own_signed = false;

		err = charter_signed_decode(&one, chain[i].p, chain[i].len);
		if (err != PERR_OK)
			goto out;
		/*
		 * PROTOCOL 7.2: "Version 0 has previous = zeros and is signed by all its
		 * holders; version i+1 is signed by the threshold of version i,"
		 */
		err = charter_progress(&n_valid, &n_needed, &one, i == 0 ? NULL : &before);
		if (err == PERR_OK && n_valid < n_needed)
			err = PERR_SIGS;
		if (err == PERR_OK && own != NULL)
			err = signed_by(&own_signed, &one, own);
		if (err != PERR_OK)
			goto out;
		d->own_signed = d->own_signed || own_signed;
		memcpy(d->hashes[i], one.hash, 32);
		if (i > 0)
			note_former(d, &before.body);
		charter_signed_free(&before);
		before = one;
		memset(&one, 0, sizeof one);
	}
	memcpy(d->id, d->hashes[0], 32);
	d->now = before.body;
	settle_former(d);
	d->n_hashes = (uint32_t)n;
out:
	charter_signed_free(&one);
	charter_signed_free(&before);
	if (err != PERR_OK)
		memset(d, 0, sizeof *d);
	return err;
}

/* ---- trust ------------------------------------------------------------------------------- */

void desk_pin_of(struct desk_pin *pin, const struct desk *d, enum desk_trust trust)
{
	memcpy(pin->id, d->id, 32);
	pin->trust = trust;
	pin->version = d->now.version;
	memcpy(pin->hash, d->hashes[d->n_hashes - 1], 32);
}

/* PROTOCOL 7.2: "It follows a pinned desk's later charters by their signatures alone and never back." */
static enum perr follows(const struct desk_pin *pin, const struct desk *d)
{
	if (memcmp(pin->id, d->id, 32) != 0)
		return PERR_FORK;
	if (d->now.version < pin->version)
		return PERR_OLD;
	return memcmp(d->hashes[pin->version], pin->hash, 32) == 0 ? PERR_OK : PERR_FORK;
}

enum perr desk_pin_follow(struct desk_pin *pin, const struct desk *d)
{
	enum perr err = follows(pin, d);

	if (err == PERR_OK)
		desk_pin_of(pin, d, pin->trust);
	return err;
}

/* what needs no other desk: own pins, own signature, the roster's floor */
static void judge_alone(struct desk_verdict *v, const struct desk *d, uint32_t lowest,
                        const struct desk_pin *pins, size_t n_pins, const uint8_t *own)
{
	v->trust = DESK_UNKNOWN;
	v->err = d->now.version < lowest ? PERR_OLD : PERR_OK;
	for (size_t i = 0; i < n_pins && v->err == PERR_OK; i++) {
		if (memcmp(pins[i].id, d->id, 32) != 0)
			continue;
		v->err = follows(&pins[i], d);
		if (v->err == PERR_OK)
			v->trust = pins[i].trust;
		return;
	}
	/* a charter that others signed may name anybody as a holder: only one's own
	 * signature shows that the desk is known to be what it says */
	if (v->err == PERR_OK && own != NULL && d->own_signed &&
	    charter_has_holder(&d->now, own))
		v->trust = DESK_PINNED_HOLDER;
}

/* is version 0 in `first` countersigned by the threshold of voucher's charter in force? */
static enum perr countersigned(bool *yes, const struct charter_signed *first,
                               const struct desk *voucher)
{
	uint8_t text[CHARTER_COUNTER_TEXT_MAX];
	size_t len = charter_counter_text(text, voucher->id, first);
	enum perr err;

	*yes = false;
	for (uint32_t i = 0; i < first->n_counter; i++) {
		if (memcmp(first->counter[i].desk, voucher->id, 32) != 0)
			continue;
		err = signed_check(&first->counter[i].sigs, voucher->now.threshold,
		                   CHARTER_COUNTER_CONTEXT, text, len, voucher->now.holders,
		                   voucher->now.n);
		*yes = err == PERR_OK;
		return err == PERR_SIGS ? PERR_OK : err;
	}
	return PERR_OK;
}

static bool is_pinned(const struct desk_verdict *v)
{
	return v->err == PERR_OK && v->trust != DESK_UNKNOWN;
}

/* everybody the voucher speaks for; newly pinned desks are appended to the queue */
static enum perr vouch(struct desk_verdict *verdicts, const struct desk *desks,
                       const struct charter_signed *firsts, size_t n, size_t voucher,
                       size_t *queue, size_t *n_queue)
{
	for (size_t i = 0; i < n; i++) {
		bool yes;
		enum perr err;

		if (verdicts[i].err != PERR_OK || verdicts[i].trust != DESK_UNKNOWN)
			continue;
		err = countersigned(&yes, &firsts[i], &desks[voucher]);
		if (err != PERR_OK)
			return err;
		if (yes) {
			verdicts[i].trust = DESK_PINNED_COUNTERSIGNED;
			queue[(*n_queue)++] = i;
		}
	}
	return PERR_OK;
}

enum perr desk_judge(struct desk_verdict *verdicts, const struct desk *desks,
                     const struct doc_bytes *firsts, size_t n_desks, const uint32_t *lowest,
                     const struct desk_pin *pins, size_t n_pins, const uint8_t own[32])
{
	struct charter_signed *docs = calloc(n_desks + 1, sizeof *docs);
	size_t *queue = calloc(n_desks + 1, sizeof *queue);
	size_t n_queue = 0, n_docs = 0;
	enum perr err = PERR_NOMEM;

	memset(verdicts, 0, n_desks * sizeof *verdicts);
	if (docs == NULL || queue == NULL)
		goto out;
	for (size_t i = 0; i < n_desks; i++, n_docs++) {
		err = charter_signed_decode(&docs[i], firsts[i].p, firsts[i].len);
		if (err != PERR_OK)
			goto out;
		if (memcmp(docs[i].hash, desks[i].id, 32) != 0) {
			err = PERR_FORMAT;
			n_docs++;
			goto out;
		}
		judge_alone(&verdicts[i], &desks[i], lowest == NULL ? 0 : lowest[i], pins,
		            n_pins, own);
		if (is_pinned(&verdicts[i]))
			queue[n_queue++] = i;
	}
	err = PERR_OK;
	for (size_t at = 0; at < n_queue && err == PERR_OK; at++)
		err = vouch(verdicts, desks, docs, n_desks, queue[at], queue, &n_queue);
out:
	for (size_t i = 0; i < n_docs; i++)
		charter_signed_free(&docs[i]);
	free(docs);
	free(queue);
	if (err != PERR_OK)
		memset(verdicts, 0, n_desks * sizeof *verdicts);
	return err;
}

const char *desk_trust_text(enum desk_trust t)
{
	switch (t) {
	case DESK_UNKNOWN:
		return "unknown: not sealed to until two of its words are typed from paper";
	case DESK_PINNED_ANCHOR:
		return "pinned by the invitation";
	case DESK_PINNED_HOLDER:
		return "pinned by your own signature as a holder";
	case DESK_PINNED_COUNTERSIGNED:
		return "pinned by the signatures of a desk that is pinned";
	case DESK_PINNED_WORDS:
		return "pinned by words typed from paper";
	}
	return "unknown";
}

/* ---- words ------------------------------------------------------------------------------- */

/* PROTOCOL 7.2: "ten bits a word, most significant first" */
void desk_words(uint16_t words[DESK_WORDS], const uint8_t desk_id[32])
{
	uint8_t hash[32];
	enum perr err;

	doc_hash(hash, "amparo/1 desk words", desk_id, 32);
	err = words_from_bytes(NULL, words, DESK_WORDS, hash, sizeof hash);
	assert(err == PERR_OK);
	(void)err;
}

void desk_words_ask(unsigned at[DESK_WORDS_ASK], struct rng rng)
{
	uint8_t random[2];

	/* 6 * 42 and 5 * 51: what is above would make some places likelier */
	do {
		rng_fill(rng, random, sizeof random);
	} while (random[0] >= 252 || random[1] >= 255);
	at[0] = random[0] % DESK_WORDS;
	at[1] = random[1] % (DESK_WORDS - 1);
	if (at[1] >= at[0])
		at[1]++;
}

bool desk_words_match(const uint8_t desk_id[32], const unsigned at[DESK_WORDS_ASK],
                      const uint16_t typed[DESK_WORDS_ASK])
{
	uint16_t words[DESK_WORDS];

	desk_words(words, desk_id);
	for (int i = 0; i < DESK_WORDS_ASK; i++)
		if (at[i] >= DESK_WORDS || words[at[i]] != typed[i])
			return false;
	return at[0] != at[1];
}
