/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "fixture_org.h"

#include "batch.h"
#include "board.h"
#include "doc.h"
#include "kv_mem.h"
#include "notices.h"
#include "post.h"
#include "prekeys.h"
#include "roster.h"

#define OK(call) assert_int_equal((call), PERR_OK)
#define DAY 86400

static unsigned keys_of(struct client *c, bool all)
{
	struct reader_key *keys;
	size_t n;

	OK(prekeys_readers(c, all, &keys, &n));
	prekeys_drop(keys);
	return (unsigned)n;
}

static enum perr keep_post(void *arg, const char *slot, const struct post *p)
{
	if (strcmp(slot, "batch") == 0)
		*(struct post *)arg = *p;
	return PERR_OK;
}

/* ---- making them ------------------------------------------------------------------------------ */

static void a_first_batch_lasts_half_a_year(void **state)
{
	struct fixture *f = fixture_new();
	struct client *c = fix(f, FIX_COUNSEL);
	struct prekeys_info info;
	uint8_t pk[32], later[32];
	bool made;

	OK(prekeys_renew(c, false, &made));
	assert_true(made);
	OK(prekeys_info(c, &info));
	assert_int_equal(info.keys, 13);
	assert_true(info.last_day >= client_day(c) + 181);
	assert_false(info.posted);
	OK(prekey_for(c, c->me->sign_pk, client_day(c), pk));
	OK(prekey_for(c, c->me->sign_pk, client_day(c) + 13, later));
	assert_memory_equal(pk, later, 32);
	OK(prekey_for(c, c->me->sign_pk, client_day(c) + 14, later));
	assert_memory_not_equal(pk, later, 32);
	/* after the last day: the last one, whatever the clock says */
	OK(prekey_for(c, c->me->sign_pk, info.last_day, pk));
	OK(prekey_for(c, c->me->sign_pk, info.last_day + 1000, later));
	assert_memory_equal(pk, later, 32);
	fixture_free(f);
}

static void the_next_batch_comes_when_less_than_half_is_left(void **state)
{
	struct fixture *f = fixture_new();
	struct client *c = fix(f, FIX_COUNSEL);
	struct prekeys_info info;
	unsigned days;
	uint32_t number;
	bool made;

	OK(prekeys_renew(c, false, NULL));
	OK(prekeys_info(c, &info));
	number = info.number;
	for (days = 0, made = false; !made; days++) {
		OK(prekeys_renew(c, false, &made));
		f->now += DAY;
	}
	assert_in_range(days, 88, 95);
	OK(prekeys_info(c, &info));
	assert_int_equal(info.number, number + 1);
	assert_int_equal(info.batches, 2);
	OK(prekeys_renew(c, true, &made));
	assert_true(made);
	fixture_free(f);
}

static void whoever_reads_nothing_publishes_nothing(void **state)
{
	struct fixture *f = fixture_new();

	assert_int_equal(prekeys_renew(fix(f, FIX_VOLUNTEER0), false, NULL), PERR_STATE);
	assert_int_equal(prekeys_renew(fix(f, FIX_ADMIN), true, NULL), PERR_STATE);
	OK(prekeys_repost(fix(f, FIX_VOLUNTEER0)));
	fixture_free(f);
}

static void a_failed_commit_leaves_no_half_batch(void **state)
{
	struct fixture *f = fixture_new();
	struct client *c = fix(f, FIX_COUNSEL);
	struct prekeys_info info;

	kv_mem_fail_commit(c->kv, 1);
	assert_int_equal(prekeys_renew(c, false, NULL), PERR_IO);
	OK(prekeys_info(c, &info));
	assert_int_equal(info.batches, 0);
	assert_int_equal(info.keys, 0);
	OK(prekeys_renew(c, false, NULL));
	fixture_free(f);
}

/* a restored backup has no private prekeys: the next number is above what the board showed */
static void a_restored_vault_goes_on_above_its_old_number(void **state)
{
	struct fixture *f = fixture_new();
	struct client *c = fix(f, FIX_HOLDER0);          /* batch/<own> 1, without halves */
	struct prekeys_info info;

	OK(prekeys_renew(c, false, NULL));
	OK(prekeys_info(c, &info));
	assert_int_equal(info.number, 2);
	fixture_free(f);
}

/* ---- reading ---------------------------------------------------------------------------------- */

/*
 * A vault begun anew had not seen the board when it made its first batch: the lost vault's has
 * the same number, and others go on sealing to that.
 */
static void a_batch_under_ones_own_number_is_overtaken(void **state)
{
	struct fixture *f = fixture_new();
	struct client *c = fix(f, FIX_HOLDER0);
	uint8_t sks[2][32], cell[CELL_SIZE], ds[CELL_DS_SIZE], *doc;
	struct batch *b = malloc(sizeof *b);
	enum notices_taken taken;
	struct prekeys_info info;
	struct sign_key k;
	size_t len;
	bool made;

	assert_non_null(b);
	OK(prekeys_renew(c, false, &made));
	assert_true(made);
	OK(prekeys_info(c, &info));
	client_sign_key(c, &k);
	OK(batch_make(b, sks, c->me->sign_pk, info.number, client_day(c), 90, 2, c->env.rng));
	OK(batch_sign(&doc, &len, b, &k));
	signed_key_wipe(&k);
	OK(notices_seal(c, false, BOARD_BATCH, doc, len, cell, ds));
	OK(kv_begin(c->kv));
	OK(notices_take(c, cell, &taken));
	OK(kv_commit(c->kv));
	assert_int_equal(taken, NOTICE_ALARM);
	OK(prekeys_renew(c, false, &made));
	assert_true(made);
	OK(prekeys_info(c, &info));
	assert_int_equal(info.number, b->number + 1);
	/* once: what was overtaken is known, and no further one is made */
	OK(kv_begin(c->kv));
	OK(notices_take(c, cell, &taken));
	OK(kv_commit(c->kv));
	OK(prekeys_renew(c, false, &made));
	assert_false(made);
	sodium_memzero(sks, sizeof sks);
	doc_free(doc, len);
	free(b);
	fixture_free(f);
}

static void keys_up_to_the_next_one_are_tried(void **state)
{
	struct fixture *f = fixture_new();
	struct client *c = fix(f, FIX_COUNSEL);
	struct reader_key *keys;
	uint8_t pk[32];
	size_t n;

	OK(prekeys_renew(c, false, NULL));
	assert_int_equal(keys_of(c, false), 2);
	assert_int_equal(keys_of(c, true), 13);
	f->now += 15 * DAY;
	assert_int_equal(keys_of(c, false), 3);
	/* a second batch: those of the first are still tried, the newest come first */
	OK(prekeys_renew(c, true, NULL));
	OK(prekeys_readers(c, false, &keys, &n));
	assert_int_equal(n, 5);
	OK(prekey_for(c, c->me->sign_pk, client_day(c), pk));
	assert_memory_equal(keys[1].pk, pk, 32);
	prekeys_drop(keys);
	fixture_free(f);
}

static void a_key_that_cannot_be_right_is_not_sealed_to(void **state)
{
	struct fixture *f = fixture_new();
	struct client *v = fix(f, FIX_VOLUNTEER0);
	const uint8_t *owner = fix(f, FIX_HOLDER0)->me->sign_pk;
	char name[96], other[96];
	uint8_t pk[32], zero[32] = { 0 }, *value, *foreign;
	size_t len, foreign_len;

	OK(prekey_for(v, owner, client_day(v), pk));
	assert_int_equal(prekey_for(v, v->me->sign_pk, client_day(v), pk), PERR_NOTFOUND);
	/* one bit of the batch is another */
	client_key_name(name, "batch/", owner, 32);
	OK(kv_get(v->kv, name, &value, &len));
	value[len / 2] ^= 4;
	OK(kv_begin(v->kv));
	OK(kv_put(v->kv, name, value, len));
	OK(kv_commit(v->kv));
	kv_free(value);
	assert_int_equal(prekey_for(v, owner, client_day(v), pk), PERR_CORRUPT);
	assert_memory_equal(pk, zero, 32);
	/* another holder's batch in its place */
	client_key_name(other, "batch/", fix(f, FIX_HOLDER1)->me->sign_pk, 32);
	OK(kv_get(v->kv, other, &foreign, &foreign_len));
	OK(kv_begin(v->kv));
	OK(kv_put(v->kv, name, foreign, foreign_len));
	OK(kv_commit(v->kv));
	kv_free(foreign);
	assert_int_equal(prekey_for(v, owner, client_day(v), pk), PERR_CORRUPT);
	fixture_free(f);
}

static void a_batch_below_the_lowest_number_is_not_sealed_to(void **state)
{
	struct fixture *f = fixture_new();
	struct client *v = fix(f, FIX_VOLUNTEER0);
	struct roster_desk *d = &v->field->desks[0];
	struct roster_lowest low = { .number = 2 };
	uint8_t pk[32];

	memcpy(low.owner, fix(f, FIX_HOLDER0)->me->sign_pk, 32);
	d->lowest = &low;
	d->n_lowest = 1;
	assert_int_equal(prekey_for(v, low.owner, client_day(v), pk), PERR_NOTFOUND);
	low.number = 1;
	OK(prekey_for(v, low.owner, client_day(v), pk));
	d->n_lowest = 0;
	d->lowest = NULL;
	fixture_free(f);
}

/* ---- under which board key -------------------------------------------------------------------- */

static void volunteers_can_read_batches_of_holders_only(void **state)
{
	struct fixture *f = fixture_new();
	static const uint8_t server[32] = { 1 };
	struct client *v = fix(f, FIX_VOLUNTEER0);
	static const enum fixture_who who[2] = { FIX_HOLDER0, FIX_COUNSEL };
	unsigned i;

	for (i = 0; i < 2; i++) {
		struct client *c = fix(f, who[i]);
		enum notices_taken taken;
		struct post p = { 0 };

		OK(prekeys_renew(c, false, NULL));
		OK(post_each_due(c, server, keep_post, &p));
		OK(kv_begin(v->kv));
		OK(notices_take(v, p.cell, &taken));
		OK(kv_commit(v->kv));
		assert_int_equal(taken, who[i] == FIX_HOLDER0 ? NOTICE_BATCH : NOTICE_NOTHING);
	}
	fixture_free(f);
}

static void a_new_board_key_gets_the_batch_again(void **state)
{
	struct fixture *f = fixture_new();
	struct client *c = fix(f, FIX_HOLDER0);
	static const uint8_t server[32] = { 1 };
	struct post before = { 0 }, after = { 0 };

	OK(prekeys_renew(c, false, NULL));
	OK(post_each_due(c, server, keep_post, &before));
	OK(prekeys_repost(c));                           /* nothing to do */
	OK(post_each_due(c, server, keep_post, &after));
	assert_memory_equal(before.cell, after.cell, CELL_SIZE);
	c->field->board_sk[5] ^= 1;
	OK(prekeys_repost(c));
	OK(post_each_due(c, server, keep_post, &after));
	assert_memory_not_equal(before.cell, after.cell, CELL_SIZE);
	fixture_free(f);
}

/* ---- destroying ------------------------------------------------------------------------------- */

static const struct prekey_life dead = {
	.last_day = 1000, .newest_first_day = 900, .scanned_through = 1030, .grace_days = 30
};

static void every_doubt_keeps_a_key(void **state)
{
	struct prekey_life l = dead;

	assert_true(prekey_may_die(&l));
	l.scanned_through = 1029;
	assert_false(prekey_may_die(&l));
	l.scanned_through = 0;
	assert_false(prekey_may_die(&l));
	l = dead;
	l.wants = 1;
	assert_false(prekey_may_die(&l));
	l = dead;
	l.is_holder = true;
	assert_false(prekey_may_die(&l));
	l.custody_through = 1029;
	assert_false(prekey_may_die(&l));
	l.custody_through = 1030;
	assert_true(prekey_may_die(&l));
	/* sums that would wrap */
	l = dead;
	l.last_day = UINT32_MAX;
	l.scanned_through = UINT32_MAX;
	assert_false(prekey_may_die(&l));
}

static void the_last_key_is_kept_for_those_who_know_no_other(void **state)
{
	struct prekey_life l = dead;

	l.is_newest_batch = true;
	assert_true(prekey_may_die(&l));
	l.is_final = true;
	l.scanned_through = UINT32_MAX;
	assert_false(prekey_may_die(&l));
	/* of an older batch: half a year after the newest began */
	l.is_newest_batch = false;
	l.scanned_through = 900 + PREKEYS_AHEAD_DAYS + 29;
	assert_false(prekey_may_die(&l));
	l.scanned_through++;
	assert_true(prekey_may_die(&l));
}

static void what_the_rule_allows_is_erased(void **state)
{
	struct fixture *f = fixture_new();
	struct client *c = fix(f, FIX_COUNSEL);
	unsigned n;
	uint32_t day;

	OK(prekeys_renew(c, false, NULL));
	day = client_day(c);
	f->now += 70 * DAY;
	OK(prekeys_retire(c, day + 27 + 30, 1, 0, &n));  /* an attachment is missing */
	assert_int_equal(n, 0);
	OK(prekeys_retire(c, day + 27 + 30, 0, 0, &n));  /* the keys of days 0..13 and 14..27 */
	assert_int_equal(n, 2);
	assert_int_equal(keys_of(c, true), 11);
	OK(prekeys_retire(c, UINT32_MAX, 0, 0, &n));
	assert_int_equal(keys_of(c, true), 1);
	OK(prekeys_retire(c, UINT32_MAX, 0, 0, &n));
	assert_int_equal(n, 0);
	fixture_free(f);
}

static void a_holder_keeps_all_without_custody(void **state)
{
	struct fixture *f = fixture_new();
	struct client *c = fix(f, FIX_HOLDER0);
	unsigned n;

	OK(prekeys_renew(c, false, NULL));
	OK(prekeys_retire(c, UINT32_MAX, 0, 0, &n));
	assert_int_equal(n, 0);
	OK(prekeys_retire(c, UINT32_MAX, 0, client_day(c) + 13 + 30, &n));
	assert_int_equal(n, 1);
	fixture_free(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_first_batch_lasts_half_a_year),
		cmocka_unit_test(the_next_batch_comes_when_less_than_half_is_left),
		cmocka_unit_test(whoever_reads_nothing_publishes_nothing),
		cmocka_unit_test(a_failed_commit_leaves_no_half_batch),
		cmocka_unit_test(a_restored_vault_goes_on_above_its_old_number),
		cmocka_unit_test(a_batch_under_ones_own_number_is_overtaken),
		cmocka_unit_test(keys_up_to_the_next_one_are_tried),
		cmocka_unit_test(a_key_that_cannot_be_right_is_not_sealed_to),
		cmocka_unit_test(a_batch_below_the_lowest_number_is_not_sealed_to),
		cmocka_unit_test(volunteers_can_read_batches_of_holders_only),
		cmocka_unit_test(a_new_board_key_gets_the_batch_again),
		cmocka_unit_test(every_doubt_keeps_a_key),
		cmocka_unit_test(the_last_key_is_kept_for_those_who_know_no_other),
		cmocka_unit_test(what_the_rule_allows_is_erased),
		cmocka_unit_test(a_holder_keeps_all_without_custody),
	};

	return sodium_init() < 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
