/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* The vault: what kv.h and vault.h promise, kills, damage, and the raw file. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <sodium.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "kv_mem.h"
#include "vault.h"

#define PASS "lime river cotton basket window seven"

static char root[64];
static char home[80];
static struct vault_key key;

#define ok(e) assert_int_equal((e), PERR_OK)

static const uint8_t *b(const char *s)
{
	return (const uint8_t *)s;
}

static void remove_home(void)
{
	static const char *const files[] = { "vault.mdb", "vault.new", "vault.old", "vault.lock" };
	char path[160];
	size_t i;

	for (i = 0; i < 4; i++) {
		snprintf(path, sizeof path, "%s/%s", home, files[i]);
		unlink(path);
	}
	rmdir(home);
}

static char *file_path(const char *name)
{
	static char path[4][160];
	static unsigned i;

	i = (i + 1) % 4;
	snprintf(path[i], sizeof path[i], "%s/%s", home, name);
	return path[i];
}

static bool file_is(const char *name)
{
	struct stat st;

	return lstat(file_path(name), &st) == 0;
}

static uint8_t *slurp(const char *name, size_t *len)
{
	struct stat st;
	uint8_t *p;
	FILE *f = fopen(file_path(name), "rb");

	assert_non_null(f);
	assert_int_equal(fstat(fileno(f), &st), 0);
	p = malloc((size_t)st.st_size + 1);
	assert_non_null(p);
	*len = fread(p, 1, (size_t)st.st_size, f);
	fclose(f);
	return p;
}

static void spill(const char *name, const uint8_t *p, size_t len)
{
	FILE *f = fopen(file_path(name), "wb");

	assert_non_null(f);
	assert_int_equal(fwrite(p, 1, len, f), len);
	fclose(f);
}

/* A fresh vault.  Argon2id runs once, at the light cost: afterwards it is a copy. */
static int setup(void **state)
{
	static uint8_t *fresh;
	static size_t fresh_len;

	(void)state;
	remove_home();
	if (fresh == NULL) {
		ok(vault_create(home, PASS, strlen(PASS), VAULT_LIGHT));
		ok(vault_derive(&key, home, PASS, strlen(PASS)));
		fresh = slurp("vault.mdb", &fresh_len);
		return 0;
	}
	assert_int_equal(mkdir(home, 0700), 0);
	spill("vault.mdb", fresh, fresh_len);
	return chmod(file_path("vault.mdb"), 0600);
}

static int teardown(void **state)
{
	(void)state;
	remove_home();
	return 0;
}

static struct vault *open_vault(void)
{
	struct vault *v;

	ok(vault_open(&v, home, &key));
	return v;
}

static void put1(struct kv *kv, const char *name, const char *text)
{
	ok(kv_begin(kv));
	ok(kv_put(kv, name, b(text), strlen(text)));
	ok(kv_commit(kv));
}

static void expect(struct kv *kv, const char *name, const char *text)
{
	uint8_t *value;
	size_t len;

	ok(kv_get(kv, name, &value, &len));
	assert_int_equal(len, strlen(text));
	assert_string_equal((char *)value, text);
	kv_free(value);
}

static void expect_none(struct kv *kv, const char *name)
{
	uint8_t *value;

	assert_int_equal(kv_get(kv, name, &value, NULL), PERR_NOTFOUND);
	assert_null(value);
}

/* ---- the interface, the same for every implementation ---- */

struct seen {
	char text[2048];
	struct kv *kv;
	unsigned calls;
};

static enum perr note(void *arg, const char *name, const uint8_t *value, size_t len)
{
	struct seen *s = arg;
	size_t at = strlen(s->text);

	snprintf(s->text + at, sizeof s->text - at, "%s=%.*s;", name, (int)len,
	         (const char *)value);
	assert_int_equal(value[len], 0);
	s->calls++;
	return PERR_OK;
}

static enum perr note_name(void *arg, const char *name)
{
	struct seen *s = arg;
	size_t at = strlen(s->text);

	snprintf(s->text + at, sizeof s->text - at, "%s;", name);
	return PERR_OK;
}

static enum perr stop_at_second(void *arg, const char *name, const uint8_t *value, size_t len)
{
	struct seen *s = arg;

	(void)name;
	(void)value;
	(void)len;
	return ++s->calls == 2 ? PERR_REFUSED : PERR_OK;
}

/* Deletes the next but one, changes the next, adds a new one. */
static enum perr meddle(void *arg, const char *name, const uint8_t *value, size_t len)
{
	struct seen *s = arg;

	note(arg, name, value, len);
	if (strcmp(name, "m/1") == 0) {
		ok(kv_begin(s->kv));
		ok(kv_put(s->kv, "m/2", b("new"), 3));
		ok(kv_del(s->kv, "m/3"));
		ok(kv_put(s->kv, "m/9", b("late"), 4));
		ok(kv_commit(s->kv));
	}
	return PERR_OK;
}

static enum perr delete_next(void *arg, const char *name)
{
	struct seen *s = arg;

	note_name(arg, name);
	if (strcmp(name, "m/2") == 0) {
		ok(kv_begin(s->kv));
		ok(kv_del(s->kv, "m/4"));
		ok(kv_commit(s->kv));
	}
	return PERR_OK;
}

static void check_contract(struct kv *kv)
{
	struct seen s = { .kv = kv };
	char long_name[KV_NAME_MAX + 2];
	uint8_t *value;
	size_t len;

	/* changes only in batches */
	assert_int_equal(kv_put(kv, "a", b("1"), 1), PERR_STATE);
	assert_int_equal(kv_del(kv, "a"), PERR_STATE);
	assert_int_equal(kv_erase(kv, "a"), PERR_STATE);
	assert_int_equal(kv_commit(kv), PERR_STATE);
	kv_abort(kv);

	/* own changes are seen inside, gone after abort, there after commit */
	put1(kv, "case/2", "two");
	ok(kv_begin(kv));
	assert_int_equal(kv_begin(kv), PERR_STATE);
	assert_int_equal(kv_settle(kv), PERR_STATE);
	ok(kv_put(kv, "case/1", b("one"), 3));
	ok(kv_put(kv, "case/2", b("zwei"), 4));
	ok(kv_put(kv, "empty", NULL, 0));
	ok(kv_del(kv, "nothing-of-that-name"));
	expect(kv, "case/1", "one");
	ok(kv_each(kv, "case/", note, &s));
	assert_string_equal(s.text, "case/1=one;case/2=zwei;");
	kv_abort(kv);
	expect_none(kv, "case/1");
	expect(kv, "case/2", "two");
	s.text[0] = 0;
	ok(kv_each(kv, "", note, &s));
	assert_string_equal(s.text, "case/2=two;");
	ok(kv_begin(kv));
	ok(kv_put(kv, "case/10", b("ten"), 3));
	ok(kv_put(kv, "case/1", b("one"), 3));
	ok(kv_put(kv, "casé", b("x"), 1) == PERR_RANGE ? PERR_OK : PERR_STATE);
	assert_int_equal(kv_commit(kv), PERR_RANGE);
	expect_none(kv, "case/1");

	/* order, prefixes, an end by the callback */
	ok(kv_begin(kv));
	ok(kv_put(kv, "cash", b("no"), 2));
	ok(kv_put(kv, "case/10", b("ten"), 3));
	ok(kv_put(kv, "case/1", b("one"), 3));
	ok(kv_put(kv, "empty", NULL, 0));
	ok(kv_commit(kv));
	s.text[0] = 0;
	ok(kv_each(kv, "case/", note, &s));
	assert_string_equal(s.text, "case/1=one;case/10=ten;case/2=two;");
	s.text[0] = 0;
	ok(kv_each_name(kv, "", note_name, &s));
	assert_string_equal(s.text, "case/1;case/10;case/2;cash;empty;");
	s.text[0] = 0;
	ok(kv_each(kv, "zebra", note, &s));
	ok(kv_each(kv, "case/100", note, &s));
	assert_string_equal(s.text, "");
	s.calls = 0;
	assert_int_equal(kv_each(kv, "case/", stop_at_second, &s), PERR_REFUSED);
	assert_int_equal(s.calls, 2);
	ok(kv_get(kv, "empty", &value, &len));
	assert_non_null(value);
	assert_int_equal(len, 0);
	kv_free(value);

	/* a callback may change what is walked through */
	ok(kv_begin(kv));
	ok(kv_put(kv, "m/1", b("1"), 1));
	ok(kv_put(kv, "m/2", b("2"), 1));
	ok(kv_put(kv, "m/3", b("3"), 1));
	ok(kv_put(kv, "m/4", b("4"), 1));
	ok(kv_commit(kv));
	s.text[0] = 0;
	ok(kv_each(kv, "m/", meddle, &s));
	assert_string_equal(s.text, "m/1=1;m/2=new;m/4=4;");
	s.text[0] = 0;
	ok(kv_each_name(kv, "m/", delete_next, &s));
	assert_string_equal(s.text, "m/1;m/2;m/9;");

	/* erase and settle */
	ok(kv_begin(kv));
	ok(kv_erase(kv, "m/1"));
	ok(kv_erase(kv, "m/none"));
	ok(kv_commit(kv));
	expect_none(kv, "m/1");
	ok(kv_settle(kv));
	ok(kv_settle(kv));
	expect(kv, "m/9", "late");
	expect(kv, "case/10", "ten");
	s.text[0] = 0;
	ok(kv_each_name(kv, "", note_name, &s));
	assert_string_equal(s.text, "case/1;case/10;case/2;cash;empty;m/2;m/9;");

	/* names */
	memset(long_name, 'n', sizeof long_name);
	long_name[KV_NAME_MAX + 1] = 0;
	assert_int_equal(kv_get(kv, long_name, &value, NULL), PERR_RANGE);
	assert_int_equal(kv_get(kv, "", &value, NULL), PERR_RANGE);
	assert_int_equal(kv_get(kv, ".owed", &value, NULL), PERR_RANGE);
	long_name[KV_NAME_MAX] = 0;
	put1(kv, long_name, "long");
	expect(kv, long_name, "long");
	ok(kv_begin(kv));
	assert_int_equal(kv_put(kv, "big", b(""), KV_VALUE_MAX + 1), PERR_RANGE);
	assert_int_equal(kv_commit(kv), PERR_RANGE);
}

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

/* ---- several processes ---- */

static void a_second_writer_waits_or_is_told(void **state)
{
	struct vault *v = open_vault(), *other = open_vault();
	uint8_t *value;

	(void)state;
	vault_lock_wait(other, 30);
	ok(kv_begin(vault_kv(v)));
	ok(kv_put(vault_kv(v), "x", b("1"), 1));
	assert_int_equal(kv_begin(vault_kv(other)), PERR_TIMEOUT);
	assert_int_equal(kv_get(vault_kv(other), "x", &value, NULL), PERR_TIMEOUT);
	assert_int_equal(vault_compact(other), PERR_TIMEOUT);
	assert_non_null(strstr(vault_explain(PERR_TIMEOUT), "Another"));
	ok(kv_commit(vault_kv(v)));
	expect(vault_kv(other), "x", "1");
	vault_close(other);
	vault_close(v);
}

static void add_one(struct kv *kv)
{
	uint8_t *value;
	char text[16];
	int n = 0;

	ok(kv_begin(kv));
	if (kv_get(kv, "count", &value, NULL) == PERR_OK) {
		n = atoi((char *)value);
		kv_free(value);
	}
	snprintf(text, sizeof text, "%d", n + 1);
	ok(kv_put(kv, "count", b(text), strlen(text)));
	ok(kv_commit(kv));
}

static void no_increment_of_three_processes_is_lost(void **state)
{
	struct vault *v;
	pid_t pid[3];
	int i, j, status;

	(void)state;
	for (i = 0; i < 3; i++) {
		pid[i] = fork();
		assert_true(pid[i] >= 0);
		if (pid[i] == 0) {
			v = open_vault();
			for (j = 0; j < 30; j++) {
				add_one(vault_kv(v));
				if (j % 10 == 5)
					ok(vault_compact(v));
			}
			vault_close(v);
			_exit(0);
		}
	}
	for (i = 0; i < 3; i++) {
		assert_int_equal(waitpid(pid[i], &status, 0), pid[i]);
		assert_int_equal(status, 0);
	}
	v = open_vault();
	expect(vault_kv(v), "count", "90");
	vault_close(v);
}

/* ---- kills ---- */

#define TRIO 3

/* Batches of three records that always carry the same number, acknowledged through
 * fd; now and then a rebuild. */
static void work(int fd, unsigned n, bool is_compacting)
{
	struct vault *v = open_vault();
	struct kv *kv = vault_kv(v);
	char name[16], text[2048];
	unsigned i, ready = 0;

	if (write(fd, &ready, sizeof ready) != sizeof ready)
		_exit(1);
	for (;; n++) {
		ok(kv_begin(kv));
		for (i = 0; i < TRIO; i++) {
			snprintf(name, sizeof name, "trio/%u", i);
			memset(text, 0, sizeof text);
			snprintf(text, sizeof text, "%u", n);
			ok(kv_put(kv, name, b(text), 10 + 900 * i));
		}
		snprintf(name, sizeof name, "log/%u", n % 40);
		ok(kv_erase(kv, name));
		ok(kv_put(kv, name, b(text), 1000));
		ok(kv_commit(kv));
		if (write(fd, &n, sizeof n) != sizeof n)
			_exit(1);
		if (is_compacting)
			ok(kv_settle(kv));
	}
}

static void every_batch_survives_kills_whole(void **state)
{
	const unsigned kills = 120;
	unsigned acked = 0, k, i, next = 1, in_flight = 0, recovered = 0;
	char name[16];

	(void)state;
	for (k = 0; k < kills; k++) {
		unsigned value_n[TRIO], n, last = 0;
		struct timespec t = { 0, (long)randombytes_uniform(15000000) };
		struct vault *v;
		int fd[2], status;
		pid_t pid;

		assert_int_equal(pipe(fd), 0);
		pid = fork();
		assert_true(pid >= 0);
		if (pid == 0) {
			close(fd[0]);
			work(fd[1], next, k % 2 == 1);
		}
		close(fd[1]);
		assert_int_equal(read(fd[0], &n, sizeof n), sizeof n);
		/* waits for nothing: the moment of the kill is the test */
		nanosleep(&t, NULL);
		kill(pid, SIGKILL);
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
		while (read(fd[0], &n, sizeof n) == sizeof n)
			last = n;
		close(fd[0]);
		if (last > 0)
			acked = last;
		recovered += file_is("vault.old") || file_is("vault.new");
		v = open_vault();
		assert_false(file_is("vault.old"));
		assert_false(file_is("vault.new"));
		for (i = 0; i < TRIO; i++) {
			uint8_t *value;
			size_t len;
			enum perr err;

			snprintf(name, sizeof name, "trio/%u", i);
			err = kv_get(vault_kv(v), name, &value, &len);
			assert_true(err == PERR_OK || (err == PERR_NOTFOUND && acked == 0));
			value_n[i] = err == PERR_OK ? (unsigned)atoi((char *)value) : 0;
			if (err == PERR_OK)
				assert_int_equal(len, 10 + 900 * i);
			kv_free(value);
			assert_int_equal(value_n[i], value_n[0]);
		}
		/* one more than acknowledged may be there: the kill hit between the two */
		assert_true(value_n[0] == acked || value_n[0] == acked + 1);
		in_flight += value_n[0] == acked + 1;
		acked = value_n[0];
		next = acked + 1;
		vault_close(v);
	}
	print_message("figure: vault: kills: %u; batches: %u; lost: 0; half: 0; committed but not yet told: %u; "
	              "rebuilds interrupted: %u\n", kills, acked, in_flight, recovered);
}

/* ---- damage ---- */

static int check_all(unsigned n)
{
	struct vault *v = NULL;
	uint8_t *value = NULL;
	char name[16], text[32];
	size_t len;
	unsigned i;
	enum perr err = vault_open(&v, home, &key);
	int result = 1;                 /* noticed */

	for (i = 0; i < n && err == PERR_OK; i++) {
		snprintf(name, sizeof name, "rec/%u", i);
		snprintf(text, sizeof text, "value %u", i);
		err = kv_get(vault_kv(v), name, &value, &len);
		if (err == PERR_OK && (len != strlen(text) || memcmp(value, text, len) != 0))
			result = 3;     /* wrong data: what must never be */
		if (err == PERR_NOTFOUND)
			result = 2;     /* silently gone */
		kv_free(value);
		value = NULL;
	}
	if (err == PERR_OK) {
		struct seen s = { .calls = 0 };

		err = kv_each(vault_kv(v), "rec/", note, &s);
		if (err == PERR_OK && s.calls != n)
			result = 2;
	}
	vault_close(v);
	return err == PERR_OK && result == 1 ? 0 : result;
}

static bool is_long(void)
{
	const char *mode = getenv("AMPARO_TEST_MODE");

	return mode != NULL && strcmp(mode, "long") == 0;
}

/* Every byte of what LMDB trusts most, the two meta pages' heads; of the rest one in
 * several, or every one in a long run. */
static size_t next_place(size_t at)
{
#ifdef __SANITIZE_ADDRESS__
	size_t step = 97;
#else
	size_t step = 13;
#endif

	return at + (is_long() || (at < 8192 && at % 4096 < 152) ? 1 : step);
}

static void any_flipped_byte_is_noticed_or_harmless(void **state)
{
	enum { N = 8 };
	struct vault *v = open_vault();
	size_t len, at = 0, i, n = 0;
	uint8_t *p;
	unsigned tally[5] = { 0 };
	int fd[2];

	(void)state;
	for (i = 0; i < N; i++) {
		char name[16], text[32];

		snprintf(name, sizeof name, "rec/%zu", i);
		snprintf(text, sizeof text, "value %zu", i);
		put1(vault_kv(v), name, text);
	}
	ok(vault_compact(v));
	vault_close(v);
	p = slurp("vault.mdb", &len);
	/* LMDB may end the process on a damaged tree; then the next child goes on. */
	while (at < len) {
		int status;
		uint8_t got;
		pid_t pid;

		assert_int_equal(pipe(fd), 0);
		pid = fork();
		assert_true(pid >= 0);
		if (pid == 0) {
			static const struct rlimit none = { 0, 0 };
			int file = open(file_path("vault.mdb"), O_WRONLY);
			int null = open("/dev/null", O_WRONLY);

			setrlimit(RLIMIT_CORE, &none);
			signal(SIGSEGV, SIG_DFL);
			signal(SIGBUS, SIG_DFL);
			signal(SIGABRT, SIG_DFL);
			dup2(null, 2);
			alarm(20);
			for (; at < len; at = next_place(at)) {
				uint8_t bad = p[at] ^ (uint8_t)(1u << at % 8);

				if (pwrite(file, &bad, 1, (off_t)at) != 1)
					_exit(1);
				got = (uint8_t)check_all(N);
				/* what LMDB wrote itself at opening is put back as well */
				if (pwrite(file, p + at, 1, (off_t)at) != 1 ||
				    write(fd[1], &got, 1) != 1)
					_exit(1);
			}
			_exit(0);
		}
		close(fd[1]);
		while (read(fd[0], &got, 1) == 1) {
			if (got == 2 || got == 3)
				print_message("byte %zu: %u\n", at, got);
			tally[got]++;
			n++;
			at = next_place(at);
		}
		close(fd[0]);
		assert_int_equal(waitpid(pid, &status, 0), pid);
		if (!WIFEXITED(status)) {
			tally[4]++;
			n++;
			at = next_place(at);
			spill("vault.mdb", p, len);
		} else {
			assert_int_equal(WEXITSTATUS(status), 0);
		}
	}
	print_message("figure: vault: flipped bytes: %zu of %zu; harmless: %u; noticed: %u; process ended: %u; "
	              "silently gone: %u; wrong data: %u\n", n, len, tally[0], tally[1], tally[4],
	              tally[2], tally[3]);
	free(p);
	assert_int_equal(tally[4], 0);
	assert_int_equal(tally[3], 0);
	assert_int_equal(tally[2], 0);
	assert_true(tally[1] > n / 20);
}

/* ---- a large vault, damaged in many ways, read and written ---- */

/* one control in forty ends badly: so many that one surely does, and no more than that takes */
enum { LARGE = 900, CONTROLS = 3000 };

static bool check_is_off;

enum perr __real_vault_page_check(int fd);
enum perr __wrap_vault_page_check(int fd);

enum perr __wrap_vault_page_check(int fd)
{
	return check_is_off ? PERR_OK : __real_vault_page_check(fd);
}

/* what record i holds: mostly small, some on pages of their own */
static size_t large_value(unsigned i, uint8_t *out)
{
	size_t len = i % 50 == 7 ? 9000 : i % 7 == 3 ? 1500 : 20 + i % 90;

	for (size_t k = 0; k < len; k++)
		out[k] = (uint8_t)(i * 31 + k * 7 + (k >> 8));
	return len;
}

static enum perr put_large(struct kv *kv, unsigned i)
{
	uint8_t text[9000];
	char name[24];
	size_t len = large_value(i, text);

	snprintf(name, sizeof name, "large/%04u", i);
	return kv_put(kv, name, text, len);
}

/* 0: all is there and right; 1: damage was said; 2: gone; 3: wrong */
static int read_large(struct kv *kv, unsigned n)
{
	uint8_t want[9000], *value = NULL;
	char name[24];
	size_t len;
	enum perr err = PERR_OK;
	int result = 0;

	for (unsigned i = 0; i < n && err == PERR_OK && result == 0; i++) {
		snprintf(name, sizeof name, "large/%04u", i);
		err = kv_get(kv, name, &value, &len);
		if (err == PERR_NOTFOUND)
			result = 2;
		else if (err == PERR_OK && (len != large_value(i, want) ||
		                            memcmp(value, want, len) != 0))
			result = 3;
		kv_free(value);
		value = NULL;
	}
	if (result == 0 && err == PERR_OK) {
		struct seen s = { .calls = 0 };

		err = kv_each(kv, "large/", note, &s);
		/* the file holds some more than the first n */
		if (err == PERR_OK && s.calls < n)
			result = 2;
	}
	return result != 0 ? result : err == PERR_OK ? 0 : 1;
}

/*
 * In a child: open what was damaged, read everything, write a batch and read again.  The
 * records that were written stay right also after that batch.
 */
static int use_damaged(void)
{
	struct vault *v = NULL;
	enum perr err = vault_open(&v, home, &key);
	int result = 1;

	if (err != PERR_OK)
		return err == PERR_CORRUPT || err == PERR_AUTH || err == PERR_UNKNOWN ||
		       err == PERR_IO ? 1 : 5;
	result = read_large(vault_kv(v), LARGE);
	if (result == 0) {
		err = kv_begin(vault_kv(v));
		for (unsigned i = LARGE; err == PERR_OK && i < LARGE + 60; i++)
			err = put_large(vault_kv(v), i);
		if (err == PERR_OK)
			err = kv_commit(vault_kv(v));
		kv_abort(vault_kv(v));
		vault_close(v);
		v = NULL;
		result = err != PERR_OK ? 1 : vault_open(&v, home, &key) != PERR_OK ? 2
		    : read_large(vault_kv(v), LARGE + 60);
	}
	vault_close(v);
	return result;
}

/* one damage; its place is chosen among tree pages mostly: what LMDB trusts */
static void damage(uint8_t *p, size_t len, const size_t *trees, size_t n_trees, uint32_t pick)
{
	static uint32_t x;
	size_t page, at;

	x = pick * 2654435761u + 12345;
#define NEXT (x ^= x << 13, x ^= x >> 17, x ^= x << 5, x)
	page = NEXT % 4 != 0 ? trees[NEXT % n_trees] : NEXT % (len / 4096);
	/* the head of a page and its pointers weigh more than the sealed rest */
	at = page * 4096 + (NEXT % 2 == 0 ? NEXT % 200 : NEXT % 4096);
	switch (NEXT % 6) {
	case 0: case 1: case 2:
		p[at] ^= (uint8_t)(1u << NEXT % 8);
		break;
	case 3:
		p[at] = (uint8_t)NEXT;
		break;
	case 4:
		memset(p + (at & ~(size_t)511), 0, 512);
		break;
	default: {       /* a page of this file where another one stood */
		size_t other = trees[NEXT % n_trees];

		memmove(p + page * 4096, p + other * 4096, 4096);
		break;
	}
	}
#undef NEXT
}

static void a_damaged_vault_ends_in_a_sentence_never_in_a_signal(void **state)
{
	struct vault *v = open_vault();
	unsigned n = is_long() ? 20000 : 700, tally[6] = { 0 }, signals = 0, caught = 0, i;
	size_t len, n_trees = 0, *trees;
	uint8_t *p, *bad;

	(void)state;
#ifdef __SANITIZE_ADDRESS__
	n /= 5;
#endif
	check_is_off = false;
	/* several batches, so that there are free pages too */
	for (i = 0; i < LARGE; i += 100) {
		ok(kv_begin(vault_kv(v)));
		for (unsigned k = i; k < i + 100; k++)
			ok(put_large(vault_kv(v), k));
		ok(kv_commit(vault_kv(v)));
	}
	vault_close(v);
	assert_int_equal(use_damaged(), 0);
	p = slurp("vault.mdb", &len);
	bad = malloc(len);
	trees = calloc(len / 4096, sizeof *trees);
	assert_true(bad != NULL && trees != NULL);
	for (size_t page = 0; page < len / 4096; page++)
		if (page < 2 || (p[page * 4096 + 10] & 3) != 0)
			trees[n_trees++] = page;
	/* the control: the same without the look at the tree */
	for (i = 0; i < n + CONTROLS && caught == 0; i++) {
		int status;
		pid_t pid;

		check_is_off = i >= n;
		memcpy(bad, p, len);
		damage(bad, len, trees, n_trees, i);
		spill("vault.mdb", bad, len);
		pid = fork();
		assert_true(pid >= 0);
		if (pid == 0) {
			static const struct rlimit none = { 0, 0 };
			int null = open("/dev/null", O_WRONLY);

			setrlimit(RLIMIT_CORE, &none);
			signal(SIGSEGV, SIG_DFL);
			signal(SIGBUS, SIG_DFL);
			signal(SIGABRT, SIG_DFL);
			dup2(null, 2);
			alarm(20);
			_exit(use_damaged());
		}
		assert_int_equal(waitpid(pid, &status, 0), pid);
		if (check_is_off) {
			caught += !WIFEXITED(status) || WEXITSTATUS(status) > 1;
		} else if (!WIFEXITED(status) || WEXITSTATUS(status) > 5) {
			print_message("damage %u: status %x\n", i, (unsigned)status);
			signals++;
		} else {
			if (WEXITSTATUS(status) > 1)
				print_message("damage %u: %d\n", i, WEXITSTATUS(status));
			tally[WEXITSTATUS(status)]++;
		}
	}
	print_message("figure: vault: damages: %u; signals: %u; wrong data: %u; silently gone: %u; said: "
	              "%u; harmless: %u; other: %u; controls that ended badly: %u of %u\n", n, signals,
	              tally[3], tally[2], tally[1], tally[0], tally[4] + tally[5], caught, i - n);
	check_is_off = false;
	free(trees);
	free(bad);
	free(p);
	assert_int_equal(signals, 0);
	assert_int_equal(tally[3] + tally[2] + tally[4] + tally[5], 0);
	assert_true(tally[1] > n / 4);
	assert_true(caught > 0);
}

/* A sealed value under another name must not open: swap two in the raw file. */
static void values_cannot_trade_places(void **state)
{
	struct vault *v = open_vault();
	uint8_t *p, *value, *at[64];
	size_t len, i, n = 0;
	unsigned corrupt = 0;

	(void)state;
	put1(vault_kv(v), "a", "value of a");
	put1(vault_kv(v), "b", "value of b");
	ok(vault_compact(v));
	vault_close(v);
	p = slurp("vault.mdb", &len);
	/* A node of "v": u16 lo size, u16 hi size, u16 flags, u16 key size = 32. */
	for (i = 8192; i + 8 + 32 + 296 <= len && n < 64; i += 2)
		if (p[i] == 296 % 256 && p[i + 1] == 296 / 256 && p[i + 2] == 0 && p[i + 3] == 0 &&
		    p[i + 4] == 0 && p[i + 5] == 0 && p[i + 6] == 32 && p[i + 7] == 0)
			at[n++] = p + i + 40;
	assert_int_equal(n, 2);
	for (i = 0; i < 296; i++) {
		uint8_t x = at[0][i];

		at[0][i] = at[1][i];
		at[1][i] = x;
	}
	spill("vault.mdb", p, len);
	free(p);
	v = open_vault();
	corrupt += kv_get(vault_kv(v), "a", &value, NULL) == PERR_CORRUPT;
	corrupt += kv_get(vault_kv(v), "b", &value, NULL) == PERR_CORRUPT;
	assert_int_equal(corrupt, 2);
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

int main(void)
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
		T(a_second_writer_waits_or_is_told),
		T(no_increment_of_three_processes_is_lost),
		T(every_batch_survives_kills_whole),
		T(any_flipped_byte_is_noticed_or_harmless),
		T(a_damaged_vault_ends_in_a_sentence_never_in_a_signal),
		T(values_cannot_trade_places),
		T(ten_thousand_values_are_walked_quickly),
	};
	int failed;

	if (sodium_init() < 0)
		return 1;
	/* In memory where possible: kills and damage do not ask for a disk. */
	snprintf(root, sizeof root, "/dev/shm/test_vault.XXXXXX");
	if (mkdtemp(root) == NULL)
		snprintf(root, sizeof root, "/tmp/test_vault.XXXXXX");
	if (strstr(root, "XXXXXX") != NULL && mkdtemp(root) == NULL)
		return 1;
	snprintf(home, sizeof home, "%s/home", root);
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	remove_home();
	rmdir(root);
	return failed;
}
