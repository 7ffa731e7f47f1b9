/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * A desk with a paper holder: the ceremony cut at its write, the board cleared, a family that
 * withdraws its consent, and in the end every vault of the desk lost, a server too, with the
 * stream cut on the way.  Everything acknowledged comes back, by any three of five shares.
 *
 * Controls: the same restoring with the keys of another seed brings nothing; two shares are no
 * key; a share that was changed and made whole again is named.
 */
#include "world.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "batch.h"
#include "cache.h"
#include "case.h"
#include "ceremony.h"
#include "charters.h"
#include "dispatch.h"
#include "erase.h"
#include "papers.h"
#include "post.h"
#include "record.h"
#include "recovery.h"
#include "steward.h"

#define OK(call) assert_int_equal((call), PERR_OK)
#define NEED 3
#define OF   5

static unsigned seed = 1;

/* ---- a store whose n-th write is its last -------------------------------------------------- */

struct cut_kv {
	struct kv kv;                    /* first */
	struct kv *under;
	unsigned writes, at;             /* at 0: never */
};

static bool is_cut(struct kv *kv)
{
	struct cut_kv *k = (struct cut_kv *)kv;

	return ++k->writes >= k->at && k->at != 0;
}
static struct kv *under(struct kv *kv)
{
	return ((struct cut_kv *)kv)->under;
}
static enum perr cut_begin(struct kv *kv)
{
	return kv_begin(under(kv));
}
static enum perr cut_commit(struct kv *kv)
{
	return is_cut(kv) ? PERR_IO : kv_commit(under(kv));
}
static void cut_abort(struct kv *kv)
{
	kv_abort(under(kv));
}
static enum perr cut_put(struct kv *kv, const char *name, const uint8_t *value, size_t len)
{
	return is_cut(kv) ? PERR_IO : kv_put(under(kv), name, value, len);
}
static enum perr cut_get(struct kv *kv, const char *name, uint8_t **value, size_t *len)
{
	return kv_get(under(kv), name, value, len);
}
static enum perr cut_del(struct kv *kv, const char *name)
{
	return is_cut(kv) ? PERR_IO : kv_del(under(kv), name);
}
static enum perr cut_erase(struct kv *kv, const char *name)
{
	return is_cut(kv) ? PERR_IO : kv_erase(under(kv), name);
}
static enum perr cut_settle(struct kv *kv)
{
	return kv_settle(under(kv));
}
static enum perr cut_each(struct kv *kv, const char *prefix, kv_each_fn *fn, void *arg)
{
	return kv_each(under(kv), prefix, fn, arg);
}
static enum perr cut_names(struct kv *kv, const char *prefix, kv_name_fn *fn, void *arg)
{
	return kv_each_name(under(kv), prefix, fn, arg);
}
static const struct kv_ops cut_ops = {
	.begin = cut_begin, .commit = cut_commit, .abort = cut_abort, .put = cut_put,
	.get = cut_get, .del = cut_del, .erase = cut_erase, .settle = cut_settle,
	.each = cut_each, .each_name = cut_names
};

/* ---- helpers ------------------------------------------------------------------------------- */

struct sheets {
	struct paper_share at[OF];
};

static struct ceremony *prepare(struct world *w, struct sheets *s)
{
	char why[CHARTERS_WHY];
	struct ceremony *m;

	OK(ceremony_new(&m, w->p[HOLDER0].c, w->desk, NEED, OF, why));
	for (uint32_t i = 1; i <= OF; i++) {
		uint16_t words[PAPER_WORDS];

		s->at[i - 1] = *ceremony_share(m, i);
		OK(paper_share_words(words, &s->at[i - 1]));
		OK(ceremony_read_words(m, i, words, why));
	}
	return m;
}

/* what was published is listed, and everybody has it */
static void list_it(struct world *w)
{
	for (int i = 0; i < 2; i++) {
		world_sync(w, HOLDER0);
		world_release(w);
		world_sync(w, ADMIN);
		world_push(w);
		for (enum world_who who = HOLDER0; who <= VOLUNTEER1; who++)
			world_sync(w, who);
	}
}

static void hold_ceremony(struct world *w, struct sheets *s)
{
	char why[CHARTERS_WHY];
	struct ceremony *m = prepare(w, s);

	OK(ceremony_publish(m, why));
	ceremony_free(m);
	list_it(w);
	w->readers = 3;
}

static struct recovery *bring(struct client *c, const struct sheets *s, unsigned a, unsigned b,
                              unsigned d)
{
	const unsigned order[NEED] = { a, b, d };
	char why[RECOVERY_WHY] = "";
	struct recovery *r;

	OK(recovery_new(&r, c));
	for (unsigned i = 0; i < NEED; i++) {
		assert_int_equal(recovery_join(r, why), PERR_MORE);
		OK(recovery_add(r, &s->at[order[i] - 1], why));
	}
	OK(recovery_join(r, why));
	return r;
}

static struct papers_info paper_of(struct world *w, enum world_who who)
{
	struct papers_info p;

	OK(papers_of_desk(w->p[who].c, w->desk, &p));
	return p;
}

static bool has_paper(struct world *w, enum world_who who)
{
	struct papers_info p;
	enum perr err = papers_of_desk(w->p[who].c, w->desk, &p);

	assert_true(err == PERR_OK || err == PERR_NOTFOUND);
	return err == PERR_OK;
}

static uint32_t pick(struct world *w, uint32_t n)
{
	uint8_t b[4];

	rng_fill(w->rng, b, sizeof b);
	return ((uint32_t)b[0] << 16 | (uint32_t)b[1] << 8 | b[2]) % n;
}

/* ---- the ceremony -------------------------------------------------------------------------- */

static unsigned traces(struct world *w)
{
	return world_count(w, HOLDER0, "paper/") + world_count(w, HOLDER0, "post/paper") +
	       world_count(w, HOLDER0, "postmark/");
}

static void a_ceremony_cut_at_any_write_leaves_nothing(void **state)
{
	struct world *w = world_full(seed);
	struct client *c = w->p[HOLDER0].c;
	struct cut_kv cut = { .kv = { &cut_ops }, .under = c->kv };
	unsigned before = world_count(w, HOLDER0, ""), charters = world_count(w, HOLDER0, "charter/");
	char why[CHARTERS_WHY];
	struct sheets s;
	enum perr err = PERR_IO;

	(void)state;
	for (cut.at = 1; err != PERR_OK; cut.at++) {
		struct ceremony *m = prepare(w, &s);

		assert_true(cut.at < 100);
		c->kv = &cut.kv;
		cut.writes = 0;
		err = ceremony_publish(m, why);
		c->kv = cut.under;
		ceremony_free(m);
		if (err == PERR_OK)
			break;
		assert_int_equal(err, PERR_IO);
		assert_int_equal(traces(w), 0);
		assert_int_equal(world_count(w, HOLDER0, ""), before);
	}
	/* behind the last write it is there whole */
	assert_true(cut.at > 8);
	assert_int_equal(world_count(w, HOLDER0, "paper/"), 1);
	assert_int_equal(world_count(w, HOLDER0, "charter/"), charters + 1);
	assert_int_equal(world_count(w, HOLDER0, "post/paper"), 2);
	world_free(w);
}

static void nothing_is_published_before_every_sheet_was_read_back(void **state)
{
	struct world *w = world_full(seed);
	char why[CHARTERS_WHY];
	struct paper_share other;
	struct ceremony *m;
	uint16_t words[PAPER_WORDS];

	(void)state;
	OK(ceremony_new(&m, w->p[HOLDER0].c, w->desk, NEED, OF, why));
	for (uint32_t i = 1; i <= OF; i++) {
		assert_int_equal(ceremony_publish(m, why), PERR_STATE);
		/* another sheet in its place */
		other = *ceremony_share(m, i % OF + 1);
		assert_int_equal(ceremony_read(m, i, &other, why), PERR_REFUSED);
		assert_non_null(strstr(why, "sheet of share"));
		/* its number with other bytes */
		other = *ceremony_share(m, i);
		other.bytes[7] ^= 1;
		assert_int_equal(ceremony_read(m, i, &other, why), PERR_REFUSED);
		/* two misread words */
		OK(paper_share_words(words, ceremony_share(m, i)));
		words[11] ^= 3;
		words[30] ^= 1;
		assert_int_equal(ceremony_read_words(m, i, words, why), PERR_REFUSED);
		assert_non_null(strstr(why, "word 12 is"));
		assert_non_null(strstr(why, "word 31 is"));
		words[11] ^= 3;
		words[30] ^= 1;
		OK(ceremony_read_words(m, i, words, why));
	}
	assert_int_equal(traces(w), 0);
	OK(ceremony_publish(m, why));
	ceremony_free(m);
	world_free(w);
}

/* ---- day by day ------------------------------------------------------------------------------ */

/* the device that held the ceremony is gone; the board is cleared, then its key changes */
static void a_co_holder_puts_the_keys_back_on_a_board_that_lost_them(void **state)
{
	struct world *w = world_full(seed);
	struct steward_server r;
	struct sheets s;
	char name[96];
	struct papers_info p;

	(void)state;
	hold_ceremony(w, &s);
	p = paper_of(w, HOLDER1);
	assert_true(p.has_doc && p.has_batch);
	for (unsigned i = 0; i < WORLD_SERVERS; i++)
		OK(steward_board_clear(w->p[ADMIN].c, &w->net, i, &r));
	world_release(w);
	world_sync(w, HOLDER1);
	world_sync(w, HOLDER1);
	world_release(w);
	/* somebody who never saw it */
	client_key_name(name, "batch/", p.key, 32);
	OK(kv_begin(w->p[VOLUNTEER0].kv));
	OK(kv_del(w->p[VOLUNTEER0].kv, name));
	OK(kv_commit(w->p[VOLUNTEER0].kv));
	w->readers = 2;
	world_submit(w, VOLUNTEER0, 10, 1, NULL);
	world_sync(w, VOLUNTEER0);
	w->readers = 3;
	world_submit(w, VOLUNTEER0, 10, 2, NULL);
	OK(kv_begin(w->p[COUNSEL].kv));
	client_key_name(name, "paper/", p.key, 32);
	OK(kv_del(w->p[COUNSEL].kv, name));
	OK(kv_commit(w->p[COUNSEL].kv));
	world_sync(w, COUNSEL);
	assert_true(paper_of(w, COUNSEL).has_doc);
	world_free(w);
}

static void a_rehearsal_is_known_to_the_other_holders(void **state)
{
	struct world *w = world_full(seed);
	struct recovery *r;
	struct sheets s;
	char why[RECOVERY_WHY];
	unsigned before;

	(void)state;
	hold_ceremony(w, &s);
	world_day(w, 40);
	assert_int_equal(paper_of(w, HOLDER1).doc.rehearsed, 0);
	before = world_count(w, HOLDER1, "");
	r = bring(w->p[HOLDER1].c, &s, 5, 1, 4);
	OK(recovery_rehearse(r, why));
	recovery_free(r);
	/* the document and its copy for the board, nothing else */
	assert_true(world_count(w, HOLDER1, "") <= before + 2);
	world_sync(w, HOLDER1);
	world_release(w);
	world_sync(w, HOLDER0);
	assert_int_equal(paper_of(w, HOLDER0).doc.rehearsed, client_day(w->p[HOLDER0].c));
	world_free(w);
}

/* paper can erase nothing: what it could open goes with the copies of the living */
static void what_a_family_has_erased_paper_opens_no_more(void **state)
{
	for (int erase = 1; erase >= 0; erase--) {
		struct world *w = world_full(seed);
		struct recovery *r;
		struct sheets s;
		char why[RECOVERY_WHY];
		struct erase_sum sum;

		(void)state;
		hold_ceremony(w, &s);
		world_submit(w, VOLUNTEER0, 9000, 1, NULL);
		world_sync(w, VOLUNTEER0);
		world_release(w);
		world_sync(w, HOLDER0);
		if (erase) {
			OK(erase_record(w->p[HOLDER0].c, w->record, &sum));
			world_sync(w, HOLDER0);
		}
		for (int i = 0; i < 5; i++) {
			world_day(w, 1);
			world_release(w);
		}
		r = bring(w->p[COUNSEL].c, &s, 1, 2, 3);
		OK(recovery_begin(r, NULL, 0, true, why));
		world_sync(w, COUNSEL);
		recovery_free(r);
		assert_int_equal(world_count(w, COUNSEL, "stmt/"), erase ? 0 : 1);
		world_free(w);
	}
}

/* ---- all is lost --------------------------------------------------------------------------- */

struct truth {
	unsigned n;
	size_t size[64];
};

static void weeks(struct world *w, struct truth *t)
{
	for (unsigned day = 0; day < 6; day++) {
		unsigned n = pick(w, 4);

		for (unsigned i = 0; i < n; i++) {
			enum world_who who = pick(w, 2) ? VOLUNTEER0 : VOLUNTEER1;

			t->size[t->n] = 1 + pick(w, 20000);
			w->instance = pick(w, 2) ? 0 : pick(w, 9000);
			world_submit(w, who, t->size[t->n], 100 + t->n, NULL);
			t->n++;
		}
		world_sync(w, VOLUNTEER0);
		world_sync(w, VOLUNTEER1);
		world_release(w);
		if (pick(w, 2))
			world_sync(w, HOLDER0);
		world_day(w, 1 + (int)pick(w, 5));
	}
}

static unsigned whole(struct world *w, enum world_who who, const struct truth *t)
{
	unsigned n = 0;

	for (unsigned i = 0; i < t->n; i++)
		n += world_has(w, who, t->size[i], 100 + i) ? 1 : 0;
	return n;
}

/* begins again with the shares until a visit was whole, as a person would */
static void restore(struct world *w, const struct sheets *s, bool cuts)
{
	for (unsigned try = 0;; try++) {
		char why[RECOVERY_WHY];
		struct recovery *r = bring(w->p[COUNSEL].c, s, 1 + try % 5, 1 + (try + 2) % 5,
		                           1 + (try + 3) % 5);
		enum perr err;

		OK(recovery_begin(r, NULL, 0, false, why));
		w->cut_at = cuts && try < 4 ? 20000 + pick(w, 400000) : WORLD_NO_CUT;
		err = world_try(w, COUNSEL);
		w->cut_at = WORLD_NO_CUT;
		recovery_free(r);
		assert_null(w->p[COUNSEL].c->borrowed);
		world_reopen(w, COUNSEL);
		if (err == PERR_OK && (!cuts || try >= 4))
			return;
	}
}

static void story(unsigned with_seed, bool lose_server, bool cuts)
{
	struct world *w = world_full(with_seed);
	struct truth t = { .n = 0 };
	struct dispatch_readers readers;
	char why[DISPATCH_WHY];
	struct sheets s;

	hold_ceremony(w, &s);
	weeks(w, &t);
	/* the office is searched: both vaults, and one of the two servers */
	if (lose_server)
		world_stop(w, 0);
	assert_int_equal(world_count(w, COUNSEL, "stmt/"), 0);
	restore(w, &s, cuts);
	assert_int_equal(world_count(w, COUNSEL, "stmt/"), t.n);
	assert_int_equal(whole(w, COUNSEL, &t), t.n);
	/* and nobody has to do anything for what comes after */
	if (lose_server)
		world_start(w, 0);
	world_sync(w, COUNSEL);
	world_release(w);
	world_sync(w, ADMIN);
	world_push(w);
	world_sync_on(w, COUNSEL);
	world_release(w);
	world_sync(w, VOLUNTEER0);
	OK(dispatch_desk(w->p[VOLUNTEER0].c, w->desk, true, &readers, why));
	assert_int_equal(readers.n_holders, 1);
	assert_int_equal(readers.n, 1);
	assert_false(readers.has_paper);
	w->readers = 1;
	w->instance = 0;
	world_submit(w, VOLUNTEER0, 300, 999, NULL);
	world_sync(w, VOLUNTEER0);
	world_release(w);
	world_sync_on(w, COUNSEL);
	assert_int_equal(world_count(w, COUNSEL, "stmt/"), t.n + 1);
	assert_true(cache_is_holder(w->p[COUNSEL].c, w->desk, w->p[COUNSEL].c->me->sign_pk));
	assert_int_equal(world_count(w, COUNSEL, "recovered/"), 0);
	world_free(w);
}

static void every_record_comes_back_by_any_three_of_five(void **state)
{
	(void)state;
	story(seed, false, false);
}

static void with_one_server_left_and_the_stream_cut_as_well(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 2; i++)
		story(seed + 1 + i, i == 0, true);
}

/* one of two vaults is lost, and nobody meets a threshold: who is left stays */
static void whose_vault_is_not_lost_stays_a_holder(void **state)
{
	struct world *w = world_full(seed);
	struct dispatch_readers readers;
	uint8_t keep[1][32];
	char why[RECOVERY_WHY], no_readers[DISPATCH_WHY];
	struct recovery *r;
	struct sheets s;

	(void)state;
	hold_ceremony(w, &s);
	world_submit(w, VOLUNTEER0, 4000, 1, NULL);
	world_sync(w, VOLUNTEER0);
	world_release(w);
	world_sync(w, HOLDER1);
	memcpy(keep[0], w->p[HOLDER1].c->me->sign_pk, 32);
	r = bring(w->p[COUNSEL].c, &s, 3, 4, 5);
	OK(recovery_begin(r, (const uint8_t (*)[32])keep, 1, false, why));
	world_sync(w, COUNSEL);
	recovery_free(r);
	world_release(w);
	world_sync(w, ADMIN);
	world_push(w);
	for (int i = 0; i < 2; i++) {
		world_sync_on(w, HOLDER1);
		world_sync_on(w, COUNSEL);
		world_release(w);
	}
	world_sync(w, VOLUNTEER0);
	OK(dispatch_desk(w->p[VOLUNTEER0].c, w->desk, true, &readers, no_readers));
	assert_int_equal(readers.n_holders, 2);
	assert_int_equal(readers.n, 2);
	assert_true(cache_is_holder(w->p[HOLDER1].c, w->desk, keep[0]));
	assert_false(cache_is_holder(w->p[HOLDER1].c, w->desk, w->p[HOLDER0].c->me->sign_pk));
	assert_false(has_paper(w, HOLDER1));
	/* the shares are burnt: the same paper signs no second charter */
	r = bring(w->p[COUNSEL].c, &s, 1, 2, 3);
	assert_false(recovery_paper(r)->in_force);
	OK(recovery_begin(r, NULL, 0, false, why));
	world_sync(w, COUNSEL);
	recovery_free(r);
	world_release(w);
	world_sync(w, ADMIN);
	world_push(w);
	world_sync_on(w, HOLDER1);
	assert_true(cache_is_holder(w->p[HOLDER1].c, w->desk, keep[0]));
	world_free(w);
}

/* ---- what must not work ---------------------------------------------------------------------- */

static void the_keys_of_another_seed_bring_nothing(void **state)
{
	struct world *w = world_full(seed);
	struct truth t = { .n = 0 };
	struct reader_key keys[PAPER_KEYS];
	uint8_t (*sks)[32] = calloc(PAPER_KEYS, 32), other[32];
	struct batch *b = calloc(1, sizeof *b);
	struct sheets s;

	(void)state;
	assert_true(sks != NULL && b != NULL);
	hold_ceremony(w, &s);
	weeks(w, &t);
	randombytes_buf(other, sizeof other);
	paper_batch(b, sks, other, 20000);
	for (unsigned i = 0; i < PAPER_KEYS; i++) {
		memcpy(keys[i].sk, sks[i], 32);
		memcpy(keys[i].pk, b->keys[i], 32);
	}
	w->p[COUNSEL].c->borrowed = keys;
	w->p[COUNSEL].c->n_borrowed = PAPER_KEYS;
	world_sync(w, COUNSEL);
	w->p[COUNSEL].c->borrowed = NULL;
	w->p[COUNSEL].c->n_borrowed = 0;
	assert_true(t.n > 0);
	assert_int_equal(world_count(w, COUNSEL, "stmt/"), 0);
	free(sks);
	free(b);
	world_free(w);
}

static void shares_that_do_not_belong_are_named(void **state)
{
	struct world *w = world_full(seed);
	struct client *c = w->p[HOLDER1].c;
	struct sheets first, s;
	struct paper_share x;
	char why[RECOVERY_WHY], name[96];
	struct recovery *r;
	struct papers_info p;

	(void)state;
	hold_ceremony(w, &first);
	world_day(w, 30);
	hold_ceremony(w, &s);
	p = paper_of(w, HOLDER1);
	assert_true(has_paper(w, HOLDER0));
	/* of the year before: alone it may be used to restore, not to rehearse */
	r = bring(c, &first, 1, 2, 3);
	assert_false(recovery_paper(r)->in_force);
	assert_int_equal(recovery_rehearse(r, why), PERR_REFUSED);
	assert_non_null(strstr(why, "replaced"));
	recovery_free(r);
	OK(recovery_new(&r, c));
	OK(recovery_add(r, &s.at[3], why));
	assert_int_equal(recovery_add(r, &first.at[1], why), PERR_REFUSED);
	assert_non_null(strstr(why, "share 2 belongs to another set, of 20"));
	assert_int_equal(recovery_add(r, &s.at[3], why), PERR_REFUSED);
	assert_non_null(strstr(why, "share 4 is there already"));
	/* made whole again by somebody who changed it: the proof tells */
	x = s.at[0];
	x.bytes[0] ^= 1;
	assert_int_equal(recovery_add(r, &x, why), PERR_REFUSED);
	assert_non_null(strstr(why, "share 1 is whole, and it is not the one that was made"));
	recovery_free(r);
	/* a device that knows no proofs: one share more tells which one it is */
	client_key_name(name, "paper/", p.key, 32);
	OK(kv_begin(c->kv));
	OK(kv_del(c->kv, name));
	OK(kv_commit(c->kv));
	OK(recovery_new(&r, c));
	OK(recovery_add(r, &s.at[3], why));
	OK(recovery_add(r, &x, why));
	assert_int_equal(recovery_join(r, why), PERR_MORE);
	OK(recovery_add(r, &s.at[1], why));
	assert_int_equal(recovery_join(r, why), PERR_REFUSED);
	assert_non_null(strstr(why, "bring one more"));
	assert_false(recovery_is_joined(r));
	OK(recovery_add(r, &s.at[4], why));
	assert_int_equal(recovery_join(r, why), PERR_REFUSED);
	assert_non_null(strstr(why, "share 1 is not the one that was made"));
	assert_true(recovery_is_joined(r));
	recovery_free(r);
	/* another organisation's */
	OK(recovery_new(&r, c));
	x.set[0] ^= 1;
	assert_int_equal(recovery_add(r, &x, why), PERR_REFUSED);
	assert_non_null(strstr(why, "no desk known here"));
	recovery_free(r);
	world_free(w);
}

static void who_does_not_read_records_restores_none(void **state)
{
	struct world *w = world_full(seed);
	struct sheets s;
	char why[RECOVERY_WHY];
	struct recovery *r;

	(void)state;
	hold_ceremony(w, &s);
	r = bring(w->p[ADMIN].c, &s, 1, 2, 3);
	assert_int_equal(recovery_begin(r, NULL, 0, false, why), PERR_REFUSED);
	assert_null(w->p[ADMIN].c->borrowed);
	assert_int_equal(recovery_rehearse(r, why), PERR_STATE);
	recovery_free(r);
	world_free(w);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_ceremony_cut_at_any_write_leaves_nothing),
		cmocka_unit_test(nothing_is_published_before_every_sheet_was_read_back),
		cmocka_unit_test(a_co_holder_puts_the_keys_back_on_a_board_that_lost_them),
		cmocka_unit_test(a_rehearsal_is_known_to_the_other_holders),
		cmocka_unit_test(what_a_family_has_erased_paper_opens_no_more),
		cmocka_unit_test(every_record_comes_back_by_any_three_of_five),
		cmocka_unit_test(with_one_server_left_and_the_stream_cut_as_well),
		cmocka_unit_test(whose_vault_is_not_lost_stays_a_holder),
		cmocka_unit_test(the_keys_of_another_seed_bring_nothing),
		cmocka_unit_test(shares_that_do_not_belong_are_named),
		cmocka_unit_test(who_does_not_read_records_restores_none),
	};

	if (argc > 1)
		seed = (unsigned)strtoul(argv[1], NULL, 10);
	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
