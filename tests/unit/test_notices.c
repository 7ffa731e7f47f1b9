/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "fixture_org.h"

#include "batch.h"
#include "board.h"
#include "charter.h"
#include "notices.h"
#include "prekeys.h"
#include "roster.h"

#define OK(call) assert_int_equal((call), PERR_OK)

static enum notices_taken take(struct client *c, const uint8_t cell[CELL_SIZE])
{
	enum notices_taken taken;

	OK(kv_begin(c->kv));
	OK(notices_take(c, cell, &taken));
	OK(kv_commit(c->kv));
	return taken;
}

static enum perr count_name(void *arg, const char *name)
{
	(*(unsigned *)arg)++;
	return PERR_OK;
}

static unsigned count(struct client *c, const char *prefix)
{
	unsigned n = 0;

	OK(kv_each_name(c->kv, prefix, count_name, &n));
	return n;
}

static enum perr count_alarm(void *arg, const struct notices_alarm *a)
{
	(*(unsigned *)arg)++;
	return PERR_OK;
}

static unsigned alarms(struct client *c)
{
	unsigned n = 0;

	OK(notices_alarms(c, count_alarm, &n));
	return n;
}

/* a batch signed by k, sealed by `by` to the field or staff board */
static void batch_cell(struct client *by, bool staff, const struct sign_key *k, uint32_t number,
                       uint8_t cell[CELL_SIZE])
{
	uint8_t sks[1][32], *doc, ds[32];
	struct batch b;
	size_t len;

	OK(batch_make(&b, sks, k->id, number, client_day(by), 14, 1, by->env.rng));
	OK(batch_sign(&doc, &len, &b, k));
	OK(notices_seal(by, staff, BOARD_BATCH, doc, len, cell, ds));
	doc_free(doc, len);
}

static void key_of(struct fixture *f, enum fixture_who who, struct sign_key *k)
{
	client_sign_key(fix(f, who), k);
}

/* ---- batches ---------------------------------------------------------------------------------- */

static void the_highest_batch_of_a_holder_counts(void **state)
{
	struct fixture *f = fixture_new();
	struct client *v = fix(f, FIX_VOLUNTEER0), *h = fix(f, FIX_HOLDER0);
	uint8_t cell[CELL_SIZE], before[32], pk[32];
	struct sign_key k;

	key_of(f, FIX_HOLDER0, &k);
	OK(prekey_for(v, k.id, client_day(v), before));
	batch_cell(h, false, &k, 7, cell);
	assert_int_equal(take(v, cell), NOTICE_BATCH);
	assert_int_equal(take(v, cell), NOTICE_NOTHING);
	OK(prekey_for(v, k.id, client_day(v), pk));
	assert_memory_not_equal(pk, before, 32);
	memcpy(before, pk, 32);
	batch_cell(h, false, &k, 6, cell);
	assert_int_equal(take(v, cell), NOTICE_NOTHING);
	batch_cell(h, false, &k, 7, cell);               /* another under the same number */
	assert_int_equal(take(v, cell), NOTICE_NOTHING);
	OK(prekey_for(v, k.id, client_day(v), pk));
	assert_memory_equal(pk, before, 32);
	fixture_free(f);
}

static void batches_of_strangers_fill_no_vault(void **state)
{
	struct fixture *f = fixture_new();
	struct client *v = fix(f, FIX_VOLUNTEER0), *h = fix(f, FIX_HOLDER0);
	uint8_t cell[CELL_SIZE];
	unsigned i, before = count(h, "");
	struct sign_key k;

	for (i = 0; i < 20; i++) {
		signed_key_new(&k, v->env.rng);
		batch_cell(v, false, &k, 1, cell);
		assert_int_equal(take(h, cell), NOTICE_NOTHING);
	}
	/* a volunteer is no reader either */
	key_of(f, FIX_VOLUNTEER1, &k);
	batch_cell(v, false, &k, 1, cell);
	assert_int_equal(take(h, cell), NOTICE_NOTHING);
	assert_int_equal(count(h, ""), before);
	fixture_free(f);
}

static void a_batch_in_somebody_elses_name_is_passed_over(void **state)
{
	struct fixture *f = fixture_new();
	struct client *v = fix(f, FIX_VOLUNTEER0), *c = fix(f, FIX_COUNSEL);
	uint8_t sks[1][32], *doc, *inner, ds[32], cell[CELL_SIZE];
	struct signed_sigs sigs = { 0 };
	struct sign_key k;
	struct batch b;
	size_t len, inner_len;

	key_of(f, FIX_COUNSEL, &k);
	OK(batch_make(&b, sks, fix(f, FIX_HOLDER0)->me->sign_pk, 9, client_day(v), 14, 1,
	              v->env.rng));
	assert_int_equal(batch_sign(&doc, &len, &b, &k), PERR_KEY);
	OK(batch_encode(&inner, &inner_len, &b));
	OK(signed_add(&sigs, &k, BATCH_CONTEXT, inner, inner_len));
	OK(signed_pack(&doc, &len, inner, inner_len, &sigs));
	OK(notices_seal(c, false, BOARD_BATCH, doc, len, cell, ds));
	assert_int_equal(take(v, cell), NOTICE_NOTHING);
	doc_free(doc, len);
	doc_free(inner, inner_len);
	fixture_free(f);
}

static void any_cell_at_all_does_no_harm(void **state)
{
	struct fixture *f = fixture_new();
	struct client *v = fix(f, FIX_VOLUNTEER0), *h = fix(f, FIX_HOLDER0);
	uint8_t cell[CELL_SIZE], good[CELL_SIZE], payload[64] = { 0x92, 1, 0xc4, 0 };
	struct reader_key board;
	struct sign_key k;
	unsigned i;

	for (i = 0; i < 50; i++) {
		randombytes_buf(cell, sizeof cell);
		assert_int_equal(take(v, cell), NOTICE_NOTHING);
	}
	key_of(f, FIX_HOLDER0, &k);
	batch_cell(h, false, &k, 5, good);
	for (i = 0; i < CELL_SIZE; i += 37) {
		memcpy(cell, good, sizeof cell);
		cell[i] ^= 1;
		assert_int_equal(take(v, cell), NOTICE_NOTHING);
	}
	/* well sealed, of another form, or with nonsense inside */
	board_key(&board, h->field->board_sk);
	OK(cell_seal(cell, NULL, CELL_STATEMENT, payload, 4, board.pk, &h->seasons[0], h->env.rng));
	assert_int_equal(take(v, cell), NOTICE_NOTHING);
	for (i = 0; i < sizeof payload; i++) {
		OK(cell_seal(cell, NULL, CELL_BOARD, payload, i, board.pk, &h->seasons[0],
		             h->env.rng));
		assert_int_equal(take(v, cell), NOTICE_NOTHING);
	}
	assert_int_equal(take(v, good), NOTICE_BATCH);
	fixture_free(f);
}

/* ---- what was not made here ------------------------------------------------------------------- */

static void a_batch_under_ones_own_key_is_an_alarm_once(void **state)
{
	struct fixture *f = fixture_new();
	struct client *h = fix(f, FIX_HOLDER0);
	struct prekeys_info info;
	uint8_t cell[CELL_SIZE];
	struct sign_key k;

	OK(prekeys_renew(h, false, NULL));
	OK(prekeys_info(h, &info));
	key_of(f, FIX_HOLDER0, &k);
	batch_cell(fix(f, FIX_HOLDER1), false, &k, info.number + 3, cell);
	assert_int_equal(take(h, cell), NOTICE_ALARM);
	assert_int_equal(alarms(h), 1);
	assert_int_equal(take(h, cell), NOTICE_NOTHING);
	assert_int_equal(alarms(h), 1);
	OK(notices_alarms_seen(h));
	assert_int_equal(alarms(h), 0);
	assert_int_equal(take(h, cell), NOTICE_NOTHING);
	assert_int_equal(alarms(h), 0);
	/* and the next own batch stands above it */
	OK(prekeys_renew(h, false, NULL));
	OK(prekeys_info(h, &info));
	assert_int_equal(info.number, 6);
	fixture_free(f);
}

static void ones_own_batch_is_no_alarm(void **state)
{
	struct fixture *f = fixture_new();
	struct client *h = fix(f, FIX_HOLDER0);
	uint8_t cell[CELL_SIZE], ds[32], *doc;
	char name[96];
	size_t len;

	OK(prekeys_renew(h, false, NULL));
	client_key_name(name, "batch/", h->me->sign_pk, 32);
	OK(kv_get(h->kv, name, &doc, &len));
	OK(notices_seal(h, false, BOARD_BATCH, doc, len, cell, ds));
	kv_free(doc);
	assert_int_equal(take(h, cell), NOTICE_NOTHING);
	assert_int_equal(alarms(h), 0);
	fixture_free(f);
}

/* ---- charters --------------------------------------------------------------------------------- */

static void charter_cell(struct client *by, const struct charter_signed *ch,
                         uint8_t cell[CELL_SIZE])
{
	uint8_t *raw, ds[32];
	size_t len;

	OK(charter_signed_encode(&raw, &len, ch));
	OK(notices_seal(by, false, BOARD_CHARTER, raw, len, cell, ds));
	doc_free(raw, len);
}

static void propose(struct fixture *f, struct charter_signed *ch, const char *name)
{
	uint8_t holders[2][32];

	memcpy(holders[0], fix(f, FIX_HOLDER0)->me->sign_pk, 32);
	memcpy(holders[1], fix(f, FIX_COUNSEL)->me->sign_pk, 32);
	OK(charter_make(ch, name, "Amparo del Delta", 1, (const uint8_t (*)[32])holders, 2, NULL));
}

static void sign(struct fixture *f, enum fixture_who who, struct charter_signed *ch)
{
	struct sign_key k;

	key_of(f, who, &k);
	OK(charter_sign(ch, &k));
}

static uint32_t signatures(struct client *c, const struct charter_signed *ch)
{
	struct charter_signed have;
	char name[96];
	uint8_t *value;
	uint32_t n = 0, needed;
	size_t len;

	client_key_name(name, "charter/", ch->hash, 32);
	OK(kv_get(c->kv, name, &value, &len));
	OK(charter_signed_decode(&have, value, len));
	OK(charter_progress(&n, &needed, &have, NULL));
	charter_signed_free(&have);
	kv_free(value);
	return n;
}

static void signatures_of_a_charter_come_together(void **state)
{
	struct fixture *f = fixture_new();
	struct client *reader = fix(f, FIX_HOLDER1);
	struct charter_signed a = { 0 }, b = { 0 };
	uint8_t cell[CELL_SIZE];

	propose(f, &a, "Mesa Norte");
	propose(f, &b, "Mesa Norte");
	sign(f, FIX_HOLDER0, &a);
	sign(f, FIX_COUNSEL, &b);
	sign(f, FIX_VOLUNTEER0, &b);                     /* not of a holder: not kept */
	charter_cell(fix(f, FIX_HOLDER0), &a, cell);
	assert_int_equal(take(reader, cell), NOTICE_CHARTER);
	assert_int_equal(take(reader, cell), NOTICE_NOTHING);
	assert_int_equal(signatures(reader, &a), 1);
	charter_cell(fix(f, FIX_COUNSEL), &b, cell);
	assert_int_equal(take(reader, cell), NOTICE_CHARTER);
	assert_int_equal(signatures(reader, &a), 2);
	/* volunteers have nothing to collect */
	assert_int_equal(take(fix(f, FIX_VOLUNTEER0), cell), NOTICE_NOTHING);
	charter_signed_free(&a);
	charter_signed_free(&b);
	fixture_free(f);
}

static void a_charter_signed_in_ones_name_is_an_alarm(void **state)
{
	struct fixture *f = fixture_new();
	struct charter_signed a = { 0 };
	uint8_t cell[CELL_SIZE];

	propose(f, &a, "Mesa Norte");
	sign(f, FIX_COUNSEL, &a);
	charter_cell(fix(f, FIX_HOLDER0), &a, cell);
	assert_int_equal(take(fix(f, FIX_COUNSEL), cell), NOTICE_ALARM);
	assert_int_equal(alarms(fix(f, FIX_COUNSEL)), 1);
	assert_int_equal(take(fix(f, FIX_HOLDER1), cell), NOTICE_CHARTER);
	assert_int_equal(alarms(fix(f, FIX_HOLDER1)), 0);
	charter_signed_free(&a);
	fixture_free(f);
}

static void proposals_are_kept_up_to_a_bound(void **state)
{
	struct fixture *f = fixture_new();
	struct client *reader = fix(f, FIX_HOLDER1);
	unsigned i;

	for (i = 0; i < NOTICES_CHARTERS_MAX + 8; i++) {
		struct charter_signed a = { 0 };
		uint8_t cell[CELL_SIZE];
		char name[4] = { 'M', (char)('A' + i % 26), (char)('a' + i / 26), '\0' };

		propose(f, &a, name);
		charter_cell(fix(f, FIX_HOLDER0), &a, cell);
		(void)take(reader, cell);
		charter_signed_free(&a);
	}
	assert_int_equal(count(reader, "charter/"), NOTICES_CHARTERS_MAX);
	fixture_free(f);
}

static void a_charter_of_nobody_we_know_is_passed_over(void **state)
{
	struct fixture *f = fixture_new();
	struct charter_signed a = { 0 };
	uint8_t cell[CELL_SIZE], holders[2][32];

	randombytes_buf(holders, sizeof holders);
	OK(charter_make(&a, "Mesa Falsa", "X", 1, (const uint8_t (*)[32])holders, 2, NULL));
	charter_cell(fix(f, FIX_VOLUNTEER0), &a, cell);
	assert_int_equal(take(fix(f, FIX_HOLDER1), cell), NOTICE_NOTHING);
	charter_signed_free(&a);
	fixture_free(f);
}

static void seals_only_under_keys_that_are_known(void **state)
{
	struct fixture *f = fixture_new();
	uint8_t cell[CELL_SIZE], ds[32], doc[4] = { 1, 2, 3, 4 };

	assert_int_equal(notices_seal(fix(f, FIX_VOLUNTEER0), true, BOARD_BATCH, doc, 4, cell, ds),
	                 PERR_NOTFOUND);
	OK(notices_seal(fix(f, FIX_HOLDER0), true, BOARD_BATCH, doc, 4, cell, ds));
	assert_int_equal(take(fix(f, FIX_VOLUNTEER0), cell), NOTICE_NOTHING);
	fixture_free(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_highest_batch_of_a_holder_counts),
		cmocka_unit_test(batches_of_strangers_fill_no_vault),
		cmocka_unit_test(a_batch_in_somebody_elses_name_is_passed_over),
		cmocka_unit_test(any_cell_at_all_does_no_harm),
		cmocka_unit_test(a_batch_under_ones_own_key_is_an_alarm_once),
		cmocka_unit_test(ones_own_batch_is_no_alarm),
		cmocka_unit_test(signatures_of_a_charter_come_together),
		cmocka_unit_test(a_charter_signed_in_ones_name_is_an_alarm),
		cmocka_unit_test(proposals_are_kept_up_to_a_bound),
		cmocka_unit_test(a_charter_of_nobody_we_know_is_passed_over),
		cmocka_unit_test(seals_only_under_keys_that_are_known),
	};

	return sodium_init() < 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
