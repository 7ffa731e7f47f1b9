/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * hunt: looks through every byte of every file below some folders for planted strings.
 *
 *	hunt [--plant N] CANARIES FOLDER…
 *
 * CANARIES   one a line, kind<TAB>string.  Each is sought as it is, in lower and upper
 *            case, as UTF-16 of both byte orders, as hexadecimal of both cases, as base64
 *            at the three offsets (with and without url alphabet), and reversed; file names
 *            are searched too.
 * --plant N  first write N canaries, each in another encoding and among random bytes, into
 *            a file of the first folder, and remove it at the end: all must be found.  The
 *            exit code is 3 if one is not: a hunt that finds nothing proves nothing then.
 *
 * Prints a line per hit, and "found: x of n strings in m files, b bytes".
 * Exit code 0: nothing found (planted ones apart), 1: something found, 2: usage.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PLANTED "hunt.control"

static const char *const encodings[] = {
	"as it is", "lower case", "upper case", "UTF-16LE", "UTF-16BE", "hex", "HEX",
	"base64 +0", "base64 +1", "base64 +2", "base64url +0", "base64url +1", "base64url +2",
	"reversed"
};
#define N_ENC (sizeof encodings / sizeof encodings[0])

struct pattern {
	unsigned canary, enc;
	unsigned char *p;
	size_t len;
};

static char **canaries, **kinds;
static bool *hit;
static unsigned n_canaries, n_hits, n_planted, n_planted_found;
static struct pattern *patterns;
static size_t n_patterns;
static unsigned long long n_files, n_bytes;
static bool *planted_found;

static void *need(void *p)
{
	if (p == NULL) {
		fputs("hunt: out of memory\n", stderr);
		exit(2);
	}
	return p;
}

static void add(unsigned canary, unsigned enc, const unsigned char *p, size_t len)
{
	struct pattern *q;

	if (len < 6)
		return;                  /* too short to mean anything */
	patterns = need(realloc(patterns, (n_patterns + 1) * sizeof *patterns));
	q = &patterns[n_patterns++];
	q->canary = canary;
	q->enc = enc;
	q->p = need(malloc(len));
	memcpy(q->p, p, len);
	q->len = len;
}

/* UTF-8 to UTF-16; canaries are valid UTF-8 */
static size_t utf16(unsigned char *out, const unsigned char *s, size_t len, bool big)
{
	size_t n = 0;

	for (size_t i = 0; i < len;) {
		unsigned c = s[i], more = c < 0x80 ? 0 : c < 0xe0 ? 1 : c < 0xf0 ? 2 : 3, units[2];
		unsigned n_units = 1;

		c &= more == 0 ? 0x7f : more == 1 ? 0x1f : more == 2 ? 0x0f : 0x07;
		for (i++; more > 0 && i < len; more--)
			c = c << 6 | (s[i++] & 0x3f);
		units[0] = c;
		if (c > 0xffff) {
			units[0] = 0xd800 + ((c - 0x10000) >> 10);
			units[1] = 0xdc00 + ((c - 0x10000) & 0x3ff);
			n_units = 2;
		}
		for (unsigned k = 0; k < n_units; k++) {
			out[n++] = (unsigned char)(big ? units[k] >> 8 : units[k]);
			out[n++] = (unsigned char)(big ? units[k] : units[k] >> 8);
		}
	}
	return n;
}

/* the characters of the base64 text that depend on s alone, s standing `skip` bytes in */
static size_t base64_inner(char *out, const unsigned char *s, size_t len, unsigned skip,
                           int variant)
{
	size_t room = len + 4, first, last, n;
	unsigned char *buf = need(calloc(1, room));
	char *b64 = need(malloc(sodium_base64_ENCODED_LEN(room, sodium_base64_VARIANT_ORIGINAL)));

	memcpy(buf + skip, s, len);
	sodium_bin2base64(b64, sodium_base64_ENCODED_LEN(room, sodium_base64_VARIANT_ORIGINAL),
	                  buf, skip + len, variant);
	first = (8 * skip + 5) / 6;
	last = 8 * (skip + len) / 6;
	n = last - first;
	memcpy(out, b64 + first, n);
	free(buf);
	free(b64);
	return n;
}

static void add_all(unsigned c)
{
	const unsigned char *s = (const unsigned char *)canaries[c];
	size_t len = strlen(canaries[c]), n;
	unsigned char *t = need(malloc(4 * len + 16));

	add(c, 0, s, len);
	for (unsigned up = 0; up < 2; up++) {
		for (size_t i = 0; i < len; i++)
			t[i] = s[i] >= 'A' && s[i] <= 'Z' && !up ? s[i] + 32
			     : s[i] >= 'a' && s[i] <= 'z' && up ? s[i] - 32 : s[i];
		if (memcmp(t, s, len) != 0)
			add(c, 1 + up, t, len);
	}
	for (unsigned big = 0; big < 2; big++) {
		n = utf16(t, s, len, big);
		add(c, 3 + big, t, n);
	}
	sodium_bin2hex((char *)t, 2 * len + 1, s, len);
	add(c, 5, t, 2 * len);
	for (size_t i = 0; i < 2 * len; i++)
		t[i] = t[i] >= 'a' ? t[i] - 32 : t[i];
	add(c, 6, t, 2 * len);
	for (unsigned k = 0; k < 3; k++) {
		n = base64_inner((char *)t, s, len, k, sodium_base64_VARIANT_ORIGINAL);
		add(c, 7 + k, t, n);
		n = base64_inner((char *)t, s, len, k, sodium_base64_VARIANT_URLSAFE);
		add(c, 10 + k, t, n);
	}
	for (size_t i = 0; i < len; i++)
		t[i] = s[len - 1 - i];
	add(c, 13, t, len);
	free(t);
}

/* patterns by their first two bytes, so that the bytes are gone through once */
static size_t *first_of, *next_of;       /* index + 1; 0: none */

static void index_patterns(void)
{
	first_of = need(calloc(65536, sizeof *first_of));
	next_of = need(calloc(n_patterns + 1, sizeof *next_of));
	for (size_t i = n_patterns; i > 0; i--) {
		unsigned k = patterns[i - 1].p[0] | (unsigned)patterns[i - 1].p[1] << 8;

		next_of[i] = first_of[k];
		first_of[k] = i;
	}
}

/* where each pattern stands first, or NULL */
static void find_all(const unsigned char **at, const unsigned char *p, size_t len)
{
	for (size_t i = 0; i + 1 < len; i++)
		for (size_t k = first_of[p[i] | (unsigned)p[i + 1] << 8]; k != 0; k = next_of[k]) {
			const struct pattern *q = &patterns[k - 1];

			if (at[k - 1] == NULL && q->len <= len - i && memcmp(p + i, q->p, q->len) == 0)
				at[k - 1] = p + i;
		}
}

static void look(const unsigned char *p, size_t len, const char *where, bool is_planted)
{
	const unsigned char **found = need(calloc(n_patterns + 1, sizeof *found));

	find_all(found, p, len);
	for (size_t i = 0; i < n_patterns; i++) {
		const struct pattern *q = &patterns[i];
		const unsigned char *at = found[i];

		if (at == NULL)
			continue;
		if (is_planted) {
			if (q->canary < n_planted && q->canary % N_ENC == q->enc)
				planted_found[q->canary] = true;
			continue;
		}
		printf("FOUND %s (%s) in %s at byte %zu\n", kinds[q->canary], encodings[q->enc],
		       where, (size_t)(at - p));
		if (!hit[q->canary])
			n_hits++;
		hit[q->canary] = true;
	}
	free(found);
}

static void file(const char *path)
{
	const char *base = strrchr(path, '/');
	bool is_planted;
	unsigned char *p;
	struct stat st;
	size_t got = 0;
	int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);

	base = base == NULL ? path : base + 1;
	is_planted = strcmp(base, PLANTED) == 0;
	if (!is_planted)
		look((const unsigned char *)base, strlen(base), "a file's name", false);
	if (fd < 0)
		return;
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode)) {
		p = need(malloc((size_t)st.st_size + 1));
		while (got < (size_t)st.st_size) {
			ssize_t k = read(fd, p + got, (size_t)st.st_size - got);

			if (k <= 0)
				break;
			got += (size_t)k;
		}
		look(p, got, base, is_planted);
		if (!is_planted) {
			n_files++;
			n_bytes += got;
		}
		free(p);
	}
	close(fd);
}

static void folder(const char *path)
{
	struct dirent *e;
	DIR *d = opendir(path);

	if (d == NULL) {
		if (errno == ENOTDIR)
			file(path);
		return;
	}
	while ((e = readdir(d)) != NULL) {
		char *sub;

		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
			continue;
		if (asprintf(&sub, "%s/%s", path, e->d_name) < 0)
			need(NULL);
		folder(sub);
		free(sub);
	}
	closedir(d);
}

static void read_canaries(const char *path)
{
	FILE *f = fopen(path, "r");
	char *line = NULL;
	size_t room = 0;
	ssize_t n;

	if (f == NULL) {
		fprintf(stderr, "hunt: %s cannot be read\n", path);
		exit(2);
	}
	while ((n = getline(&line, &room, f)) > 0) {
		char *tab;

		while (n > 0 && (line[n - 1] == '\n' || line[n - 1] == '\r'))
			line[--n] = '\0';
		tab = strchr(line, '\t');
		if (line[0] == '#' || tab == NULL)
			continue;
		*tab = '\0';
		canaries = need(realloc(canaries, (n_canaries + 1) * sizeof *canaries));
		kinds = need(realloc(kinds, (n_canaries + 1) * sizeof *kinds));
		canaries[n_canaries] = need(strdup(tab + 1));
		kinds[n_canaries++] = need(strdup(line));
	}
	free(line);
	fclose(f);
}

/* canary i in encoding i mod N_ENC, each between random bytes */
static void plant(const char *dir)
{
	char *path;
	FILE *f;

	if (asprintf(&path, "%s/" PLANTED, dir) < 0)
		need(NULL);
	f = fopen(path, "wb");
	if (f == NULL) {
		fprintf(stderr, "hunt: the control cannot be planted in %s\n", dir);
		exit(2);
	}
	for (size_t i = 0; i < n_patterns; i++) {
		unsigned char noise[512];

		if (patterns[i].canary >= n_planted ||
		    patterns[i].canary % N_ENC != patterns[i].enc)
			continue;
		randombytes_buf(noise, sizeof noise);
		fwrite(noise, 1, sizeof noise, f);
		fwrite(patterns[i].p, 1, patterns[i].len, f);
		fwrite(noise, 1, 64, f);
	}
	fclose(f);
	free(path);
}

int main(int argc, char **argv)
{
	int at = 1, code;

	if (argc > 3 && strcmp(argv[1], "--plant") == 0) {
		n_planted = (unsigned)atoi(argv[2]);
		at = 3;
	}
	if (argc - at < 2 || sodium_init() < 0) {
		fputs("Use: hunt [--plant N] CANARIES FOLDER…\n", stderr);
		return 2;
	}
	read_canaries(argv[at++]);
	if (n_canaries == 0) {
		fputs("hunt: no canaries\n", stderr);
		return 2;
	}
	hit = need(calloc(n_canaries, sizeof *hit));
	for (unsigned c = 0; c < n_canaries; c++)
		add_all(c);
	if (n_planted > n_canaries)
		n_planted = n_canaries;
	planted_found = need(calloc(n_planted + 1, sizeof *planted_found));
	if (n_planted > 0) {
		/* an encoding that is the same as the plain text has no pattern: plant it plain */
		for (unsigned c = 0; c < n_planted; c++) {
			bool has = false;

			for (size_t i = 0; i < n_patterns; i++)
				has |= patterns[i].canary == c && patterns[i].enc == c % N_ENC;
			if (!has)
				add(c, c % N_ENC, (unsigned char *)canaries[c], strlen(canaries[c]));
		}
		plant(argv[at]);
	}
	index_patterns();
	for (int i = at; i < argc; i++)
		folder(argv[i]);
	if (n_planted > 0) {
		char *path;

		for (unsigned c = 0; c < n_planted; c++)
			n_planted_found += planted_found[c];
		if (asprintf(&path, "%s/" PLANTED, argv[at]) < 0)
			need(NULL);
		unlink(path);
		free(path);
		printf("control: %u of %u planted strings found\n", n_planted_found, n_planted);
	}
	printf("found: %u of %u strings in %llu files, %llu bytes\n", n_hits, n_canaries, n_files,
	       n_bytes);
	code = n_planted_found < n_planted ? 3 : n_hits > 0 ? 1 : 0;
	for (size_t i = 0; i < n_patterns; i++)
		free(patterns[i].p);
	for (unsigned c = 0; c < n_canaries; c++) {
		free(canaries[c]);
		free(kinds[c]);
	}
	free(patterns);
	free(first_of);
	free(next_of);
	free(canaries);
	free(kinds);
	free(hit);
	free(planted_found);
	return code;
}
