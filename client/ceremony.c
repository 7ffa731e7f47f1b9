/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "ceremony.h"

#include <sodium.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "batch.h"
#include "cache.h"
#include "doc.h"
#include "papers.h"
#include "shares.h"
#include "words.h"

struct ceremony {                    /* sodium_malloc: locked, wiped when it is freed */
	struct client *c;
	uint8_t desk[32], key[32];
	uint8_t seed[PAPER_SEED_SIZE];
	uint32_t need, of;
	struct paper_share shares[PAPER_SHARES_MAX];    /* as made */
	struct paper_share back[PAPER_SHARES_MAX];      /* as read back */
	bool is_back[PAPER_SHARES_MAX];
};

static enum perr no(char why[CHARTERS_WHY], const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
static enum perr no(char why[CHARTERS_WHY], const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(why, CHARTERS_WHY, fmt, ap);
	va_end(ap);
	return PERR_REFUSED;
}

void ceremony_free(struct ceremony *m)
{
	if (m != NULL)
		sodium_memzero(m, sizeof *m);
	sodium_free(m);
}

static enum perr make(struct ceremony *m)
{
	uint8_t (*raw)[PAPER_SEED_SIZE] = sodium_malloc(PAPER_SHARES_MAX * PAPER_SEED_SIZE);
	struct sign_key k;
	enum perr err = raw == NULL ? PERR_NOMEM : PERR_OK;

	rng_fill(m->c->env.rng, m->seed, sizeof m->seed);
	paper_sign_key(&k, m->seed);
	memcpy(m->key, k.id, 32);
	signed_key_wipe(&k);
	if (err == PERR_OK)
		err = shares_split(raw, m->seed, m->need, m->of);
	for (uint32_t i = 0; err == PERR_OK && i < m->of; i++) {
		struct paper_share *s = &m->shares[i];

		paper_set_id(s->set, m->key, m->desk);
		s->day = client_day(m->c);
		s->need = m->need;
		s->of = m->of;
		s->index = i + 1;
		memcpy(s->bytes, raw[i], PAPER_SEED_SIZE);
	}
	if (raw != NULL)
		sodium_memzero(raw, PAPER_SHARES_MAX * PAPER_SEED_SIZE);
	sodium_free(raw);
	return err;
}

struct pending {
	const uint8_t *desk;
	bool is_others;
};

static enum perr find_pending(void *arg, const struct charters_change *k)
{
	struct pending *p = arg;

	/* one that only this member signed is taken back by the next one */
	if (memcmp(k->desk->id, p->desk, 32) == 0 && (!k->signed_by_me || k->n_signed > 1))
		p->is_others = true;
	return PERR_OK;
}

/* what would keep the sheets from ever counting is better said before they are printed */
static enum perr look_ahead(struct client *c, const struct desk *d, char why[CHARTERS_WHY])
{
	struct pending p = { .desk = d->id };
	enum perr err = charters_each(c, find_pending, &p);

	if (err != PERR_OK)
		return err;
	if (p.is_others)
		return no(why, "a change of the desk \"%s\" waits for signatures, and only one of two is "
		          "listed: have that one listed first", d->now.name);
	if (d->now.version + 1 >= CHARTER_CHAIN_MAX)
		return no(why, "the desk \"%s\" was changed %d times, the most that is possible: found a "
		          "new desk", d->now.name, CHARTER_CHAIN_MAX - 1);
	if (d->now.n == CHARTER_HOLDERS_MAX && !d->now.has_paper)
		return no(why, "the desk \"%s\" has %d holders, the most that is possible; one has to "
		          "leave before paper can be one", d->now.name, CHARTER_HOLDERS_MAX);
	return PERR_OK;
}

enum perr ceremony_new(struct ceremony **out, struct client *c, const uint8_t desk[32],
                       uint32_t need, uint32_t of, char why[CHARTERS_WHY])
{
	struct ceremony *m = NULL;
	const struct desk *d;
	enum perr err = cache_desk(c, desk, &d);

	*out = NULL;
	why[0] = '\0';
	if (err != PERR_OK)
		return err;
	if (!charter_has_holder(&d->now, c->me->sign_pk))
		return no(why, "only who holds the desk \"%s\" can give it a paper holder", d->now.name);
	if (need < 2)
		return no(why, "at least two shares must be needed: with one, every sheet would be the "
		          "whole key");
	if (need > of)
		return no(why, "of %u shares, %u cannot be needed", of, need);
	if (of > PAPER_SHARES_MAX)
		return no(why, "there are at most %d shares", PAPER_SHARES_MAX);
	err = look_ahead(c, d, why);
	if (err != PERR_OK)
		return err;
	m = sodium_malloc(sizeof *m);
	if (m == NULL)
		return PERR_NOMEM;
	memset(m, 0, sizeof *m);
	m->c = c;
	memcpy(m->desk, desk, 32);
	m->need = need;
	m->of = of;
	err = make(m);
	if (err == PERR_OK)
		*out = m;
	else
		ceremony_free(m);
	return err;
}

const struct paper_share *ceremony_share(const struct ceremony *m, uint32_t index)
{
	return index >= 1 && index <= m->of ? &m->shares[index - 1] : NULL;
}

const uint8_t *ceremony_key(const struct ceremony *m)
{
	return m->key;
}

/* ---- reading back -------------------------------------------------------------------------- */

enum perr ceremony_read(struct ceremony *m, uint32_t index, const struct paper_share *typed,
                        char why[CHARTERS_WHY])
{
	const struct paper_share *s = ceremony_share(m, index);

	why[0] = '\0';
	if (s == NULL)
		return PERR_RANGE;
	if (memcmp(typed->set, s->set, sizeof s->set) != 0 || typed->day != s->day)
		return no(why, "this is a sheet of another set: every sheet of today's says the same "
		          "first words");
	if (typed->index != index)
		return no(why, "this is the sheet of share %u, and share %u is asked for", typed->index,
		          index);
	if (typed->need != s->need || typed->of != s->of ||
	    sodium_memcmp(typed->bytes, s->bytes, sizeof s->bytes) != 0)
		return no(why, "this is not the share %u that was made now", index);
	m->back[index - 1] = *typed;
	m->is_back[index - 1] = true;
	return PERR_OK;
}

enum perr ceremony_read_words(struct ceremony *m, uint32_t index,
                              const uint16_t words[PAPER_WORDS], char why[CHARTERS_WHY])
{
	const struct paper_share *s = ceremony_share(m, index);
	uint16_t right[PAPER_WORDS];
	struct paper_share typed;
	struct paper_wrong wrong;
	size_t at = 0;
	enum perr err = s == NULL ? PERR_RANGE : paper_share_from_words(&typed, &wrong, words);

	why[0] = '\0';
	if (err == PERR_OK)
		err = ceremony_read(m, index, &typed, why);
	else if (err != PERR_RANGE)
		err = paper_share_words(right, s);
	else
		return err;
	/* whole, but of another sheet; or it was taken */
	if (why[0] != '\0' || m->is_back[index - 1])
		goto out;
	at = (size_t)snprintf(why, CHARTERS_WHY, "not as it was printed:");
	err = PERR_REFUSED;
	for (unsigned i = 0, n = 0; i < PAPER_WORDS; i++) {
		if (words[i] == right[i] || at >= CHARTERS_WHY)
			continue;
		if (++n == 6) {
			snprintf(why + at, CHARTERS_WHY - at, " and more");
			break;
		}
		at += (size_t)snprintf(why + at, CHARTERS_WHY - at, "%s word %u is \"%s\", \"%s\" "
		                       "was typed", n == 1 ? "" : ";", i + 1, words_get(right[i]),
		                       words_get(words[i]));
	}
out:
	sodium_memzero(right, sizeof right);
	sodium_memzero(&typed, sizeof typed);
	return err;
}

/* ---- publishing ---------------------------------------------------------------------------- */

/*
 * Any k of the shares must give the seed.  The first k do; each of the others in the place of
 * the last of them does, hence it lies on the same polynomial, and so every choice of k does.
 */
static enum perr prove(const struct ceremony *m)
{
	uint8_t index[PAPER_SHARES_MAX], seed[PAPER_SEED_SIZE];
	uint8_t (*raw)[PAPER_SEED_SIZE] = sodium_malloc(PAPER_SHARES_MAX * PAPER_SEED_SIZE);
	enum perr err = raw == NULL ? PERR_NOMEM : PERR_OK;

	for (uint32_t i = 0; raw != NULL && i < m->need; i++) {
		index[i] = (uint8_t)m->back[i].index;
		memcpy(raw[i], m->back[i].bytes, PAPER_SEED_SIZE);
	}
	for (uint32_t i = m->need - 1; err == PERR_OK && i < m->of; i++) {
		index[m->need - 1] = (uint8_t)m->back[i].index;
		memcpy(raw[m->need - 1], m->back[i].bytes, PAPER_SEED_SIZE);
		err = shares_join(seed, (const uint8_t (*)[PAPER_SEED_SIZE])raw, index, m->need);
		if (err == PERR_OK && sodium_memcmp(seed, m->seed, sizeof seed) != 0)
			err = PERR_CORRUPT;
	}
	if (raw != NULL)
		sodium_memzero(raw, PAPER_SHARES_MAX * PAPER_SEED_SIZE);
	sodium_free(raw);
	sodium_memzero(seed, sizeof seed);
	return err;
}

struct documents {
	uint8_t key[32];
	uint8_t *batch, *doc;
	size_t batch_len, doc_len;
};

static enum perr make_documents(const struct ceremony *m, struct documents *d)
{
	struct batch *b = malloc(sizeof *b);
	struct paper_doc *doc = calloc(1, sizeof *doc);
	struct sign_key k;
	enum perr err = b == NULL || doc == NULL ? PERR_NOMEM : PERR_OK;

	paper_sign_key(&k, m->seed);
	memcpy(d->key, m->key, 32);
	if (err == PERR_OK) {
		/* senders' clocks may be behind ours: the first key is for all days before it, too */
		paper_batch(b, NULL, m->seed, client_own_day(m->c));
		err = batch_sign(&d->batch, &d->batch_len, b, &k);
	}
	if (err == PERR_OK) {
		memcpy(doc->key, m->key, 32);
		memcpy(doc->desk, m->desk, 32);
		doc->day = m->shares[0].day;
		doc->need = m->need;
		doc->of = m->of;
		for (uint32_t i = 0; err == PERR_OK && i < m->of; i++)
			err = paper_proof(doc->proofs[i], &m->shares[i]);
	}
	if (err == PERR_OK)
		err = paper_doc_sign(&d->doc, &d->doc_len, doc, &k);
	signed_key_wipe(&k);
	free(b);
	free(doc);
	return err;
}

static enum perr publish_documents(struct client *c, void *arg)
{
	const struct documents *d = arg;

	return papers_publish(c, d->key, d->batch, d->batch_len, d->doc, d->doc_len);
}

enum perr ceremony_publish(struct ceremony *m, char why[CHARTERS_WHY])
{
	struct documents d = { .batch = NULL };
	struct charters_wish wish = { .paper = m->key, .also = publish_documents, .also_arg = &d };
	enum perr err = PERR_OK;

	why[0] = '\0';
	for (uint32_t i = 0; i < m->of; i++)
		if (!m->is_back[i])
			return PERR_STATE;
	err = prove(m);
	if (err == PERR_OK)
		err = make_documents(m, &d);
	if (err == PERR_OK)
		err = charters_propose(m->c, m->desk, &wish, NULL, why);
	doc_free(d.batch, d.batch_len);
	doc_free(d.doc, d.doc_len);
	return err;
}
