/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * kv_rows and the ops of a vault: kv.h's contract, the journal as a store writes it, kills
 * between any two writes, damage, settling, failing memory.
 */
#include <sodium.h>
#include <stdlib.h>
#include <time.h>

#include "kv_contract.h"
#include "kv_rows.h"
#include "pwhash_once.h"
#include "starve.h"
#include "web.h"

#define PASS "lime river cotton basket window seven"

/* ---- a store as the page has one ---- */

struct disk_row {
	uint8_t rk[32];
	uint8_t *row;
	size_t len;
};

struct disk {
	uint8_t header[VAULT_HEADER_SIZE];
	bool has_header;
	struct disk_row *rows;
	size_t n;
};

static void disk_clear(struct disk *d)
{
	for (size_t i = 0; i < d->n; i++)
		free(d->rows[i].row);
	free(d->rows);
	memset(d, 0, sizeof *d);
}

static struct disk disk_copy(const struct disk *from)
{
	struct disk d = *from;

	d.rows = calloc(d.n + 1, sizeof *d.rows);
	assert_non_null(d.rows);
	for (size_t i = 0; i < d.n; i++) {
		d.rows[i] = from->rows[i];
		d.rows[i].row = malloc(d.rows[i].len);
		assert_non_null(d.rows[i].row);
		memcpy(d.rows[i].row, from->rows[i].row, d.rows[i].len);
	}
	return d;
}

static void disk_put(struct disk *d, const uint8_t *rk, const uint8_t *row, size_t len)
{
	size_t i;

	for (i = 0; i < d->n && memcmp(d->rows[i].rk, rk, 32) != 0; i++)
		;
	if (i < d->n)
		free(d->rows[i].row);
	if (len == 0) {
		if (i < d->n)
			d->rows[i] = d->rows[--d->n];
		return;
	}
	if (i == d->n) {
		d->rows = realloc(d->rows, (d->n + 1) * sizeof *d->rows);
		assert_non_null(d->rows);
		d->n++;
	}
	memcpy(d->rows[i].rk, rk, 32);
	d->rows[i].row = malloc(len);
	assert_non_null(d->rows[i].row);
	memcpy(d->rows[i].row, row, len);
	d->rows[i].len = len;
}

/* what the last call changed, all of it; how many */
static size_t disk_take(struct disk *d, struct kv_rows *v)
{
	size_t most = kv_rows_changes(v), n = 0;

	for (;; n++) {
		uint8_t *c;
		size_t len;

		ok(kv_rows_change(v, &c, &len));
		if (c == NULL)
			break;
		assert_int_equal(kv_len(c), len);
		switch (c[0]) {
		case 'c':
			disk_clear(d);
			break;
		case 'h':
			assert_int_equal(len, 1 + VAULT_HEADER_SIZE);
			memcpy(d->header, c + 1, VAULT_HEADER_SIZE);
			d->has_header = true;
			break;
		case 'r':
			assert_true(len >= 33);
			disk_put(d, c + 1, c + 33, len - 33);
			break;
		default:
			fail_msg("a change of kind %d", c[0]);
		}
		kv_free(c);
	}
	assert_true(n <= most);
	assert_true(most == 0 || n > 0);
	assert_int_equal(kv_rows_changes(v), 0);
	return n;
}

static enum perr disk_load(const struct disk *d, const char *pass, struct kv_rows **out)
{
	enum perr err = kv_rows_unlock(out, d->header, sizeof d->header, pass, strlen(pass));

	for (size_t i = 0; i < d->n && err == PERR_OK; i++)
		err = kv_rows_load(*out, d->rows[i].rk, d->rows[i].row, d->rows[i].len);
	if (err == PERR_OK)
		err = kv_rows_open(*out);
	if (err != PERR_OK) {
		kv_rows_free(*out);
		*out = NULL;
	}
	return err;
}

static struct kv_rows *disk_open(const struct disk *d)
{
	struct kv_rows *v;

	ok(disk_load(d, PASS, &v));
	return v;
}

/* Argon2id once: the others begin with a copy. */
static void fresh(struct disk *d, struct kv_rows **v)
{
	static struct disk first;

	if (!first.has_header) {
		ok(kv_rows_create(v, PASS, strlen(PASS), VAULT_LIGHT));
		assert_int_equal(disk_take(&first, *v), 2);
		kv_rows_free(*v);
	}
	*d = disk_copy(&first);
	*v = disk_open(d);
}

/* every name and value, as one digest */
static enum perr digest_one(void *arg, const char *name, const uint8_t *value, size_t len)
{
	crypto_generichash_update(arg, (const uint8_t *)name, strlen(name) + 1);
	crypto_generichash_update(arg, value, len);
	return PERR_OK;
}

static void digest(struct kv *kv, uint8_t out[32])
{
	crypto_generichash_state st;

	crypto_generichash_init(&st, NULL, 0, 32);
	ok(kv_each(kv, "", digest_one, &st));
	crypto_generichash_final(&st, out, 32);
}

/* ---- claims ---- */

static void sealed_rows_keep_the_contract(void **state)
{
	struct disk d;
	struct kv_rows *v;
	uint8_t a[32], b[32];

	(void)state;
	fresh(&d, &v);
	check_contract(kv_rows_kv(v));
	digest(kv_rows_kv(v), a);
	disk_take(&d, v);
	kv_rows_free(v);
	v = disk_open(&d);
	digest(kv_rows_kv(v), b);
	assert_memory_equal(a, b, 32);
	expect(kv_rows_kv(v), "m/9", "late");
	kv_rows_free(v);
	disk_clear(&d);
}

static void a_kiosk_keeps_the_contract_and_tells_nothing(void **state)
{
	struct kv_rows *v;
	uint8_t *c;
	size_t len;

	(void)state;
	ok(kv_rows_new_kiosk(&v));
	check_contract(kv_rows_kv(v));
	assert_int_equal(kv_rows_changes(v), 0);
	ok(kv_rows_change(v, &c, &len));
	assert_null(c);
	assert_false(kv_rows_owes(v));
	assert_int_equal(kv_rows_passphrase(v, "x", 1, VAULT_LIGHT), PERR_STATE);
	kv_rows_free(v);
}

static void every_prefix_of_journals_opens_with_what_was_committed(void **state)
{
	enum { STEPS = 400 };
	struct disk d;
	struct kv_rows *v, *again;
	struct rng_seeded st;
	uint8_t seed[32] = { 7 }, a[32], b[32], value[5000];
	unsigned settled = 0, aborted = 0;
	struct rng rng = rng_seeded(&st, seed);

	(void)state;
	fresh(&d, &v);
	for (int step = 0; step < STEPS; step++) {
		struct kv *kv = kv_rows_kv(v);
		uint8_t r[16];
		bool is_abort;

		rng_fill(rng, r, sizeof r);
		is_abort = r[0] % 8 == 0;
		ok(kv_begin(kv));
		for (int i = 0; i < 1 + r[1] % 4; i++) {
			char name[24];

			snprintf(name, sizeof name, "n/%u", r[2 + i] % 40u);
			rng_fill(rng, value, 40);
			if (r[6 + i] % 5 == 0)
				ok(kv_del(kv, name));
			else if (r[6 + i] % 5 == 1)
				ok(kv_erase(kv, name));
			else
				ok(kv_put(kv, name, value, (size_t)r[10 + i] * 19));
		}
		if (is_abort)
			kv_abort(kv);
		else
			ok(kv_commit(kv));
		aborted += is_abort;
		if (r[15] % 16 == 0 && kv_rows_owes(v)) {
			ok(kv_settle(kv));
			settled++;
		}
		digest(kv, a);
		disk_take(&d, v);
		/* killed here */
		again = disk_open(&d);
		digest(kv_rows_kv(again), b);
		assert_memory_equal(a, b, 32);
		assert_int_equal(kv_rows_owes(v), kv_rows_owes(again));
		if (step % 5 == 0) {
			kv_rows_free(v);
			v = again;
		} else {
			kv_rows_free(again);
		}
	}
	print_message("figure: web rows: journals: %d; settlings among them: %u; aborts: %u; states that "
	              "did not open as committed: 0\n", STEPS, settled, aborted);
	assert_true(settled > 3 && aborted > 10);
	kv_rows_free(v);
	disk_clear(&d);
}

static void what_was_erased_opens_with_no_key_that_is_left(void **state)
{
	struct disk d, before;
	struct kv_rows *v, *old;
	size_t shared = 0;

	(void)state;
	fresh(&d, &v);
	put1(kv_rows_kv(v), "keep", "kept");
	put1(kv_rows_kv(v), "draft/1", "a family");
	disk_take(&d, v);
	ok(kv_begin(kv_rows_kv(v)));
	ok(kv_erase(kv_rows_kv(v), "draft/1"));
	ok(kv_commit(kv_rows_kv(v)));
	assert_true(kv_rows_owes(v));
	disk_take(&d, v);
	before = disk_copy(&d);
	kv_rows_free(v);
	v = disk_open(&d);
	assert_true(kv_rows_owes(v));           /* it outlives the page */
	ok(kv_settle(kv_rows_kv(v)));
	disk_take(&d, v);
	assert_int_equal(d.n, 1);
	for (size_t i = 0; i < before.n; i++)
		for (size_t k = 0; k < d.n; k++)
			shared += memcmp(before.rows[i].rk, d.rows[k].rk, 32) == 0;
	assert_int_equal(shared, 0);
	/* the old rows under the new header: nothing opens them */
	memcpy(before.header, d.header, sizeof d.header);
	assert_int_equal(disk_load(&before, PASS, &old), PERR_CORRUPT);
	expect(kv_rows_kv(v), "keep", "kept");
	kv_rows_free(v);
	disk_clear(&d);
	disk_clear(&before);
}

static void a_new_passphrase_takes_the_place_of_the_old(void **state)
{
	struct disk d;
	struct kv_rows *v, *no;

	(void)state;
	fresh(&d, &v);
	put1(kv_rows_kv(v), "keep", "kept");
	assert_int_equal(kv_rows_check(v, "wrong", 5), PERR_AUTH);
	ok(kv_rows_check(v, PASS, strlen(PASS)));
	assert_int_equal(kv_rows_passphrase(v, "", 0, VAULT_LIGHT), PERR_RANGE);
	ok(kv_rows_passphrase(v, "another one", 11, VAULT_LIGHT));
	disk_take(&d, v);
	kv_rows_free(v);
	assert_int_equal(disk_load(&d, PASS, &no), PERR_AUTH);
	ok(disk_load(&d, "another one", &v));
	expect(kv_rows_kv(v), "keep", "kept");
	kv_rows_free(v);
	disk_clear(&d);
}

static void damage_is_noticed(void **state)
{
	struct disk d, bad;
	struct kv_rows *v, *no;
	uint8_t *value;
	unsigned tried = 0, noticed = 0;

	(void)state;
	fresh(&d, &v);
	put1(kv_rows_kv(v), "one", "first");
	put1(kv_rows_kv(v), "two", "second");
	disk_take(&d, v);
	kv_rows_free(v);
	/* any byte of a row: its name does not open, or its value does not */
	for (size_t at = 0; at < d.rows[0].len; at += 7, tried++) {
		bad = disk_copy(&d);
		bad.rows[0].row[at] ^= 1;
		if (disk_load(&bad, PASS, &v) == PERR_OK) {
			noticed += kv_get(kv_rows_kv(v), "one", &value, NULL) == PERR_CORRUPT;
			kv_free(value);
			noticed += kv_get(kv_rows_kv(v), "two", &value, NULL) == PERR_CORRUPT;
			kv_free(value);
			kv_rows_free(v);
		} else {
			noticed++;
		}
		disk_clear(&bad);
	}
	assert_int_equal(noticed, tried);
	/* rows that changed places */
	bad = disk_copy(&d);
	memcpy(bad.rows[0].rk, d.rows[1].rk, 32);
	memcpy(bad.rows[1].rk, d.rows[0].rk, 32);
	assert_int_equal(disk_load(&bad, PASS, &no), PERR_CORRUPT);
	disk_clear(&bad);
	/* one twice, a short one */
	ok(kv_rows_unlock(&v, d.header, sizeof d.header, PASS, strlen(PASS)));
	assert_null(kv_rows_kv(v));
	ok(kv_rows_load(v, d.rows[0].rk, d.rows[0].row, d.rows[0].len));
	assert_int_equal(kv_rows_load(v, d.rows[0].rk, d.rows[0].row, d.rows[0].len), PERR_CORRUPT);
	assert_int_equal(kv_rows_load(v, d.rows[1].rk, d.rows[1].row, 200), PERR_CORRUPT);
	kv_rows_free(v);
	/* the header */
	for (size_t at = 0; at < sizeof d.header; at++) {
		bad = disk_copy(&d);
		bad.header[at] ^= 0x20;
		assert_int_equal(disk_load(&bad, PASS, &no), PERR_CORRUPT);
		disk_clear(&bad);
	}
	print_message("figure: web rows: damages: %u; unnoticed: %u\n", tried + 116, tried - noticed);
	disk_clear(&d);
}

/* the n-th allocation fails, for each n: the store's state is the old one or the new one */
static void failing_memory_loses_nothing(void **state)
{
	struct disk d, copy;
	struct kv_rows *v, *again;
	uint8_t old[32], fresh_digest[32], is[32];
	unsigned points = 0, done = 0;

	(void)state;
	fresh(&d, &v);
	for (int i = 0; i < 20; i++) {
		char name[16];

		snprintf(name, sizeof name, "n/%d", i);
		put1(kv_rows_kv(v), name, "value");
	}
	digest(kv_rows_kv(v), old);
	disk_take(&d, v);
	kv_rows_free(v);
	for (unsigned n = 1; done == 0; n++, points++) {
		struct kv *kv;
		enum perr err;

		v = disk_open(&d);
		kv = kv_rows_kv(v);
		copy = disk_copy(&d);
		starve_arm(n);
		err = kv_begin(kv);
		if (err == PERR_OK)
			err = kv_put(kv, "n/3", b("another"), 7);
		if (err == PERR_OK)
			err = kv_erase(kv, "n/4");
		if (err == PERR_OK)
			err = kv_commit(kv);
		kv_abort(kv);
		if (err == PERR_OK)
			err = kv_settle(kv);
		(void)starve_disarm();
		if (!kv_rows_is_dead(v)) {
			digest(kv, fresh_digest);
			disk_take(&copy, v);
		}
		again = disk_open(&copy);
		digest(kv_rows_kv(again), is);
		if (kv_rows_is_dead(v))
			assert_memory_equal(is, old, 32);
		else
			assert_memory_equal(is, fresh_digest, 32);
		if (err == PERR_OK) {
			assert_memory_not_equal(is, old, 32);
			done = 1;
		} else {
			assert_int_equal(err, PERR_NOMEM);
		}
		kv_rows_free(again);
		kv_rows_free(v);
		disk_clear(&copy);
	}
	print_message("figure: web rows: allocations that failed: %u; states lost: 0\n", points - 1);
	assert_true(points > 10);
	disk_clear(&d);
}

/* ---- through the one call ---- */

static int64_t noon(void *ctx)
{
	(void)ctx;
	return INT64_C(1795521600);
}

static uint8_t *call(struct web *w, const char *op, const char *hex_args, size_t *len)
{
	uint8_t args[256];
	size_t n;

	assert_int_equal(sodium_hex2bin(args, sizeof args, hex_args, strlen(hex_args), NULL, &n, NULL), 0);
	return web_call(w, op, strlen(op), args, n, len);
}

static void answers(struct web *w, const char *op, const char *hex_args, const char *word)
{
	size_t len;
	uint8_t *out = call(w, op, hex_args, &len);

	assert_non_null(out);
	if (memmem(out, len, word, strlen(word)) == NULL)
		fail_msg("%s: no \"%s\" in the answer", op, word);
	kv_free(out);
}

static void one_call_refuses_what_it_does_not_know(void **state)
{
	struct client_env env = { .rng = rng_system(), .now = noon };
	struct web *w = web_new(&env);

	(void)state;
	assert_non_null(w);
	answers(w, "no_such_op", "90", "unknown");
	answers(w, "vault_settle", "90", "state");
	answers(w, "me", "90", "state");
	/* no array; an odd one; an argument nobody asked for; a name twice; a float */
	answers(w, "vault_lock", "80", "format");
	answers(w, "vault_lock", "91a161", "format");
	answers(w, "vault_lock", "92a16101", "format");
	answers(w, "vault_create", "94a56b696f736bc3a56b696f736bc3", "format");
	answers(w, "vault_lock", "92a161cb3ff8000000000000", "format");
	/* a kiosk: [kiosk, true] */
	answers(w, "vault_create", "92a56b696f736bc3", "state");
	answers(w, "vault_create", "92a56b696f736bc3", "err");
	answers(w, "vault_passphrase", "90", "format");
	answers(w, "vault_lock", "90", "ok");
	web_free(w);
}

/* [name, value, ...] of texts and one boolean, as the page encodes it */
static void said(struct web *w, const char *op, const char *word, const char *const *args, size_t n)
{
	uint8_t buf[512], *out;
	size_t at = 1, len;

	buf[0] = (uint8_t)(0x90 | n);
	for (size_t i = 0; i < n; i++) {
		size_t l = strlen(args[i]);

		if (args[i][0] == '!') {
			buf[at++] = args[i][1] == '1' ? 0xc3 : 0xc2;
			continue;
		}
		if (l < 32) {
			buf[at++] = (uint8_t)(0xa0 | l);
		} else {
			buf[at++] = 0xd9;
			buf[at++] = (uint8_t)l;
		}
		memcpy(buf + at, args[i], l);
		at += l;
	}
	out = web_call(w, op, strlen(op), buf, at, &len);
	assert_non_null(out);
	if (memmem(out, len, word, strlen(word)) == NULL)
		fail_msg("%s: no \"%s\" in the answer", op, word);
	kv_free(out);
}
#define SAID(w, op, word, ...) said(w, op, word, (const char *const[]){ __VA_ARGS__ }, \
                                    sizeof (const char *const[]){ __VA_ARGS__ } / sizeof(char *))

/* whatever the page lets through, a weak passphrase makes no vault and changes none */
static void a_weak_passphrase_makes_no_vault(void **state)
{
	static const char *const weak[] = { "x", "rosa1990", "amparo amparo amparo amparo amparo",
	                                    "Guatemala2026!" };
	struct client_env env = { .rng = rng_system(), .now = noon };
	struct web *w = web_new(&env);

	(void)state;
	assert_non_null(w);
	for (size_t i = 0; i < sizeof weak / sizeof weak[0]; i++) {
		SAID(w, "vault_create", "key", "kiosk", "!0", "light", "!1", "pass", weak[i]);
		assert_null(w->rows);
	}
	SAID(w, "vault_create", "ok", "kiosk", "!0", "light", "!1", "pass", PASS);
	for (size_t i = 0; i < sizeof weak / sizeof weak[0]; i++)
		SAID(w, "vault_passphrase", "key", "light", "!1", "old", PASS, "pass", weak[i]);
	ok(kv_rows_check(w->rows, PASS, strlen(PASS)));
	SAID(w, "vault_passphrase", "auth", "light", "!1", "old", "x", "pass", PASS " eight");
	web_free(w);
}

static void the_second_typing_is_compared_in_one_spelling(void **state)
{
	struct client_env env = { .rng = rng_system(), .now = noon };
	struct web *w = web_new(&env);

	(void)state;
	assert_non_null(w);
	SAID(w, "passphrase_same", "same\xc3", "pass", PASS, "again", PASS);
	SAID(w, "passphrase_same", "same\xc3", "pass", "hello lagoon acid spaniel focus octagon",
	     "again", " HELL lago  acid\tSpan focus octa");
	SAID(w, "passphrase_same", "same\xc2", "pass", PASS, "again", "lime river cotton basket window six");
	SAID(w, "passphrase_same", "same\xc2", "pass", PASS, "again", "");
	/* one of one's own: as it is */
	SAID(w, "passphrase_same", "same\xc2", "pass", "Una frase mia", "again", "una frase mia");
	SAID(w, "passphrase_same", "same\xc3", "pass", "Una frase mia", "again", "Una frase mia");
	SAID(w, "passphrase_same", "format", "pass", "", "again", "");
	web_free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sealed_rows_keep_the_contract),
		cmocka_unit_test(a_kiosk_keeps_the_contract_and_tells_nothing),
		cmocka_unit_test(every_prefix_of_journals_opens_with_what_was_committed),
		cmocka_unit_test(what_was_erased_opens_with_no_key_that_is_left),
		cmocka_unit_test(a_new_passphrase_takes_the_place_of_the_old),
		cmocka_unit_test(damage_is_noticed),
		cmocka_unit_test(failing_memory_loses_nothing),
		cmocka_unit_test(one_call_refuses_what_it_does_not_know),
		cmocka_unit_test(a_weak_passphrase_makes_no_vault),
		cmocka_unit_test(the_second_typing_is_compared_in_one_spelling),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
