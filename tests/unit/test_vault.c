/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* The vault: what kv.h and vault.h promise, and the raw file. */
#include "kv_contract.h"
#include "vault_test.h"

static void the_memory_store_keeps_the_contract(void **state)
{
	struct kv *kv = kv_mem_new();

	(void)state;
	assert_non_null(kv);
	check_contract(kv);
	ok(kv_begin(kv));
	ok(kv_put(kv, "x", b("1"), 1));
	kv_mem_fail_commit(kv, 1);
	assert_int_equal(kv_commit(kv), PERR_IO);
	expect_none(kv, "x");
	put1(kv, "x", "2");
	kv_mem_free(kv);
}

static void the_vault_keeps_the_contract(void **state)
{
	struct vault *v = open_vault();

	(void)state;
	check_contract(vault_kv(v));
	vault_close(v);
	v = open_vault();
	expect(vault_kv(v), "m/9", "late");
	vault_close(v);
}

/* ---- files and keys ---- */

static void create_is_exclusive_and_private(void **state)
{
	struct vault *v;
	struct vault_key other;
	struct stat st;

	(void)state;
	assert_int_equal(vault_create(home, "other", 5, VAULT_LIGHT), PERR_EXISTS);
	assert_int_equal(stat(home, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0700);
	assert_int_equal(stat(file_path("vault.mdb"), &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_false(file_is("vault.new"));
	assert_false(file_is("vault.mdb-lock"));
	ok(vault_derive(&other, home, "wrong", 5));
	assert_int_equal(vault_open(&v, home, &other), PERR_AUTH);
	assert_null(v);
	assert_non_null(strstr(vault_explain(PERR_AUTH), "passphrase"));
	remove_home();
	assert_int_equal(vault_derive(&other, home, "wrong", 5), PERR_NOTFOUND);
	assert_int_equal(vault_open(&v, home, &key), PERR_NOTFOUND);
	assert_false(vault_exists(home));
	/* a home that was open to others, with the rest of a killed attempt */
	assert_int_equal(mkdir(home, 0755), 0);
	spill("vault.new", b("half"), 4);
	assert_int_equal(vault_create(home, "", 0, VAULT_LIGHT), PERR_RANGE);
	ok(vault_create(home, PASS, strlen(PASS), VAULT_LIGHT));
	assert_int_equal(stat(home, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0700);
	assert_false(file_is("vault.new"));
}

static void every_length_around_a_bucket_comes_back(void **state)
{
	static const size_t near[] = { 0, 1, 252, 508, 1020, 1948, 2940, 4036, 8132, 12228, 65480,
	                               262144, 1000000 };
	struct vault *v = open_vault();
	struct kv *kv = vault_kv(v);
	static uint8_t text[1000002];
	char name[32];
	size_t i, d, len, n = 0;

	(void)state;
	randombytes_buf(text, sizeof text);
	for (i = 0; i < sizeof near / sizeof near[0]; i++) {
		ok(kv_begin(kv));
		for (d = 0; d < 3; d++) {
			if (near[i] + d == 0)
				continue;
			snprintf(name, sizeof name, "len/%zu", near[i] + d - 1);
			ok(kv_put(kv, name, text, near[i] + d - 1));
		}
		ok(kv_commit(kv));
	}
	vault_close(v);
	v = open_vault();
	kv = vault_kv(v);
	for (i = 0; i < sizeof near / sizeof near[0]; i++)
		for (d = 0; d < 3; d++) {
			uint8_t *value;

			if (near[i] + d == 0)
				continue;
			snprintf(name, sizeof name, "len/%zu", near[i] + d - 1);
			ok(kv_get(kv, name, &value, &len));
			assert_int_equal(len, near[i] + d - 1);
			assert_memory_equal(value, text, len);
			kv_free(value);
			n++;
		}
	print_message("figure: vault: lengths: %zu\n", n);
	vault_close(v);
}

static void a_later_format_and_a_damaged_header_are_told_apart(void **state)
{
	struct vault *v;
	struct vault_key other;
	size_t len, i, at = 0;
	uint8_t *p = slurp("vault.mdb", &len);
	/* ops = 2, KiB = 65536: the header as vault.h describes it */
	static const uint8_t mark[12] = { 0, 0, 0, 1, 0, 0, 0, 2, 0, 1, 0, 0 };

	(void)state;
	for (i = 0; i + 116 <= len; i++)
		if (memcmp(p + i, mark, sizeof mark) == 0)
			at = i;
	assert_true(at > 0);
	for (i = 0; i < 116; i++) {
		p[at + i] ^= 0x10;
		spill("vault.mdb", p, len);
		assert_int_equal(vault_derive(&other, home, PASS, strlen(PASS)), PERR_CORRUPT);
		assert_int_equal(vault_open(&v, home, &key), PERR_CORRUPT);
		p[at + i] ^= 0x10;
	}
	p[at + 3] = 2;
	crypto_generichash(p + at + 100, 16, p + at, 100, NULL, 0);
	spill("vault.mdb", p, len);
	assert_int_equal(vault_open(&v, home, &key), PERR_UNKNOWN);
	free(p);
}

/* ---- what lies on the disk ---- */

static bool holds(const uint8_t *p, size_t len, const char *what)
{
	return memmem(p, len, what, strlen(what)) != NULL;
}

static void the_raw_file_holds_no_name_and_no_value(void **state)
{
	static const char *const canary[] = {
		"Xiomara Tzoc", "A203-555-817", "case/6d61726961", "outbox/000123", "desk-of-canton"
	};
	struct vault *v = open_vault();
	struct kv *kv = vault_kv(v);
	char value[3000];
	size_t len, i, n, found = 0;
	uint8_t *p;

	(void)state;
	for (n = 0; n < 100; n++) {
		char name[64];

		ok(kv_begin(kv));
		for (i = 0; i < 5; i++) {
			snprintf(name, sizeof name, "%s.%zu", i < 2 ? "x" : canary[i], n);
			memset(value, 'a' + (int)(n % 26), sizeof value);
			memcpy(value + n * 10, canary[i], strlen(canary[i]));
			ok(kv_put(kv, name, b(value), n % 2 ? sizeof value : n * 10 + 100 > 3000 ?
			          3000 : n * 10 + 100));
		}
		ok(kv_commit(kv));
		if (n % 7 == 0) {
			ok(kv_begin(kv));
			ok(kv_erase(kv, name));
			ok(kv_commit(kv));
		}
	}
	p = slurp("vault.mdb", &len);
	for (i = 0; i < 5; i++)
		found += holds(p, len, canary[i]);
	found += holds(p, len, PASS) + holds(p, len, ".owed") + holds(p, len, "aaaaaaaaaaaa");
	/* the control: the same hunt finds what is planted */
	memcpy(p + len / 2, canary[2], strlen(canary[2]));
	print_message("figure: vault: canaries: 8; file bytes: %zu; found: %zu; control: %s\n", len, found,
	              holds(p, len, canary[2]) ? "found" : "MISSED");
	assert_true(holds(p, len, canary[2]));
	assert_int_equal(found, 0);
	free(p);
	vault_close(v);
}

#define WINDOW 48       /* longer than the part of a header that stays, salt and cost */

/* Windows of sealed bytes of old that occur in the other bytes. */
static size_t shared_windows(const uint8_t *old, size_t old_len, const uint8_t *p, size_t len)
{
	size_t i, j, n = 0;

	for (i = 0; i + WINDOW <= old_len; i += 509) {
		bool seen[256] = { false };
		unsigned distinct = 0;

		for (j = 0; j < WINDOW; j++) {
			distinct += !seen[old[i + j]];
			seen[old[i + j]] = true;
		}
		/* what looks like noise; page heads and zeros are alike everywhere */
		if (distinct > WINDOW * 2 / 3 && memmem(p, len, old + i, WINDOW) != NULL)
			n++;
	}
	return n;
}

static void compacting_leaves_nothing_of_the_old_file(void **state)
{
	struct vault *v = open_vault(), *other = open_vault();
	struct kv *kv = vault_kv(v);
	char text[64], name[32];
	size_t old_len, len, i;
	uint8_t *old, *now, *raw;
	int fd;

	(void)state;
	for (i = 0; i < 60; i++) {
		snprintf(name, sizeof name, "draft/%zu", i);
		snprintf(text, sizeof text, "a draft that was sent %zu", i);
		put1(kv, name, text);
	}
	put1(kv, "keep", "kept");
	expect(vault_kv(other), "keep", "kept");
	assert_false(vault_owes_compact(v));
	ok(kv_begin(kv));
	for (i = 0; i < 60; i++) {
		snprintf(name, sizeof name, "draft/%zu", i);
		ok(kv_erase(kv, name));
	}
	ok(kv_commit(kv));
	vault_close(v);
	v = open_vault();
	kv = vault_kv(v);
	assert_true(vault_owes_compact(v));     /* it outlives the process */
	old = slurp("vault.mdb", &old_len);
	fd = open(file_path("vault.mdb"), O_RDONLY);
	assert_true(fd >= 0);
	assert_true(shared_windows(old, old_len, old, old_len) > 20);
	ok(kv_settle(kv));
	assert_false(vault_owes_compact(v));
	expect(kv, "keep", "kept");
	/* the blocks of the unlinked file, through a descriptor kept open */
	raw = malloc(old_len);
	assert_non_null(raw);
	assert_int_equal(pread(fd, raw, old_len, 0), (ssize_t)old_len);
	close(fd);
	now = slurp("vault.mdb", &len);
	print_message("figure: vault: old bytes: %zu; windows left in place: %zu, in the new file: %zu\n",
	              old_len, shared_windows(old, old_len, raw, old_len),
	              shared_windows(old, old_len, now, len));
	assert_int_equal(shared_windows(old, old_len, raw, old_len), 0);
	assert_int_equal(shared_windows(old, old_len, now, len), 0);
	assert_true(len < old_len);
	assert_false(file_is("vault.old"));
	assert_false(file_is("vault.new"));
	/* a handle opened before, as in another process, follows */
	expect(vault_kv(other), "keep", "kept");
	expect_none(vault_kv(other), "draft/1");
	put1(vault_kv(other), "from-other", "yes");
	expect(kv, "from-other", "yes");
	free(old);
	free(raw);
	free(now);
	vault_close(other);
	vault_close(v);
}

static void an_interrupted_compaction_is_finished_or_undone(void **state)
{
	struct vault *v = open_vault();
	size_t len;
	uint8_t *p;

	(void)state;
	put1(vault_kv(v), "x", "1");
	vault_close(v);
	/* between the renames */
	assert_int_equal(rename(file_path("vault.mdb"), file_path("vault.old")), 0);
	spill("vault.new", b("unfinished"), 10);
	assert_true(vault_exists(home));
	assert_int_equal(vault_create(home, PASS, strlen(PASS), VAULT_LIGHT), PERR_EXISTS);
	v = open_vault();
	expect(vault_kv(v), "x", "1");
	assert_false(file_is("vault.new"));
	/* after them, while other handles are open */
	p = slurp("vault.mdb", &len);
	spill("vault.old", p, len);
	free(p);
	vault_close(v);
	v = open_vault();
	assert_false(file_is("vault.old"));
	/* a handle that finds the file gone between two commands */
	assert_int_equal(rename(file_path("vault.mdb"), file_path("vault.old")), 0);
	expect(vault_kv(v), "x", "1");
	assert_true(file_is("vault.mdb"));
	vault_close(v);
}

static void a_new_passphrase_ends_the_old_one(void **state)
{
	struct vault *v = open_vault(), *other = open_vault(), *none;
	struct vault_key fresh, derived;
	uint8_t *value;

	(void)state;
	put1(vault_kv(v), "x", "1");
	ok(vault_change_passphrase(v, "another one", 11, VAULT_LIGHT, &fresh));
	expect(vault_kv(v), "x", "1");
	assert_int_equal(kv_get(vault_kv(other), "x", &value, NULL), PERR_AUTH);
	vault_close(v);
	vault_close(other);
	assert_int_equal(vault_open(&none, home, &key), PERR_AUTH);
	ok(vault_derive(&derived, home, "another one", 11));
	assert_memory_equal(&derived, &fresh, sizeof fresh);
	ok(vault_open(&v, home, &fresh));
	expect(vault_kv(v), "x", "1");
	vault_close(v);
}

/* ---- space ---- */

static void the_map_grows_and_a_too_large_batch_changes_nothing(void **state)
{
	struct vault *v = open_vault(), *other = open_vault();
	struct kv *kv = vault_kv(v);
	static uint8_t blob[200000];
	char name[32];
	size_t i;
	enum perr err = PERR_OK;

	(void)state;
	vault_batch_room(v, 1 << 20);
	vault_batch_room(other, 1 << 20);
	expect_none(vault_kv(other), "big/1");
	for (i = 0; i < 60; i++) {
		snprintf(name, sizeof name, "big/%zu", i);
		ok(kv_begin(kv));
		ok(kv_put(kv, name, blob, sizeof blob));
		ok(kv_commit(kv));
	}
	/* the other one's map is far too small by now */
	expect_none(vault_kv(other), "big/99");
	put1(vault_kv(other), "small", "s");
	ok(kv_begin(kv));
	for (i = 0; i < 60 && err == PERR_OK; i++) {
		snprintf(name, sizeof name, "more/%zu", i);
		err = kv_put(kv, name, blob, sizeof blob);
	}
	assert_int_equal(err, PERR_FULL);
	assert_int_equal(kv_put(kv, "small", b("t"), 1), PERR_FULL);
	assert_int_equal(kv_commit(kv), PERR_FULL);
	expect_none(kv, "more/0");
	expect(kv, "small", "s");
	put1(kv, "small", "again");
	vault_close(other);
	vault_close(v);
}

static void a_full_disk_changes_nothing(void **state)
{
	struct vault *v = open_vault();
	struct kv *kv = vault_kv(v);
	struct rlimit old, small;
	static uint8_t blob[1 << 20];
	unsigned refused = 0;
	size_t i;

	(void)state;
	put1(kv, "x", "1");
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
	small = old;
	signal(SIGXFSZ, SIG_IGN);
	for (i = 1; i < 12; i++) {
		small.rlim_cur = 20000 + i * 50000;
		assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
		ok(kv_begin(kv));
		ok(kv_put(kv, "blob", blob, sizeof blob));
		ok(kv_put(kv, "x", b("2"), 1));
		if (kv_commit(kv) != PERR_OK)
			refused++;
		/* rebuilding fails as well, and leaves the vault usable */
		assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
		expect(kv, "x", "1");
		expect_none(kv, "blob");
	}
	put1(kv, "x", "3");
	ok(kv_begin(kv));
	ok(kv_put(kv, "blob", blob, sizeof blob));
	ok(kv_commit(kv));
	small.rlim_cur = 300000;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	assert_int_not_equal(vault_compact(v), PERR_OK);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
	signal(SIGXFSZ, SIG_DFL);
	expect(kv, "x", "3");
	assert_false(file_is("vault.new"));
	ok(vault_compact(v));
	expect(kv, "x", "3");
	print_message("figure: vault: full-disk cases: %u; half batches: 0\n", refused);
	assert_int_equal(refused, 11);
	vault_close(v);
}

/* ---- speed ---- */

static double now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static enum perr count_bytes(void *arg, const char *name, const uint8_t *value, size_t len)
{
	(void)name;
	(void)value;
	*(size_t *)arg += len;
	return PERR_OK;
}

static void ten_thousand_values_are_walked_quickly(void **state)
{
	struct vault *v = open_vault();
	uint8_t text[2048];
	char name[32];
	size_t bytes = 0, file_len;
	unsigned i;
	double t0, t1, t2, t3;

	(void)state;
	memset(text, 'x', sizeof text);
	t0 = now_ms();
	ok(kv_begin(vault_kv(v)));
	for (i = 0; i < 10000; i++) {
		snprintf(name, sizeof name, "case/%08x", i * 2654435761u);
		ok(kv_put(vault_kv(v), name, text, sizeof text));
	}
	ok(kv_commit(vault_kv(v)));
	vault_close(v);
	v = open_vault();
	t1 = now_ms();
	ok(kv_each(vault_kv(v), "case/", count_bytes, &bytes));
	t2 = now_ms();
	assert_int_equal(bytes, 10000 * sizeof text);
	bytes = 0;
	ok(kv_each(vault_kv(v), "case/", count_bytes, &bytes));
	t3 = now_ms();
	ok(vault_compact(v));
	free(slurp("vault.mdb", &file_len));
	print_message("figure: vault: 10,000 values of 2 KB: written in %.0f ms; first walk %.1f ms, second "
	              "%.1f ms; rebuilt in %.0f ms; file %.1f MB\n", t1 - t0, t2 - t1, t3 - t2,
	              now_ms() - t3, (double)file_len / 1e6);
	vault_close(v);
}

static int run(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_memory_store_keeps_the_contract),
		T(the_vault_keeps_the_contract),
		T(create_is_exclusive_and_private),
		T(every_length_around_a_bucket_comes_back),
		T(a_later_format_and_a_damaged_header_are_told_apart),
		T(the_raw_file_holds_no_name_and_no_value),
		T(compacting_leaves_nothing_of_the_old_file),
		T(an_interrupted_compaction_is_finished_or_undone),
		T(a_new_passphrase_ends_the_old_one),
		T(the_map_grows_and_a_too_large_batch_changes_nothing),
		T(a_full_disk_changes_nothing),
		T(ten_thousand_values_are_walked_quickly),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

int main(void)
{
	return vault_tests(run);
}
