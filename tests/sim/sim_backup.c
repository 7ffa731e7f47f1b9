/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * Vaults that come back from a backup, and what happens if the old device goes on: nobody
 * loses a record by it, and two devices with one signing key are noticed.
 */
#include "world.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backup.h"
#include "erasing.h"
#include "gaps.h"
#include "kv_mem.h"
#include "notices.h"
#include "prekeys.h"
#include "restored.h"
#include "roster.h"
#include "statement.h"

#define OK(call) assert_int_equal((call), PERR_OK)
#define PASS     "meadow kettle anchor violin"

static unsigned seed = 1;

/* ---- the file ------------------------------------------------------------------------------ */

struct file {
	uint8_t *p;
	size_t len;
	unsigned reads, fails_at;        /* the n-th read fails; 0: none */
};

static enum perr write_piece(void *arg, const uint8_t piece[PIECES_SIZE])
{
	struct file *f = arg;

	f->p = realloc(f->p, f->len + PIECES_SIZE);
	assert_non_null(f->p);
	memcpy(f->p + f->len, piece, PIECES_SIZE);
	f->len += PIECES_SIZE;
	return PERR_OK;
}

static enum perr read_piece(void *arg, uint32_t at, uint8_t piece[PIECES_SIZE])
{
	struct file *f = arg;

	if (++f->reads == f->fails_at)
		return PERR_IO;
	memcpy(piece, f->p + (size_t)at * PIECES_SIZE, PIECES_SIZE);
	return PERR_OK;
}

static struct file backup(struct world *w, enum world_who who, bool with_keys)
{
	struct backup_sum sum;
	struct file f = { 0 };

	OK(backup_write(w->p[who].c, PASS, strlen(PASS), VAULT_LIGHT, with_keys, write_piece, &f, &sum));
	assert_int_equal(f.len, (size_t)sum.pieces * PIECES_SIZE);
	assert_int_equal(f.len & (f.len - 1), 0);
	return f;
}

static enum perr try_open(struct file *f, const char *pass, struct backup **b,
                          struct backup_sum *sum)
{
	return backup_open(b, pass, strlen(pass), f->len, read_piece, f, sum);
}

/* the vault is what the file says; *old, if not NULL: what was there before, to go on with */
static void restore(struct world *w, enum world_who who, struct file *f, struct world_person *old)
{
	struct world_person *p = &w->p[who];
	struct backup_sum sum;
	struct backup *b;
	struct kv *kv = kv_mem_new();

	assert_non_null(kv);
	OK(try_open(f, PASS, &b, &sum));
	OK(backup_restore(b, kv, (uint32_t)(w->now / 86400)));
	backup_close(b);
	if (old != NULL) {
		*old = *p;
	} else {
		client_free(p->c);
		spool_free(p->spool);
		kv_mem_free(p->kv);
	}
	*p = (struct world_person){ .kv = kv };
	OK(spool_open(&p->spool, spool_mem_new()));
	world_reopen(w, who);
}

/* the two devices of one person take turns */
static void swap(struct world *w, enum world_who who, struct world_person *other)
{
	struct world_person p = w->p[who];

	w->p[who] = *other;
	*other = p;
}

static void forget(struct world_person *p)
{
	client_free(p->c);
	spool_free(p->spool);
	kv_mem_free(p->kv);
}

static enum perr count_alarm(void *arg, const struct notices_alarm *a)
{
	(void)a;
	(*(unsigned *)arg)++;
	return PERR_OK;
}

static unsigned alarms(struct world *w, enum world_who who)
{
	unsigned n = 0;

	OK(notices_alarms(w->p[who].c, count_alarm, &n));
	return n;
}

struct told {
	unsigned missing, twice, two;
};

static enum perr note_gap(void *arg, const struct gaps_report *r)
{
	struct told *t = arg;

	t->missing += r->gap.missing;
	t->twice += r->gap.twice;
	t->two += r->gap.two_devices ? 1 : 0;
	return PERR_OK;
}

static struct told gaps(struct world *w, enum world_who who)
{
	struct told t = { 0 };

	OK(gaps_each(w->p[who].c, note_gap, &t));
	return t;
}

/* everybody who reads syncs, twice, so that what co-holders owe each other has come */
static void days_pass(struct world *w, unsigned days)
{
	static const enum world_who readers[] = { ADMIN, HOLDER0, HOLDER1, COUNSEL };

	for (unsigned d = 0; d < days; d++) {
		world_day(w, 1);
		world_release(w);
		for (size_t i = 0; i < sizeof readers / sizeof readers[0]; i++)
			world_sync(w, readers[i]);
	}
}

static void submit(struct world *w, enum world_who who, unsigned i)
{
	world_submit(w, who, 900, i, NULL);
	world_sync(w, who);
}

/* ---- lives --------------------------------------------------------------------------------- */

static void a_restored_holder_gets_back_what_the_backup_lacks(void **state)
{
	struct world *w = world_full(seed);
	struct prekeys_info info;
	struct file f;
	unsigned i;

	world_day(w, 3);
	for (i = 0; i < 3; i++)
		submit(w, VOLUNTEER0, i);
	days_pass(w, 2);
	f = backup(w, HOLDER0, false);
	for (; i < 6; i++)
		submit(w, VOLUNTEER1, i);
	days_pass(w, 2);
	/* sealed to keys that are gone with the vault, and never seen by it */
	for (; i < 8; i++)
		submit(w, VOLUNTEER0, i);
	restore(w, HOLDER0, &f, NULL);
	assert_int_equal(world_count(w, HOLDER0, "prekey/"), 0);
	assert_int_equal(world_count(w, HOLDER0, "want/"), 0);
	assert_int_equal(world_count(w, HOLDER0, "blob/"), 3);
	world_release(w);
	world_sync(w, HOLDER0);
	OK(prekeys_info(w->p[HOLDER0].c, &info));
	assert_int_not_equal(info.batches, 0);
	days_pass(w, 4);
	/* some phones still seal to the keys of before; what comes by them is given back, too */
	for (; i < 10; i++)
		submit(w, VOLUNTEER1, i);
	days_pass(w, 10);
	for (unsigned k = 0; k < i; k++) {
		assert_true(world_has(w, HOLDER0, 900, k));
		assert_true(world_has(w, HOLDER1, 900, k));
	}
	assert_int_equal(alarms(w, HOLDER0), 0);
	assert_int_equal(gaps(w, HOLDER0).missing, 0);
	assert_int_equal(gaps(w, HOLDER1).missing + gaps(w, HOLDER1).twice, 0);
	print_message("figure: records at a restored holder: 3 in the backup, %u in the end of %u\n",
	              world_count(w, HOLDER0, "blob/"), i);
	free(f.p);
	world_free(w);
}

/* a family that took its consent back after the backup was made */
static enum perr first_record(void *arg, const char *name)
{
	uint8_t *record = arg;
	size_t len;

	return sodium_is_zero(record, 16) &&
	       sodium_hex2bin(record, 16, name + 5, 32, NULL, &len, NULL) != 0 ? PERR_CORRUPT : PERR_OK;
}

static void what_was_erased_since_leaves_the_restored_vault(void **state)
{
	struct world *w = world_full(seed);
	uint8_t record[16] = { 0 };
	struct erasing_told told;
	char why[DISPATCH_WHY];
	struct file f;

	world_day(w, 3);
	submit(w, VOLUNTEER0, 0);
	days_pass(w, 2);
	f = backup(w, HOLDER0, false);
	OK(kv_each_name(w->p[HOLDER1].kv, "case/", first_record, record));
	OK(erasing_say(w->p[HOLDER1].c, record, STATEMENT_ERASE_ORDER, "they asked", &told, why));
	days_pass(w, 8);
	assert_int_equal(world_count(w, HOLDER0, "blob/"), 0);
	restore(w, HOLDER0, &f, NULL);
	assert_int_equal(world_count(w, HOLDER0, "blob/"), 1);
	days_pass(w, 12);
	assert_int_equal(world_count(w, HOLDER0, "blob/"), 0);
	assert_int_equal(world_count(w, HOLDER0, "case/"), 0);
	assert_int_equal(world_count(w, HOLDER1, "blob/"), 0);
	free(f.p);
	world_free(w);
}

static void a_restored_phone_uses_no_number_twice(void **state)
{
	struct world *w = world_full(seed);
	struct file f;
	unsigned i;
	struct told t;

	world_day(w, 3);
	submit(w, VOLUNTEER0, 0);
	f = backup(w, VOLUNTEER0, false);
	for (i = 1; i < 4; i++)
		submit(w, VOLUNTEER0, i);
	days_pass(w, 2);
	restore(w, VOLUNTEER0, &f, NULL);
	world_sync(w, VOLUNTEER0);
	for (; i < 6; i++)
		submit(w, VOLUNTEER0, i);
	days_pass(w, 2);
	for (unsigned k = 0; k < i; k++)
		assert_true(world_has(w, HOLDER0, 900, k));
	t = gaps(w, HOLDER0);
	assert_int_equal(t.missing + t.twice + t.two, 0);
	free(f.p);
	world_free(w);
}

/* the control of the one above: without the new stretch the numbers repeat, and that shows */
static void without_a_new_stretch_numbers_repeat(void **state)
{
	struct world *w = world_full(seed);
	struct file f;

	world_day(w, 3);
	submit(w, VOLUNTEER0, 0);
	f = backup(w, VOLUNTEER0, false);
	submit(w, VOLUNTEER0, 1);
	days_pass(w, 1);
	restore(w, VOLUNTEER0, &f, NULL);
	OK(kv_begin(w->p[VOLUNTEER0].kv));
	OK(kv_del(w->p[VOLUNTEER0].kv, "restored"));
	OK(kv_commit(w->p[VOLUNTEER0].kv));
	world_sync(w, VOLUNTEER0);
	submit(w, VOLUNTEER0, 2);
	days_pass(w, 1);
	assert_int_equal(gaps(w, HOLDER0).twice, 1);
	free(f.p);
	world_free(w);
}

static void a_phone_that_goes_on_beside_its_copy_shows(void **state)
{
	struct world *w = world_full(seed);
	struct world_person old;
	struct file f;

	world_day(w, 3);
	submit(w, VOLUNTEER0, 0);
	f = backup(w, VOLUNTEER0, false);
	days_pass(w, 2);
	restore(w, VOLUNTEER0, &f, &old);
	world_sync(w, VOLUNTEER0);
	submit(w, VOLUNTEER0, 1);
	days_pass(w, 2);
	assert_int_equal(gaps(w, HOLDER0).two, 0);
	swap(w, VOLUNTEER0, &old);
	submit(w, VOLUNTEER0, 2);
	days_pass(w, 1);
	assert_int_equal(gaps(w, HOLDER0).two, 1);
	assert_int_equal(gaps(w, HOLDER1).two, 1);
	assert_int_equal(gaps(w, HOLDER0).missing, 0);
	forget(&old);
	free(f.p);
	world_free(w);
}

static void a_reader_that_goes_on_beside_its_copy_alarms_both(void **state)
{
	struct world *w = world_full(seed);
	struct world_person old;
	struct file f;

	world_day(w, 3);
	days_pass(w, 1);
	f = backup(w, HOLDER0, false);
	days_pass(w, 1);
	restore(w, HOLDER0, &f, &old);
	world_sync(w, HOLDER0);
	days_pass(w, 1);
	assert_int_equal(alarms(w, HOLDER0), 0);
	/* the old device finds a batch that it did not make, and makes one above it */
	swap(w, HOLDER0, &old);
	world_sync(w, HOLDER0);
	assert_int_not_equal(alarms(w, HOLDER0), 0);
	world_sync(w, HOLDER0);
	world_release(w);
	swap(w, HOLDER0, &old);
	days_pass(w, 1);
	assert_int_not_equal(alarms(w, HOLDER0), 0);
	forget(&old);
	free(f.p);
	world_free(w);
}

static void the_only_holders_keys_go_in_when_she_says_so(void **state)
{
	struct world *w = world_full(seed);
	struct backup_sum sum;
	struct backup *b;
	struct file f;
	char name[65];
	bool is;

	OK(backup_is_sole_holder(w->p[HOLDER0].c, &is, name, sizeof name));
	assert_false(is);
	/* her co-holder is no member any more */
	for (uint32_t i = 0; i < w->p[HOLDER0].c->staff->n_members; i++)
		if (memcmp(w->p[HOLDER0].c->staff->members[i].key, w->p[HOLDER1].c->me->sign_pk, 32) == 0)
			w->p[HOLDER0].c->staff->members[i].key[0] ^= 1;
	OK(backup_is_sole_holder(w->p[HOLDER0].c, &is, name, sizeof name));
	assert_true(is);
	assert_string_equal(name, "Mesa Delta");
	world_reopen(w, HOLDER0);
	f = backup(w, HOLDER0, true);
	OK(try_open(&f, PASS, &b, &sum));
	assert_int_not_equal(sum.halves, 0);
	backup_close(b);
	submit(w, VOLUNTEER0, 0);
	restore(w, HOLDER0, &f, NULL);
	world_release(w);
	world_sync(w, HOLDER0);
	assert_true(world_has(w, HOLDER0, 900, 0));
	free(f.p);
	world_free(w);
}

/* ---- the file in bad hands, and cut ------------------------------------------------------------- */

static void a_bad_file_restores_nothing(void **state)
{
	struct world *w = world_full(seed);
	struct file f, cut;
	struct backup_sum sum;
	struct backup *b;
	struct kv *kv;
	unsigned n, whole;
	enum perr err;

	f = backup(w, VOLUNTEER0, false);
	assert_int_equal(try_open(&f, "meadow kettle anchor", &b, &sum), PERR_AUTH);
	assert_null(b);
	cut = (struct file){ f.p, f.len / 2, 0, 0 };
	err = try_open(&cut, PASS, &b, &sum);
	assert_true(err == PERR_AUTH || err == PERR_FORMAT);
	cut.len = f.len - 1;
	assert_int_equal(try_open(&cut, PASS, &b, &sum), PERR_FORMAT);
	f.p[f.len - 40] ^= 1;
	assert_int_equal(try_open(&f, PASS, &b, &sum), PERR_CORRUPT);
	f.p[f.len - 40] ^= 1;
	/* the disk with the file goes away in the middle of restoring: it belongs to nobody */
	OK(try_open(&f, PASS, &b, &sum));
	whole = sum.records;
	kv = kv_mem_new();
	for (n = 1; n < 100; n++) {
		uint8_t *value;

		f.reads = 0;
		f.fails_at = n;
		err = backup_restore(b, kv, 20010);
		if (err == PERR_OK)
			break;
		assert_int_equal(kv_get(kv, "me", &value, NULL), PERR_NOTFOUND);
	}
	assert_int_equal(n, f.len / PIECES_SIZE + 1);
	for (n = 1; n < 10; n++) {
		struct kv *other = kv_mem_new();
		uint8_t *value;

		f.fails_at = 0;
		kv_mem_fail_commit(other, n);
		err = backup_restore(b, other, 20010);
		if (err == PERR_OK) {
			kv_mem_free(other);
			break;
		}
		assert_int_equal(kv_get(other, "me", &value, NULL), PERR_NOTFOUND);
		OK(backup_restore(b, other, 20010));
		OK(kv_get(other, "me", &value, NULL));
		kv_free(value);
		kv_mem_free(other);
	}
	assert_true(n > 2);
	backup_close(b);
	print_message("figure: restoring %u records cut at each read and commit; half vaults that belong "
	              "to somebody: 0\n", whole);
	kv_mem_free(kv);
	free(f.p);
	world_free(w);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_restored_holder_gets_back_what_the_backup_lacks),
		cmocka_unit_test(what_was_erased_since_leaves_the_restored_vault),
		cmocka_unit_test(a_restored_phone_uses_no_number_twice),
		cmocka_unit_test(without_a_new_stretch_numbers_repeat),
		cmocka_unit_test(a_phone_that_goes_on_beside_its_copy_shows),
		cmocka_unit_test(a_reader_that_goes_on_beside_its_copy_alarms_both),
		cmocka_unit_test(the_only_holders_keys_go_in_when_she_says_so),
		cmocka_unit_test(a_bad_file_restores_nothing),
	};

	if (sodium_init() < 0)
		return 1;
	if (argc > 1)
		seed = (unsigned)strtoul(argv[1], NULL, 10);
	print_message("seed %u\n", seed);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
