/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * docs_vec: the vectors of documents, tests/vectors/docs_NAME.txt: lines `name = hex` with
 * remarks.  A test's vectors() makes every document anew from fixed keys and calls vec()
 * for each figure; as a test it compares them with the file, which must hold no line more
 * and none less.  `test_NAME --write` writes the file (and the seeds of the fuzz corpus)
 * instead: only to be used when PROTOCOL.md changes.
 */
#ifndef AMPARO_TEST_DOCS_VEC_H
#define AMPARO_TEST_DOCS_VEC_H

#include <sys/stat.h>

#include "docs_kit.h"

static struct {
	const char *name;                /* of the file, without docs_ and .txt */
	FILE *out;                       /* NULL: check */
	char *text;
	unsigned checked;
} kit;

static inline void kit_path(char path[128], const char *name)
{
	snprintf(path, 128, "tests/vectors/docs_%s.txt", name);
}

static inline void kit_load(void)
{
	char path[128];
	FILE *f;
	long size;

	kit_path(path, kit.name);
	f = fopen(path, "rb");
	if (f == NULL)
		fail_msg("cannot open %s", path);
	fseek(f, 0, SEEK_END);
	size = ftell(f);
	rewind(f);
	kit.text = calloc(1, (size_t)size + 2);
	assert_non_null(kit.text);
	kit.text[0] = '\n';
	assert_int_equal(fread(kit.text + 1, 1, (size_t)size, f), size);
	fclose(f);
}

/* a remark in the file */
static inline void vec_note(const char *text)
{
	if (kit.out != NULL)
		fprintf(kit.out, "# %s\n", text);
}

/* one figure: written, or compared with the file */
static inline void vec(const char *name, const void *p, size_t len)
{
	char *hex = malloc(2 * len + 1);
	char head[128];
	const char *at;

	assert_non_null(hex);
	sodium_bin2hex(hex, 2 * len + 1, p, len);
	if (kit.out != NULL) {
		fprintf(kit.out, "%s = %s\n", name, hex);
		free(hex);
		return;
	}
	snprintf(head, sizeof head, "\n%s = ", name);
	at = strstr(kit.text, head);
	if (at == NULL)
		fail_msg("docs_%s.txt has no %s", kit.name, name);
	at += strlen(head);
	if (strncmp(at, hex, 2 * len) != 0 || at[2 * len] != '\n')
		fail_msg("docs_%s.txt: %s differs from\n%s", kit.name, name, hex);
	free(hex);
	kit.checked++;
}

static inline void vec_u32(const char *name, uint32_t v)
{
	uint8_t be[4];

	doc_u32(be, v);
	vec(name, be, sizeof be);
}

/* a text as its bytes, with itself as a remark */
static inline void vec_text(const char *name, const char *text)
{
	vec_note(text);
	vec(name, text, strlen(text));
}

static inline void kit_check_all_used(void)
{
	unsigned lines = 0;

	for (const char *p = kit.text; (p = strchr(p, '\n')) != NULL; p++)
		lines += p[1] != '\0' && p[1] != '#' && p[1] != '\n';
	assert_int_equal(lines, kit.checked);
	printf("figure: docs_%s vectors %u/%u\n", kit.name, kit.checked, lines);
	free(kit.text);
	kit.text = NULL;
}

/* a file of the fuzz corpus; only when writing */
static inline void kit_corpus(const char *target, const char *name, const uint8_t *p, size_t len)
{
	char path[160];
	FILE *f;

	if (kit.out == NULL)
		return;
	snprintf(path, sizeof path, "tests/fuzz/corpus/%s", target);
	mkdir(path, 0755);
	snprintf(path, sizeof path, "tests/fuzz/corpus/%s/%s", target, name);
	f = fopen(path, "wb");
	if (f == NULL || fwrite(p, 1, len, f) != len || fclose(f) != 0) {
		perror(path);
		exit(1);
	}
}

/* the test program's end: check (as a claim of its own) or --write */
static void vectors(void);

static inline void every_layout_has_its_vector(void **state)
{
	(void)state;
	kit_load();
	vectors();
	kit_check_all_used();
}

static inline int kit_written(int argc, char **argv, const char *name)
{
	char path[128];

	kit.name = name;
	if (sodium_init() < 0)
		exit(1);
	if (argc != 2 || strcmp(argv[1], "--write") != 0)
		return 0;
	kit_path(path, name);
	kit.out = fopen(path, "w");
	if (kit.out == NULL) {
		perror(path);
		exit(1);
	}
	fprintf(kit.out, "# SPDX-License-Identifier: AGPL-3.0-or-later\n"
	        "# Written by tests/unit/test_%s.c --write and checked by it, line by line.\n"
	        "# name = bytes in hex; a number is its u32.  rng_seeded(b) is the stream of bytes\n"
	        "# of ChaCha20 (64-bit nonce 0, from block 0) under a key of 32 times the byte b.\n",
	        name);
	vectors();
	fclose(kit.out);
	return 1;
}

#endif
