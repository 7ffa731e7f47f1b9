/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "term.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define LINE_MAX_LEN (64u << 10)

bool term_is_tty(int fd)
{
	return isatty(fd) == 1;
}

unsigned term_width(int fd)
{
	struct winsize w;

	if (ioctl(fd, TIOCGWINSZ, &w) != 0 || w.ws_col == 0)
		return 80;
	return w.ws_col < TERM_WIDTH_MIN ? TERM_WIDTH_MIN : w.ws_col;
}

/* ---- UTF-8 ---- */

size_t term_next(const char *text, size_t len, uint32_t *cp)
{
	static const uint32_t least[5] = { 0, 0, 0x80, 0x800, 0x10000 };
	const uint8_t *p = (const uint8_t *)text;
	size_t n, i;
	uint32_t c;

	*cp = 0xfffd;
	if (len == 0)
		return 0;
	if (p[0] < 0x80) {
		*cp = p[0];
		return 1;
	}
	n = p[0] >= 0xf0 && p[0] < 0xf8 ? 4 : p[0] >= 0xe0 ? 3 : p[0] >= 0xc0 ? 2 : 0;
	if (p[0] >= 0xf8 || n == 0 || n > len)
		return 1;
	c = p[0] & (0x7fu >> n);
	for (i = 1; i < n; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 1;
		c = c << 6 | (p[i] & 0x3f);
	}
	/* Overlong forms and surrogates are other spellings of what a filter refused. */
	if (c < least[n] || c > 0x10ffff || (c >= 0xd800 && c < 0xe000))
		return 1;
	*cp = c;
	return n;
}

struct range {
	uint32_t first, last;
};

static bool in_table(const struct range *t, size_t n, uint32_t cp)
{
	size_t lo = 0, hi = n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (cp > t[mid].last)
			lo = mid + 1;
		else if (cp < t[mid].first)
			hi = mid;
		else
			return true;
	}
	return false;
}

#define IN(t, cp) in_table(t, sizeof t / sizeof t[0], cp)

/* Marks that stand on the character before, and joiners: blocks, not single
 * characters, since a table is only looked at and a wrong column harms nobody. */
static const struct range zero[] = {
	{ 0x0300, 0x036f }, { 0x0483, 0x0489 }, { 0x0591, 0x05bd }, { 0x05bf, 0x05bf },
	{ 0x05c1, 0x05c2 }, { 0x05c4, 0x05c5 }, { 0x05c7, 0x05c7 }, { 0x0610, 0x061a },
	{ 0x064b, 0x065f }, { 0x0670, 0x0670 }, { 0x06d6, 0x06dc }, { 0x06df, 0x06e4 },
	{ 0x06e7, 0x06e8 }, { 0x06ea, 0x06ed }, { 0x0711, 0x0711 }, { 0x0730, 0x074a },
	{ 0x07a6, 0x07b0 }, { 0x07eb, 0x07f3 }, { 0x0816, 0x0819 }, { 0x08d3, 0x0902 },
	{ 0x093a, 0x093a }, { 0x093c, 0x093c }, { 0x0941, 0x0948 }, { 0x094d, 0x094d },
	{ 0x0951, 0x0957 }, { 0x0981, 0x0981 }, { 0x09bc, 0x09bc }, { 0x09cd, 0x09cd },
	{ 0x0e31, 0x0e31 }, { 0x0e34, 0x0e3a }, { 0x0e47, 0x0e4e }, { 0x1160, 0x11ff },
	{ 0x135d, 0x135f }, { 0x1ab0, 0x1aff }, { 0x1dc0, 0x1dff }, { 0x200b, 0x200f },
	{ 0x20d0, 0x20ff }, { 0x302a, 0x302d }, { 0x3099, 0x309a }, { 0xa66f, 0xa672 },
	{ 0xa674, 0xa67d }, { 0xa69e, 0xa69f }, { 0xa8e0, 0xa8f1 }, { 0xfb1e, 0xfb1e },
	{ 0xfe00, 0xfe0f }, { 0xfe20, 0xfe2f }, { 0xfeff, 0xfeff }, { 0x1d165, 0x1d169 },
	{ 0x1f3fb, 0x1f3ff }, { 0xe0100, 0xe01ef },
};

static const struct range wide[] = {
	{ 0x1100, 0x115f }, { 0x231a, 0x231b }, { 0x2329, 0x232a }, { 0x23e9, 0x23ec },
	{ 0x23f0, 0x23f0 }, { 0x23f3, 0x23f3 }, { 0x25fd, 0x25fe }, { 0x2614, 0x2615 },
	{ 0x2648, 0x2653 }, { 0x267f, 0x267f }, { 0x2693, 0x2693 }, { 0x26a1, 0x26a1 },
	{ 0x26aa, 0x26ab }, { 0x26bd, 0x26be }, { 0x26c4, 0x26c5 }, { 0x26ce, 0x26ce },
	{ 0x26d4, 0x26d4 }, { 0x26ea, 0x26ea }, { 0x26f2, 0x26f3 }, { 0x26f5, 0x26f5 },
	{ 0x26fa, 0x26fa }, { 0x26fd, 0x26fd }, { 0x2705, 0x2705 }, { 0x270a, 0x270b },
	{ 0x2728, 0x2728 }, { 0x274c, 0x274c }, { 0x274e, 0x274e }, { 0x2753, 0x2755 },
	{ 0x2757, 0x2757 }, { 0x2795, 0x2797 }, { 0x27b0, 0x27b0 }, { 0x27bf, 0x27bf },
	{ 0x2b1b, 0x2b1c }, { 0x2b50, 0x2b50 }, { 0x2b55, 0x2b55 }, { 0x2e80, 0x303e },
	{ 0x3041, 0x33ff }, { 0x3400, 0x4dbf }, { 0x4e00, 0x9fff }, { 0xa000, 0xa4cf },
	{ 0xa960, 0xa97f }, { 0xac00, 0xd7a3 }, { 0xf900, 0xfaff }, { 0xfe10, 0xfe19 },
	{ 0xfe30, 0xfe6f }, { 0xff00, 0xff60 }, { 0xffe0, 0xffe6 }, { 0x16fe0, 0x18aff },
	{ 0x1b000, 0x1b2ff }, { 0x1f004, 0x1f004 }, { 0x1f0cf, 0x1f0cf }, { 0x1f18e, 0x1f18e },
	{ 0x1f191, 0x1f19a }, { 0x1f200, 0x1f320 }, { 0x1f32d, 0x1f335 }, { 0x1f337, 0x1f37c },
	{ 0x1f37e, 0x1f393 }, { 0x1f3a0, 0x1f3ca }, { 0x1f3cf, 0x1f3d3 }, { 0x1f3e0, 0x1f3f0 },
	{ 0x1f3f4, 0x1f3f4 }, { 0x1f3f8, 0x1f43e }, { 0x1f440, 0x1f440 }, { 0x1f442, 0x1f4fc },
	{ 0x1f4ff, 0x1f53d }, { 0x1f54b, 0x1f54e }, { 0x1f550, 0x1f567 }, { 0x1f57a, 0x1f57a },
	{ 0x1f595, 0x1f596 }, { 0x1f5a4, 0x1f5a4 }, { 0x1f5fb, 0x1f64f }, { 0x1f680, 0x1f6c5 },
	{ 0x1f6cc, 0x1f6cc }, { 0x1f6d0, 0x1f6d2 }, { 0x1f6d5, 0x1f6df }, { 0x1f6eb, 0x1f6ec },
	{ 0x1f6f4, 0x1f6fc }, { 0x1f7e0, 0x1f7eb }, { 0x1f90c, 0x1f9ff }, { 0x1fa70, 0x1faff },
	{ 0x20000, 0x3fffd },
};

unsigned term_cp_width(uint32_t cp)
{
	if (cp < 0x20 || (cp >= 0x7f && cp < 0xa0))
		return 0;
	if (cp < 0x300)
		return 1;
	if (IN(zero, cp))
		return 0;
	return IN(wide, cp) ? 2 : 1;
}

unsigned term_columns(const char *text)
{
	size_t len = strlen(text), n;
	unsigned columns = 0;
	uint32_t cp;

	for (; (n = term_next(text, len, &cp)) > 0; text += n, len -= n)
		columns += term_cp_width(cp);
	return columns;
}

/* What ends a line is not part of a word and takes no column. */
static size_t fit(const char *text, size_t len, unsigned max, unsigned *columns)
{
	size_t at = 0, n;
	unsigned used = 0;
	uint32_t cp;

	while ((n = term_next(text + at, len - at, &cp)) > 0) {
		unsigned w = term_cp_width(cp);

		if (used + w > max)
			break;
		used += w;
		at += n;
	}
	if (columns != NULL)
		*columns = used;
	return at;
}

size_t term_fit(const char *text, unsigned max, unsigned *columns)
{
	return fit(text, strlen(text), max, columns);
}

/* ---- untrusted text ---- */

/* Characters that act on others, or that nobody sees.  U+200C and U+200D stay:
 * several scripts are wrong without them. */
static const struct range harmful[] = {
	{ 0x0000, 0x001f }, { 0x007f, 0x009f }, { 0x00ad, 0x00ad }, { 0x034f, 0x034f },
	{ 0x061c, 0x061c }, { 0x115f, 0x1160 }, { 0x17b4, 0x17b5 }, { 0x180b, 0x180f },
	{ 0x200b, 0x200b }, { 0x200e, 0x200f }, { 0x2028, 0x202e }, { 0x2060, 0x206f },
	{ 0x3164, 0x3164 }, { 0xfdd0, 0xfdef }, { 0xfeff, 0xfeff }, { 0xffa0, 0xffa0 },
	{ 0xfff0, 0xfffb }, { 0x1bca0, 0x1bca3 }, { 0x1d173, 0x1d17a }, { 0xe0000, 0xe00ff },
	{ 0xe01f0, 0x10ffff },
};

/* One character made harmless into out, 10 bytes or more; bytes written. */
static size_t safe_one(char *out, const char *text, size_t n, uint32_t cp, enum term_mode mode)
{
	bool is_end = cp == '\n' || cp == 0x2028 || cp == 0x2029;

	if (mode == TERM_LINE && (is_end || cp == '\t' || cp == '\r')) {
		out[0] = ' ';
		return 1;
	}
	if (is_end) {
		out[0] = '\n';
		return 1;
	}
	if (cp == '\t') {
		memcpy(out, "    ", 4);
		return 4;
	}
	if (cp == 0xfffd) {
		memcpy(out, "\xef\xbf\xbd", 3);
		return 3;
	}
	if (IN(harmful, cp) || (cp & 0xfffe) == 0xfffe)
		return (size_t)snprintf(out, 10, "<%02X>", (unsigned)cp);
	memcpy(out, text, n);
	return n;
}

char *term_safe(const char *text, size_t len, enum term_mode mode)
{
	size_t at = 0, out_len = 0, n;
	uint32_t cp;
	char *out;

	/* A control byte becomes four, a plane-14 character of four bytes eight, a line end one. */
	if (len > (SIZE_MAX - 16) / 4)
		return NULL;
	out = malloc(len * 4 + 16);
	if (out == NULL)
		return NULL;
	while ((n = term_next(text + at, len - at, &cp)) > 0) {
		/* "\r\n" is one line end */
		if (cp == '\r' && at + 1 < len && text[at + 1] == '\n') {
			at++;
			continue;
		}
		out_len += safe_one(out + out_len, text + at, n, cp, mode);
		at += n;
	}
	out[out_len] = 0;
	return out;
}

bool term_print(FILE *f, const char *text, size_t len, enum term_mode mode)
{
	char *safe = term_safe(text, len, mode);
	bool is_ok = safe != NULL && fputs(safe, f) >= 0;

	free(safe);
	return is_ok;
}

static void wrap_line(FILE *f, unsigned width, unsigned indent, const char *line, size_t len)
{
	unsigned room = width > indent + 10 ? width - indent : 10;
	bool is_first = true;

	while (len > 0 || is_first) {
		size_t take = fit(line, len, room, NULL), next;

		if (take < len && line[take] != ' ') {
			size_t cut = take;

			while (cut > 0 && line[cut - 1] != ' ')
				cut--;
			if (cut > 0)
				take = cut;
		}
		/* One wide character in a line of one column, or so: go on all the same. */
		if (take == 0 && len > 0) {
			uint32_t cp;

			take = term_next(line, len, &cp);
		}
		next = take;
		while (next < len && line[next] == ' ')
			next++;
		while (take > 0 && line[take - 1] == ' ')
			take--;
		if (take > 0)
			fprintf(f, "%*s%.*s", (int)indent, "", (int)take, line);
		fputc('\n', f);
		line += next;
		len -= next;
		is_first = false;
	}
}

void term_wrap(FILE *f, unsigned width, unsigned indent, const char *text)
{
	for (;;) {
		size_t len = strcspn(text, "\n");

		wrap_line(f, width, indent, text, len);
		text += len;
		if (*text == 0 || *++text == 0)
			return;
	}
}

/* ---- questions ---- */

enum perr term_ask(FILE *in, FILE *out, const char *prompt, char **line)
{
	size_t len = 0, cap = 128;
	char *buf = malloc(cap);
	enum perr err = PERR_NOMEM;
	int c = EOF;

	*line = NULL;
	if (buf == NULL)
		return err;
	if (term_is_tty(fileno(in))) {
		fputs(prompt, out);
		fflush(out);
	}
	for (;;) {
		c = getc(in);
		if (c == EOF && ferror(in) && errno == EINTR) {
			clearerr(in);
			continue;
		}
		if (c == EOF || c == '\n')
			break;
		if (len + 2 > cap) {
			char *grown;

			if (cap >= LINE_MAX_LEN) {
				/* the rest of that line must not answer the next question */
				while ((c = getc(in)) != EOF && c != '\n')
					;
				err = PERR_LIMIT;
				goto out;
			}
			grown = realloc(buf, cap * 2);
			if (grown == NULL)
				goto out;
			buf = grown;
			cap *= 2;
		}
		buf[len++] = (char)c;
	}
	err = PERR_TRUNCATED;
	if (c == EOF && len == 0)
		goto out;
	if (len > 0 && buf[len - 1] == '\r')
		len--;
	buf[len] = 0;
	*line = buf;
	buf = NULL;
	err = PERR_OK;
out:
	free(buf);
	return err;
}

/* 1 yes, 0 no, -1 neither */
static int answer_of(const char *line, bool deflt)
{
	static const char *const yes[] = { "y", "yes", "s", "si", "s\xc3\xad", "S\xc3\x8d" };
	char word[8] = { 0 };
	size_t len, i;

	line += strspn(line, " \t");
	len = strcspn(line, " \t");
	if (len == 0)
		return deflt;
	if (len >= sizeof word || line[len + strspn(line + len, " \t")] != 0)
		return -1;
	memcpy(word, line, len);
	for (i = 0; i < sizeof yes / sizeof yes[0]; i++)
		if (strcasecmp(word, yes[i]) == 0)
			return 1;
	return strcasecmp(word, "n") == 0 || strcasecmp(word, "no") == 0 ? 0 : -1;
}

bool term_yes(FILE *in, FILE *out, const char *question, bool deflt)
{
	const char *choice = deflt ? " [Y/n] " : " [y/N] ";
	char *prompt, *line;
	int round, answer = -1;

	if (asprintf(&prompt, "%s%s", question, choice) < 0)
		return false;
	for (round = 0; round < 3 && answer < 0; round++) {
		if (term_ask(in, out, prompt, &line) != PERR_OK)
			break;
		answer = answer_of(line, deflt);
		free(line);
		if (answer < 0)
			fputs("Please answer y (yes) or n (no).\n", out);
	}
	free(prompt);
	return answer == 1;
}
