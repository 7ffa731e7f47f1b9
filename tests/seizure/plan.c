/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * seizure_plan SEED TEMPLATE FOLDER PEOPLE INTAKES: who there is and what is told, all of
 * it made of the seed, so that a drill can be run again and no canary is a word of any
 * language.
 *
 *	FOLDER/plan              every canary (canary.h)
 *	FOLDER/people            one a line: login, full name, passphrase, source address
 *	FOLDER/intake-N.xml      an instance of the raid-intake form
 *	FOLDER/intake-N.file     the name of its photograph, which stands beside it
 *	FOLDER/words             KEY<TAB>text: organisation, desk, note, reason
 */
#include <arpa/inet.h>
#include <sodium.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "canary.h"

static uint8_t seed[32];
static uint64_t drawn;
static FILE *plan;
static const char *folder;

static uint32_t draw(uint32_t below)
{
	uint8_t key[32], b[8];
	uint64_t v;

	memcpy(key, seed, sizeof key);
	for (int i = 0; i < 8; i++)
		key[i] ^= (uint8_t)(drawn >> 8 * i);
	drawn++;
	randombytes_buf_deterministic(b, sizeof b, key);
	memcpy(&v, b, sizeof v);
	return (uint32_t)(v % below);
}

static FILE *create(const char *name)
{
	char path[512];
	FILE *f;

	snprintf(path, sizeof path, "%s/%s", folder, name);
	f = fopen(path, "wb");
	if (f == NULL) {
		perror(path);
		exit(2);
	}
	return f;
}

static void __attribute__((format(printf, 2, 3))) canary(const char *class, const char *fmt, ...)
{
	va_list ap;

	fprintf(plan, "%s\ttext\t", class);
	va_start(ap, fmt);
	vfprintf(plan, fmt, ap);
	va_end(ap);
	fputc('\n', plan);
}

/* a word of so many syllables that is in no dictionary */
static void word(char *out, unsigned syllables, bool capital)
{
	static const char *const first[] = { "tz", "kw", "xh", "qu", "br", "vl", "zh", "dr", "ñ",
	                                     "gw", "pj", "ts", "m", "ll", "chʼ", "sk" };
	static const char *const middle[] = { "a", "é", "io", "u", "aʼ", "oe", "i", "úa" };
	static const char *const last[] = { "l", "x", "nq", "", "rd", "m", "zk", "" };
	char *at = out;

	while (syllables-- > 0)
		at += sprintf(at, "%s%s%s", first[draw(16)], middle[draw(8)], last[draw(8)]);
	if (capital && out[0] >= 'a' && out[0] <= 'z')
		out[0] -= 32;
}

/* two words; each is a canary as well */
static const char *name(const char *class)
{
	static char text[8][160];
	static unsigned next;
	char a[64], b[64], *out = text[next++ % 8];

	word(a, 3, true);
	word(b, 3, true);
	snprintf(out, 160, "%s %s", a, b);
	canary(class, "%s", out);
	canary(class, "%s", a);
	canary(class, "%s", b);
	return out;
}

/* n words, the whole and every second pair of them a canary */
static const char *sentence(const char *class, unsigned n)
{
	static char text[16][1024];
	static unsigned next;
	char w[64], pair[160] = "", *out = text[next++ % 16];
	size_t len = 0;

	out[0] = '\0';
	for (unsigned i = 0; i < n; i++) {
		word(w, 2 + draw(2), i == 0);
		len += (size_t)snprintf(out + len, 1024 - len, "%s%s", i > 0 ? " " : "", w);
		if (i % 2 == 0)
			snprintf(pair, sizeof pair, "%s", w);
		else
			canary(class, "%s %s", pair, w);
	}
	canary(class, "%s", out);
	return out;
}

static const char *value_of(const char *key, size_t len, unsigned intake)
{
	static char text[256];
	char w[64];

	if (len >= 4 && strncmp(key, "NAME", 4) == 0)
		return name("name");
	if (len == 9 && strncmp(key, "PAPERNAME", len) == 0)
		return name("name");
	if (strncmp(key, "ALIAS", 5) == 0)
		return name("name");
	if (strncmp(key, "TEXT", 4) == 0)
		return sentence("form text", 4 + 2 * draw(8));
	if (strncmp(key, "TOWN", 4) == 0)
		return name("address");
	if (strncmp(key, "ADDRESS", 7) == 0) {
		word(w, 3, true);
		snprintf(text, sizeof text, "%u %s Road", 100 + draw(9900), w);
		canary("address", "%s", text);
		canary("address", "%s", w);
		return text;
	}
	if (strncmp(key, "ANUMBER", 7) == 0) {
		unsigned a = 200 + draw(700), b = draw(1000), c = draw(1000);

		snprintf(text, sizeof text, "A%03u-%03u-%03u", a, b, c);
		canary("alien number", "%s", text);
		canary("alien number", "%03u-%03u-%03u", a, b, c);
		canary("alien number", "A%03u%03u%03u", a, b, c);
		return text;
	}
	if (strncmp(key, "PHONE", 5) == 0) {
		unsigned a = 200 + draw(700), b = 200 + draw(700), c = draw(10000);

		snprintf(text, sizeof text, "%03u-%03u-%04u", a, b, c);
		canary("phone", "%s", text);
		canary("phone", "%03u%03u%04u", a, b, c);
		canary("phone", "(%03u) %03u-%04u", a, b, c);
		return text;
	}
	if (strncmp(key, "PHOTO", 5) == 0) {
		char file[300], path[600];
		uint8_t piece[64];
		FILE *f;

		word(w, 4, false);
		snprintf(text, sizeof text, "%s %u.jpg", w, draw(1000));
		canary("file name", "%s", text);
		canary("file name", "%s", w);
		snprintf(path, sizeof path, "intake-%u.file", intake);
		f = create(path);
		fprintf(f, "%s\n", text);
		fclose(f);
		/* what is in it: the first piece of each 8 KiB is a canary */
		snprintf(file, sizeof file, "%s", text);
		f = create(file);
		fwrite("\xff\xd8\xff\xe0", 1, 4, f);
		for (unsigned i = 0; i < 5; i++) {
			char hex[sizeof piece * 2 + 1];

			for (unsigned k = 0; k < 128; k++) {
				for (size_t b = 0; b < sizeof piece; b++)
					piece[b] = (uint8_t)draw(256);
				fwrite(piece, 1, sizeof piece, f);
				if (k == 0)
					fprintf(plan, "photograph\thex\t%s\n",
					        sodium_bin2hex(hex, sizeof hex, piece, 32));
			}
		}
		fclose(f);
		return text;
	}
	if (strncmp(key, "UUID", 4) == 0) {
		snprintf(text, sizeof text, "%08x-%04x-4%03x-9%03x-%08x%04x", draw(~0u), draw(65536),
		         draw(4096), draw(4096), draw(~0u), draw(65536));
		canary("form text", "%s", text);
		return text;
	}
	fprintf(stderr, "seizure_plan: the template has an unknown @%.*s@\n", (int)len, key);
	exit(2);
}

static void intake(const char *template, unsigned number)
{
	char path[64];
	const char *at = template, *end;
	FILE *f;

	snprintf(path, sizeof path, "intake-%u.xml", number);
	f = create(path);
	while (*at != '\0') {
		end = *at == '@' ? strchr(at + 1, '@') : NULL;
		if (end == NULL) {
			fputc(*at++, f);
			continue;
		}
		fputs(value_of(at + 1, (size_t)(end - at - 1), number), f);
		at = end + 1;
	}
	fclose(f);
}

static char *read_all(const char *path)
{
	FILE *f = fopen(path, "rb");
	char *text = need(calloc(1, 65536));

	if (f == NULL || fread(text, 1, 65535, f) == 0) {
		perror(path);
		exit(2);
	}
	fclose(f);
	return text;
}

int main(int argc, char **argv)
{
	static const char *const logins[] = { "ruth", "ana", "ben", "carla", "v1", "v2", "v3",
	                                      "dora" };
	unsigned people, intakes;
	char *template;
	FILE *f;

	if (argc != 6 || sodium_init() < 0) {
		fputs("Use: seizure_plan SEED TEMPLATE FOLDER PEOPLE INTAKES\n", stderr);
		return 2;
	}
	crypto_generichash(seed, sizeof seed, (const uint8_t *)argv[1], strlen(argv[1]),
	                   (const uint8_t *)"plan of a seizure drill", 23);
	template = read_all(argv[2]);
	folder = argv[3];
	people = (unsigned)atoi(argv[4]);
	intakes = (unsigned)atoi(argv[5]);
	plan = create("plan");
	f = create("people");
	for (unsigned i = 0; i < people && i < sizeof logins / sizeof logins[0]; i++) {
		const char *full = name("member's name");
		char address[32], pass[8][64];

		for (unsigned k = 0; k < 6; k++)
			word(pass[k], 2, false);
		snprintf(address, sizeof address, "127.%u.%u.%u", 33 + draw(200), 1 + draw(254),
		         1 + draw(254));
		fprintf(f, "%s\t%s\t%s %s %s %s %s %s\t%s\n", logins[i], full, pass[0], pass[1],
		        pass[2], pass[3], pass[4], pass[5], address);
		canary("passphrase", "%s %s %s %s %s %s", pass[0], pass[1], pass[2], pass[3], pass[4],
		       pass[5]);
		canary("passphrase", "%s %s", pass[0], pass[1]);
		canary("passphrase", "%s %s", pass[4], pass[5]);
		fprintf(plan, "address of an ended connection\tip\t%s\n", address);
	}
	fclose(f);
	f = create("words");
	fprintf(f, "organisation\t%s\n", name("organisation"));
	fprintf(f, "desk\t%s\n", name("desk"));
	fprintf(f, "note\t%s\n", sentence("note", 12));
	fprintf(f, "reason\t%s\n", sentence("note", 6));
	fclose(f);
	for (unsigned i = 1; i <= intakes; i++)
		intake(template, i);
	free(template);
	return fclose(plan) == 0 ? 0 : 2;
}
