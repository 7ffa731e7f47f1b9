/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* What befalls a vault: other programs that write to it, kills, damage. */
#include "vault_test.h"

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

static int run(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(a_second_writer_waits_or_is_told),
		T(no_increment_of_three_processes_is_lost),
		T(every_batch_survives_kills_whole),
		T(any_flipped_byte_is_noticed_or_harmless),
		T(a_damaged_vault_ends_in_a_sentence_never_in_a_signal),
		T(values_cannot_trade_places),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

int main(void)
{
	return vault_tests(run);
}
