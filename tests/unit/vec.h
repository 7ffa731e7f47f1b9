/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * vec: reads the project's own vectors, tests/vectors/NAME.txt.
 *
 *	# a remark
 *	[record]
 *	key value          one space between; numbers in decimal, bytes in hex
 *
 * Tests run from the top of the source tree.
 */
#ifndef AMPARO_TEST_VEC_H
#define AMPARO_TEST_VEC_H

#include <stdlib.h>

#include "hex.h"

/* value  out: text behind the key, ended by a zero; the test fails if there is none */
static inline void vec_text(char value[9000], const char *name, const char *record,
                            const char *key)
{
	static char line[9100];
	char path[100], head[100];
	size_t key_len = strlen(key);
	int in_record = 0, found = 0;
	FILE *f;

	snprintf(path, sizeof path, "tests/vectors/%s.txt", name);
	snprintf(head, sizeof head, "[%s]", record);
	f = fopen(path, "r");
	if (f == NULL)
		fail_msg("cannot open %s", path);
	while (fgets(line, sizeof line, f) != NULL) {
		line[strcspn(line, "\n")] = '\0';
		if (line[0] == '[')
			in_record = strcmp(line, head) == 0;
		else if (in_record && strncmp(line, key, key_len) == 0 && line[key_len] == ' ') {
			snprintf(value, 9000, "%.8990s", line + key_len + 1);
			found++;
		}
	}
	fclose(f);
	if (found != 1)
		fail_msg("%s: %s %s stands there %d times", path, head, key, found);
}

static inline size_t vec_bytes(uint8_t *out, size_t size, const char *name, const char *record,
                               const char *key)
{
	static char value[9000];

	vec_text(value, name, record, key);
	return unhex(out, size, value);
}

static inline unsigned long vec_number(const char *name, const char *record, const char *key)
{
	static char value[9000];
	char *end;
	unsigned long n;

	vec_text(value, name, record, key);
	n = strtoul(value, &end, 10);
	assert_true(end != value && *end == '\0');
	return n;
}

static unsigned vec_checked; /* how many figures have been compared */

/* p[0..len) is exactly what the file says */
static inline void assert_vec(const uint8_t *p, size_t len, const char *name,
                              const char *record, const char *key)
{
	static char value[9000];

	vec_text(value, name, record, key);
	assert_hex(p, len, value);
	vec_checked++;
}

/* the sample content of the vectors: byte i is (7i + i/251) mod 256 */
static inline void vec_sample(uint8_t *out, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++)
		out[i] = (uint8_t)(7 * i + i / 251);
}

#endif
