/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "recovery.h"

#include <sodium.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "batch.h"
#include "cache.h"
#include "cell.h"
#include "charters.h"
#include "doc.h"
#include "envelope.h"
#include "fdate.h"
#include "prekeys.h"
#include "record.h"
#include "roster.h"
#include "shares.h"
#include "statement.h"
#include "trust.h"

#define CANARY_SIZE 32

struct recovery {                    /* sodium_malloc */
	struct client *c;
	struct papers_info paper;
	uint32_t day, need, of, n;
	struct paper_share at[PAPER_SHARES_MAX];
	bool is_joined;
	uint8_t seed[PAPER_SEED_SIZE];
	/* lent to the client while a recovery is under way */
	struct reader_key keys[PAPER_KEYS];
};

static enum perr no(char why[RECOVERY_WHY], const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
static enum perr no(char why[RECOVERY_WHY], const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(why, RECOVERY_WHY, fmt, ap);
	va_end(ap);
	return PERR_REFUSED;
}

static void day_text(char out[16], uint32_t day)
{
	int year, month, d;

	fdate_civil(day, &year, &month, &d);
	snprintf(out, 16, "%04d-%02d-%02d", year, month, d);
}

enum perr recovery_new(struct recovery **out, struct client *c)
{
	struct recovery *r = sodium_malloc(sizeof *r);

	*out = r;
	if (r == NULL)
		return PERR_NOMEM;
	memset(r, 0, sizeof *r);
	r->c = c;
	return PERR_OK;
}

void recovery_free(struct recovery *r)
{
	if (r == NULL)
		return;
	recovery_end(r);
	sodium_memzero(r, sizeof *r);
	sodium_free(r);
}

const struct papers_info *recovery_paper(const struct recovery *r)
{
	return r->n == 0 ? NULL : &r->paper;
}

uint32_t recovery_have(const struct recovery *r)
{
	return r->n;
}

uint32_t recovery_need(const struct recovery *r)
{
	return r->need;
}

uint32_t recovery_of(const struct recovery *r)
{
	return r->of;
}

/* ---- shares -------------------------------------------------------------------------------- */

static enum perr add_first(struct recovery *r, const struct paper_share *s,
                           char why[RECOVERY_WHY])
{
	char day[16];
	enum perr err = papers_of_set(r->c, s->set, &r->paper);

	day_text(day, s->day);
	if (err == PERR_NOTFOUND)
		return no(why, "share %u is of a set made on %s that no desk known here has or had: it "
		          "is another organisation's, or its ceremony was not finished", s->index, day);
	if (err != PERR_OK)
		return err;
	r->day = s->day;
	r->need = s->need;
	r->of = s->of;
	return PERR_OK;
}

/* against what the ceremony published */
static enum perr hold_against_doc(const struct recovery *r, const struct paper_share *s,
                                  char why[RECOVERY_WHY])
{
	const struct paper_doc *d = &r->paper.doc;
	uint8_t proof[32];
	bool fits;
	enum perr err = PERR_OK;

	if (!r->paper.has_doc)
		return err;
	err = paper_proof(proof, s);
	fits = err == PERR_OK && s->day == d->day && s->need == d->need && s->of == d->of &&
	       sodium_memcmp(proof, d->proofs[s->index - 1], 32) == 0;
	return err == PERR_OK && !fits
	     ? no(why, "share %u is whole, and it is not the one that was made: somebody has put "
	          "another one in its place.  Ask for the sheet of another trustee", s->index) : err;
}

enum perr recovery_add(struct recovery *r, const struct paper_share *s, char why[RECOVERY_WHY])
{
	uint8_t set[PAPER_SET_SIZE];
	char mine[16], others[16];
	bool is_first = r->n == 0;
	enum perr err = is_first ? add_first(r, s, why) : PERR_OK;

	if (err != PERR_OK)
		return err;
	paper_set_id(set, r->paper.key, r->paper.desk);
	day_text(mine, s->day);
	day_text(others, r->day);
	if (memcmp(s->set, set, sizeof set) != 0)
		return no(why, "share %u belongs to another set, of %s; those before it are of the "
		          "set of %s", s->index, mine, others);
	if (s->day != r->day || s->need != r->need || s->of != r->of)
		return no(why, "share %u says other things of its set (%u of %u, %s) than those before "
		          "it (%u of %u, %s): it is not the one that was made", s->index, s->need,
		          s->of, mine, r->need, r->of, others);
	for (uint32_t i = 0; i < r->n; i++)
		if (r->at[i].index == s->index)
			return no(why, "share %u is there already; the sheet of another trustee is needed",
			          s->index);
	err = hold_against_doc(r, s, why);
	if (err == PERR_OK)
		r->at[r->n++] = *s;
	return err;
}

/* the shares of these places */
static enum perr join_some(struct recovery *r, const uint8_t *places, uint8_t seed[32],
                           bool *fits)
{
	uint8_t index[PAPER_SHARES_MAX];
	uint8_t (*raw)[PAPER_SEED_SIZE] = sodium_malloc(PAPER_SHARES_MAX * PAPER_SEED_SIZE);
	struct sign_key k = { .id = { 0 } };
	enum perr err = raw == NULL ? PERR_NOMEM : PERR_OK;

	*fits = false;
	for (uint32_t i = 0; raw != NULL && i < r->need; i++) {
		index[i] = (uint8_t)r->at[places[i]].index;
		memcpy(raw[i], r->at[places[i]].bytes, PAPER_SEED_SIZE);
	}
	if (err == PERR_OK)
		err = shares_join(seed, (const uint8_t (*)[PAPER_SEED_SIZE])raw, index, r->need);
	if (err == PERR_OK) {
		paper_sign_key(&k, seed);
		*fits = memcmp(k.id, r->paper.key, 32) == 0;
	}
	signed_key_wipe(&k);
	if (raw != NULL)
		sodium_memzero(raw, PAPER_SHARES_MAX * PAPER_SEED_SIZE);
	sodium_free(raw);
	return err;
}

/* the next choice of k among n places, in their order; false: that was the last one */
static bool next_choice(uint8_t *places, uint32_t k, uint32_t n)
{
	uint32_t i = k;

	while (i > 0 && places[i - 1] == n - k + i - 1)
		i--;
	if (i == 0)
		return false;
	places[i - 1]++;
	for (; i < k; i++)
		places[i] = (uint8_t)(places[i - 1] + 1);
	return true;
}

/* with a choice that fits known: the first share that does not fit it; 0: all do */
static enum perr odd_one(struct recovery *r, uint8_t *places, uint32_t *odd)
{
	uint8_t seed[PAPER_SEED_SIZE];
	bool fits;
	enum perr err = PERR_OK;

	*odd = 0;
	for (uint32_t i = 0; err == PERR_OK && i < r->n && *odd == 0; i++) {
		bool in = false;

		for (uint32_t j = 0; j + 1 < r->need; j++)
			in |= places[j] == i;
		if (in)
			continue;
		places[r->need - 1] = (uint8_t)i;
		err = join_some(r, places, seed, &fits);
		if (err == PERR_OK && !fits)
			*odd = r->at[i].index;
	}
	sodium_memzero(seed, sizeof seed);
	return err;
}

enum perr recovery_join(struct recovery *r, char why[RECOVERY_WHY])
{
	uint8_t places[PAPER_SHARES_MAX];
	uint32_t odd;
	bool fits = false;
	enum perr err = PERR_OK;

	why[0] = '\0';
	if (r->n == 0 || r->n < r->need)
		return PERR_MORE;
	for (uint32_t i = 0; i < r->need; i++)
		places[i] = (uint8_t)i;
	do
		err = join_some(r, places, r->seed, &fits);
	while (err == PERR_OK && !fits && next_choice(places, r->need, r->n));
	if (err != PERR_OK || !fits) {
		sodium_memzero(r->seed, sizeof r->seed);
		return err != PERR_OK ? err
		     : no(why, "these shares do not give the desk's key: at least one of them is not "
		          "the one that was made; bring one more sheet, then it can be told which");
	}
	r->is_joined = true;
	err = odd_one(r, places, &odd);
	return err != PERR_OK || odd == 0 ? err
	     : no(why, "share %u is not the one that was made; the others are enough without it",
	          odd);
}

bool recovery_is_joined(const struct recovery *r)
{
	return r->is_joined;
}

/* ---- rehearsal ----------------------------------------------------------------------------- */

static enum perr load_batch(struct client *c, const uint8_t key[32], struct batch *b)
{
	uint8_t *raw = NULL;
	char name[96];
	size_t len;
	enum perr err;

	client_key_name(name, "batch/", key, 32);
	err = kv_get(c->kv, name, &raw, &len);
	if (err == PERR_OK)
		err = kv_decoded(batch_open(b, raw, len));
	kv_free(raw);
	return err;
}

/* derived: the batch as it follows from the seed.  sks: its private halves */
static enum perr open_canary(struct recovery *r, const struct batch *published,
                             uint8_t (*sks)[32], char why[RECOVERY_WHY])
{
	struct client *c = r->c;
	uint8_t canary[CANARY_SIZE], payload[CELL_PAYLOAD_MAX], cell[CELL_SIZE];
	const struct season *season = &c->seasons[c->n_seasons - 1];
	struct reader_key key;
	enum cell_form form;
	size_t len;
	uint32_t at = batch_index(published, client_day(c));
	enum perr err;

	memcpy(key.sk, sks[at], 32);
	crypto_scalarmult_base(key.pk, key.sk);
	rng_fill(c->env.rng, canary, sizeof canary);
	err = cell_seal(cell, NULL, CELL_STATEMENT, canary, sizeof canary,
	                batch_key(published, client_day(c)), season, c->env.rng);
	if (err == PERR_OK) {
		err = cell_open(&form, payload, &len, cell, &key, season);
		if (err != PERR_OK || len != sizeof canary || memcmp(payload, canary, len) != 0)
			err = no(why, "what is sealed to the paper holder today does not open with these "
			         "shares: hold a new ceremony");
	}
	sodium_memzero(&key, sizeof key);
	sodium_memzero(canary, sizeof canary);
	sodium_memzero(payload, sizeof payload);
	return err;
}

static enum perr note_rehearsal(struct recovery *r)
{
	struct client *c = r->c;
	struct paper_doc *doc = &r->paper.doc;
	struct sign_key k;
	uint8_t *bytes = NULL;
	size_t len = 0;
	enum perr err;

	doc->rehearsed = client_day(c) > doc->day ? client_day(c) : doc->day;
	paper_sign_key(&k, r->seed);
	err = paper_doc_sign(&bytes, &len, doc, &k);
	signed_key_wipe(&k);
	if (err == PERR_OK)
		err = kv_begin(c->kv);
	if (err == PERR_OK) {
		err = papers_publish(c, doc->key, NULL, 0, bytes, len);
		if (err == PERR_OK)
			err = kv_commit(c->kv);
		kv_abort(c->kv);
	}
	doc_free(bytes, len);
	return err;
}

enum perr recovery_rehearse(struct recovery *r, char why[RECOVERY_WHY])
{
	struct client *c = r->c;
	struct batch *published = malloc(sizeof *published), *derived = malloc(sizeof *derived);
	uint8_t (*sks)[32] = sodium_malloc(PAPER_KEYS * 32);
	enum perr err = PERR_NOMEM;

	why[0] = '\0';
	if (published == NULL || derived == NULL || sks == NULL)
		goto out;
	err = PERR_STATE;
	if (!r->is_joined || c->n_seasons == 0 ||
	    !cache_is_holder(c, r->paper.desk, c->me->sign_pk))
		goto out;
	err = PERR_REFUSED;
	if (!r->paper.in_force) {
		no(why, "these shares are of a paper holder that was replaced: the desk's present one "
		   "has other sheets");
		goto out;
	}
	err = load_batch(c, r->paper.key, published);
	if (err == PERR_OK && !r->paper.has_doc)
		err = PERR_NOTFOUND;
	if (err != PERR_OK)
		goto out;
	paper_batch(derived, sks, r->seed, published->first_day);
	if (published->n != derived->n || published->period != derived->period ||
	    memcmp(published->keys, derived->keys, sizeof derived->keys) != 0)
		err = no(why, "the keys that were published for the paper holder are not those of these "
		         "shares: hold a new ceremony");
	if (err == PERR_OK)
		err = open_canary(r, published, sks, why);
	if (err == PERR_OK)
		err = note_rehearsal(r);
out:
	if (sks != NULL)
		sodium_memzero(sks, PAPER_KEYS * 32);
	sodium_free(sks);
	free(published);
	free(derived);
	return err;
}

/* ---- restoring ----------------------------------------------------------------------------- */

static uint32_t holders_after(const struct recovery *r, const struct charter *now,
                              const uint8_t (*keep)[32], uint32_t n_keep,
                              uint8_t out[CHARTER_HOLDERS_MAX][32])
{
	uint32_t n = 0;

	memcpy(out[n++], r->c->me->sign_pk, 32);
	for (uint32_t i = 0; i < now->n; i++)
		if (!charter_is_paper(now, now->holders[i]) && n < CHARTER_HOLDERS_MAX &&
		    memcmp(now->holders[i], r->c->me->sign_pk, 32) != 0 &&
		    doc_find(keep, n_keep, now->holders[i]) < n_keep)
			memcpy(out[n++], now->holders[i], 32);
	return n;
}

/* the charter in force of the desk, signed */
static enum perr load_tip(const struct client *c, const uint8_t desk[32],
                          struct charter_signed *tip)
{
	struct charter_signed first;

	for (uint32_t i = 0; i < c->field->n_desks; i++) {
		const struct roster_desk *d = &c->field->desks[i];
		const struct doc_bytes *last = &d->charters[d->n_charters - 1];
		bool is;
		enum perr err = charter_signed_decode(&first, d->charters[0].p, d->charters[0].len);

		if (err == PERR_NOMEM)
			return err;
		is = err == PERR_OK && memcmp(first.hash, desk, 32) == 0;
		charter_signed_free(&first);
		if (is)
			return charter_signed_decode(tip, last->p, last->len);
	}
	return PERR_NOTFOUND;
}

/* PROTOCOL 7.2: "or by the paper holder of version i alone, if that key is no holder in
 * version i+1" */
static enum perr take_over(struct recovery *r, const uint8_t (*keep)[32], uint32_t n_keep,
                           struct charter_signed *next)
{
	struct charter_signed tip = { 0 };
	uint8_t holders[CHARTER_HOLDERS_MAX][32];
	struct sign_key k;
	uint32_t n, most;
	enum perr err = load_tip(r->c, r->paper.desk, &tip);

	if (err != PERR_OK)
		return err;
	n = holders_after(r, &tip.body, keep, n_keep, holders);
	most = charter_threshold_max(n);
	err = charter_make_paper(next, tip.body.name, tip.body.organisation,
	                         tip.body.threshold < most ? tip.body.threshold : most,
	                         (const uint8_t (*)[32])holders, n, NULL, &tip);
	paper_sign_key(&k, r->seed);
	if (err == PERR_OK)
		err = charter_sign(next, &k);
	signed_key_wipe(&k);
	charter_signed_free(&tip);
	return err;
}

static enum perr store_all(struct recovery *r, const struct charter_signed *next)
{
	struct client *c = r->c;
	uint8_t day[4], *raw = NULL;
	char name[96], slot[96];
	size_t len = 0;
	enum perr err = kv_begin(c->kv);

	doc_u32(day, client_day(c));
	client_key_name(name, "recovered/", r->paper.desk, 32);
	if (err == PERR_OK)
		err = kv_put(c->kv, name, day, sizeof day);
	/* the shares name the desk: nobody could have forged them */
	if (err == PERR_OK)
		err = trust_pin(c, r->paper.desk, TRUST_HOLDER);
	if (err == PERR_OK && next != NULL) {
		client_key_name(name, "charter/", next->hash, 32);
		client_key_name(slot, "charter/", r->paper.desk, 32);
		err = charter_signed_encode(&raw, &len, next);
		if (err == PERR_OK)
			err = kv_put(c->kv, name, raw, len);
		if (err == PERR_OK)
			err = charters_post(c, slot, next);
		doc_free(raw, len);
	}
	if (err == PERR_OK)
		err = kv_commit(c->kv);
	kv_abort(c->kv);
	return err;
}

enum perr recovery_begin(struct recovery *r, const uint8_t (*keep)[32], uint32_t n_keep,
                         bool records_only, char why[RECOVERY_WHY])
{
	struct client *c = r->c;
	struct charter_signed next = { 0 };
	bool takes_over = !records_only && r->paper.in_force;
	uint8_t (*sks)[32] = NULL;
	struct batch *b = NULL;
	enum perr err;

	why[0] = '\0';
	if (!r->is_joined || c->field == NULL)
		return PERR_STATE;
	if (c->staff == NULL || c->me->role != ROLE_ATTORNEY)
		return no(why, "records are restored on the device of an attorney: an administrator "
		          "invites one, and whoever enrols people must not read their records");
	b = malloc(sizeof *b);
	sks = sodium_malloc(PAPER_KEYS * 32);
	err = b == NULL || sks == NULL ? PERR_NOMEM : PERR_OK;
	if (err == PERR_OK && takes_over)
		err = take_over(r, keep, n_keep, &next);
	if (err == PERR_OK)
		err = store_all(r, takes_over ? &next : NULL);
	if (err == PERR_OK) {
		paper_batch(b, sks, r->seed, 0);
		for (uint32_t i = 0; i < PAPER_KEYS; i++) {
			memcpy(r->keys[i].sk, sks[i], 32);
			memcpy(r->keys[i].pk, b->keys[i], 32);
		}
		c->borrowed = r->keys;
		c->n_borrowed = PAPER_KEYS;
		/* which desks count as held is asked anew */
		cache_forget_desks(c);
	}
	charter_signed_free(&next);
	if (sks != NULL)
		sodium_memzero(sks, PAPER_KEYS * 32);
	sodium_free(sks);
	free(b);
	return err;
}

void recovery_end(struct recovery *r)
{
	if (r->c->borrowed == r->keys) {
		r->c->borrowed = NULL;
		r->c->n_borrowed = 0;
	}
	r->is_joined = false;
	sodium_memzero(r->keys, sizeof r->keys);
	sodium_memzero(r->seed, sizeof r->seed);
	sodium_memzero(r->at, sizeof r->at);
	r->n = 0;
}

struct count {
	const uint8_t *desk;
	struct envelope env;
	struct statement st;
	struct recovery_counts *out;
};

static enum perr count_one(void *arg, const char *name, const uint8_t *value, size_t len)
{
	struct count *k = arg;
	enum perr err;

	(void)name;
	if (len <= RECORD_HEAD)
		return PERR_CORRUPT;
	err = envelope_decode(&k->env, value + RECORD_HEAD, len - RECORD_HEAD);
	if (err == PERR_OK)
		err = statement_decode(&k->st, k->env.statement.p, k->env.statement.len);
	if (err == PERR_UNKNOWN)
		return PERR_OK;
	if (err != PERR_OK)
		return kv_decoded(err);
	if (memcmp(k->st.to, k->desk, 32) == 0) {
		k->out->entries++;
		k->out->cases += k->st.kind == STATEMENT_INTAKE ? 1 : 0;
	}
	return PERR_OK;
}

enum perr recovery_count(struct client *c, const uint8_t desk[32], struct recovery_counts *out)
{
	struct count *k = calloc(1, sizeof *k);
	enum perr err = k == NULL ? PERR_NOMEM : PERR_OK;

	memset(out, 0, sizeof *out);
	if (err == PERR_OK) {
		k->desk = desk;
		k->out = out;
		err = kv_each(c->kv, "stmt/", count_one, k);
		sodium_memzero(k, sizeof *k);
	}
	free(k);
	return err;
}
