/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * Thousands of interviews, as fast as they can be sealed: what a desk's list is measured with.
 *
 *	many_intakes HOME PASSFILE N FILE.xml...     seals N, of each file in turn
 *
 * They wait in the outbox; `amparo sync` sends them.  Prints "sealed N".
 */
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "home.h"
#include "intake.h"

#define FILES_MAX 16
#define FILE_MAX  (1 << 20)

static void die(const char *what)
{
	fprintf(stderr, "many_intakes: %s\n", what);
	exit(2);
}

static uint8_t *read_file(const char *path, size_t *len)
{
	FILE *f = fopen(path, "rb");
	uint8_t *buf = malloc(FILE_MAX);

	if (f == NULL || buf == NULL)
		die(path);
	*len = fread(buf, 1, FILE_MAX, f);
	if (*len == 0 || *len == FILE_MAX || ferror(f))
		die(path);
	fclose(f);
	return buf;
}

int main(int argc, char **argv)
{
	uint8_t *xml[FILES_MAX];
	size_t len[FILES_MAX];
	unsigned long n, i;
	int files = argc - 4;
	struct home o;

	if (sodium_init() < 0)
		return 2;
	if (files < 1 || files > FILES_MAX || (n = strtoul(argv[3], NULL, 10)) == 0)
		die("use: many_intakes HOME PASSFILE N FILE.xml...");
	for (int k = 0; k < files; k++)
		xml[k] = read_file(argv[4 + k], &len[k]);
	home_open(&o, argv[1], argv[2]);
	for (i = 0; i < n; i++) {
		struct intake in = { .language = "es" };
		struct intake_receipt r;
		char why[DISPATCH_WHY] = "";

		in.xml = xml[i % (unsigned)files];
		in.xml_len = len[i % (unsigned)files];
		if (intake_seal(o.client, &in, &r, why) != PERR_OK)
			die(why);
	}
	home_close(&o);
	for (int k = 0; k < files; k++)
		free(xml[k]);
	printf("sealed %lu\n", n);
	return 0;
}
