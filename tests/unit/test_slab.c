/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Locked memory for keys (slab.h). */
#include "slab.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "channel.h"
#include "hex.h"

#define SLOTS 300

static struct slab *fresh(size_t keep, size_t n, size_t size)
{
	struct slab *s;
	enum perr err = slab_new(&s, keep, n, size);

	assert_true(err == PERR_OK || err == PERR_LIMIT);
	assert_int_equal(slab_is_locked(s), err == PERR_OK);
	return s;
}

/* a line of this process's status, in KiB */
static long status_kib(const char *what)
{
	FILE *f = fopen("/proc/self/status", "r");
	char line[128];
	long kib = -1;

	assert_non_null(f);
	while (fgets(line, sizeof line, f) != NULL)
		if (strncmp(line, what, strlen(what)) == 0)
			kib = strtol(line + strlen(what) + 1, NULL, 10);
	fclose(f);
	return kib;
}

static void slab_is_locked_to_the_byte_it_names(void **state)
{
	long before = status_kib("VmLck"), locked;
	struct slab *s = fresh(10000, SLOTS, sizeof (struct channel_keys));
	size_t size = slab_size(10000, SLOTS, sizeof (struct channel_keys));

	if (!slab_is_locked(s)) {
		slab_free(s);
		skip();
	}
	locked = status_kib("VmLck");
	slab_free(s);
	printf("figure: slab: %d slots of %zu bytes: %zu bytes to lock, locked %ld KiB\n", SLOTS,
	       sizeof (struct channel_keys), size, locked - before);
	assert_int_equal(locked - before, size / 1024);
	assert_int_equal(status_kib("VmLck"), before);
}

static void slab_gives_zeroed_slots_that_do_not_overlap(void **state)
{
	struct slab *s = fresh(100, SLOTS, 100);
	uint8_t *slot[SLOTS], *kept;
	size_t i, k;

	kept = slab_keep(s, 100);
	assert_non_null(kept);
	memset(kept, 0xee, 100);
	for (i = 0; i < SLOTS; i++) {
		slot[i] = slab_take(s);
		assert_non_null(slot[i]);
		for (k = 0; k < 100; k++)
			assert_int_equal(slot[i][k], 0);
		memset(slot[i], (int)i, 100);
	}
	assert_null(slab_take(s));
	assert_int_equal(slab_taken(s), SLOTS);
	for (i = 0; i < SLOTS; i++)
		for (k = 0; k < 100; k++)
			assert_int_equal(slot[i][k], (uint8_t)i);
	for (k = 0; k < 100; k++)
		assert_int_equal(kept[k], 0xee);
	for (i = 0; i < SLOTS; i += 3)
		slab_give(s, slot[i]);
	slab_give(s, NULL);
	for (i = 0; i < SLOTS; i += 3) {
		uint8_t *p = slab_take(s);

		assert_non_null(p);
		for (k = 0; k < 100; k++)
			assert_int_equal(p[k], 0);
	}
	assert_null(slab_take(s));
	slab_free(s);
	slab_free(NULL);
}

static void slab_keep_ends_where_it_was_told(void **state)
{
	struct slab *s = fresh(128, 1, 1);

	assert_non_null(slab_keep(s, 1));
	assert_null(slab_keep(s, 65));
	assert_non_null(slab_keep(s, 64));
	assert_null(slab_keep(s, 1));
	slab_free(s);
}

static void slab_refuses_what_is_no_size(void **state)
{
	struct slab *s;

	assert_int_equal(slab_new(&s, 0, 0, 64), PERR_RANGE);
	assert_int_equal(slab_new(&s, 0, 1, 0), PERR_RANGE);
	assert_int_equal(slab_new(&s, 0, 1, 65537), PERR_RANGE);
	assert_int_equal(slab_new(&s, SIZE_MAX, 1, 64), PERR_RANGE);
	assert_null(s);
}

/* what a child does that must end it: returns the signal, 0 if it lived */
static int dies(void (*what)(struct slab *s), struct slab *s)
{
	pid_t pid;
	int status;

	fflush(stdout);
	pid = fork();
	if (pid == 0) {
		const struct rlimit none = { 0, 0 };

		(void)setrlimit(RLIMIT_CORE, &none);
		(void)signal(SIGSEGV, SIG_DFL);
		(void)signal(SIGABRT, SIG_DFL);
		(void)fclose(stderr);
		what(s);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status);
}

static void give_twice(struct slab *s)
{
	void *p = slab_take(s);

	slab_give(s, p);
	slab_give(s, p);
}

static void give_half(struct slab *s)
{
	slab_give(s, (uint8_t *)slab_take(s) + 1);
}

static void read_before(struct slab *s)
{
	volatile uint8_t *p = slab_keep(s, 1);

	p[-1] = 1;
}

static void read_behind(struct slab *s)
{
	volatile uint8_t *p = slab_take(s);

	/* the first slot: 64 bytes of keep before it, the slots, and it ends with a page */
	p[4096 - 64] = 1;
}

static void slab_ends_the_process_rather_than_mix_keys(void **state)
{
	struct slab *s = fresh(64, 4, 64);

	assert_int_not_equal(dies(give_twice, s), 0);
	assert_int_not_equal(dies(give_half, s), 0);
	assert_int_not_equal(dies(read_before, s), 0);
	assert_int_not_equal(dies(read_behind, s), 0);
	slab_free(s);
}

static uint8_t *secret;

static void look_in_child(struct slab *s)
{
	size_t i;

	for (i = 0; i < 64; i++)
		if (secret[i] != 0)
			_exit(3);
}

static void slab_is_empty_in_a_child(void **state)
{
	struct slab *s = fresh(64, 4, 64);

	secret = slab_take(s);
	memset(secret, 0x5a, 64);
	assert_int_equal(dies(look_in_child, s), 0);
	assert_int_equal(secret[0], 0x5a);
	slab_free(s);
}

static void without_leave_to_lock(struct slab *s)
{
	const struct rlimit little = { 4096, 4096 };
	struct slab *t;

	(void)s;
	/* root may lock whatever the limit says */
	if (setrlimit(RLIMIT_MEMLOCK, &little) != 0 ||
	    (geteuid() == 0 && syscall(SYS_setuid, 65534) != 0))
		_exit(3);
	if (slab_new(&t, 64, 100, 64) != PERR_LIMIT || t == NULL || slab_is_locked(t))
		_exit(4);
	memset(slab_take(t), 1, 64);     /* usable all the same */
	slab_free(t);
	if (slab_new(&t, 64, 1, 64) != PERR_OK)
		_exit(5);
}

static void slab_says_when_it_is_not_locked(void **state)
{
	assert_int_equal(dies(without_leave_to_lock, NULL), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(slab_is_locked_to_the_byte_it_names),
		cmocka_unit_test(slab_gives_zeroed_slots_that_do_not_overlap),
		cmocka_unit_test(slab_keep_ends_where_it_was_told),
		cmocka_unit_test(slab_refuses_what_is_no_size),
		cmocka_unit_test(slab_ends_the_process_rather_than_mix_keys),
		cmocka_unit_test(slab_is_empty_in_a_child),
		cmocka_unit_test(slab_says_when_it_is_not_locked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
