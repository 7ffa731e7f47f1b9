/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * Runs a fuzz target without a fuzzer: every file of the folders given, and of each file a
 * fixed number of seeded mutations.
 *
 *	replay_fuzz_NAME [-n MUTATIONS] FOLDER...
 *
 * The same folders give the same inputs on every machine.  When a target aborts, the file
 * and the number of the mutation are printed first; `-n` up to that number repeats it.
 */
#include <dirent.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SEED          UINT64_C(0x414d5041524f0001)
#define INPUT_MAX     (1u << 16)
#define MUTATIONS     100

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
/* both are optional: a target's own start, and the sanitizers' last word */
__attribute__((weak)) int LLVMFuzzerInitialize(int *argc, char ***argv);
__attribute__((weak)) void __sanitizer_set_death_callback(void (*callback)(void));

static char now_running[600];

static void say_where(void)
{
	ssize_t ignored = write(2, now_running, strlen(now_running));

	(void)ignored;
}

static void on_fatal(int sig)
{
	say_where();
	signal(sig, SIG_DFL);
	raise(sig);
}

/* SplitMix64: small, and the same everywhere */
static uint64_t draw(uint64_t *state)
{
	uint64_t z = (*state += UINT64_C(0x9e3779b97f4a7c15));

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

static size_t below(uint64_t *state, size_t n)
{
	return n == 0 ? 0 : (size_t)(draw(state) % n);
}

static size_t mutate_once(uint8_t *p, size_t len, uint64_t *state)
{
	static const uint8_t telling[] = { 0x00, 0x01, 0x7f, 0x80, 0xc0, 0xc4, 0xdc, 0xdd, 0xff };
	size_t at = below(state, len), n;

	switch (below(state, 6)) {
	case 0:
		if (len > 0)
			p[at] ^= (uint8_t)(1u << below(state, 8));
		return len;
	case 1:
		if (len > 0)
			p[at] = telling[below(state, sizeof telling)];
		return len;
	case 2:
		return at;
	case 3:                          /* one byte more */
		if (len == INPUT_MAX)
			return len;
		memmove(p + at + 1, p + at, len - at);
		p[at] = (uint8_t)draw(state);
		return len + 1;
	case 4:                          /* some bytes fewer */
		n = below(state, len - at + 1);
		memmove(p + at, p + at + n, len - at - n);
		return len - n;
	default:                         /* a piece again */
		n = below(state, len - at + 1);
		if (len + n > INPUT_MAX)
			return len;
		memmove(p + at + n, p + at, len - at);
		return len + n;
	}
}

/* a copy of exactly len bytes, so that a sanitizer sees the first byte read behind them */
static void run(const uint8_t *p, size_t len)
{
	uint8_t *copy = malloc(len > 0 ? len : 1);

	if (copy == NULL)
		abort();
	memcpy(copy, p, len);
	LLVMFuzzerTestOneInput(copy, len);
	free(copy);
}

static unsigned long replay_file(const char *path, unsigned mutations)
{
	static uint8_t file[INPUT_MAX], input[INPUT_MAX];
	FILE *f = fopen(path, "rb");
	size_t len;
	unsigned i;

	if (f == NULL) {
		perror(path);
		exit(1);
	}
	len = fread(file, 1, sizeof file, f);
	fclose(f);
	snprintf(now_running, sizeof now_running, "in %s\n", path);
	run(file, len);
	for (i = 1; i <= mutations; i++) {
		uint64_t state = SEED + i;
		size_t n = len, steps = 1 + below(&state, 4);

		memcpy(input, file, len);
		while (steps-- > 0)
			n = mutate_once(input, n, &state);
		snprintf(now_running, sizeof now_running, "in %s, mutation %u\n", path, i);
		run(input, n);
	}
	return 1 + mutations;
}

static int is_file(const struct dirent *e)
{
	return e->d_name[0] != '.';
}

static unsigned long replay_folder(const char *folder, unsigned mutations)
{
	struct dirent **list;
	unsigned long done = 0;
	int n = scandir(folder, &list, is_file, alphasort), i;

	if (n < 0) {
		perror(folder);
		exit(1);
	}
	for (i = 0; i < n; i++) {
		char path[512];

		snprintf(path, sizeof path, "%s/%s", folder, list[i]->d_name);
		free(list[i]);
		done += replay_file(path, mutations);
	}
	free(list);
	return done;
}

int main(int argc, char **argv)
{
	const char *name = strrchr(argv[0], '/');
	unsigned long done = 0;
	unsigned mutations = MUTATIONS;
	int i = 1;

	name = name == NULL ? argv[0] : name + 1;
	if (strncmp(name, "replay_", 7) == 0)
		name += 7;
	if (argc > 2 && strcmp(argv[1], "-n") == 0) {
		mutations = (unsigned)strtoul(argv[2], NULL, 10);
		i = 3;
	}
	if (LLVMFuzzerInitialize != NULL)
		LLVMFuzzerInitialize(&argc, &argv);
	if (__sanitizer_set_death_callback != NULL) {
		__sanitizer_set_death_callback(say_where);
	} else {
		signal(SIGSEGV, on_fatal);
		signal(SIGBUS, on_fatal);
	}
	signal(SIGABRT, on_fatal);
	for (; i < argc; i++)
		done += replay_folder(argv[i], mutations);
	if (done == 0) {
		printf("FAIL %s: no inputs\n", name);
		return 1;
	}
	printf("ok %s takes every input of its corpus\n", name);
	printf("figure: %s: inputs %lu, crashes 0\n", name, done);
	return 0;
}
