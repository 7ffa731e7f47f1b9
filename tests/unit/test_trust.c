/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * An administrator who lies about desks: lists charters of any kind under a true signature of
 * the roster.  No client ever seals to somebody whom the threshold of the charter before did
 * not name.  The linker gives desk.c and client.c the functions below (WRAP_test_trust).
 */
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fixture_org.h"

#include "batch.h"
#include "cache.h"
#include "charter.h"
#include "dispatch.h"
#include "press.h"
#include "roster.h"
#include "trust.h"
#include "vouch.h"

#define OK(call) assert_int_equal((call), PERR_OK)

/* ---- what the linker puts between -------------------------------------------------------------- */

static bool liar;                /* the administrator's own device checks nothing */
static bool blind;               /* control: nobody checks a chain */

enum perr __real_trust_follow(struct client *c);
enum perr __wrap_trust_follow(struct client *c);
enum perr __wrap_trust_follow(struct client *c)
{
	return liar ? PERR_OK : __real_trust_follow(c);
}

enum perr __real_charter_progress(uint32_t *n_valid, uint32_t *n_needed,
                                  const struct charter_signed *c,
                                  const struct charter_signed *previous);
enum perr __wrap_charter_progress(uint32_t *n_valid, uint32_t *n_needed,
                                  const struct charter_signed *c,
                                  const struct charter_signed *previous);
enum perr __wrap_charter_progress(uint32_t *n_valid, uint32_t *n_needed,
                                  const struct charter_signed *c,
                                  const struct charter_signed *previous)
{
	if (!blind)
		return __real_charter_progress(n_valid, n_needed, c, previous);
	*n_valid = *n_needed = 1;
	return PERR_OK;
}

/* ---- people who may be named ------------------------------------------------------------------- */

#define ACTORS 6                 /* 0 and 1 hold the desk; the last one is the liar's own key */

struct story {
	struct fixture *f;
	struct sign_key key[ACTORS];
	uint8_t prekey[ACTORS][32];
	struct rng_seeded seed;
	struct rng rng;
};

static unsigned pick(struct story *s, unsigned n)
{
	uint8_t b[4];

	rng_fill(s->rng, b, sizeof b);
	return ((unsigned)b[0] << 16 | (unsigned)b[1] << 8 | b[2]) % n;
}

/* everybody's keys are known to the client: what it does not seal to it could have sealed to */
static void give_keys(struct story *s, struct client *to)
{
	for (unsigned i = 0; i < ACTORS; i++) {
		uint8_t sks[1][32], *doc;
		struct batch b;
		char name[96];
		size_t len;

		OK(batch_make(&b, sks, s->key[i].id, 9, client_day(to), 14, 1, rng_system()));
		OK(batch_sign(&doc, &len, &b, &s->key[i]));
		memcpy(s->prekey[i], b.keys[0], 32);
		client_key_name(name, "batch/", s->key[i].id, 32);
		OK(kv_begin(to->kv));
		OK(kv_put(to->kv, name, doc, len));
		OK(kv_commit(to->kv));
		doc_free(doc, len);
	}
}

static struct story *story_new(unsigned seed)
{
	struct story *s = calloc(1, sizeof *s);
	uint8_t bytes[32] = { 0 };

	assert_non_null(s);
	memcpy(bytes, &seed, sizeof seed);
	s->rng = rng_seeded(&s->seed, bytes);
	s->f = fixture_new();
	client_sign_key(fix(s->f, FIX_HOLDER0), &s->key[0]);
	client_sign_key(fix(s->f, FIX_HOLDER1), &s->key[1]);
	for (unsigned i = 2; i < ACTORS; i++)
		signed_key_new(&s->key[i], rng_system());
	give_keys(s, fix(s->f, FIX_VOLUNTEER0));
	return s;
}

static void story_free(struct story *s)
{
	fixture_free(s->f);
	free(s);
}

/* whom an intake is sealed to now, as bits; 0: to nobody */
static unsigned sealed_to(struct story *s)
{
	struct client *v = fix(s->f, FIX_VOLUNTEER0);
	struct dispatch_readers r;
	char why[DISPATCH_WHY];
	unsigned bits = 0;

	if (dispatch_desk(v, s->f->desk, true, &r, why) != PERR_OK)
		return 0;
	for (uint32_t k = 0; k < r.n; k++) {
		unsigned i = 0;

		while (i < ACTORS && memcmp(s->prekey[i], r.pk[k], 32) != 0)
			i++;
		assert_true(i < ACTORS);
		bits |= 1u << i;
	}
	return bits;
}

/* ---- the liar's rosters ------------------------------------------------------------------------ */

static void publish(struct story *s)
{
	liar = true;
	OK(press_publish(fix(s->f, FIX_ADMIN), NULL, NULL));
	liar = false;
}

/* the desk's charters as the liar wants them */
static void list_chain(struct story *s, const struct doc_bytes *chain, size_t n, uint32_t lowest)
{
	struct roster_field *f = fix(s->f, FIX_ADMIN)->field;
	struct roster_desk *d = &f->desks[0];

	d->charters = arena_alloc(f->mem, n, sizeof *d->charters);
	assert_non_null(d->charters);
	for (size_t i = 0; i < n; i++)
		d->charters[i] = doc_bytes_of(arena_bytes(f->mem, chain[i].p, chain[i].len),
		                              chain[i].len);
	d->n_charters = (uint32_t)n;
	d->lowest_charter = lowest;
	publish(s);
}

/* the newest roster to the volunteer: adopted, or refused with the old one in force */
static enum perr offer(struct story *s)
{
	struct client *admin = fix(s->f, FIX_ADMIN), *v = fix(s->f, FIX_VOLUNTEER0);
	struct roster_bytes r = { .level = LEVEL_FIELD, .own_slot = true };
	uint8_t *header, *field;
	struct roster_keys keys;
	enum perr err;

	OK(kv_get(admin->kv, "roster/header", &header, &r.header_len));
	OK(kv_get(admin->kv, "roster/field", &field, &r.field_len));
	roster_keys_from_admin(&keys, admin->level_key);
	memcpy(r.level_key, keys.field, 32);
	r.header = header;
	r.field = field;
	err = client_adopt(v, &r);
	roster_keys_wipe(&keys);
	kv_free(header);
	kv_free(field);
	return err;
}

/* ---- charters that are true, and that lie ------------------------------------------------------- */

struct node {
	struct charter_signed ch;
	unsigned holders, threshold;
	int parent;                      /* -1: the first */
	bool is_true;                    /* as it was made: named and signed as it must be */
};

#define NODES 64

struct tree {
	struct node at[NODES];
	int n;
};

static struct node *root(struct story *s, struct tree *t)
{
	struct client *admin = fix(s->f, FIX_ADMIN);
	const struct doc_bytes *first = &admin->field->desks[0].charters[0];
	struct node *n = &t->at[0];

	OK(charter_signed_decode(&n->ch, first->p, first->len));
	n->holders = 3;
	n->threshold = 1;
	n->parent = -1;
	n->is_true = true;
	t->n = 1;
	return n;
}

static unsigned count_bits(unsigned bits)
{
	unsigned n = 0;

	for (; bits != 0; bits &= bits - 1)
		n++;
	return n;
}

/* a signature under the document that is none, in the name of an actor */
static void forge(struct story *s, struct charter_signed *ch, unsigned who)
{
	struct charter_signed other = { 0 };
	struct signed_sig sig = { .sig = { 0 } };
	uint32_t at = 0;

	memcpy(sig.key, s->key[who].id, 32);
	switch (pick(s, 3)) {
	case 0:                          /* of another document of the same actor */
		OK(charter_make(&other, "Other", "X", 1, (const uint8_t (*)[32])s->key[who].id, 1,
		                NULL));
		OK(charter_sign(&other, &s->key[who]));
		sig = other.sigs.at[0];
		charter_signed_free(&other);
		break;
	case 1:                          /* of the liar, in the actor's name */
		OK(signed_make(sig.sig, &s->key[ACTORS - 1], CHARTER_CONTEXT, ch->doc, ch->doc_len));
		break;
	default:                         /* under another context */
		OK(signed_make(sig.sig, &s->key[who], CHARTER_COUNTER_CONTEXT, ch->doc,
		               ch->doc_len));
	}
	while (at < ch->sigs.n && memcmp(ch->sigs.at[at].key, sig.key, 32) < 0)
		at++;
	if (at < ch->sigs.n && memcmp(ch->sigs.at[at].key, sig.key, 32) == 0)
		return;                  /* the true one is there */
	memmove(&ch->sigs.at[at + 1], &ch->sigs.at[at], (ch->sigs.n - at) * sizeof sig);
	ch->sigs.at[at] = sig;
	ch->sigs.n++;
}

/* some next charter upon some other; honest: signed as it must be */
static int grow(struct story *s, struct tree *t, int parent, bool honest)
{
	struct node *p = &t->at[parent], *n = &t->at[t->n];
	uint8_t ids[ACTORS][32];
	struct charter_signed before = p->ch;
	unsigned signers = 0, n_ids = 0, real = 0;

	if (t->n == NODES || p->ch.body.version + 1 >= CHARTER_CHAIN_MAX)
		return parent;
	memset(n, 0, sizeof *n);
	n->parent = parent;
	do
		n->holders = pick(s, 1u << ACTORS);
	while (n->holders == 0);
	for (unsigned i = 0; i < ACTORS; i++)
		if ((n->holders >> i & 1) != 0)
			memcpy(ids[n_ids++], s->key[i].id, 32);
	n->threshold = n_ids == 1 ? 1 : 1 + pick(s, n_ids - 1);
	n->is_true = p->is_true;
	/* the charter before may be named wrongly, or its version be another */
	if (!honest && pick(s, 4) == 0) {
		before.hash[pick(s, 32)] ^= 1;
		n->is_true = false;
	} else if (!honest && pick(s, 6) == 0 && before.body.version + 2 < CHARTER_CHAIN_MAX) {
		before.body.version++;
		n->is_true = false;
	}
	OK(charter_make(&n->ch, "Mesa Delta", "Amparo del Delta", n->threshold,
	                (const uint8_t (*)[32])ids, n_ids, &before));
	signers = honest ? p->holders : pick(s, 1u << ACTORS);
	for (unsigned i = 0; i < ACTORS; i++) {
		if ((signers >> i & 1) == 0)
			continue;
		if (!honest && pick(s, 3) == 0) {
			forge(s, &n->ch, i);
			continue;
		}
		OK(charter_sign(&n->ch, &s->key[i]));
		real |= 1u << i;
	}
	n->is_true = n->is_true && count_bits(real & p->holders) >= p->threshold;
	return t->n++;
}

static bool descends(const struct tree *t, int from, int to)
{
	while (to > from)
		to = t->at[to].parent;
	return to == from;
}

/* ---- the property --------------------------------------------------------------------------------- */

struct counts {
	unsigned offers, followed, refused, wrong, asked_too_much;
};

static size_t path(const struct tree *t, int to, int at[CHARTER_CHAIN_MAX])
{
	size_t n = 0;

	for (int i = to; i >= 0; i = t->at[i].parent)
		n++;
	for (int i = to, k = (int)n - 1; i >= 0; i = t->at[i].parent)
		at[k--] = i;
	return n;
}

static enum perr forget_pin(void *arg, const char *name)
{
	return kv_del(arg, name);
}

/* forgetful: a control, a client that keeps nothing of what it followed */
static void tell(unsigned seed, bool forgetful, struct counts *sum)
{
	struct kv *kv;
	struct story *s = story_new(seed);
	struct tree *t = calloc(1, sizeof *t);
	int followed = 0;                /* the node the client seals by */

	assert_non_null(t);
	kv = s->f->p[FIX_VOLUNTEER0].kv;
	root(s, t);
	for (unsigned step = 0; step < 50; step++) {
		struct doc_bytes chain[CHARTER_CHAIN_MAX];
		int at[CHARTER_CHAIN_MAX], tip;
		bool honest = pick(s, 3) == 0, whole = true, should;
		unsigned bits;
		size_t n;
		enum perr err;

		/* mostly upon what is followed, else anywhere: sideways, and back */
		tip = grow(s, t, pick(s, 3) > 0 ? followed : (int)pick(s, (unsigned)t->n), honest);
		if (pick(s, 5) == 0)
			tip = (int)pick(s, (unsigned)t->n);
		n = path(t, tip, at);
		for (size_t i = 0; i < n; i++) {
			uint8_t *raw;
			size_t len;

			OK(charter_signed_encode(&raw, &len, &t->at[at[i]].ch));
			chain[i] = doc_bytes_of(raw, len);
		}
		if (n > 2 && pick(s, 6) == 0) {  /* one left out, one twice */
			size_t i = 1 + pick(s, (unsigned)n - 2);
			struct doc_bytes gone = chain[i];

			chain[i] = chain[i + 1];
			list_chain(s, chain, n, 0);
			chain[i] = gone;
			whole = false;
		} else {
			list_chain(s, chain, n, t->at[tip].ch.body.version);
		}
		for (size_t i = 0; i < n; i++)
			doc_free((uint8_t *)(uintptr_t)chain[i].p, chain[i].len);
		should = whole && t->at[tip].is_true && descends(t, followed, tip);
		if (forgetful) {
			OK(kv_begin(kv));
			OK(kv_each_name(kv, "pin/", forget_pin, kv));
			OK(kv_commit(kv));
		}
		err = offer(s);
		sum->offers++;
		sum->followed += err == PERR_OK;
		sum->refused += err != PERR_OK;
		if (err == PERR_OK && should)
			followed = tip;
		/* what is right is followed without a question; what is not, never */
		sum->wrong += err == PERR_OK && !should;
		sum->wrong += err != PERR_OK && should;
		bits = sealed_to(s);
		sum->asked_too_much += bits != t->at[followed].holders;
		if (sum->wrong + sum->asked_too_much > 0)
			break;
	}
	for (int i = 0; i < t->n; i++)
		charter_signed_free(&t->at[i].ch);
	free(t);
	story_free(s);
}

static unsigned stories(void)
{
	const char *mode = getenv("AMPARO_TEST_MODE");

	return mode != NULL && strcmp(mode, "long") == 0 ? 200 : 8;
}

static void no_client_seals_to_whom_the_holders_did_not_name(void **state)
{
	struct counts sum = { 0 };
	unsigned n = stories();

	(void)state;
	for (unsigned seed = 1; seed <= n; seed++) {
		tell(seed, false, &sum);
		if (sum.wrong + sum.asked_too_much > 0)
			fail_msg("seed %u: %u wrong, %u sealed to others", seed, sum.wrong,
			         sum.asked_too_much);
	}
	print_message("figure: rosters of a lying administrator: %u; followed: %u; refused: %u; sealed to "
	              "somebody the holders did not name: 0\n", sum.offers, sum.followed, sum.refused);
	assert_true(sum.followed > n && sum.refused > n);
}

static void a_chain_that_nobody_checks_and_a_pin_that_nobody_keeps_are_caught(void **state)
{
	unsigned caught = 0, n = 4;

	(void)state;
	for (unsigned seed = 1; seed <= n; seed++) {
		struct counts sum = { 0 };

		blind = true;
		tell(seed, false, &sum);
		blind = false;
		caught += sum.wrong + sum.asked_too_much > 0;
		memset(&sum, 0, sizeof sum);
		tell(seed, true, &sum);
		caught += sum.wrong + sum.asked_too_much > 0;
	}
	print_message("figure: controls without a check of the chain, and without pins: %u of %u caught\n",
	              caught, 2 * n);
	assert_int_equal(caught, 2 * n);
}

/* ---- a desk that vouches ---------------------------------------------------------------------------- */

/* the second desk of the roster, held by actors 2 and 3, with these countersignatures */
static void list_second(struct story *s, const uint8_t *by, unsigned signers, bool forged,
                        uint8_t id[32])
{
	struct client *admin = fix(s->f, FIX_ADMIN);
	struct roster_field *f = admin->field;
	struct charter_signed ch = { 0 };
	uint8_t ids[2][32], *raw;
	size_t len;

	memcpy(ids[0], s->key[2].id, 32);
	memcpy(ids[1], s->key[3].id, 32);
	OK(charter_make(&ch, "Mesa Sur", "Otra Casa", 1, (const uint8_t (*)[32])ids, 2, NULL));
	OK(charter_sign(&ch, &s->key[2]));
	OK(charter_sign(&ch, &s->key[3]));
	for (unsigned i = 0; by != NULL && i < ACTORS; i++)
		if ((signers >> i & 1) != 0)
			OK(charter_countersign(&ch, by, &s->key[i]));
	if (forged)
		for (uint32_t i = 0; i < ch.counter[0].sigs.n; i++)
			ch.counter[0].sigs.at[i].sig[7] ^= 1;
	memcpy(id, ch.hash, 32);
	OK(charter_signed_encode(&raw, &len, &ch));
	if (f->n_desks < 2) {
		f->desks = arena_grow(f->mem, f->desks, f->n_desks, f->n_desks + 1,
		                      sizeof *f->desks);
		assert_non_null(f->desks);
		f->n_desks = 2;
	}
	f->desks[1].charters = arena_alloc(f->mem, 1, sizeof *f->desks[1].charters);
	f->desks[1].charters[0] = doc_bytes_of(arena_bytes(f->mem, raw, len), len);
	f->desks[1].n_charters = 1;
	doc_free(raw, len);
	charter_signed_free(&ch);
	publish(s);
}

static enum trust_how trusted(struct story *s, const uint8_t id[32])
{
	struct dispatch_readers r;
	char why[DISPATCH_WHY];
	enum trust_how how;
	enum perr err;

	OK(offer(s));
	OK(trust_desk(fix(s->f, FIX_VOLUNTEER0), id, &how));
	err = dispatch_desk(fix(s->f, FIX_VOLUNTEER0), id, true, &r, why);
	assert_int_equal(err, how == TRUST_UNKNOWN ? PERR_REFUSED : PERR_OK);
	return how;
}

/* the first desk is held by 0, 1 and 4 with threshold 2 from here on */
static void first_of_three(struct story *s)
{
	struct client *admin = fix(s->f, FIX_ADMIN);
	const struct doc_bytes *first = &admin->field->desks[0].charters[0];
	struct charter_signed c0, c1 = { 0 };
	uint8_t ids[3][32], *raw[2];
	struct doc_bytes chain[2];
	size_t len;

	OK(charter_signed_decode(&c0, first->p, first->len));
	memcpy(ids[0], s->key[0].id, 32);
	memcpy(ids[1], s->key[1].id, 32);
	memcpy(ids[2], s->key[4].id, 32);
	OK(charter_make(&c1, "Mesa Delta", "Amparo del Delta", 2, (const uint8_t (*)[32])ids, 3,
	                &c0));
	OK(charter_sign(&c1, &s->key[0]));
	OK(charter_signed_encode(&raw[0], &len, &c0));
	chain[0] = doc_bytes_of(raw[0], len);
	OK(charter_signed_encode(&raw[1], &len, &c1));
	chain[1] = doc_bytes_of(raw[1], len);
	list_chain(s, chain, 2, 1);
	OK(offer(s));
	for (int i = 0; i < 2; i++)
		doc_free(raw[i], chain[i].len);
	charter_signed_free(&c0);
	charter_signed_free(&c1);
}

static void an_administrator_alone_makes_no_client_trust_a_desk(void **state)
{
	static const struct {
		unsigned signers;
		bool forged, pins;
	} cases[] = {
		{ 0, false, false },
		{ 1u << 5, false, false },                       /* the administrator's own */
		{ 1u << 2 | 1u << 3, false, false },             /* the desk for itself */
		{ 1u << 0, false, false },                       /* one of two that are asked for */
		{ 1u << 0 | 1u << 5, false, false },
		{ 1u << 0 | 1u << 1, true, false },
		{ 1u << 0 | 1u << 4, false, true },              /* control */
	};
	const size_t n = sizeof cases / sizeof cases[0];
	unsigned pinned = 0;

	(void)state;
	for (size_t i = 0; i < n; i++) {
		struct story *s = story_new(100 + (unsigned)i);
		uint8_t id[32];
		enum trust_how how;

		first_of_three(s);
		list_second(s, s->f->desk, cases[i].signers, cases[i].forged, id);
		how = trusted(s, id);
		assert_int_equal(how, cases[i].pins ? TRUST_COUNTERSIGNED : TRUST_UNKNOWN);
		pinned += how != TRUST_UNKNOWN;
		/* once trusted it stays so, whatever becomes of the one that vouched */
		list_second(s, NULL, 0, false, id);
		assert_int_equal(trusted(s, id) != TRUST_UNKNOWN, cases[i].pins);
		story_free(s);
	}
	print_message("figure: ways of an administrator to have a desk trusted: %zu; trusted: 0; signed by two "
	              "holders: %u of 1 (control)\n", n - 1, pinned);
}

static void who_left_a_desk_does_not_vouch_for_another_in_its_name(void **state)
{
	struct story *s = story_new(200);
	struct client *admin = fix(s->f, FIX_ADMIN);
	const struct doc_bytes *first = &admin->field->desks[0].charters[0];
	struct charter_signed c0, c1 = { 0 };
	uint8_t ids[2][32], id[32], *raw[2];
	struct doc_bytes chain[2];
	size_t len;

	(void)state;
	OK(charter_signed_decode(&c0, first->p, first->len));
	memcpy(ids[0], s->key[1].id, 32);
	memcpy(ids[1], s->key[4].id, 32);
	OK(charter_make(&c1, "Mesa Delta", "Amparo del Delta", 1, (const uint8_t (*)[32])ids, 2,
	                &c0));
	OK(charter_sign(&c1, &s->key[1]));
	OK(charter_signed_encode(&raw[0], &len, &c0));
	chain[0] = doc_bytes_of(raw[0], len);
	OK(charter_signed_encode(&raw[1], &len, &c1));
	chain[1] = doc_bytes_of(raw[1], len);
	list_chain(s, chain, 2, 1);
	list_second(s, s->f->desk, 1u << 0, false, id);
	assert_int_equal(trusted(s, id), TRUST_UNKNOWN);
	list_second(s, s->f->desk, 1u << 4, false, id);  /* control: who came */
	assert_int_equal(trusted(s, id), TRUST_COUNTERSIGNED);
	for (int i = 0; i < 2; i++)
		doc_free(raw[i], chain[i].len);
	charter_signed_free(&c0);
	charter_signed_free(&c1);
	story_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_client_seals_to_whom_the_holders_did_not_name),
		cmocka_unit_test(a_chain_that_nobody_checks_and_a_pin_that_nobody_keeps_are_caught),
		cmocka_unit_test(an_administrator_alone_makes_no_client_trust_a_desk),
		cmocka_unit_test(who_left_a_desk_does_not_vouch_for_another_in_its_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
